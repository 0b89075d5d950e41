//! Every format is in the list, and survives any bytes.

use std::path::Path;

use proptest::prelude::*;

use super::testing::{Zip, deflate, gzip, open, stream, tarred};
use super::{FORMATS, Head, format_of, unread};

#[test]
fn every_format_of_this_folder_is_in_the_list() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/source/archive");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path()).collect();
    files.iter_mut().filter(|path| path.is_dir()).for_each(|path| *path = path.join("mod.rs"));
    let has = |path: &&std::path::PathBuf| {
        let text = std::fs::read_to_string(path).expect("a file");
        path.file_name() != Some("tests.rs".as_ref()) && text.contains("pub(super) const FORMAT: FileFormat =")
    };
    assert_eq!(files.iter().filter(has).count(), FORMATS.len());
    for (at, format) in FORMATS.iter().enumerate() {
        assert!(FORMATS[..at].iter().all(|other| other.name != format.name), "{} stands twice", format.name);
    }
}

#[test]
fn plain_files_are_no_archives() {
    for text in [
        &b""[..],
        b"P",
        b"PK is a name",
        b"070701 is a number, and there is text behind it",
        b"!<arch",
        b"BZh9",
        b"a\nb\n",
        &[0; 600],
    ] {
        let head = Head { bytes: text, is_whole: true };
        assert!(format_of(&head).is_none() && unread(text).is_none(), "{}", String::from_utf8_lossy(text));
    }
    assert!(unread(b"Rar!\x1a\x07\x01\0").is_some());
}

/// An archive of each format, with `text` in it.
fn samples(text: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let ar = |name: &str, text: &[u8]| {
        let even = if text.len() % 2 == 1 { "\n" } else { "" };
        [format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 644, text.len()).as_bytes(), text, even.as_bytes()]
            .concat()
    };
    let cpio = |name: &str, text: &[u8]| {
        let mode = if name == "TRAILER!!!" { 0 } else { 0o100_644 };
        let numbers = [1, mode, 0, 0, 1, 0, text.len(), 0, 0, 0, 0, name.len() + 1, 0];
        let mut out = numbers.iter().fold("070701".to_owned(), |out, number| format!("{out}{number:08X}")).into_bytes();
        out.extend([name.as_bytes(), b"\0"].concat());
        out.resize(out.len().next_multiple_of(4), 0);
        out.extend(text);
        out.resize(out.len().next_multiple_of(4), 0);
        out
    };
    let cpio = [cpio("b.txt", text), cpio("TRAILER!!!", b"")].concat();
    let head = [&[0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0][..], &1u32.to_be_bytes(), &4u32.to_be_bytes(), &[7; 20]].concat();
    let rpm = [&[0xed, 0xab, 0xee, 0xdb][..], &[0; 92], &head, &[0; 4], &head, &gzip(&cpio)].concat();
    let zlib = {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, text).expect("in memory");
        encoder.finish().expect("in memory")
    };
    let pdf = [b"%PDF-1.5\n1 0 obj\n<< /Filter /FlateDecode >>\nstream\n", &*zlib, b"\nendstream\nendobj\n%%EOF"].concat();
    vec![
        ("ZIP", Zip::default().add("b.txt", text, (8, 0)).done()),
        ("compressed stream", gzip(text)),
        ("tar", tarred(b"b.txt", b'0', (text, text.len() as u64))),
        (
            "ar",
            [
                b"!<arch>\n",
                &*ar("//", b"a-name-that-is-longer.txt/\n"),
                &ar("/0", text),
                &ar("#1/5", &[b"b.txt", text].concat()),
            ]
            .concat(),
        ),
        ("cpio", cpio),
        ("RPM", rpm),
        ("PDF", pdf),
    ]
}

#[test]
fn what_is_in_each_comes_out_whole_or_streamed() {
    let text = b"some text with a password in it";
    for (name, bytes) in samples(text) {
        for seen in [open("x", &bytes), stream("x", &bytes)] {
            let seen = seen.expect(name);
            assert_eq!(seen.said(), "", "{name}");
            assert!(seen.files.iter().any(|file| file.1 == text), "{name}: {:?}", seen.names());
        }
    }
}

#[test]
fn a_bomb_in_a_stream_is_bounded() {
    let bomb = gzip(&vec![0; 200 << 20]);
    let seen = open("x.gz", &bomb).expect("gzip");
    assert!(seen.said().contains("expands to more than"), "{}", seen.said());
    assert!(seen.bytes < 70 << 20, "{}", seen.bytes);
    let _unused = deflate(b"");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Sound archives with some bytes changed, some cut off and something behind: whatever comes out, it ends.
    #[test]
    fn any_bytes_end(
        which in 0..7usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
        behind in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let (_, mut bytes) = samples(&b"text ".repeat(300)).swap_remove(which);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len() * 2).max(1));
        bytes.extend(behind);
        for seen in [open("x", &bytes), stream("x", &bytes)].into_iter().flatten() {
            prop_assert!(seen.bytes < 64 << 20);
        }
    }

    #[test]
    fn any_7z_ends(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let bytes = [&[b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, 0, 4][..], &bytes].concat();
        prop_assert!(open("x.7z", &bytes).is_some());
    }
}
