//! What a delta says: copy these bytes of the base, insert those. <https://git-scm.com/docs/gitformat-pack>

use super::{GitError, LARGEST};

/// Bytes taken over from the base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Copied {
    /// Where they stand in the base.
    pub(super) from: u32,
    /// Where they stand in the result.
    pub(super) to: u32,
    pub(super) length: u32,
}

/// The size of the base, the size of the result, and where the instructions begin.
pub(super) fn sizes(delta: &[u8]) -> Result<(u64, u64, usize), GitError> {
    let (base, at) = size(delta, 0)?;
    let (result, at) = size(delta, at)?;
    if result > LARGEST {
        return Err(GitError::Corrupt("a delta makes an object that is too large; it was not read"));
    }
    Ok((base, result, at))
}

fn size(delta: &[u8], mut at: usize) -> Result<(u64, usize), GitError> {
    let (mut size, mut shift) = (0u64, 0);
    loop {
        let &byte = delta.get(at).ok_or(GitError::Corrupt("a delta is cut off"))?;
        at += 1;
        if shift > 56 {
            return Err(GitError::Corrupt("a delta's size is out of bounds"));
        }
        size |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return Ok((size, at));
        }
    }
}

/// Applies the delta. Writes the result to `out` and what was copied to `copies`; copies that go on where the last one ended,
/// here and there, are one.
pub(super) fn apply(base: &[u8], delta: &[u8], out: &mut Vec<u8>, copies: &mut Vec<Copied>) -> Result<(), GitError> {
    // Made where they are needed alone: there are millions of instructions.
    let bounds = || GitError::Corrupt("a delta reaches out of its base");
    let cut = || GitError::Corrupt("a delta is cut off");
    let (base_size, result, mut at) = sizes(delta)?;
    out.clear();
    copies.clear();
    if base_size != base.len() as u64 {
        return Err(GitError::Corrupt("a delta belongs to another base"));
    }
    out.reserve_exact(result as usize);
    while at < delta.len() {
        let code = delta[at];
        at += 1;
        if code & 0x80 == 0 {
            let insert = delta.get(at..at + code as usize).filter(|_| code != 0).ok_or_else(cut)?;
            at += code as usize;
            out.extend_from_slice(insert);
        } else {
            let mut numbers = [0u8; 7];
            for (bit, number) in numbers.iter_mut().enumerate() {
                if code >> bit & 1 == 1 {
                    *number = *delta.get(at).ok_or_else(cut)?;
                    at += 1;
                }
            }
            let from = u32::from_le_bytes([numbers[0], numbers[1], numbers[2], numbers[3]]);
            let length = u32::from_le_bytes([numbers[4], numbers[5], numbers[6], 0]);
            let length = if length == 0 { 0x1_0000 } else { length };
            let piece = base.get(from as usize..from as usize + length as usize).ok_or_else(bounds)?;
            record(copies, Copied { from, to: out.len() as u32, length });
            out.extend_from_slice(piece);
        }
        if out.len() as u64 > result {
            return Err(GitError::Corrupt("a delta makes more than it says"));
        }
    }
    if out.len() as u64 == result { Ok(()) } else { Err(GitError::Corrupt("a delta makes less than it says")) }
}

fn record(copies: &mut Vec<Copied>, next: Copied) {
    match copies.last_mut() {
        Some(last) if last.to + last.length == next.to && last.from + last.length == next.from => last.length += next.length,
        _ => copies.push(next),
    }
}

#[cfg(test)]
mod tests {
    use super::{Copied, apply};

    #[test]
    fn copies_and_inserts() {
        let base = b"0123456789";
        let delta = [10, 9, 0x91, 2, 3, 0x91, 5, 2, 1, b'x', 0x91, 0, 3];
        let (mut out, mut copies) = (Vec::new(), Vec::new());
        apply(base, &delta, &mut out, &mut copies).expect("sound");
        assert_eq!(out, b"23456x012");
        assert_eq!(copies, [Copied { from: 2, to: 0, length: 5 }, Copied { from: 0, to: 6, length: 3 }]);
    }

    #[test]
    fn whatever_is_wrong_is_an_error() {
        let base = b"0123456789";
        for delta in [
            &b""[..],
            &[10],
            &[9, 2, 2, b'a', b'b'],              // another base
            &[10, 1, 2, b'a', b'b'],             // more than it says
            &[10, 3, 2, b'a', b'b'],             // less
            &[10, 3, 3, b'a', b'b'],             // an insert that is cut off
            &[10, 3, 0x91, 8],                   // a copy that is cut off
            &[10, 3, 0x91, 8, 3],                // out of the base
            &[10, 1, 0],                         // reserved
            &[0xff; 12],                         // a size without end
            &[10, 0xff, 0xff, 0xff, 0xff, 0x7f], // too large
        ] {
            assert!(apply(base, delta, &mut Vec::new(), &mut Vec::new()).is_err(), "{delta:?}");
        }
    }
}
