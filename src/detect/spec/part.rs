//! `[[part]]`: how one part of a credential matches.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use regex_syntax::hir::Hir;

use super::super::REACH;
use super::super::checked::PartSpec;
use super::super::checks::Check;
use super::super::compiled::parse_hir;
use super::{Alphabet, Lead, PartRule, Words};
use crate::declared::{Table, Value};
use crate::secret::Redaction;

pub(super) fn parts(root: &Table<'_, '_>) -> Option<(Vec<PartSpec>, Vec<PartRule>)> {
    let tables = root.layered_tables("part", "name");
    if tables.is_empty() {
        root.mistake("a detector needs at least one [[part]]");
    }
    let mut all = Vec::new();
    let mut names = BTreeSet::new();
    for (n, table) in tables.iter().enumerate() {
        let read = part(table, n == 0);
        if let Some((spec, _)) = &read
            && !names.insert(Arc::clone(&spec.name))
        {
            table.mistake(format!("the part {:?} is there twice", spec.name));
        }
        all.push(read);
        table.finish();
    }
    all.into_iter().collect::<Option<Vec<_>>>().map(|all| all.into_iter().unzip())
}

fn part(table: &Table<'_, '_>, anchor: bool) -> Option<(PartSpec, PartRule)> {
    let name = table.need_text("name");
    let flag = |key, otherwise| table.get(key).and_then(|value| value.bool()).unwrap_or(otherwise);
    let group = !anchor && flag("group", false);
    let shape = if group { Some((String::new(), 0..=0, Hir::empty())) } else { shape(table) };
    let public = flag("public", false);
    let required = flag("required", true);
    let redaction = table.get("show").map_or(Some(Redaction { head: 4, tail: 4 }), |value| show(&value));
    let hosts = table.texts("hosts");
    if let Some(bad) = hosts.iter().find(|host| !host.starts_with('.')) {
        table.mistake(format!("`hosts` lists {bad:?}; a suffix starts with a dot, like .openai.azure.com"));
    }
    let check = table.get("check").map(|value| value.one_of(Check::WORDS));
    let min_entropy = table.get("min_entropy").map_or(Some(0.0), |value| value.decimal());
    let reject = table.get("reject").map(|value| rejects(&value)).unwrap_or_default();
    let until = table.get("until").and_then(|value| expression(&value));
    let alphabet = alphabet(table);
    let (pattern, length, hir) = shape?;
    let lead = if anchor { lead(table, &hir) } else { Some(Lead::Companion) };
    let (within, names, needs_name) = if group { Default::default() } else { near(table, lead.as_ref()) };
    let rule = PartRule {
        groups: anchor && pattern.contains("(?P<"),
        pattern,
        length,
        bytes: Alphabet::of(&hir),
        lead: lead?,
        until,
        group,
        alphabet: alphabet?,
        check: match check {
            None => None,
            Some(check) => Some(check?),
        },
        min_entropy: min_entropy?,
        within,
        names,
        needs_name,
        reject,
    };
    Some((PartSpec { name: name?.into(), public, required: anchor || required, redaction: redaction?, hosts }, rule))
}

fn shape(table: &Table<'_, '_>) -> Option<(String, RangeInclusive<usize>, Hir)> {
    table.need("pattern").and_then(|value| pattern(&value, table))
}

fn alphabet(table: &Table<'_, '_>) -> Option<Alphabet> {
    let Some(value) = table.get("alphabet") else { return Alphabet::parse("A-Za-z0-9_") };
    let class = value.text()?;
    let parsed = Alphabet::parse(&class);
    if parsed.is_none() {
        value.mistake(format!("`alphabet` is {class:?}; it must be the inside of a character class, like A-Za-z0-9_-"));
    }
    parsed
}

/// Words in the name of a value that a vendor's word nearby vouches for.
const NAMES: &[&str] = &["key", "token", "secret", "auth", "bearer", "credential"];
/// Lines between a vouching word and its value.
const WITHIN: usize = 2;

/// How near, and by what names.
fn near(table: &Table<'_, '_>, lead: Option<&Lead>) -> (usize, Vec<String>, bool) {
    let within = match lead {
        Some(Lead::Companion) => table.need("within"),
        Some(Lead::Words(_)) => table.get("within"),
        _ => return (0, Vec::new(), false),
    };
    let lines = within.and_then(|value| value.number()).map_or(WITHIN, |lines| usize::try_from(lines).unwrap_or(usize::MAX));
    let needs_name = table.get("needs_name").and_then(|value| value.bool()).unwrap_or(false);
    let mut names: Vec<String> = table.texts("names").iter().map(|name| name.to_ascii_lowercase()).collect();
    if needs_name && names.is_empty() {
        table.mistake("`needs_name` is set but `names` lists none");
    }
    if names.is_empty() && matches!(lead, Some(Lead::Words(_))) {
        names = NAMES.iter().map(|&name| name.to_owned()).collect();
    }
    (lines, names, needs_name)
}

