//! Compressed streams, known by their first bytes. Decoders are bounded in memory; how much comes out of them is for the
//! caller to bound.

use std::io::{self, BufRead, BufReader, Read};

/// How far the first bytes must be known: the longest of the beginnings below is ten bytes, and frames to be skipped may stand before.
pub const LEAD: usize = 512;
/// Memory for one decoder. `xz -9` needs 65 MiB, zstd at its largest default window 128 MiB.
const MEMORY: usize = 160 << 20;

/// How a stream is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// RFC 1952, one member or several.
    Gzip,
    /// One stream or several.
    Bzip2,
    /// One stream or several.
    Xz,
    /// RFC 8878, one frame or several.
    Zstd,
    /// The frame format of LZ4, one frame or several.
    Lz4,
    /// xz's predecessor, `.lzma`: one stream.
    Lzma,
}

impl Codec {
    /// Every one.
    pub const ALL: [Self; 6] = [Self::Gzip, Self::Bzip2, Self::Xz, Self::Zstd, Self::Lz4, Self::Lzma];

    /// By the first bytes of a stream.
    pub fn of(head: &[u8]) -> Option<Self> {
        match head {
            // Deflate is the only method there ever was; the flags' upper three bits are reserved.
            [0x1f, 0x8b, 8, flags, ..] if flags & 0xe0 == 0 => Some(Self::Gzip),
            // A block, or the end of an empty stream.
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
            | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => Some(Self::Bzip2),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            [0x04, 0x22, 0x4d, 0x18, ..] => Some(Self::Lz4),
            // A frame to be skipped, of either: what stands behind it tells. pzstd begins with one.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, rest @ ..] => {
                let behind = rest.get(u32::from_le_bytes([*a, *b, *c, *d]) as usize..).filter(|rest| !rest.is_empty());
                behind.map_or(Some(Self::Zstd), Self::of)
            }
            // It has no sign of its own: the settings that all writers use, a dictionary of a size that they use, the length or
            // that it is not known, and the first byte of all such streams.
            [0x5d, 0, 0, d2, d3, size @ .., _] if size.len() >= 9 => is_lzma([*d2, *d3], size).then_some(Self::Lzma),
            _ => None,
        }
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
            Self::Lzma => "lzma",
        }
    }

    /// A reader of what is compressed in `reader`.
    ///
    /// # Errors
    /// When there is no memory for it. What is wrong with the stream is said when it is read.
    pub fn decode<'r>(self, reader: Box<dyn Read + 'r>) -> io::Result<Box<dyn Read + 'r>> {
        Ok(Box::new(self.decoder(reader)?))
    }

    /// The same for a reader whose type is known: what comes out can go where the reader can.
    ///
    /// # Errors
    /// As [`Codec::decode`].
    pub fn decoder<R: Read>(self, reader: R) -> io::Result<Decoder<R>> {
        Ok(Decoder(match self {
            Self::Gzip => Kind::Gzip(flate2::read::MultiGzDecoder::new(reader)),
            Self::Bzip2 => Kind::Bzip2(bzip2::read::MultiBzDecoder::new(reader)),
            Self::Xz => {
                let buffered = BufReader::new(reader);
                Kind::Xz(Box::new(lzma_rust2::XzReader::new_mem_limit(buffered, true, (MEMORY >> 10) as u32)))
            }
            // The library itself refuses windows larger than 128 MiB.
            Self::Zstd => Kind::Zstd(zstd::stream::read::Decoder::new(reader)?),
            Self::Lz4 => {
                let watched = Watched { inner: BufReader::new(reader), wanted_more: false };
                Kind::Lz4(Frames { decoder: lz4_flex::frame::FrameDecoder::new(watched), between: true })
            }
            Self::Lzma => {
                let buffered = BufReader::new(reader);
                let decoder = lzma_rust2::LzmaReader::new_mem_limit(buffered, (MEMORY >> 10) as u32, None);
                Kind::Lzma(Box::new(decoder.map_err(io::Error::other)?))
            }
        }))
    }
}

