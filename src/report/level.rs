//! How loud a finding is where a format has three levels.

use std::collections::BTreeMap;

use crate::model::{Confidence, DetectorInfo, Finding, Liveness};

/// Three levels, as SARIF and GitHub's annotations have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Nobody can use it, or it is probably none.
    Note,
    /// Nobody knows whether it can be used.
    Warning,
    /// Somebody else can use it now.
    Error,
}

impl Level {
    /// The level of a finding. A canary is never more than a note: it is a trap, and it was not asked.
    pub(super) fn of(finding: &Finding) -> Self {
        match finding.liveness.liveness {
            Liveness::Live(_) | Liveness::Limited(..) => Self::Error,
            Liveness::Dead(_) => Self::Note,
            _ if finding.facts.contains_key("canary") || finding.confidence == Confidence::Low => Self::Note,
            Liveness::Unknown(_) | Liveness::NotChecked(_) => Self::Warning,
        }
    }
}

/// Detectors by their ids.
pub(super) fn summaries(detectors: &[DetectorInfo]) -> BTreeMap<&str, &DetectorInfo> {
    detectors.iter().map(|detector| (detector.id.as_str(), detector)).collect()
}

/// The first sentence of a finding: what it is and whether it lives, without its value.
pub(super) fn headline(finding: &Finding, summary: &str) -> String {
    let state = match &finding.liveness.liveness {
        Liveness::Live(_) => "live",
        Liveness::Limited(..) => "live, with limits",
        Liveness::Dead(_) => "dead",
        Liveness::Unknown(_) => "not known to be live or dead",
        Liveness::NotChecked(_) if finding.facts.contains_key("canary") => "a canary, not asked",
        Liveness::NotChecked(_) => "not asked",
    };
    let partial = if finding.partial { ", one part only" } else { "" };
    format!("{summary} {} ({state}{partial}).", finding.redacted)
}

/// What to know and do next, a sentence each.
pub(super) fn advice(finding: &Finding) -> Vec<String> {
    let mut all = Vec::new();
    if let Some(why) = finding.liveness.liveness.why() {
        all.push(format!("Why: {why}."));
    }
    match finding.occurrences.len() {
        0 | 1 => {}
        places => all.push(format!("It stands in {places} places.")),
    }
    if let Some(owner) = finding.owners.first() {
        all.push(format!("{} {} ({}).", owner.edge.label(), owner.id, owner.tier.word()));
    }
    if !matches!(finding.liveness.liveness, Liveness::Dead(_)) && !finding.facts.contains_key("canary") {
        let how = match &finding.playbook {
            Some(_) => format!("staunch respond plan {}", finding.fingerprint.short()),
            None => format!("staunch explain {}", finding.detector),
        };
        all.push(format!("Next: {how}"));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::super::testing::finding;
    use super::{Level, advice, headline};
    use crate::model::{Confidence, Identity, Liveness};

    #[test]
    fn live_is_an_error_unknown_a_warning_dead_and_doubtful_a_note() {
        let mut found = finding("a.txt");
        let mut level = |liveness| {
            found.liveness.liveness = liveness;
            Level::of(&found)
        };
        assert_eq!(level(Liveness::Live(Identity::default())), Level::Error);
        assert_eq!(level(Liveness::Limited(Identity::default(), "x".into())), Level::Error);
        assert_eq!(level(Liveness::Unknown("x".into())), Level::Warning);
        assert_eq!(level(Liveness::Dead("x".into())), Level::Note);
        assert_eq!(level(Liveness::NotChecked(None)), Level::Warning);
        found.confidence = Confidence::Low;
        assert_eq!(Level::of(&found), Level::Note);
        found.confidence = Confidence::High;
        found.facts.insert("canary".into(), "thinkst".into());
        assert_eq!(Level::of(&found), Level::Note);
    }

    #[test]
    fn a_dead_one_has_no_next_step() {
        let mut found = finding("a.txt");
        assert_eq!(headline(&found, "Acme key"), "Acme key acme…ab3X (not asked).");
        assert_eq!(advice(&found), ["Next: staunch explain acme-key"]);
        found.liveness.liveness = Liveness::Dead("revoked".into());
        assert_eq!(advice(&found), ["Why: revoked."]);
    }
}
