//! JSON Web Tokens (RFC 7519): what header and claims say, and whose token it is. The signature is not checked: that needs
//! the issuer's key.

use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::super::sample::Rng;
use super::Verdict;
use crate::model::Facts;

/// Whose tokens are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::detect) enum Kind {
    /// Anyone's.
    Any,
    /// A Kubernetes service account's. Claims as `kubernetes/kubernetes` pkg/serviceaccount writes them.
    Kubernetes,
    /// A workload's SVID (SPIFFE JWT-SVID standard: `sub` is a SPIFFE ID).
    Spiffe,
    /// A Supabase project's service role.
    Supabase,
}

pub(super) fn check(token: &[u8], kind: Kind) -> Verdict {
    let mut segments = token.split(|&byte| byte == b'.');
    let (Some(header), Some(claims)) = (segments.next().and_then(object), segments.next().and_then(object)) else {
        return Verdict::Fails("not a token: header and claims are not JSON");
    };
    let text = |map: &Map<String, Value>, key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
    let Some(algorithm) = text(&header, "alg") else { return Verdict::Fails("not a token: no algorithm") };
    if algorithm.eq_ignore_ascii_case("none") {
        return Verdict::Fails("an unsigned token");
    }
    if claims.get("name").and_then(Value::as_str) == Some("John Doe") {
        return Verdict::Fails("documentation sample");
    }
    let mut facts = Facts::from([("algorithm".to_owned(), algorithm)]);
    let named = [
        ("iss", "issuer"),
        ("sub", "subject"),
        ("azp", "client"),
        ("scope", "scopes"),
        ("role", "role"),
        ("ref", "project"),
    ];
    facts.extend(named.iter().filter_map(|(claim, fact)| Some(((*fact).to_owned(), text(&claims, claim)?))));
    facts.extend(text(&header, "kid").map(|id| ("key_id".to_owned(), id)));
    facts.extend(audience(&claims).map(|audience| ("audience".to_owned(), audience)));
    for (claim, fact) in [("exp", "expires"), ("iat", "issued")] {
        let seconds = claims.get(claim).and_then(Value::as_f64);
        facts.extend(
            seconds.and_then(|at| Timestamp::from_second(at as i64).ok()).map(|at| (fact.to_owned(), at.to_string())),
        );
    }
    belongs(kind, &claims, facts)
}

/// Whether the claims are those of `kind`, and what they say of the workload.
fn belongs(kind: Kind, claims: &Map<String, Value>, mut facts: Facts) -> Verdict {
    let subject = facts.get("subject").cloned().unwrap_or_default();
    let holds = match kind {
        Kind::Any => {
            // What a browser is given (supabase.com/docs/guides/api/api-keys), and the keys of every local set-up.
            let is = |fact: &str, wanted: &str| facts.get(fact).is_some_and(|found| found == wanted);
            if is("issuer", "supabase-demo") || (is("issuer", "supabase") && is("role", "anon")) {
                return Verdict::Fails("a key of Supabase that is public");
            }
            true
        }
        Kind::Spiffe => {
            facts.insert("spiffe_id".into(), subject.clone());
            subject.starts_with("spiffe://")
        }
        Kind::Supabase => {
            let is = |fact: &str, wanted: &str| facts.get(fact).is_some_and(|found| found == wanted);
            is("issuer", "supabase") && is("role", "service_role")
        }
        Kind::Kubernetes => {
            let mut names = subject.strip_prefix("system:serviceaccount:").unwrap_or_default().splitn(2, ':');
            let (namespace, account) = (names.next().unwrap_or_default(), names.next());
            if let Some(account) = account {
                facts.insert("namespace".into(), namespace.to_owned());
                facts.insert("service_account".into(), account.to_owned());
            }
            let pod = claims.get("kubernetes.io").and_then(|own| own.pointer("/pod/name")).and_then(Value::as_str);
            facts.extend(pod.map(|pod| ("pod".to_owned(), pod.to_owned())));
            account.is_some()
        }
    };
    if holds { Verdict::Holds(facts, None) } else { Verdict::Another }
}

