//! What is sent to the door of `respond watch`. Nothing that is sent is acted on: it says where to look, and what is done is
//! decided from what is found there and what its provider says of it. So no delivery holds a secret, and none is taken that is not
//! signed with the secret that the sender and this program share.
//!
//! GitHub signs the body with HMAC-SHA-256, in hex, in `X-Hub-Signature-256` after `sha256=`
//! (<https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>). Its `secret_scanning_alert` names the
//! repository, the alert and the kind of secret; the value is not in it
//! (<https://docs.github.com/en/webhooks/webhook-events-and-payloads#secret_scanning_alert>). Our own sender signs the same way.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use data_encoding::HEXLOWER_PERMISSIVE;
use jiff::{SignedDuration, Timestamp};
use ring::digest::{SHA256, digest};
use ring::hmac;
use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// A shared secret is at least so long.
const SHORTEST: usize = 16;
/// So many deliveries are known again.
const KNOWN: usize = 4096;
/// One of our own is this fresh, by its own word.
const FRESH: SignedDuration = SignedDuration::from_mins(5);
/// So many findings are named by one.
const NAMED: usize = 100;
/// A name in one is so long at most.
const LONGEST: usize = 200;
/// What GitHub's alert was that is worth a look.
const ACTIONS: &[&str] = &["created", "reopened", "publicly_leaked", "validated"];

/// What a delivery asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// GitHub has found something.
    Alert {
        /// `owner/name`.
        repository: String,
        /// The alert's number there.
        number: u64,
        /// What GitHub calls the kind of secret.
        kind: String,
    },
    /// Somebody names findings by their fingerprints.
    Findings(Vec<String>),
    /// More alerts came than may wait: which, nobody knows any more.
    Overflow(String),
}

/// What becomes of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is looked at.
    Heard(Delivery),
    /// It was looked at before, and there was an answer to it.
    Known,
    /// It is none of ours: another event, GitHub's ping, an alert that was closed.
    Nothing,
    /// It is not signed by whoever shares the secret.
    Stranger,
    /// It is signed, and not what it should be.
    Wrong(&'static str),
}

/// Hears deliveries.
pub struct Ear {
    key: hmac::Key,
    known: Mutex<VecDeque<String>>,
}

/// Our own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    schema: String,
    at: Timestamp,
    fingerprints: Vec<String>,
}

#[derive(Deserialize)]
struct Github {
    action: String,
    alert: Alert,
    repository: Repository,
}

#[derive(Deserialize)]
struct Alert {
    number: u64,
    #[serde(default)]
    secret_type: String,
}

#[derive(Deserialize)]
struct Repository {
    full_name: String,
}

impl Ear {
    /// Our own deliveries' schema.
    pub const SCHEMA: &'static str = "staunch.webhook/1";

    /// Shares a secret.
    ///
    /// # Errors
    /// In words: it is too short to be one.
    pub fn new(secret: &Secret) -> Result<Self, String> {
        if secret.len() < SHORTEST {
            return Err(format!(
                "the secret of the webhook has fewer than {SHORTEST} bytes; `openssl rand -hex 32` makes one"
            ));
        }
        Ok(Self { key: hmac::Key::new(hmac::HMAC_SHA256, secret.expose()), known: Mutex::default() })
    }

    /// Whether a signature may be one at all: before a body is waited for.
    pub fn is_signature(signature: Option<&str>) -> bool {
        signature.and_then(tag).is_some_and(|tag| tag.len() == 32)
    }

    /// What a body is, with the signature and the event that its sender named.
    pub fn hear(&self, (signature, event): (Option<&str>, Option<&str>), body: &[u8], now: Timestamp) -> Answer {
        // First of all: nothing of a stranger's is even read.
        let tag = signature.and_then(tag);
        if tag.is_none_or(|tag| hmac::verify(&self.key, body, &tag).is_err()) {
            return Answer::Stranger;
        }
        let answer = match event {
            None => own(body, now),
            Some("secret_scanning_alert") => github(&unwrapped(body)),
            Some(_) => Answer::Nothing,
        };
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(&name(body));
        if matches!(answer, Answer::Heard(_)) && known() { Answer::Known } else { answer }
    }

    /// There is an answer to what is called so: the same body says nothing new. One that is forgotten by now costs one more look.
    pub fn remember(&self, name: &str) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN {
            known.pop_front();
        }
        known.push_back(name.to_owned());
    }
}

fn tag(signature: &str) -> Option<Vec<u8>> {
    HEXLOWER_PERMISSIVE.decode(signature.trim().strip_prefix("sha256=")?.as_bytes()).ok()
}

