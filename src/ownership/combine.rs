//! How likely each owner is, and who contradicts whom.
//!
//! Evidence comes in families that do not depend on one another: what a running system said, what the code says, what a
//! catalogue says, where something was built, what people say. Of each family the strongest counts once, so nothing is
//! promoted by being said often; the families together leave the doubt that all of them leave (noisy-or). The number ranks
//! within a tier. What may be done follows from the tier, which is that of the best single reason.

use crate::model::{Edge, Evidence, Owner, Tier, Weight};

/// All of it, in ten-thousandths.
const WHOLE: u32 = 10_000;
/// Without anything proven nobody is surer than this.
const UNPROVEN: u16 = 9_500;
/// Two that differ by no more than this are as likely.
const NEAR: u16 = 1_000;
/// Rivals of one question that are compared with each other.
const RIVALS: usize = 50;

/// Kinds of evidence that do not depend on one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    /// A provider or a running system said it.
    Runtime,
    /// Code and manifests.
    Code,
    /// Catalogues and tags: written down for people.
    Catalogue,
    /// Where an image or a package was built.
    Provenance,
    /// People, by their own word or by what they did.
    People,
}

const FAMILIES: [Family; 5] = [Family::Runtime, Family::Code, Family::Catalogue, Family::Provenance, Family::People];

/// What begins so was read in a running system.
const RUNTIME: [&str; 6] = ["k8s-live-", "vault-", "aws-lambda-", "aws-ecs-", "openai-key-", "anthropic-key-"];

impl Family {
    /// What is not listed was read in code or manifests.
    fn of(technique: &str) -> Self {
        match technique {
            "sts-caller-identity" | "ssh-greeting" | "iam-key-last-used" | "credential-says" => Self::Runtime,
            // Written down for people, wherever it was read.
            "k8s-live-label"
            | "vault-custom-metadata"
            | "vault-token-metadata"
            | "aws-secret-tag"
            | "aws-lambda-tag"
            | "aws-ecs-tag" => Self::Catalogue,
            live if RUNTIME.iter().any(|start| live.starts_with(start)) => Self::Runtime,
            "iam-user-tag" | "iam-role-tag" | "backstage-owner" | "cortex-owner" | "opslevel-owner" | "datadog-team"
            | "compass-owner" => Self::Catalogue,
            "oci-label" | "sbom-source" | "provenance-source" => Self::Provenance,
            "attestation" | "codeowners" | "git-blame" => Self::People,
            _ => Self::Code,
        }
    }
}

/// What one reason of a tier is worth.
fn base(tier: Tier) -> u32 {
    match tier {
        Tier::Proven => 9_900,
        Tier::Bound => 9_000,
        Tier::Declared => 7_500,
        Tier::Inferred => 5_000,
        Tier::Circumstantial => 2_500,
    }
}

/// Fills in how likely the owners of one finding are, and which are contested. Doing it twice changes nothing.
pub(super) fn weigh(owners: &mut [Owner]) {
    for owner in owners.iter_mut() {
        owner.confidence = combined(owner);
        owner.contested = false;
    }
    // A credential may have many consumers and custodians, and they do not exclude each other. It authenticates as one, and
    // one decides.
    for edge in [Edge::Principal, Edge::Accountable] {
        for index in contested(owners, edge) {
            owners[index].contested = true;
        }
    }
}

fn combined(owner: &Owner) -> Weight {
    let of = |reason: &Evidence| reason.tier.unwrap_or(owner.tier);
    let strongest =
        |family: &Family| owner.evidence.iter().filter(|reason| Family::of(&reason.technique) == *family).map(of).max();
    let mut tiers: Vec<Tier> = FAMILIES.iter().filter_map(strongest).collect();
    if tiers.is_empty() {
        tiers.push(owner.tier);
    }
    let doubt = tiers.iter().fold(WHOLE, |doubt, tier| doubt * (WHOLE - base(*tier)) / WHOLE);
    let sure = u16::try_from(WHOLE - doubt).unwrap_or(u16::MAX);
    Weight(if tiers.contains(&Tier::Proven) { sure } else { sure.min(UNPROVEN) })
}

/// The family that an owner's best reason is of.
fn leading(owner: &Owner) -> Family {
    let best = owner.evidence.iter().max_by_key(|reason| reason.tier);
    best.map_or(Family::Code, |reason| Family::of(&reason.technique))
}

/// The likeliest answers to a question, where two of them rest on different families and name different owners.
fn contested(owners: &[Owner], edge: Edge) -> Vec<usize> {
    let all = || owners.iter().enumerate().filter(|(_, owner)| owner.edge == edge);
    let top = all().map(|(_, owner)| owner.confidence.0).max().unwrap_or_default();
    let near: Vec<(usize, &Owner)> = all().filter(|(_, owner)| top - owner.confidence.0 <= NEAR).take(RIVALS).collect();
    let rival = |a: &Owner| near.iter().any(|(_, b)| leading(a) != leading(b) && called(a) != called(b));
    near.iter().filter(|(_, owner)| rival(owner)).map(|(index, _)| *index).collect()
}

