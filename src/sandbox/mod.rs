//! An embedded provider on loopback: IAM and STS in the wire protocol that unchanged AWS SDK clients speak, and one LLM
//! provider's model list and key administration. For the demo, drills and tests; honest where AWS is: it verifies
//! signatures, refuses what AWS refuses, and enforces inline policies. It keeps everything in memory.

mod iam;
mod keys;
mod llm;
mod policy;
mod server;
mod sigv4;
mod state;
mod sts;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::Clock;
use crate::secret::Secret;

use state::State;
use wire::{Params, Refusal, Reply, Request, Service};

/// The sandbox could not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// No port on loopback.
    #[error("no port on loopback: {0}")]
    Bind(#[from] std::io::Error),
    /// The account could not be made.
    #[error("the account could not be made: {0}")]
    Account(String),
}

/// A request that arrived, whether or not it was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// `iam:UpdateAccessKey`, `llm:GET /v1/models`.
    pub action: String,
    /// The access key id that signed it; empty for the LLM provider.
    pub access_key_id: String,
    /// The provider's error code, when it was refused.
    pub error: Option<String>,
}

/// What can go wrong at a call, for tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing goes wrong this time.
    None,
    /// Answers `Throttling` and does nothing.
    Throttle,
    /// Answers `ServiceFailure` and does nothing.
    InternalError,
    /// Cuts the connection and does nothing.
    DropBeforeEffect,
    /// Does it, then cuts the connection.
    DropAfterEffect,
    /// Answers with a page for people and does nothing, as whatever stands in between does.
    Page,
    /// Says that it is done, and does nothing; or it is done, and somebody undoes it at once.
    Lie,
    /// Never answers, and does nothing.
    HangBeforeEffect,
    /// Does it, and never answers.
    HangAfterEffect,
}

/// What becomes of a request.
enum Said {
    Reply(Reply),
    /// The connection is cut.
    Cut,
    /// Nothing, for as long as anybody waits.
    Hang,
}

/// An access key of the sandbox.
#[derive(Debug)]
pub struct SandboxKey {
    /// Key id.
    pub id: String,
    /// Secret access key.
    pub secret: Secret,
}

/// The provider. Dropping it stops it.
pub struct Sandbox {
    state: Arc<Mutex<State>>,
    server: server::Server,
}

impl Sandbox {
    /// Starts on a free port of loopback.
    pub async fn start(clock: Arc<dyn Clock>) -> Result<Self, SandboxError> {
        let state = State::new(clock).map_err(|refusal| SandboxError::Account(refusal.message))?;
        let state = Arc::new(Mutex::new(state));
        let server = server::Server::start(Arc::clone(&state)).await?;
        Ok(Self { state, server })
    }

    /// Where everything answers: AWS's query protocol at `/`, the LLM provider below `/v1`.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The 12-digit account.
    pub fn account(&self) -> &'static str {
        state::ACCOUNT
    }

    /// The administrator's access key.
    ///
    /// # Errors
    /// When the key is gone, because somebody deleted it.
    pub fn admin(&self) -> Result<SandboxKey, SandboxError> {
        let state = lock(&self.state);
        let key = state.user(state::ADMIN).ok().and_then(|user| user.keys.first());
        let key = key.ok_or_else(|| SandboxError::Account("the administrator has no key".to_owned()))?;
        Ok(SandboxKey { id: key.id.clone(), secret: key.secret.duplicate() })
    }

    /// Makes a user who may do everything, with tags.
    pub fn create_user(&self, name: &str, tags: &[(&str, &str)]) -> Result<(), SandboxError> {
        let mut state = lock(&self.state);
        let mut make = || {
            state.add_user(name, "/", tags)?;
            state.user_mut(name)?.put_policy("everything", state::ALLOW_ALL)
        };
        make().map_err(|refusal: Refusal| SandboxError::Account(refusal.message))
    }

    /// Gives a user another name, as `iam:UpdateUser` does: everything that is the user's goes along.
    pub fn rename_user(&self, name: &str, new: &str) -> Result<(), SandboxError> {
        let renamed = lock(&self.state).rename(name, new);
        renamed.map_err(|refusal: Refusal| SandboxError::Account(refusal.message))
    }

    /// Makes an access key for a user.
    pub fn create_access_key(&self, user: &str) -> Result<SandboxKey, SandboxError> {
        let mut state = lock(&self.state);
        let made = state.add_key(user).map(|key| SandboxKey { id: key.id.clone(), secret: key.secret.duplicate() });
        made.map_err(|refusal| SandboxError::Account(refusal.message))
    }

    /// Makes a key of the LLM provider, in a project that is made when it is missing.
    pub fn create_llm_key(&self, project: &str, name: &str) -> Result<Secret, SandboxError> {
        let mut state = lock(&self.state);
        let now = state.now();
        state.llm.add_key(project, name, now).map_err(|refusal| SandboxError::Account(refusal.message))
    }

    /// Makes a project with one key; gives the project's id and the key.
    pub fn create_llm_project(&self, name: &str) -> Result<(String, Secret), SandboxError> {
        let key = self.create_llm_key(name, "drill")?;
        let id = lock(&self.state).llm.project_id(name);
        let id = id.ok_or_else(|| SandboxError::Account("the project was not made".to_owned()))?;
        Ok((id, key))
    }

    /// Takes a project away with its keys; whether it was there.
    pub fn remove_llm_project(&self, id: &str) -> bool {
        lock(&self.state).llm.remove_project(id)
    }

    /// The LLM provider's admin key.
    pub fn llm_admin_key(&self) -> Secret {
        lock(&self.state).llm.admin_key()
    }

    /// Makes the next call of `action` (`iam:UpdateAccessKey`) go wrong.
    pub fn fail_next(&self, action: &str, fault: Fault) {
        lock(&self.state).faults.push((action.to_owned(), fault));
    }

    /// Just before the next call of `action`, somebody gives a user another name.
    #[cfg(test)]
    pub fn rename_before(&self, action: &str, name: &str, new: &str) {
        lock(&self.state).renames.push((action.to_owned(), name.to_owned(), new.to_owned()));
    }

    /// Nothing goes wrong any more.
    #[cfg(test)]
    pub fn calm(&self) {
        lock(&self.state).faults.clear();
    }

    /// Remembers the first so many calls only: those after them were a test's own.
    #[cfg(test)]
    pub fn forget_calls(&self, but: usize) {
        lock(&self.state).calls.truncate(but);
    }

    /// Every call so far, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.state).calls.iter().cloned().collect()
    }

    /// Stops answering.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers a request, or does not.
