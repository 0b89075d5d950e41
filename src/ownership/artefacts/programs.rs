//! Programs that describe what runs: AWS CDK (docs.aws.amazon.com/cdk, "Constructs"), CDK for Terraform and Pulumi (pulumi.com/docs,
//! "Resources"), in TypeScript, JavaScript and Python. Value → a text among what a construct is given → that construct.
//!
//! Nothing is run. A text between the brackets of `new Function(this, "id", {…})` or `Function(self, "id", …)` is declared to be the
//! construct's; one that a variable holds, or another construct that stores it, is inferred to be used by the constructs of the
//! file that mention it. What is given to a store that no construct of the file mentions is nobody's.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::links::{Consumer, Kind, Link, Links};
use super::tokens::{Language, Sort, Token, tokens};
use super::{Place, Sheet, ends_in, is_showable};
use crate::model::{Coverage, Tier};

/// Constructs that hold, grant or tell, and run nothing.
const HOLDERS: &[&str] = &[
    "App",
    "CfnOutput",
    "CfnParameter",
    "CfnSecret",
    "ConfigMap",
    "ManagedPolicy",
    "Namespace",
    "Output",
    "Parameter",
    "Policy",
    "Provider",
    "Role",
    "Secret",
    "SecretVersion",
    "SecretsmanagerSecretVersion",
    "ServiceAccount",
    "SsmParameter",
    "Stack",
    "Stage",
    "StringListParameter",
    "StringParameter",
    "Tag",
    "Tags",
    "TerraformOutput",
    "TerraformVariable",
    "User",
];
/// Methods that make a construct of what they are given.
const MAKERS: &[&str] = &["addContainer", "add_container", "addStage", "add_stage"];
/// Methods that give a construct more.
const SETTERS: &[&str] = &[
    "addEnvironment",
    "add_environment",
    "addEnvironmentVariable",
    "addUserData",
    "add_user_data",
    "addCommands",
    "add_commands",
];
/// Constructs of one file.
const CONSTRUCTS: usize = 5_000;
/// Variables that are made of one another.
const STEPS: usize = 5;
/// Arrows of one file.
const ARROWS: usize = 50_000;

/// What such programs say.
#[derive(Default)]
pub(super) struct Programs;

impl Kind for Programs {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        language(path).is_some() && !is_test(path)
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        sheet.bytes.len() <= Self::LIMIT && tool(sheet).is_some()
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, _: &mut Coverage) {
        // What is no text is no program.
        let (Ok(text), Some(tool), Some(language)) = (sheet.text(), tool(sheet), language(&sheet.path)) else { return };
        let all = tokens(text, language);
        let constructs = constructs(&all, tool, language);
        let program =
            Program { sheet, tool, owners: owners(&all, &constructs), assigned: assigned(&all, language), all, constructs };
        program.read(links);
    }
}

fn language(path: &str) -> Option<Language> {
    if ends_in(path, &["ts", "mts", "js", "mjs", "cjs"]) && !path.ends_with(".d.ts") {
        Some(Language::Script)
    } else {
        ends_in(path, &["py"]).then_some(Language::Python)
    }
}

/// Whether a file tries a program, or was brought along.
fn is_test(path: &str) -> bool {
    let words = ["test", "tests", "spec", "__tests__", "__snapshots__", "node_modules", "conftest"];
    path.split(['/', '.']).any(|part| words.contains(&part)) || path.split('/').any(|part| part.starts_with("test_"))
}

/// Which tool runs the program.
fn tool(sheet: &Sheet<'_>) -> Option<&'static str> {
    let any = |words: &[&str]| words.iter().any(|word| sheet.mentions(word));
    if any(&["aws-cdk-lib", "@aws-cdk/", "aws_cdk", "cdktf", "@cdktf/"]) {
        Some("cdk")
    } else {
        any(&["@pulumi/", "import pulumi", "from pulumi"]).then_some("pulumi")
    }
}

/// A call that makes a construct, or gives one more.
struct Construct<'t> {
    /// Its id; empty where it is the receiver's.
    id: &'t str,
    receiver: Option<&'t str>,
    holds: bool,
    /// The tokens between its brackets.
    open: usize,
    close: usize,
    /// The token that is the id.
    named: usize,
}

