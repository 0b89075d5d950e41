//! `staunch respond plan|approve|apply|resume|undo|status`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Context, bail, ensure};

use super::args::{ByHand, RespondArgs, RespondCommand, Targets};
use super::asks::Asks;
use super::exit::Exit;
use super::output::{Output, say};
use super::quieting::Quieting;
use super::settings::{Settings, block_on, block_on_or_interrupt};
use super::{recall, triage};
use crate::attest::Signer;
use crate::model::{Credential, Finding, Liveness, Plan, Run, RunState, StepState};
use crate::report;
use crate::respond::{
    Folder, Guard, Hands, Playbooks, Recall, RespondError, Runner, approve, builtin_playbooks, draft, replayed,
};
use crate::scan::Target;

/// Changes a run may make.
const MOST_CHANGES: usize = 20;

pub(super) fn run(args: &RespondArgs, settings: &Settings) -> anyhow::Result<Exit> {
    match &args.what {
        RespondCommand::Plan { what } => plan(what, settings),
        RespondCommand::Approve { digest, name, key } => sign(digest, name, key, settings),
        RespondCommand::Apply { digest, hand } => {
            let (plan, digest) = folder(settings)?.plan(digest)?;
            let runner = runner(&plan, hand, settings)?;
            told(&carry_out(&runner, runner.apply(&digest))?, settings)
        }
        RespondCommand::Resume { run, hand } => {
            let plan = replayed(&folder(settings)?.run(run)?)?.plan;
            let runner = runner(&plan, hand, settings)?;
            told(&carry_out(&runner, runner.resume(run))?, settings)
        }
        RespondCommand::Undo { run } => {
            let plan = replayed(&folder(settings)?.run(run)?)?.plan;
            let nobody = ByHand { secret_stdin: false, requester: None };
            let runner = runner(&plan, &nobody, settings)?;
            told(&carry_out(&runner, runner.undo(run))?, settings)
        }
        RespondCommand::Status { run } => status(run.as_deref(), settings),
    }
}

/// Waits for a run. Ctrl-C ends it after the step that is being taken, and says so.
fn carry_out(runner: &Runner, run: impl Future<Output = Result<Run, RespondError>>) -> anyhow::Result<Run> {
    let done = block_on(async {
        let mut run = std::pin::pin!(run);
        loop {
            tokio::select! {
                done = &mut run => return done,
                _ = tokio::signal::ctrl_c() => {
                    say("staunch: stopping after this step; `staunch respond resume` goes on");
                    runner.stop.store(true, Ordering::Relaxed);
                }
            }
        }
    });
    Ok(done??)
}

fn folder(settings: &Settings) -> anyhow::Result<Folder> {
    let state = settings.state.as_ref().context("responding needs a state folder; name one with --state")?;
    super::state::make_folder(state).with_context(|| format!("cannot make the state folder {}", state.display()))?;
    Ok(Folder::open(state)?)
}

/// A name of a finding looks like one: hex digits, at least eight, perhaps after a key id.
fn is_fingerprint(text: &str) -> bool {
    let digest = text.split_once('-').map_or(text, |(_, digest)| digest);
    digest.len() >= 8 && digest.bytes().all(|b| b.is_ascii_hexdigit()) && !Path::new(text).exists()
}

