//! The table of detectors in detectors/README.md, made from their files. `UPDATE_README=1 cargo nextest run readme` writes it
//! anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use staunch::detect::DetectorSet;
use staunch::model::{DetectorInfo, LivenessInfo};
use staunch::respond::{Playbooks, builtin_playbooks};

const BEGIN: &str = "<!-- detectors: begin (tests/it/readme.rs) -->\n";
const END: &str = "<!-- detectors: end -->";

/// The text between the markers: one table a class, providers together.
fn table(infos: &[DetectorInfo], playbooks: &Playbooks) -> String {
    let mut classes: BTreeMap<&str, Vec<&DetectorInfo>> = BTreeMap::new();
    for info in infos {
        classes.entry(&info.class).or_default().push(info);
    }
    let mut text = String::new();
    for (class, mut members) in classes {
        members.sort_by_key(|info| (&info.provider, &info.id));
        let _ = write!(
            text,
            "\n<details><summary><b>{class}</b>: {} kinds</summary>\n\n\
             | provider | detector | is | offline | live? | stop |\n| --- | --- | --- | --- | --- | --- |\n",
            members.len()
        );
        let mut last = "";
        for info in members {
            let provider = if info.provider == last { "" } else { &info.provider };
            last = &info.provider;
            let checks: Vec<&str> = info.parts.iter().filter_map(|part| part.check).collect();
            let offline = if checks.is_empty() { "shape".to_owned() } else { checks.join(", ") };
            let live = if matches!(info.liveness, LivenessInfo::None { .. }) { "not asked" } else { "asked" };
            let stop = playbooks.for_detector(&info.id).filter(|playbook| !playbook.is_by_hand());
            let stop = stop.map_or("by hand", |_| "playbook");
            let summary = info.summary.replace('|', "\\|");
            let _ = writeln!(text, "| {provider} | `{}` | {summary} | {offline} | {live} | {stop} |", info.id);
        }
        text.push_str("\n</details>\n");
    }
    text.push('\n');
    text
}

/// The README with `table` between its markers.
fn with(readme: &str, table: &str) -> Option<String> {
    let (head, rest) = readme.split_once(BEGIN)?;
    let (_, tail) = rest.split_once(END)?;
    Some([head, BEGIN, table, END, tail].concat())
}

#[test]
fn the_readme_lists_every_detector() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/detectors/README.md");
    let set = DetectorSet::builtin().unwrap();
    let playbooks = Playbooks::new(&builtin_playbooks()).unwrap();
    let table = table(&set.describe_all(), &playbooks);
    let readme = fs::read_to_string(path).unwrap();
    let wanted = with(&readme, &table).expect("detectors/README.md has lost its markers");
    if std::env::var_os("UPDATE_README").is_some() {
        fs::write(path, &wanted).unwrap();
    } else {
        // Not assert_eq!: nobody wants to read the whole file twice.
        assert!(
            readme == wanted,
            "the table of detectors is not theirs; UPDATE_README=1 cargo nextest run readme writes it"
        );
    }
    assert_eq!(table.matches("| `").count(), set.len());
}

#[test]
fn a_stale_table_is_seen() {
    let readme = format!("a\n{BEGIN}old{END}\nb\n");
    assert_eq!(with(&readme, "new").unwrap(), format!("a\n{BEGIN}new{END}\nb\n"));
    assert_eq!(with("no markers", "new"), None);
}
