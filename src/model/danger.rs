//! How dangerous a finding is: liveness × reach × exposure × environment, and what of it is known to say so. A ranking for
//! people who have one hour, not a measure of anything.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use super::{Edge, Finding, Liveness, Provenance, Severity};

/// Where a credential works, as far as names tell. In order of how much hangs on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Environment {
    /// Somebody's own machine, or tests.
    Development,
    /// Like production, with fewer people on it.
    Staging,
    /// What people rely on.
    Production,
}

/// Words of names that tell an environment: namespaces, folders, suffixes of files, deployment environments.
const WORDS: [(Environment, &[&str]); 3] = [
    (Environment::Production, &["prod", "production", "prd"]),
    (Environment::Staging, &["staging", "stage", "stg", "uat", "preprod", "preproduction"]),
    (Environment::Development, &["dev", "development", "local", "test", "tests", "testing", "sandbox", "qa"]),
];

/// The fact that says who can read what was scanned, and its one value.
pub const EXPOSURE: &str = "exposure";
/// Anyone can.
pub const PUBLIC: &str = "public";

/// One thing that a finding's danger is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Factor {
    /// Which: `liveness`, `reach`, `exposure`, `environment`.
    pub name: &'static str,
    /// How much it counts: the factors are multiplied.
    pub weight: u32,
    /// Why, in words.
    pub why: String,
}

/// How dangerous a finding is. What is usable comes before what nobody knows, and that before what is dead, whatever else they
/// are; within that the higher product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Danger {
    /// 2 usable, 1 not known, 0 dead or a canary.
    pub class: u8,
    /// The product of the factors.
    pub score: u32,
    /// What it is made of.
    pub factors: Vec<Factor>,
}

/// Kinds of ids that are jobs.
const JOBS: [&str; 5] = ["gha:", "gitlab-ci:", "circleci:", "azure-pipelines:", "bitbucket:"];

impl Environment {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }

    /// By the words of a name; the gravest of several.
    fn of(name: &str) -> Option<Self> {
        let words = name.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_ascii_lowercase);
        let known = |word: String| WORDS.iter().find(|(_, own)| own.contains(&word.as_str())).map(|(kind, _)| *kind);
        words.filter_map(known).max()
    }
}

/// Who may have seen it, as far as places tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exposure {
    /// Files on disk, archives' members included.
    pub files: usize,
    /// Images that carry it.
    pub images: BTreeSet<String>,
    /// Commits and objects of a repository's history.
    pub commits: usize,
    /// A branch that came from, or went to, another place holds it.
    pub pushed: bool,
    /// Anyone can read it, by the operator's word.
    pub public: bool,
    /// When it was first committed or built in, of what is known.
    pub since: Option<Timestamp>,
}

impl Finding {
    /// Where it was seen, summed up.
    pub fn exposure(&self) -> Exposure {
        let public = self.facts.get(EXPOSURE).is_some_and(|word| word == PUBLIC);
        let mut sum = Exposure { public, ..Exposure::default() };
        for seen in &self.occurrences {
            let date = match &seen.provenance {
                Provenance::Commit(place) => {
                    sum.commits += 1;
                    sum.pushed |= place.refs.iter().any(|name| name.starts_with("refs/remotes/"));
                    place.date
                }
                Provenance::Layer(place) => {
                    sum.images.insert(place.image.clone());
                    place.date
                }
                _ => {
                    sum.files += 1;
                    None
                }
            };
            sum.since = [sum.since, date].into_iter().flatten().min();
        }
        sum
    }

    /// Every environment that its workloads name, or, where they name none, the files that it stands in. More than one is a
    /// finding of its own: what leaks from a test opens production.
    pub fn environments(&self) -> BTreeSet<Environment> {
        let consumers = self.owners.iter().filter(|owner| owner.edge == Edge::Consumer);
        let by_use: BTreeSet<Environment> = consumers
            .flat_map(|owner| {
                // Jobs are called `test` for what they do, not for where; what they deploy to is said beside them.
                let id = Some(owner.id.as_str()).filter(|id| !JOBS.iter().any(|kind| id.starts_with(kind)));
                let notes = owner.evidence.iter().filter(|reason| reason.technique.ends_with("environment"));
                id.into_iter().chain(notes.map(|reason| reason.value.as_str()))
            })
            .filter_map(Environment::of)
            .collect();
        if by_use.is_empty() {
            self.occurrences.iter().filter_map(|seen| Environment::of(&seen.path)).collect()
        } else {
            by_use
        }
    }

    /// How dangerous it is, and why.
    pub fn danger(&self) -> Danger {
        let (class, liveness) = self.alive();
        let factors = vec![liveness, self.opens(), self.exposed(), self.runs_in()];
        Danger { class, score: factors.iter().map(|factor| factor.weight).product(), factors }
    }

