//! Procfiles: value → the command of a process type (devcenter.heroku.com, "The Procfile") → that process. A `.env` beside the
//! file is another reader's.

use std::sync::Arc;

use super::links::{Consumer, Kind, Link, Links};
use super::{Place, Sheet, dotenv, file_name};
use crate::model::{Coverage, Tier};

/// Processes of one file.
const PROCESSES: usize = 100;

/// What Procfiles say.
#[derive(Default)]
pub(super) struct Procfile;

impl Kind for Procfile {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        is_one(file_name(path))
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, _: &mut Coverage) {
        // What is no text is told by the reader of what lies beside it.
        let Ok(text) = sheet.text() else { return };
        let (mut at, mut number) = (0, 0);
        for (line, whole) in text.split_inclusive('\n').enumerate() {
            let start = at;
            at += whole.len() as u64;
            let Some((name, command)) = whole.split_once(':').filter(|(name, _)| is_name(name)) else { continue };
            number += 1;
            if number > PROCESSES {
                return;
            }
            let id = format!("procfile:{}/{name}", sheet.path);
            let consumer = Arc::new(Consumer::new(id, format!("procfile {name} of {}", sheet.path)));
            let place = Place { path: sheet.path.clone(), line: line as u64 + 1, bytes: start + name.len() as u64 + 1..at };
            let link = Link::new(&consumer, Tier::Bound, "procfile-command", "command");
            links.starts(sheet, &place, command, &link);
            links.put_text(sheet, place, command.trim(), link);
        }
    }
}

/// Whether a file of that name is one: `Procfile`, or another set of processes, `Procfile.dev` (`foreman start -f`).
pub(super) fn is_one(name: &str) -> bool {
    let more = |rest: &str| rest.strip_prefix('.').is_some_and(is_name);
    name == "Procfile" || name.strip_prefix("Procfile").is_some_and(more) && !dotenv::is_sample(name)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::is_one;
    use crate::model::Tier::{Bound, Inferred};
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

    #[test]
    fn other_sets_of_processes_are_known_by_name() {
        assert!(["Procfile", "Procfile.dev", "Procfile.hot-reload"].iter().all(|name| is_one(name)));
        assert!(
            !["Procfiles", "Procfile.", "Procfile.example", "Procfile.d/x", "procfile.go"].iter().any(|name| is_one(name))
        );
    }

    #[test]
    fn the_code_that_a_process_starts_is_its_own() {
        let code = format!("key = '{VALUE}'\n");
        for (path, named) in [("app/work.py", true), ("app/other.py", false)] {
            let all = tree(&[("Procfile", "worker: python app/work.py\n"), (path, &code)]);
            let all = all.resolve(&finding_in(path, &code, VALUE));
            assert_eq!(consumers(&all), &[("procfile:Procfile/worker", Inferred)][..usize::from(named)], "{path}");
        }
    }

    #[test]
    fn a_command_is_its_process_s_own() {
        let text = format!("# web: K={VALUE} x\nweb: python app.py\nworker: K={VALUE} python work.py\n");
        let known = tree(&[("api/Procfile", &text)]);
        let expected = [("procfile:api/Procfile/worker", Bound)];
        assert_eq!(consumers(&known.resolve(&finding(VALUE))), expected);
        let second = text.replacen(VALUE, "other-value-of-the-comment", 1);
        let known = tree(&[("api/Procfile", &second)]);
        assert_eq!(consumers(&known.resolve(&finding_in("api/Procfile", &second, VALUE))), expected);
    }
}
