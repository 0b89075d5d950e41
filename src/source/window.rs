//! Any reader as one blob or several overlapping ones, through one reused buffer.

use std::io::{self, Read};

use crate::model::Blob;

/// Bytes a window reports on. Larger files come in several windows, so memory does not grow with the file.
const WINDOW: usize = 512 << 10;

/// A reused buffer that reads files whole where they fit and in overlapping windows where they do not.
pub struct Windows {
    buffer: Vec<u8>,
    margin: usize,
    /// What `begin` read.
    filled: usize,
    end: Option<io::Result<()>>,
}

impl Windows {
    /// `margin` is how far, in bytes, a decision about a match may look to either side.
    pub fn new(margin: usize) -> Self {
        Self::sized(WINDOW, margin)
    }

    /// The same with windows of another size, for tests: every size finds the same.
    pub fn sized(window: usize, margin: usize) -> Self {
        Self { buffer: vec![0; window + 2 * margin], margin, filled: 0, end: None }
    }

    /// Reads the first window, so that it can be looked at before `read` goes on with it.
    pub fn begin(&mut self, reader: &mut dyn Read) {
        (self.filled, self.end) = fill(reader, &mut self.buffer);
    }

    /// What `begin` read.
    pub fn head(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }

    /// Whether `begin` read everything there is.
    pub fn is_whole(&self) -> bool {
        matches!(self.end, Some(Ok(())))
    }

    /// Drops what `begin` has read and nobody went on with.
    pub fn forget(&mut self) {
        (self.filled, self.end) = (0, None);
    }

    /// Reads to the end, from what `begin` has read where it was called, and pushes each window. Returns how many bytes were
    /// read, together with the error that ended the reading early; what was read before it has been pushed all the same.
    pub fn read(&mut self, path: &str, reader: &mut dyn Read, push: &mut dyn FnMut(&Blob<'_>)) -> (u64, io::Result<()>) {
        if self.filled == 0 && self.end.is_none() {
            self.begin(reader);
        }
        let mut blob = Blob::whole(path, &[]);
        let (mut filled, mut own) = (std::mem::take(&mut self.filled), 0);
        let mut end = self.end.take();
        loop {
            let until = if end.is_some() { filled } else { filled - self.margin };
            let window = Blob { bytes: &self.buffer[..filled], own: own..until, ..blob };
            if until > own || filled == 0 {
                push(&window);
            }
            if let Some(result) = end {
                return (blob.offset + filled as u64, result);
            }
            // Keep one margin before what comes next, and what comes next as far as it was read.
            let cut = until.saturating_sub(self.margin);
            let dropped = &self.buffer[..cut];
            blob.lines_before += memchr::memchr_iter(b'\n', dropped).count() as u64;
            blob.lead = memchr::memrchr(b'\n', dropped).map_or(blob.lead + cut as u64, |last| (cut - last - 1) as u64);
            blob.offset += cut as u64;
            self.buffer.copy_within(cut..filled, 0);
            own = until - cut;
            let (got, at_end) = fill(reader, &mut self.buffer[filled - cut..]);
            (filled, end) = (filled - cut + got, at_end);
        }
    }
}

/// Fills `into`. The second value is set at the end of the file or at an error.
fn fill(reader: &mut dyn Read, into: &mut [u8]) -> (usize, Option<io::Result<()>>) {
    let mut got = 0;
    while got < into.len() {
        match reader.read(&mut into[got..]) {
            Ok(0) => return (got, Some(Ok(()))),
            Ok(n) => got += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (got, Some(Err(error))),
        }
    }
    (got, None)
}

#[cfg(test)]
mod tests {
    use super::Windows;

    /// Reads `text` in small windows and lists every position that is somebody's own, with its line and column.
    fn owned(text: &[u8], window: usize, margin: usize) -> Vec<(u64, u8, u64, u64)> {
        let mut seen = Vec::new();
        let mut reader = text;
        let mut windows = Windows::sized(window, margin);
        windows.begin(&mut reader);
        let (bytes, result) = windows.read("x", &mut reader, &mut |blob| {
            for at in blob.own.clone() {
                let head = &blob.bytes[..at];
                let line = blob.lines_before + memchr::memchr_iter(b'\n', head).count() as u64;
                let column = head.iter().rposition(|&b| b == b'\n').map_or(blob.lead + at as u64, |n| (at - n - 1) as u64);
                seen.push((blob.offset + at as u64, blob.bytes[at], line, column));
                // The margins are there wherever the original has them.
                assert!(at >= margin || blob.offset == 0);
                assert!(blob.bytes.len() - at > margin || blob.offset + blob.bytes.len() as u64 == text.len() as u64);
            }
        });
        assert!(result.is_ok());
        assert_eq!(bytes, text.len() as u64);
        seen
    }

    #[test]
    fn every_byte_is_owned_exactly_once_at_its_place() {
        let text: Vec<u8> = (0..500u32).map(|n| if n % 13 == 0 { b'\n' } else { b'a' + (n % 26) as u8 }).collect();
        for length in [0, 1, 15, 16, 17, 24, 31, 32, 33, 48, 100, 500] {
            let expected = owned(&text[..length], 4096, 8);
            assert_eq!(expected.len(), length);
            for (window, margin) in [(16, 8), (8, 8), (32, 4), (5, 3)] {
                assert_eq!(owned(&text[..length], window, margin), expected, "{length} {window} {margin}");
            }
        }
    }

    #[test]
    fn an_error_keeps_what_was_read() {
        struct Broken(usize);
        impl std::io::Read for Broken {
            fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
                if self.0 == 0 {
                    return Err(std::io::Error::other("broken"));
                }
                let n = self.0.min(into.len());
                self.0 -= n;
                into[..n].fill(b'x');
                Ok(n)
            }
        }
        let mut seen = 0;
        let (mut windows, mut broken) = (Windows::sized(16, 4), Broken(40));
        windows.begin(&mut broken);
        let (bytes, result) = windows.read("x", &mut broken, &mut |blob| seen += blob.own.len());
        assert!(result.is_err());
        assert_eq!((bytes, seen), (40, 40));
    }
}
