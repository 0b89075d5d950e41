//! Runs the real binary (or another program) in a scrubbed environment, with a time limit.

use rustix::process::Pid;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A home and a state folder of their own; programs run in one `Home` share them, as runs of one user do.
pub(crate) struct Home {
    root: TempDir,
    runs: AtomicUsize,
}

impl Home {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for folder in ["home", "state", "work", "streams"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        Self { root, runs: AtomicUsize::new(0) }
    }

    /// Everything below: what the leak test searches, recorded streams included.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// `STAUNCH_STATE` of programs run here.
    pub(crate) fn state(&self) -> PathBuf {
        self.root.path().join("state")
    }

    /// The working folder of programs run here.
    pub(crate) fn work(&self) -> PathBuf {
        self.root.path().join("work")
    }

    /// The binary under test.
    pub(crate) fn staunch<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Run {
        self.program(env!("CARGO_BIN_EXE_staunch"), arguments)
    }

    /// Any program, in the same environment: PATH, HOME and STAUNCH_STATE, nothing else of the caller's. The AWS
    /// chain is told not to ask the instance metadata service, which is not on loopback.
    pub(crate) fn program<A: AsRef<OsStr>>(&self, program: &str, arguments: impl IntoIterator<Item = A>) -> Run {
        let number = self.runs.fetch_add(1, Ordering::Relaxed);
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.work())
            .stdin(Stdio::null())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.root.path().join("home"))
            .env("STAUNCH_STATE", self.state())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            // What looks again after a while is tested where it is the matter; elsewhere nobody undoes anything meanwhile.
            .env("STAUNCH_LOOK_AGAIN", "0");
        let streams = self.root.path().join("streams").join(number.to_string());
        Run { command, streams, limit: Duration::from_mins(1) }
    }
}

/// A program about to run. Its streams are files under the `Home`, so no pipe can fill up and block it.
pub(crate) struct Run {
    command: Command,
    streams: PathBuf,
    limit: Duration,
}

impl Run {
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn current_dir(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Bytes to read on stdin; without them stdin is empty.
    pub(crate) fn stdin(mut self, bytes: &[u8]) -> Self {
        // Not under the Home: what the test hands in is not something the program leaked.
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, bytes).unwrap();
        std::io::Seek::rewind(&mut file).unwrap();
        self.command.stdin(file);
        self
    }

    /// How long it may take (one minute unless said): then it is killed and the test fails.
    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    pub(crate) fn spawn(mut self) -> Running {
        let (stdout, stderr) = (self.streams.with_extension("stdout"), self.streams.with_extension("stderr"));
        self.command.stdout(File::create(&stdout).unwrap()).stderr(File::create(&stderr).unwrap());
        let child = self.command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.command.get_program().display()));
        Running { child, stdout, stderr, deadline: Instant::now() + self.limit }
    }

    pub(crate) fn output(self) -> Output {
        self.spawn().wait()
    }
}

/// A program that runs; killed when dropped.
pub(crate) struct Running {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
    deadline: Instant,
}

impl Running {
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits for its end. Panics, with what it said, when the limit has passed.
    pub(crate) fn wait(mut self) -> Output {
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                let (stdout, stderr) = (fs::read(&self.stdout).unwrap(), fs::read(&self.stderr).unwrap());
                return Output { status, stdout, stderr };
            }
            if Instant::now() > self.deadline {
                let said = fs::read(&self.stderr).unwrap_or_default();
                panic!("still running at its time limit; killed. It said: {}", String::from_utf8_lossy(&said));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both do nothing to a child that has been waited for.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// What a program left behind.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

impl Output {
    /// The exit code; None when a signal ended it.
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    pub(crate) fn was_killed(&self) -> bool {
        std::os::unix::process::ExitStatusExt::signal(&self.status) == Some(rustix::process::Signal::KILL.as_raw())
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8(self.stdout.clone()).unwrap()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8(self.stderr.clone()).unwrap()
    }
}

#[test]
fn the_binary_runs_in_a_home_of_its_own() {
    let home = Home::new();
    let output = home.staunch(["--version"]).output();
    assert!(!output.was_killed(), "{output:?}");
}

#[test]
fn nothing_of_the_callers_environment_is_handed_on() {
    let home = Home::new();
    let output = home.program("env", [] as [&str; 0]).env("GIVEN", "yes").output();
    let stdout = output.stdout();
    let mut names: Vec<_> = stdout.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    names.sort_unstable();
    assert_eq!(names, ["AWS_EC2_METADATA_DISABLED", "GIVEN", "HOME", "PATH", "STAUNCH_LOOK_AGAIN", "STAUNCH_STATE"]);
}

#[test]
fn streams_and_status_are_captured() {
    let home = Home::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let run = home.program("sh", ["-c", "cat; pwd >&2; exit 7"]).stdin(b"in").current_dir(elsewhere.path());
    let output = run.output();
    assert_eq!((output.code(), output.stdout()), (Some(7), "in".to_owned()));
    assert_eq!(Path::new(output.stderr().trim()).file_name(), elsewhere.path().file_name());
    assert!(home.root().join("streams/0.stdout").is_file());
}

#[test]
#[should_panic(expected = "It said: before")]
fn a_program_that_hangs_is_killed_and_the_test_fails() {
    let home = Home::new();
    home.program("sh", ["-c", "echo before >&2; exec sleep 600"]).limit(Duration::from_millis(300)).output();
}
