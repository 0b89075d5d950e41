//! Real-shaped workflows, and what must not be joined in them.

use crate::model::{Owner, Tier};
use crate::ownership::artefacts::Artefacts;
use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

const PATH: &str = ".github/workflows/ci.yml";
const BUILD: (&str, Tier) = ("gha:.github/workflows/ci.yml/build", Tier::Bound);
const TEST: (&str, Tier) = ("gha:.github/workflows/ci.yml/test", Tier::Bound);

fn owners(path: &str, text: &str) -> Vec<Owner> {
    tree(&[(path, text)]).resolve(&finding(VALUE))
}

/// A workflow whose job `build` holds those lines, beside a job that holds none.
fn workflow(top: &str, lines: &str) -> String {
    format!(
        "name: ci\non: [push]\n{top}jobs:\n  build:\n    runs-on: ubuntu-latest\n{lines}  test:\n    runs-on: ubuntu-latest\n    \
         steps:\n      - run: make test\n"
    )
}

#[test]
fn what_every_step_sets_for_itself_is_inferred_of_the_job() {
    for (steps, tier) in [
        ("[{run: a, env: {KEY: other}}]", Tier::Inferred),
        ("[{run: a, env: {KEY: other}}, {run: b}]", Tier::Bound),
        ("[]", Tier::Bound),
    ] {
        let text = format!("jobs: {{x: {{env: {{KEY: {VALUE}}}, steps: {steps}}}}}\n");
        let owners = tree(&[(".github/workflows/a.yml", &text)]).resolve(&finding(VALUE));
        assert_eq!(consumers(&owners), [("gha:.github/workflows/a.yml/x", tier)], "{steps}");
    }
}

#[test]
fn values_of_one_job_name_that_job() {
    for (lines, technique) in [
        (format!("    env:\n      KEY: {VALUE}\n"), "gha-job-env"),
        (format!("    steps:\n      - run: x\n        env: {{KEY: '{VALUE}'}}\n"), "gha-step-env"),
        (format!("    steps:\n      - uses: a/b@v1\n        with:\n          token: {VALUE}\n"), "gha-with"),
        (
            format!("    container:\n      image: x\n      credentials: {{username: u, password: {VALUE}}}\n"),
            "gha-container-credentials",
        ),
        (format!("    services:\n      db:\n        image: x\n        env:\n          P: {VALUE}\n"), "gha-container-env"),
        (format!("    steps:\n      - run: |\n          tool --key={VALUE} \\\n            --x\n"), "gha-run"),
    ] {
        let all = owners(PATH, &workflow("", &lines));
        assert_eq!(consumers(&all), [BUILD], "{lines}");
        assert_eq!(all[0].evidence[0].technique, technique, "{lines}");
    }
}

#[test]
fn values_of_the_workflow_name_every_job_that_gets_them() {
    let top = format!("env:\n  KEY: {VALUE}\n");
    assert_eq!(consumers(&owners(PATH, &workflow(&top, ""))), [BUILD, TEST]);
    assert_eq!(consumers(&owners(PATH, &workflow(&top, "    env:\n      KEY: other\n"))), [TEST], "overridden");
    assert_eq!(consumers(&owners(PATH, &workflow(&top, "    uses: ./.github/workflows/x.yml\n"))), [TEST], "a call");
}

#[test]
fn a_key_in_a_script_is_joined_by_its_place_and_one_in_a_comment_is_not() {
    let lines = "    steps:\n      # curl -u user:hunter2-old\n      - run: |\n          curl -H \"X: hunter2-new\" \\\n            # hunter2-off\n            https://x hunter2-end\n";
    let text = workflow("", lines);
    let known = tree(&[(PATH, &text)]);
    assert_eq!(consumers(&known.resolve(&finding_in(PATH, &text, "hunter2-new"))), [BUILD]);
    let end = known.resolve(&finding_in(PATH, &text, "hunter2-end"));
    assert_eq!((consumers(&end), end[0].evidence[0].at.as_str()), (vec![BUILD], ".github/workflows/ci.yml:11"));
    for off in ["hunter2-old", "hunter2-off"] {
        assert_eq!(consumers(&known.resolve(&finding_in(PATH, &text, off))), [], "{off}");
    }
    assert_eq!(consumers(&known.resolve(&finding_in("other.yml", &text, "hunter2-new"))), []);
}

