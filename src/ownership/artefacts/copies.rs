//! Folders and patterns that a Dockerfile copies, and what `.dockerignore` keeps out
//! (docs.docker.com, "Build context"). Whatever is copied so is inferred: the context is taken to be the Dockerfile's folder.
//!
//! Of a whole folder only what programs are made of counts: that a README or a pipeline lies in an image makes nobody its user.

use std::collections::HashMap;

use super::links::Link;
use super::{Place, dotenv, ends_in, file_name, folder};

/// Patterns of one `.dockerignore`.
const PATTERNS: usize = 1_000;
/// What programs are made of.
pub(super) const SOURCES: &[&str] = &[
    "c",
    "cc",
    "cjs",
    "clj",
    "cpp",
    "cs",
    "ex",
    "exs",
    "fs",
    "go",
    "h",
    "hs",
    "ini",
    "java",
    "js",
    "jsx",
    "kt",
    "lua",
    "mjs",
    "php",
    "pl",
    "properties",
    "py",
    "r",
    "rb",
    "rs",
    "scala",
    "sh",
    "sql",
    "swift",
    "ts",
    "tsx",
    "vb",
];
/// What settings are kept in.
const SETTINGS: &[&str] = &["yml", "yaml", "toml", "xml", "conf", "cnf", "cfg", "json", "env", "pem", "key"];
/// Folders whose files are in the image and are run by nobody.
const ASIDE: &[&str] =
    &["test", "tests", "spec", "__tests__", "docs", "doc", "examples", "example", "node_modules", "vendor"];

/// Everything that is copied other than by name.
#[derive(Default)]
pub(super) struct Copies {
    folders: HashMap<String, Vec<Copied>>,
    ignored: HashMap<String, Vec<String>>,
}

struct Copied {
    /// The Dockerfile's folder.
    context: String,
    /// A pattern, from the context.
    pattern: Option<String>,
    at: Place,
    link: Link,
}

impl Copies {
    /// Remembers a `COPY` of what lies in a folder: all of it, or what fits a pattern that is seen from the context.
    pub(super) fn put(&mut self, below: String, pattern: Option<&str>, at: Place, link: Link) {
        let (context, pattern) = (folder(&at.path).to_owned(), pattern.map(str::to_owned));
        self.folders.entry(below).or_default().push(Copied { context, pattern, at, link });
    }

    /// Takes in a `.dockerignore`.
    pub(super) fn ignore(&mut self, path: &str, text: &str) {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        self.ignored.insert(folder(path).to_owned(), lines.take(PATTERNS).map(str::to_owned).collect());
    }

    /// The images that a file is copied into.
    pub(super) fn of<'c>(&'c self, path: &str) -> Vec<(&'c Place, &'c Link)> {
        let mut all = Vec::new();
        let mut above = folder(path);
        loop {
            for copied in self.folders.get(above).into_iter().flatten() {
                let Some(inside) = below(&copied.context, path) else { continue };
                let fits = match &copied.pattern {
                    Some(pattern) => glob(pattern, inside),
                    // A folder of settings is not copied for nothing; of a whole project most is.
                    None => is_source(inside) || copied.context != above && is_setting(inside),
                };
                if fits && !self.is_ignored(&copied.context, inside) {
                    all.push((&copied.at, &copied.link));
                }
            }
            if above.is_empty() {
                return all;
            }
            above = folder(above);
        }
    }

    /// The last pattern that fits counts, and one that fits a folder fits what is in it.
    fn is_ignored(&self, context: &str, inside: &str) -> bool {
        let mut ignored = false;
        for pattern in self.ignored.get(context).into_iter().flatten() {
            let (kept, pattern) = pattern.strip_prefix('!').map_or((false, pattern.as_str()), |rest| (true, rest));
            let pattern = pattern.trim_start_matches("./").trim_matches('/');
            let mut ends = inside.match_indices('/').map(|(at, _)| at).chain([inside.len()]);
            if ends.any(|end| pattern == "." || glob(pattern, &inside[..end])) {
                ignored = !kept;
            }
        }
        ignored
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.ignored.extend(other.ignored);
        for (folder, copied) in other.folders {
            self.folders.entry(folder).or_default().extend(copied);
        }
    }
}

fn below<'p>(context: &str, path: &'p str) -> Option<&'p str> {
    if context.is_empty() { Some(path) } else { path.strip_prefix(context)?.strip_prefix('/') }
}

/// Whether a file of that path is what programs are made of, and not of their tests.
pub(super) fn is_source(inside: &str) -> bool {
    let name = file_name(inside);
    let settings = name.starts_with("appsettings") && ends_in(name, &["json"]);
    let hidden = inside.split('/').any(|part| part.starts_with('.'));
    (settings || ends_in(name, SOURCES)) && !hidden && !is_aside(inside) && !dotenv::is_sample(name)
}

/// Whether it is what programs are made of or set up by.
pub(super) fn is_used(inside: &str) -> bool {
    is_source(inside) || is_setting(inside)
}

/// Whether a program may be set up by a file of that path.
fn is_setting(inside: &str) -> bool {
    let name = file_name(inside);
    let hidden = inside.split('/').any(|part| part.starts_with('.'));
    ends_in(name, SETTINGS) && !hidden && !is_aside(inside) && !dotenv::is_sample(name)
}

/// Whether it is a test, a document or somebody else's.
pub(super) fn is_aside(inside: &str) -> bool {
    let tried = file_name(inside).split(['.', '-', '_']).any(|part| matches!(part, "test" | "tests" | "spec"));
    tried || inside.split('/').any(|part| ASIDE.contains(&part) || part == ".git") || folder(inside).split('/').any(is_tried)
}

