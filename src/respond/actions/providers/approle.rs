//! Vault's and OpenBao's `AppRole`: a secret id of a role is replaced by another of the same role, and destroyed by its accessor.
//! Which role it is of is asked of each role with the value itself, since neither says so; a login would mint a token.
//!
//! A new one is tried with a login, whose token revokes itself at once, or is revoked by its accessor, or is told of where neither can
//! be. Where a login could not tell (it is bound to addresses, each use is counted) or its token could not revoke itself (a batch token,
//! one without the policy `default`, which allows it), the role is asked whether it knows it. The old one is only ever asked about.
//! Source: Vault and OpenBao API, `AppRole` auth method: list roles, read role id, generate, list, look up and destroy secret ids and
//! accessors, login; tokens: revoke-self, revoke-accessor (<https://openbao.org/api-docs/auth/approle/>, <https://developer.hashicorp.com/vault/api-docs/auth/approle>); a
//! secret id that is not known is told by 204 or 404, an accessor by 403, 404 or 500 with "failed to find accessor entry".

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use zeroize::Zeroize;

use super::super::keys::{
    ABSENT, Call, Deed, Desk, GONE, Leaked, Object, Office, Proof, Service, Trouble, Voice, segment, text,
};
use super::super::replace::{Key, Mint, Minted, Replace, replacement};
use super::super::{Doing, Needs, World};
use super::vault::SERVICE;
use crate::model::{Identity, Liveness};
use crate::net::Method;
use crate::secret::Secret;

/// The same service for what needs nobody's token.
const LOGIN: Service = Service { voice: Voice::Anyone, ..SERVICE };
/// The member of a secret id's metadata that names the plan it was made for.
const LABEL: &str = "staunch";
/// More secret ids of one role than this are not looked through.
const MOST: usize = 500;
/// A new one must last for at least so long when the old one goes.
const SOON: Duration = Duration::from_hours(1);
/// So often, and with such pauses between, a token is asked to revoke itself.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(300);
const DESTROY: &str = "vault-approle-secret-id-destroy";
const PERMISSIONS: &[&str] = &[
    "list on auth/approle/role and auth/approle/role/+/secret-id",
    "read on auth/approle/role/+ and auth/approle/role/+/role-id",
    "update on auth/token/revoke-accessor, where the role's tokens may not revoke themselves",
    "update on auth/approle/role/+/secret-id and, below it, lookup, and on secret-id-accessor/lookup and secret-id-accessor/destroy",
];

/// What is said of a secret id or an accessor that does not exist.
fn absent(trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Refused { why, .. } | Trouble::Failed(why) | Trouble::Unknown(why)
            if why.contains("failed to find accessor entry") || why.contains("invalid secret_id_accessor") =>
        {
            Trouble::Absent
        }
        other => other,
    }
}

/// What is said to be absent is so only at a role that can be read: at another address, or where the method is mounted no more, all of
/// it is.
async fn vouched(desk: &Desk<'_>, role: &str) -> Trouble {
    match desk.get(&format!("/v1/{role}")).await {
        Ok(answer) if answer.pointer("/data").is_some() => Trouble::Absent,
        Ok(_) | Err(Trouble::Absent) => Trouble::Unknown(format!(
            "{role} is not there itself, so whether its secret id is cannot be told: look whether `address` is still the same server"
        )),
        Err(trouble) => {
            Trouble::Unknown(format!("{role} cannot be read, so its secret ids cannot be told: {}", trouble.why()))
        }
    }
}

/// Every name of a list; an empty one is said to be absent.
async fn names(desk: &Desk<'_>, path: &str) -> Result<Vec<String>, Trouble> {
    let answer = match desk.get(&format!("{path}?list=true")).await {
        Err(Trouble::Absent) => return Ok(Vec::new()),
        other => other?,
    };
    let keys = answer.pointer("/data/keys").and_then(Value::as_array);
    let keys = keys.ok_or_else(|| Trouble::Unknown("the list is not as it is documented".to_owned()))?;
    Ok(keys.iter().filter_map(|name| Some(name.as_str()?.to_owned())).collect())
}

