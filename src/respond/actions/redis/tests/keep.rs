//! How long what was changed lasts, and who is let in all the same: an ACL file is written on a person's word alone, and of several
//! passwords the leaked one goes.

use super::{Fault, Scene, hash};
use crate::model::{RunState, StepState};
use crate::respond::testing::step;

#[tokio::test]
async fn what_holds_here_alone_or_until_a_restart_is_no_pass() {
    let several = "# Replication\r\nrole:master\r\nconnected_slaves:2\r\n";
    for (info, aclfile, result) in
        [(None, "/etc/redis/users.acl", "PASSED"), (None, "", "WARNED"), (Some(several), "/etc/redis/users.acl", "WARNED")]
    {
        let scene = Scene::new(&["ops"], &["ops"]);
        scene.cache().aclfile = aclfile;
        if let Some(info) = info {
            scene.cache().info = info;
        }
        let plan = scene.plan().await.expect("a plan");
        let mut run = scene.apply(&plan).await;
        if !aclfile.is_empty() {
            let (state, why) = step(&run, "keep");
            assert!(state == StepState::Waiting && why.contains("over /etc/redis/users.acl"), "{state:?} {why}");
            assert_eq!(scene.counted(|cache| cache.saves), 0, "nobody has said that it may be written over");
            // What is so by now nobody has to wait for.
            let said = std::fs::read_to_string(scene.runner().folder.run(&run.id).expect("the run").evidence());
            let said: serde_json::Value = serde_json::from_str(&said.expect("evidence")).expect("JSON");
            let said = &said["predicate"];
            assert!(
                said["result"] == "WARNED" && said["passedTests"] == serde_json::json!(["stop", "prove-refused"]),
                "{said}"
            );
            let because = said["staunch"]["because"].to_string();
            assert!(because.contains("how long that lasts is not known before keep"), "{because}");
            run = scene.says("keep", |runner| async move { runner.resume(&run.id).await }).await;
            assert_eq!(scene.counted(|cache| cache.saves), 1);
        }
        let evidence = run.steps.iter().find(|step| step.id == "evidence").expect("evidence");
        assert_eq!(evidence.evidence["predicate"]["result"], result, "{info:?} {aclfile} {}", evidence.evidence);
    }
}

#[tokio::test]
async fn an_acl_file_is_written_only_where_a_person_says_that_nobody_has_changed_it() {
    let scene = Scene::new(&["ops"], &["ops"]);
    scene.cache().aclfile = "/etc/redis/users.acl";
    let run = scene.apply(&scene.plan().await.expect("a plan")).await;
    // Walked back before it was written: nothing to be put right in it.
    let undone = scene.runner().undo(&run.id).await.expect("a run");
    assert_eq!((step(&undone, "stop").0, undone.state), (StepState::Undone, RunState::Undone));
    assert_eq!(scene.counted(|cache| cache.saves), 0);
    let again = || {
        let scene = Scene::new(&["ops"], &["ops"]);
        scene.cache().aclfile = "/etc/redis/users.acl";
        scene
    };
    let scene = again();
    let run = scene.apply(&scene.plan().await.expect("a plan")).await;
    let run = scene.says("keep", |runner| async move { runner.resume(&run.id).await }).await;
    assert_eq!((step(&run, "keep").0, scene.counted(|cache| cache.saves)), (StepState::Succeeded, 1));
    let id = run.id.clone();
    let undone = scene.runner().undo(&id).await.expect("a run");
    let (state, why) = step(&undone, "keep");
    assert!(state == StepState::UndoFailed && why.contains("undo RUN --done keep"), "{state:?} {why}");
    assert_eq!(
        (scene.is_on("ops"), scene.counted(|cache| cache.saves)),
        (Some(true), 1),
        "it is let in, and the file is left"
    );
    let undone = scene.says("keep", |runner| async move { runner.undo(&id).await }).await;
    assert_eq!(undone.state, RunState::Undone, "{:?}", undone.steps);
    assert_eq!((scene.is_on("ops"), scene.counted(|cache| cache.saves)), (Some(true), 2));
    // A file that cannot be written is said, and turns nobody on again.
    let scene = again();
    let run = scene.apply(&scene.plan().await.expect("a plan")).await;
    scene.cache().fault = Some((2, Fault::Says("-ERR There was an error trying to save the ACLs\r\n")));
    let run = scene.says("keep", |runner| async move { runner.resume(&run.id).await }).await;
    let keep = run.steps.iter().find(|step| step.id == "keep").expect("the step");
    assert!(
        keep.evidence["already"]["lasts"]
            .as_str()
            .is_some_and(|text| text.contains("was not written (the server said ERR)")),
        "{keep:?}"
    );
    assert_eq!((scene.is_on("ops"), scene.counted(|cache| cache.saves)), (Some(false), 0));
}

#[tokio::test]
async fn of_a_user_with_several_passwords_the_leaked_one_alone_goes() {
    let mut scene = Scene::new(&["ops"], &["ops"]);
    scene.cache().others = vec![hash("the other one")];
    // Whoever has the other one comes back at once, every time.
    scene.cache().connections = vec![2; 40];
    let plan = scene.plan().await.expect("a plan");
    assert_eq!(plan.steps[0].observed["passwords"], 2, "{}", plan.steps[0].observed);
    let run = scene.apply(&plan).await;
    for id in ["stop", "prove-refused", "still-refused"] {
        assert_eq!(step(&run, id).0, StepState::Succeeded, "{id}: {}", step(&run, id).1);
    }
    assert_eq!(scene.is_on("ops"), Some(true), "nobody else is cut off");
    assert_eq!(scene.counted(|cache| cache.without.clone()), ["ops"]);
    // Only while it can be read can it be given back.
    let found = std::mem::take(&mut scene.found);
    let undone = scene.runner().undo(&run.id).await.expect("a run");
    let (state, why) = step(&undone, "stop");
    assert!(state == StepState::UndoFailed && why.contains("--secret-stdin"), "{state:?} {why}");
    scene.found = found;
    let undone = scene.runner().undo(&run.id).await.expect("a run");
    assert_eq!(step(&undone, "stop").0, StepState::Undone, "{}", step(&undone, "stop").1);
    assert_eq!(scene.counted(|cache| cache.without.clone()), [""; 0]);
    assert_eq!(scene.plan().await.expect("a plan").steps[0].observed, plan.steps[0].observed);
}
