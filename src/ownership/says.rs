//! As whom a credential speaks by its own word, offline: token claims, key aliases, account names in key files. Declared, as no
//! signature is checked; bound where the provider takes the credential, which it does not if its word is false.

use super::roll::{Roll, clean, evidence, owner};
use crate::model::{Edge, Finding, SpiffeId, Tier};

/// Adds the principal that the credential names, if it names one.
pub(super) fn call(finding: &Finding, roll: &mut Roll) {
    let Some((id, name, how)) = principal(finding) else { return };
    let tier = if finding.liveness.liveness.is_usable() { Tier::Bound } else { Tier::Declared };
    let mut principal = owner(Edge::Principal, clean(&id), clean(&name), tier);
    principal.spiffe_id = SpiffeId::parse(&id).map(|id| id.to_string());
    principal.evidence.push(evidence("credential-says", "the credential itself", how));
    roll.add(principal);
}

/// Id, name and the facts that it follows from.
fn principal(finding: &Finding) -> Option<(String, String, &'static str)> {
    let fact = |name: &str| finding.facts.get(name).map(String::as_str).filter(|text| !text.is_empty());
    let public = |name: &str| finding.parts.iter().find(|part| part.name == name && part.public)?.value.as_deref();
    if let Some(id) = fact("spiffe_id").and_then(SpiffeId::parse) {
        return Some((id.to_string(), id.to_string(), "its subject is a SPIFFE id"));
    }
    if let (Some(namespace), Some(account)) = (fact("namespace"), fact("service_account")) {
        let id = format!("k8s:{namespace}/ServiceAccount/{account}");
        return Some((id, format!("ServiceAccount {account}"), "its subject is a ServiceAccount"));
    }
    // The account alone is in most AWS keys; with a user it is a Bedrock key's alias, USER-at-ACCOUNT.
    if let (Some(_), Some(user), Some(account)) = (fact("alias"), fact("user"), fact("account")) {
        return Some((
            format!("arn:aws:iam::{account}:user/{user}"),
            format!("user/{user}"),
            "its alias is USER-at-ACCOUNT",
        ));
    }
    if let Some(mail) = public("client_email") {
        return Some((format!("mail:{mail}"), mail.to_owned(), "client_email in its key file"));
    }
    if let (Some(issuer), Some(subject)) = (fact("issuer"), fact("subject")) {
        return Some((format!("oidc:{issuer}#{subject}"), subject.to_owned(), "issuer and subject of the token"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::artefacts::testing::finding;
    use super::super::roll::Roll;
    use crate::model::{Checked, Identity, Liveness, PartInfo, Tier};

    #[test]
    fn a_credential_says_as_whom_it_speaks() {
        for (facts, id) in [
            (&[("spiffe_id", "spiffe://x.example/a"), ("issuer", "i"), ("subject", "s")][..], Some("spiffe://x.example/a")),
            (&[("spiffe_id", "spiffe://X/a")], None),
            (&[("namespace", "prod"), ("service_account", "api")], Some("k8s:prod/ServiceAccount/api")),
            (&[("alias", "b-at-1"), ("user", "b"), ("account", "111122223333")], Some("arn:aws:iam::111122223333:user/b")),
            (&[("user", "b"), ("account", "111122223333")], None),
            (&[("issuer", "https://i.example"), ("subject", "ci")], Some("oidc:https://i.example#ci")),
            (&[("subject", "ci")], None),
        ] {
            let mut found = finding("x");
            found.facts = facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let mut roll = Roll::default();
            super::call(&found, &mut roll);
            let owners = roll.finish();
            assert_eq!(owners.first().map(|owner| (owner.id.as_str(), owner.tier)), id.map(|id| (id, Tier::Declared)));
        }
    }

    #[test]
    fn what_the_provider_takes_is_bound() {
        let mut found = finding("x");
        let value = Some("a@p.iam.gserviceaccount.example".to_owned());
        found.parts.push(PartInfo { name: "client_email".to_owned(), public: true, value, fingerprints: Vec::new() });
        found.liveness = Checked { liveness: Liveness::Live(Identity::default()), at: None };
        let mut roll = Roll::default();
        super::call(&found, &mut roll);
        let owners = roll.finish();
        assert_eq!((owners[0].id.as_str(), owners[0].tier), ("mail:a@p.iam.gserviceaccount.example", Tier::Bound));
    }
}
