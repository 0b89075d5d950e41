//! A playbook file → a checked playbook. Every mistake is reported with its line.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};

use super::actions;
use super::compose::{self, EVERY, Uses, Whose, check};
use crate::declared::{Document, Mistakes, Table};
use crate::model::{ApprovalRule, OnFailure};

/// A playbook file as text.
#[derive(Debug, Clone)]
pub struct PlaybookSource {
    /// File stem.
    pub id: String,
    /// The file's name for messages.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// A declared response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Playbook {
    /// File stem.
    pub id: String,
    /// One line for people.
    pub summary: String,
    /// Detectors whose findings it is for.
    pub detectors: Vec<String>,
    /// `contain` or `rotate`.
    pub mode: String,
    /// Its steps in order.
    pub steps: Vec<Step>,
    /// Where the steps of others stand.
    pub uses: Vec<Uses>,
    /// SHA-256 of its text, hex.
    pub digest: String,
}

impl Playbook {
    /// Whether it is for a detector's findings.
    pub fn is_for(&self, detector: &str) -> bool {
        self.detectors.iter().any(|id| id == detector || id == EVERY)
    }

    /// Whether a person does it, and the run waits.
    pub fn is_by_hand(&self) -> bool {
        self.steps.iter().any(|step| step.action == "manual")
    }
}

/// A line of a playbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its id.
    pub id: String,
    /// The action's name.
    pub action: String,
    /// Arguments with placeholders.
    pub with: BTreeMap<String, String>,
    /// Earlier steps that must have succeeded.
    pub needs: Vec<String>,
    /// What follows a failure.
    pub on_failure: OnFailure,
    /// Who must agree.
    pub approval: ApprovalRule,
    /// Seconds it may take.
    pub timeout: u64,
    /// Seconds to wait afterwards.
    pub watch: u64,
    /// Why it may be done although it cannot be undone.
    pub why: Option<String>,
}

/// Placeholders that a plan can bind.
pub(super) const PLACEHOLDERS: &[&str] = &[
    "credential.key_id",
    "credential.service_id",
    "credential.shown",
    "detector.console",
    "identity.account",
    "identity.role",
    "identity.user",
];

macro_rules! builtin {
    ($($id:literal),* $(,)?) => {
        const BUILTIN: &[(&str, &str)] = &[$(($id, include_str!(concat!("../../playbooks/", $id, ".toml")))),*];
    };
}

builtin![
    "anthropic-contain",
    "anthropic-manual-contain",
    "aws-access-key-contain",
    "aws-access-key-retire",
    "aws-access-key-rotate",
    "aws-session-contain",
    "azure-openai-contain",
    "azure-openai-rotate",
    "azure-openai-stop-all-contain",
    "baseten-contain",
    "bedrock-key-contain",
    "bedrock-key-rotate",
    "bedrock-manual-contain",
    "bedrock-session-manual-contain",
    "bedrock-session-role-contain",
    "buildkite-contain",
    "ci-token-leak",
    "cloudflare-contain",
    "crates-io-contain",
    "databricks-contain",
    "deepgram-contain",
    "developer-laptop-loss",
    "digitalocean-contain",
    "discord-webhook-contain",
    "doppler-contain",
    "elevenlabs-contain",
    "fireworks-contain",
    "fireworks-manual-contain",
    "github-contain",
    "gitlab-contain",
    "google-api-key-contain",
    "google-api-key-restrict-contain",
    "google-api-key-rotate",
    "google-oauth-contain",
    "heroku-contain",
    "huggingface-contain",
    "kubernetes-account-token-contain",
    "kubernetes-bootstrap-contain",
    "kubernetes-manual-contain",
    "langfuse-contain",
    "leaked-in-public-repo",
    "litellm-contain",
    "llm-manual-contain",
    "llmjacking-aws",
    "llmjacking-openai",
    "mistral-contain",
    "mistral-rotate",
    "mysql-manual-contain",
    "mysql-user-contain",
    "mysql-user-rotate",
    "npm-contain",
    "okta-contain",
    "openai-admin-key-contain",
    "openai-legacy-manual-contain",
    "openai-project-key-contain",
    "openai-service-account-contain",
    "openai-service-account-rotate",
    "openrouter-contain",
    "openrouter-delete-contain",
    "openrouter-rotate",
    "perplexity-contain",
    "pinecone-manual-contain",
    "portkey-manual-contain",
    "postgres-manual-contain",
    "postgres-role-contain",
    "postgres-role-rotate",
    "redis-manual-contain",
    "redis-user-contain",
    "slack-contain",
    "vault-approle-contain",
    "vault-approle-rotate",
    "vault-contain",
    "vercel-contain",
    "workload-manual-contain",
    "xai-contain",
    "xai-rotate",
];

