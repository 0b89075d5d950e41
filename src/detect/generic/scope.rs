//! What may stand before a name and a colon and leave it one: `$env:X`, `app:password`, `"ConnectionStrings:Password"`,
//! `let g:api_key`. Not `arn:aws:…:secret:name`.

/// A scope is no longer.
const SCOPE: usize = 64;
/// Nor has it more pieces.
const PIECES: usize = 3;
/// What begins other things with colons in them.
const OTHERS: &[&[u8]] = &[b"arn", b"urn", b"xs", b"xsd", b"xsi", b"http", b"https", b"data", b"spiffe", b"docker", b"oci"];

/// Whether what ends in the colon at `colon` is a scope.
pub(super) fn is_scope(bytes: &[u8], colon: usize) -> bool {
    let head = &bytes[colon.saturating_sub(SCOPE)..colon];
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$' | b':');
    let length = head.iter().rev().take_while(|byte| part(byte)).count();
    if is_path(&head[head.len() - length..]) {
        return length < SCOPE;
    }
    let (before, scope) = head.split_at(head.len() - length);
    let begins = |piece: &[u8]| piece.first().is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'$'));
    let pieces = scope.split(|&byte| byte == b':');
    let known = pieces.clone().next().is_some_and(|first| OTHERS.contains(&first.to_ascii_lowercase().as_slice()));
    if length == SCOPE || known || !pieces.clone().all(begins) || pieces.count() > PIECES {
        return false;
    }
    let line = before[memchr::memrchr(b'\n', before).map_or(0, |end| end + 1)..].trim_ascii();
    let starts_line = line.is_empty() || line == b"-" || line == b"let";
    starts_line || scope.starts_with(b"$") || matches!(before.last(), Some(b'"' | b'\''))
}

/// `Shop::Application.`, `self::$`: what ends before the last colon of a path in Ruby, PHP, C++ and Rust.
fn is_path(scope: &[u8]) -> bool {
    let Some(first) = scope.strip_suffix(b":") else { return false };
    let letter = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let begins = |piece: &[u8]| piece.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    let piece = |(n, piece): (usize, &[u8])| match n % 2 {
        0 => begins(piece) && piece.iter().all(letter),
        // Between two colons.
        _ => piece.is_empty(),
    };
    first.split(|byte| *byte == b':').enumerate().all(piece) && !first.ends_with(b":")
}

#[cfg(test)]
mod tests {
    use super::is_scope;

    #[test]
    fn scopes_are_told_from_other_things_with_colons() {
        for text in [
            "$env:",
            "x = $script:",
            "  app:",
            "- app:",
            "Config::",
            "x = Aws::Config::",
            "self::",
            "\"a:b:",
            "let g:",
            "\n  acme.app:",
            "{'Jwt:",
        ] {
            assert!(is_scope(text.as_bytes(), text.len() - 1), "{text}");
        }
        for text in [
            "arn:aws:secretsmanager:eu-west-1:1:",
            "urn:x:",
            "::",
            "std::::",
            "x ? a:",
            "image: a:",
            "12:",
            ":",
            "\"xs:",
            "//h:",
        ] {
            assert!(!is_scope(text.as_bytes(), text.len() - 1), "{text}");
        }
    }
}
