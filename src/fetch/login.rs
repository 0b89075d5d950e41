//! Who asks a registry: the logins that docker, podman and skopeo keep. The files are the operator's; the helper programs
//! that they name are run.
//! <https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md>,
//! <https://docs.docker.com/reference/cli/docker/login/#credential-stores>

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Deserialize;
use zeroize::Zeroizing;

use super::FetchError;

/// A helper may have to wait for a person to unlock a key ring, but not for ever.
const PATIENCE: Duration = Duration::from_secs(30);
/// What a helper may say.
const LARGEST: u64 = 64 << 10;
const HUB: &str = "https://index.docker.io/v1/";

/// A user's password, or a token that stands for both.
pub enum Login {
    /// User and password.
    Password {
        /// The user.
        user: Zeroizing<String>,
        /// The password.
        password: Zeroizing<String>,
    },
    /// An OAuth2 refresh token.
    Token(Zeroizing<String>),
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Login")
    }
}

/// Files that logins are kept in, the first that knows one wins.
#[derive(Debug, Clone, Default)]
pub struct LoginFiles(pub Vec<PathBuf>);

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct File {
    auths: BTreeMap<String, Entry>,
    creds_store: Option<String>,
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    auth: Zeroizing<String>,
    username: Zeroizing<String>,
    password: Zeroizing<String>,
    identitytoken: Zeroizing<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Helped {
    username: Zeroizing<String>,
    secret: Zeroizing<String>,
}

impl LoginFiles {
    /// The login for a repository of a registry, if any. None is no error: most images are public.
    ///
    /// # Errors
    /// When a file or helper that should know cannot be asked.
    pub fn login(&self, registry: &str, repository: &str) -> Result<Option<Login>, FetchError> {
        for path in &self.0 {
            let text = match std::fs::read(path) {
                Ok(text) => Zeroizing::new(text),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(_) => return Err(FetchError::LoginFile(path.display().to_string())),
            };
            let wrong = |_| FetchError::LoginFile(path.display().to_string());
            let file: File = serde_json::from_slice(&text).map_err(wrong)?;
            if let Some(login) = file.login(registry, repository)? {
                return Ok(Some(login));
            }
        }
        Ok(None)
    }
}

impl File {
    fn login(mut self, registry: &str, repository: &str) -> Result<Option<Login>, FetchError> {
        let own = self.cred_helpers.iter().find(|(key, _)| host(key) == registry);
        let server = if registry == "docker.io" { HUB } else { registry };
        if let Some(helper) = own.map(|(_, helper)| helper).or(self.creds_store.as_ref())
            && let Some(login) = ask(helper, server)?
        {
            return Ok(Some(login));
        }
        // podman keeps logins for parts of a registry: the longest name wins.
        let mut name = format!("{registry}/{repository}");
        loop {
            let key = self.auths.keys().find(|key| bare(key) == name || host(key) == name).cloned();
            if let Some(login) = key.and_then(|key| self.auths.remove(&key)).and_then(Entry::login) {
                return Ok(Some(login));
            }
            let Some(end) = name.rfind('/') else { return Ok(None) };
            name.truncate(end);
        }
    }
}

impl Entry {
    fn login(self) -> Option<Login> {
        if !self.identitytoken.is_empty() {
            return Some(Login::Token(self.identitytoken));
        }
        if !self.username.is_empty() {
            return Some(Login::Password { user: self.username, password: self.password });
        }
        let plain = Zeroizing::new(data_encoding::BASE64.decode(self.auth.trim().as_bytes()).ok()?);
        let (user, password) = std::str::from_utf8(&plain).ok()?.split_once(':')?;
        // Docker for Windows pads with NUL.
        let password = password.trim_end_matches('\0');
        Some(Login::Password { user: user.to_owned().into(), password: password.to_owned().into() })
    }
}

/// A key of a login file without its scheme and slash.
fn bare(key: &str) -> &str {
    let key = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    key.trim_end_matches('/')
}

/// The registry that a key of Docker's stands for: `https://index.docker.io/v1/` is Docker Hub.
fn host(key: &str) -> &str {
    let bare = bare(key);
    match bare.strip_suffix("/v1").or_else(|| bare.strip_suffix("/v2")).unwrap_or(bare) {
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        host => host,
    }
}

/// Asks `docker-credential-NAME`. None when it knows no login for that server.
fn ask(name: &str, server: &str) -> Result<Option<Login>, FetchError> {
    let error = |what: &str| FetchError::Helper(format!("docker-credential-{} {what}", name.escape_default()));
    // A name, not a path.
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) {
        return Err(error("has a name that no program has"));
    }
    let mut command = Command::new(format!("docker-credential-{name}"));
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|_| error("cannot be run"))?;
    let said = child.stdin.take().map(|mut stdin| stdin.write_all(server.as_bytes()));
    let Some(mut stdout) = child.stdout.take() else { return Err(error("cannot be run")) };
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    // Not joined: a helper's own child may keep the pipe open.
    std::thread::spawn(move || {
        let mut answer = Zeroizing::new(Vec::new());
        let read = stdout.by_ref().take(LARGEST).read_to_end(&mut answer);
        let _ = sender.send(read.map(|_| answer));
    });
    let answer = receiver.recv_timeout(PATIENCE);
    if answer.is_err() {
        let _ = child.kill();
    }
    let status = child.wait();
    let Ok(Ok(answer)) = answer else { return Err(error("did not answer")) };
    let good = status.is_ok_and(|status| status.success()) && said.is_some_and(|said| said.is_ok());
    if !good {
        // "credentials not found in native keychain", the protocol's own words, whatever the helper.
        let unknown = String::from_utf8_lossy(&answer).contains("not found");
        return if unknown { Ok(None) } else { Err(error("failed")) };
    }
    let Helped { username, secret } = serde_json::from_slice(&answer).map_err(|_| error("answered what is no login"))?;
    if secret.is_empty() {
        return Ok(None);
    }
    let is_token = username.as_str() == "<token>";
    Ok(Some(if is_token { Login::Token(secret) } else { Login::Password { user: username, password: secret } }))
}

