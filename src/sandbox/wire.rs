//! What crosses the wire: parameters of the query protocol, its XML, its errors, and a reply of either provider.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::keys::NoRandom;

/// A whole request, body included.
pub(super) type Request = http::Request<Vec<u8>>;

/// What goes back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    /// The provider's code when this is a refusal.
    pub(super) error: Option<String>,
}

impl Reply {
    pub(super) fn new(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, content_type, headers: Vec::new(), body: body.into(), error: None }
    }

    pub(super) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }
}

/// The two services of the query protocol that live here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Iam,
    Sts,
}

impl Service {
    pub(super) fn from_scope(name: &str) -> Option<Self> {
        match name {
            "iam" => Some(Self::Iam),
            "sts" => Some(Self::Sts),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Iam => "iam",
            Self::Sts => "sts",
        }
    }

    pub(super) fn version(self) -> &'static str {
        match self {
            Self::Iam => "2010-05-08",
            Self::Sts => "2011-06-15",
        }
    }

    fn namespace(self) -> String {
        format!("https://{}.amazonaws.com/doc/{}/", self.name(), self.version())
    }
}

/// An error of the query protocol.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(super) fn missing(parameter: &str) -> Self {
        Self::invalid(format!(
            "1 validation error detected: Value null at '{parameter}' failed to satisfy constraint: Member must not be null"
        ))
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "ValidationError", message)
    }

    pub(super) fn no_such(message: impl Into<String>) -> Self {
        Self::new(404, "NoSuchEntity", message)
    }

    pub(super) fn limit(message: impl Into<String>) -> Self {
        Self::new(409, "LimitExceeded", message)
    }

    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self::new(409, "DeleteConflict", message)
    }

    pub(super) fn bad_token() -> Self {
        Self::new(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
    }

    /// The whole reply, in the form that the client asked for.
    pub(super) fn reply(&self, service: Service, request_id: &str, as_json: bool) -> Reply {
        let kind = if self.status < 500 { "Sender" } else { "Receiver" };
        let mut reply = if as_json {
            let error = json!({ "Type": kind, "Code": self.code, "Message": self.message });
            Reply::json(self.status, &json!({ "Error": error, "RequestId": request_id }))
        } else {
            let mut xml = Xml::default();
            xml.nest("Error", |error| {
                error.leaf("Type", kind).leaf("Code", self.code).leaf("Message", &self.message);
            });
            xml.leaf("RequestId", request_id);
            Reply::new(self.status, "text/xml", xml.wrap("ErrorResponse", service))
        };
        reply.error = Some(self.code.to_owned());
        reply
    }
}

impl From<NoRandom> for Refusal {
    fn from(_: NoRandom) -> Self {
        Self::new(500, "ServiceFailure", "The operating system gave no random numbers.")
    }
}

/// XML as it is written: leaves, and elements that hold others.
#[derive(Debug, Default)]
pub(super) struct Xml(String);

impl Xml {
    pub(super) fn leaf(&mut self, name: &str, text: &str) -> &mut Self {
        self.0.extend(["<", name, ">"]);
        for c in text.chars() {
            match c {
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '&' => self.0.push_str("&amp;"),
                // XML 1.0 has no spelling for these at all.
                c if c.is_control() && !matches!(c, '\t' | '\n' | '\r') => self.0.push('?'),
                '\u{fffe}' | '\u{ffff}' => self.0.push('?'),
                c => self.0.push(c),
            }
        }
        self.0.extend(["</", name, ">"]);
        self
    }

    pub(super) fn nest(&mut self, name: &str, fill: impl FnOnce(&mut Self)) -> &mut Self {
        self.0.extend(["<", name, ">"]);
        fill(self);
        self.0.extend(["</", name, ">"]);
        self
    }

