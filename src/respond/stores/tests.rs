//! Stores against scripted services, written from their documentation: only what holds the old credential changes, the rest
//! of a store stays as it was, and one that somebody else has changed since is not written.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::{Held, Store, StoreAt, Stores, Write, find, holds, kinds, swapped};
use crate::model::SystemClock;
use crate::net::testing::http;
use crate::net::{AwsKey, Net, Settings};
use crate::respond::actions::Trouble;
use crate::respond::testing::{Asked, Provider};
use crate::respond::{Admin, AwsHands, Hands};
use crate::secret::{FingerprintKey, Secret};

pub(super) const OLD: &str = "old/Value+of-the_credential1";
pub(super) const NEW: &str = "new/Value+of-the_credential2";
const LOGIN: &str = "what-opens-the-store";

pub(super) fn says(status: u16, body: &Value) -> Vec<u8> {
    http(&format!("{status} x"), "", &body.to_string())
}

fn key() -> FingerprintKey {
    FingerprintKey::new([3; 32])
}

/// Hands that reach the scripted service under every name.
pub(super) fn hands(provider: &Provider) -> Hands {
    let names = ["aws", "vault-kv", "kubernetes-admin", "github-admin", "gitlab-admin"];
    let endpoint = |name: &&str| Net::parse_endpoint(&format!("{name}={}", provider.url())).expect("an endpoint");
    let settings = Settings { endpoints: names.iter().map(endpoint).collect(), ..Settings::default() };
    let net = Net::new(settings).expect("clients");
    let own = AwsKey { id: "AKIDTEST".to_owned(), secret: Secret::new(b"own"), token: None };
    let responder = net.responder_with(&own).expect("clients");
    Hands {
        net: Arc::new(net),
        aws: Some(AwsHands { responder, arn: String::new(), account: String::new() }),
        admin: None,
        unset: None,
        own: Vec::new(),
        detector: None,
        recall: Box::new(|_| Vec::new()),
        stores: Stores { listed: Vec::new(), consumers: Vec::new(), key: Some(key()) },
        clock: Arc::new(SystemClock),
    }
}

pub(super) fn open(kind: &str, at: &str) -> Box<dyn Store> {
    let listed = vec![StoreAt {
        kind: kind.to_owned(),
        at: at.to_owned(),
        region: None,
        address: None,
        credential: Some(Admin::new("env:TEST".to_owned(), Secret::new(LOGIN.as_bytes()))),
        holds: Some(key().fingerprint(OLD.as_bytes())),
        part: Some("key".to_owned()),
    }];
    Stores { listed, consumers: Vec::new(), key: None }.open(&[]).pop().expect("a store")
}

pub(super) fn write(held: &Held) -> Write<'_> {
    let (old, new) = (Secret::new(OLD.as_bytes()), Secret::new(NEW.as_bytes()));
    Write { before: held, fields: swapped(&held.fields, &[(&old, &new)]), token: "0".repeat(64) }
}

/// Reads, finds the old one, writes the new one, reads again.
pub(super) async fn moved(store: &dyn Store, hands: &Hands) {
    let held = store.read(hands).await.expect("it reads");
    let wanted = BTreeMap::from([("key".to_owned(), vec![key().fingerprint(OLD.as_bytes())])]);
    assert_eq!(find(&held.fields, &wanted, &key()).len(), 1, "{}", store.name());
    store.write(hands, &write(&held)).await.expect("it writes");
    let now = store.read(hands).await.expect("it reads");
    assert!(holds(&now.fields, &Secret::new(NEW.as_bytes())), "{}", store.name());
    assert!(!holds(&now.fields, &Secret::new(OLD.as_bytes())) && now.version != held.version, "{}", store.name());
}

/// What was read is written over what somebody else has put there since.
pub(super) async fn late(store: &dyn Store, hands: &Hands, held: &Held) {
    let error = store.write(hands, &write(held)).await.expect_err("it has changed");
    assert!(matches!(error, Trouble::Failed(_)), "{}: {error:?}", store.name());
}

