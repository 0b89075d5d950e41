//! Packaging: value → a file that a package installs elsewhere → the unit that reads it there. `packaging/api.conf` is installed as
//! `/etc/api.conf` by a spec file, `debian/rules`, a Makefile or nfpm, and a unit says `EnvironmentFile=/etc/api.conf` or names the path
//! in a command. Inferred: what is installed is often changed on the machine, and scripts are read line by line, not run.

mod lines;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::links::Consumer;
use super::systemd::settings;
use super::yaml::View;
use super::{Clues, Place, Reader, Sheet, clean, ends_in, file_name, folder, is_showable, join};
use crate::model::{Coverage, Tier};
use crate::ownership::roll::{Roll, evidence};
use lines::{Names, commands, destination};

/// Files that one package installs.
const INSTALLED: usize = 1_000;
/// Where programs look for their settings. What is installed elsewhere is no concern.
const ROOTS: [&str; 5] = ["/etc/", "/opt/", "/srv/", "/usr/", "/var/"];

/// What packages and units say.
#[derive(Default)]
pub(super) struct Installed {
    /// From a file of the tree to where it is installed.
    files: HashMap<String, Vec<(Place, String)>>,
    /// Units by a path that they name.
    units: HashMap<String, Vec<(Place, Arc<Consumer>)>>,
}

impl Reader for Installed {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        ends_in(path, &["service"]) || is_package(path)
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        let words = ["etc/", "_sysconfdir", "sysconfdir", "/opt/", "/var/"];
        sheet.bytes.len() <= Self::LIMIT && words.iter().any(|word| sheet.mentions(word))
    }

    fn read(&mut self, sheet: &Sheet<'_>, coverage: &mut Coverage) {
        // What is no text is told by the readers of units and of manifests.
        let Ok(text) = sheet.text() else { return };
        let name = file_name(&sheet.path);
        if ends_in(name, &["service"]) {
            self.unit(sheet, text);
        } else if ends_in(name, &["yaml", "yml"]) {
            sheet.documents(coverage, &mut |root| self.listed(sheet, root));
        } else {
            self.script(sheet, text);
        }
    }

    fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll) {
        for path in clues.paths() {
            // dh_installinit(1)
            let debian = (file_name(folder(path)) == "debian").then(|| file_name(path).strip_suffix(".default")).flatten();
            let by_custom = debian.map(|name| (path.to_owned(), format!("/etc/default/{name}")));
            let installed = self.files.get(path).into_iter().flatten().map(|(at, to)| (at.to_string(), to.clone()));
            let mut met = HashSet::new();
            for (at, to) in installed.chain(by_custom) {
                for (unit_at, unit) in self.units.get(&to).into_iter().flatten() {
                    if !roll.look() {
                        return;
                    }
                    if met.insert((to.clone(), unit_at.to_string())) {
                        let installs = evidence("package-installs", at.clone(), format!("as {}", clean(&to)));
                        let reads = evidence("systemd-path", unit_at.to_string(), format!("reads {}", clean(&to)));
                        unit.join(roll, Tier::Inferred, vec![installs, reads]);
                    }
                }
            }
        }
    }

    fn merge(&mut self, other: Self) {
        for (path, installed) in other.files {
            self.files.entry(path).or_default().extend(installed);
        }
        for (path, units) in other.units {
            self.units.entry(path).or_default().extend(units);
        }
    }
}

/// Whether a file of that name says what a package installs.
fn is_package(path: &str) -> bool {
    let name = file_name(path);
    let debian = file_name(folder(path)) == "debian";
    let own = ["Makefile", "GNUmakefile", "makefile", "PKGBUILD", "APKBUILD", "install.sh", "nfpm.yaml", "nfpm.yml"];
    own.contains(&name)
        || ends_in(name, &["spec", "mk"])
        || debian && (name == "rules" || name == "install" || ends_in(name, &["install"]))
        || name.trim_start_matches('.').strip_prefix("goreleaser").is_some_and(|rest| matches!(rest, ".yml" | ".yaml"))
}

impl Installed {
    fn unit(&mut self, sheet: &Sheet<'_>, text: &str) {
        if !is_showable(&sheet.path) {
            return;
        }
        let name = format!("unit {}", file_name(&sheet.path));
        let consumer = Arc::new(Consumer::new(format!("systemd:{}", sheet.path), name));
        for setting in settings(text).iter().filter(|one| one.name == "EnvironmentFile" || one.name.starts_with("Exec")) {
            let at = Place { path: Arc::clone(&sheet.path), line: setting.line, bytes: 0..0 };
            let words = setting.value.split(|c: char| c.is_whitespace() || matches!(c, '=' | '"' | '\'' | ','));
            // `-` before a path: it may be missing.
            for path in words.map(|word| word.trim_start_matches('-')).filter(|word| is_settings(word)).take(INSTALLED) {
                self.units.entry(path.to_owned()).or_default().push((at.clone(), Arc::clone(&consumer)));
            }
        }
    }

    /// `contents: [{src, dst}]`, wherever it stands: nfpm by itself, or in GoReleaser's `nfpms`.
    fn listed(&mut self, sheet: &Sheet<'_>, root: View<'_>) {
        let packages = root.get("nfpms").into_iter().flat_map(View::items).chain([root]);
        let contents = packages.filter_map(|package| package.get("contents")).flat_map(View::items);
        for one in contents.take(INSTALLED) {
            if let (Some(from), Some(to)) = (one.text_at(&["src"]), one.text_at(&["dst"])) {
                self.put(sheet, &sheet.place(one), (from, to));
            }
        }
    }

