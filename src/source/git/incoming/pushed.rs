//! What a push brings: the commits that are reached from the new ends of references and from none of the old ones, and of each
//! what none of its parents holds at the same path. Merges are compared with all of their parents: what only the merge holds is
//! new. Messages of commits and tags are looked at as well.

use std::collections::HashSet;

use gix::ObjectId;
use gix::objs::{CommitRef, Kind, TagRef};
use jiff::Timestamp;

use super::super::open::small;
use super::changes::{Change, Changes};
use super::commits::{Commit, Commits};
use super::objects::{Handle, Objects};
use super::refs::Refs;
use super::tree::{Finds, Walked, fresh};
use super::{GitError, GitPlace};
use crate::model::{CommitPlace, Provenance};

/// Tags of tags of tags.
const DEEPEST: usize = 16;

/// One reference that is about to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// Its full name.
    pub name: String,
    /// What it is about to name: an object id or a name. None when it is deleted.
    pub new: Option<String>,
    /// What it names on the other side until then.
    pub old: Option<String>,
}

impl Update {
    /// A line that git hands to a pre-push hook: `local-ref local-id remote-ref remote-id`.
    ///
    /// # Errors
    /// When it is not one.
    pub fn of_push(line: &str) -> Result<Self, GitError> {
        // The first may hold blanks: it is what the user wrote.
        let mut words = line.rsplitn(4, ' ');
        let (old, name, new, local) = (words.next(), words.next(), words.next(), words.next());
        Self::of([new, old, name.zip(local).map(|(name, _)| name)], line)
    }

    /// A line that git hands to a pre-receive hook: `old-id new-id ref`.
    ///
    /// # Errors
    /// When it is not one.
    pub fn of_receive(line: &str) -> Result<Self, GitError> {
        let mut words = line.splitn(3, ' ');
        let (old, new, name) = (words.next(), words.next(), words.next());
        Self::of([new, old, name], line)
    }

    fn of(words: [Option<&str>; 3], line: &str) -> Result<Self, GitError> {
        // Not the line itself: it may be anything that somebody piped in.
        let bad =
            || GitError::read("what git said of the push", &format!("a line of {} bytes was not understood", line.len()));
        let [Some(new), Some(old), Some(name)] = words else { return Err(bad()) };
        let id = |text: &str| {
            let id = ObjectId::from_hex(text.as_bytes()).map_err(|_| bad())?;
            Ok((!id.is_null()).then(|| text.to_owned()))
        };
        Ok(Self { name: name.to_owned(), new: id(new)?, old: id(old)? })
    }
}

/// What a push to `remote` would bring there. What the remote's own references are known to have named is there already.
///
/// # Errors
/// When the repository cannot be opened, or a new end of a reference cannot be read.
pub fn pushed(place: &GitPlace, updates: &[Update], remote: Option<&str>) -> Result<Changes, GitError> {
    let refs = Refs::open(place)?;
    let mut there: Vec<ObjectId> =
        updates.iter().filter_map(|update| refs.resolve(place, update.old.as_deref()?).ok()).collect();
    if let Some(remote) = remote {
        there.extend(refs.below(Some(&format!("refs/remotes/{remote}/"))));
    }
    Push::new(place)?.run((place, &refs), updates, &there)
}

/// What a push that is being received would bring here: what no reference here has.
///
/// # Errors
/// As [`pushed`].
pub fn received(place: &GitPlace, updates: &[Update]) -> Result<Changes, GitError> {
    let refs = Refs::open(place)?;
    let there = refs.below(None);
    Push::new(place)?.run((place, &refs), updates, &there)
}

struct Push {
    handle: Handle,
    changes: Changes,
    /// Commits whose parents were cut off by a shallow clone.
    shallow: HashSet<ObjectId>,
    /// Each content is looked at once, where it came first.
    seen: HashSet<ObjectId>,
    walked: Walked,
}

