//! Places that hold a credential for those that use it. One file and one line in [`KINDS`] each.
//!
//! Only a store in which the old credential's own fingerprint is found is ever written, only the bytes of its parts are
//! replaced, and only if the store is as it was read. Where they come from: files of settings in which the credential was
//! found, and what the operator lists. A store that nobody names is not known, and what is not known is not written.

mod aws;
mod consumers;
mod ecs;
mod file;
mod github;
mod gitlab;
mod holding;
mod kubernetes;
mod lambda;
mod login;
mod parameter;
mod secrets_manager;
#[cfg(test)]
mod tests;
mod vault;
mod wire;

use std::path::Path;

use ignore::Match;
use ignore::gitignore::GitignoreBuilder;
use url::Url;

use super::actions::{Doing, Trouble};
use super::{Admin, Hands};
use crate::model::{Finding, Provenance};
use crate::secret::{Fingerprint, FingerprintKey, Secret};

pub(super) use consumers::Consumer;
pub use consumers::ConsumerAt;
pub(super) use holding::{find, holds, swapped};
pub(super) use login::{Login, MYSQL, POSTGRES, UrlKind, only_logins, renamed};

/// More of a store than this is not looked through.
pub(super) const LARGEST: usize = 64 << 10;

/// Where a store is, as the operator lists it.
pub struct StoreAt {
    /// One of [`kinds`].
    pub kind: String,
    /// What names it there.
    pub at: String,
    /// The Region, where it is AWS's; the responder's own where there is none.
    pub region: Option<String>,
    /// Where the service is, where the operator runs it.
    pub address: Option<Url>,
    /// With what it is read and written, where that is not the responder's AWS side.
    pub credential: Option<Admin>,
    /// For one that nobody can read: the credential that it holds, by the operator's word.
    pub holds: Option<Fingerprint>,
    /// The same: which part of it.
    pub part: Option<String>,
}

/// The stores that are known.
#[derive(Default)]
pub struct Stores {
    /// As listed.
    pub listed: Vec<StoreAt>,
    /// Workloads that must be restarted to read their store again, as listed.
    pub consumers: Vec<ConsumerAt>,
    /// The key that fingerprints are made with: what a store holds is compared by it.
    pub key: Option<FingerprintKey>,
}

/// What a store holds now.
pub(super) struct Held {
    /// Its fields, or all of it under one name. Only that which may hold a secret.
    pub(super) fields: Vec<Field>,
    /// Changes whenever the store does.
    pub(super) version: String,
}

/// A field's name and bytes.
pub(super) type Field = (String, Secret);

/// What is written.
pub(super) struct Write<'w> {
    /// What was read.
    pub(super) before: &'w Held,
    /// The same fields with other bytes.
    pub(super) fields: Vec<Field>,
    /// The same for the same content, and for no other: a repeated request is told by it. 64 hex digits.
    pub(super) token: String,
}

/// A place that may hold the credential.
pub(super) trait Store: Send + Sync {
    /// What it is called in plans and journals: its kind and what names it there.
    fn name(&self) -> String;
    /// The permissions that reading and writing use.
    fn permissions(&self) -> &'static [&'static str];
    /// What it holds.
    fn read<'a>(&'a self, hands: &'a Hands) -> Doing<'a, Result<Held, Trouble>>;
    /// Writes, if it is as it was read. One attempt; whoever calls looks afterwards.
    fn write<'a>(&'a self, hands: &'a Hands, write: &'a Write<'_>) -> Doing<'a, Result<(), Trouble>>;
    /// What it held in an earlier version, where it keeps those.
    fn earlier<'a>(&'a self, _hands: &'a Hands, _version: &'a str) -> Doing<'a, Result<Option<Held>, Trouble>> {
        Box::pin(async { Ok(None) })
    }
    /// Versions that came after `version` and that nobody reads now, where a write leaves such: each stays as it is, with what it holds.
    fn left<'a>(&'a self, _hands: &'a Hands, _version: &'a str) -> Doing<'a, Result<Vec<Held>, Trouble>> {
        Box::pin(async { Ok(Vec::new()) })
    }
    /// Takes one of those out of use, where this responder has made it. What has become of it, in words.
    fn retire<'a>(&'a self, _hands: &'a Hands, _version: &'a str) -> Doing<'a, Result<&'static str, Trouble>> {
        Box::pin(async { Ok("it stays") })
    }
    /// Whether it keeps earlier versions, out of which an old value can be read again.
    fn keeps(&self) -> bool {
        false
    }
    /// Whether a write may take effect after whoever sent it is gone.
    fn lingers(&self) -> bool {
        true
    }
    /// Whether whoever reads it has taken up what was written, where a write rolls them by itself.
    ///
    /// # Errors
    /// [`Trouble::Unknown`]: not yet, as far as can be told.
    fn settled<'a>(&'a self, _hands: &'a Hands) -> Option<Doing<'a, Result<(), Trouble>>> {
        None
    }
    /// Where nobody can read it: which credential it holds and which part, by the operator's word.
    fn said(&self) -> Option<(Fingerprint, &str)> {
        None
    }
}