/// A compressed stream being read.
pub struct Decoder<R: Read>(Kind<R>);

enum Kind<R: Read> {
    Gzip(flate2::read::MultiGzDecoder<R>),
    Bzip2(bzip2::read::MultiBzDecoder<R>),
    Xz(Box<lzma_rust2::XzReader<BufReader<R>>>),
    Zstd(zstd::stream::read::Decoder<'static, BufReader<R>>),
    Lz4(Frames<BufReader<R>>),
    Lzma(Box<lzma_rust2::LzmaReader<BufReader<R>>>),
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::Gzip(decoder) => decoder.read(into),
            Kind::Bzip2(decoder) => decoder.read(into),
            Kind::Xz(decoder) => decoder.read(into),
            Kind::Zstd(decoder) => decoder.read(into),
            Kind::Lz4(decoder) => decoder.read(into),
            Kind::Lzma(decoder) => decoder.read(into),
        }
    }
}

/// The rest of an `.lzma` header: the upper half of the dictionary's size, and what follows.
fn is_lzma(dictionary: [u8; 2], rest: &[u8]) -> bool {
    /// No file is longer.
    const LONGEST: u64 = 1 << 40;
    let dictionary = u16::from_le_bytes(dictionary);
    // A power of two, or one and a half of it.
    let is_usual = dictionary.is_power_of_two() || (dictionary.count_ones() == 2 && dictionary & (dictionary << 1) != 0);
    let size = rest.first_chunk().map_or(0, |size| u64::from_le_bytes(*size));
    is_usual && (size == u64::MAX || (1..LONGEST).contains(&size)) && rest.get(8) == Some(&0)
}

/// Looks at the first bytes: what is compressed there, or the reader itself where nothing is.
///
/// # Errors
/// When the first bytes cannot be read.
pub fn open<'r>(mut reader: Box<dyn Read + 'r>) -> io::Result<(Option<Codec>, Box<dyn Read + 'r>)> {
    let mut head = Vec::with_capacity(LEAD);
    reader.by_ref().take(LEAD as u64).read_to_end(&mut head)?;
    let codec = Codec::of(&head);
    let whole: Box<dyn Read + 'r> = Box::new(io::Cursor::new(head).chain(reader));
    let inner = match codec {
        Some(codec) => codec.decode(whole)?,
        None => whole,
    };
    Ok((codec, inner))
}

/// LZ4 frames one after another; the decoder itself ends at the first, and takes an end of the stream between two blocks for
/// an end of the frame.
struct Frames<R: BufRead> {
    decoder: lz4_flex::frame::FrameDecoder<Watched<R>>,
    /// The decoder stands between two frames.
    between: bool,
}

impl<R: BufRead> Frames<R> {
    /// Passes over frames to be skipped, which the decoder knows nothing of.
    fn skip(&mut self) -> io::Result<()> {
        let stream = &mut self.decoder.get_mut().inner;
        while self.between
            && let [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, ..] = *stream.fill_buf()?
        {
            stream.consume(8);
            io::copy(&mut stream.by_ref().take(u64::from(u32::from_le_bytes([a, b, c, d]))), &mut io::sink())?;
        }
        self.between = false;
        Ok(())
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            self.skip()?;
            let got = self.decoder.read(into)?;
            if got > 0 || into.is_empty() {
                return Ok(got);
            }
            let stream = self.decoder.get_mut();
            if stream.wanted_more {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "cut short"));
            }
            if stream.inner.fill_buf()?.is_empty() {
                return Ok(0);
            }
            self.between = true;
        }
    }
}

/// Remembers whether more was wanted than there is.
struct Watched<R> {
    inner: R,
    wanted_more: bool,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(into)?;
        self.wanted_more |= got == 0 && !into.is_empty();
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::{Codec, open};
    use proptest::prelude::*;

