//! A key that stands in the environment of an ECS service's containers, in ministack: the service gets a revision with the new key and
//! everything else as it was, its tasks are waited for, and it is put back.

use std::fs;

use serde_json::{Value, json};

use super::chain::{ACCOUNT, Leak, run_of};
use super::rotating::ask;
use crate::harness::aws::{Key, unique};

const TARGET: &str = "AmazonEC2ContainerServiceV20141113";

struct Stage {
    leak: Leak,
    cluster: String,
}

impl Stage {
    async fn new() -> Self {
        let leak = Leak::new().await;
        let responder = leak.admin.iam().get_access_key_last_used().access_key_id(&leak.responder.id).send().await.unwrap();
        leak.admin.policy(responder.user_name().unwrap(), "ecs", "Allow", "ecs:*").await;
        let stage = Self { leak, cluster: unique("prod") };
        stage.ecs("CreateCluster", &json!({ "clusterName": stage.cluster })).await;
        let environment = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect::<Vec<_>>()
        };
        let key = &stage.leak.key;
        let own = environment(&[("AWS_ACCESS_KEY_ID", &key.id), ("AWS_SECRET_ACCESS_KEY", &key.secret), ("MODE", "prod")]);
        let definition = json!({
            "family": stage.cluster, "networkMode": "bridge", "tags": [{ "key": "team", "value": "payments" }],
            "containerDefinitions": [
                { "name": "app", "image": "app:1", "memory": 64, "environment": own },
                { "name": "side", "image": "side:1", "memory": 32, "environment": environment(&[("MODE", "side")]) },
            ],
        });
        let made = stage.ecs("RegisterTaskDefinition", &definition).await;
        let arn = &made["taskDefinition"]["taskDefinitionArn"];
        let service = json!({ "cluster": stage.cluster, "serviceName": "api", "taskDefinition": arn, "desiredCount": 1 });
        stage.ecs("CreateService", &service).await;
        let settings = format!(
            "[[responder.aws]]\naccount = \"{ACCOUNT}\"\n[[responder.store]]\nkind = \"aws-ecs-service\"\nat = \"{}/api\"\n",
            stage.cluster
        );
        fs::write(stage.leak.home.root().join("home/config.toml"), settings).unwrap();
        stage
    }

    async fn ecs(&self, action: &str, body: &Value) -> Value {
        ask(&self.leak.admin, &format!("{TARGET}.{action}"), body).await
    }

    /// The revision that the service runs, with its tags.
    async fn runs(&self) -> Value {
        let found = self.ecs("DescribeServices", &json!({ "cluster": self.cluster, "services": ["api"] })).await;
        let revision = &found["services"][0]["taskDefinition"];
        self.ecs("DescribeTaskDefinition", &json!({ "taskDefinition": revision, "include": ["TAGS"] })).await
    }

    /// The key in its first container.
    async fn held(&self) -> Key {
        let runs = self.runs().await;
        let variables = runs["taskDefinition"]["containerDefinitions"][0]["environment"].as_array().unwrap();
        let value = |name: &str| variables.iter().find(|one| one["name"] == name).unwrap()["value"].as_str().unwrap();
        Key::new(value("AWS_ACCESS_KEY_ID"), value("AWS_SECRET_ACCESS_KEY"))
    }
}

/// A revision without what changes with each.
fn bare(revision: &Value) -> Value {
    let mut bare = revision.clone();
    let definition = bare["taskDefinition"].as_object_mut().unwrap();
    for name in ["taskDefinitionArn", "revision", "registeredAt", "registeredBy"] {
        definition.remove(name);
    }
    bare
}

#[tokio::test]
async fn a_service_gets_a_revision_with_the_new_key_and_the_old_one_back() {
    let stage = Stage::new().await;
    let before = stage.runs().await;
    let output = stage.leak.staunch(&["respond", "plan", "app", "--mode", "rotate", "--format", "json"]).output();
    let plan: Value = serde_json::from_str(&output.stdout()).unwrap_or_else(|_| panic!("{}", output.stderr()));
    let permissions = plan["plan"]["steps"][1]["permissions"].as_array().unwrap();
    assert!(permissions.contains(&json!("ecs:RegisterTaskDefinition")), "{plan}");
    let output = stage.leak.apply(plan["digest"].as_str().unwrap());
    let run = run_of(&output);
    assert_eq!(run["steps"][1]["state"], "succeeded", "{run}");
    let rolled = run["steps"].as_array().unwrap().iter().find(|step| step["id"] == "restart").unwrap();
    let evidence = rolled["evidence"].get("already").unwrap_or(&rolled["evidence"]);
    assert_eq!(evidence["rolled"], json!([format!("aws-ecs-service {}/api", stage.cluster)]), "{run}");
    let new = stage.held().await;
    assert_ne!(new.id, stage.leak.key.id);
    assert!(stage.leak.admin.with(&new).caller().await.is_ok() && !run.to_string().contains(&new.secret));
    let after = stage.runs().await;
    assert_ne!(after["taskDefinition"]["taskDefinitionArn"], before["taskDefinition"]["taskDefinitionArn"]);
    let (id, secret) = (&stage.leak.key.id, &stage.leak.key.secret);
    let swapped = bare(&after).to_string().replace(&new.id, id).replace(&new.secret, secret);
    assert_eq!(swapped, bare(&before).to_string(), "nothing else has changed");

    let undone = stage.leak.staunch(&["respond", "undo", run["id"].as_str().unwrap(), "--format", "json"]).output();
    assert_eq!((undone.code(), run_of(&undone)["state"].as_str()), (Some(0), Some("undone")), "{}", undone.stderr());
    let back = stage.held().await;
    assert_eq!((&back.id, &back.secret), (id, secret));
}
