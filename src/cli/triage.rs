//! `staunch triage` and `staunch verify`: find, ask, attribute, keep.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, bail};

use super::args::{Least, Targets, TriageArgs, VerifyArgs};
use super::asks::{Asks, validate};
use super::exit::{Exit, FailOn};
use super::quieting::Quieting;
use super::settings::Settings;
use super::{recall, scan};
use crate::detect::DetectorSet;
use crate::model::{Coverage, Finding, Occurrence, Provenance};
use crate::respond::{Playbooks, builtin_playbooks};
use crate::scan::{Gathered, Groups};
use crate::secret::FingerprintKey;
use crate::store::Store;

pub(super) fn run(args: &TriageArgs, settings: &Settings) -> anyhow::Result<Exit> {
    let started = Instant::now();
    let set = settings.detectors()?;
    let key = Arc::new(settings.fingerprint_key()?);
    let (groups, gathered) = triage(&args.targets, &args.asks, settings, (&set, &key))?;
    save(&groups.findings(), settings);
    let report = scan::report(&groups, gathered, settings, (&set, started));
    scan::write(&report, &set, settings)?;
    Ok(Exit::of(&report.findings, &report.coverage, args.targets.fail_on))
}

/// Scan, validation and ownership of targets.
pub(super) fn triage(
    targets: &Targets,
    asks: &Asks,
    settings: &Settings,
    (set, key): (&DetectorSet, &Arc<FingerprintKey>),
) -> anyhow::Result<(Groups, Gathered)> {
    let (mut groups, mut gathered) = scan::look(targets, settings, set, key)?;
    validate(&mut groups, (set, key), (&[], asks), (settings, &mut gathered.coverage))?;
    super::owners::attribute(&mut groups, &mut gathered.coverage, (targets, asks, settings, key));
    name_playbooks(&mut groups)?;
    // Where it is used says how bad it is.
    groups.sort();
    Ok((groups, gathered))
}

/// Fills in which playbook would run.
pub(super) fn name_playbooks(groups: &mut Groups) -> anyhow::Result<()> {
    // Reading the playbooks is a tenth of what a scan without findings takes to start.
    if groups.0.is_empty() {
        return Ok(());
    }
    let playbooks = Playbooks::new(&builtin_playbooks()).context("built-in playbooks have mistakes")?;
    for group in &mut groups.0 {
        group.finding.playbook = playbooks.for_detector(&group.finding.detector).map(|playbook| playbook.id.clone());
    }
    Ok(())
}

/// Keeps findings in the store; says so where that fails.
pub(super) fn save(findings: &[Finding], settings: &Settings) {
    if let Err(error) = keep(findings, settings) {
        // A read-only home must not keep anyone from triage; responding will say it again.
        super::output::say(&format!("staunch: {error:#}"));
    }
}

/// Keeps findings in the store, with paths that mean the same from every folder. Without a state folder nothing is kept.
pub(super) fn keep(findings: &[Finding], settings: &Settings) -> anyhow::Result<()> {
    let Some(state) = &settings.state else { return Ok(()) };
    let mut findings = findings.to_vec();
    findings.iter_mut().flat_map(|finding| &mut finding.occurrences).for_each(absolute);
    super::state::make_folder(state)
        .map_err(anyhow::Error::from)
        .and_then(|()| Ok(Store::open(state)?.save(&findings, settings.clock.now())?))
        .context("the findings were not kept")
}

/// Names a place so that it can be read again from any folder.
fn absolute(place: &mut Occurrence) {
    let full =
        |path: &str| std::path::absolute(path).map_or_else(|_| path.to_owned(), |full| full.to_string_lossy().into_owned());
    match &mut place.provenance {
        Provenance::Worktree | Provenance::Reported => place.path = full(&place.path),
        // An archive that came by standard input lies nowhere.
        Provenance::Archive { .. } if !place.path.starts_with("<stdin>") => place.path = full(&place.path),
        Provenance::Commit(commit) => commit.repository = commit.repository.as_deref().map(full),
        Provenance::Layer(layer) => {
            let (whole, rest) = (super::images::absolute(&layer.image), place.path.strip_prefix(&layer.image));
            if let (Some(whole), Some(rest)) = (whole, rest) {
                (place.path, layer.image) = (format!("{whole}{rest}"), whole);
            }
        }
        Provenance::Archive { .. } | Provenance::Stdin | Provenance::Environment | Provenance::Staged => {}
    }
}

pub(super) fn verify(args: &VerifyArgs, settings: &Settings) -> anyhow::Result<Exit> {
    let started = Instant::now();
    let set = settings.detectors()?;
    let key = settings.fingerprint_key()?;
    let (mut groups, gathered) = match &args.fingerprint {
        None => {
            let targets = stdin();
            scan::look(&targets, settings, &set, &key)?
        }
        Some(text) => {
            let finding = recall::finding(text, settings)?;
            let groups = recall::again(&finding, &set, &key, settings);
            if groups.0.is_empty() {
                bail!("{}; pipe it into `staunch verify`", finding.unread());
            }
            (groups, Gathered::default())
        }
    };
    if groups.0.is_empty() {
        bail!(
            "no credential was recognised on standard input; give all its parts, like `AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…`"
        );
    }
    let mut coverage = if args.fingerprint.is_some() { Coverage::default() } else { gathered.coverage };
    validate(&mut groups, (&set, &key), (&[], &Asks::ANEW), (settings, &mut coverage))?;
    name_playbooks(&mut groups)?;
    if args.save {
        save(&groups.findings(), settings);
    }
    let gathered = Gathered { coverage, ..Gathered::default() };
    let report = scan::report(&groups, gathered, settings, (&set, started));
    scan::write(&report, &set, settings)?;
    Ok(Exit::of(&report.findings, &report.coverage, FailOn::Live))
}

/// Standard input as the only target. What is handed in by hand is looked at, whatever is written beside it.
pub(super) fn stdin() -> Targets {
    let (targets, quieting) = (vec![PathBuf::from("-")], Quieting::none());
    Targets { confidence: Least::Low, ..Targets::of(targets, quieting) }
}
