//! `aws-session-verify-refused`: asks IAM as the leaked session until an explicit deny refuses it. STS answers who one is to anyone,
//! denied or not, so it proves nothing here; `iam:GetAccountSummary` reads a few counts. A refusal without an explicit deny is what
//! a role without rights gets anyhow: that is Unknown. Source: IAM user guide, "Troubleshoot access denied error messages".

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_iam::error::ProvideErrorMetadata;
use serde_json::{Value, json};

use super::verify_refused::key;
use super::{Action, Doing, Outcome, Role, World};
use crate::net::AwsKey;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

pub(super) struct SessionRefused;

/// What IAM said: refused, and by which words; or why that is not told yet.
async fn ask(world: &World<'_>, key: &AwsKey) -> Result<String, String> {
    let iam = world.hands.net.iam(key, world.partition()).map_err(|error| error.to_string())?;
    let Err(error) = iam.get_account_summary().send().await else { return Err("IAM still answers the session".to_owned()) };
    let denied = error.message().is_some_and(|message| message.contains("explicit deny in an identity-based policy"));
    match error.code() {
        Some(code @ ("InvalidClientTokenId" | "ExpiredToken")) => Ok(code.to_owned()),
        Some("AccessDenied" | "AccessDeniedException") if denied => Ok("explicit deny".to_owned()),
        Some(code @ ("AccessDenied" | "AccessDeniedException")) => Err(format!(
            "IAM refuses it with {code}, but not by an explicit deny: its role may not ask this anyway, so that all else is denied is not proved"
        )),
        Some(code) => Err(format!("IAM answered {code}")),
        None => Err("IAM cannot be reached".to_owned()),
    }
}

async fn prove(world: &World<'_>) -> Outcome {
    let rivals: Vec<AwsKey> = (world.hands.recall)(&world.plan.fingerprint).iter().filter_map(key).collect();
    if rivals.is_empty() {
        return Outcome::Unknown("value no longer readable where it was found; hand it over with --secret-stdin".to_owned());
    }
    if world.before.get("refused_before") == Some(&Value::Bool(true)) {
        return Outcome::Unknown(
            "it was refused by an explicit deny before anything was done, so that says nothing".to_owned(),
        );
    }
    let deadline = tokio::time::Instant::now() + world.timeout;
    let (mut pause, mut asked) = (FIRST_PAUSE, 0u32);
    loop {
        let mut said = Ok(String::new());
        for rival in &rivals {
            asked += 1;
            said = ask(world, rival).await;
            if said.is_err() {
                break;
            }
        }
        match said {
            Ok(refused) => return Outcome::Done(json!({ "refused": refused, "asked": asked })),
            Err(why) if tokio::time::Instant::now() + pause > deadline => {
                return Outcome::Unknown(format!("{why} (asked for {} s)", world.timeout.as_secs()));
            }
            Err(_) => {}
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

impl Action for SessionRefused {
    fn name(&self) -> &'static str {
        "aws-session-verify-refused"
    }

    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    fn role(&self) -> Role {
        Role::Proves
    }

    fn lags(&self) -> bool {
        true
    }

    fn effect(&self, _with: &BTreeMap<String, String>) -> String {
        "ask IAM as the leaked session until an explicit deny refuses it".to_owned()
    }

    fn observe<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, String>> {
        // What is refused so before anything was done proves nothing afterwards.
        Box::pin(async move {
            let rivals: Vec<AwsKey> = (world.hands.recall)(&world.plan.fingerprint).iter().filter_map(key).collect();
            let mut refused = !rivals.is_empty();
            for rival in &rivals {
                refused &= ask(world, rival).await.is_ok();
            }
            Ok(json!({ "refused_before": refused }))
        })
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(prove(world))
    }
}
