//! Which commits brought in what was found, at which paths, by whom, and which branches and tags reach them. Worked out only for
//! what was found, in memory, from what [`super::trees`] keeps of all folders.

use std::collections::{BTreeMap, HashMap, HashSet};

use gix::hash::ObjectId;
use jiff::Timestamp;

use super::entries::entries;
use super::forest::NONE;
use super::masks::{Layer, Track, climb};
use super::missing;
use super::reader::{Reader, Sift};
use super::refs::{self, Ref};
use super::store::{Number, Store, Unit};
use super::trees::{CommitRow, Holders, Layout, MOST_CALLED, TreeReader};
use super::{GitError, Kind};
use crate::model::CommitPlace;
use crate::source::readable::readable;

/// Names that are kept of a commit's branches and tags.
const REFS: usize = 16;
/// Things that are traced together.
const BATCH: usize = 64;

/// Which commits count.
#[derive(Debug, Clone, Default)]
pub struct WantedHistory {
    /// Only what these do not reach: branches, tags or commits.
    pub since: Vec<String>,
    /// Only what these reach.
    pub branches: Vec<String>,
}

impl WantedHistory {
    /// Whether none is left out.
    pub fn is_all(&self) -> bool {
        self.since.is_empty() && self.branches.is_empty()
    }
}

/// The commits, and later who holds what.
pub struct History {
    /// By number.
    pub(super) rows: Vec<CommitRow>,
    /// For each: its parents among them.
    parents: Vec<Box<[u32]>>,
    /// Parents before children.
    order: Vec<u32>,
    /// For each: its place in `order`.
    rank: Vec<u32>,
    refs: Vec<(Ref, u32)>,
    reached: Vec<bool>,
    /// Whether a commit counts.
    counts: Vec<bool>,
    all: bool,
    /// Whether a commit and all that it leads to must be there.
    pub(super) needed: Vec<bool>,
    /// The commits whose parents a shallow clone left out.
    pub(super) cut: HashSet<Number>,
    pub(super) holders: Option<Holders>,
    /// Of each commit: its tree among the folders.
    pub(super) roots: Vec<u32>,
    hits: Vec<(u32, Number)>,
    /// What is not known of the refs.
    pub troubles: Vec<(String, String)>,
}

/// An object with something in it, and where it came from.
#[derive(Debug, Clone)]
pub struct Brought {
    /// The object.
    pub object: u32,
    /// Its kind.
    pub kind: Kind,
    /// Its path in the repository, where one is known; lossy UTF-8.
    pub path: Option<String>,
    /// The rest.
    pub place: CommitPlace,
    /// The commit's place among all, parents before children; for choosing the earliest.
    pub rank: (i64, u32),
    commit: Option<u32>,
}

impl History {
    /// Puts the commits in order.
    ///
    /// # Errors
    /// When a name in `wanted` is none.
    pub fn new(store: &Store, reader: Reader, wanted: &WantedHistory) -> Result<Self, GitError> {
        let (mut rows, mut hits) = (reader.commits, reader.hits);
        rows.sort_unstable_by_key(|row| row.commit);
        rows.dedup_by_key(|row| row.commit);
        hits.sort_unstable();
        hits.dedup();
        let index = |number: Number| rows.binary_search_by_key(&number, |row| row.commit).ok().map(|at| at as u32);
        let parents: Vec<Box<[u32]>> =
            rows.iter().map(|row| row.parents.iter().filter_map(|&parent| index(parent)).collect()).collect();
        let order = in_order(&parents);
        let mut rank = vec![0; rows.len()];
        order.iter().enumerate().for_each(|(at, &commit)| rank[commit as usize] = at as u32);
        let (names, troubles) = refs::all(&store.place);
        let mut troubles: Vec<(String, String)> = troubles.into_iter().map(|why| ("refs".to_owned(), why)).collect();
        let (mut tips, mut lost) = (Vec::<(Ref, u32)>::new(), Vec::new());
        for one in &names {
            let end = peeled(store, one.target);
            match store.find(&end) {
                None => lost.push((one.name.clone(), end)),
                Some(number) => tips.extend(index(number).map(|commit| (one.clone(), commit))),
            }
        }
        if wanted.branches.is_empty() && !store.place.partial {
            missing::of_refs(lost, &mut troubles);
        }
        tips.sort_by_key(|(one, _)| (importance(&one.name), one.name.clone()));
        let reached = reach(&parents, tips.iter().map(|(_, commit)| *commit), &|_| false);
        let find = |text: &String| {
            let name = refs::resolve(&names, &store.place, text).ok_or_else(|| GitError::Revision(text.clone()))?;
            let name = peeled(store, name);
            let number = store.find(&name).ok_or_else(|| GitError::Missing(format!("{name}, which {text} names,")))?;
            index(number).ok_or_else(|| GitError::Revision(text.clone()))
        };
        let of = |texts: &[String]| texts.iter().map(find).collect::<Result<Vec<u32>, GitError>>();
        let (since, branches) = (of(&wanted.since)?, of(&wanted.branches)?);
        let cut = missing::cut(store);
        let is_cut = |commit: u32| cut.contains(&rows[commit as usize].commit);
        let ends: Vec<u32> =
            if branches.is_empty() { tips.iter().map(|(_, commit)| *commit).collect() } else { branches.clone() };
        let mut needed = reach(&parents, ends.into_iter(), &is_cut);
        let old = reach(&parents, since.into_iter(), &|_| false);
        let new = reach(&parents, branches.into_iter(), &|_| false);
        needed.iter_mut().zip(&old).for_each(|(needed, old)| *needed &= !old);
        let counts = (0..rows.len()).map(|at| !old[at] && (wanted.branches.is_empty() || new[at])).collect();
        let (roots, holders, all) = (Vec::new(), None, wanted.is_all());
        Ok(Self {
            rows,
            parents,
            order,
            rank,
            refs: tips,
            reached,
            counts,
            all,
            needed,
            cut,
            holders,
            roots,
            hits,
            troubles,
        })
    }

