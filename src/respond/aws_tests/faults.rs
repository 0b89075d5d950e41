//! AWS's changing actions with every call going wrong in every way, on the embedded provider: what is said is so, nothing is
//! changed twice without a look in between, and without faults every run comes to its end and back.

use std::time::Duration;

use aws_sdk_iam::types::StatusType;

use super::{Provider, Scene, Trouble, at_roles, bedrock_key, log, over, status, troubled};
use crate::model::{ApprovalRule, Run, RunState, StepState, SystemClock};
use crate::net::{AwsKey, Partition, Settings};
use crate::respond::replayed;
use crate::respond::testing::step;
use crate::sandbox::{Fault, Sandbox};
use crate::secret::Secret;

/// Every way in which a call goes wrong.
const FAULTS: [Fault; 8] = [
    Fault::Throttle,
    Fault::InternalError,
    Fault::DropBeforeEffect,
    Fault::DropAfterEffect,
    Fault::Page,
    Fault::Lie,
    Fault::HangBeforeEffect,
    Fault::HangAfterEffect,
];
/// So long a call may take where one is not answered. Whatever answers does so within milliseconds, on a machine without other work.
const PATIENCE: Duration = Duration::from_secs(5);
const USER: &str = "ci";
const BEDROCK: &str = "BedrockAPIKey-ab12";

/// What is acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// An access key is deactivated and its user denied things.
    Key,
    /// A key of Bedrock's, the same.
    Bedrock,
    /// An access key that is deactivated goes.
    Deletion,
}

/// A credential at a provider of its own.
struct Ground {
    sandbox: Sandbox,
    scene: Scene,
    kind: Kind,
    /// The key's or the service-specific credential's.
    id: String,
    secret: Secret,
    /// Whoever is asked for the log.
    _log: Provider,
}

impl Ground {
    async fn new(kind: Kind) -> Self {
        Self::under(kind, Fault::None).await
    }

    /// The same for whoever meets a fault.
    async fn under(kind: Kind, fault: Fault) -> Self {
        let log = log();
        let sandbox = Sandbox::start(std::sync::Arc::new(SystemClock)).await.expect("a sandbox");
        let hangs = matches!(fault, Fault::HangBeforeEffect | Fault::HangAfterEffect);
        let timeout = if hangs { PATIENCE } else { Settings::default().timeout };
        let settings = Settings { timeout, ..Settings::default() };
        let (sandbox, net, responder) = over(sandbox, (&log.url(), None), settings);
        let (id, secret, mut scene);
        if kind == Kind::Bedrock {
            let (made, value) = bedrock_key(&sandbox, &responder).await;
            let text = format!("AWS_BEARER_TOKEN_BEDROCK={value}\n");
            scene = Scene::new((net, responder), "bedrock-long-term-key", &text, "bedrock-key-contain");
            scene.playbook.steps.retain(|step| step.id != "sweep");
            (id, secret) = (made, Secret::new(value.as_bytes()));
        } else {
            sandbox.create_user(USER, &[]).expect("a user");
            let key = sandbox.create_access_key(USER).expect("a key");
            let value = key.secret.expose_str().expect("text");
            let text = format!("AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={value}\n", key.id);
            let playbook = if kind == Kind::Key { "aws-access-key-contain" } else { "aws-access-key-rotate" };
            scene = Scene::new((net, responder), "aws-access-key", &text, playbook);
            (id, secret) = (key.id, key.secret);
        }
        if kind == Kind::Deletion {
            scene.playbook.steps.retain(|step| step.id == "delete");
            scene.playbook.steps.iter_mut().for_each(|step| (step.needs, step.approval) = (Vec::new(), ApprovalRule::None));
            scene.finding.owners.push(super::consumer());
            let call = scene.responder.iam.update_access_key().user_name(USER).access_key_id(&id);
            call.status(StatusType::Inactive).send().await.expect("set");
        }
        Self { sandbox, scene, kind, id, secret, _log: log }
    }

