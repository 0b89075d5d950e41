//! A drill's result as an in-toto statement with a test-result predicate: what a gate asks of a workload whose credentials are
//! said to be revocable. It is about the playbook's text, so that a changed playbook needs another drill.

use serde_json::{Value, json};

use crate::attest::{STATEMENT, TEST_RESULT};
use crate::model::{DrillReport, LegOutcome};

/// The statement of a drill.
pub fn statement(report: &DrillReport) -> Value {
    let names = |wanted: LegOutcome| -> Vec<&str> {
        report.legs.iter().filter(|leg| leg.outcome == wanted).map(|leg| leg.name.as_str()).collect()
    };
    let failed = names(LegOutcome::Failed);
    let missing = DrillReport::LEGS.into_iter().filter(|name| report.legs.iter().all(|leg| leg.name != *name));
    let failed: Vec<&str> = failed.into_iter().chain(missing).collect();
    let subject = json!({ "name": format!("playbook {}", report.playbook), "digest": { "sha256": report.playbook_sha256 } });
    json!({
        "_type": STATEMENT,
        "subject": [subject],
        "predicateType": TEST_RESULT,
        "predicate": {
            "result": if report.passed() { "PASSED" } else { "FAILED" },
            "configuration": [{ "name": format!("ground {}", report.ground) }],
            "passedTests": names(LegOutcome::Passed),
            "warnedTests": names(LegOutcome::Skipped),
            "failedTests": failed,
            "staunch": report,
        },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::statement;
    use crate::model::{DrillReport, Leg, LegOutcome};

    fn report(legs: &[(&str, LegOutcome)]) -> DrillReport {
        let leg = |(name, outcome): &(&str, LegOutcome)| Leg {
            name: (*name).to_owned(),
            seconds: 0.5,
            outcome: *outcome,
            said: String::new(),
        };
        DrillReport {
            schema: DrillReport::SCHEMA.to_owned(),
            id: "ab".into(),
            playbook: "p".into(),
            playbook_sha256: "cd".into(),
            ground: "sandbox".into(),
            planted: std::collections::BTreeMap::new(),
            began: jiff::Timestamp::UNIX_EPOCH,
            legs: legs.iter().map(leg).collect(),
            left_over: Vec::new(),
        }
    }

    #[test]
    fn a_leg_that_failed_or_was_never_gone_fails_it() {
        let mut legs: Vec<(&str, LegOutcome)> = DrillReport::LEGS.map(|name| (name, LegOutcome::Passed)).to_vec();
        legs[7].1 = LegOutcome::Skipped;
        let good = statement(&report(&legs));
        assert_eq!((&good["predicate"]["result"], &good["predicate"]["warnedTests"]), (&json!("PASSED"), &json!(["undo"])));
        assert_eq!(good["subject"][0]["digest"]["sha256"], "cd");
        let short = statement(&report(&legs[..8]));
        assert_eq!(
            (&short["predicate"]["result"], &short["predicate"]["failedTests"]),
            (&json!("FAILED"), &json!(["clean"]))
        );
        legs[5].1 = LegOutcome::Failed;
        assert_eq!(statement(&report(&legs))["predicate"]["result"], "FAILED");
    }
}
