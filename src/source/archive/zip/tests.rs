//! ZIPs that are sound, that lie, and that are cut short.

use crate::source::archive::Limits;
use crate::source::archive::testing::{Zip, open, stream, within};

fn sample() -> Vec<u8> {
    let text = "password and more of it ".repeat(100);
    let mut zip = Zip::default();
    zip.add("a/stored.txt", b"as it stands", (0, 0)).add("packed.txt", text.as_bytes(), (8, 0));
    zip.add("behind.txt", text.as_bytes(), (8, 8)).add("folder/", b"", (0, 0)).add("../../etc/passwd", b"up", (0, 0));
    zip.add("a/stored.txt", b"the same name", (0, 0)).done()
}

#[test]
fn every_member_comes_out_by_the_directory_and_without_it() {
    let names = ["a/stored.txt", "packed.txt", "behind.txt", "../../etc/passwd", "a/stored.txt"];
    let paths = names.map(|name| format!("x.zip!{name}"));
    let whole = open("x.zip", &sample()).expect("a ZIP");
    let large = [sample(), b" ".repeat(17 << 20)].concat();
    let streamed = stream("x.zip", &large).expect("a ZIP");
    for seen in [&whole, &streamed] {
        assert_eq!(seen.names(), paths);
        assert_eq!(seen.said(), "");
        assert_eq!(seen.text("x.zip!packed.txt"), "password and more of it ".repeat(100));
        assert_eq!(seen.text("x.zip!behind.txt"), "password and more of it ".repeat(100));
        assert_eq!(seen.text("x.zip!../../etc/passwd"), "up");
        assert_eq!(seen.files[4].1, b"the same name");
    }
}

#[test]
fn a_program_before_it_and_a_comment_behind_it_do_no_harm() {
    let mut bytes = [b"#!/usr/bin/env python3\n".to_vec(), sample()].concat();
    assert_eq!(open("app.pyz", &bytes).expect("by its end").names().len(), 5);
    bytes = [b"Cr24\x03\0\0\0\x04\0\0\0abcd".to_vec(), sample()].concat();
    assert_eq!(open("a.crx", &bytes).expect("an extension").names().len(), 5);
    let mut bytes = sample();
    let end = bytes.len() - 2;
    bytes[end..].copy_from_slice(&7u16.to_le_bytes());
    bytes.extend(b"PK\x05\x06 !!");
    assert_eq!(open("x.zip", &bytes).expect("a ZIP").names().len(), 5);
}

#[test]
fn wherever_it_is_cut_it_says_so_and_what_was_there_came_out() {
    let sample = sample();
    let mut most = 0;
    for length in 30..sample.len() {
        let seen = open("x.zip", &sample[..length]).expect("a ZIP");
        assert_ne!(seen.said(), "", "cut at {length}");
        most = most.max(seen.files.len());
    }
    assert_eq!(most, 5);
}

#[test]
fn what_cannot_be_read_is_said_by_name() {
    let mut zip = Zip::default();
    zip.add("secret.txt", b"0123456789ab", (0, 1)).add("old.txt", b"x", (9, 0)).add("fine.txt", b"fine", (0, 0));
    let bytes = zip.done();
    for seen in
        [open("x.zip", &bytes).expect("a ZIP"), stream("x.zip", &[bytes, vec![0; 17 << 20]].concat()).expect("a ZIP")]
    {
        assert_eq!(
            seen.said(),
            "x.zip!secret.txt: encrypted; not looked at\nx.zip!old.txt: packed by deflate64, which cannot be read"
        );
        assert_eq!(seen.text("x.zip!fine.txt"), "fine");
    }
}