    fn user(&self) -> &'static str {
        if self.kind == Kind::Bedrock { BEDROCK } else { USER }
    }

    /// Whether what a step is to bring about is so.
    async fn holds(&self, step: &str) -> bool {
        let iam = &self.scene.responder.iam;
        match step {
            "deny" => {
                let names = iam.list_user_policies().user_name(self.user()).send().await.expect("listed").policy_names;
                names.iter().any(|name| name.starts_with("StaunchContain-"))
            }
            "stop" => status(&self.scene.responder, &self.id).await == "Inactive",
            _ => {
                let listed = iam.list_access_keys().user_name(USER).send().await.expect("listed").access_key_metadata;
                let key = listed.iter().find(|key| key.access_key_id() == Some(&self.id));
                let active = key.and_then(|key| key.status()).map(|status| *status == StatusType::Active);
                if step == "delete" { active.is_none() } else { active == Some(false) }
            }
        }
    }

    /// Whether STS takes the leaked key.
    async fn is_let_in(&self) -> bool {
        let key = AwsKey { id: self.id.clone(), secret: self.secret.duplicate(), token: None };
        let sts = self.scene.net.sts(&key, Partition::Aws).expect("clients");
        sts.get_caller_identity().send().await.is_ok()
    }

    /// What was said is so, and written as it was said, without the leaked value.
    async fn is_true(&self, run: &Run, moment: &str) {
        let (planned, calls) = (run.plan.steps.iter().zip(&run.steps), self.sandbox.calls().len());
        for (_, status) in planned.filter(|(step, _)| step.mutates) {
            let (holds, why) = (self.holds(&status.id).await, status.why.as_deref().unwrap_or_default());
            match status.state {
                StepState::Succeeded => assert!(holds, "{moment}: {} is called done", status.id),
                StepState::Failed | StepState::Refused if status.touched => {}
                StepState::Failed | StepState::Refused | StepState::Undone => {
                    assert!(!holds, "{moment}: {} is called not done: {why}", status.id);
                }
                _ => {}
            }
        }
        // What was proved before a way back was so then.
        let back = |state: StepState| matches!(state, StepState::Undoing | StepState::Undone | StepState::UndoFailed);
        let proven = !run.steps.iter().any(|step| back(step.state))
            && run.steps.iter().any(|step| step.id == "prove-refused" && step.state == StepState::Succeeded);
        assert!(!proven || self.kind != Kind::Key || !self.is_let_in().await, "{moment}: it is let in");
        let folder = self.scene.runner().folder.run(&run.id).expect("the run");
        let again = replayed(&folder).expect("a journal");
        assert_eq!((again.state, &again.steps), (run.state, &run.steps), "{moment}");
        for name in ["journal.jsonl", "plan.json", "evidence.json"] {
            let text = std::fs::read_to_string(folder.evidence().with_file_name(name)).unwrap_or_default();
            assert!(!text.contains(self.secret.expose_str().expect("text")), "{moment}: the value is in {name}");
        }
        self.sandbox.forget_calls(calls);
    }

    /// No change was asked for twice without a look in between.
    fn looked_between(&self, moment: &str) {
        const CHANGES: [(&str, &str); 4] = [
            ("iam:UpdateAccessKey", "iam:ListAccessKeys"),
            ("iam:DeleteAccessKey", "iam:ListAccessKeys"),
            ("iam:PutUserPolicy", "iam:GetUserPolicy"),
            ("iam:UpdateServiceSpecificCredential", "iam:ListServiceSpecificCredentials"),
        ];
        for (change, look) in CHANGES {
            let mut unseen = 0;
            for call in self.sandbox.calls() {
                if call.action == look {
                    unseen = 0;
                } else if call.action == change {
                    unseen += 1;
                    assert!(unseen == 1, "{moment}: {change} twice without a look");
                }
            }
        }
    }

    /// Plans in peace and begins under faults; what the look before it meets has changed nothing.
    async fn begun(&self, faults: &Case) -> Run {
        let plan = self.scene.plan().await.expect("a plan");
        let digest = self.scene.runner().folder.keep(&plan).expect("kept");
        self.sandbox.forget_calls(0);
        self.meets(faults);
        match self.scene.runner().apply(&digest).await {
            Ok(run) => run,
            Err(_) => self.scene.runner().apply(&digest).await.expect("a run"),
        }
    }

    fn meets(&self, (action, well, fault): &Case) {
        (0..*well).for_each(|_| self.sandbox.fail_next(action, Fault::None));
        self.sandbox.fail_next(action, *fault);
    }
}