    fn alive(&self) -> (u8, Factor) {
        let canary = self.facts.contains_key("canary");
        let (class, weight, why) = match &self.liveness.liveness {
            Liveness::Live(_) => (2, 10, "live"),
            Liveness::Limited(..) => (2, 8, "live, with limits"),
            Liveness::Unknown(_) => (1, 5, "not known to be live"),
            // A trap works for whoever set it.
            Liveness::NotChecked(_) if canary => (0, 2, "a canary"),
            Liveness::NotChecked(_) => (1, 4, "not checked"),
            Liveness::Dead(_) => (0, 1, "dead"),
        };
        (class, Factor { name: "liveness", weight, why: why.to_owned() })
    }

    fn opens(&self) -> Factor {
        let root =
            self.liveness.liveness.identity().and_then(|who| who.get("arn")).is_some_and(|arn| arn.ends_with(":root"));
        let by_kind = match self.severity {
            Severity::Critical if root => 12,
            Severity::Critical => 8,
            Severity::High => 5,
            Severity::Medium => 3,
            Severity::Low => 1,
        };
        let weight = self.reach.as_ref().map_or(by_kind, |known| known.weight(by_kind));
        let kind = if root { "an account's root" } else { self.severity.word() };
        let why = match weight.cmp(&by_kind) {
            std::cmp::Ordering::Equal => format!("{kind} by its kind"),
            std::cmp::Ordering::Greater => format!("{kind} by its kind, and more by what it may do"),
            std::cmp::Ordering::Less => format!("{kind} by its kind, and less by what it may do"),
        };
        Factor { name: "reach", weight, why }
    }

    fn exposed(&self) -> Factor {
        let seen = self.exposure();
        let parts = [
            (seen.public, 6, "anyone can read it"),
            (seen.pushed, 3, "on a remote branch"),
            (!seen.images.is_empty(), 2, "in an image"),
            (seen.commits > 0, 1, "in git history"),
        ];
        let held = parts.iter().filter(|(holds, ..)| *holds);
        let weight = 4 + held.clone().map(|(_, weight, _)| weight).sum::<u32>();
        let words: Vec<&str> = held.map(|(.., why)| *why).collect();
        let why = if words.is_empty() { "in files alone, as far as is known".to_owned() } else { words.join(", ") };
        Factor { name: "exposure", weight, why }
    }

    fn runs_in(&self) -> Factor {
        let worst = self.environments().last().copied();
        let weight = match worst {
            Some(Environment::Production) => 4,
            Some(Environment::Staging) => 3,
            None => 2,
            Some(Environment::Development) => 1,
        };
        let why = worst.map_or("not known where it is used", Environment::word).to_owned();
        Factor { name: "environment", weight, why }
    }
}

#[cfg(test)]
mod tests {
    use super::Environment::{self, Development, Production, Staging};
    use crate::model::{Checked, Confidence, Finding, Liveness, Severity};
    use crate::secret::FingerprintKey;

    fn finding(facts: &[(&str, &str)]) -> Finding {
        let fingerprint = FingerprintKey::new([1; 32]).fingerprint(b"x");
        Finding {
            schema: Finding::SCHEMA.to_owned(),
            fingerprint,
            detector: "d".to_owned(),
            provider: "p".to_owned(),
            class: "llm".to_owned(),
            severity: Severity::High,
            confidence: Confidence::High,
            redacted: "…".to_owned(),
            parts: Vec::new(),
            partial: false,
            facts: facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            liveness: Checked { liveness: Liveness::Unknown("x".to_owned()), at: None },
            occurrences: Vec::new(),
            owners: Vec::new(),
            reach: None,
            activity: None,
            playbook: None,
        }
    }

    #[test]
    fn the_score_is_the_product_of_its_reasons_and_what_is_public_counts_for_more() {
        let plain = finding(&[]).danger();
        assert_eq!((plain.class, plain.score), (1, 5 * 5 * 4 * 2));
        assert_eq!(plain.score, plain.factors.iter().map(|factor| factor.weight).product::<u32>());
        let public = finding(&[("exposure", "public")]).danger();
        assert_eq!(public.score, 5 * 5 * 10 * 2);
        assert_eq!(public.factors[2].why, "anyone can read it");
        assert_eq!(finding(&[("exposure", "internal")]).danger(), plain, "only what is known counts");
    }

    #[test]
    fn names_tell_environments_by_whole_words() {
        for (name, expected) in [
            ("k8s:payments-prod/Deployment/api/app", Some(Production)),
            (".env.production", Some(Production)),
            ("deploy/STAGING/values.yaml", Some(Staging)),
            ("tests/fixtures/.env", Some(Development)),
            ("test/prod.env", Some(Production)),
            ("products/delivery/livestream", None),
        ] {
            assert_eq!(Environment::of(name), expected, "{name}");
        }
    }
}
