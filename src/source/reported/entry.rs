//! One finding of a report, whoever wrote it. Fields are read leniently: what a later version adds or leaves out costs nothing.

use serde_json::Value;

/// Longer lines around a value are left out.
const LONGEST: usize = 4096;

/// A finding.
pub(super) struct Entry {
    pub(super) path: String,
    /// From 1.
    pub(super) line: u64,
    /// Of the first byte of `text`, from 1.
    pub(super) column: usize,
    pub(super) commit: Option<String>,
    pub(super) author: Option<String>,
    /// What the other scanner calls it.
    pub(super) rule: String,
    /// The value, with what stands around it, or with what the other scanner calls it.
    pub(super) text: String,
    /// The value alone.
    pub(super) value: String,
}

/// Why something is no finding.
pub(super) enum Why {
    /// The value was left out.
    Hidden,
    /// Of another shape than any that is known.
    Unknown,
}

/// Calls `take` for each finding in a value: itself, those of a list, or those below `findings`.
pub(super) fn each(value: &Value, take: &mut dyn FnMut(&Value)) {
    match value {
        Value::Array(all) => all.iter().for_each(|one| each(one, take)),
        Value::Object(fields) => match fields.get("findings") {
            Some(Value::Array(all)) => all.iter().for_each(|one| each(one, take)),
            // Kingfisher's summary behind its findings.
            Some(Value::Number(_)) => {}
            _ => {
                take(value);
                // Betterleaks' other parts, each with a place of its own.
                let sets = fields.get("component_sets").and_then(Value::as_array).into_iter().flatten();
                let parts = sets.filter_map(|set| set.get("components")?.as_array()).flatten();
                for part in parts {
                    let mut part = part.clone();
                    // Where from is said once for all.
                    if let (Some(part), Some(from)) = (part.as_object_mut(), fields.get("attributes")) {
                        part.entry("attributes").or_insert_with(|| from.clone());
                    }
                    take(&part);
                }
            }
        },
        other => take(other),
    }
}

impl Entry {
    /// Reads a finding. `None` for what says nothing of a credential.
    pub(super) fn of(value: &Value) -> Result<Option<Self>, Why> {
        let has = |names: &[&str]| names.iter().all(|name| value.get(name).is_some());
        if has(&["RuleID", "File"]) {
            gitleaks(value).map(|entry| Some(entry.kept()))
        } else if has(&["rule_id", "match", "location"]) {
            betterleaks(value).map(|entry| Some(entry.kept()))
        } else if has(&["SourceMetadata", "DetectorName"]) {
            trufflehog(value).map(|entry| Some(entry.kept()))
        } else if has(&["rule", "finding"]) {
            kingfisher(value).map(|entry| Some(entry.kept()))
        } else if has(&["secret_type", "number"]) {
            github(value).map(|entry| Some(entry.kept()))
        } else if value.get("level").is_some() && value.get("msg").is_some() {
            // TruffleHog's log, where both went into one file.
            Ok(None)
        } else {
            Err(Why::Unknown)
        }
    }
}

/// The shortest value that is taken out of names: shorter ones are words.
const SHORTEST: usize = 6;

impl Entry {
    /// The entry, without the value in what is shown of it.
    fn kept(mut self) -> Self {
        if self.value.len() >= SHORTEST {
            for shown in [&mut self.path, &mut self.rule] {
                *shown = shown.replace(&self.value, "…");
            }
        }
        self
    }
}

/// <https://github.com/gitleaks/gitleaks#reports>: `Match` is what the rule matched, with the value in it.
fn gitleaks(value: &Value) -> Result<Entry, Why> {
    let (secret, rule) = (given(value, "/Secret")?, text(value, "/RuleID").unwrap_or_default());
    let line = number(value, "/StartLine").max(1);
    // Seen in 8.30: on every line but the first it counts the line break before it.
    let column = number(value, "/StartColumn").saturating_sub(u64::from(line > 1));
    let (written, column) = around(text(value, "/Match"), &rule, &secret, column);
    Ok(Entry {
        path: path(value, &["/File"]),
        line,
        column: column as usize,
        commit: commit(value, "/Commit"),
        author: author(text(value, "/Author"), text(value, "/Email")),
        rule,
        text: written,
        value: secret,
    })
}

/// <https://github.com/betterleaks/betterleaks>, since 2.0: `full` is what the rule matched, with the value in it.
fn betterleaks(value: &Value) -> Result<Entry, Why> {
    let (secret, rule) = (given(value, "/match/value")?, text(value, "/rule_id").unwrap_or_default());
    let column = number(value, "/location/start_column");
    let (written, column) = around(text(value, "/match/full"), &rule, &secret, column);
    let git = |name: &str| text(value, &format!("/attributes/git.{name}"));
    Ok(Entry {
        path: path(value, &["/location/path"]),
        line: number(value, "/location/start_line").max(1),
        column: column as usize,
        commit: commit(value, "/attributes/git.sha"),
        author: author(git("author_name"), git("author_email")),
        rule,
        text: written,
        value: secret,
    })
}

