//! Who last touched a leaked line, from the repository's own history, without running git or anything else.
//!
//! The repository may be hostile. It is opened isolated: no environment, no system or user configuration, no includes, and
//! none of its own settings is believed beyond what the object format needs. There are no filters, no text converters and
//! no attributes, hence no program to run. Objects are read through a guard that refuses large ones and everything after
//! the time is up, so a long history ends in "nothing known". A panic inside gix costs that one answer, too.
//!
//! Uncommitted lines and untracked files have no author. A commit listed in `.git-blame-ignore-revs` moved the line
//! rather than wrote it; blame cannot look behind it yet, so nobody is named. Shallow clones mostly end in "nothing
//! known" as well, since the line's commit is not there.

mod guard;

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gix::bstr::BStr;
use gix::objs::FindExt;
use gix::{ObjectId, Repository, blame, diff};
use jiff::Timestamp;

use super::bots::is_bot;
use crate::model::{Clock, Edge, Finding, Owner, Provenance, Tier};
use crate::ownership::OwnershipError;
use crate::ownership::roll::{Roll, clean, evidence, owner};
use guard::{Guard, differ, open};

/// How much may be spent on history.
#[derive(Debug, Clone, Copy)]
pub struct GitLimits {
    /// Lines looked up in one run.
    pub blames: u32,
    /// Time for all of them together, from the first on.
    pub time: Duration,
    /// Files larger than this, now or at any point in their history, are not looked at.
    pub file_bytes: u64,
}

impl Default for GitLimits {
    /// 200 lines, 20 seconds, 1 MiB.
    fn default() -> Self {
        Self { blames: 200, time: Duration::from_secs(20), file_bytes: 1 << 20 }
    }
}

/// What came of it, in lines asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GitTally {
    /// An author was named.
    pub named: u32,
    /// The author is a robot, or the commit only moved the line.
    pub passed_over: u32,
    /// Not in a commit, or not a file of this repository.
    pub uncommitted: u32,
    /// The repository could not answer: broken, shallow, too large, or out of time.
    pub failed: u32,
    /// Not asked, because the limits were used up.
    pub over_limit: u32,
}

/// A repository that can be asked for authors.
pub struct GitPeople {
    repo: Repository,
    worktree: PathBuf,
    head: ObjectId,
    /// From a shown path to one in the repository: what to take away, what to put before.
    shown: String,
    inside: String,
    mailmap: gix::mailmap::Snapshot,
    movers: HashSet<ObjectId>,
    guard: Guard,
    limits: GitLimits,
    started: bool,
    tally: GitTally,
    known: HashMap<(String, u64), Option<Author>>,
}

#[derive(Debug, Clone)]
struct Author {
    name: String,
    mail: String,
    commit: String,
    date: String,
}

impl GitPeople {
    /// Opens the repository that `directory` lies in. `shown` is how that directory appears at the beginning of shown
    /// paths: `""` where they are relative to it.
    ///
    /// # Errors
    /// When there is no repository, no commit yet, no working tree, or it cannot be read.
    pub fn open(directory: &Path, shown: &str, limits: GitLimits, clock: Arc<dyn Clock>) -> Result<Self, OwnershipError> {
        let unreadable = |_| OwnershipError::Repository;
        let directory = directory.canonicalize().map_err(unreadable)?;
        let repo = quietly(|| open(&directory)).ok_or(OwnershipError::Repository)?;
        let worktree = repo.workdir().ok_or(OwnershipError::NoWorktree)?.canonicalize().map_err(unreadable)?;
        let inside = directory.strip_prefix(&worktree).map_err(|_| OwnershipError::Repository)?;
        let inside = inside.to_str().ok_or(OwnershipError::Repository)?.replace('\\', "/");
        let head = quietly(|| repo.head_id().ok().map(gix::Id::detach)).ok_or(OwnershipError::NoCommit)?;
        let mut people = Self {
            worktree,
            head,
            shown: with_slash(shown.trim_start_matches("./")),
            inside: with_slash(&inside),
            mailmap: gix::mailmap::Snapshot::default(),
            movers: HashSet::new(),
            guard: Guard::new(&repo, clock, limits.file_bytes),
            limits,
            started: false,
            tally: GitTally::default(),
            known: HashMap::new(),
            repo,
        };
        people.read_lists();
        Ok(people)
    }

    /// What came of all questions so far.
    pub fn tally(&self) -> GitTally {
        self.tally
    }

    /// The authors of a finding's lines in the working tree.
    pub(in crate::ownership) fn call(&mut self, finding: &Finding, roll: &mut Roll) {
        for seen in finding.occurrences.iter().filter(|seen| matches!(seen.provenance, Provenance::Worktree)) {
            if let Some(author) = self.author(&seen.path, seen.location.line) {
                roll.add(author.custodian(&seen.path, seen.location.line));
            }
        }
    }

