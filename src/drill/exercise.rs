//! A drill: plant, scan, validate, attribute, plan, contain, prove, undo, clean; each leg with its time. What was planted is
//! taken away however the drill ends.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Runtime;

use super::chain::{Acting, Bounds, Chain, Found};
use super::plant::{self, Plant, Seed, aws, vault};
use super::{DrillError, Stage, admin, leak, settings};
use crate::attest::Signer;
use crate::detect::DetectorSet;
use crate::model::{DrillReport, Edge, Finding, Leg, LegOutcome, Liveness, Plan, Run, RunState, StepState, Times};
use crate::net::{Net, Responder};
use crate::respond::{Approvers, Playbook, Playbooks, Runner, approve, draft};
use crate::sandbox::Sandbox;
use crate::secret::Secret;

/// A new key is taken everywhere after seconds (IAM User Guide, "Changes that I make are not always immediately visible").
const TRIES: u32 = 15;
const BETWEEN: Duration = Duration::from_secs(2);

/// Where a drill takes place.
pub enum Where {
    /// On the embedded provider: nothing outside is asked.
    Sandbox,
    /// In an account of the operator's.
    Account(Box<Ground>),
    /// At a Vault or an OpenBao of the operator's.
    Vault(Box<Ground>),
}

/// An account or a server of the operator's, with whoever acts there. That it may be drilled in, the caller has made sure of.
pub struct Ground {
    /// The door.
    pub net: Arc<Net>,
    /// The responder's AWS side; at a server there is none.
    pub responder: Option<Responder>,
    /// The account that the operator named, or the server's address.
    pub account: String,
    /// What is never touched.
    pub protected: Vec<String>,
    /// While this file exists nothing is changed.
    pub stop_file: Option<PathBuf>,
    /// With what the embedded provider's other keys, or a server, are administered.
    pub admin: Option<Secret>,
}

/// The playbooks that can be drilled.
pub fn drillable(playbooks: &Playbooks) -> Vec<&str> {
    playbooks.0.iter().filter(|one| Seed::of(one).is_some()).map(|one| one.id.as_str()).collect()
}

/// Goes through the whole chain with one playbook.
///
/// # Errors
/// Only before anything was planted. From then on what goes wrong is a leg that failed.
pub fn drill(
    set: &DetectorSet,
    stage: &Stage<'_>,
    playbook: &Playbook,
    place: Where,
    id: String,
) -> Result<DrillReport, DrillError> {
    let Some(seed) = Seed::of(playbook) else {
        let drillable = drillable(stage.playbooks).join(", ");
        return Err(DrillError::NoPlant { playbook: playbook.id.clone(), drillable });
    };
    if seed == Seed::OpenAiKey && !matches!(place, Where::Sandbox) {
        return Err(DrillError::Story(
            "a key of OpenAI is planted on the sandbox alone: OpenAI shows no key that it makes for a project",
        ));
    }
    if (seed == Seed::VaultToken) != matches!(place, Where::Vault(_)) {
        return Err(DrillError::Story(
            "a token of Vault's or OpenBao's is planted at such a server, and nothing else is: `--on vault`, with `drill = true` at its \
             [[responder.provider]]",
        ));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    // From here on Ctrl-C ends the drill after its leg, so that what was planted is taken away.
    runtime.spawn(async move {
        while asked_to_end().await {
            flag.store(true, Ordering::Relaxed);
        }
    });
    let (sandbox, name, ground) = match place {
        Where::Account(ground) => (None, format!("aws:{}", ground.account), *ground),
        Where::Vault(ground) => (None, format!("vault:{}", ground.account), *ground),
        Where::Sandbox => {
            let sandbox = runtime.block_on(Sandbox::start(Arc::clone(&stage.clock)))?;
            let ground = of_sandbox(&sandbox)?;
            (Some(sandbox), "sandbox".to_owned(), ground)
        }
    };
    // What is planted at a server ends by itself.
    let left_over = match &ground.responder {
        Some(responder) => runtime.block_on(plant::left_over(responder))?,
        None => Vec::new(),
    };
    let report = DrillReport {
        schema: DrillReport::SCHEMA.to_owned(),
        id,
        playbook: playbook.id.clone(),
        playbook_sha256: playbook.digest.clone(),
        ground: name,
        planted: std::collections::BTreeMap::new(),
        began: stage.clock.now(),
        legs: Vec::new(),
        left_over,
    };
    let chain = Chain::new(set, stage, Arc::clone(&ground.net))?;
    let sandbox = &sandbox;
    let mut drill =
        Drill { chain, seed, sandbox, ground, runtime: &runtime, report, playbook, stop, began: stage.clock.now() };
    drill.go();
    drill.clean();
    let report = drill.report;
    runtime.shutdown_background();
    Ok(report)
}

/// Ctrl-C, a terminal that went away, or whoever ends services. False where signals cannot be heard.
async fn asked_to_end() -> bool {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut term), Ok(mut hangup)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup())) else {
            return tokio::signal::ctrl_c().await.is_ok();
        };
        tokio::select! {
            said = tokio::signal::ctrl_c() => said.is_ok(),
            _ = term.recv() => true,
            _ = hangup.recv() => true,
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.is_ok()
}

