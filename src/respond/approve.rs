//! Who agreed to a plan: ed25519 signatures over its digest, by people whose keys the operator lists.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::RespondError;
use crate::attest::{Signer, verify};
use crate::model::{Approval, ApprovalRule, Plan, PlannedStep};

/// Name → public key, from the operator's settings. A key that is not listed approves nothing.
pub type Approvers = BTreeMap<String, String>;

/// How long an approval counts.
const LIFETIME: Duration = Duration::from_hours(24);

/// What is signed. The names of the fields are part of it, so that no field can pass for another.
fn message(approval: &Approval) -> Vec<u8> {
    format!(
        "staunch.approval/1\napprover={}\ndigest={}\nat={}\nexpires={}\n",
        approval.approver, approval.digest, approval.at, approval.expires
    )
    .into_bytes()
}

/// Signs a plan's digest.
///
/// # Errors
/// [`RespondError::Approval`] when the key is not the one that is listed under that name.
pub fn approve(
    digest: &str,
    approver: &str,
    signer: &Signer,
    listed: &Approvers,
    now: Timestamp,
) -> Result<Approval, RespondError> {
    let mut approval = Approval {
        approver: approver.to_owned(),
        digest: digest.to_owned(),
        at: now,
        expires: now.checked_add(LIFETIME).unwrap_or(Timestamp::MAX),
        signature: String::new(),
    };
    approval.signature = signer.sign(&message(&approval));
    check(&approval, listed, now)?;
    Ok(approval)
}

fn check(approval: &Approval, listed: &Approvers, now: Timestamp) -> Result<(), RespondError> {
    let wrong = |what: String| Err(RespondError::Approval(what));
    let name = &approval.approver;
    let Some(public) = listed.get(name) else {
        return wrong(format!("{name} is no listed approver; add an [[approver]] to the settings file"));
    };
    if now >= approval.expires {
        return wrong(format!("the approval of {name} ended at {}", approval.expires));
    }
    match verify(public, &message(approval), &approval.signature) {
        Ok(true) => Ok(()),
        Ok(false) => wrong(format!("the approval of {name} was not signed with the key that is listed for {name}")),
        Err(error) => wrong(format!("the key that is listed for {name} cannot be used: {error}")),
    }
}

/// The approvals that count for a plan. The requester's own never does, and nobody's counts twice.
pub(super) fn good(
    digest: &str,
    given: &[Approval],
    (listed, requester, now): (&Approvers, &str, Timestamp),
) -> Vec<Approval> {
    let mut good: Vec<Approval> = Vec::new();
    for approval in given.iter().filter(|approval| approval.digest == digest && approval.approver != requester) {
        if check(approval, listed, now).is_ok() && good.iter().all(|other| other.approver != approval.approver) {
            good.push(approval.clone());
        }
    }
    good
}

/// How many must agree.
pub(super) fn count(rule: ApprovalRule) -> usize {
    match rule {
        ApprovalRule::None => 0,
        ApprovalRule::One => 1,
        ApprovalRule::Two => 2,
    }
}

/// Whether a plan can begin: with so many approvals there is a change that may be made. A step that needs more waits.
pub(super) fn needed(plan: &Plan, digest: &str, given: usize, requester: &str) -> Result<(), RespondError> {
    let acts = |step: &&PlannedStep| step.mutates || step.approval != ApprovalRule::None;
    let least = plan.steps.iter().filter(acts).map(|step| count(step.approval)).min().unwrap_or(0);
    if given >= least {
        return Ok(());
    }
    let what = format!("the plan needs {least} approval(s) by others than {requester} and has {given}");
    Err(RespondError::Approval(format!("{what}; `staunch respond approve {digest}`")))
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;
    use jiff::{SignedDuration, Timestamp};

    use super::{Approvers, approve, count, good, needed};
    use crate::attest::Signer;
    use crate::model::{Approval, ApprovalRule, Plan};

    fn signer(seed: u8) -> Signer {
        let mut der = vec![0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
        der.extend([seed; 32]);
        Signer::from_pem(&BASE64.encode(&der)).expect("a key")
    }

    fn plan(rule: ApprovalRule) -> Plan {
        let mut plan: Plan = serde_json::from_value(serde_json::json!({
            "schema": Plan::SCHEMA, "playbook": "p", "mode": "contain", "fingerprint": format!("{}-{}", "0".repeat(8), "0".repeat(64)),
            "detector": "d", "target": {}, "affected": [], "copies": [], "unknowns": [], "lacking": [], "responder": "r",
            "made_at": "2026-01-01T00:00:00Z",
            "steps": [{"id": "a", "action": "x", "with": {}, "needs": [], "on_failure": "stop", "approval": "none", "observed": null,
                       "effect": "e", "undo": null, "reversible": true, "mutates": true, "permissions": [], "timeout": 1, "watch": 0}],
        }))
        .expect("a plan");
        plan.steps[0].approval = rule;
        plan
    }

    #[test]
    fn only_listed_people_other_than_the_requester_count_and_only_in_time() {
        let listed: Approvers =
            [("kim", 1), ("lee", 2), ("req", 3)].map(|(n, seed)| (n.to_owned(), signer(seed).public())).into();
        let now = Timestamp::UNIX_EPOCH;
        let sign = |name: &str, seed: u8| approve("d", name, &signer(seed), &listed, now);
        assert!(sign("eve", 4).is_err() && sign("kim", 2).is_err(), "an unlisted name, another's key");
        let (kim, lee, req) = (sign("kim", 1).expect("ok"), sign("lee", 2).expect("ok"), sign("req", 3).expect("ok"));
        let ask = |rule, given: &[Approval], now| {
            let good = good("d", given, (&listed, "req", now)).len();
            needed(&plan(rule), "d", good, "req").map(|()| good)
        };
        let (kim_, lee_, req_) = (kim.clone(), lee.clone(), req);
        assert_eq!(ask(ApprovalRule::None, &[], now).ok(), Some(0));
        assert!(ask(ApprovalRule::One, &[], now).is_err());
        assert!(ask(ApprovalRule::One, &[req_], now).is_err(), "the requester's own does not count");
        assert_eq!(ask(ApprovalRule::One, &[kim_], now).ok(), Some(1));
        assert!(ask(ApprovalRule::Two, &[kim.clone(), kim.clone()], now).is_err(), "one person twice is one");
        assert_eq!(ask(ApprovalRule::Two, &[kim.clone(), lee_], now).ok(), Some(2));
        let tomorrow = now.checked_add(SignedDuration::from_hours(25)).expect("a day");
        assert!(ask(ApprovalRule::One, std::slice::from_ref(&kim), tomorrow).is_err(), "it ends");
        let forged = Approval { expires: tomorrow, ..lee };
        assert!(ask(ApprovalRule::One, &[forged], now).is_err(), "a changed date breaks the signature");
        let other = Approval { digest: "e".to_owned(), ..kim };
        assert!(ask(ApprovalRule::One, &[other], now).is_err(), "another plan's");
    }

    #[test]
    fn what_needs_nobody_begins_and_what_needs_more_waits() {
        let mut plan = plan(ApprovalRule::Two);
        assert!(needed(&plan, "d", 1, "req").is_err(), "nothing could be done");
        let mut first = plan.steps[0].clone();
        first.approval = ApprovalRule::None;
        plan.steps.insert(0, first);
        assert!(needed(&plan, "d", 0, "req").is_ok());
        assert_eq!(count(plan.steps[1].approval), 2);
    }
}
