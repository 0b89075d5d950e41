//! The detectors that come with the program: one line a file, checked by a test against the folder.

use super::spec::Source;

macro_rules! builtin {
    ($($id:literal),* $(,)?) => {
        const BUILTIN: &[(&str, &str)] = &[$(($id, include_str!(concat!("../../detectors/", $id, ".toml")))),*];
    };
}

builtin![
    "anthropic-admin-key",
    "anthropic-api-key",
    "aws-access-key",
    "aws-session-key",
    "bedrock-long-term-key",
    "bedrock-short-term-key",
    "github-classic-token",
    "github-fine-grained-token",
    "google-api-key",
    "google-auth-key",
    "huggingface-user-token",
    "kubernetes-secret",
    "openai-admin-key",
    "openai-legacy-key",
    "openai-project-key",
    "openai-service-account-key",
    "private-key",
    "slack-token",
];

/// The built-in detector files, in order of id.
pub fn builtin_sources() -> Vec<Source> {
    BUILTIN.iter().map(source).collect()
}

/// The built-in detector file of that id.
pub(super) fn builtin_source(id: &str) -> Option<Source> {
    BUILTIN.iter().find(|(other, _)| *other == id).map(source)
}

/// The built-in detectors' ids.
pub(super) fn builtin_ids() -> impl Iterator<Item = &'static str> {
    BUILTIN.iter().map(|(id, _)| *id)
}

fn source(&(id, text): &(&str, &str)) -> Source {
    Source { id: id.to_owned(), file: format!("detectors/{id}.toml"), text: text.to_owned() }
}

#[cfg(test)]
mod tests;
