//! What HEAD and the references name.

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::refs::{FullNameRef, PartialNameRef, TargetRef, file};

use super::place::small;
use super::{GitError, GitPlace};

/// Symbolic references in a row; git follows five.
const DEEPEST: usize = 5;

pub(super) fn store(place: &GitPlace) -> file::Store {
    if place.git_dir == place.common_dir {
        file::Store::at(place.git_dir.clone(), place.hash)
    } else {
        file::Store::for_linked_worktree(place.git_dir.clone(), place.common_dir.clone(), place.hash)
    }
}

/// The commit that HEAD names; none on a branch without commits.
pub(super) fn head(place: &GitPlace) -> Result<Option<ObjectId>, GitError> {
    let path = place.git_dir.join("HEAD");
    let failed = |why: &dyn std::fmt::Display| GitError::read(path.display(), why);
    let text = small(&path)?;
    let line = text.trim_ascii_end();
    let Some(name) = line.strip_prefix(b"ref:") else {
        let id = ObjectId::from_hex(line).ok().filter(|id| id.kind() == place.hash);
        return id.map(Some).ok_or_else(|| failed(&"it names neither a branch nor a commit"));
    };
    let full: &FullNameRef = name.trim_ascii_start().as_bstr().try_into().map_err(|_| failed(&"it names no branch"))?;
    follow(place, full.as_partial_name()).map_err(|why| failed(&why))
}

/// The object that a name leads to; none where the way ends.
fn follow(place: &GitPlace, name: &PartialNameRef) -> Result<Option<ObjectId>, String> {
    let store = store(place);
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
pub(super) fn resolve(place: &GitPlace, text: &str) -> Result<ObjectId, GitError> {
    if let Some(id) = ObjectId::from_hex(text.as_bytes()).ok().filter(|id| id.kind() == place.hash) {
        return Ok(id);
    }
    let name: &PartialNameRef = text.try_into().map_err(|_| GitError::NoId(text.to_owned()))?;
    let found = follow(place, name).map_err(|why| GitError::read(text, &why))?;
    found.ok_or_else(|| GitError::NoId(text.to_owned()))
}

/// The objects that the references below `prefix` name. What cannot be read is left out: that only makes more to look at.
pub(super) fn named(place: &GitPlace, prefix: Option<&str>) -> Vec<ObjectId> {
    let store = store(place);
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
