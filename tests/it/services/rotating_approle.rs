//! A secret id of a real OpenBao's AppRole is replaced in a file of settings and in KV: tried with a login that leaves no token behind,
//! the old one destroyed days later; put back; and killed around every journal record it goes on to one new secret id.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::openbao::{approver, bao, root};
use super::turn::{Turn, said, step};
use crate::harness::aws::unique;
use crate::harness::program::{Home, Run};
use crate::harness::services::setting;
use crate::harness::shim::{Side, kill_on_sync};

/// What the responder's token may do.
const POLICY: &str = "path \"sys/auth\" { capabilities = [\"read\"] }\npath \"auth/approle/role\" { capabilities = [\"list\"] }\n\
                      path \"auth/approle/role/*\" { capabilities = [\"read\", \"list\", \"update\"] }\n\
                      path \"secret/*\" { capabilities = [\"read\", \"create\", \"update\", \"list\"] }";
/// The plan; the replacement's begin, three notes and end; begin and end of the restart and of the look.
const RECORDS: usize = 10;

struct Stage {
    home: Home,
    role: String,
    role_id: String,
    old: String,
    accessor: String,
    responder: String,
}

impl Stage {
    /// A role that has these settings besides.
    fn new(more: &Value) -> Self {
        // Another test may be quicker.
        bao("root", "POST", "sys/auth/approle", &json!({ "type": "approle" }));
        let role = unique("app").to_lowercase();
        let mut settings = json!({ "token_ttl": "1h", "token_policies": ["default"] });
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        root("POST", &format!("auth/approle/role/{role}"), &settings);
        let role_id = text(&root("GET", &format!("auth/approle/role/{role}/role-id"), &json!({})), "/data/role_id");
        let made = json!({ "metadata": "{\"team\":\"payments\"}" });
        let made = root("POST", &format!("auth/approle/role/{role}/secret-id"), &made);
        let (old, accessor) = (text(&made, "/data/secret_id"), text(&made, "/data/secret_id_accessor"));
        root("PUT", "sys/policies/acl/rotator", &json!({ "policy": POLICY }));
        let responder = root("POST", "auth/token/create", &json!({ "policies": ["rotator"] }));
        let responder = text(&responder, "/auth/client_token");
        let held = json!({ "data": { "role_id": role_id, "secret_id": old, "other": "something else" } });
        root("POST", &format!("secret/data/{role}/app"), &held);
        let home = Home::new();
        fs::create_dir_all(home.work().join("app")).unwrap();
        let file = format!("VAULT_ROLE_ID={role_id}\nVAULT_SECRET_ID={old}\n");
        fs::write(home.work().join("app/.env"), file).unwrap();
        fs::write(home.work().join("app/docker-compose.yml"), "services:\n  api:\n    image: api\n    env_file: [.env]\n")
            .unwrap();
        let url = setting("STAUNCH_TEST_OPENBAO");
        let approvers: String = [("kim", 1), ("lee", 2)].map(|(who, seed)| approver(&home, who, seed)).concat();
        let config = format!(
            "[network]\nendpoints = {{ vault = {url:?} }}\n[[responder.provider]]\nname = \"hashicorp-vault\"\naddress = {url:?}\ncredential = \
             \"env:RESPONDER\"\nowned = [\"*\"]\n[[responder.store]]\nkind = \"vault-kv\"\nat = \"secret/data/{role}/app\"\naddress = \
             {url:?}\ncredential = \"env:RESPONDER\"\n{approvers}"
        );
        fs::write(home.root().join("home/config.toml"), config).unwrap();
        Self { home, role, role_id, old, accessor, responder }
    }

    fn logs_in(&self, secret: &str) -> bool {
        let login = json!({ "role_id": self.role_id, "secret_id": secret });
        let (status, said) = bao("root", "POST", "auth/approle/login", &login);
        if let Some(token) = said.pointer("/auth/client_token").and_then(Value::as_str) {
            bao(token, "POST", "auth/token/revoke-self", &json!({}));
        }
        status == 200
    }

    fn accessors(&self) -> Vec<String> {
        let (_, listed) = bao("root", "LIST", &format!("auth/approle/role/{}/secret-id", self.role), &json!({}));
        let keys = listed.pointer("/data/keys").and_then(Value::as_array).cloned().unwrap_or_default();
        keys.iter().map(|key| key.as_str().unwrap().to_owned()).collect()
    }