    fn script(&mut self, sheet: &Sheet<'_>, text: &str) {
        let names = Names::of(text);
        let lists = ends_in(&sheet.path, &["install"]) || file_name(&sheet.path) == "install";
        let (mut line, mut put) = (0, 0);
        let mut lines = text.lines();
        while let Some(first) = lines.next() {
            line += 1;
            let (number, mut whole) = (line, first.trim_end().to_owned());
            while whole.ends_with('\\')
                && let Some(next) = lines.next()
            {
                line += 1;
                whole.pop();
                whole.push_str(next.trim_end());
            }
            let at = Place { path: Arc::clone(&sheet.path), line: number, bytes: 0..0 };
            for (from, to) in commands(&whole, lists) {
                put += 1;
                if put > INSTALLED {
                    return;
                }
                self.put(sheet, &at, (&names.filled(from), &names.filled(to)));
            }
        }
    }

    /// A file, seen from the package's folder or one above it, and where it goes.
    fn put(&mut self, sheet: &Sheet<'_>, at: &Place, (from, to): (&str, &str)) {
        let Some(to) = destination(to) else { return };
        // Leading variables stand for the folder that is built in.
        let from = from.trim_start_matches(|c: char| c != '/' && from.starts_with(['$', '%', '"']));
        let from = from.trim_matches(['/', '"', '\'']);
        let name = file_name(from);
        if name.is_empty() || from.contains(['$', '%', '*', '{']) {
            return;
        }
        // A folder, or the file's own name: which of the two is not known without making it.
        let all = [Some(to.clone()).filter(|to| !to.ends_with('/')), Some(format!("{}/{name}", to.trim_end_matches('/')))];
        let mut above = folder(&sheet.path);
        loop {
            if let Some(path) = join(above, from) {
                let known = self.files.entry(path).or_default();
                known.extend(all.iter().flatten().map(|to| (at.clone(), to.clone())));
            }
            if above.is_empty() {
                return;
            }
            above = folder(above);
        }
    }
}

/// Whether a unit's word is the path of a file of settings.
fn is_settings(word: &str) -> bool {
    let named = ROOTS.iter().any(|root| word.starts_with(root)) && !word.contains(['%', '*', '$']);
    named && !word.starts_with("/usr/bin/") && !word.starts_with("/usr/sbin/")
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::Inferred;
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding_in, tree};

    const UNIT: (&str, &str) = (
        "packaging/systemd/api.service",
        "[Service]\nExecStart=/usr/bin/api --config=/etc/api/api.toml\nEnvironmentFile=-/etc/api.conf\n",
    );

    #[test]
    fn what_a_package_installs_is_read_by_the_unit_that_names_it_there() {
        let env = format!("KEY={VALUE}\n");
        for (package, text, path, named) in [
            (
                "packaging/rpm/api.spec",
                "install -D -m 644 packaging/api.conf %{buildroot}/etc/api.conf\n",
                "packaging/api.conf",
                true,
            ),
            (
                "packaging/rpm/api.spec",
                "install -m 644 %{SOURCE2} %{buildroot}%{_sysconfdir}/%{name}.conf\nName: api\nSource2: %{name}.conf\n",
                "packaging/rpm/api.conf",
                true,
            ),
            (
                "debian/rules",
                "\tinstall -d debian/api/etc\n\tcp packaging/api.conf debian/api/etc/api.conf\n",
                "packaging/api.conf",
                true,
            ),
            ("debian/api.install", "packaging/api.conf etc/\n", "packaging/api.conf", true),
            ("debian/api.install", "packaging/api.toml etc/api\n", "packaging/api.toml", true),
            (
                "Makefile",
                "install:\n\t@install -Dm644 packaging/api.conf \\\n\t\t$(DESTDIR)/etc/api.conf\n",
                "packaging/api.conf",
                true,
            ),
            ("PKGBUILD", "  install -Dm644 \"$srcdir/api.conf\" \"$pkgdir/etc/api.conf\"\n", "api.conf", true),
            ("nfpm.yaml", "contents:\n- {src: ./packaging/api.conf, dst: /etc/api.conf}\n", "packaging/api.conf", true),
            (
                ".goreleaser.yaml",
                "nfpms:\n- contents:\n  - {src: packaging/api.conf, dst: /etc/api.conf}\n",
                "packaging/api.conf",
                true,
            ),
            ("Makefile", "# install packaging/api.conf /etc/api.conf\n", "packaging/api.conf", false),
            ("Makefile", "\tinstall packaging/api.conf /etc/other.conf\n", "packaging/api.conf", false),
            ("Makefile", "\tinstall packaging/api.conf /etc/api.conf\n", "other/api.conf", false),
        ] {
            let known = tree(&[UNIT, (package, text)]);
            let expected = [("systemd:packaging/systemd/api.service", Inferred)];
            let owners = known.resolve(&finding_in(path, &env, VALUE));
            assert_eq!(consumers(&owners), &expected[..usize::from(named)], "{package} {text}");
        }
        let unit = ("debian/api.service", "[Service]\nEnvironmentFile=/etc/default/api\n");
        let owners = tree(&[unit]).resolve(&finding_in("debian/api.default", &env, VALUE));
        assert_eq!(consumers(&owners), [("systemd:debian/api.service", Inferred)]);
    }
}