/// Every construct, in order.
fn constructs<'t>(all: &[Token<'t>], tool: &str, language: Language) -> Vec<Construct<'t>> {
    let mut found = Vec::new();
    for (open, token) in all.iter().enumerate() {
        let (Sort::Open(close), true) = (token.sort, token.opens("(")) else { continue };
        let Some((class, first)) = called(all, open) else { continue };
        let (maker, setter) = (MAKERS.contains(&class), SETTERS.contains(&class));
        let made = match language {
            Language::Script => first.checked_sub(1).is_some_and(|at| all[at].text == "new"),
            Language::Python => class.starts_with(|c: char| c.is_ascii_uppercase()),
        };
        if !(made || maker || setter) || found.len() >= CONSTRUCTS {
            continue;
        }
        let receiver = open.checked_sub(3).map(|at| all[at].text).filter(|_| setter || maker);
        let named = if setter { Some(open) } else { id_of(all, (open, close), maker || tool == "pulumi") };
        let Some(named) = named else { continue };
        let id = if setter { "" } else { all[named].text };
        found.push(Construct { id, receiver, holds: HOLDERS.contains(&class), open, close, named });
    }
    found
}

/// The last name of what is called, and the number of the first token of all of it: `a.b.C` of `a.b.C(`.
fn called<'t>(all: &[Token<'t>], open: usize) -> Option<(&'t str, usize)> {
    let mut first = open.checked_sub(1)?;
    let class = Some(&all[first]).filter(|token| token.sort == Sort::Name)?.text;
    while first >= 2 && all[first - 1].is(b'.') && all[first - 2].sort == Sort::Name {
        first -= 2;
    }
    Some((class, first))
}

/// The text that is a construct's id: the first of what it is given, or the second behind its scope, or what is called `id`.
fn id_of(all: &[Token<'_>], (open, close): (usize, usize), alone: bool) -> Option<usize> {
    let (mut at, mut index) = (open + 1, 0);
    while at < close.min(all.len()) {
        // One argument: up to the next comma of these brackets.
        let start = at;
        while at < close && !all[at].is(b',') {
            at = match all[at].sort {
                Sort::Open(to) => to + 1,
                _ => at + 1,
            };
        }
        let own = &all[start..at.min(all.len())];
        let keyed = own.len() == 3 && own[1].is(b'=');
        let text = |at: usize| own.get(at).is_some_and(|token| token.sort == Sort::Text);
        if keyed && matches!(own[0].text, "id" | "construct_id" | "id_" | "resource_name") && text(2) {
            return Some(start + 2);
        }
        if own.len() == 1 && text(0) && (index == 1 || alone && index == 0) {
            return Some(start);
        }
        if index >= 2 && !keyed {
            return None;
        }
        index += 1;
        at += 1;
    }
    None
}

/// The innermost construct that each token is given to.
fn owners(all: &[Token<'_>], constructs: &[Construct<'_>]) -> Vec<Option<usize>> {
    let mut owners = vec![None; all.len()];
    // In order of their beginnings, so that inner ones come later.
    for (number, construct) in constructs.iter().enumerate() {
        let range = construct.open + 1..construct.close.min(all.len());
        if range.start < range.end {
            owners[range].fill(Some(number));
        }
    }
    owners
}

/// Variables with the tokens that they are set to.
fn assigned<'t>(all: &[Token<'t>], language: Language) -> Vec<(&'t str, std::ops::Range<usize>)> {
    let (mut found, mut around) = (Vec::new(), Vec::new());
    for (at, token) in all.iter().enumerate() {
        match token.sort {
            Sort::Open(_) => around.push(token.text),
            Sort::Close(_) => {
                around.pop();
            }
            _ => {}
        }
        let beside = |at: Option<usize>| {
            at.and_then(|at| all.get(at)).is_some_and(|token| b"=!<>+-*/|&".iter().any(|mark| token.is(*mark)))
        };
        if !token.is(b'=') || beside(at.checked_sub(1)) || beside(Some(at + 1)) {
            continue;
        }
        // `f(name=value)` names an argument.
        if language == Language::Python && around.last().is_some_and(|bracket| *bracket == "(") {
            continue;
        }
        let Some(name) = target(all, at, language) else { continue };
        found.push((name, at + 1..end_of(all, at + 1)));
    }
    found
}

