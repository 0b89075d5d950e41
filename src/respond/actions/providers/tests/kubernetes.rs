//! An API server that keeps Secrets and pods: tokens bound to either, to nothing, and those that another has taken the place of.

use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::{Value, json};

use super::{Asked, Case, Said, State, StepState, body, cases, step};
use crate::respond::testing::{ADMIN, Provider, Scene};

const UID: &str = "6f1c2d3e-0000-4000-8000-000000000001";
const OTHER: &str = "6f1c2d3e-0000-4000-8000-000000000002";
const LEGACY: &str = "/api/v1/namespaces/build/secrets/ci-token";
const POD: &str = "/api/v1/namespaces/prod/pods/api-0";
const BOUND: &str = "/api/v1/namespaces/prod/secrets/marker";
const BOOTSTRAP: &str = "/api/v1/namespaces/kube-system/secrets/bootstrap-token-yx2ai7";
const REVIEW: &str = "POST /apis/authentication.k8s.io/v1/tokenreviews";
const SELF: &str = "POST /apis/authentication.k8s.io/v1/selfsubjectreviews";

/// A token that claims this.
fn token(claims: &Value) -> String {
    let pieces =
        [br#"{"alg":"RS256","kid":"k1"}"#.to_vec(), claims.to_string().into_bytes(), (0..48).map(|n| n * 5).collect()];
    pieces.map(|piece| BASE64URL_NOPAD.encode(&piece)).join(".")
}

/// One that was requested for an account, bound to this besides.
fn requested(to: &Value) -> String {
    let mut own = json!({ "namespace": "prod", "serviceaccount": { "name": "api", "uid": OTHER } });
    own.as_object_mut().expect("an object").extend(to.as_object().expect("one").clone());
    token(
        &json!({ "iss": "https://kubernetes.default.svc", "sub": "system:serviceaccount:prod:api", "exp": 4_102_444_800_i64,
                   "aud": ["https://kubernetes.default.svc"], "kubernetes.io": own }),
    )
}

fn in_file(token: &str) -> String {
    format!("K8S_TOKEN={token}\n")
}

#[expect(clippy::unnecessary_wraps, reason = "it ends what may have no answer")]
fn ok(json: &Value) -> Option<Said> {
    Some((200, json.to_string()))
}

/// The server's word about the token, asked by the administrator for those whom it is for.
fn review(asked: &Asked, state: &State) -> Option<Said> {
    (asked.line == REVIEW && asked.head.contains(ADMIN)).then_some(())?;
    let spec = &body(asked)["spec"];
    let taken = !state.stopped && spec["token"] == state.value.as_str() && !spec["audiences"].is_null();
    let status = if taken {
        json!({ "authenticated": true, "user": { "username": "system:serviceaccount:prod:api" } })
    } else {
        json!({ "user": {}, "error": "[invalid bearer token, service account token has been invalidated]" })
    };
    Some((201, json!({ "kind": "TokenReview", "spec": spec, "status": status }).to_string()))
}

fn secret(kind: &str, data: &[(&str, &str)]) -> Value {
    let data: serde_json::Map<String, Value> =
        data.iter().map(|(key, value)| ((*key).to_owned(), BASE64.encode(value.as_bytes()).into())).collect();
    let annotations = json!({ "kubernetes.io/service-account.name": "ci" });
    json!({ "metadata": { "uid": UID, "annotations": annotations }, "type": kind, "data": data })
}

fn legacy(asked: &Asked, state: &State) -> Option<Said> {
    let there = asked.line == format!("GET {LEGACY}") && !state.stopped;
    if there {
        return ok(&secret("kubernetes.io/service-account-token", &[("namespace", "build"), ("token", &state.value)]));
    }
    review(asked, state)
}

/// A pod that is asked to go is there for a while.
fn pod(asked: &Asked, state: &State) -> Option<Said> {
    if asked.line == format!("GET {POD}") {
        let owner = json!([{ "kind": "StatefulSet", "name": "api", "controller": true }]);
        let mut pod =
            json!({ "metadata": { "uid": UID, "ownerReferences": owner }, "spec": { "serviceAccountName": "api" } });
        if state.stopped {
            pod["metadata"]["deletionTimestamp"] = "1970-01-01T00:00:30Z".into();
        }
        return ok(&pod);
    }
    review(asked, state)
}

fn bound(asked: &Asked, state: &State) -> Option<Said> {
    if asked.line == format!("GET {BOUND}") && !state.stopped {
        return ok(&secret("Opaque", &[]));
    }
    review(asked, state)
}

fn bootstrap(asked: &Asked, state: &State) -> Option<Said> {
    let (id, word) = state.value.split_once('.')?;
    (asked.line == format!("GET {BOOTSTRAP}") && !state.stopped).then_some(())?;
    ok(&secret("bootstrap.kubernetes.io/token", &[("token-id", id), ("token-secret", word)]))
}

/// Whether it is deleted under its uid.
fn deleted(asked: &Asked, path: &str) -> Option<bool> {
    (asked.line == format!("DELETE {path}") && body(asked)["preconditions"]["uid"] == UID).then_some(true)
}

const LIVE: (&str, (u16, &str), (u16, &str)) = (
    SELF,
    (201, r#"{"kind":"SelfSubjectReview","status":{"userInfo":{"username":"system:serviceaccount:prod:api"}}}"#),
    (401, r#"{"kind":"Status","status":"Failure","message":"Unauthorized","reason":"Unauthorized","code":401}"#),
);

const fn case(
    text: Option<fn() -> String>,
    reads: fn(&Asked, &State) -> Option<Said>,
    change: fn(&Asked) -> Option<bool>,
) -> Case {
    Case {
        detector: "kubernetes-service-account-token",
        text,
        playbook: "kubernetes-account-token-contain",
        identity: &[],
        reads,
        change,
        changed: (200, r#"{"kind":"Status","status":"Success"}"#),
        live: LIVE,
        proof: StepState::Succeeded,
        twins: false,
    }
}

pub(super) const CASES: &[Case] = &[
    case(None, legacy, |asked| deleted(asked, LEGACY)),
    case(
        Some(|| {
            in_file(&requested(&json!({ "pod": { "name": "api-0", "uid": UID }, "node": { "name": "w1", "uid": OTHER } })))
        }),
        pod,
        |asked| deleted(asked, POD),
    ),
    case(Some(|| in_file(&requested(&json!({ "secret": { "name": "marker", "uid": UID } })))), bound, |asked| {
        deleted(asked, BOUND)
    }),
    Case {
        detector: "kubernetes-bootstrap-token",
        playbook: "kubernetes-bootstrap-contain",
        live: ("GET /none", (200, "{}"), (403, "{}")),
        ..case(None, bootstrap, |asked| deleted(asked, BOOTSTRAP))
    },
];

/// A scene of a case where `over` answers what it wants to.
fn altered(number: usize, over: impl Fn(&Asked, &str) -> Option<Said> + Send + Sync + 'static) -> Scene {
    let case = cases().filter(|case| case.detector == "kubernetes-service-account-token").nth(number).expect("a case");
    let value: std::sync::Arc<std::sync::Mutex<String>> = std::sync::Arc::default();
    let known = std::sync::Arc::clone(&value);
    let provider = Provider::new(move |asked| {
        let value = known.lock().expect("the value").clone();
        let state = State { stopped: false, twin: false, value };
        let said = over(asked, &state.value).or_else(|| (case.reads)(asked, &state));
        super::bytes(
            said.as_ref().map_or((404, r#"{"kind":"Status","reason":"NotFound"}"#), |(status, body)| (*status, body)),
        )
    });
    let scene = match case.text {
        Some(text) => Scene::of(case.detector, &text(), case.playbook, (case.identity, provider)),
        None => Scene::new(case.detector, case.playbook, case.identity, provider),
    };
    scene.value().clone_into(&mut value.lock().expect("the value"));
    scene
}

/// What planning and applying come to, where nothing must be changed.
async fn refused(scene: &Scene) -> String {
    let run = scene.apply().await;
    let (state, why) = step(&run, "stop");
    assert_eq!(state, StepState::Refused, "{why}");
    assert!(!scene.provider.heard().iter().any(|asked| asked.line.starts_with("DELETE")), "{why}");
    why.to_owned()
}

#[tokio::test]
async fn a_made_up_token_gets_nothing_deleted() {
    // Its claims name what is there; the Secret holds another, and the server does not take it.
    let other = |asked: &Asked, _: &str| -> Option<Said> {
        (asked.line == format!("GET {LEGACY}")).then_some(())?;
        ok(&secret("kubernetes.io/service-account-token", &[("token", "another"), ("ca.crt", "x")]))
    };
    assert!(refused(&altered(0, other)).await.contains("nothing that the provider lists"));
    // The very value in a Secret of another kind is no token's.
    let kind = |asked: &Asked, value: &str| -> Option<Said> {
        (asked.line == format!("GET {LEGACY}")).then_some(())?;
        ok(&secret("Opaque", &[("token", value)]))
    };
    assert!(refused(&altered(0, kind)).await.contains("nothing that the provider lists"));
    for number in [1, 2] {
        let untaken = |asked: &Asked, _: &str| -> Option<Said> {
            (asked.line == REVIEW).then_some(())?;
            Some((201, json!({ "status": { "error": "invalid bearer token" } }).to_string()))
        };
        assert!(refused(&altered(number, untaken)).await.contains("nothing that the provider lists"), "{number}");
    }
}

#[tokio::test]
async fn a_pod_that_took_anothers_name_is_left() {
    let renewed = |asked: &Asked, _: &str| -> Option<Said> {
        (asked.line == format!("GET {POD}")).then_some(())?;
        ok(&json!({ "metadata": { "uid": OTHER } }))
    };
    assert!(refused(&altered(1, renewed)).await.contains("nothing that the provider lists"));
}

#[tokio::test]
async fn an_authenticator_that_does_not_answer_is_no_refusal() {
    let silent = |asked: &Asked, _: &str| -> Option<Said> {
        (asked.line == REVIEW).then_some(())?;
        Some((201, json!({ "status": { "error": "Post https://webhook: dial tcp: i/o timeout" } }).to_string()))
    };
    let scene = altered(1, silent);
    let run = scene.apply().await;
    let (state, why) = step(&run, "stop");
    assert!(state == StepState::Unknown && why.contains("cannot judge it"), "{state:?} {why}");
    assert!(!scene.provider.heard().iter().any(|asked| asked.line.starts_with("DELETE")));
}

#[tokio::test]
async fn a_token_that_is_bound_to_nothing_is_a_persons() {
    for (to, word) in
        [(json!({}), "nothing but its account"), (json!({ "node": { "name": "w1", "uid": UID } }), "the node w1")]
    {
        let provider = Provider::new(|_| super::bytes((404, "{}")));
        let text = in_file(&requested(&to));
        let scene =
            Scene::of("kubernetes-service-account-token", &text, "kubernetes-account-token-contain", (&[], provider));
        let (plan, _) = scene.plan().await.expect("a plan");
        assert!(plan.unknowns.iter().any(|text| text.contains(word) && text.contains("2100-01-01")), "{:?}", plan.unknowns);
        let why = refused(&scene).await;
        assert!(why.contains("ServiceAccount prod/api") && why.contains("kubernetes-manual-contain"), "{why}");
    }
}

#[tokio::test]
async fn the_responders_own_pod_is_not_deleted() {
    // Another token, as the kubelet renews it.
    let own: &'static str = requested(&json!({ "pod": { "name": "api-0", "uid": UID } })).leak();
    let mut scene = altered(1, |_, _| None);
    scene.admin = Some(own);
    assert!(refused(&scene).await.contains("responder's own token is bound to the same object"));
}

#[tokio::test]
async fn what_the_server_lets_in_is_not_called_refused() {
    // A token that a review does not take, and a front that lets it in: nothing is proved.
    let case = cases().find(|case| case.detector == "kubernetes-service-account-token").expect("a case");
    let (scene, state) = case.scene(false);
    let run = scene.apply().await;
    assert_eq!(step(&run, "prove-refused").0, StepState::Succeeded);
    let heard = |line: &str| scene.provider.heard().iter().any(|asked| asked.line == line);
    assert!(heard(REVIEW) && heard(SELF), "both were asked");
    drop(state);
    let split = |asked: &Asked, _: &str| -> Option<Said> {
        match asked.line.as_str() {
            REVIEW => Some((201, json!({ "status": { "error": "invalid bearer token" } }).to_string())),
            SELF => Some((201, r#"{"kind":"SelfSubjectReview"}"#.to_owned())),
            line if line == format!("DELETE {LEGACY}") => Some((200, "{}".to_owned())),
            _ => None,
        }
    };
    let gone = std::sync::atomic::AtomicBool::new(false);
    let scene = altered(0, move |asked, value| {
        if asked.line.starts_with("DELETE") {
            gone.store(true, std::sync::atomic::Ordering::Relaxed);
        }
        let is_read = asked.line == format!("GET {LEGACY}") && gone.load(std::sync::atomic::Ordering::Relaxed);
        if is_read { Some((404, r#"{"kind":"Status"}"#.to_owned())) } else { split(asked, value) }
    });
    let run = scene.apply().await;
    assert_eq!(step(&run, "stop").0, StepState::Succeeded);
    let (state, why) = step(&run, "prove-refused");
    assert!(state == StepState::Failed && why.contains("still takes it"), "{state:?} {why}");
}

#[tokio::test]
async fn a_secret_that_holds_other_data_is_left_to_a_person() {
    // A bound one of anybody's, and a token's own with a key that somebody has added.
    type Data = &'static [(&'static str, &'static str)];
    let others: [(usize, &str, &str, Data); 2] = [
        (2, BOUND, "Opaque", &[("database", "x"), ("mail", "y")]),
        (0, LEGACY, "kubernetes.io/service-account-token", &[("ca.crt", "x"), ("namespace", "build"), ("registry", "y")]),
    ];
    for (number, path, kind, data) in others {
        let holding = move |asked: &Asked, value: &str| -> Option<Said> {
            (asked.line == format!("GET {path}")).then_some(())?;
            let own = Some(("token", value)).filter(|_| number == 0);
            let data: Vec<(&str, &str)> = data.iter().copied().chain(own).collect();
            ok(&secret(kind, &data))
        };
        let why = refused(&altered(number, holding)).await;
        assert!(why.contains("holds other data too") && why.contains(data.last().expect("one").0), "{number}: {why}");
        assert!(!why.contains("ca.crt"), "{why}");
    }
}

/// When it is deleted, and what has been asked since.
fn since_deleted(
    path: &'static str,
    over: impl Fn(&Asked, &str, Option<usize>) -> Option<Said> + Send + Sync + 'static,
) -> impl Fn(&Asked, &str) -> Option<Said> + Send + Sync + 'static {
    let reads = std::sync::Mutex::new(None);
    move |asked, value| {
        let mut reads = reads.lock().expect("the count");
        if asked.line == format!("DELETE {path}") {
            *reads = Some(0);
            return Some((200, "{}".to_owned()));
        }
        if asked.line == format!("GET {path}") {
            *reads = reads.map(|count: usize| count + 1);
        }
        over(asked, value, *reads)
    }
}

#[tokio::test]
async fn a_secret_that_is_written_back_with_its_token_is_no_proof() {
    let managed = |value: &str, uid: &str| {
        let mut secret = secret("kubernetes.io/service-account-token", &[("token", value)]);
        secret["metadata"]["uid"] = uid.into();
        secret["metadata"]["managedFields"] = json!([{ "manager": "argocd-controller" }]);
        secret
    };
    let over = since_deleted(LEGACY, move |asked, value, reads| match (asked.line.as_str(), reads) {
        // Whoever remembers that it was refused says so still.
        (REVIEW, Some(_)) => Some((201, json!({ "status": { "error": "invalid bearer token" } }).to_string())),
        (SELF, Some(_)) => Some((401, "{}".to_owned())),
        (line, None) if line == format!("GET {LEGACY}") => ok(&managed(value, UID)),
        (line, Some(0..=2)) if line == format!("GET {LEGACY}") => Some((404, "{}".to_owned())),
        (line, Some(_)) if line == format!("GET {LEGACY}") => ok(&managed(value, OTHER)),
        _ => None,
    });
    let mut scene = altered(0, over);
    let (plan, _) = scene.plan().await.expect("a plan");
    assert_eq!(plan.steps[0].observed["about"]["writers"], json!(["argocd-controller"]), "{}", plan.steps[0].observed);
    scene.playbook.steps.iter_mut().filter(|step| step.id == "prove-refused").for_each(|step| step.timeout = 4);
    let run = scene.apply().await;
    assert_eq!(step(&run, "stop").0, StepState::Succeeded, "{}", step(&run, "stop").1);
    let (state, why) = step(&run, "prove-refused");
    assert!(state == StepState::Failed && why.contains("written back by argocd-controller"), "{state:?} {why}");
}

#[tokio::test]
async fn a_pod_that_is_to_be_gone_much_later_is_asked_to_go_sooner() {
    // Its token is taken until it is gone, and it was asked to go with two hours' grace, by somebody before us.
    let over = since_deleted(POD, |asked, _, reads| {
        (asked.line == format!("GET {POD}")).then_some(())?;
        let by = if reads.is_none() { "1970-01-01T02:00:00Z" } else { "1970-01-01T00:00:30Z" };
        let spec = json!({ "serviceAccountName": "api", "terminationGracePeriodSeconds": 7200 });
        ok(&json!({ "metadata": { "uid": UID, "deletionTimestamp": by }, "spec": spec }))
    });
    let scene = altered(1, over);
    let (plan, _) = scene.plan().await.expect("a plan");
    assert_eq!(plan.steps[0].observed["state"], "ending, and not soon", "{}", plan.steps[0].observed);
    let run = scene.apply().await;
    assert_eq!(step(&run, "stop").0, StepState::Succeeded, "{}", step(&run, "stop").1);
    let heard = scene.provider.heard();
    let deletes: Vec<Value> = heard.iter().filter(|asked| asked.line.starts_with("DELETE")).map(body).collect();
    assert_eq!(deletes.iter().map(|body| &body["gracePeriodSeconds"]).collect::<Vec<_>>(), [&json!(30)]);
}
