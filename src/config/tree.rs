//! `.staunch.toml` → what the people of a tree allow: paths, detectors and findings that are not to be reported, each with
//! a reason. It can do nothing else: what is asked, sent or run is the operator's word alone.

use std::path::Path;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use jiff::civil::Date;

use crate::declared::{Document, Mistakes, Table, Value};

/// Every finding passes every entry, and every file every `[[skip]]`. A longer list is a baseline's work.
const MOST_ALLOWED: usize = 500;
const MOST_SKIPPED: usize = 50;
/// A reason is a line for people, in every report.
const LONGEST_REASON: usize = 200;
/// Digits of a fingerprint's digest that a person copies from a report; 48 bits under a key that nobody knows.
const FEWEST_DIGITS: usize = 12;

/// What a `.staunch.toml` says.
#[derive(Debug, Default)]
pub struct TreeRules {
    /// What is found and not reported.
    pub allow: Vec<Allow>,
    /// What is not read.
    pub skip: Vec<Skip>,
}

/// Why, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Because {
    /// The reason, one line.
    pub reason: String,
    /// The last day on which it holds, UTC.
    pub expires: Option<Date>,
    /// The entry's line in its file.
    pub line: usize,
}

/// An `[[allow]]` entry. All that it names must hold; it names something.
#[derive(Debug)]
pub struct Allow {
    /// Why, and until when.
    pub because: Because,
    /// Where; everywhere without one.
    pub paths: Option<Globs>,
    /// Ids of detectors; any when empty.
    pub detectors: Vec<String>,
    /// Fingerprints, `KEYID-DIGEST`, or their beginnings; any when empty.
    pub fingerprints: Vec<String>,
}

/// A `[[skip]]` entry.
#[derive(Debug)]
pub struct Skip {
    /// Why, and until when.
    pub because: Because,
    /// Where.
    pub paths: Globs,
}

/// Patterns as in a `.gitignore` that lies where the file lies; but what one with `!` names is out whatever the order and
/// however it is named, since in doubt nothing is allowed.
#[derive(Debug)]
pub struct Globs {
    meant: Gitignore,
    except: Gitignore,
}

impl Globs {
    /// Whether `path`, relative to the file's folder, is meant: by itself or by a folder above it.
    pub fn hold(&self, path: &Path) -> bool {
        let holds = |globs: &Gitignore| matches!(globs.matched_path_or_any_parents(path, false), Match::Ignore(_));
        !path.has_root() && holds(&self.meant) && !holds(&self.except)
    }

    fn read(value: &Value<'_, '_>) -> Option<Self> {
        let (mut meant, mut except) = (GitignoreBuilder::new(""), GitignoreBuilder::new(""));
        let items = value.items();
        let mut good = Vec::new();
        for item in &items {
            let text = item.text()?;
            let (builder, pattern) = text.strip_prefix('!').map_or((&mut meant, &*text), |rest| (&mut except, rest));
            match wrong_with(pattern) {
                Some(what) => item.mistake(what),
                None if builder.add_line(None, pattern).is_err() => item.mistake("not a pattern as in .gitignore"),
                None => good.push(text),
            }
        }
        if good.len() == items.len() && good.iter().all(|text| text.starts_with('!')) {
            value.mistake("`paths` names no path to allow");
        }
        let built = meant.build().ok().zip(except.build().ok());
        if built.is_none() {
            value.mistake("these patterns are more than can be handled; say it with fewer");
        }
        built.map(|(meant, except)| Self { meant, except })
    }
}

/// What gitignore would take in silence and nobody means.
fn wrong_with(path: &str) -> Option<&'static str> {
    if path.trim().is_empty() || path.starts_with(['#', '!']) {
        Some("an empty pattern or a comment; a name that begins with # or ! is written \\# or \\!")
    } else if path.split('/').any(|step| step == "." || step == "..") {
        Some("patterns begin at this file's folder, without ./ or ../")
    } else if path.contains(['\n', '\r', '\0']) {
        Some("a pattern is one line")
    } else {
        None
    }
}