/// The name before `=`: of `this.x`, `x`; of `const x: T`, `x`.
fn target<'t>(all: &[Token<'t>], equals: usize, language: Language) -> Option<&'t str> {
    if language == Language::Script {
        // A type may stand between: back to the keyword.
        let back = equals.saturating_sub(20)..equals;
        let keyword = back.clone().rev().take_while(|&at| !all[at].is(b';'));
        let mut keyword = keyword.filter(|&at| matches!(all[at].text, "const" | "let" | "var"));
        if let Some(at) = keyword.next() {
            return all.get(at + 1).filter(|token| token.sort == Sort::Name && at + 1 < equals).map(|token| token.text);
        }
    }
    all.get(equals.checked_sub(1)?).filter(|token| token.sort == Sort::Name).map(|token| token.text)
}

/// Where a value ends that begins at a token.
fn end_of(all: &[Token<'_>], from: usize) -> usize {
    let mut at = from;
    while let Some(token) = all.get(at) {
        match token.sort {
            Sort::Open(close) => at = close,
            Sort::Close(_) | Sort::End | Sort::Mark(b';') => return at,
            Sort::Name if matches!(token.text, "const" | "let" | "var" | "return") => return at,
            _ => {}
        }
        at += 1;
    }
    all.len()
}

/// Name → the other names that its value is made of.
type Made<'t> = HashMap<&'t str, BTreeSet<&'t str>>;

/// The places that names hold, and that what they are made of does, in turn.
fn reached<'t>(mentioned: BTreeSet<&'t str>, held: &HashMap<&'t str, Vec<usize>>, made_of: &Made<'t>) -> Vec<usize> {
    let (mut seen, mut queue, mut all) = (BTreeSet::new(), mentioned, Vec::new());
    for _ in 0..STEPS {
        let mut next = BTreeSet::new();
        for name in queue {
            if seen.insert(name) {
                all.extend(held.get(name).into_iter().flatten());
                next.extend(made_of.get(name).into_iter().flatten());
            }
        }
        queue = next;
    }
    all
}

struct Program<'a, 't> {
    sheet: &'a Sheet<'a>,
    tool: &'static str,
    all: Vec<Token<'t>>,
    constructs: Vec<Construct<'t>>,
    owners: Vec<Option<usize>>,
    assigned: Vec<(&'t str, std::ops::Range<usize>)>,
}

impl Program<'_, '_> {
    fn read(&self, links: &mut Links) {
        let mut held: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut made_of: Made<'_> = HashMap::new();
        let mut left = ARROWS;
        let called = self.called_objects();
        for (name, at) in &called {
            held.entry(name).or_default().extend(at);
        }
        let known = |token: &Token<'_>| token.sort == Sort::Text && called.contains_key(token.text);
        for (name, range) in &self.assigned {
            for at in range.clone().take_while(|at| *at < self.all.len()) {
                let Some(less) = left.checked_sub(1) else { break };
                left = less;
                match self.all[at].sort {
                    Sort::Text if !known(&self.all[at]) && self.holder(at) => held.entry(name).or_default().push(at),
                    Sort::Text | Sort::Name => {
                        made_of.entry(name).or_default().insert(self.all[at].text);
                    }
                    _ => {}
                }
            }
        }
        let mut taken = BTreeSet::new();
        let mut names: HashMap<usize, BTreeSet<&str>> = HashMap::new();
        for (at, token) in self.all.iter().enumerate() {
            let Some(owner) = self.owners[at].filter(|owner| !self.constructs[*owner].holds) else { continue };
            match token.sort {
                Sort::Text if at != self.constructs[owner].named && !known(token) => {
                    taken.insert(at);
                    self.put(links, owner, at, Tier::Declared);
                }
                Sort::Text | Sort::Name => {
                    names.entry(owner).or_default().insert(token.text);
                }
                _ => {}
            }
        }
        for (owner, mentioned) in names {
            for at in reached(mentioned, &held, &made_of) {
                if left == 0 {
                    return;
                }
                left -= 1;
                taken.insert(at);
                self.put(links, owner, at, Tier::Inferred);
            }
        }
        // What stands in the program for other files of it to take.
        let file = Construct { id: "", receiver: None, holds: false, open: 0, close: 0, named: 0 };
        for (at, token) in self.all.iter().enumerate() {
            if token.sort == Sort::Text && self.owners[at].is_none() && !taken.contains(&at) && left > 0 {
                left -= 1;
                self.put_for(links, &file, at, Tier::Inferred);
            }
        }
    }

