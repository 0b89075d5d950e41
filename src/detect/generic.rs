//! Secrets that only their name gives away: `password = …`, `"client_secret": "…"`, `--token …`. The name says that a value
//! is meant to be secret; the value must look like one, and not like a name, a reference, a template or a word for people.

use std::ops::Range;

use super::entropy::shannon;
use super::kind::{FileKind, Role, Syntax};
use super::names::{Meaning, meaning};
use super::suppress;
use super::wordlike::{surprise, wordlike};
use crate::model::Confidence;

/// A name is no longer than this, on either side of the word that was hit.
const NAME: usize = 48;
/// Nor is a value.
const VALUE: usize = 512;

/// A value that is assigned to a secret-like name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Assignment {
    pub(super) value: Range<usize>,
    /// How sure it is a secret, or why it is none.
    pub(super) verdict: Result<Confidence, &'static str>,
}

/// The assignment to the name around `hit`, if there is one.
pub(super) fn assignment(bytes: &[u8], hit: &Range<usize>, kind: FileKind) -> Option<Assignment> {
    let name = whole_name(bytes, hit);
    let meaning = meaning(&bytes[name.clone()])?;
    let (at, operator) = operator(bytes, &name, kind)?;
    let (value, quoted) = value(bytes, at, operator, (&name, kind))?;
    let verdict = judge(&bytes[value.clone()], meaning, quoted).map(|confidence| match kind.role {
        Role::Plain => confidence,
        Role::Test | Role::Docs | Role::Generated => Confidence::Low,
    });
    Some(Assignment { value, verdict })
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$')
}

fn whole_name(bytes: &[u8], hit: &Range<usize>) -> Range<usize> {
    let back = bytes[hit.start.saturating_sub(NAME)..hit.start].iter().rev().take_while(|&&byte| is_name(byte)).count();
    let on = bytes[hit.end..].iter().take(NAME).take_while(|&&byte| is_name(byte)).count();
    hit.start - back..hit.end + on
}

/// What stands between a name and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    /// `=`, `:`, `=>`, `:=`.
    Assign,
    /// `(` or `,`: only a quoted text is meant.
    Argument,
    /// The end of a tag.
    Tag,
    /// A blank, after an option or a directive.
    Blank,
}

/// Where the value begins.
fn operator(bytes: &[u8], name: &Range<usize>, kind: FileKind) -> Option<(usize, Operator)> {
    let mut at = name.end;
    let quote = skip(bytes, &mut at, |byte| matches!(byte, b'"' | b'\'' | b'`' | b'\\' | b']'), 4);
    let blanks = skip(bytes, &mut at, |byte| matches!(byte, b' ' | b'\t'), 40);
    let rest = bytes.get(at..)?;
    let (length, operator) = match *rest {
        [b'=' | b'!', b'=', ..] | [b'=', b'~', ..] | [b':', b':', ..] => return None,
        [b'=', b'>', ..] | [b':' | b'?', b'=', ..] => (2, Operator::Assign),
        [b'|', b'|', b'=', ..] => (3, Operator::Assign),
        [b'=', ..] => (1, Operator::Assign),
        [b':', ..] => (1 + type_annotation(&rest[1..]), Operator::Assign),
        [b'(', ..] if quote == 0 => (1, Operator::Argument),
        [b',', ..] if quote > 0 => (1, Operator::Argument),
        [b'>', ..] => (1, Operator::Tag),
        _ if blanks > 0 && quote == 0 && takes_blank(bytes, name, kind) => (0, Operator::Blank),
        _ => return None,
    };
    at += length;
    let margin = if operator == Operator::Argument { b"\n\r \t".as_slice() } else { b" \t" };
    skip(bytes, &mut at, |byte| margin.contains(&byte), 60);
    Some((at, operator))
}

fn skip(bytes: &[u8], at: &mut usize, wanted: impl Fn(u8) -> bool, most: usize) -> usize {
    let count = bytes[*at..].iter().take(most).take_while(|&&byte| wanted(byte)).count();
    *at += count;
    count
}

/// `: string = "…"`: how long the annotation and its equals sign are.
fn type_annotation(rest: &[u8]) -> usize {
    let head = &rest[..rest.len().min(32)];
    let is_type = |byte: u8| byte.is_ascii_alphanumeric() || b" &'<>[]._".contains(&byte);
    let end = head.iter().take_while(|&&byte| is_type(byte)).count();
    let annotated = end > 1 && head.get(end) == Some(&b'=') && head.get(end + 1) != Some(&b'=');
    if annotated { end + 1 } else { 0 }
}