/// Where the method is mounted; at its usual place where that may not be asked.
async fn mounts(desk: &Desk<'_>) -> Result<Vec<String>, Trouble> {
    let usual = || vec!["approle".to_owned()];
    match desk.get("/v1/sys/auth").await {
        Ok(answer) => {
            let all = answer.pointer("/data").and_then(Value::as_object);
            let all = all.ok_or_else(|| Trouble::Unknown("the list of mounts is not as it is documented".to_owned()))?;
            let ours = all.iter().filter(|(_, mount)| mount["type"] == "approle");
            Ok(ours.map(|(path, _)| path.trim_end_matches('/').to_owned()).collect())
        }
        Err(Trouble::Refused { status: 403, .. }) => Ok(usual()),
        Err(trouble) => Err(trouble),
    }
}

/// What a role says of a secret id; nothing where it does not know it.
async fn known(desk: &Desk<'_>, role: &str, value: &str) -> Result<Option<Value>, Trouble> {
    // It changes nothing, and says so of what it does not know by an answer without a body.
    let call = Call::new(Method::Post, format!("/v1/{role}/secret-id/lookup")).holding("secret_id", value, false);
    match desk.act(call).await.map_err(absent) {
        Ok(answer) => Ok(Some(answer).filter(|answer| answer.pointer("/data/secret_id_accessor").is_some())),
        Err(Trouble::Absent) => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

fn object(role: &str, answer: &Value) -> Result<Object, Trouble> {
    let accessor = text(answer, "/data/secret_id_accessor");
    let accessor = accessor.ok_or_else(|| Trouble::Unknown("a secret id is told without its accessor".to_owned()))?;
    let shown = |name: &str| answer.pointer(&format!("/data/{name}")).cloned().unwrap_or_default();
    let about = json!({
        "metadata": shown("metadata"), "cidr_list": shown("cidr_list"), "token_bound_cidrs": shown("token_bound_cidrs"),
        "secret_id_ttl": shown("secret_id_ttl"),
        "expires": expires(answer).map(|at| at.to_string()),
    });
    Ok(Object { id: format!("{role}/secret-id-accessor/{accessor}"), state: "valid".to_owned(), about, proof: Proof::Exact })
}

/// A role's path and an accessor, of an object's id.
fn split(id: &str) -> Result<(&str, &str), Trouble> {
    let pieces = id.rsplit_once("/secret-id-accessor/");
    pieces.ok_or_else(|| Trouble::Failed("the plan did not see which secret id it is".to_owned()))
}

/// One request about an accessor.
fn about_accessor(id: &str, verb: &str) -> Result<Call, Trouble> {
    let (role, accessor) = split(id)?;
    let call = Call::new(Method::Post, format!("/v1/{role}/secret-id-accessor/{verb}"));
    Ok(call.json(&json!({ "secret_id_accessor": accessor })))
}

/// What the server tells of a secret id by its accessor.
async fn told(desk: &Desk<'_>, id: &str) -> Result<Value, Trouble> {
    match desk.act(about_accessor(id, "lookup")?).await.map_err(absent) {
        Ok(Value::Null) | Err(Trouble::Absent) => Err(vouched(desk, split(id)?.0).await),
        other => other,
    }
}

/// When it expires, where it does. Go's zero time is no expiry.
fn expires(answer: &Value) -> Option<Timestamp> {
    let at = text(answer, "/data/expiration_time")?.parse::<Timestamp>().ok()?;
    (at > Timestamp::UNIX_EPOCH).then_some(at)
}

/// That what this run has put in the old one's place is still there, and for a while: before the old one goes.
async fn lasts(office: &SecretIds, desk: &Desk<'_>, id: &str) -> Result<(), Trouble> {
    let refused = |why: String| Err(Trouble::Refused { status: 0, why });
    let Some((new, _)) = replacement(desk.world).filter(|(new, _)| new != id) else { return Ok(()) };
    let soon = desk.world.hands.clock.now().checked_add(SOON).unwrap_or(Timestamp::MAX);
    match office.read(desk, &new).await {
        Err(Trouble::Absent) => refused(format!("{new}, which took its place, is not there any more; make a new plan")),
        Ok(found) => match found.about["expires"].as_str().and_then(|at| at.parse::<Timestamp>().ok()) {
            Some(at) if at < soon => refused(format!("{new}, which took its place, expires at {at}; make a new plan")),
            _ => Ok(()),
        },
        Err(trouble) => Err(trouble),
    }
}

/// How long the plan waits at least before the old one goes.
fn waits(world: &World<'_>) -> Duration {
    let seconds = world.plan.steps.iter().map(|step| {
        let with = step.with.get("seconds").and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        step.watch.saturating_add(with)
    });
    Duration::from_secs(seconds.fold(0, u64::saturating_add))
}

/// What speaks against a new one beside the old: it would end before the run's waits do, or before the old one.
fn short(world: &World<'_>, (old, new): (&Value, &Value)) -> Option<String> {
    let at = expires(new)?;
    let over = world.hands.clock.now().checked_add(waits(world)).unwrap_or(Timestamp::MAX);
    if at < over {
        return Some(format!("it would expire at {at}, before the plan's waits are over at {over}"));
    }
    match expires(old) {
        Some(old) if old <= at => None,
        old => Some(format!(
            "it would expire at {at}, and the old one {}",
            old.map_or_else(|| "never".to_owned(), |old| format!("at {old}"))
        )),
    }
}

struct SecretIds;

impl Office for SecretIds {
    fn find<'a>(&'a self, desk: &'a Desk<'_>, leaked: &'a Leaked) -> Doing<'a, Result<Vec<Object>, Trouble>> {
        Box::pin(async move {
            let value = leaked.text().map_err(Trouble::Failed)?;
            let mut found = Vec::new();
            for mount in mounts(desk).await? {
                let mount = mount.split('/').map(segment).collect::<Vec<_>>().join("/");
                for role in names(desk, &format!("/v1/auth/{mount}/role")).await? {
                    let role = format!("auth/{mount}/role/{}", segment(&role));
                    if let Some(answer) = known(desk, &role, value).await? {
                        found.push(object(&role, &answer)?);
                    }
                }
            }
            Ok(found)
        })
    }

    fn read<'a>(&'a self, desk: &'a Desk<'_>, id: &'a str) -> Doing<'a, Result<Object, Trouble>> {
        Box::pin(async move { object(split(id)?.0, &told(desk, id).await?) })
    }

    fn put<'a>(&'a self, desk: &'a Desk<'_>, id: &'a str, _state: &'a str) -> Doing<'a, Result<(), Trouble>> {
        Box::pin(async move {
            lasts(self, desk, id).await?;
            desk.act(about_accessor(id, "destroy")?).await.map_err(absent).map(drop)
        })
    }
}

