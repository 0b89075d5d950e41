//! What is never done, whatever the plan says. Pure, and asked before every step.

use crate::model::{Plan, PlannedStep};

/// The operator's bounds.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    /// AWS accounts that may be acted on.
    pub accounts: Vec<String>,
    /// Key ids, user names and ARNs that are never touched.
    pub protected: Vec<String>,
    /// Changes a run may make.
    pub most_changes: usize,
}

/// What a guard must know of the moment.
pub(super) struct Moment<'m> {
    pub(super) responder_key: &'m str,
    pub(super) responder_arn: &'m str,
    /// The stop file is there.
    pub(super) stopped: bool,
    /// Changes the run has made.
    pub(super) changes: usize,
}

/// The name at the end of a user's ARN.
fn user_of(arn: &str) -> Option<&str> {
    arn.split_once(":user/").map(|(_, path)| path.rsplit('/').next().unwrap_or(path))
}

impl Guard {
    /// Whether a plan may exist at all.
    pub(super) fn plan(&self, plan: &Plan, moment: &Moment<'_>) -> Result<(), String> {
        if let Some(canary) = plan.target.get("canary") {
            return Err(format!("this is a canary ({canary}); tell its owner, do not touch it"));
        }
        let Some(account) = plan.target.get("account") else {
            return Err("the account of this credential is not known, so it is not known to be yours".to_owned());
        };
        if !self.accounts.contains(account) {
            return Err(format!(
                "account {account} is not listed as yours; add it to the settings file under [[responder.aws]] if it is"
            ));
        }
        plan.steps.iter().try_for_each(|step| self.untouchable(step, moment))
    }

    /// Whether a step may be taken now.
    pub(super) fn step(&self, plan: &Plan, step: &PlannedStep, moment: &Moment<'_>) -> Result<(), String> {
        self.plan(plan, moment)?;
        if step.mutates && moment.stopped {
            return Err("the stop file is there: nothing is changed while it is".to_owned());
        }
        if step.mutates && moment.changes >= self.most_changes {
            return Err(format!("the run has made {} changes, which is as many as it may", moment.changes));
        }
        Ok(())
    }

    fn untouchable(&self, step: &PlannedStep, moment: &Moment<'_>) -> Result<(), String> {
        let arg = |name: &str| step.with.get(name).map(String::as_str);
        if arg("key_id").is_some_and(|key| key == moment.responder_key) {
            return Err(
                "this is the responder's own key: whoever acts with it would lock themselves out; use another".to_owned()
            );
        }
        if arg("user").is_some_and(|user| Some(user) == user_of(moment.responder_arn)) {
            return Err("this is the responder's own user; act with another principal".to_owned());
        }
        let protected = |value: &str| self.protected.iter().any(|entry| entry == value || user_of(entry) == Some(value));
        match step.with.values().find(|value| protected(value)) {
            Some(value) => Err(format!("{value} is protected by the settings file")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Guard, Moment};
    use crate::model::Plan;

    fn plan(account: &str, key: &str, user: &str) -> Plan {
        let mut plan: Plan = serde_json::from_value(serde_json::json!({
            "schema": Plan::SCHEMA, "playbook": "p", "mode": "contain", "fingerprint": format!("{}-{}", "0".repeat(8), "0".repeat(64)),
            "detector": "d", "target": {}, "affected": [], "copies": [], "unknowns": [], "lacking": [], "responder": "r",
            "made_at": "2026-01-01T00:00:00Z",
            "steps": [{"id": "a", "action": "x", "with": {"key_id": key, "user": user}, "needs": [], "on_failure": "stop",
                       "approval": "none", "observed": null, "effect": "e", "undo": null, "reversible": true, "mutates": true,
                       "permissions": [], "timeout": 1, "watch": 0}],
        }))
        .expect("a plan");
        plan.target = BTreeMap::from([("account".to_owned(), account.to_owned())]);
        plan
    }

    fn guard() -> Guard {
        let protected = vec!["KEEP".to_owned(), "arn:aws:iam::1:user/ops/root-like".to_owned()];
        Guard { accounts: vec!["1".into()], protected, most_changes: 2 }
    }

    const MOMENT: Moment<'_> =
        Moment { responder_key: "OWN", responder_arn: "arn:aws:iam::1:user/team/responder", stopped: false, changes: 0 };

    #[test]
    fn what_is_ours_protected_or_not_owned_is_never_touched() {
        let ask = |plan: &Plan| guard().plan(plan, &MOMENT);
        assert_eq!(ask(&plan("1", "K", "u")), Ok(()));
        for (account, key, user) in
            [("2", "K", "u"), ("1", "OWN", "u"), ("1", "K", "responder"), ("1", "KEEP", "u"), ("1", "K", "root-like")]
        {
            assert!(ask(&plan(account, key, user)).is_err(), "{account} {key} {user}");
        }
        let mut canary = plan("1", "K", "u");
        canary.target.insert("canary".into(), "x".into());
        assert!(ask(&canary).is_err());
        let mut unknown = plan("1", "K", "u");
        unknown.target.clear();
        assert!(ask(&unknown).is_err());
    }

    #[test]
    fn the_stop_file_and_the_cap_stop_changes_only() {
        let plan = plan("1", "K", "u");
        let step = plan.steps[0].clone();
        let looks = crate::model::PlannedStep { mutates: false, ..step.clone() };
        for moment in [Moment { stopped: true, ..MOMENT }, Moment { changes: 2, ..MOMENT }] {
            assert!(guard().step(&plan, &step, &moment).is_err());
            assert!(guard().step(&plan, &looks, &moment).is_ok());
        }
    }
}
