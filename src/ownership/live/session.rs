//! AWS sessions (`ASIA…`): the ARN that STS gave → the role, with its path and tags, or the user that asked for the session.
//!
//! IAM knows no session's key. Without STS's answer, for which all three parts are needed, nothing is known but the account in the id.
//! `GetRole` finds a role by its name alone, which is unique in its account (IAM API reference); the ARN that it gives has the path, which
//! the session's has not, and is what the simulator wants.

use aws_sdk_iam::Client;

use super::iam::{IamAnswer, reason};
use super::tags::accountable;
use crate::model::Finding;
use crate::ownership::roll::Roll;

const CALL: &str = "iam:GetRole";
const WHAT: &str = "what the session may do";

/// Asks IAM for what stands behind a session. `client` acts as the responder in the session's account.
pub(super) async fn owners(client: &Client, finding: &Finding) -> IamAnswer {
    let mut answer = IamAnswer::default();
    let Some(arn) = finding.liveness.liveness.identity().and_then(|identity| identity.get("arn")) else {
        let why = if finding.partial {
            "STS cannot be asked: a session has a key id, a secret and a session token, and not all of them were found together"
        } else {
            "STS has not said whose it is"
        };
        answer.unknown.push(format!("{WHAT}: {why}"));
        return answer;
    };
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    if let Some(role) = resource.strip_prefix("assumed-role/").and_then(|rest| rest.split('/').next()) {
        role_of(client, role, &mut answer).await;
    } else if resource.starts_with("user/") {
        // From `GetSessionToken`: it may what its user may, but for most of IAM and STS.
        answer.arn = Some(arn.to_owned());
    } else {
        answer
            .unknown
            .push(format!("{WHAT}: it is no role's and no user's, so there are no policies of its own to simulate"));
    }
    answer
}

async fn role_of(client: &Client, name: &str, answer: &mut IamAnswer) {
    let output = match client.get_role().role_name(name).send().await {
        Ok(output) => output,
        Err(error) => return answer.unknown.push(format!("{WHAT}: {}", reason(CALL, &error))),
    };
    let Some(role) = output.role() else {
        return answer.unknown.push(format!("{WHAT}: {CALL} named no role"));
    };
    answer.arn = Some(role.arn().to_owned()).filter(|arn| arn.starts_with("arn:"));
    let mut named = Roll::default();
    for tag in role.tags() {
        if let Some(accountable) = accountable((tag.key(), tag.value()), ("iam-role-tag", CALL)) {
            named.add(accountable);
        }
    }
    answer.owners = named.finish();
}

#[cfg(test)]
mod tests {
    use super::owners;
    use crate::model::{Edge, Finding, Identity, Liveness, Tier};
    use crate::ownership::artefacts::testing::finding;
    use crate::ownership::live::testing::{Wire, wait};

    const ROLE: &str = "<Role><Path>/svc/</Path><RoleName>deploy</RoleName><RoleId>AROAX</RoleId><Arn>\
                        arn:aws:iam::111122223333:role/svc/deploy</Arn><CreateDate>2025-01-01T00:00:00Z</CreateDate>\
                        <Tags><member><Key>team</Key><Value>payments</Value></member></Tags></Role>";

    fn session(arn: Option<&str>, partial: bool) -> Finding {
        let mut finding = finding("x");
        finding.partial = partial;
        if let Some(arn) = arn {
            let mut identity = Identity::default();
            identity.set("arn", arn);
            finding.liveness.liveness = Liveness::Live(identity);
        }
        finding
    }

    #[test]
    fn a_session_leads_to_its_role_s_own_arn_and_tags() {
        let wire = Wire::by_action(&[("GetRole", ROLE)]);
        let live = session(Some("arn:aws:sts::111122223333:assumed-role/deploy/i-0abc"), false);
        let answer = wait(owners(&wire.client(), &live));
        assert_eq!(answer.arn.as_deref(), Some("arn:aws:iam::111122223333:role/svc/deploy"));
        let named: Vec<_> = answer.owners.iter().map(|owner| (owner.edge, owner.id.as_str(), owner.tier)).collect();
        assert_eq!(named, [(Edge::Accountable, "team:payments", Tier::Declared)]);
        assert!(wire.asked()[0].ends_with("&RoleName=deploy"), "{:?}", wire.asked());
        let refused = wait(owners(&Wire::by_action(&[]).client(), &live));
        assert!(refused.arn.is_none() && refused.unknown[0].contains("iam:GetRole refused (AccessDenied)"), "{refused:?}");
    }

    #[test]
    fn what_is_no_role_s_is_said_and_nobody_is_asked() {
        let user = "arn:aws:iam::111122223333:user/ci";
        for (arn, partial, known, words) in [
            (Some(user), false, Some(user), ""),
            (Some("arn:aws:sts::111122223333:federated-user/x"), false, None, "no role's and no user's"),
            (None, true, None, "a session token, and not all of them were found"),
            (None, false, None, "STS has not said"),
        ] {
            let wire = Wire::by_action(&[("GetRole", ROLE)]);
            let answer = wait(owners(&wire.client(), &session(arn, partial)));
            assert_eq!((answer.arn.as_deref(), wire.asked().len()), (known, 0));
            assert_eq!(answer.unknown.iter().any(|why| why.contains(words)), !words.is_empty(), "{answer:?}");
        }
    }
}
