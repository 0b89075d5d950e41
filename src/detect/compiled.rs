//! The immutable set of detectors that scanning threads share. Expressions compile when they are first needed.

use std::sync::{Arc, OnceLock};

use aho_corasick::AhoCorasick;
use data_encoding::HEXLOWER;
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::hir::Hir;

use super::checked::Detector;
use super::clashes;
use super::context;
use super::prefilter::{Leads, Prefilter};
use super::registry;
use super::spec::{self, Anchor, Checked, Disabled, Extract, Lead, PartRule, Read, Source};
use crate::declared::Mistakes;

/// Shorter words are found by chance in other vendors' names.
const TELLING: usize = 5;
const GENERIC: &[&[u8]] =
    &[b"apikey", b"token", b"secret", b"apitoken", b"accesstoken", b"authtoken", b"accesskey", b"password"];

/// Parses a detector's expression: bytes, not Unicode, so that it means the same in any encoding.
pub(super) fn parse_hir(pattern: &str) -> Result<Hir, String> {
    let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
    parser.parse(pattern).map_err(|error| error.to_string())
}

/// Compiles a detector's expression.
pub(super) fn build_regex(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).unicode(false).build()
}

/// Detectors, ready to use.
#[derive(Debug)]
pub struct DetectorSet {
    pub(super) entries: Vec<Entry>,
    pub(super) prefilter: Prefilter,
    /// The vouching words, letters and digits alone, and their detectors; an automaton over them.
    words: Vec<(Vec<u8>, usize)>,
    named: OnceLock<Option<AhoCorasick>>,
    disabled: Vec<Disabled>,
    /// What the hash is made of: the operator's own files, and whether the built-in ones count.
    hashed: (bool, Vec<Source>),
    hash: OnceLock<String>,
}

/// One detector with its expressions.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: Arc<str>,
    pub(super) anchor: Anchor,
    /// A built-in one is read when it is first needed.
    checked: OnceLock<Checked>,
    compiled: OnceLock<Vec<Compiled>>,
}

#[derive(Debug, Default)]
struct Compiled {
    pattern: OnceLock<Option<Regex>>,
    until: OnceLock<Option<Regex>>,
    reject: OnceLock<Vec<Regex>>,
}

/// The set could not be built.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    /// Detector files have mistakes.
    #[error("{0}")]
    Mistakes(#[from] Mistakes),
}

impl Entry {
    fn new(checked: Checked) -> Self {
        let anchor = Anchor::of(&checked.rules[0].lead, checked.extract);
        let id = Arc::clone(&checked.detector.id);
        Self { id, anchor, checked: OnceLock::from(checked), compiled: OnceLock::new() }
    }

    /// A built-in detector, not read in full yet where a glance says enough.
    fn builtin(id: &'static str, text: &'static str) -> Self {
        match Anchor::glance(text) {
            Some(anchor) => Self { id: id.into(), anchor, checked: OnceLock::new(), compiled: OnceLock::new() },
            None => Self::new(read_builtin(id)),
        }
    }

    /// All of it.
    pub(super) fn checked(&self) -> &Checked {
        self.checked.get_or_init(|| read_builtin(&self.id))
    }

    /// The detector.
    pub(super) fn detector(&self) -> &Detector {
        &self.checked().detector
    }

    pub(super) fn rule(&self, part: usize) -> &PartRule {
        &self.checked().rules[part]
    }

    fn compiled(&self, part: usize) -> &Compiled {
        let build = || self.checked().rules.iter().map(|_| Compiled::default()).collect();
        &self.compiled.get_or_init(build)[part]
    }

    /// The part's expression; the anchor's starts at the first byte it is given when its literals do.
    pub(super) fn regex(&self, part: usize) -> Option<&Regex> {
        let rule = self.rule(part);
        let build = || {
            let anchored = if matches!(rule.lead, Lead::Literals { first: true, .. }) { r"\A" } else { "" };
            build_regex(&format!("{anchored}(?:{})", rule.pattern)).ok()
        };
        self.compiled(part).pattern.get_or_init(build).as_ref()
    }

    /// The expression up to whose end the anchor goes on.
    pub(super) fn until(&self) -> Option<&Regex> {
        let build = || self.rule(0).until.as_deref().and_then(|pattern| build_regex(pattern).ok());
        self.compiled(0).until.get_or_init(build).as_ref()
    }

    /// Whether the value is one of the things the detector says it is not.
    pub(super) fn rejects(&self, part: usize, value: &[u8]) -> bool {
        let build = || self.rule(part).reject.iter().filter_map(|pattern| build_regex(pattern).ok()).collect();
        self.compiled(part).reject.get_or_init(build).iter().any(|reject| reject.is_match(value))
    }
}

/// Reads a built-in detector. Tests read all of them, so this cannot fail in a program that passed them.
fn read_builtin(id: &str) -> Checked {
    match registry::builtin_source(id).as_ref().map(spec::read) {
        Some(Ok(Read::Detector(checked))) => *checked,
        Some(Err(mistakes)) => panic!("the built-in detector {id} has mistakes: {mistakes}"),
        _ => panic!("there is no built-in detector {id}"),
    }
}

impl DetectorSet {
    /// Reads detector files. All mistakes of all files are reported together.
    pub fn new(sources: &[Source]) -> Result<Self, SetError> {
        let (all, disabled) = read_all(sources, &[])?;
        Ok(Self::of(all.into_iter().map(Entry::new).collect(), disabled, (false, sources.to_vec())))
    }

