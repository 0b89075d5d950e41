//! Whether a value that stands where a secret belongs is one: no reference, template, default, name, number, hash, address
//! or text for people.

use super::super::entropy::shannon;
use super::super::made_up;
use super::super::names::Meaning;
use super::super::suppress;
use super::super::wordlike::{surprise, wordlike};
use crate::model::Confidence;

/// How sure a value of that meaning is a secret.
pub(super) fn judge(value: &[u8], meaning: Meaning, quoted: bool) -> Result<Confidence, &'static str> {
    if value.len() < 6 {
        return Err("too short for a secret");
    }
    if is_reference(value) {
        return Err("a reference or a template, not a value");
    }
    if let Some(reason) = suppress::reason(value).or_else(|| suppress::weak_word(value)) {
        return Err(reason);
    }
    if meaning == Meaning::Password && is_app_password(value) {
        return Ok(Confidence::Medium);
    }
    if value.iter().any(|&byte| byte.is_ascii_control() || byte == b' ') || (!value.is_ascii() && !is_typed(value, meaning))
    {
        return Err("text for people");
    }
    if is_hash(value) {
        return Err("a password's hash");
    }
    if is_sealed(value) {
        return Err("encrypted");
    }
    if is_unsigned(value) {
        return Err("a token without its signature");
    }
    if is_rule(value) {
        return Err("a rule for values, not a value");
    }
    if is_number(value) {
        return Err("a number");
    }
    if is_address(value) {
        return Err("an address, not a secret");
    }
    // Upper, lower, digit and symbol: what a rule for passwords asks for, and no name has.
    let complex = meaning == Meaning::Password && Classes::of(value).kinds() == 4;
    if !complex && is_name(value) {
        return Err("a name or words, not a value");
    }
    match meaning {
        Meaning::Password if made_up::for_show(value).is_some() => password(value, quoted).map(|_| Confidence::Low),
        Meaning::Password => password(value, quoted),
        Meaning::Token => token(value),
    }
}

/// Why a value of one line, of which nothing says that it is secret, is none.
pub(in crate::detect) fn judge_single(value: &[u8]) -> Option<&'static str> {
    let single = !value.iter().any(|&byte| byte.is_ascii_control());
    if single { judge(value, Meaning::Password, true).err() } else { None }
}

/// Why a value that a program is given to sign with is none.
pub(in crate::detect) fn judge_token(value: &[u8]) -> Option<&'static str> {
    judge(value, Meaning::Token, true).err()
}

const REFERENCES: &[&str] =
    &["${", "{{", "$(", "#{", "%{", "<%", "%(", "{0}", "{1}", "...", "=>", "->", "()", "&&", "||", "{}", "[0", "%s", "%d"];
const REFERENCE_STARTS: &[&str] = &[
    "env:",
    "env.",
    "ENV[",
    "process.",
    "os.",
    "arn:",
    "vault:",
    "ref+",
    "secret:",
    "file:",
    "ssm:",
    "op://",
    "http://",
    "https://",
    "self.",
    "this.",
    "config.",
    "var.",
    "local.",
    "data.",
    "module.",
    "kms:",
    "sops:",
    "enc:",
    "ENC[",
    "ENC(",
    "AQICAH",
    "AWS4-HMAC",
    "dword:",
    "\\x",
    "@Microsoft.KeyVault",
    "sm://",
    "gcp:",
    "aws:",
    "keyring:",
    "secretref:",
    "awssm://",
    "projects/",
];

