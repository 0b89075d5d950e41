//! Which variables a compose value is made of: `$NAME`, `${NAME}`, `${NAME:-default}`, with `$$` for a plain dollar.

/// The names, in order, those inside defaults included.
pub(super) fn named(value: &str) -> Vec<&str> {
    let (mut names, mut rest) = (Vec::new(), value);
    while let Some(dollar) = rest.find('$') {
        rest = &rest[dollar + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            rest = after;
            continue;
        }
        rest = rest.strip_prefix('{').unwrap_or(rest);
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        if end > 0 && !rest.starts_with(|c: char| c.is_ascii_digit()) {
            names.push(&rest[..end]);
        }
        rest = &rest[end..];
    }
    names
}

/// The variable whose default a value is from end to end: `${NAME:-default}` or `${NAME-default}`.
pub(super) fn defaulted(value: &str) -> Option<&str> {
    let inside = value.strip_prefix("${")?.strip_suffix('}')?;
    let end = inside.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
    let default = inside[end..].strip_prefix(":-").or_else(|| inside[end..].strip_prefix('-'))?;
    // Two side by side are not one.
    (end > 0 && !default.contains("}$")).then(|| &inside[..end])
}

/// A value with its variables replaced by their defaults, and whether there was none. Nothing where one has no default, as it could be
/// anything.
pub(super) fn filled(value: &str) -> Option<(String, bool)> {
    let (mut out, mut rest, mut certain) = (String::new(), value, true);
    while let Some(dollar) = rest.find('$') {
        out.push_str(&rest[..dollar]);
        let (inside, after) = rest[dollar + 1..].strip_prefix('{')?.split_once('}')?;
        let end = inside.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
        let default = inside[end..].strip_prefix(":-").or_else(|| inside[end..].strip_prefix('-'))?;
        out.push_str(Some(default).filter(|default| !default.contains('$'))?);
        (rest, certain) = (after, false);
    }
    out.push_str(rest);
    Some((out, certain))
}

#[cfg(test)]
mod tests {
    use super::{defaulted, filled, named};

    #[test]
    fn defaults_are_filled_in_and_what_has_none_is_unknown() {
        for (value, expected) in [
            ("./a:/b", Some(("./a:/b", true))),
            ("${A:-./a}/x:${B-/b}", Some(("./a/x:/b", false))),
            ("${A}/x", None),
            ("$A/x", None),
            ("${A:-${B}}", None),
            ("${A:?no}", None),
            ("${A", None),
        ] {
            assert_eq!(filled(value), expected.map(|(text, certain)| (text.to_owned(), certain)), "{value}");
        }
    }

    #[test]
    fn a_default_is_the_whole_value() {
        for (value, name) in [
            ("${A:-x}", Some("A")),
            ("${A-x}", Some("A")),
            ("${A:-${B}}", Some("A")),
            ("${A:?x}", None),
            ("${A:-x}${B:-y}", None),
        ] {
            assert_eq!(defaulted(value), name, "{value}");
        }
        assert!([defaulted("x${A:-y}"), defaulted("${A}"), defaulted("${:-x}")].iter().all(Option::is_none));
    }

    #[test]
    fn names_are_found_and_escapes_are_not() {
        assert_eq!(named("${A}-$B_1:${C:-${D}}x$$E $ ${} $1"), ["A", "B_1", "C", "D"]);
        assert!(named("plain").is_empty());
    }
}
