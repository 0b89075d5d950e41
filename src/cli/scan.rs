//! `staunch scan`: find, and with `--validate` ask.

use std::collections::HashSet;
use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::bail;

use super::args::{Format, Least, ScanArgs, Targets};
use super::asks::{self, Classes};
use super::exit::Exit;
use super::output::{Output, say};
use super::progress;
use super::settings::{Settings, tool};
use crate::detect::DetectorSet;
use crate::model::{Confidence, Coverage, EXPOSURE, PUBLIC, Report};
use crate::report::{self, Remarks};
use crate::scan::{Counters, Gathered, Groups, Request, Target, WalkOptions, WantedHistory};
use crate::secret::FingerprintKey;

pub(super) fn run(args: &ScanArgs, settings: &Settings) -> anyhow::Result<Exit> {
    let started = Instant::now();
    let staged = args.staged.then(|| super::hook::begin(&args.targets.targets)).transpose()?;
    // The process ends with it: to give thousands of pieces of regexes back one by one takes longer than a hook's whole search.
    let set = ManuallyDrop::new(settings.detectors()?);
    let key = settings.fingerprint_key()?;
    let (mut groups, mut gathered) = match staged {
        Some(staged) => super::hook::finish(staged, &args.targets, (settings, &set, &key))?,
        None => look(&args.targets, settings, &set, &key)?,
    };
    // What would be asked is about what --validate asks.
    let wanted = args.validate.clone().or_else(|| args.asks.dry_run.then_some(Classes::ALL));
    if let Some(Classes::These(classes)) = wanted {
        asks::validate(&mut groups, (&set, &key), (&classes, &args.asks), (settings, &mut gathered.coverage))?;
    }
    super::triage::name_playbooks(&mut groups)?;
    if args.save {
        super::triage::save(&groups.findings(), settings);
    }
    let report = report(&groups, gathered, settings, (&set, started));
    write(&report, &set, settings)?;
    Ok(Exit::of(&report.findings, &report.coverage, args.targets.fail_on))
}

/// Scans targets and groups what was found.
pub(super) fn look(
    targets: &Targets,
    settings: &Settings,
    set: &DetectorSet,
    key: &FingerprintKey,
) -> anyhow::Result<(Groups, Gathered)> {
    let mut opened = open(targets, settings, set)?;
    past(&mut opened, targets);
    let paths = paths(&opened);
    gather(targets, &paths, (settings, set, key), |request| crate::scan::run(opened, request))
}

/// Runs a scan whose rules are those of the trees at `paths`, and groups what was found.
pub(super) fn gather(
    targets: &Targets,
    paths: &[PathBuf],
    (settings, set, key): (&Settings, &DetectorSet, &FingerprintKey),
    scan: impl FnOnce(&Request<'_>) -> Gathered,
) -> anyhow::Result<(Groups, Gathered)> {
    let counters = Counters { stop: Arc::clone(&targets.stop), ..Counters::default() };
    let least = match targets.confidence {
        Least::Low => Confidence::Low,
        Least::Medium => Confidence::Medium,
        Least::High => Confidence::High,
    };
    let walk = WalkOptions { no_ignore: targets.no_ignore || targets.places.home, git: targets.past.history };
    let (allowing, mut before) = targets.quieting.begin(paths, settings, (set, key))?;
    let request = Request {
        set,
        allow: &allowing,
        walk,
        archive_depth: targets.archive_depth,
        jobs: settings.jobs,
        least,
        counters: &counters,
    };
    let (mut gathered, made) = progress::during(&counters, settings.quiet, || {
        let mut gathered = scan(&request);
        let made = before.apply(&mut gathered, &counters.stop);
        (gathered, made)
    });
    let mut groups = Groups::new(&mut gathered, set, key, settings.clock.now());
    if targets.public {
        for group in &mut groups.0 {
            group.finding.facts.insert(EXPOSURE.to_owned(), PUBLIC.to_owned());
        }
        groups.sort();
    }
    before.finish(made, (&gathered, &allowing, groups.scrubber()), settings)?;
    Ok((groups, gathered))
}

fn paths(targets: &[Target]) -> Vec<PathBuf> {
    let path = |target: &Target| match target {
        Target::Path(path) | Target::History(path, _) => Some(path.clone()),
        _ => None,
    };
    targets.iter().filter_map(path).collect()
}

/// Adds the histories of the targets, where they are asked for.
fn past(opened: &mut Vec<Target>, targets: &Targets) {
    let past = &targets.past;
    if past.history || !past.since.is_empty() || !past.branch.is_empty() {
        let wanted = WantedHistory { since: past.since.clone(), branches: past.branch.clone() };
        let histories: Vec<Target> = paths(opened).into_iter().map(|path| Target::History(path, wanted.clone())).collect();
        // `--since` and `--branch` ask for history alone.
        if !past.history {
            opened.retain(|target| !matches!(target, Target::Path(_)));
        }
        opened.extend(histories);
    }
}

/// Names → targets. `-` is standard input, once.
fn open(named: &Targets, settings: &Settings, set: &DetectorSet) -> anyhow::Result<Vec<Target>> {
    let mut targets = named.places.open(settings)?;
    let mut before = HashSet::new();
    for path in &named.targets {
        let text = path.to_string_lossy();
        // `.` and `./` are one target, read once.
        if path.canonicalize().is_ok_and(|full| !before.insert(full)) {
            continue;
        }
        if text == "-" {
            targets.push(Target::Stdin(Box::new(std::io::stdin())));
        } else if let Some(image) = named.images.target(&text, settings, (set, named.confidence))? {
            targets.push(image);
        } else if let Some(what) = not_yet(&text) {
            bail!("{text}: {what}");
        } else {
            targets.push(Target::Path(path.clone()));
        }
    }
    if targets.is_empty() && !named.places.any() {
        targets.push(Target::Path(PathBuf::from(".")));
    }
    Ok(targets)
}

/// Targets that EXPERIENCE promises and this version cannot read: better said than searched for as a file name.
fn not_yet(text: &str) -> Option<&'static str> {
    let url = ["https://", "http://", "ssh://", "git://", "git@"].iter().any(|scheme| text.starts_with(scheme));
    url.then_some("git URLs cannot be scanned yet; clone it and scan the folder")
}

