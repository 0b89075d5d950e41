//! The key inventories of OpenAI and Anthropic, as their administrator sees them: a leaked key → the listed keys whose redacted form it
//! fits → project, maker and service account. A form shows a few characters: what fits is a candidate, and never a proof.
//!
//! Reads only. Sources: OpenAI API reference, Administration: Projects, Project API keys
//! (<https://platform.openai.com/docs/api-reference/project-api-keys>); Anthropic Admin API: API keys, Users, Workspaces
//! (<https://docs.anthropic.com/en/api/admin-api/apikeys/list-api-keys>).

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::ask::{Asker, items, text};
use super::board::Board;
use crate::model::{Edge, Owner, Tier};
use crate::net::Net;
use crate::ownership::roll::{clean, evidence, owner};
use crate::secret::{Secret, Shape};

const OPENAI: &str = "OpenAI";
const ANTHROPIC: &str = "Anthropic";
/// Pages read of one list.
const PAGES: usize = 50;
/// Projects whose keys are listed.
const PROJECTS: usize = 500;

/// Looks through an OpenAI organisation's project keys.
pub async fn ask_openai(board: &mut Board<'_>, net: &Net, (address, admin): (&str, &Secret)) {
    let origin = address.trim_end_matches('/').to_owned();
    let asker = Asker { net, origin, login: ("authorization", "Bearer "), credential: admin, headers: &[] };
    let list = "/v1/organization/projects?limit=100";
    let projects =
        pages(board, &asker, (OPENAI, list, "after"), "an OpenAI admin key that reads projects and their API keys").await;
    if projects.len() > PROJECTS {
        board.miss(OPENAI, format!("the keys of {PROJECTS} projects were listed and there are more"));
    }
    let mut found: BTreeMap<usize, Vec<Owner>> = BTreeMap::new();
    for project in projects.iter().take(PROJECTS) {
        let Some(id) = text(project, "/id") else { continue };
        let name = clean(text(project, "/name").unwrap_or(id));
        let list = format!("/v1/organization/projects/{}/api_keys?limit=100", segment(id));
        for key in pages(board, &asker, (OPENAI, &list, "after"), "an OpenAI admin key that reads API keys").await {
            let Some(shape) = text(&key, "/redacted_value").and_then(Shape::parse) else { continue };
            for number in board.fitting("openai", &shape) {
                let principal = candidate((OPENAI, "openai"), &key, &format!("project {name}"));
                let maker = text(&key, "/owner/user/email").map(|mail| person(mail, "openai"));
                let account = text(&key, "/owner/service_account/name").map(|account| {
                    let id = text(&key, "/owner/service_account/id").unwrap_or(account);
                    let name = format!("service account {}", clean(account));
                    weak(Edge::Principal, format!("openai:service_account/{}", clean(id)), name, "openai")
                });
                found.entry(number).or_default().extend([Some(principal), maker, account].into_iter().flatten());
            }
        }
    }
    put(board, found);
}

/// Looks through an Anthropic organisation's keys.
pub async fn ask_anthropic(board: &mut Board<'_>, net: &Net, (address, admin): (&str, &Secret)) {
    let origin = address.trim_end_matches('/').to_owned();
    let headers: &[(&str, &str)] = &[("anthropic-version", "2023-06-01")];
    let asker = Asker { net, origin, login: ("x-api-key", ""), credential: admin, headers };
    let allow = "an Anthropic admin key (sk-ant-admin…)";
    let keys = pages(board, &asker, (ANTHROPIC, "/v1/organizations/api_keys?limit=100", "after_id"), allow).await;
    let mut found: BTreeMap<usize, Vec<Owner>> = BTreeMap::new();
    for key in &keys {
        let Some(shape) = text(key, "/partial_key_hint").and_then(Shape::parse) else { continue };
        let fitting = board.fitting("anthropic", &shape);
        if fitting.is_empty() {
            continue;
        }
        let workspace = text(key, "/workspace_id")
            .map_or_else(|| "default workspace".to_owned(), |id| format!("workspace {}", clean(id)));
        let mut all = vec![candidate((ANTHROPIC, "anthropic"), key, &workspace)];
        if let Some(user) = text(key, "/created_by/id") {
            match asker.get(&format!("/v1/organizations/users/{}", segment(user))).await {
                Ok(user) => all.extend(text(&user, "/email").map(|mail| person(mail, "anthropic"))),
                Err(missed) => board.miss(ANTHROPIC, missed.words(allow)),
            }
        }
        for number in fitting {
            found.entry(number).or_default().extend(all.clone());
        }
    }
    put(board, found);
}

