//! `staunch explain`: all that a responder wants to know of a kind of credential, on one page.

use std::io::{self, Write};

use super::human::{Ink, Look};
use super::text::clean;
use crate::model::{ActionInfo, AnswerInfo, DetectorInfo, DetectorPart, LivenessInfo, PartPlace, RequestInfo};

/// Writes the page.
pub fn explain(info: &DetectorInfo, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { look, out };
    writeln!(page.out, "{}: {}", look.paint(Ink::Bold, &info.id), clean(&info.summary))?;
    let (severity, confidence) = (info.severity.word(), info.confidence.word());
    page.line("issued by", &format!("{} ({}); severity {severity}, confidence {confidence}", info.provider, info.class))?;
    page.line("opens", &info.opens)?;
    page.list("formerly", &info.formerly)?;
    recognised(info, &mut page)?;
    liveness(&info.liveness, &mut page)?;
    stop(info, &mut page)?;
    page.title("Where this comes from")?;
    let file = match &info.extends {
        Some(base) => format!("{}, which extends {base}", info.file),
        None => info.file.clone(),
    };
    page.line("file", &file)?;
    info.notes.iter().try_for_each(|note| page.line("note", note))?;
    info.links.iter().try_for_each(|link| page.line("see", link))
}

struct Page<'o> {
    look: Look,
    out: &'o mut dyn Write,
}

impl Page<'_> {
    fn title(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "\n{}", self.look.paint(Ink::Bold, text))
    }

    fn line(&mut self, label: &str, text: &str) -> io::Result<()> {
        writeln!(self.out, "  {} {}", self.look.paint(Ink::Dim, &format!("{label:<10}")), clean(text))
    }

    fn list(&mut self, label: &str, texts: &[String]) -> io::Result<()> {
        if texts.is_empty() { Ok(()) } else { self.line(label, &texts.join(", ")) }
    }
}

fn recognised(info: &DetectorInfo, page: &mut Page<'_>) -> io::Result<()> {
    page.title("How it is recognised")?;
    for part in &info.parts {
        page.line(&part.name, &about(part))?;
        if !part.pattern.is_empty() {
            page.line("", &format!("pattern {}", part.pattern))?;
        }
    }
    match info.structure {
        Some("kubernetes-secret") => page.line("within", "an entry of a Kubernetes Secret manifest")?,
        Some(_) => page.line("within", "the value of an assignment to a name that says secret")?,
        None => {}
    }
    info.not.iter().try_for_each(|not| page.line("is not", not))
}

fn about(part: &DetectorPart) -> String {
    let mut all = vec![(if part.public { "an identifier" } else { "a secret" }).to_owned()];
    let [least, most] = part.length;
    match (least == most, &part.shape) {
        _ if part.place == PartPlace::Inside => all.push("inside the first part".to_owned()),
        (true, _) => all.push(format!("{most} bytes")),
        (false, _) => all.push(format!("{least} to {most} bytes")),
    }
    all.extend(part.shape.as_ref().map(|shape| format!("like {shape}")));
    if !part.literals.is_empty() {
        all.push(format!("holds {}", part.literals.join(" or ")));
    }
    let names = part.names.join(" or ");
    match part.within {
        Some(lines) if !part.words.is_empty() => all.push(format!(
            "vouched for by {} in its own name, or at most {lines} lines away if it is named {names}",
            part.words.join(" or ")
        )),
        Some(lines) => all.push(format!("at most {lines} lines from the first part")),
        None => {}
    }
    if !names.is_empty() && part.words.is_empty() {
        let how = if part.needs_name { "must be" } else { "better if" };
        all.push(format!("{how} named {names}"));
    }
    if part.min_entropy > 0.0 {
        all.push(format!("at least {} bits a character", part.min_entropy));
    }
    all.extend(part.check.map(|check| format!("checked offline: {check}")));
    if !part.reject.is_empty() {
        all.push(format!("not {}", part.reject.join(" nor ")));
    }
    if !part.hosts.is_empty() {
        all.push(format!("asked only under {}", part.hosts.join(" or ")));
    }
    if !part.required {
        all.push("may be missing".to_owned());
    }
    all.join("; ")
}

fn liveness(info: &LivenessInfo, page: &mut Page<'_>) -> io::Result<()> {
    page.title("Is it live?")?;
    match info {
        LivenessInfo::None { why } => page.line("not asked", why),
        LivenessInfo::Validator { name, answers } => {
            page.line("asked by", &format!("the validator {name}, read-only and unbilled"))?;
            answers.iter().try_for_each(|(means, when)| page.line(means, when))?;
            page.line("unknown", "any other answer, and none")
        }
        LivenessInfo::Request(request) => asked(request, page),
    }
}

fn asked(request: &RequestInfo, page: &mut Page<'_>) -> io::Result<()> {
    page.line("asks", &format!("{} {}", request.method, request.url))?;
    for (name, value) in &request.headers {
        page.line("", &format!("{name}: {value}"))?;
    }
    if let Some(body) = &request.body {
        page.line("body", body)?;
    }
    if let Some(hosts) = &request.hosts {
        let under =
            if hosts.is_empty() { "where --allow-host says".to_owned() } else { format!("under {}", hosts.join(", ")) };
        page.line("only", &under)?;
    }
    page.line("elsewhere", &format!("--endpoint {}=URL", request.endpoint))?;
    for answer in &request.answers {
        let why = if answer.why.is_empty() { String::new() } else { format!(": {}", answer.why) };
        page.line(answer.means, &format!("{}{why}", condition(answer)))?;
    }
    page.line("unknown", "any other answer, and none")?;
    for (field, at) in &request.identity {
        page.line("speaks as", &format!("{field} ({at})"))?;
    }
    Ok(())
}

