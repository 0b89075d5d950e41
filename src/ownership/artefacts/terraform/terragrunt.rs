//! What Terragrunt's stacks take in from other files: `include`, `read_terragrunt_config`, `find_in_parent_folders`, `file` and the like
//! (terragrunt.gruntwork.io/docs/reference/hcl, "Configuration blocks" and "Functions").
//!
//! A stack is a `terragrunt.hcl` that includes another file or says where its module is. What it takes in is looked for by the end of
//! the path that is written out, from the stack's own folder upwards, which is where `find_in_parent_folders` looks. Nothing is
//! evaluated: whoever takes a file in is inferred to use what stands in it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use hcl_edit::structure::{BlockLabel, Body};

use super::super::links::Consumer;
use super::super::slots::{Slots, prints_within};
use super::super::{Clues, clean, ends_in, file_name, folder, join};
use super::desk::Desk;
use super::expressions::{Found, walk};
use super::graph::{Graph, NameKind};
use super::stacks;
use crate::model::Tier;
use crate::ownership::roll::{Roll, evidence};

/// Files that one file takes in.
const TAKEN: usize = 100;
/// Ends of paths that are looked for, for one finding.
const LOOKS: usize = 300_000;
/// Files that one stack takes in, all together.
const FILES: usize = 50;
/// What is taken in ends so.
const ENDINGS: [&str; 6] = ["hcl", "yaml", "yml", "json", "tfvars", "env"];

/// The files of a tree's stacks.
#[derive(Default)]
pub(super) struct Terragrunt {
    /// What stands in them, by the way to it.
    values: Slots<String>,
    files: HashMap<String, File>,
    /// The names of what is taken in.
    names: HashSet<String>,
}

struct File {
    /// Ends of paths that it takes in.
    tails: Vec<(String, u64)>,
    /// The stack, where it is one.
    stack: Option<Arc<Consumer>>,
    /// Where its module is, as it is written.
    source: Option<String>,
}

/// Whether a file may be one that stacks take in; other tools have files of that ending too.
pub(super) fn is_one(path: &str) -> bool {
    let name = file_name(path);
    ends_in(name, &["hcl"])
        && !["pkr.hcl", "nomad.hcl", "lock.hcl", "bake.hcl", "pkrvars.hcl"].iter().any(|other| name.ends_with(other))
}

impl Terragrunt {
    /// Takes in one file.
    pub(super) fn read(&mut self, desk: &Desk<'_>, body: &Body, graph: &mut Graph) {
        let path = desk.sheet.path.to_string();
        self.values_of(desk, body, "", graph);
        let tails = tails(desk.text);
        self.names.extend(tails.iter().map(|(tail, _)| file_name(tail).to_owned()));
        let mut named = body.blocks().filter(|block| block.ident.as_str() == "terraform");
        let source = named.find_map(|block| {
            let span = hcl_edit::Span::span(&block.body.get_attribute("source")?.value)?;
            desk.text.get(span).map(|text| text.trim_matches('"').to_owned())
        });
        let includes = body.blocks().any(|block| block.ident.as_str() == "include");
        let stack = (file_name(&path) == stacks::NAME && (includes || source.is_some()))
            .then(|| Arc::new(Consumer::new(format!("terragrunt:{path}"), format!("stack {path}"))));
        self.files.insert(path, File { tails, stack, source });
    }

    fn values_of(&mut self, desk: &Desk<'_>, body: &Body, way: &str, graph: &mut Graph) {
        for attribute in body.attributes() {
            let way = format!("{way}{}", clean(attribute.key.as_str()));
            walk(&attribute.value, &way, Tier::Inferred, &mut |way, _, found| {
                if let Found::Text { text, span } = found
                    && graph.allowance.take(text.len())
                {
                    self.values.put(desk.place(span), &prints_within(desk.sheet.key, text), way.to_owned());
                }
            });
        }
        // hcl-edit nests blocks 64 deep at most.
        for block in body.blocks() {
            self.values_of(desk, &block.body, &format!("{way}{}.", clean(block.ident.as_str())), graph);
        }
    }

    pub(super) fn resolve(&self, clues: &Clues<'_>, graph: &Graph, roll: &mut Roll) {
        let hits = self
            .values
            .hits(clues)
            .into_iter()
            .map(|(place, way, join)| (place.to_string(), &*place.path, way.as_str(), join.words()));
        let paths = clues.paths();
        let others = paths.iter().filter(|path| self.names.contains(file_name(path)) && !self.files.contains_key(**path));
        let whole = others.map(|path| ((*path).to_owned(), *path, "", "found in it"));
        let mut left = LOOKS;
        for (at, path, way, words) in hits.chain(whole).collect::<Vec<_>>() {
            self.taken((at, path, way, words), (graph, &mut left), roll);
        }
    }

