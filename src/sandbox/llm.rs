//! One LLM provider in OpenAI's shape: the model list that tells whether a key is live, and the administration that lists
//! and deletes keys. Source: OpenAI's API reference (models, admin API) and its error-codes page.

use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::keys;
use super::wire::{Refusal, Reply, Request};
use crate::secret::{Redaction, Secret};

const ORGANISATION: &str = "sandbox-org";

/// The provider's memory.
pub(super) struct Llm {
    admin: Secret,
    projects: Vec<Project>,
}

struct Project {
    id: String,
    name: String,
    keys: Vec<Key>,
    /// Requests a minute of its one rate limit.
    limit: u64,
    /// Cents a month that it may spend at most.
    spend: Option<u64>,
}

/// The one model that is limited.
const LIMIT: &str = "rl-gpt-5";
const REQUESTS: u64 = 5000;

struct Key {
    id: String,
    name: String,
    value: Secret,
    created: Timestamp,
    last_used: Option<Timestamp>,
}

fn refusal(status: u16, kind: &str, code: Option<&str>, message: &str) -> Reply {
    let mut reply =
        Reply::json(status, &json!({ "error": { "message": message, "type": kind, "param": null, "code": code } }));
    reply.error = Some(code.unwrap_or(kind).to_owned());
    reply
}

/// A redacted key as the provider's own answers show it.
fn redacted(value: &[u8]) -> String {
    Redaction { head: 8, tail: 4 }.apply(value)
}

impl Llm {
    pub(super) fn new(_now: Timestamp) -> Result<Self, Refusal> {
        Ok(Self { admin: keys::llm_key("sk-admin-", 58)?, projects: Vec::new() })
    }

    pub(super) fn admin_key(&self) -> Secret {
        self.admin.duplicate()
    }

    pub(super) fn add_key(&mut self, project: &str, name: &str, now: Timestamp) -> Result<Secret, Refusal> {
        if !self.projects.iter().any(|known| known.name == project) {
            self.projects.push(Project {
                id: keys::llm_id("proj_")?,
                name: project.to_owned(),
                keys: Vec::new(),
                limit: REQUESTS,
                spend: None,
            });
        }
        let value = keys::llm_key("sk-proj-", 74)?;
        let key = Key {
            id: keys::llm_id("key_")?,
            name: name.to_owned(),
            value: value.duplicate(),
            created: now,
            last_used: None,
        };
        if let Some(project) = self.projects.iter_mut().find(|known| known.name == project) {
            project.keys.push(key);
        }
        Ok(value)
    }

    pub(super) fn handle(&mut self, request: &Request) -> Reply {
        let bearer = request.headers().get("authorization").and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        let bearer = bearer.unwrap_or_default().to_vec();
        let path: Vec<&str> = request.uri().path().trim_matches('/').split('/').collect();
        let is_admin = keys::same(self.admin.expose(), &bearer);
        match (request.method(), path.as_slice()) {
            (&Method::GET, ["v1", "models"]) => self.models(&bearer),
            (_, ["v1", "organization", ..]) if !is_admin => self.refuse(&bearer),
            (&Method::GET, ["v1", "organization", "admin_api_keys"]) => Reply::json(200, &list(&[])),
            (&Method::GET, ["v1", "organization", "projects"]) => Reply::json(200, &list(&self.shown_projects())),
            (&Method::GET, ["v1", "organization", "projects", id, "api_keys"]) => self.keys(id),
            (&Method::GET, ["v1", "organization", "projects", id, "rate_limits"]) => self.limits(id, None),
            (&Method::POST, ["v1", "organization", "projects", id, "rate_limits", LIMIT]) => {
                let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
                self.limits(id, body["max_requests_per_1_minute"].as_u64())
            }
            (&Method::GET, ["v1", "organization", "projects", id, "spend_limit"]) => self.spend(id, |_| ()),
            (&Method::POST, ["v1", "organization", "projects", id, "spend_limit"]) => {
                let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
                self.spend(id, |limit| *limit = body["threshold_amount"].as_u64())
            }
            (&Method::DELETE, ["v1", "organization", "projects", id, "spend_limit"]) => {
                self.spend(id, |limit| *limit = None)
            }
            (&Method::DELETE, ["v1", "organization", "projects", id, "api_keys", key]) => self.delete(id, key),
            _ => refusal(404, "invalid_request_error", None, "Invalid URL"),
        }
    }

