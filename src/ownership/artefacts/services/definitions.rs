//! Definitions of services in XML: WinSW's `<service>`, launchd's property lists, SMF's `<service_bundle>`.

use std::sync::Arc;

use xmlparser::{ElementEnd, Token, Tokenizer};

use super::super::links::{Consumer, Link, Links};
use super::super::{Place, Sheet, is_showable};
use crate::model::{Coverage, Tier};

/// Nesting that is followed.
const LEVELS: usize = 100;
/// Values of one definition.
const VALUES: usize = 10_000;

/// Whether the file is such a definition.
pub(super) fn concerns(sheet: &Sheet<'_>) -> bool {
    let winsw = sheet.mentions("<service>") && sheet.mentions("<executable>") && sheet.mentions("<id>");
    winsw || sheet.mentions("<plist") && sheet.mentions("ProgramArguments") || sheet.mentions("<service_bundle")
}

/// Takes in one file.
pub(super) fn read(sheet: &Sheet<'_>, text: &str, links: &mut Links, coverage: &mut Coverage) {
    if !definition(sheet, text, 0, links) {
        coverage.trouble(&*sheet.path, "not valid XML: what its service is given is unknown");
    }
}

/// WinSW's definitions that a script writes down.
pub(super) fn inside(sheet: &Sheet<'_>, text: &str, links: &mut Links) {
    let mut from = 0;
    while let Some(start) = text[from..].find("<service>").map(|start| from + start).filter(|_| from < VALUES * LEVELS) {
        let Some(end) = text[start..].find("</service>").map(|end| start + end + "</service>".len()) else { return };
        definition(sheet, &text[start..end], start, links);
        from = end;
    }
}

/// One definition, which begins at that byte of the file. False where it is no XML.
fn definition(sheet: &Sheet<'_>, text: &str, base: usize, links: &mut Links) -> bool {
    let mut reading = Reading::default();
    let valid = Tokenizer::from(text).all(|token| token.is_ok_and(|token| reading.take(&token)));
    let Some(name) = reading.name.filter(|name| is_showable(name)) else { return valid };
    let id = format!("service:{}/{name}", sheet.path);
    let consumer = Arc::new(Consumer::new(id, format!("service {name} of {}", sheet.path)));
    let mut counter = Lines { text, at: 0, line: 1 };
    let first = memchr::memchr_iter(b'\n', &sheet.bytes[..base.min(sheet.bytes.len())]).count() as u64;
    for (start, value) in reading.values {
        let number = first + counter.of(start);
        let bytes = (base + start) as u64..(base + start + value.len()) as u64;
        let place = Place { path: Arc::clone(&sheet.path), line: number, bytes };
        let link = Link::new(&consumer, Tier::Bound, "service-definition", "in its definition");
        links.put_text(sheet, place, value, link);
    }
    valid
}

/// A definition while it is read.
#[derive(Default)]
struct Reading<'t> {
    /// The elements that are open.
    open: Vec<&'t str>,
    /// The key that each open `dict` belongs to.
    keys: Vec<Option<&'t str>>,
    /// The key that was read last.
    key: Option<&'t str>,
    name: Option<&'t str>,
    /// What the service is given, and where it begins.
    values: Vec<(usize, &'t str)>,
}

impl<'t> Reading<'t> {
    /// Takes in one token. False where there is too much.
    fn take(&mut self, token: &Token<'t>) -> bool {
        match token {
            Token::ElementStart { local, .. } => {
                if local.as_str() == "dict" {
                    self.keys.push(self.key.take());
                }
                self.open.push(local.as_str());
            }
            Token::ElementEnd { end: ElementEnd::Close(..) | ElementEnd::Empty, .. } => {
                let closed = self.open.pop();
                if closed == Some("dict") {
                    self.key = None;
                    self.keys.pop();
                }
            }
            Token::Attribute { local, value, .. } => {
                let at = (local.as_str(), self.open.last().copied());
                if matches!(at, ("value", Some("env" | "envvar")) | ("exec", Some("exec_method"))) {
                    self.values.push((value.start(), value.as_str()));
                }
                if self.open == ["service_bundle"] && local.as_str() == "name" {
                    self.name.get_or_insert(value.as_str());
                }
            }
            Token::Text { text } | Token::Cdata { text, .. } => self.text(text.start(), text.as_str()),
            _ => {}
        }
        self.open.len() <= LEVELS && self.values.len() <= VALUES
    }

