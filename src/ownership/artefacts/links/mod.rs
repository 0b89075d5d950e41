//! What most readers come down to: a value stands in a workload's own definition, or in an env file that the definition
//! names by exact path. A reader of that sort says what it wants and what stands where; the rest is here.

mod handed;
mod kind;
mod scripts;

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use super::allowance::Allowance;
use super::copies::Copies;
use super::slots::{Slots, prints_within};
use super::yaml::View;
use super::{Clues, Place, Sheet, dotenv, ends_in, file_name, folder};
use crate::model::{Coverage, Edge, Evidence, Tier};
use crate::ownership::roll::{Roll, clean, evidence, owner};

pub(super) use kind::{Kind, Linked};

/// A workload that uses values.
pub(super) struct Consumer {
    id: String,
    name: String,
    /// What else is known of it, such as the environment it deploys to.
    notes: Vec<Evidence>,
}

impl Consumer {
    pub(super) fn new(id: String, name: String) -> Self {
        Self { id, name, notes: Vec::new() }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn note(&mut self, technique: &str, at: &Place, value: &str) {
        self.notes.push(evidence(technique, at.to_string(), clean(value)));
    }

    /// Names it as the consumer.
    pub(super) fn join(&self, roll: &mut Roll, tier: Tier, mut why: Vec<Evidence>) {
        why.extend(self.notes.iter().cloned());
        let mut consumer = owner(Edge::Consumer, &self.id, &self.name, tier);
        consumer.evidence = why;
        roll.add(consumer);
    }
}

/// An arrow from a value to the workload that uses it.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) consumer: Arc<Consumer>,
    pub(super) tier: Tier,
    pub(super) technique: &'static str,
    /// Where in the definition, in words: `env OPENAI_API_KEY`. Never a value.
    pub(super) detail: String,
}

/// Every arrow that readers of one kind saw.
#[derive(Default)]
pub(super) struct Links {
    literals: Slots<Link>,
    /// The variables of env files.
    variables: Slots<String>,
    /// References to a whole env file, by its path.
    files: HashMap<String, Vec<(Place, Link)>>,
    /// References to a variable by its name, which some env file in that folder may set.
    names: HashMap<(String, String), Vec<(Place, Link)>>,
    /// Folders and patterns that an image copies.
    pub(super) copies: Copies,
    /// References to what lies below a key of another file, by its path.
    keyed: HashMap<String, Vec<(String, Place, Link)>>,
    /// The leaves of such files, by the way to them.
    leaves: Slots<String>,
    handed: handed::Handed,
    allowance: Allowance,
}

impl Links {
    /// A value in the definition itself. Nothing where it is empty or no scalar.
    pub(super) fn put(&mut self, sheet: &Sheet<'_>, view: View<'_>, link: Link) {
        if let Some(text) = view.text() {
            self.put_text(sheet, sheet.place(view), text, link);
        }
    }

    /// As [`Links::put`], for what is no node of a tree.
    pub(super) fn put_text(&mut self, sheet: &Sheet<'_>, place: Place, text: &str, link: Link) {
        if !text.is_empty() && self.allowance.take(text.len()) {
            self.literals.put(place, &prints_within(sheet.key, text), link);
        }
    }

    /// A script, without the lines of it that are comments: what somebody switched off is used by nobody.
    pub(super) fn put_script(&mut self, sheet: &Sheet<'_>, place: &Place, text: &str, link: &Link) {
        // As it stands in the file: a line's place is not known otherwise.
        let Some(raw) = raw(sheet, &place.bytes) else { return };
        if !raw.lines().any(is_comment) {
            return self.put_text(sheet, place.clone(), text, link.clone());
        }
        // Lines between comments stay together: a key may run over several.
        let mut run: Option<Place> = None;
        let mut next = Place { bytes: place.bytes.start..place.bytes.start, ..place.clone() };
        for piece in raw.split_inclusive('\n') {
            next.bytes = next.bytes.end..next.bytes.end + piece.len() as u64;
            if is_comment(piece) {
                self.put_run(sheet, run.take(), link);
            } else {
                run.get_or_insert_with(|| next.clone()).bytes.end = next.bytes.end;
            }
            next.line += 1;
        }
        self.put_run(sheet, run, link);
    }

