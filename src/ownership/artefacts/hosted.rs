//! Files that a hosted builder or platform reads by their names: value → variables or a script in the file → what it builds or runs.
//!
//! Heroku's `app.json` (devcenter.heroku.com, "app.json Schema"), Travis CI (docs.travis-ci.com), Buildkite (buildkite.com/docs), Drone and
//! Woodpecker (docs.drone.io, woodpecker-ci.org/docs), Semaphore (docs.semaphore.io, "Pipeline YAML"), AppVeyor (appveyor.com/docs,
//! "appveyor.yml reference"), Cirrus CI (cirrus-ci.org, "Writing Tasks"), Codefresh (codefresh.io/docs, "Pipeline YAML"), Bitrise
//! (docs.bitrise.io, "Reference: configuration YAML"), Codemagic (docs.codemagic.io, "Using codemagic.yaml"). Those that keep values
//! alone are in `deployments`.
//! A pipeline elsewhere than where its service looks by itself is inferred: which file is read is set at the service.

use std::sync::Arc;

use super::links::{Consumer, Kind, Link, Links};
use super::yaml::View;
use super::{Sheet, clean, ends_in, file_name, folder, is_showable};
use crate::model::{Coverage, Tier};

/// What such files say.
#[derive(Default)]
pub(super) struct Hosted;

impl Kind for Hosted {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        read_by(path).is_some()
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, coverage: &mut Coverage) {
        let Some(read) = read_by(&sheet.path) else { return };
        sheet.documents(coverage, &mut |root| read(&mut Desk { sheet, links }, root));
    }
}

type Read = fn(&mut Desk<'_>, View<'_>);

fn read_by(path: &str) -> Option<Read> {
    let name = file_name(path);
    let yaml = ends_in(name, &["yml", "yaml"]);
    let within = |word: &str| file_name(folder(path)) == word;
    Some(match name {
        "app.json" => heroku,
        ".travis.yml" => travis,
        ".drone.yml" | ".woodpecker.yml" | ".woodpecker.yaml" => steps,
        "appveyor.yml" | ".appveyor.yml" => appveyor,
        ".cirrus.yml" => cirrus,
        "codefresh.yml" => codefresh,
        "bitrise.yml" => bitrise,
        "codemagic.yaml" => codemagic,
        _ if yaml && within(".semaphore") => semaphore,
        _ if yaml && within(".buildkite") => buildkite,
        _ if yaml && within(".woodpecker") => steps,
        _ => return None,
    })
}

struct Desk<'a> {
    sheet: &'a Sheet<'a>,
    links: &'a mut Links,
}

impl Desk<'_> {
    /// What the file, or that part of it, builds or runs. None where the name cannot be shown.
    fn consumer(&self, kind: &str, name: Option<&str>) -> Option<Arc<Consumer>> {
        let path = &self.sheet.path;
        let id = name.map_or_else(|| format!("{kind}:{path}"), |name| format!("{kind}:{path}/{name}"));
        let shown = name.map_or_else(|| format!("{kind} of {path}"), |name| format!("{name} of {path}"));
        is_showable(&id).then(|| Arc::new(Consumer::new(id, shown)))
    }

    /// Bound where the service looks by itself: at the root of the repository.
    fn at_root(&self) -> Tier {
        let inside = self.sheet.path.strip_prefix(self.sheet.root).unwrap_or(&self.sheet.path);
        let own = folder(inside);
        let usual = own.is_empty() || [".buildkite", ".woodpecker", ".semaphore"].contains(&own);
        if usual { Tier::Bound } else { Tier::Inferred }
    }

    /// Every variable of a mapping, or of a list of `NAME=value` or `{name or key, value}`.
    fn variables(&mut self, all: Option<View<'_>>, link: &Link) {
        let Some(all) = all else { return };
        let named = |name: &str| Link { detail: format!("variable {}", clean(name)), ..link.clone() };
        for (name, value) in all.entries() {
            // Encrypted ones, and references to secrets that are kept at the service.
            let name = name.text().unwrap_or("?");
            let value = value.get("value").unwrap_or(value);
            if name != "secure" && value.text().is_some_and(|text| !text.starts_with('@')) {
                self.links.put(self.sheet, value, named(name));
            }
        }
        for item in all.items() {
            let name = item.text_at(&["key"]).or_else(|| item.text_at(&["name"]));
            if let (Some(name), Some(value)) = (name, item.get("value")) {
                self.links.put(self.sheet, value, named(name));
            } else if let Some((name, _)) = item.text().and_then(|text| text.split_once('=')) {
                self.links.put(self.sheet, item, named(name));
            } else if item.is_mapping() {
                self.variables(Some(item), link);
            }
        }
    }

    /// Commands: one, or a list of them.
    fn commands(&mut self, all: Option<View<'_>>, link: &Link) {
        let Some(all) = all else { return };
        for (at, text) in [all].into_iter().chain(all.items()).filter_map(|at| Some((at, at.text()?))) {
            let link = Link { detail: "script".to_owned(), ..link.clone() };
            self.links.put_script(self.sheet, &self.sheet.place(at), text, &link);
        }
    }
}

