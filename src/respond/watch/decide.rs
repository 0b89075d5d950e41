//! Whether a finding is acted on without a person. Pure: what is known goes in, a verdict comes out.

use std::time::Duration;

use jiff::Timestamp;

use super::super::playbook::{Playbook, Playbooks};
use super::super::whose::account;
use crate::model::Finding;
use crate::store::{WatchState, Watched};

/// An hour.
const HOUR: Duration = Duration::from_hours(1);

/// What may be done without a person, by the operator's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// What is allowed; anything else is left to a person.
    pub allow: Vec<Allowed>,
    /// Runs that are begun in an hour, in all.
    pub runs_per_hour: u32,
    /// Runs that are begun in an hour in one account.
    pub runs_per_account: u32,
    /// So many runs in a row that stopped end it until a person has looked.
    pub failures: u32,
}

/// A playbook that may run by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Its id.
    pub playbook: String,
    /// Only for these detectors; for all of its own where there is none.
    pub detectors: Vec<String>,
    /// Only in these accounts; in all that are owned where there is none.
    pub accounts: Vec<String>,
}

/// What is done about a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing, and nobody needs to know.
    Nothing,
    /// A person is told why it is left to them.
    Left(String),
    /// It would be acted on, and is not for now.
    Held(String),
    /// This playbook runs.
    Act(Box<Playbook>),
}

/// Whether runs may be begun at all now.
pub(super) fn held(policy: &Policy, ledger: &[Watched], stopped_in_a_row: usize, now: Timestamp) -> Option<String> {
    if policy.failures > 0 && stopped_in_a_row >= policy.failures as usize {
        return Some(format!(
            "held back: {} runs in a row came to a stop; nothing is begun until somebody looked: `staunch respond status`, then \
             `staunch respond watch --looked`",
            policy.failures
        ));
    }
    let begun = ledger.iter().filter(|row| is_recent(row, now)).count();
    let most = policy.runs_per_hour;
    (begun >= most as usize)
        .then(|| format!("held back: {most} runs were begun within the hour, which is as many as may be"))
}

fn is_recent(row: &Watched, now: Timestamp) -> bool {
    let begun = matches!(row.state, WatchState::Planned | WatchState::Acted);
    begun && now.checked_sub(HOUR).is_ok_and(|hour_ago| row.at > hour_ago)
}

