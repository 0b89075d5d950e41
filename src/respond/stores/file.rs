//! A file of settings on this disk. Replaced whole by a new one beside it, with the old one's mode, owner and attributes (access
//! lists, SELinux labels); readers see one or the other. Its folder is locked meanwhile, so that no other run of Staunch comes
//! between; of that lock an editor knows nothing, and an edit in the instant between the last look and the replacement would be
//! lost. A container that has the file itself mounted keeps the old one until it is made anew.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::{Held, LARGEST, Store, Write};
use crate::respond::Hands;
use crate::respond::actions::{Doing, Trouble};
use crate::secret::Secret;

pub(super) struct File(PathBuf);

impl File {
    pub(super) fn at(path: &str) -> Self {
        Self(PathBuf::from(path))
    }
}

fn refused(why: String) -> Trouble {
    Trouble::Refused { status: 0, why }
}

fn read(path: &Path, hands: &Hands) -> Result<Held, Trouble> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Trouble::Absent,
        _ => Trouble::Failed(error.to_string()),
    };
    let about = fs::symlink_metadata(path).map_err(failed)?;
    if !about.is_file() {
        return Err(refused("it is no ordinary file; name the file itself".to_owned()));
    }
    if about.len() > LARGEST as u64 {
        return Err(refused(format!("it is larger than {} KiB", LARGEST >> 10)));
    }
    let key = hands.stores.key.as_ref().ok_or_else(|| refused("fingerprints have no key".to_owned()))?;
    let bytes = Secret::from_vec(fs::read(path).map_err(failed)?);
    let version = key.fingerprint(bytes.expose()).short();
    Ok(Held { fields: vec![(String::new(), bytes)], version })
}

/// The new file's name: one that a later attempt finds again, so that nothing is left lying about.
fn beside(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    Some(path.with_file_name(format!(".{name}.staunch-new")))
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let new = beside(path).ok_or_else(|| std::io::Error::other("it has no name"))?;
    match fs::remove_file(&new) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let filled = fill(path, &new, bytes).and_then(|()| fs::rename(&new, path));
    if filled.is_err() {
        // What is in it must not stay.
        let _ = fs::remove_file(&new);
    }
    filled?;
    // The name is on disk once its folder is.
    if let Some(folder) = path.parent() {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn fill(path: &Path, new: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(new)?;
    let about = fs::metadata(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let made = file.metadata()?;
        if about.nlink() > 1 {
            return Err(std::io::Error::other("it has a second name (hard link), which would keep the old content"));
        }
        if (made.uid(), made.gid()) != (about.uid(), about.gid()) {
            std::os::unix::fs::chown(new, Some(about.uid()), Some(about.gid()))?;
        }
    }
    file.set_permissions(about.permissions())?;
    #[cfg(target_os = "linux")]
    attributes::copy(path, new)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// What a file has besides its mode and owner.
#[cfg(target_os = "linux")]
mod attributes {
    use std::ffi::CStr;
    use std::io::{Error, Result};
    use std::path::Path;

    use rustix::fs::{XattrFlags, getxattr, listxattr, setxattr};

    /// Linux takes no more of one attribute, nor more names (`xattr(7)`).
    const LARGEST: usize = 64 << 10;

    /// Gives a file the attributes of another. Without an access list its readers would be locked out at their next start.
    pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
        let mut names = vec![0; LARGEST];
        let length = match listxattr(from, &mut names) {
            // A file system that has none.
            Err(rustix::io::Errno::NOTSUP) => return Ok(()),
            length => length?,
        };
        for name in names[..length].split_inclusive(|&byte| byte == 0) {
            let name = CStr::from_bytes_with_nul(name).map_err(Error::other)?;
            let value = |path: &Path| {
                let mut value = vec![0; LARGEST];
                let length = getxattr(path, name, &mut value)?;
                value.truncate(length);
                Ok::<_, rustix::io::Errno>(value)
            };
            let wanted = value(from)?;
            if value(to).ok().as_ref() == Some(&wanted) {
                continue;
            }
            setxattr(to, name, &wanted, XattrFlags::empty()).map_err(|error| {
                Error::other(format!("its attribute {} cannot be given to a new file: {error}", name.to_string_lossy()))
            })?;
        }
        Ok(())
    }
}

impl Store for File {
    fn name(&self) -> String {
        format!("file {}", self.0.display())
    }

    fn permissions(&self) -> &'static [&'static str] {
        &["writing the file and its folder"]
    }

    fn lingers(&self) -> bool {
        false
    }

    fn read<'a>(&'a self, hands: &'a Hands) -> Doing<'a, Result<Held, Trouble>> {
        Box::pin(async move { read(&self.0, hands) })
    }

    fn write<'a>(&'a self, hands: &'a Hands, change: &'a Write<'_>) -> Doing<'a, Result<(), Trouble>> {
        Box::pin(async move {
            let failed = |error: std::io::Error| Trouble::Failed(error.to_string());
            let folder = self.0.parent().ok_or_else(|| refused("it has no folder".to_owned()))?;
            // Held until the new file has its name. Nothing waits in between, so that it is never held for long.
            let folder = fs::File::open(folder).map_err(failed)?;
            folder.lock().map_err(failed)?;
            if read(&self.0, hands)?.version != change.before.version {
                return Err(Trouble::Failed("somebody changed it just now".to_owned()));
            }
            let (_, bytes) = change.fields.first().ok_or_else(|| refused("there is nothing to write".to_owned()))?;
            write(&self.0, bytes.expose()).map_err(failed)
        })
    }
}

#[cfg(test)]
mod tests;
