//! The state folder and the key under which fingerprints are made.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::args::Global;
use super::output::say;
use crate::secret::FingerprintKey;

/// `--state`, else the XDG state folder, else none.
pub(super) fn folder(global: &Global, environment: &BTreeMap<String, String>) -> Option<PathBuf> {
    let set = |name: &str| environment.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || set("HOME").or_else(|| set("USERPROFILE"));
    global
        .state
        .clone()
        .or_else(|| set("XDG_STATE_HOME").map(|dir| dir.join("staunch")))
        .or_else(|| home().map(|home| home.join(".local/state/staunch")))
}

/// The fingerprint key: an organisation's, else the state folder's (made when missing), else one for this run.
pub(super) fn fingerprint_key(given: Option<&str>, quiet: bool, state: Option<&Path>) -> anyhow::Result<FingerprintKey> {
    if let Some(given) = given {
        return organisation_key(given);
    }
    let kept = state.map(state_key).transpose();
    match kept {
        Ok(Some(key)) => Ok(key),
        Ok(None) => run_key("there is no state folder", quiet),
        Err(KeyError::Damaged(path)) => {
            bail!("{} is not a fingerprint key (64 hex digits); move it away to begin with a new one", path.display())
        }
        Err(KeyError::Io(error)) => run_key(&format!("the state folder cannot be used ({error})"), quiet),
    }
}

fn organisation_key(given: &str) -> anyhow::Result<FingerprintKey> {
    if let Some(key) = FingerprintKey::from_hex(given) {
        return Ok(key);
    }
    // What was given may be the key itself, mistyped, so it is not repeated.
    let text = fs::read_to_string(given).context("--fingerprint-key names no readable file")?;
    FingerprintKey::from_hex(&text).context("the file of --fingerprint-key does not hold 64 hex digits")
}

fn run_key(why: &str, quiet: bool) -> anyhow::Result<FingerprintKey> {
    if !quiet {
        say(&format!("staunch: {why}; fingerprints of this run compare with no other's"));
    }
    FingerprintKey::random().context("the system has no random numbers")
}

enum KeyError {
    Damaged(PathBuf),
    Io(std::io::Error),
}

fn state_key(dir: &Path) -> Result<FingerprintKey, KeyError> {
    let path = dir.join("fingerprint.key");
    loop {
        match fs::read_to_string(&path) {
            Ok(text) => return FingerprintKey::from_hex(&text).ok_or(KeyError::Damaged(path)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(KeyError::Io(error)),
        }
        let random = || std::io::Error::other("no random numbers");
        let key = FingerprintKey::random().ok_or_else(|| KeyError::Io(random()))?;
        make_folder(dir).map_err(KeyError::Io)?;
        // Two first runs at once: whoever links first wins, the other one reads.
        match write_private(&path, key.to_hex().as_bytes()) {
            Ok(()) => return Ok(key),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(KeyError::Io(error)),
        }
    }
}

/// Makes a folder that only its owner may enter.
pub(super) fn make_folder(dir: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Writes a new file, whole or not at all, that only its owner may read.
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let scratch = path.with_extension(format!("{}.part", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&scratch).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let linked = written.and_then(|()| fs::hard_link(&scratch, path));
    let _ = fs::remove_file(&scratch);
    linked
}

#[cfg(test)]
mod tests {
    use super::state_key;

    #[test]
    fn the_key_is_made_once_and_kept_private() {
        let dir = tempfile::tempdir().expect("scratch");
        let state = dir.path().join("a/b");
        let first = state_key(&state).ok().expect("made").id();
        assert_eq!(state_key(&state).ok().expect("read").id(), first);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &str| std::fs::metadata(state.join(path)).expect("there").permissions().mode() & 0o777;
            assert_eq!((mode("fingerprint.key"), mode(".")), (0o600, 0o700));
        }
        std::fs::write(state.join("fingerprint.key"), "short").expect("written");
        assert!(state_key(&state).is_err());
    }
}
