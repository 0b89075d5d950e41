//! Any bytes as a repository's pack: as they are, or as the contents of entries that are put together soundly; without an index,
//! and with one that says whatever the bytes say. It ends, nothing panics, and places lie within what was read.
#![no_main]

use std::fs;
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use flate2::{Compression, write::ZlibEncoder};
use libfuzzer_sys::fuzz_target;
use staunch::model::{Blob, Clue};
use staunch::scan::WantedHistory;
use staunch::source::git::{History, Reach, Reader, Sift, Store, TreeReader};

/// Finds the word `key`.
struct Keys;

impl Sift for Keys {
    fn sift(&mut self, blob: &Blob<'_>, _clues: Option<&[Clue]>, push: &mut dyn FnMut(Range<u64>, bool)) {
        assert!(blob.own.start <= blob.own.end && blob.own.end <= blob.bytes.len(), "{:?}", blob.own);
        for at in blob.own.clone().filter(|&at| blob.bytes[at..].starts_with(b"key")) {
            let start = blob.offset + at as u64;
            push(start..start + 3, true);
        }
    }

    fn clues(&self, bytes: &[u8], places: Range<usize>, _all: &mut Vec<Clue>) {
        assert!(places.start <= places.end && places.end <= bytes.len(), "{places:?}");
    }

    fn longest_clue(&self) -> usize {
        3
    }

    fn read(&mut self, _bytes: u64) {}

    fn trouble(&mut self, _what: &str, _why: &str) {}

    fn is_stopped(&self) -> bool {
        false
    }
}

/// An empty repository, in memory where that is to be had.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let folder = base.join(format!("staunch-fuzz-pack-{}", std::process::id()));
        for inner in ["objects/pack", "refs/heads"] {
            fs::create_dir_all(folder.join(inner)).expect("a folder");
        }
        fs::write(folder.join("HEAD"), "ref: refs/heads/main\n").expect("HEAD");
        folder
    })
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&mode, rest)) = bytes.split_first() else { return };
    let (pack, offsets) = if mode & 1 == 0 {
        (rest.to_vec(), rest.chunks(2).take(8).map(|pair| pair.iter().fold(0, |all, &byte| all << 8 | u32::from(byte))).collect())
    } else {
        entries(rest)
    };
    let path = folder().join("objects/pack/pack-1.pack");
    fs::write(&path, &pack).expect("the pack");
    let beside = path.with_extension("idx");
    fs::remove_file(&beside).ok();
    if mode & 2 != 0 {
        fs::write(&beside, index(&offsets)).expect("the index");
    }
    look();
});

fn look() {
    let Ok(store) = Store::open(folder()) else { return };
    let mut reader = Reader::default();
    let units = store.units(false);
    units.iter().for_each(|unit| reader.unit(&store, unit, Reach { near: 8, far: 16 }, &mut Keys));
    let Ok(mut history) = History::new(&store, reader, &WantedHistory::default()) else { return };
    let (folders, mut trees) = (history.layout(&store), TreeReader::default());
    store.units(true).iter().for_each(|unit| trees.read(&store, &folders, unit, &mut Keys));
    history.know(&store, folders, trees);
    let mut brought: Vec<_> = history.batches().into_iter().flat_map(|batch| history.trace(&store, batch).0).collect();
    history.name_refs(&mut brought);
    for one in brought {
        let _text = store.text(one.object);
    }
}

/// A pack of sound entries: of each a byte for its kind, one for what it is made from, one for its length, and its content.
fn entries(mut rest: &[u8]) -> (Vec<u8>, Vec<u32>) {
    let (mut pack, mut offsets) = (b"PACK\0\0\0\x02\0\0\0\0".to_vec(), Vec::new());
    while let [kind, base, length, more @ ..] = rest {
        let (content, after) = more.split_at(more.len().min(usize::from(*length)));
        rest = after;
        offsets.push(pack.len() as u32);
        let size = content.len();
        pack.push((kind & 7) << 4 | (size & 15) as u8 | 0x80);
        pack.push((size >> 4) as u8);
        match kind & 7 {
            6 => {
                let own = pack.len() - 2;
                let back = own - offsets[usize::from(*base) % offsets.len()] as usize;
                pack.extend([0x80 | (back.saturating_sub(128) >> 7) as u8 & 0x7f, back as u8 & 0x7f]);
            }
            7 => pack.extend([*base; 20]),
            _ => {}
        }
        let mut zlib = ZlibEncoder::new(&mut pack, Compression::fast());
        zlib.write_all(content).and_then(|()| zlib.try_finish()).expect("memory");
    }
    pack[8..12].copy_from_slice(&(offsets.len() as u32).to_be_bytes());
    pack.extend([0; 20]);
    (pack, offsets)
}

/// An index of these offsets; the names are those that the entries above ask for.
fn index(offsets: &[u32]) -> Vec<u8> {
    let mut out = b"\xfftOc\0\0\0\x02".to_vec();
    (0..256).for_each(|first| out.extend((offsets.len().min(first + 1) as u32).to_be_bytes()));
    (0..offsets.len()).for_each(|n| out.extend([n as u8; 20]));
    offsets.iter().for_each(|_| out.extend([0; 4]));
    offsets.iter().for_each(|offset| out.extend(offset.to_be_bytes()));
    out.extend([0; 40]);
    out
}
