//! Branches, tags and other names, read as files or from reftables. <https://git-scm.com/docs/gitrepository-layout>

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use gix::hash::ObjectId;

use super::open::{GitPlace, read};
use super::reftable::{self, Target};
use crate::source::readable::readable;

/// Names that are read. Hosts make one for every pull request; more than this is an attempt to fill the memory.
const MOST: usize = 1 << 20;
/// Folders within `refs`.
const DEEPEST: usize = 32;
/// Broken references that are named one by one.
const NAMED: usize = 32;
/// A line of packed refs.
const LINE: u64 = 4096;

/// A name and the object it points at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ref {
    pub(super) name: String,
    pub(super) target: ObjectId,
}

/// All names: those that branches, tags and worktrees have. The second value says what is not known of them.
pub(super) fn all(place: &GitPlace) -> (Vec<Ref>, Vec<String>) {
    let mut troubles = Vec::new();
    let mut refs = if place.reftable { tables(place, &mut troubles) } else { files(place, &mut troubles) };
    if refs.len() >= MOST {
        troubles.push("too many to keep; of some commits it is not said who reaches them".to_owned());
    }
    refs.sort();
    refs.dedup();
    (refs, troubles)
}

/// The folders with a `HEAD` of their own.
fn heads(place: &GitPlace) -> impl Iterator<Item = PathBuf> {
    let worktrees = fs::read_dir(place.common.join("worktrees")).into_iter().flatten().filter_map(Result::ok);
    worktrees.take(1000).map(|entry| entry.path()).chain([place.git.clone(), place.common.clone()])
}

/// Of references in tables: each name and what it points at, and what their logs say. Where they are files they are read as such.
pub fn tabled(place: &GitPlace) -> (Vec<(String, String)>, Vec<u8>) {
    if !place.reftable {
        return (Vec::new(), Vec::new());
    }
    let (names, _) = all(place);
    let names = names.into_iter().map(|one| (one.name, one.target.to_string())).collect();
    let folders = heads(place).map(|folder| folder.join("reftable")).filter(|folder| folder.is_dir());
    // What cannot be read is said with the references.
    (names, folders.filter_map(|folder| reftable::logs(&folder, place.hash).ok()).flatten().collect())
}

fn files(place: &GitPlace, troubles: &mut Vec<String>) -> Vec<Ref> {
    let (mut refs, mut broken) = (Vec::new(), Vec::new());
    packed(&place.common.join("packed-refs"), &mut refs, &mut broken);
    let packed = refs.len();
    loose((&place.common.join("refs"), "refs"), DEEPEST, &mut refs, &mut broken);
    // A loose ref is newer than its packed namesake.
    refs.rotate_left(packed);
    let mut seen = std::collections::HashSet::new();
    refs.retain(|one| seen.insert(one.name.clone()));
    for head in heads(place).filter_map(|folder| read(&folder.join("HEAD"))) {
        match name_of(head.trim()) {
            Some(target) => refs.push(Ref { name: "HEAD".to_owned(), target }),
            // A branch's name is among the others.
            None if head.starts_with("ref:") => {}
            None => broken.push("HEAD".to_owned()),
        }
    }
    broken.dedup();
    let more = broken.len().saturating_sub(NAMED);
    let one = |name| format!("{name} names no object; whether all that it led to is there is not known");
    troubles.extend(broken.into_iter().take(NAMED).map(one));
    if more > 0 {
        troubles.push(format!("{more} more name no object"));
    }
    refs
}

/// From reftables: one stack for all, and one for what each worktree has for itself.
fn tables(place: &GitPlace, troubles: &mut Vec<String>) -> Vec<Ref> {
    let mut refs = Vec::new();
    for folder in heads(place).map(|folder| folder.join("reftable")).filter(|folder| folder.is_dir()) {
        match reftable::stack(&folder, place.hash) {
            Err(error) => troubles.push(format!("{error}; who reaches a commit is not known")),
            Ok(names) => refs.extend(names.into_iter().filter_map(|(name, target)| match target {
                Target::Object(id, peeled) => {
                    let name = String::from_utf8_lossy(&name).into_owned();
                    Some(Ref { name, target: peeled.unwrap_or(id) })
                }
                Target::Symbolic(_) => None,
            })),
        }
    }
    refs
}

