//! Which files of the tree a script runs or reads: `./scripts/x.sh`, `python tools/x.py`, `. ./x.env`, `--env-file x.env`, after
//! `cd` too. A file that is merely mentioned, as to a linter, is none of them.

use super::super::{copies, dotenv, ends_in, file_name, join};

/// Files of one script.
const FILES: usize = 100;
/// What runs the file that it is given.
const INTERPRETERS: &[&str] = &[
    "bash", "sh", "zsh", "dash", "python", "python3", "node", "ruby", "perl", "php", "pwsh", "Rscript", "tsx", "ts-node",
    "bun", "source", ".",
];
/// What takes a file elsewhere.
const MOVERS: &[&str] = &["cp", "cat", "mv", "ln"];
/// What settings and keys are kept in.
const SETTINGS: &[&str] = &[
    "yml",
    "yaml",
    "json",
    "toml",
    "ini",
    "conf",
    "cnf",
    "cfg",
    "properties",
    "xml",
    "key",
    "pem",
    "p8",
    "php",
    "plist",
    "xcconfig",
];
/// What programs are written in that are started as they are.
const CODE: &[&str] = &["py", "js", "mjs", "cjs", "ts", "rb", "php", "sh", "pl"];
/// Words before a command.
const BEFORE: &[&str] =
    &["sudo", "exec", "time", "nohup", "env", "then", "do", "else", "if", "while", "!", "{", "(", "-", "npx", "xvfb-run"];
/// What documents end in.
const DOCUMENTS: &[&str] = &["md", "rst", "txt"];

