//! GitHub Actions workflows: value → `env` of the workflow, a job or a step, `with`, a script, a container → job.
//!
//! GitHub runs what lies in `.github/workflows` of a repository's root, Forgejo and Gitea what lies in their own as well, and nothing
//! else: such a file deeper in the tree
//! (a template, a vendored copy) only hints at a job. A job that calls a reusable workflow gets none of the caller's
//! `env`. `secrets.NAME` is a reference and holds no value.

use std::sync::Arc;

use super::links::{Consumer, Kind, Link, Links};
use super::yaml::View;
use super::{Sheet, clean, dotenv, ends_in, file_name, is_showable, join};
use crate::model::{Coverage, Tier};

const FOLDERS: [&str; 3] = [".github/workflows/", ".forgejo/workflows/", ".gitea/workflows/"];
/// Where scripts run, for a job or for all of them.
const WORKING: &[&str] = &["defaults", "run", "working-directory"];

/// Whether a file defines an action.
fn is_action(path: &str) -> bool {
    matches!(file_name(path), "action.yml" | "action.yaml")
}

/// What workflow files say.
#[derive(Default)]
pub(super) struct Actions;

impl Kind for Actions {
    // GitHub refuses workflow files over 512 KiB.
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        let Some((before, name)) = FOLDERS.iter().find_map(|folder| path.rsplit_once(folder)) else { return false };
        ends_in(name, &["yml", "yaml"]) && !name.contains('/') && (before.is_empty() || before.ends_with('/'))
    }

    fn is_env_file(path: &str) -> bool {
        dotenv::is_named_so(file_name(path)) || is_action(path)
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, coverage: &mut Coverage) {
        let inside = sheet.path.strip_prefix(sheet.root).unwrap_or(&sheet.path);
        let nested = FOLDERS.iter().any(|folder| !inside.starts_with(folder) && inside.contains(folder));
        sheet.documents(coverage, &mut |root| {
            for (id, job) in root.get("jobs").map(View::entries).unwrap_or_default() {
                if let Some(id) = id.text().filter(|id| is_showable(id)) {
                    Job::new(sheet, (id, job), nested).read(root, job, links);
                }
            }
        });
    }
}

/// One job while it is read.
struct Job<'a> {
    sheet: &'a Sheet<'a>,
    consumer: Arc<Consumer>,
    tier: Tier,
}

