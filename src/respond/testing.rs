//! For tests: a leaked credential, a provider on loopback that plays a scripted part, and a runner over both. The wire is
//! fake; everything that decides is real.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use jiff::Timestamp;

use super::Turn;
use super::{
    Admin, Approvers, Folder, Guard, Hands, Playbook, Playbooks, Recall, RespondError, Runner, account, approve,
    builtin_playbooks, draft, journal, replayed,
};
use crate::attest::Signer;
use crate::detect::{Detector, DetectorSet, Found, LivenessCheck, Scanner};
use crate::model::{
    Blob, Checked, Credential, Event, EventKind, Finding, Identity, Liveness, PartInfo, Plan, Run, TestClock,
};
use crate::net::testing::{Peer, Server};
use crate::net::{Manners, Net, Settings};
use crate::secret::{Fingerprint, FingerprintKey, Secret};

/// The responder's own credential; found nowhere in what is written.
pub(super) const ADMIN: &str = "the-responders-own-credential-1";

pub(super) fn set() -> &'static DetectorSet {
    static SET: OnceLock<DetectorSet> = OnceLock::new();
    SET.get_or_init(|| DetectorSet::builtin().expect("detectors"))
}

/// One request, as the provider hears it.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// `GET /path?query`
    pub(super) line: String,
    pub(super) head: String,
    pub(super) body: String,
}

/// Hears one whole request.
fn hear(peer: &mut Peer) -> Option<Asked> {
    let mut text = Vec::new();
    loop {
        let more = peer.hear();
        if more.is_empty() {
            return None;
        }
        text.extend(more);
        let all = String::from_utf8_lossy(&text).into_owned();
        let Some((head, body)) = all.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        });
        if body.len() >= length.unwrap_or(0) {
            let line = head.lines().next()?.rsplit_once(' ')?.0.to_owned();
            return Some(Asked { line, head: head.to_owned(), body: body.to_owned() });
        }
    }
}

/// The provider's side: every request it heard, and the answer to each.
pub(super) struct Provider {
    server: Server,
    heard: Arc<Mutex<Vec<Asked>>>,
}

impl Provider {
    /// Answers with bytes; nothing hangs up.
    pub(super) fn new(answer: impl Fn(&Asked) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let heard: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let ears = Arc::clone(&heard);
        let server = Server::talking(move |peer| {
            if let Some(asked) = hear(peer) {
                ears.lock().expect("the ears").push(asked.clone());
                peer.say(&answer(&asked));
            }
        });
        Self { server, heard }
    }

    pub(super) fn url(&self) -> String {
        self.server.url()
    }

    pub(super) fn heard(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.heard.lock().expect("the ears")
    }
}

/// The text of a detector's own first example, joined here so that no file holds it whole.
pub(super) fn example(detector: &str) -> String {
    let table: toml::Table = set().text(detector).expect("a file").parse().expect("TOML");
    let text = &table["example"].as_array().expect("examples")[0]["text"];
    match text {
        toml::Value::Array(pieces) => pieces.iter().filter_map(toml::Value::as_str).collect(),
        other => other.as_str().expect("text").to_owned(),
    }
}

pub(super) fn credential(detector: &str, text: &str) -> Credential {
    let mut found = None;
    Scanner::new(set()).scan(&Blob::whole("x.env", text.as_bytes()), &mut |one| {
        if let Found::Credential(one) = one
            && &*one.detector == detector
        {
            found.get_or_insert(one);
        }
    });
    found.unwrap_or_else(|| panic!("{detector} is not in its example"))
}

