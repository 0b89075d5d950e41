//! The JSON of images: OCI and Docker schema 2 are alike enough for one reading. Unknown fields are nobody's business; what
//! is missing or of another type makes a document unreadable, not the program.
//! <https://github.com/opencontainers/image-spec/blob/main/manifest.md>,
//! <https://distribution.github.io/distribution/spec/manifest-v2-2/>

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;

use super::blobs::Digest;

/// Text by name. `null` is written for none.
pub(super) type Texts = Option<BTreeMap<String, String>>;

/// Points to another part.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Descriptor {
    pub(super) media_type: String,
    pub(super) digest: String,
    pub(super) size: Option<u64>,
    pub(super) platform: Option<RawPlatform>,
    pub(super) annotations: Texts,
}

impl Descriptor {
    pub(super) fn digest(&self) -> Option<Digest> {
        Digest::parse(&self.digest)
    }

    pub(super) fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.as_ref()?.get(name).map(String::as_str)
    }

    /// A layer that images only point to, Windows's own for instance. A registry need not have it.
    pub(super) fn is_foreign(&self) -> bool {
        self.media_type.contains(".foreign.") || self.media_type.contains(".nondistributable.")
    }

    /// What BuildKit puts beside an image: its platform is `unknown/unknown`.
    pub(super) fn attests(&self) -> Option<&str> {
        self.annotation("vnd.docker.reference.digest")
    }
}

/// As written in an index.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawPlatform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

/// An operating system and an architecture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

impl Platform {
    /// Parses `os/architecture` or `os/architecture/variant`, as Docker writes it.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/').map(str::to_owned);
        let (os, architecture, variant) = (parts.next()?, parts.next()?, parts.next());
        let good = parts.next().is_none() && !os.is_empty() && !architecture.is_empty() && variant.as_deref() != Some("");
        good.then_some(Self { os, architecture, variant })
    }

    /// Whether an image for `other` is one of these: a variant matters only where it is asked for.
    pub(super) fn takes(&self, other: &Self) -> bool {
        let variant = self.variant.is_none() || self.variant == other.variant;
        self.os == other.os && self.architecture == other.architecture && variant
    }
}

impl From<&RawPlatform> for Platform {
    fn from(raw: &RawPlatform) -> Self {
        let RawPlatform { os, architecture, variant } = raw.clone();
        Self { os, architecture, variant: variant.filter(|variant| !variant.is_empty()) }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

/// An index, a manifest list, or a manifest: told by what it holds, since not every writer says its type.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Document {
    pub(super) schema_version: u64,
    pub(super) manifests: Option<Vec<Descriptor>>,
    pub(super) config: Option<Descriptor>,
    pub(super) layers: Option<Vec<Descriptor>>,
    /// OCI artifacts of the 1.1 release candidates.
    pub(super) blobs: Option<Vec<Descriptor>>,
    pub(super) annotations: Texts,
}

/// `manifest.json` of `docker save`: one a image.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Saved {
    pub(super) config: String,
    pub(super) layers: Option<Vec<String>>,
}

/// An image's config, as far as it explains layers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Config {
    os: String,
    architecture: String,
    variant: Option<String>,
    created: Option<String>,
    config: Option<Labels>,
    history: Option<Vec<History>>,
    rootfs: Option<Root>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Labels {
    labels: Texts,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
struct History {
    created: Option<String>,
    created_by: Option<String>,
    empty_layer: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Root {
    diff_ids: Option<Vec<String>>,
}

/// How a layer came to be.
#[derive(Debug, Default, Clone)]
pub(super) struct Made {
    pub(super) by: Option<String>,
    pub(super) date: Option<Timestamp>,
}

impl Config {
    pub(super) fn platform(&self) -> Option<Platform> {
        let Self { os, architecture, variant, .. } = self;
        let raw = RawPlatform { os: os.clone(), architecture: architecture.clone(), variant: variant.clone() };
        (!os.is_empty() && !architecture.is_empty()).then(|| Platform::from(&raw))
    }

    pub(super) fn label(&self, name: &str) -> Option<&str> {
        self.config.as_ref()?.labels.as_ref()?.get(name).map(String::as_str)
    }

    pub(super) fn created(&self) -> Option<Timestamp> {
        self.created.as_deref().and_then(date)
    }

    /// Digest of the layer's tar before it was compressed.
    pub(super) fn diff_id(&self, layer: usize) -> Option<Digest> {
        Digest::parse(self.rootfs.as_ref()?.diff_ids.as_ref()?.get(layer)?)
    }

    /// For each of `layers` layers the history entry that made it. Where their numbers differ nobody knows which it was.
    pub(super) fn made(&self, layers: usize) -> Vec<Made> {
        let entries = self.history.iter().flatten().filter(|entry| !entry.empty_layer);
        let made: Vec<Made> = entries
            .map(|entry| Made {
                by: entry.created_by.clone().filter(|by| !by.is_empty()),
                date: entry.created.as_deref().and_then(date),
            })
            .collect();
        if made.len() == layers { made } else { vec![Made::default(); layers] }
    }
}

/// Reproducible builds write the year 1970, Go's zero time is the year 1: neither is a date.
fn date(text: &str) -> Option<Timestamp> {
    text.parse().ok().filter(|date: &Timestamp| date.as_second() > 0)
}

#[cfg(test)]
mod tests {
    use super::{Config, Platform};

    #[test]
    fn platforms() {
        let parse = |text| Platform::parse(text).expect("good");
        assert!(parse("linux/arm64").takes(&parse("linux/arm64/v8")));
        assert!(!parse("linux/arm/v7").takes(&parse("linux/arm/v6")));
        assert!(!parse("linux/amd64").takes(&parse("windows/amd64")));
        assert_eq!(parse("linux/arm/v7").to_string(), "linux/arm/v7");
        for bad in ["", "linux", "linux/", "/amd64", "linux/arm/", "a/b/c/d"] {
            assert_eq!(Platform::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn history_goes_with_layers_where_the_numbers_fit() {
        let text = r#"{"history": [{"created_by": "ADD file", "created": "2024-05-06T07:08:09.1Z"},
            {"created_by": "ENV A=b", "empty_layer": true}, {"created_by": "RUN x", "created": "0001-01-01T00:00:00Z"}]}"#;
        let config: Config = serde_json::from_str(text).expect("JSON");
        let made = config.made(2);
        assert_eq!((made[0].by.as_deref(), made[1].by.as_deref()), (Some("ADD file"), Some("RUN x")));
        assert!(made[0].date.is_some() && made[1].date.is_none());
        assert!(config.made(3).iter().all(|made| made.by.is_none()));
    }
}