fn plan(what: &[String], settings: &Settings) -> anyhow::Result<Exit> {
    let folder = folder(settings)?;
    let (mut findings, mut targets) = (Vec::new(), Vec::new());
    for text in what {
        if is_fingerprint(text) {
            findings.push(recall::finding(text, settings)?);
        } else {
            targets.push(PathBuf::from(text));
        }
    }
    let mut complete = true;
    if !targets.is_empty() {
        let (found, whole) = triaged(targets, settings)?;
        findings.extend(found);
        complete = whole;
    }
    ensure!(!findings.is_empty(), "nothing was found that a playbook is for and that may be live");
    let playbooks = Playbooks::new(&builtin_playbooks())?;
    let mut failures = 0;
    for finding in &findings {
        match one_plan(finding, &playbooks, &folder, settings) {
            Ok(()) => {}
            Err(error) if findings.len() > 1 => {
                failures += 1;
                say(&format!("staunch: {}: {error:#}", finding.fingerprint.short()));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(if failures > 0 || !complete { Exit::Error } else { Exit::Findings })
}

/// Triages targets; gives what is worth a plan, and whether everything could be read.
fn triaged(targets: Vec<PathBuf>, settings: &Settings) -> anyhow::Result<(Vec<Finding>, bool)> {
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
    let findings = groups.findings().into_iter().filter(worth).collect();
    Ok((findings, gathered.coverage.is_complete()))
}

fn one_plan(finding: &Finding, playbooks: &Playbooks, folder: &Folder, settings: &Settings) -> anyhow::Result<()> {
    let known = |name: &str| finding.liveness.liveness.identity().and_then(|identity| identity.get(name)).map(str::to_owned);
    let account = finding.facts.get("account").cloned().or_else(|| known("account"));
    let nothing: Box<Recall> = Box::new(|_| Vec::new());
    let plan = block_on_or_interrupt(async {
        let hands = hands(account.as_deref(), nothing, settings).await?;
        Ok::<Plan, anyhow::Error>(draft(finding, playbooks, &hands, &guard(settings)).await?)
    })?;
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

fn guard(settings: &Settings) -> Guard {
    let accounts = settings.operator.accounts.iter().map(|account| account.id.clone()).collect();
    Guard { accounts, protected: settings.operator.protected.clone(), most_changes: MOST_CHANGES }
}

/// The responder's clients for an account, and what STS says of them.
async fn hands(account: Option<&str>, recall: Box<Recall>, settings: &Settings) -> anyhow::Result<Hands> {
    let net = Arc::new(settings.net()?);
    let listed = settings.operator.accounts.iter().find(|listed| Some(listed.id.as_str()) == account);
    let responder = net.responder(listed.and_then(|listed| listed.profile.as_deref())).await?;
    let who = responder.sts.get_caller_identity().send().await;
    let who = who.map_err(|error| {
        use aws_sdk_sts::error::ProvideErrorMetadata;
        let why = error.code().unwrap_or("no answer that can be read");
        anyhow::anyhow!(
            "STS does not take the responder's own credentials ({why}); `aws sts get-caller-identity` shows the same"
        )
    })?;
    let (Some(arn), Some(account)) = (who.arn(), who.account()) else { bail!("STS did not say who the responder is") };
    let (responder_arn, account) = (arn.to_owned(), account.to_owned());
    Ok(Hands { net, responder, responder_arn, account, recall, clock: Arc::clone(&settings.clock) })
}

fn runner(plan: &Plan, hand: &ByHand, settings: &Settings) -> anyhow::Result<Runner> {
    let folder = folder(settings)?;
    let recall = recaller(plan, hand, settings)?;
    let account = plan.target.get("account").map(String::as_str);
    let hands = block_on_or_interrupt(hands(account, recall, settings))?;
    super::asks::forget(plan.fingerprint, settings)?;
    Ok(Runner {
        hands,
        folder,
        guard: guard(settings),
        stop_file: settings.operator.stop_file.as_ref().map(PathBuf::from),
        approvers: settings.operator.approvers.clone(),
        stop: Arc::default(),
        requester: hand.requester.clone().or_else(|| settings.user()).unwrap_or_else(|| "unknown".to_owned()),
    })
}

/// Reads the leaked value again where it was found, or from standard input once.
fn recaller(plan: &Plan, hand: &ByHand, settings: &Settings) -> anyhow::Result<Box<Recall>> {
    let finding = recall::finding(&plan.fingerprint.to_string(), settings).ok();
    let Some(finding) = finding else { return Ok(Box::new(|_| Vec::new())) };
    let set = settings.detectors()?;
    let key = settings.fingerprint_key()?;
    let groups = if hand.secret_stdin {
        let groups = recall::only(&finding, vec![Target::Stdin(Box::new(std::io::stdin()))], (&set, &key, settings));
        ensure!(!groups.0.is_empty(), "what was given on standard input is not the credential that the plan is about");
        groups
    } else {
        recall::again(&finding, &set, &key, settings)
    };
    let variants: Vec<Credential> = groups.0.into_iter().flat_map(|group| group.variants).collect();
    let fingerprint = plan.fingerprint;
    Ok(Box::new(move |wanted| {
        let wanted = (*wanted == fingerprint).then_some(&variants);
        wanted.map_or_else(Vec::new, |variants| variants.iter().map(Credential::duplicate).collect())
    }))
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
    let evidence = folder(settings)?.run(&run.id)?.evidence();
    Output::open(settings.output.as_ref())?.write(|out| {
        if settings.format != super::args::Format::Human {
            return writeln!(out, "{}", serde_json::json!(run));
        }
        report::run(run, settings.look, out)?;
        if evidence.exists() {
            let before = if run.state == RunState::Undone { " (of before it was walked back)" } else { "" };
            writeln!(out, "  evidence  {}{before}", evidence.display())?;
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
    Ok(match run.state {
        RunState::Done | RunState::Undone | RunState::Abandoned => Exit::Clean,
        RunState::Waiting => Exit::Findings,
        RunState::Open | RunState::Stopped => Exit::Error,
    })
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
