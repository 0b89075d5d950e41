//! Where a credential was seen, in words.

use crate::model::{Encoding, LayerPlace, Occurrence, Provenance};

/// Branches and tags shown of a commit.
const NAMES: usize = 3;

/// A place in one line: path, line and column, wrappings, and where else than on disk it is.
pub(super) fn place(place: &Occurrence) -> String {
    let words: Vec<&str> = place.encoding.iter().map(|encoding| wrapping(*encoding)).collect();
    let wrapped = if words.is_empty() { String::new() } else { format!(" (in {})", words.join(", in it ")) };
    let origin = origin(&place.provenance);
    format!("{}:{}:{}{wrapped}{origin}", place.path, place.location.line, place.location.column)
}

/// Where else than on disk it is.
fn origin(provenance: &Provenance) -> String {
    let place = match provenance {
        Provenance::Commit(place) => place,
        Provenance::Layer(place) => return layer(place),
        Provenance::Staged => return " (staged)".to_owned(),
        Provenance::Reported => return " (reported)".to_owned(),
        _ => return String::new(),
    };
    let short = |name: &str| name.chars().take(12).collect::<String>();
    let Some(commit) = &place.commit else { return format!(" in object {}, in no commit", short(&place.object)) };
    let date = place.date.map(|date| date.strftime("%Y-%m-%d").to_string());
    let made: Vec<String> = date.into_iter().chain(place.author.clone()).collect();
    let made = if made.is_empty() { String::new() } else { format!(" ({})", made.join(", ")) };
    let names: Vec<&str> = place.refs.iter().map(|name| plain(name)).take(NAMES).collect();
    let names = match names.as_slice() {
        // Nobody looked.
        [] if place.object.is_empty() => String::new(),
        [] => " no branch".to_owned(),
        names => format!(" {}", names.join(", ")),
    };
    let more = if place.refs.len() > NAMES { ", ..." } else { "" };
    format!(" in commit {}{made}{names}{more}", short(commit))
}

fn plain(name: &str) -> &str {
    ["refs/heads/", "refs/remotes/", "refs/tags/"].iter().find_map(|head| name.strip_prefix(head)).unwrap_or(name)
}

/// Characters of a history line that are shown.
const HISTORY: usize = 100;

fn layer(place: &LayerPlace) -> String {
    // `sha256:` and as much as docker shows.
    let digest: String = place.layer.chars().take(19).collect();
    let platform = place.platform.as_ref().map(|platform| format!(" for {platform}")).unwrap_or_default();
    let hidden = if place.hidden { ", deleted or overwritten by a later one, still in the image" } else { "" };
    let made = place.created_by.as_ref().map(|by| by.chars().take(HISTORY).collect::<String>());
    let made = made.map(|by| format!(", made by: {}", by.trim())).unwrap_or_default();
    format!(" (in {digest}{platform}{hidden}{made})")
}

fn wrapping(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Base64 => "base64",
        Encoding::Hex => "hex",
        Encoding::Escaped => "escapes or pieces",
        Encoding::Utf16 => "UTF-16",
        Encoding::Utf32 => "UTF-32",
    }
}
