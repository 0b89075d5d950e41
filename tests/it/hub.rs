//! The hub is the fingerprint: one value in a repository, its history, an image, a Helm chart, a Terraform state, a Kubernetes
//! Secret, a compose file and an agent's settings is one finding, with every sighting and all its owners.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::harness::program::Home;
use crate::history::Repo;
use crate::images::fixtures::{GZIP, Layout, gzip, tar, token};

/// Path and content of each place that the value stands in.
fn places(value: &str) -> Vec<(&'static str, String)> {
    let wrapped = data_encoding::BASE64.encode(value.as_bytes());
    let state = json!({
        "version": 4, "terraform_version": "1.9.0", "resources": [{
            "mode": "managed", "type": "aws_lambda_function", "name": "worker",
            "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
            "instances": [{"attributes": {"function_name": "worker", "environment": [{"variables": {"HF_TOKEN": value}}]}}],
        }],
    });
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api, namespace: prod}\nspec:\n  template:\n    spec:\n      \
        containers:\n      - name: app\n        image: x\n        env:\n        - name: HF_TOKEN\n          valueFrom: {secretKeyRef: {name: hf, key: token}}\n";
    vec![
        ("src/app.py", format!("TOKEN = \"{value}\"\n")),
        ("chart/Chart.yaml", "apiVersion: v2\nname: search\nversion: 1.0.0\n".to_owned()),
        ("chart/values.yaml", format!("hf:\n  token: {value}\n")),
        ("chart/templates/d.yaml", "env: {{ .Values.hf.token | quote }}\n".to_owned()),
        ("infra/terraform.tfstate", state.to_string()),
        (
            "k8s/secret.yaml",
            format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: hf, namespace: prod}}\ndata:\n  token: {wrapped}\n"),
        ),
        ("k8s/deploy.yaml", deployment.to_owned()),
        ("compose.yaml", "services:\n  batch:\n    image: x\n    env_file: batch.env\n".to_owned()),
        ("batch.env", format!("HF_TOKEN={value}\n")),
        (".mcp.json", json!({"mcpServers": {"hub": {"command": "hub", "env": {"HF_TOKEN": value}}}}).to_string()),
        ("CODEOWNERS", "* @org/search\n".to_owned()),
        ("catalog-info.yaml", "kind: Component\nmetadata: {name: search}\nspec: {owner: search}\n".to_owned()),
    ]
}

#[test]
fn one_value_in_every_kind_of_place_is_one_finding_with_all_its_owners() {
    let home = Home::new();
    let value = token(11);
    let repo = Repo::new(&home, "r", &[]);
    fs::write(repo.path.join("old.txt"), format!("hf {value}\n")).unwrap();
    repo.git(&["add", "-A"]);
    repo.commit("leak");
    repo.git(&["rm", "-q", "old.txt"]);
    for (path, text) in places(&value) {
        let full = repo.path.join(path);
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        fs::write(full, text).unwrap();
    }
    repo.git(&["add", "-A"]);
    repo.commit("all");
    let mut layout = Layout::default();
    let labels = json!({"org.opencontainers.image.source": "https://git.example/org/search"});
    let layer = gzip(&tar(&[("app/.env", format!("HF_TOKEN={value}\n").as_bytes())]));
    let env = json!([format!("HF_TOKEN={value}")]);
    layout.image(("linux", "amd64"), &json!({"config": {"Env": env, "Labels": labels}}), &[(GZIP, layer)]);
    layout.write(&home.work().join("image"));

    let output = home.staunch(["triage", "--offline", "--history", "--format", "json", "r", "oci:image"]).output();
    let report: Value = serde_json::from_str(&output.stdout()).unwrap();
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{findings:#?}");
    let sightings: BTreeSet<String> = findings[0]["occurrences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|at| format!("{} {}", at["provenance"]["kind"].as_str().unwrap(), at["path"].as_str().unwrap()))
        .collect();
    for path in ["src/app.py", "chart/values.yaml", "infra/terraform.tfstate", "k8s/secret.yaml", "batch.env", ".mcp.json"] {
        assert!(sightings.contains(&format!("worktree r/{path}")), "{path}: {sightings:#?}");
    }
    assert!(sightings.iter().any(|at| at.starts_with("commit ") && at.ends_with("old.txt")), "{sightings:#?}");
    assert!(sightings.iter().filter(|at| at.starts_with("layer ")).count() >= 2, "{sightings:#?}");
    let owners: BTreeSet<String> = findings[0]["owners"]
        .as_array()
        .unwrap()
        .iter()
        .map(|owner| ["edge", "tier", "id"].map(|key| owner[key].as_str().unwrap()).join(" "))
        .collect();
    for expected in [
        "consumer bound k8s:prod/Deployment/api/app",
        "consumer bound compose:r/compose.yaml/batch",
        "consumer bound mcp:r/.mcp.json/hub",
        "consumer bound terraform:r/infra/terraform.tfstate/aws_lambda_function.worker",
        "consumer declared helm:r/chart/search",
        "consumer inferred image:oci:image",
        "accountable declared backstage:group:default/search",
        "custodian declared repo:https://git.example/org/search",
        "custodian circumstantial team:@org/search",
    ] {
        assert!(owners.contains(expected), "{expected}: {owners:#?}");
    }
    let print = findings[0]["fingerprint"].as_str().unwrap();
    let told = home.staunch(["triage", "--offline", "r", "oci:image"]).output();
    assert!(told.stdout().contains(&print[..21]) && !told.stdout().contains(&value));
}

#[test]
fn two_targets_are_one_world() {
    // The manifests in one repository, the leak in another.
    let home = Home::new();
    let value = token(12);
    for (path, text) in places(&value) {
        let folder = if path.starts_with("k8s") { "deploy" } else { "code" };
        if path.starts_with("k8s") || path == "src/app.py" {
            let full = home.work().join(folder).join(path);
            fs::create_dir_all(full.parent().unwrap()).unwrap();
            fs::write(full, text).unwrap();
        }
    }
    for targets in [["code", "deploy"], ["deploy", "code"]] {
        let output = home.staunch([&["triage", "--offline", "--format", "json"], &targets[..]].concat()).output();
        let report: Value = serde_json::from_str(&output.stdout()).unwrap();
        let all = report["findings"].as_array().unwrap();
        assert_eq!((all.len(), all[0]["occurrences"].as_array().unwrap().len()), (1, 2), "{all:#?}");
        let owners = all[0]["owners"].to_string();
        assert!(owners.contains("k8s:prod/Deployment/api/app"), "{owners}");
    }
}