pub(super) const SECRET_ID_DESTROY: Deed = Deed {
    name: DESTROY,
    service: &SERVICE,
    office: &SecretIds,
    wanted: ABSENT,
    effect: "destroy the secret id by its accessor; tokens that it logged in for live on until they expire",
    undo: None,
    permissions: PERMISSIONS,
};

pub(super) const SECRET_ID_CREATE: Replace = Replace(&SecretId);

struct SecretId;

/// The old one's object: as the plan saw it, else by the value.
async fn old(world: &World<'_>) -> Result<Object, Trouble> {
    let leaked = Leaked::recall(world).map_err(|why| Trouble::Refused { status: 0, why })?;
    let desk = Desk::open(world, &SERVICE, leaked.as_ref())?;
    match world.before.get("object").and_then(Value::as_str) {
        Some(id) => SecretIds.read(&desk, id).await,
        None => SECRET_ID_DESTROY.located(&desk, leaked.as_ref()).await,
    }
}

/// The role's path: as the plan saw it, else by the value.
async fn role(world: &World<'_>) -> Result<String, Trouble> {
    if let Some(id) = world.before.get("object").and_then(Value::as_str) {
        return Ok(split(id)?.0.to_owned());
    }
    Ok(split(&old(world).await?.id)?.0.to_owned())
}

