//! The text that a page's drawing instructions show, put together from its pieces.

/// `None` for what are no drawing instructions: nothing in it shows text.
pub(super) fn drawn(stream: &[u8]) -> Option<Vec<u8>> {
    let shows = |word: &[u8]| memchr::memmem::find(stream, word).is_some();
    if !(shows(b"BT") && shows(b"ET") && (shows(b"Tj") || shows(b"TJ"))) {
        return None;
    }
    let mut text = Vec::new();
    let mut at = 0;
    while let Some(&byte) = stream.get(at) {
        at += 1;
        match byte {
            b'(' => at = literal(stream, at, &mut text),
            b'<' if stream.get(at) != Some(&b'<') => at = hexadecimal(stream, at, &mut text),
            // A wide gap within an array is a space between words; a narrow one is between letters.
            b'-' if wide(&stream[at..]) => text.push(b' '),
            // Instructions that begin another line: T*, ', ", Td, TD, Tm, ET.
            b'T' if matches!(stream.get(at), Some(b'*' | b'd' | b'D' | b'm')) => line(&mut text),
            b'E' if stream.get(at) == Some(&b'T') => line(&mut text),
            b'\'' | b'"' => line(&mut text),
            _ => {}
        }
    }
    Some(text)
}

fn line(text: &mut Vec<u8>) {
    if text.last().is_some_and(|&last| last != b'\n') {
        text.push(b'\n');
    }
}

/// Thousandths of the font's size from where a gap is a space.
fn wide(digits: &[u8]) -> bool {
    digits.iter().take_while(|byte| byte.is_ascii_digit()).count() >= 3
}

/// A text in parentheses, from behind the first. Returns where it ends.
fn literal(stream: &[u8], mut at: usize, text: &mut Vec<u8>) -> usize {
    let mut depth = 1;
    while let Some(&byte) = stream.get(at) {
        at += 1;
        match byte {
            b'\\' => at = escape(stream, at, text),
            b'(' => {
                depth += 1;
                text.push(byte);
            }
            b')' => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
                text.push(byte);
            }
            _ => text.push(byte),
        }
    }
    at
}

fn escape(stream: &[u8], at: usize, text: &mut Vec<u8>) -> usize {
    let Some(&byte) = stream.get(at) else { return at };
    let octal = stream[at..].iter().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
    if octal > 0 {
        let number = stream[at..at + octal].iter().fold(0u32, |number, digit| number * 8 + u32::from(digit - b'0'));
        text.push(number as u8);
        return at + octal;
    }
    match byte {
        b'n' | b'r' => text.push(b'\n'),
        b't' => text.push(b'\t'),
        // The line goes on.
        b'\n' | b'\r' | b'b' | b'f' => {}
        _ => text.push(byte),
    }
    at + 1
}

/// A text in hexadecimal, from behind the bracket. Letters of two bytes of which the first is zero are plain ones.
fn hexadecimal(stream: &[u8], at: usize, text: &mut Vec<u8>) -> usize {
    let length = stream[at..].iter().position(|&byte| byte == b'>').unwrap_or(stream.len() - at);
    let digits: Vec<u8> =
        stream[at..at + length].iter().filter_map(|&byte| char::from(byte).to_digit(16)).map(|digit| digit as u8).collect();
    text.extend(digits.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).unwrap_or(&0)).filter(|&byte| byte != 0));
    at + length
}

#[cfg(test)]
mod tests {
    use super::drawn;

    #[test]
    fn pieces_are_put_together() {
        let plain = |stream: &[u8]| drawn(stream).map(|text| String::from_utf8_lossy(&text).into_owned());
        let page = b"BT /F1 12 Tf 72 712 Td [(AK)-3(IA) -250(next\\))] TJ T* (a\\050b\\\nc) Tj ET";
        assert_eq!(plain(page).as_deref(), Some("AKIA next)\na(bc\n"));
        assert_eq!(plain(b"BT <00410042> Tj <43> Tj ET").as_deref(), Some("ABC\n"));
        assert_eq!(plain(b"<< /Type /XObject >>"), None);
        for cut in [&b"BT ET Tj ("[..], b"BT ET Tj (\\", b"BT ET Tj <4"] {
            assert!(plain(cut).is_some());
        }
    }
}
