//! Terraform modules: value → resource that is a workload, in the resource itself, or through `local.NAME` or the default
//! of `var.NAME` in the same folder; and state files, in which everything stands in clear.
//!
//! A folder is a module. A variable's default counts as its value unless something in the tree gives it another: a
//! `terraform.tfvars` or `*.auto.tfvars` beside it, whose value is then the bound one, or a `module` block that sets it.
//! What is picked by a condition or a function may be another value: inferred. Data sources, other modules' outputs and
//! `count` are not followed; nothing is planned.

mod expressions;
mod graph;
mod state;
mod workloads;

use std::collections::HashMap;
use std::sync::Arc;

use hcl_edit::Span;
use hcl_edit::structure::{Block, Body};

use super::links::{Consumer, Link};
use super::slots::prints_within;
use super::{Clues, Place, Reader, Sheet, clean, ends_in, file_name, folder, join};
use crate::model::{Coverage, Tier};
use crate::ownership::roll::Roll;
use expressions::{Found, walk};
use graph::{Graph, Name, Source, User};

pub(super) use state::TfState;

/// Arguments of a module block that are Terraform's own.
const META: [&str; 6] = ["source", "version", "providers", "count", "for_each", "depends_on"];

/// What the modules of a tree say.
#[derive(Default)]
pub(super) struct Terraform {
    graph: Graph,
}

impl Reader for Terraform {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        ends_in(path, &["tf", "tfvars"])
    }

    fn read(&mut self, sheet: &Sheet<'_>, coverage: &mut Coverage) {
        let text = match sheet.text() {
            Ok(text) => text,
            Err(why) => return coverage.trouble(&*sheet.path, why),
        };
        let marked = text.strip_prefix('\u{feff}').unwrap_or(text);
        let body = match hcl_edit::parser::parse_body(marked) {
            Ok(body) => body,
            Err(error) => {
                // The parser's own words may hold the file's.
                let why = format!("not valid HCL at line {}, or nested too deep", error.location().line());
                return coverage.trouble(&*sheet.path, why);
            }
        };
        let desk = Desk { sheet, text: marked, base: text.len() - marked.len(), lines: Lines::new(marked) };
        if ends_in(&sheet.path, &["tfvars"]) {
            desk.variables(&body, &mut self.graph);
        } else {
            desk.module(&body, &mut self.graph);
        }
    }

    fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll) {
        self.graph.resolve(clues, roll);
    }

    fn merge(&mut self, other: Self) {
        self.graph.merge(other.graph);
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

/// One file while it is read.
struct Desk<'a> {
    sheet: &'a Sheet<'a>,
    text: &'a str,
    base: usize,
    lines: Lines,
}

