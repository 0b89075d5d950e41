//! GitLab CI: value → `variables` of the pipeline or a job, or a script → job.
//!
//! `extends` within the file is followed as GitLab does. What is not in the file can change who gets a variable of the
//! whole pipeline: where there is an `include`, or a job extends what is not here, such an arrow is declared, not bound. A
//! `.gitlab-ci.yml` below the root, or a file of another name, runs only if something includes it: inferred. A project may be set to
//! read another file (docs.gitlab.com, "Specify a custom CI/CD configuration file"): one in the root that ends in `-ci.yml` and says its
//! `stages` or its `workflow` is declared. Files below `.gitlab/` and `.gitlab-ci/` are read where they hold jobs, others where a file
//! that is read includes them (`around`).

mod around;
mod jobs;

use super::links::Links;
use super::yaml::View;
use super::{Clues, Reader, Sheet, ends_in, file_name, folder, is_showable};
use crate::model::{Coverage, Tier};
use crate::ownership::roll::Roll;

const NAME: &str = ".gitlab-ci.yml";
/// Top-level names that are no jobs.
const RESERVED: &[&str] = &[
    "default",
    "include",
    "spec",
    "stages",
    "types",
    "variables",
    "workflow",
    "image",
    "services",
    "cache",
    "before_script",
    "after_script",
];

/// What pipeline files say.
#[derive(Default)]
pub(super) struct GitLab {
    links: Links,
    around: around::Around,
}

impl Reader for GitLab {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        ends_in(path, &["yml", "yaml"])
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        let usual = is_usual(&sheet.path);
        usual || sheet.bytes.len() <= Self::LIMIT && ["script:", "variables:"].iter().any(|word| sheet.mentions(word))
    }

    fn read(&mut self, sheet: &Sheet<'_>, coverage: &mut Coverage) {
        let inside = sheet.path.strip_prefix(sheet.root).unwrap_or(&sheet.path);
        let usual = is_usual(&sheet.path);
        self.links.begin();
        // What is something else after all is no concern.
        let mut quiet = Coverage::default();
        sheet.documents(if usual { coverage } else { &mut quiet }, &mut |root| {
            let whole = ["stages", "workflow"].iter().any(|field| root.get(field).is_some());
            let own = match inside {
                NAME => Tier::Bound,
                _ if whole && !usual && !inside.contains('/') => Tier::Declared,
                _ => Tier::Inferred,
            };
            if !usual && !is_pipeline(root) {
                return;
            }
            if usual || is_another(&sheet.path) {
                self.pipeline((sheet, root), own, None);
            } else {
                let mut links = Links::default();
                links.begin();
                self.pipeline((sheet, root), own, Some(&mut links));
                self.around.elsewhere.entry(sheet.path.to_string()).or_default().merge(links);
            }
        });
        self.links.complain(sheet, coverage);
    }

    fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll) {
        self.links.resolve(clues, roll);
        self.around.resolve(clues, roll);
    }

    fn merge(&mut self, other: Self) {
        self.links.merge(other.links);
        self.around.merge(other.around);
    }
}

impl GitLab {
    /// One file, whose jobs' own links go elsewhere where GitLab does not read it by itself.
    fn pipeline(&mut self, (sheet, root): (&Sheet<'_>, View<'_>), own: Tier, mut elsewhere: Option<&mut Links>) {
        if let Some(include) = root.get("include") {
            self.around.include(sheet, include);
        }
        self.around.all(sheet, root, &mut self.links);
        for (name, job) in root.entries() {
            let Some(name) = name.text().filter(|name| !RESERVED.contains(name)) else { continue };
            self.around.template((sheet, root), (name, job), &mut self.links);
            if let Some(include) = job.at(&["trigger", "include"]) {
                self.around.include(sheet, include);
            }
            if !name.starts_with('.') && is_showable(name) && jobs::is_job(job) {
                let links = elsewhere.as_deref_mut().unwrap_or(&mut self.links);
                jobs::read((sheet, root), (name, job), own, (links, &mut self.around));
            }
        }
    }
}

fn is_usual(path: &str) -> bool {
    file_name(path).ends_with(NAME)
}

/// Whether a file of another name may hold a pipeline or a part of one.
fn is_another(path: &str) -> bool {
    let (name, within) = (file_name(path), format!("/{}/", folder(path)));
    // Without the dot it is a sample or a piece, most likely: GitLab does not look at it.
    ends_in(name, &["yml", "yaml"])
        && name != "gitlab-ci.yml"
        && (name.rsplit_once('.').is_some_and(|(stem, _)| stem.ends_with("-ci"))
            || ["/.gitlab/", "/.gitlab-ci/"].iter().any(|own| within.contains(own)))
}

/// Whether all of it is a pipeline's: what is no job has a name that GitLab keeps for itself, or is hidden. There is a job, a template or
/// a variable.
fn is_pipeline(root: View<'_>) -> bool {
    let entries = root.entries();
    let scripted =
        |job: View<'_>| job.get("script").is_some_and(|script| script.text().is_some() || script.items().next().is_some());
    let set = root.get("variables").is_some_and(View::is_mapping);
    let template = |(name, job): &(View<'_>, View<'_>)| {
        let fields = ["variables", "before_script", "extends", "rules"];
        name.text().is_some_and(|name| name.starts_with('.')) && fields.iter().any(|field| job.get(field).is_some())
    };
    (set || entries.iter().any(template) || entries.iter().any(|(_, job)| scripted(*job)))
        && entries.iter().all(|(name, job)| {
            name.text().is_some_and(|name| name.starts_with('.') || RESERVED.contains(&name)) || jobs::is_job(*job)
        })
}

/// A variable's value: as it stands, or with a description.
fn value_of(view: View<'_>) -> View<'_> {
    view.get("value").unwrap_or(view)
}

#[cfg(test)]
mod tests;
