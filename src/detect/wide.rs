//! Texts of two bytes a character, made plain: whole files in UTF-16, and what stands so in programs.

use std::ops::Range;

use memchr::memchr;

use crate::model::Blob;

/// Shorter runs in a program hold no key.
const SHORTEST: usize = 12;

/// A blob in UTF-16 as text of one byte a character: places are halves. What is not ASCII becomes `?`, which no key holds.
pub(super) fn utf16(blob: &Blob<'_>) -> Option<Vec<u8>> {
    let bytes = blob.bytes;
    let marked = blob.offset == 0 && (bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]));
    let head = bytes.get(..bytes.len().min(64) / 2 * 2).filter(|head| head.len() >= 8)?;
    let zeros =
        |odd: usize| head.chunks_exact(2).filter(|pair| pair[odd] == 0 && pair[1 - odd] != 0).count() * 4 >= head.len();
    if !marked && !zeros(0) && !zeros(1) {
        return None;
    }
    let high = usize::from(if marked { bytes[0] == 0xff } else { zeros(1) });
    let plain = |pair: &[u8]| if pair[high] == 0 && pair[1 - high] < 0x80 { pair[1 - high] } else { b'?' };
    Some(bytes.chunks_exact(2).map(plain).collect())
}

/// Where, in what is not UTF-16 as a whole, runs of plain characters stand with a zero behind each, as programs for Windows
/// and .NET hold their texts.
pub(super) fn wide_runs(bytes: &[u8]) -> Vec<Range<usize>> {
    let plain = |byte: u8| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r');
    let (mut runs, mut at) = (Vec::new(), 0);
    while let Some(zero) = memchr(0, &bytes[at..]).map(|n| at + n) {
        let start = zero.saturating_sub(1);
        let pairs = bytes[start..].chunks_exact(2).take_while(|pair| pair[1] == 0 && plain(pair[0])).count();
        if pairs >= SHORTEST {
            runs.push(start..start + 2 * pairs);
        }
        at = (start + 2 * pairs).max(zero + 1);
        // Programs are full of zeros.
        at += bytes[at..].iter().take_while(|byte| **byte == 0).count();
    }
    runs
}

/// A run of [`wide_runs`] as text of one byte a character.
pub(super) fn narrow(run: &[u8]) -> Vec<u8> {
    run.iter().step_by(2).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::{narrow, utf16, wide_runs};
    use crate::model::Blob;

    #[test]
    fn wide_characters_become_narrow_ones() {
        let wide = |text: &str, bom: bool| {
            let units = bom.then_some(0xfeff).into_iter().chain(text.encode_utf16());
            units.flat_map(u16::to_le_bytes).collect::<Vec<u8>>()
        };
        for bom in [true, false] {
            let text = wide("key = abcdef é", bom);
            let got = utf16(&Blob::whole("x", &text)).expect("UTF-16");
            assert!(got.ends_with(b"key = abcdef ?"));
        }
        assert!(utf16(&Blob::whole("x", b"plain text, and enough of it")).is_none());
        assert!(utf16(&Blob::whole("x", &[0; 64])).is_none());
    }

    #[test]
    fn wide_runs_are_found_at_any_place_and_in_no_time() {
        let wide: Vec<u8> = "password=abcdef".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for before in [&b""[..], b"\x7fELF", b"MZ\x90\0\x03\0\0", b"odd"] {
            for after in [&b""[..], b"\xff", b"\0\0\0", b"x"] {
                let bytes = [before, &wide, after].concat();
                let runs = wide_runs(&bytes);
                let [run] = runs.as_slice() else { panic!("{runs:?} in {bytes:?}") };
                assert_eq!(narrow(&bytes[run.clone()]), b"password=abcdef", "{bytes:?}");
            }
        }
        for none in [vec![0; 1 << 20], b"a\0".repeat(11), b"\x80\0".repeat(100), b"plain text".to_vec()] {
            assert!(wide_runs(&none).is_empty());
        }
    }
}