/// A form's `payload`, or what is no form as it is: which of both GitHub sends is chosen where the webhook is made
/// (<https://docs.github.com/en/marketplace/listing-on-github-marketplace/configuring-the-github-marketplace-webhook>), and a form is
/// what is sent where nothing was chosen (<https://github.com/zendesk/samson/pull/1671>). What is signed is the body as it is sent.
fn unwrapped(body: &[u8]) -> Cow<'_, [u8]> {
    if !body.starts_with(b"payload=") {
        return Cow::Borrowed(body);
    }
    let payload = url::form_urlencoded::parse(body).find(|(name, _)| name == "payload");
    Cow::Owned(payload.map(|(_, value)| value.into_owned().into_bytes()).unwrap_or_default())
}

/// What a delivery is called by: the digest of its body.
pub fn name(body: &[u8]) -> String {
    HEXLOWER_PERMISSIVE.encode(digest(&SHA256, body).as_ref())
}

fn own(body: &[u8], now: Timestamp) -> Answer {
    let Ok(own) = serde_json::from_slice::<Own>(body) else {
        return Answer::Wrong("it is no delivery of this program's, and names no event of GitHub's");
    };
    if own.schema != Ear::SCHEMA {
        return Answer::Wrong("its schema is another one than staunch.webhook/1");
    }
    if now.duration_since(own.at).abs() > FRESH {
        return Answer::Wrong("its `at` is more than five minutes away; is a clock wrong?");
    }
    let is_name = |text: &String| {
        let hex = |c: u8| c.is_ascii_hexdigit() || c == b'-';
        (32..=LONGEST).contains(&text.len()) && text.bytes().all(hex)
    };
    if own.fingerprints.is_empty() || own.fingerprints.len() > NAMED || !own.fingerprints.iter().all(is_name) {
        return Answer::Wrong("`fingerprints` are 1 to 100 whole fingerprints, as a report has them");
    }
    Answer::Heard(Delivery::Findings(own.fingerprints))
}

