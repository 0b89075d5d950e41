//! `staunch playbooks list|check|show|export|import`.

use std::path::Path;

use anyhow::{Context, bail};

use super::args::{PlaybooksArgs, PlaybooksCommand};
use super::exit::Exit;
use super::output::{Output, say};
use super::settings::{Declared, Settings, read_declared};
use crate::model::ApprovalRule;
use crate::respond::{PlaybookSource, Playbooks, Whose, builtin_playbooks, export, import};

pub(super) fn run(args: &PlaybooksArgs, settings: &Settings) -> anyhow::Result<Exit> {
    match &args.what {
        PlaybooksCommand::Check { dir } => {
            let sources = dir.as_deref().map_or_else(|| Ok(builtin_playbooks()), read)?;
            let playbooks = Playbooks::new(&sources).context("playbook files have mistakes")?;
            say(&format!("{} playbooks, no mistakes", playbooks.0.len()));
        }
        PlaybooksCommand::List => {
            let playbooks = Playbooks::new(&builtin_playbooks())?;
            Output::open(settings.output.as_ref())?.write(|out| {
                playbooks.0.iter().try_for_each(|playbook| writeln!(out, "{:<31} {}", playbook.id, playbook.summary))
            })?;
        }
        PlaybooksCommand::Export { id } => {
            let playbooks = Playbooks::new(&builtin_playbooks())?;
            let Some(playbook) = playbooks.get(id) else {
                bail!("there is no playbook {id:?}; `staunch playbooks list` names them all")
            };
            let object = export(playbook, settings.clock.now());
            Output::open(settings.output.as_ref())?.write(|out| writeln!(out, "{object:#}"))?;
        }
        PlaybooksCommand::Import { file } => {
            let text = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            let toml = import(file, &text)?;
            Output::open(settings.output.as_ref())?.write(|out| out.write_all(toml.as_bytes()))?;
        }
        PlaybooksCommand::Show { id } => show(id, settings)?,
    }
    Ok(Exit::Clean)
}

fn show(id: &str, settings: &Settings) -> anyhow::Result<()> {
    let playbooks = Playbooks::new(&builtin_playbooks())?;
    let Some(playbook) = playbooks.get(id) else {
        bail!("there is no playbook {id:?}; `staunch playbooks list` names them all")
    };
    Output::open(settings.output.as_ref())?.write(|out| {
        writeln!(out, "{} ({}): {}", playbook.id, playbook.mode, playbook.summary)?;
        writeln!(out, "  for        {}", playbook.detectors.join(", "))?;
        // True of every playbook so far: tests run them against ministack, moto, the sandbox and documented answers.
        let note = if !playbook.uses.is_empty() {
            "made of others; runs only where it is named: `respond plan --playbook`"
        } else if playbook.is_by_hand() {
            "a person does it; the run waits and checks"
        } else {
            "never run against the real service"
        };
        writeln!(out, "  note       {note}")?;
        for uses in &playbook.uses {
            let whose = match &uses.whose {
                Whose::Own => "the playbook that the credential has by itself".to_owned(),
                Whose::By(map) => {
                    map.iter().map(|(detector, id)| format!("{id} for {detector}")).collect::<Vec<_>>().join(", ")
                }
            };
            let before = playbook.steps.get(uses.before).map_or("the end", |step| step.id.as_str());
            writeln!(out, "  uses       {:<16} {whose} (before {before})", uses.id)?;
        }
        playbook.steps.iter().try_for_each(|step| {
            let agreed = match step.approval {
                ApprovalRule::None => "",
                ApprovalRule::One => "  (one must agree)",
                ApprovalRule::Two => "  (two must agree)",
            };
            writeln!(out, "  step       {:<16} {}{agreed}", step.id, step.action)
        })
    })
}

fn read(dir: &Path) -> anyhow::Result<Vec<PlaybookSource>> {
    let all = read_declared(dir, "playbook")?;
    Ok(all.into_iter().map(|Declared { id, file, text }| PlaybookSource { id, file, text }).collect())
}
