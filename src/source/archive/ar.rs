//! ar: Debian packages and static libraries, with the long names of GNU and BSD.
//!
//! Our own reader: the `ar` crate takes tables of names of any size into memory. Format: ar(5) of FreeBSD.

use std::io::{self, Read};

use super::budget::Exactly;
use super::input::{Input, fill};
use super::members::Members;
use super::{FileFormat, Head};

/// The row in the list of formats.
pub(super) const FORMAT: FileFormat = FileFormat { name: "ar", is, read };

const SIGN: &[u8; 8] = b"!<arch>\n";
const HEADER: usize = 60;
/// A longer table of names is passed over.
const NAMES: u64 = 4 << 20;

fn is(head: &Head<'_>) -> bool {
    head.bytes.starts_with(SIGN) && (head.bytes.len() == SIGN.len() || head.bytes.get(66..68) == Some(b"`\n"))
}

fn read(input: Input<'_>, members: &mut Members<'_>) -> io::Result<()> {
    let mut reader = input.stream();
    let reader = &mut reader;
    Exactly::new(&mut *reader, SIGN.len() as u64).drain()?;
    let mut names = Vec::new();
    while !members.is_over() {
        let mut header = [0; HEADER];
        let got = fill(reader, &mut header)?;
        // A last line feed fills up to an even number.
        if got <= 1 {
            return Ok(());
        }
        let digits = std::str::from_utf8(&header[48..58]).ok().map(str::trim_ascii);
        let size = digits.and_then(|digits| digits.parse::<u64>().ok());
        let Some(size) = size.filter(|_| got == HEADER && &header[58..] == b"`\n") else {
            members.trouble("a header is damaged or cut short; what follows was only read as it stands");
            members.plain(b"(rest)", &mut (&header[..got]).chain(reader));
            return Ok(());
        };
        let mut bytes = Exactly::new(&mut *reader, size);
        member(&header[..16], size, &mut bytes, (&mut names, members))?;
        bytes.drain()?;
        io::copy(&mut reader.take(size % 2), &mut io::sink())?;
    }
    Ok(())
}

fn member(
    field: &[u8],
    size: u64,
    bytes: &mut Exactly<impl Read>,
    (names, members): (&mut Vec<u8>, &mut Members<'_>),
) -> io::Result<()> {
    let field = field.trim_ascii_end();
    let number = |digits: &[u8]| std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<usize>().ok());
    let name = match field {
        b"//" if size <= NAMES => return bytes.read_to_end(names).map(drop),
        // Tables of symbols.
        b"/" | b"//" | b"/SYM64/" | b"__.SYMDEF" | b"__.SYMDEF SORTED" => return Ok(()),
        [b'#', b'1', b'/', digits @ ..] => {
            let mut name = Vec::new();
            let length = number(digits).unwrap_or(0) as u64;
            bytes.take(length.min(NAMES)).read_to_end(&mut name)?;
            name.truncate(name.iter().position(|&byte| byte == 0).unwrap_or(name.len()));
            name
        }
        [b'/', digits @ ..] => {
            let rest = number(digits).and_then(|at| names.get(at..)).unwrap_or_default();
            let end = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
            rest[..end].strip_suffix(b"/").unwrap_or(&rest[..end]).to_vec()
        }
        name => name.strip_suffix(b"/").unwrap_or(name).to_vec(),
    };
    members.plain(&name, bytes);
    Ok(())
}