fn handle(state: &mut State, request: &Request) -> Said {
    let is_llm = request.uri().path().starts_with("/v1/");
    let params = if is_llm { Params::default() } else { Params::read(request) };
    let (action, access_key_id) = if is_llm {
        (format!("llm:{} {}", request.method(), request.uri().path()), String::new())
    } else {
        named(request, &params)
    };
    #[cfg(test)]
    if let Some(at) = state.renames.iter().position(|(waiting, ..)| *waiting == action) {
        let (_, name, new) = state.renames.remove(at);
        assert!(state.rename(&name, &new).is_ok(), "there is no user {name}");
    }
    let fault = state.take_fault(&action);
    let failing = match fault {
        Some(unheard @ (Fault::DropBeforeEffect | Fault::HangBeforeEffect)) => {
            state.record(Call { action, access_key_id, error: Some("dropped before effect".to_owned()) });
            return if unheard == Fault::DropBeforeEffect { Said::Cut } else { Said::Hang };
        }
        Some(Fault::Page) => {
            state.record(Call { action, access_key_id, error: Some("a page".to_owned()) });
            return Said::Reply(Reply::new(200, "text/html", "<html>Sign in to continue</html>"));
        }
        Some(Fault::Throttle) => Some(Refusal::new(400, "Throttling", "Rate exceeded")),
        Some(Fault::InternalError) => Some(Refusal::new(500, "ServiceFailure", "The service has failed.")),
        _ => None,
    };
    let before = (fault == Some(Fault::Lie)).then(|| state.users_now());
    let reply = match failing {
        Some(refusal) => refusal.reply(service_of(&action), &state.request_id(), false),
        None if is_llm => state.llm.handle(request),
        None => aws(state, request, &params),
    };
    state.record(Call { action, access_key_id, error: reply.error.clone() });
    if let Some(before) = before {
        state.users = before;
    }
    match fault {
        Some(Fault::DropAfterEffect) => Said::Cut,
        Some(Fault::HangAfterEffect) => Said::Hang,
        _ => Said::Reply(reply),
    }
}

/// A query-protocol request's action and signer, as far as they can be read.
fn named(request: &Request, params: &Params) -> (String, String) {
    let auth = sigv4::Authorization::read(request).ok();
    let service = auth.as_ref().map_or("aws", |auth| auth.service);
    let key = auth.as_ref().map(|auth| auth.key_id.to_owned()).unwrap_or_default();
    (format!("{service}:{}", params.get("Action").unwrap_or("?")), key)
}

fn service_of(action: &str) -> Service {
    if action.starts_with("sts:") { Service::Sts } else { Service::Iam }
}

fn aws(state: &mut State, request: &Request, params: &Params) -> Reply {
    let id = state.request_id();
    let as_json = request.headers().get("accept").is_some_and(|accept| accept.as_bytes() == b"application/json");
    let authorised = sigv4::Authorization::read(request);
    let service = authorised.as_ref().ok().and_then(|auth| Service::from_scope(auth.service)).unwrap_or(Service::Sts);
    let caller = authorised.and_then(|auth| sigv4::verify(state, request, &auth));
    let caller = match caller {
        Ok(caller) => caller,
        Err(refusal) => return refusal.reply(service, &id, as_json),
    };
    let action = params.get("Action").unwrap_or_default().to_owned();
    if as_json && action == "GetCallerIdentity" {
        return Reply::json(200, &sts::caller_identity_json(state, &caller, &id));
    }
    let answer = match service {
        Service::Iam => iam::run(state, &caller, params, &action),
        Service::Sts => sts::run(state, &caller, params, &action),
    };
    match answer {
        Some(Ok(xml)) => Reply::new(200, "text/xml", xml.answer(&action, service, &id)),
        Some(Err(refusal)) => refusal.reply(service, &id, as_json),
        None => {
            let version = service.version();
            let message = format!("Could not find operation {action} for version {version}");
            Refusal::new(400, "InvalidAction", message).reply(service, &id, as_json)
        }
    }
}
