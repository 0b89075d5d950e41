//! A login of the operator's own at a MySQL or MariaDB server, for administration: statements one after another. A credential that was
//! found is never used so. Of an error only its number goes on: its text may repeat the statement.
//! Source: the MySQL internals documentation, "COM_QUERY", "COM_QUERY_Response" (text resultset), "Length-Encoded Integer".

use data_encoding::HEXUPPER;
use percent_encoding::percent_decode_str;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use url::Url;
use zeroize::Zeroizing;

use super::super::login::{Login, Stop};
use super::{Mode, PORT, code, enter, framed, piece};
use crate::model::Credential;
use crate::net::{Net, NetError, Proof, Wire};

/// Packets of one answer: as many rows as a server has sessions, and a few more.
const MOST: usize = 20_000;
/// The values of `ssl-mode` (MySQL's clients).
const MODES: [(&str, Mode); 4] = [
    ("disabled", Mode::Plain),
    ("required", Mode::Required),
    ("verify_ca", Mode::Verified),
    ("verify_identity", Mode::Verified),
];

/// Why a statement did not do what it should.
#[derive(Debug)]
pub enum MySqlTrouble {
    /// The server says no: the number of its error. Nothing was changed.
    Said(u16),
    /// The connection broke; whether the statement took effect is not known.
    Broken(String),
}

impl From<Stop> for MySqlTrouble {
    fn from(stop: Stop) -> Self {
        Self::Broken(stop.to_string())
    }
}

impl From<NetError> for MySqlTrouble {
    fn from(error: NetError) -> Self {
        Self::Broken(error.to_string())
    }
}

/// The rows of an answer, as text.
pub type Rows = Vec<Vec<Option<String>>>;

/// A server, and as whom one logs in there.
pub struct MySqlPlace {
    login: Login,
    mode: Mode,
}

impl MySqlPlace {
    /// Reads a URL, `mysql://USER:PASSWORD@HOST:PORT/?ssl-mode=VERIFY_IDENTITY`.
    ///
    /// # Errors
    /// What is wrong with it, without it.
    pub fn parse(url: &str) -> Result<Self, String> {
        let wrong = || "it is no URL like mysql://USER:PASSWORD@HOST:PORT/?ssl-mode=VERIFY_IDENTITY".to_owned();
        let url = url.trim();
        // Which of several ends the password is told otherwise by everyone: a piece of it would be taken for the host.
        if url.split_once("://").is_some_and(|(_, rest)| rest.matches('@').count() > 1) {
            return Err("it has more than one @ in it; percent-encode that of the password as %40".to_owned());
        }
        let url = Url::parse(url).map_err(|_| wrong())?;
        let host = url.host_str().filter(|_| matches!(url.scheme(), "mysql" | "mariadb")).ok_or_else(wrong)?;
        let password = Zeroizing::new(percent_decode_str(url.password().ok_or_else(wrong)?).collect::<Vec<u8>>());
        let user = percent_decode_str(url.username()).decode_utf8_lossy().into_owned();
        if user.is_empty() || password.iter().chain(user.as_bytes()).any(u8::is_ascii_control) {
            return Err(wrong());
        }
        let mode = mode(&url)?;
        let (scheme, host, port) = (url.scheme().to_owned(), host.to_owned(), url.port());
        Ok(Self { login: Login { scheme, user: Some(user), password, host, port, database: None }, mode })
    }

    /// The server, `HOST:PORT`, in lower case.
    pub fn server(&self) -> String {
        server(&self.login.host, self.login.port)
    }

    /// The user that logs in.
    pub fn user(&self) -> &str {
        self.login.user.as_deref().unwrap_or_default()
    }
}

/// How sure it is who answers: quite sure, where nothing weaker is written out.
fn mode(url: &Url) -> Result<Mode, String> {
    let mut said = url.query_pairs().filter(|(name, _)| name.eq_ignore_ascii_case("ssl-mode"));
    let mode = match (said.next(), said.next()) {
        (None, _) => Some(Mode::Verified),
        (Some((_, word)), None) => MODES.into_iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|(_, mode)| mode),
        _ => None,
    };
    mode.ok_or_else(|| "its ssl-mode must be one of DISABLED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY, once".to_owned())
}

/// As which user and at which server, `HOST:PORT`, a credential that was found logs in.
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
fn server(host: &str, port: Option<u16>) -> String {
    format!("{}:{}", host.to_ascii_lowercase(), port.unwrap_or(PORT))
}

/// What a server keeps of a password for `mysql_native_password`.
/// Source: the MySQL internals documentation, "Native Authentication": SHA1(SHA1(password)), in hexadecimal after a star.
pub fn native_verifier(password: &[u8]) -> String {
    let hash = |bytes: &[u8]| digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes);
    format!("*{}", HEXUPPER.encode(hash(hash(password).as_ref()).as_ref()))
}

/// What a server keeps for a user whose password is nobody's, by which that is known. It is no SHA-1 of anything that anybody knows: 20
/// bytes of a SHA-256.
pub fn nobodys(user: &str) -> String {
    let sum = digest(&SHA256, format!("staunch: nobody's password of {user}").as_bytes());
    format!("*{}", HEXUPPER.encode(&sum.as_ref()[..20]))
}

