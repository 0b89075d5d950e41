//! `staunch respond watch`: a pass over the store, again and again, until Ctrl-C; each thing that was done or left is said here and
//! to whomever the settings name.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::Args;
use clap::builder::FalseyValueParser;

use super::args::Format;
use super::exit::Exit;
use super::hands::{Matter, Reach, recall as recalling};
use super::output::{Output, say};
use super::respond::{acting, folder, recalled};
use super::settings::{Settings, block_on};
use super::{notify, recall};
use crate::model::{Notice, NoticeKind};
use crate::report;
use crate::respond::{Allowed, Playbooks, Policy, RespondError, Runner, Watcher, Work, builtin_playbooks};
use crate::store::Store;

/// As whom it acts, in journals.
const WHO: &str = "staunch respond watch";

#[derive(Debug, Args)]
pub(super) struct WatchArgs {
    /// Look once and end: for a scheduler.
    #[arg(long, env = "STAUNCH_ONCE", value_parser = FalseyValueParser::new())]
    once: bool,
    /// You looked at the runs that came to a stop: they hold back nothing any more.
    #[arg(long, env = "STAUNCH_LOOKED", value_parser = FalseyValueParser::new())]
    looked: bool,
    /// Seconds between two passes.
    #[arg(long, value_name = "SECONDS", env = "STAUNCH_EVERY", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
}

pub(super) fn run(args: &WatchArgs, settings: &Settings) -> anyhow::Result<Exit> {
    ensure!(args.once || settings.output.is_none(), "--output holds one pass: use it with --once");
    let folder = folder(settings)?;
    let state = settings.state.as_ref().context("watching needs a state folder; name one with --state")?;
    let _lock = match folder.watching() {
        Err(RespondError::Busy(_)) => bail!("another staunch watches this state folder"),
        taken => taken?,
    };
    let playbooks = Playbooks::new(&builtin_playbooks())?;
    let policy = policy(settings, &playbooks)?;
    if policy.allow.is_empty() && !settings.quiet {
        say(
            "staunch: the settings file has no [[watch.allow]]: nothing is done without a person, live findings are only told",
        );
    }
    let store = Store::open(state)?;
    let stop_file = settings.operator.stop_file.as_ref().map(PathBuf::from);
    let (clock, policy, playbooks) = (&*settings.clock, &policy, &playbooks);
    let watcher = Watcher { store: &store, folder: &folder, policy, playbooks, stop_file, clock };
    if args.looked {
        watcher.looked()?;
    }
    block_on(async {
        let (mut held, mut worst) = (BTreeSet::new(), Exit::Clean);
        loop {
            // A pass is not cut short: it ends after the step that is being taken at its latest.
            let notices =
                watcher.pass(&async |work| make(work, settings).await.map_err(|error| format!("{error:#}"))).await?;
            worst = worst.max(tell(notices, &mut held, settings).await?);
            if args.once {
                return Ok(worst);
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(args.every)) => {}
                _ = tokio::signal::ctrl_c() => return Ok(Exit::Clean),
            }
        }
    })?
}

/// What the settings allow, with names that exist.
fn policy(settings: &Settings, playbooks: &Playbooks) -> anyhow::Result<Policy> {
    let watch = &settings.operator.watch;
    for one in &watch.allow {
        if playbooks.get(&one.playbook).is_none() {
            bail!(
                "[[watch.allow]] names a playbook {:?} that does not exist; `staunch playbooks list` names them all",
                one.playbook
            );
        }
    }
    let allow = watch.allow.iter().map(|one| Allowed {
        playbook: one.playbook.clone(),
        detectors: one.detectors.clone(),
        accounts: one.accounts.clone(),
    });
    Ok(Policy {
        allow: allow.collect(),
        runs_per_hour: watch.runs_per_hour,
        runs_per_account: watch.runs_per_account,
        failures: watch.failures,
    })
}

/// Whoever acts on a finding or goes on with a run.
async fn make(work: Work<'_>, settings: &Settings) -> anyhow::Result<Runner> {
    let who = (WHO.to_owned(), Vec::new());
    let reach = &Reach::new(settings)?;
    match work {
        Work::Begin(finding, playbook) => {
            super::asks::forget(finding.fingerprint, settings)?;
            let again = recall::again(finding, &settings.detectors()?, &settings.fingerprint_key()?, settings);
            let variants = again.0.into_iter().flat_map(|group| group.variants).collect();
            acting(&Matter::of_finding(finding, playbook), (recalling(finding.fingerprint, variants), reach), who, settings)
                .await
        }
        Work::GoOn(plan) => {
            super::asks::forget(plan.fingerprint, settings)?;
            acting(&Matter::of_plan(plan), (recalled(plan, settings)?, reach), who, settings).await
        }
    }
}

/// Says what was done or left; what holds everything back only when it is new.
async fn tell(notices: Vec<Notice>, held: &mut BTreeSet<String>, settings: &Settings) -> anyhow::Result<Exit> {
    let (mut worst, mut now, mut new) = (Exit::Clean, BTreeSet::new(), Vec::new());
    for notice in notices {
        worst = worst.max(match notice.kind {
            NoticeKind::Done | NoticeKind::Undone => Exit::Clean,
            NoticeKind::Left | NoticeKind::Waits | NoticeKind::Held => Exit::Findings,
            NoticeKind::Failed => Exit::Error,
        });
        let text = format!("{} {}", notice.fingerprint, notice.lines.join(" "));
        let known = notice.kind == NoticeKind::Held && (now.insert(text.clone()), held.contains(&text)).1;
        new.extend((!known).then_some(notice));
    }
    *held = now;
    Output::open(settings.output.as_ref())?.write(|out| {
        new.iter().try_for_each(|notice| match settings.format {
            Format::Human => report::notice(notice, settings.look, out),
            _ => writeln!(out, "{}", serde_json::json!(notice)),
        })
    })?;
    for notice in &new {
        notify::tell(notice, settings).await;
    }
    Ok(worst)
}
