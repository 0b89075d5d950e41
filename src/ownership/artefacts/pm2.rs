//! PM2's ecosystem files in JavaScript (pm2.keymetrics.io, "Ecosystem File"): value → what stands between the brackets of an entry of
//! `apps` → that app. Declared: nothing of the code is run. Those in JSON and YAML are among `deployments`.

use std::sync::Arc;

use super::links::{Consumer, Kind, Link, Links};
use super::tokens::{Language, Sort, Token, tokens};
use super::{Place, Sheet, clean, ends_in, file_name, is_showable};
use crate::model::{Coverage, Tier};

/// Apps of one file.
const APPS: usize = 1_000;

/// What such files say.
#[derive(Default)]
pub(super) struct Pm2;

impl Kind for Pm2 {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        let name = file_name(path);
        let stem = name.split('.').next().unwrap_or_default();
        let known = matches!(stem, "ecosystem" | "pm2" | "processes" | "process")
            || name.contains(".ecosystem.")
            || name.contains("pm2");
        known && ends_in(path, &["js", "cjs", "mjs"])
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        sheet.mentions("apps") && sheet.mentions("script")
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, _: &mut Coverage) {
        // What is no text is no program.
        let Ok(text) = sheet.text() else { return };
        code(sheet, &tokens(text, Language::Script), links);
    }
}

fn consumer(sheet: &Sheet<'_>, name: &str) -> Option<Arc<Consumer>> {
    is_showable(name)
        .then(|| Arc::new(Consumer::new(format!("pm2:{}/{name}", sheet.path), format!("app {name} of {}", sheet.path))))
}

/// What an app is given.
fn is_given(key: &str) -> bool {
    key == "env" || key.starts_with("env_") || matches!(key, "args" | "script_args" | "node_args" | "interpreter_args")
}

fn code(sheet: &Sheet<'_>, all: &[Token<'_>], links: &mut Links) {
    let list = all.windows(3).position(|three| three[0].text == "apps" && three[1].is(b':') && three[2].opens("["));
    let Some(open) = list.map(|at| at + 2) else { return };
    let Sort::Open(close) = all[open].sort else { return };
    let (mut at, mut apps) = (open + 1, 0);
    while at < close.min(all.len()) {
        let Sort::Open(end) = all[at].sort else {
            at += 1;
            continue;
        };
        apps += 1;
        if all[at].opens("{") && apps <= APPS {
            app(sheet, &all[..end.min(all.len())], at + 1, links);
        }
        at = end + 1;
    }
}

/// One entry, which begins at that token and ends with the tokens.
fn app(sheet: &Sheet<'_>, all: &[Token<'_>], start: usize, links: &mut Links) {
    let mut fields = Vec::new();
    let mut at = start;
    while at + 2 < all.len() {
        // `key: value`, up to the next comma.
        let (key, from) = (&all[at], at + 2);
        let is_field = matches!(key.sort, Sort::Name | Sort::Text) && all[at + 1].is(b':');
        let mut to = at;
        while to < all.len() && !all[to].is(b',') {
            to = match all[to].sort {
                Sort::Open(end) => end + 1,
                _ => to + 1,
            };
        }
        if is_field {
            fields.push((key.text, from..to.min(all.len())));
        }
        at = to + 1;
    }
    // A last field of one token.
    let text_of = |field: &str| {
        let (_, range) = fields.iter().find(|(key, _)| *key == field)?;
        all.get(range.start).filter(|token| token.sort == Sort::Text && range.len() == 1).map(|token| token.text)
    };
    let Some(consumer) = text_of("name").or_else(|| text_of("script")).and_then(|name| consumer(sheet, name)) else {
        return;
    };
    if let Some(script) = text_of("script") {
        let place = Place { path: Arc::clone(&sheet.path), line: all.get(start).map_or(1, |token| token.line), bytes: 0..0 };
        links.starts(sheet, &place, script, &Link::new(&consumer, Tier::Declared, "pm2-app", "script"));
    }
    for (key, range) in fields.iter().filter(|(key, _)| is_given(key)) {
        for token in all[range.clone()].iter().filter(|token| token.sort == Sort::Text) {
            let bytes = token.bytes.start as u64..token.bytes.end as u64;
            let place = Place { path: Arc::clone(&sheet.path), line: token.line, bytes };
            links.put_text(sheet, place, token.text, Link::new(&consumer, Tier::Declared, "pm2-app", clean(key)));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::Declared;
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

    #[test]
    fn an_app_is_given_what_stands_in_its_entry() {
        for (path, text, expected) in [
            (
                "app/ecosystem.config.js",
                format!(
                    "module.exports = {{ apps: [{{ name: 'a', script: 'x.js' }}, {{ name: \"web\", script: 'y.js', env: {{ KEY: '{VALUE}' }} }}] }};\n"
                ),
                Some(("pm2:app/ecosystem.config.js/web", Declared)),
            ),
            (
                "ecosystem.config.cjs",
                format!("module.exports = {{\n apps: [{{\n script: 'x.js',\n args: '--key {VALUE}'\n }}] }}\n"),
                Some(("pm2:ecosystem.config.cjs/x.js", Declared)),
            ),
            (
                "ecosystem.config.js",
                format!("module.exports = {{ apps: [{{ name: 'a', script: 'x', cwd: '{VALUE}' }}] }}\n"),
                None,
            ),
            (
                "ecosystem.config.js",
                format!(
                    "module.exports = {{ apps: [{{ name: 'a', script: 'x' }}], deploy: {{ p: {{ key: '{VALUE}' }} }} }}\n"
                ),
                None,
            ),
        ] {
            let known = tree(&[(path, &text)]);
            let expected: Vec<_> = expected.into_iter().collect();
            assert_eq!(consumers(&known.resolve(&finding_in(path, &text, VALUE))), expected, "{text}");
            assert_eq!(consumers(&known.resolve(&finding(VALUE))), expected, "{text}");
        }
    }
}
