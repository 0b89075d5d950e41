//! Arguments. Every flag has an environment variable `STAUNCH_*`; flag beats variable beats file.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

use super::asks::{self, Asks, Classes};
use super::drill::DrillArgs;
use super::exit::FailOn;
use super::hook::HookArgs;
use super::images::Images;
use super::own::OwnArgs;
use super::places::Places;
use super::quieting::Quieting;
use super::watch::WatchArgs;

/// Finds leaked keys, proves which are live, names the workload that owns each, and shuts them off.
#[derive(Debug, Parser)]
#[command(name = "staunch", version, propagate_version = true, max_term_width = 100)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// The operator's settings file (default: staunch/config.toml in the XDG config folder).
    #[arg(long, global = true, env = "STAUNCH_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// How to write the result.
    #[arg(long, global = true, env = "STAUNCH_FORMAT", value_enum, default_value_t = Format::Human)]
    pub(super) format: Format,
    /// Where to write the result instead of standard output.
    #[arg(long, short, global = true, env = "STAUNCH_OUTPUT", value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Say nothing beside the result.
    #[arg(long, short, global = true, env = "STAUNCH_QUIET", value_parser = FalseyValueParser::new())]
    pub(super) quiet: bool,
    /// Say more: every place, what was put aside and why. Twice: what the program does; three times: everything.
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// Colours.
    #[arg(long, global = true, env = "STAUNCH_COLOR", value_enum, default_value_t = Color::Auto)]
    pub(super) color: Color,
    /// Scanning threads (default: one a core).
    #[arg(
        long,
        short,
        global = true,
        env = "STAUNCH_JOBS",
        value_name = "N",
        default_value_t = 0,
        hide_default_value = true
    )]
    pub(super) jobs: usize,
    /// Refuse the network outright.
    #[arg(long, global = true, env = "STAUNCH_OFFLINE", value_parser = FalseyValueParser::new())]
    pub(super) offline: bool,
    /// The state folder: findings, runs, the fingerprint key (default: staunch in the XDG state folder).
    #[arg(long, global = true, env = "STAUNCH_STATE", value_name = "DIR")]
    pub(super) state: Option<PathBuf>,
    /// A file with 64 hex digits: an organisation's fingerprint key. The variable may hold the digits themselves.
    #[arg(long, global = true, env = "STAUNCH_FINGERPRINT_KEY", value_name = "FILE", hide_env_values = true)]
    pub(super) fingerprint_key: Option<String>,
    /// A folder of your own detector files; one with a built-in's name takes its place, extends it or switches it off.
    #[arg(long, global = true, env = "STAUNCH_DETECTORS", value_name = "DIR")]
    pub(super) detectors: Option<PathBuf>,
    /// Ask this address instead of a provider's own: `openai=https://gateway.corp`, `aws=http://127.0.0.1:4566`.
    #[arg(long, global = true, env = "STAUNCH_ENDPOINT", value_name = "NAME=URL", value_delimiter = ',')]
    pub(super) endpoint: Vec<String>,
    /// Hosts found in scanned content to which a credential may be sent: `*.corp.example`, an address or a network. A
    /// private address needs --allow-net as well.
    #[arg(long, global = true, env = "STAUNCH_ALLOW_HOST", value_name = "PATTERN", value_delimiter = ',')]
    pub(super) allow_host: Vec<String>,
    /// Private addresses that may be contacted: `10.0.0.0/8`.
    #[arg(long, global = true, env = "STAUNCH_ALLOW_NET", value_name = "CIDR", value_delimiter = ',')]
    pub(super) allow_net: Vec<String>,
    /// Certificate authorities to trust beside this machine's own, in PEM. Proxies are read from HTTPS_PROXY, HTTP_PROXY,
    /// ALL_PROXY (http or socks5) and NO_PROXY.
    #[arg(long, global = true, env = "STAUNCH_CA_FILE", value_name = "FILE")]
    pub(super) ca_file: Option<PathBuf>,
}

