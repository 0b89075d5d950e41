//! CODEOWNERS: the last pattern that matches a path names who reviews it.
//!
//! Matching is gitignore's, by the `ignore` crate, with GitHub's differences:
//! - the last match of the whole file wins, also when an earlier line names the file and a later one only its folder
//!   (gitignore decides by folder), so each pattern is spelt out to what lies below it and all are matched as one list;
//! - `dir/*` means the files right in `dir` and nothing deeper;
//! - `!` and `[…]` are not patterns: GitHub passes such lines over, and so do we; braces mean themselves;
//! - a line without owners takes the path from everybody.
//!
//! GitLab's sections (`[Name][2] @default`, `^[Optional]`) are matched one by one and their owners are joined. GitHub
//! passes over a line with an owner that is neither `@name` nor a mail address, and files over 3 MB.

use std::collections::HashMap;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::model::{Coverage, Edge, Tier};
use crate::ownership::artefacts::{Clues, Reader, Sheet};
use crate::ownership::roll::{Roll, clean, evidence, owner};

/// Where it may lie, the first found counts. The first three are GitHub's order; GitLab adds the last.
const PLACES: [&str; 4] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"];

/// The CODEOWNERS files seen, by rank in [`PLACES`].
#[derive(Default)]
pub(in crate::ownership) struct Codeowners {
    found: [Option<Book>; PLACES.len()],
}

/// One file.
struct Book {
    path: String,
    root: String,
    sections: Vec<Section>,
}

/// Lines that are matched together.
struct Section {
    matcher: Gitignore,
    /// From a spelt-out pattern to its last rule.
    by_glob: HashMap<String, usize>,
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    pattern: String,
    owners: Vec<String>,
    line: usize,
}

impl Reader for Codeowners {
    // GitHub: "CODEOWNERS files must be under 3 MB in size".
    const LIMIT: usize = 3_000_000;

    fn wants(path: &str) -> bool {
        path == "CODEOWNERS" || path.ends_with("/CODEOWNERS")
    }

    fn read(&mut self, sheet: &Sheet<'_>, coverage: &mut Coverage) {
        let Some(inside) = sheet.path.strip_prefix(sheet.root) else { return };
        let Some(rank) = PLACES.iter().position(|place| *place == inside) else { return };
        match sheet.text() {
            Ok(text) => {
                let sections = sections(text, coverage, &sheet.path);
                let (path, root) = (sheet.path.to_string(), sheet.root.to_owned());
                self.found[rank] = Some(Book { path, root, sections });
            }
            Err(why) => coverage.trouble(&*sheet.path, why),
        }
    }

    fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll) {
        let Some(book) = self.found.iter().flatten().next() else { return };
        for path in &clues.seen {
            for rule in path.strip_prefix(book.root.as_str()).into_iter().flat_map(|path| book.rules_for(path)) {
                for name in &rule.owners {
                    let (id, name) = (id_of(name), clean(name));
                    let mut custodian = owner(Edge::Custodian, id, name, Tier::Circumstantial);
                    let at = format!("{}:{}", book.path, rule.line);
                    custodian.evidence.push(evidence("codeowners", at, format!("{} for {path}", clean(&rule.pattern))));
                    roll.add(custodian);
                }
            }
        }
    }

    fn merge(&mut self, other: Self) {
        for (own, other) in self.found.iter_mut().zip(other.found) {
            *own = own.take().or(other);
        }
    }
}

impl Book {
    /// The rule of each section that decides for a path; at most one in GitHub's files.
    fn rules_for<'b>(&'b self, path: &'b str) -> impl Iterator<Item = &'b Rule> {
        self.sections.iter().filter_map(move |section| {
            let matched = section.matcher.matched(path, false);
            let glob = matched.inner()?.original();
            section.rules.get(*section.by_glob.get(glob)?)
        })
    }
}

/// `team:@org/name`, `user:@name` or `mail:a@b`.
fn id_of(name: &str) -> String {
    let kind = match name.strip_prefix('@') {
        Some(rest) if rest.contains('/') => "team",
        Some(_) => "user",
        None => "mail",
    };
    format!("{kind}:{}", clean(name))
}

