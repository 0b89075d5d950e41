//! Archives as real programs make them, through the real binary: the same findings as in the unpacked folder, what cannot be
//! read said, nothing followed. What a fresh machine may lack (python3 is there for the services) is built in Rust instead.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::harness::program::{Home, Output};

/// A Hugging Face token, made up here; `n` makes it another.
fn token(n: u8) -> String {
    format!("hf{}{}", "_zFeKORdjjZKtfphJWAMMYNoXHyCCtLBt", ["KN", "KM", "LN", "LM", "MN"][usize::from(n)])
}

fn findings(output: &Output) -> Vec<Value> {
    let text = output.stdout();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines[..lines.len() - 1].to_vec()
}

fn summary(output: &Output) -> Value {
    serde_json::from_str(output.stdout().lines().last().unwrap()).unwrap()
}

/// Every place: path, line, column.
fn places(output: &Output) -> Vec<(String, u64, u64)> {
    let findings = findings(output);
    let occurrences = findings.iter().flat_map(|finding| finding["occurrences"].as_array().unwrap());
    let place = |place: &Value| {
        (place["path"].as_str().unwrap().to_owned(), place["line"].as_u64().unwrap(), place["column"].as_u64().unwrap())
    };
    let mut all: Vec<_> = occurrences.map(place).collect();
    all.sort();
    all
}

fn scan(home: &Home, arguments: &[&str]) -> Output {
    let output = home.staunch([&["scan", "--format", "jsonl"], arguments].concat()).output();
    assert!(!output.stderr().contains("panicked"), "{}", output.stderr());
    output
}

/// Runs Python, which makes what only it makes so.
fn python(home: &Home, script: &str) {
    let output = home.program("python3", ["-c", script]).output();
    assert_eq!(output.code(), Some(0), "{}", output.stderr());
}

