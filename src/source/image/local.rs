//! Images on disk: a folder in the OCI layout, and archives, which are read in place where they are plain tar.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::blobs::{At, Blobs, Digest};
use super::checked::{Bounded, Counted, HEADERS, Metered};
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
        let (codec, _) = stream(path)?;
        let (members, packed) = (BTreeMap::new(), codec.is_some());
        let mut archive = Self { path: path.to_owned(), members, broken: None, packed, stream: Mutex::default() };
        archive.broken = archive.index(codec, File::open(path)?).err().map(|error| error.to_string());
        match &archive.broken {
            Some(why) if archive.members.is_empty() => Err(io::Error::other(why.clone())),
            _ => Ok(archive),
        }
    }

    /// Why not all of it could be read.
    pub fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// Lists the members. An error ends the list; what stands before it counts.
    fn index(&mut self, codec: Option<Codec>, file: File) -> io::Result<()> {
        let (packed, unpacked, headers) = (Cell::new(0), Cell::new(0), Cell::new(None));
        let Some(codec) = codec else {
            let mut archive = tar::Archive::new(Metered::new(file, &headers));
            return self.list_all(archive.entries_with_seek()?, &headers);
        };
        let plain = Bounded::new(codec.decoder(Counted::new(file, &packed))?, &packed, &unpacked);
        let mut archive = tar::Archive::new(Metered::new(plain, &headers));
        self.list_all(archive.entries()?, &headers)
    }

    fn list_all<R: Read>(&mut self, mut entries: tar::Entries<'_, R>, headers: &Cell<Option<u64>>) -> io::Result<()> {
        loop {
            headers.set(Some(HEADERS));
            let next = entries.next();
            headers.set(None);
            let Some(mut entry) = next.transpose()? else { return Ok(()) };
            self.member(&entry)?;
            if self.packed {
                io::copy(&mut entry, &mut io::sink())?;
            }
        }
    }

    fn member<R: Read>(&mut self, entry: &tar::Entry<'_, R>) -> io::Result<()> {
        if self.members.len() >= MOST {
            return Err(io::Error::other(format!("it has more than {MOST} members")));
        }
        let name = normal(&entry.path_bytes());
        let kind = entry.header().entry_type();
        if kind.is_file() || kind.is_contiguous() {
            self.members.insert(name, Member::Bytes { offset: entry.raw_file_position(), size: entry.size() });
        } else if let (true, Some(target)) = (kind.is_symlink() || kind.is_hard_link(), entry.link_name_bytes()) {
            let target = if kind.is_symlink() { beside(&name, &target) } else { normal(&target) };
            self.members.insert(name, Member::Link(target));
        }
        Ok(())
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
