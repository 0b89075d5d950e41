//! Packs without an index: what a clone or fetch leaves behind that was killed, and what is left when somebody takes the `.idx`
//! away. git does not see what is in them; the bytes are there all the same.
//!
//! The pack is gone through twice. First its entries are found, each behind the one before, without keeping what they inflate
//! to; behind one that is broken, the next that can be told. Then every object is put together and its name worked out; what is
//! made from an object that is given by name waits until that name is known.

use std::collections::BTreeMap;

use gix::hash::oid;

use super::bytes::Window;
use super::forest::{Forest, NONE, Node, forest};
use super::made::Made;
use super::named::{Namer, name_of};
use super::pack::{FIRST, Pack, What};
use super::walk::Walk;
use super::{GitError, Kind, LARGEST};

/// Objects made from objects that are given by name, in a row. git makes 50, and 4095 at most; over the wire it gives places, but for
/// the bases that the other side has.
const ROUNDS: usize = 256;
/// Bytes of an entry's header: a size and a name.
const HEADER: u64 = 10 + 32;
/// Bytes that are looked at together.
const PIECE: usize = 64 << 10;
/// Behind a broken entry, no more bytes are tried than so many times the pack's.
const TRIES: u64 = 64;

/// Reads an object that lies elsewhere.
pub(super) type Elsewhere<'e> = &'e dyn Fn(&oid) -> Option<(Kind, Vec<u8>)>;

/// The pack with an index, and why some of it has no place there. `spend` says whether so many more bytes may be inflated.
pub(super) fn indexed(pack: Pack, elsewhere: Elsewhere<'_>, spend: &dyn Fn(u64) -> bool) -> (Pack, Vec<String>) {
    let (offsets, mut troubles) = offsets(&pack);
    let hash = pack.hash();
    let mut pack = pack.with(Made::new(offsets, hash));
    let kind = |pack: &Pack, at: u64| pack.base_name(at).and_then(|name| elsewhere(&name)).map(|(kind, _)| kind);
    let mut reasons = BTreeMap::new();
    for _ in 0..ROUNDS {
        let grown = forest(&pack, &|at| kind(&pack, at));
        reasons.clear();
        grown.broken.iter().for_each(|(_, why)| *reasons.entry((*why).to_owned()).or_insert(0) += 1);
        let found = Naming { pack: &pack, forest: &grown, elsewhere, spend, reasons: &mut reasons }.all();
        let (bare, mut made) = pack.into_made();
        let more = made.give(&found) && !grown.broken.is_empty();
        pack = bare.with(made);
        if !more {
            break;
        }
    }
    troubles.extend(reasons.into_iter().map(|(why, count)| format!("{count} of its objects cannot be read: {why}")));
    let (bare, made) = pack.into_made();
    (bare.with(made.named()), troubles)
}

/// Where entries begin, and what was wrong on the way.
fn offsets(pack: &Pack) -> (Vec<u64>, Vec<String>) {
    let (mut all, mut troubles) = (Vec::new(), Vec::new());
    let said = pack.said() as usize;
    let mut at = FIRST;
    let stream = sirocco::inflate::Scanner::new(sirocco::Format::Zlib);
    let mut scanner = Scanner { pack, window: Window::default(), stream, tries: pack.bytes().saturating_mul(TRIES) };
    // Behind the last entry stands the checksum, where it was still written.
    while at < pack.bytes() && (all.len() < said || pack.bytes() - at != pack.hash() as u64) {
        match scanner.length(at) {
            Ok(length) => {
                all.push(at);
                at += length;
            }
            // The checksum, behind fewer objects than there were.
            Err(_) if !troubles.is_empty() && pack.bytes() - at == pack.hash() as u64 => break,
            Err(error) => {
                let next = scanner.next(at + 1);
                let lost = next.unwrap_or(pack.bytes()) - at;
                troubles.push(format!("behind {} of {said} objects, {lost} bytes cannot be read: {error}", all.len()));
                at = next.unwrap_or(pack.bytes());
            }
        }
    }
    if troubles.is_empty() && all.len() < said {
        troubles.push(format!("it is cut off behind {} of {said} objects", all.len()));
    }
    (all, troubles)
}

/// Goes through a pack's entries.
struct Scanner<'p> {
    pack: &'p Pack,
    window: Window,
    stream: sirocco::inflate::Scanner,
    /// Bytes that may still be tried.
    tries: u64,
}

