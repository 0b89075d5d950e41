//! Finds all packs and loose objects of a repository and reads how they are laid out.

use std::cell::Cell;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64};

use gix::hash::oid;

use super::GitError;
use super::forest::{Forest, forest};
use super::loose::Loose;
use super::open::GitPlace;
use super::pack::Pack;
use super::store::{Grove, Store};
use super::unindexed::indexed;

/// A pack's objects are no more than so many times its size together; Linux's are 25 times. Else it is a bomb.
const RATIO: u64 = 500;
/// A small pack's are no more than this.
const SLACK: u64 = 8 << 30;

impl Store {
    /// Opens the repository at or above `path` and reads the layout of every pack.
    ///
    /// # Errors
    /// When there is no repository or its format is not known. A pack that cannot be read is trouble.
    pub fn open(path: &Path) -> Result<Self, GitError> {
        Ok(Self::at(GitPlace::whole(path)?))
    }

    /// Reads the layout of every pack of a repository that was found.
    pub fn at(place: GitPlace) -> Self {
        let mut store = Self {
            groves: Vec::new(),
            loose: Vec::new(),
            troubles: place.troubles.clone(),
            groups: AtomicU32::new(0),
            budget: AtomicU64::new(SLACK),
            place,
        };
        let mut waiting = Vec::new();
        for folder in store.place.objects.clone() {
            for path in packs(&folder, &mut store.troubles) {
                match Pack::open(&path, store.place.hash) {
                    // An index that leaves something out is as good as none.
                    Ok(pack) if pack.said() == pack.len() => store.plant(pack),
                    Ok(_) | Err(_) => waiting.push(path),
                }
            }
            let loose = Loose::list(&folder, store.place.hash, &mut |what, why| store.troubles.push((what, why)));
            store.loose.push((loose, 0));
        }
        store.number_all();
        (0..store.groves.len()).for_each(|at| store.grow(at));
        store.index(waiting);
        store.tell_broken();
        store
    }

    fn plant(&mut self, pack: Pack) {
        *self.budget.get_mut() += pack.bytes().saturating_mul(RATIO);
        self.groves.push(Grove { pack, forest: Forest::default(), first: 0, nodes: OnceLock::new() });
    }

    /// Numbers packs and folders of loose objects.
    fn number_all(&mut self) {
        let mut first = 0_u32;
        for grove in &mut self.groves {
            grove.first = first;
            first = first.saturating_add(grove.pack.len());
        }
        for (loose, number) in &mut self.loose {
            *number = first;
            first = first.saturating_add(loose.names.len() as u32);
        }
    }

    /// Reads which entry of a pack is made from which.
    fn grow(&mut self, at: usize) {
        let pack = &self.groves[at].pack;
        pack.hasten();
        let made = forest(pack, &|name| self.kind(&pack.base_name(name)?, at));
        self.groves[at].forest = made;
        self.groves[at].nodes = OnceLock::new();
    }

    /// Works out what is in packs without an index. One may be made from another: what does not come out is tried once more, when
    /// the others are known.
    fn index(&mut self, waiting: Vec<PathBuf>) {
        let again = waiting.len() > 1;
        let mut incomplete = Vec::new();
        for path in waiting {
            match self.made(&path) {
                Err(error) => self.troubles.push((shown(&path), error.to_string())),
                Ok((pack, troubles)) => {
                    self.plant(pack);
                    self.number_all();
                    self.grow(self.groves.len() - 1);
                    incomplete.extend((!troubles.is_empty()).then(|| (self.groves.len() - 1, path, troubles)));
                }
            }
        }
        for (at, path, mut troubles) in incomplete {
            if again && let Ok((pack, rest)) = self.made(&path) {
                self.groves[at].pack = pack;
                self.number_all();
                self.grow(at);
                troubles = rest;
            }
            self.troubles.extend(troubles.into_iter().map(|why| (shown(&path), format!("(it has no sound index) {why}"))));
        }
    }

    fn made(&self, path: &Path) -> Result<(Pack, Vec<String>), GitError> {
        let pack = Pack::bare(path, self.place.hash)?;
        let left = Cell::new(pack.bytes().saturating_mul(RATIO).saturating_add(SLACK));
        let spend = |bytes: u64| {
            left.set(left.get().saturating_sub(bytes));
            left.get() > 0
        };
        let elsewhere = |name: &oid| self.read(name).ok();
        // As elsewhere: gix promises no more than not to be unsound.
        let index = AssertUnwindSafe(|| indexed(pack, &elsewhere, &spend));
        catch_unwind(index).map_err(|_| GitError::Corrupt("looking for its objects failed; please report it"))
    }

    /// Objects whose base is nowhere may have found it in a pack that was read later.
    fn tell_broken(&mut self) {
        for at in 0..self.groves.len() {
            if !self.groves[at].forest.broken.is_empty() {
                self.grow(at);
            }
            let Grove { pack, forest, .. } = &self.groves[at];
            let shown = shown(&pack.path());
            for (entry, why) in &forest.broken {
                self.troubles.push((format!("object {} in {shown}", pack.name(*entry)), (*why).to_owned()));
            }
        }
    }
}

fn shown(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The packs of a folder of objects, in a fixed order: those in use, and those that were never finished.
fn packs(folder: &Path, troubles: &mut Vec<(String, String)>) -> Vec<PathBuf> {
    let folder = folder.join("pack");
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            troubles.push((folder.display().to_string(), error.to_string()));
            return Vec::new();
        }
    };
    let size = |path: &Path| fs::metadata(path).map_or(0, |about| about.len());
    let mut all: Vec<_> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    all.sort();
    for index in all.iter().filter(|path| path.extension().is_some_and(|end| end == "idx")) {
        if size(&index.with_extension("pack")) == 0 {
            let why = "an index whose pack is missing: what was in it is lost";
            troubles.push((shown(index), why.to_owned()));
        }
    }
    // A pipe or a device would wait for ever. A file without a byte holds nothing.
    all.retain(|path| is_pack(path) && path.is_file() && size(path) > 0);
    // The largest first: what is stored twice is then mostly found in the first.
    all.sort_by_key(|path| (std::cmp::Reverse(size(path)), path.clone()));
    all
}

/// `index-pack`, `pack-objects` and `fast-import` write `tmp_pack_*`, a fetch over plain HTTP `*.pack.temp`.
fn is_pack(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".pack") || name.ends_with(".pack.temp") || name.starts_with("tmp_pack_")
}
