//! Vault and OpenBao: a leaked value → the KV paths that hold it now → the AppRole roles whose policies let them read it; and a leaked
//! token → as whom it was given out.
//!
//! Reads only: `sys/internal/ui/mounts` for the mounts that the reader's token may see, `LIST` and `GET` of KV version 2 (current
//! versions; earlier ones are not looked at), ACL policies and AppRole roles where a value was met, `auth/token/lookup`. Sources:
//! OpenBao and Vault API: KV version 2, `/sys/internal/ui/mounts`, `/sys/policies`, AppRole, Token (<https://openbao.org/api-docs/>).
//! That a role may read a path does not say that it does.

mod policies;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use zeroize::Zeroizing;

use super::ask::{Asker, Missed, items, text};
use super::board::{Board, Number};
use super::tags::accountable;
use crate::model::{Edge, Tier};
use crate::net::Net;
use crate::ownership::roll::{clean, evidence, owner};
use crate::secret::Secret;
use policies::{Policy, may_read};

/// How it is called where something of it could not be read.
const VAULT: &str = "Vault";
const PROVIDER: &str = "hashicorp-vault";
/// Secrets read of all mounts together.
const SECRETS: usize = 2000;
/// Folders listed.
const FOLDERS: usize = 2000;
/// Policies and roles read.
const ROLES: usize = 500;

/// Where a value is kept: the mount with its `/`, and the path below it.
type Kept = (String, String);

/// Looks for the findings' values in every KV mount that the token may see, and looks leaked tokens up.
pub async fn ask_vault(board: &mut Board<'_>, net: &Net, (address, token): (&str, &Secret)) {
    let origin = address.trim_end_matches('/').to_owned();
    let asker =
        Asker { net, origin, login: ("x-vault-token", ""), credential: token, headers: &[("x-vault-request", "true")] };
    tokens(board, &asker).await;
    let mounts = match asker.get("/v1/sys/internal/ui/mounts").await {
        Ok(mounts) => mounts,
        Err(missed) => return board.miss(VAULT, missed.words("the token of the settings is not taken")),
    };
    let mut kept = BTreeMap::new();
    let mut budget = (SECRETS, FOLDERS);
    for (mount, about) in mounts.pointer("/data/secret").and_then(Value::as_object).into_iter().flatten() {
        match (text(about, "/type"), text(about, "/options/version")) {
            (Some("kv"), Some("2")) => walk(board, &asker, mount, (&mut kept, &mut budget)).await,
            (Some("kv" | "generic"), _) => board.miss(VAULT, format!("{}: KV of version 1 is not read", clean(mount))),
            _ => {}
        }
    }
    if !kept.is_empty() {
        readers(board, &asker, &mounts, &kept).await;
    }
}

/// Reads every secret of a mount that can be listed.
async fn walk(
    board: &mut Board<'_>,
    asker: &Asker<'_>,
    mount: &str,
    (kept, (secrets, folders)): (&mut BTreeMap<Kept, BTreeSet<Number>>, &mut (usize, usize)),
) {
    let mut queue = vec![String::new()];
    while let Some(folder) = queue.pop() {
        if *folders == 0 {
            return board.miss(VAULT, format!("{FOLDERS} folders were listed and there are more"));
        }
        *folders -= 1;
        let listed = match asker.get(&format!("/v1/{}metadata/{}?list=true", path(mount), path(&folder))).await {
            Ok(listed) => listed,
            // An empty mount says so.
            Err(Missed::Absent) => continue,
            Err(missed) => {
                board.miss(VAULT, missed.words(&format!("allow `list` on {mount}metadata/* to have it read")));
                continue;
            }
        };
        for name in items(&listed, "/data/keys").iter().filter_map(Value::as_str) {
            if name.ends_with('/') {
                queue.push(format!("{folder}{name}"));
            } else if *secrets == 0 {
                return board.miss(VAULT, format!("{SECRETS} secrets were read and there are more"));
            } else {
                *secrets -= 1;
                secret(board, asker, (mount, &format!("{folder}{name}")), kept).await;
            }
        }
    }
}