/// The role's secret ids that are named so.
async fn listed(world: &World<'_>, label: &str) -> Result<Vec<Key>, Trouble> {
    let role = role(world).await?;
    let desk = Desk::open(world, &SERVICE, None)?;
    let accessors = names(&desk, &format!("/v1/{role}/secret-id")).await?;
    if accessors.len() > MOST {
        return Err(Trouble::Failed(format!("{role} has more than {MOST} secret ids; destroy those that nobody uses")));
    }
    let mut keys = Vec::new();
    for accessor in accessors {
        let id = format!("{role}/secret-id-accessor/{accessor}");
        match SecretIds.read(&desk, &id).await {
            // It expired since it was listed.
            Err(Trouble::Absent) => {}
            found => {
                if found?.about["metadata"][LABEL] == label {
                    keys.push(Key { id, state: "active".to_owned(), label: Some(label.to_owned()), made: None });
                }
            }
        }
    }
    Ok(keys)
}

async fn mint(world: &World<'_>, label: &str) -> Result<Minted, Trouble> {
    let Object { id: old, about, .. } = old(world).await?;
    let role = role(world).await?;
    let desk = Desk::open(world, &SERVICE, None)?;
    let was = told(&desk, &old).await?;
    // The uses that are left of the old one; of the new one the role says how many it has.
    let left = was.pointer("/data/secret_id_num_uses").and_then(Value::as_u64).unwrap_or(0);
    let given = desk.get(&format!("/v1/{role}")).await?.pointer("/data/secret_id_num_uses").and_then(Value::as_u64);
    if left > 0 && given.unwrap_or(0) == 0 {
        return Err(Trouble::Refused {
            status: 0,
            why: format!(
                "the old one may be used {left} more time(s), and {role} gives out ones that may be used without end; set its \
                 secret_id_num_uses, or replace it by hand"
            ),
        });
    }
    let mut metadata = about["metadata"].as_object().cloned().unwrap_or_default();
    metadata.insert(LABEL.to_owned(), json!(label));
    // It takes its metadata as a text of JSON.
    let mut body = Map::from_iter([("metadata".to_owned(), json!(Value::Object(metadata).to_string()))]);
    for bound in ["cidr_list", "token_bound_cidrs"] {
        body.extend(about[bound].as_array().filter(|all| !all.is_empty()).map(|all| (bound.to_owned(), json!(all))));
    }
    let ttl = about["secret_id_ttl"].as_u64().filter(|ttl| *ttl > 0);
    body.extend(ttl.map(|ttl| ("ttl".to_owned(), json!(ttl))));
    let mut answer = desk.act(Call::new(Method::Post, format!("/v1/{role}/secret-id")).json(&Value::Object(body))).await?;
    let accessor = text(&answer, "/data/secret_id_accessor");
    match (accessor, taken(&mut answer, "/data/secret_id")) {
        (Some(accessor), Some(value)) => {
            let id = format!("{role}/secret-id-accessor/{accessor}");
            // Its role may give it less time than the old one was given.
            let Some(why) = short(world, (&was, &told(&desk, &id).await.map_err(unseen)?)) else {
                return Ok(Minted { id, parts: vec![("secret_id".to_owned(), value)] });
            };
            gone(&desk, &id).await.map_err(unseen)?;
            Err(Trouble::Failed(format!(
                "{why}; it was destroyed again: give the role a longer secret_id_ttl, or replace it by hand"
            )))
        }
        // It may have made one: whoever looks finds it by its name.
        _ => Err(Trouble::Unknown("the answer to the new secret id is not as it is documented".to_owned())),
    }
}

