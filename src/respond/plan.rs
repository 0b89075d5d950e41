//! Finding + playbook + what was observed → concrete steps. Observing asks; putting the plan together is pure.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::actions::{self, Action, Needs, UNREAD, World};
use super::guard::Guard;
use super::playbook::{Playbook, Playbooks, Step, placeholder};
use super::preflight::lacking;
use super::whose::plain;
use super::{AwsHands, Hands, RespondError, account, means, stores};
use crate::model::{Edge, Finding, OnFailure, Plan, PlannedStep, Times};
use crate::secret::Scrubber;

type Bindings = BTreeMap<&'static str, String>;

/// Makes the plan for a finding. Changes nothing.
pub async fn draft(finding: &Finding, playbooks: &Playbooks, hands: &Hands, guard: &Guard) -> Result<Plan, RespondError> {
    let playbook = playbooks.for_detector(&finding.detector);
    let playbook = playbook.ok_or_else(|| RespondError::NoPlaybook(finding.detector.clone()))?;
    let mut bindings = bind(finding, hands);
    let aws = means(playbook).aws;
    if aws {
        bindings.extend(aws_user(finding, hands).await?);
    }
    let steps = playbook.steps.iter().map(|step| concrete(step, &bindings)).collect::<Result<Vec<_>, _>>()?;
    let mut plan = together(finding, playbook, steps, hands);
    target(&mut plan, (finding, &bindings), guard);
    // The guards come before the first question about somebody's account.
    guard.plan(&plan, &hands.moment(false, 0)).map_err(RespondError::Guard)?;
    let ours = hands.aws.as_ref().map(|aws| aws.account.as_str()).unwrap_or_default();
    if aws && plan.target.get("account").map(String::as_str) != Some(ours) {
        let theirs = plan.target.get("account").map_or("unknown", String::as_str);
        let what = format!(
            "the key is of account {theirs}, the responder acts in {ours}; give that account a profile in the settings file"
        );
        return Err(RespondError::Guard(what));
    }
    observe(&mut plan, hands).await;
    // What was found there may be protected.
    guard.plan(&plan, &hands.moment(false, 0)).map_err(RespondError::Guard)?;
    let preflight = lacking(hands, &plan).await;
    plan.unknowns.extend(partly(&plan, &preflight.permissions));
    plan.lacking = preflight.permissions;
    plan.unknowns.extend(preflight.unknown);
    Ok(plan)
}

/// What the placeholders stand for.
fn bind(finding: &Finding, hands: &Hands) -> Bindings {
    let mut bindings = Bindings::new();
    let console = hands.detector.as_ref().and_then(|detector| detector.console.clone());
    bindings.insert("detector.console", console.unwrap_or_default());
    bindings.insert("credential.shown", finding.redacted.clone());
    bindings.extend(role(finding).map(|role| ("identity.role", role)));
    bindings.extend(account(finding).map(|account| ("identity.account", account)));
    bindings
}

/// The role of a session: as STS tells it, or as the log of its calls does.
fn role(finding: &Finding) -> Option<String> {
    let told = finding.liveness.liveness.identity().and_then(|identity| identity.get("role")).map(str::to_owned);
    told.or_else(|| {
        let principals = finding.owners.iter().filter(|owner| owner.edge == Edge::Principal);
        let mut roles = principals.filter_map(|owner| {
            let (_, rest) = owner.id.split_once(":assumed-role/").or_else(|| owner.id.split_once(":role/"))?;
            // Of a role's ARN the name stands last, of a session's the role stands first.
            let name = if owner.id.contains(":role/") { rest.rsplit('/').next() } else { rest.split('/').next() };
            name.filter(|name| !name.is_empty()).map(str::to_owned)
        });
        let first = roles.next()?;
        // Two that differ name nobody.
        roles.all(|other| other == first).then_some(first)
    })
}

/// The user and the id of a service-specific credential, by the name that stands in the key itself: IAM lists it as its alias.
async fn aws_service(alias: &str, aws: &AwsHands) -> Result<Bindings, RespondError> {
    let (mut all, mut marker) = (Vec::new(), None);
    loop {
        let call = aws.responder.iam.list_service_specific_credentials().all_users(true).set_marker(marker);
        let listed = call.send().await.map_err(|error| {
            let why = aws_sdk_iam::error::ProvideErrorMetadata::code(&error).unwrap_or("no answer that can be read");
            RespondError::Provider(format!("iam:ListServiceSpecificCredentials: {why}"))
        })?;
        all.extend(listed.service_specific_credentials().to_vec());
        marker = listed.marker().filter(|_| listed.is_truncated()).map(str::to_owned);
        if marker.is_none() {
            break;
        }
    }
    let mut fitting = all.iter().filter(|one| one.service_credential_alias() == Some(alias));
    // Two of one alias, or none: nobody can say which it is.
    let (Some(one), None) = (fitting.next(), fitting.next()) else {
        let what = format!("the service-specific credential of the alias {alias} ({} are listed)", all.len());
        return Err(RespondError::Unbound(what));
    };
    Ok(Bindings::from([
        ("identity.user", one.user_name().to_owned()),
        ("credential.service_id", one.service_specific_credential_id().to_owned()),
    ]))
}

