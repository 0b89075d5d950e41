//! For tests of validators: leave to contact loopback, and credentials of whatever parts.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{Confidence, Credential, Facts, Part};
use crate::net::{Manners, Net, Settings};
use crate::secret::{Redaction, Secret};

pub(super) use crate::net::testing::{Peer, Server};

/// May contact loopback; waits for 700 ms.
pub(super) fn net() -> Net {
    let allow_nets = vec![Net::parse_net("127.0.0.0/8").expect("a net")];
    let allow_hosts = vec!["127.0.0.1".to_owned()];
    // Many servers of a test share one address.
    let manners = Manners { at_once: 32, per_second: 100_000, budget: 100_000, failures: u32::MAX };
    let timeout = Duration::from_millis(700);
    Net::new(Settings { allow_hosts, allow_nets, timeout, manners, ..Settings::default() }).expect("clients")
}

/// A credential of these parts.
pub(super) fn credential(parts: &[(&str, &str)]) -> Credential {
    let part = |(name, value): &(&str, &str)| Part {
        name: (*name).into(),
        value: Secret::new(value.as_bytes()),
        public: false,
        redaction: Redaction::NOTHING,
        span: 0..0,
    };
    Credential {
        detector: "x".into(),
        parts: parts.iter().map(part).collect(),
        facts: Facts::from(BTreeMap::new()),
        confidence: Confidence::High,
        partial: false,
        encoding: Vec::new(),
    }
}

/// One of a URL at a port of loopback.
pub(super) fn url(scheme: &str, user: &str, password: &str, port: u16) -> Credential {
    let port = port.to_string();
    let mut parts = vec![("password", password), ("scheme", scheme), ("host", "127.0.0.1"), ("port", port.as_str())];
    if !user.is_empty() {
        parts.push(("user", user));
    }
    credential(&parts)
}
