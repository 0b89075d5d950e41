//! Checksums of GitHub's tokens.
//!
//! Classic tokens: the last six characters are the CRC-32 of the body without its prefix, in base 62 (GitHub's blog,
//! "Behind GitHub's new authentication token formats"; confirmed on public samples of `ghp_`).
//! Fine-grained: characters 77 to 84 are the first eight of base32(SHA-256(everything before)); confirmed on public
//! samples. What the last eight are is not public.

use data_encoding::BASE32_NOPAD;

use super::Verdict;
use crate::model::Facts;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const WRONG: &str = "checksum does not hold";
const FINE_GRAINED_BODY: usize = 77;

fn classic_tail(body: &[u8]) -> [u8; 6] {
    let mut rest = crc32fast::hash(body);
    let mut tail = [b'0'; 6];
    for place in tail.iter_mut().rev() {
        *place = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    tail
}

fn fine_grained_tail(body: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, body);
    BASE32_NOPAD.encode(&digest.as_ref()[..5])
}

pub(super) fn crc32(token: &[u8]) -> Verdict {
    let (body, tail) = token.split_at(token.len().saturating_sub(6));
    let holds = body.len() > 4 && classic_tail(&body[4..]) == tail;
    if holds { Verdict::Holds(Facts::new(), None) } else { Verdict::Fails(WRONG) }
}

pub(super) fn fine_grained(token: &[u8]) -> Verdict {
    let holds = token.len() > FINE_GRAINED_BODY + 8 && {
        let (body, tail) = token.split_at(FINE_GRAINED_BODY);
        tail.starts_with(fine_grained_tail(body).as_bytes())
    };
    if holds { Verdict::Holds(Facts::new(), None) } else { Verdict::Fails(WRONG) }
}

pub(super) fn complete_crc32(token: &mut Vec<u8>) {
    let body = token.len() - 6;
    let tail = classic_tail(&token[4..body]);
    token.truncate(body);
    token.extend_from_slice(&tail);
}

pub(super) fn complete_fine_grained(token: &mut [u8]) {
    let tail = fine_grained_tail(&token[..FINE_GRAINED_BODY]);
    token[FINE_GRAINED_BODY..FINE_GRAINED_BODY + 8].copy_from_slice(tail.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::{Verdict, WRONG, crc32, fine_grained};
    use crate::model::Facts;

    #[test]
    fn tokens_made_by_another_implementation_hold_and_their_neighbours_do_not() {
        // Made with Python's zlib and hashlib.
        let classic = concat!("gh", "p_e71lHFE8l6hlvY5bR215DEWc1ZCjfi1ZcD47");
        assert_eq!(crc32(classic.as_bytes()), Verdict::Holds(Facts::new(), None));
        assert_eq!(crc32(classic.replace("e71", "e72").as_bytes()), Verdict::Fails(WRONG));
        assert_eq!(crc32(b"x"), Verdict::Fails(WRONG));
        let body = "1180O2RAK1VRJNVGFYGWWQ_p2kTY7xO5ZIredutNaCj42gEnI5sEt6OHTerNANMDgH";
        let token = |tail: &str| format!("github_{}{body}{tail}ixhf4ceA", "pat_");
        assert_eq!(fine_grained(token("R5EXZGWG").as_bytes()), Verdict::Holds(Facts::new(), None));
        assert_eq!(fine_grained(token("R5EXZGWH").as_bytes()), Verdict::Fails(WRONG));
        assert_eq!(fine_grained(b"github_pat_short"), Verdict::Fails(WRONG));
    }
}
