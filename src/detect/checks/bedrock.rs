//! What Amazon Bedrock's API keys say by themselves: user and account of a long-term key; signer, Region and expiry of a
//! short-term one, which is a presigned URL in base64.

use data_encoding::{BASE64, BASE64_NOPAD};
use jiff::{SignedDuration, Timestamp};

use super::super::sample::Rng;
use super::Verdict;
use super::aws::account;
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
    let facts = value.strip_prefix(SHORT.as_bytes()).and_then(decode).and_then(|url| short_facts(&url));
    facts.map_or(Verdict::Doubtful(Facts::new()), |facts| Verdict::Holds(facts, None))
}

fn short_facts(url: &str) -> Option<Facts> {
    let query = url.split_once('?')?.1;
    let field = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let scope = field("X-Amz-Credential")?.replace("%2F", "/");
    let mut scope = scope.split('/');
    let (key_id, _, region) = (scope.next()?, scope.next()?, scope.next()?);
    let issued: Timestamp = {
        let date = field("X-Amz-Date")?.as_bytes();
        let part = |range: std::ops::Range<usize>| date.get(range).and_then(|part| std::str::from_utf8(part).ok());
        let day = format!("{}-{}-{}", part(0..4)?, part(4..6)?, part(6..8)?);
        format!("{day}T{}:{}:{}Z", part(9..11)?, part(11..13)?, part(13..15)?).parse().ok()?
    };
    let expires = issued.checked_add(SignedDuration::from_secs(field("X-Amz-Expires")?.parse().ok()?)).ok()?;
    let mut facts = Facts::from([
        ("key_id".to_owned(), key_id.to_owned()),
        ("region".to_owned(), region.to_owned()),
        ("issued".to_owned(), issued.to_string()),
        ("expires".to_owned(), expires.to_string()),
    ]);
    if let Some(account) = account(key_id.as_bytes()) {
        facts.insert("account".into(), account);
    }
    Some(facts)
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
