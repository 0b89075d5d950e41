//! Images made to harm or to deceive: nothing is followed, filled or believed; what could be read is reported.

use std::fs;

use serde_json::{Value, json};

use super::fixtures::{GZIP, Layout, PLAIN, gzip, header, saved, sha256, tar, token, zstd};
use super::{Scan, write};
use crate::harness::program::Home;

fn layer(number: u64) -> Vec<u8> {
    tar(&[("first.ini", format!("key={}\n", token(number)).as_bytes()), ("then.txt", &[b'x'; 5000])])
}

fn layout(layers: &[(&str, Vec<u8>)]) -> Layout {
    let mut layout = Layout::default();
    layout.image(("linux", "amd64"), &json!({"os": "linux", "architecture": "amd64"}), layers);
    layout
}

/// Incomplete, the planted token found all the same, and a word for it.
fn found_and_said(scan: &Scan, word: &str) {
    assert_eq!(scan.code(), Some(2), "{word}: {}", scan.output.stdout());
    assert_eq!(scan.places("first.ini").len(), 1, "{word}: {}", scan.output.stdout());
    assert!(scan.troubles().contains(word), "{word}: {}", scan.troubles());
}

#[test]
fn digests_and_sizes_that_lie() {
    let home = Home::new();
    let bytes = gzip(&layer(1));
    let sound = layout(&[(GZIP, bytes.clone())]);
    let mut digest = sound.clone();
    let text = format!("key={}\nand more, so that its size differs, however well it packs\n", token(2));
    let other = gzip(&tar(&[("first.ini", text.as_bytes())]));
    digest.blobs.insert(sha256(&bytes), other);
    digest.write(&home.work().join("digest"));
    found_and_said(&Scan::of(&home, &["oci:digest"]), "promised");
    // Of the same size, so that the digest alone can tell.
    let (a, b) = (layer(1), layer(2));
    let mut same = layout(&[(PLAIN, a.clone())]);
    same.blobs.insert(sha256(&a), b.clone());
    same.write(&home.work().join("same"));
    found_and_said(&Scan::of(&home, &["oci:same"]), "does not match its digest");
    let mut old = saved(&json!({}), std::slice::from_ref(&a));
    let at = old.windows(a.len()).position(|window| window == a).unwrap();
    old[at..at + b.len()].copy_from_slice(&b);
    write(&home, "old.tar", &old);
    found_and_said(&Scan::of(&home, &["docker-archive:old.tar"]), "does not match its digest");
    // A manifest that is not what the index says.
    let mut manifest = sound.clone();
    let name = manifest.manifests[0]["digest"].as_str().unwrap().replace("sha256:", "");
    let text = String::from_utf8(manifest.blobs[&name].clone()).unwrap();
    manifest.blobs.insert(name, text.replace("\"schemaVersion\":2", "\"schemaVersion\":2,\"x\":1").into_bytes());
    manifest.write(&home.work().join("manifest"));
    found_and_said(&Scan::of(&home, &["oci:manifest"]), "promised");
}

