//! As much of BSON as a login needs (bsonspec.org, version 1.1). Reads one level; what it does not know ends it.

use zeroize::Zeroizing;

/// A document being written.
pub(super) struct Document(Zeroizing<Vec<u8>>);

impl Document {
    pub(super) fn new() -> Self {
        let mut bytes = Zeroizing::new(Vec::with_capacity(512));
        bytes.extend_from_slice(&[0; 4]);
        Self(bytes)
    }

    fn element(mut self, kind: u8, name: &str, value: &[&[u8]]) -> Self {
        self.0.push(kind);
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(0);
        for piece in value {
            self.0.extend_from_slice(piece);
        }
        self
    }

    pub(super) fn number(self, name: &str, value: i32) -> Self {
        self.element(0x10, name, &[&value.to_le_bytes()])
    }

    pub(super) fn text(self, name: &str, value: &str) -> Self {
        self.element(0x02, name, &[&(value.len() as u32 + 1).to_le_bytes(), value.as_bytes(), b"\0"])
    }

    pub(super) fn binary(self, name: &str, value: &[u8]) -> Self {
        self.element(0x05, name, &[&(value.len() as u32).to_le_bytes(), b"\0", value])
    }

    /// A value of any kind, as it is written.
    #[cfg(test)]
    pub(super) fn raw(self, kind: u8, name: &str, value: &[u8]) -> Self {
        self.element(kind, name, &[value])
    }

    pub(super) fn done(mut self) -> Zeroizing<Vec<u8>> {
        self.0.push(0);
        let length = self.0.len() as u32;
        self.0[..4].copy_from_slice(&length.to_le_bytes());
        self.0
    }
}

/// A value that a login may meet.
#[derive(Debug, PartialEq)]
pub(super) enum Value<'a> {
    Number(f64),
    Text(&'a str),
    Binary(&'a [u8]),
    /// The array's own document.
    Array(&'a [u8]),
    Other,
}

/// The value of that name in a document. None where it is not there, or the document is none up to there.
pub(super) fn get<'a>(document: &'a [u8], wanted: &str) -> Option<Value<'a>> {
    let mut rest = document.get(4..)?;
    loop {
        let (&kind, after) = rest.split_first()?;
        if kind == 0 {
            return None;
        }
        let end = memchr::memchr(0, after)?;
        let (name, after) = (&after[..end], &after[end + 1..]);
        let (value, after) = value(kind, after)?;
        if name == wanted.as_bytes() {
            return Some(value);
        }
        rest = after;
    }
}

fn value(kind: u8, bytes: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let length = || Some(u32::from_le_bytes(*bytes.first_chunk::<4>()?) as usize);
    let fixed = |size: usize| bytes.split_at_checked(size);
    Some(match kind {
        0x01 => {
            let (number, rest) = bytes.split_first_chunk::<8>()?;
            (Value::Number(f64::from_le_bytes(*number)), rest)
        }
        0x10 => {
            let (number, rest) = bytes.split_first_chunk::<4>()?;
            (Value::Number(f64::from(i32::from_le_bytes(*number))), rest)
        }
        0x12 => {
            let (number, rest) = bytes.split_first_chunk::<8>()?;
            (Value::Number(i64::from_le_bytes(*number) as f64), rest)
        }
        0x02 => {
            let (text, rest) = bytes.get(4..)?.split_at_checked(length()?)?;
            (Value::Text(std::str::from_utf8(text.strip_suffix(b"\0")?).ok()?), rest)
        }
        0x05 => {
            let (binary, rest) = bytes.get(5..)?.split_at_checked(length()?)?;
            (Value::Binary(binary), rest)
        }
        0x03 | 0x04 => {
            let (inner, rest) = fixed(length()?)?;
            (if kind == 0x04 { Value::Array(inner) } else { Value::Other }, rest)
        }
        0x08 => (Value::Other, fixed(1)?.1),
        0x09 | 0x11 => (Value::Other, fixed(8)?.1),
        0x07 => (Value::Other, fixed(12)?.1),
        0x13 => (Value::Other, fixed(16)?.1),
        0x0a => (Value::Other, bytes),
        _ => return None,
    })
}
