//! Hands the pipeline's findings to `ownership`, and asks AWS where the operator owns the account.

use std::path::PathBuf;
use std::sync::Arc;

use super::args::Targets;
use super::asks::Asks;
use super::images::is_image;
use super::output::say;
use super::settings::{Settings, block_on_or_interrupt};
use crate::config::Account;
use crate::model::{Coverage, Finding};
use crate::ownership::{MOST_KEYS, Trust, ask_aws, attest, turns};
use crate::scan::{Attribution, Groups, WalkOptions, attribute as from_tree, scrub};
use crate::secret::FingerprintKey;
use crate::store::Store;

/// Keys that are named where they were passed over.
const SHOWN: usize = 20;
/// Why a key was passed over.
const BEYOND: &str =
    "key of an account that enough other keys were asked about (what IAM and CloudTrail know of it is unknown)";

/// Fills in whose each finding is.
pub(super) fn attribute(
    groups: &mut Groups,
    coverage: &mut Coverage,
    (targets, asks, settings, key): (&Targets, &Asks, &Settings, &Arc<FingerprintKey>),
) {
    let on_disk = |path: &&PathBuf| path.as_os_str() != "-" && !is_image(path);
    let mut paths: Vec<PathBuf> = targets.targets.iter().filter(on_disk).cloned().collect();
    // The paths in another scanner's report are those of the tree that one stands in.
    if targets.targets.is_empty() && (!targets.places.any() || !targets.places.from.is_empty()) {
        paths.push(PathBuf::from("."));
    }
    let walk = WalkOptions { no_ignore: targets.no_ignore, git: false };
    let trust = settings.operator.trust_domain.clone();
    let trust = trust.map(|domain| Trust { domain, path: settings.operator.spiffe_path.clone() });
    let clock = Arc::clone(&settings.clock);
    let with = Attribution { paths: &paths, walk, key: Arc::clone(key), trust, clock };
    from_tree(groups, &with, coverage);
    live(groups, settings, asks, coverage);
    super::living::ask(groups, (settings, key), asks.dry_run, coverage);
    attested(groups, settings);
    scrub(groups);
}

/// Takes up what people attested of these fingerprints. Under another fingerprint key nothing joins.
fn attested(groups: &mut Groups, settings: &Settings) {
    let Some(state) = settings.state.as_ref().filter(|state| state.join("findings.db").exists()) else { return };
    let attestations = match Store::open(state).and_then(|store| store.attestations()) {
        Ok(attestations) => attestations,
        Err(error) => return say(&format!("staunch: what people attested was not taken up: {error}")),
    };
    for group in &mut groups.0 {
        attest(&mut group.finding, &attestations, settings.clock.now());
    }
}

/// Asks IAM and CloudTrail as the responder, for keys of accounts that the operator lists; or says that it would.
fn live(groups: &mut Groups, settings: &Settings, asks: &Asks, coverage: &mut Coverage) {
    let accounts = &settings.operator.accounts;
    if accounts.is_empty() {
        return;
    }
    let asked = block_on_or_interrupt(async {
        let net = settings.net()?;
        for account in accounts {
            let mut responder = None;
            let findings = groups.0.iter().map(|group| &group.finding).enumerate();
            let (asked, left) = turns(findings.filter(|(_, finding)| is_of(finding, account) && key_id(finding).is_some()));
            pass_over(account, (groups, &left), coverage);
            for place in asked {
                let group = &mut groups.0[place];
                let Some(key_id) = key_id(&group.finding) else { continue };
                let print = group.finding.fingerprint.short();
                if asks.dry_run {
                    let what = if asks.no_cloudtrail { "IAM" } else { "IAM and CloudTrail" };
                    say(&format!("staunch: {print}: as the responder, {what} of account {}", account.id));
                    continue;
                }
                if responder.is_none() {
                    responder = Some(super::hands::responder(&net, Some(account)).await?);
                }
                let Some(responder) = &responder else { break };
                for why in
                    ask_aws(&mut group.finding, &key_id, (&net, responder), (&*settings.clock, !asks.no_cloudtrail)).await
                {
                    say(&format!("staunch: {print}: {why}"));
                }
            }
        }
        anyhow::Ok(())
    });
    if let Err(error) = asked {
        coverage.interrupted |= super::ending::was_asked();
        say(&format!("staunch: AWS was not asked whose the keys are: {error:#}"));
    }
}

/// Says which keys nobody is asked about.
fn pass_over(account: &Account, (groups, left): (&Groups, &[usize]), coverage: &mut Coverage) {
    if left.is_empty() {
        return;
    }
    let mut prints: Vec<String> =
        left.iter().take(SHOWN).map(|&place| groups.0[place].finding.fingerprint.short()).collect();
    if left.len() > SHOWN {
        prints.push("…".to_owned());
    }
    say(&format!(
        "staunch: {} keys of account {} were not asked about, {MOST_KEYS} were: whose they are, what they may do and were used for \
         stays unknown; `staunch triage` their files alone ({})",
        left.len(),
        account.id,
        prints.join(", ")
    ));
    *coverage.skipped.entry(BEYOND.to_owned()).or_default() += left.len() as u64;
}

/// Whether it is an AWS credential of that account, by the provider's word or else by its own id.
fn is_of(finding: &Finding, account: &Account) -> bool {
    let known = finding.liveness.liveness.identity().and_then(|identity| identity.get("account"));
    finding.provider == "aws" && known.or(finding.facts.get("account").map(String::as_str)) == Some(&account.id)
}

/// The public key id of an access key.
fn key_id(finding: &Finding) -> Option<String> {
    finding.parts.iter().find(|part| part.name == "key_id").and_then(|part| part.value.clone())
}
