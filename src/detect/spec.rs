//! A detector file → a checked detector and the rules by which it matches. Reports every mistake with its line.

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::checked::{
    Detector, HttpCase, HttpCheck, HttpMethod, IdentitySource, LivenessCheck, Outcome, PartSpec, Template,
};
use super::checks::Check;
use crate::declared::{Document, Mistakes, Table, Value};
use crate::model::{Confidence, Severity};
use crate::secret::Redaction;

/// A detector file as text.
#[derive(Debug, Clone)]
pub struct Source {
    /// File stem.
    pub id: String,
    /// The file's name for messages.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// A detector with everything needed to match it and to test it.
#[derive(Debug, Clone)]
pub(super) struct Checked {
    pub(super) detector: Detector,
    pub(super) rules: Vec<PartRule>,
    pub(super) extract: Option<Extract>,
    pub(super) examples: Vec<Example>,
}

/// How one part matches.
#[derive(Debug, Clone)]
pub(super) struct PartRule {
    /// Regular expression of the value, without anchors.
    pub(super) pattern: String,
    /// Shortest and longest match in bytes.
    pub(super) length: RangeInclusive<usize>,
    /// Texts of which each match of the anchor contains one.
    pub(super) literals: Vec<String>,
    /// Whether every literal can only stand at the start of a match.
    pub(super) literal_first: bool,
    /// For an anchor: the value goes on from the match to the end of this expression's, or as far as `longest` allows.
    pub(super) until: Option<String>,
    /// Bytes that may not stand next to the value.
    pub(super) alphabet: Alphabet,
    /// Named check of structure or checksum.
    pub(super) check: Option<Check>,
    /// Least Shannon entropy in bits a character.
    pub(super) min_entropy: f64,
    /// For a companion: how many lines from the anchor it may stand.
    pub(super) within: usize,
    /// For a companion: words in the name before the value that speak for it.
    pub(super) names: Vec<String>,
    /// For a companion: whether one of those words must be there.
    pub(super) needs_name: bool,
    /// Regular expressions of values that are something else.
    pub(super) reject: Vec<String>,
}

/// A set of bytes.
#[derive(Clone)]
pub(super) struct Alphabet([bool; 256]);

/// Structures that need more than a pattern, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extract {
    /// The entries of a Kubernetes Secret manifest.
    KubernetesSecret,
}

/// A text that a detector must find something in, or must not.
#[derive(Debug, Clone)]
pub(super) struct Example {
    pub(super) text: String,
    pub(super) finds: bool,
}

impl Alphabet {
    /// Reads the inside of a character class: `A-Za-z0-9_-`.
    fn parse(class: &str) -> Option<Self> {
        let hir = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(&format!("[{class}]")).ok()?;
        let mut set = [false; 256];
        let mut add = |from: u8, to: u8| (from..=to).for_each(|byte| set[usize::from(byte)] = true);
        match hir.kind() {
            regex_syntax::hir::HirKind::Class(regex_syntax::hir::Class::Bytes(class)) => {
                class.ranges().iter().for_each(|range| add(range.start(), range.end()));
            }
            regex_syntax::hir::HirKind::Class(regex_syntax::hir::Class::Unicode(class)) => {
                for range in class.ranges() {
                    add(u8::try_from(range.start()).ok()?, u8::try_from(range.end()).ok()?);
                }
            }
            regex_syntax::hir::HirKind::Literal(literal) => literal.0.iter().for_each(|&byte| add(byte, byte)),
            _ => return None,
        }
        Some(Self(set))
    }

    pub(super) fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte)]
    }
}

impl std::fmt::Debug for Alphabet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let members = (0..=255u8).filter(|&byte| self.contains(byte));
        f.write_str(&members.map(|byte| byte.escape_ascii().to_string()).collect::<String>())
    }
}

/// Reads one detector file.
pub(super) fn read(source: &Source) -> Result<Checked, Mistakes> {
    Document::parse(&source.file, &source.text)?.read(|root| {
        let detector = detector(root, &source.id);
        let (specs, rules) = parts(root)?;
        let names: Vec<Arc<str>> = specs.iter().map(|part| Arc::clone(&part.name)).collect();
        let liveness = root.need("liveness").and_then(|value| value.table()).and_then(|table| liveness(&table, &names));
        let (revoke, rotate) = response(root);
        let extract = root.get("extract").and_then(|v| v.one_of(&[("kubernetes-secret", Extract::KubernetesSecret)]));
        let examples = examples(root);
        Some(Checked {
            detector: Detector { parts: specs, liveness: liveness?, revoke, rotate, ..detector? },
            rules,
            extract,
            examples,
        })
    })
}

