//! From an index to units of work: which manifests, which layers, each once, and how each came to be.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::sync::OnceLock;

use super::blobs::{At, Blobs, Digest};
use super::checked::Hashed;
use super::manifest::{Config, Descriptor, Document, Platform};
use super::{Image, Role, Source, Unit, Wanted};
use crate::model::{LayerPlace, Provenance};
use crate::source::Visit;

/// Registries accept manifests of 4 MiB.
const DOCUMENT: usize = 4 << 20;
/// All manifests and configs of one target.
const DOCUMENTS: usize = 128 << 20;
/// Indexes in indexes.
const DEPTH: usize = 8;
/// Layers and other parts of one target. Docker ends at 127 layers an image.
const UNITS: usize = 100_000;

/// Reads what an image on disk says of itself.
pub(super) fn local<'b>(name: &str, blobs: &'b dyn Blobs, wanted: &Wanted, visit: &mut dyn Visit) -> Image<'b> {
    let mut planner = Planner::new(name, blobs, wanted, visit);
    let index = planner.load(&At::Member("index.json".to_owned()), None);
    match index {
        Some(bytes) => planner.root(bytes, "index.json"),
        None => match planner.load(&At::Member("manifest.json".to_owned()), None) {
            Some(bytes) => planner.saved(bytes),
            None => planner.visit.trouble(name, "it is no image: there is neither an index.json nor a manifest.json in it"),
        },
    }
    if wanted.platform.is_none() && wanted.tag.is_none() {
        planner.left_over();
    }
    planner.finish()
}

/// Reads what a registry's image says of itself, from its manifest or index on.
pub(super) fn remote<'b>(
    name: &str,
    blobs: &'b dyn Blobs,
    root: Vec<u8>,
    (wanted, visit): (&Wanted, &mut dyn Visit),
) -> Image<'b> {
    let mut planner = Planner::new(name, blobs, wanted, visit);
    planner.root(root, "manifest.json");
    planner.finish()
}

pub(super) struct Planner<'p, 'b> {
    pub(super) name: &'p str,
    blobs: &'b dyn Blobs,
    pub(super) wanted: &'p Wanted,
    pub(super) visit: &'p mut dyn Visit,
    pub(super) units: Vec<Unit>,
    pub(super) stacks: Vec<Vec<usize>>,
    /// Layer → its unit.
    layers: HashMap<String, usize>,
    /// What was read or will be.
    pub(super) used: HashSet<String>,
    /// What else the index names that is not there, and what it has for other platforms.
    absent: Vec<String>,
    pub(super) others: Vec<String>,
    pub(super) images: usize,
    room: usize,
}

/// What an outer document says of an inner one.
#[derive(Clone, Default)]
struct Outer {
    platform: Option<Platform>,
    source: Option<String>,
    revision: Option<String>,
    depth: usize,
}

pub(super) const SOURCE: &str = "org.opencontainers.image.source";
pub(super) const REVISION: &str = "org.opencontainers.image.revision";

/// One name for a part, however it is addressed.
fn key(at: &At) -> String {
    match at {
        At::Member(name) => name.clone(),
        At::Manifest(digest) | At::Blob(digest) => format!("blobs/{}/{}", digest.algorithm(), digest.hex()),
    }
}

impl<'p, 'b> Planner<'p, 'b> {
    fn new(name: &'p str, blobs: &'b dyn Blobs, wanted: &'p Wanted, visit: &'p mut dyn Visit) -> Self {
        Self {
            name,
            blobs,
            wanted,
            visit,
            units: Vec::new(),
            stacks: Vec::new(),
            layers: HashMap::new(),
            used: HashSet::new(),
            absent: Vec::new(),
            others: Vec::new(),
            images: 0,
            room: DOCUMENTS,
        }
    }

    pub(super) fn trouble(&mut self, part: &str, why: &str) {
        let path = if part.is_empty() { self.name.to_owned() } else { format!("{}!{part}", self.name) };
        self.visit.trouble(&path, why);
    }

