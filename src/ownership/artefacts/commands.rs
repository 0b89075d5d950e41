//! Scripts that set up something that lasts: `docker service create -e KEY=…`, `helm upgrade NAME --set key=…`, `gcloud run deploy NAME
//! --set-env-vars …`, `heroku config:set …` and the like. Value → a word of the command → what it sets up. Declared: whether anybody
//! runs the script is not in the tree. Env files and files of values that a command names are inferred. A container that `docker run`
//! starts by hand is nobody.

use std::collections::HashMap;
use std::sync::Arc;

use super::links::{Consumer, Kind, Link, Links};
use super::shell::{self, Dialect, Word};
use super::{Place, Sheet, copies, dotenv, ends_in, file_name, folder, is_showable, join};
use crate::model::{Coverage, Tier};

/// What a program starts: its names, the words after it, the kind in ids, and the options that name what is started.
struct Starter {
    programs: &'static [&'static str],
    verbs: &'static [&'static str],
    kind: &'static str,
    named: &'static [&'static str],
}

const STARTERS: &[Starter] = &[
    Starter { programs: &["docker"], verbs: &["service", "create"], kind: "docker", named: &["--name"] },
    Starter { programs: &["helm"], verbs: &["install"], kind: "helm", named: &[] },
    Starter { programs: &["helm"], verbs: &["upgrade"], kind: "helm", named: &[] },
    Starter { programs: &["gcloud"], verbs: &["run", "deploy"], kind: "cloudrun", named: &[] },
    Starter { programs: &["gcloud"], verbs: &["run", "services", "update"], kind: "cloudrun", named: &[] },
    Starter { programs: &["gcloud"], verbs: &["compute", "instances", "create"], kind: "gce", named: &[] },
    Starter { programs: &["gcloud"], verbs: &["compute", "instances", "create-with-container"], kind: "gce", named: &[] },
    Starter { programs: &["gcloud"], verbs: &["compute", "instance-templates", "create"], kind: "gce", named: &[] },
    Starter { programs: &["gcloud"], verbs: &["run", "jobs", "deploy"], kind: "cloudrun", named: &[] },
    Starter { programs: &["gcloud"], verbs: &["run", "jobs", "create"], kind: "cloudrun", named: &[] },
    Starter { programs: &["az"], verbs: &["vm", "create"], kind: "azure", named: &["--name", "-n"] },
    Starter { programs: &["doctl"], verbs: &["compute", "droplet", "create"], kind: "digitalocean", named: &[] },
    Starter { programs: &["hcloud"], verbs: &["server", "create"], kind: "hetzner", named: &["--name"] },
    Starter { programs: &["gcloud"], verbs: &["functions", "deploy"], kind: "cloudfunctions", named: &[] },
    Starter {
        programs: &["az"],
        verbs: &["webapp", "config", "appsettings", "set"],
        kind: "azure",
        named: &["--name", "-n"],
    },
    Starter {
        programs: &["az"],
        verbs: &["functionapp", "config", "appsettings", "set"],
        kind: "azure",
        named: &["--name", "-n"],
    },
    Starter { programs: &["az"], verbs: &["container", "create"], kind: "azure", named: &["--name", "-n"] },
    Starter { programs: &["az"], verbs: &["containerapp", "create"], kind: "azure", named: &["--name", "-n"] },
    Starter { programs: &["az"], verbs: &["containerapp", "update"], kind: "azure", named: &["--name", "-n"] },
    Starter { programs: &["heroku"], verbs: &["config:set"], kind: "heroku", named: &["--app", "-a"] },
    Starter { programs: &["fly", "flyctl"], verbs: &["secrets", "set"], kind: "fly", named: &["--app", "-a"] },
    Starter { programs: &["aws"], verbs: &["lambda", "create-function"], kind: "lambda", named: &["--function-name"] },
    Starter {
        programs: &["aws"],
        verbs: &["lambda", "update-function-configuration"],
        kind: "lambda",
        named: &["--function-name"],
    },
    Starter { programs: &["cf"], verbs: &["set-env"], kind: "cloudfoundry", named: &[] },
];
/// Options without a value, which a name may stand behind.
const SWITCHES: &[&str] = &[
    "-d",
    "-i",
    "-t",
    "-it",
    "-ti",
    "-dit",
    "-itd",
    "-dti",
    "-td",
    "-P",
    "--rm",
    "--detach",
    "--interactive",
    "--tty",
    "--init",
    "--privileged",
    "--read-only",
    "--publish-all",
    "--install",
    "--wait",
    "--atomic",
    "--create-namespace",
    "--dry-run",
    "--debug",
    "--reuse-values",
    "--reset-values",
    "--dependency-update",
    "--devel",
    "--force",
    "--quiet",
    "-q",
    "--stage",
    "--no-healthcheck",
    "--oom-kill-disable",
    "--allow-unauthenticated",
    "--no-allow-unauthenticated",
    "--gen2",
];
/// Options that name what a new machine runs first.
const FIRST: &[&str] =
    &["--metadata-from-file", "--user-data", "--user-data-file", "--user-data-from-file", "--custom-data"];

