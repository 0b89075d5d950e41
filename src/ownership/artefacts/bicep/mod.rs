//! Azure's templates, Bicep and ARM's JSON: value → a resource, or through `param`, `var` and a module's parameters to the resources that
//! mention them; files of parameters too (learn.microsoft.com, "Bicep file structure and syntax", "Create parameters files for Bicep
//! deployment", "Understand the structure and syntax of ARM templates").
//!
//! What stands in a resource that runs is bound to it, unless a condition or a loop picks it: declared, as in all other resources. What
//! comes through a name, a module or a file of parameters is inferred: who deploys may give another. A vault's secret holds a value for
//! those that mention it. Nothing is deployed.

mod arm;

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use super::allowance::Allowance;
use super::links::Consumer;
use super::slots::{Slots, prints_within};
use super::tokens::{Language, Sort, Token, tokens};
use super::{Clues, Place, Reader, Sheet, clean, ends_in, file_name, folder, is_showable, join};
use crate::model::{Coverage, Tier};
use crate::ownership::roll::{Roll, evidence};

/// Types whose resources run something, or check who comes in.
const RUN: &[&str] = &[
    "microsoft.web/sites",
    "microsoft.web/staticsites",
    "microsoft.app/",
    "microsoft.batch/",
    "microsoft.compute/",
    "microsoft.containerinstance/",
    "microsoft.logic/",
    "microsoft.sql/",
    "microsoft.dbfor",
    "microsoft.apimanagement/",
    "microsoft.datafactory/",
    "microsoft.automation/",
];
/// Types that hold a value for others, or grant.
const HOLD: &[&str] =
    &["microsoft.keyvault/", "microsoft.authorization/", "microsoft.resources/tags", "microsoft.appconfiguration/"];
/// Names that one value is followed through.
const STEPS: usize = 300;

/// A name in a file; `module.parameter` for what a module is given.
type Node = (Arc<str>, Arc<str>);

/// What templates say.
#[derive(Default)]
pub(super) struct Bicep {
    values: Slots<(Node, Tier)>,
    flows: HashMap<Node, BTreeSet<Node>>,
    users: HashMap<Node, Arc<Consumer>>,
    /// Parameters of the templates in a folder.
    parameters: HashMap<(String, Arc<str>), BTreeSet<Arc<str>>>,
    /// What files of parameters give: the template's path where they name it, and the parameter.
    given: Slots<(Option<String>, Arc<str>)>,
    allowance: Allowance,
}

impl Reader for Bicep {
    const LIMIT: usize = 2 << 20;

    fn wants(path: &str) -> bool {
        ends_in(path, &["bicep", "bicepparam", "json"])
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        !ends_in(&sheet.path, &["json"])
            || sheet.bytes.len() <= Self::LIMIT && (arm::is_template(sheet) || arm::is_parameters(sheet))
    }

    fn read(&mut self, sheet: &Sheet<'_>, coverage: &mut Coverage) {
        let text = match sheet.text() {
            Ok(text) => text,
            Err(why) => return coverage.trouble(&*sheet.path, why),
        };
        self.allowance.begin();
        if ends_in(&sheet.path, &["json"]) {
            self.arm(sheet, coverage);
        } else {
            let all = tokens(text, Language::Script);
            let statements = statements(&all);
            if ends_in(&sheet.path, &["bicepparam"]) {
                self.parameters_of(sheet, &all, &statements);
            } else {
                self.template(sheet, &all, &statements);
            }
        }
        self.allowance.complain(sheet, coverage);
    }

    fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll) {
        for (place, (node, tier), join) in self.values.hits(clues) {
            let said = format!("{} ({})", clean(&node.1), join.words());
            self.follow(node, *tier, (place, &said), roll);
        }
        for (place, (template, name), join) in self.given.hits(clues) {
            let said = format!("parameter {} ({})", clean(name), join.words());
            for file in self.templates(place, template.as_deref(), name) {
                self.follow(&(file, Arc::clone(name)), Tier::Inferred, (place, &said), roll);
            }
        }
    }

    fn merge(&mut self, other: Self) {
        self.values.merge(other.values);
        self.users.extend(other.users);
        self.given.merge(other.given);
        for (node, to) in other.flows {
            self.flows.entry(node).or_default().extend(to);
        }
        for (name, files) in other.parameters {
            self.parameters.entry(name).or_default().extend(files);
        }
    }
}