fn json_of(asked: &Asked) -> Value {
    serde_json::from_str(&asked.body).expect("JSON")
}

fn target(asked: &Asked) -> String {
    let line = asked.head.lines().find(|line| line.to_ascii_lowercase().starts_with("x-amz-target:"));
    line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
}

/// A secret's versions; the number of the current one.
type Versions = Arc<Mutex<(BTreeMap<String, String>, String)>>;

fn secrets_manager(state: Versions) -> Provider {
    Provider::new(move |asked| {
        let body = json_of(asked);
        let (versions, current) = &mut *state.lock().expect("the state");
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        match target(asked).as_str() {
            "secretsmanager.GetSecretValue" => {
                let id = body["VersionId"].as_str().unwrap_or(current);
                match versions.get(id) {
                    Some(value) => says(200, &json!({ "VersionId": id, "SecretString": value })),
                    None => says(400, &json!({ "__type": "ResourceNotFoundException", "Message": "no" })),
                }
            }
            "secretsmanager.DescribeSecret" => {
                let pending = versions.contains_key("pending").then(|| ("pending".to_owned(), json!(["AWSPENDING"])));
                let current = (current.clone(), json!(["AWSCURRENT", "AWSPENDING"]));
                let stages: serde_json::Map<String, Value> = pending.into_iter().chain([current]).collect();
                says(200, &json!({ "Name": "prod/app", "VersionIdsToStages": stages }))
            }
            "secretsmanager.PutSecretValue" => {
                assert_eq!(body["VersionStages"], json!(["STAUNCH-NEXT"]), "AWSPENDING is not ours");
                versions.insert(text("ClientRequestToken"), text("SecretString"));
                says(200, &json!({}))
            }
            "secretsmanager.UpdateSecretVersionStage" if body["VersionStage"] == "STAUNCH-NEXT" => says(200, &json!({})),
            _ if text("RemoveFromVersionId") != *current => {
                says(400, &json!({ "__type": "InvalidParameterException", "Message": "the version is not current" }))
            }
            _ => {
                *current = text("MoveToVersionId");
                says(200, &json!({}))
            }
        }
    })
}

#[tokio::test]
async fn secrets_manager_moves_the_label_from_the_version_that_was_read() {
    let text = format!("{{\"user\": \"u\", \"key\": \"{OLD}\"}}");
    let state: Versions = Arc::new(Mutex::new(([("v1".to_owned(), text.clone())].into(), "v1".to_owned())));
    let provider = secrets_manager(Arc::clone(&state));
    let (hands, store) = (hands(&provider), open("aws-secrets-manager", "prod/app"));
    let before = store.read(&hands).await.expect("it reads");
    moved(&*store, &hands).await;
    let earlier = store.earlier(&hands, "v1").await.expect("an answer").expect("it is kept");
    assert_eq!(earlier.fields[0].1.expose(), text.as_bytes());
    assert!(store.earlier(&hands, "v9").await.expect("an answer").is_none());
    late(&*store, &hands, &before).await;
    let current = state.lock().expect("the state").1.clone();
    assert_eq!(current, "0".repeat(64));
    let removed = |asked: &&Asked| {
        json_of(asked)["VersionStage"] == "STAUNCH-NEXT" && !json_of(asked)["RemoveFromVersionId"].is_null()
    };
    assert_eq!(provider.heard().iter().filter(removed).count(), 2, "our label goes, whether the write held or not");
    // A rotation of its own that is under way is not disturbed.
    state.lock().expect("the state").0.insert("pending".to_owned(), "x".to_owned());
    let why = store.read(&hands).await.err().expect("it is not ours to write");
    assert!(matches!(&why, Trouble::Refused { why, .. } if why.contains("AWSPENDING")), "{why:?}");
}

