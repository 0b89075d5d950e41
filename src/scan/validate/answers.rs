//! Answers of before: which of them still count, and which of the new ones are kept.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use ring::digest::{Context, SHA256};

use crate::model::{Checked, Credential, Finding};
use crate::secret::FingerprintKey;
use crate::store::{Answer, Store};

/// Where answers are kept and how old they may be.
#[derive(Debug)]
pub struct Answers<'a> {
    /// The state folder's.
    pub store: Store,
    /// Under which parts are named in questions.
    pub key: &'a FingerprintKey,
    /// Older ones are asked for again. Zero or less: all.
    pub max_age: SignedDuration,
}

/// The answers of one run.
pub(super) struct Kept<'a> {
    answers: Option<Answers<'a>>,
    /// The program's version and addresses that are asked instead of the providers' own.
    circumstances: String,
    since: Timestamp,
    now: Timestamp,
    /// What each group asks.
    questions: HashMap<usize, String>,
    new: Vec<Answer>,
    pub(super) remembered: usize,
    pub(super) trouble: Option<String>,
}

impl<'a> Kept<'a> {
    pub(super) fn new(answers: Option<Answers<'a>>, detours: &str, now: Timestamp) -> Self {
        let circumstances = format!("{}\n{detours}", env!("CARGO_PKG_VERSION"));
        let since = answers.as_ref().and_then(|answers| now.checked_sub(answers.max_age).ok()).unwrap_or(now);
        let (questions, new) = (HashMap::new(), Vec::new());
        Self { answers, circumstances, since, now, questions, new, remembered: 0, trouble: None }
    }

    /// What was said of this group before, if it still counts.
    pub(super) fn known(&mut self, number: usize, detector: (&str, &str), variants: &[Credential]) -> Option<Checked> {
        let answers = self.answers.as_ref()?;
        let question = question(&self.circumstances, detector, (variants, answers.key));
        let known =
            if answers.max_age.is_positive() { answers.store.answer(&question, (self.since, self.now)) } else { Ok(None) };
        self.questions.insert(number, question);
        let known = known.unwrap_or_else(|error| {
            self.trouble = Some(error.to_string());
            None
        });
        self.remembered += usize::from(known.is_some());
        known
    }

    /// Takes note of an answer.
    pub(super) fn note(&mut self, number: usize, finding: &Finding) {
        if let Some(question) = self.questions.remove(&number) {
            let (fingerprint, checked) = (finding.fingerprint, finding.liveness.clone());
            self.new.push(Answer { question, fingerprint, checked });
        }
    }

    /// Writes what was noted.
    pub(super) fn keep(&mut self, now: Timestamp) {
        let new = std::mem::take(&mut self.new);
        // What failed once keeps the scan waiting no second time.
        if let Some(answers) = self.answers.as_mut().filter(|_| !new.is_empty() && self.trouble.is_none())
            && let Err(error) = answers.store.keep_answers(&new, now)
        {
            self.trouble = Some(error.to_string());
        }
    }
}

/// What is asked, as a digest: the circumstances, the detector and its file, and the candidates' parts by their fingerprints.
fn question(circumstances: &str, (id, text): (&str, &str), (variants, key): (&[Credential], &FingerprintKey)) -> String {
    let mut context = Context::new(&SHA256);
    // Each behind its length, so that no two questions are written alike.
    let mut add = |bytes: &[u8]| {
        context.update(&(bytes.len() as u64).to_be_bytes());
        context.update(bytes);
    };
    for text in [circumstances, id, text] {
        add(text.as_bytes());
    }
    for variant in variants {
        add(b"variant");
        for part in &variant.parts {
            add(part.name.as_bytes());
            add(key.fingerprint(part.value.expose()).to_string().as_bytes());
        }
    }
    data_encoding::HEXLOWER.encode(context.finish().as_ref())
}
