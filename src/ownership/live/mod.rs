//! What running systems say, asked with the responder's own credentials.

mod iam;

pub use iam::ask as ask_iam;
