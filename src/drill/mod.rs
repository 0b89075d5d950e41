//! The whole chain on a sacrificial credential. `demo` runs it against the embedded provider in `sandbox`, through the same
//! functions that run against AWS; only the endpoint differs.

mod leak;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::detect::DetectorSet;
use crate::model::{Clock, Confidence, Credential, Finding, Plan, Report, Run, Tool};
use crate::net::{AwsKey, Net, NetError, Settings};
use crate::ownership::{add_owners, iam_owners};
use crate::respond::{AwsHands, Folder, Guard, Hands, Playbooks, Recall, RespondError, Runner, draft};
use crate::sandbox::{Sandbox, SandboxError};
use crate::scan::{Allowing, Asking, Attribution, Counters, Groups, Request, Target, WalkOptions, attribute, run, validate};
use crate::secret::FingerprintKey;
use crate::validate::Validator;

/// What the story has come to.
#[derive(Debug)]
pub enum Chapter {
    /// A repository with leaked keys was written here.
    Leaked(PathBuf),
    /// It was scanned, the keys were validated and attributed.
    Triaged(Report),
    /// A plan was made, with its digest.
    Planned(Plan, String),
    /// It was carried out.
    Applied(Run),
    /// The keys were asked about again.
    Proven(Report),
}

/// The story could not be told to its end.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// The embedded provider failed.
    #[error("the embedded provider failed: {0}")]
    Sandbox(#[from] SandboxError),
    /// A client could not be built.
    #[error(transparent)]
    Net(#[from] NetError),
    /// Responding failed.
    #[error(transparent)]
    Respond(#[from] RespondError),
    /// The scratch folder failed.
    #[error("the scratch folder failed: {0}")]
    Io(#[from] std::io::Error),
    /// Something that the story needs did not come to pass.
    #[error("{0}")]
    Story(&'static str),
}

/// What the story is told with.
pub struct Stage<'s> {
    /// An empty folder; the caller removes it.
    pub scratch: &'s Path,
    /// Who makes the reports.
    pub tool: Tool,
    /// The playbooks.
    pub playbooks: &'s Playbooks,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Tells the whole story: leak, find, prove live, attribute, plan, stop, prove stopped.
pub fn demo(set: &DetectorSet, stage: &Stage<'_>, tell: &mut dyn FnMut(Chapter)) -> Result<(), DrillError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let sandbox = runtime.block_on(Sandbox::start(Arc::clone(&stage.clock)))?;
    let net = Arc::new(Net::new(settings(&sandbox)?)?);
    let repository = stage.scratch.join("payments");
    leak::write(&repository, &sandbox)?;
    tell(Chapter::Leaked(repository.clone()));

    let key = Arc::new(FingerprintKey::random().ok_or(DrillError::Story("the system has no random numbers"))?);
    let mut found = look(set, stage, &repository, &key);
    let validator = Validator::new(Arc::clone(&net));
    let asking = || Asking { set, validator: &validator, clock: &*stage.clock, classes: &[], answers: None };
    validate(&mut found.0, asking())?;
    let paths = [repository];
    let (walk, clock) = (WalkOptions::default(), Arc::clone(&stage.clock));
    let with = Attribution { paths: &paths, walk, key, trust: None, clock };
    attribute(&mut found.0, &with, &mut found.1.coverage);
    let responder = net.responder_with(&admin(&sandbox)?)?;
    for group in &mut found.0.0 {
        group.finding.playbook = stage.playbooks.for_detector(&group.finding.detector).map(|playbook| playbook.id.clone());
        let key_id = group.finding.parts.iter().find(|part| part.name == "key_id").and_then(|part| part.value.clone());
        if let Some(key_id) = key_id {
            // Whose it is may stay unknown; the story goes on.
            let answer = runtime.block_on(iam_owners(&responder.iam, &key_id));
            add_owners(&mut group.finding, answer.owners);
        }
    }
    // The one that the embedded IAM knows.
    let worst = found.0.0.iter().find(|group| group.finding.provider == "aws" && group.finding.playbook.is_some());
    let worst = worst.ok_or(DrillError::Story("the leaked access key was not found"))?;
    let (finding, variants): (Finding, Vec<Credential>) =
        (worst.finding.clone(), worst.variants.iter().map(Credential::duplicate).collect());
    tell(Chapter::Triaged(report(stage, &found)));

    let runner = runtime.block_on(runner(stage, (net, responder), variants, &finding))?;
    let plan = runtime.block_on(draft(&finding, stage.playbooks, &runner.hands, &runner.guard))?;
    let digest = runner.folder.keep(&plan)?;
    tell(Chapter::Planned(plan, digest.clone()));
    tell(Chapter::Applied(runtime.block_on(runner.apply(&digest))?));

    validate(&mut found.0, asking())?;
    found.0.0.retain(|group| group.finding.fingerprint == finding.fingerprint);
    tell(Chapter::Proven(report(stage, &found)));
    runtime.block_on(sandbox.stop());
    Ok(())
}

fn settings(sandbox: &Sandbox) -> Result<Settings, NetError> {
    let mut settings = Settings::default();
    for name in ["aws", "openai"] {
        let (name, url) = Net::parse_endpoint(&format!("{name}={}", sandbox.url()))?;
        settings.endpoints.insert(name, url);
    }
    Ok(settings)
}

fn admin(sandbox: &Sandbox) -> Result<AwsKey, SandboxError> {
    let key = sandbox.admin()?;
    Ok(AwsKey { id: key.id, secret: key.secret, token: None })
}

type Found = (Groups, crate::scan::Gathered);

fn look(set: &DetectorSet, stage: &Stage<'_>, repository: &Path, key: &FingerprintKey) -> Found {
    let counters = Counters { stop: AtomicBool::new(false), ..Counters::default() };
    let (walk, allow) = (WalkOptions::default(), Allowing::nothing());
    let request =
        Request { set, allow: &allow, walk, archive_depth: 0, jobs: 0, least: Confidence::Medium, counters: &counters };
    let mut gathered = run(vec![Target::Path(repository.to_owned())], &request);
    let groups = Groups::new(&mut gathered, set, key, stage.clock.now());
    (groups, gathered)
}

fn report(stage: &Stage<'_>, (groups, gathered): &Found) -> Report {
    Report { tool: stage.tool.clone(), findings: groups.findings(), coverage: gathered.coverage.clone(), seconds: 0.0 }
}

async fn runner(
    stage: &Stage<'_>,
    (net, responder): (Arc<Net>, crate::net::Responder),
    variants: Vec<Credential>,
    finding: &Finding,
) -> Result<Runner, DrillError> {
    let who = responder.sts.get_caller_identity().send().await;
    let who = who.map_err(|_| DrillError::Story("the embedded STS does not know its own administrator"))?;
    let account = who.account().unwrap_or_default().to_owned();
    let fingerprint = finding.fingerprint;
    let recall: Box<Recall> = Box::new(move |wanted| {
        let wanted = (*wanted == fingerprint).then_some(&variants);
        wanted.map_or_else(Vec::new, |variants| variants.iter().map(Credential::duplicate).collect())
    });
    Ok(Runner {
        hands: Hands {
            net,
            unset: None,
            aws: Some(AwsHands { responder, arn: who.arn().unwrap_or_default().to_owned(), account: account.clone() }),
            admin: None,
            own: Vec::new(),
            detector: None,
            recall,
            clock: Arc::clone(&stage.clock),
        },
        folder: Folder::open(&stage.scratch.join("state"))?,
        guard: Guard { accounts: vec![account], most_changes: 20, ..Guard::default() },
        stop_file: None,
        approvers: std::collections::BTreeMap::new(),
        requester: "demo".to_owned(),
        confirmed: Vec::new(),
        stop: Arc::default(),
    })
}
