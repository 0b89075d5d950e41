//! `aws-key-verify-refused`: asks STS as the leaked key until it is refused. Changes take seconds to bite, so it waits; at
//! its end it says Unknown, never "done".

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_sts::error::ProvideErrorMetadata;
use serde_json::json;

use super::{Action, Doing, Outcome, Role, World};
use crate::model::Credential;
use crate::net::AwsKey;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

pub(super) struct VerifyRefused;

enum Said {
    Refused,
    Accepted,
    Other(String),
}

pub(super) fn key(credential: &Credential) -> Option<AwsKey> {
    Some(AwsKey {
        id: credential.part("key_id")?.value.expose_str()?.to_owned(),
        secret: credential.part("secret")?.value.duplicate(),
        token: credential.part("session_token").map(|part| part.value.duplicate()),
    })
}

async fn ask(world: &World<'_>, key: &AwsKey) -> Said {
    let sts = match world.hands.net.sts(key, world.partition()) {
        Ok(sts) => sts,
        Err(error) => return Said::Other(error.to_string()),
    };
    match sts.get_caller_identity().send().await {
        Ok(_) => Said::Accepted,
        Err(error) => match error.code() {
            Some("InvalidClientTokenId") => Said::Refused,
            Some(code) => Said::Other(format!("STS answered {code}")),
            None => Said::Other("STS cannot be reached".to_owned()),
        },
    }
}

async fn prove(world: &World<'_>) -> Outcome {
    let rivals: Vec<AwsKey> = (world.hands.recall)(&world.plan.fingerprint).iter().filter_map(key).collect();
    if rivals.is_empty() {
        return Outcome::Unknown("value no longer readable where it was found; hand it over with --secret-stdin".to_owned());
    }
    let deadline = tokio::time::Instant::now() + world.timeout;
    let (mut pause, mut asked) = (FIRST_PAUSE, 0u32);
    loop {
        let mut last = Said::Refused;
        for rival in &rivals {
            asked += 1;
            last = ask(world, rival).await;
            if !matches!(last, Said::Refused) {
                break;
            }
        }
        let why = match last {
            Said::Refused => return Outcome::Done(json!({ "refused": "InvalidClientTokenId", "asked": asked })),
            Said::Accepted => "STS still accepts the key".to_owned(),
            Said::Other(why) => why,
        };
        if tokio::time::Instant::now() + pause > deadline {
            return Outcome::Unknown(format!("{why} after {} s", world.timeout.as_secs()));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

impl Action for VerifyRefused {
    fn name(&self) -> &'static str {
        "aws-key-verify-refused"
    }

    fn takes(&self) -> &'static [&'static str] {
        &["key_id"]
    }

    fn role(&self) -> Role {
        Role::Proves
    }

    fn lags(&self) -> bool {
        true
    }

    fn effect(&self, with: &BTreeMap<String, String>) -> String {
        let key = with.get("key_id").map_or("", String::as_str);
        format!("ask STS as the leaked key {key} until it is refused")
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(prove(world))
    }
}
