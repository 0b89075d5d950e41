//! A detector file → a checked detector and the rules by which it matches. Reports every mistake with its line.

use std::ops::RangeInclusive;

use regex_syntax::hir::{Class, Hir, HirKind};

use super::checked::{Detector, LivenessCheck};
use super::checks::Check;
use crate::declared::{Table, Value};
use crate::model::{Confidence, Severity};
use own::Over;

mod liveness;
mod own;
mod part;
mod quick;

pub use own::Disabled;
pub(super) use own::{Read, read};
pub(super) use quick::Anchor;

/// A detector file as text.
#[derive(Debug, Clone)]
pub struct Source {
    /// File stem.
    pub id: String,
    /// The file's name for messages.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// A detector with everything needed to match it and to test it.
#[derive(Debug, Clone)]
pub(super) struct Checked {
    pub(super) detector: Detector,
    pub(super) rules: Vec<PartRule>,
    pub(super) extract: Option<Extract>,
    /// Anything that knows the same value better stands before it.
    pub(super) generic: bool,
    /// In tests and generated files it is probably made up: low confidence there.
    pub(super) quiet_in_tests: bool,
    pub(super) examples: Vec<Example>,
    /// The file's name for messages.
    pub(super) file: String,
    /// The file's text.
    pub(super) text: String,
    /// The comment that heads the file, a line each.
    pub(super) notes: Vec<String>,
    /// The built-in detector that the file extends.
    pub(super) extends: Option<String>,
}

/// How one part matches.
#[derive(Debug, Clone)]
pub(super) struct PartRule {
    /// Regular expression of the value, without anchors.
    pub(super) pattern: String,
    /// Shortest and longest match in bytes.
    pub(super) length: RangeInclusive<usize>,
    /// The bytes that a match can be made of.
    pub(super) bytes: Alphabet,
    /// For an anchor: what leads to it.
    pub(super) lead: Lead,
    /// For an anchor: the value goes on from the match to the end of this expression's, or as far as `longest` allows.
    pub(super) until: Option<String>,
    /// For an anchor: whether named groups of the pattern are parts.
    pub(super) groups: bool,
    /// For a companion: its value is the anchor's group of its name; it has no pattern.
    pub(super) group: bool,
    /// Bytes that may not stand next to the value.
    pub(super) alphabet: Alphabet,
    /// Named check of structure or checksum.
    pub(super) check: Option<Check>,
    /// Least Shannon entropy in bits a character.
    pub(super) min_entropy: f64,
    /// How many lines from the anchor a companion may stand, and an anchor from the word that vouches for it.
    pub(super) within: usize,
    /// Words, in lower case, in the name before the value that speak for it.
    pub(super) names: Vec<String>,
    /// For a companion: whether one of those words must be there.
    pub(super) needs_name: bool,
    /// Regular expressions of values that are something else.
    pub(super) reject: Vec<String>,
}

/// What the prefilter looks for to find an anchor.
#[derive(Debug, Clone)]
pub(super) enum Lead {
    /// Nothing: this part is looked for around an anchor.
    Companion,
    /// Texts of which each match contains one; `first` if they can only stand at the start of a match.
    Literals {
        /// The texts.
        texts: Vec<String>,
        /// Whether a match can only start with one.
        first: bool,
    },
    /// Words near the value that vouch for it.
    Words(Words),
}

/// Vouching words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words {
    /// In lower case, for looking into names.
    pub(super) lower: Vec<String>,
    /// Every spelling that the prefilter looks for.
    pub(super) spellings: Vec<String>,
}

impl PartRule {
    /// The texts of which each match contains one; empty where words vouch for it.
    pub(super) fn literals(&self) -> &[String] {
        match &self.lead {
            Lead::Literals { texts, .. } => texts,
            Lead::Companion | Lead::Words(_) => &[],
        }
    }
}

