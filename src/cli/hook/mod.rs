//! `staunch hook`, and the scan of what is staged: what git is about to commit or push is looked at before it does.

mod input;
mod install;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};

use super::args::{Format, Least, Targets};
use super::exit::{Exit, FailOn};
use super::output::Output;
use super::quieting::Quieting;
use super::scan;
use super::settings::Settings;
use crate::detect::DetectorSet;
use crate::report;
use crate::scan::{Gathered, Groups};
use crate::secret::FingerprintKey;
use crate::source::git::incoming::{Changes, GitPlace};

#[derive(Debug, Args)]
pub(super) struct HookArgs {
    #[command(subcommand)]
    what: HookCommand,
}

#[derive(Debug, Subcommand)]
enum HookCommand {
    /// Write hooks into a repository, or for all of them. A hook that is there already is kept and runs first.
    Install(WhereArgs),
    /// Take the hooks away; what was there before is put back.
    Uninstall(WhereArgs),
    /// Look at what git is about to do: for hooks, and for hook managers to call.
    Run(RunArgs),
}

#[derive(Debug, Args)]
struct WhereArgs {
    /// Which hooks (default: pre-commit; uninstall: all).
    #[arg(long = "type", value_name = "HOOK", value_enum, value_delimiter = ',')]
    kinds: Vec<Kind>,
    /// For every repository of this user, through core.hooksPath in git's own settings.
    #[arg(long)]
    global: bool,
    /// A folder of the repository (default: the current one).
    #[arg(value_name = "DIR", conflicts_with = "global")]
    dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct RunArgs {
    /// Which hook this is (default: pre-push when a hook manager says so, else pre-commit).
    #[arg(long = "type", value_name = "HOOK", value_enum)]
    kind: Option<Kind>,
    /// Report what is less likely too.
    #[arg(long, env = "STAUNCH_CONFIDENCE", value_enum, default_value_t = Least::Medium)]
    confidence: Least,
    #[command(flatten, next_help_heading = "Quieting")]
    quieting: Quieting,
    /// What git gave the hook: for pre-push, the remote's name and URL.
    #[arg(value_name = "ARGUMENT", trailing_var_arg = true)]
    given: Vec<String>,
}

/// The hooks that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// What is about to be committed.
    #[value(name = "pre-commit")]
    Commit,
    /// What is about to be sent to another repository.
    #[value(name = "pre-push")]
    Push,
    /// What is being received, on a server.
    #[value(name = "pre-receive")]
    Receive,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Commit, Self::Push, Self::Receive];

    fn name(self) -> &'static str {
        match self {
            Self::Commit => "pre-commit",
            Self::Push => "pre-push",
            Self::Receive => "pre-receive",
        }
    }

    fn stops(self) -> report::Stopped {
        match self {
            Self::Commit => report::Stopped::Commit,
            Self::Push => report::Stopped::Push,
            Self::Receive => report::Stopped::Receive,
        }
    }
}

pub(super) fn run(args: &HookArgs, settings: &Settings) -> anyhow::Result<Exit> {
    match &args.what {
        HookCommand::Install(args) => install::install(args, settings),
        HookCommand::Uninstall(args) => install::uninstall(args, settings),
        HookCommand::Run(args) => look(args, settings),
    }
}

/// `staunch scan --staged`.
pub(super) fn staged(
    targets: &Targets,
    settings: &Settings,
    (set, key): (&DetectorSet, &FingerprintKey),
) -> anyhow::Result<(Groups, Gathered)> {
    let dir = match targets.targets.as_slice() {
        [] => Path::new("."),
        [dir] => dir,
        _ => bail!("--staged looks at one repository"),
    };
    let place = GitPlace::find(dir, &input::environment())?;
    let changes = crate::source::git::incoming::staged(&place)?;
    gather(targets, (&place, &changes), (settings, set, key))
}

fn gather(
    targets: &Targets,
    (place, changes): (&GitPlace, &Changes),
    with: (&Settings, &DetectorSet, &FingerprintKey),
) -> anyhow::Result<(Groups, Gathered)> {
    let root = place.root().to_owned();
    scan::gather(targets, std::slice::from_ref(&root), with, |request| crate::scan::run_changes(changes, &root, request))
}

/// `staunch hook run`. Whatever it could not read blocks what git is about to do.
fn look(args: &RunArgs, settings: &Settings) -> anyhow::Result<Exit> {
    let started = Instant::now();
    let kind = args.kind.unwrap_or_else(|| input::kind(settings));
    let blocked = || format!("{} blocked: it could not be looked at", kind.stops().what());
    let place = GitPlace::find(Path::new("."), &input::environment()).with_context(blocked)?;
    let changes = input::changes(kind, &place, (&args.given, settings)).with_context(blocked)?;
    let mut quieting = args.quieting.clone();
    // On a server, what is pushed has no say in what is reported of it.
    quieting.untrusted |= kind == Kind::Receive;
    let (confidence, fail_on) = (args.confidence, FailOn::Any);
    let targets = Targets { confidence, fail_on, ..Targets::of(Vec::new(), quieting) };
    let set = settings.detectors().with_context(blocked)?;
    let key = settings.fingerprint_key().with_context(blocked)?;
    let (groups, gathered) = gather(&targets, (&place, &changes), (settings, &set, &key)).with_context(blocked)?;
    let report = scan::report(&groups, gathered, settings, (&set, started));
    let exit = Exit::of(&report.findings, &report.coverage, fail_on);
    if settings.format != Format::Human {
        scan::write(&report, &set, settings)?;
    } else if exit != Exit::Clean || settings.verbose > 0 {
        let write = |out: &mut dyn std::io::Write| report::stopped(&report, kind.stops(), settings.look, out);
        Output::open(settings.output.as_ref())?.write(write)?;
    }
    Ok(exit)
}
