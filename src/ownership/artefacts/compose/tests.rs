//! Real-shaped compose files, and what must not be joined in them.

use std::sync::Arc;

use crate::model::{Coverage, Owner, Tier};
use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, shared_key, tree};
use crate::ownership::artefacts::{Reader, Sheet};

const API: &str = "compose:docker-compose.yml/api";

fn owners(files: &[(&str, &str)]) -> Vec<Owner> {
    tree(files).resolve(&finding(VALUE))
}

/// A compose file whose service `api` holds those lines, beside a service that holds none.
fn compose(lines: &str) -> String {
    format!("services:\n  api:\n    image: api\n{lines}\n  db:\n    image: postgres\n")
}

#[test]
fn values_in_the_service_are_bound() {
    for (lines, technique) in [
        (format!("    environment:\n      KEY: {VALUE}"), "compose-environment"),
        (format!("    environment:\n      - OTHER=1\n      - KEY={VALUE}"), "compose-environment"),
        (format!("    command: [\"--key\", \"{VALUE}\"]"), "compose-command"),
    ] {
        let all = owners(&[("docker-compose.yml", &compose(&lines))]);
        assert_eq!(consumers(&all), [(API, Tier::Bound)], "{lines}");
        assert_eq!(all[0].evidence[0].technique, technique);
    }
    let text = compose(&format!("    environment: {{URL: \"https://u:{VALUE}@host/\", Ü: é}}"));
    let known = tree(&[("docker-compose.yml", &text)]);
    assert_eq!(consumers(&known.resolve(&finding_in("docker-compose.yml", &text, VALUE))), [(API, Tier::Bound)]);
    assert_eq!(consumers(&known.resolve(&finding_in("docker-compose.yml", &text, "postgres"))), []);
}

#[test]
fn shared_anchors_name_every_service() {
    let text = format!(
        "x-env: &env\n  KEY: {VALUE}\nservices:\n  api:\n    environment: *env\n  job:\n    environment:\n      <<: *env\n      A: b\n  \
         own:\n    environment: {{<<: *env, KEY: another}}\n"
    );
    let all = owners(&[("docker-compose.yml", &text)]);
    assert_eq!(consumers(&all), [(API, Tier::Bound), ("compose:docker-compose.yml/job", Tier::Bound)]);
}

#[test]
fn an_env_file_is_bound_by_exact_path_for_values_and_inferred_for_the_rest() {
    let env = format!("# key: {VALUE}-off\nkey: {VALUE}-old\nKEY=\"{VALUE}\"\n");
    for field in
        ["env_file: conf/api.env", "env_file: [./conf/api.env]", "env_file: [{path: conf/api.env, required: false}]"]
    {
        let text = compose(&format!("    {field}"));
        let known = tree(&[("docker-compose.yml", &text), ("conf/api.env", &env)]);
        let by_value = known.resolve(&finding(VALUE));
        assert_eq!(consumers(&by_value), [(API, Tier::Bound)], "{field}");
        assert_eq!(by_value[0].evidence[0].at, "conf/api.env:3");
        let other = finding_in("conf/api.env", &env, &format!("{VALUE}-old"));
        assert_eq!(consumers(&known.resolve(&other)), [(API, Tier::Inferred)], "{field}");
        let comment = finding_in("conf/api.env", &env, &format!("{VALUE}-off"));
        assert_eq!(consumers(&known.resolve(&comment)), [], "what is switched off is nobody's: {field}");
    }
    // A file of the same name elsewhere, and a path that leaves the tree.
    let text = compose("    env_file: [../conf/api.env, /conf/api.env, conf/${X}.env]");
    assert_eq!(owners(&[("docker-compose.yml", &text), ("conf/api.env", &env)]), []);
}

#[test]
fn an_env_file_of_any_name_is_inferred() {
    let text = compose("    env_file: settings.txt");
    let known = tree(&[("docker-compose.yml", &text)]);
    let found = finding_in("settings.txt", "KEY=abc", "abc");
    assert_eq!(consumers(&known.resolve(&found)), [(API, Tier::Inferred)]);
}

