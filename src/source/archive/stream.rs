//! A compressed stream: of one file, or of a tar or cpio, whose members are then its own.

use std::cell::Cell;
use std::io::{self, Read};

use super::budget::{Bounded, Counted};
use super::compress::Codec;
use super::input::{Input, fill};
use super::members::Members;
use super::{FileFormat, Head, cpio, tar};

/// The row in the list of formats.
pub(super) const FORMAT: FileFormat = FileFormat { name: "compressed stream", is, read };

/// Endings that go, and what takes their place.
const ENDINGS: &[(&str, &str)] = &[
    (".tgz", ".tar"),
    (".tbz2", ".tar"),
    (".tbz", ".tar"),
    (".txz", ".tar"),
    (".tzst", ".tar"),
    (".svgz", ".svg"),
    (".emz", ".emf"),
    (".gz", ""),
    (".bz2", ""),
    (".xz", ""),
    (".lzma", ""),
    (".tlz", ".tar"),
    (".zst", ""),
    (".zstd", ""),
    (".lz4", ""),
];

fn is(head: &Head<'_>) -> bool {
    Codec::of(head.bytes).is_some()
}

fn read(input: Input<'_>, members: &mut Members<'_>) -> io::Result<()> {
    let name = inner_name(members.outer.path);
    unpack(input.stream(), name.as_bytes(), members)
}

/// Reads what is packed in `reader`: the members of a tar or cpio, or one file that is called `name`.
pub(super) fn unpack(reader: Box<dyn Read + '_>, name: &[u8], members: &mut Members<'_>) -> io::Result<()> {
    let packed = Cell::new(0);
    let (codec, decoded) = super::compress::open(Box::new(Counted::new(reader, &packed)))?;
    // What is not packed cannot expand.
    let decoded: Box<dyn Read + '_> =
        if codec.is_some() { Box::new(Bounded::new(decoded, &packed, members.budget)) } else { decoded };
    let mut decoded = Held { inner: decoded, error: None, holds: true };
    let mut head = [0; 1024];
    let got = fill(&mut decoded, &mut head)?;
    decoded.holds = false;
    if let Some(error) = decoded.error.take_if(|_| got == 0) {
        return Err(error);
    }
    let bytes = &head[..got];
    let inner = [tar::FORMAT, cpio::FORMAT].into_iter().find(|format| (format.is)(&Head { bytes, is_whole: false }));
    if let Some(format) = inner {
        return (format.read)(Input { head: bytes, rest: &mut decoded, is_whole: false, file: None }, members);
    }
    members.plain(name, &mut bytes.chain(decoded));
    Ok(())
}

/// Holds an error back while the first bytes are gathered: what came before it is read all the same, and then it is said.
struct Held<R> {
    inner: R,
    error: Option<io::Error>,
    holds: bool,
}

impl<R: Read> Read for Held<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        match self.inner.read(into) {
            Err(error) if self.holds && error.kind() != io::ErrorKind::Interrupted => {
                self.error = Some(error);
                Ok(0)
            }
            got => got,
        }
    }
}

/// What the file inside is called, by what the outer one is.
fn inner_name(path: &str) -> String {
    let name = path.rsplit(['/', '!']).next().unwrap_or(path);
    let lower = name.to_ascii_lowercase();
    let ending = ENDINGS.iter().find(|(ending, _)| lower.ends_with(ending) && name.len() > ending.len());
    ending.map_or_else(|| name.to_owned(), |(ending, new)| format!("{}{new}", &name[..name.len() - ending.len()]))
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::inner_name;
    use std::io::Write;

    #[test]
    fn what_came_before_an_error_is_read_and_the_error_is_said() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(b"some text").expect("memory");
        let whole = encoder.finish().expect("memory");
        let padded = [&*whole, &[0; 512]].concat();
        for (bytes, what) in [(&whole[..whole.len() - 3], "cut"), (&padded, "padded")] {
            let seen = testing::open("a.txt.gz", bytes).expect("packed");
            assert_eq!(seen.text("a.txt.gz!a.txt"), "some text", "{what}");
            assert!(!seen.said().is_empty(), "{what}");
        }
    }

    #[test]
    fn a_name_loses_what_says_that_it_is_packed() {
        for (path, name) in [
            ("a/b.txt.gz", "b.txt"),
            ("a.zip!c/B.TGZ", "B.tar"),
            ("x.sql.zst", "x.sql"),
            ("noending", "noending"),
            ("a/.gz", ".gz"),
        ] {
            assert_eq!(inner_name(path), name);
        }
    }
}
