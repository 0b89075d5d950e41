//! Notices as people and their programs read them: the terminal, Slack, mail, PagerDuty, Opsgenie. Pure. Sources: Slack,
//! "Sending messages using incoming webhooks" and "Formatting message text"; PagerDuty, "Events API v2: Send an alert event";
//! Opsgenie, "Alert API: Create alert"; RFC 5322, 2045 and 2047.

use std::io::{self, Write};

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::Look;
use super::human::Ink;
use super::text::clean;
use crate::model::{Notice, NoticeKind, Severity};

/// PagerDuty cuts a summary there, Opsgenie refuses a longer message.
const SUMMARY: usize = 1024;
const MESSAGE: usize = 130;
/// Slack takes 40,000 characters and shows fewer.
const TEXT: usize = 3000;

/// The notice for a terminal.
pub fn notice(notice: &Notice, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let ink = match notice.kind {
        NoticeKind::Done | NoticeKind::Replaced | NoticeKind::Undone => Ink::Green,
        NoticeKind::Failed | NoticeKind::BrokeGlass => Ink::Red,
        NoticeKind::Waits | NoticeKind::Left | NoticeKind::Held | NoticeKind::Unproved | NoticeKind::Partly => Ink::Yellow,
    };
    let who = format!("{} {} {}", notice.fingerprint, notice.detector, notice.shown);
    writeln!(out, "{}  {}", look.paint(ink, notice.kind.word()), clean(who.trim()))?;
    for line in body(notice).lines() {
        writeln!(out, "  {}", clean(line))?;
    }
    Ok(())
}

/// What was done, who is concerned, what to run next.
fn body(notice: &Notice) -> String {
    let mut lines: Vec<String> = notice.lines.iter().map(|line| clean(line)).collect();
    let mut list = |title: &str, all: &[String]| lines.extend(all.iter().map(|one| format!("{title:<9} {}", clean(one))));
    list("concerns", &notice.concerned);
    list("run", notice.run.as_slice());
    let (undo, next): (Vec<String>, Vec<String>) = notice.next.iter().cloned().partition(|line| line.contains(" undo "));
    list("next", &next);
    list("undo", &undo);
    lines.into_iter().map(|line| line + "\n").collect()
}

/// A text of at most that many characters.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(most - 1).collect();
    cut.push('…');
    cut
}

/// What Slack's incoming webhooks take.
pub fn slack(notice: &Notice) -> Value {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let text = format!(
        "*{}*\n```{}```",
        escaped(&clean(&notice.title())),
        escaped(&cut(&body(notice), TEXT)).replace("```", "'''")
    );
    json!({ "text": text })
}

/// An event for PagerDuty, without the routing key that says whose it is.
pub fn pagerduty(notice: &Notice) -> Value {
    let severity = match (notice.kind, notice.severity) {
        (NoticeKind::Failed | NoticeKind::BrokeGlass, _) | (NoticeKind::Left, Severity::Critical) => "critical",
        (NoticeKind::Left, _) => "error",
        (NoticeKind::Waits | NoticeKind::Held | NoticeKind::Unproved | NoticeKind::Partly, _) => "warning",
        (NoticeKind::Done | NoticeKind::Replaced | NoticeKind::Undone, _) => "info",
    };
    // What was contained or walked back ends what somebody was woken for; it opens nothing.
    json!({
        "event_action": if notice.kind.is_over() { "resolve" } else { "trigger" },
        "dedup_key": key(notice),
        "payload": {
            "summary": cut(&clean(&notice.title()), SUMMARY),
            "source": "staunch",
            "severity": severity,
            "timestamp": notice.at.to_string(),
            "component": notice.detector,
            "custom_details": notice,
        },
    })
}

/// An alert for Opsgenie.
pub fn opsgenie(notice: &Notice) -> Value {
    let priority = match notice.kind {
        NoticeKind::Failed | NoticeKind::BrokeGlass => "P1",
        NoticeKind::Left => "P2",
        NoticeKind::Waits | NoticeKind::Held | NoticeKind::Unproved | NoticeKind::Partly => "P3",
        NoticeKind::Done | NoticeKind::Replaced | NoticeKind::Undone => "P5",
    };
    json!({
        "message": cut(&clean(&notice.title()), MESSAGE),
        "alias": alias(notice),
        "description": cut(&body(notice), 15_000),
        "source": "staunch",
        "tags": ["staunch", notice.kind.word()],
        "priority": priority,
    })
}

/// Opsgenie has no event that ends an alert: what is done is an alert of its own, of the lowest priority.
fn alias(notice: &Notice) -> String {
    if notice.kind.is_over() { format!("{}/{}", key(notice), notice.kind.word()) } else { key(notice) }
}

/// What notices that are one alert have in common. What wakes somebody is never laid onto an alert that does not; what ends a matter
/// has the name of what woke them.
fn key(notice: &Notice) -> String {
    let about = if notice.fingerprint.is_empty() { "all" } else { &notice.fingerprint };
    // That somebody went past the approvals is not over because it went well.
    let urgent = notice.kind.is_over() || notice.kind.is_urgent() && notice.kind != NoticeKind::BrokeGlass;
    let matter = if urgent { "urgent".to_owned() } else { notice.kind.word().replace([' ', ','], "-") };
    format!("staunch/{}/{about}/{matter}", notice.detector)
}