impl Push {
    fn new(place: &GitPlace) -> Result<Self, GitError> {
        let objects = Objects::open(place)?;
        let path = place.common.join("shallow");
        let text = if path.symlink_metadata().is_ok() { small(&path)? } else { Vec::new() };
        let shallow = text.split(|byte| *byte == b'\n').filter_map(|line| ObjectId::from_hex(line).ok()).collect();
        let (handle, changes) = (objects.handle(), Changes::new(objects));
        Ok(Self { handle, changes, shallow, seen: HashSet::new(), walked: Walked::default() })
    }

    fn run(
        mut self,
        (place, refs): (&GitPlace, &Refs),
        updates: &[Update],
        there: &[ObjectId],
    ) -> Result<Changes, GitError> {
        let known: HashSet<ObjectId> = there.iter().copied().collect();
        let mut tips = Vec::new();
        for update in updates {
            let Some(new) = &update.new else {
                self.changes.skipped.push("deleted reference");
                continue;
            };
            let id = refs.resolve(place, new)?;
            if let Some(commit) = self.tip(id, update, &known)? {
                tips.push((commit, update.name.as_str()));
            }
        }
        let there: Vec<ObjectId> = there.iter().filter_map(|id| self.peel(*id)).collect();
        let commits = self.commits().between(&tips, &there)?;
        self.known(&commits);
        // The oldest first: it is the one that brought a content in.
        for (id, name) in commits.into_iter().rev() {
            self.commit(&id, name)?;
        }
        Ok(self.changes)
    }

    /// The commit that a reference's new end leads to. Whatever else it leads to is taken at once.
    fn tip(&mut self, mut id: ObjectId, update: &Update, known: &HashSet<ObjectId>) -> Result<Option<ObjectId>, GitError> {
        let mut buffer = Vec::new();
        for _ in 0..DEEPEST {
            if known.contains(&id) {
                return Ok(None);
            }
            let kind = self.handle.find(&id, &mut buffer)?.ok_or_else(|| GitError::Missing(id.to_string()))?;
            let place = CommitPlace { object: id.to_string(), refs: vec![update.name.clone()], ..CommitPlace::default() };
            let provenance = Provenance::Commit(Box::new(place));
            match kind {
                Kind::Commit => return Ok(Some(id)),
                Kind::Blob => {
                    self.changes.all.push(Change::file(update.name.as_bytes(), id, Vec::new(), provenance));
                    return Ok(None);
                }
                Kind::Tree => {
                    self.tree(id, Vec::new(), &provenance);
                    return Ok(None);
                }
                Kind::Tag => {
                    let tag = TagRef::from_bytes(&buffer, self.handle.hash);
                    let target = tag.map_err(|error| GitError::read(format!("tag {id}"), &error))?.target();
                    let shown = format!("{} (message of the tag)", update.name);
                    self.changes.all.push(Change::message(shown, body(&buffer), provenance));
                    id = target;
                }
            }
        }
        Err(GitError::read(format!("tag {id}"), &"tags of tags without end"))
    }

    /// The commit behind tags; none for what is not here.
    fn peel(&self, mut id: ObjectId) -> Option<ObjectId> {
        let mut buffer = Vec::new();
        for _ in 0..DEEPEST {
            match self.handle.find(&id, &mut buffer).ok()?? {
                Kind::Commit => return Some(id),
                Kind::Tag => id = TagRef::from_bytes(&buffer, self.handle.hash).ok()?.target(),
                _ => return None,
            }
        }
        None
    }

