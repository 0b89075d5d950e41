//! Everything the sandbox knows, in memory, and the rules that hold whoever changes it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;

use super::keys;
use super::llm::Llm;
use super::policy::{Ask, Context, Policy, Ruling, evaluate};
use super::sigv4::Caller;
use super::wire::{Refusal, moment};
use super::{Call, Fault};
use crate::model::Clock;
use crate::secret::Secret;

/// The account number that AWS's own documentation uses, so that a key that escapes from a demo points at nobody.
pub(super) const ACCOUNT: &str = "111122223333";
/// The administrator's user.
pub(super) const ADMIN: &str = "sandbox-admin";
/// A policy that allows everything.
pub(super) const ALLOW_ALL: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
/// IAM quotas (IAM User Guide, "IAM and AWS STS quotas").
const MAX_USERS: usize = 5000;
const MAX_KEYS: usize = 2;
const MAX_TAGS: usize = 50;
const MAX_POLICY_CHARS: usize = 2048;
/// Not AWS's: sessions and calls kept before the oldest are forgotten.
const MAX_SESSIONS: usize = 4096;
const MAX_CALLS: usize = 65_536;

pub(super) struct State {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) users: BTreeMap<String, User>,
    pub(super) sessions: Vec<Session>,
    pub(super) llm: Llm,
    pub(super) faults: Vec<(String, Fault)>,
    /// Before the next call of an action a user is given another name.
    #[cfg(test)]
    pub(super) renames: Vec<(String, String, String)>,
    pub(super) calls: VecDeque<Call>,
    requests: u64,
}

pub(super) struct User {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) id: String,
    pub(super) created: Timestamp,
    pub(super) tags: Vec<(String, String)>,
    pub(super) keys: Vec<AccessKey>,
    pub(super) policies: BTreeMap<String, InlinePolicy>,
    pub(super) services: Vec<ServiceCredential>,
}

pub(super) struct AccessKey {
    pub(super) id: String,
    pub(super) secret: Secret,
    pub(super) active: bool,
    pub(super) created: Timestamp,
    pub(super) last_used: Option<LastUsed>,
}

#[derive(Clone)]
pub(super) struct LastUsed {
    pub(super) at: Timestamp,
    pub(super) service: &'static str,
    pub(super) region: String,
}

#[derive(Clone)]
pub(super) struct InlinePolicy {
    pub(super) text: String,
    pub(super) policy: Arc<Policy>,
}

/// A Bedrock long-term key. The value is shown once and not kept: nothing here accepts it.
#[derive(Clone)]
pub(super) struct ServiceCredential {
    pub(super) id: String,
    pub(super) service: String,
    pub(super) alias: String,
    pub(super) active: bool,
    pub(super) created: Timestamp,
    pub(super) expires: Option<Timestamp>,
}

/// Temporary credentials. They outlive the key that asked for them.
pub(super) struct Session {
    pub(super) id: String,
    pub(super) secret: Secret,
    pub(super) token: Secret,
    pub(super) user: String,
    pub(super) issued: Timestamp,
    pub(super) expires: Timestamp,
    /// Whether a second factor was given; without one a session cannot call IAM.
    pub(super) mfa: bool,
}

impl User {
    fn duplicate(&self) -> Self {
        let key = |key: &AccessKey| AccessKey {
            id: key.id.clone(),
            secret: key.secret.duplicate(),
            active: key.active,
            created: key.created,
            last_used: key.last_used.clone(),
        };
        Self {
            name: self.name.clone(),
            path: self.path.clone(),
            id: self.id.clone(),
            created: self.created,
            tags: self.tags.clone(),
            keys: self.keys.iter().map(key).collect(),
            policies: self.policies.clone(),
            services: self.services.clone(),
        }
    }

    pub(super) fn arn(&self) -> String {
        format!("arn:aws:iam::{ACCOUNT}:user{}{}", self.path, self.name)
    }

    pub(super) fn ruling(&self, ask: &Ask<'_>) -> Ruling {
        evaluate(self.policies.iter().map(|(name, inline)| (name.as_str(), &*inline.policy)), ask)
    }

