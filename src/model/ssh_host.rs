//! A host that SSH keys are offered to.

/// A host that may know an SSH key, and how it proves who it is. A key is never offered to one that does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshHost {
    /// Its name: `github.com`.
    pub host: String,
    /// Where it is asked in place of its own name, by the operator's word.
    pub address: Option<String>,
    /// Its port.
    pub port: u16,
    /// As whom the key is offered: `git`.
    pub user: String,
    /// What it runs, where it says to whom a key belongs. Without one, nothing is asked of it once it took the key.
    pub forge: Option<Forge>,
    /// Its host keys, as `known_hosts` has them: `ssh-ed25519 AAAA…`. Ed25519 and ECDSA.
    pub keys: Vec<String>,
}

/// Git servers that tell whoever opens a shell who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forge {
    /// GitHub, and GitHub Enterprise Server.
    GitHub,
    /// GitLab.
    GitLab,
    /// Bitbucket Cloud.
    Bitbucket,
}

impl Forge {
    /// The forge of that name, in lower case.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "github" => Some(Self::GitHub),
            "gitlab" => Some(Self::GitLab),
            "bitbucket" => Some(Self::Bitbucket),
            _ => None,
        }
    }
}
