//! What a ZIP says of a member, in its directory and before the member itself.

use crate::source::archive::input::little;

/// Before a member.
pub(super) const LOCAL: &[u8; 4] = b"PK\x03\x04";
/// In the directory.
pub(super) const CENTRAL: &[u8; 4] = b"PK\x01\x02";
/// Length of what stands before a member, without its name.
pub(super) const LOCAL_LENGTH: usize = 30;
/// Length of a line of the directory, without its name.
pub(super) const CENTRAL_LENGTH: usize = 46;

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: u16,
    /// Bytes as they are packed.
    pub(super) packed: u64,
    /// Bytes as they come out.
    pub(super) size: u64,
    /// Where it begins, in the directory's own counting.
    pub(super) at: u64,
    /// Its sizes take eight bytes each.
    pub(super) is_large: bool,
}

impl Member {
    /// A line of the directory; `rest` is what follows its fixed part: name, extra fields, comment.
    pub(super) fn central(fixed: &[u8; CENTRAL_LENGTH], rest: &[u8]) -> Self {
        let names = word(fixed, 28) as usize;
        let mut member = Self {
            name: rest.get(..names).unwrap_or(rest).to_vec(),
            flags: word(fixed, 8),
            method: word(fixed, 10),
            packed: little(&fixed[20..24]),
            size: little(&fixed[24..28]),
            at: little(&fixed[42..46]),
            is_large: false,
        };
        member.widen(rest.get(names..).unwrap_or_default(), true);
        member
    }

    /// What stands before the member; `rest` is its name and extra fields.
    pub(super) fn local(fixed: &[u8; LOCAL_LENGTH], rest: &[u8]) -> Self {
        let names = word(fixed, 26) as usize;
        let mut member = Self {
            name: rest.get(..names).unwrap_or(rest).to_vec(),
            flags: word(fixed, 6),
            method: word(fixed, 8),
            packed: little(&fixed[18..22]),
            size: little(&fixed[22..26]),
            at: 0,
            is_large: false,
        };
        member.widen(rest.get(names..).unwrap_or_default(), false);
        member
    }

    /// Takes what does not fit into four bytes from the extra field for it.
    fn widen(&mut self, mut extra: &[u8], has_place: bool) {
        while let [a, b, c, d, rest @ ..] = extra {
            let (id, length) = (u16::from_le_bytes([*a, *b]), usize::from(u16::from_le_bytes([*c, *d])));
            let mut field = rest.get(..length).unwrap_or(rest);
            if id == 1 {
                self.is_large = true;
                let at = if has_place { Some(&mut self.at) } else { None };
                for number in [Some(&mut self.size), Some(&mut self.packed), at].into_iter().flatten() {
                    if *number == u64::from(u32::MAX) && field.len() >= 8 {
                        *number = little(&field[..8]);
                        field = &field[8..];
                    }
                }
            }
            extra = rest.get(length..).unwrap_or_default();
        }
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.flags & 1 != 0
    }

    /// Its sizes stand behind it.
    pub(super) fn is_described_behind(&self) -> bool {
        self.flags & 8 != 0
    }

    pub(super) fn is_folder(&self) -> bool {
        self.name.ends_with(b"/") && self.packed <= 2
    }
}

/// Two bytes at `at`.
pub(super) fn word(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}