/// Expo has an `app.json` as well, with everything below `expo`.
fn heroku(desk: &mut Desk<'_>, root: View<'_>) {
    let known = ["buildpacks", "formation", "stack", "addons", "environments", "success_url"];
    if root.get("env").is_none() || !known.iter().any(|key| root.get(key).is_some()) {
        return;
    }
    let Some(consumer) = desk.consumer("heroku", root.text_at(&["name"])) else { return };
    desk.variables(root.get("env"), &Link::new(&consumer, Tier::Bound, "heroku-app-json", ""));
}

fn travis(desk: &mut Desk<'_>, root: View<'_>) {
    let Some(consumer) = desk.consumer("travis", None) else { return };
    let link = Link::new(&consumer, desk.at_root(), "travis-env", "");
    let env = root.get("env");
    desk.variables(env.filter(|env| !env.is_mapping()), &link);
    for field in ["global", "jobs", "matrix"] {
        desk.variables(env.and_then(|env| env.get(field)), &link);
    }
    for field in ["before_install", "install", "before_script", "script", "after_success", "deploy"] {
        desk.commands(root.get(field), &link);
    }
}

fn buildkite(desk: &mut Desk<'_>, root: View<'_>) {
    let Some(consumer) = desk.consumer("buildkite", None) else { return };
    let link = Link::new(&consumer, desk.at_root(), "buildkite-pipeline", "");
    desk.variables(root.get("env"), &link);
    for step in root.get("steps").into_iter().flat_map(View::items) {
        desk.variables(step.get("env"), &link);
        for field in ["command", "commands"] {
            desk.commands(step.get(field), &link);
        }
    }
}

/// Drone's and Woodpecker's, which agree on it: a list of steps with names, or a mapping from them.
fn steps(desk: &mut Desk<'_>, root: View<'_>) {
    let kind = if desk.sheet.path.contains("woodpecker") { "woodpecker" } else { "drone" };
    // Before 1.0, and Woodpecker before 1.0: settings of a plugin stand beside its image.
    let older = root.get("pipeline");
    let Some(all) = root.get("steps").or(older) else { return };
    let listed = all.items().filter_map(|step| Some((step.text_at(&["name"])?, step)));
    let mapped = all.entries().into_iter().filter_map(|(name, step)| Some((name.text()?, step)));
    for (name, step) in listed.chain(mapped).collect::<Vec<_>>() {
        let Some(consumer) = desk.consumer(kind, Some(name)) else { continue };
        let link = Link::new(&consumer, desk.at_root(), "drone-step", "");
        desk.variables(step.get("environment"), &link);
        // Settings of a plugin.
        desk.variables(step.get("settings"), &link);
        if older.is_some() {
            desk.variables(Some(step), &link);
            desk.variables(step.get("build_args"), &link);
        }
        desk.commands(step.get("commands"), &link);
    }
}

/// A block's variables and commands, and those that are said for all blocks.
fn semaphore(desk: &mut Desk<'_>, root: View<'_>) {
    let all = root.get("global_job_config");
    for block in root.get("blocks").into_iter().flat_map(View::items) {
        let Some(task) = block.get("task") else { continue };
        let Some(consumer) = desk.consumer("semaphore", block.text_at(&["name"])) else { continue };
        let link = Link::new(&consumer, desk.at_root(), "semaphore-block", "");
        let jobs = task.get("jobs").into_iter().flat_map(View::items);
        for part in all.into_iter().chain([task]).chain(jobs) {
            desk.variables(part.get("env_vars"), &link);
            desk.commands(part.get("commands"), &link);
            for within in ["prologue", "epilogue"].into_iter().filter_map(|within| part.get(within)) {
                for when in [&[][..], &["always"], &["on_pass"], &["on_fail"]] {
                    desk.commands(within.at(when).and_then(|when| when.get("commands")), &link);
                }
            }
        }
    }
}

