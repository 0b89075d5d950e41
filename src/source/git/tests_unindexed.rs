//! Packs without an index give what they give with one; cut-off and broken ones give all that is still there.

use std::fs;
use std::path::{Path, PathBuf};

use super::testing::{Dice, Op, Packer, encoded, name, repository};
use super::tests::{edit, read, text};

/// Text of one credential that is told from others by a letter.
fn key(n: u8) -> String {
    format!("token = \"hf{}{}\"\n", "_zFeKORdjjZKtfphJWAMMYNoXHyCCtLBt", char::from(b'A' + n))
}

fn pack(folder: &Path) -> PathBuf {
    folder.join("objects/pack/pack-test.pack")
}

/// The pack in a repository of its own, without its index.
fn unindexed(packer: Packer) -> tempfile::TempDir {
    let scratch = tempfile::tempdir().expect("scratch");
    packer.write(scratch.path());
    fs::remove_file(pack(scratch.path()).with_extension("idx")).expect("the index");
    scratch
}

fn some(seed: u64) -> Packer {
    let mut dice = Dice(seed);
    let mut packer = Packer::new();
    let first = text(&mut dice, 200);
    let mut versions = vec![(packer.whole(3, &first), first)];
    for _ in 0..15 {
        let (base, content) = versions[dice.below(versions.len())].clone();
        let ops = edit(&mut dice, &content);
        let made = packer.delta(base, &content, &ops);
        if made.1.len() < 60_000 && !versions.iter().any(|(_, known)| *known == made.1) {
            versions.push(made);
        }
    }
    packer
}

#[test]
fn without_an_index_the_same_is_found() {
    for seed in 1..12 {
        let scratch = tempfile::tempdir().expect("scratch");
        some(seed).write(scratch.path());
        let with = read(scratch.path());
        let index = pack(scratch.path()).with_extension("idx");
        let sound = fs::read(&index).expect("the index");
        for broken in [None, Some(&b"nonsense"[..]), Some(&sound[..sound.len() / 2])] {
            fs::remove_file(&index).ok();
            if let Some(bytes) = broken {
                fs::write(&index, bytes).expect("an index");
            }
            let without = read(scratch.path());
            assert_eq!((&without.places, without.objects), (&with.places, with.objects), "seed {seed}");
            assert_eq!(without.troubles, [] as [String; 0], "seed {seed}");
        }
        fs::remove_file(&index).ok();
        fs::rename(pack(scratch.path()), scratch.path().join("objects/pack/tmp_pack_a1B2c3")).expect("renamed");
        assert_eq!(read(scratch.path()).places, with.places, "seed {seed}");
    }
}

#[test]
fn what_is_before_the_end_of_a_cut_off_pack_is_found() {
    let mut packer = Packer::new();
    let ends: Vec<usize> = (0..8)
        .map(|n| {
            packer.whole(3, key(n).as_bytes());
            packer.bytes.len()
        })
        .collect();
    let scratch = unindexed(packer);
    let bytes = fs::read(pack(scratch.path())).expect("the pack");
    for cut in 0..bytes.len() {
        fs::write(pack(scratch.path()), &bytes[..cut]).expect("the pack");
        let seen = read(scratch.path());
        // Less than a header and a checksum is no pack to gix.
        let expected = if cut < 32 { 0 } else { ends.iter().filter(|&&end| end <= cut).count() };
        assert_eq!(seen.places.len(), expected, "cut at {cut}: {:?}", seen.troubles);
        let is_whole = cut == 0 || expected == 8;
        assert_eq!(seen.troubles.is_empty() || cut > ends[7], is_whole, "cut at {cut}: {:?}", seen.troubles);
    }
}

