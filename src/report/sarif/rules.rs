//! Detectors as SARIF's rules: what GitHub shows beside an alert.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::model::{ActionInfo, Confidence, DetectorInfo, Finding, LivenessInfo, Severity};

/// GitHub's limit for descriptions, in characters.
const DESCRIPTION: usize = 1024;
/// GitHub's limit for names, in characters.
const NAME: usize = 255;

/// The rules of a run: every detector that looked, and those that only an older report knows.
pub(super) struct Rules<'r> {
    detectors: &'r [DetectorInfo],
    /// Id or former id → index.
    known: BTreeMap<&'r str, usize>,
    /// Findings of detectors that this program does not know.
    foreign: Vec<&'r Finding>,
}

impl<'r> Rules<'r> {
    pub(super) fn new(detectors: &'r [DetectorInfo], findings: &'r [Finding]) -> Self {
        let mut known: BTreeMap<&str, usize> = BTreeMap::new();
        for (n, detector) in detectors.iter().enumerate() {
            known.insert(&detector.id, n);
        }
        let mut foreign = Vec::new();
        for finding in findings {
            let next = detectors.len() + foreign.len();
            known.entry(&finding.detector).or_insert_with(|| {
                foreign.push(finding);
                next
            });
        }
        Self { detectors, known, foreign }
    }

    /// Index and name of a finding's rule.
    pub(super) fn of(&self, finding: &Finding) -> (usize, &str) {
        let index = self.known.get(finding.detector.as_str()).copied().unwrap_or_default();
        let summary = self.detectors.get(index).filter(|detector| detector.id == finding.detector);
        (index, summary.map_or_else(|| self.known_as(finding), |detector| &detector.summary))
    }

    fn known_as(&self, finding: &Finding) -> &str {
        self.known.get_key_value(finding.detector.as_str()).map_or("credential", |(id, _)| id)
    }

    pub(super) fn values(&self) -> Vec<Value> {
        self.detectors.iter().map(rule).chain(self.foreign.iter().map(|finding| foreign(finding))).collect()
    }
}

fn rule(detector: &DetectorInfo) -> Value {
    let mut rule = json!({
        "id": detector.id,
        "name": cut(&pascal(&detector.id), NAME),
        "shortDescription": { "text": cut(&detector.summary, DESCRIPTION) },
        "fullDescription": { "text": cut(&format!("{}. A live one opens {}.", detector.summary, detector.opens), DESCRIPTION) },
        "help": help(detector),
        "defaultConfiguration": { "level": "warning" },
        "properties": properties((&detector.class, &detector.provider), detector.severity, detector.confidence),
    });
    if let Some(link) = detector.links.first().or(detector.console.as_ref()) {
        rule["helpUri"] = json!(link);
    }
    rule
}

/// A rule for a detector that made a finding and is not loaded: all that the finding says of it.
fn foreign(finding: &Finding) -> Value {
    let text = format!("{} (a detector that is not loaded here)", finding.detector);
    json!({
        "id": finding.detector,
        "name": cut(&pascal(&finding.detector), NAME),
        "shortDescription": { "text": cut(&text, DESCRIPTION) },
        "fullDescription": { "text": cut(&text, DESCRIPTION) },
        "help": { "text": text },
        "defaultConfiguration": { "level": "warning" },
        "properties": properties((&finding.class, &finding.provider), finding.severity, finding.confidence),
    })
}

fn properties((class, provider): (&str, &str), severity: Severity, confidence: Confidence) -> Value {
    // GitHub: over 9.0 is critical, 7.0 to 8.9 high, 4.0 to 6.9 medium, 0.1 to 3.9 low.
    let score = match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
    };
    let mut tags = vec!["security", "secret", class, provider, "external/cwe/cwe-798"];
    tags.dedup();
    json!({ "tags": tags, "security-severity": score, "precision": confidence })
}

fn help(detector: &DetectorInfo) -> Value {
    let liveness = match &detector.liveness {
        LivenessInfo::None { why } => format!("It cannot be asked whether one is live: {why}."),
        LivenessInfo::Validator { .. } => "`staunch triage` asks the provider whether it is live.".to_owned(),
        LivenessInfo::Request(request) => {
            format!("`staunch triage` asks whether it is live: `{} {}`, read-only.", request.method, request.url)
        }
    };
    let stop = match (&detector.playbook, &detector.console) {
        (Some(playbook), _) => format!("`staunch respond plan` stops it (playbook `{playbook}`)."),
        (None, Some(console)) => format!("Revoke it by hand at {console}."),
        (None, None) => "Revoke it by hand at its provider.".to_owned(),
    };
    let opens = format!("A live one opens {}.", detector.opens);
    let rest = "Removing it from the file does not stop it: whoever saw it still has it.";
    let mut text = format!("{}.\n{opens}\n{stop}\n{rest}\n{liveness}\n", detector.summary);
    let mut markdown = format!(
        "# {}\n\n**What it opens**: {}\n\n**Stop it**: {stop} {rest}\n\n**Is it live?** {liveness}\n",
        detector.summary, detector.opens
    );
    let actions: Vec<&str> =
        detector.revoke.iter().chain(&detector.rotate).map(|ActionInfo { name, .. }| name.as_str()).collect();
    if !actions.is_empty() {
        let _ = write!(markdown, "\n**Actions**: {}\n", actions.join(", "));
    }
    if !detector.links.is_empty() {
        markdown.push_str("\n**Sources**\n\n");
    }
    for link in &detector.links {
        let _ = writeln!(text, "See {link}");
        let _ = writeln!(markdown, "- <{link}>");
    }
    json!({ "text": text, "markdown": markdown })
}

/// `aws-access-key` → `AwsAccessKey`, as SARIF wants names.
fn pascal(id: &str) -> String {
    let capital = |word: &str| {
        let mut chars = word.chars();
        chars.next().map(|first| first.to_uppercase().chain(chars).collect::<String>()).unwrap_or_default()
    };
    id.split('-').map(capital).collect()
}

/// At most so many characters, the last one an ellipsis where it was more.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}
