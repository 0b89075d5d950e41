//! `staunch hook install` and `uninstall`. Nobody's hook is ever lost: one that is there already is moved aside, runs first with
//! the same arguments and input, and comes back, byte for byte, when ours goes. Where other tools manage the hooks, nothing is
//! written; it is said what to write there.
//!
//! This is the only place that runs git: for its settings, which only it knows all places of, and at the user's word.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use super::input::environment;
use super::{Kind, WhereArgs};
use crate::cli::exit::Exit;
use crate::cli::output::print;
use crate::cli::settings::Settings;
use crate::report::clean;
use crate::source::git::GitPlace;

/// How a hook of ours begins.
const MARK: &str = "#!/bin/sh\n# staunch hook ";
/// What is put behind the name of the hook that was there.
const BEFORE: &str = ".before-staunch";
/// Hooks of a repository that a global folder hides, and which are called from there. Not those of which the mere presence
/// changes what git does (push-to-checkout, proc-receive), nor those that run many times in one command.
const OTHERS: &[&str] = &[
    "applypatch-msg",
    "pre-applypatch",
    "post-applypatch",
    "pre-merge-commit",
    "prepare-commit-msg",
    "commit-msg",
    "post-commit",
    "pre-rebase",
    "post-checkout",
    "post-merge",
    "post-rewrite",
    "pre-auto-gc",
    "sendemail-validate",
    "update",
    "post-receive",
    "post-update",
];

/// A folder of hooks.
struct Folder {
    path: PathBuf,
    global: bool,
}

pub(super) fn install(args: &WhereArgs, settings: &Settings) -> anyhow::Result<Exit> {
    let kinds = if args.kinds.is_empty() { &[Kind::Commit][..] } else { &args.kinds };
    let folder = if args.global { global(settings)? } else { local(args, settings)? };
    let Some(folder) = folder else {
        return say("the hooks of all repositories are there already (`staunch hook install --global`)\n");
    };
    let mut said = String::new();
    fs::create_dir_all(&folder.path).with_context(|| format!("cannot make {}", folder.path.display()))?;
    for kind in kinds {
        let kept = put(&folder, kind.name(), &script(*kind, folder.global)?)?;
        let _ = writeln!(
            said,
            "{}: {}",
            folder.path.join(kind.name()).display(),
            if kept { "runs after the hook that was there" } else { "is there" }
        );
    }
    if folder.global {
        for name in OTHERS.iter().chain(Kind::ALL.map(Kind::name).iter()) {
            // One of ours that was asked for earlier stays.
            if !folder.path.join(name).exists() {
                put(&folder, name, &forwarder(name))?;
            }
        }
        let path = folder.path.to_str().context("the folder's name is not text, so git's settings cannot hold it")?;
        git(Path::new("."), &["config", "--global", "core.hooksPath", path])?;
        let _ = writeln!(said, "git's own core.hooksPath is now {path}; each repository's own hooks run from there");
    }
    say(&said)
}

pub(super) fn uninstall(args: &WhereArgs, settings: &Settings) -> anyhow::Result<Exit> {
    let folder = if args.global {
        Folder { path: global_folder(settings)?, global: true }
    } else {
        let place = GitPlace::find(args.dir.as_deref().unwrap_or(Path::new(".")), &environment())?;
        Folder { path: place.common_dir().join("hooks"), global: false }
    };
    let kinds = if args.kinds.is_empty() || args.global { &Kind::ALL[..] } else { &args.kinds };
    let mut said = String::new();
    if args.global {
        let path = git(Path::new("."), &["config", "--global", "--type=path", "--get", "core.hooksPath"])?;
        if path.is_some_and(|path| Path::new(&path) == folder.path) {
            git(Path::new("."), &["config", "--global", "--unset", "core.hooksPath"])?;
            said.push_str("git's own core.hooksPath is no longer set\n");
        }
    }
    let others = OTHERS.iter().copied().filter(|_| args.global);
    for name in kinds.iter().map(|kind| kind.name()).chain(others) {
        if let Some(what) = take(&folder.path, name)? {
            let _ = writeln!(said, "{}: {what}", folder.path.join(name).display());
        }
    }
    if args.global {
        // Only if nobody put anything else there.
        let _ = fs::remove_dir(&folder.path);
    }
    say(if said.is_empty() { "there was no hook of staunch's\n" } else { &said })
}