#[test]
fn the_environment_is_told() {
    for environment in ["production", "{name: production, url: 'https://x'}"] {
        let all = owners(PATH, &workflow("", &format!("    environment: {environment}\n    env: {{KEY: {VALUE}}}\n")));
        let noted = all[0].evidence.iter().find(|one| one.technique == "gha-environment").expect("a note");
        assert_eq!((noted.at.as_str(), noted.value.as_str()), (".github/workflows/ci.yml:6", "production"));
    }
}

#[test]
fn what_github_does_not_run_is_never_bound() {
    let text = workflow("", &format!("    env: {{KEY: {VALUE}}}\n"));
    let nested = "vendor/lib/.github/workflows/ci.yml";
    assert_eq!(consumers(&owners(nested, &text)), [("gha:vendor/lib/.github/workflows/ci.yml/build", Tier::Inferred)]);
    for other in
        ["workflows/ci.yml", ".github/workflows/sub/ci.yml", ".github/workflows/ci.json", "x.github/workflows/ci.yml"]
    {
        assert_eq!(owners(other, &text), [], "{other}");
    }
    for off in ["    if: false\n", "    if: ${{ false }}\n"] {
        let text = workflow("", &format!("{off}    env: {{KEY: {VALUE}}}\n"));
        assert_eq!(consumers(&owners(PATH, &text)), [(BUILD.0, Tier::Inferred)], "{off}");
    }
    let mut rooted = Artefacts::new(crate::ownership::artefacts::testing::shared_key(), "work/repo");
    rooted.read("work/repo/.github/workflows/ci.yml", text.as_bytes());
    let id = "gha:work/repo/.github/workflows/ci.yml/build";
    assert_eq!(consumers(&rooted.resolve(&finding(VALUE))), [(id, Tier::Bound)]);
}

#[test]
fn references_and_other_fields_hold_no_value() {
    for lines in [
        "    env:\n      KEY: ${{ secrets.KEY }}\n".to_owned(),
        format!("    name: {VALUE}\n"),
        format!("    strategy: {{matrix: {{key: [{VALUE}]}}}}\n"),
    ] {
        assert_eq!(owners(PATH, &workflow("", &lines)), [], "{lines}");
    }
}

#[test]
fn a_matrix_and_defaults_of_inputs_count_where_a_job_asks_for_them() {
    let matrix = format!("    strategy: {{matrix: {{key: [{VALUE}]}}}}\n    env: {{K: '${{{{ matrix.key }}}}'}}\n");
    assert_eq!(consumers(&owners(PATH, &workflow("", &matrix))), [(BUILD.0, Tier::Declared)]);
    let input = format!("on: {{workflow_call: {{inputs: {{key: {{default: {VALUE}}}, other: {{default: x}}}}}}}}\n");
    for (name, named) in [("key", true), ("other", false)] {
        let text = workflow(&input, &format!("    env: {{K: '${{{{ inputs.{name} }}}}'}}\n"));
        assert_eq!(consumers(&owners(PATH, &text)), &[(BUILD.0, Tier::Inferred)][..usize::from(named)], "{name}");
    }
}

#[test]
fn a_value_that_stands_behind_another_is_inferred() {
    let text = workflow("", "    env:\n      KEY: ${{ secrets.KEY || 'hunter2-key' }}\n");
    let found = finding_in(PATH, &text, "hunter2-key");
    assert_eq!(consumers(&tree(&[(PATH, &text)]).resolve(&found)), [(BUILD.0, Tier::Inferred)]);
}

#[test]
fn broken_and_hostile_files_are_told() {
    let known = tree(&[(PATH, "jobs:\n\tbuild: [\n")]);
    assert!(known.coverage().troubles[0].why.starts_with("not valid YAML at line 2"), "{:?}", known.coverage());
    // Every job gets every variable of the workflow: that is where a small file can grow.
    let (mut top, mut jobs) = (String::from("env:\n"), String::from("jobs:\n"));
    for n in 0..3000 {
        top += format!("  V{n}: v\n").as_str();
        jobs += format!("  j{n}: {{runs-on: x}}\n").as_str();
    }
    let known = tree(&[(PATH, &(top + &jobs))]);
    assert!(known.coverage().troubles[0].why.contains("aliases"), "{:?}", known.coverage());
    let odd = format!("jobs:\n  ? [a]\n  : {{env: {{K: {VALUE}}}}}\n  \"a\\nb\": {{env: {{K: {VALUE}}}}}\n");
    assert_eq!(owners(PATH, &odd), [], "no name to call them by");
}

