//! What a person reads: live keys first, with owner and the next command; then the rest; then one line of coverage.

use std::io::{self, Write};

use super::text::{clean, count, looked_at};
use crate::model::{
    Coverage, Encoding, Finding, LayerPlace, Liveness, Occurrence, Owner, Plan, Provenance, Report, Run, RunState, StepState,
};

/// How it may look.
#[derive(Debug, Clone, Copy, Default)]
pub struct Look {
    /// ANSI colours.
    pub color: bool,
    /// Every place, not only the first ones.
    pub verbose: bool,
}

#[derive(Clone, Copy)]
pub(super) enum Ink {
    Bold,
    Red,
    Yellow,
    Green,
    Dim,
}

impl Look {
    pub(super) fn paint(self, ink: Ink, text: &str) -> String {
        let code = match ink {
            Ink::Bold => "1",
            Ink::Red => "1;31",
            Ink::Yellow => "33",
            Ink::Green => "32",
            Ink::Dim => "2",
        };
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Branches and tags shown of a commit.
const NAMES: usize = 3;
/// Places shown without `-v`.
const PLACES: usize = 3;

/// A scan's or triage's findings.
pub fn findings(report: &Report, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let usable = report.findings.iter().filter(|f| f.liveness.liveness.is_usable()).count() as u64;
    if usable > 0 {
        let what = count(usable, "live key", "live keys");
        writeln!(out, "{}\n", look.paint(Ink::Red, &format!("{what}: anyone who saw them can use them now.")))?;
    }
    for found in &report.findings {
        finding(found, look, out)?;
    }
    troubles(&report.coverage, look, out)?;
    coverage(report, look, out)
}

fn finding(finding: &Finding, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let (word, ink) = match &finding.liveness.liveness {
        Liveness::Live(_) => ("LIVE", Ink::Red),
        Liveness::Limited(..) => ("LIVE (limited)", Ink::Red),
        Liveness::Dead(_) => ("dead", Ink::Green),
        Liveness::Unknown(_) => ("unknown", Ink::Yellow),
        Liveness::NotChecked(_) => ("", Ink::Dim),
    };
    let severity = finding.severity.word();
    let state = if word.is_empty() { String::new() } else { format!("{}  ", look.paint(ink, word)) };
    let name = look.paint(Ink::Bold, &finding.detector);
    let partial = if finding.partial { "  (one part only; no secret found with it)" } else { "" };
    writeln!(out, "{state}{severity}  {name}  {}{partial}", clean(&finding.redacted))?;
    let mut line =
        |label: &str, text: &str| writeln!(out, "  {}{}", look.paint(Ink::Dim, &format!("{label:<10}")), clean(text));
    if let Some(why) = finding.liveness.liveness.why() {
        line("because", why)?;
    }
    let public: Vec<String> =
        finding.parts.iter().filter_map(|part| Some(format!("{} {}", part.name, part.value.as_ref()?))).collect();
    let facts = finding.facts.iter().map(|(name, value)| format!("{name} {value}"));
    let says: Vec<String> = public.into_iter().chain(facts).collect();
    if !says.is_empty() {
        line("says", &says.join(", "))?;
    }
    if let Some(identity) = finding.liveness.liveness.identity().filter(|identity| !identity.0.is_empty()) {
        let fields: Vec<String> = identity.0.iter().map(|(name, value)| format!("{name} {value}")).collect();
        line("speaks as", &fields.join(", "))?;
    }
    owners(&finding.owners, &mut line)?;
    let shown = if look.verbose { finding.occurrences.len() } else { PLACES };
    for place in finding.occurrences.iter().take(shown) {
        line("at", &self::place(place))?;
    }
    if finding.occurrences.len() > shown {
        line("", &format!("and {}", count((finding.occurrences.len() - shown) as u64, "more place", "more places")))?;
    }
    next(finding, &mut line)?;
    writeln!(out)
}

fn place(place: &Occurrence) -> String {
    let words: Vec<&str> = place.encoding.iter().map(|encoding| wrapping(*encoding)).collect();
    let wrapped = if words.is_empty() { String::new() } else { format!(" (in {})", words.join(", in it ")) };
    let origin = origin(&place.provenance);
    format!("{}:{}:{}{wrapped}{origin}", place.path, place.location.line, place.location.column)
}

/// Where else than on disk it is.
fn origin(provenance: &Provenance) -> String {
    let place = match provenance {
        Provenance::Commit(place) => place,
        Provenance::Layer(place) => return layer(place),
        Provenance::Staged => return " (staged)".to_owned(),
        Provenance::Reported => return " (reported)".to_owned(),
        _ => return String::new(),
    };
    let short = |name: &str| name.chars().take(12).collect::<String>();
    let Some(commit) = &place.commit else { return format!(" in object {}, in no commit", short(&place.object)) };
    let date = place.date.map(|date| date.strftime("%Y-%m-%d").to_string());
    let made: Vec<String> = date.into_iter().chain(place.author.clone()).collect();
    let made = if made.is_empty() { String::new() } else { format!(" ({})", made.join(", ")) };
    let names: Vec<&str> = place.refs.iter().map(|name| plain(name)).take(NAMES).collect();
    let names = match names.as_slice() {
        // Nobody looked.
        [] if place.object.is_empty() => String::new(),
        [] => " no branch".to_owned(),
        names => format!(" {}", names.join(", ")),
    };
    let more = if place.refs.len() > NAMES { ", ..." } else { "" };
    format!(" in commit {}{made}{names}{more}", short(commit))
}

fn plain(name: &str) -> &str {
    ["refs/heads/", "refs/remotes/", "refs/tags/"].iter().find_map(|head| name.strip_prefix(head)).unwrap_or(name)
}

/// Characters of a history line that are shown.
const HISTORY: usize = 100;

fn layer(place: &LayerPlace) -> String {
    // `sha256:` and as much as docker shows.
    let digest: String = place.layer.chars().take(19).collect();
    let platform = place.platform.as_ref().map(|platform| format!(" for {platform}")).unwrap_or_default();
    let hidden = if place.hidden { ", deleted or overwritten by a later one, still in the image" } else { "" };
    let made = place.created_by.as_ref().map(|by| by.chars().take(HISTORY).collect::<String>());
    let made = made.map(|by| format!(", made by: {}", by.trim())).unwrap_or_default();
    format!(" (in {digest}{platform}{hidden}{made})")
}

fn wrapping(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Base64 => "base64",
        Encoding::Hex => "hex",
        Encoding::Escaped => "escapes or pieces",
        Encoding::Utf16 => "UTF-16",
    }
}

fn owners(owners: &[Owner], line: &mut dyn FnMut(&str, &str) -> io::Result<()>) -> io::Result<()> {
    for owner in owners {
        let tier = owner.tier.word();
        let proof = owner.evidence.first().map(|e| format!("; {} at {}", e.technique, e.at)).unwrap_or_default();
        let contested = if owner.contested { "CONTESTED; " } else { "" };
        line(owner.edge.label(), &format!("{} ({contested}{tier}{proof})", owner.id))?;
    }
    Ok(())
}

fn next(finding: &Finding, line: &mut dyn FnMut(&str, &str) -> io::Result<()>) -> io::Result<()> {
    let print = finding.fingerprint.short();
    match (&finding.liveness.liveness, &finding.playbook) {
        (Liveness::Dead(_), _) => Ok(()),
        (_, _) if finding.facts.contains_key("canary") => {
            line("note", "a canary: using it raises an alarm at its owner; leave it alone")
        }
        (_, Some(playbook)) => line("next", &format!("staunch respond plan {print}   (playbook {playbook})")),
        (_, None) => line("name", &print),
    }
}

fn troubles(coverage: &Coverage, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if coverage.is_complete() {
        return Ok(());
    }
    writeln!(out, "{}", look.paint(Ink::Yellow, "Incomplete: this was not read, so nothing is known of it."))?;
    for trouble in &coverage.troubles {
        writeln!(out, "  {}: {}", clean(&trouble.path), clean(&trouble.why))?;
    }
    if coverage.more_troubles > 0 {
        writeln!(out, "  and {}", count(coverage.more_troubles, "more", "more"))?;
    }
    if coverage.interrupted {
        writeln!(out, "  the scan was interrupted before its end")?;
    }
    writeln!(out)
}

fn coverage(report: &Report, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let text = format!("{} in {}", count(report.findings.len() as u64, "finding", "findings"), looked_at(report));
    writeln!(out, "{}", look.paint(Ink::Dim, &clean(&text)))
}

/// A plan.
pub fn plan(plan: &Plan, digest: &str, look: Look, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{} {}", look.paint(Ink::Bold, "plan"), look.paint(Ink::Bold, digest))?;
    let target: Vec<String> = plan.target.iter().map(|(name, value)| format!("{name} {value}")).collect();
    writeln!(
        out,
        "  {} for {} ({}), as {}",
        plan.playbook,
        plan.detector,
        clean(&target.join(", ")),
        clean(&plan.responder)
    )?;
    for (n, step) in plan.steps.iter().enumerate() {
        let kind = match (step.mutates, step.reversible) {
            (false, _) => "looks",
            (true, true) => "changes, can be undone",
            (true, false) => "changes, CANNOT be undone",
        };
        writeln!(out, "  {}. {}  [{kind}]", n + 1, look.paint(Ink::Bold, &step.id))?;
        writeln!(out, "       {}", clean(&step.effect))?;
        if let Some(undo) = &step.undo {
            writeln!(out, "       {}", look.paint(Ink::Dim, &format!("undo: {}", clean(undo))))?;
        }
    }
    let mut list = |title: &str, items: &[String], ink: Ink| -> io::Result<()> {
        items.iter().try_for_each(|item| writeln!(out, "  {}  {}", look.paint(ink, title), clean(item)))
    };
    list("affects", &plan.affected, Ink::Yellow)?;
    list("copy at", &plan.copies, Ink::Yellow)?;
    list("not known", &plan.unknowns, Ink::Yellow)?;
    list("lacks permission", &plan.lacking, Ink::Red)
}

/// A run.
pub fn run(run: &Run, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let (word, ink) = match run.state {
        RunState::Done => ("done", Ink::Green),
        RunState::Undone => ("undone", Ink::Green),
        RunState::Open => ("unfinished", Ink::Yellow),
        RunState::Waiting => ("waiting", Ink::Yellow),
        RunState::Stopped => ("STOPPED", Ink::Red),
        RunState::Abandoned => ("abandoned", Ink::Dim),
    };
    writeln!(out, "{} {}  {}", look.paint(Ink::Bold, "run"), run.id, look.paint(ink, word))?;
    for step in &run.steps {
        let (mark, ink) = match step.state {
            StepState::Succeeded => ("ok", Ink::Green),
            StepState::Undone => ("undone", Ink::Green),
            StepState::Pending => ("not begun", Ink::Dim),
            StepState::Started | StepState::Undoing => ("begun", Ink::Yellow),
            StepState::Unknown => ("UNKNOWN", Ink::Yellow),
            StepState::Waiting => ("waiting", Ink::Yellow),
            StepState::Refused => ("REFUSED", Ink::Red),
            StepState::Failed => ("FAILED", Ink::Red),
            StepState::UndoFailed => ("UNDO FAILED", Ink::Red),
        };
        let why = step.why.as_deref().map(|why| format!("  {}", clean(why))).unwrap_or_default();
        writeln!(out, "  {:<20} {}{why}", step.id, look.paint(ink, mark))?;
    }
    Ok(())
}
