//! Where one provider's administration is spoken to: who asks, where, and what an answer settles. Reads may be repeated;
//! what changes something is sent once.

use serde_json::Value;
use zeroize::Zeroizing;

use super::super::{Needs, Outcome, World};
use super::{Call, Leaked};
use crate::net::{Answer, Header, Method, NetError, Request};
use crate::secret::Secret;

/// A provider's administration, as its own file declares it.
pub(in crate::respond::actions) struct Service {
    /// The provider, as detectors and settings name it.
    pub(in crate::respond::actions) provider: &'static str,
    /// The name under which `--endpoint NAME=URL` asks another address.
    pub(in crate::respond::actions) endpoint: &'static str,
    /// Where it is.
    pub(in crate::respond::actions) place: Place,
    /// As whom it is asked.
    pub(in crate::respond::actions) voice: Voice,
    /// How the credential is shown.
    pub(in crate::respond::actions) login: Login,
    /// Headers that every request carries.
    pub(in crate::respond::actions) headers: &'static [(&'static str, &'static str)],
}

impl Service {
    /// With whose means it is asked.
    pub(in crate::respond::actions) fn needs(&self) -> Needs {
        match self.voice {
            Voice::Admin => Needs::Admin(self.provider),
            Voice::Leaked | Voice::Anyone => Needs::Owned(self.provider),
        }
    }
}

/// More of a provider's words than this is not kept.
const LONGEST: usize = 250;

/// Where a service is.
pub(in crate::respond::actions) enum Place {
    /// At one address for everyone.
    Fixed(&'static str),
    /// Where the operator runs it: `address` in the settings.
    Operators,
    /// At the host that was found with the credential, within the rules for such hosts.
    Found(&'static str),
}

/// As whom a service is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::respond::actions) enum Voice {
    /// The responder, with the credential of the settings.
    Admin,
    /// The leaked credential speaks for itself.
    Leaked,
    /// Anyone may ask.
    Anyone,
}

/// How a credential is shown.
pub(in crate::respond::actions) enum Login {
    /// `Authorization: SCHEME VALUE`.
    Scheme(&'static str),
    /// `Authorization: Basic` with `id:secret`.
    Basic,
    /// A header of its own.
    Header(&'static str),
    /// Not in a header.
    None,
}

/// What stood between a question and its answer.
#[derive(Debug)]
pub(in crate::respond) enum Trouble {
    /// The service says no.
    Refused { status: u16, why: String },
    /// It says that there is no such thing.
    Absent,
    /// It did not work, and nothing was changed.
    Failed(String),
    /// Nobody can tell.
    Unknown(String),
}

impl Trouble {
    /// In words.
    pub(in crate::respond) fn why(self) -> String {
        match self {
            Self::Absent => "it is not there".to_owned(),
            Self::Refused { why, .. } | Self::Failed(why) | Self::Unknown(why) => why,
        }
    }

    /// What it makes of an attempt that has changed nothing yet.
    pub(in crate::respond::actions) fn settles(self) -> Outcome {
        match self {
            Self::Refused { why, .. } => Outcome::Refused(why),
            Self::Unknown(why) => Outcome::Unknown(why),
            Self::Absent | Self::Failed(_) => Outcome::Failed(self.why()),
        }
    }
}

impl From<Trouble> for Outcome {
    fn from(trouble: Trouble) -> Self {
        trouble.settles()
    }
}

impl From<NetError> for Trouble {
    fn from(error: NetError) -> Self {
        match error {
            // A request may have gone out before these.
            NetError::Timeout(_) | NetError::Protocol(_) | NetError::Closed(_) | NetError::Garbled(_) => {
                Self::Unknown(error.to_string())
            }
            _ => Self::Failed(error.to_string()),
        }
    }
}

/// A service, and who asks it.
pub(in crate::respond::actions) struct Desk<'w> {
    pub(in crate::respond::actions) world: &'w World<'w>,
    service: &'static Service,
    origin: String,
    /// Whose voice it is.
    value: Option<&'w Secret>,
}

impl<'w> Desk<'w> {
    /// Opens a desk. Asks nothing.
    pub(in crate::respond::actions) fn open(
        world: &'w World<'w>,
        service: &'static Service,
        leaked: Option<&'w Leaked>,
    ) -> Result<Self, Trouble> {
        let refused = |why: String| Trouble::Refused { status: 0, why };
        let value = match service.voice {
            Voice::Anyone => None,
            Voice::Admin => {
                let admin = world.hands.admin.as_ref();
                Some(&admin.ok_or_else(|| refused(super::missing(service.provider, world.hands)))?.value)
            }
            Voice::Leaked => Some(leaked.ok_or_else(|| refused(super::GONE.to_owned()))?.value()),
        };
        let origin = origin(world, service, leaked).map_err(refused)?;
        Ok(Self { world, service, origin, value })
    }