/// One was made, and what became of it cannot be told: whoever looks finds it by its name.
fn unseen(trouble: Trouble) -> Trouble {
    Trouble::Unknown(format!("a new secret id was made, and cannot be looked at: {}", trouble.why()))
}

/// Destroys one. Done is what can be seen, not what was answered.
async fn gone(desk: &Desk<'_>, id: &str) -> Result<(), Trouble> {
    match SecretIds.put(desk, id, ABSENT).await {
        Ok(()) | Err(Trouble::Absent | Trouble::Unknown(_)) => {}
        Err(trouble) => return Err(trouble),
    }
    match SecretIds.read(desk, id).await {
        Err(Trouble::Absent) => Ok(()),
        Ok(_) => Err(Trouble::Unknown("it was destroyed, and its accessor is still known".to_owned())),
        Err(trouble) => Err(trouble),
    }
}

/// A secret out of an answer, which does not keep it.
fn taken(answer: &mut Value, pointer: &str) -> Option<Secret> {
    let Value::String(text) = answer.pointer_mut(pointer)? else { return None };
    let secret = Secret::new(text.as_bytes());
    text.zeroize();
    Some(secret)
}

/// Whether a login with a secret id tells whether it works, and leaves nothing behind.
async fn is_free(desk: &Desk<'_>, role: &str, known: &Value) -> Result<bool, Trouble> {
    let answer = desk.get(&format!("/v1/{role}")).await?;
    let empty = |of: &Value| of.as_array().is_none_or(Vec::is_empty);
    let bound = ["secret_id_bound_cidrs", "token_bound_cidrs"].iter().any(|name| !empty(&answer["data"][*name]));
    let own = ["cidr_list", "token_bound_cidrs"].iter().any(|name| !empty(&known["data"][*name]));
    let counted =
        known["data"]["secret_id_num_uses"].as_u64() != Some(0) || answer["data"]["token_num_uses"].as_u64() != Some(0);
    let stays = answer["data"]["token_type"] == "batch" || answer["data"]["token_no_default_policy"] == true;
    Ok(!bound && !own && !counted && !stays)
}

/// Logs in, and takes the token away again. What is to be said where it stays.
async fn login(world: &World<'_>, role: &str, value: &Secret) -> Result<Option<String>, Trouble> {
    let desk = Desk::open(world, &SERVICE, None)?;
    let id = text(&desk.get(&format!("/v1/{role}/role-id")).await?, "/data/role_id");
    let id = id.ok_or_else(|| Trouble::Unknown("the role's id is not told".to_owned()))?;
    let mount = role.rsplit_once("/role/").map_or(role, |(mount, _)| mount);
    let secret = value.expose_str().ok_or_else(|| Trouble::Failed("it is not text".to_owned()))?;
    let call = Call::new(Method::Post, format!("/v1/{mount}/login"));
    let call = call.with(&[("role_id", id.as_str()), ("secret_id", secret)]);
    let anyone = Desk::open(world, &LOGIN, None)?;
    let mut answer = anyone.act(call).await.map_err(|trouble| match trouble {
        Trouble::Unknown(why) => {
            Trouble::Unknown(format!("{why}; the login may have made a token, which lives until it expires"))
        }
        other => other,
    })?;
    let token = taken(&mut answer, "/auth/client_token");
    let token = token.ok_or_else(|| Trouble::Unknown("the login's answer has no token in it".to_owned()))?;
    // What was let in has proved it, whatever becomes of its token.
    Ok(revoked(world, desk, (&token, text(&answer, "/auth/accessor"))).await.err())
}

