//! References kept as a stack of reftables, read from their bytes: every length and offset in them is suspect.
//! <https://git-scm.com/docs/reftable> (git's `Documentation/technical/reftable.adoc`)
//!
//! What the indexes say follows from the blocks of references, which are read; a log says what was, not what is: of it only what
//! people wrote.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use gix::hash::ObjectId;

use super::GitError;
use super::inflate::Inflater;

/// The longest table that is read: a million references take 60 MB.
const LARGEST: u64 = 256 << 20;
/// Tables in a stack. git keeps it shorter than 20 by packing them together.
const TABLES: usize = 1 << 12;
/// References, and bytes of all their names: a few bytes in a table can stand for a long name.
const MOST: usize = 1 << 20;
const NAMES: usize = 256 << 20;
/// The longest name; git's own limit is that of a path.
const LONGEST: usize = 4096;
/// References to references; git follows five.
const DEEPEST: usize = 5;

/// What a reference names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// An object, and what it leads to when it is a tag.
    Object(ObjectId, Option<ObjectId>),
    /// Another reference.
    Symbolic(Vec<u8>),
}

/// All references, by name.
pub(super) type Names = BTreeMap<Vec<u8>, Target>;

/// The references of the stack in `folder`, a `reftable` one.
///
/// # Errors
/// When one of its tables cannot be read: what it says of any reference would be newer than what is known.
pub(super) fn stack(folder: &Path, hash: usize) -> Result<Names, GitError> {
    let list = read(&folder.join("tables.list"))?;
    let list = String::from_utf8_lossy(&list).into_owned();
    let mut names = Names::new();
    for (n, line) in list.lines().filter(|line| !line.is_empty()).enumerate() {
        // A name, not a path to anywhere.
        if n >= TABLES || line.contains(['/', '\\']) {
            return Err(GitError::Corrupt("the list of reftables is not one that git makes"));
        }
        table(&read(&folder.join(line))?, hash, &mut names)?;
    }
    Ok(names)
}

/// The object that a name leads to, by the way of other names; the second one where it is a tag.
pub(super) fn follow<'n>(names: &'n Names, name: &[u8]) -> Option<&'n Target> {
    let mut target = names.get(name)?;
    for _ in 0..DEEPEST {
        match target {
            Target::Object(..) => return Some(target),
            Target::Symbolic(next) => target = names.get(next)?,
        }
    }
    None
}

/// What people wrote into the logs of the stack in `folder`: of each line who and why, a line each.
///
/// # Errors
/// When one of its tables cannot be read.
pub(super) fn logs(folder: &Path, hash: usize) -> Result<Vec<u8>, GitError> {
    let list = read(&folder.join("tables.list"))?;
    let mut text = Vec::new();
    for line in String::from_utf8_lossy(&list).lines().filter(|line| !line.is_empty() && !line.contains(['/', '\\'])) {
        log(&read(&folder.join(line))?, hash, &mut text).ok_or(GitError::Corrupt("a reftable's log is broken"))?;
    }
    Ok(text)
}

/// The same of one table.
fn log(bytes: &[u8], hash: usize, text: &mut Vec<u8>) -> Option<()> {
    let Shape { header, mut log, .. } = Shape::of(bytes, hash)?;
    if log == 0 && bytes.get(header) != Some(&b'g') {
        return Some(());
    }
    let mut inflater = Inflater::new();
    // A table of logs alone begins with one, behind the header, which counts as part of the first block.
    let mut before = if log == 0 { header } else { 0 };
    while bytes.get(log + before) == Some(&b'g') {
        let start = log + before + 4;
        let length = number(bytes.get(start - 3..start)?).checked_sub(before + 4)?;
        let mut block = vec![0; length];
        let taken = inflater.exact(bytes.get(start..)?, &mut block).ok()?;
        let end = block.len().checked_sub(2)?;
        let end = end.checked_sub(3 * number(&block[end..]))?;
        let (mut at, mut name) = (0, Vec::new());
        while at < end {
            entry(&block[..end], &mut at, hash, &mut name, text)?;
            if text.len() > NAMES {
                return None;
            }
        }
        (log, before) = (start + taken, 0);
    }
    Some(())
}

/// One line of a log.
fn entry(block: &[u8], at: &mut usize, hash: usize, name: &mut Vec<u8>, text: &mut Vec<u8>) -> Option<()> {
    let kept = varint(block, at).filter(|&kept| kept <= name.len())?;
    let (length, kind) = varint(block, at).map(|both| (both >> 3, both & 7))?;
    name.truncate(kept);
    name.extend_from_slice(take(block, at, length).filter(|_| kept + length <= LONGEST)?);
    if kind == 0 {
        return Some(());
    }
    take(block, at, 2 * hash)?;
    for end in [&b" <"[..], b">\t"] {
        let length = varint(block, at)?;
        text.extend_from_slice(take(block, at, length)?);
        text.extend_from_slice(end);
    }
    varint(block, at)?;
    take(block, at, 2)?;
    let length = varint(block, at)?;
    text.extend_from_slice(take(block, at, length)?.trim_ascii_end());
    text.push(b'\n');
    Some(())
}

