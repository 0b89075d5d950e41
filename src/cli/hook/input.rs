//! What git and hook managers hand to a hook: variables, and lines on standard input.

use std::ffi::OsString;
use std::io::{IsTerminal, Read};
use std::path::PathBuf;

use anyhow::{Context, bail};

use super::Kind;
use crate::cli::settings::Settings;
use crate::source::git::incoming::{self as git, Changes, Update};
use crate::source::git::{GitEnvironment, GitPlace};

/// A push of more references is none that git would make.
const LARGEST: u64 = 256 << 20;

/// git's variables, as the system has them: paths need not be text.
pub(super) fn environment() -> GitEnvironment {
    #[expect(clippy::disallowed_methods, reason = "cli is the room that reads the environment")]
    let get = |name: &str| std::env::var_os(name).filter(|value: &OsString| !value.is_empty());
    let path = |name: &str| get(name).map(PathBuf::from);
    GitEnvironment {
        dir: path("GIT_DIR"),
        common_dir: path("GIT_COMMON_DIR"),
        work_tree: path("GIT_WORK_TREE"),
        index: path("GIT_INDEX_FILE"),
        objects: path("GIT_OBJECT_DIRECTORY"),
        alternates: get("GIT_ALTERNATE_OBJECT_DIRECTORIES"),
    }
}

/// Which hook this is, where nobody said: the pre-commit program tells its hooks of a push by variables alone.
pub(super) fn kind(settings: &Settings) -> Kind {
    let is_push = ["PRE_COMMIT_TO_REF", "PRE_COMMIT_REMOTE_NAME"].iter().any(|name| settings.variable(name).is_some());
    if is_push { Kind::Push } else { Kind::Commit }
}

/// What a hook is told of a push, beside its input.
pub(super) struct Given {
    /// The remote's name, or its URL.
    remote: Option<String>,
    /// What the pre-commit program says of it, instead of any input.
    told: Option<Update>,
}

impl Given {
    pub(super) fn new(arguments: &[String], settings: &Settings) -> Self {
        let told = told(settings);
        let named = settings.variable("PRE_COMMIT_REMOTE_NAME").filter(|_| told.is_some()).map(str::to_owned);
        Self { remote: named.or_else(|| arguments.first().cloned()), told }
    }
}

/// What is about to be committed or pushed.
pub(super) fn changes(kind: Kind, place: &GitPlace, given: &Given) -> anyhow::Result<Changes> {
    Ok(match kind {
        Kind::Commit => git::staged(place)?,
        Kind::Push => {
            let updates = given.told.clone().map_or_else(|| updates(kind), |update| Ok(vec![update]))?;
            git::pushed(place, &updates, given.remote.as_deref())?
        }
        Kind::Receive => git::received(place, &updates(kind)?)?,
    })
}

/// What the pre-commit program says of a push.
fn told(settings: &Settings) -> Option<Update> {
    let variable = |name: &str| settings.variable(name);
    // Of a branch that shares nothing with the remote it names no range, only the branch.
    let new = variable("PRE_COMMIT_TO_REF").or_else(|| variable("PRE_COMMIT_LOCAL_BRANCH"))?.to_owned();
    let name = variable("PRE_COMMIT_REMOTE_BRANCH").unwrap_or(&new).to_owned();
    Some(Update { name, new: Some(new), old: variable("PRE_COMMIT_FROM_REF").map(str::to_owned) })
}

/// The lines on standard input.
fn updates(kind: Kind) -> anyhow::Result<Vec<Update>> {
    let mut bytes = Vec::new();
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        bail!("git writes to its standard input what is pushed; this is a terminal");
    }
    stdin.lock().take(LARGEST + 1).read_to_end(&mut bytes).context("standard input cannot be read")?;
    if bytes.len() as u64 > LARGEST {
        bail!("what git says of the push is longer than {} MiB", LARGEST >> 20);
    }
    let text = String::from_utf8_lossy(&bytes);
    let line = |line: &str| if kind == Kind::Push { Update::of_push(line) } else { Update::of_receive(line) };
    let updates = text.lines().map(line).collect::<Result<Vec<_>, _>>()?;
    // A push of nothing comes through an empty pipe, and is none of a server's hooks' business.
    if updates.is_empty() && (kind == Kind::Receive || !is_pipe()) {
        bail!("git's list of what is pushed did not arrive on standard input (a hook manager must pass it on)");
    }
    Ok(updates)
}

#[cfg(unix)]
fn is_pipe() -> bool {
    use std::os::fd::AsFd;
    use std::os::unix::fs::FileTypeExt;
    let stdin = std::io::stdin().as_fd().try_clone_to_owned().map(std::fs::File::from);
    stdin.and_then(|file| file.metadata()).is_ok_and(|meta| meta.file_type().is_fifo() || meta.file_type().is_socket())
}

#[cfg(not(unix))]
fn is_pipe() -> bool {
    true
}
