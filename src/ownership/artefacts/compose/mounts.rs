//! Files and folders that a service mounts: `volumes` in the short form (`./conf:/etc/app:ro`) and `type: bind` in the long one
//! (compose-spec, "volumes"). What lies in them is handed to the service.
//!
//! Tiers: a file that is mounted by its own path, or that lies in a mounted folder of settings, is bound. Source code in a folder is
//! inferred, as most of it is mounted for development alone, and so are the settings among it, and the code of a project that is
//! mounted as a whole, with the settings that this code names. Documents, samples and tests are nobody's. What an override file mounts in the same place is inferred in the base.
//! What is mounted from elsewhere on the machine is inferred to be the file of that name that lies beside the compose file.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::super::links::Consumer;
use super::super::yaml::View;
use super::super::{Clues, Place, Sheet, clean, copies, dotenv, ends_in, file_name, folder, join};
use super::{Compose, Set, is_override, most, variables};
use crate::model::Tier;
use crate::ownership::roll::{Roll, evidence};

/// Files for people.
const DOCUMENTS: &[&str] = &["md", "mdx", "rst", "adoc", "ipynb", "example", "sample", "template", "dist"];
/// Where settings and scripts to begin with are looked for, by the mounted path's beginning.
const SETTINGS: &[&str] = &["/etc/", "/run/secrets", "/docker-entrypoint"];

/// What settings end in that are brought to a machine one by one.
const FILES: &[&str] =
    &["yml", "yaml", "json", "toml", "ini", "conf", "cfg", "env", "xml", "properties", "pem", "key", "htpasswd"];
/// What lies deeper in a mounted folder is a program's own: a folder of settings is flat.
const DEEP: usize = 2;
/// How deep below a compose file such a file may lie.
const BELOW: usize = 3;

/// Every mount, by its source.
#[derive(Default)]
pub(super) struct Mounts {
    near: HashMap<String, Vec<Mount>>,
    /// Those from somewhere on the machine, by the folder of the compose file and the file's own name.
    far: HashMap<(String, String), Vec<Mount>>,
}

struct Mount {
    service: Arc<Consumer>,
    at: Place,
    /// Both sides, in words.
    detail: String,
    tier: Tier,
    /// Whether it is the compose file's own folder, or one above.
    whole: bool,
    /// Whether code in it is run by the service for certain.
    settings: bool,
    sets: Option<Set>,
}

impl Mounts {
    /// Names the services that the finding's files are mounted into.
    pub(super) fn resolve(&self, compose: &Compose, clues: &Clues<'_>, roll: &mut Roll) {
        for path in clues.paths() {
            let (mut above, mut nearer) = (path, false);
            loop {
                let mut here = false;
                for mount in self.near.get(above).into_iter().flatten() {
                    let named = || compose.code.of(path).find(|mention| holds(above, &mention.at.path));
                    let known = mount.tier_of(above, path);
                    let by_code = if known.is_none() && mount.whole && path != above { named() } else { None };
                    let Some(tier) = known.or(by_code.map(|_| Tier::Inferred)) else { continue };
                    if !roll.look() {
                        return;
                    }
                    let hidden = mount.sets.as_ref().is_some_and(|sets| compose.overridden.contains(sets));
                    here = true;
                    // Whoever mounts what lies nearer is meant; others get to see it with all of a folder.
                    let tier = if hidden || nearer { tier.min(Tier::Inferred) } else { tier };
                    let mut why = vec![evidence("compose-mount", mount.at.to_string(), mount.detail.clone())];
                    why.extend(
                        by_code.map(|mention| evidence("code-names-file", mention.at.to_string(), clean(file_name(path)))),
                    );
                    compose.name(&mount.service, roll, tier, why);
                }
                if above.is_empty() {
                    break;
                }
                nearer |= here;
                above = folder(above);
            }
            self.brought(compose, path, roll);
        }
    }

