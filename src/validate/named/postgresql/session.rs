//! A login of the operator's own at a PostgreSQL server, for administration: statements one after another, by the simple query
//! protocol. A credential that was found is never used so. Of an error only its SQLSTATE goes on.
//! Source: the PostgreSQL documentation, "Message Flow" (Simple Query), "Message Formats" (`DataRow`, `ErrorResponse`).

use percent_encoding::percent_decode_str;
use url::Url;
use zeroize::Zeroizing;

use super::super::login::{Login, Stop};
use super::{End, PORT, Whose, code, enter, framed, message, terminated};
use crate::model::Credential;
use crate::net::{Net, Wire};

/// Messages of one answer: as many rows as a server has sessions, and a few more.
const MOST: usize = 20_000;
/// The values of `sslmode` (libpq, "SSL Support").
const MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// Why a statement did not do what it should.
#[derive(Debug)]
pub enum SqlTrouble {
    /// The server says no: its SQLSTATE. Nothing was changed.
    Said(String),
    /// It was not let near: who it is was not proved.
    Unproved(String),
    /// The connection broke; whether the statement took effect is not known.
    Broken(String),
}

/// The rows of an answer, as text.
pub type Rows = Vec<Vec<Option<String>>>;

/// A server, and as whom one logs in there.
pub struct SqlPlace {
    login: Login,
    mode: &'static str,
}

impl SqlPlace {
    /// Reads a URL, `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full`.
    ///
    /// # Errors
    /// What is wrong with it, without it.
    pub fn parse(url: &str) -> Result<Self, String> {
        let wrong = || "it is no URL like postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full".to_owned();
        let url = url.trim();
        // Which of several ends the password is told otherwise by everyone: a piece of it would be taken for the host.
        if url.split_once("://").is_some_and(|(_, rest)| rest.matches('@').count() > 1) {
            return Err(
                "it has more than one @ in it; percent-encode those of the user, the password and what follows as %40"
                    .to_owned(),
            );
        }
        let url = Url::parse(url).map_err(|_| wrong())?;
        let host = url.host_str().filter(|_| matches!(url.scheme(), "postgres" | "postgresql")).ok_or_else(wrong)?;
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let password = Zeroizing::new(percent_decode_str(url.password().ok_or_else(wrong)?).collect::<Vec<u8>>());
        let user = Some(decoded(url.username())).filter(|user| !user.is_empty()).ok_or_else(wrong)?;
        if password.iter().chain(user.as_bytes()).any(u8::is_ascii_control) {
            return Err("it has control characters in it".to_owned());
        }
        let mode = mode(&url)?;
        let database = Some(decoded(url.path().trim_start_matches('/'))).filter(|name| !name.is_empty());
        let (scheme, host, port) = (url.scheme().to_owned(), host.to_owned(), url.port());
        let login = Login { scheme, user: Some(user), password, host, port, database };
        Ok(Self { login, mode })
    }

    /// The server, `HOST:PORT`, in lower case.
    pub fn server(&self) -> String {
        server(&self.login.host, self.login.port)
    }

    /// The role that logs in.
    pub fn role(&self) -> &str {
        self.login.user.as_deref().unwrap_or_default()
    }
}

/// How sure it is who answers: quite sure, where nothing weaker is written out.
fn mode(url: &Url) -> Result<&'static str, String> {
    let mut said = url.query_pairs().filter(|(name, _)| name.eq_ignore_ascii_case("sslmode"));
    let mode = match (said.next(), said.next()) {
        (None, _) => Some("verify-full"),
        (Some((name, word)), None) if name == "sslmode" => MODES.into_iter().find(|mode| *mode == word),
        _ => None,
    };
    mode.ok_or_else(|| format!("its sslmode must be one of {}, once and in lower case", MODES.join(", ")))
}

