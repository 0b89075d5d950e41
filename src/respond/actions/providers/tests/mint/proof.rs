//! Where the old one's value can still be read, its own refusal is the proof, and no list stands for it: a list says what the
//! administration knows, not who is let in.

use super::tongues::ALL;
use super::used::a_day_later;
use super::{scene, word_on_the_old_one};
use crate::model::{RunState, StepState};
use crate::respond::testing::step;

#[tokio::test]
async fn where_the_old_one_can_be_asked_its_own_refusal_is_the_proof() {
    for tongue in ALL {
        let dir = tempfile::tempdir().expect("scratch");
        let (scene, _model) = scene(tongue, &dir);
        let run = a_day_later(&scene).await;
        scene.agree(&run.digest);
        let run = word_on_the_old_one(&scene, tongue, scene.resume(&run).await).await;
        let (ended, why) = step(&run, "prove-refused");
        assert_eq!((run.state, ended), (RunState::Done, StepState::Succeeded), "{}: {why}", tongue.playbook);
        let proof = run.steps.iter().find(|step| step.id == "prove-refused").expect("the step");
        assert!(proof.evidence["refused"].is_string(), "{}: {}", tongue.playbook, proof.evidence);
        assert!(proof.evidence.get("by").is_none(), "{}: {}", tongue.playbook, proof.evidence);
    }
}