/// `${X}`, `{{ x }}`, `<x>`, `%s`, `$x`, `env:X`, `arn:…`, a path, a call.
pub(in crate::detect) fn is_reference(value: &[u8]) -> bool {
    let (Some(&first), Some(&last)) = (value.first(), value.last()) else { return true };
    let has = |text: &str| memchr::memmem::find(value, text.as_bytes()).is_some();
    let wrapped = matches!((first, last), (b'<', b'>') | (b'[', b']') | (b'{', b'}') | (b'(', b')') | (b'%', b'%'))
        || (first == last && matches!(first, b'_' | b'*') && !value.iter().any(u8::is_ascii_digit));
    let rest = &value[1..];
    let name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'{' | b'}' | b':');
    let begins = |byte: &u8| byte.is_ascii_alphabetic() || (first == b'$' && matches!(*byte, b'.' | b'_'));
    let index =
        |byte: &u8| name(byte) || (first == b'$' && matches!(*byte, b'[' | b']')) || (first == b'&' && *byte == b'-');
    let variable = rest.first().is_some_and(begins) && rest.iter().all(index);
    let joined = first == b'$' && rest.iter().all(|byte| name(byte) || matches!(*byte, b'/' | b'-')) && rest.contains(&b'/');
    let capital = |byte: &u8| byte.is_ascii_uppercase() || *byte == b'_';
    let escaped = value.starts_with(b"\\$");
    let constant = first == b'$' && rest.iter().take_while(|byte| capital(byte)).count() >= 6;
    let path = matches!(first, b'/' | b'.' | b'~') && memchr::memchr_iter(b'/', value).count() >= 2;
    wrapped
        || escaped
        || path
        || value.ends_with(b"...")
        || has("aws4_request")
        || holds_name(value, b'{', b'}')
        || holds_name(value, b'<', b'>')
        || joined
        || constant
        || (value.starts_with(b"'.") && value.ends_with(b".'"))
        // OpenSSL's list of ciphers: `PSK:!DSS:!RC4`.
        || (first == b'!' && has(":!"))
        || is_chain(value)
        // `{name` is C's, up to the comma behind it.
        || (matches!(first, b'$' | b'@' | b'&' | b'%' | b':' | b'!' | b'{') && variable)
        || (!is_noise(value) && REFERENCES.iter().any(|text| has(text)))
        || ["${", "{{", "<%"].iter().any(|text| has(text))
        || REFERENCE_STARTS.iter().any(|text| value.starts_with(text.as_bytes()))
}

/// `a.B=a.C=void`: assignments in code that was made small.
fn is_chain(value: &[u8]) -> bool {
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'.');
    let is_path = |part: &[u8]| part.first().is_some_and(|byte| !byte.is_ascii_digit()) && part.iter().all(inside);
    let mut parts = value.split(|&byte| byte == b'=');
    parts.clone().count() >= 3 && memchr::memchr(b'.', value).is_some() && parts.all(is_path)
}

/// A password with a letter or sign in it that ASCII has not: one or two such, beside the three kinds that it has.
fn is_typed(value: &[u8], meaning: Meaning) -> bool {
    const MOST: usize = 2;
    let Ok(text) = std::str::from_utf8(value) else { return false };
    let others = text.chars().filter(|letter| !letter.is_ascii()).count();
    let classes = Classes::of(value);
    meaning == Meaning::Password && others <= MOST && classes.digit > 0 && classes.kinds() >= 3 && text.chars().count() >= 8
}

/// Four times four small letters, as Google shows its app passwords (support.google.com/accounts/answer/185833).
fn is_app_password(value: &[u8]) -> bool {
    value.len() == GROUPS && in_groups(value)
}

/// Bytes of four groups of four letters with blanks between them.
pub(super) const GROUPS: usize = 19;

/// Whether a text begins with four times four small letters that are no words.
pub(super) fn in_groups(text: &[u8]) -> bool {
    let Some(value) = text.first_chunk::<GROUPS>() else { return false };
    let mut groups = value.split(|&byte| byte == b' ');
    let letters: Vec<u8> = value.iter().copied().filter(|&byte| byte != b' ').collect();
    groups.all(|group| group.len() == 4 && group.iter().all(u8::is_ascii_lowercase))
        && surprise(&letters).is_some_and(|bits| bits >= UNREADABLE_LONG)
}

/// Letters alone of so many bits a pair are no words. Of random ones of 10 to 15 letters, 81 to 86 of 100 have them, and of the
/// words in sources of that length 1 of 200; of 16 and more, 96 of 100 have the second, and 1 of 120.
const UNREADABLE: f64 = 4.5;
const UNREADABLE_LONG: f64 = 4.2;

/// Letters that nobody reads as words: a password that a program made.
fn is_unreadable(value: &[u8]) -> bool {
    let least = if value.len() >= 16 { UNREADABLE_LONG } else { UNREADABLE };
    value.len() >= 10
        && value.iter().all(u8::is_ascii_alphabetic)
        && shannon(value) >= 2.5
        && surprise(value).is_some_and(|bits| bits >= least)
}

