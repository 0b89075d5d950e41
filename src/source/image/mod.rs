//! Container images: every layer by itself, so that what a later one deletes or overwrites is read too; every platform;
//! configs, histories, manifests and attestations. Nothing is extracted and nothing that an image names is followed out of
//! it. Where the parts lie is for [`Blobs`] to say: a folder, an archive, a registry.

mod blobs;
mod checked;
mod config;
mod layer;
mod local;
mod manifest;
mod names;
mod plan;
mod saved;
#[cfg(test)]
mod tests;

use std::io::Read;
use std::sync::OnceLock;

pub use blobs::{At, Blobs, Digest};
pub use local::{Archive, Folder};
pub use manifest::Platform;

use crate::model::{LayerPlace, Provenance};
use crate::source::{Entry, Visit};
use names::Names;

/// Which images of several.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Only that platform's; else every one.
    pub platform: Option<Platform>,
    /// Only those with that tag in the index; else every one, and what no index names.
    pub tag: Option<String>,
}

/// An image, or several in one place, whose manifests were read and whose layers were not.
pub struct Image<'b> {
    name: String,
    blobs: &'b dyn Blobs,
    units: Vec<Unit>,
    /// Of each image the units that are its layers, the lowest first.
    stacks: Vec<Vec<usize>>,
    /// What each layer does to those below it, once it was read.
    names: Vec<OnceLock<Names>>,
}

/// Something to read by itself: a layer, a config, a manifest.
#[derive(Debug)]
struct Unit {
    source: Source,
    role: Role,
    /// What it must be, where that is known.
    digest: Option<Digest>,
    size: Option<u64>,
    provenance: Provenance,
}

#[derive(Debug)]
enum Source {
    At(At),
    /// Read already.
    Bytes(Vec<u8>),
}

#[derive(Debug)]
enum Role {
    /// A layer. Whether its digest is that of the bytes once unpacked, and whether it may be missing.
    Layer { unpacked: bool, foreign: bool },
    /// An image's config.
    Config,
    /// Anything else, with its name.
    Other(String),
}

impl<'b> Image<'b> {
    /// Reads the index and manifests of an image on disk. What is wrong with them is told to `visit`.
    pub fn local(name: &str, blobs: &'b dyn Blobs, wanted: &Wanted, visit: &mut dyn Visit) -> Self {
        plan::local(name, blobs, wanted, visit)
    }

    /// The same from a manifest or index that was fetched.
    pub fn remote(name: &str, blobs: &'b dyn Blobs, root: Vec<u8>, wanted: &Wanted, visit: &mut dyn Visit) -> Self {
        plan::remote(name, blobs, root, (wanted, visit))
    }

    /// How many units there are.
    pub fn units(&self) -> usize {
        self.units.len()
    }

    /// The digest of a unit that a place can name: a layer, a config.
    pub fn digest(&self, unit: usize) -> Option<&str> {
        if let Provenance::Layer(place) = &self.units[unit].provenance { Some(&place.layer) } else { None }
    }

    /// The digest of a unit that is a layer.
    pub fn layer(&self, unit: usize) -> Option<&str> {
        match (&self.units[unit].role, &self.units[unit].provenance) {
            (Role::Layer { .. }, Provenance::Layer(place)) => Some(&place.layer),
            _ => None,
        }
    }

    /// Reads one unit. False when it could not be read whole; `visit` was told why.
    pub fn read(&self, unit: usize, visit: &mut dyn Visit) -> bool {
        let this = &self.units[unit];
        match &this.source {
            Source::Bytes(bytes) => self.bytes(this, bytes, visit),
            Source::At(at) => {
                let mut names = Names::default();
                let whole = match self.blobs.open(at) {
                    Ok(Some(reader)) => layer::read(&self.name, this, (reader, &mut names), visit),
                    Ok(None) => self.missing(this, visit),
                    Err(error) => {
                        visit.trouble(&self.shown(this), &error.to_string());
                        false
                    }
                };
                // Set once: a unit is read once.
                let _ = self.names[unit].set(names);
                whole
            }
        }
    }

    /// What a layer does to the layers below it, to be kept for [`Image::recall`].
    pub fn names_of(&self, unit: usize) -> Vec<u8> {
        self.names[unit].get().map(Names::to_bytes).unwrap_or_default()
    }

    /// Instead of reading a layer again: what it does to those below it.
    pub fn recall(&self, unit: usize, names: &[u8]) {
        let _ = self.names[unit].set(Names::from_bytes(names));
    }

    /// Whether a file of that layer cannot be seen in any image that has the layer, because later layers delete or overwrite
    /// it. `shown` is its path as it was shown. Asked once everything was read.
    pub fn is_hidden(&self, place: &LayerPlace, shown: &str) -> bool {
        let Some(path) = self.path_within(place, shown) else { return false };
        let is_it = |unit: &usize| self.layer(*unit) == Some(&place.layer);
        let mut holding =
            self.stacks.iter().filter_map(|stack| Some(&stack[stack.iter().rposition(is_it)? + 1..])).peekable();
        let hides = |unit: &usize| self.names[*unit].get().is_some_and(|names| names.hides(path));
        holding.peek().is_some() && holding.all(|later| later.iter().any(hides))
    }

    fn path_within<'p>(&self, place: &LayerPlace, shown: &'p str) -> Option<&'p str> {
        let mut path = shown.strip_prefix(&self.name)?.strip_prefix('!')?;
        for member in place.member.iter().rev() {
            path = path.strip_suffix(member)?.strip_suffix('!')?;
        }
        Some(path)
    }

    fn bytes(&self, unit: &Unit, bytes: &[u8], visit: &mut dyn Visit) -> bool {
        let mut push = |name: &str, mut bytes: &[u8]| {
            let path = format!("{}!{name}", self.name);
            visit.file(&Entry { path: &path, provenance: &unit.provenance }, &mut bytes as &mut dyn Read);
        };
        match &unit.role {
            Role::Config => match config::render(bytes) {
                Some(rendered) => {
                    push("config", rendered.settings.as_bytes());
                    push("history", rendered.history.as_bytes());
                }
                None => push("config.json", bytes),
            },
            Role::Other(name) => push(name, bytes),
            Role::Layer { .. } => {}
        }
        true
    }

    fn missing(&self, unit: &Unit, visit: &mut dyn Visit) -> bool {
        if matches!(unit.role, Role::Layer { foreign: true, .. }) {
            visit.skip("layer that the image only points to (foreign)");
        } else {
            visit.trouble(&self.shown(unit), "it is not there");
        }
        false
    }

    fn shown(&self, unit: &Unit) -> String {
        shown(&self.name, unit)
    }
}

/// How a unit is called in messages.
fn shown(image: &str, unit: &Unit) -> String {
    match (&unit.role, &unit.provenance) {
        (Role::Other(name), _) => format!("{image}!{name}"),
        (_, Provenance::Layer(place)) => format!("{image}!{}", place.layer),
        _ => image.to_owned(),
    }
}
