//! Loose objects: a file each, in folders by the first byte of their names.

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use gix::hash::{ObjectId, oid};

use super::{GitError, Kind};

/// A folder's loose objects, by name.
pub(super) struct Loose {
    folder: PathBuf,
    pub(super) names: Vec<ObjectId>,
}

impl Loose {
    /// Lists the objects. What is not named like one is none.
    pub(super) fn list(folder: &Path, hash: usize, trouble: &mut dyn FnMut(String, String)) -> Self {
        let mut names = Vec::new();
        for first in 0..=255u8 {
            let prefix = format!("{first:02x}");
            let inner = folder.join(&prefix);
            let entries = match fs::read_dir(&inner) {
                Ok(entries) => entries,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => {
                    trouble(inner.display().to_string(), error.to_string());
                    continue;
                }
            };
            for entry in entries.filter_map(Result::ok) {
                let rest = entry.file_name();
                let name = ObjectId::from_hex(format!("{prefix}{}", rest.to_string_lossy()).as_bytes());
                names.extend(name.ok().filter(|name| name.as_bytes().len() == hash));
            }
        }
        names.sort_unstable();
        Self { folder: folder.to_owned(), names }
    }

    /// An object's kind, its size, and its bytes as a stream.
    pub(super) fn open(&self, name: &oid) -> Result<(Kind, u64, impl Read + use<>), GitError> {
        const BROKEN: GitError = GitError::Corrupt("a loose object's header is broken");
        let hex = name.to_string();
        let path = self.folder.join(&hex[..2]).join(&hex[2..]);
        let failed = |error| GitError::Io(hex.clone(), error);
        // A pipe or a device would wait for ever.
        if !fs::symlink_metadata(&path).map_err(failed)?.is_file() {
            return Err(GitError::Corrupt("a loose object that is no file"));
        }
        let file = File::open(&path).map_err(failed)?;
        let mut reader = sirocco::inflate::Reader::new(sirocco::Format::Zlib, BufReader::with_capacity(16 << 10, file));
        let mut head = Vec::new();
        loop {
            let mut byte = [0];
            reader.read_exact(&mut byte).map_err(|_| GitError::Corrupt("a loose object is broken or cut off"))?;
            if byte[0] == 0 {
                break;
            }
            head.push(byte[0]);
            if head.len() > 32 {
                return Err(BROKEN);
            }
        }
        let space = head.iter().position(|&byte| byte == b' ').ok_or(BROKEN)?;
        let kind = Kind::named(&head[..space]).ok_or(BROKEN)?;
        let size = std::str::from_utf8(&head[space + 1..]).ok().and_then(|text| text.parse().ok()).ok_or(BROKEN)?;
        Ok((kind, size, reader))
    }

    /// An object's bytes, as far as they are no more than `most`.
    pub(super) fn read(&self, name: &oid, most: u64) -> Result<(Kind, Vec<u8>), GitError> {
        let (kind, size, reader) = self.open(name)?;
        if size > most {
            return Err(GitError::Corrupt("too large to be read"));
        }
        let mut bytes = Vec::new();
        let cut = |_| GitError::Corrupt("a loose object is broken or cut off");
        reader.take(size + 1).read_to_end(&mut bytes).map_err(cut)?;
        if bytes.len() as u64 != size {
            return Err(GitError::Corrupt("a loose object has another size than its header says"));
        }
        Ok((kind, bytes))
    }
}
