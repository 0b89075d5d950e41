//! What HEAD and the references name.

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::refs::{FullNameRef, PartialNameRef, TargetRef, file};

use super::super::open::small;
use super::super::reftable::{self, Names, Target};
use super::{GitError, GitPlace};

/// Symbolic references in a row; git follows five.
const DEEPEST: usize = 5;
/// What may stand before a name that a user writes.
const BEFORE: [&str; 5] = ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"];
/// References that each working tree has for itself, beside those outside of `refs/`.
const OWN: [&[u8]; 3] = [b"refs/bisect/", b"refs/worktree/", b"refs/rewritten/"];

/// A repository's references, however it keeps them.
pub(super) enum Refs {
    Files(Box<file::Store>),
    Tables(Names),
}

impl Refs {
    /// # Errors
    /// When they are kept as reftables that cannot be read.
    pub(super) fn open(place: &GitPlace) -> Result<Self, GitError> {
        let (own, common) = (place.git.clone(), place.common.clone());
        if place.reftable {
            return tables(place).map(Self::Tables);
        }
        Ok(Self::Files(Box::new(if own == common {
            file::Store::at(own, place.kind())
        } else {
            file::Store::for_linked_worktree(own, common, place.kind())
        })))
    }

    /// The commit that HEAD names; none on a branch without commits.
    pub(super) fn head(&self, place: &GitPlace) -> Result<Option<ObjectId>, GitError> {
        let path = place.git.join("HEAD");
        let failed = |why: &dyn std::fmt::Display| GitError::read(path.display(), why);
        let neither = || failed(&"it names neither a branch nor a commit");
        if let Self::Tables(names) = self {
            return if names.contains_key(&b"HEAD"[..]) { Ok(object(names, "HEAD")) } else { Err(neither()) };
        }
        let text = small(&path)?;
        let line = text.trim_ascii_end();
        let Some(name) = line.strip_prefix(b"ref:") else {
            let id = ObjectId::from_hex(line).ok().filter(|id| id.kind() == place.kind());
            return id.map(Some).ok_or_else(neither);
        };
        let name = name.trim_ascii_start().as_bstr();
        let full: &FullNameRef = name.try_into().map_err(|_| failed(&"it names no branch"))?;
        self.follow(full.as_partial_name()).map_err(|why| failed(&why))
    }

    /// The object that a name leads to; none where the way ends.
    fn follow(&self, name: &PartialNameRef) -> Result<Option<ObjectId>, String> {
        let store = match self {
            Self::Files(store) => store,
            Self::Tables(names) => {
                let text = name.as_bstr().to_str_lossy();
                return Ok(BEFORE.iter().find_map(|before| object(names, &format!("{before}{text}"))));
            }
        };
        let mut name = name.to_owned();
        for _ in 0..DEEPEST {
            let Some(found) = store.try_find(&name).map_err(|error| error.to_string())? else { return Ok(None) };
            match found.target.to_ref() {
                TargetRef::Object(id) => return Ok(Some(id.to_owned())),
                TargetRef::Symbolic(next) => name = next.as_partial_name().to_owned(),
            }
        }
        Err("a reference to a reference to a reference, and so on".to_owned())
    }

    /// What a full object id or a reference's name means, as the user wrote it.
    ///
    /// # Errors
    /// When it means nothing: an expression like `HEAD~1` is not worked out.
    pub(super) fn resolve(&self, place: &GitPlace, text: &str) -> Result<ObjectId, GitError> {
        if let Some(id) = ObjectId::from_hex(text.as_bytes()).ok().filter(|id| id.kind() == place.kind()) {
            return Ok(id);
        }
        let name: &PartialNameRef = text.try_into().map_err(|_| GitError::Revision(text.to_owned()))?;
        let found = self.follow(name).map_err(|why| GitError::read(text, &why))?;
        found.ok_or_else(|| GitError::Revision(text.to_owned()))
    }

    /// The objects that the references below `prefix` name. What cannot be read is left out: that only makes more to look at.
    pub(super) fn below(&self, prefix: Option<&str>) -> Vec<ObjectId> {
        let store = match self {
            Self::Files(store) => store,
            Self::Tables(names) => {
                let prefix = prefix.unwrap_or("refs/");
                let below = names.iter().filter(|(name, _)| name.starts_with(prefix.as_bytes()));
                return below.filter_map(|(_, target)| id(target)).collect();
            }
        };
        let Ok(platform) = store.iter() else { return Vec::new() };
        let all = match prefix {
            None => platform.all(),
            Some(prefix) => match prefix.try_into() {
                Ok(prefix) => platform.prefixed(prefix),
                Err(_) => return Vec::new(),
            },
        };
        let Ok(all) = all else { return Vec::new() };
        let targets = all.filter_map(Result::ok).filter_map(|found| match found.target.to_ref() {
            TargetRef::Object(id) => Some(id.to_owned()),
            TargetRef::Symbolic(_) => None,
        });
        targets.collect()
    }
}

/// All references that a working tree sees: its own, and those of all.
fn tables(place: &GitPlace) -> Result<Names, GitError> {
    let read = |folder: &std::path::Path| {
        let folder = folder.join("reftable");
        reftable::stack(&folder, place.hash).map_err(|error| GitError::read(folder.display(), &error))
    };
    let mut names = read(&place.common)?;
    if place.git != place.common {
        let is_own = |name: &[u8]| !name.starts_with(b"refs/") || OWN.iter().any(|own| name.starts_with(own));
        names.retain(|name, _| !is_own(name));
        names.extend(read(&place.git)?.into_iter().filter(|(name, _)| is_own(name)));
    }
    Ok(names)
}

fn object(names: &Names, name: &str) -> Option<ObjectId> {
    id(reftable::follow(names, name.as_bytes())?)
}

fn id(target: &Target) -> Option<ObjectId> {
    match target {
        Target::Object(id, _) => Some(*id),
        Target::Symbolic(_) => None,
    }
}
