//! Settings beside a manifest: a `.env`, or a file that the program's framework reads by convention. Most likely that program's.
//! Inferred, never more: nothing refers to the file. Of several manifests above a file the nearest of each sort counts; for a `.env`
//! only those in its own folder do. What code names by a file's name is its program's too, and so is what stands in code.

mod conventions;
mod names;

use std::collections::HashMap;

use super::links::Consumer;
use super::{Clues, Place, Reader, Sheet, clean, code, dotenv, ends_in, file_name, folder, is_showable};
use crate::model::{Coverage, Tier};
use crate::ownership::roll::{Roll, evidence};
use conventions::Sort;

/// Processes of one Procfile.
const PROCESSES: usize = 100;
/// What programs of a sort are written in.
const LANGUAGES: &[(&[&str], Sort)] = &[
    (&["js", "cjs", "mjs", "jsx", "ts", "cts", "mts", "tsx"], Sort::Node),
    (&["py"], Sort::Python),
    (&["go"], Sort::Go),
    (&["rb"], Sort::Ruby),
    (&["php"], Sort::Php),
    (&["java", "kt", "scala"], Sort::Jvm),
    (&["cs", "fs", "vb"], Sort::DotNet),
    (&["rs"], Sort::Rust),
    (&["ex", "exs"], Sort::Elixir),
    (&["dart"], Sort::Dart),
    (&["c", "cc", "cpp", "cxx", "h", "hpp", "ino"], Sort::Native),
    (&["swift"], Sort::Swift),
];
/// What programs keep settings, keys and pages in.
const DATA: &[&str] = &[
    "yml",
    "yaml",
    "json",
    "jsonc",
    "json5",
    "toml",
    "ini",
    "cfg",
    "conf",
    "config",
    "properties",
    "xml",
    "plist",
    "env",
    "html",
    "htm",
    "ejs",
    "hbs",
    "pug",
    "twig",
    "erb",
    "pem",
    "key",
    "p8",
    "crt",
    "jks",
    "secret",
    "secrets",
    "token",
    "sql",
    "graphql",
    "http",
    "rest",
    "gradle",
    "kts",
    "vue",
    "svelte",
    "astro",
    "cshtml",
    "razor",
    "prompty",
];
/// Folders that are no program's.
const OTHERS: &[&str] = &[
    ".github",
    ".gitlab",
    ".circleci",
    ".vscode",
    ".idea",
    ".git",
    ".devcontainer",
    "LICENSES",
    "locales",
    "i18n",
    "k8s",
    "kubernetes",
    "manifests",
    "charts",
    "helm",
    "terraform",
    "ansible",
    "infra",
    "infrastructure",
    "deploy",
    "deployment",
    "deployments",
    "docker",
];
/// How far above a file its manifest may lie: `src/main/resources/META-INF/x`.
const ABOVE: usize = 6;

/// The manifests seen, by their folder.
#[derive(Default)]
pub(super) struct Beside {
    manifests: HashMap<String, Vec<Manifest>>,
    /// What Gradle's settings call the project of their folder.
    gradle: HashMap<String, String>,
    /// What code names.
    code: code::Named,
}

struct Manifest {
    sort: Sort,
    path: String,
    /// What the program is called; empty where the manifest does not say.
    name: String,
    at: String,
    /// The settings module that `manage.py` names, as a path without its ending.
    module: Option<String>,
}