fn appveyor(desk: &mut Desk<'_>, root: View<'_>) {
    let Some(consumer) = desk.consumer("appveyor", None) else { return };
    let link = Link::new(&consumer, desk.at_root(), "appveyor-environment", "");
    let environment = root.get("environment");
    desk.variables(environment, &link);
    for field in ["global", "matrix"] {
        desk.variables(environment.and_then(|environment| environment.get(field)), &link);
    }
    for provider in root.get("deploy").into_iter().flat_map(View::items) {
        desk.variables(Some(provider), &link);
    }
    for field in
        ["init", "install", "before_build", "build_script", "before_test", "test_script", "deploy_script", "on_success"]
    {
        let all = root.get(field);
        desk.commands(all, &link);
        for shell in ["ps", "cmd", "sh", "pwsh"] {
            for step in all.into_iter().flat_map(View::items) {
                desk.commands(step.get(shell), &link);
            }
        }
    }
}

/// Its tasks are keys, `NAME_task`, and so are a task's scripts, `NAME_script`.
fn cirrus(desk: &mut Desk<'_>, root: View<'_>) {
    for (key, task) in root.entries() {
        let Some(name) = key.text().filter(|name| *name == "task" || name.ends_with("_task")) else { continue };
        let own = task.text_at(&["name"]).unwrap_or(name.strip_suffix("_task").unwrap_or(name));
        let Some(consumer) = desk.consumer("cirrus", Some(own)) else { continue };
        let link = Link::new(&consumer, desk.at_root(), "cirrus-task", "");
        for scope in [root, task] {
            desk.variables(scope.get("env").or_else(|| scope.get("environment")), &link);
        }
        for (field, script) in task.entries() {
            if field.text().is_some_and(|field| field.ends_with("script")) {
                desk.commands(Some(script), &link);
            }
        }
    }
}

fn codefresh(desk: &mut Desk<'_>, root: View<'_>) {
    for (name, step) in root.get("steps").map(View::entries).unwrap_or_default() {
        let Some(consumer) = name.text().and_then(|name| desk.consumer("codefresh", Some(name))) else { continue };
        let link = Link::new(&consumer, desk.at_root(), "codefresh-step", "");
        for field in ["environment", "build_arguments", "arguments"] {
            desk.variables(step.get(field), &link);
        }
        desk.commands(step.get("commands"), &link);
    }
}

/// Each variable is a mapping of its own, with `opts` beside it.
fn bitrise(desk: &mut Desk<'_>, root: View<'_>) {
    for (name, workflow) in root.get("workflows").map(View::entries).unwrap_or_default() {
        let Some(consumer) = name.text().and_then(|name| desk.consumer("bitrise", Some(name))) else { continue };
        let link = Link::new(&consumer, desk.at_root(), "bitrise-workflow", "");
        desk.variables(root.at(&["app", "envs"]), &link);
        desk.variables(workflow.get("envs"), &link);
        for step in workflow.get("steps").into_iter().flat_map(View::items).flat_map(View::entries) {
            desk.variables(step.1.get("inputs"), &link);
            for (_, input) in step.1.get("inputs").into_iter().flat_map(View::items).flat_map(View::entries) {
                desk.commands(Some(input), &link);
            }
        }
    }
}