/// What a test is about.
pub(super) struct Scene {
    pub(super) provider: Provider,
    pub(super) finding: Finding,
    pub(super) credential: Credential,
    pub(super) guard: Guard,
    pub(super) playbook: Playbook,
    pub(super) admin: Option<&'static str>,
    /// Why there is none.
    pub(super) unset: Option<String>,
    /// Whether the value can be read.
    pub(super) readable: bool,
    /// A file that the settings list as a store.
    pub(super) store: Option<std::path::PathBuf>,
    pub(super) clock: Arc<TestClock>,
    key: FingerprintKey,
    /// Made once: it reads the machine's certificates.
    net: Arc<Net>,
    dir: tempfile::TempDir,
}

impl Scene {
    /// The built-in example of a detector, live with this identity, owned, with the playbook of that id.
    pub(super) fn new(detector: &str, playbook: &str, identity: &[(&str, &str)], provider: Provider) -> Self {
        Self::of(detector, &example(detector), playbook, (identity, provider))
    }

    pub(super) fn of(detector: &str, text: &str, playbook: &str, (identity, provider): (&[(&str, &str)], Provider)) -> Self {
        let key = FingerprintKey::new([7; 32]);
        let credential = credential(detector, text);
        let finding = finding(set().get(detector).expect("the detector"), &credential, (identity, &key));
        let own = account(&finding).unwrap_or_else(|| "*".to_owned());
        let owned = [(finding.provider.clone(), vec![own, finding.fingerprint.to_string()])].into();
        let mut all = Playbooks::new(&builtin_playbooks()).expect("playbooks");
        all.0.retain(|one| one.id == playbook);
        let mut playbook = all.0.pop().expect("the playbook");
        // Whoever waits for a refusal that never comes waits this long.
        let proofs = playbook.steps.iter_mut().filter(|step| step.id == "prove-refused");
        proofs.for_each(|step| step.timeout = 1);
        let net = net(&finding, &provider, (Manners::default(), Settings::default().timeout));
        Self {
            net,
            provider,
            finding,
            credential,
            guard: Guard { owned, most_changes: 20, ..Guard::default() },
            playbook,
            admin: Some(ADMIN),
            unset: None,
            readable: true,
            store: None,
            clock: Arc::new(TestClock::new(Timestamp::UNIX_EPOCH)),
            key,
            dir: tempfile::tempdir().expect("scratch"),
        }
    }

    /// The same where nobody is spared and a proof is asked for once.
    pub(super) fn hasty(mut self) -> Self {
        let manners = Manners { at_once: 4, per_second: u32::MAX, budget: u32::MAX, failures: u32::MAX };
        self.net = net(&self.finding, &self.provider, (manners, Settings::default().timeout));
        self.playbook.steps.iter_mut().filter(|step| step.id == "prove-refused").for_each(|step| step.timeout = 0);
        self
    }

    /// The same where nobody waits longer than that for an answer.
    pub(super) fn impatient(mut self, timeout: std::time::Duration) -> Self {
        self.net = net(&self.finding, &self.provider, (Manners::default(), timeout));
        self
    }

    /// Nothing was ever planned.
    pub(super) fn afresh(&mut self) {
        self.dir = tempfile::tempdir().expect("scratch");
    }

    /// The run, after its process died: of the records that came since a change was begun, `part` of 16 were not written, and
    /// the next one was not finished.
    pub(super) fn forget(&self, run: &Run, part: u8) -> Run {
        let folder = self.runner().folder.run(&run.id).expect("the run");
        let text = std::fs::read_to_string(folder.journal()).expect("a journal");
        let events = journal::read(&folder.journal()).expect("a journal").events;
        let begins = |event: &Event| match event.event {
            EventKind::UndoStarted => true,
            EventKind::Started { .. } => event.step.as_deref() == Some("stop"),
            _ => false,
        };
        let first = events.iter().rposition(begins).map_or(0, |at| at + 1);
        let kept = events.len() - usize::from(part) * (events.len() - first) / 16;
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let torn = lines.get(kept).map_or("", |line| &line[..line.len() / 2]);
        std::fs::write(folder.journal(), lines[..kept].concat() + torn).expect("written");
        self.again(run)
    }

