//! Terraform modules: value → resource that is a workload, in the resource itself, or through `local.NAME` or the default
//! of `var.NAME` in the same folder; and state files, in which everything stands in clear.
//!
//! A folder is a module. A variable's default counts as its value unless something in the tree gives it another: a
//! `terraform.tfvars` or `*.auto.tfvars` beside it, whose value is then the bound one, or a `module` block that sets it.
//! What is picked by a condition, a loop or a function may be another value: inferred. Values are followed through what holds them
//! (parameters, secrets and their versions, a cluster's Secrets, files) and through outputs to whoever calls the module. A module that
//! is not in the tree is a workload by itself, inferred: what it makes of its arguments is not known; so is a provider, and a resource of
//! any type that takes a password, a token or a key by the attribute's name. Nothing is planned.

mod desk;
mod expressions;
mod graph;
mod holders;
mod nomad;
mod stacks;
mod state;
mod terragrunt;
mod workloads;

use std::collections::HashMap;
use std::sync::Arc;

use hcl_edit::structure::Body;

use super::slots::prints_within;
use super::yaml::View;
use super::{Clues, Reader, Sheet, clean, ends_in, file_name, folder};
use crate::model::{Coverage, Tier};
use crate::ownership::roll::Roll;
use desk::Desk;
use graph::{Graph, Name, NameKind, Source, User};

pub(super) use nomad::Nomad;
pub(super) use state::TfState;

/// What the modules of a tree say.
#[derive(Default)]
pub(super) struct Terraform {
    graph: Graph,
    terragrunt: terragrunt::Terragrunt,
}

impl Reader for Terraform {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        ends_in(path, &["tf", "tofu", "tfvars"]) || path.ends_with(".tfvars.json") || terragrunt::is_one(path)
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        let other = ends_in(&sheet.path, &["hcl"]) && !stacks::is_one(&sheet.path);
        !other || sheet.bytes.len() <= Self::LIMIT && ["locals", "inputs", "include"].iter().any(|word| sheet.mentions(word))
    }

    fn read(&mut self, sheet: &Sheet<'_>, coverage: &mut Coverage) {
        self.graph.allowance.begin();
        if ends_in(&sheet.path, &["json"]) {
            sheet.documents(coverage, &mut |root| variables_of(sheet, root, &mut self.graph));
            self.graph.allowance.complain(sheet, coverage);
            return;
        }
        // What else ends so is no concern.
        let hcl = ends_in(&sheet.path, &["hcl"]);
        let mut quiet = Coverage::default();
        let told = if hcl && !stacks::is_one(&sheet.path) { &mut quiet } else { &mut *coverage };
        if let Some((marked, body)) = parsed(sheet, told) {
            let base = sheet.bytes.len() - marked.len();
            let desk = Desk { sheet, text: marked, base, lines: Lines::new(marked) };
            if ends_in(&sheet.path, &["tfvars"]) {
                desk.variables(&body, &mut self.graph);
            } else if hcl {
                if stacks::is_one(&sheet.path) {
                    desk.stack(&body, &mut self.graph);
                    desk.units(&body, &mut self.graph);
                }
                self.terragrunt.read(&desk, &body, &mut self.graph);
            } else {
                self.graph.is_there(folder(&sheet.path));
                desk.module(&body, &mut self.graph);
            }
        }
        self.graph.allowance.complain(sheet, coverage);
    }

    fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll) {
        self.graph.resolve(clues, roll);
        self.terragrunt.resolve(clues, &self.graph, roll);
    }

    fn merge(&mut self, other: Self) {
        self.graph.merge(other.graph);
        self.terragrunt.merge(other.terragrunt);
    }
}

/// The text without its mark, and what it says.
fn parsed<'s>(sheet: &'s Sheet<'_>, coverage: &mut Coverage) -> Option<(&'s str, Body)> {
    let text = match sheet.text() {
        Ok(text) => text,
        Err(why) => {
            coverage.trouble(&*sheet.path, why);
            return None;
        }
    };
    let marked = text.strip_prefix('\u{feff}').unwrap_or(text);
    match hcl_edit::parser::parse_body(marked) {
        Ok(body) => Some((marked, body)),
        Err(error) => {
            // The parser's own words may hold the file's.
            let why = format!("not valid HCL at line {}, or nested too deep", error.location().line());
            coverage.trouble(&*sheet.path, why);
            None
        }
    }
}

/// How a file of variables counts: Terraform loads some by their name, others are named by hand.
fn source_of(path: &str) -> (Source, bool) {
    let name = file_name(path);
    let name = name.strip_suffix(".json").unwrap_or(name);
    let loaded = name == "terraform.tfvars" || name.ends_with(".auto.tfvars");
    let tier = if loaded { Tier::Bound } else { Tier::Inferred };
    (Source { technique: "terraform-tfvars", tier }, loaded)
}

/// A file of variables in JSON.
fn variables_of(sheet: &Sheet<'_>, root: View<'_>, graph: &mut Graph) {
    let (source, loaded) = source_of(&sheet.path);
    for (name, value) in root.entries() {
        let Some(name) = name.text() else { continue };
        let own: Name = (Arc::from(folder(&sheet.path)), NameKind::Variable, Arc::from(clean(name)));
        if loaded {
            graph.give(&own);
        }
        value.leaves("", &mut |_, leaf| {
            if let Some(text) = leaf.text().filter(|text| !text.is_empty()) {
                graph.define(sheet.place(leaf), &prints_within(sheet.key, text), (own.clone(), source));
            }
        });
    }
}

/// Where lines begin.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Self {
        Self(memchr::memchr_iter(b'\n', text.as_bytes()).collect())
    }

    /// The line of a byte, from 1.
    fn of(&self, byte: usize) -> u64 {
        self.0.partition_point(|newline| *newline < byte) as u64 + 1
    }
}

/// References by the name they refer to.
type Uses = HashMap<Name, Vec<User>>;

#[cfg(test)]
mod tests;
