//! .NET Aspire's app hosts (learn.microsoft.com, "App host overview", "External parameters"): value → a text of `WithEnvironment` and the
//! like → the resource that a statement adds. Declared: nothing is run. What `AddParameter` is given is inferred to be used by the resources
//! whose statements mention its variable.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::links::{Consumer, Kind, Link, Links};
use super::{Place, Sheet, ends_in, is_showable};
use crate::model::{Coverage, Tier};

/// Statements of one file.
const STATEMENTS: usize = 5_000;
/// Resources that mention one parameter.
const USERS: usize = 200;

/// What app hosts say.
#[derive(Default)]
pub(super) struct Aspire;

/// One statement: its text, and the texts in it with their places in the file.
struct Statement<'t> {
    text: &'t str,
    start: usize,
    strings: Vec<Range<usize>>,
}

impl Kind for Aspire {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        ends_in(path, &["cs"])
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        sheet.mentions("DistributedApplication") && sheet.mentions(".Add")
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, _: &mut Coverage) {
        // What is no text is told by the reader of code.
        let Ok(text) = sheet.text() else { return };
        let (mut resources, mut held) = (HashMap::<&str, Arc<Consumer>>::new(), Vec::new());
        let all = statements(text);
        for one in &all {
            let variable = variable(one.text);
            if one.adds().is_some_and(|(method, _)| method == "AddParameter") {
                held.extend(variable.map(|variable| (variable, one)));
                continue;
            }
            let own = one.resource(text).filter(|name| is_showable(name)).map(|name| {
                let id = format!("aspire:{}/{name}", sheet.path);
                Arc::new(Consumer::new(id, format!("resource {name} of {}", sheet.path)))
            });
            let first = one.text.trim_start().split('.').next().unwrap_or_default();
            let Some(consumer) = own.or_else(|| resources.get(first).cloned()) else { continue };
            if let Some(variable) = variable {
                resources.insert(variable, Arc::clone(&consumer));
            }
            one.give(sheet, text, (&consumer, Tier::Declared, "aspire-environment"), links);
            for (_, parameter) in held.iter().filter(|(variable, _)| one.mentions(variable)).take(USERS) {
                parameter.give(sheet, text, (&consumer, Tier::Inferred, "aspire-parameter"), links);
            }
        }
    }
}

impl Statement<'_> {
    /// The method that adds something, and where its brackets begin.
    fn adds(&self) -> Option<(&str, usize)> {
        self.text.match_indices(".Add").find_map(|(at, _)| {
            let rest = &self.text[at + 1..];
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
            let open = at + 1 + end + rest[end..].find('(')?;
            rest[end..].starts_with(['(', '<']).then_some((&rest[..end], open))
        })
    }

    /// What the added resource is called: the first text between the brackets.
    fn resource<'t>(&self, whole: &'t str) -> Option<&'t str> {
        let (_, open) = self.adds()?;
        self.strings.iter().find(|own| own.start > self.start + open).and_then(|own| whole.get(own.clone()))
    }

    /// Whether a variable stands in it other than at its start.
    fn mentions(&self, variable: &str) -> bool {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        self.text.match_indices(variable).any(|(at, _)| {
            let (before, after) = (&self.text[..at], &self.text[at + variable.len()..]);
            before.ends_with(['(', ' ', ',']) && !after.starts_with(word) && before.contains('(')
        })
    }

    /// Every text but the name.
    fn give(
        &self,
        sheet: &Sheet<'_>,
        whole: &str,
        (consumer, tier, technique): (&Arc<Consumer>, Tier, &'static str),
        links: &mut Links,
    ) {
        let named = usize::from(self.adds().is_some());
        for own in self.strings.iter().skip(named) {
            let Some(value) = whole.get(own.clone()) else { continue };
            let line = memchr::memchr_iter(b'\n', &whole.as_bytes()[..own.start]).count() as u64 + 1;
            let place = Place { path: Arc::clone(&sheet.path), line, bytes: own.start as u64..own.end as u64 };
            links.put_text(sheet, place, value, Link::new(consumer, tier, technique, "given by the app host"));
        }
    }
}

/// The variable that a statement sets: `var NAME = …`.
fn variable(statement: &str) -> Option<&str> {
    let (before, _) = statement.split_once('=')?;
    let name = before.split_whitespace().next_back()?;
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    (plain && !before.contains(['(', '"'])).then_some(name)
}

/// The statements of a file. What a comment says is no text of theirs.
fn statements(text: &str) -> Vec<Statement<'_>> {
    let bytes = text.as_bytes();
    let (mut all, mut start, mut at, mut strings) = (Vec::new(), 0, 0, Vec::new());
    while at < bytes.len() && all.len() < STATEMENTS {
        match bytes[at] {
            b'"' => {
                let end = end_of(bytes, at);
                strings.push(at + 1..end);
                at = end;
            }
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at += memchr::memchr(b'\n', &bytes[at..]).unwrap_or(bytes.len() - at);
            }
            b';' => {
                all.push(Statement { text: &text[start..at], start, strings: std::mem::take(&mut strings) });
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    all
}

/// Where the text ends that a quote begins.
fn end_of(bytes: &[u8], quote: usize) -> usize {
    let mut at = quote + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += 1 + usize::from(bytes[at] == b'\\');
    }
    at.min(bytes.len())
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::{Declared, Inferred};
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, tree};

    #[test]
    fn what_an_app_host_gives_is_the_resource_s() {
        let host = |lines: &str| {
            format!("var builder = DistributedApplication.CreateBuilder(args);\n{lines}\nbuilder.Build().Run();\n")
        };
        let api = "aspire:AppHost/Program.cs/api";
        for (lines, expected) in [
            (format!("builder.AddProject<Projects.Api>(\"api\").WithEnvironment(\"KEY\", \"{VALUE}\");"), Some(Declared)),
            (
                format!("var api = builder.AddContainer(\"api\", \"image\");\napi.WithEnvironment(\"KEY\", \"{VALUE}\");"),
                Some(Declared),
            ),
            (
                format!(
                    "var key = builder.AddParameter(\"key\", \"{VALUE}\", secret: true);\nbuilder.AddProject<P>(\"api\")\n    .WithEnvironment(\"KEY\", key);"
                ),
                Some(Inferred),
            ),
            (format!("var key = builder.AddParameter(\"key\", \"{VALUE}\");\nbuilder.AddProject<P>(\"api\");"), None),
            (format!("// builder.AddProject<P>(\"api\").WithEnvironment(\"KEY\", \"{VALUE}\");"), None),
            (format!("Console.WriteLine(\"{VALUE}\");\nbuilder.AddProject<P>(\"api\");"), None),
        ] {
            let all = tree(&[("AppHost/Program.cs", &host(&lines))]).resolve(&finding(VALUE));
            let expected: Vec<_> = expected.into_iter().map(|tier| (api, tier)).collect();
            assert_eq!(consumers(&all), expected, "{lines}");
        }
        let cut = tree(&[("AppHost/Program.cs", "DistributedApplication x.AddProject(\"a\\")]);
        assert_eq!(cut.resolve(&finding(VALUE)), []);
    }
}
