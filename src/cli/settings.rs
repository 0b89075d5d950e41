//! Global flags, environment and the operator's file put together.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use url::Url;

use super::args::{Format, Global};
use super::{output, state};
use crate::attest::Signer;
use crate::config::{CredentialFrom, Operator, Provider};
use crate::detect::{DetectorSet, Source};
use crate::fetch::LoginFiles;
use crate::model::{Clock, SystemClock, Tool};
use crate::net::{Net, Settings as NetSettings};
use crate::report::Look;
use crate::respond;
use crate::secret::{FingerprintKey, Secret};

/// Threads, whoever asks for more.
const MOST_JOBS: usize = 512;

/// Everything a subcommand needs to know.
pub(super) struct Settings {
    pub(super) format: Format,
    pub(super) output: Option<PathBuf>,
    pub(super) quiet: bool,
    pub(super) verbose: u8,
    pub(super) jobs: usize,
    pub(super) look: Look,
    pub(super) state: Option<PathBuf>,
    pub(super) operator: Operator,
    pub(super) clock: Arc<dyn Clock>,
    global: GlobalParts,
    environment: BTreeMap<String, String>,
}

struct GlobalParts {
    offline: bool,
    detectors: Option<PathBuf>,
    endpoint: Vec<String>,
    allow_host: Vec<String>,
    allow_net: Vec<String>,
    ca_file: Option<PathBuf>,
    fingerprint_key: Option<String>,
}

impl Settings {
    pub(super) fn new(global: &Global, environment: BTreeMap<String, String>) -> anyhow::Result<Self> {
        log(global.verbose);
        let no_color = environment.get("NO_COLOR").is_some_and(|value| !value.is_empty());
        let operator = operator(global.config.as_deref(), &environment)?;
        Ok(Self {
            format: global.format,
            output: global.output.clone(),
            quiet: global.quiet,
            verbose: global.verbose,
            // More gain nothing, and thousands take minutes to start.
            jobs: global.jobs.min(MOST_JOBS),
            look: output::look(global.color, no_color, global.output.is_some(), global.verbose),
            state: state::folder(global, &environment),
            operator,
            clock: Arc::new(SystemClock),
            global: GlobalParts {
                offline: global.offline,
                detectors: global.detectors.clone(),
                endpoint: global.endpoint.clone(),
                allow_host: global.allow_host.clone(),
                allow_net: global.allow_net.clone(),
                ca_file: global.ca_file.clone(),
                fingerprint_key: global.fingerprint_key.clone(),
            },
            environment,
        })
    }

    /// The built-in detectors and the operator's own.
    pub(super) fn detectors(&self) -> anyhow::Result<DetectorSet> {
        let own = self.global.detectors.as_deref().map(read_detectors).transpose()?.unwrap_or_default();
        DetectorSet::with(&own).context("detector files have mistakes")
    }

    /// The door to the network.
    pub(super) fn net(&self) -> anyhow::Result<Net> {
        self.net_and(Vec::new())
    }

    /// The same, with registries that may speak plain http.
    pub(super) fn net_and(&self, plain: Vec<Url>) -> anyhow::Result<Net> {
        Ok(Net::new(self.net_settings(plain)?)?)
    }

    /// The same for one server of the operator's under a name of its own, whose certificate may be of an authority of its own.
    pub(super) fn net_to(&self, name: &str, server: Url, authority: Option<Vec<u8>>) -> anyhow::Result<Net> {
        let mut settings = self.net_settings(Vec::new())?;
        settings.endpoints.insert(name.to_owned(), server);
        if let Some(pem) = authority {
            let known = settings.authorities.get_or_insert_default();
            known.push(b'\n');
            known.extend(pem);
        }
        Ok(Net::new(settings)?)
    }