fn detector(root: &Table<'_, '_>, id: &str) -> Option<Detector> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if id.is_empty() || !id.chars().all(good) {
        root.mistake(format!("the file's name is the detector's id; {id:?} must be lower-case letters, digits and dashes"));
    }
    let summary = root.need_text("summary");
    let provider = root.need_text("provider");
    let class = root.need("class").and_then(|v| v.one_of(&[("cloud", "cloud"), ("llm", "llm"), ("workload", "workload")]));
    let severity = root.need("severity").and_then(|v| {
        let words = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
        v.one_of(&[("low", words[0]), ("medium", words[1]), ("high", words[2]), ("critical", words[3])])
    });
    let opens = root.need_text("opens");
    let confidence = root.get("confidence").map(|value| confidence(&value));
    let links = root.need("links").map(|v| v.items().iter().filter_map(Value::text).collect::<Vec<_>>());
    let console = root.get("console").and_then(|value| https(&value));
    Some(Detector {
        id: id.into(),
        summary: summary?,
        provider: provider?,
        class: class?.to_owned(),
        severity: severity?,
        confidence: confidence.unwrap_or(Some(Confidence::High))?,
        opens: opens?,
        console,
        links: links?,
        formerly: root.texts("formerly"),
        parts: Vec::new(),
        liveness: LivenessCheck::None(String::new()),
        revoke: Vec::new(),
        rotate: Vec::new(),
    })
}

fn confidence(value: &Value<'_, '_>) -> Option<Confidence> {
    value.one_of(&[("low", Confidence::Low), ("medium", Confidence::Medium), ("high", Confidence::High)])
}

fn https(value: &Value<'_, '_>) -> Option<String> {
    let text = value.text()?;
    if !text.starts_with("https://") {
        value.mistake(format!("{text:?} must start with https://"));
    }
    Some(text)
}

fn parts(root: &Table<'_, '_>) -> Option<(Vec<PartSpec>, Vec<PartRule>)> {
    let tables = root.tables("part");
    if tables.is_empty() {
        root.mistake("a detector needs at least one [[part]]");
    }
    let mut all = Vec::new();
    for (n, table) in tables.iter().enumerate() {
        all.push(part(table, n == 0));
        table.finish();
    }
    all.into_iter().collect::<Option<Vec<_>>>().map(|all| all.into_iter().unzip())
}

fn part(table: &Table<'_, '_>, anchor: bool) -> Option<(PartSpec, PartRule)> {
    let name = table.need_text("name");
    let shape = table.need("pattern").and_then(|value| pattern(&value, table));
    let public = table.get("public").and_then(|value| value.bool()).unwrap_or(false);
    let required = table.get("required").and_then(|value| value.bool()).unwrap_or(true);
    let redaction = table.get("show").map_or(Some(Redaction { head: 4, tail: 4 }), |value| show(&value));
    let alphabet = match table.get("alphabet") {
        None => Alphabet::parse("A-Za-z0-9_"),
        Some(value) => value.text().and_then(|class| {
            let parsed = Alphabet::parse(&class);
            if parsed.is_none() {
                value.mistake(format!(
                    "`alphabet` is {class:?}; it must be the inside of a character class, like A-Za-z0-9_-"
                ));
            }
            parsed
        }),
    };
    let check = table.get("check").map(|value| value.one_of(Check::WORDS));
    let min_entropy = table.get("min_entropy").map_or(Some(0.0), |value| value.decimal());
    let reject = table.get("reject").map(|value| rejects(&value)).unwrap_or_default();
    let until = table.get("until").and_then(|value| expression(&value));
    let literals = if anchor { literals(table, shape.as_ref()) } else { Some((Vec::new(), false)) };
    let (within, names, needs_name) = if anchor { (0, Vec::new(), false) } else { companion(table) };
    let (pattern, length) = shape?;
    let (literals, literal_first) = literals?;
    let rule = PartRule {
        pattern,
        length,
        literals,
        literal_first,
        until,
        alphabet: alphabet?,
        check: match check {
            None => None,
            Some(check) => Some(check?),
        },
        min_entropy: min_entropy?,
        within,
        names,
        needs_name,
        reject,
    };
    Some((PartSpec { name: name?.into(), public, required: anchor || required, redaction: redaction? }, rule))
}