/// As which role and at which server, `HOST:PORT`, a credential that was found logs in.
///
/// # Errors
/// In words: one of them cannot be read.
pub fn found(credential: &Credential) -> Result<(String, String), String> {
    let login = Login::of_url(credential);
    let login = login.map_err(|said| said.why().unwrap_or("its login cannot be read").to_owned())?;
    let user = login.user.filter(|user| !user.is_empty() && !user.contains(char::REPLACEMENT_CHARACTER));
    let user = user.ok_or_else(|| "its user is not written out, or not text".to_owned())?;
    Ok((user, server(&login.host, login.port)))
}

/// A server's name, `HOST:PORT`, in lower case.
pub fn server(host: &str, port: Option<u16>) -> String {
    format!("{}:{}", host.to_ascii_lowercase(), port.unwrap_or(PORT))
}

/// An open session.
pub struct SqlSession(Wire);

impl SqlSession {
    /// Logs in.
    ///
    /// # Errors
    /// Who did not let us in, in words.
    pub async fn open(net: &Net, place: &SqlPlace) -> Result<Self, SqlTrouble> {
        let broken = |stop: Stop| SqlTrouble::Broken(stop.to_string());
        let wire = net.call(&place.login.host, place.login.port.unwrap_or(PORT)).await;
        let wire = wire.map_err(|error| broken(error.into()))?;
        let entered = enter(wire, (&place.login, place.role()), place.mode, Whose::Own).await.map_err(broken)?;
        match entered.end {
            End::Ready if entered.course.accepted && entered.course.asked => Ok(Self(entered.wire)),
            End::Ready => {
                let what = "the server let the settings' role in without asking for its password, so it proves nothing";
                Err(SqlTrouble::Unproved(what.to_owned()))
            }
            End::Refused(code) => Err(SqlTrouble::Said(code.unwrap_or_else(|| "no code".to_owned()))),
        }
    }

    /// Runs one statement; its rows.
    ///
    /// # Errors
    /// The server's refusal, or a broken connection.
    pub async fn run(&mut self, sql: &str) -> Result<Rows, SqlTrouble> {
        self.answered(sql).await.unwrap_or_else(|stop| Err(SqlTrouble::Broken(stop.to_string())))
    }

    async fn answered(&mut self, sql: &str) -> Result<Result<Rows, SqlTrouble>, Stop> {
        let wire = &mut self.0;
        wire.write(&framed(b"Q", &terminated(sql.as_bytes()))).await?;
        let (mut rows, mut refused) = (Rows::new(), None);
        for _ in 0..MOST {
            let (kind, body) = message(wire).await?;
            match kind {
                b'D' => rows.push(row(&body).ok_or_else(|| wire.garbled())?),
                b'E' => refused = Some(code(&body).unwrap_or_else(|| "no code".to_owned())),
                b'Z' => return Ok(refused.map_or(Ok(rows), |code| Err(SqlTrouble::Said(code)))),
                _ => {}
            }
        }
        Err(wire.garbled().into())
    }
}

/// The fields of a row: a count, and each with its length, -1 for null.
fn row(body: &[u8]) -> Option<Vec<Option<String>>> {
    let (count, mut rest) = body.split_first_chunk::<2>()?;
    let mut fields = Vec::new();
    for _ in 0..u16::from_be_bytes(*count) {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            fields.push(None);
            rest = after;
            continue;
        };
        let (text, after) = after.split_at_checked(length)?;
        fields.push(Some(String::from_utf8_lossy(text).into_owned()));
        rest = after;
    }
    Some(fields)
}

