//! Which entry of a pack is made from which: the chains of deltas as trees, numbered so that each base stands before what is
//! made from it and all that is made from it stands together.
//!
//! Of the entries made from one base, that with the most behind it comes last. Then a walk that drops a base once its last
//! derivative is begun holds no more than about log2(n) objects at a time, however the chains were made.

use super::Kind;
use super::bytes::Window;
use super::pack::{Pack, What};

/// No base.
pub(super) const NONE: u32 = u32::MAX;

/// An entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    /// Where it begins in the pack.
    pub(super) offset: u64,
    /// Its number in the index.
    pub(super) entry: u32,
    /// The node that it is made from, or `NONE`.
    pub(super) base: u32,
    /// The node behind the last one that is made from it, at any remove.
    pub(super) end: u32,
    /// What the chain it belongs to holds.
    pub(super) kind: Kind,
}

/// All entries that can be read.
#[derive(Debug, Default)]
pub(super) struct Forest {
    pub(super) nodes: Vec<Node>,
    /// What cannot be read, and why: number in the index.
    pub(super) broken: Vec<(u32, &'static str)>,
    /// Entries made from an object of another pack: node, where the name of the base stands.
    pub(super) foreign: Vec<(u32, u64)>,
}

/// Where an entry's base is, in the order of the pack.
enum Base {
    Root(Kind),
    Foreign(u64),
    In(u32),
    Broken(&'static str),
}

/// Reads every entry's header. `foreign` tells the kind of an object that is not in this pack.
pub(super) fn forest(pack: &Pack, foreign: &dyn Fn(u64) -> Option<Kind>) -> Forest {
    let order = pack.offsets();
    let mut position = vec![NONE; order.len()];
    for (at, (_, entry)) in order.iter().enumerate() {
        position[*entry as usize] = at as u32;
    }
    let mut forest = Forest::default();
    let mut base = vec![NONE; order.len()];
    // (kind, entry, where the name of a foreign base stands)
    let mut roots: Vec<(Kind, u32, u64)> = Vec::new();
    let mut window = Window::default();
    for (at, &(offset, entry)) in order.iter().enumerate() {
        let found = match pack.header_in(&mut window, offset) {
            Err(_) => Base::Broken("its header is broken"),
            Ok(header) => match header.what {
                What::Whole(kind) => Base::Root(kind),
                What::At(from) => match order.binary_search_by_key(&from, |(offset, _)| *offset) {
                    Ok(at) => Base::In(at as u32),
                    Err(_) => Base::Broken("its base is not in the pack's index"),
                },
                What::Named(name) => match pack.base_name(name).and_then(|name| pack.find(&name)) {
                    Some(entry) => Base::In(position[entry as usize]),
                    None => Base::Foreign(name),
                },
            },
        };
        match found {
            Base::Root(kind) => roots.push((kind, at as u32, 0)),
            Base::In(from) => base[at] = from,
            Base::Foreign(name) => match foreign(name) {
                Some(kind) => roots.push((kind, at as u32, name)),
                None => forest.broken.push((entry, "its base is missing")),
            },
            Base::Broken(why) => forest.broken.push((entry, why)),
        }
    }
    drop(position);
    let children = Children::of(&base);
    number(&order, &base, (&children, roots), &mut forest);
    // What was not reached hangs on something broken, or on itself.
    if forest.nodes.len() + forest.broken.len() < order.len() {
        let mut seen = vec![false; order.len()];
        let reached = forest.nodes.iter().map(|node| node.entry).chain(forest.broken.iter().map(|(entry, _)| *entry));
        reached.for_each(|entry| seen[entry as usize] = true);
        let rest = (0..order.len() as u32).filter(|&entry| !seen[entry as usize]);
        forest.broken.extend(rest.map(|entry| (entry, "it is a delta of something that cannot be read, or of itself")));
    }
    forest
}

/// Who is made from whom: the entries made from one stand together.
struct Children {
    first: Vec<u32>,
    all: Vec<u32>,
}

impl Children {
    fn of(base: &[u32]) -> Self {
        let mut first = vec![0u32; base.len() + 1];
        base.iter().filter(|&&from| from != NONE).for_each(|&from| first[from as usize + 1] += 1);
        for n in 1..first.len() {
            first[n] += first[n - 1];
        }
        let mut fill = first.clone();
        let mut all = vec![0; first[base.len()] as usize];
        for (at, &from) in base.iter().enumerate().filter(|(_, from)| **from != NONE) {
            let place = &mut fill[from as usize];
            all[*place as usize] = at as u32;
            *place += 1;
        }
        Self { first, all }
    }

    fn range(&self, at: u32) -> std::ops::Range<usize> {
        self.first[at as usize] as usize..self.first[at as usize + 1] as usize
    }
}

/// Numbers the entries that hang on `roots`.
fn number(
    order: &[(u64, u32)],
    base: &[u32],
    (children, mut roots): (&Children, Vec<(Kind, u32, u64)>),
    forest: &mut Forest,
) {
    // How much hangs on each: every entry is counted up its chain once, from the ends of the chains.
    let mut weight = vec![1u32; order.len()];
    let mut waiting: Vec<u32> = (0..order.len() as u32).map(|at| children.range(at).len() as u32).collect();
    let mut ready: Vec<u32> = (0..order.len() as u32).filter(|&at| waiting[at as usize] == 0).collect();
    while let Some(at) = ready.pop() {
        let from = base[at as usize];
        if from != NONE {
            weight[from as usize] = weight[from as usize].saturating_add(weight[at as usize]);
            waiting[from as usize] -= 1;
            if waiting[from as usize] == 0 {
                ready.push(from);
            }
        }
    }
    drop(waiting);
    roots.sort_unstable();
    forest.nodes.reserve_exact(order.len());
    let (mut stack, mut sorted): (Vec<(u32, u32)>, Vec<u32>) = (Vec::new(), Vec::new());
    for (kind, root, name) in roots {
        if name > 0 {
            forest.foreign.push((forest.nodes.len() as u32, name));
        }
        stack.push((root, NONE));
        while let Some((at, from)) = stack.pop() {
            let (offset, entry) = order[at as usize];
            let own = forest.nodes.len() as u32;
            forest.nodes.push(Node { offset, entry, base: from, end: own + weight[at as usize], kind });
            sorted.clear();
            sorted.extend_from_slice(&children.all[children.range(at)]);
            // The last one pushed is the first one taken.
            sorted.sort_unstable_by_key(|&child| (std::cmp::Reverse(weight[child as usize]), std::cmp::Reverse(child)));
            stack.extend(sorted.iter().map(|&child| (child, own)));
        }
    }
}
