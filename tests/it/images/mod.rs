//! Images in every form, sound and hostile: what is in any layer is found, what later layers hide is said, and what cannot
//! be read makes the scan incomplete.

pub(crate) mod fixtures;
mod hostile;
mod registry;

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::program::{Home, Output};
use fixtures::{GZIP, Layout, PLAIN, ZSTD, gzip, saved, sha256, tar, token, zstd};

/// What a scan of one target said.
struct Scan {
    output: Output,
    lines: Vec<Value>,
}

impl Scan {
    fn of(home: &Home, arguments: &[&str]) -> Self {
        Self::from(home.staunch([&["scan", "--format", "jsonl", "--quiet"], arguments].concat()).output())
    }

    fn code(&self) -> Option<i32> {
        self.output.code()
    }

    fn summary(&self) -> &Value {
        self.lines.last().unwrap()
    }

    fn skipped(&self, reason: &str) -> u64 {
        self.summary()["coverage"]["skipped"][reason].as_u64().unwrap_or(0)
    }

    /// Every trouble as one text.
    fn troubles(&self) -> String {
        self.summary()["coverage"]["troubles"].to_string()
    }

    /// The places at which a path ends so.
    fn places(&self, path: &str) -> Vec<&Value> {
        let findings = &self.lines[..self.lines.len() - 1];
        let places = findings.iter().flat_map(|finding| finding["occurrences"].as_array().unwrap());
        places.filter(|place| place["path"].as_str().unwrap().ends_with(path)).collect()
    }

    fn place(&self, path: &str) -> &Value {
        let places = self.places(path);
        assert_eq!(places.len(), 1, "{path} in {}\n{}", self.output.stdout(), self.output.stderr());
        places[0]
    }

    fn is_hidden(&self, path: &str) -> bool {
        self.place(path)["provenance"]["hidden"] == true
    }
}

impl From<Output> for Scan {
    fn from(output: Output) -> Self {
        assert!(!output.stderr().contains("panicked"), "{}", output.stderr());
        let lines: Vec<Value> = output.stdout().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(!lines.is_empty(), "{}", output.stderr());
        Self { output, lines }
    }
}

