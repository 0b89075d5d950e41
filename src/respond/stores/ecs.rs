//! The task definition that a service of Amazon ECS runs: what stands in its containers' environment (or anywhere else in them). A
//! revision cannot be changed, so another is registered with the new value and everything else as it was, and the service is moved to
//! it, which rolls its tasks; whether they have all come up is told by [`Store::settled`]. The revision before stays, with the old value.
//! A value that a container gets from Secrets Manager or Systems Manager stands in those, which are stores of their own; its
//! service is a consumer that must be rolled by hand.
//!
//! ECS takes no token and no precondition: the service is looked at again just before it is moved. A revision that was registered and
//! is not run is deregistered, as it holds the new value; where that is not possible, or whether it is run is not known, that is said.
//! Source: ECS API reference, DescribeServices, DescribeTaskDefinition (`include`: TAGS), RegisterTaskDefinition, UpdateService,
//! DeregisterTaskDefinition; Deployment (`rolloutState`: COMPLETED, FAILED, IN_PROGRESS; of the rolling update's controller alone);
//! TaskDefinition for what is told of a revision and not taken.

mod left;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

use super::aws::{Asking, Service, region};
use super::wire::{body, parsed, with};
use super::{Held, Store, StoreAt, Write, named};
use crate::net::Method;
use crate::respond::Hands;
use crate::respond::actions::{Doing, Trouble};
use crate::secret::Secret;

/// Members of a revision that its registration does not take.
const TOLD: [&str; 9] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
];
const CONTAINERS: &str = "containerDefinitions";

pub(super) struct Ecs {
    at: String,
    service: Service,
}

#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    services: Vec<Running>,
}

/// A service, as it runs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Running {
    status: String,
    pub(super) task_definition: String,
    #[serde(default)]
    pub(super) deployments: Vec<Deployment>,
    deployment_controller: Option<Controller>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Deployment {
    status: String,
    pub(super) task_definition: String,
    rollout_state: Option<String>,
}

#[derive(Deserialize)]
struct Controller {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Described<'b> {
    #[serde(borrow)]
    task_definition: BTreeMap<String, &'b RawValue>,
    #[serde(borrow)]
    tags: Option<&'b RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Registered {
    task_definition: Arn,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Arn {
    task_definition_arn: String,
}

fn refused(why: impl Into<String>) -> Trouble {
    Trouble::Refused { status: 0, why: why.into() }
}

impl Ecs {
    pub(super) fn at(at: &StoreAt) -> Self {
        Self { at: at.at.clone(), service: Service { name: "ecs", region: region(at) } }
    }

    fn names(&self) -> Result<(&str, &str), Trouble> {
        let named = self.at.split_once('/').filter(|(cluster, service)| !cluster.is_empty() && !service.is_empty());
        named.ok_or_else(|| Trouble::Failed("`at` is CLUSTER/SERVICE".to_owned()))
    }

