//! What leads to a detector's anchors, read off its file without reading the file: a few hundred detectors take 30 ms to
//! read and check in full, and a commit hook needs three of them. Only for built-in files; a test holds it against the full
//! reading of each.

use super::{Extract, Lead, Words, part};

/// What leads to a detector's anchors, and what becomes of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::detect) struct Anchor {
    /// Texts of which each match contains one.
    pub(in crate::detect) literals: Vec<String>,
    /// Words that vouch for values near them.
    pub(in crate::detect) words: Option<Words>,
    /// The structure to take apart, where a pattern is not enough.
    pub(in crate::detect) extract: Option<Extract>,
}

impl Anchor {
    /// As the full reading has it.
    pub(in crate::detect) fn of(lead: &Lead, extract: Option<Extract>) -> Self {
        let (literals, words) = match lead {
            Lead::Literals { texts, .. } => (texts.clone(), None),
            Lead::Words(words) => (Vec::new(), Some(words.clone())),
            Lead::Companion => (Vec::new(), None),
        };
        Self { literals, words, extract }
    }

    /// As the lines `literals = […]`, `words = […]` and `extract = "…"` of the text say. `None` where they are not written
    /// in a way that is understood at a glance.
    pub(in crate::detect) fn glance(text: &str) -> Option<Self> {
        let head = text.split_once("[[part]]")?;
        let first = head.1.split("\n[").next()?;
        let value = |text: &str, key: &str| {
            let at = text.lines().scan(0, |at, line| Some((std::mem::replace(at, *at + line.len() + 1), line)));
            let found = at.into_iter().find_map(|(at, line)| {
                let rest = line.strip_prefix(key)?.trim_start().strip_prefix('=')?;
                Some(at + line.len() - rest.len())
            });
            found.map(|at| text.get(at..).unwrap_or_default().trim_start().to_owned())
        };
        let extract = match value(head.0, "extract") {
            None => None,
            Some(rest) => {
                let word = rest.strip_prefix('"')?.split('"').next()?;
                Some(Extract::WORDS.iter().find(|(known, _)| *known == word)?.1)
            }
        };
        let literals = value(first, "literals").map(|rest| strings(&rest));
        let words = value(first, "words").map(|rest| strings(&rest));
        match (literals, words) {
            (Some(Some(literals)), None) => Some(Self { literals, words: None, extract }),
            (None, Some(Some(written))) => Some(Self { literals: Vec::new(), words: Some(part::spelled(written)), extract }),
            _ => None,
        }
    }
}

/// The strings of a TOML array that starts here.
fn strings(text: &str) -> Option<Vec<String>> {
    let mut rest = text.strip_prefix('[')?;
    let mut all = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\n', '\r', '\t', ',']);
        if rest.starts_with('#') {
            rest = rest.split_once('\n')?.1;
            continue;
        }
        if rest.starts_with(']') {
            return Some(all);
        }
        let (one, after) = string(rest)?;
        all.push(one);
        rest = after;
    }
}

/// One TOML string and what follows it.
fn string(text: &str) -> Option<(String, &str)> {
    if let Some(inside) = text.strip_prefix('\'') {
        let (one, after) = inside.split_once('\'')?;
        return (!one.is_empty()).then(|| (one.to_owned(), after));
    }
    let inside = text.strip_prefix('"')?;
    let mut out = String::new();
    let mut chars = inside.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (!out.is_empty()).then(|| (out, &inside[at + 1..])),
            '\\' => out.push(match chars.next()?.1 {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                c @ ('"' | '\\') => c,
                _ => return None,
            }),
            _ => out.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Anchor, Extract};
    use crate::detect::registry::builtin_sources;
    use crate::detect::spec::{Read, read};

    #[test]
    fn a_glance_sees_what_the_full_reading_sees() {
        for source in builtin_sources() {
            let Ok(Read::Detector(checked)) = read(&source) else { panic!("{} reads", source.id) };
            let full = Anchor::of(&checked.rules[0].lead, checked.extract);
            assert_eq!(Anchor::glance(&source.text), Some(full), "{}", source.id);
        }
    }

    #[test]
    fn odd_spellings_are_read_or_left_to_the_full_reading() {
        let text = "extract = \"assignment\"\n[[part]]\nname = 'x'\nwords = [ # of two\n  'one\\', \"t\\\"wo\",\n]\nname = 1\n[liveness]\n";
        let anchor = Anchor::glance(text).expect("understood");
        assert_eq!(anchor.extract, Some(Extract::Assignment));
        assert_eq!(anchor.words.expect("words").lower, ["one\\", "t\"wo"]);
        for text in [
            "",
            "[[part]]\n",
            "[[part]]\nliterals = [\"\\u0041bc\"]",
            "[[part]]\nliterals = x",
            "[[part]]\nliterals = ['''abc''']",
        ] {
            assert_eq!(Anchor::glance(text), None, "{text}");
        }
    }
}
