//! Why a value that has the right shape is put aside all the same. Each reason is counted in the coverage.

/// Words that nobody's random key holds and every template does.
const PLACEHOLDER_WORDS: &[&str] = &[
    "example",
    "placeholder",
    "your-",
    "your_",
    "yourkey",
    "xxxxxx",
    "changeme",
    "change-me",
    "change_me",
    "redacted",
    "dummykey",
    "insert-",
    "replace-me",
    "replace_me",
    "replaceme",
    "notreal",
    "not-a-real",
    "fakekey",
    "fake-key",
    "samplekey",
    "......",
    "_here",
    "-here",
];

/// Keys of emulators, the same for everybody: Azurite's and Cosmos DB's
/// (learn.microsoft.com, "Use the Azurite emulator", "Emulator authentication"). As far as they are no word of anything else.
const EMULATORS: [&str; 2] = [
    concat!("Eby8vdM02xNOcqFlqUwJPLlm", "EtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq"),
    concat!("C2y6yDjf5/R+ob0N8A7Cgv30", "VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw"),
];

/// Keys of the accounts that test chains begin with, by their first half: ten of Hardhat and Anvil
/// (hardhat.org/hardhat-network/docs/reference#initial-state), `ganache -d` and Truffle's (trufflesuite.com/docs).
const TEST_ACCOUNTS: [&str; 15] = [
    "ac0974bec39a17e3",
    "59c6995e998f97a5",
    "5de4111afa1a4b94",
    "7c852118294e51e6",
    "47e179ec19748859",
    "8b3a350cf5c34c91",
    "92db14e403b83dfe",
    "4bbbf85ce3377467",
    "dbda1821b80551c9",
    "2a871d0798f97d79",
    "4f3edf983ac636a6",
    "6cbed15c793ce576",
    "c87509a1c067bbde",
    "ae6ae8e5ccbfb045",
    "0dbbe8e4ae425a6d",
];

/// Values that a program comes with: Grafana's default `secret_key` (grafana/conf/defaults.ini) and the pass code in Unity's new projects.
const PUBLIC: [&[u8]; 2] =
    [concat!("SW2YcwTIb9z", "pOOhoPsMm").as_bytes(), concat!("frAQBc8Wsa1xVPfv", "JcrgRYwTiizs2trQ").as_bytes()];

/// A run of one character or of neighbours in the alphabet (`abcdefgh`, `12345678`) this long is typed, not drawn.
/// Chance: a given 10-run appears in a 40-character base62 value about once in 10^16.
const RUN: usize = 10;

/// Why `value` is not worth a report, if so.
pub(super) fn reason(value: &[u8]) -> Option<&'static str> {
    if value.ends_with(b"EXAMPLE") || value.ends_with(b"EXAMPLEKEY") {
        return Some("documentation sample");
    }
    if let Some(reason) = super::made_up::reason(value) {
        return Some(reason);
    }
    if EMULATORS.iter().any(|key| value.starts_with(key.as_bytes())) {
        return Some("an emulator's public key");
    }
    if PUBLIC.contains(&value) {
        return Some("a value that everybody has");
    }
    // What SOPS writes in a value's place (getsops.io), and what IIS Express' key providers keep: a blob that only the machine opens.
    if value.starts_with(b"ENC[AES256_GCM,") || value.starts_with(b"AQIAAA5mAAAApAAA") {
        return Some("encrypted");
    }
    let lower = value.to_ascii_lowercase();
    let account = lower.strip_prefix(b"0x").unwrap_or(&lower);
    if account.len() == 64 && TEST_ACCOUNTS.iter().any(|known| account.starts_with(known.as_bytes())) {
        return Some("a test chain's public account");
    }
    // The rest was painted over.
    if lower.ends_with(b"xxxx") || lower.ends_with(b"****") {
        return Some("placeholder");
    }
    let has = |word: &str| memchr::memmem::find(&lower, word.as_bytes()).is_some();
    if PLACEHOLDER_WORDS.iter().any(|word| has(word)) {
        return Some("placeholder");
    }
    let step = |wanted: u8| {
        let mut run = 1;
        lower.windows(2).any(|pair| {
            run = if pair[1].wrapping_sub(pair[0]) == wanted { run + 1 } else { 1 };
            run >= RUN
        })
    };
    (step(0) || step(1)).then_some("placeholder")
}

