//! The author of the last change to a line, by blame, without running git: nothing that the repository configures (hooks,
//! filters, text conversion, signature programs) is ever run.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gix::bstr::ByteSlice;

use crate::model::{Edge, Evidence, Owner, Tier};

/// Files larger than this are not blamed.
const LARGEST: u64 = 1 << 20;

/// Blames files of the repositories that it meets, within bounds.
pub struct GitPeople {
    repositories: HashMap<PathBuf, Option<gix::Repository>>,
    blames: HashMap<PathBuf, Option<Blame>>,
    left: usize,
    deadline: Instant,
}

/// Who last touched which lines.
struct Blame(Vec<(std::ops::Range<u64>, Author)>);

#[derive(Clone)]
struct Author {
    name: String,
    mail: String,
    commit: String,
    date: String,
}

impl GitPeople {
    /// Blames at most `files` files, and begins none after `patience`.
    pub fn new(files: usize, patience: Duration) -> Self {
        Self { repositories: HashMap::new(), blames: HashMap::new(), left: files, deadline: Instant::now() + patience }
    }

    /// Who last touched a line (from 1) of a file. Nothing where it is not known: no repository, not committed, changed since.
    pub fn author(&mut self, path: &Path, line: u64) -> Option<Owner> {
        let full = path.canonicalize().ok()?;
        if !self.blames.contains_key(&full) {
            let blame = self.blame(&full);
            self.blames.insert(full.clone(), blame);
        }
        let Blame(lines) = self.blames.get(&full)?.as_ref()?;
        let (_, author) = lines.iter().find(|(range, _)| range.contains(&line))?;
        let evidence = Evidence {
            technique: "git-blame".to_owned(),
            at: format!("commit {}", author.commit),
            value: format!("{} on {}", author.name, author.date),
        };
        let id = format!("mail:{}", author.mail);
        Some(Owner {
            edge: Edge::Custodian,
            id,
            name: author.name.clone(),
            tier: Tier::Circumstantial,
            evidence: vec![evidence],
        })
    }

    fn blame(&mut self, full: &Path) -> Option<Blame> {
        let root = full.ancestors().skip(1).find(|folder| folder.join(".git").exists())?.to_owned();
        if self.left == 0 || Instant::now() > self.deadline || full.metadata().ok()?.len() > LARGEST {
            return None;
        }
        self.left -= 1;
        let open = || gix::open_opts(&root, gix::open::Options::isolated()).ok();
        let repository = self.repositories.entry(root.clone()).or_insert_with(open).as_ref()?;
        blame(repository, full.strip_prefix(&root).ok()?, full)
    }
}

fn blame(repository: &gix::Repository, relative: &Path, full: &Path) -> Option<Blame> {
    let path = gix::path::to_unix_separators_on_windows(gix::path::into_bstr(relative).ok()?).into_owned();
    let head = repository.head_commit().ok()?;
    // Lines of a file that was changed since do not mean the same in the last commit.
    let entry = head.tree().ok()?.lookup_entry_by_path(relative).ok()??;
    if entry.object().ok()?.data != std::fs::read(full).ok()? {
        return None;
    }
    let outcome = repository.blame_file(path.as_bstr(), head.id, gix::repository::blame_file::Options::default()).ok()?;
    let mut authors: HashMap<gix::ObjectId, Option<Author>> = HashMap::new();
    let mut lines = Vec::new();
    for hunk in outcome.entries {
        let author = authors.entry(hunk.commit_id).or_insert_with(|| author(repository, hunk.commit_id)).clone();
        let start = u64::from(hunk.start_in_blamed_file) + 1;
        lines.extend(author.map(|author| (start..start + u64::from(hunk.len.get()), author)));
    }
    Some(Blame(lines))
}

fn author(repository: &gix::Repository, id: gix::ObjectId) -> Option<Author> {
    let commit = repository.find_commit(id).ok()?;
    let signature = commit.author().ok()?;
    let (name, mail) = (signature.name.to_str_lossy().into_owned(), signature.email.to_str_lossy().into_owned());
    let seconds = signature.time().ok()?.seconds;
    let date = jiff::Timestamp::from_second(seconds).ok()?.strftime("%Y-%m-%d").to_string();
    (!is_bot(&name, &mail)).then(|| Author { name, mail, commit: id.to_hex_with_len(12).to_string(), date })
}