/// How to write the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Human,
    /// One JSON object.
    Json,
    /// One JSON object a line, a summary last.
    Jsonl,
    /// SARIF 2.1.0, for GitHub code scanning and others.
    Sarif,
    /// Annotations in the log of a GitHub Actions job.
    Github,
    /// GitLab's secret-detection report.
    Gitlab,
    /// A row a place, for spreadsheets.
    Csv,
    /// One page for a browser, without scripts.
    Html,
    /// A graph for Graphviz: credentials, the workloads that use them, and who decides.
    Dot,
}

/// Whether to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, and when NO_COLOR is not set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Find credentials. Nothing leaves the machine without --validate.
    Scan(ScanArgs),
    /// Find, ask whether it is live, name its workload and owner; most dangerous first.
    Triage(TriageArgs),
    /// Stop a credential: plan, approve, apply, and walk back.
    Respond(RespondArgs),
    /// Ask whether one credential is live: from standard input, or one that was found before.
    Verify(VerifyArgs),
    /// Attest whose a credential is, until a day; list what was attested, or take it back.
    Own(OwnArgs),
    /// Git hooks that stop a credential before it is committed or pushed.
    Hook(HookArgs),
    /// Turn a saved report (json or jsonl) into another format.
    Report(ReportArgs),
    /// List, check or show detectors.
    Detectors(DetectorsArgs),
    /// List, check or show playbooks.
    Playbooks(PlaybooksArgs),
    /// Say all that is known of a kind of credential: how it is recognised, asked and stopped.
    Explain(ExplainArgs),
    /// Plant a sacrificial credential, run the whole chain on it with one playbook, measure each leg, take it away.
    Drill(DrillArgs),
    /// The whole story on an embedded provider: no account and no network needed.
    Demo,
    /// Print shell completions.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man,
}

