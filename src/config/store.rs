//! `[[responder.store]]`: a place that may hold credentials for those that use them, and with what it is read and written. What
//! it needs to log in never stands in the file.

use url::Url;

use super::provider::{address, credential};
use super::{CredentialFrom, Operator};
use crate::declared::{Table, near};
use crate::secret::Fingerprint;

/// The kinds that there are. `respond` opens them; a test in `cli` holds both lists together.
pub const STORE_KINDS: &[&str] = &[
    "aws-ecs-service",
    "aws-lambda",
    "aws-secrets-manager",
    "aws-ssm",
    "file",
    "github-actions",
    "gitlab-variable",
    "kubernetes-secret",
    "vault-kv",
];

/// A place that may hold credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// One of [`STORE_KINDS`].
    pub kind: String,
    /// What names it there.
    pub at: String,
    /// The Region, where it is AWS's.
    pub region: Option<String>,
    /// Where the service is, for one that the operator runs.
    pub address: Option<Url>,
    /// Where the credential that opens it is read.
    pub credential: Option<CredentialFrom>,
    /// For one that nobody can read: the credential that it holds.
    pub holds: Option<Fingerprint>,
    /// The same: which part of it.
    pub part: Option<String>,
}

/// Reads one entry.
pub(super) fn read(table: &Table<'_, '_>, operator: &mut Operator) {
    let kind = table.need("kind").and_then(|value| {
        let kind = value.text()?;
        if STORE_KINDS.contains(&kind.as_str()) {
            return Some(kind);
        }
        let mean = near(STORE_KINDS.iter().copied(), &kind);
        let mean = if mean.is_empty() { String::new() } else { format!("; did you mean {}?", mean.join(", ")) };
        value.mistake(format!("there is no kind of store {kind:?}{mean}; known: {}", STORE_KINDS.join(", ")));
        None
    });
    let at = table.need_text("at");
    let (region, part) = (table.text("region"), table.text("part"));
    let address = table.get("address").and_then(|value| address(&value, "address"));
    let credential = credential(table);
    let holds = table.get("holds").and_then(|value| {
        let print = value.text()?.parse().ok();
        if print.is_none() {
            value.mistake("`holds` is a finding's whole fingerprint, as `staunch triage --format json` gives it");
        }
        print
    });
    if holds.is_some() != part.is_some() {
        table.mistake("`holds` and `part` belong together: which credential it holds, and which part of it");
    }
    table.finish();
    let (Some(kind), Some(at)) = (kind, at) else { return };
    if kind == "github-actions" && holds.is_none() {
        table.mistake("nobody can read a secret of GitHub Actions: say what it holds, with `holds` and `part`");
    }
    if kind == "file" && !std::path::Path::new(&at).is_absolute() {
        table.mistake("`at` of a file is its whole path, from the root on");
    }
    let same = |other: &Store| (&other.kind, &other.at, &other.region, &other.address) == (&kind, &at, &region, &address);
    if operator.stores.iter().any(same) {
        table.mistake(format!("the store {at:?} is listed twice"));
    }
    operator.stores.push(Store { kind, at, region, address, credential, holds, part });
}

/// A workload that reads a store only at its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    /// `kubernetes-deployment`.
    pub kind: String,
    /// `NAMESPACE/NAME`.
    pub at: String,
    /// The `at` of the store that it reads.
    pub reads: String,
    /// Where its API server is.
    pub address: Option<Url>,
    /// Where the credential is read that restarts it.
    pub credential: Option<CredentialFrom>,
}

const DEPLOYMENT: &str = "kubernetes-deployment";

/// Reads one `[[responder.consumer]]`.
pub(super) fn consumer(table: &Table<'_, '_>, operator: &mut Operator) {
    let kind = table.need("kind").and_then(|value| value.one_of(&[(DEPLOYMENT, DEPLOYMENT)]));
    let (at, reads) = (table.need_text("at"), table.need_text("reads"));
    let address = table.get("address").and_then(|value| address(&value, "address"));
    let credential = credential(table);
    if let Some(reads) = &reads
        && !operator.stores.iter().any(|store| store.at == *reads)
    {
        table.mistake(format!("`reads` is {reads:?}, and no [[responder.store]] has that `at`"));
    }
    table.finish();
    let (Some(kind), Some(at), Some(reads)) = (kind, at, reads) else { return };
    operator.consumers.push(Consumer { kind: kind.to_owned(), at, reads, address, credential });
}

#[cfg(test)]
mod tests {
    use super::Operator;

    #[test]
    fn stores_are_read_and_every_mistake_has_its_line() {
        let print = format!("{}-{}", "0".repeat(8), "1".repeat(64));
        let text = format!(
            "[[responder.store]]\nkind = \"vault-kv\"\nat = \"secret/data/app\"\naddress = \"https://vault.corp\"\n\
             credential = \"env:VAULT_TOKEN\"\n[[responder.store]]\nkind = \"github-actions\"\nat = \"o/r/KEY\"\n\
             credential = \"env:GH\"\nholds = \"{print}\"\npart = \"secret\"\n"
        );
        let operator = Operator::read("c.toml", &text, &[]).expect("good");
        assert_eq!(operator.stores.len(), 2);
        assert_eq!(operator.stores[1].holds.map(|print| print.to_string()), Some(print));
        let text = "[[responder.store]]\nkind = \"kubernetes-secret\"\nat = \"prod/api\"\n[[responder.consumer]]\n\
                    kind = \"kubernetes-deployment\"\nat = \"prod/web\"\nreads = \"prod/api\"\n";
        assert_eq!(Operator::read("c.toml", text, &[]).expect("good").consumers[0].reads, "prod/api");
        let astray = Operator::read("c.toml", &text.replace("reads = \"prod/api\"", "reads = \"prod/apo\""), &[]);
        assert!(astray.expect_err("a mistake").to_string().contains("no [[responder.store]] has that `at`"));
        let wrong = "[[responder.store]]\nkind = \"vault\"\nat = \"x\"\n[[responder.store]]\nkind = \"file\"\nat = \".env\"\n\
                     [[responder.store]]\nkind = \"github-actions\"\nat = \"o/r/K\"\n[[responder.store]]\nkind = \"aws-ssm\"\n\
                     at = \"/a\"\ncredential = \"hunter2-hunter2\"\nholds = \"x\"\n";
        let mistakes = Operator::read("c.toml", wrong, &[]).expect_err("mistakes");
        let lines: Vec<usize> = mistakes.0.iter().map(|mistake| mistake.line).collect();
        assert_eq!(lines, [2, 4, 7, 13, 14], "{mistakes}");
        assert!(mistakes.to_string().contains("did you mean vault-kv?") && !mistakes.to_string().contains("hunter2"));
    }
}
