//! Where programs keep credentials below a user's home folder. A declared list; a line says for which program and where that
//! is written down. Only what is there is read.

use std::path::{Path, PathBuf};

/// A file or folder below home.
#[derive(Debug, Clone, Copy)]
struct Kept {
    /// From home, `/` between the parts.
    path: &'static str,
    /// Whose, and the page or manual that says so.
    source: &'static str,
}

const fn kept(path: &'static str, source: &'static str) -> Kept {
    Kept { path, source }
}

const KEPT: &[Kept] = &[
    // --- clouds
    kept(".aws", "AWS CLI User Guide, Configuration and credential file settings"),
    kept(".config/gcloud", "gcloud topic configurations; Application Default Credentials"),
    kept("AppData/Roaming/gcloud", "Google Cloud, How Application Default Credentials works"),
    kept(".boto", "gsutil, The boto configuration file"),
    kept(".azure", "Azure CLI configuration, AZURE_CONFIG_DIR"),
    kept(".oci", "OCI SDK and CLI Configuration File"),
    kept(".config/doctl", "doctl README, configuration"),
    kept("Library/Application Support/doctl", "doctl README, configuration"),
    kept(".aliyun", "Alibaba Cloud CLI, configuration"),
    kept(".bluemix", "IBM Cloud CLI, BLUEMIX_HOME"),
    kept(".config/hcloud", "hcloud reference, config file"),
    kept(".config/scw", "scaleway-cli, config file"),
    kept(".config/linode-cli", "linode-cli wiki, Configuration"),
    kept(".fly/config.yml", "flyctl, configuration"),
    kept(".config/netlify", "netlify-cli, configuration"),
    kept(".config/configstore", "npm configstore (firebase-tools among others)"),
    kept(".wrangler/config", "Cloudflare wrangler, login"),
    kept(".config/.wrangler/config", "Cloudflare wrangler, login"),
    kept(".snowsql/config", "Snowflake, Configuring SnowSQL"),
    kept(".snowflake", "Snowflake, connections.toml"),
    kept(".databrickscfg", "Databricks, configuration profiles"),
    kept(".s3cfg", "s3cmd manual"),
    kept(".config/rclone/rclone.conf", "rclone docs, --config"),
    kept(".mc/config.json", "MinIO client reference"),
    // --- clusters and infrastructure
    kept(".kube/config", "Kubernetes, Organizing Cluster Access Using kubeconfig Files"),
    kept(".config/helm", "Helm, environment variables (HELM_CONFIG_HOME)"),
    kept("Library/Preferences/helm", "Helm, environment variables (HELM_CONFIG_HOME)"),
    kept(".docker/config.json", "docker CLI, configuration files"),
    kept(".dockercfg", "Kubernetes, Pull an Image from a Private Registry (legacy form)"),
    kept(".config/containers/auth.json", "containers-auth.json(5)"),
    kept(".terraform.d/credentials.tfrc.json", "Terraform CLI configuration, credentials"),
    kept(".terraformrc", "Terraform CLI configuration"),
    kept(".pulumi/credentials.json", "Pulumi, pulumi login"),
    kept(".vault-token", "Vault, vault login (default token helper)"),
    kept(".config/argocd/config", "argocd CLI, --config"),
    kept(".argocd/config", "argocd CLI, --config"),
    kept(".chef", "Chef, knife configuration"),
    kept(".ansible.cfg", "Ansible Configuration Settings"),
    // --- code hosting
    kept(".git-credentials", "git-credential-store(1)"),
    kept(".config/git/credentials", "git-credential-store(1)"),
    kept(".gitconfig", "git-config(1)"),
    kept(".config/git/config", "git-config(1)"),
    kept(".config/gh/hosts.yml", "gh manual, gh auth login"),
    kept("AppData/Roaming/GitHub CLI/hosts.yml", "gh manual, gh auth login"),
    kept(".config/hub", "hub(1)"),
    kept(".config/glab-cli/config.yml", "glab, configuration"),
    kept("Library/Application Support/glab-cli/config.yml", "glab, configuration"),
    kept(".config/tea/config.yml", "tea (Gitea), README"),
    // --- packages and hosts
    kept(".netrc", "ftp(1), curl manual: netrc"),
    kept("_netrc", "curl manual: netrc on Windows"),
    kept(".npmrc", "npm docs, npmrc"),
    kept(".yarnrc.yml", "Yarn, yarnrc"),
    kept(".yarnrc", "Yarn 1, yarnrc"),
    kept(".pypirc", "PyPA specification, The .pypirc file"),
    kept(".pip/pip.conf", "pip docs, Configuration"),
    kept(".config/pip/pip.conf", "pip docs, Configuration"),
    kept(".config/pypoetry/auth.toml", "Poetry docs, Configuration"),
    kept(".cargo/credentials.toml", "The Cargo Book, Configuration: credentials"),
    kept(".cargo/credentials", "The Cargo Book, Configuration: credentials (older)"),
    kept(".gem/credentials", "RubyGems guides, API authorization"),
    kept(".bundle/config", "bundle-config(1)"),
    kept(".m2/settings.xml", "Maven, Settings Reference"),
    kept(".m2/settings-security.xml", "Maven, Password Encryption"),
    kept(".gradle/gradle.properties", "Gradle User Manual, Build Environment"),
    kept(".nuget/NuGet/NuGet.Config", "NuGet, Common configurations"),
    kept(".config/composer/auth.json", "Composer, Authentication"),
    kept(".composer/auth.json", "Composer, Authentication"),
    kept(".hex/hex.config", "mix hex.user"),
    kept(".ssh", "ssh(1), ssh_config(5)"),
    // --- databases
    kept(".pgpass", "PostgreSQL, The Password File"),
    kept(".pg_service.conf", "PostgreSQL, The Connection Service File"),
    kept(".my.cnf", "MySQL, Using Option Files"),
    kept(".mylogin.cnf", "MySQL, mysql_config_editor"),
    kept(".mongorc.js", "MongoDB, mongo shell"),
    kept(".mongodb/mongosh/config", "MongoDB, mongosh configuration"),
    kept(".rediscli_auth", "Redis, redis-cli"),
    kept(".cassandra/credentials", "Cassandra, cqlsh"),
    // --- models and other services
    kept(".huggingface/token", "huggingface_hub, HF_HOME (older)"),
    kept(".cache/huggingface/token", "huggingface_hub, HF_TOKEN_PATH"),
    kept(".cache/huggingface/stored_tokens", "huggingface_hub, stored tokens"),
    kept(".config/openai", "openai-python 0.x, API key file"),
    kept(".openai", "OpenAI, API key file by convention"),
    kept(".kaggle/kaggle.json", "Kaggle API, credentials"),
    kept(".config/kaggle/kaggle.json", "Kaggle API, credentials"),
    kept(".config/wandb/settings", "Weights & Biases, settings"),
    kept(".config/stripe/config.toml", "Stripe CLI, config"),
    kept(".sentryclirc", "Sentry CLI, Configuration"),
    kept(".config/ngrok/ngrok.yml", "ngrok agent, configuration file"),
    kept(".ngrok2/ngrok.yml", "ngrok agent 2, configuration file"),
    kept(".config/sops/age/keys.txt", "sops README, Encrypting using age"),
    // --- shells: what was typed, and what is set in each
    kept(".bash_history", "bash(1), HISTFILE"),
    kept(".zsh_history", "zsh wiki; HISTFILE by convention"),
    kept(".zhistory", "zsh; HISTFILE by convention"),
    kept(".local/share/fish/fish_history", "fish docs, history"),
    kept(".config/fish", "fish docs, configuration files"),
    kept(".sh_history", "ksh(1), HISTFILE"),
    kept(".history", "tcsh(1), histfile"),
    kept(".local/share/powershell/PSReadLine/ConsoleHost_history.txt", "PowerShell, Set-PSReadLineOption"),
    kept(
        "AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt",
        "PowerShell, Set-PSReadLineOption",
    ),
    kept(".python_history", "Python, site module"),
    kept(".node_repl_history", "Node.js, REPL: NODE_REPL_HISTORY"),
    kept(".irb_history", "Ruby, IRB"),
    kept(".psql_history", "psql(1), PSQL_HISTORY"),
    kept(".mysql_history", "mysql(1), MYSQL_HISTFILE"),
    kept(".sqlite_history", "sqlite3(1)"),
    kept(".rediscli_history", "Redis, redis-cli"),
    kept(".mongodb/mongosh/mongosh_repl_history", "MongoDB, mongosh logs"),
    kept(".wget-hsts", "wget(1)"),
    kept(".wgetrc", "wget(1)"),
    kept(".curlrc", "curl(1)"),
    kept(".bashrc", "bash(1)"),
    kept(".bash_profile", "bash(1)"),
    kept(".profile", "sh(1)"),
    kept(".zshrc", "zsh(1)"),
    kept(".zshenv", "zsh(1)"),
    kept(".zprofile", "zsh(1)"),
    kept(".env", "dotenv, by convention"),
    kept(".envrc", "direnv(1)"),
    kept(".pam_environment", "pam_env(8)"),
    kept(".config/environment.d", "environment.d(5)"),
    // --- agents and their MCP servers
    kept(".claude.json", "Claude Code, Settings"),
    kept(".claude", "Claude Code, Settings; transcripts in projects/"),
    kept(".config/Claude/claude_desktop_config.json", "Model Context Protocol, Connect to local MCP servers"),
    kept(
        "Library/Application Support/Claude/claude_desktop_config.json",
        "Model Context Protocol, Connect to local MCP servers",
    ),
    kept("AppData/Roaming/Claude/claude_desktop_config.json", "Model Context Protocol, Connect to local MCP servers"),
    kept(".cursor/mcp.json", "Cursor docs, Model Context Protocol"),
    kept(".config/Code/User/mcp.json", "VS Code, Use MCP servers"),
    kept(".config/Code/User/settings.json", "VS Code, User and workspace settings"),
    kept("Library/Application Support/Code/User/mcp.json", "VS Code, Use MCP servers"),
    kept("Library/Application Support/Code/User/settings.json", "VS Code, User and workspace settings"),
    kept("AppData/Roaming/Code/User/mcp.json", "VS Code, Use MCP servers"),
    kept("AppData/Roaming/Code/User/settings.json", "VS Code, User and workspace settings"),
    kept(".codeium/windsurf/mcp_config.json", "Windsurf docs, Cascade MCP Integration"),
    kept(".continue/config.yaml", "Continue docs, config.yaml Reference"),
    kept(".continue/config.json", "Continue docs, config.json Reference"),
    kept(".continue/.env", "Continue docs, secrets"),
    kept(".continue/mcpServers", "Continue docs, MCP"),
    kept(".codex/config.toml", "Codex CLI, Configuration"),
    kept(".codex/auth.json", "Codex CLI, Authentication"),
    kept(".codex/history.jsonl", "Codex CLI, Configuration: history"),
    kept(".gemini", "Gemini CLI, Configuration"),
    kept(".config/goose", "Goose, Configuration"),
    kept(".config/zed/settings.json", "Zed, Configuring Zed"),
    kept(".config/opencode", "opencode, Config"),
    kept(".local/share/opencode/auth.json", "opencode, Providers"),
    kept(".config/github-copilot", "copilot.vim, authentication"),
    kept(".copilot/mcp-config.json", "GitHub Copilot CLI, MCP servers"),
    kept(".aws/amazonq/mcp.json", "Amazon Q Developer CLI, MCP configuration"),
    kept(".kiro/settings/mcp.json", "Kiro docs, MCP"),
    kept(".lmstudio/mcp.json", "LM Studio docs, Use MCP Servers"),
    kept(".aider.conf.yml", "aider, YAML config file"),
    kept(".config/io.datasette.llm/keys.json", "llm docs, API key management"),
    kept("Library/Application Support/io.datasette.llm/keys.json", "llm docs, API key management"),
    kept(".ollama", "Ollama FAQ"),
];

