//! Plans, approvals and runs in the state folder.
//!
//! `plans/DIGEST.json`, `plans/DIGEST.approvals.jsonl`, `runs/RUN/{plan.json,journal.jsonl,evidence.json,evidence.dsse.json,late.json}`,
//! `locks/`.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::RespondError;
use super::journal::sync_folder;
use super::playbook::sha256;
use crate::attest::Envelope;
use crate::model::{Approval, BrokenGlass, Plan};

/// The state folder, as far as responding uses it.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
}

/// The folder of one run.
#[derive(Debug, Clone)]
pub struct RunFolder {
    /// The run's id.
    pub id: String,
    path: PathBuf,
}

/// What is known of looks for what a run has left behind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Late {
    /// The last.
    pub(super) looked: Timestamp,
    /// Why it could not be taken away, as somebody was told.
    #[serde(default)]
    pub(super) why: String,
}

/// Held while a credential is worked on, or a folder watched.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

pub(super) fn failed<'a>(what: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> RespondError + 'a {
    move |source| RespondError::File { what, path: path.to_owned(), source }
}

fn taken(path: PathBuf) -> Result<Lock, RespondError> {
    let file = File::create(&path).map_err(failed("cannot make", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock { _file: file }),
        Err(fs::TryLockError::WouldBlock) => Err(RespondError::Busy(path)),
        Err(fs::TryLockError::Error(source)) => Err(RespondError::File { what: "cannot lock", path, source }),
    }
}

/// Writes a file whole or not at all, durably.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), RespondError> {
    let scratch = path.with_extension("part");
    let written = File::create(&scratch).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    if let Err(source) = written.and_then(|()| fs::rename(&scratch, path)) {
        // Where there is no room, what is in the way takes more of it.
        let _ = fs::remove_file(&scratch);
        return Err(RespondError::File { what: "cannot write", path: path.to_owned(), source });
    }
    sync_folder(path)
}

impl Folder {
    /// Uses `root`, making what is missing.
    pub fn open(root: &Path) -> Result<Self, RespondError> {
        for name in ["plans", "runs", "locks"] {
            let path = root.join(name);
            fs::create_dir_all(&path).map_err(failed("cannot make", &path))?;
        }
        Ok(Self { root: root.to_owned() })
    }

    /// Where it is.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Keeps a plan; returns its digest.
    pub fn keep(&self, plan: &Plan) -> Result<String, RespondError> {
        let path = self.root.join("plans");
        let format = |what: String| RespondError::Format { path: path.clone(), what };
        let digest = plan.digest().map_err(|error| format(error.to_string()))?;
        let bytes = plan.canonical().map_err(|error| format(error.to_string()))?;
        write(&path.join(format!("{digest}.json")), &bytes)?;
        Ok(digest)
    }

    /// The plan that `text` names: a digest or at least its first 8 digits. A plan that was changed on disk is refused.
    pub fn plan(&self, text: &str) -> Result<(Plan, String), RespondError> {
        let folder = self.root.join("plans");
        let digest = self.only(&folder, text, ".json", "plan")?;
        let path = folder.join(format!("{digest}.json"));
        let bytes = fs::read(&path).map_err(failed("cannot read", &path))?;
        let format = |what: String| RespondError::Format { path: path.clone(), what };
        let plan: Plan = serde_json::from_slice(&bytes).map_err(|error| format(error.to_string()))?;
        let real = plan.digest().map_err(|error| format(error.to_string()))?;
        if real == digest {
            Ok((plan, digest))
        } else {
            Err(format("it was changed since it was made; make a new plan".to_owned()))
        }
    }

    /// The one name in a folder that begins with `text`.
    fn only(&self, folder: &Path, text: &str, ending: &str, what: &str) -> Result<String, RespondError> {
        let names = fs::read_dir(folder).map_err(failed("cannot read", folder))?;
        let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let names = names.filter_map(|name| Some(name.strip_suffix(ending)?.to_owned())).filter(|name| !name.contains('.'));
        let found: Vec<String> = names.filter(|name| name == text || (text.len() >= 8 && name.starts_with(text))).collect();
        match found.as_slice() {
            [one] => Ok(one.clone()),
            [] => Err(RespondError::NotFound(format!("there is no {what} {text:?} in {}", self.root.display()))),
            _ => Err(RespondError::NotFound(format!("{text:?} names {} {what}s; give more of it", found.len()))),
        }
    }

