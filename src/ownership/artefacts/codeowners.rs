//! CODEOWNERS: who must look at a change of that path, hence who must remove a leak from it. That is custody, not ownership
//! of the identity. Source: GitHub docs, "About code owners": the last matching line wins, a line without owners un-owns.

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::{folder_of, name_of};
use crate::model::{Edge, Evidence, Owner, Tier};

/// GitHub ignores larger files.
const LARGEST: usize = 3 << 20;

/// Whether a path is one, in any of the places where GitHub looks.
pub(super) fn is_one(path: &str) -> bool {
    name_of(path) == "CODEOWNERS"
}

/// A CODEOWNERS file.
#[derive(Debug)]
pub(super) struct File {
    path: String,
    /// The repository's root as paths show it, with its slash; empty at the top.
    pub(super) root: String,
    /// Greater is looked in first.
    pub(super) rank: u8,
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    number: usize,
    matcher: Gitignore,
    /// `docs/*` is about the files in that folder, not about those in folders below it; gitignore differs here.
    files_only: bool,
    owners: Vec<String>,
}

impl File {
    pub(super) fn read(path: &str, text: &str) -> Self {
        let folder = folder_of(path);
        let inner = [(".github/", 3), ("docs/", 1), (".gitlab/", 1)]
            .iter()
            .find(|(name, _)| folder.strip_suffix(name).is_some_and(|head| head.is_empty() || head.ends_with('/')));
        let (root, rank) = inner.map_or((folder, 2), |(name, rank)| (&folder[..folder.len() - name.len()], *rank));
        let text = if text.len() > LARGEST { "" } else { text };
        let lines = text.lines().enumerate().filter_map(|(n, line)| Line::read(n + 1, line)).collect();
        Self { path: path.to_owned(), root: root.to_owned(), rank, lines }
    }

    /// The owners of a path below the root.
    pub(super) fn owners(&self, path: &str) -> Vec<Owner> {
        let relative = path.strip_prefix(&self.root).unwrap_or(path).trim_start_matches('/');
        let matches = |line: &&Line| line.matches(relative);
        let Some(line) = self.lines.iter().rev().find(matches) else { return Vec::new() };
        let owner = |name: &String| {
            let id = if name.starts_with('@') { format!("team:{name}") } else { format!("mail:{name}") };
            let at = format!("{}:{}", self.path, line.number);
            let evidence = Evidence { technique: "codeowners".to_owned(), at, value: name.clone() };
            Owner { edge: Edge::Custodian, id, name: name.clone(), tier: Tier::Circumstantial, evidence: vec![evidence] }
        };
        line.owners.iter().map(owner).collect()
    }
}

impl Line {
    fn matches(&self, relative: &str) -> bool {
        if self.files_only {
            self.matcher.matched(relative, false).is_ignore()
        } else {
            self.matcher.matched_path_or_any_parents(relative, false).is_ignore()
        }
    }

    fn read(number: usize, line: &str) -> Option<Self> {
        let line = line.split(" #").next().unwrap_or_default().trim();
        // `[Section]` is GitLab's. `!` and `[]` have no meaning in GitHub's patterns; such lines are skipped, as there.
        if line.is_empty() || line.starts_with(['#', '[', '^', '!']) {
            return None;
        }
        let mut words = line.split_whitespace();
        let pattern = words.next()?;
        let mut builder = GitignoreBuilder::new("");
        builder.add_line(None, pattern).ok()?;
        let files_only = pattern.ends_with("/*");
        Some(Self { number, matcher: builder.build().ok()?, files_only, owners: words.map(str::to_owned).collect() })
    }
}
