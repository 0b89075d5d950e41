//! What the responder lacks: permissions, as IAM's own simulator tells, and credentials. Reads only.

use aws_sdk_iam::types::PolicyEvaluationDecisionType;

use super::{AwsHands, Hands, actions, means_of};
use crate::model::Plan;

/// What the responder lacks, and what could not be told.
#[derive(Debug, Default)]
pub(super) struct Lacking {
    pub(super) permissions: Vec<String>,
    pub(super) unknown: Option<String>,
}

/// The ARN whose policies the simulator reads: an assumed role's session stands for its role.
fn source_arn(arn: &str) -> Option<String> {
    if arn.ends_with(":root") {
        return None;
    }
    match arn.split_once(":assumed-role/") {
        None => Some(arn.to_owned()),
        Some((head, rest)) => Some(format!("{}:role/{}", head.replace(":sts:", ":iam:"), rest.split('/').next()?)),
    }
}

/// What the responder lacks for a plan: permissions as IAM tells them, and credentials that the settings do not give.
pub(super) async fn lacking(hands: &Hands, plan: &Plan) -> Lacking {
    let means = means_of(plan.steps.iter().map(|step| step.action.as_str()));
    let mut lacking = match &hands.aws {
        Some(aws) if means.aws => {
            simulated(aws, plan.steps.iter().flat_map(|step| step.permissions.clone()).collect()).await
        }
        _ => Lacking::default(),
    };
    if let Some(provider) = means.admin.filter(|_| hands.admin.is_none()) {
        lacking.permissions.push(actions::missing(provider, hands));
    }
    lacking
}

/// Asks the simulator. The root user lacks nothing.
async fn simulated(aws: &AwsHands, mut permissions: Vec<String>) -> Lacking {
    // Those of other services are told in words, which the simulator does not know.
    permissions.retain(|permission| permission.contains(':') && !permission.contains(' '));
    permissions.sort_unstable();
    permissions.dedup();
    let Some(source) = source_arn(&aws.arn) else { return Lacking::default() };
    let call = aws.responder.iam.simulate_principal_policy().policy_source_arn(source).set_action_names(Some(permissions));
    match call.send().await {
        Ok(answer) => {
            let denied = answer.evaluation_results().iter();
            let denied = denied.filter(|result| *result.eval_decision() != PolicyEvaluationDecisionType::Allowed);
            Lacking { permissions: denied.map(|result| result.eval_action_name().to_owned()).collect(), unknown: None }
        }
        Err(_) => Lacking {
            permissions: Vec::new(),
            unknown: Some(
                "whether the responder has the permissions it needs (it may not simulate its own policies)".to_owned(),
            ),
        },
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_session_stands_for_its_role() {
        let arn = super::source_arn;
        assert_eq!(arn("arn:aws:sts::1:assumed-role/ir/kim").as_deref(), Some("arn:aws:iam::1:role/ir"));
        assert_eq!(arn("arn:aws:iam::1:user/ir").as_deref(), Some("arn:aws:iam::1:user/ir"));
        assert_eq!(arn("arn:aws:iam::1:root"), None);
    }
}
