//! What a policy lets one read: paths with their capabilities, in HCL or in JSON (OpenBao, "Policies").

use serde_json::Value;

/// A policy, as far as it decides about reading.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Policy(Vec<(String, Rule)>);

/// What it says of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rule {
    Other,
    Read,
    Deny,
}

impl Policy {
    /// Reads a policy's text; nothing where it is not understood.
    pub(super) fn read(text: &str) -> Option<Self> {
        if text.trim_start().starts_with('{') {
            let json: Value = serde_json::from_str(text).ok()?;
            let paths = json.get("path")?.as_object()?;
            let words = |rule: &Value| {
                let all = rule.get("capabilities").and_then(Value::as_array);
                all.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
            };
            return Some(Self(paths.iter().map(|(path, about)| (path.clone(), rule(&words(about)))).collect()));
        }
        let body = hcl_edit::parser::parse_body(text).ok()?;
        let blocks = body.get_blocks("path");
        let read = |block: &hcl_edit::structure::Block| {
            let path = block.labels.first()?.as_str().to_owned();
            let list = block.body.get_attribute("capabilities")?.value.as_array()?;
            let words: Vec<String> = list.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect();
            Some((path, rule(&words)))
        };
        Some(Self(blocks.filter_map(read).collect()))
    }
}

fn rule(words: &[String]) -> Rule {
    let has = |wanted: &str| words.iter().any(|word| word == wanted);
    match () {
        () if has("deny") => Rule::Deny,
        () if has("read") => Rule::Read,
        () => Rule::Other,
    }
}

/// Whether policies together let one read a path. Of the patterns that fit, the most exact one counts, and of several rules for one
/// pattern a denial.
pub(super) fn may_read(policies: &[&Policy], path: &str) -> bool {
    let fitting = policies.iter().flat_map(|policy| &policy.0).filter(|(pattern, _)| fits(pattern, path));
    let best = fitting.max_by_key(|(pattern, rule)| (exactness(pattern), *rule));
    best.is_some_and(|(_, rule)| *rule == Rule::Read)
}

/// `*` at the end stands for anything, `+` for one part of the path.
fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, open) = pattern.strip_suffix('*').map_or((pattern, false), |pattern| (pattern, true));
    let (mut parts, mut own) = (pattern.split('/').peekable(), path.split('/'));
    while let Some(part) = parts.next() {
        let Some(mine) = own.next() else { return false };
        let last = parts.peek().is_none();
        let same = part == "+" && !mine.is_empty() || part == mine || last && open && mine.starts_with(part);
        if !same {
            return false;
        }
    }
    open || own.next().is_none()
}

/// What decides between two patterns that fit (OpenBao, "Policies", priority matching): the later the first wildcard, no `*` at the
/// end, fewer `+`, the longer.
fn exactness(pattern: &str) -> (usize, bool, std::cmp::Reverse<usize>, usize) {
    let first = pattern.find(['+', '*']).unwrap_or(usize::MAX);
    (first, !pattern.ends_with('*'), std::cmp::Reverse(pattern.matches('+').count()), pattern.len())
}

#[cfg(test)]
mod tests {
    use super::{Policy, fits, may_read};

    #[test]
    fn patterns_fit_as_documented() {
        for (pattern, path, fit) in [
            ("secret/data/a", "secret/data/a", true),
            ("secret/data/a", "secret/data/ab", false),
            ("secret/data/a*", "secret/data/ab/c", true),
            ("secret/data/*", "secret/data/a/b", true),
            ("secret/data/*", "secret/metadata/a", false),
            ("secret/+/a", "secret/data/a", true),
            ("secret/+/a", "secret/data/x/a", false),
            ("secret/data/+/k*", "secret/data/team/key", true),
            ("*", "secret/data/a", true),
        ] {
            assert_eq!(fits(pattern, path), fit, "{pattern} {path}");
        }
    }

    #[test]
    fn the_most_exact_pattern_decides_and_a_denial_over_all_of_its_like() {
        let read = |text: &str| Policy::read(text).expect("a policy");
        let all = read("# all\npath \"secret/data/*\" { capabilities = [\"read\", \"list\"] }\n");
        let none = read("path \"secret/data/pay/*\" {\n  capabilities = [\"deny\"]\n}\n");
        let json = read("{\"path\": {\"secret/data/pay/api\": {\"capabilities\": [\"read\"]}}}");
        let writes = read("path \"secret/data/*\" { capabilities = [\"create\"] }");
        assert!(may_read(&[&all], "secret/data/pay/api"));
        assert!(!may_read(&[&all, &none], "secret/data/pay/api"));
        assert!(may_read(&[&all, &none, &json], "secret/data/pay/api"));
        assert!(!may_read(&[&writes], "secret/data/x") && !may_read(&[], "x"));
        assert_eq!(Policy::read("path {"), None);
    }
}
