//! Build files of AWS: CodeBuild's `buildspec.yml` (docs.aws.amazon.com/codebuild, "Build specification reference") and Amplify's
//! `amplify.yml` (docs.aws.amazon.com/amplify, "Build specification"): value → `env.variables` or a command → the build. What
//! `parameter-store` and `secrets-manager` list are references.

use std::sync::Arc;

use super::super::links::{Consumer, Kind, Link, Links};
use super::super::yaml::View;
use super::super::{Sheet, clean, ends_in, file_name};
use crate::model::{Coverage, Tier};

/// Phases within phases do not exist; fields of one phase that hold commands.
const COMMANDS: [&str; 2] = ["commands", "finally"];
/// Parts of an application that Amplify builds.
const PARTS: [&str; 3] = ["backend", "frontend", "test"];

/// What build files say.
#[derive(Default)]
pub(in super::super) struct Builds;

impl Kind for Builds {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        kind(path).is_some()
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        sheet.mentions("phases:") || sheet.mentions("variables:") || sheet.mentions("\"phases\"")
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, coverage: &mut Coverage) {
        let Some(kind) = kind(&sheet.path) else { return };
        let name = format!("{} {}", if kind == "amplify" { "Amplify build" } else { "build" }, sheet.path);
        let consumer = Arc::new(Consumer::new(format!("{kind}:{}", sheet.path), name));
        sheet.documents(coverage, &mut |root| {
            spec((sheet, links), root, &consumer);
            for application in root.get("applications").into_iter().flat_map(View::items) {
                spec((sheet, links), application, &consumer);
            }
        });
    }
}

/// What builds a file of that name tells of: `buildspec.yml`, `buildspec-test.yaml`, `deploy.buildspec.yml`, `amplify.yml`.
fn kind(path: &str) -> Option<&'static str> {
    let name = file_name(path);
    if !ends_in(name, &["yml", "yaml", "json"]) {
        return None;
    }
    if matches!(name, "amplify.yml" | "amplify.yaml") {
        return Some("amplify");
    }
    name.split(['.', '-', '_']).any(|part| part == "buildspec").then_some("codebuild")
}

fn spec((sheet, links): (&Sheet<'_>, &mut Links), root: View<'_>, consumer: &Arc<Consumer>) {
    for (name, value) in root.at(&["env", "variables"]).map(View::entries).unwrap_or_default() {
        let detail = format!("variable {}", clean(name.text().unwrap_or("?")));
        links.put(sheet, value, Link::new(consumer, Tier::Bound, "build-variable", detail));
    }
    for part in [root].into_iter().chain(PARTS.iter().filter_map(|part| root.get(part))) {
        for (phase, own) in part.get("phases").map(View::entries).unwrap_or_default() {
            let phase = clean(phase.text().unwrap_or("?"));
            for line in COMMANDS.iter().filter_map(|field| own.get(field)).flat_map(View::items) {
                let link = Link::new(consumer, Tier::Bound, "build-command", format!("command of {phase}"));
                let (place, text) = (sheet.place(line), line.text().unwrap_or_default());
                links.put_script(sheet, &place, text, &link);
                links.runs(sheet, &place, (text, None), &link);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::Bound;
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

    #[test]
    fn a_build_has_its_variables_and_its_commands() {
        let variables = format!("version: 0.2\nenv:\n  variables:\n    KEY: {VALUE}\n");
        let command = format!("version: 0.2\nphases:\n  build:\n    commands:\n      - login -p {VALUE}\n");
        let last = format!("phases: {{post_build: {{finally: [\"login -p {VALUE}\"]}}}}\n");
        let part = format!("version: 1\nfrontend:\n  phases: {{build: {{commands: [\"login -p {VALUE}\"]}}}}\n");
        let application = format!("applications:\n- appRoot: web\n  env: {{variables: {{KEY: {VALUE}}}}}\n");
        for (path, text, id) in [
            ("buildspec.yml", &variables, Some("codebuild:buildspec.yml")),
            ("ci/buildspec-test.yaml", &command, Some("codebuild:ci/buildspec-test.yaml")),
            ("deploy.buildspec.yml", &last, Some("codebuild:deploy.buildspec.yml")),
            ("web/amplify.yml", &variables, Some("amplify:web/amplify.yml")),
            ("amplify.yml", &part, Some("amplify:amplify.yml")),
            ("amplify.yml", &application, Some("amplify:amplify.yml")),
            ("buildspecs.yml", &variables, None),
            ("build.yml", &variables, None),
        ] {
            let known = tree(&[(path, text)]);
            let expected: Vec<_> = id.into_iter().map(|id| (id, Bound)).collect();
            assert_eq!(consumers(&known.resolve(&finding_in(path, text, VALUE))), expected, "{path}");
        }
    }

    #[test]
    fn references_and_comments_hold_no_value() {
        let script = format!("phases:\n  build:\n    commands:\n    - |\n      # login -p {VALUE}\n      make\n");
        let known = tree(&[("buildspec.yml", &script)]);
        assert_eq!(known.resolve(&finding_in("buildspec.yml", &script, VALUE)), []);
        for text in [
            format!("env: {{parameter-store: {{KEY: {VALUE}}}, variables: {{A: b}}}}\n"),
            format!("env: {{secrets-manager: {{KEY: {VALUE}}}, variables: {{A: b}}}}\n"),
            format!("# env: {{variables: {{KEY: {VALUE}}}}}\nphases: {{}}\n"),
            format!("phases: {{build: {{commands: [make # {VALUE}\n]}}}}\n"),
            format!("phases: {{}}\nartifacts: {{name: {VALUE}}}\n"),
        ] {
            let known = tree(&[("buildspec.yml", &text)]);
            assert_eq!(known.resolve(&finding(VALUE)), [], "{text}");
        }
        let broken = tree(&[("buildspec.yml", "phases: [\n")]);
        assert!(broken.coverage().troubles[0].why.starts_with("not valid YAML"), "{:?}", broken.coverage());
    }
}
