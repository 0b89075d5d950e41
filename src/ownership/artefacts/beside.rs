//! A `.env` beside a package manifest or a Procfile: most likely that package's or that process's. Inferred, never more:
//! nothing refers to the file. Only the same folder counts; a manifest further up says little.

use std::collections::HashMap;

use serde::Deserialize;

use super::links::Consumer;
use super::yaml::{Tree, View};
use super::{Clues, Place, Reader, Sheet, clean, dotenv, file_name, folder, is_showable};
use crate::model::{Coverage, Tier};
use crate::ownership::roll::{Roll, evidence};

/// Processes of one Procfile.
const PROCESSES: usize = 100;

/// The manifests seen, by their folder.
#[derive(Default)]
pub(super) struct Beside {
    manifests: HashMap<String, Vec<Manifest>>,
}

struct Manifest {
    consumer: Consumer,
    technique: &'static str,
    at: String,
    name: String,
}

impl Reader for Beside {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        let names = ["package.json", "composer.json", "Cargo.toml", "pyproject.toml", "go.mod", "Procfile"];
        names.contains(&file_name(path))
    }

    fn read(&mut self, sheet: &Sheet<'_>, coverage: &mut Coverage) {
        let text = match sheet.text() {
            Ok(text) => text,
            Err(why) => return coverage.trouble(&*sheet.path, why),
        };
        match file_name(&sheet.path) {
            "Procfile" => {
                for (line, name) in processes(text).take(PROCESSES) {
                    self.put(sheet, ("procfile", "procfile-beside"), name, line);
                }
            }
            name => match package(name, text) {
                Ok(Some(name)) => self.put(sheet, ("package", "package-beside"), &name, 1),
                Ok(None) => {}
                Err(why) => coverage.trouble(&*sheet.path, why),
            },
        }
    }

    fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll) {
        for path in clues.paths().into_iter().filter(|path| is_own_env(file_name(path))) {
            for manifest in self.manifests.get(folder(path)).into_iter().flatten() {
                let value = format!("{} beside {}", file_name(path), manifest.name);
                let why = evidence(manifest.technique, manifest.at.clone(), clean(&value));
                manifest.consumer.join(roll, Tier::Inferred, vec![why]);
            }
        }
    }

    fn merge(&mut self, other: Self) {
        for (folder, manifests) in other.manifests {
            self.manifests.entry(folder).or_default().extend(manifests);
        }
    }
}

impl Beside {
    fn put(&mut self, sheet: &Sheet<'_>, (kind, technique): (&str, &'static str), name: &str, line: u64) {
        if !is_showable(name) {
            return;
        }
        let consumer = Consumer::new(format!("{kind}:{}/{name}", sheet.path), format!("{kind} {name} of {}", sheet.path));
        let at = Place { path: sheet.path.clone(), line, bytes: 0..0 }.to_string();
        let manifest = Manifest { consumer, technique, at, name: file_name(&sheet.path).to_owned() };
        self.manifests.entry(folder(&sheet.path).to_owned()).or_default().push(manifest);
    }
}

/// Whether a program may read its variables from a file of that name; samples are for people.
fn is_own_env(name: &str) -> bool {
    (name.starts_with(".env") || name == ".flaskenv") && dotenv::is_named_so(name) && !dotenv::is_sample(name)
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

/// The package's name by its manifest, or why that cannot be read.
fn package(file: &str, text: &str) -> Result<Option<String>, String> {
    if file == "go.mod" {
        let module = text.lines().find_map(|line| line.trim().strip_prefix("module ")).map(str::trim);
        return Ok(module.map(|name| name.split("//").next().unwrap_or(name).trim().trim_matches('"').to_owned()));
    }
    if file.ends_with("json") {
        let (tree, broken) = Tree::parse_json(text);
        let name = tree.roots().next().and_then(|root| root.get("name")).and_then(View::text).map(str::to_owned);
        return broken
            .map_or(Ok(name), |broken| Err(format!("not valid JSON at line {}: {}", broken.line, clean(&broken.why))));
    }
    // The parser's own words quote the file's.
    let read: Manifests = toml::from_str(text).map_err(|_| "not valid TOML: its package is unknown".to_owned())?;
    let named = match file {
        "Cargo.toml" => read.package,
        _ => read.project.filter(|project| project.name.is_some()).or(read.tool.and_then(|tool| tool.poetry)),
    };
    Ok(named.and_then(|named| named.name))
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
        let all = owners("api/Procfile", "# x\nweb: run\nworker: run two\n", "api/.env.local");
        assert_eq!(
            consumers(&all),
            [("procfile:api/Procfile/web", Tier::Inferred), ("procfile:api/Procfile/worker", Tier::Inferred)]
        );
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
