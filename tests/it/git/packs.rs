//! Packs as git leaves them when it is stopped, and when somebody takes something away.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::super::history::{Repo, scan, token};
use crate::harness::program::Home;

fn in_packs(repo: &Repo, ending: &str) -> Vec<PathBuf> {
    let all = fs::read_dir(repo.path.join(".git/objects/pack")).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.extension().is_some_and(|found| found == ending)).collect()
}

/// A repository with ten versions of a file, the first with a token of its own and all with another.
fn versions(home: &Home, name: &str, options: &[&str]) -> (Repo, Vec<String>) {
    let repo = Repo::new(home, name, options);
    let line = |n: u32| format!("line {n} {}\n", n * 7919);
    let mut text = (0..200).map(line).collect::<Vec<_>>().concat() + &format!("{}\n", token('B'));
    repo.write("a", &format!("{}\n{text}", token('A')));
    let mut commits = vec![repo.commit("first")];
    for n in 0..9 {
        text.push_str(&line(1000 + n));
        repo.write("a", &text);
        commits.push(repo.commit("next"));
    }
    repo.git(&["repack", "-q", "-a", "-d", "-f"]);
    (repo, commits)
}

#[test]
fn a_pack_without_its_index_is_read_like_any_other() {
    for (name, options) in [("one", &[][..]), ("two", &["--object-format=sha256"])] {
        let home = Home::new();
        let (repo, commits) = versions(&home, name, options);
        let expected = [format!("a:1 {} A", commits[0]), format!("a:202 {} B", commits[0])];
        let check = |step: &str| {
            let (places, coverage, output) = scan(&home, &["--branch", "main", name]);
            assert_eq!(places, expected, "{step}: {}", output.stdout());
            assert_eq!(output.code(), Some(1), "{step}: {coverage}");
        };
        check("with");
        for ending in ["idx", "rev"] {
            for path in in_packs(&repo, ending) {
                fs::remove_file(path).unwrap();
            }
        }
        check("without");
        let pack = in_packs(&repo, "pack").pop().unwrap();
        fs::rename(&pack, pack.with_file_name("tmp_pack_Xy12Ab")).unwrap();
        check("never finished");
    }
}

#[test]
fn a_clone_that_was_killed_shows_what_had_come() {
    let home = Home::new();
    let (repo, _) = versions(&home, "r", &[]);
    let bytes = fs::read(in_packs(&repo, "pack").pop().unwrap()).unwrap();
    let killed = Repo::new(&home, "killed", &[]);
    let folder = killed.path.join(".git/objects/pack");
    fs::write(folder.join("tmp_pack_Xy12Ab"), &bytes[..bytes.len() - 40]).unwrap();
    let (places, coverage, output) = scan(&home, &["--history", "killed"]);
    assert!(places.iter().any(|place| place.ends_with('B')), "{places:?}");
    assert_eq!(output.code(), Some(2), "{coverage}");
    assert!(output.stdout().contains("objects, ") && output.stdout().contains("cannot be read"), "{}", output.stdout());
}

/// What goes over the wire in a fetch: made from objects that the other side has.
#[test]
fn a_fetch_that_was_killed_is_made_from_what_was_there() {
    let home = Home::new();
    let (repo, _) = versions(&home, "r", &[]);
    let clone = home.work().join("clone");
    repo.git(&["clone", "-q", "--no-local", ".", clone.to_str().unwrap()]);
    let text = fs::read_to_string(repo.path.join("a")).unwrap();
    repo.write("a", &format!("{text}{}\n", token('C')));
    let last = repo.commit("last");
    let thin = thin(&repo.path, &format!("{last}\n^{last}~1\n"));
    fs::write(clone.join(".git/objects/pack/tmp_pack_Xy12Ab"), thin).unwrap();
    let (places, coverage, output) = scan(&home, &["--history", "clone"]);
    assert!(places.iter().any(|place| place.contains(&last) && place.ends_with('C')), "{places:?}");
    assert_eq!(output.code(), Some(1), "{coverage}");
}

