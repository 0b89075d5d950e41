//! Every answer that a Redis server may give, from its own texts, and some that none would.

use super::super::scripted::{Server, credential, net, url};
use super::check;
use crate::model::Liveness;

const NOAUTH: &[u8] = b"-NOAUTH Authentication required.\r\n";

async fn said(user: &str, answers: &[&[u8]]) -> Liveness {
    let server = Server::answering(answers);
    let said = check(&net(), &url("redis", user, "pa%24%24", server.port)).await;
    assert!(!format!("{said:?}").contains("pa$$"), "{said:?}");
    said
}

#[tokio::test]
async fn a_password_that_opens_is_live_and_says_as_whom() {
    let server = Server::answering(&[NOAUTH, b"+OK\r\n", b"$5\r\nalice\r\n"]);
    let said = check(&net(), &url("redis", "", "pa%24%24", server.port)).await;
    assert!(matches!(&said, Liveness::Live(identity) if identity.get("user") == Some("alice")), "{said:?}");
    assert!(server.has_heard("*2\r\n$4\r\nAUTH\r\n$4\r\npa$$\r\n"), "decoded");
    // A user beside the default one, who needs no password.
    let open =
        Server::answering(&[b"+PONG\r\n", b"+OK\r\n", b"-NOPERM this user has no permissions to run 'acl|whoami'\r\n"]);
    let said = check(&net(), &url("redis", "bob", "secret", open.port)).await;
    assert!(matches!(&said, Liveness::Live(identity) if identity.get("user") == Some("bob")), "{said:?}");
    assert!(open.has_heard("*3\r\n$4\r\nAUTH\r\n$3\r\nbob\r\n$6\r\nsecret\r\n"));
    // Older ones have no ACL; some hang up, some never answer: it is live all the same.
    for last in [&b"-ERR unknown command `ACL`, with args beginning with: `WHOAMI`\r\n"[..], b"$900000\r\n", b"!?\r\n", b""]
    {
        assert!(matches!(super::tests::said("", &[NOAUTH, b"+OK\r\n", last]).await, Liveness::Live(_)));
    }
}

#[tokio::test]
async fn a_word_in_place_of_a_user_does_not_make_a_right_password_dead() {
    let old = b"-ERR wrong number of arguments for 'auth' command\r\n";
    for first in [&b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"[..], old] {
        let server = Server::answering(&[NOAUTH, first, b"+OK\r\n", b"-ERR unknown command `ACL`\r\n"]);
        let said = check(&net(), &url("redis", "h", "secret", server.port)).await;
        assert!(matches!(&said, Liveness::Live(identity) if identity.get("user") == Some("default")), "{said:?}");
        assert!(
            server.has_heard("*3\r\n$4\r\nAUTH\r\n$1\r\nh\r\n") && server.has_heard("*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n")
        );
    }
}

#[tokio::test]
async fn only_a_refused_password_is_dead() {
    let wrong = b"-WRONGPASS invalid username-password pair or user is disabled.\r\n";
    assert!(matches!(said("bob", &[NOAUTH, wrong, wrong]).await, Liveness::Dead(_)));
    assert!(matches!(said("bob", &[b"+PONG\r\n", wrong]).await, Liveness::Dead(_)));
    assert!(matches!(said("", &[NOAUTH, b"-ERR invalid password\r\n"]).await, Liveness::Dead(_)));
    for (user, answers) in [
        // Nobody had asked for a password: it proves nothing.
        ("", &[&b"+PONG\r\n"[..], b"+OK\r\n"][..]),
        ("bob", &[NOAUTH, wrong, b""]),
        ("", &[NOAUTH, b"-ERR wrong number of arguments for 'auth' command\r\n"]),
        ("default", &[b"+PONG\r\n", b"+OK\r\n"]),
        ("", &[b"-DENIED Redis is running in protected mode\r\n"]),
        ("", &[b"-ERR max number of clients reached\r\n"]),
        ("", &[NOAUTH, b"-ERR Client sent AUTH, but no password is set\r\n"]),
        ("", &[NOAUTH, b"-ERR unknown command `AUTH`, with args beginning with: `pa$$`\r\n"]),
        ("", &[NOAUTH, b"-LOADING Redis is loading the dataset in memory\r\n"]),
        ("", &[NOAUTH, b"-NOPERM no\r\n"]),
        ("", &[NOAUTH, NOAUTH]),
        ("", &[NOAUTH, b"+HELLO\r\n"]),
        ("", &[NOAUTH, b"-WRONGPASSWORD?\r\n"]),
        ("", &[NOAUTH, b"-WRONGPASS cut"]),
        ("", &[NOAUTH, b""]),
        ("", &[b"HTTP/1.1 400 Bad Request\r\n\r\n"]),
        ("", &[b"\x16\x03\x01\x00\x00"]),
        ("", &[b"\r\n"]),
        ("", &[b""]),
    ] {
        let said = said(user, answers).await;
        assert!(matches!(said, Liveness::Unknown(_)), "{answers:?}: {said:?}");
    }
}

#[tokio::test]
async fn who_stalls_floods_or_has_no_tls_is_unknown() {
    let slow = Server::talking(|peer| {
        peer.hear();
        peer.say(b"-NOA");
        peer.stall();
    });
    let said = check(&net(), &url("redis", "", "pw", slow.port)).await;
    assert!(matches!(&said, Liveness::Unknown(why) if why.contains("in time")), "{said:?}");
    let endless = Server::talking(|peer| peer.flood(b"-NOAUTH"));
    assert!(matches!(check(&net(), &url("redis", "", "pw", endless.port)).await, Liveness::Unknown(_)));
    for scheme in ["rediss", "valkeys"] {
        let plain = Server::answering(&[NOAUTH, b"+OK\r\n"]);
        let said = check(&net(), &url(scheme, "", "secretpw", plain.port)).await;
        assert!(matches!(&said, Liveness::Unknown(why) if why.contains("TLS")), "{said:?}");
        assert!(!plain.has_heard("secretpw"), "not in the clear where the address says TLS");
    }
}

#[tokio::test]
async fn what_cannot_or_may_not_be_asked_is_not() {
    let server = Server::answering(&[NOAUTH, b"+OK\r\n"]);
    let closed = crate::net::Net::new(crate::net::Settings::default()).expect("clients");
    let said = check(&closed, &url("redis", "", "pw", server.port)).await;
    assert!(matches!(&said, Liveness::Unknown(why) if why.starts_with("host not allowed")), "{said:?}");
    let said = check(&net(), &url("redis", "", "x%0d%0aflush_all", server.port)).await;
    assert!(matches!(&said, Liveness::Unknown(why) if why.contains("control")), "{said:?}");
    let nowhere = credential(&[("password", "pw"), ("scheme", "redis")]);
    assert!(matches!(check(&net(), &nowhere).await, Liveness::NotChecked(Some(_))));
    let port = credential(&[("password", "pw"), ("host", "127.0.0.1"), ("port", "99999")]);
    assert!(matches!(check(&net(), &port).await, Liveness::Unknown(_)));
    assert!(server.heard().is_empty());
}
