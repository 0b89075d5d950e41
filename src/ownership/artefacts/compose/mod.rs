//! Docker compose: value → a service's `environment` or `command`, its `env_file`, `${VAR}` out of the `.env` beside the
//! file, or a top-level secret or config.
//!
//! Tiers, by the table in the facts: a value in the service itself is bound. So is one in a file that `env_file` or a
//! secret names by exact path, and one in `.env` that the service interpolates: the chain closes in the tree, though a
//! shell variable at `docker compose up` would win. A place in an `env_file` that is no variable's value (a comment, or a
//! file of a name that is not read) is inferred. `extends` and `include` are not followed.

mod variables;

use std::collections::HashMap;
use std::sync::Arc;

use super::links::Consumer;
use super::slots::{Slots, prints};
use super::yaml::{Tree, View};
use super::{Clues, Place, Reader, Sheet, dotenv, file_name, folder, join};
use crate::model::{Coverage, Evidence, Tier};
use crate::ownership::roll::{Roll, clean, evidence};

/// What compose files and `.env` files say.
#[derive(Default)]
pub(super) struct Compose {
    inline: Slots<Inline>,
    /// The variables of every `.env` file.
    env: Slots<String>,
    /// References to a whole file, by its path.
    env_files: HashMap<String, Vec<Pull>>,
    secret_files: HashMap<String, Vec<Pull>>,
    /// References to a variable, by the folder of the compose file.
    variables: HashMap<(String, String), Vec<Pull>>,
}

/// A value that stands in the service itself.
struct Inline {
    service: Arc<Consumer>,
    technique: &'static str,
    detail: String,
}

/// A reference out of the service.
struct Pull {
    service: Arc<Consumer>,
    technique: &'static str,
    detail: String,
    at: Place,
}

impl Reader for Compose {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        let name = file_name(path);
        is_compose(name) || dotenv::is_named_so(name)
    }

    fn read(&mut self, sheet: &Sheet<'_>, coverage: &mut Coverage) {
        let text = match sheet.text() {
            Ok(text) => text,
            Err(why) => return coverage.trouble(&*sheet.path, why),
        };
        if !is_compose(file_name(&sheet.path)) {
            return self.env.put_env(sheet, text);
        }
        let (tree, broken) = Tree::parse(text);
        for root in tree.roots() {
            for (name, service) in root.get("services").map(View::entries).unwrap_or_default() {
                if let Some(name) = name.text().filter(|name| is_name(name)) {
                    self.service(sheet, root, name, service);
                }
            }
        }
        sheet.complain(&tree, broken, "YAML", coverage);
    }

    fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll) {
        for (place, inline, join) in self.inline.hits(clues) {
            let value = format!("{} ({})", inline.detail, join.words());
            inline.service.join(roll, Tier::Bound, vec![evidence(inline.technique, place.to_string(), value)]);
        }
        for (place, name, join) in self.env.hits(clues) {
            let seen = || evidence("dotenv-variable", place.to_string(), format!("{name} ({})", join.words()));
            let files = self.env_files.get(&*place.path).into_iter().flatten();
            let beside = (folder(&place.path).to_owned(), name.clone());
            let named = self.variables.get(&beside).filter(|_| file_name(&place.path) == ".env").into_iter().flatten();
            for pull in files.chain(named) {
                pull.service.join(roll, Tier::Bound, vec![seen(), pull.evidence()]);
            }
        }
        for path in clues.paths() {
            for pull in self.secret_files.get(path).into_iter().flatten() {
                pull.service.join(roll, Tier::Bound, vec![pull.evidence()]);
            }
            let Some(pulls) = self.env_files.get(path).filter(|_| !self.env.covers(clues, path)) else { continue };
            for pull in pulls {
                pull.service.join(roll, Tier::Inferred, vec![pull.evidence()]);
            }
        }
    }

    fn merge(&mut self, other: Self) {
        self.inline.merge(other.inline);
        self.env.merge(other.env);
        for (path, pulls) in other.env_files {
            self.env_files.entry(path).or_default().extend(pulls);
        }
        for (path, pulls) in other.secret_files {
            self.secret_files.entry(path).or_default().extend(pulls);
        }
        for (variable, pulls) in other.variables {
            self.variables.entry(variable).or_default().extend(pulls);
        }
    }
}

impl Compose {
    fn service(&mut self, sheet: &Sheet<'_>, root: View<'_>, name: &str, view: View<'_>) {
        let service =
            Arc::new(Consumer::new(format!("compose:{}/{name}", sheet.path), format!("service {name} of {}", sheet.path)));
        let mut desk = Desk { compose: self, sheet, service: &service };
        desk.environment(view);
        for field in ["command", "entrypoint"] {
            if let Some(command) = view.get(field) {
                for argument in command.text().map(|_| command).into_iter().chain(command.items()) {
                    desk.literal(argument, argument.text(), ("compose-command", field.to_owned()));
                }
            }
        }
        desk.env_files(view);
        desk.secrets(root, view, "secrets");
        desk.secrets(root, view, "configs");
    }
}

