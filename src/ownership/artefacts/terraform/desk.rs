//! One module's file, or one of variables, while it is read: what its blocks define, hold and use.

use std::sync::Arc;

use hcl_edit::Span;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, Body};

use super::super::links::{Consumer, Link};
use super::super::slots::prints_within;
use super::super::{Place, Sheet, clean, folder, join};
use super::expressions::{Found, path_of, walk};
use super::graph::{Graph, Name, NameKind, Source, User};
use super::{Lines, holders, source_of, workloads};
use crate::model::Tier;

/// Arguments of a module block that are Terraform's own.
const META: [&str; 6] = ["source", "version", "providers", "count", "for_each", "depends_on"];

/// Stands for every output of a module.
pub(super) const ANY: &str = "*";

/// One file while it is read.
pub(super) struct Desk<'a> {
    pub(super) sheet: &'a Sheet<'a>,
    pub(super) text: &'a str,
    pub(super) base: usize,
    pub(super) lines: Lines,
}

impl Desk<'_> {
    fn name(&self, kind: NameKind, name: &str) -> Name {
        (Arc::from(folder(&self.sheet.path)), kind, Arc::from(clean(name)))
    }

    pub(super) fn place(&self, span: std::ops::Range<usize>) -> Place {
        let bytes = (self.base + span.start) as u64..(self.base + span.end) as u64;
        Place { path: Arc::clone(&self.sheet.path), line: self.lines.of(span.start), bytes }
    }

    /// `NAME = value` lines of a `.tfvars` file.
    pub(super) fn variables(&self, body: &Body, graph: &mut Graph) {
        let (source, loaded) = source_of(&self.sheet.path);
        for attribute in body.attributes() {
            let own = self.name(NameKind::Variable, attribute.key.as_str());
            if loaded {
                graph.give(&own);
            }
            self.define(&own, source, &attribute.value, graph);
        }
    }

    pub(super) fn module(&self, body: &Body, graph: &mut Graph) {
        for block in body.blocks() {
            let label = |index: usize| block.labels.get(index).map(hcl_edit::structure::BlockLabel::as_str);
            match (block.ident.as_str(), label(0), label(1)) {
                ("resource", Some(kind), Some(name)) if workloads::is_one(kind) => {
                    self.resource(block, &clean(&format!("{kind}.{name}")), graph);
                }
                ("resource", Some(kind), Some(name)) if holders::of(kind).is_some() => {
                    self.holder(&block.body, (NameKind::Resource, kind, name), graph);
                }
                ("resource", Some(kind), Some(name)) => {
                    self.attributes(&block.body, (kind, name), graph);
                    if workloads::is_given(kind) {
                        let address = clean(&format!("{kind}.{name}"));
                        self.consumer(block, (self.id(&address), address), Tier::Inferred, graph);
                    } else if !workloads::is_made_up(kind) {
                        self.told(block, &clean(&format!("{kind}.{name}")), graph);
                    }
                }
                // Whoever runs Terraform logs in so.
                ("provider", Some(kind), _) => {
                    let address = clean(&format!("provider.{kind}"));
                    self.consumer(block, (self.id(&address), address), Tier::Inferred, graph);
                }
                ("data", Some(kind), Some(name)) => self.holder(&block.body, (NameKind::Data, kind, name), graph),
                ("variable", Some(name), _) => {
                    graph.declare(&self.name(NameKind::Variable, name));
                    self.one(&block.body, "default", (NameKind::Variable, name), graph);
                }
                ("output", Some(name), _) => self.one(&block.body, "value", (NameKind::Output, name), graph),
                ("locals", ..) => self.locals(&block.body, graph),
                ("module", Some(name), _) => self.call(block, name, graph),
                _ => {}
            }
        }
    }

    pub(super) fn locals(&self, body: &Body, graph: &mut Graph) {
        for attribute in body.attributes() {
            let own = self.name(NameKind::Local, attribute.key.as_str());
            self.define(&own, Source { technique: "terraform-local", tier: Tier::Bound }, &attribute.value, graph);
        }
    }

    /// A name whose value is one attribute of its block.
    fn one(&self, body: &Body, attribute: &str, (kind, name): (NameKind, &str), graph: &mut Graph) {
        let technique = if kind == NameKind::Output { "terraform-output" } else { "terraform-variable-default" };
        if let Some(value) = body.get_attribute(attribute) {
            self.define(&self.name(kind, name), Source { technique, tier: Tier::Bound }, &value.value, graph);
        }
    }

    /// What a resource or a data source holds for others, and what it is called in a store.
    fn holder(&self, body: &Body, (kind, own, name): (NameKind, &str, &str), graph: &mut Graph) {
        let (Some(holder), word) = (holders::of(own), own) else { return };
        let own = self.name(kind, &format!("{own}.{name}"));
        let tier = if is_loose(body) { Tier::Inferred } else { Tier::Bound };
        self.held(body, holder, (&own, tier), graph);
        for attribute in body.attributes() {
            let key = attribute.key.as_str();
            if let Some(whole) = holders::packs(word, key) {
                let user = User::Name { name: own.clone(), tier: Tier::Inferred, way: key.to_owned() };
                self.packed((&attribute.value, whole), user, graph);
            }
            let store = holder.named.filter(|(name, _)| *name == key).map(|(_, store)| store);
            let of = holder.of == Some(key);
            if store.is_none() && !of {
                continue;
            }
            walk(&attribute.value, key, tier, &mut |_, _, found| {
                let (other, tier) = match found {
                    Found::Text { text, .. } => {
                        let Some(name) = holders::written_out(text, store) else { return };
                        // Another account or Region may have one of the same name.
                        ((Arc::from(""), NameKind::Store, Arc::from(clean(&name))), Tier::Inferred)
                    }
                    Found::Name { kind, name, .. } if of => (self.name(kind, &name), tier),
                    _ => return,
                };
                if kind == NameKind::Data {
                    // What it reads is what the store has by then.
                    let tier = tier.min(Tier::Declared);
                    return graph.use_name(other, User::Name { name: own.clone(), tier, way: key.to_owned() });
                }
                if of {
                    graph.version(other.clone());
                }
                graph.use_name(own.clone(), User::Name { name: other, tier, way: key.to_owned() });
            });
        }
    }

    /// What a resource is given that neither runs nor holds, as a database's user: others may refer to it.
    fn attributes(&self, body: &Body, (kind, name): (&str, &str), graph: &mut Graph) {
        let tier = if is_loose(body) { Tier::Inferred } else { Tier::Bound };
        for attribute in body.attributes().filter(|attribute| !workloads::is_unseen(attribute.key.as_str())) {
            let own = self.name(NameKind::Attribute, &format!("{kind}.{name}.{}", attribute.key.as_str()));
            self.define(&own, Source { technique: "terraform-attribute", tier }, &attribute.value, graph);
        }
        for block in body.blocks().filter(|block| !workloads::is_unseen(block.ident.as_str())) {
            let own = self.name(NameKind::Attribute, &format!("{kind}.{name}.{}", block.ident.as_str()));
            self.nested(&block.body, &own, graph);
        }
    }

    /// What a resource of any other type is given for a password, a token or a key by the attribute's name: it checks it or calls with it.
    fn told(&self, block: &Block, address: &str, graph: &mut Graph) {
        let consumer = Arc::new(Consumer::new(self.id(address), address.to_owned()));
        let mut bodies = vec![(&block.body, String::new())];
        while let Some((body, way)) = bodies.pop() {
            for attribute in body.attributes().filter(|attribute| workloads::is_telling(attribute.key.as_str())) {
                let way = format!("{way}{}", clean(attribute.key.as_str()));
                let whole = attribute.span().unwrap_or(0..self.text.len().min(1));
                walk(&attribute.value, &way, Tier::Inferred, &mut |way, tier, found| {
                    self.used(way, (&consumer, &whole, tier), found, graph);
                });
            }
            let inner = body.blocks().filter(|block| !workloads::is_unseen(block.ident.as_str()));
            bodies.extend(inner.map(|block| (&block.body, format!("{way}{}.", clean(block.ident.as_str())))));
        }
    }

    /// All that stands in a block, which a reference picks something from. hcl-edit nests blocks 64 deep at most.
    fn nested(&self, body: &Body, own: &Name, graph: &mut Graph) {
        let source = Source { technique: "terraform-attribute", tier: Tier::Inferred };
        for attribute in body.attributes() {
            self.define(own, source, &attribute.value, graph);
        }
        for block in body.blocks() {
            self.nested(&block.body, own, graph);
        }
    }

    /// The attributes that hold, in its blocks as well.
    fn held(&self, body: &Body, holder: &holders::Holder, (own, tier): (&Name, Tier), graph: &mut Graph) {
        for attribute in body.attributes() {
            let key = attribute.key.as_str();
            // Whether a template uses all that it is given stands in the template.
            let tier = if matches!(key, "for_each" | "vars") { Tier::Inferred } else { tier };
            if holder.holds(key) || key == "for_each" {
                self.define(own, Source { technique: "terraform-holder", tier }, &attribute.value, graph);
            }
        }
        for block in body.blocks() {
            self.held(&block.body, holder, (own, tier), graph);
        }
    }

    /// A `module` block: it sets variables of another folder of the tree, or it is a workload of which no more is known.
    fn call(&self, block: &Block, name: &str, graph: &mut Graph) {
        let Some(source) = block.body.get_attribute("source").and_then(|source| source.value.as_str()) else { return };
        if !source.starts_with('.') {
            let address = clean(&format!("module.{name}"));
            self.consumer(block, (self.id(&address), address), Tier::Inferred, graph);
            // What it makes of its arguments is not known: any of its outputs may hold them.
            let any = self.name(NameKind::Call, &format!("{name}.{ANY}"));
            let source = Source { technique: "terraform-module-argument", tier: Tier::Inferred };
            for attribute in block.body.attributes().filter(|own| !META.contains(&own.key.as_str())) {
                self.define(&any, source, &attribute.value, graph);
            }
            return;
        }
        let Some(child) = join(folder(&self.sheet.path), source) else { return };
        let child: Arc<str> = Arc::from(child);
        graph.called(Arc::clone(&child), (Arc::from(folder(&self.sheet.path)), Arc::from(clean(name))));
        let each = block.body.get_attribute("for_each");
        let address = clean(&format!("module.{name}"));
        let whole = Arc::new(Consumer::new(self.id(&address), address));
        for attribute in block.body.attributes() {
            if !META.contains(&attribute.key.as_str()) {
                // Where such a folder is fetched first, the call is all that is known.
                let link = Link::new(&whole, Tier::Inferred, "terraform-module-argument", attribute.key.as_str());
                let at = self.place(attribute.span().unwrap_or(0..self.text.len().min(1)));
                let variable = (Arc::clone(&child), NameKind::Variable, Arc::from(clean(attribute.key.as_str())));
                graph.fetched(variable, at, link);
                self.argument(&child, attribute.key.as_str(), &attribute.value, graph);
                // `each.value.x` is picked from what it goes over.
                let picked =
                    attribute.value.span().and_then(|span| self.text.get(span)).is_some_and(|own| own.contains("each."));
                if let Some(each) = each.filter(|_| picked) {
                    self.argument(&child, attribute.key.as_str(), &each.value, graph);
                }
            }
        }
    }

    /// Sets a variable of another folder's module.
    pub(super) fn argument(&self, child: &Arc<str>, name: &str, value: &Expression, graph: &mut Graph) {
        let own = (Arc::clone(child), NameKind::Variable, Arc::from(clean(name)));
        // Inferred: another caller, or another workspace, may set it otherwise.
        self.define(&own, Source { technique: "terraform-module-argument", tier: Tier::Inferred }, value, graph);
        graph.set_by_caller(own);
    }

    /// A variable's or local's value, and what that refers to in turn.
    fn define(&self, own: &Name, source: Source, value: &Expression, graph: &mut Graph) {
        walk(value, own.2.as_ref(), source.tier, &mut |way, tier, found| {
            let user = || User::Name { name: own.clone(), tier, way: way.to_owned() };
            match found {
                Found::Text { text, span } => {
                    let prints = prints_within(self.sheet.key, text);
                    graph.define(self.place(span), &prints, (own.clone(), Source { tier, ..source }));
                }
                Found::Name { kind, name, .. } => graph.use_name(self.name(kind, &name), user()),
                Found::File { path, span } => {
                    for (path, span) in files(folder(&self.sheet.path), &path).into_iter().zip(span.iter().cycle()) {
                        graph.use_file(path, self.place(span.clone()), user());
                    }
                }
            }
        });
    }

    /// A file, or a folder with all that is in it, which becomes part of what is built.
    fn packed(&self, (value, whole): (&Expression, bool), user: User, graph: &mut Graph) {
        let Some(span) = value.span() else { return };
        let Some(path) = path_of(value).and_then(|path| join(folder(&self.sheet.path), &path)) else { return };
        if whole {
            graph.use_folder(path, self.place(span), user);
        } else {
            graph.use_file(path, self.place(span), user);
        }
    }

    fn id(&self, address: &str) -> String {
        let own = folder(&self.sheet.path);
        if own.is_empty() { format!("terraform:{address}") } else { format!("terraform:{own}/{address}") }
    }

    fn resource(&self, block: &Block, address: &str, graph: &mut Graph) {
        let none = block.body.get_attribute("count").and_then(|count| count.value.as_number()?.as_u64()) == Some(0);
        let most = if none { Tier::Inferred } else { Tier::Bound };
        self.consumer(block, (self.id(address), address.to_owned()), most, graph);
    }

    pub(super) fn consumer(&self, block: &Block, (id, name): (String, String), most: Tier, graph: &mut Graph) {
        let whole = block.span().unwrap_or(0..self.text.len().min(1));
        self.body(&block.body, "", (&Arc::new(Consumer::new(id, name)), whole, most), graph);
    }

    fn body(&self, body: &Body, way: &str, with: (&Arc<Consumer>, std::ops::Range<usize>, Tier), graph: &mut Graph) {
        let (consumer, whole, most) = with;
        for attribute in body.attributes().filter(|attribute| !workloads::is_unseen(attribute.key.as_str())) {
            let key = attribute.key.as_str();
            let way = format!("{way}{}", clean(key));
            let whole = attribute.span().unwrap_or_else(|| whole.clone());
            if workloads::PACKS.contains(&key) {
                let link = Link::new(consumer, Tier::Inferred, "terraform-resource", way.clone());
                let at = self.place(whole.clone());
                self.packed((&attribute.value, true), User::Workload { at, link }, graph);
            }
            // What it goes over is not what it makes of it; where a module comes from is no value.
            let most = if key == "for_each" { most.min(Tier::Inferred) } else { most };
            walk(&attribute.value, &way, most, &mut |way, tier, found| {
                self.used(way, (consumer, &whole, tier), found, graph);
            });
        }
        // hcl-edit nests blocks 64 deep at most.
        for block in body.blocks().filter(|block| !workloads::is_unseen(block.ident.as_str())) {
            let way = format!("{way}{}.", clean(block.ident.as_str()));
            let whole = block.span().unwrap_or_else(|| whole.clone());
            self.body(&block.body, &way, (consumer, whole, most), graph);
        }
    }

    /// One thing that a workload is given.
    pub(super) fn used(
        &self,
        way: &str,
        (consumer, whole, tier): (&Arc<Consumer>, &std::ops::Range<usize>, Tier),
        found: Found<'_>,
        graph: &mut Graph,
    ) {
        let link = Link::new(consumer, tier, "terraform-resource", way);
        match found {
            Found::Text { text, span } => {
                if let Some(name) = holders::written_out(text, None).filter(|_| holders::is_fetched(way)) {
                    let link = Link { tier: tier.min(Tier::Inferred), ..link.clone() };
                    let store = (Arc::from(""), NameKind::Store, Arc::from(clean(&name)));
                    graph.use_name(store, User::Workload { at: self.place(span.clone()), link });
                }
                graph.literal(self.place(span), &prints_within(self.sheet.key, text), link);
            }
            Found::Name { kind, name, span } => {
                let at = self.place(span.unwrap_or_else(|| whole.clone()));
                graph.use_name(self.name(kind, &name), User::Workload { at, link });
            }
            Found::File { path, span } => {
                let at = self.place(span.unwrap_or_else(|| whole.clone()));
                for path in files(folder(&self.sheet.path), &path) {
                    graph.use_file(path, at.clone(), User::Workload { at: at.clone(), link: link.clone() });
                }
            }
        }
    }
}

/// Where a file may lie that a module takes in: seen from its own folder, or from that of the whole (`path.root`), above `modules`.
fn files(own: &str, path: &str) -> Vec<String> {
    let above = own.split_once("/modules/").map(|(above, _)| above).or_else(|| own.starts_with("modules/").then_some(""));
    [Some(own), above].into_iter().flatten().filter_map(|folder| join(folder, path)).collect()
}

/// Whether what is set here may not be what is there: made for each of several, made not at all, or changed by others afterwards.
fn is_loose(body: &Body) -> bool {
    let changed = body
        .blocks()
        .any(|block| block.ident.as_str() == "lifecycle" && block.body.get_attribute("ignore_changes").is_some());
    changed || ["count", "for_each"].iter().any(|word| body.get_attribute(word).is_some())
}