    async fn send(
        &self,
        hands: &Hands,
        (target, changes): (&'static str, bool),
        body: Zeroizing<Vec<u8>>,
    ) -> Result<Zeroizing<Vec<u8>>, Trouble> {
        let asking = Asking { method: Method::Post, path: "/", target: Some(target), body };
        self.service.send(hands, &asking, changes).await
    }

    /// The service now.
    async fn running(&self, hands: &Hands) -> Result<Running, Trouble> {
        let (cluster, service) = self.names()?;
        let ask = body(&json!({ "cluster": cluster, "services": [service] }));
        let target = ("AmazonEC2ContainerServiceV20141113.DescribeServices", false);
        let found: Found = self.service.call(hands, target, ask).await?;
        let running = found.services.into_iter().next().ok_or(Trouble::Absent)?;
        if running.status != "ACTIVE" {
            return Err(Trouble::Absent);
        }
        match running.deployment_controller.as_ref().map_or("ECS", |controller| controller.kind.as_str()) {
            "ECS" => Ok(running),
            other => Err(refused(format!(
                "its deployments are made by {other}, not by ECS; have that deploy a revision with the new value"
            ))),
        }
    }

    /// A revision with its tags, as it came.
    async fn described(&self, hands: &Hands, revision: &str) -> Result<Zeroizing<Vec<u8>>, Trouble> {
        let ask = body(&json!({ "taskDefinition": revision, "include": ["TAGS"] }));
        self.send(hands, ("AmazonEC2ContainerServiceV20141113.DescribeTaskDefinition", false), ask).await
    }

    async fn held(&self, hands: &Hands, revision: &str) -> Result<Held, Trouble> {
        let found = self.described(hands, revision).await?;
        let found: Described<'_> = parsed(&found)?;
        let containers = found.task_definition.get(CONTAINERS);
        let containers = containers.ok_or_else(|| Trouble::Unknown("the answer is not as it is documented".to_owned()))?;
        let fields = vec![(String::new(), Secret::new(containers.get().as_bytes()))];
        Ok(Held { fields, version: revision.to_owned() })
    }

    async fn put(&self, hands: &Hands, change: &Write<'_>) -> Result<(), Trouble> {
        let (cluster, service) = self.names()?;
        let (_, text) = change.fields.first().ok_or(Trouble::Absent)?;
        let before = self.described(hands, &change.before.version).await?;
        let before: Described<'_> = parsed(&before)?;
        let mut members: Vec<(&str, Zeroizing<Vec<u8>>)> = Vec::new();
        for (name, value) in &before.task_definition {
            if name != CONTAINERS && !TOLD.contains(&name.as_str()) && value.get() != "null" {
                members.push((name.as_str(), Zeroizing::new(value.get().as_bytes().to_vec())));
            }
        }
        // An empty list of tags is not taken.
        let tags = before.tags.filter(|tags| !matches!(tags.get(), "null" | "[]"));
        members.extend(tags.map(|tags| ("tags", Zeroizing::new(tags.get().as_bytes().to_vec()))));
        members.push((CONTAINERS, Zeroizing::new(text.expose().to_vec())));
        let register = with(&json!({}), &members);
        if self.running(hands).await?.task_definition != change.before.version {
            return Err(Trouble::Failed("somebody moved it to another revision just now".to_owned()));
        }
        let target = ("AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition", true);
        let made = self.send(hands, target, register).await?;
        let made: Registered = parsed(&made)?;
        let new = made.task_definition.task_definition_arn;
        let moved = match self.running(hands).await {
            Ok(running) if running.task_definition == change.before.version => {
                let update = body(&json!({ "cluster": cluster, "service": service, "taskDefinition": new }));
                self.send(hands, ("AmazonEC2ContainerServiceV20141113.UpdateService", true), update).await.map(drop)
            }
            Ok(_) => Err(Trouble::Failed("somebody moved it to another revision just now".to_owned())),
            Err(trouble) => Err(trouble),
        };
        // What nobody runs must not hold the value. Of what may run yet it is not known.
        match moved {
            Ok(()) => Ok(()),
            Err(Trouble::Unknown(why)) => {
                Err(Trouble::Unknown(format!("{why}; the revision {new} holds the new value, and may be run yet")))
            }
            Err(trouble) => match self.deregister(hands, &new).await {
                Ok(()) => Err(trouble),
                Err(left) => Err(beside(
                    trouble,
                    &format!("the revision {new}, which is not run, holds the new value: deregister it ({})", left.why()),
                )),
            },
        }
    }

    async fn deregister(&self, hands: &Hands, revision: &str) -> Result<(), Trouble> {
        let target = ("AmazonEC2ContainerServiceV20141113.DeregisterTaskDefinition", true);
        let done: Result<IgnoredAny, Trouble> =
            self.service.call(hands, target, body(&json!({ "taskDefinition": revision }))).await;
        done.map(drop)
    }
}

/// The same trouble, and something else that is to be said.
fn beside(trouble: Trouble, what: &str) -> Trouble {
    match trouble {
        Trouble::Refused { status, why } => Trouble::Refused { status, why: format!("{why}; {what}") },
        Trouble::Unknown(why) => Trouble::Unknown(format!("{why}; {what}")),
        other => Trouble::Failed(format!("{}; {what}", other.why())),
    }
}

impl Store for Ecs {
    fn name(&self) -> String {
        named("aws-ecs-service", self.service.region.as_deref(), &self.at)
    }

    fn permissions(&self) -> &'static [&'static str] {
        &[
            "ecs:DescribeServices",
            "ecs:DescribeTaskDefinition",
            "ecs:RegisterTaskDefinition",
            "ecs:UpdateService",
            "ecs:TagResource",
            "ecs:DeregisterTaskDefinition",
            "iam:PassRole",
        ]
    }

    fn read<'a>(&'a self, hands: &'a Hands) -> Doing<'a, Result<Held, Trouble>> {
        Box::pin(async move {
            let running = self.running(hands).await?;
            self.held(hands, &running.task_definition).await
        })
    }

    fn write<'a>(&'a self, hands: &'a Hands, change: &'a Write<'_>) -> Doing<'a, Result<(), Trouble>> {
        Box::pin(self.put(hands, change))
    }

    fn keeps(&self) -> bool {
        true
    }

    fn earlier<'a>(&'a self, hands: &'a Hands, version: &'a str) -> Doing<'a, Result<Option<Held>, Trouble>> {
        Box::pin(async move { self.held(hands, version).await.map(Some) })
    }

    fn left<'a>(&'a self, hands: &'a Hands, version: &'a str) -> Doing<'a, Result<Vec<Held>, Trouble>> {
        Box::pin(left::since(self, hands, version))
    }

    fn retire<'a>(&'a self, hands: &'a Hands, version: &'a str) -> Doing<'a, Result<&'static str, Trouble>> {
        Box::pin(left::retired(self, hands, version))
    }

    fn settled<'a>(&'a self, hands: &'a Hands) -> Option<Doing<'a, Result<(), Trouble>>> {
        Some(Box::pin(async move {
            let running = self.running(hands).await?;
            // One that the circuit breaker has given up is not the primary any more: that is the revision before again.
            if running.deployments.iter().any(|one| one.rollout_state.as_deref() == Some("FAILED")) {
                return Err(Trouble::Failed(
                    "its deployment failed: look at its events; tasks of the revision before go on with the old one"
                        .to_owned(),
                ));
            }
            let primary = running.deployments.iter().find(|one| one.status == "PRIMARY");
            let primary = primary.ok_or_else(|| Trouble::Unknown("it has no primary deployment".to_owned()))?;
            let whole = running.deployments.len() == 1 && primary.task_definition == running.task_definition;
            match primary.rollout_state.as_deref() {
                Some("COMPLETED") if whole => Ok(()),
                _ => Err(Trouble::Unknown("its tasks are not all of the new revision yet".to_owned())),
            }
        }))
    }
}

#[cfg(test)]
mod tests;
