//! Settings as clients write them, and what must not be joined in them.

use crate::model::{Owner, Tier};
use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

fn owners(path: &str, text: &str) -> Vec<Owner> {
    tree(&[(path, text)]).resolve(&finding(VALUE))
}

/// A server `github` with that entry, beside one that holds nothing, under that key.
fn servers(key: &str, entry: &str) -> String {
    format!("{{\n  \"{key}\": {{\n    \"github\": {{{entry}}},\n    \"files\": {{\"command\": \"npx\"}}\n  }}\n}}\n")
}

#[test]
fn every_client_s_file_is_known() {
    let env = format!("\"command\": \"npx\", \"env\": {{\"TOKEN\": \"{VALUE}\"}}");
    for (path, key) in [
        (".mcp.json", "mcpServers"),
        ("x/.cursor/mcp.json", "mcpServers"),
        (".codeium/windsurf/mcp_config.json", "mcpServers"),
        ("Claude/claude_desktop_config.json", "mcpServers"),
        (".claude/settings.json", "mcpServers"),
        (".claude.json", "mcpServers"),
        (".gemini/settings.json", "mcpServers"),
        (".vscode/mcp.json", "servers"),
        (".zed/settings.json", "context_servers"),
        ("opencode.json", "mcp"),
    ] {
        let id = format!("mcp:{path}/github");
        let all = owners(path, &servers(key, &env));
        assert_eq!(consumers(&all), [(id.as_str(), Tier::Bound)], "{path}");
        assert_eq!(
            (all[0].evidence[0].technique.as_str(), all[0].evidence[0].value.as_str()),
            ("mcp-env", "env.TOKEN (same value)")
        );
    }
}

#[test]
fn nested_places_and_lists_are_found() {
    let project = format!(
        "{{\"projects\": {{\"/home/a/x\": {}}}}}",
        servers("mcpServers", &format!("\"env\": {{\"T\": \"{VALUE}\"}}"))
    );
    assert_eq!(consumers(&owners(".claude.json", &project)), [("mcp:.claude.json[/home/a/x]/github", Tier::Bound)]);
    let list = format!("mcpServers:\n  - name: github\n    env: {{T: {VALUE}}}\n");
    assert_eq!(consumers(&owners(".continue/config.yaml", &list)), [("mcp:.continue/config.yaml/github", Tier::Bound)]);
    let agent = format!("mcp:\n  servers:\n    github:\n      headers:\n        Authorization: Bearer {VALUE}\n");
    for path in ["x/mcp_agent.config.yaml", "mcp_agent.secrets.yaml", "fastagent.config.yaml"] {
        assert_eq!(consumers(&owners(path, &agent)), [(format!("mcp:{path}/github").as_str(), Tier::Bound)], "{path}");
    }
    let code = format!("{{\"mcp\": {}}}", servers("servers", &format!("\"env\": {{\"T\": \"{VALUE}\"}}")));
    assert_eq!(consumers(&owners(".vscode/settings.json", &code)), [("mcp:.vscode/settings.json/github", Tier::Bound)]);
}

#[test]
fn servers_of_one_name_in_two_projects_stay_two() {
    let entry = |value: &str| format!("{{\"mcpServers\": {{\"db\": {{\"env\": {{\"T\": \"{value}\"}}}}}}}}");
    let own = entry(VALUE);
    let text = format!(
        "{{\"mcpServers\": {{\"db\": {{\"env\": {{\"T\": \"{VALUE}\"}}}}}}, \"projects\": {{\"/home/a/x\": {own}, \"/home/a/y\": {}, \
         \"/home/a/z\": {own}}}}}",
        entry("another-value-altogether")
    );
    let all = owners(".claude.json", &text);
    assert_eq!(
        consumers(&all),
        [
            ("mcp:.claude.json/db", Tier::Bound),
            ("mcp:.claude.json[/home/a/x]/db", Tier::Bound),
            ("mcp:.claude.json[/home/a/z]/db", Tier::Bound),
        ]
    );
    assert_eq!(all[1].name, "MCP server db of .claude.json for /home/a/x");
}

#[test]
fn headers_arguments_and_addresses_count() {
    for (entry, technique) in [
        (format!("\"headers\": {{\"Authorization\": \"Bearer {VALUE}\"}}"), "mcp-header"),
        (format!("\"args\": [\"-y\", \"pkg\", \"--key={VALUE}\"]"), "mcp-argument"),
        (format!("\"command\": {{\"path\": \"x\", \"args\": [\"{VALUE}\"]}}"), "mcp-argument"),
        (format!("\"url\": \"https://x/mcp?key={VALUE}\""), "mcp-url"),
    ] {
        let text = servers("mcpServers", &entry);
        let known = tree(&[(".mcp.json", &text)]);
        let by_place = known.resolve(&finding_in(".mcp.json", &text, VALUE));
        assert_eq!(consumers(&by_place), [("mcp:.mcp.json/github", Tier::Bound)], "{entry}");
        assert_eq!(by_place[0].evidence[0].technique, technique);
        assert_eq!(consumers(&known.resolve(&finding(VALUE))), [("mcp:.mcp.json/github", Tier::Bound)], "{entry}");
    }
}