    /// Names the services that mount a file of that name from where it is brought to on the machine.
    fn brought(&self, compose: &Compose, path: &str, roll: &mut Roll) {
        if copies::is_aside(path) || dotenv::is_sample(file_name(path)) {
            return;
        }
        let mut above = path;
        for _ in 0..BELOW {
            above = folder(above);
            for mount in self.far.get(&(above.to_owned(), file_name(path).to_owned())).into_iter().flatten() {
                if !roll.look() {
                    return;
                }
                let why = vec![evidence("compose-mount", mount.at.to_string(), mount.detail.clone())];
                compose.name(&mount.service, roll, Tier::Inferred, why);
            }
            if above.is_empty() {
                return;
            }
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (source, mounts) in other.near {
            self.near.entry(source).or_default().extend(mounts);
        }
        for (source, mounts) in other.far {
            self.far.entry(source).or_default().extend(mounts);
        }
    }
}

/// Whether a file lies in a mount's source.
fn holds(source: &str, path: &str) -> bool {
    source.is_empty() || path.strip_prefix(source).is_some_and(|rest| rest.starts_with('/'))
}

impl Mount {
    /// How sure it is that the service uses the file, which is the source or lies in it.
    fn tier_of(&self, source: &str, path: &str) -> Option<Tier> {
        if path == source {
            return Some(self.tier);
        }
        let inside = path.strip_prefix(source)?.trim_start_matches('/');
        let name = file_name(path);
        if copies::is_source(inside) {
            return Some(if self.settings && !self.whole { self.tier } else { self.tier.min(Tier::Inferred) });
        }
        let nobody = self.whole
            || copies::is_aside(inside)
            || ends_in(name, copies::SOURCES)
            || ends_in(name, DOCUMENTS)
            || dotenv::is_sample(name)
            || name.eq_ignore_ascii_case("README")
            || name.eq_ignore_ascii_case("Dockerfile");
        // A program's own settings, among its code, are what it falls back on.
        let parts = || inside.split('/');
        let own =
            !self.settings && (file_name(source) == "src" || parts().any(|part| part == "src") || parts().count() > DEEP);
        (!nobody).then_some(if own || dotenv::is_named_so(name) { self.tier.min(Tier::Inferred) } else { self.tier })
    }
}

/// One side and the other, and whether the source is as it stands.
struct Sides {
    source: String,
    target: String,
    certain: bool,
}

impl Compose {
    /// `volumes` of a service, or of one that it extends. `targets` are the places that count already.
    pub(super) fn mounts(
        &mut self,
        sheet: &Sheet<'_>,
        (service, name): (&Arc<Consumer>, &str),
        view: View<'_>,
        targets: &mut BTreeSet<String>,
    ) {
        let own = folder(&sheet.path);
        for entry in view.get("volumes").into_iter().flat_map(View::items) {
            let Some(sides) = sides(entry) else {
                self.brought_there(sheet, service, entry, entry.text().or_else(|| entry.text_at(&["source"])));
                continue;
            };
            if !targets.insert(sides.target.clone()) {
                continue;
            }
            let Some(source) = join(own, &sides.source) else { continue };
            if !self.allowance.take(source.len() + sides.target.len()) {
                return;
            }
            let sets = (own.to_owned(), name.to_owned(), sides.target.clone());
            let late = is_override(file_name(&sheet.path));
            if late {
                self.overridden.insert(sets.clone());
            }
            let inside = source.is_empty() || own == source || own.starts_with(&format!("{source}/"));
            let tier = if sides.certain { most(&sheet.path) } else { Tier::Inferred };
            let mount = Mount {
                service: Arc::clone(service),
                at: sheet.place(entry),
                detail: format!("{} at {}", clean(&sides.source), clean(&sides.target)),
                tier,
                whole: inside,
                settings: SETTINGS.iter().any(|begin| sides.target.starts_with(begin)),
                sets: (!late).then_some(sets),
            };
            self.mounts.near.entry(source).or_default().push(mount);
        }
    }