#[test]
fn behind_a_broken_entry_the_next_is_found() {
    let mut packer = Packer::new();
    let numbers: Vec<usize> = (0..6).map(|n| packer.whole(3, key(n).as_bytes())).collect();
    packer.delta(numbers[4], key(4).as_bytes(), &[Op::Copy(0, key(4).len()), Op::Insert(key(9).into_bytes())]);
    for at in [0, 2, 30] {
        let mut packer = Packer { bytes: packer.bytes.clone(), entries: packer.entries.clone() };
        let place = packer.entries[2].1 as usize + at;
        packer.bytes[place] ^= 0x55;
        let seen = read(unindexed(packer).path());
        assert_eq!(seen.places.len(), 6, "{at}: {:?}", seen.troubles);
        assert_eq!(seen.troubles.len(), 1, "{:?}", seen.troubles);
        assert!(seen.troubles[0].contains("behind 2 of 7 objects, "), "{:?}", seen.troubles);
    }
}

#[test]
fn bases_may_be_given_by_name_before_they_stand_there_and_elsewhere() {
    let content = |n: u8| (0..=n).map(key).collect::<Vec<_>>().concat().into_bytes();
    let delta = |n: u8| {
        let (old, more) = (content(n - 1), key(n).into_bytes());
        encoded(old.len(), old.len() + more.len(), &[Op::Copy(0, old.len()), Op::Insert(more)])
    };
    let by_name = |packer: &mut Packer, n: u8| {
        let base = name("blob", &content(n - 1));
        packer.entry(7, name("blob", &content(n)), (base.as_bytes(), &delta(n)), delta(n).len());
    };
    // The third from the second from the first, which comes last.
    let mut packer = Packer::new();
    by_name(&mut packer, 2);
    by_name(&mut packer, 1);
    packer.whole(3, &content(0));
    let scratch = unindexed(packer);
    // The fifth, in a pack of its own, from the fourth, in a pack of its own.
    for (n, file) in [(4, "tmp_pack_4"), (3, "tmp_pack_3")] {
        let mut thin = Packer::new();
        by_name(&mut thin, n);
        fs::rename(pack(unindexed(thin).path()), scratch.path().join("objects/pack").join(file)).expect("moved");
    }
    let seen = read(scratch.path());
    assert_eq!(seen.troubles, [] as [String; 0]);
    assert_eq!(seen.objects, 5);
    let found: usize = seen.places.values().map(std::collections::BTreeSet::len).sum();
    assert_eq!((seen.places.len(), found), (5, 15));
    // And without the fourth.
    fs::remove_file(scratch.path().join("objects/pack/tmp_pack_3")).expect("removed");
    let seen = read(scratch.path());
    assert_eq!(seen.objects, 3);
    assert_eq!(seen.troubles, ["tmp_pack_4: (it has no sound index) 1 of its objects cannot be read: its base is missing"]);
}

#[test]
fn what_a_stopped_push_left_behind_is_found() {
    let mut packer = Packer::new();
    packer.whole(3, key(0).as_bytes());
    let pushed = unindexed(packer);
    let scratch = tempfile::tempdir().expect("scratch");
    repository(scratch.path());
    let folder = scratch.path().join("objects/tmp_objdir-incoming-aB3xYz/pack");
    fs::create_dir_all(&folder).expect("the quarantine");
    fs::rename(pack(pushed.path()), folder.join("tmp_pack_1")).expect("moved");
    assert_eq!(read(scratch.path()).places.len(), 1);
}

#[test]
fn any_bytes_without_an_index_are_survived() {
    let scratch = unindexed(some(3));
    let good = fs::read(pack(scratch.path())).expect("the pack");
    let mut dice = Dice(9);
    for _ in 0..150 {
        let mut bytes = good.clone();
        for _ in 0..=dice.below(4) {
            let at = dice.below(bytes.len());
            match dice.below(3) {
                0 if bytes.len() > 40 => bytes.truncate(at.max(20)),
                1 => bytes[at] ^= 1 << dice.below(8),
                _ => bytes[at] = dice.below(256) as u8,
            }
        }
        fs::write(pack(scratch.path()), &bytes).expect("the pack");
        read(scratch.path());
    }
}