/// A bot cannot take a leak out. Names as GitHub, GitLab and the usual services write them.
fn is_bot(name: &str, mail: &str) -> bool {
    let (name, mail) = (name.to_ascii_lowercase(), mail.to_ascii_lowercase());
    name.ends_with("[bot]")
        || mail.contains("[bot]@")
        || ["dependabot", "renovate", "github-actions", "greenkeeper", "semantic-release-bot"]
            .iter()
            .any(|bot| name.starts_with(bot))
        || mail == "noreply@github.com"
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;
    use std::time::Duration;

    use super::GitPeople;

    fn git(dir: &Path, who: &str, arguments: &[&str]) {
        let status = Command::new("git")
            .current_dir(dir)
            .args([
                "-c",
                &format!("user.name={who}"),
                "-c",
                &format!("user.email={who}@corp.example"),
                "-c",
                "commit.gpgsign=false",
            ])
            .args(arguments)
            .output()
            .expect("git is there");
        assert!(status.status.success(), "{status:?}");
    }

    fn write(dir: &Path, text: &str) {
        std::fs::write(dir.join("a.txt"), text).expect("written");
    }

    #[test]
    fn the_last_person_to_touch_a_line_is_named_and_bots_are_not() {
        let dir = tempfile::tempdir().expect("scratch");
        git(dir.path(), "x", &["init", "-q"]);
        for (who, text) in [("ann", "one\ntwo\nthree\n"), ("bob", "one\nTWO\nthree\n"), ("dependabot", "one\nTWO\nTHREE\n")]
        {
            write(dir.path(), text);
            git(dir.path(), who, &["add", "."]);
            git(dir.path(), who, &["commit", "-q", "-m", "m"]);
        }
        let ask = |line| {
            let mut people = GitPeople::new(5, Duration::from_mins(1));
            people.author(&dir.path().join("a.txt"), line).map(|owner| owner.id)
        };
        assert_eq!(ask(1).as_deref(), Some("mail:ann@corp.example"));
        assert_eq!(ask(2).as_deref(), Some("mail:bob@corp.example"));
        assert_eq!((ask(3), ask(9)), (None, None));
        write(dir.path(), "new\none\nTWO\nTHREE\n");
        assert_eq!(ask(3), None, "lines moved since the commit");
        let mut nobody = GitPeople::new(0, Duration::from_mins(1));
        assert!(nobody.author(&dir.path().join("a.txt"), 1).is_none());
    }

    #[test]
    fn a_damaged_repository_says_nothing_and_a_configured_program_is_not_run() {
        let dir = tempfile::tempdir().expect("scratch");
        git(dir.path(), "x", &["init", "-q"]);
        write(dir.path(), "one\n");
        git(dir.path(), "ann", &["add", "."]);
        git(dir.path(), "ann", &["commit", "-q", "-m", "m"]);
        let mark = dir.path().join("ran");
        let program = format!("touch {}", mark.display());
        let config = format!(
            "[core]\n\trepositoryformatversion = 0\n\tfsmonitor = {program}\n\tsshCommand = {program}\n[diff]\n\texternal = {program}\n\
             [diff \"evil\"]\n\ttextconv = {program}\n\tcommand = {program}\n[filter \"evil\"]\n\tsmudge = {program}\n\tclean = {program}\n\
             \tprocess = {program}\n[log]\n\tshowSignature = true\n[gpg]\n\tprogram = {program}\n"
        );
        std::fs::write(dir.path().join(".git/config"), config).expect("written");
        std::fs::create_dir_all(dir.path().join(".git/info")).expect("folder");
        std::fs::write(dir.path().join(".git/info/attributes"), "* diff=evil filter=evil\n").expect("written");
        std::fs::write(dir.path().join(".gitattributes"), "* diff=evil filter=evil\n").expect("written");
        let ask = || GitPeople::new(5, Duration::from_mins(1)).author(&dir.path().join("a.txt"), 1).map(|owner| owner.name);
        assert_eq!(ask().as_deref(), Some("ann"));
        assert!(!mark.exists());
        std::fs::write(dir.path().join(".git/HEAD"), "rubbish").expect("written");
        assert_eq!(ask(), None);
    }
}
