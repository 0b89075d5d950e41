//! GitLab CI: value → `variables` of the pipeline or a job, or a script → job.
//!
//! `extends` within the file is followed as GitLab does. What is not in the file can change who gets a variable of the
//! whole pipeline: where there is an `include`, or a job extends what is not here, such an arrow is declared, not bound. A
//! `.gitlab-ci.yml` below the root, or a file of another name, runs only if something includes it: inferred.

mod jobs;

use super::links::{Kind, Links};
use super::yaml::View;
use super::{Sheet, file_name, is_showable};
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
        file_name(path).ends_with(NAME)
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, coverage: &mut Coverage) {
        let inside = sheet.path.strip_prefix(sheet.root).unwrap_or(&sheet.path);
        let own = if inside == NAME { Tier::Bound } else { Tier::Inferred };
        sheet.documents(coverage, &mut |root| {
            for (name, job) in root.entries() {
                let Some(name) = name.text() else { continue };
                if !name.starts_with('.') && !RESERVED.contains(&name) && is_showable(name) && jobs::is_job(job) {
                    jobs::read((sheet, root), (name, job), own, links);
                }
            }
        });
    }
}

/// A variable's value: as it stands, or with a description.
fn value_of(view: View<'_>) -> View<'_> {
    view.get("value").unwrap_or(view)
}

#[cfg(test)]
mod tests;