#[test]
fn variables_come_from_the_env_file_beside_it() {
    let env = format!("OTHER=1\nexport OPENAI={VALUE}\n");
    for lines in [
        "    environment: {KEY: \"${OPENAI:-none}\"}",
        "    environment: [\"KEY=$OPENAI\"]",
        "    environment: [OPENAI]",
        "    environment:\n      OPENAI:\n",
        "    command: run --key ${OPENAI}",
    ] {
        let all = owners(&[("docker-compose.yml", &compose(lines)), (".env", &env)]);
        assert_eq!(consumers(&all), [(API, Tier::Bound)], "{lines}");
        assert_eq!((all[0].evidence[0].technique.as_str(), all[0].evidence[0].at.as_str()), ("dotenv-variable", ".env:2"));
    }
    for (lines, at) in [
        ("    environment: {KEY: \"${OPENAI_OLD}\"}", ".env"),
        ("    environment: {KEY: \"$${OPENAI}\"}", ".env"),
        ("    image: ${OPENAI}", ".env"),
        ("    environment: [OPENAI]", "sub/.env"),
        ("    environment: [OPENAI]", ".env.example"),
    ] {
        assert_eq!(owners(&[("docker-compose.yml", &compose(lines)), (at, &env)]), [], "{lines} {at}");
    }
    // A path that is made of a default.
    let unsure = compose("    env_file: ${DIR:-conf}/api.env");
    let all = owners(&[("docker-compose.yml", &unsure), ("conf/api.env", &env)]);
    assert_eq!(consumers(&all), [(API, Tier::Inferred)]);
    // Somebody must name it.
    let all = owners(&[("docker-compose.yml", &compose("    environment: [OPENAI]")), (".env.local", &env)]);
    assert_eq!(consumers(&all), [(API, Tier::Inferred)]);
    let listed = compose("    environment: [OPENAI]") + "  other: {image: x, env_file: .env.local}\n";
    let all = owners(&[("docker-compose.yml", &listed), (".env.local", &env)]);
    assert_eq!(consumers(&all), [("compose:docker-compose.yml/other", Tier::Bound)]);
}

#[test]
fn secrets_by_file_and_by_variable() {
    let text = format!(
        "{}secrets:\n  key: {{file: ./secrets/key.txt}}\n  unused: {{file: ./secrets/unused.txt}}\n  var: {{environment: OPENAI}}\n",
        compose("    secrets: [key, {source: var}, missing]")
    );
    let known = tree(&[("docker-compose.yml", &text), (".env", &format!("OPENAI={VALUE}\n"))]);
    assert_eq!(consumers(&known.resolve(&finding(VALUE))), [(API, Tier::Bound)]);
    assert_eq!(consumers(&known.resolve(&finding_in("secrets/key.txt", "abc", "abc"))), [(API, Tier::Bound)]);
    assert_eq!(consumers(&known.resolve(&finding_in("secrets/unused.txt", "abc", "abc"))), []);
}

#[test]
fn only_compose_files_are_read_as_such_and_broken_ones_are_told() {
    let text = compose(&format!("    environment: {{KEY: {VALUE}}}"));
    assert_eq!(owners(&[("services.txt", &text)]), []);
    assert_eq!(consumers(&owners(&[("x/compose.prod.yaml", &text)])), [("compose:x/compose.prod.yaml/api", Tier::Bound)]);
    let known = tree(&[("compose.yml", "services:\n\tapi: [\n")]);
    assert!(known.coverage().troubles[0].why.starts_with("not valid YAML at line 2"), "{:?}", known.coverage());
}

#[test]
fn what_the_service_sets_itself_hides_the_file_s() {
    let env = format!("KEY={VALUE}\n");
    for (service, bound) in [
        ("env_file: a.env", true),
        ("env_file: a.env\n    environment: {KEY: other-value-of-it}", false),
        ("env_file: a.env\n    environment: [KEY]", false),
        ("env_file: a.env\n    environment: {OTHER: x}", true),
        ("env_file: [a.env, b.env]", false),
        ("env_file: [b.env, a.env]", true),
        ("env_file: [a.env, c.env]", true),
    ] {
        let compose = format!("services:\n  api:\n    image: x\n    {service}\n");
        let files = [("compose.yaml", compose.as_str()), ("a.env", &env), ("b.env", "KEY=x\n"), ("c.env", "OTHER=x\n")];
        let named = !consumers(&tree(&files).resolve(&finding(VALUE))).is_empty();
        assert_eq!(named, bound, "{service}");
    }
}

