//! Who agreed to a plan: ed25519 signatures over its digest, by people whose keys the operator lists.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::RespondError;
use crate::attest::{Signer, verify};
use crate::model::{Approval, ApprovalRule, Plan};

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

/// The approvals that count for a plan, or what is missing. The requester's own never counts.
pub(super) fn enough(
    plan: &Plan,
    digest: &str,
    given: &[Approval],
    (listed, requester, now): (&Approvers, &str, Timestamp),
) -> Result<Vec<Approval>, RespondError> {
    let needed = plan.steps.iter().map(|step| step.approval).max().unwrap_or(ApprovalRule::None);
    let mut good: Vec<Approval> = Vec::new();
    for approval in given.iter().filter(|approval| approval.digest == digest && approval.approver != requester) {
        if check(approval, listed, now).is_ok() && good.iter().all(|other| other.approver != approval.approver) {
            good.push(approval.clone());
        }
    }
    let count = match needed {
        ApprovalRule::None => 0,
        ApprovalRule::One => 1,
        ApprovalRule::Two => 2,
    };
    if good.len() < count {
        let what = format!("the plan needs {count} approval(s) by others than {requester} and has {}", good.len());
        return Err(RespondError::Approval(format!("{what}; `staunch respond approve {digest}`")));
    }
    Ok(good)
}
