//! Answers and requests by which other scanners take a live key for dead, a dead one for live, or bill its owner. Facts
//! catalogue, credentials.md 0.3; one test each.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::{Act, HttpCheck, declared, exchange, http, replay, whole};
use crate::detect::{Detector, DetectorSet, HttpMethod, LivenessCheck, Piece};
use crate::model::Liveness;
use crate::net::testing::Server;
use crate::net::{Net, Settings};
use crate::validate::Validator;

fn set() -> DetectorSet {
    DetectorSet::builtin().expect("detectors")
}

fn check<'a>(set: &'a DetectorSet, id: &str) -> (&'a Detector, &'a HttpCheck) {
    let detector = set.get(id).unwrap_or_else(|| panic!("{id} is gone"));
    let LivenessCheck::Http(check) = &detector.liveness else { panic!("{id} declares no request") };
    (detector, check)
}

/// The path's fixed texts.
fn path(check: &HttpCheck) -> String {
    let text = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Value { .. } => "…".to_owned(),
    };
    check.path.0.iter().map(text).collect()
}

/// Asserts what each of these answers means: detector, status, body, state.
async fn assert_means(wanted: &[(&str, &str, &str, &'static str)]) {
    let set = set();
    let all = wanted.iter().map(|&(id, status, body, state)| {
        let name = format!("{status} {body}");
        exchange(check(&set, id).0, &name, Act::Say(http(status, "", body)), move |said| said.liveness.state() == state)
    });
    assert_eq!(replay(all.collect(), Duration::from_secs(20)).await, [] as [String; 0]);
}

#[test]
fn lists_of_models_that_answer_anyone_are_not_asked() {
    let set = set();
    for (host, what) in [
        ("integrate.api.nvidia.com", "/models"),
        ("sambanova", "/models"),
        ("openrouter.ai", "/models"),
        ("huggingface.co", "/api/models"),
    ] {
        for (detector, check) in declared(&set) {
            let public = check.origin.to_string().contains(host) && path(check).contains(what);
            assert!(!public, "{}: {} answers anyone", detector.id, path(check));
        }
    }
}

#[test]
fn nothing_is_asked_that_is_billed_or_acts() {
    let set = set();
    let billed = [
        "completions",
        "/messages",
        "/generate",
        "/answer",
        "/search",
        "/embeddings",
        "/rerank",
        "/images",
        "/speech",
        "/invoke",
    ];
    for (detector, check) in declared(&set) {
        let path = path(check);
        let billed = check.method == HttpMethod::Post && billed.iter().any(|word| path.contains(word));
        assert!(!billed, "{}: POST {path}", detector.id);
    }
    for id in ["ollama-cloud-api-key", "exa-api-key", "sambanova-api-key"] {
        let liveness = &set.get(id).unwrap_or_else(|| panic!("{id} is gone")).liveness;
        assert!(matches!(liveness, LivenessCheck::None(_)), "{id} has no free request");
    }
    assert!(path(check(&set, "anthropic-api-key").1).starts_with("/v1/models"));
    assert!(path(check(&set, "tavily-api-key").1).starts_with("/usage"));
    assert!(path(check(&set, "vercel-ai-gateway-key").1).starts_with("/v1/credits"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_openai_key_without_the_scope_is_limited_and_not_dead() {
    let scopes = r#"{"error":{"message":"You have insufficient permissions for this operation. Missing scopes: api.model.read","code":"invalid_api_key"}}"#;
    let ids = ["openai-project-key", "openai-service-account-key", "openai-legacy-key"];
    let each: Vec<_> = ids.iter().flat_map(|id| ["401 X", "403 X"].map(|status| (*id, status, scopes, "limited"))).collect();
    assert_means(&each).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_limit_means_that_the_key_is_known() {
    let ids = [
        "openai-project-key",
        "anthropic-api-key",
        "openrouter-api-key",
        "cursor-api-key",
        "huggingface-user-token",
        "huggingface-org-token",
    ];
    let each: Vec<_> = ids.iter().map(|id| (*id, "429 X", "{\"error\":{}}", "limited")).collect();
    assert_means(&each).await;
    let set = set();
    for (detector, check) in declared(&set) {
        let dead = |case: &&crate::detect::HttpCase| case.status.contains(&429) && case.then == crate::detect::Outcome::Dead;
        assert!(!check.cases.iter().any(|case| dead(&case)), "{}: 429 is dead", detector.id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_403_of_these_is_a_valid_key_that_may_not() {
    let ids = [
        "pinecone-api-key",
        "sendgrid-api-key",
        "stripe-secret-key",
        "notion-token",
        "auth0-client-secret",
        "elastic-cloud-api-key",
    ];
    let each: Vec<_> = ids.iter().map(|id| (*id, "403 X", "{\"message\":\"forbidden\"}", "limited")).collect();
    assert_means(&each).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_google_shut_off_as_leaked_is_dead() {
    let body = r#"{"error":{"code":403,"message":"Your API key was reported as leaked. Please use another API key.","status":"PERMISSION_DENIED"}}"#;
    let blocked =
        r#"{"error":{"code":403,"status":"PERMISSION_DENIED","details":[{"reason":"API_KEY_HTTP_REFERRER_BLOCKED"}]}}"#;
    assert_means(&[("google-api-key", "403 X", body, "dead"), ("google-api-key", "403 X", blocked, "limited")]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webhooks_are_asked_without_posting_anything() {
    let set = set();
    assert_eq!(check(&set, "discord-webhook").1.method, HttpMethod::Get);
    let (_, slack) = check(&set, "slack-webhook-url");
    let body = slack.body.as_ref().map(|body| body.0.clone()).unwrap_or_default();
    let [Piece::Text(text)] = body.as_slice() else { panic!("a fixed body") };
    assert!(serde_json::from_str::<serde_json::Value>(text).is_err(), "a body that Slack cannot post");
    assert_means(&[
        ("slack-webhook-url", "400 X", "invalid_payload", "live"),
        ("slack-webhook-url", "400 X", "invalid_token", "dead"),
        ("slack-webhook-url", "403 X", "invalid_token", "dead"),
        ("slack-webhook-url", "200 X", "ok", "unknown"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_secret_that_sts_refuses_once_is_asked_about_again() {
    let visits = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&visits);
    let server = Server::talking(move |peer| {
        peer.hear();
        let wrong = "<ErrorResponse><Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code><Message>m</Message></Error></ErrorResponse>";
        let right = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::000000000000:user/ci</Arn><UserId>U</UserId>\
                     <Account>000000000000</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
        let first = count.fetch_add(1, Ordering::SeqCst) == 0;
        let answer = if first { http("403 Forbidden", "", wrong) } else { http("200 OK", "", right) };
        peer.say(&answer);
    });
    let endpoints = [("aws".to_owned(), server.url().parse().expect("a URL"))].into();
    let validator = Validator::new(Arc::new(Net::new(Settings { endpoints, ..Settings::default() }).expect("clients")));
    let set = set();
    let detector = set.get("aws-access-key").expect("its detector");
    let said = validator.check(detector, &[whole(detector)]).await;
    assert!(matches!(&said, Liveness::Live(identity) if identity.get("user") == Some("ci")), "{said:?}");
    assert_eq!(visits.load(Ordering::SeqCst), 2);
}
