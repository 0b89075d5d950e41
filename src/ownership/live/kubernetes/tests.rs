//! Against a scripted API server, with objects as its reference has them (Kubernetes API v1). A real one, of 1.20, is asked in
//! `tests/it/services/kubernetes.rs` where its program is at hand.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::ask_kubernetes;
use crate::model::{Edge, Tier};
use crate::net::testing::{Server, http};
use crate::net::{Net, Settings};
use crate::ownership::artefacts::testing::{VALUE, finding, shared_key};
use crate::ownership::live::board::{Board, Told};
use crate::ownership::live::testing::wait;
use crate::secret::Secret;

const SECRETS: &str = "/api/v1/secrets?fieldSelector=type%21%3Dhelm.sh%2Frelease.v1&limit=20";
const PODS: &str = "/api/v1/pods?limit=50";

/// Asks an API server that answers by path; anything else is forbidden.
fn asked(answers: &[(&str, Value)]) -> (Told, Server) {
    let answers: BTreeMap<String, String> =
        answers.iter().map(|(path, body)| ((*path).to_owned(), body.to_string())).collect();
    let server = Server::talking(move |peer| {
        let heard = String::from_utf8_lossy(&peer.hear()).into_owned();
        let path = heard.split(' ').nth(1).unwrap_or_default();
        match answers.get(path) {
            Some(body) => peer.say(&http("200 OK", "", body)),
            None => peer.say(&http("403 Forbidden", "", r#"{"kind":"Status","reason":"Forbidden"}"#)),
        };
    });
    let url = server.url().parse().expect("a URL");
    let settings = Settings { endpoints: [("kubernetes".to_owned(), url)].into(), ..Settings::default() };
    let net = Net::new(settings).expect("clients");
    let (key, one) = (shared_key(), finding(VALUE));
    let mut board = Board::new(&key, [(&one, &[][..])]);
    wait(ask_kubernetes(&mut board, &net, (&server.url(), &Secret::new(b"reader"))));
    (board.finish(), server)
}

fn list(items: &[Value]) -> Value {
    json!({ "metadata": {}, "items": items })
}

fn secret(name: &str, kind: &str, value: &str) -> Value {
    let annotations = json!({ "kubernetes.io/service-account.name": "deployer" });
    json!({ "metadata": { "name": name, "namespace": "pay", "annotations": annotations }, "type": kind,
            "data": { "api-key": BASE64.encode(value.as_bytes()), "other": BASE64.encode(b"something else") } })
}

fn pod(name: &str, controller: Option<(&str, &str)>, spec: &Value) -> Value {
    let owners: Vec<Value> =
        controller.iter().map(|(kind, name)| json!({ "kind": kind, "name": name, "controller": true })).collect();
    json!({ "metadata": { "name": name, "namespace": "pay", "labels": { "corp.example/team": "payments" },
            "ownerReferences": owners }, "spec": spec })
}

fn controlled(by: (&str, &str)) -> Value {
    json!({ "metadata": { "ownerReferences": [{ "kind": by.0, "name": by.1, "controller": true }] } })
}

#[test]
fn a_value_leads_over_its_secret_and_pods_to_what_they_belong_to() {
    let by_key = json!({ "env": [{ "name": "K", "valueFrom": { "secretKeyRef": { "name": "openai", "key": "api-key" } } }],
                         "name": "app" });
    let other_key = json!({ "env": [{ "name": "K", "valueFrom": { "secretKeyRef": { "name": "openai", "key": "other" } } }],
                            "name": "side" });
    let literal = json!({ "name": "job", "env": [{ "name": "K", "value": VALUE }] });
    let all = json!({ "name": "all", "envFrom": [{ "secretRef": { "name": "openai" } }] });
    let mounted = json!({ "name": "m", "volumeMounts": [{ "name": "v", "mountPath": "/s" }] });
    let volume = |items: Value| json!([{ "name": "v", "secret": { "secretName": "openai", "items": items } }]);
    let (told, server) = asked(&[
        (SECRETS, list(&[secret("openai", "Opaque", VALUE), secret("else", "Opaque", "another value of it")])),
        (
            PODS,
            json!({ "metadata": { "continue": "abc" }, "items": [
                pod("api-1", Some(("ReplicaSet", "api-5f")), &json!({ "serviceAccountName": "payer", "containers": [by_key, other_key] })),
                pod("job-1", Some(("Job", "job-77")), &json!({ "containers": [literal] })),
            ] }),
        ),
        (
            "/api/v1/pods?limit=50&continue=abc",
            list(&[
                pod("db-0", Some(("StatefulSet", "db")), &json!({ "containers": [all] })),
                pod("lone", None, &json!({ "containers": [mounted], "volumes": volume(json!([{ "key": "api-key" }])) })),
                pod("not", None, &json!({ "containers": [mounted], "volumes": volume(json!([{ "key": "other" }])) })),
            ]),
        ),
        ("/apis/apps/v1/namespaces/pay/replicasets/api-5f", controlled(("Deployment", "api"))),
        ("/apis/batch/v1/namespaces/pay/jobs/job-77", controlled(("CronJob", "nightly"))),
    ]);
    assert_eq!(told.unknown, [""; 0]);
    let consumers: Vec<_> =
        told.owners[&0].iter().filter(|one| one.edge == Edge::Consumer).map(|one| (one.id.as_str(), one.tier)).collect();
    let expected = ["CronJob/nightly/job", "Deployment/api/app", "Pod/lone/m", "StatefulSet/db/all"];
    assert_eq!(
        consumers,
        expected.map(|id| (format!("k8s:pay/{id}"), Tier::Proven)).each_ref().map(|(id, tier)| (id.as_str(), *tier))
    );
    assert_eq!(told.facts[&0]["stored_in"], "Kubernetes Secret pay/openai key api-key");
    let api = told.owners[&0].iter().find(|one| one.id.ends_with("api/app")).expect("the Deployment");
    let said: Vec<&str> = api.evidence.iter().map(|one| one.value.as_str()).collect();
    assert_eq!(said, ["env K from Secret openai key api-key", "runs as ServiceAccount payer"]);
    assert!(told.owners[&0].iter().any(|one| one.id == "team:payments" && one.tier == Tier::Declared));
    assert!(server.has_heard("authorization: Bearer reader") && !format!("{told:?}").contains(VALUE));
}

#[test]
fn a_token_secret_tells_its_account_and_image_secrets_their_pods() {
    let puller = json!({ "containers": [{ "name": "app" }], "imagePullSecrets": [{ "name": "regcred" }] });
    let docker = json!({ "auths": { "r.example": { "username": "u", "password": VALUE } } }).to_string();
    let (told, _) = asked(&[
        (
            SECRETS,
            list(&[
                secret("t", "kubernetes.io/service-account-token", VALUE),
                secret("regcred", "kubernetes.io/dockerconfigjson", &docker),
            ]),
        ),
        (PODS, list(&[pod("api-1", Some(("DaemonSet", "agent")), &puller)])),
    ]);
    let ids: Vec<_> = told.owners[&0].iter().map(|one| (one.edge, one.id.as_str())).collect();
    assert!(ids.contains(&(Edge::Principal, "k8s:pay/ServiceAccount/deployer")), "{ids:?}");
    assert!(ids.contains(&(Edge::Consumer, "k8s:pay/DaemonSet/agent")), "{ids:?}");
}

#[test]
fn where_the_cluster_may_not_be_listed_its_namespaces_are_and_what_is_left_is_told() {
    let of = |kind: &str| format!("/api/v1/namespaces/pay/{kind}");
    let namespaces = list(&[json!({ "metadata": { "name": "pay" } }), json!({ "metadata": { "name": "shut" } })]);
    let by_key = json!({ "containers": [{ "name": "app", "envFrom": [{ "secretRef": { "name": "openai" } }] }] });
    let (told, _) = asked(&[
        ("/api/v1/namespaces?limit=500", namespaces),
        (
            &format!("{}?{}", of("secrets"), SECRETS.split_once('?').expect("a query").1),
            list(&[secret("openai", "Opaque", VALUE)]),
        ),
        (&format!("{}?limit=50", of("pods")), list(&[pod("api-1", Some(("ReplicaSet", "api-5f")), &by_key)])),
    ]);
    let consumers: Vec<_> =
        told.owners[&0].iter().filter(|one| one.edge == Edge::Consumer).map(|one| one.id.as_str()).collect();
    assert_eq!(consumers, ["k8s:pay/ReplicaSet/api-5f/app"]);
    let why = told.unknown.join("\n");
    for said in ["namespaces/shut/secrets was refused", "namespaces/shut/pods was refused", "allow `get` on replicasets"] {
        assert!(why.contains(said), "{said}: {why}");
    }
    let (told, _) = asked(&[]);
    assert!(told.owners.is_empty() && told.unknown.len() == 2, "{told:?}");
    assert!(told.unknown[0].contains("allow `list` on secrets, or on namespaces"), "{told:?}");
}