/// The list, as it is declared: path below home, and where that is written down.
pub fn kept_list() -> impl Iterator<Item = (&'static str, &'static str)> {
    KEPT.iter().map(|kept| (kept.path, kept.source))
}

/// What of the list is below `home`, in the list's order, nothing twice.
pub fn kept_below(home: &Path) -> Vec<PathBuf> {
    let mut there: Vec<PathBuf> = Vec::new();
    for path in KEPT.iter().map(|kept| home.join(kept.path)) {
        let is_within = there.iter().any(|before| path.starts_with(before));
        if path.symlink_metadata().is_ok() && !is_within {
            there.push(path);
        }
    }
    there
}

#[cfg(test)]
mod tests {
    use super::{KEPT, kept_below};

    #[test]
    fn every_line_is_a_plain_path_with_a_source_and_stands_once() {
        for (at, line) in KEPT.iter().enumerate() {
            assert!(!line.source.is_empty() && !line.path.starts_with('/') && !line.path.contains(".."), "{}", line.path);
            assert!(KEPT[..at].iter().all(|other| other.path != line.path), "{} stands twice", line.path);
        }
    }

    #[test]
    fn only_what_is_there_is_named_and_nothing_twice() {
        let home = tempfile::tempdir().expect("scratch");
        assert!(kept_below(home.path()).is_empty());
        for path in [".aws/amazonq/mcp.json", ".aws/credentials", ".kube/config", ".unknown/file"] {
            let path = home.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
            std::fs::write(path, "").expect("file");
        }
        assert_eq!(kept_below(home.path()), [".aws", ".kube/config"].map(|path| home.path().join(path)));
    }
}
