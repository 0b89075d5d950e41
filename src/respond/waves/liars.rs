//! A provider that says of each change that it is made, shows it so at once, and has it no more when it is looked at again: how many are
//! acted upon before that is known. One where it is so of all; of the later ones, no more than may wait to be looked at at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Ended, Left, Waves, apply_all};
use crate::net::testing::http;
use crate::respond::Runner;
use crate::respond::testing::{Asked, Provider, Scene, example};

const AT_ONCE: usize = 2;
const MOST: usize = 2;
/// One, a tenth, and the rest.
const COUNT: usize = 40;

/// OpenRouter with one key. A liar shows it disabled once.
fn provider(lies: bool) -> Provider {
    let text = example("openrouter-api-key");
    let at = text.find("sk-or-v1-").expect("the example");
    let label = format!("{}...{}", &text[at..at + 12], &text[at + 69..at + 73]);
    let (disabled, looks) = (AtomicBool::new(false), AtomicUsize::new(0));
    let says = |status: u16, body: &Value| http(&format!("{status} x"), "", &body.to_string());
    Provider::new(move |asked: &Asked| {
        let off = disabled.load(Ordering::Relaxed);
        let key = |disabled: bool| json!({ "hash": "own", "name": "ci", "label": label, "disabled": disabled, "created_at": "2026-01-01" });
        match asked.line.as_str() {
            "GET /api/v1/keys?include_disabled=true&offset=0" => says(200, &json!({ "data": [key(off)] })),
            "GET /api/v1/keys/own" => {
                let looked = looks.fetch_add(usize::from(off), Ordering::Relaxed) > 0;
                says(200, &json!({ "data": key(off && !(lies && looked)) }))
            }
            "PATCH /api/v1/keys/own" => {
                disabled.store(true, Ordering::Relaxed);
                says(200, &json!({ "data": {} }))
            }
            "GET /api/v1/key" if off => says(401, &json!({ "error": { "message": "User not found.", "code": 401 } })),
            "GET /api/v1/key" => says(200, &json!({ "data": {} })),
            _ => says(404, &json!({ "error": { "message": "not found" } })),
        }
    })
}

/// How many keys are acted upon where every one from this on is lied about, and how many are left for that.
async fn acted(first: usize) -> (usize, usize) {
    let (mut scenes, mut plans) = (Vec::new(), Vec::new());
    for at in 0..COUNT {
        let scene = Scene::new("openrouter-api-key", "openrouter-contain", &[], provider(at >= first));
        let (_, digest) = scene.plan().await.expect("a plan");
        plans.push((Runner { look_again: Duration::from_millis(400), ..scene.runner() }, digest));
        scenes.push(scene);
    }
    let ends = apply_all(plans, Waves { at_once: AT_ONCE, most_failures: MOST }, &Arc::default(), |_, _| {}).await;
    let patched = |scene: &&Scene| scene.provider.heard().iter().any(|asked| asked.line.starts_with("PATCH"));
    let left = ends.iter().filter(|ended| matches!(ended, Ended::NotBegun(Left::Stopped))).count();
    (scenes.iter().filter(patched).count(), left)
}

#[tokio::test]
async fn of_a_provider_that_lies_about_all_one_key_is_acted_upon() {
    assert_eq!(acted(0).await, (1, COUNT - 1));
}

#[tokio::test]
async fn of_one_that_lies_after_the_first_a_tenth_is_acted_upon() {
    let (acted, left) = self::acted(1).await;
    assert!((1 + MOST..=1 + COUNT / 10).contains(&acted), "{acted}");
    assert_eq!(acted + left, COUNT);
}

#[tokio::test]
async fn of_one_that_lies_about_the_rest_no_more_than_may_wait_to_be_looked_at_are_acted_upon() {
    let (acted, left) = self::acted(1 + COUNT / 10).await;
    let most = 1 + COUNT / 10 + 4 * AT_ONCE + MOST;
    assert!((1 + COUNT / 10 + MOST..=most).contains(&acted), "{acted} of at most {most}");
    assert_eq!(acted + left, COUNT);
    // Where nobody lies, all are.
    assert_eq!(self::acted(COUNT).await, (COUNT, 0));
}
