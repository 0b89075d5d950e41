//! A token of a real OpenBao: told live, traced to whom it was given out and where it is kept, revoked with two people's word, and
//! refused. The wire is Vault's.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use data_encoding::BASE64;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use crate::harness::aws::unique;
use crate::harness::program::{Home, Output, Run};
use crate::harness::services::setting;

/// Asks OpenBao with a token; the status and the answer.
pub(super) fn bao(token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let url = setting("STAUNCH_TEST_OPENBAO");
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    let body = body.to_string();
    // HTTP/1.0: the answer comes in one piece and ends with the connection.
    let head = format!("{method} /v1/{path} HTTP/1.0\r\nX-Vault-Token: {token}\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all((head + &body).as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap_or_default())
}

pub(super) fn root(method: &str, path: &str, body: &Value) -> Value {
    let (status, said) = bao("root", method, path, body);
    assert!(status < 300, "{method} {path}: {status} {said}");
    said
}

/// A token that a role logged in for, leaked in a tree and kept in KV; and what reads.
struct Leak {
    home: Home,
    name: String,
    token: String,
    reader: String,
}

/// What the reader's and the responder's token may do.
const POLICY: &str = "path \"secret/*\" { capabilities = [\"read\", \"list\"] }\npath \"sys/policies/acl*\" { capabilities = [\"read\", \"list\"] }\n\
                      path \"auth/approle/role*\" { capabilities = [\"read\", \"list\"] }\npath \"auth/token/*\" { capabilities = [\"update\"] }";

impl Leak {
    fn new() -> Self {
        let name = unique("bao").to_lowercase();
        let mounted = root("GET", "sys/auth", &json!({}));
        if mounted.pointer("/data/approle~1").is_none() {
            // Another test may be quicker.
            bao("root", "POST", "sys/auth/approle", &json!({ "type": "approle" }));
        }
        let own = format!("path \"secret/data/{name}/*\" {{ capabilities = [\"read\"] }}");
        root("PUT", &format!("sys/policies/acl/{name}"), &json!({ "policy": own }));
        root("PUT", "sys/policies/acl/reader", &json!({ "policy": POLICY }));
        root("POST", &format!("auth/approle/role/{name}"), &json!({ "token_policies": [name], "token_ttl": "1h" }));
        let role = root("GET", &format!("auth/approle/role/{name}/role-id"), &json!({}))["data"]["role_id"].clone();
        let secret = root("POST", &format!("auth/approle/role/{name}/secret-id"), &json!({}))["data"]["secret_id"].clone();
        let login = root("POST", "auth/approle/login", &json!({ "role_id": role, "secret_id": secret }));
        let token = login["auth"]["client_token"].as_str().unwrap().to_owned();
        let reader = root("POST", "auth/token/create", &json!({ "policies": ["reader"] }));
        let reader = reader["auth"]["client_token"].as_str().unwrap().to_owned();
        root("POST", &format!("secret/data/{name}/api"), &json!({ "data": { "TOKEN": token, "other": "something else" } }));
        root("POST", &format!("secret/metadata/{name}/api"), &json!({ "custom_metadata": { "owner": "ann@corp.example" } }));
        let home = Home::new();
        fs::create_dir_all(home.work().join("app")).unwrap();
        fs::write(home.work().join("app/.env"), format!("VAULT_TOKEN={token}\n")).unwrap();
        let url = setting("STAUNCH_TEST_OPENBAO");
        let approvers: String = [("kim", 1), ("lee", 2)].map(|(who, seed)| approver(&home, who, seed)).concat();
        let config = format!(
            "[network]\nendpoints = {{ vault = {url:?} }}\n[ownership]\nask = [\"hashicorp-vault\"]\n[[responder.provider]]\nname = \
             \"hashicorp-vault\"\naddress = {url:?}\ncredential = \"env:READER\"\nowned = [\"*\"]\n{approvers}"
        );
        fs::write(home.root().join("home/config.toml"), config).unwrap();
        Self { home, name, token, reader }
    }

    fn staunch(&self, arguments: &[&str]) -> Run {
        let config = self.home.root().join("home/config.toml");
        let run = self.home.staunch(arguments).env("STAUNCH_CONFIG", config).env("STAUNCH_REQUESTER", "tests");
        run.env("READER", &self.reader)
    }

    fn triage(&self) -> (Value, Output) {
        let output = self.staunch(&["triage", "app", "--format", "jsonl"]).output();
        let finding = output.stdout().lines().next().map(|line| serde_json::from_str(line).unwrap());
        (finding.unwrap_or_else(|| panic!("{}", output.stderr())), output)
    }
}

/// Somebody who may approve: a key in a file, and the settings' entry for it.
pub(super) fn approver(home: &Home, who: &str, seed: u8) -> String {
    let seed = [seed; 32];
    let head = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    let der = [&head[..], &seed].concat();
    let kind = "PRIVATE KEY";
    let pem = format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", BASE64.encode(&der));
    fs::write(home.root().join(format!("home/{who}.pem")), pem).unwrap();
    let public = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
    format!("[[approver]]\nname = {who:?}\nkey = {:?}\n", BASE64.encode(public.public_key().as_ref()))
}

#[test]
fn a_token_is_told_live_and_traced_to_its_role_and_to_where_it_is_kept() {
    let leak = Leak::new();
    let (finding, output) = leak.triage();
    assert_eq!(finding["detector"], "vault-legacy-token", "{finding}");
    assert_eq!(finding["liveness"]["state"], "live", "{}", finding["liveness"]);
    assert_eq!(finding["liveness"]["identity"]["path"], "auth/approle/login");
    let stored = finding["facts"]["stored_in"].as_str().unwrap_or_else(|| panic!("{}", output.stderr()));
    assert_eq!(stored, format!("vault secret/{}/api TOKEN", leak.name));
    let owners = finding["owners"].as_array().unwrap();
    let role = format!("vault:auth/approle/role/{}", leak.name);
    let role =
        owners.iter().find(|owner| owner["id"] == role.as_str()).unwrap_or_else(|| panic!("{owners:?} {}", output.stderr()));
    // It logged in as that role, which may read the secret as well.
    assert_eq!((role["edge"].as_str(), role["tier"].as_str()), (Some("consumer"), Some("proven")));
    assert!(role["evidence"][0]["as_of"].is_string(), "{role}");
    let techniques: Vec<_> =
        role["evidence"].as_array().unwrap().iter().map(|one| one["technique"].as_str().unwrap()).collect();
    assert!(techniques.contains(&"vault-token-lookup") && techniques.contains(&"vault-approle-policy"), "{techniques:?}");
    assert!(owners.iter().any(|owner| owner["id"] == "mail:ann@corp.example" && owner["tier"] == "declared"), "{owners:?}");
    for text in [output.stdout(), output.stderr()] {
        assert!(!text.contains(&leak.token) && !text.contains(&leak.reader), "a token was shown");
    }
}

#[test]
fn a_token_is_revoked_with_two_peoples_word_and_refused_from_then_on() {
    let leak = Leak::new();
    let plan = leak.staunch(&["respond", "plan", "app", "--format", "json"]).output();
    let plan: Value = serde_json::from_str(&plan.stdout()).unwrap_or_else(|_| panic!("{}", plan.stderr()));
    assert_eq!(plan["plan"]["steps"][0]["observed"]["state"], "valid", "{plan}");
    assert_eq!(bao(&leak.token, "GET", "auth/token/lookup-self", &json!({})).0, 200, "a plan changes nothing");
    let digest = plan["digest"].as_str().unwrap();
    for who in ["kim", "lee"] {
        let key = leak.home.root().join(format!("home/{who}.pem"));
        let said = leak.staunch(&["respond", "approve", digest, "--as", who, "--key", key.to_str().unwrap()]).output();
        assert_eq!(said.code(), Some(0), "{}", said.stderr());
    }
    let run = leak.staunch(&["respond", "apply", digest, "--format", "json"]).output();
    let run: Value = serde_json::from_str(&run.stdout()).unwrap_or_else(|_| panic!("{}", run.stderr()));
    let step = |id: &str| run["steps"].as_array().unwrap().iter().find(|step| step["id"] == id).unwrap().clone();
    assert_eq!(step("stop")["state"], "succeeded", "{run}");
    // What is said to a token that is gone is said to one from elsewhere as well; its accessor is gone from the server.
    assert_eq!(step("prove-refused")["state"], "succeeded", "{run}");
    assert_eq!(step("prove-refused")["evidence"]["by"], "the provider's administration", "{run}");
    assert_eq!(bao(&leak.token, "GET", "auth/token/lookup-self", &json!({})).0, 403);
    let (finding, output) = leak.triage();
    assert_eq!(finding["liveness"]["state"], "unknown", "{}", finding["liveness"]);
    assert!(output.stderr().contains("it is no token of this Vault now"), "{}", output.stderr());
}

#[test]
fn a_drill_at_an_openbao_goes_the_whole_way_and_leaves_nothing() {
    let leak = Leak::new();
    let drill =
        |leak: &Leak| leak.staunch(&["drill", "--playbook", "vault-contain", "--on", "vault", "--format", "json"]).output();
    let refused = drill(&leak);
    assert!(refused.code() == Some(2) && refused.stderr().contains("say `drill = true`"), "{}", refused.stderr());
    let config = leak.home.root().join("home/config.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("owned = [\"*\"]\n", "owned = [\"*\"]\ndrill = true\n")).unwrap();
    let before = root("GET", "auth/token/accessors?list=true", &json!({}))["data"]["keys"].as_array().unwrap().clone();
    let output = drill(&leak);
    assert_eq!(output.code(), Some(0), "{} {}", output.stdout(), output.stderr());
    let said: Value = serde_json::from_str(&output.stdout()).unwrap();
    let legs: Vec<(&str, &str)> = said["drill"]["legs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|leg| (leg["name"].as_str().unwrap(), leg["outcome"].as_str().unwrap()))
        .collect();
    let names = ["plant", "scan", "validate", "attribute", "plan", "contain", "prove", "undo", "clean"];
    let wanted = names.map(|name| (name, if name == "undo" { "skipped" } else { "passed" }));
    assert_eq!(legs, wanted, "{said}");
    assert_eq!((&said["passed"], &said["drill"]["ground"]), (&json!(true), &json!("vault:127.0.0.1")), "{said}");
    // Its token is gone, and the one that had leaked all along was not touched.
    let accessor = &said["drill"]["planted"]["accessor"];
    let (status, gone) = bao("root", "POST", "auth/token/lookup-accessor", &json!({ "accessor": accessor }));
    assert!(status >= 400 && gone.to_string().contains("invalid accessor"), "{status} {gone}");
    assert_eq!(bao(&leak.token, "GET", "auth/token/lookup-self", &json!({})).0, 200);
    let after = root("GET", "auth/token/accessors?list=true", &json!({}))["data"]["keys"].as_array().unwrap().clone();
    assert!(before.iter().all(|accessor| after.contains(accessor)), "nothing else is gone");
    // A token that may not make others: said, and nothing is left.
    let bare = root("POST", "auth/token/create", &json!({ "policies": ["default"] }));
    let leak = Leak { reader: bare["auth"]["client_token"].as_str().unwrap().to_owned(), ..leak };
    let output = drill(&leak);
    assert_eq!(output.code(), Some(2), "{}", output.stdout());
    assert!(output.stdout().contains("auth/token/create"), "{}", output.stdout());
}

#[test]
fn what_the_readers_token_may_not_read_is_told() {
    let mut leak = Leak::new();
    let bare = root("POST", "auth/token/create", &json!({ "policies": ["default"] }));
    bare["auth"]["client_token"].as_str().unwrap().clone_into(&mut leak.reader);
    let (finding, output) = leak.triage();
    assert_eq!(finding["facts"]["stored_in"], Value::Null);
    assert!(output.stderr().contains("auth/token/lookup was refused"), "{}", output.stderr());
    let skipped = leak.staunch(&["triage", "app", "--format", "json"]).output().stdout();
    assert!(skipped.contains("running system that could not be asked in full"), "{skipped}");
}
