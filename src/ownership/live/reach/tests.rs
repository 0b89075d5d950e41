//! What IAM's simulator says and how it fails, by canned answers in its wire format.

use jiff::Timestamp;

use super::reach;
use crate::model::{Power, Reach, Ruling};
use crate::ownership::live::testing::{Wire, refused, result, wait};

const ARN: &str = "arn:aws:iam::111122223333:user/svc/billing-bot";

/// The actions that a question names.
fn asked_about(body: &str) -> Vec<String> {
    let names = body.split('&').filter_map(|pair| pair.strip_prefix("ActionNames.member.")?.split_once('='));
    names.map(|(_, name)| name.replace("%3A", ":")).collect()
}

/// One result: decision and whatever else stands in it.
fn member(action: &str, decision: &str, more: &str) -> String {
    format!("<member><EvalActionName>{action}</EvalActionName><EvalDecision>{decision}</EvalDecision>{more}</member>")
}

fn page(members: &str, marker: Option<&str>) -> (u16, String) {
    let more = marker.map_or_else(
        || "<IsTruncated>false</IsTruncated>".to_owned(),
        |marker| format!("<IsTruncated>true</IsTruncated><Marker>{marker}</Marker>"),
    );
    (200, result("SimulatePrincipalPolicy", &format!("<EvaluationResults>{members}</EvaluationResults>{more}")))
}

/// Each action ruled on by `rule`, in one page; `on_itself` tells the second question from the first.
fn ruled(rule: impl Fn(&str, bool) -> (&'static str, &'static str) + Send + Sync + 'static) -> (Reach, Vec<String>) {
    let wire = Wire::saying(move |body| {
        let on_itself = body.contains("ResourceArns.member.1=arn");
        let one = |action: &String| {
            let (decision, more) = rule(action, on_itself);
            member(action, decision, more)
        };
        page(&asked_about(body).iter().map(one).collect::<String>(), None)
    });
    let said = wait(reach(&wire.client(), ARN, Timestamp::UNIX_EPOCH));
    (said, wire.asked())
}

fn way<'r>(reach: &'r Reach, action: &str) -> (Ruling, Option<&'r str>) {
    let way = reach.ways.iter().find(|way| way.actions == [action]).expect("a way");
    (way.ruling, way.note.as_deref())
}

#[test]
fn what_is_allowed_on_everything_and_what_is_denied_is_known() {
    let (said, asked) =
        ruled(|action, _| if action.starts_with("bedrock:") { ("allowed", "") } else { ("explicitDeny", "") });
    assert_eq!(Power::ALL.map(|power| said.has(power)), [Some(true), Some(false), Some(false), Some(false)]);
    assert_eq!((asked.len(), said.unknown.len(), said.principal.as_str()), (1, 0, ARN));
    assert!(asked[0].contains("PolicySourceArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Auser%2Fsvc%2Fbilling-bot"), "{asked:?}");
    assert!(asked[0].contains("ResourceArns.member.1=%2A"), "{asked:?}");
    assert!(said.unseen.iter().any(|what| what == "an organisation's SCPs"), "{:?}", said.unseen);
}

#[test]
fn an_implicit_deny_of_everything_is_no_no() {
    let (said, asked) = ruled(|_, _| ("implicitDeny", ""));
    assert_eq!(Power::ALL.map(|power| said.has(power)), [None; 4]);
    assert_eq!(way(&said, "secretsmanager:GetSecretValue"), (Ruling::Unclear, Some("not on every resource")));
    assert_eq!(asked.len(), 2, "whether it may on itself is asked");
}

#[test]
fn what_it_may_do_to_itself_is_asked_about() {
    let (said, asked) = ruled(|action, on_itself| match action {
        "iam:CreateAccessKey" if on_itself => ("allowed", ""),
        _ => ("implicitDeny", ""),
    });
    assert_eq!(way(&said, "iam:CreateAccessKey"), (Ruling::Allowed, Some("on itself")));
    assert_eq!((said.has(Power::Keys), said.has(Power::Escalation)), (Some(true), None));
    assert_eq!(asked_about(&asked[1]).len(), 6);
}

