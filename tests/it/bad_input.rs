//! What a user, a disk or a hostile tree can do wrong: clear words, the right exit code, nothing lost, no panic.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::Value;

use crate::harness::program::{Home, Output};

/// A Hugging Face token, made up here.
fn token() -> String {
    format!("hf{}", "_zFeKORdjjZKtfphJWAMMYNoXHyCCtLBtKN")
}

fn findings(output: &Output) -> Vec<Value> {
    let text = output.stdout();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.last().unwrap()["schema"], "staunch.summary/1");
    lines[..lines.len() - 1].to_vec()
}

fn summary(output: &Output) -> Value {
    serde_json::from_str(output.stdout().lines().last().unwrap()).unwrap()
}

fn assert_no_panic(output: &Output) {
    assert!(!output.stderr().contains("panicked"), "{}", output.stderr());
}

#[test]
fn exit_codes_are_as_promised() {
    let home = Home::new();
    let scan = |arguments: &[&str]| home.staunch([&["scan"], arguments].concat()).output();
    assert_eq!(scan(&["."]).code(), Some(0));
    fs::write(home.work().join("a.txt"), token()).unwrap();
    assert_eq!(scan(&["."]).code(), Some(1));
    assert_eq!(scan(&["--fail-on", "none", "."]).code(), Some(0));
    assert_eq!(scan(&["--fail-on", "live", "."]).code(), Some(0));
    assert_eq!(scan(&[".", "nowhere"]).code(), Some(2));
    assert_eq!(scan(&["--nonsense"]).code(), Some(64));
    assert_eq!(scan(&["docker://x"]).code(), Some(2));
    assert_eq!(home.staunch(["--help"]).output().code(), Some(0));
    let by_variable =
        |value: &str| home.staunch(["scan", "."]).env("STAUNCH_QUIET", value).env("STAUNCH_FAIL_ON", "none").output();
    assert_eq!(["1", "true", "0", ""].map(|value| by_variable(value).code()), [Some(0); 4]);
    let stdin = home.staunch(["scan", "-", "--format", "jsonl"]).stdin(format!("x\n y {}", token()).as_bytes()).output();
    let found = findings(&stdin);
    assert_eq!(
        (stdin.code(), &found[0]["occurrences"][0]["line"], &found[0]["occurrences"][0]["column"]),
        (Some(1), &2.into(), &4.into())
    );
}

#[test]
fn what_cannot_be_read_makes_the_scan_incomplete_and_loses_nothing_else() {
    // Root may read everything, so the unreadable things are ones that nobody can.
    let home = Home::new();
    fs::write(home.work().join("a.txt"), token()).unwrap();
    let output = home.staunch(["scan", "--format", "jsonl", ".", "/proc/self/mem"]).output();
    assert_eq!((output.code(), findings(&output).len()), (Some(2), 1));
    let summary = summary(&output);
    assert_eq!(summary["complete"], false);
    assert_eq!(summary["coverage"]["troubles"][0]["path"], "/proc/self/mem");
    let human = home.staunch(["scan", ".", "/proc/self/mem"]).output();
    assert!(human.stdout().contains("Incomplete") && human.stdout().contains("/proc/self/mem"), "{}", human.stdout());
    // Whoever has the result in a file is told beside it.
    let kept = home.staunch(["scan", ".", "/proc/self/mem", "--format", "json", "--output", "result.json"]).output();
    assert_eq!(kept.code(), Some(2));
    assert!(kept.stderr().contains("INCOMPLETE: /proc/self/mem: "), "{}", kept.stderr());
    if !rustix::process::getuid().is_root() {
        let locked = home.work().join("locked");
        fs::write(&locked, token()).unwrap();
        fs::set_permissions(&locked, fs::Permissions::from_mode(0o0)).unwrap();
        assert_eq!(home.staunch(["scan", "locked"]).output().code(), Some(2));
    }
}

