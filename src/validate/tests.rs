//! Canned exchanges from a server on loopback, and servers that must see nothing.

use std::sync::Arc;
use std::time::Duration;

use super::Validator;
use crate::detect::{DetectorSet, Found, Scanner};
use crate::model::{Blob, Credential, Liveness};
use crate::net::testing::{Server, http};
use crate::net::{Net, Settings};

/// Answers every request with `answer`, after a pause.
fn server(answer: Vec<u8>, pause: Duration) -> Server {
    Server::talking(move |peer| {
        peer.hear();
        std::thread::sleep(pause);
        peer.say(&answer);
    })
}

fn net(endpoints: &[(&str, &str)], offline: bool) -> Arc<Net> {
    let endpoints = endpoints.iter().map(|(name, url)| ((*name).to_owned(), url.parse().expect("a URL"))).collect();
    let settings = Settings { endpoints, offline, timeout: Duration::from_millis(700), ..Settings::default() };
    Arc::new(Net::new(settings).expect("a client"))
}

fn credential(set: &DetectorSet, text: &str) -> Credential {
    let mut all = Vec::new();
    Scanner::new(set).scan(&Blob::whole("x", text.as_bytes()), &mut |found| {
        if let Found::Credential(credential) = found {
            all.push(credential);
        }
    });
    all.pop().expect("one credential")
}

fn openai_key() -> String {
    format!("key = sk-NR4ygwLdKgs7kvJWJgQK{}FJPiIZ8CQgyOhlvBdaJPZr", "T3Blbk")
}

fn slack_token() -> String {
    format!("xox{}-091334123281-2067974034471-hExGooebgpxCR7YEf9wHq943", "b")
}

async fn ask(text: &str, endpoint: &str, answer: Vec<u8>, pause: Duration) -> Liveness {
    let set = DetectorSet::builtin().expect("detectors");
    let credential = credential(&set, text);
    let url = server(answer, pause).url();
    let detector = set.get(&credential.detector).expect("its detector");
    Validator::new(net(&[(endpoint, &url)], false)).check(detector, &[credential]).await
}

async fn openai(answer: Vec<u8>) -> Liveness {
    ask(&openai_key(), "openai", answer, Duration::ZERO).await
}

