//! Where a request for a key rests on a guess, the key that was made is looked at, and goes again where it is another's.

use serde_json::{Value, json};

use super::super::ends;
use super::tongues::{MISTRAL, Tongue, listed};
use super::{StepState, scene, step, stored};

/// Whatever is asked for is made for the administrator.
const ANOTHERS: Tongue = Tongue {
    lists: |line, keys| {
        let item = |key: &super::Key| {
            let whose = if key.name.starts_with("staunch-") { "admin" } else { "u1" };
            json!({ "key_id": key.id, "name": key.name, "hidden_key": ends(&key.value, 4, 4), "created_by": whose,
                    "workspace_id": "w1", "expiration_date": "2027-01-01", "last_used": Value::Null })
        };
        (line == "GET /api/admin/api-keys?limit=100&offset=0").then(|| json!({ "keys": listed(keys, item) }))
    },
    ..MISTRAL
};

#[tokio::test]
async fn a_key_that_was_made_for_somebody_else_is_deleted_again() {
    let dir = tempfile::tempdir().expect("scratch");
    let (scene, model) = scene(&ANOTHERS, &dir);
    let old = scene.value().to_owned();
    let run = scene.apply().await;
    let (ended, why) = step(&run, "replace");
    assert!(ended == StepState::Failed && why.contains("made for {\"created_by\":\"admin\""), "{ended:?} {why}");
    assert_eq!((stored(&scene), model.lock().expect("the model").keys.len()), (old, 2));
}
