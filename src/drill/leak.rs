//! A small repository that leaks, as repositories do.

use std::fs;
use std::path::Path;

use data_encoding::BASE64;

use super::DrillError;
use crate::sandbox::Sandbox;
use crate::secret::Secret;

const TEAM: &str = "payments";
const USER: &str = "payments-api";

/// The workload that uses the leaked key, by the manifests below.
pub(super) const CONSUMER: &str = "k8s:payments/Deployment/api/app";

/// Writes a small repository with one credential, as a drill plants it: in an env file, and in a Secret that a workload uses.
pub(super) fn write_drill(root: &Path, variables: &[(&str, &str)]) -> Result<(), DrillError> {
    let lines: Vec<String> = variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let text = lines.join("\n") + "\n";
    lay_out(
        root,
        &[
            ("deploy/.env", text),
            ("deploy/secret.yaml", manifest(variables)),
            ("deploy/deployment.yaml", DEPLOYMENT.to_owned()),
        ],
    )
}

fn lay_out(root: &Path, files: &[(&str, String)]) -> Result<(), DrillError> {
    for (name, text) in files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap_or(root))?;
        fs::write(path, text)?;
    }
    Ok(())
}

/// Writes it, with keys that the sandbox knows, one that it never knew, and one that is only a sample.
pub(super) fn write(root: &Path, sandbox: &Sandbox) -> Result<(), DrillError> {
    sandbox.create_user(USER, &[("Team", TEAM)])?;
    let key = sandbox.create_access_key(USER)?;
    let llm = sandbox.create_llm_key("payments-prod", "assistant")?;
    let text = |secret: &Secret| secret.expose_str().unwrap_or_default().to_owned();
    let (id, secret, llm) = (key.id.clone(), text(&key.secret), text(&llm));
    let revoked: String = llm.chars().rev().skip(8).collect::<String>();
    let revoked = format!("sk-{}T3Blbk{}{}", &alphanumeric(&revoked)[..20], "FJ", &alphanumeric(&revoked)[20..40]);
    let files = [
        ("README.md", "# payments\n\nUse your own key, not AKIAIOSFODNN7EXAMPLE.\n".to_owned()),
        (".github/CODEOWNERS", "* @acme/platform\n/deploy/ @acme/payments\n".to_owned()),
        (
            "app/settings.py",
            format!("# TODO take this out before we go public\nOPENAI_API_KEY = \"{llm}\"\nMODEL = \"gpt-5\"\n"),
        ),
        ("app/old_settings.py", format!("OPENAI_API_KEY = \"{revoked}\"\n")),
        ("deploy/.env", format!("AWS_REGION=us-east-1\nAWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={secret}\n")),
        ("deploy/secret.yaml", manifest(&[("AWS_ACCESS_KEY_ID", &id), ("AWS_SECRET_ACCESS_KEY", &secret)])),
        ("deploy/deployment.yaml", DEPLOYMENT.to_owned()),
    ];
    lay_out(root, &files)
}

fn alphanumeric(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

fn manifest(variables: &[(&str, &str)]) -> String {
    let coded = variables.iter().map(|(name, value)| format!("  {name}: {}", BASE64.encode(value.as_bytes())));
    let data = coded.collect::<Vec<_>>().join("\n");
    format!("apiVersion: v1\nkind: Secret\nmetadata:\n  name: aws\n  namespace: payments\ndata:\n{data}\n")
}

const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
  namespace: payments
spec:
  template:
    spec:
      serviceAccountName: payments-api
      containers:
        - name: app
          image: registry.acme.example/payments/api:1.4
          envFrom:
            - secretRef:
                name: aws
";
