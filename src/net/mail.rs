//! Mail submission for what the operator is told: EHLO, TLS, AUTH PLAIN or LOGIN, MAIL, RCPT, DATA. Only to a server that the operator's
//! settings name, only over TLS with a trusted certificate; on loopback alone without. Sources: RFC 5321, 3207, 4954, 4616, 8314.

use data_encoding::BASE64;
use zeroize::Zeroizing;

use super::tls::Proof;
use super::wire::Wire;
use super::{Net, NetError};

/// TLS from the start (RFC 8314).
const SUBMISSIONS: u16 = 465;
/// Lines of one answer.
const LINES: usize = 64;

/// A message and how it gets there. Addresses were checked when the settings were read.
pub struct Letter<'a> {
    /// The server, from the operator's settings.
    pub server: (&'a str, u16),
    /// User and password.
    pub login: Option<(&'a str, &'a [u8])>,
    /// The sender.
    pub from: &'a str,
    /// The recipients.
    pub to: &'a [String],
    /// Header fields and body, with CRLF at line ends.
    pub text: &'a str,
}

/// A server's answer: its code, and its lines in upper case. Its text is never passed on.
struct Answer {
    code: u16,
    lines: Vec<String>,
}

impl Answer {
    fn offers(&self, keyword: &str) -> bool {
        self.lines.iter().any(|line| line.split_ascii_whitespace().next() == Some(keyword))
    }
}

impl Net {
    /// Hands a letter over to its server; gives how many of its recipients were refused.
    ///
    /// # Errors
    /// As [`Net::send`], and [`NetError::Mail`] with the code of whatever the server refused.
    pub async fn mail(&self, letter: &Letter<'_>) -> Result<usize, NetError> {
        let (host, port) = letter.server;
        let mut wire = self.call(host, port).await?;
        let implicit = port == SUBMISSIONS;
        if implicit {
            wire = wire.secure(Proof::Certificate).await?;
        }
        expect(&mut wire, None, 220).await?;
        let mut offers = expect(&mut wire, Some(b"EHLO localhost\r\n"), 250).await?;
        if !implicit {
            // On the machine itself there is nobody between.
            let here = wire.peer.is_loopback();
            match offers.offers("STARTTLS") {
                true => {
                    expect(&mut wire, Some(b"STARTTLS\r\n"), 220).await?;
                    wire = wire.secure(Proof::Certificate).await?;
                    offers = expect(&mut wire, Some(b"EHLO localhost\r\n"), 250).await?;
                }
                false if here => {}
                false => return Err(NetError::Untrusted(host.to_owned())),
            }
        }
        if let Some(login) = letter.login {
            log_in(&mut wire, &offers, login).await?;
        }
        expect(&mut wire, Some(format!("MAIL FROM:<{}>\r\n", letter.from).as_bytes()), 250).await?;
        // One address that is gone must not keep the letter from the others.
        let (mut taken, mut refused) = (0usize, None);
        for to in letter.to {
            match expect(&mut wire, Some(format!("RCPT TO:<{to}>\r\n").as_bytes()), 250).await {
                Ok(_) | Err(NetError::Mail { code: 251 | 252, .. }) => taken += 1,
                Err(error @ NetError::Mail { .. }) => refused = Some(error),
                Err(error) => return Err(error),
            }
        }
        if let Some(error) = refused.take().filter(|_| taken == 0) {
            return Err(error);
        }
        expect(&mut wire, Some(b"DATA\r\n"), 354).await?;
        expect(&mut wire, Some(stuffed(letter.text).as_bytes()), 250).await?;
        // It is taken, whether this arrives or not.
        let _ = wire.write(b"QUIT\r\n").await;
        Ok(letter.to.len() - taken)
    }
}

/// PLAIN, or LOGIN where that is all there is.
async fn log_in(wire: &mut Wire, offers: &Answer, (user, password): (&str, &[u8])) -> Result<(), NetError> {
    let offered = |name: &str| {
        let mut ways = offers.lines.iter().filter(|line| line.starts_with("AUTH"));
        ways.any(|line| line.split(['\t', ' ', '=']).any(|word| word == name))
    };
    let coded = |head: &str, bytes: &[u8]| Zeroizing::new(format!("{head}{}\r\n", BASE64.encode(bytes)).into_bytes());
    if offered("PLAIN") {
        let secret = Zeroizing::new([b"\0", user.as_bytes(), b"\0", password].concat());
        expect(wire, Some(&coded("AUTH PLAIN ", &secret)), 235).await?;
    } else if offered("LOGIN") {
        expect(wire, Some(b"AUTH LOGIN\r\n"), 334).await?;
        expect(wire, Some(&coded("", user.as_bytes())), 334).await?;
        expect(wire, Some(&coded("", password)), 235).await?;
    } else {
        return Err(NetError::Mail { host: wire.host().to_owned(), code: 504 });
    }
    Ok(())
}

/// A text as DATA takes it: every line ends in CRLF, a dot at a line's start is doubled, and a lone dot ends it.
fn stuffed(text: &str) -> String {
    let lines = text.split("\r\n").flat_map(|line| line.split(['\r', '\n']));
    let mut all: String =
        lines.map(|line| if line.starts_with('.') { format!(".{line}\r\n") } else { format!("{line}\r\n") }).collect();
    all.push_str(".\r\n");
    all
}