impl Reader for Beside {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        names::sort(path).is_some() || is_gradle(path) || code::is_one(path)
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        names::sort(&sheet.path).is_some() || is_gradle(&sheet.path) || code::concerns(sheet)
    }

    fn read(&mut self, sheet: &Sheet<'_>, coverage: &mut Coverage) {
        let text = match sheet.text() {
            Ok(text) => text,
            Err(why) => return coverage.trouble(&*sheet.path, why),
        };
        let own = folder(&sheet.path).to_owned();
        if is_gradle(&sheet.path) {
            self.gradle.extend(names::gradle(text).map(|name| (own, name)));
            return;
        }
        match names::sort(&sheet.path) {
            Some(Sort::Procfile) => {
                for (line, name) in processes(text).take(PROCESSES) {
                    self.put(sheet, (Sort::Procfile, name, line), None);
                }
            }
            Some(sort) => match names::package(&sheet.path, text) {
                Ok(Some(name)) => {
                    let module = names::settings_module(text).filter(|_| sort == Sort::Django);
                    self.put(sheet, (sort, &name, 1), module.map(|module| module.replace('.', "/")));
                }
                Ok(None) => {}
                Err(why) => coverage.trouble(&*sheet.path, why),
            },
            None => self.code.read(sheet),
        }
    }

    fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll) {
        let several = clues.paths().len() > 1;
        for path in clues.paths() {
            let (mut at, mut met) = (path, Vec::new());
            for _ in 0..ABOVE {
                at = folder(at);
                let inside = path[at.len()..].trim_start_matches('/');
                let own = self.manifests.get(at).map_or(&[][..], Vec::as_slice);
                for manifest in own.iter().filter(|manifest| !met.contains(&manifest.sort)) {
                    if manifest.counts(own, inside) && manifest.reads(inside) {
                        self.join(manifest, inside, roll);
                    }
                }
                // Those further up are other programs'.
                met.extend(own.iter().map(|manifest| manifest.sort));
                if at.is_empty() {
                    break;
                }
            }
            self.served(path, roll);
            for mention in self.code.of(path) {
                if !roll.look() {
                    return;
                }
                let what = ("code-names-file", mention.at.to_string(), clean(file_name(path)));
                self.program(&mention.at.path, what, roll);
            }
            // What stands in code is used by its program, where nothing says more.
            // Who uses a value that stands elsewhere too says nothing of this place.
            let known = if several { roll.has_consumer_by(path) } else { roll.has_consumer() };
            if (code::is_one(path) || code::is_shown(path)) && !known {
                self.program(path, ("code-beside", path.to_owned(), "in the program's code".to_owned()), roll);
            }
            // So is most likely what stands in data among it.
            if !roll.has_consumer() && is_among(path) {
                self.around(path, roll);
            }
        }
    }

    fn merge(&mut self, other: Self) {
        self.code.merge(other.code);
        self.gradle.extend(other.gradle);
        for (folder, manifests) in other.manifests {
            self.manifests.entry(folder).or_default().extend(manifests);
        }
    }
}

impl Beside {
    fn put(&mut self, sheet: &Sheet<'_>, (sort, name, line): (Sort, &str, u64), module: Option<String>) {
        if !name.is_empty() && !is_showable(name) {
            return;
        }
        let at = Place { path: sheet.path.clone(), line, bytes: 0..0 }.to_string();
        let manifest = Manifest { sort, path: sheet.path.to_string(), name: name.to_owned(), at, module };
        self.manifests.entry(folder(&sheet.path).to_owned()).or_default().push(manifest);
    }

    /// The code that names a file, each with the place.
    pub(super) fn named_by<'b>(&'b self, path: &'b str) -> impl Iterator<Item = &'b Place> {
        self.code.of(path).map(|mention| &mention.at)
    }

    /// Names the program that a file of code is part of: the one of the nearest manifest of its language.
    fn program(&self, path: &str, (technique, at, value): (&str, String, String), roll: &mut Roll) {
        let Some(fits) = LANGUAGES.iter().find(|(endings, _)| ends_in(path, endings)).map(|(_, sort)| *sort) else { return };
        let mut above = path;
        while !above.is_empty() {
            above = folder(above);
            let own = self.manifests.get(above).map_or(&[][..], Vec::as_slice);
            let inside = path[above.len()..].trim_start_matches('/');
            // A list of requirements has no name, and what loads a `.env` is told by what lies beside that.
            let list = fits == Sort::Python && !dotenv::is_named_so(&value);
            // What is flashed on a chip is written in the same languages.
            let same =
                |manifest: &Manifest| manifest.sort == fits || fits == Sort::Native && manifest.sort == Sort::Embedded;
            let fitting = own.iter().filter(|manifest| same(manifest) && (manifest.counts(own, inside) || list));
            let ranked =
                fitting.min_by_key(|manifest| names::RANKS.iter().position(|name| *name == file_name(&manifest.path)));
            if let Some(manifest) = ranked {
                // An example that is no program of its own is nobody's.
                if !code::is_one(path) && !code::shows(above) {
                    return;
                }
                let (id, shown) = self.called(manifest, "package");
                return Consumer::new(id, shown).join(roll, Tier::Inferred, vec![evidence(technique, at, value)]);
            }
        }
    }

