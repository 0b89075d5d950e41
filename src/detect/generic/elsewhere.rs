//! What stands where a secret belongs, looks like one, and by what stands about it is none: the id of a credential that is kept
//! elsewhere, half of a pair, a piece of code, and values that everybody has.

use std::ops::Range;

use super::super::context::squeezed;
use super::super::wordlike::wordlike;
use super::super::{decode, suppress};
use super::NAME;

/// Why the value is none, if so.
pub(super) fn reason(bytes: &[u8], name: &Range<usize>, value: &Range<usize>) -> Option<&'static str> {
    let text = &bytes[value.clone()];
    if let Some(reason) =
        decode::printable(text).and_then(|(plain, _)| suppress::reason(&plain).or_else(|| suppress::weak_word(&plain)))
    {
        return Some(reason);
    }
    // `credentials('id')` is Jenkins'; of several arguments the first says where or who.
    let called = bytes[name.clone()].eq_ignore_ascii_case(b"credentials") && bytes.get(name.end) == Some(&b'(');
    let first = || bytes.get(value.end + 1) == Some(&b',') || bytes[name.clone()].starts_with(b"c");
    let asked = called && first();
    if asked || is_kept(&bytes[name.clone()], text) {
        return Some("the id of a credential that Jenkins keeps");
    }
    if is_public_half(bytes, name, value) {
        return Some("the public half of a pair");
    }
    if is_beacon(bytes, name) {
        return Some("a token that every page shows");
    }
    if is_joined(bytes, value) {
        return Some("what stands before a value that is made");
    }
    if is_selector(text) || is_index(text) {
        return Some("a name in code");
    }
    if is_expression(text) {
        return Some("an expression that values match");
    }
    is_import(text).then_some("a path")
}

/// `git_auth = '<uuid>'`, `sshagent(credentials: ['<uuid>'])`: what Jenkins calls a credential (jenkins.io/doc/book/using/using-credentials).
pub(super) fn is_kept(name: &[u8], value: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    let uuid = value.len() == 36
        && value.iter().enumerate().all(|(n, byte)| match n {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    uuid && (name.ends_with(b"_auth") || name == b"credentials" || name.ends_with(b"_credentials"))
}

/// `X_ACCESS_KEY = '<20>'` above `X_SECRET_KEY`, `appKey: ding…` above `appSecret`: the half that says who, not the one that proves it.
fn is_public_half(bytes: &[u8], name: &Range<usize>, value: &Range<usize>) -> bool {
    const BESIDE: usize = 120;
    let text = &bytes[value.clone()];
    let own = squeezed(&bytes[name.clone()]);
    let capital = text.len() == 20 && text.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    let dingtalk = text.len() == 20 && text.starts_with(b"ding");
    let behind = bytes[value.end..bytes.len().min(value.end + BESIDE)].to_ascii_lowercase();
    ((own.ends_with(b"accesskey") && capital) || (own.ends_with(b"appkey") && dingtalk))
        && memchr::memmem::find(&behind, b"secret").is_some()
}

/// `data-cf-beacon='{"token": "…"}'`: Cloudflare's counter (developers.cloudflare.com/web-analytics).
fn is_beacon(bytes: &[u8], name: &Range<usize>) -> bool {
    const BEFORE: usize = 96;
    let before = &bytes[name.start.saturating_sub(BEFORE)..name.start];
    &bytes[name.clone()] == b"token" && memchr::memmem::find(before, b"data-cf-beacon").is_some()
}

/// `'webhook_' . f()`: the text goes on behind its quote.
fn is_joined(bytes: &[u8], value: &Range<usize>) -> bool {
    let open = bytes[value.end - 1];
    let behind = &bytes[value.end..bytes.len().min(value.end + 8)];
    let quoted = matches!(behind.first(), Some(b'"' | b'\''));
    let rest = behind.get(1..).unwrap_or_default().trim_ascii_start();
    quoted && matches!(open, b'_' | b'-' | b':' | b'.' | b'=' | b'/') && matches!(rest.first(), Some(b'.' | b'+' | b'&'))
}

/// `oAuth2Params:jwtParams:completion:`, Objective-C's.
fn is_selector(text: &[u8]) -> bool {
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_');
    text.len() < NAME * 2 && text.ends_with(b":") && text.iter().all(word) && wordlike(text)
}

/// `{Configuration[`, of `$"Password={Configuration["…"]}"`.
fn is_index(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"{") else { return false };
    let letters = rest.iter().take_while(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'.')).count();
    letters >= 3 && matches!(rest.get(letters), Some(b'[' | b'(' | b'.'))
}

/// `^(?=.*[0-9]).{8,}$`.
fn is_expression(text: &[u8]) -> bool {
    let has = |part: &[u8]| memchr::memmem::find(text, part).is_some();
    has(b"(?=") || has(b"(?!") || (text.starts_with(b"^") && (has(b"[a-z") || has(b"[A-Z") || has(b"[0-9")))
}

/// `github.com/a/b/v8/c`: a host without a scheme, and words behind it.
fn is_import(text: &[u8]) -> bool {
    let mut pieces = text.split(|byte| *byte == b'/');
    let host = pieces.next().unwrap_or_default();
    let ending = host.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let plain =
        |piece: &[u8]| !piece.is_empty() && piece.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte));
    let named = ending.len() < host.len() && [b"com".as_slice(), b"org", b"io", b"in", b"dev", b"net"].contains(&ending);
    named && pieces.clone().count() >= 2 && pieces.all(plain)
}
