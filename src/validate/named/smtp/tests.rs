//! What a mail server may answer. Those here have no certificate that anyone trusts, so the part that says the password is
//! tested on a plain wire, and that it is never said on one is tested from the outside.

use super::super::login::Login;
use super::super::scripted::{Peer, Server, credential, net, url};
use super::{check, expect, judge, log_in};
use crate::model::Liveness;

/// What is said of a login, from EHLO on.
async fn told(offers: &[u8], answers: &[&[u8]]) -> (Liveness, Server) {
    let script: Vec<&[u8]> = std::iter::once(offers).chain(answers.iter().copied()).collect();
    let server = Server::answering(&script);
    let login = Login::of_url(&url("smtp", "mailer", "s3cret%2Fpw", server.port)).expect("a login");
    let mut wire = net().dial("127.0.0.1", server.port).await.expect("a connection");
    let said = async {
        let offers = expect(&mut wire, b"EHLO localhost\r\n", 250).await?;
        log_in(&mut wire, &offers, ("mailer", &login.password)).await
    };
    let said = match said.await {
        Ok(answer) => judge(&answer, &login),
        Err(stop) => Liveness::Unknown(stop.to_string()),
    };
    assert!(!format!("{said:?}").contains("s3cret"));
    (said, server)
}

const PLAIN: &[u8] = b"250-mx.example.net\r\n250-SIZE 1000\r\n250 AUTH LOGIN PLAIN\r\n";

#[tokio::test]
async fn a_password_that_is_taken_is_live() {
    let (said, server) = told(PLAIN, &[b"235 2.7.0 Authentication successful\r\n"]).await;
    assert!(matches!(&said, Liveness::Live(identity) if identity.get("user") == Some("mailer")), "{said:?}");
    assert!(server.has_heard("AUTH PLAIN AG1haWxlcgBzM2NyZXQvcHc=\r\n"));
    let login = [&b"334 VXNlcm5hbWU6\r\n"[..], b"334 UGFzc3dvcmQ6\r\n", b"235 ok\r\n"];
    let (said, server) = told(b"250-mx\r\n250 AUTH=LOGIN\r\n", &login).await;
    assert!(matches!(said, Liveness::Live(_)), "{said:?}");
    assert!(server.has_heard("AUTH LOGIN\r\nbWFpbGVy\r\nczNjcmV0L3B3\r\n"));
}

#[tokio::test]
async fn only_a_535_about_the_password_is_dead() {
    for answer in [
        &b"535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6\r\n"[..],
        b"535-5.7.8 Username and Password not accepted. For more information, go to\r\n535 5.7.8 https://support\r\n",
        b"535 Authentication Credentials Invalid\r\n",
        b"535 5.7.3 Authentication unsuccessful\r\n",
        b"535\r\n",
    ] {
        let said = told(PLAIN, &[answer]).await.0;
        assert!(matches!(said, Liveness::Dead(_)), "{answer:?}: {said:?}");
    }
    for answer in [
        &b"535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.\r\n"[..],
        b"535 5.7.139 Authentication unsuccessful, basic authentication is disabled\r\n",
        b"535 5.7.8 Error: authentication failed: Connection lost to authentication server\r\n",
        b"535 5.7.1 too many attempts\r\n",
        b"534-5.7.9 Application-specific password required.\r\n534 5.7.9 see\r\n",
        b"454 4.7.0 Temporary authentication failure\r\n",
        b"421 4.7.0 Try again later\r\n",
        b"538 Encryption required\r\n",
        b"530 5.7.0 Must issue a STARTTLS command first\r\n",
        b"550 no\r\n",
        b"334 \r\n",
        b"5350 5.7.8\r\n",
        b"535-5.7.8 and then nothing\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"535 cut",
        b"\xff\xff\xff\r\n",
        b"",
    ] {
        let said = told(PLAIN, &[answer]).await.0;
        assert!(matches!(said, Liveness::Unknown(_)), "{answer:?}: {said:?}");
    }
    for offers in
        [&b"250 mx\r\n"[..], b"250-mx\r\n250 AUTH XOAUTH2 CRAM-MD5\r\n", b"502 what\r\n", &b"250-x\r\n".repeat(9000)]
    {
        let (said, server) = told(offers, &[b"235 ok\r\n"]).await;
        assert!(matches!(said, Liveness::Unknown(_)), "{said:?}");
        assert!(!server.has_heard("AUTH"));
    }
}

#[tokio::test]
async fn a_password_is_not_said_without_a_certificate_that_is_trusted() {
    let greeting: &[u8] = b"220 mx.example.net ESMTP\r\n";
    for (scheme, answers) in [
        // Nobody offers TLS, or takes it back, or only says so.
        ("smtp", [&b"250 AUTH PLAIN\r\n"[..], b"235 ok\r\n", b"235 ok\r\n"]),
        ("submission", [b"250-mx\r\n250 STARTTLS\r\n", b"454 4.7.0 TLS not available\r\n", b"235 ok\r\n"]),
        ("smtp+tls", [b"250-mx\r\n250 STARTTLS\r\n", b"220 go\r\n", b"235 ok\r\n"]),
        // What was sent ahead does not count as said inside TLS.
        ("smtp", [b"250-mx\r\n250 STARTTLS\r\n", b"220 go\r\n250 AUTH PLAIN\r\n", b"235 ok\r\n"]),
    ] {
        let server = Server::talking(move |peer| {
            peer.say(greeting);
            for answer in answers {
                if peer.hear().is_empty() {
                    return;
                }
                peer.say(answer);
            }
        });
        let said = check(&net(), &url(scheme, "mailer", "s3cret", server.port)).await;
        assert!(matches!(said, Liveness::Unknown(_)), "{scheme}: {said:?}");
        assert!(!server.has_heard("AUTH"));
    }
    let implicit = Server::talking(move |peer| _ = peer.say(greeting));
    let said = check(&net(), &url("smtps", "mailer", "s3cret", implicit.port)).await;
    assert!(matches!(&said, Liveness::Unknown(why) if why.contains("TLS")), "{said:?}");
}

#[tokio::test]
async fn who_is_busy_stalls_or_floods_is_unknown_and_other_schemes_are_not_asked() {
    for greeting in [&b"421 busy\r\n"[..], b"554 no\r\n", b"+OK POP3 ready\r\n", b"22", b""] {
        let server = Server::talking(move |peer| _ = peer.say(greeting));
        let said = check(&net(), &url("smtp", "mailer", "pw", server.port)).await;
        assert!(matches!(said, Liveness::Unknown(_)), "{greeting:?}: {said:?}");
    }
    let slow = Server::talking(Peer::stall);
    let said = check(&net(), &url("smtp", "mailer", "pw", slow.port)).await;
    assert!(matches!(&said, Liveness::Unknown(why) if why.contains("in time")), "{said:?}");
    let endless = Server::talking(|peer| peer.flood(b"220-hello\r\n"));
    assert!(matches!(check(&net(), &url("smtp", "mailer", "pw", endless.port)).await, Liveness::Unknown(_)));
    for scheme in ["https", "ldap", "smtp+x", ""] {
        let said = check(&net(), &url(scheme, "mailer", "pw", slow.port)).await;
        assert!(matches!(said, Liveness::NotChecked(Some(_))), "{scheme}");
    }
    let nobody = credential(&[("password", "pw"), ("scheme", "smtp"), ("host", "127.0.0.1")]);
    assert!(matches!(check(&net(), &nobody).await, Liveness::NotChecked(Some(_))));
}
