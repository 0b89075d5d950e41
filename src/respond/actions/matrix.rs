//! The table of actions, made from the registry: what each needs, does, and how it is undone or why not, and against what it was tried.
//! Of the last the registry knows nothing: it is told here for software that nobody here wrote, by the test that does it, and that test must
//! name what it is said to try. Everything else was tried against answers that were written from documentation, which must be so too.
//!
//! `INSTA_UPDATE=always cargo nextest run table_of_actions` writes the table anew (`snapshots/`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::{Action, Needs, Role, all};
use crate::respond::{Playbooks, builtin_playbooks};

/// What nobody here wrote, the test that runs a playbook against it, and that playbook, and what the test must name.
const TRIED: &[(&str, &str, &str, &str)] = &[
    ("ministack", "chain.rs", "aws-access-key-contain", "aws-access-key-contain"),
    ("moto", "moto.rs", "aws-access-key-contain", "deactivate"),
    ("ministack", "rotating.rs", "aws-access-key-rotate", "\"rotate\""),
    ("ministack", "sessions.rs", "aws-session-contain", "aws-session-contain"),
    ("OpenBao", "openbao.rs", "vault-contain", "vault-contain"),
    ("OpenBao", "rotating_approle.rs", "vault-approle-rotate", "impl Turn for Stage"),
    ("PostgreSQL", "stopping.rs", "postgres-role-contain", "postgres-role-contain"),
    ("PostgreSQL", "rotating_postgres.rs", "postgres-role-rotate", "impl Turn for Stage"),
    ("MariaDB", "stopping.rs", "mysql-user-contain", "mysql-user-contain"),
    ("MariaDB", "rotating_mariadb.rs", "mysql-user-rotate", "impl Turn for Stage"),
    ("Redis", "stopping.rs", "redis-user-contain", "redis-user-contain"),
    (
        "kube-apiserver 1.20 (where it is at hand)",
        "kubernetes.rs",
        "kubernetes-account-token-contain",
        "kubernetes-service-account-token-delete",
    ),
];

/// Steps of those playbooks that have nothing to do there, or prove nothing: no workload is listed, and moto's STS takes inactive keys.
const IDLE: &[(&str, &str)] = &[
    ("ministack", "consumers-restart"),
    ("OpenBao", "consumers-restart"),
    ("PostgreSQL", "consumers-restart"),
    ("MariaDB", "consumers-restart"),
    ("moto", "aws-key-verify-refused"),
];

/// Its arguments by their names.
fn with(action: &dyn Action) -> BTreeMap<String, String> {
    action.takes().iter().chain(action.may_take()).map(|name| ((*name).to_owned(), format!("‹{name}›"))).collect()
}

fn root(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}

/// Everything in the tests of this room, as one text.
fn written() -> String {
    let (mut folders, mut text) = (vec![root("src/respond")], String::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.contains("tests") || name.ends_with("liars.rs") {
                text.push_str(&std::fs::read_to_string(path).unwrap_or_default());
            }
        }
    }
    text
}

/// Action → playbooks that have it.
fn users() -> BTreeMap<String, BTreeSet<String>> {
    let mut users: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for playbook in Playbooks::new(&builtin_playbooks()).expect("playbooks").0 {
        for step in &playbook.steps {
            users.entry(step.action.clone()).or_default().insert(playbook.id.clone());
        }
    }
    users
}

fn needs(action: &dyn Action) -> String {
    match action.needs() {
        Needs::Nothing => "nothing".to_owned(),
        Needs::Aws => "the responder's AWS credentials".to_owned(),
        Needs::Admin(provider) => format!("a credential of {provider}"),
        Needs::Owned(provider) => format!("the leaked value, owned ({provider})"),
    }
}

/// How it is undone, or why not.
fn undo(action: &dyn Action) -> String {
    match (action.undo_words(&with(action)), action.mutates()) {
        (Some(words), _) if action.reversible() => words,
        (Some(words), _) => format!("in part: {words}"),
        (None, true) => "cannot be undone: only with `irreversible = true` and a `why` in its playbook".to_owned(),
        (None, false) => "changes nothing".to_owned(),
    }
}

/// What looks whether it is so.
fn verified(action: &dyn Action) -> &'static str {
    match (action.mutates(), action.role()) {
        (true, Role::Stops) => "reads it back, then a step that proves it, then once more before evidence",
        (true, Role::Replaces) => "the new one must be accepted, and every store read back",
        (true, _) => "reads it back",
        (false, _) => "only looks",
    }
}

fn tried(action: &dyn Action, users: &BTreeMap<String, BTreeSet<String>>) -> Vec<&'static str> {
    let of = users.get(action.name());
    let rows = TRIED.iter().filter(|(_, _, playbook, _)| of.is_some_and(|of| of.contains(*playbook)));
    let all: BTreeSet<&str> = rows.map(|(what, ..)| *what).filter(|what| !IDLE.contains(&(what, action.name()))).collect();
    all.into_iter().collect()
}

#[test]
fn what_is_said_to_be_tried_is_named_by_its_test() {
    let playbooks = Playbooks::new(&builtin_playbooks()).expect("playbooks");
    for (what, file, playbook, word) in TRIED {
        let text = std::fs::read_to_string(root("tests/it/services").join(file)).unwrap_or_default();
        assert!(text.contains(word), "{what}: {file} names no {word}");
        assert!(playbooks.get(playbook).is_some(), "{what}: there is no {playbook}");
    }
}

#[test]
fn every_change_is_seen_before_and_after_and_tried_by_some_test() {
    let (written, users) = (written(), users());
    for action in all().filter(|action| action.mutates()) {
        let name = action.name();
        let of = users.get(name).cloned().unwrap_or_default();
        assert!(!of.is_empty(), "{name} is in no playbook");
        let named = of.iter().any(|playbook| written.contains(playbook.as_str())) || written.contains(name);
        assert!(named || !tried(action, &users).is_empty(), "no test tries {name}");
        assert!(!action.effect(&BTreeMap::new()).is_empty(), "{name} does not say what it does");
        // What cannot be undone says why wherever it stands.
        let all = Playbooks::new(&builtin_playbooks()).expect("playbooks").0;
        let steps = all.iter().flat_map(|playbook| &playbook.steps).filter(|step| step.action == name);
        assert!(action.walks_back() || steps.clone().all(|step| step.why.is_some()), "{name}");
    }
}

#[test]
fn table_of_actions() {
    let users = users();
    let mut table =
        "| action | needs | does | seen to be so | undone by | tried against |\n| --- | --- | --- | --- | --- | --- |\n"
            .to_owned();
    let mut actions: Vec<&dyn Action> = all().collect();
    actions.sort_by_key(|action| action.name());
    for action in actions {
        let tried = match (tried(action, &users).as_slice(), action.mutates()) {
            ([], true) if action.needs() == Needs::Aws => "the embedded provider, or documented answers".to_owned(),
            ([], _) => "documented answers".to_owned(),
            (all, _) => all.join(", "),
        };
        let cells = [
            format!("`{}`", action.name()),
            needs(action),
            action.effect(&with(action)),
            verified(action).to_owned(),
            undo(action),
            tried,
        ];
        let _ = writeln!(table, "| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "));
    }
    insta::assert_snapshot!(table);
}
