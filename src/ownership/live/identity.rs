//! The principal that validation already saw: no call is made here.

use crate::model::{Edge, Evidence, Finding, Owner, Tier};
use crate::ownership::roll::{clean, evidence, owner};

/// The principal of a credential that answered to `sts:GetCallerIdentity`.
pub(in crate::ownership) fn principal(finding: &Finding) -> Option<Owner> {
    let arn = finding.liveness.liveness.identity()?.get("arn").filter(|arn| arn.starts_with("arn:"))?;
    let mut principal = owner(Edge::Principal, clean(arn), name_of(arn), Tier::Proven);
    let when = finding.liveness.at.map_or_else(String::new, |at| format!(" at {at}"));
    let said = evidence("sts-caller-identity", "sts:GetCallerIdentity", format!("{}{when}", clean(arn)));
    principal.evidence.push(Evidence { as_of: finding.liveness.at, ..said });
    Some(principal)
}

/// What follows the account in an ARN: `user/x`, `assumed-role/role/session`, `root`.
pub(super) fn name_of(arn: &str) -> String {
    clean(arn.splitn(6, ':').nth(5).unwrap_or(arn))
}

#[cfg(test)]
mod tests {
    use super::principal;
    use crate::model::{Checked, Edge, Identity, Liveness, Tier};
    use crate::ownership::artefacts::testing::finding;

    fn with(liveness: Liveness, arn: &str) -> Option<(Edge, String, String, Tier)> {
        let mut finding = finding("x");
        let mut identity = Identity::default();
        identity.set("arn", arn);
        let liveness = match liveness {
            Liveness::Live(_) => Liveness::Live(identity),
            other => other,
        };
        finding.liveness = Checked { liveness, at: None };
        principal(&finding).map(|owner| (owner.edge, owner.id, owner.name, owner.tier))
    }

    #[test]
    fn only_a_key_that_answered_has_a_principal() {
        let arn = "arn:aws:sts::111122223333:assumed-role/deploy/i-0abc";
        let named = ("assumed-role/deploy/i-0abc".to_owned(), Tier::Proven);
        assert_eq!(
            with(Liveness::Live(Identity::default()), arn),
            Some((Edge::Principal, arn.to_owned(), named.0, named.1))
        );
        assert_eq!(with(Liveness::Dead("gone".to_owned()), arn), None);
        assert_eq!(with(Liveness::Unknown("timeout".to_owned()), arn), None);
        assert_eq!(with(Liveness::Live(Identity::default()), "user-1"), None);
    }
}
