//! `staunch respond apply DIGEST DIGEST…`: many plans, in waves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::ensure;

use super::args::{ByHand, Format};
use super::exit::Exit;
use super::hands::Reach;
use super::output::{Output, say};
use super::respond::{self, folder, runner_with};
use super::settings::{Settings, block_on};
use super::{ending, recall};
use crate::model::{Notice, Run};
use crate::report;
use crate::respond::{Ended, Left, Runner, Waves, apply_all};

pub(super) fn apply(digests: &[String], (hand, waves): (&ByHand, Waves), settings: &Settings) -> anyhow::Result<Exit> {
    ensure!(!hand.secret_stdin, "--secret-stdin is one credential; apply its plan alone");
    let (folder, reach) = (folder(settings)?, Reach::new(settings)?);
    let stop: Arc<AtomicBool> = Arc::default();
    let (mut plans, mut contained): (Vec<(Runner, String)>, usize) = (Vec::new(), 0);
    for digest in digests {
        let (plan, digest) = folder.plan(digest)?;
        if plans.iter().any(|(_, other)| *other == digest) {
            continue;
        }
        let runner = runner_with(&plan, (hand, &reach), settings)?;
        let runner = Runner { stop: Arc::clone(&stop), ..runner };
        // What only stops something never waits for those that replace something.
        if plan.mode == "rotate" {
            plans.push((runner, digest));
        } else {
            plans.insert(contained, (runner, digest));
            contained += 1;
        }
    }
    let names: Vec<String> = plans.iter().map(|(_, digest)| digest.clone()).collect();
    let ends = block_on(async {
        let told = |digest: &str, ended: &Ended| {
            if let Ended::Error(error) = ended {
                say(&format!("staunch: {}: {error}", &digest[..12]));
            }
        };
        let rotations = plans.split_off(contained);
        let mut all = std::pin::pin!(async {
            let mut ends = apply_all(plans, waves, &stop, told).await;
            ends.extend(apply_all(rotations, waves, &stop, told).await);
            ends
        });
        loop {
            tokio::select! {
                ends = &mut all => return ends,
                true = ending::asked() => {
                    say("staunch: stopping after the steps that are being taken; `staunch respond resume` goes on");
                    stop.store(true, Ordering::Relaxed);
                }
            }
        }
    })?;
    // What became of them is said before anybody else is told, which may take a while.
    let exit = tell(&names, &ends, settings);
    super::glass::tell(settings)?;
    let teller = super::notify::Teller::default();
    block_on(async {
        let telling = async {
            for run in ends.iter().filter_map(ran) {
                let finding = recall::planned(&run.plan, settings).ok();
                teller.tell(&Notice::of_run(run, finding.as_ref(), settings.clock.now()), settings).await;
            }
        };
        tokio::select! {
            () = telling => {}
            true = ending::asked() => say("staunch: not everybody was told"),
        }
    })?;
    exit
}

fn ran(ended: &Ended) -> Option<&Run> {
    if let Ended::Ran(run) = ended { Some(&**run) } else { None }
}

fn exit_of(ended: &Ended) -> Exit {
    match ended {
        Ended::Ran(run) => respond::exit_of(run),
        Ended::NotBegun(Left::Held(_) | Left::WalkedBack(_)) => Exit::Findings,
        Ended::Error(_) | Ended::NotBegun(Left::Stopped) => Exit::Error,
    }
}

fn tell(names: &[String], ends: &[Ended], settings: &Settings) -> anyhow::Result<Exit> {
    let runs: Vec<&Run> = ends.iter().filter_map(ran).collect();
    Output::open(settings.output.as_ref())?.write(|out| {
        if settings.format != Format::Human {
            return runs.iter().try_for_each(|run| writeln!(out, "{}", serde_json::json!(run)));
        }
        runs.iter().try_for_each(|run| report::run(run, settings.look, out))
    })?;
    let left = names.iter().zip(ends).filter_map(|(name, ended)| match ended {
        Ended::NotBegun(left) => Some((&name[..12], left)),
        _ => None,
    });
    let left: Vec<(&str, &Left)> = left.collect();
    if let Some((_, why)) = left.first() {
        let why = match why {
            Left::Stopped => "too much failed. See `staunch respond status`, then apply them again".to_owned(),
            Left::Held(why) => report::clean(why),
            Left::WalkedBack(run) => format!("run {run} of such a plan was undone or given up: make a new plan"),
        };
        let not: Vec<&str> = left.iter().map(|(name, _)| *name).collect();
        say(&format!("staunch: {} of {} plans were not begun ({}): {why}", not.len(), names.len(), not.join(" ")));
    }
    Ok(ends.iter().map(exit_of).max().unwrap_or(Exit::Clean))
}