impl TreeRules {
    /// Reads a `.staunch.toml`. `known` tells whether a detector has that id. No mistake repeats what the file says: it may
    /// be a secret in the wrong place.
    pub fn read(file: &str, text: &str, known: &dyn Fn(&str) -> bool) -> Result<Self, Mistakes> {
        Document::parse(file, text)?.read(|root| {
            let allow = entries(root, "allow", MOST_ALLOWED);
            let skip = entries(root, "skip", MOST_SKIPPED);
            Some(Self {
                allow: allow.iter().filter_map(|table| Allow::read(table, known)).collect(),
                skip: skip.iter().filter_map(Skip::read).collect(),
            })
        })
    }
}

fn entries<'t, 'a>(root: &Table<'t, 'a>, key: &str, most: usize) -> Vec<Table<'t, 'a>> {
    let mut tables = root.tables(key);
    if let Some(first_too_many) = tables.get(most) {
        first_too_many.mistake(format!("more than {most} [[{key}]] entries; `--write-baseline` is for long lists"));
        tables.truncate(most);
    }
    tables
}

impl Because {
    fn read(table: &Table<'_, '_>) -> Option<Self> {
        let reason = table.need("reason").and_then(|value| {
            let reason = value.text()?.trim().to_owned();
            let good = !reason.is_empty() && reason.len() <= LONGEST_REASON && !reason.contains(char::is_control);
            if !good {
                value.mistake(format!("a reason is one line of up to {LONGEST_REASON} bytes that says why"));
            }
            good.then_some(reason)
        });
        let expires = table.get("expires").map(|value| value.date());
        Some(Self { reason: reason?, expires: expires.map_or(Some(None), |date| date.map(Some))?, line: table.line() })
    }
}

impl Allow {
    fn read(table: &Table<'_, '_>, known: &dyn Fn(&str) -> bool) -> Option<Self> {
        let because = Because::read(table);
        let paths = table.get("paths").map(|value| Globs::read(&value));
        let is_known = |id: &str| (!known(id)).then_some("no detector has this id; `staunch detectors list` names them");
        let detectors = named(table, "detectors", &is_known);
        let fingerprints = named(table, "fingerprints", &wrong_fingerprint);
        table.finish();
        if paths.is_none() && detectors.is_none() && fingerprints.is_none() {
            table.mistake("it would allow everything: give it `paths`, `detectors` or `fingerprints`");
        }
        Some(Self {
            because: because?,
            paths: paths.map_or(Some(None), |globs| globs.map(Some))?,
            detectors: detectors.unwrap_or_default(),
            fingerprints: fingerprints.unwrap_or_default(),
        })
    }
}

impl Skip {
    fn read(table: &Table<'_, '_>) -> Option<Self> {
        let because = Because::read(table);
        let paths = table.need("paths").and_then(|value| Globs::read(&value));
        table.finish();
        Some(Self { because: because?, paths: paths? })
    }
}

/// A list that, once given, holds something: an empty one would otherwise allow anything.
fn named(table: &Table<'_, '_>, key: &str, wrong: &dyn Fn(&str) -> Option<&'static str>) -> Option<Vec<String>> {
    let value = table.get(key)?;
    let items = value.items();
    let mut names = Vec::new();
    for item in &items {
        let Some(text) = item.text() else { continue };
        match wrong(&text) {
            Some(what) => item.mistake(what),
            None => names.push(text),
        }
    }
    if items.is_empty() {
        value.mistake(format!("`{key}` is empty; leave it out or name some"));
    }
    Some(names)
}

