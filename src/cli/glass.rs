//! Tells everybody that somebody has acted without the approvals that a plan asks for: before what came of it, and whatever that is. Where
//! whoever did so ended before, the next to respond or to watch tells it.

use super::notify::Teller;
use super::output::say;
use super::respond::folder;
use super::settings::{Settings, block_on};
use crate::model::{Notice, Run};
use crate::report;
use crate::respond::RespondError;

pub(super) fn tell(settings: &Settings) -> anyhow::Result<()> {
    let folder = folder(settings)?;
    let untold = folder.untold();
    if untold.is_empty() {
        return Ok(());
    }
    let teller = Teller::default();
    Ok(block_on(async {
        let telling = async {
            for run in &untold {
                let Some(notice) = about(run, settings) else { continue };
                say(&report::clean(&format!("staunch: {}", notice.lines.join(" "))));
                teller.tell(&notice, settings).await;
                folder.told(run)?;
            }
            Ok::<(), RespondError>(())
        };
        tokio::select! {
            told = telling => told,
            true = super::ending::asked() => {
                say("staunch: not everybody was told; `staunch respond watch` will");
                Ok(())
            }
        }
    })??)
}

/// What is told of such a run.
pub(super) fn about(run: &Run, settings: &Settings) -> Option<Notice> {
    Notice::of_broken_glass(run, super::recall::planned(&run.plan, settings).ok().as_ref(), settings.clock.now())
}
