//! Playbooks made of others: a step with `uses` stands for the steps of the playbook that it names for the finding's detector.
//! Which those are is checked when the files are read; a plan sees plain steps.

use std::collections::BTreeMap;

use super::playbook::{Playbook, Playbooks, Step, sha256};
use super::{RespondError, actions};
use crate::declared::{Mistake, Mistakes, Table};

/// All detectors that have a playbook of their own.
pub(super) const EVERY: &str = "*";
const OWN: &str = "own";

/// A place where another playbook's steps stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uses {
    /// Its steps' ids begin with this and a dot.
    pub id: String,
    /// Before which of the playbook's own steps.
    pub before: usize,
    /// Whose steps.
    pub whose: Whose,
    file: String,
    line: usize,
}

/// Whose steps stand there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Those of the playbook that runs by itself for the finding's detector.
    Own,
    /// Detector → playbook.
    By(BTreeMap<String, String>),
}

/// Reads a `[[step]]` with `uses`.
pub(super) fn read(table: &Table<'_, '_>, id: Option<String>, before: usize) -> Option<Uses> {
    let value = table.need("uses")?;
    let (file, line) = (table.file().to_owned(), table.line());
    let whose = if value.is_text() {
        value.one_of(&[(OWN, ())]).map(|()| Whose::Own)
    } else {
        value.table().map(|map| {
            let entry = |key: String| Some((key.clone(), map.text(&key)?));
            Whose::By(map.keys().into_iter().filter_map(entry).collect())
        })
    };
    table.finish();
    Some(Uses { id: id?, before, whose: whose?, file, line })
}

/// What is wrong between files: names of playbooks that do not exist or are not for the detector, circles.
pub(super) fn check(all: &Playbooks) -> Result<(), Mistakes> {
    let mut mistakes = Vec::new();
    for playbook in &all.0 {
        for uses in &playbook.uses {
            let mut wrong = |what: String| mistakes.push(Mistake { file: uses.file.clone(), line: uses.line, what });
            match &uses.whose {
                Whose::Own => own(all, playbook, &mut wrong),
                Whose::By(map) => by(all, playbook, map, &mut wrong),
            }
        }
    }
    if mistakes.is_empty() { Ok(()) } else { Err(Mistakes(mistakes)) }
}

fn own(all: &Playbooks, playbook: &Playbook, wrong: &mut dyn FnMut(String)) {
    for detector in playbook.detectors.iter().filter(|id| *id != EVERY && all.for_detector(id).is_none()) {
        wrong(format!("`uses = \"own\"`: no playbook runs for {detector} by itself"));
    }
}

fn by(all: &Playbooks, playbook: &Playbook, map: &BTreeMap<String, String>, wrong: &mut dyn FnMut(String)) {
    for detector in playbook.detectors.iter().filter(|id| !map.contains_key(*id)) {
        wrong(format!("`uses` names no playbook for {detector}, which this one is for"));
    }
    for (detector, id) in map {
        if !playbook.is_for(detector) {
            wrong(format!("`uses` names {detector}, which is not in `detectors`"));
        }
        match all.get(id) {
            None => {
                let known: Vec<&str> = crate::declared::near(all.0.iter().map(|one| one.id.as_str()), id);
                let mean = if known.is_empty() { String::new() } else { format!("; did you mean {}?", known.join(", ")) };
                wrong(format!("there is no playbook {id:?}{mean}"));
            }
            Some(other) if !other.is_for(detector) => wrong(format!("the playbook {id} is not for {detector}")),
            Some(other) => {
                let mut path = vec![playbook.id.as_str()];
                if let Some(circle) = circle(all, other, detector, &mut path) {
                    wrong(format!("this goes in a circle: {circle}"));
                }
            }
        }
    }
}

/// The circle that a playbook is part of, in words.
fn circle<'p>(all: &'p Playbooks, at: &'p Playbook, detector: &str, path: &mut Vec<&'p str>) -> Option<String> {
    if path.contains(&at.id.as_str()) {
        return Some(format!("{} → {}", path.join(" → "), at.id));
    }
    path.push(&at.id);
    let next = at.uses.iter().filter_map(|uses| match &uses.whose {
        Whose::Own => None,
        Whose::By(map) => all.get(map.get(detector)?),
    });
    let found = next.into_iter().find_map(|next| circle(all, next, detector, path));
    path.pop();
    found
}

