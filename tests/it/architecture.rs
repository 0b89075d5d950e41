//! The rooms of the house and which may name which. This table is the architecture document: change it in the commit
//! that changes the rule. Growing a room is fine, a new door needs a reason.

mod check;
mod tokens;

use std::fs;
use std::path::Path;

/// A room of `src/` and the rooms that its code may name, besides itself. Its tests may name any.
pub(crate) struct Room {
    name: &'static str,
    may_name: &'static [&'static str],
}

/// May name every room.
const EVERY_DOOR: &str = "cli";
/// The one place where threads meet async.
const THREADS_AND_ASYNC: &str = "scan";

const ROOMS: &[Room] = &[
    // bytes that cannot be printed, cloned by accident or kept after use; redaction; keyed fingerprint
    Room { name: "secret", may_name: &[] },
    // strict reading of declared TOML files, every mistake with its line
    Room { name: "declared", may_name: &[] },
    // the nouns
    Room { name: "model", may_name: &["secret"] },
    // texts, flags and variables handed in → checked settings
    Room { name: "config", may_name: &["secret", "model", "declared"] },
    // where local bytes come from
    Room { name: "source", may_name: &["secret", "model"] },
    // a detector file → compiled set; prefilter, match, decode, assemble, score, suppress
    Room { name: "detect", may_name: &["secret", "model", "declared"] },
    // the only door to the network
    Room { name: "net", may_name: &["secret", "model"] },
    // a remote image or repository → a reader or a scratch folder for `source`
    Room { name: "fetch", may_name: &["secret", "model", "net"] },
    // findings, runs and cursors on disk
    Room { name: "store", may_name: &["secret", "model"] },
    // signatures, envelopes, statements, trust roots
    Room { name: "attest", may_name: &["secret", "model"] },
    // credential → liveness and identity
    Room { name: "validate", may_name: &["secret", "model", "detect", "net"] },
    // finding → workload → owner, with the evidence for each arrow
    Room { name: "ownership", may_name: &["secret", "model", "net"] },
    // the pipeline
    Room {
        name: "scan",
        may_name: &["secret", "model", "config", "source", "fetch", "detect", "net", "store", "validate", "ownership"],
    },
    // plan, approve, journal, execute; never uses cached liveness
    Room { name: "respond", may_name: &["secret", "model", "declared", "detect", "net", "store", "validate", "attest"] },
    // an embedded provider that speaks the wire protocols
    Room { name: "sandbox", may_name: &["secret", "model"] },
    // the whole chain on a sacrificial credential, for drill and demo
    Room {
        name: "drill",
        may_name: &[
            "secret",
            "model",
            "detect", // the set that it scans with is handed in
            "config",
            "net",
            "store",
            "validate",
            "ownership",
            "scan",
            "respond",
            "sandbox",
            "attest",
        ],
    },
    // manifest + evidence → verdict
    Room { name: "readiness", may_name: &["secret", "model", "attest"] },
    // many repositories and images over a queue
    Room { name: "sweep", may_name: &["secret", "model", "config", "net", "fetch", "store", "scan"] },
    // pure renderers
    Room { name: "report", may_name: &["model"] },
    // clap, one file per subcommand, wiring, printing, exit codes; `src/main.rs` counts as this room
    Room { name: EVERY_DOOR, may_name: &[] },
];

/// (path from the root with `/`, text) of every Rust file under `folder`.
fn files(folder: &Path, path: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{path}/{}", entry.file_name().into_string().unwrap());
        if entry.file_type().unwrap().is_dir() {
            files.extend(self::files(&entry.path(), &path));
        } else if entry.path().extension().is_some_and(|extension| extension == "rs") {
            files.push((path, fs::read_to_string(entry.path()).unwrap()));
        }
    }
    files
}

#[test]
fn the_house_stands() {
    let files = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "src");
    assert!(files.iter().any(|(path, _)| path == "src/lib.rs"), "nothing was looked at");
    let broken = check::check(&files);
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn the_table_is_sound() {
    for (at, room) in ROOMS.iter().enumerate() {
        assert!(ROOMS[..at].iter().all(|other| other.name != room.name), "{} stands twice", room.name);
        for named in room.may_name {
            let door = ROOMS.iter().find(|other| other.name == *named).unwrap_or_else(|| panic!("{named} is no room"));
            assert!(!door.may_name.contains(&room.name), "{} and {named} name each other", room.name);
        }
    }
}