fn wrong_fingerprint(text: &str) -> Option<&'static str> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let good = text.split_once('-').is_some_and(|(key, digest)| {
        key.len() == 8 && (FEWEST_DIGITS..=64).contains(&digest.len()) && digits(key) && digits(digest)
    });
    (!good).then_some("not a fingerprint as reports show it: 8 hex digits, a dash, 12 to 64 hex digits")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::TreeRules;
    use crate::declared::Mistakes;

    fn read(text: &str) -> Result<TreeRules, Mistakes> {
        TreeRules::read("t", text, &|id| id == "a-key")
    }

    fn mistakes(text: &str) -> Vec<String> {
        read(text).expect_err("mistakes").0.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_full_file_is_understood() {
        let rules = read(
            "[[allow]]\nreason = 'samples'\npaths = ['tests/**', '*.md', '!tests/real/']\ndetectors = ['a-key']\n\
             expires = 2027-01-31\n\n[[allow]]\nreason = ' one key '\nfingerprints = ['0123abcd-0123456789ab']\n\
             [[skip]]\nreason = 'not ours'\npaths = ['/vendor/']\n",
        )
        .expect("good");
        let [samples, one] = rules.allow.as_slice() else { panic!("{rules:?}") };
        assert_eq!(samples.because.expires, Some(jiff::civil::date(2027, 1, 31)));
        assert_eq!((samples.because.line, one.because.line, one.because.reason.as_str()), (1, 7, "one key"));
        assert!(one.paths.is_none() && one.detectors.is_empty());
        let holds = |path: &str| samples.paths.as_ref().expect("paths").hold(Path::new(path));
        assert_eq!(["tests/a/b", "x/y.md", "README.md"].map(holds), [true; 3]);
        assert_eq!(["tests/real/a", "src/a", "/tests/a", "x/tests/a", ""].map(holds), [false; 5]);
        let skips = |path: &str| rules.skip[0].paths.hold(Path::new(path));
        assert_eq!(["vendor/a/b.c", "vendor/a"].map(skips), [true; 2]);
        assert_eq!(["vendor", "x/vendor/a"].map(skips), [false; 2]);
        assert!(read("").expect("nothing is said").allow.is_empty());
    }

    #[test]
    fn every_mistake_at_once_and_none_repeats_what_it_read() {
        let text = "endpoints = { openai = 'https://evil' }\n[[allow]]\npaths = []\n[[allow]]\nreason = ''\n\
                    [[allow]]\nreason = 'r'\ndetectors = ['s3cret-in-the-wrong-place']\nfingerprints = ['s3cret']\n\
                    [[allow]]\nreason = 'r'\nexpires = 's3cret'\npaths = ['#s3cret', '../s3cret', 'x{s3cret']\n\
                    [[allow]]\nreason = 'r'\npaths = ['!s3cret']\n[[skip]]\nreason = 'r'\ndetectors = []\n";
        let said = mistakes(text);
        let lines: Vec<usize> = read(text).expect_err("mistakes").0.iter().map(|mistake| mistake.line).collect();
        assert_eq!(lines, [1, 2, 3, 4, 5, 8, 9, 12, 13, 13, 13, 16, 17, 19], "{said:#?}");
        assert!(!said.iter().any(|line| line.contains("s3cret")), "{said:#?}");
    }

    #[test]
    fn an_entry_that_names_nothing_allows_nothing() {
        assert_eq!(mistakes("[[allow]]\nreason = 'r'\n").len(), 1);
        for empty in ["paths", "detectors", "fingerprints"] {
            assert!(!mistakes(&format!("[[allow]]\nreason = 'r'\n{empty} = []\n")).is_empty(), "{empty}");
            assert!(!mistakes(&format!("[[allow]]\nreason = 'r'\n{empty} = 'x'\n")).is_empty(), "{empty}");
        }
    }

    #[test]
    fn long_lists_and_deep_ones_are_bounded() {
        let many = "[[allow]]\nreason = 'r'\ndetectors = ['a-key']\n".repeat(501);
        assert_eq!(mistakes(&many), ["t:1501: more than 500 [[allow]] entries; `--write-baseline` is for long lists"]);
        let deep = format!("allow = {}{}\n", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(mistakes(&deep).len(), 1);
        let long = format!("[[allow]]\nreason = '{}'\ndetectors = ['a-key']\n", "r".repeat(201));
        assert_eq!(mistakes(&long).len(), 1);
        let wide: Vec<String> = (0..20_000).map(|n| format!("'*{n}*{n}*'")).collect();
        let _either_is_fine = read(&format!("[[skip]]\nreason = 'r'\npaths = [{}]\n", wide.join(",")));
    }
}
