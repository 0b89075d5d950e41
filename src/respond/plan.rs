//! Finding + playbook + what was observed → concrete steps. Observing asks; putting the plan together is pure.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::actions::{self, World};
use super::guard::{Guard, Moment};
use super::playbook::{Playbook, Playbooks, Step, placeholder};
use super::preflight::lacking;
use super::{Hands, RespondError};
use crate::model::{Edge, Finding, Plan, PlannedStep};

type Bindings = BTreeMap<&'static str, String>;

/// Makes the plan for a finding. Changes nothing.
pub async fn draft(finding: &Finding, playbooks: &Playbooks, hands: &Hands, guard: &Guard) -> Result<Plan, RespondError> {
    let playbook = playbooks.for_detector(&finding.detector);
    let playbook = playbook.ok_or_else(|| RespondError::NoPlaybook(finding.detector.clone()))?;
    let bindings = bind(finding, hands).await?;
    let steps = playbook.steps.iter().map(|step| concrete(step, &bindings)).collect::<Result<Vec<_>, _>>()?;
    let mut plan = together(finding, playbook, (&bindings, steps), hands);
    // The guards come before the first question about somebody's account.
    let moment =
        Moment { responder_key: &hands.responder.key_id, responder_arn: &hands.responder_arn, stopped: false, changes: 0 };
    guard.plan(&plan, &moment).map_err(RespondError::Guard)?;
    if plan.target.get("account") != Some(&hands.account) {
        let (theirs, ours) = (plan.target.get("account").map_or("unknown", String::as_str), &hands.account);
        let what = format!(
            "the key is of account {theirs}, the responder acts in {ours}; give that account a profile in the settings file"
        );
        return Err(RespondError::Guard(what));
    }
    observe(&mut plan, hands).await;
    let permissions = plan.steps.iter().flat_map(|step| step.permissions.clone()).collect();
    let preflight = lacking(hands, permissions).await;
    plan.lacking = preflight.permissions;
    plan.unknowns.extend(preflight.unknown);
    Ok(plan)
}

/// What the placeholders stand for. The user is asked from the responder's side, never taken from an older answer where
/// that can be had.
async fn bind(finding: &Finding, hands: &Hands) -> Result<Bindings, RespondError> {
    let mut bindings = Bindings::new();
    let key_id = finding.parts.iter().find(|part| part.name == "key_id").and_then(|part| part.value.clone());
    let identity = finding.liveness.liveness.identity();
    let known = |name: &str| identity.and_then(|identity| identity.get(name)).map(str::to_owned);
    if known("root").is_some() {
        let what = "this is a root user's key, which no API of another principal can deactivate: sign in as root, open Security \
                    credentials, deactivate it there, then check it with `staunch verify`";
        return Err(RespondError::Guard(what.to_owned()));
    }
    let account = finding.facts.get("account").cloned().or_else(|| known("account"));
    bindings.extend(account.map(|account| ("identity.account", account)));
    if let Some(key_id) = key_id {
        let asked = hands.responder.iam.get_access_key_last_used().access_key_id(&key_id).send().await;
        let user = asked.ok().and_then(|found| found.user_name().map(str::to_owned)).filter(|user| !user.is_empty());
        bindings.extend(user.or_else(|| known("user")).map(|user| ("identity.user", user)));
        bindings.insert("credential.key_id", key_id);
    }
    Ok(bindings)
}

fn concrete(step: &Step, bindings: &Bindings) -> Result<PlannedStep, RespondError> {
    let action =
        actions::get(&step.action).ok_or_else(|| RespondError::NotFound(format!("there is no action {}", step.action)))?;
    let mut with = BTreeMap::new();
    for (key, value) in &step.with {
        let bound = match placeholder(value) {
            None => value.clone(),
            Some(name) => bindings.get(name).cloned().ok_or_else(|| RespondError::Unbound(name.to_owned()))?,
        };
        with.insert(key.clone(), bound);
    }
    Ok(PlannedStep {
        id: step.id.clone(),
        action: step.action.clone(),
        effect: action.effect(&with),
        undo: action.undo_words(&with).filter(|_| action.mutates()),
        with,
        needs: step.needs.clone(),
        on_failure: step.on_failure,
        approval: step.approval,
        observed: Value::Null,
        reversible: action.reversible(),
        mutates: action.mutates(),
        permissions: action.permissions().iter().map(|permission| (*permission).to_owned()).collect(),
        timeout: step.timeout,
        watch: step.watch,
    })
}

fn together(
    finding: &Finding,
    playbook: &Playbook,
    (bindings, steps): (&Bindings, Vec<PlannedStep>),
    hands: &Hands,
) -> Plan {
    let named = [("account", "identity.account"), ("user", "identity.user"), ("key_id", "credential.key_id")];
    let mut target: BTreeMap<String, String> =
        named.iter().filter_map(|(name, from)| Some(((*name).to_owned(), bindings.get(from)?.clone()))).collect();
    target.insert("provider".to_owned(), finding.provider.clone());
    target.extend(finding.facts.get("canary").map(|canary| ("canary".to_owned(), canary.clone())));
    let consumers = finding.owners.iter().filter(|owner| owner.edge == Edge::Consumer);
    let affected: Vec<String> = consumers.map(|owner| format!("{} ({})", owner.id, owner.tier.word())).collect();
    let mut unknowns = Vec::new();
    if affected.is_empty() {
        unknowns.push("which workload uses the credential; whatever does will fail".to_owned());
    } else {
        unknowns.push("whether other workloads than those named use it".to_owned());
    }
    if finding.partial {
        unknowns.push("the secret part, which was not found; that the key is refused cannot be proved".to_owned());
    }
    Plan {
        schema: Plan::SCHEMA.to_owned(),
        playbook: playbook.id.clone(),
        mode: playbook.mode.clone(),
        fingerprint: finding.fingerprint,
        detector: finding.detector.clone(),
        target,
        steps,
        affected,
        copies: finding.occurrences.iter().map(|place| format!("{}:{}", place.path, place.location.line)).collect(),
        unknowns,
        lacking: Vec::new(),
        responder: hands.responder_arn.clone(),
        made_at: hands.clock.now(),
    }
}

/// Fills in what each step sees now.
async fn observe(plan: &mut Plan, hands: &Hands) {
    let mut seen = Vec::new();
    for step in &plan.steps {
        seen.push(look(plan, step, hands).await);
    }
    for (step, seen) in plan.steps.iter_mut().zip(seen) {
        match seen {
            Ok(value) => step.observed = value,
            Err(why) => plan.unknowns.push(format!("what {} would find: {why}", step.id)),
        }
    }
}

/// What a step sees now.
pub(super) async fn look(plan: &Plan, step: &PlannedStep, hands: &Hands) -> Result<Value, String> {
    let Some(action) = actions::get(&step.action) else { return Err(format!("there is no action {}", step.action)) };
    let timeout = Duration::from_secs(step.timeout);
    let world = World { hands, plan, digest: "", with: &step.with, timeout, so_far: &[] };
    tokio::time::timeout(timeout, action.observe(&world)).await.unwrap_or_else(|_| Err("no answer in time".to_owned()))
}
