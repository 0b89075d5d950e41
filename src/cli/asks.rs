//! What is asked of providers: by class, anew or not, or only for show.

use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use clap::builder::FalseyValueParser;
use jiff::SignedDuration;

use super::output::say;
use super::settings::Settings;
use crate::detect::DetectorSet;
use crate::model::Coverage;
use crate::report;
use crate::scan::{Answers, Asking, Groups, dry_run};
use crate::secret::{Fingerprint, FingerprintKey};
use crate::store::Store;
use crate::validate::Validator;

/// The classes that a detector may be of.
const CLASSES: [&str; 3] = ["cloud", "llm", "workload"];

/// Classes to ask about; none of them named is all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Classes {
    /// Nothing is asked.
    Nothing,
    /// These; empty for all.
    These(Vec<String>),
}

impl Classes {
    pub(super) const ALL: Self = Self::These(Vec::new());
}

/// Reads `--validate=CLASS,...`, and what its variable may hold: a yes or a no as well.
pub(super) fn classes(text: &str) -> Result<Classes, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "all" | "1" | "true" | "yes" | "y" | "on" | "t" => return Ok(Classes::ALL),
        "" | "0" | "false" | "no" | "n" | "off" | "f" => return Ok(Classes::Nothing),
        _ => {}
    }
    let each = text.split(',').map(|word| {
        let known = CLASSES.contains(&word);
        known.then(|| word.to_owned()).ok_or_else(|| format!("{word:?} is not a class; there are {}", CLASSES.join(", ")))
    });
    each.collect::<Result<_, _>>().map(Classes::These)
}

#[derive(Debug, Args)]
pub(super) struct Asks {
    /// Say what would be asked (method, host, path), and ask nothing.
    #[arg(long, env = "STAUNCH_DRY_RUN", value_parser = FalseyValueParser::new())]
    pub(super) dry_run: bool,
    /// Ask again what was answered a short time ago.
    #[arg(long, env = "STAUNCH_REFRESH", value_parser = FalseyValueParser::new())]
    pub(super) refresh: bool,
    /// How old an answer may be that is not asked for again: 90s, 30m, 12h, 7d.
    #[arg(long, env = "STAUNCH_MAX_AGE", value_name = "AGE", default_value = "1h", value_parser = age)]
    pub(super) max_age: SignedDuration,
    /// Do not ask CloudTrail what keys were used for: it answers slowly. IAM is asked all the same.
    #[arg(long, env = "STAUNCH_NO_CLOUDTRAIL", value_parser = FalseyValueParser::new())]
    pub(super) no_cloudtrail: bool,
}

impl Asks {
    /// Everything anew: for a responder, and for a question about one credential.
    pub(super) const ANEW: Self =
        Self { dry_run: false, refresh: true, max_age: SignedDuration::ZERO, no_cloudtrail: false };
}

/// Reads an age of at most a week; nothing older is kept.
fn age(text: &str) -> Result<SignedDuration, String> {
    let wrong = || format!("{text:?} is not an age of at most 7d, like 90s, 30m, 12h or 7d");
    let (digits, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let count: i64 = digits.parse::<u32>().map_err(|_| wrong())?.into();
    let age = SignedDuration::from_secs(count * seconds);
    if age <= SignedDuration::from_hours(7 * 24) { Ok(age) } else { Err(wrong()) }
}

/// Asks every credential's provider, or says what would be asked.
pub(super) fn validate(
    groups: &mut Groups,
    (set, key): (&DetectorSet, &FingerprintKey),
    (classes, asks): (&[String], &Asks),
    (settings, coverage): (&Settings, &mut Coverage),
) -> anyhow::Result<()> {
    let validator = Validator::new(Arc::new(settings.net()?));
    let answers = if asks.dry_run { None } else { answers(asks, key, settings) };
    let asking = Asking { set, validator: &validator, clock: &*settings.clock, classes, answers };
    if asks.dry_run {
        for line in dry_run(groups, &asking) {
            say(&report::clean(&format!("staunch: {line}")));
        }
        return Ok(());
    }
    let asked = crate::scan::validate(groups, asking).context("no threads to ask providers with")?;
    coverage.interrupted |= !asked.finished;
    if let Some(trouble) = asked.trouble {
        say(&format!("staunch: answers are not kept: {trouble}"));
    }
    if asked.remembered > 0 && !settings.quiet {
        say(&format!("staunch: {} answered before and not asked again; --refresh asks anew", asked.remembered));
    }
    Ok(())
}

/// The answers of before. None without a state folder that can be written.
fn answers<'a>(asks: &Asks, key: &'a FingerprintKey, settings: &Settings) -> Option<Answers<'a>> {
    let state = settings.state.as_ref()?;
    super::state::make_folder(state).ok()?;
    let store = Store::open(state).ok()?;
    let max_age = if asks.refresh { SignedDuration::ZERO } else { asks.max_age };
    Some(Answers { store, key, max_age })
}

/// Forgets what was answered about a credential, before something is done about it.
pub(super) fn forget(fingerprint: Fingerprint, settings: &Settings) -> anyhow::Result<()> {
    if let Some(state) = &settings.state {
        Store::open(state)?.forget_answers(fingerprint)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::{Classes, age, classes};

    #[test]
    fn classes_and_ages_are_read_or_refused_in_words() {
        assert_eq!(classes("all"), Ok(Classes::ALL));
        assert_eq!(classes("true"), Ok(Classes::ALL));
        assert_eq!(classes("0"), Ok(Classes::Nothing));
        assert_eq!(classes("llm,cloud"), Ok(Classes::These(vec!["llm".into(), "cloud".into()])));
        assert!(classes("llm,clod").is_err_and(|why| why.contains("\"clod\" is not a class") && why.contains("workload")));
        assert_eq!(age("90s"), Ok(SignedDuration::from_secs(90)));
        assert_eq!(age("7d"), Ok(SignedDuration::from_hours(168)));
        for wrong in ["", "h", "8d", "1w", "-1h", "1.5h", "99999999999999d", "5é"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
    }
}
