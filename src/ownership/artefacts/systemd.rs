//! systemd units, Podman's units of containers (podman-systemd.unit(5)) and their drop-ins: value → `Environment=`, a command or a credential → unit, and `EnvironmentFile=`.
//!
//! The id holds the unit's path, since units of one name on two machines are two. An environment file is named by its
//! path on the machine. Where the unit itself lies at its path on the machine, below some folder or none (a root file
//! system, a package's tree), the file is looked for below the same folder and is bound. `EnvironmentFile=` overrides
//! `Environment=`, so beside one a value in the unit is declared.

use std::collections::HashMap;
use std::sync::Arc;

use super::links::{Consumer, Kind, Link, Links};
use super::{Place, Sheet, clean, dotenv, ends_in, file_name, folder, is_showable, join};
use crate::model::{Coverage, Tier};

/// Where systemd looks for units (systemd.unit(5)).
const FOLDERS: &[&str] = &[
    "etc/systemd/system",
    "run/systemd/system",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
    "etc/systemd/user",
    "usr/lib/systemd/user",
];
/// Folders of environment files by custom, whatever the files are called.
const CUSTOMARY: &[&str] = &["etc/default", "etc/sysconfig", "etc/conf.d"];

/// What units say.
#[derive(Default)]
pub(super) struct Systemd;

impl Kind for Systemd {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        unit_of(path).is_some()
    }

    fn is_env_file(path: &str) -> bool {
        let own = folder(path);
        let customary = CUSTOMARY.iter().any(|custom| ends_with_folder(own, custom).is_some());
        customary || dotenv::is_named_so(file_name(path))
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        let script = ends_in(&sheet.path, &["sh"]);
        sheet.mentions("[Service]") && (!script || sheet.mentions("ExecStart=")) || sheet.mentions("[Container]") && !script
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, coverage: &mut Coverage) {
        let text = match sheet.text() {
            Ok(text) => text,
            Err(why) => return coverage.trouble(&*sheet.path, why),
        };
        let Some(unit) = unit_of(&sheet.path).filter(|unit| is_showable(unit)) else { return };
        let name = format!("unit {}", file_name(&unit));
        let unit = Unit { sheet, consumer: Arc::new(Consumer::new(format!("systemd:{unit}"), name)), path: unit };
        unit.read(&settings(text), links);
    }
}

/// The path of the unit that a file is, or is a drop-in of (`NAME.service.d/x.conf`).
fn unit_of(path: &str) -> Option<String> {
    // `init.systemd`: one of several scripts to begin with, installed by another name.
    if path.ends_with(".service") || path.ends_with(".container") || path.ends_with(".systemd") {
        return Some(path.to_owned());
    }
    // A script that writes one down.
    if ends_in(path, &["sh"]) {
        return Some(path.to_owned());
    }
    let unit = folder(path).strip_suffix(".d").filter(|unit| unit.ends_with(".service") || unit.ends_with(".container"));
    unit.filter(|_| ends_in(path, &["conf"])).map(str::to_owned)
}

/// What stands before `tail` in a folder's path: empty, `/`, or ending in `/`.
fn ends_with_folder<'p>(own: &'p str, tail: &str) -> Option<&'p str> {
    own.strip_suffix(tail).filter(|before| before.is_empty() || before.ends_with('/'))
}

struct Unit<'a> {
    sheet: &'a Sheet<'a>,
    consumer: Arc<Consumer>,
    path: String,
}