    /// A small part, whole. None when it is not there; what is wrong with it is told, and what came is used all the same.
    pub(super) fn load(&mut self, at: &At, expected: Option<(Digest, Option<u64>)>) -> Option<Vec<u8>> {
        let key = key(at);
        let reader = match self.blobs.open(at) {
            Ok(reader) => reader?,
            Err(error) => {
                self.trouble(&key, &error.to_string());
                return Some(Vec::new());
            }
        };
        self.used.insert(key.clone());
        let limit = DOCUMENT.min(self.room);
        let mut bytes = Vec::new();
        let (read, verdict) = match expected {
            Some((digest, size)) => {
                let mut hashed = Hashed::new(reader, digest, size);
                let read = hashed.by_ref().take(limit as u64 + 1).read_to_end(&mut bytes);
                (read, hashed.verdict())
            }
            None => (reader.take(limit as u64 + 1).read_to_end(&mut bytes), Ok(())),
        };
        let why = match (read, verdict) {
            (Err(error), _) => Some(error.to_string()),
            (Ok(_), _) if bytes.len() > limit => Some("it is larger than any real one".to_owned()),
            (Ok(_), Err(why)) => Some(why),
            (Ok(_), Ok(())) => None,
        };
        if let Some(why) = why {
            self.trouble(&key, &why);
        }
        bytes.truncate(limit);
        self.room -= bytes.len();
        Some(bytes)
    }

    pub(super) fn unit(&mut self, source: Source, role: Role, place: LayerPlace) -> Option<usize> {
        if self.units.len() >= UNITS {
            if self.units.len() == UNITS {
                self.trouble("", "it has more parts than any real image; the rest was not looked at");
            }
            return None;
        }
        if let Source::At(at) = &source {
            self.used.insert(key(at));
        }
        let provenance = Provenance::Layer(Box::new(place));
        self.units.push(Unit { source, role, digest: None, size: None, provenance });
        Some(self.units.len() - 1)
    }

    pub(super) fn place(&self, layer: &str) -> LayerPlace {
        LayerPlace { image: self.name.to_owned(), layer: layer.to_owned(), ..LayerPlace::default() }
    }

    /// A document as a unit, and what it says.
    fn document(&mut self, bytes: Vec<u8>, name: &str) -> Document {
        let parsed = serde_json::from_slice(&bytes);
        let place = self.place(Digest::sha256(&bytes).as_str());
        self.unit(Source::Bytes(bytes), Role::Other(name.to_owned()), place);
        parsed.unwrap_or_else(|_| {
            self.trouble(name, "it is no index or manifest that can be read");
            Document { manifests: Some(Vec::new()), ..Document::default() }
        })
    }

    fn root(&mut self, bytes: Vec<u8>, name: &str) {
        let mut document = self.document(bytes, name);
        if let (Some(tag), Some(manifests)) = (&self.wanted.tag, &mut document.manifests) {
            let suffix = format!(":{tag}");
            manifests.retain(|descriptor| {
                let named = descriptor.annotation("org.opencontainers.image.ref.name");
                named.is_some_and(|name| name == tag || name.ends_with(&suffix))
            });
            if manifests.is_empty() {
                self.visit.trouble(self.name, &format!("it has no image with the tag {tag}"));
                return;
            }
        }
        self.any(document, name, &Outer::default());
        if self.images == 0 {
            let why = match (&self.wanted.platform, self.others.is_empty()) {
                (Some(platform), false) => format!("it has no image for {platform}, only for {}", self.others.join(", ")),
                _ if !self.absent.is_empty() => "its manifests are not there".to_owned(),
                _ => return,
            };
            self.visit.trouble(self.name, &why);
        } else {
            // An archive of one platform's image may keep the index of all.
            self.absent.iter().for_each(|_| self.visit.skip("image that the index names and the archive leaves out"));
            self.others.iter().for_each(|_| self.visit.skip("image for another platform"));
        }
    }

