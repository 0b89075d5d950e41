//! Every declared request against a server on loopback, with every answer that its file describes and those that none does.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{Said, Validator};
use crate::detect::{Detector, DetectorSet, HttpCase, HttpCheck, LivenessCheck, Outcome};
use crate::model::{Confidence, Credential, Facts, Liveness, Part};
use crate::net::testing::{Server, http};
use crate::net::{Manners, Net, Settings};
use crate::secret::{Redaction, Secret};

/// A page as proxies, portals and firewalls show it.
const PAGE: &str =
    "<!DOCTYPE html><html><head><title>Attention Required!</title></head><body>Sorry, you have been blocked</body></html>";

/// What the server does with a request.
#[derive(Clone)]
enum Act {
    Say(Vec<u8>),
    /// Nothing, until they give up.
    Stall,
}

/// One request and what must be made of its answer.
struct Exchange {
    detector: Detector,
    name: String,
    act: Act,
    fits: Box<dyn Fn(&Said) -> bool + Send>,
}

/// A credential with every part that its detector has.
fn whole(detector: &Detector) -> Credential {
    let part = |spec: &crate::detect::PartSpec| Part {
        name: Arc::clone(&spec.name),
        value: Secret::new(format!("v-{}", spec.name).as_bytes()),
        public: spec.public,
        redaction: Redaction::NOTHING,
        span: 0..0,
    };
    Credential {
        detector: detector.id.clone(),
        parts: detector.parts.iter().map(part).collect(),
        facts: Facts::default(),
        confidence: Confidence::High,
        partial: false,
        encoding: Vec::new(),
    }
}

/// A body in JSON that holds what a case asks for. Texts may be pieces of JSON themselves.
fn body(case: &HttpCase) -> String {
    let mut members = Vec::new();
    let mut words = Vec::new();
    for text in &case.body_has {
        let ends = [":1", "", "}", "\"", "]", ":1}"];
        let member = ends.iter().map(|end| format!("{text}{end}"));
        let member = member.into_iter().find(|text| serde_json::from_str::<Value>(&format!("{{{text}}}")).is_ok());
        match member {
            Some(member) if text.starts_with('"') => members.push(member),
            _ => words.push(text.as_str()),
        }
    }
    if !words.is_empty() {
        members.push(format!("\"message\":{}", json!(words.join(" "))));
    }
    let mut root = json!({});
    for (pointer, text) in &case.json {
        let literal = ["true", "false", "null"].contains(&text.as_str()) || text.parse::<i64>().is_ok();
        let value = if literal { serde_json::from_str(text).unwrap_or_default() } else { json!(text) };
        put(&mut root, pointer, value);
    }
    let inner = root.to_string();
    let inner = inner.trim_start_matches('{').strip_suffix('}').unwrap_or_default();
    if !inner.is_empty() {
        members.push(inner.to_owned());
    }
    format!("{{{}}}", members.join(","))
}

fn put(root: &mut Value, pointer: &str, value: Value) {
    let mut at = root;
    for step in pointer.split('/').skip(1) {
        if let Ok(index) = step.parse::<usize>() {
            if !at.is_array() {
                *at = json!([]);
            }
            let all = at.as_array_mut().expect("an array");
            while all.len() <= index {
                all.push(json!({}));
            }
            at = &mut all[index];
        } else {
            if !at.is_object() {
                *at = json!({});
            }
            at = at.as_object_mut().expect("an object").entry(step).or_insert_with(|| json!({}));
        }
    }
    *at = value;
}

fn means(outcome: Outcome, said: &Liveness) -> bool {
    let state = match outcome {
        Outcome::Live => "live",
        Outcome::Limited => "limited",
        Outcome::Dead => "dead",
        Outcome::Unknown => "unknown",
    };
    said.state() == state
}

/// Sends all of them and gives the names of those that were taken wrongly.
async fn replay(exchanges: Vec<Exchange>, timeout: Duration) -> Vec<String> {
    let acts: HashMap<usize, Act> = exchanges.iter().map(|exchange| exchange.act.clone()).enumerate().collect();
    let server = Server::talking(move |peer| {
        let heard = String::from_utf8_lossy(&peer.hear()).into_owned();
        let number = heard.split(['/', '?', ' ']).nth(2).and_then(|number| number.parse().ok());
        match number.and_then(|number: usize| acts.get(&number)) {
            Some(Act::Say(answer)) => _ = peer.say(answer),
            Some(Act::Stall) => while !peer.hear().is_empty() {},
            None => {}
        }
    });
    let named = (0..exchanges.len()).map(|n| (format!("x-{n}"), format!("{}/{n}", server.url()).parse().expect("a URL")));
    // One host stands for all, and fails for some.
    let manners = Manners { at_once: 48, per_second: 1_000_000, budget: u32::MAX, failures: u32::MAX };
    let settings = Settings { endpoints: named.collect(), timeout, manners, ..Settings::default() };
    let validator = Validator::new(Arc::new(Net::new(settings).expect("clients")));
    let mut all = JoinSet::new();
    for (n, mut exchange) in exchanges.into_iter().enumerate() {
        if let LivenessCheck::Http(check) = &mut exchange.detector.liveness {
            check.endpoint = format!("x-{n}");
        }
        let validator = validator.clone();
        all.spawn(async move {
            let said = validator.ask(&exchange.detector, &[whole(&exchange.detector)]).await;
            (!(exchange.fits)(&said)).then(|| format!("{}: {said:?}", exchange.name))
        });
    }
    let mut wrong: Vec<String> = all.join_all().await.into_iter().flatten().collect();
    wrong.sort();
    wrong
}

