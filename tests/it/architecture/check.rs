//! What the house forbids, found in source text.

use super::tokens::Tokens;
use super::{EVERY_DOOR, ROOMS, THREADS_AND_ASYNC};
use std::collections::BTreeMap;

/// Every breach in these (path, text) files, as `src/detect/x.rs:12 names crate::net …`.
pub(super) fn check(files: &[(String, String)]) -> Vec<String> {
    let mut broken = Vec::new();
    let mut tests = Vec::new();
    let mut read = Vec::new();
    for (path, text) in files {
        if !text.starts_with("//!") {
            broken.push(format!("{path}:1 does not begin with `//!` and what the file is for"));
        }
        match Tokens::read(text) {
            Ok(tokens) => {
                broken.extend(everywhere(path, &tokens));
                let (tokens, test_modules) = tokens.without_tests();
                tests.extend(test_modules.into_iter().map(|name| format!("{}{name}", children(path))));
                read.push((path, tokens));
            }
            Err(error) => broken.push(format!("{path} cannot be read as Rust: {error}")),
        }
    }
    let is_test =
        |path: &str| tests.iter().any(|test| path == format!("{test}.rs") || path.starts_with(&format!("{test}/")));
    read.retain(|(path, _)| !is_test(path));
    let mut runtimes = BTreeMap::new();
    for (path, tokens) in &read {
        let Place { room, depth } = place(path);
        broken.extend(doors(path, room, depth, tokens));
        if room != EVERY_DOOR {
            broken.extend(terminal(path, tokens));
        }
        let both = runtimes.entry(room).or_insert([None, None]);
        for (runtime, first) in ["rayon", "tokio"].into_iter().zip(both) {
            *first = first.take().or_else(|| names_crate(path, tokens, runtime));
        }
    }
    broken.extend(threads_and_async(&runtimes));
    broken
}

struct Place<'a> {
    /// Empty for `src/lib.rs`.
    room: &'a str,
    /// How many modules deep the file is: `src/lib.rs` 0, `src/detect/mod.rs` 1.
    depth: usize,
}

fn place(path: &str) -> Place<'_> {
    let inner = path.strip_prefix("src/").unwrap_or(path);
    let module = inner.trim_end_matches(".rs").trim_end_matches("/mod");
    match module {
        "lib" => Place { room: "", depth: 0 },
        "main" => Place { room: EVERY_DOOR, depth: 0 },
        _ => Place { room: module.split('/').next().unwrap_or(module), depth: module.split('/').count() },
    }
}

/// The folder where the modules that a file declares are looked for, with its `/`.
fn children(path: &str) -> String {
    let module = path.trim_end_matches(".rs");
    match module.rsplit_once('/') {
        Some((folder, "mod" | "lib" | "main")) => format!("{folder}/"),
        _ => format!("{module}/"),
    }
}

/// Rooms named that may not be.
fn doors(path: &str, room: &str, depth: usize, tokens: &Tokens) -> Vec<String> {
    let Some(may_name) = ROOMS.iter().find(|entry| entry.name == room).map(|entry| entry.may_name) else {
        let known = room.is_empty();
        return if known { Vec::new() } else { vec![format!("{path}:1 is in a room that the table does not hold: {room}")] };
    };
    let mut broken = Vec::new();
    for (line, named) in rooms_named(depth, tokens) {
        let is_room = ROOMS.iter().any(|entry| entry.name == named);
        if named == "*" {
            broken.push(format!("{path}:{line} names the whole crate: name rooms one by one, from `crate::`"));
        } else if !is_room {
            broken.push(format!("{path}:{line} names crate::{named}, which is no room"));
        } else if named != room && room != EVERY_DOOR && !may_name.contains(&named.as_str()) {
            broken.push(format!("{path}:{line} names crate::{named}"));
        }
    }
    broken
}