    /// Names the programs of the nearest folder that has any: each sort's own, where there are several.
    fn around(&self, path: &str, roll: &mut Roll) {
        let mut at = path;
        for _ in 0..ABOVE {
            at = folder(at);
            let inside = path[at.len()..].trim_start_matches('/');
            let own = self.manifests.get(at).map_or(&[][..], Vec::as_slice);
            let fitting: Vec<&Manifest> =
                own.iter().filter(|manifest| manifest.is_program() && manifest.counts(own, inside)).collect();
            for manifest in &fitting {
                let (id, shown) = self.called(manifest, "package");
                let why = evidence("data-beside", path.to_owned(), clean(&format!("below {}", file_name(&manifest.path))));
                Consumer::new(id, shown).join(roll, Tier::Inferred, vec![why]);
            }
            if !fitting.is_empty() || at.is_empty() {
                return;
            }
        }
    }

    /// Names the program that a server of settings hands a file to by its name: `config/shared/orders.yml` to `orders`
    /// (docs.spring.io, "Spring Cloud Config Server", "File System Backend").
    fn served(&self, path: &str, roll: &mut Roll) {
        let kept = folder(path).split('/').any(|part| part.contains("config"));
        if !kept || !ends_in(path, &["yml", "yaml", "properties"]) || code::is_aside(path) {
            return;
        }
        let stem = file_name(path).split('.').next().unwrap_or_default();
        let is_own = |name: &str| stem.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
        let programs = self.manifests.iter().filter(|(own, _)| !own.is_empty() && !path.starts_with(&format!("{own}/")));
        let mut named: Vec<&Manifest> = programs.flat_map(|(_, all)| all).filter(|one| one.sort == Sort::Jvm).collect();
        named.retain(|one| one.name.len() > 3 && is_own(&one.name));
        named.sort_by_key(|one| &one.path);
        for manifest in named.into_iter().filter(|_| roll.look()).collect::<Vec<_>>() {
            let (id, shown) = self.called(manifest, "package");
            let why = evidence("settings-served", path.to_owned(), clean(&format!("by its name, to {}", manifest.name)));
            Consumer::new(id, shown).join(roll, Tier::Inferred, vec![why]);
        }
    }

    /// The id of a manifest's program, and its name.
    fn called(&self, manifest: &Manifest, kind: &str) -> (String, String) {
        let path = &manifest.path;
        let given = self.gradle.get(folder(path)).filter(|_| file_name(path).starts_with("build.gradle"));
        let name = given.unwrap_or(&manifest.name);
        if name.is_empty() {
            (format!("{kind}:{path}"), format!("{kind} of {path}"))
        } else {
            (format!("{kind}:{path}/{name}"), format!("{kind} {name} of {path}"))
        }
    }

    fn join(&self, manifest: &Manifest, inside: &str, roll: &mut Roll) {
        let (kind, technique) = match manifest.sort {
            Sort::Procfile => ("procfile", "procfile-beside"),
            Sort::Django => ("django", "settings-beside"),
            _ if inside.starts_with(".env") || inside == ".flaskenv" => ("package", "package-beside"),
            _ => ("package", "settings-beside"),
        };
        let (id, shown) = self.called(manifest, kind);
        let beside = format!("{inside} beside {}", file_name(&manifest.path));
        let why = evidence(technique, manifest.at.clone(), clean(&beside));
        Consumer::new(id, shown).join(roll, Tier::Inferred, vec![why]);
    }
}

