//! One credential on one screen: what it is, whether it lives, as whom it speaks, who breaks, who decides, how far it got, where
//! it stands, and the next command.

use std::io::{self, Write};

use super::human::{Ink, Look};
use super::origin::place;
use super::reach;
use super::text::{clean, count, wrapped};
use crate::model::{Edge, Environment, Finding, Liveness, Owner, Provenance};

/// Places shown without `-v`.
const PLACES: usize = 3;
/// Owners of one edge shown without `-v`.
const OWNERS: usize = 4;
/// Columns of the label, and of a line. What is longer goes on below, save for places and commands, which are copied.
const LABEL: usize = 12;
const LINE: usize = 100;

/// Writes the screen.
pub(super) fn screen(finding: &Finding, look: Look, out: &mut dyn Write) -> io::Result<()> {
    headline(finding, look, out)?;
    let mut page = Page { look, out };
    if let Some(why) = finding.liveness.liveness.why() {
        page.line("because", why)?;
    }
    says(finding, &mut page)?;
    owners(finding, Edge::Principal, &mut page)?;
    for (label, text) in reach::lines(finding, look.verbose) {
        page.line(label, &text)?;
    }
    for edge in [Edge::Consumer, Edge::Accountable, Edge::Custodian] {
        owners(finding, edge, &mut page)?;
    }
    if triaged(finding) {
        page.line("exposed", &exposed(finding))?;
    }
    let shown = if look.verbose { finding.occurrences.len() } else { PLACES };
    for seen in finding.occurrences.iter().take(shown) {
        page.whole("at", &place(seen))?;
    }
    if finding.occurrences.len() > shown {
        page.line("", &format!("and {}", count((finding.occurrences.len() - shown) as u64, "more place", "more places")))?;
    }
    next(finding, &mut page)?;
    writeln!(page.out)
}

struct Page<'o> {
    look: Look,
    out: &'o mut dyn Write,
}

impl Page<'_> {
    fn line(&mut self, label: &str, text: &str) -> io::Result<()> {
        let mut label = label;
        for piece in wrapped(&clean(text), LINE - LABEL) {
            self.put(label, &piece)?;
            label = "";
        }
        Ok(())
    }

    /// A line that stays one, to be copied.
    fn whole(&mut self, label: &str, text: &str) -> io::Result<()> {
        self.put(label, &clean(text))
    }

    fn put(&mut self, label: &str, text: &str) -> io::Result<()> {
        writeln!(self.out, "  {}{text}", self.look.paint(Ink::Dim, &format!("{label:<width$}", width = LABEL - 2)))
    }
}

fn headline(finding: &Finding, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let (word, ink) = match &finding.liveness.liveness {
        Liveness::Live(_) => ("LIVE", Ink::Red),
        Liveness::Limited(..) => ("LIVE (limited)", Ink::Red),
        Liveness::Dead(_) => ("dead", Ink::Green),
        Liveness::Unknown(_) => ("unknown", Ink::Yellow),
        Liveness::NotChecked(_) => ("", Ink::Dim),
    };
    let state = if word.is_empty() { String::new() } else { format!("{}  ", look.paint(ink, word)) };
    let name = look.paint(Ink::Bold, &finding.detector);
    let partial = if finding.partial { "  (one part only; no secret found with it)" } else { "" };
    writeln!(out, "{state}{}  {name}  {}{partial}", finding.severity.word(), clean(&finding.redacted))
}

fn says(finding: &Finding, page: &mut Page<'_>) -> io::Result<()> {
    let identity = finding.liveness.liveness.identity().filter(|identity| !identity.0.is_empty());
    let principal = |value: &str| finding.owners.iter().any(|owner| owner.edge == Edge::Principal && owner.id == value);
    // What the provider said as well need not be said twice.
    let known = |value: &str| identity.is_some_and(|identity| identity.0.values().any(|said| said == value));
    let public = finding.parts.iter().filter_map(|part| Some((part.name.as_str(), part.value.as_deref()?)));
    let facts = finding.facts.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let all: Vec<String> =
        public.chain(facts).filter(|(_, value)| !known(value)).map(|(name, value)| format!("{name} {value}")).collect();
    if !all.is_empty() {
        page.line("says", &all.join(", "))?;
    }
    if let Some(identity) = identity {
        // The principal has a line of its own.
        let fields = identity.0.iter().filter(|(_, value)| !principal(value));
        let fields: Vec<String> = fields.map(|(name, value)| format!("{name} {value}")).collect();
        if !fields.is_empty() {
            page.line("speaks as", &fields.join(", "))?;
        }
    }
    Ok(())
}

/// Whether anybody looked for owners, or must know that there are none.
fn triaged(finding: &Finding) -> bool {
    !finding.owners.is_empty() || finding.liveness.liveness.is_usable()
}

