//! Stores that are spoken to over HTTP, and bodies that hold secrets: wiped after use, never a JSON value on the way.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use super::StoreAt;
use crate::net::{Header, Method, Request};
use crate::respond::actions::{Trouble, settled};
use crate::respond::{Admin, Hands};
use crate::secret::Secret;

/// A body without a secret.
pub(super) fn body(json: &Value) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(json.to_string().into_bytes())
}

/// An object with some more members, whose values are secrets.
pub(super) fn quoted(head: &Value, secrets: &[(&str, &Secret)]) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    let mut members = Vec::new();
    for (name, value) in secrets {
        let text = value.expose_str().ok_or_else(|| Trouble::Failed("the value is not text".to_owned()))?;
        // Twice as long where every character is escaped; control characters, six times, are in no secret.
        let mut json = Zeroizing::new(Vec::with_capacity(2 * text.len() + 2));
        // Writing text into memory does not fail.
        let _ = serde_json::to_writer(&mut *json, text);
        members.push((*name, json));
    }
    Ok(with(head, &members))
}

/// An object with some more members, which are JSON already.
pub(super) fn with(head: &Value, members: &[(&str, Zeroizing<Vec<u8>>)]) -> Zeroizing<Vec<u8>> {
    let head = head.to_string();
    let room = head.len() + members.iter().map(|(name, json)| name.len() + json.len() + 8).sum::<usize>();
    let mut out = Zeroizing::new(Vec::with_capacity(room));
    out.extend_from_slice(head.strip_suffix('}').unwrap_or(&head).as_bytes());
    for (name, json) in members {
        if out.last() != Some(&b'{') {
            out.push(b',');
        }
        out.extend_from_slice(Value::from(*name).to_string().as_bytes());
        out.push(b':');
        out.extend_from_slice(json);
    }
    out.push(b'}');
    out
}

/// A piece of a path that cannot become another.
pub(super) fn segment(text: &str) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(text, KEPT).to_string()
}

/// A service, and how one speaks to it.
pub(super) struct Wire {
    /// The name under which `--endpoint NAME=URL` asks another address.
    pub(super) endpoint: &'static str,
    /// Where it is for everyone, if it is.
    pub(super) usual: Option<&'static str>,
    /// Where the operator says it is.
    pub(super) address: Option<Url>,
    pub(super) credential: Option<Admin>,
    /// The header that shows the credential, and what stands before it there.
    pub(super) login: (&'static str, &'static str),
    pub(super) headers: &'static [(&'static str, &'static str)],
}

impl Wire {
    /// As the operator lists it.
    pub(super) fn at(at: &StoreAt, (endpoint, usual): (&'static str, Option<&'static str>)) -> Self {
        let credential =
            at.credential.as_ref().map(|admin| Admin { from: admin.from.clone(), value: admin.value.duplicate() });
        Self { endpoint, usual, address: at.address.clone(), credential, login: ("authorization", "Bearer "), headers: &[] }
    }

    fn request(
        &self,
        hands: &Hands,
        (method, path): (Method, &str),
        body: Option<(&str, Zeroizing<Vec<u8>>)>,
    ) -> Result<Request, Trouble> {
        let refused = |why: &str| Trouble::Refused { status: 0, why: why.to_owned() };
        let origin = hands.net.endpoint(self.endpoint).or(self.address.as_ref()).map(Url::as_str).or(self.usual);
        let origin =
            origin.ok_or_else(|| refused("where it is is not known; give the store an `address` in the settings file"))?;
        let url = format!("{}{path}", origin.trim_end_matches('/')).parse();
        let url = url.map_err(|_| Trouble::Failed("the request's address cannot be written".to_owned()))?;
        let missing = "no credential to act with; give the store a `credential` in the settings file";
        let credential = self.credential.as_ref().ok_or_else(|| refused(missing))?;
        let text = credential.value.expose_str().map(str::trim);
        let text = text.ok_or_else(|| Trouble::Failed("the credential is not text".to_owned()))?;
        let header =
            |name: &str, value: &str| Header { name: name.to_owned(), value: Zeroizing::new(value.as_bytes().to_vec()) };
        let mut headers: Vec<Header> = self.headers.iter().map(|(name, value)| header(name, value)).collect();
        let (name, scheme) = self.login;
        headers.push(header(name, &Zeroizing::new(format!("{scheme}{text}"))));
        let body = body.map(|(kind, body)| {
            headers.push(header("content-type", kind));
            body
        });
        Ok(Request { method, url, headers, body })
    }

    /// Reads; the answer's body.
    pub(super) async fn get(&self, hands: &Hands, path: &str) -> Result<Zeroizing<Vec<u8>>, Trouble> {
        let request = self.request(hands, (Method::Get, path), None)?;
        said(hands.net.send(&request).await?)
    }

    /// Changes something: one request.
    pub(super) async fn act(
        &self,
        hands: &Hands,
        what: (Method, &str),
        body: (&str, Zeroizing<Vec<u8>>),
    ) -> Result<Zeroizing<Vec<u8>>, Trouble> {
        let request = self.request(hands, what, Some(body))?;
        said(hands.net.act(&request).await?)
    }
}

/// The body of a success. Of anything else only the number goes on: whoever refuses a body may repeat it.
fn said(answer: crate::net::Answer) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    let page = answer.body.trim_ascii_start().starts_with(b"<");
    if (200..300).contains(&answer.status) && !answer.truncated && !page {
        return Ok(answer.body);
    }
    let (status, short) = (answer.status, format!("HTTP {}", answer.status));
    Err(match settled(&answer) {
        Err(Trouble::Absent) => Trouble::Absent,
        Err(Trouble::Refused { .. }) => {
            Trouble::Refused { status, why: format!("{short}: it does not take the store's credential, or not for this") }
        }
        Err(Trouble::Failed(_)) if matches!(status, 409 | 412) => {
            Trouble::Failed(format!("{short}: somebody changed it just now"))
        }
        Err(Trouble::Failed(_)) => Trouble::Failed(short),
        Err(Trouble::Unknown(_)) | Ok(_) => Trouble::Unknown(short),
    })
}

/// What a body says, where it says what is documented.
pub(super) fn parsed<'b, T: serde::Deserialize<'b>>(body: &'b [u8]) -> Result<T, Trouble> {
    serde_json::from_slice(body).map_err(|_| Trouble::Unknown("the answer is not as it is documented".to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::quoted;
    use crate::secret::Secret;

    #[test]
    fn secrets_are_quoted_into_their_object() {
        let body = |head, text: &str| {
            let body = quoted(&head, &[("S", &Secret::new(text.as_bytes()))]).expect("text");
            String::from_utf8(body.to_vec()).expect("text")
        };
        assert_eq!(body(json!({}), "a\"b"), "{\"S\":\"a\\\"b\"}");
        assert_eq!(body(json!({ "n": { "m": 1 } }), "x"), "{\"n\":{\"m\":1},\"S\":\"x\"}", "only its own brace");
    }
}
