//! Supervisor: value → `environment` or `command` of a `[program:NAME]` (supervisord.org, "Configuration File") → that program.

use std::sync::Arc;

use super::links::{Consumer, Kind, Link, Links};
use super::{Place, Sheet, ends_in, is_showable};
use crate::model::{Coverage, Tier};

/// What supervisor's settings say.
#[derive(Default)]
pub(super) struct Supervisor;

impl Kind for Supervisor {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        ends_in(path, &["conf", "ini", "sh"])
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        sheet.mentions("[program:")
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, coverage: &mut Coverage) {
        let text = match sheet.text() {
            Ok(text) => text,
            Err(why) => return coverage.trouble(&*sheet.path, why),
        };
        let (mut at, mut program, mut setting) = (0, None, None);
        for (line, whole) in text.split_inclusive('\n').enumerate() {
            let start = at;
            at += whole.len() as u64;
            let trimmed = without_comment(whole).trim_end();
            if trimmed.trim_start().starts_with([';', '#']) {
                continue;
            }
            if let Some(section) = trimmed.strip_prefix('[') {
                let name = section
                    .strip_suffix(']')
                    .and_then(|section| section.strip_prefix("program:"))
                    .map(str::trim)
                    .filter(|name| is_showable(name));
                program = name.map(|name| {
                    let id = format!("supervisor:{}/{name}", sheet.path);
                    Arc::new(Consumer::new(id, format!("supervisor program {name} of {}", sheet.path)))
                });
                setting = None;
                continue;
            }
            // What is indented goes on with the line before.
            let mut skipped = 0;
            if !whole.starts_with([' ', '\t']) {
                setting = trimmed.split_once('=').and_then(|(key, _)| technique(key.trim()));
                skipped = trimmed.find('=').map_or(0, |equals| equals + 1);
            }
            let (Some(consumer), Some((technique, detail))) = (&program, setting) else { continue };
            let place = Place {
                path: Arc::clone(&sheet.path),
                line: line as u64 + 1,
                bytes: start + skipped as u64..start + trimmed.len() as u64,
            };
            // A script writes it down for a machine that somebody runs it on.
            let tier = if ends_in(&sheet.path, &["sh"]) { Tier::Declared } else { Tier::Bound };
            let link = Link::new(consumer, tier, technique, detail);
            if detail == "command" {
                links.starts(sheet, &place, &trimmed[skipped..], &link);
            }
            links.put_texts(sheet, &place, values(&trimmed[skipped..]), link);
        }
    }
}

/// Supervisor's parser ends a line at a `;` or `#` behind a space.
fn without_comment(line: &str) -> &str {
    let marks = line.match_indices([';', '#']).map(|(at, _)| at);
    let cut = marks.filter(|&at| line[..at].ends_with([' ', '\t'])).min();
    cut.map_or(line, |at| &line[..at])
}

fn technique(key: &str) -> Option<(&'static str, &'static str)> {
    match key {
        "environment" => Some(("supervisor-environment", "environment")),
        "command" => Some(("supervisor-command", "command")),
        _ => None,
    }
}

/// The values in `NAME="value",OTHER=value`, and the words of a command.
fn values(text: &str) -> impl Iterator<Item = &str> {
    let pieces = text.split([',', ' ']).map(|piece| piece.split_once('=').map_or(piece, |(_, value)| value));
    pieces.map(|value| value.trim().trim_matches(['"', '\''])).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::{Bound, Declared};
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

    #[test]
    fn a_program_uses_its_own_environment() {
        let id = [("supervisor:conf/app.conf/web", Bound)];
        for line in [
            format!("environment=A=a;b,KEY=\"{VALUE}\""),
            format!("environment=A=\"b\",KEY=\"{VALUE}\""),
            format!("environment=A=b,\n  KEY='{VALUE}'"),
            format!("command=run --key={VALUE}"),
        ] {
            let text = format!("[program:web]\nuser=x\n{line}\n[program:other]\nenvironment=A=b\n");
            let known = tree(&[("conf/app.conf", &text)]);
            assert_eq!(consumers(&known.resolve(&finding(VALUE))), id, "{line}");
            assert_eq!(consumers(&known.resolve(&finding_in("conf/app.conf", &text, VALUE))), id, "{line}");
        }
    }

    #[test]
    fn a_program_that_a_script_writes_down_is_declared() {
        let text = format!(
            "#!/bin/sh\ncat >/etc/x.conf << EOF\n[program:web]\nenvironment=KEY=\"{VALUE}\"\nEOF\nsupervisorctl update\n"
        );
        let all = tree(&[("up.sh", &text)]).resolve(&finding(VALUE));
        assert_eq!(consumers(&all), [("supervisor:up.sh/web", Declared)]);
    }

    #[test]
    fn comments_other_settings_and_other_sections_are_not() {
        for text in [
            format!("[program:web]\n;environment=KEY={VALUE}\n"),
            format!("[program:web]\nuser={VALUE}\n"),
            format!("[program:web]\n[supervisord]\nenvironment=KEY={VALUE}\n"),
            format!("[program:web]\n[broken\nenvironment=KEY={VALUE}\n"),
            format!("[program:web]\nenvironment=A=b ;KEY={VALUE}\n"),
            format!("[program:web]\nenvironment=A=b\t# KEY={VALUE}\n"),
            format!("[program:web]\nenvironment=A=b ; c ; KEY={VALUE}\n"),
        ] {
            let known = tree(&[("app.conf", &text)]);
            assert_eq!(known.resolve(&finding(VALUE)), [], "{text}");
            assert_eq!(known.resolve(&finding_in("app.conf", &text, VALUE)), [], "{text}");
        }
    }
}