fn rejects(value: &Value<'_, '_>) -> Vec<String> {
    value.items().iter().filter_map(expression).collect()
}

fn expression(value: &Value<'_, '_>) -> Option<String> {
    let text = value.text()?;
    // Whether it also compiles is seen when the examples run; to compile all of them on each start would take longer
    // than most scans.
    match parse_hir(&text) {
        Ok(_) => Some(text),
        Err(error) => {
            value.mistake(format!("not a regular expression: {error}"));
            None
        }
    }
}

fn show(value: &Value<'_, '_>) -> Option<Redaction> {
    let ends: Vec<u64> = value.items().iter().filter_map(Value::number).collect();
    let &[head, tail] = ends.as_slice() else {
        value.mistake("`show` must be two numbers: characters shown at the start and at the end");
        return None;
    };
    let size = |n| usize::try_from(n).unwrap_or(usize::MAX);
    Some(Redaction { head: size(head), tail: size(tail) })
}

/// Checks a pattern: it parses, cannot match nothing, and is no longer than the reach.
fn pattern(value: &Value<'_, '_>, table: &Table<'_, '_>) -> Option<(String, RangeInclusive<usize>, Hir)> {
    let text = value.text()?;
    let hir = match parse_hir(&text) {
        Ok(hir) => hir,
        Err(error) => {
            value.mistake(format!("not a regular expression: {error}"));
            return None;
        }
    };
    let longest = table.get("longest").and_then(|value| value.number()).and_then(|n| usize::try_from(n).ok());
    let (Some(least), most) = (hir.properties().minimum_len(), longest.or(hir.properties().maximum_len())) else {
        value.mistake("the pattern matches nothing at all");
        return None;
    };
    match most {
        Some(most) if most <= REACH && least > 0 => Some((text, least..=most, hir)),
        Some(_) if least == 0 => {
            value.mistake("the pattern can match an empty text");
            None
        }
        _ => {
            value.mistake(format!("the pattern has no upper length; bound it, or say `longest` (at most {REACH})"));
            None
        }
    }
}

/// What leads to the anchor: its literals, or the words that vouch for it.
fn lead(table: &Table<'_, '_>, hir: &Hir) -> Option<Lead> {
    match table.rivals(&["literals", "words"]).as_slice() {
        [("literals", value)] => Some(literals(value, hir)),
        [(_, value)] => words(value),
        _ => {
            table.mistake(
                "the first part needs exactly one of `literals` (texts of which each match contains one) and `words`",
            );
            None
        }
    }
}

fn literals(value: &Value<'_, '_>, hir: &Hir) -> Lead {
    let texts: Vec<String> = value.items().iter().filter_map(Value::text).collect();
    if texts.is_empty() {
        value.mistake("`literals` is empty; the first part needs texts of which each match contains one");
    }
    for short in texts.iter().filter(|literal| literal.len() < 3) {
        value.mistake(format!("the literal {short:?} is too short; three bytes at least"));
    }
    let prefixes = regex_syntax::hir::literal::Extractor::new().extract(hir);
    let first = prefixes.literals().is_some_and(|found| {
        !found.is_empty()
            && found.iter().all(|prefix| texts.iter().any(|literal| prefix.as_bytes().starts_with(literal.as_bytes())))
    });
    Lead::Literals { texts, first }
}

fn words(value: &Value<'_, '_>) -> Option<Lead> {
    let written: Vec<String> = value.items().iter().filter_map(Value::text).collect();
    if written.is_empty() {
        value.mistake("`words` is empty; without a prefix, some word must vouch for the value");
        return None;
    }
    for short in written.iter().filter(|word| word.len() < 4) {
        value.mistake(format!("the word {short:?} is too short; four bytes at least"));
    }
    Some(Lead::Words(spelled(written)))
}

/// Words in every spelling that the prefilter looks for.
pub(super) fn spelled(written: Vec<String>) -> Words {
    let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..].to_ascii_lowercase();
    let mut lower: Vec<String> = written.iter().map(|word| word.to_ascii_lowercase()).collect();
    let mut spellings: Vec<String> = lower.clone();
    spellings
        .extend(written.iter().filter(|word| word.is_ascii()).flat_map(|word| [word.to_ascii_uppercase(), capital(word)]));
    spellings.extend(written);
    for list in [&mut lower, &mut spellings] {
        list.sort_unstable();
        list.dedup();
    }
    Words { lower, spellings }
}
