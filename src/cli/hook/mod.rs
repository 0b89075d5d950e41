//! `staunch hook`, and the scan of what is staged: what git is about to commit or push is looked at before it does.

mod input;
mod install;

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Instant;

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};

use super::args::{Format, Least, Targets};
use super::exit::{Exit, FailOn};
use super::output::{Output, complain};
use super::quieting::Quieting;
use super::scan;
use super::settings::Settings;
use crate::detect::DetectorSet;
use crate::report;
use crate::scan::{Gathered, Groups};
use crate::secret::FingerprintKey;
use crate::source::git::GitPlace;
use crate::source::git::incoming::Changes;

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
    /// What git gave the hook: for pre-push, the remote's name and URL. The hook's own name may stand before it.
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

/// A repository that is being read while the detectors are made ready: half of what a hook has to do, and on another core.
pub(super) struct Begun(JoinHandle<anyhow::Result<(GitPlace, Changes)>>);

impl Begun {
    fn new(read: impl FnOnce() -> anyhow::Result<(GitPlace, Changes)> + Send + 'static) -> Self {
        Self(std::thread::spawn(read))
    }

    fn done(self) -> anyhow::Result<(GitPlace, Changes)> {
        self.0.join().unwrap_or_else(|_| bail!("reading the repository failed; please report it"))
    }
}

/// Begins `staunch scan --staged`.
pub(super) fn begin(targets: &[PathBuf]) -> anyhow::Result<Begun> {
    let dir = match targets {
        [] => PathBuf::from("."),
        [dir] => dir.clone(),
        _ => bail!("--staged looks at one repository"),
    };
    Ok(Begun::new(move || {
        let place = GitPlace::find(&dir, &input::environment())?;
        let changes = crate::source::git::incoming::staged(&place)?;
        Ok((place, changes))
    }))
}

/// Ends it.
pub(super) fn finish(
    begun: Begun,
    targets: &Targets,
    with: (&Settings, &DetectorSet, &FingerprintKey),
) -> anyhow::Result<(Groups, Gathered)> {
    let (place, changes) = begun.done()?;
    gather(targets, (&place, &changes), with)
}

fn gather(
    targets: &Targets,
    (place, changes): (&GitPlace, &Changes),
    with: (&Settings, &DetectorSet, &FingerprintKey),
) -> anyhow::Result<(Groups, Gathered)> {
    let root = place.root().to_owned();
    scan::gather(targets, std::slice::from_ref(&root), with, |request| crate::scan::run_changes(changes, &root, request))
}

/// Which hook this is, and what git gave it. The hook's name may stand first, as in `hook run pre-push`. None when it is not known.
fn named<'a>(args: &'a RunArgs, settings: &Settings) -> Option<(Kind, &'a [String])> {
    if let Some(kind) = args.kind {
        return Some((kind, &args.given));
    }
    let first = args.given.first().and_then(|first| Kind::ALL.into_iter().find(|kind| kind.name() == first));
    if let Some(kind) = first {
        return Some((kind, &args.given[1..]));
    }
    let kind = input::kind(settings);
    // git gives a commit's nothing: whoever gives it something means another.
    (kind != Kind::Commit || args.given.is_empty()).then_some((kind, args.given.as_slice()))
}

/// `staunch hook run`. Whatever it could not read blocks what git is about to do.
fn look(args: &RunArgs, settings: &Settings) -> anyhow::Result<Exit> {
    let started = Instant::now();
    let Some((kind, given)) = named(args, settings) else {
        complain(&anyhow::anyhow!("a commit's hook is given nothing: which hook this is must be said with --type"));
        return Ok(Exit::Usage);
    };
    let blocked = || format!("{} blocked: it could not be looked at", kind.stops().what());
    let given = input::Given::new(given, settings);
    let begun = Begun::new(move || {
        let place = GitPlace::find(Path::new("."), &input::environment())?;
        let changes = input::changes(kind, &place, &given)?;
        Ok((place, changes))
    });
    let mut quieting = args.quieting.clone();
    // On a server, what is pushed has no say in what is reported of it.
    quieting.untrusted |= kind == Kind::Receive;
    let (confidence, fail_on) = (args.confidence, FailOn::Any);
    let targets = Targets { confidence, fail_on, ..Targets::of(Vec::new(), quieting) };
    let set = settings.detectors().with_context(blocked)?;
    let key = settings.fingerprint_key().with_context(blocked)?;
    let (place, changes) = begun.done().with_context(blocked)?;
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