impl Scanner<'_> {
    /// Bytes of the entry at `at`.
    fn length(&mut self, at: u64) -> Result<u64, GitError> {
        const CUT: GitError = GitError::Corrupt("it is cut off");
        const SIZE: GitError = GitError::Corrupt("an object has another size than its header says");
        let header = self.pack.header_in(&mut self.window, at)?;
        self.stream.reset();
        let mut from = header.stream;
        loop {
            let bytes = self.pack.from(&mut self.window, from, PIECE)?;
            from += bytes.len() as u64;
            let is_last = from >= self.pack.end() || bytes.is_empty();
            match self.stream.scan(bytes, is_last) {
                Ok(Some(_)) if self.stream.total_out() == header.size => {
                    return Ok(header.stream - at + self.stream.total_in());
                }
                Ok(Some(_)) => return Err(SIZE),
                Ok(None) if is_last => return Err(CUT),
                Ok(None) if self.stream.total_out() > header.size => return Err(SIZE),
                Ok(None) => {}
                Err(sirocco::inflate::Error::Truncated) => return Err(CUT),
                Err(_) => return Err(GitError::Corrupt("an object's zlib stream is broken")),
            }
        }
    }

    /// The next entry that can be told: a header, and right behind it a zlib stream of just the size that it says.
    fn next(&mut self, from: u64) -> Option<u64> {
        let mut ahead = Window::default();
        let mut at = from;
        while at < self.pack.end() {
            let bytes = self.pack.from(&mut ahead, at, PIECE).ok().filter(|bytes| !bytes.is_empty())?;
            let Some(found) = memchr::memchr(0x78, bytes) else {
                at += bytes.len() as u64;
                continue;
            };
            let stream = at + found as u64;
            at = stream + 1;
            let second = self.pack.from(&mut ahead, at, 1).ok()?.first().copied();
            if !matches!(second, Some(0x01 | 0x5e | 0x9c | 0xda)) {
                continue;
            }
            for entry in (from.max(stream.saturating_sub(HEADER))..stream).rev() {
                if !self.pack.header(entry).is_ok_and(|header| header.stream == stream) {
                    continue;
                }
                let fits = self.length(entry).is_ok();
                self.tries = self.tries.checked_sub(self.stream.total_in())?;
                if fits {
                    return Some(entry);
                }
            }
        }
        None
    }
}

/// Works out the names of what can be put together by now.
struct Naming<'n> {
    pack: &'n Pack,
    forest: &'n Forest,
    elsewhere: Elsewhere<'n>,
    spend: &'n dyn Fn(u64) -> bool,
    reasons: &'n mut BTreeMap<String, u32>,
}

impl Naming<'_> {
    fn all(self) -> Vec<(u32, gix::hash::ObjectId)> {
        let nodes = &self.forest.nodes;
        let is_open = |node: &Node| !self.pack.name(node.entry).as_bytes().iter().any(|&byte| byte != 0);
        let foreign = |name: &oid| (self.elsewhere)(name).map(|(_, bytes)| bytes);
        let mut walk: Walk<'_, ()> = Walk::new(self.pack, self.forest, &foreign);
        let (mut found, mut at) = (Vec::new(), 0);
        let mut lost = |count: usize, why: String| *self.reasons.entry(why).or_insert(0) += count as u32;
        while at < nodes.len() {
            let node = nodes[at];
            if !is_open(&node) {
                at += 1;
                continue;
            }
            if let Some(stream) = large(self.pack, &node) {
                match streamed(self.pack, node.kind, stream) {
                    Some(name) => found.push((node.entry, name)),
                    None => lost(1, "it is broken".to_owned()),
                }
                at += 1;
                continue;
            }
            let mut spent = true;
            let read = walk.seek(at as u32, &mut |step| {
                spent &= (self.spend)(step.bytes.len() as u64);
                if step.node as usize == at {
                    found.push((node.entry, name_of(node.kind, step.bytes, self.pack.hash())));
                }
            });
            if !spent {
                lost(nodes.len() - at, "more bytes than any honest pack holds".to_owned());
                break;
            }
            match read {
                Ok(()) => at += 1,
                Err((failed, error)) => {
                    let end = nodes[failed as usize].end as usize;
                    lost(nodes[at..end].iter().filter(|node| is_open(node)).count(), error.to_string());
                    at = end;
                }
            }
        }
        found
    }
}

/// Where the stream of an object begins that is stored whole and too large for the memory, and its size.
fn large(pack: &Pack, node: &Node) -> Option<(u64, u64)> {
    let header = pack.header(node.offset).ok().filter(|header| header.size > LARGEST && node.base == NONE)?;
    matches!(header.what, What::Whole(_)).then_some((header.stream, header.size))
}

/// The name of such an object; none where it is broken.
fn streamed(pack: &Pack, kind: Kind, (stream, size): (u64, u64)) -> Option<gix::hash::ObjectId> {
    let mut reader = pack.inflated(stream);
    let mut namer = Namer::new(kind, size, pack.hash());
    let copied = std::io::copy(&mut reader, &mut namer);
    copied.is_ok_and(|bytes| bytes == size).then(|| namer.name())
}
