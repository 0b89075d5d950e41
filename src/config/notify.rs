//! `[[notify]]`: whom to tell what was done. What opens a channel is a secret, so the file only says where it is read.

use super::CredentialFrom;
use crate::declared::Table;

/// Where notices go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// What it is called in messages.
    pub name: String,
    /// Only what somebody should be woken for.
    pub urgent_only: bool,
    /// How it is spoken to.
    pub way: Way,
}

/// How a channel is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// The notice as JSON, posted to a URL of the operator's.
    Webhook(CredentialFrom),
    /// Slack's incoming webhook.
    Slack(CredentialFrom),
    /// PagerDuty's Events API v2, with a routing key.
    PagerDuty(CredentialFrom),
    /// Opsgenie's Alert API, with an API key.
    Opsgenie(CredentialFrom),
    /// Mail submission.
    Email(Box<Mail>),
}

/// A mail server and whom it is given mail for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Its name.
    pub host: String,
    /// Its port: 465 speaks TLS from the start, any other after STARTTLS.
    pub port: u16,
    /// As whom to log in; without it nobody does.
    pub user: Option<String>,
    /// Where the password is read.
    pub password: Option<CredentialFrom>,
    /// The sender.
    pub from: String,
    /// The recipients.
    pub to: Vec<String>,
}

/// An address that can stand in a mail command: no space, no bracket, no line's end.
fn is_address(text: &str) -> bool {
    let plain = text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b',' | b'"' | b'\\'));
    plain && text.len() <= 254 && text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
}

/// Reads one entry.
pub(super) fn read(table: &Table<'_, '_>) -> Option<Channel> {
    let kind = table
        .need("kind")
        .and_then(|value| value.one_of(&[("webhook", 0), ("slack", 1), ("pagerduty", 2), ("opsgenie", 3), ("email", 4)]));
    let name = table.need_text("name");
    let urgent_only = table.get("urgent_only").and_then(|value| value.bool()).unwrap_or(false);
    let from = |key: &str| table.need(key).and_then(|value| CredentialFrom::read(&value));
    let way = match kind? {
        0 => from("url").map(Way::Webhook),
        1 => from("url").map(Way::Slack),
        2 => from("key").map(Way::PagerDuty),
        3 => from("key").map(Way::Opsgenie),
        _ => mail(table).map(|mail| Way::Email(Box::new(mail))),
    };
    table.finish();
    Some(Channel { name: name?, urgent_only, way: way? })
}

fn mail(table: &Table<'_, '_>) -> Option<Mail> {
    let server = table.need("server").and_then(|value| {
        let text = value.text()?;
        let (host, port) = text.rsplit_once(':').unwrap_or((&text, "587"));
        let good = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
        let server = port.parse::<u16>().ok().filter(|_| good).map(|port| (host.to_owned(), port));
        if server.is_none() {
            value.mistake("`server` is a mail server's name and port: smtp.corp.example:587");
        }
        server
    });
    let user = table.text("user");
    let password = table.get("password").and_then(|value| CredentialFrom::read(&value));
    if user.is_some() != password.is_some() {
        table.mistake("`user` and `password` go together");
    }
    let address = |value: &crate::declared::Value<'_, '_>| {
        let text = value.text()?;
        if !is_address(&text) {
            value.mistake(format!("{text:?} is no mail address, like ir@corp.example"));
            return None;
        }
        Some(text)
    };
    let from = table.need("from").and_then(|value| address(&value));
    let to: Vec<String> =
        table.need("to").map(|value| value.items()).unwrap_or_default().iter().filter_map(address).collect();
    if to.is_empty() {
        table.mistake("`to` names nobody");
    }
    let (host, port) = server?;
    Some(Mail { host, port, user, password, from: from?, to })
}

#[cfg(test)]
mod tests {
    use super::super::Operator;
    use super::Way;

    #[test]
    fn channels_are_read_and_what_opens_them_is_only_named() {
        let text = "[[notify]]\nname = \"ops\"\nkind = \"slack\"\nurl = \"env:SLACK\"\n[[notify]]\nname = \"mail\"\nkind = \"email\"\n\
                    server = \"smtp.corp.example:465\"\nuser = \"u\"\npassword = \"file:/p\"\nfrom = \"a@b\"\nto = [\"c@d\"]\nurgent_only = true\n";
        let channels = Operator::read("c.toml", text, &[]).expect("good").notify;
        assert!(matches!(&channels[0].way, Way::Slack(from) if from.to_string() == "env:SLACK"));
        assert!(
            matches!(&channels[1].way, Way::Email(mail) if mail.port == 465 && mail.to == ["c@d"])
                && channels[1].urgent_only
        );
        let wrong = "[[notify]]\nname = \"ops\"\nkind = \"slack\"\nurl = \"https://hooks.slack.example/T/B/x\"\n\
                     [[notify]]\nname = \"mail\"\nkind = \"email\"\nserver = \"h:x\"\nfrom = \"a@b>\\r\\nDATA\"\nto = []\nuser = \"u\"\n\
                     [[notify]]\nname = \"x\"\nkind = \"fax\"\n";
        let mistakes = Operator::read("c.toml", wrong, &[]).expect_err("mistakes");
        let lines: Vec<usize> = mistakes.0.iter().map(|mistake| mistake.line).collect();
        assert_eq!(lines, [4, 5, 5, 8, 9, 14]);
        assert!(!mistakes.to_string().contains("hooks.slack"), "what may be a secret is not repeated");
    }
}
