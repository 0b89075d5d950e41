//! SSH as far as it takes to learn whether a host lets a key in: host key, `none`, public key, and where a forge says who came,
//! the shell that says it. No command is ever run. Sources: RFC 4253 (transport), 4252 (`none`, public keys: a question
//! without a signature comes first, so a key that is refused has signed nothing), 4254 (sessions), 8308 (`server-sig-algs`).
//!
//! The protocol is russh's. What a host says is passed on as text for whoever knows its words, and never to people.

mod key;

use std::borrow::Cow;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use russh::client::{self, AuthResult, Handle};
use russh::keys::PublicKeyOrCertificate;
use russh::keys::ssh_key::{HashAlg, PublicKey};
use russh::{AlgorithmKind, ChannelMsg, Disconnect, MethodKind, Preferred, SshId};
use tokio::time::{Instant, timeout, timeout_at};

pub use key::SshKey;

use super::wire::{self, Bounded, Named};
use super::{Net, NetError};
use crate::model::SshHost;
use key::Pen;

/// As much of a greeting is looked at.
const GREETING: usize = 4 << 10;
/// For so long a greeting is waited for. The key was taken by then.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a host made of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SshAnswer {
    /// It let the key in, and this is what it said to it: at most 4 KiB, and nothing where it is no forge.
    Accepted(String),
    /// It took the key, and wants something else as well.
    Partly,
    /// It does not take the key.
    Refused,
    /// Nothing that tells one key from another; why.
    Unclear(&'static str),
}

/// Why a conversation ended.
#[derive(Debug)]
enum Stop {
    /// The fingerprint of a host key that is not the known one.
    HostKey(String),
    Ssh(russh::Error),
}

impl From<russh::Error> for Stop {
    fn from(error: russh::Error) -> Self {
        Self::Ssh(error)
    }
}

/// Looks at the host's key, and refuses whatever the host wants to open.
struct Door {
    known: Vec<PublicKey>,
}

impl client::Handler for Door {
    type Error = Stop;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Stop> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = shown else {
            return Err(Stop::HostKey("a certificate".to_owned()));
        };
        if self.known.iter().any(|known| known.key_data() == key.key_data()) {
            return Ok(true);
        }
        Err(Stop::HostKey(key.fingerprint(HashAlg::Sha256).to_string()))
    }
}

impl Net {
    /// The hosts that the operator's settings name for SSH keys.
    pub fn ssh_hosts(&self) -> &[SshHost] {
        &self.settings.ssh_hosts
    }

    /// Offers a key to a host. One that the settings name may be at any address; the others must be at public ones.
    ///
    /// # Errors
    /// [`NetError::HostKey`] before anything was said of the key; those of [`Net::dial`].
    pub async fn offer(&self, host: &SshHost, key: &SshKey) -> Result<SshAnswer, NetError> {
        let known = known(host)?;
        let named = if self.settings.ssh_hosts.contains(host) { Named::ByOperator } else { Named::ByContent };
        let name = wire::bare(host.address.as_ref().unwrap_or(&host.host));
        let (stream, end, turn) = self.reach(&name, host.port, named).await?.taken();
        let talk = Talk { host, key, anyone: named == Named::ByOperator };
        let said = timeout_at(end, talk.offer(stream, known)).await;
        let said = said.unwrap_or_else(|_| Err(NetError::Timeout(host.host.clone())));
        match &said {
            Err(NetError::Timeout(_)) => turn.failed(),
            _ => turn.answered(),
        }
        let (answer, session) = said?;
        let (SshAnswer::Accepted(_), Some(session)) = (&answer, session) else { return Ok(answer) };
        Ok(SshAnswer::Accepted(greeting(&session, end).await))
    }
}

/// The host's keys.
fn known(host: &SshHost) -> Result<Vec<PublicKey>, NetError> {
    let read = |text: &String| PublicKey::from_openssh(text).ok().filter(|key| !key.algorithm().is_rsa());
    let known: Vec<PublicKey> = host.keys.iter().filter_map(read).collect();
    if known.is_empty() {
        let host = &host.host;
        return Err(NetError::Setting(format!("no host key of {host} is known that can be read (Ed25519 or ECDSA)")));
    }
    Ok(known)
}

type Session = Handle<Door>;

/// One conversation.
struct Talk<'t> {
    host: &'t SshHost,
    key: &'t SshKey,
    /// Whether it is a server of which it is not known that it tells keys apart: some take every key.
    anyone: bool,
}

