//! The services themselves: that they refuse what AWS refuses, so that a test against them means something, and that the
//! wrapper of ministack makes keys of AWS's shape.

use crate::harness::aws::{Aws, Key, ministack, ministack_in, moto};
use crate::harness::proxy::Proxy;
use aws_sdk_iam::types::StatusType;
use data_encoding::BASE32_NOPAD;
use std::collections::HashMap;

/// The account within an access key id: credentials.md A.2.
fn account(key_id: &str) -> String {
    let bytes = BASE32_NOPAD.decode(&key_id.as_bytes()[4..]).unwrap();
    let first = bytes[..6].iter().fold(0_u64, |number, &byte| number << 8 | u64::from(byte));
    format!("{:012}", (first & 0x7fff_ffff_ff80) >> 7)
}

fn bits_a_character(text: &str) -> f64 {
    let mut counts = HashMap::new();
    text.bytes().for_each(|byte| *counts.entry(byte).or_insert(0_u32) += 1);
    let share = |count: u32| f64::from(count) / text.len() as f64;
    counts.into_values().map(|count| -share(count) * share(count).log2()).sum()
}

async fn user_and_key(aws: &Aws) -> (String, Key) {
    let user = aws.user("oracle", &[("team", "payments")]).await;
    let key = aws.key(&user).await.unwrap();
    (user, key)
}

fn assert_shape(prefix: &str, key_id: &str, secret: &str, expected_account: &str) {
    assert!(key_id.starts_with(prefix), "{key_id}");
    assert_eq!(key_id.len(), 20, "{key_id}");
    assert!(!["I", "J"].contains(&&key_id[4..5]), "{key_id}: such an id is of the older kind and holds no account");
    assert_eq!(account(key_id), expected_account, "{key_id}");
    assert_eq!(secret.len(), 40);
    assert!(secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte)));
    assert!(secret.bytes().any(|byte| !byte.is_ascii_hexdigit()));
    assert!(bits_a_character(secret) >= 4.25, "{}", bits_a_character(secret));
}

#[tokio::test]
async fn ministack_keys_have_the_shape_of_aws_and_hold_the_account() {
    let aws = ministack();
    let (_, key) = user_and_key(&aws).await;
    assert_shape("AKIA", &key.id, &key.secret, "000000000000");
    assert_ne!(user_and_key(&aws).await.1.secret, key.secret);

    let elsewhere = ministack_in("123456789012");
    let (user, key) = user_and_key(&elsewhere).await;
    assert_shape("AKIA", &key.id, &key.secret, "123456789012");
    assert_eq!(elsewhere.with(&key).caller().await, Ok(format!("arn:aws:iam::123456789012:user/{user}")));
}

#[tokio::test]
async fn ministack_sessions_have_the_shape_of_aws() {
    let aws = ministack();
    let (user, key) = user_and_key(&aws).await;
    aws.policy(&user, "allow", "Allow", "*").await;
    let session = aws.with(&key).sts().get_session_token().send().await.unwrap().credentials.unwrap();
    assert_shape("ASIA", &session.access_key_id, &session.secret_access_key, "000000000000");
}

#[tokio::test]
async fn ministack_refuses_an_inactive_key_and_takes_it_back() {
    let aws = ministack();
    let (user, key) = user_and_key(&aws).await;
    let leaked = aws.with(&key);
    assert_eq!(aws.status(&user, &key.id).await, Some(StatusType::Active));
    assert_eq!(leaked.caller().await, Ok(format!("arn:aws:iam::000000000000:user/{user}")));

    aws.set_status(&user, &key.id, StatusType::Inactive).await;
    assert_eq!(aws.status(&user, &key.id).await, Some(StatusType::Inactive));
    assert_eq!(leaked.caller().await, Err("InvalidClientTokenId".to_owned()));

    aws.set_status(&user, &key.id, StatusType::Active).await;
    assert!(leaked.caller().await.is_ok());
}

#[tokio::test]
async fn ministack_refuses_wrong_secrets_and_unknown_keys() {
    let aws = ministack();
    let (user, key) = user_and_key(&aws).await;
    let wrong = Key { id: key.id.clone(), secret: key.secret.chars().rev().collect() };
    assert_eq!(aws.with(&wrong).caller().await, Err("SignatureDoesNotMatch".to_owned()));
    let unknown = Key { id: key.id.chars().rev().collect(), secret: key.secret };
    assert_eq!(aws.with(&unknown).caller().await, Err("InvalidClientTokenId".to_owned()));
    assert_eq!(aws.status(&user, &unknown.id).await, None);
}

#[tokio::test]
async fn ministack_enforces_a_deny_and_still_names_the_caller() {
    let aws = ministack();
    let (user, key) = user_and_key(&aws).await;
    aws.policy(&user, "allow", "Allow", "*").await;
    let leaked = aws.with(&key);
    assert!(leaked.key(&user).await.is_ok());
    aws.policy(&user, "deny", "Deny", "*").await;
    assert_eq!(leaked.key(&user).await.map(|key| key.id), Err("AccessDenied".to_owned()));
    assert!(leaked.caller().await.is_ok());
}

#[tokio::test]
async fn ministack_takes_signed_requests_through_the_proxy() {
    let aws = ministack();
    let proxy = Proxy::start(&aws.endpoint, None);
    let before = Aws { endpoint: proxy.url(), key: aws.key.clone() };
    let (user, key) = user_and_key(&before).await;
    assert_eq!(before.with(&key).caller().await, Ok(format!("arn:aws:iam::000000000000:user/{user}")));
    let actions: Vec<_> = proxy.seen().into_iter().filter_map(|seen| seen.action).collect();
    assert_eq!(actions, ["CreateUser", "CreateAccessKey", "GetCallerIdentity"]);
}

#[tokio::test]
async fn moto_limits_a_user_to_two_keys() {
    let aws = moto();
    let (user, _) = user_and_key(&aws).await;
    aws.key(&user).await.unwrap();
    assert_eq!(aws.key(&user).await.map(|key| key.id), Err("LimitExceeded".to_owned()));
}

#[tokio::test]
async fn moto_refuses_wrong_secrets_and_unknown_keys() {
    let aws = moto();
    let (_, key) = user_and_key(&aws).await;
    assert!(aws.with(&key).caller().await.is_ok());
    let wrong = Key { id: key.id.clone(), secret: key.secret.chars().rev().collect() };
    assert_eq!(aws.with(&wrong).caller().await, Err("SignatureDoesNotMatch".to_owned()));
    let unknown = Key { id: key.id.chars().rev().collect(), secret: key.secret };
    assert_eq!(aws.with(&unknown).caller().await, Err("InvalidClientTokenId".to_owned()));
}

#[tokio::test]
async fn moto_has_the_managed_quarantine_policy_and_it_denies() {
    let aws = moto();
    let (user, key) = user_and_key(&aws).await;
    aws.policy(&user, "allow", "Allow", "*").await;
    let leaked = aws.with(&key);
    assert!(leaked.key(&user).await.is_ok());
    let arn = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3";
    aws.iam().attach_user_policy().user_name(&user).policy_arn(arn).send().await.unwrap();
    assert_eq!(leaked.key(&user).await.map(|key| key.id), Err("AccessDenied".to_owned()));
}
