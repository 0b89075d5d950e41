//! `scan --staged`: exactly what `git commit` would bring, in every way that git has of keeping it.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use super::{Repo, found, places, token};

#[test]
fn the_first_commit_and_those_after_it() {
    let repo = Repo::new();
    assert_eq!(repo.staged(), found(&[]), "not even an index");
    repo.write("not-staged", token(0));
    repo.stage("dir/sub/a.txt", format!("x\nkey = {}\n", token(1)));
    assert_eq!(repo.staged(), found(&["dir/sub/a.txt:2"]));
    repo.commit();
    assert_eq!(repo.staged(), found(&[]));
    repo.stage("dir/sub/a.txt", format!("x\nkey = {}\ny\n", token(1)));
    assert_eq!(repo.staged(), found(&[]), "an old line in a changed file");
    repo.stage("dir/sub/a.txt", format!("x\nkey = {}\nkey = {}\n", token(1), token(2)));
    repo.write("dir/sub/a.txt", "cleaned up, but not staged\n");
    assert_eq!(repo.staged(), found(&["dir/sub/a.txt:3"]));
    let output = repo.home.staunch(["scan", "--staged", "--format", "jsonl", "repo/dir"]).output();
    assert_eq!(places(&output), found(&["dir/sub/a.txt:3"]), "from elsewhere");
    assert!(output.stdout().contains(r#""provenance":{"kind":"staged"}"#), "{}", output.stdout());
}

#[test]
fn a_pair_that_a_new_line_completes_is_new() {
    let repo = Repo::new();
    let (id, secret) = (format!("AK{}", "IAQYLPMN5HFIQR7XYA"), format!("kVx7Tq2mZp9Lr4Wb8Nd3Hs6Jf1Gc5Yk0Ae{}", "/Xu+R1"));
    repo.stage("a", format!("aws_secret_access_key = {secret}\n"));
    repo.commit();
    repo.stage("a", format!("aws_access_key_id = {id}\naws_secret_access_key = {secret}\n"));
    let (places, code) = repo.staged();
    assert_eq!((places.is_empty(), code), (false, Some(1)), "its id is on a new line");
}

#[test]
fn a_file_that_only_moved_brings_nothing_and_a_copy_does() {
    let repo = Repo::new();
    let text = format!("key = {}\n", token(1));
    repo.stage("old/deep/a.txt", &text);
    repo.stage("b.txt", format!("key = {}\n", token(2)));
    repo.commit();
    repo.git(["mv", "old", "new"]);
    repo.git(["mv", "b.txt", "c.txt"]);
    assert_eq!(repo.staged(), found(&[]));
    repo.commit();
    repo.stage("copy.txt", &text);
    assert_eq!(repo.staged(), found(&["copy.txt:1"]));
}

#[test]
fn deleted_files_submodules_intents_links_and_modes() {
    let repo = Repo::new();
    repo.stage("gone", token(1));
    repo.stage("mode", token(2));
    repo.stage("became-a-folder", "x");
    repo.commit();
    repo.git(["rm", "-q", "gone", "became-a-folder"]);
    repo.git(["update-index", "--chmod=+x", "mode"]);
    repo.write("later", token(3));
    repo.git(["add", "--intent-to-add", "later"]);
    repo.git(["update-index", "--add", "--cacheinfo", &format!("160000,{},module", "1".repeat(40))]);
    assert_eq!(repo.staged(), found(&[]));
    std::os::unix::fs::symlink(format!("https://x/{}", token(4)), repo.root.join("link")).unwrap();
    repo.git(["add", "link"]);
    repo.stage("became-a-folder/x", token(5));
    assert_eq!(repo.staged(), found(&["became-a-folder/x:1", "link:1"]));
}

#[test]
fn every_kind_of_index_and_of_repository() {
    for format in ["sha1", "sha256"] {
        for version in ["2", "3", "4"] {
            let repo = Repo::with(&["--object-format", format]);
            repo.stage("dir/a", "x\n");
            repo.stage("dir/b", "x\n");
            repo.stage("c", "x\n");
            repo.commit();
            repo.git(["update-index", "--index-version", version]);
            repo.write("dir/later", "");
            repo.git(["add", "-N", "dir/later"]);
            repo.stage("dir/b", format!("x\n{}\n", token(1)));
            assert_eq!(repo.staged(), found(&["dir/b:2"]), "{format} {version}");
            repo.git(["update-index", "--split-index"]);
            assert_eq!(repo.staged(), found(&["dir/b:2"]), "{format} {version}, split");
            repo.stage("dir/new", token(2));
            repo.git(["rm", "-q", "--cached", "c"]);
            assert_eq!(repo.staged(), found(&["dir/b:2", "dir/new:1"]), "{format} {version}, split and changed");
        }
    }
}

#[test]
fn packed_objects_references_and_a_detached_head() {
    let repo = Repo::new();
    repo.stage("dir/a", format!("{}\n", token(1)));
    repo.commit();
    repo.stage("dir/a", format!("{}\nx\n", token(1)));
    repo.stage("dir/b", token(2));
    repo.git(["repack", "-adq"]);
    repo.git(["pack-refs", "--all"]);
    assert_eq!(repo.staged(), found(&["dir/b:1"]));
    repo.git(["checkout", "-q", "--detach"]);
    assert_eq!(repo.staged(), found(&["dir/b:1"]));
    repo.git(["checkout", "-q", "--orphan", "fresh"]);
    assert_eq!(repo.staged(), found(&["dir/a:1", "dir/b:1"]), "a branch without commits");
}

#[test]
fn a_sparse_index_and_a_conflict() {
    let repo = Repo::new();
    for path in ["in/a", "out/deep/a", "out/deep/b"] {
        repo.stage(path, "x\n");
    }
    repo.commit();
    repo.git(["checkout", "-q", "-b", "side"]);
    repo.stage("out/deep/b", format!("x\n{}\n", token(1)));
    repo.commit();
    repo.git(["checkout", "-q", "main"]);
    repo.git(["sparse-checkout", "set", "--cone", "--sparse-index", "in"]);
    assert!(repo.git(["ls-files", "--sparse"]).contains("out/"), "a folder is one entry");
    repo.stage("in/a", token(2));
    assert_eq!(repo.staged(), found(&["in/a:1"]));
    repo.git(["read-tree", "side"]);
    repo.git(["sparse-checkout", "reapply", "--sparse-index"]);
    let (places, _) = repo.staged();
    assert_eq!(places, ["out/deep/b:2"], "a folder that is one entry, and different");

    let repo = Repo::new();
    repo.stage("a", "x\n");
    repo.commit();
    repo.git(["checkout", "-q", "-b", "side"]);
    repo.stage("a", format!("{}\n", token(1)));
    repo.commit();
    repo.git(["checkout", "-q", "main"]);
    repo.stage("a", "z\n");
    repo.commit();
    assert_eq!(repo.try_git(&["merge", "-q", "side"]).code(), Some(1));
    assert_eq!(repo.staged(), found(&["a:1"]), "the other side's version");
}

#[test]
fn a_linked_working_tree_and_a_git_folder_elsewhere() {
    let repo = Repo::new();
    repo.stage("a", "x");
    repo.commit();
    repo.git(["worktree", "add", "-q", "../linked"]);
    let linked = repo.home.work().join("linked");
    fs::write(linked.join("b"), token(1)).unwrap();
    repo.git(["-C", linked.to_str().unwrap(), "add", "b"]);
    let staged = ["scan", "--staged", "--format", "jsonl"];
    assert_eq!(places(&repo.home.staunch(staged).current_dir(&linked).output()), found(&["b:1"]));
    assert_eq!(repo.staged(), found(&[]), "the main one has an index of its own");

    let (git, tree) = (repo.root.join(".git"), repo.home.work().join("elsewhere"));
    fs::create_dir(&tree).unwrap();
    repo.git([
        "update-index",
        "--add",
        "--cacheinfo",
        &format!("100644,{},c", repo.git(["hash-object", "-w", "../linked/b"])),
    ]);
    let run = repo.home.staunch(staged).current_dir(&tree).env("GIT_DIR", &git).env("GIT_WORK_TREE", &tree);
    assert_eq!(places(&run.output()), found(&["c:1"]));
    fs::write(tree.join(".staunch.toml"), "[[skip]]\nreason = \"r\"\npaths = [\"c\"]\n").unwrap();
    let run = repo.home.staunch(staged).current_dir(&tree).env("GIT_DIR", &git).env("GIT_WORK_TREE", &tree);
    assert_eq!(places(&run.output()), found(&[]), "the working tree's own rules");
}

#[test]
fn objects_elsewhere_are_found_where_git_says() {
    let repo = Repo::new();
    repo.stage("a", "x");
    repo.commit();
    let (more, own) = (repo.home.work().join("more: \"objects\""), repo.root.join(".git/objects"));
    fs::create_dir(&more).unwrap();
    let quoted = format!("\"{}\"", own.to_str().unwrap());
    let with = |run: crate::harness::program::Run| {
        run.env("GIT_OBJECT_DIRECTORY", &more).env("GIT_ALTERNATE_OBJECT_DIRECTORIES", &quoted)
    };
    repo.write("b", token(1));
    assert_eq!(with(repo.program("git", ["add", "b"])).output().code(), Some(0));
    let staged = ["scan", "--staged", "--format", "jsonl"];
    let run = || repo.home.staunch(staged).current_dir(&repo.root);
    assert_eq!(places(&with(run()).output()), found(&["b:1"]));
    let without = run().output();
    assert_eq!(without.code(), Some(2));
    assert!(without.stdout().contains("is missing"), "{}", without.stdout());
}

#[test]
fn odd_names_are_names() {
    let repo = Repo::new();
    repo.stage("plain", "x");
    repo.commit();
    let names: [&[u8]; 5] = [b"-rf", b"a\nb", b"q\"uo'te", b"caf\xe9", b" space "];
    for (name, number) in names.iter().zip(1..) {
        fs::write(repo.root.join(OsStr::from_bytes(name)), token(number)).unwrap();
    }
    repo.git(["add", "."]);
    let expected = [" space :1", "-rf:1", "a\nb:1", "caf\\xe9:1", "q\"uo'te:1"];
    assert_eq!(repo.staged(), found(&expected));
    let human = repo.staunch(&["hook", "run"]);
    assert!(human.stdout().contains("a\\nb:1"), "{}", human.stdout());
}

#[test]
fn markers_and_rules_are_those_of_any_scan() {
    let repo = Repo::new();
    repo.write(".staunch.toml", "[[allow]]\nreason = \"samples\"\npaths = [\"samples/\"]\n");
    repo.stage("a", format!("{} # staunch:allow a sample\n", token(1)));
    repo.stage("samples/a", token(2));
    assert_eq!(repo.staged(), found(&[]));
    let output = repo.staunch(&["scan", "--staged", "--untrusted", "--format", "jsonl"]);
    assert_eq!(places(&output), found(&["a:1", "samples/a:1"]));
    repo.commit();
    repo.stage("a", format!("{} # staunch:allow a sample\nx\n", token(1)));
    let output = repo.staunch(&["scan", "--staged", "--format", "jsonl"]);
    assert!(output.stdout().contains(r#""allowed":{}"#), "an old line is nobody's concern: {}", output.stdout());
}