#[test]
fn env_files_that_compose_is_told_to_read_are_the_job_s() {
    for (env, named) in [
        ("COMPOSE_ENV_FILES: ci/base.env", true),
        ("COMPOSE_ENV_FILES: 'ci/other.env,ci/base.env'", true),
        ("COMPOSE_ENV_FILES: base.env", false),
        ("COMPOSE_ENV_FILES: ${{ matrix.file }}", false),
        ("COMPOSE_FILE: ci/base.env", false),
    ] {
        for text in [
            format!("jobs:\n  test:\n    env: {{{env}}}\n    steps: [{{run: make}}]\n"),
            format!("env: {{{env}}}\njobs:\n  test:\n    steps: [{{run: make}}]\n"),
            format!("jobs:\n  test:\n    steps: [{{run: make, env: {{{env}}}}}]\n"),
        ] {
            let known = tree(&[(".github/workflows/ci.yml", &text), ("ci/base.env", &format!("KEY={VALUE}\n"))]);
            let expected = [("gha:.github/workflows/ci.yml/test", Tier::Inferred)];
            assert_eq!(consumers(&known.resolve(&finding(VALUE))), &expected[..usize::from(named)], "{text}");
        }
    }
}

#[test]
fn steps_of_the_repository_s_own_action_are_the_job_s_that_uses_it() {
    let action = format!(
        "name: x\ndescription: y\nruns:\n  using: composite\n  steps: [{{run: login, shell: bash, env: {{KEY: {VALUE}}}}}]\n"
    );
    for (uses, path, named) in [
        ("./.github/actions/login", ".github/actions/login/action.yml", true),
        ("./ci/", "ci/action.yaml", true),
        ("./", "action.yml", true),
        ("org/login@v1", "org/login@v1/action.yml", false),
        ("./ci", "other/action.yml", false),
    ] {
        let text = format!("jobs:\n  test:\n    steps: [{{uses: '{uses}'}}]\n");
        let all = tree(&[(".github/workflows/ci.yml", &text), (path, &action)]).resolve(&finding(VALUE));
        let expected = [("gha:.github/workflows/ci.yml/test", Tier::Inferred)];
        assert_eq!(consumers(&all), &expected[..usize::from(named)], "{uses} {path}");
    }
    let text = "jobs:\n  test:\n    steps: [{uses: ./ci}]\n";
    for (input, named) in [
        (format!("inputs: {{k: {{default: {VALUE}}}}}\nruns: {{steps: [{{run: 'x ${{{{ inputs.k }}}}'}}]}}\n"), true),
        (format!("branding: {{icon: {VALUE}}}\nruns: {{steps: []}}\n"), false),
    ] {
        let all = tree(&[(".github/workflows/ci.yml", text), ("ci/action.yml", &input)]).resolve(&finding(VALUE));
        let expected = [("gha:.github/workflows/ci.yml/test", Tier::Inferred)];
        assert_eq!(consumers(&all), &expected[..usize::from(named)], "{input}");
    }
}

#[test]
fn scripts_that_a_step_runs_are_the_job_s() {
    for (step, path, named) in [
        ("{run: ./scripts/deploy.sh}", "scripts/deploy.sh", true),
        ("{run: 'bash deploy.sh', working-directory: scripts}", "scripts/deploy.sh", true),
        ("{run: 'shellcheck scripts/deploy.sh'}", "scripts/deploy.sh", false),
        ("{run: ./deploy.sh}", "scripts/deploy.sh", false),
    ] {
        let text = format!("jobs:\n  test:\n    steps: [{step}]\n");
        let all = tree(&[(".github/workflows/ci.yml", &text)]).resolve(&finding_in(path, VALUE, VALUE));
        let expected = [("gha:.github/workflows/ci.yml/test", Tier::Inferred)];
        assert_eq!(consumers(&all), &expected[..usize::from(named)], "{step}");
    }
}