    /// What stands in a cluster's Secrets and `ConfigMaps`, by the names that pods refer to them by: `metadata: {name: "x"}`.
    fn called_objects(&self) -> HashMap<&str, Vec<usize>> {
        let mut found: HashMap<&str, Vec<usize>> = HashMap::new();
        for construct in self.constructs.iter().filter(|_| self.tool == "pulumi") {
            let class = called(&self.all, construct.open).map_or("", |(class, _)| class);
            if !matches!(class, "Secret" | "ConfigMap") {
                continue;
            }
            let texts =
                (construct.open + 1..construct.close.min(self.all.len())).filter(|at| self.all[*at].sort == Sort::Text);
            let texts: Vec<usize> = texts.filter(|at| *at != construct.named).collect();
            let is_name = |at: &&usize| {
                let before = |back: usize| at.checked_sub(back).map(|at| &self.all[at]);
                before(1).is_some_and(|mark| mark.is(b':') || mark.is(b'='))
                    && before(2).is_some_and(|key| key.text == "name")
            };
            if let Some(name) = texts.iter().find(is_name).filter(|at| self.all[**at].text.len() > 2) {
                found.entry(self.all[*name].text).or_default().extend(texts.iter().filter(|at| *at != name));
            }
        }
        found
    }

    /// Whether a text is not given to something that uses it.
    fn holder(&self, at: usize) -> bool {
        self.owners[at].is_none_or(|owner| self.constructs[owner].holds && self.constructs[owner].named != at)
    }

    fn put(&self, links: &mut Links, owner: usize, at: usize, tier: Tier) {
        self.put_for(links, &self.constructs[owner], at, tier);
    }

    fn put_for(&self, links: &mut Links, construct: &Construct<'_>, at: usize, tier: Tier) {
        let token = &self.all[at];
        if token.text.trim().len() < 8 {
            return;
        }
        // Whose more it is is what the variable was set to.
        let of = construct.receiver.filter(|_| construct.id.is_empty()).and_then(|name| self.made(name));
        let id = of.unwrap_or(construct.id);
        let path = &self.sheet.path;
        let (full, name) = if is_showable(id) {
            (format!("{}:{path}/{id}", self.tool), format!("construct {id} of {path}"))
        } else {
            (format!("{}:{path}", self.tool), format!("constructs of {path}"))
        };
        let place =
            Place { path: Arc::clone(path), line: token.line, bytes: token.bytes.start as u64..token.bytes.end as u64 };
        let link = Link::new(&Arc::new(Consumer::new(full, name)), tier, "program-construct", "given to it");
        links.put_text(self.sheet, place, token.text, link);
    }

