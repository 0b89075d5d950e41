//! How random a value looks.

/// Shannon entropy in bits a byte; 0 for an empty value.
pub(super) fn shannon(bytes: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    for &byte in bytes {
        counts[usize::from(byte)] += 1;
    }
    let total = bytes.len() as f64;
    let term = |count: u32| {
        let p = f64::from(count) / total;
        -p * p.log2()
    };
    counts.iter().filter(|&&count| count > 0).map(|&count| term(count)).sum()
}

#[cfg(test)]
mod tests {
    #[test]
    fn bits_a_byte() {
        assert!(super::shannon(b"").abs() < 1e-9);
        assert!(super::shannon(b"aaaa").abs() < 1e-9);
        assert!((super::shannon(b"abcd") - 2.0).abs() < 1e-9);
    }
}
