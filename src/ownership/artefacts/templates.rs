//! Templates of other formats (Jinja, Go's, ERB): what is an action is left out, so that the rest can be read as what it is. Nothing is
//! rendered.

/// Actions of one file.
const ACTIONS: usize = 100_000;

/// What files of templates end in, behind the ending of what they become.
const ENDINGS: &[&str] = &[".j2", ".jinja", ".jinja2", ".tpl", ".tmpl", ".tftpl", ".gotmpl", ".erb"];

/// What stands for a value in a text whose actions are marked.
pub(super) const MARK: char = '?';

/// What begins an action of other kinds: Go's words, and what Argo's workflows fill in themselves.
const OTHERS: &[&str] = &[
    "inputs",
    "outputs",
    "workflow",
    "workflows",
    "steps",
    "tasks",
    "item",
    "pod",
    "end",
    "else",
    "break",
    "continue",
    "hosts",
    "parameters",
    "context",
    "define",
    "block",
];

/// Fields of manifests that a template makes.
const MADE: &[&str] = &["name", "namespace", "image", "value", "replicas", "host"];

/// The name that a template becomes, if a file is one by its name.
pub(super) fn becomes(name: &str) -> Option<&str> {
    ENDINGS.iter().find_map(|ending| name.strip_suffix(ending))
}

/// The text with its actions made blank, every byte in its place. An action that stands for a value is a word instead.
pub(super) fn without_actions(text: &str) -> String {
    filled(text, 'x')
}

/// The same, where a value is told from words by its mark.
pub(super) fn with_marks(text: &str) -> String {
    filled(text, MARK)
}

/// Whether YAML is filled in by Jinja or ERB before it is read, by what stands in it: `key: {{ name }}`, which is none by itself, a name
/// or an image that is made of such, `<%`. What begins with a dot or a quote is Go's, and mostly part of the text.
pub(super) fn is_filled(text: &str) -> bool {
    let filled = |line: &str| {
        let (key, value) = line.split_once(':').unwrap_or(("", line));
        let key = key.trim_matches(['-', ' ', '\t', '"', '\'']);
        let value = value.trim_start_matches(['-', ' ', '\t']);
        (value.starts_with("{{") || MADE.contains(&key)) && value.split("{{").skip(1).any(is_variable)
    };
    text.contains("<%") || text.lines().filter(|line| line.contains("{{")).take(ACTIONS).any(filled)
}

/// Whether what follows `{{` is a variable's name, with filters or without.
fn is_variable(action: &str) -> bool {
    let inside = action.split_once("}}").map_or("", |(inside, _)| inside).trim_matches(['-', ' ']);
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    let name = inside.split('|').next().unwrap_or_default().trim_end();
    let own = name.split('.').next().unwrap_or_default();
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(fits) && !OTHERS.contains(&own)
}

fn filled(text: &str, mark: char) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    let opens = |at: usize, rest: &str| {
        let after = &rest[at + 1..];
        if rest[at..].starts_with('<') { after.starts_with('%') } else { after.starts_with(['{', '%', '#']) }
    };
    for _ in 0..ACTIONS {
        let Some(at) = rest.match_indices(['{', '<']).map(|(at, _)| at).find(|at| opens(*at, rest)) else {
            break;
        };
        out.push_str(&rest[..at]);
        let opened = &rest[at..];
        let (closing, value) = match &opened.as_bytes()[..2] {
            b"{{" => ("}}", true),
            b"{%" => ("%}", false),
            b"<%" => ("%>", opened.starts_with("<%=")),
            _ => ("#}", false),
        };
        let end = opened.find(closing).map_or(opened.len(), |end| end + 2);
        let (action, after) = opened.split_at(end);
        let alone = out.rsplit('\n').next().is_some_and(|line| line.trim().is_empty())
            && after.split('\n').next().is_some_and(|line| line.trim().is_empty());
        let fill = if value && !alone { mark } else { ' ' };
        out.extend(action.bytes().map(|byte| if byte == b'\n' { '\n' } else { fill }));
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::{becomes, is_filled, with_marks, without_actions};

    #[test]
    fn actions_leave_every_byte_in_its_place() {
        for (text, expected) in [
            ("a: {{ .x | quote }}\nb: c", "a: xxxxxxxxxxxxxxxx\nb: c"),
            ("{% if x %}\na: b\n{%- endif %}\n", "          \na: b\n            \n"),
            ("a: é{{ b", "a: éxxxx"),
            ("{# é\n#}a: {b: c}", "     \n  a: {b: c}"),
            ("<% if x %>\na: <%= y %>z < b\n", "          \na: xxxxxxxxz < b\n"),
        ] {
            let found = without_actions(text);
            assert_eq!((found.as_str(), found.len()), (expected, text.len()), "{text}");
        }
        assert_eq!((becomes("x.yml.j2"), becomes("x.yml")), (Some("x.yml"), None));
        assert_eq!(with_marks("a: web-{{ x }}\n"), "a: web-???????\n");
        without_actions(&"{{".repeat(100_000));
    }

    #[test]
    fn what_fills_a_text_in_is_known_by_its_actions() {
        for (text, filled) in [
            ("a: {{ name }}", true),
            ("name: 'x-{{name | default(1)}}'", true),
            ("a: {{ a.b }}", true),
            ("legend: '{{instance}}'", false),
            ("a: x {{ b }}", false),
            ("a: <%= b %>", true),
            ("a: {{ .Values.x }}", false),
            ("a: '{{ include \"x\" . }}'", false),
            ("a: '{{ inputs.parameters.x }}'", false),
            ("a: '{{- end }}'", false),
            ("a: {b: {c: d}}", false),
        ] {
            assert_eq!(is_filled(text), filled, "{text}");
        }
    }
}