/// `--password x`, `ENV PASSWORD x`, `requirepass x`, netrc's `password x`.
fn takes_blank(bytes: &[u8], name: &Range<usize>, kind: FileKind) -> bool {
    if bytes[name.clone()].starts_with(b"--") {
        return true;
    }
    let line = memchr::memrchr(b'\n', &bytes[..name.start]).map_or(0, |at| at + 1);
    let before = bytes[line..name.start].trim_ascii();
    let keyword = matches!(before, b"ENV" | b"ARG" | b"setenv" | b"set -gx" | b"set -x");
    let settings = kind.syntax == Syntax::Settings
        && (before.is_empty() || before.starts_with(b"machine ") || before.starts_with(b"login "));
    keyword || settings
}

/// The value at `at`, and whether it is quoted.
fn value(
    bytes: &[u8],
    at: usize,
    operator: Operator,
    (name, kind): (&Range<usize>, FileKind),
) -> Option<(Range<usize>, bool)> {
    let mut start = at;
    // `b"…"`, `r"…"`, `@"…"`, `\"…\"`.
    let escaped = bytes.get(start) == Some(&b'\\');
    let lead = bytes.get(start + 1).is_some_and(|byte| matches!(byte, b'"' | b'\''));
    if lead && bytes.get(start).is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'\\' | b'@' | b'$')) {
        if bytes[start] == b'$' || bytes[start] == b'f' {
            return None;
        }
        start += 1;
    }
    let text = &bytes[start..bytes.len().min(start + VALUE)];
    if let Some(&quote @ (b'"' | b'\'' | b'`')) = text.first() {
        let inside = &text[1..];
        let close = inside
            .iter()
            .enumerate()
            .position(|(n, &byte)| byte == b'\n' || (byte == quote && (n == 0 || inside[n - 1] != b'\\' || escaped)))?;
        let close = if escaped && close > 0 && inside[close - 1] == b'\\' { close - 1 } else { close };
        return (inside[close] != b'\n').then_some((start + 1..start + 1 + close, true));
    }
    let inner = name.start.checked_sub(1).is_some_and(|n| matches!(bytes[n], b';' | b'?' | b'&' | b'"' | b'\''));
    let allowed = match (operator, kind.syntax) {
        (Operator::Argument, _) => false,
        (Operator::Tag, _) | (_, Syntax::Settings | Syntax::Shell) | (Operator::Assign, Syntax::Text) => true,
        // Within a connection string or a query.
        (Operator::Assign, Syntax::Code) => inner && bytes.get(at - 1) == Some(&b'='),
        (Operator::Blank, _) => bytes[name.clone()].starts_with(b"--"),
    };
    let placeholder = text.first() == Some(&b'<') && operator != Operator::Tag;
    let end = if placeholder { text.iter().position(|&byte| byte == b'>').map(|at| at + 1) } else { None };
    let end = end.or_else(|| text.iter().position(|&byte| ends(byte, inner))).unwrap_or(text.len());
    let called = text.get(end) == Some(&b'(') || text[..end].contains(&b'(');
    (allowed && end > 0 && !called).then_some((start..start + end, false))
}

fn ends(byte: u8, inner: bool) -> bool {
    byte.is_ascii_whitespace()
        || matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>' | b',' | b';' | b'\\')
        || (inner && matches!(byte, b'&' | b')'))
}

/// How sure a value of that meaning is a secret.
fn judge(value: &[u8], meaning: Meaning, quoted: bool) -> Result<Confidence, &'static str> {
    if value.len() < 6 {
        return Err("too short for a secret");
    }
    if is_reference(value) {
        return Err("a reference or a template, not a value");
    }
    if let Some(reason) = suppress::reason(value).or_else(|| suppress::weak_word(value)) {
        return Err(reason);
    }
    if value.iter().any(|&byte| byte.is_ascii_control() || !byte.is_ascii()) {
        return Err("text for people");
    }
    match meaning {
        Meaning::Password => password(value, quoted),
        Meaning::Token => token(value),
    }
}

