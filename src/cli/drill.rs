//! `staunch drill`: the whole chain on a sacrificial credential, each leg measured, the result signed. On the embedded provider
//! unless an account is named; in an account only where the operator's settings say `drill = true`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::Args;
use clap::builder::FalseyValueParser;

use super::args::{Format, LookAgain};
use super::demo::Scratch;
use super::exit::Exit;
use super::output::{Output, say};
use super::settings::{Settings, block_on, tool};
use crate::attest::Statement;
use crate::drill::{Ground, Seed, Stage, Where, clear, drill, statement};
use crate::model::DrillReport;
use crate::report;
use crate::respond::{Playbooks, builtin_playbooks};

#[derive(Debug, Args)]
pub(super) struct DrillArgs {
    /// The playbook to drill.
    #[arg(long, value_name = "ID", env = "STAUNCH_DRILL_PLAYBOOK", default_value = "aws-access-key-contain")]
    playbook: String,
    /// Where: `sandbox`, which is part of this program; or, where its settings say `drill = true`, `aws:ACCOUNT`, an account of yours, or
    /// `vault`, a Vault or an OpenBao of yours.
    #[arg(long, value_name = "PLACE", env = "STAUNCH_DRILL_ON", default_value = "sandbox")]
    on: String,
    /// Only take away what earlier drills left in that account.
    #[arg(long, value_parser = FalseyValueParser::new(), env = "STAUNCH_DRILL_CLEAN")]
    clean: bool,
    #[command(flatten)]
    look_again: LookAgain,
}

pub(super) fn run(args: &DrillArgs, settings: &Settings) -> anyhow::Result<Exit> {
    let playbooks = Playbooks::new(&builtin_playbooks())?;
    let seed = playbooks.get(&args.playbook).and_then(Seed::of);
    let playbook = match (seed, playbooks.get(&args.playbook)) {
        (Some(seed), _) => playbooks.pick(Some(&args.playbook), seed.detector())?,
        (None, Some(playbook)) => playbook.clone(),
        (None, None) => bail!("there is no playbook {:?}; `staunch playbooks list` names them all", args.playbook),
    };
    // What is wrong with the key that signs must be said before anything is planted.
    let signer = settings.signer()?;
    let place = place(&args.on, settings)?;
    if args.clean {
        return clean(place);
    }
    let set = settings.detectors()?;
    let scratch = Scratch::new().context("cannot make a scratch folder")?;
    let clock = Arc::clone(&settings.clock);
    let look_again = if matches!(place, Where::Sandbox) { Duration::ZERO } else { args.look_again.after() };
    let stage = Stage { scratch: &scratch.0, tool: tool(&set), playbooks: &playbooks, clock, look_again };
    let report = drill(&set, &stage, &playbook, place, new_id()?)?;
    drop(scratch);
    let statement = statement(&report);
    let envelope = signer.map(|signer| Statement::seal(&statement, &signer));
    let mut proof = "not signed: the settings file names no key ([evidence] sign_with)".to_owned();
    let mut trusted = true;
    if let Some(envelope) = &envelope {
        match super::evidence::checked(&serde_json::to_vec(envelope)?, settings) {
            Ok((_, signers)) => proof = format!("signed, verified against the trust root {}", signers.join(", ")),
            Err(error) => (proof, trusted) = (format!("signed, but {error}"), false),
        }
    }
    let text = match &envelope {
        Some(envelope) => serde_json::to_string(envelope)?,
        None => format!("{statement:#}\n"),
    };
    let kept = keep(&report, &text, envelope.is_some(), settings)?;
    Output::open(settings.output.as_ref())?.write(|out| {
        if settings.format == Format::Human {
            report::drill(&report, settings.look, out)?;
            let place =
                kept.as_ref().map_or_else(|| "not kept (no state folder)".to_owned(), |path| path.display().to_string());
            writeln!(out, "  evidence   {place}\n             {proof}")
        } else {
            writeln!(
                out,
                "{}",
                serde_json::json!({ "drill": report, "passed": report.passed(), "evidence": kept, "proof": proof })
            )
        }
    })?;
    Ok(if report.passed() && trusted { Exit::Clean } else { Exit::Error })
}

fn new_id() -> anyhow::Result<String> {
    let mut random = [0u8; 6];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut random)
        .map_err(|_| anyhow::anyhow!("the system has no random numbers"))?;
    Ok(data_encoding::HEXLOWER.encode(&random))
}