impl Bicep {
    /// The templates that a file of parameters is for: the one that it names, or is called after, or those around it.
    fn templates(&self, at: &Place, template: Option<&str>, name: &Arc<str>) -> Vec<Arc<str>> {
        let own = folder(&at.path);
        for around in [own, folder(own)] {
            let of = (around.to_owned(), Arc::clone(name));
            let Some(files) = self.parameters.get(&of) else { continue };
            let stem = |path: &str| file_name(path).split('.').next().unwrap_or_default().to_owned();
            let named: Vec<_> = files
                .iter()
                .filter(|file| template.map_or(stem(file) == stem(&at.path), |template| &***file == template))
                .collect();
            return if named.is_empty() { files.iter().cloned().collect() } else { named.into_iter().cloned().collect() };
        }
        template.map(|file| vec![Arc::from(file)]).unwrap_or_default()
    }

    /// Names every resource that a value comes to.
    fn follow(&self, from: &Node, tier: Tier, (place, said): (&Place, &str), roll: &mut Roll) {
        let (mut seen, mut queue) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(node) = queue.pop() {
            if seen.len() >= STEPS || !roll.look() {
                return roll.cut();
            }
            if !seen.insert(node.clone()) {
                continue;
            }
            if let Some(user) = self.users.get(&node) {
                let tier = if node == *from { tier } else { tier.min(Tier::Inferred) };
                let mut why = vec![evidence("azure-template", place.to_string(), said)];
                if node != *from {
                    why.push(evidence("azure-parameter", node.0.to_string(), clean(&format!("comes to {}", node.1))));
                }
                user.join(roll, tier, why);
            }
            queue.extend(self.flows.get(&node).into_iter().flatten().cloned());
        }
    }

    fn flow(&mut self, from: Node, to: Node) {
        if self.allowance.take(from.1.len() + to.1.len()) {
            self.flows.entry(from).or_default().insert(to);
        }
    }

