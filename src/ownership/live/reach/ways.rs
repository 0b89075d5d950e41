//! Which actions give which power. Sources: Bedrock's, Secrets Manager's, Systems Manager's and IAM's pages in the Service
//! Authorization Reference; for escalation Rhino Security Labs, "AWS IAM Privilege Escalation – Methods and Mitigation".
//! Converse is authorised by the InvokeModel actions, so it is not asked about by itself. The list is of the well-known ways:
//! that none of them is open does not mean that there is none.

use std::collections::{BTreeMap, BTreeSet};

use super::Said;
use crate::model::{Power, Ruling, Way};

const WAYS: [(Power, &[&str]); 30] = [
    (Power::Models, &["bedrock:InvokeModel"]),
    (Power::Models, &["bedrock:InvokeModelWithResponseStream"]),
    (Power::Models, &["bedrock:CallWithBearerToken"]),
    (Power::Models, &["bedrock:CreateModelInvocationJob"]),
    (Power::Secrets, &["secretsmanager:GetSecretValue"]),
    (Power::Secrets, &["ssm:GetParameter"]),
    (Power::Secrets, &["ssm:GetParameters"]),
    (Power::Secrets, &["ssm:GetParametersByPath"]),
    (Power::Secrets, &["ssm:GetParameterHistory"]),
    (Power::Keys, &["iam:CreateAccessKey"]),
    (Power::Keys, &["iam:CreateServiceSpecificCredential"]),
    (Power::Keys, &["iam:CreateLoginProfile"]),
    (Power::Keys, &["iam:UpdateLoginProfile"]),
    (Power::Keys, &["sts:GetFederationToken"]),
    (Power::Escalation, &["iam:PutUserPolicy"]),
    (Power::Escalation, &["iam:AttachUserPolicy"]),
    (Power::Escalation, &["iam:PutGroupPolicy"]),
    (Power::Escalation, &["iam:AttachGroupPolicy"]),
    (Power::Escalation, &["iam:AddUserToGroup"]),
    (Power::Escalation, &["iam:CreatePolicyVersion"]),
    (Power::Escalation, &["iam:SetDefaultPolicyVersion"]),
    (Power::Escalation, &["sts:AssumeRole"]),
    (Power::Escalation, &["iam:UpdateAssumeRolePolicy"]),
    (Power::Escalation, &["iam:PutRolePolicy", "sts:AssumeRole"]),
    (Power::Escalation, &["iam:AttachRolePolicy", "sts:AssumeRole"]),
    (Power::Escalation, &["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"]),
    (Power::Escalation, &["iam:PassRole", "ec2:RunInstances"]),
    (Power::Escalation, &["iam:PassRole", "cloudformation:CreateStack"]),
    (Power::Escalation, &["iam:PassRole", "glue:CreateDevEndpoint"]),
    (Power::Escalation, &["lambda:UpdateFunctionCode"]),
];

/// Actions that policies often allow on `user/${aws:username}` alone.
pub(super) const ON_ITSELF: [&str; 6] = [
    "iam:CreateAccessKey",
    "iam:CreateServiceSpecificCredential",
    "iam:CreateLoginProfile",
    "iam:UpdateLoginProfile",
    "iam:PutUserPolicy",
    "iam:AttachUserPolicy",
];

/// Every action, once.
pub(super) fn actions() -> Vec<&'static str> {
    let all: BTreeSet<&str> = WAYS.iter().flat_map(|(_, actions)| actions.iter().copied()).collect();
    all.into_iter().collect()
}

/// The ways of which every action was answered for.
pub(super) fn ways(said: &BTreeMap<String, Said>) -> Vec<Way> {
    let way = |(power, actions): &(Power, &[&str])| {
        let each: Vec<&Said> = actions.iter().map(|action| said.get(*action)).collect::<Option<_>>()?;
        let ruling = if each.iter().any(|said| said.ruling == Ruling::Denied) {
            Ruling::Denied
        } else if each.iter().all(|said| said.ruling == Ruling::Allowed) {
            Ruling::Allowed
        } else {
            Ruling::Unclear
        };
        let mut notes: Vec<&str> =
            each.iter().filter(|said| said.ruling == ruling).filter_map(|said| said.note.as_deref()).collect();
        notes.dedup();
        let actions = actions.iter().map(|action| (*action).to_owned()).collect();
        Some(Way { power: *power, actions, ruling, note: (!notes.is_empty()).then(|| notes.join("; ")) })
    };
    WAYS.iter().filter_map(way).collect()
}

#[cfg(test)]
mod tests {
    use super::{ON_ITSELF, actions, ways};
    use crate::model::{Power, Ruling};
    use crate::ownership::live::reach::Said;

    #[test]
    fn a_way_of_several_actions_needs_them_all() {
        let rule = |ruling: fn(&str) -> Ruling| {
            let said = actions().into_iter().map(|action| (action.to_owned(), Said { ruling: ruling(action), note: None }));
            let all = ways(&said.collect());
            let lambda = all.iter().find(|way| way.actions.len() == 3).map(|way| (way.power, way.ruling));
            (all.len(), lambda)
        };
        let lambda = |ruling| (30, Some((Power::Escalation, ruling)));
        assert_eq!(rule(|_| Ruling::Allowed), lambda(Ruling::Allowed));
        let but = |action: &str| if action == "iam:PassRole" { Ruling::Unclear } else { Ruling::Allowed };
        assert_eq!(rule(but), lambda(Ruling::Unclear));
        let but = |action: &str| if action == "lambda:InvokeFunction" { Ruling::Denied } else { Ruling::Unclear };
        assert_eq!(rule(but), lambda(Ruling::Denied));
        assert_eq!(ways(&std::collections::BTreeMap::new()), []);
        assert!(ON_ITSELF.iter().all(|action| actions().contains(action)));
    }
}
