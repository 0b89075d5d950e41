//! Looks at what the door of `respond watch` has heard: the folders that the settings name are scanned, findings that were named are
//! read again where they stand, and each is asked about anew. What is found is kept, and the pass that follows decides about it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail};
use jiff::Timestamp;

use super::args::Targets;
use super::asks::{Asks, validate};
use super::clones::is_in_clone;
use super::output::say;
use super::quieting::Quieting;
use super::settings::Settings;
use super::{recall, triage};
use crate::detect::DetectorSet;
use crate::model::{Coverage, Finding, Liveness, Notice, NoticeKind};
use crate::report;
use crate::respond::{Delivery, Waiting};
use crate::secret::FingerprintKey;
use crate::store::Store;

/// What becomes of a delivery once its notices were told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It was answered: the same again says nothing new.
    Answered,
    /// A person was told, and may have it looked at again.
    Told,
    /// The look failed or found nothing: there is another, later.
    Again,
    /// There was no look, because the watch ends.
    Ended,
}

/// One that was looked at.
pub(super) struct Looked {
    pub(super) waiting: Waiting,
    pub(super) notices: Vec<Notice>,
    pub(super) end: End,
}

/// What is looked with.
struct Look<'s> {
    settings: &'s Settings,
    set: DetectorSet,
    key: Arc<FingerprintKey>,
    roots: Vec<PathBuf>,
    stop: &'s Arc<AtomicBool>,
}

/// What a scan found, each with when it was found first.
type Found = Vec<(Finding, Timestamp)>;

/// Looks at what `waits`, and gives what is to be told of all, and of each. Nothing is forgotten here.
pub(super) fn looked(waits: Vec<Waiting>, settings: &Settings, stop: &Arc<AtomicBool>) -> (Vec<Notice>, Vec<Looked>) {
    // Scanning has threads of its own and waits for them; here others are waited for.
    let gone = std::thread::scope(|scope| scope.spawn(|| look(&waits, settings, stop)).join());
    let why = match gone {
        Ok(Ok(looked)) => return looked,
        Ok(Err(error)) => format!("what was heard could not be looked at: {error:#}"),
        Err(_) => "what was heard could not be looked at".to_owned(),
    };
    let again = waits.into_iter().map(|waiting| Looked { waiting, notices: Vec::new(), end: End::Again });
    (vec![Notice::held(why, settings.clock.now())], again.collect())
}

fn look(waits: &[Waiting], settings: &Settings, stop: &Arc<AtomicBool>) -> anyhow::Result<(Vec<Notice>, Vec<Looked>)> {
    let roots = settings.operator.watch.webhook.iter().flat_map(|webhook| &webhook.look).map(PathBuf::from).collect();
    let look = Look { settings, set: settings.detectors()?, key: Arc::new(settings.fingerprint_key()?), roots, stop };
    let mut notices = Vec::new();
    // What was named all the same is looked at.
    let scan = look.scanned();
    if let (Err(error), false) = (&scan, look.ends()) {
        let why = format!("what [watch.webhook] looks at could not be scanned, and is scanned again: {error:#}");
        notices.push(Notice::held(why, settings.clock.now()));
    }
    let each = waits.iter().map(|waiting| {
        let (notices, end) = match (waiting.delivery(), &scan) {
            _ if look.ends() => (Vec::new(), End::Ended),
            (Some(Delivery::Findings(prints)), _) => look.named(waiting, prints),
            (_, Err(_)) => (Vec::new(), End::Again),
            (Some(Delivery::Alert { repository, number, kind }), Ok(found)) => {
                look.alerted(waiting, (repository, *number, kind), found)
            }
            (Some(Delivery::Overflow(at)), Ok(_)) => {
                let why = format!(
                    "since {at} more alerts of GitHub's came than may wait, and which is not known: all that [watch.webhook] looks at was \
                     scanned; look at GitHub's list of alerts"
                );
                (vec![look.left(why)], End::Told)
            }
            // It cannot be read; a look is what it asked for.
            (None, Ok(_)) => (Vec::new(), End::Told),
        };
        Looked { waiting: waiting.clone(), notices, end }
    });
    Ok((notices, each.collect()))
}