/// The built-in playbook files.
pub fn builtin_playbooks() -> Vec<PlaybookSource> {
    let source = |&(id, text): &(&str, &str)| PlaybookSource {
        id: id.to_owned(),
        file: format!("playbooks/{id}.toml"),
        text: text.to_owned(),
    };
    BUILTIN.iter().map(source).collect()
}

/// A set of playbooks.
#[derive(Debug, Clone, Default)]
pub struct Playbooks(pub Vec<Playbook>);

impl Playbooks {
    /// Reads playbook files. All mistakes of all files are reported together.
    pub fn new(sources: &[PlaybookSource]) -> Result<Self, Mistakes> {
        let (mut all, mut mistakes) = (Vec::new(), Vec::new());
        for source in sources {
            match read(source) {
                Ok(playbook) => all.push(playbook),
                Err(more) => mistakes.extend(more.0),
            }
        }
        let all = Self(all);
        // Between files, only when each is sound by itself.
        if mistakes.is_empty() { check(&all).map(|()| all) } else { Err(Mistakes(mistakes)) }
    }

    /// The playbook that would run for a detector's findings: one that contains before one that rotates. One that is made of
    /// others runs only when it is named.
    pub fn for_detector(&self, detector: &str) -> Option<&Playbook> {
        let mut all = self.0.iter().filter(|playbook| playbook.uses.is_empty() && playbook.is_for(detector));
        all.clone().find(|playbook| playbook.mode == "contain").or_else(|| all.next())
    }

    /// The playbook of that id.
    pub fn get(&self, id: &str) -> Option<&Playbook> {
        self.0.iter().find(|playbook| playbook.id == id)
    }
}

/// SHA-256, hex.
pub(super) fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest(&SHA256, bytes).as_ref())
}

fn read(source: &PlaybookSource) -> Result<Playbook, Mistakes> {
    Document::parse(&source.file, &source.text)?.read(|root| {
        let summary = root.need_text("summary");
        let mode = root.need("mode").and_then(|value| value.one_of(&[("contain", "contain"), ("rotate", "rotate")]));
        let detectors = root.need("detectors").map(|_| root.texts("detectors"));
        let tables = root.tables("step");
        if tables.is_empty() {
            root.mistake("a playbook needs at least one [[step]]");
        }
        let (mut earlier, mut taken, mut steps, mut uses) = (BTreeSet::new(), BTreeSet::new(), Vec::new(), Vec::new());
        for table in &tables {
            if table.get("uses").is_some() {
                uses.push(compose::read(table, new_id(table, &mut taken), steps.len()));
            } else {
                steps.push(step(table, (&mut earlier, &mut taken)));
            }
        }
        let all = detectors.iter().flatten().any(|id| id == EVERY);
        if all && uses.iter().flatten().all(|uses| uses.whose != Whose::Own) {
            root.mistake("`detectors` may be \"*\" only beside a step with `uses = \"own\"`");
        }
        Some(Playbook {
            id: source.id.clone(),
            summary: summary?,
            detectors: detectors?,
            mode: mode?.to_owned(),
            steps: steps.into_iter().collect::<Option<Vec<_>>>()?,
            uses: uses.into_iter().collect::<Option<Vec<_>>>()?,
            digest: sha256(source.text.as_bytes()),
        })
    })
}

/// The step's id, which no earlier one has. A dot would be taken for a step of another playbook.
fn new_id(table: &Table<'_, '_>, taken: &mut BTreeSet<String>) -> Option<String> {
    let id = table.need_text("id")?;
    if !taken.insert(id.clone()) {
        table.mistake(format!("the step id {id:?} is taken"));
    }
    if id.contains('.') {
        table.mistake(format!("the step id {id:?} holds a dot"));
    }
    Some(id)
}

