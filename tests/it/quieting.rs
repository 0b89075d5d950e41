//! Quieting, safely: what is allowed is counted and never lost, whoever is not trusted allows nothing, and what is written
//! down for a repository gives nothing away.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::canary::Canaries;
use crate::harness::program::{Home, Output};

/// Hugging Face tokens, made up here, which differ in the last letter.
fn token(digit: char) -> String {
    let last = char::from(b'A' + (digit as u8 - b'0'));
    format!("hf{}{last}", "_zFeKORdjjZKtfphJWAMMYNoXHyCCtLBtK")
}

/// A pair of AWS keys, made up here.
fn pair(secret_end: char) -> (String, String) {
    let secret = format!("kVx7Tq2mZp9Lr4Wb8Nd3Hs6Jf1Gc5Yk0Ae{}{secret_end}", "/Xu+R");
    (format!("AK{}", "IAQYLPMN5HFIQR7XYA"), secret)
}

struct Scan(Output);

impl Scan {
    /// Scans with the summary in JSON.
    fn of(home: &Home, arguments: &[&str]) -> Self {
        Self(home.staunch([&["scan", "--format", "jsonl"], arguments].concat()).output())
    }

    fn lines(&self) -> Vec<Value> {
        self.0.stdout().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn coverage(&self) -> Value {
        let lines = self.lines();
        let last = lines.last().unwrap_or_else(|| panic!("no summary; it said: {}", self.0.stderr()));
        assert_eq!(last["schema"], "staunch.summary/1");
        last["coverage"].clone()
    }

    /// Every place that is reported, as `path:line`.
    fn places(&self) -> Vec<String> {
        let lines = self.lines();
        let occurrences = lines.iter().filter_map(|line| line["occurrences"].as_array()).flatten();
        let place = |at: &Value| format!("{}:{}", at["path"].as_str().unwrap(), at["line"]);
        let mut places: Vec<String> = occurrences.map(place).collect();
        places.sort();
        places
    }

    /// Places reported, what is allowed, what is disregarded.
    fn told(&self) -> (Vec<String>, Value, Value) {
        let coverage = self.coverage();
        (self.places(), coverage["allowed"].clone(), coverage["disregarded"].clone())
    }
}

fn write(home: &Home, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = home.work().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

#[test]
fn each_marker_allows_its_line_and_is_counted() {
    let home = Home::new();
    let inline = ["staunch:allow", "gitleaks:allow", "pragma: allowlist secret", "trufflehog:ignore"];
    let mut lines = vec![format!("plain = {}", token('0'))];
    lines.extend(inline.iter().zip('1'..).map(|(marker, digit)| format!("k = {}  # {marker}", token(digit))));
    lines.extend(["# pragma: allowlist nextline secret".to_owned(), format!("k = {}", token('6'))]);
    lines.push(format!("k = {} # nosec noqa betterleaks:allow", token('7')));
    let text = lines.join("\n");
    write(&home, &[("a.py", &text)]);
    let allowed = json!({
        "staunch:allow": 1, "gitleaks:allow": 1, "trufflehog:ignore": 1,
        "pragma: allowlist secret": 1, "pragma: allowlist nextline secret": 1,
    });
    let scan = Scan::of(&home, &["."]);
    assert_eq!(scan.told(), (vec!["a.py:1".into(), "a.py:8".into()], allowed.clone(), json!({})));
    for flags in [["--no-inline-allow", "."], ["--untrusted", "."]] {
        let scan = Scan::of(&home, &flags);
        assert_eq!(scan.places().len(), 7);
        assert_eq!((&scan.coverage()["allowed"], &scan.coverage()["disregarded"]), (&json!({}), &allowed));
    }
    let by_variable = home.staunch(["scan", "a.py"]).env("STAUNCH_NO_INLINE_ALLOW", "1").output();
    assert!(by_variable.stdout().contains("; disregarded: 1 gitleaks:allow, "), "{}", by_variable.stdout());
    let human = home.staunch(["scan", "-v", "a.py"]).output();
    assert!(human.stdout().contains("; allowed: 1 gitleaks:allow, "), "{}", human.stdout());
    assert!(human.stderr().contains("allowed: a.py:2 huggingface-user-token (staunch:allow)"), "{}", human.stderr());
    let stdin = home.staunch(["scan", "-"]).stdin(format!("{} staunch:allow\n", token('1')).as_bytes()).output();
    assert_eq!(stdin.code(), Some(0));
}

#[test]
fn markers_count_for_wrapped_and_long_secrets_and_in_big_files() {
    let home = Home::new();
    let (id, secret) = pair('1');
    let keys = |comment: &str| data_encoding::BASE64.encode(format!("id={id} secret={secret}{comment}\n").as_bytes());
    let (base64, hidden) = (keys(""), keys(" # staunch:allow"));
    let key =
        [("-----BEGIN ", "RSA PRIVATE KEY-----"), ("-----END ", "RSA PRIVATE KEY-----")].map(|(a, b)| format!("{a}{b}"));
    // PKCS#8 of X25519 around bytes that are nothing: the scanner looks whether there is a key.
    let octets: Vec<u8> = (0..25).flat_map(|n| [n * 7 + 1, n, 200 - n, 99, n * 3].repeat(10)[..48].to_vec()).collect();
    let head = [0x30, 0x82, 0x04, 0xbe, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x82, 0x04, 0xb0];
    let text = data_encoding::BASE64.encode(&[head.as_slice(), &octets].concat());
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|row| std::str::from_utf8(row).unwrap()).collect();
    let pem = format!("{}\n{}\n{}", key[0], lines.join("\n"), key[1]);
    write(
        &home,
        &[
            ("wrapped.yaml", &format!("a: {base64} # staunch:allow\n")),
            ("inside.yaml", &format!("a: {hidden}\n")),
            ("utf16.txt", ""),
        ],
    );
    let utf16 = format!("\u{feff}x\r\nk = {} # staunch:allow\r\n", token('3'));
    fs::write(home.work().join("utf16.txt"), utf16.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()).unwrap();
    let scan = Scan::of(&home, &["."]);
    assert_eq!(
        scan.told(),
        (vec!["inside.yaml:1".into()], json!({ "staunch:allow": 2 }), json!({})),
        "not what is hidden inside"
    );

    write(&home, &[("plain.pem", &format!("{pem}\n")), ("marked.pem", &format!("{pem} # gitleaks:allow\n"))]);
    let scan = Scan::of(&home, &["plain.pem", "marked.pem"]);
    assert_eq!(scan.told(), (vec!["plain.pem:1".into()], json!({ "gitleaks:allow": 1 }), json!({})));

    // Windows are of 2 MiB, the first with a margin of 4 KiB more: marked keys before, after and across their edges.
    for shift in [0, 15, 30, 45, 60] {
        let mut big = Vec::new();
        for edge in [1i64, 2] {
            for at in [-4200, -4090, -130, -50, 30, 4000, 4100] {
                let at = usize::try_from((edge << 21) + 4096 + at + shift).unwrap();
                assert!(at > big.len());
                big.resize(at, b'.');
                big.extend_from_slice(format!("\nk = {} # staunch:allow\n", token('4')).as_bytes());
            }
        }
        big.extend_from_slice(format!("k = {}\n", token('5')).as_bytes());
        fs::write(home.work().join("big"), big).unwrap();
        let scan = Scan::of(&home, &["big"]);
        assert_eq!((scan.places().len(), &scan.coverage()["allowed"]), (1, &json!({ "staunch:allow": 14 })), "{shift}");
    }
}

const SETTINGS: &str = "[[allow]]\nreason = 'samples for the tests'\npaths = ['tests/', '!tests/real*']\n\
                        [[allow]]\nreason = 'we have no such thing'\ndetectors = ['slack-token']\n\
                        [[allow]]\nreason = 'until the move'\nexpires = 2020-01-31\npaths = ['old.txt']\n\
                        [[skip]]\nreason = 'not ours'\npaths = ['/vendor/']\n";

fn tree(home: &Home) {
    let slack = format!("xox{}-091334123281-2067974034471-hExGooebgpxCR7YEf9wHq943", "b");
    write(
        home,
        &[
            ("repo/.git/config", ""),
            ("repo/.staunch.toml", SETTINGS),
            ("repo/tests/a.txt", &token('1')),
            ("repo/tests/real.txt", &token('2')),
            ("repo/old.txt", &token('3')),
            ("repo/vendor/x.txt", &token('4')),
            ("repo/src/slack.txt", &slack),
            ("repo/src/b.txt", &token('5')),
        ],
    );
}

#[test]
fn a_trusted_tree_allows_what_its_file_says_and_everything_is_counted() {
    let home = Home::new();
    tree(&home);
    let scan = Scan::of(&home, &["repo"]);
    let (places, allowed, disregarded) = scan.told();
    assert_eq!(places, ["repo/old.txt:1", "repo/src/b.txt:1", "repo/tests/real.txt:1"]);
    assert_eq!(allowed, json!({ ".staunch.toml: samples for the tests": 1, ".staunch.toml: we have no such thing": 1 }));
    assert_eq!(disregarded, json!({ ".staunch.toml: until the move (expired 2020-01-31)": 1 }));
    assert_eq!(scan.coverage()["skipped"]["left out by .staunch.toml: not ours"], 1);
    assert!(scan.0.stderr().contains("repo/.staunch.toml:7: expired"), "{}", scan.0.stderr());
    // From wherever in the tree one looks, and at single files.
    assert_eq!(Scan::of(&home, &["repo/src"]).places(), ["repo/src/b.txt:1"]);
    let inside = home.staunch(["scan", "tests", "vendor/x.txt"]).current_dir(&home.work().join("repo")).output();
    assert!(inside.code() == Some(1) && inside.stdout().contains("1 finding in 2 files"), "{}", inside.stdout());
    assert_eq!(Scan::of(&home, &["repo/tests/a.txt"]).0.code(), Some(0));
    let said = home.staunch(["scan", "-v", "repo/src"]).output().stderr();
    assert!(said.contains("repo/.staunch.toml:1: nothing was found that it allows"), "{said}");
    assert!(said.contains("repo/.staunch.toml:11: nothing was found that it allows") && !said.contains("toml:4:"), "{said}");
    assert!(said.contains("allowed: repo/src/slack.txt:1 slack-token (.staunch.toml: we have no such thing)"), "{said}");
    assert_eq!(home.staunch(["scan", "-q", "repo"]).output().stderr(), "");
}

#[test]
fn an_untrusted_tree_allows_nothing_and_what_it_would_is_said() {
    let home = Home::new();
    tree(&home);
    let scan = Scan::of(&home, &["repo", "--untrusted"]);
    let (places, allowed, disregarded) = scan.told();
    assert_eq!((places.len(), allowed), (6, json!({})));
    assert_eq!(
        disregarded,
        json!({
            ".staunch.toml: samples for the tests": 1, ".staunch.toml: we have no such thing": 1,
            ".staunch.toml: until the move (expired 2020-01-31)": 1, "left out by .staunch.toml: not ours": 1,
        })
    );
    let by_variable = home.staunch(["scan", "repo", "--format", "jsonl"]).env("STAUNCH_UNTRUSTED", "1").output();
    assert_eq!(Scan(by_variable).places().len(), 6);
    // Its mistakes are not ours either.
    write(&home, &[("repo/.staunch.toml", "[[allow]]\n")]);
    let scan = Scan::of(&home, &["repo", "--untrusted"]);
    assert_eq!((scan.0.code(), scan.places().len()), (Some(1), 6));
    assert!(scan.0.stderr().contains("repo/.staunch.toml:1: `reason` is missing"), "{}", scan.0.stderr());
}

#[test]
fn every_mistake_is_said_and_nothing_but_allowing_can_be_asked_for() {
    let home = Home::new();
    tree(&home);
    let hostile = "[network]\nallow_nets = ['0.0.0.0/0']\n[[allow]]\nreason = 'r'\ndetectors = ['nonsense']\n[[allow]]\npaths = ['a']\n";
    write(&home, &[("repo/.staunch.toml", hostile), ("other/.staunch.toml", "baseline = 'x'\n"), ("other/a", &token('1'))]);
    let output = home.staunch(["scan", "repo", "other"]).output();
    assert_eq!((output.code(), output.stdout()), (Some(2), String::new()));
    for wanted in [
        "repo/.staunch.toml:1: unknown key `network`",
        "repo/.staunch.toml:5: no detector has this id",
        "repo/.staunch.toml:6: `reason` is missing",
        "other/.staunch.toml:1: unknown key `baseline`",
        "--untrusted",
    ] {
        assert!(output.stderr().contains(wanted), "{wanted} in {}", output.stderr());
    }
    let deep = format!("allow = {}", "[".repeat(200_000));
    for (text, wanted) in [(deep.as_str(), ":1: "), (&"#\n".repeat(200_000), "larger than 256 KiB")] {
        write(&home, &[("other/.staunch.toml", text)]);
        let output = home.staunch(["scan", "other"]).output();
        assert!(output.code() == Some(2) && output.stderr().contains(wanted), "{}", output.stderr());
        assert_eq!(Scan::of(&home, &["other", "--untrusted"]).places(), ["other/a:1"]);
    }
}

#[test]
fn a_link_out_of_the_tree_allows_nothing() {
    let home = Home::new();
    write(&home, &[("repo/.git/x", ""), ("repo/a.txt", &token('1')), ("elsewhere", "[[allow]]\nreason='r'\npaths=['*']\n")]);
    symlink("../elsewhere", home.work().join("repo/.staunch.toml")).unwrap();
    let scan = Scan::of(&home, &["repo"]);
    assert_eq!((scan.0.code(), scan.places()), (Some(1), vec!["repo/a.txt:1".to_owned()]));
    assert!(scan.0.stderr().contains("leads out of its tree"), "{}", scan.0.stderr());
}

#[test]
fn a_fingerprint_allows_one_secret_wherever_it_stands() {
    let home = Home::new();
    write(&home, &[("a.txt", &format!("{}\n{}\n", token('1'), token('2')))]);
    let lines = Scan::of(&home, &["."]).lines();
    let print = lines.iter().find(|line| line["occurrences"][0]["line"] == 1).unwrap()["fingerprint"].as_str().unwrap();
    for text in [print, &print[..21]] {
        write(&home, &[(".staunch.toml", &format!("[[allow]]\nreason = 'r'\nfingerprints = ['{text}']\n"))]);
        assert_eq!(Scan::of(&home, &["."]).places(), ["a.txt:2"], "{text}");
    }
    write(&home, &[(".staunch.toml", &format!("[[allow]]\nreason = 'r'\nfingerprints = ['{print}']\npaths = ['b*']\n"))]);
    assert_eq!(Scan::of(&home, &["."]).places(), ["a.txt:1", "a.txt:2"], "all that it names must hold");
}

/// Writes a baseline of the working folder and returns its text.
fn baseline(home: &Home, name: &str) -> String {
    let output = home.staunch(["scan", ".", "--write-baseline", name]).output();
    assert_eq!(output.code(), Some(1), "writing quiets nothing: {}", output.stderr());
    assert!(output.stderr().contains(&format!("{name}: wrote ")), "{}", output.stderr());
    fs::read_to_string(home.work().join(name)).unwrap()
}

#[test]
fn a_baseline_quiets_what_was_there_wherever_it_moves_and_nothing_new() {
    let home = Home::new();
    let (id, secret) = pair('1');
    let env = |secret: &str| format!("AWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={secret}\n");
    write(&home, &[("a.txt", &format!("x = {}\n", token('1'))), ("prod.env", &env(&secret))]);
    baseline(&home, "base.json");
    let scan = |arguments: &[&str]| Scan::of(&home, &[&["--baseline", "base.json", "."], arguments].concat());
    let quiet = scan(&[]);
    assert_eq!(
        (quiet.0.code(), quiet.told()),
        (Some(0), (vec![], json!({ "baseline": 2 }), json!({}))),
        "and it holds no finding itself"
    );
    // Another place, another file, another machine.
    fs::remove_file(home.work().join("a.txt")).unwrap();
    write(&home, &[("sub/b.txt", &format!("\n\n\n y:  {} z\n", token('1'))), ("copy.env", &env(&secret))]);
    assert_eq!(scan(&[]).0.code(), Some(0));
    let elsewhere = home.staunch(["scan", ".", "--baseline", "base.json"]).env("STAUNCH_STATE", "/proc/nowhere").output();
    assert_eq!(elsewhere.code(), Some(0), "{}", elsewhere.stderr());
    let by_variable = home.staunch(["scan", "."]).env("STAUNCH_BASELINE", "base.json").output();
    assert_eq!(by_variable.code(), Some(0));
    // A new secret on an old line; a new secret of an old id.
    write(&home, &[("sub/b.txt", &format!("\n\n\n y:  {} z\n", token('2'))), ("copy.env", &env(&pair('2').1))]);
    assert_eq!(scan(&[]).places(), ["copy.env:2", "sub/b.txt:4"]);
    let said = home.staunch(["scan", "sub", "-v", "--baseline", "base.json"]).output().stderr();
    assert!(said.contains("base.json: nothing was found for 3 of its 3 entries"), "{said}");
}

#[test]
fn a_baseline_gives_nothing_away_and_changes_only_where_something_changed() {
    let home = Home::new();
    let (id, secret) = pair('1');
    write(
        &home,
        &[("sub/secret-place.env", &format!("AWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={secret}\nT={}\n", token('1')))],
    );
    let first = baseline(&home, "base.json");
    let canaries =
        Canaries::new(&[("the secret", secret.as_bytes()), ("the id", id.as_bytes()), ("the token", token('1').as_bytes())]);
    let found = canaries.in_bytes("base.json", first.as_bytes());
    assert!(found.is_empty(), "{found:#?}");
    let sha = |algorithm, value: &str| {
        data_encoding::HEXLOWER.encode(&ring::digest::digest(algorithm, value.as_bytes()).as_ref()[..16])
    };
    for fast in [&ring::digest::SHA256, &ring::digest::SHA1_FOR_LEGACY_USE_ONLY] {
        assert!(!first.contains(&sha(fast, &secret)) && !first.contains(&sha(fast, &token('1'))));
    }
    for word in ["secret-place", "sub", "aws", "huggingface", "key_id"] {
        assert!(!first.to_lowercase().contains(word), "{word}");
    }
    assert_eq!(baseline(&home, "base.json"), first, "the same salt while it is the same file");
    let other = baseline(&home, "other.json");
    let digests = |text: &str| -> Vec<String> {
        let json: Value = serde_json::from_str(text).unwrap();
        json["known"].as_array().unwrap().iter().map(|digest| digest.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(digests(&first).len(), 3);
    assert!(digests(&other).iter().all(|digest| !first.contains(digest)));
    write(&home, &[("new.txt", &token('2'))]);
    let grown = baseline(&home, "base.json");
    assert_eq!(grown.lines().count(), first.lines().count() + 1);
    assert!(digests(&first).iter().all(|digest| grown.contains(digest)));
    // What an older baseline quiets stays in the new one.
    let both = home.staunch(["scan", ".", "--baseline", "base.json", "--write-baseline", "third.json"]).output();
    assert_eq!(both.code(), Some(0), "{}", both.stderr());
    assert_eq!(Scan::of(&home, &[".", "--baseline", "third.json"]).0.code(), Some(0));
}

#[test]
fn what_is_no_baseline_is_said_and_never_overwritten() {
    let home = Home::new();
    write(
        &home,
        &[
            ("a.txt", &token('1')),
            ("notes.md", "# To do\nnothing\n"),
            ("report.json", "[{\"RuleID\":\"x\"}]"),
            ("empty", ""),
        ],
    );
    for (file, wanted) in [
        ("notes.md", "line 2: not `path:rule:line`"),
        ("report.json", "neither a baseline of staunch"),
        ("empty", "it is empty"),
        ("absent", "cannot read the baseline absent"),
        (".", "cannot read the baseline ."),
    ] {
        let output = home.staunch(["scan", ".", "--baseline", file]).output();
        assert!(output.code() == Some(2) && output.stderr().contains(wanted), "{file}: {}", output.stderr());
    }
    let output = home.staunch(["scan", ".", "--write-baseline", "notes.md"]).output();
    assert!(output.code() == Some(2) && output.stderr().contains("not overwritten"), "{}", output.stderr());
    assert_eq!(fs::read_to_string(home.work().join("notes.md")).unwrap(), "# To do\nnothing\n");
    let output = home.staunch(["scan", ".", "--write-baseline", "nowhere/base.json"]).output();
    assert_eq!(output.code(), Some(2));
}

#[test]
fn lists_of_gitleaks_and_detect_secrets_mean_what_they_mean_there() {
    let home = Home::new();
    let lines = |first: char| format!("one\nk = {}\nk = {}\n", token(first), token('9'));
    write(&home, &[("repo/.git/x", ""), ("repo/src/a.py", &lines('1')), ("repo/src/b.py", &lines('1'))]);
    write(&home, &[("repo/.gitleaksignore", "# old\nsrc/a.py:generic-api-key:2\nsrc/gone.py:generic-api-key:7\n")]);
    let sha1 = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, token('1').as_bytes());
    let entry = json!([{ "type": "Hex", "filename": "src/b.py", "is_verified": false, "line_number": 2,
        "hashed_secret": data_encoding::HEXLOWER.encode(sha1.as_ref()) }]);
    let text = json!({ "version": "1.5.0", "plugins_used": [], "results": { "src/b.py": entry }, "generated_at": "" });
    write(&home, &[("elsewhere/.secrets.baseline", &text.to_string())]);
    let both = ["repo", "--baseline", "repo/.gitleaksignore,elsewhere/.secrets.baseline"];
    let scan = Scan::of(&home, &both);
    let allowed = json!({ "gitleaks ignore file": 1, "detect-secrets baseline": 1 });
    assert_eq!(scan.told(), (vec!["repo/src/a.py:3".into(), "repo/src/b.py:3".into()], allowed, json!({})));
    // A place stays allowed whatever comes to stand there; a value in its file, wherever it moves.
    write(&home, &[("repo/src/a.py", &lines('2')), ("repo/src/b.py", &format!("\n\n\n{}", lines('1')))]);
    assert_eq!(Scan::of(&home, &both).places(), ["repo/src/a.py:3", "repo/src/b.py:6"]);
    write(&home, &[("repo/src/b.py", &lines('3'))]);
    assert_eq!(Scan::of(&home, &both).places().len(), 3);
    let said = home.staunch(["scan", "repo", "-v", "--baseline", "repo/.gitleaksignore"]).output().stderr();
    assert!(said.contains("repo/.gitleaksignore:3: nothing was found there"), "{said}");
    write(&home, &[("repo/.gitleaksignore", "4b825dc642cb6eb9a060e54bf8d69288fbee4904:src/a.py:generic-api-key:2\n")]);
    let scan = Scan::of(&home, &["repo/src/a.py", "--baseline", "repo/.gitleaksignore"]);
    assert_eq!(scan.places(), ["repo/src/a.py:2", "repo/src/a.py:3"]);
    assert!(scan.0.stderr().contains("1 of its fingerprints name a commit"), "{}", scan.0.stderr());
}

#[test]
fn what_is_allowed_leaves_no_secret_anywhere_either() {
    let home = Home::new();
    let (id, secret) = pair('1');
    let slack = format!("xox{}-091334123281-2067974034471-hExGooebgpxCR7YEf9wHq943", "b");
    let tree = tempfile::tempdir().unwrap();
    let file = |path: &Path, text: &str| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    file(&tree.path().join(&slack).join("a.txt"), &format!("{slack} # staunch:allow\n"));
    file(&tree.path().join("b.env"), &format!("AWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={secret}\n"));
    file(&tree.path().join("c.txt"), &token('1'));
    let settings = format!(
        "[[allow]]\nreason = 'it is {secret}'\npaths = ['b.env']\n[[allow]]\nreason = '{slack}'\npaths = ['none']\n"
    );
    file(&tree.path().join(".staunch.toml"), &settings);
    let canaries =
        Canaries::new(&[("aws", secret.as_bytes()), ("slack", slack.as_bytes()), ("token", token('1').as_bytes())]);
    let target = tree.path().to_str().unwrap();
    for format in ["human", "json", "jsonl"] {
        for more in [vec![], vec!["--untrusted"], vec!["--write-baseline", "base.json"], vec!["--baseline", "base.json"]] {
            let arguments = [&["scan", target, "-vvv", "--save", "--format", format][..], &more].concat();
            assert!(matches!(home.staunch(&arguments).output().code(), Some(0 | 1)), "{arguments:?}");
        }
    }
    // A broken file and a secret where a list is expected.
    file(&tree.path().join(".staunch.toml"), &format!("[[allow]]\nreason='r'\nexpires='{secret}'\ndetectors=['{slack}']\n"));
    assert_eq!(home.staunch(["scan", target, "-vvv"]).output().code(), Some(2));
    assert_eq!(
        home.staunch(["scan", target, "-vvv", "--baseline", tree.path().join("b.env").to_str().unwrap()]).output().code(),
        Some(2)
    );
    let found = canaries.in_tree(home.root());
    assert!(found.is_empty(), "{found:#?}");
}
