//! Private keys, told by the real OpenSSH server who they are let in as. Keys are made here by `ssh-keygen`; each is known to the
//! server with a command of its own, which is how GitLab and others greet whoever comes.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::harness::program::{Home, Output};
use crate::harness::services::setting;

/// A key, and the line of its public half.
struct Key {
    private: String,
    public: String,
}

impl Key {
    fn made(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let made = Command::new(setting("STAUNCH_TEST_SSH_KEYGEN"))
            .args(["-q", "-C", "ci@shop", "-f"])
            .arg(&path)
            .args(arguments)
            .args(if arguments.contains(&"-N") { &[][..] } else { &["-N", ""][..] })
            .status();
        assert!(made.unwrap().success(), "{arguments:?}");
        let public = fs::read_to_string(path.with_extension("pub")).unwrap().trim().to_owned();
        Self { private: fs::read_to_string(&path).unwrap(), public }
    }

    /// The server lets it in, and answers a shell so.
    fn known(self, shell: &str) -> Self {
        self.line(&format!("restrict,command=\"{shell}\""))
    }

    fn line(self, options: &str) -> Self {
        let file = Path::new(&setting("STAUNCH_TEST_SSH_FOLDER")).join("keys");
        let mut file = OpenOptions::new().append(true).open(file).unwrap();
        // One write, so that tests do not mix their lines.
        file.write_all(format!("{options} {}\n", self.public).as_bytes()).unwrap();
        self
    }
}

const HI: &str =
    "echo Hi octocat! You\\'ve successfully authenticated, but GitHub does not provide shell access. >&2; exit 1";

fn host_key() -> String {
    fs::read_to_string(Path::new(&setting("STAUNCH_TEST_SSH_FOLDER")).join("host.pub")).unwrap().trim().to_owned()
}

/// Settings in which the known forges are loopback's server: `github` is the real one, by this host key, and the others are
/// nowhere.
fn settings(key: &str, more: &str) -> String {
    let at = setting("STAUNCH_TEST_SSH");
    let (address, port) = at.split_once(':').unwrap();
    let entry = |host: &str, port: &str| {
        format!("[[network.ssh_host]]\nhost = \"{host}\"\naddress = \"{address}\"\nport = {port}\nkeys = [\"{key}\"]\n")
    };
    let github = entry("github.com", port) + "forge = \"github\"\n";
    format!("{github}{more}{}{}", entry("gitlab.com", "9"), entry("bitbucket.org", "9"))
}

fn scanned(home: &Home, key: &str, settings: &str, arguments: &[&str]) -> Output {
    fs::write(home.work().join("id_deploy"), key).unwrap();
    let file = home.root().join("settings.toml");
    fs::write(&file, settings).unwrap();
    let all = [&["scan", "--validate", "--format", "jsonl"], arguments, &["."]].concat();
    let output = home.staunch(&all).env("STAUNCH_CONFIG", &file).output();
    for line in key.lines().filter(|line| !line.starts_with("-----")) {
        assert!(!output.stdout().contains(line) && !output.stderr().contains(line), "a key was shown");
    }
    output
}

fn said(key: &Key, settings: &str) -> Value {
    let output = scanned(&Home::new(), &key.private, settings, &[]);
    let text = output.stdout();
    let line = text.lines().next().unwrap_or_else(|| panic!("{}", output.stderr()));
    serde_json::from_str::<Value>(line).unwrap()["liveness"].clone()
}

#[test]
fn keys_of_every_kind_are_live_as_whom_the_greeting_names() {
    for arguments in [
        &["-t", "ed25519"][..],
        &["-t", "ecdsa", "-b", "256"],
        &["-t", "ecdsa", "-b", "384"],
        &["-t", "ecdsa", "-b", "521"],
        &["-t", "rsa", "-b", "2048"],
        &["-t", "rsa", "-b", "3072"],
        &["-t", "rsa", "-b", "2048", "-m", "PEM"],
        &["-t", "ecdsa", "-b", "256", "-m", "PEM"],
        &["-t", "rsa", "-b", "2048", "-m", "PKCS8"],
        &["-t", "ecdsa", "-b", "384", "-m", "PKCS8"],
    ] {
        let key = Key::made(arguments).known(HI);
        let said = said(&key, &settings(&host_key(), ""));
        assert_eq!(said["state"], "live", "{arguments:?}: {said}");
        assert_eq!(
            (&said["identity"]["user"], &said["identity"]["host"]),
            (&"octocat".into(), &"github.com".into()),
            "{said}"
        );
    }
}