impl Look<'_> {
    fn ends(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn left(&self, why: String) -> Notice {
        Notice { kind: NoticeKind::Left, ..Notice::held(why, self.settings.clock.now()) }
    }

    /// Scans what the settings name, and keeps what is found there. An error where not all of it was seen, or kept.
    fn scanned(&self) -> anyhow::Result<Found> {
        if self.roots.is_empty() {
            return Ok(Vec::new());
        }
        // Whoever can write there has no say in what is seen.
        let all = Targets::of(self.roots.clone(), Quieting::none());
        let targets = Targets { no_ignore: true, stop: Arc::clone(self.stop), ..all };
        // Nobody waits for CloudTrail here; whoever responds asks it.
        let asks = Asks { no_cloudtrail: true, ..Asks::ANEW };
        let (groups, gathered) = triage::triage(&targets, &asks, self.settings, (&self.set, &self.key))?;
        let findings = groups.findings();
        triage::keep(&findings, self.settings)?;
        for trouble in &gathered.coverage.troubles {
            say(&report::clean(&format!("staunch: not read: {}: {}", trouble.path, trouble.why)));
        }
        let whole = |path: &str| self.roots.iter().any(|root| root.as_os_str() == path);
        if let Some(trouble) = gathered.coverage.troubles.iter().find(|trouble| whole(&trouble.path)) {
            bail!("{}: {}", trouble.path, trouble.why);
        }
        if gathered.coverage.interrupted {
            bail!("it was interrupted");
        }
        let store = self.store()?;
        let now = self.settings.clock.now();
        let seen = |finding: Finding| {
            let first = store.seen(&finding)?.map_or(now, |(first, _)| first);
            anyhow::Ok((finding, first))
        };
        findings.into_iter().map(seen).collect()
    }

    fn store(&self) -> anyhow::Result<Store> {
        let state = self.settings.state.as_ref().context("watching needs a state folder; name one with --state")?;
        Ok(Store::open(state)?)
    }

    /// What comes of an alert: GitHub does not say which value it is about.
    fn alerted(&self, waiting: &Waiting, alert: (&str, u64, &str), found: &Found) -> (Vec<Notice>, End) {
        let (repository, number, kind) = alert;
        let fits = |finding: &Finding| {
            let begins = |name: &str| name.split(['-', '_']).next() == kind.split('_').next();
            begins(&finding.detector) || begins(&finding.provider)
        };
        let about = found.iter().filter(|(finding, first)| {
            *first >= waiting.since() && (fits(finding) || is_in_clone(finding, repository, &self.roots))
        });
        let about: Vec<&Finding> = about.map(|(finding, _)| finding).collect();
        // What its provider did not answer for, the pass does nothing about.
        let answered = |finding: &&Finding| {
            let liveness = &finding.liveness.liveness;
            liveness.is_usable() || matches!(liveness, Liveness::Dead(_))
        };
        if about.iter().any(answered) {
            return (Vec::new(), End::Answered);
        }
        let names: Vec<String> = self.roots.iter().map(|root| root.display().to_string()).collect();
        let prints: Vec<String> = about.iter().map(|finding| finding.fingerprint.short()).collect();
        let what = if names.is_empty() {
            "names nothing that is new here: [watch.webhook] names nothing to look at".to_owned()
        } else if prints.is_empty() {
            let names = names.join(", ");
            format!("names nothing that is new here ({names}): it was found before, or stands elsewhere")
        } else {
            format!("may be about {}, and whether it is live is not known", prints.join(", "))
        };
        let what = format!("GitHub's alert {number} of {repository} ({kind}) {what}");
        if names.is_empty() || waiting.is_last() {
            return (vec![self.left(format!("{what}; `staunch triage --history` the repository"))], End::Told);
        }
        let held = Notice::held(format!("{what}; it is looked at again, for an hour and a half"), self.settings.clock.now());
        (if waiting.is_new() { vec![held] } else { Vec::new() }, End::Again)
    }

    /// What comes of findings that were named.
    fn named(&self, waiting: &Waiting, prints: &[String]) -> (Vec<Notice>, End) {
        let (mut notices, mut end) = (Vec::new(), End::Answered);
        for print in prints {
            let (told, one) = self.one(waiting, print).unwrap_or_else(|error| {
                let why = format!("the finding {print} could not be looked at, and is looked at again: {error:#}");
                (vec![Notice::held(why, self.settings.clock.now())], End::Again)
            });
            notices.extend(told);
            if one != End::Answered {
                end = one;
            }
        }
        (notices, if self.ends() { End::Ended } else { end })
    }

    /// Reads a finding that was named again where it stands, and asks about it.
    fn one(&self, waiting: &Waiting, print: &str) -> anyhow::Result<(Vec<Notice>, End)> {
        let mut found = self.store()?.find(print)?;
        found.retain(|finding| finding.fingerprint.to_string() == print);
        if found.is_empty() {
            let why = format!("a finding {print} was reported that is not known here: `staunch triage` where it stands");
            return Ok((vec![self.left(why)], End::Told));
        }
        let (mut notices, mut end, now) = (Vec::new(), End::Answered, self.settings.clock.now());
        for finding in found {
            let mut groups = recall::again(&finding, &self.set, &self.key, self.settings);
            if groups.0.is_empty() {
                let why = format!("it was reported, and {}; nothing is done about what cannot be asked", finding.unread());
                notices.push(Notice::about(&finding, NoticeKind::Left, why, now));
                continue;
            }
            let mut coverage = Coverage::default();
            validate(&mut groups, (&self.set, &self.key), (&[], &Asks::ANEW), (self.settings, &mut coverage))?;
            triage::name_playbooks(&mut groups)?;
            let asked = groups.findings();
            triage::keep(&asked, self.settings)?;
            for finding in asked {
                let Liveness::Unknown(why) = &finding.liveness.liveness else { continue };
                let why = format!("it was reported, and whether it is live cannot be asked: {why}");
                if waiting.is_last() {
                    notices.push(Notice::about(&finding, NoticeKind::Left, why, now));
                    continue;
                }
                end = End::Again;
                if waiting.is_new() {
                    let why = format!("{why}; it is asked again, for an hour and a half");
                    notices.push(Notice::about(&finding, NoticeKind::Held, why, now));
                }
            }
        }
        Ok((notices, end))
    }
}
