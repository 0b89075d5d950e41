//! What is staged, pushed and received, in repositories that git itself makes, and the hooks that look at it.

mod damage;
mod hooks;
mod packs;
mod pushes;
mod reftables;
mod staged;
mod tracked;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::program::{Home, Output, Run};

/// A token, made up here; those of different numbers differ.
pub(crate) fn token(number: u8) -> String {
    let last = char::from(b'A' + number);
    format!("hf{}{last}", "_zFeKORdjjZKtfphJWAMMYNoXHyCCtLBtK")
}

/// A repository of git's own making, with nothing of this machine's settings.
pub(crate) struct Repo {
    pub(crate) home: Home,
    pub(crate) root: PathBuf,
}

impl Repo {
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    fn with(flags: &[&str]) -> Self {
        let repo = Self::bare_home();
        repo.git([&["init", "-q", "-b", "main"], flags].concat());
        repo
    }

    /// No repository yet.
    fn bare_home() -> Self {
        let home = Home::new();
        let root = home.work().join("repo");
        fs::create_dir(&root).unwrap();
        Self { home, root }
    }

    /// A program in the repository. The binary under test is on its PATH.
    pub(crate) fn program<A: AsRef<OsStr>>(&self, program: &str, arguments: impl IntoIterator<Item = A>) -> Run {
        let binary = Path::new(env!("CARGO_BIN_EXE_staunch")).parent().unwrap();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(binary.to_owned()).chain(std::env::split_paths(&path))).unwrap();
        let run = self.home.program(program, arguments).current_dir(&self.root).env("PATH", path);
        let run = run.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_EDITOR", "true").env("LC_ALL", "C");
        ["AUTHOR", "COMMITTER"]
            .iter()
            .fold(run, |run, who| run.env(&format!("GIT_{who}_NAME"), "A").env(&format!("GIT_{who}_EMAIL"), "a@example.org"))
    }

    /// git, which must succeed.
    pub(crate) fn git<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> String {
        let output = self.program("git", arguments).output();
        assert_eq!(output.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// git, whatever comes of it.
    pub(crate) fn try_git(&self, arguments: &[&str]) -> Output {
        self.program("git", arguments).output()
    }

    fn staunch(&self, arguments: &[&str]) -> Output {
        self.home.staunch(arguments).current_dir(&self.root).output()
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Writes and stages.
    pub(crate) fn stage(&self, path: &str, text: impl AsRef<[u8]>) {
        self.write(path, text);
        self.git(["add", "--", path]);
    }

    pub(crate) fn commit(&self) {
        self.git(["commit", "-q", "-m", "c"]);
    }

    /// What `scan --staged` reports, as `path:line`, and its exit code.
    fn staged(&self) -> (Vec<String>, Option<i32>) {
        places(&self.staunch(&["scan", "--staged", "--format", "jsonl"]))
    }
}

/// The places of a report in JSON lines, and the exit code.
fn places(output: &Output) -> (Vec<String>, Option<i32>) {
    let lines: Vec<Value> = output.stdout().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!lines.is_empty(), "no report; it said: {}", output.stderr());
    let occurrences = lines.iter().filter_map(|line| line["occurrences"].as_array()).flatten();
    let mut places: Vec<String> = occurrences.map(|at| format!("{}:{}", at["path"].as_str().unwrap(), at["line"])).collect();
    places.sort();
    (places, output.code())
}

fn found(places: &[&str]) -> (Vec<String>, Option<i32>) {
    (places.iter().map(|place| (*place).to_owned()).collect(), Some(i32::from(!places.is_empty())))
}
