//! `staunch detectors list|check|show`, `staunch explain ID`.

use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, bail};
use serde_json::json;

use super::args::{DetectorsArgs, DetectorsCommand, ExplainArgs, Format};
use super::exit::Exit;
use super::output::{Output, say};
use super::settings::{Settings, read_detectors};
use crate::declared::near;
use crate::detect::{DetectorSet, Failure, SetError, check_examples};
use crate::model::{DetectorInfo, LivenessInfo};
use crate::report;
use crate::respond::{Playbooks, builtin_playbooks, can};

pub(super) fn run(args: &DetectorsArgs, settings: &Settings) -> anyhow::Result<Exit> {
    match &args.what {
        DetectorsCommand::List { words } => list(words, settings),
        DetectorsCommand::Show { id } => show(id, settings),
        DetectorsCommand::Check { dir } => check(dir.as_deref(), settings),
    }
}

/// What is known of every detector, with what the other rooms know of it.
pub(super) fn infos(set: &DetectorSet) -> Vec<DetectorInfo> {
    let playbooks = Playbooks::new(&builtin_playbooks()).unwrap_or_default();
    let mut infos = set.describe_all();
    for info in &mut infos {
        complete(info, &playbooks);
    }
    infos
}

fn complete(info: &mut DetectorInfo, playbooks: &Playbooks) {
    info.playbook = playbooks.for_detector(&info.id).map(|playbook| playbook.id.clone());
    if let LivenessInfo::Validator { name, answers } = &mut info.liveness {
        *answers = crate::validate::answers(name).to_vec();
    }
    for action in info.revoke.iter_mut().chain(&mut info.rotate) {
        action.available = can(&action.name);
    }
}

/// What these commands can write: results of scans have more formats.
fn write(
    settings: &Settings,
    human: impl Fn(&mut dyn Write) -> io::Result<()>,
    lines: &[serde_json::Value],
) -> anyhow::Result<()> {
    if !matches!(settings.format, Format::Human | Format::Json | Format::Jsonl) {
        bail!("this command writes human, json or jsonl; the other formats are for what scans find");
    }
    Output::open(settings.output.as_ref())?.write(|out| match settings.format {
        Format::Json => {
            for line in lines {
                serde_json::to_writer_pretty(&mut *out, line)?;
                writeln!(out)?;
            }
            Ok(())
        }
        Format::Human => human(out),
        _ => lines.iter().try_for_each(|line| writeln!(out, "{line}")),
    })
}

fn list(words: &[String], settings: &Settings) -> anyhow::Result<Exit> {
    let set = settings.detectors()?;
    let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let mut infos = infos(&set);
    infos.retain(|info| {
        let text = format!("{} {} {} {}", info.id, info.provider, info.class, info.summary).to_lowercase();
        words.iter().all(|word| text.contains(word))
    });
    let playbooks = Playbooks::new(&builtin_playbooks())?;
    let human = |out: &mut dyn Write| {
        let wide = |of: fn(&DetectorInfo) -> &str| infos.iter().map(|info| of(info).len()).max().unwrap_or(0);
        let (id, provider) = (wide(|info| &info.id), wide(|info| &info.provider));
        for info in &infos {
            let live = if matches!(info.liveness, LivenessInfo::None { .. }) { "-" } else { "asked" };
            let playbook = playbooks.for_detector(&info.id).filter(|playbook| !playbook.is_by_hand());
            let stop = playbook.map_or("by hand", |_| "playbook");
            writeln!(
                out,
                "{:<id$}  {:<8}  {:<provider$}  {:<8}  {live:<5}  {stop:<8}  {}",
                info.id,
                info.class,
                info.provider,
                info.severity.word(),
                info.summary
            )?;
        }
        set.disabled()
            .iter()
            .try_for_each(|one| writeln!(out, "{:<id$}  switched off by {}: {}", one.id, one.file, report::clean(&one.why)))
    };
    let disabled: Vec<_> =
        set.disabled().iter().map(|one| json!({ "id": one.id, "why": one.why, "file": one.file })).collect();
    let values = match settings.format {
        Format::Jsonl => infos.iter().map(|info| json!(info)).collect(),
        _ => vec![json!({ "schema": "staunch.detectors/1", "hash": set.hash(), "detectors": infos, "disabled": disabled })],
    };
    write(settings, human, &values)?;
    Ok(Exit::Clean)
}