fn owners(finding: &Finding, edge: Edge, page: &mut Page<'_>) -> io::Result<()> {
    let all: Vec<&Owner> = finding.owners.iter().filter(|owner| owner.edge == edge).collect();
    let shown = if page.look.verbose { all.len() } else { OWNERS };
    for owner in all.iter().take(shown) {
        page.line(edge.label(), &format!("{} ({})", owner.id, because(owner, page.look.verbose)))?;
        if let Some(id) = owner.spiffe_id.as_ref().filter(|id| **id != owner.id) {
            page.line("", id)?;
        }
    }
    if all.len() > shown {
        page.line("", &format!("and {} more (-v shows all)", all.len() - shown))?;
    }
    let print = finding.fingerprint.short();
    let open = triaged(finding) && !matches!(finding.liveness.liveness, Liveness::Dead(_));
    match edge {
        Edge::Consumer if all.len() > 1 => {
            page.line("", &format!("shared: all {} need the new one before this one goes", all.len()))
        }
        Edge::Consumer if all.is_empty() && open => {
            page.line(edge.label(), "not known: no reference to it in what was looked at; whatever uses it breaks")
        }
        Edge::Accountable if all.iter().any(|owner| owner.contested) => {
            page.whole("", &format!("settle it: staunch own {print} --team ID --until YYYY-MM-DD"))
        }
        Edge::Accountable if all.is_empty() && open => {
            page.whole(edge.label(), &format!("not known; once it is: staunch own {print} --team NAME --until YYYY-MM-DD"))
        }
        _ => Ok(()),
    }
}

/// Tier and the reasons that it rests on: the first two, or all.
fn because(owner: &Owner, all: bool) -> String {
    let best = owner.evidence.iter().filter(|reason| reason.tier.is_none_or(|tier| tier == owner.tier));
    let shown = if all { usize::MAX } else { 2 };
    // A person's word is its own evidence; of the rest it is the place that one goes to.
    let said = best.map(|reason| match reason.technique.as_str() {
        "attestation" => reason.value.clone(),
        technique => format!("{technique} at {}", reason.at),
    });
    let mut why: Vec<String> = Vec::new();
    for text in said {
        if !why.contains(&text) && why.len() < shown {
            why.push(text);
        }
    }
    let contested = if owner.contested { "CONTESTED; " } else { "" };
    let tier = owner.tier.word();
    if why.is_empty() { format!("{contested}{tier}") } else { format!("{contested}{tier}; {}", why.join(", ")) }
}

/// How far it got, for human and HTML.
pub(super) fn exposed(finding: &Finding) -> String {
    let seen = finding.exposure();
    let environments: Vec<&str> = finding.environments().into_iter().rev().map(Environment::word).collect();
    let mut all = Vec::new();
    if !environments.is_empty() {
        all.push(environments.join(" and "));
    }
    let hidden = |place: &&crate::model::Occurrence| matches!(&place.provenance, Provenance::Layer(layer) if layer.hidden);
    for (number, one, many) in [
        (seen.images.len(), "image", "images"),
        (seen.commits, "version in git history", "versions in git history"),
        (seen.files, "file", "files"),
    ] {
        if number > 0 {
            all.push(count(number as u64, one, many));
        }
    }
    if seen.public {
        all.insert(0, "public".to_owned());
    }
    if seen.pushed {
        all.push("on a remote branch".to_owned());
    }
    if finding.occurrences.iter().any(|place| hidden(&place)) {
        all.push("deleted in a later layer, which does not remove it".to_owned());
    }
    all.extend(seen.since.map(|since| format!("since {}", since.strftime("%Y-%m-%d"))));
    all.join(", ")
}

fn next(finding: &Finding, page: &mut Page<'_>) -> io::Result<()> {
    let print = finding.fingerprint.short();
    match (&finding.liveness.liveness, &finding.playbook) {
        (Liveness::Dead(_), _) => Ok(()),
        (_, _) if finding.facts.contains_key("canary") => {
            page.line("note", "a canary: using it raises an alarm at its owner; leave it alone")
        }
        (_, Some(playbook)) => page.whole("next", &format!("staunch respond plan {print}   (playbook {playbook})")),
        (_, None) if finding.liveness.liveness.is_usable() => {
            page.whole("name", &print)?;
            page.whole("next", &format!("staunch explain {}   (no playbook: how to stop it by hand)", finding.detector))
        }
        (_, None) => page.whole("name", &print),
    }
}

#[cfg(test)]
mod tests {
    use super::super::human::{Look, findings};
    use super::super::testing::{report, triaged};

    #[test]
    fn one_credential_on_one_screen() {
        let mut out = Vec::new();
        findings(&report(triaged()), Look::default(), &mut out).expect("written");
        let text = String::from_utf8(out).expect("text");
        for line in text.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
        insta::assert_snapshot!(text);
    }
}
