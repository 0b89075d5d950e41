//! Walks a pack's forest: every object's bytes in memory once, made from its base's.

use gix::hash::oid;

use super::bytes::Window;
use super::delta::{self, Copied};
use super::forest::{Forest, NONE, Node};
use super::inflate::{CUT, Inflater};
use super::pack::{Pack, What};
use super::{GitError, LARGEST};

/// Bytes of objects held at a time by one walk. An object beyond that is trouble.
const BUDGET: u64 = 2 * LARGEST;
/// Buffers kept for reuse, and the largest of them.
const SPARE: usize = 16;
const SPARE_SIZE: usize = 4 << 20;

/// An object on its way.
pub(super) struct Step<'s, S> {
    /// Its number in the forest.
    pub(super) node: u32,
    pub(super) bytes: &'s [u8],
    /// What it was made from, what was made of that, and what was copied; `None` for what is stored whole.
    pub(super) base: Option<(&'s S, &'s [u8], &'s [Copied])>,
}

/// Reads objects of one pack. `S` is what is known of each object while others are made from it.
pub(super) struct Walk<'w, S> {
    pack: &'w Pack,
    forest: &'w Forest,
    /// Reads an object of another pack.
    foreign: &'w dyn Fn(&oid) -> Option<Vec<u8>>,
    inflater: Inflater,
    window: Window,
    delta: Vec<u8>,
    copies: Vec<Copied>,
    frames: Vec<Frame<S>>,
    live: u64,
    spare: Vec<Vec<u8>>,
    chain: Vec<u32>,
    /// Entries whose bytes are not those that were indexed.
    pub(super) altered: Vec<u32>,
}

struct Frame<S> {
    node: u32,
    bytes: Vec<u8>,
    state: S,
}

impl<'w, S> Walk<'w, S> {
    pub(super) fn new(pack: &'w Pack, forest: &'w Forest, foreign: &'w dyn Fn(&oid) -> Option<Vec<u8>>) -> Self {
        Self {
            pack,
            forest,
            foreign,
            inflater: Inflater::new(),
            window: Window::default(),
            delta: Vec::new(),
            copies: Vec::new(),
            frames: Vec::new(),
            live: 0,
            spare: Vec::new(),
            chain: Vec::new(),
            altered: Vec::new(),
        }
    }

    /// Goes on to `node`, which must stand behind the last one. `look` sees every object on the way to it, and it.
    ///
    /// # Errors
    /// The node that cannot be read, and why; nothing that is made from it can be.
    pub(super) fn seek(&mut self, node: u32, look: &mut dyn FnMut(Step<'_, S>) -> S) -> Result<(), (u32, GitError)> {
        let nodes = &self.forest.nodes;
        while let Some(top) = self.frames.last() {
            if top.node <= node && node < nodes[top.node as usize].end {
                break;
            }
            self.pop();
        }
        let top = self.frames.last().map_or(NONE, |top| top.node);
        let mut chain = std::mem::take(&mut self.chain);
        chain.clear();
        let mut at = node;
        while at != NONE && at != top {
            chain.push(at);
            at = nodes[at as usize].base;
        }
        let made = chain.iter().rev().try_for_each(|&at| self.make(at, look).map_err(|error| (at, error)));
        self.chain = chain;
        made
    }

    /// Gives an object's base up: nothing else is to be made from it.
    fn pop(&mut self) -> Option<Vec<u8>> {
        let frame = self.frames.pop()?;
        self.live -= frame.bytes.len() as u64;
        Some(frame.bytes).and_then(|bytes| self.keep(bytes))
    }

    fn keep(&mut self, bytes: Vec<u8>) -> Option<Vec<u8>> {
        if bytes.capacity() <= SPARE_SIZE && self.spare.len() < SPARE {
            self.spare.push(bytes);
            return None;
        }
        Some(bytes)
    }

    fn make(&mut self, at: u32, look: &mut dyn FnMut(Step<'_, S>) -> S) -> Result<(), GitError> {
        let node = self.forest.nodes[at as usize];
        let mut bytes = self.spare.pop().unwrap_or_default();
        if let Err(error) = self.bytes(&node, &mut bytes) {
            self.keep(bytes);
            return Err(error);
        }
        let base = self.frames.last().filter(|_| node.base != NONE);
        let base = base.map(|base| (&base.state, base.bytes.as_slice(), self.copies.as_slice()));
        let state = look(Step { node: at, bytes: &bytes, base });
        let is_last = node.base != NONE && self.forest.nodes[node.base as usize].end == node.end;
        if is_last {
            self.pop();
        }
        if node.end > at + 1 {
            self.live += bytes.len() as u64;
            self.frames.push(Frame { node: at, bytes, state });
        } else {
            self.keep(bytes);
        }
        Ok(())
    }

    /// The object's bytes, from its entry and its base.
    fn bytes(&mut self, node: &Node, out: &mut Vec<u8>) -> Result<(), GitError> {
        const LARGE: GitError = GitError::Corrupt("too large to be put together; it was not read");
        let header = self.pack.header_in(&mut self.window, node.offset)?;
        if header.size > LARGEST {
            return Err(LARGE);
        }
        let whole = matches!(header.what, What::Whole(_));
        let into = if whole { &mut *out } else { &mut self.delta };
        into.resize(header.size as usize, 0);
        let head = (header.stream - node.offset) as usize;
        // What cannot be packed takes five bytes more for each 16 KiB; others may pack it worse.
        let mut least = head + header.size as usize + header.size as usize / 1024 + 64;
        let entry = loop {
            let bytes = self.pack.from(&mut self.window, node.offset, least)?;
            let is_all = node.offset + bytes.len() as u64 >= self.pack.end() || bytes.len() < least;
            match self.inflater.exact(bytes.get(head..).unwrap_or_default(), into) {
                Err(GitError::Corrupt(CUT)) if !is_all => least = 2 * bytes.len(),
                taken => break &bytes[..head + taken?],
            }
        };
        if !self.pack.holds(node.entry, entry) {
            self.altered.push(node.entry);
        }
        if whole {
            return Ok(());
        }
        if self.live + delta::sizes(&self.delta)?.1 > BUDGET {
            return Err(LARGE);
        }
        if let What::Named(name) = header.what
            && node.base == NONE
        {
            let base = self.pack.base_name(name).and_then(|name| (self.foreign)(&name));
            let base = base.ok_or(GitError::Corrupt("its base is missing"))?;
            return delta::apply(&base, &self.delta, out, &mut self.copies);
        }
        let base = self.frames.last().ok_or(GitError::Corrupt("its base is missing"))?;
        delta::apply(&base.bytes, &self.delta, out, &mut self.copies)
    }
}
