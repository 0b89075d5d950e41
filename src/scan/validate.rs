//! From scanning threads to async: asks providers about every group at once. `net` keeps each host's bounds; here no
//! credential is asked about twice at a time, and what was answered a short while ago is not asked again.

mod answers;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::Groups;
use crate::detect::{Detector, DetectorSet};
use crate::model::{Checked, Clock, Credential, Identity, Liveness};
use crate::secret::{Fingerprint, Scrubber};
use crate::validate::{Said, Validator};

pub use answers::Answers;
use answers::Kept;

/// To close connections. Only a name that is still being looked up takes all of it.
const CLOSING: Duration = Duration::from_millis(200);

/// Whom to ask, about what, and where answers are kept.
pub struct Asking<'a> {
    /// Every detector.
    pub set: &'a DetectorSet,
    /// Asks.
    pub validator: &'a Validator,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Only detectors of these classes; of all where there is none.
    pub classes: &'a [String],
    /// What was answered before.
    pub answers: Option<Answers<'a>>,
}

/// How asking went.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// False when Ctrl-C came first: what was not answered by then is Unknown.
    pub finished: bool,
    /// Answers that were not asked for again.
    pub remembered: usize,
    /// Why answers could not be read or kept. Asking goes on without.
    pub trouble: Option<String>,
}

impl Asking<'_> {
    /// Whether credentials of that detector are to be asked about.
    fn wants(&self, detector: &Detector) -> bool {
        self.classes.is_empty() || self.classes.contains(&detector.class)
    }
}

/// Fills in every finding's liveness.
///
/// # Errors
/// When the system gives no threads for it; nothing was asked then.
pub fn validate(groups: &mut Groups, asking: Asking<'_>) -> std::io::Result<Asked> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let asked = runtime.block_on(ask_all(groups, asking));
    // What still waits for an answer is not waited for; but its connections are closed, or whoever asks the same host next
    // may get one that closes under its request.
    runtime.shutdown_timeout(CLOSING);
    groups.sort();
    Ok(asked)
}

/// Says in every finding what would be asked. Asks nothing, and gives it a line each.
pub fn dry_run(groups: &mut Groups, asking: &Asking<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let Groups(all, scrubber) = groups;
    for group in all {
        let Some(detector) = asking.set.get(&group.finding.detector).filter(|detector| asking.wants(detector)) else {
            continue;
        };
        let (line, why) = match asking.validator.would_ask(detector, &group.variants) {
            Ok(request) => (format!("would ask: {request}"), format!("dry run: would ask {request}")),
            Err(why) => (format!("would not ask: {why}"), format!("dry run: would not ask: {why}")),
        };
        let about = format!("{} {}", group.finding.detector, group.finding.redacted);
        lines.push(scrubber.scrub(&format!("{line} ({about})")));
        group.finding.liveness = Checked { liveness: Liveness::NotChecked(Some(scrubber.scrub(&why))), at: None };
    }
    lines
}

type Answer = (usize, Vec<Credential>, Said);

async fn ask_all(groups: &mut Groups, mut asking: Asking<'_>) -> Asked {
    let mut kept = Kept::new(asking.answers.take(), &asking.validator.detours(), asking.clock.now());
    // From here on, so that none is missed while answers are kept.
    let mut stop = tokio::spawn(tokio::signal::ctrl_c());
    let mut asked = spawn_all(groups, &asking, &mut kept);
    let finished = loop {
        let answer = tokio::select! {
            answer = asked.join_next() => answer,
            _ = &mut stop => break false,
        };
        let Some(answer) = answer else { break true };
        // Whatever came meanwhile is kept with it, at once: the next moment may be the last.
        let mut came = vec![answer];
        came.extend(std::iter::from_fn(|| asked.try_join_next()));
        // A validator that panicked leaves its finding unknown.
        for (number, rivals, said) in came.into_iter().flatten() {
            let group = &mut groups.0[number];
            let at = (!matches!(said.liveness, Liveness::NotChecked(_))).then(|| asking.clock.now());
            group.variants = rivals;
            group.finding.liveness = Checked { liveness: said.liveness, at };
            scrub(&mut group.finding.liveness, &groups.1);
            if said.answered {
                kept.note(number, &group.finding);
            }
        }
        kept.keep(asking.clock.now());
    };
    Asked { finished, remembered: kept.remembered, trouble: kept.trouble }
}

/// One task for each group that must be asked about; those of one credential wait for each other.
fn spawn_all(groups: &mut Groups, asking: &Asking<'_>, kept: &mut Kept<'_>) -> JoinSet<Answer> {
    let mut turns: HashMap<Fingerprint, Arc<Mutex<()>>> = HashMap::new();
    let mut asked = JoinSet::new();
    for (number, group) in groups.0.iter_mut().enumerate() {
        let Some(detector) = asking.set.get(&group.finding.detector) else { continue };
        if !asking.wants(detector) {
            continue;
        }
        let text = asking.set.text(&detector.id).unwrap_or_default();
        // What has expired since is known better than what was answered.
        let expired = group.finding.facts.get("expired").is_some_and(|expired| expired == "true");
        if !expired && let Some(known) = kept.known(number, (&detector.id, text), &group.variants) {
            group.finding.liveness = known;
            continue;
        }
        let (detector, validator) = (detector.clone(), asking.validator.clone());
        let turn = Arc::clone(turns.entry(group.finding.fingerprint).or_default());
        let rivals = std::mem::take(&mut group.variants);
        group.finding.liveness = Checked { liveness: Liveness::Unknown("interrupted".to_owned()), at: None };
        asked.spawn(async move {
            let _turn = turn.lock().await;
            let said = validator.ask(&detector, &rivals).await;
            (number, rivals, said)
        });
    }
    asked
}

/// A provider may echo the credential; it goes no further than here.
fn scrub(checked: &mut Checked, scrubber: &Scrubber) {
    let identity = |identity: &mut Identity| identity.0.values_mut().for_each(|value| *value = scrubber.scrub(value));
    match &mut checked.liveness {
        Liveness::Live(who) => identity(who),
        Liveness::Limited(who, why) => {
            identity(who);
            *why = scrubber.scrub(why);
        }
        Liveness::Dead(why) | Liveness::Unknown(why) => *why = scrubber.scrub(why),
        Liveness::NotChecked(_) => {}
    }
}

#[cfg(test)]
mod tests;