/// `${X}`, `{{ x }}`, `<x>`, `%s`, `$x`, `env:X`, `arn:…`, a path, a call.
pub(super) fn is_reference(value: &[u8]) -> bool {
    let has = |text: &[u8]| memchr::memmem::find(value, text).is_some();
    let starts = |text: &[u8]| value.starts_with(text);
    let wrapped = matches!(
        (value[0], value[value.len() - 1]),
        (b'<', b'>') | (b'[', b']') | (b'{', b'}') | (b'(', b')') | (b'%', b'%') | (b'*', b'*') | (b'_', b'_')
    );
    let first_name =
        value[1..].iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'{' | b'}' | b':'));
    let path = matches!(value[0], b'/' | b'.' | b'~') && memchr::memchr_iter(b'/', value).count() >= 2;
    wrapped
        || path
        || (matches!(value[0], b'$' | b'@' | b'&' | b'%' | b':') && first_name)
        || ["${", "{{", "$(", "#{", "%{", "<%", "%(", "{0}", "{1}", "...", "=>", "()", "&&", "||", "{}", "[0"]
            .iter()
            .any(|text| has(text.as_bytes()))
        || [
            "env:", "env.", "ENV[", "process.", "os.", "arn:", "vault:", "ref+", "secret:", "file:", "ssm:", "op://",
            "http://", "https://", "self.", "this.", "config.", "var.", "local.", "data.", "module.", "!", "kms:", "sops:",
            "enc:", "ENC[", "ENC(", "AQICAH", "{SSHA", "{cipher}",
        ]
        .iter()
        .any(|text| starts(text.as_bytes()))
        || has(b"%s")
        || has(b"%d")
}

/// What kinds of characters a value has.
struct Classes {
    lower: usize,
    upper: usize,
    digit: usize,
    symbol: usize,
    blank: usize,
}

impl Classes {
    fn of(value: &[u8]) -> Self {
        let count = |wanted: fn(&u8) -> bool| value.iter().filter(|byte| wanted(byte)).count();
        Self {
            lower: count(u8::is_ascii_lowercase),
            upper: count(u8::is_ascii_uppercase),
            digit: count(u8::is_ascii_digit),
            symbol: count(u8::is_ascii_punctuation),
            blank: count(|&byte| byte == b' '),
        }
    }

    fn kinds(&self) -> usize {
        [self.lower, self.upper, self.digit, self.symbol].iter().filter(|&&count| count > 0).count()
    }
}

fn password(value: &[u8], quoted: bool) -> Result<Confidence, &'static str> {
    let classes = Classes::of(value);
    if classes.blank > 0 {
        return Err("text for people");
    }
    if value.len() > 128 {
        return Err("too long for a password");
    }
    if is_hash(value) {
        return Err("a password's hash");
    }
    let words = wordlike(value);
    let joined = classes.symbol > 0
        && value
            .iter()
            .all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-' | b'.' | b':' | b'/' | b'[' | b']'));
    match classes.kinds() {
        _ if joined && words => Err("a name or words, not a value"),
        1 if classes.digit > 0 => Ok(Confidence::Low),
        // One kind of letters: a word, unless it is clearly none.
        1 if words || value.len() < 10 => Err("a word"),
        2 if classes.digit == 0 && classes.symbol == 0 && (words || surprise(value).is_none() || value.len() < 8) => {
            Err("a name or words, not a value")
        }
        _ if value.len() < 8 && !(classes.symbol > 0 && classes.digit > 0) => Ok(Confidence::Low),
        // A bare word in a text may be anything.
        _ if !quoted && classes.digit == 0 && classes.kinds() < 3 => Ok(Confidence::Low),
        _ => Ok(Confidence::Medium),
    }
}

/// crypt(3), bcrypt, argon2, scrypt, PBKDF2 and what LDAP writes.
fn is_hash(value: &[u8]) -> bool {
    let modular = value[0] == b'$' && memchr::memchr_iter(b'$', &value[1..]).count() >= 2;
    modular
        || value.starts_with(b"pbkdf2")
        || value.starts_with(b"scrypt:")
        || value.starts_with(b"sha256:")
        || value.starts_with(b"md5:")
}

fn token(value: &[u8]) -> Result<Confidence, &'static str> {
    let classes = Classes::of(value);
    if classes.blank > 0 {
        return Err("text for people");
    }
    if value.len() < 12 {
        return Err("too short for a token");
    }
    let allowed = value.iter().all(|&byte| byte.is_ascii_alphanumeric() || b"+/=_-.~:!@#$%^&*".contains(&byte));
    if !allowed {
        return Err("not written like a token");
    }
    let hex = value.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
    let entropy = shannon(value);
    let least = if hex { 2.8 } else { 3.2 };
    if entropy < least {
        return Err("not random enough");
    }
    if classes.digit == 0 && (wordlike(value) || classes.kinds() < 2 || value.len() < 16) {
        return Err("a name or words, not a value");
    }
    // Words joined by dashes or dots, with a number somewhere: an image, a version, a slug.
    let pieces = value.split(|byte| matches!(byte, b'-' | b'_' | b'.' | b':' | b'/')).filter(|piece| !piece.is_empty());
    let wordy =
        pieces.clone().filter(|piece| piece.len() < 4 || wordlike(piece) || piece.iter().all(u8::is_ascii_digit)).count();
    if !hex && wordy == pieces.count() && classes.digit * 4 < value.len() {
        return Err("a name or words, not a value");
    }
    let strong = value.len() >= 16 && (hex || classes.kinds() >= 2);
    Ok(if strong { Confidence::Medium } else { Confidence::Low })
}

