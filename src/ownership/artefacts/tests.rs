//! Small trees as people write them, with the chains that must close and those that must not.

use data_encoding::BASE64;

use super::Artefacts;
use crate::model::{Finding, Tier};
use crate::secret::FingerprintKey;

const VALUE: &str = "the-very-secret-value";

fn key() -> FingerprintKey {
    FingerprintKey::new([9; 32])
}

/// A finding of `VALUE` under its fingerprint, seen in `path` at `text`'s first copy of it.
fn finding(path: &str, text: &str) -> Finding {
    let print = key().fingerprint(VALUE.as_bytes()).to_string();
    let start = text.find(VALUE).unwrap_or(0);
    let place = serde_json::json!({"line": 1, "column": 1, "end_line": 1, "end_column": 1, "byte_start": start, "byte_end": start + VALUE.len()});
    let mut occurrence = place.clone();
    occurrence["path"] = path.into();
    occurrence["provenance"] = serde_json::json!({"kind": "worktree"});
    let mut part = place;
    part["name"] = "value".into();
    occurrence["parts"] = serde_json::json!([part]);
    serde_json::from_value(serde_json::json!({
        "schema": Finding::SCHEMA, "fingerprint": print, "detector": "x", "provider": "p", "class": "llm", "severity": "high",
        "confidence": "high", "redacted": "…", "parts": [{"name": "value", "public": false, "fingerprints": [print]}],
        "partial": false, "facts": {}, "liveness": {"state": "not_checked"}, "owners": [], "occurrences": [occurrence],
    }))
    .expect("a finding")
}

fn owners(files: &[(&str, &str)], path: &str) -> Vec<(String, Tier)> {
    let key = key();
    let mut artefacts = Artefacts::new(&key);
    for (path, text) in files {
        assert!(Artefacts::wants(path), "{path}");
        artefacts.read(path, text.as_bytes());
    }
    let text = files.iter().find(|(name, _)| *name == path).map_or("", |(_, text)| text);
    let mut finding = finding(path, text);
    artefacts.attribute(&mut finding);
    finding.owners.into_iter().map(|owner| (owner.id, owner.tier)).collect()
}

fn secret(name: &str, namespace: &str, key: &str) -> String {
    let value = BASE64.encode(VALUE.as_bytes());
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\n{namespace}data:\n  {key}: {value}\n  other: b3RoZXI=\n"
    )
}

fn deployment(namespace: &str, container: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: api\n{namespace}spec:\n  template:\n    spec:\n      \
         serviceAccountName: api-sa\n      containers:\n      - name: app\n        image: x\n{container}"
    )
}

const PROD: &str = "  namespace: prod\n";
const REF: &str =
    "        env:\n        - name: DB\n          valueFrom:\n            secretKeyRef: {name: db, key: password}\n";

#[test]
fn a_closed_chain_names_the_container() {
    let bound = |container: &str| {
        let (secret, deployment) = (secret("db", PROD, "password"), deployment(PROD, container));
        owners(&[("k/secret.yaml", &secret), ("elsewhere/deploy.yaml", &deployment)], "k/secret.yaml")
    };
    let expected = [("k8s:prod/Deployment/api/app".to_owned(), Tier::Bound)];
    assert_eq!(bound(REF), expected);
    assert_eq!(bound("        envFrom:\n        - secretRef:\n            name: db\n"), expected);
    let mounted = "        volumeMounts:\n        - {name: v, mountPath: /x}\n      volumes:\n      - name: v\n        secret:\n          secretName: db\n";
    assert_eq!(bound(mounted), expected);
    assert_eq!(bound(&format!("        env:\n        - name: A\n          value: \"{VALUE}\"\n")), expected);
}

#[test]
fn what_does_not_close_names_nobody() {
    let other = "  namespace: other\n";
    for (namespace, container) in [
        (other, REF.to_owned()),
        (PROD, REF.replace("name: db", "name: db2")),
        (PROD, REF.replace("key: password", "key: other")),
        (PROD, "        envFrom:\n        - configMapRef: {name: db}\n".to_owned()),
        (PROD, "      volumes:\n      - name: v\n        secret: {secretName: db}\n".to_owned()),
        (PROD, String::new()),
    ] {
        let (secret, deployment) = (secret("db", PROD, "password"), deployment(namespace, &container));
        let found = owners(&[("k/secret.yaml", &secret), ("k/deploy.yaml", &deployment)], "k/secret.yaml");
        assert_eq!(found, [], "{namespace}{container}");
    }
}

#[test]
fn an_unknown_namespace_is_a_guess_within_a_folder_only() {
    let (secret, deployment) = (secret("db", PROD, "password"), deployment("", REF));
    let near = owners(&[("k/s.yaml", &secret), ("k/d.yaml", &deployment)], "k/s.yaml");
    assert_eq!(near, [("k8s:?/Deployment/api/app".to_owned(), Tier::Inferred)]);
    assert_eq!(owners(&[("k/s.yaml", &secret), ("l/d.yaml", &deployment)], "k/s.yaml"), []);
}