fn codemagic(desk: &mut Desk<'_>, root: View<'_>) {
    for (name, workflow) in root.get("workflows").map(View::entries).unwrap_or_default() {
        let Some(consumer) = name.text().and_then(|name| desk.consumer("codemagic", Some(name))) else { continue };
        let link = Link::new(&consumer, desk.at_root(), "codemagic-workflow", "");
        desk.variables(workflow.at(&["environment", "vars"]), &link);
        for (_, channel) in workflow.get("publishing").map(View::entries).unwrap_or_default() {
            desk.variables(Some(channel), &link);
        }
        desk.commands(workflow.get("scripts"), &link);
        for script in workflow.get("scripts").into_iter().flat_map(View::items) {
            desk.commands(script.get("script"), &link);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::{self, Bound, Inferred};
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, tree};

    /// A file, and what it names.
    type Case<'a> = (&'a str, String, Option<(&'a str, Tier)>);

    fn hold(cases: &[Case<'_>]) {
        for (path, text, expected) in cases {
            let known = tree(&[(*path, text)]);
            let owners = known.resolve(&finding(VALUE));
            assert_eq!(consumers(&owners), expected.iter().copied().collect::<Vec<_>>(), "{text}");
            assert!(known.coverage().troubles.is_empty(), "{:?}", known.coverage());
        }
    }

    #[test]
    fn each_platform_s_own_file() {
        hold(&[
            (
                "app.json",
                format!("{{\"name\": \"shop\", \"stack\": \"heroku-24\", \"env\": {{\"K\": {{\"value\": \"{VALUE}\"}}}}}}"),
                Some(("heroku:app.json/shop", Bound)),
            ),
            ("app.json", format!("{{\"expo\": {{\"name\": \"x\"}}, \"env\": {{\"K\": \"{VALUE}\"}}}}"), None),
        ]);
    }

    #[test]
    fn each_builder_s_own_file() {
        hold(&[
            (".travis.yml", format!("env: {{global: [K={VALUE}, {{secure: x}}]}}\n"), Some(("travis:.travis.yml", Bound))),
            (".travis.yml", format!("env: {{global: [{{secure: {VALUE}}}]}}\n"), None),
            ("x/.travis.yml", format!("env: [K={VALUE}]\n"), Some(("travis:x/.travis.yml", Inferred))),
            (
                ".buildkite/pipeline.yml",
                format!("steps: [{{command: 'x --token={VALUE}'}}]\n"),
                Some(("buildkite:.buildkite/pipeline.yml", Bound)),
            ),
            (
                ".drone.yml",
                format!("kind: pipeline\nsteps: [{{name: push, settings: {{password: {VALUE}}}}}, {{name: lint}}]\n"),
                Some(("drone:.drone.yml/push", Bound)),
            ),
            (
                ".drone.yml",
                format!("pipeline:\n  push:\n    image: plugins/docker\n    build_args: [K={VALUE}]\n"),
                Some(("drone:.drone.yml/push", Bound)),
            ),
            (
                ".drone.yml",
                format!("pipeline:\n  deploy:\n    image: x/helm\n    token: {VALUE}\n  lint: {{image: y}}\n"),
                Some(("drone:.drone.yml/deploy", Bound)),
            ),
            (".drone.yml", format!("steps: [{{name: push, environment: {{K: {{from_secret: {VALUE}}}}}}}]\n"), None),
            (
                ".woodpecker/ci.yml",
                format!("steps: {{build: {{environment: {{K: {VALUE}}}}}}}\n"),
                Some(("woodpecker:.woodpecker/ci.yml/build", Bound)),
            ),
        ]);
    }
    #[test]
    fn each_part_of_a_builder_s_file() {
        let block = |task: &str| format!("blocks: [{{name: e2e, task: {{{task}}}}}, {{name: lint, task: {{}}}}]\n");
        hold(&[
            (
                ".semaphore/semaphore.yml",
                block(&format!("env_vars: [{{name: K, value: {VALUE}}}]")),
                Some(("semaphore:.semaphore/semaphore.yml/e2e", Bound)),
            ),
            (
                ".semaphore/semaphore.yml",
                block(&format!("prologue: {{commands: ['login --token={VALUE}']}}")),
                Some(("semaphore:.semaphore/semaphore.yml/e2e", Bound)),
            ),
            (
                ".semaphore/semaphore.yml",
                block(&format!("jobs: [{{name: a, commands: ['login --token={VALUE}']}}]")),
                Some(("semaphore:.semaphore/semaphore.yml/e2e", Bound)),
            ),
            ("appveyor.yml", format!("environment: {{K: {VALUE}}}\n"), Some(("appveyor:appveyor.yml", Bound))),
            ("appveyor.yml", format!("environment: {{matrix: [{{K: {VALUE}}}]}}\n"), Some(("appveyor:appveyor.yml", Bound))),
            ("appveyor.yml", format!("environment: {{K: {{secure: {VALUE}}}}}\n"), None),
            (
                "appveyor.yml",
                format!("test_script: [{{ps: 'x --token={VALUE}'}}]\n"),
                Some(("appveyor:appveyor.yml", Bound)),
            ),
            (
                ".cirrus.yml",
                format!("unit_task: {{env: {{K: {VALUE}}}}}\nlint_task: {{}}\n"),
                Some(("cirrus:.cirrus.yml/unit", Bound)),
            ),
            (
                "codefresh.yml",
                format!("steps: {{push: {{environment: [K={VALUE}]}}, lint: {{}}}}\n"),
                Some(("codefresh:codefresh.yml/push", Bound)),
            ),
            (
                "bitrise.yml",
                format!("workflows: {{deploy: {{envs: [{{K: {VALUE}, opts: {{is_expand: false}}}}]}}, test: {{}}}}\n"),
                Some(("bitrise:bitrise.yml/deploy", Bound)),
            ),
            (
                "bitrise.yml",
                format!("workflows: {{deploy: {{steps: [{{script@1: {{inputs: [{{content: 'x {VALUE}'}}]}}}}]}}}}\n"),
                Some(("bitrise:bitrise.yml/deploy", Bound)),
            ),
            (
                "codemagic.yaml",
                format!("workflows: {{ios: {{environment: {{vars: {{K: {VALUE}}}}}}}, android: {{}}}}\n"),
                Some(("codemagic:codemagic.yaml/ios", Bound)),
            ),
        ]);
    }
}
