//! What installs a service of Windows: `nssm install NAME PROGRAM ARGUMENTS`, `nssm set NAME AppEnvironmentExtra KEY=VALUE`
//! (nssm.cc/commands), `sc create NAME binPath= "…"`, `New-Service -Name NAME -BinaryPathName "…"`.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::links::{Consumer, Link, Links};
use super::super::shell::{self, Dialect, Word};
use super::super::{Sheet, ends_in, file_name, is_showable};
use crate::model::Tier;

/// What `nssm set` is told that the service gets to see.
const SEEN: &[&str] = &["appenvironmentextra", "appenvironment", "appparameters", "objectname"];

/// Whether a file of that name may install one.
pub(super) fn is_one(path: &str) -> bool {
    ends_in(path, &["bat", "cmd", "ps1"])
}

/// Whether it does.
pub(super) fn concerns(sheet: &Sheet<'_>) -> bool {
    is_one(&sheet.path)
        && (["nssm", "sc create", "sc.exe", "New-Service", "NSSM"].iter().any(|word| sheet.mentions(word))
            || sheet.mentions("<service>") && sheet.mentions("<executable>"))
}

/// Takes in one script.
pub(super) fn read(sheet: &Sheet<'_>, text: &str, links: &mut Links) {
    let dialect = Dialect::of(&sheet.path);
    let commands = shell::commands(text, dialect);
    let set = shell::assigned(&commands, dialect);
    for command in &commands {
        let Some((name, values)) = installed(command, &set) else { continue };
        let id = format!("service:{}/{name}", sheet.path);
        let consumer = Arc::new(Consumer::new(id, format!("service {name} of {}", sheet.path)));
        for word in values {
            let link = Link::new(&consumer, Tier::Declared, "service-install", "given when it is installed");
            links.put_text(sheet, word.place(sheet), &word.text, link);
        }
    }
}

/// The service that a command installs or sets up, and what it is given.
fn installed<'c, 't>(command: &'c [Word<'t>], set: &HashMap<String, &'c Word<'t>>) -> Option<(String, &'c [Word<'t>])> {
    let own = |word: &Word<'_>| {
        let value = shell::variable(&word.text).and_then(|name| set.get(&name.to_ascii_lowercase()));
        let value = value.map_or(&*word.text, |own| own.text.split_once('=').map_or(&*own.text, |(_, value)| value));
        Some(value.to_owned()).filter(|name| is_showable(name) && !name.contains(['$', '%']))
    };
    let is = |word: &Word<'_>, name: &str| word.text.eq_ignore_ascii_case(name);
    for (at, word) in command.iter().enumerate().take(8) {
        let program = file_name(&word.text.replace('\\', "/")).to_ascii_lowercase();
        let rest = &command[at + 1..];
        if program == "new-service" {
            let named = rest.iter().position(|word| is(word, "-Name")).and_then(|at| rest.get(at + 1)).or(rest.first())?;
            return Some((own(named)?, rest));
        }
        let [verb, name, more @ ..] = rest else { continue };
        if program.contains("nssm") {
            if is(verb, "install") {
                return Some((own(name)?, more));
            }
            let setting = more.first().map(|word| word.text.to_ascii_lowercase()).unwrap_or_default();
            return Some((own(name)?, more.get(1..)?)).filter(|_| is(verb, "set") && SEEN.contains(&setting.as_str()));
        }
        if matches!(program.as_str(), "sc" | "sc.exe") && (is(verb, "create") || is(verb, "config")) {
            return Some((own(name)?, more));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::Declared;
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding_in, tree};

    #[test]
    fn what_a_service_is_installed_with_is_its_own() {
        for (path, text, name) in [
            ("x.bat", format!("nssm install Api \"C:\\x.exe\" --key {VALUE}\r\n"), Some("Api")),
            ("x.bat", format!("nssm set Api AppEnvironmentExtra A=b KEY={VALUE}\r\n"), Some("Api")),
            ("x.bat", format!("set NAME=Api\r\n%~dp0nssm.exe set %NAME% AppEnvironmentExtra KEY={VALUE}\r\n"), Some("Api")),
            ("x.bat", format!("nssm set Api Description {VALUE}\r\n"), None),
            ("x.bat", format!("REM nssm set Api AppEnvironmentExtra KEY={VALUE}\r\nnssm status x\r\n"), None),
            ("x.cmd", format!("sc create Api binPath= \"C:\\x.exe --key={VALUE}\"\r\n"), Some("Api")),
            (
                "x.ps1",
                format!("$n = 'Api'\nNew-Service -Name $n `\n  -BinaryPathName \"x.exe --key {VALUE}\"\n"),
                Some("Api"),
            ),
            ("x.ps1", format!("& $nssm set Api AppEnvironmentExtra \"KEY={VALUE}\"\n"), Some("Api")),
        ] {
            let all = tree(&[(path, &text)]).resolve(&finding_in(path, &text, VALUE));
            let id = format!("service:{path}/{}", name.unwrap_or_default());
            assert_eq!(consumers(&all), &[(id.as_str(), Declared)][..usize::from(name.is_some())], "{text}");
        }
    }
}
