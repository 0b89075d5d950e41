//! Lines that somebody switched off. What stands in one is read by nobody, whatever takes in the file or the text around it: a chain
//! that would be complete without the mark is none.
//!
//! Only whole lines count, by the marks of the file's own language, and those of what its texts are mostly written in: a task's template
//! in HCL, a script in YAML. What no line says by itself (a comment's second line without a mark) is known where it is in a block.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::{Clues, Sheet, dotenv, ends_in, file_name};

/// Larger files are data.
const LIMIT: usize = 1 << 20;
/// Runs of such lines in one file, and in a whole tree.
const RUNS: usize = 2_000;
const ALL: usize = 500_000;

/// What begins a comment in one language.
struct Marks {
    lines: &'static [&'static str],
    block: Option<(&'static str, &'static str)>,
}

const HASH: Marks = Marks { lines: &["#"], block: None };
const INI: Marks = Marks { lines: &["#", ";"], block: None };
const SLASHES: Marks = Marks { lines: &["//"], block: Some(("/*", "*/")) };
const BOTH: Marks = Marks { lines: &["#", "//"], block: Some(("/*", "*/")) };
const XML: Marks = Marks { lines: &[], block: Some(("<!--", "-->")) };

/// Where such lines stand, by the file's path.
#[derive(Default)]
pub(super) struct Comments {
    runs: HashMap<Arc<str>, Vec<Range<u64>>>,
    count: usize,
}

/// Whether a file's comments are told by their marks.
pub(super) fn wants(path: &str) -> bool {
    marks(path).is_some()
}

fn marks(path: &str) -> Option<&'static Marks> {
    let name = file_name(path);
    // What is made of a template is commented as the template is.
    let path = ["j2", "tpl", "tmpl", "tftpl", "gotmpl", "erb"]
        .iter()
        .find_map(|ending| path.strip_suffix(ending)?.strip_suffix('.'))
        .unwrap_or(path);
    let is = |endings: &[&str]| ends_in(path, endings);
    if is(&[
        "yaml", "yml", "toml", "sh", "bash", "zsh", "py", "rb", "ex", "exs", "pl", "ps1", "service", "env", "mk", "xcconfig",
    ]) || dotenv::is_named_so(name)
        || name.contains("Dockerfile")
        || matches!(name, "Makefile" | "Procfile" | ".envrc" | "envrc" | "Gemfile" | "Fastfile" | "justfile")
    {
        // Settings of Xcode have slashes alone, where a hash begins an include.
        return Some(if is(&["xcconfig"]) { &SLASHES } else { &HASH });
    }
    if is(&["ini", "conf", "cfg", "cnf", "properties"]) {
        return Some(&INI);
    }
    if is(&["tf", "tfvars", "hcl", "nomad", "job", "php", "jsonnet", "libsonnet"]) {
        return Some(&BOTH);
    }
    let slashed = [
        "js",
        "cjs",
        "mjs",
        "jsx",
        "ts",
        "cts",
        "mts",
        "tsx",
        "go",
        "java",
        "kt",
        "kts",
        "scala",
        "cs",
        "fs",
        "swift",
        "rs",
        "c",
        "cc",
        "cpp",
        "h",
        "hpp",
        "ino",
        "dart",
        "groovy",
        "gradle",
        "jsonc",
        "json5",
        "bicep",
        "bicepparam",
        "m",
    ];
    if is(&slashed) || name == "Jenkinsfile" {
        return Some(&SLASHES);
    }
    is(&["xml", "config", "csproj", "plist"]).then_some(&XML)
}

impl Comments {
    pub(super) fn read(&mut self, sheet: &Sheet<'_>) {
        let Some(marks) = marks(&sheet.path).filter(|_| sheet.bytes.len() <= LIMIT) else { return };
        // What is no text is told by who reads it.
        let Ok(text) = sheet.text() else { return };
        let (mut runs, mut at, mut within) = (Vec::<Range<u64>>::new(), 0_u64, None);
        for line in text.split_inclusive('\n') {
            let end = at + line.len() as u64;
            if is_off(line.trim(), marks, &mut within) {
                let full = runs.len() >= RUNS || self.count >= ALL;
                match runs.last_mut().filter(|run| run.end == at) {
                    Some(run) => run.end = end,
                    None if full => break,
                    None => {
                        self.count += 1;
                        runs.push(at..end);
                    }
                }
            }
            at = end;
        }
        if !runs.is_empty() {
            self.runs.insert(Arc::clone(&sheet.path), runs);
        }
    }