fn sections(text: &str, coverage: &mut Coverage, path: &str) -> Vec<Section> {
    let (mut sections, mut rules, mut default) = (Vec::new(), Vec::new(), Vec::new());
    let mut close = |rules: &mut Vec<Rule>| match Section::new(std::mem::take(rules)) {
        Some(section) => sections.push(section),
        None => coverage.trouble(path, "its patterns are too large together: nobody is named by them"),
    };
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let words = words(line);
        let Some((pattern, owners)) = words.split_first() else { continue };
        if let Some(after) = section_head(line) {
            close(&mut rules);
            default = owners_of(after).unwrap_or_default();
        } else if let Some(own) = owners.iter().map(|word| owner_of(word)).collect::<Option<Vec<String>>>()
            && !pattern.starts_with('!')
            && !pattern.contains(['[', ']'])
        {
            let owners = if own.is_empty() { default.clone() } else { own };
            rules.push(Rule { pattern: pattern.clone(), owners, line: index + 1 });
        }
    }
    close(&mut rules);
    sections
}

/// What follows the brackets of a GitLab section line: its default owners.
fn section_head(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let mut rest = line.strip_prefix('^').unwrap_or(line).strip_prefix('[')?.split_once(']')?.1;
    if let Some((count, after)) = rest.strip_prefix('[').and_then(|inner| inner.split_once(']'))
        && count.bytes().all(|b| b.is_ascii_digit())
    {
        rest = after;
    }
    // `[ab].js @x` is no section but a pattern that GitHub passes over.
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then_some(rest)
}

fn owners_of(text: &str) -> Option<Vec<String>> {
    words(text).iter().map(|word| owner_of(word)).collect()
}

/// The words of a line up to a comment. A backslash keeps a space in the pattern.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut chars) = (Vec::new(), String::new(), line.chars().peekable());
    while let Some(c) = chars.next() {
        if c == '\\' && chars.peek().is_some_and(|next| *next == ' ') {
            word.push_str("\\ ");
            chars.next();
        } else if c == '#' && word.is_empty() {
            break;
        } else if c.is_whitespace() {
            words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()));
        } else {
            word.push(c);
        }
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

/// `@user`, `@org/team` (GitLab also `@@role`) or a mail address; anything else makes the line invalid.
fn owner_of(word: &str) -> Option<String> {
    let at = word.find('@')?;
    (at == 0 || word.rfind('@') == Some(at)).then_some(())?;
    (word.len() > 1 && at + 1 < word.len()).then(|| word.to_owned())
}

impl Section {
    fn new(rules: Vec<Rule>) -> Option<Self> {
        let mut builder = GitignoreBuilder::new("");
        let mut by_glob = HashMap::new();
        for (index, rule) in rules.iter().enumerate() {
            for glob in globs(&rule.pattern) {
                // A pattern that is not one is passed over, as GitHub does.
                if builder.add_line(None, &glob).is_ok() {
                    by_glob.insert(glob, index);
                }
            }
        }
        Some(Self { matcher: builder.build().ok()?, by_glob, rules })
    }
}

/// The pattern spelt out: itself as a file, and what lies below it as a folder.
fn globs(pattern: &str) -> Vec<String> {
    let folder_only = pattern.ends_with('/');
    let base = pattern.trim_end_matches('/').replace('{', "\\{").replace('}', "\\}");
    let anchored = base.contains('/') && !base.starts_with("**/");
    let base = match base.trim_start_matches('/') {
        "" => return vec!["/**".to_owned()],
        base if anchored => format!("/{base}"),
        base => format!("**/{}", base.trim_start_matches("**/")),
    };
    let below = format!("{base}/**");
    if folder_only {
        vec![below]
    } else if base.ends_with("/*") && base != "**/*" || base.ends_with("/**") {
        vec![base]
    } else {
        vec![base, below]
    }
}

#[cfg(test)]
mod tests {
    use super::{Codeowners, sections};
    use crate::model::Coverage;
    use crate::ownership::artefacts::Reader;
    use crate::ownership::artefacts::testing::{finding_at, tree};

    /// Who owns `path` by a file with that text.
    fn owners(text: &str, path: &str) -> Vec<String> {
        let sections = sections(text, &mut Coverage::default(), "CODEOWNERS");
        let book = super::Book { path: "CODEOWNERS".to_owned(), root: String::new(), sections };
        book.rules_for(path).flat_map(|rule| rule.owners.clone()).collect()
    }