    /// Whether nothing was found: then nothing else need be read.
    pub fn is_clean(&self) -> bool {
        self.hits.is_empty()
    }

    /// How folders will be numbered, for reading them. Where names are credentials, they are read once more for what is called so.
    pub fn layout(&self, store: &Store, names: &Names) -> Folders {
        Folders(Layout::new(store, &self.hits, &names.0))
    }

    /// Whatever has one of these names is to be traced.
    pub fn call(&mut self, store: &Store, reader: &mut TreeReader) {
        let mut called = std::mem::take(&mut reader.called);
        called.sort_unstable();
        called.dedup();
        if called.len() >= MOST_CALLED {
            called.truncate(MOST_CALLED);
            let why = "too much is called by names that are credentials; not every place is named";
            self.troubles.push(("history".to_owned(), why.to_owned()));
        }
        self.hits.extend(called.into_iter().map(|object| (store.group(), object)));
        self.hits.sort_unstable();
    }

    /// Takes in what was read of folders.
    pub fn know(&mut self, store: &Store, folders: Folders, reader: TreeReader) {
        // Where nothing was found and nothing is missing, nobody asks who holds what.
        if self.is_clean() && reader.is_whole() {
            return;
        }
        let holders = Holders::new(store, folders.0, reader);
        let root = |row: &CommitRow| holders.layout.folder(store, row.tree).map_or(NONE, |folder| holders.first(folder));
        self.roots = self.rows.iter().map(root).collect();
        self.holders = Some(holders);
    }

    /// Work for [`Self::trace`].
    pub fn batches(&self) -> Vec<std::ops::Range<usize>> {
        let mut all = Vec::new();
        let (mut start, mut groups) = (0, 0);
        for at in 1..=self.hits.len() {
            if at == self.hits.len() || self.hits[at].0 != self.hits[at - 1].0 {
                groups += 1;
                if groups == BATCH || at == self.hits.len() {
                    all.push(start..at);
                    (start, groups) = (at, 0);
                }
            }
        }
        all
    }

    /// Where the hits of a batch came from. `false` when some places could not be told.
    pub fn trace(&self, store: &Store, batch: std::ops::Range<usize>) -> (Vec<Brought>, bool) {
        let mut out = Vec::new();
        let Some(holders) = &self.holders else { return (out, false) };
        let hits = &self.hits[batch];
        let (mut objects, mut things): (Vec<(Number, usize)>, usize) = (Vec::new(), 0);
        for (at, &(group, object)) in hits.iter().enumerate() {
            things += usize::from(at == 0 || hits[at - 1].0 != group);
            objects.push((object, things - 1));
        }
        // Messages are their own provenance.
        let kinds: HashMap<Number, Kind> =
            objects.iter().map(|&(object, _)| (object, store.kind_of(object).unwrap_or(Kind::Blob))).collect();
        let is_message = |object: &Number| matches!(kinds[object], Kind::Commit | Kind::Tag);
        for &(object, _) in objects.iter().filter(|(object, _)| is_message(object)) {
            out.extend(self.message(store, object, kinds[&object]));
        }
        objects.retain(|(object, _)| !is_message(object));
        let mut best: Vec<(Track, u32)> = Vec::new();
        let mut held = vec![false; things];
        let complete = climb(store, holders, Layer::new(things, &objects), &mut |tracks, bits| {
            self.brought(tracks, bits, &mut best, &mut held);
        });
        let mut trees = HashMap::new();
        for (track, commit) in best {
            let path = self.path(store, holders, (&track, commit), &mut trees);
            out.extend(path.map(|(path, object)| {
                let kind = store.kind_of(object).unwrap_or(Kind::Blob);
                self.say(store, (object, kind), Some(path), Some(commit))
            }));
        }
        let mut lost = HashSet::new();
        for &(object, thing) in objects.iter().filter(|(_, thing)| !held[*thing] && self.all) {
            if lost.insert(thing) {
                out.push(self.say(store, (object, kinds[&object]), None, None));
            }
        }
        (out, complete)
    }