    fn covers(&self, path: &str, bytes: &Range<u64>) -> bool {
        let Some(runs) = self.runs.get(path) else { return false };
        let after = runs.partition_point(|run| run.start <= bytes.start);
        after.checked_sub(1).is_some_and(|before| bytes.end <= runs[before].end)
    }

    /// Takes out of the clues what stands in comments: those places, and the value as well where it stands nowhere else.
    pub(super) fn strip(&self, clues: &mut Clues<'_>) {
        let before = clues.places.len();
        clues.places.retain(|(path, bytes)| !self.covers(path, bytes));
        if clues.places.is_empty() && before > 0 {
            clues.prints.clear();
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.runs.extend(other.runs);
    }
}

/// Whether a line is a comment. `within` is what ends the block that it stands in.
fn is_off(line: &str, marks: &Marks, within: &mut Option<&'static str>) -> bool {
    if let Some(end) = *within {
        if line.contains(end) {
            *within = None;
        }
        return true;
    }
    if let Some((open, close)) = marks.block
        && let Some(rest) = line.strip_prefix(open)
    {
        let Some((_, after)) = rest.split_once(close) else {
            *within = Some(close);
            return true;
        };
        // `/* why */ key = …`
        return after.trim().is_empty();
    }
    // PHP's attributes begin with the same mark.
    !line.starts_with("#[") && marks.lines.iter().any(|mark| line.starts_with(mark))
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::Bound;
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, seen, tree};

    #[test]
    fn what_is_commented_out_is_nobody_s() {
        let job = |line: &str| {
            format!(
                "job \"shop\" {{\n  task \"api\" {{\n    template {{\n      data = <<EOF\nx: 1\n{line}\nEOF\n    }}\n  }}\n}}\n"
            )
        };
        let compose = |line: &str| format!("services:\n  api:\n    image: x\n    environment:\n      - A=b\n{line}\n");
        let go = |line: &str| format!("package main\n{line}\n");
        for (path, text, named) in [
            ("a.nomad", job(&format!("token: {VALUE}")), true),
            ("a.nomad", job(&format!("  # token: {VALUE}")), false),
            ("compose.yaml", compose(&format!("      - K={VALUE}")), true),
            ("compose.yaml", compose(&format!("      # - K={VALUE}")), false),
            ("main.go", go(&format!("const a = \"{VALUE}\"")), true),
            ("main.go", go(&format!("// const a = \"{VALUE}\"")), false),
            ("main.go", go(&format!("/*\nconst a = \"{VALUE}\"\n*/")), false),
            ("a.php", format!("<?php\n#[Key('{VALUE}')]\nclass A {{}}\n"), true),
            ("a.php", format!("<?php\n# key {VALUE}\nclass A {{}}\n"), false),
            ("main.go", go(&format!("/* x */ const a = \"{VALUE}\"")), true),
        ] {
            let known = tree(&[(path, &text), ("go.mod", "module shop\n"), ("composer.json", "{\"name\": \"shop\"}")]);
            let mut one = finding(VALUE);
            one.occurrences = finding_in(path, &text, VALUE).occurrences;
            assert_eq!(!consumers(&known.resolve(&one)).is_empty(), named, "{text}");
        }
    }

    #[test]
    fn a_value_that_stands_elsewhere_too_is_used_there() {
        let text = format!("# K={VALUE}\nK={VALUE}\n");
        let known = tree(&[("compose.yaml", "services: {api: {image: x, env_file: app.env}}\n"), ("app.env", &text)]);
        let mut one = finding(VALUE);
        let at = text.rfind(VALUE).expect("the second");
        one.occurrences = vec![seen("app.env", 1, 4..4 + VALUE.len()), seen("app.env", 2, at..at + VALUE.len())];
        assert_eq!(consumers(&known.resolve(&one)), [("compose:compose.yaml/api", Bound)]);
        one.occurrences.truncate(1);
        assert_eq!(consumers(&known.resolve(&one)), []);
    }
}
