//! Delta-aware reading finds what reading whole versions finds; and whatever is wrong with a pack, the rest is read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::Path;

use super::testing::{Dice, Op, Packer, applied, encoded, name, offset, repository};
use super::{Reach, Reader, Sift, Store};
use crate::detect::{DetectorSet, NEAR, REACH, Scanner};
use crate::model::{Blob, Clue, Confidence};

fn builtin() -> &'static DetectorSet {
    static SET: std::sync::OnceLock<DetectorSet> = std::sync::OnceLock::new();
    SET.get_or_init(|| DetectorSet::builtin().expect("detectors"))
}

/// Looks with all detectors, and remembers what it was told.
struct Looker {
    scanner: Scanner<'static>,
    objects: u64,
    troubles: Vec<String>,
}

impl Sift for Looker {
    fn sift(&mut self, blob: &Blob<'_>, clues: Option<&[Clue]>, push: &mut dyn FnMut(Range<u64>, bool)) {
        self.scanner.sift(blob, (clues, Confidence::Medium), push);
    }

    fn clues(&self, bytes: &[u8], places: Range<usize>, all: &mut Vec<Clue>) {
        self.scanner.clues(bytes, places, all);
    }

    fn longest_clue(&self) -> usize {
        self.scanner.longest_clue()
    }

    fn read(&mut self, _bytes: u64) {
        self.objects += 1;
    }

    fn trouble(&mut self, what: &str, why: &str) {
        self.troubles.push(format!("{what}: {why}"));
    }

    fn is_stopped(&self) -> bool {
        false
    }
}

/// Places by object name, bytes looked at, and what was said.
pub(super) struct Seen {
    pub(super) places: BTreeMap<String, BTreeSet<(u32, u32)>>,
    scanned: u64,
    pub(super) objects: u64,
    pub(super) troubles: Vec<String>,
}

pub(super) fn read(folder: &Path) -> Seen {
    let store = Store::open(folder).expect("a repository");
    let mut looker = Looker { scanner: Scanner::new(builtin()), objects: 0, troubles: Vec::new() };
    looker.troubles.extend(store.troubles().iter().map(|(what, why)| format!("{what}: {why}")));
    let mut reader = Reader::default();
    for unit in store.units(false) {
        reader.unit(&store, &unit, Reach { near: NEAR, far: REACH }, &mut looker);
    }
    let mut places: BTreeMap<String, BTreeSet<(u32, u32)>> = BTreeMap::new();
    for (object, start, end) in &reader.places {
        places.entry(store.name(*object).to_string()).or_default().insert((*start, *end));
    }
    Seen { places, scanned: reader.scanned, objects: looker.objects, troubles: looker.troubles }
}

/// Lines of a program, and now and then something secret, in every shape that reaches far.
pub(super) fn text(dice: &mut Dice, lines: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..lines {
        let line = match dice.below(60) {
            0 => secret(dice),
            1 => "}\n\n".to_owned(),
            n => format!(
                "    value_{} = compute(input[{}], options.{}); // step {n}\n",
                dice.below(900),
                dice.below(90),
                word(dice, 8)
            ),
        };
        out.extend_from_slice(line.as_bytes());
    }
    out
}