#[cfg(test)]
mod tests {
    use super::assignment;
    use crate::detect::kind::FileKind;
    use crate::model::Confidence;

    fn found(path: &str, text: &str, word: &str) -> Option<(String, Result<Confidence, &'static str>)> {
        let at = text.find(word).unwrap_or_else(|| panic!("{word} in {text}"));
        let found = assignment(text.as_bytes(), &(at..at + word.len()), FileKind::of(path))?;
        Some((text[found.value].to_owned(), found.verdict))
    }

    #[test]
    fn values_of_secret_names_are_found_in_every_notation() {
        let value = "vR7#kq2Lw9zT";
        for (path, before, after, word) in [
            (".env", "DB_PASSWORD=", "\n", "PASSWORD"),
            ("a.yml", "  password: ", "\n", "password"),
            ("a.yml", "  password: \"", "\"\n", "password"),
            ("a.json", "{\"dbPassword\": \"", "\"}", "Password"),
            ("a.py", "password = '", "'", "password"),
            ("a.py", "connect(user='x', password='", "')", "password"),
            ("a.py", "os.environ.get('DB_PASSWORD', '", "')", "PASSWORD"),
            ("a.ts", "const dbPassword: string = \"", "\";", "Password"),
            ("a.go", "password := \"", "\"", "password"),
            ("a.rs", "const PASSWORD: &str = \"", "\";", "PASSWORD"),
            ("a.java", "ds.setPassword(\"", "\");", "Password"),
            ("a.php", "'password' => '", "',", "password"),
            ("a.rb", "password: '", "'", "password"),
            ("a.cs", "Password = @\"", "\";", "Password"),
            ("a.xml", "<password>", "</password>", "password"),
            ("a.properties", "spring.datasource.password=", "\n", "password"),
            ("a.tf", "  master_password = \"", "\"", "password"),
            ("a.sh", "mysql --password=", " -u x", "password"),
            ("a.sh", "tool --password ", " x", "password"),
            ("Dockerfile", "ENV DB_PASSWORD ", "\n", "PASSWORD"),
            ("a.cs", "var c = \"Server=x;Password=", ";Database=y\"", "Password"),
            ("n.ipynb", "\"password = \\\"", "\\\"\\n\"", "password"),
            (".netrc", "machine h login u password ", "\n", "password"),
        ] {
            let text = format!("{before}{value}{after}");
            assert_eq!(found(path, &text, word), Some((value.to_owned(), Ok(Confidence::Medium))), "{text}");
        }
    }

    #[test]
    fn what_is_no_value_is_not_taken_for_one() {
        for (path, text, word) in [
            ("a.py", "password = get_password()", "password"),
            ("a.py", "if password == 'vR7#kq2Lw9zT':", "password"),
            ("a.py", "password = settings.PASSWORD", "password"),
            ("a.py", "compass = 'vR7#kq2Lw9zT'", "pass"),
            ("a.py", "password_field = 'vR7#kq2Lw9zT'", "password"),
            ("a.js", "function login(user, password) {", "password"),
        ] {
            assert_eq!(found(path, text, word), None, "{text}");
        }
        for (path, text, word) in [
            (".env", "DB_PASSWORD=${DB_PASSWORD}", "PASSWORD"),
            (".env", "DB_PASSWORD=changeme", "PASSWORD"),
            ("a.yml", "password: {{ .Values.password }}", "password"),
            ("a.json", "{\"password\": \"Please enter your password\"}", "password"),
            ("a.json", "{\"password\": \"confirmPassword\"}", "password"),
            ("a.yml", "secret: my-app-secret-name", "secret"),
            ("a.yml", "token: <your-token>", "token"),
            ("a.yml", "password: $2b$12$abcdefghijklmnopqrstuuO1q8C3Jx9Zk2m5bW7vYtRsEaHdGfLnM", "password"),
        ] {
            let verdict = found(path, text, word).map(|(_, verdict)| verdict);
            assert!(matches!(verdict, Some(Err(_))), "{text}: {verdict:?}");
        }
        let test = found("tests/test_a.py", "password = 'vR7#kq2Lw9zT'", "password");
        assert_eq!(test.map(|(_, verdict)| verdict), Some(Ok(Confidence::Low)));
    }
}
