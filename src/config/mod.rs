//! Texts that are handed in → checked settings. Every mistake is reported at once with its line.
//!
//! The operator's settings file is never read from a scanned tree: whoever writes it decides what may be asked and who may
//! act. A tree's own file ([`TreeRules`]) can only allow.

mod asking;
mod baseline;
mod notify;
mod provider;
mod ssh;
mod store;
mod tree;
mod watch;

use std::collections::{BTreeMap, BTreeSet};

use crate::declared::{Document, Mistakes, Table};
use crate::model::{SpiffeId, SshHost, TrustDomain};

pub use asking::{Kubernetes, SYSTEMS};
pub use baseline::{Baseline, BaselineError, Hashes, Known, Lines};
pub use notify::{Channel, Mail, Way};
pub use provider::{CredentialFrom, Provider};
pub use store::{Consumer, STORE_KINDS, Store};
pub use tree::{Allow, Because, Globs, Skip, TreeRules};
pub use watch::{Watch, WatchAllow, Webhook};

/// How many runs of a kind may be begun in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hourly {
    /// In all.
    pub per_hour: u32,
    /// In one account of one provider.
    pub per_account: u32,
}

impl Hourly {
    fn read(table: &Table<'_, '_>, kind: &str, usual: Self) -> Self {
        Self {
            per_hour: watch::count(table, &format!("{kind}_per_hour"), usual.per_hour),
            per_account: watch::count(table, &format!("{kind}_per_account"), usual.per_account),
        }
    }
}

/// How much may be begun in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Of what replaces a credential that is in use.
    pub rotations: Hourly,
    /// Of what only stops one: a leak of a hundred keys at once must fit, a mistake of thousands must not.
    pub containments: Hourly,
}

impl Default for Bounds {
    fn default() -> Self {
        let rotations = Hourly { per_hour: 60, per_account: 20 };
        Self { rotations, containments: Hourly { per_hour: 600, per_account: 300 } }
    }
}

impl Bounds {
    fn read(table: &Table<'_, '_>) -> Self {
        let Self { rotations, containments } = Self::default();
        Self {
            rotations: Hourly::read(table, "rotations", rotations),
            containments: Hourly::read(table, "containments", containments),
        }
    }
}

/// What the operator's settings file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Operator {
    /// Hosts found in scanned content to which a credential may be sent.
    pub allow_hosts: Vec<String>,
    /// Private networks that may be contacted, CIDR.
    pub allow_nets: Vec<String>,
    /// Addresses to ask instead of a provider's own, by endpoint name.
    pub endpoints: BTreeMap<String, String>,
    /// Certificate authorities to trust beside the machine's own: a file in PEM.
    pub ca_file: Option<String>,
    /// Hosts that SSH keys are offered to, beside or in place of those that everybody uses.
    pub ssh_hosts: Vec<SshHost>,
    /// Requests of validation that one host is sent in a second at most.
    pub per_second: Option<u32>,
    /// Requests of validation that one host is sent in one run at most.
    pub budget: Option<u32>,
    /// AWS accounts that may be acted on.
    pub accounts: Vec<Account>,
    /// Other providers that may be acted at.
    pub providers: Vec<Provider>,
    /// Running systems that are asked whose a credential is.
    pub ask: BTreeSet<String>,
    /// The cluster that may be asked.
    pub kubernetes: Option<Kubernetes>,
    /// Places that may hold credentials for those that use them.
    pub stores: Vec<Store>,
    /// Workloads that must be restarted to read their store again.
    pub consumers: Vec<Consumer>,
    /// Key ids, user names and ARNs that are never touched.
    pub protected: Vec<String>,
    /// While this file exists nothing is changed.
    pub stop_file: Option<String>,
    /// How much may be begun in an hour.
    pub bounds: Bounds,
    /// The SPIFFE trust domain that the operator's Kubernetes workloads run in.
    pub trust_domain: Option<TrustDomain>,
    /// The path of a Kubernetes account's SPIFFE id there, with `{namespace}` and `{service_account}` in it.
    pub spiffe_path: Option<String>,
    /// People who may approve plans, with their ed25519 public keys.
    pub approvers: BTreeMap<String, String>,
    /// Where the private key is read that evidence is signed with.
    pub sign_with: Option<CredentialFrom>,
    /// Whose signatures prove something, with their ed25519 public keys.
    pub trust_roots: BTreeMap<String, String>,
    /// What may be done without a person.
    pub watch: Watch,
    /// Who is told.
    pub notify: Vec<Channel>,
}