/// Whether a folder's name says by one of its words that it holds tests: `integrationTest`, `e2eTests`, `api-tests`, `Shop.UnitTests`.
pub(super) fn is_tried(name: &str) -> bool {
    let last = name.rsplit(['.', '-', '_']).next().unwrap_or_default();
    if matches!(last, "test" | "tests" | "Test" | "Tests" | "e2e") {
        return true;
    }
    let word = ["Tests", "Test"].iter().find_map(|word| last.strip_suffix(word));
    word.is_some_and(|before| before.ends_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()))
}

/// Nobody's pattern is longer, in bytes.
const LONGEST: usize = 1000;

/// Whether a path fits a pattern: `*` and `?` within a name, `**` over several.
pub(super) fn glob(mut pattern: &str, path: &str) -> bool {
    while let Some(rest) = pattern.strip_prefix("**/").filter(|rest| rest.starts_with("**/")) {
        pattern = rest;
    }
    if pattern.len() > LONGEST {
        return false;
    }
    if let Some(rest) = pattern.strip_prefix("**/")
        && glob(rest, path)
    {
        return true;
    }
    glob_bytes(pattern.as_bytes(), path.as_bytes(), &mut 10_000)
}

fn glob_bytes(pattern: &[u8], path: &[u8], steps: &mut u32) -> bool {
    *steps = steps.saturating_sub(1);
    match (pattern, path) {
        _ if *steps == 0 => false,
        ([], _) => path.is_empty(),
        ([b'*', b'*', rest @ ..], _) => (0..=path.len()).any(|cut| glob_bytes(rest, &path[cut..], steps)),
        ([b'*', rest @ ..], _) => {
            let end = path.iter().position(|b| *b == b'/').unwrap_or(path.len());
            (0..=end).any(|cut| glob_bytes(rest, &path[cut..], steps))
        }
        ([b'?', rest @ ..], [first, after @ ..]) => *first != b'/' && glob_bytes(rest, after, steps),
        ([own, rest @ ..], [first, after @ ..]) => own == first && glob_bytes(rest, after, steps),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::glob;
    use crate::model::Tier::Inferred;
    use crate::ownership::artefacts::testing::{consumers, finding_in, tree};

    #[test]
    fn folders_of_tests_are_known_by_their_last_word() {
        for (path, aside) in [
            ("src/integrationTest/java/A.java", true),
            ("e2eTests/a.ts", true),
            ("api-tests/a.py", true),
            ("src/Shop.UnitTests/A.cs", true),
            ("src/Tests/A.cs", true),
            ("src/latest/a.py", false),
            ("src/Contest/a.py", false),
            ("src/testing_tools/a.py", false),
            ("src/attest/Tests.py", false),
            ("src/main/A.java", false),
        ] {
            assert_eq!(super::is_aside(path), aside, "{path}");
        }
    }

    #[test]
    fn patterns_fit_as_docker_reads_them() {
        for (pattern, path, fits) in [
            ("app-config.*.yaml", "app-config.heroku.yaml", true),
            ("*.py", "a/x.py", false),
            ("**/x.py", "x.py", true),
            ("**/x.py", "a/b/x.py", true),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("src/**", "src/a/b", true),
            (&"**/".repeat(300_000), "a/b", false),
            (&format!("{}b", "**/".repeat(300_000)), "a/b", true),
            (&"*a".repeat(300_000), "a/b", false),
        ] {
            assert_eq!(glob(pattern, path), fits, "{pattern} {path}");
        }
    }

    #[test]
    fn what_is_copied_with_its_folder_is_inferred_and_what_is_ignored_is_not() {
        let id = [("dockerfile:api/Dockerfile", Inferred)];
        for (line, ignore, path, named) in [
            ("COPY . .", "", "api/src/app.py", true),
            ("COPY src /app", "", "api/src/app.py", true),
            ("COPY other /app", "", "api/src/app.py", false),
            ("COPY . .", "src", "api/src/app.py", false),
            ("COPY . .", "src\n!src/app.py", "api/src/app.py", true),
            ("COPY . .", "", "app.py", false),
            ("COPY . .", "", "api/README.md", false),
            ("COPY . .", "", "api/tests/app.py", false),
            ("COPY . .", "", "api/.env", false),
            ("COPY . .", "", "api/conf/app.yml", false),
            ("COPY conf /etc/app", "", "api/conf/app.yml", true),
            ("COPY conf /etc/app", "", "api/conf/sub/app.toml", true),
            ("COPY conf /etc/app", "conf", "api/conf/app.yml", false),
            ("COPY conf /etc/app", "", "api/conf/app.example.yml", false),
            ("COPY conf /etc/app", "", "api/conf/tests/app.yml", false),
            ("COPY conf /etc/app", "", "api/conf/README.md", false),
            ("COPY --from=b . .", "", "api/src/app.py", false),
            ("COPY conf.*.yaml .", "", "api/conf.prod.yaml", true),
            ("COPY conf.*.yaml .", "*.yaml", "api/conf.prod.yaml", false),
            ("COPY conf.*.yaml .", "", "api/sub/conf.prod.yaml", false),
        ] {
            let text = format!("FROM alpine\n{line}\n");
            let known = tree(&[("api/.dockerignore", ignore), ("api/Dockerfile", &text)]);
            let owners = known.resolve(&finding_in(path, "key = abc", "abc"));
            assert_eq!(consumers(&owners), &id[..usize::from(named)], "{line} {ignore} {path}");
        }
    }
}
