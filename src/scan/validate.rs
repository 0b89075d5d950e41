//! From scanning threads to async: asks providers about every group at once, within bounds.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Groups;
use crate::detect::DetectorSet;
use crate::model::{Checked, Clock, Credential, Identity, Liveness};
use crate::secret::Scrubber;
use crate::validate::Validator;

/// Credentials being asked about at once, over all providers; `net` bounds each host by itself.
const AT_ONCE: usize = 16;

/// To close connections. Only a name that is still being looked up takes all of it.
const CLOSING: Duration = Duration::from_millis(200);

/// Fills in every finding's liveness. False when Ctrl-C came first: what was not answered by then is Unknown.
///
/// # Errors
/// When the system gives no threads for it; nothing was asked then.
pub fn validate(groups: &mut Groups, set: &DetectorSet, validator: &Validator, clock: &dyn Clock) -> std::io::Result<bool> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let finished = runtime.block_on(ask_all(groups, set, validator, clock));
    // What still waits for an answer is not waited for; but its connections are closed, or whoever asks the same host next
    // may get one that closes under its request.
    runtime.shutdown_timeout(CLOSING);
    let Groups(all, scrubber) = groups;
    for group in all {
        scrub(&mut group.finding.liveness, scrubber);
    }
    groups.sort();
    Ok(finished)
}

type Answer = (usize, Vec<Credential>, Liveness);

async fn ask_all(groups: &mut Groups, set: &DetectorSet, validator: &Validator, clock: &dyn Clock) -> bool {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut asked: JoinSet<Answer> = JoinSet::new();
    for (number, group) in groups.0.iter_mut().enumerate() {
        let Some(detector) = set.get(&group.finding.detector).cloned() else { continue };
        let rivals = std::mem::take(&mut group.variants);
        let (turns, validator) = (Arc::clone(&turns), validator.clone());
        group.finding.liveness = Checked { liveness: Liveness::Unknown("interrupted".to_owned()), at: None };
        asked.spawn(async move {
            let _turn = turns.acquire_owned().await;
            let liveness = validator.check(&detector, &rivals).await;
            (number, rivals, liveness)
        });
    }
    loop {
        let answer = tokio::select! {
            answer = asked.join_next() => answer,
            _ = tokio::signal::ctrl_c() => return false,
        };
        match answer {
            None => return true,
            Some(Ok((number, rivals, liveness))) => {
                let at = (!matches!(liveness, Liveness::NotChecked(_))).then(|| clock.now());
                groups.0[number].variants = rivals;
                groups.0[number].finding.liveness = Checked { liveness, at };
            }
            // A validator that panicked leaves its finding unknown.
            Some(Err(_)) => {}
        }
    }
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