fn companion(table: &Table<'_, '_>) -> (usize, Vec<String>, bool) {
    let lines = table.need("within").and_then(|value| value.number()).unwrap_or(0);
    let needs_name = table.get("needs_name").and_then(|value| value.bool()).unwrap_or(false);
    let names: Vec<String> = table.texts("names").iter().map(|name| name.to_ascii_lowercase()).collect();
    if needs_name && names.is_empty() {
        table.mistake("`needs_name` is set but `names` lists none");
    }
    (usize::try_from(lines).unwrap_or(usize::MAX), names, needs_name)
}

fn rejects(value: &Value<'_, '_>) -> Vec<String> {
    value.items().iter().filter_map(expression).collect()
}

fn expression(value: &Value<'_, '_>) -> Option<String> {
    let text = value.text()?;
    match super::compiled::build_regex(&text) {
        Ok(_) => Some(text),
        Err(error) => {
            value.mistake(format!("not a regular expression: {error}"));
            None
        }
    }
}

fn show(value: &Value<'_, '_>) -> Option<Redaction> {
    let ends: Vec<u64> = value.items().iter().filter_map(Value::number).collect();
    let &[head, tail] = ends.as_slice() else {
        value.mistake("`show` must be two numbers: characters shown at the start and at the end");
        return None;
    };
    let size = |n| usize::try_from(n).unwrap_or(usize::MAX);
    Some(Redaction { head: size(head), tail: size(tail) })
}

/// Checks a pattern: it parses, cannot match nothing, and is no longer than the reach.
fn pattern(value: &Value<'_, '_>, table: &Table<'_, '_>) -> Option<(String, RangeInclusive<usize>)> {
    let text = value.text()?;
    let hir = match super::compiled::parse_hir(&text) {
        Ok(hir) => hir,
        Err(error) => {
            value.mistake(format!("not a regular expression: {error}"));
            return None;
        }
    };
    let longest = table.get("longest").and_then(|value| value.number()).and_then(|n| usize::try_from(n).ok());
    let (Some(least), most) = (hir.properties().minimum_len(), longest.or(hir.properties().maximum_len())) else {
        value.mistake("the pattern matches nothing at all");
        return None;
    };
    match most {
        Some(most) if most <= super::REACH && least > 0 => Some((text, least..=most)),
        Some(_) if least == 0 => {
            value.mistake("the pattern can match an empty text");
            None
        }
        _ => {
            value.mistake(format!("the pattern has no upper length; bound it, or say `longest` (at most {})", super::REACH));
            None
        }
    }
}

/// The anchor's literals, and whether they can only stand at the start of the value.
fn literals(table: &Table<'_, '_>, shape: Option<&(String, RangeInclusive<usize>)>) -> Option<(Vec<String>, bool)> {
    let value = table.need("literals")?;
    let literals: Vec<String> = value.items().iter().filter_map(Value::text).collect();
    if literals.is_empty() {
        value.mistake("`literals` is empty; the first part needs texts of which each match contains one");
    }
    for short in literals.iter().filter(|literal| literal.len() < 3) {
        value.mistake(format!("the literal {short:?} is too short; three bytes at least"));
    }
    let (pattern, _) = shape?;
    let hir = super::compiled::parse_hir(pattern).ok()?;
    let prefixes = regex_syntax::hir::literal::Extractor::new().extract(&hir);
    let first = prefixes.literals().is_some_and(|found| {
        !found.is_empty()
            && found.iter().all(|prefix| literals.iter().any(|literal| prefix.as_bytes().starts_with(literal.as_bytes())))
    });
    Some((literals, first))
}

fn liveness(table: &Table<'_, '_>, parts: &[Arc<str>]) -> Option<LivenessCheck> {
    let none = table.text("none");
    let named = table.text("validator");
    let request = table.get("request");
    let given = [none.is_some(), named.is_some(), request.is_some()].iter().filter(|given| **given).count();
    if given != 1 {
        table.mistake("[liveness] needs exactly one of `none` (why not), `validator` (a name) and `request`");
    }
    let check = match (none, named, request) {
        (Some(why), ..) => Some(LivenessCheck::None(why)),
        (_, Some(name), _) => Some(LivenessCheck::Named(name)),
        (_, _, Some(request)) => http(table, &request, parts).map(|check| LivenessCheck::Http(Box::new(check))),
        _ => None,
    };
    table.finish();
    check
}