    /// The run as its journal tells it.
    pub(super) fn again(&self, run: &Run) -> Run {
        replayed(&self.runner().folder.run(&run.id).expect("the run")).expect("a journal that can be read")
    }

    /// The leaked value.
    pub(super) fn value(&self) -> &str {
        self.credential.pointed_at().and_then(|part| part.value.expose_str()).expect("text")
    }

    fn hands(&self) -> Hands {
        let fingerprint = self.finding.fingerprint;
        let copy = self.readable.then(|| self.credential.duplicate());
        let recall: Box<Recall> = Box::new(move |wanted: &Fingerprint| {
            let copy = copy.as_ref().filter(|_| *wanted == fingerprint);
            copy.map(Credential::duplicate).into_iter().collect()
        });
        let admin = self.admin.map(|value| Admin::new("env:TEST".to_owned(), Secret::new(value.as_bytes())));
        let own = admin.as_ref().map(|admin| admin.fingerprints(&self.key)).unwrap_or_default();
        Hands {
            net: Arc::clone(&self.net),
            aws: None,
            admin,
            unset: self.unset.clone(),
            own,
            detector: set().get(&self.finding.detector).cloned(),
            recall,
            stores: self.stores(),
            clock: Arc::clone(&self.clock) as Arc<dyn crate::model::Clock>,
        }
    }

    fn stores(&self) -> super::Stores {
        let file = |path: &std::path::PathBuf| super::StoreAt {
            kind: "file".to_owned(),
            at: path.to_str().expect("text").to_owned(),
            region: None,
            address: None,
            credential: None,
            holds: None,
            part: None,
        };
        super::Stores {
            listed: self.store.iter().map(file).collect(),
            consumers: Vec::new(),
            key: Some(FingerprintKey::new([7; 32])),
        }
    }

    pub(super) fn runner(&self) -> Runner {
        let folder = Folder::open(self.dir.path()).expect("a folder");
        Runner { signer: Some(signer(3)), ..runner(self.hands(), folder, self.guard.clone()) }
    }

    pub(super) async fn plan(&self) -> Result<(Plan, String), RespondError> {
        let runner = self.runner();
        let playbooks = Playbooks(vec![self.playbook.clone()]);
        let plan = draft(&self.finding, &playbooks, &runner.hands, &self.guard).await?;
        let digest = runner.folder.keep(&plan)?;
        Ok((plan, digest))
    }

    /// Two people agree.
    pub(super) fn agree(&self, digest: &str) {
        agree(&self.runner(), digest);
    }

    /// Plans, agrees, applies. What was written holds no secret, and tells the same when it is read again.
    pub(super) async fn apply(&self) -> Run {
        let (_, digest) = self.plan().await.expect("a plan");
        self.agree(&digest);
        let run = self.runner().apply(&digest).await.expect("a run");
        self.check(&run);
        run
    }

    pub(super) async fn resume(&self, run: &Run) -> Run {
        let run = self.runner().resume(&run.id).await.expect("a run");
        self.check(&run);
        run
    }

    pub(super) async fn undo(&self, run: &Run) -> Run {
        let run = self.runner().undo(&run.id).await.expect("a run");
        self.check(&run);
        run
    }

    /// Everything that is in the state folder.
    pub(super) fn written(&self) -> String {
        let mut text = String::new();
        let mut folders = vec![self.dir.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    text.push_str(&String::from_utf8_lossy(&std::fs::read(path).expect("a file")));
                }
            }
        }
        text
    }

    pub(super) fn check(&self, run: &Run) {
        let again = self.again(run);
        assert_eq!((again.state, &again.steps), (run.state, &run.steps), "the journal tells what was returned");
        let written = self.written();
        for part in self.credential.parts.iter().filter(|part| !part.public) {
            assert!(!written.contains(part.value.expose_str().expect("text")), "the leaked value was written down");
        }
        assert!(self.admin.is_none_or(|admin| !written.contains(admin)), "the responder's credential was written down");
    }
}

