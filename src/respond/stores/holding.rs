//! What of a credential stands in a store, told by fingerprints, and the same text with another credential in its place.

use std::collections::BTreeMap;
use std::ops::Range;

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use zeroize::Zeroizing;

use super::Field;
use crate::secret::{Fingerprint, FingerprintKey, Secret};

/// Shorter values are nobody's secret, longer ones stand alone in their field.
const LENGTHS: Range<usize> = 8..1024;
/// A value has so many places at which it might end: separators inside it.
const MOST_ENDS: usize = 64;

/// The parts that stand in some fields, each once, with its value.
pub(in crate::respond) fn find(
    fields: &[Field],
    wanted: &BTreeMap<String, Vec<Fingerprint>>,
    key: &FingerprintKey,
) -> Vec<(String, Secret)> {
    let mut found: Vec<(String, Secret)> = Vec::new();
    let mut look = |value: &[u8]| {
        let print = key.fingerprint(value);
        for (name, _) in wanted.iter().filter(|(_, prints)| prints.contains(&print)) {
            if found.iter().all(|(other, _)| other != name) {
                found.push((name.clone(), Secret::new(value)));
            }
        }
    };
    for (_, text) in fields {
        let text = text.expose();
        look(text.trim_ascii());
        for value in candidates(text) {
            look(value);
            // JSON may write a slash so.
            if memchr::memmem::find(value, b"\\/").is_some() {
                look(&replaced(value, b"\\/", b"/"));
            }
        }
    }
    found
}

/// Every run of characters that may be a value: from one separator to another, without space or quotes in it.
fn candidates(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let edge = |at: usize| text.get(at).is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let starts = (0..text.len()).filter(move |&at| (at == 0 || edge(at - 1)) && !ends(text[at]));
    starts.flat_map(move |start| {
        let most = text.len().min(start + LENGTHS.end);
        let stop = text[start..most].iter().position(|&byte| ends(byte)).map_or(most, |at| start + at);
        let stops = (start + LENGTHS.start..=stop).filter(move |&at| edge(at)).take(MOST_ENDS);
        stops.map(move |stop| &text[start..stop])
    })
}

/// What no value holds.
fn ends(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>')
}

fn replaced(text: &[u8], old: &[u8], new: &[u8]) -> Zeroizing<Vec<u8>> {
    let found: Vec<usize> = memchr::memmem::find_iter(text, old).collect();
    // Of its final size from the start, so that no smaller buffer is left behind unwiped.
    let mut out = Zeroizing::new(Vec::with_capacity(text.len() + found.len() * new.len()));
    let mut from = 0;
    for at in found {
        out.extend_from_slice(&text[from..at]);
        out.extend_from_slice(new);
        from = at + old.len();
    }
    out.extend_from_slice(&text[from..]);
    out
}

/// How a value may be written: as it is, as JSON with its slashes escaped, as a URL has it.
pub(super) fn forms(value: &[u8]) -> [Zeroizing<Vec<u8>>; 3] {
    let url = Zeroizing::new(percent_encode(value, NON_ALPHANUMERIC).to_string());
    [Zeroizing::new(value.to_vec()), replaced(value, b"/", b"\\/"), Zeroizing::new(url.as_bytes().to_vec())]
}

/// Where a value stands alone, not as a piece of a longer one.
pub(super) fn standing(text: &[u8], value: &[u8]) -> Vec<usize> {
    let edge = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let alone = |at: &usize| edge(at.checked_sub(1).and_then(|at| text.get(at))) && edge(text.get(at + value.len()));
    memchr::memmem::find_iter(text, value).filter(alone).collect()
}

/// Whether a value stands in some fields, however it is written.
pub(in crate::respond) fn holds(fields: &[Field], value: &Secret) -> bool {
    let forms = forms(value.expose());
    fields.iter().any(|(_, text)| forms.iter().any(|form| !standing(text.expose(), form).is_empty()))
}

/// The fields with each old value's bytes replaced by the new one's, in the form that the old one had.
pub(in crate::respond) fn swapped(fields: &[Field], pairs: &[(&Secret, &Secret)]) -> Vec<Field> {
    let mut out = Vec::with_capacity(fields.len());
    for (name, text) in fields {
        let mut text = Zeroizing::new(text.expose().to_vec());
        for (old, new) in pairs {
            let forms = forms(old.expose()).into_iter().zip(forms(new.expose()));
            for (old, new) in forms {
                text = at_places(&text, &standing(&text, &old), (old.len(), &new));
            }
        }
        out.push((name.clone(), Secret::new(&text)));
    }
    out
}

fn at_places(text: &[u8], places: &[usize], (length, new): (usize, &[u8])) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(text.len() + places.len() * new.len()));
    let mut from = 0;
    for &at in places {
        // Two forms of one value are the same where it has nothing to escape.
        if at < from {
            continue;
        }
        out.extend_from_slice(&text[from..at]);
        out.extend_from_slice(new);
        from = at + length;
    }
    out.extend_from_slice(&text[from..]);
    out
}

#[cfg(test)]
mod tests {
    use super::{find, holds, swapped};
    use crate::secret::{FingerprintKey, Secret};

    fn field(text: &str) -> Vec<(String, Secret)> {
        vec![(String::new(), Secret::new(text.as_bytes()))]
    }

    fn text(fields: &[(String, Secret)]) -> &str {
        fields[0].1.expose_str().expect("text")
    }

    #[test]
    fn a_value_is_found_by_its_fingerprint_wherever_it_stands_alone() {
        let key = FingerprintKey::new([1; 32]);
        let value = "wJalr/UtnF+EMI/K7MDENG=";
        let wanted = [("secret".to_owned(), vec![key.fingerprint(value.as_bytes())])].into();
        let escaped = value.replace('/', "\\/");
        for good in [
            value.to_owned(),
            format!("A={value}\nB=1\n"),
            format!("{{\"a\":\"{value}\",\"b\":1}}"),
            format!("{{\"a\":\"{escaped}\"}}"),
            format!("url://u:{value}@host/db"),
        ] {
            let found = find(&field(&good), &wanted, &key);
            assert_eq!(found.len(), 1, "{good}");
            assert_eq!(found[0].1.expose_str(), Some(value), "{good}");
        }
        for bad in [format!("A=x{value}"), format!("{value}x"), "nothing".to_owned()] {
            assert!(find(&field(&bad), &wanted, &key).is_empty(), "{bad}");
        }
    }

    #[test]
    fn only_the_values_own_bytes_change_and_each_keeps_its_form() {
        let (old, new) = (Secret::new(b"aa/bb+cc1"), Secret::new(b"dd+ee/ff2"));
        let swap = |before: &str| text(&swapped(&field(before), &[(&old, &new)])).to_owned();
        assert_eq!(swap("K=aa/bb+cc1 # aa/bb+cc1\r\n"), "K=dd+ee/ff2 # dd+ee/ff2\r\n");
        assert_eq!(swap("{\"k\": \"aa\\/bb+cc1\"}"), "{\"k\": \"dd+ee\\/ff2\"}");
        assert_eq!(swap("s://u:aa%2Fbb%2Bcc1@h"), "s://u:dd%2Bee%2Fff2@h");
        assert_eq!(swap("xaa/bb+cc1 aa/bb+cc12"), "xaa/bb+cc1 aa/bb+cc12", "pieces of other values");
        assert!(holds(&field("aa\\/bb+cc1"), &old) && !holds(&field("aa/bb+cc12"), &old));
    }
}