    /// A script's own files, which it runs or reads from that folder: `None` is the repository's root.
    pub(super) fn runs(&mut self, sheet: &Sheet<'_>, place: &Place, (text, folder): (&str, Option<&str>), link: &Link) {
        let Some(folder) = super::join(sheet.root.trim_end_matches('/'), folder.unwrap_or_default()) else { return };
        for file in scripts::files(text, &folder) {
            let (tier, detail) = (link.tier.min(Tier::Inferred), format!("{} runs or reads {}", link.detail, clean(&file)));
            self.pull(file, place.clone(), Link { tier, technique: "script-file", detail, ..link.clone() });
        }
    }

    /// The code that a command starts: what is installed from the folder of its definition, from one above it, or from the root.
    pub(super) fn starts(&mut self, sheet: &Sheet<'_>, place: &Place, command: &str, link: &Link) {
        let own = folder(&sheet.path);
        let mut bases = vec![own, folder(own), folder(folder(own)), sheet.root.trim_end_matches('/')];
        bases.dedup();
        for file in scripts::started(command) {
            for path in bases.iter().filter_map(|base| super::join(base, &file)) {
                let (tier, detail) = (link.tier.min(Tier::Inferred), format!("{} starts {}", link.detail, clean(&file)));
                self.pull(path, place.clone(), Link { tier, technique: "starts-code", detail, ..link.clone() });
            }
        }
    }

    fn put_run(&mut self, sheet: &Sheet<'_>, run: Option<Place>, link: &Link) {
        if let Some(place) = run
            && let Some(text) = raw(sheet, &place.bytes)
        {
            self.put_text(sheet, place, text, link.clone());
        }
    }

