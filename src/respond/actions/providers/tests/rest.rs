//! Providers that look a credential up, and tokens that find themselves.

use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::{Asked, Case, Said, State, StepState, body};

#[expect(clippy::unnecessary_wraps, reason = "it ends what may have no answer")]
fn ok(json: &Value) -> Option<Said> {
    Some((200, json.to_string()))
}

fn litellm(asked: &Asked, state: &State) -> Option<Said> {
    let hash = HEXLOWER.encode(digest(&SHA256, state.value.as_bytes()).as_ref());
    (asked.line == format!("GET /key/info?key={hash}")).then_some(())?;
    ok(
        &json!({ "key": hash, "info": { "key_alias": "ci", "blocked": if state.stopped { json!(true) } else { Value::Null } } }),
    )
}

fn cloudflare(asked: &Asked, state: &State) -> Option<Said> {
    let status = if state.stopped { "disabled" } else { "active" };
    (asked.line == "GET /client/v4/user/tokens/tok1").then_some(())?;
    ok(&json!({ "success": true, "result": { "id": "tok1", "name": "ci", "status": status, "issued_on": "2026",
                "policies": [{ "id": "p", "effect": "allow" }], "last_used_on": "2026-02-02" } }))
}

fn google(asked: &Asked, state: &State) -> Option<Said> {
    let name = "projects/12/locations/global/keys/u-1";
    match asked.line.as_str() {
        line if line == format!("GET /v2/keys:lookupKey?keyString={}", state.value) => {
            ok(&json!({ "parent": "projects/12/locations/global", "name": name }))
        }
        line if line == format!("GET /v2/{name}") => {
            let mut key = json!({ "name": name, "displayName": "web", "uid": "u-1" });
            if state.stopped {
                key["deleteTime"] = "2026-01-01T00:00:00Z".into();
            }
            ok(&key)
        }
        _ => None,
    }
}

fn restricted(asked: &Asked, state: &State) -> Option<Said> {
    let name = "projects/12/locations/global/keys/u-1";
    let targets = json!([{ "service": "maps-backend.googleapis.com" }, { "service": "generativelanguage.googleapis.com" }]);
    let mut restrictions =
        json!({ "apiTargets": targets, "browserKeyRestrictions": { "allowedReferrers": ["https://shop.example/*"] } });
    if state.stopped {
        restrictions = json!({ "apiTargets": targets, "serverKeyRestrictions": { "allowedIps": ["192.0.2.1"] } });
    }
    if asked.line == format!("GET /v2/{name}") {
        return ok(&json!({ "name": name, "displayName": "web", "uid": "u-1", "restrictions": restrictions }));
    }
    google(asked, state)
}

fn approle(asked: &Asked, state: &State) -> Option<Said> {
    const ROLE: &str = "/v1/auth/approle/role";
    let data = json!({ "data": { "secret_id_accessor": "acc1", "metadata": { "team": "web" }, "cidr_list": [], "secret_id_ttl": 0,
                       "expiration_time": "0001-01-01T00:00:00Z" } });
    let line = asked.line.as_str();
    match line.split_once(ROLE) {
        None if line == "GET /v1/sys/auth" => {
            ok(&json!({ "data": { "approle/": { "type": "approle" }, "token/": { "type": "token" } } }))
        }
        Some(("GET ", "?list=true")) => ok(&json!({ "data": { "keys": ["app", "other"] } })),
        Some(("GET ", "/app")) => ok(&json!({ "data": { "secret_id_num_uses": 0 } })),
        Some(("POST ", "/app/secret-id/lookup")) if !state.stopped && body(asked)["secret_id"] == state.value.as_str() => {
            ok(&data)
        }
        Some(("POST ", "/app/secret-id/lookup" | "/other/secret-id/lookup")) => Some((204, String::new())),
        Some(("POST ", "/app/secret-id-accessor/lookup")) if !state.stopped => ok(&data),
        Some(("POST ", "/app/secret-id-accessor/lookup")) => {
            Some((404, json!({ "data": { "error": "failed to find accessor entry for secret_id_accessor" } }).to_string()))
        }
        _ => None,
    }
}

