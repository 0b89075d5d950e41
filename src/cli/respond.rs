//! `staunch respond plan|approve|apply|resume|undo|evidence|status`; `watch` has a file of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, ensure};

use super::args::{ByHand, Mode, RespondArgs, RespondCommand, Targets};
use super::asks::Asks;
use super::drafts::drafted;
use super::exit::Exit;
use super::hands::{Matter, Reach, guard, hands, recall as recalling};
use super::notify::Teller;
use super::output::{Output, say};
use super::quieting::Quieting;
use super::settings::{Settings, block_on, block_on_or_interrupt};
use super::{ending, recall, triage};
use crate::attest::Signer;
use crate::model::{Credential, Finding, Liveness, Notice, Plan, Proved, Run, RunState, StepState};
use crate::report;
use crate::respond::{Folder, Playbooks, Recall, RespondError, Runner, Turn, Waves, approve, builtin_playbooks, replayed};
use crate::scan::Target;

/// What is said where this process is asked to end before anything is touched.
pub(super) const INTERRUPTED: &str =
    "interrupted while the credential was read again; nothing was changed, and the same again goes on";

pub(super) fn run(args: &RespondArgs, settings: &Settings) -> anyhow::Result<Exit> {
    match &args.what {
        RespondCommand::Plan { what, playbook, mode } => plan(what, (playbook.as_deref(), *mode), settings),
        RespondCommand::Approve { digest, name, key } => sign(digest, name, key, settings),
        RespondCommand::Apply { digests, hand, max_failures, at_once } => match digests.as_slice() {
            [digest] => {
                let (plan, digest) = folder(settings)?.plan(digest)?;
                let runner = runner(&plan, hand, settings)?;
                let run = carry_out(&runner, runner.apply(&digest));
                super::glass::tell(settings)?;
                ended(&run?, settings)
            }
            several => {
                let waves = Waves { at_once: *at_once, most_failures: *max_failures };
                super::waves::apply(several, (hand, waves), settings)
            }
        },
        RespondCommand::Resume { run, hand } => {
            let plan = replayed(&folder(settings)?.run(run)?)?.plan;
            let runner = runner(&plan, hand, settings)?;
            let gone = carry_out(&runner, runner.resume(run));
            super::glass::tell(settings)?;
            ended(&gone?, settings)
        }
        RespondCommand::Undo { run, secret_stdin, done } => {
            let hand = ByHand { secret_stdin: *secret_stdin, done: done.clone(), ..ByHand::default() };
            let plan = replayed(&folder(settings)?.run(run)?)?.plan;
            let runner = runner(&plan, &hand, settings)?;
            ended(&carry_out(&runner, runner.undo(run))?, settings)
        }
        RespondCommand::Evidence { what } => super::evidence::run(what, settings),
        RespondCommand::Watch(args) => super::watch::run(args, settings),
        RespondCommand::Status { run } => status(run.as_deref(), settings),
    }
}

/// Waits for a run. Whoever ends this process ends it after the step that is being taken, and says so.
fn carry_out(runner: &Runner, run: impl Future<Output = Result<Run, RespondError>>) -> anyhow::Result<Run> {
    Ok(block_on(async {
        let mut run = std::pin::pin!(run);
        loop {
            tokio::select! {
                done = &mut run => return done,
                true = ending::asked() => {
                    say("staunch: stopping after this step; `staunch respond resume` goes on");
                    runner.stop.store(true, Ordering::Relaxed);
                }
            }
        }
    })??)
}

/// Prints how a run ended, and then tells whom the settings name; Ctrl-C ends the telling.
fn ended(run: &Run, settings: &Settings) -> anyhow::Result<Exit> {
    let exit = told(run, settings);
    let finding = recall::planned(&run.plan, settings).ok();
    let notice = Notice::of_run(run, finding.as_ref(), settings.clock.now());
    let teller = Teller::default();
    block_on(async {
        tokio::select! {
            () = teller.tell(&notice, settings) => {}
            true = ending::asked() => say("staunch: not everybody was told"),
        }
    })?;
    exit
}

