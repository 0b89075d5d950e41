//! Settings of MCP clients: value → `env`, `headers`, `args`, `url` or another setting of one server → that server.
//!
//! The clients agree on a mapping from a server's name to how it is started, and differ in where they keep it. Whatever
//! stands in a server's entry is handed to that server. A file that no known client reads only hints at one. VS Code's
//! `envFile` is followed where it begins with the workspace folder: then its path is exact.

use std::sync::Arc;

use super::links::{Consumer, Kind, Link, Links};
use super::yaml::View;
use super::{Sheet, clean, dotenv, ends_in, file_name, folder, is_showable, join};
use crate::model::{Coverage, Tier};

/// What clients call their file, whatever folder it lies in.
const NAMES: &[&str] = &[
    ".mcp.json",                  // Claude Code, project scope
    "mcp.json",                   // VS Code, Cursor, Kiro, LM Studio, Amazon Q
    ".claude.json",               // Claude Code, user and local scope
    "claude_desktop_config.json", // Claude Desktop
    "mcp_config.json",            // Windsurf
    "mcp-config.json",            // GitHub Copilot CLI
    "mcp_settings.json",          // Roo Code
    "cline_mcp_settings.json",    // Cline
    "opencode.json",
    "opencode.jsonc",
    "mcp_agent.config.yaml", // mcp-agent, and its secrets (docs.mcp-agent.com, "Configuring your application")
    "mcp_agent.secrets.yaml",
    "fastagent.config.yaml", // fast-agent (fast-agent.ai, "Configuration reference")
    "fastagent.secrets.yaml",
];
/// Folder and name, where the name alone says nothing.
const SETTINGS: &[&str] = &[
    ".claude/settings.json",
    ".claude/settings.local.json",
    ".gemini/settings.json",
    ".vscode/settings.json",
    "User/settings.json", // VS Code's own
    ".zed/settings.json",
    "zed/settings.json",
    ".continue/config.json",
    ".continue/config.yaml",
    ".codex/config.toml", // OpenAI Codex
];
/// Every client's word for its servers; a file without any is not parsed.
const WORDS: &[&str] = &["mcpServers", "context_servers", "\"servers\"", "\"mcp\"", "mcp_servers", "servers:"];
/// VS Code's word for the folder that `.vscode` lies in.
const WORKSPACE: &str = "${workspaceFolder}/";

/// What clients' settings say.
#[derive(Default)]
pub(super) struct Mcp;

impl Kind for Mcp {
    // `.claude.json` keeps prompts as well.
    const LIMIT: usize = 8 << 20;

    fn wants(path: &str) -> bool {
        ends_in(path, &["json", "jsonc"]) || is_clients(path)
    }

    fn is_env_file(path: &str) -> bool {
        dotenv::is_named_so(file_name(path))
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        let words = if is_clients(&sheet.path) { WORDS } else { &WORDS[..1] };
        words.iter().any(|word| sheet.mentions(word))
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, coverage: &mut Coverage) {
        let known = is_clients(&sheet.path);
        let tier = if known { Tier::Bound } else { Tier::Inferred };
        sheet.documents(coverage, &mut |root| {
            for (project, servers) in places(root, &sheet.path, known) {
                let within = match project {
                    Some(project) => (format!("mcp:{}[{project}]", sheet.path), format!("{} for {project}", sheet.path)),
                    None => (format!("mcp:{}", sheet.path), sheet.path.to_string()),
                };
                for (name, server) in servers.entries() {
                    if let Some(name) = name.text() {
                        read(sheet, &within, (name, server), tier, links);
                    }
                }
                // Continue has a list of them.
                for server in servers.items() {
                    if let Some(name) = server.text_at(&["name"]) {
                        read(sheet, &within, (name, server), tier, links);
                    }
                }
            }
        });
    }
}

/// Whether a known client reads a file of that name.
fn is_clients(path: &str) -> bool {
    let ends = |own: &&str| path.strip_suffix(*own).is_some_and(|before| before.is_empty() || before.ends_with('/'));
    NAMES.contains(&file_name(path)) || SETTINGS.iter().any(ends)
}

/// Where in the file the servers are, and the project they are for where that is said.
fn places<'t>(root: View<'t>, path: &str, known: bool) -> Vec<(Option<&'t str>, View<'t>)> {
    let mut found: Vec<_> = root.get("mcpServers").map(|own| (None, own)).into_iter().collect();
    if !known {
        return found;
    }
    // Claude Code keeps those of each project that a person works on.
    let projects = root.get("projects").map(View::entries).unwrap_or_default();
    found.extend(projects.into_iter().filter_map(|(name, project)| {
        let name = name.text().filter(|name| is_showable(name))?;
        Some((Some(name), project.get("mcpServers")?))
    }));
    let whole = |servers| (None, servers);
    found.extend(root.get("context_servers").map(whole));
    found.extend(root.get("mcp_servers").map(whole));
    found.extend(root.at(&["mcp", "servers"]).map(whole));
    let name = file_name(path);
    found.extend(root.get("servers").filter(|_| name == "mcp.json").map(whole));
    found.extend(root.get("mcp").filter(|_| name.starts_with("opencode.")).map(whole));
    found
}

/// Reads one server's entry. `within` is what it stands in: the beginning of its id, and in words.
fn read(sheet: &Sheet<'_>, within: &(String, String), (name, server): (&str, View<'_>), tier: Tier, links: &mut Links) {
    if !is_showable(name) || !server.is_mapping() {
        return;
    }
    let tier = if is_off(server) { tier.min(Tier::Declared) } else { tier };
    let consumer = Consumer::new(format!("{}/{name}", within.0), format!("MCP server {name} of {}", within.1));
    let consumer = Arc::new(consumer);
    for (field, value) in server.entries() {
        let Some(field) = field.text() else { continue };
        let technique = technique(field);
        value.leaves(&clean(field), &mut |way, leaf| {
            links.put(sheet, leaf, Link::new(&consumer, tier, technique, way));
        });
        if let Some(file) = Some(field).filter(|field| *field == "envFile").and_then(|_| env_file(&sheet.path, value)) {
            let detail = format!("envFile {}", clean(&file));
            links.pull(file, sheet.place(value), Link::new(&consumer, tier, "mcp-env-file", detail));
        }
    }
}

fn technique(field: &str) -> &'static str {
    match field {
        "env" | "environment" => "mcp-env",
        "args" | "command" => "mcp-argument",
        "headers" | "http_headers" | "requestInit" => "mcp-header",
        "url" | "httpUrl" | "serverUrl" => "mcp-url",
        _ => "mcp-setting",
    }
}

/// Whether the client does not start it.
fn is_off(server: View<'_>) -> bool {
    let says = |field, word| server.get(field).and_then(View::text) == Some(word);
    says("disabled", "true") || says("enabled", "false")
}

/// The env file by its path in the tree, where that is exact.
fn env_file(path: &str, value: View<'_>) -> Option<String> {
    let relative = value.text()?.strip_prefix(WORKSPACE)?;
    let own = folder(path);
    let workspace = if own == ".vscode" { "" } else { own.strip_suffix("/.vscode")? };
    join(workspace, relative)
}

#[cfg(test)]
mod tests;
