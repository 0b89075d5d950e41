//! A request to a provider's administration, before it is known where that is and who asks.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::net::Method;

/// A request to a service.
pub(in crate::respond::actions) struct Call {
    pub(in crate::respond::actions) method: Method,
    pub(in crate::respond::actions) path: String,
    pub(in crate::respond::actions) body: Option<Zeroizing<Vec<u8>>>,
    pub(in crate::respond::actions) form: bool,
}

impl Call {
    /// One without a body.
    pub(in crate::respond::actions) fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), body: None, form: false }
    }

    /// The same with JSON.
    #[must_use]
    pub(in crate::respond::actions) fn json(mut self, body: &Value) -> Self {
        self.body = Some(Zeroizing::new(body.to_string().into_bytes()));
        self
    }

    /// The same with `{"NAME": SECRET}`, or `{"NAME": [SECRET]}`. No copy of the secret outlives the request.
    #[must_use]
    pub(in crate::respond::actions) fn holding(mut self, name: &str, secret: &str, listed: bool) -> Self {
        let mut body = Zeroizing::new(Vec::with_capacity(name.len() + 2 * secret.len() + 16));
        let (open, close) = if listed { ("[", "]}") } else { ("", "}") };
        body.extend_from_slice(format!("{{{}:{open}", Value::from(name)).as_bytes());
        // Writing text into memory does not fail.
        let _ = serde_json::to_writer(&mut *body, secret);
        body.extend_from_slice(close.as_bytes());
        self.body = Some(body);
        self
    }

    /// The same with an object of texts, of which some are secret.
    #[must_use]
    pub(in crate::respond::actions) fn with(mut self, members: &[(&str, &str)]) -> Self {
        let room = members.iter().map(|(name, text)| name.len() + 2 * text.len() + 8).sum::<usize>();
        let mut body = Zeroizing::new(Vec::with_capacity(room + 2));
        for (at, (name, text)) in members.iter().enumerate() {
            body.push(if at == 0 { b'{' } else { b',' });
            // Writing text into memory does not fail.
            let _ = serde_json::to_writer(&mut *body, name);
            body.push(b':');
            let _ = serde_json::to_writer(&mut *body, text);
        }
        body.push(b'}');
        self.body = Some(body);
        self
    }

    /// The same with `NAME=SECRET`, as forms are sent.
    #[must_use]
    pub(in crate::respond::actions) fn form(mut self, name: &str, secret: &str) -> Self {
        self.body = Some(Zeroizing::new(format!("{name}={}", segment(secret)).into_bytes()));
        self.form = true;
        self
    }
}

/// A piece of a path or a form that cannot become another.
pub(in crate::respond::actions) fn segment(text: &str) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(text, KEPT).to_string()
}

#[cfg(test)]
mod tests {
    use super::{Call, Method, segment};

    #[test]
    fn bodies_are_written_as_they_must_be() {
        let body = |call: Call| String::from_utf8(call.body.expect("a body").to_vec()).expect("text");
        let call = || Call::new(Method::Post, "/x");
        assert_eq!(body(call().holding("key", "a\"b", false)), "{\"key\":\"a\\\"b\"}");
        assert_eq!(body(call().holding("credentials", "ab", true)), "{\"credentials\":[\"ab\"]}");
        assert_eq!(body(call().with(&[("a", "b\"c"), ("d", "e")])), "{\"a\":\"b\\\"c\",\"d\":\"e\"}");
        assert_eq!(body(call().form("token", "a&b=c")), "token=a%26b%3Dc");
        assert_eq!(segment("../a?b"), "..%2Fa%3Fb");
    }
}
