//! Driven over the socket by the unchanged AWS SDK clients.
#![expect(clippy::disallowed_methods, reason = "tests make their own AWS clients")]

use std::sync::Arc;

use aws_sdk_iam::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig};
use aws_sdk_iam::error::ProvideErrorMetadata;
use aws_sdk_iam::types::StatusType;

use super::{Fault, Sandbox, SandboxKey};
use crate::model::SystemClock;

async fn start() -> Sandbox {
    Sandbox::start(Arc::new(SystemClock)).await.expect("starts")
}

fn iam(sandbox: &Sandbox, key: &SandboxKey) -> aws_sdk_iam::Client {
    let secret = key.secret.expose_str().expect("text");
    let config = aws_sdk_iam::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .region(Region::from_static("us-east-1"))
        .retry_config(RetryConfig::disabled())
        .credentials_provider(Credentials::new(&key.id, secret, None, None, "tests"))
        .endpoint_url(sandbox.url());
    aws_sdk_iam::Client::from_conf(config.build())
}

async fn caller(sandbox: &Sandbox, key: &SandboxKey) -> Result<String, String> {
    let secret = key.secret.expose_str().expect("text");
    let config = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .region(Region::from_static("us-east-1"))
        .retry_config(RetryConfig::disabled())
        .credentials_provider(Credentials::new(&key.id, secret, None, None, "tests"))
        .endpoint_url(sandbox.url());
    let answer = aws_sdk_sts::Client::from_conf(config.build()).get_caller_identity().send().await;
    answer.map(|who| who.arn().unwrap_or_default().to_owned()).map_err(|error| error.code().unwrap_or("none").to_owned())
}

#[tokio::test]
async fn a_key_lives_sleeps_and_wakes() {
    let sandbox = start().await;
    sandbox.create_user("ci", &[("Team", "x")]).expect("a user");
    let key = sandbox.create_access_key("ci").expect("a key");
    let admin = iam(&sandbox, &sandbox.admin().expect("a key"));
    let arn = format!("arn:aws:iam::{}:user/ci", sandbox.account());
    assert_eq!(caller(&sandbox, &key).await, Ok(arn.clone()));
    let set = |status: StatusType| admin.update_access_key().user_name("ci").access_key_id(&key.id).status(status).send();
    set(StatusType::Inactive).await.expect("done");
    assert_eq!(caller(&sandbox, &key).await, Err("InvalidClientTokenId".to_owned()));
    set(StatusType::Active).await.expect("done");
    assert_eq!(caller(&sandbox, &key).await, Ok(arn));
    let wrong = SandboxKey { id: key.id.clone(), secret: crate::secret::Secret::new(&[b'x'; 40]) };
    assert_eq!(caller(&sandbox, &wrong).await, Err("SignatureDoesNotMatch".to_owned()));
    let used = admin.get_access_key_last_used().access_key_id(&key.id).send().await.expect("known");
    assert_eq!(
        (used.user_name(), used.access_key_last_used().map(aws_sdk_iam::types::AccessKeyLastUsed::service_name)),
        (Some("ci"), Some("sts"))
    );
    let tags = admin.list_user_tags().user_name("ci").send().await.expect("tags");
    assert_eq!((tags.tags()[0].key(), tags.tags()[0].value()), ("Team", "x"));
}

#[tokio::test]
async fn denies_bite_limits_hold_and_unknown_things_are_said() {
    let sandbox = start().await;
    sandbox.create_user("ci", &[]).expect("a user");
    let key = sandbox.create_access_key("ci").expect("a key");
    let (admin, own) = (iam(&sandbox, &sandbox.admin().expect("a key")), iam(&sandbox, &key));
    own.create_access_key().send().await.expect("a second key");
    let third = own.create_access_key().send().await.expect_err("limit");
    assert_eq!(third.code(), Some("LimitExceeded"));
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"iam:List*","Resource":"*"}]}"#;
    admin.put_user_policy().user_name("ci").policy_name("d").policy_document(deny).send().await.expect("put");
    let refused = own.list_access_keys().send().await.expect_err("denied");
    assert_eq!(refused.code(), Some("AccessDenied"));
    assert!(refused.message().unwrap_or_default().contains("with an explicit deny"), "{refused:?}");
    assert!(caller(&sandbox, &key).await.is_ok(), "GetCallerIdentity works under a deny");
    let read = admin.get_user_policy().user_name("ci").policy_name("d").send().await.expect("there");
    assert!(read.policy_document().contains("%22Deny%22"), "URL-encoded, as AWS answers");
    let nobody = admin.get_user().user_name("nobody").send().await.expect_err("absent");
    assert_eq!(nobody.code(), Some("NoSuchEntity"));
    let made = admin.create_service_specific_credential().user_name("ci").service_name("bedrock.amazonaws.com").send().await;
    assert!(made.expect("made").service_specific_credential().is_some());
    let listed = admin.list_service_specific_credentials().user_name("ci").send().await.expect("listed");
    assert_eq!(listed.service_specific_credentials().len(), 1);
    let profile = admin.get_login_profile().user_name("ci").send().await.expect_err("none");
    assert_eq!(profile.code(), Some("NoSuchEntity"));
}

#[tokio::test]
async fn faults_happen_once_and_calls_are_counted() {
    let sandbox = start().await;
    sandbox.create_user("ci", &[]).expect("a user");
    let admin = iam(&sandbox, &sandbox.admin().expect("a key"));
    let tries = || admin.create_access_key().user_name("ci").send();
    for (fault, keys) in
        [(Fault::Throttle, 0), (Fault::InternalError, 0), (Fault::DropBeforeEffect, 0), (Fault::DropAfterEffect, 1)]
    {
        sandbox.fail_next("iam:CreateAccessKey", fault);
        assert!(tries().await.is_err(), "{fault:?}");
        let listed = admin.list_access_keys().user_name("ci").send().await.expect("listed");
        assert_eq!(listed.access_key_metadata().len(), keys, "{fault:?}");
    }
    tries().await.expect("works again");
    let calls = sandbox.calls();
    assert_eq!(calls.iter().filter(|call| call.action == "iam:CreateAccessKey").count(), 5);
    assert_eq!(calls.iter().filter(|call| call.error.as_deref() == Some("Throttling")).count(), 1);
}
