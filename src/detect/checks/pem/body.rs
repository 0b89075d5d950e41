//! What stands between the lines of PEM armour, however it was written: line ends of all kinds or escaped ones, one line
//! with spaces, indentation, comment marks, quotes with a plus or a comma, a diff's marks.

use std::borrow::Cow;

use data_encoding::{BASE64, BASE64_NOPAD};

/// The headers and the base64 of a block.
#[derive(Debug, Default)]
pub(super) struct Body {
    /// `Proc-Type: …`
    pub(super) headers: Vec<String>,
    /// Base64 without padding.
    pub(super) text: String,
    /// OpenPGP's checksum, in base64.
    pub(super) sum: Option<String>,
    /// Lines were left out because they are nothing that stands in a key.
    pub(super) odd: bool,
    /// Dots stand where lines should.
    pub(super) dots: bool,
}

/// What a line is.
enum Line<'l> {
    Blank,
    Header(&'l str),
    Sum(&'l str),
    Base64(String),
    Odd,
}

impl Body {
    /// Reads what is between the lines. Where the last one is missing (`ended`), the body ends with the first line that
    /// is none of it.
    pub(super) fn read(inside: &str, ended: bool) -> Self {
        let unescaped = inside.replace("\\r", "\n").replace("\\n", "\n").replace("\\\\", "").replace("\\/", "/");
        let mut body = Self::default();
        let mut lines: Vec<String> = Vec::new();
        let mut padded = false;
        for text in unescaped.lines() {
            let text = untagged(text.trim_matches(|c: char| c.is_whitespace() || c == '\\'));
            match line(&text, lines.is_empty()) {
                Line::Header(header) => body.headers.push(header.to_owned()),
                Line::Sum(sum) => body.sum = Some(sum.to_owned()),
                Line::Base64(line) if !padded => {
                    padded = line.ends_with('=');
                    lines.push(line);
                }
                Line::Blank | Line::Odd if !ended && !lines.is_empty() => break,
                Line::Blank | Line::Base64(_) => {}
                Line::Odd if text.contains("...") || text.contains('…') => body.dots = true,
                Line::Odd => body.odd = true,
            }
        }
        // A diff marks each line, and its mark is a character of base64.
        let is_diff = lines.len() >= 3 && lines.iter().all(|line| line.starts_with('+'));
        let bare = |line: &String| line[usize::from(is_diff)..].trim_end_matches('=').to_owned();
        body.text = lines.iter().map(bare).collect();
        body
    }

    /// The bytes, as far as they are there.
    pub(super) fn decode(&self) -> Vec<u8> {
        let (text, tail) = self.text.as_bytes().split_at(self.text.len() - self.text.len() % 4);
        let mut bytes = BASE64_NOPAD.decode(text).unwrap_or_default();
        bytes.extend(BASE64_NOPAD.decode(tail).unwrap_or_default());
        bytes
    }

    /// Whether OpenPGP's checksum (RFC 4880, section 6.1), if there is one, is that of these bytes.
    pub(super) fn is_summed(&self, bytes: &[u8]) -> bool {
        let sum = self.sum.as_ref().and_then(|sum| BASE64.decode(sum.as_bytes()).ok());
        self.odd || sum.is_none_or(|sum| sum == crc24(bytes).to_be_bytes()[1..])
    }
}

fn crc24(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x00b7_04ce, |crc, byte| {
        (0..8).fold(crc ^ (u32::from(*byte) << 16), |crc, _| {
            let crc = crc << 1;
            if crc & 0x0100_0000 == 0 { crc } else { crc ^ 0x0186_4cfb }
        })
    })
}

fn is_base64(byte: char) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, '+' | '/' | '=')
}

/// Whether a run of base64 is more than a plus or a slash of the code around it. A line of slashes alone stands in primes.
fn is_word(run: &str) -> bool {
    run.len() >= 16 || run.contains(|c: char| c.is_ascii_alphanumeric())
}

/// A line without marks of HTML or XML in it: `<p>`, `</string>`, `<br/>`.
fn untagged(text: &str) -> Cow<'_, str> {
    if !text.contains('<') {
        return Cow::Borrowed(text);
    }
    let is_tag =
        |inside: &str| inside.len() <= 12 && inside.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'/');
    let mut out = String::new();
    for (n, piece) in text.split('<').enumerate() {
        match piece.split_once('>').filter(|(inside, _)| n > 0 && is_tag(inside)) {
            Some((_, after)) => out.push_str(after),
            None if n > 0 => out.extend(["<", piece]),
            None => out.push_str(piece),
        }
    }
    Cow::Owned(out)
}

fn line(text: &str, is_first: bool) -> Line<'_> {
    const QUOTES: [char; 3] = ['"', '\'', '`'];
    let bare = text.trim_matches(|c: char| c.is_whitespace() || QUOTES.contains(&c) || matches!(c, ',' | ';'));
    let name = bare.split_once(": ").map_or("", |(name, _)| name);
    if is_first && !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-') {
        return Line::Header(bare);
    }
    if !text.split(|c| !is_base64(c)).any(is_word) {
        let joint = bare.trim_matches([' ', '+', '.', ',', '(', ')', '=', '"', '\'', '`', ';']);
        return if joint.is_empty() && !bare.contains("...") { Line::Blank } else { Line::Odd };
    }
    let sum = bare.trim_start_matches(['+', ' ']);
    if sum.len() == 5 && sum.starts_with('=') && !sum.ends_with('=') {
        return Line::Sum(&sum[1..]);
    }
    base64(text, QUOTES).map_or(Line::Odd, Line::Base64)
}

/// The base64 of a line: what is quoted in it; all of it, if long words are set off by spaces; its one long word.
fn base64(text: &str, quotes: [char; 3]) -> Option<String> {
    let words: Vec<&str> = text.split(|c| !is_base64(c)).filter(|word| is_word(word)).collect();
    let (last, others) = words.split_last()?;
    let is_spaced = text.chars().all(|c| is_base64(c) || c == ' ');
    if is_spaced && others.iter().all(|word| word.len() >= 16) {
        return Some(words.concat());
    }
    let place = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
    let is_quoted = |word: &&&str| {
        let at = place(word);
        text[..at].ends_with(quotes) || text[at + word.len()..].starts_with(quotes)
    };
    if let Some(word) = words.iter().filter(is_quoted).max_by_key(|word| word.len()) {
        return Some((*word).to_owned());
    }
    // The name before a quote that opens what comes next.
    if text.contains(quotes) {
        return None;
    }
    let longest = words.iter().max_by_key(|word| word.len()).unwrap_or(last);
    let beside: usize = words.iter().map(|word| word.len()).sum::<usize>() - longest.len();
    (beside <= 4 && !text.contains("...") && !text.contains('…')).then(|| (*longest).to_owned())
}