fn write(home: &Home, name: &str, bytes: &[u8]) -> PathBuf {
    let path = home.work().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

/// Three layers; the second and third hide most of the first.
fn layers() -> Vec<Vec<u8>> {
    let line = |number| format!("key={}\n", token(number)).into_bytes();
    let first = tar(&[
        ("./app/.env", &line(1)),
        ("app/conf/a.ini", &line(2)),
        ("app/over.ini", &line(3)),
        ("/app/stays.ini", &line(4)),
        ("app/gone/deep/b.ini", &line(5)),
    ]);
    let second = tar(&[("app/.wh..env", b""), ("app/conf/.wh..wh..opq", b""), ("app/conf/new.ini", &line(6))]);
    let third = tar(&[("app/over.ini", b"fine\n"), ("app/.wh.gone", b"")]);
    vec![first, second, third]
}

fn config() -> Value {
    json!({
        "os": "linux", "architecture": "amd64", "created": "2024-05-06T07:08:09Z",
        "config": {"Env": [format!("HF_TOKEN={}", token(7))], "Cmd": ["serve", format!("--token={}", token(8))],
            "Labels": {"org.opencontainers.image.source": "https://git.example/app", "org.opencontainers.image.revision": "abc"}},
        "history": [
            {"created": "2024-05-06T07:08:01Z", "created_by": "COPY . /app # buildkit"},
            {"created_by": "ENV HF_TOKEN", "empty_layer": true},
            {"created_by": format!("RUN |1 TOKEN={} /bin/sh -c rm /app/.env", token(9))},
            {"created_by": "RUN rm -r /app/gone"},
        ],
    })
}

/// The same image in every form.
fn forms(home: &Home) -> Vec<String> {
    let (config, layers) = (config(), layers());
    let mut layout = Layout::default();
    let packed = [(GZIP, gzip(&layers[0])), (ZSTD, zstd(&layers[1])), (PLAIN, layers[2].clone())];
    layout.image(("linux", "amd64"), &config, &packed);
    layout.write(&home.work().join("layout"));
    let archive = layout.archive(&[]);
    write(home, "oci.tar", &archive);
    write(home, "oci.tar.gz", &gzip(&archive));
    let config_hex = layout.blobs.iter().find(|(_, bytes)| bytes.starts_with(b"{\"arch")).unwrap().0;
    let names: Vec<String> = packed.iter().map(|(_, bytes)| format!("blobs/sha256/{}", sha256(bytes))).collect();
    let manifest = json!([{"Config": format!("blobs/sha256/{config_hex}"), "RepoTags": null, "Layers": names}]).to_string();
    write(home, "docker25.tar", &layout.archive(&[("manifest.json", manifest.as_bytes())]));
    let old = saved(&config, &layers);
    write(home, "docker.tar", &old);
    write(home, "docker.tar.zst", &zstd(&old));
    [
        "oci:layout",
        "oci-archive:oci.tar",
        "oci-archive:oci.tar.gz",
        "docker-archive:docker25.tar",
        "docker-archive:docker.tar",
        "docker-archive:docker.tar.zst",
    ]
    .map(str::to_owned)
    .to_vec()
}

#[test]
fn every_form_gives_the_same_findings_and_says_what_later_layers_hide() {
    let home = Home::new();
    for target in forms(&home) {
        let scan = Scan::of(&home, &[&target]);
        assert_eq!(scan.code(), Some(1), "{target}: {}", scan.troubles());
        for hidden in ["!app/.env", "!app/conf/a.ini", "!app/over.ini", "!app/gone/deep/b.ini"] {
            assert!(scan.is_hidden(hidden), "{target} {hidden}");
        }
        for seen in ["!app/stays.ini", "!app/conf/new.ini", "!config"] {
            assert!(!scan.is_hidden(seen), "{target} {seen}");
        }
        // The build argument, and the command's own.
        assert_eq!(scan.places("!history").len(), 2, "{target}");
        assert_eq!(scan.lines.len(), 9 + 1, "{target}");
        let from = &scan.place("!app/stays.ini")["provenance"];
        assert_eq!(
            (&from["kind"], &from["image"], &from["platform"]),
            (&json!("layer"), &json!(target), &json!("linux/amd64"))
        );
        assert_eq!(from["created_by"], "COPY . /app # buildkit");
        assert_eq!(from["date"], "2024-05-06T07:08:01Z");
        assert_eq!((&from["source"], &from["revision"]), (&json!("https://git.example/app"), &json!("abc")));
        assert!(from["layer"].as_str().unwrap().starts_with("sha256:"));
        // Found values stand in a history line too, and are shown nowhere.
        let made = scan.place("!app/conf/new.ini")["provenance"]["created_by"].as_str().unwrap();
        assert!(made.contains("/bin/sh -c rm") && !made.contains(&token(9)), "{made}");
        assert!(!scan.output.stdout().contains(&token(9)));
    }
}

#[test]
fn people_are_told_which_layer_and_that_it_is_hidden() {
    let home = Home::new();
    forms(&home);
    let output = home.staunch(["scan", "oci:layout"]).output().stdout();
    assert!(output.contains("oci:layout!app/.env:1:5 (in sha256:"), "{output}");
    assert!(output.contains("deleted or overwritten by a later one, still in the image"), "{output}");
}

#[test]
fn every_platform_unless_one_is_asked_for() {
    let home = Home::new();
    let mut layout = Layout::default();
    let shared = gzip(&tar(&[("shared.ini", format!("key={}", token(1)).as_bytes())]));
    for (number, architecture) in [(2, "amd64"), (3, "arm64")] {
        let own = gzip(&tar(&[(&format!("{architecture}.ini"), format!("key={}", token(number)).as_bytes())]));
        let config = json!({"os": "linux", "architecture": architecture});
        let image = layout.image(("linux", architecture), &config, &[(GZIP, shared.clone()), (GZIP, own)]);
        // What BuildKit puts beside it.
        let statement = format!("{{\"predicate\": {{\"args\": \"key={}\"}}}}", token(number + 10));
        let blob = layout.blob("application/vnd.in-toto+json", statement.as_bytes());
        let config =
            layout.blob("application/vnd.oci.image.config.v1+json", b"{\"architecture\": \"unknown\", \"os\": \"unknown\"}");
        layout.manifest(("unknown", "unknown"), &json!({"schemaVersion": 2, "config": config, "layers": [blob]}));
        let attestation = layout.manifests.last_mut().unwrap();
        attestation["annotations"] =
            json!({"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image["digest"]});
    }
    layout.write(&home.work().join("two"));
    // A registry's image has an index of its own below the layout's.
    let inner = layout.blob("application/vnd.oci.image.index.v1+json", &layout.clone().index());
    layout.manifests = vec![inner];
    layout.write(&home.work().join("nested"));
    for target in ["oci:two", "oci:nested"] {
        let all = Scan::of(&home, &[target]);
        assert_eq!((all.code(), all.lines.len()), (Some(1), 5 + 1), "{}", all.troubles());
        // Each layer once, however many images have it.
        assert_eq!(all.place("!shared.ini")["provenance"]["platform"], "linux/amd64, linux/arm64");
        let one = Scan::of(&home, &[target, "--platform", "linux/arm64"]);
        assert_eq!((one.code(), one.lines.len()), (Some(1), 3 + 1), "{}", one.troubles());
        assert!(one.places("!amd64.ini").is_empty() && one.skipped("image for another platform") == 1);
        let none = Scan::of(&home, &[target, "--platform", "plan9/mips"]);
        assert_eq!(none.code(), Some(2));
        assert!(
            none.troubles().contains("no image for plan9/mips, only for linux/amd64, linux/arm64"),
            "{}",
            none.troubles()
        );
    }
    assert_eq!(home.staunch(["scan", "oci:two", "--platform", "arm64"]).output().code(), Some(2));
}

#[test]
fn a_tag_picks_one_and_without_one_nothing_is_left_out() {
    let home = Home::new();
    let mut layout = Layout::default();
    for number in 1..3 {
        let layer = tar(&[(&format!("{number}.ini"), format!("key={}", token(number)).as_bytes())]);
        layout.image(("linux", "amd64"), &json!({}), &[(PLAIN, layer)]);
        layout.manifests.last_mut().unwrap()["annotations"] =
            json!({"org.opencontainers.image.ref.name": format!("v{number}")});
    }
    // Of a tag that was moved: nothing names it, and it is there.
    layout.blob(GZIP, &gzip(&tar(&[("old.ini", format!("key={}", token(3)).as_bytes())])));
    layout.write(&home.work().join("d"));
    let all = Scan::of(&home, &["oci:d"]);
    assert_eq!((all.code(), all.lines.len()), (Some(1), 3 + 1), "{}", all.troubles());
    assert_eq!(all.places("!old.ini").len(), 1);
    let one = Scan::of(&home, &["oci:d:v2"]);
    assert_eq!((one.code(), one.lines.len()), (Some(1), 1 + 1), "{}", one.troubles());
    let none = Scan::of(&home, &["oci:d:v3"]);
    assert!(none.code() == Some(2) && none.troubles().contains("no image with the tag v3"), "{}", none.troubles());
}

#[test]
fn layers_that_were_read_before_are_skipped_when_asked_and_counted() {
    let home = Home::new();
    let mut layout = Layout::default();
    let low = gzip(&tar(&[("a.ini", format!("key={}", token(1)).as_bytes())]));
    let clean = gzip(&tar(&[(".wh.a.ini", b""), ("fine.txt", b"nothing here\n")]));
    layout.image(("linux", "amd64"), &json!({}), &[(GZIP, low), (GZIP, clean)]);
    layout.write(&home.work().join("d"));
    let reason = "layer read before, nothing found in it";
    for (expected, arguments) in
        [(0, &["oci:d"][..]), (0, &["oci:d", "--skip-layers"]), (1, &["oci:d", "--skip-layers"]), (0, &["oci:d"])]
    {
        let scan = Scan::of(&home, arguments);
        assert_eq!((scan.code(), scan.skipped(reason)), (Some(1), expected));
        assert!(scan.is_hidden("!a.ini"), "a skipped layer still hides what it deletes");
    }
    // Other settings, other notes.
    let scan = Scan::of(&home, &["oci:d", "--skip-layers", "--confidence", "low"]);
    assert_eq!(scan.skipped(reason), 0);
}