    /// Tokens that logins as the role have left.
    fn tokens(&self) -> usize {
        let listed = root("LIST", "auth/token/accessors", &json!({}));
        let accessors = listed["data"]["keys"].as_array().unwrap().clone();
        let ours = |accessor: &Value| {
            let (_, found) = bao("root", "POST", "auth/token/lookup-accessor", &json!({ "accessor": accessor }));
            found.pointer("/data/meta/role_name").and_then(Value::as_str) == Some(&self.role)
        };
        accessors.iter().filter(|accessor| ours(accessor)).count()
    }

    fn in_file(&self) -> String {
        let text = fs::read_to_string(self.home.work().join("app/.env")).unwrap();
        text.lines().find_map(|line| line.strip_prefix("VAULT_SECRET_ID=")).unwrap().to_owned()
    }

    fn in_kv(&self) -> Value {
        root("GET", &format!("secret/data/{}/app", self.role), &json!({}))["data"]["data"].clone()
    }

    /// One new secret id is in both stores; it and the old one log in.
    fn assert_replaced(&self, moment: &str) {
        let new = self.in_file();
        assert!(new != self.old && self.logs_in(&new) && self.logs_in(&self.old), "{moment}");
        assert_eq!(
            self.in_kv(),
            json!({ "role_id": self.role_id, "secret_id": new, "other": "something else" }),
            "{moment}"
        );
        assert_eq!(self.accessors().len(), 2, "{moment}");
    }

    /// Nothing that was written down holds one of its secrets.
    fn assert_silent(&self) {
        self.assert_unwritten(&[&self.old, &self.in_file(), &self.responder]);
    }
}

impl Turn for Stage {
    fn home(&self) -> &Home {
        &self.home
    }

    fn staunch(&self, arguments: &[&str]) -> Run {
        let config = self.home.root().join("home/config.toml");
        let run = self.home.staunch(arguments).env("STAUNCH_CONFIG", config).env("STAUNCH_REQUESTER", "tests");
        run.env("RESPONDER", &self.responder)
    }
}

fn text(answer: &Value, pointer: &str) -> String {
    answer.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer}: {answer}")).to_owned()
}

#[test]
fn a_secret_id_is_replaced_in_its_file_and_in_kv_and_the_old_one_destroyed() {
    let stage = Stage::new(&json!({}));
    let (digest, plan) = stage.plan();
    let object = format!("auth/approle/role/{}/secret-id-accessor/{}", stage.role, stage.accessor);
    assert_eq!(plan["steps"][0]["observed"]["object"], object.as_str(), "{plan}");
    let run = said(&stage.apply(&digest));
    assert_eq!(step(&run, "replace")["state"], "succeeded", "{run}");
    assert_eq!(step(&run, "replace")["evidence"]["accepted"], "the provider accepts it", "{run}");
    stage.assert_replaced("applied");
    assert_eq!(stage.tokens(), 0, "the login that tried it left a token behind");
    // It has the old one's metadata, and its plan's name.
    let new = stage.accessors().into_iter().find(|accessor| *accessor != stage.accessor).unwrap();
    let look = json!({ "secret_id_accessor": new });
    let look = root("POST", &format!("auth/approle/role/{}/secret-id-accessor/lookup", stage.role), &look);
    let metadata = &look["data"]["metadata"];
    assert_eq!(metadata["team"], "payments");
    assert!(metadata["staunch"].as_str().unwrap().starts_with("staunch-"), "{metadata}");

    let id = run["id"].as_str().unwrap().to_owned();
    stage.later(&id, 0, &["new-in-use"]);
    let run = stage.later(&id, 26, &["old-unused"]);
    assert_eq!(step(&run, "stop")["state"], "waiting", "{run}");
    assert!(stage.logs_in(&stage.old), "nothing is destroyed before two people agree");
    stage.approve(&digest, 26);
    let run = stage.later(&id, 26, &["old-unused"]);
    assert_eq!(step(&run, "stop")["state"], "succeeded", "{run}");
    assert_eq!(step(&run, "prove-refused")["evidence"]["seen"]["state"], "absent", "{run}");
    assert!(!stage.logs_in(&stage.old) && stage.logs_in(&stage.in_file()));
    assert_eq!(stage.accessors(), [new]);
    stage.assert_silent();
}

