//! Files that build or set up something, in languages of their own: Vagrantfiles, Packer's templates, Bake files, Earthfiles, Tiltfiles,
//! systems of NixOS, what cloud-init does on a new machine (cloudinit.readthedocs.io, "User data formats"), tables of cron (crontab(5)), and what fastlane's
//! lanes are set up by (docs.fastlane.tools, "Fastfile", "Environment variables": `.env` in its folder).
//! What stands in them outside of comments is used by what they make; they are not read any closer: declared, and what Nix names by its path inferred. A Makefile makes
//! nothing that lasts, and is nobody.

use std::sync::Arc;

use super::links::{Consumer, Kind, Link, Links};
use super::{Place, Sheet, dotenv, ends_in, file_name, folder, join};
use crate::model::{Coverage, Tier};

/// How cloud-init's data begins.
const CLOUD: &[u8] = b"#cloud-config";

/// What such files say.
#[derive(Default)]
pub(super) struct Plain;

impl Kind for Plain {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        kind(path).is_some() || may_be_data(path)
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        kind(&sheet.path).is_some() || sheet.bytes.starts_with(CLOUD)
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, coverage: &mut Coverage) {
        let kind = kind(&sheet.path).unwrap_or("cloud-init");
        let text = match sheet.text() {
            Ok(text) => text,
            Err(why) => return coverage.trouble(&*sheet.path, why),
        };
        // All that lies in fastlane's folder is its lanes'.
        let whole =
            if kind == "fastlane" { format!("{}Fastfile", before_name(&sheet.path)) } else { sheet.path.to_string() };
        let consumer = Consumer::new(format!("{kind}:{whole}"), format!("{kind} {whole}"));
        let link = Link::new(&Arc::new(consumer), Tier::Declared, "plain-file", "in the file");
        let mut at = 0;
        for (number, line) in text.split_inclusive('\n').enumerate() {
            let place = Place { path: Arc::clone(&sheet.path), line: number as u64 + 1, bytes: at..at + line.len() as u64 };
            at += line.len() as u64;
            if !line.trim_start().starts_with(['#', '/']) {
                links.put_text(sheet, place.clone(), line.trim(), link.clone());
                for file in paths(line).filter(|_| kind == "nix").filter_map(|way| join(folder(&sheet.path), way)) {
                    links.pull(file, place.clone(), Link { tier: Tier::Inferred, ..link.clone() });
                }
            }
        }
    }
}

/// The paths of settings that a line of Nix names: `environmentFile = ./app.env;`.
fn paths(line: &str) -> impl Iterator<Item = &str> {
    let words = line.split(|c: char| c.is_whitespace() || matches!(c, '"' | ';' | '(' | ')' | '[' | ']' | '{' | '}' | '='));
    let kinds = ["env", "yaml", "yml", "json", "toml", "ini", "conf", "cfg", "txt", "secret", "key", "pem"];
    words.filter(move |word| word.starts_with(['.']) && word.contains('/') && ends_in(word, &kinds))
}

/// Whether a file of that name may be cloud-init's.
fn may_be_data(path: &str) -> bool {
    ends_in(path, &["yml", "yaml", "cfg", "conf", "tpl", "tftpl", "txt", "init", "j2"])
}

/// A path without the name at its end.
fn before_name(path: &str) -> &str {
    &path[..path.len() - file_name(path).len()]
}

/// What lies in fastlane's folder and is no text for a store.
fn is_lanes(path: &str, name: &str) -> bool {
    let within = path.split('/').rev().nth(1) == Some("fastlane");
    let env = dotenv::is_named_so(name) && !dotenv::is_sample(name);
    let named = matches!(name, "Fastfile" | "Matchfile" | "Appfile" | "Deliverfile" | "Gymfile" | "Scanfile" | "Pluginfile");
    named || within && (env || ends_in(name, &["json", "rb", "p8"]))
}

/// What a file of that name is.
fn kind(path: &str) -> Option<&'static str> {
    let name = file_name(path);
    Some(match name {
        "Vagrantfile" => "vagrant",
        "Tiltfile" => "tilt",
        "Earthfile" => "earthly",
        "docker-bake.hcl" => "bake",
        "crontab" => "cron",
        _ if path.split('/').rev().nth(1) == Some("cron.d") => "cron",
        _ if is_lanes(path, name) => "fastlane",
        // nixos.org, "NixOS Manual", "Configuration Syntax".
        _ if ends_in(name, &["nix"]) => "nix",
        _ if name.ends_with(".pkr.hcl") || name.ends_with(".pkrvars.hcl") => "packer",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::{Declared, Inferred};
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

    #[test]
    fn a_file_that_a_system_of_nixos_names_is_its_own() {
        let system =
            ("hosts/web/default.nix", "{\n  services.app.environmentFile = ../../secrets/app.env;\n  # ./other.env\n}\n");
        let content = format!("KEY={VALUE}\n");
        for (path, named) in [("secrets/app.env", true), ("hosts/web/other.env", false)] {
            let all = tree(&[system, (path, &content)]).resolve(&finding_in(path, &content, VALUE));
            assert_eq!(consumers(&all), &[("nix:hosts/web/default.nix", Inferred)][..usize::from(named)], "{path}");
        }
    }

    #[test]
    fn what_stands_in_a_file_is_what_it_runs() {
        for (path, line, id) in [
            ("ops/Vagrantfile", format!("  env: {{\"KEY\" => \"{VALUE}\"}}"), Some("vagrant:ops/Vagrantfile")),
            ("image.pkr.hcl", format!("  default = \"{VALUE}\""), Some("packer:image.pkr.hcl")),
            ("etc/cron.d/x", format!("0 1 * * * root up --key {VALUE}"), Some("cron:etc/cron.d/x")),
            ("ios/fastlane/Matchfile", format!("git_url \"https://x:{VALUE}@h/r\""), Some("fastlane:ios/fastlane/Fastfile")),
            ("fastlane/.env.default", format!("KEY = \"{VALUE}\""), Some("fastlane:fastlane/Fastfile")),
            ("fastlane/.env.example", format!("KEY = \"{VALUE}\""), None),
            ("etc/other.d/x", format!("0 1 * * * root up --key {VALUE}"), None),
            ("Vagrantfile", format!("# KEY = {VALUE}"), None),
            ("Makefile", format!("KEY = {VALUE}"), None),
        ] {
            let text = format!("all:\n{line}\n");
            let known = tree(&[(path, &text)]);
            let expected: Vec<_> = id.into_iter().map(|id| (id, Declared)).collect();
            assert_eq!(consumers(&known.resolve(&finding_in(path, &text, VALUE))), expected, "{line}");
            assert!(consumers(&known.resolve(&finding("another value"))).is_empty());
        }
        for (first, named) in [("#cloud-config", true), ("# cloud config", false)] {
            let text = format!("{first}\nwrite_files:\n  - content: KEY={VALUE}\n");
            let all = tree(&[("infra/user-data.yaml", &text)]).resolve(&finding(VALUE));
            assert_eq!(consumers(&all), &[("cloud-init:infra/user-data.yaml", Declared)][..usize::from(named)], "{first}");
        }
    }
}