#[test]
fn what_a_service_extends_comes_before_its_own_and_long_chains_are_told() {
    let env = format!("KEY={VALUE}\n");
    for (own, base, bound) in [
        ("env_file: a.env", "environment: {KEY: x}", false),
        ("environment: {KEY: x}", "env_file: a.env", false),
        ("environment: {OTHER: x}", "env_file: a.env", true),
        ("env_file: a.env", "env_file: b.env", true),
        ("env_file: b.env", "env_file: a.env", false),
    ] {
        let compose = format!("services:\n  api:\n    extends: base\n    {own}\n  base:\n    {base}\n");
        let files = [("compose.yaml", compose.as_str()), ("a.env", &env), ("b.env", "KEY=x\n")];
        let all = owners(&files);
        let named = consumers(&all).iter().any(|(id, _)| *id == "compose:compose.yaml/api");
        assert_eq!(named, bound, "{own} {base}");
    }
    let chain = (0..12).map(|n| format!("  s{n}: {{extends: s{}}}\n", n + 1)).collect::<Vec<_>>().concat();
    let many = (0..51).map(|n| format!("{n}.env,")).collect::<Vec<_>>().concat();
    for (text, said) in [
        (format!("services:\n{chain}  s12: {{image: x}}\n"), "extend more than 10"),
        (format!("services:\n  s: {{env_file: [{many}]}}\n"), "more than 50 env files"),
    ] {
        let known = tree(&[("compose.yaml", &text)]);
        assert!(known.coverage().troubles.iter().any(|trouble| trouble.why.contains(said)), "{:?}", known.coverage());
    }
}

#[test]
fn the_names_that_hide_a_file_s_are_kept_once_a_service() {
    let text = "services: {api: {environment: {A: b, C: d}, env_file: [a.env, b.env]}}\n";
    let mut compose = super::Compose::default();
    let sheet = Sheet { path: "compose.yaml".into(), bytes: text.as_bytes(), key: &shared_key(), root: "" };
    compose.read(&sheet, &mut Coverage::default());
    let [a, b] = ["a.env", "b.env"].map(|file| &compose.env_files[file][0].over);
    assert!(Arc::ptr_eq(&a.names, &b.names) && Arc::ptr_eq(&a.files, &b.files));
}

#[test]
fn of_two_assignments_the_last_counts() {
    let compose = "services: {api: {image: x, env_file: a.env}}\n";
    for (env, bound) in [(format!("KEY={VALUE}\nKEY=x\n"), false), (format!("KEY=x\nKEY={VALUE}\n"), true)] {
        let known = tree(&[("compose.yaml", compose), ("a.env", &env)]);
        assert_eq!(!consumers(&known.resolve(&finding(VALUE))).is_empty(), bound, "{env}");
    }
}

#[test]
fn other_names_are_known_by_what_is_in_them() {
    let service = |fields: &str| format!("services:\n  api:\n    {fields}\n    environment: {{KEY: {VALUE}}}\n");
    for (path, text, expected) in [
        ("basic.yml", service("image: x"), &[("compose:basic.yml/api", Tier::Bound)][..]),
        (
            "tunnel.yml",
            format!("{}  web: {{ports: !reset []}}\n", service("image: x")),
            &[("compose:tunnel.yml/api", Tier::Bound)],
        ),
        ("other.yml", format!("{}  web: {{title: y}}\n", service("image: x")), &[]),
        ("basic.yml", format!("name: x\nx-a: b\n{}", service("build: .")), &[("compose:basic.yml/api", Tier::Bound)]),
        ("basic.example.yml", service("image: x"), &[("compose:basic.example.yml/api", Tier::Inferred)]),
        ("compose.example.yml", service("image: x"), &[("compose:compose.example.yml/api", Tier::Inferred)]),
        ("services.yml", service("class: App\\Mailer"), &[]),
        ("basic.yml", format!("kind: x\n{}", service("image: x")), &[]),
        ("basic.yml", format!("{}  other: {{class: x}}\n", service("image: x")), &[]),
        ("basic.yml", format!("services:\n  - image: x\n    environment: {{KEY: {VALUE}}}\n"), &[]),
        ("basic.yml", format!("{}{{{{ end }}}}\n", service("image: x")), &[]),
    ] {
        assert_eq!(consumers(&owners(&[(path, &text)])), expected, "{path} {text}");
    }
    let stack = "services: {api: {image: x, environment: [KEY]}}\n";
    let env = format!("KEY={VALUE}\n");
    let all = owners(&[("docker-stack.yml", stack), (".env", &env)]);
    assert_eq!(consumers(&all), [("compose:docker-stack.yml/api", Tier::Inferred)], "swarm reads no .env");
}

