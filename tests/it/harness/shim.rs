//! Kills a program at its Nth sync of one file, has the disk full from its Nth write to one on, or lets it live in the future, by
//! preloaded C libraries (`testdata/kill_on_fsync.c`, `testdata/full_on_write.c`, `testdata/clock_ahead.c`) that are compiled here.
//! Linux only: elsewhere Rust does not sync by `fsync`, and there is no LD_PRELOAD.

use crate::harness::program::Run;
use std::path::{Path, PathBuf};
use std::process::Command;

/// On which side of the real sync the program dies.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    Before,
    After,
}

/// `run`, to be killed at the `at`th sync (from 1) of a file whose path ends with `path_end`.
pub(crate) fn kill_on_sync(run: Run, path_end: &str, at: usize, side: Side) -> Run {
    let when = match side {
        Side::Before => "before",
        Side::After => "after",
    };
    run.env("LD_PRELOAD", compiled("kill_on_fsync.c"))
        .env("STAUNCH_KILL_PATH", path_end)
        .env("STAUNCH_KILL_AT", at.to_string())
        .env("STAUNCH_KILL_WHEN", when)
}

/// `run`, whose wall clock is so many hours ahead.
pub(crate) fn hours_ahead(run: Run, hours: u32) -> Run {
    run.env("LD_PRELOAD", compiled("clock_ahead.c")).env("STAUNCH_TEST_AHEAD", (hours * 3600).to_string())
}

/// `run`, for which the disk is full from the `at`th write (from 1) to a file whose path ends with `path_end` on: for that file, or
/// for every one.
pub(crate) fn full_on_write(run: Run, path_end: &str, at: usize, all: bool) -> Run {
    let run = run
        .env("LD_PRELOAD", compiled("full_on_write.c"))
        .env("STAUNCH_FULL_PATH", path_end)
        .env("STAUNCH_FULL_AT", at.to_string());
    if all { run.env("STAUNCH_FULL_ALL", "1") } else { run }
}

/// Compiles a file of testdata/ to a shared library in the build folder. Tests run at the same time in processes of
/// their own: each compiles to a name of its own and moves the result into place.
fn compiled(source: &str) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(source);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let library = folder.join(source.file_name().unwrap()).with_extension("so");
    let fresh = tempfile::Builder::new().suffix(".so").tempfile_in(folder).unwrap().into_temp_path();
    let output = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o"])
        .args([fresh.as_os_str(), source.as_os_str()])
        .arg("-ldl")
        .output()
        .unwrap_or_else(|error| panic!("cc: {error}; a C compiler is needed, as for the build"));
    assert!(output.status.success(), "cc: {}", String::from_utf8_lossy(&output.stderr));
    fresh.persist(&library).unwrap();
    library
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{Side, compiled, full_on_write, kill_on_sync};
    use crate::harness::program::{Home, Run};
    use std::fs;

    /// Syncs `other` once and `run/journal` three times, alternately by fsync and fdatasync, one record before each.
    const WRITER: &str = "import os
def sync(f, text, how):
    f.write(text); f.flush(); how(f.fileno())
os.mkdir('run')
other, journal = open('other', 'w'), open('run/journal', 'w')
sync(other, 'x', os.fsync)
for n, how in enumerate([os.fsync, os.fdatasync, os.fsync]):
    sync(journal, f'{n}\\n', how)
    print(n, flush=True)
";

    fn writer(home: &Home) -> Run {
        home.program("python3", ["-c", WRITER])
    }

    #[test]
    fn dies_at_each_sync_of_the_file_in_turn() {
        for (at, records, said) in [(1, "0\n", ""), (2, "0\n1\n", "0\n"), (3, "0\n1\n2\n", "0\n1\n")] {
            let home = Home::new();
            let output = kill_on_sync(writer(&home), "run/journal", at, Side::After).output();
            assert!(output.was_killed(), "{at}: {output:?}");
            assert_eq!(fs::read_to_string(home.work().join("run/journal")).unwrap(), records);
            assert_eq!(output.stdout(), said);
        }
    }

    #[test]
    fn a_full_disk_takes_half_of_one_write_and_nothing_after_it() {
        const WRITER: &str = "import os
a, b = (os.open(name, os.O_CREAT | os.O_WRONLY) for name in ('journal', 'other'))
for fd in [a, b, a, b, a]:
    try: print(os.write(fd, b'1234'), flush=True)
    except OSError as error: print(error.strerror, flush=True)
";
        for (all, said) in [(false, ["4", "4", "2", "4"]), (true, ["4", "4", "2", "No space left on device"])] {
            let home = Home::new();
            let output = full_on_write(home.program("python3", ["-c", WRITER]), "/journal", 2, all).output();
            let wanted = [&said[..], &["No space left on device"]].concat();
            assert_eq!(output.stdout().lines().collect::<Vec<_>>(), wanted, "{output:?}");
            assert_eq!(fs::read_to_string(home.work().join("journal")).unwrap(), "123412");
        }
    }

    #[test]
    fn lives_when_there_are_fewer_syncs_or_another_file() {
        for (path, at) in [("run/journal", 4), ("elsewhere", 1)] {
            let home = Home::new();
            let output = kill_on_sync(writer(&home), path, at, Side::After).output();
            assert_eq!((output.code(), output.stdout().as_str()), (Some(0), "0\n1\n2\n"), "{output:?}");
        }
    }

    #[test]
    fn the_real_sync_has_run_after_and_has_not_before() {
        for (side, synced) in [(Side::After, "fsync other\nfsync journal\n"), (Side::Before, "fsync other\n")] {
            let home = Home::new();
            let mut run = kill_on_sync(writer(&home), "run/journal", 1, side);
            // A second library behind the first stands for the real sync and writes down what reaches it.
            let both = format!("{}:{}", compiled("kill_on_fsync.c").display(), compiled("note_fsync.c").display());
            let notes = home.work().join("notes");
            run = run.env("LD_PRELOAD", both).env("STAUNCH_NOTE_SYNCS", &notes);
            assert!(run.output().was_killed());
            assert_eq!(fs::read_to_string(notes).unwrap(), synced);
        }
    }
}
