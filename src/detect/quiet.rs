//! What looks like a secret and is none, and what a mark beside it must not hide, through the whole scanner.

use super::{DetectorSet, Found, Scanner};
use crate::model::Blob;

fn builtin() -> &'static DetectorSet {
    static SET: std::sync::OnceLock<DetectorSet> = std::sync::OnceLock::new();
    SET.get_or_init(|| DetectorSet::builtin().expect("detectors"))
}

fn found(path: &str, text: &str) -> Vec<String> {
    let mut all = Vec::new();
    Scanner::new(builtin()).scan(&Blob::whole(path, text.as_bytes()), &mut |found| {
        if let Found::Credential(credential) = found {
            all.push(credential.detector.to_string());
        }
    });
    all
}

fn base64(text: &str) -> String {
    data_encoding::BASE64.encode(text.as_bytes())
}

fn web_token(claims: &str) -> String {
    let part = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
    [part(r#"{"alg":"HS256","typ":"JWT"}"#), part(claims), part("Zk4vT9qLw2RxN7cBd1YhQ8sJm3Gf6Pa0")].join(".")
}

#[test]
fn what_sops_has_sealed_is_no_secret() {
    let sealed = format!(
        "ENC[AES256_GCM,data:{},iv:{},tag:{},type:str]",
        base64("abcd1Efgh"),
        base64(&"x1Y".repeat(10)),
        base64("q2W3e4R5t6Z7u8I9")
    );
    for text in [
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n    name: a\nstringData:\n    username: {sealed}\n    password: {sealed}\n"
        ),
        format!("app:\n    password: {sealed}\n    api_key: {sealed}\n"),
    ] {
        assert!(found("a.sops.yaml", &text).is_empty(), "{text}");
    }
}

#[test]
fn the_entries_of_a_secret_are_judged_decoded() {
    for value in ["your-binance-api-key", "changeme", "your-jwt-secret-key", "your-password"] {
        let text = format!("kind: Secret\ndata:\n  API_KEY: \"{0}\"\n  PASSWORD: {0}\n", base64(value));
        assert!(found("k8s/secret.yaml", &text).is_empty(), "{value}");
    }
    assert!(found("a.yaml", "kind: Secret\nstringData:\n  PASSWORD: changePassword\n").is_empty());
    let text = format!("kind: Secret\ndata:\n  PASSWORD: {}\n", base64("vR7#kq2Lw9zT"));
    assert_eq!(found("a.yaml", &text), ["kubernetes-secret"]);
}

#[test]
fn a_key_of_supabase_that_is_public_is_no_secret() {
    let claims = |issuer: &str, role: &str| {
        format!(r#"{{"iss":"{issuer}","ref":"abcdefghijklmnopqrst","role":"{role}","exp":2031976000}}"#)
    };
    for token in [web_token(&claims("supabase", "anon")), web_token(&claims("supabase-demo", "service_role"))] {
        assert!(found(".env", &format!("SUPABASE_ANON_KEY={token}\n")).is_empty(), "{token}");
    }
    assert!(!found(".env", &format!("SUPABASE_KEY={}\n", web_token(&claims("supabase", "service_role")))).is_empty());
}

#[test]
fn an_escape_before_a_token_does_not_hide_it() {
    let token = concat!("glpat", "-Zk4vT9qLw2RxN7cBd1Yh");
    for text in [format!("GET /?q=%22{token}%22\n"), format!("x%20{token}\n"), format!("token=3D{token}\n")] {
        assert_eq!(found("a.log", &text), ["gitlab-personal-access-token"], "{text}");
    }
}