/// A name as SQL takes it, whatever is in it.
pub fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL takes it, whatever is in it and whatever `standard_conforming_strings` is.
pub fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::super::super::scripted::{Server, net};
    use super::{SqlPlace, SqlSession, framed, identifier, literal, row};

    #[test]
    fn names_and_texts_cannot_become_anything_else() {
        assert_eq!(identifier("a\"; drop role x; --"), "\"a\"\"; drop role x; --\"");
        assert_eq!(literal("a'; drop role x; -- \\'"), "E'a''; drop role x; -- \\\\'''");
    }

    #[test]
    fn a_row_that_is_cut_is_none() {
        let whole = [0, 2, 0, 0, 0, 1, b't', 0xff, 0xff, 0xff, 0xff];
        assert_eq!(row(&whole), Some(vec![Some("t".to_owned()), None]));
        for cut in 0..whole.len() {
            assert_eq!(row(&whole[..cut]), None, "{cut}");
        }
    }

    #[test]
    fn a_place_is_read_and_what_is_none_is_said_without_it() {
        let url = ["postgresql://", "chief:p%40w", "@DB.internal/app?sslmode=require"].concat();
        let place = SqlPlace::parse(&url).expect("a place");
        assert_eq!((place.server().as_str(), place.role(), place.mode), ("db.internal:5432", "chief", "require"));
        assert_eq!(place.login.password.as_slice(), b"p@w");
        for wrong in ["mysql://a:b@c/d", "postgresql://a@c/d", "postgresql://:b@c/d", "hunter2"] {
            let why = SqlPlace::parse(wrong).err().expect("it is none");
            assert!(why.contains("postgresql://USER") && !why.contains("hunter2"), "{why}");
        }
    }

    /// One of the operator's at this port, written so.
    fn place(port: u16, query: &str) -> Result<SqlPlace, String> {
        SqlPlace::parse(&["postgresql://", "chief:p%40w", &format!("@127.0.0.1:{port}/app{query}")].concat())
    }

    #[test]
    fn nothing_weaker_than_a_proved_server_is_meant_unless_it_is_written_out() {
        let mode = |query: &str| place(1, query).map(|place| place.mode);
        assert_eq!(mode(""), Ok("verify-full"));
        assert_eq!(mode("?application_name=x"), Ok("verify-full"));
        for word in super::MODES {
            assert_eq!(mode(&format!("?sslmode={word}")), Ok(word));
        }
        for wrong in [
            "?sslmode=verify_full",
            "?sslmode=",
            "?sslmode=Require",
            "?SSLMode=disable",
            "?sslmode=verify-full&sslmode=disable",
        ] {
            assert!(mode(wrong).is_err_and(|why| why.contains("verify-ca, verify-full")), "{wrong}");
        }
    }

    #[test]
    fn a_piece_of_a_password_is_never_taken_for_the_host() {
        for url in
            [["postgresql://", "chief:aB3", "@xY9/zz@db.internal/app"], ["postgresql://", "chief:aB3", "@db/app?user=a@b"]]
        {
            let why = SqlPlace::parse(&url.concat()).err().expect("it is none");
            assert!(why.contains("%40") && !why.contains("aB3") && !why.contains("xY9"), "{why}");
        }
    }

    #[tokio::test]
    async fn the_operators_login_goes_to_no_server_that_proves_nothing() {
        let said = |kind: &[u8], body: &[u8]| framed(kind, body).to_vec();
        let ready = [said(b"R", &[0; 4]), said(b"Z", b"I")].concat();
        let md5 = said(b"R", &[0, 0, 0, 5, 1, 2, 3, 4]);
        let open = async |server: &Server, query: &str| {
            let place = place(server.port, query).expect("a place");
            SqlSession::open(&net(), &place).await.err().map(|trouble| format!("{trouble:?}"))
        };
        let free = Server::answering(&[&ready]);
        let why = open(&free, "?sslmode=disable").await.expect("no session");
        assert!(why.contains("without asking"), "{why}");
        let plain = Server::answering(&[b"N", &md5, &ready]);
        let why = open(&plain, "?sslmode=prefer").await.expect("no session");
        assert!(why.contains("MD5"), "{why}");
        assert!(!plain.has_heard("md5"), "nothing to guess from");
        let plain = Server::answering(&[b"N", &md5, &ready]);
        assert!(open(&plain, "").await.expect("no session").contains("no TLS"));
        assert!(!plain.has_heard("chief"));
        // Where the operator writes that there is none.
        assert_eq!(open(&Server::answering(&[&md5, &ready]), "?sslmode=disable").await, None);
    }
}
