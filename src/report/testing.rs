//! What the tests of the renderers share: a finding, a report, a detector.

use crate::model::{
    Checked, Confidence, Coverage, DetectorInfo, DetectorPart, Finding, LivenessInfo, Location, Occurrence, PartInfo,
    PartPlace, Provenance, Report, Severity, Tool,
};
use crate::secret::FingerprintKey;

/// A finding in one place, under a fixed key.
pub(super) fn finding(path: &str) -> Finding {
    let fingerprint = FingerprintKey::new([7; 32]).fingerprint(path.as_bytes());
    Finding {
        schema: Finding::SCHEMA.to_owned(),
        fingerprint,
        detector: "acme-key".to_owned(),
        provider: "acme".to_owned(),
        class: "llm".to_owned(),
        severity: Severity::Critical,
        confidence: Confidence::High,
        redacted: "acme…ab3X".to_owned(),
        parts: vec![PartInfo { name: "key".to_owned(), public: false, value: None, fingerprints: vec![fingerprint] }],
        partial: false,
        facts: std::collections::BTreeMap::new(),
        liveness: Checked::NOT,
        occurrences: vec![place(path, 3)],
        owners: Vec::new(),
        playbook: None,
    }
}

/// A place of 40 bytes in a line.
pub(super) fn place(path: &str, line: u64) -> Occurrence {
    let location = Location { line, column: 7, end_line: line, end_column: 47, byte_start: 61, byte_end: 101 };
    let (path, provenance) = (path.to_owned(), Provenance::Worktree);
    Occurrence { path, location, utf16: None, provenance, encoding: Vec::new(), parts: Vec::new() }
}

/// A report of these findings.
pub(super) fn report(findings: Vec<Finding>) -> Report {
    let tool = Tool { name: "staunch".to_owned(), version: "1.2.3".to_owned(), detectors: "ab".repeat(32) };
    Report { tool, findings, coverage: Coverage { files: 2, bytes: 300, ..Coverage::default() }, seconds: 0.5 }
}

/// The detector of [`finding`].
pub(super) fn detector() -> DetectorInfo {
    DetectorInfo {
        schema: DetectorInfo::SCHEMA,
        id: "acme-key".to_owned(),
        summary: "Acme key".to_owned(),
        provider: "acme".to_owned(),
        class: "llm".to_owned(),
        severity: Severity::Critical,
        confidence: Confidence::High,
        opens: "every model, on its bill".to_owned(),
        file: "detectors/acme-key.toml".to_owned(),
        extends: None,
        formerly: Vec::new(),
        parts: vec![DetectorPart {
            name: "key".to_owned(),
            public: false,
            required: true,
            place: PartPlace::Anchor,
            pattern: "acme_[a-z]{35}".to_owned(),
            length: [40, 40],
            shape: None,
            literals: vec!["acme_".to_owned()],
            words: Vec::new(),
            names: Vec::new(),
            needs_name: false,
            within: None,
            min_entropy: 0.0,
            check: None,
            reject: Vec::new(),
            hosts: Vec::new(),
        }],
        structure: None,
        liveness: LivenessInfo::None { why: "Acme bills every request".to_owned() },
        revoke: Vec::new(),
        rotate: Vec::new(),
        playbook: None,
        console: Some("https://console.acme.example/keys".to_owned()),
        links: vec!["https://docs.acme.example/auth".to_owned()],
        notes: vec!["Length seen, not documented.".to_owned()],
        not: vec!["a placeholder".to_owned()],
    }
}
