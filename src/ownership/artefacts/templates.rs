//! Templates of other formats (Jinja, Go's): what is an action is left out, so that the rest can be read as what it is. Nothing is
//! rendered.

/// Actions of one file.
const ACTIONS: usize = 100_000;

/// What files of templates end in, behind the ending of what they become.
const ENDINGS: &[&str] = &[".j2", ".jinja", ".jinja2", ".tpl", ".tmpl", ".tftpl", ".gotmpl"];

/// The name that a template becomes, if a file is one by its name.
pub(super) fn becomes(name: &str) -> Option<&str> {
    ENDINGS.iter().find_map(|ending| name.strip_suffix(ending))
}

/// The text with its actions made blank, every byte in its place. An action that stands for a value is a word instead.
pub(super) fn without_actions(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    for _ in 0..ACTIONS {
        let Some(at) = rest.match_indices('{').map(|(at, _)| at).find(|at| rest[at + 1..].starts_with(['{', '%', '#']))
        else {
            break;
        };
        out.push_str(&rest[..at]);
        let opened = &rest[at..];
        let (closing, value) = match opened.as_bytes()[1] {
            b'{' => ("}}", true),
            b'%' => ("%}", false),
            _ => ("#}", false),
        };
        let end = opened.find(closing).map_or(opened.len(), |end| end + 2);
        let (action, after) = opened.split_at(end);
        let alone = out.rsplit('\n').next().is_some_and(|line| line.trim().is_empty())
            && after.split('\n').next().is_some_and(|line| line.trim().is_empty());
        let fill = if value && !alone { 'x' } else { ' ' };
        out.extend(action.bytes().map(|byte| if byte == b'\n' { '\n' } else { fill }));
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::{becomes, without_actions};

    #[test]
    fn actions_leave_every_byte_in_its_place() {
        for (text, expected) in [
            ("a: {{ .x | quote }}\nb: c", "a: xxxxxxxxxxxxxxxx\nb: c"),
            ("{% if x %}\na: b\n{%- endif %}\n", "          \na: b\n            \n"),
            ("a: é{{ b", "a: éxxxx"),
            ("{# é\n#}a: {b: c}", "     \n  a: {b: c}"),
        ] {
            let found = without_actions(text);
            assert_eq!((found.as_str(), found.len()), (expected, text.len()), "{text}");
        }
        assert_eq!((becomes("x.yml.j2"), becomes("x.yml")), (Some("x.yml"), None));
        without_actions(&"{{".repeat(100_000));
    }
}