    fn text(&mut self, start: usize, own: &'t str) {
        if own.trim().is_empty() {
            return;
        }
        match &self.open[..] {
            ["service", "id"] => self.name = Some(own.trim()),
            // Its arguments, its account's password; not what it is called.
            ["service", "arguments" | "startarguments" | "stoparguments"] | ["service", "serviceaccount", "password"] => {
                self.values.push((start, own));
            }
            [.., "dict", "key"] => self.key = Some(own.trim()),
            ["plist", "dict", "string"] if self.key == Some("Label") => self.name = Some(own.trim()),
            ["plist", "dict", "array", "string"] if self.key == Some("ProgramArguments") => self.values.push((start, own)),
            ["plist", "dict", "dict", "string"] if self.keys.last() == Some(&Some("EnvironmentVariables")) => {
                self.values.push((start, own));
            }
            _ => {}
        }
    }
}

/// Counts lines on the way through a text.
struct Lines<'t> {
    text: &'t str,
    at: usize,
    line: u64,
}

impl Lines<'_> {
    fn of(&mut self, start: usize) -> u64 {
        if start >= self.at {
            self.line += memchr::memchr_iter(b'\n', &self.text.as_bytes()[self.at..start]).count() as u64;
            self.at = start;
        }
        self.line
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::Bound;
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

    #[test]
    fn what_a_definition_sets_is_its_service_s() {
        let plist = |inside: &str| {
            format!(
                "<?xml version=\"1.0\"?>\n<plist version=\"1.0\">\n<dict>\n<key>Label</key><string>org.x</string>\n<key>ProgramArguments</key><array><string>/bin/x</string></array>\n{inside}\n</dict>\n</plist>\n"
            )
        };
        let winsw = |inside: &str| format!("<service>\n<id>x</id>\n<executable>x.exe</executable>\n{inside}\n</service>\n");
        for (path, text, id) in [
            ("w/x.xml", winsw(&format!("<env name=\"K\" value=\"{VALUE}\"/>")), Some("service:w/x.xml/x")),
            ("w/x.xml", winsw(&format!("<arguments>--key {VALUE}</arguments>")), Some("service:w/x.xml/x")),
            ("w/x.xml", winsw(&format!("<description>{VALUE}</description>")), None),
            ("w/x.xml", winsw(&format!("<!-- <env name=\"K\" value=\"{VALUE}\"/> -->")), None),
            (
                "x.plist",
                plist(&format!("<key>EnvironmentVariables</key><dict><key>K</key><string>{VALUE}</string></dict>")),
                Some("service:x.plist/org.x"),
            ),
            ("x.plist", plist(&format!("<key>Other</key><dict><key>K</key><string>{VALUE}</string></dict>")), None),
            (
                "init.osx",
                plist(&format!("<key>ProgramArguments</key><array><string>{VALUE}</string></array>")),
                Some("service:init.osx/org.x"),
            ),
            (
                "i/x.ps1",
                format!("$c = @'\n{}'@\nSet-Content x.xml $c\n", winsw(&format!("<env name=\"K\" value=\"{VALUE}\"/>"))),
                Some("service:i/x.ps1/x"),
            ),
            (
                "x.xml",
                format!(
                    "<service_bundle type='manifest' name='x'><service><envvar name='K' value='{VALUE}'/></service></service_bundle>"
                ),
                Some("service:x.xml/x"),
            ),
        ] {
            let known = tree(&[(path, &text)]);
            let expected: Vec<_> = id.into_iter().map(|id| (id, Bound)).collect();
            assert_eq!(consumers(&known.resolve(&finding_in(path, &text, VALUE))), expected, "{text}");
            assert_eq!(consumers(&known.resolve(&finding(VALUE))), expected, "{text}");
        }
    }
}