/// `…{name}…`, `…<name>…`: a template's gap.
fn holds_name(value: &[u8], open: u8, close: u8) -> bool {
    memchr::memchr_iter(open, value).any(|at| {
        let rest = &value[at + 1..];
        let inside = |byte: &&u8| byte.is_ascii_alphabetic() || matches!(**byte, b'_' | b'-' | b'.' | b' ');
        let length = rest.iter().take_while(inside).count();
        length >= 2 && rest.get(length) == Some(&close)
    })
}

/// crypt(3), bcrypt, argon2, scrypt, PBKDF2, MySQL's and what LDAP writes.
fn is_hash(value: &[u8]) -> bool {
    let modular = value[0] == b'$' && memchr::memchr_iter(b'$', &value[1..]).count() >= 2;
    let scheme = value[0] == b'{'
        && value[1..].iter().take(20).find(|byte| !(byte.is_ascii_alphanumeric() || **byte == b'-')) == Some(&b'}');
    let mysql = value.len() == 41 && value[0] == b'*' && value[1..].iter().all(u8::is_ascii_hexdigit);
    // htpasswd's `user:$2y$…`.
    let entry = ["$2y$", "$2a$", "$2b$", "$apr1$", "$5$", "$6$", "{SHA}"];
    let colon = memchr::memchr(b':', value).map_or(value, |at| &value[at + 1..]);
    let of_user = entry.iter().any(|scheme| colon.starts_with(scheme.as_bytes()));
    let named = [
        "pbkdf2",
        "scrypt:",
        "sha256:",
        "sha512:",
        "sha1:",
        "md5:",
        "bcrypt",
        "HMACSHA",
        "SCRAM-SHA",
        "{SCRAM",
        "argon2$",
        // What Vault's audit log writes in a value's place (developer.hashicorp.com/vault/docs/audit).
        "hmac-sha256:",
        "hmac-sha512:",
    ];
    let postgres = value.len() == 35 && value.starts_with(b"md5") && value[3..].iter().all(u8::is_ascii_hexdigit);
    modular || scheme || mysql || of_user || postgres || named.iter().any(|name| value.starts_with(name.as_bytes()))
}

/// What kubeseal writes (a length of two bytes, then RSA: `AgA`, `AgB` …) and Fernet tokens.
fn is_sealed(value: &[u8]) -> bool {
    let is_base64 = |text: &[u8]| text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte));
    let long = value.len() >= 300 && is_base64(value);
    // ASP.NET Core's data protection (github.com/dotnet/aspnetcore, `KeyRingBasedDataProtector`: 09 F0 C9 F0 in base64).
    let protected = value.starts_with(b"CfDJ8") && value.len() >= 100;
    // Bitwarden's `EncString` (contributing.bitwarden.com, "Crypto > Cryptography"): `2.iv|data|mac`, `4.data`.
    let kept = value.split_first_chunk::<2>().is_some_and(|([kind, dot], rest)| {
        let mut pieces = rest.split(|byte| *byte == b'|');
        kind.is_ascii_digit()
            && *dot == b'.'
            && rest.ends_with(b"=")
            && pieces.all(|piece| piece.len() >= 20 && is_base64(piece))
    });
    protected || kept || (long && value.starts_with(b"Ag")) || (value.starts_with(b"gAAAAA") && value.len() >= 100)
}

/// The head of a JWT, and its claims perhaps, and no signature: nobody is let in with that. A whole one is `json-web-token`'s.
fn is_unsigned(value: &[u8]) -> bool {
    let value = value.strip_prefix(b".").unwrap_or(value);
    let url = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let pieces = value.split(|byte| *byte == b'.').filter(|piece| !piece.is_empty()).count();
    value.starts_with(b"eyJ") && value.iter().all(url) && (pieces == 2 || value.ends_with(b"."))
}

/// `required|string|min:8`: what a form asks of a password (laravel.com/docs/validation).
fn is_rule(value: &[u8]) -> bool {
    const KNOWN: [&[u8]; 9] =
        [b"required", b"nullable", b"sometimes", b"string", b"confirmed", b"min", b"max", b"present", b"filled"];
    let word = |text: &[u8]| !text.is_empty() && text.iter().all(|byte| byte.is_ascii_lowercase() || *byte == b'_');
    let part = |rule: &[u8]| rule.iter().position(|byte| *byte == b':').map_or(rule.len(), |at| at);
    let rules = || value.split(|byte| *byte == b'|');
    rules().count() > 1
        && rules().all(|rule| word(&rule[..part(rule)]))
        && rules().any(|rule| KNOWN.contains(&&rule[..part(rule)]))
}

