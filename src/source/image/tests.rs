//! Any bytes at all, in any part of an image: it ends, without a panic, and nothing is read twice the bound.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use proptest::prelude::*;

use super::checked::Bounded;
use super::{At, Blobs, Digest, Image, Wanted};
use crate::source::{Entry, Visit};

/// Parts in memory.
struct Memory(BTreeMap<At, Vec<u8>>);

impl Blobs for Memory {
    fn open<'b>(&'b self, at: &At) -> io::Result<Option<Box<dyn Read + 'b>>> {
        Ok(self.0.get(at).map(|bytes| Box::new(bytes.as_slice()) as Box<dyn Read + 'b>))
    }

    fn list(&self) -> Vec<At> {
        self.0.keys().cloned().collect()
    }
}

/// Reads all that it is given.
#[derive(Default)]
struct Reads {
    bytes: u64,
    troubles: Vec<String>,
}

impl Visit for Reads {
    fn file(&mut self, _: &Entry<'_>, reader: &mut dyn Read) {
        match io::copy(reader, &mut io::sink()) {
            Ok(bytes) => self.bytes += bytes,
            Err(error) => self.troubles.push(error.to_string()),
        }
    }

    fn skip(&mut self, _: &str) {}

    fn trouble(&mut self, path: &str, why: &str) {
        self.troubles.push(format!("{path}: {why}"));
    }

    fn is_stopped(&self) -> bool {
        false
    }
}

fn read(parts: BTreeMap<At, Vec<u8>>) -> Reads {
    let memory = Memory(parts);
    let mut reads = Reads::default();
    let image = Image::local("x", &memory, &Wanted::default(), &mut reads);
    for unit in 0..image.units() {
        image.read(unit, &mut reads);
    }
    reads
}

fn layer() -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for name in [
        "a",
        "dir/.wh.b",
        "dir/a-name-that-is-longer-than-a-header-has-room-for/and-another-one/and-another-one/and-one-more/c",
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(700);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, &[b'x'; 700][..]).expect("tar");
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&archive.into_inner().expect("tar")).expect("gzip");
    gzip.finish().expect("gzip")
}

/// An image of one layer: its index, manifest, config and layer.
fn parts(layer: &[u8]) -> BTreeMap<At, Vec<u8>> {
    let mut parts = BTreeMap::new();
    let mut put = |at: fn(Digest) -> At, bytes: &[u8], kind: &str| {
        let digest = Digest::sha256(bytes);
        parts.insert(at(digest.clone()), bytes.to_vec());
        format!(r#"{{"mediaType": "{kind}", "digest": "{digest}", "size": {}}}"#, bytes.len())
    };
    let layer = put(At::Blob, layer, "application/vnd.oci.image.layer.v1.tar+gzip");
    let config = put(At::Blob, br#"{"os": "linux", "architecture": "amd64", "history": [{"created_by": "x"}]}"#, "c");
    let manifest = format!(r#"{{"schemaVersion": 2, "config": {config}, "layers": [{layer}]}}"#);
    let manifest = put(At::Manifest, manifest.as_bytes(), "m");
    let index = format!(r#"{{"schemaVersion": 2, "manifests": [{manifest}]}}"#);
    parts.insert(At::Member("index.json".to_owned()), index.into_bytes());
    parts
}

#[test]
fn a_sound_image_is_read_whole() {
    let reads = read(parts(&layer()));
    assert!(reads.troubles.is_empty(), "{:?}", reads.troubles);
    assert!(reads.bytes > 3 * 700);
}

#[test]
fn a_bomb_is_left_at_its_bound() {
    let (packed, unpacked) = (Cell::new(10), Cell::new((1 << 30) + 2001));
    let error = Bounded::new(io::repeat(0), &packed, &unpacked).read(&mut [0; 10]).expect_err("too much");
    assert!(error.to_string().contains("200 times its size"), "{error}");
    packed.set(11);
    assert!(
        Bounded::new(io::repeat(0), &packed, &unpacked).read(&mut [0; 10]).is_ok(),
        "a real one is larger to begin with"
    );
}

proptest! {
    #[test]
    fn any_layer_ends(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        read(parts(&bytes));
    }

    #[test]
    fn any_change_of_any_part_ends_and_is_seen(part in 0..4usize, at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut parts = parts(&layer());
        let bytes = parts.values_mut().nth(part).expect("four parts");
        let at = at.index(bytes.len());
        let same = bytes[at] == byte;
        bytes[at] = byte;
        let reads = read(parts);
        // The index alone has no digest: a change there may be another index.
        prop_assert!(same || part == 3 || !reads.troubles.is_empty());
    }
}
