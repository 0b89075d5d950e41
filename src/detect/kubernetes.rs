//! The entries of a Kubernetes Secret manifest in YAML, read line by line around its `kind: Secret`.
//!
//! Not a YAML parser on purpose: the manifest may be a template, cut off by the reach, or one of many in a file, and the
//! offsets must be exact. JSON manifests are left to the detectors of known keys, which see through base64 anyway.

use std::ops::Range;

use data_encoding::BASE64;

use super::{REACH, suppress};

/// One entry under `data:` or `stringData:`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The entry's key.
    pub(super) key: String,
    /// Where its value stands in the buffer.
    pub(super) span: Range<usize>,
    /// The value, decoded.
    pub(super) value: Vec<u8>,
    /// Whether it stood there in base64.
    pub(super) encoded: bool,
}

/// A Secret manifest.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) name: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) entries: Vec<Entry>,
}

/// Names of entries that are not secret by themselves: where and as whom, but not with what.
const PUBLIC_KEYS: &[&str] = &[
    "user",
    "username",
    "host",
    "hostname",
    "port",
    "database",
    "dbname",
    "db_name",
    "region",
    "endpoint",
    "email",
    "ca.crt",
    "tls.crt",
    "namespace",
    "bucket",
    "account",
    "account_id",
    "tenant_id",
    "client_id",
    "type",
    "name",
    "url",
];
/// Shorter values are flags and numbers.
const SHORTEST: usize = 8;

struct Line<'a> {
    at: usize,
    /// Column of the first character that is neither blank nor a list dash.
    indent: usize,
    /// Whether a list dash stands before it.
    dash: bool,
    text: &'a str,
}

/// Reads the manifest whose `kind: Secret` matched at `anchor`.
pub(super) fn manifest(bytes: &[u8], anchor: &Range<usize>) -> Manifest {
    let floor = anchor.start.saturating_sub(REACH);
    let ceiling = bytes.len().min(anchor.end + REACH);
    let own_start = memchr::memrchr(b'\n', &bytes[floor..anchor.start]).map_or(floor, |at| floor + at + 1);
    let Some(own) = lines(&bytes[own_start..ceiling], own_start).next() else { return Manifest::default() };
    let (base, mut block) = (own.indent, Vec::new());
    // Only the lines of this very mapping are looked at, so that a file full of manifests takes time in proportion.
    if !(own.dash && own.indent == base) {
        for line in lines_before(&bytes[..own_start], floor) {
            if line.ends(base) || line.is_kind(base) {
                break;
            }
            let first = line.dash && line.indent == base;
            block.push(line);
            if first {
                break;
            }
        }
        block.reverse();
    }
    let mut after = lines(&bytes[own_start..ceiling], own_start);
    block.extend(after.next());
    let another = |line: &Line<'_>| line.ends(base) || line.is_kind(base) || (line.dash && line.indent == base);
    block.extend(after.take_while(|line| !another(line)));
    read(&block, base)
}

impl<'a> Line<'a> {
    fn new(raw: &'a [u8], at: usize) -> Self {
        let text = std::str::from_utf8(raw).unwrap_or_default().trim_end();
        let blank = text.bytes().take_while(|&b| b == b' ').count();
        let dash = text[blank..].starts_with("- ");
        let indent = if dash { blank + 1 + text[blank + 1..].bytes().take_while(|&b| b == b' ').count() } else { blank };
        Self { at, indent, dash, text }
    }

    /// Whether the mapping at `base` is over here.
    fn ends(&self, base: usize) -> bool {
        self.text.starts_with("---") || (!self.text.is_empty() && self.indent < base)
    }

    /// A second `kind:` in one mapping is another object's.
    fn is_kind(&self, base: usize) -> bool {
        self.indent == base && !self.dash && self.text[self.indent.min(self.text.len())..].starts_with("kind:")
    }
}

fn lines(bytes: &[u8], at: usize) -> impl Iterator<Item = Line<'_>> {
    let mut at = at;
    bytes.split_inclusive(|&b| b == b'\n').map(move |raw| {
        at += raw.len();
        Line::new(raw, at - raw.len())
    })
}

