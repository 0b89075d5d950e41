//! Real-shaped pipelines, and what must not be joined in them.

use crate::model::{Owner, Tier};
use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

const PATH: &str = ".gitlab-ci.yml";
const BUILD: (&str, Tier) = ("gitlab-ci:.gitlab-ci.yml/build", Tier::Bound);
const DEPLOY: (&str, Tier) = ("gitlab-ci:.gitlab-ci.yml/deploy to prod", Tier::Bound);

fn owners(text: &str) -> Vec<Owner> {
    tree(&[(PATH, text)]).resolve(&finding(VALUE))
}

/// A pipeline with those top-level lines, whose job `build` holds those lines beside a job that holds none.
fn pipeline(top: &str, lines: &str) -> String {
    format!("stages: [build]\n{top}build:\n  script: [make]\n{lines}deploy to prod:\n  script:\n    - make deploy\n")
}

#[test]
fn a_job_that_no_rule_lets_run_is_inferred() {
    for (rules, tier) in [
        ("rules: [{when: never}]", Tier::Inferred),
        ("rules: [{if: $X, when: never}, {when: never}]", Tier::Inferred),
        ("rules: [{if: $X, when: never}, {when: on_success}]", Tier::Bound),
        ("rules: []", Tier::Bound),
        ("when: manual", Tier::Bound),
    ] {
        let text = pipeline("", &format!("  {rules}\n  variables: {{KEY: {VALUE}}}\n"));
        assert_eq!(consumers(&owners(&text)), [(BUILD.0, tier)], "{rules}");
    }
}

#[test]
fn variables_of_the_pipeline_name_every_job_that_gets_them() {
    for top in [format!("variables:\n  KEY: {VALUE}\n"), format!("variables:\n  KEY: {{value: {VALUE}, description: x}}\n")]
    {
        assert_eq!(consumers(&owners(&pipeline(&top, ""))), [BUILD, DEPLOY]);
        for lines in [
            "  variables: {KEY: other}\n",
            "  inherit: {variables: false}\n",
            "  inherit: {variables: [OTHER]}\n",
            "  extends: .t\n.t: {variables: {KEY: other}}\n",
        ] {
            assert_eq!(consumers(&owners(&pipeline(&top, lines))), [DEPLOY], "{lines}");
        }
        assert_eq!(consumers(&owners(&pipeline(&top, "  inherit: {variables: [KEY]}\n"))), [BUILD, DEPLOY]);
    }
}

#[test]
fn what_is_outside_the_file_keeps_pipeline_variables_from_being_bound() {
    let top = format!("include: other.yml\nvariables: {{KEY: {VALUE}}}\n");
    let declared = [(BUILD.0, Tier::Declared), (DEPLOY.0, Tier::Declared)];
    assert_eq!(consumers(&owners(&pipeline(&top, ""))), declared);
    let top = format!("variables: {{KEY: {VALUE}}}\n");
    assert_eq!(consumers(&owners(&pipeline(&top, "  extends: .elsewhere\n"))), [DEPLOY, (BUILD.0, Tier::Declared)]);
    let own = format!("  variables: {{KEY: {VALUE}}}\n");
    assert_eq!(consumers(&owners(&pipeline("include: other.yml\n", &own))), [BUILD], "the job's own word counts most");
}

#[test]
fn variables_and_scripts_of_a_job_and_its_templates_name_that_job() {
    for (top, lines) in [
        (String::new(), format!("  variables:\n    KEY: {VALUE}\n")),
        (format!(".t:\n  variables: {{KEY: {VALUE}}}\n"), "  extends: .t\n".to_owned()),
        (format!(".a: {{variables: {{KEY: {VALUE}}}}}\n.b: {{extends: [.a]}}\n"), "  extends: [.c, .b]\n".to_owned()),
        (String::new(), format!("  after_script: [[\"curl -u x={VALUE}\"]]\n")),
        (format!(".v: &v {{KEY: {VALUE}}}\n"), "  variables: {<<: *v, A: b}\n".to_owned()),
    ] {
        assert_eq!(consumers(&owners(&pipeline(&top, &lines))), [BUILD], "{top}{lines}");
    }
    let text = pipeline("", "  before_script:\n    - login hunter2-key # hunter2-old\n");
    let known = tree(&[(PATH, &text)]);
    assert_eq!(consumers(&known.resolve(&finding_in(PATH, &text, "hunter2-key"))), [BUILD]);
    assert_eq!(consumers(&known.resolve(&finding_in(PATH, &text, "hunter2-old"))), []);
}

#[test]
fn the_environment_is_told() {
    let all = owners(&pipeline("", &format!("  environment: {{name: production}}\n  variables: {{KEY: {VALUE}}}\n")));
    assert!(all[0].evidence.iter().any(|one| one.technique == "gitlab-ci-environment" && one.value == "production"));
}

