//! Marvin32 (microsoft/SymCrypt, `lib/marvin32.c`; the algorithm is public domain by Microsoft's open specification), by
//! which Azure marks its keys: not a secret, a checksum with a seed for each kind of key.

/// The checksum of some bytes: the two halves of the hash in one.
pub(super) fn checksum(data: &[u8], seed: u64) -> u32 {
    let hash = hash(data, seed);
    (hash >> 32) as u32 ^ hash as u32
}

fn hash(data: &[u8], seed: u64) -> u64 {
    let mut state = (seed as u32, (seed >> 32) as u32);
    let (words, rest) = data.as_chunks::<4>();
    for word in words {
        state = mix(state.0.wrapping_add(u32::from_le_bytes(*word)), state.1);
    }
    let mut last = [0; 4];
    last[..rest.len()].copy_from_slice(rest);
    last[rest.len()] = 0x80;
    state = mix(state.0.wrapping_add(u32::from_le_bytes(last)), state.1);
    state = mix(state.0, state.1);
    u64::from(state.1) << 32 | u64::from(state.0)
}

fn mix(mut a: u32, mut b: u32) -> (u32, u32) {
    b ^= a;
    a = a.rotate_left(20).wrapping_add(b);
    b = b.rotate_left(9) ^ a;
    a = a.rotate_left(27).wrapping_add(b);
    (a, b.rotate_left(19))
}

#[cfg(test)]
mod tests {
    use super::hash;

    #[test]
    fn the_vectors_of_symcrypt_and_security_utilities_hold() {
        assert_eq!(hash(b"abc", 0xd53c_d9ce_cd08_93b7), 0x22c7_4339_4927_69bf);
        assert_eq!(hash(b"abcdefghijklmnopqrstuvwxyz", 0x0ddd_deee_efff_f000), 0xa128_eb7e_7260_aca2);
    }
}