/// A mail: header fields and body, in ASCII, with CRLF at line ends.
pub fn mail(notice: &Notice, from: &str, to: &[String]) -> String {
    let body = format!("{}\n\n{}", clean(&notice.title()), body(notice));
    let coded = BASE64.encode(body.replace('\n', "\r\n").as_bytes());
    let lines: Vec<&str> = (0..coded.len()).step_by(76).map(|at| &coded[at..coded.len().min(at + 76)]).collect();
    let id = format!("{}.{}", notice.at.as_millisecond(), key(notice).replace('/', "."));
    let host = from.rsplit('@').next().unwrap_or("localhost");
    let date = notice.at.strftime("%a, %d %b %Y %H:%M:%S +0000");
    let fields = [
        format!("From: <{from}>"),
        format!("To: {}", to.iter().map(|to| format!("<{to}>")).collect::<Vec<_>>().join(",\r\n ")),
        format!("Subject: {}", encoded(&cut(&clean(&notice.title()), 200))),
        format!("Date: {date}"),
        format!("Message-ID: <{id}@{host}>"),
        "Auto-Submitted: auto-generated".to_owned(),
        "MIME-Version: 1.0".to_owned(),
        "Content-Type: text/plain; charset=utf-8".to_owned(),
        "Content-Transfer-Encoding: base64".to_owned(),
    ];
    format!("{}\r\n\r\n{}", fields.join("\r\n"), lines.join("\r\n"))
}

/// Text in a header field: encoded words of at most 75 characters (RFC 2047).
fn encoded(text: &str) -> String {
    let mut words = vec![String::new()];
    for c in text.chars() {
        if words.last().is_some_and(|word| word.len() + c.len_utf8() > 39) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    words.iter().map(|word| format!("=?utf-8?B?{}?=", BASE64.encode(word.as_bytes()))).collect::<Vec<_>>().join("\r\n ")
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;

    use super::{mail, notice, opsgenie, pagerduty, slack};
    use crate::model::{Notice, NoticeKind};
    use crate::report::Look;

    fn sample() -> Notice {
        Notice {
            fingerprint: "ab-cd".into(),
            detector: "aws-access-key".into(),
            shown: "AKIA…MPLE".into(),
            kind: NoticeKind::Done,
            account: Some("123456789012".into()),
            playbook: Some("aws-access-key-contain".into()),
            run: Some("20260101T000000Z-aa".into()),
            lines: vec!["done: set access key <x> & \u{1b}[31mred\u{7} to Inactive".into(), "```".into()],
            concerned: vec!["k8s:prod/Deployment/api (bound)".into()],
            next: vec!["staunch respond undo 20260101T000000Z-aa".into()],
            ..Notice::held(String::new(), jiff::Timestamp::UNIX_EPOCH)
        }
    }

    #[test]
    fn each_says_what_was_done_and_how_to_undo_it() {
        let sample = sample();
        let slack = slack(&sample)["text"].as_str().expect("text").to_owned();
        assert!(slack.contains("&lt;x&gt; &amp;") && slack.contains("undo      staunch respond undo"), "{slack}");
        assert!(!slack.contains('\u{1b}') && slack.matches("```").count() == 2, "{slack}");
        let event = pagerduty(&sample);
        assert_eq!(
            (&event["payload"]["severity"], &event["dedup_key"]),
            (&"info".into(), &"staunch/aws-access-key/ab-cd/urgent".into())
        );
        assert_eq!(event["event_action"], "resolve");
        assert_eq!(event["payload"]["custom_details"]["next"][0], "staunch respond undo 20260101T000000Z-aa");
        let alert = opsgenie(&sample);
        assert!(alert["description"].as_str().is_some_and(|text| text.contains("respond undo")), "{alert}");
        assert!(alert["message"].as_str().is_some_and(|text| text.chars().count() <= 130));
        let mut out = Vec::new();
        notice(&sample, Look::default(), &mut out).expect("written");
        let text = String::from_utf8(out).expect("text");
        assert!(
            text.starts_with("contained  ab-cd aws-access-key") && text.contains("undo      staunch respond undo"),
            "{text}"
        );
        let broke = Notice { kind: NoticeKind::BrokeGlass, ..sample.clone() };
        let woken = pagerduty(&broke);
        assert_eq!((&woken["event_action"], &woken["payload"]["severity"]), (&"trigger".into(), &"critical".into()));
        assert_eq!(opsgenie(&broke)["priority"], "P1");
        assert_ne!(woken["dedup_key"], event["dedup_key"], "what went well does not end it");
        let failed = Notice { kind: NoticeKind::Failed, ..sample };
        let waits = pagerduty(&Notice { kind: NoticeKind::Waits, ..failed.clone() });
        assert_ne!(
            waits["dedup_key"],
            pagerduty(&failed)["dedup_key"],
            "what wakes somebody is laid onto nothing that does not"
        );
        assert_eq!(
            (&pagerduty(&failed)["dedup_key"], &pagerduty(&failed)["event_action"]),
            (&event["dedup_key"], &"trigger".into())
        );
        assert_ne!(opsgenie(&failed)["alias"], alert["alias"]);
        assert_eq!(
            (&pagerduty(&failed)["payload"]["severity"], &opsgenie(&failed)["priority"]),
            (&"critical".into(), &"P1".into())
        );
    }

    #[test]
    fn a_mail_is_ascii_with_short_lines_and_nothing_in_it_can_add_a_field() {
        let mut forged = sample();
        forged.shown = "x\r\nBcc: eve@evil.example".into();
        let text = mail(&forged, "ir@corp.example", &["a@b.example".to_owned(), "c@d.example".to_owned()]);
        assert!(text.is_ascii() && text.split("\r\n").all(|line| line.len() <= 78), "{text}");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        assert!(!head.contains("Bcc") && head.contains("To: <a@b.example>,\r\n <c@d.example>"), "{head}");
        let body = BASE64.decode(body.replace("\r\n", "").as_bytes()).expect("base64");
        let body = String::from_utf8(body).expect("text");
        assert!(body.contains("undo      staunch respond undo") && body.contains("contained"), "{body}");
    }
}
