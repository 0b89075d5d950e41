//! A list with a hole in it: the plan and whoever is told hear which part could not be read, why, and what permission is missing. What
//! of Bedrock goes on costing is a fact of the plan and of the evidence.

use std::sync::Arc;

use serde_json::json;

use super::{Scene, session};
use crate::model::{Notice, StepState};
use crate::net::testing::http;
use crate::net::{AwsKey, Manners, Net, Settings};
use crate::respond::testing::{Asked, Provider};
use crate::respond::{PlaybookSource, Playbooks};
use crate::secret::Secret;

/// Whoever asks may read a few things, and is told so; the rest is refused.
fn provider() -> Provider {
    let xml = |body: &str| http("200 OK", "content-type: text/xml\r\n", body);
    Provider::new(move |asked: &Asked| match asked.line.as_str() {
        line if line.starts_with("GET /provisioned-model-throughputs") => {
            let one = json!({ "provisionedModelName": "left-on", "status": "InService", "modelUnits": 4 });
            http("200 OK", "", &json!({ "provisionedModelSummaries": [one] }).to_string())
        }
        _ if asked.body.contains("Action=ListRoles&") => xml(
            "<ListRolesResponse><ListRolesResult><Roles/><IsTruncated>false</IsTruncated></ListRolesResult></ListRolesResponse>",
        ),
        _ if asked.body.contains("Action=SimulatePrincipalPolicy&") => xml(
            "<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults>\
             <member><EvalActionName>iam:ListUsers</EvalActionName><EvalDecision>implicitDeny</EvalDecision></member>\
             <member><EvalActionName>iam:ListRoles</EvalActionName><EvalDecision>allowed</EvalDecision></member>\
             </EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>",
        ),
        _ => http(
            "403 x",
            "content-type: text/xml\r\n",
            "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>",
        ),
    })
}

fn scene(provider: &Provider) -> Scene {
    let endpoints = ["aws", "cloudtrail", "bedrock"]
        .map(|name| Net::parse_endpoint(&format!("{name}={}", provider.url())).expect("an endpoint"));
    let manners = Manners { at_once: 4, per_second: u32::MAX, budget: u32::MAX, failures: u32::MAX };
    let net = Arc::new(Net::new(Settings { endpoints: endpoints.into(), manners, ..Settings::default() }).expect("clients"));
    let own = AwsKey { id: "AKIDRESPONDER".to_owned(), secret: Secret::new(b"s"), token: None };
    let responder = net.responder_with(&own).expect("clients");
    let mut scene = Scene::new((net, responder), "aws-session-key", &session(), "aws-session-contain");
    scene.finding.facts.insert("account".to_owned(), "111122223333".to_owned());
    let text = "summary = \"x\"\nmode = \"contain\"\ndetectors = [\"aws-session-key\"]\n\
                [[step]]\nid = \"sweep\"\naction = \"aws-sweep-persistence\"\non_failure = \"continue\"\n\
                [[step]]\nid = \"models\"\naction = \"aws-bedrock-facts\"\non_failure = \"continue\"\n\
                [[step]]\nid = \"evidence\"\naction = \"evidence\"\n";
    let source = PlaybookSource { id: "p".into(), file: "p.toml".into(), text: text.into() };
    scene.playbook = Playbooks::new(&[source]).expect("a playbook").0.remove(0);
    scene
}

#[tokio::test]
async fn which_part_of_a_list_could_not_be_read_why_and_what_is_missing_is_said() {
    let provider = provider();
    let scene = scene(&provider);
    let plan = scene.plan().await.expect("a plan");
    let unknown = plan.unknowns.join("\n");
    assert!(unknown.contains("what sweep cannot read without iam:ListUsers"), "{unknown}");
    let run = scene.apply(&plan).await;
    let swept = &run.steps[0];
    assert_eq!(swept.state, StepState::Succeeded, "{swept:?}");
    assert_eq!(swept.evidence["roles"], json!([]), "what could be read is there");
    assert!(swept.evidence["users"].is_null(), "and what could not is no empty list");
    let told = Notice::of_run(&run, None, scene.now).lines.join("\n");
    for wanted in [
        "sweep could not read users, their keys and console passwords: AccessDenied: no; the responder lacks iam:ListUsers",
        "sweep could not read service_specific_credentials: AccessDenied: no; the responder lacks iam:ListServiceSpecificCredentials",
    ] {
        assert!(told.contains(wanted), "{wanted} in {told}");
    }
    assert!(!told.contains("Regions that are not enabled"), "what nobody looks at is no hole: {told}");
}

#[tokio::test]
async fn what_is_provisioned_is_a_fact_and_what_cannot_be_read_of_it_is_not_off() {
    let provider = provider();
    let scene = scene(&provider);
    let plan = scene.plan().await.expect("a plan");
    let run = scene.apply(&plan).await;
    for seen in [&plan.steps[1].observed, &run.steps[1].evidence] {
        for region in ["eu-central-1", "us-east-1", "us-west-2"] {
            let of = &seen["regions"][region];
            assert_eq!(of["provisioned_throughput"][0]["name"], "left-on", "{seen}");
            assert!(of.get("invocation_logging").is_none(), "unknown is not off: {seen}");
        }
        let why = "the logging of invocations in us-east-1: AccessDenied; the responder lacks \
                   bedrock:GetModelInvocationLoggingConfiguration";
        assert!(seen["unread"].as_array().is_some_and(|all| all.contains(&json!(why))), "{seen}");
    }
    assert!(plan.unknowns.iter().any(|text| text.starts_with("models could not read the logging")), "{:?}", plan.unknowns);
}
