//! One job with the templates that it extends.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::super::links::{Consumer, Link, Links};
use super::super::yaml::View;
use super::super::{Sheet, clean};
use super::around::{ALL, Around};
use super::value_of;
use crate::model::Tier;

/// GitLab allows eleven levels of `extends`.
const LEVELS: usize = 11;
/// Templates of one job, all levels together.
const TEMPLATES: usize = 50;
/// GitLab flattens scripts ten levels deep.
pub(super) const SCRIPT_LEVELS: usize = 10;

/// Whether a top-level entry is a job rather than a piece for anchors.
pub(super) fn is_job(view: View<'_>) -> bool {
    ["script", "run", "trigger", "extends"].iter().any(|field| view.get(field).is_some())
}

/// Takes in one job.
pub(super) fn read(
    (sheet, root): (&Sheet<'_>, View<'_>),
    (name, job): (&str, View<'_>),
    own: Tier,
    (links, around): (&mut Links, &mut Around),
) {
    let mut chain = Chain { views: Vec::new(), complete: true, missing: Vec::new() };
    chain.climb(root, job, LEVELS);
    let mut consumer = Consumer::new(format!("gitlab-ci:{}/{name}", sheet.path), format!("job {name} of {}", sheet.path));
    if let Some(at) = chain.get("environment")
        && let Some(environment) = at.text().or_else(|| at.text_at(&["name"]))
    {
        consumer.note("gitlab-ci-environment", &sheet.place(at), environment);
    }
    let own = if never_runs(&chain) { own.min(Tier::Inferred) } else { own };
    let consumer = Arc::new(consumer);
    let mut desk = Desk { sheet, root, consumer: &consumer, own, links };
    desk.variables(&chain);
    desk.sometimes(&chain);
    desk.scripts(&chain);
    let variables = chain.views.iter().filter_map(|view| view.get("variables")).flat_map(View::entries);
    let set: BTreeSet<String> = variables.filter_map(|(name, _)| name.text().map(str::to_owned)).collect();
    let (set, at) = (Arc::new(set), sheet.place(job));
    for name in chain.missing.iter().copied().chain(chain.referred(root)) {
        around.ask(name, &at, (&consumer, own), &set);
    }
    if chain.views.iter().all(|view| view.get("inherit").is_none()) {
        around.ask(ALL, &at, (&consumer, own), &set);
    }
}

/// One job while it is read.
struct Desk<'a, 't> {
    sheet: &'a Sheet<'a>,
    root: View<'t>,
    consumer: &'a Arc<Consumer>,
    own: Tier,
    links: &'a mut Links,
}

impl<'t> Desk<'_, 't> {
    fn put(&mut self, name: &str, value: View<'t>, (technique, tier): (&'static str, Tier)) {
        let value = referred(self.root, value_of(value));
        let link = Link::new(self.consumer, tier, technique, format!("variable {}", clean(name)));
        self.links.put(self.sheet, value, link);
    }

    /// The job's own, those of what it extends, and those of the pipeline.
    fn variables(&mut self, chain: &Chain<'t>) {
        let mut taken = HashSet::new();
        for variables in chain.views.iter().filter_map(|view| view.get("variables")) {
            for (name, value) in referred(self.root, variables).entries() {
                if let Some(name) = name.text().filter(|name| taken.insert(*name)) {
                    self.put(name, value, ("gitlab-ci-job-variable", self.own));
                }
            }
        }
        let complete = chain.complete && self.root.get("include").is_none();
        let global = if complete { self.own } else { self.own.min(Tier::Declared) };
        for (name, value) in self.root.get("variables").map(View::entries).unwrap_or_default() {
            let Some(name) = name.text().filter(|name| !taken.contains(name) && chain.inherits("variables", name)) else {
                continue;
            };
            self.put(name, value, ("gitlab-ci-global-variable", global));
        }
    }

    /// Variables of a rule, of a matrix and of a service beside the job.
    fn sometimes(&mut self, chain: &Chain<'t>) {
        let rules = chain.get("rules").into_iter().chain(self.root.at(&["workflow", "rules"]));
        for rule in rules.flat_map(View::items) {
            for (name, value) in rule.get("variables").map(View::entries).unwrap_or_default() {
                self.put(name.text().unwrap_or("?"), value, ("gitlab-ci-rule-variable", self.own.min(Tier::Inferred)));
            }
        }
        let parallel = chain.get("parallel").and_then(|parallel| parallel.get("matrix"));
        for (name, values) in parallel.into_iter().flat_map(View::items).flat_map(View::entries) {
            for value in values.text().map(|_| values).into_iter().chain(values.items()) {
                self.put(name.text().unwrap_or("?"), value, ("gitlab-ci-matrix", self.own));
            }
        }
        let services = chain.get("services").or_else(|| self.default(chain, "services"));
        for service in services.into_iter().flat_map(View::items) {
            for (name, value) in service.get("variables").map(View::entries).unwrap_or_default() {
                self.put(name.text().unwrap_or("?"), value, ("gitlab-ci-service-variable", self.own));
            }
        }
    }

    fn scripts(&mut self, chain: &Chain<'t>) {
        for field in ["before_script", "script", "after_script"] {
            let default = || self.default(chain, field).filter(|_| field != "script" && chain.get("trigger").is_none());
            let Some(script) = chain.get(field).or_else(default) else { continue };
            lines((self.root, script), SCRIPT_LEVELS, &mut |line| {
                let link = Link::new(self.consumer, self.own, "gitlab-ci-script", field);
                let (place, text) = (self.sheet.place(line), line.text().unwrap_or_default());
                self.links.put_script(self.sheet, &place, text, &link);
                self.links.runs(self.sheet, &place, (text, None), &link);
            });
        }
    }

    /// What `default`, or the top of the file in the older spelling, says for jobs that do not say it themselves.
    fn default(&self, chain: &Chain<'t>, field: &str) -> Option<View<'t>> {
        let at = self.root.at(&["default", field]).or_else(|| self.root.get(field));
        at.filter(|_| chain.inherits("default", field))
    }
}

