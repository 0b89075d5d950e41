//! `staunch own`: what people said of whose credentials are.

use std::io::{self, Write};

use jiff::civil::Date;

use super::human::{Ink, Look};
use super::text::clean;
use crate::model::{Attestation, Edge};

/// A line for each, for people.
pub fn attestations(all: &[Attestation], today: Date, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if all.is_empty() {
        return writeln!(out, "Nobody has attested anything. staunch own FINGERPRINT --team NAME --until YYYY-MM-DD");
    }
    for one in all {
        let word = match one.edge {
            Edge::Principal => "speaks as",
            Edge::Consumer => "is used by",
            Edge::Accountable => "is decided by",
            Edge::Custodian => "was leaked by",
        };
        let owner = look.paint(Ink::Bold, &clean(&one.owner));
        let said = one.made.strftime("%Y-%m-%d");
        let until = match &one.withdrawn {
            Some(end) => {
                let words = format!("withdrawn by {} on {}", clean(&end.by), end.at.strftime("%Y-%m-%d"));
                look.paint(Ink::Yellow, &words)
            }
            None if one.holds(today) => format!("until {}", one.until),
            None => look.paint(Ink::Yellow, &format!("ended on {}", one.until)),
        };
        writeln!(out, "{}. {} {word} {owner}: {} on {said}, {until}", one.id, one.fingerprint.short(), clean(&one.by))?;
    }
    Ok(())
}

/// One array.
pub fn attestations_json(all: &[Attestation], out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, all)?;
    out.write_all(b"\n")
}

/// One object a line.
pub fn attestations_jsonl(all: &[Attestation], out: &mut dyn Write) -> io::Result<()> {
    for one in all {
        serde_json::to_writer(&mut *out, one)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}