impl Manifest {
    /// Whether it says more than the others of its folder: of a program that is described twice one manifest is enough. A list of
    /// requirements, which has no name, speaks only where nothing else does, and Django gets an `.env` from its Procfile's processes.
    fn counts(&self, own: &[Self], inside: &str) -> bool {
        let rank = |manifest: &Self| names::RANKS.iter().position(|name| *name == file_name(&manifest.path));
        let same = own.iter().filter(|other| other.sort == self.sort);
        let best = same.filter_map(rank).min();
        let nameless = self.sort == Sort::Python && self.name.is_empty() && own.iter().any(|other| other.sort != self.sort);
        let given = self.sort == Sort::Django && own.iter().any(|other| other.sort == Sort::Procfile);
        rank(self).is_none_or(|own| Some(own) == best) && !nameless && !(given && inside.starts_with(".env"))
    }

    /// Whether it stands for a program by itself.
    fn is_program(&self) -> bool {
        !matches!(self.sort, Sort::Procfile | Sort::Django) && (!self.name.is_empty() || self.sort != Sort::Python)
    }

    fn reads(&self, inside: &str) -> bool {
        let module = self.module.as_deref().is_some_and(|module| is_module(module, inside));
        module || conventions::reads(self.sort, inside)
    }
}

/// Whether a file is data that may be part of a program: not what tells people, tries the program, or builds it.
fn is_among(path: &str) -> bool {
    let name = file_name(path);
    let other = path.split('/').any(|part| OTHERS.contains(&part)) || code::is_aside(path);
    // Who loads an env file is told by what lies beside it, or names it.
    let env = dotenv::is_named_so(name);
    ends_in(path, DATA) && !other && !env && !dotenv::is_sample(name) && !dotenv::is_form(name)
}

fn is_gradle(path: &str) -> bool {
    matches!(file_name(path), "settings.gradle" | "settings.gradle.kts")
}

/// Whether a file is a settings module, one of its package where it is one, or what such modules take in by custom:
/// `local_settings.py` beside it.
fn is_module(module: &str, inside: &str) -> bool {
    let Some(own) = inside.strip_suffix(".py") else { return false };
    let base = module.rsplit_once('/').map_or("", |(base, _)| base);
    let package = file_name(base) == "settings" && folder(own) == base;
    let local = folder(own) == base && matches!(file_name(own), "local_settings" | "settings_local");
    own == module || own.strip_prefix(module).is_some_and(|rest| rest.starts_with('/')) || package || local
}

/// Process types of a Procfile (`web: command`) with their lines.
fn processes(text: &str) -> impl Iterator<Item = (u64, &str)> {
    let fits = |name: &&str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    let lines = text.lines().enumerate().filter_map(|(index, line)| Some((index as u64 + 1, line.split_once(':')?.0)));
    lines.filter(move |(_, name)| fits(name))
}

#[cfg(test)]
mod tests {
    use crate::model::{Owner, Tier};
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

    fn owners(path: &str, text: &str, env: &str) -> Vec<Owner> {
        let content = format!("KEY={VALUE}\n");
        tree(&[(path, text), (env, &content)]).resolve(&finding_in(env, &content, VALUE))
    }

    #[test]
    fn every_manifest_s_name_is_read() {
        for (path, text, name) in [
            ("api/package.json", "{\"name\": \"@org/api\"}", "@org/api"),
            ("api/composer.json", "{\"name\": \"org/api\"}", "org/api"),
            ("api/Cargo.toml", "[package]\nname = \"api\"\nversion.workspace = true\n", "api"),
            ("api/pyproject.toml", "[project]\nname = \"api\"\n[tool.black]\nx = 1\n", "api"),
            ("api/pyproject.toml", "[tool.poetry]\nname = \"api\"\n", "api"),
            ("api/go.mod", "// x\nmodule example.org/api // y\n\ngo 1.22\n", "example.org/api"),
        ] {
            let all = owners(path, text, "api/.env");
            assert_eq!(consumers(&all), [(format!("package:{path}/{name}").as_str(), Tier::Inferred)], "{path}");
            assert_eq!(all[0].evidence[0].technique, "package-beside");
        }
        for path in ["api/Gemfile", "api/requirements.txt"] {
            assert_eq!(consumers(&owners(path, "x\n", "api/.env")), [(format!("package:{path}").as_str(), Tier::Inferred)]);
        }
        let all = owners("api/Procfile", "# x\nweb: run\nworker: run two\n", "api/.env.local");
        assert_eq!(
            consumers(&all),
            [("procfile:api/Procfile/web", Tier::Inferred), ("procfile:api/Procfile/worker", Tier::Inferred)]
        );
    }