    /// Of each track in a layer of folders, the earliest commit that has it at its root while no parent has.
    fn brought(&self, tracks: &[Track], bits: &[u64], best: &mut Vec<(Track, u32)>, held: &mut [bool]) {
        let mut first = vec![NONE; tracks.len()];
        let of = |commit: u32| {
            let root = self.roots[commit as usize];
            if root == NONE { 0 } else { bits[root as usize] }
        };
        for commit in 0..self.rows.len() as u32 {
            let mask = of(commit);
            if mask == 0 {
                continue;
            }
            let before = self.parents[commit as usize].iter().fold(0, |all, &parent| all | of(parent));
            let mut new = mask & !before;
            while new != 0 {
                let bit = new.trailing_zeros() as usize;
                new &= new - 1;
                held[tracks[bit].of] = true;
                if self.counts[commit as usize] && (first[bit] == NONE || self.key(commit) < self.key(first[bit])) {
                    first[bit] = commit;
                }
            }
        }
        best.extend(
            tracks.iter().zip(first).filter(|(_, commit)| *commit != NONE).map(|(track, commit)| (track.clone(), commit)),
        );
    }

    /// What makes a commit earlier: being part of the history that names reach, then its time.
    fn key(&self, commit: u32) -> (bool, i64, u32) {
        let at = commit as usize;
        (!self.reached[at], self.rows[at].time, self.rank[at])
    }

    /// The path that a track's names stand for, and what lies there.
    fn path(
        &self,
        store: &Store,
        holders: &Holders,
        (track, commit): (&Track, u32),
        trees: &mut HashMap<Number, Vec<u8>>,
    ) -> Option<(String, Number)> {
        let mut at = self.rows[commit as usize].tree;
        let mut path = String::new();
        for &wanted in track.names.iter().rev() {
            let bytes =
                trees.entry(at).or_insert_with(|| store.read(&store.name(at)).map_or_else(|_| Vec::new(), |(_, tree)| tree));
            let found = entries(bytes, store.place.hash).find(|(_, name, _)| holders.layout.hash(name) == wanted);
            let (_, name, id) = found?;
            path.push_str(if path.is_empty() { "" } else { "/" });
            path.push_str(&readable(name));
            at = store.find(id)?;
        }
        Some((path, at))
    }

    /// A commit's or tag's own text.
    fn message(&self, store: &Store, object: Number, kind: Kind) -> Option<Brought> {
        let commit = self.rows.binary_search_by_key(&object, |row| row.commit).ok().map(|at| at as u32);
        if commit.is_some_and(|commit| !self.counts[commit as usize]) || (commit.is_none() && !self.all) {
            return None;
        }
        Some(self.say(store, (object, kind), None, commit))
    }

    fn say(&self, store: &Store, (object, kind): (Number, Kind), path: Option<String>, commit: Option<u32>) -> Brought {
        let mut place = CommitPlace { object: store.name(object).to_string(), ..CommitPlace::default() };
        if let Some(commit) = commit {
            let name = store.name(self.rows[commit as usize].commit);
            place.commit = Some(name.to_string());
            if let Ok((_, bytes)) = store.read(&name) {
                (place.author, place.date) = author(&bytes);
            }
        }
        let rank =
            commit.map_or((i64::MAX, u32::MAX), |commit| (self.rows[commit as usize].time, self.rank[commit as usize]));
        Brought { object, kind, path, place, rank, commit }
    }

    /// Adds the branches and tags that reach each commit.
    pub fn name_refs(&self, all: &mut [Brought]) {
        let commits: Vec<u32> = all.iter().filter_map(|one| one.commit).collect::<HashSet<u32>>().into_iter().collect();
        let mut names: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for some in commits.chunks(64) {
            let mut bits = vec![0u64; self.rows.len()];
            some.iter().enumerate().for_each(|(bit, &commit)| bits[commit as usize] |= 1 << bit);
            for &commit in &self.order {
                bits[commit as usize] |=
                    self.parents[commit as usize].iter().fold(0, |all, &parent| all | bits[parent as usize]);
            }
            for (bit, &commit) in some.iter().enumerate() {
                let reaching = self.refs.iter().filter(|(_, tip)| bits[*tip as usize] >> bit & 1 == 1);
                names.insert(commit, reaching.take(REFS).map(|(one, _)| one.name.clone()).collect());
            }
        }
        for one in all {
            one.place.refs = one.commit.and_then(|commit| names.get(&commit)).cloned().unwrap_or_default();
        }
    }
}