fn word(dice: &mut Dice, length: usize) -> String {
    (0..length).map(|_| char::from(b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"[dice.below(56)])).collect()
}

fn secret(dice: &mut Dice) -> String {
    let upper = |dice: &mut Dice, length: usize| -> String {
        (0..length).map(|_| char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[dice.below(32)])).collect()
    };
    let pair = |dice: &mut Dice| (format!("AKIA{}", upper(dice, 16)), word(dice, 40));
    match dice.below(6) {
        0 => {
            let (id, key) = pair(dice);
            let between: String = (0..dice.below(6)).map(|_| format!("# {}\n", word(dice, 30))).collect::<Vec<_>>().concat();
            format!("aws_access_key_id = {id}\n{between}aws_secret_access_key = {key}\n")
        }
        1 => format!("password = \"{}#{}\"\n", word(dice, 9), word(dice, 8)),
        2 => format!("db_password: {}%{}\n", word(dice, 9), word(dice, 8)),
        3 => {
            let body: String = (0..20).map(|_| format!("{}\n", word(dice, 64))).collect::<Vec<_>>().concat();
            // PKCS#8 of 942 octets, whatever they are.
            let body = format!("MIIDvAIBADAFBgMrZW4EggOu{}", &body[24..]);
            format!("-----BEGIN RSA {k}-----\n{body}-----END RSA {k}-----\n", k = "PRIVATE KEY")
        }
        4 => {
            let (id, key) = pair(dice);
            let inner = format!("AWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={key}\n");
            format!("data: {}\n", data_encoding::BASE64.encode(inner.as_bytes()))
        }
        _ => {
            let encode = |text: String| data_encoding::BASE64.encode(text.as_bytes());
            let padding: String =
                (0..dice.below(20)).map(|n| format!("  file{n}: {}\n", encode(word(dice, 60)))).collect::<Vec<_>>().concat();
            let value = encode(format!("{}!{}", word(dice, 9), word(dice, 9)));
            format!("---\nkind: Secret\nmetadata:\n  name: x\ndata:\n{padding}  password: {value}\n---\n")
        }
    }
}

/// An edit: pieces kept, dropped, moved, doubled, and new ones in between; now and then copies cut without reason.
pub(super) fn edit(dice: &mut Dice, base: &[u8]) -> Vec<Op> {
    let mut ops = Vec::new();
    let mut at = 0;
    let edits = 1 + dice.below(4);
    for _ in 0..edits {
        let to = (at + dice.below(2 * base.len() / edits + 1)).min(base.len());
        if to > at && dice.below(8) > 0 {
            let cut = at + dice.below(to - at);
            ops.extend([(at, cut), (cut, to)].map(|(from, to)| Op::Copy(from, to - from)));
        }
        at = to;
        match dice.below(5) {
            0 => ops.push(Op::Insert(text_of(dice, 3))),
            1 => ops.push(Op::Insert(secret(dice).into_bytes())),
            2 => at = (at + dice.below(40)).min(base.len()),
            3 => {
                let from = dice.below(base.len());
                ops.push(Op::Copy(from, dice.below(base.len() - from + 1).min(9000)));
            }
            _ => ops.push(Op::Insert(word(dice, 1).into_bytes())),
        }
    }
    if dice.below(10) > 0 {
        ops.push(Op::Copy(at, base.len() - at));
    }
    ops.retain(|op| !matches!(op, Op::Copy(_, 0)) && !matches!(op, Op::Insert(bytes) if bytes.is_empty()));
    ops
}

fn text_of(dice: &mut Dice, most: usize) -> Vec<u8> {
    let lines = 1 + dice.below(most);
    text(dice, lines)
}

/// What looking at each version whole finds.
pub(super) fn whole(versions: &[Vec<u8>]) -> BTreeMap<String, BTreeSet<(u32, u32)>> {
    let mut scanner = Scanner::new(builtin());
    let mut all: BTreeMap<String, BTreeSet<(u32, u32)>> = BTreeMap::new();
    for version in versions {
        let mut places = BTreeSet::new();
        scanner.sift(&Blob::whole("", version), (None, Confidence::Medium), &mut |span, is_found| {
            places.extend(is_found.then_some((span.start as u32, span.end as u32)));
        });
        if !places.is_empty() {
            all.insert(name("blob", version).to_string(), places);
        }
    }
    all
}

#[test]
fn what_changed_and_what_is_inherited_are_all_there_is() {
    let (mut bytes, mut scanned, mut found) = (0, 0, 0);
    for seed in 1..=40u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut packer = Packer::new();
        let lines = 20 + dice.below(900);
        let first = text(&mut dice, lines);
        let mut versions = vec![(packer.whole(3, &first), first)];
        for _ in 0..25 {
            let (base, content) = versions[versions.len() - 1 - dice.below(versions.len().min(4))].clone();
            let ops = edit(&mut dice, &content);
            let made = packer.delta(base, &content, &ops);
            if made.1.len() < 120_000 && !versions.iter().any(|(_, known)| *known == made.1) {
                versions.push(made);
            }
        }
        let scratch = tempfile::tempdir().expect("scratch");
        packer.write(scratch.path());
        let seen = read(scratch.path());
        assert_eq!(seen.troubles, [] as [String; 0], "seed {seed}");
        let contents: Vec<Vec<u8>> = versions.into_iter().map(|(_, content)| content).collect();
        bytes += contents.iter().map(|content| content.len() as u64).sum::<u64>();
        scanned += seen.scanned;
        let expected = whole(&contents);
        found += expected.values().map(BTreeSet::len).sum::<usize>();
        for (object, places) in &expected {
            let missed: Vec<_> = places.difference(seen.places.get(object).unwrap_or(&BTreeSet::new())).copied().collect();
            assert_eq!(missed, [], "seed {seed}, object {object}");
        }
        for (object, places) in &seen.places {
            let more: Vec<_> = places.difference(expected.get(object).unwrap_or(&BTreeSet::new())).copied().collect();
            assert_eq!(more, [], "seed {seed}, object {object}: found though it is not there");
        }
    }
    assert!(found > 2000, "{found}");
    assert!(scanned < bytes, "{scanned} of {bytes} bytes");
}