    /// The same desk, spoken to by another: who was let in a moment ago.
    pub(in crate::respond::actions) fn spoken_to_by(self, value: &'w Secret) -> Self {
        Self { value: Some(value), ..self }
    }

    /// Whether the leaked credential speaks: once it is stopped, it is refused.
    pub(in crate::respond::actions) fn speaks_as_leaked(&self) -> bool {
        self.service.voice == Voice::Leaked
    }

    /// Reads.
    pub(in crate::respond::actions) async fn get(&self, path: &str) -> Result<Value, Trouble> {
        self.ask(Call::new(Method::Get, path)).await
    }

    /// Reads by another method. Repeated where that is good manners.
    pub(in crate::respond::actions) async fn ask(&self, call: Call) -> Result<Value, Trouble> {
        let answer = self.world.hands.net.send(&self.request(call)?).await?;
        match settled(&answer).map_err(|trouble| self.clean(trouble))? {
            Value::Null => Err(Trouble::Unknown(format!("HTTP {} without the JSON that is documented", answer.status))),
            json => Ok(json),
        }
    }

    /// Changes something: one request.
    pub(in crate::respond::actions) async fn act(&self, call: Call) -> Result<Value, Trouble> {
        let answer = self.world.hands.net.act(&self.request(call)?).await?;
        settled(&answer).map_err(|trouble| self.clean(trouble))
    }

    /// A provider may repeat what it was asked about. Cut only then: half a secret is not recognised any more.
    fn clean(&self, trouble: Trouble) -> Trouble {
        let scrubber = self.world.hands.scrubber(&self.world.plan.fingerprint);
        let clean = |why: String| scrubber.scrub(&why).chars().take(LONGEST).collect();
        match trouble {
            Trouble::Refused { status, why } => Trouble::Refused { status, why: clean(why) },
            Trouble::Failed(why) => Trouble::Failed(clean(why)),
            Trouble::Unknown(why) => Trouble::Unknown(clean(why)),
            Trouble::Absent => Trouble::Absent,
        }
    }