#[test]
fn conditions_and_the_organisation_are_told() {
    let missing = "<MissingContextValues><member>aws:SourceIp</member></MissingContextValues>";
    let (said, _) = ruled(move |action, _| match action {
        "bedrock:InvokeModel" => ("allowed", missing),
        "ssm:GetParameter" => ("explicitDeny", missing),
        "sts:AssumeRole" => (
            "implicitDeny",
            "<OrganizationsDecisionDetail><AllowedByOrganizations>false</AllowedByOrganizations></OrganizationsDecisionDetail>",
        ),
        "iam:PutUserPolicy" => ("somethingNew", ""),
        _ => ("explicitDeny", ""),
    });
    assert_eq!(way(&said, "bedrock:InvokeModel"), (Ruling::Unclear, Some("depends on aws:SourceIp")));
    assert_eq!(way(&said, "ssm:GetParameter"), (Ruling::Unclear, Some("depends on aws:SourceIp")));
    assert_eq!(way(&said, "sts:AssumeRole"), (Ruling::Unclear, Some("not on every resource, by the organisation")));
    assert_eq!(way(&said, "iam:PutUserPolicy").0, Ruling::Unclear);
    assert_eq!(Power::ALL.map(|power| said.has(power)), [None, None, Some(false), None]);
    assert!(said.unseen.iter().any(|what| what.contains("conditions in an organisation's SCPs")));
}

#[test]
fn pages_are_put_together_and_a_missing_one_is_said() {
    let paged = |last: fn() -> (u16, String)| {
        let wire = Wire::saying(move |body| {
            let (first, second): (Vec<String>, Vec<String>) =
                asked_about(body).into_iter().partition(|action| action.starts_with("iam:"));
            let all =
                |actions: &[String]| actions.iter().map(|action| member(action, "explicitDeny", "")).collect::<String>();
            if !body.contains("Marker=") {
                return page(&all(&first), Some("more"));
            }
            let (status, text) = last();
            if status == 200 { page(&all(&second), None) } else { (status, text) }
        });
        wait(reach(&wire.client(), ARN, Timestamp::UNIX_EPOCH))
    };
    let whole = paged(|| (200, String::new()));
    assert_eq!((whole.ways.len(), whole.unknown.len(), whole.has(Power::Models)), (30, 0, Some(false)));
    let half = paged(refused);
    assert_eq!(
        half.unknown,
        ["iam:SimulatePrincipalPolicy refused (AccessDenied): allow it for the responder, in the account that owns the key"]
    );
    assert_eq!(Power::ALL.map(|power| half.has(power)), [None; 4], "half an answer denies nothing");
}

#[test]
fn what_cannot_be_read_is_unknown() {
    let endless = |_: &str| page(&member("x:Y", "allowed", ""), Some("again"));
    let counted = std::sync::atomic::AtomicUsize::new(0);
    let ever_new = move |_: &str| {
        let number = counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        page(&member("x:Y", "allowed", ""), Some(&number.to_string()))
    };
    let throttled = "<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>";
    for (wire, wanted) in [
        (Wire::saying(|_| refused()), "refused (AccessDenied)"),
        (Wire::saying(move |_| (400, throttled.to_owned())), "failed (Throttling)"),
        (Wire::saying(|_| (500, "<html><body>Error</body></html>".to_owned())), "without an error code"),
        (Wire::saying(|_| (200, "<html><body>Log in</body></html>".to_owned())), "without an error code"),
        (Wire::saying(|_| (200, "<SimulatePrincipalPolicyResponse><Simul".to_owned())), "iam:SimulatePrincipalPolicy "),
        (Wire::saying(|_| page("", None)), "did not answer for every action"),
        (Wire::saying(endless), "did not answer for every action"),
        (Wire::saying(ever_new), "more than 8 pages"),
    ] {
        let said = wait(reach(&wire.client(), ARN, Timestamp::UNIX_EPOCH));
        assert!(said.unknown.len() == 1 && said.unknown[0].contains(wanted), "{wanted}: {:?}", said.unknown);
        assert!(!said.unknown[0].contains("secret-looking-text"));
        assert_eq!((said.ways.len(), said.has(Power::Models)), (0, None));
    }
}
