//! `kubernetes-token-verify-refused`: the operator's API server judges the token until it says no (TokenReview), and does not let in
//! whoever comes with it (SelfSubjectReview, 401). It remembers tokens that it took for ten seconds, and takes those of a pod
//! that was asked to go for a minute, so this waits. A Secret that somebody manages (Argo CD, Flux, an operator) may be written back once
//! it is gone, and hold the same token again: so after the refusal this goes on looking for a while.
//! Sources: Kubernetes API reference, `TokenReview` (`spec.audiences`, `status.authenticated`) and `SelfSubjectReview` (since 1.28; an
//! older server says 404 to whoever it knows, 401 to others); kube-apiserver, `--authentication-token-webhook-cache-ttl` and
//! `tokencache.New(…, 10*time.Second)` of `pkg/kubeapiserver/authenticator/config.go`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use zeroize::{Zeroize, Zeroizing};

use super::super::super::keys::{Call, Desk, GONE, Leaked, Trouble, text};
use super::super::super::{Action, Doing, Needs, Outcome, Role, World};
use super::claims::{Bound, Claims};
use super::{SERVICE, looked, writers};
use crate::net::Method;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// What the API server says of a token that it does not take. Anything else may be an authenticator that does not answer.
const NO: [&str; 6] = ["invalid bearer token", "invalidated", "has expired", "been deleted", "does not match", "not found"];

/// What the API server thinks of a token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Word {
    Taken,
    Refused(String),
}