fn say(text: &str) -> anyhow::Result<Exit> {
    let lines: Vec<String> = text.lines().map(clean).collect();
    print(|out| out.extend_from_slice(format!("{}\n", lines.join("\n")).as_bytes()))?;
    Ok(Exit::Clean)
}

/// The folder of a repository's hooks; none where ours are in force for all repositories.
fn local(args: &WhereArgs, settings: &Settings) -> anyhow::Result<Option<Folder>> {
    let dir = args.dir.as_deref().unwrap_or(Path::new("."));
    let place = GitPlace::find(dir, &environment())?;
    let set = git(dir, &["config", "--type=path", "--get", "core.hooksPath"])?;
    if let Some(path) = set {
        if global_folder(settings).is_ok_and(|ours| ours == Path::new(&path)) {
            return Ok(None);
        }
        return Err(elsewhere(&path, &args.kinds));
    }
    let path = place.common_dir().join("hooks");
    let inside = |path: &Path, of: Option<&Path>| {
        let full = |path: &Path| path.canonicalize().ok();
        full(path).zip(of.and_then(full)).is_some_and(|(path, of)| path.starts_with(of))
    };
    // A link into the working tree: what is written there would be committed.
    if inside(&path, place.work_tree()) && !inside(&path, Some(place.common_dir())) {
        return Err(elsewhere(&path.display().to_string(), &args.kinds));
    }
    Ok(Some(Folder { path, global: false }))
}

fn global(settings: &Settings) -> anyhow::Result<Option<Folder>> {
    let path = global_folder(settings)?;
    let set = git(Path::new("."), &["config", "--global", "--type=path", "--get", "core.hooksPath"])?;
    match set {
        Some(other) if Path::new(&other) != path => Err(elsewhere(&other, &[])),
        _ => Ok(Some(Folder { path, global: true })),
    }
}

fn global_folder(settings: &Settings) -> anyhow::Result<PathBuf> {
    let data = settings.variable("XDG_DATA_HOME").map(PathBuf::from);
    let home = || settings.variable("HOME").or_else(|| settings.variable("USERPROFILE")).map(PathBuf::from);
    let data = data.or_else(|| home().map(|home| home.join(".local/share")));
    Ok(data.context("there is no home folder to keep hooks in")?.join("staunch/hooks"))
}

/// Hooks are somebody else's: what to do there.
fn elsewhere(path: &str, kinds: &[Kind]) -> anyhow::Error {
    let kind = kinds.first().map_or("pre-commit", |kind| kind.name());
    let folder = Path::new(path);
    let is_husky = folder.components().any(|part| part.as_os_str() == ".husky");
    let file = if is_husky { format!(".husky/{kind}") } else { folder.join(kind).display().to_string() };
    anyhow::anyhow!(
        "git's hooks are in {path} (core.hooksPath), which another tool or person keeps; nothing was written there. \
         Add this line to {file}: staunch hook run --type {kind} -- \"$@\""
    )
}

/// Writes a hook; true when one that was there runs first.
fn put(folder: &Folder, name: &str, text: &str) -> anyhow::Result<bool> {
    let (path, before) = (folder.path.join(name), folder.path.join(format!("{name}{BEFORE}")));
    let there = path.symlink_metadata().is_ok();
    let kept = before.symlink_metadata().is_ok();
    if there && !is_ours(&path) {
        if kept {
            bail!("{} and {} are both there; one of them must go first", path.display(), before.display());
        }
        fs::rename(&path, &before).with_context(|| format!("cannot move {} aside", path.display()))?;
    }
    let written = write(&path, text);
    if written.is_err() && there && !kept && path.symlink_metadata().is_err() {
        let _ = fs::rename(&before, &path);
    }
    written.with_context(|| format!("cannot write {}", path.display()))?;
    Ok(before.symlink_metadata().is_ok())
}