    /// A list: one `member` for each item.
    pub(super) fn list<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut fill: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        self.nest(name, |list| {
            for item in items {
                list.nest("member", |member| fill(member, item));
            }
        })
    }

    /// A list of texts.
    pub(super) fn texts<'a>(&mut self, name: &str, items: impl IntoIterator<Item = &'a str>) -> &mut Self {
        self.nest(name, |list| {
            for item in items {
                list.leaf("member", item);
            }
        })
    }

    /// An answer: `XResponse` around `XResult` (left out when there is nothing to say) and the request's id.
    pub(super) fn answer(self, action: &str, service: Service, request_id: &str) -> String {
        let mut whole = Self::default();
        if !self.0.is_empty() {
            whole.nest(&format!("{action}Result"), |result| result.0.push_str(&self.0));
        }
        whole.nest("ResponseMetadata", |meta| {
            meta.leaf("RequestId", request_id);
        });
        whole.wrap(&format!("{action}Response"), service)
    }

    fn wrap(&self, name: &str, service: Service) -> String {
        format!("<{name} xmlns=\"{}\">{}</{name}>", service.namespace(), self.0)
    }
}

/// A moment as AWS writes it: UTC, whole seconds.
pub(super) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The parameters of a query-protocol request, from the body and from the URL.
#[derive(Debug, Default)]
pub(super) struct Params(BTreeMap<String, String>);

impl Params {
    pub(super) fn read(request: &Request) -> Self {
        let query = request.uri().query().unwrap_or_default().as_bytes();
        let pairs = url::form_urlencoded::parse(query).chain(url::form_urlencoded::parse(request.body()));
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn need(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).filter(|value| !value.is_empty()).ok_or_else(|| Refusal::missing(&camel(name)))
    }

    /// `PREFIX.member.1`, `.2`, … as far as they go without a gap.
    pub(super) fn members(&self, prefix: &str) -> Vec<&str> {
        (1..).map_while(|n| self.get(&format!("{prefix}.member.{n}"))).collect()
    }

    /// `PREFIX.member.N.FIRST` with `PREFIX.member.N.SECOND`.
    pub(super) fn pairs(&self, prefix: &str, first: &str, second: &str) -> Vec<(&str, &str)> {
        (1..)
            .map_while(|n| {
                let first = self.get(&format!("{prefix}.member.{n}.{first}"))?;
                Some((first, self.get(&format!("{prefix}.member.{n}.{second}")).unwrap_or_default()))
            })
            .collect()
    }
}

/// `UserName` as AWS's validation messages write it: `userName`.
fn camel(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::{Params, Refusal, Request, Service, Xml};

    #[test]
    fn text_cannot_break_out_of_its_element() {
        let mut xml = Xml::default();
        xml.leaf("A", "</A><B>&\u{1}");
        assert_eq!(
            xml.answer("Do", Service::Iam, "id"),
            "<DoResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><DoResult><A>&lt;/A&gt;&lt;B&gt;&amp;?</A>\
             </DoResult><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></DoResponse>"
        );
    }

    #[test]
    fn parameters_come_from_the_body_and_the_url() {
        let body = b"UserName=a%2Bb&Tags.member.1.Key=k&Tags.member.1.Value=v&Tags.member.3.Key=z&L.member.1=x".to_vec();
        let mut request = Request::new(body);
        *request.uri_mut() = "/?Action=GetUser".parse().expect("uri");
        let params = Params::read(&request);
        assert_eq!(params.get("Action"), Some("GetUser"));
        assert_eq!(params.get("UserName"), Some("a+b"));
        assert_eq!(params.pairs("Tags", "Key", "Value"), [("k", "v")]);
        assert_eq!(params.members("L"), ["x"]);
        let missing = params.need("PolicyName").expect_err("absent");
        assert!(missing.message.contains("'policyName'"), "{}", missing.message);
    }

    #[test]
    fn a_refusal_speaks_the_form_asked_for() {
        let refusal = Refusal::bad_token();
        let json = refusal.reply(Service::Sts, "r", true);
        assert_eq!((json.status, json.content_type), (403, "application/json"));
        let xml = String::from_utf8(refusal.reply(Service::Sts, "r", false).body).expect("text");
        assert!(xml.contains("<Error><Type>Sender</Type><Code>InvalidClientTokenId</Code>"), "{xml}");
    }
}