fn of_sandbox(sandbox: &Sandbox) -> Result<Ground, DrillError> {
    let net = Arc::new(Net::new(settings(sandbox)?)?);
    let responder = net.responder_with(&admin(sandbox)?)?;
    let account = sandbox.account().to_owned();
    let admin = Some(sandbox.llm_admin_key());
    Ok(Ground { net, responder: Some(responder), account, protected: Vec::new(), stop_file: None, admin })
}

struct Drill<'d> {
    chain: Chain<'d>,
    seed: Seed,
    sandbox: &'d Option<Sandbox>,
    ground: Ground,
    runtime: &'d Runtime,
    report: DrillReport,
    playbook: &'d Playbook,
    stop: Arc<AtomicBool>,
    /// When the leg began.
    began: Timestamp,
}

/// A leg that went as it should, with what was seen.
type Gone<T> = Result<(T, String), String>;

impl Drill<'_> {
    /// Every leg but the last, as far as it goes.
    fn go(&mut self) -> Option<()> {
        let planted = self.leg("plant", Self::plant)?;
        let folder = self.chain.stage.scratch.join("payments");
        let (mut found, mut times) = self.leg("scan", |drill| drill.scan(&folder, &planted))?;
        self.leg("validate", |drill| drill.validate(&mut found))?;
        times.validated = Some(self.chain.stage.clock.now());
        self.leg("attribute", |drill| drill.attribute(&mut found, folder.clone()))?;
        times.attributed = Some(self.chain.stage.clock.now());
        let (runner, digest) = self.leg("plan", |drill| drill.plan(&found, times, &planted))?;
        let run = self.leg("contain", |drill| drill.contain(&runner, &digest))?;
        self.leg("prove", |drill| drill.prove(&runner, &run, &mut found))?;
        self.undo(&runner, &run, &mut found)
    }

    /// Goes one leg and writes down how it went; nothing when the drill ends there.
    fn leg<T>(&mut self, name: &str, go: impl FnOnce(&mut Self) -> Gone<T>) -> Option<T> {
        self.began = self.chain.stage.clock.now();
        let gone = if self.stop.load(Ordering::Relaxed) { Err("interrupted".to_owned()) } else { go(self) };
        match gone {
            Ok((value, said)) => {
                self.note(name, LegOutcome::Passed, said);
                Some(value)
            }
            Err(said) => {
                self.note(name, LegOutcome::Failed, said);
                None
            }
        }
    }

    fn note(&mut self, name: &str, outcome: LegOutcome, said: String) {
        let took = self.chain.stage.clock.now().duration_since(self.began);
        let seconds = (took.as_secs_f64() * 1000.0).round() / 1000.0;
        self.report.legs.push(Leg { name: name.to_owned(), seconds, outcome, said });
    }

    fn plant(&mut self) -> Gone<Plant> {
        let id = self.report.id.clone();
        let planted = match self.seed {
            Seed::AwsKey => self.plant_aws(&id)?,
            Seed::OpenAiKey => self.plant_openai(&id)?,
            Seed::VaultToken => self.runtime.block_on(self.server()?.plant(&id)).map_err(words)?,
        };
        self.report.planted.extend(planted.names.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let secret = planted.secret.expose_str().unwrap_or_default();
        let mut variables = vec![(self.seed.variable(), secret)];
        if self.seed == Seed::AwsKey {
            variables.insert(0, ("AWS_ACCESS_KEY_ID", planted.name("key_id")));
        }
        leak::write_drill(&self.chain.stage.scratch.join("payments"), &variables).map_err(words)?;
        let said = planted.names.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ");
        Ok((planted, said))
    }

    /// The server that is drilled at.
    fn server(&self) -> Result<vault::Server<'_>, String> {
        let address = self.ground.net.endpoint("hashicorp-vault-admin").ok_or("the server has no address")?;
        let token = self.ground.admin.as_ref().ok_or("there is no token to act with")?;
        Ok(vault::Server { net: &self.ground.net, address, token })
    }

    fn responder(&self) -> Result<&Responder, String> {
        self.ground.responder.as_ref().ok_or_else(|| "there is no responder in an account of AWS".to_owned())
    }

    fn plant_aws(&mut self, id: &str) -> Result<Plant, String> {
        // From here on there may be something to take away, whatever comes of the call.
        self.report.planted.insert("user".to_owned(), aws::name(id));
        self.runtime.block_on(aws::user(self.responder()?, id)).map_err(words)?;
        self.runtime.block_on(aws::key(self.responder()?, id)).map_err(words)
    }

    fn plant_openai(&mut self, id: &str) -> Result<Plant, String> {
        let sandbox = self.sandbox.as_ref().ok_or("there is no sandbox")?;
        let (project, secret) = sandbox.create_llm_project(&aws::name(id)).map_err(words)?;
        Ok(Plant { seed: Seed::OpenAiKey, names: [("project", project)].into(), secret })
    }

    fn scan(&mut self, folder: &std::path::Path, planted: &Plant) -> Gone<(Found, Times)> {
        let mut found = self.chain.look(folder);
        let detected = Some(self.chain.stage.clock.now());
        // Whichever part it is named by: the very value that was planted is among its parts.
        let print = self.chain.key.fingerprint(planted.secret.expose());
        let is_it = |finding: &Finding| {
            let whole = finding.parts.iter().any(|part| part.fingerprints.contains(&print));
            planted.seed.detectors().contains(&finding.detector.as_str()) && whole
        };
        found.0.0.retain(|group| is_it(&group.finding));
        match found.0.0.as_slice() {
            [one] if !one.finding.partial => {
                let said = format!("found in {} places", one.finding.occurrences.len());
                Ok(((found, Times { detected, ..Times::default() }), said))
            }
            _ => Err("the planted key was not found whole, once".to_owned()),
        }
    }

    /// Asks until the answer is as wanted, or it has been asked often enough.
    fn asked(&self, found: &mut Found, wanted: impl Fn(&Liveness) -> bool) -> Result<Liveness, String> {
        for attempt in 0..TRIES {
            if attempt > 0 {
                std::thread::sleep(BETWEEN);
            }
            if self.stop.load(Ordering::Relaxed) {
                return Err("interrupted".to_owned());
            }
            self.chain.ask(&mut found.0).map_err(words)?;
            let said = found.0.0.first().map(|group| group.finding.liveness.liveness.clone());
            if let Some(said) = said.filter(&wanted) {
                return Ok(said);
            }
        }
        let last = found.0.0.first().map(|group| format!("{:?}", group.finding.liveness.liveness));
        Err(format!("the provider said {} to the end", last.unwrap_or_default()))
    }

    fn validate(&mut self, found: &mut Found) -> Gone<()> {
        let live = self.asked(found, |said| matches!(said, Liveness::Live(_)))?;
        let who =
            |name: &str| live.identity().and_then(|identity| identity.get(name)).map(|value| format!("{name} {value}"));
        let who = ["user", "project", "display_name"].into_iter().find_map(who).unwrap_or_default();
        Ok(((), format!("live, as {who}")))
    }

    fn attribute(&mut self, found: &mut Found, folder: PathBuf) -> Gone<()> {
        self.chain.attribute(found, folder, (self.runtime, self.ground.responder.as_ref()));
        let owners = found.0.0.iter().flat_map(|group| &group.finding.owners);
        let consumer = owners.clone().find(|owner| owner.edge == Edge::Consumer && owner.id == leak::CONSUMER);
        match consumer {
            Some(owner) => Ok(((), format!("used by {} ({})", owner.id, owner.tier.word()))),
            None => Err(format!("{} was not named", leak::CONSUMER)),
        }
    }

    fn plan(&mut self, found: &Found, times: Times, planted: &Plant) -> Gone<(Runner, String)> {
        let group = found.0.0.first().ok_or("the finding is gone")?;
        let variants = group.variants.iter().map(crate::model::Credential::duplicate).collect();
        let signers: Vec<(String, Signer)> =
            ["drill-1", "drill-2"].into_iter().filter_map(|name| Some((name.to_owned(), Signer::ephemeral()?))).collect();
        let approvers: Approvers = signers.iter().map(|(name, signer)| (name.clone(), signer.public())).collect();
        let (protected, stop_file) = (self.ground.protected.clone(), self.ground.stop_file.clone());
        // Of other providers than AWS, this one credential and nothing else.
        let owned = [(group.finding.provider.clone(), vec![group.finding.fingerprint.to_string()])].into();
        let bounds = Bounds { protected, stop_file, approvers, owned };
        let acting = Acting {
            responder: self.ground.responder.clone(),
            admin: self.ground.admin.as_ref().map(Secret::duplicate),
            detector: &group.finding.detector,
            leaked: (group.finding.fingerprint, variants),
            requester: "drill",
            bounds,
        };
        let runner = self.runtime.block_on(self.chain.runner(acting)).map_err(words)?;
        let playbooks = Playbooks(vec![hurried(self.playbook)]);
        let plan = self.runtime.block_on(draft(&group.finding, &playbooks, &runner.hands, &runner.guard)).map_err(words)?;
        let plan = Plan { times, ..plan };
        ours(&plan, planted, &self.ground.account).map_err(words)?;
        let digest = runner.folder.keep(&plan).map_err(words)?;
        // Whatever it is, it is done to what the drill itself has made, a moment ago, and to nothing else.
        for (name, signer) in &signers {
            let approval = approve(&digest, name, signer, &runner.approvers, self.chain.stage.clock.now()).map_err(words)?;
            runner.folder.keep_approval(&approval).map_err(words)?;
        }
        let left = self.playbook.steps.len() - plan.steps.len();
        let left = if left == 0 { String::new() } else { format!(", {left} for people left out") };
        let said = format!("{} steps{left}, digest {}", plan.steps.len(), &digest[..12]);
        Ok(((runner, digest), said))
    }

    fn contain(&mut self, runner: &Runner, digest: &str) -> Gone<Run> {
        let run = self.runtime.block_on(runner.apply(digest)).map_err(words)?;
        if run.state == RunState::Done {
            let said = format!("{} steps done", run.steps.len());
            return Ok((run, said));
        }
        let wrong = run.steps.iter().find(|step| step.state != StepState::Succeeded);
        let wrong = wrong.map(|step| format!("{}: {:?} {}", step.id, step.state, step.why.as_deref().unwrap_or_default()));
        Err(wrong.unwrap_or_default())
    }

    fn prove(&mut self, runner: &Runner, run: &Run, found: &mut Found) -> Gone<()> {
        // A Vault says to a token that is gone what it says to one from elsewhere; the run's own evidence says whether it is gone.
        let silent = self.seed == Seed::VaultToken;
        let ended = |said: &Liveness| matches!(said, Liveness::Dead(_)) || silent && matches!(said, Liveness::Unknown(_));
        let why = match self.asked(found, ended)? {
            Liveness::Dead(why) => why,
            Liveness::Unknown(why) if silent => why,
            other => return Err(format!("the provider said {other:?}")),
        };
        let evidence = runner.folder.run(&run.id).ok().and_then(|kept| std::fs::read(kept.evidence()).ok());
        let said: serde_json::Value = evidence.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        let result = said["predicate"]["result"].as_str().unwrap_or("missing");
        if result == "PASSED" { Ok(((), why)) } else { Err(format!("{why}; but the run's own evidence is {result}")) }
    }

    /// Walks the run back and sees the key live again; skipped where a step cannot be undone.
    fn undo(&mut self, runner: &Runner, run: &Run, found: &mut Found) -> Option<()> {
        if run.plan.steps.iter().any(|step| step.mutates && !step.reversible) {
            self.began = self.chain.stage.clock.now();
            self.note("undo", LegOutcome::Skipped, "the playbook holds a step that cannot be undone".to_owned());
            return Some(());
        }
        self.leg("undo", |drill| {
            let undone = drill.runtime.block_on(runner.undo(&run.id)).map_err(words)?;
            if undone.state != RunState::Undone {
                return Err(format!("the run is {:?}", undone.state));
            }
            drill.asked(found, |said| matches!(said, Liveness::Live(_)))?;
            Ok(((), "walked back, and live again".to_owned()))
        })
    }

    /// Takes away what was planted. It comes last and in any case.
    fn clean(&mut self) {
        self.stop.store(false, Ordering::Relaxed);
        if let Some(user) = self.report.planted.get("user").cloned() {
            self.leg("clean", |drill| {
                let gone = drill.runtime.block_on(aws::remove(drill.responder()?, &user));
                gone.map_err(|error| format!("{error}; take it away with `staunch drill --clean`"))?;
                Ok(((), format!("user {user} is gone")))
            });
        } else if let Some(accessor) = self.report.planted.get("accessor").cloned() {
            self.leg("clean", |drill| {
                let gone = drill.runtime.block_on(drill.server()?.remove(&accessor));
                gone.map_err(|error| format!("{error}; it ends by itself within a quarter of an hour"))?;
                Ok(((), "the token is gone".to_owned()))
            });
        } else if let Some(project) = self.report.planted.get("project").cloned() {
            self.leg("clean", |drill| {
                let gone = drill.sandbox.as_ref().is_some_and(|sandbox| sandbox.remove_llm_project(&project));
                if gone {
                    Ok(((), format!("project {project} is gone")))
                } else {
                    Err(format!("there is no project {project}"))
                }
            });
        }
    }
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A playbook without its quiet periods and without what people do around it: a drill measures the acts.
fn hurried(playbook: &Playbook) -> Playbook {
    let mut playbook = playbook.clone();
    playbook.steps.retain(|step| step.action != "task");
    playbook.steps.iter_mut().for_each(|step| step.watch = 0);
    playbook
}

/// A plan that a drill may carry out: about the very things that it planted; on AWS, in the account that it was sent to.
fn ours(plan: &Plan, planted: &Plant, account: &str) -> Result<(), DrillError> {
    let mut wanted: Vec<(&str, &str)> = planted.names.iter().map(|(name, value)| (*name, value.as_str())).collect();
    if planted.seed == Seed::AwsKey {
        wanted.push(("account", account));
    }
    for (name, wanted) in &wanted {
        let found = plan.target.get(*name).map_or("nothing", String::as_str);
        if found != *wanted {
            return Err(DrillError::NotOurs(format!("{name} {found}")));
        }
    }
    let named = plan.steps.iter().flat_map(|step| &step.with);
    let mut others = named.filter(|(name, value)| wanted.iter().any(|(known, ours)| name == known && value != ours));
    match others.next() {
        Some((name, value)) => Err(DrillError::NotOurs(format!("{name} {value}"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
