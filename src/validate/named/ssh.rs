//! SSH keys: offered to the forges that everybody uses and to the hosts that the settings name, as `git`; who they say came in is
//! whom the key speaks as. An authentication is all that happens, and it stands in the forge's logs.
//!
//! A host proves itself by a published key first. One that does not is never offered anything. A key that all of them refuse
//! may still open any other host, so it is Unknown and never Dead.
//!
//! Greetings: docs.github.com, "Testing your SSH connection" and "Error: Key already in use" (a deploy key is greeted by the
//! name of its repository); gitlab-shell, `internal/command/discover` (`Anonymous` for a key of nobody's); Atlassian, "Test
//! Bitbucket Cloud service credentials", and answers that users quote of deploy keys, which list their repositories.

use super::super::Said;
use crate::model::{Credential, Forge, Identity, Liveness, SshHost};
use crate::net::{Net, NetError, SshAnswer, SshKey};

/// What the answers mean.
pub(super) const ANSWERS: &[(&str, &str)] = &[
    ("live", "github.com, gitlab.com, bitbucket.org or a host of your settings lets the key in, and says as whom"),
    ("limited", "the same, and it wants something else beside the key"),
    ("unknown", "all of them refuse it: it may still open another host"),
    ("unknown", "it is encrypted; or a host does not prove by its published key who it is, or cannot be reached"),
    ("not_checked", "keys that SSH does not know, and RSA under 2048 bits"),
];

/// A forge's names, and its Ed25519 and ECDSA host keys. RSA is left out: each has both others.
struct Known {
    host: &'static str,
    forge: Forge,
    keys: [&'static str; 2],
}

const KNOWN: [Known; 3] = [
    // https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/githubs-ssh-key-fingerprints and
    // https://api.github.com/meta, `ssh_keys`
    Known {
        host: "github.com",
        forge: Forge::GitHub,
        keys: [
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",
            "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg=",
        ],
    },
    // https://docs.gitlab.com/user/gitlab_com/#ssh-known_hosts-entries; their SHA-256 are those of
    // https://about.gitlab.com/gitlab-com/settings/
    Known {
        host: "gitlab.com",
        forge: Forge::GitLab,
        keys: [
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfuCHKVTjquxvt6CM6tdG4SLp1Btn/nOeHHE5UOzRdf",
            "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBFSMqzJeV9rUzU4kWitGjeR4PWSa29SPqJ1fVkhtj3Hw9xjLVXVYrU9QlYWrOLXBpQ6KWjbjTDTdDkoohFzgbEY=",
        ],
    },
    // https://bitbucket.org/site/ssh
    Known {
        host: "bitbucket.org",
        forge: Forge::Bitbucket,
        keys: [
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIazEu89wgQZ4bqs3d63QSMzYVa0MuJ2e2gKTKqu+UUO",
            "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBPIQmuzMBuKdWeF4+a2sjSSpBK0iqitSQ+5BM9KhpexuGt20JpTVM7u5BDZngncgrqDMbWdxMWWOGtZ9UgbqgZE=",
        ],
    },
];

/// Whom a key is offered to: those that everybody uses, unless the settings say otherwise of one, and those of the settings.
pub(super) fn hosts(net: &Net) -> Vec<SshHost> {
    let own = net.ssh_hosts();
    let known = KNOWN.iter().filter(|known| !own.iter().any(|host| host.host == known.host)).map(|known| SshHost {
        host: known.host.to_owned(),
        address: None,
        port: 22,
        user: "git".to_owned(),
        forge: Some(known.forge),
        keys: known.keys.map(str::to_owned).to_vec(),
    });
    known.chain(own.iter().cloned()).collect()
}

/// What would be asked, or why nothing would.
pub(super) fn would_ask(net: &Net, credential: &Credential) -> Result<String, String> {
    key(credential).map_err(|said| said.why().unwrap_or("it cannot be asked").to_owned())?;
    let one = |host: &SshHost| match &host.address {
        Some(address) => format!("{}@{} (at {address}:{})", host.user, host.host, host.port),
        None => format!("{}@{}:{}", host.user, host.host, host.port),
    };
    let all: Vec<String> = hosts(net).iter().map(one).collect();
    Ok(format!("ssh login, no command, at {}", all.join(", then ")))
}

/// Its key, or what is said of one that cannot be offered.
fn key(credential: &Credential) -> Result<SshKey, Liveness> {
    let fact = |name: &str| credential.facts.get(name).map(String::as_str);
    if let Some(how) = fact("encrypted").filter(|how| *how != "no") {
        let why = format!("it is encrypted ({how}), and nothing can be asked without its passphrase");
        return Err(Liveness::Unknown(why));
    }
    if fact("cut_short").is_some() {
        return Err(Liveness::NotChecked(Some("only its beginning is here".to_owned())));
    }
    let part = credential.part("key").ok_or(Liveness::NotChecked(None))?;
    SshKey::read(part.value.expose()).map_err(|why| Liveness::NotChecked(Some(why.to_owned())))
}

/// One host after another: a credential has one question in flight. Those that take the key decide.
pub(super) async fn check(net: &Net, credential: &Credential) -> Said {
    let key = match key(credential) {
        Ok(key) => key,
        Err(said) => return Said { liveness: said, answered: false },
    };
    let mut heard = Heard::default();
    for host in hosts(net) {
        let said = net.offer(&host, &key).await;
        heard.note(&host, said);
    }
    heard.said()
}

/// What all hosts said.
#[derive(Default)]
struct Heard {
    live: Option<Identity>,
    /// The first that took the key and wants more.
    partly: Option<String>,
    refused: Vec<String>,
    /// `host: why`.
    open: Vec<String>,
}

impl Heard {
    fn note(&mut self, host: &SshHost, said: Result<SshAnswer, NetError>) {
        let name = host.host.clone();
        match said {
            Ok(SshAnswer::Accepted(greeting)) => self.accepted(host, &greeting),
            Ok(SshAnswer::Partly) if self.partly.is_none() => self.partly = Some(name),
            Ok(SshAnswer::Partly) => {}
            Ok(SshAnswer::Refused) => self.refused.push(name),
            Ok(SshAnswer::Unclear(why)) => self.open.push(format!("{name} {why}")),
            Err(error) => self.open.push(error.to_string()),
        }
    }

