//! What answers ask for.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::{pause_before, retry_after};
use crate::net::{Answer, NetError};

fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    let field =
        |(name, value): &(&'static str, &'static str)| (HeaderName::from_static(name), HeaderValue::from_static(value));
    fields.iter().map(field).collect()
}

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().expect("a time")
}

fn answer(status: u16, after: &[(&'static str, &'static str)]) -> Answer {
    Answer { status, headers: headers(after), body: zeroize::Zeroizing::default(), truncated: false }
}

#[test]
fn seconds_and_dates_are_understood() {
    let asked = |fields: &[(&'static str, &'static str)]| retry_after(&headers(fields), now());
    assert_eq!(asked(&[("retry-after", "7")]), Some(Duration::from_secs(7)));
    let date = ("retry-after", "Sun, 01 Mar 2026 12:00:30 GMT");
    assert_eq!(asked(&[date]), Some(Duration::from_secs(30)));
    // By its own clock, which may be wrong.
    assert_eq!(asked(&[date, ("date", "Sun, 01 Mar 2026 12:00:25 GMT")]), Some(Duration::from_secs(5)));
    for nothing in ["Sun, 01 Mar 2026 11:00:00 GMT", "-4", "soon", "", "99999999999999999999999"] {
        assert_eq!(asked(&[("retry-after", nothing)]), None, "{nothing}");
    }
    assert_eq!(asked(&[]), None);
}

#[test]
fn what_is_repeated_is_repeated_later_and_not_for_ever() {
    let lost = || Err(NetError::Connect("a".into()));
    let first = pause_before(&lost(), 0, now()).expect("again");
    let second = pause_before(&lost(), 1, now()).expect("again");
    assert!((100..=300).contains(&first.as_millis()) && (400..=1200).contains(&second.as_millis()), "{first:?} {second:?}");
    assert_eq!(pause_before(&lost(), 2, now()), None);
    assert!(pause_before(&Ok(answer(503, &[])), 0, now()).is_some());
    let asked = pause_before(&Ok(answer(429, &[("retry-after", "3")])), 0, now()).expect("again");
    assert!(asked >= Duration::from_secs(3));
    for settled in [
        Ok(answer(200, &[])),
        Ok(answer(401, &[])),
        Ok(answer(500, &[])),
        Ok(answer(429, &[])),
        Ok(answer(429, &[("retry-after", "3600")])),
        Ok(answer(503, &[("retry-after", "3600")])),
        Err(NetError::Timeout("a".into())),
        Err(NetError::Offline),
    ] {
        assert_eq!(pause_before(&settled, 0, now()), None, "{settled:?}");
    }
}