#[tokio::test]
async fn a_parameter_keeps_its_type_and_its_kms_key() {
    let (state, history) = (Arc::new(Mutex::new((OLD.to_owned(), 1))), Arc::new(Mutex::new((json!([]), 1))));
    let (shared, past) = (Arc::clone(&state), Arc::clone(&history));
    let provider = Provider::new(move |asked| {
        let body = json_of(asked);
        let mut state = shared.lock().expect("the state");
        let (labels, step) = past.lock().expect("the history").clone();
        match target(asked).as_str() {
            "AmazonSSM.GetParameter" => {
                let found = json!({ "Name": "/p", "Type": "SecureString", "Value": state.0, "Version": state.1 });
                says(200, &json!({ "Parameter": found }))
            }
            // The first page may be empty.
            "AmazonSSM.DescribeParameters" if body["NextToken"].is_null() => {
                says(200, &json!({ "Parameters": [], "NextToken": "more" }))
            }
            "AmazonSSM.DescribeParameters" => {
                says(200, &json!({ "Parameters": [{ "Name": "/p", "KeyId": "alias/own", "Tier": "Advanced" }] }))
            }
            "AmazonSSM.GetParameterHistory" => {
                says(200, &json!({ "Parameters": [{ "Name": "/p", "Version": 1, "Labels": labels }] }))
            }
            _ => {
                assert_eq!(
                    (&body["Type"], &body["KeyId"], &body["Overwrite"], &body["Tier"]),
                    (&json!("SecureString"), &json!("alias/own"), &json!(true), &json!("Advanced"))
                );
                *state = (body["Value"].as_str().expect("text").to_owned(), state.1 + step);
                says(200, &json!({ "Version": state.1 }))
            }
        }
    });
    let (hands, store) = (hands(&provider), open("aws-ssm", "/p"));
    let before = store.read(&hands).await.expect("it reads");
    moved(&*store, &hands).await;
    late(&*store, &hands, &before).await;
    assert_eq!(*state.lock().expect("the state"), (NEW.to_owned(), 2));
    // Somebody else's version came between.
    let now = store.read(&hands).await.expect("it reads");
    history.lock().expect("the history").1 = 2;
    assert!(matches!(store.write(&hands, &write(&now)).await, Err(Trouble::Unknown(_))));
    history.lock().expect("the history").0 = json!(["prod"]);
    let why = store.read(&hands).await.err().expect("it is read by a label");
    assert!(matches!(&why, Trouble::Refused { why, .. } if why.contains("prod")), "{why:?}");
}

#[tokio::test]
async fn vault_writes_with_check_and_set_and_keeps_the_other_keys() {
    let state = Arc::new(Mutex::new((json!({ "a": 1, "key": OLD }), 4)));
    let shared = Arc::clone(&state);
    let provider = Provider::new(move |asked| {
        let mut state = shared.lock().expect("the state");
        assert!(asked.head.to_ascii_lowercase().contains(&format!("x-vault-token: {LOGIN}")));
        match asked.line.as_str() {
            "GET /v1/secret/data/app" => {
                says(200, &json!({ "data": { "data": state.0, "metadata": { "version": state.1 } } }))
            }
            "POST /v1/secret/data/app" => {
                let body = json_of(asked);
                if body["options"]["cas"] != json!(state.1) {
                    return says(400, &json!({ "errors": ["check-and-set parameter did not match the current version"] }));
                }
                *state = (body["data"].clone(), state.1 + 1);
                says(200, &json!({ "data": { "version": state.1 } }))
            }
            _ => says(404, &json!({ "errors": [] })),
        }
    });
    let (hands, store) = (hands(&provider), open("vault-kv", "secret/data/app"));
    let before = store.read(&hands).await.expect("it reads");
    moved(&*store, &hands).await;
    late(&*store, &hands, &before).await;
    assert_eq!(*state.lock().expect("the state"), (json!({ "a": 1, "key": NEW }), 5));
    assert!(matches!(open("vault-kv", "secret/data/none").read(&hands).await, Err(Trouble::Absent)));
}

