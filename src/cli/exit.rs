//! Exit codes, as EXPERIENCE promises them.

use std::process::ExitCode;

use crate::model::{Coverage, Finding};

/// How the program ends. When several hold, the greater one is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Nothing found, or all done.
    Clean = 0,
    /// Findings, or a plan that waits.
    Findings = 1,
    /// An error, or something could not be read.
    Error = 2,
    /// Wrong usage.
    Usage = 64,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Which findings make the exit code 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum FailOn {
    /// None do.
    None,
    /// Any does.
    Any,
    /// Those that are live or limited.
    Live,
}

impl Exit {
    /// The exit code of a scan.
    pub(super) fn of(findings: &[Finding], coverage: &Coverage, fail_on: FailOn) -> Self {
        let counts = |finding: &Finding| match fail_on {
            FailOn::None => false,
            FailOn::Any => true,
            FailOn::Live => finding.liveness.liveness.is_usable(),
        };
        if !coverage.is_complete() {
            Self::Error
        } else if findings.iter().any(counts) {
            Self::Findings
        } else {
            Self::Clean
        }
    }
}
