//! Integration tests: one binary, one module a subject. Tests in `services` need `tests/services start`; `tests/run`
//! does everything.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on panics, reads the settings of tests/services, and makes its own AWS clients"
)]

mod architecture;
mod archives;
mod asking;
mod bad_input;
mod corpus;
mod demo;
mod detectors;
mod drilling;
mod everywhere;
mod formats;
mod git;
mod harness;
mod history;
mod hub;
mod images;
mod knocking;
mod naming;
mod owning;
mod quieting;
mod readme;
mod reported;
mod rereading;
mod responding;
mod rotating;
mod services;
mod watching;
