//! Docker compose files: value → environment, env_file or secret → service.

use std::collections::BTreeMap;

use super::yaml::Node;
use super::{Value, dotenv, folder_of};
use crate::model::{Edge, Evidence, Finding, Owner, Tier};
use crate::secret::FingerprintKey;

/// Whether a file of that name is one.
pub(super) fn is_one(name: &str) -> bool {
    let base = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml"));
    let named = |base: &str, word: &str| {
        base == word || base.starts_with(&format!("{word}.")) || base.starts_with(&format!("{word}-"))
    };
    base.is_some_and(|base| named(base, "compose") || named(base, "docker-compose"))
}

/// A compose file.
#[derive(Debug)]
pub(super) struct File {
    path: String,
    services: Vec<Service>,
}

#[derive(Debug)]
struct Service {
    name: String,
    /// Variables with literal values.
    literals: Vec<(String, Value)>,
    /// Variables that are taken from the `.env` beside the file, with the line that says so.
    interpolated: Vec<(String, usize)>,
    /// Files it is given whole, with the line that says so and how.
    files: Vec<(String, usize, &'static str)>,
}

/// A path in a compose file, relative to the folder of that file.
fn beside(compose: &str, relative: &str) -> String {
    let mut parts: Vec<&str> = folder_of(compose).split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    let lead = if compose.starts_with('/') { "/" } else { "" };
    format!("{lead}{}", parts.join("/"))
}

/// The names in `${NAME}`, `${NAME:-default}` and `$NAME`.
fn names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for piece in text.split('$').skip(1) {
        let piece = piece.strip_prefix('{').unwrap_or(piece);
        let name: String = piece.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        if !name.is_empty() {
            names.push(name);
        }
    }
    names
}

impl File {
    pub(super) fn read(path: &str, root: &Node, key: &FingerprintKey) -> Self {
        let services = root.get("services").map_or(&[][..], Node::pairs);
        let services = services.iter().map(|(name, node)| Service::read(path, name, node, (root, key))).collect();
        Self { path: path.to_owned(), services }
    }

    pub(super) fn owners(&self, finding: &Finding, dotenv: &BTreeMap<String, dotenv::File>) -> Vec<Owner> {
        let beside_it = beside(&self.path, ".env");
        let mut owners = Vec::new();
        for service in &self.services {
            let mut proof = Vec::new();
            let mut add = |technique: &str, line: usize, value: &str| {
                let at = format!("{}:{line}", self.path);
                proof.push(Evidence { technique: technique.to_owned(), at, value: value.to_owned() });
            };
            for (variable, value) in service.literals.iter().filter(|(_, value)| value.holds(&self.path, finding)) {
                add("compose-environment", value.line, variable);
            }
            if let Some(file) = dotenv.get(&beside_it) {
                for (variable, line) in service.interpolated.iter().filter(|(name, _)| file.holds(&beside_it, name, finding))
                {
                    add("compose-interpolation", *line, variable);
                }
            }
            for (file, line, technique) in &service.files {
                if finding.occurrences.iter().any(|place| place.path == *file) {
                    add(technique, *line, file);
                }
            }
            if !proof.is_empty() {
                let id = format!("compose:{}/{}", self.path, service.name);
                owners.push(Owner {
                    edge: Edge::Consumer,
                    id,
                    name: service.name.clone(),
                    tier: Tier::Bound,
                    evidence: proof,
                });
            }
        }
        owners
    }
}

impl Service {
    fn read(path: &str, name: &str, node: &Node, (root, key): (&Node, &FingerprintKey)) -> Self {
        let mut service = Self { name: name.to_owned(), literals: Vec::new(), interpolated: Vec::new(), files: Vec::new() };
        if let Some(environment) = node.get("environment") {
            for (variable, value) in environment.pairs() {
                service.variable(variable, value.text(), value, key);
            }
            for item in environment.items() {
                let (variable, value) = item.text().map_or(("", None), |text| {
                    text.split_once('=').map_or((text, None), |(variable, value)| (variable, Some(value)))
                });
                service.variable(variable, value, item, key);
            }
        }
        service.env_files(path, node);
        service.secrets(path, node, root);
        service
    }

    /// A variable without a value is taken from the environment under its own name.
    fn variable(&mut self, name: &str, value: Option<&str>, node: &Node, key: &FingerprintKey) {
        let value = value.filter(|value| !value.is_empty());
        let from: Vec<String> = value.map_or_else(|| vec![name.to_owned()], names);
        self.interpolated.extend(from.into_iter().map(|name| (name, node.line)));
        if let Some(value) = value {
            let fingerprint = key.fingerprint(value.as_bytes());
            self.literals.push((name.to_owned(), Value { fingerprint, span: node.span.clone(), line: node.line }));
        }
    }

    fn env_files(&mut self, path: &str, node: &Node) {
        let Some(files) = node.get("env_file") else { return };
        let single = files.text().map(|text| (text, files.line));
        let listed =
            files.items().iter().filter_map(|item| Some((item.text().or_else(|| item.text_at(&["path"]))?, item.line)));
        let all: Vec<_> = single.into_iter().chain(listed).collect();
        self.files.extend(all.into_iter().map(|(file, line)| (beside(path, file), line, "compose-env-file")));
    }

    fn secrets(&mut self, path: &str, node: &Node, root: &Node) {
        for item in node.get("secrets").map_or(&[][..], Node::items) {
            let Some(name) = item.text().or_else(|| item.text_at(&["source"])) else { continue };
            if let Some(file) = root.text_at(&["secrets", name, "file"]) {
                self.files.push((beside(path, file), item.line, "compose-secret"));
            }
            if let Some(variable) = root.text_at(&["secrets", name, "environment"]) {
                self.interpolated.push((variable.to_owned(), item.line));
            }
        }
    }
}
