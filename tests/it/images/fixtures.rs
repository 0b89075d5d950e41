//! Makes images: layers as tar, wrapped in every form that images come in. What is wrong with one is put in on purpose.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

/// A Hugging Face token that is nobody's; another one for each number.
pub(crate) fn token(number: u64) -> String {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d;
    let letters = (0..34).map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = (state >> 33) % 52;
        char::from(if at < 26 { b'a' + at as u8 } else { b'A' + (at - 26) as u8 })
    });
    format!("hf{}{}", '_', letters.collect::<String>())
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, bytes);
    data_encoding::HEXLOWER.encode(hash.as_ref())
}

/// A tar archive of (path, content) in that order. The path is written as it is, whatever it is.
pub(crate) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, content) in files {
        archive.append(&header(path, tar::EntryType::Regular, content.len() as u64), *content).unwrap();
    }
    archive.into_inner().unwrap()
}

/// A header that asks nobody whether its path is a good one.
pub(crate) fn header(path: &str, kind: tar::EntryType, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    header
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 1).unwrap()
}

pub(crate) const GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
pub(crate) const ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
pub(crate) const PLAIN: &str = "application/vnd.oci.image.layer.v1.tar";
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Blobs by digest, and an index.
#[derive(Default, Clone)]
pub(crate) struct Layout {
    pub(crate) blobs: BTreeMap<String, Vec<u8>>,
    pub(crate) manifests: Vec<Value>,
}

impl Layout {
    pub(crate) fn blob(&mut self, media_type: &str, bytes: &[u8]) -> Value {
        let hex = sha256(bytes);
        self.blobs.insert(hex.clone(), bytes.to_vec());
        json!({"mediaType": media_type, "digest": format!("sha256:{hex}"), "size": bytes.len()})
    }

    /// An image, and its descriptor in the index.
    pub(crate) fn image(&mut self, platform: (&str, &str), config: &Value, layers: &[(&str, Vec<u8>)]) -> Value {
        let config = self.blob("application/vnd.oci.image.config.v1+json", config.to_string().as_bytes());
        let layers: Vec<Value> = layers.iter().map(|(kind, bytes)| self.blob(kind, bytes)).collect();
        self.manifest(platform, &json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}))
    }

    pub(crate) fn manifest(&mut self, platform: (&str, &str), manifest: &Value) -> Value {
        let mut descriptor = self.blob(MANIFEST, manifest.to_string().as_bytes());
        descriptor["platform"] = json!({"os": platform.0, "architecture": platform.1});
        self.manifests.push(descriptor.clone());
        descriptor
    }

    pub(crate) fn index(&self) -> Vec<u8> {
        json!({"schemaVersion": 2, "manifests": self.manifests}).to_string().into_bytes()
    }

    pub(crate) fn write(&self, folder: &Path) {
        let blobs = folder.join("blobs/sha256");
        std::fs::create_dir_all(&blobs).unwrap();
        std::fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion": "1.0.0"}"#).unwrap();
        std::fs::write(folder.join("index.json"), self.index()).unwrap();
        for (hex, bytes) in &self.blobs {
            std::fs::write(blobs.join(hex), bytes).unwrap();
        }
    }

    /// As one tar archive, with further members.
    pub(crate) fn archive(&self, more: &[(&str, &[u8])]) -> Vec<u8> {
        let index = self.index();
        let named: Vec<(String, &[u8])> =
            self.blobs.iter().map(|(hex, bytes)| (format!("blobs/sha256/{hex}"), bytes.as_slice())).collect();
        let mut files: Vec<(&str, &[u8])> = named.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
        files.extend([("oci-layout", &b"{}"[..]), ("index.json", &index)]);
        files.extend(more);
        tar(&files)
    }
}

/// What `docker save` wrote before version 25; the layers are tar.
pub(crate) fn saved(config: &Value, layers: &[Vec<u8>]) -> Vec<u8> {
    let mut config = config.clone();
    config["rootfs"] =
        json!({"type": "layers", "diff_ids": layers.iter().map(|l| format!("sha256:{}", sha256(l))).collect::<Vec<_>>()});
    let config = config.to_string().into_bytes();
    let name = format!("{}.json", sha256(&config));
    let names: Vec<String> = (0..layers.len()).map(|n| format!("{n:064}/layer.tar")).collect();
    let manifest = json!([{"Config": name, "RepoTags": ["app:latest"], "Layers": names}]).to_string();
    let mut files: Vec<(&str, &[u8])> = vec![(&name, &config)];
    files.extend(names.iter().map(String::as_str).zip(layers.iter().map(Vec::as_slice)));
    files.push(("manifest.json", manifest.as_bytes()));
    tar(&files)
}
