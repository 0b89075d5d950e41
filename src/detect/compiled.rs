//! The immutable set of detectors that scanning threads share. Expressions compile when they are first needed.

use std::sync::OnceLock;

use data_encoding::HEXLOWER;
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::hir::Hir;

use super::checked::Detector;
use super::clashes;
use super::context;
use super::prefilter::{Leads, Prefilter};
use super::registry;
use super::spec::{self, Checked, Disabled, Extract, Lead, PartRule, Read, Source};
use crate::declared::Mistakes;

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
    /// Every vouching word, letters and digits alone, and its detector.
    words: Vec<(Vec<u8>, usize)>,
    disabled: Vec<Disabled>,
    hash: String,
}

/// One detector with its expressions.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) checked: Checked,
    compiled: Vec<Compiled>,
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
    /// The literals do not fit into one automaton.
    #[error("too many literals for one automaton: {0}")]
    Automaton(#[from] aho_corasick::BuildError),
}

impl Entry {
    /// The detector.
    pub(super) fn detector(&self) -> &Detector {
        &self.checked.detector
    }

    pub(super) fn rule(&self, part: usize) -> &PartRule {
        &self.checked.rules[part]
    }

    /// The part's expression; the anchor's starts at the first byte it is given when its literals do.
    pub(super) fn regex(&self, part: usize) -> Option<&Regex> {
        let rule = self.rule(part);
        let build = || {
            let anchored = if matches!(rule.lead, Lead::Literals { first: true, .. }) { r"\A" } else { "" };
            build_regex(&format!("{anchored}(?:{})", rule.pattern)).ok()
        };
        self.compiled[part].pattern.get_or_init(build).as_ref()
    }

    /// The expression up to whose end the anchor goes on.
    pub(super) fn until(&self) -> Option<&Regex> {
        let build = || self.rule(0).until.as_deref().and_then(|pattern| build_regex(pattern).ok());
        self.compiled[0].until.get_or_init(build).as_ref()
    }

    /// Whether the value is one of the things the detector says it is not.
    pub(super) fn rejects(&self, part: usize, value: &[u8]) -> bool {
        let build = || self.rule(part).reject.iter().filter_map(|pattern| build_regex(pattern).ok()).collect();
        self.compiled[part].reject.get_or_init(build).iter().any(|reject| reject.is_match(value))
    }
}

impl DetectorSet {
    /// Reads detector files. All mistakes of all files are reported together.
    pub fn new(sources: &[Source]) -> Result<Self, SetError> {
        let (mut all, mut disabled, mut mistakes) = (Vec::new(), Vec::new(), Vec::new());
        for source in sources {
            match spec::read(source) {
                Ok(Read::Detector(checked)) => all.push(*checked),
                Ok(Read::Disabled(one)) => disabled.push(one),
                Err(more) => mistakes.extend(more.0),
            }
        }
        mistakes.extend(clashes::clashes(sources, &all));
        if !mistakes.is_empty() {
            return Err(Mistakes(mistakes).into());
        }
        let leads = all.iter().enumerate().map(|(detector, checked)| {
            let words: &[String] = match &checked.rules[0].lead {
                Lead::Words(words) => &words.spellings,
                _ => &[],
            };
            let encoded = checked.extract == Some(Extract::Assignment);
            Leads { detector, literals: checked.rules[0].literals(), words, encoded }
        });
        let prefilter = Prefilter::new(leads)?;
        let words = all.iter().enumerate().flat_map(|(n, checked)| match &checked.rules[0].lead {
            Lead::Words(words) if checked.extract.is_none() => {
                words.lower.iter().map(|word| (context::squeezed(word.as_bytes()), n)).collect()
            }
            _ => Vec::new(),
        });
        let words = words.collect();
        let entries = all.into_iter().map(|checked| {
            let compiled = checked.rules.iter().map(|_| Compiled::default()).collect();
            Entry { checked, compiled }
        });
        Ok(Self { entries: entries.collect(), prefilter, words, disabled, hash: hash(sources) })
    }

    /// The built-in detectors and an operator's own files: one with a built-in's name takes its place, extends it, or
    /// switches it off.
    pub fn with(own: &[Source]) -> Result<Self, SetError> {
        let mut sources = registry::builtin_sources();
        sources.retain(|builtin| own.iter().all(|source| source.id != builtin.id));
        sources.extend_from_slice(own);
        sources.sort_by(|a, b| a.id.cmp(&b.id));
        let mut set = Self::new(&sources)?;
        // What a file extends is part of what it says.
        set.hash = hash(&[registry::builtin_sources(), own.to_vec()].concat());
        Ok(set)
    }

    /// The built-in detectors that were switched off.
    pub fn disabled(&self) -> &[Disabled] {
        &self.disabled
    }

    /// The detectors that come with the program.
    pub fn builtin() -> Result<Self, SetError> {
        Self::new(&registry::builtin_sources())
    }

    /// All detectors, in order of id.
    pub fn detectors(&self) -> impl Iterator<Item = &Detector> {
        self.entries.iter().map(Entry::detector)
    }

    /// The detector of that id, or that had it before.
    pub fn get(&self, id: &str) -> Option<&Detector> {
        let exact = self.detectors().find(|detector| &*detector.id == id);
        exact.or_else(|| self.detectors().find(|detector| detector.formerly.iter().any(|old| old == id)))
    }

    /// The text of a detector's file.
    pub fn text(&self, id: &str) -> Option<&str> {
        let id = &self.get(id)?.id;
        self.entries.iter().find(|entry| entry.detector().id == *id).map(|entry| entry.checked.text.as_str())
    }

    /// Whether a name holds a word that vouches for some other detector.
    pub(super) fn names_another(&self, name: &[u8], detector: usize) -> bool {
        let name = context::squeezed(name);
        let holds = |word: &[u8]| memchr::memmem::find(&name, word).is_some();
        self.words.iter().any(|(word, other)| *other != detector && holds(word))
    }

    /// SHA-256 over the detector files, hex.
    pub fn hash(&self) -> &str {
        &self.hash
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

fn hash(sources: &[Source]) -> String {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    for source in sources {
        for text in [&source.id, &source.text] {
            context.update(&(text.len() as u64).to_be_bytes());
            context.update(text.as_bytes());
        }
    }
    HEXLOWER.encode(context.finish().as_ref())
}