fn audience(claims: &Map<String, Value>) -> Option<String> {
    match claims.get("aud")? {
        Value::String(one) => Some(one.clone()),
        Value::Array(all) => Some(all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")),
        _ => None,
    }
}

fn object(segment: &[u8]) -> Option<Map<String, Value>> {
    let bare = &segment[..segment.iter().rposition(|&byte| byte != b'=').map_or(0, |last| last + 1)];
    serde_json::from_slice(&BASE64URL_NOPAD.decode(bare).ok()?).ok()
}

pub(super) fn sample(rng: &mut Rng, kind: Kind) -> Vec<u8> {
    let letters = b"abcdefghijklmnopqrstuvwxyz";
    let who = rng.text(letters, 9);
    let claims = match kind {
        Kind::Any => format!(r#"{{"iss":"https://login.{who}.net","sub":"{who}","aud":"api","exp":4102444800}}"#),
        Kind::Kubernetes => format!(
            r#"{{"iss":"https://kubernetes.default.svc","sub":"system:serviceaccount:{who}:runner","kubernetes.io":{{"namespace":"{who}","pod":{{"name":"{who}-0"}}}}}}"#
        ),
        Kind::Spiffe => format!(r#"{{"sub":"spiffe://{who}.internal/ns/prod/sa/api","aud":["db"],"exp":4102444800}}"#),
        Kind::Supabase => {
            format!(
                r#"{{"iss":"supabase","ref":"{}","role":"service_role","iat":1700000000,"exp":4102444800}}"#,
                rng.text(letters, 20)
            )
        }
    };
    let signature: Vec<u8> = (0..32).map(|_| rng.byte()).collect();
    let header = format!(r#"{{"alg":"HS256","typ":"JWT","kid":"{}"}}"#, rng.text(letters, 8));
    [header.as_bytes(), claims.as_bytes(), &signature].map(|part| BASE64URL_NOPAD.encode(part)).join(".").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::{BASE64URL_NOPAD, Kind, Rng, Verdict, check, sample};

    fn token(header: &str, claims: &str) -> Vec<u8> {
        format!("{}.{}.c2lnbmF0dXJl", BASE64URL_NOPAD.encode(header.as_bytes()), BASE64URL_NOPAD.encode(claims.as_bytes()))
            .into_bytes()
    }

    #[test]
    fn a_token_says_whose_it_is_and_until_when() {
        let held = token(
            r#"{"alg":"RS256","kid":"k1"}"#,
            r#"{"iss":"i","sub":"system:serviceaccount:prod:api","aud":["a","b"],"exp":1700000000}"#,
        );
        let Verdict::Holds(facts, None) = check(&held, Kind::Kubernetes) else { panic!("holds") };
        let expected = [
            ("namespace", "prod"),
            ("service_account", "api"),
            ("audience", "a b"),
            ("key_id", "k1"),
            ("expires", "2023-11-14T22:13:20Z"),
        ];
        for (fact, value) in expected {
            assert_eq!(facts[fact], value);
        }
        for kind in [Kind::Any, Kind::Kubernetes, Kind::Spiffe, Kind::Supabase] {
            assert!(matches!(check(&sample(&mut Rng::new(1), kind), kind), Verdict::Holds(..)), "{kind:?}");
        }
    }

    #[test]
    fn what_is_no_token_or_another_kind_fails() {
        let claims = r#"{"sub":"x"}"#;
        for (token, kind) in [
            (token(r#"{"alg":"none"}"#, claims), Kind::Any),
            (token(r#"{"typ":"JWT"}"#, claims), Kind::Any),
            (token(r#"{"alg":"HS256"}"#, "claims"), Kind::Any),
            (token(r#"{"alg":"HS256"}"#, r#"{"sub":"1234567890","name":"John Doe"}"#), Kind::Any),
            (b"eyJ.eyJ.x".to_vec(), Kind::Any),
            (Vec::new(), Kind::Any),
        ] {
            assert!(matches!(check(&token, kind), Verdict::Fails(_)), "{}", String::from_utf8_lossy(&token));
        }
        let anon = r#"{"iss":"supabase","role":"anon"}"#;
        for (claims, kind) in [(claims, Kind::Spiffe), (claims, Kind::Kubernetes), (anon, Kind::Supabase)] {
            assert_eq!(check(&token(r#"{"alg":"HS256"}"#, claims), kind), Verdict::Another);
        }
    }
}