#[cfg(test)]
mod tests {
    use super::{Login, LoginFiles};

    fn found(files: &[&str], registry: &str, repository: &str) -> String {
        let dir = tempfile::tempdir().expect("scratch");
        let written = files.iter().enumerate().map(|(number, text)| {
            let path = dir.path().join(number.to_string());
            std::fs::write(&path, text).expect("written");
            path
        });
        let mut paths: Vec<_> = written.collect();
        paths.insert(0, dir.path().join("absent"));
        match LoginFiles(paths).login(registry, repository) {
            Ok(None) => "none".to_owned(),
            Ok(Some(Login::Token(token))) => format!("token {}", *token),
            Ok(Some(Login::Password { user, password })) => format!("{} {}", *user, *password),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn logins_are_found_by_registry_and_by_part_of_it() {
        let auth = |text: &str| data_encoding::BASE64.encode(text.as_bytes());
        let docker = format!(
            r#"{{"auths": {{"https://index.docker.io/v1/": {{"auth": "{}"}}, "ghcr.io": {{"identitytoken": "t"}}, "r.io": {{}}}}}}"#,
            auth("hub:pa:ss")
        );
        let podman =
            format!(r#"{{"auths": {{"r.io/team": {{"auth": "{}"}}, "r.io": {{"auth": "{}"}}}}}}"#, auth("t:1"), auth("r:2"));
        let files = [docker.as_str(), podman.as_str()];
        assert_eq!(found(&files, "docker.io", "library/debian"), "hub pa:ss");
        assert_eq!(found(&files, "ghcr.io", "a/b"), "token t");
        assert_eq!(found(&files, "r.io", "team/app"), "t 1");
        assert_eq!(found(&files, "r.io", "teams/app"), "r 2");
        assert_eq!(found(&files, "elsewhere.io", "a"), "none");
        assert!(found(&["nonsense"], "r.io", "a").contains("cannot be read"));
        assert!(found(&[r#"{"credsStore": "../evil"}"#], "r.io", "a").contains("no program has"));
        assert!(found(&[r#"{"credsStore": "staunch-absent"}"#], "r.io", "a").contains("cannot be run"));
    }
}