#[test]
fn comments_are_no_trouble_and_hold_no_value() {
    let text = format!(
        "// hunter2-first\n{{ /* é */ \"mcpServers\": {{\n  // \"old\": {{\"env\": {{\"T\": \"{VALUE}-old\"}}}},\n  \"new\": {{\"env\": \
         {{\"T\": \"{VALUE}\\ud83d\\ude00\",}},}},\n}}, }}\n"
    );
    let known = tree(&[(".mcp.json", &text)]);
    assert_eq!(known.coverage().troubles, []);
    assert_eq!(
        consumers(&known.resolve(&finding_in(".mcp.json", &text, &format!("{VALUE}\\u")))),
        [("mcp:.mcp.json/new", Tier::Bound)]
    );
    for elsewhere in ["hunter2-first", &format!("{VALUE}-old")] {
        assert_eq!(consumers(&known.resolve(&finding_in(".mcp.json", &text, elsewhere))), [], "{elsewhere}");
    }
}

#[test]
fn near_misses_are_not_bound() {
    let env = format!("\"env\": {{\"T\": \"{VALUE}\"}}");
    assert_eq!(owners("mcp.json", &servers("clients", &env)), []);
    assert_eq!(owners(".cursor/settings.json", &servers("servers", &env)), []);
    assert_eq!(owners("package.json", &servers("context_servers", &env)), []);
    assert_eq!(owners(".mcp.json", &format!("{{\"mcpServers\": {{}}, \"note\": \"{VALUE}\"}}")), []);
    assert_eq!(owners(".mcp.json", &servers("mcpServers", "\"env\": {\"T\": \"${TOKEN}\"}")), []);
    let unknown = owners("docs/example.json", &servers("mcpServers", &env));
    assert_eq!(consumers(&unknown), [("mcp:docs/example.json/github", Tier::Inferred)], "no known client reads it");
    let off = owners(".mcp.json", &servers("mcpServers", &format!("\"disabled\": true, {env}")));
    assert_eq!(consumers(&off), [("mcp:.mcp.json/github", Tier::Declared)]);
}

#[test]
fn an_env_file_is_followed_by_exact_path() {
    let at = |file: &str| servers("servers", &format!("\"envFile\": \"{file}\""));
    let env = format!("TOKEN={VALUE}\n");
    let all = |path, file, env_path| tree(&[(path, &at(file)), (env_path, &env)]).resolve(&finding(VALUE));
    let exact = all("app/.vscode/mcp.json", "${workspaceFolder}/conf/dev.env", "app/conf/dev.env");
    assert_eq!(consumers(&exact), [("mcp:app/.vscode/mcp.json/github", Tier::Bound)]);
    let techniques: Vec<_> = exact[0].evidence.iter().map(|one| one.technique.as_str()).collect();
    assert_eq!(techniques, ["dotenv-variable", "mcp-env-file"]);
    for (path, file, env_path) in [
        ("app/.vscode/mcp.json", "${workspaceFolder}/conf/dev.env", "conf/dev.env"),
        ("app/.vscode/mcp.json", "conf/dev.env", "app/conf/dev.env"),
        ("app/mcp.json", "${workspaceFolder}/.env", "app/.env"),
        (".vscode/mcp.json", "${workspaceFolder}/../.env", ".env"),
    ] {
        assert_eq!(all(path, file, env_path), [], "{path} {file}");
    }
}

#[test]
fn broken_and_hostile_files_are_told() {
    for (text, why) in [
        ("{\"mcpServers\": {\n\"a\": }".to_owned(), "not valid JSON at line 2: "),
        (format!("{{\"mcpServers\": {}", "[".repeat(100_000)), "not valid JSON at line 1: "),
        (format!("{{\"mcpServers\": {}{}}}", "[".repeat(100), "]".repeat(100)), "not valid JSON at line 1: nested deeper"),
        (format!("{{\"mcpServers\": [{}1]}}", "1,".repeat(400_000)), "not valid JSON at line 1: more than 300000 values"),
    ] {
        let known = tree(&[(".mcp.json", &text)]);
        let troubles = &known.coverage().troubles;
        assert!(troubles[0].why.starts_with(why), "{:?}", troubles[0].why);
    }
    let known = tree(&[("tsconfig.json", "{ broken")]);
    assert_eq!(known.coverage().troubles, [], "none of ours");
}