fn read(path: &Path) -> Result<Vec<u8>, GitError> {
    let failed = |error| GitError::Io(path.display().to_string(), error);
    // Before it is opened: a pipe would wait for ever.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(GitError::Corrupt("a reftable that is no file"));
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() as u64 > LARGEST { Err(GitError::Corrupt("a reftable that is too large")) } else { Ok(bytes) }
}

/// Adds what one table says to what the older ones say.
pub(super) fn table(bytes: &[u8], hash: usize, names: &mut Names) -> Result<(), GitError> {
    const BROKEN: GitError = GitError::Corrupt("a reftable is broken");
    let shape = Shape::of(bytes, hash).ok_or(BROKEN)?;
    let mut total: usize = names.keys().map(Vec::len).sum();
    let mut at = 0;
    while at < shape.end {
        let head = if at == 0 { shape.header } else { 0 };
        // An index, a log, or the padding behind the last block.
        if bytes.get(at + head) != Some(&b'r') {
            break;
        }
        let length = number(bytes.get(at + head + 1..at + head + 4).ok_or(BROKEN)?);
        let block = bytes.get(at..at + length).filter(|_| at + length <= shape.end).ok_or(BROKEN)?;
        records(block, head + 4, hash, &mut |name, target| {
            total += name.len();
            match target {
                Some(target) => names.insert(name.to_vec(), target),
                None => names.remove(name),
            };
            names.len() <= MOST && total <= NAMES
        })?;
        // Blocks are padded up to the next one, or not at all.
        let is_padded = shape.block > length && bytes.get(at + length) == Some(&0);
        at += if is_padded { shape.block } else { length };
    }
    Ok(())
}

/// Where things are in a table.
struct Shape {
    header: usize,
    /// To what the blocks are padded; 0 where they are not.
    block: usize,
    /// Where the blocks of references end.
    end: usize,
    /// Where the blocks of logs begin; 0 where there are none, or nothing else.
    log: usize,
}

impl Shape {
    /// Reads the header and the footer, which must agree.
    fn of(bytes: &[u8], hash: usize) -> Option<Self> {
        let header = match bytes.get(..5)? {
            b"REFT\x01" => 24,
            b"REFT\x02" => 28,
            _ => return None,
        };
        let named = match bytes.get(24..header)? {
            b"" | b"sha1" => 20,
            b"s256" => 32,
            _ => return None,
        };
        let start = bytes.len().checked_sub(header + 5 * 8 + 4).filter(|&start| start >= header)?;
        let footer = &bytes[start..];
        let (body, sum) = footer.split_at(footer.len() - 4);
        if named != hash || body[..header] != bytes[..header] || crc32fast::hash(body).to_be_bytes() != sum {
            return None;
        }
        let places = body[header..].chunks_exact(8).map(number);
        let log = places.clone().nth(3)?.min(start);
        // The second one holds the length of abbreviated names as well.
        let places = places.enumerate().map(|(n, place)| if n == 1 { place >> 5 } else { place });
        let end = places.filter(|&place| place > 0).min().unwrap_or(start).min(start);
        Some(Self { header, block: number(&bytes[5..8]), end, log })
    }
}

/// The records of one block, which begin at `at`. `each` says whether there may be more.
fn records(
    block: &[u8],
    mut at: usize,
    hash: usize,
    each: &mut dyn FnMut(&[u8], Option<Target>) -> bool,
) -> Result<(), GitError> {
    const BROKEN: GitError = GitError::Corrupt("a reftable's block is broken");
    let restarts = block.len().checked_sub(2).map(|from| number(&block[from..])).ok_or(BROKEN)?;
    let end = block.len().checked_sub(2 + 3 * restarts).ok_or(BROKEN)?;
    let block = &block[..end];
    let mut name: Vec<u8> = Vec::new();
    while at < end {
        let Said(target) = record(block, &mut at, hash, &mut name).ok_or(BROKEN)?;
        if !each(&name, target) {
            return Err(GitError::Corrupt("more references than any honest repository has"));
        }
    }
    Ok(())
}

/// What a record says of a reference: nothing takes away what older tables say.
struct Said(Option<Target>);

/// One record; `name` is that of the one before.
fn record(block: &[u8], at: &mut usize, hash: usize, name: &mut Vec<u8>) -> Option<Said> {
    let kept = varint(block, at).filter(|&kept| kept <= name.len())?;
    let (length, kind) = varint(block, at).map(|both| (both >> 3, both & 7))?;
    name.truncate(kept);
    name.extend_from_slice(take(block, at, length).filter(|_| kept + length <= LONGEST)?);
    varint(block, at)?;
    let mut object = || ObjectId::try_from(take(block, at, hash)?).ok();
    Some(Said(match kind {
        0 => None,
        1 => Some(Target::Object(object()?, None)),
        2 => Some(Target::Object(object()?, Some(object()?))),
        3 => {
            let length = varint(block, at).filter(|&length| length <= LONGEST)?;
            Some(Target::Symbolic(take(block, at, length)?.to_vec()))
        }
        _ => return None,
    }))
}

