//! The claim is one that Google could check, and every answer that is documented, and many that are not.

use data_encoding::{BASE64, BASE64URL_NOPAD};
use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::Value;

use super::super::scripted::{Server, credential};
use super::{assertion, check, key, request};
use crate::model::{Credential, Liveness};
use crate::net::testing::RSA as KEY;
use crate::net::{Net, Settings};

const EMAIL: &str = "ci@shop-prod-412.iam.gserviceaccount.com";

fn pem(kind: &str, base64: &str, line_end: &str) -> String {
    let lines: Vec<&str> = (0..base64.len()).step_by(64).map(|at| &base64[at..base64.len().min(at + 64)]).collect();
    let dashes = "-".repeat(5);
    let body = lines.join(line_end);
    format!(
        "{dashes}BEGIN {kind}PRIVATE KEY{dashes}{line_end}{body}{line_end}{dashes}END {kind}PRIVATE KEY{dashes}{line_end}"
    )
}

fn account() -> Credential {
    let key = pem("", &KEY.concat(), "\\n");
    credential(&[("key_id", "96b1a0e2e1436c02d0162f889b10a075978ae448"), ("private_key", &key), ("client_email", EMAIL)])
}

async fn told(status: &str, body: &str) -> Liveness {
    let length = body.len();
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
    let server = Server::answering(&[answer.as_bytes()]);
    let url = format!("http://127.0.0.1:{}/token", server.port).parse().expect("a URL");
    let settings = Settings { endpoints: [("google-oauth2".to_owned(), url)].into(), ..Settings::default() };
    let said = check(&Net::new(settings).expect("clients"), &account()).await;
    assert!(server.has_heard("POST /token HTTP/1.1") && server.has_heard("jwt-bearer&assertion=eyJ"));
    said
}

#[test]
fn the_claim_is_signed_and_meant_for_google_alone() {
    let net = Net::new(Settings::default()).expect("clients");
    let request = request(&net, &account(), 1_800_000_000).expect("a request");
    assert_eq!(request.url.as_str(), "https://oauth2.googleapis.com/token");
    let body = request.body.expect("a body");
    let claim = std::str::from_utf8(&body).expect("text").split_once("assertion=").expect("a claim").1;
    let [header, claims, signature] = claim.split('.').collect::<Vec<_>>().try_into().expect("three");
    let decode = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).expect("base64url");
    let json = |text: &str| serde_json::from_slice::<Value>(&decode(text)).expect("JSON");
    assert_eq!(
        (&json(header)["alg"], &json(header)["kid"]),
        (&"RS256".into(), &"96b1a0e2e1436c02d0162f889b10a075978ae448".into())
    );
    assert_eq!((&json(claims)["iss"], &json(claims)["aud"]), (&EMAIL.into(), &"https://oauth2.googleapis.com/token".into()));
    assert_eq!((&json(claims)["iat"], &json(claims)["exp"]), (&1_799_999_970.into(), &1_800_000_120.into()));
    let pair = key(pem("", &KEY.concat(), "\n").as_bytes()).expect("a key");
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
    let signed = claim.rsplit_once('.').expect("a signature").0;
    public.verify(signed.as_bytes(), &decode(signature)).expect("a signature that holds");
}

#[test]
fn a_key_is_read_however_its_lines_end() {
    let pkcs8 = KEY.concat();
    for line_end in ["\n", "\r\n", "\\n", "\\\\n", "\\r\\n"] {
        assert!(key(pem("", &pkcs8, line_end).as_bytes()).is_some(), "{line_end:?}");
    }
    // The other form is what the first wraps: 26 bytes of wrapping in front of it.
    let inner = BASE64.encode(&BASE64.decode(pkcs8.as_bytes()).expect("base64")[26..]);
    let key_1 = key(pem("RSA ", &inner, "\n").as_bytes()).expect("a key");
    assert!(assertion(&key_1, (EMAIL, "x"), 0).is_some());
    for broken in [pem("", &inner, "\n"), pem("", &pkcs8[..400], "\n"), pem("", "", "\n"), pkcs8, String::new()] {
        assert!(key(broken.as_bytes()).is_none());
    }
}

#[tokio::test]
async fn a_token_is_live_and_google_has_two_ways_to_say_dead() {
    let said = told("200 OK", r#"{"access_token":"ya29.c.b0Aaekm1K","expires_in":3599,"token_type":"Bearer"}"#).await;
    let Liveness::Live(identity) = &said else { panic!("{said:?}") };
    assert_eq!((identity.get("client_email"), identity.get("project")), (Some(EMAIL), Some("shop-prod-412")));
    assert!(!format!("{said:?}").contains("ya29"));
    let signature = r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#;
    assert!(matches!(told("400 Bad Request", signature).await, Liveness::Dead(_)));
    let account = r#"{"error":"invalid_grant","error_description":"Invalid grant: account not found"}"#;
    assert!(matches!(told("400 Bad Request", account).await, Liveness::Dead(_)));
}

#[tokio::test]
async fn what_is_not_documented_settles_nothing() {
    let long = format!(r#"{{"access_token":"{}"}}"#, "x".repeat(2 << 20));
    for (status, body) in [
        ("200 OK", "{}"),
        ("200 OK", "<html>access_token</html>"),
        ("200 OK", r#"{"access_token":7}"#),
        ("200 OK", r#"{"access_token":"x","error":"invalid_grant"}"#),
        ("200 OK", long.as_str()),
        ("400 Bad Request", r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature. Perhaps."}"#),
        ("400 Bad Request", r#"{"error":"invalid_grant","error_description":"Not a valid email."}"#),
        ("400 Bad Request", r#"{"error":"invalid_grant"}"#),
        ("400 Bad Request", r#"{"error":"invalid_scope","error_description":"Invalid JWT Signature."}"#),
        ("401 Unauthorized", r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#),
        ("401 Unauthorized", r#"{"error":"disabled_client","error_description":"The OAuth client was disabled."}"#),
        ("403 Forbidden", "<html>Invalid JWT Signature.</html>"),
        ("429 Too Many Requests", "{}"),
        ("500 Internal Server Error", r#"{"error":"internal_failure"}"#),
        ("302 Found", ""),
    ] {
        let said = told(status, body).await;
        assert!(matches!(said, Liveness::Unknown(_)), "{status} {body:.90}: {said:?}");
    }
    let clock = r#"{"error":"invalid_grant","error_description":"Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim."}"#;
    let said = told("400 Bad Request", clock).await;
    assert!(matches!(&said, Liveness::Unknown(why) if why.contains("clock")), "{said:?}");
}

#[tokio::test]
async fn one_that_lacks_a_part_is_not_asked_about() {
    let net = Net::new(Settings { offline: true, ..Settings::default() }).expect("clients");
    let key = pem("", &KEY.concat(), "\n");
    let nobody = credential(&[("key_id", "96"), ("private_key", &key)]);
    assert!(matches!(check(&net, &nobody).await, Liveness::Unknown(why) if why.contains("account")));
    let broken = credential(&[("key_id", "96"), ("private_key", "x"), ("client_email", EMAIL)]);
    assert!(matches!(check(&net, &broken).await, Liveness::Unknown(why) if why.contains("cannot be read")));
    assert!(matches!(check(&net, &account()).await, Liveness::Unknown(why) if why.contains("--offline")));
}