    /// As [`Links::put_text`], where several values share one place.
    pub(super) fn put_texts<'v>(
        &mut self,
        sheet: &Sheet<'_>,
        place: &Place,
        values: impl Iterator<Item = &'v str>,
        link: Link,
    ) {
        let kept = values.take_while(|value| self.allowance.take(value.len()));
        let prints: Vec<_> = kept.flat_map(|value| prints_within(sheet.key, value)).collect();
        if !self.allowance.take(0) {
            return;
        }
        let mut own = place.clone();
        if raw(sheet, &place.bytes).is_some_and(|raw| raw.lines().any(is_comment)) {
            // The comments between are no part of the values, which are met by what they are alone.
            own.bytes.end = own.bytes.start;
            self.put_script(sheet, place, "", &link);
        }
        self.literals.put(own, &prints, link);
    }

    /// A reference to a whole env file.
    pub(super) fn pull(&mut self, file: String, place: Place, link: Link) {
        if self.allowance.take(file.len()) {
            self.files.entry(file).or_default().push((place, link));
        }
    }

    /// A reference to a variable whose value the program finds in its environment: an env file in the same folder that sets
    /// it suggests where it comes from, and no more.
    pub(super) fn want(&mut self, name: &str, place: Place, link: Link) {
        let own = folder(&place.path).to_owned();
        self.want_in(&own, name, place, link);
    }

    /// The same for the env files of another folder.
    pub(super) fn want_in(&mut self, folder: &str, name: &str, place: Place, link: Link) {
        if self.allowance.take(name.len()) {
            self.names.entry((folder.to_owned(), name.to_owned())).or_default().push((place, link));
        }
    }

    /// A reference to what lies at or below a key of a YAML or JSON file: to all of it where the key is empty.
    pub(super) fn pull_key(&mut self, (file, key): (String, String), place: Place, link: Link) {
        if self.allowance.take(file.len() + key.len()) {
            self.keyed.entry(file).or_default().push((key, place, link));
        }
    }

    /// Remembers the leaves of a file that others may refer to.
    pub(super) fn put_leaves(&mut self, sheet: &Sheet<'_>, root: View<'_>) {
        root.leaves("", &mut |way, leaf| {
            if let Some(text) = leaf.text().filter(|text| !text.is_empty() && self.allowance.take(text.len())) {
                self.leaves.put(sheet.place(leaf), &prints_within(sheet.key, text), way.to_owned());
            }
        });
    }

    /// A new file begins.
    pub(super) fn begin(&mut self) {
        self.allowance.begin();
    }

    /// Says what of the file was left out.
    pub(super) fn complain(&self, sheet: &Sheet<'_>, coverage: &mut Coverage) {
        self.allowance.complain(sheet, coverage);
    }

    /// Something of the file is left out.
    pub(super) fn cut(&mut self, why: &str) {
        self.allowance.cut(why);
    }

    /// Whether one more thing of the file may be kept, with a value of that many bytes.
    pub(super) fn may_keep(&mut self, bytes: usize) -> bool {
        self.allowance.take(bytes)
    }

    fn read_env(&mut self, sheet: &Sheet<'_>, coverage: &mut Coverage) {
        if is_data(&sheet.path) {
            // Most of them are referred to by nobody: what is broken there is no concern.
            return sheet.documents(&mut Coverage::default(), &mut |root| self.put_leaves(sheet, root));
        }
        match sheet.text() {
            Ok(text) if file_name(&sheet.path) == ".dockerignore" => self.copies.ignore(&sheet.path, text),
            Ok(text) => self.variables.put_env(sheet, text),
            // The compose reader takes in every `.env` and says it already.
            Err(_) if dotenv::is_named_so(file_name(&sheet.path)) => {}
            Err(why) => coverage.trouble(&*sheet.path, why),
        }
    }

    pub(super) fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll) {
        for (place, link, join) in self.literals.hits(clues) {
            let value = format!("{} ({})", link.detail, join.words());
            link.consumer.join(roll, link.tier, vec![evidence(link.technique, place.to_string(), value)]);
        }
        self.handed.resolve(clues, roll);
        for path in clues.paths() {
            for (at, link) in self.copies.of(path) {
                link.consumer.join(roll, Tier::Inferred, vec![link.evidence(at)]);
            }
        }
        for (place, way, join) in self.leaves.hits(clues) {
            let under = |key: &str| {
                key.is_empty() || way.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            };
            let keyed = self.keyed.get(&*place.path).into_iter().flatten().take_while(|_| roll.look());
            for (_, at, link) in keyed.filter(|(key, ..)| under(key)).collect::<Vec<_>>() {
                let seen = evidence("referred-key", place.to_string(), format!("{way} ({})", join.words()));
                link.consumer.join(roll, link.tier, vec![seen, link.evidence(at)]);
            }
        }
        if self.files.is_empty() && self.names.is_empty() {
            return;
        }
        let set = self.variables.hits(clues);
        for (place, name, join) in &set {
            for (at, link) in self.files.get(&*place.path).into_iter().flatten() {
                if !roll.look() {
                    return;
                }
                let value = format!("{name} ({})", join.words());
                let why = vec![evidence("dotenv-variable", place.to_string(), value), link.evidence(at)];
                link.consumer.join(roll, link.tier, why);
            }
            let wanted = self.names.get(&(folder(&place.path).to_owned(), (*name).clone()));
            let wanted = wanted.filter(|_| !dotenv::is_sample(file_name(&place.path)));
            for (at, link) in wanted.into_iter().flatten() {
                if !roll.look() {
                    return;
                }
                let value = format!("{name} ({})", join.words());
                let why = vec![evidence("dotenv-variable", place.to_string(), value), link.evidence(at)];
                link.consumer.join(roll, link.tier.min(Tier::Inferred), why);
            }
        }
        let set: HashSet<&str> = set.iter().map(|(place, ..)| &*place.path).collect();
        for path in clues.paths() {
            // A place that is no variable's value: a comment, or a file whose name is not an env file's.
            let all = format!("{}/*", folder(path));
            let own = self.files.get(path).filter(|_| !set.contains(path));
            for (at, link) in own.into_iter().chain(self.files.get(&all)).flatten() {
                if !roll.look() {
                    return;
                }
                link.consumer.join(roll, Tier::Inferred, vec![link.evidence(at)]);
            }
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.literals.merge(other.literals);
        self.variables.merge(other.variables);
        self.copies.merge(other.copies);
        self.leaves.merge(other.leaves);
        self.handed.merge(other.handed);
        for (path, links) in other.keyed {
            self.keyed.entry(path).or_default().extend(links);
        }
        for (path, links) in other.files {
            self.files.entry(path).or_default().extend(links);
        }
        for (name, links) in other.names {
            self.names.entry(name).or_default().extend(links);
        }
    }
}

impl Link {
    pub(super) fn new(consumer: &Arc<Consumer>, tier: Tier, technique: &'static str, detail: impl Into<String>) -> Self {
        Self { consumer: Arc::clone(consumer), tier, technique, detail: detail.into() }
    }

    fn evidence(&self, at: &Place) -> Evidence {
        evidence(self.technique, at.to_string(), self.detail.clone())
    }
}

fn raw<'s>(sheet: &Sheet<'s>, bytes: &Range<u64>) -> Option<&'s str> {
    std::str::from_utf8(sheet.bytes.get(bytes.start as usize..bytes.end as usize)?).ok()
}

fn is_data(path: &str) -> bool {
    ends_in(path, &["yml", "yaml", "json"])
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}