impl<'a> Job<'a> {
    fn new(sheet: &'a Sheet<'a>, (id, job): (&str, View<'_>), nested: bool) -> Self {
        let mut consumer = Consumer::new(format!("gha:{}/{id}", sheet.path), format!("job {id} of {}", sheet.path));
        if let Some(at) = job.get("environment")
            && let Some(name) = at.text().or_else(|| at.text_at(&["name"]))
        {
            consumer.note("gha-environment", &sheet.place(at), name);
        }
        let tier = if nested || never_runs(job) { Tier::Inferred } else { Tier::Bound };
        Self { sheet, consumer: Arc::new(consumer), tier }
    }

    fn read(&self, root: View<'_>, job: View<'_>, links: &mut Links) {
        let own = job.get("env");
        let calls = job.get("uses").is_some();
        for (name, value) in root.get("env").filter(|_| !calls).map(View::entries).unwrap_or_default() {
            let Some(name) = name.text().filter(|name| own.is_none_or(|own| own.get(name).is_none())) else { continue };
            let tier = if is_fallback(value) { self.tier.min(Tier::Inferred) } else { self.tier };
            links.put(self.sheet, value, self.link(tier, "gha-workflow-env", &format!("env {}", clean(name))));
        }
        let hidden = |name: &str| {
            let mut steps = job.get("steps").into_iter().flat_map(View::items).peekable();
            steps.peek().is_some() && steps.all(|step| step.get("env").is_some_and(|env| env.get(name).is_some()))
        };
        for (name, value) in own.map(View::entries).unwrap_or_default() {
            let name = name.text().unwrap_or("?");
            // What every step sets for itself reaches none of them.
            let tier = if is_fallback(value) || hidden(name) { self.tier.min(Tier::Inferred) } else { self.tier };
            links.put(self.sheet, value, self.link(tier, "gha-job-env", &format!("env {}", clean(name))));
        }
        for env in root.get("env").filter(|_| !calls).into_iter().chain(own) {
            self.env_files(env, links);
        }
        self.map(job.get("with"), self.tier, ("gha-with", "with"), links);
        self.map(job.get("secrets"), self.tier, ("gha-secrets", "secrets"), links);
        let services = job.get("services").map(View::entries).unwrap_or_default();
        for container in job.get("container").into_iter().chain(services.into_iter().map(|(_, service)| service)) {
            self.map(container.get("env"), self.tier, ("gha-container-env", "container env"), links);
            self.map(container.get("credentials"), self.tier, ("gha-container-credentials", "credentials"), links);
            if let Some(options) = container.get("options") {
                links.put(self.sheet, options, self.link(self.tier, "gha-container-options", "options"));
            }
        }
        // What a run takes of a matrix, and of inputs where nobody says otherwise.
        if let Some(matrix) = job.at(&["strategy", "matrix"]) {
            matrix.leaves("matrix", &mut |way, leaf| {
                let name = way.rsplit('.').next().and_then(|last| last.split('[').next()).unwrap_or(way);
                if self.asks(job, &format!("matrix.{name}")) {
                    links.put(self.sheet, leaf, self.link(self.tier.min(Tier::Declared), "gha-matrix", way));
                }
            });
        }
        self.inputs(root, job, links);
        for step in job.get("steps").into_iter().flat_map(View::items) {
            let tier = if never_runs(step) { Tier::Inferred } else { self.tier };
            self.map(step.get("env"), tier, ("gha-step-env", "env"), links);
            step.get("env").into_iter().for_each(|env| self.env_files(env, links));
            self.map(step.get("with"), tier, ("gha-with", "with"), links);
            if let Some(script) = step.get("run")
                && let Some(text) = script.text()
            {
                let (place, link) = (self.sheet.place(script), self.link(tier, "gha-run", "run"));
                links.put_script(self.sheet, &place, text, &link);
                let ways: [(View<'_>, &[&str]); 3] = [(step, &["working-directory"]), (job, WORKING), (root, WORKING)];
                links.runs(self.sheet, &place, (text, ways.iter().find_map(|(view, way)| view.text_at(way))), &link);
            }
            self.action(step, tier, links);
        }
    }

    /// Whether the job's expressions name that.
    fn asks(&self, job: View<'_>, what: &str) -> bool {
        let bytes = job.bytes();
        let text = self.sheet.bytes.get(bytes.start as usize..bytes.end as usize).unwrap_or_default();
        memchr::memmem::find(text, what.as_bytes()).is_some()
    }

    /// Defaults of a workflow's inputs that the job asks for.
    fn inputs(&self, root: View<'_>, job: View<'_>, links: &mut Links) {
        for on in ["workflow_dispatch", "workflow_call"] {
            for (name, input) in root.at(&["on", on, "inputs"]).map(View::entries).unwrap_or_default() {
                let (Some(name), Some(default)) = (name.text(), input.get("default")) else { continue };
                if self.asks(job, &format!("inputs.{name}")) {
                    let link = self.link(Tier::Inferred, "gha-input", &format!("default of {}", clean(name)));
                    links.put(self.sheet, default, link);
                }
            }
        }
    }

    /// An action of the repository's own, whose steps are the job's (docs.github.com, "Creating a composite action").
    fn action(&self, step: View<'_>, tier: Tier, links: &mut Links) {
        let Some((at, uses)) = step.get("uses").and_then(|at| Some((at, at.text()?.strip_prefix("./")?))) else { return };
        for name in ["action.yml", "action.yaml"] {
            let own = join(self.sheet.root.trim_end_matches('/'), uses);
            let Some(path) = own.and_then(|own| join(&own, name)) else { continue };
            let link = self.link(tier.min(Tier::Inferred), "gha-composite-action", &format!("uses ./{}", clean(uses)));
            links.pull_key((path.clone(), "inputs".to_owned()), self.sheet.place(at), link.clone());
            links.pull_key((path, "runs".to_owned()), self.sheet.place(at), link);
        }
    }

    /// Env files that docker compose is told to read (docs.docker.com, "COMPOSE_ENV_FILES"), from the repository's root. Which service gets
    /// which of their variables is not followed.
    fn env_files(&self, env: View<'_>, links: &mut Links) {
        let Some(at) = env.get("COMPOSE_ENV_FILES") else { return };
        for file in at.text().unwrap_or_default().split(',').map(str::trim).filter(|file| !file.is_empty()) {
            let Some(path) = join(self.sheet.root.trim_end_matches('/'), file) else { continue };
            let link =
                self.link(self.tier.min(Tier::Inferred), "gha-compose-env-file", &format!("env file {}", clean(file)));
            links.pull(path, self.sheet.place(at), link);
        }
    }

    fn map(&self, map: Option<View<'_>>, tier: Tier, (technique, detail): (&'static str, &str), links: &mut Links) {
        for (name, value) in map.map(View::entries).unwrap_or_default() {
            let tier = if is_fallback(value) { tier.min(Tier::Inferred) } else { tier };
            let detail = format!("{detail} {}", clean(name.text().unwrap_or("?")));
            links.put(self.sheet, value, self.link(tier, technique, &detail));
        }
    }

    fn link(&self, tier: Tier, technique: &'static str, detail: &str) -> Link {
        Link::new(&self.consumer, tier, technique, detail)
    }
}

/// Whether an expression may give another value than the one that stands in it: `${{ secrets.KEY || 'default' }}`.
fn is_fallback(value: View<'_>) -> bool {
    value.text().is_some_and(|text| text.contains("${{") && (text.contains("||") || text.contains("&&")))
}

/// Whether a job or a step is switched off for good.
fn never_runs(view: View<'_>) -> bool {
    let condition = view.text_at(&["if"]).unwrap_or_default();
    let condition = condition.trim().strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}")).unwrap_or(condition);
    condition.trim() == "false"
}

#[cfg(test)]
mod tests;
