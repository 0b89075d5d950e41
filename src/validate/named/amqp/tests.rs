//! What a broker may answer, in frames as the specification has them, and some that no broker would send.

use super::super::scripted::{Server, net, url};
use super::check;
use crate::model::Liveness;

fn frame(class: u8, method: u8, arguments: &[u8]) -> Vec<u8> {
    let length = u32::try_from(arguments.len() + 4).expect("a length").to_be_bytes();
    [&[1, 0, 0], &length[..], &[0, class, 0, method], arguments, &[0xce]].concat()
}

fn start(mechanisms: &str) -> Vec<u8> {
    let table = b"\x07productS\x00\x00\x00\x08RabbitMQ";
    let long = |bytes: &[u8]| [&u32::try_from(bytes.len()).expect("a length").to_be_bytes()[..], bytes].concat();
    frame(10, 10, &[&[0, 9][..], &long(table), &long(mechanisms.as_bytes()), &long(b"en_US")].concat())
}

fn close(code: u16) -> Vec<u8> {
    let text = b"ACCESS_REFUSED - Login was refused";
    frame(10, 50, &[&code.to_be_bytes()[..], &[34], text, &[0, 0, 0, 0]].concat())
}

async fn told(user: &str, second: &[u8]) -> Liveness {
    let server = Server::answering(&[&start("AMQPLAIN PLAIN"), second]);
    let said = check(&net(), &url("amqp", user, "s3cret%2Fpw", server.port)).await;
    assert!(server.has_heard(&format!("\0{user}\0s3cret/pw")) && server.has_heard("authentication_failure_close"));
    assert!(!format!("{said:?}").contains("s3cret"));
    said
}

#[tokio::test]
async fn tune_is_live_and_a_refusal_is_dead() {
    let said = told("worker", &frame(10, 30, &[7, 255, 0, 2, 0, 0, 0, 60])).await;
    assert!(matches!(&said, Liveness::Live(identity) if identity.get("user") == Some("worker")), "{said:?}");
    assert!(matches!(told("worker", &close(403)).await, Liveness::Dead(_)));
}

#[tokio::test]
async fn everything_else_settles_nothing() {
    // Guest may be refused for coming from elsewhere.
    assert!(matches!(told("guest", &close(403)).await, Liveness::Unknown(_)));
    for second in [
        close(320),
        close(530),
        close(541),
        frame(10, 50, &[]),
        frame(10, 20, &[0, 0, 0, 0]),
        frame(10, 10, &[]),
        frame(20, 30, &[]),
        b"AMQP\0\0\x09\x01".to_vec(),
        vec![1, 0, 0, 0xff, 0xff, 0xff, 0xff, 0],
        vec![1, 0, 0, 0, 0, 0, 0, 0xce],
        vec![8, 0, 0, 0, 0, 0, 0, 0xce],
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        [&frame(10, 30, &[0; 8])[..19], &[0]].concat(),
        Vec::new(),
    ] {
        let said = told("worker", &second).await;
        assert!(matches!(said, Liveness::Unknown(_)), "{second:?}: {said:?}");
    }
    for first in
        [start("EXTERNAL"), frame(10, 10, &[0, 9, 0xff]), b"AMQP\0\x03\x01\0".to_vec(), frame(10, 30, &[0; 8]), Vec::new()]
    {
        let server = Server::answering(&[&first, &frame(10, 30, &[0; 8])]);
        let said = check(&net(), &url("amqp", "worker", "s3cret", server.port)).await;
        assert!(matches!(said, Liveness::Unknown(_)), "{first:?}: {said:?}");
        assert!(!server.has_heard("s3cret"));
    }
}

#[tokio::test]
async fn who_stalls_floods_or_has_no_tls_is_unknown() {
    let slow = Server::talking(|peer| {
        peer.hear();
        peer.say(&start("PLAIN")[..9]);
        peer.stall();
    });
    let said = check(&net(), &url("amqp", "worker", "pw", slow.port)).await;
    assert!(matches!(&said, Liveness::Unknown(why) if why.contains("in time")), "{said:?}");
    let endless = Server::talking(|peer| peer.flood(b"\x01\x00\x00"));
    assert!(matches!(check(&net(), &url("amqp", "worker", "pw", endless.port)).await, Liveness::Unknown(_)));
    for scheme in ["amqps", "pyamqps"] {
        let plain = Server::answering(&[&start("PLAIN"), &frame(10, 30, &[0; 8])]);
        let said = check(&net(), &url(scheme, "worker", "s3cret", plain.port)).await;
        assert!(matches!(&said, Liveness::Unknown(why) if why.contains("TLS")), "{said:?}");
        assert!(!plain.has_heard("s3cret"));
    }
    let nobody = check(&net(), &url("amqp", "", "pw", slow.port)).await;
    assert!(matches!(nobody, Liveness::NotChecked(Some(_))));
}