/// Values that are set before anything is set up, and words for people. Only for what its name alone calls a secret.
const WEAK_WORDS: &[&str] = &[
    "password",
    "passwd",
    "passw0rd",
    "p@ssw0rd",
    "p@ssword",
    "secret",
    "token",
    "apikey",
    "default",
    "admin",
    "test",
    "testing",
    "user",
    "username",
    "root",
    "guest",
    "none",
    "null",
    "true",
    "false",
    "undefined",
    "empty",
    "required",
    "optional",
    "string",
    "value",
    "dummy",
    "fake",
    "foobar",
    "foo",
    "bar",
    "baz",
    "hunter2",
    "letmein",
    "qwerty",
    "iloveyou",
    "welcome",
    "monkey",
    "abc123",
    "123456",
    "1234567",
    "12345678",
    "123456789",
    "1234567890",
    "000000",
    "111111",
    "postgres",
    "mysql",
    "redis",
    "mongo",
    "rabbitmq",
    "minio",
    "minioadmin",
    "toor",
    "changeit",
    "change_me",
    "changethis",
    "todo",
    "fixme",
    "tbd",
    "unknown",
    "private",
    "public",
    "mypassword",
    "mysecret",
    "mytoken",
    "hidden",
    "masked",
    "encrypted",
    "notset",
    "disabled",
    "enabled",
    "anonymous",
    "nopassword",
    "nopass",
    "insecure",
    "notsecret",
    "supersecret",
];
/// What a made-up value is put together from.
const WEAK_PIECES: &[&str] = &[
    "example",
    "sample",
    "placeholder",
    "changeme",
    "change",
    "your",
    "dummy",
    "fake",
    "test",
    "mock",
    "demo",
    "todo",
    "xxxx",
    "password",
    "passwd",
    "secret",
    "token",
    "foobar",
    "insert",
    "replace",
    "redacted",
    "default",
    "invalid",
    "somekey",
    "wrong",
    "mykey",
    "admin",
    "user",
    "qwerty",
    "asdf",
];

/// Why a value that only its name calls a secret is none: a default, or put together from such words and a few digits.
pub(super) fn weak_word(value: &[u8]) -> Option<&'static str> {
    let lower = value.to_ascii_lowercase();
    let plain: Vec<u8> = lower.iter().copied().filter(u8::is_ascii_alphanumeric).collect();
    if WEAK_WORDS.iter().any(|word| word.as_bytes() == lower || word.as_bytes() == plain) {
        return Some("a default, not a secret");
    }
    let mut rest = String::from_utf8(plain).ok()?;
    let whole = rest.len();
    for piece in WEAK_PIECES {
        rest = rest.replace(piece, "");
    }
    let letters = rest.bytes().filter(u8::is_ascii_alphabetic).count();
    (rest.len() < whole && letters * 3 <= whole && rest.len() * 2 <= whole).then_some("placeholder")
}

#[cfg(test)]
mod tests {
    use super::reason;

    #[test]
    fn samples_and_templates_are_named() {
        assert_eq!(reason(b"AKIAIOSFODNN7EXAMPLE"), Some("documentation sample"));
        for typed in [
            "sk-xxxxxxxxxxxxxxxxxxxx",
            concat!("hf", "_abcdefghijklmnopqrstuvwxyzabcdefgh"),
            "sk-ant-api03-your_key_here",
            "gsk_0123456789",
            "SET_A_PASSWORD_HERE_123",
            concat!("s", "k-9dK2mQ7xZr4LpV8nTb1sQ2xxxx"),
            "9dK2mQ7xZr4LpV8nTb1s****",
        ] {
            assert_eq!(reason(typed.as_bytes()), Some("placeholder"), "{typed}");
        }
        let emulated = [super::EMULATORS[0], "/K1SZFPTOtr/KBHBeksoGMGw=="].concat();
        assert_eq!(reason(emulated.as_bytes()), Some("an emulator's public key"));
        assert_eq!(reason(b"sk-9dK2mQ7xZr4LpV8nTb1s"), None);
        assert_eq!(reason(b""), None);
    }
}