/// The user of an AWS key. It is asked from the responder's side, never taken from an older answer where that can be had.
async fn aws_user(finding: &Finding, hands: &Hands) -> Result<Bindings, RespondError> {
    let mut bindings = Bindings::new();
    let key_id = finding.parts.iter().find(|part| part.name == "key_id").and_then(|part| part.value.clone());
    let identity = finding.liveness.liveness.identity();
    let known = |name: &str| identity.and_then(|identity| identity.get(name)).map(str::to_owned);
    if known("root").is_some() {
        let what = "this is a root user's key, which no API of another principal can deactivate: sign in as root, open Security \
                    credentials, deactivate it there, then check it with `staunch verify`";
        return Err(RespondError::Guard(what.to_owned()));
    }
    let Some(aws) = &hands.aws else { return Ok(bindings) };
    if let Some(alias) = finding.facts.get("alias") {
        return aws_service(alias, aws).await;
    }
    let Some(key_id) = key_id else { return Ok(bindings) };
    let asked = aws.responder.iam.get_access_key_last_used().access_key_id(&key_id).send().await;
    let user = asked.ok().and_then(|found| found.user_name().map(str::to_owned)).filter(|user| !user.is_empty());
    bindings.extend(user.or_else(|| known("user")).map(|user| ("identity.user", user)));
    bindings.insert("credential.key_id", key_id);
    Ok(bindings)
}

/// What the plan concerns. The account decides whether it may be acted on.
fn target(plan: &mut Plan, (finding, bindings): (&Finding, &Bindings), guard: &Guard) {
    let identity = finding.liveness.liveness.identity();
    if finding.provider != "aws" {
        // Project, workspace, team, the key's own id: what a listing is narrowed by, and what people know it by.
        plan.target.extend(identity.into_iter().flat_map(|identity| identity.0.clone()));
        let public = finding.parts.iter().filter(|part| part.public);
        plan.target.extend(public.filter_map(|part| Some((part.name.clone(), plain(finding, part)?))));
    }
    let named = [("account", "identity.account"), ("user", "identity.user"), ("key_id", "credential.key_id")];
    plan.target.extend(named.iter().filter_map(|(name, from)| Some(((*name).to_owned(), bindings.get(from)?.clone()))));
    plan.target.insert("provider".to_owned(), finding.provider.clone());
    plan.target.extend(finding.facts.get("canary").map(|canary| ("canary".to_owned(), canary.clone())));
    // Where every change is made to something that the responder's own credential lists, that listing says whose it is.
    // What needs nobody's means at the provider is not done there: workloads that the settings list are restarted.
    let elsewhere = |step: &&PlannedStep| actions::get(&step.action).is_some_and(|action| action.needs() == Needs::Nothing);
    let changes = plan.steps.iter().filter(|step| step.mutates && !elsewhere(step));
    let listed = changes.clone().count() > 0 && changes.clone().all(|step| is_listed(&step.action));
    let owned = guard.owned.get(&finding.provider);
    let has = |account: &String| owned.is_some_and(|owned| owned.contains(account));
    let everything = "*".to_owned();
    let known = bindings.get("identity.account");
    if listed && !known.is_some_and(has) && (known.is_none() || has(&everything)) {
        plan.target.insert("account".to_owned(), everything);
    }
}

