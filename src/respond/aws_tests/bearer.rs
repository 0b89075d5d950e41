//! `aws-role-deny-bearer`: bearer tokens are denied to a role and nothing else of it, seen to be, and given back.

use super::{Scene, Settings, Trouble, at_roles, troubled};
use crate::model::StepState;
use crate::respond::testing::step;
use crate::respond::{PlaybookSource, Playbooks};

const PLAYBOOK: &str = "summary = \"x\"\nmode = \"contain\"\ndetectors = [\"aws-session-key\"]\n[[step]]\nid = \"stop\"\n\
                        action = \"aws-role-deny-bearer\"\nwith = { role = \"{identity.role}\" }\n[[step]]\nid = \"evidence\"\naction = \"evidence\"\n";

fn deny(scene: &mut Scene) {
    let source = PlaybookSource { id: "p".into(), file: "p.toml".into(), text: PLAYBOOK.into() };
    scene.playbook = Playbooks::new(&[source]).expect("a playbook").0.remove(0);
}

#[tokio::test]
async fn bearer_tokens_are_denied_to_a_role_nothing_else_is_and_they_are_given_back() {
    let (provider, policy, _) = troubled("/");
    let mut scene = at_roles(&provider, Settings::default(), "aws-session-contain");
    deny(&mut scene);
    let plan = scene.plan().await.expect("a plan");
    assert!(plan.steps[0].reversible, "{:?}", plan.unknowns);
    let run = scene.apply(&plan).await;
    assert_eq!(step(&run, "stop").0, StepState::Succeeded, "{}", step(&run, "stop").1);
    let written = policy.lock().expect("the policy").clone().expect("a policy");
    let written: serde_json::Value = serde_json::from_str(&written).expect("JSON");
    let denied = written["Statement"][0]["Action"].as_array().expect("actions");
    assert!(
        denied.iter().all(|action| action.as_str().is_some_and(|text| text.ends_with(":CallWithBearerToken"))),
        "{written}"
    );
    assert_eq!((denied.len(), written["Statement"].as_array().map(Vec::len)), (3, Some(1)));
    let run = scene.runner().undo(&run.id).await.expect("walked back");
    assert_eq!((step(&run, "stop").0, policy.lock().expect("the policy").is_none()), (StepState::Undone, true));
}

#[tokio::test]
async fn a_denial_that_is_said_to_be_there_and_is_not_is_not_known_and_a_role_of_aws_is_left() {
    let (provider, policy, trouble) = troubled("/");
    let mut scene = at_roles(&provider, Settings::default(), "aws-session-contain");
    deny(&mut scene);
    let plan = scene.plan().await.expect("a plan");
    *trouble.lock().expect("the trouble") = Some(Trouble::Lie);
    let run = scene.apply(&plan).await;
    assert_eq!((step(&run, "stop").0, policy.lock().expect("the policy").is_none()), (StepState::Unknown, true), "{run:?}");
    let run = scene.runner().resume(&run.id).await.expect("a run");
    assert_eq!((step(&run, "stop").0, policy.lock().expect("the policy").is_some()), (StepState::Succeeded, true));

    let (provider, policy, _) = troubled("/aws-service-role/x.amazonaws.com/");
    let mut scene = at_roles(&provider, Settings::default(), "aws-session-contain");
    deny(&mut scene);
    if let Ok(plan) = scene.plan().await {
        let run = scene.apply(&plan).await;
        assert_eq!(step(&run, "stop").0, StepState::Refused, "{}", step(&run, "stop").1);
    }
    assert!(policy.lock().expect("the policy").is_none());
}
