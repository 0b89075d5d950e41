//! Jobs that are not valid in today's HCL, as older ones are: commas left out, blocks in one line, `<< EOT`. Only blocks are told apart,
//! by their brackets; texts, here-documents and comments are passed over. What stands in a task is its own: declared.

use std::sync::Arc;

use super::super::super::links::{Consumer, Link, Links};
use super::super::super::{Place, Sheet, is_showable};
use crate::model::Tier;

/// Nesting that is followed.
const DEPTH: usize = 64;

/// Takes in one file. False where there is no task in it.
pub(super) fn read(sheet: &Sheet<'_>, text: &str, links: &mut Links) -> bool {
    let tasks = tasks(text);
    for (job, task, body) in &tasks {
        let id = format!("nomad:{}/{job}/{task}", sheet.path);
        if !is_showable(&id) {
            continue;
        }
        let consumer = Arc::new(Consumer::new(id, format!("task {task} of {}", sheet.path)));
        let given = Link::new(&consumer, Tier::Declared, "nomad-task", "in the task");
        let first = 1 + memchr::memchr_iter(b'\n', &text.as_bytes()[..body.start]).count() as u64;
        let mut at = body.start as u64;
        for (number, piece) in (first..).zip(text[body.clone()].split_inclusive('\n')) {
            let place = Place { path: Arc::clone(&sheet.path), line: number, bytes: at..at + piece.len() as u64 };
            links.put_text(sheet, place, piece.trim(), given.clone());
            at += piece.len() as u64;
        }
    }
    !tasks.is_empty()
}

/// Every task with its job's name and where its body stands.
fn tasks(text: &str) -> Vec<(&str, &str, std::ops::Range<usize>)> {
    let (bytes, mut at) = (text.as_bytes(), 0);
    let (mut found, mut open) = (Vec::new(), Vec::<(&str, &str, usize)>::new());
    // The words since the last bracket or end of a line: a block's kind and its label.
    let mut words: Vec<&str> = Vec::new();
    while at < bytes.len() {
        let rest = &text[at..];
        match bytes[at] {
            b'#' => at += line(rest),
            b'/' if rest.starts_with("//") => at += line(rest),
            b'/' if rest.starts_with("/*") => at += rest.find("*/").map_or(rest.len(), |end| end + 2),
            b'<' if rest.starts_with("<<") => at += document(rest),
            b'"' => {
                let end = quoted(bytes, at);
                words.push(text.get(at + 1..end).unwrap_or_default());
                at = end + 1;
            }
            b'{' => {
                let label = if words.len() >= 2 { words[words.len() - 1] } else { "" };
                let kind = if words.len() >= 2 { words[words.len() - 2] } else { "" };
                open.push((kind, label, at + 1));
                words.clear();
                if open.len() > DEPTH {
                    return found;
                }
                at += 1;
            }
            b'}' => {
                if let Some((kind, label, start)) = open.pop()
                    && kind == "task"
                    && let Some((_, job, _)) = open.iter().find(|(kind, ..)| *kind == "job")
                {
                    found.push((*job, label, start..at));
                }
                words.clear();
                at += 1;
            }
            b'\n' => {
                words.clear();
                at += 1;
            }
            byte if byte.is_ascii_alphanumeric() || byte == b'_' => {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-')).unwrap_or(rest.len());
                words.push(&rest[..end]);
                at += end.max(1);
            }
            _ => at += rest.chars().next().map_or(1, char::len_utf8),
        }
    }
    found
}

fn line(rest: &str) -> usize {
    rest.find('\n').unwrap_or(rest.len())
}

/// Where a text ends that begins at that byte: at its quote, or with its line.
fn quoted(bytes: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while at < bytes.len() && bytes[at] != b'"' && bytes[at] != b'\n' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at.min(bytes.len())
}

/// How long a here-document is: to the line that is its mark.
fn document(rest: &str) -> usize {
    let head = rest[2..].trim_start_matches('-').trim_start_matches([' ', '\t']);
    let mark: String = head.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    if mark.is_empty() {
        return 2;
    }
    let mut at = line(rest);
    for piece in rest[at..].split_inclusive('\n') {
        at += piece.len();
        if piece.trim() == mark {
            return at;
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::Declared;
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding_in, tree};

    #[test]
    fn an_older_job_s_tasks_are_told_apart() {
        let text = "job \"shop\" {\n  group \"g\" {\n    volume \"v\" { type=\"host\" config { source=\"v\" } }\n    task \"api\" {\n      template {\n        data = << EOT\nkey: } ONE\nEOT\n      }\n    }\n    task \"db\" {\n      config { args = [\"a\" \"TWO\"] }\n      # args = THREE\n    }\n  }\n}\n";
        for (word, id) in [("ONE", Some("api")), ("TWO", Some("db")), ("THREE", None)] {
            let text = text.replace(word, VALUE);
            let all = tree(&[("a.nomad", &text)]).resolve(&finding_in("a.nomad", &text, VALUE));
            let id = id.map(|id| format!("nomad:a.nomad/shop/{id}"));
            assert_eq!(consumers(&all), id.iter().map(|id| (id.as_str(), Declared)).collect::<Vec<_>>(), "{word}");
        }
        for odd in ["job \"a\" {", "job \"a\" { task \"b\" {", "\"", "<<", "<< EOT", "é{}", "/*", "}}", &"{".repeat(10_000)]
        {
            super::tasks(odd);
        }
    }
}
