//! zlib streams into buffers of known size.

use sirocco::inflate::Decoder;

use super::GitError;

/// Why an object is not whole: its stream ends too early.
pub(super) const CUT: &str = "an object is cut off";

/// A decoder that is used again and again.
pub(super) struct Inflater(Box<Decoder>);

impl Inflater {
    pub(super) fn new() -> Self {
        Self(Box::new(Decoder::new(sirocco::Format::Zlib)))
    }

    /// Fills `out` exactly. Returns how many bytes of `input` the stream takes.
    ///
    /// # Errors
    /// When the stream is broken or holds another number of bytes.
    pub(super) fn exact(&mut self, input: &[u8], out: &mut [u8]) -> Result<usize, GitError> {
        let wanted = out.len();
        self.0.reset();
        match self.0.decompress(input, out, true) {
            Ok(progress) if progress.done && progress.output.len() == wanted => Ok(progress.consumed),
            Ok(_) => Err(GitError::Corrupt("an object is shorter than its header says")),
            Err(sirocco::inflate::Error::BufferFull) => Err(GitError::Corrupt("an object is longer than its header says")),
            Err(sirocco::inflate::Error::Truncated) => Err(GitError::Corrupt(CUT)),
            Err(_) => Err(GitError::Corrupt("an object's zlib stream is broken")),
        }
    }
}