    /// The first speaks for the key; a further one adds its own name for whoever it is.
    fn accepted(&mut self, host: &SshHost, greeting: &str) {
        let who = host.forge.map(|forge| who(forge, greeting)).unwrap_or_default();
        let Some(first) = &mut self.live else {
            let mut identity = Identity::default();
            identity.set("host", &*host.host);
            if host.forge.is_none() {
                identity.set("login", &*host.user);
            }
            for (name, value) in who {
                identity.set(name, value);
            }
            self.live = Some(identity);
            return;
        };
        let name = who.into_iter().next().map_or_else(|| host.user.clone(), |(_, value)| value);
        first.set(&format!("also at {}", host.host), name);
    }

    fn said(self) -> Said {
        let all_settled = self.open.is_empty();
        if let Some(mut identity) = self.live {
            if !self.refused.is_empty() {
                identity.set("refused_by", listed(&self.refused));
            }
            return Said { liveness: Liveness::Live(identity), answered: true };
        }
        if let Some(host) = self.partly {
            let mut identity = Identity::default();
            identity.set("host", &*host);
            let why = format!("{host} takes the key, and wants something else as well");
            return Said { liveness: Liveness::Limited(identity, why), answered: true };
        }
        let mut words = self.open;
        if !self.refused.is_empty() {
            words.insert(0, format!("refused by {}; which other hosts trust it is not known", listed(&self.refused)));
        }
        Said { liveness: Liveness::Unknown(words.join("; ")), answered: all_settled }
    }
}

/// `a`, `a and b`, `a, b and c`.
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

/// Whom a greeting names, in the words that its forge is known to use. Nothing of it that is not a plain name is repeated.
fn who(forge: Forge, greeting: &str) -> Vec<(&'static str, String)> {
    let line = |start: &str| greeting.lines().find_map(|line| line.trim().strip_prefix(start));
    match forge {
        Forge::GitHub => {
            let name = line("Hi ").and_then(|rest| rest.split_once("! You've successfully authenticated"));
            match name.map(|(name, _)| name).filter(|name| plain(name)) {
                Some(name) if name.contains('/') => vec![("repository", name.to_owned())],
                Some(name) => vec![("user", name.to_owned())],
                None => Vec::new(),
            }
        }
        Forge::GitLab => {
            let name = line("Welcome to GitLab, ").and_then(|rest| rest.strip_suffix('!'));
            match name {
                Some("Anonymous") => vec![("user", "Anonymous (a key of no user's)".to_owned())],
                Some(name) => name
                    .strip_prefix('@')
                    .filter(|name| plain(name))
                    .map(|name| ("user", name.to_owned()))
                    .into_iter()
                    .collect(),
                None => Vec::new(),
            }
        }
        Forge::Bitbucket => {
            if let Some(name) = line("logged in as ").map(|rest| rest.trim_end_matches('.')) {
                return plain(name).then(|| ("user", name.to_owned())).into_iter().collect();
            }
            let deploys = line("authenticated via a deploy key").is_some();
            let repository = |line: &str| Some(line.trim().split_once(": ")?.0.to_owned());
            let all = greeting.lines().filter_map(repository).filter(|name| name.contains('/') && plain(name));
            let all: Vec<String> = all.take(REPOSITORIES).collect();
            if deploys && !all.is_empty() { vec![("repository", listed(&all))] } else { Vec::new() }
        }
    }
}

/// Repositories of one deploy key that are named.
const REPOSITORIES: usize = 20;

/// A user's or repository's name: short, and of letters, digits, `-`, `_`, `.`, with one slash at most.
fn plain(name: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
    (1..=140).contains(&name.len()) && name.bytes().all(good) && name.matches('/').count() <= 1
}

#[cfg(test)]
mod tests;
