//! The password of a URL's userinfo, the secret in a call: whether it is a value at all, and not a reference, a template, a
//! default or words.

use super::super::generic::{is_reference, judge_token};
use super::super::{made_up, suppress};
use super::Verdict;
use crate::model::Facts;

pub(super) fn check(value: &[u8]) -> Verdict {
    let plain: Vec<u8> = percent_encoding::percent_decode(value).collect();
    if plain.len() < 4 {
        return Verdict::Fails("too short for a secret");
    }
    if is_reference(&plain) || plain.iter().any(|byte| matches!(byte, b'<' | b'>' | b'{' | b'}')) {
        return Verdict::Fails("a reference or a template, not a value");
    }
    // `joe:joespass@`: a real one has more than small letters.
    let small = plain.iter().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-'));
    if let Some(reason) = made_up::for_show(&plain).filter(|_| small) {
        return Verdict::Fails(reason);
    }
    match suppress::reason(&plain).or_else(|| suppress::weak_word(&plain)) {
        Some(reason) => Verdict::Fails(reason),
        None => Verdict::Holds(Facts::new(), None),
    }
}

/// A secret that only a program types.
pub(super) fn token(value: &[u8]) -> Verdict {
    judge_token(value).map_or_else(|| Verdict::Holds(Facts::new(), None), Verdict::Fails)
}

#[cfg(test)]
mod tests {
    use super::{Verdict, check, token};

    #[test]
    fn a_secret_in_a_call_is_random() {
        assert!(matches!(token(b"Zk4vT9qLw2RxN7cBd1Yh"), Verdict::Holds(..)));
        for value in
            ["my-super-secret-signing-key", "process.env.JWT_SECRET", "${JWT_SECRET_KEY_2}", "your-256-bit-secret", ""]
        {
            assert!(matches!(token(value.as_bytes()), Verdict::Fails(_)), "{value}");
        }
    }

    #[test]
    fn values_hold_and_what_stands_for_one_fails() {
        for value in ["vR7#kq2Lw9zT", "p%40ssW0rdQx9", "hq7zfuwk"] {
            assert!(matches!(check(value.as_bytes()), Verdict::Holds(..)), "{value}");
        }
        for value in
            ["${PASS}", "<password>", "{{pw}}", "$PASS", "%s", "password", "postgres", "changeme", "xyz", "xxxxxxxxxxxx", ""]
        {
            assert!(matches!(check(value.as_bytes()), Verdict::Fails(_)), "{value}");
        }
    }
}