#[test]
fn pieces_and_files_that_do_not_run_by_themselves_are_not_bound() {
    let hidden = format!(".hidden:\n  script: [x]\n  variables: {{KEY: {VALUE}}}\npiece: {{variables: {{KEY: {VALUE}}}}}\n");
    assert_eq!(owners(&hidden), []);
    let text = format!("build: {{script: [x], variables: {{KEY: {VALUE}}}}}\n");
    for path in ["ci/.gitlab-ci.yml", "ci/build.gitlab-ci.yml"] {
        let all = tree(&[(path, &text)]).resolve(&finding(VALUE));
        assert_eq!(consumers(&all), [(format!("gitlab-ci:{path}/build").as_str(), Tier::Inferred)]);
    }
    assert_eq!(tree(&[("gitlab-ci.yml", &text)]).resolve(&finding(VALUE)), []);
}

#[test]
fn circles_end_and_broken_files_are_told() {
    let text =
        format!(".a: {{extends: [.b, .b]}}\n.b: {{extends: [.a, .a]}}\nbuild: {{extends: .a, variables: {{K: {VALUE}}}}}\n");
    assert_eq!(consumers(&owners(&text)), [BUILD]);
    let known = tree(&[(PATH, "build: {script: [\n")]);
    assert!(known.coverage().troubles[0].why.starts_with("not valid YAML at line "), "{:?}", known.coverage());
}

#[test]
fn references_lead_to_what_they_name() {
    let hidden = format!(".setup:\n  script: [echo, \"login -p {VALUE}\"]\n  variables: {{KEY: {VALUE}, OTHER: x}}\n");
    for (lines, named) in [
        ("  before_script: [!reference [.setup, script]]\n", true),
        ("  before_script: !reference [.setup, script]\n", true),
        ("  before_script: [[!reference [.setup, script]], x]\n", true),
        ("  variables: !reference [.setup, variables]\n", true),
        ("  variables: {MINE: !reference [.setup, variables, KEY]}\n", true),
        ("  variables: {MINE: !reference [.setup, variables, OTHER]}\n", false),
        ("  before_script: [!reference [.setup, variables]]\n", false),
        ("  before_script: [!reference [.elsewhere, script]]\n", false),
        ("  before_script: [[.setup, script]]\n", false),
    ] {
        let text = pipeline(&hidden, lines);
        let all = tree(&[(PATH, &text)]).resolve(&finding_in(PATH, &text, VALUE));
        let by_value = owners(&text);
        let met: Vec<_> = [&all, &by_value].iter().flat_map(|all| consumers(all)).map(|(id, _)| id.to_owned()).collect();
        assert_eq!(!met.is_empty(), named, "{lines}");
        assert!(met.iter().all(|id| id == BUILD.0), "{lines} {met:?}");
    }
    let circle = pipeline(
        ".a: {script: [!reference [.b, script]]}\n.b: {script: [!reference [.a, script]]}\n",
        "  after_script: [!reference [.a, script]]\n",
    );
    assert_eq!(owners(&circle), []);
}

#[test]
fn what_is_said_for_all_jobs_is_taken_by_those_that_do_not_say_it() {
    for top in ["default:\n  before_script: [SCRIPT]\n", "before_script: [SCRIPT]\n"] {
        let top = top.replace("SCRIPT", &format!("login {VALUE}"));
        for (lines, both) in [
            ("", true),
            ("  before_script: [other]\n", false),
            ("  inherit: {default: false}\n", false),
            ("  inherit: {default: [image]}\n", false),
            ("  inherit: {default: [before_script]}\n", true),
        ] {
            let text = pipeline(&top, lines);
            let all = tree(&[(PATH, &text)]).resolve(&finding_in(PATH, &text, VALUE));
            assert_eq!(consumers(&all), &[BUILD, DEPLOY][usize::from(!both)..], "{top}{lines}");
        }
    }
}

#[test]
fn variables_of_rules_matrices_and_services_are_the_job_s() {
    for (lines, tier) in [
        (format!("  rules: [{{if: $X, variables: {{KEY: {VALUE}}}}}]\n"), Tier::Inferred),
        (format!("  parallel: {{matrix: [{{KEY: [a, {VALUE}]}}]}}\n"), Tier::Bound),
        (format!("  services: [{{name: postgres, variables: {{KEY: {VALUE}}}}}]\n"), Tier::Bound),
    ] {
        assert_eq!(consumers(&owners(&pipeline("", &lines))), [(BUILD.0, tier)], "{lines}");
    }
}

