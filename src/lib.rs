//! Staunch finds leaked keys, proves which are live, names the workload that owns each, and shuts them off.
//!
//! bytes → `source` → `detect` → findings → `validate` (is it live?) → `ownership` (whose workload is it?) → `respond`
//! (plan, approve, act, verify, undo) → `report`. The rooms and which may name which stand in `tests/it/architecture.rs`.

pub mod attest;
pub mod cli;
pub mod config;
pub mod declared;
pub mod detect;
pub mod drill;
pub mod fetch;
pub mod model;
pub mod net;
pub mod ownership;
pub mod report;
pub mod respond;
pub mod sandbox;
pub mod scan;
pub mod secret;
pub mod source;
pub mod store;
pub mod validate;
