//! Values that somebody typed or that everybody prints: samples of standards, patterns of the keyboard, words with digits for
//! letters. They have the shape of a secret and are none.

/// Values that RFC 2617, 5849, 6749, 6750, 7515 and 7636 use in their examples; documentation and tests everywhere repeat
/// them.
const SAMPLES: &[&str] = &[
    "QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
    "dpf43f3p2l4k3l03",
    "kd94hf93k423kf44",
    "nnch734d00sl2jdk",
    "pfkkdhi9sl3r4s00",
    "pfkkdhi9sl3r4s50",
    "hh5s93j4hdidpola",
    "hdhd0244k9j7ao03",
    "9djdj82h48djs9d2",
    "kkk9d7dh3k39sjv7",
    "ad180jjd733klru7",
    "j49sk3j29djd",
    "dh893hdasih9",
    "2YotnFZFEjr1zCsicMWpAA",
    "tGzv3JOkF0XG5Qx2TlKWIA",
    "czZCaGRSa3F0MzpnWDFmQmF0M2JW",
    "czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3",
    "7Fjfp0ZBr1KtDRbnfVdmIw",
    "gX1fBat3bV",
    "SplxlOBeZQQYbYS6WxSbIA",
    "mF_9.B5f-4.1JqM",
    "AyM1SysPpbyfDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
];

/// Why a value of any kind is made up, if it is.
pub(super) fn reason(value: &[u8]) -> Option<&'static str> {
    if SAMPLES.iter().any(|sample| sample.as_bytes() == value) {
        return Some("documentation sample");
    }
    (is_periodic(value) || is_counted(value) || is_numbered(value) || is_hollow(value)).then_some("placeholder")
}

/// `abc123abc123abc123`: the same few characters all over. A random value of 15 repeats its first five, twice, once in 10^17.
fn is_periodic(value: &[u8]) -> bool {
    let same = |a: &u8, b: &u8| a.eq_ignore_ascii_case(b);
    let repeats = |value: &[u8], period: usize| value.iter().zip(&value[period..]).all(|(a, b)| same(a, b));
    // `sk-1234567890abcdef1234567890abcdef`: behind a prefix, and twice at least.
    let body = value.rsplit(|byte| matches!(byte, b'-' | b'_')).next().unwrap_or_default();
    (value.len() >= 15 && (1..=10.min(value.len() / 3)).any(|period| repeats(value, period)))
        || (body.len() >= 24 && (8..=body.len() / 2).any(|period| repeats(body, period)))
}

