//! Finding → workload → owner, with the evidence for each arrow.
//!
//! `artefacts` reads what the scanned tree itself says, `people` asks the repository, `live` asks the provider. Four edges
//! are kept apart: as whom a credential authenticates, which workload breaks without it, who may approve revoking it, who
//! must remove the leak. "Unknown" is not "nobody": what could not be read or asked is counted and said.

mod artefacts;
mod attested;
mod combine;
mod images;
mod live;
mod people;
mod roll;
mod says;

pub use artefacts::{Artefacts, Trust};
pub use attested::{Named, attest};
pub use live::ask_aws;
pub use live::aws::ask_aws_stores;
pub use live::board::{Board, Told};
pub use live::iam::{IamAnswer, iam_owners};
pub use live::inventories::{ask_anthropic, ask_openai};
pub use live::kubernetes::{Cluster, Credential as ClusterCredential, ask_kubernetes, kubeconfig};
pub use live::turns::{MOST_KEYS, turns};
pub use live::vault::ask_vault;
pub use people::{GitLimits, GitPeople, GitTally};

use crate::model::{Finding, Owner};
use roll::Roll;

/// Why ownership could not be asked for. Nothing here keeps a scan from being complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OwnershipError {
    /// There is no repository here, or it cannot be read.
    #[error("not a git repository that can be read: authors stay unknown")]
    Repository,
    /// A bare repository.
    #[error("the repository has no working tree: authors stay unknown")]
    NoWorktree,
    /// `HEAD` leads to no commit.
    #[error("the repository has no commit yet: authors stay unknown")]
    NoCommit,
}

/// What [`attribute`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attributed {
    /// Findings with at least one owner on any edge.
    pub owned: usize,
    /// Findings for which at least one consuming workload is known.
    pub consumed: usize,
    /// Findings with more owners than are kept; those listed are not all.
    pub cut: usize,
}

/// Fills in the owners of findings, best proven first: from the tree, from the answer that validation had, and from
/// history where `people` is given. Owners already there stay; doing it twice changes nothing.
pub fn attribute(findings: &mut [Finding], artefacts: &Artefacts, mut people: Option<&mut GitPeople>) -> Attributed {
    let mut done = Attributed::default();
    for finding in findings {
        let mut roll = Roll::with(std::mem::take(&mut finding.owners));
        if let Some(principal) = live::identity::principal(finding) {
            roll.add(principal);
        }
        says::call(finding, &mut roll);
        images::call(finding, &mut roll);
        artefacts.call(finding, &mut roll);
        if let Some(people) = people.as_deref_mut() {
            people.call(finding, &mut roll);
        }
        done.cut += usize::from(roll.is_cut());
        finding.owners = roll.finish();
        done.owned += usize::from(!finding.owners.is_empty());
        done.consumed += usize::from(finding.owners.iter().any(|owner| owner.edge == crate::model::Edge::Consumer));
    }
    done
}

/// Adds owners that were asked for one by one, such as those of [`iam_owners`].
pub fn add_owners(finding: &mut Finding, owners: Vec<Owner>) {
    let mut roll = Roll::with(std::mem::take(&mut finding.owners));
    for owner in owners {
        roll.add(owner);
    }
    finding.owners = roll.finish();
}

#[cfg(test)]
mod tests {
    use super::artefacts::testing::{VALUE, finding, seen, tree};
    use super::{Attributed, add_owners, attribute};
    use crate::model::{Checked, Edge, Identity, Liveness, Tier};

    #[test]
    fn all_sources_end_in_one_list_best_first_and_twice_is_once() {
        let compose = format!("services: {{api: {{environment: {{KEY: {VALUE}}}}}}}\n");
        let known = tree(&[("compose.yaml", &compose), ("CODEOWNERS", "* @org/team\n")]);
        let mut live = finding(VALUE);
        live.occurrences.push(seen("src/a.py", 1, 0..9));
        let mut identity = Identity::default();
        identity.set("arn", "arn:aws:iam::111122223333:user/x");
        live.liveness = Checked { liveness: Liveness::Live(identity), at: None };
        let mut findings = [live, finding("a value that nobody uses")];
        let done = attribute(&mut findings, &known, None);
        assert_eq!(done, Attributed { owned: 1, consumed: 1, cut: 0 });
        let edges: Vec<_> = findings[0].owners.iter().map(|owner| (owner.edge, owner.tier)).collect();
        let expected =
            [(Edge::Principal, Tier::Proven), (Edge::Consumer, Tier::Bound), (Edge::Custodian, Tier::Circumstantial)];
        assert_eq!(edges, expected);
        let once = findings.clone();
        attribute(&mut findings, &known, None);
        add_owners(&mut findings[0], once[0].owners.clone());
        assert_eq!(findings, once);
    }
}
