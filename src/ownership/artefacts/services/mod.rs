//! Services of a machine by other means than systemd: value → the script, settings file or definition that starts the service → that
//! service. Init scripts of System V, OpenRC (openrc-run(8)) and BSD (rc.subr(8)), `run` of runit (runsv(8)) and s6 (skarnet.org,
//! "s6-supervise"), jobs of upstart (init(5)), launchd's property lists (launchd.plist(5)), SMF's manifests, WinSW's definitions
//! (github.com/winsw/winsw, "XML config file"), and what installs a service of Windows: NSSM (nssm.cc/usage), `sc create`,
//! `New-Service`.
//!
//! What a definition sets is bound. A script is declared: it may take over what a file of the machine says, and which of its lines
//! are run is not worked out. Settings below `etc/default`, `etc/sysconfig`, `etc/conf.d` and `etc/rc.conf.d` that a script reads are
//! inferred.

mod definitions;
mod windows;

use std::sync::Arc;

use super::links::{Consumer, Kind, Link, Links};
use super::{Place, Sheet, ends_in, file_name, folder, is_showable, join};
use crate::model::{Coverage, Tier};

/// What init scripts say of themselves at their beginning.
const MARKS: &[&str] = &["### BEGIN INIT INFO", "# chkconfig:", "rc.subr", "/lib/lsb/init-functions", "init.d/functions"];
/// Bytes of a script in which it says so.
const BEGINNING: usize = 4_000;
/// Folders of settings of init scripts, without the first `/`.
const SETTINGS: &[&str] = &["etc/default/", "etc/sysconfig/", "etc/conf.d/", "etc/rc.conf.d/"];

/// What definitions of services say.
#[derive(Default)]
pub(super) struct Services;

impl Kind for Services {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        let name = file_name(path);
        // An init script's name has no ending, or one that says what machine it is for.
        let bare = !name.contains('.') && !name.is_empty();
        bare || name.starts_with("init.")
            || ends_in(path, &["init", "openrc", "rc", "initd", "sysvinit", "conf", "plist", "xml"])
            || windows::is_one(path)
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        is_script(sheet) || is_upstart(sheet) || definitions::concerns(sheet) || windows::concerns(sheet)
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, coverage: &mut Coverage) {
        let text = match sheet.text() {
            Ok(text) => text,
            Err(why) => return coverage.trouble(&*sheet.path, why),
        };
        if windows::is_one(&sheet.path) {
            definitions::inside(sheet, text, links);
            return windows::read(sheet, text, links);
        }
        if definitions::concerns(sheet) {
            return definitions::read(sheet, text, links, coverage);
        }
        if !is_showable(&sheet.path) {
            return;
        }
        let consumer = Consumer::new(format!("service:{}", sheet.path), format!("service {}", service_name(&sheet.path)));
        let upstart = is_upstart(sheet);
        let (technique, tier) = if upstart { ("upstart-job", Tier::Bound) } else { ("init-script", Tier::Declared) };
        let link = Link::new(&Arc::new(consumer), tier, technique, "in the script");
        let mut at = 0;
        for (number, line) in text.split_inclusive('\n').enumerate() {
            let bytes = at..at + line.len() as u64;
            at = bytes.end;
            let trimmed = line.trim();
            if trimmed.is_empty() || trimmed.starts_with('#') {
                continue;
            }
            let place = Place { path: Arc::clone(&sheet.path), line: number as u64 + 1, bytes };
            let words = trimmed.split(|c: char| c.is_whitespace() || matches!(c, '=' | '"' | '\'' | ';' | '}'));
            links.put_texts(sheet, &place, words.filter(|word| !word.is_empty()), link.clone());
        }
        if !upstart {
            settings(sheet, text, &link, links);
        }
    }

    fn is_env_file(path: &str) -> bool {
        SETTINGS.iter().any(|own| path.starts_with(own) || path.contains(&format!("/{own}")))
    }
}

/// The files of settings that a script names, below the root that the script itself lies in, and `conf.d/NAME` beside `init.d/NAME`.
fn settings(sheet: &Sheet<'_>, text: &str, link: &Link, links: &mut Links) {
    let own = folder(&sheet.path);
    let root = ["etc/init.d", "etc/rc.d", "usr/local/etc/rc.d"]
        .iter()
        .find_map(|tail| own.strip_suffix(tail).filter(|before| before.is_empty() || before.ends_with('/')));
    let link =
        Link { tier: Tier::Inferred, technique: "init-settings", detail: "a file of settings".to_owned(), ..link.clone() };
    let at = Place { path: Arc::clone(&sheet.path), line: 1, bytes: 0..0 };
    let name = file_name(&sheet.path);
    let mut files = Vec::new();
    for word in text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';' | '=' | ']' | ')')).take(100_000) {
        let Some(inside) = word.strip_prefix('/').filter(|inside| SETTINGS.iter().any(|own| inside.starts_with(own))) else {
            continue;
        };
        let inside = ["$NAME", "${NAME}", "$prog", "${prog}", "$name", "${name}", "$PROGNAME", "$SVCNAME", "${SVCNAME}"]
            .iter()
            .fold(inside.to_owned(), |inside, variable| inside.replace(variable, name));
        if inside.contains('$') || files.len() > 20 {
            continue;
        }
        files.extend(root.map(|root| format!("{root}{inside}")));
        // By its name beside the script, as packages keep it.
        files.extend(join(own, &inside));
        files.extend(join(folder(own), &inside));
    }
    if file_name(own) == "init.d" {
        files.extend(
            ["conf.d", "default", "sysconfig"].iter().filter_map(|beside| join(folder(own), &format!("{beside}/{name}"))),
        );
    }
    files.sort();
    files.dedup();
    for file in files {
        links.pull(file, at.clone(), link.clone());
    }
}