    /// Keeps an approval.
    pub fn keep_approval(&self, approval: &Approval) -> Result<(), RespondError> {
        let path = self.approvals_path(&approval.digest);
        let format = |error: serde_json::Error| RespondError::Format { path: path.clone(), what: error.to_string() };
        let mut line = serde_json::to_vec(approval).map_err(format)?;
        line.push(b'\n');
        // One that could not be written to its end must not take the next one with it.
        if fs::read(&path).is_ok_and(|text| text.last().is_some_and(|last| *last != b'\n')) {
            line.insert(0, b'\n');
        }
        let file = OpenOptions::new().create(true).append(true).open(&path);
        file.and_then(|mut file| file.write_all(&line).and_then(|()| file.sync_all()))
            .map_err(failed("cannot write", &path))?;
        sync_folder(&path)
    }

    /// The approvals given to a plan. Ones that cannot be read do not count.
    pub(super) fn approvals(&self, digest: &str) -> Vec<Approval> {
        let text = fs::read_to_string(self.approvals_path(digest)).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    fn approvals_path(&self, digest: &str) -> PathBuf {
        self.root.join("plans").join(format!("{digest}.approvals.jsonl"))
    }

    /// What is known of looks for what a run has left behind.
    pub(super) fn late(&self, run: &str) -> Option<Late> {
        serde_json::from_slice(&fs::read(self.late_path(run)).ok()?).ok()
    }

    /// Keeps it: whoever watches next neither looks nor tells too often.
    pub(super) fn keep_late(&self, run: &str, late: &Late) -> Result<(), RespondError> {
        let path = self.late_path(run);
        let bytes = serde_json::to_vec(late);
        write(&path, &bytes.map_err(|error| RespondError::Format { path: path.clone(), what: error.to_string() })?)
    }

    fn late_path(&self, run: &str) -> PathBuf {
        self.root.join("runs").join(run).join("late.json")
    }

    /// Every run, oldest first.
    pub fn runs(&self) -> Result<Vec<RunFolder>, RespondError> {
        let folder = self.root.join("runs");
        let names = fs::read_dir(&folder).map_err(failed("cannot read", &folder))?;
        let mut names: Vec<String> = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        names.sort();
        let runs = names.into_iter().map(|id| RunFolder { path: folder.join(&id), id });
        // Without a journal a run never began.
        Ok(runs.filter(|run| run.journal().exists()).collect())
    }

    /// The run of that id, or the one whose id begins so.
    pub fn run(&self, text: &str) -> Result<RunFolder, RespondError> {
        let id = self.only(&self.root.join("runs"), text, "", "run")?;
        Ok(RunFolder { path: self.root.join("runs").join(&id), id })
    }

    /// Makes the folder of a new run. It appears together with its plan, or not at all.
    pub(super) fn new_run(&self, plan: &Plan, now: Timestamp) -> Result<RunFolder, RespondError> {
        let mut random = [0u8; 3];
        let _ = ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut random);
        let id = format!("{}-{}", now.strftime("%Y%m%dT%H%M%SZ"), data_encoding::HEXLOWER.encode(&random));
        let path = self.root.join("runs").join(&id);
        fs::create_dir(&path).map_err(failed("cannot make", &path))?;
        let run = RunFolder { id, path };
        let format = |what: String| RespondError::Format { path: run.path.clone(), what };
        write(&run.path.join("plan.json"), &plan.canonical().map_err(|error| format(error.to_string()))?)?;
        sync_folder(&run.path)?;
        Ok(run)
    }

    /// Takes the lock of whoever watches.
    ///
    /// # Errors
    /// [`RespondError::Busy`] while another process does.
    pub fn watching(&self) -> Result<Lock, RespondError> {
        taken(self.root.join("locks/watch.lock"))
    }