    fn any(&mut self, document: Document, name: &str, outer: &Outer) {
        if document.schema_version == 1 {
            self.trouble(name, "it is a manifest of schema 1, which is not read; push the image again to convert it");
        } else if document.manifests.is_some() {
            self.index(document, outer);
        } else if document.config.is_some() || document.layers.is_some() || document.blobs.is_some() {
            self.image(document, name, outer);
        } else {
            self.trouble(name, "it is neither an index nor a manifest");
        }
    }

    fn index(&mut self, document: Document, outer: &Outer) {
        let descriptors = document.manifests.unwrap_or_default();
        let mut taken: HashSet<String> = HashSet::new();
        // What attests to an image stands behind it or before it.
        let (attestations, images): (Vec<_>, Vec<_>) = descriptors.into_iter().partition(|d| d.attests().is_some());
        for descriptor in images {
            let platform = descriptor.platform.as_ref().map(Platform::from);
            if let (Some(wanted), Some(platform)) = (&self.wanted.platform, &platform)
                && !wanted.takes(platform)
            {
                self.others.push(platform.to_string());
                continue;
            }
            taken.insert(descriptor.digest.clone());
            self.descend(&descriptor, outer);
        }
        for descriptor in attestations {
            if self.wanted.platform.is_none() || descriptor.attests().is_some_and(|digest| taken.contains(digest)) {
                self.descend(&descriptor, outer);
            }
        }
    }

    fn descend(&mut self, descriptor: &Descriptor, outer: &Outer) {
        let Some(digest) = descriptor.digest() else {
            return self.trouble("", "its index names a part by something that is no digest");
        };
        if outer.depth >= DEPTH {
            return self.trouble(digest.as_str(), "indexes are nested too deep");
        }
        let at = At::Manifest(digest.clone());
        // Named twice, by two tags for instance, or by itself.
        if self.used.contains(&key(&at)) {
            return;
        }
        let Some(bytes) = self.load(&at, Some((digest.clone(), descriptor.size))) else {
            return self.absent.push(digest.as_str().to_owned());
        };
        let or = |name, outer: &Option<String>| descriptor.annotation(name).map(str::to_owned).or_else(|| outer.clone());
        let inner = Outer {
            platform: descriptor.platform.as_ref().map(Platform::from),
            source: or(SOURCE, &outer.source),
            revision: or(REVISION, &outer.revision),
            depth: outer.depth + 1,
        };
        if bytes.is_empty() {
            return;
        }
        let name = format!("{}.json", digest.short());
        let document = self.document(bytes, &name);
        self.any(document, &name, &inner);
    }

    fn image(&mut self, document: Document, name: &str, outer: &Outer) {
        let described = document.config.unwrap_or_default();
        let bytes = described.digest().and_then(|digest| {
            let config = self.load(&At::Blob(digest.clone()), Some((digest, described.size)));
            if config.is_none() {
                self.trouble(name, "its config is not there");
            }
            config
        });
        let bytes = bytes.unwrap_or_default();
        let config = self.config(&bytes, name);
        let platform = config.platform().or_else(|| outer.platform.clone());
        if let (Some(wanted), Some(platform)) = (&self.wanted.platform, &platform)
            && !wanted.takes(platform)
            && platform.to_string() != "unknown/unknown"
        {
            return self.others.push(platform.to_string());
        }
        self.images += 1;
        let annotated = Descriptor { annotations: document.annotations, ..Descriptor::default() };
        let text = |name, outer: &Option<String>| {
            config.label(name).or_else(|| annotated.annotation(name)).map(str::to_owned).or_else(|| outer.clone())
        };
        let place = LayerPlace {
            layer: described.digest.clone(),
            platform: platform.map(|platform| platform.to_string()),
            date: config.created(),
            source: text(SOURCE, &outer.source),
            revision: text(REVISION, &outer.revision),
            ..self.place("")
        };
        // Two tags of one image, or the empty config of many artifacts.
        if !bytes.is_empty() && !self.layers.contains_key(&place.layer) {
            let unit = self.unit(Source::Bytes(bytes), Role::Config, place.clone());
            self.layers.extend(unit.map(|unit| (place.layer.clone(), unit)));
        }
        let layers = document.layers.unwrap_or_default();
        let made = config.made(layers.len());
        let places = made.into_iter().map(|made| LayerPlace { created_by: made.by, date: made.date, ..place.clone() });
        let stack = layers.iter().zip(places).filter_map(|(layer, place)| self.described_layer(layer, place)).collect();
        self.stacks.push(stack);
        for blob in document.blobs.unwrap_or_default() {
            self.described_layer(&blob, place.clone());
        }
    }