/// What scripts start.
#[derive(Default)]
pub(super) struct Commands;

impl Kind for Commands {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        let make = matches!(file_name(path), "Makefile" | "makefile" | "GNUmakefile" | "justfile" | "Justfile");
        make || ends_in(path, &["sh", "bash", "zsh", "ksh", "mk", "bat", "cmd", "ps1"])
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        sheet.bytes.len() <= Self::LIMIT
            && STARTERS
                .iter()
                .any(|own| sheet.mentions(own.verbs[0]) && own.programs.iter().any(|name| sheet.mentions(name)))
    }

    fn is_env_file(path: &str) -> bool {
        dotenv::is_named_so(file_name(path))
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, _: &mut Coverage) {
        // What is no text is no script.
        let Ok(text) = sheet.text() else { return };
        let dialect = Dialect::of(&sheet.path);
        let commands = shell::commands(text, dialect);
        let set = shell::assigned(&commands, dialect);
        for command in &commands {
            let Some((starter, rest)) = started(command) else { continue };
            let Some(name) = name_of(starter, rest, &set) else { continue };
            let id = format!("{}:{}/{name}", starter.kind, sheet.path);
            let consumer = Arc::new(Consumer::new(id, format!("{name}, which {} starts", sheet.path)));
            given(sheet, rest, &set, &consumer, links);
        }
    }
}