#[test]
fn lying_sizes_are_harmless() {
    let sizes = |packed: u32, size: u32| [0, packed, size].map(u32::to_le_bytes).concat();
    let mut zip = Zip::default();
    zip.add("a.txt", b"abc", (0, 0));
    let mut bytes = Zip { bytes: zip.bytes.clone(), ..Zip::default() };
    for (packed, size, said) in [
        (3, 9, ""),
        (u32::MAX - 1, 3, "overlap"),
        (20, 3, "larger than the directory says"),
        (3, 0, "larger than the directory says"),
    ] {
        bytes.directory.clear();
        bytes.line("a.txt", (0, 0), &sizes(packed, size), 0);
        let seen = open("x.zip", &bytes.done()).expect("a ZIP");
        assert!(
            seen.said().contains(said) && (!said.is_empty() || seen.said().is_empty()),
            "{packed} {size}: {}",
            seen.said()
        );
        assert!(seen.files.iter().all(|file| file.1.starts_with(b"abc")));
    }
    // A place beyond the end.
    bytes.directory.clear();
    bytes.line("a.txt", (0, 0), &sizes(3, 3), u32::MAX - 7);
    assert!(open("x.zip", &bytes.done()).expect("a ZIP").said().contains("not where the directory says"));
}

#[test]
fn overlapping_members_are_a_bomb_and_end_it() {
    let mut zip = Zip::default();
    zip.add("0", &vec![0; 10 << 20], (8, 0));
    let sizes = zip.directory[16..28].to_vec();
    for n in 1..60_000 {
        zip.line(&n.to_string(), (8, 0), &sizes, 0);
    }
    let seen = open("x.zip", &zip.done()).expect("a ZIP");
    assert!(seen.said().contains("overlap") || seen.said().contains("expands to more"), "{}", seen.said());
    assert!(seen.bytes < 3 << 30, "{}", seen.bytes);
}

#[test]
fn a_million_members_are_read_one_by_one() {
    let mut zip = Zip::default();
    for n in 0..100_000u32 {
        zip.add(&format!("{n}"), b"x", (0, 0));
    }
    // More than its end can say in two bytes.
    let seen = open("x.zip", &zip.done()).expect("a ZIP");
    assert_eq!((seen.files.len(), seen.said().as_str()), (100_000, ""));
}

#[test]
fn a_bomb_is_bounded_by_member_and_by_ratio() {
    let mut zip = Zip::default();
    zip.add("zeros", &vec![0; 20 << 20], (8, 0)).add("after.txt", b"after", (0, 0));
    let limits = Limits { free: 1 << 20, ..Limits::default() };
    let seen = within("x.zip", &zip.done(), (true, limits)).expect("a ZIP");
    assert!(seen.said().contains("expands to more than 250 times"), "{}", seen.said());
    assert!(seen.bytes < 8 << 20, "{}", seen.bytes);
}

#[test]
fn what_the_directory_leaves_out_is_read_as_well() {
    let text = "password and more of it ".repeat(20);
    let mut zip = Zip::default();
    for (name, flags) in [("sized.txt", 0), ("behind.txt", 8)] {
        zip.add(name, text.as_bytes(), (8, flags));
    }
    zip.directory.clear();
    zip.add("named.txt", b"named", (0, 0));
    let named = zip.directory.clone();
    zip.add("after.txt", b"after", (0, 0)).add("locked.txt", b"0123456789ab", (0, 1));
    zip.directory = named;
    let bytes = zip.done();
    let seen = open("x.zip", &bytes).expect("a ZIP");
    assert_eq!(seen.names(), ["named.txt", "sized.txt", "behind.txt", "after.txt"].map(|name| format!("x.zip!{name}")));
    assert_eq!((seen.text("x.zip!behind.txt"), seen.text("x.zip!after.txt")), (text.clone(), "after".to_owned()));
    assert_eq!(seen.said(), "x.zip!locked.txt: encrypted; not looked at");
    // Another ZIP before it, and one behind it.
    let other = Zip::default().add("other.txt", b"other", (0, 0)).done();
    let sound = sample();
    for (bytes, count) in [([other.clone(), sound.clone()].concat(), 6), ([sound.clone(), other].concat(), 6)] {
        let seen = open("x.zip", &bytes).expect("a ZIP");
        assert_eq!((seen.files.len(), seen.said().as_str()), (count, ""));
        assert_eq!(seen.text("x.zip!other.txt"), "other");
    }
    // The sign alone is none.
    let mut unzip = b"MZ PK\x03\x04 is the sign, PK\x03\x04".to_vec();
    unzip.extend([b"PK\x03\x04".to_vec(), vec![0xee; 60]].concat());
    let seen = open("x.zip", &[unzip, sound].concat()).expect("a ZIP");
    assert_eq!((seen.files.len(), seen.said().as_str()), (5, ""));
}
