//! Paths as URIs.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

/// Stands for the root of the scanned tree; GitHub knows it.
pub(super) const BASE: &str = "%SRCROOT%";

/// What a path segment may hold as it stands (RFC 3986 §3.3), without the colon, which would make the first one a scheme.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b'@')
    .remove(b'/');

/// An artifact location: relative to the root where the path is, else with its scheme. Standard input is in no tree.
pub(super) fn artifact(path: &str, in_tree: bool) -> Value {
    let path = path.strip_prefix("./").unwrap_or(path);
    let encoded = utf8_percent_encode(path, SEGMENT).to_string();
    let drive = path.as_bytes().get(1..3) == Some(b":/") && path.as_bytes()[0].is_ascii_alphabetic();
    if path.starts_with('/') {
        json!({ "uri": format!("file://{encoded}") })
    } else if drive {
        json!({ "uri": format!("file:///{}", encoded.replacen("%3A", ":", 1)) })
    } else if in_tree {
        json!({ "uri": encoded, "uriBaseId": BASE })
    } else {
        json!({ "uri": encoded })
    }
}

#[cfg(test)]
mod tests {
    use super::artifact;

    #[test]
    fn paths_become_uris_that_mean_the_same() {
        let uri = |path| artifact(path, true)["uri"].as_str().map(str::to_owned).unwrap_or_default();
        assert_eq!(uri("./src/a b.py"), "src/a%20b.py");
        assert_eq!(uri("100%/ü?#[x].env"), "100%25/%C3%BC%3F%23%5Bx%5D.env");
        assert_eq!(uri("C:x"), "C%3Ax");
        assert_eq!(uri("ab:c/d"), "ab%3Ac/d", "no scheme");
        assert_eq!(uri("/srv/a"), "file:///srv/a");
        assert_eq!(uri("C:/a b"), "file:///C:/a%20b");
        assert!(artifact("/srv/a", true).get("uriBaseId").is_none());
        assert_eq!(artifact("<stdin>", false)["uri"], "%3Cstdin%3E");
        assert!(artifact("<stdin>", false).get("uriBaseId").is_none());
    }
}
