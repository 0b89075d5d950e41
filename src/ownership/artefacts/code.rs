//! Which files a program's code names: `open("settings.json")`, `godotenv.Load("app.env")`, `dotenv.config()`. A file that code names most
//! likely is read by it; whether it is, and from where, is not worked out. A name means a file beside the code, or beside a folder
//! above it, as programs run in either.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Place, Sheet, copies, dotenv, ends_in, file_name, folder, join};

/// What programs are written in.
const LANGUAGES: &[&str] = &[
    "py", "js", "cjs", "mjs", "jsx", "ts", "cts", "mts", "tsx", "go", "rb", "php", "java", "kt", "scala", "cs", "fs", "vb",
    "rs", "ex", "exs", "pl", "lua", "dart", "swift", "clj", "c", "cc", "cpp", "cxx", "h", "hpp", "ino",
];
/// What settings and keys are kept in.
const SETTINGS: &[&str] = &[
    "env",
    "json",
    "jsonc",
    "json5",
    "yml",
    "yaml",
    "toml",
    "ini",
    "conf",
    "cfg",
    "properties",
    "pem",
    "key",
    "p8",
    "xml",
    "txt",
];
/// Files that code names for other reasons.
const OTHERS: &[&str] =
    &["package.json", "tsconfig.json", "composer.json", "manifest.json", "requirements.txt", "robots.txt"];
/// What loads a `.env` where no name is given (github.com/motdotla/dotenv, theskumar/python-dotenv, joho/godotenv, vlucas/phpdotenv,
/// bkeepers/dotenv, allan2/dotenvy, joke2k/django-environ, `HBNetwork/python-decouple`).
const LOADERS: &[&str] = &["dotenv", "Dotenv", "load_env(", "read_env(", "decouple"];
/// Names of one file.
const NAMES: usize = 200;
/// Places where one name stands, in a whole tree.
const MENTIONS: usize = 2_000;
/// Longest name that is looked at, in bytes.
const LONGEST: usize = 200;
/// What imports without an ending.
const SCRIPTS: &[&str] = &["js", "cjs", "mjs", "jsx", "ts", "cts", "mts", "tsx"];
/// What a module is called that holds settings.
const SETTING_WORDS: &[&str] = &["config", "setting", "secret", "constant", "env", "key", "credential", "option"];
/// Ends the name of an imported module.
const IMPORT: char = '\0';
/// Stands for whatever a program makes of `.env.${MODE}`.
const ANY: &str = ".env.*";

/// Every name that code names.
#[derive(Default)]
pub(super) struct Named(HashMap<String, Vec<Mention>>);

/// One name, and where it stands.
pub(super) struct Mention {
    pub(super) at: Place,
    /// As it is written, from the first folder on.
    way: String,
    /// Whether it is a module that is imported, without its ending.
    import: bool,
}

/// Words for what is no part of a program.
const WORDS: &[&str] = &[
    "test",
    "tests",
    "testing",
    "testdata",
    "testutil",
    "testutils",
    "spec",
    "specs",
    "mock",
    "mocks",
    "fixture",
    "fixtures",
    "e2e",
    "stub",
    "stubs",
    "example",
    "examples",
    "sample",
    "samples",
    "docs",
    "doc",
    "benchmark",
    "benchmarks",
    "bench",
    "node_modules",
    "vendor",
    "stories",
    "conftest",
    "dist",
];

/// Whether a file is a program's code, and not its tests'.
pub(super) fn is_one(path: &str) -> bool {
    ends_in(path, LANGUAGES) && !is_aside(path)
}

/// Words for what shows something, which may be a program of its own.
const SHOWN: &[&str] = &["example", "examples", "sample", "samples"];

/// Whether it is a program's code, and tries nothing: what shows something may be a program of its own.
pub(super) fn is_shown(path: &str) -> bool {
    ends_in(path, LANGUAGES) && !is_called(path, WORDS, SHOWN) && !tries(path)
}

/// Whether something in a path says that it shows something.
pub(super) fn shows(path: &str) -> bool {
    is_called(path, SHOWN, &[])
}

/// Whether it is there to try a program or to show one.
pub(super) fn is_aside(path: &str) -> bool {
    is_called(path, WORDS, &[]) || path.contains(".git/") || tries(path)
}

/// Whether a folder's last word says that it holds tests: `integrationTest`.
fn tries(path: &str) -> bool {
    folder(path).split('/').any(copies::is_tried)
}

fn is_called(path: &str, words: &[&str], but: &[&str]) -> bool {
    let own = path.split(['/', '.', '-', '_']).map(str::to_ascii_lowercase);
    own.into_iter().any(|word| words.contains(&word.as_str()) && !but.contains(&word.as_str()))
}

