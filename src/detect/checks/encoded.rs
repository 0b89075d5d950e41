//! Tokens that are, or hold, base64 of something readable: who made them, for whom.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD};
use serde_json::Value;

use super::super::sample::Rng;
use super::super::suppress;
use super::Verdict;
use crate::model::Facts;

fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let bare = &text[..text.iter().rposition(|&byte| byte != b'=').map_or(0, |last| last + 1)];
    BASE64_NOPAD.decode(bare).or_else(|_| BASE64URL_NOPAD.decode(bare)).ok()
}

fn decode_text(text: &[u8]) -> Option<String> {
    String::from_utf8(decode(text)?).ok()
}

/// Base64 of `user:password` (RFC 7617), as in HTTP headers and docker's `auth`.
pub(super) fn basic_auth(value: &[u8]) -> Verdict {
    let text = decode_text(value).filter(|text| !text.chars().any(char::is_control));
    let Some((user, password)) = text.as_ref().and_then(|text| text.split_once(':')) else {
        return Verdict::Fails("not a user and a password");
    };
    if password.len() < 4 || (user == "Aladdin" && password == "open sesame") {
        return Verdict::Fails("no password in it");
    }
    if let Some(reason) = suppress::reason(password.as_bytes()).or_else(|| suppress::weak_word(password.as_bytes())) {
        return Verdict::Fails(reason);
    }
    let mut facts = Facts::new();
    if !user.is_empty() && user.len() <= 64 {
        facts.insert("user".into(), user.to_owned());
    }
    Verdict::Holds(facts, None)
}

/// Base64 of a password alone, as in npm's `_password`.
pub(super) fn password(value: &[u8]) -> Verdict {
    match decode_text(value).filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic())) {
        Some(text) => super::password::check(text.as_bytes()),
        None => Verdict::Fails("no password in it"),
    }
}

/// `pypi-` and a macaroon that names the index (pypi/warehouse, `warehouse/macaroons`).
pub(super) fn pypi_macaroon(value: &[u8]) -> Verdict {
    let body = value.strip_prefix(b"pypi-").unwrap_or(value);
    // The tail may have been cut by a line's end; whole groups of four decode all the same.
    let bytes = decode(&body[..body.len() / 4 * 4]).unwrap_or_default();
    let names = |host: &[u8]| memchr::memmem::find(&bytes, host).is_some();
    let index = [("test.pypi.org", names(b"test.pypi.org")), ("pypi.org", names(b"pypi.org"))];
    let found = index.into_iter().find_map(|(host, there)| there.then_some(host));
    found.map_or(Verdict::Fails("names no package index"), |host| {
        Verdict::Holds(Facts::from([("index".to_owned(), host.to_owned())]), None)
    })
}

/// `sntrys_` + base64 of JSON + `_` + 43 characters (getsentry/sentry, `utils/security/orgauthtoken_token.py`).
pub(super) fn sentry_org_token(value: &[u8]) -> Verdict {
    let payload = value.strip_prefix(b"sntrys_").and_then(|rest| rest.split(|&byte| byte == b'_').next());
    let claims = payload.and_then(decode).and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let Some(claims) = claims else { return Verdict::Doubtful(Facts::new()) };
    let fields = [("org", "organization"), ("url", "url"), ("region_url", "region")];
    let facts = fields.iter().filter_map(|(key, fact)| Some(((*fact).to_owned(), claims.get(key)?.as_str()?.to_owned())));
    Verdict::Holds(facts.collect(), None)
}

/// NVIDIA's older NGC keys: base64 of 26 letters and digits, a colon and a UUID.
pub(super) fn ngc_legacy(value: &[u8]) -> Verdict {
    let holds = decode_text(value).is_some_and(|text| {
        text.split_once(':').is_some_and(|(id, uuid)| {
            id.len() == 26
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
                && uuid.len() == 36
                && uuid.matches('-').count() == 4
        })
    });
    if holds { Verdict::Holds(Facts::new(), None) } else { Verdict::Fails("not a key: no id and UUID in it") }
}

/// A Discord bot token's first segment is base64 of the bot's id, which is decimal (Discord's developer documentation, "Snowflakes").
pub(super) fn discord_bot(value: &[u8]) -> Verdict {
    let id = value.split(|&byte| byte == b'.').next().and_then(decode_text);
    match id.filter(|id| (15..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())) {
        Some(id) => Verdict::Holds(Facts::from([("application_id".to_owned(), id)]), None),
        None => Verdict::Fails("not a bot's token: its first part is no id"),
    }
}

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

