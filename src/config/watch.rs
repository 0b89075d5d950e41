//! `[watch]`: what may be done without a person, and how much of it.

use std::net::SocketAddr;

use super::CredentialFrom;
use crate::declared::Table;

/// What `respond watch` may do by itself. Without an entry, nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// Playbooks that may run.
    pub allow: Vec<WatchAllow>,
    /// Runs begun in an hour.
    pub runs_per_hour: u32,
    /// Runs begun in an hour in one account.
    pub runs_per_account: u32,
    /// Stopped runs in a row that end it until a person looked.
    pub failures: u32,
    /// Where deliveries are heard.
    pub webhook: Option<Webhook>,
}

/// A door at which others say that something was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The address that it listens at.
    pub listen: SocketAddr,
    /// Where the secret is read that its senders share.
    pub secret: CredentialFrom,
    /// What is looked at whenever something is heard: files and folders.
    pub look: Vec<String>,
}

/// A playbook that may run without a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchAllow {
    /// Its id.
    pub playbook: String,
    /// Only for these detectors.
    pub detectors: Vec<String>,
    /// Only in these accounts.
    pub accounts: Vec<String>,
}

impl Default for Watch {
    fn default() -> Self {
        Self { allow: Vec::new(), runs_per_hour: 10, runs_per_account: 5, failures: 3, webhook: None }
    }
}

/// A number from 1 up, or the usual one.
pub(super) fn count(table: &Table<'_, '_>, name: &str, usual: u32) -> u32 {
    let Some(value) = table.get(name) else { return usual };
    let count = value.number().and_then(|count| u32::try_from(count).ok()).filter(|count| *count > 0);
    if count.is_none() {
        value.mistake(format!("`{name}` must be a whole number from 1 up"));
    }
    count.unwrap_or(usual)
}

/// Reads the table.
pub(super) fn read(table: &Table<'_, '_>) -> Watch {
    let usual = Watch::default();
    let count = |name: &str, usual: u32| count(table, name, usual);
    let (runs_per_hour, runs_per_account) =
        (count("runs_per_hour", usual.runs_per_hour), count("runs_per_account", usual.runs_per_account));
    let failures = count("failures", usual.failures);
    let mut allow = Vec::new();
    for entry in table.tables("allow") {
        let playbook = entry.need_text("playbook");
        let (detectors, accounts) = (entry.texts("detectors"), entry.texts("accounts"));
        entry.finish();
        allow.extend(playbook.map(|playbook| WatchAllow { playbook, detectors, accounts }));
    }
    let webhook = table.get("webhook").and_then(|value| value.table()).and_then(|table| webhook(&table));
    table.finish();
    Watch { allow, runs_per_hour, runs_per_account, failures, webhook }
}

fn webhook(table: &Table<'_, '_>) -> Option<Webhook> {
    let listen = table.need("listen").and_then(|value| {
        let address = value.text()?.parse::<SocketAddr>().ok();
        if address.is_none() {
            value.mistake("`listen` is an address and a port: 127.0.0.1:8787");
        }
        address
    });
    let secret = table.need("secret").and_then(|value| CredentialFrom::read(&value));
    let look = table.texts("look");
    table.finish();
    Some(Webhook { listen: listen?, secret: secret?, look })
}

#[cfg(test)]
mod tests {
    use super::super::Operator;

    #[test]
    fn nothing_is_allowed_that_is_not_written_and_mistakes_have_lines() {
        let watch = Operator::read("c.toml", "", &[]).expect("good").watch;
        assert!(watch.allow.is_empty() && watch.runs_per_hour == 10);
        let text = "[watch]\nruns_per_hour = 2\n[[watch.allow]]\nplaybook = \"p\"\naccounts = [\"1\"]\n";
        let watch = Operator::read("c.toml", text, &[]).expect("good").watch;
        assert_eq!((watch.runs_per_hour, watch.allow[0].accounts.as_slice()), (2, &["1".to_owned()][..]));
        let text = "[watch.webhook]\nlisten = \"127.0.0.1:8787\"\nsecret = \"env:HOOK\"\nlook = [\"/srv/clones\"]\n";
        let webhook = Operator::read("c.toml", text, &[]).expect("good").watch.webhook.expect("a door");
        assert_eq!((webhook.listen.port(), webhook.look.len(), webhook.secret.to_string().as_str()), (8787, 1, "env:HOOK"));
        let wrong = "[watch.webhook]\nlisten = \"here\"\nsecret = \"a-secret-itself\"\n";
        let mistakes = Operator::read("c.toml", wrong, &[]).expect_err("mistakes");
        assert_eq!(mistakes.0.iter().map(|mistake| mistake.line).collect::<Vec<_>>(), [2, 3]);
        assert!(!mistakes.to_string().contains("a-secret-itself"), "what may be a secret is not repeated");
        let wrong = "[watch]\nruns_per_hour = 0\n[[watch.allow]]\nplaybok = \"p\"\n";
        let mistakes = Operator::read("c.toml", wrong, &[]).expect_err("mistakes");
        assert_eq!(mistakes.0.iter().map(|mistake| mistake.line).collect::<Vec<_>>(), [2, 3, 4]);
    }
}
