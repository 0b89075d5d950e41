//! What git tracks is read, whatever `.gitignore` says of it: it is in every clone.

use super::{Repo, found, places, token};

impl Repo {
    /// What `scan` reports of a folder, as `path:line`, and its exit code.
    fn scanned(&self, folder: &str) -> (Vec<String>, Option<i32>) {
        let output = self.home.staunch(["scan", "--format", "jsonl"]).current_dir(&self.root.join(folder)).output();
        places(&output)
    }
}

#[test]
fn tracked_files_are_read_where_gitignore_names_them_and_others_are_not() {
    let repo = Repo::new();
    let paths = ["app.log", "logs/a.log", "node_modules/x/y.js", "node_modules/x/z.js", "other.log", "build/b.txt"];
    for (number, path) in (0..).zip(paths) {
        repo.write(path, format!("HF={}\n", token(number)));
    }
    repo.git(["add", "app.log", "logs/a.log", "node_modules/x/y.js"]);
    repo.write(".gitignore", "*.log\nnode_modules/\nbuild/\nsecond/\n");
    assert_eq!(repo.scanned("."), found(&["app.log:1", "logs/a.log:1", "node_modules/x/y.js:1"]));
    assert_eq!(repo.scanned("logs"), found(&["a.log:1"]));
    repo.git(["add", ".gitignore"]);
    repo.commit();
    repo.git(["worktree", "add", "-q", "second"]);
    assert_eq!(repo.scanned("second"), found(&["app.log:1", "logs/a.log:1", "node_modules/x/y.js:1"]));
}

#[test]
fn an_index_that_cannot_be_read_is_said_where_it_matters() {
    let repo = Repo::new();
    repo.stage("a.log", format!("HF={}\n", token(1)));
    repo.write(".git/index", "nonsense, and as much of it as an index has at the least");
    assert_eq!(repo.scanned("."), found(&["a.log:1"]));
    repo.write(".gitignore", "*.log\n");
    let output = repo.staunch(&["scan"]);
    assert_eq!(output.code(), Some(2), "{}", output.stderr());
    let all = format!("{}{}", output.stdout(), output.stderr());
    assert!(all.contains("which ignored files git tracks cannot be told"), "{all}");
}
