//! What files in the scanned tree say of who uses a value. Pure: `scan` offers every path and hands over the bytes.
//!
//! A reader is one file with one line in the list at the end of this one. It keeps names, places and fingerprints, never
//! a value. Joins are made when a finding asks, so the order in which files arrive does not matter.

mod actions;
mod allowance;
mod ansible;
mod ansible_cfg;
mod aspire;
mod aws;
mod azure;
mod beside;
mod bicep;
mod bitbucket;
mod circleci;
mod code;
mod commands;
mod comments;
mod compose;
mod copied;
mod copies;
mod crewai;
mod deployments;
mod dockerfile;
mod dotenv;
mod gitlab;
mod helm;
mod homes;
mod hosted;
mod image_refs;
mod jenkins;
mod kubernetes;
mod langgraph;
mod links;
mod litellm;
mod mcp;
mod meltano;
mod packages;
mod plain;
mod platforms;
mod pm2;
mod procfile;
mod programs;
mod sbom;
mod scripts;
mod services;
mod sheet;
mod shell;
mod slots;
mod supervisor;
mod systemd;
mod templates;
mod terraform;
mod tokens;
mod xcode;
mod yaml;

use std::sync::Arc;

pub(super) use sheet::Sheet;
pub(super) use slots::{Clues, Place, prints, prints_within};
pub(super) use yaml::{Tree, View};

pub use kubernetes::Trust;
use links::Linked;

use super::people::catalogues::Catalogues;
use super::people::codeowners::Codeowners;
use super::roll::{Roll, clean, evidence};
use crate::model::{Coverage, Edge, Evidence, Finding, Owner, Tier};
use crate::secret::FingerprintKey;

/// Workloads that run an image.
const BUILT: [&str; 2] = ["compose:", "dockerfile:"];
/// Files of code that name one file, followed to whoever runs them.
const CODES: usize = 20;

/// One kind of artefact.
pub(super) trait Reader: Default {
    /// Larger files are not read, and that is said.
    const LIMIT: usize;

    /// Whether the path is worth reading, by name alone.
    fn wants(path: &str) -> bool;

    /// Whether the file is worth reading, by a look at its bytes. Most YAML and JSON is something else; what is no
    /// concern of a reader is not parsed, and nobody complains of it.
    fn concerns(_sheet: &Sheet<'_>) -> bool {
        true
    }

    /// Takes in one file. What cannot be read becomes a trouble in `coverage`.
    fn read(&mut self, sheet: &Sheet<'_>, coverage: &mut Coverage);

    /// Adds the owners that follow for a finding.
    fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll);

    /// Adds what another worker's reader took in.
    fn merge(&mut self, other: Self);
}

/// Everything that was read of the artefacts in a tree.
pub struct Artefacts {
    key: Arc<FingerprintKey>,
    root: String,
    coverage: Coverage,
    comments: comments::Comments,
    copied: copied::Copied,
    readers: Readers,
}

impl Artefacts {
    /// Nothing read yet. `key` must be the one that the findings' fingerprints are made with: those of another never
    /// join. `root` is what stands before the repository's own paths in the paths to come (`""` when nothing does);
    /// CODEOWNERS is read relative to it.
    pub fn new(key: Arc<FingerprintKey>, root: &str) -> Self {
        let root = match plain(root).trim_end_matches('/') {
            "" | "." => String::new(),
            root => format!("{root}/"),
        };
        Self {
            key,
            root,
            coverage: Coverage::default(),
            comments: comments::Comments::default(),
            copied: copied::Copied::default(),
            readers: Readers::default(),
        }
    }

    /// In which trust domain the operator says that the tree's workloads run. Comes before what the tree says.
    pub fn trust(&mut self, trust: Trust) {
        self.readers.kubernetes.trust(trust);
    }

    /// Whether [`Artefacts::read`] would look at a file of that name. Cheap.
    pub fn wants(path: &str) -> bool {
        Readers::wants(plain(path)) || comments::wants(plain(path))
    }

    /// Takes in one file. The bytes are not kept.
    pub fn read(&mut self, path: &str, bytes: &[u8]) {
        let sheet = Sheet { path: Arc::from(plain(path)), bytes, key: &self.key, root: &self.root };
        self.comments.read(&sheet);
        self.copied.read(&sheet);
        self.readers.read(&sheet, &mut self.coverage);
    }

    /// Adds what another worker read. Both must have the same key and root.
    pub fn merge(&mut self, other: Self) {
        self.coverage.merge(other.coverage);
        self.comments.merge(other.comments);
        self.copied.merge(other.copied);
        self.readers.merge(other.readers);
    }

    /// What was read and what could not be. A trouble here leaves owners unknown; it does not make a scan incomplete.
    pub fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// Whose a finding is by the artefacts alone, best proven first.
    pub fn resolve(&self, finding: &Finding) -> Vec<Owner> {
        let mut roll = Roll::default();
        self.call(finding, &mut roll);
        roll.finish()
    }