/// What a branch, tag or name of a commit points at, as a user writes it.
pub(super) fn resolve(refs: &[Ref], place: &GitPlace, text: &str) -> Option<ObjectId> {
    let head = || {
        let head = head(place)?;
        let head = head.trim();
        match head.strip_prefix("ref:") {
            Some(name) => named(refs, name.trim()),
            None => name_of(head),
        }
    };
    if text == "HEAD" {
        return head();
    }
    let tries = ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"];
    let plain = tries.iter().find_map(|before| named(refs, &format!("{before}{text}"))).or_else(|| name_of(text));
    plain.or_else(|| expression(place, text))
}

/// What git understands beside names: `HEAD~1`, `main@{1}`, `v1^{}`, the beginning of an object's name. Of the repository's
/// settings nothing is believed here either.
fn expression(place: &GitPlace, text: &str) -> Option<ObjectId> {
    let options = gix::open::Options::isolated().filter_config_section(|_| false).with(gix::sec::Trust::Reduced);
    let read = || Some(gix::open_opts(&place.git, options).ok()?.rev_parse_single(text).ok()?.detach());
    catch_unwind(AssertUnwindSafe(read)).ok()?
}

/// What `HEAD` says, as its file does.
fn head(place: &GitPlace) -> Option<String> {
    if !place.reftable {
        return read(&place.git.join("HEAD"));
    }
    match reftable::stack(&place.git.join("reftable"), place.hash).ok()?.remove(&b"HEAD"[..])? {
        Target::Object(id, _) => Some(id.to_string()),
        Target::Symbolic(name) => Some(format!("ref: {}", String::from_utf8_lossy(&name))),
    }
}

fn named(refs: &[Ref], name: &str) -> Option<ObjectId> {
    refs.iter().find(|one| one.name == name).map(|one| one.target)
}

fn name_of(text: &str) -> Option<ObjectId> {
    ObjectId::from_hex(text.as_bytes()).ok()
}

fn packed(path: &Path, refs: &mut Vec<Ref>, broken: &mut Vec<String>) {
    if !path.is_file() {
        return;
    }
    let Ok(file) = File::open(path) else { return };
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    while refs.len() < MOST {
        line.clear();
        match reader.by_ref().take(LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(line.trim_ascii_end());
        if let Some(peeled) = text.strip_prefix('^') {
            if let Some((last, target)) = refs.last_mut().zip(name_of(peeled)) {
                last.target = target;
            }
        } else if let Some((target, name)) = text.split_once(' ').and_then(|(id, name)| Some((name_of(id)?, name))) {
            refs.push(Ref { name: name.to_owned(), target });
        } else if !text.starts_with('#') && !text.is_empty() && broken.len() < MOST {
            broken.push("a line of packed-refs".to_owned());
        }
    }
}

/// References that are files; of those that are none the names go to `broken`.
fn loose((folder, shown): (&Path, &str), deep: usize, refs: &mut Vec<Ref>, broken: &mut Vec<String>) {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    for entry in entries {
        let Ok(kind) = entry.file_type() else { continue };
        let name = format!("{shown}/{}", readable(entry.file_name().as_encoded_bytes()));
        if refs.len() >= MOST || broken.len() >= MOST {
            return;
        }
        if kind.is_dir() && deep > 0 {
            loose((&entry.path(), &name), deep - 1, refs, broken);
        } else if kind.is_file() {
            let text = read(&entry.path()).unwrap_or_default();
            match name_of(text.trim()) {
                Some(target) => refs.push(Ref { name, target }),
                // A name for another name, which is among the others.
                None if text.starts_with("ref:") => {}
                // No names to git: what it is about to write, and what programs leave that list folders.
                None if Path::new(&name).extension().is_some_and(|end| end == "lock") || name.contains("/.") => {}
                None => broken.push(name),
            }
        }
    }
}
