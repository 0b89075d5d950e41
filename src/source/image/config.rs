//! An image's config as text that detectors understand: `NAME=value` a line, whatever escapes its JSON was written with.
//! Every text in it appears, once.

use serde_json::Value;

/// What a config says, in two texts because they are of two kinds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rendered {
    /// Settings: `Env` as it is, everything else as `name=value`.
    pub(super) settings: String,
    /// Shell: the lines of the history, build arguments included.
    pub(super) history: String,
}

/// None when it is not JSON.
pub(super) fn render(bytes: &[u8]) -> Option<Rendered> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let mut rendered = Rendered::default();
    walk(&value, "", &mut rendered);
    Some(rendered)
}

/// serde_json refuses what is nested more than 128 deep, so this ends.
fn walk(value: &Value, name: &str, out: &mut Rendered) {
    match value {
        Value::String(text) => leaf(text, name, out),
        Value::Array(values) => values.iter().for_each(|value| walk(value, name, out)),
        Value::Object(fields) => fields.iter().for_each(|(field, value)| walk(value, field, out)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn leaf(text: &str, name: &str, out: &mut Rendered) {
    match name {
        "Env" => {
            out.settings.push_str(text);
            out.settings.push('\n');
        }
        "created_by" | "Cmd" | "Entrypoint" | "OnBuild" | "Shell" | "comment" => {
            out.history.push_str(text);
            out.history.push('\n');
        }
        // Digests of layers, by the dozen.
        "diff_ids" => {}
        _ => {
            out.settings.push_str(name);
            out.settings.push('=');
            out.settings.push_str(text);
            out.settings.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::render;

    #[test]
    fn every_text_once_and_without_escapes() {
        let config =
            br#"{"architecture": "amd64", "config": {"Env": ["A=x\u0026y", "PATH=/bin"], "Cmd": ["serve", "--key=v"],
            "Labels": {"org.x": "y\tz"}, "ExposedPorts": {"80/tcp": {}}}, "author": "me",
            "history": [{"created_by": "|1 TOKEN=t /bin/sh -c true"}, {"created_by": "CMD [\"x\"]", "empty_layer": true}]}"#;
        let out = render(config).expect("JSON");
        let mut lines: Vec<&str> = out.settings.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["A=x&y", "PATH=/bin", "architecture=amd64", "author=me", "org.x=y\tz"]);
        let mut lines: Vec<&str> = out.history.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["--key=v", "CMD [\"x\"]", "serve", "|1 TOKEN=t /bin/sh -c true"]);
        assert_eq!(render(b"{\"a\": "), None);
    }
}