/// What people call the service: the folder of a `run`, else the file.
fn service_name(path: &str) -> &str {
    if file_name(path) == "run" { file_name(folder(path)) } else { file_name(path) }
}

/// Whether a file is an init script, or `run` of a supervised service.
fn is_script(sheet: &Sheet<'_>) -> bool {
    if !sheet.bytes.starts_with(b"#!") {
        return false;
    }
    let head = &sheet.bytes[..sheet.bytes.len().min(BEGINNING)];
    let first = &head[..memchr::memchr(b'\n', head).unwrap_or(head.len())];
    let says = |line: &[u8], word: &str| memchr::memmem::find(line, word.as_bytes()).is_some();
    ["openrc-run", "runscript", "/etc/rc.common"].iter().any(|word| says(first, word))
        || MARKS.iter().any(|mark| says(head, mark))
        || is_supervised(&sheet.path)
}

/// `run` below a folder of services that s6 or runit keeps (`etc/service`, `etc/sv`, `s6-rc.d`, `services.d`).
fn is_supervised(path: &str) -> bool {
    let mut folders = folder(path).split('/');
    file_name(path) == "run"
        && folders.any(|part| {
            matches!(part, "sv" | "service" | "services.d" | "s6-rc.d" | "s6" | "runit" | "supervise" | "services")
                || part.contains("runit")
                || part.contains("s6")
        })
}

/// A job of upstart: it says when it starts, and what it runs.
fn is_upstart(sheet: &Sheet<'_>) -> bool {
    let begins = |text: &str, word: &str| text.lines().any(|line| line.starts_with(word));
    ends_in(&sheet.path, &["conf"])
        && sheet.mentions("start on ")
        && sheet.text().is_ok_and(|text| begins(text, "start on ") && (begins(text, "exec ") || begins(text, "script")))
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::{self, Bound, Declared, Inferred};
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

    #[test]
    fn a_script_that_starts_a_service_is_its_own() {
        let lsb = "### BEGIN INIT INFO\n# Provides: x\n### END INIT INFO\n";
        let body = format!("export KEY={VALUE}\nexec daemon\n");
        for (path, text, tier) in [
            ("pkg/x", format!("#!/bin/sh\n{lsb}{body}"), Some(Declared)),
            ("init.d/x", format!("#!/sbin/openrc-run\n{body}"), Some(Declared)),
            (
                "rc/x",
                format!("#!/bin/sh\n# PROVIDE: x\n. /etc/rc.subr\n: ${{x_flags:=\"--key {VALUE}\"}}\n"),
                Some(Declared),
            ),
            ("etc/sv/x/run", format!("#!/bin/sh\n{body}"), Some(Declared)),
            ("root/etc/s6-overlay/s6-rc.d/x/run", format!("#!/command/with-contenv bash\n{body}"), Some(Declared)),
            ("x.conf", format!("start on filesystem\nenv KEY={VALUE}\nexec x\n"), Some(Bound)),
            ("x.conf", format!("env KEY={VALUE}\nexec x\n"), None),
            ("bin/x", format!("#!/bin/sh\n{body}"), None),
            ("bin/run", format!("#!/bin/sh\n{body}"), None),
            ("pkg/x", format!("#!/bin/sh\n{lsb}# export KEY={VALUE}\n"), None),
        ] {
            let id = format!("service:{path}");
            let expected: Vec<(&str, Tier)> = tier.into_iter().map(|tier| (id.as_str(), tier)).collect();
            let known = tree(&[(path, &text)]);
            assert_eq!(consumers(&known.resolve(&finding_in(path, &text, VALUE))), expected, "{text}");
            assert_eq!(consumers(&known.resolve(&finding(VALUE))), expected, "{text}");
        }
    }

    #[test]
    fn settings_that_a_script_reads_are_its_service_s() {
        let script = "#!/bin/sh\n### BEGIN INIT INFO\n[ -f /etc/default/$NAME ] && . /etc/default/$NAME\n";
        let text = format!("KEY={VALUE}\n");
        for (path, settings, named) in [
            ("root/etc/init.d/x", "root/etc/default/x", true),
            ("root/etc/init.d/x", "root/etc/default/y", false),
            ("root/etc/init.d/x", "other/etc/default/x", false),
        ] {
            let all = tree(&[(path, script), (settings, &text)]).resolve(&finding_in(settings, &text, VALUE));
            let id = format!("service:{path}");
            assert_eq!(consumers(&all), &[(id.as_str(), Inferred)][..usize::from(named)], "{settings}");
        }
    }
}