#[test]
fn it_is_put_back_out_of_what_kv_held_before() {
    let stage = Stage::new(&json!({}));
    let before = fs::read(stage.home.work().join("app/.env")).unwrap();
    let (digest, _) = stage.plan();
    let run = said(&stage.apply(&digest));
    stage.assert_replaced("applied");
    let new = stage.in_file();
    let undone = stage.staunch(&["respond", "undo", run["id"].as_str().unwrap(), "--format", "json"]).output();
    assert_eq!(undone.code(), Some(0), "{} {}", undone.stdout(), undone.stderr());
    assert_eq!(fs::read(stage.home.work().join("app/.env")).unwrap(), before);
    assert_eq!(stage.in_kv()["secret_id"], stage.old.as_str());
    assert_eq!(stage.accessors(), std::slice::from_ref(&stage.accessor));
    assert!(stage.logs_in(&stage.old) && !stage.logs_in(&new));
}

#[test]
fn where_a_login_could_not_tell_the_role_is_asked() {
    // Logins are let in from elsewhere alone; each use of a secret id is counted; the token could not revoke itself.
    for bound in [
        json!({ "secret_id_bound_cidrs": ["10.9.8.0/24"] }),
        json!({ "secret_id_num_uses": 5 }),
        json!({ "token_no_default_policy": true, "token_policies": [] }),
    ] {
        let stage = Stage::new(&bound);
        let (digest, _) = stage.plan();
        let run = said(&stage.apply(&digest));
        assert_eq!(step(&run, "replace")["state"], "succeeded", "{run}");
        assert_eq!(stage.accessors().len(), 2);
        let look = json!({ "secret_id": stage.in_file() });
        let look = root("POST", &format!("auth/approle/role/{}/secret-id/lookup", stage.role), &look);
        assert_eq!(look["data"]["secret_id_num_uses"], bound.get("secret_id_num_uses").cloned().unwrap_or(json!(0)));
        assert_eq!(stage.tokens(), 0, "{bound}");
    }
}

#[test]
fn a_token_of_the_login_that_may_not_revoke_itself_is_revoked_by_its_accessor_or_told_of() {
    root(
        "PUT",
        "sys/policies/acl/bound",
        &json!({ "policy": "path \"auth/token/revoke-self\" { capabilities = [\"deny\"] }" }),
    );
    let revoker = "path \"auth/token/revoke-accessor\" { capabilities = [\"update\"] }";
    root("PUT", "sys/policies/acl/revoker", &json!({ "policy": revoker }));
    for (policies, left) in [(json!(["rotator", "revoker"]), 0), (json!(["rotator"]), 2)] {
        let mut stage = Stage::new(&json!({ "token_policies": ["default", "bound"] }));
        let responder = root("POST", "auth/token/create", &json!({ "policies": policies }));
        stage.responder = text(&responder, "/auth/client_token");
        let (digest, _) = stage.plan();
        let run = said(&stage.apply(&digest));
        assert_eq!(step(&run, "replace")["state"], "succeeded", "{run}");
        assert_eq!(stage.tokens(), left, "{policies}");
        let accepted = step(&run, "replace")["evidence"]["accepted"].as_str().unwrap().to_owned();
        assert_eq!(accepted.contains("may be live until it expires"), left > 0, "{accepted}");
        stage.assert_silent();
    }
}

#[test]
fn one_that_would_expire_before_the_old_one_or_be_used_more_often_is_not_put_in_its_place() {
    for (first, then, why) in [
        (json!({}), json!({ "secret_id_ttl": "1h" }), "before the plan's waits are over"),
        (json!({}), json!({ "secret_id_ttl": "9000h" }), "and the old one never"),
        (json!({ "secret_id_num_uses": 5 }), json!({ "secret_id_num_uses": 0 }), "may be used 5 more time(s)"),
    ] {
        let stage = Stage::new(&first);
        root("POST", &format!("auth/approle/role/{}", stage.role), &then);
        let (digest, _) = stage.plan();
        let run = said(&stage.apply(&digest));
        let replace = step(&run, "replace");
        assert!(replace["why"].as_str().is_some_and(|told| told.contains(why)), "{why}: {run}");
        assert_eq!(stage.accessors(), std::slice::from_ref(&stage.accessor), "{why}");
        assert_eq!(stage.in_file(), stage.old, "{why}");
    }
}

