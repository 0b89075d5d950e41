//! `staunch respond watch`: a pass over the store, again and again, until Ctrl-C; each thing that was done or left is said here and
//! to whomever the settings name.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::Args;
use clap::builder::FalseyValueParser;
use tokio::sync::Notify;

use super::args::{Format, LookAgain};
use super::door::Door;
use super::exit::Exit;
use super::hands::{Matter, Reach, recall as recalling};
use super::heard::{self, End, Looked};
use super::notify::Teller;
use super::output::{Output, say};
use super::respond::{By, INTERRUPTED, acting, folder, recalled};
use super::settings::{Settings, block_on};
use super::{ending, recall};
use crate::model::{Notice, NoticeKind};
use crate::report;
use crate::respond::{
    Allowed, Ear, Folder, Playbooks, Policy, RespondError, Runner, Waiting, Watcher, Work, builtin_playbooks,
};
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
    #[command(flatten)]
    look_again: LookAgain,
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
    say_what_is_allowed(&policy, settings);
    let store = Store::open(state)?;
    let stop_file = settings.operator.stop_file.as_ref().map(PathBuf::from);
    let (clock, policy, playbooks) = (&*settings.clock, &policy, &playbooks);
    let (stop, every) = (Arc::new(AtomicBool::new(false)), Duration::from_secs(args.every));
    let (ending, looked_at) = (Arc::clone(&stop), RefCell::default());
    let watcher =
        Watcher { store: &store, folder: &folder, policy, playbooks, stop_file, stop: ending, clock, looked_at, every };
    if args.looked {
        watcher.looked()?;
    }
    folder.sweep_heard();
    let door = if args.once { None } else { door(settings, &folder)? };
    let mut looks = settings.operator.watch.webhook.is_some();
    let herald = Herald::new(settings);
    block_on(async {
        let wake = until_asked_to_end(&stop);
        let mut looked = false;
        loop {
            // What was begun comes before what is new.
            let make = async |work: Work<'_>| make(work, (args.look_again.after(), &stop), settings).await;
            herald.tell_of_glass(&folder).await?;
            let gone = Box::pin(watcher.pass(&make, &async |notice| herald.tell(notice).await)).await;
            herald.end_of_pass()?;
            if let Err(error) = gone {
                if args.once {
                    return Err(error.into());
                }
                // It is what somebody must know, and no reason to stop watching.
                herald.tell(Notice { kind: NoticeKind::Failed, ..Notice::held(error.to_string(), clock.now()) }).await;
            }
            if stop.load(Ordering::Relaxed) {
                return Ok(herald.worst());
            }
            let waits: Vec<Waiting> = folder.heard();
            let next = waits.iter().filter_map(|waiting| waiting.pause(clock.now())).min();
            let waits: Vec<Waiting> = waits.into_iter().filter(|one| one.pause(clock.now()).is_none()).collect();
            // Once between two waits, whatever becomes of it; the pass that follows decides about what was found.
            if !std::mem::replace(&mut looked, false) && (std::mem::take(&mut looks) || !waits.is_empty()) {
                look(waits, (&folder, door.as_ref().map(|door| &*door.ear)), &herald, &stop).await;
                looked = true;
                continue;
            }
            if args.once {
                return Ok(herald.worst());
            }
            let every = Duration::from_secs(args.every);
            tokio::select! {
                () = tokio::time::sleep(next.map_or(every, |next| next.min(every)).max(Duration::from_secs(1))) => {}
                () = knocked(door.as_ref()) => {}
                () = wake.notified() => return Ok(herald.worst()),
            }
        }
    })?
}

fn say_what_is_allowed(policy: &Policy, settings: &Settings) {
    if policy.allow.is_empty() && !settings.quiet {
        say(
            "staunch: the settings file has no [[watch.allow]]: nothing is done without a person, live findings are only told",
        );
    }
}

/// Looks at what was heard. Each is forgotten after what there is to say of it was said, so that no crash loses it.
async fn look(waits: Vec<Waiting>, (folder, ear): (&Folder, Option<&Ear>), herald: &Herald<'_>, stop: &Arc<AtomicBool>) {
    let (notices, each) = heard::looked(waits, herald.settings, stop);
    for notice in notices {
        herald.tell(notice).await;
    }
    for Looked { waiting, notices, end } in each {
        for notice in notices {
            herald.tell(notice).await;
        }
        match end {
            End::Ended => {}
            End::Again => {
                if let Err(error) = folder.hear_again(&waiting, herald.settings.clock.now()) {
                    say(&format!("staunch: what was heard is looked at again at once: {error}"));
                }
            }
            End::Answered | End::Told => {
                if let Some(ear) = ear.filter(|_| end == End::Answered) {
                    ear.remember(waiting.name());
                }
                folder.settle(&waiting);
            }
        }
    }
}

/// Wakes whoever waits, and says so, when this process is asked to end: heard from now on, in a pass and between passes.
fn until_asked_to_end(stop: &Arc<AtomicBool>) -> Arc<Notify> {
    let (wake, flag) = (Arc::new(Notify::new()), Arc::clone(stop));
    let woken = Arc::clone(&wake);
    tokio::spawn(async move {
        while asked_to_end().await {
            say("staunch: ending after this step; the next watch, or `staunch respond resume`, goes on");
            flag.store(true, Ordering::Relaxed);
            ending::set();
            woken.notify_one();
        }
    });
    wake
}