/// What `!reference [.job, key]` leads to, else the value itself.
fn referred<'t>(root: View<'t>, view: View<'t>) -> View<'t> {
    if view.tag() != Some("reference") {
        return view;
    }
    let way: Vec<&str> = view.items().filter_map(View::text).collect();
    root.at(&way).filter(|_| !way.is_empty()).unwrap_or(view)
}

/// Whether no rule ever lets the job run.
fn never_runs(chain: &Chain<'_>) -> bool {
    let Some(rules) = chain.get("rules") else { return chain.get("when").and_then(View::text) == Some("never") };
    let mut each = rules.items().map(|rule| rule.text_at(&["when"]) == Some("never")).peekable();
    each.peek().is_some() && each.all(|never| never)
}

/// A job and what it extends, what counts most first.
struct Chain<'t> {
    views: Vec<View<'t>>,
    /// Whether everything that is extended is in this file.
    complete: bool,
    /// What is extended and is not.
    missing: Vec<&'t str>,
}

impl<'t> Chain<'t> {
    fn climb(&mut self, root: View<'t>, view: View<'t>, levels: usize) {
        if levels == 0 || self.views.len() >= TEMPLATES {
            self.complete = false;
            return;
        }
        self.views.push(view);
        let Some(extends) = view.get("extends") else { return };
        let mut names: Vec<&str> = extends.items().filter_map(View::text).collect();
        names.extend(extends.text());
        // The last one named counts most.
        for name in names.into_iter().rev() {
            if let Some(template) = root.get(name) {
                self.climb(root, template, levels - 1);
            } else {
                self.complete = false;
                self.missing.push(name);
            }
        }
    }

    fn get(&self, field: &str) -> Option<View<'t>> {
        self.views.iter().find_map(|view| view.get(field))
    }

    /// What a `!reference` names that is not in this file.
    fn referred(&self, root: View<'t>) -> Vec<&'t str> {
        let fields = ["variables", "before_script", "script", "after_script"];
        let all = self.views.iter().flat_map(|view| fields.iter().filter_map(|field| view.get(field)));
        let each = all.flat_map(|own| [own].into_iter().chain(own.items())).filter(|own| own.tag() == Some("reference"));
        each.filter_map(|own| own.items().next()?.text()).filter(|name| root.get(name).is_none()).collect()
    }

    /// Whether the job gets what is said for all of them: a variable, or a field of `default`.
    fn inherits(&self, what: &str, name: &str) -> bool {
        let Some(inherit) = self.views.iter().find_map(|view| view.at(&["inherit", what])) else { return true };
        match inherit.text() {
            Some(word) => word != "false",
            None => inherit.items().any(|item| item.text() == Some(name)),
        }
    }
}

/// Every line of a script: lists are flattened, as anchors and references make them. A line with `: ` in it that is not quoted is read as a
/// mapping, of which both sides count.
pub(super) fn lines<'t>((root, script): (View<'t>, View<'t>), levels: usize, each: &mut dyn FnMut(View<'t>)) {
    let there = referred(root, script);
    if there.text().is_some() {
        each(there);
    } else if levels > 0 && there.tag() != Some("reference") {
        for item in there.items() {
            lines((root, item), levels - 1, each);
        }
        // Not what a reference names, which may be anything.
        let entries = if script.tag() == Some("reference") { Vec::new() } else { there.entries() };
        for (key, value) in entries {
            each(key);
            lines((root, value), levels - 1, each);
        }
    }
}
