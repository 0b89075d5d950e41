//! A buffer under scrutiny, and how places in it become places in the original.

use std::ops::Range;

use super::super::decode;
use super::super::kind::FileKind;
use crate::model::Encoding;

/// A buffer under scrutiny: the blob itself or something decoded from it.
pub(super) struct View<'v> {
    pub(super) bytes: &'v [u8],
    pub(super) own: Range<usize>,
    pub(super) map: Map<'v>,
    pub(super) encoding: Vec<Encoding>,
    pub(super) kind: FileKind,
}

/// How offsets of a view become offsets of the original.
#[derive(Clone, Copy)]
pub(super) enum Map<'v> {
    Offset(u64),
    Base64 {
        first: usize,
        outer: &'v Map<'v>,
    },
    /// Two bytes for one: hex, UTF-16.
    Pairs {
        first: usize,
        outer: &'v Map<'v>,
    },
    /// The entries of a manifest, one a line.
    Entries {
        entries: &'v [Piece],
        outer: &'v Map<'v>,
    },
    /// Stretches that were copied; between them stood escapes or joints.
    Stretches {
        stretches: &'v [(usize, usize)],
        outer: &'v Map<'v>,
    },
}

/// An entry's value within the text that was made of a manifest.
pub(super) struct Piece {
    pub(super) at: Range<usize>,
    /// Where the value, or its base64, begins in the manifest.
    pub(super) original: usize,
    pub(super) encoded: Option<Encoding>,
}

impl Map<'_> {
    pub(super) fn span(&self, span: &Range<usize>) -> Range<u64> {
        match self {
            Self::Offset(offset) => offset + span.start as u64..offset + span.end as u64,
            Self::Base64 { first, outer } => {
                let chars = decode::chars_of(span);
                outer.span(&(first + chars.start..first + chars.end))
            }
            Self::Pairs { first, outer } => outer.span(&(first + 2 * span.start..first + 2 * span.end)),
            Self::Entries { entries, outer } => {
                let Some(piece) = entries.iter().find(|piece| piece.at.contains(&span.start)) else { return 0..0 };
                let inside = span.start - piece.at.start..span.end.min(piece.at.end) - piece.at.start;
                let inside = match piece.encoded {
                    Some(Encoding::Base64) => decode::chars_of(&inside),
                    Some(Encoding::Hex) => 2 * inside.start..2 * inside.end,
                    _ => inside,
                };
                outer.span(&(piece.original + inside.start..piece.original + inside.end))
            }
            Self::Stretches { stretches, outer } => {
                outer.span(&(original(stretches, span.start)..original(stretches, span.end.saturating_sub(1)) + 1))
            }
        }
    }
}

/// Where the byte at `at` stood: `stretches` pairs the starts of copied stretches with where they were copied from.
pub(super) fn original(stretches: &[(usize, usize)], at: usize) -> usize {
    let next = stretches.partition_point(|(start, _)| *start <= at);
    next.checked_sub(1).map_or(at, |n| stretches[n].1 + (at - stretches[n].0))
}