#[test]
fn a_pipeline_by_another_name_is_known_by_what_is_in_it() {
    let job = format!("build: {{script: [x], variables: {{KEY: {VALUE}}}}}\n");
    for (path, top, tier) in [
        (".acme-ci.yml", "stages: [a]\n", Some(Tier::Declared)),
        ("acme-ci.yaml", "workflow: {rules: []}\n", Some(Tier::Declared)),
        (".acme-ci.yml", "", Some(Tier::Inferred)),
        ("ci/.acme-ci.yml", "stages: [a]\n", Some(Tier::Inferred)),
        (".gitlab/ci/build.yml", "", Some(Tier::Inferred)),
        (".gitlab-ci/build.yml", ".x: {a: b}\n", Some(Tier::Inferred)),
        (".acme-ci.yml", "stages: [a]\nsettings: {a: b}\n", None),
        ("acme.yml", "stages: [a]\n", None),
        (".gitlab/issues.yml", "labels: {a: b}\n", None),
    ] {
        let known = tree(&[(path, &format!("{top}{job}"))]);
        let id = format!("gitlab-ci:{path}/build");
        let expected: Vec<_> = tier.into_iter().map(|tier| (id.as_str(), tier)).collect();
        assert_eq!(consumers(&known.resolve(&finding(VALUE))), expected, "{path} {top}");
    }
    assert!(tree(&[(".x-ci.yml", "script: [\n")]).coverage().troubles.is_empty());
}

#[test]
fn files_that_one_pipeline_includes_share_templates_and_variables() {
    let root = format!(
        "include: [{{local: /ci/build.yml}}, '/ci/more/*.yml']\nvariables: {{ALL: {VALUE}}}\n.t: {{variables: {{KEY: {VALUE}-t}}, \
         script: ['run {VALUE}-s']}}\n"
    );
    let build = "build: {extends: .t, script: [make]}\nlint: {script: [make lint], variables: {ALL: other}}\n";
    let more = "deploy: {script: [x], before_script: [!reference [.t, script]]}\n";
    let other = "unasked: {extends: .t, script: [make]}\n";
    let files = [(PATH, root.as_str()), ("ci/build.yml", build), ("ci/more/d.yml", more), ("ci/other.yml", other)];
    let known = tree(&files);
    let named = |value: &str| {
        let all = known.resolve(&finding(value));
        consumers(&all).into_iter().map(|(id, tier)| (id.to_owned(), tier)).collect::<Vec<_>>()
    };
    let (one, two) = ("gitlab-ci:ci/build.yml/build".to_owned(), "gitlab-ci:ci/more/d.yml/deploy".to_owned());
    assert_eq!(named(VALUE), [(one.clone(), Tier::Inferred), (two.clone(), Tier::Inferred)]);
    assert_eq!(named(&format!("{VALUE}-t")), [(one.clone(), Tier::Inferred), (two.clone(), Tier::Inferred)]);
    assert_eq!(named(&format!("{VALUE}-s")), [(one, Tier::Inferred), (two, Tier::Inferred)]);
}

#[test]
fn jobs_of_a_file_by_any_name_count_where_it_is_included() {
    let job = format!("build: {{script: [make], variables: {{KEY: {VALUE}}}}}\n");
    for (include, named) in [("ci/jobs.yml", true), ("ci/other.yml", false), ("https://x.example/ci/jobs.yml", false)] {
        let root = format!("include: {include}\n");
        let all = tree(&[(PATH, &root), ("ci/jobs.yml", &job)]).resolve(&finding(VALUE));
        let expected = [("gitlab-ci:ci/jobs.yml/build", Tier::Inferred)];
        assert_eq!(consumers(&all), &expected[..usize::from(named)], "{include}");
    }
    // Files that include one another end.
    let (a, b) = (
        "include: ci/b.yml\nx: {extends: .b, script: [x]}\n",
        format!("include: /.gitlab-ci.yml\n.b: {{extends: .b, variables: {{K: {VALUE}}}}}\n"),
    );
    let all = tree(&[(PATH, a), ("ci/b.yml", &b)]).resolve(&finding(VALUE));
    assert_eq!(consumers(&all), [("gitlab-ci:.gitlab-ci.yml/x", Tier::Declared)]);
}

#[test]
fn scripts_are_flattened_in_templates_of_other_files_as_well() {
    let shared = format!(".login: &login\n  - login {VALUE}\n.t:\n  before_script:\n    - *login\n    - [[make]]\n");
    let root = "include: ci/t.yml\nbuild: {extends: .t, script: [make]}\n";
    let all = tree(&[(PATH, root), ("ci/t.yml", &shared)]).resolve(&finding_in("ci/t.yml", &shared, VALUE));
    assert_eq!(consumers(&all), [(BUILD.0, Tier::Declared)]);
    // A line with a colon in it, which nobody quoted.
    let text =
        pipeline("", &format!("  after_script:\n    - curl -H \"Authorization: Bearer {VALUE}\" https://x.example\n"));
    let all = tree(&[(PATH, &text)]).resolve(&finding_in(PATH, &text, VALUE));
    assert_eq!(consumers(&all), [BUILD]);
}
