//! Files that build or set up something, in languages of their own: Vagrantfiles, Packer's templates, Bake files, Earthfiles, Tiltfiles.
//! What stands in them outside of comments is used by what they make; they are not read any closer: declared. A Makefile makes
//! nothing that lasts, and is nobody.

use std::sync::Arc;

use super::links::{Consumer, Kind, Link, Links};
use super::{Place, Sheet, file_name};
use crate::model::{Coverage, Tier};

/// What such files say.
#[derive(Default)]
pub(super) struct Plain;

impl Kind for Plain {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        kind(path).is_some()
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, coverage: &mut Coverage) {
        let Some(kind) = kind(&sheet.path) else { return };
        let text = match sheet.text() {
            Ok(text) => text,
            Err(why) => return coverage.trouble(&*sheet.path, why),
        };
        let consumer = Consumer::new(format!("{kind}:{}", sheet.path), format!("{kind} {}", sheet.path));
        let link = Link::new(&Arc::new(consumer), Tier::Declared, "plain-file", "in the file");
        let mut at = 0;
        for (number, line) in text.split_inclusive('\n').enumerate() {
            let place = Place { path: Arc::clone(&sheet.path), line: number as u64 + 1, bytes: at..at + line.len() as u64 };
            at += line.len() as u64;
            if !line.trim_start().starts_with(['#', '/']) {
                links.put_text(sheet, place, line.trim(), link.clone());
            }
        }
    }
}

/// What a file of that name is.
fn kind(path: &str) -> Option<&'static str> {
    let name = file_name(path);
    Some(match name {
        "Vagrantfile" => "vagrant",
        "Tiltfile" => "tilt",
        "Earthfile" => "earthly",
        "docker-bake.hcl" => "bake",
        _ if name.ends_with(".pkr.hcl") || name.ends_with(".pkrvars.hcl") => "packer",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::Declared;
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

    #[test]
    fn what_stands_in_a_file_is_what_it_runs() {
        for (path, line, id) in [
            ("ops/Vagrantfile", format!("  env: {{\"KEY\" => \"{VALUE}\"}}"), Some("vagrant:ops/Vagrantfile")),
            ("image.pkr.hcl", format!("  default = \"{VALUE}\""), Some("packer:image.pkr.hcl")),
            ("Vagrantfile", format!("# KEY = {VALUE}"), None),
            ("Makefile", format!("KEY = {VALUE}"), None),
        ] {
            let text = format!("all:\n{line}\n");
            let known = tree(&[(path, &text)]);
            let expected: Vec<_> = id.into_iter().map(|id| (id, Declared)).collect();
            assert_eq!(consumers(&known.resolve(&finding_in(path, &text, VALUE))), expected, "{line}");
            assert!(consumers(&known.resolve(&finding("another value"))).is_empty());
        }
    }
}