    pub(super) fn call(&self, finding: &Finding, roll: &mut Roll) {
        let mut clues = Clues::of(finding);
        self.comments.strip(&mut clues);
        self.readers.resolve(&clues, roll);
        self.by_code(&clues, roll);
        self.put_in_place(&clues, roll);
        self.readers.compose.builders(roll);
    }

    /// Adds who runs the code that names a file, where nothing but the program beside it is known to use that.
    fn by_code(&self, clues: &Clues<'_>, roll: &mut Roll) {
        if roll.consumers().any(|id| !id.starts_with("package:")) {
            return;
        }
        for path in clues.paths() {
            let mut codes: Vec<&Place> = self.readers.beside.named_by(path).filter(|at| *at.path != *path).collect();
            codes.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
            codes.dedup_by(|a, b| a.path == b.path);
            for at in codes.into_iter().take(CODES) {
                if !roll.look() {
                    return;
                }
                let mut there = Roll::default();
                self.readers.resolve(&Clues::whole(&at.path), &mut there);
                // What is built into an image is mostly built without the `.env` beside it.
                let built = |id: &str| dotenv::is_named_so(file_name(path)) && BUILT.iter().any(|own| id.starts_with(own));
                let runs = there.finish().into_iter().filter(|owner| owner.edge == Edge::Consumer);
                for owner in runs.filter(|owner| !owner.id.starts_with("package:") && !built(&owner.id)) {
                    roll.add(lowered(owner, evidence("code-names-file", at.to_string(), clean(file_name(path)))));
                }
            }
        }
    }

    /// Adds who reads the files that examples are copied to.
    fn put_in_place(&self, clues: &Clues<'_>, roll: &mut Roll) {
        for (from, to, at) in self.copied.of(clues) {
            if !roll.look() {
                return;
            }
            let mut there = Roll::default();
            self.readers.resolve(&clues.moved(from, to), &mut there);
            for owner in there.finish().into_iter().filter(|owner| owner.edge == Edge::Consumer) {
                roll.add(lowered(owner, evidence("copied-example", at.to_string(), clean(file_name(to)))));
            }
        }
    }
}

/// An owner by way of something else: inferred.
fn lowered(mut owner: Owner, by: Evidence) -> Owner {
    owner.tier = owner.tier.min(Tier::Inferred);
    for reason in &mut owner.evidence {
        reason.tier = reason.tier.map(|tier| tier.min(Tier::Inferred));
    }
    owner.evidence.insert(0, by);
    owner
}

/// Whether a name of a job, service or server can stand in an id and be shown as it is. Others would be cut or altered,
/// and two of them might become one.
fn is_showable(name: &str) -> bool {
    !name.trim().is_empty() && clean(name) == name
}

/// A path without a leading `./`: `./infra` and `infra` are one folder, and readers and findings must meet in it.
fn plain(path: &str) -> &str {
    let mut path = path;
    while let Some(rest) = path.strip_prefix("./") {
        path = rest.trim_start_matches('/');
    }
    path
}

/// The folder a path lies in, without the last `/`.
pub(super) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Whether a path has one of those endings, which are lower case and without the dot.
pub(super) fn ends_in(path: &str, endings: &[&str]) -> bool {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    endings.iter().any(|own| ending.eq_ignore_ascii_case(own))
}

/// The last part of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// `relative` seen from `folder`, or `None` when it is absolute or leads out of the tree.
fn join(folder: &str, relative: &str) -> Option<String> {
    if relative.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().filter(|part| *part != "..")?;
            }
            part => parts.push(part),
        }
    }
    let lead = if folder.starts_with('/') { "/" } else { "" };
    Some(format!("{lead}{}", parts.join("/")))
}

/// Makes the set of readers from its list.
macro_rules! readers {
    ($($name:ident: $reader:ty),+ $(,)?) => {
        #[derive(Default)]
        struct Readers { $($name: $reader),+ }

        impl Readers {
            fn wants(path: &str) -> bool {
                $(<$reader>::wants(path))||+
            }

            fn read(&mut self, sheet: &Sheet<'_>, coverage: &mut Coverage) {
                let (mut read, mut limit) = (false, None);
                $(if <$reader>::wants(&sheet.path) && <$reader>::concerns(sheet) {
                    if sheet.bytes.len() > <$reader>::LIMIT {
                        limit = limit.max(Some(<$reader>::LIMIT));
                    } else {
                        self.$name.read(sheet, coverage);
                        read = true;
                    }
                })+
                if let Some(limit) = limit {
                    coverage.trouble(&*sheet.path, too_large(limit));
                }
                if read {
                    coverage.files += 1;
                    coverage.bytes += sheet.bytes.len() as u64;
                }
            }

            fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll) {
                $(self.$name.resolve(clues, roll);)+
            }

            fn merge(&mut self, other: Self) {
                $(self.$name.merge(other.$name);)+
            }
        }
    };
}

fn too_large(limit: usize) -> String {
    format!("larger than {} MiB: its references are not followed", limit >> 20)
}

