//! A service asks fifty times a second with the key that stands in its store, while that key is replaced, deactivated and
//! deleted. No request fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use super::{ENV, Stage};
use crate::model::StepState;
use crate::respond::testing::step;

/// Fifty a second.
const PERIOD: Duration = Duration::from_millis(20);
/// Nobody waits longer for this test's end, whatever happens.
const MOST: u32 = 3000;

struct Load {
    asked: AtomicU32,
    failed: AtomicU32,
    over: AtomicBool,
}

#[tokio::test]
async fn no_request_of_a_service_fails_while_its_key_is_replaced() {
    let stage = Arc::new(Stage::new(&[(".env", ENV)]).await);
    let load = Arc::new(Load { asked: AtomicU32::new(0), failed: AtomicU32::new(0), over: AtomicBool::new(false) });
    let (service, counts) = (Arc::clone(&stage), Arc::clone(&load));
    let serving = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(PERIOD);
        let mut asking = tokio::task::JoinSet::new();
        while !counts.over.load(Ordering::Relaxed) && counts.asked.load(Ordering::Relaxed) < MOST {
            ticks.tick().await;
            counts.asked.fetch_add(1, Ordering::Relaxed);
            let (service, counts) = (Arc::clone(&service), Arc::clone(&counts));
            asking.spawn(async move {
                if !service.serves(".env").await {
                    counts.failed.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        while asking.join_next().await.is_some() {}
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut planned = stage.plan().await.expect("a plan");
    // On a machine with other work the provider may be too slow for a look; a plan without it does nothing.
    for _ in 0..10 {
        if !planned.0.steps[1].observed.is_null() {
            break;
        }
        planned = stage.plan().await.expect("a plan");
    }
    let (_, digest) = planned;
    stage.agree(&digest);
    let mut run = stage.runner().apply(&digest).await.expect("a run");
    for hours in [0, 26, 25, 0] {
        tokio::time::sleep(Duration::from_millis(1100)).await;
        stage.clock.pass(Duration::from_hours(hours));
        run = stage.runner().resume(&run.id).await.expect("a run");
    }
    stage.agree(&digest);
    run = stage.runner().resume(&run.id).await.expect("a run");
    tokio::time::sleep(Duration::from_millis(500)).await;
    load.over.store(true, Ordering::Relaxed);
    serving.await.expect("the service");
    assert_eq!(step(&run, "delete").0, StepState::Succeeded, "{:?}", run.steps);
    assert_eq!(stage.keys().await.len(), 1, "only the new one is left");
    let (asked, failed) = (load.asked.load(Ordering::Relaxed), load.failed.load(Ordering::Relaxed));
    assert!(asked >= 200, "only {asked} requests were made");
    assert_eq!(failed, 0, "of {asked}");
}