    fn commits(&self) -> Commits<'_> {
        Commits { objects: &self.handle, shallow: &self.shallow }
    }

    /// What the other side has where the new commits begin: a content of that, under another name, is nothing new.
    fn known(&mut self, commits: &[(ObjectId, &str)]) {
        let new: HashSet<ObjectId> = commits.iter().map(|(id, _)| *id).collect();
        let parents = |id: &ObjectId| self.commits().read(id).map_or_else(|_| Vec::new(), |commit| commit.parents);
        let edge: HashSet<ObjectId> = new.iter().flat_map(parents).filter(|parent| !new.contains(parent)).collect();
        let trees = edge.iter().filter_map(|id| Some(self.commits().read(id).ok()?.tree)).collect();
        self.changes.gone.trees = trees;
    }

    /// What a commit brings.
    fn commit(&mut self, id: &ObjectId, name: &str) -> Result<(), GitError> {
        let Commit { tree, parents, .. } = self.commits().read(id)?;
        let mut buffer = Vec::new();
        self.handle.get(id, Kind::Commit, &mut buffer)?;
        let provenance = provenance(id, &buffer, (name, self.handle.hash));
        let shown = format!("message of commit {}", id.to_hex_with_len(12));
        self.changes.all.push(Change::message(shown, body(&buffer), provenance.clone()));
        let others = parents.iter().filter_map(|parent| Some(self.commits().read(parent).ok()?.tree)).collect();
        self.tree(tree, others, &provenance);
        Ok(())
    }

    fn tree(&mut self, tree: ObjectId, others: Vec<ObjectId>, provenance: &Provenance) {
        let (seen, changes) = (&mut self.seen, std::cell::RefCell::new(&mut self.changes));
        let mut finds = Finds {
            walked: &mut self.walked,
            fresh: &mut |found| {
                if seen.insert(found.id) {
                    let mut provenance = provenance.clone();
                    if let Provenance::Commit(place) = &mut provenance {
                        place.object = found.id.to_string();
                    }
                    changes.borrow_mut().all.push(Change::file(&found.path, found.id, found.before, provenance));
                }
            },
            submodule: &mut || changes.borrow_mut().skipped.push("submodule"),
            trouble: &mut |path, error| changes.borrow_mut().trouble(&path, &error),
        };
        fresh(&self.handle, (Vec::new(), tree), others, &mut finds);
    }
}

fn provenance(id: &ObjectId, bytes: &[u8], (name, hash): (&str, gix::hash::Kind)) -> Provenance {
    let commit = CommitRef::from_bytes(bytes, hash).ok();
    let author = commit.as_ref().and_then(|commit| commit.author().ok());
    let date = author.as_ref().and_then(|who| Timestamp::from_second(who.time().ok()?.seconds).ok());
    Provenance::Commit(Box::new(CommitPlace {
        object: id.to_string(),
        commit: Some(id.to_string()),
        author: author.map(|who| format!("{} <{}>", who.name, who.email)),
        date,
        refs: vec![name.to_owned()],
        ..CommitPlace::default()
    }))
}

/// What stands behind the headers of a commit or a tag.
fn body(bytes: &[u8]) -> Vec<u8> {
    let at = bytes.windows(2).position(|pair| pair == b"\n\n");
    at.map_or_else(Vec::new, |at| bytes[at + 2..].to_vec())
}

#[cfg(test)]
mod tests {
    use super::Update;

    #[test]
    fn git_s_lines_are_understood_and_no_others() {
        let (id, other, none) = ("1".repeat(40), "2".repeat(40), "0".repeat(40));
        let update = |new: &str, old: &str| {
            let some = |text: &str| (text != none).then(|| text.to_owned());
            Update { name: "refs/heads/x".into(), new: some(new), old: some(old) }
        };
        let push = |line: String| Update::of_push(&line).ok();
        assert_eq!(push(format!("refs/heads/x {id} refs/heads/x {other}")), Some(update(&id, &other)));
        assert_eq!(push(format!("(delete) {none} refs/heads/x {other}")), Some(update(&none, &other)));
        assert_eq!(push(format!("HEAD^{{/a b}} {id} refs/heads/x {none}")), Some(update(&id, &none)));
        for bad in ["", "x", &format!("{id} refs/heads/x {id}"), &format!("a {id} refs/heads/x zz")] {
            assert_eq!(push(bad.to_owned()), None, "{bad}");
        }
        assert_eq!(Update::of_receive(&format!("{other} {id} refs/heads/x")).ok(), Some(update(&id, &other)));
        assert_eq!(Update::of_receive(&format!("{other} {id}")).ok(), None);
    }
}