    fn author(&mut self, shown: &str, line: u64) -> Option<Author> {
        let key = (shown.to_owned(), line);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        if self.limits.blames == 0 {
            self.tally.over_limit += 1;
            return None;
        }
        self.limits.blames -= 1;
        let answer = catch_unwind(AssertUnwindSafe(|| self.ask(shown, line))).unwrap_or(Answer::Failed);
        let author = match answer {
            Answer::Author(author) => {
                self.tally.named += 1;
                Some(author)
            }
            other => {
                *match other {
                    Answer::Uncommitted => &mut self.tally.uncommitted,
                    Answer::PassedOver => &mut self.tally.passed_over,
                    _ => &mut self.tally.failed,
                } += 1;
                None
            }
        };
        self.known.insert(key, author.clone());
        author
    }

    fn ask(&mut self, shown: &str, line: u64) -> Answer {
        let Some(path) = self.path_of(shown) else { return Answer::Uncommitted };
        let Ok(line) = u32::try_from(line) else { return Answer::Failed };
        let Some(contents) = self.contents(&path) else { return Answer::Failed };
        if !self.started {
            self.started = true;
            self.guard.start(self.limits.time);
        }
        let Some(commit) = self.blame(&path, contents, line) else { return Answer::Failed };
        if commit.is_null() {
            return Answer::Uncommitted;
        }
        if self.movers.contains(&commit) {
            return Answer::PassedOver;
        }
        self.read_author(commit).unwrap_or(Answer::Failed)
    }

    /// The path in the repository, or `None` when it is not one of its.
    fn path_of(&self, shown: &str) -> Option<String> {
        let path = shown.trim_start_matches("./").strip_prefix(&self.shown)?;
        let plain = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        (plain && !path.is_empty()).then(|| format!("{}{path}", self.inside))
    }

    /// The file as it lies on disk, since that is what the line counts in.
    fn contents(&self, path: &str) -> Option<Vec<u8>> {
        let full = self.worktree.join(path);
        let about = full.symlink_metadata().ok()?;
        let stays = full.canonicalize().ok()?.starts_with(&self.worktree);
        (stays && about.is_file() && about.len() <= self.limits.file_bytes).then_some(())?;
        std::fs::read(full).ok()
    }

    /// The commit that last touched a line; the null id for a line in no commit.
    fn blame(&self, path: &str, contents: Vec<u8>, line: u32) -> Option<ObjectId> {
        let mut differ = differ(&self.worktree, self.repo.object_hash());
        let options = blame::Options {
            // git's own default: with histogram, 5 of 262 lines of a real history led to another commit than `git blame` names.
            diff_algorithm: diff::blob::Algorithm::Myers,
            ranges: blame::BlameRanges::from_one_based_inclusive_range(line..=line).ok()?,
            rewrites: Some(diff::Rewrites { limit: 200, ..diff::Rewrites::default() }),
            ..blame::Options::default()
        };
        let start = blame::Start::Contents { first_suspect: self.head, contents: contents.into() };
        let outcome = blame::file(&self.guard, start, None, &mut differ, BStr::new(path), options).ok()?;
        outcome.entries.first().map(|entry| entry.commit_id)
    }

    fn read_author(&self, commit: ObjectId) -> Option<Answer> {
        let mut buffer = Vec::new();
        let commit_ref = self.guard.find_commit(&commit, &mut buffer).ok()?;
        let author = commit_ref.author().ok()?;
        let seconds = author.time().ok()?.seconds;
        let who = self.mailmap.resolve(author);
        let (name, mail) = (clean(&who.name.to_string()), clean(&who.email.to_string()));
        if mail.is_empty() || is_bot(&name, &mail) {
            return Some(Answer::PassedOver);
        }
        let date = Timestamp::from_second(seconds).map_or_else(|_| "unknown date".to_owned(), |date| date.to_string());
        Some(Answer::Author(Author { name, mail, commit: commit.to_hex_with_len(12).to_string(), date }))
    }

    /// `.mailmap` and `.git-blame-ignore-revs` as they are in the commit. Either may be missing or nonsense.
    fn read_lists(&mut self) {
        let read = |name| quietly(|| self.guard.file_at_root(self.head, name)).unwrap_or_default();
        let (mailmap, movers) = (read(".mailmap"), read(".git-blame-ignore-revs"));
        self.mailmap = gix::mailmap::Snapshot::from_bytes(&mailmap);
        let words = movers.split(|b| *b == b'\n').map(|line| line.split(|b| *b == b'#').next().unwrap_or_default());
        self.movers = words.filter_map(|word| ObjectId::from_hex(word.trim_ascii()).ok()).collect();
    }
}

enum Answer {
    Author(Author),
    PassedOver,
    Uncommitted,
    Failed,
}

impl Author {
    fn custodian(&self, path: &str, line: u64) -> Owner {
        let mut custodian = owner(Edge::Custodian, format!("mail:{}", self.mail), self.name.clone(), Tier::Circumstantial);
        let value = format!("commit {} of {}", self.commit, self.date);
        custodian.evidence.push(evidence("git-blame", format!("{path}:{line}"), value));
        custodian
    }
}

/// Runs something on the repository; a panic is no answer.
fn quietly<T>(ask: impl FnOnce() -> Option<T>) -> Option<T> {
    catch_unwind(AssertUnwindSafe(ask)).ok().flatten()
}

fn with_slash(folder: &str) -> String {
    match folder.trim_end_matches('/') {
        "" | "." => String::new(),
        folder => format!("{folder}/"),
    }
}

#[cfg(test)]
mod tests;