fn vault(asked: &Asked, state: &State) -> Option<Said> {
    let data = json!({ "data": { "accessor": "acc1", "display_name": "token-ci", "path": "auth/token/create", "policies": ["ci"],
                       "ttl": 3000, "expire_time": null } });
    match (asked.line.as_str(), state.stopped) {
        ("POST /v1/auth/token/lookup", false) if body(asked)["token"] == state.value.as_str() => ok(&data),
        ("POST /v1/auth/token/lookup-accessor", false) if body(asked)["accessor"] == "acc1" => ok(&data),
        ("POST /v1/auth/token/lookup", _) => Some((403, r#"{"errors":["bad token"]}"#.to_owned())),
        ("POST /v1/auth/token/lookup-accessor", _) => {
            Some((403, "{\"errors\":[\"1 error occurred:\\n\\t* invalid accessor\\n\\n\"]}".to_owned()))
        }
        _ => None,
    }
}

const ACCOUNT: &str = "/subscriptions/s-1/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/acme";
const VERSION: &str = "api-version=2023-05-01";

fn azure(asked: &Asked, state: &State, local: bool) -> Option<Said> {
    let listed = json!({ "value": [
        { "id": format!("{}x", ACCOUNT), "properties": { "endpoint": "https://other.openai.azure.com/" } },
        { "id": ACCOUNT, "properties": { "endpoint": "https://acme-prod.openai.azure.com/" } },
    ] });
    let line = asked.line.as_str();
    let is = |method: &str, path: &str| line == format!("{method} {path}{VERSION}");
    if line == "GET /subscriptions?api-version=2022-12-01" {
        ok(&json!({ "value": [{ "subscriptionId": "s-1" }] }))
    } else if is("GET", "/subscriptions/s-1/providers/Microsoft.CognitiveServices/accounts?") {
        ok(&listed)
    } else if is("POST", &format!("{ACCOUNT}/listKeys?")) {
        if local && state.stopped {
            return Some((400, r#"{"error":{"code":"BadRequest","message":"local auth is disabled"}}"#.to_owned()));
        }
        let leaked = if state.stopped { "made-anew" } else { &state.value };
        ok(&json!({ "key1": "the-other-key", "key2": leaked }))
    } else if is("GET", &format!("{ACCOUNT}?")) {
        ok(&json!({ "id": ACCOUNT, "properties": { "disableLocalAuth": state.stopped } }))
    } else {
        None
    }
}

fn azure_text() -> String {
    let key = ["120", "8e2811e4c24f6d7c8044f5", "4ab9202"].concat();
    format!("AZURE_OPENAI_API_KEY={key}\nAZURE_OPENAI_ENDPOINT=https://acme-prod.openai.azure.com/\n")
}

const AZURE_LIVE: (&str, (u16, &str), (u16, &str)) = (
    "GET /openai/models?api-version=2024-10-21",
    (200, r#"{"data":[],"object":"list"}"#),
    (401, r#"{"error":{"code":"401","message":"Access denied due to invalid subscription key or wrong API endpoint."}}"#),
);

fn heroku(asked: &Asked, state: &State) -> Option<Said> {
    let unauthorized = || Some((401, r#"{"id":"unauthorized","message":"Invalid credentials provided."}"#.to_owned()));
    let one = json!({ "id": "auth1", "description": "ci", "created_at": "2026", "access_token": { "token": state.value } });
    let other = json!({ "id": "auth2", "description": "cli", "access_token": { "token": "another" } });
    match (asked.line.as_str(), state.stopped) {
        (_, true) => unauthorized(),
        ("GET /oauth/authorizations", _) => ok(&json!([other, one])),
        ("GET /oauth/authorizations/auth1", _) => ok(&one),
        _ => None,
    }
}

fn databricks(asked: &Asked, state: &State) -> Option<Said> {
    let one = |id: &str| json!({ "token_id": id, "comment": "ci", "creation_time": 1, "expiry_time": -1 });
    (asked.line == "GET /api/2.0/token/list").then_some(())?;
    if state.stopped {
        return Some((403, r#"{"error_code":"403","message":"Invalid access token."}"#.to_owned()));
    }
    let mut tokens = vec![one("t1")];
    tokens.extend(state.twin.then(|| one("t2")));
    ok(&json!({ "token_infos": tokens }))
}

pub(super) const CASES: &[Case] = &[
    Case {
        detector: "litellm-key",
        text: None,
        playbook: "litellm-contain",
        identity: &[],
        reads: litellm,
        change: |asked| match asked.line.as_str() {
            "POST /key/block" => Some(true),
            "POST /key/unblock" => Some(false),
            _ => None,
        },
        changed: (200, "{}"),
        live: ("GET /never", (200, ""), (200, "")),
        // Nothing is asked of an address that the key does not tell.
        proof: StepState::Unknown,
        twins: false,
    },
    Case {
        detector: "cloudflare-user-token",
        text: None,
        playbook: "cloudflare-contain",
        identity: &[("id", "tok1")],
        reads: cloudflare,
        change: |asked| {
            (asked.line == "PUT /client/v4/user/tokens/tok1" && body(asked)["policies"][0]["id"] == "p")
                .then(|| body(asked)["status"] == "disabled")
        },
        changed: (200, r#"{"success":true}"#),
        live: (
            "GET /client/v4/user/tokens/verify",
            (200, r#"{"success":true,"result":{"id":"tok1","status":"active"}}"#),
            (200, r#"{"success":true,"result":{"id":"tok1","status":"disabled"}}"#),
        ),
        proof: StepState::Succeeded,
        twins: false,
    },
    Case {
        detector: "google-api-key",
        text: None,
        playbook: "google-api-key-contain",
        identity: &[],
        reads: google,
        change: |asked| match asked.line.as_str() {
            "DELETE /v2/projects/12/locations/global/keys/u-1" => Some(true),
            "POST /v2/projects/12/locations/global/keys/u-1:undelete" => Some(false),
            _ => None,
        },
        changed: (200, r#"{"name":"operations/akmf.1"}"#),
        live: (
            "GET /v1beta/models?pageSize=1",
            (200, r#"{"models":[]}"#),
            (400, r#"{"error":{"status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}"#),
        ),
        proof: StepState::Succeeded,
        twins: false,
    },
    Case {
        detector: "google-api-key",
        text: None,
        playbook: "google-api-key-restrict-contain",
        identity: &[],
        reads: restricted,
        change: |asked| {
            let body = body(asked);
            let patched = asked.line == "PATCH /v2/projects/12/locations/global/keys/u-1?updateMask=restrictions";
            // What it may serve stays as it was.
            assert!(!patched || body["restrictions"]["apiTargets"].as_array().is_some_and(|all| all.len() == 2), "{body}");
            patched.then(|| body["restrictions"].get("serverKeyRestrictions").is_some())
        },
        changed: (200, r#"{"name":"operations/akmf.2"}"#),
        live: (
            "GET /v1beta/models?pageSize=1",
            (200, r#"{"models":[]}"#),
            (403, r#"{"error":{"status":"PERMISSION_DENIED","details":[{"reason":"API_KEY_IP_ADDRESS_BLOCKED"}]}}"#),
        ),
        proof: StepState::Succeeded,
        twins: false,
    },
    Case {
        detector: "vault-approle-secret-id",
        text: None,
        playbook: "vault-approle-contain",
        identity: &[],
        reads: approle,
        change: |asked| (asked.line == "POST /v1/auth/approle/role/app/secret-id-accessor/destroy").then_some(true),
        changed: (204, ""),
        // Nothing is asked as it: a login would mint a token.
        live: ("GET /none", (200, "{}"), (403, "{}")),
        proof: StepState::Succeeded,
        twins: false,
    },
    Case {
        detector: "vault-service-token",
        text: None,
        playbook: "vault-contain",
        identity: &[],
        reads: vault,
        change: |asked| (asked.line == "POST /v1/auth/token/revoke-accessor").then_some(true),
        changed: (204, ""),
        live: ("GET /v1/auth/token/lookup-self", (200, "{}"), (403, r#"{"errors":["permission denied"]}"#)),
        // A refusal does not tell a revoked token from one that is bound to other addresses; that its accessor is gone does.
        proof: StepState::Succeeded,
        twins: false,
    },
    Case {
        detector: "azure-openai-legacy-key",
        text: Some(azure_text),
        playbook: "azure-openai-contain",
        identity: &[],
        reads: |asked, state| azure(asked, state, false),
        change: |asked| {
            (asked.line == format!("POST {ACCOUNT}/regenerateKey?{VERSION}") && body(asked)["keyName"] == "Key2")
                .then_some(true)
        },
        changed: (200, r#"{"key1":"the-other-key","key2":"made-anew"}"#),
        live: AZURE_LIVE,
        proof: StepState::Succeeded,
        twins: false,
    },
    Case {
        detector: "azure-openai-legacy-key",
        text: Some(azure_text),
        playbook: "azure-openai-stop-all-contain",
        identity: &[],
        reads: |asked, state| azure(asked, state, true),
        change: |asked| {
            (asked.line == format!("PATCH {ACCOUNT}?{VERSION}"))
                .then(|| body(asked)["properties"]["disableLocalAuth"] == true)
        },
        changed: (200, "{}"),
        live: AZURE_LIVE,
        proof: StepState::Succeeded,
        twins: false,
    },
    Case {
        detector: "heroku-api-key",
        text: None,
        playbook: "heroku-contain",
        identity: &[("id", "u-1")],
        reads: heroku,
        change: |asked| (asked.line == "DELETE /oauth/authorizations/auth1").then_some(true),
        changed: (200, "{}"),
        live: ("GET /account", (200, r#"{"id":"u-1"}"#), (401, r#"{"id":"unauthorized"}"#)),
        proof: StepState::Succeeded,
        twins: false,
    },
    Case {
        detector: "databricks-access-token",
        text: Some(|| {
            let token = ["dap", "ic4f1a90be27d4e3385f6b", "1d2907ac3e8"].concat();
            format!("DATABRICKS_HOST=https://dbc-1a2b3c4d-5e6f.cloud.databricks.com\nDATABRICKS_TOKEN={token}\n")
        }),
        playbook: "databricks-contain",
        identity: &[("user", "kim@example.com"), ("id", "77")],
        reads: databricks,
        change: |asked| (asked.line == "POST /api/2.0/token/delete" && body(asked)["token_id"] == "t1").then_some(true),
        changed: (200, "{}"),
        live: (
            "GET /api/2.0/preview/scim/v2/Me",
            (200, r#"{"userName":"kim@example.com"}"#),
            (401, r#"{"error_code":"UNAUTHENTICATED"}"#),
        ),
        proof: StepState::Succeeded,
        twins: true,
    },
];