/// A multi-pack-index only says which pack has what: each pack has its own index as well, and where it has none (git reads such
/// a repository through the multi-pack-index alone), the pack is read as any without one.
#[test]
fn a_multi_pack_index_hides_nothing() {
    let home = Home::new();
    let repo = Repo::new(&home, "r", &[]);
    let tokens = ['A', 'B', 'C', 'D'];
    for letter in tokens {
        repo.write("a", &format!("{}\n", token(letter)));
        repo.commit("next");
        repo.git(&["repack", "-q", "-d"]);
    }
    // And one that nothing reaches.
    repo.write("lost", &format!("{}\n", token('E')));
    repo.git(&["add", "lost"]);
    repo.git(&["repack", "-q", "-d"]);
    repo.git(&["rm", "-q", "-f", "lost"]);
    let check = |step: &str| {
        let (places, coverage, output) = scan(&home, &["--history", "r"]);
        let packed = places.iter().filter(|place| !place.contains(" disk "));
        let mut found: Vec<char> = packed.filter_map(|place| place.chars().last()).collect();
        found.sort_unstable();
        assert_eq!(found, ['A', 'B', 'C', 'D', 'E'], "{step}: {places:?}");
        assert_eq!(output.code(), Some(1), "{step}: {coverage}");
    };
    let midx = repo.path.join(".git/objects/pack/multi-pack-index");
    check("many packs");
    repo.git(&["multi-pack-index", "write"]);
    assert!(midx.is_file());
    check("with a multi-pack-index");
    let indexes = in_packs(&repo, "idx");
    let kept: Vec<Vec<u8>> = indexes.iter().map(|path| fs::read(path).unwrap()).collect();
    for path in &indexes {
        fs::remove_file(path).unwrap();
    }
    check("with it alone");
    indexes.iter().zip(kept).for_each(|(path, bytes)| fs::write(path, bytes).unwrap());
    repo.git(&["multi-pack-index", "repack", "--batch-size=1"]);
    check("two packed into one");
    repo.git(&["multi-pack-index", "expire"]);
    check("without what that made superfluous");
    repo.git(&["repack", "-q", "-d", "--geometric=2", "--write-midx"]);
    check("geometric");
    repo.git(&["multi-pack-index", "write", "--bitmap"]);
    check("with bitmaps");
    fs::remove_file(&midx).unwrap();
    repo.git(&["repack", "-q", "-d", "--cruft", "--write-midx"]);
    check("with a cruft pack");
}

/// Whoever changes an object behind its name leaves a history that says something else than it holds.
#[test]
fn an_object_that_is_not_what_its_name_says_is_reported_and_looked_at() {
    let home = Home::new();
    let repo = Repo::new(&home, "r", &[]);
    repo.write("a", "nothing\n");
    repo.write("b", &format!("{}\n", token('B')));
    let commit = repo.commit("both");
    let loose = |path: &str| {
        let name = repo.git(&["rev-parse", &format!("HEAD:{path}")]);
        (repo.path.join(".git/objects").join(&name[..2]).join(&name[2..]), name)
    };
    let ((a, name), (b, _)) = (loose("a"), loose("b"));
    fs::remove_file(&a).unwrap();
    fs::copy(b, a).unwrap();
    let (places, coverage, output) = scan(&home, &["--branch", "main", "r"]);
    assert_eq!(places, [format!("a:1 {commit} B"), format!("b:1 {commit} B")]);
    assert_eq!(output.code(), Some(2), "{coverage}");
    let why = format!("object {name}: its bytes are not those that its name stands for");
    assert!(coverage.to_string().contains(&why), "{coverage}");
}

fn thin(path: &Path, revisions: &str) -> Vec<u8> {
    use std::io::Write;
    let mut git = Command::new("git");
    git.args(["pack-objects", "-q", "--thin", "--revs", "--stdout"]).current_dir(path);
    let mut child = git.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(revisions.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    output.stdout
}