#[tokio::test]
async fn a_kubernetes_secret_is_patched_at_the_version_that_was_read() {
    let data = |value: &str| json!({ "key": BASE64.encode(value.as_bytes()), "tls.crt": BASE64.encode(b"\xff\x00") });
    let state = Arc::new(Mutex::new((data(OLD), 10)));
    let shared = Arc::clone(&state);
    let provider = Provider::new(move |asked| {
        let mut state = shared.lock().expect("the state");
        match asked.line.as_str() {
            "GET /api/v1/namespaces/prod/secrets/api" => {
                says(200, &json!({ "metadata": { "resourceVersion": state.1.to_string() }, "data": state.0 }))
            }
            "PATCH /api/v1/namespaces/prod/secrets/api" => {
                let body = json_of(asked);
                assert!(asked.head.contains("application/merge-patch+json"));
                if body["metadata"]["resourceVersion"] != json!(state.1.to_string()) {
                    return says(409, &json!({ "message": "the object has been modified" }));
                }
                assert_eq!(body["data"].as_object().map(serde_json::Map::len), Some(1), "only what changes is sent");
                state.0["key"] = body["data"]["key"].clone();
                state.1 += 1;
                says(200, &json!({}))
            }
            _ => says(404, &json!({ "message": "not found" })),
        }
    });
    let (hands, store) = (hands(&provider), open("kubernetes-secret", "prod/api"));
    let before = store.read(&hands).await.expect("it reads");
    moved(&*store, &hands).await;
    late(&*store, &hands, &before).await;
    assert_eq!(*state.lock().expect("the state"), (data(NEW), 11));
}

#[tokio::test]
async fn a_lambdas_environment_is_sent_whole_at_the_revision_that_was_read() {
    let state = Arc::new(Mutex::new((json!({ "A": "1", "KEY": OLD }), 1)));
    let (shared, aliases) =
        (Arc::clone(&state), Arc::new(Mutex::new(json!([{ "Name": "live", "FunctionVersion": "$LATEST" }]))));
    let listed = Arc::clone(&aliases);
    let provider = Provider::new(move |asked| {
        let mut state = shared.lock().expect("the state");
        let revision = format!("r{}", state.1);
        assert!(asked.head.contains("/lambda/aws4_request"), "it is signed: {}", asked.head);
        match asked.line.as_str() {
            "GET /2015-03-31/functions/fn/aliases" => says(200, &json!({ "Aliases": *listed.lock().expect("the aliases") })),
            "GET /2015-03-31/functions/locked/configuration" => {
                let error = json!({ "ErrorCode": "AccessDeniedException", "Message": "kms:Decrypt" });
                says(200, &json!({ "RevisionId": revision, "Environment": { "Error": error } }))
            }
            "GET /2015-03-31/functions/fn/configuration" => {
                says(200, &json!({ "RevisionId": revision, "Environment": { "Variables": state.0 } }))
            }
            "PUT /2015-03-31/functions/fn/configuration" => {
                let body = json_of(asked);
                if body["RevisionId"] != json!(revision) {
                    let said = format!("String measured: {}", body["Environment"]);
                    return says(412, &json!({ "__type": "PreconditionFailedException", "Message": said }));
                }
                *state = (body["Environment"]["Variables"].clone(), state.1 + 1);
                says(200, &json!({}))
            }
            _ => says(404, &json!({ "__type": "ResourceNotFoundException" })),
        }
    });
    let (hands, store) = (hands(&provider), open("aws-lambda", "fn"));
    let before = store.read(&hands).await.expect("it reads");
    moved(&*store, &hands).await;
    late(&*store, &hands, &before).await;
    let why = store.write(&hands, &write(&before)).await.expect_err("it has changed").why();
    assert!(!why.contains(NEW) && why.contains("PreconditionFailedException"), "{why}");
    assert_eq!(*state.lock().expect("the state"), (json!({ "A": "1", "KEY": NEW }), 2));
    let why = open("aws-lambda", "locked").read(&hands).await.err().expect("nobody can tell what it holds").why();
    assert!(why.contains("kms:Decrypt"), "{why}");
    *aliases.lock().expect("the aliases") = json!([{ "Name": "live", "FunctionVersion": "7" }]);
    let why = store.read(&hands).await.err().expect("its callers keep version 7").why();
    assert!(why.contains("live") && why.contains('7'), "{why}");
}