/// Reads files and runs their examples with every detector loaded, so that what two of them claim shows.
fn check(dir: Option<&Path>, settings: &Settings) -> anyhow::Result<Exit> {
    let set = match dir {
        None => settings.detectors(),
        Some(dir) => DetectorSet::with(&read_detectors(dir)?).context("detector files have mistakes"),
    };
    let set = match set {
        Ok(set) => set,
        Err(error) if settings.format != Format::Human => return mistaken(&error, settings),
        Err(error) => return Err(error),
    };
    let failures = check_examples(&set);
    let human = |_: &mut dyn Write| {
        for line in failed(&failures) {
            say(&line);
        }
        Ok(())
    };
    let (count, off) = (set.len(), set.disabled().len());
    write(settings, human, &[checked(count, &[], &json!(failures))])?;
    if !failures.is_empty() {
        bail!("{} of the examples failed", failures.len());
    }
    let off = if off == 0 { String::new() } else { format!(", {off} switched off") };
    say(&format!("{count} detectors{off}, every example does what its file says"));
    Ok(Exit::Clean)
}

/// A line a failure; made examples of one detector that fail alike are one line.
fn failed(failures: &[Failure]) -> Vec<String> {
    let alike = |one: &Failure, other: &Failure| {
        let made = |failure: &Failure| failure.example.starts_with("generated");
        one == other || (made(one) && made(other) && one.detector == other.detector && one.what == other.what)
    };
    let mut lines = Vec::new();
    for (n, failure) in failures.iter().enumerate() {
        if failures[..n].iter().any(|earlier| alike(failure, earlier)) {
            continue;
        }
        let more = failures[n + 1..].iter().filter(|later| alike(failure, later)).count();
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let Failure { detector, file, line, example, what } = failure;
        lines.push(format!("{file}:{line}: {detector} {example}{more}: {what}"));
    }
    lines
}

fn checked(detectors: usize, mistakes: &[serde_json::Value], failures: &serde_json::Value) -> serde_json::Value {
    json!({ "schema": "staunch.check/1", "detectors": detectors, "mistakes": mistakes, "failures": failures })
}

/// Mistakes for machines: on standard output, like everything else that they read.
fn mistaken(error: &anyhow::Error, settings: &Settings) -> anyhow::Result<Exit> {
    let Some(SetError::Mistakes(mistakes)) = error.downcast_ref::<SetError>() else { bail!("{error:#}") };
    let all: Vec<_> = mistakes.0.iter().map(|one| json!({ "file": one.file, "line": one.line, "what": one.what })).collect();
    write(settings, |_| Ok(()), &[checked(0, &all, &json!([]))])?;
    bail!("detector files have {} mistakes", all.len());
}

/// A detector's file: a model for one's own.
fn show(id: &str, settings: &Settings) -> anyhow::Result<Exit> {
    let set = settings.detectors()?;
    let info = known(id, &set)?;
    let text = set.text(&info.id).unwrap_or_default();
    let value = json!({ "schema": "staunch.detector-file/1", "id": info.id, "file": info.file, "text": text });
    write(settings, |out| out.write_all(text.as_bytes()), &[value])?;
    Ok(Exit::Clean)
}

pub(super) fn explain(args: &ExplainArgs, settings: &Settings) -> anyhow::Result<Exit> {
    let set = settings.detectors()?;
    let mut info = known(&args.id, &set)?;
    complete(&mut info, &Playbooks::new(&builtin_playbooks())?);
    if info.id != args.id {
        say(&format!("staunch: {} is called {} now", report::clean(&args.id), info.id));
    }
    write(settings, |out| report::explain(&info, settings.look, out), &[json!(info)])?;
    Ok(Exit::Clean)
}

fn known(id: &str, set: &DetectorSet) -> anyhow::Result<DetectorInfo> {
    if let Some(info) = set.describe(id) {
        return Ok(info);
    }
    if let Some(off) = set.disabled().iter().find(|one| one.id == id) {
        bail!("the detector {id} is switched off by {}: {}", off.file, off.why);
    }
    let names = set.detectors().flat_map(|detector| detector.formerly.iter().map(String::as_str).chain([&*detector.id]));
    match near(names, id).as_slice() {
        [] => bail!("there is no detector {id:?}; `staunch detectors list` names them all"),
        near => bail!("there is no detector {id:?}; did you mean {}?", near.join(", ")),
    }
}
