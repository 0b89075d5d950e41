//! What the scanned tree itself says: which workload is given which value. One reader a file; all of them pure.

mod codeowners;
mod compose;
mod dotenv;
mod kubernetes;
mod yaml;

use std::collections::BTreeMap;
use std::ops::Range;

use crate::model::{Finding, Occurrence};
use crate::secret::{Fingerprint, FingerprintKey};

/// Larger manifests are passed over, and said.
const LARGEST: usize = 5 << 20;

/// A value that an artefact holds: where, and under which fingerprint. Never the value itself.
#[derive(Debug, Clone)]
struct Value {
    fingerprint: Fingerprint,
    span: Range<u64>,
    line: usize,
}

/// Everything read so far.
pub struct Artefacts<'k> {
    key: &'k FingerprintKey,
    kubernetes: kubernetes::Objects,
    compose: Vec<compose::File>,
    dotenv: BTreeMap<String, dotenv::File>,
    codeowners: Vec<codeowners::File>,
    /// What could not be read: reason → how many.
    pub passed_over: BTreeMap<&'static str, u64>,
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The folder of a path, with its slash; empty at the top.
fn folder_of(path: &str) -> &str {
    &path[..path.len() - name_of(path).len()]
}

fn is_yaml(path: &str) -> bool {
    [".yaml", ".yml", ".json"].iter().any(|ending| path.ends_with(ending))
}

impl Value {
    /// Whether one of the finding's parts is this very value, or was found inside it.
    fn holds(&self, path: &str, finding: &Finding) -> bool {
        let same = || finding.parts.iter().any(|part| part.fingerprints.contains(&self.fingerprint));
        let inside = |place: &Occurrence| {
            let within = |start: u64, end: u64| self.span.start <= start && end <= self.span.end;
            place.path == path && place.parts.iter().any(|part| within(part.location.byte_start, part.location.byte_end))
        };
        same() || finding.occurrences.iter().any(inside)
    }
}

impl<'k> Artefacts<'k> {
    /// Nothing read yet. `key` is the one under which the findings' fingerprints were made.
    pub fn new(key: &'k FingerprintKey) -> Self {
        Self {
            key,
            kubernetes: kubernetes::Objects::default(),
            compose: Vec::new(),
            dotenv: BTreeMap::new(),
            codeowners: Vec::new(),
            passed_over: BTreeMap::new(),
        }
    }

    /// Whether a file of that path may say something.
    pub fn wants(path: &str) -> bool {
        is_yaml(path) || codeowners::is_one(path) || dotenv::is_one(name_of(path))
    }

    /// Reads a file. Never fails: what cannot be read is counted.
    pub fn read(&mut self, path: &str, bytes: &[u8]) {
        let outcome = if bytes.len() > LARGEST {
            Err("manifest too large to read")
        } else if let Ok(text) = std::str::from_utf8(bytes) {
            self.read_text(path, text)
        } else {
            Err("manifest that is not text")
        };
        if let Err(reason) = outcome {
            *self.passed_over.entry(reason).or_default() += 1;
        }
    }

    fn read_text(&mut self, path: &str, text: &str) -> Result<(), &'static str> {
        if codeowners::is_one(path) {
            self.codeowners.push(codeowners::File::read(path, text));
        } else if dotenv::is_one(name_of(path)) {
            self.dotenv.insert(path.to_owned(), dotenv::File::read(text));
        } else if compose::is_one(name_of(path)) {
            let documents = yaml::read(text)?;
            self.compose.extend(documents.first().map(|document| compose::File::read(path, document, self.key)));
        } else if text.contains("kind") && (text.contains("apiVersion") || text.contains("\"apiVersion\"")) {
            for document in yaml::read(text)? {
                self.kubernetes.read(path, &document, self.key, 0);
            }
        }
        Ok(())
    }

    /// Adds to a finding every owner that the artefacts prove or suggest.
    pub fn attribute(&self, finding: &mut Finding) {
        let mut owners = self.kubernetes.owners(finding);
        owners.extend(self.compose.iter().flat_map(|file| file.owners(finding, &self.dotenv)));
        // The deepest CODEOWNERS above a place speaks for it; of several in one repository, the first place GitHub looks in.
        for place in &finding.occurrences {
            let above = self.codeowners.iter().filter(|file| place.path.starts_with(&file.root));
            let nearest = above.max_by_key(|file| (file.root.len(), file.rank));
            owners.extend(nearest.into_iter().flat_map(|file| file.owners(&place.path)));
        }
        for owner in owners {
            super::add(finding, owner);
        }
    }
}

#[cfg(test)]
mod tests;
