//! `staunch detectors list|check|show`, `staunch explain ID`.

use std::io::{self, Write};

use anyhow::{Context, bail};

use super::args::{DetectorsArgs, DetectorsCommand, ExplainArgs, Format};
use super::exit::Exit;
use super::output::{Output, say};
use super::settings::{Settings, read_detectors};
use crate::detect::{Detector, DetectorSet, LivenessCheck, builtin_sources, check_examples};

pub(super) fn run(args: &DetectorsArgs, settings: &Settings) -> anyhow::Result<Exit> {
    match &args.what {
        DetectorsCommand::List => list(settings),
        DetectorsCommand::Show { id } => show(id, settings),
        DetectorsCommand::Check { dir } => {
            let set = match dir {
                None => settings.detectors()?,
                Some(dir) => {
                    // With all detectors loaded, so that what two of them claim shows.
                    let own = read_detectors(dir)?;
                    let mut sources = builtin_sources();
                    sources.retain(|builtin| own.iter().all(|source| source.id != builtin.id));
                    sources.extend(own);
                    DetectorSet::new(&sources).context("detector files have mistakes")?
                }
            };
            check(&set)
        }
    }
}

pub(super) fn explain(args: &ExplainArgs, settings: &Settings) -> anyhow::Result<Exit> {
    show(&args.id, settings)
}

fn check(set: &DetectorSet) -> anyhow::Result<Exit> {
    let failures = check_examples(set);
    for failure in &failures {
        say(&format!("{}: {}: {}", failure.detector, failure.example, failure.what));
    }
    if !failures.is_empty() {
        bail!("{} of the examples failed", failures.len());
    }
    say(&format!("{} detectors, every example does what its file says", set.len()));
    Ok(Exit::Clean)
}

fn list(settings: &Settings) -> anyhow::Result<Exit> {
    let set = settings.detectors()?;
    let json = settings.format != Format::Human;
    Output::open(settings.output.as_ref())?.write(|out| {
        for detector in set.detectors() {
            if json {
                let line = serde_json::json!({
                    "id": &*detector.id, "summary": detector.summary, "provider": detector.provider, "class": detector.class,
                    "severity": detector.severity, "validates": liveness(detector).is_some(),
                });
                writeln!(out, "{line}")?;
            } else {
                writeln!(out, "{:<28} {}", detector.id, detector.summary)?;
            }
        }
        Ok(())
    })?;
    Ok(Exit::Clean)
}

/// How its liveness is learnt, where it can be.
fn liveness(detector: &Detector) -> Option<String> {
    match &detector.liveness {
        LivenessCheck::None(_) => None,
        LivenessCheck::Named(name) => Some(format!("the validator {name}")),
        LivenessCheck::Http(check) => {
            Some(format!("a read-only request to {} (--endpoint {}=URL asks another)", check.origin, check.endpoint))
        }
    }
}

fn show(id: &str, settings: &Settings) -> anyhow::Result<Exit> {
    let set = settings.detectors()?;
    let Some(detector) = set.get(id) else {
        bail!("there is no detector {id:?}; `staunch detectors list` names them all");
    };
    Output::open(settings.output.as_ref())?.write(|out| describe(detector, out))?;
    Ok(Exit::Clean)
}

fn describe(detector: &Detector, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}: {}", detector.id, detector.summary)?;
    let severity = format!("{:?}", detector.severity).to_lowercase();
    writeln!(out, "  provider   {} ({}), severity {severity}", detector.provider, detector.class)?;
    writeln!(out, "  opens      {}", detector.opens)?;
    for part in &detector.parts {
        let kind = if part.public { "identifier" } else { "secret" };
        let need = if part.required { "" } else { ", optional" };
        writeln!(out, "  part       {} ({kind}{need})", part.name)?;
    }
    match (&detector.liveness, liveness(detector)) {
        (LivenessCheck::None(why), _) => writeln!(out, "  liveness   not asked: {why}")?,
        (_, how) => writeln!(out, "  liveness   {}", how.unwrap_or_default())?,
    }
    let names = |names: &[String]| if names.is_empty() { "by hand".to_owned() } else { names.join(", ") };
    writeln!(out, "  revoke     {}", names(&detector.revoke))?;
    if let Some(console) = &detector.console {
        writeln!(out, "  console    {console}")?;
    }
    detector.links.iter().try_for_each(|link| writeln!(out, "  see        {link}"))
}