/// Takes a login's token away: it revokes itself, else it is revoked by its accessor.
async fn revoked(world: &World<'_>, desk: Desk<'_>, (token, accessor): (&Secret, Option<String>)) -> Result<(), String> {
    let own = desk.spoken_to_by(token);
    let mut said = String::new();
    for attempt in 0..ATTEMPTS {
        tokio::time::sleep(PAUSE * attempt).await;
        match own.act(Call::new(Method::Post, "/v1/auth/token/revoke-self")).await {
            Ok(_) => return Ok(()),
            // An attempt before it may have been heard: then nobody knows it any more. Else it may not.
            Err(trouble @ Trouble::Refused { .. }) => {
                said = trouble.why();
                break;
            }
            Err(trouble) => said = trouble.why(),
        }
    }
    let accessor = accessor.ok_or_else(|| format!("the token of the login that tried it could not be revoked ({said})"))?;
    let call = Call::new(Method::Post, "/v1/auth/token/revoke-accessor").json(&json!({ "accessor": accessor }));
    let by_accessor = async { Desk::open(world, &SERVICE, None)?.act(call).await };
    match by_accessor.await {
        Ok(_) | Err(Trouble::Absent) => Ok(()),
        Err(trouble) => Err(format!(
            "the token of the login that tried it, with the accessor {accessor}, may be live until it expires: it does not revoke \
             itself ({said}), and by its accessor it could not be revoked ({})",
            trouble.why()
        )),
    }
}

/// What is known of a secret id.
enum Known {
    Live,
    /// It is live, and this is to be said.
    But(String),
    Not,
}

async fn works(world: &World<'_>, parts: &[(String, Secret)]) -> Liveness {
    let Some((_, value)) = parts.iter().find(|(name, _)| name == "secret_id") else {
        return Liveness::Unknown(GONE.to_owned());
    };
    let looked = async {
        let desk = Desk::open(world, &SERVICE, None)?;
        let role = role(world).await?;
        let text = value.expose_str().ok_or_else(|| Trouble::Failed("it is not text".to_owned()))?;
        let Some(answer) = known(&desk, &role, text).await? else {
            return match vouched(&desk, &role).await {
                Trouble::Absent => Ok(Known::Not),
                trouble => Err(trouble),
            };
        };
        let key = world.hands.stores.key.as_ref();
        let print = key.map(|key| key.fingerprint(value.expose()));
        let is_old = print.is_none_or(|print| world.plan.parts.values().flatten().any(|old| *old == print));
        if !is_old && is_free(&desk, &role, &answer).await? {
            return Ok(match login(world, &role, value).await? {
                None => Known::Live,
                Some(left) => Known::But(left),
            });
        }
        Ok::<_, Trouble>(Known::Live)
    };
    match looked.await {
        Ok(Known::Live) => Liveness::Live(Identity::default()),
        Ok(Known::But(left)) => Liveness::Limited(Identity::default(), left),
        Ok(Known::Not) => Liveness::Dead("its role knows no such secret id".to_owned()),
        Err(trouble) => Liveness::Unknown(trouble.why()),
    }
}

impl Mint for SecretId {
    fn name(&self) -> &'static str {
        "vault-approle-secret-id-create"
    }

    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    fn needs(&self) -> Needs {
        SERVICE.needs()
    }

    fn permissions(&self) -> &'static [&'static str] {
        PERMISSIONS
    }

    fn what(&self, _with: &BTreeMap<String, String>) -> String {
        "another secret id of the same role, with the old one's metadata and bounds".to_owned()
    }

    fn listed<'a>(&'a self, world: &'a World<'_>, label: &'a str) -> Doing<'a, Result<Vec<Key>, Trouble>> {
        Box::pin(listed(world, label))
    }

    fn about<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Result<Value, Trouble>> {
        Box::pin(async move { Ok(json!(old(world).await?.id)) })
    }

    fn works<'a>(&'a self, world: &'a World<'_>, parts: &'a [(String, Secret)]) -> Option<Doing<'a, Liveness>> {
        Some(Box::pin(works(world, parts)))
    }

    fn mint<'a>(&'a self, world: &'a World<'_>, label: &'a str) -> Doing<'a, Result<Minted, Trouble>> {
        Box::pin(mint(world, label))
    }

    fn remove<'a>(&'a self, world: &'a World<'_>, id: &'a str) -> Doing<'a, Result<(), Trouble>> {
        Box::pin(async move { gone(&Desk::open(world, &SERVICE, None)?, id).await })
    }
}
