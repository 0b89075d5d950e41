//! One question to a running system over HTTP, as the operator's own reader: what is asked, and what keeps it from being answered.
//! Nothing is changed; what came is wiped when it has been looked at.

use serde_json::Value;
use zeroize::Zeroizing;

use super::board::wipe;
use crate::net::{Answer, Header, Method, Net, Request};
use crate::ownership::roll::clean;
use crate::secret::Secret;

/// More of a path than this is not shown.
const SHOWN: usize = 120;

/// A system, and as whom it is asked.
pub(super) struct Asker<'a> {
    pub(super) net: &'a Net,
    /// Scheme, host, port, and what stands before every path.
    pub(super) origin: String,
    /// The header that shows the credential, and what stands before it there.
    pub(super) login: (&'static str, &'static str),
    pub(super) credential: &'a Secret,
    /// Headers that every request carries.
    pub(super) headers: &'static [(&'static str, &'static str)],
}

/// JSON that may hold secrets.
#[derive(Debug)]
pub(super) struct Json(Value);

impl From<Value> for Json {
    fn from(json: Value) -> Self {
        Self(json)
    }
}

impl std::ops::Deref for Json {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}

impl Drop for Json {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Missed {
    /// There is no such thing.
    Absent,
    /// It may not be asked.
    Refused(String),
    /// It did not work.
    Failed(String),
}

impl Missed {
    /// In words. `allow` says what to allow where it was refused.
    pub(super) fn words(self, allow: &str) -> String {
        match self {
            Self::Absent => "there is no such thing".to_owned(),
            Self::Refused(what) => format!("{what}: {allow}"),
            Self::Failed(why) => why,
        }
    }
}

impl Asker<'_> {
    /// Reads.
    pub(super) async fn get(&self, path: &str) -> Result<Json, Missed> {
        self.ask(Method::Get, path, None).await
    }

    /// Reads by a request with a body.
    pub(super) async fn post(&self, path: &str, body: Zeroizing<Vec<u8>>) -> Result<Json, Missed> {
        self.ask(Method::Post, path, Some(body)).await
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Zeroizing<Vec<u8>>>) -> Result<Json, Missed> {
        let failed = |why: &str| Missed::Failed(format!("{}: {why}", shown(path)));
        let url = format!("{}{path}", self.origin).parse().map_err(|_| failed("the address cannot be written"))?;
        let login = self.credential.expose_str().ok_or_else(|| failed("the credential is not text"))?;
        let login = Zeroizing::new(format!("{}{}", self.login.1, login.trim()));
        let header =
            |name: &str, value: &str| Header { name: name.to_owned(), value: Zeroizing::new(value.as_bytes().to_vec()) };
        let mut headers = vec![header(self.login.0, &login)];
        headers.extend(self.headers.iter().map(|(name, value)| header(name, value)));
        if body.is_some() {
            headers.push(header("content-type", "application/json"));
        }
        let sent = self.net.send(&Request { method, url, headers, body }).await;
        settled(path, &sent.map_err(|error| failed(&error.to_string()))?)
    }
}

/// What an answer settles. Its words are left out: they may repeat what was sent.
fn settled(path: &str, answer: &Answer) -> Result<Json, Missed> {
    let status = answer.status;
    let json = if answer.truncated { None } else { serde_json::from_slice(&answer.body).ok().map(Json) };
    let failed = |why: String| Err(Missed::Failed(format!("{}: {why}", shown(path))));
    match (status, json) {
        (_, _) if answer.truncated => failed("it answered with more than can be read".to_owned()),
        (200..=299, Some(json)) => Ok(json),
        (200..=299, None) => failed("it gave an answer that is no JSON".to_owned()),
        (404, Some(_)) => Err(Missed::Absent),
        (401 | 403, _) => Err(Missed::Refused(format!("{} was refused (HTTP {status})", shown(path)))),
        _ => failed(format!("HTTP {status}")),
    }
}

/// A path for people: without its query, and not endless.
fn shown(path: &str) -> String {
    clean(path.split('?').next().unwrap_or_default()).chars().take(SHOWN).collect()
}

/// Text at a pointer.
pub(super) fn text<'v>(json: &'v Value, pointer: &str) -> Option<&'v str> {
    json.pointer(pointer)?.as_str().filter(|text| !text.is_empty())
}

/// The items of a list at a pointer; none where there is no list.
pub(super) fn items<'v>(json: &'v Value, pointer: &str) -> &'v [Value] {
    json.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::{Missed, settled};
    use crate::net::Answer;

    #[test]
    fn only_json_is_an_answer_and_a_refusal_is_not_absence() {
        let says = |status, body: &str, truncated| {
            let (headers, body) = (reqwest::header::HeaderMap::default(), zeroize::Zeroizing::new(body.as_bytes().to_vec()));
            settled("/v1/x?q=1", &Answer { status, headers, body, truncated })
        };
        assert!(says(200, "{}", false).is_ok());
        assert_eq!(says(404, "{}", false).expect_err("absent"), Missed::Absent);
        for (status, body) in [(403, "{}"), (401, "")] {
            let refused = says(status, body, false).expect_err("refused");
            let words = refused.words("give it `read` there");
            assert_eq!(words, format!("/v1/x was refused (HTTP {status}): give it `read` there"));
        }
        for (status, body, truncated) in
            [(200, "<html>", false), (404, "<html>", false), (500, "{}", false), (200, "{}", true)]
        {
            assert!(matches!(says(status, body, truncated), Err(Missed::Failed(_))), "{status} {body}");
        }
    }
}
