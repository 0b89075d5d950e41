//! Whether letters look like words. A random value does not.

/// How unlikely each letter is after another, in bits less one, 0 to 9: row, the first letter; column, the second. Counted
/// over the identifiers and documentation of several open-source projects in C, Python and JavaScript; frequent words
/// count by the logarithm of their frequency.
const UNLIKELY: [&[u8; 26]; 26] = [
    b"74338649495242849232556558",
    b"26562667237276369434269748",
    b"27472682493356158452479668",
    b"34641577267466359426458569",
    b"36324457698342646223755459",
    b"36543279197355269344387859",
    b"37471643287453468235458988",
    b"16641678297555259353467967",
    b"44344449997331359432949694",
    b"34651666455545246635156666",
    b"46560665285354457524546768",
    b"36541678296266269644468938",
    b"14651788296647328745489959",
    b"36332427395565368632458979",
    b"54337558595431439233344789",
    b"27562776398266239242368959",
    b"74756676677377767335065777",
    b"26441648295545369433567949",
    b"47342673285466448631376956",
    b"27561593197466369234577649",
    b"43453449499322639223979697",
    b"16670878298578469757899979",
    b"27552562286463258235666896",
    b"35342476276457518542768357",
    b"55463567385332428513765756",
    b"37660575377346457435567644",
];
/// 99 of 100 words of six letters and more stay under this on average; of random texts of twelve letters, one in twenty.
const WORDS: f64 = 4.0;

/// Bits of surprise a pair of neighbouring letters, case ignored; `None` for fewer than three pairs.
pub(super) fn surprise(value: &[u8]) -> Option<f64> {
    let letter = |byte: u8| byte.is_ascii_alphabetic().then(|| usize::from(byte.to_ascii_lowercase() - b'a'));
    let (mut pairs, mut sum) = (0u32, 0u32);
    for pair in value.windows(2) {
        if let (Some(a), Some(b)) = (letter(pair[0]), letter(pair[1])) {
            pairs += 1;
            sum += u32::from(UNLIKELY[a][b] - b'0');
        }
    }
    (pairs >= 3).then(|| f64::from(sum) / f64::from(pairs))
}

/// Whether the value's letters read like words.
pub(super) fn wordlike(value: &[u8]) -> bool {
    surprise(value).is_some_and(|bits| bits < WORDS)
}

/// Whether somebody may have typed the value rather than had it made: short, and of letters that read like words, or hardly
/// any.
pub fn is_typed(value: &[u8]) -> bool {
    value.len() < 24 && surprise(value).is_none_or(|bits| bits < 4.5)
}

#[cfg(test)]
mod tests {
    use super::wordlike;

    #[test]
    fn words_are_told_from_noise() {
        for words in ["administrator", "confirmPassword", "kubernetes", "motdepasse", "getPasswordHash", "my_company_name"] {
            assert!(wordlike(words.as_bytes()), "{words}");
        }
        for noise in ["xkzqvwpt", "qPzXvTgKbWfJ", "Zx8kQv2pLw9mXc"] {
            assert!(!wordlike(noise.as_bytes()), "{noise}");
        }
        assert!(!wordlike(b"1234") && !wordlike(b""));
    }
}
