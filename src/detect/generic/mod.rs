//! Secrets that only their name gives away: `password = …`, `"client_secret": "…"`, `--token …`. The name says that a value
//! is meant to be secret; the value must look like one, and not like a name, a reference, a template or a word for people.

use std::ops::Range;

use super::context::squeezed;
use super::kind::{FileKind, Role, is_said};
use super::names::{Meaning, meaning, meaning_of_one};
use crate::model::Confidence;

mod below;
mod columns;
mod default;
mod elsewhere;
mod judge;
mod operator;
mod scope;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_notations;
#[cfg(test)]
mod tests_of_tables;
mod value;

pub(super) use judge::{is_reference, is_type, judge_single, judge_token};
use operator::{Operator, is_symbol, operator, type_annotation};
use value::{ends, value};

/// A name is no longer than this, on either side of the word that was hit.
const NAME: usize = 48;
/// Nor is a value.
const VALUE: usize = 512;

/// A value that is assigned to a secret-like name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Assignment {
    pub(super) name: Range<usize>,
    pub(super) value: Range<usize>,
    /// How sure it is a secret, or why it is none.
    pub(super) verdict: Result<Confidence, &'static str>,
}

/// The name around `hit`, if something may be assigned to it.
pub(super) fn name(bytes: &[u8], hit: &Range<usize>) -> Option<Range<usize>> {
    Some(whole_name(bytes, hit)).filter(|name| may_name(bytes, name))
}

/// What is assigned to a name in a file of a kind: one value, or several in a list.
pub(super) fn assignments(bytes: &[u8], name: &Range<usize>, kind: FileKind) -> impl Iterator<Item = Assignment> + use<> {
    let one = assignment(bytes, name, kind);
    let mut several = if one.is_none() { listed(bytes, name, kind) } else { Vec::new() };
    if several.is_empty() && one.as_ref().is_none_or(|one| one.verdict.is_err()) {
        several = headed(bytes, name, kind);
    }
    let one = one.filter(|one| one.verdict.is_ok() || several.is_empty());
    one.into_iter().chain(several)
}

fn assignment(bytes: &[u8], name: &Range<usize>, kind: FileKind) -> Option<Assignment> {
    let name = name.clone();
    // What is asked of a name last: most of the words that are hit are assigned nothing.
    let (value, quoted) = value_of(bytes, &name, kind)?;
    let meaning = meaning(&bytes[name.clone()])?;
    let verdict = judge::judge(&bytes[value.clone()], meaning, quoted);
    let verdict = if is_own_name(&bytes[name.clone()], &bytes[value.clone()]) { Err("its own name") } else { verdict };
    let verdict = if is_searched_with(bytes, &value) { Err("a search key, which is public") } else { verdict };
    let verdict = if is_link(bytes, &name) { Err("a download link's, which whoever sees the page has") } else { verdict };
    let verdict = if is_slot(&bytes[name.clone()], &bytes[value.clone()]) { Err(SLOT) } else { verdict };
    let verdict = verdict.and_then(|sure| elsewhere::reason(bytes, &name, &value).map_or(Ok(sure), Err));
    let verdict = verdict.map(|confidence| in_its_place(confidence, bytes, value.start, kind));
    Some(Assignment { name, value, verdict })
}

/// How sure something is that was found at `at`.
fn in_its_place(confidence: Confidence, bytes: &[u8], at: usize, kind: FileKind) -> Confidence {
    let role = if kind.role == Role::Plain && is_said(bytes, at, kind) { Role::Docs } else { kind.role };
    match role {
        Role::Plain => confidence,
        // Made up in all but a few cases, unless it could not have been typed.
        Role::Test | Role::Docs | Role::Generated if confidence < Confidence::High => Confidence::Low,
        Role::Test | Role::Docs | Role::Generated => Confidence::Medium,
    }
}

/// The secrets in the column that a name heads. What is none is passed over.
fn headed(bytes: &[u8], name: &Range<usize>, kind: FileKind) -> Vec<Assignment> {
    let cells = columns::below(bytes, name, kind);
    let Some(meaning) = cells.first().and_then(|_| meaning_of_one(&bytes[name.clone()])) else { return Vec::new() };
    let found = cells.into_iter().filter_map(|value| {
        let text = &bytes[value.clone()];
        let mixed = text.iter().any(|byte| byte.is_ascii_digit() || byte.is_ascii_punctuation());
        // Tables of users keep digests.
        let digest = meaning == Meaning::Password && text.len() >= 32 && text.iter().all(u8::is_ascii_hexdigit);
        let confidence = judge::judge(text, meaning, true).ok().filter(|_| mixed && !digest)?;
        let verdict = Ok(in_its_place(confidence, bytes, value.start, kind));
        Some(Assignment { name: name.clone(), value, verdict })
    });
    found.collect()
}

