//! Credential → workload, principal and owner, as a graph: what dot and the HTML page draw. A node for each owner, however
//! many credentials lead to it, so that what is shared is seen.

use std::collections::BTreeMap;

use super::text::clean;
use crate::model::{Edge, Finding, Tier};

/// Credentials drawn. A graph of more is a carpet; the list has them all.
const CREDENTIALS: usize = 60;
/// Owners drawn.
const OWNERS: usize = 150;
/// Characters of a label.
const LABEL: usize = 54;

/// A drawn graph's content.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) credentials: Vec<Credential>,
    pub(super) owners: Vec<Node>,
    pub(super) arrows: Vec<Arrow>,
    /// Credentials and owners that are not drawn.
    pub(super) left_out: usize,
}

/// A credential by its name, never its value.
#[derive(Debug)]
pub(super) struct Credential {
    pub(super) title: String,
    pub(super) line: String,
    pub(super) usable: bool,
}

/// An owner on one edge.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) edge: Edge,
    pub(super) title: String,
}

/// From a credential to an owner, by their places in the lists.
#[derive(Debug)]
pub(super) struct Arrow {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) tier: Tier,
    pub(super) contested: bool,
}

/// What of findings is drawn: those with an owner, in their order. Who leaked it is no part of what breaks or who decides.
pub(super) fn graph(findings: &[Finding]) -> Graph {
    let mut graph = Graph::default();
    let mut places: BTreeMap<(Edge, &str), usize> = BTreeMap::new();
    for finding in findings {
        let owners: Vec<_> = finding.owners.iter().filter(|owner| owner.edge != Edge::Custodian).collect();
        if owners.is_empty() {
            continue;
        }
        if graph.credentials.len() >= CREDENTIALS {
            graph.left_out += 1;
            continue;
        }
        let from = graph.credentials.len();
        let state = finding.liveness.liveness.state().replace('_', " ");
        graph.credentials.push(Credential {
            title: short(&format!("{} {}", finding.detector, finding.redacted)),
            line: format!("{state}, {}", finding.fingerprint.short()),
            usable: finding.liveness.liveness.is_usable(),
        });
        for owner in owners {
            let key = (owner.edge, owner.id.as_str());
            if !places.contains_key(&key) && graph.owners.len() >= OWNERS {
                graph.left_out += 1;
                continue;
            }
            let to = *places.entry(key).or_insert_with(|| {
                graph.owners.push(Node { edge: owner.edge, title: short(&owner.id) });
                graph.owners.len() - 1
            });
            graph.arrows.push(Arrow { from, to, tier: owner.tier, contested: owner.contested });
        }
    }
    graph
}

/// What stands at an arrow.
pub(super) fn word(edge: Edge) -> &'static str {
    match edge {
        Edge::Principal => "speaks as",
        Edge::Consumer => "used by",
        Edge::Accountable => "decided by",
        Edge::Custodian => "leaked by",
    }
}

/// Both ends of a long label: ids tell their kind first and their name last.
fn short(text: &str) -> String {
    let text: Vec<char> = clean(text).chars().collect();
    if text.len() <= LABEL {
        return text.into_iter().collect();
    }
    let (head, tail) = (&text[..LABEL / 2], &text[text.len() - LABEL / 2 + 1..]);
    head.iter().chain(&['…']).chain(tail).collect()
}
