//! A server that knows a password, and servers that say other things in its place.

use super::super::scripted::{Peer, Server, credential, net};
use super::bson::{Document, Value, get};
use super::check;
use crate::model::{Credential, Liveness};
use data_encoding::BASE64;
use ring::{hmac, pbkdf2};

const PASSWORD: &[u8] = b"s3cret/pw";
const SALT: &[u8] = b"0123456789abcdef";

fn url(port: u16, parts: &[(&str, &str)]) -> Credential {
    let host = format!("127.0.0.1:{port},127.0.0.2:1");
    let all = [("scheme", "mongodb"), ("password", "s3cret%2Fpw"), ("user", "shop"), ("host", host.as_str())];
    credential(&[&all[..], parts].concat())
}

fn message(document: Document) -> Vec<u8> {
    let document = document.done();
    let words = [document.len() as u32 + 21, 9, 1, 2013, 0].map(u32::to_le_bytes).concat();
    [&words[..], b"\0", &document].concat()
}

/// The server's `hello`: this user has SCRAM-SHA-256.
fn hello() -> Vec<u8> {
    // An array is a document whose names are numbers.
    let names = Document::new().text("0", "SCRAM-SHA-1").text("1", "SCRAM-SHA-256").done();
    let mut document = Document::new().number("maxWireVersion", 21).text("me", "127.0.0.1");
    document = document.raw(0x04, "saslSupportedMechs", &names);
    message(document.number("ok", 1))
}

fn sasl(payload: &[u8]) -> Vec<u8> {
    message(Document::new().number("conversationId", 7).binary("payload", payload).number("ok", 1))
}

fn error(code: i32, text: &str) -> Vec<u8> {
    message(Document::new().number("ok", 0).text("errmsg", text).number("code", code))
}

