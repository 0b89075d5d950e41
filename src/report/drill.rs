//! A drill for people: each leg with its time.

use std::io::{self, Write};

use super::Look;
use super::human::Ink;
use super::text::clean;
use crate::model::{DrillReport, LegOutcome};

/// Writes it.
pub fn drill(report: &DrillReport, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let (word, ink) = if report.passed() { ("passed", Ink::Green) } else { ("FAILED", Ink::Red) };
    let head = format!("{} of {} on {}", report.id, report.playbook, report.ground);
    writeln!(out, "{} {}  {}", look.paint(Ink::Bold, "drill"), clean(&head), look.paint(ink, word))?;
    for leg in &report.legs {
        let (mark, ink) = match leg.outcome {
            LegOutcome::Passed => ("ok", Ink::Green),
            LegOutcome::Failed => ("FAILED", Ink::Red),
            LegOutcome::Skipped => ("skipped", Ink::Yellow),
        };
        writeln!(out, "  {:<10} {:>9.3} s  {}  {}", leg.name, leg.seconds, look.paint(ink, mark), clean(&leg.said))?;
    }
    if !report.left_over.is_empty() {
        let names = clean(&report.left_over.join(", "));
        writeln!(
            out,
            "  left over  from earlier drills: {names}; `staunch drill --clean --on {}` takes them away",
            report.ground
        )?;
    }
    Ok(())
}
