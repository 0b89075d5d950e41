//! `ansible.cfg`: the files that it names for the vault's password and for logging in (docs.ansible.com, "Ansible Configuration Settings").
//! Value → such a file, which may be a script → whoever runs playbooks from that folder. Inferred.

use std::sync::Arc;

use super::links::{Consumer, Kind, Link, Links};
use super::{Place, Sheet, file_name, folder, join};
use crate::model::{Coverage, Tier};

/// Settings that name a file.
const FILES: [&str; 4] = ["vault_password_file", "vault_identity_list", "private_key_file", "become_password_file"];

/// What such files say.
#[derive(Default)]
pub(super) struct AnsibleCfg;

impl Kind for AnsibleCfg {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        matches!(file_name(path), "ansible.cfg" | ".ansible.cfg")
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, _: &mut Coverage) {
        // What is no text is none of Ansible's.
        let Ok(text) = sheet.text() else { return };
        let consumer = Consumer::new(format!("ansible:{}", sheet.path), format!("playbooks run by {}", sheet.path));
        let (consumer, mut at) = (Arc::new(consumer), 0_u64);
        for (number, line) in text.split_inclusive('\n').enumerate() {
            let bytes = at..at + line.len() as u64;
            at = bytes.end;
            let Some((name, value)) = line.split_once('=').filter(|(name, _)| FILES.contains(&name.trim())) else {
                continue;
            };
            let place = Place { path: Arc::clone(&sheet.path), line: number as u64 + 1, bytes };
            for file in value.split(',').map(str::trim) {
                // `label@file` of a list of identities.
                let file = file.rsplit('@').next().unwrap_or(file);
                if let Some(path) = join(folder(&sheet.path), file).filter(|_| !file.is_empty() && !file.starts_with('~')) {
                    let link = Link::new(&consumer, Tier::Inferred, "ansible-cfg-file", name.trim());
                    links.pull(path, place.clone(), link);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::Inferred;
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding_in, tree};

    #[test]
    fn a_file_that_the_configuration_names_is_the_playbooks() {
        for (line, named) in [
            ("vault_password_file = ./pass.sh", true),
            ("vault_identity_list = dev@other.sh, prod@pass.sh", true),
            ("vault_password_file=~/pass.sh", false),
            ("# vault_password_file = pass.sh", false),
            ("roles_path = pass.sh", false),
        ] {
            let all = tree(&[("ops/ansible.cfg", &format!("[defaults]\n{line}\n"))]);
            let all = all.resolve(&finding_in("ops/pass.sh", &format!("echo {VALUE}\n"), VALUE));
            assert_eq!(consumers(&all), &[("ansible:ops/ansible.cfg", Inferred)][..usize::from(named)], "{line}");
        }
    }
}