/// How folders are numbered while they are read.
pub struct Folders(Layout);

/// Names of files and folders that are credentials, and a folder where each stands.
#[derive(Debug, Default)]
pub struct Names(Vec<(Vec<u8>, Number)>);

impl Names {
    /// Those that a reader has met.
    pub fn of(reader: &mut TreeReader) -> Self {
        let mut names = std::mem::take(&mut reader.names);
        names.sort_unstable();
        names.dedup_by(|b, a| a.0 == b.0);
        Self(names)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each, and the object that is the folder, in hex.
    pub fn each(&self, store: &Store) -> impl Iterator<Item = (String, String)> {
        self.0.iter().map(|(name, folder)| (readable(name).into_owned(), store.name(*folder).to_string()))
    }
}

impl TreeReader {
    /// Reads the folders of one unit.
    pub fn read(&mut self, store: &Store, folders: &Folders, unit: &Unit, sift: &mut dyn Sift) {
        self.unit(store, &folders.0, unit, sift);
    }
}

/// Commits with their parents before them. What is its own ancestor, which only a broken repository has, comes last.
fn in_order(parents: &[Box<[u32]>]) -> Vec<u32> {
    let mut waiting: Vec<u32> = parents.iter().map(|parents| parents.len() as u32).collect();
    let mut first = vec![0u32; parents.len() + 1];
    parents.iter().flat_map(|parents| parents.iter()).for_each(|&parent| first[parent as usize + 1] += 1);
    (1..first.len()).for_each(|at| first[at] += first[at - 1]);
    let (mut fill, mut children) = (first.clone(), vec![0u32; first[parents.len()] as usize]);
    for (child, parents) in parents.iter().enumerate() {
        for &parent in parents {
            children[fill[parent as usize] as usize] = child as u32;
            fill[parent as usize] += 1;
        }
    }
    let mut order: Vec<u32> = (0..parents.len() as u32).filter(|&at| waiting[at as usize] == 0).collect();
    let mut at = 0;
    while at < order.len() {
        let commit = order[at] as usize;
        at += 1;
        for &child in &children[first[commit] as usize..first[commit + 1] as usize] {
            waiting[child as usize] -= 1;
            if waiting[child as usize] == 0 {
                order.push(child);
            }
        }
    }
    order.extend((0..parents.len() as u32).filter(|&at| waiting[at as usize] > 0));
    order
}

/// What `tips` reach, without the parents of what `is_cut`.
fn reach(parents: &[Box<[u32]>], tips: impl Iterator<Item = u32>, is_cut: &dyn Fn(u32) -> bool) -> Vec<bool> {
    let mut seen = vec![false; parents.len()];
    let mut stack: Vec<u32> = tips.collect();
    while let Some(commit) = stack.pop() {
        if !std::mem::replace(&mut seen[commit as usize], true) && !is_cut(commit) {
            stack.extend(parents[commit as usize].iter().filter(|&&parent| !seen[parent as usize]));
        }
    }
    seen
}

/// The commit that a tag stands for.
fn peeled(store: &Store, mut name: ObjectId) -> ObjectId {
    for _ in 0..8 {
        if store.find(&name).and_then(|number| store.kind_of(number)) != Some(Kind::Tag) {
            break;
        }
        let Ok((_, bytes)) = store.read(&name) else { break };
        let target =
            bytes.strip_prefix(b"object ").and_then(|rest| ObjectId::from_hex(rest.split(|&b| b == b'\n').next()?).ok());
        let Some(target) = target else { break };
        name = target;
    }
    name
}

/// Branches say more than tags, tags more than what hosts keep for themselves.
fn importance(name: &str) -> usize {
    let order = ["HEAD", "refs/heads/", "refs/remotes/", "refs/tags/"];
    order.iter().position(|head| name.starts_with(head)).unwrap_or(order.len())
}

/// `Name <address>` and the date of a commit's author.
fn author(commit: &[u8]) -> (Option<String>, Option<Timestamp>) {
    let mut lines = commit.split(|&byte| byte == b'\n').take_while(|line| !line.is_empty());
    let Some(line) = lines.find_map(|line| line.strip_prefix(b"author ")) else { return (None, None) };
    let end = line.iter().rposition(|&byte| byte == b'>').map_or(line.len(), |at| at + 1);
    let seconds = std::str::from_utf8(&line[end..]).ok().and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    let date = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    (Some(String::from_utf8_lossy(&line[..end]).into_owned()), date)
}