pub(super) fn sample_basic_auth(rng: &mut Rng) -> Vec<u8> {
    BASE64.encode(format!("{}:{}", rng.text(b"abcdefghijklm", 6), rng.text(LETTERS, 18)).as_bytes()).into_bytes()
}

pub(super) fn sample_password(rng: &mut Rng) -> Vec<u8> {
    BASE64.encode(rng.text(LETTERS, 18).as_bytes()).into_bytes()
}

pub(super) fn sample_pypi(rng: &mut Rng) -> Vec<u8> {
    let body = [b"\x02\x01\x08pypi.org\x02\x24".as_slice(), rng.text(LETTERS, 120).as_bytes()].concat();
    format!("pypi-{}", BASE64URL_NOPAD.encode(&body)).into_bytes()
}

pub(super) fn sample_sentry(rng: &mut Rng) -> Vec<u8> {
    let org = rng.text(b"abcdefghijklm", 8);
    let claims =
        format!(r#"{{"iat":1700000000.5,"url":"https://sentry.io","region_url":"https://us.sentry.io","org":"{org}"}}"#);
    format!("sntrys_{}_{}", BASE64.encode(claims.as_bytes()), rng.text(LETTERS, 43)).into_bytes()
}

pub(super) fn sample_ngc(rng: &mut Rng) -> Vec<u8> {
    let hex = |rng: &mut Rng, length| rng.text(b"0123456789abcdef", length);
    let uuid = [8, 4, 4, 4, 12].map(|length| hex(rng, length)).join("-");
    BASE64.encode(format!("{}:{uuid}", rng.text(b"abcdefghijklmnopqrstuvwxyz0123456789", 26)).as_bytes()).into_bytes()
}

pub(super) fn complete_discord(value: &mut Vec<u8>, rng: &mut Rng) {
    let rest = value.iter().position(|&byte| byte == b'.').map_or(Vec::new(), |dot| value[dot..].to_vec());
    let id = format!("1{}", rng.text(b"0123456789", 17));
    *value = [BASE64_NOPAD.encode(id.as_bytes()).into_bytes(), rest].concat();
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;

    use super::{
        Rng, Verdict, basic_auth, complete_discord, discord_bot, ngc_legacy, password, pypi_macaroon, sample_basic_auth,
        sample_ngc, sample_password, sample_pypi, sample_sentry, sentry_org_token,
    };

    #[test]
    fn samples_hold_and_say_who_they_are() {
        let rng = &mut Rng::new(5);
        let Verdict::Holds(facts, None) = basic_auth(&sample_basic_auth(rng)) else { panic!("holds") };
        assert_eq!(facts["user"].len(), 6);
        let Verdict::Holds(facts, None) = pypi_macaroon(&sample_pypi(rng)) else { panic!("holds") };
        assert_eq!(facts["index"], "pypi.org");
        let Verdict::Holds(facts, None) = sentry_org_token(&sample_sentry(rng)) else { panic!("holds") };
        assert_eq!(facts["region"], "https://us.sentry.io");
        assert!(matches!(ngc_legacy(&sample_ngc(rng)), Verdict::Holds(..)));
        assert!(matches!(password(&sample_password(rng)), Verdict::Holds(..)));
        let mut token = b"x.abcdef.xyz".to_vec();
        complete_discord(&mut token, rng);
        let Verdict::Holds(facts, None) = discord_bot(&token) else { panic!("holds") };
        assert_eq!(facts["application_id"].len(), 18);
    }

    #[test]
    fn anything_else_fails() {
        let encoded = |text: &str| BASE64.encode(text.as_bytes()).into_bytes();
        for value in
            [encoded("no colon"), encoded("user:"), encoded("user:password"), encoded("Aladdin:open sesame"), b"!".to_vec()]
        {
            assert!(matches!(basic_auth(&value), Verdict::Fails(_)));
        }
        for value in
            [encoded("password"), encoded("${NPM_PASSWORD}"), encoded("a b\n"), BASE64.encode(&[0; 12]).into_bytes()]
        {
            assert!(matches!(password(&value), Verdict::Fails(_)));
        }
        assert!(matches!(pypi_macaroon(b"pypi-AAAAAAAA"), Verdict::Fails(_)));
        assert!(matches!(ngc_legacy(&encoded("abc:def")), Verdict::Fails(_)));
        assert!(matches!(discord_bot(b"AAAA.b.c"), Verdict::Fails(_)));
        assert!(matches!(sentry_org_token(b"sntrys_AAAA_x"), Verdict::Doubtful(_)));
    }
}