#[test]
fn loops_devices_pipes_and_odd_names_are_skipped_or_shown_safely() {
    let home = Home::new();
    let work = home.work();
    symlink(".", work.join("loop")).unwrap();
    symlink("/etc/passwd", work.join("outside")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, work.join("pipe"), rustix::fs::Mode::from_bits_truncate(0o600)).unwrap();
    let odd = std::ffi::OsString::from(std::ffi::OsStr::new("a\u{1b}[31m\nb"));
    fs::write(work.join(odd), token()).unwrap();
    let bytes = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"\xff\xfe.txt");
    fs::write(work.join(bytes), token()).unwrap();
    fs::write(work.join("empty"), "").unwrap();
    fs::write(work.join("bytes"), [b"\xff\xfe\x00\x80".as_slice(), token().as_bytes(), b"\x00"].concat()).unwrap();
    let output = home.staunch(["scan", ".", "--format", "jsonl"]).output();
    assert_no_panic(&output);
    assert_eq!(output.code(), Some(1));
    assert_eq!(findings(&output)[0]["occurrences"].as_array().unwrap().len(), 3);
    assert_eq!(summary(&output)["coverage"]["skipped"]["link"], 2);
    assert_eq!(summary(&output)["coverage"]["skipped"]["not a regular file"], 1);
    let human = home.staunch(["scan", "."]).output().stdout();
    assert!(!human.contains('\u{1b}') && human.contains("\\u{1b}"), "{human}");
}

#[test]
fn a_two_gigabyte_file_is_read_in_bounded_memory_and_found_in_to_the_end() {
    let home = Home::new();
    let path = home.work().join("big");
    let mut file = fs::File::create(&path).unwrap();
    file.write_all(format!("first {}\n", token()).as_bytes()).unwrap();
    // A hole: it takes no disk, and reads as zeros.
    file.set_len(2 << 30).unwrap();
    std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0)).unwrap();
    file.write_all(format!("\nlast {}\n", token().replace("zFe", "zFf")).as_bytes()).unwrap();
    drop(file);
    let run = home.program(
        "sh",
        ["-c", "ulimit -v 600000; exec \"$0\" scan --jobs 2 --format jsonl big", env!("CARGO_BIN_EXE_staunch")],
    );
    let output = run.limit(std::time::Duration::from_mins(6)).output();
    assert_eq!(output.code(), Some(1), "{}", output.stderr());
    let mut lines: Vec<u64> = findings(&output).iter().map(|f| f["occurrences"][0]["line"].as_u64().unwrap()).collect();
    lines.sort_unstable();
    assert_eq!(lines, [1, 3]);
    assert_eq!(summary(&output)["coverage"]["bytes"].as_u64().unwrap() >> 30, 2);
}

#[test]
fn broken_detector_playbook_and_settings_files_show_all_mistakes_with_their_lines() {
    let home = Home::new();
    let (detectors, playbooks) = (home.work().join("d"), home.work().join("p"));
    fs::create_dir_all(&detectors).unwrap();
    fs::create_dir_all(&playbooks).unwrap();
    fs::write(detectors.join("one.toml"), "summary = 1\ncolour = 2\n[[part]]\nname = \"k\"\npattern = '('\n").unwrap();
    fs::write(detectors.join("two.toml"), "not toml at all\n").unwrap();
    for arguments in [vec!["detectors", "check", "d"], vec!["scan", "--detectors", "d", "."]] {
        let output = home.staunch(arguments).output();
        assert_eq!(output.code(), Some(2));
        for wanted in
            ["one.toml:1: ", "one.toml:2: unknown key `colour`", "one.toml:5: not a regular expression", "two.toml:1: "]
        {
            assert!(output.stderr().contains(wanted), "{wanted} in {}", output.stderr());
        }
        assert_eq!(output.stderr().matches("unknown key `colour`").count(), 1, "each is said once: {}", output.stderr());
    }
    fs::write(playbooks.join("x.toml"), "summary = \"x\"\n[[step]]\nid = 3\n").unwrap();
    let output = home.staunch(["playbooks", "check", "p"]).output();
    assert_eq!(output.code(), Some(2));
    assert!(output.stderr().contains("x.toml:3: ") && output.stderr().contains("`mode` is missing"), "{}", output.stderr());
    fs::write(home.work().join("c.toml"), "oops = 1\n").unwrap();
    let output = home.staunch(["scan", "--config", "c.toml"]).output();
    assert!(output.code() == Some(2) && output.stderr().contains("c.toml:1: unknown key `oops`"), "{}", output.stderr());
    assert_eq!(home.staunch(["scan", "--config", "absent.toml"]).output().code(), Some(2));
}

