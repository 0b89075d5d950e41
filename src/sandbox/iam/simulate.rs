//! `SimulatePrincipalPolicy`: what a user's policies would say.

use std::collections::BTreeMap;

use super::super::policy::{Ask, Policy, Ruling, evaluate};
use super::super::state::{State, User, user_context};
use super::super::wire::{Params, Refusal, Xml};
use super::{Asked, whole};

/// Each action with each resource. The policies of `PolicyInputList` are added to the user's own.
pub(super) fn run(state: &mut State, asked: &Asked<'_>) -> Result<Xml, Refusal> {
    let params = asked.params;
    let user = source(state, params.need("PolicySourceArn")?)?;
    let added = added(params)?;
    let mut context = user_context(user);
    for (key, value) in context_entries(params)? {
        context.insert(key.to_lowercase(), value.to_owned());
    }
    let actions = params.members("ActionNames");
    if actions.is_empty() {
        return Err(Refusal::missing("actionNames"));
    }
    let resources = Some(params.members("ResourceArns")).filter(|arns| !arns.is_empty()).unwrap_or(vec!["*"]);
    let mut results = Vec::new();
    for action in actions {
        if !action.contains(':') || action.contains(['*', '?']) {
            return Err(Refusal::new(400, "InvalidInput", format!("Invalid action name: {action}")));
        }
        for resource in &resources {
            let ask = Ask { action, resource, context: &context };
            let own = user.policies.iter().map(|(name, inline)| (name.as_str(), &*inline.policy));
            results.push((action, *resource, evaluate(own.chain(added.iter().map(|(n, p)| (n.as_str(), p))), &ask)));
        }
    }
    let mut xml = Xml::default();
    xml.list("EvaluationResults", results, |member, (action, resource, ruling)| {
        describe(member, user, (action, resource), &ruling);
    });
    Ok(whole(xml))
}

fn describe(xml: &mut Xml, user: &User, (action, resource): (&str, &str), ruling: &Ruling) {
    xml.leaf("EvalActionName", action).leaf("EvalResourceName", resource).leaf("EvalDecision", ruling.decision.word());
    xml.list("MatchedStatements", &ruling.policies, |statement, name| {
        let own = user.policies.contains_key(name);
        let id = if own { format!("user_{}_{name}", user.name) } else { name.clone() };
        statement.leaf("SourcePolicyId", &id).leaf("SourcePolicyType", if own { "user" } else { "none" });
    });
    xml.texts("MissingContextValues", ruling.missing.iter().map(String::as_str));
}

fn source<'a>(state: &'a State, arn: &str) -> Result<&'a User, Refusal> {
    let user = state.users.values().find(|user| user.arn() == arn);
    user.ok_or_else(|| {
        Refusal::no_such(format!("The entity {arn} cannot be found; the sandbox has users, no groups and no roles."))
    })
}

fn added(params: &Params) -> Result<BTreeMap<String, Policy>, Refusal> {
    let documents = params.members("PolicyInputList").into_iter().enumerate();
    documents
        .map(|(n, text)| match Policy::parse(text) {
            Ok(policy) => Ok((format!("PolicyInputList.{}", n + 1), policy)),
            Err(message) => Err(Refusal::new(400, "InvalidInput", message)),
        })
        .collect()
}

/// Keys with their value. A key with several values needs the set operators, which are not evaluated here.
fn context_entries(params: &Params) -> Result<Vec<(&str, &str)>, Refusal> {
    let mut entries = Vec::new();
    for n in 1.. {
        let entry = format!("ContextEntries.member.{n}");
        let Some(key) = params.get(&format!("{entry}.ContextKeyName")) else { break };
        let [value] = params.members(&format!("{entry}.ContextKeyValues"))[..] else {
            let message = format!("The sandbox takes one value for a context key; {key} has another number.");
            return Err(Refusal::new(400, "InvalidInput", message));
        };
        entries.push((key, value));
    }
    Ok(entries)
}
