//! The Serverless Framework's references: `${self:custom.KEY}` within the file, `${file(./other.yml):KEY}` into another one
//! (serverless.com/framework/docs, "Variables"), one leading to the next.

use super::super::links::{Link, Links};
use super::super::yaml::View;
use super::super::{Sheet, folder, join};
use crate::model::Tier;

/// References that lead to one another.
const CHAIN: usize = 8;
/// References that are replaced in one path, those within others with them.
const MOST: u32 = 1000;

/// What a reference leads to.
pub(super) enum Target<'t> {
    /// A place in the same file.
    Here(View<'t>),
    /// A key of another file, all of it where that is empty.
    There(String, String),
}

/// Where a value that is a reference from end to end leads, where that is known.
pub(super) fn target<'t>(sheet: &Sheet<'_>, root: View<'t>, text: &str) -> Option<Target<'t>> {
    follow(sheet, root, text, CHAIN)
}

/// The way from a variable's value to where it stands, if it stands elsewhere.
pub(super) fn put((sheet, links): (&Sheet<'_>, &mut Links), root: View<'_>, value: View<'_>, link: &Link) {
    match value.text().and_then(|text| target(sheet, root, text)) {
        Some(Target::Here(view)) => {
            let doubtful = view.text().is_some_and(|text| text.contains("${"));
            let tier = if doubtful { Tier::Inferred } else { Tier::Bound };
            links.put(sheet, view, Link { tier, ..link.clone() });
        }
        Some(Target::There(file, key)) => {
            links.pull_key((file, key), sheet.place(value), Link { tier: Tier::Inferred, ..link.clone() });
        }
        None => {}
    }
}

fn follow<'t>(sheet: &Sheet<'_>, root: View<'t>, text: &str, chain: usize) -> Option<Target<'t>> {
    let inside = whole(text)?;
    if let Some(rest) = inside.strip_prefix("file(") {
        let (path, rest) = rest.split_once(')')?;
        let key = rest.split(',').next().unwrap_or_default().trim().trim_start_matches(':');
        let file = join(folder(&sheet.path), filled(root, path, (chain, &mut { MOST }))?.trim())?;
        return Some(Target::There(file, key.to_owned()));
    }
    let path = inside.strip_prefix("self:")?.split(',').next()?.trim();
    let mut view = root;
    let mut keys = path.split('.');
    loop {
        if let Some(text) = view.text().filter(|text| whole(text).is_some()) {
            let rest: Vec<&str> = keys.collect();
            return match follow(sheet, root, text, chain.checked_sub(1)?)? {
                Target::Here(view) => view.at(&rest).map(Target::Here),
                Target::There(file, key) => {
                    let whole = [key.as_str()].into_iter().chain(rest).filter(|part| !part.is_empty());
                    Some(Target::There(file, whole.collect::<Vec<_>>().join(".")))
                }
            };
        }
        match keys.next() {
            Some(key) => view = view.get(key)?,
            None => return Some(Target::Here(view)),
        }
    }
}

/// What is between `${` and the `}` that closes it, where that is the last character.
fn whole(text: &str) -> Option<&str> {
    let inside = text.trim().strip_prefix("${")?;
    (closing(inside)? + 1 == inside.len()).then(|| &inside[..inside.len() - 1])
}

fn closing(inside: &str) -> Option<usize> {
    let mut depth = 1;
    for (at, b) in inside.bytes().enumerate() {
        match b {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// A path with its references replaced, by their defaults where they come from outside.
fn filled(root: View<'_>, text: &str, (chain, left): (usize, &mut u32)) -> Option<String> {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(start) = rest.find("${") {
        let inside = &rest[start + 2..];
        let end = closing(inside)?;
        out.push_str(&rest[..start]);
        *left = left.checked_sub(1)?;
        out.push_str(&word(root, &inside[..end], (chain.checked_sub(1)?, left))?);
        rest = &inside[end + 1..];
    }
    out.push_str(rest);
    Some(out).filter(|out| out.len() < 1_000)
}

fn word(root: View<'_>, inside: &str, (chain, left): (usize, &mut u32)) -> Option<String> {
    let (first, default) = inside.split_once(',').map_or((inside, None), |(first, rest)| (first, Some(rest.trim())));
    let path = first.trim().strip_prefix("self:").map(|path| path.split('.').collect::<Vec<_>>());
    if let Some(text) = path.and_then(|path| root.at(&path)).and_then(View::text) {
        return filled(root, text, (chain, left));
    }
    let default = default?;
    let quoted = |quote| default.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    match quoted('\'').or_else(|| quoted('"')) {
        Some(text) => Some(text.to_owned()),
        None if default.starts_with("${") => filled(root, default, (chain, left)),
        None => None,
    }
}