pub(super) fn folder(settings: &Settings) -> anyhow::Result<Folder> {
    let state = settings.state.as_ref().context("responding needs a state folder; name one with --state")?;
    super::state::make_folder(state).with_context(|| format!("cannot make the state folder {}", state.display()))?;
    Ok(Folder::open(state)?)
}

/// A name of a finding looks like one: hex digits, at least eight, perhaps after a key id.
fn is_fingerprint(text: &str) -> bool {
    let digest = text.split_once('-').map_or(text, |(_, digest)| digest);
    digest.len() >= 8 && digest.bytes().all(|b| b.is_ascii_hexdigit()) && !Path::new(text).exists()
}

fn plan(what: &[String], wanted: (Option<&str>, Mode), settings: &Settings) -> anyhow::Result<Exit> {
    let folder = folder(settings)?;
    let (named, mode) = wanted;
    let mut playbooks = Playbooks::new(&builtin_playbooks())?;
    // A name that does not exist is said before anything is looked at.
    ensure!(
        named.is_none_or(|id| playbooks.get(id).is_some()),
        "there is no playbook {:?}; `staunch playbooks list` names them all",
        named.unwrap_or_default()
    );
    if named.is_none() {
        let mode = if mode == Mode::Rotate { "rotate" } else { "contain" };
        playbooks.0.retain(|playbook| playbook.mode == mode);
    }
    let (mut matters, mut targets) = (Vec::new(), Vec::new());
    for text in what {
        if is_fingerprint(text) {
            let finding = recall::finding(text, settings)?;
            let again = recall::again(&finding, &settings.detectors()?, &settings.fingerprint_key()?, settings);
            let variants = again.0.into_iter().flat_map(|group| group.variants).collect();
            matters.push((finding, variants));
        } else {
            targets.push(PathBuf::from(text));
        }
    }
    let mut complete = true;
    if !targets.is_empty() {
        let (found, whole) = triaged(targets, settings)?;
        matters.extend(found);
        complete = whole;
    }
    ensure!(!matters.is_empty(), "nothing was found that a playbook is for and that may be live");
    let (mut failures, several, reach) = (0, matters.len() > 1, Reach::new(settings)?);
    for (finding, plan) in drafted(matters, (&playbooks, named), (&reach, settings))? {
        match plan.and_then(|plan| keep(&finding, plan, &folder, settings)) {
            Ok(()) => {}
            Err(error) if several => {
                failures += 1;
                say(&format!("staunch: {}: {error:#}", finding.fingerprint.short()));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(if failures > 0 || !complete { Exit::Error } else { Exit::Findings })
}

/// A finding, and the credentials behind it, while they are in memory.
pub(super) type Found = (Finding, Vec<Credential>);

/// Triages targets; gives what is worth a plan, and whether everything could be read.
fn triaged(targets: Vec<PathBuf>, settings: &Settings) -> anyhow::Result<(Vec<Found>, bool)> {
    // A key pasted by a responder is looked at, whatever is written beside it.
    let pasted = targets.iter().any(|target| target.as_os_str() == "-");
    let quieting = if pasted { Quieting::none() } else { Quieting::default() };
    let targets = Targets::of(targets, quieting);
    let set = settings.detectors()?;
    let key = Arc::new(settings.fingerprint_key()?);
    let (groups, gathered) = triage::triage(&targets, &Asks::ANEW, settings, (&set, &key))?;
    triage::save(&groups.findings(), settings);
    for trouble in &gathered.coverage.troubles {
        say(&report::clean(&format!("staunch: not read: {}: {}", trouble.path, trouble.why)));
    }
    let worth = |finding: &Finding| finding.playbook.is_some() && !matches!(finding.liveness.liveness, Liveness::Dead(_));
    let found = groups.0.into_iter().filter(|group| worth(&group.finding)).map(|group| (group.finding, group.variants));
    Ok((found.collect(), gathered.coverage.is_complete()))
}

/// Keeps a plan, and shows it.
fn keep(finding: &Finding, mut plan: Plan, folder: &Folder, settings: &Settings) -> anyhow::Result<()> {
    if let Some((first, last)) = recall::seen(finding, settings)? {
        plan.times.seen(first, last, !finding.owners.is_empty());
    }
    let digest = folder.keep(&plan)?;
    Output::open(settings.output.as_ref())?.write(|out| {
        if settings.format == super::args::Format::Human {
            report::plan(&plan, &digest, settings.look, out)?;
            writeln!(out, "  next  staunch respond apply {}", &digest[..12])
        } else {
            writeln!(out, "{}", serde_json::json!({ "digest": digest, "plan": plan }))
        }
    })
}

fn runner(plan: &Plan, hand: &ByHand, settings: &Settings) -> anyhow::Result<Runner> {
    runner_with(plan, (hand, &Reach::new(settings)?), settings)
}

/// The same, over clients that others use as well.
pub(super) fn runner_with(plan: &Plan, (hand, reach): (&ByHand, &Reach), settings: &Settings) -> anyhow::Result<Runner> {
    let recall = recaller(plan, (hand.secret_stdin, reach), settings)?;
    let requester = hand.requester.clone().or_else(|| settings.user()).unwrap_or_else(|| "unknown".to_owned());
    super::asks::forget(plan.fingerprint, settings)?;
    let by = By { requester, confirmed: hand.done.clone(), look_again: hand.look_again.after() };
    let runner = block_on_or_interrupt(acting(&Matter::of_plan(plan), (recall, reach), by, settings))?;
    ensure!(!ending::was_asked(), INTERRUPTED);
    Ok(Runner { break_glass: hand.break_glass.clone(), ..runner })
}

/// For whom a plan is carried out, which steps that person says are done, and how long after the last change it looks once more.
pub(super) struct By {
    pub(super) requester: String,
    pub(super) confirmed: Vec<String>,
    pub(super) look_again: Duration,
}

/// Whoever carries out a plan.
pub(super) async fn acting(
    matter: &Matter,
    (recall, reach): (Box<Recall>, &Reach),
    By { requester, confirmed, look_again }: By,
    settings: &Settings,
) -> anyhow::Result<Runner> {
    Ok(Runner {
        hands: hands(matter, (recall, reach), settings).await?,
        folder: folder(settings)?,
        guard: guard(settings),
        stop_file: settings.operator.stop_file.as_ref().map(PathBuf::from),
        look_again,
        turn: Turn::default(),
        approvers: settings.operator.approvers.clone(),
        stop: Arc::default(),
        // A key that cannot be read must not keep anyone from stopping a credential.
        signer: settings.signer().unwrap_or_else(|error| {
            say(&report::clean(&format!("staunch: the evidence will not be signed: {error:#}")));
            None
        }),
        confirmed,
        requester,
        break_glass: None,
    })
}

/// The same where it was found alone.
pub(super) fn recalled(plan: &Plan, settings: &Settings) -> anyhow::Result<Box<Recall>> {
    recaller(plan, (false, &Reach::new(settings)?), settings)
}

/// Reads the leaked value again where it was found, or from standard input once.
fn recaller(plan: &Plan, (secret_stdin, reach): (bool, &Reach), settings: &Settings) -> anyhow::Result<Box<Recall>> {
    let Ok(finding) = recall::planned(plan, settings) else { return Ok(Box::new(|_| Vec::new())) };
    let set = reach.detectors();
    let key = settings.fingerprint_key()?;
    let groups = if secret_stdin {
        let groups = recall::only(&finding, (vec![Target::Stdin(Box::new(std::io::stdin()))], None), (set, &key, settings));
        ensure!(!groups.0.is_empty(), "what was given on standard input is not the credential that the plan is about");
        groups
    } else {
        ending::listen();
        let groups = recall::again(&finding, set, &key, settings);
        ensure!(!ending::was_asked(), INTERRUPTED);
        groups
    };
    Ok(recalling(plan.fingerprint, groups.0.into_iter().flat_map(|group| group.variants).collect()))
}

fn sign(digest: &str, name: &str, key: &Path, settings: &Settings) -> anyhow::Result<Exit> {
    let folder = folder(settings)?;
    let (_, digest) = folder.plan(digest)?;
    let pem = std::fs::read_to_string(key).with_context(|| format!("cannot read {}", key.display()))?;
    let signer = Signer::from_pem(&pem).with_context(|| key.display().to_string())?;
    let approval = approve(&digest, name, &signer, &settings.operator.approvers, settings.clock.now())?;
    folder.keep_approval(&approval)?;
    say(&format!("{name} approved {digest} until {}", approval.expires));
    Ok(Exit::Clean)
}

fn told(run: &Run, settings: &Settings) -> anyhow::Result<Exit> {
    let kept = folder(settings)?.run(&run.id)?;
    let (evidence, signed) = (kept.evidence(), kept.signed_evidence());
    let since = if run.state == RunState::Done { super::evidence::undone_since(run, settings)? } else { None };
    Output::open(settings.output.as_ref())?.write(|out| {
        if settings.format != super::args::Format::Human {
            return writeln!(out, "{}", serde_json::json!(run));
        }
        report::run(run, settings.look, out)?;
        if evidence.exists() {
            let said = result_of(&evidence);
            let before = if run.state == RunState::Undone { " (of before it was walked back)" } else { "" };
            if signed.exists() {
                writeln!(
                    out,
                    "  evidence  {said}: {}{before}; check it with staunch respond evidence {}",
                    signed.display(),
                    run.id
                )?;
            } else {
                let note = "not signed: the settings file names no key ([evidence] sign_with)";
                writeln!(out, "  evidence  {said}: {}{before}, {note}", evidence.display())?;
            }
        }
        if let Some(since) = &since {
            writeln!(out, "  BUT       {since}: the credential may be live again; look with staunch triage --refresh")?;
        }
        match run.state {
            RunState::Done => writeln!(out, "  undo      staunch respond undo {}", run.id),
            RunState::Open | RunState::Waiting | RunState::Stopped => {
                let back = run
                    .steps
                    .iter()
                    .any(|step| matches!(step.state, StepState::Undoing | StepState::Undone | StepState::UndoFailed));
                if !back {
                    writeln!(out, "  go on     staunch respond resume {}", run.id)?;
                }
                writeln!(out, "  undo      staunch respond undo {}", run.id)
            }
            RunState::Undone | RunState::Abandoned => Ok(()),
        }
    })?;
    Ok(if since.is_some() { Exit::Findings } else { exit_of(run) })
}

/// How a run that ended so ends the program: all done, something left to be done, or an error.
pub(super) fn exit_of(run: &Run) -> Exit {
    match run.state {
        RunState::Done if run.has_failed() => Exit::Error,
        RunState::Done if run.proved() != Proved::All => Exit::Findings,
        RunState::Done | RunState::Undone | RunState::Abandoned => Exit::Clean,
        RunState::Waiting => Exit::Findings,
        RunState::Open | RunState::Stopped => Exit::Error,
    }
}

/// What evidence says: its result, and why it is no better.
fn result_of(evidence: &Path) -> String {
    let text = std::fs::read(evidence).unwrap_or_default();
    let said: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
    let said = &said["predicate"];
    // Evidence of earlier versions has no verdict.
    let because = said["staunch"]["because"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str);
    let because: Vec<&str> = because.collect();
    let result = said["result"].as_str().unwrap_or("unreadable");
    let plain = || if because.is_empty() { result.to_owned() } else { format!("{result} ({})", because.join("; ")) };
    report::clean(&said["staunch"]["verdict"].as_str().map_or_else(plain, str::to_owned))
}

fn status(run: Option<&str>, settings: &Settings) -> anyhow::Result<Exit> {
    let folder = folder(settings)?;
    if let Some(run) = run {
        return told(&replayed(&folder.run(run)?)?, settings);
    }
    let mut worst = Exit::Clean;
    Output::open(settings.output.as_ref())?.write(|out| {
        for run in folder.runs().map_err(std::io::Error::other)? {
            match replayed(&run) {
                Ok(run) if settings.format == super::args::Format::Human => report::run(&run, settings.look, out)?,
                Ok(run) => writeln!(out, "{}", serde_json::json!(run))?,
                Err(error) => {
                    worst = Exit::Error;
                    say(&format!("staunch: {}: {error}", run.id));
                }
            }
        }
        Ok(())
    })?;
    Ok(worst)
}
