//! How dangerous a finding is: liveness × reach × exposure × environment, and what of it is known to say so. A ranking for
//! people who have one hour, not a measure of anything.

use std::collections::BTreeSet;

use jiff::Timestamp;

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
    /// When it was first committed or built in, of what is known.
    pub since: Option<Timestamp>,
}

impl Finding {
    /// Where it was seen, summed up.
    pub fn exposure(&self) -> Exposure {
        let mut sum = Exposure::default();
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

    /// The product; more is worse. What is usable comes before what nobody knows, and that before what is dead, whatever
    /// else they are.
    pub fn danger(&self) -> (u8, u32) {
        let (class, alive) = match self.liveness.liveness {
            Liveness::Live(_) => (2, 10),
            Liveness::Limited(..) => (2, 8),
            Liveness::Unknown(_) => (1, 5),
            // A trap works for whoever set it.
            Liveness::NotChecked(_) if self.facts.contains_key("canary") => (0, 2),
            Liveness::NotChecked(_) => (1, 4),
            Liveness::Dead(_) => (0, 1),
        };
        let root =
            self.liveness.liveness.identity().and_then(|who| who.get("arn")).is_some_and(|arn| arn.ends_with(":root"));
        let reach = match self.severity {
            Severity::Critical if root => 12,
            Severity::Critical => 8,
            Severity::High => 5,
            Severity::Medium => 3,
            Severity::Low => 1,
        };
        let reach = self.reach.as_ref().map_or(reach, |known| known.weight(reach));
        let seen = self.exposure();
        let exposed = 4 + 2 * u32::from(!seen.images.is_empty()) + 3 * u32::from(seen.pushed) + u32::from(seen.commits > 0);
        let environment = match self.environments().last() {
            Some(Environment::Production) => 4,
            Some(Environment::Staging) => 3,
            None => 2,
            Some(Environment::Development) => 1,
        };
        (class, alive * reach * exposed * environment)
    }
}

#[cfg(test)]
mod tests {
    use super::Environment::{self, Development, Production, Staging};

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
