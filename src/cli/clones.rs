//! Whether a file lies in the clone of a repository that GitHub names.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::model::Finding;

/// No clone's settings that matter are longer.
const LARGEST: u64 = 64 << 10;

/// Whether a finding stands in a clone of `owner/name`. What is in no clone at all is one by the name of what is looked at, or of the
/// folder in there.
pub(super) fn is_in_clone(finding: &Finding, repository: &str, roots: &[PathBuf]) -> bool {
    finding.occurrences.iter().any(|place| {
        std::path::absolute(&place.path).is_ok_and(|path| {
            path.ancestors().skip(1).find_map(|folder| is_clone(folder, repository)).unwrap_or_else(|| {
                let root =
                    roots.iter().filter_map(|root| std::path::absolute(root).ok()).find(|root| path.starts_with(root));
                let below = |root: &Path| path.strip_prefix(root).ok().and_then(|rest| Some(root.join(rest.iter().next()?)));
                root.is_some_and(|root| {
                    is_named(&root, repository) || below(&root).is_some_and(|folder| is_named(&folder, repository))
                })
            })
        })
    })
}

/// Whether a folder is a clone of it; nothing where it is no clone.
fn is_clone(folder: &Path, repository: &str) -> Option<bool> {
    if !folder.join(".git").exists() {
        return None;
    }
    let mut text = String::new();
    let read = File::open(folder.join(".git/config")).map(|file| file.take(LARGEST).read_to_string(&mut text));
    let urls: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("url")?.trim_start().strip_prefix('=').map(str::trim))
        .collect();
    // A work tree's settings are elsewhere.
    if read.is_err() || urls.is_empty() {
        return Some(is_named(folder, repository));
    }
    Some(urls.iter().any(|url| {
        let url = url.trim_end_matches('/').trim_end_matches(".git").to_ascii_lowercase();
        let rest = url.strip_suffix(&repository.to_ascii_lowercase());
        rest.is_some_and(|rest| rest.ends_with(['/', ':']))
    }))
}

fn is_named(folder: &Path, repository: &str) -> bool {
    let name = repository.rsplit('/').next().unwrap_or_default();
    let own = folder.file_name().map(|own| own.to_string_lossy().into_owned()).unwrap_or_default();
    own.trim_end_matches(".git").eq_ignore_ascii_case(name)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::is_in_clone;
    use crate::model::Finding;

    #[test]
    fn a_clone_is_known_by_its_origin_and_an_export_by_its_name() {
        let dir = tempfile::tempdir().expect("scratch");
        for (clone, url) in [("one", "git@github.com:corp/app.git"), ("app", "https://github.com/corp/other")] {
            fs::create_dir_all(dir.path().join(clone).join(".git")).expect("folder");
            fs::write(dir.path().join(clone).join(".git/config"), format!("[remote \"origin\"]\n\turl = {url}\n"))
                .expect("file");
        }
        fs::create_dir_all(dir.path().join("work/.git")).expect("folder");
        let fits = |path: &str, repository: &str| {
            let finding: Finding = serde_json::from_value(serde_json::json!({
                "schema": Finding::SCHEMA, "fingerprint": crate::secret::FingerprintKey::new([3; 32]).fingerprint(b"v").to_string(),
                "detector": "x", "provider": "p", "class": "llm", "severity": "high", "confidence": "high", "redacted": "…",
                "parts": [], "partial": false, "facts": {}, "liveness": {"state": "not_checked"}, "owners": [],
                "occurrences": [{"path": dir.path().join(path), "line": 1, "column": 1, "end_line": 1, "end_column": 2, "byte_start": 0,
                                 "byte_end": 1, "provenance": {"kind": "worktree"}, "parts": []}],
            }))
            .expect("a finding");
            is_in_clone(&finding, repository, &[dir.path().to_owned()])
        };
        assert!(fits("one/src/.env", "corp/app") && fits("one/.env", "Corp/App"));
        assert!(!fits("one/.env", "corp/one") && !fits("one/.env", "xcorp/app") && !fits("one/.env", "orp/app"));
        assert!(!fits("app/.env", "corp/app") && fits("app/.env", "corp/other"));
        assert!(fits("work/src/.env", "corp/work"), "it names no origin");
        assert!(fits("export/src/.env", "corp/export") && !fits("export/src/.env", "corp/src"));
    }
}
