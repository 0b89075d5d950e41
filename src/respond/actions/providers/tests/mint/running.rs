//! Workloads that were restarted with the new key go on with it, whatever their store holds since.

use super::tongues::XAI;
use super::{RunState, StepState, scene, step, stored};
use crate::respond::{Admin, ConsumerAt, StoreAt};
use crate::secret::Secret;

#[tokio::test]
async fn a_key_that_restarted_workloads_may_run_with_stays_until_a_person_says_otherwise() {
    let dir = tempfile::tempdir().expect("scratch");
    let (scene, model) = scene(&XAI, &dir);
    let old = scene.value().to_owned();
    let run = scene.apply().await;
    let back = |confirmed: &[&str]| {
        let mut runner = scene.runner();
        runner.confirmed = confirmed.iter().map(|step| (*step).to_owned()).collect();
        runner.hands.stores.consumers = vec![ConsumerAt {
            place: StoreAt {
                kind: "kubernetes-deployment".to_owned(),
                at: "prod/web".to_owned(),
                region: None,
                address: None,
                credential: Some(Admin::new("env:TEST".to_owned(), Secret::new(b"a token of the cluster"))),
                holds: None,
                part: None,
            },
            reads: scene.store.as_ref().and_then(|path| path.to_str()).expect("a path").to_owned(),
        }];
        runner
    };
    let undone = back(&[]).undo(&run.id).await.expect("a run");
    let (ended, why) = step(&undone, "replace");
    assert!(ended == StepState::UndoFailed && why.contains("workloads were restarted with it"), "{ended:?} {why}");
    assert!(why.contains("--done replace"), "{why}");
    assert_eq!((stored(&scene), model.lock().expect("the model").keys.len()), (old, 3));
    let undone = back(&["replace"]).undo(&run.id).await.expect("a run");
    assert_eq!(undone.state, RunState::Undone, "{:?}", undone.steps);
    assert_eq!(model.lock().expect("the model").keys.len(), 2);
}
