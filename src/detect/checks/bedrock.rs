//! What Amazon Bedrock's API keys say by themselves: user and account of a long-term key; signer, Region and expiry of a
//! short-term one, which is a presigned URL in base64.

use data_encoding::{BASE64, BASE64_NOPAD};

use super::super::sample::Rng;
use super::Verdict;
use super::query::aws_facts;
use crate::model::Facts;

const LONG: &str = "ABSK";
const SHORT: &str = "bedrock-api-key-";

fn decode(text: &[u8]) -> Option<String> {
    let unpadded = text.trim_ascii_end();
    let unpadded = &unpadded[..unpadded.iter().rposition(|&b| b != b'=').map_or(0, |last| last + 1)];
    String::from_utf8(BASE64_NOPAD.decode(unpadded).ok()?).ok()
}

/// `ABSK` + base64 of `USER-at-ACCOUNT:SECRET`.
pub(super) fn long(value: &[u8]) -> Verdict {
    let Some(text) = value.strip_prefix(LONG.as_bytes()).and_then(decode) else { return Verdict::Doubtful(Facts::new()) };
    let Some((alias, _)) = text.split_once(':') else { return Verdict::Doubtful(Facts::new()) };
    let mut facts = Facts::from([("alias".to_owned(), alias.to_owned())]);
    match alias.rsplit_once("-at-") {
        Some((user, account)) if account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) => {
            facts.insert("user".into(), user.to_owned());
            facts.insert("account".into(), account.to_owned());
            Verdict::Holds(facts, None)
        }
        _ => Verdict::Doubtful(facts),
    }
}

/// `bedrock-api-key-` + base64 of a presigned `CallWithBearerToken` URL.
pub(super) fn short(value: &[u8]) -> Verdict {
    let facts = value.strip_prefix(SHORT.as_bytes()).and_then(decode).and_then(|url| aws_facts(&url));
    facts.map_or(Verdict::Doubtful(Facts::new()), |facts| Verdict::Holds(facts, None))
}

pub(super) fn sample_long(rng: &mut Rng) -> Vec<u8> {
    let text = format!(
        "BedrockAPIKey-{}-at-{}:{}",
        rng.text(b"abcdefghijklmnopqrstuvwxyz0123456789", 4),
        rng.text(b"0123456789", 12),
        rng.text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 60),
    );
    format!("{LONG}{}", BASE64.encode(text.as_bytes())).into_bytes()
}

pub(super) fn sample_short(rng: &mut Rng) -> Vec<u8> {
    let key_id = format!("ASIA{}", rng.text(b"ABCDEFGHKLMNOPQRSTUVWXYZ234567", 16));
    let token = rng.text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 700);
    let url = format!(
        "bedrock.amazonaws.com/?Action=CallWithBearerToken&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={key_id}%2F20250901\
         %2Fus-west-2%2Fbedrock%2Faws4_request&X-Amz-Date=20250901T101500Z&X-Amz-Expires=43200&X-Amz-Security-Token={token}\
         &X-Amz-Signature={}&X-Amz-SignedHeaders=host&Version=1",
        rng.text(b"0123456789abcdef", 64),
    );
    format!("{SHORT}{}", BASE64.encode(url.as_bytes())).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::{Rng, Verdict, long, sample_long, sample_short, short};

    #[test]
    fn a_long_term_key_names_its_user_and_account() {
        let Verdict::Holds(facts, _) = long(&sample_long(&mut Rng::new(1))) else { panic!("holds") };
        assert!(facts["user"].starts_with("BedrockAPIKey-"));
        assert_eq!(facts["account"].len(), 12);
    }

    #[test]
    fn a_short_term_key_tells_its_end() {
        let Verdict::Holds(facts, _) = short(&sample_short(&mut Rng::new(1))) else { panic!("holds") };
        assert_eq!(facts["region"], "us-west-2");
        assert_eq!(facts["expires"], "2025-09-01T22:15:00Z");
        assert!(facts["key_id"].starts_with("ASIA"));
    }

    #[test]
    fn anything_else_is_doubtful_not_impossible() {
        assert!(matches!(long(b"ABSKAAAA"), Verdict::Doubtful(_)));
        assert!(matches!(short(b"bedrock-api-key-AAAA"), Verdict::Doubtful(_)));
    }
}