    /// Names the stacks that take in what stands there.
    fn taken(
        &self,
        (at, path, way, words): (String, &str, &str, &str),
        (graph, left): (&Graph, &mut usize),
        roll: &mut Roll,
    ) {
        let mut stacks: Vec<_> =
            self.files.iter().filter_map(|(own, file)| Some((own, file, file.stack.as_ref()?))).collect();
        stacks.sort_by_key(|(own, ..)| *own);
        for (own, file, stack) in stacks {
            if !roll.look() {
                return;
            }
            let first = evidence("terragrunt-value", at.clone(), format!("{} ({words})", clean(way)));
            if own == path {
                // Inputs and what they are made of are the module's, if that is in the tree.
                if !way.starts_with("inputs") && !way.starts_with("locals.") {
                    stack.join(roll, Tier::Inferred, vec![first]);
                }
                continue;
            }
            if !self.names.contains(file_name(path)) {
                continue;
            }
            let line = self.reaches((own, file), path, left);
            if *left == 0 {
                return roll.cut();
            }
            let Some(line) = line else { continue };
            let why = evidence("terragrunt-takes-in", format!("{own}:{line}"), clean(path));
            stack.join(roll, Tier::Inferred, vec![first.clone(), why.clone()]);
            if let Some(key) = way.strip_prefix("inputs.").map(|rest| rest.split(['.', '[']).next().unwrap_or(rest))
                && let Some(module) = self.module((own, file), path, (graph, key))
            {
                graph.follow(&(Arc::from(module), NameKind::Variable, Arc::from(key)), Tier::Inferred, &first, roll);
            }
        }
    }

    /// The line in which a stack, or what it takes in, takes in that file.
    fn reaches(&self, (own, file): (&str, &File), path: &str, left: &mut usize) -> Option<u64> {
        let (mut queue, mut met) = (vec![(own.to_owned(), file, None)], HashSet::from([own.to_owned()]));
        while let Some((at, file, line)) = queue.pop() {
            for (tail, here) in &file.tails {
                *left = left.checked_sub(1)?;
                // In the stack's own line it begins.
                let line = line.unwrap_or(*here);
                let Some(found) = self.nearest((own, &at), tail, path) else { continue };
                if found == path {
                    return Some(line);
                }
                if met.len() < FILES && met.insert(found.clone()) {
                    queue.extend(self.files.get(&found).map(|file| (found.clone(), file, Some(line))));
                }
            }
        }
        None
    }

    /// The file that an end of a path means: beside or above the stack, or beside the file that takes it in.
    fn nearest(&self, (own, at): (&str, &str), tail: &str, path: &str) -> Option<String> {
        let there = |found: &String| found != own && found != at && (found == path || self.files.contains_key(found));
        let mut above = folder(own);
        let upwards = std::iter::from_fn(|| {
            let next = above;
            above = folder(above);
            Some(next)
        });
        // Folders nest less deep than that.
        let mut all = std::iter::once(folder(at)).chain(upwards.take(folder(own).matches('/').count() + 2));
        all.find_map(|above| join(above, tail).filter(there))
    }

    /// The folder of a stack's module, where that is in the tree and takes such a variable.
    fn module(&self, (own, file): (&str, &File), path: &str, (graph, key): (&Graph, &str)) -> Option<String> {
        let source = file.source.as_ref().or_else(|| self.files.get(path)?.source.as_ref())?.replace("//", "/");
        let tail = source.rsplit('}').next()?.split('?').next()?.trim_start_matches('/');
        let mut above = folder(own);
        if source.starts_with('.') {
            return join(above, tail).filter(|found| graph.declares(found, key));
        }
        loop {
            if let Some(found) = join(above, tail).filter(|found| graph.declares(found, key)) {
                return Some(found);
            }
            if above.is_empty() {
                return None;
            }
            above = folder(above);
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.values.merge(other.values);
        self.files.extend(other.files);
        self.names.extend(other.names);
    }
}

impl Desk<'_> {
    /// `unit` and `stack` blocks of a `terragrunt.stack.hcl`, each with the values that it is made with.
    pub(super) fn units(&self, body: &Body, graph: &mut Graph) {
        for block in body.blocks().filter(|block| matches!(block.ident.as_str(), "unit" | "stack")) {
            let Some(name) = block.labels.first().map(BlockLabel::as_str).map(clean) else { continue };
            let id = format!("terragrunt:{}/{name}", self.sheet.path);
            self.consumer(block, (id, format!("unit {name} of {}", self.sheet.path)), Tier::Inferred, graph);
        }
    }
}