/// One service while it is read.
struct Desk<'a> {
    compose: &'a mut Compose,
    sheet: &'a Sheet<'a>,
    service: &'a Arc<Consumer>,
}

impl Desk<'_> {
    /// `environment` as a mapping or as a list of `NAME=value`. A name alone is taken from outside, `.env` included.
    fn environment(&mut self, service: View<'_>) {
        let Some(environment) = service.get("environment") else { return };
        for (key, value) in environment.entries() {
            let Some(name) = key.text() else { continue };
            if value.is_null() {
                self.variable(name, value, ("compose-pass-through", format!("environment {}", clean(name))));
            } else {
                self.literal(value, value.text(), ("compose-environment", format!("environment {}", clean(name))));
            }
        }
        for item in environment.items() {
            let Some(text) = item.text() else { continue };
            match text.split_once('=') {
                Some((name, value)) => {
                    self.literal(item, Some(value), ("compose-environment", format!("environment {}", clean(name))));
                }
                None => self.variable(text, item, ("compose-pass-through", format!("environment {}", clean(text)))),
            }
        }
    }

    /// A value in the service, and the variables that it is made of.
    fn literal(&mut self, at: View<'_>, value: Option<&str>, (technique, detail): (&'static str, String)) {
        let Some(value) = value.filter(|value| !value.is_empty()) else { return };
        for name in variables::named(value) {
            self.variable(name, at, ("compose-interpolation", format!("{detail} from ${{{name}}}")));
        }
        let inline = Inline { service: Arc::clone(self.service), technique, detail };
        self.compose.inline.put(self.sheet.place(at), &prints(self.sheet.key, value.as_bytes()), inline);
    }

    fn variable(&mut self, name: &str, at: View<'_>, (technique, detail): (&'static str, String)) {
        let key = (folder(&self.sheet.path).to_owned(), name.to_owned());
        let pull = self.pull(at, technique, detail);
        self.compose.variables.entry(key).or_default().push(pull);
    }

    /// `env_file`: a path, a list of paths, or a list of `{path, required, format}`.
    fn env_files(&mut self, service: View<'_>) {
        let Some(field) = service.get("env_file") else { return };
        for entry in [field].into_iter().chain(field.items()) {
            let Some(file) = entry.text().or_else(|| entry.text_at(&["path"])) else { continue };
            let Some(path) = join(folder(&self.sheet.path), file) else { continue };
            let pull = self.pull(entry, "compose-env-file", format!("env_file {}", clean(file)));
            self.compose.env_files.entry(path).or_default().push(pull);
        }
    }

    /// The service's `secrets` or `configs`, which name entries of the same field at the top.
    fn secrets(&mut self, root: View<'_>, service: View<'_>, field: &'static str) {
        for entry in service.get(field).into_iter().flat_map(View::items) {
            let Some(name) = entry.text().or_else(|| entry.text_at(&["source"])) else { continue };
            let Some(source) = root.at(&[field, name]) else { continue };
            let detail = format!("{field} {}", clean(name));
            if let Some(path) = source.text_at(&["file"]).and_then(|file| join(folder(&self.sheet.path), file)) {
                let pull = self.pull(entry, "compose-secret-file", detail.clone());
                self.compose.secret_files.entry(path).or_default().push(pull);
            }
            if let Some(variable) = source.text_at(&["environment"]) {
                self.variable(variable, entry, ("compose-secret-environment", detail.clone()));
            }
            if let Some(content) = source.get("content") {
                self.literal(content, content.text(), ("compose-secret-content", detail));
            }
        }
    }

    fn pull(&self, at: View<'_>, technique: &'static str, detail: String) -> Pull {
        Pull { service: Arc::clone(self.service), technique, detail, at: self.sheet.place(at) }
    }
}

impl Pull {
    fn evidence(&self) -> Evidence {
        evidence(self.technique, self.at.to_string(), self.detail.clone())
    }
}

/// `compose*.yaml`, `docker-compose*.yml` and the like.
fn is_compose(name: &str) -> bool {
    let yaml = name.rsplit_once('.').is_some_and(|(_, ending)| matches!(ending, "yml" | "yaml"));
    yaml && (name.starts_with("compose") || name.starts_with("docker-compose"))
}

/// Compose allows `[a-zA-Z0-9._-]+` for a service.
fn is_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    !name.is_empty() && name.len() <= 253 && name.bytes().all(fits)
}

#[cfg(test)]
mod tests;
