//! One block of a tar that says what follows it.

/// Everything in a tar comes in blocks.
pub(super) const BLOCK: usize = 512;

/// What follows a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file.
    File,
    /// A file with holes, GNU's old way: of a map and what is not a hole.
    Sparse,
    /// A link, a folder, a device.
    NoFile,
    /// The next member's name.
    LongName,
    /// Keys and values about the next member.
    Pax,
    /// About something that does not matter here: the target of a long link, all members.
    Other,
}

/// What a header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    pub(super) name: Vec<u8>,
    /// Bytes that follow.
    pub(super) size: u64,
    /// A sparse file's map goes on behind the header.
    pub(super) is_continued: bool,
}

impl Header {
    /// `None` for what is none: its sum does not hold.
    pub(super) fn of(block: &[u8; BLOCK]) -> Option<Self> {
        let said = number(&block[148..156])?;
        let sums = block.iter().enumerate().fold((0u64, 0i64), |(unsigned, signed), (at, &byte)| {
            let byte = if (148..156).contains(&at) { b' ' } else { byte };
            (unsigned + u64::from(byte), signed + i64::from(byte.cast_signed()))
        });
        // Some old writers added signed bytes.
        if said != sums.0 && i64::try_from(said) != Ok(sums.1) {
            return None;
        }
        let is_posix = &block[257..263] == b"ustar\0";
        let prefix = if is_posix { text(&block[345..500]) } else { &[] };
        let name = text(&block[..100]);
        let name = if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() };
        let kind = match block[156] {
            b'S' => Kind::Sparse,
            b'1'..=b'6' => Kind::NoFile,
            b'L' => Kind::LongName,
            b'x' => Kind::Pax,
            b'g' | b'K' | b'V' => Kind::Other,
            _ => Kind::File,
        };
        Some(Self { kind, name, size: number(&block[124..136])?, is_continued: block[482] != 0 })
    }
}

/// Up to the first zero.
fn text(field: &[u8]) -> &[u8] {
    &field[..field.iter().position(|&byte| byte == 0).unwrap_or(field.len())]
}

/// Octal digits, or GNU's way for more than fits: big-endian behind a set bit. `None` for neither, and for less than nothing.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] == 0x80 {
        let (high, low) = field[1..].split_at(field.len() - 9);
        return high
            .iter()
            .all(|&byte| byte == 0)
            .then(|| low.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)));
    }
    let digits = field.trim_ascii_start();
    let end = digits.iter().position(|byte| matches!(byte, 0 | b' ')).unwrap_or(digits.len());
    digits[..end].iter().try_fold(0u64, |number, &byte| match byte {
        b'0'..=b'7' => number.checked_mul(8)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    })
}

/// The records `LENGTH KEY=VALUE\n` of a pax header, up to one that is damaged.
pub(super) fn pax(mut text: &[u8], each: &mut dyn FnMut(&[u8], &[u8])) {
    while let Some(space) = text.iter().position(|&byte| byte == b' ') {
        let length = std::str::from_utf8(&text[..space]).ok().and_then(|digits| digits.parse::<usize>().ok());
        let Some(record) = length.and_then(|length| text.get(space + 1..length)) else { return };
        let record = record.strip_suffix(b"\n").unwrap_or(record);
        if let Some(equals) = record.iter().position(|&byte| byte == b'=') {
            each(&record[..equals], &record[equals + 1..]);
        }
        text = &text[length.unwrap_or(text.len())..];
    }
}

#[cfg(test)]
mod tests {
    use super::{number, pax};

    #[test]
    fn numbers_of_every_kind() {
        assert_eq!(number(b"0000644\0"), Some(0o644));
        assert_eq!(number(b"   644 \0"), Some(0o644));
        assert_eq!(number(b"77777777777\0"), Some(0o77_777_777_777));
        assert_eq!(number(b"\x80\0\0\0\0\0\0\0\x02\0\0\0"), Some(2 << 24));
        assert_eq!(number(b"\x80\x01\0\0\0\0\0\0\0\0\0\0"), None, "more than any file has");
        assert_eq!(number(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), None, "less than nothing");
        assert_eq!(number(b"12x4\0\0\0\0"), None);
    }

    #[test]
    fn records_of_any_length() {
        let mut seen = Vec::new();
        let mut each = |key: &[u8], value: &[u8]| {
            seen.push((String::from_utf8_lossy(key).into_owned(), String::from_utf8_lossy(value).into_owned()));
        };
        pax(b"12 path=a/b\n11 size=77\n", &mut each);
        pax(b"99 path=cut", &mut each);
        pax(b"3 p=x", &mut each);
        pax(b"0 p=x", &mut each);
        assert_eq!(seen, [("path".to_owned(), "a/b".to_owned()), ("size".to_owned(), "77".to_owned())]);
    }
}