    /// A file of the machine's that is mounted, or whose variables are taken in: what has its name in the compose file's folder is most
    /// likely brought there.
    pub(super) fn brought_there(
        &mut self,
        sheet: &Sheet<'_>,
        service: &Arc<Consumer>,
        entry: View<'_>,
        source: Option<&str>,
    ) {
        let Some(source) = source.and_then(far) else { return };
        if self.allowance.take(source.len()) {
            let mount = Mount {
                service: Arc::clone(service),
                at: sheet.place(entry),
                detail: format!("{} from the machine", clean(source)),
                tier: Tier::Inferred,
                whole: false,
                settings: false,
                sets: None,
            };
            let key = (folder(&sheet.path).to_owned(), file_name(source).to_owned());
            self.mounts.far.entry(key).or_default().push(mount);
        }
    }
}

/// The source of a mount that is a file by a path of the machine's, or by one that something fills in.
fn far(text: &str) -> Option<&str> {
    let source = text.find(":/").map_or(text, |at| &text[..at]);
    let somewhere = source.starts_with(['/', '~', '$', '{']);
    let name = file_name(source);
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    let settings = ends_in(name, FILES) || dotenv::is_named_so(name);
    (somewhere && source.contains('/') && plain && settings).then_some(source)
}

/// The sides of a mount of the tree's own files; nothing for a named volume.
fn sides(entry: View<'_>) -> Option<Sides> {
    if let Some(text) = entry.text() {
        let (text, certain) = variables::filled(text)?;
        let mut parts = text.split(':');
        let (source, target) = (parts.next()?, parts.next()?);
        let here = source.starts_with("./") || source.starts_with("../") || source == "." || source == "..";
        return here.then(|| Sides { source: source.to_owned(), target: target.to_owned(), certain });
    }
    let (source, certain) = variables::filled(entry.text_at(&["source"])?)?;
    let bind = entry.text_at(&["type"]) == Some("bind");
    let target = entry.text_at(&["target"])?.to_owned();
    bind.then_some(Sides { source, target, certain })
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::{self, Bound, Inferred};
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding_in, tree};

    /// What is said of a file, where a service of `a/compose.yaml` has that volume.
    fn said(volume: &str, path: &str) -> Option<Tier> {
        let text =
            format!("services:\n  api:\n    image: x\n    volumes: [{volume}]\n  db: {{image: y, volumes: [data:/d]}}\n");
        let known = tree(&[("a/compose.yaml", &text)]);
        let all = known.resolve(&finding_in(path, &format!("key = {VALUE}\n"), VALUE));
        let named = consumers(&all);
        assert!(named.iter().all(|(id, _)| *id == "compose:a/compose.yaml/api") && named.len() < 2, "{named:?}");
        named.first().map(|(_, tier)| *tier)
    }

    #[test]
    fn a_mounted_file_is_handed_over() {
        for (volume, path, tier) in [
            ("./app.yml:/etc/app.yml:ro", "a/app.yml", Some(Bound)),
            ("../app.yml:/etc/app.yml", "app.yml", Some(Bound)),
            ("{type: bind, source: ./app.yml, target: /etc/app.yml}", "a/app.yml", Some(Bound)),
            ("{type: bind, source: app.yml, target: /x}", "a/app.yml", Some(Bound)),
            ("'${CONF:-./app.yml}:/etc/app.yml'", "a/app.yml", Some(Inferred)),
            ("./run.py:/app/run.py", "a/run.py", Some(Bound)),
            ("./.env:/app/.env", "a/.env", Some(Bound)),
            ("'${CONF}:/etc/app.yml'", "a/app.yml", None),
            ("'{{ data }}/api/app.toml:/etc/app.toml:ro'", "a/app.toml", Some(Inferred)),
            ("'/srv/api/app.toml:/etc/app.toml'", "a/conf/app.toml", Some(Inferred)),
            ("'${DATA}/api/app.toml:/etc/app.toml'", "a/app.toml", Some(Inferred)),
            ("'/srv/api/app.toml:/etc/app.toml'", "a/other.toml", None),
            ("'/srv/api/app.toml:/etc/app.toml'", "b/app.toml", None),
            ("/etc/localtime:/etc/localtime:ro", "a/localtime", None),
            ("{type: volume, source: app.yml, target: /x}", "a/app.yml", None),
            ("app.yml:/etc/app.yml", "a/app.yml", None),
            ("/etc/app.yml:/etc/app.yml", "etc/app.yml", None),
            ("./app.yml:/etc/app.yml", "app.yml", None),
            ("./app.yml:/etc/app.yml", "a/app.yml2", None),
        ] {
            assert_eq!(said(volume, path), tier, "{volume} {path}");
        }
    }