/// A set of bytes.
#[derive(Clone)]
pub(super) struct Alphabet([bool; 256]);

/// Structures that need more than a pattern, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extract {
    /// The entries of a Kubernetes Secret manifest.
    KubernetesSecret,
    /// What is assigned to a name that a word of the anchor speaks of.
    Assignment,
}

impl Extract {
    const WORDS: &[(&str, Self)] = &[("kubernetes-secret", Self::KubernetesSecret), ("assignment", Self::Assignment)];

    /// Its name in detector files.
    pub(super) fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, other)| *other == self).map_or("", |(word, _)| word)
    }
}

/// A text that a detector must find something in, or must not.
#[derive(Debug, Clone)]
pub(super) struct Example {
    pub(super) text: String,
    pub(super) finds: bool,
    /// Of a counterexample: what it is.
    pub(super) why: Option<String>,
    /// Where it stands.
    pub(super) file: String,
    pub(super) line: usize,
}

impl Alphabet {
    /// Reads the inside of a character class: `A-Za-z0-9_-`.
    fn parse(class: &str) -> Option<Self> {
        let hir = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(&format!("[{class}]")).ok()?;
        matches!(hir.kind(), HirKind::Class(_) | HirKind::Literal(_)).then(|| Self::of(&hir))
    }

    /// The bytes that an expression's matches can be made of.
    fn of(hir: &Hir) -> Self {
        let mut all = Self([false; 256]);
        all.add(hir);
        all
    }

    fn add(&mut self, hir: &Hir) {
        let mut range = |from: u8, to: u8| (from..=to).for_each(|byte| self.0[usize::from(byte)] = true);
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => literal.0.iter().for_each(|&byte| range(byte, byte)),
            HirKind::Class(Class::Bytes(class)) => class.iter().for_each(|one| range(one.start(), one.end())),
            HirKind::Class(Class::Unicode(class)) => {
                for one in class.iter() {
                    // What is no ASCII is written in bytes of 0x80 and more.
                    let ascii = |c: char| u8::try_from(c).ok().filter(u8::is_ascii);
                    if let Some(from) = ascii(one.start()) {
                        range(from, ascii(one.end()).unwrap_or(0x7f));
                    }
                    if !one.end().is_ascii() {
                        range(0x80, 0xff);
                    }
                }
            }
            HirKind::Repetition(repeated) => self.add(&repeated.sub),
            HirKind::Capture(capture) => self.add(&capture.sub),
            HirKind::Concat(all) | HirKind::Alternation(all) => all.iter().for_each(|one| self.add(one)),
        }
    }

    pub(super) fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte)]
    }
}

impl std::fmt::Debug for Alphabet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let members = (0..=255u8).filter(|&byte| self.contains(byte));
        f.write_str(&members.map(|byte| byte.escape_ascii().to_string()).collect::<String>())
    }
}

/// Reads a detector's table: a file, or one over the built-in that it extends.
fn checked(root: &Table<'_, '_>, source: &Source, over: &Over) -> Option<Checked> {
    let detector = detector(root, &source.id, over);
    let parts = part::parts(root);
    let (revoke, rotate) = response(root);
    let extract = root.get("extract").and_then(|value| value.one_of(Extract::WORDS));
    let flag = |key| root.get(key).and_then(|value| value.bool()).unwrap_or(false);
    let (generic, quiet_in_tests) = (flag("generic"), flag("quiet_in_tests"));
    let examples = examples(root, over);
    let Some((specs, rules)) = parts else {
        // What a request says of parts that cannot be read is not to be judged.
        root.get("liveness");
        return None;
    };
    let liveness =
        root.need("liveness").and_then(|value| value.table()).and_then(|table| liveness::liveness(&table, &specs));
    Some(Checked {
        detector: Detector { parts: specs, liveness: liveness?, revoke, rotate, ..detector? },
        rules,
        extract,
        generic,
        quiet_in_tests,
        examples,
        file: source.file.clone(),
        text: source.text.clone(),
        notes: notes(&source.text),
        extends: None,
    })
}