/// Compares one secret's current values.
async fn secret(
    board: &mut Board<'_>,
    asker: &Asker<'_>,
    (mount, name): (&str, &str),
    kept: &mut BTreeMap<Kept, BTreeSet<Number>>,
) {
    let found = match asker.get(&format!("/v1/{}data/{}", path(mount), path(name))).await {
        Ok(found) => found,
        // Deleted in its current version.
        Err(Missed::Absent) => return,
        Err(missed) => {
            return board.miss(VAULT, missed.words(&format!("allow `read` on {mount}data/* to have it compared")));
        }
    };
    let shown = clean(&format!("{mount}{name}"));
    let metadata = found.pointer("/data/metadata/custom_metadata").and_then(Value::as_object);
    for (field, value) in found.pointer("/data/data").and_then(Value::as_object).into_iter().flatten() {
        let met = match value {
            Value::String(value) => board.meets(value),
            // Numbers are no credentials, and what is nested is met as JSON.
            Value::Object(_) | Value::Array(_) => board.meets(&Zeroizing::new(value.to_string())),
            _ => BTreeSet::new(),
        };
        for number in met {
            board.fact(number, "stored_in", format!("vault {shown} {}", clean(field)));
            for (key, value) in metadata.into_iter().flatten() {
                let declared = value.as_str().and_then(|value| accountable((key, value), ("vault-custom-metadata", &shown)));
                if let Some(owner) = declared {
                    board.name(number, owner);
                }
            }
            kept.entry((mount.to_owned(), name.to_owned())).or_default().insert(number);
        }
    }
}

/// The AppRole roles that may read what was met.
async fn readers(board: &mut Board<'_>, asker: &Asker<'_>, mounts: &Value, kept: &BTreeMap<Kept, BTreeSet<Number>>) {
    let allow = "allow `list` and `read` on sys/policies/acl/* to hear who may read a secret";
    let names = listed(board, asker, "/v1/sys/policies/acl", allow).await;
    let mut policies: BTreeMap<String, Policy> = BTreeMap::new();
    for name in names {
        match asker.get(&format!("/v1/sys/policies/acl/{}", path(&name))).await {
            Ok(found) => match text(&found, "/data/policy").and_then(Policy::read) {
                Some(policy) => drop(policies.insert(name, policy)),
                // `root` has no text and may do everything.
                None if name == "root" => {}
                None => board.miss(VAULT, format!("policy {} cannot be read", clean(&name))),
            },
            Err(missed) => return board.miss(VAULT, missed.words(allow)),
        }
    }
    let auth = mounts.pointer("/data/auth").and_then(Value::as_object);
    for (mount, _) in auth.into_iter().flatten().filter(|(_, about)| text(about, "/type") == Some("approle")) {
        let allow = format!("allow `list` and `read` on auth/{mount}role/* to hear which roles may read a secret");
        let roles = format!("/v1/auth/{}role", path(mount));
        for role in listed(board, asker, &roles, &allow).await {
            match asker.get(&format!("{roles}/{}", path(&role))).await {
                Ok(found) => name_role(board, (mount, &role, &found), &policies, kept),
                Err(missed) => return board.miss(VAULT, missed.words(&allow)),
            }
        }
    }
}

async fn listed(board: &mut Board<'_>, asker: &Asker<'_>, path: &str, allow: &str) -> Vec<String> {
    match asker.get(&format!("{path}?list=true")).await {
        Ok(listed) => {
            let all = items(&listed, "/data/keys");
            if all.len() > ROLES {
                board.miss(VAULT, format!("{path}: {ROLES} were read and there are more"));
            }
            all.iter().filter_map(Value::as_str).take(ROLES).map(str::to_owned).collect()
        }
        Err(Missed::Absent) => Vec::new(),
        Err(missed) => {
            board.miss(VAULT, missed.words(allow));
            Vec::new()
        }
    }
}