    /// Takes the lock of whoever begins a run of that kind: they are counted, and then there is one more.
    pub(super) fn lock_begun(&self, kind: &str) -> Result<Lock, RespondError> {
        taken(self.root.join(format!("locks/{kind}s.lock")))
    }

    /// Takes the lock of a store, by its name in plans.
    pub(super) fn lock_store(&self, name: &str) -> Result<Lock, RespondError> {
        taken(self.root.join("locks").join(format!("store-{}.lock", &sha256(name.as_bytes())[..32])))
    }

    /// Takes the lock of a credential.
    pub(super) fn lock(&self, plan: &Plan) -> Result<Lock, RespondError> {
        taken(self.root.join("locks").join(format!("{}.lock", plan.fingerprint)))
    }
}

impl RunFolder {
    /// Whether the journal has the record that a statement names.
    pub fn holds(&self, seq: u64, sha256: &str) -> Result<bool, RespondError> {
        super::journal::holds(&self.journal(), seq, sha256)
    }

    /// When it was begun, by its name.
    pub(super) fn begun(&self) -> Option<Timestamp> {
        let at = self.id.split_once('-')?.0;
        let at = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", at).ok()?;
        jiff::tz::TimeZone::UTC.to_timestamp(at).ok()
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.path.join("journal.jsonl")
    }

    /// The plan that this run executes.
    pub(super) fn plan(&self) -> Result<Plan, RespondError> {
        let path = self.path.join("plan.json");
        let bytes = fs::read(&path).map_err(failed("cannot read", &path))?;
        serde_json::from_slice(&bytes).map_err(|error| RespondError::Format { path, what: error.to_string() })
    }

    /// Of whose acting without approvals everybody was told.
    pub(super) fn glass(&self) -> PathBuf {
        self.path.join("glass-told.json")
    }

    pub(super) fn told_glass(&self) -> Option<BrokenGlass> {
        serde_json::from_slice(&fs::read(self.glass()).ok()?).ok()
    }

    /// Where the evidence is.
    pub fn evidence(&self) -> PathBuf {
        self.path.join("evidence.json")
    }

    /// Where the signed evidence is, when the settings give a key.
    pub fn signed_evidence(&self) -> PathBuf {
        self.path.join("evidence.dsse.json")
    }

    pub(super) fn keep_signed(&self, envelope: &Envelope) -> Result<(), RespondError> {
        let path = self.signed_evidence();
        let bytes = serde_json::to_vec(envelope);
        write(&path, &bytes.map_err(|error| RespondError::Format { path: path.clone(), what: error.to_string() })?)
    }

    /// Keeps a statement. One that was signed before tells of less, and goes first: whoever dies after that, or has no key any more, leaves
    /// none that speaks for the new one.
    pub(super) fn keep_evidence(&self, statement: &serde_json::Value) -> Result<(), RespondError> {
        let signed = self.signed_evidence();
        match fs::remove_file(&signed) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(RespondError::File { what: "cannot remove", path: signed, source });
            }
            _ => {}
        }
        write(&self.evidence(), format!("{statement:#}\n").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::Folder;
    use crate::model::Approval;

    #[test]
    fn an_approval_after_one_that_was_torn_counts() {
        let dir = tempfile::tempdir().expect("scratch");
        let folder = Folder::open(dir.path()).expect("a folder");
        let approval = |who: &str| -> Approval {
            serde_json::from_value(serde_json::json!({
                "schema": "staunch.approval/1", "digest": "d".repeat(64), "approver": who, "at": "2026-01-01T00:00:00Z",
                "expires": "2026-01-02T00:00:00Z", "signature": "s",
            }))
            .expect("an approval")
        };
        let path = folder.approvals_path(&"d".repeat(64));
        std::fs::write(&path, b"{\"schema\":\"staunch.app").expect("as much as there was room for");
        folder.keep_approval(&approval("kim")).expect("kept");
        folder.keep_approval(&approval("lee")).expect("kept");
        let who: Vec<String> = folder.approvals(&"d".repeat(64)).into_iter().map(|one| one.approver).collect();
        assert_eq!(who, ["kim", "lee"]);
    }
}