fn payload(heard: &[u8]) -> String {
    match get(heard.get(21..).unwrap_or_default(), "payload") {
        Some(Value::Binary(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::new(),
    }
}

/// What a server that knows `PASSWORD` does with a login.
fn honest(peer: &mut Peer) {
    peer.hear();
    peer.say(&hello());
    let first = payload(&peer.hear());
    let bare = first.strip_prefix("n,,").unwrap_or_default().to_owned();
    let nonce = bare.split("r=").nth(1).unwrap_or_default();
    let challenge = format!("r={nonce}Srv,s={},i=4096", BASE64.encode(SALT));
    peer.say(&sasl(challenge.as_bytes()));
    let last = payload(&peer.hear());
    let Some((without, proof)) = last.rsplit_once(",p=") else { return };
    let mut salted = [0; 32];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, 4096.try_into().expect("rounds"), SALT, PASSWORD, &mut salted);
    let sign = |key: &[u8], text: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref().to_vec();
    let said = format!("{bare},{challenge},{without}");
    let client = sign(&salted, b"Client Key");
    let stored = ring::digest::digest(&ring::digest::SHA256, &client);
    let signature = sign(stored.as_ref(), said.as_bytes());
    let wanted: Vec<u8> = client.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
    if BASE64.encode(&wanted) == proof {
        let v = BASE64.encode(&sign(&sign(&salted, b"Server Key"), said.as_bytes()));
        peer.say(&sasl(format!("v={v}").as_bytes()));
    } else {
        peer.say(&error(18, "Authentication failed."));
    }
}

async fn told(answers: &[Vec<u8>]) -> Liveness {
    let answers: Vec<&[u8]> = answers.iter().map(Vec::as_slice).collect();
    let server = Server::answering(&answers);
    let said = check(&net(), &url(server.port, &[])).await;
    assert!(!server.has_heard("s3cret"), "only a proof of it");
    said
}

#[tokio::test]
async fn a_server_that_knows_the_password_says_live_and_of_another_nothing() {
    let server = Server::talking(honest);
    let said = check(&net(), &url(server.port, &[])).await;
    assert!(matches!(&said, Liveness::Live(identity) if identity.get("user") == Some("shop")), "{said:?}");
    assert!(server.has_heard("admin.shop") && !server.has_heard("s3cret"));
    let host = format!("127.0.0.1:{}", server.port);
    let wrong = credential(&[("password", "other"), ("user", "shop"), ("host", &host)]);
    let said = check(&net(), &wrong).await;
    assert!(matches!(&said, Liveness::Unknown(why) if why.contains("refuses it")), "{said:?}");
}

#[tokio::test]
async fn its_database_and_options_say_where_its_user_is() {
    for (parts, wanted) in [
        (&[("database", "orders")][..], "orders.shop"),
        (&[("database", "orders"), ("options", "authSource=users"), ("more", "&")], "users.shop"),
        (&[("database", "orders"), ("options", "retryWrites=true"), ("more", "&")], "admin.shop"),
    ] {
        let server = Server::talking(honest);
        assert!(matches!(check(&net(), &url(server.port, parts)).await, Liveness::Live(_)));
        assert!(server.has_heard(wanted), "{wanted}");
    }
    let server = Server::talking(honest);
    for parts in [[("scheme", "mongodb+srv")], [("options", "authMechanism=MONGODB-X509")]] {
        let mut all = vec![("password", "pw"), ("user", "shop"), ("host", "127.0.0.1")];
        all.extend(parts);
        assert!(matches!(check(&net(), &credential(&all)).await, Liveness::NotChecked(Some(_))));
    }
    let said = check(&net(), &url(server.port, &[("options", "tls=true")])).await;
    assert!(matches!(&said, Liveness::Unknown(why) if why.contains("TLS")), "{said:?}");
    assert!(!server.has_heard("shop"), "nothing in the clear where its address says TLS");
}

#[tokio::test]
async fn no_refusal_is_dead_since_its_user_may_be_in_another_database() {
    let old = message(Document::new().number("ok", 0).number("code", 59));
    for refused in [error(18, "Authentication failed."), error(8000, "bad auth : Authentication failed.")] {
        for hello in [hello(), old.clone()] {
            let said = told(&[hello, refused.clone()]).await;
            assert!(matches!(&said, Liveness::Unknown(why) if why.contains("another database")), "{said:?}");
        }
    }
    for parts in [
        &[("options", "retryWrites=true"), ("more", "&")][..],
        &[("options", "authSource=users"), ("more", "&")],
        &[("database", "orders")],
    ] {
        let server = Server::answering(&[&hello(), &error(18, "Authentication failed.")]);
        let said = check(&net(), &url(server.port, parts)).await;
        assert!(matches!(&said, Liveness::Unknown(why) if why.contains("another database")), "{said:?}");
    }
    let challenge = sasl(b"r=not-ours,s=AAAA,i=4096");
    for answers in [
        vec![hello(), error(8000, "too many connections")],
        vec![hello(), error(334, "Mechanism not available")],
        vec![hello(), error(13, "Authentication failed.")],
        vec![hello(), message(Document::new().number("ok", 0))],
        vec![hello(), message(Document::new().number("ok", 1))],
        vec![hello(), challenge],
        vec![hello(), vec![]],
        vec![hello(), b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()],
        vec![vec![0xff; 40]],
        vec![],
    ] {
        let said = told(&answers).await;
        assert!(matches!(said, Liveness::Unknown(_)), "{said:?}");
    }
}

#[tokio::test]
async fn a_server_that_only_says_that_it_is_right_proves_nothing() {
    let server = Server::talking(|peer| {
        peer.hear();
        peer.say(&hello());
        let first = payload(&peer.hear());
        let nonce = first.split("r=").nth(1).unwrap_or_default().to_owned();
        peer.say(&sasl(format!("r={nonce}Srv,s={},i=4096", BASE64.encode(SALT)).as_bytes()));
        peer.hear();
        peer.say(&sasl(format!("v={}", BASE64.encode(&[7; 32])).as_bytes()));
    });
    let said = check(&net(), &url(server.port, &[])).await;
    assert!(matches!(said, Liveness::Unknown(_)), "{said:?}");
    let slow = Server::talking(Peer::stall);
    let said = check(&net(), &url(slow.port, &[])).await;
    assert!(matches!(&said, Liveness::Unknown(why) if why.contains("in time")), "{said:?}");
    let endless = Server::talking(|peer| peer.flood(&hello()[..30]));
    assert!(matches!(check(&net(), &url(endless.port, &[])).await, Liveness::Unknown(_)));
}

#[test]
fn documents_are_read_as_far_as_they_are_documents() {
    let whole = Document::new().number("a", 1).text("b", "x").binary("c", b"y").done();
    assert_eq!(get(&whole, "c"), Some(Value::Binary(b"y")));
    assert_eq!(get(&whole, "d"), None);
    for end in 0..whole.len() {
        assert_ne!(get(&whole[..end], "d"), Some(Value::Other));
    }
    let long = [&[9, 0, 0, 0, 2, b'a', 0][..], &u32::MAX.to_le_bytes(), b"x\0"].concat();
    assert_eq!((get(&long, "a"), get(b"", "a"), get(&[0, 0, 0, 0, 0x7f, b'a', 0], "a")), (None, None, None));
}