#[test]
fn layers_and_archives_cut_short() {
    let home = Home::new();
    let whole = layer(1);
    // Noise, so that half of the packed bytes hold the first file.
    let noise: Vec<u8> = (0..200_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let long = tar(&[("first.ini", format!("key={}\n", token(1)).as_bytes()), ("noise.bin", &noise)]);
    let (packed, framed) = (gzip(&long), zstd(&long));
    for (name, bytes) in [
        ("gz", packed[..packed.len() / 2].to_vec()),
        ("zst", framed[..framed.len() - 3].to_vec()),
        ("tar", long[..long.len() - 150_000].to_vec()),
    ] {
        layout(&[(GZIP, bytes)]).write(&home.work().join(name));
        found_and_said(&Scan::of(&home, &[&format!("oci:{name}")]), "noise.bin");
    }
    let archive = saved(&json!({}), &[whole]);
    // In the manifest, which stands last, and in a layer before it.
    for (end, word) in
        [(archive.len() - 1024 - 512 + 40, "no manifest that can be read"), (archive.len() / 2, "it is no image")]
    {
        write(&home, "cut.tar", &archive[..end]);
        let scan = Scan::of(&home, &["docker-archive:cut.tar"]);
        assert!(scan.code() == Some(2) && scan.troubles().contains(word), "{word}: {}", scan.output.stdout());
    }
    let cut = home.work().join("cut.tar");
    fs::write(cut, b"").unwrap();
    assert_eq!(Scan::of(&home, &["docker-archive:cut.tar"]).code(), Some(2));
    assert_eq!(Scan::of(&home, &["docker-archive:absent.tar"]).code(), Some(2));
    assert_eq!(Scan::of(&home, &["oci:absent"]).code(), Some(2));
}

#[test]
fn what_stands_behind_a_broken_header_or_the_end_is_read_too() {
    let home = Home::new();
    let mut broken = layer(1);
    // The second header's checksum no longer fits.
    broken[1024 + 10] ^= 1;
    broken.extend_from_slice(format!("\nkey={}\n", token(2)).as_bytes());
    layout(&[(PLAIN, broken)]).write(&home.work().join("broken"));
    let scan = Scan::of(&home, &["oci:broken"]);
    found_and_said(&scan, "checksum");
    assert_eq!(scan.places(".rest").len(), 1, "{}", scan.output.stdout());
    let mut behind = layer(1);
    behind.extend_from_slice(format!("key={}\n", token(2)).as_bytes());
    layout(&[(PLAIN, behind)]).write(&home.work().join("behind"));
    let scan = Scan::of(&home, &["oci:behind"]);
    assert_eq!((scan.code(), scan.places(".rest").len()), (Some(1), 1), "{}", scan.output.stdout());
}

#[test]
fn sizes_in_tar_that_lie_and_headers_without_end() {
    let home = Home::new();
    let mut huge = layer(1);
    huge.truncate(1024);
    huge.extend_from_slice(header("huge.bin", tar::EntryType::Regular, 7 << 30).as_bytes());
    huge.extend_from_slice(b"few bytes");
    layout(&[(PLAIN, huge)]).write(&home.work().join("huge"));
    found_and_said(&Scan::of(&home, &["oci:huge"]), "huge.bin");
    // A pax header of 64 MiB, and a sparse file with a hole of 8 GiB.
    let mut pax = layer(1);
    pax.truncate(1024);
    pax.extend_from_slice(header("x", tar::EntryType::XHeader, 64 << 20).as_bytes());
    pax.resize(pax.len() + (64 << 20), b'x');
    layout(&[(GZIP, zstd(&pax))]).write(&home.work().join("pax"));
    found_and_said(&Scan::of(&home, &["oci:pax"]), "header is larger than any real one");
}

#[test]
fn paths_links_and_devices_do_nothing() {
    let home = Home::new();
    let outside = write(&home, "outside", b"untouched");
    let mut archive = tar::Builder::new(Vec::new());
    let content = format!("key={}\n", token(1));
    let path = format!("../../../..{}", outside.display());
    let path = if path.len() > 100 { "../../outside".to_owned() } else { path };
    archive.append(&header(&path, tar::EntryType::Regular, content.len() as u64), content.as_bytes()).unwrap();
    for (name, kind, target) in [
        ("link", tar::EntryType::Symlink, "/etc/passwd"),
        ("hard", tar::EntryType::Link, "../outside"),
        ("device", tar::EntryType::Block, ""),
        ("pipe", tar::EntryType::Fifo, ""),
    ] {
        let mut header = header(name, kind, 0);
        header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_cksum();
        archive.append(&header, &b""[..]).unwrap();
    }
    layout(&[(PLAIN, archive.into_inner().unwrap())]).write(&home.work().join("d"));
    let scan = Scan::of(&home, &["oci:d"]);
    assert_eq!((scan.code(), scan.lines.len()), (Some(1), 2), "{}", scan.output.stdout());
    assert_eq!((scan.skipped("link in an image"), scan.skipped("device or pipe in an image")), (2, 2));
    assert_eq!(fs::read(outside).unwrap(), b"untouched");
}

#[test]
fn parts_that_are_not_there() {
    let home = Home::new();
    let bytes = gzip(&layer(1));
    let foreign = gzip(&layer(2));
    let kind = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    let mut all = layout(&[(kind, foreign.clone()), (GZIP, bytes.clone())]);
    all.blobs.remove(&sha256(&foreign));
    all.write(&home.work().join("foreign"));
    let scan = Scan::of(&home, &["oci:foreign"]);
    assert_eq!((scan.code(), scan.skipped("layer that the image only points to (foreign)")), (Some(1), 1));
    all.blobs.remove(&sha256(&bytes));
    all.write(&home.work().join("missing"));
    let scan = Scan::of(&home, &["oci:missing"]);
    assert!(scan.code() == Some(2) && scan.troubles().contains("it is not there"), "{}", scan.troubles());
    // A pipe in a blob's place would be waited for without end.
    let pipe = home.work().join("missing/blobs/sha256").join(sha256(&bytes));
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::from_bits_truncate(0o600)).unwrap();
    let scan = Scan::of(&home, &["oci:missing"]);
    assert!(scan.code() == Some(2) && scan.troubles().contains("not a regular file"), "{}", scan.troubles());
}

#[test]
fn documents_that_are_nonsense_name_themselves_or_name_paths() {
    let home = Home::new();
    let index = |name: &str, index: &Value| {
        let folder = home.work().join(name);
        fs::create_dir_all(folder.join("blobs/sha256")).unwrap();
        fs::write(folder.join("index.json"), index.to_string()).unwrap();
        let scan = Scan::of(&home, &[&format!("oci:{name}")]);
        assert_eq!(scan.code(), Some(2), "{name}: {}", scan.output.stdout());
        scan.troubles()
    };
    assert!(index("text", &json!("x")).contains("no index or manifest"));
    assert!(index("old", &json!({"schemaVersion": 1, "fsLayers": []})).contains("schema 1"));
    let path = json!({"manifests": [{"digest": "sha256:../../../../etc/passwd", "size": 1}]});
    assert!(index("path", &path).contains("no digest"));
    let absent = json!({"manifests": [{"digest": format!("sha256:{}", "0".repeat(64)), "size": 1}]});
    assert!(index("absent", &absent).contains("not there"));
    // Indexes nested without end cannot be made, only deeply.
    let mut layout = Layout::default();
    let mut inner = layout.blob("x", b"{\"manifests\": []}");
    for _ in 0..20 {
        inner = layout.blob("x", json!({"manifests": [inner]}).to_string().as_bytes());
    }
    layout.manifests.push(inner);
    layout.write(&home.work().join("deep"));
    let scan = Scan::of(&home, &["oci:deep"]);
    assert!(scan.code() == Some(2) && scan.troubles().contains("nested too deep"), "{}", scan.troubles());
    // Links of an archive that point to each other.
    let mut archive = tar::Builder::new(Vec::new());
    for (name, target) in [("manifest.json", "b"), ("b", "manifest.json")] {
        let mut header = header(name, tar::EntryType::Symlink, 0);
        header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_cksum();
        archive.append(&header, &b""[..]).unwrap();
    }
    write(&home, "loop.tar", &archive.into_inner().unwrap());
    assert_eq!(Scan::of(&home, &["docker-archive:loop.tar"]).code(), Some(2));
}
