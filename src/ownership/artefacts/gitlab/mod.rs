//! GitLab CI: value → `variables` of the pipeline or a job, or a script → job.
//!
//! `extends` within the file is followed as GitLab does. What is not in the file can change who gets a variable of the
//! whole pipeline: where there is an `include`, or a job extends what is not here, such an arrow is declared, not bound. A
//! `.gitlab-ci.yml` below the root, or a file of another name, runs only if something includes it: inferred. A project may be set to
//! read another file (docs.gitlab.com, "Specify a custom CI/CD configuration file"): one in the root that ends in `-ci.yml` and says its
//! `stages` or its `workflow` is declared. Files below `.gitlab/` and `.gitlab-ci/` are read where they hold jobs.

mod jobs;

use super::links::{Kind, Links};
use super::yaml::View;
use super::{Sheet, ends_in, file_name, folder, is_showable};
use crate::model::{Coverage, Tier};

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
pub(super) struct GitLab;

impl Kind for GitLab {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        file_name(path).ends_with(NAME) || is_another(path)
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        file_name(&sheet.path).ends_with(NAME) || sheet.mentions("script:")
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, coverage: &mut Coverage) {
        let inside = sheet.path.strip_prefix(sheet.root).unwrap_or(&sheet.path);
        let usual = file_name(&sheet.path).ends_with(NAME);
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
            for (name, job) in root.entries() {
                let Some(name) = name.text() else { continue };
                if !name.starts_with('.') && !RESERVED.contains(&name) && is_showable(name) && jobs::is_job(job) {
                    jobs::read((sheet, root), (name, job), own, links);
                }
            }
        });
    }
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

/// Whether all of it is a pipeline's: what is no job has a name that GitLab keeps for itself, or is hidden.
fn is_pipeline(root: View<'_>) -> bool {
    let entries = root.entries();
    let scripted =
        |job: View<'_>| job.get("script").is_some_and(|script| script.text().is_some() || script.items().next().is_some());
    entries.iter().any(|(_, job)| scripted(*job))
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