/// An AWS account that the operator owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its 12 digits.
    pub id: String,
    /// The profile with which the responder acts there; the default chain without one.
    pub profile: Option<String>,
    /// The role that it takes on there, by its ARN.
    pub role: Option<String>,
    /// Whether drills may make a user there and take it away again.
    pub drill: bool,
}

impl Operator {
    /// Reads a settings file. `providers` are those at which something can be done, besides AWS.
    pub fn read(file: &str, text: &str, providers: &[&str]) -> Result<Self, Mistakes> {
        Document::parse(file, text)?.read(|root| {
            let mut operator = Self::default();
            if let Some(table) = root.get("network").and_then(|value| value.table()) {
                operator.network(&table);
            }
            if let Some(table) = root.get("responder").and_then(|value| value.table()) {
                operator.responder(&table, providers);
            }
            operator.kubernetes =
                root.get("kubernetes").and_then(|value| value.table()).map(|table| asking::kubernetes(&table));
            // What it names must be known by then.
            if let Some(table) = root.get("ownership").and_then(|value| value.table()) {
                asking::ownership(&table, &mut operator);
            }
            if let Some(table) = root.get("spiffe").and_then(|value| value.table()) {
                operator.spiffe(&table);
            }
            if let Some(table) = root.get("evidence").and_then(|value| value.table()) {
                operator.sign_with = table.need("sign_with").and_then(|value| CredentialFrom::read(&value));
                table.finish();
            }
            if let Some(table) = root.get("watch").and_then(|value| value.table()) {
                operator.watch = watch::read(&table);
            }
            operator.notify = root.tables("notify").iter().filter_map(notify::read).collect();
            operator.approvers = people(root, "approver");
            operator.trust_roots = people(root, "trust_root");
            Some(operator)
        })
    }

    fn network(&mut self, table: &Table<'_, '_>) {
        self.allow_hosts = table.texts("allow_hosts");
        self.allow_nets = table.texts("allow_nets");
        self.ca_file = table.text("ca_file");
        self.ssh_hosts = table.tables("ssh_host").iter().filter_map(ssh::host).collect();
        let count = |name: &str| {
            let value = table.get(name)?;
            let count = u32::try_from(value.number()?).ok().filter(|count| *count > 0);
            if count.is_none() {
                value.mistake(format!("`{name}` must be a whole number from 1 up"));
            }
            count
        };
        self.per_second = count("requests_per_second");
        self.budget = count("requests_per_host");
        if let Some(names) = table.get("endpoints").and_then(|value| value.table()) {
            self.endpoints = names.keys().into_iter().filter_map(|name| Some((name.clone(), names.text(&name)?))).collect();
        }
        table.finish();
    }

    fn spiffe(&mut self, table: &Table<'_, '_>) {
        self.trust_domain = table.need("trust_domain").and_then(|value| {
            let domain = TrustDomain::new(&value.text()?);
            if domain.is_none() {
                value.mistake("a trust domain has 1 to 255 characters of a-z, 0-9, `.`, `-` and `_`: no scheme, no path");
            }
            domain
        });
        self.spiffe_path = table.get("kubernetes_path").and_then(|value| {
            let path = value.text()?;
            let sample = path.replace("{namespace}", "n").replace("{service_account}", "a");
            let good = TrustDomain::new("x").is_some_and(|domain| SpiffeId::new(&domain, &sample).is_some());
            if !good {
                value.mistake("`kubernetes_path` is a SPIFFE id's path: /ns/{namespace}/sa/{service_account}");
            }
            good.then_some(path)
        });
        table.finish();
    }