fn take<'b>(block: &'b [u8], at: &mut usize, length: usize) -> Option<&'b [u8]> {
    let bytes = block.get(*at..at.checked_add(length)?)?;
    *at += length;
    Some(bytes)
}

/// A number of seven bits a byte, the highest first, as packs have it for places.
fn varint(block: &[u8], at: &mut usize) -> Option<usize> {
    let mut byte = *block.get(*at)?;
    *at += 1;
    let mut value = usize::from(byte & 0x7f);
    while byte & 0x80 != 0 {
        byte = *block.get(*at)?;
        *at += 1;
        value = value.checked_add(1)?.checked_mul(128)? | usize::from(byte & 0x7f);
    }
    Some(value)
}

/// Up to eight bytes, the highest first; what is out of bounds is very large.
fn number(bytes: &[u8]) -> usize {
    let value = bytes.iter().fold(0_u64, |value, &byte| value << 8 | u64::from(byte));
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Names, Target, follow, table};
    use gix::hash::ObjectId;

    fn id(byte: u8) -> ObjectId {
        ObjectId::Sha1([byte; 20])
    }

    /// A table of one block; records as `(kept, suffix, kind, value)`.
    fn made(records: &[(u8, &str, u8, Vec<u8>)]) -> Vec<u8> {
        let mut bytes = [&b"REFT\x01\0\x10\0"[..], &[0; 16]].concat();
        let mut block = Vec::new();
        for (kept, suffix, kind, value) in records {
            block.extend([*kept, (suffix.len() as u8) << 3 | kind]);
            block.extend_from_slice(suffix.as_bytes());
            block.push(0);
            block.extend_from_slice(value);
        }
        block.extend([0, 0, 28, 0, 1]);
        let length = 28 + block.len() as u32;
        bytes.push(b'r');
        bytes.extend_from_slice(&length.to_be_bytes()[1..]);
        bytes.extend(block);
        signed(bytes)
    }

    /// With a footer.
    fn signed(mut bytes: Vec<u8>) -> Vec<u8> {
        let start = bytes.len();
        bytes.extend_from_within(..24);
        bytes.extend([0; 40]);
        let sum = crc32fast::hash(&bytes[start..]);
        bytes.extend(sum.to_be_bytes());
        bytes
    }

    #[test]
    fn newer_tables_add_change_and_take_away() {
        let old = made(&[
            (0, "HEAD", 3, b"\x0frefs/heads/main".to_vec()),
            (0, "refs/heads/", 1, vec![1; 20]),
            (11, "main", 1, vec![2; 20]),
            (5, "tags/v1", 2, [[3; 20], [4; 20]].concat()),
        ]);
        let new = made(&[(0, "refs/heads/", 0, Vec::new()), (11, "main", 1, vec![5; 20])]);
        let mut names = Names::new();
        table(&old, 20, &mut names).expect("sound");
        assert_eq!(names.len(), 4);
        table(&new, 20, &mut names).expect("sound");
        assert_eq!(follow(&names, b"HEAD"), Some(&Target::Object(id(5), None)));
        assert_eq!(follow(&names, b"refs/tags/v1"), Some(&Target::Object(id(3), Some(id(4)))));
        assert_eq!(follow(&names, b"refs/heads/"), None);
        assert!(table(&old, 32, &mut names).is_err(), "another hash");
        assert!(table(&old[..old.len() - 1], 20, &mut names).is_err(), "cut off");
    }

    #[test]
    fn circles_and_long_names_end() {
        let circle = made(&[(0, "a", 3, b"\x01b".to_vec()), (0, "b", 3, b"\x01a".to_vec())]);
        let mut names = Names::new();
        table(&circle, 20, &mut names).expect("sound");
        assert_eq!(follow(&names, b"a"), None);
        let broken = made(&[(9, "a", 1, vec![1; 20])]);
        assert!(table(&broken, 20, &mut names).is_err(), "a prefix of nothing");
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(body in proptest::collection::vec(any::<u8>(), 0..300), head in any::<bool>()) {
            let mut names = Names::new();
            let bytes = if head { [&b"REFT\x01\0\0\0"[..], &[0; 16], b"r\0\0", &body].concat() } else { body };
            let _ = table(&bytes, 20, &mut names);
            let _ = table(&signed([&bytes[..], &[0; 24]].concat()), 20, &mut names);
            prop_assert!(names.len() < 400);
        }

        #[test]
        fn any_changed_byte_is_survived(at in 24_usize..80, byte in any::<u8>()) {
            let mut bytes = made(&[(0, "HEAD", 3, b"\x0frefs/heads/main".to_vec()), (0, "refs/x", 1, vec![1; 20])]);
            bytes.truncate(bytes.len() - 68);
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = table(&signed(bytes), 20, &mut Names::new());
        }
    }
}
