//! What one compose file takes from another: a service that it extends by file and name, and secrets and configs that an
//! override file defines and the base's services name (compose-spec, "extends" and "Merge").

use std::collections::HashMap;
use std::sync::Arc;

use super::super::links::Consumer;
use super::super::yaml::View;
use super::super::{Clues, Place, Sheet, clean, file_name, folder, join};
use super::{Compose, Pull, is_override};
use crate::model::{Evidence, Tier};
use crate::ownership::roll::{Roll, evidence};

/// Services that extend each other, from file to file.
const EXTENDED: usize = 10;

/// Folder, field (`secrets` or `configs`) and name.
type Entry = (String, &'static str, String);

/// References between compose files.
#[derive(Default)]
pub(super) struct Merged {
    /// Services that extend another file's, by that one's id.
    extenders: HashMap<String, Vec<(Arc<Consumer>, Place)>>,
    /// Services that name an entry which their own file does not define.
    wanted: HashMap<Entry, Vec<Pull>>,
    /// Entries by the variable that they are taken from, in the folder whose `.env` may set it.
    variables: HashMap<(String, String), Vec<(Entry, Place)>>,
    /// Entries by the file that holds them.
    files: HashMap<String, Vec<(Entry, Place)>>,
}

impl Compose {
    /// Names a service, and as inferred those that extend it from other files.
    pub(super) fn name(&self, service: &Consumer, roll: &mut Roll, tier: Tier, why: Vec<Evidence>) {
        self.name_extenders((service.id(), EXTENDED), roll, tier.min(Tier::Inferred), &why);
        service.join(roll, tier, why);
    }

    fn name_extenders(&self, (id, left): (&str, usize), roll: &mut Roll, tier: Tier, why: &[Evidence]) {
        for (service, at) in self.merged.extenders.get(id).into_iter().flatten() {
            if left == 0 || !roll.look() {
                return;
            }
            let mut why = why.to_vec();
            why.push(evidence("compose-extends", at.to_string(), format!("extends {}", clean(id))));
            self.name_extenders((service.id(), left - 1), roll, tier, &why);
            service.join(roll, tier, why);
        }
    }

    /// `extends` with a `file`.
    pub(super) fn extends(&mut self, sheet: &Sheet<'_>, service: &Arc<Consumer>, view: View<'_>) {
        let Some(extends) = view.get("extends") else { return };
        let (Some(file), Some(name)) = (extends.text_at(&["file"]), extends.text_at(&["service"])) else { return };
        if let Some(file) = join(folder(&sheet.path), file).filter(|file| **file != *sheet.path)
            && self.allowance.take(file.len() + name.len())
        {
            let own = (Arc::clone(service), sheet.place(extends));
            self.merged.extenders.entry(format!("compose:{file}/{name}")).or_default().push(own);
        }
    }

    /// A service names an entry that its file does not define.
    pub(super) fn wants_entry(&mut self, sheet: &Sheet<'_>, field: &'static str, name: &str, pull: Pull) {
        if self.allowance.take(name.len()) {
            let entry = (folder(&sheet.path).to_owned(), field, name.to_owned());
            self.merged.wanted.entry(entry).or_default().push(pull);
        }
    }

    /// The entries that a file defines, for the services of other files.
    pub(super) fn entries(&mut self, sheet: &Sheet<'_>, root: View<'_>) {
        let own = folder(&sheet.path);
        for field in ["secrets", "configs"] {
            for (name, source) in root.get(field).map(View::entries).unwrap_or_default() {
                let Some(name) = name.text().filter(|name| self.allowance.take(name.len())) else { continue };
                let entry = ((own.to_owned(), field, name.to_owned()), sheet.place(source));
                if let Some(variable) = source.text_at(&["environment"]) {
                    let of = (own.to_owned(), variable.to_owned());
                    self.merged.variables.entry(of).or_default().push(entry);
                } else if let Some(file) = source.text_at(&["file"]).and_then(|file| join(own, file)) {
                    self.merged.files.entry(file).or_default().push(entry);
                }
            }
        }
    }

    /// Who names, in another file, an entry that is taken from that variable of the folder's `.env`.
    pub(super) fn entries_by_variable(&self, (own, name): (&str, &str), seen: &Evidence, roll: &mut Roll) {
        let of = (own.to_owned(), name.to_owned());
        for (entry, at) in self.merged.variables.get(&of).into_iter().flatten() {
            self.entry((entry, at), std::slice::from_ref(seen), roll);
        }
    }

    /// Who names, in another file, an entry whose file the finding stands in.
    pub(super) fn entries_by_file(&self, clues: &Clues<'_>, roll: &mut Roll) {
        for path in clues.paths() {
            for (entry, at) in self.merged.files.get(path).into_iter().flatten() {
                self.entry((entry, at), &[], roll);
            }
        }
    }

    /// An override is read with its base where nobody names any file; other files only where somebody names both.
    fn entry(&self, (entry, at): (&Entry, &Place), seen: &[Evidence], roll: &mut Roll) {
        let wanted = self.merged.wanted.get(entry).into_iter().flatten().filter(|pull| pull.at.path != at.path);
        for pull in wanted {
            if !roll.look() {
                return;
            }
            let together = is_override(file_name(&at.path)) && is_base(&pull.at.path);
            let mut why = seen.to_vec();
            why.push(evidence("compose-entry", at.to_string(), format!("{} {}", entry.1, clean(&entry.2))));
            why.push(pull.evidence());
            self.name(&pull.service, roll, if together { Tier::Bound } else { Tier::Inferred }, why);
        }
    }
}

impl Merged {
    pub(super) fn merge(&mut self, other: Self) {
        for (id, services) in other.extenders {
            self.extenders.entry(id).or_default().extend(services);
        }
        for (entry, pulls) in other.wanted {
            self.wanted.entry(entry).or_default().extend(pulls);
        }
        for (variable, entries) in other.variables {
            self.variables.entry(variable).or_default().extend(entries);
        }
        for (file, entries) in other.files {
            self.files.entry(file).or_default().extend(entries);
        }
    }
}

/// What compose reads where nobody names a file.
fn is_base(path: &str) -> bool {
    matches!(file_name(path), "compose.yaml" | "compose.yml" | "docker-compose.yaml" | "docker-compose.yml")
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::{Bound, Inferred};
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

    #[test]
    fn a_secret_that_the_override_defines_is_the_base_s_service_s() {
        let base = "services: {api: {image: x, secrets: [key]}, db: {image: y, secrets: [other]}}\n";
        for (path, source, tier) in [
            ("a/compose.override.yaml", "{environment: KEY}", Some(Bound)),
            ("a/docker-compose.override.yml", "{environment: KEY}", Some(Bound)),
            ("a/compose.prod.yaml", "{environment: KEY}", Some(Inferred)),
            ("a/compose.override.yaml", "{environment: OTHER}", None),
            ("b/compose.override.yaml", "{environment: KEY}", None),
        ] {
            let (late, env) = (format!("secrets: {{key: {source}}}\n"), format!("KEY={VALUE}\n"));
            let all = tree(&[("a/compose.yaml", base), (path, &late), ("a/.env", &env)]).resolve(&finding(VALUE));
            let expected: Vec<_> = tier.into_iter().map(|tier| ("compose:a/compose.yaml/api", tier)).collect();
            assert_eq!(consumers(&all), expected, "{path} {source}");
        }
        let known = tree(&[("compose.yaml", base), ("compose.override.yaml", "secrets: {key: {file: ./key.txt}}\n")]);
        let all = known.resolve(&finding_in("key.txt", VALUE, VALUE));
        assert_eq!(consumers(&all), [("compose:compose.yaml/api", Bound)]);
    }

    #[test]
    fn what_a_file_s_service_has_is_inferred_of_those_that_extend_it_elsewhere() {
        let base = format!("services: {{api: {{image: x, environment: {{KEY: {VALUE}}}}}, db: {{image: y}}}}\n");
        for (extends, named) in [
            ("{file: ../base/common.yml, service: api}", true),
            ("{file: ../base/common.yml, service: db}", false),
            ("{file: ../other/common.yml, service: api}", false),
        ] {
            let own = format!("services: {{web: {{extends: {extends}}}}}\n");
            let all = tree(&[("base/common.yml", &base), ("a/compose.yaml", &own)]).resolve(&finding(VALUE));
            let expected = [("compose:base/common.yml/api", Bound), ("compose:a/compose.yaml/web", Inferred)];
            assert_eq!(consumers(&all), &expected[..=usize::from(named)], "{extends}");
        }
        let circle = "services: {a: {image: x, extends: {file: two.yml, service: a}, environment: [KEY=VAL]}}\n"
            .replace("VAL", VALUE);
        let back = "services: {a: {image: x, extends: {file: compose.yaml, service: a}}}\n";
        let all = tree(&[("compose.yaml", &circle), ("two.yml", back)]).resolve(&finding(VALUE));
        assert_eq!(consumers(&all), [("compose:compose.yaml/a", Bound), ("compose:two.yml/a", Inferred)]);
    }
}
