//! DER as far as private keys need it: elements one after another, borrowed, in one pass, nothing allocated.
//!
//! Not the `der` crate: that is strict, so of a key that was cut short it says "incomplete" and nothing else, while a
//! responder wants to know what is there. Sixty lines without unsafe cost less than a dependency.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BITS: u8 = 0x03;
pub(super) const OCTETS: u8 = 0x04;
pub(super) const OID: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;

/// One element: its contents as far as they are there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element<'b> {
    pub(super) value: &'b [u8],
    /// So many bytes of it are not there. More than none only in what is cut short.
    pub(super) missing: usize,
}

/// Reads elements off the front of some bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'b> {
    pub(super) rest: &'b [u8],
    /// Whether an element may end before its time.
    pub(super) cut: bool,
}

impl<'b> Reader<'b> {
    pub(super) fn new(rest: &'b [u8], cut: bool) -> Self {
        Self { rest, cut }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next element, if it has this tag and its length is consistent; otherwise nothing is read.
    pub(super) fn take(&mut self, tag: u8) -> Option<Element<'b>> {
        let (&first, rest) = self.rest.split_first().filter(|(found, _)| **found == tag)?.1.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            // Four bytes of length are 4 GB; the indefinite form (0x80) is not DER.
            0x81..=0x84 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (digits.iter().fold(0_usize, |sum, digit| (sum << 8) | usize::from(*digit)), rest)
            }
            _ => return None,
        };
        let missing = length.saturating_sub(rest.len());
        if missing > 0 && !self.cut {
            return None;
        }
        let (value, rest) = rest.split_at(length - missing);
        self.rest = rest;
        Some(Element { value, missing })
    }

    /// A reader of the next element's contents.
    pub(super) fn enter(&mut self, tag: u8) -> Option<Self> {
        Some(Self { rest: self.take(tag)?.value, cut: self.cut })
    }

    /// The next element, an object identifier, in dots.
    pub(super) fn oid(&mut self) -> Option<String> {
        dotted(self.take(OID).filter(|oid| oid.missing == 0)?.value)
    }
}

/// `1.2.840.113549.1.1.1`. The longest in use here have 11 bytes.
fn dotted(bytes: &[u8]) -> Option<String> {
    let (&first, rest) = bytes.split_first().filter(|_| bytes.len() <= 24)?;
    let mut arcs = vec![(u32::from(first) / 40).min(2), u32::from(first) - 40 * (u32::from(first) / 40).min(2)];
    let mut arc: u32 = 0;
    for &byte in rest {
        arc = arc.checked_mul(128)?.checked_add(u32::from(byte & 0x7f))?;
        if byte & 0x80 == 0 {
            arcs.push(arc);
            arc = 0;
        }
    }
    let ends = rest.last().is_none_or(|last| last & 0x80 == 0);
    ends.then(|| arcs.iter().map(u32::to_string).collect::<Vec<_>>().join("."))
}

/// A number without the zeros before it.
pub(super) fn bare(number: &[u8]) -> &[u8] {
    &number[number.iter().position(|byte| *byte != 0).unwrap_or(number.len())..]
}

/// Bits of a number, of which the last bytes may be missing.
pub(super) fn bits(number: &[u8], missing: usize) -> usize {
    let number = bare(number);
    number.first().map_or(0, |first| (number.len() + missing) * 8 - first.leading_zeros() as usize)
}