impl Talk<'_> {
    /// The answer, and the session where the host is to say who came.
    async fn offer(&self, stream: Bounded, known: Vec<PublicKey>) -> Result<(SshAnswer, Option<Session>), NetError> {
        let config = Arc::new(config(&known));
        let door = Door { known };
        let mut session = client::connect_stream(config, stream, door).await.map_err(|stop| self.why(stop))?;
        let answer = self.authenticate(&mut session).await;
        let Some(answer) = answer.map_err(|error| self.why(error.into()))? else {
            // It hung up without a word about the key; how it ended is known to the session alone.
            let ended = session.await.err().unwrap_or(Stop::Ssh(russh::Error::Disconnect));
            return Err(self.why(ended));
        };
        let says = self.host.forge.is_some() && matches!(answer, SshAnswer::Accepted(_));
        if !says {
            leave(&session).await;
        }
        Ok((answer, says.then_some(session)))
    }

    /// `None` where the connection ended instead.
    async fn authenticate(&self, session: &mut Session) -> Result<Option<SshAnswer>, russh::Error> {
        let user = &self.host.user;
        let methods = match session.authenticate_none(user).await? {
            AuthResult::Success => return Ok(Some(SshAnswer::Unclear("lets anyone in without a key"))),
            AuthResult::Failure { remaining_methods, .. } => remaining_methods,
        };
        if methods.is_empty() {
            return Ok(None);
        }
        if !methods.contains(&MethodKind::PublicKey) {
            return Ok(Some(SshAnswer::Unclear("takes no keys")));
        }
        if self.anyone {
            let stranger = SshKey::random();
            let (answer, asked) = present(session, user, (&stranger, None, false)).await?;
            if asked || matches!(answer, AuthResult::Success) {
                return Ok(Some(SshAnswer::Unclear("takes any key at all")));
            }
        }
        // A server older than RFC 8308 says nothing of this; by then it knew SHA-2.
        let hash =
            if self.key.is_rsa() { session.best_supported_rsa_hash().await?.unwrap_or(Some(HashAlg::Sha512)) } else { None };
        if self.key.is_rsa() && hash.is_none() {
            return Ok(Some(SshAnswer::Unclear("takes no RSA keys but with SHA-1")));
        }
        let (answer, asked) = present(session, user, (self.key, hash, true)).await?;
        Ok(match answer {
            AuthResult::Success => Some(SshAnswer::Accepted(String::new())),
            AuthResult::Failure { partial_success: true, .. } => Some(SshAnswer::Partly),
            AuthResult::Failure { remaining_methods, .. } if remaining_methods.is_empty() => None,
            AuthResult::Failure { .. } if asked => Some(SshAnswer::Unclear("knows the key and does not let it in")),
            AuthResult::Failure { .. } => Some(SshAnswer::Refused),
        })
    }

    fn why(&self, stop: Stop) -> NetError {
        let host = self.host.host.clone();
        let error = match stop {
            Stop::HostKey(shown) => return NetError::HostKey { host, shown },
            Stop::Ssh(error) => error,
        };
        tracing::debug!(host, %error, "an SSH conversation ended");
        match error {
            russh::Error::NoCommonAlgo { kind: AlgorithmKind::Key, .. } => {
                NetError::HostKey { host, shown: "none of the kind".to_owned() }
            }
            russh::Error::IO(error) => match error.kind() {
                ErrorKind::TimedOut => NetError::Timeout(host),
                ErrorKind::FileTooLarge => NetError::Garbled(host),
                _ => NetError::Closed(host),
            },
            russh::Error::Disconnect | russh::Error::HUP | russh::Error::SendError | russh::Error::RecvError => {
                NetError::Closed(host)
            }
            _ => NetError::Garbled(host),
        }
    }
}

/// Asks whether a key would do, and signs with it only where it would. The second answer is whether the host asked for that.
async fn present(
    session: &mut Session,
    user: &str,
    (key, hash, signs): (&SshKey, Option<HashAlg>, bool),
) -> Result<(AuthResult, bool), russh::Error> {
    let mut pen = Pen { key, hash, signs, asked: false };
    let answer = session.authenticate_publickey_with(user, key.public().clone(), hash, &mut pen).await;
    let asked = pen.asked;
    match answer {
        Ok(answer) => Ok((answer, asked)),
        Err(key::Unsigned::Withheld) => {
            let remaining_methods = russh::MethodSet::empty();
            Ok((AuthResult::Failure { remaining_methods, partial_success: false }, asked))
        }
        Err(key::Unsigned::Failed) => Err(russh::Error::CouldNotReadKey),
        Err(key::Unsigned::Gone) => Err(russh::Error::SendError),
    }
}

fn config(known: &[PublicKey]) -> client::Config {
    let key = Cow::Owned(known.iter().map(PublicKey::algorithm).collect());
    let version = concat!("SSH-2.0-", env!("CARGO_PKG_NAME"), "_", env!("CARGO_PKG_VERSION"));
    client::Config {
        client_id: SshId::Standard(Cow::Borrowed(version)),
        preferred: Preferred { key, ..Preferred::DEFAULT },
        window_size: 2 * GREETING as u32,
        nodelay: true,
        ..client::Config::default()
    }
}

/// What a shell says before it is asked anything. What goes wrong here takes nothing back.
async fn greeting(session: &Session, end: Instant) -> String {
    let mut said = Vec::new();
    let listening = async {
        let mut channel = session.channel_open_session().await?;
        channel.request_shell(false).await?;
        while let Some(message) = channel.wait().await {
            match message {
                ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. } => said.extend_from_slice(&data),
                ChannelMsg::Close => break,
                _ => {}
            }
            if said.len() >= GREETING {
                break;
            }
        }
        Ok::<(), russh::Error>(())
    };
    let patience = PATIENCE.min(end.saturating_duration_since(Instant::now()));
    let _ = timeout(patience, listening).await;
    leave(session).await;
    said.truncate(GREETING);
    String::from_utf8_lossy(&said).into_owned()
}

/// It is settled whether this arrives or not.
async fn leave(session: &Session) {
    let _ = session.disconnect(Disconnect::ByApplication, "", "").await;
}

#[cfg(test)]
mod tests;