/// What stands behind `crate::`, and behind as many `super::` as lead to the crate's root.
fn rooms_named(depth: usize, tokens: &Tokens) -> Vec<(usize, String)> {
    let mut named = Vec::new();
    // Where the inline modules around a token end.
    let mut inline: Vec<usize> = Vec::new();
    for (at, token) in tokens.iter() {
        inline.retain(|&end| end > at);
        if let (true, Some(end)) = (tokens.text(at) == "mod", tokens.close(at + 2)) {
            inline.push(end);
        }
        match token.text.as_str() {
            "crate" => named.extend(tokens.named_behind(at)),
            "super" if tokens.follows_colons(at) => {} // counted from the first of its row
            "super" => {
                let mut last = at;
                let mut up = 1;
                while tokens.stands(last + 1, &[":", ":", "super"]) {
                    last += 3;
                    up += 1;
                }
                let nested = at >= 1 && ["{", ","].contains(&tokens.text(at - 1)) && in_group_of_path(tokens, at);
                if nested {
                    named.push((token.line, "*".to_owned()));
                } else if up >= depth + inline.len() {
                    named.extend(tokens.named_behind(last));
                }
            }
            _ => {}
        }
    }
    named
}

/// Whether `at` stands in the braces of `path::{…}`, where a `super` counts from the path and not from the file.
fn in_group_of_path(tokens: &Tokens, at: usize) -> bool {
    let around = tokens.iter().filter(|(open, token)| *open < at && token.close.is_some_and(|close| close > at));
    around.last().is_some_and(|(open, token)| token.text == "{" && open >= 1 && tokens.text(open - 1) == ":")
}

/// Reading arguments, environment or stdin, and writing to the terminal: `cli`'s alone.
fn terminal(path: &str, tokens: &Tokens) -> Vec<String> {
    let mut broken = Vec::new();
    for (at, token) in tokens.iter() {
        let text = token.text.as_str();
        if ["print", "println", "eprint", "eprintln", "dbg"].contains(&text) && tokens.text(at + 1) == "!" {
            broken.push(format!("{path}:{} writes to the terminal ({text}!): only cli does", token.line));
        }
        let reserved: &[&str] = match text {
            "env" => &["var", "var_os", "vars", "vars_os", "set_var", "remove_var", "args", "args_os", "*"],
            "io" => &["stdin", "stdout", "stderr"],
            _ => continue,
        };
        for (line, named) in tokens.named_behind(at).into_iter().filter(|(_, named)| reserved.contains(&named.as_str())) {
            broken.push(format!("{path}:{line} names {text}::{named}: only cli does, and hands in what it reads"));
        }
    }
    broken
}

/// Laws for tests too.
fn everywhere(path: &str, tokens: &Tokens) -> Vec<String> {
    let mut broken = Vec::new();
    for (at, token) in tokens.iter() {
        if token.text == "unsafe" {
            broken.push(format!("{path}:{} is unsafe", token.line));
        }
        if tokens.stands(at, &["#", "[", "path"]) {
            broken.push(format!("{path}:{} puts a module in another place (#[path]): rooms are folders", token.line));
        }
    }
    broken
}

/// Where a file first names an outside crate.
fn names_crate(path: &str, tokens: &Tokens, name: &str) -> Option<String> {
    // `use ::tokio` begins a path, `other::tokio` does not.
    let used =
        |at: usize| tokens.stands(at.wrapping_sub(1), &["use"]) || tokens.stands(at.wrapping_sub(3), &["use", ":", ":"]);
    let begins_path = |at: usize| !tokens.follows_colons(at) && tokens.stands(at + 1, &[":", ":"]);
    let first = tokens.iter().find(|&(at, token)| token.text == name && (used(at) || begins_path(at)));
    first.map(|(_, token)| format!("{path}:{}", token.line))
}

fn threads_and_async(rooms: &BTreeMap<&str, [Option<String>; 2]>) -> Vec<String> {
    let both = rooms.iter().filter(|(room, _)| **room != THREADS_AND_ASYNC).filter_map(|(room, named)| match named {
        [Some(rayon), Some(tokio)] => {
            Some(format!("{tokio} names tokio and {rayon} names rayon: only {THREADS_AND_ASYNC} knows both, {room} may not"))
        }
        _ => None,
    });
    both.collect()
}

mod tests;