/// The whole lines that end at the end of `bytes` and start at `floor` or later, last one first.
fn lines_before(bytes: &[u8], floor: usize) -> impl Iterator<Item = Line<'_>> {
    let mut end = bytes.len();
    std::iter::from_fn(move || {
        if end <= floor {
            return None;
        }
        let start = match memchr::memrchr(b'\n', &bytes[floor..end - 1]) {
            Some(at) => floor + at + 1,
            // A line that is cut off by the reach is only whole at the very beginning.
            None if floor == 0 => 0,
            None => return None,
        };
        let line = Line::new(&bytes[start..end], start);
        end = start;
        Some(line)
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Metadata,
    Data,
    StringData,
    Other,
}

fn read(lines: &[Line<'_>], base: usize) -> Manifest {
    let mut manifest = Manifest::default();
    let (mut section, mut inner) = (Section::Other, None);
    let mut n = 0;
    while n < lines.len() {
        let line = &lines[n];
        n += 1;
        let Some((key, value, column)) = pair(line) else { continue };
        if line.indent == base {
            inner = None;
            section = match key {
                "metadata" => Section::Metadata,
                "data" => Section::Data,
                "stringData" => Section::StringData,
                _ => Section::Other,
            };
        } else if *inner.get_or_insert(line.indent) == line.indent {
            match (section, key) {
                (Section::Metadata, "name") => manifest.name = Some(value.to_owned()),
                (Section::Metadata, "namespace") => manifest.namespace = Some(value.to_owned()),
                (Section::Data | Section::StringData, _) => {
                    let (text, span) = scalar(value, line.at + column, &lines[n..], line.indent);
                    manifest.entries.extend(entry(key, &text, span, section == Section::Data));
                }
                _ => {}
            }
        }
    }
    manifest
}

/// `key: value` of a line, and the column of the value. Quotes are taken off both.
fn pair<'a>(line: &Line<'a>) -> Option<(&'a str, &'a str, usize)> {
    let body = line.text.get(line.indent..)?;
    if body.starts_with('#') {
        return None;
    }
    let (key, rest) = body.split_once(':')?;
    let value = rest.trim_start();
    if !rest.is_empty() && value.len() == rest.len() {
        return None;
    }
    let value = value.split(" #").next().unwrap_or_default().trim_end();
    let bare = value.trim_matches(['"', '\'']);
    let column =
        line.indent + body.len() - rest.trim_start().len() + (value.len() - value.trim_start_matches(['"', '\'']).len());
    Some((key.trim_matches(['"', '\'', ' ']), bare, column))
}

/// A scalar on its line, or the block of deeper lines after `|` or `>`.
fn scalar(value: &str, at: usize, after: &[Line<'_>], indent: usize) -> (String, Range<usize>) {
    if !value.starts_with(['|', '>']) {
        return (value.to_owned(), at..at + value.len());
    }
    let block: Vec<&Line<'_>> = after.iter().take_while(|line| line.text.is_empty() || line.indent > indent).collect();
    let margin =
        block.iter().filter(|line| !line.text.is_empty()).map(|line| line.text.len() - line.text.trim_start().len()).min();
    let text: Vec<&str> = block.iter().map(|line| line.text.get(margin.unwrap_or(0)..).unwrap_or_default()).collect();
    let filled: Vec<&&Line<'_>> = block.iter().filter(|line| !line.text.is_empty()).collect();
    let span = match (filled.first(), filled.last()) {
        (Some(first), Some(last)) => first.at + margin.unwrap_or(0)..last.at + last.text.len(),
        _ => at..at,
    };
    (text.join("\n").trim_end().to_owned(), span)
}

fn entry(key: &str, text: &str, span: Range<usize>, encoded: bool) -> Option<Entry> {
    let value = if encoded {
        let compact: String = text.split_whitespace().collect();
        BASE64.decode(compact.as_bytes()).ok()?
    } else {
        text.as_bytes().to_vec()
    };
    let template = |open: &[u8]| memchr::memmem::find(&value, open).is_some();
    let sensible = value.len() >= SHORTEST
        && std::str::from_utf8(&value).is_ok()
        && !PUBLIC_KEYS.contains(&key.to_ascii_lowercase().as_str())
        && ![&b"{{"[..], b"${", b"<", b"BEGIN CERTIFICATE", b"BEGIN PUBLIC KEY"].iter().any(|open| template(open))
        && !is_gap(&value)
        && suppress::reason(&value).is_none();
    sensible.then(|| Entry { key: key.to_owned(), span, value, encoded })
}

/// Whether a value is to be filled in, or says where the secret is: `#{ x }#`, `op://…`, the address of a server without a password. A
/// path may be the secret, as a webhook's is.
fn is_gap(value: &[u8]) -> bool {
    let at = |text: &[u8]| memchr::memmem::find(value, text);
    let filled = |open: &[u8], close: &[u8]| at(open).zip(at(close)).is_some_and(|(open, close)| open < close);
    let server = |behind: &[u8]| !behind.iter().any(|byte| matches!(byte, b'/' | b'@' | b'?' | b'#' | b'\n'));
    let address = at(b"://").is_some_and(|at| server(value[at + 3..].strip_suffix(b"/").unwrap_or(&value[at + 3..])));
    address || value.starts_with(b"op://") || value.ends_with(b"...") || filled(b"#{", b"}") || filled(b"#%", b"%#")
}

#[cfg(test)]
mod tests {
    use super::{Manifest, manifest};

    fn read(text: &str) -> Manifest {
        let at = text.find("kind: Secret").expect("a Secret");
        manifest(text.as_bytes(), &(at..at + 12))
    }

    #[test]
    fn data_and_string_data_with_exact_spans() {
        let text = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  namespace: prod\n  labels:\n    name: no\ndata:\n  \
                    password: aHVudGVyMi1wcm9k  # old\n  username: YWRtaW5pc3Q=\nstringData:\n  token: \"plain-token-1\"\n  \
                    pem: |\n    first line\n    second\ntype: Opaque\n---\nkind: ConfigMap\ndata:\n  x: bm90IG1pbmUgYXQgYWxs\n";
        let found = read(text);
        assert_eq!((found.name.as_deref(), found.namespace.as_deref()), (Some("db"), Some("prod")));
        let shown: Vec<_> = found.entries.iter().map(|e| (e.key.as_str(), &text[e.span.clone()], e.encoded)).collect();
        assert_eq!(
            shown,
            [
                ("password", "aHVudGVyMi1wcm9k", true),
                ("token", "plain-token-1", false),
                ("pem", "first line\n    second", false),
            ]
        );
        assert_eq!(found.entries[0].value, b"hunter2-prod");
        assert_eq!(found.entries[2].value, b"first line\nsecond");
    }

    #[test]
    fn one_secret_of_a_list_keeps_to_itself() {
        let text = "kind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  data:\n    a: bm90IG1pbmUgYXQgYWxs\n- apiVersion: v1\n  \
                    data:\n    b: aHVudGVyMi1wcm9k\n  kind: Secret\n  metadata: {name: x}\n- kind: Other\n  data:\n    c: bm90IG1pbmUgYXQgYWxs\n";
        let found = read(text);
        assert_eq!(found.entries.iter().map(|e| e.key.as_str()).collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn templates_placeholders_and_rubbish_are_left_alone() {
        let text = "kind: Secret\r\ndata:\r\n  a: {{ .Values.x | b64enc }}\r\n  b: !!!\r\n  c: Y2hhbmdlbWU=\r\n  d: c2hvcnQ=\r\nstringData:\r\n  \
                    e: ${PASSWORD_FROM_CI}\r\n  f: <your password>\r\n  port: \"12345678901\"\r\n  g: CHANGE_ME_dbpass\r\n  h: '#{ random() }#'\r\n  i: op://vault/item/field\r\n  j: \
                    mongodb://db.example.net:27017/\r\n";
        assert_eq!(read(text).entries, []);
        let text =
            "kind: Secret\nstringData:\n  hook: https://chat.acme.test/hooks/Zk4vT9qLw2Rx\n  odd: aZ#{9qLw2RxVt7Km3\n";
        assert_eq!(read(text).entries.len(), 2, "a path may be the secret");
        assert_eq!(read("kind: Secret").entries, []);
    }
}