    #[test]
    fn github_s_own_examples() {
        // https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
        let text = "# comment\n*       @global-owner1 @global-owner2\n*.js    @js-owner #inline\n*.go docs@example.com\n\
            *.txt @octo-org/octocats\n/build/logs/ @doctocat\ndocs/* docs@example.com\napps/ @octocat\n/docs/ @doctocat\n\
            /scripts/ @doctocat @octocat\n**/logs @octocat\n/apps/ @octocat\n/apps/github\n";
        for (path, expected) in [
            ("README.md", &["@global-owner1", "@global-owner2"][..]),
            ("src/a.js", &["@js-owner"]),
            ("a.go", &["docs@example.com"]),
            ("x/y/z.txt", &["@octo-org/octocats"]),
            ("scripts/a.js", &["@doctocat", "@octocat"]),
            ("build/logs/x/y", &["@octocat"]),
            ("deeply/nested/logs/x.txt", &["@octocat"]),
            ("x/apps/y", &["@octocat"]),
            ("apps/main.js", &["@octocat"]),
            ("apps/github/main.js", &[]),
            ("docs/build/x", &["@doctocat"]),
        ] {
            assert_eq!(owners(text, path), expected, "{path}");
        }
    }

    #[test]
    fn a_star_after_a_folder_goes_no_deeper() {
        let text = "docs/* @a\n/one* @b\n";
        assert_eq!(owners(text, "docs/x.md"), ["@a"]);
        assert_eq!(owners(text, "docs/y/x.md"), Vec::<String>::new());
        assert_eq!(owners(text, "x/docs/x.md"), Vec::<String>::new());
        assert_eq!(owners(text, "one-thing/deep/x"), ["@b"]);
    }

    #[test]
    fn the_last_match_wins_and_a_line_without_owners_takes_all_away() {
        assert_eq!(owners("/src/ @a\n*.js @b\n", "src/x.js"), ["@b"]);
        assert_eq!(owners("*.js @b\n/src/ @a\n", "src/x.js"), ["@a"]);
        assert_eq!(owners("* @a\n*.js @b\n* @c\n", "x.js"), ["@c"]);
        assert_eq!(owners("* @a\n/gen/\n", "gen/x"), Vec::<String>::new());
    }

    #[test]
    fn lines_that_github_passes_over() {
        let text = "* @a\n!x.js @b\n[ab].js @c\n*.py not-an-owner\n*.rb @\nx{1,2}.c @d\n/my\\ file @e\r\n";
        for path in ["x.js", "a.js", "y.py", "z.rb", "x1.c"] {
            assert_eq!(owners(text, path), ["@a"], "{path}");
        }
        assert_eq!(owners(text, "x{1,2}.c"), ["@d"]);
        assert_eq!(owners(text, "my file"), ["@e"]);
    }

    #[test]
    fn gitlab_sections_are_joined_and_have_default_owners() {
        let text = "* @all\n[Database][2] @dba\n*.sql\n/db/ @db-lead\n^[Docs]\n*.md @writers\n";
        assert_eq!(owners(text, "a.sql"), ["@all", "@dba"]);
        assert_eq!(owners(text, "db/a.sql"), ["@all", "@db-lead"]);
        assert_eq!(owners(text, "a.md"), ["@all", "@writers"]);
    }

    #[test]
    fn the_first_place_counts_and_only_at_the_root() {
        let files = [("sub/CODEOWNERS", "* @sub"), ("docs/CODEOWNERS", "* @docs"), ("CODEOWNERS", "* @org/root")];
        let owners = tree(&files).resolve(&finding_at("sub/a.py", 0..9));
        assert_eq!(owners.iter().map(|owner| owner.id.as_str()).collect::<Vec<_>>(), ["team:@org/root"]);
        assert_eq!(owners[0].evidence[0].at, "CODEOWNERS:1");
    }

    #[test]
    fn hostile_files_are_harmless() {
        assert!(!Codeowners::wants("src/CODEOWNERS.md"));
        owners(&"**/*{{{[[!\\ @a\n".repeat(1000), "a");
        owners(&format!("{} @a\n", "*a".repeat(5000)), &"a".repeat(5000));
        owners("\0 @a\n\\ @b\n/ @c\n// @d\n", "a/b");
    }
}
