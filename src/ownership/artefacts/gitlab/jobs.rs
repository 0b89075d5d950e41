//! One job with the templates that it extends.

use std::collections::HashSet;
use std::sync::Arc;

use super::super::links::{Consumer, Link, Links};
use super::super::yaml::View;
use super::super::{Sheet, clean};
use super::value_of;
use crate::model::Tier;

/// GitLab allows eleven levels of `extends`.
const LEVELS: usize = 11;
/// Templates of one job, all levels together.
const TEMPLATES: usize = 50;
/// GitLab flattens scripts ten levels deep.
const SCRIPT_LEVELS: usize = 10;

/// Whether a top-level entry is a job rather than a piece for anchors.
pub(super) fn is_job(view: View<'_>) -> bool {
    ["script", "run", "trigger", "extends"].iter().any(|field| view.get(field).is_some())
}

/// Takes in one job.
pub(super) fn read((sheet, root): (&Sheet<'_>, View<'_>), (name, job): (&str, View<'_>), own: Tier, links: &mut Links) {
    let mut chain = Chain { views: Vec::new(), complete: true };
    chain.climb(root, job, LEVELS);
    let mut consumer = Consumer::new(format!("gitlab-ci:{}/{name}", sheet.path), format!("job {name} of {}", sheet.path));
    if let Some(at) = chain.get("environment")
        && let Some(environment) = at.text().or_else(|| at.text_at(&["name"]))
    {
        consumer.note("gitlab-ci-environment", &sheet.place(at), environment);
    }
    let own = if never_runs(&chain) { own.min(Tier::Inferred) } else { own };
    let consumer = Arc::new(consumer);
    let mut taken = HashSet::new();
    for variables in chain.views.iter().filter_map(|view| view.get("variables")) {
        for (name, value) in variables.entries() {
            if let Some(name) = name.text().filter(|name| taken.insert(*name)) {
                let link = Link::new(&consumer, own, "gitlab-ci-job-variable", format!("variable {}", clean(name)));
                links.put(sheet, value_of(value), link);
            }
        }
    }
    let global = if chain.complete && root.get("include").is_none() { own } else { own.min(Tier::Declared) };
    for (name, value) in root.get("variables").map(View::entries).unwrap_or_default() {
        let Some(name) = name.text().filter(|name| !taken.contains(name) && chain.inherits(name)) else { continue };
        let link = Link::new(&consumer, global, "gitlab-ci-global-variable", format!("variable {}", clean(name)));
        links.put(sheet, value_of(value), link);
    }
    for field in ["before_script", "script", "after_script"] {
        if let Some(script) = chain.get(field) {
            lines(script, SCRIPT_LEVELS, &mut |line| {
                let link = Link::new(&consumer, own, "gitlab-ci-script", field);
                links.put_script(sheet, &sheet.place(line), line.text().unwrap_or_default(), &link);
            });
        }
    }
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
            match root.get(name) {
                Some(template) => self.climb(root, template, levels - 1),
                None => self.complete = false,
            }
        }
    }

    fn get(&self, field: &str) -> Option<View<'t>> {
        self.views.iter().find_map(|view| view.get(field))
    }

    /// Whether the job gets the pipeline's variable of that name.
    fn inherits(&self, name: &str) -> bool {
        let Some(inherit) = self.views.iter().find_map(|view| view.at(&["inherit", "variables"])) else { return true };
        match inherit.text() {
            Some(word) => word != "false",
            None => inherit.items().any(|item| item.text() == Some(name)),
        }
    }
}

fn lines<'t>(script: View<'t>, levels: usize, each: &mut dyn FnMut(View<'t>)) {
    if script.text().is_some() {
        each(script);
    } else if levels > 0 {
        for item in script.items() {
            lines(item, levels - 1, each);
        }
    }
}