    fn refuse(&self, bearer: &[u8]) -> Reply {
        if self.projects.iter().flat_map(|project| &project.keys).any(|key| keys::same(key.value.expose(), bearer)) {
            let message = "You have insufficient permissions for this operation. Missing scopes: api.management.read.";
            return refusal(403, "invalid_request_error", None, message);
        }
        let message = format!("Incorrect API key provided: {}. You can find your API key at the console.", redacted(bearer));
        refusal(401, "invalid_request_error", Some("invalid_api_key"), &message)
    }

    fn models(&mut self, bearer: &[u8]) -> Reply {
        let now = Timestamp::UNIX_EPOCH;
        let mut projects = self.projects.iter_mut();
        let found = projects.find_map(|project| {
            let key = project.keys.iter_mut().find(|key| keys::same(key.value.expose(), bearer))?;
            key.last_used = Some(now);
            Some(project.id.clone())
        });
        let Some(project) = found else { return self.refuse(bearer) };
        let model = json!({ "id": "gpt-5", "object": "model", "created": 0, "owned_by": "sandbox" });
        let mut reply = Reply::json(200, &list(&[model]));
        reply.headers = vec![("openai-organization", ORGANISATION.to_owned()), ("openai-project", project)];
        reply
    }

    fn shown_projects(&self) -> Vec<Value> {
        let shown = |project: &Project| json!({ "id": project.id, "object": "organization.project", "name": project.name });
        self.projects.iter().map(shown).collect()
    }

    fn keys(&self, project: &str) -> Reply {
        let Some(project) = self.projects.iter().find(|known| known.id == project) else { return no_project() };
        let shown = |key: &Key| {
            json!({
                "object": "organization.project.api_key", "id": key.id, "name": key.name,
                "redacted_value": redacted(key.value.expose()), "created_at": key.created.as_second(),
                "last_used_at": key.last_used.map(Timestamp::as_second), "owner": { "type": "user" },
            })
        };
        Reply::json(200, &list(&project.keys.iter().map(shown).collect::<Vec<_>>()))
    }

    /// The rate limits of a project, after setting its one where a number is given. Source: OpenAI API reference, Project rate
    /// limits.
    fn limits(&mut self, project: &str, set: Option<u64>) -> Reply {
        let Some(project) = self.projects.iter_mut().find(|known| known.id == project) else { return no_project() };
        project.limit = set.unwrap_or(project.limit);
        let shown = json!({
            "object": "project.rate_limit", "id": LIMIT, "model": "gpt-5", "max_requests_per_1_minute": project.limit,
        });
        Reply::json(200, &if set.is_some() { shown } else { list(&[shown]) })
    }

    /// A project's hard limit on what it spends in a month, after a change of it. Source: OpenAI API reference, Project spend limit.
    fn spend(&mut self, project: &str, change: impl FnOnce(&mut Option<u64>)) -> Reply {
        let Some(project) = self.projects.iter_mut().find(|known| known.id == project) else { return no_project() };
        let before = project.spend;
        change(&mut project.spend);
        match (project.spend, before) {
            (Some(cents), _) => Reply::json(
                200,
                &json!({
                    "object": "project.spend_limit", "currency": "USD", "interval": "month", "threshold_amount": cents,
                    "enforcement": { "status": "inactive" },
                }),
            ),
            (None, Some(_)) => Reply::json(200, &json!({ "object": "project.spend_limit.deleted", "deleted": true })),
            (None, None) => refusal(404, "invalid_request_error", None, "No spend limit"),
        }
    }

    pub(super) fn project_id(&self, name: &str) -> Option<String> {
        self.projects.iter().find(|project| project.name == name).map(|project| project.id.clone())
    }

    pub(super) fn remove_project(&mut self, id: &str) -> bool {
        let before = self.projects.len();
        self.projects.retain(|project| project.id != id);
        self.projects.len() < before
    }

    fn delete(&mut self, project: &str, key: &str) -> Reply {
        let Some(project) = self.projects.iter_mut().find(|known| known.id == project) else { return no_project() };
        let before = project.keys.len();
        project.keys.retain(|known| known.id != key);
        if project.keys.len() == before {
            return refusal(404, "invalid_request_error", None, "No such API key");
        }
        Reply::json(200, &json!({ "object": "organization.project.api_key.deleted", "id": key, "deleted": true }))
    }
}

fn no_project() -> Reply {
    refusal(404, "invalid_request_error", None, "No such project")
}

fn list(data: &[Value]) -> Value {
    json!({ "object": "list", "data": data, "has_more": false })
}
