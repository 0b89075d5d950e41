//! What the provider itself says of a credential's owner, asked with the responder's own credentials.

pub(super) mod iam;
pub(super) mod identity;
