//! When to ask again, and when not to: `Retry-After` and pauses that grow and are spread.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use super::http::Answer;
use super::{LONGEST_PAUSE, NetError};

/// Times that a request is repeated.
const REPEATS: u32 = 2;
/// The first pause; each further one is four times as long.
const FIRST: Duration = Duration::from_millis(200);

/// The pause before asking again, or None when that would be no use or no manners. `repeats` is how often it was repeated.
pub(super) fn pause_before(said: &Result<Answer, NetError>, repeats: u32, now: Timestamp) -> Option<Duration> {
    if repeats >= REPEATS {
        return None;
    }
    match said {
        Err(NetError::Connect(_)) => Some(spread(FIRST * 4u32.pow(repeats))),
        Ok(answer) if matches!(answer.status, 429 | 502..=504) => match retry_after(&answer.headers, now) {
            // The host's queue waits for it; this is only what keeps many from knocking together after it.
            Some(pause) if pause <= LONGEST_PAUSE => Some(pause + spread(FIRST)),
            Some(_) => None,
            // A 429 that names no time may be about a quota that is gone for the month.
            None => (answer.status != 429).then(|| spread(FIRST * 4u32.pow(repeats))),
        },
        _ => None,
    }
}

/// How long the answer asks to be left alone: seconds, or a date (RFC 9110, 10.2.3), counted from the answer's own.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: &str| DateTimeParser::new().parse_timestamp(text).ok();
    let sent = headers.get(DATE).and_then(|value| date(value.to_str().ok()?)).unwrap_or(now);
    Duration::try_from(date(text)?.duration_since(sent)).ok()
}

/// Half to one and a half times as long.
fn spread(pause: Duration) -> Duration {
    let mut byte = [0u8; 1];
    let _ = ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut byte);
    pause / 2 + pause * u32::from(byte[0]) / 256
}

#[cfg(test)]
mod tests;