#[tokio::test]
async fn a_gitlab_variable_is_looked_at_again_and_a_hidden_one_is_never_written() {
    let state = Arc::new(Mutex::new((OLD.to_owned(), false)));
    let shared = Arc::clone(&state);
    let provider = Provider::new(move |asked| {
        let mut state = shared.lock().expect("the state");
        let path = "/api/v4/projects/corp%2Fapp/variables/KEY?filter%5Benvironment_scope%5D=%2A";
        match asked.line.split_once(' ') {
            Some(("GET", at)) if at == path => says(200, &json!({ "key": "KEY", "value": state.0, "hidden": state.1 })),
            Some(("PUT", at)) if at == path => {
                json_of(asked)["value"].as_str().expect("text").clone_into(&mut state.0);
                says(200, &json!({}))
            }
            _ => says(404, &json!({ "message": "404 Not found" })),
        }
    });
    let (hands, store) = (hands(&provider), open("gitlab-variable", "corp/app#KEY"));
    let before = store.read(&hands).await.expect("it reads");
    moved(&*store, &hands).await;
    late(&*store, &hands, &before).await;
    state.lock().expect("the state").1 = true;
    assert!(matches!(store.read(&hands).await, Err(Trouble::Refused { .. })));
}

#[tokio::test]
async fn a_secret_of_github_actions_is_sealed_for_the_repository_alone() {
    let own = crypto_box::SecretKey::generate(&mut crypto_box::aead::OsRng);
    let public = BASE64.encode(own.public_key().as_bytes());
    let state = Arc::new(Mutex::new((String::new(), 0)));
    let shared = Arc::clone(&state);
    let provider = Provider::new(move |asked| {
        let mut state = shared.lock().expect("the state");
        match asked.line.as_str() {
            "GET /repos/corp/app/actions/secrets/KEY" => {
                says(200, &json!({ "name": "KEY", "updated_at": format!("2026-01-01T00:00:0{}Z", state.1) }))
            }
            "GET /repos/corp/app/actions/secrets/public-key" => says(200, &json!({ "key_id": "k1", "key": public })),
            "PUT /repos/corp/app/actions/secrets/KEY" => {
                let body = json_of(asked);
                assert_eq!(body["key_id"], "k1");
                *state = (body["encrypted_value"].as_str().expect("text").to_owned(), state.1 + 1);
                http("204 x", "", "")
            }
            _ => says(404, &json!({ "message": "Not Found" })),
        }
    });
    let (hands, store) = (hands(&provider), open("github-actions", "corp/app/KEY"));
    assert_eq!(store.said(), Some((key().fingerprint(OLD.as_bytes()), "key")));
    let before = store.read(&hands).await.expect("it is there");
    let fields = || vec![(String::new(), Secret::new(NEW.as_bytes()))];
    let change = |held| Write { before: held, fields: fields(), token: String::new() };
    store.write(&hands, &change(&before)).await.expect("it writes");
    assert_ne!(store.read(&hands).await.expect("it is there").version, before.version);
    let sealed = BASE64.decode(state.lock().expect("the state").0.as_bytes()).expect("base64");
    assert_eq!(own.unseal(&sealed).expect("for us"), NEW.as_bytes());
    let error = store.write(&hands, &change(&before)).await.expect_err("it has changed");
    assert!(matches!(error, Trouble::Failed(_)), "{error:?}");
    assert!(provider.heard().iter().all(|asked| !asked.body.contains(NEW)), "it travels sealed");
}