/// Has the API server judge a token, for those whom it is for.
pub(super) async fn review(desk: &Desk<'_>, token: &str, claims: &Claims) -> Result<Word, Trouble> {
    let spec = json!(claims.audiences);
    let start =
        format!(r#"{{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{{"audiences":{spec},"token":"#);
    let mut body = Zeroizing::new(Vec::with_capacity(start.len() + 2 * token.len() + 8));
    body.extend_from_slice(start.as_bytes());
    // Writing text into memory does not fail.
    let _ = serde_json::to_writer(&mut *body, token);
    body.extend_from_slice(b"}}");
    let call = Call { body: Some(body), ..Call::new(Method::Post, "/apis/authentication.k8s.io/v1/tokenreviews") };
    let mut answer = desk.ask(call).await?;
    // It is repeated there.
    if let Some(Value::String(token)) = answer.pointer_mut("/spec/token") {
        token.zeroize();
    }
    match (answer.pointer("/status/authenticated"), text(&answer, "/status/error")) {
        (Some(Value::Bool(true)), _) => Ok(Word::Taken),
        // `false` is left out of its JSON.
        (None | Some(Value::Bool(false)), error) if answer.get("status").is_some() => match error {
            None => Ok(Word::Refused("it is not authenticated".to_owned())),
            Some(error) if NO.iter().any(|no| error.contains(no)) => Ok(Word::Refused(error)),
            Some(error) => Err(Trouble::Unknown(format!("the API server cannot judge it: {error}"))),
        },
        _ => Err(Trouble::Unknown("the API server's answer is no TokenReview".to_owned())),
    }
}

/// Whether whoever comes with the token is let in.
async fn lets_in(world: &World<'_>, leaked: &Leaked) -> Result<bool, Trouble> {
    let desk = Desk::open(world, &SERVICE, Some(leaked))?.spoken_to_by(leaked.value());
    let body = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
    let call = Call::new(Method::Post, "/apis/authentication.k8s.io/v1/selfsubjectreviews").json(&body);
    match desk.ask(call).await {
        Err(Trouble::Refused { status: 401, .. }) => Ok(false),
        Ok(_) | Err(Trouble::Absent) => Ok(true),
        // Whoever is not authenticated gets 401 before anything is forbidden; a front may say this of itself.
        Err(Trouble::Refused { why, .. }) => Err(Trouble::Unknown(why)),
        Err(other) => Err(other),
    }
}

async fn judged(world: &World<'_>, leaked: &Leaked, claims: &Claims) -> Result<Word, Trouble> {
    let token = leaked.text().map_err(Trouble::Failed)?;
    match review(&Desk::open(world, &SERVICE, Some(leaked))?, token, claims).await? {
        Word::Refused(_) if lets_in(world, leaked).await? => Ok(Word::Taken),
        said => Ok(said),
    }
}

/// Why a token that was refused is not done with: its Secret was written back with it.
async fn written_back(world: &World<'_>, leaked: &Leaked, claims: &Claims) -> Result<Option<String>, Trouble> {
    let Bound::Legacy { path } = &claims.bound else { return Ok(None) };
    let token = leaked.text().map_err(Trouble::Failed)?;
    let desk = Desk::open(world, &SERVICE, Some(leaked))?;
    match looked(&desk, path, ("token", token.as_bytes())).await {
        Ok((found, true)) => {
            let writers: Vec<&str> = writers(&found).into_iter().collect();
            let by = if writers.is_empty() { "somebody".to_owned() } else { writers.join(", ") };
            Ok(Some(format!(
                "{path} was written back by {by} with the very token in it: stop whoever writes it, then make a new plan"
            )))
        }
        Ok((_, false)) | Err(Trouble::Absent) => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

/// Whether it stays refused, for as long as the playbook says and there is time; why not, else how long it was looked at.
async fn stays(
    world: &World<'_>,
    (leaked, claims): (&Leaked, &Claims),
    deadline: tokio::time::Instant,
) -> Result<u64, Outcome> {
    let (begun, seconds) = (tokio::time::Instant::now(), world.arg("seconds").parse().unwrap_or(0));
    let until = deadline.min(begun + Duration::from_secs(seconds));
    loop {
        if let Some(why) = written_back(world, leaked, claims).await.map_err(Trouble::settles)? {
            return Err(Outcome::Failed(why));
        }
        if tokio::time::Instant::now() >= until {
            return Ok(begun.elapsed().as_secs());
        }
        tokio::time::sleep(LONGEST_PAUSE.min(until.duration_since(tokio::time::Instant::now()))).await;
        match judged(world, leaked, claims).await {
            Ok(Word::Refused(_)) => {}
            Ok(Word::Taken) => {
                return Err(Outcome::Failed(
                    "the API server refused it, and takes it again: look who has made it anew".to_owned(),
                ));
            }
            Err(trouble) => return Err(trouble.settles()),
        }
    }
}

async fn proved(world: &World<'_>) -> Outcome {
    let leaked = match Leaked::recall(world) {
        Ok(Some(leaked)) => leaked,
        Ok(None) => return Outcome::Unknown(GONE.to_owned()),
        Err(why) => return Outcome::Refused(why),
    };
    let Some(claims) = leaked.text().ok().and_then(Claims::of) else {
        return Outcome::Unknown("its claims cannot be read".to_owned());
    };
    let deadline = tokio::time::Instant::now() + world.timeout;
    let (mut pause, mut times) = (FIRST_PAUSE, 0u32);
    loop {
        times += 1;
        let (accepted, why) = match judged(world, &leaked, &claims).await {
            Ok(Word::Refused(why)) => {
                return match stays(world, (&leaked, &claims), deadline).await {
                    Ok(for_so_long) => Outcome::Done(
                        json!({ "refused": why, "by": "TokenReview", "asked": times, "stayed_so_for_seconds": for_so_long }),
                    ),
                    Err(outcome) => outcome,
                };
            }
            Ok(Word::Taken) => (true, "the API server still takes it".to_owned()),
            Err(Trouble::Refused { why, .. }) => return Outcome::Refused(why),
            Err(trouble) => (false, trouble.why()),
        };
        if tokio::time::Instant::now() + pause > deadline {
            let why = format!("{why} (asked for {} s)", world.timeout.as_secs());
            return if accepted { Outcome::Failed(why) } else { Outcome::Unknown(why) };
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

pub(in crate::respond::actions) struct TokenRefused;

impl Action for TokenRefused {
    fn name(&self) -> &'static str {
        "kubernetes-token-verify-refused"
    }

    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    fn may_take(&self) -> &'static [&'static str] {
        &["seconds"]
    }

    fn needs(&self) -> Needs {
        SERVICE.needs()
    }

    fn role(&self) -> Role {
        Role::Proves
    }

    fn effect(&self, _with: &BTreeMap<String, String>) -> String {
        "have the API server judge the token, and come to it with the token, until it is refused and stays so for a while"
            .to_owned()
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(proved(world))
    }
}
