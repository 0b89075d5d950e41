//! What people attest: who decides, or what runs with it. Declared while it is young, and only until its day.

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::roll::{Roll, clean, evidence, owner};
use crate::model::{Attestation, Edge, Evidence, Finding, Owner, SpiffeId, Tier};

const TECHNIQUE: &str = "attestation";
/// What was declared longer ago than this is only inferred: teams are renamed and people leave.
const FRESH: SignedDuration = SignedDuration::from_hours(365 * 24);
/// Kinds of ids that name who decides; others are a team's or a person's plain name.
const DECIDERS: [&str; 9] =
    ["team:", "user:", "mail:", "backstage:", "cortex:", "opslevel:", "datadog:", "compass:", "slack:"];
/// Longest name that is taken.
const LONGEST: usize = 253;

/// Who is named, as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named<'a> {
    /// A team's name, or the id of one that a catalogue names.
    Team(&'a str),
    /// A person's mail address or account.
    Person(&'a str),
    /// A workload's id, as findings show it.
    Workload(&'a str),
}

impl Named<'_> {
    /// Edge, id and name, or in words why it cannot be one.
    pub fn resolve(self) -> Result<(Edge, String, String), String> {
        let (Self::Team(text) | Self::Person(text) | Self::Workload(text)) = self;
        let text = text.trim();
        if text.is_empty() || text.len() > LONGEST || clean(text) != text {
            return Err(format!("a name has 1 to {LONGEST} characters, all of which can be seen"));
        }
        let known = DECIDERS.iter().any(|kind| text.len() > kind.len() && text.starts_with(kind));
        let id = match self {
            Self::Workload(_) if !is_workload(text) => {
                return Err(format!(
                    "{text:?} is no workload's id: KIND:NAME as findings show it, such as k8s:prod/Deployment/api/app"
                ));
            }
            Self::Workload(_) => text.to_owned(),
            _ if known => text.to_owned(),
            Self::Team(_) => format!("team:{text}"),
            Self::Person(_) if text.contains('@') && !text.starts_with('@') => format!("mail:{text}"),
            Self::Person(_) => format!("user:{text}"),
        };
        let edge = if matches!(self, Self::Workload(_)) { Edge::Consumer } else { Edge::Accountable };
        let name = if known { text.rsplit([':', '/']).next().unwrap_or(text) } else { text };
        Ok((edge, id, name.to_owned()))
    }
}

/// `KIND:REST`, with a kind in lower case; a SPIFFE id by its own rules.
fn is_workload(text: &str) -> bool {
    if text.starts_with("spiffe:") {
        return SpiffeId::parse(text).is_some();
    }
    let parts = text.split_once(':');
    parts.is_some_and(|(kind, rest)| {
        !rest.is_empty()
            && !kind.is_empty()
            && kind.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    })
}

/// Makes a finding's attested owners those that hold now: what has ended or was taken back is no evidence any more.
pub fn attest(finding: &mut Finding, attestations: &[Attestation], now: Timestamp) {
    let mut owners = std::mem::take(&mut finding.owners);
    for owner in &mut owners {
        if owner.evidence.iter().all(|reason| reason.technique != TECHNIQUE) {
            continue;
        }
        owner.evidence.retain(|reason| reason.technique != TECHNIQUE);
        owner.tier = owner.evidence.iter().filter_map(|reason| reason.tier).max().unwrap_or(Tier::Circumstantial);
    }
    // One that rested on a person's word alone.
    owners.retain(|owner| !owner.evidence.is_empty());
    let mut roll = Roll::with(owners);
    let today = Offset::UTC.to_datetime(now).date();
    let holding = attestations.iter().filter(|one| one.fingerprint == finding.fingerprint && one.holds(today));
    holding.for_each(|one| roll.add(said(one, now)));
    finding.owners = roll.finish();
}

fn said(attestation: &Attestation, now: Timestamp) -> Owner {
    let old = now.duration_since(attestation.made) > FRESH;
    let tier = if old { Tier::Inferred } else { Tier::Declared };
    let mut owner = owner(attestation.edge, &attestation.owner, &attestation.name, tier);
    owner.spiffe_id = SpiffeId::parse(&attestation.owner).map(|id| id.to_string());
    let made = attestation.made.strftime("%Y-%m-%d");
    let value = format!("{} said so on {made}, until {}", attestation.by, attestation.until);
    let reason = evidence(TECHNIQUE, format!("staunch own, number {}", attestation.id), value);
    owner.evidence.push(Evidence { as_of: Some(attestation.made), ..reason });
    owner
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use jiff::{SignedDuration, Timestamp};

    use super::super::artefacts::testing::{VALUE, finding, shared_key, tree};
    use super::{Named, attest};
    use crate::model::{Attestation, Edge, Tier, Withdrawal};
    use crate::secret::FingerprintKey;

    const MADE: Timestamp = Timestamp::UNIX_EPOCH;

    fn word(owner: &str) -> Attestation {
        Attestation {
            id: 3,
            fingerprint: shared_key().fingerprint(VALUE.as_bytes()),
            edge: Edge::Accountable,
            owner: owner.to_owned(),
            name: "x".to_owned(),
            by: "kim".to_owned(),
            made: MADE,
            until: date(1972, 1, 31),
            withdrawn: None,
        }
    }

    #[test]
    fn names_become_ids() {
        use Named::{Person, Team, Workload};
        for (named, id) in [
            (Team("payments"), "team:payments"),
            (Team(" @org/payments "), "team:@org/payments"),
            (Team("backstage:group:default/payments"), "backstage:group:default/payments"),
            (Person("a@b.example"), "mail:a@b.example"),
            (Person("@kim"), "user:@kim"),
            (Workload("k8s:prod/Deployment/api/app"), "k8s:prod/Deployment/api/app"),
            (Workload("spiffe://prod.example/ns/a/sa/b"), "spiffe://prod.example/ns/a/sa/b"),
        ] {
            assert_eq!(named.resolve().map(|(_, id, _)| id).as_deref(), Ok(id));
        }
        let long = "x".repeat(300);
        for named in [
            Team(""),
            Team("a\u{1b}[31m"),
            Person(&long),
            Workload("api"),
            Workload("k8s:"),
            Workload("K8S:x"),
            Workload("spiffe://Prod/a"),
        ] {
            assert!(named.resolve().is_err(), "{named:?}");
        }
    }

    #[test]
    fn it_counts_from_its_making_to_the_end_of_its_day() {
        let last: Timestamp = "1972-01-31T23:59:59Z".parse().expect("a time");
        let withdrawn = Attestation { withdrawn: Some(Withdrawal { by: "kim".into(), at: MADE }), ..word("team:a") };
        let other = FingerprintKey::new([9; 32]).fingerprint(VALUE.as_bytes());
        let other = Attestation { fingerprint: other, ..word("team:a") };
        for (one, now, tier) in [
            (word("team:a"), MADE, Some(Tier::Declared)),
            (word("team:a"), last, Some(Tier::Inferred)),
            (word("team:a"), last + SignedDuration::from_secs(1), None),
            (withdrawn, MADE, None),
            (other, MADE, None),
        ] {
            let mut found = finding(VALUE);
            attest(&mut found, std::slice::from_ref(&one), now);
            assert_eq!(found.owners.first().map(|owner| owner.tier), tier, "{one:?} {now}");
        }
    }

    #[test]
    fn what_has_ended_leaves_the_other_reasons_alone() {
        let mut found = finding(VALUE);
        let catalogue = "kind: Component\nmetadata: {name: api}\nspec: {owner: a}\n";
        found.occurrences.push(super::super::artefacts::testing::seen("x.py", 1, 0..9));
        found.owners = tree(&[("catalog-info.yaml", catalogue)]).resolve(&found);
        let before = found.owners.clone();
        let words = [word("backstage:group:default/a"), word("team:b")];
        attest(&mut found, &words, MADE);
        let likely: Vec<_> = found.owners.iter().map(|owner| (owner.id.as_str(), owner.confidence.0)).collect();
        assert_eq!(likely, [("backstage:group:default/a", 9_375), ("team:b", 7_500)]);
        let once = found.clone();
        attest(&mut found, &words, MADE);
        assert_eq!(found, once);
        attest(&mut found, &[], MADE);
        assert_eq!(found.owners, before);
    }
}
