//! Which settings an application reads by convention, by the sort of its manifest. Whatever is listed here is read by the program
//! itself, from a path that its framework or custom gives, without anything that says so in the tree.

use super::super::{dotenv, ends_in, file_name, folder};

/// What a manifest says of the program beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// Spring Boot ("Externalized Configuration"), Quarkus, Micronaut, Play.
    Jvm,
    /// Rails ("Configuring Rails Applications").
    Ruby,
    /// Phoenix (hexdocs.pm, `Config`).
    Elixir,
    /// Laravel, Symfony, Magento, `CodeIgniter`.
    Php,
    /// ASP.NET Core ("Configuration in ASP.NET Core").
    DotNet,
    Node,
    Go,
    Python,
    /// The settings module that `manage.py` names (docs.djangoproject.com, "Django settings").
    Django,
    Rust,
    /// Flutter (docs.flutter.dev, "Assets and images").
    Dart,
    /// `PlatformIO` (docs.platformio.org, "Project configuration file").
    Embedded,
    Deno,
    /// Programs of C and C++ that `CMake` or Meson builds.
    Native,
    Swift,
    /// What dbt runs, and as whom (docs.getdbt.com, "profiles.yml").
    Dbt,
    /// Processes, which get what stands in `.env`.
    Procfile,
}

const DATA: &[&str] = &["yml", "yaml", "json", "json5", "toml"];
const INI: &[&str] = &["ini", "cfg", "conf"];
/// Folders that programs keep settings in.
const FOLDERS: [&str; 4] = ["config", "configs", "conf", "configuration"];

/// Whether a program of that sort reads a file at that path, seen from its manifest's folder.
pub(super) fn reads(sort: Sort, inside: &str) -> bool {
    let name = file_name(inside);
    // Azure Functions, in every language (learn.microsoft.com, "Code and test Azure Functions locally").
    if inside == "local.settings.json" {
        return matches!(sort, Sort::DotNet | Sort::Node | Sort::Python | Sort::Jvm);
    }
    // Firebase's emulators (firebase.google.com, "Configure your environment").
    if inside == ".secret.local" {
        return matches!(sort, Sort::Node | Sort::Python);
    }
    if is_own_env(name) {
        return folder(inside).is_empty() && !matches!(sort, Sort::Jvm | Sort::DotNet | Sort::Dbt);
    }
    if dotenv::is_sample(name) {
        return false;
    }
    if fetched_by(sort, inside) {
        return true;
    }
    match sort {
        Sort::Jvm => jvm(inside, name),
        Sort::Ruby => ruby(inside, name),
        Sort::Elixir => folder(inside) == "config" && ends_in(name, &["exs"]),
        Sort::Php => php(inside, name),
        Sort::DotNet => dot_net(inside, name),
        Sort::Node => node(inside, name),
        Sort::Go => settings(inside, name) || name == "app.env" && folder(inside).is_empty(),
        Sort::Python => python(inside, name),
        Sort::Dart => dart(inside, name),
        Sort::Embedded => inside == "platformio.ini" || name.contains("sdkconfig") && folder(inside).is_empty(),
        Sort::Deno | Sort::Native | Sort::Swift => settings(inside, name),
        Sort::Rust => settings(inside, name) || matches!(inside, "Rocket.toml" | "Secrets.toml"),
        Sort::Dbt => matches!(inside, "profiles.yml" | "profiles.yaml" | "profiles/profiles.yml" | ".dbt/profiles.yml"),
        // What `manage.py` names is compared with that, not with a custom.
        Sort::Django | Sort::Procfile => false,
    }
}

