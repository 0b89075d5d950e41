//! Any bytes as an image on disk, one of `docker save` or in the OCI layout: as they are, or as the files of a sound tar archive. It
//! ends, and nothing panics.
#![no_main]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use staunch::model::Provenance;
use staunch::source::image::{Archive, Digest, Image, Wanted};
use staunch::source::{Entry, Visit};

/// Reads what it is given, and asks what hides it.
#[derive(Default)]
struct Reads(Vec<(String, Provenance)>);

impl Visit for Reads {
    fn file(&mut self, file: &Entry<'_>, reader: &mut dyn Read) {
        let mut bytes = Vec::new();
        let _cut = Read::take(reader, 1 << 20).read_to_end(&mut bytes);
        self.0.push((file.path.to_owned(), file.provenance.clone()));
    }

    fn skip(&mut self, _reason: &str) {}

    fn trouble(&mut self, _path: &str, _why: &str) {}

    fn is_stopped(&self) -> bool {
        false
    }
}

fn path() -> &'static Path {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        base.join(format!("staunch-fuzz-image-{}.tar", std::process::id()))
    })
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&mode, rest)) = bytes.split_first() else { return };
    let archive = if mode & 1 == 0 { rest.to_vec() } else { archive(rest) };
    fs::write(path(), archive).expect("the archive");
    let Ok(archive) = Archive::open(path()) else { return };
    let mut reads = Reads::default();
    let image = Image::local("image", &archive, &Wanted::default(), &mut reads);
    for unit in 0..image.units() {
        image.read(unit, &mut reads);
        let names = image.names_of(unit);
        image.recall(unit, &names);
    }
    for (path, provenance) in &reads.0 {
        if let Provenance::Layer(place) = provenance {
            image.is_hidden(place, path);
        }
    }
});

/// A tar archive of sound headers: of each file a byte for its name, two for its length, and its content, in which `@n` stands for
/// the digest of the nth file before it.
fn archive(mut rest: &[u8]) -> Vec<u8> {
    let (mut tar, mut digests) = (tar::Builder::new(Vec::new()), Vec::<String>::new());
    while let [name, high, low, more @ ..] = rest {
        let length = usize::from(*high & 7) << 8 | usize::from(*low);
        let (content, after) = more.split_at(more.len().min(length));
        rest = after;
        let content = with_digests(content, &digests);
        let digest = Digest::sha256(&content).hex().to_owned();
        let names = ["manifest.json", "index.json", "oci-layout", "repositories", "a/layer.tar", "config.json", ".wh.x"];
        let blob = format!("blobs/sha256/{digest}");
        let path = names.get(usize::from(*name) % 16).copied().unwrap_or(&blob);
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        tar.append_data(&mut header, path, content.as_slice()).expect("memory");
        digests.push(digest);
    }
    tar.into_inner().expect("memory")
}

fn with_digests(content: &[u8], digests: &[String]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = content.iter();
    while let Some(&byte) = bytes.next() {
        let before = usize::from(*content.get(content.len() - bytes.len()).unwrap_or(&0));
        match digests.iter().rev().nth(before.wrapping_sub(48)).filter(|_| byte == b'@') {
            Some(digest) => {
                out.extend_from_slice(digest.as_bytes());
                bytes.next();
            }
            None => out.push(byte),
        }
    }
    out
}
