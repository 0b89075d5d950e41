//! Manifests: what sort of program they are of, and what it is called.

use serde::Deserialize;
use xmlparser::{ElementEnd, Token, Tokenizer};

use super::super::yaml::{Tree, View};
use super::super::{clean, ends_in, file_name, folder, procfile};
use super::conventions::Sort;

/// Manifests of one program, the one that says most first.
pub(super) const RANKS: [&str; 8] = [
    "pyproject.toml",
    "setup.py",
    "Pipfile",
    "requirements.txt",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "build.sbt",
];

/// What sort of manifest a file of that name is.
pub(super) fn sort(path: &str) -> Option<Sort> {
    Some(match file_name(path) {
        "package.json" => Sort::Node,
        "composer.json" => Sort::Php,
        "Cargo.toml" => Sort::Rust,
        "pyproject.toml" | "setup.py" | "requirements.txt" | "Pipfile" => Sort::Python,
        "manage.py" => Sort::Django,
        "go.mod" => Sort::Go,
        "dbt_project.yml" | "dbt_project.yaml" => Sort::Dbt,
        "Gemfile" => Sort::Ruby,
        "mix.exs" => Sort::Elixir,
        "pubspec.yaml" => Sort::Dart,
        "CMakeLists.txt" | "meson.build" => Sort::Native,
        "Package.swift" => Sort::Swift,
        "platformio.ini" => Sort::Embedded,
        "deno.json" | "deno.jsonc" => Sort::Deno,
        "pom.xml" | "build.gradle" | "build.gradle.kts" | "build.sbt" => Sort::Jvm,
        name if procfile::is_one(name) => Sort::Procfile,
        name if ends_in(name, &["csproj", "fsproj", "vbproj", "sln", "slnx"]) => Sort::DotNet,
        _ => return None,
    })
}

#[derive(Deserialize)]
struct Manifests {
    package: Option<Named>,
    project: Option<Named>,
    tool: Option<Tool>,
}

#[derive(Deserialize)]
struct Tool {
    poetry: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: Option<String>,
}

/// What the program is called by its manifest: `Some("")` where manifests of its sort name nothing, `None` where this one
/// should and does not; or why it cannot be read.
pub(super) fn package(path: &str, text: &str) -> Result<Option<String>, String> {
    let folder_name = file_name(folder(path));
    match file_name(path) {
        "package.json" | "composer.json" | "deno.json" | "deno.jsonc" => by_json(text),
        "pubspec.yaml" | "dbt_project.yml" | "dbt_project.yaml" => {
            let (tree, _) = Tree::parse(text);
            Ok(tree.roots().next().and_then(|root| root.text_at(&["name"])).map(str::to_owned))
        }
        file @ ("Cargo.toml" | "pyproject.toml") => by_toml(file, text),
        "go.mod" => {
            let module = text.lines().find_map(|line| line.trim().strip_prefix("module ")).map(str::trim);
            Ok(module.map(|name| name.split("//").next().unwrap_or(name).trim().trim_matches('"').to_owned()))
        }
        "pom.xml" => by_pom(text).map(Some),
        // Gradle calls a project after its folder, unless `settings.gradle` says otherwise.
        "build.gradle" | "build.gradle.kts" => Ok(Some(folder_name.to_owned())),
        "build.sbt" => Ok(Some(after(text, "name", ":=").unwrap_or_else(|| folder_name.to_owned()))),
        "mix.exs" => {
            let app = text.split("app:").nth(1).and_then(|rest| rest.trim_start().strip_prefix(':'));
            Ok(app.map(|app| app.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()))
        }
        "setup.py" => Ok(Some(after(text, "name", "=").unwrap_or_default())),
        "manage.py" => Ok(settings_module(text).and_then(|module| module.split('.').next()).map(str::to_owned)),
        // Only the folder that begins a project names it.
        "CMakeLists.txt" | "meson.build" => Ok(project(text)),
        "Package.swift" => Ok(after(text, "name", ":").or_else(|| Some(folder_name.to_owned()))),
        name if ends_in(name, &["csproj", "fsproj", "vbproj", "sln", "slnx"]) => {
            Ok(name.rsplit_once('.').map(|(stem, _)| stem.to_owned()))
        }
        _ => Ok(Some(String::new())),
    }
}

fn by_json(text: &str) -> Result<Option<String>, String> {
    let (tree, broken) = Tree::parse_json(text);
    let name = tree.roots().next().and_then(|root| root.get("name")).and_then(View::text).map(str::to_owned);
    broken.map_or(Ok(name), |broken| Err(format!("not valid JSON at line {}: {}", broken.line, clean(&broken.why))))
}