impl Playbooks {
    /// The playbook of that name, or the one that runs by itself, with the plain steps that it has for a detector's findings.
    ///
    /// # Errors
    /// [`RespondError::NotFound`], [`RespondError::NoPlaybook`].
    pub fn pick(&self, named: Option<&str>, detector: &str) -> Result<Playbook, RespondError> {
        let none = || RespondError::NoPlaybook(detector.to_owned());
        let Some(id) = named else { return Ok(self.flat(self.for_detector(detector).ok_or_else(none)?, detector)) };
        let unknown = || format!("there is no playbook {id:?}; `staunch playbooks list` names them all");
        let found = self.get(id).ok_or_else(|| RespondError::NotFound(unknown()))?;
        if !found.is_for(detector) {
            let what = format!("the playbook {id} is not for {detector}; it is for {}", found.detectors.join(", "));
            return Err(RespondError::NotFound(what));
        }
        if found.uses.iter().any(|uses| uses.whose == Whose::Own) && self.for_detector(detector).is_none() {
            return Err(none());
        }
        Ok(self.flat(found, detector))
    }

    /// The same playbook in plain steps. [`check`] has seen to it that this ends.
    fn flat(&self, playbook: &Playbook, detector: &str) -> Playbook {
        let (mut steps, mut digests) = (Vec::new(), vec![playbook.digest.clone()]);
        // What only looks or writes down is done once, at the end: evidence is of everything.
        let repeated = |step: &Step| {
            let looks = actions::get(&step.action).is_some_and(|action| !action.mutates());
            looks && playbook.steps.iter().any(|own| own.action == step.action && own.with == step.with)
        };
        for at in 0..=playbook.steps.len() {
            for uses in playbook.uses.iter().filter(|uses| uses.before == at) {
                let other = match &uses.whose {
                    Whose::Own => self.for_detector(detector),
                    Whose::By(map) => map.get(detector).and_then(|id| self.get(id)),
                };
                let other = other.map(|other| self.flat(other, detector));
                digests.extend(other.iter().map(|other| other.digest.clone()));
                let inner = other.map(|other| other.steps).unwrap_or_default();
                steps.extend(inner.into_iter().filter(|step| !repeated(step)).map(|step| renamed(step, &uses.id)));
            }
            steps.extend(playbook.steps.get(at).cloned());
        }
        // A change to any of them is a change to the whole.
        let digest = if digests.len() > 1 { sha256(digests.join("\n").as_bytes()) } else { digests.remove(0) };
        Playbook { steps, digest, uses: Vec::new(), ..playbook.clone() }
    }
}

fn renamed(step: Step, by: &str) -> Step {
    let name = |id: &str| format!("{by}.{id}");
    Step { id: name(&step.id), needs: step.needs.iter().map(|need| name(need)).collect(), ..step }
}

#[cfg(test)]
mod tests {
    use super::super::playbook::{PlaybookSource, Playbooks, builtin_playbooks};

    fn source(id: &str, text: &str) -> PlaybookSource {
        PlaybookSource { id: id.into(), file: format!("{id}.toml"), text: text.into() }
    }

    fn composed(id: &str, detectors: &str, uses: &str) -> PlaybookSource {
        let text = format!(
            "summary = \"x\"\nmode = \"contain\"\ndetectors = {detectors}\n[[step]]\nid = \"c\"\nuses = {uses}\n[[step]]\nid = \"evidence\"\n\
             action = \"evidence\"\n"
        );
        source(id, &text)
    }

    fn plain(id: &str, detector: &str) -> PlaybookSource {
        let text = format!(
            "summary = \"x\"\nmode = \"contain\"\ndetectors = [\"{detector}\"]\n[[step]]\nid = \"a\"\naction = \"key-verify-refused\"\n\
             [[step]]\nid = \"b\"\naction = \"key-verify-refused\"\nneeds = [\"a\"]\n[[step]]\nid = \"evidence\"\naction = \"evidence\"\n"
        );
        source(id, &text)
    }