/// The only key that fits is inferred; of several each is a mere possibility.
fn put(board: &mut Board<'_>, found: BTreeMap<usize, Vec<Owner>>) {
    for (number, owners) in found {
        let keys = owners.iter().filter(|one| one.id.contains(":key/")).count();
        for mut owner in owners {
            owner.tier = if keys == 1 { Tier::Inferred } else { Tier::Circumstantial };
            board.name(number, owner);
        }
    }
}

/// A listed key that the leaked one may be.
fn candidate((system, short): (&str, &str), key: &Value, of: &str) -> Owner {
    let id = clean(text(key, "/id").unwrap_or("?"));
    let name = clean(text(key, "/name").unwrap_or("without a name"));
    let mut principal = weak(Edge::Principal, format!("{short}:key/{id}"), format!("{system} key {name} of {of}"), short);
    if let Some(status) = text(key, "/status") {
        let said = &mut principal.evidence[0].value;
        *said = format!("{said}, {}", clean(status));
    }
    principal
}

fn person(mail: &str, short: &str) -> Owner {
    weak(Edge::Accountable, format!("mail:{}", clean(mail)), clean(mail), short)
}

fn weak(edge: Edge, id: String, name: String, short: &str) -> Owner {
    let mut owner = owner(edge, id, name, Tier::Circumstantial);
    let said = "its redacted form fits the leaked key; a candidate, not a proof";
    owner.evidence.push(evidence(&format!("{short}-key-inventory"), format!("{short} admin API"), said));
    owner
}

