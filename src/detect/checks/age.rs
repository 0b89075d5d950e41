//! age secret keys: Bech32 (BIP 173) in capitals over 32 bytes (age specification, "The X25519 recipient type").

use bech32::{Bech32, Hrp};

use super::super::sample::Rng;
use super::Verdict;
use crate::model::Facts;

const PREFIX: &str = "AGE-SECRET-KEY-";

pub(super) fn check(value: &[u8]) -> Verdict {
    let text = std::str::from_utf8(value).unwrap_or_default();
    let decoded = bech32::primitives::decode::CheckedHrpstring::new::<Bech32>(text);
    let holds = decoded.is_ok_and(|key| key.hrp().as_str().eq_ignore_ascii_case(PREFIX) && key.byte_iter().count() == 32);
    if holds { Verdict::Holds(Facts::new(), None) } else { Verdict::Fails("checksum does not hold") }
}

pub(super) fn sample(rng: &mut Rng) -> Vec<u8> {
    let key: Vec<u8> = (0..32).map(|_| rng.byte()).collect();
    let hrp = Hrp::parse(PREFIX).ok();
    hrp.and_then(|hrp| bech32::encode_upper::<Bech32>(hrp, &key).ok()).unwrap_or_default().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::{Rng, Verdict, check, sample};

    #[test]
    fn a_key_holds_and_its_neighbour_does_not() {
        let mut key = sample(&mut Rng::new(2));
        assert!(key.starts_with(b"AGE-SECRET-KEY-1") && key.len() == 74);
        assert!(matches!(check(&key), Verdict::Holds(..)));
        // The key in age's own documentation of `age-keygen`, in two pieces.
        let documented = concat!("AGE-SECRET-KEY-1", "GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX");
        assert!(matches!(check(documented.as_bytes()), Verdict::Holds(..)));
        key[20] = if key[20] == b'Q' { b'P' } else { b'Q' };
        assert!(matches!(check(&key), Verdict::Fails(_)));
    }
}