#[test]
fn one_broken_entry_costs_itself_and_what_is_made_from_it() {
    let key = |n: u8| {
        format!(
            "aws_access_key_id = AKIA{}\naws_secret_access_key = {}\n",
            "RZPUZDIKAB6VH3G".to_owned() + &char::from(b'A' + n).to_string(),
            "YSf7T4epY8ReR/owIXHV".to_owned() + "XspkSH/B6EJKs8nmxW1E"
        )
    };
    let contents: Vec<String> = (0..6).map(|n| format!("{}{}", key(n), "x".repeat(50 * n as usize))).collect();
    let scratch = tempfile::tempdir().expect("scratch");
    let mut packer = Packer::new();
    let numbers: Vec<usize> = contents.iter().map(|content| packer.whole(3, content.as_bytes())).collect();
    let (_, _) =
        packer.delta(numbers[2], contents[2].as_bytes(), &[Op::Copy(0, contents[2].len()), Op::Insert(b"y".to_vec())]);
    // A flipped bit in the middle of the third.
    let at = packer.entries[2].1 as usize + 40;
    packer.bytes[at] ^= 0x10;
    packer.write(scratch.path());
    let seen = read(scratch.path());
    assert_eq!(seen.places.len(), 5, "{:?}", seen.troubles);
    assert!(!seen.troubles.is_empty() && seen.troubles.len() <= 3, "{:?}", seen.troubles);
}

#[test]
fn cycles_bombs_lies_and_missing_bases_end() {
    let scratch = tempfile::tempdir().expect("scratch");
    let mut packer = Packer::new();
    let good = concat!("aws_access_key_id = AKIA", "RZPUZDIKAB6VH3GC", "\npassword = \"vR7#kq2Lw9zT\"\n").as_bytes();
    packer.whole(3, good);
    // Two that are made from each other, by name.
    let (a, b) = (name("blob", b"a"), name("blob", b"b"));
    let delta = encoded(10, 10, &[Op::Copy(0, 10)]);
    packer.entry(7, a, (b.as_bytes(), &delta), delta.len());
    packer.entry(7, b, (a.as_bytes(), &delta), delta.len());
    // One that is made from nothing.
    packer.entry(7, name("blob", b"c"), (name("blob", b"nowhere").as_bytes(), &delta), delta.len());
    // One whose base stands before the pack.
    packer.entry(6, name("blob", b"d"), (&offset(1 << 40), &delta), delta.len());
    // One that says it is larger than any, one that is smaller, one larger than it says.
    packer.entry(3, name("blob", b"e"), (&[], b"short"), 1 << 40);
    packer.entry(3, name("blob", b"f"), (&[], b"short"), 1 << 20);
    packer.entry(3, name("blob", b"g"), (&[], &[b'x'; 1000]), 10);
    // Deltas that would make a gigabyte each.
    let base = vec![b'z'; 60_000];
    let number = packer.whole(3, &base);
    let ops: Vec<Op> = (0..20_000).map(|_| Op::Copy(0, 60_000)).collect();
    let bomb = encoded(base.len(), 20_000 * 60_000, &ops);
    let back = offset(packer.bytes.len() as u64 - packer.entries[number].1);
    packer.entry(6, name("blob", b"h"), (&back, &bomb), bomb.len());
    // No type at all.
    packer.entry(5, name("blob", b"i"), (&[], b"x"), 1);
    packer.write(scratch.path());
    let seen = read(scratch.path());
    let found: Vec<&String> = seen.places.keys().collect();
    assert_eq!(found, [&name("blob", good).to_string()]);
    for broken in [b"a", b"b", b"c", b"d", b"f", b"g", b"h", b"i"] {
        let hex = name("blob", broken).to_string();
        assert!(seen.troubles.iter().any(|trouble| trouble.contains(&hex)), "{}: {:?}", broken[0], seen.troubles);
    }
}

