//! Looks for known secrets in whatever a program left behind: streams, files, folders, database rows. Finds each in
//! the forms in which a leak would hide: as it is, base64 at any alignment, hex, percent-encoded, UTF-16, escaped, and
//! as the list of numbers that Rust's `{:?}` makes of bytes.

use aho_corasick::AhoCorasick;
use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, Encoding, HEXLOWER, HEXUPPER};
use percent_encoding::percent_decode;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use std::fs;
use std::path::Path;

/// A secret found where it must not be. Names the canary; does not hold it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sighting {
    pub(crate) canary: String,
    pub(crate) form: &'static str,
    pub(crate) place: String,
}

/// The secrets to look for, in all forms at once.
pub(crate) struct Canaries {
    names: Vec<(String, &'static str)>,
    needles: AhoCorasick,
}

/// Shorter than this, a form would be found by chance.
const SHORTEST: usize = 8;

impl Canaries {
    /// `secrets` are (name, bytes); each must be long enough that no form of it occurs by chance.
    pub(crate) fn new(secrets: &[(&str, &[u8])]) -> Self {
        let mut names = Vec::new();
        let mut needles = Vec::new();
        for (name, secret) in secrets {
            assert!(secret.len() >= SHORTEST, "{name} is too short to look for");
            for (form, needle) in forms(secret) {
                names.push(((*name).to_owned(), form));
                needles.push(needle);
            }
        }
        Self { names, needles: AhoCorasick::new(needles).unwrap() }
    }

    /// What is in `bytes`; `place` is how the sightings call them. Each canary and form once.
    pub(crate) fn in_bytes(&self, place: &str, bytes: &[u8]) -> Vec<Sighting> {
        let mut found = self.hits(place, bytes, None);
        if bytes.contains(&b'%') {
            // Which characters are encoded differs from encoder to encoder: so the text is decoded, not the secret encoded.
            let decoded: Vec<u8> = percent_decode(bytes).collect();
            let mut hidden = self.hits(place, &decoded, Some("percent-encoded"));
            hidden.retain(|hit| !found.iter().any(|plain| plain.canary == hit.canary));
            found.extend(hidden);
        }
        found.sort();
        found.dedup();
        found
    }

    fn hits(&self, place: &str, bytes: &[u8], form: Option<&'static str>) -> Vec<Sighting> {
        let hit = |id: usize| {
            let (canary, own) = self.names[id].clone();
            Sighting { canary, form: form.unwrap_or(own), place: place.to_owned() }
        };
        self.needles.find_overlapping_iter(bytes).map(|found| hit(found.pattern().as_usize())).collect()
    }

    /// What is in a file or a folder and all below it: names, contents, link targets (links are not followed), and the
    /// values of SQLite databases, since a value may be split over pages. Panics on what it cannot read.
    pub(crate) fn in_tree(&self, path: &Path) -> Vec<Sighting> {
        let place = path.display().to_string();
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        let mut found = self.in_bytes(&format!("{place} (name)"), name);
        let kind = fs::symlink_metadata(path).unwrap_or_else(|error| panic!("{place}: {error}")).file_type();
        if kind.is_symlink() {
            let target = fs::read_link(path).unwrap();
            found.extend(self.in_bytes(&format!("{place} (link)"), target.as_os_str().as_encoded_bytes()));
        } else if kind.is_dir() {
            for entry in fs::read_dir(path).unwrap_or_else(|error| panic!("{place}: {error}")) {
                found.extend(self.in_tree(&entry.unwrap().path()));
            }
        } else if kind.is_file() {
            let bytes = fs::read(path).unwrap_or_else(|error| panic!("{place}: {error}"));
            found.extend(self.in_bytes(&place, &bytes));
            if bytes.starts_with(b"SQLite format 3\0") {
                found.extend(self.in_database(path, &place));
            }
        }
        found
    }

    fn in_database(&self, path: &Path, place: &str) -> Vec<Sighting> {
        // A copy, log and all: opening the original could change it.
        let copy = tempfile::tempdir().unwrap();
        let database = copy.path().join("db");
        fs::copy(path, &database).unwrap();
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        if Path::new(&log).exists() {
            fs::copy(&log, copy.path().join("db-wal")).unwrap();
        }
        let open = Connection::open_with_flags(&database, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
        let mut tables = open.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
        let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        tables.iter().flat_map(|table| self.in_table(&open, table, place)).collect()
    }

    fn in_table(&self, open: &Connection, table: &str, place: &str) -> Vec<Sighting> {
        let place = format!("{place} (table {table})");
        let mut found = Vec::new();
        let mut all = open.prepare(&format!("SELECT * FROM \"{}\"", table.replace('"', "\"\""))).unwrap();
        let columns = all.column_count();
        let mut rows = all.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                if let ValueRef::Text(bytes) | ValueRef::Blob(bytes) = row.get_ref(column).unwrap() {
                    found.extend(self.in_bytes(&place, bytes));
                }
            }
        }
        found
    }
}

/// Every form of a secret, with its name.
fn forms(secret: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut forms = vec![
        ("plain", secret.to_vec()),
        ("hex", HEXLOWER.encode(secret).into_bytes()),
        ("hex", HEXUPPER.encode(secret).into_bytes()),
        ("list of bytes", secret.iter().map(u8::to_string).collect::<Vec<_>>().join(", ").into_bytes()),
    ];
    for ahead in 0..3 {
        forms.push(("base64", base64(&BASE64_NOPAD, secret, ahead)));
        forms.push(("base64", base64(&BASE64URL_NOPAD, secret, ahead)));
    }
    if let Ok(text) = std::str::from_utf8(secret) {
        forms.push(("utf-16", text.encode_utf16().flat_map(u16::to_le_bytes).collect()));
        forms.push(("utf-16", text.encode_utf16().flat_map(u16::to_be_bytes).collect()));
        let quoted = serde_json::to_string(text).unwrap();
        let escaped = quoted.as_bytes()[1..quoted.len() - 1].to_vec();
        if escaped != secret {
            forms.push(("escaped", escaped));
        }
    }
    forms
}

/// The characters that depend on the secret alone when it stands `ahead` bytes (modulo 3) into what is encoded.
fn base64(encoding: &Encoding, secret: &[u8], ahead: usize) -> Vec<u8> {
    let mut padded = vec![0; ahead];
    padded.extend(secret);
    let text = encoding.encode(&padded).into_bytes();
    // The first character that holds no bit of what is ahead, the last that holds none of what follows.
    text[(ahead * 8).div_ceil(6)..padded.len() * 8 / 6].to_vec()
}

mod tests;
