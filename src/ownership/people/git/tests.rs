//! Against repositories that the real git made.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use super::{GitLimits, GitPeople, GitTally};
use crate::model::{Edge, Finding, Owner, SystemClock, Tier};
use crate::ownership::artefacts::testing::{finding, seen};
use crate::ownership::roll::Roll;

/// A repository in a scratch folder.
struct Repo(tempfile::TempDir);

impl Repo {
    fn new(format: &str) -> Self {
        let repo = Self(tempfile::tempdir().expect("folder"));
        repo.git(&["init", "-q", "-b", "main", &format!("--object-format={format}")], "Ann <ann@corp.example>");
        repo
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, path: &str, text: &str) {
        let full = self.path().join(path);
        std::fs::create_dir_all(full.parent().expect("folder")).expect("folder");
        std::fs::write(full, text).expect("file");
    }

    fn git(&self, arguments: &[&str], author: &str) -> String {
        let (name, mail) = author.trim_end_matches('>').split_once(" <").expect("author");
        let output = Command::new("git")
            .current_dir(self.path())
            .args(arguments)
            .env_clear()
            .env("PATH", option_env!("PATH").unwrap_or("/usr/bin:/bin:/usr/local/bin"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("HOME", self.path())
            .envs(["AUTHOR", "COMMITTER"].into_iter().flat_map(|role| {
                [(format!("GIT_{role}_NAME"), name), (format!("GIT_{role}_EMAIL"), mail)]
                    .into_iter()
                    .chain([(format!("GIT_{role}_DATE"), "2026-03-01T12:00:00Z")])
            }))
            .output()
            .expect("git is installed");
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn commit(&self, path: &str, text: &str, author: &str) -> String {
        self.write(path, text);
        self.git(&["add", "--", path], author);
        self.git(&["commit", "-q", "-m", "change"], author);
        self.git(&["rev-parse", "HEAD"], author)
    }

    fn people(&self) -> GitPeople {
        GitPeople::open(self.path(), "", GitLimits::default(), Arc::new(SystemClock)).expect("opens")
    }
}

fn leak(path: &str, line: u64) -> Finding {
    let mut finding = finding("x");
    finding.occurrences.push(seen(path, line, 0..1));
    finding
}

fn ask(people: &mut GitPeople, path: &str, line: u64) -> Vec<Owner> {
    let mut roll = Roll::default();
    people.call(&leak(path, line), &mut roll);
    roll.finish()
}

fn mails(people: &mut GitPeople, path: &str, line: u64) -> Vec<String> {
    ask(people, path, line).into_iter().map(|owner| owner.id).collect()
}

const ANN: &str = "Ann <ann@corp.example>";
const BOB: &str = "Bob <bob@corp.example>";

#[test]
fn the_last_to_touch_the_line_is_named_with_the_commit() {
    for format in ["sha1", "sha256"] {
        let repo = Repo::new(format);
        let first = repo.commit("src/app.py", "one\nkey\nthree\n", ANN);
        repo.commit("src/app.py", "one\nkey\nthree changed\nfour\n", BOB);
        let mut people = repo.people();
        let owners = ask(&mut people, "src/app.py", 2);
        assert_eq!((owners[0].edge, owners[0].tier), (Edge::Custodian, Tier::Circumstantial));
        assert_eq!((owners[0].id.as_str(), owners[0].name.as_str()), ("mail:ann@corp.example", "Ann"));
        let why = &owners[0].evidence[0];
        assert_eq!((why.technique.as_str(), why.at.as_str()), ("git-blame", "src/app.py:2"));
        assert_eq!(why.value, format!("commit {} of 2026-03-01T12:00:00Z", &first[..12]));
        assert_eq!(mails(&mut people, "src/app.py", 3), ["mail:bob@corp.example"], "{format}");
        assert_eq!(people.tally(), GitTally { named: 2, ..GitTally::default() });
    }
}

#[test]
fn lines_are_those_of_the_file_on_disk() {
    let repo = Repo::new("sha1");
    repo.commit("a", "key\nlast\n", ANN);
    repo.write("a", "new\nnewer\nkey\nlast\n");
    repo.write("untracked", "key\n");
    let mut people = repo.people();
    assert_eq!(mails(&mut people, "a", 3), ["mail:ann@corp.example"]);
    for (path, line) in [("a", 1), ("untracked", 1)] {
        assert_eq!(mails(&mut people, path, line), Vec::<String>::new(), "{path}");
    }
    assert_eq!(people.tally(), GitTally { named: 1, uncommitted: 2, ..GitTally::default() });
}

#[test]
fn a_renamed_file_keeps_its_authors_and_the_mailmap_their_names() {
    let repo = Repo::new("sha1");
    let lines = (0..30).map(|n| format!("line {n}\n")).collect::<Vec<_>>().concat();
    repo.commit("old.py", &lines, "ann <ann@old.example>");
    repo.git(&["mv", "old.py", "new.py"], BOB);
    repo.commit(".mailmap", "Ann Real <ann@corp.example> <ann@old.example>\n", BOB);
    let owners = ask(&mut repo.people(), "new.py", 3);
    assert_eq!((owners[0].id.as_str(), owners[0].name.as_str()), ("mail:ann@corp.example", "Ann Real"));
}

#[test]
fn robots_and_commits_that_only_move_lines_are_nobody() {
    let repo = Repo::new("sha1");
    let moved = repo.commit("a", "key\n", ANN);
    repo.commit("b", "key\n", "renovate[bot] <29139614+renovate[bot]@users.noreply.github.com>");
    repo.commit(".git-blame-ignore-revs", &format!("# black\n{moved}  # all\nnonsense\n"), BOB);
    let mut people = repo.people();
    assert_eq!(mails(&mut people, "a", 1), Vec::<String>::new());
    assert_eq!(mails(&mut people, "b", 1), Vec::<String>::new());
    assert_eq!(people.tally(), GitTally { passed_over: 2, ..GitTally::default() });
}

#[test]
fn shown_paths_are_mapped_to_the_repository() {
    let repo = Repo::new("sha1");
    repo.commit("sub/a", "key\n", ANN);
    let open = |directory: &Path, shown: &str| {
        GitPeople::open(directory, shown, GitLimits::default(), Arc::new(SystemClock)).expect("opens")
    };
    let sub = repo.path().join("sub");
    assert_eq!(mails(&mut open(&sub, ""), "a", 1).len(), 1);
    assert_eq!(mails(&mut open(&sub, "./"), "./a", 1).len(), 1);
    assert_eq!(mails(&mut open(&sub, "x/sub/"), "x/sub/a", 1).len(), 1);
    for outside in ["../sub/a", "/sub/a", "", "other/a"] {
        assert_eq!(mails(&mut open(&sub, ""), outside, 1).len(), 0, "{outside}");
    }
}

#[test]
fn limits_end_it_and_are_told() {
    let repo = Repo::new("sha1");
    repo.commit("a", "key\nkey\n", ANN);
    repo.commit("large", &"x\n".repeat(1000), ANN);
    repo.commit("large", "x\n", BOB);
    let open = |limits| GitPeople::open(repo.path(), "", limits, Arc::new(SystemClock)).expect("opens");
    let mut one = open(GitLimits { blames: 1, ..GitLimits::default() });
    assert_eq!((mails(&mut one, "a", 1).len(), mails(&mut one, "a", 1).len(), mails(&mut one, "a", 2).len()), (1, 1, 0));
    assert_eq!(one.tally(), GitTally { named: 1, over_limit: 1, ..GitTally::default() });
    let mut late = open(GitLimits { time: Duration::ZERO, ..GitLimits::default() });
    assert_eq!(mails(&mut late, "a", 1).len(), 0);
    assert_eq!(late.tally().failed, 1);
    let mut small = open(GitLimits { file_bytes: 100, ..GitLimits::default() });
    assert_eq!(mails(&mut small, "a", 1).len(), 1);
    assert_eq!(mails(&mut small, "large", 1).len(), 0, "it was large before: nobody rather than the wrong one");
}

#[test]
fn nothing_that_the_repository_configures_is_run() {
    let repo = Repo::new("sha1");
    repo.commit(".gitattributes", "* filter=evil diff=evil\n", ANN);
    repo.commit("a", "key\n", ANN);
    repo.commit("a", "key\nmore\n", BOB);
    let touch = format!("touch {}/ran", repo.path().display());
    let config = format!(
        "[filter \"evil\"]\n\tclean = {touch}\n\tsmudge = {touch}\n\tprocess = {touch}\n\trequired = true\n[diff \"evil\"]\n\t\
         command = {touch}\n\ttextconv = {touch}\n[core]\n\tfsmonitor = {touch}\n\tpager = {touch}\n"
    );
    let path = repo.path().join(".git/config");
    let old = std::fs::read_to_string(&path).expect("config");
    std::fs::write(&path, old + &config).expect("config");
    assert_eq!(mails(&mut repo.people(), "a", 1), ["mail:ann@corp.example"]);
    assert!(!repo.path().join("ran").exists());
}

#[test]
fn a_broken_repository_knows_nothing_and_does_not_panic() {
    let repo = Repo::new("sha1");
    repo.commit("a", "key\n", ANN);
    repo.commit("a", "key\nmore\n", BOB);
    let mut people = repo.people();
    for object in walk(&repo.path().join(".git/objects")) {
        let mut about = std::fs::metadata(&object).expect("object").permissions();
        #[expect(clippy::permissions_set_readonly_false, reason = "a scratch folder")]
        about.set_readonly(false);
        std::fs::set_permissions(&object, about).expect("permissions");
        std::fs::write(&object, b"x\x9c garbage").expect("write");
    }
    assert_eq!(mails(&mut people, "a", 1).len(), 0);
    assert_eq!(people.tally(), GitTally { failed: 1, ..GitTally::default() });
    let empty = Repo::new("sha1");
    let open = |path: &Path| GitPeople::open(path, "", GitLimits::default(), Arc::new(SystemClock)).err();
    assert!(open(empty.path()).expect("no commit").to_string().contains("no commit"));
    let none = tempfile::tempdir().expect("folder");
    assert!(open(none.path()).is_some());
    std::fs::write(empty.path().join(".git/HEAD"), b"\xff\xff").expect("write");
    assert!(open(empty.path()).is_some());
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).expect("folder").map(|entry| entry.expect("entry").path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}