/// The comment lines that head a file.
fn notes(text: &str) -> Vec<String> {
    let head = text.lines().map_while(|line| line.trim_end().strip_prefix('#'));
    head.map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

fn detector(root: &Table<'_, '_>, id: &str, over: &Over) -> Option<Detector> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if id.is_empty() || !id.chars().all(good) {
        root.mistake(format!("the file's name is the detector's id; {id:?} must be lower-case letters, digits and dashes"));
    }
    let summary = root.need_text("summary");
    let provider = root.need_text("provider");
    let class = root.need("class").and_then(|v| v.one_of(&[("cloud", "cloud"), ("llm", "llm"), ("workload", "workload")]));
    let severity = root.need("severity").and_then(|v| {
        let words = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
        v.one_of(&[("low", words[0]), ("medium", words[1]), ("high", words[2]), ("critical", words[3])])
    });
    let opens = root.need_text("opens");
    let confidence = root.get("confidence").map(|value| confidence(&value));
    let links = root.need("links").map(|v| v.items().iter().filter_map(https).collect::<Vec<_>>());
    let console = root.get("console").and_then(|value| https(&value));
    Some(Detector {
        id: id.into(),
        summary: summary?,
        provider: provider?,
        class: class?.to_owned(),
        severity: severity?,
        confidence: confidence.unwrap_or(Some(Confidence::High))?,
        opens: opens?,
        console,
        links: links?,
        formerly: over.formerly(root),
        parts: Vec::new(),
        liveness: LivenessCheck::None(String::new()),
        revoke: Vec::new(),
        rotate: Vec::new(),
    })
}

fn confidence(value: &Value<'_, '_>) -> Option<Confidence> {
    value.one_of(&[("low", Confidence::Low), ("medium", Confidence::Medium), ("high", Confidence::High)])
}

fn https(value: &Value<'_, '_>) -> Option<String> {
    let text = value.text()?;
    if !text.starts_with("https://") {
        value.mistake(format!("{text:?} must start with https://"));
    }
    Some(text)
}

fn response(root: &Table<'_, '_>) -> (Vec<String>, Vec<String>) {
    let Some(table) = root.get("response").and_then(|value| value.table()) else { return Default::default() };
    let lists = (actions(&table, "revoke"), actions(&table, "rotate"));
    table.finish();
    lists
}

/// Names of actions. Whether there is such an action is not this room's business: files name actions that are to come.
fn actions(table: &Table<'_, '_>, key: &str) -> Vec<String> {
    let good = |name: &str| {
        let words: Vec<&str> = name.split('-').collect();
        let letters = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        words.len() >= 3 && words.iter().all(letters)
    };
    let read = |value: &Value<'_, '_>| {
        let name = value.text()?;
        if !good(&name) {
            value.mistake(format!("{name:?} is no action's name: `<provider>-<thing>-<verb>`, like aws-key-deactivate"));
        }
        Some(name)
    };
    table.get(key).map(|value| value.items().iter().filter_map(read).collect()).unwrap_or_default()
}

fn examples(root: &Table<'_, '_>, over: &Over) -> Vec<Example> {
    let mut examples = Vec::new();
    for (key, finds) in [("example", true), ("counterexample", false)] {
        for table in over.examples(root, key) {
            let text = table.need("text").map(|value| value.items().iter().filter_map(Value::text).collect::<String>());
            let why = if finds { None } else { table.need_text("why") };
            table.get("source").and_then(|value| value.text());
            table.finish();
            let (file, line) = (table.file().to_owned(), table.line());
            examples.extend(text.map(|text| Example { text, finds, why, file, line }));
        }
    }
    if !examples.iter().any(|example| !example.finds) {
        root.mistake("a detector needs at least one [[counterexample]] with its `why`");
    }
    examples
}
