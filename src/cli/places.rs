//! Places that are no targets by name: environments, and what programs keep below a user's home folder.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use clap::builder::FalseyValueParser;

use super::settings::Settings;
use crate::scan::{Target, kept_below};

/// Where Linux lists processes.
const PROCESSES: &str = "/proc";

// The variables are not STAUNCH_HOME and STAUNCH_ENV: those are names that people set for other ends.
#[derive(Debug, Default, Args)]
pub(super) struct Places {
    /// Look where programs keep credentials below your home folder: cloud, cluster and package tools, shell histories, MCP and
    /// agent settings. Whatever .gitignore says.
    #[arg(long, env = "STAUNCH_SCAN_HOME", value_parser = FalseyValueParser::new())]
    pub(super) home: bool,
    /// Look at the environment that this program was started with.
    #[arg(long, env = "STAUNCH_SCAN_ENV", value_parser = FalseyValueParser::new())]
    pub(super) env: bool,
    /// Look at the environment of every running process that you may look at (Linux).
    #[arg(long, env = "STAUNCH_SCAN_PROCESSES", value_parser = FalseyValueParser::new())]
    pub(super) processes: bool,
    /// Look at what another scanner found, in the report that it wrote (JSON, values not hidden): gitleaks, betterleaks,
    /// trufflehog, kingfisher, GitHub's secret-scanning alerts. May be given several times.
    #[arg(long, env = "STAUNCH_FROM", value_name = "REPORT", value_delimiter = ',')]
    pub(super) from: Vec<PathBuf>,
}

impl Places {
    /// Whether any was asked for, so that no target need be named.
    pub(super) fn any(&self) -> bool {
        self.home || self.env || self.processes || !self.from.is_empty()
    }

    /// What was asked for, opened.
    pub(super) fn open(&self, settings: &Settings) -> anyhow::Result<Vec<Target>> {
        let mut targets = Vec::new();
        if self.home {
            let home = settings.home().context("--home: neither HOME nor USERPROFILE says where your home folder is")?;
            targets.extend(kept_below(Path::new(&home)).into_iter().map(Target::Path));
        }
        if self.env {
            targets.push(Target::Environment(settings.environment_text()));
        }
        if self.processes {
            targets.push(Target::Processes(PathBuf::from(PROCESSES)));
        }
        targets.extend(self.from.iter().cloned().map(Target::Reported));
        Ok(targets)
    }
}
