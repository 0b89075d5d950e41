//! Logins in URLs, `scheme://ROLE:PASSWORD@HOST:PORT`, as stores hold them: where a new password comes with a role of its own, both
//! are replaced as one, and nothing else. A password that stands without its role beside it cannot be replaced so.

use std::ops::Range;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};
use zeroize::Zeroizing;

use super::Field;
use super::holding::{forms, standing};
use crate::secret::Secret;

/// What a role's name is written in as it is (RFC 3986, unreserved).
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// Longer names no server has, even with each byte written as three: 63 bytes at PostgreSQL, 128 at MariaDB.
const LONGEST: usize = 3 * 128;

/// A kind of server, as URLs name it.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::respond) struct UrlKind {
    /// Its schemes, before the `+` of a driver.
    schemes: &'static [&'static str],
    /// Where it is, if a URL does not say.
    port: u16,
    /// Parameters of a URL's query that say another server, role or password than the URL does before it.
    overriding: &'static [&'static str],
}

pub(in crate::respond) const POSTGRES: UrlKind = UrlKind {
    schemes: &["postgres", "postgresql", "postgis", "psql", "pgsql", "timescaledb"],
    port: 5432,
    overriding: &["host", "hostaddr", "port", "user", "password"],
};

pub(in crate::respond) const MYSQL: UrlKind = UrlKind {
    schemes: &["mysql", "mysql2", "mysqlx", "mysqli", "mariadb"],
    port: 3306,
    overriding: &["host", "port", "user", "password", "unix_socket", "socket"],
};

/// A login that is replaced by another at the same server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::respond) struct Login {
    pub(in crate::respond) kind: &'static UrlKind,
    /// `HOST:PORT`
    pub(in crate::respond) server: String,
    /// The role whose password it is.
    pub(in crate::respond) old: String,
    /// The one that takes its place.
    pub(in crate::respond) new: String,
}

/// The role of a login, and where the login stands: from the role's first byte to the password's last.
struct Found {
    role: Vec<u8>,
    server: Option<String>,
    /// What its query says besides, of where and as whom.
    said: Option<&'static str>,
    all: Range<usize>,
}

/// The login whose password stands here; nothing where it is no login of a URL.
fn around(kind: &UrlKind, text: &[u8], password: Range<usize>) -> Option<Found> {
    let before = text[..password.start].strip_suffix(b":")?;
    let from = before.iter().rposition(|&byte| byte == b'/' || byte.is_ascii_whitespace())? + 1;
    let role = before.get(from..).filter(|role| (1..=LONGEST).contains(&role.len()))?;
    let head = &text[..from];
    let scheme = head.strip_suffix(b"://").or_else(|| head.strip_suffix(b":\\/\\/"))?;
    let start =
        scheme.iter().rposition(|byte| !byte.is_ascii_alphanumeric() && !b"+_".contains(byte)).map_or(0, |at| at + 1);
    let scheme = scheme[start..].split(|&byte| byte == b'+').next()?;
    kind.schemes.iter().any(|known| scheme.eq_ignore_ascii_case(known.as_bytes())).then_some(())?;
    let after = text[password.end..].strip_prefix(b"@")?;
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"/\\?#\"'`<>;".contains(byte);
    let host = &after[..after.iter().position(ends).unwrap_or(after.len())];
    let role = percent_decode(role).collect();
    let said = overridden(kind, &after[host.len()..]);
    Some(Found {
        role,
        server: std::str::from_utf8(host).ok().and_then(|host| address(kind, host)),
        said,
        all: from..password.end,
    })
}

