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
        let text = |name: &str| bytes(name).map(|value| String::from_utf8_lossy(value).into_owned());
        // Only URLs are percent-encoded; strings of keywords and Go's data source names hold their values as they are.
        let literal = credential.detector.ends_with("-dsn");
        let decode = |value: &[u8]| if literal { value.to_vec() } else { percent_decode(value).collect() };
        let decoded = |name: &str| bytes(name).map(decode);
        let host = text("host").ok_or_else(|| Liveness::NotChecked(Some("its host is not written out".to_owned())))?;
        let password = Zeroizing::new(decoded("password").unwrap_or_default());
        let user = decoded("user").map(|value| String::from_utf8_lossy(&value).into_owned());
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
