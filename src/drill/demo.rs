//! The demo: the whole story on an embedded provider, chapter by chapter.

use std::path::PathBuf;
use std::sync::Arc;

use super::chain::{Acting, Bounds, Chain};
use super::{DrillError, Stage, admin, leak, settings};
use crate::detect::DetectorSet;
use crate::model::{Credential, Finding, Plan, Report, Run};
use crate::net::Net;
use crate::respond::draft;
use crate::sandbox::Sandbox;

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

/// Tells the whole story: leak, find, prove live, attribute, plan, stop, prove stopped.
pub fn demo(set: &DetectorSet, stage: &Stage<'_>, tell: &mut dyn FnMut(Chapter)) -> Result<(), DrillError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let sandbox = runtime.block_on(Sandbox::start(Arc::clone(&stage.clock)))?;
    let chain = Chain::new(set, stage, Arc::new(Net::new(settings(&sandbox)?)?))?;
    let repository = stage.scratch.join("payments");
    leak::write(&repository, &sandbox)?;
    tell(Chapter::Leaked(repository.clone()));

    let mut found = chain.look(&repository);
    chain.ask(&mut found.0)?;
    let responder = chain.net.responder_with(&admin(&sandbox)?)?;
    chain.attribute(&mut found, repository, (&runtime, Some(&responder)));
    chain.name_playbooks(&mut found.0);
    // The one that the embedded IAM knows.
    let worst = found.0.0.iter().find(|group| group.finding.provider == "aws" && group.finding.playbook.is_some());
    let worst = worst.ok_or(DrillError::Story("the leaked access key was not found"))?;
    let (finding, variants): (Finding, Vec<Credential>) =
        (worst.finding.clone(), worst.variants.iter().map(Credential::duplicate).collect());
    tell(Chapter::Triaged(chain.report(&found)));

    let leaked = (finding.fingerprint, variants);
    let (detector, bounds) = ("aws-access-key", Bounds::default());
    let acting = Acting { responder: Some(responder), admin: None, detector, leaked, requester: "demo", bounds };
    let runner = runtime.block_on(chain.runner(acting))?;
    let plan = runtime.block_on(draft(&finding, stage.playbooks, &runner.hands, &runner.guard))?;
    let digest = runner.folder.keep(&plan)?;
    tell(Chapter::Planned(plan, digest.clone()));
    tell(Chapter::Applied(runtime.block_on(runner.apply(&digest))?));

    chain.ask(&mut found.0)?;
    found.0.0.retain(|group| group.finding.fingerprint == finding.fingerprint);
    tell(Chapter::Proven(chain.report(&found)));
    runtime.block_on(sandbox.stop());
    Ok(())
}