fn name_role(
    board: &mut Board<'_>,
    (mount, role, found): (&str, &str, &Value),
    policies: &BTreeMap<String, Policy>,
    kept: &BTreeMap<Kept, BTreeSet<Number>>,
) {
    let names: Vec<&str> = items(found, "/data/token_policies").iter().filter_map(Value::as_str).collect();
    // Every token has the default policy unless its role says otherwise.
    let default = found.pointer("/data/token_no_default_policy") != Some(&Value::Bool(true));
    let names: Vec<&str> = names.into_iter().chain(default.then_some("default")).collect();
    let own: Vec<&Policy> = names.iter().filter_map(|name| policies.get(*name)).collect();
    for ((secrets, name), numbers) in kept {
        let wanted = format!("{secrets}data/{name}");
        if !may_read(&own, &wanted) {
            continue;
        }
        let (mount, role) = (clean(mount.trim_end_matches('/')), clean(role));
        let mut reader =
            owner(Edge::Consumer, format!("vault:auth/{mount}/role/{role}"), format!("AppRole {role}"), Tier::Inferred);
        let said = format!("may read {} (policies {})", clean(&wanted), clean(&names.join(", ")));
        reader.evidence.push(evidence("vault-approle-policy", format!("auth/{mount}/role/{role}"), said));
        for &number in numbers {
            board.name(number, reader.clone());
        }
    }
}

/// Asks as whom leaked tokens were given out.
async fn tokens(board: &mut Board<'_>, asker: &Asker<'_>) {
    for (number, value) in board.of(PROVIDER) {
        // A secret id of AppRole is of the same provider, and no token.
        let Some(value) = value.expose_str().filter(|value| is_token(value)) else { continue };
        let mut body = Zeroizing::new(Vec::with_capacity(2 * value.len() + 32));
        body.extend_from_slice(b"{\"token\":");
        // Writing text into memory does not fail.
        let _ = serde_json::to_writer(&mut *body, value);
        body.push(b'}');
        match asker.post("/v1/auth/token/lookup", body).await {
            Ok(found) => name_token(board, number, &found),
            // "bad token": it is no token of this Vault, or no more. Other refusals come with the same status.
            Err(missed) => board
                .miss(VAULT, missed.words("it is no token of this Vault now, or `update` on auth/token/lookup is to allow")),
        }
    }
}

/// Service, batch and recovery tokens (Vault, "Tokens": `hvs.`, `hvb.`, `hvr.`; before 1.10, and OpenBao, `s.`, `b.`, `r.`).
fn is_token(value: &str) -> bool {
    ["hvs.", "hvb.", "hvr.", "s.", "b.", "r."].iter().any(|start| value.starts_with(start))
}

fn name_token(board: &mut Board<'_>, number: Number, found: &Value) {
    let told = |pointer: &str| text(found, pointer).map(clean);
    let (Some(path), at) = (told("/data/path"), "auth/token/lookup") else { return };
    let name = told("/data/display_name").unwrap_or_else(|| "a token".to_owned());
    let policies: Vec<&str> = items(found, "/data/policies").iter().filter_map(Value::as_str).collect();
    let said = format!("given out by {path} to {name}, with policies {}", clean(&policies.join(", ")));
    let id =
        told("/data/entity_id").map_or_else(|| format!("vault:{path}/{name}"), |entity| format!("vault:entity/{entity}"));
    let mut principal = owner(Edge::Principal, id, name, Tier::Proven);
    principal.evidence.push(evidence("vault-token-lookup", at, said));
    board.name(number, principal);
    if let Some(role) = told("/data/meta/role_name") {
        let mount = path.trim_end_matches("/login").trim_start_matches("auth/");
        let id = format!("vault:auth/{mount}/role/{role}");
        let mut consumer = owner(Edge::Consumer, id, format!("AppRole {role}"), Tier::Proven);
        consumer.evidence.push(evidence("vault-token-lookup", at, format!("logged in by {path} as {role}")));
        board.name(number, consumer);
    }
    for (key, value) in found.pointer("/data/meta").and_then(Value::as_object).into_iter().flatten() {
        let declared = value.as_str().and_then(|value| accountable((key, value), ("vault-token-metadata", at)));
        if let Some(owner) = declared {
            board.name(number, owner);
        }
    }
    for (name, pointer) in [("vault_path", "/data/path"), ("vault_expires", "/data/expire_time")] {
        if let Some(value) = told(pointer) {
            board.fact(number, name, value);
        }
    }
}

/// A path whose every part is escaped.
fn path(text: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');
    utf8_percent_encode(text, KEPT).to_string()
}

#[cfg(test)]
mod tests;