#[test]
fn a_long_chain_is_walked_in_little_memory() {
    // Each version of 100 KB hangs on the one before, 3000 deep, and each has one that hangs beside it.
    let scratch = tempfile::tempdir().expect("scratch");
    let mut packer = Packer::new();
    let mut content = vec![b'.'; 100_000];
    let mut last = packer.whole(3, &content);
    for n in 0..3000u32 {
        let side = [Op::Copy(0, 100), Op::Insert(n.to_le_bytes().to_vec())];
        packer.delta(last, &content, &side);
        let ops = [Op::Copy(0, 50_000), Op::Insert(n.to_be_bytes().to_vec()), Op::Copy(50_004, 49_996)];
        (last, content) = packer.delta(last, &content, &ops);
    }
    packer.write(scratch.path());
    let seen = read(scratch.path());
    assert_eq!((seen.objects, seen.troubles.len()), (6001, 0), "{:?}", seen.troubles);
    assert_eq!(applied(&content, &[Op::Copy(0, 1)]), b".");
}

#[test]
fn any_bytes_at_all_are_survived() {
    let mut dice = Dice(7);
    let scratch = tempfile::tempdir().expect("scratch");
    let mut packer = Packer::new();
    let base = text(&mut dice, 200);
    let number = packer.whole(3, &base);
    for _ in 0..10 {
        let ops = edit(&mut dice, &base);
        packer.delta(number, &base, &ops);
    }
    packer.whole(
        1,
        b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor a <a@b> 1 +0000\ncommitter a <a@b> 1 +0000\n\nm\n",
    );
    packer.whole(2, b"100644 a\0aaaaaaaaaaaaaaaaaaaa");
    packer.write(scratch.path());
    let (pack, idx) =
        (scratch.path().join("objects/pack/pack-test.pack"), scratch.path().join("objects/pack/pack-test.idx"));
    let (good_pack, good_idx) = (fs::read(&pack).expect("pack"), fs::read(&idx).expect("index"));
    for round in 0..300 {
        let (mut a, mut b) = (good_pack.clone(), good_idx.clone());
        for _ in 0..=dice.below(4) {
            let bytes = if round % 2 == 0 { &mut a } else { &mut b };
            let at = dice.below(bytes.len());
            match dice.below(3) {
                0 => bytes.truncate(at),
                1 => bytes[at] ^= 1 << dice.below(8),
                _ => bytes[at] = dice.below(256) as u8,
            }
            if bytes.is_empty() {
                break;
            }
        }
        fs::write(&pack, &a).expect("pack");
        fs::write(&idx, &b).expect("index");
        read(scratch.path());
    }
}

#[test]
fn an_empty_repository_is_read_and_a_folder_is_none() {
    let scratch = tempfile::tempdir().expect("scratch");
    assert!(Store::open(scratch.path()).is_err());
    repository(scratch.path());
    assert!(Store::open(scratch.path()).is_ok_and(|store| store.is_empty()));
}

#[test]
fn a_pack_that_is_cut_short_while_it_is_read_costs_what_is_gone() {
    let scratch = tempfile::tempdir().expect("scratch");
    let mut dice = Dice(11);
    let mut packer = Packer::new();
    for _ in 0..600 {
        let text = text(&mut dice, 40);
        packer.whole(3, &text);
    }
    packer.write(scratch.path());
    let store = Store::open(scratch.path()).expect("a repository");
    assert!(store.troubles().is_empty(), "{:?}", store.troubles());
    let path = scratch.path().join("objects/pack/pack-test.pack");
    let file = fs::OpenOptions::new().write(true).open(&path).expect("a file");
    file.set_len(fs::metadata(&path).expect("a file").len() / 2).expect("cut short");
    let mut looker = Looker { scanner: Scanner::new(builtin()), objects: 0, troubles: Vec::new() };
    let mut reader = Reader::default();
    for unit in store.units(false) {
        reader.unit(&store, &unit, Reach { near: NEAR, far: REACH }, &mut looker);
    }
    assert!(looker.objects > 200 && looker.objects < 400, "{}", looker.objects);
    assert_eq!(looker.objects as usize + looker.troubles.len(), 600);
    assert!(looker.troubles.iter().all(|why| why.contains("cut off") || why.contains("outside")), "{:?}", looker.troubles);
}