impl Unit<'_> {
    fn read(&self, settings: &[Setting<'_>], links: &mut Links) {
        let files: Vec<&Setting<'_>> = since(settings, "EnvironmentFile").collect();
        let script = ends_in(&self.path, &["sh"]);
        let tier = if files.is_empty() && !script { Tier::Bound } else { Tier::Declared };
        let own = if script { Tier::Declared } else { Tier::Bound };
        let assigned: Vec<(&Setting<'_>, Vec<(&str, &str)>)> = since(settings, "Environment")
            .map(|setting| (setting, words(setting.value).into_iter().filter_map(|word| word.split_once('=')).collect()))
            .collect();
        // Of two assignments to one variable the last counts.
        let all = assigned.iter().enumerate().flat_map(|(at, (_, pairs))| pairs.iter().map(move |(name, _)| (*name, at)));
        let last: HashMap<&str, usize> = all.collect();
        for (at, (setting, pairs)) in assigned.iter().enumerate() {
            let values: Vec<&str> = pairs.iter().filter(|(name, _)| last[name] == at).map(|(_, value)| *value).collect();
            if values.is_empty() && !pairs.is_empty() {
                continue;
            }
            // What stands beside something that counts shares its place.
            let tier = if values.len() < pairs.len() { Tier::Inferred } else { tier };
            let link = Link::new(&self.consumer, tier, "systemd-environment", "Environment=");
            links.put_texts(self.sheet, &self.place(setting), values.into_iter(), link);
        }
        for name in
            ["ExecStart", "ExecStartPre", "ExecStartPost", "ExecReload", "ExecStop", "SetCredential", "Exec", "PodmanArgs"]
        {
            for setting in since(settings, name) {
                let link = Link::new(&self.consumer, own, "systemd-setting", format!("{name}="));
                links.put_text(self.sheet, self.place(setting), setting.value, link.clone());
                if name == "ExecStart" {
                    links.starts(self.sheet, &self.place(setting), setting.value, &link);
                }
            }
        }
        for setting in files {
            let file = setting.value.trim().trim_start_matches('-');
            if let Some(path) = self.on_the_same_machine(file) {
                let link = Link::new(
                    &self.consumer,
                    Tier::Bound,
                    "systemd-environment-file",
                    format!("EnvironmentFile={}", clean(file)),
                );
                links.pull(path, self.place(setting), link);
            }
            // Where it is installed from is not said: beside the unit or above it, under the name that it has then, most likely.
            let name = file_name(file);
            for above in [Some(folder(&self.path)), Some(folder(folder(&self.path))), Some("")].into_iter().flatten() {
                let Some(path) = join(above, name).filter(|_| dotenv::is_named_so(name)) else { continue };
                let detail = format!("EnvironmentFile={}", clean(file));
                let link = Link::new(&self.consumer, Tier::Inferred, "systemd-environment-file", detail);
                links.pull(path, self.place(setting), link);
            }
        }
    }

    fn on_the_same_machine(&self, file: &str) -> Option<String> {
        // `%h` and patterns are not followed.
        let inside = file.strip_prefix('/').filter(|inside| !inside.contains(['%', '*', '?', '[']))?;
        let own = folder(&self.path);
        let root = FOLDERS.iter().find_map(|tail| ends_with_folder(own, tail))?;
        Some(format!("{root}{inside}"))
    }

    fn place(&self, setting: &Setting<'_>) -> Place {
        let bytes = setting.start as u64..(setting.start + setting.value.len()) as u64;
        Place { path: Arc::clone(&self.sheet.path), line: setting.line, bytes }
    }
}

/// The assignments of a name that count: an empty one forgets what came before it.
fn since<'s, 't>(settings: &'s [Setting<'t>], name: &'s str) -> impl Iterator<Item = &'s Setting<'t>> {
    let reset = settings.iter().rposition(|one| one.name == name && one.value.is_empty());
    settings.iter().skip(reset.map_or(0, |reset| reset + 1)).filter(move |one| one.name == name)
}

/// One assignment in `[Service]`.
pub(super) struct Setting<'t> {
    pub(super) name: &'t str,
    /// Lines that a backslash joins are one value, the backslashes left in.
    pub(super) value: &'t str,
    start: usize,
    pub(super) line: u64,
}

