//! What a package's list says that it installs: pairs of a file in the tree, or its name, and an absolute path on the machine.

use std::collections::HashMap;

use super::super::yaml::View;
use super::super::{Place, Sheet, ends_in, file_name, folder};
use crate::model::Coverage;

/// Names that stand before a path on the machine while a package is made.
const ROOTS: [&str; 10] = [
    "$(DESTDIR)",
    "${DESTDIR}",
    "$DESTDIR",
    "%{buildroot}",
    "$RPM_BUILD_ROOT",
    "${RPM_BUILD_ROOT}",
    "$pkgdir",
    "${pkgdir}",
    "$(prefix)",
    "debian/tmp",
];
/// Macros of rpm (docs.fedoraproject.org, "RPM macros").
const MACROS: [(&str, &str); 5] = [
    ("%{_sysconfdir}", "/etc"),
    ("$(sysconfdir)", "/etc"),
    ("%{_unitdir}", "/usr/lib/systemd/system"),
    ("%{name}", ""),
    ("$pkgname", ""),
];

/// One line of a list.
pub(super) struct Line {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) place: Place,
}

/// Whether a file of that path is a list.
pub(super) fn is_one(path: &str) -> bool {
    let name = file_name(path);
    is_exact(path)
        || ends_in(name, &["spec"])
        || matches!(name, "PKGBUILD" | "Makefile" | "GNUmakefile")
        || name == "rules" && is_debian(path)
}

/// Whether its paths are always seen from the root of what is packed.
pub(super) fn is_exact(path: &str) -> bool {
    let name = file_name(path);
    let contents = ["goreleaser", "nfpm"].iter().any(|tool| name.trim_start_matches('.').starts_with(tool));
    contents && ends_in(name, &["yml", "yaml"]) || ends_in(name, &["install"]) && is_debian(path)
}

fn is_debian(path: &str) -> bool {
    file_name(folder(path)) == "debian"
}

/// The lines of a list.
pub(super) fn read(sheet: &Sheet<'_>, text: &str) -> Vec<Line> {
    let name = file_name(&sheet.path);
    if ends_in(name, &["yml", "yaml"]) {
        return contents(sheet);
    }
    let macros = macros(text);
    let mut at = 0;
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let bytes = at..at + line.len() as u64;
        at = bytes.end;
        let words: Vec<String> = line.split_whitespace().map(|word| filled(word, &macros)).collect();
        let place = Place { path: sheet.path.clone(), line: number, bytes };
        let debian = ends_in(name, &["install"]);
        for (from, to) in if debian { listed(&words) } else { copied(&words) } {
            lines.push(Line { from, to, place: place.clone() });
        }
    }
    lines
}

/// `contents` of nfpm, by itself or below `nfpms` of GoReleaser.
fn contents(sheet: &Sheet<'_>) -> Vec<Line> {
    let mut lines = Vec::new();
    sheet.documents(&mut Coverage::default(), &mut |root| {
        let packages = root.get("nfpms").into_iter().flat_map(View::items).chain([root]);
        for entry in packages.filter_map(|package| package.get("contents")).flat_map(View::items) {
            let (Some(from), Some(to)) = (entry.text_at(&["src"]), entry.text_at(&["dst"])) else { continue };
            if to.starts_with('/') {
                let place = sheet.place(entry);
                lines.push(Line { from: from.trim_start_matches("./").to_owned(), to: within(to, from), place });
            }
        }
    });
    lines
}

/// `FILE… FOLDER` of `debian/*.install`.
fn listed(words: &[String]) -> Vec<(String, String)> {
    let Some((to, from)) = words.split_last().filter(|(_, from)| !from.is_empty()) else { return Vec::new() };
    if from[0].starts_with('#') || words.iter().any(|word| word.contains(['*', '$', '=', '>'])) {
        return Vec::new();
    }
    let to = format!("/{}/", to.trim_matches('/'));
    from.iter().map(|from| (from.clone(), within(&to, from))).collect()
}

/// `install …` and `cp …` to a place below `/etc` or where units are.
fn copied(words: &[String]) -> Vec<(String, String)> {
    let words: Vec<&str> = words.iter().map(|word| word.trim_matches(['"', '\'', '@'])).collect();
    let Some((to, [first, rest @ ..])) = words.split_last() else { return Vec::new() };
    if !matches!(*first, "install" | "cp" | "$(INSTALL)" | "$(INSTALL_DATA)" | "%{__install}") {
        return Vec::new();
    }
    let Some(start) = to.find("/etc/").or_else(|| to.find("/usr/lib/systemd/")).or_else(|| to.find("/lib/systemd/")) else {
        return Vec::new();
    };
    let before = &to[..start];
    if !before.is_empty()
        && !ROOTS.contains(&before)
        && !before.starts_with("$(DESTDIR)/debian")
        && !before.starts_with("debian/")
    {
        return Vec::new();
    }
    // Modes and owners that options take stand among the files and are none.
    let files = rest.iter().filter(|word| !word.starts_with('-') && word.contains('.') && !word.contains(['*', '$', '%']));
    files.map(|from| (from.trim_start_matches("./").to_owned(), within(&to[start..], from))).collect()
}

/// A path on the machine, with the file's name where it is a folder's.
fn within(to: &str, from: &str) -> String {
    if to.ends_with('/') { format!("{to}{}", file_name(from)) } else { to.to_owned() }
}

/// `SourceN: FILE` of a spec file, and variables of a makefile that name the place of the package.
fn macros(text: &str) -> HashMap<String, String> {
    let mut all = HashMap::new();
    for line in text.lines().take(2_000) {
        if let Some((name, value)) = line.split_once(':')
            && let Some(number) = name.trim().to_ascii_lowercase().strip_prefix("source")
            && number.bytes().all(|b| b.is_ascii_digit())
        {
            all.insert(format!("%{{SOURCE{number}}}"), file_name(value.trim()).to_owned());
        }
    }
    all
}

fn filled(word: &str, macros: &HashMap<String, String>) -> String {
    if let Some(file) = macros.get(word) {
        return file.clone();
    }
    MACROS.iter().fold(word.to_owned(), |word, (name, value)| word.replace(name, value))
}
