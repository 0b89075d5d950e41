//! What people and programs wrote into an object, without the names of other objects and without signatures.

use std::borrow::Cow;

use super::Kind;

/// The longest line of a signature.
const ARMOUR: usize = 76;

/// All of a file; of a commit and a tag all but the names of other objects and signatures. Those are blanked, so that places stay
/// what they are.
pub(super) fn written(kind: Kind, bytes: &[u8]) -> Cow<'_, [u8]> {
    if kind == Kind::Blob {
        return Cow::Borrowed(bytes);
    }
    let message = memchr::memmem::find(bytes, b"\n\n").map_or(bytes.len(), |at| at + 2);
    let mut text = bytes.to_vec();
    let blank = |text: &mut [u8]| text.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
    let (mut at, mut is_signed) = (0, false);
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        // A header's other lines begin with a space: those of a signature, and of a tag that was merged.
        let (is_head, own) = (at < message, line.trim_ascii());
        is_signed |= is_begin(own) && (is_head || kind == Kind::Tag);
        let names = [&b"tree "[..], b"parent ", b"object ", b"mergetag object "];
        if (is_signed && is_armour(own)) || (is_head && names.iter().any(|name| own.starts_with(name))) {
            blank(&mut text[at..at + line.len()]);
        }
        is_signed &= !own.starts_with(b"-----END ");
        at += line.len();
    }
    Cow::Owned(text)
}

/// `-----BEGIN PGP SIGNATURE-----`, alone or behind a header's name.
fn is_begin(line: &[u8]) -> bool {
    line.ends_with(b" SIGNATURE-----") && memchr::memmem::find(line, b"-----BEGIN ").is_some()
}

/// Whether a line can be a signature's: whoever writes something else into one does not hide it.
fn is_armour(line: &[u8]) -> bool {
    let is_char = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    is_begin(line) || line.starts_with(b"-----END ") || (line.len() <= ARMOUR && line.iter().all(is_char))
}

#[cfg(test)]
mod tests {
    use super::{Kind, written};

    fn read(kind: Kind, text: &str) -> String {
        let read = written(kind, text.as_bytes()).into_owned();
        assert_eq!(read.len(), text.len());
        let read = String::from_utf8(read).expect("text");
        read.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn names_and_signatures_are_blanked_and_all_else_stays() {
        let name = "0123456789".repeat(4);
        let armour = "iQIzBAABCAAdFiEE".repeat(4);
        let text = format!(
            "tree {name}\nparent {name}\nauthor A <a> 1 +0\nHG:extra key\nmergetag object {name}\n type commit\n object {name}\n tag v1\n \n \
             said\n -----BEGIN PGP SIGNATURE-----\n \n {armour}\n =abcd\n -----END PGP SIGNATURE-----\ngpgsig -----BEGIN PGP \
             SIGNATURE-----\n {armour}\n hidden_word\n -----END PGP SIGNATURE-----\n\nmessage\n-----BEGIN PGP SIGNATURE-----\n{armour}\n"
        );
        let kept = format!(
            "author A <a> 1 +0|HG:extra key| type commit| tag v1| said| hidden_word|message|-----BEGIN PGP \
             SIGNATURE-----|{armour}"
        );
        assert_eq!(read(Kind::Commit, &text), kept);
        let text = format!(
            "object {name}\ntype commit\ntag v1\ntagger A <a> 1 +0\n\nm\n-----BEGIN SSH SIGNATURE-----\n{armour}\nnot_armour\n-----END SSH SIGNATURE-----\nbehind\n"
        );
        assert_eq!(read(Kind::Tag, &text), "type commit|tag v1|tagger A <a> 1 +0|m|not_armour|behind");
    }
}