/// Puts a report together.
pub(super) fn report(
    groups: &Groups,
    mut gathered: Gathered,
    settings: &Settings,
    (set, started): (&DetectorSet, Instant),
) -> Report {
    let scrubber = groups.scrubber();
    for trouble in &mut gathered.coverage.troubles {
        trouble.path = scrubber.scrub(&trouble.path);
        trouble.why = scrubber.scrub(&trouble.why);
    }
    gathered.coverage.reword(&|reason| scrubber.scrub(reason));
    if settings.verbose > 0 && !settings.quiet {
        let aside = gathered.asides.iter().map(|a| ("put aside", &a.path, a.line, &a.detector, a.reason));
        let noted = gathered.notes.iter().map(|note| {
            let word = if note.allowed { "allowed" } else { "disregarded" };
            (word, &note.path, note.line, &note.detector, &*note.reason)
        });
        for (word, path, line, detector, reason) in aside.chain(noted) {
            say(&report::clean(&scrubber.scrub(&format!("{word}: {path}:{line} {detector} ({reason})"))));
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    Report { tool: tool(set), findings: groups.findings(), coverage: gathered.coverage, seconds }
}

/// Writes a report in the format that was asked for, and says what a format left out.
pub(super) fn write(report: &Report, set: &DetectorSet, settings: &Settings) -> anyhow::Result<()> {
    let mut remarks = Remarks::default();
    let infos = || super::detectors::infos(set);
    Output::open(settings.output.as_ref())?.write(|out| {
        match settings.format {
            Format::Human => report::findings(report, settings.look, out)?,
            Format::Json => report::json(report, out)?,
            Format::Jsonl => report::jsonl(report, out)?,
            Format::Sarif => remarks = report::sarif(report, &infos(), out)?,
            Format::Github => report::github(report, &infos(), out)?,
            Format::Gitlab => report::gitlab(report, &infos(), settings.clock.now(), out)?,
            Format::Csv => remarks = report::csv(report, out)?,
            Format::Html => report::html(report, &infos(), out)?,
            Format::Dot => report::dot(report, out)?,
        }
        Ok(())
    })?;
    if settings.output.is_some() && !report.coverage.is_complete() {
        say(&format!("staunch: {}", report::clean(&incomplete(&report.coverage))));
    }
    // Beside the result even when quiet: whoever reads the result must know that it is not all.
    remarks.all().iter().for_each(|remark| say(&format!("staunch: {remark}")));
    Ok(())
}

/// Why a scan whose result stands in a file was not complete, in a line.
fn incomplete(coverage: &Coverage) -> String {
    let more = coverage.troubles.len() as u64 + coverage.more_troubles;
    match coverage.troubles.first() {
        Some(trouble) if more > 1 => {
            format!("INCOMPLETE: {}: {}; and {} more, which stand in the result", trouble.path, trouble.why, more - 1)
        }
        Some(trouble) => format!("INCOMPLETE: {}: {}", trouble.path, trouble.why),
        None => "INCOMPLETE: the scan was interrupted before its end".to_owned(),
    }
}
