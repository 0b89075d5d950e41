//! What each catalogue's file looks like, and whom it names.

use super::is_called;
use crate::ownership::artefacts::{View, ends_in};
use crate::ownership::roll::clean;

/// Owners of one file that are kept.
const OWNERS: usize = 50;

/// A team or person that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answerable {
    pub(super) id: String,
    pub(super) name: String,
    /// What they answer for, by the file's own word.
    pub(super) of: String,
}

/// A catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// backstage.io, Descriptor Format of Catalog Entities.
    Backstage,
    /// docs.cortex.io, entity descriptors.
    Cortex,
    /// docs.opslevel.com, opslevel.yml.
    OpsLevel,
    /// docs.datadoghq.com, Service Definition Schema v1 to v2.2, and entities of v3.
    Datadog,
    /// developer.atlassian.com, Compass configuration as code.
    Compass,
}

/// The format of a file by its name.
pub(super) fn of(path: &str) -> Option<Format> {
    let yaml = ends_in(path, &["yaml", "yml"]);
    if is_called(path, &["catalog-info.yaml", "catalog-info.yml"]) {
        Some(Format::Backstage)
    } else if is_called(path, &["cortex.yaml", "cortex.yml"]) || yaml && path.contains(".cortex/catalog/") {
        Some(Format::Cortex)
    } else if is_called(path, &["opslevel.yml", "opslevel.yaml"]) {
        Some(Format::OpsLevel)
    } else if is_called(path, &["service.datadog.yaml", "service.datadog.yml", "entity.datadog.yaml", "entity.datadog.yml"])
    {
        Some(Format::Datadog)
    } else if is_called(path, &["compass.yml", "compass.yaml"]) {
        Some(Format::Compass)
    } else {
        None
    }
}

impl Format {
    pub(super) fn technique(self) -> &'static str {
        match self {
            Self::Backstage => "backstage-owner",
            Self::Cortex => "cortex-owner",
            Self::OpsLevel => "opslevel-owner",
            Self::Datadog => "datadog-team",
            Self::Compass => "compass-owner",
        }
    }

    /// The owners that one document names, with the place of each name.
    pub(super) fn read(self, root: View<'_>) -> Vec<(Answerable, View<'_>)> {
        let mut found = match self {
            Self::Backstage => backstage(root),
            Self::Cortex => cortex(root),
            Self::OpsLevel => ["service", "component", "system", "domain"]
                .iter()
                .filter_map(|kind| plain(root.get(kind)?, "opslevel", &["name"], &["owner"]))
                .collect(),
            Self::Datadog => datadog(root),
            Self::Compass => plain(root, "compass", &["name"], &["ownerId"]).into_iter().collect(),
        };
        found.truncate(OWNERS);
        found
    }
}

/// An owner that is one word at one path.
fn plain<'t>(root: View<'t>, catalogue: &str, name: &[&str], owner: &[&str]) -> Option<(Answerable, View<'t>)> {
    let at = root.at(owner)?;
    let who = root.text_at(owner).map(clean)?;
    let of = root.text_at(name).map_or_else(|| "?".to_owned(), clean);
    Some((Answerable { id: format!("{catalogue}:{who}"), name: who, of }, at))
}

/// `spec.owner` is a reference `[kind:][namespace/]name`; a group of the default namespace where it does not say.
fn backstage(root: View<'_>) -> Vec<(Answerable, View<'_>)> {
    let kind = root.text_at(&["kind"]).unwrap_or_default();
    if !["Component", "API", "Resource", "System", "Domain"].contains(&kind) {
        return Vec::new();
    }
    let (Some(at), Some(owner)) = (root.at(&["spec", "owner"]), root.text_at(&["spec", "owner"])) else { return Vec::new() };
    let (who, rest) = owner.split_once(':').unwrap_or(("group", owner));
    let (namespace, name) = rest.split_once('/').unwrap_or(("default", rest));
    let id = clean(&format!("backstage:{who}:{namespace}/{name}").to_lowercase());
    let of = format!("{kind} {}", clean(root.text_at(&["metadata", "name"]).unwrap_or("?")));
    vec![(Answerable { id, name: clean(name), of }, at)]
}

/// `info.x-cortex-owners`: groups, mail addresses and Slack channels.
fn cortex(root: View<'_>) -> Vec<(Answerable, View<'_>)> {
    let Some(info) = root.get("info") else { return Vec::new() };
    let of = clean(info.text_at(&["x-cortex-tag"]).unwrap_or("?"));
    let owners = info.get("x-cortex-owners").into_iter().flat_map(View::items).filter_map(|one| {
        let (kind, field) = match one.text_at(&["type"])?.to_ascii_lowercase().as_str() {
            "email" => ("mail", "email"),
            "group" => ("cortex", "name"),
            "slack" => ("slack", "channel"),
            _ => return None,
        };
        // A mail address is said as a name in older files.
        let at = one.get(field).or_else(|| one.get("name"))?;
        let name = clean(at.text()?);
        Some((Answerable { id: format!("{kind}:{name}"), name, of: of.clone() }, at))
    });
    owners.take(OWNERS).collect()
}

fn datadog(root: View<'_>) -> Vec<(Answerable, View<'_>)> {
    // Version 3 has the shape of a Kubernetes object.
    if root.get("apiVersion").is_some() {
        return plain(root, "datadog", &["metadata", "name"], &["metadata", "owner"]).into_iter().collect();
    }
    plain(root, "datadog", &["dd-service"], &["team"]).into_iter().collect()
}