/// A store's name: its kind, the Region or address where that is not everyone's, and what names it there.
fn named(kind: &str, place: Option<&str>, at: &str) -> String {
    let place = place.map(|place| format!("@{}", place.trim_end_matches('/'))).unwrap_or_default();
    format!("{kind}{place} {at}")
}

/// A kind of store.
struct Kind {
    name: &'static str,
    /// Whether the responder's AWS clients are needed.
    aws: bool,
    open: fn(&StoreAt) -> Box<dyn Store>,
}

const KINDS: &[Kind] = &[
    Kind { name: "aws-ecs-service", aws: true, open: |at| Box::new(ecs::Ecs::at(at)) },
    Kind { name: "aws-lambda", aws: true, open: |at| Box::new(lambda::Lambda::at(at)) },
    Kind { name: "aws-secrets-manager", aws: true, open: |at| Box::new(secrets_manager::SecretsManager::at(at)) },
    Kind { name: "aws-ssm", aws: true, open: |at| Box::new(parameter::Parameter::at(at)) },
    Kind { name: "file", aws: false, open: |at| Box::new(file::File::at(&at.at)) },
    Kind { name: "github-actions", aws: false, open: |at| Box::new(github::Github::at(at)) },
    Kind { name: "gitlab-variable", aws: false, open: |at| Box::new(gitlab::Gitlab::at(at)) },
    Kind { name: "kubernetes-secret", aws: false, open: |at| Box::new(kubernetes::Kubernetes::at(at)) },
    Kind { name: "vault-kv", aws: false, open: |at| Box::new(vault::Vault::at(at)) },
];

/// The kinds of stores that can be listed.
pub fn kinds() -> Vec<&'static str> {
    KINDS.iter().map(|kind| kind.name).collect()
}

impl Stores {
    /// Whether one of them is AWS's.
    pub fn need_aws(&self) -> bool {
        let needs = |at: &StoreAt| KINDS.iter().any(|kind| kind.name == at.kind && kind.aws);
        self.listed.iter().any(needs)
    }

    /// Every workload that is listed.
    pub(super) fn consumers(&self) -> Vec<Consumer> {
        self.consumers.iter().map(Consumer::at).collect()
    }

    /// Every store that is known, those in which the credential was found first.
    pub(super) fn open(&self, files: &[String]) -> Vec<Box<dyn Store>> {
        let found = files.iter().map(|path| Box::new(file::File::at(path)) as Box<dyn Store>);
        let listed = self.listed.iter().filter_map(|at| {
            let kind = KINDS.iter().find(|kind| kind.name == at.kind)?;
            Some((kind.open)(at))
        });
        let mut all: Vec<Box<dyn Store>> = Vec::new();
        for store in found.chain(listed) {
            if all.iter().all(|other| other.name() != store.name()) {
                all.push(store);
            }
        }
        all
    }
}

/// Files of settings on this disk in which a finding's credential stands in plain text. What else holds it (source code,
/// examples, archives) is listed as a copy and not written: whoever reads it there is no service. Nor is a file that git would
/// take into the next commit, and a new credential with it; the operator may list it all the same.
pub(super) fn files(finding: &Finding) -> Vec<String> {
    let mut files: Vec<String> = Vec::new();
    for place in &finding.occurrences {
        let plain = matches!(place.provenance, Provenance::Worktree) && place.encoding.is_empty();
        if !plain || !is_settings(&place.path) {
            continue;
        }
        let whole = Path::new(&place.path).canonicalize().ok().filter(|path| !is_shared(path));
        let whole = whole.and_then(|path| path.into_os_string().into_string().ok());
        files.extend(whole.filter(|path| !files.contains(path)));
    }
    files
}

/// Whether a file lies in a git repository that does not ignore it.
fn is_shared(path: &Path) -> bool {
    let Some(root) = path.ancestors().skip(1).find(|folder| folder.join(".git").exists()) else { return false };
    let folders: Vec<&Path> = path.ancestors().skip(1).take_while(|folder| folder.starts_with(root)).collect();
    // What stands nearest to the file decides; below an ignored folder everything is ignored.
    let files =
        folders.iter().map(|folder| (*folder, folder.join(".gitignore"))).chain([(root, root.join(".git/info/exclude"))]);
    for (folder, file) in files {
        let mut rules = GitignoreBuilder::new(folder);
        // A file that is not there has no rules; one that cannot be read ignores nothing.
        rules.add(file);
        let Ok(rules) = rules.build() else { continue };
        match rules.matched_path_or_any_parents(path, false) {
            Match::Ignore(_) => return false,
            Match::Whitelist(_) => return true,
            Match::None => {}
        }
    }
    true
}

/// `.env`, `.env.production`, `app.env`, and AWS's own file of credentials; not `.env.example` and the like.
fn is_settings(path: &str) -> bool {
    const SAMPLES: &[&str] = &["example", "sample", "template", "dist", "defaults"];
    let path = path.replace('\\', "/");
    let name = path.rsplit('/').next().unwrap_or(&path);
    let env = name == ".env" || name.starts_with(".env.") || name.rsplit('.').next() == Some("env");
    (env && !name.split('.').any(|piece| SAMPLES.contains(&piece))) || path.ends_with(".aws/credentials")
}
