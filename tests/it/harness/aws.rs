//! The AWS side of a test: makes users, policies and keys in ministack or moto as their administrator, and asks STS as
//! whom a key speaks.

use super::services;
use aws_sdk_iam::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_iam::types::{StatusType, Tag};
use std::sync::atomic::{AtomicU32, Ordering};

/// An access key. Debug does not show its secret.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Key {
    pub(crate) fn new(id: &str, secret: &str) -> Self {
        Self { id: id.to_owned(), secret: secret.to_owned() }
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

/// One service, spoken to with one key.
#[derive(Clone, Debug)]
pub(crate) struct Aws {
    pub(crate) endpoint: String,
    pub(crate) key: Key,
}

/// ministack as the root of its account 000000000000.
pub(crate) fn ministack() -> Aws {
    Aws { endpoint: services::ministack(), key: Key::new("test", "test") }
}

/// ministack as the root of another account (12 digits). Key ids of account 000000000000 hold eight `A` in a row, about
/// 2.7 bits a character: a detector that asks for 3 rightly passes them over. Those of 123456789012 have about 3.6.
pub(crate) fn ministack_in(account: &str) -> Aws {
    ministack().with(&Key::new(account, "test"))
}

/// moto as the administrator that `tests/services` made before it switched moto's authorisation on.
pub(crate) fn moto() -> Aws {
    let key =
        Key { id: services::setting("STAUNCH_TEST_MOTO_KEY_ID"), secret: services::setting("STAUNCH_TEST_MOTO_SECRET") };
    Aws { endpoint: services::moto(), key }
}

/// `name` with an ending that no other test or run uses: the services are shared and not reset between tests.
pub(crate) fn unique(name: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Runs against services left running meet their own leftovers: the process id alone could come again.
    let folder = tempfile::tempdir().unwrap();
    let random = folder.path().file_name().unwrap().to_string_lossy().trim_start_matches('.').to_owned();
    format!("{name}-{random}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

impl Aws {
    /// The same service with another key.
    pub(crate) fn with(&self, key: &Key) -> Self {
        Self { endpoint: self.endpoint.clone(), key: key.clone() }
    }

    pub(crate) fn iam(&self) -> aws_sdk_iam::Client {
        let config = aws_sdk_iam::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(self.credentials())
            .endpoint_url(&self.endpoint);
        aws_sdk_iam::Client::from_conf(config.build())
    }

    pub(crate) fn sts(&self) -> aws_sdk_sts::Client {
        let config = aws_sdk_sts::Config::builder()
            .behavior_version(aws_sdk_sts::config::BehaviorVersion::latest())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .region(aws_sdk_sts::config::Region::from_static("us-east-1"))
            .credentials_provider(self.credentials())
            .endpoint_url(&self.endpoint);
        aws_sdk_sts::Client::from_conf(config.build())
    }

    fn credentials(&self) -> Credentials {
        Credentials::new(&self.key.id, &self.key.secret, None, None, "tests")
    }

    /// Makes a user of a unique name that begins with `name`; gives the whole name.
    pub(crate) async fn user(&self, name: &str, tags: &[(&str, &str)]) -> String {
        let name = unique(name);
        let tags = tags.iter().map(|(key, value)| Tag::builder().key(*key).value(*value).build().unwrap()).collect();
        self.iam().create_user().user_name(&name).set_tags(Some(tags)).send().await.unwrap();
        name
    }

    /// Puts an inline policy on a user: `effect` (Allow or Deny) `action` on everything.
    pub(crate) async fn policy(&self, user: &str, name: &str, effect: &str, action: &str) {
        let statement = serde_json::json!({ "Effect": effect, "Action": action, "Resource": "*" });
        let document = serde_json::json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        let put = self.iam().put_user_policy().user_name(user).policy_name(name).policy_document(document);
        put.send().await.unwrap();
    }

    /// Makes an access key; the error is the service's code (`LimitExceeded`).
    pub(crate) async fn key(&self, user: &str) -> Result<Key, String> {
        let made = self.iam().create_access_key().user_name(user).send().await.map_err(|error| code(&error))?;
        let key = made.access_key.unwrap();
        Ok(Key { id: key.access_key_id, secret: key.secret_access_key })
    }

    /// Whether a key is there, and `Active` or `Inactive`.
    pub(crate) async fn status(&self, user: &str, key_id: &str) -> Option<StatusType> {
        let list = self.iam().list_access_keys().user_name(user).send().await.unwrap();
        list.access_key_metadata.into_iter().find(|key| key.access_key_id() == Some(key_id)).and_then(|key| key.status)
    }

    pub(crate) async fn set_status(&self, user: &str, key_id: &str, status: StatusType) {
        let update = self.iam().update_access_key().user_name(user).access_key_id(key_id).status(status);
        update.send().await.unwrap();
    }

    /// The ARN as which the key speaks; the error is the service's code (`InvalidClientTokenId`).
    pub(crate) async fn caller(&self) -> Result<String, String> {
        let answer = self.sts().get_caller_identity().send().await.map_err(|error| code(&error))?;
        Ok(answer.arn.unwrap())
    }
}

/// The code of a refusal. Anything else (no connection, no AWS error in the answer) fails the test.
fn code<E: ProvideErrorMetadata + std::fmt::Debug>(error: &SdkError<E>) -> String {
    // moto's authorisation answers in EC2's envelope (`<Errors><Error>`) for IAM and STS too, in which the SDK finds no code.
    let body = error.raw_response().and_then(|answer| answer.body().bytes()).unwrap_or_default();
    let body = String::from_utf8_lossy(body);
    let in_body = || body.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map(|(code, _)| code);
    error.code().or_else(in_body).map_or_else(|| panic!("not an answer of AWS: {error:?}"), str::to_owned)
}