    /// The id of the construct that a variable is set to.
    fn made(&self, name: &str) -> Option<&str> {
        let (_, range) = self.assigned.iter().find(|(own, _)| *own == name)?;
        let found = self.constructs.iter().find(|construct| range.contains(&construct.open) && !construct.id.is_empty());
        found.map(|construct| construct.id)
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::{self, Declared, Inferred};
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

    fn said(path: &str, text: &str) -> Vec<(String, Tier)> {
        let known = tree(&[(path, text)]);
        let by_place = known.resolve(&finding_in(path, text, VALUE));
        assert_eq!(consumers(&by_place), consumers(&known.resolve(&finding(VALUE))), "{text}");
        let prefix = format!("{path}/");
        consumers(&by_place).into_iter().map(|(id, tier)| (id.replacen(&prefix, "", 1), tier)).collect()
    }

    #[test]
    fn what_a_construct_is_given_is_its_own() {
        let script = |body: &str| format!("import * as cdk from 'aws-cdk-lib';\n{body}\n");
        for (body, expected) in [
            (
                format!("new lambda.Function(this, 'Api', {{ environment: {{ KEY: '{VALUE}' }} }});"),
                Some(("cdk:Api", Declared)),
            ),
            (
                format!("const key = '{VALUE}';\nnew lambda.Function(this, 'Api', {{ environment: {{ KEY: key }} }});"),
                Some(("cdk:Api", Inferred)),
            ),
            (
                format!(
                    "const s: sm.ISecret = new sm.Secret(this, 'Store', {{ secretStringValue: SecretValue.unsafePlainText('{VALUE}') }});\nnew lambda.Function(this, 'Api', {{ environment: {{ KEY: s.secretArn }} }});"
                ),
                Some(("cdk:Api", Inferred)),
            ),
            (format!("new sm.Secret(this, 'Store', {{ value: '{VALUE}' }});"), None),
            (format!("task.addContainer('web', {{ environment: {{ KEY: '{VALUE}' }} }});"), Some(("cdk:web", Declared))),
            (
                format!("const fn = new lambda.Function(this, 'Api', {{}});\nfn.addEnvironment('KEY', '{VALUE}');"),
                Some(("cdk:Api", Declared)),
            ),
            (format!("// new lambda.Function(this, 'Api', {{ K: '{VALUE}' }})\nconst x = 1;"), None),
        ] {
            let text = script(&body);
            let path = "lib/stack.ts";
            if body.starts_with("//") {
                assert_eq!(consumers(&tree(&[(path, &text)]).resolve(&finding(VALUE))), [], "{text}");
                continue;
            }
            let expected: Vec<_> = expected.into_iter().map(|(id, tier)| (id.to_owned(), tier)).collect();
            assert_eq!(said(path, &text), expected, "{text}");
        }
    }

    #[test]
    fn a_cluster_s_secret_is_whose_pods_name_it() {
        for (name, expected) in [("prod", vec![("pulumi:api".to_owned(), Inferred)]), ("other", vec![])] {
            let text = format!(
                "import * as k8s from '@pulumi/kubernetes';\nconst ns = new k8s.core.v1.Namespace('ns', {{ metadata: {{ name: 'prod' }} }});\nnew k8s.core.v1.Secret('store', {{ metadata: {{ name: 'prod' }}, stringData: {{ key: '{VALUE}' }} }});\nconst env = [{{ valueFrom: {{ secretKeyRef: {{ name: '{name}', key: 'key' }} }} }}];\nnew k8s.apps.v1.Deployment('api', {{ env: env }});\n"
            );
            assert_eq!(said("index.ts", &text), expected);
        }
    }

    #[test]
    fn python_s_constructs_are_known_by_their_scope_and_id() {
        for (body, expected) in [
            (
                format!("        _lambda.Function(self, \"Api\",\n            environment={{\"KEY\": \"{VALUE}\"}})\n"),
                ("cdk:Api", Declared),
            ),
            (
                format!("        _lambda.Function(scope=self, id=\"Api\", environment=dict(KEY='{VALUE}'))\n"),
                ("cdk:Api", Declared),
            ),
            (
                format!(
                    "        secret = sm.Secret(self, 'Store', value='{VALUE}')\n        fn = _lambda.Function(self, 'Api', environment={{'ARN': secret.secret_arn}})\n"
                ),
                ("cdk:Api", Inferred),
            ),
            (
                format!("        task.add_container(f\"{{p}}Web\", environment={{'KEY': '{VALUE}'}})\n"),
                ("cdk:{p}Web", Declared),
            ),
        ] {
            let text = format!("import aws_cdk as cdk\nclass S(cdk.Stack):\n    def __init__(self):\n{body}");
            assert_eq!(said("app/stack.py", &text), [(expected.0.to_owned(), expected.1)], "{text}");
        }
        let pulumi = format!(
            "import pulumi\nimport pulumi_aws as aws\naws.lambda_.Function('api', environment={{'K': '{VALUE}'}})\n"
        );
        assert_eq!(said("__main__.py", &pulumi), [("pulumi:api".to_owned(), Declared)]);
    }

    #[test]
    fn other_programs_are_no_concern() {
        let text = format!("new Function(this, 'Api', {{ K: '{VALUE}' }})\n");
        assert_eq!(consumers(&tree(&[("a.ts", &text)]).resolve(&finding(VALUE))), []);
    }
}