    #[test]
    fn the_steps_of_the_detectors_playbook_stand_in_place() {
        let all = [composed("all", "[\"*\"]", "\"own\""), plain("p", "d"), composed("q", "[\"d\"]", "{ d = \"all\" }")];
        let all = Playbooks::new(&all).expect("playbooks");
        let flat = all.pick(Some("all"), "d").expect("a playbook");
        let steps: Vec<(&str, &[String])> =
            flat.steps.iter().map(|step| (step.id.as_str(), step.needs.as_slice())).collect();
        assert_eq!(steps, [("c.a", &[][..]), ("c.b", &["c.a".to_owned()][..]), ("evidence", &[][..])]);
        assert_ne!(flat.digest, all.get("all").expect("itself").digest, "what it is made of counts");
        assert_eq!(all.pick(None, "d").expect("its own").digest, all.get("p").expect("itself").digest);
        let nested = all.pick(Some("q"), "d").expect("a playbook");
        assert_eq!(nested.steps[1].needs, ["c.c.a"]);
        assert_eq!(
            all.for_detector("d").map(|one| one.id.as_str()),
            Some("p"),
            "what is made of others runs when it is named"
        );
        assert!(
            all.pick(Some("all"), "e").is_err() && all.pick(Some("q"), "e").is_err() && all.pick(Some("x"), "d").is_err()
        );
        assert_eq!(all.pick(None, "d").expect("its own").id, "p");
    }

    #[test]
    fn unknown_names_strangers_and_circles_are_told_with_their_lines() {
        for (sources, line, what) in [
            (vec![composed("x", "[\"d\"]", "{ d = \"pp\" }"), plain("p", "d")], 4, "there is no playbook \"pp\""),
            (vec![composed("x", "[\"d\"]", "{ d = \"p\" }"), plain("p", "e")], 4, "the playbook p is not for d"),
            (vec![composed("x", "[\"d\", \"e\"]", "{ d = \"p\" }"), plain("p", "d")], 4, "names no playbook for e"),
            (
                vec![composed("x", "[\"d\"]", "{ d = \"p\", e = \"p\" }"), plain("p", "d")],
                4,
                "e, which is not in `detectors`",
            ),
            (vec![composed("x", "[\"d\"]", "\"own\"")], 4, "no playbook runs for d"),
            (vec![composed("x", "[\"d\"]", "\"other\"")], 6, "must be one of: own"),
            (vec![composed("x", "[\"d\"]", "{ d = \"x\" }")], 4, "a circle: x → x"),
            (
                vec![composed("x", "[\"d\"]", "{ d = \"y\" }"), composed("y", "[\"d\"]", "{ d = \"x\" }")],
                4,
                "a circle: x → y → x",
            ),
            (
                vec![source(
                    "x",
                    "summary = \"x\"\nmode = \"contain\"\ndetectors = [\"*\"]\n[[step]]\nid = \"a\"\naction = \"evidence\"\n",
                )],
                1,
                "\"*\"",
            ),
        ] {
            let mistakes = Playbooks::new(&sources).expect_err(what);
            let told = mistakes.0.iter().any(|mistake| mistake.line == line && mistake.what.contains(what));
            assert!(told, "{what} in line {line}: {mistakes}");
        }
    }

    #[test]
    fn every_built_in_one_has_plain_steps_for_every_detector_it_is_for() {
        let all = Playbooks::new(&builtin_playbooks()).expect("playbooks");
        let set = crate::detect::DetectorSet::builtin().expect("detectors");
        for playbook in all.0.iter().filter(|one| !one.uses.is_empty()) {
            for detector in set.detectors().filter(|one| playbook.is_for(&one.id) && all.for_detector(&one.id).is_some()) {
                let flat = all.pick(Some(&playbook.id), &detector.id).expect("plain");
                assert!(flat.steps.len() > playbook.steps.len(), "{} for {}", playbook.id, detector.id);
            }
        }
    }
}
