//! Examples of settings that a script, a Makefile, a pipeline or a package's script puts where a program reads them: `cp .env.example .env`.
//! Where the real file is not in the tree, who reads that one is given what the example says: inferred, as it may be changed after.
//!
//! What a document tells people to copy is filled in by them, and counts for nothing.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::{Clues, Place, Sheet, dotenv, ends_in, file_name, folder, join};

/// Larger files are data.
const LIMIT: usize = 1 << 20;
/// Copies of one file, and of a whole tree.
const COPIES: usize = 200;
const ALL: usize = 20_000;
/// What copies a file.
const PROGRAMS: [&str; 3] = ["cp", "copy", "Copy-Item"];

/// What examples are called, in part.
const EXAMPLES: [&str; 5] = ["ample", "AMPLE", "emplate", "dist", "defaults"];

/// What is copied in a tree, and what is there.
#[derive(Default)]
pub(super) struct Copied {
    /// Where an example is put, by its path.
    to: HashMap<String, BTreeMap<String, Place>>,
    there: HashSet<Arc<str>>,
    count: usize,
}

/// Whether commands may stand in a file.
fn may_copy(path: &str) -> bool {
    let named =
        ["Makefile", "makefile", "GNUmakefile", "justfile", "Justfile", "package.json", "composer.json", "Jenkinsfile"];
    named.contains(&file_name(path)) || ends_in(path, &["sh", "bash", "zsh", "mk", "bat", "cmd", "ps1", "yml", "yaml"])
}

impl Copied {
    pub(super) fn read(&mut self, sheet: &Sheet<'_>) {
        self.there.insert(Arc::clone(&sheet.path));
        let mentions = |words: &[&str]| words.iter().any(|own| sheet.mentions(own));
        if !may_copy(&sheet.path) || sheet.bytes.len() > LIMIT || !mentions(&EXAMPLES) || !mentions(&PROGRAMS) {
            return;
        }
        // What is no text is told by who reads it.
        let Ok(text) = sheet.text() else { return };
        let (mut at, mut left) = (0, COPIES);
        for (number, line) in text.split_inclusive('\n').enumerate() {
            let bytes = at as u64..(at + line.len()) as u64;
            at += line.len();
            let named = PROGRAMS.iter().any(|own| line.contains(own));
            if !named || line.trim_start().starts_with(['#', '/']) || left == 0 {
                continue;
            }
            let place = Place { path: Arc::clone(&sheet.path), line: number as u64 + 1, bytes };
            for (here, from, to) in copies(line) {
                left = left.saturating_sub(1);
                self.put(sheet, (here, from, to), &place);
            }
        }
    }

    /// Scripts begin where they lie, in the folder above, or at the root.
    fn put(&mut self, sheet: &Sheet<'_>, (here, from, to): (&str, &str, &str), at: &Place) {
        let own = folder(&sheet.path);
        for base in [own, folder(own), sheet.root.trim_end_matches('/')] {
            let path = |file: &str| join(&join(base, here)?, file);
            if let (Some(from), Some(to)) = (path(from), path(to))
                && self.count < ALL
                && from != to
            {
                self.count += 1;
                self.to.entry(from).or_default().entry(to).or_insert_with(|| at.clone());
            }
        }
    }

    /// Where the files of the clues are put, if nothing lies there: from, to, and what says so.
    pub(super) fn of<'c>(&'c self, clues: &Clues<'c>) -> Vec<(&'c str, &'c str, &'c Place)> {
        let mut all = Vec::new();
        for path in clues.paths() {
            let to = self.to.get(path).into_iter().flatten().filter(|(to, _)| !self.there.contains(to.as_str()));
            all.extend(to.map(|(to, at)| (path, to.as_str(), at)));
        }
        all
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.there.extend(other.there);
        self.count += other.count;
        for (from, to) in other.to {
            let own = self.to.entry(from).or_default();
            for (to, at) in to {
                own.entry(to).or_insert(at);
            }
        }
    }
}

/// The examples that the commands of a line copy: the folder that they begin in, from, to.
fn copies(line: &str) -> Vec<(&str, &str, &str)> {
    let (mut all, mut here) = (Vec::new(), "");
    for command in line.split([';', '&', '|']) {
        let words: Vec<&str> = command
            .split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '(' | ')' | '{' | '}' | '[' | ']'))
            .filter(|word| !word.is_empty())
            .collect();
        if let Some(at) = words.iter().position(|word| *word == "cd") {
            here = words.get(at + 1).copied().unwrap_or_default();
        }
        let Some(at) = words.iter().position(|word| PROGRAMS.contains(&word.trim_start_matches(['@', '-']))) else {
            continue;
        };
        let files: Vec<&str> = words[at + 1..].iter().copied().filter(|word| !word.starts_with('-')).take(3).collect();
        let [from, to] = files[..] else { continue };
        let plain = |path: &str| !path.contains(['$', '*', '%', '~', '<', '>']) && !path.ends_with(['/', '.']);
        let example = dotenv::is_sample(file_name(from)) || dotenv::is_form(file_name(from));
        let real = !dotenv::is_sample(file_name(to)) && !dotenv::is_form(file_name(to));
        if example && real && plain(from) && plain(to) && !here.contains('$') {
            all.push((here, from, to));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::Inferred;
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding_in, tree};

    #[test]
    fn an_example_that_is_put_in_place_is_who_reads_that_place_s() {
        let compose = ("compose.yaml", "services: {api: {image: x, env_file: app.env}, db: {image: y}}\n");
        let text = format!("KEY={VALUE}\n");
        for (script, line, named) in [
            ("setup.sh", "cp app.env.example app.env", true),
            ("setup.sh", "test -f app.env || cp -n ./app.env.example ./app.env", true),
            ("scripts/setup.sh", "cp app.env.example app.env", true),
            ("Makefile", "env:\n\t@cp app.env.example app.env", true),
            (".github/workflows/ci.yml", "on: push\njobs: {t: {steps: [{run: cp app.env.example app.env}]}}", true),
            ("package.json", "{\"scripts\": {\"setup\": \"cp app.env.example app.env && x\"}}", true),
            ("setup.sh", "cp app.env.example other.env", false),
            ("setup.sh", "# cp app.env.example app.env", false),
            ("setup.sh", "cp app.env.example $HOME/app.env", false),
            ("setup.sh", "cp other.env.example app.env", false),
            ("README.md", "cp app.env.example app.env", false),
        ] {
            let script = (script, line);
            let all = tree(&[compose, script, ("app.env.example", &text)]);
            let all = all.resolve(&finding_in("app.env.example", &text, VALUE));
            assert_eq!(consumers(&all), &[("compose:compose.yaml/api", Inferred)][..usize::from(named)], "{script:?}");
        }
        // The real file is there: it says what counts.
        let files = [compose, ("setup.sh", "cp app.env.example app.env\n"), ("app.env", "KEY=other-value-here\n")];
        let all = tree(&[&files[..], &[("app.env.example", text.as_str())]].concat());
        assert_eq!(consumers(&all.resolve(&finding_in("app.env.example", &text, VALUE))), []);
    }
}