#[test]
fn lists_json_anchors_and_other_letters_are_understood() {
    let json = format!(
        r#"{{"kind":"List","apiVersion":"v1","items":[{{"kind":"Secret","apiVersion":"v1","metadata":{{"name":"db"}},"stringData":{{"k":"{VALUE}"}}}},
        {{"kind":"CronJob","metadata":{{"name":"nightly"}},"spec":{{"jobTemplate":{{"spec":{{"template":{{"spec":{{"containers":[
        {{"name":"c","env":[{{"name":"X","valueFrom":{{"secretKeyRef":{{"name":"db","key":"k"}}}}}}]}}]}}}}}}}}}}}}]}}"#
    );
    assert_eq!(owners(&[("all.json", &json)], "all.json"), [("k8s:?/CronJob/nightly/c".to_owned(), Tier::Bound)]);
    let anchored = format!(
        "# größe 日本\r\nx: &e\r\n  env:\r\n  - {{name: A, value: \"{VALUE}\"}}\r\n---\r\napiVersion: v1\r\nkind: Pod\r\nmetadata: {{name: p}}\r\nspec:\r\n  \
         x: &c\r\n    env:\r\n    - {{name: A, value: \"ü{VALUE}\"}}\r\n  containers:\r\n  - name: c\r\n    <<: *c\r\n"
    );
    // Inside a longer value only the place joins, so the offsets must be right in spite of the letters before it.
    let text = anchored.replacen(VALUE, "something-else-entirely", 1);
    assert_eq!(owners(&[("p.yaml", &text)], "p.yaml"), [("k8s:?/Pod/p/c".to_owned(), Tier::Bound)]);
}

#[test]
fn compose_gives_values_in_four_ways() {
    let environment = format!("services:\n  web:\n    image: x\n  api:\n    environment:\n      KEY: {VALUE}\n");
    let expected = |path: &str| vec![(format!("compose:{path}/api"), Tier::Bound)];
    assert_eq!(owners(&[("d/compose.yaml", &environment)], "d/compose.yaml"), expected("d/compose.yaml"));
    let list = format!("services:\n  api:\n    environment:\n      - KEY={VALUE}\n");
    assert_eq!(
        owners(&[("docker-compose.prod.yml", &list)], "docker-compose.prod.yml"),
        expected("docker-compose.prod.yml")
    );
    let dotenv = format!("# x\nOTHER=1\nexport KEY={VALUE}\n");
    for service in [
        "environment:\n      K: ${KEY:-none}\n",
        "environment:\n      - KEY\n",
        "env_file: .env\n",
        "env_file:\n      - path: ./.env\n",
    ] {
        let compose = format!("services:\n  web:\n    environment: {{A: $OTHER}}\n  api:\n    {service}");
        assert_eq!(
            owners(&[("d/compose.yml", &compose), ("d/.env", &dotenv)], "d/.env"),
            expected("d/compose.yml"),
            "{service}"
        );
        assert_eq!(owners(&[("e/compose.yml", &compose), ("d/.env", &dotenv)], "d/.env"), []);
    }
}

#[test]
fn the_last_matching_codeowners_line_wins() {
    let rules =
        "* @org/all\n/apps/ @org/apps  # comment\napps/api/* @org/api kim@corp.example\n/apps/free/\n[Section]\n!x @no\n";
    let ask = |path: &str| -> Vec<String> {
        owners(&[(".github/CODEOWNERS", rules)], path).into_iter().map(|(id, _)| id).collect()
    };
    assert_eq!(ask("readme.md"), ["team:@org/all"]);
    assert_eq!(ask("apps/x/y.env"), ["team:@org/apps"]);
    assert_eq!(ask("apps/api/.env"), ["mail:kim@corp.example", "team:@org/api"]);
    assert_eq!(ask("apps/api/deep/.env"), ["team:@org/apps"]);
    assert_eq!(ask("apps/free/.env"), Vec::<String>::new());
    let nested = owners(&[("one/CODEOWNERS", "* @one\n"), ("two/CODEOWNERS", "* @two\n")], "two/x");
    assert_eq!(nested, [("team:@two".to_owned(), Tier::Circumstantial)]);
}

#[test]
fn rubbish_templates_and_bombs_are_counted_and_bounded() {
    let key = key();
    let mut artefacts = Artefacts::new(&key);
    let mut bomb = String::from("kind: x\napiVersion: v1\na0: &a0 {k: v}\n");
    for n in 1..60 {
        bomb.extend([format!("a{n}: &a{n}\n  <<: ["), vec![format!("*a{}", n - 1); 9].join(", "), "]\n".to_owned()]);
    }
    bomb.push_str("metadata:\n  <<: *a59\n");
    for (path, text) in [
        ("bomb.yaml", bomb),
        ("deep.yaml", format!("kind: x\napiVersion: v1\nx: {}{}", "[".repeat(5000), "]".repeat(5000))),
        ("template.yaml", "kind: Secret\napiVersion: v1\ndata:\n  {{- range .x }}\n  a: {{ . }}\n".to_owned()),
        ("tab.yaml", "kind: Secret\napiVersion: v1\n\tmetadata: [\n".to_owned()),
        ("big.yaml", "x".repeat(6 << 20)),
    ] {
        artefacts.read(path, text.as_bytes());
    }
    artefacts.read("bytes.yaml", &[0xff, 0xfe, 0x00]);
    let counted: u64 = artefacts.passed_over.values().sum();
    assert_eq!(counted, 5, "{:?}", artefacts.passed_over);
}
