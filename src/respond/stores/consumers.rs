//! Workloads that read a store only at their start, and so must be restarted after it was written: Deployments of Kubernetes.
//! Source: Kubernetes, "Deployments" (`kubectl rollout restart` sets the pod template's annotation
//! `kubectl.kubernetes.io/restartedAt`; `kubectl rollout status` waits until the controller has seen the generation and every replica
//! is updated and available).

use serde::Deserialize;
use serde_json::json;

use super::StoreAt;
use super::wire::{Wire, body, parsed, segment};
use crate::net::Method;
use crate::respond::Hands;
use crate::respond::actions::Trouble;

/// A workload, as the operator lists it.
pub struct ConsumerAt {
    /// `NAMESPACE/NAME` of a Deployment, its API server's address and the credential.
    pub place: StoreAt,
    /// What names the store that it reads: that store's `at`.
    pub reads: String,
}

/// A Deployment.
pub(in crate::respond) struct Consumer {
    at: String,
    pub(in crate::respond) reads: String,
    wire: Wire,
}

#[derive(Deserialize)]
struct Found {
    metadata: Metadata,
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize)]
struct Metadata {
    generation: u64,
}

#[derive(Deserialize)]
struct Spec {
    #[serde(default)]
    replicas: u64,
    template: Template,
}

#[derive(Deserialize)]
struct Template {
    #[serde(default)]
    metadata: TemplateMetadata,
}

#[derive(Deserialize, Default)]
struct TemplateMetadata {
    #[serde(default)]
    annotations: std::collections::BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    observed_generation: u64,
    updated_replicas: u64,
    available_replicas: u64,
    replicas: u64,
}

const RESTARTED: &str = "kubectl.kubernetes.io/restartedAt";

/// How a Deployment stands.
pub(in crate::respond) struct Standing {
    /// When it was restarted last, as whoever did so wrote it.
    pub(in crate::respond) restarted: Option<String>,
    /// Whether all of it runs as it is declared now.
    pub(in crate::respond) settled: bool,
}

impl Consumer {
    pub(super) fn at(at: &ConsumerAt) -> Self {
        let wire = Wire::at(&at.place, ("kubernetes-admin", None));
        Self { at: at.place.at.clone(), reads: at.reads.clone(), wire }
    }

    /// What it is called in plans and journals.
    pub(in crate::respond) fn name(&self) -> String {
        format!("kubernetes-deployment {}", self.at)
    }

    fn path(&self) -> Result<String, Trouble> {
        let named = self.at.split_once('/').filter(|(space, name)| !space.is_empty() && !name.is_empty());
        let (space, name) = named.ok_or_else(|| Trouble::Failed("`at` is NAMESPACE/NAME".to_owned()))?;
        Ok(format!("/apis/apps/v1/namespaces/{}/deployments/{}", segment(space), segment(name)))
    }

    /// How it stands now.
    pub(in crate::respond) async fn look(&self, hands: &Hands) -> Result<Standing, Trouble> {
        let answer = self.wire.get(hands, &self.path()?).await?;
        let found: Found = parsed(&answer)?;
        let (status, wanted) = (&found.status, found.spec.replicas);
        let settled = status.observed_generation >= found.metadata.generation
            && status.updated_replicas == wanted
            && status.available_replicas == wanted
            && status.replicas == wanted;
        Ok(Standing { restarted: found.spec.template.metadata.annotations.get(RESTARTED).cloned(), settled })
    }

    /// Restarts it. The same mark again changes nothing.
    pub(in crate::respond) async fn restart(&self, hands: &Hands, mark: &str) -> Result<(), Trouble> {
        let annotations = json!({ RESTARTED: mark });
        let patch = json!({ "spec": { "template": { "metadata": { "annotations": annotations } } } });
        let kind = "application/strategic-merge-patch+json";
        self.wire.act(hands, (Method::Patch, &self.path()?), (kind, body(&patch))).await.map(drop)
    }
}