#[test]
fn a_deploy_key_names_its_repository() {
    let key = Key::made(&["-t", "ed25519"]).known(&HI.replace("octocat", "acme/shop"));
    let said = said(&key, &settings(&host_key(), ""));
    assert_eq!((&said["state"], &said["identity"]["repository"]), (&"live".into(), &"acme/shop".into()), "{said}");
}

#[test]
fn a_key_that_is_unknown_is_refused_and_not_dead() {
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let said = said(&Key::made(&["-t", kind]), &settings(&host_key(), ""));
        assert_eq!(said["state"], "unknown", "{said}");
        let why = said["why"].as_str().unwrap();
        assert!(why.starts_with("refused by github.com; which other hosts") && why.contains("cannot be reached"), "{why}");
    }
}

#[test]
fn a_server_with_another_host_key_is_not_told_of_the_key() {
    let key = Key::made(&["-t", "ed25519"]).known(HI);
    let other = Key::made(&["-t", "ed25519"]).public;
    let said = said(&key, &settings(&other, ""));
    assert_eq!(said["state"], "unknown", "{said}");
    assert!(said["why"].as_str().unwrap().contains("github.com does not prove who it is: it shows SHA256:"), "{said}");
}

#[test]
fn what_a_shell_says_or_does_takes_nothing_back() {
    for (shell, user) in [
        ("exit 3", None),
        ("sleep 60", None),
        ("yes | head -c 3000000", None),
        ("head -c 100000 /dev/urandom", None),
        ("echo Hi octocat!; kill -9 $PPID", None),
        ("echo Welcome to GitLab, @octocat!", None),
        ("echo Hi octocat! You\\'ve successfully authenticated, but; yes | head -c 3000000", Some("octocat")),
    ] {
        let said = said(&Key::made(&["-t", "ed25519"]).known(shell), &settings(&host_key(), ""));
        assert_eq!(said["state"], "live", "{shell}: {said}");
        assert_eq!(said["identity"]["user"].as_str(), user, "{shell}: {said}");
    }
}

#[test]
fn a_key_that_may_not_come_from_here_or_is_locked_away_says_so() {
    let elsewhere = Key::made(&["-t", "ed25519"]).line("restrict,from=\"192.0.2.7\"");
    let expired = Key::made(&["-t", "ed25519"]).line("restrict,expiry-time=\"20200101\"");
    for key in [elsewhere, expired] {
        let said = said(&key, &settings(&host_key(), ""));
        assert_eq!(said["state"], "unknown", "{said}");
    }
    let sealed = Key::made(&["-t", "ed25519", "-N", "correct horse battery"]).known(HI);
    let said = said(&sealed, &settings(&host_key(), ""));
    assert_eq!(said["state"], "unknown", "{said}");
    assert!(said["why"].as_str().unwrap().contains("passphrase"), "{said}");
}

#[test]
fn a_host_of_the_settings_is_asked_for_no_shell() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("ran");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    fs::set_permissions(folder.path(), open).unwrap();
    let key = Key::made(&["-t", "ed25519"]).known(&format!("touch {}", mark.display()));
    let at = setting("STAUNCH_TEST_SSH");
    let (address, port) = at.split_once(':').unwrap();
    let known = host_key();
    let own = |forge: &str| {
        let bastion = format!(
            "[[network.ssh_host]]\nhost = \"bastion.corp\"\naddress = \"{address}\"\nport = {port}\n{forge}keys = [\"{known}\"]\n"
        );
        // The forges are nowhere.
        settings(&known, &bastion).replacen(&format!("port = {port}"), "port = 9", 1)
    };
    let said_plainly = said(&key, &own(""));
    assert_eq!(
        (&said_plainly["state"], &said_plainly["identity"]["login"]),
        (&"live".into(), &"git".into()),
        "{said_plainly}"
    );
    assert!(!mark.exists(), "nothing was run");
    // To see that it would have been.
    assert_eq!(said(&key, &own("forge = \"gitlab\"\n"))["state"], "live");
    assert!(mark.exists());
}

#[test]
fn a_dry_run_and_offline_ask_nobody() {
    let key = Key::made(&["-t", "ed25519"]).known(HI);
    let home = Home::new();
    let dry = scanned(&home, &key.private, &settings(&host_key(), ""), &["--dry-run"]);
    let text = format!("{}{}", dry.stdout(), dry.stderr());
    assert!(text.contains("ssh login, no command, at git@github.com (at 127.0.0.1:"), "{text}");
    let offline = scanned(&home, &key.private, &settings(&host_key(), ""), &["--offline"]);
    assert!(offline.stdout().contains("--offline is set"), "{}", offline.stdout());
}
