//! What the tests of the renderers share: a finding, a report, a detector.

use crate::model::{
    Checked, Confidence, Coverage, DetectorInfo, DetectorPart, Edge, Evidence, Finding, Identity, Liveness, LivenessInfo,
    Location, Occurrence, Owner, PartInfo, PartPlace, Provenance, Report, Severity, Tier, Tool, Weight,
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
        reach: None,
        activity: None,
        playbook: None,
    }
}

/// Findings as a triage leaves them: live and shared by two workloads, its owner contested; and one that is not known to live.
pub(super) fn triaged() -> Vec<Finding> {
    let owner = |edge, id: &str, tier, reasons: &[(&str, &str)]| {
        let reason = |(technique, at): &(&str, &str)| Evidence {
            technique: (*technique).to_owned(),
            at: (*at).to_owned(),
            value: "said so".to_owned(),
            tier: Some(tier),
            as_of: None,
        };
        let evidence = reasons.iter().map(reason).collect();
        let (id, name) = (id.to_owned(), "x".to_owned());
        Owner { edge, id, name, spiffe_id: None, tier, confidence: Weight(9_000), contested: false, evidence }
    };
    let chain = [("k8s-secret", "k8s/prod/secret.yaml:6"), ("k8s-secret-key-ref", "k8s/prod/deploy.yaml:17")];
    let mut api = owner(Edge::Consumer, "k8s:payments-prod/Deployment/api/app", Tier::Bound, &chain);
    api.spiffe_id = Some("spiffe://prod.example/ns/payments-prod/sa/api".to_owned());
    let worker =
        owner(Edge::Consumer, "compose:compose.yaml/worker", Tier::Bound, &[("compose-environment", "compose.yaml:9")]);
    let contested = |id, reason| Owner { contested: true, ..owner(Edge::Accountable, id, Tier::Declared, &[reason]) };
    let mut live = finding("deploy/prod/.env");
    let mut identity = Identity::default();
    identity.set("user", "billing-bot");
    live.liveness = Checked { liveness: Liveness::Live(identity), at: None };
    live.facts.insert("account".to_owned(), "111122223333".to_owned());
    live.playbook = Some("acme-contain".to_owned());
    live.occurrences.push(place("src/a.py", 9));
    live.owners = vec![
        owner(
            Edge::Principal,
            "arn:aws:iam::111122223333:user/billing-bot",
            Tier::Proven,
            &[("sts-caller-identity", "sts")],
        ),
        api.clone(),
        worker,
        contested("backstage:group:default/payments", ("backstage-owner", "catalog-info.yaml:5")),
        contested("team:checkout", ("attestation", "staunch own, number 3")),
        owner(Edge::Custodian, "mail:kim@corp.example", Tier::Circumstantial, &[("git-blame", "deploy/prod/.env:3")]),
    ];
    let mut other = finding("\"quoted\".yaml");
    other.owners = vec![api];
    vec![live, other]
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
        quiet_in_tests: false,
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