    fn request(&self, call: Call) -> Result<Request, Trouble> {
        let url = format!("{}{}", self.origin, call.path).parse();
        let url = url.map_err(|_| Trouble::Failed("the request's address cannot be written".to_owned()))?;
        let mut headers: Vec<Header> = self.service.headers.iter().map(|(name, value)| header(name, value)).collect();
        if call.body.is_some() {
            let kind = if call.form { "application/x-www-form-urlencoded" } else { "application/json" };
            headers.push(header("content-type", kind));
        }
        if let Some(value) = self.value {
            headers.extend(login(&self.service.login, value)?);
        }
        Ok(Request { method: call.method, url, headers, body: call.body })
    }
}

fn header(name: &str, value: &str) -> Header {
    Header { name: name.to_owned(), value: Zeroizing::new(value.as_bytes().to_vec()) }
}

fn login(login: &Login, value: &Secret) -> Result<Option<Header>, Trouble> {
    let text = value.expose_str().map(str::trim);
    let text = text.ok_or_else(|| Trouble::Failed("the credential is not text".to_owned()))?;
    let value = match login {
        Login::None => return Ok(None),
        Login::Header(name) => return Ok(Some(header(name, text))),
        Login::Scheme(scheme) => Zeroizing::new(format!("{scheme} {text}")),
        Login::Basic => Zeroizing::new(format!("Basic {}", data_encoding::BASE64.encode(text.as_bytes()))),
    };
    Ok(Some(header("authorization", &value)))
}

/// Scheme, host and port, and what stands before every path.
fn origin(world: &World<'_>, service: &Service, leaked: Option<&Leaked>) -> Result<String, String> {
    let net = &world.hands.net;
    if let Some(url) = net.endpoint(service.endpoint) {
        return Ok(url.as_str().trim_end_matches('/').to_owned());
    }
    match service.place {
        Place::Fixed(origin) => Ok(origin.to_owned()),
        Place::Operators => Err(format!(
            "where it is is not known; give {} an `address` under [[responder.provider]] in the settings file",
            service.provider
        )),
        Place::Found(part) => {
            let host = leaked.ok_or_else(|| super::GONE.to_owned())?.part(part)?;
            let suffixes = world.hands.detector.as_ref().and_then(|detector| {
                detector.parts.iter().find(|spec| &*spec.name == part).map(|spec| spec.hosts.as_slice())
            });
            let host = host.to_ascii_lowercase();
            net.check_content_host(&host, suffixes.unwrap_or_default()).map_err(|error| error.to_string())?;
            Ok(format!("https://{host}"))
        }
    }
}

/// What an answer settles. A page for people is never the provider's word, whatever its status; `Null` where a success has
/// no body.
pub(in crate::respond) fn settled(answer: &Answer) -> Result<Value, Trouble> {
    let status = answer.status;
    let body = answer.body.trim_ascii();
    let json: Option<Value> = if answer.truncated { None } else { serde_json::from_slice(body).ok() };
    if body.starts_with(b"<") || answer.truncated {
        return Err(Trouble::Unknown(format!("HTTP {status} with what is not the provider's word")));
    }
    let why = words(status, json.as_ref());
    match status {
        200..=299 => Ok(json.unwrap_or(Value::Null)),
        401 | 403 => Err(Trouble::Refused { status, why }),
        404 | 410 if json.is_some() => Err(Trouble::Absent),
        429 => Err(Trouble::Failed(format!("{why}: it asks for a pause; `respond resume` tries again"))),
        400..=499 if json.is_some() => Err(Trouble::Failed(why)),
        300..=399 => Err(Trouble::Unknown(format!("HTTP {status}: a redirect, which is not followed"))),
        _ => Err(Trouble::Unknown(why)),
    }
}

/// The provider's own words, for people, as they came.
fn words(status: u16, json: Option<&Value>) -> String {
    let places =
        ["/error/message", "/error/code", "/message", "/error_description", "/errors/0/message", "/errors/0", "/error"];
    let said = json.and_then(|json| places.iter().find_map(|place| json.pointer(place)?.as_str()));
    match said {
        Some(said) => format!("HTTP {status}: {said}"),
        None => format!("HTTP {status}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Trouble, settled};
    use crate::net::Answer;

    fn says(status: u16, body: &str) -> Result<serde_json::Value, Trouble> {
        settled(&Answer {
            status,
            headers: reqwest::header::HeaderMap::default(),
            body: zeroize::Zeroizing::new(body.as_bytes().to_vec()),
            truncated: false,
        })
    }

    #[test]
    fn only_the_providers_own_words_settle_anything() {
        assert!(matches!(says(204, ""), Ok(serde_json::Value::Null)));
        assert!(matches!(says(404, "{}"), Err(Trouble::Absent)));
        for (status, body) in
            [(404, "<html>"), (404, ""), (200, "<p>sign in"), (403, "<h1>WAF"), (302, ""), (500, "{}"), (503, "")]
        {
            assert!(matches!(says(status, body), Err(Trouble::Unknown(_))), "{status} {body}");
        }
        for (status, body) in [(401, "{}"), (403, "")] {
            assert!(matches!(says(status, body), Err(Trouble::Refused { .. })), "{status} {body}");
        }
        for (status, body) in [(429, ""), (400, "{\"message\":\"no\"}"), (409, "{}")] {
            assert!(matches!(says(status, body), Err(Trouble::Failed(_))), "{status} {body}");
        }
    }
}