/// A name under which two ids may be one: catalogues and people write a team's name in their own ways.
fn called(owner: &Owner) -> String {
    let (kind, rest) = owner.id.split_once(':').unwrap_or(("", &owner.id));
    let team = match kind {
        "backstage" => rest.strip_prefix("group:"),
        "team" | "cortex" | "opslevel" | "datadog" => Some(rest),
        _ => None,
    };
    let last = team.map(|name| name.rsplit('/').next().unwrap_or(name).trim_start_matches('@').to_lowercase());
    last.map_or_else(|| owner.id.clone(), |name| format!("team {name}"))
}

#[cfg(test)]
mod tests {
    use super::super::roll::{Roll, evidence, owner};
    use crate::model::{Edge, Owner, Tier, Weight};

    /// An owner with a reason for each technique and tier.
    fn with(edge: Edge, id: &str, reasons: &[(&str, Tier)]) -> Vec<Owner> {
        let one = |(n, (technique, tier)): (usize, &(&str, Tier))| {
            let mut one = owner(edge, id, id, *tier);
            one.evidence.push(evidence(technique, format!("a:{n}"), "v"));
            one
        };
        reasons.iter().enumerate().map(one).collect()
    }

    fn rolled(owners: Vec<Owner>) -> Vec<Owner> {
        Roll::with(owners).finish()
    }

    #[test]
    fn families_add_up_and_repetition_does_not() {
        use Tier::{Bound, Circumstantial, Declared, Inferred, Proven};
        for (reasons, tier, weight) in [
            (&[("k8s-secret", Bound)][..], Bound, 9_000),
            (&[("k8s-secret", Bound), ("compose-environment", Bound), ("helm-value", Declared)], Bound, 9_000),
            (&[("helm-value", Inferred); 30], Inferred, 5_000),
            (&[("backstage-owner", Declared), ("attestation", Declared)], Declared, 9_375),
            // 0.975, were it proven by anyone.
            (&[("attestation", Declared), ("k8s-secret", Bound)], Bound, 9_500),
            (&[("sts-caller-identity", Proven)], Proven, 9_900),
            (&[("sts-caller-identity", Proven), ("k8s-secret", Bound)], Proven, 9_990),
            (&[("git-blame", Circumstantial), ("codeowners", Circumstantial)], Circumstantial, 2_500),
            (&[("k8s-live-env", Proven), ("vault-token-lookup", Proven)], Proven, 9_900),
            (&[("aws-lambda-environment", Proven), ("terraform", Bound)], Proven, 9_990),
            (&[("vault-approle-policy", Inferred), ("aws-ecs-tag", Declared)], Declared, 8_750),
        ] {
            let all = rolled(with(Edge::Consumer, "x", reasons));
            assert_eq!((all[0].tier, all[0].confidence), (tier, Weight(weight)), "{reasons:?}");
            assert_eq!(rolled(all.clone()), all, "twice is once");
        }
    }

    #[test]
    fn what_is_bound_stays_so_when_something_weaker_is_seen_as_well() {
        let all = rolled(with(Edge::Consumer, "x", &[("a", Tier::Bound), ("b", Tier::Inferred)]));
        let tiers: Vec<_> = all[0].evidence.iter().map(|reason| reason.tier).collect();
        assert_eq!(tiers, [Some(Tier::Bound), Some(Tier::Inferred)]);
    }

    #[test]
    fn two_that_cannot_both_be_right_are_contested_and_never_averaged() {
        let book = |id| with(Edge::Accountable, id, &[("backstage-owner", Tier::Declared)]);
        let word = |id| with(Edge::Accountable, id, &[("attestation", Tier::Declared)]);
        let guess = with(Edge::Accountable, "team:c", &[("attestation", Tier::Inferred)]);
        let contested = |owners: Vec<Vec<Owner>>| -> Vec<String> {
            rolled(owners.concat()).into_iter().filter(|owner| owner.contested).map(|owner| owner.id).collect()
        };
        let (a, b) = ("backstage:group:default/a", "team:b");
        assert_eq!(contested(vec![book(a), word(b)]), [a, b]);
        assert_eq!(contested(vec![book(a), word(b), guess.clone()]), [a, b], "far below is no rival");
        assert!(contested(vec![book(a), guess]).is_empty());
        assert!(contested(vec![book(a), book("cortex:b")]).is_empty(), "one family");
        assert!(contested(vec![book(a), word("team:@org/A")]).is_empty(), "one team, written in two ways");
        assert_eq!(contested(vec![book("backstage:user:default/a"), word("team:a")]).len(), 2, "a person is no team");
        let consumers = ["x", "y"].map(|id| with(Edge::Consumer, id, &[("attestation", Tier::Declared)]));
        assert!(contested(consumers.to_vec()).is_empty(), "a key may have many consumers");
    }
}