fn step(table: &Table<'_, '_>, (earlier, taken): (&mut BTreeSet<String>, &mut BTreeSet<String>)) -> Option<Step> {
    let id = new_id(table, taken);
    let action = table.need_text("action");
    let needs = table.texts("needs");
    for unknown in needs.iter().filter(|need| !earlier.contains(*need)) {
        table.mistake(format!("`needs` names {unknown:?}, which is no earlier step"));
    }
    // Later steps may need it: the steps of another playbook, which `uses` stands for, have names of their own.
    earlier.extend(id.clone());
    let with = table.get("with").and_then(|value| value.table()).map_or_else(BTreeMap::new, |with| {
        with.keys().into_iter().filter_map(|key| Some((key.clone(), with.text(&key)?))).collect()
    });
    let on_failure = table.get("on_failure").map_or(Some(OnFailure::Stop), |value| {
        value.one_of(&[("stop", OnFailure::Stop), ("undo", OnFailure::Undo), ("continue", OnFailure::Continue)])
    });
    let approval = table.get("approval").map_or(Some(ApprovalRule::None), |value| {
        value.one_of(&[("none", ApprovalRule::None), ("one", ApprovalRule::One), ("two", ApprovalRule::Two)])
    });
    check_action(table, action.as_deref(), (&with, approval));
    let number = |key: &str, usual: u64| table.get(key).map_or(Some(usual), |value| value.number());
    let (timeout, watch) = (number("timeout", 60), number("watch", 0));
    table.finish();
    Some(Step {
        id: id?,
        action: action?,
        with,
        needs,
        on_failure: on_failure?,
        approval: approval?,
        timeout: timeout?,
        watch: watch?,
        why: table.text("why"),
    })
}

/// The action exists, gets exactly the arguments it takes, and is called irreversible where it is.
fn check_action(
    table: &Table<'_, '_>,
    name: Option<&str>,
    (with, approval): (&BTreeMap<String, String>, Option<ApprovalRule>),
) {
    let irreversible = table.get("irreversible").and_then(|value| value.bool()).unwrap_or(false);
    let why = table.text("why");
    let Some(name) = name else { return };
    let Some(action) = actions::get(name) else {
        let mut known: Vec<&str> = actions::all().map(actions::Action::name).collect();
        known.sort_unstable();
        return table.mistake(format!("there is no action {name:?}; known: {}", known.join(", ")));
    };
    for missing in action.takes().iter().filter(|key| !with.contains_key(**key)) {
        table.mistake(format!("{name} needs `{missing}` in `with`"));
    }
    let takes = |key: &str| action.takes().contains(&key) || action.may_take().contains(&key);
    for extra in with.keys().filter(|key| !takes(key)) {
        table.mistake(format!("{name} takes no `{extra}`; it takes: {}", action.takes().join(", ")));
    }
    for value in with.values() {
        if let Some(unbound) = placeholder(value).filter(|name| !PLACEHOLDERS.contains(name)) {
            table.mistake(format!("{{{unbound}}} is no placeholder; known: {}", PLACEHOLDERS.join(", ")));
        }
    }
    let needs_word = action.mutates() && !action.reversible();
    if needs_word && (!irreversible || why.is_none()) {
        table.mistake(format!("{name} cannot be undone: say `irreversible = true` and `why`"));
    }
    if needs_word && approval != Some(ApprovalRule::Two) {
        table.mistake(format!("{name} cannot be undone: it needs `approval = \"two\"`"));
    }
}

/// The name inside a value that is one placeholder: `{identity.user}`.
pub(super) fn placeholder(value: &str) -> Option<&str> {
    value.strip_prefix('{')?.strip_suffix('}')
}

#[cfg(test)]
mod tests {
    use super::{PlaybookSource, Playbooks, builtin_playbooks};
    use crate::detect::DetectorSet;

    #[test]
    fn every_file_in_the_folder_is_in_the_list_and_names_real_detectors() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/playbooks");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .expect("playbooks/")
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok()?.strip_suffix(".toml").map(str::to_owned))
            .collect();
        files.sort();
        let listed: Vec<String> = builtin_playbooks().into_iter().map(|source| source.id).collect();
        assert_eq!(files, listed);
        let all = Playbooks::new(&builtin_playbooks()).expect("built-in playbooks");
        let set = DetectorSet::builtin().expect("detectors");
        for playbook in &all.0 {
            let mut named = playbook.detectors.iter().filter(|id| *id != super::EVERY);
            assert!(named.all(|id| set.get(id).is_some()), "{}", playbook.id);
        }
    }

    #[test]
    fn every_mistake_at_once() {
        let text = "summary = \"x\"\nmode = \"destroy\"\ndetectors = []\n\n[[step]]\nid = \"a\"\naction = \"nope\"\n\n[[step]]\nid = \"a\"\n\
                    action = \"aws-key-deactivate\"\nneeds = [\"later\"]\nwith = { key_id = \"{credential.oops}\", user = \"u\", x = \"y\" }\nfoo = 1\n";
        let source = PlaybookSource { id: "x".into(), file: "x.toml".into(), text: text.into() };
        let mistakes = Playbooks::new(&[source]).expect_err("mistakes").to_string();
        for wanted in [
            "x.toml:2: ",
            "no action \"nope\"",
            "the step id \"a\" is taken",
            "\"later\"",
            "takes no `x`",
            "credential.oops",
            "unknown key `foo`",
        ] {
            assert!(mistakes.contains(wanted), "{wanted} in {mistakes}");
        }
    }
}
