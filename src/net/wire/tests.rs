//! Hosts that may not be dialled, and servers that stall, flood, hang up or talk another protocol.

use std::net::TcpListener;
use std::time::Duration;

use super::super::testing::Server;
use super::super::{Net, NetError, Proof, Settings};

fn net(hosts: &[&str], nets: &[&str]) -> Net {
    let settings = Settings {
        allow_hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
        allow_nets: nets.iter().map(|text| Net::parse_net(text).expect("a net")).collect(),
        timeout: Duration::from_millis(500),
        ..Settings::default()
    };
    Net::new(settings).expect("clients")
}

/// Says `text` to whoever comes, `times` times, and then keeps the connection for a while.
fn server(text: &'static [u8], times: usize) -> Server {
    Server::talking(move |peer| {
        if (0..times).all(|_| peer.say(text)) {
            peer.stall();
        }
    })
}

async fn refused(net: &Net, host: &str, port: u16) -> NetError {
    net.dial(host, port).await.map(|_| ()).expect_err("refused")
}

#[tokio::test]
async fn a_host_from_content_is_dialled_only_where_the_operator_allows_it() {
    let server = server(b"hello\r\n", 1);
    let port = server.port;
    let open = net(&[], &["10.0.0.0/8", "127.0.0.0/8"]);
    assert!(matches!(refused(&open, "127.0.0.1", port).await, NetError::RefusedHost(_)));
    assert!(matches!(refused(&open, "localhost", port).await, NetError::RefusedHost(_)));
    assert!(matches!(refused(&open, "8.8.8.8", 5432).await, NetError::RefusedHost(_)));
    assert!(matches!(refused(&open, "[::1]", port).await, NetError::RefusedHost(_)));
    assert!(matches!(refused(&open, "a b", port).await, NetError::RefusedHost(_)));
    assert!(matches!(refused(&open, "2130706433", port).await, NetError::RefusedHost(_)));
    // The name is allowed, what it resolves to is not.
    let named = net(&["localhost", "127.0.0.1", "2130706433"], &[]);
    assert!(matches!(refused(&named, "localhost", port).await, NetError::RefusedAddress { .. }));
    assert!(matches!(refused(&named, "127.0.0.1", port).await, NetError::RefusedAddress { .. }));
    assert!(!matches!(refused(&named, "2130706433", port).await, NetError::Timeout(_)), "an address in disguise");
    let off = Net::new(Settings { offline: true, ..Settings::default() }).expect("clients");
    assert_eq!(refused(&off, "127.0.0.1", port).await, NetError::Offline);
    assert_eq!(server.visits(), 0);
    // An address takes both words: that it may have the credential, and that it may be contacted.
    for (host, allowed) in [
        ("127.0.0.1", net(&["127.0.0.1"], &["127.0.0.1"])),
        ("LOCALHOST", net(&["localhost"], &["127.0.0.0/8", "::1"])),
        ("127.0.0.1", net(&["127.0.0.0/24"], &["127.0.0.0/8"])),
    ] {
        let mut wire = allowed.dial(host, port).await.expect("a connection");
        assert_eq!(wire.line().await.expect("a line"), b"hello");
    }
}

#[tokio::test]
async fn what_stalls_floods_or_hangs_up_ends() {
    let net = net(&["127.0.0.1"], &["127.0.0.0/8"]);
    let port = server(b"12345", 1).port;
    let mut wire = net.dial("127.0.0.1", port).await.expect("a connection");
    assert_eq!(wire.take(2).await.expect("two bytes"), b"12");
    assert!(matches!(wire.line().await, Err(NetError::Timeout(_))), "no end of line comes");
    let port = server(b"no end of line in sight ", 1 << 20).port;
    let mut wire = net.dial("127.0.0.1", port).await.expect("a connection");
    assert!(matches!(wire.line().await, Err(NetError::Garbled(_))), "endless");
    assert!(matches!(wire.take(usize::MAX).await, Err(NetError::Garbled(_))));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let hanging_up = std::thread::spawn(move || drop(listener.accept()));
    let mut wire = net.dial("127.0.0.1", port).await.expect("a connection");
    assert!(matches!(wire.take(1).await, Err(NetError::Closed(_))));
    hanging_up.join().expect("a thread");
    assert!(matches!(refused(&net, "127.0.0.1", port).await, NetError::Connect(_)), "nobody there");
}

#[tokio::test]
async fn what_is_not_tls_is_not_trusted() {
    let net = net(&["127.0.0.1"], &["127.0.0.0/8"]);
    for proof in [Proof::Certificate, Proof::None] {
        let port = server(b"220 mail.example.net ESMTP\r\n", 1).port;
        let wire = net.dial("127.0.0.1", port).await.expect("a connection");
        assert!(matches!(wire.secure(proof).await, Err(NetError::Untrusted(_))));
        // Plain text that was sent before TLS began must not pass for what comes inside it.
        let mut wire = net.dial("127.0.0.1", port).await.expect("a connection");
        wire.take(3).await.expect("three bytes");
        assert!(matches!(wire.secure(proof).await, Err(NetError::Garbled(_))));
    }
}

#[tokio::test]
async fn addresses_of_ipv6_are_dialled_with_brackets_or_without() {
    // A machine without IPv6 has nothing to show here.
    let Ok(listener) = TcpListener::bind("[::1]:0") else { return };
    let port = listener.local_addr().expect("an address").port();
    let open = net(&["[::1]"], &["::1"]);
    for host in ["[::1]", "::1", "[0:0:0:0:0:0:0:1]"] {
        open.dial(host, port).await.expect("a connection");
    }
    assert!(matches!(refused(&net(&["::1"], &[]), "[::1]", port).await, NetError::RefusedAddress { .. }));
    assert!(matches!(refused(&net(&[], &["::1"]), "[::1]", port).await, NetError::RefusedHost(_)));
    assert!(matches!(refused(&net(&["127.0.0.1"], &["::1"]), "::1", port).await, NetError::RefusedHost(_)));
}
