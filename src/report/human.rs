//! What a person reads: live keys first, with owner and the next command; then the rest; then one line of coverage.

use std::io::{self, Write};

use super::screen::screen;
use super::text::{clean, count, looked_at, wrapped};
use crate::model::{Coverage, Plan, Proved, Report, Run, RunState, StepState};

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

/// Columns of a step's words.
const WIDTH: usize = 93;

/// A scan's or triage's findings.
pub fn findings(report: &Report, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let usable = report.findings.iter().filter(|f| f.liveness.liveness.is_usable()).count() as u64;
    if usable > 0 {
        let what = count(usable, "live key", "live keys");
        writeln!(out, "{}\n", look.paint(Ink::Red, &format!("{what}: anyone who saw them can use them now.")))?;
    }
    for found in &report.findings {
        screen(found, look, out)?;
    }
    troubles(&report.coverage, look, out)?;
    coverage(report, look, out)
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
    let (target, responder) = (target.join(", "), &plan.responder);
    let text = format!("{} for {} ({target}), as {responder}", plan.playbook, plan.detector);
    for line in wrapped(&clean(&text), WIDTH) {
        writeln!(out, "  {line}")?;
    }
    for (n, step) in plan.steps.iter().enumerate() {
        let kind = match (step.mutates, step.reversible) {
            (false, _) => "looks",
            (true, true) => "changes, can be undone",
            (true, false) if step.undo.is_some() => "changes, undone IN PART or BY HAND only",
            (true, false) => "changes, CANNOT be undone",
        };
        writeln!(out, "  {}. {}  [{kind}]", n + 1, look.paint(Ink::Bold, &step.id))?;
        for line in wrapped(&clean(&step.effect), WIDTH) {
            writeln!(out, "       {line}")?;
        }
        if let Some(undo) = &step.undo {
            for line in wrapped(&format!("undo: {}", clean(undo)), WIDTH) {
                writeln!(out, "       {}", look.paint(Ink::Dim, &line))?;
            }
        }
    }
    let mut list = |title: &str, items: &[String], ink: Ink| -> io::Result<()> {
        items.iter().try_for_each(|item| writeln!(out, "  {}  {}", look.paint(ink, title), clean(item)))
    };
    list("writes", &stores(plan), Ink::Yellow)?;
    list("affects", &plan.affected, Ink::Yellow)?;
    list("copy at", &plan.copies, Ink::Yellow)?;
    list("not known", &plan.unknowns, Ink::Yellow)?;
    list("lacks permission", &plan.lacking, Ink::Red)
}

/// The stores that a plan would write, and those of which it cannot tell.
fn stores(plan: &Plan) -> Vec<String> {
    let seen = plan.steps.iter().filter_map(|step| step.observed.get("stores")?.as_array()).flatten();
    let line = |store: &serde_json::Value| {
        let name = store.get("store")?.as_str()?;
        if let Some(why) = store.get("unknown").and_then(serde_json::Value::as_str) {
            let needs = store.get("needs").and_then(serde_json::Value::as_array).into_iter().flatten();
            let needs: Vec<&str> = needs.filter_map(serde_json::Value::as_str).collect();
            let needs = if needs.is_empty() { String::new() } else { format!("; it takes {}", needs.join(", ")) };
            return Some(format!("nothing at all: whether {name} holds it is not known ({why}{needs})"));
        }
        let parts: Vec<&str> = store.get("parts")?.as_array()?.iter().filter_map(serde_json::Value::as_str).collect();
        (!parts.is_empty()).then(|| format!("{name}, which holds its {}", parts.join(" and ")))
    };
    seen.filter_map(line).collect()
}

/// A run.
pub fn run(run: &Run, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let (word, ink) = match run.state {
        RunState::Done => match run.proved() {
            // Green is for whoever need not read on.
            Proved::All if !run.in_part().is_empty() => ("done, read in part", Ink::Yellow),
            Proved::All => ("done", Ink::Green),
            Proved::Part => ("done, not all proved", Ink::Yellow),
            Proved::Not => ("does not hold", Ink::Red),
        },
        RunState::Undone => ("undone", Ink::Green),
        RunState::Open => ("unfinished", Ink::Yellow),
        RunState::Waiting => ("waiting", Ink::Yellow),
        RunState::Stopped => ("STOPPED", Ink::Red),
        RunState::Abandoned => ("abandoned", Ink::Dim),
    };
    writeln!(out, "{} {}  {}", look.paint(Ink::Bold, "run"), run.id, look.paint(ink, word))?;
    if let Some(glass) = &run.break_glass {
        let what = format!("break-glass by {}: {}", clean(&glass.who), clean(&glass.reason));
        writeln!(out, "  {}", look.paint(Ink::Red, &what))?;
    }
    for what in run.in_part() {
        writeln!(out, "  {}  {}", look.paint(Ink::Yellow, "not looked at"), clean(&what))?;
    }
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