#[derive(Debug, Args)]
pub(super) struct TriageArgs {
    #[command(flatten)]
    pub(super) targets: Targets,
    #[command(flatten, next_help_heading = "Asking providers")]
    pub(super) asks: Asks,
}

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// A fingerprint, or the beginning of one (default: read the credential from standard input).
    pub(super) fingerprint: Option<String>,
    /// Keep the answer in the store.
    #[arg(long, env = "STAUNCH_SAVE", value_parser = FalseyValueParser::new())]
    pub(super) save: bool,
}

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// A report that --format json or jsonl wrote; `-` for standard input.
    pub(super) file: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct PlaybooksArgs {
    #[command(subcommand)]
    pub(super) what: PlaybooksCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum PlaybooksCommand {
    /// Every playbook, a line each.
    List,
    /// Read playbook files and report every mistake.
    Check {
        /// A folder of playbook files (default: the built-in ones).
        dir: Option<PathBuf>,
    },
    /// A playbook as OASIS CACAO 2.0 (JSON), with what CACAO has no words for in an extension.
    Export {
        /// Its id.
        id: String,
    },
    /// A CACAO 2.0 playbook as a playbook file (TOML), as far as one can say it.
    Import {
        /// The CACAO file.
        file: PathBuf,
    },
    /// One playbook.
    Show {
        /// Its id.
        id: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct RespondArgs {
    #[command(subcommand)]
    pub(super) what: RespondCommand,
}

/// What a response is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Mode {
    /// Exposure or abuse: stop it, prove that it is refused.
    Contain,
    /// Hygiene: put another in its place, then stop it.
    Rotate,
}

#[derive(Debug, Subcommand)]
pub(super) enum RespondCommand {
    /// Say what would be done. Changes nothing.
    Plan {
        /// Fingerprints of findings in the store, or targets to triage first; `-` for standard input.
        #[arg(value_name = "FINGERPRINT|TARGET", required = true)]
        what: Vec<String>,
        /// Another playbook than the one that would run.
        #[arg(long, value_name = "ID", env = "STAUNCH_PLAYBOOK")]
        playbook: Option<String>,
        /// What for: to stop an exposed credential, or to replace one that is in use.
        #[arg(long, value_enum, default_value_t = Mode::Contain, env = "STAUNCH_MODE")]
        mode: Mode,
    },
    /// Sign a plan's digest.
    Approve {
        /// The plan.
        digest: String,
        /// A listed approver's name.
        #[arg(long = "as", value_name = "NAME", env = "STAUNCH_AS")]
        name: String,
        /// The approver's private key: PKCS#8 PEM, as `openssl genpkey -algorithm ed25519` makes it.
        #[arg(long, value_name = "FILE", env = "STAUNCH_KEY")]
        key: PathBuf,
    },
    /// Carry out a plan, or many in waves: one first, then a tenth of them, then the rest.
    Apply {
        /// The plans.
        #[arg(value_name = "DIGEST", required = true)]
        digests: Vec<String>,
        /// Of many plans: failures after which nothing more is begun. One in the first wave is enough.
        #[arg(long, value_name = "N", default_value_t = 3, env = "STAUNCH_MAX_FAILURES")]
        max_failures: usize,
        /// Of many plans: how many at a time.
        #[arg(long, value_name = "N", default_value_t = 4, env = "STAUNCH_AT_ONCE")]
        at_once: usize,
        #[command(flatten)]
        hand: ByHand,
    },
    /// Go on with a run.
    Resume {
        /// The run.
        run: String,
        #[command(flatten)]
        hand: ByHand,
    },
    /// Walk a run back.
    Undo {
        /// The run.
        run: String,
        /// Read the credential that was replaced from standard input, where no store and no file has it any more.
        #[arg(long)]
        secret_stdin: bool,
        /// What this step may have left behind you have looked for, and it is not there.
        #[arg(long, value_name = "STEP")]
        done: Vec<String>,
    },
    /// Check signed evidence against the trust roots of the settings file, and say what it proves.
    Evidence {
        /// A run, or a file with a DSSE envelope.
        #[arg(value_name = "RUN|FILE")]
        what: String,
    },
    /// Act on new findings in the store as the settings file allows without a person, and go on with runs that have waited
    /// long enough.
    Watch(WatchArgs),
    /// Show a run, or all of them.
    Status {
        /// The run.
        run: Option<String>,
    },
}

#[derive(Debug, Default, Args)]
pub(super) struct ByHand {
    /// Read the leaked credential from standard input, where it is no longer where it was found.
    #[arg(long)]
    pub(super) secret_stdin: bool,
    /// Who asks; their own approval does not count.
    #[arg(long, value_name = "NAME", env = "STAUNCH_REQUESTER")]
    pub(super) requester: Option<String>,
    /// A step that a person has done, where nothing can be asked to see it.
    #[arg(long, value_name = "STEP", env = "STAUNCH_DONE", value_delimiter = ',')]
    pub(super) done: Vec<String>,
    /// Stop it now, without the approvals that its plan asks for: changes that can be undone, and no others. Everybody is told, and
    /// the reason stands in the evidence.
    #[arg(long, value_name = "REASON")]
    pub(super) break_glass: Option<String>,
    #[command(flatten)]
    pub(super) look_again: LookAgain,
}

/// How long after the last change a run looks once more: IAM takes seconds to spread one, and whoever holds the key may undo it
/// (facts D.4, 6: at least four).
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct LookAgain {
    /// Seconds after its last change at which a run looks once more whether all of it still holds, before it says so.
    #[arg(long = "look-again", value_name = "SECONDS", env = "STAUNCH_LOOK_AGAIN", default_value_t = 4,
          value_parser = clap::value_parser!(u64).range(..=300))]
    seconds: u64,
}