/// The ends of paths that a file takes in, as far as they are written out, with their lines. Without a name `find_in_parent_folders`
/// looks for a `terragrunt.hcl`.
fn tails(text: &str) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with(['#', '/'])) {
        if line.contains("find_in_parent_folders()") {
            found.push((stacks::NAME.to_owned(), number as u64 + 1));
        }
        let mut begin = 0;
        for (at, _) in line.match_indices(['"', '}']).chain([(line.len(), "")]) {
            let piece = line[begin..at].trim_start_matches('/');
            let piece = piece.trim_start_matches("./");
            let plain = piece.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/'));
            if plain && ends_in(piece, &ENDINGS) && !file_name(piece).starts_with('.') && found.len() < TAKEN {
                found.push((piece.to_owned(), number as u64 + 1));
            }
            begin = (at + 1).min(line.len());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::tails;
    use crate::model::Tier::Inferred;
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

    const UNIT: &str = "include \"root\" {\n  path = find_in_parent_folders(\"root.hcl\")\n}\ninclude \"common\" {\n  path = \
                        \"${dirname(find_in_parent_folders(\"root.hcl\"))}/_common/db.hcl\"\n}\n";
    const ROOT: &str = "locals {\n  account = read_terragrunt_config(find_in_parent_folders(\"account.hcl\"))\n}\ninputs = \
                        merge(local.account.locals)\n";

    #[test]
    fn ends_of_paths_are_picked_out() {
        let text = "# \"x.hcl\"\na = find_in_parent_folders()\nb = \"${get_repo_root()}/x/y.hcl\"\nc = file(\"./z.json\")\nd = \"${e}.hcl\"\n";
        let expected = [("terragrunt.hcl", 2), ("x/y.hcl", 3), ("z.json", 4)];
        assert_eq!(tails(text), expected.map(|(tail, line)| (tail.to_owned(), line)));
        assert!(tails(&"a = \"x.hcl\"\n".repeat(1000)).len() <= 100);
    }

    #[test]
    fn what_a_stack_takes_in_is_its_own_and_others_is_not() {
        let common = format!("inputs = {{\n  password = \"{VALUE}\"\n}}\n");
        let account = format!("locals {{\n  token = \"{VALUE}\"\n}}\n");
        let stacks = [("prod/eu/db/terragrunt.hcl", UNIT), ("dev/eu/db/terragrunt.hcl", UNIT), ("root.hcl", ROOT)];
        for (path, text, ids) in [
            (
                "_common/db.hcl",
                &common,
                &["terragrunt:dev/eu/db/terragrunt.hcl", "terragrunt:prod/eu/db/terragrunt.hcl"][..],
            ),
            ("_common/other.hcl", &common, &[]),
            ("prod/account.hcl", &account, &["terragrunt:prod/eu/db/terragrunt.hcl"]),
            ("test/account.hcl", &account, &[]),
        ] {
            let mut files = stacks.to_vec();
            files.push((path, text));
            let expected: Vec<_> = ids.iter().map(|id| (*id, Inferred)).collect();
            assert_eq!(consumers(&tree(&files).resolve(&finding(VALUE))), expected, "{path}");
        }
    }

    #[test]
    fn data_that_a_stack_reads_and_modules_in_the_tree_are_followed() {
        let unit = "include {\n  path = find_in_parent_folders()\n}\nterraform {\n  source = \"../../modules//db\"\n}\n";
        let root = "locals {\n  secrets = yamldecode(file(\"secrets.yaml\"))\n}\ninputs = {\n  key = \"VALUE\"\n}\n"
            .replace("VALUE", VALUE);
        let module = "variable \"key\" {}\nresource \"aws_lambda_function\" \"f\" {\n  environment {\n    variables = { K = var.key }\n  }\n}\n";
        let known =
            tree(&[("live/db/terragrunt.hcl", unit), ("live/terragrunt.hcl", &root), ("modules/db/main.tf", module)]);
        let expected =
            [("terraform:modules/db/aws_lambda_function.f", Inferred), ("terragrunt:live/db/terragrunt.hcl", Inferred)];
        assert_eq!(consumers(&known.resolve(&finding(VALUE))), expected);
        let secrets = format!("key: {VALUE}2\n");
        let all = known.resolve(&finding_in("live/secrets.yaml", &secrets, VALUE));
        assert_eq!(consumers(&all), [("terragrunt:live/db/terragrunt.hcl", Inferred)]);
        assert_eq!(known.resolve(&finding_in("other/secrets.yaml", &secrets, VALUE)), []);
    }

    #[test]
    fn files_that_take_in_each_other_end() {
        let circle = |other: &str| {
            format!("include {{\n  path = find_in_parent_folders(\"{other}\")\n}}\nlocals {{\n  k = \"{VALUE}\"\n}}\n")
        };
        let known = tree(&[
            ("a/terragrunt.hcl", &circle("one.hcl")),
            ("one.hcl", &circle("two.hcl")),
            ("two.hcl", &circle("one.hcl")),
        ]);
        assert_eq!(consumers(&known.resolve(&finding(VALUE))), [("terragrunt:a/terragrunt.hcl", Inferred)]);
    }
}