/// Whether any name that counts stands in the file.
pub(super) fn concerns(sheet: &Sheet<'_>) -> bool {
    let telling = |text: &str| !names(text).is_empty() || !imports(&sheet.path, text).is_empty();
    sheet.bytes.len() <= 1 << 20 && sheet.text().is_ok_and(telling)
}

impl Named {
    /// Takes in one file of code.
    pub(super) fn read(&mut self, sheet: &Sheet<'_>) {
        let Ok(text) = sheet.text() else { return };
        for (line, way) in names(text) {
            let at = Place { path: Arc::clone(&sheet.path), line, bytes: 0..0 };
            let own = self.0.entry(file_name(&way).to_owned()).or_default();
            if own.len() < MENTIONS {
                own.push(Mention { at, way, import: false });
            }
        }
        for (line, way) in imports(&sheet.path, text) {
            let at = Place { path: Arc::clone(&sheet.path), line, bytes: 0..0 };
            let own = self.0.entry(format!("{}{IMPORT}", file_name(&way))).or_default();
            if own.len() < MENTIONS {
                own.push(Mention { at, way, import: true });
            }
        }
    }

    /// Who names that file.
    pub(super) fn of<'n>(&'n self, path: &'n str) -> impl Iterator<Item = &'n Mention> {
        let name = file_name(path);
        let mode = name.starts_with(".env.") && !dotenv::is_sample(name);
        let any = self.0.get(ANY).filter(|_| mode);
        let stem = name.rsplit_once('.').filter(|_| ends_in(name, SCRIPTS)).map(|(stem, _)| format!("{stem}{IMPORT}"));
        let imported = stem.and_then(|stem| self.0.get(&stem));
        let all = self.0.get(name).into_iter().chain(any).chain(imported).flatten();
        all.filter(move |mention| !is_aside(folder(path)) && mention.means(path))
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (name, mentions) in other.0 {
            self.0.entry(name).or_default().extend(mentions);
        }
    }
}

impl Mention {
    fn means(&self, path: &str) -> bool {
        let own = folder(&self.at.path);
        if self.import {
            return join(own, &self.way).is_some_and(|way| path.rsplit_once('.').is_some_and(|(stem, _)| stem == way));
        }
        let within = |above: &str| {
            above.is_empty() || own == above || own.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
        };
        if file_name(&self.way) == ANY {
            return within(folder(path));
        }
        if join(own, &self.way).as_deref() == Some(path) {
            return true;
        }
        let way = self.way.trim_start_matches("../");
        path.strip_suffix(way)
            .is_some_and(|above| (above.is_empty() || above.ends_with('/')) && within(above.trim_end_matches('/')))
    }
}

/// The names with their lines.
fn names(text: &str) -> Vec<(u64, String)> {
    let mut found: Vec<(u64, String)> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        if line.len() > 2_000 || trimmed.starts_with("//") || trimmed.starts_with('#') || trimmed.starts_with("* ") {
            continue;
        }
        let number = number as u64 + 1;
        if line.contains(".env.${")
            || line.contains(".env.{")
            || line.contains(".env.%s")
            || line.contains("\".env.\" +")
            || line.contains("'.env.' +")
        {
            found.push((number, ANY.to_owned()));
        }
        let mut quote = None;
        for (at, byte) in line.bytes().enumerate().filter(|(_, byte)| matches!(byte, b'"' | b'\'' | b'`')) {
            match quote {
                Some((open, start)) if open == byte => {
                    quote = None;
                    found.extend(telling(&line[start..at]).map(|way| (number, way)));
                }
                None => quote = Some((byte, at + 1)),
                Some(_) => {}
            }
        }
        if LOADERS.iter().any(|word| line.contains(word)) {
            found.push((number, ".env".to_owned()));
        }
        if found.len() > NAMES {
            found.truncate(NAMES);
            break;
        }
    }
    found
}

/// Modules of settings that are imported from far above, which another package may hold: `../../site.config`.
fn imports(path: &str, text: &str) -> Vec<(u64, String)> {
    let mut found = Vec::new();
    if !ends_in(path, SCRIPTS) {
        return found;
    }
    for (number, line) in text.lines().enumerate().filter(|(_, line)| line.len() <= 2_000 && line.contains("../../")) {
        let named = line.split(['"', '\'', '`']).skip(1).step_by(2).find(|way| way.starts_with("../../"));
        let taken = ["import", "require(", "from "].iter().any(|word| line.contains(word));
        let telling = |way: &str| SETTING_WORDS.iter().any(|word| file_name(way).to_ascii_lowercase().contains(word));
        if let Some(way) = named.filter(|way| taken && way.len() <= LONGEST && telling(way)) {
            let ending = SCRIPTS.iter().find_map(|ending| way.strip_suffix(ending)?.strip_suffix('.'));
            found.push((number as u64 + 1, ending.unwrap_or(way).to_owned()));
            if found.len() >= NAMES {
                break;
            }
        }
    }
    found
}

