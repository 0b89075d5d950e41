//! Borrowed bytes and where they came from.

use std::ops::Range;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Bytes to look at, borrowed from a reader's reused buffer. A huge file arrives as several overlapping blobs.
#[derive(Debug, Clone)]
pub struct Blob<'a> {
    /// The bytes, with a margin on either side of `own` where the original has one.
    pub bytes: &'a [u8],
    /// The part of `bytes` whose matches are this blob's to report: those that start in here. Matches that start in a
    /// margin belong to the neighbouring blob.
    pub own: Range<usize>,
    /// Where `bytes[0]` stands in the original, in bytes.
    pub offset: u64,
    /// Line ends in the original before `bytes[0]`.
    pub lines_before: u64,
    /// Bytes of the line that `bytes[0]` continues, which stand before it.
    pub lead: u64,
    /// The path as it is shown: lossy UTF-8, relative to the target as the user wrote it, `/` between the parts.
    pub path: &'a str,
    /// The path that tells what the file is for: from the root of its repository, or else of the target. What folders above that are
    /// called says nothing of it. As it is shown where neither is known.
    pub inside: &'a str,
}

impl<'a> Blob<'a> {
    /// A whole file in one blob.
    pub fn whole(path: &'a str, bytes: &'a [u8]) -> Self {
        Self { bytes, own: 0..bytes.len(), offset: 0, lines_before: 0, lead: 0, path, inside: path }
    }
}

/// A text that may lead to a match, and where it stands: what the scanner looks for first. One version's are most of the next's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clue {
    /// Its first byte's place.
    pub at: u32,
    /// The place after its last byte.
    pub end: u32,
    /// Which text, as the scanner counts them.
    pub text: u32,
}

/// Where a span stands in the original file. Lines and columns start at 1; columns count bytes; ends are exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location {
    /// First line.
    pub line: u64,
    /// First byte's column.
    pub column: u64,
    /// Line of the last byte.
    pub end_line: u64,
    /// Column after the last byte.
    pub end_column: u64,
    /// First byte, counted from 0.
    pub byte_start: u64,
    /// Byte after the last.
    pub byte_end: u64,
}

/// Where a blob came from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Provenance {
    /// A file as it lies on disk.
    Worktree,
    /// What another scanner's report says of a file: its lines, but none of its bytes were seen.
    Reported,
    /// Standard input.
    Stdin,
    /// A process's environment.
    Environment,
    /// What is about to be committed.
    Staged,
    /// An object of a git repository.
    Commit(Box<CommitPlace>),
    /// A layer or the config of an image.
    Layer(Box<LayerPlace>),
    /// A file inside an archive that lies on disk.
    Archive {
        /// The names inside, from the outside in: `["b.zip", "c.txt"]` for `a.zip` on disk.
        member: Vec<String>,
    },
}

/// Where in a repository's history.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CommitPlace {
    /// The object that holds the bytes, hex. Empty where another scanner's report names the commit and nobody looked.
    pub object: String,
    /// The commit that brought it in, hex. None for what no commit reaches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// That commit's author, `Name <address>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// When it was authored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Timestamp>,
    /// The branches and tags that reach it, full names. Empty for what none does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refs: Vec<String>,
    /// The names inside, where the object is an archive.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub member: Vec<String>,
    /// The target whose history it is, as it was named; a full path in the store. None where objects came by other ways.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
}

/// Where in an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LayerPlace {
    /// The image as it was named.
    pub image: String,
    /// Digest of the layer, or of the config: `sha256:…`.
    pub layer: String,
    /// `os/architecture` of the image it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// The line of the image's history that made the layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Timestamp>,
    /// A later layer deletes or overwrites the file: it is in the image all the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// `org.opencontainers.image.source`: the repository it was built from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// `org.opencontainers.image.revision`: the commit it was built from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The names inside, where the file is an archive.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub member: Vec<String>,
}

impl Provenance {
    /// Rewrites every text that somebody else chose: found values may stand in it.
    pub fn reword(&mut self, word: &dyn Fn(&str) -> String) {
        let each = |texts: &mut Vec<String>| texts.iter_mut().for_each(|text| *text = word(text));
        let maybe = |text: &mut Option<String>| *text = text.as_deref().map(word);
        match self {
            Self::Worktree | Self::Reported | Self::Stdin | Self::Environment | Self::Staged => {}
            Self::Commit(place) => {
                maybe(&mut place.author);
                maybe(&mut place.repository);
                each(&mut place.refs);
                each(&mut place.member);
            }
            Self::Layer(place) => {
                place.image = word(&place.image);
                for text in [&mut place.created_by, &mut place.source, &mut place.revision, &mut place.platform] {
                    maybe(text);
                }
                each(&mut place.member);
            }
            Self::Archive { member } => each(member),
        }
    }

    /// The names inside an archive, from the outside in.
    pub fn members(&self) -> &[String] {
        match self {
            Self::Commit(place) => &place.member,
            Self::Layer(place) => &place.member,
            Self::Archive { member } => member,
            Self::Worktree | Self::Reported | Self::Stdin | Self::Environment | Self::Staged => &[],
        }
    }

    /// The same place, inside an archive found there: `name` is one of its members.
    #[must_use]
    pub fn inside(&self, name: &str) -> Self {
        let mut inner = self.clone();
        match &mut inner {
            Self::Commit(place) => place.member.push(name.to_owned()),
            Self::Layer(place) => place.member.push(name.to_owned()),
            Self::Archive { member } => member.push(name.to_owned()),
            Self::Worktree | Self::Reported | Self::Stdin | Self::Environment | Self::Staged => {
                inner = Self::Archive { member: vec![name.to_owned()] };
            }
        }
        inner
    }
}
