//! One service of a compose file: what stands in it, and what it refers to.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::super::links::Consumer;
use super::super::slots::prints;
use super::super::yaml::View;
use super::super::{Sheet, clean, file_name, folder, join};
use super::{Compose, Inline, Over, Pull, is_override, variables};

/// Services that extend each other.
const EXTENDED: usize = 10;
/// Env files of one service that are followed.
const ENV_FILES: usize = 50;

/// One service while it is read.
pub(super) struct Desk<'a> {
    pub(super) compose: &'a mut Compose,
    pub(super) sheet: &'a Sheet<'a>,
    pub(super) service: &'a Arc<Consumer>,
    pub(super) name: &'a str,
}

impl Desk<'_> {
    /// `environment` as a mapping or as a list of `NAME=value`. A name alone is taken from outside, `.env` included. `names` are
    /// those that count already.
    pub(super) fn environment(&mut self, service: View<'_>, names: &mut BTreeSet<String>) {
        let Some(environment) = service.get("environment") else { return };
        let mut own = HashSet::new();
        let mut set = |name: &str| {
            let new = names.insert(name.to_owned());
            if new {
                own.insert(name.to_owned());
            }
            new || own.contains(name)
        };
        for (key, value) in environment.entries() {
            let Some(name) = key.text().filter(|name| set(name)) else { continue };
            if value.is_null() {
                self.variable(name, value, ("compose-pass-through", format!("environment {}", clean(name))));
            } else {
                self.literal(
                    value,
                    value.text(),
                    ("compose-environment", format!("environment {}", clean(name))),
                    Some(name),
                );
            }
        }
        for item in environment.items() {
            let Some(text) = item.text() else { continue };
            let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
            let detail = format!("environment {}", clean(name));
            match value {
                _ if !set(name) => {}
                Some(value) => self.literal(item, Some(value), ("compose-environment", detail), Some(name)),
                None => self.variable(text, item, ("compose-pass-through", detail)),
            }
        }
    }

    /// The Dockerfile that the service's image is built from.
    pub(super) fn built_from(&mut self, service: View<'_>) {
        let Some(build) = service.get("build") else { return };
        let context = build.text().or_else(|| build.text_at(&["context"])).unwrap_or(".");
        let file = build.text_at(&["dockerfile"]).unwrap_or("Dockerfile");
        let Some(path) = join(folder(&self.sheet.path), context).and_then(|context| join(&context, file)) else { return };
        if self.compose.allowance.take(path.len()) {
            let own = (self.sheet.place(build), Arc::clone(self.service));
            self.compose.builds.entry(path).or_default().push(own);
        }
    }

    /// Arguments of the image's build: who builds it needs them, and its history keeps them.
    pub(super) fn build(&mut self, service: View<'_>) {
        let Some(arguments) = service.at(&["build", "args"]) else { return };
        let detail = |name: &str| ("compose-build-argument", format!("build argument {}", clean(name)));
        for (key, value) in arguments.entries() {
            self.literal(value, value.text(), detail(key.text().unwrap_or("?")), None);
        }
        for item in arguments.items() {
            if let Some((name, value)) = item.text().and_then(|text| text.split_once('=')) {
                self.literal(item, Some(value), detail(name), None);
            }
        }
    }

    /// A value in the service, and the variables that it is made of.
    pub(super) fn literal(
        &mut self,
        at: View<'_>,
        value: Option<&str>,
        (technique, detail): (&'static str, String),
        sets: Option<&str>,
    ) {
        let Some(value) = value.filter(|value| !value.is_empty() && self.compose.allowance.take(value.len())) else {
            return;
        };
        for name in variables::named(value) {
            self.variable(name, at, ("compose-interpolation", format!("{detail} from ${{{name}}}")));
        }
        let sets = sets.map(|name| (folder(&self.sheet.path).to_owned(), self.name.to_owned(), name.to_owned()));
        let late = is_override(file_name(&self.sheet.path));
        let default = variables::defaulted(value).map(str::to_owned);
        if let Some(sets) = sets.clone().filter(|_| late) {
            self.compose.overridden.insert(sets);
        }
        let inline = Inline { service: Arc::clone(self.service), technique, detail, default, sets: sets.filter(|_| !late) };
        self.compose.inline.put(self.sheet.place(at), &prints(self.sheet.key, value.as_bytes()), inline);
    }

    fn variable(&mut self, name: &str, at: View<'_>, (technique, detail): (&'static str, String)) {
        if !self.compose.allowance.take(detail.len()) {
            return;
        }
        let own = folder(&self.sheet.path);
        self.compose.wanted.entry(name.to_owned()).or_default().insert(own.to_owned());
        let key = (own.to_owned(), name.to_owned());
        let pull = self.pull(at, technique, detail);
        self.compose.variables.entry(key).or_default().push(pull);
    }

    /// `env_file` of a service and of those that it extends, the last of them first: a path, a list of paths, or a list of `{path,
    /// required, format}`. `names` come before what the files set.
    pub(super) fn env_files(&mut self, all: &[View<'_>], names: &Arc<BTreeSet<String>>) {
        let own = |entry: View<'_>| {
            let (file, certain) = variables::filled(entry.text().or_else(|| entry.text_at(&["path"]))?)?;
            Some((join(folder(&self.sheet.path), &file)?, file, certain))
        };
        let fields = all.iter().filter_map(|service| service.get("env_file"));
        let entries: Vec<View<'_>> = fields.flat_map(|field| [field].into_iter().chain(field.items())).collect();
        for &entry in entries.iter().take(ENV_FILES) {
            let path = entry.text().or_else(|| entry.text_at(&["path"]));
            self.compose.brought_there(self.sheet, self.service, entry, path);
        }
        let mut listed: Vec<_> =
            entries.into_iter().filter_map(|entry| Some((entry, own(entry)?))).take(ENV_FILES + 1).collect();
        if listed.len() > ENV_FILES {
            self.compose.allowance.cut(&format!("services with more than {ENV_FILES} env files"));
            listed.truncate(ENV_FILES);
        }
        let files: Arc<[String]> = listed.iter().map(|(_, (path, ..))| path.clone()).collect();
        for (own, (entry, (path, file, certain))) in listed.iter().enumerate() {
            if !self.compose.allowance.take(path.len() + file.len()) {
                return;
            }
            let over = Arc::new(Over { names: Arc::clone(names), files: Arc::clone(&files), own, unsure: !certain });
            let pull = self.pull(*entry, "compose-env-file", format!("env_file {}", clean(file)));
            self.compose.env_files.entry(path.clone()).or_default().push(Pull { over, ..pull });
            // What is combined with a file above by `-f` has its paths from there (docs.docker.com, "Merge Compose files").
            if let Some(path) = from_above(folder(&self.sheet.path), file) {
                let files = Arc::from([path.clone()]);
                let over = Arc::new(Over { names: Arc::clone(names), files, own: 0, unsure: true });
                let pull = self.pull(*entry, "compose-env-file", format!("env_file {}", clean(file)));
                self.compose.env_files.entry(path).or_default().push(Pull { over, ..pull });
            }
        }
    }

    /// The service's `secrets` or `configs`, which name entries of the same field at the top.
    pub(super) fn secrets(&mut self, root: View<'_>, service: View<'_>, field: &'static str) {
        for entry in service.get(field).into_iter().flat_map(View::items) {
            let Some(name) = entry.text().or_else(|| entry.text_at(&["source"])) else { continue };
            let detail = format!("{field} {}", clean(name));
            let Some(source) = root.at(&[field, name]) else {
                let pull = self.pull(entry, "compose-secret-name", detail);
                self.compose.wants_entry(self.sheet, field, name, pull);
                continue;
            };
            let file = source.text_at(&["file"]).and_then(variables::filled);
            if let Some((path, certain)) =
                file.and_then(|(file, certain)| Some((join(folder(&self.sheet.path), &file)?, certain)))
            {
                if !self.compose.allowance.take(path.len() + detail.len()) {
                    return;
                }
                let pull = self.pull(entry, "compose-secret-file", detail.clone());
                let pull = Pull { over: Arc::new(Over { unsure: !certain, ..Over::default() }), ..pull };
                self.compose.secret_files.entry(path).or_default().push(pull);
            }
            if let Some(variable) = source.text_at(&["environment"]) {
                self.variable(variable, entry, ("compose-secret-environment", detail.clone()));
            }
            if let Some(content) = source.get("content") {
                self.literal(content, content.text(), ("compose-secret-content", detail), None);
            }
        }
    }

    pub(super) fn pull(&self, at: View<'_>, technique: &'static str, detail: String) -> Pull {
        let over = Arc::default();
        Pull { service: Arc::clone(self.service), technique, detail, at: self.sheet.place(at), over }
    }

    /// A service and those of the same file that it extends, itself first.
    pub(super) fn extended<'t>(&mut self, root: View<'t>, service: View<'t>) -> Vec<View<'t>> {
        let mut chain = vec![service];
        while let Some(extends) = chain.last().and_then(|last| last.get("extends")) {
            let name = extends.text().or_else(|| extends.text_at(&["service"]).filter(|_| extends.get("file").is_none()));
            let Some(base) = name.and_then(|name| root.at(&["services", name])) else { break };
            if chain.len() == EXTENDED {
                self.compose.allowance.cut(&format!("services that extend more than {EXTENDED} others"));
                break;
            }
            chain.push(base);
        }
        chain
    }
}

/// The path that a file names from a folder above its own: one that begins with the folder that leads to the own one.
fn from_above(own: &str, file: &str) -> Option<String> {
    let named = file.trim_start_matches("./");
    let first = named.split_once('/').map(|(first, _)| first).filter(|first| !matches!(*first, "" | "." | ".."))?;
    let mut above = own;
    while !above.is_empty() {
        let (last, next) = (file_name(above), folder(above));
        if last == first {
            return join(next, named);
        }
        above = next;
    }
    None
}
