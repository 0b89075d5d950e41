//! What a URL with a password says, for validators that log in somewhere.

use std::fmt;

use percent_encoding::percent_decode;
use zeroize::Zeroizing;

use crate::model::{Credential, Identity, Liveness};
use crate::net::NetError;

/// Why a conversation ended before it settled anything.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    /// The network's reasons, or words that are not the protocol's.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The server's, in our words: its own may repeat what it was told.
    #[error("{0}")]
    Said(&'static str),
}

/// A login, decoded.
pub(super) struct Login {
    pub(super) scheme: String,
    pub(super) user: Option<String>,
    pub(super) password: Zeroizing<Vec<u8>>,
    pub(super) host: String,
    pub(super) port: Option<u16>,
    pub(super) database: Option<String>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({}://{})", self.scheme, self.host)
    }
}

impl Login {
    /// Reads the parts of a URL, or of what says the same otherwise: `scheme`, `user`, `password`, `host`, `port`, `database`.
    ///
    /// # Errors
    /// What to say of a credential that cannot be asked about.
    pub(super) fn of_url(credential: &Credential) -> Result<Self, Liveness> {
        let bytes = |name: &str| credential.part(name).map(|part| part.value.expose());
        let text = |name: &str| {
            let part = bytes(name).map(|value| String::from_utf8_lossy(value).into_owned());
            part.or_else(|| keyword(credential, name).map(str::to_owned))
        };
        // Only URLs are percent-encoded; strings of keywords and Go's data source names hold their values as they are.
        let literal = credential.detector.ends_with("-dsn") || credential.detector.ends_with("-string");
        let decode = |value: &[u8]| if literal { value.to_vec() } else { percent_decode(value).collect() };
        let decoded = |name: &str| bytes(name).map(decode);
        let host = text("host").ok_or_else(|| Liveness::NotChecked(Some("its host is not written out".to_owned())))?;
        let password = Zeroizing::new(decoded("password").unwrap_or_default());
        let user = decoded("user").map(|value| String::from_utf8_lossy(&value).into_owned());
        let user = user.or_else(|| keyword(credential, "user").map(str::to_owned));
        let port = text("port").map(|digits| digits.parse::<u16>()).transpose();
        let Some(port) = port.ok().filter(|number| *number != Some(0)) else {
            return Err(Liveness::Unknown("its port is not one".to_owned()));
        };
        // Line ends in a planted password could make a server of another protocol do things.
        let plain = |bytes: &[u8]| !bytes.iter().any(u8::is_ascii_control);
        if !plain(&password) || !plain(user.as_deref().unwrap_or_default().as_bytes()) {
            return Err(Liveness::Unknown("control characters in a password are not sent".to_owned()));
        }
        let scheme = text("scheme").unwrap_or_default().to_ascii_lowercase();
        Ok(Self { scheme, user, password, host, port, database: text("database") })
    }

    /// As whom it logs in, and where.
    pub(super) fn identity(&self) -> Identity {
        let mut identity = Identity::default();
        identity.set("host", &*self.host);
        if let Some(user) = &self.user {
            identity.set("user", &**user);
        }
        identity
    }
}

/// How else a part is called in strings of keywords (libpq, "Parameter Key Words"; Npgsql, "Connection String Parameters"; MySQL
/// Connector/NET, "Connection Options"), without case and spaces.
const KEYWORDS: [(&str, &[&str]); 8] = [
    ("host", &["host", "hostaddr", "server", "datasource", "address", "addr", "networkaddress"]),
    ("port", &["port"]),
    ("user", &["user", "userid", "username", "uid", "useruid"]),
    ("database", &["dbname", "database", "initialcatalog", "db"]),
    ("sslmode", &["sslmode"]),
    ("driver", &["driver"]),
    // Words that Npgsql alone uses together.
    ("npgsql-host", &["host"]),
    ("npgsql-user", &["username"]),
];

/// What stands under a keyword on either side of the password: pairs with a space or a semicolon between them.
pub(super) fn keyword<'c>(credential: &'c Credential, name: &str) -> Option<&'c str> {
    let (_, words) = KEYWORDS.iter().find(|(part, _)| *part == name)?;
    let sides = ["before", "after"].into_iter().filter_map(|side| credential.part(side)?.value.expose_str());
    let mut pairs = sides.flat_map(|text| text.split(if text.contains(';') { ';' } else { ' ' }));
    pairs.find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        let key: String = key.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect();
        words.contains(&key.as_str()).then_some(value.trim()).filter(|value| !value.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::super::scripted::credential;
    use super::{Login, keyword};

    #[test]
    fn keywords_are_read_on_either_side() {
        let own =
            credential(&[("password", "pw"), ("before", "host=pg.internal user=app"), ("after", " port=6543 dbname=shop")]);
        let login = Login::of_url(&own).expect("a login");
        assert_eq!((login.host.as_str(), login.port, login.user.as_deref()), ("pg.internal", Some(6543), Some("app")));
        assert_eq!(login.database.as_deref(), Some("shop"));
        let net = credential(&[
            ("password", "pw"),
            ("before", "Host=pg;Initial Catalog=a b;"),
            ("after", ";User Id=sa; SSL Mode=Require"),
        ]);
        assert_eq!(
            ["database", "user", "sslmode", "port"].map(|name| keyword(&net, name)),
            [Some("a b"), Some("sa"), Some("Require"), None]
        );
        // Where a part says it, that counts.
        let both = credential(&[("password", "pw"), ("host", "one"), ("before", "host=two")]);
        assert_eq!(Login::of_url(&both).expect("a login").host, "one");
    }
}
