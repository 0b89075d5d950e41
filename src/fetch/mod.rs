//! A remote image → manifests and blobs as streams for `source`. Every request goes through `net`; which programs and files
//! may know a password is the operator's word.

mod challenge;
mod login;
mod reference;
mod registry;

pub use login::{Login, LoginFiles};
pub use reference::{Reference, Version};
pub use registry::{Body, Manifest, Registry};

use crate::net::NetError;

/// What can go wrong with a registry. Never holds a password or a token.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// What was named is no image in a registry.
    #[error("{0:?} is no image like docker://REGISTRY/NAME:TAG or docker://REGISTRY/NAME@sha256:…")]
    Reference(String),
    /// No connection, no answer, not allowed.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The registry wants to know who asks.
    #[error("{host} refuses to hand it out ({known}); log in with `docker login`, `podman login` or `skopeo login`")]
    Unauthorized {
        /// The registry.
        host: String,
        /// As whom it was asked.
        known: String,
    },
    /// There is no such thing.
    #[error("{0} has no such image or part")]
    NotFound(String),
    /// An answer that is none.
    #[error("{host} answered with status {status}")]
    Status {
        /// Who.
        host: String,
        /// What.
        status: u16,
    },
    /// Redirected too often, or to nowhere.
    #[error("{0} redirects to no end")]
    Redirects(String),
    /// A challenge, token or range that cannot be understood.
    #[error("{host} answers with {what} that cannot be understood")]
    Answer {
        /// Who.
        host: String,
        /// What.
        what: &'static str,
    },
    /// A login file.
    #[error("{0} cannot be read as a docker or podman login file")]
    LoginFile(String),
    /// A credential helper.
    #[error("the credential helper {0}")]
    Helper(String),
}