// The registry: one line a reader. A reader without its line is dead code, which the lints refuse.
readers! {
    kubernetes: kubernetes::Kubernetes,
    compose: compose::Compose,
    actions: Linked<actions::Actions>,
    gitlab: gitlab::GitLab,
    circleci: Linked<circleci::CircleCi>,
    azure: Linked<azure::AzurePipelines>,
    bitbucket: Linked<bitbucket::Bitbucket>,
    jenkins: jenkins::Jenkins,
    ansible: ansible::Ansible,
    ansible_cfg: Linked<ansible_cfg::AnsibleCfg>,
    aspire: Linked<aspire::Aspire>,
    mcp: Linked<mcp::Mcp>,
    litellm: Linked<litellm::LiteLlm>,
    langgraph: Linked<langgraph::LangGraph>,
    crewai: crewai::CrewAi,
    platforms: Linked<platforms::Platforms>,
    deployments: Linked<deployments::Deployments>,
    hosted: Linked<hosted::Hosted>,
    procfile: Linked<procfile::Procfile>,
    plain: Linked<plain::Plain>,
    meltano: Linked<meltano::Meltano>,
    homes: Linked<homes::Homes>,
    scripts: Linked<scripts::Scripts>,
    commands: Linked<commands::Commands>,
    pm2: Linked<pm2::Pm2>,
    programs: Linked<programs::Programs>,
    ecs: Linked<aws::Ecs>,
    cloudformation: Linked<aws::CloudFormation>,
    serverless: Linked<aws::Serverless>,
    builds: Linked<aws::Builds>,
    terraform: terraform::Terraform,
    nomad: Linked<terraform::Nomad>,
    terraform_state: Linked<terraform::TfState>,
    dockerfile: Linked<dockerfile::Dockerfile>,
    systemd: Linked<systemd::Systemd>,
    packages: packages::Packages,
    supervisor: Linked<supervisor::Supervisor>,
    services: Linked<services::Services>,
    bicep: bicep::Bicep,
    xcode: xcode::Xcode,
    helm: helm::Helm,
    sbom: sbom::Sbom,
    beside: beside::Beside,
    catalogues: Catalogues,
    codeowners: Codeowners,
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
pub(super) mod testing;

#[cfg(test)]
mod tests {
    use super::testing::{VALUE, consumers, finding_in, shared_key, tree};
    use super::{Artefacts, join, plain};
    use crate::model::Tier;

    #[test]
    fn a_leading_dot_is_no_other_folder() {
        for (path, expected) in
            [("./a/b", "a/b"), ("././/a", "a"), (".env", ".env"), ("../a", "../a"), ("/a", "/a"), (".", "."), ("./", "")]
        {
            assert_eq!(plain(path), expected);
        }
        let env = format!("KEY={VALUE}\n");
        for (read, seen) in [("./infra/a/.env", "infra/a/.env"), ("infra/a/.env", "./infra/a/.env")] {
            for root in ["./infra", "infra/", "././infra"] {
                let mut known = Artefacts::new(shared_key(), root);
                for (path, text) in [
                    ("./infra/a/compose.yaml", "services: {api: {image: x, env_file: .env}}\n"),
                    ("./infra/CODEOWNERS", "* @org/all\n"),
                    (read, env.as_str()),
                ] {
                    assert!(Artefacts::wants(path), "{path}");
                    known.read(path, text.as_bytes());
                }
                let owners = known.resolve(&finding_in(seen, &env, VALUE));
                assert_eq!(consumers(&owners), [("compose:infra/a/compose.yaml/api", Tier::Bound)], "{read} {seen} {root}");
                assert!(owners.iter().any(|owner| owner.id == "team:@org/all"), "{read} {seen} {root}");
            }
        }
    }

    #[test]
    fn what_code_names_is_whose_code_it_is() {
        let content = format!("{{\"hook\": \"{VALUE}\"}}\n");
        let service = ("serverless.yml", "service: x\nprovider: {name: aws}\nfunctions: {trap: {handler: handler.run}}\n");
        for (path, named) in [("config.json", true), ("other.json", false)] {
            let all = tree(&[service, ("handler.py", "conf = open('config.json')\n"), (path, &content)]);
            let all = all.resolve(&finding_in(path, &content, VALUE));
            assert_eq!(consumers(&all), &[("lambda:serverless.yml/trap", Tier::Inferred)][..usize::from(named)], "{path}");
        }
    }

    #[test]
    fn relative_paths_stay_in_the_tree() {
        assert_eq!(join("a/b", "../c/./d.env"), Some("a/c/d.env".to_owned()));
        assert_eq!(join("", ".env"), Some(".env".to_owned()));
        assert_eq!(join(".", "./x"), Some("x".to_owned()));
        assert_eq!(join("/t/a", "../x"), Some("/t/x".to_owned()));
        assert_eq!(join("a", "../../x"), None);
        assert_eq!(join("..", "../x"), None);
        assert_eq!(join("a", "/etc/x"), None);
    }
}