#[test]
fn an_unreachable_provider_and_wrong_endpoints_are_unknown_and_said() {
    let home = Home::new();
    fs::write(home.work().join("a.txt"), token()).unwrap();
    let ask =
        |endpoint: &str| home.staunch(["scan", "--validate", "--endpoint", endpoint, "--format", "jsonl", "."]).output();
    let output = ask("huggingface=http://127.0.0.1:9");
    let liveness = findings(&output)[0]["liveness"].clone();
    assert_eq!((output.code(), &liveness["state"]), (Some(1), &"unknown".into()));
    assert!(liveness["why"].as_str().unwrap().contains("cannot be reached"), "{liveness}");
    for wrong in ["nonsense", "x=ftp://y", "x=https://u:p@host", "x=https://host/?q"] {
        let output = ask(wrong);
        assert!(output.code() == Some(2) && output.stderr().contains("is not NAME=URL"), "{wrong}: {}", output.stderr());
    }
    let offline = home.staunch(["scan", "--validate", "--offline", "--format", "jsonl", "."]).output();
    assert!(findings(&offline)[0]["liveness"]["why"].as_str().unwrap().contains("--offline"));
}

#[test]
fn a_full_disk_a_closed_pipe_and_a_read_only_home_are_no_success_by_accident() {
    let home = Home::new();
    fs::write(home.work().join("a.txt"), token()).unwrap();
    let staunch = env!("CARGO_BIN_EXE_staunch");
    let full = home.program("sh", ["-c", "\"$0\" scan . >/dev/full", staunch]).output();
    assert!(full.code() == Some(2) && full.stderr().contains("cannot write the result"), "{}", full.stderr());
    let closed = home.program("bash", ["-c", "\"$0\" scan . --fail-on none | true; exit ${PIPESTATUS[0]}", staunch]);
    assert!(matches!(closed.output().code(), Some(0 | 2)));
    let output = home.staunch(["scan", ".", "--output", "nowhere/x.json"]).output();
    assert_eq!(output.code(), Some(2));
    let output = home.staunch(["scan", ".", "--state", "/proc/nowhere"]).output();
    assert_eq!(output.code(), Some(1), "everything but responding works");
    assert!(output.stderr().contains("compare with no other"), "{}", output.stderr());
    let output = home.staunch(["respond", "status", "--state", "/proc/nowhere"]).output();
    assert_eq!(output.code(), Some(2));
}

#[test]
fn a_result_goes_into_a_pipe_or_behind_a_link_and_replaces_neither() {
    let home = Home::new();
    let work = home.work();
    fs::write(work.join("a.txt"), token()).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, work.join("pipe"), rustix::fs::Mode::from_bits_truncate(0o600)).unwrap();
    let staunch = env!("CARGO_BIN_EXE_staunch");
    let script = "cat pipe > got & \"$0\" scan a.txt --format json --output pipe; code=$?; wait; exit $code";
    let piped = home.program("sh", ["-c", script, staunch]).output();
    assert_eq!(piped.code(), Some(1), "{}", piped.stderr());
    assert!(!fs::symlink_metadata(work.join("pipe")).unwrap().is_file());
    assert!(fs::read_to_string(work.join("got")).unwrap().contains("huggingface-user-token"));
    fs::write(work.join("real.json"), "old").unwrap();
    symlink("real.json", work.join("link.json")).unwrap();
    let linked = home.staunch(["scan", "a.txt", "--format", "json", "--output", "link.json"]).output();
    assert_eq!(linked.code(), Some(1), "{}", linked.stderr());
    assert!(fs::symlink_metadata(work.join("link.json")).unwrap().is_symlink());
    assert!(fs::read_to_string(work.join("real.json")).unwrap().contains("huggingface-user-token"));
}

#[test]
fn a_report_is_whole_or_not_there_and_turns_into_other_formats() {
    let home = Home::new();
    fs::write(home.work().join("a.txt"), token()).unwrap();
    for format in ["json", "jsonl"] {
        let saved = format!("r.{format}");
        home.staunch(["scan", "a.txt", "--format", format, "--output", &saved]).output();
        let output = home.staunch(["report", &saved]).output();
        assert_eq!(output.code(), Some(0), "{}", output.stderr());
        assert!(output.stdout().contains("huggingface-user-token"), "{}", output.stdout());
        let text = fs::read_to_string(home.work().join(&saved)).unwrap();
        fs::write(home.work().join(&saved), &text[..text.len() / 2]).unwrap();
        assert_eq!(home.staunch(["report", &saved]).output().code(), Some(2));
    }
    let left: Vec<_> = fs::read_dir(home.work()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains(".part")), "{left:?}");
}

