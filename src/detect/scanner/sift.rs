//! Looking at bytes of which the path is not known yet, and of which only a part is new: an object of a repository's history.

use std::ops::Range;

use super::super::compiled::Entry;
use super::super::escapes::{AFTER, BEFORE, Rewritten};
use super::super::kind::FileKind;
use super::super::{LEAD, NEAR, REACH};
use super::view::View;
use super::{Found, Scanner};
use crate::model::{Blob, Clue, Confidence};

/// Bytes that rewriting may leave out between an escape and what it leads to.
const SLACK: usize = 200;

impl Scanner<'_> {
    /// Pushes the place of everything that `scan` would find in these bytes under some path, with `least` confidence or more:
    /// where a blob's path is not known yet. May push more than that. The second value is false for a place where nothing is
    /// found, but something might be if bytes farther away than [`NEAR`] and not than the reach were others.
    ///
    /// `clues` are all that stand in the blob, by places in the original; `None` where that is not known.
    pub fn sift(
        &mut self,
        blob: &Blob<'_>,
        (clues, least): (Option<&[Clue]>, Confidence),
        push: &mut dyn FnMut(Range<u64>, bool),
    ) {
        self.any_kind = true;
        self.given = clues.map(<[Clue]>::to_vec);
        self.views(blob);
        self.any_kind = false;
        for (span, is_found) in self.long.drain(..) {
            push(span, is_found);
        }
        for ranked in self.found.drain(..) {
            match &ranked.found {
                Found::Credential(credential) => {
                    let is_found = credential.confidence >= least;
                    credential.parts.first().into_iter().for_each(|part| push(part.span.clone(), is_found));
                }
                Found::Suppressed { span, .. } => push(span.clone(), false),
            }
        }
    }

    /// Where what leads to anchors in a view's own part may stand.
    pub(super) fn around(&self, view: &View<'_>) -> Range<usize> {
        // A scan counts anchors in all of the margin, to see where they crowd; what is sifted may have too many parts.
        let margin = if self.any_kind { LEAD } else { REACH };
        view.own.start.saturating_sub(margin)..view.bytes.len().min(view.own.end + margin)
    }

    /// Where escapes and joints may stand that matter to a view's own part.
    pub(super) fn marked(&self, view: &View<'_>) -> Range<usize> {
        let (before, behind) = if self.any_kind { (AFTER + SLACK, BEFORE + SLACK) } else { (REACH, REACH) };
        view.own.start.saturating_sub(before)..view.bytes.len().min(view.own.end + behind)
    }

    /// Where what is found in a rewritten text may begin, in the view.
    pub(super) fn clipped(&self, view: &View<'_>, text: &Rewritten) -> Range<usize> {
        // What a new escape leads to may stand farther from it than is near.
        let slack = if self.any_kind { BEFORE } else { 0 };
        text.own.start.max(view.own.start.saturating_sub(slack))..text.own.end.min(view.own.end + slack)
    }

    /// What is encoded leads to anything in it, however far away.
    pub(super) fn note_encoded(&mut self, view: &View<'_>, hit: usize) {
        if self.any_kind {
            self.long.push((view.map.span(&(hit..hit + 1)), false));
        }
    }

    /// What may be so long that whether it is there depends on bytes far away.
    pub(super) fn note_long(&mut self, view: &View<'_>, entry: &Entry, hit: Range<usize>) {
        let is_long = *entry.rule(0).length.end() > NEAR - LEAD || entry.anchor.extract.is_some();
        if self.any_kind && is_long && view.own.contains(&hit.start) {
            self.long.push((view.map.span(&hit), false));
        }
    }

    /// The kind of a file; every one that it may be, where that is not known yet.
    pub(super) fn kinds(&self, kind: FileKind) -> impl Iterator<Item = FileKind> + use<> {
        let others = FileKind::SYNTAXES.into_iter().filter(move |syntax| *syntax != kind.syntax);
        let others = others.map(move |syntax| FileKind { syntax, ..kind });
        std::iter::once(kind).chain(others).take(if self.any_kind { FileKind::SYNTAXES.len() } else { 1 })
    }
}
