//! The demo is the README's first command: it must work anywhere, tell the truth, and leave nothing.

use std::fs;

use crate::harness::program::Home;

#[test]
fn the_demo_contains_its_key_and_leaves_nothing_behind() {
    let home = Home::new();
    let scratch = home.root().join("tmp");
    fs::create_dir(&scratch).unwrap();
    let output = home.staunch(["demo"]).env("TMPDIR", &scratch).env("AWS_ACCESS_KEY_ID", "not-to-be-used").output();
    assert_eq!(output.code(), Some(0), "{}", output.stderr());
    let text = output.stdout();
    for wanted in [
        "2 live keys",
        "used by   k8s:payments/Deployment/api/app (bound",
        "owner     team:payments (declared",
        "prove-refused        ok",
        "is refused now",
    ] {
        assert!(text.contains(wanted), "{wanted} in {text}");
    }
    assert!(!text.contains(scratch.to_str().unwrap()), "no path of this machine");
    assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0);
    assert_eq!(fs::read_dir(home.work()).unwrap().count(), 0);
}
