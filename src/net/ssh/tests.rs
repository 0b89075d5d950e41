//! Hosts that let a key in, that do not, that let in whoever comes, that are others than they say, and that talk nonsense.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use russh::keys::ssh_key::PrivateKey;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::server::{Auth, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId, MethodSet};
use tokio::net::TcpListener;

use super::super::testing::{Peer, Server};
use super::super::{Net, NetError, Settings};
use super::key::SshKey;
use super::{MethodKind, SshAnswer};
use crate::model::{Forge, SshHost};

const HOST_KEY: [u8; 32] = [11; 32];

/// What a host does, and what it saw.
#[derive(Clone)]
struct Host {
    none: Way,
    offered: Way,
    signed: Way,
    greeting: &'static str,
    times: usize,
    seen: Arc<Mutex<Vec<String>>>,
}

/// An answer to one way in.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Yes,
    No,
    Partly,
    /// Everything but keys may be tried.
    NoKeys,
    /// It hangs up.
    Gone,
    /// It says nothing.
    Silent,
}

impl Host {
    fn new() -> Self {
        let seen = Arc::default();
        Self { none: Way::No, offered: Way::Yes, signed: Way::Yes, greeting: "", times: 1, seen }
    }

    fn saw(&self, what: impl Into<String>) {
        self.seen.lock().expect("the eyes").push(what.into());
    }

    async fn says(answer: Way) -> Result<Auth, russh::Error> {
        let reject = |methods: &[MethodKind], partial_success| Auth::Reject {
            proceed_with_methods: Some(MethodSet::from(methods)),
            partial_success,
        };
        Ok(match answer {
            Way::Yes => Auth::Accept,
            Way::No => reject(&[MethodKind::PublicKey, MethodKind::Password], false),
            Way::Partly => reject(&[MethodKind::Password], true),
            Way::NoKeys => reject(&[MethodKind::Password], false),
            Way::Gone => return Err(russh::Error::Disconnect),
            Way::Silent => {
                tokio::time::sleep(Duration::from_secs(5)).await;
                Auth::Accept
            }
        })
    }
}

impl Handler for Host {
    type Error = russh::Error;

    async fn auth_none(&mut self, user: &str) -> Result<Auth, russh::Error> {
        self.saw(format!("none {user}"));
        Self::says(self.none).await
    }

    async fn auth_publickey_offered(&mut self, _: &str, offer: PublicKeyOffer<'_>) -> Result<Auth, russh::Error> {
        self.saw(format!("offered {}", offer.algorithm));
        Self::says(self.offered).await
    }

    async fn auth_publickey(&mut self, _: &str, _: VerifiedPublicKey<'_>) -> Result<Auth, russh::Error> {
        self.saw("signed");
        Self::says(self.signed).await
    }

    async fn channel_open_session(
        &mut self,
        _: Channel<Msg>,
        reply: russh::server::ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        reply.accept().await;
        Ok(())
    }

    async fn shell_request(&mut self, channel: ChannelId, session: &mut Session) -> Result<(), russh::Error> {
        self.saw("shell");
        for _ in 0..self.times {
            session.extended_data(channel, 1, self.greeting.as_bytes().to_vec())?;
        }
        if self.greeting != "stall" {
            session.close(channel)?;
        }
        Ok(())
    }

    async fn exec_request(&mut self, _: ChannelId, _: &[u8], _: &mut Session) -> Result<(), russh::Error> {
        self.saw("exec");
        Ok(())
    }
}

fn host_key() -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&HOST_KEY))
}

/// A host on loopback that ends with the test.
async fn started(host: Host) -> SshHost {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let config = russh::server::Config {
        keys: vec![host_key()],
        auth_rejection_time: Duration::ZERO,
        ..russh::server::Config::default()
    };
    let config = Arc::new(config);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (config, host) = (Arc::clone(&config), host.clone());
            tokio::spawn(async move {
                let Ok(session) = russh::server::run_stream(config, stream, host).await else { return };
                // Whoever came has gone, or not.
                let _ = session.await;
            });
        }
    });
    at(port)
}

