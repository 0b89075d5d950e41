//! git's own lists: logs of references, packed references, what was fetched. Each line begins with the names of objects, which
//! look like keys to whoever does not know what they are: they are blanked, so that every place stays where it is.

use std::io::{self, Read};

/// Bytes of a line's beginning that tell: two names of 64 digits, and what stands before, between and behind.
const TOLD: usize = 2 * 64 + 3;
/// Bytes read at once.
const CHUNK: usize = 64 << 10;

/// Whether a file of a git folder is such a list.
pub fn is_list(path: &str) -> bool {
    const FOLDERS: [&str; 5] = ["logs", "refs", "rebase-apply", "rebase-merge", "sequencer"];
    const FILES: [&str; 3] = ["HEAD", "packed-refs", "shallow"];
    let name = path.rsplit('/').next().unwrap_or(path);
    FILES.contains(&name) || name.ends_with("_HEAD") || path.split('/').any(|part| FOLDERS.contains(&part))
}

/// A list without the names of objects that its lines begin with.
pub struct Listed<R> {
    inner: R,
    buffer: Vec<u8>,
    /// So much of it was handed on, and so much was gone through.
    handed: usize,
    done: usize,
    /// The first byte that was not gone through begins a line.
    is_start: bool,
    ended: bool,
}

impl<R: Read> Listed<R> {
    /// Reads a list from its beginning.
    pub fn new(inner: R) -> Self {
        Self { inner, buffer: Vec::new(), handed: 0, done: 0, is_start: true, ended: false }
    }

    fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.done);
        (self.handed, self.done) = (0, 0);
        let got = self.inner.by_ref().take(CHUNK as u64).read_to_end(&mut self.buffer)?;
        self.ended = got < CHUNK;
        while self.done < self.buffer.len() {
            let line = &mut self.buffer[self.done..];
            if self.is_start {
                if line.len() < TOLD && !self.ended {
                    break;
                }
                blank(line);
            }
            let end = memchr::memchr(b'\n', line);
            self.is_start = end.is_some();
            self.done += end.map_or(line.len(), |end| end + 1);
        }
        Ok(())
    }
}

impl<R: Read> Read for Listed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.handed == self.done && !self.ended {
            self.fill()?;
        }
        let got = into.len().min(self.done - self.handed);
        into[..got].copy_from_slice(&self.buffer[self.handed..self.handed + got]);
        self.handed += got;
        Ok(got)
    }
}

/// Blanks the names that a line begins with: one, or an old and a new one, or what a tag leads to.
fn blank(line: &mut [u8]) {
    let mut at = usize::from(line.first() == Some(&b'^'));
    for _ in 0..2 {
        let digits = line[at..].iter().take(65).take_while(|byte| byte.is_ascii_hexdigit()).count();
        let is_name =
            matches!(digits, 40 | 64) && matches!(line.get(at + digits), None | Some(b' ' | b'\t' | b'\r' | b'\n'));
        if !is_name {
            return;
        }
        line[at..at + digits].fill(b' ');
        at += digits + 1;
        if at > line.len() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::{Listed, is_list};

    fn read(text: &str) -> String {
        let mut out = String::new();
        Listed::new(text.as_bytes()).read_to_string(&mut out).expect("text");
        out
    }

    #[test]
    fn names_of_objects_are_blanked_and_nothing_else() {
        let (name, long) = ("0123456789".repeat(4), "01234567".repeat(8));
        let gone = " ".repeat(40);
        assert_eq!(
            read(&format!("{name} {name} A <a@b> 1 +0000\tcommit: {name}\n")),
            format!("{gone} {gone} A <a@b> 1 +0000\tcommit: {name}\n")
        );
        assert_eq!(read(&name), gone);
        assert_eq!(
            read(&format!("{long} refs/x\n^{name}\n{name}x\n")),
            format!("{} refs/x\n^{gone}\n{name}x\n", " ".repeat(64))
        );
        assert_eq!(read(""), "");
        // Across the pieces in which it is read.
        for before in 65_300..65_540 {
            let filler = "x".repeat(before);
            assert_eq!(read(&format!("{filler}\n{name} {name} y\n")), format!("{filler}\n{gone} {gone} y\n"), "{before}");
        }
    }

    #[test]
    fn lists_are_known_by_their_place() {
        for path in ["r/.git/logs/refs/heads/x", ".git/packed-refs", "r.git/FETCH_HEAD", "r/.git/refs/heads/x", ".git/HEAD"]
        {
            assert!(is_list(path), "{path}");
        }
        for path in ["r/.git/config", ".git/lfs/objects/ab", ".git/COMMIT_EDITMSG", ".git/hooks/pre-push"] {
            assert!(!is_list(path), "{path}");
        }
    }
}