    fn parameters_of(&mut self, sheet: &Sheet<'_>, all: &[Token<'_>], statements: &[Range<usize>]) {
        let using = statements.iter().map(|range| &all[range.clone()]).find(|own| own[0].text == "using");
        let template = using.and_then(|own| own.get(1)).and_then(|file| join(folder(&sheet.path), file.text));
        for range in statements.iter().filter(|range| all[range.start].text == "param") {
            let Some(name) = all[range.clone()].get(1) else { continue };
            for token in all[range.clone()].iter().filter(|token| token.sort == Sort::Text) {
                if self.allowance.take(token.text.len()) {
                    let what = (template.clone(), Arc::from(clean(name.text)));
                    self.given.put(place(sheet, token), &prints_within(sheet.key, token.text), what);
                }
            }
        }
    }

    fn template(&mut self, sheet: &Sheet<'_>, all: &[Token<'_>], statements: &[Range<usize>]) {
        let node = |name: &str| -> Node { (Arc::clone(&sheet.path), Arc::from(clean(name))) };
        let named =
            |range: &Range<usize>| all[range.clone()].get(1).filter(|name| name.sort == Sort::Name).map(|name| name.text);
        let known: BTreeSet<&str> = statements.iter().filter_map(named).collect();
        for range in statements {
            let (own, Some(name)) = (&all[range.clone()], named(range)) else { continue };
            let to = node(name);
            let body = range.start + 2..range.end;
            match own[0].text {
                word @ ("param" | "var") => {
                    if word == "param" {
                        let of = (folder(&sheet.path).to_owned(), Arc::clone(&to.1));
                        self.parameters.entry(of).or_default().insert(Arc::clone(&sheet.path));
                    }
                    // A type may be a text too, before the sign.
                    let from = body.clone().find(|at| all[*at].is(b'=')).unwrap_or(body.end);
                    self.take((sheet, all), from..body.end, (&to, Tier::Inferred), &known);
                }
                "resource" => {
                    let kind = own.get(2).map(|kind| kind.text.to_ascii_lowercase()).unwrap_or_default();
                    let holds = HOLD.iter().any(|own| kind.starts_with(own));
                    if !holds {
                        self.user(&to, name);
                    }
                    let picked = own
                        .iter()
                        .any(|token| token.is(b'?') || matches!(token.text, "if" | "for") && token.sort == Sort::Name);
                    let runs = RUN.iter().any(|own| kind.starts_with(own)) && !picked;
                    let tier = if runs { Tier::Bound } else { Tier::Declared };
                    self.take((sheet, all), body.start + 1..body.end, (&to, tier), &known);
                }
                "module" => self.module(sheet, all, (name, body), &known),
                _ => {}
            }
        }
    }

    /// Every text of an expression is its name's, and so is what the names in it stand for.
    fn take(
        &mut self,
        (sheet, all): (&Sheet<'_>, &[Token<'_>]),
        range: Range<usize>,
        (to, tier): (&Node, Tier),
        known: &BTreeSet<&str>,
    ) {
        for at in range.start..range.end.min(all.len()) {
            let token = &all[at];
            match token.sort {
                Sort::Text => {
                    if self.allowance.take(token.text.len()) {
                        self.values.put(place(sheet, token), &prints_within(sheet.key, token.text), (to.clone(), tier));
                    }
                    for name in filled(token.text).filter(|name| known.contains(name)) {
                        self.flow((Arc::clone(&sheet.path), Arc::from(name)), to.clone());
                    }
                }
                // `name:` is a key, and `x.name` a part of something else.
                Sort::Name
                    if known.contains(token.text)
                        && !is_key(all, at)
                        && !at.checked_sub(1).is_some_and(|at| all[at].is(b'.')) =>
                {
                    self.flow((Arc::clone(&sheet.path), Arc::from(token.text)), to.clone());
                }
                _ => {}
            }
        }
    }

    fn module(&mut self, sheet: &Sheet<'_>, all: &[Token<'_>], (name, body): (&str, Range<usize>), known: &BTreeSet<&str>) {
        let to: Node = (Arc::clone(&sheet.path), Arc::from(clean(name)));
        self.user(&to, name);
        let file =
            all.get(body.start).filter(|file| file.sort == Sort::Text).and_then(|file| join(folder(&sheet.path), file.text));
        let given = body.clone().find(|at| all[*at].text == "params" && is_key(all, *at));
        let Some((open, close)) = given.and_then(|at| match all.get(at + 2).map(|token| token.sort) {
            Some(Sort::Open(close)) => Some((at + 2, close)),
            _ => None,
        }) else {
            return self.take((sheet, all), body.start + 1..body.end, (&to, Tier::Declared), known);
        };
        let mut keys = Vec::new();
        let mut at = open + 1;
        while at < close.min(all.len()) {
            if is_key(all, at) {
                keys.push(at);
            }
            at = match all[at].sort {
                Sort::Open(close) => close + 1,
                _ => at + 1,
            };
        }
        for (number, &key) in keys.iter().enumerate() {
            let own: Node = (Arc::clone(&sheet.path), Arc::from(clean(&format!("{name}.{}", all[key].text))));
            let end = keys.get(number + 1).copied().unwrap_or(close);
            self.user(&own, name);
            if let Some(file) = &file {
                self.flow(own.clone(), (Arc::from(file.as_str()), Arc::from(clean(all[key].text))));
            }
            self.take((sheet, all), key + 2..end, (&own, Tier::Declared), known);
        }
    }

    fn user(&mut self, node: &Node, name: &str) {
        let id = format!("bicep:{}/{name}", node.0);
        if is_showable(&id) && self.allowance.take(id.len()) {
            let consumer = Consumer::new(id, format!("{name} of {}", node.0));
            self.users.insert(node.clone(), Arc::new(consumer));
        }
    }
}