fn is_listed(action: &str) -> bool {
    actions::get(action).is_some_and(|action| matches!(action.needs(), Needs::Admin(_)))
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

fn together(finding: &Finding, playbook: &Playbook, steps: Vec<PlannedStep>, hands: &Hands) -> Plan {
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
    let never = steps.iter().filter(|step| step.mutates).filter(|step| !ran(&step.action));
    let never: Vec<&str> = never.map(|step| step.id.as_str()).collect();
    if !never.is_empty() {
        unknowns.push(format!(
            "whether it works as its provider documents it: never run against the real service ({})",
            never.join(", ")
        ));
    }
    let rotates = playbook.mode == "rotate";
    // What is replaced: what is secret, and what it is named by. A host beside it stays.
    let replaced = finding.parts.iter().enumerate().filter(|(number, part)| *number == 0 || !part.public);
    let parts = replaced.map(|(_, part)| (part.name.clone(), part.fingerprints.clone()));
    Plan {
        schema: Plan::SCHEMA.to_owned(),
        playbook: playbook.id.clone(),
        mode: playbook.mode.clone(),
        fingerprint: finding.fingerprint,
        detector: finding.detector.clone(),
        target: BTreeMap::new(),
        steps,
        parts: if rotates { parts.collect() } else { BTreeMap::new() },
        files: if rotates { stores::files(finding) } else { Vec::new() },
        affected,
        copies: finding.occurrences.iter().map(|place| format!("{}:{}", place.path, place.location.line)).collect(),
        unknowns,
        lacking: Vec::new(),
        responder: hands.who(),
        made_at: hands.clock.now(),
        times: Times::of(finding),
    }
}

fn ran(action: &str) -> bool {
    actions::get(action).is_some_and(Action::run_for_real)
}

/// Fills in what each step sees now.
async fn observe(plan: &mut Plan, hands: &Hands) {
    let scrubber = hands.scrubber(&plan.fingerprint);
    let (mut seen, mut left_out) = (Vec::new(), Vec::new());
    for step in &plan.steps {
        seen.push(look(plan, step, hands).await);
    }
    for (step, seen) in plan.steps.iter_mut().zip(seen) {
        match seen {
            Ok(value) => {
                // What the stores need that it would write.
                let stores = value.get("stores").and_then(Value::as_array).into_iter().flatten();
                let unread = value.get(UNREAD).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
                let unread = unread.map(|why| format!("{} could not read {}", step.id, scrubber.scrub(why)));
                plan.unknowns.extend(unread);
                let needs = stores.filter_map(|store| store.get("needs")?.as_array()).flatten();
                for need in needs.filter_map(Value::as_str).map(str::to_owned) {
                    if !step.permissions.contains(&need) {
                        step.permissions.push(need);
                    }
                }
                if let Some(undo) = actions::get(&step.action).and_then(|action| action.undo_by_hand(&value)) {
                    (step.reversible, step.undo) = (false, Some(undo));
                }
                step.observed = scrubbed(&scrubber, value);
            }
            Err(why) if leaves_out(step) => {
                left_out.push(step.id.clone());
                let why = scrubber.scrub(&why);
                plan.unknowns.push(format!("{} is left out: what is there before cannot be seen: {why}", step.id));
            }
            Err(why) => plan.unknowns.push(format!("what {} would find: {}", step.id, scrubber.scrub(&why))),
        }
    }
    plan.steps.retain(|step| !left_out.contains(&step.id));
}

/// What will be missing in the lists that a plan makes: a list with a hole in it says nothing of what is there.
fn partly(plan: &Plan, lacking: &[String]) -> Vec<String> {
    let looks = plan.steps.iter().filter(|step| !step.mutates);
    let holes = looks.filter_map(|step| {
        let lacks: Vec<&str> =
            step.permissions.iter().filter(|needed| lacking.contains(needed)).map(String::as_str).collect();
        (!lacks.is_empty()).then(|| format!("what {} cannot read without {}", step.id, lacks.join(", ")))
    });
    holes.collect()
}

/// Whether a step is not taken, and the others are, where what is there before cannot be seen.
fn leaves_out(step: &PlannedStep) -> bool {
    step.on_failure == OnFailure::Continue && actions::get(&step.action).is_some_and(Action::must_see)
}

/// What a step sees now.
pub(super) async fn look(plan: &Plan, step: &PlannedStep, hands: &Hands) -> Result<Value, String> {
    let Some(action) = actions::get(&step.action) else { return Err(format!("there is no action {}", step.action)) };
    let timeout = Duration::from_secs(step.timeout);
    let world = World {
        hands,
        plan,
        digest: "",
        step: &step.id,
        with: &step.with,
        timeout,
        so_far: &[],
        before: &step.observed,
        confirmed: false,
        requester: "",
        folder: None,
        notes: None,
        record: &Value::Null,
    };
    tokio::time::timeout(timeout, action.observe(&world)).await.unwrap_or_else(|_| Err("no answer in time".to_owned()))
}

/// A value without any secret that an answer may have repeated.
pub(super) fn scrubbed(scrubber: &Scrubber, value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(scrubber.scrub(&text)),
        Value::Array(all) => all.into_iter().map(|one| scrubbed(scrubber, one)).collect(),
        Value::Object(all) => all.into_iter().map(|(name, one)| (scrubber.scrub(&name), scrubbed(scrubber, one))).collect(),
        other => other,
    }
}