    /// Sets tags; a key that is there gets the new value. Keys are compared without regard to case, as IAM does.
    pub(super) fn tag(&mut self, tags: &[(&str, &str)]) -> Result<(), Refusal> {
        for &(key, value) in tags {
            let (key_length, value_length) = (key.chars().count(), value.chars().count());
            if key_length == 0 || key_length > 128 || value_length > 256 {
                return Err(Refusal::invalid("A tag has a key of 1 to 128 characters and a value of up to 256."));
            }
            match self.tags.iter_mut().find(|(present, _)| present.eq_ignore_ascii_case(key)) {
                Some(tag) => value.clone_into(&mut tag.1),
                None => self.tags.push((key.to_owned(), value.to_owned())),
            }
        }
        if self.tags.len() > MAX_TAGS {
            return Err(Refusal::limit(format!("The number of tags has reached the maximum limit: {MAX_TAGS}.")));
        }
        Ok(())
    }

    /// Puts an inline policy. All of a user's together have 2,048 characters, white space not counted.
    pub(super) fn put_policy(&mut self, name: &str, text: &str) -> Result<(), Refusal> {
        let policy = Policy::parse(text).map_err(|message| Refusal::new(400, "MalformedPolicyDocument", message))?;
        let size = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
        let others: usize = self.policies.iter().filter(|(other, _)| *other != name).map(|(_, p)| size(&p.text)).sum();
        if others + size(text) > MAX_POLICY_CHARS {
            return Err(Refusal::limit(format!(
                "Maximum policy size of {MAX_POLICY_CHARS} bytes exceeded for user {}",
                self.name
            )));
        }
        self.policies.insert(name.to_owned(), InlinePolicy { text: text.to_owned(), policy: Arc::new(policy) });
        Ok(())
    }
}

