//! A real kube-apiserver on etcd. It is in no registry as a program and takes a quarter of an hour to build (Debian's source package
//! `kubernetes` is the whole of 1.20), so this part runs only where `STAUNCH_TEST_KUBERNETES` names a folder that holds `kube-apiserver`
//! and `etcd`; elsewhere each test says that it was skipped. No controllers and no kubelet run: what they would make is made here.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use data_encoding::{BASE64, HEXLOWER};
use serde_json::{Value, json};

use super::chain::{ACCOUNT, Leak, run_of};
use super::openbao::approver;
use crate::harness::aws::Key;
use crate::harness::program::{Home, Output};
use crate::harness::services::setting;

const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/services/kubernetes.py");

/// A cluster that ends with the test.
struct Cluster {
    children: Vec<Child>,
    folder: tempfile::TempDir,
    at: String,
    admin: String,
    reader: String,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for child in &mut self.children {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Below those that connections get, of which another process may take one between the choice and its use.
fn free_port() -> u16 {
    loop {
        let mut bytes = [0; 2];
        ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes).unwrap();
        let port = 20_000 + u16::from_be_bytes(bytes) % 12_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A word that nobody used before.
fn token(name: &str) -> String {
    let mut bytes = [0; 16];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes).unwrap();
    format!("{name}-{}", HEXLOWER.encode(&bytes))
}

impl Cluster {
    /// Where the programs are; otherwise nothing, said.
    #[expect(clippy::print_stderr, reason = "whoever runs the tests should see what was not run")]
    fn new() -> Option<Self> {
        let Some(bin) = std::env::var_os("STAUNCH_TEST_KUBERNETES").map(PathBuf::from) else {
            eprintln!("skipped: STAUNCH_TEST_KUBERNETES names no folder with kube-apiserver and etcd");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let (client, peer, secure) = (free_port(), free_port(), free_port());
        let (admin, reader) = (token("admin"), token("reader"));
        let made = Command::new(setting("STAUNCH_TEST_PYTHON")).args([PYTHON, "keys"]).arg(folder.path()).status().unwrap();
        assert!(made.success());
        let tokens = format!("{admin},admin,1,system:masters\n{reader},reader,2\n");
        fs::write(folder.path().join("tokens.csv"), tokens).unwrap();
        let mut one = Self { children: Vec::new(), folder, at: format!("https://127.0.0.1:{secure}"), admin, reader };
        one.etcd(&bin, client, peer);
        one.server(&bin, client, secure);
        let ready = one.ask(&[json!(["GET", "wait", null])]);
        let log = fs::read_to_string(one.folder.path().join("kube-apiserver.log")).unwrap_or_default();
        assert_eq!(ready[0][0], 200, "{}", log.lines().rev().take(20).collect::<Vec<_>>().join("\n"));
        Some(one)
    }

    fn run(&mut self, bin: &Path, name: &str, arguments: &[String]) {
        let log = fs::File::create(self.folder.path().join(format!("{name}.log"))).unwrap();
        let child = Command::new(bin.join(name))
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        self.children.push(child.unwrap_or_else(|error| panic!("{name}: {error}")));
    }

    fn etcd(&mut self, bin: &Path, client: u16, peer: u16) {
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let arguments = [
            "--data-dir=etcd".to_owned(),
            format!("--listen-client-urls={}", url(client)),
            format!("--advertise-client-urls={}", url(client)),
            format!("--listen-peer-urls={}", url(peer)),
            format!("--initial-advertise-peer-urls={}", url(peer)),
            format!("--initial-cluster=default={}", url(peer)),
        ];
        self.run(bin, "etcd", &arguments);
    }

    /// With the certificate of the databases. Accounts' tokens are not asked for: no controller makes accounts.
    fn server(&mut self, bin: &Path, etcd: u16, port: u16) {
        let tls = PathBuf::from(setting("STAUNCH_TEST_CA"));
        let issuer = "https://kubernetes.default.svc";
        let arguments = [
            format!("--etcd-servers=http://127.0.0.1:{etcd}"),
            "--bind-address=127.0.0.1".to_owned(),
            "--advertise-address=127.0.0.1".to_owned(),
            format!("--secure-port={port}"),
            "--endpoint-reconciler-type=none".to_owned(),
            format!("--tls-cert-file={}", tls.with_file_name("tls.pem").display()),
            format!("--tls-private-key-file={}", tls.with_file_name("tls.key").display()),
            "--service-cluster-ip-range=10.96.0.0/24".to_owned(),
            "--service-account-key-file=sa.pub".to_owned(),
            "--service-account-signing-key-file=sa.key".to_owned(),
            format!("--service-account-issuer={issuer}"),
            format!("--api-audiences={issuer}"),
            "--token-auth-file=tokens.csv".to_owned(),
            "--authorization-mode=RBAC".to_owned(),
            "--disable-admission-plugins=ServiceAccount".to_owned(),
            "--cert-dir=certs".to_owned(),
        ];
        self.run(bin, "kube-apiserver", &arguments);
    }

    /// As the administrator.
    fn ask(&self, requests: &[Value]) -> Vec<Value> {
        let mut python = Command::new(setting("STAUNCH_TEST_PYTHON"))
            .args([PYTHON, "ask", &self.at, &setting("STAUNCH_TEST_CA"), &self.admin])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        python.stdin.take().unwrap().write_all(json!(requests).to_string().as_bytes()).unwrap();
        let done = python.wait_with_output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        serde_json::from_slice(&done.stdout).unwrap()
    }

    /// The same, where each must be made.
    fn make(&self, requests: &[(&str, Value)]) -> Vec<Value> {
        let all: Vec<Value> = requests.iter().map(|(path, body)| json!(["POST", path, body])).collect();
        let made = self.ask(&all);
        for (answer, (path, _)) in made.iter().zip(requests) {
            assert_eq!(answer[0], 201, "{path}: {answer}");
        }
        made.into_iter().map(|answer| answer[1].clone()).collect()
    }

    fn namespace(&self, name: &str) {
        self.make(&[("/api/v1/namespaces", json!({ "metadata": { "name": name } }))]);
    }

    /// Lets the reader do something: in one namespace, or everywhere.
    fn allow(&self, namespace: Option<&str>, name: &str, rules: &Value) {
        let rbac = "rbac.authorization.k8s.io";
        let (path, role, binding) = match namespace {
            Some(space) => (format!("/apis/{rbac}/v1/namespaces/{space}"), "Role", "rolebindings"),
            None => (format!("/apis/{rbac}/v1"), "ClusterRole", "clusterrolebindings"),
        };
        let metadata = json!({ "name": name });
        let subject = json!([{ "kind": "User", "name": "reader", "apiGroup": rbac }]);
        let reference = json!({ "kind": role, "name": name, "apiGroup": rbac });
        self.make(&[
            (&format!("{path}/{}s", role.to_lowercase()), json!({ "metadata": metadata, "rules": rules })),
            (&format!("{path}/{binding}"), json!({ "metadata": metadata, "subjects": subject, "roleRef": reference })),
        ]);
    }
}

fn secret(name: &str, data: &[(&str, &str)]) -> Value {
    let data: serde_json::Map<String, Value> =
        data.iter().map(|(key, value)| ((*key).to_owned(), json!(BASE64.encode(value.as_bytes())))).collect();
    json!({ "metadata": { "name": name }, "data": data })
}

fn controlled(made: &Value, api: &str, kind: &str) -> Value {
    let (name, uid) = (&made["metadata"]["name"], &made["metadata"]["uid"]);
    json!([{ "apiVersion": api, "kind": kind, "name": name, "uid": uid, "controller": true }])
}

/// A Deployment with its ReplicaSet and a pod, whose container reads a Secret, and another pod that holds the value itself.
fn workloads(cluster: &Cluster, space: &str, value: &str) {
    let labels = json!({ "app": "api" });
    let by_key = json!({ "name": "K", "valueFrom": { "secretKeyRef": { "name": "app", "key": "api-key" } } });
    let spec = json!({ "serviceAccountName": "payer", "containers": [{ "name": "app", "image": "x", "env": [by_key] }] });
    let template = json!({ "metadata": { "labels": labels }, "spec": spec });
    let apps = format!("/apis/apps/v1/namespaces/{space}");
    let declared = json!({ "selector": { "matchLabels": labels }, "template": template });
    let deployment =
        cluster.make(&[(&format!("{apps}/deployments"), json!({ "metadata": { "name": "api" }, "spec": declared }))]);
    let owner = controlled(&deployment[0], "apps/v1", "Deployment");
    let metadata = json!({ "name": "api-5f", "ownerReferences": owner, "labels": labels });
    let replicas = cluster.make(&[(&format!("{apps}/replicasets"), json!({ "metadata": metadata, "spec": declared }))]);
    let owner = controlled(&replicas[0], "apps/v1", "ReplicaSet");
    let metadata =
        json!({ "name": "api-5f-1", "ownerReferences": owner, "labels": { "app": "api", "corp.example/team": "payments" } });
    let literal = json!({ "containers": [{ "name": "job", "image": "x", "env": [{ "name": "K", "value": value }] }] });
    let pods = format!("/api/v1/namespaces/{space}/pods");
    cluster.make(&[
        (&pods, json!({ "metadata": metadata, "spec": spec })),
        (&pods, json!({ "metadata": { "name": "lone" }, "spec": literal })),
    ]);
}

fn triaged(home: &Home, cluster: &Cluster) -> (Value, Output) {
    let settings = format!(
        "[ownership]\nask = [\"kubernetes\"]\n[kubernetes]\nserver = \"{}\"\ncredential = \"env:READER\"\n[network]\nca_file = \"{}\"\n",
        cluster.at,
        setting("STAUNCH_TEST_CA")
    );
    let file = home.root().join("settings.toml");
    fs::write(&file, settings).unwrap();
    let run = home.staunch(["triage", "--format", "jsonl", "."]).env("STAUNCH_CONFIG", &file);
    let output = run.env("READER", &cluster.reader).env("STAUNCH_ENDPOINT", "openai=http://127.0.0.1:9").output();
    let text = output.stdout();
    let line = text.lines().next().unwrap_or_else(|| panic!("{}", output.stderr()));
    (serde_json::from_str(line).unwrap(), output)
}

#[test]
fn a_leaked_value_leads_to_the_deployment_that_uses_it() {
    let Some(cluster) = Cluster::new() else { return };
    let value = format!("sk-NR4ygwLdKgs7kvJWJgQK{}FJPiIZ8CQgyOhlvBdaJPZr", "T3Blbk");
    for space in ["pay", "shut"] {
        cluster.namespace(space);
    }
    // More than a page, so that the server's own words for "there are more" are followed.
    let names: Vec<String> = (0..45).map(|n| format!("a-filler-{n:02}")).collect();
    let path = "/api/v1/namespaces/pay/secrets";
    let fillers: Vec<(&str, Value)> = names.iter().map(|name| (path, secret(name, &[("x", "something else")]))).collect();
    cluster.make(&fillers);
    cluster.make(&[(path, secret("app", &[("api-key", &value), ("other", "else")]))]);
    workloads(&cluster, "pay", &value);

    let home = Home::new();
    fs::write(home.work().join(".env"), format!("OPENAI_API_KEY={value}\n")).unwrap();
    // Whoever may list nothing is told what to allow.
    let (finding, output) = triaged(&home, &cluster);
    assert!(output.stderr().contains("allow `list` on secrets, or on namespaces"), "{}", output.stderr());
    assert!(finding["facts"]["stored_in"].is_null(), "{finding}");
    // One namespace.
    let read = json!([
        { "apiGroups": [""], "resources": ["secrets", "pods"], "verbs": ["list"] },
        { "apiGroups": ["apps", "batch"], "resources": ["replicasets", "jobs"], "verbs": ["get"] },
    ]);
    cluster.allow(None, "namespaces", &json!([{ "apiGroups": [""], "resources": ["namespaces"], "verbs": ["list"] }]));
    cluster.allow(Some("pay"), "read", &read);
    let (one, output) = triaged(&home, &cluster);
    assert!(output.stderr().contains("namespaces/shut/secrets was refused"), "{}", output.stderr());
    // All of them.
    cluster.allow(None, "read-all", &read);
    let (all, output) = triaged(&home, &cluster);
    assert!(!output.stderr().contains("refused"), "{}", output.stderr());
    for finding in [one, all] {
        assert_eq!(finding["facts"]["stored_in"], "Kubernetes Secret pay/app key api-key", "{finding}");
        let owners = finding["owners"].as_array().unwrap();
        let has = |id: &str, tier: &str| owners.iter().any(|owner| owner["id"] == id && owner["tier"] == tier);
        for (id, tier) in
            [("k8s:pay/Deployment/api/app", "proven"), ("k8s:pay/Pod/lone/job", "proven"), ("team:payments", "declared")]
        {
            assert!(has(id, tier), "{id}: {owners:?}");
        }
    }
    assert!(!output.stdout().contains(&value) && !output.stderr().contains(&cluster.reader));
}

/// What is said of a token in a kubeconfig.
fn said(cluster: &Cluster, token: &str) -> Value {
    let home = Home::new();
    let text = format!(
        "clusters:\n- cluster:\n    server: {}\n  name: prod\nusers:\n- name: admin\n  user:\n    token: {token}\n",
        cluster.at
    );
    fs::write(home.work().join("kubeconfig"), text).unwrap();
    let allowed = ["--allow-host", "127.0.0.1", "--allow-net", "127.0.0.0/8", "--ca-file", &setting("STAUNCH_TEST_CA")];
    let output = home.staunch([&["scan", "--validate", "--format", "jsonl"], &allowed[..], &["."]].concat()).output();
    let findings = output.stdout();
    let mut findings = findings.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let finding = findings.find(|one| one["detector"].as_str().unwrap().starts_with("kube"));
    let finding = finding.unwrap_or_else(|| panic!("{} {}", output.stdout(), output.stderr()));
    assert!(!output.stdout().contains(token) && !output.stderr().contains(token), "a token was shown");
    finding["liveness"].clone()
}

#[test]
fn tokens_are_told_apart_as_far_as_the_server_answers() {
    let Some(cluster) = Cluster::new() else { return };
    let offered = cluster.ask(&[json!(["GET", "/apis/authentication.k8s.io/v1", null])])[0][1].to_string();
    // Since 1.28. Older ones know the token and cannot say whose it is.
    let reviews = offered.contains("selfsubjectreviews");
    let good = said(&cluster, &cluster.admin);
    assert_eq!(good["state"], if reviews { "live" } else { "limited" }, "{good}");
    let bad = said(&cluster, &token("other"));
    assert_eq!(
        (&bad["state"], bad["why"].as_str()),
        (&"dead".into(), Some("the API server does not know this token")),
        "{bad}"
    );
    // An account's token dies with it, as the server finds out some seconds later.
    let accounts = "/api/v1/namespaces/default/serviceaccounts";
    cluster.make(&[(accounts, json!({ "metadata": { "name": "ci" } }))]);
    let given = cluster.make(&[(&format!("{accounts}/ci/token"), json!({ "spec": { "expirationSeconds": 3600 } }))]);
    let account = given[0]["status"]["token"].as_str().unwrap();
    let before = said(&cluster, account);
    assert_eq!(before["state"], if reviews { "live" } else { "limited" }, "{before}");
    cluster.ask(&[json!(["DELETE", format!("{accounts}/ci"), null])]);
    let dead = (0..40).any(|_| {
        std::thread::sleep(std::time::Duration::from_secs(1));
        said(&cluster, account)["state"] == "dead"
    });
    assert!(dead, "the token of a deleted account is taken still");
}

#[tokio::test]
async fn a_new_key_is_put_into_its_secret_and_the_old_one_back() {
    let Some(cluster) = Cluster::new() else { return };
    let leak = Leak::new().await;
    cluster.namespace("prod");
    let pair = [("id", leak.key.id.as_str()), ("secret", leak.key.secret.as_str()), ("user", "ci")];
    cluster.make(&[("/api/v1/namespaces/prod/secrets", secret("aws", &pair))]);
    let rules =
        json!([{ "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["aws"], "verbs": ["get", "patch"] }]);
    cluster.allow(Some("prod"), "keeper", &rules);
    let settings = format!(
        "[[responder.aws]]\naccount = \"{ACCOUNT}\"\n[[responder.store]]\nkind = \"kubernetes-secret\"\nat = \"prod/aws\"\n\
         address = \"{}\"\ncredential = \"env:KEEPER\"\n[network]\nca_file = \"{}\"\n",
        cluster.at,
        setting("STAUNCH_TEST_CA")
    );
    fs::write(leak.home.root().join("home/config.toml"), settings).unwrap();
    let staunch = |arguments: &[&str]| leak.staunch(arguments).env("KEEPER", &cluster.reader).output();
    let kept = || {
        let got = cluster.ask(&[json!(["GET", "/api/v1/namespaces/prod/secrets/aws", null])]);
        let field = |name: &str| {
            let text = got[0][1]["data"][name].as_str().unwrap().to_owned();
            String::from_utf8(BASE64.decode(text.as_bytes()).unwrap()).unwrap()
        };
        (field("id"), field("secret"), field("user"))
    };
    let planned = staunch(&["respond", "plan", "app", "--mode", "rotate", "--format", "json"]);
    assert_eq!(planned.code(), Some(1), "{}", planned.stderr());
    let plan: Value = serde_json::from_str(&planned.stdout()).unwrap();
    let applied = staunch(&["respond", "apply", plan["digest"].as_str().unwrap(), "--format", "json"]);
    let run = run_of(&applied);
    assert_eq!(run["steps"][1]["state"], "succeeded", "{run} {}", applied.stderr());
    let (id, secret, user) = kept();
    assert!(id != leak.key.id && user == "ci");
    assert!(leak.admin.with(&Key::new(&id, &secret)).caller().await.is_ok(), "the pair belongs together");
    // Neither the file nor the Secret keeps what it held, so the old one is handed over.
    let old = format!("AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n", leak.key.id, leak.key.secret);
    let arguments = ["respond", "undo", run["id"].as_str().unwrap(), "--secret-stdin", "--format", "json"];
    let undone = leak.staunch(&arguments).env("KEEPER", &cluster.reader).stdin(old.as_bytes()).output();
    assert_eq!(run_of(&undone)["state"], "undone", "{}", run_of(&undone));
    assert_eq!(kept(), (leak.key.id.clone(), leak.key.secret.clone(), "ci".to_owned()));
}

/// What stops a leaked token: settings with the reader as the responder, two who approve, and a tree that holds it.
struct Stage<'c> {
    home: Home,
    cluster: &'c Cluster,
}

impl<'c> Stage<'c> {
    fn new(cluster: &'c Cluster, token: &str) -> Self {
        let home = Home::new();
        fs::create_dir_all(home.work().join("app")).unwrap();
        fs::write(home.work().join("app/.env"), format!("K8S_TOKEN={token}\n")).unwrap();
        let approvers: String = [("kim", 1), ("lee", 2)].map(|(who, seed)| approver(&home, who, seed)).concat();
        let settings = format!(
            "[[responder.provider]]\nname = \"kubernetes\"\naddress = \"{}\"\ncredential = \"env:KEEPER\"\nowned = [\"*\"]\n[network]\n\
             ca_file = \"{}\"\n{approvers}",
            cluster.at,
            setting("STAUNCH_TEST_CA")
        );
        fs::write(home.root().join("home/config.toml"), settings).unwrap();
        Self { home, cluster }
    }

    fn staunch(&self, arguments: &[&str]) -> Output {
        let config = self.home.root().join("home/config.toml");
        let run = self.home.staunch(arguments).env("STAUNCH_CONFIG", config).env("STAUNCH_REQUESTER", "tests");
        // That a token is refused is looked at for a minute after it was, in which a manager would write it back.
        run.env("KEEPER", &self.cluster.reader).limit(std::time::Duration::from_mins(4)).output()
    }

    fn plan(&self) -> Value {
        let planned = self.staunch(&["respond", "plan", "app", "--format", "json"]);
        serde_json::from_str(&planned.stdout()).unwrap_or_else(|_| panic!("{}", planned.stderr()))
    }

    /// Approved and applied.
    fn run(&self, plan: &Value) -> Value {
        let digest = plan["digest"].as_str().unwrap();
        for who in ["kim", "lee"] {
            let key = self.home.root().join(format!("home/{who}.pem"));
            let approved = self.staunch(&["respond", "approve", digest, "--as", who, "--key", key.to_str().unwrap()]);
            assert_eq!(approved.code(), Some(0), "{}", approved.stderr());
        }
        run_of(&self.staunch(&["respond", "apply", digest, "--format", "json"]))
    }
}

/// Lets the reader do what containing a token needs.
fn keeper(cluster: &Cluster) {
    let rules = json!([
        { "apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"] },
        { "apiGroups": [""], "resources": ["secrets", "pods"], "verbs": ["get", "delete"] },
    ]);
    cluster.allow(None, "keeper", &rules);
}

/// What is there now.
fn status(cluster: &Cluster, path: &str) -> Value {
    cluster.ask(&[json!(["GET", path, null])])[0][0].clone()
}

/// A token as the controller makes it for a Secret of an account: signed, and put into it.
fn legacy(cluster: &Cluster, name: &str) -> String {
    let accounts = "/api/v1/namespaces/default/serviceaccounts";
    let account = cluster.make(&[(accounts, json!({ "metadata": { "name": "deployer" } }))]);
    let claim = |name: &str| format!("kubernetes.io/serviceaccount/{name}");
    let claims = json!({
        "iss": "kubernetes/serviceaccount", "sub": "system:serviceaccount:default:deployer", claim("namespace"): "default",
        claim("secret.name"): name, claim("service-account.name"): "deployer",
        claim("service-account.uid"): account[0]["metadata"]["uid"],
    });
    let mut python = Command::new(setting("STAUNCH_TEST_PYTHON"))
        .args([PYTHON, "sign"])
        .arg(cluster.folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(claims.to_string().as_bytes()).unwrap();
    let token = String::from_utf8(python.wait_with_output().unwrap().stdout).unwrap();
    let mut made = secret(name, &[("token", &token), ("namespace", "default")]);
    made["type"] = "kubernetes.io/service-account-token".into();
    made["metadata"]["annotations"] = json!({ "kubernetes.io/service-account.name": "deployer" });
    cluster.make(&[("/api/v1/namespaces/default/secrets", made)]);
    token
}

#[test]
fn a_leaked_token_ends_with_the_secret_that_holds_it() {
    let Some(cluster) = Cluster::new() else { return };
    let token = legacy(&cluster, "deployer-token");
    let path = "/api/v1/namespaces/default/secrets/deployer-token";
    assert_ne!(said(&cluster, &token)["state"], "dead", "it is a token that the server takes");
    let stage = Stage::new(&cluster, &token);
    // Whoever may not look is told so, and nothing is changed.
    let plan = stage.plan();
    assert!(plan["plan"]["unknowns"].to_string().contains("forbidden"), "{plan}");
    keeper(&cluster);
    let plan = stage.plan();
    let stop = &plan["plan"]["steps"][0];
    assert_eq!(stop["action"], "kubernetes-service-account-token-delete", "{plan}");
    assert!(stop["observed"]["object"].as_str().unwrap().starts_with(&format!("{path}#")), "{plan}");
    assert_eq!(stop["observed"]["about"]["account"], "deployer", "{plan}");
    let run = stage.run(&plan);
    assert_eq!((&run["steps"][0]["state"], &run["steps"][1]["state"]), (&json!("succeeded"), &json!("succeeded")), "{run}");
    assert_eq!(run["steps"][2]["evidence"]["predicate"]["result"], "PASSED", "{run}");
    assert!(!run.to_string().contains(&token), "the token was written down");
    assert_eq!(status(&cluster, path), 404);
    assert_eq!(said(&cluster, &token)["state"], "dead", "and whoever comes with it is refused");
}

#[test]
fn a_bound_token_ends_with_its_pod_and_an_unbound_one_is_a_persons() {
    let Some(cluster) = Cluster::new() else { return };
    keeper(&cluster);
    let accounts = "/api/v1/namespaces/default/serviceaccounts";
    cluster.make(&[(accounts, json!({ "metadata": { "name": "runner" } }))]);
    let spec = json!({ "serviceAccountName": "runner", "containers": [{ "name": "app", "image": "x" }] });
    let pods = "/api/v1/namespaces/default/pods";
    let pod = cluster.make(&[(pods, json!({ "metadata": { "name": "runner-0" }, "spec": spec }))]);
    let to = json!({ "kind": "Pod", "apiVersion": "v1", "name": "runner-0", "uid": pod[0]["metadata"]["uid"] });
    // For the server, for somebody else, and bound to nothing.
    let asked = |more: Value| {
        let mut spec = json!({ "expirationSeconds": 3600 });
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let given = cluster.make(&[(&format!("{accounts}/runner/token"), json!({ "spec": spec }))]);
        given[0]["status"]["token"].as_str().unwrap().to_owned()
    };
    let (own, other, unbound) = (
        asked(json!({ "boundObjectRef": to })),
        asked(json!({ "boundObjectRef": to, "audiences": ["vault"] })),
        asked(json!({})),
    );
    let stage = Stage::new(&cluster, &unbound);
    let plan = stage.plan();
    assert!(plan["plan"]["unknowns"].to_string().contains("bound to nothing but its account"), "{plan}");
    assert_eq!(stage.run(&plan)["steps"][0]["state"], "refused");
    // A changed letter in the signature: its claims name the pod, and the server does not take it.
    let (body, signature) = own.rsplit_once('.').unwrap();
    let forged = format!("{body}.{}", signature.chars().rev().collect::<String>());
    let stage = Stage::new(&cluster, &forged);
    let plan = stage.plan();
    assert!(plan["plan"]["steps"][0]["observed"].is_null(), "{plan}");
    assert_eq!(stage.run(&plan)["steps"][0]["state"], "refused");
    assert_eq!(status(&cluster, &format!("{pods}/runner-0")), 200);
    for (number, token) in [other, own].iter().enumerate() {
        if number == 1 {
            // Another of that name is not the one that the token is bound to.
            cluster.make(&[(pods, json!({ "metadata": { "name": "runner-0" }, "spec": spec }))]);
        }
        let stage = Stage::new(&cluster, token);
        let plan = stage.plan();
        let run = stage.run(&plan);
        if number == 1 {
            assert_eq!(run["steps"][0]["state"], "refused", "{run}");
            assert_eq!(status(&cluster, &format!("{pods}/runner-0")), 200);
            continue;
        }
        assert_eq!(plan["plan"]["steps"][0]["observed"]["state"], "there", "{plan}");
        assert_eq!(
            (&run["steps"][0]["state"], &run["steps"][1]["state"]),
            (&json!("succeeded"), &json!("succeeded")),
            "{run}"
        );
        assert_eq!(status(&cluster, &format!("{pods}/runner-0")), 404);
        assert!(!run.to_string().contains(token.as_str()), "the token was written down");
    }
}

#[test]
fn a_bootstrap_token_is_its_secret() {
    let Some(cluster) = Cluster::new() else { return };
    // The server makes it by itself, sooner or later.
    cluster.ask(&[json!(["POST", "/api/v1/namespaces", { "metadata": { "name": "kube-system" } }])]);
    keeper(&cluster);
    let (id, word) = ("k3x9vw", ["q7m2zt", "8rnp4ch6d5"].concat());
    let mut made = secret(&format!("bootstrap-token-{id}"), &[("token-id", id), ("token-secret", &word)]);
    made["type"] = "bootstrap.kubernetes.io/token".into();
    cluster.make(&[("/api/v1/namespaces/kube-system/secrets", made)]);
    let stage = Stage::new(&cluster, "");
    fs::write(stage.home.work().join("app/join.sh"), format!("kubeadm join 10.1.0.4:6443 --token {id}.{word}\n")).unwrap();
    let plan = stage.plan();
    let run = stage.run(&plan);
    assert_eq!((&run["steps"][0]["state"], &run["steps"][1]["state"]), (&json!("succeeded"), &json!("succeeded")), "{run}");
    assert_eq!(status(&cluster, &format!("/api/v1/namespaces/kube-system/secrets/bootstrap-token-{id}")), 404);
    assert!(!run.to_string().contains(&word));
}