/// What is done about a finding that was not acted on yet.
pub(super) fn decide(finding: &Finding, known: (&Policy, &Playbooks, &[Watched]), now: Timestamp) -> Verdict {
    let (policy, playbooks, ledger) = known;
    if let Some(canary) = finding.facts.get("canary") {
        return Verdict::Left(format!("it is a canary ({canary}); tell its owner, do not touch it"));
    }
    // What nobody knows to be live is for triage, and wakes nobody.
    let ended = finding.facts.get("expires").and_then(|at| at.parse::<Timestamp>().ok()).is_some_and(|at| at < now);
    if ended || !finding.liveness.liveness.is_usable() {
        return Verdict::Nothing;
    }
    let account = account(finding);
    let fits = |allowed: &&Allowed| {
        let here = account.as_ref().is_some_and(|account| allowed.accounts.contains(account));
        (allowed.detectors.is_empty() || allowed.detectors.contains(&finding.detector))
            && (allowed.accounts.is_empty() || here)
    };
    let playbook =
        policy.allow.iter().filter(fits).find_map(|one| playbooks.pick(Some(&one.playbook), &finding.detector).ok());
    let Some(playbook) = playbook else {
        return Verdict::Left("no [[watch.allow]] of the settings file is for it".to_owned());
    };
    let here = account.unwrap_or_default();
    let begun = ledger.iter().filter(|row| is_recent(row, now) && row.account == here).count();
    if begun >= policy.runs_per_account as usize {
        let most = policy.runs_per_account;
        return Verdict::Held(format!("held back: {most} runs were begun in account {here} within the hour"));
    }
    Verdict::Act(Box::new(playbook))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Allowed, Policy, Verdict, decide, held};
    use crate::model::{Checked, Finding, Identity, Liveness};
    use crate::respond::{Playbooks, builtin_playbooks};
    use crate::secret::FingerprintKey;
    use crate::store::{WatchState, Watched};

    fn finding(liveness: Liveness) -> Finding {
        let fingerprint = FingerprintKey::new([3; 32]).fingerprint(b"v").to_string();
        let mut finding: Finding = serde_json::from_value(serde_json::json!({
            "schema": Finding::SCHEMA, "fingerprint": fingerprint, "detector": "aws-access-key", "provider": "aws", "class": "cloud",
            "severity": "high", "confidence": "high", "redacted": "…", "parts": [], "partial": false,
            "facts": {"account": "123456789012"}, "liveness": {"state": "not_checked"}, "owners": [], "occurrences": [],
        }))
        .expect("a finding");
        finding.liveness = Checked { liveness, at: None };
        finding
    }

    fn policy(allow: &[(&str, &[&str], &[&str])]) -> Policy {
        let owned = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        let allow = allow.iter().map(|(playbook, detectors, accounts)| Allowed {
            playbook: (*playbook).to_owned(),
            detectors: owned(detectors),
            accounts: owned(accounts),
        });
        Policy { allow: allow.collect(), runs_per_hour: 3, runs_per_account: 2, failures: 2 }
    }

    fn row(state: WatchState, at: i64) -> Watched {
        let mut row = Watched::new(&finding(live()), state, Timestamp::from_second(at).expect("a moment"));
        row.account = "123456789012".to_owned();
        row
    }

    fn live() -> Liveness {
        Liveness::Live(Identity::default())
    }

    fn ask(finding: &Finding, policy: &Policy, ledger: &[Watched]) -> Verdict {
        let all = Playbooks::new(&builtin_playbooks()).expect("playbooks");
        decide(finding, (policy, &all, ledger), Timestamp::from_second(10_000).expect("a moment"))
    }

    const CONTAIN: (&str, &[&str], &[&str]) = ("aws-access-key-contain", &[], &[]);

    #[test]
    fn only_what_is_live_allowed_and_no_canary_is_acted_on() {
        let allowed = policy(&[CONTAIN]);
        assert!(matches!(ask(&finding(live()), &allowed, &[]), Verdict::Act(one) if one.id == "aws-access-key-contain"));
        assert_eq!(ask(&finding(Liveness::Dead("x".into())), &allowed, &[]), Verdict::Nothing);
        let left = |finding: &Finding, policy: &Policy| match ask(finding, policy, &[]) {
            Verdict::Left(why) => why,
            other => panic!("{other:?}"),
        };
        for nobody_knows in [Liveness::Unknown("x".into()), Liveness::NotChecked(None)] {
            assert_eq!(ask(&finding(nobody_knows), &policy(&[]), &[]), Verdict::Nothing, "it wakes nobody");
        }
        let mut expired = finding(live());
        expired.facts.insert("expires".into(), "1970-01-01T01:00:00Z".into());
        assert_eq!(ask(&expired, &allowed, &[]), Verdict::Nothing, "it has ended by itself");
        let mut canary = finding(live());
        canary.facts.insert("canary".into(), "Thinkst".into());
        assert!(left(&canary, &allowed).contains("canary"));
        for other in [
            policy(&[]),
            policy(&[("openai-project-key-contain", &[], &[])]),
            policy(&[("aws-access-key-contain", &["bedrock-long-term-key"], &[])]),
            policy(&[("aws-access-key-contain", &[], &["999999999999"])]),
        ] {
            assert!(left(&finding(live()), &other).contains("no [[watch.allow]]"), "{other:?}");
        }
        let composed = policy(&[("llmjacking-aws", &["aws-access-key"], &["123456789012"])]);
        assert!(
            matches!(ask(&finding(live()), &composed, &[]), Verdict::Act(one) if one.steps[0].id.starts_with("contain."))
        );
    }

    #[test]
    fn caps_hold_for_an_hour_and_failures_until_somebody_looked() {
        let allowed = policy(&[CONTAIN]);
        let two = [row(WatchState::Acted, 9_000), row(WatchState::Planned, 9_001)];
        assert!(matches!(ask(&finding(live()), &allowed, &two), Verdict::Held(_)));
        let older = [row(WatchState::Acted, 6_000), row(WatchState::Planned, 9_001)];
        assert!(matches!(ask(&finding(live()), &allowed, &older), Verdict::Act(_)));
        let now = Timestamp::from_second(10_000).expect("a moment");
        assert_eq!(held(&allowed, &two, 1, now), None);
        let three = [two.as_slice(), &[row(WatchState::Acted, 9_002)]].concat();
        assert!(held(&allowed, &three, 0, now).is_some_and(|why| why.contains("within the hour")));
        assert!(held(&allowed, &[], 2, now).is_some_and(|why| why.contains("came to a stop")));
        let told = [row(WatchState::Told, 9_000), row(WatchState::Retry, 9_000), row(WatchState::Told, 9_000)];
        assert_eq!(held(&allowed, &told, 0, now), None, "what was not begun does not count");
    }
}
