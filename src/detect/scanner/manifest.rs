//! The entries of a Kubernetes Secret: together, so that an id and its secret meet; then each by itself.

use std::sync::Arc;

use super::super::compiled::Entry;
use super::super::generic::judge_single;
use super::super::kind::FileKind;
use super::super::kubernetes;
use super::super::names::meaning;
use super::super::suppress;
use super::anchor::part;
use super::view::{Map, Piece, View};
use super::{DEEPEST, Found, Ranked, Scanner, rank};
use crate::model::{Credential, Encoding, Facts};
use crate::secret::Secret;

impl Scanner<'_> {
    /// Scans the decoded entries of a manifest together, so that an id and its secret meet; then pushes each entry by
    /// itself, to be dropped later where a better detector knows it.
    pub(super) fn extract(&mut self, view: &View<'_>, entry: &Entry, anchor: &std::ops::Range<usize>) {
        let manifest = kubernetes::manifest(view.bytes, anchor);
        if manifest.entries.is_empty() {
            return;
        }
        let encoding = |encoded: bool| {
            let mut encoding = view.encoding.clone();
            encoding.extend(encoded.then_some(Encoding::Base64));
            encoding
        };
        if view.encoding.len() < DEEPEST {
            let (text, pieces) = together(&manifest.entries);
            let map = Map::Entries { entries: &pieces, outer: &view.map };
            let encoding = encoding(manifest.entries.iter().any(|found| found.encoded));
            let kind = FileKind::SETTINGS;
            self.view(&View { bytes: &text, own: 0..text.len(), map, encoding, kind });
        }
        for found in manifest.entries {
            // Ports, hosts and names of queues are kept in Secrets too.
            let reason = match meaning(found.key.as_bytes()) {
                None => judge_single(&found.value),
                // `changePassword`, in what is to be filled in.
                Some(_) if found.value.iter().all(u8::is_ascii_alphabetic) => suppress::weak_word(&found.value),
                Some(_) => None,
            };
            if let Some(reason) = reason {
                let found = Found::Suppressed {
                    detector: Arc::clone(&entry.detector().id),
                    reason,
                    span: view.map.span(&found.span),
                };
                self.found.push(Ranked { found, rank: rank::NOTHING });
                continue;
            }
            let mut facts = Facts::from([("key".to_owned(), found.key)]);
            facts.extend(manifest.name.clone().map(|name| ("secret".to_owned(), name)));
            facts.extend(manifest.namespace.clone().map(|namespace| ("namespace".to_owned(), namespace)));
            let credential = Credential {
                detector: Arc::clone(&entry.detector().id),
                parts: vec![part(entry, 0, Secret::from_vec(found.value), view.map.span(&found.span))],
                facts,
                confidence: entry.detector().confidence,
                partial: false,
                encoding: encoding(found.encoded),
            };
            self.found.push(Ranked { found: Found::Credential(credential), rank: rank::MANIFEST });
        }
    }
}

/// `key: value` lines of a manifest's decoded entries, and where each value came from.
fn together(entries: &[kubernetes::Entry]) -> (Vec<u8>, Vec<Piece>) {
    let (mut text, mut pieces) = (Vec::new(), Vec::new());
    for entry in entries {
        text.extend_from_slice(entry.key.as_bytes());
        text.extend_from_slice(b": ");
        let start = text.len();
        text.extend_from_slice(&entry.value);
        pieces.push(Piece {
            at: start..text.len(),
            original: entry.span.start,
            encoded: entry.encoded.then_some(Encoding::Base64),
        });
        text.push(b'\n');
    }
    (text, pieces)
}
