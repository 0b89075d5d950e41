//! CircleCI: value → `environment` of a job, its executor or a step, or a script → job (circleci.com/docs/configuration-reference).
//!
//! What a job's workflow does not name does not run. Commands of the file are followed; orbs are not; contexts hold no values here.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::links::{Consumer, Kind, Link, Links};
use super::yaml::View;
use super::{Sheet, clean, is_showable};
use crate::model::{Coverage, Tier};

const PATH: &str = ".circleci/config.yml";
/// Commands that name one another.
const LEVELS: usize = 5;

/// What configurations say.
#[derive(Default)]
pub(super) struct CircleCi;

impl Kind for CircleCi {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        path.strip_suffix(PATH).is_some_and(|before| before.is_empty() || before.ends_with('/'))
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, coverage: &mut Coverage) {
        let inside = sheet.path.strip_prefix(sheet.root).unwrap_or(&sheet.path);
        let own = if inside == PATH { Tier::Bound } else { Tier::Inferred };
        sheet.documents(coverage, &mut |root| {
            let runs = running(root);
            for (name, job) in root.get("jobs").map(View::entries).unwrap_or_default() {
                let Some(name) = name.text().filter(|name| is_showable(name)) else { continue };
                // Without workflows it is the job `build` that runs.
                let tier = if runs.contains(name) { own } else { own.min(Tier::Inferred) };
                let id = format!("circleci:{}/{name}", sheet.path);
                let consumer = Arc::new(Consumer::new(id, format!("job {name} of {}", sheet.path)));
                read(sheet, (root, name, job), &Link::new(&consumer, tier, "circleci-environment", ""), links);
            }
        });
    }
}

/// The jobs that workflows name.
fn running(root: View<'_>) -> BTreeSet<&str> {
    let Some(workflows) = root.get("workflows") else { return BTreeSet::from(["build"]) };
    let listed = workflows.entries().into_iter().filter_map(|(_, workflow)| workflow.get("jobs"));
    let named = listed
        .flat_map(View::items)
        .filter_map(|job| job.text().or_else(|| job.entries().first().and_then(|(name, _)| name.text())));
    named.collect()
}

fn read(sheet: &Sheet<'_>, (root, name, job): (View<'_>, &str, View<'_>), link: &Link, links: &mut Links) {
    // A job's own variables come before its executor's.
    let executor = job.get("executor").and_then(|own| own.text().or_else(|| own.text_at(&["name"])));
    let executor = executor.and_then(|name| root.at(&["executors", name]));
    let own: BTreeSet<&str> = names(job.get("environment")).collect();
    variables(sheet, job.get("environment"), &BTreeSet::new(), link, links);
    variables(sheet, executor.and_then(|executor| executor.get("environment")), &own, link, links);
    for container in [Some(job), executor].into_iter().flatten().filter_map(|view| view.get("docker")).flat_map(View::items)
    {
        variables(sheet, container.get("environment"), &BTreeSet::new(), link, links);
        variables(sheet, container.get("auth"), &BTreeSet::new(), link, links);
    }
    for workflow in root.get("workflows").map(View::entries).unwrap_or_default() {
        for listed in workflow.1.get("jobs").into_iter().flat_map(View::items) {
            // What a workflow hands to the job's parameters; contexts and the like are names.
            let Some(given) = listed.get(name) else { continue };
            for (_, value) in given.entries().into_iter().filter(|(_, value)| value.text().is_some()) {
                let link = Link { technique: "circleci-parameter", detail: "parameter".to_owned(), ..link.clone() };
                links.put(sheet, value, link);
            }
        }
    }
    steps(sheet, (root, job.get("steps")), LEVELS, link, links);
}