    fn responder(&mut self, table: &Table<'_, '_>, providers: &[&str]) {
        self.protected = table.texts("protected");
        self.stop_file = table.text("stop_file");
        self.bounds = Bounds::read(table);
        for account in table.tables("aws") {
            let id = account.need("account").and_then(|value| {
                let text = value.text()?;
                let good = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
                if !good {
                    value.mistake(format!("{text:?} is not an AWS account: 12 digits, in quotes"));
                }
                good.then_some(text)
            });
            let profile = account.text("profile");
            let role = account.get("role").and_then(|value| {
                let arn = value.text()?;
                let parts: Vec<&str> = arn.splitn(6, ':').collect();
                let good = matches!(parts.as_slice(), ["arn", _, "iam", "", of, name]
                    if id.as_deref().is_none_or(|id| id == *of) && name.starts_with("role/"));
                if !good {
                    value.mistake("`role` is the ARN of a role in this account: arn:aws:iam::123456789012:role/NAME");
                }
                good.then_some(arn)
            });
            let drill = account.get("drill").and_then(|value| value.bool()).unwrap_or(false);
            account.finish();
            self.accounts.extend(id.map(|id| Account { id, profile, role, drill }));
        }
        for entry in table.tables("provider") {
            provider::read(&entry, providers, self);
        }
        for entry in table.tables("store") {
            store::read(&entry, self);
        }
        for entry in table.tables("consumer") {
            store::consumer(&entry, self);
        }
        table.finish();
    }
}

/// `[[WHO]]` entries: names with public keys. A name that stands twice would hide a key.
fn people(root: &Table<'_, '_>, who: &str) -> BTreeMap<String, String> {
    let mut people: BTreeMap<String, String> = BTreeMap::new();
    for table in root.tables(who) {
        let (name, key) = (table.need_text("name"), table.need_text("key"));
        table.finish();
        let Some((name, key)) = name.zip(key) else { continue };
        if people.contains_key(&name) {
            table.mistake(format!("there is a {who} {name:?} already"));
        }
        // One person with two names would agree with themselves.
        if let Some((other, _)) = people.iter().find(|(other, known)| **other != name && known.trim() == key.trim()) {
            table.mistake(format!("{other:?} has the key of {name:?}: whoever signs with it would count twice"));
        }
        people.insert(name, key);
    }
    people
}

#[cfg(test)]
mod tests {
    use super::{Account, Bounds, Operator};