    #[test]
    fn code_that_has_a_value_which_stands_elsewhere_too_is_its_program_s() {
        let (compose, code) =
            (format!("services: {{api: {{image: x, environment: {{K: {VALUE}}}}}}}\n"), format!("x = \"{VALUE}\"\n"));
        let known = tree(&[("compose.yaml", &compose), ("client/go.mod", "module client\n"), ("client/main.go", &code)]);
        let mut one = finding_in("client/main.go", &code, VALUE);
        one.occurrences.extend(finding_in("compose.yaml", &compose, VALUE).occurrences);
        let expected = [("compose:compose.yaml/api", Tier::Bound), ("package:client/go.mod/client", Tier::Inferred)];
        assert_eq!(consumers(&known.resolve(&one)), expected);
    }

    #[test]
    fn code_and_data_that_nothing_else_names_are_the_nearest_program_s() {
        let (go, own) = (("go.mod", "module shop\n"), ("examples/go.mod", "module shown\n"));
        let content = format!("key = \"{VALUE}\"\n");
        let (shop, shown) = ("package:go.mod/shop", "package:examples/go.mod/shown");
        for (path, id) in [
            ("server/keys.go", Some(shop)),
            ("server/client.json", Some(shop)),
            ("server/page.html", Some(shop)),
            ("examples/example-app/main.go", Some(shown)),
            ("server/examples/main.go", None),
            ("examples/main_test.go", None),
            ("server/testdata/client.json", None),
            ("server/client.example.json", None),
            ("server/README.md", None),
            (".github/x.yml", None),
            ("deploy/x.yml", None),
            ("conf/prod.env", None),
        ] {
            let all = tree(&[go, own]).resolve(&finding_in(path, &content, VALUE));
            let expected: Vec<_> = id.into_iter().map(|id| (id, Tier::Inferred)).collect();
            assert_eq!(consumers(&all), expected, "{path}");
        }
    }

    #[test]
    fn a_server_of_settings_hands_a_program_its_file() {
        let pom = |name: &str| format!("<project><artifactId>{name}</artifactId></project>\n");
        let (server, orders) = (pom("config-server"), pom("orders"));
        let content = format!("key: {VALUE}\n");
        for (path, named) in [
            ("config/src/main/resources/shared/orders.yml", true),
            ("config/src/main/resources/shared/orders-prod.yml", true),
            ("config/src/main/resources/shared/others.yml", false),
        ] {
            let all = tree(&[("config/pom.xml", &server), ("orders/pom.xml", &orders), (path, &content)]);
            let all = all.resolve(&finding_in(path, &content, VALUE));
            let id = ("package:orders/pom.xml/orders", Tier::Inferred);
            assert_eq!(consumers(&all).contains(&id), named, "{path}");
        }
    }

    #[test]
    fn what_a_transformation_logs_in_by_is_its_project_s() {
        let content = format!("shop: {{outputs: {{dev: {{password: {VALUE}}}}}}}\n");
        for (path, named) in [("dbt/profiles.yml", true), ("dbt/.env", false), ("profiles.yml", false)] {
            let all = tree(&[("dbt/dbt_project.yml", "name: shop\n"), (path, &content)]);
            let all = all.resolve(&finding_in(path, &content, VALUE));
            let id = ("package:dbt/dbt_project.yml/shop", Tier::Inferred);
            assert_eq!(consumers(&all), &[id][..usize::from(named)], "{path}");
        }
    }

    #[test]
    fn only_an_env_file_right_beside_it_counts() {
        let text = "{\"name\": \"api\"}";
        for env in [".env", "api/conf/.env", "api2/.env", "api/.env.example", "api/prod.env", "api/config.py"] {
            assert_eq!(owners("api/package.json", text, env), [], "{env}");
        }
        assert_eq!(owners("api/package-lock.json", text, "api/.env"), []);
        assert_eq!(owners("api/package.json", "{\"private\": true}", "api/.env"), []);
        let known = tree(&[("api/package.json", text), ("api/.env", &format!("KEY={VALUE}\n"))]);
        assert_eq!(known.resolve(&finding(VALUE)), [], "a value that was found elsewhere");
    }