/// Steps, those of commands that they name and those below conditions.
fn steps(sheet: &Sheet<'_>, (root, all): (View<'_>, Option<View<'_>>), left: usize, link: &Link, links: &mut Links) {
    let Some(left) = left.checked_sub(1) else { return };
    for step in all.into_iter().flat_map(View::items) {
        if let Some(name) = step.text() {
            steps(sheet, (root, root.at(&["commands", name, "steps"])), left, link, links);
            continue;
        }
        let Some(run) = step.get("run") else {
            for (name, given) in step.entries() {
                let command = name.text().and_then(|name| root.at(&["commands", name, "steps"]));
                steps(sheet, (root, command), left, link, links);
                steps(sheet, (root, given.get("steps")), left, link, links);
                given.leaves("parameter", &mut |way, leaf| {
                    let link = Link { technique: "circleci-parameter", detail: way.to_owned(), ..link.clone() };
                    links.put(sheet, leaf, link);
                });
            }
            continue;
        };
        variables(sheet, run.get("environment"), &BTreeSet::new(), link, links);
        let script = if run.text().is_some() { Some(run) } else { run.get("command") };
        if let Some((script, text)) = script.and_then(|script| Some((script, script.text()?))) {
            let link = Link { technique: "circleci-run", detail: "run".to_owned(), ..link.clone() };
            links.put_script(sheet, &sheet.place(script), text, &link);
            links.runs(sheet, &sheet.place(script), (text, run.text_at(&["working_directory"])), &link);
        }
    }
}

fn names(map: Option<View<'_>>) -> impl Iterator<Item = &str> {
    map.map(View::entries).unwrap_or_default().into_iter().filter_map(|(name, _)| name.text())
}

fn variables(sheet: &Sheet<'_>, map: Option<View<'_>>, hidden: &BTreeSet<&str>, link: &Link, links: &mut Links) {
    for (name, value) in map.map(View::entries).unwrap_or_default() {
        let name = name.text().unwrap_or("?");
        if !hidden.contains(name) {
            links.put(sheet, value, Link { detail: format!("environment {}", clean(name)), ..link.clone() });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::{Owner, Tier};
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, tree};

    const BUILD: &str = "circleci:.circleci/config.yml/build";

    fn owners(path: &str, text: &str) -> Vec<Owner> {
        tree(&[(path, text)]).resolve(&finding(VALUE))
    }

    #[test]
    fn a_job_s_variables_and_scripts_are_its_own() {
        let flow = "workflows: {main: {jobs: [lint, {build: {context: x}}]}}\n";
        for (job, tier) in [
            (format!("{{environment: {{K: {VALUE}}}}}"), Some(Tier::Bound)),
            (format!("{{docker: [{{image: x, environment: {{K: {VALUE}}}}}]}}"), Some(Tier::Bound)),
            (format!("{{steps: [checkout, {{run: 'x --token={VALUE}'}}]}}"), Some(Tier::Bound)),
            (format!("{{steps: [{{run: {{command: x, environment: {{K: {VALUE}}}}}}}]}}"), Some(Tier::Bound)),
            ("{executor: e}".to_owned(), Some(Tier::Bound)),
            ("{executor: {name: e}, environment: {K: other}}".to_owned(), None),
        ] {
            let text = format!(
                "version: 2.1\nexecutors: {{e: {{environment: {{K: {}}}}}}}\njobs: {{build: {job}, lint: {{}}}}\n{flow}",
                if job.contains("executor") { VALUE } else { "x" }
            );
            let expected: Vec<_> = tier.map(|tier| (BUILD, tier)).into_iter().collect();
            assert_eq!(consumers(&owners(".circleci/config.yml", &text)), expected, "{text}");
        }
    }

    #[test]
    fn what_no_workflow_names_and_what_lies_elsewhere_is_inferred() {
        let text = format!("jobs: {{build: {{environment: {{K: {VALUE}}}}}}}\n");
        assert_eq!(consumers(&owners(".circleci/config.yml", &text)), [(BUILD, Tier::Bound)]);
        let idle = format!("{text}workflows: {{main: {{jobs: [lint]}}}}\n");
        assert_eq!(consumers(&owners(".circleci/config.yml", &idle)), [(BUILD, Tier::Inferred)]);
        let id = "circleci:x/.circleci/config.yml/build";
        assert_eq!(consumers(&owners("x/.circleci/config.yml", &text)), [(id, Tier::Inferred)]);
        assert_eq!(owners("a.circleci/config.yml", &text), []);
    }
}