/// The secrets in the list that a name is given: `"tokens": ["…", "…"]`. What is none is passed over.
fn listed(bytes: &[u8], name: &Range<usize>, kind: FileKind) -> Vec<Assignment> {
    let mut at = name.end;
    skip(bytes, &mut at, |byte| matches!(byte, b'"' | b'\'' | b'\\' | b']'), 3);
    skip(bytes, &mut at, |byte| matches!(byte, b' ' | b'\t'), 40);
    at += match &bytes[at..] {
        [b'=', b'=', ..] => return Vec::new(),
        [b'=', b'>', ..] | [b':', b'=', ..] => 2,
        [b'=', ..] => 1,
        [b':', rest @ ..] => 1 + type_annotation(rest),
        _ => return Vec::new(),
    };
    let assigned = bytes[at - 1] == b'=';
    skip(bytes, &mut at, |byte| matches!(byte, b' ' | b'\t'), 60);
    // `- X=` is set to nothing; what is below it is the next piece of the list that it is one of.
    if !(bytes.get(at) == Some(&b'[') || (!assigned && matches!(bytes.get(at), Some(b'\n' | b'\r')))) {
        return Vec::new();
    }
    let pieces = below::pieces(bytes, at, kind);
    let Some(meaning) = pieces.first().and_then(|_| meaning_of_one(&bytes[name.clone()])) else { return Vec::new() };
    let found = pieces.into_iter().filter_map(|value| {
        let text = &bytes[value.clone()];
        // Rules for passwords and lists of bad ones are lists too.
        let has = |wanted: fn(&u8) -> bool| text.iter().any(wanted);
        let mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_digit);
        if is_slot(&bytes[name.clone()], text) || elsewhere::is_kept(&bytes[name.clone()], text) {
            return None;
        }
        let sure = meaning == Meaning::Token || (text.len() >= 10 && mixed);
        let confidence = judge::judge(text, meaning, true).ok().filter(|_| sure)?;
        let verdict = Ok(in_its_place(confidence, bytes, value.start, kind));
        Some(Assignment { name: name.clone(), value, verdict })
    });
    found.collect()
}

/// Whether what stands before a name leaves it one: no `arn:aws:…:secret:name`, no `urn:x:token:y`, no `checksum/secret: …`.
fn may_name(bytes: &[u8], name: &Range<usize>) -> bool {
    let before = &bytes[..name.start];
    let symbol = || is_symbol(bytes, name.start) && is_given(bytes, name.end);
    !before.ends_with(b"checksum/") && (!before.ends_with(b":") || scope::is_scope(bytes, name.start - 1) || symbol())
}

/// `:password => '…'`, `:password "…"`: Ruby's and Clojure's.
fn is_given(bytes: &[u8], at: usize) -> bool {
    let rest = bytes[at..bytes.len().min(at + 16)].trim_ascii_start();
    let rest = rest.strip_prefix(b"=>").map_or(rest, <[u8]>::trim_ascii_start);
    bytes.get(at) == Some(&b' ') && matches!(rest.first(), Some(b'"' | b'\''))
}

/// `apiKey: "x", indexName: "docs"`: Algolia's, which every page of a documentation gives away (docsearch.algolia.com/docs/api).
fn is_searched_with(bytes: &[u8], value: &Range<usize>) -> bool {
    const NEAR: usize = 80;
    let key = &bytes[value.clone()];
    key.len() == 32
        && key.iter().all(u8::is_ascii_hexdigit)
        && memchr::memmem::find(&bytes[value.end..bytes.len().min(value.end + NEAR)], b"indexName").is_some()
}

const SLOT: &str = "a place in a contract's storage";

/// `"storageKeys": ["0x…"]`: a place in a contract's storage (eips.ethereum.org/EIPS/eip-2930). Azure's keys are in base64.
fn is_slot(name: &[u8], value: &[u8]) -> bool {
    let name = squeezed(name);
    let hex = value.strip_prefix(b"0x").is_some_and(|rest| rest.iter().all(u8::is_ascii_hexdigit));
    hex && (name.ends_with(b"storagekey") || name.ends_with(b"storagekeys"))
}