/// What a command starts, and the words behind that.
fn started<'c, 't>(command: &'c [Word<'t>]) -> Option<(&'static Starter, &'c [Word<'t>])> {
    for (at, word) in command.iter().enumerate().take(10) {
        let program = file_name(word.text.trim_start_matches(['@', '-']));
        let rest = &command[at + 1..];
        let begins =
            |verbs: &[&str]| rest.len() > verbs.len() && rest.iter().zip(verbs).all(|(word, verb)| word.text == *verb);
        let found = STARTERS.iter().find(|own| own.programs.contains(&program) && begins(own.verbs));
        if let Some(own) = found {
            return Some((own, &rest[own.verbs.len()..]));
        }
    }
    None
}

/// What it is called: by an option, else by the first word that belongs to none.
fn name_of(starter: &Starter, rest: &[Word<'_>], set: &HashMap<String, &Word<'_>>) -> Option<String> {
    let filled = |text: &str| {
        let value = shell::variable(text).and_then(|name| set.get(name)).and_then(|own| own.text.split_once('='));
        value.map_or(text, |(_, value)| value).to_owned()
    };
    let mut plain = None;
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        let text = &*word.text;
        if !text.starts_with('-') {
            plain.get_or_insert_with(|| filled(text));
            if starter.named.is_empty() || starter.kind == "docker" {
                break;
            }
            continue;
        }
        let (option, value) = text.split_once('=').map_or((text, None), |(option, value)| (option, Some(value)));
        let named = starter.named.contains(&option);
        match value {
            Some(value) if named => return Some(filled(value)).filter(|name| fits(name)),
            None if !SWITCHES.contains(&text) => {
                let value = words.next();
                if let Some(value) = value.filter(|_| named) {
                    return Some(filled(&value.text)).filter(|name| fits(name));
                }
            }
            _ => {}
        }
    }
    // A service without a name is called by its image.
    let plain = plain?;
    let name = if starter.kind == "docker" { file_name(&plain).split([':', '@']).next()?.to_owned() } else { plain };
    Some(name).filter(|name| fits(name))
}

fn fits(name: &str) -> bool {
    is_showable(name) && !name.contains(['$', '%', '{', ' '])
}

/// Everything that it is given.
fn given(
    sheet: &Sheet<'_>,
    rest: &[Word<'_>],
    set: &HashMap<String, &Word<'_>>,
    consumer: &Arc<Consumer>,
    links: &mut Links,
) {
    let mut option = "";
    for word in rest {
        let text = &*word.text;
        let (own, value) = if text.starts_with('-') { text.split_once('=').unwrap_or((text, "")) } else { (option, text) };
        option = own;
        if value.is_empty() {
            continue;
        }
        if matches!(own, "--env-file" | "-f" | "--values") {
            let link = Link::new(consumer, Tier::Inferred, "command-file", own.to_owned());
            for file in near(sheet, value) {
                if dotenv::is_named_so(file_name(&file)) {
                    links.pull(file, word.place(sheet), link.clone());
                } else {
                    links.copies.put(folder(&file).to_owned(), Some(file_name(&file)), word.place(sheet), link.clone());
                }
            }
            continue;
        }
        if FIRST.contains(&own) {
            let link = Link::new(consumer, Tier::Inferred, "command-file", own.to_owned());
            for file in value.split(',').map(|part| part.rsplit('=').next().unwrap_or(part)) {
                for file in near(sheet, file.trim_start_matches("file://").trim_start_matches('@')) {
                    links.pull(file, word.place(sheet), link.clone());
                }
            }
        }
        let link = Link::new(consumer, Tier::Declared, "command-word", "given by the script");
        let values = || text.split(['=', ',', ' ']).filter(|value| !value.is_empty());
        links.put_texts(sheet, &word.place(sheet), values(), link.clone());
        for name in values().filter_map(shell::variable) {
            if let Some(held) = set.get(name)
                && let Some((_, text)) = held.text.split_once('=')
            {
                let place: Place = held.place(sheet);
                links.put_text(sheet, place, text, link.clone());
            }
        }
    }
}

/// Where a file that a script names may lie: beside the script, in the folder above, at the root.
fn near(sheet: &Sheet<'_>, file: &str) -> Vec<String> {
    let own = folder(&sheet.path);
    let bases = [own, folder(own), sheet.root.trim_end_matches('/')];
    let mut all: Vec<String> = bases.into_iter().filter_map(|base| join(base, file)).collect();
    all.retain(|path| !path.contains(['$', '*', '%']) && !copies::is_aside(path) && !dotenv::is_sample(file_name(path)));
    all.sort();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::{Declared, Inferred};
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

    #[test]
    fn what_a_command_starts_is_given_its_words() {
        for (script, id) in [
            (format!("docker service create -d --name web -e KEY={VALUE} org/app:1\n"), Some("docker:x.sh/web")),
            (format!("sudo docker service create -e KEY=\"{VALUE}\" reg.example/org/app:1\n"), Some("docker:x.sh/app")),
            (format!("KEY={VALUE}\ndocker service create -e KEY=$KEY app\n"), Some("docker:x.sh/app")),
            (format!("helm upgrade --install web ./chart \\\n  --set auth.key={VALUE}\n"), Some("helm:x.sh/web")),
            (format!("gcloud run deploy api --image x --set-env-vars A=b,KEY={VALUE}\n"), Some("cloudrun:x.sh/api")),
            (format!("heroku config:set KEY={VALUE} --app web\n"), Some("heroku:x.sh/web")),
            (format!("# helm install web x --set k={VALUE}\nhelm install web x\n"), None),
            (format!("docker run --name web -e KEY={VALUE} app\n"), None),
            (format!("docker build --build-arg KEY={VALUE} .\nhelm install web x\n"), None),
            (format!("KEY={VALUE}\nhelm install web x\n"), None),
        ] {
            let known = tree(&[("x.sh", &script)]);
            let expected: Vec<_> = id.into_iter().map(|id| (id, Declared)).collect();
            assert_eq!(consumers(&known.resolve(&finding_in("x.sh", &script, VALUE))), expected, "{script}");
            assert_eq!(consumers(&known.resolve(&finding(VALUE))), expected, "{script}");
        }
    }

    #[test]
    fn files_that_a_command_names_are_inferred() {
        let text = format!("KEY={VALUE}\n");
        let all = tree(&[("ops/x.sh", "docker service create --env-file app.env --name web app\n"), ("ops/app.env", &text)]);
        let found = all.resolve(&finding_in("ops/app.env", &text, VALUE));
        assert!(consumers(&found).contains(&("docker:ops/x.sh/web", Inferred)), "{found:?}");
        let first = format!("#!/bin/sh\nexport KEY={VALUE}\n");
        for (named, there) in
            [("startup-script=startup.sh", true), ("startup-script=gce/startup.sh", true), ("startup-script=x.sh", false)]
        {
            let script = format!("gcloud compute instances create web --metadata-from-file {named} --zone z\n");
            let all = tree(&[("gce/deploy.sh", &script), ("gce/startup.sh", &first)]);
            let found = all.resolve(&finding_in("gce/startup.sh", &first, VALUE));
            assert_eq!(consumers(&found), &[("gce:gce/deploy.sh/web", Inferred)][..usize::from(there)], "{named}");
        }
    }
}
