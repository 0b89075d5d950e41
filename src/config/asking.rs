//! `[ownership]` and `[kubernetes]`: which running systems are asked whose a credential is, and where a cluster is. None is asked
//! unless it is named here.

use url::Url;

use super::{CredentialFrom, Operator, provider};
use crate::declared::{Table, Value, near};

/// Systems that can be asked.
pub const SYSTEMS: [&str; 5] = ["anthropic", "aws", "hashicorp-vault", "kubernetes", "openai"];

/// A cluster: a kubeconfig, or an address and a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kubernetes {
    /// A kubeconfig file.
    pub kubeconfig: Option<String>,
    /// The context in it; its current one without.
    pub context: Option<String>,
    /// The API server.
    pub server: Option<Url>,
    /// Where the bearer token for it is read.
    pub credential: Option<CredentialFrom>,
}

/// Reads `[ownership]`.
pub(super) fn ownership(table: &Table<'_, '_>, operator: &mut Operator) {
    let asked = table.get("ask");
    for value in asked.iter().flat_map(Value::items) {
        let Some(name) = value.text() else { continue };
        if !SYSTEMS.contains(&name.as_str()) {
            let mean = near(SYSTEMS, &name);
            let mean = if mean.is_empty() { String::new() } else { format!("; did you mean {}?", mean.join(", ")) };
            value.mistake(format!("there is no system {name:?} to ask{mean}; there are {}", SYSTEMS.join(", ")));
            continue;
        }
        let missing = match name.as_str() {
            "kubernetes" => operator.kubernetes.is_none().then(|| "a [kubernetes] table says where it is".to_owned()),
            "aws" => operator.accounts.is_empty().then(|| "a [[responder.aws]] says with which account".to_owned()),
            other => {
                let known =
                    operator.providers.iter().any(|provider| provider.name == other && provider.credential.is_some());
                (!known).then(|| format!("a [[responder.provider]] of {other} with a `credential` says as whom"))
            }
        };
        match missing {
            Some(missing) => value.mistake(format!("{name} cannot be asked before {missing}")),
            None => drop(operator.ask.insert(name)),
        }
    }
    table.finish();
}

/// Reads `[kubernetes]`.
pub(super) fn kubernetes(table: &Table<'_, '_>) -> Kubernetes {
    let cluster = Kubernetes {
        kubeconfig: table.text("kubeconfig"),
        context: table.text("context"),
        server: table.get("server").and_then(|value| provider::address(&value, "server")),
        credential: table.get("credential").and_then(|value| CredentialFrom::read(&value)),
    };
    match (&cluster.kubeconfig, &cluster.server, &cluster.credential) {
        (Some(_), None, None) => {}
        (None, Some(_), Some(_)) if cluster.context.is_none() => {}
        _ => table.mistake("[kubernetes] takes a `kubeconfig`, perhaps with a `context`, or a `server` and a `credential`"),
    }
    table.finish();
    cluster
}

#[cfg(test)]
mod tests {
    use super::super::Operator;

    const PROVIDERS: &[&str] = &["openai", "hashicorp-vault"];

    fn read(text: &str) -> Result<Operator, String> {
        Operator::read("c.toml", text, PROVIDERS).map_err(|mistakes| mistakes.to_string())
    }

    #[test]
    fn systems_are_asked_where_it_is_said_as_whom() {
        let text = "[ownership]\nask = [\"kubernetes\", \"openai\", \"aws\"]\n[kubernetes]\nkubeconfig = \"/k\"\ncontext = \"prod\"\n\
                    [[responder.aws]]\naccount = \"123456789012\"\n[[responder.provider]]\nname = \"openai\"\ncredential = \
                    \"env:A\"\nowned = []\n";
        let operator = read(text).expect("good");
        assert_eq!(operator.ask.iter().map(String::as_str).collect::<Vec<_>>(), ["aws", "kubernetes", "openai"]);
        let cluster = operator.kubernetes.expect("a cluster");
        assert_eq!((cluster.kubeconfig.as_deref(), cluster.context.as_deref()), (Some("/k"), Some("prod")));
        let direct = read("[kubernetes]\nserver = \"https://10.0.0.1:6443\"\ncredential = \"file:/t\"\n").expect("good");
        assert!(direct.kubernetes.is_some() && direct.ask.is_empty());
    }

    #[test]
    fn what_is_missing_or_misspelt_is_told_with_its_line() {
        for (text, said) in [
            (
                "[ownership]\nask = [\"kubernets\"]\n",
                "c.toml:2: there is no system \"kubernets\" to ask; did you mean kubernetes?",
            ),
            ("[ownership]\nask = [\"kubernetes\"]\n", "kubernetes cannot be asked before a [kubernetes] table"),
            ("[ownership]\nask = [\"aws\"]\n", "aws cannot be asked before a [[responder.aws]]"),
            ("[ownership]\nask = [\"openai\"]\n", "openai cannot be asked before a [[responder.provider]] of openai"),
            ("[kubernetes]\nkubeconfig = \"/k\"\nserver = \"https://a\"\n", "takes a `kubeconfig`"),
            ("[kubernetes]\nserver = \"https://a\"\n", "takes a `kubeconfig`"),
            ("[kubernetes]\nserver = \"a\"\ncredential = \"env:T\"\n", "`server` is no URL"),
            ("[ownership]\nasks = []\n", "asks"),
        ] {
            let why = read(text).expect_err(text);
            assert!(why.contains(said), "{text}: {why}");
        }
    }
}