/// `?alt=media&token=…`, `?e=1500000000&token=…`: what lets a browser fetch one file, of Firebase Storage
/// (firebase.google.com/docs/storage/web/download-files) and Qiniu (developer.qiniu.com/kodo/1202/download-token).
fn is_link(bytes: &[u8], name: &Range<usize>) -> bool {
    const BEFORE: usize = 32;
    let before = &bytes[name.start.saturating_sub(BEFORE)..name.start];
    let before = before.strip_suffix(b"amp;").unwrap_or(before);
    let Some(query) = before.strip_suffix(b"&").filter(|_| &bytes[name.clone()] == b"token") else { return false };
    let field = query.rsplit(|byte| matches!(byte, b'?' | b'&' | b';')).next().unwrap_or_default();
    let expiry = field.strip_prefix(b"e=").is_some_and(|at| at.len() >= 10 && at.iter().all(u8::is_ascii_digit));
    field.len() < query.len() && (field == b"alt=media" || expiry)
}

/// `MYSQL_PASSWORD = "MYSQL_PASSWORD"`, `("v3AuthPass", "v3AuthPass")`.
fn is_own_name(name: &[u8], value: &[u8]) -> bool {
    let name = squeezed(name);
    let value = squeezed(value);
    name == value || (value.len() >= 8 && name.ends_with(&value))
}

/// Any name around `hit` and the value it is given.
pub(super) fn written(bytes: &[u8], hit: usize, kind: FileKind) -> Option<(Range<usize>, Range<usize>)> {
    let name = whole_name(bytes, &(hit..hit));
    let (value, _) = value_of(bytes, &name, kind)?;
    Some((name, value))
}

fn value_of(bytes: &[u8], name: &Range<usize>, kind: FileKind) -> Option<(Range<usize>, bool)> {
    let (at, operator) = operator(bytes, name, kind)?;
    if let Some(block) = below::block(bytes, at, kind).filter(|_| operator == Operator::Assign) {
        return Some((block, false));
    }
    let (value, quoted) = value(bytes, at, operator, (name, kind))?;
    Some((behind_scheme(bytes, value, name), quoted))
}

/// `Authorization: Bearer x`: the scheme is no part of the value.
fn behind_scheme(bytes: &[u8], value: Range<usize>, name: &Range<usize>) -> Range<usize> {
    const SCHEMES: &[&[u8]] = &[b"bearer", b"token", b"apikey", b"api-key", b"key"];
    let own = bytes[name.clone()].to_ascii_lowercase();
    let word = bytes[value.start..].iter().take(8).take_while(|&&byte| byte.is_ascii_alphabetic() || byte == b'-').count();
    let scheme = bytes[value.start..value.start + word].to_ascii_lowercase();
    let at = value.start + word;
    // `token = "Bearer x"`.
    let known = own.ends_with(b"authorization") || scheme == b"bearer";
    if !known || bytes.get(at) != Some(&b' ') || !SCHEMES.contains(&scheme.as_slice()) {
        return value;
    }
    let start = at + 1;
    // A bare value ended at the blank behind the scheme.
    let bare = bytes[start..].iter().take(VALUE).position(|&byte| ends(byte, false));
    let end = if value.end > start { value.end } else { bare.map_or(start, |length| start + length) };
    start..end.max(start)
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$')
}

fn whole_name(bytes: &[u8], hit: &Range<usize>) -> Range<usize> {
    // `pwd=`: what tells a short word is no part of the name.
    let behind = bytes[hit.clone()].iter().rev().take_while(|&&byte| byte.is_ascii() && !is_name(byte)).count();
    let hit = hit.start..hit.end - behind;
    let back = bytes[hit.start.saturating_sub(NAME)..hit.start].iter().rev().take_while(|&&byte| is_name(byte)).count();
    let on = bytes[hit.end..].iter().take(NAME).take_while(|&&byte| is_name(byte)).count();
    let name = hit.start - back..hit.end + on;
    // `${X-default}`: what a shell takes for a name ends sooner.
    let end = name.start + if in_braces(bytes, &name) { default::name_length(&bytes[name.clone()]) } else { name.len() };
    name.start..if end >= hit.end { end } else { name.end }
}

/// Whether a name is that of a reference: `${name…`.
fn in_braces(bytes: &[u8], name: &Range<usize>) -> bool {
    bytes[..name.start].ends_with(b"${")
}

fn skip(bytes: &[u8], at: &mut usize, wanted: impl Fn(u8) -> bool, most: usize) -> usize {
    let count = bytes[*at..].iter().take(most).take_while(|&&byte| wanted(byte)).count();
    *at += count;
    count
}
