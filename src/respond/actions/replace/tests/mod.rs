//! A key of the embedded IAM is replaced in files of settings: whole, with every call going wrong, with the process dying at
//! every record, under load, and back again.

mod faults;
mod load;
mod restart;
mod rolling;
mod shared;
mod skew;
mod somebody;
mod stores;
mod waves;
mod whole;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;

use crate::model::{
    Clock, Credential, Edge, Finding, Location, Occurrence, Owner, Plan, Provenance, Run, SystemClock, Tier,
};
use crate::net::{AwsKey, Net, Partition, Settings};
use crate::respond::testing::{agree, credential, finding, runner, set};
use crate::respond::{
    Admin, AwsHands, ConsumerAt, Folder, Guard, Hands, Playbooks, Recall, RespondError, Runner, StoreAt, Stores,
    builtin_playbooks, draft, journal, replayed,
};
use crate::sandbox::{Sandbox, SandboxKey};
use crate::secret::{Fingerprint, FingerprintKey, Secret};

const USER: &str = "ci";

/// The machine's clock, some time later; it may be told to die at one of its readings, as a process does.
#[derive(Default)]
struct Hours {
    ahead: Mutex<Duration>,
    /// Readings left before the process dies.
    lives: Mutex<Option<u32>>,
}

impl Hours {
    fn pass(&self, by: Duration) {
        *self.ahead.lock().expect("the clock") += by;
    }

    fn back(&self, by: Duration) {
        *self.ahead.lock().expect("the clock") -= by;
    }

    fn die_at(&self, reading: Option<u32>) {
        *self.lives.lock().expect("the clock") = reading;
    }
}

impl Clock for Hours {
    fn now(&self) -> Timestamp {
        let mut lives = self.lives.lock().expect("the clock");
        if let Some(left) = lives.as_mut() {
            if *left == 0 {
                *lives = None;
                drop(lives);
                std::panic::panic_any("the process dies");
            }
            *left -= 1;
        }
        drop(lives);
        SystemClock.now().checked_add(*self.ahead.lock().expect("the clock")).expect("a time")
    }
}

/// A user of the embedded IAM whose key stands in files, and everything that it takes to replace it.
struct Stage {
    sandbox: Sandbox,
    net: Arc<Net>,
    dir: tempfile::TempDir,
    old: SandboxKey,
    finding: Finding,
    credential: Credential,
    /// Whether the old value can still be read.
    readable: bool,
    clock: Arc<Hours>,
    playbooks: Playbooks,
    /// Files that the settings list besides.
    listed: Vec<PathBuf>,
    /// Other stores that they list.
    others: Vec<Listed>,
    /// Deployments that read `.env`.
    consumers: Vec<String>,
    /// The state folder.
    state: PathBuf,
}

/// A store of another kind, at the service that the test plays.
struct Listed {
    kind: &'static str,
    at: &'static str,
    /// What it is said to hold, where nobody can read it.
    part: Option<&'static str>,
}

fn fingerprint_key() -> FingerprintKey {
    FingerprintKey::new([9; 32])
}

fn text(secret: &Secret) -> &str {
    secret.expose_str().expect("text")
}

fn location() -> Location {
    Location { line: 1, column: 1, end_line: 1, end_column: 2, byte_start: 0, byte_end: 1 }
}

fn found_in(path: &std::path::Path) -> Occurrence {
    Occurrence {
        path: path.to_str().expect("text").to_owned(),
        location: location(),
        utf16: None,
        provenance: Provenance::Worktree,
        encoding: Vec::new(),
        parts: Vec::new(),
    }
}

impl Stage {
    /// `files` are names with their texts, in which `{id}` and `{secret}` stand for the key.
    async fn new(files: &[(&str, &str)]) -> Self {
        Self::at(Arc::new(SystemClock), files).await
    }

