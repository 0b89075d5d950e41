//! Hands the pipeline's findings to `ownership`.

use std::path::PathBuf;
use std::time::Duration;

use super::args::Targets;
use super::output::say;
use super::settings::{Settings, block_on};
use crate::model::{Coverage, Provenance};
use crate::ownership::artefacts::Artefacts;
use crate::ownership::people::GitPeople;
use crate::ownership::{ask_iam, from_identity};
use crate::scan::{Group, Groups, offer};
use crate::secret::FingerprintKey;
use crate::source::WalkOptions;

/// Blaming is for the worst findings, not for thousands.
const BLAMES: usize = 50;
const PATIENCE: Duration = Duration::from_secs(5);

/// Fills in whose each finding is: the provider's own word, the tree's artefacts, people, and IAM where the operator
/// owns the account.
pub(super) fn attribute(
    groups: &mut Groups,
    coverage: &mut Coverage,
    (targets, settings, key): (&Targets, &Settings, &FingerprintKey),
) {
    if groups.0.is_empty() {
        return;
    }
    let mut artefacts = Artefacts::new(key);
    let stdin = |path: &&PathBuf| path.as_os_str() != "-";
    let mut paths: Vec<PathBuf> = targets.targets.iter().filter(stdin).cloned().collect();
    if targets.targets.is_empty() {
        paths.push(PathBuf::from("."));
    }
    offer(&paths, WalkOptions { no_ignore: targets.no_ignore }, &mut artefacts, coverage);
    let mut people = GitPeople::new(BLAMES, PATIENCE);
    for group in &mut groups.0 {
        from_identity(&mut group.finding);
        artefacts.attribute(&mut group.finding);
        blame(group, &mut people);
    }
    live(groups, settings);
    let scrubber = groups.scrubber();
    for owner in groups.0.iter_mut().flat_map(|group| &mut group.finding.owners) {
        owner.id = scrubber.scrub(&owner.id);
        owner.name = scrubber.scrub(&owner.name);
        for evidence in &mut owner.evidence {
            evidence.at = scrubber.scrub(&evidence.at);
            evidence.value = scrubber.scrub(&evidence.value);
        }
    }
}

fn blame(group: &mut Group, people: &mut GitPeople) {
    let places: Vec<(String, u64)> = {
        let on_disk = group.finding.occurrences.iter().filter(|place| place.provenance == Provenance::Worktree);
        on_disk.map(|place| (place.path.clone(), place.location.line)).collect()
    };
    for (path, line) in places {
        if let Some(owner) = people.author(path.as_ref(), line) {
            crate::ownership::add(&mut group.finding, owner);
        }
    }
}

/// Asks IAM as the responder, for keys of accounts that the operator lists.
fn live(groups: &mut Groups, settings: &Settings) {
    let accounts = &settings.operator.accounts;
    if accounts.is_empty() {
        return;
    }
    let asked = block_on(async {
        let net = settings.net()?;
        for account in accounts {
            let theirs = |group: &&mut Group| {
                let known = group.finding.liveness.liveness.identity().and_then(|identity| identity.get("account"));
                group.finding.provider == "aws"
                    && known.or(group.finding.facts.get("account").map(String::as_str)) == Some(&account.id)
            };
            let mut responder = None;
            for group in groups.0.iter_mut().filter(theirs) {
                if responder.is_none() {
                    responder = Some(net.responder(account.profile.as_deref()).await?);
                }
                let Some(responder) = &responder else { break };
                if let Err(why) = ask_iam(&mut group.finding, &responder.iam).await {
                    say(&format!("staunch: whose {} is could not be asked: {why}", group.finding.fingerprint.short()));
                }
            }
        }
        anyhow::Ok(())
    });
    if let Err(error) = asked.and_then(|asked| asked) {
        say(&format!("staunch: IAM was not asked whose the keys are: {error:#}"));
    }
}