/// The action, how many of its calls go well before, and how it goes wrong.
type Case = (&'static str, u32, Fault);

/// Runs something for each case, several at once: most of the time is spent waiting.
fn each<C: Sync, F: Future<Output = ()>>(cases: &[C], run: impl Fn(&C) -> F + Sync) {
    for some in cases.chunks(8) {
        std::thread::scope(|scope| {
            for case in some {
                let run = &run;
                scope.spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                    runtime.block_on(run(case));
                });
            }
        });
    }
}

/// Applied under a fault and gone on with in peace: true at every moment, done in the end.
async fn met(kind: Kind, case: Case) {
    let (ground, moment) = (Ground::under(kind, case.2).await, format!("{kind:?} {case:?}"));
    let mut run = ground.begun(&case).await;
    for _ in 0..3 {
        ground.sandbox.calm();
        ground.looked_between(&moment);
        ground.is_true(&run, &moment).await;
        if run.state == RunState::Done {
            break;
        }
        run = ground.scene.runner().resume(&run.id).await.expect("a run");
    }
    assert_eq!(run.state, RunState::Done, "{moment}: {:?}", run.steps);
    ground.is_true(&run, &moment).await;
}

fn changes() -> impl Iterator<Item = (Kind, &'static str)> {
    [
        (Kind::Key, "iam:UpdateAccessKey"),
        (Kind::Key, "iam:PutUserPolicy"),
        (Kind::Bedrock, "iam:UpdateServiceSpecificCredential"),
        (Kind::Deletion, "iam:UpdateAccessKey"),
        (Kind::Deletion, "iam:DeleteAccessKey"),
    ]
    .into_iter()
}

fn under(fault: Fault) {
    let cases: Vec<(Kind, Case)> = changes().map(|(kind, action)| (kind, (action, 0, fault))).collect();
    each(&cases, |(kind, case)| met(*kind, *case));
}

#[test]
fn a_change_that_is_not_taken_or_answered_with_a_page_has_happened_only_if_it_is_seen() {
    for fault in [Fault::Throttle, Fault::InternalError, Fault::Page] {
        under(fault);
    }
}

#[test]
fn a_change_whose_answer_does_not_come_is_looked_at_before_it_is_asked_for_again() {
    for fault in [Fault::DropBeforeEffect, Fault::DropAfterEffect, Fault::HangBeforeEffect, Fault::HangAfterEffect] {
        under(fault);
    }
}

#[test]
fn a_change_that_is_said_to_be_done_or_undone_at_once_is_not_believed() {
    under(Fault::Lie);
}

#[test]
fn a_look_that_cannot_be_had_is_no_look() {
    let reads = [
        (Kind::Key, "iam:ListAccessKeys", 0..4),
        (Kind::Key, "iam:GetUserPolicy", 0..2),
        (Kind::Key, "sts:GetCallerIdentity", 0..1),
        (Kind::Bedrock, "iam:ListServiceSpecificCredentials", 0..3),
        (Kind::Deletion, "iam:ListAccessKeys", 0..3),
    ];
    let faults = [Fault::Throttle, Fault::InternalError, Fault::DropBeforeEffect, Fault::Page];
    let mut cases: Vec<(Kind, Case)> = Vec::new();
    for (kind, action, wells) in reads {
        let all = wells.flat_map(|well| faults.map(|fault| (kind, (action, well, fault))));
        cases.extend(all.chain([(kind, (action, 1, Fault::HangBeforeEffect))]));
    }
    each(&cases, |(kind, case)| met(*kind, *case));
}

