//! Files that a hosted builder or platform reads by their names: value → variables or a script in the file → what it builds or runs.
//!
//! Heroku's `app.json` (devcenter.heroku.com, "app.json Schema"), Travis CI (docs.travis-ci.com), Buildkite (buildkite.com/docs), Drone and
//! Woodpecker (docs.drone.io, woodpecker-ci.org/docs). Those that keep values alone are in `deployments`.
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
        if own.is_empty() || own == ".buildkite" || own == ".woodpecker" { Tier::Bound } else { Tier::Inferred }
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
    let Some(all) = root.get("steps").or_else(|| root.get("pipeline")) else { return };
    let listed = all.items().filter_map(|step| Some((step.text_at(&["name"])?, step)));
    let mapped = all.entries().into_iter().filter_map(|(name, step)| Some((name.text()?, step)));
    for (name, step) in listed.chain(mapped).collect::<Vec<_>>() {
        let Some(consumer) = desk.consumer(kind, Some(name)) else { continue };
        let link = Link::new(&consumer, desk.at_root(), "drone-step", "");
        desk.variables(step.get("environment"), &link);
        // Settings of a plugin.
        desk.variables(step.get("settings"), &link);
        desk.commands(step.get("commands"), &link);
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
            (".drone.yml", format!("steps: [{{name: push, environment: {{K: {{from_secret: {VALUE}}}}}}}]\n"), None),
            (
                ".woodpecker/ci.yml",
                format!("steps: {{build: {{environment: {{K: {VALUE}}}}}}}\n"),
                Some(("woodpecker:.woodpecker/ci.yml/build", Bound)),
            ),
        ]);
    }
}