fn github(body: &[u8]) -> Answer {
    let Ok(sent) = serde_json::from_slice::<Github>(body) else {
        return Answer::Wrong("it is no alert as GitHub sends it");
    };
    if !ACTIONS.contains(&sent.action.as_str()) {
        return Answer::Nothing;
    }
    let plain = |text: &str, others: &[u8]| {
        let good = |c: u8| c.is_ascii_alphanumeric() || others.contains(&c);
        text.len() <= LONGEST && text.bytes().all(good)
    };
    if !plain(&sent.repository.full_name, b"-_./") || !plain(&sent.alert.secret_type, b"-_") {
        return Answer::Wrong("a name in it is none of GitHub's");
    }
    Answer::Heard(Delivery::Alert {
        repository: sent.repository.full_name,
        number: sent.alert.number,
        kind: sent.alert.secret_type,
    })
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use jiff::{SignedDuration, Timestamp};
    use ring::hmac;
    use serde_json::{Value, json};

    use super::{Answer, Delivery, Ear, name};
    use crate::secret::Secret;

    const SHARED: &[u8] = b"a secret that both sides share";

    fn signed(body: &[u8], secret: &[u8]) -> String {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), body);
        format!("sha256={}", HEXLOWER.encode(tag.as_ref()))
    }

    fn ear() -> Ear {
        Ear::new(&Secret::new(SHARED)).expect("long enough")
    }

    /// What is heard is answered at once.
    fn hear(ear: &Ear, event: Option<&str>, body: &Value) -> Answer {
        let body = body.to_string();
        let answer = ear.hear((Some(&signed(body.as_bytes(), SHARED)), event), body.as_bytes(), Timestamp::UNIX_EPOCH);
        if matches!(answer, Answer::Heard(_)) {
            ear.remember(&name(body.as_bytes()));
        }
        answer
    }

    fn alert(action: &str, repository: &str) -> Value {
        json!({ "action": action, "alert": { "number": 7, "secret_type": "aws_access_key_id", "html_url": "https://github.com/x" },
                "repository": { "full_name": repository, "private": true }, "sender": { "login": "github" } })
    }

    fn own(at: i64, fingerprints: &[&str]) -> Value {
        let at = Timestamp::from_second(at).expect("a time");
        json!({ "schema": Ear::SCHEMA, "at": at.to_string(), "fingerprints": fingerprints })
    }

    const PRINT: &str = "0123456789abcdef-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn only_what_is_signed_with_the_shared_secret_is_read_at_all() {
        let (ear, body) = (ear(), b"not even JSON".as_slice());
        let now = Timestamp::UNIX_EPOCH;
        for signature in [
            None,
            Some(String::new()),
            Some("sha256=".to_owned()),
            Some("sha256=zz".to_owned()),
            Some(signed(body, b"another secret altogether")),
            Some(signed(b"another body", SHARED)),
            Some(signed(body, SHARED).replace("sha256=", "sha1=")),
            Some(signed(body, SHARED)[..40].to_owned()),
        ] {
            assert_eq!(ear.hear((signature.as_deref(), None), body, now), Answer::Stranger, "{signature:?}");
        }
        assert!(matches!(ear.hear((Some(&signed(body, SHARED)), None), body, now), Answer::Wrong(_)));
        let upper = signed(body, SHARED).to_uppercase().replace("SHA256=", "sha256=");
        assert!(matches!(ear.hear((Some(&upper), None), body, now), Answer::Wrong(_)), "hex is hex");
        assert!(Ear::new(&Secret::new(b"short")).is_err_and(|why| why.contains("openssl rand")));
        // GitHub's own example of a signature.
        let theirs = Ear::new(&Secret::new(b"It's a Secret to Everybody")).expect("long enough");
        let sign = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert!(matches!(theirs.hear((Some(sign), None), b"Hello, World!", now), Answer::Wrong(_)));
    }

    #[test]
    fn an_alert_of_githubs_is_heard_once_and_what_is_none_is_let_be() {
        let (ear, event) = (ear(), Some("secret_scanning_alert"));
        let wanted = Delivery::Alert { repository: "corp/app".into(), number: 7, kind: "aws_access_key_id".into() };
        assert_eq!(hear(&ear, event, &alert("created", "corp/app")), Answer::Heard(wanted));
        assert_eq!(hear(&ear, event, &alert("created", "corp/app")), Answer::Known, "a replay");
        assert!(matches!(hear(&ear, event, &alert("reopened", "corp/app")), Answer::Heard(_)));
        assert_eq!(hear(&ear, event, &alert("resolved", "corp/app")), Answer::Nothing);
        assert_eq!(hear(&ear, Some("ping"), &json!({ "zen": "x" })), Answer::Nothing);
        for wrong in [json!({}), json!([]), alert("created", "corp/app\u{1b}[31m"), alert("created", &"a".repeat(500))] {
            assert!(matches!(hear(&ear, event, &wrong), Answer::Wrong(_)), "{wrong}");
        }
    }

    #[test]
    fn an_alert_in_a_form_is_heard_as_one_that_is_none() {
        let (ear, event) = (ear(), Some("secret_scanning_alert"));
        let wanted = Delivery::Alert { repository: "corp/app".into(), number: 7, kind: "aws_access_key_id".into() };
        let alert = alert("created", "corp/app").to_string();
        let form = url::form_urlencoded::Serializer::new(String::new()).append_pair("payload", &alert).finish();
        let hear =
            |body: &str| ear.hear((Some(&signed(body.as_bytes(), SHARED)), event), body.as_bytes(), Timestamp::UNIX_EPOCH);
        assert_eq!(hear(&form), Answer::Heard(wanted));
        assert!(matches!(hear("payload=%7B"), Answer::Wrong(_)) && matches!(hear("payload="), Answer::Wrong(_)));
        // What is signed is the form, and not what is in it.
        let inner = signed(alert.as_bytes(), SHARED);
        assert_eq!(ear.hear((Some(&inner), event), form.as_bytes(), Timestamp::UNIX_EPOCH), Answer::Stranger);
    }

    #[test]
    fn our_own_is_fresh_names_whole_fingerprints_and_is_heard_once() {
        let ear = ear();
        assert_eq!(hear(&ear, None, &own(299, &[PRINT])), Answer::Heard(Delivery::Findings(vec![PRINT.to_owned()])));
        assert_eq!(hear(&ear, None, &own(299, &[PRINT])), Answer::Known);
        let many = [PRINT; 101];
        let mut other = own(0, &[PRINT]);
        other["path"] = json!("/etc/shadow");
        let mut schema = own(0, &[PRINT]);
        schema["schema"] = json!("staunch.webhook/2");
        for wrong in [
            own(301, &[PRINT]),
            own(-301, &[PRINT]),
            own(0, &[]),
            own(0, &many),
            own(0, &["../../etc"]),
            own(0, &["abcd"]),
            other,
            schema,
        ] {
            assert!(matches!(hear(&ear, None, &wrong), Answer::Wrong(_)), "{wrong}");
        }
        // What was wrong is not remembered: mended, it is heard.
        let late = own(400, &[PRINT]).to_string();
        let sign = signed(late.as_bytes(), SHARED);
        let at = |seconds: i64| Timestamp::UNIX_EPOCH.checked_add(SignedDuration::from_secs(seconds)).expect("a time");
        assert!(matches!(ear.hear((Some(&sign), None), late.as_bytes(), at(0)), Answer::Wrong(_)));
        assert!(matches!(ear.hear((Some(&sign), None), late.as_bytes(), at(200)), Answer::Heard(_)));
    }
}
