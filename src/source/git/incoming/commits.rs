//! The commits that are reached from some and not from others.

use std::collections::{BinaryHeap, HashMap, HashSet};

use gix::ObjectId;
use gix::objs::{CommitRef, Kind};

use super::GitError;
use super::objects::Handle;

/// What is asked of a commit.
pub(super) struct Commit {
    /// Seconds; 0 where it has no committer.
    time: i64,
    pub(super) tree: ObjectId,
    pub(super) parents: Vec<ObjectId>,
}

/// Reads commits; those at which a shallow clone was cut off have no parents.
pub(super) struct Commits<'h> {
    pub(super) objects: &'h Handle,
    pub(super) shallow: &'h HashSet<ObjectId>,
}

/// A commit on the way, or passed.
struct State<'n> {
    /// It is reached from what is there already.
    there: bool,
    done: bool,
    name: &'n str,
}

struct Walk<'n> {
    states: HashMap<ObjectId, State<'n>>,
    /// By time, the newest first.
    open: BinaryHeap<(i64, ObjectId)>,
    /// Open ones that are not there, as far as is known.
    wanted: usize,
}

impl<'n> Walk<'n> {
    fn add(&mut self, (time, id): (i64, ObjectId), there: bool, name: &'n str) {
        self.states.insert(id, State { there, done: false, name });
        self.wanted += usize::from(!there);
        self.open.push((time, id));
    }
}

impl Commits<'_> {
    pub(super) fn read(&self, id: &ObjectId) -> Result<Commit, GitError> {
        let mut buffer = Vec::new();
        self.objects.get(id, Kind::Commit, &mut buffer)?;
        let failed = |error: &dyn std::fmt::Display| GitError::read(format!("commit {id}"), error);
        let commit = CommitRef::from_bytes(&buffer, self.objects.hash).map_err(|error| failed(&error))?;
        let time = commit.committer().ok().and_then(|who| who.time().ok()).map_or(0, |time| time.seconds);
        let parents = if self.shallow.contains(id) { Vec::new() } else { commit.parents().collect() };
        Ok(Commit { time, tree: commit.tree(), parents })
    }

    /// The commits reached from `tips` and not from `there`, the newest first, with the names of their tips. A clock that was
    /// wrong may let some through that are there; none is left out.
    ///
    /// # Errors
    /// When one cannot be read. Of what is there already, what cannot be read is left out.
    pub(super) fn between<'n>(
        &self,
        tips: &[(ObjectId, &'n str)],
        there: &[ObjectId],
    ) -> Result<Vec<(ObjectId, &'n str)>, GitError> {
        let mut walk = Walk { states: HashMap::new(), open: BinaryHeap::new(), wanted: 0 };
        for id in there {
            if let Ok(commit) = self.read(id) {
                walk.add((commit.time, *id), true, "");
            }
        }
        for (id, name) in tips {
            if !walk.states.contains_key(id) {
                walk.add((self.read(id)?.time, *id), false, name);
            }
        }
        let mut found = Vec::new();
        while walk.wanted > 0 {
            let Some((_, id)) = walk.open.pop() else { break };
            let Some(state) = walk.states.get_mut(&id).filter(|state| !state.done) else { continue };
            state.done = true;
            let (there, name) = (state.there, state.name);
            if !there {
                walk.wanted -= 1;
                found.push((id, name));
            }
            match self.read(&id) {
                Ok(commit) => self.parents(&mut walk, commit.parents, (there, name))?,
                Err(_) if there => {}
                Err(error) => return Err(error),
            }
        }
        found.retain(|(id, _)| walk.states.get(id).is_some_and(|state| !state.there));
        Ok(found)
    }

    fn parents<'n>(
        &self,
        walk: &mut Walk<'n>,
        parents: Vec<ObjectId>,
        (there, name): (bool, &'n str),
    ) -> Result<(), GitError> {
        for parent in parents {
            let time = match walk.states.get_mut(&parent) {
                Some(state) if there && !state.there => {
                    state.there = true;
                    if !state.done {
                        walk.wanted -= 1;
                        continue;
                    }
                    // Passed too early: its parents are to know as well.
                    state.done = false;
                    self.read(&parent).map_or(0, |commit| commit.time)
                }
                Some(_) => continue,
                None => match self.read(&parent) {
                    Ok(commit) => {
                        walk.add((commit.time, parent), there, name);
                        continue;
                    }
                    Err(_) if there => continue,
                    Err(error) => return Err(error),
                },
            };
            walk.open.push((time, parent));
        }
        Ok(())
    }
}