#[test]
fn the_old_one_stays_where_the_new_one_is_gone() {
    let stage = Stage::new(&json!({}));
    let (digest, _) = stage.plan();
    let run = said(&stage.apply(&digest));
    let id = run["id"].as_str().unwrap().to_owned();
    stage.later(&id, 0, &["new-in-use"]);
    stage.later(&id, 26, &["old-unused"]);
    stage.approve(&digest, 26);
    let new = stage.accessors().into_iter().find(|accessor| *accessor != stage.accessor).unwrap();
    let destroy = json!({ "secret_id_accessor": new });
    root("POST", &format!("auth/approle/role/{}/secret-id-accessor/destroy", stage.role), &destroy);
    let run = stage.later(&id, 26, &["old-unused"]);
    assert_eq!(step(&run, "stop")["state"], "refused", "{run}");
    assert!(step(&run, "stop")["why"].as_str().unwrap().contains("is not there any more"), "{run}");
    assert!(stage.logs_in(&stage.old));
}

#[test]
fn one_that_is_of_no_role_is_replaced_by_nothing() {
    let stage = Stage::new(&json!({}));
    let destroy = json!({ "secret_id_accessor": stage.accessor });
    root("POST", &format!("auth/approle/role/{}/secret-id-accessor/destroy", stage.role), &destroy);
    let (digest, plan) = stage.plan();
    assert!(plan["unknowns"].to_string().contains("nothing that the provider lists is this credential"), "{plan}");
    let applied = stage.apply(&digest);
    assert_eq!(applied.code(), Some(2), "{}", applied.stdout());
    assert!(stage.accessors().is_empty() && stage.in_file() == stage.old);
}

#[test]
fn killed_around_every_record_it_goes_on_to_one_new_secret_id() {
    let mut unasked = Vec::new();
    for side in [Side::Before, Side::After] {
        for at in 1..=RECORDS {
            let moment = format!("record {at}, {side:?}");
            let stage = Stage::new(&json!({}));
            let (digest, _) = stage.plan();
            let apply = stage.staunch(&["respond", "apply", &digest]);
            let output = kill_on_sync(apply, "journal.jsonl", at, side).output();
            assert!(output.was_killed(), "{moment}: {output:?}");
            let runs = fs::read_dir(stage.home.state().join("runs"));
            let runs: Vec<PathBuf> = runs.map(|all| all.map(|run| run.unwrap().path()).collect()).unwrap_or_default();
            let output = match runs.into_iter().find(|run| run.join("journal.jsonl").exists()) {
                Some(run) => {
                    let id = run.file_name().unwrap().to_str().unwrap().to_owned();
                    stage.staunch(&["respond", "resume", &id, "--format", "json"]).output()
                }
                None => stage.apply(&digest),
            };
            let run = said(&output);
            let replace = step(&run, "replace");
            // Between the word that one is asked for and the asking, it cannot tell whether it was: the list may be behind.
            if output.code() == Some(2) {
                assert_eq!(replace["state"], "unknown", "{moment}: {run}");
                assert!(replace["why"].as_str().unwrap().contains("the list may be behind"), "{moment}: {run}");
                assert_eq!(stage.accessors(), std::slice::from_ref(&stage.accessor), "{moment}");
                unasked.push(at);
                continue;
            }
            assert_eq!(output.code(), Some(1), "{moment}: {}", output.stderr());
            assert_eq!(replace["state"], "succeeded", "{moment}: {run}");
            stage.assert_replaced(&moment);
            stage.assert_silent();
        }
    }
    let [before, after] = unasked.as_slice() else { panic!("it is one record: {unasked:?}") };
    assert_eq!(before, after);
    // One more record than there are: nothing is killed, so the loop above met every one.
    let stage = Stage::new(&json!({}));
    let (digest, _) = stage.plan();
    let apply = stage.staunch(&["respond", "apply", &digest]);
    let output = kill_on_sync(apply, "journal.jsonl", RECORDS + 1, Side::Before).output();
    assert_eq!(output.code(), Some(1), "{}", output.stderr());
}