/// The assignments in `[Service]`, comments left out.
pub(super) fn settings(text: &str) -> Vec<Setting<'_>> {
    let (mut found, mut at, mut line, mut service) = (Vec::new(), 0, 0, false);
    let mut lines = text.split_inclusive('\n');
    while let Some(first) = lines.next() {
        line += 1;
        let (start, number) = (at, line);
        at += first.len();
        let head = first.trim();
        if head.starts_with(['#', ';']) || head.is_empty() {
            continue;
        }
        let mut last = first;
        while last.trim_end().ends_with('\\')
            && let Some(next) = lines.next()
        {
            last = next;
            at += next.len();
            line += 1;
        }
        if head.starts_with('[') {
            service = matches!(head, "[Service]" | "[Container]");
        } else if let Some((name, value)) = text[start..at].split_once('=').filter(|_| service) {
            let value_start = start + name.len() + 1;
            let lead = value.len() - value.trim_start().len();
            let name = name.trim();
            found.push(Setting { name, value: value.trim(), start: value_start + lead, line: number });
        }
    }
    found
}

/// Words apart by white space; quotes around a whole word are taken off, as systemd does.
pub(super) fn words(text: &str) -> Vec<&str> {
    let (mut words, mut rest) = (Vec::new(), text.trim_start_matches(|c: char| c.is_whitespace() || c == '\\'));
    while let Some(first) = rest.chars().next() {
        let (word, after) = match Some(first).filter(|c| matches!(c, '"' | '\'')) {
            Some(quote) => rest[1..].split_once(quote).unwrap_or((&rest[1..], "")),
            None => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
        };
        words.push(word);
        rest = after.trim_start_matches(|c: char| c.is_whitespace() || c == '\\');
    }
    words
}

#[cfg(test)]
mod tests {
    use super::{settings, words};
    use crate::model::{Owner, Tier};
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

    const PATH: &str = "rootfs/etc/systemd/system/api.service";
    const API: (&str, Tier) = ("systemd:rootfs/etc/systemd/system/api.service", Tier::Bound);

    fn unit(lines: &str) -> String {
        format!("[Unit]\nDescription=x\n[Service]\n{lines}\nExecStart=/usr/bin/api\n[Install]\nWantedBy=multi-user.target\n")
    }

    fn owners(lines: &str) -> Vec<Owner> {
        tree(&[(PATH, &unit(lines))]).resolve(&finding(VALUE))
    }

    #[test]
    fn a_unit_that_a_script_writes_down_is_declared() {
        let text = format!(
            "#!/bin/sh\ncat > /etc/systemd/system/x.service <<EOF\n{}EOF\n",
            unit(&format!("Environment=K={VALUE}"))
        );
        let all = tree(&[("up.sh", &text)]).resolve(&finding_in("up.sh", &text, VALUE));
        assert_eq!(consumers(&all), [("systemd:up.sh", Tier::Declared)]);
        let other = format!("#!/bin/sh\nEnvironment=K={VALUE}\n");
        assert_eq!(consumers(&tree(&[("up.sh", &other)]).resolve(&finding(VALUE))), []);
        let named = unit(&format!("Environment=K={VALUE}"));
        let all = tree(&[("init-scripts/init.systemd", &named)]).resolve(&finding(VALUE));
        assert_eq!(consumers(&all), [("systemd:init-scripts/init.systemd", Tier::Bound)]);
    }

    #[test]
    fn settings_and_words_keep_their_places() {
        let text = "[Service]\r\nA = b \r\n# c=d\nE=f \\\n  g\n[X]\nH=i\n";
        let found: Vec<_> = settings(text).iter().map(|one| (one.name, one.value, one.line)).collect();
        assert_eq!(found, [("A", "b", 2), ("E", "f \\\n  g", 4)]);
        for one in settings(text) {
            assert_eq!(&text[one.start..one.start + one.value.len()], one.value);
        }
        assert_eq!(words("\"A=b c\" D=e 'F=g' \\\n H=\"x"), ["A=b c", "D=e", "F=g", "H=\"x"]);
    }