fn by_toml(file: &str, text: &str) -> Result<Option<String>, String> {
    // The parser's own words quote the file's.
    let read: Manifests = toml::from_str(text).map_err(|_| "not valid TOML: its package is unknown".to_owned())?;
    let named = match file {
        "Cargo.toml" => read.package,
        _ => read.project.filter(|project| project.name.is_some()).or(read.tool.and_then(|tool| tool.poetry)),
    };
    Ok(named.and_then(|named| named.name))
}

/// The project's own `artifactId`, not its parent's or a dependency's.
fn by_pom(text: &str) -> Result<String, String> {
    let (mut open, mut name) = (Vec::new(), None);
    for token in Tokenizer::from(text) {
        match token.map_err(|_| "not valid XML: its package is unknown".to_owned())? {
            Token::ElementStart { local, .. } => open.push(local.as_str()),
            Token::ElementEnd { end: ElementEnd::Close(..) | ElementEnd::Empty, .. } => {
                open.pop();
            }
            Token::Text { text } if open == ["project", "artifactId"] => {
                name.get_or_insert_with(|| text.as_str().trim().to_owned());
            }
            _ => {}
        }
    }
    name.ok_or_else(|| "a pom without an artifactId: its package is unknown".to_owned())
}

/// The name in `project(NAME …)` or `project('NAME', …)`.
fn project(text: &str) -> Option<String> {
    let mut lines = text.lines().map(str::trim_start);
    let rest = lines.find_map(|line| line.strip_prefix("project").map(str::trim_start)?.strip_prefix('('))?;
    let rest = rest.trim_start().trim_start_matches(['"', '\'']);
    let name: String =
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+')).collect();
    (!name.is_empty()).then_some(name)
}

/// The text in quotes after a word and a sign, in a line that begins with the word.
fn after(text: &str, word: &str, sign: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let rest = line.trim_start().strip_prefix(word)?.trim_start().strip_prefix(sign)?.trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        rest[1..].split_once(quote).map(|(name, _)| name.to_owned())
    })
}

/// The name that `settings.gradle` gives the project of its folder.
pub(super) fn gradle(text: &str) -> Option<String> {
    after(text, "rootProject.name", "=")
}

/// `project.settings`, as `manage.py` names it where nobody says otherwise.
pub(super) fn settings_module(text: &str) -> Option<&str> {
    let rest = text.split("DJANGO_SETTINGS_MODULE").nth(1)?;
    let rest = rest.split_once(',')?.1.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let module = rest[1..].split_once(quote)?.0;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    (!module.is_empty() && module.chars().all(fits)).then_some(module)
}

#[cfg(test)]
mod tests {
    use super::{package, settings_module};

    #[test]
    fn names_stand_where_each_tool_writes_them() {
        let pom = "<?xml version=\"1.0\"?><project><parent><artifactId>p</artifactId></parent><!-- x -->\n<artifactId> api </artifactId><dependencies><dependency><artifactId>d</artifactId></dependency></dependencies></project>";
        for (path, text, name) in [
            ("pom.xml", pom, "api"),
            ("api/build.gradle.kts", "plugins {}", "api"),
            ("build.gradle", "", ""),
            ("build.sbt", "name := \"shop\"", "shop"),
            ("mix.exs", "def project do\n [app: :shop_web, version: \"0\"]", "shop_web"),
            ("setup.py", "setup(\n    name='shop',\n)", "shop"),
            ("a/Shop.Api.csproj", "<Project/>", "Shop.Api"),
            ("pubspec.yaml", "name: shop_app\nversion: 1.0.0\n", "shop_app"),
            ("a/CMakeLists.txt", "cmake_minimum_required(VERSION 3.1)\nproject(shop-client LANGUAGES CXX)\n", "shop-client"),
            ("meson.build", "project('shop', 'c')\n", "shop"),
            ("Package.swift", "let package = Package(\n    name: \"Shop\",\n", "Shop"),
            ("Shop.sln", "", "Shop"),
            ("platformio.ini", "[env:esp32]\n", ""),
            ("Gemfile", "gem 'rails'", ""),
            ("manage.py", "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')", "shop"),
        ] {
            assert_eq!(package(path, text), Ok(Some(name.to_owned())), "{path}");
        }
        assert_eq!(package("manage.py", "print('x')"), Ok(None));
        assert_eq!(package("a/CMakeLists.txt", "add_library(x)\n"), Ok(None));
        assert!(package("pom.xml", "<project><artifactId hunter2=></project>").is_err_and(|why| !why.contains("hunter2")));
        assert_eq!(settings_module("setdefault(\"DJANGO_SETTINGS_MODULE\", \"a.b.prod\")"), Some("a.b.prod"));
    }
}