/// `0x80`, `1.14e-06`, a version, a date.
fn is_number(value: &[u8]) -> bool {
    let hex = value.len() <= 18 && value.strip_prefix(b"0x").is_some_and(|rest| rest.iter().all(u8::is_ascii_hexdigit));
    let decimal =
        std::str::from_utf8(value).is_ok_and(|text| text.len() < 30 && text.contains('.') && text.parse::<f64>().is_ok());
    let version = value.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b':' | b'T' | b'Z' | b'/'))
        && value.iter().any(|byte| matches!(byte, b'.' | b'-' | b':'));
    hex || decimal || version
}

/// A mail address or a host, with a top-level domain that exists in most of them; an account or a contract on a chain.
fn is_address(value: &[u8]) -> bool {
    const ON_CHAIN: usize = 40;
    const ENDINGS: &[&str] =
        &["com", "org", "net", "io", "dev", "local", "edu", "gov", "co", "de", "uk", "ai", "internal", "svc"];
    let on_chain =
        value.strip_prefix(b"0x").is_some_and(|rest| rest.len() == ON_CHAIN && rest.iter().all(u8::is_ascii_hexdigit));
    let plain = value.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'@' | b'+'));
    let ending = value.rsplit(|&byte| byte == b'.').next().unwrap_or_default();
    on_chain || plain && ending.len() < value.len() && ENDINGS.iter().any(|known| known.as_bytes() == ending)
}

/// An identifier: `SOME_CONSTANT_2`, `some_name1`, `Some\Name`, all of whose pieces are words or short numbers.
fn is_name(value: &[u8]) -> bool {
    let parts = |byte: &u8| matches!(byte, b'_' | b'-' | b'.' | b':' | b'/' | b'\\');
    if !value.iter().all(|byte| byte.is_ascii_alphanumeric() || parts(byte)) || !value.iter().any(parts) {
        return false;
    }
    let word = |piece: &[u8]| {
        let letters: Vec<u8> = piece.iter().copied().filter(u8::is_ascii_alphabetic).collect();
        let digits = piece.len() - letters.len();
        // Digits in the middle of letters are no name's.
        let tail = piece.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let head = piece.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let small = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let short = digits <= 1 && letters.len() <= 6 && piece.iter().all(small);
        let placed = tail.max(head) == digits || piece.len() <= 4;
        digits <= 4 && placed && (letters.len() < 4 || short || wordlike(&letters))
    };
    if is_constant(value) {
        return true;
    }
    value.split(|byte| parts(byte)).filter(|piece| !piece.is_empty()).all(word)
}

/// `SOME_ACME_KEY2`: capitals in pieces, and hardly a digit.
fn is_constant(value: &[u8]) -> bool {
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let plain = value.iter().all(|&byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    plain && value.contains(&b'_') && digits * 6 <= value.len()
}

/// `dropboxOAuth2Api`, `ConfluenceV1SpaceGetNode`: words written together, with a digit or two. Of random texts of 20 letters
/// and digits, one in some hundreds looks like that.
pub(in crate::detect) fn is_type(value: &[u8]) -> bool {
    let classes = Classes::of(value);
    classes.digit <= 2
        && classes.symbol == 0
        && !value.contains(&b' ')
        && classes.lower > 2 * classes.upper
        && value[0].is_ascii_alphabetic()
        && surprise(value).is_some_and(|bits| bits < 3.8)
}

/// What kinds of characters a value has.
struct Classes {
    lower: usize,
    upper: usize,
    digit: usize,
    symbol: usize,
}

impl Classes {
    fn of(value: &[u8]) -> Self {
        let count = |wanted: fn(&u8) -> bool| value.iter().filter(|byte| wanted(byte)).count();
        Self {
            lower: count(u8::is_ascii_lowercase),
            upper: count(u8::is_ascii_uppercase),
            digit: count(u8::is_ascii_digit),
            symbol: count(u8::is_ascii_punctuation),
        }
    }

    fn kinds(&self) -> usize {
        [self.lower, self.upper, self.digit, self.symbol].iter().filter(|&&count| count > 0).count()
    }
}

/// Long and of letters that no words are made of: of 50 random characters, some will look like an operator.
fn is_noise(value: &[u8]) -> bool {
    value.len() >= 24 && surprise(value).is_none_or(|bits| bits >= 4.5) && shannon(value) >= 4.0
}

/// Not typed by anyone: letters of both cases and digits mixed, long, and no words.
fn is_strong(value: &[u8], classes: &Classes) -> bool {
    value.len() >= 20
        && classes.lower >= 3
        && classes.upper >= 3
        && classes.digit >= 2
        && shannon(value) >= 3.8
        && surprise(value).is_none_or(|bits| bits >= 4.3)
}

fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value
            .iter()
            .enumerate()
            .all(|(n, byte)| if matches!(n, 8 | 13 | 18 | 23) { *byte == b'-' } else { byte.is_ascii_hexdigit() })
}

