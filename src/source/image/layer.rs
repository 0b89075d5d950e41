//! One layer, or any other part of an image: unpacked and walked as a stream, checked against its digest on the way.

use std::cell::Cell;
use std::io::{self, Read};

use super::checked::{Bounded, Counted, HEADERS, Hashed, Metered};
use super::names::{Names, normal};
use super::{Role, Unit, shown};
use crate::source::archive::compress;
use crate::source::{Entry, Visit};

const BLOCK: usize = 512;

/// Reads a part to its end. False when something was wrong with it, which `visit` was told.
pub(super) fn read<'r>(
    image: &str,
    unit: &Unit,
    (reader, names): (Box<dyn Read + 'r>, &mut Names),
    visit: &mut dyn Visit,
) -> bool {
    let counts = Counts::default();
    let counted = Counted::new(reader, &counts.packed);
    let mut walk = Walk { image, unit, names, visit, counts: &counts, whole: true };
    match (&unit.digest, &unit.role) {
        (Some(digest), Role::Layer { unpacked: true, .. }) => {
            walk.open(Box::new(counted), |walk, plain| {
                let mut hashed = Hashed::new(plain, digest.clone(), None);
                walk.content(&mut hashed);
                walk.check(hashed);
            });
        }
        (Some(digest), _) => {
            let mut hashed = Hashed::new(counted, digest.clone(), unit.size);
            walk.open(Box::new(&mut hashed), |walk, plain| walk.content(plain));
            walk.check(hashed);
        }
        (None, _) => walk.open(Box::new(counted), |walk, plain| walk.content(plain)),
    }
    walk.whole
}

#[derive(Default)]
struct Counts {
    packed: Cell<u64>,
    unpacked: Cell<u64>,
    /// Of sparse files, whose holes cost their writer nothing.
    sparse: Cell<u64>,
    headers: Cell<Option<u64>>,
}

struct Walk<'w> {
    image: &'w str,
    unit: &'w Unit,
    names: &'w mut Names,
    visit: &'w mut dyn Visit,
    counts: &'w Counts,
    whole: bool,
}

impl<'w> Walk<'w> {
    fn trouble(&mut self, why: &str) {
        // The first is the cause of the others.
        if self.whole {
            self.visit.trouble(&shown(self.image, self.unit), why);
        }
        self.whole = false;
    }

    fn open(&mut self, packed: Box<dyn Read + '_>, content: impl FnOnce(&mut Self, &mut dyn Read)) {
        let counts = self.counts;
        match compress::open(packed) {
            Ok((_, plain)) => content(self, &mut Bounded::new(plain, &counts.packed, &counts.unpacked)),
            Err(error) => self.trouble(&error.to_string()),
        }
    }

    /// Reads on to the end, for the digest's sake, and compares.
    fn check<R: Read>(&mut self, mut hashed: Hashed<R>) {
        if !self.whole || self.visit.is_stopped() {
            self.whole = false;
            return;
        }
        let verdict = match io::copy(&mut hashed, &mut io::sink()) {
            Ok(_) => hashed.verdict(),
            Err(error) => Err(error.to_string()),
        };
        if let Err(why) = verdict {
            self.trouble(&why);
        }
    }

    fn content(&mut self, plain: &mut dyn Read) {
        let mut head = Vec::with_capacity(BLOCK);
        if let Err(error) = plain.take(BLOCK as u64).read_to_end(&mut head) {
            // What came before the error is looked at all the same.
            self.trouble(&error.to_string());
        }
        let is_layer = matches!(self.unit.role, Role::Layer { .. });
        let mut whole = io::Cursor::new(&head).chain(plain);
        if is_tar(&head) {
            self.tar(&mut whole);
            return;
        }
        if is_layer && !head.is_empty() {
            self.trouble("it is no tar archive");
        }
        self.file(&shown(self.image, self.unit), &mut whole);
    }

