//! `[[responder.provider]]`: a provider whose keys may be acted on, what of it is the operator's, and where the credential
//! that acts there is read. The credential itself never stands in the file.

use url::Url;

use super::Operator;
use crate::declared::{Table, Value, near};

/// A provider that the responder may act at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// The provider's name, as detectors give it.
    pub name: String,
    /// Where the administrative credential is read; providers that let a key revoke itself need none.
    pub credential: Option<CredentialFrom>,
    /// Where the service is, for one that the operator runs.
    pub address: Option<Url>,
    /// Accounts and organisations that the operator owns; `*` for whatever the credential can list.
    pub owned: Vec<String>,
    /// Whether drills may make a credential there and take it away again.
    pub drill: bool,
}

/// Where a credential is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialFrom {
    /// A variable of the environment.
    Variable(String),
    /// A file.
    File(String),
}

impl std::fmt::Display for CredentialFrom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{path}"),
        }
    }
}

impl CredentialFrom {
    /// What is said where nothing is there.
    pub fn unset(&self) -> String {
        match self {
            Self::Variable(name) => format!("{name} is not set"),
            Self::File(path) => format!("{path} is empty"),
        }
    }

    /// Reads a setting that says where a secret is.
    pub(super) fn read(value: &Value<'_, '_>) -> Option<Self> {
        let from = Self::parse(&value.text()?);
        if from.is_none() {
            // What stands there may be the secret itself, so it is not repeated.
            value.mistake("this says where it is read, \"env:NAME\" or \"file:PATH\", and never what it is");
        }
        from
    }

    fn parse(text: &str) -> Option<Self> {
        let variable = |name: &str| {
            let good = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            (good && !name.is_empty()).then(|| Self::Variable(name.to_owned()))
        };
        match text.split_once(':')? {
            ("env", name) => variable(name),
            ("file", path) if !path.is_empty() => Some(Self::File(path.to_owned())),
            _ => None,
        }
    }
}

/// Where a service is.
pub(super) fn address(value: &Value<'_, '_>, name: &str) -> Option<Url> {
    let url = Url::parse(&value.text()?).ok();
    let good = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none();
    let url = url.filter(|url| good(url) && url.username().is_empty());
    if url.is_none() {
        value.mistake(format!("`{name}` is no URL, like https://vault.corp.example"));
    }
    url
}

/// Where an entry's credential is read.
pub(super) fn credential(table: &Table<'_, '_>) -> Option<CredentialFrom> {
    table.get("credential").and_then(|value| CredentialFrom::read(&value))
}

/// Reads one entry. `known` are the names that something can be done at.
pub(super) fn read(table: &Table<'_, '_>, known: &[&str], operator: &mut Operator) {
    let name = table.need("name").and_then(|value| {
        let name = value.text()?;
        if known.contains(&name.as_str()) {
            return Some(name);
        }
        let mean = near(known.iter().copied(), &name);
        let mean = if mean.is_empty() { String::new() } else { format!("; did you mean {}?", mean.join(", ")) };
        value.mistake(format!("nothing can be done at a provider {name:?}{mean}"));
        None
    });
    let credential = credential(table);
    let address = table.get("address").and_then(|value| address(&value, "address"));
    let owned = table.texts("owned");
    // An empty list is a word too: nothing there is acted on, and what is leaked of the responder's own is known.
    if table.get("owned").is_none() {
        table.mistake("`owned` is missing: without it nothing there is yours, and nothing is acted on");
    }
    let drill = table.get("drill").and_then(|value| value.bool()).unwrap_or(false);
    table.finish();
    let Some(name) = name else { return };
    let earlier = operator.providers.iter().filter(|other| other.name == name);
    for twice in earlier.flat_map(|other| &other.owned).filter(|one| owned.contains(one)) {
        table.mistake(format!("{twice:?} of {name} is listed twice"));
    }
    operator.providers.push(Provider { name, credential, address, owned, drill });
}

#[cfg(test)]
mod tests {
    use super::{CredentialFrom, Operator};

    const KNOWN: &[&str] = &["openai", "hashicorp-vault"];

    #[test]
    fn a_provider_is_read_and_its_credential_is_only_named() {
        let text = "[[responder.provider]]\nname = \"openai\"\ncredential = \"env:OPENAI_ADMIN_KEY\"\nowned = [\"org-1\"]\n\
                    [[responder.provider]]\nname = \"hashicorp-vault\"\ncredential = \"file:/run/token\"\n\
                    address = \"http://10.0.0.2:8200\"\nowned = [\"*\"]\n";
        let operator = Operator::read("c.toml", text, KNOWN).expect("good");
        let [openai, vault] = operator.providers.as_slice() else { panic!("{operator:?}") };
        assert_eq!(openai.credential, Some(CredentialFrom::Variable("OPENAI_ADMIN_KEY".into())));
        assert_eq!(openai.owned, ["org-1"]);
        assert_eq!(vault.credential.as_ref().map(ToString::to_string).as_deref(), Some("file:/run/token"));
        assert_eq!(vault.address.as_ref().map(ToString::to_string).as_deref(), Some("http://10.0.0.2:8200/"));
    }

    #[test]
    fn nothing_owned_is_a_word_and_no_word_is_a_mistake() {
        let read =
            |owned: &str| Operator::read("c.toml", &format!("[[responder.provider]]\nname = \"openai\"\n{owned}"), KNOWN);
        assert_eq!(read("owned = []\n").expect("good").providers[0].owned, [""; 0]);
        assert!(read("").expect_err("a mistake").to_string().contains("`owned` is missing"));
        assert_eq!(CredentialFrom::Variable("X".into()).unset(), "X is not set");
    }

    #[test]
    fn every_mistake_at_once_and_a_pasted_credential_is_not_repeated() {
        let text = "[[responder.provider]]\nname = \"opemai\"\ncredential = \"hunter2-hunter2\"\nowned = [\"a\"]\n\
                    [[responder.provider]]\nname = \"openai\"\naddress = \"not a url\"\n\
                    [[responder.provider]]\nname = \"openai\"\nowned = [\"x\"]\nsecret = \"y\"\n\
                    [[responder.provider]]\nname = \"openai\"\nowned = [\"x\"]\n";
        let mistakes = Operator::read("c.toml", text, KNOWN).expect_err("mistakes");
        let lines: Vec<usize> = mistakes.0.iter().map(|mistake| mistake.line).collect();
        assert_eq!(lines, [2, 3, 5, 7, 11, 12]);
        let said = mistakes.to_string();
        assert!(said.contains("did you mean openai?") && !said.contains("hunter2"), "{said}");
    }
}
