//! What a credential may do and what it was used for, in lines for people: label and text. Human and HTML share them.

use super::text::count;
use crate::model::{Activity, Finding, Power, Reach, Ruling, Seen, Way};

/// Ways, addresses and user agents named in a line.
const NAMED: usize = 3;
/// Signs shown without `-v`.
const SIGNS: usize = 3;

/// The lines, in order; a label may be empty, for what goes on.
pub(super) fn lines(finding: &Finding, all: bool) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    if let Some(reach) = &finding.reach {
        may(reach, &mut lines);
    }
    if let Some(activity) = &finding.activity {
        used(activity, all, &mut lines);
    }
    lines
}

fn may(reach: &Reach, lines: &mut Vec<(&'static str, String)>) {
    for (label, state, ruling) in [
        ("may", Some(true), Ruling::Allowed),
        ("may not", Some(false), Ruling::Denied),
        ("not clear", None, Ruling::Unclear),
    ] {
        let powers = Power::ALL.into_iter().rev().filter(|power| reach.has(*power) == state);
        let texts: Vec<String> = powers.filter_map(|power| by(reach, power, ruling)).collect();
        if !texts.is_empty() {
            lines.push((label, texts.join("; ")));
        }
    }
    lines.extend(reach.unknown.iter().map(|why| ("not asked", why.clone())));
    if !reach.ways.is_empty() {
        lines.push(("", format!("by IAM's simulator, which does not see: {}", reach.unseen.join(", "))));
    }
}

/// `make new credentials (iam:CreateAccessKey on itself, …)`. What is denied needs no list.
fn by(reach: &Reach, power: Power, ruling: Ruling) -> Option<String> {
    let ways: Vec<&Way> = reach.ways.iter().filter(|way| way.power == power && way.ruling == ruling).collect();
    if ruling == Ruling::Denied {
        return Some(power.words().to_owned());
    }
    let note = |way: &&Way| match &way.note {
        Some(note) => format!("{}: {note}", way.actions.join(" + ")),
        None => way.actions.join(" + "),
    };
    // One reason for all is said once.
    let same = ways.first()?.note.as_ref().filter(|first| ways.iter().all(|way| way.note.as_ref() == Some(*first)));
    if let Some(same) = same.filter(|_| ruling == Ruling::Unclear) {
        return Some(format!("{} ({same})", power.words()));
    }
    let named: Vec<String> = ways.iter().take(NAMED).map(note).collect();
    let more = if ways.len() > NAMED { format!(", and {} more", ways.len() - NAMED) } else { String::new() };
    Some(format!("{} ({}{more})", power.words(), named.join(", ")))
}

fn used(activity: &Activity, all: bool, lines: &mut Vec<(&'static str, String)>) {
    let regions: Vec<&str> = activity.regions.iter().map(|read| read.region.as_str()).collect();
    let window = format!(
        "CloudTrail's management events of {} from {} to {}",
        regions.join(" and "),
        activity.since.strftime("%Y-%m-%d %H:%M"),
        activity.until.strftime("%Y-%m-%d %H:%M UTC")
    );
    match &activity.seen {
        Some(seen) => lines.push(("used for", summary(activity, seen))),
        None if activity.is_complete() => lines.push(("used for", "no events".to_owned())),
        None => lines.push(("used for", "not known; what was read has no events".to_owned())),
    }
    lines.push(("", format!("by {window}")));
    if activity.own_checks > 0 {
        let checks = count(activity.own_checks, "identity check", "identity checks");
        lines.push(("", format!("and {checks} under this program's own user agent")));
    }
    let unread = activity.regions.iter().filter_map(|read| Some((&read.region, read.unknown.as_ref()?)));
    lines.extend(unread.map(|(region, why)| ("not read", format!("{region}: {why}"))));
    let shown = if all { usize::MAX } else { SIGNS };
    lines.extend(activity.signs.iter().take(shown).map(|sign| ("resembles", format!("{}: {}", sign.technique, sign.value))));
    if activity.signs.len() > shown {
        lines.push(("", format!("and {} more (-v shows all)", activity.signs.len() - shown)));
    }
}

/// `9 calls (2 refused): recon 1, invocation 8; from 203.0.113.7; by python-requests/2.32`.
fn summary(activity: &Activity, seen: &Seen) -> String {
    let refused = if seen.refused > 0 { format!(" ({} refused)", seen.refused) } else { String::new() };
    let staged: u64 = activity.stages.iter().map(|stage| stage.seen.events).sum();
    let mut parts: Vec<String> =
        activity.stages.iter().map(|one| format!("{} {}", one.stage.words(), one.seen.events)).collect();
    let others = seen.events.saturating_sub(staged);
    if others > 0 {
        parts.push(format!("others {others}"));
    }
    let list = |all: &[String]| {
        let more = if all.len() > NAMED { format!(" and {} more", all.len() - NAMED) } else { String::new() };
        format!("{}{more}", all.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", "))
    };
    format!(
        "{}{refused} from {} to {}: {}; from {}; by {}",
        count(seen.events, "call", "calls"),
        seen.first.strftime("%Y-%m-%d %H:%M"),
        seen.last.strftime("%Y-%m-%d %H:%M UTC"),
        parts.join(", "),
        list(&seen.addresses),
        list(&seen.agents)
    )
}

#[cfg(test)]
mod tests {
    use super::super::human::{Look, findings};
    use super::super::testing::{finding, report};
    use super::lines;
    use crate::model::{Activity, Evidence, Power, Reach, RegionRead, Ruling, Seen, Stage, StageSeen, Way};
    use jiff::Timestamp;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn reach() -> Reach {
        let way = |power, action: &str, ruling, note: Option<&str>| Way {
            power,
            actions: action.split('+').map(str::to_owned).collect(),
            ruling,
            note: note.map(str::to_owned),
        };
        Reach {
            principal: "arn:aws:iam::111122223333:user/billing-bot".to_owned(),
            as_of: at("2026-01-03T00:00:00Z"),
            ways: vec![
                way(Power::Models, "bedrock:InvokeModel", Ruling::Denied, None),
                way(Power::Secrets, "ssm:GetParameter", Ruling::Unclear, Some("not on every resource")),
                way(Power::Keys, "iam:CreateAccessKey", Ruling::Allowed, Some("on itself")),
                way(Power::Escalation, "iam:PassRole+ec2:RunInstances", Ruling::Allowed, None),
            ],
            unseen: vec!["resource policies".to_owned(), "RCPs".to_owned()],
            unknown: Vec::new(),
        }
    }

    fn activity() -> Activity {
        let seen = |call: &str, events, refused| Seen {
            events,
            refused,
            first: at("2026-01-01T10:00:00Z"),
            last: at("2026-01-02T10:00:00Z"),
            calls: vec![call.to_owned()],
            addresses: vec!["203.0.113.7".to_owned()],
            agents: vec!["python-requests/2.32".to_owned()],
        };
        let read = |region: &str, unknown: Option<&str>| RegionRead {
            region: region.to_owned(),
            events: 3,
            unknown: unknown.map(str::to_owned),
        };
        let sign = Evidence {
            technique: "llmjacking-probe".to_owned(),
            at: "cloudtrail:LookupEvents in us-east-1, event 1".to_owned(),
            value: "InvokeModel at 2026-01-01T10:00:00Z, refused: ValidationException".to_owned(),
            tier: None,
            as_of: None,
        };
        Activity {
            since: at("2025-12-31T00:00:00Z"),
            until: at("2026-01-03T00:00:00Z"),
            regions: vec![
                read("eu-west-1", Some("cloudtrail:LookupEvents is throttled: ask again later")),
                read("us-east-1", None),
            ],
            seen: Some(seen("InvokeModel", 6, 2)),
            own_checks: 1,
            stages: vec![StageSeen { stage: Stage::Probe, seen: seen("InvokeModel", 2, 2) }],
            signs: vec![sign],
        }
    }

    #[test]
    fn what_it_may_do_and_did() {
        let mut known = finding("a");
        (known.reach, known.activity) = (Some(reach()), Some(activity()));
        let mut out = Vec::new();
        findings(&report(vec![known]), Look::default(), &mut out).expect("written");
        insta::assert_snapshot!(String::from_utf8(out).expect("text"));
    }

    #[test]
    fn no_events_are_said_only_where_everything_was_read() {
        let mut quiet = finding("a");
        let mut silent = Activity { seen: None, own_checks: 0, stages: Vec::new(), signs: Vec::new(), ..activity() };
        quiet.activity = Some(silent.clone());
        assert_eq!(lines(&quiet, false)[0].1, "not known; what was read has no events");
        silent.regions.retain(|read| read.unknown.is_none());
        quiet.activity = Some(silent);
        let said = lines(&quiet, false);
        assert_eq!(said[0].1, "no events");
        assert_eq!(
            said[1].1,
            "by CloudTrail's management events of us-east-1 from 2025-12-31 00:00 to 2026-01-03 00:00 UTC"
        );
    }
}