#[tokio::test]
async fn described_answers_mean_what_their_detector_says() {
    let live = openai(http("200 OK", "openai-organization: acme\r\n", r#"{"object":"list","data":[]}"#)).await;
    assert!(matches!(&live, Liveness::Live(identity) if identity.get("organization") == Some("acme")), "{live:?}");
    let refused = r#"{"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}}"#;
    assert!(matches!(openai(http("401 Unauthorized", "", refused)).await, Liveness::Dead(_)));
    let scopes =
        r#"{"error":{"message":"You have insufficient permissions for this operation. Missing scopes: api.model.read"}}"#;
    assert!(matches!(openai(http("403 Forbidden", "", scopes)).await, Liveness::Limited(..)));
    assert!(matches!(openai(http("429 Too Many Requests", "", "{}")).await, Liveness::Limited(..)));
}

#[tokio::test]
async fn slack_answers_200_to_everything() {
    let said =
        |body: &'static str| async move { ask(&slack_token(), "slack", http("200 OK", "", body), Duration::ZERO).await };
    assert!(matches!(said(r#"{"ok":true,"team":"T"}"#).await, Liveness::Live(_)));
    assert!(matches!(said(r#"{"ok":false,"error":"token_revoked"}"#).await, Liveness::Dead(_)));
    assert!(matches!(said(r#"{"ok":false,"error":"ekm_access_denied"}"#).await, Liveness::Unknown(_)));
}

#[tokio::test]
async fn what_nobody_described_settles_nothing() {
    let page = "<html><body>invalid_api_key and Missing scopes</body></html>";
    let huge = format!("{{\"error\":\"invalid_api_key{}\"}}", "x".repeat(2 << 20));
    for answer in [
        http("401 Unauthorized", "", r#"{"error":{"message":"Your IP is not authorized"}}"#),
        http("401 Unauthorized", "", page),
        http("200 OK", "", page),
        http("403 Forbidden", "", page),
        http("429 Too Many Requests", "", page),
        http("403 Forbidden", "", "{}"),
        http("500 Internal Server Error", "", "invalid_api_key"),
        http("302 Found", "location: http://169.254.169.254/latest/meta-data/\r\n", ""),
        http("401 Unauthorized", "", &huge),
        b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 500\r\n\r\n{\"error\":\"invalid_api_key\"}".to_vec(),
        b"garbage".to_vec(),
        Vec::new(),
    ] {
        let said = openai(answer).await;
        assert!(matches!(said, Liveness::Unknown(_)), "{said:?}");
    }
}

#[tokio::test]
async fn only_what_a_case_describes_is_the_providers_answer() {
    let set = DetectorSet::builtin().expect("detectors");
    for (answer, answered) in [
        (http("200 OK", "", "<html>log in to the network</html>"), false),
        (http("302 Found", "location: https://portal.example/\r\n", ""), false),
        (http("407 Proxy Authentication Required", "", "{}"), false),
        (http("408 Request Timeout", "", ""), false),
        (http("401 Unauthorized", "", r#"{"error":{"message":"Incorrect API key","code":"invalid_api_key"}}"#), true),
        (http("200 OK", "", r#"{"object":"list","data":[]}"#), true),
    ] {
        let server = server(answer, Duration::ZERO);
        let key = credential(&set, &openai_key());
        let detector = set.get(&key.detector).expect("its detector");
        let said = Validator::new(net(&[("openai", &server.url())], false)).ask(detector, &[key]).await;
        assert_eq!(said.answered, answered, "{said:?}");
    }
}

#[tokio::test]
async fn a_slow_provider_is_unknown() {
    let answer = http("200 OK", "", "{}");
    let said = ask(&openai_key(), "openai", answer, Duration::from_millis(1500)).await;
    assert!(matches!(&said, Liveness::Unknown(why) if why.contains("in time")), "{said:?}");
}

#[tokio::test]
async fn offline_and_private_addresses_are_refused_before_a_byte_is_sent() {
    let server = server(http("200 OK", "", "{}"), Duration::ZERO);
    let url = server.url();
    let set = DetectorSet::builtin().expect("detectors");
    let key = credential(&set, &openai_key());
    let mut detector = set.get(&key.detector).expect("its detector").clone();
    let rivals = [key];
    let would = Validator::new(net(&[("openai", &url)], true)).would_ask(&detector, &rivals);
    assert!(matches!(&would, Err(why) if why.contains("--offline")), "{would:?}");
    let said = Validator::new(net(&[("openai", &url)], true)).check(&detector, &rivals).await;
    assert!(matches!(&said, Liveness::Unknown(why) if why.contains("--offline")), "{said:?}");
    // The same address, in a detector file and by a name that resolves to it, without the operator's word.
    let port = url.rsplit(':').next().expect("a port").to_owned();
    for origin in [format!("https://127.0.0.1:{port}"), format!("https://localhost:{port}"), url.clone()] {
        if let crate::detect::LivenessCheck::Http(check) = &mut detector.liveness {
            check.origin = crate::detect::Origin::Fixed(origin.clone());
        }
        let said = Validator::new(net(&[], false)).check(&detector, &rivals).await;
        assert!(
            matches!(&said, Liveness::Unknown(why) if why.contains("not a public address") || why.contains("not https")),
            "{said:?}"
        );
    }
    assert_eq!(server.visits(), 0);
}

#[tokio::test]
async fn canaries_expired_and_partial_ones_are_not_asked_about() {
    let server = server(http("200 OK", "", r#"{"data":[]}"#), Duration::ZERO);
    let url = server.url();
    let set = DetectorSet::builtin().expect("detectors");
    let validator = Validator::new(net(&[("openai", &url)], false));
    let mut key = credential(&set, &openai_key());
    let detector = set.get(&key.detector).expect("its detector").clone();
    key.facts.insert("canary".into(), "a canary".into());
    let mut rivals = [key];
    assert!(matches!(validator.check(&detector, &rivals).await, Liveness::NotChecked(Some(_))));
    rivals[0].facts.clear();
    rivals[0].facts.insert("expired".into(), "true".into());
    assert!(matches!(validator.check(&detector, &rivals).await, Liveness::Dead(_)));
    rivals[0].facts.clear();
    rivals[0].partial = true;
    assert!(matches!(validator.check(&detector, &rivals).await, Liveness::NotChecked(Some(_))));
    assert_eq!(server.visits(), 0);
}

#[test]
fn a_host_from_content_may_have_a_port_and_an_address_needs_both_words() {
    let set = DetectorSet::builtin().expect("detectors");
    let detector = set.get("vault-service-token").expect("its detector");
    let asked = |host: &str, hosts: &[&str], nets: &[&str]| {
        let settings = Settings {
            allow_hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
            allow_nets: nets.iter().map(|text| Net::parse_net(text).expect("a net")).collect(),
            ..Settings::default()
        };
        let text = format!("VAULT_ADDR=https://{host}\nVAULT_TOKEN=hv{}", "s.oNYrHxGdw9on7iLq5gcnnX9n");
        let credential = credential(&set, &text);
        Validator::new(Arc::new(Net::new(settings).expect("clients"))).would_ask(detector, &[credential])
    };
    let path = "/v1/auth/token/lookup-self";
    let named = asked("vault.corp.internal:8200", &["*.corp.internal"], &[]);
    assert_eq!(named, Ok(format!("GET https://vault.corp.internal:8200{path}")));
    let address = "10.1.2.3:8200";
    assert_eq!(asked(address, &["10.1.2.3"], &["10.0.0.0/8"]), Ok(format!("GET https://{address}{path}")));
    for (hosts, nets) in [(&[][..], &["10.0.0.0/8"][..]), (&["10.1.2.3"], &[]), (&["10.1.2.4"], &["10.0.0.0/8"])] {
        assert!(asked(address, hosts, nets).is_err(), "{hosts:?} {nets:?}");
    }
    assert!(asked("vault.corp.internal:8200", &["corp.internal"], &[]).is_err());
    for (host, wanted) in [("[::1]:8200", "[::1]"), ("::1", "::1"), ("[::1]", "[::1]"), ("a.b:99999", "a.b:99999")] {
        assert_eq!(super::http::host_and_port(host).0, wanted);
    }
}

#[tokio::test]
async fn a_session_without_its_token_is_told_so_and_not_asked_about() {
    let set = DetectorSet::builtin().expect("detectors");
    let secret = &data_encoding::BASE64.encode(&(0..30u32).map(|n| (n * 104_729 % 253) as u8).collect::<Vec<_>>())[..40];
    let two = format!("AWS_ACCESS_KEY_ID={}QNZGKIQY56JQ7WML\nAWS_SECRET_ACCESS_KEY={secret}\n", "ASIA");
    let credential = credential(&set, &two);
    let server = server(http("200 OK", "", ""), Duration::ZERO);
    let detector = set.get(&credential.detector).expect("its detector");
    let validator = Validator::new(net(&[("sts", &server.url())], false));
    let said = validator.check(detector, &[credential]).await;
    assert!(matches!(&said, Liveness::NotChecked(Some(why)) if why.contains("its session_token was not found")), "{said:?}");
    assert_eq!(server.visits(), 0);
}
