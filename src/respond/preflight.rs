//! Which permissions the responder lacks, as IAM's own simulator tells. Reads only.

use aws_sdk_iam::types::PolicyEvaluationDecisionType;

use super::Hands;

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

/// Asks the simulator. The root user lacks nothing.
pub(super) async fn lacking(hands: &Hands, mut permissions: Vec<String>) -> Lacking {
    permissions.sort_unstable();
    permissions.dedup();
    let Some(source) = source_arn(&hands.responder_arn) else { return Lacking::default() };
    let call = hands.responder.iam.simulate_principal_policy().policy_source_arn(source).set_action_names(Some(permissions));
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
