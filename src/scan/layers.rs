//! Layers that were read whole and in which nothing was found, noted by digest in a folder of the state folder. The folder's
//! name stands for the detectors and settings of that scan; whoever makes it sees to that. A note holds what the layer does
//! to those below it, so that skipping one changes nothing that is said of others.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Names of four million files.
const LARGEST: u64 = 32 << 20;

/// The note on a layer, if there is one.
pub(super) fn recall(folder: &Path, digest: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(note(folder, digest)?).ok()?.take(LARGEST).read_to_end(&mut bytes).ok()?;
    // One that was cut short is none.
    let (body, check) = bytes.split_last_chunk::<32>()?;
    (sum(body) == *check).then(|| body.to_vec())
}

/// Notes a layer.
pub(super) fn keep(folder: &Path, digest: &str, names: &[u8]) -> io::Result<()> {
    let Some(path) = note(folder, digest) else { return Ok(()) };
    fs::create_dir_all(folder)?;
    let scratch = path.with_extension(format!("{}.part", std::process::id()));
    fs::write(&scratch, [names, &sum(names)].concat())?;
    fs::rename(scratch, path)
}

fn sum(bytes: &[u8]) -> [u8; 32] {
    let mut sum = [0; 32];
    sum.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
    sum
}

/// None for what is no digest: a layer known by its name alone may be another one tomorrow.
fn note(folder: &Path, digest: &str) -> Option<PathBuf> {
    let digest = crate::source::image::Digest::parse(digest)?;
    Some(folder.join(format!("{}-{}", digest.algorithm(), digest.hex())))
}

#[cfg(test)]
mod tests {
    use super::{keep, recall};

    #[test]
    fn a_note_is_whole_or_none() {
        let dir = tempfile::tempdir().expect("scratch");
        let folder = dir.path().join("a/b");
        let digest = format!("sha256:{}", "ab".repeat(32));
        assert_eq!(recall(&folder, &digest), None);
        keep(&folder, &digest, b"names").expect("kept");
        assert_eq!(recall(&folder, &digest).as_deref(), Some(&b"names"[..]));
        keep(&folder, &digest, b"").expect("kept again");
        assert_eq!(recall(&folder, &digest).as_deref(), Some(&b""[..]));
        let path = std::fs::read_dir(&folder).expect("folder").next().expect("note").expect("note").path();
        std::fs::write(&path, b"torn").expect("written");
        assert_eq!(recall(&folder, &digest), None);
        keep(&folder, "../../x", b"").expect("nothing done");
        assert_eq!(std::fs::read_dir(&folder).expect("folder").count(), 1);
    }
}
