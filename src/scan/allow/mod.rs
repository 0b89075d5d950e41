//! What is found and not reported, because somebody who may say so did: the tree's own file, markers in its lines, and what
//! was known before. Everything allowed is counted; what would have been, were its tree trusted, is reported and counted.

mod digests;
mod known;
mod marker;
mod tree;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use crate::detect::DetectorSet;
use crate::model::{Blob, Credential};
use crate::secret::FingerprintKey;
pub use known::{Baselines, BaselinesError, Loaded};
pub(super) use tree::Tree;
use tree::{Reader, Rules};

/// Why a scan cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum AllowError {
    /// Every mistake of every `.staunch.toml`, a line each.
    #[error("{0}")]
    Trees(String),
}

/// What a finding's place means for it. The reason is how the coverage counts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judged {
    /// Nothing is said of it.
    Stays,
    /// It would be allowed, but whoever says so is not trusted, or it has expired.
    Disregarded(Arc<str>),
    /// It is not reported.
    Allowed(Arc<str>),
}

impl Judged {
    /// The first that allows, else the first that would. All are looked at: each remembers that it was of use.
    fn most(all: impl Iterator<Item = Self>) -> Self {
        all.fold(Self::Stays, Self::or)
    }

    fn or(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Stays, _) | (Self::Disregarded(_), Self::Allowed(_)) => other,
            _ => self,
        }
    }
}

/// Whether markers in lines are looked for, and count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inline {
    Ignored,
    Counted,
    Honoured,
}

/// How much of what the targets say is believed.
#[derive(Clone, Copy)]
pub struct Trust<'t> {
    /// Their `.staunch.toml` and their markers count.
    pub trees: bool,
    /// Their markers count, where `trees` do.
    pub inline: bool,
    /// The detectors that may be named.
    pub set: &'t DetectorSet,
    /// The key of the fingerprints that may be named.
    pub key: &'t FingerprintKey,
    /// Decides what has expired.
    pub now: Timestamp,
}

/// What is allowed where.
pub struct Allowing<'t> {
    inline: Inline,
    key: Option<&'t FingerprintKey>,
    trees: BTreeMap<PathBuf, Tree>,
    rules: Vec<Arc<Rules>>,
    remarks: Vec<String>,
}

impl<'t> Allowing<'t> {
    /// Nothing is, and nobody is asked: for reading a finding's places again.
    pub fn nothing(targets: &[PathBuf]) -> Self {
        let trees = targets.iter().map(|target| (target.clone(), Tree::bare(target))).collect();
        Self { inline: Inline::Ignored, key: None, trees, rules: Vec::new(), remarks: Vec::new() }
    }

    /// Reads what the trees of these targets allow.
    ///
    /// # Errors
    /// When a `.staunch.toml` of a trusted tree has mistakes or cannot be read.
    pub fn read(targets: &[PathBuf], trust: &Trust<'t>) -> Result<Self, AllowError> {
        let today = trust.now.to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
        let mut reader = Reader::new(trust.set, trust.trees, today);
        let trees = targets.iter().map(|target| (target.clone(), reader.tree(target))).collect();
        let inline = if trust.trees && trust.inline { Inline::Honoured } else { Inline::Counted };
        let (rules, remarks) = reader.done()?;
        Ok(Self { inline, key: Some(trust.key), trees, rules, remarks })
    }

    /// What the operator should know before the scan: entries that have expired, files that do not count.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// Entries that nothing was found for, in words. To be asked when the scan is done.
    pub fn unused(&self) -> Vec<String> {
        self.rules.iter().flat_map(|rules| rules.unused()).collect()
    }

    /// The tree of a target.
    pub(super) fn tree(&self, target: &Path) -> Option<&Tree> {
        self.trees.get(target)
    }

    /// Whether a credential found in `blob`, at `place`, is reported.
    pub(super) fn judge(&self, credential: &Credential, (blob, reach): (&Blob<'_>, usize), place: &Place<'_>) -> Judged {
        let by_tree = place.rules().map_or(Judged::Stays, |(rules, entries)| {
            let print = || Some(self.key?.fingerprint(credential.identifying()?.value.expose()));
            rules.allows(entries, &credential.detector, &print)
        });
        if self.inline == Inline::Ignored || matches!(by_tree, Judged::Allowed(_)) {
            return by_tree;
        }
        let by_marker = match marker::marker(blob, credential, reach) {
            None => Judged::Stays,
            Some(marker) if self.inline == Inline::Honoured => Judged::Allowed(marker.into()),
            Some(marker) => Judged::Disregarded(marker.into()),
        };
        by_tree.or(by_marker)
    }
}

/// A file that is being read, as its tree knows it. Worked out only where something is found.
pub(super) struct Place<'p> {
    tree: Option<&'p Tree>,
    full: Option<&'p Path>,
    /// How the file is shown.
    shown: &'p str,
    /// So much of that leads to a repository below the target.
    above: usize,
    entries: OnceCell<Vec<usize>>,
    spot: OnceCell<Arc<Spot>>,
}

/// A file, however anyone may call it.
#[derive(Debug)]
pub(super) struct Spot {
    /// In full.
    pub(super) full: PathBuf,
    /// From the root of its repository.
    pub(super) inside: Option<PathBuf>,
}

impl<'p> Place<'p> {
    /// Standard input: in no tree.
    pub(super) fn nowhere() -> Self {
        Self { tree: None, full: None, shown: "", above: 0, entries: OnceCell::new(), spot: OnceCell::new() }
    }

    /// A file of a target's tree.
    pub(super) fn file(tree: Option<&'p Tree>, walked: &'p Path, shown: &'p str) -> Self {
        let full = tree.map(|tree| tree.full(walked));
        Self { tree, full, shown, above: 0, entries: OnceCell::new(), spot: OnceCell::new() }
    }

    /// The same, of a repository below the target to which so many bytes of its path lead.
    pub(super) fn of_repository(self, above: usize) -> Self {
        Self { above, ..self }
    }

    /// By which path it is told what a file is for, that is shown as `path`: it, or a member of the archive that it is.
    pub(super) fn inside<'a>(&self, path: &'a str) -> Cow<'a, str> {
        if self.above > 0 && path.starts_with(self.shown) {
            return Cow::Borrowed(path.get(self.above..).unwrap_or(path));
        }
        let below = self.tree.zip(self.full).and_then(|(tree, full)| tree.below(full));
        match below.zip(path.strip_prefix(self.shown)) {
            Some((below, member)) => {
                let below = below.to_string_lossy();
                let below = if std::path::MAIN_SEPARATOR == '/' {
                    below
                } else {
                    below.replace(std::path::MAIN_SEPARATOR, "/").into()
                };
                Cow::Owned(format!("{below}{member}"))
            }
            None => Cow::Borrowed(path),
        }
    }

    /// The rules of its tree, and those of the entries that may hold here.
    fn rules(&self) -> Option<(&Rules, &[usize])> {
        let rules = self.tree?.rules.as_deref()?;
        let full = self.full?;
        Some((rules, self.entries.get_or_init(|| rules.of_file(full))))
    }

    pub(super) fn spot(&self) -> Option<Arc<Spot>> {
        let full = self.full?;
        let spot = || {
            let repository = self.tree.and_then(|tree| tree.repository.as_deref());
            let inside = repository.and_then(|root| full.strip_prefix(root).ok()).map(Path::to_owned);
            Arc::new(Spot { full: full.to_owned(), inside })
        };
        Some(Arc::clone(self.spot.get_or_init(spot)))
    }
}

#[cfg(test)]
mod tests;