fn at(port: u16) -> SshHost {
    SshHost {
        host: "git.example".to_owned(),
        address: Some("127.0.0.1".to_owned()),
        port,
        user: "git".to_owned(),
        forge: Some(Forge::GitHub),
        keys: vec![host_key().public_key().to_openssh().expect("a line")],
    }
}

/// As a host that everybody knows: at loopback only because that is allowed.
fn net() -> Net {
    let allow_nets = vec![Net::parse_net("127.0.0.0/8").expect("a net")];
    Net::new(Settings { allow_nets, timeout: Duration::from_millis(1500), ..Settings::default() }).expect("clients")
}

async fn offered(host: Host) -> (Result<SshAnswer, NetError>, Vec<String>) {
    let seen = Arc::clone(&host.seen);
    let place = started(host).await;
    let said = net().offer(&place, &SshKey::random()).await;
    let seen = seen.lock().expect("the eyes").clone();
    (said, seen)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_let_in_hears_the_greeting_and_runs_nothing() {
    let (said, seen) = offered(Host { greeting: "Hi octocat!", ..Host::new() }).await;
    assert_eq!(said, Ok(SshAnswer::Accepted("Hi octocat!".to_owned())));
    assert_eq!(seen, ["none git", "offered ssh-ed25519", "signed", "shell"]);
    // No forge: nothing more is asked.
    let host = Host::new();
    let place = SshHost { forge: None, ..started(host.clone()).await };
    assert_eq!(net().offer(&place, &SshKey::random()).await, Ok(SshAnswer::Accepted(String::new())));
    assert_eq!(host.seen.lock().expect("the eyes").last().map(String::as_str), Some("signed"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_refused_has_signed_nothing() {
    let (said, seen) = offered(Host { offered: Way::No, ..Host::new() }).await;
    assert_eq!(said, Ok(SshAnswer::Refused));
    assert_eq!(seen, ["none git", "offered ssh-ed25519"]);
    let (said, _) = offered(Host { signed: Way::Partly, ..Host::new() }).await;
    assert_eq!(said, Ok(SshAnswer::Partly));
    for (host, why) in [
        (Host { none: Way::Yes, ..Host::new() }, "lets anyone in without a key"),
        (Host { none: Way::NoKeys, ..Host::new() }, "takes no keys"),
        (Host { signed: Way::No, ..Host::new() }, "knows the key and does not let it in"),
    ] {
        assert_eq!(offered(host).await.0, Ok(SshAnswer::Unclear(why)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_of_the_operators_that_takes_any_key_proves_nothing() {
    let host = Host::new();
    let place = started(host.clone()).await;
    let settings = Settings { ssh_hosts: vec![place.clone()], ..Settings::default() };
    let said = Net::new(settings).expect("clients").offer(&place, &SshKey::random()).await;
    assert_eq!(said, Ok(SshAnswer::Unclear("takes any key at all")));
    assert_eq!(*host.seen.lock().expect("the eyes"), ["none git", "offered ssh-ed25519"], "the key itself was not offered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_host_key_hears_nothing_of_the_key() {
    let host = Host::new();
    let mut place = started(host.clone()).await;
    let other = SshKey::random().public().to_openssh().expect("a line");
    place.keys = vec![other.clone()];
    let said = net().offer(&place, &SshKey::random()).await.expect_err("another host");
    assert!(matches!(&said, NetError::HostKey { shown, .. } if shown.starts_with("SHA256:")), "{said:?}");
    // It has none of the kind.
    place.keys = vec![
        "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg=".to_owned(),
    ];
    let said = net().offer(&place, &SshKey::random()).await.expect_err("no such key");
    assert!(matches!(said, NetError::HostKey { .. }), "{said:?}");
    place.keys = vec!["ssh-rsa AAAA".to_owned()];
    assert!(matches!(net().offer(&place, &SshKey::random()).await, Err(NetError::Setting(_))));
    assert!(host.seen.lock().expect("the eyes").is_empty());
    // Two keys are known, and it has one of them.
    place.keys = vec![other, host_key().public_key().to_openssh().expect("a line")];
    assert!(matches!(net().offer(&place, &SshKey::random()).await, Ok(SshAnswer::Accepted(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_stalls_or_hangs_up_has_refused_nothing() {
    for (host, timeout) in [
        (Host { none: Way::Silent, ..Host::new() }, true),
        (Host { offered: Way::Silent, ..Host::new() }, true),
        (Host { signed: Way::Silent, ..Host::new() }, true),
        (Host { none: Way::Gone, ..Host::new() }, false),
        (Host { offered: Way::Gone, ..Host::new() }, false),
        (Host { signed: Way::Gone, ..Host::new() }, false),
    ] {
        let (said, seen) = offered(host).await;
        assert!(
            if timeout { matches!(said, Err(NetError::Timeout(_))) } else { matches!(said, Err(NetError::Closed(_))) },
            "{seen:?}: {said:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn greetings_without_end_or_without_a_word_take_nothing_back() {
    let (said, _) = offered(Host { greeting: "stall", ..Host::new() }).await;
    assert_eq!(said, Ok(SshAnswer::Accepted("stall".to_owned())));
    let (said, _) = offered(Host { greeting: "0123456789abcdef", times: 5000, ..Host::new() }).await;
    let Ok(SshAnswer::Accepted(text)) = said else { panic!("{said:?}") };
    assert!(text.len() <= super::GREETING, "{}", text.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_ssh_is_told_apart_from_a_refusal() {
    type Talk = fn(&mut Peer);
    type Fits = fn(&NetError) -> bool;
    let talks: [(Talk, Fits); 7] = [
        (|peer| peer.stall(), |error| matches!(error, NetError::Timeout(_))),
        (|_| {}, |error| matches!(error, NetError::Closed(_))),
        (
            |peer| {
                peer.say(b"SSH-2.0-x\r\n");
            },
            |error| matches!(error, NetError::Closed(_)),
        ),
        (|peer| peer.flood(b"no version in sight "), |error| matches!(error, NetError::Garbled(_) | NetError::Closed(_))),
        (
            |peer| {
                peer.say(b"SSH-2.0-x\r\n");
                peer.flood(&[0xff; 4096]);
            },
            |error| matches!(error, NetError::Garbled(_) | NetError::Closed(_)),
        ),
        (
            |peer| {
                peer.say(b"SSH-2.0-x\r\n\0\0\x10\0");
                peer.stall();
            },
            |error| matches!(error, NetError::Timeout(_)),
        ),
        (
            |peer| {
                peer.say(b"HTTP/1.1 400 Bad Request\r\n\r\n");
                peer.hear();
            },
            |error| matches!(error, NetError::Closed(_) | NetError::Garbled(_)),
        ),
    ];
    for (at_which, (talk, fits)) in talks.into_iter().enumerate() {
        let server = Server::talking(talk);
        let said = net().offer(&at(server.port), &SshKey::random()).await.expect_err("no SSH");
        assert!(fits(&said), "{at_which}: {said:?}");
    }
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    assert!(matches!(net().offer(&at(nobody), &SshKey::random()).await, Err(NetError::Connect(_))));
}

#[tokio::test]
async fn private_addresses_take_the_operators_word() {
    let place = at(22);
    let closed = Net::new(Settings::default()).expect("clients");
    assert!(matches!(closed.offer(&place, &SshKey::random()).await, Err(NetError::RefusedAddress { .. })));
    let offline =
        Net::new(Settings { offline: true, ssh_hosts: vec![place.clone()], ..Settings::default() }).expect("clients");
    assert_eq!(offline.offer(&place, &SshKey::random()).await, Err(NetError::Offline));
}
