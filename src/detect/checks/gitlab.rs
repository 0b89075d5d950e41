//! GitLab's routable tokens: `PREFIX-PAYLOAD.VV.LLccccccc`. LL is the payload's length and the last seven characters are
//! the CRC-32 of everything before them, both in base 36 (lib/authn/token_field in GitLab's own source; checked against
//! public samples by two others, see shared facts 0.4). Confirmed there on one form only, so a mismatch is a doubt.

use super::super::sample::Rng;
use super::Verdict;
use crate::model::Facts;

const BASE36: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const CRC: usize = 7;

fn base36(mut number: u32, width: usize) -> Vec<u8> {
    let mut out = vec![b'0'; width];
    for place in out.iter_mut().rev() {
        *place = BASE36[(number % 36) as usize];
        number /= 36;
    }
    out
}

pub(super) fn routable(token: &[u8]) -> Verdict {
    let (body, tail) = token.split_at(token.len().saturating_sub(CRC));
    let holds = base36(crc32fast::hash(body), CRC) == tail;
    if holds { Verdict::Holds(Facts::new(), None) } else { Verdict::Doubtful(Facts::new()) }
}

/// Makes the payload what the length says, and the checksum right.
pub(super) fn complete(token: &mut Vec<u8>, _: &mut Rng) {
    let body = token.len().saturating_sub(CRC);
    let start = token.iter().rposition(|&byte| byte == b'-').map_or(0, |at| at + 1);
    let payload = token.iter().position(|&byte| byte == b'.').unwrap_or(start).saturating_sub(start);
    let length = base36(u32::try_from(payload).unwrap_or(u32::MAX), 2);
    if body >= 2 {
        token[body - 2..body].copy_from_slice(&length);
    }
    let tail = base36(crc32fast::hash(&token[..body]), CRC);
    token.truncate(body);
    token.extend_from_slice(&tail);
}

#[cfg(test)]
mod tests {
    use super::{Rng, Verdict, complete, routable};
    use crate::model::Facts;

    #[test]
    fn a_completed_token_holds_and_its_neighbour_is_doubtful() {
        let mut token = format!("gl{}-{}.01.0z0000000", "pat", "x4TqP9vLk2RmZ8wYb6NcJd3HfGs").into_bytes();
        complete(&mut token, &mut Rng::new(1));
        assert_eq!(routable(&token), Verdict::Holds(Facts::new(), None));
        token[8] ^= 1;
        assert_eq!(routable(&token), Verdict::Doubtful(Facts::new()));
        assert_eq!(routable(b"x"), Verdict::Doubtful(Facts::new()));
    }
}
