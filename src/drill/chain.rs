//! The links of the chain, as the demo and drills go along it: the same functions that scan, ask, attribute and act anywhere.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{DrillError, Stage};
use crate::detect::DetectorSet;
use crate::model::{Confidence, Credential, Report};
use crate::net::{Net, Responder};
use crate::ownership::{add_owners, iam_owners};
use crate::respond::{Admin, Approvers, AwsHands, Folder, Guard, Hands, Recall, Runner, Turn};
use crate::scan::{
    Allowing, Asking, Attribution, Counters, Gathered, Groups, Request, Target, WalkOptions, attribute, run, validate,
};
use crate::secret::{Fingerprint, FingerprintKey, Secret};
use crate::validate::Validator;

/// What was found, and how far it was looked.
pub(super) type Found = (Groups, Gathered);

/// What goes along.
pub(super) struct Chain<'s> {
    pub(super) set: &'s DetectorSet,
    pub(super) stage: &'s Stage<'s>,
    pub(super) net: Arc<Net>,
    pub(super) key: Arc<FingerprintKey>,
}

impl<'s> Chain<'s> {
    pub(super) fn new(set: &'s DetectorSet, stage: &'s Stage<'s>, net: Arc<Net>) -> Result<Self, DrillError> {
        let key = FingerprintKey::random().ok_or(DrillError::Story("the system has no random numbers"))?;
        Ok(Self { set, stage, net, key: Arc::new(key) })
    }

    /// Scans a folder.
    pub(super) fn look(&self, folder: &Path) -> Found {
        let counters = Counters::default();
        let (set, walk, allow) = (self.set, WalkOptions::default(), Allowing::nothing(&[folder.to_owned()]));
        let request =
            Request { set, allow: &allow, walk, archive_depth: 0, jobs: 0, least: Confidence::Medium, counters: &counters };
        let mut gathered = run(vec![Target::Path(folder.to_owned())], &request);
        let groups = Groups::new(&mut gathered, self.set, &self.key, self.stage.clock.now());
        (groups, gathered)
    }

    /// Asks each credential's provider.
    pub(super) fn ask(&self, groups: &mut Groups) -> Result<(), DrillError> {
        let validator = Validator::new(Arc::clone(&self.net));
        let asking = Asking { set: self.set, validator: &validator, clock: &*self.stage.clock, classes: &[], answers: None };
        validate(groups, asking)?;
        Ok(())
    }

    /// Asks the tree whose each finding is, and IAM.
    pub(super) fn attribute(&self, found: &mut Found, folder: PathBuf, iam: (&tokio::runtime::Runtime, Option<&Responder>)) {
        let (walk, clock, key) = (WalkOptions::default(), Arc::clone(&self.stage.clock), Arc::clone(&self.key));
        let paths = [folder];
        let with = Attribution { paths: &paths, walk, key, trust: None, clock };
        attribute(&mut found.0, &with, &mut found.1.coverage);
        for group in &mut found.0.0 {
            let key_id = group.finding.parts.iter().find(|part| part.name == "key_id").and_then(|part| part.value.clone());
            if let (Some(key_id), Some(responder)) = (key_id, iam.1) {
                // Whose it is may stay unknown; the story goes on.
                let answer = iam.0.block_on(iam_owners(&responder.iam, &key_id));
                add_owners(&mut group.finding, answer.owners);
            }
        }
    }

    /// Fills in which playbook would run.
    pub(super) fn name_playbooks(&self, groups: &mut Groups) {
        for group in &mut groups.0 {
            group.finding.playbook =
                self.stage.playbooks.for_detector(&group.finding.detector).map(|playbook| playbook.id.clone());
        }
    }

    pub(super) fn report(&self, (groups, gathered): &Found) -> Report {
        Report {
            tool: self.stage.tool.clone(),
            findings: groups.findings(),
            coverage: gathered.coverage.clone(),
            seconds: 0.0,
        }
    }

    /// Carries plans out in the scratch folder, in one account, with a value that stays in memory.
    pub(super) async fn runner(&self, with: Acting<'_>) -> Result<Runner, DrillError> {
        let aws = match with.responder {
            None => None,
            Some(responder) => {
                let who = responder.sts.get_caller_identity().send().await;
                let who = who.map_err(|_| DrillError::Story("STS does not know the responder"))?;
                let (arn, account) =
                    (who.arn().unwrap_or_default().to_owned(), who.account().unwrap_or_default().to_owned());
                Some(AwsHands { responder, arn, account })
            }
        };
        let accounts = aws.iter().map(|aws| aws.account.clone()).collect();
        let (fingerprint, variants) = with.leaked;
        let recall: Box<Recall> = Box::new(move |wanted| {
            let wanted = (*wanted == fingerprint).then_some(&variants);
            wanted.map_or_else(Vec::new, |variants| variants.iter().map(Credential::duplicate).collect())
        });
        Ok(Runner {
            hands: Hands {
                net: Arc::clone(&self.net),
                aws,
                admin: with.admin.map(|value| Admin::new("the drill".to_owned(), value)),
                unset: None,
                own: Vec::new(),
                detector: self.set.get(with.detector).cloned(),
                recall,
                stores: crate::respond::Stores::default(),
                clock: Arc::clone(&self.stage.clock),
            },
            folder: Folder::open(&self.stage.scratch.join("state"))?,
            guard: Guard {
                accounts,
                owned: with.bounds.owned,
                most_changes: 20,
                protected: with.bounds.protected,
                rotations: None,
                containments: None,
            },
            stop_file: with.bounds.stop_file,
            look_again: self.stage.look_again,
            turn: Turn::default(),
            approvers: with.bounds.approvers,
            requester: with.requester.to_owned(),
            confirmed: Vec::new(),
            break_glass: None,
            signer: None,
            stop: Arc::default(),
        })
    }
}

/// The operator's bounds, as far as a drill has any.
#[derive(Debug, Clone, Default)]
pub(super) struct Bounds {
    pub(super) protected: Vec<String>,
    pub(super) stop_file: Option<PathBuf>,
    pub(super) approvers: Approvers,
    /// Provider → what of it may be acted on.
    pub(super) owned: BTreeMap<String, Vec<String>>,
}

/// Who acts on what.
pub(super) struct Acting<'a> {
    pub(super) responder: Option<Responder>,
    /// With what other providers than AWS are administered.
    pub(super) admin: Option<Secret>,
    pub(super) detector: &'a str,
    pub(super) leaked: (Fingerprint, Vec<Credential>),
    pub(super) requester: &'static str,
    pub(super) bounds: Bounds,
}