/// A parameter in what follows a URL's host that counts more than what stands before it.
/// Source: libpq, "Connection URIs" (`postgresql:///dbname?host=…&port=…`), where names are percent-decoded.
fn overridden(kind: &UrlKind, rest: &[u8]) -> Option<&'static str> {
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`<>".contains(byte);
    let rest = &rest[..rest.iter().position(ends).unwrap_or(rest.len())];
    let at = rest.iter().position(|&byte| byte == b'?')?;
    // JSON and XML may write the separator so.
    let query = String::from_utf8_lossy(&rest[at + 1..]).replace("\\u0026", "&").replace("&amp;", "&");
    query.split('&').find_map(|pair| {
        let name = percent_decode(pair.split('=').next()?.as_bytes()).decode_utf8_lossy();
        kind.overriding.iter().copied().find(|known| name.eq_ignore_ascii_case(known))
    })
}

/// `HOST:PORT` of what a URL says; nothing where it names several hosts, or none.
fn address(kind: &UrlKind, text: &str) -> Option<String> {
    let bare = text.rsplit_once(':').filter(|(host, _)| !host.contains(':') || host.ends_with(']'));
    let (host, port) = match bare {
        Some((host, port)) => (host, Some(port.parse().ok()?)),
        None => (text, None),
    };
    (!host.is_empty() && !host.contains(',')).then(|| format!("{}:{}", host.to_ascii_lowercase(), port.unwrap_or(kind.port)))
}

/// Whether every place at which a password stands is a login of that role at that server, so that both can be replaced as one.
///
/// # Errors
/// What stands there instead, without it.
pub(in crate::respond) fn only_logins(
    fields: &[Field],
    password: &Secret,
    (kind, at, role): (&UrlKind, &str, &str),
) -> Result<(), String> {
    let value = password.expose();
    for (_, text) in fields {
        let text = text.expose();
        let plain = standing(text, value);
        // The password itself is what a URL writes with escapes, and stands so beside it where it is no URL's.
        let bare: Zeroizing<Vec<u8>> = Zeroizing::new(percent_decode(value).collect());
        if *bare != value && forms(&bare).iter().any(|form| form.as_slice() != value && !standing(text, form).is_empty()) {
            return Err("it holds the password in another form beside the one of the URL".to_owned());
        }
        for form in forms(value).iter().filter(|form| form.as_slice() != value) {
            if !standing(text, form).is_empty() {
                return Err("it holds the password in another form beside the one of the URL".to_owned());
            }
        }
        for start in plain {
            let found = around(kind, text, start..start + value.len()).ok_or_else(|| {
                "it holds the password outside of a URL, and the role's name, which changes with it, cannot be told there; write the \
                 whole URL there"
                    .to_owned()
            })?;
            if found.role != role.as_bytes() {
                return Err("the password stands there with another role's name".to_owned());
            }
            if let Some(name) = found.said {
                return Err(format!(
                    "it holds a URL with that password whose query says another {name}, and that is not what changes; write it before the \
                     query"
                ));
            }
            if found.server.as_deref() != Some(at) {
                return Err(format!(
                    "it holds a URL with that password for another server than {at}, and the new role is known at that one alone"
                ));
            }
        }
    }
    Ok(())
}

/// The fields with each login of the old role and password replaced by the new role's.
pub(in crate::respond) fn renamed(fields: &[Field], (old, new): (&Secret, &Secret), login: &Login) -> Vec<Field> {
    let mut out = Vec::with_capacity(fields.len());
    let role = percent_encode(login.new.as_bytes(), KEPT).to_string();
    for (name, text) in fields {
        let text = text.expose();
        let places = standing(text, old.expose());
        let room = text.len() + places.len() * (role.len() + 1 + new.len());
        // Of its final size from the start, so that no smaller buffer is left behind unwiped.
        let mut fresh = Zeroizing::new(Vec::with_capacity(room));
        let mut from = 0;
        for start in places {
            let found = around(login.kind, text, start..start + old.len());
            let Some(found) = found.filter(|found| found.role == login.old.as_bytes()) else { continue };
            fresh.extend_from_slice(&text[from..found.all.start]);
            fresh.extend_from_slice(role.as_bytes());
            fresh.push(b':');
            fresh.extend_from_slice(new.expose());
            from = found.all.end;
        }
        fresh.extend_from_slice(&text[from..]);
        out.push((name.clone(), Secret::new(&fresh)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Field, Login, MYSQL, POSTGRES, only_logins, renamed};
    use crate::secret::Secret;

    fn field(text: &str) -> Vec<Field> {
        vec![(String::new(), Secret::new(text.as_bytes()))]
    }

    fn changed(text: &str, (old, new): (&str, &str), (from, to): (&str, &str)) -> String {
        let login = Login { kind: &POSTGRES, server: "db:5432".to_owned(), old: from.to_owned(), new: to.to_owned() };
        let secret = |text: &str| Secret::new(text.as_bytes());
        renamed(&field(text), (&secret(old), &secret(new)), &login)[0].1.expose_str().expect("text").to_owned()
    }

    #[test]
    fn role_and_password_are_replaced_as_one_and_come_back_as_they_were() {
        for (before, after) in [
            ("A=postgres://shop:aB3-xY9z@db/app\nB=shop\n", "A=postgres://shop_b:N1N2N3N4@db/app\nB=shop\n"),
            (
                "{\"u\":\"postgresql+asyncpg:\\/\\/shop:aB3-xY9z@db:5432\\/app\"}",
                "{\"u\":\"postgresql+asyncpg:\\/\\/shop_b:N1N2N3N4@db:5432\\/app\"}",
            ),
        ] {
            assert_eq!(changed(before, ("aB3-xY9z", "N1N2N3N4"), ("shop", "shop_b")), after);
            assert_eq!(changed(after, ("N1N2N3N4", "aB3-xY9z"), ("shop_b", "shop")), before);
        }
        let before = ["postgres://ops%40corp:", "aB3-xY9z", "@DB"].concat();
        let after = changed(&before, ("aB3-xY9z", "N1N2N3N4"), ("ops@corp", "ops@corp_b"));
        assert_eq!(after, ["postgres://ops%40corp_b:", "N1N2N3N4", "@DB"].concat());
    }

    #[test]
    fn a_password_that_stands_anywhere_else_is_no_login() {
        let password = Secret::new(b"aB3-xY9z");
        let told = |text: &str| only_logins(&field(text), &password, (&POSTGRES, "db:5432", "shop"));
        for good in ["X=postgres://shop:aB3-xY9z@db/app", "postgresql://shop:aB3-xY9z@DB:5432?x=1&hosts=1", "nothing"] {
            assert_eq!(told(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("PGUSER=shop\nPGPASSWORD=aB3-xY9z\n", "outside of a URL"),
            ("u=postgres://shop:aB3-xY9z@db\np=aB3-xY9z\n", "outside of a URL"),
            ("host=db user=shop password=aB3-xY9z", "outside of a URL"),
            ("mysql://shop:aB3-xY9z@db:5432/app", "outside of a URL"),
            ("postgres://clerk:aB3-xY9z@db/app", "another role"),
            ("postgres://shop:aB3-xY9z@replica/app", "another server"),
            ("postgres://shop:aB3-xY9z@db:6432/app", "another server"),
            ("postgres://shop:aB3-xY9z@db,db2/app", "another server"),
            ("shop:aB3-xY9z@db", "outside of a URL"),
            ("postgres://shop:aB3-xY9z@db/app?host=replica", "says another host"),
            ("postgres://shop:aB3-xY9z@db?x=1&hostaddr=10.0.0.1", "says another hostaddr"),
            ("u = \"postgres://shop:aB3-xY9z@db/app?x=1\\u0026port=6432\"", "says another port"),
            ("postgres://shop:aB3-xY9z@db/app?%75ser=clerk", "says another user"),
            ("<a b='postgres://shop:aB3-xY9z@db/app?x=1&amp;password=other'/>", "says another password"),
        ] {
            assert!(told(bad).is_err_and(|said| said.contains(why) && !said.contains("aB3")), "{bad}");
        }
    }

    #[test]
    fn a_mysql_url_is_no_other_servers_and_has_its_own_port() {
        let password = Secret::new(b"aB3-xY9z");
        let told = |text: &str| only_logins(&field(text), &password, (&MYSQL, "db:3306", "shop"));
        for good in ["mysql://shop:aB3-xY9z@db/app", "mysql+pymysql://shop:aB3-xY9z@DB:3306", "mariadb://shop:aB3-xY9z@db"] {
            assert_eq!(told(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("postgres://shop:aB3-xY9z@db:3306/app", "outside of a URL"),
            ("shop:aB3-xY9z@tcp(db:3306)/app", "outside of a URL"),
            ("mysql://shop:aB3-xY9z@db:5432/app", "another server"),
            ("mysql://shop:aB3-xY9z@db/app?unix_socket=/run/other", "says another unix_socket"),
        ] {
            assert!(told(bad).is_err_and(|said| said.contains(why)), "{bad}");
        }
    }

    #[test]
    fn a_password_that_stands_without_a_urls_escapes_is_seen() {
        let password = Secret::new(b"aB3%40xY9%2Fz");
        let told = |text: &str| only_logins(&field(text), &password, (&POSTGRES, "db:5432", "shop"));
        let url = ["postgres://shop:", "aB3%40xY9%2Fz", "@db/app"].concat();
        assert_eq!(told(&url), Ok(()));
        for bare in ["P=aB3@xY9/z", "{\"p\": \"aB3@xY9\\/z\"}"] {
            let said = told(&format!("U={url}\n{bare}\n")).expect_err(bare);
            assert!(said.contains("another form") && !said.contains("xY9"), "{said}");
        }
    }
}
