//! Finding → workload → owner, with the evidence for each arrow.
//!
//! `artefacts` is pure: `scan` offers every path and hands over bytes. `people` reads version control, `live` asks APIs
//! with the responder's own credentials. A chain of references that does not close proves nothing and is not reported.

pub mod artefacts;
mod live;
pub mod people;

pub use live::ask_iam;

use crate::model::{Edge, Evidence, Finding, Owner, Tier};

/// Adds an owner: one already there for the same edge and id gains the evidence and keeps the stronger tier.
pub(crate) fn add(finding: &mut Finding, owner: Owner) {
    let known = finding.owners.iter_mut().find(|known| known.edge == owner.edge && known.id == owner.id);
    match known {
        None => finding.owners.push(owner),
        Some(known) => {
            known.tier = known.tier.max(owner.tier);
            for evidence in owner.evidence {
                if !known.evidence.contains(&evidence) {
                    known.evidence.push(evidence);
                }
            }
        }
    }
    finding
        .owners
        .sort_by(|a, b| (std::cmp::Reverse(a.tier), a.edge, &a.id).cmp(&(std::cmp::Reverse(b.tier), b.edge, &b.id)));
}

/// The principal that the provider itself named when it was asked whether the credential is live.
pub fn from_identity(finding: &mut Finding) {
    let Some(identity) = finding.liveness.liveness.identity() else { return };
    let Some(id) =
        ["arn", "login", "principal", "organization_id", "organization", "name"].iter().find_map(|name| identity.get(name))
    else {
        return;
    };
    let name = identity.get("user").or_else(|| identity.get("role")).or_else(|| identity.get("login")).unwrap_or(id);
    let at = finding.liveness.at.map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default();
    let evidence = Evidence { technique: "provider-identity".to_owned(), at, value: id.to_owned() };
    let owner = Owner {
        edge: Edge::Principal,
        id: id.to_owned(),
        name: name.to_owned(),
        tier: Tier::Proven,
        evidence: vec![evidence],
    };
    add(finding, owner);
}
