//! The command line: arguments and environment in, text and an exit code out. The only room that knows a terminal.

mod args;
mod asks;
mod clones;
mod demo;
mod detectors;
mod door;
mod drafts;
mod drill;
mod ending;
mod evidence;
mod exit;
mod glass;
mod hands;
mod heard;
mod hook;
mod images;
mod living;
mod masking;
mod notify;
mod output;
mod own;
mod owners;
mod places;
mod playbooks;
mod progress;
mod quieting;
mod recall;
mod report;
mod respond;
mod scan;
mod settings;
mod state;
mod triage;
mod watch;
mod waves;

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

pub use exit::Exit;

use args::{Cli, Command};
use settings::Settings;

/// Runs the program with the process's own arguments and environment.
pub fn main() -> ExitCode {
    crate::net::install_crypto();
    #[expect(clippy::disallowed_methods, reason = "cli is the room that reads arguments and the environment")]
    let (arguments, environment) = (std::env::args_os().collect::<Vec<_>>(), std::env::vars_os());
    // A variable that is not text is none of ours.
    let texts = environment.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let environment: BTreeMap<String, String> = texts.collect();
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let exit = Settings::new(&cli.global, environment).and_then(|settings| run(cli.command, &settings));
    match exit {
        Ok(exit) => exit.into(),
        Err(error) => {
            output::complain(&error);
            Exit::Error.into()
        }
    }
}

fn usage(error: &clap::Error) -> ExitCode {
    // `--help` and `--version` come this way too, and are no errors.
    let text = error.render().to_string();
    let masked = if error.use_stderr() { masking::masked(&text) } else { text.clone() };
    if masked == text {
        let _ = error.print();
    } else {
        output::say(masked.trim_end());
    }
    if error.use_stderr() { Exit::Usage.into() } else { Exit::Clean.into() }
}

fn run(command: Command, settings: &Settings) -> anyhow::Result<Exit> {
    match command {
        Command::Scan(args) => scan::run(&args, settings),
        Command::Triage(args) => triage::run(&args, settings),
        Command::Respond(args) => respond::run(&args, settings),
        Command::Verify(args) => triage::verify(&args, settings),
        Command::Own(args) => own::run(&args, settings),
        Command::Hook(args) => hook::run(&args, settings),
        Command::Report(args) => report::run(&args, settings),
        Command::Detectors(args) => detectors::run(&args, settings),
        Command::Playbooks(args) => playbooks::run(&args, settings),
        Command::Demo => demo::run(settings),
        Command::Drill(args) => drill::run(&args, settings),
        Command::Completions { shell } => {
            output::print(|out| clap_complete::generate(shell, &mut Cli::command(), "staunch", out))?;
            Ok(Exit::Clean)
        }
        Command::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            output::print(|out| out.extend_from_slice(&page))?;
            Ok(Exit::Clean)
        }
        Command::Explain(args) => detectors::explain(&args, settings),
    }
}