    /// The built-in detectors and an operator's own files: one with a built-in's name takes its place, extends it, or
    /// switches it off.
    pub fn with(own: &[Source]) -> Result<Self, SetError> {
        let mut own = own.to_vec();
        own.sort_by(|a, b| a.id.cmp(&b.id));
        let files = || registry::builtin_ids().map(|id| (id, registry::file(id))).collect::<Vec<_>>();
        let (all, disabled) = read_all(&own, &if own.is_empty() { Vec::new() } else { files() })?;
        let mut entries: Vec<Entry> = registry::builtin()
            .filter(|(id, _)| own.iter().all(|source| source.id != *id))
            .map(|(id, text)| Entry::builtin(id, text))
            .chain(all.into_iter().map(Entry::new))
            .collect();
        entries.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(Self::of(entries, disabled, (true, own)))
    }

    fn of(entries: Vec<Entry>, disabled: Vec<Disabled>, hashed: (bool, Vec<Source>)) -> Self {
        let leads = entries.iter().enumerate().map(|(detector, entry)| {
            let words: &[String] = entry.anchor.words.as_ref().map_or(&[], |words| &words.spellings);
            let encoded = entry.anchor.extract == Some(Extract::Assignment);
            // What was not read in full yet is built in.
            let open = entry.checked.get().is_some();
            Leads { detector, literals: &entry.anchor.literals, words, encoded, open }
        });
        let prefilter = Prefilter::new(leads);
        let vouching = entries.iter().enumerate().filter(|(_, entry)| entry.anchor.extract.is_none());
        let words = vouching.flat_map(|(n, entry)| {
            let words: &[String] = entry.anchor.words.as_ref().map_or(&[], |words| &words.lower);
            words.iter().map(move |word| (context::squeezed(word.as_bytes()), n))
        });
        // A word that says no more than "key" claims nobody's names.
        let words = words.filter(|(word, _)| word.len() >= TELLING && !GENERIC.contains(&word.as_slice()));
        let words = words.collect();
        Self { entries, prefilter, words, named: OnceLock::new(), disabled, hashed, hash: OnceLock::new() }
    }

    /// The built-in detectors that were switched off.
    pub fn disabled(&self) -> &[Disabled] {
        &self.disabled
    }

    /// The detectors that come with the program.
    pub fn builtin() -> Result<Self, SetError> {
        Self::with(&[])
    }

    /// All detectors, in order of id.
    pub fn detectors(&self) -> impl Iterator<Item = &Detector> {
        self.entries.iter().map(Entry::detector)
    }

    /// The detector of that id, or that had it before.
    pub fn get(&self, id: &str) -> Option<&Detector> {
        self.entry(id).map(Entry::detector)
    }

    /// The text of a detector's file.
    pub fn text(&self, id: &str) -> Option<&str> {
        self.entry(id).map(|entry| entry.checked().text.as_str())
    }

    /// The entry of that id, or that had it before.
    pub(super) fn entry(&self, id: &str) -> Option<&Entry> {
        let exact = self.entries.iter().find(|entry| &*entry.id == id);
        exact.or_else(|| self.entries.iter().find(|entry| entry.detector().formerly.iter().any(|old| old == id)))
    }

    /// Whether a name holds a word that vouches for some other detector.
    pub(super) fn names_another(&self, name: &[u8], detector: usize) -> bool {
        let build = || AhoCorasick::new(self.words.iter().map(|(word, _)| word)).ok();
        let name = context::squeezed(name);
        let found = self.named.get_or_init(build).as_ref().map(|words| words.find_overlapping_iter(&name));
        found.is_some_and(|mut found| found.any(|found| self.words[found.pattern().as_usize()].1 != detector))
    }

    /// SHA-256 over the detector files, hex. What a file extends is part of what it says.
    pub fn hash(&self) -> &str {
        self.hash.get_or_init(|| {
            let (builtin, own) = &self.hashed;
            let builtin = registry::builtin().filter(|_| *builtin).map(|(id, text): (&str, &str)| (id, text));
            hash(builtin.chain(own.iter().map(|source| (source.id.as_str(), source.text.as_str()))))
        })
    }

    /// The longest margin that scanning in windows needs on either side.
    pub fn reach(&self) -> usize {
        super::REACH
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

fn read_all(sources: &[Source], builtin: &[(&str, String)]) -> Result<(Vec<Checked>, Vec<Disabled>), Mistakes> {
    let (mut all, mut disabled, mut mistakes) = (Vec::new(), Vec::new(), Vec::new());
    for source in sources {
        match spec::read(source) {
            Ok(Read::Detector(checked)) => all.push(*checked),
            Ok(Read::Disabled(one)) => disabled.push(one),
            Err(more) => mistakes.extend(more.0),
        }
    }
    mistakes.extend(clashes::clashes(sources, &all, builtin));
    if mistakes.is_empty() { Ok((all, disabled)) } else { Err(Mistakes(mistakes)) }
}

fn hash<'t>(files: impl Iterator<Item = (&'t str, &'t str)>) -> String {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    for (id, text) in files {
        for text in [id, text] {
            context.update(&(text.len() as u64).to_be_bytes());
            context.update(text.as_bytes());
        }
    }
    HEXLOWER.encode(context.finish().as_ref())
}
