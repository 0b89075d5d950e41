//! `staunch demo`: the whole story on an embedded provider, told as a user would see it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use super::exit::Exit;
use super::output::Output;
use super::settings::{Settings, tool};
use crate::drill::{Chapter, Stage, demo};
use crate::model::{Liveness, RunState};
use crate::report;
use crate::respond::{Playbooks, builtin_playbooks};

/// Removed with everything in it when the story ends, however it ends.
pub(super) struct Scratch(pub(super) PathBuf);

impl Scratch {
    pub(super) fn new() -> io::Result<Self> {
        let mut random = [0u8; 8];
        ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut random)
            .map_err(|_| io::Error::other("no random numbers"))?;
        let name = format!("staunch-scratch-{}", data_encoding::HEXLOWER.encode(&random));
        let path = std::env::temp_dir().join(name);
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) fn run(settings: &Settings) -> anyhow::Result<Exit> {
    let set = settings.detectors()?;
    let playbooks = Playbooks::new(&builtin_playbooks())?;
    let scratch = Scratch::new().context("cannot make a scratch folder")?;
    let (clock, look_again) = (Arc::clone(&settings.clock), Duration::ZERO);
    let stage = Stage { scratch: &scratch.0, tool: tool(&set), playbooks: &playbooks, clock, look_again };
    let (mut stopped, mut refused) = (false, false);
    let mut text = Vec::new();
    let mut told = Ok(());
    demo(&set, &stage, &mut |chapter| {
        match &chapter {
            Chapter::Applied(run) => stopped = run.state == RunState::Done,
            Chapter::Proven(report) => {
                refused = report.findings.iter().all(|finding| matches!(finding.liveness.liveness, Liveness::Dead(_)));
            }
            _ => {}
        }
        if told.is_ok() {
            told = tell(&chapter, settings, &scratch.0, &mut text);
        }
    })?;
    told?;
    drop(scratch);
    let contained = stopped && refused;
    let end = if contained {
        "The key was live, and is refused now. Nothing was left behind. On your own tree: staunch triage ."
    } else {
        "The story did not end as it should; please report it."
    };
    writeln!(text, "{end}")?;
    Output::open(settings.output.as_ref())?.write(|out| out.write_all(&text))?;
    Ok(if contained { Exit::Clean } else { Exit::Error })
}

fn tell(chapter: &Chapter, settings: &Settings, scratch: &Path, out: &mut dyn Write) -> io::Result<()> {
    let look = settings.look;
    // The scratch folder's name says nothing to anyone.
    let mut pages = Vec::new();
    let title = match chapter {
        Chapter::Leaked(path) => {
            let inside = path.strip_prefix(scratch).unwrap_or(path).display();
            writeln!(pages, "A repository with leaked keys, and a provider that knows some of them: {inside}/\n")?;
            "1. A leak"
        }
        Chapter::Triaged(report) => {
            report::findings(report, look, &mut pages)?;
            writeln!(pages)?;
            "2. staunch triage payments: which keys are live, whose are they, what breaks?"
        }
        Chapter::Planned(plan, digest) => {
            report::plan(plan, digest, look, &mut pages)?;
            writeln!(pages)?;
            "3. staunch respond plan: what would be done; nothing has changed yet"
        }
        Chapter::Applied(run) => {
            report::run(run, look, &mut pages)?;
            writeln!(pages)?;
            "4. staunch respond apply: stopped, proven, and it can be walked back"
        }
        Chapter::Proven(report) => {
            report::findings(report, look, &mut pages)?;
            writeln!(pages)?;
            "5. staunch triage payments, once more"
        }
    };
    let text = String::from_utf8_lossy(&pages).replace(&format!("{}/", scratch.display()), "");
    writeln!(out, "== {title}\n\n{text}")
}