fn tree(root: &Path) {
    for (path, text) in [
        ("app/settings.py", format!("# settings\n\nTOKEN = '{}'\n", token(0))),
        ("app/data.txt", "x".repeat(100_000)),
        ("deploy/.env", format!("HF_TOKEN={}\n", token(1))),
        ("README.md", "nothing\n".to_owned()),
    ] {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

const MAKE: &str = r#"
import gzip, bz2, lzma, os, shutil, sqlite3, sys, tarfile, zipfile, py_compile, json
for kind in ["zip", "tar", "gztar", "bztar", "xztar"]:
    shutil.make_archive("made-" + kind, kind, "tree")
for kind in [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT]:
    with tarfile.open(f"made-{kind}.tar", "w", format=kind) as tar:
        tar.add("tree", arcname=".")
with zipfile.ZipFile("stored.jar", "w") as outer:
    for folder, _, names in os.walk("tree"):
        for name in names:
            path = os.path.join(folder, name)
            outer.write(path, os.path.relpath(path, "tree"))
with zipfile.ZipFile("bz.whl", "w", zipfile.ZIP_BZIP2) as outer:
    outer.write("tree/app/settings.py", "app/settings.py")
    outer.write("tree/deploy/.env", "deploy/.env")
"#;

#[test]
fn the_same_is_found_packed_as_unpacked() {
    let home = Home::new();
    tree(&home.work().join("tree"));
    python(&home, MAKE);
    let strip = |mut all: Vec<(String, u64, u64)>, cut: &str| {
        for place in &mut all {
            place.0 = place.0.strip_prefix(cut).unwrap_or_else(|| panic!("{}", place.0)).to_owned();
        }
        all
    };
    let unpacked = strip(places(&scan(&home, &["tree"])), "tree/");
    assert_eq!(unpacked, [("app/settings.py".to_owned(), 3, 10), ("deploy/.env".to_owned(), 1, 10)]);
    for made in [
        "made-zip.zip",
        "made-tar.tar",
        "made-gztar.tar.gz",
        "made-bztar.tar.bz2",
        "made-xztar.tar.xz",
        "made-0.tar",
        "made-1.tar",
        "made-2.tar",
        "stored.jar",
        "bz.whl",
    ] {
        let output = scan(&home, &[made]);
        assert_eq!((output.code(), strip(places(&output), &format!("{made}!"))), (Some(1), unpacked.clone()), "{made}");
        let provenance = &findings(&output)[0]["occurrences"][0]["provenance"];
        assert_eq!((&provenance["kind"], provenance["member"].as_array().unwrap().len()), (&"archive".into(), 1));
        // Standard input can only be read onwards.
        let piped =
            home.staunch(["scan", "--format", "jsonl", "-"]).stdin(&fs::read(home.work().join(made)).unwrap()).output();
        assert_eq!((piped.code(), strip(places(&piped), "<stdin>!")), (Some(1), unpacked.clone()), "{made} from stdin");
    }
}

#[test]
fn nesting_is_followed_as_deep_as_was_asked_for_and_said_where_it_ends() {
    let home = Home::new();
    fs::write(home.work().join("a.txt"), token(0)).unwrap();
    python(
        &home,
        "import zipfile\nlast = 'a.txt'\nfor n in range(4):\n    z = zipfile.ZipFile(f'{n}.zip', 'w', 8); z.write(last); z.close(); last = f'{n}.zip'",
    );
    let two = scan(&home, &["2.zip"]);
    assert_eq!((two.code(), places(&two)), (Some(1), vec![("2.zip!1.zip!0.zip!a.txt".to_owned(), 1, 1)]));
    let member = &findings(&two)[0]["occurrences"][0]["provenance"]["member"];
    assert_eq!(member, &serde_json::json!(["1.zip", "0.zip", "a.txt"]));
    let three = scan(&home, &["3.zip"]);
    assert_eq!((three.code(), findings(&three).len()), (Some(2), 0));
    assert_eq!(summary(&three)["coverage"]["troubles"][0]["path"], "3.zip!2.zip!1.zip!0.zip");
    assert_eq!(scan(&home, &["3.zip", "--archive-depth", "4"]).code(), Some(1));
    let none = scan(&home, &["3.zip", "--archive-depth", "0"]);
    assert_eq!(none.code(), Some(0));
    assert_eq!(summary(&none)["coverage"]["skipped"]["archive, read as it stands (--archive-depth 0)"], 1);
}

#[test]
fn texts_in_databases_notebooks_compiled_modules_and_documents_are_found() {
    let home = Home::new();
    fs::write(home.work().join("t.txt"), token(0)).unwrap();
    python(
        &home,
        r#"
import json, py_compile, sqlite3, zlib
token = open("t.txt").read()
db = sqlite3.connect("a.sqlite3")
db.execute("create table settings (name text, value text)")
db.executemany("insert into settings values (?, ?)", [("n%d" % n, "x" * 50) for n in range(500)] + [("hf_token", token)])
db.commit()
open("m.py", "w").write("TOKEN = '%s'\n" % token)
py_compile.compile("m.py", "m.pyc")
json.dump({"cells": [{"cell_type": "code", "source": ["import os\n", "token = '%s'\n" % token]}]}, open("n.ipynb", "w"), indent=1)
page = b"BT /F1 12 Tf 72 700 Td [(token: hf_)-20(%s)] TJ ET" % token[3:].encode()
packed = zlib.compress(page)
open("d.pdf", "wb").write(b"%%PDF-1.4\n4 0 obj\n<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream\nendobj\n" % (len(packed), packed))
"#,
    );
    for (file, path, line) in [
        ("a.sqlite3", "a.sqlite3!(rows)", None),
        ("m.pyc", "m.pyc!(texts)", None),
        ("n.ipynb", "n.ipynb", Some(7)),
        ("d.pdf", "d.pdf!(stream 1)", Some(1)),
    ] {
        let output = scan(&home, &[file]);
        let places = places(&output);
        assert_eq!((output.code(), places.len()), (Some(1), 1), "{file}: {places:?}");
        assert!(places[0].0 == path && line.is_none_or(|line| places[0].1 == line), "{places:?}");
    }
}

#[test]
fn what_cannot_be_opened_makes_it_incomplete_and_loses_nothing_else() {
    let home = Home::new();
    tree(&home.work().join("tree"));
    python(&home, MAKE);
    let work = home.work();
    let whole = fs::read(work.join("made-gztar.tar.gz")).unwrap();
    fs::write(work.join("cut.tgz"), &whole[..whole.len() - 8]).unwrap();
    let output = scan(&home, &["cut.tgz"]);
    assert_eq!((output.code(), places(&output).len()), (Some(2), 2));
    assert_eq!(summary(&output)["complete"], false);
    let zip = fs::read(work.join("made-zip.zip")).unwrap();
    fs::write(work.join("cut.zip"), &zip[..zip.len() - 40]).unwrap();
    let output = scan(&home, &["cut.zip"]);
    assert_eq!((output.code(), places(&output).len()), (Some(2), 2), "{}", output.stdout());
    // A name that leads out of everything is only a name.
    python(
        &home,
        "import zipfile\nz = zipfile.ZipFile('up.zip', 'w'); z.writestr('../../../../etc/passwd', open('tree/deploy/.env').read()); z.close()",
    );
    let output = scan(&home, &["up.zip"]);
    assert_eq!((output.code(), places(&output)[0].0.as_str()), (Some(1), "up.zip!../../../../etc/passwd"));
    // Not an archive at all, though it begins like one: it is read as it stands, and said.
    fs::write(work.join("not.gz"), [b"\x1f\x8b\x08\x00 ", token(2).as_bytes()].concat()).unwrap();
    let output = scan(&home, &["not.gz"]);
    assert_eq!((output.code(), places(&output).len()), (Some(2), 1), "{}", output.stdout());
}

#[test]
fn a_bomb_is_bounded_and_said() {
    let home = Home::new();
    // 16 zips in each of 16 zips, of 20 MB of zeros each: 5 GB, of some 300 KB.
    python(
        &home,
        r#"
import io, zipfile
def pack(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", 8) as z:
        for name, data in members: z.writestr(name, data)
    return out.getvalue()
inner = pack([("zeros", bytes(20 << 20))])
for n in range(2): inner = pack([("%d.zip" % m, inner) for m in range(16)])
open("bomb.zip", "wb").write(inner)
"#,
    );
    let output = scan(&home, &["bomb.zip"]);
    assert_eq!(output.code(), Some(2));
    let summary = summary(&output);
    assert!(summary["coverage"]["troubles"].to_string().contains("expands to more than"), "{summary}");
    assert!(summary["coverage"]["bytes"].as_u64().unwrap() < 300 << 20, "{summary}");
}

#[test]
fn what_programs_keep_below_home_is_read_and_environments_are() {
    let home = Home::new();
    let at = home.root().join("home");
    for (n, path) in [".config/gh/hosts.yml", ".bash_history", ".claude.json"].iter().enumerate() {
        let path = at.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("token: {}\n", token(u8::try_from(n).unwrap()))).unwrap();
    }
    fs::write(at.join("other.txt"), token(3)).unwrap();
    fs::write(home.work().join("here.txt"), token(4)).unwrap();
    let output = scan(&home, &["--home"]);
    assert_eq!((output.code(), places(&output).len()), (Some(1), 3), "{}", output.stdout());
    let run = home.staunch(["scan", "--format", "jsonl", "--env"]).env("HF_TOKEN", token(0));
    let output = run.output();
    assert_eq!((output.code(), places(&output)[0].0.as_str()), (Some(1), "<environment>"));
    assert_eq!(findings(&output)[0]["occurrences"][0]["provenance"]["kind"], "environment");
    if cfg!(target_os = "linux") {
        let output = home.staunch(["scan", "--format", "jsonl", "--processes"]).env("HF_TOKEN", token(1)).output();
        let places = places(&output);
        assert!(places.iter().any(|place| place.0.starts_with("/proc/") && place.0.ends_with("/environ")), "{places:?}");
    }
}

#[test]
fn the_old_form_of_xz_is_opened() {
    let home = Home::new();
    fs::write(home.work().join("a.txt"), format!("TOKEN = '{}'\n", token(0))).unwrap();
    let make = r#"
import lzma, tarfile, io
text = open("a.txt", "rb").read()
for name, preset in [("a.txt.lzma", 6), ("b.txt.lzma", 9)]:
    open(name, "wb").write(lzma.compress(text * 3, format=lzma.FORMAT_ALONE, preset=preset))
out = io.BytesIO()
with tarfile.open(fileobj=out, mode="w") as tar:
    tar.add("a.txt")
open("c.tar.lzma", "wb").write(lzma.compress(out.getvalue(), format=lzma.FORMAT_ALONE))
cut = lzma.compress(text * 3000, format=lzma.FORMAT_ALONE)
open("d.txt.lzma", "wb").write(cut[:-20])
"#;
    python(&home, make);
    for (name, inner) in [("a.txt.lzma", "a.txt"), ("b.txt.lzma", "b.txt"), ("c.tar.lzma", "a.txt")] {
        let output = scan(&home, &[name]);
        assert_eq!(
            (places(&output)[0].0.as_str(), output.code()),
            (&*format!("{name}!{inner}"), Some(1)),
            "{}",
            output.stderr()
        );
    }
    assert_eq!(scan(&home, &["d.txt.lzma"]).code(), Some(2));
}