#[test]
fn a_way_back_under_faults_is_not_called_gone_before_it_is() {
    let ways = [
        (Kind::Key, "iam:UpdateAccessKey"),
        (Kind::Key, "iam:DeleteUserPolicy"),
        (Kind::Bedrock, "iam:UpdateServiceSpecificCredential"),
    ];
    let cases: Vec<(Kind, Case)> =
        ways.iter().flat_map(|(kind, action)| FAULTS.map(|fault| (*kind, (*action, 0, fault)))).collect();
    each(&cases, |(kind, case)| {
        let (kind, case) = (*kind, *case);
        async move {
            let (ground, moment) = (Ground::under(kind, case.2).await, format!("{kind:?} {case:?}"));
            let run = ground.begun(&("nothing", 0, Fault::None)).await;
            assert_eq!(run.state, RunState::Done, "{moment}: {:?}", run.steps);
            ground.meets(&case);
            let run = ground.scene.runner().undo(&run.id).await.expect("a run");
            ground.sandbox.calm();
            ground.is_true(&run, &moment).await;
            let run = ground.scene.runner().undo(&run.id).await.expect("a run");
            assert_eq!(run.state, RunState::Undone, "{moment}: {:?}", run.steps);
            ground.is_true(&run, &moment).await;
        }
    });
}