/// A runner of the tests' own: two people may approve, nothing is signed.
pub(super) fn runner(hands: Hands, folder: Folder, guard: Guard) -> Runner {
    Runner {
        hands,
        folder,
        guard,
        stop_file: None,
        look_again: Duration::ZERO,
        turn: Turn::default(),
        approvers: people(),
        stop: Arc::default(),
        requester: "tests".to_owned(),
        confirmed: Vec::new(),
        break_glass: None,
        signer: None,
    }
}

/// Who may approve, and what their keys are made from.
const PEOPLE: [(&str, u8); 2] = [("kim", 1), ("lee", 2)];

pub(super) fn people() -> Approvers {
    Approvers::from(PEOPLE.map(|(name, seed)| (name.to_owned(), signer(seed).public())))
}

/// Both of them agree.
pub(super) fn agree(runner: &Runner, digest: &str) {
    for (name, seed) in PEOPLE {
        let now = runner.hands.clock.now();
        let approval = approve(digest, name, &signer(seed), &runner.approvers, now).expect("listed");
        runner.folder.keep_approval(&approval).expect("kept");
    }
}

/// Clients that ask the scripted provider, whatever they are asked for.
fn net(finding: &Finding, provider: &Provider, (manners, timeout): (Manners, std::time::Duration)) -> Arc<Net> {
    let url = |name: &str| Net::parse_endpoint(&format!("{name}={}", provider.server.url())).expect("an endpoint");
    let own = ["digitalocean-oauth", "google-oauth-revoke"].map(str::to_owned);
    let admin = [super::endpoint(&finding.provider), finding.provider.clone()];
    let asked = match &set().get(&finding.detector).expect("the detector").liveness {
        LivenessCheck::Http(check) => Some(check.endpoint.clone()),
        _ => None,
    };
    let endpoints = own.into_iter().chain(admin).chain(asked).map(|name| url(&name)).collect();
    Arc::new(Net::new(Settings { endpoints, timeout, manners, ..Settings::default() }).expect("clients"))
}

/// A step of a run: its state and why.
pub(super) fn step<'r>(run: &'r Run, id: &str) -> (crate::model::StepState, &'r str) {
    let step = run.steps.iter().find(|step| step.id == id).expect("the step");
    (step.state, step.why.as_deref().unwrap_or_default())
}

pub(super) fn signer(seed: u8) -> Signer {
    let mut der = vec![0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    der.extend([seed; 32]);
    Signer::from_pem(&data_encoding::BASE64.encode(&der)).expect("a key")
}

pub(super) fn finding(
    detector: &Detector,
    credential: &Credential,
    (identity, key): (&[(&str, &str)], &FingerprintKey),
) -> Finding {
    let identity: BTreeMap<String, String> =
        identity.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let part = |part: &crate::model::Part| PartInfo {
        name: part.name.to_string(),
        public: part.public,
        value: part.public.then(|| part.shown()),
        fingerprints: vec![key.fingerprint(part.value.expose())],
    };
    Finding {
        schema: Finding::SCHEMA.to_owned(),
        fingerprint: key.fingerprint(credential.identifying().expect("a part").value.expose()),
        detector: detector.id.to_string(),
        provider: detector.provider.clone(),
        class: detector.class.clone(),
        severity: detector.severity,
        confidence: credential.confidence,
        redacted: credential.pointed_at().expect("a part").shown(),
        parts: credential.parts.iter().map(part).collect(),
        partial: credential.partial,
        facts: credential.facts.clone(),
        liveness: Checked { liveness: Liveness::Live(Identity(identity)), at: Some(Timestamp::UNIX_EPOCH) },
        occurrences: Vec::new(),
        owners: Vec::new(),
        reach: None,
        activity: None,
        playbook: None,
    }
}
