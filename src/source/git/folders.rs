//! Folders of objects beside a repository's own: alternates, and what was received and never accepted.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use gix::bstr::ByteSlice;

use super::open::{GitPlace, read, to_path};

/// Alternates of alternates; git follows five.
const DEEPEST: usize = 5;
/// All of them together.
const MOST: usize = 64;

/// Finds what was received by pushes that were stopped half-way: git keeps it apart until they are accepted.
pub(super) fn quarantines(place: &mut GitPlace) {
    let own = place.objects[0].clone();
    let entries = fs::read_dir(&own).into_iter().flatten().filter_map(Result::ok);
    let is_one = |name: &str| name.starts_with("tmp_objdir-") || name.starts_with("incoming-");
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter(|entry| is_one(&entry.file_name().to_string_lossy()))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    if found.len() >= MOST {
        let why = "too many pushes that were stopped half-way; not all of them were read".to_owned();
        place.troubles.push((own.display().to_string(), why));
        found.truncate(MOST - 1);
    }
    place.objects.extend(found);
}

/// Follows `objects/info/alternates`, each folder once.
pub(super) fn alternates(place: &mut GitPlace) {
    let mut at = 0;
    let mut depths = vec![0; place.objects.len()];
    while at < place.objects.len() {
        let folder = place.objects[at].clone();
        let text = read(&folder.join("info/alternates")).unwrap_or_default();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let other = folder.join(line.trim_matches('"'));
            let trouble = |why: &str| (format!("alternate {}", other.display()), why.to_owned());
            match other.canonicalize() {
                Err(error) => place.troubles.push(trouble(&error.to_string())),
                Ok(full) if place.objects.iter().any(|known| known.canonicalize().is_ok_and(|known| known == full)) => {}
                Ok(_) if depths[at] >= DEEPEST || place.objects.len() >= MOST => {
                    place.troubles.push(trouble("too many alternates; it was not read"));
                }
                Ok(full) => {
                    place.objects.push(full);
                    depths.push(depths[at] + 1);
                }
            }
        }
        at += 1;
    }
}

/// A list of folders with `:` between them (`;` on Windows), each perhaps in C's quotes.
pub(super) fn listed(text: &OsString) -> Vec<PathBuf> {
    let bytes = gix::path::os_str_into_bstr(text).map(|text| text.to_vec()).unwrap_or_default();
    let separator = if cfg!(windows) { b';' } else { b':' };
    let (mut rest, mut all) = (bytes.as_slice(), Vec::new());
    while !rest.is_empty() {
        let quoted = if rest[0] == b'"' { gix::quote::ansi_c::undo(rest.as_bstr()).ok() } else { None };
        let (name, length) = quoted.map_or_else(
            || {
                let length = rest.find_byte(separator).unwrap_or(rest.len());
                (rest[..length].to_vec(), length)
            },
            |(name, length)| (name.to_vec(), length),
        );
        all.extend(to_path(&name).filter(|path| !path.as_os_str().is_empty()));
        rest = rest.get(length + 1..).unwrap_or_default();
    }
    all
}