    #[test]
    fn values_in_the_unit_are_its_own() {
        for lines in [
            format!("Environment=A=b \"KEY={VALUE}\""),
            format!("Environment=A=b \\\n  KEY={VALUE}"),
            format!("ExecStartPre=/bin/x --key={VALUE}"),
        ] {
            assert_eq!(consumers(&owners(&lines)), [API], "{lines}");
            let text = unit(&lines);
            assert_eq!(consumers(&tree(&[(PATH, &text)]).resolve(&finding_in(PATH, &text, VALUE))), [API], "{lines}");
        }
        let drop_in = format!("[Service]\nEnvironment=KEY={VALUE}\n");
        let all = tree(&[("rootfs/etc/systemd/system/api.service.d/key.conf", &drop_in)]).resolve(&finding(VALUE));
        assert_eq!(consumers(&all), [API]);
    }

    #[test]
    fn what_does_not_count_is_not_joined() {
        for lines in [
            format!("# Environment=KEY={VALUE}"),
            format!("Environment=KEY={VALUE}\nEnvironment=\nEnvironment=A=b"),
            format!("[Other]\nEnvironment=KEY={VALUE}\n[Service]"),
            format!("Environment={VALUE}=x"),
            format!("Environment=KEY={VALUE}\nEnvironment=A=b KEY=other"),
        ] {
            assert_eq!(owners(&lines), [], "{lines}");
        }
        let text = unit(&format!("Environment=KEY={VALUE}"));
        for path in ["api.conf", "api.timer", "x.d/api.conf"] {
            assert_eq!(tree(&[(path, &text)]).resolve(&finding(VALUE)), [], "{path}");
        }
        assert_eq!(
            consumers(&owners(&format!("Environment=KEY={VALUE}\nEnvironmentFile=/etc/x"))),
            [(API.0, Tier::Declared)]
        );
    }

    #[test]
    fn an_environment_file_is_found_on_the_same_machine() {
        let env = format!("KEY={VALUE}\n");
        let all = |path: &str, file: &str, at: &str| {
            tree(&[(path, &unit(&format!("EnvironmentFile={file}"))), (at, &env)]).resolve(&finding(VALUE))
        };
        for (path, at) in [
            (PATH, "rootfs/etc/default/api"),
            ("etc/systemd/system/api.service", "etc/default/api"),
            ("/etc/systemd/system/api.service", "/etc/default/api"),
            ("deb/lib/systemd/system/api.service", "deb/etc/default/api"),
        ] {
            let id = format!("systemd:{path}");
            assert_eq!(consumers(&all(path, "-/etc/default/api", at)), [(id.as_str(), Tier::Bound)], "{path}");
        }
        for (path, file, at) in [
            (PATH, "/etc/default/api", "etc/default/api"),
            (PATH, "/etc/default/api", "rootfs/etc/default/api2"),
            (PATH, "%h/.env", "rootfs/.env"),
            ("deploy/api.service", "/etc/default/api", "deploy/etc/default/api"),
            (PATH, "../default/api", "rootfs/etc/default/api"),
        ] {
            assert_eq!(all(path, file, at), [], "{path} {file} {at}");
        }
        let two = tree(&[(PATH, &unit("EnvironmentFile=/etc/x.env\nEnvironmentFile=")), ("rootfs/etc/x.env", &env)]);
        assert_eq!(two.resolve(&finding(VALUE)), [], "forgotten again");
    }

    #[test]
    fn odd_files_end() {
        for text in ["[Service]\nEnvironment=\"open", "[Service]\nA=b\\", "[Service]\n=x\n", "[Service]\nEnvironment=\\\\\\"]
        {
            tree(&[(PATH, text)]);
        }
        let mut known = tree(&[]);
        known.read(PATH, b"[Service]\nEnvironment=K=\xff\n");
        assert!(known.coverage().troubles[0].why.starts_with("not UTF-8"));
    }
}
