//! `sts:GetCallerIdentity`: free, needs no permission, works under an explicit deny.
//! Source: STS API reference, GetCallerIdentity. The quirk: trufflehog, `pkg/detectors/aws`.

use std::time::Duration;

use aws_sdk_sts::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::get_caller_identity::{GetCallerIdentityError, GetCallerIdentityOutput};

use crate::model::{Credential, Identity, Liveness};
use crate::net::{AwsKey, Net, NetError, Partition};

/// Two calls within 5 s with one key id and different secrets make the second fail, even if it is the right one.
const QUIRK: Duration = Duration::from_secs(5);

/// What the answers mean.
pub(super) const ANSWERS: &[(&str, &str)] = &[
    ("live", "sts:GetCallerIdentity of some AWS partition says who it is"),
    ("dead", "SignatureDoesNotMatch, twice: the key id exists, but this is not its secret"),
    ("dead", "ExpiredToken: expired"),
    ("dead", "InvalidClientTokenId from every partition: AWS does not know the key id, or it is inactive or deleted"),
];

/// What one call settled.
enum Said {
    Live(Identity),
    /// This partition does not know the key id.
    NotHere,
    WrongSecret,
    Dead(String),
    Unknown(String),
}

pub(super) async fn check(net: &Net, credential: &Credential) -> Liveness {
    let Some(key) = key(credential) else { return Liveness::Unknown("its parts are not text".to_owned()) };
    let mut unsettled = None;
    for &partition in partitions(net) {
        let mut said = ask(net, &key, partition).await;
        if matches!(said, Said::WrongSecret) {
            tokio::time::sleep(QUIRK).await;
            said = ask(net, &key, partition).await;
        }
        match said {
            Said::Live(identity) => return Liveness::Live(identity),
            Said::WrongSecret => return Liveness::Dead("the key id exists, but this is not its secret".to_owned()),
            Said::Dead(why) => return Liveness::Dead(why),
            Said::Unknown(why) => unsettled = Some(why),
            Said::NotHere => {}
        }
    }
    match unsettled {
        Some(why) => Liveness::Unknown(why),
        None => Liveness::Dead("AWS does not know this key id, or it is inactive or deleted".to_owned()),
    }
}

/// Which are asked, in turn.
pub(super) fn partitions(net: &Net) -> &'static [Partition] {
    // A named endpoint is one world; asking other partitions there would ask the same server again.
    if net.aws_endpoint("sts").is_some() { &Partition::ALL[..1] } else { &Partition::ALL }
}

fn key(credential: &Credential) -> Option<AwsKey> {
    Some(AwsKey {
        id: credential.part("key_id")?.value.expose_str()?.to_owned(),
        secret: credential.part("secret")?.value.duplicate(),
        token: credential.part("session_token").map(|part| part.value.duplicate()),
    })
}

async fn ask(net: &Net, key: &AwsKey, partition: Partition) -> Said {
    let (sts, turn) = match (net.sts(key, partition), net.sts_turn(partition).await) {
        (Ok(sts), Ok(turn)) => (sts, turn),
        (Err(error), _) | (_, Err(error)) => return Said::Unknown(error.to_string()),
    };
    let answer = sts.get_caller_identity().send().await;
    match &answer {
        Err(SdkError::TimeoutError(_) | SdkError::DispatchFailure(_)) => turn.failed(),
        _ => turn.answered(),
    }
    judge(answer)
}

fn judge(answer: Result<GetCallerIdentityOutput, SdkError<GetCallerIdentityError>>) -> Said {
    let error = match answer {
        Ok(output) => return Said::Live(identity(&output)),
        Err(error) => error,
    };
    match error.code() {
        Some("InvalidClientTokenId") => Said::NotHere,
        Some("SignatureDoesNotMatch") => Said::WrongSecret,
        Some("ExpiredToken" | "ExpiredTokenException") => Said::Dead("expired".to_owned()),
        Some(code) => Said::Unknown(format!("STS answered {code}")),
        None => Said::Unknown(unanswered(&error)),
    }
}

/// Why there was no answer. Our own refusals are found in the chain of causes; the rest is the SDK's, which names no secret.
fn unanswered(error: &SdkError<GetCallerIdentityError>) -> String {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if let Some(own) = inner.downcast_ref::<NetError>() {
            return own.to_string();
        }
        cause = inner.source();
    }
    match error {
        SdkError::TimeoutError(_) => "STS did not answer in time".to_owned(),
        SdkError::DispatchFailure(_) => "STS cannot be reached".to_owned(),
        SdkError::ResponseError(_) => "STS did not answer in its own protocol".to_owned(),
        other => format!("STS was not asked: {}", DisplayErrorContext(other)),
    }
}

fn identity(output: &GetCallerIdentityOutput) -> Identity {
    let mut identity = Identity::default();
    for (name, value) in [("account", output.account()), ("arn", output.arn()), ("user_id", output.user_id())] {
        if let Some(value) = value {
            identity.set(name, value);
        }
    }
    let resource = output.arn().and_then(|arn| arn.splitn(6, ':').nth(5));
    match resource {
        Some("root") => identity.set("root", "true"),
        Some(resource) => {
            // `user/path/name`, `assumed-role/role/session`.
            if let Some(user) = resource.strip_prefix("user/") {
                identity.set("user", user.rsplit('/').next().unwrap_or(user));
            } else if let Some((role, session)) =
                resource.strip_prefix("assumed-role/").and_then(|rest| rest.split_once('/'))
            {
                identity.set("role", role);
                identity.set("session", session);
            }
        }
        None => {}
    }
    identity
}
