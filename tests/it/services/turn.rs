//! What a rotation of a credential in files is told to do, whichever provider it is: planned, applied, gone on with hours later,
//! approved by two people, and looked through for what must not be written.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::harness::program::{Home, Output, Run};
use crate::harness::shim::hours_ahead;

/// A credential that is rotated, and whoever rotates it.
pub(super) trait Turn {
    fn home(&self) -> &Home;

    /// The program, as whoever rotates it.
    fn staunch(&self, arguments: &[&str]) -> Run;

    /// The digest of a plan for what stands in `app`, and the plan.
    fn plan(&self) -> (String, Value) {
        let output = self.staunch(&["respond", "plan", "app", "--mode", "rotate", "--format", "json"]).output();
        let plan = said(&output);
        (plan["digest"].as_str().unwrap_or_else(|| panic!("{plan} {}", output.stderr())).to_owned(), plan["plan"].clone())
    }

    fn apply(&self, digest: &str) -> Output {
        self.staunch(&["respond", "apply", digest, "--format", "json"]).output()
    }

    /// Goes on so many hours later, with a person's word on steps.
    fn later(&self, run: &str, hours: u32, done: &[&str]) -> Value {
        let mut arguments = vec!["respond", "resume", run, "--format", "json"];
        for step in done {
            arguments.extend(["--done", step]);
        }
        said(&hours_ahead(self.staunch(&arguments), hours).output())
    }

    /// Kim and lee agree, so many hours later.
    fn approve(&self, digest: &str, hours: u32) {
        for who in ["kim", "lee"] {
            let key = self.home().root().join(format!("home/{who}.pem"));
            let approve = self.staunch(&["respond", "approve", digest, "--as", who, "--key", key.to_str().unwrap()]);
            let approved = hours_ahead(approve, hours).output();
            assert_eq!(approved.code(), Some(0), "{}", approved.stderr());
        }
    }

    /// From a plan to the old login without a password, days later.
    fn turned(&self, hours: u32) -> Value {
        let plan = ["respond", "plan", "app", "--mode", "rotate", "--format", "json"];
        let output = hours_ahead(self.staunch(&plan), hours).output();
        let plan = said(&output);
        let digest = plan["digest"].as_str().unwrap_or_else(|| panic!("{plan} {}", output.stderr())).to_owned();
        assert!(!plan["plan"]["steps"][0]["observed"].is_null(), "{plan}");
        let applied = hours_ahead(self.staunch(&["respond", "apply", &digest, "--format", "json"]), hours).output();
        let run = said(&applied);
        assert_eq!(step(&run, "replace")["state"], "succeeded", "{run}");
        let id = run["id"].as_str().unwrap().to_owned();
        // The service has no session open at most moments, so a person says that it uses the new one.
        self.later(&id, hours, &["new-in-use"]);
        self.later(&id, hours + 26, &["old-unused"]);
        let run = self.later(&id, hours + 26, &["old-unused"]);
        assert_eq!(
            (step(&run, "old-unused")["state"].as_str(), step(&run, "stop")["state"].as_str()),
            (Some("succeeded"), Some("waiting")),
            "{run}"
        );
        self.approve(&digest, hours + 51);
        self.later(&id, hours + 51, &[])
    }

    /// Nothing that was written down holds one of these.
    fn assert_unwritten(&self, secrets: &[&str]) {
        let mut folders = vec![self.home().state()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let written = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
                for secret in secrets {
                    assert!(!written.contains(secret), "{}", path.display());
                }
            }
        }
    }
}

/// What was printed as JSON.
pub(super) fn said(output: &Output) -> Value {
    serde_json::from_str(&output.stdout()).unwrap_or_else(|_| panic!("{} {}", output.stdout(), output.stderr()))
}

/// A step of a run.
pub(super) fn step<'r>(run: &'r Value, id: &str) -> &'r Value {
    run["steps"].as_array().unwrap().iter().find(|step| step["id"] == id).unwrap_or_else(|| panic!("{run}"))
}

/// A service that reads its file and logs in fifty times a second.
pub(super) struct Service {
    over: Arc<AtomicBool>,
    asked: Arc<AtomicU32>,
    thread: std::thread::JoinHandle<Vec<String>>,
}

impl Service {
    pub(super) fn start(file: PathBuf, ask: fn(&str) -> Result<(), String>) -> Self {
        let (over, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let (ends, counts) = (Arc::clone(&over), Arc::clone(&asked));
        let thread = std::thread::spawn(move || {
            let mut failed = Vec::new();
            while !ends.load(Ordering::Relaxed) {
                let said = ask(&fs::read_to_string(&file).unwrap());
                counts.fetch_add(1, Ordering::Relaxed);
                failed.extend(said.err());
                std::thread::sleep(Duration::from_millis(15));
            }
            failed
        });
        Self { over, asked, thread }
    }

    /// Its requests, of which none failed.
    pub(super) fn end(self) -> u32 {
        self.over.store(true, Ordering::Relaxed);
        let failed = self.thread.join().unwrap();
        let asked = self.asked.load(Ordering::Relaxed);
        assert!(failed.is_empty(), "{} of {asked}: {:?}", failed.len(), failed.first());
        asked
    }
}