/// Whether what fetches a program's parts logs in by that file: npm's and Yarn's settings (docs.npmjs.com, "npmrc"), Bundler's, Composer's
/// `auth.json`, pip's, NuGet's, Maven's, Cargo's.
fn fetched_by(sort: Sort, inside: &str) -> bool {
    let lower = inside.to_ascii_lowercase();
    match sort {
        Sort::Node => matches!(inside, ".npmrc" | ".yarnrc" | ".yarnrc.yml" | "bunfig.toml" | ".runtimeconfig.json"),
        Sort::Ruby => inside == ".bundle/config",
        Sort::Php => inside == "auth.json",
        Sort::Python => matches!(inside, "pip.conf" | ".pypirc" | "poetry.toml" | "uv.toml"),
        Sort::DotNet => matches!(&*lower, "nuget.config" | "directory.build.props" | "directory.packages.props"),
        Sort::Jvm => matches!(
            inside,
            "settings.xml" | ".mvn/settings.xml" | ".mvn/maven.config" | "key.properties" | "keystore.properties"
        ),
        Sort::Rust => matches!(inside, ".cargo/config.toml" | ".cargo/credentials.toml" | ".cargo/config"),
        _ => false,
    }
}

/// Whether a program may read its variables from a file of that name; samples are for people.
fn is_own_env(name: &str) -> bool {
    (name.starts_with(".env") || name == ".flaskenv") && dotenv::is_named_so(name) && !dotenv::is_sample(name)
}

/// `config.yaml` beside the manifest, or data in a folder of settings.
fn settings(inside: &str, name: &str) -> bool {
    if inside == "cdk.json" {
        return true;
    }
    let data = ends_in(name, DATA) || ends_in(name, INI);
    match folder(inside) {
        "" => data && (is_called(name, "config") || is_called(name, "settings")),
        own => data && FOLDERS.contains(&own),
    }
}

/// `NAME.x`, `NAME.prod.x` or `NAME-prod.x`.
fn is_called(name: &str, word: &str) -> bool {
    name.strip_prefix(word).is_some_and(|rest| rest.starts_with(['.', '-', '_']))
}

fn jvm(inside: &str, name: &str) -> bool {
    let kinds = ["properties", "yml", "yaml", "conf", "xml", "json", "toml"];
    if inside.starts_with("src/main/resources/") {
        return ends_in(name, &kinds);
    }
    // Android's plugins (developers.google.com, "Google Services Gradle Plugin"), its manifest and its resources.
    let android =
        inside == "src/main/AndroidManifest.xml" || inside.starts_with("src/main/res/values") && ends_in(name, &["xml"]);
    let built = name == "google-services.json" && (folder(inside).is_empty() || inside.starts_with("src/"));
    if android || built || matches!(inside, "gradle.properties" | "local.properties" | "secrets.properties") {
        return true;
    }
    let own = is_called(name, "application") || is_called(name, "bootstrap");
    own && ends_in(name, &kinds[..4]) && ["", "config", "conf"].contains(&folder(inside))
}

fn ruby(inside: &str, name: &str) -> bool {
    match folder(inside) {
        "config" => ends_in(name, &["yml", "yaml"]) || ["application.rb", "environment.rb"].contains(&name),
        "config/environments" | "config/initializers" | "config/settings" => ends_in(name, &["rb", "yml", "yaml"]),
        _ => false,
    }
}

fn php(inside: &str, name: &str) -> bool {
    let kinds = ["php", "yml", "yaml", "xml", "neon"];
    let own = ["config/", "app/config/", "application/config/"].iter().any(|own| inside.starts_with(own));
    own && ends_in(name, &kinds) || matches!(inside, "app/etc/env.php" | "wp-config.php" | "config.php")
}

fn dot_net(inside: &str, name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    match folder(inside) {
        "" => {
            let settings = is_called(&lower, "appsettings") && ends_in(&lower, &["json"]);
            let old = ["web", "app", "connectionstrings"].iter().any(|word| is_called(&lower, word));
            settings || old && ends_in(&lower, &["config"])
        }
        "Properties" => name == "launchSettings.json",
        _ => false,
    }
}

fn node(inside: &str, name: &str) -> bool {
    let code = ["js", "cjs", "mjs", "ts", "mts", "cts"];
    match folder(inside) {
        "" => {
            let (stem, _) = name.split_once('.').unwrap_or((name, ""));
            let by_tool = name.contains(".config.") && ends_in(name, &code);
            let named = ["app-config", "ormconfig", "knexfile", "ecosystem"].iter().any(|word| is_called(name, word));
            by_tool || named || name == "cdk.json" || stem == "config" && (ends_in(name, DATA) || ends_in(name, &code))
        }
        "config" | "src/config" => ends_in(name, DATA) || ends_in(name, &code),
        "src/environments" => is_called(name, "environment") && ends_in(name, &code),
        _ => false,
    }
}