fn http(table: &Table<'_, '_>, request: &Value<'_, '_>, parts: &[Arc<str>]) -> Option<HttpCheck> {
    let text = request.text()?;
    let target = split_request(&text);
    if target.is_none() {
        request.mistake(format!("{text:?} must be `GET https://host/path` or `POST https://host/path`, the host fixed"));
    }
    let endpoint = table.need_text("endpoint");
    let headers = table.get("headers").and_then(|value| value.table());
    let headers: Vec<_> = headers.map_or_else(Vec::new, |headers| {
        let keys = headers.keys();
        keys.into_iter().filter_map(|key| Some((key.clone(), template(&headers.get(&key)?, parts)?))).collect()
    });
    let body = table.get("body").and_then(|value| template(&value, parts));
    let identity = table.get("identity").and_then(|value| value.table());
    let identity = identity.map_or_else(Vec::new, |fields| {
        let keys = fields.keys();
        keys.into_iter().filter_map(|key| Some((key.clone(), identity_source(&fields.get(&key)?)?))).collect()
    });
    let cases: Vec<_> = table.tables("case").iter().filter_map(case).collect();
    if cases.is_empty() {
        table.mistake("a `request` needs at least one [[liveness.case]]");
    }
    let (method, origin, path) = target?;
    let path = Template::parse(path, parts).map_err(|what| request.mistake(what)).ok()?;
    Some(HttpCheck { method, endpoint: endpoint?, origin: origin.to_owned(), path, headers, body, cases, identity })
}

fn split_request(text: &str) -> Option<(HttpMethod, &str, &str)> {
    let (method, url) = text.split_once(' ')?;
    let method = match method {
        "GET" => HttpMethod::Get,
        "POST" => HttpMethod::Post,
        _ => return None,
    };
    let host = url.strip_prefix("https://")?;
    let slash = host.find('/')?;
    let fixed = slash > 0 && host[..slash].chars().all(|c| c.is_ascii_alphanumeric() || ".-:".contains(c));
    fixed.then(|| (method, &url[..slash + "https://".len()], &host[slash..]))
}

fn template(value: &Value<'_, '_>, parts: &[Arc<str>]) -> Option<Template> {
    let text = value.text()?;
    Template::parse(&text, parts).map_err(|what| value.mistake(what)).ok()
}

fn identity_source(value: &Value<'_, '_>) -> Option<IdentitySource> {
    let text = value.text()?;
    let source = match text.split_once(':') {
        Some(("json", pointer)) if pointer.starts_with('/') => Some(IdentitySource::Json(pointer.to_owned())),
        Some(("header", name)) => Some(IdentitySource::Header(name.to_owned())),
        _ => None,
    };
    if source.is_none() {
        value.mistake(format!("{text:?} must be `json:/pointer` or `header:name`"));
    }
    source
}

fn case(table: &Table<'_, '_>) -> Option<HttpCase> {
    let status = table.need("status").map(|value| value.items().iter().filter_map(Value::number).collect::<Vec<_>>());
    let then = table.need("then").and_then(|value| {
        value.one_of(&[
            ("live", Outcome::Live),
            ("limited", Outcome::Limited),
            ("dead", Outcome::Dead),
            ("unknown", Outcome::Unknown),
        ])
    });
    let why = table.text("why").unwrap_or_default();
    if why.is_empty() && then.is_some_and(|then| then != Outcome::Live) {
        table.mistake("a case that does not mean `live` needs a `why`");
    }
    let json = table.get("json").and_then(|value| value.table()).map_or_else(Vec::new, |json| {
        json.keys().into_iter().filter_map(|key| Some((key.clone(), json.text(&key)?))).collect()
    });
    let body_has = table.texts("body_has");
    table.finish();
    let status = status?.into_iter().filter_map(|status| u16::try_from(status).ok()).collect();
    Some(HttpCase { status, body_has, json, then: then?, why })
}

fn response(root: &Table<'_, '_>) -> (Vec<String>, Vec<String>) {
    let Some(table) = root.get("response").and_then(|value| value.table()) else { return Default::default() };
    let lists = (table.texts("revoke"), table.texts("rotate"));
    table.finish();
    lists
}

fn examples(root: &Table<'_, '_>) -> Vec<Example> {
    let mut examples = Vec::new();
    for (key, finds) in [("example", true), ("counterexample", false)] {
        for table in root.tables(key) {
            let text = table.need("text").map(|value| value.items().iter().filter_map(Value::text).collect::<String>());
            if !finds {
                table.need_text("why");
            }
            table.get("source").and_then(|value| value.text());
            table.finish();
            examples.extend(text.map(|text| Example { text, finds }));
        }
    }
    if !examples.iter().any(|example| !example.finds) {
        root.mistake("a detector needs at least one [[counterexample]] with its `why`");
    }
    examples
}
