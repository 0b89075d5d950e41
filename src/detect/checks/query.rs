//! Signed requests written as the query of a URL: AWS presigned URLs and Azure shared access signatures. Both say until
//! when they are good.

use jiff::{SignedDuration, Timestamp};

use super::Verdict;
use super::aws::account;
use crate::model::Facts;

/// The value of one field of a URL's query.
fn field<'q>(query: &'q str, name: &str) -> Option<&'q str> {
    query.split(['?', '&']).find_map(|pair| pair.strip_prefix("amp;").unwrap_or(pair).strip_prefix(name)?.strip_prefix('='))
}

/// Signer, Region and expiry of an AWS query signature (SigV4, "Authenticating Requests: Using Query Parameters").
pub(super) fn aws_facts(url: &str) -> Option<Facts> {
    let field = |name| field(url, name);
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
    facts.extend(account(key_id.as_bytes()).map(|account| ("account".to_owned(), account)));
    Some(facts)
}

/// An AWS presigned URL.
pub(super) fn aws_presigned(value: &[u8]) -> Verdict {
    let url = String::from_utf8_lossy(value);
    match (field(&url, "X-Amz-Signature"), aws_facts(&url)) {
        (None, _) => Verdict::Fails("not signed"),
        (Some(_), None) => Verdict::Doubtful(Facts::new()),
        (Some(_), Some(facts)) => Verdict::Holds(facts, None),
    }
}

/// An Azure shared access signature ("Create a service SAS"): `sv` version, `se` expiry, `sp` rights, `sip` addresses.
pub(super) fn azure_sas(value: &[u8]) -> Verdict {
    let url = String::from_utf8_lossy(value).replace("%3A", ":").replace("%3a", ":");
    if field(&url, "sig").is_none_or(str::is_empty) {
        return Verdict::Fails("not signed");
    }
    let named = [("sv", "version"), ("sp", "rights"), ("sip", "addresses"), ("sr", "resource"), ("ss", "services")];
    let mut facts: Facts =
        named.iter().filter_map(|(key, fact)| Some(((*fact).to_owned(), field(&url, key)?.to_owned()))).collect();
    // `2030-01-02`, `2030-01-02T03:04Z` and `2030-01-02T03:04:05Z` are all written.
    let whole = |text: &str| match text.len() {
        10 => format!("{text}T00:00:00Z"),
        17 => format!("{}:00Z", text.trim_end_matches('Z')),
        _ => text.to_owned(),
    };
    let expires = field(&url, "se").and_then(|text| whole(text).parse::<Timestamp>().ok());
    facts.extend(expires.map(|expires| ("expires".to_owned(), expires.to_string())));
    Verdict::Holds(facts, None)
}

#[cfg(test)]
mod tests {
    use super::{Verdict, aws_presigned, azure_sas};

    #[test]
    fn signed_requests_say_until_when() {
        for (expiry, expected) in [
            ("2031-02-03T04:05:06Z", "2031-02-03T04:05:06Z"),
            ("2031-02-03T04%3A05%3A06Z", "2031-02-03T04:05:06Z"),
            ("2031-02-03T04:05Z", "2031-02-03T04:05:00Z"),
            ("2031-02-03", "2031-02-03T00:00:00Z"),
        ] {
            let query = format!("https://x.blob.core.windows.net/c?sv=2022-11-02&sp=rl&se={expiry}&sr=c&sig=abc%3D");
            let Verdict::Holds(facts, None) = azure_sas(query.as_bytes()) else { panic!("holds") };
            assert_eq!((facts["expires"].as_str(), facts["rights"].as_str()), (expected, "rl"));
        }
        assert!(matches!(azure_sas(b"sv=2022-11-02&se=2031-01-01"), Verdict::Fails(_)));
        let url = format!(
            "https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIA{}%2F20250901%2Feu-west-1%2Fs3%2Faws4_request&amp;X-Amz-Date=20250901T101500Z&X-Amz-Expires=60&X-Amz-Signature=00",
            "RZPUZDIKAB6VH3GC"
        );
        let Verdict::Holds(facts, None) = aws_presigned(url.as_bytes()) else { panic!("holds") };
        assert_eq!((facts["region"].as_str(), facts["expires"].as_str()), ("eu-west-1", "2025-09-01T10:16:00Z"));
        assert!(matches!(aws_presigned(b"X-Amz-Signature=00"), Verdict::Doubtful(_)));
        assert!(matches!(aws_presigned(b"X-Amz-Date=1"), Verdict::Fails(_)));
    }
}