#[test]
fn what_is_included_takes_variables_of_who_includes_it() {
    let env = format!("KEY={VALUE}\n");
    let service = "services: {api: {image: x, environment: [KEY]}}\n";
    for (include, named) in [
        ("[../b/compose.yaml]", true),
        ("[{path: ../b/compose.yaml}]", true),
        ("[{path: [../c/compose.yaml, ../b/compose.yaml]}]", true),
        ("[../b/other.yaml]", false),
    ] {
        let own = format!("include: {include}\nservices: {{own: {{image: x}}}}\n");
        let all = owners(&[("a/compose.yaml", &own), ("b/compose.yaml", service), ("a/.env", &env)]);
        let expected = [("compose:b/compose.yaml/api", Tier::Inferred)];
        assert_eq!(consumers(&all), &expected[..usize::from(named)], "{include}");
    }
}

#[test]
fn variables_that_are_made_of_others_are_followed() {
    let own = "services: {api: {image: x, environment: [URL]}, db: {image: y, environment: [KEY]}}\n";
    for (url, api) in [
        ("postgres://u:${KEY}@db", true),
        ("\"postgres://u:$KEY@db\"", true),
        ("'postgres://u:${KEY}@db'", false),
        ("postgres://u:$${KEY}@db", false),
        ("postgres://u:${KEYS}@db", false),
    ] {
        let env = format!("KEY={VALUE}\nURL={url}\n");
        let all = owners(&[("compose.yaml", own), (".env", &env)]);
        let expected = [("compose:compose.yaml/api", Tier::Bound), ("compose:compose.yaml/db", Tier::Bound)];
        assert_eq!(consumers(&all), &expected[usize::from(!api)..], "{url}");
    }
}

#[test]
fn a_template_of_a_compose_file_is_inferred() {
    let text = format!(
        "services:\n{{% for host in hosts %}}\n  web_{{{{ host }}}}:\n    image: x\n{{% endfor %}}\n  api:\n    image: y\n    environment:\n      KEY: {VALUE}\n      OTHER: \"{{{{ other }}}}\"\n"
    );
    let path = "roles/r/templates/docker-compose.yml.j2";
    let all = tree(&[(path, &text)]).resolve(&finding_in(path, &text, VALUE));
    assert!(consumers(&all).contains(&("compose:roles/r/templates/docker-compose.yml.j2/api", Tier::Inferred)), "{all:?}");
}

#[test]
fn files_of_folders_below_take_the_env_file_above_them() {
    let env = format!("PW={VALUE}\n");
    let base = "services: {web: {image: x}}\n";
    let more = "services: {db: {image: y, environment: {PW: '${PW}'}}}\n";
    for (files, named) in [
        (&[("compose.yaml", base), ("overrides/compose.db.yaml", more)][..], true),
        (&[("overrides/compose.db.yaml", more)], false),
        (&[("compose.yaml", base), ("overrides/compose.db.yaml", more), ("overrides/.env", "A=b\n")], false),
        (&[("compose.yaml", base), ("tests/compose.db.yaml", more)], false),
    ] {
        let mut files = files.to_vec();
        files.push((".env", &env));
        let all = tree(&files).resolve(&finding_in(".env", &env, VALUE));
        let expected = [("compose:overrides/compose.db.yaml/db", Tier::Inferred)];
        assert_eq!(consumers(&all), &expected[..usize::from(named)], "{files:?}");
    }
}

#[test]
fn what_another_service_mounts_more_closely_is_inferred() {
    let compose =
        "services:\n  a: {image: x, volumes: ['./conf:/etc/a']}\n  b: {image: y, volumes: ['./conf/users:/etc/b']}\n";
    let text = format!("key: {VALUE}\n");
    let all = tree(&[("compose.yaml", compose)]).resolve(&finding_in("conf/users/u.ldif", &text, VALUE));
    assert_eq!(consumers(&all), [("compose:compose.yaml/b", Tier::Bound), ("compose:compose.yaml/a", Tier::Inferred)]);
}