/// `1a2b3c4d5e6f`, `f1e2d3c4b5a6`: digits and letters by turns, each counting up or down by one.
fn is_counted(value: &[u8]) -> bool {
    let plain: Vec<u8> = value.iter().filter(|byte| **byte != b'-').map(u8::to_ascii_lowercase).collect();
    let step = |a: u8, b: u8| a.is_ascii_digit() == b.is_ascii_digit() && a.abs_diff(b) == 1;
    let steps = plain.windows(3).map(|three| step(three[0], three[2]));
    let mut longest = 0;
    let mut run = 0;
    for good in steps {
        run = if good { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest >= 8
}

/// `0x000102030405060708`: bytes in hex that count up.
fn is_numbered(value: &[u8]) -> bool {
    let hex = value.strip_prefix(b"0x").unwrap_or(value);
    let byte = |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let bytes: Option<Vec<u8>> = hex.chunks(2).map(byte).collect();
    hex.len() >= 16 && bytes.is_some_and(|bytes| bytes.windows(2).all(|two| two[1] == two[0].wrapping_add(1)))
}

/// A UUID of two or more groups of zeros or of one digit only.
fn is_hollow(value: &[u8]) -> bool {
    let groups: Vec<&[u8]> = value.split(|&byte| byte == b'-').collect();
    let flat = |group: &&&[u8]| group.iter().all(|&byte| byte == group[0]) && !group.is_empty();
    value.len() == 36 && groups.len() == 5 && groups.iter().filter(flat).count() >= 2
}

/// Why a password is one for show: a word for "password" in it, in whatever letters, and little else; a word and 123.
pub(super) fn for_show(value: &[u8]) -> Option<&'static str> {
    const WORDS: &[&str] = &["password", "passw", "passwd", "secret", "letmein", "welcome", "changeme", "qwerty", "testing"];
    let read: String = value.iter().map(|&byte| read(byte)).filter(char::is_ascii_alphanumeric).collect();
    let shows = WORDS.iter().any(|word| {
        let rest = read.replace(word, "");
        // Of the rest, what is no digit is a word or two: `MyEsxiSuperSecretPassw0rd!`.
        rest.len() < read.len() && (rest.len() <= 6 || super::wordlike::wordlike(rest.as_bytes()))
    });
    let lower = value.to_ascii_lowercase();
    let stem = lower.trim_ascii_end();
    let stem = stem.strip_suffix(b"!").unwrap_or(stem);
    let counted = [b"123".as_slice(), b"1234", b"12345", b"123456"].iter().any(|digits| {
        stem.strip_suffix(*digits).is_some_and(|word| {
            let word = word.strip_suffix(b"@").or(word.strip_suffix(b"#")).or(word.strip_suffix(b"_")).unwrap_or(word);
            word.len() >= 3 && word.iter().all(u8::is_ascii_alphabetic)
        })
    });
    // `localntdc2pass`, `Exampl3Pass`, `bogus_pass3#@`.
    let named = lower.iter().rposition(u8::is_ascii_alphabetic).is_some_and(|last| {
        let word = &lower[..=last];
        let plain = word.iter().all(|&byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        plain && [b"pass".as_slice(), b"passwd", b"pwd", b"passphrase"].iter().any(|end| word.ends_with(end))
    });
    (shows || counted || named).then_some("a password for show")
}

/// The letter that a digit or sign is written for.
fn read(byte: u8) -> char {
    match byte.to_ascii_lowercase() {
        b'0' => 'o',
        b'1' | b'!' => 'i',
        b'3' => 'e',
        b'4' | b'@' => 'a',
        b'5' | b'$' => 's',
        other => char::from(other),
    }
}

#[cfg(test)]
mod tests {
    use super::{SAMPLES, for_show, reason};

    #[test]
    fn samples_and_patterns_are_known_and_random_values_are_not() {
        for made_up in [
            SAMPLES[1],
            "abc123ABC123abc123ABC123",
            "1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d",
            "abcdef01-0000-0000-0000-123456789abc",
            "Jf1e2d3c4b5a6f7e8d9c0b1a2f3e4d5c",
            concat!("sk-1234567890abcdef", "1234567890abcdef1234567890abcdef"),
            "0x000102030405060708090a0b0c0d0e0f",
        ] {
            assert!(reason(made_up.as_bytes()).is_some(), "{made_up}");
        }
        for random in ["", "vR7#kq2Lw9zT", "81c09a2a-0359-4ba1-8153-8cb3cd02509b", "JxE7LajLY75NZgDH1hfu0N", "Mango54-"] {
            assert_eq!(reason(random.as_bytes()), None, "{random}");
        }
    }

    #[test]
    fn passwords_for_show() {
        for shown in [
            "P@55w0rd!",
            "myEsxiSuperSecretPassw0rd!",
            "Lablab#123",
            "maglev123",
            "welcom3!",
            "S3cretPass",
            "authpass123",
            "local4pass",
        ] {
            assert!(for_show(shown.as_bytes()).is_some(), "{shown}");
        }
        for kept in ["Mango54-", "vR7#kq2Lw9zT", "CoffeeGalaxy6855", "Winter^Sunrise^2011", "K9xpassQz71LmvB2", ""] {
            assert_eq!(for_show(kept.as_bytes()), None, "{kept}");
        }
    }
}
