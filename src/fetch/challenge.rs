//! What a registry wants to see before it hands something out: `WWW-Authenticate`, RFC 9110 section 11.6.1.

use std::collections::BTreeMap;

/// One challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    /// Lower case: `bearer`, `basic`.
    pub(super) scheme: String,
    /// By lower-case name.
    pub(super) parameters: BTreeMap<String, String>,
}

impl Challenge {
    /// All challenges of one header field. What is malformed ends the list.
    pub(super) fn parse(text: &str) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        let mut rest = text.trim_start_matches([' ', ',']);
        while !rest.is_empty() {
            let end = rest.find([' ', '=', ',']).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            if let Some(value) = after.strip_prefix('=') {
                let Some((value, after)) = value_of(value) else { return all };
                let Some(challenge) = all.last_mut() else { return all };
                challenge.parameters.insert(word.to_ascii_lowercase(), value);
                rest = after;
            } else {
                all.push(Self { scheme: word.to_ascii_lowercase(), parameters: BTreeMap::new() });
                rest = after;
            }
            rest = rest.trim_start_matches([' ', ',']);
        }
        all
    }
}

/// A token or a quoted text, and what stands behind it.
fn value_of(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_at(text.find([',', ' ']).unwrap_or(text.len()));
        return Some((value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            character => value.push(character),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::Challenge;

    #[test]
    fn challenges_as_registries_write_them() {
        let hub =
            r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#;
        let all = Challenge::parse(hub);
        assert_eq!((all.len(), all[0].scheme.as_str()), (1, "bearer"));
        assert_eq!(all[0].parameters["realm"], "https://auth.docker.io/token");
        assert_eq!(all[0].parameters["scope"], "repository:a/b:pull,push");
        let both = Challenge::parse(r#"Basic realm="a \"b\"", charset=UTF-8, BEARER Realm=x"#);
        assert_eq!(both.len(), 2);
        assert_eq!((both[0].parameters["realm"].as_str(), both[1].parameters["realm"].as_str()), ("a \"b\"", "x"));
    }

    #[test]
    fn nonsense_ends() {
        for text in ["", ",,,", "=", "a=\"", "Bearer realm=\"x", "Bearer \u{e9}=\"\\", "= = ="] {
            let _all = Challenge::parse(text);
        }
    }
}