/// What is built into the app: its assets, and what its own platforms are set up with.
fn dart(inside: &str, name: &str) -> bool {
    let assets = ["assets/", "config/", "env/"].iter().any(|own| inside.starts_with(own))
        && (ends_in(name, DATA) || ends_in(name, &["env"]));
    let built = matches!(
        name,
        "google-services.json" | "GoogleService-Info.plist" | "AndroidManifest.xml" | "Info.plist" | "key.properties"
    );
    let web = matches!(inside, "web/index.html" | "web/firebase-config.js");
    assets || web || built && ["android/", "ios/", "macos/"].iter().any(|own| inside.starts_with(own))
}

fn python(inside: &str, name: &str) -> bool {
    let named = matches!(
        inside,
        ".streamlit/secrets.toml" | "instance/config.py" | ".secrets.toml" | "alembic.ini" | ".dlt/secrets.toml" | ".dlt/config.toml"
            // dbt, Dagster, Airflow (docs.getdbt.com, "profiles.yml"; docs.dagster.io, "dagster.yaml").
            | "profiles.yml" | "dagster.yaml" | "workspace.yaml" | "airflow.cfg" | "airflow_settings.yaml" | "webserver_config.py"
    );
    named || settings(inside, name)
}

#[cfg(test)]
mod tests {
    use super::Sort::{Django, DotNet, Elixir, Go, Jvm, Node, Php, Procfile, Python, Ruby, Rust};
    use super::reads;

    #[test]
    fn each_framework_s_own_places() {
        for (sort, inside) in [
            (Jvm, "src/main/resources/application.yml"),
            (Jvm, "src/main/resources/application-prod.properties"),
            (Jvm, "src/main/resources/META-INF/microprofile-config.properties"),
            (Jvm, "config/application.properties"),
            (Jvm, "google-services.json"),
            (Jvm, "src/release/google-services.json"),
            (Jvm, "gradle.properties"),
            (Jvm, "src/main/res/values/keys.xml"),
            (Python, "local.settings.json"),
            (Ruby, "config/database.yml"),
            (Ruby, "config/environments/production.rb"),
            (Ruby, ".env"),
            (Elixir, "config/runtime.exs"),
            (Php, "config/services.php"),
            (Php, "config/packages/mailer.yaml"),
            (Php, ".env.local"),
            (DotNet, "appsettings.Production.json"),
            (DotNet, "Web.config"),
            (DotNet, "Properties/launchSettings.json"),
            (Node, "config/production.json"),
            (Node, "src/environments/environment.prod.ts"),
            (Node, "next.config.mjs"),
            (Node, "app-config.production.yaml"),
            (Go, "config.yaml"),
            (Go, "configs/prod.toml"),
            (Python, ".streamlit/secrets.toml"),
            (Python, "config/settings.ini"),
            (Rust, "configuration/production.yaml"),
            (Procfile, ".env"),
            (Django, ".env.production"),
        ] {
            assert!(reads(sort, inside), "{sort:?} {inside}");
        }
    }

    #[test]
    fn what_lies_elsewhere_or_is_for_people_is_no_settings() {
        for (sort, inside) in [
            (Jvm, "src/test/resources/application.yml"),
            (Jvm, "application.java"),
            (Jvm, ".env"),
            (Ruby, "spec/config/database.yml"),
            (Ruby, "config/database.sample.yml"),
            (DotNet, "tests/appsettings.json"),
            (DotNet, "other.json"),
            (Node, "config/default.example.json"),
            (Node, "src/config.js"),
            (Node, "conf/.env"),
            (Node, "lib/config/x.json"),
            (Go, "main.go"),
            (Go, "internal/config/x.yaml"),
            (Python, "config.py"),
            (Procfile, "config/x.yml"),
            (Rust, "config.rs"),
        ] {
            assert!(!reads(sort, inside), "{sort:?} {inside}");
        }
    }
}