/// A text as SQL takes it in a session of ours, where a backslash escapes.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// An open session.
pub struct MySqlSession(Wire);

impl MySqlSession {
    /// Logs in.
    ///
    /// # Errors
    /// Who did not let us in.
    pub async fn open(net: &Net, place: &MySqlPlace) -> Result<Self, MySqlTrouble> {
        let proof = if place.mode == Mode::Verified { Proof::Certificate } else { Proof::None };
        let wire = net.call(&place.login.host, place.login.port.unwrap_or(PORT)).await?;
        let entered = enter(wire, (&place.login, place.user()), (place.mode, proof)).await?;
        let mut session = Self(entered.map_err(MySqlTrouble::Said)?);
        // What is quoted is quoted for this; whoever waits for a lock gives up.
        session.run("set sql_mode = '', lock_wait_timeout = 5").await?;
        Ok(session)
    }

    /// Runs one statement; its rows.
    ///
    /// # Errors
    /// The server's refusal, or a broken connection.
    pub async fn run(&mut self, sql: &str) -> Result<Rows, MySqlTrouble> {
        let wire = &mut self.0;
        let mut command = Zeroizing::new(Vec::with_capacity(sql.len() + 1));
        command.push(3);
        command.extend_from_slice(sql.as_bytes());
        wire.write(&framed(0, &command)).await?;
        let first = piece(wire).await?.1;
        let columns = match first.split_first() {
            Some((0x00, _)) => return Ok(Rows::new()),
            Some((0xff, _)) => return Err(MySqlTrouble::Said(code(&first))),
            _ => number(&first).filter(|(_, rest)| rest.is_empty()).ok_or_else(|| wire.garbled())?.0,
        };
        // Each column is described, and then there is an end.
        let (mut described, mut rows) = (false, Rows::new());
        for _ in 0..MOST {
            let body = piece(wire).await?.1;
            match body.split_first() {
                Some((0xff, _)) => return Err(MySqlTrouble::Said(code(&body))),
                Some((0xfe, rest)) if rest.len() < 8 => {
                    if described {
                        return Ok(rows);
                    }
                    described = true;
                }
                _ if described => rows.push(row(&body, columns).ok_or_else(|| wire.garbled())?),
                _ => {}
            }
        }
        Err(wire.garbled().into())
    }
}

/// A number of one byte or a few, and what follows it.
fn number(body: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, rest) = body.split_first()?;
    let width = match first {
        0..=0xfa => return Some((usize::from(first), rest)),
        0xfc => 2,
        0xfd => 3,
        _ => return None,
    };
    let (digits, rest) = rest.split_at_checked(width)?;
    Some((digits.iter().rev().fold(0, |sum, &digit| sum << 8 | usize::from(digit)), rest))
}

/// The fields of a row, each with its length before it.
fn row(body: &[u8], columns: usize) -> Option<Vec<Option<String>>> {
    let (mut fields, mut rest) = (Vec::new(), body);
    for _ in 0..columns {
        if let Some(after) = rest.strip_prefix(&[0xfb]) {
            fields.push(None);
            rest = after;
            continue;
        }
        let (length, after) = number(rest)?;
        let (text, after) = after.split_at_checked(length)?;
        fields.push(Some(String::from_utf8_lossy(text).into_owned()));
        rest = after;
    }
    rest.is_empty().then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::{MySqlPlace, literal, native_verifier, nobodys, row};

    #[test]
    fn texts_cannot_become_anything_else() {
        assert_eq!(literal("a' or '1'='1"), "'a\\' or \\'1\\'=\\'1'");
        assert_eq!(literal("a\\' or 1"), "'a\\\\\\' or 1'");
    }

    #[test]
    fn what_a_server_keeps_of_a_password_is_as_documented() {
        // The MySQL reference's example for PASSWORD('mypass').
        assert_eq!(native_verifier(b"mypass"), "*6C8989366EAF75BB670AD8EA7A7FC1176A95CEF4");
        assert!(nobodys("shop") != nobodys("shop_b") && nobodys("shop").len() == 41);
    }

    #[test]
    fn a_row_that_is_cut_is_none() {
        let long = [&[0xfc, 0x2c, 0x01][..], &[b'x'; 300]].concat();
        let whole = [&[1, b'Y', 0xfb][..], &long].concat();
        assert_eq!(row(&whole, 3), Some(vec![Some("Y".to_owned()), None, Some("x".repeat(300))]));
        for cut in 0..whole.len() {
            assert_eq!(row(&whole[..cut], 3), None, "{cut}");
        }
        assert_eq!(row(&whole, 2), None);
    }

    #[test]
    fn a_place_is_whole_or_none() {
        let good = MySqlPlace::parse(&["mysql://root", ":p%40w@Db.internal/"].concat()).expect("a place");
        assert_eq!((good.user(), good.server().as_str()), ("root", "db.internal:3306"));
        for wrong in [
            "postgres://a:b@c",
            "mysql://a@c",
            "hunter2",
            "mysql://a:hunter2@x@c",
            "mysql://:hunter2@c",
            "mysql://a:hunter2@c/?ssl-mode=perhaps",
            "mysql://a:hun%0ater2@c",
        ] {
            let why = MySqlPlace::parse(wrong).err().expect(wrong);
            assert!(!why.contains("hunter2"), "{why}");
        }
    }
}