    #[test]
    fn settings_that_a_framework_reads_are_its_program_s() {
        let pom = "<project><artifactId>api</artifactId></project>";
        let manage = "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings.dev')";
        for (manifest, text, path, id) in [
            ("api/pom.xml", pom, "api/src/main/resources/application.yml", Some("package:api/pom.xml/api")),
            // Not where it reads settings, but below it, and nobody is nearer.
            ("pom.xml", pom, "api/src/main/resources/application.yml", Some("package:pom.xml/api")),
            ("api/build.gradle", "", "api/src/main/resources/application.yml", Some("package:api/build.gradle/api")),
            ("Gemfile", "gem 'rails'", "config/database.yml", Some("package:Gemfile")),
            ("src/Api/Api.csproj", "<Project/>", "src/Api/appsettings.json", Some("package:src/Api/Api.csproj/Api")),
            ("web/manage.py", manage, "web/shop/settings/prod.py", Some("django:web/manage.py/shop")),
            ("web/manage.py", manage, "web/shop/views.py", None),
            ("web/manage.py", manage, "shop/settings/prod.py", None),
            ("package.json", "{\"name\": \"web\"}", "config/production.json", Some("package:package.json/web")),
            ("mix.exs", "[app: :shop]", "config/prod.secret.exs", Some("package:mix.exs/shop")),
        ] {
            let content = format!("key: {VALUE}\n");
            let all = tree(&[(manifest, text)]).resolve(&finding_in(path, &content, VALUE));
            let expected: Vec<_> = id.map(|id| (id, Tier::Inferred)).into_iter().collect();
            assert_eq!(consumers(&all), expected, "{manifest} {path}");
        }
        let env = format!("KEY={VALUE}\n");
        for (second, text, id) in [
            ("requirements.txt", "x\n", "package:pyproject.toml/api"),
            ("setup.py", "setup(\nname='api')", "package:pyproject.toml/api"),
        ] {
            let files = [("pyproject.toml", "[project]\nname = \"api\"\n"), (second, text)];
            assert_eq!(consumers(&tree(&files).resolve(&finding_in(".env", &env, VALUE))), [(id, Tier::Inferred)]);
        }
        let content = format!("key={VALUE}\n");
        let path = "svc/src/main/resources/application.properties";
        let gradle = [("svc/build.gradle.kts", ""), ("svc/settings.gradle.kts", "rootProject.name = \"shop\"\n")];
        let all = tree(&gradle).resolve(&finding_in(path, &content, VALUE));
        assert_eq!(consumers(&all), [("package:svc/build.gradle.kts/shop", Tier::Inferred)]);
    }

    #[test]
    fn the_nearest_manifest_of_a_sort_counts() {
        let name = |name: &str| format!("{{\"name\": \"{name}\"}}");
        let (root, own) = (name("root"), name("own"));
        let content = format!("{{\"key\": \"{VALUE}\"}}");
        let path = "own/config/default.json";
        let all = tree(&[("package.json", &root), ("own/package.json", &own)]).resolve(&finding_in(path, &content, VALUE));
        assert_eq!(consumers(&all), [("package:own/package.json/own", Tier::Inferred)]);
        // The nearer one does not read it there by custom: it lies among what is that one's, which is no reason to ask the other.
        let all = tree(&[("package.json", &root), ("config/package.json", &own)]).resolve(&finding_in(
            "config/default.json",
            &content,
            VALUE,
        ));
        assert_eq!(consumers(&all), [("package:config/package.json/own", Tier::Inferred)]);
    }

    #[test]
    fn broken_manifests_are_told_without_their_words() {
        let deep = format!("a = {}", "[".repeat(100_000));
        for (path, text) in
            [("package.json", "{\"name\": "), ("Cargo.toml", "name = hunter2hunter2"), ("pyproject.toml", deep.as_str())]
        {
            let known = tree(&[(path, text)]);
            let why = &known.coverage().troubles[0].why;
            assert!(why.starts_with("not valid ") && !why.contains("hunter2"), "{why}");
        }
    }
}