/// Whether a token is a key before its colon, and not the middle of `a ? b : c`.
fn is_key(all: &[Token<'_>], at: usize) -> bool {
    let fits = matches!(all[at].sort, Sort::Name | Sort::Text) && all.get(at + 1).is_some_and(|next| next.is(b':'));
    let before = at.checked_sub(1).map(|at| &all[at]);
    fits && !before.is_some_and(|before| before.is(b'?') || before.is(b'.'))
}

/// The names in a text's `${…}`.
fn filled(text: &str) -> impl Iterator<Item = &str> {
    let inside = text.split("${").skip(1).filter_map(|rest| rest.split_once('}').map(|(inside, _)| inside));
    inside.flat_map(|inside| inside.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')).filter(|name| !name.is_empty())
}

/// Where each statement stands: from one end of a line outside of brackets to the next, decorators left out.
fn statements(all: &[Token<'_>]) -> Vec<Range<usize>> {
    let (mut found, mut start, mut at) = (Vec::new(), 0, 0);
    while at <= all.len() {
        let ends = at == all.len() || all[at].sort == Sort::End;
        if ends {
            if start < at && !all[start].is(b'@') {
                found.push(start..at);
            }
            start = at + 1;
        }
        at = match all.get(at).map(|token| token.sort) {
            Some(Sort::Open(close)) if close > at => close + usize::from(close < all.len()),
            _ => at + 1,
        };
    }
    found
}

fn place(sheet: &Sheet<'_>, token: &Token<'_>) -> Place {
    Place { path: Arc::clone(&sheet.path), line: token.line, bytes: token.bytes.start as u64..token.bytes.end as u64 }
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::{Bound, Declared, Inferred};
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, tree};

    const MAIN: &str = "@secure()\nparam key string = 'KEY'\nparam name string\nvar made = 'x-${key}'\nresource vault 'Microsoft.KeyVault/vaults/secrets@2023' = {\n  name: 'a'\n  properties: { value: 'HELD' }\n}\nresource plan 'Microsoft.Web/serverfarms@2022' = { name: 'p' }\nresource app 'Microsoft.Web/sites@2022' = {\n  name: name\n  properties: { settings: { K: 'OWN', H: vault.properties.value, P: plan.id } }\n}\nmodule api './api.bicep' = {\n  name: 'api'\n  params: {\n    location: true ? 'x' : name\n    token: made\n    other: 'GIVEN'\n  }\n}\n";
    const API: &str = "param token string\nparam other string = ''\nresource site 'Microsoft.App/containerApps@2023' = { properties: { env: [ { name: 'K', value: token } ] } }\nresource job 'Microsoft.App/jobs@2023' = if (true) { properties: { x: other, y: 'PICKED' } }\n";

    #[test]
    fn a_value_is_followed_through_names_and_modules() {
        let (app, api) = ("bicep:infra/main.bicep/app", "bicep:infra/main.bicep/api");
        let (site, job) = ("bicep:infra/api.bicep/site", "bicep:infra/api.bicep/job");
        for (word, expected) in [
            ("OWN", vec![(app, Bound)]),
            ("HELD", vec![(app, Inferred)]),
            ("GIVEN", vec![(api, Declared), (job, Inferred)]),
            ("PICKED", vec![(job, Declared)]),
            ("KEY", vec![(site, Inferred), (api, Inferred)]),
        ] {
            let files = [("infra/main.bicep", MAIN.replace(word, VALUE)), ("infra/api.bicep", API.replace(word, VALUE))];
            let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
            assert_eq!(consumers(&tree(&files).resolve(&finding(VALUE))), expected, "{word}");
        }
    }

    #[test]
    fn files_of_parameters_give_what_a_template_asks_for() {
        let json = format!(
            "{{\"$schema\": \"https://x/deploymentParameters.json#\", \"parameters\": {{\"NAME\": {{\"value\": \"{VALUE}\"}}}}}}"
        );
        let own = format!("using './main.bicep'\nparam NAME = '{VALUE}'\n");
        for (path, text, name, named) in [
            ("infra/main.parameters.json", &json, "name", true),
            ("infra/env/prod.parameters.json", &json, "name", true),
            ("infra/main.bicepparam", &own, "name", true),
            ("infra/main.parameters.json", &json, "unknown", false),
            ("other/main.parameters.json", &json, "name", false),
        ] {
            let text = text.replace("NAME", name);
            let all = tree(&[("infra/main.bicep", MAIN), (path, &text)]).resolve(&finding(VALUE));
            let expected = [("bicep:infra/main.bicep/api", Inferred), ("bicep:infra/main.bicep/app", Inferred)];
            assert_eq!(consumers(&all), &expected[..if named { 2 } else { 0 }], "{path} {name}");
        }
    }
}