/// `401 or 403 with "Missing scopes"`
fn condition(answer: &AnswerInfo) -> String {
    let statuses: Vec<String> = answer.status.iter().map(u16::to_string).collect();
    let texts = answer.body_has.iter().map(|text| format!("{text:?}"));
    let json = answer.json.iter().map(|(pointer, value)| format!("{pointer} = {value}"));
    let more: Vec<String> = texts.chain(json).collect();
    let more = if more.is_empty() { String::new() } else { format!(" with {}", more.join(" and ")) };
    let any = if answer.any_body { ", JSON or not" } else { "" };
    format!("{}{more}{any}", statuses.join(" or "))
}

fn stop(info: &DetectorInfo, page: &mut Page<'_>) -> io::Result<()> {
    page.title("Stop it")?;
    let by_hand = match &info.console {
        Some(console) => format!("by hand at {console}"),
        None => format!("by hand, where {} manages it", info.provider),
    };
    let named = |actions: &[ActionInfo]| -> String {
        let (known, coming): (Vec<&ActionInfo>, Vec<&ActionInfo>) = actions.iter().partition(|action| action.available);
        let list = |actions: &[&ActionInfo]| {
            let names: Vec<&str> = actions.iter().map(|action| action.name.as_str()).collect();
            names.join(", ")
        };
        let first = if known.is_empty() { by_hand.clone() } else { list(&known) };
        let rest = if coming.is_empty() { String::new() } else { format!(" (not in this version: {})", list(&coming)) };
        format!("{first}{rest}")
    };
    page.line("revoke", &named(&info.revoke))?;
    page.line("rotate", &named(&info.rotate))?;
    if let Some(playbook) = &info.playbook {
        page.line("next", &format!("staunch respond plan FINGERPRINT   (playbook {playbook})"))?;
    }
    info.console.as_ref().map_or(Ok(()), |console| page.line("console", console))
}

#[cfg(test)]
mod tests {
    use super::super::testing::detector;
    use super::explain;
    use crate::model::{ActionInfo, AnswerInfo, LivenessInfo, RequestInfo};
    use crate::report::Look;

    fn page(info: &crate::model::DetectorInfo) -> String {
        let mut out = Vec::new();
        explain(info, Look::default(), &mut out).expect("written");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn by_hand_is_said_where_nothing_else_can_be() {
        let mut info = detector();
        let text = page(&info);
        for wanted in [
            "acme-key: Acme key",
            "opens      every model, on its bill",
            "key        a secret; 40 bytes; holds acme_",
            "is not     a placeholder",
            "not asked  Acme bills every request",
            "revoke     by hand at https://console.acme.example/keys",
            "note       Length seen, not documented.",
            "see        https://docs.acme.example/auth",
        ] {
            assert!(text.contains(wanted), "{wanted} in {text}");
        }
        info.revoke = vec![ActionInfo { name: "acme-key-delete".into(), available: false }];
        assert!(page(&info).contains("by hand at https://console.acme.example/keys (not in this version: acme-key-delete)"));
        info.revoke[0].available = true;
        info.playbook = Some("acme-contain".into());
        let text = page(&info);
        assert!(text.contains("revoke     acme-key-delete\n") && text.contains("(playbook acme-contain)"), "{text}");
    }

    #[test]
    fn words_vouch_in_the_name_or_near_a_name_that_says_key() {
        let mut info = detector();
        info.parts[0].literals.clear();
        info.parts[0].words = vec!["acme".into()];
        info.parts[0].names = vec!["key".into(), "token".into()];
        info.parts[0].within = Some(2);
        let wanted = "vouched for by acme in its own name, or at most 2 lines away if it is named key or token";
        assert!(page(&info).contains(wanted), "{}", page(&info));
    }

    #[test]
    fn the_request_and_every_answer_is_told() {
        let mut info = detector();
        info.liveness = LivenessInfo::Request(Box::new(RequestInfo {
            method: "GET".into(),
            url: "https://api.acme.example/v1/me".into(),
            hosts: None,
            endpoint: "acme".into(),
            headers: [("Authorization".to_owned(), "Bearer {key}".to_owned())].into(),
            body: None,
            answers: vec![
                AnswerInfo {
                    status: vec![200],
                    body_has: vec![],
                    json: [].into(),
                    any_body: true,
                    means: "live",
                    why: String::new(),
                },
                AnswerInfo {
                    status: vec![401, 403],
                    body_has: vec!["bad key".into()],
                    json: [("/ok".to_owned(), "false".to_owned())].into(),
                    any_body: false,
                    means: "dead",
                    why: "Acme does not know it".into(),
                },
            ],
            identity: [("user".to_owned(), "json:/user/name".to_owned())].into(),
        }));
        let text = page(&info);
        for wanted in [
            "asks       GET https://api.acme.example/v1/me",
            "Authorization: Bearer {key}",
            "live       200, JSON or not\n",
            "dead       401 or 403 with \"bad key\" and /ok = false: Acme does not know it",
            "unknown    any other answer, and none",
            "speaks as  user (json:/user/name)",
            "elsewhere  --endpoint acme=URL",
        ] {
            assert!(text.contains(wanted), "{wanted} in {text}");
        }
    }
}