    /// The same where the provider has a clock of its own.
    async fn at(clock: Arc<dyn Clock>, files: &[(&str, &str)]) -> Self {
        let sandbox = Sandbox::start(clock).await.expect("a provider");
        sandbox.create_user(USER, &[]).expect("a user");
        let old = sandbox.create_access_key(USER).expect("a key");
        let dir = tempfile::tempdir().expect("scratch");
        let (name, url) = Net::parse_endpoint(&format!("aws={}", sandbox.url())).expect("an endpoint");
        let net = Net::new(Settings { endpoints: [(name, url)].into(), ..Settings::default() }).expect("clients");
        let pair = format!("AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n", old.id, text(&old.secret));
        let credential = credential("aws-access-key", &pair);
        let account = sandbox.account();
        let identity: &[(&str, &str)] = &[("user", USER), ("account", account)];
        let detector = set().get("aws-access-key").expect("the detector");
        let mut finding = finding(detector, &credential, (identity, &fingerprint_key()));
        std::fs::create_dir(dir.path().join("app")).expect("a folder");
        for (name, pattern) in files {
            let path = dir.path().join("app").join(name);
            std::fs::write(&path, pattern.replace("{id}", &old.id).replace("{secret}", text(&old.secret))).expect("written");
            finding.occurrences.push(found_in(&path));
        }
        finding.owners.push(Owner {
            edge: Edge::Consumer,
            id: "compose:docker-compose.yml/api".to_owned(),
            name: "api".to_owned(),
            spiffe_id: None,
            tier: Tier::Bound,
            confidence: crate::model::Weight(9000),
            contested: false,
            evidence: Vec::new(),
        });
        let mut playbooks = Playbooks::new(&builtin_playbooks()).expect("playbooks");
        playbooks.0.retain(|playbook| playbook.id == "aws-access-key-rotate");
        Self {
            sandbox,
            net: Arc::new(net),
            state: dir.path().join("state"),
            dir,
            old,
            finding,
            credential,
            readable: true,
            clock: Arc::default(),
            playbooks,
            listed: Vec::new(),
            others: Vec::new(),
            consumers: Vec::new(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("app").join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("the file")
    }

    fn stores(&self) -> Stores {
        let file = |path: &PathBuf| StoreAt {
            kind: "file".to_owned(),
            at: path.to_str().expect("text").to_owned(),
            region: None,
            address: None,
            credential: None,
            holds: None,
            part: None,
        };
        let reads = self.path(".env").canonicalize().unwrap_or_default().to_str().expect("text").to_owned();
        let consumer = |at: &String| ConsumerAt {
            place: StoreAt {
                kind: "kubernetes-deployment".to_owned(),
                at: at.clone(),
                region: None,
                address: None,
                credential: Some(Admin::new("env:TEST".to_owned(), Secret::new(b"a token of the cluster"))),
                holds: None,
                part: None,
            },
            reads: reads.clone(),
        };
        let other = |listed: &Listed| StoreAt {
            kind: listed.kind.to_owned(),
            at: listed.at.to_owned(),
            region: None,
            address: None,
            credential: Some(Admin::new("env:TEST".to_owned(), Secret::new(b"what opens the store"))),
            holds: listed.part.map(|_| self.finding.fingerprint),
            part: listed.part.map(str::to_owned),
        };
        Stores {
            listed: self.listed.iter().map(file).chain(self.others.iter().map(other)).collect(),
            consumers: self.consumers.iter().map(consumer).collect(),
            key: Some(fingerprint_key()),
        }
    }

    fn runner(&self) -> Runner {
        let fingerprint = self.finding.fingerprint;
        let copy = self.readable.then(|| self.credential.duplicate());
        let recall: Box<Recall> = Box::new(move |wanted: &Fingerprint| {
            let copy = copy.as_ref().filter(|_| *wanted == fingerprint);
            copy.map(Credential::duplicate).into_iter().collect()
        });
        let admin = self.sandbox.admin().expect("an administrator");
        let responder = self.net.responder_with(&AwsKey { id: admin.id, secret: admin.secret, token: None });
        let responder = responder.expect("clients");
        let account = self.sandbox.account().to_owned();
        let arn = format!("arn:aws:iam::{account}:user/sandbox-admin");
        let stores = self.stores();
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let hands = Hands {
            net: Arc::clone(&self.net),
            aws: Some(AwsHands { responder, arn, account: account.clone() }),
            admin: None,
            unset: None,
            own: Vec::new(),
            detector: set().get("aws-access-key").cloned(),
            recall,
            stores,
            clock,
        };
        let guard = Guard { accounts: vec![account], most_changes: 20, ..Guard::default() };
        runner(hands, Folder::open(&self.state).expect("a folder"), guard)
    }

    async fn plan(&self) -> Result<(Plan, String), RespondError> {
        let runner = self.runner();
        let plan = draft(&self.finding, &self.playbooks, &runner.hands, &runner.guard).await?;
        let digest = runner.folder.keep(&plan)?;
        Ok((plan, digest))
    }

    async fn apply(&self) -> Run {
        let (_, digest) = self.plan().await.expect("a plan");
        let run = self.runner().apply(&digest).await.expect("a run");
        self.check(&run);
        run
    }

    async fn resume(&self, run: &Run) -> Run {
        let run = self.runner().resume(&run.id).await.expect("a run");
        self.check(&run);
        run
    }

    fn agree(&self, digest: &str) {
        agree(&self.runner(), digest);
    }

    /// The user's keys: id, and whether it is active.
    async fn keys(&self) -> Vec<(String, bool)> {
        let runner = self.runner();
        let iam = &runner.hands.aws.as_ref().expect("clients").responder.iam;
        let listed = iam.list_access_keys().user_name(USER).send().await.expect("listed");
        let shown = |key: &aws_sdk_iam::types::AccessKeyMetadata| {
            let active = key.status().is_some_and(|status| status.as_str() == "Active");
            (key.access_key_id().unwrap_or_default().to_owned(), active)
        };
        listed.access_key_metadata().iter().map(shown).collect()
    }

    /// The key that stands in a file of lines.
    fn held(&self, name: &str) -> AwsKey {
        let text = self.read(name);
        let value = |of: &str| text.lines().find_map(|line| line.strip_prefix(of)).expect("a line").trim().to_owned();
        let (id, secret) = (value("AWS_ACCESS_KEY_ID="), value("AWS_SECRET_ACCESS_KEY="));
        AwsKey { id, secret: Secret::new(secret.as_bytes()), token: None }
    }

    /// What a service does that reads its key from a file: whether STS takes it.
    async fn serves(&self, name: &str) -> bool {
        let sts = self.net.sts(&self.held(name), Partition::Aws).expect("clients");
        sts.get_caller_identity().send().await.is_ok()
    }

    fn calls(&self, action: &str) -> usize {
        self.sandbox.calls().iter().filter(|call| call.action == action && call.error.is_none()).count()
    }

    /// What was written down tells what was returned, and no secret.
    fn check(&self, run: &Run) {
        let again = replayed(&self.runner().folder.run(&run.id).expect("the run")).expect("a journal");
        assert_eq!((again.state, &again.steps), (run.state, &run.steps));
        let mut folders = vec![self.state.clone()];
        let secrets = [text(&self.old.secret).to_owned(), text(&self.held(".env").secret).to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let written = String::from_utf8_lossy(&std::fs::read(&path).expect("a file")).into_owned();
                    let leaked = secrets.iter().any(|secret| written.contains(secret.as_str()));
                    assert!(!leaked, "a secret was written to {}", path.display());
                }
            }
        }
    }

    fn records(&self, run: &Run) -> usize {
        let path = self.state.join("runs").join(&run.id).join("journal.jsonl");
        journal::read(&path).expect("a journal").events.len()
    }
}

const ENV: &str = "# prod\nAWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={secret}\nOTHER=1\n";
const JSON: &str = "{\n  \"aws\": { \"id\": \"{id}\", \"key\": \"{secret}\" }\n}";
