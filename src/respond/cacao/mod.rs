//! Playbooks as OASIS CACAO 2.0 (Security Playbooks Version 2.0, OASIS Committee Specification 01, 27 November 2023; its JSON schemas
//! are at oasis-open/cacao-json-schemas). What CACAO has no words for (undo, approval, reversibility, needs, quiet periods) stands in
//! an extension of each step, so that a playbook comes back as it was.
//!
//! Identifiers are made from the playbook and the step's name, so that the same file gives the same export: the playbook's as a
//! UUIDv5 by the specification's own rule, a step's in the shape of UUIDv4.

mod export;
mod import;
#[cfg(test)]
mod tests;

use data_encoding::HEXLOWER;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};

pub use export::export;
pub use import::import;

/// Whoever made the export, as an identity of STIX.
const CREATOR: &str = "identity--5c0f1f0e-6a0b-4d4e-9a57-3f1f6f6f2b61";
/// Our extension.
const EXTENSION: &str = "extension-definition--0d0d6a0c-5f0b-4c7e-8f7f-6f8f8a1f9d11";
/// Who does what no program does.
const RESPONDERS: &str = "group--7d8f4c1e-1f64-4a55-8a86-0b9a6f1d2c31";
/// Who agrees.
const APPROVERS: &str = "group--2b6d9f70-93c1-4f0c-b0c7-5d1c3a7e4f52";
/// The specification's namespace for playbooks: aa7caf3a-d55a-4e9a-b34e-056215fba56a.
const NAMESPACE: [u8; 16] = [0xaa, 0x7c, 0xaf, 0x3a, 0xd5, 0x5a, 0x4e, 0x9a, 0xb3, 0x4e, 0x05, 0x62, 0x15, 0xfb, 0xa5, 0x6a];

/// Sixteen bytes as a UUID of that version.
fn uuid(bytes: &[u8], version: u8) -> String {
    let mut bytes: Vec<u8> = bytes.iter().copied().take(16).collect();
    bytes.resize(16, 0);
    bytes[6] = (bytes[6] & 0x0f) | (version << 4);
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = HEXLOWER.encode(&bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// Section 10.10: version 5 over the canonical JSON of name and types.
fn playbook_id(name: &str, types: &[&str]) -> String {
    let named = serde_json::json!({ "name": name, "playbook_types": types }).to_string();
    let bytes = digest(&SHA1_FOR_LEGACY_USE_ONLY, &[NAMESPACE.as_slice(), named.as_bytes()].concat());
    format!("playbook--{}", uuid(bytes.as_ref(), 5))
}

fn step_id(kind: &str, playbook: &str, name: &str) -> String {
    let bytes = digest(&SHA256, format!("staunch\n{playbook}\n{kind}\n{name}").as_bytes());
    format!("{kind}--{}", uuid(bytes.as_ref(), 4))
}
