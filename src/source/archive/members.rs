//! What the readers of archives push members into: names them, says where they come from, and bounds them.

use std::cell::Cell;
use std::io::Read;

use super::budget::{Bounded, Budget, SPENT};
use crate::source::readable::readable;
use crate::source::{Entry, SHORTEST_NAME, Visit};

/// Longer names are no names. ZIP allows 64 KiB, tar any length.
const NAME: usize = 1024;

/// The members of one archive, on their way to whoever looks at them.
pub(super) struct Members<'m> {
    visit: &'m mut dyn Visit,
    /// The archive itself.
    pub(super) outer: Entry<'m>,
    /// What may come out of it.
    pub(super) budget: &'m Budget,
    pushed: u64,
}

impl<'m> Members<'m> {
    pub(super) fn new(visit: &'m mut dyn Visit, outer: Entry<'m>, budget: &'m Budget) -> Self {
        Self { visit, outer, budget, pushed: 0 }
    }

    /// One that stands there as it is.
    pub(super) fn plain(&mut self, name: &[u8], reader: &mut dyn Read) {
        let name = shown(name);
        let path = format!("{}!{name}", self.outer.path);
        self.pushed += 1;
        self.visit.file(&Entry { path: &path, provenance: &self.outer.provenance.inside(&name) }, reader);
    }

    /// One that comes out of a decoder into which `packed` bytes went so far.
    pub(super) fn packed(&mut self, name: &[u8], packed: &Cell<u64>, reader: &mut dyn Read) {
        let mut bounded = Bounded::new(reader, packed, self.budget);
        self.plain(name, &mut bounded);
    }

    /// A member that cannot be read.
    pub(super) fn unread(&mut self, name: &[u8], why: &str) {
        let path = format!("{}!{}", self.outer.path, shown(name));
        self.pushed += 1;
        self.visit.trouble(&path, why);
    }

    /// Something is wrong with the archive itself.
    pub(super) fn trouble(&mut self, why: &str) {
        self.visit.trouble(self.outer.path, why);
    }

    /// A member that is no file: a link, a device.
    pub(super) fn skip(&mut self, name: &[u8], reason: &str) {
        self.folder(name);
        self.visit.skip(reason);
    }

    /// A member that is a folder.
    pub(super) fn folder(&mut self, name: &[u8]) {
        if name.len() >= SHORTEST_NAME {
            let name = shown(name);
            let path = format!("{}!{name}", self.outer.path);
            self.visit.named(&Entry { path: &path, provenance: &self.outer.provenance.inside(&name) });
        }
    }

    /// Whether to end here. Says why, where it is for the archive's size.
    pub(super) fn is_over(&mut self) -> bool {
        if self.budget.is_spent() {
            self.trouble(SPENT);
            return true;
        }
        self.visit.is_stopped()
    }

    /// Whether anything came out of it at all.
    pub(super) fn is_empty(&self) -> bool {
        self.pushed == 0
    }
}

/// A name as it is shown: lossy UTF-8, `/` between the parts. Nothing is ever written under it, so that it may say what it
/// likes: `../../etc/passwd`, the same twice, nothing at all.
fn shown(name: &[u8]) -> String {
    let (name, more) = if name.len() > NAME { (&name[..NAME], "…") } else { (name, "") };
    let name: Vec<u8> = name.iter().map(|&byte| if byte == b'\\' { b'/' } else { byte }).collect();
    let text = readable(&name);
    format!("{}{more}", text.strip_prefix("./").unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn names_are_shown_and_bounded() {
        for (name, text) in [
            (&b"./a/b.txt"[..], "a/b.txt"),
            (b"a\\b.txt", "a/b.txt"),
            (b"../../etc/passwd", "../../etc/passwd"),
            (b"\xff.txt", r"\xff.txt"),
            (b"", ""),
        ] {
            assert_eq!(shown(name), text);
        }
        assert!(shown(&b"x".repeat(70_000)).len() < 1100);
    }
}
