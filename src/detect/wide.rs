//! Texts of two bytes a character, made plain: whole files in UTF-16, and what stands so in programs; and whole files in UTF-32.

use std::ops::Range;

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

/// The same of UTF-32, from what it begins with, or from what its first characters look like: places are quarters.
pub(super) fn utf32(blob: &Blob<'_>) -> Option<Vec<u8>> {
    let bytes = blob.bytes;
    let marked = blob.offset == 0 && (bytes.starts_with(&[0xff, 0xfe, 0, 0]) || bytes.starts_with(&[0, 0, 0xfe, 0xff]));
    let head = bytes.get(..bytes.len().min(64) / 4 * 4).filter(|head| head.len() >= 8)?;
    // Nearly all of the head is plain; a margin may begin anywhere, and does where windows do: on a multiple of four.
    let plain_at = |at: usize| {
        let is_plain = |four: &[u8]| four.iter().enumerate().all(|(n, &byte)| (n == at) == (byte != 0)) && four[at] < 0x80;
        head.chunks_exact(4).filter(|four| is_plain(four)).count() * 8 >= head.len() / 4 * 7
    };
    let at = if marked { usize::from(bytes[0] == 0) * 3 } else { [0, 3].into_iter().find(|&at| plain_at(at))? };
    let zeros = [0, 1, 2, 3].map(|n| n != at);
    let plain = |four: &[u8]| {
        let is_plain = four.iter().zip(zeros).all(|(&byte, is_zero)| !is_zero || byte == 0) && four[at] < 0x80;
        if is_plain { four[at] } else { b'?' }
    };
    Some(bytes.chunks_exact(4).map(plain).collect())
}

/// Where, in what is not UTF-16 as a whole, runs of plain characters stand with a zero behind each, as programs for Windows
/// and .NET hold their texts.
pub(super) fn wide_runs(bytes: &[u8]) -> Vec<Range<usize>> {
    let (mut runs, mut at) = (Vec::<Range<usize>>::new(), 0);
    // Most files are texts and hold no zero.
    if memchr::memchr(0, bytes).is_none() {
        return runs;
    }
    // The shortest run covers two words of eight bytes, wherever it begins. Programs are full of zeros, so that going from one to
    // the next takes four times as long.
    while let Some(word) = bytes[at..].as_chunks::<8>().0.iter().position(|word| is_spaced(u64::from_le_bytes(*word))) {
        let first = at + 8 * word;
        at = first + 8;
        // A character in the word, and the zero behind it.
        let inside = first + usize::from(bytes[first] == 0);
        let is_pair = |at: usize| bytes.get(at..at + 2).is_some_and(|pair| pair[1] == 0 && is_plain(pair[0]));
        if !is_pair(inside) {
            continue;
        }
        let before = (1..=inside / 2).take_while(|n| is_pair(inside - 2 * n)).count();
        let start = inside - 2 * before;
        let pairs = before + (0..=bytes.len() / 2).take_while(|n| is_pair(inside + 2 * n)).count();
        if pairs >= SHORTEST {
            runs.push(start..start + 2 * pairs);
        }
        // Words begin where they did.
        at = at.max((start + 2 * pairs).next_multiple_of(8)).min(bytes.len());
    }
    runs
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')
}

/// Whether every other byte is zero, and not all are.
fn is_spaced(word: u64) -> bool {
    const EVEN: u64 = 0x00ff_00ff_00ff_00ff;
    (word & EVEN == 0) != (word & !EVEN == 0)
}

/// A run of [`wide_runs`] as text of one byte a character.
pub(super) fn narrow(run: &[u8]) -> Vec<u8> {
    run.iter().step_by(2).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::{narrow, utf16, utf32, wide_runs};
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
    fn four_bytes_a_character_too() {
        for bom in [true, false] {
            for big in [true, false] {
                let all = bom.then_some('\u{feff}').into_iter().chain("key = abcdefghijklmnop é".chars());
                let bytes = |c: char| if big { u32::from(c).to_be_bytes() } else { u32::from(c).to_le_bytes() };
                let text: Vec<u8> = all.flat_map(bytes).collect();
                let got = utf32(&Blob::whole("x", &text)).expect("UTF-32");
                assert!(got.ends_with(b"key = abcdefghijklmnop ?"), "{bom} {big}");
            }
        }
        let wide: Vec<u8> = "key = abcdef".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for none in [&b"plain text, and enough of it"[..], &wide, &[0; 64], &[0xff, 0xfe, b'a', 0, b'b', 0, b'c', 0]] {
            assert!(utf32(&Blob::whole("x", none)).is_none());
        }
    }

    proptest::proptest! {
        #[test]
        fn each_longest_row_of_pairs_is_a_run(bytes in proptest::collection::vec(piece(), 0..40)) {
            let bytes = bytes.concat();
            let is_pair = |at: usize| bytes.get(at..at + 2).is_some_and(|pair| pair[1] == 0 && super::is_plain(pair[0]));
            let starts = (0..bytes.len()).filter(|&at| is_pair(at) && (at < 2 || !is_pair(at - 2)));
            let rows = starts.map(|at| at..at + 2 * (0..=bytes.len() / 2).take_while(|n| is_pair(at + 2 * n)).count());
            let rows: Vec<_> = rows.filter(|row| row.len() >= 2 * super::SHORTEST).collect();
            proptest::prop_assert_eq!(wide_runs(&bytes), rows);
        }
    }

    fn piece() -> impl proptest::strategy::Strategy<Value = Vec<u8>> {
        use proptest::prelude::{Just, Strategy, prop_oneof};
        let wide = |text: String| text.bytes().flat_map(|byte| [byte, 0]).collect::<Vec<u8>>();
        prop_oneof![
            "[a-z ]{1,20}".prop_map(wide),
            Just(vec![0]),
            Just(vec![0, 0, 0]),
            Just(vec![0x80, 0]),
            proptest::collection::vec(proptest::num::u8::ANY, 0..9),
        ]
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
