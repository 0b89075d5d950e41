//! `staunch respond evidence RUN|FILE`: whether signed evidence was signed by a trust root of the operator's, and what it says.
//! Of a run, it must also be about that run's plan.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::args::Format;
use super::exit::Exit;
use super::output::Output;
use super::respond::folder;
use super::settings::Settings;
use crate::attest::{Envelope, Statement, TEST_RESULT};
use crate::model::{Run, RunState};
use crate::report::clean;
use crate::respond::replayed;

/// What is wrong with evidence is an error: nobody should read on.
pub(super) fn run(what: &str, settings: &Settings) -> anyhow::Result<Exit> {
    let run = if what.contains(['/', '.']) { None } else { folder(settings).and_then(|folder| Ok(folder.run(what)?)).ok() };
    let (path, run) = match &run {
        None if Path::new(what).is_file() => (PathBuf::from(what), None),
        None => (folder(settings)?.run(what)?.signed_evidence(), None),
        Some(kept) => {
            let path = kept.signed_evidence();
            ensure!(
                path.exists(),
                "the run {} has no signed evidence: the settings file named no key ([evidence] sign_with) when it ran",
                kept.id
            );
            (path, Some((replayed(kept)?, kept)))
        }
    };
    let text = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let (statement, signers) = checked(&text, settings).with_context(|| path.display().to_string())?;
    let said = statement.predicate.get("staunch").is_some() && statement.predicate_type == TEST_RESULT;
    ensure!(said, "{}: it is signed, but it is no test result of a run or a drill of staunch's", path.display());
    if let Some((run, kept)) = &run {
        ensure!(statement.is_about(&run.digest), "{}: it is about another plan than the run's", path.display());
        let journal = &statement.predicate["staunch"]["journal"];
        // Statements of earlier versions name none.
        if let (Some(seq), Some(hash)) = (journal["seq"].as_u64(), journal["sha256"].as_str()) {
            ensure!(
                kept.holds(seq, hash)?,
                "{}: the run's journal does not have the record {seq} that was there when this was signed; it was cut or written \
                 anew since: look at it, and trust the statement",
                path.display()
            );
        }
    }
    // What was walked back is not what was proved.
    let since = match &run {
        Some((run, _)) if run.state != RunState::Done => Some(format!("the run is {:?} by now", run.state)),
        Some((run, _)) => undone_since(run, settings)?,
        None => None,
    };
    Output::open(settings.output.as_ref())?.write(|out| match settings.format {
        Format::Human => {
            told(&statement, &signers, out)?;
            since.iter().try_for_each(|since| writeln!(out, "  {:<12} {since}: this was written before", "BUT"))
        }
        _ => writeln!(out, "{}", json!({ "signed_by": signers, "statement": statement, "since": since })),
    })?;
    let passed = statement.predicate.get("result").and_then(Value::as_str) == Some("PASSED");
    Ok(if passed && since.is_none() { Exit::Clean } else { Exit::Findings })
}

/// What another run about the same credential was walked back to since `run` had last done something.
pub(super) fn undone_since(run: &Run, settings: &Settings) -> anyhow::Result<Option<String>> {
    let last = |run: &Run| run.steps.iter().filter_map(|step| step.at).max();
    for kept in folder(settings)?.runs()? {
        // One that cannot be read says so where it is asked for.
        let Ok(other) = replayed(&kept) else { continue };
        let same = other.id != run.id && other.plan.fingerprint == run.plan.fingerprint;
        if same && other.state == RunState::Undone && last(&other) > last(run) {
            return Ok(Some(format!("the run {}, about the same credential, was walked back", other.id)));
        }
    }
    Ok(None)
}

/// The statement of an envelope and the trust roots that signed it.
pub(super) fn checked(envelope: &[u8], settings: &Settings) -> anyhow::Result<(Statement, Vec<String>)> {
    let opened = Envelope::parse(envelope)?.open(&settings.operator.trust_roots)?;
    Ok((Statement::of(&opened)?, opened.signers))
}

fn told(statement: &Statement, signers: &[String], out: &mut dyn Write) -> io::Result<()> {
    let said = &statement.predicate;
    let text = |value: &Value| clean(&value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    let mut line = |name: &str, value: &str| writeln!(out, "  {name:<12} {}", clean(value));
    line("signed by", &signers.join(", "))?;
    line("result", said.get("result").and_then(Value::as_str).unwrap_or("not a test result"))?;
    for why in said["staunch"]["because"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        line("because", why)?;
    }
    let glass = &said["staunch"]["break_glass"];
    if let (Some(who), Some(reason)) = (glass["who"].as_str(), glass["reason"].as_str()) {
        line("break-glass", &format!("{who} acted without the approvals that the plan asks for: {reason}"))?;
    }
    for subject in &statement.subject {
        let digest = subject.digest.iter().map(|(name, value)| format!("{name}:{value}")).collect::<Vec<_>>().join(" ");
        line("about", &format!("{} {digest}", subject.name))?;
    }
    for (name, key) in [("passed", "passedTests"), ("unclear", "warnedTests"), ("failed", "failedTests")] {
        let steps: Vec<&str> = said[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if !steps.is_empty() {
            line(name, &steps.join(", "))?;
        }
    }
    for (name, value) in said["staunch"]["times"].as_object().into_iter().flatten() {
        if let Some(leg) = name.strip_prefix("seconds_to_") {
            let shown = if value.is_null() { "not known".to_owned() } else { format!("{} s", text(value)) };
            line(&format!("to {leg}"), &shown)?;
        }
    }
    Ok(())
}