/// Opens the door that the settings name; whoever knocks wakes the next pass.
fn door(settings: &Settings, folder: &Folder) -> anyhow::Result<Option<Door>> {
    let Some(webhook) = &settings.operator.watch.webhook else { return Ok(None) };
    let secret = settings.secret(&webhook.secret)?;
    let secret = secret.with_context(|| format!("the secret of [watch.webhook]: {}", webhook.secret.unset()))?;
    let ear = Arc::new(Ear::new(&secret).map_err(anyhow::Error::msg)?);
    let door = super::door::open(webhook.listen, ear, (folder, &settings.clock))?;
    if !settings.quiet {
        say(&format!("staunch: listening for deliveries at http://{}", door.address));
        if !door.address.ip().is_loopback() {
            say(
                "staunch: what comes there is not encrypted, and anyone who reaches it may knock: put what ends TLS before it",
            );
        }
    }
    Ok(Some(door))
}

/// Waits until somebody knocks; for ever where there is no door.
async fn knocked(door: Option<&Door>) {
    match door {
        Some(door) => door.heard.notified().await,
        None => std::future::pending().await,
    }
}

/// Ctrl-C, a terminal that went away, or whoever ends services. False where signals cannot be heard.
async fn asked_to_end() -> bool {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut term), Ok(mut hangup)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup())) else {
            return tokio::signal::ctrl_c().await.is_ok();
        };
        tokio::select! {
            said = tokio::signal::ctrl_c() => said.is_ok(),
            _ = term.recv() => true,
            _ = hangup.recv() => true,
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.is_ok()
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
async fn make(work: Work<'_>, (look_again, stop): (Duration, &AtomicBool), settings: &Settings) -> Result<Runner, String> {
    let made = made(work, look_again, settings).await;
    // It may have been heard here first.
    if ending::was_asked() {
        stop.store(true, Ordering::Relaxed);
    }
    made.map_err(|error| format!("{error:#}"))
}

async fn made(work: Work<'_>, look_again: Duration, settings: &Settings) -> anyhow::Result<Runner> {
    let who = By { requester: WHO.to_owned(), confirmed: Vec::new(), look_again };
    let reach = &Reach::new(settings)?;
    match work {
        Work::Begin(finding, playbook) => {
            super::asks::forget(finding.fingerprint, settings)?;
            ending::listen();
            let again = recall::again(finding, &settings.detectors()?, &settings.fingerprint_key()?, settings);
            ensure!(!ending::was_asked(), INTERRUPTED);
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

/// Hands notices on as they arise: to the channels first, then to whoever reads standard output.
struct Herald<'s> {
    settings: &'s Settings,
    teller: Teller,
    worst: Cell<Exit>,
    /// What holds everything back is said when it is new: in the last pass, and in this one.
    held: RefCell<(BTreeSet<String>, BTreeSet<String>)>,
    /// What a file is to hold.
    text: RefCell<Vec<u8>>,
}

impl<'s> Herald<'s> {
    /// Tells of whoever acted without approvals and told nobody.
    async fn tell_of_glass(&self, folder: &Folder) -> Result<(), RespondError> {
        for run in folder.untold() {
            if let Some(notice) = super::glass::about(&run, self.settings) {
                self.tell(notice).await;
                folder.told(&run)?;
            }
        }
        Ok(())
    }

    fn new(settings: &'s Settings) -> Self {
        let (teller, worst) = (Teller::default(), Cell::new(Exit::Clean));
        Self { settings, teller, worst, held: RefCell::default(), text: RefCell::default() }
    }

    fn worst(&self) -> Exit {
        self.worst.get()
    }

    async fn tell(&self, notice: Notice) {
        self.worst.set(self.worst.get().max(match notice.kind {
            NoticeKind::Done | NoticeKind::Replaced | NoticeKind::Undone => Exit::Clean,
            NoticeKind::Left | NoticeKind::Waits | NoticeKind::Held | NoticeKind::Unproved | NoticeKind::Partly => {
                Exit::Findings
            }
            NoticeKind::Failed | NoticeKind::BrokeGlass => Exit::Error,
        }));
        // What is about no credential is about all of them: a store that cannot be read, every minute.
        if notice.kind == NoticeKind::Held || notice.fingerprint.is_empty() {
            let text = format!("{} {}", notice.fingerprint, notice.lines.join(" "));
            let mut held = self.held.borrow_mut();
            let known = held.0.contains(&text);
            if !held.1.insert(text) || known {
                return;
            }
        }
        self.teller.tell(&notice, self.settings).await;
        let mut text = Vec::new();
        // Writing to memory does not fail.
        let _ = match self.settings.format {
            Format::Human => report::notice(&notice, self.settings.look, &mut text),
            _ => writeln!(text, "{}", serde_json::json!(notice)),
        };
        if self.settings.output.is_some() {
            self.text.borrow_mut().extend(text);
        } else if let Err(error) = Output::open(None).and_then(|out| out.write(|out| out.write_all(&text))) {
            // Nobody reads any more; the channels were told.
            say(&format!("staunch: {error:#}"));
        }
    }

    fn end_of_pass(&self) -> anyhow::Result<()> {
        let mut held = self.held.borrow_mut();
        held.0 = std::mem::take(&mut held.1);
        let text = self.text.borrow();
        match &self.settings.output {
            Some(path) => Output::open(Some(path))?.write(|out| out.write_all(&text)),
            None => Ok(()),
        }
    }
}
