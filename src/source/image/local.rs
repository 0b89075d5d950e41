//! Images on disk: a folder in the OCI layout, and archives, which are read in place where they are plain tar.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::blobs::{At, Blobs, Digest};
use super::names::normal;
use crate::source::archive::compress::{Codec, LEAD};

/// More members or blobs than this no image has.
const MOST: usize = 1 << 20;
/// Links to links in an archive.
const LINKS: usize = 8;

/// A folder in the OCI layout.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Does not look at it.
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    fn path(&self, at: &At) -> Option<PathBuf> {
        match at {
            At::Manifest(digest) | At::Blob(digest) => {
                Some(self.0.join("blobs").join(digest.algorithm()).join(digest.hex()))
            }
            // The two names that the layout has, and no path that an image could choose.
            At::Member(name) if name == "index.json" || name == "oci-layout" => Some(self.0.join(name)),
            At::Member(_) => None,
        }
    }
}

impl Blobs for Folder {
    fn open<'b>(&'b self, at: &At) -> io::Result<Option<Box<dyn Read + 'b>>> {
        let Some(path) = self.path(at) else { return Ok(None) };
        // Asked first: opening a FIFO would wait for a writer.
        match std::fs::metadata(&path) {
            Ok(meta) if meta.is_file() => Ok(Some(Box::new(File::open(path)?))),
            Ok(_) => Err(io::Error::other("not a regular file")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn list(&self) -> Vec<At> {
        let mut all = Vec::new();
        for algorithm in ["sha256", "sha512"] {
            let Ok(entries) = std::fs::read_dir(self.0.join("blobs").join(algorithm)) else { continue };
            let names = entries.take(MOST).filter_map(|entry| entry.ok()?.file_name().into_string().ok());
            all.extend(names.filter_map(|hex| Digest::parse(&format!("{algorithm}:{hex}"))).map(At::Blob));
        }
        all.sort_unstable();
        all
    }
}

/// Where a member lies.
#[derive(Debug, Clone)]
enum Member {
    Bytes {
        offset: u64,
        size: u64,
    },
    /// `docker save` writes a layer that two images share once, and links to it.
    Link(String),
}

/// An archive of `docker save`, `podman save` or `skopeo copy`.
pub struct Archive {
    path: PathBuf,
    members: BTreeMap<String, Member>,
    /// Why the archive's end could not be read, where it could not.
    broken: Option<String>,
    packed: bool,
    /// Of a compressed archive: a stream and how far it was read, so that the next member need not start from the beginning.
    stream: Mutex<Option<(Stream, u64)>>,
}

type Stream = Box<dyn Read + Send>;

impl Archive {
    /// Reads the list of members. What is wrong further on is for [`Archive::broken`] to say.
    ///
    /// # Errors
    /// When the file cannot be read or does not begin as a tar archive.
    pub fn open(path: &Path) -> io::Result<Self> {
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        let (codec, reader) = stream(path)?;
        let mut archive = Self {
            path: path.to_owned(),
            members: BTreeMap::new(),
            broken: None,
            packed: codec.is_some(),
            stream: Mutex::default(),
        };
        archive.broken = if codec.is_some() {
            index(&mut tar::Archive::new(reader), &mut archive.members, tar::Archive::entries)
        } else {
            index(&mut tar::Archive::new(File::open(path)?), &mut archive.members, tar::Archive::entries_with_seek)
        };
        match &archive.broken {
            Some(why) if archive.members.is_empty() => Err(io::Error::other(why.clone())),
            _ => Ok(archive),
        }
    }

    /// Why not all of it could be read.
    pub fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    fn find(&self, name: &str) -> Option<(u64, u64)> {
        let mut name = name;
        for _ in 0..LINKS {
            match self.members.get(name)? {
                Member::Bytes { offset, size } => return Some((*offset, *size)),
                Member::Link(target) => name = target,
            }
        }
        None
    }
}

/// The file from its beginning, unpacked where it is packed.
fn stream(path: &Path) -> io::Result<(Option<Codec>, Stream)> {
    let mut file = File::open(path)?;
    let mut head = Vec::with_capacity(LEAD);
    file.by_ref().take(LEAD as u64).read_to_end(&mut head)?;
    file.rewind()?;
    let codec = Codec::of(&head);
    let stream: Stream = match codec {
        Some(codec) => Box::new(codec.decoder(file)?),
        None => Box::new(file),
    };
    Ok((codec, stream))
}

type Entries<'a, R> = io::Result<tar::Entries<'a, R>>;

/// Lists members; returns why it had to end early.
fn index<'a, R: Read>(
    archive: &'a mut tar::Archive<R>,
    members: &mut BTreeMap<String, Member>,
    entries: impl FnOnce(&'a mut tar::Archive<R>) -> Entries<'a, R>,
) -> Option<String> {
    let entries = match entries(archive) {
        Ok(entries) => entries,
        Err(error) => return Some(error.to_string()),
    };
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => return Some(error.to_string()),
        };
        if members.len() >= MOST {
            return Some(format!("it has more than {MOST} members"));
        }
        let name = normal(&entry.path_bytes());
        let kind = entry.header().entry_type();
        if kind.is_file() || kind.is_contiguous() {
            members.insert(name, Member::Bytes { offset: entry.raw_file_position(), size: entry.size() });
        } else if let (true, Some(target)) = (kind.is_symlink() || kind.is_hard_link(), entry.link_name_bytes()) {
            let target = if kind.is_symlink() { beside(&name, &target) } else { normal(&target) };
            members.insert(name, Member::Link(target));
        }
    }
    None
}

/// The member that a symbolic link points to.
fn beside(name: &str, target: &[u8]) -> String {
    let mut parts: Vec<&str> = name.split('/').collect();
    parts.pop();
    let target = String::from_utf8_lossy(target);
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

impl Blobs for Archive {
    fn open<'b>(&'b self, at: &At) -> io::Result<Option<Box<dyn Read + 'b>>> {
        let found = match at {
            At::Member(name) => self.find(name),
            At::Manifest(digest) | At::Blob(digest) => self.find(&format!("blobs/{}/{}", digest.algorithm(), digest.hex())),
        };
        let Some((offset, size)) = found else { return Ok(None) };
        if !self.packed {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(offset))?;
            return Ok(Some(Box::new(file.take(size))));
        }
        let kept = self.stream.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        let (stream, at) = match kept {
            Some((stream, at)) if at <= offset => (stream, at),
            _ => (stream(&self.path)?.1, 0),
        };
        let mut part = Part { archive: self, stream: Some(stream), at, end: offset };
        io::copy(&mut part, &mut io::sink())?;
        part.end = offset + size;
        Ok(Some(Box::new(part)))
    }

    fn list(&self) -> Vec<At> {
        let plain = |(name, member): (&String, &Member)| match member {
            Member::Bytes { .. } => Some(At::Member(name.clone())),
            Member::Link(_) => None,
        };
        self.members.iter().filter_map(plain).collect()
    }
}

/// A member of a compressed archive. Gives the stream back when it is done.
struct Part<'a> {
    archive: &'a Archive,
    stream: Option<Stream>,
    at: u64,
    end: u64,
}

impl Read for Part<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = into.len().min(usize::try_from(self.end - self.at).unwrap_or(usize::MAX));
        let Some(stream) = &mut self.stream else { return Ok(0) };
        let got = stream.read(&mut into[..most])?;
        self.at += got as u64;
        Ok(got)
    }
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        if let Some(stream) = self.stream.take() {
            *self.archive.stream.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some((stream, self.at));
        }
    }
}