/// <https://github.com/trufflesecurity/trufflehog>, `--json`: `RawV2` is the parts of a credential of several, one after another.
fn trufflehog(value: &Value) -> Result<Entry, Why> {
    let raw = given(value, "/Raw")?;
    let rule = text(value, "/DetectorName").unwrap_or_default();
    let both = text(value, "/RawV2").filter(|both| *both != raw);
    let rest = both.map(|both| both.strip_prefix(&raw).map_or(both.clone(), str::to_owned));
    let rest = rest.map(|rest| rest.trim_start_matches([':', ' ']).to_owned()).filter(|rest| !rest.is_empty());
    // The source's own name is the one key: Git, Filesystem, Github, Docker, …
    let data = value.pointer("/SourceMetadata/Data").and_then(Value::as_object).and_then(|data| data.values().next());
    let data = data.unwrap_or(&Value::Null);
    let (mut written, column) = named(&rule, &raw, 1);
    if let Some(rest) = rest {
        written = format!("{written} {}_SECRET = \"{rest}\"", word(&rule));
    }
    Ok(Entry {
        path: path(data, &["/file", "/path", "/link"]),
        line: number(data, "/line").max(1),
        column: column as usize,
        commit: commit(data, "/commit"),
        author: text(data, "/email"),
        rule,
        text: written,
        value: raw,
    })
}

/// <https://github.com/mongodb/kingfisher>, `--format json` or `jsonl`: columns count from 0 (seen in 2.14), the other parts stand by name in `dependent_captures`.
fn kingfisher(value: &Value) -> Result<Entry, Why> {
    let rule = text(value, "/rule/name").or_else(|| text(value, "/rule/id")).unwrap_or_default();
    let secret = given(value, "/finding/snippet")?;
    let (mut written, column) = named(&rule, &secret, number(value, "/finding/column_start") + 1);
    let others = value.pointer("/finding/dependent_captures").and_then(Value::as_object);
    for (name, other) in others.into_iter().flatten() {
        if let Some(other) = other.as_str() {
            written = format!("{written} {} = \"{other}\"", word(name));
        }
    }
    let who = |field: &str| text(value, &format!("/finding/git_metadata/commit/committer/{field}"));
    Ok(Entry {
        path: path(value, &["/finding/git_metadata/file/path", "/finding/path"]),
        line: number(value, "/finding/line").max(1),
        column: column as usize,
        commit: commit(value, "/finding/git_metadata/commit/id"),
        author: author(who("name"), who("email")),
        rule,
        text: written,
        value: secret,
    })
}

/// <https://docs.github.com/en/rest/secret-scanning/secret-scanning>: alerts, each with the first place where it was found.
fn github(value: &Value) -> Result<Entry, Why> {
    let secret = given(value, "/secret")?;
    let rule = text(value, "/secret_type").unwrap_or_default();
    let first = value.get("first_location_detected").unwrap_or(&Value::Null);
    let (written, column) = named(&rule, &secret, number(first, "/start_column"));
    let place = if first.get("path").is_some() { path(first, &["/path"]) } else { path(value, &["/html_url"]) };
    Ok(Entry {
        path: place,
        line: number(first, "/start_line").max(1),
        column: column as usize,
        commit: commit(first, "/commit_sha"),
        author: None,
        rule,
        text: written,
        value: secret,
    })
}

fn text(value: &Value, at: &str) -> Option<String> {
    value.pointer(at).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The value that was found, unless the report hides it.
fn given(value: &Value, at: &str) -> Result<String, Why> {
    let hides = |text: &String| {
        let upper = text.to_ascii_uppercase();
        upper.starts_with("REDACTED")
            || upper.starts_with("[REDACTED")
            || text.ends_with("...")
            || text.chars().all(|c| c == '*')
    };
    text(value, at).filter(|text| !hides(text)).ok_or(Why::Hidden)
}

fn commit(value: &Value, at: &str) -> Option<String> {
    text(value, at).filter(|name| name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn number(value: &Value, at: &str) -> u64 {
    value.pointer(at).and_then(Value::as_u64).unwrap_or(0)
}

fn path(value: &Value, places: &[&str]) -> String {
    let path = places.iter().find_map(|at| text(value, at)).unwrap_or_else(|| "<unknown>".to_owned());
    path.strip_prefix("./").map_or(path.clone(), str::to_owned)
}

fn author(name: Option<String>, mail: Option<String>) -> Option<String> {
    match (name, mail) {
        (Some(name), Some(mail)) => Some(format!("{name} <{mail}>")),
        (one, other) => one.or(other),
    }
}

/// What a rule matched, which begins at `column`, where the value stands in it with something beside it; else the value alone.
fn around(matched: Option<String>, rule: &str, value: &str, column: u64) -> (String, u64) {
    let more = |matched: &String| (value.len() + 1..=LONGEST).contains(&matched.len()) && matched.contains(value);
    matched.filter(more).map_or_else(|| named(rule, value, column), |matched| (matched, column))
}

/// A value at its column, with the name that the other scanner has for it: many are told by such a word alone. The name stands
/// before it where there is room, else behind it. Returns the text and its column.
fn named(rule: &str, value: &str, column: u64) -> (String, u64) {
    let (head, column) = (format!("{} = \"", word(rule)), column.max(1));
    if value.contains('\n') {
        (value.to_owned(), column)
    } else if let Some(before) = column.checked_sub(head.len() as u64).filter(|&before| before > 0) {
        (format!("{head}{value}\""), before)
    } else {
        (format!("{value} # {}", word(rule)), column)
    }
}

fn word(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    name.chars().take(64).map(plain).collect()
}