/// The files, seen from the folder that the script begins in.
pub(super) fn files(text: &str, folder: &str) -> Vec<String> {
    let (mut files, mut here) = (Vec::new(), Some(folder.to_owned()));
    for command in text.split(['\n', ';', '|', '&']).map(str::trim).filter(|command| !command.starts_with('#')) {
        let words: Vec<&str> = command.split_whitespace().map(|word| word.trim_matches(['"', '\'', '(', ')'])).collect();
        let set = |word: &str| {
            word.split_once('=').is_some_and(|(name, _)| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
        };
        let Some(first) = words.iter().position(|word| !BEFORE.contains(word) && !set(word)) else { continue };
        let (program, rest) = (words[first], &words[first + 1..]);
        if program == "cd" || program == "pushd" {
            here = here.and_then(|here| join(&here, rest.first().filter(|to| is_plain(to))?));
            continue;
        }
        let Some(here) = &here else { continue };
        let run = if INTERPRETERS.contains(&program) {
            rest.iter().find(|word| !word.starts_with('-')).copied()
        } else {
            Some(program).filter(|program| program.contains('/'))
        };
        let given = rest.iter().enumerate().filter_map(|(at, word)| match *word {
            "--env-file" => rest.get(at + 1).copied(),
            word => word.strip_prefix("--env-file="),
        });
        // Env files and settings that are put in place, and values that a chart is installed with.
        let from = if program == "cat" { rest.len() } else { rest.len().saturating_sub(1) };
        let moved = rest[..from].iter().copied();
        let placed = program != "cat";
        let moved = moved.filter(|word| {
            let settings = ends_in(word, SETTINGS) || word.ends_with("/*");
            MOVERS.contains(&program) && (dotenv::is_named_so(file_name(word)) || placed && settings)
        });
        let valued = rest.iter().enumerate().filter(|_| matches!(program, "helm" | "helmfile")).filter_map(|(at, word)| {
            let next = || rest.get(at + 1).copied();
            if matches!(*word, "-f" | "--values") { next() } else { word.strip_prefix("--values=") }
        });
        let named = run.into_iter().chain(given).chain(moved).chain(valued).filter(|file| is_file(file));
        files.extend(named.filter_map(|file| join(here, file)).filter(|file| !copies::is_aside(file)));
        if files.len() > FILES {
            files.truncate(FILES);
            break;
        }
    }
    files
}

/// The code that a command of a unit or a process starts, as paths below whatever folder it begins in: `python bot.py`,
/// `/opt/bot/venv/bin/python /opt/bot/bot.py`, `gunicorn app.wsgi:application`, `python -m bot`.
pub(super) fn started(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().map(|word| word.trim_matches(['"', '\'', '(', ')', ';'])).collect();
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let is_name = |part: &str| part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && part.bytes().all(fits);
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate().take(FILES) {
        let module = word.split_once(':').filter(|(module, app)| is_name(app) && module.split('.').all(is_name));
        if ends_in(word, CODE) && is_plain(word) {
            let parts: Vec<&str> = word.trim_start_matches("./").split('/').collect();
            if word.starts_with('/') {
                // Where it is on the machine is not where it is in the tree.
                found.extend((1..=2).filter(|last| parts.len() > *last).map(|last| parts[parts.len() - last..].join("/")));
            } else {
                found.push(parts.join("/"));
            }
        } else if let Some((module, _)) = module {
            found.push(format!("{}.py", module.replace('.', "/")));
        } else if at > 0 && words[at - 1] == "-m" && word.split('.').all(is_name) {
            let module = word.replace('.', "/");
            found.extend([format!("{module}.py"), format!("{module}/__main__.py")]);
        }
    }
    found
}

fn is_plain(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/'))
}

fn is_file(word: &str) -> bool {
    if let Some(folder) = word.strip_suffix("/*") {
        // All that lies in a folder.
        return is_plain(folder) && !folder.is_empty();
    }
    let name = file_name(word);
    is_plain(word) && !name.is_empty() && word.contains(['.', '/']) && !dotenv::is_sample(name) && !ends_in(name, DOCUMENTS)
}

#[cfg(test)]
mod tests {
    use super::{files, started};

    #[test]
    fn what_a_command_starts_is_its_code() {
        for (text, expected) in [
            ("/opt/b/venv/bin/python /opt/b/bot.py --x", &["bot.py", "b/bot.py"][..]),
            ("node ./src/index.js", &["src/index.js"]),
            ("gunicorn -b 0.0.0.0:80 app.wsgi:application", &["app/wsgi.py"]),
            ("python -m bot", &["bot.py", "bot/__main__.py"]),
            ("/usr/bin/app --config /etc/app.toml", &[]),
            ("npm start", &[]),
        ] {
            assert_eq!(started(text), expected, "{text}");
        }
    }

    #[test]
    fn what_runs_is_told_from_what_is_mentioned() {
        for (text, expected) in [
            ("./scripts/a.sh --x", &["scripts/a.sh"][..]),
            ("sudo A=b bash -e scripts/a.sh", &["scripts/a.sh"]),
            ("make x && python3 tools/a.py | tee log", &["tools/a.py"]),
            ("cd app\n./a.sh", &["app/a.sh"]),
            ("cd $X\n./a.sh", &[]),
            ("if [ x ]; then source conf/a.env; fi", &["conf/a.env"]),
            ("docker run --env-file conf/a.env x", &["conf/a.env"]),
            ("docker compose --env-file=conf/a.env up", &["conf/a.env"]),
            ("shellcheck scripts/a.sh", &[]),
            ("# ./scripts/a.sh", &[]),
            ("python -m pytest", &[]),
            ("python tests/a.py", &[]),
            ("cat .env.example; . .env.example", &[]),
            ("cp .env.ci .env", &[".env.ci"]),
            ("cp config/database.ci.yml config/database.yml", &["config/database.ci.yml"]),
            ("cp config/database.yml.example config/database.yml", &[]),
            ("cat a.json", &[]),
            ("cp ci/settings/* config/", &["ci/settings/*"]),
            ("cat conf/ci.env >> $GITHUB_ENV", &["conf/ci.env"]),
            ("helm upgrade x ./chart -f deploy/prod.yaml --values=b.yaml", &["deploy/prod.yaml", "b.yaml"]),
            ("/usr/bin/x; ../a.sh; bash \"$X/a.sh\"; echo a/b", &[]),
        ] {
            assert_eq!(files(text, ""), expected, "{text}");
        }
        assert_eq!(files("./a.sh", "web"), ["web/a.sh"]);
    }
}