/// All detectors with a declared request, and the request.
fn declared(set: &DetectorSet) -> Vec<(&Detector, &HttpCheck)> {
    set.detectors()
        .filter_map(|detector| match &detector.liveness {
            LivenessCheck::Http(check) => Some((detector, check.as_ref())),
            LivenessCheck::None(_) | LivenessCheck::Named(_) => None,
        })
        .collect()
}

fn exchange(detector: &Detector, name: &str, act: Act, fits: impl Fn(&Said) -> bool + Send + 'static) -> Exchange {
    let (detector, name) = (detector.clone(), format!("{} {name}", detector.id));
    Exchange { detector, name, act, fits: Box::new(fits) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_that_a_detector_describes_means_what_it_says() {
    let set = DetectorSet::builtin().expect("detectors");
    let mut all = Vec::new();
    for (detector, check) in declared(&set) {
        for (number, case) in check.cases.iter().enumerate() {
            let (body, then) = (body(case), case.then);
            assert!(case.body_has.iter().all(|text| body.contains(text.as_str())), "{} case {number}: {body}", detector.id);
            assert!(serde_json::from_str::<Value>(&body).is_ok(), "{} case {number}: {body}", detector.id);
            for status in &case.status {
                let name = format!("case {number}, {status}");
                let answer = Act::Say(http(&format!("{status} X"), "", &body));
                // What settles it is kept; a rate or a provider's trouble is not.
                let kept = then != Outcome::Unknown || !(*status == 429 || *status >= 500);
                all.push(exchange(detector, &name, answer, move |said| {
                    means(then, &said.liveness)
                        && said.answered == kept
                        && said.liveness.why().is_none_or(|why| !why.is_empty())
                }));
            }
        }
    }
    assert!(all.len() > 1000, "{}", all.len());
    assert_eq!(replay(all, Duration::from_secs(20)).await, [] as [String; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_a_redirect_and_trouble_of_the_providers_own_settle_nothing() {
    let set = DetectorSet::builtin().expect("detectors");
    let unknown = |said: &Said| matches!(said.liveness, Liveness::Unknown(_));
    let mut all = Vec::new();
    for (detector, _) in declared(&set) {
        for status in [200, 201, 400, 401, 403, 404, 429] {
            let answer = Act::Say(http(&format!("{status} X"), "content-type: text/html\r\n", PAGE));
            all.push(exchange(detector, &format!("page {status}"), answer, unknown));
        }
        let redirect = http("302 Found", "location: http://169.254.169.254/latest/meta-data/\r\n", "");
        all.push(exchange(detector, "redirect", Act::Say(redirect), unknown));
        let trouble = http("500 Internal Server Error", "", "{\"error\":\"invalid\"}");
        all.push(exchange(detector, "500", Act::Say(trouble), move |said| unknown(said) && !said.answered));
        all.push(exchange(detector, "garbage", Act::Say(b"\x16\x03\x01 garbage".to_vec()), unknown));
    }
    assert_eq!(replay(all, Duration::from_secs(20)).await, [] as [String; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_cut_off_or_does_not_come_settles_nothing() {
    let set = DetectorSet::builtin().expect("detectors");
    let lost = |said: &Said| matches!(said.liveness, Liveness::Unknown(_)) && !said.answered;
    let (mut cut_off, mut slow) = (Vec::new(), Vec::new());
    for (detector, check) in declared(&set) {
        // A 204 has no body that could be cut.
        for case in check.cases.iter().filter(|case| case.then != Outcome::Unknown && case.status[0] != 204) {
            let text = body(case);
            let head = format!("HTTP/1.1 {} X\r\ncontent-length: {}\r\n\r\n", case.status[0], text.len() + 9);
            cut_off.push(exchange(detector, "cut off", Act::Say((head + &text).into_bytes()), lost));
        }
        slow.push(exchange(detector, "slow", Act::Stall, move |said| {
            lost(said) && said.liveness.why().is_some_and(|why| why.contains("in time"))
        }));
    }
    assert_eq!(replay(cut_off, Duration::from_secs(20)).await, [] as [String; 0]);
    assert_eq!(replay(slow, Duration::from_millis(100)).await, [] as [String; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_longer_than_is_read_settles_nothing_by_its_beginning() {
    let set = DetectorSet::builtin().expect("detectors");
    let mut all = Vec::new();
    // The rule is one for all; a few megabytes for each detector would prove no more.
    for (detector, check) in declared(&set).into_iter().step_by(25) {
        for case in check.cases.iter().filter(|case| case.then != Outcome::Unknown && !case.any_body) {
            let long = body(case).replacen('{', &format!("{{\"filler\":\"{}\",", "x".repeat(2 << 20)), 1).replace(",}", "}");
            let answer = Act::Say(http(&format!("{} X", case.status[0]), "", &long));
            all.push(exchange(detector, "long", answer, |said| matches!(said.liveness, Liveness::Unknown(_))));
        }
    }
    assert_eq!(replay(all, Duration::from_secs(20)).await, [] as [String; 0]);
}

mod traps;
