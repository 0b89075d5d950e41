//! Bind mounts: a file of the tree that a service sees (docs.docker.com, "Compose file reference: volumes"). Declared where the file
//! itself is mounted, inferred below a folder: that a program sees a file does not say that it reads it. Of the project's own folder,
//! which is mounted to develop in, only what programs are made of counts.

use std::collections::HashMap;

use super::super::copies::is_source;
use super::super::yaml::View;
use super::super::{Clues, clean, dotenv, ends_in, file_name, folder, join};
use super::service::Desk;
use super::{Pull, most};
use crate::model::Tier;
use crate::ownership::roll::Roll;

/// What is mounted, by its path.
#[derive(Default)]
pub(super) struct Mounts(HashMap<String, Vec<Pull>>);

impl Mounts {
    pub(super) fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll) {
        if self.0.is_empty() {
            return;
        }
        for path in clues.paths() {
            self.join(path, |pull| Some(Tier::Declared.min(most(&pull.at.path))), roll);
            let mut above = path;
            while !above.is_empty() {
                above = folder(above);
                let inside = path[above.len()..].trim_start_matches('/');
                self.join(above, |pull| reads(above, inside, pull).then_some(Tier::Inferred), roll);
            }
        }
    }

    fn join(&self, mounted: &str, tier: impl Fn(&Pull) -> Option<Tier>, roll: &mut Roll) {
        for pull in self.0.get(mounted).into_iter().flatten() {
            if !roll.look() {
                return;
            }
            if let Some(tier) = tier(pull) {
                pull.service.join(roll, tier, vec![pull.evidence()]);
            }
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (path, pulls) in other.0 {
            self.0.entry(path).or_default().extend(pulls);
        }
    }
}

/// Whether a program most likely reads a file below a folder that it sees.
fn reads(mounted: &str, inside: &str, pull: &Pull) -> bool {
    let name = file_name(inside);
    let own = folder(&pull.at.path);
    // The project's folder, or one above it.
    if own == mounted || mounted.is_empty() || own.strip_prefix(mounted).is_some_and(|rest| rest.starts_with('/')) {
        return is_source(inside);
    }
    let hidden = inside.split('/').any(|part| part.starts_with('.') && !dotenv::is_named_so(part));
    !hidden && !dotenv::is_sample(name) && !ends_in(name, &["md", "rst", "lock", "log"])
}

impl Desk<'_> {
    /// The service's `volumes`: `./SOURCE:TARGET`, or `{type: bind, source}`. A name without a dot before it is a volume of Docker's own.
    pub(super) fn volumes(&mut self, service: View<'_>) {
        for entry in service.get("volumes").into_iter().flat_map(View::items) {
            let short = entry.text().and_then(|text| text.split(':').next()).filter(|source| source.starts_with('.'));
            let bind = entry.text_at(&["type"]) == Some("bind");
            let source = short.or_else(|| entry.text_at(&["source"]).filter(|_| bind));
            let Some(path) = source.and_then(|source| join(folder(&self.sheet.path), source)) else { continue };
            let detail = format!("volume {}", clean(source.unwrap_or_default()));
            if !self.compose.allowance.take(path.len() + detail.len()) {
                return;
            }
            let pull = self.pull(entry, "compose-volume", detail);
            self.compose.mounts.0.entry(path).or_default().push(pull);
        }
    }
}