    fn net_settings(&self, plain: Vec<Url>) -> anyhow::Result<NetSettings> {
        let (offline, environment) = (self.global.offline, self.environment.clone());
        let mut settings = NetSettings { offline, plain, environment, ..NetSettings::default() };
        for (name, url) in &self.operator.endpoints {
            let (name, url) = Net::parse_endpoint(&format!("{name}={url}"))?;
            settings.endpoints.insert(name, url);
        }
        for provider in &self.operator.providers {
            let address = provider.address.clone();
            settings.endpoints.extend(address.map(|address| (respond::endpoint(&provider.name), address)));
        }
        // The operator's own word, as for registries: a store may be at a private address.
        settings.plain.extend(self.operator.stores.iter().filter_map(|store| store.address.clone()));
        settings.plain.extend(self.operator.consumers.iter().filter_map(|consumer| consumer.address.clone()));
        for text in &self.global.endpoint {
            let (name, url) = Net::parse_endpoint(text)?;
            settings.endpoints.insert(name, url);
        }
        settings.allow_hosts = self.operator.allow_hosts.iter().chain(&self.global.allow_host).cloned().collect();
        let nets = self.operator.allow_nets.iter().chain(&self.global.allow_net);
        settings.allow_nets = nets.map(|text| Net::parse_net(text)).collect::<Result<_, _>>()?;
        let authorities = self.global.ca_file.clone().or_else(|| self.operator.ca_file.as_ref().map(PathBuf::from));
        if let Some(path) = authorities {
            let pem = fs::read(&path).with_context(|| format!("cannot read the CA file {}", path.display()))?;
            settings.authorities = Some(pem);
        }
        settings.ssh_hosts.clone_from(&self.operator.ssh_hosts);
        let usual = settings.manners;
        settings.manners.per_second = self.operator.per_second.unwrap_or(usual.per_second);
        settings.manners.budget = self.operator.budget.unwrap_or(usual.budget);
        Ok(settings)
    }

    /// One of the environment's variables, unless it is empty.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The credential with which a provider is administered, read where the settings say. Absent where they name a variable that
    /// is not set: the plan says what is missing.
    pub(super) fn credential(&self, provider: &Provider) -> anyhow::Result<Option<(String, Secret)>> {
        let Some(from) = &provider.credential else { return Ok(None) };
        let value = self.secret(from).with_context(|| format!("the credential of {}", provider.name))?;
        Ok(value.map(|value| (from.to_string(), value)))
    }

    /// A secret of the operator's own. Absent where a variable is not set or there is nothing in it.
    pub(super) fn secret(&self, from: &CredentialFrom) -> anyhow::Result<Option<Secret>> {
        let bytes = match from {
            CredentialFrom::Variable(name) => match self.variable(name) {
                Some(value) => value.as_bytes().to_vec(),
                None => return Ok(None),
            },
            CredentialFrom::File(path) => fs::read(path).with_context(|| format!("cannot read {path}"))?,
        };
        let bytes = zeroize::Zeroizing::new(bytes);
        Ok(Some(Secret::new(bytes.trim_ascii())).filter(|value| !value.is_empty()))
    }

    /// What evidence is signed with. Settings that name a key which cannot be read are an error.
    pub(super) fn signer(&self) -> anyhow::Result<Option<Signer>> {
        let Some(from) = &self.operator.sign_with else { return Ok(None) };
        let pem = self.secret(from)?.with_context(|| format!("there is no key to sign evidence with in {from}"))?;
        let pem = pem.expose_str().context("the key to sign evidence with is not text")?;
        Ok(Some(Signer::from_pem(pem).with_context(|| format!("the key to sign evidence with, {from}"))?))
    }

    /// The user's home folder, as the environment has it.
    pub(super) fn home(&self) -> Option<&str> {
        let home = self.environment.get("HOME").or_else(|| self.environment.get("USERPROFILE"))?;
        (!home.is_empty()).then_some(home)
    }

    /// The environment, a variable a line.
    pub(super) fn environment_text(&self) -> Vec<u8> {
        self.environment.iter().flat_map(|(name, value)| format!("{name}={value}\n").into_bytes()).collect()
    }

    /// Where docker, podman and skopeo keep logins. None offline: a helper might ask the network itself.
    pub(super) fn login_files(&self) -> Option<LoginFiles> {
        let set = |name: &str| self.environment.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if self.global.offline {
            return None;
        }
        if let Some(file) = set("REGISTRY_AUTH_FILE") {
            return Some(LoginFiles(vec![file]));
        }
        let home = || set("HOME").or_else(|| set("USERPROFILE"));
        let config = set("XDG_CONFIG_HOME").or_else(|| home().map(|home| home.join(".config")));
        let docker = set("DOCKER_CONFIG").or_else(|| home().map(|home| home.join(".docker")));
        let folders =
            [set("XDG_RUNTIME_DIR"), config].into_iter().flatten().map(|folder| folder.join("containers/auth.json"));
        Some(LoginFiles(folders.chain(docker.map(|folder| folder.join("config.json"))).collect()))
    }