#[tokio::test]
async fn a_deployment_is_restarted_once_by_its_mark_and_looked_at_until_it_runs() {
    let state = Arc::new(Mutex::new((None::<String>, 1, 1)));
    let shared = Arc::clone(&state);
    let provider = Provider::new(move |asked| {
        let mut state = shared.lock().expect("the state");
        match asked.line.as_str() {
            "GET /apis/apps/v1/namespaces/prod/deployments/web" => {
                let annotations = state.0.as_ref().map(|mark| json!({ "kubectl.kubernetes.io/restartedAt": mark }));
                let template = json!({ "metadata": { "annotations": annotations.unwrap_or_else(|| json!({})) } });
                let status =
                    json!({ "observedGeneration": state.2, "updatedReplicas": 2, "availableReplicas": 2, "replicas": 2 });
                let metadata = json!({ "generation": state.1 });
                says(
                    200,
                    &json!({ "metadata": metadata, "spec": { "replicas": 2, "template": template }, "status": status }),
                )
            }
            "PATCH /apis/apps/v1/namespaces/prod/deployments/web" => {
                let mark =
                    &json_of(asked)["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"];
                state.0 = mark.as_str().map(str::to_owned);
                state.1 += 1;
                says(200, &json!({}))
            }
            _ => says(404, &json!({ "message": "not found" })),
        }
    });
    let place = |at: &str| StoreAt {
        kind: "kubernetes-deployment".to_owned(),
        at: at.to_owned(),
        region: None,
        address: None,
        credential: Some(Admin::new("env:TEST".to_owned(), Secret::new(LOGIN.as_bytes()))),
        holds: None,
        part: None,
    };
    let at = |name: &str| super::ConsumerAt { place: place(name), reads: "prod/api".to_owned() };
    let hands = hands(&provider);
    let consumer = super::Consumer::at(&at("prod/web"));
    let before = consumer.look(&hands).await.expect("it is there");
    assert!(before.settled && before.restarted.is_none());
    consumer.restart(&hands, "now").await.expect("it restarts");
    let now = consumer.look(&hands).await.expect("it is there");
    assert!(!now.settled && now.restarted.as_deref() == Some("now"), "the controller has not seen it yet");
    state.lock().expect("the state").2 = 2;
    assert!(consumer.look(&hands).await.expect("it is there").settled);
    assert!(matches!(super::Consumer::at(&at("prod/none")).look(&hands).await, Err(Trouble::Absent)));
}

#[test]
fn every_kind_is_listed_in_order() {
    assert!(kinds().is_sorted());
}

#[test]
fn two_stores_of_one_name_in_two_places_are_two() {
    let at = |region: Option<&str>, address: Option<&str>| StoreAt {
        kind: if address.is_some() { "vault-kv" } else { "aws-ssm" }.to_owned(),
        at: "/prod/key".to_owned(),
        region: region.map(str::to_owned),
        address: address.map(|address| address.parse().expect("a URL")),
        credential: None,
        holds: None,
        part: None,
    };
    let (one, other) = ("https://vault.one.example", "https://vault.two.example");
    let listed = vec![at(Some("eu-west-1"), None), at(Some("us-east-1"), None), at(None, Some(one)), at(None, Some(other))];
    let names: Vec<String> =
        Stores { listed, key: None, ..Stores::default() }.open(&[]).iter().map(|store| store.name()).collect();
    assert_eq!(names[0], "aws-ssm@eu-west-1 /prod/key");
    assert_eq!((names.len(), names[3].as_str()), (4, "vault-kv@https://vault.two.example /prod/key"));
}
