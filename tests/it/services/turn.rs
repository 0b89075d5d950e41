//! What a rotation of a credential in files is told to do, whichever provider it is: planned, applied, gone on with hours later,
//! approved by two people, and looked through for what must not be written.

use std::fs;

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
