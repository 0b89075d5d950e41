//! Names of files that hold secrets by trade. They are read even where `.gitignore` hides them: hiding them is why they
//! were never committed, not why they are harmless.

const NAMES: &[&str] = &[
    ".env",
    ".envrc",
    ".netrc",
    "_netrc",
    ".npmrc",
    ".pypirc",
    ".pgpass",
    ".my.cnf",
    ".htpasswd",
    ".git-credentials",
    ".dockercfg",
    ".dockerconfigjson",
    ".vault-token",
    ".s3cfg",
    ".boto",
    "credentials",
    "credentials.json",
    "kubeconfig",
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "secrets.toml",
    "secrets.yml",
    "secrets.yaml",
    "secrets.json",
    "local.settings.json",
    "wp-config.php",
    ".mcp.json",
    "application_default_credentials.json",
];
const STARTS: &[&str] = &[".env.", "service-account", "service_account"];
const ENDS: &[&str] = &[
    ".env",
    ".pem",
    ".key",
    ".ppk",
    ".p8",
    ".tfstate",
    ".tfstate.backup",
    ".tfvars",
    ".kubeconfig",
    ".ovpn",
    ".keystore",
    ".jks",
    ".auto.tfvars.json",
];

/// Folders that hold what tools made. Where `.gitignore` names them they are not entered, not even for dangerous files.
const HEAVY: &[&str] = &[
    "node_modules",
    "bower_components",
    "target",
    "venv",
    ".venv",
    "__pycache__",
    ".tox",
    ".nox",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".cache",
    ".gradle",
    ".next",
    ".nuxt",
    "dist",
    "build",
    "out",
    "Pods",
    ".direnv",
    "site-packages",
];

/// Whether a file of that name is read whatever `.gitignore` says.
pub(super) fn is_dangerous(name: &str) -> bool {
    NAMES.contains(&name) || STARTS.iter().any(|start| name.starts_with(start)) || ENDS.iter().any(|end| name.ends_with(end))
}

/// Whether an ignored folder of that name is left alone.
pub(super) fn is_heavy(name: &str) -> bool {
    HEAVY.contains(&name)
}
