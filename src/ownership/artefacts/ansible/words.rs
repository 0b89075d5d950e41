//! Names of variables in Jinja expressions, and the variables of an INI inventory.

use std::ops::Range;

/// Expressions of one text.
const EXPRESSIONS: usize = 1_000;

/// The variables that a text's expressions name, as far as they are spelt out: `db.password`, `users`.
pub(super) fn chains(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    for _ in 0..EXPRESSIONS {
        let Some(open) = rest.find("{{").into_iter().chain(rest.find("{%")).min() else { break };
        let close = if rest[open..].starts_with("{{") { "}}" } else { "%}" };
        let inner = &rest[open + 2..];
        let end = inner.find(close).unwrap_or(inner.len());
        chains_in(&inner[..end], &mut found);
        rest = inner[end..].strip_prefix(close).unwrap_or("");
    }
    found
}

fn chains_in<'t>(expression: &'t str, found: &mut Vec<&'t str>) {
    let (mut start, mut quote) = (None, None);
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    for (at, c) in expression.char_indices().chain([(expression.len(), ' ')]) {
        if quote.is_some() {
            quote = quote.filter(|own| *own != c);
        } else if fits(c) {
            start.get_or_insert(at);
        } else {
            let chain = start.take().map(|start: usize| expression[start..at].trim_end_matches('.'));
            found.extend(chain.filter(|chain| chain.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')));
            quote = Some(c).filter(|c| matches!(c, '"' | '\''));
        }
    }
}

/// Whether what lies at a way (`db.password`, `users[0].key`) is part of what a chain names.
pub(super) fn covers(chain: &str, way: &str) -> bool {
    way.strip_prefix(chain).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// The variable that a way or a chain begins with.
pub(super) fn head(chain: &str) -> &str {
    chain.split(['.', '[']).next().unwrap_or(chain)
}

/// One variable of an inventory.
pub(super) struct Variable<'t> {
    pub(super) name: &'t str,
    pub(super) bytes: Range<usize>,
    pub(super) line: u64,
}

/// `[group:vars]` with a variable a line, and hosts with theirs behind them.
pub(super) fn inventory(text: &str) -> Vec<Variable<'_>> {
    let (mut found, mut at, mut vars) = (Vec::new(), 0, false);
    for (index, whole) in text.split_inclusive('\n').enumerate() {
        let start = at;
        at += whole.len();
        let line = whole.trim();
        if line.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with('[') {
            vars = line.ends_with(":vars]");
            continue;
        }
        let mut put = |piece: &str, offset: usize| {
            let Some((name, value)) = piece.split_once('=') else { return };
            let bare = value.trim();
            let quoted = bare.len() > 1 && bare.starts_with(['"', '\'']) && bare.ends_with(['"', '\'']);
            let bare = if quoted { &bare[1..bare.len() - 1] } else { bare };
            let from = start + offset + (bare.as_ptr().addr() - piece.as_ptr().addr());
            let name = name.trim().as_ptr().addr() - text.as_ptr().addr()..;
            let name = text[name].split(['=', ' ', '\t']).next().unwrap_or_default();
            found.push(Variable { name, bytes: from..from + bare.len(), line: index as u64 + 1 });
        };
        if vars {
            put(whole, 0);
        } else {
            // The first word is the host.
            let words = whole.split_whitespace().skip(1);
            words.for_each(|word| put(word, word.as_ptr().addr() - whole.as_ptr().addr()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{chains, covers, inventory};

    #[test]
    fn names_are_picked_out_of_expressions_alone() {
        let text = "a {{ db.password | default('x.y') }} {% if tls %}{{ users['a'].key }}{% endif %} {{ lookup(\"env\", name) }} b {{ c";
        let expected = ["db.password", "default", "if", "tls", "users", "endif", "lookup", "name", "c"];
        assert_eq!(chains(text), expected);
        for (chain, way, is) in [
            ("db", "db.password", true),
            ("db.password", "db.password", true),
            ("db.user", "db.password", false),
            ("users", "users[0].key", true),
            ("db", "dbs", false),
        ] {
            assert_eq!(covers(chain, way), is, "{chain} {way}");
        }
        for odd in ["{{", "{%{{%}}}", "{{ é.x }}", "{{ ' }}"] {
            chains(odd);
        }
    }

    #[test]
    fn inventories_have_variables_of_groups_and_hosts() {
        let text = "# a=b\n[web]\nh1 key=one other='two'\n[web:vars]\ntoken = three four \n[x:children]\nweb\n";
        let found: Vec<_> =
            inventory(text).iter().map(|one| (one.name, text[one.bytes.clone()].to_owned(), one.line)).collect();
        let expected = [("key", "one", 3), ("other", "two", 3), ("token", "three four", 5)];
        assert_eq!(found, expected.map(|(name, value, line)| (name, value.to_owned(), line)));
    }
}