#[test]
fn what_lies_deep_in_a_mounted_folder_is_a_programs_own() {
    let compose = "services:\n  app: {image: x, volumes: ['./code:/app']}\n";
    let text = format!("secret: {VALUE}\n");
    for (path, tier) in [("code/settings.yaml", Tier::Bound), ("code/config/packages/framework.yaml", Tier::Inferred)] {
        let all = tree(&[("compose.yaml", compose)]).resolve(&finding_in(path, &text, VALUE));
        assert_eq!(consumers(&all), [("compose:compose.yaml/app", tier)], "{path}");
    }
}

#[test]
fn an_env_file_that_is_named_from_a_folder_above_is_inferred() {
    let text = "services: {api: {image: x, env_file: [./stats/.env]}}\n";
    let env = format!("KEY={VALUE}\n");
    for (path, at, named) in [
        ("stats/local/local.yml", "stats/.env", true),
        ("stats/local.yml", "stats/.env", true),
        ("other/local.yml", "stats/.env", false),
    ] {
        let all = owners(&[(path, text), (at, &env)]);
        let id = format!("compose:{path}/api");
        assert_eq!(consumers(&all), &[(id.as_str(), Tier::Inferred)][..usize::from(named)], "{path}");
    }
}

#[test]
fn a_service_that_runs_what_is_built_of_a_dockerfile_has_what_its_image_has() {
    let docker = format!("FROM a\nENV KEY={VALUE}\nADD ./app.ini /etc/app.ini\n");
    let ini = format!("key = {VALUE}x\n");
    for (build, named) in [("./web", true), ("{context: ., dockerfile: web/Dockerfile}", true), ("./other", false)] {
        let text = format!("services:\n  api: {{build: {build}}}\n  db: {{image: y}}\n");
        let known = tree(&[("compose.yaml", &text), ("web/Dockerfile", &docker)]);
        let both = [("dockerfile:web/Dockerfile", Tier::Bound), ("compose:compose.yaml/api", Tier::Inferred)];
        assert_eq!(consumers(&known.resolve(&finding(VALUE))), &both[..=usize::from(named)], "{build}");
        let found = known.resolve(&finding_in("web/app.ini", &ini, VALUE));
        assert_eq!(consumers(&found).len(), 1 + usize::from(named), "{build}: {found:?}");
    }
}

#[test]
fn an_env_file_of_a_folder_below_is_named_by_who_runs_it() {
    let text = "services: {api: {image: x, environment: [KEY]}}\n";
    let env = format!("KEY={VALUE}\n");
    for (path, beside, named) in [
        ("config/prod.env", "", true),
        ("config/deploy/.env.prod", "", true),
        ("config/prod.env", "KEY=other\n", false),
        ("config/prod.env.example", "", false),
        ("tests/prod.env", "", false),
    ] {
        let all = owners(&[("compose.yaml", text), (path, &env), (".env", beside)]);
        let expected = [("compose:compose.yaml/api", Tier::Inferred)];
        assert_eq!(consumers(&all), &expected[..usize::from(named)], "{path} {beside}");
    }
}

#[test]
fn what_doco_cd_sets_is_who_takes_it_s() {
    let compose = "services: {api: {image: x, environment: {KEY: '${KEY}'}}, db: {image: y}}\n";
    for (path, working, name, named) in [
        ("host/.doco-cd.yaml", "./host", "KEY", true),
        (".doco-cd.yml", ".", "KEY", true),
        ("host/.doco-cd.yaml", "./other", "KEY", false),
        ("host/.doco-cd.yaml", "./host", "OTHER", false),
    ] {
        let text = format!("working_dir: {working}\nexternal_secrets:\n  {name}: {VALUE}\n");
        let all = tree(&[("host/api/compose.yaml", compose), (path, &text)]).resolve(&finding(VALUE));
        let expected = [("compose:host/api/compose.yaml/api", Tier::Inferred)];
        assert_eq!(consumers(&all), &expected[..usize::from(named)], "{path} {working} {name}");
    }
}
