//! Looks at what the door of `respond watch` has heard: the folders that the settings name are scanned, findings that were named are
//! read again where they stand, and each is asked about anew. What is found is kept, and the pass that follows decides about it.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;

use super::args::Targets;
use super::asks::{Asks, validate};
use super::output::say;
use super::quieting::Quieting;
use super::settings::Settings;
use super::{recall, triage};
use crate::detect::DetectorSet;
use crate::model::{Coverage, Notice, NoticeKind};
use crate::report;
use crate::respond::{Delivery, Folder};
use crate::secret::FingerprintKey;
use crate::store::Store;

/// Looks, and gives what is to be told. What was heard is forgotten once it was looked at; what went wrong is told and heard again.
pub(super) fn looked(folder: &Folder, settings: &Settings) -> Vec<Notice> {
    let heard = folder.heard();
    let deliveries: Vec<Delivery> = heard.iter().filter_map(|(_, delivery)| delivery.clone()).collect();
    // Scanning has threads of its own and waits for them; here others are waited for.
    let gone = std::thread::scope(|scope| scope.spawn(|| look(&deliveries, settings)).join());
    match gone {
        Ok(Ok(notices)) => {
            for (path, _) in heard {
                // It would be looked at once more.
                let _ = std::fs::remove_file(path);
            }
            notices
        }
        Ok(Err(error)) => {
            vec![left(format!("what was heard could not be looked at: {error:#}"), NoticeKind::Held, settings)]
        }
        Err(_) => vec![left("what was heard could not be looked at".to_owned(), NoticeKind::Held, settings)],
    }
}

fn left(why: String, kind: NoticeKind, settings: &Settings) -> Notice {
    Notice { kind, ..Notice::held(why, settings.clock.now()) }
}

fn look(deliveries: &[Delivery], settings: &Settings) -> anyhow::Result<Vec<Notice>> {
    let state = settings.state.as_ref().context("watching needs a state folder; name one with --state")?;
    let known = || Ok::<_, anyhow::Error>(Store::open(state)?.all()?.len());
    let (set, key, before) = (settings.detectors()?, Arc::new(settings.fingerprint_key()?), known()?);
    let roots: Vec<PathBuf> =
        settings.operator.watch.webhook.iter().flat_map(|webhook| &webhook.look).map(PathBuf::from).collect();
    let mut notices = Vec::new();
    // What was named all the same is looked at.
    let scan = scanned(&roots, (&set, &key), settings);
    if let Err(error) = &scan {
        let why = format!("what [watch.webhook] looks at could not be scanned: {error:#}");
        notices.push(left(why, NoticeKind::Held, settings));
    }
    let found = known()? > before;
    for delivery in deliveries {
        match delivery {
            // It may be one of those, and which is not told.
            Delivery::Alert { .. } if found => {}
            Delivery::Alert { repository, number, kind } => {
                let names: Vec<String> = roots.iter().map(|root| root.display().to_string()).collect();
                let where_ = match (&scan, names.is_empty()) {
                    (Err(_), _) => "what is to be looked at could not be scanned".to_owned(),
                    (Ok(()), true) => "[watch.webhook] names nothing to look at".to_owned(),
                    (Ok(()), false) => names.join(", "),
                };
                let why = format!(
                    "GitHub's alert {number} of {repository} ({kind}) names nothing that is new here ({where_}): it was found before, or \
                     stands elsewhere; `staunch triage` the repository"
                );
                notices.push(left(why, NoticeKind::Left, settings));
            }
            Delivery::Findings(prints) => {
                for print in prints {
                    notices.extend(named(print, (&set, &key), settings)?);
                }
            }
        }
    }
    Ok(notices)
}

/// Scans what the settings name, and keeps what is found there.
fn scanned(roots: &[PathBuf], (set, key): (&DetectorSet, &Arc<FingerprintKey>), settings: &Settings) -> anyhow::Result<()> {
    if roots.is_empty() {
        return Ok(());
    }
    let targets = Targets::of(roots.to_vec(), Quieting::default());
    let (groups, gathered) = triage::triage(&targets, &Asks::ANEW, settings, (set, key))?;
    triage::save(&groups.findings(), settings);
    for trouble in &gathered.coverage.troubles {
        say(&report::clean(&format!("staunch: not read: {}: {}", trouble.path, trouble.why)));
    }
    Ok(())
}

/// Reads a finding that was named again where it stands, and asks about it.
fn named(print: &str, (set, key): (&DetectorSet, &FingerprintKey), settings: &Settings) -> anyhow::Result<Vec<Notice>> {
    let state = settings.state.as_ref().context("watching needs a state folder; name one with --state")?;
    let mut found = Store::open(state)?.find(print)?;
    found.retain(|finding| finding.fingerprint.to_string() == print);
    if found.is_empty() {
        let why = format!("a finding {print} was reported that is not known here: `staunch triage` where it stands");
        return Ok(vec![left(why, NoticeKind::Left, settings)]);
    }
    let mut notices = Vec::new();
    for finding in found {
        let mut groups = recall::again(&finding, set, key, settings);
        if groups.0.is_empty() {
            let why = "it was reported, and its value is no longer readable where it was found; nothing is done about what cannot be asked";
            notices.push(Notice::about(&finding, NoticeKind::Left, why.to_owned(), settings.clock.now()));
            continue;
        }
        validate(&mut groups, (set, key), (&[], &Asks::ANEW), (settings, &mut Coverage::default()))?;
        triage::name_playbooks(&mut groups)?;
        triage::save(&groups.findings(), settings);
    }
    Ok(notices)
}
