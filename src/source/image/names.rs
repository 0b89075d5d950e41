//! What a layer does to the layers below it: the names it brings, deletes and clears, as hashes, because an image may hold
//! a million of them. Two names with one hash could call a file hidden that is not; nothing else hangs on it.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::source::readable::readable;

/// More names than this are not kept of one layer.
const MOST: usize = 4 << 20;

#[derive(Hash, Clone, Copy)]
enum Kind {
    /// Something that is no folder stands there now, or nothing: all that was there is gone.
    Gone,
    /// A folder stands there: a file that was there is gone, a folder's content is not.
    Folder,
    /// A folder's content was cleared.
    Opaque,
}

/// The names of one layer.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<u64>);

impl Names {
    fn put(&mut self, kind: Kind, path: &str) {
        if self.0.len() < MOST {
            self.0.insert(hash(kind, path));
        }
    }

    /// A file, a link, a device: whatever is no folder.
    pub(super) fn file(&mut self, path: &str) {
        self.put(Kind::Gone, path);
    }

    /// A folder.
    pub(super) fn folder(&mut self, path: &str) {
        self.put(Kind::Folder, path);
    }

    /// A whiteout: `a/.wh.b` deletes `a/b`, `a/.wh..wh..opq` clears `a`. False for every other name.
    /// <https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts>
    pub(super) fn whiteout(&mut self, path: &str) -> bool {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        match name.strip_prefix(".wh.") {
            None | Some("") => return false,
            Some(".wh..opq") => self.put(Kind::Opaque, folder),
            // aufs's own bookkeeping.
            Some(rest) if rest.starts_with(".wh.") => {}
            Some(rest) if folder.is_empty() => self.put(Kind::Gone, rest),
            Some(rest) => self.put(Kind::Gone, &format!("{folder}/{rest}")),
        }
        true
    }

    /// Whether a file of a lower layer cannot be seen once this layer lies over it.
    pub(super) fn hides(&self, path: &str) -> bool {
        let has = |kind, path: &str| self.0.contains(&hash(kind, path));
        if has(Kind::Gone, path) || has(Kind::Folder, path) || has(Kind::Opaque, "") {
            return true;
        }
        let mut folders = path.match_indices('/').map(|(at, _)| &path[..at]);
        folders.any(|folder| has(Kind::Gone, folder) || has(Kind::Opaque, folder))
    }

    /// Each name as 8 bytes, to be kept on disk.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|hash| hash.to_le_bytes()).collect()
    }

    /// What `to_bytes` made.
    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let (hashes, _) = bytes.as_chunks::<8>();
        Self(hashes.iter().take(MOST).map(|hash| u64::from_le_bytes(*hash)).collect())
    }
}

// The same in every run and version of Rust is not promised; a kept table that no longer fits hides nothing.
fn hash(kind: Kind, path: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (kind, path).hash(&mut hasher);
    hasher.finish()
}

/// A member's name as a path: `./a//b` and `/a/b` are `a/b`. It is only shown and compared, never opened.
pub(super) fn normal(name: &[u8]) -> String {
    let text = readable(name);
    let parts = text.split('/').filter(|part| !part.is_empty() && *part != ".");
    let mut path = String::with_capacity(text.len());
    for part in parts {
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(part);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::{Names, normal};

    #[test]
    fn what_a_layer_hides() {
        let mut names = Names::default();
        assert!(names.whiteout("app/.wh..env"));
        assert!(names.whiteout(".wh.top"));
        assert!(names.whiteout("etc/conf/.wh..wh..opq"));
        assert!(names.whiteout(".wh..wh.plnk"));
        assert!(!names.whiteout("app/.wh."));
        assert!(!names.whiteout("app/wh.x"));
        names.file("opt/tool");
        names.folder("srv/data");
        for kept in [Names::from_bytes(&names.to_bytes()), names] {
            for hidden in
                ["app/.env", "top", "top/below", "etc/conf/a", "etc/conf/b/c", "opt/tool", "opt/tool/x", "srv/data"]
            {
                assert!(kept.hides(hidden), "{hidden}");
            }
            for seen in ["app", "app/.envrc", "etc/conf", "etc/conf2/a", "opt", "opt/tools", "srv/data/file", "other"] {
                assert!(!kept.hides(seen), "{seen}");
            }
        }
    }

    #[test]
    fn an_opaque_root_hides_everything() {
        let mut names = Names::default();
        assert!(names.whiteout(".wh..wh..opq"));
        assert!(names.hides("a") && names.hides("a/b"));
    }

    #[test]
    fn names_become_paths() {
        for (name, path) in [("./a//b/", "a/b"), ("/a/b", "a/b"), (".", ""), ("../../etc/x", "../../etc/x"), ("a", "a")] {
            assert_eq!(normal(name.as_bytes()), path);
        }
    }
}
