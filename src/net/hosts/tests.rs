//! Queues before one host and beside it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::{Hosts, LONGEST_PAUSE, Manners};
use crate::net::testing::{Server, http};
use crate::net::{Net, NetError, Request, Settings};

const FREE: Manners = Manners { at_once: 4, per_second: 100_000, budget: 1000, failures: 3 };

#[tokio::test]
async fn a_host_is_asked_so_many_at_once_and_its_queue_holds_up_no_other() {
    let hosts = Arc::new(Hosts::new(FREE));
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let (hosts, now, most) = (Arc::clone(&hosts), Arc::clone(&now), Arc::clone(&most));
        all.spawn(async move {
            let turn = hosts.turn("a").await.expect("a turn");
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            now.fetch_sub(1, Ordering::SeqCst);
            turn.answered();
        });
    }
    while all.join_next().await.is_some() {}
    assert_eq!(most.load(Ordering::SeqCst), 4);
    let mut hanging = Vec::new();
    for _ in 0..4 {
        hanging.push(hosts.turn("b").await.expect("a turn"));
    }
    let queued = tokio::time::timeout(Duration::from_millis(20), hosts.turn("b")).await;
    assert!(queued.is_err(), "a fifth waits");
    assert!(hosts.turn("c").await.is_ok());
}

#[tokio::test]
async fn a_budget_ends_and_says_so() {
    let hosts = Hosts::new(Manners { budget: 2, ..FREE });
    let first = hosts.turn("a").await.expect("a turn");
    first.again(Duration::ZERO).await.expect("repeated: that counts too");
    drop(first);
    assert_eq!(hosts.turn("a").await.map(|_| ()), Err(NetError::Spent { host: "a".into(), budget: 2 }));
    assert!(hosts.turn("b").await.is_ok());
}

#[tokio::test]
async fn requests_to_a_host_are_spread_over_time() {
    let hosts = Hosts::new(Manners { per_second: 50, ..FREE });
    let started = tokio::time::Instant::now();
    for _ in 0..4 {
        hosts.turn("a").await.expect("a turn");
    }
    // Three gaps of 20 ms: never fewer, whatever else the machine does.
    assert!(started.elapsed() >= Duration::from_millis(60));
}

#[tokio::test]
async fn a_host_that_fails_is_left_alone_and_one_answer_brings_it_back() {
    let hosts = Hosts::new(FREE);
    for _ in 0..2 {
        hosts.turn("a").await.expect("a turn").failed();
    }
    let turn = hosts.turn("a").await.expect("a turn");
    turn.answered();
    for _ in 0..3 {
        hosts.turn("a").await.expect("two and three are not five").failed();
    }
    assert_eq!(hosts.turn("a").await.map(|_| ()), Err(NetError::Failing("a".into())));
    assert!(hosts.turn("b").await.is_ok());
    turn.answered();
    assert!(hosts.turn("a").await.is_ok());
}

#[tokio::test]
async fn a_pause_is_waited_for_by_all_and_a_long_one_by_nobody() {
    let hosts = Hosts::new(FREE);
    let started = tokio::time::Instant::now();
    hosts.turn("a").await.expect("a turn").pause(Duration::from_millis(80));
    hosts.turn("a").await.expect("a turn");
    assert!(started.elapsed() >= Duration::from_millis(80));
    let turn = hosts.turn("a").await.expect("a turn");
    turn.pause(LONGEST_PAUSE + Duration::from_secs(1));
    assert!(matches!(hosts.turn("a").await, Err(NetError::Paused { seconds: 10..=12, .. })));
    // That it answers something else meanwhile does not end it.
    turn.answered();
    assert!(hosts.turn("a").await.is_err());
    turn.pause(Duration::from_hours(1000));
    assert!(matches!(hosts.turn("a").await, Err(NetError::Paused { seconds: ..=901, .. })), "capped");
}

#[tokio::test]
async fn what_a_host_asked_for_is_neither_shortened_nor_forgotten() {
    let hosts = Hosts::new(FREE);
    let turn = hosts.turn("a").await.expect("a turn");
    turn.pause(Duration::from_mins(10));
    turn.pause(LONGEST_PAUSE + Duration::from_secs(1));
    for _ in 0..3 {
        turn.failed();
    }
    turn.answered();
    let said = hosts.turn("a").await.map(|_| ());
    assert!(matches!(said, Err(NetError::Paused { seconds: 590..=601, .. })), "{said:?}");
    let turn = hosts.turn("b").await.expect("a turn");
    for _ in 0..3 {
        turn.failed();
    }
    turn.pause(LONGEST_PAUSE + Duration::from_secs(1));
    turn.answered();
    let said = hosts.turn("b").await.map(|_| ());
    assert!(matches!(said, Err(NetError::Paused { seconds: 50..=61, .. })), "{said:?}");
}

#[tokio::test]
async fn one_exchange_fails_once_however_often_it_is_repeated() {
    let server = Server::talking(|peer| {
        peer.hear();
        peer.say(&http("503 Service Unavailable", "", "{}"));
    });
    let endpoints = [("a".to_owned(), server.url().parse().expect("a URL"))].into();
    let net = Net::new(Settings { endpoints, manners: FREE, ..Settings::default() }).expect("clients");
    let request = Request {
        method: crate::net::Method::Get,
        url: server.url().parse().expect("a URL"),
        headers: Vec::new(),
        body: None,
    };
    for visits in [3, 6] {
        assert_eq!(net.ask(&request).await.map(|answer| answer.status), Ok(503));
        assert_eq!(server.visits(), visits);
    }
    assert_eq!(net.ask(&request).await.map(|answer| answer.status), Ok(503), "its third failure");
    assert!(matches!(net.ask(&request).await, Err(NetError::Failing(_))));
    assert_eq!(server.visits(), 9);
}