#[test]
fn the_same_key_has_the_same_name_in_every_run_and_place() {
    let home = Home::new();
    fs::write(home.work().join("a.txt"), token()).unwrap();
    fs::create_dir(home.work().join("sub")).unwrap();
    fs::write(home.work().join("sub/b.txt"), format!("\n\n  {}", token())).unwrap();
    let print =
        |target: &str| findings(&home.staunch(["scan", target, "--format", "jsonl"]).output())[0]["fingerprint"].clone();
    assert_eq!(print("a.txt"), print("sub"));
    let both = home.staunch(["scan", ".", "--format", "jsonl"]).output();
    assert_eq!(findings(&both).len(), 1);
    assert_eq!(findings(&both)[0]["occurrences"].as_array().unwrap().len(), 2);
    let key = "ab".repeat(32);
    let other = home.staunch(["scan", "a.txt", "--format", "jsonl"]).env("STAUNCH_FINGERPRINT_KEY", &key).output();
    assert_ne!(findings(&other)[0]["fingerprint"], print("a.txt"));
}

#[test]
fn ctrl_c_prints_what_was_found_and_says_that_it_is_not_all() {
    let home = Home::new();
    fs::write(home.work().join("a.txt"), token()).unwrap();
    // Zeros without end: only the signal ends this scan.
    // Sent once the program listens, which on a busy machine takes it a while; where that cannot be seen, after ten seconds.
    let listens = "$((0x$(awk '/SigCgt/ { print $2 }' /proc/$child/status || echo 0) & 2))";
    let script = format!(
        "\"$0\" scan --format jsonl - < /dev/zero & child=$!; for n in $(seq 50); do [ {listens} -ne 0 ] && break; sleep 0.2; \
         done; sleep 1; kill -INT $child; wait $child; exit $?"
    );
    let output = home.program("bash", ["-c", &script, env!("CARGO_BIN_EXE_staunch")]).output();
    assert_eq!(output.code(), Some(2), "{}", output.stderr());
    assert_eq!(summary(&output)["coverage"]["interrupted"], true);
}

#[test]
fn runs_of_one_text_take_time_in_proportion() {
    let home = Home::new();
    for (name, text) in
        [("prefixes", "sk-".repeat(1_000_000)), ("letters", "A".repeat(3_000_000)), ("zeros", "0".repeat(3_000_000))]
    {
        fs::write(home.work().join(name), text).unwrap();
        // Takes a second; quadratic would take hours.
        let output = home.staunch(["scan", name]).limit(std::time::Duration::from_mins(1)).output();
        assert_eq!(output.code(), Some(0), "{name}: {}", output.stdout());
    }
}

#[cfg(unix)]
#[test]
fn settings_that_never_end_and_a_folder_that_is_gone_are_errors() {
    let home = Home::new();
    let made = home.program("mkfifo", ["pipe"]).output();
    assert_eq!(made.code(), Some(0), "{}", made.stderr());
    for settings in ["pipe", "/dev/zero"] {
        let output = home.staunch(["scan", "--config", settings]).output();
        assert_eq!(output.code(), Some(2), "{settings}");
        assert!(output.stderr().contains("not a file"), "{settings}: {}", output.stderr());
    }
    assert_eq!(
        home.staunch(["scan", "--config", "/dev/null", "/dev/null"]).output().code(),
        Some(2),
        "a target that is no file"
    );
    let script = format!("mkdir gone && cd gone && rmdir ../gone && {} scan", env!("CARGO_BIN_EXE_staunch"));
    let output = home.program("sh", ["-c", &script]).output();
    assert_eq!(output.code(), Some(2), "{}", output.stdout());
    assert!(output.stdout().contains("No such file"), "{}", output.stdout());
}

#[test]
fn as_many_as_are_kept_are_not_too_many() {
    let home = Home::new();
    let letters = |mut n: usize| {
        let mut text = String::from("zFeKORdjjZKtfphJWAMMYNoXHyCCtL");
        for _ in 0..4 {
            text.push(char::from(b'A' + (n % 26) as u8));
            n /= 26;
        }
        text
    };
    for (count, code) in [(20_000, 1), (20_001, 2)] {
        let lines: Vec<String> = (0..count).map(|n| format!("t = hf{}{}\n", '_', letters(n))).collect();
        let text = lines.concat();
        fs::write(home.work().join("many.txt"), text).unwrap();
        let output = home.staunch(["scan", "--format", "jsonl", "many.txt"]).output();
        let summary = output.stdout().lines().last().unwrap().to_owned();
        assert_eq!(output.code(), Some(code), "{count}: {}", &summary[..summary.len().min(1000)]);
    }
}