impl State {
    /// A fresh account with its administrator.
    pub(super) fn new(clock: Arc<dyn Clock>) -> Result<Self, Refusal> {
        let llm = Llm::new(clock.now())?;
        let mut state = Self {
            clock,
            users: BTreeMap::new(),
            sessions: Vec::new(),
            llm,
            faults: Vec::new(),
            #[cfg(test)]
            renames: Vec::new(),
            calls: VecDeque::new(),
            requests: 0,
        };
        state.add_user(ADMIN, "/", &[])?;
        state.user_mut(ADMIN)?.put_policy("administrator", ALLOW_ALL)?;
        state.add_key(ADMIN)?;
        Ok(state)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A new request's id.
    pub(super) fn request_id(&mut self) -> String {
        self.requests += 1;
        format!("00000000-0000-4000-8000-{:012x}", self.requests)
    }

    pub(super) fn user(&self, name: &str) -> Result<&User, Refusal> {
        self.users.get(name).ok_or_else(|| no_user(name))
    }

    pub(super) fn user_mut(&mut self, name: &str) -> Result<&mut User, Refusal> {
        self.users.get_mut(name).ok_or_else(|| no_user(name))
    }

    /// Every user as they are now.
    pub(super) fn users_now(&self) -> BTreeMap<String, User> {
        self.users.iter().map(|(name, user)| (name.clone(), user.duplicate())).collect()
    }

    /// Gives a user another name.
    pub(super) fn rename(&mut self, name: &str, new: &str) -> Result<(), Refusal> {
        check_name("newUserName", new)?;
        if self.users.contains_key(new) {
            return Err(Refusal::new(409, "EntityAlreadyExists", format!("User with name {new} already exists.")));
        }
        let user = self.users.remove(name).ok_or_else(|| no_user(name))?;
        self.sessions
            .iter_mut()
            .filter(|session| session.user == name)
            .for_each(|session| new.clone_into(&mut session.user));
        self.users.insert(new.to_owned(), User { name: new.to_owned(), ..user });
        Ok(())
    }

    pub(super) fn add_user(&mut self, name: &str, path: &str, tags: &[(&str, &str)]) -> Result<&User, Refusal> {
        check_name("userName", name)?;
        if !(path.starts_with('/') && path.ends_with('/') && path.bytes().all(|b| (0x21..=0x7e).contains(&b))) {
            return Err(Refusal::invalid(
                "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric \
                 characters and/or / characters.",
            ));
        }
        if self.users.keys().any(|present| present.eq_ignore_ascii_case(name)) {
            return Err(Refusal::new(409, "EntityAlreadyExists", format!("User with name {name} already exists.")));
        }
        if self.users.len() >= MAX_USERS {
            return Err(Refusal::limit(format!("Cannot exceed quota for UsersPerAccount: {MAX_USERS}")));
        }
        let mut user = User {
            name: name.to_owned(),
            path: path.to_owned(),
            id: keys::aws_id("AIDA", ACCOUNT)?,
            created: self.now(),
            tags: Vec::new(),
            keys: Vec::new(),
            policies: BTreeMap::new(),
            services: Vec::new(),
        };
        user.tag(tags)?;
        Ok(self.users.entry(name.to_owned()).or_insert(user))
    }

    pub(super) fn add_key(&mut self, user: &str) -> Result<&AccessKey, Refusal> {
        let created = self.now();
        let user = self.user_mut(user)?;
        if user.keys.len() >= MAX_KEYS {
            return Err(Refusal::limit(format!("Cannot exceed quota for AccessKeysPerUser: {MAX_KEYS}")));
        }
        let (id, secret) = (keys::aws_id("AKIA", ACCOUNT)?, keys::aws_secret()?);
        Ok(user.keys.push_mut(AccessKey { id, secret, active: true, created, last_used: None }))
    }

    pub(super) fn add_session(&mut self, user: &str, seconds: i64, mfa: bool) -> Result<&Session, Refusal> {
        let user = self.user(user)?.name.clone();
        let issued = self.now();
        let expires = issued.as_second().saturating_add(seconds);
        let expires = Timestamp::from_second(expires).unwrap_or(Timestamp::MAX);
        if self.sessions.len() >= MAX_SESSIONS {
            self.sessions.remove(0);
        }
        let (id, secret, token) = (keys::aws_id("ASIA", ACCOUNT)?, keys::aws_secret()?, keys::session_token()?);
        Ok(self.sessions.push_mut(Session { id, secret, token, user, issued, expires, mfa }))
    }

    /// What a signed request says about its signer and itself.
    pub(super) fn context(&self, caller: &Caller) -> Context {
        let mut context = Context::from([
            ("aws:currenttime".to_owned(), moment(self.now())),
            ("aws:securetransport".to_owned(), "false".to_owned()),
        ]);
        if let Some(user) = self.users.get(&caller.user) {
            context.extend(user_context(user));
        }
        if let Some(session) = &caller.session {
            context.insert("aws:tokenissuetime".to_owned(), moment(session.issued));
            context.insert("aws:multifactorauthpresent".to_owned(), session.mfa.to_string());
        }
        context
    }

    /// Takes the next fault that waits for `action`.
    pub(super) fn take_fault(&mut self, action: &str) -> Option<Fault> {
        let at = self.faults.iter().position(|(waiting, _)| waiting == action)?;
        Some(self.faults.remove(at).1)
    }

    pub(super) fn record(&mut self, call: Call) {
        if self.calls.len() >= MAX_CALLS {
            self.calls.pop_front();
        }
        self.calls.push_back(call);
    }
}

/// The condition keys that follow from who the user is.
pub(super) fn user_context(user: &User) -> Context {
    let mut context = Context::from([
        ("aws:username".to_owned(), user.name.clone()),
        ("aws:userid".to_owned(), user.id.clone()),
        ("aws:principalarn".to_owned(), user.arn()),
        ("aws:principalaccount".to_owned(), ACCOUNT.to_owned()),
        ("aws:principaltype".to_owned(), "User".to_owned()),
    ]);
    context.extend(user.tags.iter().map(|(key, value)| {
        let name = format!("aws:principaltag/{key}");
        (name.to_lowercase(), value.clone())
    }));
    context
}

/// Names of users and policies: what AWS's own message says they may hold.
pub(super) fn check_name(parameter: &str, name: &str) -> Result<(), Refusal> {
    let longest = if parameter == "userName" { 64 } else { 128 };
    let good = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b);
    if name.is_empty() || name.len() > longest || !name.bytes().all(good) {
        return Err(Refusal::invalid(format!(
            "The specified value for {parameter} is invalid. It must contain only alphanumeric characters and/or the \
             following: +=,.@_- and be 1 to {longest} characters long"
        )));
    }
    Ok(())
}

fn no_user(name: &str) -> Refusal {
    Refusal::no_such(format!("The user with name {name} cannot be found."))
}
