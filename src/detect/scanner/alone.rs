//! A file that holds one value and nothing else: its path is the value's name. Rails' `config/master.key`, the files behind
//! Docker's `secrets:` and systemd's credentials, a `token.txt`.

use std::ops::Range;

use super::super::generic::{judge_single, judge_token};
use super::super::kind::{FileKind, Syntax};
use super::Scanner;
use super::view::{Map, Piece, View};
use crate::model::Blob;

/// A file with more in it is a text.
const MOST: usize = 600;
/// Shorter values are no secrets.
const LEAST: usize = 6;
/// So much of a path's end is the name.
const NAME: usize = 64;

impl Scanner<'_> {
    /// Scans a file's only value under its path. Where that is not known yet, says that there may be something.
    pub(super) fn alone(&mut self, blob: &Blob<'_>, view: &View<'_>) {
        let Some(at) = only(blob) else { return };
        let value = &blob.bytes[at.clone()];
        if self.any_kind {
            if judge_token(value).is_none() || judge_single(value).is_none() {
                self.long.push((view.map.span(&at), true));
            }
            return;
        }
        let quote = if value.contains(&b'"') { "'" } else { "\"" };
        let head = format!("{} = {quote}", name(blob.inside));
        let text = [head.as_bytes(), value, quote.as_bytes(), b"\n"].concat();
        let place = head.len()..head.len() + value.len();
        let pieces = [
            Piece { at: 0..place.start, original: at.start, encoded: None },
            Piece { at: place, original: at.start, encoded: None },
        ];
        let map = Map::Entries { entries: &pieces, outer: &view.map };
        let kind = FileKind { syntax: Syntax::Settings, ..view.kind };
        self.view(&View { bytes: &text, own: 0..text.len(), map, encoding: view.encoding.clone(), kind });
    }
}

/// Where the only value of a whole file stands.
fn only(blob: &Blob<'_>) -> Option<Range<usize>> {
    let whole = blob.offset == 0 && blob.own == (0..blob.bytes.len()) && blob.bytes.len() <= MOST;
    let start = blob.bytes.iter().position(|byte| !byte.is_ascii_whitespace()).filter(|_| whole)?;
    let value = blob.bytes[start..].trim_ascii_end();
    let plain = value.len() >= LEAST && value.iter().all(u8::is_ascii_graphic);
    let quotes = value.contains(&b'"') && value.contains(&b'\'');
    (plain && !quotes).then_some(start..start + value.len())
}

/// What a path calls the only value of its file: `config_master_key`, and `secrets_db_password` for `secrets/db_password.txt`.
fn name(path: &str) -> String {
    let path = [".txt", ".text"].iter().find_map(|ending| path.strip_suffix(ending)).unwrap_or(path);
    let plain = |byte: u8| if byte.is_ascii_alphanumeric() || byte == b'-' { char::from(byte) } else { '_' };
    path.bytes().skip(path.len().saturating_sub(NAME)).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Found, Scanner};
    use crate::detect::DetectorSet;
    use crate::model::{Blob, Confidence};

    static SET: std::sync::LazyLock<DetectorSet> = std::sync::LazyLock::new(|| DetectorSet::builtin().expect("detectors"));

    fn kinds(path: &str, text: &str) -> Vec<String> {
        let mut all = Vec::new();
        Scanner::new(&SET).scan(&Blob::whole(path, text.as_bytes()), &mut |found| {
            if let Found::Credential(credential) = found {
                let span = &credential.parts[0].span;
                all.push(format!("{} {}", credential.detector, &text[span.start as usize..span.end as usize]));
            }
        });
        all
    }

    const HEX: &str = concat!("9f8b2c7d4e1a4f0c", "8b7a6d5e3f2c1b0a");
    const PASSWORD: &str = concat!("vR7#kq2", "Lw9zT");

    #[test]
    fn a_path_names_the_only_value_of_its_file() {
        for (path, text, wanted) in [
            ("config/master.key", HEX.to_owned(), format!("rails-master-key {HEX}")),
            ("web/config/credentials/production.key", format!("{HEX}\n"), format!("rails-master-key {HEX}")),
            ("secrets/db_password.txt", format!("{PASSWORD}\r\n"), format!("generic-secret {PASSWORD}")),
            ("deploy/jwt_secret", format!("\n{HEX}\n"), format!("generic-secret {HEX}")),
            ("secrets/api.key", HEX.to_owned(), format!("generic-secret {HEX}")),
            ("home/.vault_pass", format!("{PASSWORD}\n"), format!("generic-secret {PASSWORD}")),
        ] {
            assert_eq!(kinds(path, &text), [wanted], "{path}");
            let mut places = Vec::new();
            let blob = Blob::whole("", text.as_bytes());
            Scanner::new(&SET).sift(&blob, (None, Confidence::High), &mut |span, is_found| places.push((span, is_found)));
            assert!(places.iter().any(|(_, is_found)| *is_found), "{path}: {places:?}");
        }
    }

    #[test]
    fn what_is_no_secret_by_its_path_or_not_alone_is_left() {
        for (path, text) in [
            ("assets/digest", HEX.to_owned()),
            ("config/master.key", format!("{HEX}\n{HEX}\n")),
            ("config/master.key", "<%= master_key %>".to_owned()),
            ("secrets/db_password.txt", "changeme".to_owned()),
            ("secrets/db_password.txt", "${DB_PASSWORD}".to_owned()),
            ("token.txt", "vR7\"#kq'2Lw9zT".to_owned()),
            ("password.txt", String::new()),
            ("password.txt", "\n\n".to_owned()),
        ] {
            assert!(kinds(path, &text).is_empty(), "{path}: {text}");
        }
    }
}