impl LookAgain {
    pub(super) fn after(self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

#[derive(Debug, Args)]
pub(super) struct Targets {
    /// Files or folders, `-` for standard input, or images: docker-archive:FILE, oci-archive:FILE, oci:DIR,
    /// docker://REGISTRY/NAME:TAG (default: the current folder).
    #[arg(value_name = "TARGET")]
    pub(super) targets: Vec<PathBuf>,
    /// Read everything, whatever .gitignore says; without it, what it names is read where git tracks it or by trade it holds
    /// secrets.
    #[arg(long, env = "STAUNCH_NO_IGNORE", value_parser = FalseyValueParser::new())]
    pub(super) no_ignore: bool,
    /// How many archives in archives are opened: zip, tar, gz, 7z, deb and their like. 0 opens none.
    #[arg(long, env = "STAUNCH_ARCHIVE_DEPTH", value_name = "N", default_value_t = 3)]
    pub(super) archive_depth: usize,
    #[command(flatten)]
    pub(super) places: Places,
    /// Anyone can read what is scanned: a public repository, a published image. What is found there counts as more dangerous.
    #[arg(long, env = "STAUNCH_PUBLIC", value_parser = FalseyValueParser::new())]
    pub(super) public: bool,
    /// Report what is less likely too.
    #[arg(long, env = "STAUNCH_CONFIDENCE", value_enum, default_value_t = Least::Medium)]
    pub(super) confidence: Least,
    /// Which findings make the exit code 1.
    #[arg(long, env = "STAUNCH_FAIL_ON", value_enum, default_value_t = FailOn::Any)]
    pub(super) fail_on: FailOn,
    #[command(flatten)]
    pub(super) past: Past,
    #[command(flatten, next_help_heading = "Images")]
    pub(super) images: Images,
    #[command(flatten, next_help_heading = "Quieting")]
    pub(super) quieting: Quieting,
    /// Set from outside: the scan ends.
    #[arg(skip)]
    pub(super) stop: Arc<AtomicBool>,
}

impl Targets {
    /// These, and everything else as it is when nothing is said.
    pub(super) fn of(targets: Vec<PathBuf>, quieting: Quieting) -> Self {
        Self {
            targets,
            no_ignore: false,
            archive_depth: 3,
            places: Places::default(),
            public: false,
            past: Past::default(),
            images: Images::default(),
            confidence: Least::Medium,
            fail_on: FailOn::Any,
            quieting,
            stop: Arc::default(),
        }
    }
}

/// Least confidence that is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Least {
    /// Everything that looks like it.
    Low,
    /// What is probable.
    Medium,
    /// What is nearly certain.
    High,
}

#[derive(Debug, Default, Args)]
pub(super) struct Past {
    /// Every object of the target's git repository as well: all versions of all files, messages, what no branch reaches.
    #[arg(long, env = "STAUNCH_HISTORY", value_parser = FalseyValueParser::new())]
    pub(super) history: bool,
    /// Of the history, only what is new since this branch, tag or commit. May be given several times.
    #[arg(long, env = "STAUNCH_SINCE", value_name = "REV", value_delimiter = ',')]
    pub(super) since: Vec<String>,
    /// Of the history, only what this branch, tag or commit reaches. May be given several times.
    #[arg(long, env = "STAUNCH_BRANCH", value_name = "NAME", value_delimiter = ',')]
    pub(super) branch: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct ScanArgs {
    #[command(flatten)]
    pub(super) targets: Targets,
    /// Only what is about to be committed: the lines that the index adds to HEAD. TARGET is a folder of the repository.
    #[arg(long, env = "STAUNCH_STAGED", value_parser = FalseyValueParser::new())]
    pub(super) staged: bool,
    /// Keep the findings in the store.
    #[arg(long, env = "STAUNCH_SAVE", value_parser = FalseyValueParser::new())]
    pub(super) save: bool,
    /// Ask each credential's provider whether it is live, read-only and unbilled: of all classes, or of these (cloud, llm,
    /// workload).
    #[arg(
        long,
        env = "STAUNCH_VALIDATE",
        value_name = "CLASS,...",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "all",
        value_parser = asks::classes,
        help_heading = "Asking providers"
    )]
    pub(super) validate: Option<Classes>,
    #[command(flatten, next_help_heading = "Asking providers")]
    pub(super) asks: Asks,
}

#[derive(Debug, Args)]
pub(super) struct DetectorsArgs {
    #[command(subcommand)]
    pub(super) what: DetectorsCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum DetectorsCommand {
    /// Every detector, a line each.
    List {
        /// Only those in whose id, provider, class or summary all of these words are.
        #[arg(value_name = "WORD")]
        words: Vec<String>,
    },
    /// Read detector files and run their examples through the whole pipeline.
    Check {
        /// A folder of detector files (default: the built-in ones and --detectors).
        dir: Option<PathBuf>,
    },
    /// A detector's file, as a model for your own. `staunch explain` says it in words.
    Show {
        /// Its id.
        id: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// A detector's id.
    pub(super) id: String,
}