    #[test]
    fn of_a_mounted_folder_settings_are_handed_over_and_the_rest_is_not() {
        for (volume, path, tier) in [
            ("./conf:/etc/app", "a/conf/app.yml", Some(Bound)),
            ("./conf:/etc/app", "a/conf/sub/key.pem", Some(Bound)),
            ("./conf/:/etc/app/conf", "a/conf/plugins.py", Some(Bound)),
            ("./init:/docker-entrypoint-initdb.d", "a/init/1.sql", Some(Bound)),
            ("./src:/app", "a/src/app.py", Some(Inferred)),
            ("./src:/app", "a/src/.env", Some(Inferred)),
            ("./src:/app/src", "a/src/main/resources/app.yml", Some(Inferred)),
            ("./api:/app", "a/api/src/app.yml", Some(Inferred)),
            ("./api:/app", "a/api/app.yml", Some(Bound)),
            ("./src:/app", "a/src/tests/app.py", None),
            ("./src:/app", "a/src/tests/app.json", None),
            ("./src:/app", "a/src/README.md", None),
            ("./src:/app", "a/src/.env.example", None),
            ("./src:/app", "a/src/node_modules/x/y.json", None),
            ("./conf:/etc/app", "a/conf2/app.yml", None),
            ("./conf:/etc/app", "conf/app.yml", None),
            (".:/app", "a/app.py", Some(Inferred)),
            ("..:/work", "b/app.py", Some(Inferred)),
            (".:/app", "a/settings.yml", None),
            (".:/app", "a/.env", None),
            ("..:/work", "test/fixtures/keys.yml", None),
        ] {
            assert_eq!(said(volume, path), tier, "{volume} {path}");
        }
    }

    #[test]
    fn what_an_override_mounts_in_the_same_place_is_inferred_in_the_base() {
        let service = |file: &str| format!("services: {{api: {{image: x, volumes: ['./{file}:/etc/app.yml']}}}}\n");
        let (base, late) = (service("app.yml"), service("other.yml"));
        let known = tree(&[("compose.yaml", &base), ("compose.override.yaml", &late)]);
        for (path, id, tier) in
            [("app.yml", "compose:compose.yaml/api", Inferred), ("other.yml", "compose:compose.override.yaml/api", Bound)]
        {
            let all = known.resolve(&finding_in(path, &format!("key = {VALUE}\n"), VALUE));
            assert_eq!(consumers(&all), [(id, tier)], "{path}");
        }
    }

    #[test]
    fn mounts_come_along_with_what_is_merged_and_extended() {
        let text = "x-all: &all {image: x, volumes: ['./conf:/etc/app']}\nservices:\n  one: {<<: *all}\n  two: {extends: one}\n  own: {<<: *all, volumes: []}\n  \
                    other: {extends: one, volumes: ['./b:/etc/app']}\n";
        let all = tree(&[("compose.yaml", text)]).resolve(&finding_in("conf/app.yml", VALUE, VALUE));
        assert_eq!(consumers(&all), [("compose:compose.yaml/one", Bound), ("compose:compose.yaml/two", Bound)]);
    }
}