    /// `text` compressed, by the same crates' encoders or another's recorded bytes.
    fn packed(codec: Codec, text: &[u8]) -> Option<Vec<u8>> {
        match codec {
            Codec::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(text).ok()?;
                encoder.finish().ok()
            }
            Codec::Bzip2 => {
                let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
                encoder.write_all(text).ok()?;
                encoder.finish().ok()
            }
            // The encoder is not built; `tests/it/archives.rs` asks the real program.
            Codec::Xz | Codec::Lzma => None,
            Codec::Zstd => zstd::stream::encode_all(text, 3).ok(),
            Codec::Lz4 => {
                let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
                encoder.write_all(text).ok()?;
                encoder.finish().ok()
            }
        }
    }

    #[test]
    fn lzma_is_known_by_its_whole_header() {
        let header = |dictionary: [u8; 4], size: u64, first: u8| {
            Codec::of(&[&[0x5d][..], &dictionary, &size.to_le_bytes(), &[first, 1, 2, 3]].concat())
        };
        for dictionary in [1_u32 << 16, 1 << 23, 3 << 22, 1 << 26] {
            for size in [u64::MAX, 1, 5_000_000] {
                assert_eq!(header(dictionary.to_le_bytes(), size, 0), Some(Codec::Lzma));
            }
        }
        for (dictionary, size, first) in [(5_u32 << 20, 1, 0), (1 << 23, 0, 0), (1 << 23, 1 << 50, 0), (1 << 23, 1, 7)] {
            assert_eq!(header(dictionary.to_le_bytes(), size, first), None);
        }
    }

    fn read(bytes: &[u8]) -> (Option<Codec>, std::io::Result<Vec<u8>>) {
        let (codec, mut reader) = open(Box::new(bytes)).expect("the first bytes");
        let mut out = Vec::new();
        let result = reader.read_to_end(&mut out);
        (codec, result.map(|_| out))
    }

    #[test]
    fn what_was_compressed_comes_out_also_of_several_streams() {
        for codec in Codec::ALL {
            for text in [&b""[..], b"some text", &vec![7; 300_000]] {
                let Some(one) = packed(codec, text) else { continue };
                let (found, out) = read(&one);
                assert_eq!((found, out.expect("sound").as_slice()), (Some(codec), text), "{}", codec.name());
                let two = [one.clone(), one.clone()].concat();
                assert_eq!(read(&two).1.expect("sound"), [text, text].concat(), "{}", codec.name());
                let cut = &one[..one.len() - 3];
                assert!(Codec::of(cut).is_none() || read(cut).1.is_err(), "{} cut short is an error", codec.name());
            }
        }
    }

    #[test]
    fn frames_to_be_skipped_are_passed_over() {
        let skipped = b"\x53\x2a\x4d\x18\x02\0\0\0ab";
        for codec in [Codec::Zstd, Codec::Lz4] {
            let one = packed(codec, b"some text").expect("an encoder");
            let all = [&skipped[..], skipped, &one, skipped, &one].concat();
            // More than the first bytes must be known to tell.
            assert_eq!(Codec::of(&all), Some(codec));
            let mut out = String::new();
            codec.decode(Box::new(all.as_slice())).and_then(|mut all| all.read_to_string(&mut out)).expect("sound");
            assert_eq!(out, "some textsome text", "{}", codec.name());
        }
    }

    #[test]
    fn what_is_not_compressed_comes_out_as_it_is() {
        for text in [&b""[..], b"B", b"BZh is a word", b"\x1f\x8b\x08", b"plain text that is longer"] {
            let (codec, out) = read(text);
            assert_eq!((codec, out.expect("sound").as_slice()), (None, text));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_end(codec in 0..6usize, bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let start: &[u8] = [
                &b"\x1f\x8b\x08\x00"[..], b"BZh91AY&SY", b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4\x46\x02\0\x21\x01\x16\0\0\0",
                b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18",
                b"\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\0",
            ][codec];
            let bytes = [start, &bytes].concat();
            let (_, reader) = open(Box::new(bytes.as_slice())).expect("the first bytes");
            let _some = reader.take(1 << 24).read_to_end(&mut Vec::new());
        }
    }
}