    pub(super) fn config(&mut self, bytes: &[u8], name: &str) -> Config {
        if bytes.is_empty() {
            return Config::default();
        }
        serde_json::from_slice(bytes).unwrap_or_else(|_| {
            // Artifacts have configs of their own kinds; one that is JSON is scanned as such, whatever it holds.
            if serde_json::from_slice::<serde_json::Value>(bytes).is_err() {
                self.trouble(name, "its config is not JSON");
            }
            Config::default()
        })
    }

    fn described_layer(&mut self, layer: &Descriptor, place: LayerPlace) -> Option<usize> {
        let Some(digest) = layer.digest() else {
            self.trouble("", "its manifest names a layer by something that is no digest");
            return None;
        };
        let is_tar = layer.media_type.contains(".tar") || layer.media_type.contains(".rootfs.");
        let role = if is_tar {
            Role::Layer { unpacked: false, foreign: layer.is_foreign() }
        } else {
            let title = layer.annotation("org.opencontainers.image.title");
            Role::Other(title.map_or_else(|| key(&At::Blob(digest.clone())), str::to_owned))
        };
        let place = LayerPlace { layer: digest.as_str().to_owned(), ..place };
        let unit = self.layer(At::Blob(digest.clone()), role, place)?;
        (self.units[unit].digest, self.units[unit].size) = (Some(digest), layer.size);
        Some(unit)
    }

    /// The unit of a layer: each digest once, however many images have it.
    pub(super) fn layer(&mut self, at: At, role: Role, place: LayerPlace) -> Option<usize> {
        if let Some(&unit) = self.layers.get(&place.layer) {
            if let (Provenance::Layer(known), Some(platform)) = (&mut self.units[unit].provenance, place.platform) {
                let platforms = known.platform.get_or_insert_default();
                if !platforms.split(", ").any(|known| known == platform) {
                    let comma = if platforms.is_empty() { "" } else { ", " };
                    *platforms = format!("{platforms}{comma}{platform}");
                }
            }
            return Some(unit);
        }
        let digest = place.layer.clone();
        let unit = self.unit(Source::At(at), role, place)?;
        self.layers.insert(digest, unit);
        Some(unit)
    }

    /// What lies beside the images and belongs to none: blobs of tags that were moved, the old layers' own descriptions.
    fn left_over(&mut self) {
        for at in self.blobs.list() {
            let name = key(&at);
            if self.used.contains(&name) {
                continue;
            }
            let digest = name.strip_prefix("blobs/").and_then(|name| Digest::parse(&name.replacen('/', ":", 1)));
            let place = self.place(digest.as_ref().map_or(name.as_str(), Digest::as_str));
            let Some(unit) = self.unit(Source::At(at), Role::Other(name), place) else { return };
            self.units[unit].digest = digest;
        }
    }

    fn finish(self) -> Image<'b> {
        let names = self.units.iter().map(|_| OnceLock::new()).collect();
        Image { name: self.name.to_owned(), blobs: self.blobs, units: self.units, stacks: self.stacks, names }
    }
}