fn password(value: &[u8], quoted: bool) -> Result<Confidence, &'static str> {
    let classes = Classes::of(value);
    if value.len() > 128 {
        return Err("too long for a password");
    }
    let words = wordlike(value);
    let joined = classes.symbol > 0
        && value.iter().all(|byte| {
            byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-' | b'.' | b':' | b'/' | b'[' | b']' | b'\\')
        });
    let noise = value.len() >= 12 && surprise(value).is_some_and(|bits| bits >= 5.0);
    match classes.kinds() {
        _ if is_strong(value, &classes) => Ok(Confidence::High),
        _ if joined && words => Err("a name or words, not a value"),
        // Some services give those out as passwords.
        _ if is_uuid(value) => Ok(Confidence::Medium),
        1 if classes.digit > 0 => Ok(Confidence::Low),
        // One kind of letters: a word, unless it is clearly none.
        _ if noise && classes.kinds() >= 2 => Ok(Confidence::Medium),
        1 if words || value.len() < 10 => Err("a word"),
        2 if classes.digit == 0 && classes.symbol == 0 && (words || surprise(value).is_none() || value.len() < 8) => {
            Err("a name or words, not a value")
        }
        _ if value.len() < 8 && !(classes.symbol > 0 && classes.digit > 0) => Ok(Confidence::Low),
        // A bare word in a text may be anything.
        _ if !quoted && classes.digit == 0 && classes.kinds() < 3 && !is_unreadable(value) => Ok(Confidence::Low),
        _ => Ok(Confidence::Medium),
    }
}

fn token(value: &[u8]) -> Result<Confidence, &'static str> {
    let classes = Classes::of(value);
    // Nobody's name has digits in so many places.
    let runs = value.windows(2).filter(|two| two[0].is_ascii_digit() && !two[1].is_ascii_digit()).count();
    let mixed = classes.kinds() >= 3 && classes.lower > 0 && classes.upper > 0 && runs >= 2;
    if value.len() < 10 || (value.len() < 12 && !mixed) {
        return Err("too short for a token");
    }
    let allowed = value.iter().all(|&byte| byte.is_ascii_alphanumeric() || b"+/=_-.~:!@#$%^&*()?,;|[]{}".contains(&byte));
    if !allowed {
        return Err("not written like a token");
    }
    let hex = value.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
    let entropy = shannon(value);
    let least = if hex || value.len() < 12 { 2.8 } else { 3.2 };
    if entropy < least {
        return Err("not random enough");
    }
    if classes.digit > 0 && is_type(value) {
        return Err("a name or words, not a value");
    }
    if classes.digit == 0 && (wordlike(value) || classes.kinds() < 2 || value.len() < 16) {
        return Err("a name or words, not a value");
    }
    // Words joined by dashes or dots, with a number somewhere: an image, a version, a slug.
    let pieces = value.split(|byte| matches!(byte, b'-' | b'_' | b'.' | b':' | b'/')).filter(|piece| !piece.is_empty());
    let wordy =
        pieces.clone().filter(|piece| piece.len() < 4 || wordlike(piece) || piece.iter().all(u8::is_ascii_digit)).count();
    if !hex && wordy == pieces.count() && classes.digit * 4 < value.len() && runs < 4 {
        return Err("a name or words, not a value");
    }
    if is_strong(value, &classes) {
        return Ok(Confidence::High);
    }
    let strong = (value.len() >= 16 && (hex || classes.kinds() >= 2))
        || (!hex
            && (mixed || (value.len() >= 12 && runs >= 3))
            && surprise(value).is_none_or(|bits| bits >= UNREADABLE_LONG));
    Ok(if strong { Confidence::Medium } else { Confidence::Low })
}