    /// Hands a file on, and reads what the other side left of it. False when it cannot be read to its end, which the other
    /// side has told.
    fn file(&mut self, path: &str, reader: &mut dyn Read) -> bool {
        self.visit.file(&Entry { path, provenance: &self.unit.provenance }, reader);
        let whole = !self.visit.is_stopped() && io::copy(reader, &mut io::sink()).is_ok();
        self.whole &= whole;
        whole
    }

    fn tar(&mut self, plain: &mut dyn Read) {
        let counts: &'w Counts = self.counts;
        let mut archive = tar::Archive::new(Metered::new(&mut *plain, &counts.headers));
        match archive.entries() {
            Ok(mut entries) => while self.member(&mut entries) {},
            Err(error) => self.trouble(&error.to_string()),
        }
        counts.headers.set(None);
        if !self.visit.is_stopped() {
            self.rest(plain);
        }
    }

    /// The next member of the archive; false at its end.
    fn member<R: Read>(&mut self, entries: &mut tar::Entries<'_, R>) -> bool {
        if self.visit.is_stopped() {
            return false;
        }
        self.counts.headers.set(Some(HEADERS));
        let next = entries.next();
        self.counts.headers.set(None);
        let mut entry = match next {
            None => return false,
            Some(Ok(entry)) => entry,
            Some(Err(error)) => {
                self.trouble(&error.to_string());
                return false;
            }
        };
        let path = normal(&entry.path_bytes());
        let (kind, size) = (entry.header().entry_type(), entry.size());
        if kind.is_pax_global_extensions() {
            // git archive's and others' comments: no file.
        } else if kind.is_dir() {
            self.names.folder(&path);
        } else if !self.names.whiteout(&path) {
            self.names.file(&path);
        }
        let shown = format!("{}!{path}", self.image);
        if !kind.is_file() {
            self.visit.named(&Entry { path: &shown, provenance: &self.unit.provenance });
        }
        if kind.is_symlink() || kind.is_hard_link() {
            self.visit.skip("link in an image");
        } else if kind.is_character_special() || kind.is_block_special() || kind.is_fifo() {
            self.visit.skip("device or pipe in an image");
        }
        let is_file = !(kind.is_dir() || kind.is_pax_global_extensions() || kind.is_symlink() || kind.is_hard_link());
        // Links and folders with content are nothing that tar writes; what stands there is read all the same.
        if size == 0 && !(is_file && kind.is_file()) {
            return true;
        }
        let exact = Exact { reader: &mut entry, left: size };
        self.file(&shown, &mut Bounded::new(exact, &self.counts.packed, &self.counts.sparse))
    }

    /// What stands behind the archive's end or its first error. Zeros are padding.
    fn rest(&mut self, plain: &mut dyn Read) {
        let mut chunk = vec![0; 64 << 10];
        loop {
            match plain.read(&mut chunk) {
                Ok(0) => return,
                Ok(got) if chunk[..got].iter().all(|byte| *byte == 0) => {}
                Ok(got) => {
                    let path = format!("{}.rest", shown(self.image, self.unit));
                    self.file(&path, &mut io::Cursor::new(&chunk[..got]).chain(plain));
                    return;
                }
                Err(error) => return self.trouble(&error.to_string()),
            }
        }
    }
}

/// Whether a tar archive begins so: with a header whose checksum fits, or with its end.
fn is_tar(head: &[u8]) -> bool {
    let Ok(block) = <&[u8; BLOCK]>::try_from(head) else { return false };
    if block.iter().all(|byte| *byte == 0) {
        return true;
    }
    // The checksum's own field counts as spaces.
    let sum: u32 =
        block.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) }).sum();
    tar::Header::from_byte_slice(block).cksum().is_ok_and(|said| said == sum)
}

/// A member that must be as long as its header says.
struct Exact<'e, R> {
    reader: &'e mut R,
    left: u64,
}

impl<R: Read> Read for Exact<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let got = self.reader.read(into)?;
        if got == 0 && self.left > 0 && !into.is_empty() {
            let why = format!("the layer ends {} bytes before the file does", self.left);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
        }
        self.left = self.left.saturating_sub(got as u64);
        Ok(got)
    }
}