#[tokio::test]
async fn where_somebody_undoes_every_step_at_once_nothing_is_called_contained() {
    let ground = Ground::new(Kind::Key).await;
    let (iam, id) = (ground.scene.responder.iam.clone(), ground.id.clone());
    let eve = tokio::spawn(async move {
        loop {
            let _ = iam.update_access_key().user_name(USER).access_key_id(&id).status(StatusType::Active).send().await;
            let policies = iam.list_user_policies().user_name(USER).send().await.map(|listed| listed.policy_names);
            for name in policies.unwrap_or_default().iter().filter(|name| name.starts_with("Staunch")) {
                let _ = iam.delete_user_policy().user_name(USER).policy_name(name).send().await;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    let run = ground.begun(&("nothing", 0, Fault::None)).await;
    eve.abort();
    let _ = eve.await;
    assert_ne!(step(&run, "prove-refused").0, StepState::Succeeded, "{:?}", run.steps);
    assert_ne!(run.state, RunState::Done, "{:?}", run.steps);
    let evidence = ground.scene.runner().folder.run(&run.id).expect("the run").evidence();
    let said = std::fs::read_to_string(evidence).unwrap_or_default();
    assert!(!said.contains("\"result\": \"PASSED\""), "{said}");
    // Once nobody does, it comes to its end: what was undone meanwhile is told, never called done.
    let run = ground.scene.runner().resume(&run.id).await.expect("a run");
    assert!(run.state != RunState::Done || !ground.is_let_in().await, "{:?}", run.steps);
}

#[tokio::test]
async fn two_who_begin_one_plan_begin_it_once() {
    let ground = Ground::new(Kind::Key).await;
    let plan = ground.scene.plan().await.expect("a plan");
    let digest = ground.scene.runner().folder.keep(&plan).expect("kept");
    let (one, other) = (ground.scene.runner(), ground.scene.runner());
    let (one, other) = tokio::join!(one.apply(&digest), other.apply(&digest));
    assert!(one.is_ok() != other.is_ok(), "one of them");
    let changes = ground.sandbox.calls().iter().filter(|call| call.action == "iam:UpdateAccessKey").count();
    assert_eq!((changes, ground.scene.runner().folder.runs().expect("runs").len()), (1, 1));
}

#[tokio::test]
async fn what_a_user_took_along_under_another_name_is_not_gone() {
    for kind in [Kind::Key, Kind::Bedrock, Kind::Deletion] {
        let ground = Ground::new(kind).await;
        let plan = ground.scene.plan().await.expect("a plan");
        let digest = ground.scene.runner().folder.keep(&plan).expect("kept");
        ground.sandbox.rename_user(ground.user(), "somebody-else").expect("renamed");
        // Between the look before the run and the step itself there is time as well: both must see it.
        let error = ground.scene.runner().apply(&digest).await.expect_err("it is another's now").to_string();
        assert!(error.contains("somebody-else") && error.contains("make a new plan"), "{kind:?}: {error}");
        ground.sandbox.rename_user("somebody-else", ground.user()).expect("renamed");
        if kind == Kind::Deletion {
            continue;
        }
        // Nor is it walked back by saying that there is nothing.
        let run = ground.scene.runner().apply(&digest).await.expect("a run");
        assert_eq!(run.state, RunState::Done, "{kind:?}: {:?}", run.steps);
        ground.sandbox.rename_user(ground.user(), "somebody-else").expect("renamed");
        let undone = ground.scene.runner().undo(&run.id).await.expect("a run");
        assert_eq!(undone.state, RunState::Stopped, "{kind:?}: {:?}", undone.steps);
        for status in undone.steps.iter().zip(&undone.plan.steps).filter(|(_, step)| step.mutates).map(|(status, _)| status)
        {
            let why = status.why.as_deref().unwrap_or_default();
            assert!(status.state == StepState::UndoFailed && why.contains("no user"), "{kind:?}: {status:?}");
        }
        ground.sandbox.rename_user("somebody-else", ground.user()).expect("renamed");
        let undone = ground.scene.runner().undo(&run.id).await.expect("a run");
        assert_eq!(undone.state, RunState::Undone, "{kind:?}: {:?}", undone.steps);
    }
}

#[tokio::test]
async fn what_a_user_takes_along_between_the_look_and_the_deletion_is_not_gone() {
    for before in ["iam:UpdateAccessKey", "iam:DeleteAccessKey"] {
        let ground = Ground::new(Kind::Deletion).await;
        let plan = ground.scene.plan().await.expect("a plan");
        let digest = ground.scene.runner().folder.keep(&plan).expect("kept");
        ground.sandbox.rename_before(before, ground.user(), "somebody-else");
        let run = ground.scene.runner().apply(&digest).await.expect("a run");
        let step = run.steps.iter().zip(&run.plan.steps).find(|(_, step)| step.mutates).expect("a deletion").0;
        let why = step.why.as_deref().unwrap_or_default();
        assert!(step.state == StepState::Unknown && why.contains("is a key of somebody-else now"), "{before}: {step:?}");
        assert_ne!(run.state, RunState::Done, "{before}");
    }
}

/// A policy on a role, with its change and its way back going wrong.
async fn role(trouble: Trouble) {
    let (provider, policy, next) = troubled("/");
    let hangs = matches!(trouble, Trouble::Silent { cut: false, .. });
    let timeout = if hangs { PATIENCE } else { Settings::default().timeout };
    let settings = Settings { timeout, ..Settings::default() };
    let scene = at_roles(&provider, settings, "aws-session-contain");
    let there = || policy.lock().expect("the policy").is_some();
    let meets = |trouble| *next.lock().expect("the trouble") = trouble;
    let is_true = |run: &Run| match step(run, "stop") {
        (StepState::Succeeded, _) => assert!(there(), "{trouble:?}: it is called done"),
        (StepState::Failed | StepState::Refused | StepState::Undone, why) => assert!(!there(), "{trouble:?}: {why}"),
        _ => {}
    };
    let plan = scene.plan().await.expect("a plan");
    meets(Some(trouble));
    let mut run = scene.apply(&plan).await;
    is_true(&run);
    if run.state != RunState::Done {
        run = scene.runner().resume(&run.id).await.expect("a run");
    }
    assert_eq!((run.state, there()), (RunState::Done, true), "{trouble:?}: {:?}", run.steps);
    meets(Some(trouble));
    let run = scene.runner().undo(&run.id).await.expect("a run");
    is_true(&run);
    meets(None);
    let run = scene.runner().undo(&run.id).await.expect("a run");
    assert_eq!((run.state, there()), (RunState::Undone, false), "{trouble:?}: {:?}", run.steps);
}

#[test]
fn a_roles_policy_is_there_only_if_it_is_seen() {
    let silent =
        [(true, false), (true, true), (false, false), (false, true)].map(|(cut, done)| Trouble::Silent { cut, done });
    let says = [("400 x", "Throttling"), ("500 x", "ServiceFailure"), ("403 x", "AccessDenied")];
    let says = says.map(|(status, code)| Trouble::Says(status, code));
    let all: Vec<Trouble> = silent.into_iter().chain(says).chain([Trouble::Page, Trouble::Lie]).collect();
    each(&all, |trouble| role(*trouble));
}