/// The path in a text, from the first folder on that is written out, where it is that of settings or of a key.
fn telling(text: &str) -> Option<String> {
    let way = text.rsplit(['}', ')']).next()?.trim_start_matches("./").trim_start_matches('/');
    let name = file_name(way);
    let plain = way.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/'));
    let known =
        dotenv::is_named_so(name) && (name.starts_with(".env") || ends_in(name, &["env"])) || ends_in(name, SETTINGS);
    let said = name.bytes().filter(u8::is_ascii_alphanumeric).count() > 1 && !name.starts_with("..");
    let fits = plain && known && said && way.len() <= LONGEST && !dotenv::is_sample(name) && !OTHERS.contains(&name);
    // `.json` alone is an ending.
    let ending = name.starts_with('.') && !name.starts_with(".env") && !name[1..].contains('.');
    (fits && !ending).then(|| way.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{is_one, names};
    use crate::model::Tier::Inferred;
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding_in, tree};

    #[test]
    fn names_are_picked_out_of_code() {
        for (line, expected) in [
            ("dotenv.config({ path: path.join(__dirname, '../../.env') });", &["../../.env", ".env"][..]),
            ("load_dotenv()", &[".env"]),
            ("with open(\"conf/app.json\") as f:", &["conf/app.json"]),
            ("path = f\"{root}/keys/app.pem\"", &["keys/app.pem"]),
            ("config({ path: `.env.${mode}` })", &[".env.*"]),
            ("from x import y # 'a.json'", &["a.json"]),
            ("# open('a.json')", &[]),
            ("x = '.json'; y = 'a b.json'; z = 'package.json'; w = '.env.example'", &[]),
        ] {
            let found: Vec<_> = names(line).into_iter().map(|(_, way)| way).collect();
            assert_eq!(found, expected, "{line}");
        }
        assert!(names(&"open('a.json')\n".repeat(10_000)).len() <= 200);
        assert!(
            is_one("src/app.py") && !is_one("tests/app.py") && !is_one("src/app.test.ts") && !is_one("src/test-utils/x.ts")
        );
    }

    #[test]
    fn a_file_that_code_names_is_its_program_s() {
        let (go, code) =
            (("app/go.mod", "module shop\n"), ("app/cmd/main.go", "godotenv.Load(\"shop.env\")\nopen(\"../keys/a.pem\")\n"));
        let content = format!("KEY={VALUE}\n");
        for (path, named) in [
            ("app/shop.env", true),
            ("app/cmd/shop.env", true),
            ("shop.env", true),
            ("other/shop.env", false),
            ("app/keys/a.pem", true),
            ("app/b.env", false),
            ("app/tests/shop.env", false),
        ] {
            let all = tree(&[go, code]).resolve(&finding_in(path, &content, VALUE));
            let expected = [("package:app/go.mod/shop", Inferred)];
            assert_eq!(consumers(&all), &expected[..usize::from(named)], "{path}");
        }
        // Code of another language is another program's.
        let all =
            tree(&[("app/package.json", "{\"name\": \"x\"}"), code]).resolve(&finding_in("app/shop.env", &content, VALUE));
        assert_eq!(consumers(&all), []);
    }

    #[test]
    fn a_module_of_settings_that_another_package_imports_is_its_program_s_too() {
        let content = format!("export const key = \"{VALUE}\";\n");
        for (import, named) in [
            ("import { key } from '../../site.config'", true),
            ("const x = require(\"../../site.config.ts\")", true),
            ("import { key } from '../../../site.config'", false),
            ("import { key } from '../../other.config'", false),
            ("console.log('../../site.config')", false),
        ] {
            let files = [("worker/package.json", "{\"name\": \"w\"}"), ("worker/src/a.ts", import)];
            let all = tree(&files).resolve(&finding_in("site.config.ts", &content, VALUE));
            assert_eq!(consumers(&all), &[("package:worker/package.json/w", Inferred)][..usize::from(named)], "{import}");
        }
    }

    #[test]
    fn a_mounted_project_s_code_reads_its_env_file() {
        let compose = "services:\n  api: {image: x, volumes: ['.:/app']}\n  db: {image: y}\n";
        let content = format!("KEY={VALUE}\n");
        for (code, path, named) in [
            ("require('dotenv').config()", ".env", true),
            ("require('dotenv').config()", "conf/x.json", false),
            ("JSON.parse(read('conf/x.json'))", "conf/x.json", true),
            ("console.log('x')", ".env", false),
        ] {
            let files = [("compose.yaml", compose), ("src/a.js", code), (path, content.as_str())];
            let all = tree(&files).resolve(&finding_in(path, &content, VALUE));
            let expected = [("compose:compose.yaml/api", Inferred)];
            assert_eq!(consumers(&all), &expected[..usize::from(named)], "{code} {path}");
        }
    }
}