    /// The user's name, as the environment has it.
    pub(super) fn user(&self) -> Option<String> {
        self.environment.get("USER").or_else(|| self.environment.get("LOGNAME")).cloned()
    }

    /// The fingerprint key; makes the state folder's where there is none.
    pub(super) fn fingerprint_key(&self) -> anyhow::Result<FingerprintKey> {
        state::fingerprint_key(self.global.fingerprint_key.as_deref(), self.quiet, self.state.as_deref())
    }
}

/// Waits for a future, or until this process is asked to end, whichever comes first.
pub(super) fn block_on_or_interrupt<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    block_on(async {
        tokio::select! {
            done = future => done,
            true = super::ending::asked() => Err(anyhow::anyhow!("interrupted; nothing was changed")),
        }
    })?
}

/// Waits for a future, with threads for its timers and connections.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    Ok(runtime.context("no threads for the network")?.block_on(future))
}

/// Who made a report.
pub(super) fn tool(set: &DetectorSet) -> Tool {
    Tool {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        detectors: set.hash().to_owned(),
    }
}

/// What the program itself does, at `-vv` and above. Other crates' events are never shown: they may hold headers.
fn log(verbose: u8) {
    use tracing_subscriber::filter::{LevelFilter, Targets};
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::util::SubscriberInitExt;
    let level = match verbose {
        0 | 1 => return,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false).without_time();
    let _ = tracing_subscriber::registry().with(layer).with(Targets::new().with_target("staunch", level)).try_init();
}

/// The operator's file: the one named, which must be there, else the one in the XDG config folder, which may be.
fn operator(named: Option<&Path>, environment: &BTreeMap<String, String>) -> anyhow::Result<Operator> {
    let set = |name: &str| environment.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let usual = || set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")));
    let path = named.map(Path::to_owned).or_else(|| usual().map(|dir| dir.join("staunch/config.toml")));
    let Some(path) = path else { return Ok(Operator::default()) };
    match settings_file(&path) {
        Ok(text) => {
            let providers: Vec<&str> = respond::providers().into_iter().collect();
            let read = Operator::read(&path.display().to_string(), &text, &providers);
            read.context("the settings file has mistakes")
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && named.is_none() => Ok(Operator::default()),
        Err(error) => Err(error).with_context(|| format!("cannot read the settings file {}", path.display())),
    }
}

/// The text of a settings file. A pipe or a device may never end: only what means that there are no settings is one, or what a
/// shell has opened for this program alone, `<(sops -d …)`.
fn settings_file(path: &Path) -> std::io::Result<String> {
    let found = fs::metadata(path)?;
    let opened = ["/dev/fd", "/proc/self/fd"].iter().any(|folder| path.starts_with(folder));
    if !found.is_file() && !found.is_dir() && !opened && path != Path::new("/dev/null") {
        return Err(std::io::Error::other("it is a pipe, a socket or a device, not a file"));
    }
    fs::read_to_string(path)
}

/// A declared file of the user's.
pub(super) struct Declared {
    /// File stem.
    pub(super) id: String,
    /// The file as it is called in messages.
    pub(super) file: String,
    pub(super) text: String,
}

/// The declared files (*.toml) of a folder, in order of name. None at all is an error: the folder is not the one meant.
pub(super) fn read_declared(dir: &Path, what: &str) -> anyhow::Result<Vec<Declared>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| format!("cannot read the folder {}", dir.display()))? {
        let path = entry.with_context(|| format!("cannot read the folder {}", dir.display()))?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            all.push(Declared { id, file: path.display().to_string(), text });
        }
    }
    all.sort_by(|a, b| a.id.cmp(&b.id));
    anyhow::ensure!(!all.is_empty(), "{} holds no {what} file (*.toml)", dir.display());
    Ok(all)
}

/// The detector files of a folder.
pub(super) fn read_detectors(dir: &Path) -> anyhow::Result<Vec<Source>> {
    let all = read_declared(dir, "detector")?;
    Ok(all.into_iter().map(|Declared { id, file, text }| Source { id, file, text }).collect())
}