/// Says something and reads the answer, which must have that code.
async fn expect(wire: &mut Wire, say: Option<&[u8]>, code: u16) -> Result<Answer, NetError> {
    if let Some(say) = say {
        wire.write(say).await?;
    }
    let mut answer = Answer { code: 0, lines: Vec::new() };
    loop {
        let line = wire.line().await?;
        let text = String::from_utf8_lossy(&line).to_ascii_uppercase();
        let number = text.get(..3).and_then(|number| number.parse().ok());
        answer.code = number.ok_or_else(|| wire.garbled())?;
        answer.lines.push(text.get(4..).unwrap_or_default().to_owned());
        if text.as_bytes().get(3) != Some(&b'-') {
            break;
        }
        if answer.lines.len() > LINES {
            return Err(wire.garbled());
        }
    }
    if answer.code == code { Ok(answer) } else { Err(NetError::Mail { host: wire.host().to_owned(), code: answer.code }) }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Server;
    use super::super::{Manners, Net, NetError, Settings};
    use super::{Letter, stuffed};

    #[test]
    fn a_lone_dot_and_a_bare_line_end_cannot_end_a_letter_early() {
        assert_eq!(stuffed("a\r\n.\r\nb"), "a\r\n..\r\nb\r\n.\r\n");
        assert_eq!(stuffed("a\n.\nQUIT"), "a\r\n..\r\nQUIT\r\n.\r\n");
        assert_eq!(stuffed("a\r.\rb"), "a\r\n..\r\nb\r\n.\r\n");
    }

    fn net() -> Net {
        Net::new(Settings { manners: Manners::default(), ..Settings::default() }).expect("clients")
    }

    /// A mail server that says `codes` in turn and keeps what it heard.
    fn server(offers: &'static str, refuse: Option<&'static str>) -> (Server, std::sync::Arc<std::sync::Mutex<String>>) {
        let heard: std::sync::Arc<std::sync::Mutex<String>> = std::sync::Arc::default();
        let ears = std::sync::Arc::clone(&heard);
        let server = Server::talking(move |peer| {
            peer.say(b"220 here\r\n");
            let mut data = false;
            loop {
                let said = peer.hear();
                if said.is_empty() {
                    return;
                }
                let text = String::from_utf8_lossy(&said).into_owned();
                ears.lock().expect("the ears").push_str(&text);
                let answer = match text.get(..4).unwrap_or_default() {
                    _ if data && text.ends_with("\r\n.\r\n") => "250 taken",
                    _ if data => continue,
                    _ if refuse.is_some_and(|refuse| text.starts_with(refuse)) => "550 not here",
                    "EHLO" => offers,
                    "AUTH" if text.starts_with("AUTH LOGIN") => "334 VXNlcm5hbWU6",
                    // The user's name, in the way that asks for it by itself.
                    "dQ==" => "334 UGFzc3dvcmQ6",
                    "AUTH" | "cA==" => "235 welcome",
                    "DATA" => {
                        data = true;
                        "354 go on"
                    }
                    _ => "250 fine",
                };
                peer.say(format!("{answer}\r\n").as_bytes());
            }
        });
        (server, heard)
    }

    fn letter(port: u16, to: &[String]) -> Letter<'_> {
        Letter {
            server: ("127.0.0.1", port),
            login: Some(("u", b"p")),
            from: "a@b.example",
            to,
            text: "Subject: x\r\n\r\nhello",
        }
    }

    #[tokio::test]
    async fn a_letter_is_handed_over_with_a_login() {
        let (server, heard) = server("250-here\r\n250 AUTH LOGIN PLAIN", None);
        let to = ["c@d.example".to_owned(), "e@f.example".to_owned()];
        net().mail(&letter(server.port, &to)).await.expect("taken");
        let heard = heard.lock().expect("the ears").clone();
        for wanted in [
            "AUTH PLAIN AHUAcA==",
            "MAIL FROM:<a@b.example>",
            "RCPT TO:<c@d.example>",
            "RCPT TO:<e@f.example>",
            "\r\nhello\r\n.\r\n",
        ] {
            assert!(heard.contains(wanted), "{wanted} in {heard}");
        }
    }

    #[tokio::test]
    async fn a_server_that_only_takes_login_gets_it() {
        let (server, heard) = server("250-here\r\n250 AUTH=LOGIN", None);
        let to = ["c@d.example".to_owned()];
        net().mail(&letter(server.port, &to)).await.expect("taken");
        let heard = heard.lock().expect("the ears").clone();
        assert!(heard.contains("AUTH LOGIN\r\ndQ==\r\ncA==\r\nMAIL"), "{heard}");
    }

    #[tokio::test]
    async fn one_address_that_is_gone_keeps_the_letter_from_nobody_else() {
        let (server, heard) = server("250 AUTH PLAIN", Some("RCPT TO:<gone@"));
        let to = ["gone@d.example".to_owned(), "e@f.example".to_owned()];
        assert_eq!(net().mail(&letter(server.port, &to)).await, Ok(1));
        assert!(heard.lock().expect("the ears").contains("\r\nhello\r\n.\r\n"));
    }

    #[tokio::test]
    async fn what_is_refused_is_told_by_its_code_and_an_offer_that_is_missing_is_not_tried() {
        let (server_, _) = server("250 AUTH PLAIN", Some("RCPT"));
        let to = ["c@d.example".to_owned()];
        let error = net().mail(&letter(server_.port, &to)).await.expect_err("refused");
        assert_eq!(error, NetError::Mail { host: "127.0.0.1".into(), code: 550 });
        let (without, heard) = server("250 here", None);
        let error = net().mail(&letter(without.port, &to)).await.expect_err("no login");
        assert!(matches!(error, NetError::Mail { code: 504, .. }), "{error}");
        assert!(!heard.lock().expect("the ears").contains("AUTH"), "the password was not sent");
    }
}