    #[test]
    fn a_full_file_is_understood() {
        let text = "[network]\nallow_hosts = [\"*.corp\"]\nallow_nets = [\"10.0.0.0/8\"]\nendpoints = { openai = \"https://gw.corp\" }\n\
                    ca_file = \"/ca.pem\"\nrequests_per_second = 5\nrequests_per_host = 70\n\
                    [responder]\nprotected = [\"root\"]\nstop_file = \"/tmp/stop\"\n[[responder.aws]]\naccount = \"123456789012\"\n\
                    profile = \"ir\"\n[[approver]]\nname = \"kim\"\nkey = \"AAAA\"\n";
        let operator = Operator::read("c.toml", text, &[]).expect("good");
        assert_eq!(
            operator.accounts,
            [Account { id: "123456789012".into(), profile: Some("ir".into()), role: None, drill: false }]
        );
        assert_eq!(operator.endpoints["openai"], "https://gw.corp");
        assert_eq!(operator.approvers["kim"], "AAAA");
        assert_eq!(
            (operator.per_second, operator.budget, operator.ca_file.as_deref()),
            (Some(5), Some(70), Some("/ca.pem"))
        );
        let none = Operator::read("c.toml", "[network]\nrequests_per_host = 0\nrequests_per_second = \"5\"\n", &[]);
        assert_eq!(none.expect_err("mistakes").0.iter().map(|mistake| mistake.line).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(Operator::read("c.toml", "", &[]), Ok(Operator::default()));
        let bounds = |text: &str| Operator::read("c.toml", text, &[]).map(|operator| operator.bounds);
        let few = bounds("[responder]\nrotations_per_hour = 3\ncontainments_per_account = 7\n").expect("settings");
        let (usual, of) = (Bounds::default(), |one: super::Hourly| (one.per_hour, one.per_account));
        assert_eq!(of(few.rotations), (3, usual.rotations.per_account));
        assert_eq!(of(few.containments), (usual.containments.per_hour, 7));
        let wrong = bounds("[responder]\nrotations_per_account = 0\n").expect_err("none is no bound").to_string();
        assert!(wrong.contains("c.toml:2: ") && wrong.contains("from 1 up"), "{wrong}");
        let roles = "[[responder.aws]]\naccount = \"123456789012\"\nrole = \"arn:aws:iam::123456789012:role/ir\"\ndrill = true\n\
                     [[responder.aws]]\naccount = \"123456789013\"\nrole = \"arn:aws:iam::123456789012:role/ir\"\n";
        let mistakes = Operator::read("c.toml", roles, &[]).expect_err("another account's role");
        assert_eq!(mistakes.0.iter().map(|mistake| mistake.line).collect::<Vec<_>>(), [7]);
        let own = roles.split("[[").nth(1).map(|text| format!("[[{text}")).expect("the first");
        let operator = Operator::read("c.toml", &own, &[]).expect("good");
        assert!(operator.accounts[0].drill && operator.accounts[0].role.is_some());
        let signing = "[evidence]\nsign_with = \"file:/k.pem\"\n[[trust_root]]\nname = \"a\"\nkey = \"AA\"\n";
        let operator = Operator::read("c.toml", signing, &[]).expect("good");
        assert_eq!(operator.sign_with.map(|from| from.to_string()).as_deref(), Some("file:/k.pem"));
        assert_eq!(operator.trust_roots["a"], "AA");
        let twice = "[evidence]\nsign_with = \"MC4C\"\n[[trust_root]]\nname = \"a\"\nkey = \"AA\"\n[[trust_root]]\nname = \"a\"\nkey = \"BB\"\n";
        let mistakes = Operator::read("c.toml", twice, &[]).expect_err("mistakes");
        assert_eq!(mistakes.0.iter().map(|mistake| mistake.line).collect::<Vec<_>>(), [2, 6]);
        assert!(!mistakes.to_string().contains("MC4C"), "what may be a key is not repeated");
        let spiffe = "[spiffe]\ntrust_domain = \"prod.example\"\nkubernetes_path = \"/{namespace}/{service_account}\"\n";
        let operator = Operator::read("c.toml", spiffe, &[]).expect("good");
        assert_eq!(operator.trust_domain.map(|domain| domain.to_string()).as_deref(), Some("prod.example"));
        let wrong = "[spiffe]\ntrust_domain = \"spiffe://Prod\"\nkubernetes_path = \"/{pod}/\"\n";
        let mistakes = Operator::read("c.toml", wrong, &[]).expect_err("mistakes");
        assert_eq!(mistakes.0.iter().map(|mistake| mistake.line).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn one_key_is_one_persons() {
        let text = "[[approver]]\nname = \"kim\"\nkey = \"AAAA\"\n[[approver]]\nname = \"lee\"\nkey = \" AAAA\"\n";
        let mistakes = Operator::read("c.toml", text, &[]).expect_err("a mistake");
        assert_eq!(mistakes.0.len(), 1, "{mistakes:?}");
        assert!(mistakes.0[0].line == 4 && mistakes.0[0].to_string().contains("count twice"), "{mistakes:?}");
    }

    #[test]
    fn every_mistake_at_once() {
        let text =
            "colour = 1\n[[responder.aws]]\naccount = 123\n[[responder.aws]]\naccount = \"12\"\n[network]\nallow_net = []\n";
        let mistakes = Operator::read("c.toml", text, &[]).expect_err("mistakes");
        let lines: Vec<usize> = mistakes.0.iter().map(|mistake| mistake.line).collect();
        assert_eq!(lines, [1, 3, 5, 7]);
    }
}
