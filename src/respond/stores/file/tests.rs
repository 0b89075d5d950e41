//! Files of settings: replaced whole, only as they were read, under a lock; and never one that git would commit.

use serde_json::json;

use super::super::tests::{NEW, OLD, hands, late, moved, open, says, write};
use crate::respond::actions::Trouble;
use crate::respond::testing::Provider;

#[cfg(unix)]
#[tokio::test]
async fn a_file_is_replaced_whole_with_its_mode_and_only_as_it_was_read() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("scratch");
    let path = dir.path().join(".env");
    std::fs::write(&path, format!("A=1\r\nKEY='{OLD}' # {OLD}x\n")).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("set");
    let provider = Provider::new(|_| Vec::new());
    let (hands, store) = (hands(&provider), open("file", path.to_str().expect("text")));
    let before = store.read(&hands).await.expect("it reads");
    // What a process that died has left.
    std::fs::write(dir.path().join("..env.staunch-new"), "left").expect("written");
    moved(&*store, &hands).await;
    assert_eq!(std::fs::read_to_string(&path).expect("the file"), format!("A=1\r\nKEY='{NEW}' # {OLD}x\n"));
    assert_eq!(std::fs::metadata(&path).expect("the file").permissions().mode() & 0o777, 0o640);
    late(&*store, &hands, &before).await;
    assert_eq!(std::fs::read_dir(dir.path()).expect("the folder").count(), 1, "nothing is left beside it");
    std::os::unix::fs::symlink(&path, dir.path().join("link")).expect("a link");
    let link = open("file", dir.path().join("link").to_str().expect("text"));
    assert!(matches!(link.read(&hands).await, Err(Trouble::Refused { .. })), "a link is not the file");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_keeps_its_mode_and_attributes_and_waits_for_another_run() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(".env");
    std::fs::write(&path, format!("KEY={OLD}\n")).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("a mode");
    let flags = rustix::fs::XattrFlags::empty();
    let has_attributes = rustix::fs::setxattr(&path, c"user.note", b"kept", flags).is_ok();
    let provider = Provider::new(|_| says(500, &json!({})));
    let (hands, store) = (hands(&provider), open("file", path.to_str().expect("text")));
    let before = store.read(&hands).await.expect("it reads");
    // Somebody holds the folder for a moment.
    let held = std::fs::File::open(folder.path()).expect("the folder");
    held.lock().expect("its lock");
    let freed = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(50));
        drop(held);
    });
    store.write(&hands, &write(&before)).await.expect("it writes");
    freed.join().expect("it ends");
    assert_eq!(std::fs::read_to_string(&path).expect("text"), format!("KEY={NEW}\n"));
    assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o640);
    if has_attributes {
        let mut value = [0; 8];
        let length = rustix::fs::getxattr(&path, c"user.note", &mut value[..]).expect("it is kept");
        assert_eq!(&value[..length], b"kept");
    }
    late(&*store, &hands, &before).await;
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 1, "nothing is left beside it");
}

#[test]
fn a_file_that_git_would_commit_is_no_store() {
    let root = tempfile::tempdir().expect("a folder");
    let path = |name: &str| root.path().join(name);
    std::fs::create_dir_all(path("app/.git/info")).expect("made");
    std::fs::create_dir_all(path("app/sub")).expect("made");
    let shared = |name: &str| super::super::is_shared(&path(name));
    assert!(!shared(".env") && shared("app/.env") && shared("app/sub/.env"), "outside of a repository, and in it");
    std::fs::write(path("app/.gitignore"), "*.env\n").expect("written");
    assert!(!shared("app/.env") && !shared("app/sub/.env"));
    std::fs::write(path("app/sub/.gitignore"), "!.env\n").expect("written");
    assert!(!shared("app/.env") && shared("app/sub/.env"));
    std::fs::write(path("app/.gitignore"), "").expect("written");
    std::fs::write(path("app/.git/info/exclude"), "/.env\n").expect("written");
    assert!(!shared("app/.env"));
}
