//! The principal that validation already saw: no call is made here.

use crate::model::{Edge, Evidence, Finding, Owner, Tier};
use crate::ownership::roll::{clean, evidence, owner};

/// The detectors of keys that forges greet.
const SSH_KEYS: [&str; 2] = ["private-key", "putty-private-key"];

/// The principal of a credential that answered to `sts:GetCallerIdentity`, or that a forge let in.
pub(in crate::ownership) fn principal(finding: &Finding) -> Option<Owner> {
    sts(finding).or_else(|| greeted(finding))
}

fn sts(finding: &Finding) -> Option<Owner> {
    let arn = finding.liveness.liveness.identity()?.get("arn").filter(|arn| arn.starts_with("arn:"))?;
    let mut principal = owner(Edge::Principal, clean(arn), name_of(arn), Tier::Proven);
    let when = finding.liveness.at.map_or_else(String::new, |at| format!(" at {at}"));
    let said = evidence("sts-caller-identity", "sts:GetCallerIdentity", format!("{}{when}", clean(arn)));
    principal.evidence.push(Evidence { as_of: finding.liveness.at, ..said });
    Some(principal)
}

/// Whom a forge greeted an SSH key as: a user, or for a deploy key its repository.
fn greeted(finding: &Finding) -> Option<Owner> {
    let identity = finding.liveness.liveness.identity()?;
    let host = identity.get("host").filter(|_| SSH_KEYS.contains(&finding.detector.as_str()))?;
    let user = || identity.get("user").map(|name| (name, format!("{name} at {host}")));
    let repository = identity.get("repository").map(|name| (name, format!("deploy key of {name} at {host}")));
    let (id, name) = repository.or_else(user).filter(|(name, _)| !name.contains(' '))?;
    let mut principal = owner(Edge::Principal, clean(&format!("ssh:{host}/{id}")), clean(&name), Tier::Proven);
    let said = evidence("ssh-greeting", clean(host), format!("its server let the key in and greeted {}", clean(id)));
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

    #[test]
    fn a_forge_names_the_user_or_the_repository_of_an_ssh_key() {
        let greeted = |detector: &str, fields: &[(&str, &str)]| {
            let mut finding = finding("x");
            finding.detector = detector.into();
            let mut identity = Identity::default();
            for (name, value) in fields {
                identity.set(name, *value);
            }
            finding.liveness = Checked { liveness: Liveness::Live(identity), at: None };
            principal(&finding).map(|owner| (owner.id, owner.name, owner.tier))
        };
        let at = ("host", "github.com");
        let named = |id: &str, name: &str| Some((id.to_owned(), name.to_owned(), Tier::Proven));
        assert_eq!(
            greeted("private-key", &[at, ("repository", "acme/shop")]),
            named("ssh:github.com/acme/shop", "deploy key of acme/shop at github.com")
        );
        assert_eq!(greeted("putty-private-key", &[at, ("user", "ann")]), named("ssh:github.com/ann", "ann at github.com"));
        assert_eq!(greeted("private-key", &[at, ("user", "Anonymous (a key of no user's)")]), None);
        assert_eq!(greeted("private-key", &[("host", "bastion.corp"), ("login", "git")]), None);
        assert_eq!(greeted("postgres-url", &[("host", "db"), ("user", "shop")]), None, "a login is another thing");
    }
}