impl Desk<'_> {
    fn name(&self, kind: graph::NameKind, name: &str) -> Name {
        (Arc::from(folder(&self.sheet.path)), kind, Arc::from(clean(name)))
    }

    fn place(&self, span: std::ops::Range<usize>) -> Place {
        let bytes = (self.base + span.start) as u64..(self.base + span.end) as u64;
        Place { path: Arc::clone(&self.sheet.path), line: self.lines.of(span.start), bytes }
    }

    /// `NAME = value` lines of a `.tfvars` file. Terraform loads some by their name; others are named by hand.
    fn variables(&self, body: &Body, graph: &mut Graph) {
        let name = file_name(&self.sheet.path);
        let loaded = name == "terraform.tfvars" || name.ends_with(".auto.tfvars");
        for attribute in body.attributes() {
            let own = self.name(graph::NameKind::Variable, attribute.key.as_str());
            let source = Source { technique: "terraform-tfvars", tier: if loaded { Tier::Bound } else { Tier::Inferred } };
            if loaded {
                graph.give(&own);
            }
            self.define(&own, source, &attribute.value, graph);
        }
    }

    fn module(&self, body: &Body, graph: &mut Graph) {
        for block in body.blocks() {
            let label = |index: usize| block.labels.get(index).map(hcl_edit::structure::BlockLabel::as_str);
            match (block.ident.as_str(), label(0), label(1)) {
                ("resource", Some(kind), Some(name)) if workloads::is_one(kind) => {
                    self.resource(block, &clean(&format!("{kind}.{name}")), graph);
                }
                ("variable", Some(name), _) => {
                    if let Some(default) = block.body.get_attribute("default") {
                        let own = self.name(graph::NameKind::Variable, name);
                        let source = Source { technique: "terraform-variable-default", tier: Tier::Bound };
                        self.define(&own, source, &default.value, graph);
                    }
                }
                ("locals", ..) => {
                    for attribute in block.body.attributes() {
                        let own = self.name(graph::NameKind::Local, attribute.key.as_str());
                        let source = Source { technique: "terraform-local", tier: Tier::Bound };
                        self.define(&own, source, &attribute.value, graph);
                    }
                }
                ("module", ..) => self.call(&block.body, graph),
                _ => {}
            }
        }
    }

    /// A `module` block that sets variables of another folder of the tree.
    fn call(&self, body: &Body, graph: &mut Graph) {
        let source =
            body.get_attribute("source").and_then(|source| source.value.as_str()).filter(|text| text.starts_with('.'));
        let Some(child) = source.and_then(|source| join(folder(&self.sheet.path), source)) else { return };
        for attribute in body.attributes() {
            let name = Arc::from(clean(attribute.key.as_str()));
            let own = (Arc::from(child.as_str()), graph::NameKind::Variable, name);
            if !META.contains(&attribute.key.as_str()) {
                // Inferred: another caller, or another workspace, may set it otherwise.
                let source = Source { technique: "terraform-module-argument", tier: Tier::Inferred };
                self.define(&own, source, &attribute.value, graph);
            }
            graph.set_by_caller(own);
        }
    }

    /// A variable's or local's value, and what that refers to in turn.
    fn define(&self, own: &Name, source: Source, value: &hcl_edit::expr::Expression, graph: &mut Graph) {
        walk(value, own.2.as_ref(), source.tier, &mut |way, tier, found| match found {
            Found::Text { text, span } => {
                let prints = prints_within(self.sheet.key, text);
                graph.define(self.place(span), &prints, (own.clone(), Source { tier, ..source }));
            }
            Found::Name { kind, name, .. } => {
                let user = User::Name { name: own.clone(), tier, way: way.to_owned() };
                graph.use_name(self.name(kind, name), user);
            }
        });
    }

    fn resource(&self, block: &Block, address: &str, graph: &mut Graph) {
        let own = folder(&self.sheet.path);
        let id = if own.is_empty() { format!("terraform:{address}") } else { format!("terraform:{own}/{address}") };
        let consumer = Arc::new(Consumer::new(id, address.to_owned()));
        let whole = block.span().unwrap_or(0..self.text.len().min(1));
        let none = block.body.get_attribute("count").and_then(|count| count.value.as_number()?.as_u64()) == Some(0);
        let most = if none { Tier::Inferred } else { Tier::Bound };
        self.body(&block.body, "", (&consumer, whole, most), graph);
    }

    fn body(&self, body: &Body, way: &str, with: (&Arc<Consumer>, std::ops::Range<usize>, Tier), graph: &mut Graph) {
        let (consumer, whole, most) = with;
        for attribute in body.attributes().filter(|attribute| !workloads::is_unseen(attribute.key.as_str())) {
            let way = format!("{way}{}", clean(attribute.key.as_str()));
            let whole = attribute.span().unwrap_or_else(|| whole.clone());
            walk(&attribute.value, &way, most, &mut |way, tier, found| {
                let link = Link::new(consumer, tier, "terraform-resource", way);
                match found {
                    Found::Text { text, span } => {
                        graph.literal(self.place(span), &prints_within(self.sheet.key, text), link);
                    }
                    Found::Name { kind, name, span } => {
                        let at = self.place(span.unwrap_or_else(|| whole.clone()));
                        graph.use_name(self.name(kind, name), User::Workload { at, link });
                    }
                }
            });
        }
        // hcl-edit nests blocks 64 deep at most.
        for block in body.blocks().filter(|block| !workloads::is_unseen(block.ident.as_str())) {
            let way = format!("{way}{}.", clean(block.ident.as_str()));
            let whole = block.span().unwrap_or_else(|| whole.clone());
            self.body(&block.body, &way, (consumer, whole, most), graph);
        }
    }
}

/// References by the name they refer to.
type Uses = HashMap<Name, Vec<User>>;

#[cfg(test)]
mod tests;