/// Writes a program, whole or not at all.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let scratch = path.with_extension(format!("{}.part", std::process::id()));
    let written = fs::write(&scratch, text).and_then(|()| {
        #[cfg(unix)]
        fs::set_permissions(&scratch, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        fs::rename(&scratch, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&scratch);
    }
    written
}

/// Takes a hook of ours away and puts back what was there; says what was done.
fn take(folder: &Path, name: &str) -> anyhow::Result<Option<&'static str>> {
    let (path, before) = (folder.join(name), folder.join(format!("{name}{BEFORE}")));
    let (there, kept) = (path.symlink_metadata().is_ok(), before.symlink_metadata().is_ok());
    if there && !is_ours(&path) {
        return Ok(kept.then_some("is not staunch's and was left alone; the hook of before is beside it"));
    }
    if kept {
        fs::rename(&before, &path).with_context(|| format!("cannot put {} back", path.display()))?;
        return Ok(Some("the hook that was there before is back"));
    }
    if there {
        fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
    }
    Ok(there.then_some("removed"))
}

fn is_ours(path: &Path) -> bool {
    let is_file = path.symlink_metadata().is_ok_and(|found| found.is_file());
    is_file && fs::read(path).is_ok_and(|text| text.starts_with(MARK.as_bytes()))
}

/// The hook itself.
fn script(kind: Kind, global: bool) -> anyhow::Result<String> {
    let exe = std::env::current_exe().context("it is not known where this program is")?;
    let exe = exe.to_str().context("this program's path is not text, so a script cannot hold it")?;
    let exe = exe.replace('\\', "/").replace('\'', r"'\''");
    let (name, stops) = (kind.name(), kind.stops().what());
    let before = before(name, global);
    // What git writes to standard input is there to be read once only.
    let first = if kind == Kind::Commit {
        "if [ -x \"$before\" ]; then \"$before\" \"$@\" || exit $?; fi\n".to_owned()
    } else {
        format!(
            "if [ -x \"$before\" ]; then\n  input=$(cat)\n  if [ -n \"$input\" ]; then\n    \
             printf '%s\\n' \"$input\" | \"$before\" \"$@\" || exit $?\n    \
             printf '%s\\n' \"$input\" | \"$staunch\" hook run --type {name} -- \"$@\"\n    exit $?\n  fi\n  \
             \"$before\" \"$@\" </dev/null || exit $?\nfi\n"
        )
    };
    Ok(format!(
        "{MARK}{name}: written by `staunch hook install`, taken away by `staunch hook uninstall`.\n\
         # A hook that was here before is kept and runs first.\n\
         staunch='{exe}'\n\
         [ -x \"$staunch\" ] || staunch=$(command -v staunch) || {{\n  \
         echo \"staunch: {stops} blocked: the program is not there. Install it, or remove this hook: $0\" >&2\n  exit 2\n}}\n\
         {before}{first}exec \"$staunch\" hook run --type {name} -- \"$@\"\n"
    ))
}

/// Where the hook is that runs first.
fn before(name: &str, global: bool) -> String {
    if global {
        format!("dir=$(git rev-parse --git-common-dir) || exit 2\nbefore=$dir/hooks/{name}\n")
    } else {
        format!("before=$(dirname -- \"$0\")/{name}{BEFORE}\n")
    }
}

/// Calls a repository's own hook from a global folder.
fn forwarder(name: &str) -> String {
    format!(
        "{MARK}{name}: calls the repository's own, which core.hooksPath hides.\n{}\
         [ -x \"$before\" ] || exit 0\nexec \"$before\" \"$@\"\n",
        before(name, true)
    )
}

/// What git answers, without the line's end; none where it says by its exit code that there is nothing.
fn git(dir: &Path, arguments: &[&str]) -> anyhow::Result<Option<String>> {
    let output = Command::new("git").arg("-C").arg(dir).args(arguments).output().context("git cannot be run")?;
    match output.status.code() {
        Some(0) => Ok(Some(String::from_utf8_lossy(&output.stdout).trim_end_matches(['\n', '\r']).to_owned())),
        Some(1) if output.stderr.is_empty() => Ok(None),
        _ => bail!("git {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim_end()),
    }
}