/// Where the drill takes place. Anything real needs its account listed, its `drill = true`, and a responder that acts in it.
fn place(on: &str, settings: &Settings) -> anyhow::Result<Where> {
    if on == "sandbox" {
        return Ok(Where::Sandbox);
    }
    if on == "vault" {
        return vault(settings);
    }
    let Some(account) = on.strip_prefix("aws:") else {
        bail!(
            "--on {on:?}: a drill takes place on `sandbox`, in an account of yours, `aws:123456789012`, or at a `vault` of yours"
        );
    };
    let listed = settings.operator.accounts.iter().find(|listed| listed.id == account);
    let listed = listed.with_context(|| {
        format!("account {account} is not listed as yours; add it to the settings file under [[responder.aws]] if it is")
    })?;
    ensure!(
        listed.drill,
        "drills make a user in account {account} and take it away again: say `drill = true` at its [[responder.aws]] in the settings \
         file if they may"
    );
    let stop_file = unstopped(settings)?;
    let net = Arc::new(settings.net()?);
    let acting = block_on(super::hands::aws(&net, Some(account), settings))??;
    ensure!(
        acting.account == account,
        "the responder acts in account {}, not in {account}; give that account a profile in the settings file",
        acting.account
    );
    let (responder, protected) = (Some(acting.responder), settings.operator.protected.clone());
    Ok(Where::Account(Box::new(Ground { net, responder, account: account.to_owned(), protected, stop_file, admin: None })))
}

/// The stop file's name; that it is there is an error.
fn unstopped(settings: &Settings) -> anyhow::Result<Option<PathBuf>> {
    let stop_file = settings.operator.stop_file.as_ref().map(PathBuf::from);
    if let Some(file) = stop_file.as_ref().filter(|file| file.exists()) {
        bail!("the stop file {} is there: nothing is changed while it is", file.display());
    }
    Ok(stop_file)
}

/// A Vault or an OpenBao of the operator's, which the settings let be drilled at, and the token to act with.
fn vault(settings: &Settings) -> anyhow::Result<Where> {
    const NAME: &str = "hashicorp-vault";
    let mut listed = settings.operator.providers.iter().filter(|entry| entry.name == NAME && entry.drill);
    let entry = listed.next().with_context(|| {
        format!(
            "drills make a token at a Vault or an OpenBao and revoke it: say `drill = true` at its [[responder.provider]] \
             (name = \"{NAME}\") in the settings file if they may"
        )
    })?;
    let address = entry.address.clone().with_context(|| format!("the [[responder.provider]] {NAME} has no `address`"))?;
    let stop_file = unstopped(settings)?;
    let (_, token) = settings.credential(entry)?.with_context(|| format!("the credential of {NAME} is not set"))?;
    // The token that is planted is asked about there, wherever others are.
    let net = Arc::new(settings.net_to("vault", address.clone(), None)?);
    let account = address.host_str().unwrap_or_default().to_owned();
    let (protected, admin) = (settings.operator.protected.clone(), Some(token));
    Ok(Where::Vault(Box::new(Ground { net, responder: None, account, protected, stop_file, admin })))
}

fn clean(place: Where) -> anyhow::Result<Exit> {
    let Where::Account(ground) = place else {
        bail!("only in an account may something be left behind; name it with --on aws:ACCOUNT")
    };
    let responder = ground.responder.as_ref().context("there is no responder in the account")?;
    let gone = block_on(clear(responder))??;
    match gone.as_slice() {
        [] => say("no drill has left anything there"),
        users => users.iter().for_each(|user| say(&format!("{user} is gone"))),
    }
    Ok(Exit::Clean)
}

/// Keeps the evidence in the state folder.
fn keep(report: &DrillReport, text: &str, signed: bool, settings: &Settings) -> anyhow::Result<Option<PathBuf>> {
    let Some(state) = &settings.state else { return Ok(None) };
    let folder = state.join("drills");
    super::state::make_folder(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let ending = if signed { "dsse.json" } else { "json" };
    let path = folder.join(format!("{}-{}.{ending}", report.began.strftime("%Y%m%dT%H%M%SZ"), report.id));
    write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(Some(path))
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    std::fs::write(path, text)
}
