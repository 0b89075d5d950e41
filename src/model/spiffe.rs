//! SPIFFE ids, by the rules of the SPIFFE-ID standard (github.com/spiffe/spiffe, standards/SPIFFE-ID.md, section 2): what does
//! not keep them is none, and none is ever made up where the trust domain is not known.

use std::fmt;

/// Longest trust domain, in bytes (2.1).
const LONGEST_DOMAIN: usize = 255;
/// Longest id that every implementation must take, in bytes (2.3).
const LONGEST_ID: usize = 2048;

/// A trust domain's name: lower-case letters, digits, dots, dashes and underscores.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrustDomain(String);

impl TrustDomain {
    /// The name, or none. No scheme, port, user or percent-encoding.
    pub fn new(name: &str) -> Option<Self> {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_');
        let good = !name.is_empty() && name.len() <= LONGEST_DOMAIN && name.bytes().all(fits);
        good.then(|| Self(name.to_owned()))
    }
}

impl fmt::Display for TrustDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `spiffe://TRUST-DOMAIN/PATH`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpiffeId(String);

impl SpiffeId {
    /// An id in a domain. The path is empty, or begins with `/` and has no empty, `.` or `..` segment and no `/` at its end.
    pub fn new(domain: &TrustDomain, path: &str) -> Option<Self> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        let segment = |text: &str| !matches!(text, "" | "." | "..") && text.bytes().all(fits);
        let good = path.is_empty() || path.strip_prefix('/').is_some_and(|path| path.split('/').all(segment));
        let id = format!("spiffe://{domain}{path}");
        (good && id.len() <= LONGEST_ID).then_some(Self(id))
    }

    /// Reads one as it is written: no query, fragment, port, user, percent-encoding or capitals in scheme and domain.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("spiffe://")?;
        let (domain, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        Self::new(&TrustDomain::new(domain)?, path)
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{SpiffeId, TrustDomain};

    #[test]
    fn the_standard_s_rules() {
        let long = format!("spiffe://{}", "a".repeat(255));
        for good in
            ["spiffe://prod.example.org/ns/a/sa/b", "spiffe://x", "spiffe://10.0.0.1/a", "spiffe://a_b-c/A.b_c-1/...", &long]
        {
            assert_eq!(SpiffeId::parse(good).map(|id| id.to_string()).as_deref(), Some(good));
        }
        let domain = format!("spiffe://{}", "a".repeat(256));
        let path = format!("spiffe://x/{}", "a".repeat(2048));
        for bad in [
            "",
            "spiffe://",
            "spiffe:///a",
            "https://x/a",
            "SPIFFE://x/a",
            "spiffe://X/a",
            "spiffe://x/",
            "spiffe://x//a",
            "spiffe://x/a/",
            "spiffe://x/./a",
            "spiffe://x/a/..",
            "spiffe://x/a?b",
            "spiffe://x/a#b",
            "spiffe://x:80/a",
            "spiffe://u@x/a",
            "spiffe://x/%61",
            "spiffe://[::1]/a",
            "spiffe://x/a b",
            "spiffe://é/a",
            "spiffe://x/é",
            "spiffe://x ",
            &domain,
            &path,
        ] {
            assert_eq!(SpiffeId::parse(bad), None, "{bad}");
        }
        assert_eq!(TrustDomain::new("a/b"), None);
    }
}