/// Every item of a list that goes on by its last id.
async fn pages(
    board: &mut Board<'_>,
    asker: &Asker<'_>,
    (system, list, after): (&'static str, &str, &str),
    allow: &str,
) -> Vec<Value> {
    let (mut all, mut next) = (Vec::new(), String::new());
    for _ in 0..PAGES {
        let page = match asker.get(&format!("{list}{next}")).await {
            Ok(page) => page,
            Err(missed) => {
                board.miss(system, missed.words(&format!("it takes {allow}")));
                return all;
            }
        };
        all.extend(items(&page, "/data").iter().cloned());
        match text(&page, "/last_id").filter(|_| page.get("has_more") == Some(&Value::Bool(true))) {
            Some(id) => next = format!("&{after}={}", segment(id)),
            None => return all,
        }
    }
    board.miss(system, format!("{PAGES} pages of a list were read and there are more"));
    all
}

fn segment(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::{ask_anthropic, ask_openai};
    use crate::model::{Confidence, Credential, Edge, Owner, Part, Tier};
    use crate::net::testing::{Server, http};
    use crate::net::{Net, Settings};
    use crate::ownership::artefacts::testing::{VALUE, finding, shared_key};
    use crate::ownership::live::board::{Board, Told};
    use crate::ownership::live::testing::wait;
    use crate::secret::{Redaction, Secret};

    fn credential() -> Credential {
        let part = Part {
            name: Arc::from("key"),
            value: Secret::new(VALUE.as_bytes()),
            public: false,
            redaction: Redaction::NOTHING,
            span: 0..1,
        };
        Credential {
            detector: Arc::from("test"),
            parts: vec![part],
            facts: BTreeMap::new(),
            confidence: Confidence::High,
            partial: false,
            encoding: Vec::new(),
        }
    }

    /// Asks an inventory that answers by path; anything else is refused. Of the value the last four characters are shown.
    fn asked(provider: &'static str, answers: &'static [(&'static str, &'static str)]) -> Told {
        let server = Server::talking(move |peer| {
            let heard = String::from_utf8_lossy(&peer.hear()).into_owned();
            let path = heard.split(' ').nth(1).unwrap_or_default();
            match answers.iter().find(|(own, _)| *own == path) {
                Some((_, body)) => peer.say(&http(
                    "200 OK",
                    "",
                    &body.replace("HINT", &format!("{}...{}", &VALUE[..5], &VALUE[VALUE.len() - 4..])),
                )),
                None => peer.say(&http("403 Forbidden", "", "{}")),
            };
        });
        let url = server.url().parse().expect("a URL");
        let net =
            Net::new(Settings { endpoints: [(provider.to_owned(), url)].into(), ..Settings::default() }).expect("clients");
        let (key, mut one, own) = (shared_key(), finding(VALUE), [credential()]);
        one.provider = provider.to_owned();
        let mut board = Board::new(&key, [(&one, &own[..])]);
        let (address, admin) = (server.url(), Secret::new(b"admin"));
        if provider == "openai" {
            wait(ask_openai(&mut board, &net, (&address, &admin)));
        } else {
            wait(ask_anthropic(&mut board, &net, (&address, &admin)));
        }
        let told = board.finish();
        assert!(!server.has_heard(VALUE) && !format!("{told:?}").contains(VALUE));
        told
    }

    fn ids(owners: &[Owner]) -> Vec<(Edge, &str, Tier)> {
        owners.iter().map(|one| (one.edge, one.id.as_str(), one.tier)).collect()
    }

    #[test]
    fn the_only_key_that_fits_is_inferred_and_of_two_each_is_a_mere_possibility() {
        const PROJECTS: (&str, &str) =
            ("/v1/organization/projects?limit=100", r#"{"data":[{"id":"p1","name":"prod"},{"id":"p2"}],"has_more":false}"#);
        const ONE: &str = r#"{"data":[{"id":"k1","name":"ci","redacted_value":"HINT","owner":{"user":{"email":"ann@corp.example"}}},
                              {"id":"k9","redacted_value":"other...zzzz"}],"has_more":false}"#;
        const TWO: &str =
            r#"{"data":[{"id":"k2","redacted_value":"HINT","owner":{"service_account":{"id":"sa","name":"bot"}}}]}"#;
        let told = asked("openai", &[PROJECTS, ("/v1/organization/projects/p1/api_keys?limit=100", ONE)]);
        let expected = [
            (Edge::Principal, "openai:key/k1", Tier::Inferred),
            (Edge::Accountable, "mail:ann@corp.example", Tier::Inferred),
        ];
        assert_eq!(ids(&told.owners[&0]), expected);
        assert!(told.owners[&0][0].evidence[0].value.contains("a candidate, not a proof"));
        assert!(told.unknown[0].contains("/v1/organization/projects/p2/api_keys was refused"), "{told:?}");
        let told = asked(
            "openai",
            &[
                PROJECTS,
                ("/v1/organization/projects/p1/api_keys?limit=100", ONE),
                ("/v1/organization/projects/p2/api_keys?limit=100", TWO),
            ],
        );
        assert_eq!(told.unknown, [""; 0]);
        assert!(told.owners[&0].iter().all(|one| one.tier == Tier::Circumstantial), "{told:?}");
        assert!(told.owners[&0].iter().any(|one| one.id == "openai:service_account/sa"));
    }

    #[test]
    fn anthropics_list_goes_on_and_its_maker_is_asked_for() {
        let told = asked(
            "anthropic",
            &[
                ("/v1/organizations/api_keys?limit=100", r#"{"data":[],"has_more":true,"last_id":"a b"}"#),
                (
                    "/v1/organizations/api_keys?limit=100&after_id=a%20b",
                    r#"{"data":[{"id":"k1","name":"ci","partial_key_hint":"HINT","status":"active","created_by":{"id":"u1"}}]}"#,
                ),
                ("/v1/organizations/users/u1", r#"{"email":"lee@corp.example"}"#),
            ],
        );
        let expected = [
            (Edge::Principal, "anthropic:key/k1", Tier::Inferred),
            (Edge::Accountable, "mail:lee@corp.example", Tier::Inferred),
        ];
        assert_eq!(ids(&told.owners[&0]), expected);
        assert!(told.owners[&0][0].evidence[0].value.ends_with(", active"));
        let told = asked("anthropic", &[]);
        assert!(
            told.owners.is_empty() && told.unknown[0].contains("was refused (HTTP 403): it takes an Anthropic admin key"),
            "{told:?}"
        );
    }
}
