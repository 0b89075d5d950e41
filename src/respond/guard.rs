//! What is never done, whatever the plan says. Pure, and asked before every step.

use std::collections::BTreeMap;

use crate::model::{Plan, PlannedStep, Tier};
use crate::secret::Fingerprint;

/// The operator's bounds.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    /// AWS accounts that may be acted on.
    pub accounts: Vec<String>,
    /// Provider → accounts and organisations there that may be acted on; `*` for whatever the responder's credential can
    /// list, and a whole fingerprint for that one credential.
    pub owned: BTreeMap<String, Vec<String>>,
    /// Key ids, user names, ARNs, accounts, objects and fingerprints that are never touched.
    pub protected: Vec<String>,
    /// Changes a run may make.
    pub most_changes: usize,
    /// Rotations that may be begun in an hour; as many as one likes where there is none.
    pub rotations: Option<Hourly>,
    /// The same of what only stops a credential.
    pub containments: Option<Hourly>,
}

/// How many runs of a kind are begun in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hourly {
    /// In all.
    pub per_hour: u32,
    /// In one account of one provider.
    pub per_account: u32,
}

impl Hourly {
    /// Whether one more may be begun, after those of the last hour.
    ///
    /// # Errors
    /// Which bound is reached.
    pub(super) fn one_more(self, plan: &Plan, begun: &[Option<Plan>]) -> Result<(), String> {
        let kind = if plan.mode == "rotate" { "rotations" } else { "containments" };
        if begun.len() >= self.per_hour as usize {
            return Err(format!(
                "{} {kind} were begun within the hour, which is as many as may be (`{kind}_per_hour` of [responder] in the \
                 settings file): try again later",
                begun.len()
            ));
        }
        let place = |plan: &Plan| (plan.target.get("provider").cloned(), plan.target.get("account").cloned());
        // Of a plan that cannot be read the account is not known.
        let here = begun.iter().flatten().filter(|other| place(other) == place(plan)).count();
        if here >= self.per_account as usize {
            let account = plan.target.get("account").map_or("this account", String::as_str);
            return Err(format!(
                "{here} {kind} were begun within the hour in {account}, which is as many as may be (`{kind}_per_account` of \
                 [responder] in the settings file): try again later"
            ));
        }
        Ok(())
    }
}

/// What a guard must know of the moment.
pub(super) struct Moment<'m> {
    /// The responder's own AWS key id; empty without AWS.
    pub(super) responder_key: &'m str,
    pub(super) responder_arn: &'m str,
    /// Key ids and ARNs of those by whom it took its role on.
    pub(super) behind: &'m [(String, String)],
    /// The responder's own credential at the provider, by every name that a finding could have for it.
    pub(super) own: &'m [Fingerprint],
    /// The stop file is there.
    pub(super) stopped: bool,
    /// Changes the run has made.
    pub(super) changes: usize,
}

impl Moment<'_> {
    fn keys(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.responder_key).chain(self.behind.iter().map(|(key, _)| key.as_str()))
    }

    fn arns(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.responder_arn).chain(self.behind.iter().map(|(_, arn)| arn.as_str()))
    }
}

const OWN: &str = "this is the responder's own credential: whoever acts with it would lock themselves out; use another";

fn provider(plan: &Plan) -> &str {
    plan.target.get("provider").map_or("aws", String::as_str)
}

/// The name at the end of a user's ARN.
fn user_of(arn: &str) -> Option<&str> {
    arn.split_once(":user/").map(|(_, path)| path.rsplit('/').next().unwrap_or(path))
}

/// The role of an ARN: its own, or the one that a session is of.
fn role_of(arn: &str) -> Option<&str> {
    let session = arn.split_once(":assumed-role/").and_then(|(_, rest)| rest.split('/').next());
    session.or_else(|| arn.split_once(":role/").map(|(_, path)| path.rsplit('/').next().unwrap_or(path)))
}

/// Whether a consumer is more than a guess: what stands behind its name in a plan.
fn known(consumer: &str) -> bool {
    [Tier::Proven, Tier::Bound, Tier::Declared].iter().any(|tier| consumer.ends_with(&format!("({})", tier.word())))
}

impl Guard {
    /// Whether a plan may exist at all.
    pub(super) fn plan(&self, plan: &Plan, moment: &Moment<'_>) -> Result<(), String> {
        if let Some(canary) = plan.target.get("canary") {
            return Err(format!("this is a canary ({canary}); tell its owner, do not touch it"));
        }
        if moment.own.contains(&plan.fingerprint) {
            return Err(OWN.to_owned());
        }
        if plan.steps.iter().any(|step| step.mutates) {
            self.owned(plan)?;
        }
        let provider = provider(plan);
        let mut told = plan.target.iter().filter(|(name, _)| *name != "provider");
        let protected = told.find(|(_, value)| self.protects(provider, value));
        if let Some((name, value)) = protected {
            return Err(format!("its {name} {value} is protected by the settings file"));
        }
        if self.protects(provider, &plan.fingerprint.to_string()) {
            return Err("this credential is protected by the settings file".to_owned());
        }
        plan.steps.iter().try_for_each(|step| self.untouchable(provider, step, moment))
    }

    /// Whether what a plan changes is the operator's.
    fn owned(&self, plan: &Plan) -> Result<(), String> {
        let provider = provider(plan);
        let (owned, table) = match self.owned.get(provider) {
            _ if provider == "aws" => (&self.accounts, "[[responder.aws]]".to_owned()),
            Some(owned) => (owned, format!("`owned` of {provider}'s [[responder.provider]]")),
            None => {
                return Err(format!(
                    "{provider} is not listed as yours; add a [[responder.provider]] to the settings file if it is"
                ));
            }
        };
        // Whose it is may be told by nobody; then the operator's word for this one credential counts.
        if provider != "aws" && owned.contains(&plan.fingerprint.to_string()) {
            return Ok(());
        }
        let Some(account) = plan.target.get("account") else {
            let what = "the account of this credential is not known, so it is not known to be yours";
            return Err(match provider {
                "aws" => what.to_owned(),
                _ => format!("{what}; if it is, add {} to {table} in the settings file", plan.fingerprint),
            });
        };
        if owned.contains(account) {
            return Ok(());
        }
        if account == "*" {
            return Err(format!(
                "nothing tells the account of this key; if all that your credential lists there is yours, add \"*\" to {table} in the \
                 settings file"
            ));
        }
        Err(format!("account {account} is not listed as yours; add it to the settings file under {table} if it is"))
    }

    /// Whether a step may be taken now.
    pub(super) fn step(&self, plan: &Plan, step: &PlannedStep, moment: &Moment<'_>) -> Result<(), String> {
        self.plan(plan, moment)?;
        // What can be undone by hand is not for ever.
        let forever = plan.mode == "rotate" && step.mutates && !step.reversible && step.undo.is_none();
        if forever && !plan.affected.iter().any(|consumer| known(consumer)) {
            return Err(format!(
                "which workload uses it is not known, and what is in use by nobody knows whom is never deleted: it stays as it is. `staunch own {} --workload ID --until DATE` says who uses it; then make a new plan",
                plan.fingerprint.short()
            ));
        }
        if step.mutates && moment.stopped {
            return Err("the stop file is there: nothing is changed while it is".to_owned());
        }
        if step.mutates && moment.changes >= self.most_changes {
            return Err(format!("the run has made {} changes, which is as many as it may", moment.changes));
        }
        Ok(())
    }

    fn untouchable(&self, provider: &str, step: &PlannedStep, moment: &Moment<'_>) -> Result<(), String> {
        let arg = |name: &str| step.with.get(name).map(String::as_str);
        if arg("key_id").is_some_and(|key| moment.keys().any(|own| own == key)) {
            return Err(
                "this is the responder's own key: whoever acts with it would lock themselves out; use another".to_owned()
            );
        }
        if arg("user").is_some_and(|user| moment.arns().any(|own| Some(user) == user_of(own))) {
            return Err("this is the responder's own user; act with another principal".to_owned());
        }
        if arg("role").is_some_and(|role| moment.arns().any(|own| Some(role) == role_of(own))) {
            return Err(
                "this is the responder's own role: whoever acts in it would end their own session; use another".to_owned()
            );
        }
        let object = step.observed.get("object").and_then(serde_json::Value::as_str);
        // Its own name, and those of what it is part of, stand in an object's path.
        let stores = step.observed.get("stores").and_then(serde_json::Value::as_array).into_iter().flatten();
        // Those that do not hold it are not written.
        let holds = |store: &&serde_json::Value| store["parts"].as_array().is_none_or(|parts| !parts.is_empty());
        let stores =
            stores.filter(holds).filter_map(|store| store.get("store")?.as_str()?.split_once(' ').map(|(_, at)| at));
        let whole = object
            .into_iter()
            .chain(stores)
            .flat_map(|path| path.match_indices(['/', '#', '?']).map(|(at, _)| &path[..at]).chain([path]));
        let named = whole.chain(object.into_iter().flat_map(|path| path.split(['/', '#', '?', '=', '&'])));
        match step.with.values().map(String::as_str).chain(named).find(|value| self.protects(provider, value)) {
            Some(value) => Err(format!("{value} is protected by the settings file")),
            None => Ok(()),
        }
    }

    fn protects(&self, provider: &str, value: &str) -> bool {
        // Azure takes its names and ids in any case, and answers in another than it was asked in (Azure Resource Manager, "Naming
        // rules and restrictions").
        let same = |entry: &str| if provider == "azure" { entry.eq_ignore_ascii_case(value) } else { entry == value };
        self.protected.iter().any(|entry| same(entry) || user_of(entry) == Some(value) || role_of(entry) == Some(value))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Guard, Hourly, Moment};
    use crate::model::Plan;

    fn plan(account: &str, key: &str, user: &str) -> Plan {
        let mut plan: Plan = serde_json::from_value(serde_json::json!({
            "schema": Plan::SCHEMA, "playbook": "p", "mode": "contain", "fingerprint": format!("{}-{}", "0".repeat(8), "0".repeat(64)),
            "detector": "d", "target": {}, "affected": [], "copies": [], "unknowns": [], "lacking": [], "responder": "r",
            "made_at": "2026-01-01T00:00:00Z",
            "steps": [{"id": "a", "action": "x", "with": {"key_id": key, "user": user}, "needs": [], "on_failure": "stop",
                       "approval": "none", "observed": null, "effect": "e", "undo": null, "reversible": true, "mutates": true,
                       "permissions": [], "timeout": 1, "watch": 0}],
        }))
        .expect("a plan");
        plan.target = BTreeMap::from([("account".to_owned(), account.to_owned())]);
        plan
    }

    fn guard() -> Guard {
        let protected = vec!["KEEP".to_owned(), "arn:aws:iam::1:user/ops/root-like".to_owned()];
        let owned = [("openai".to_owned(), vec!["org-1".to_owned()])].into();
        Guard { accounts: vec!["1".into()], owned, protected, most_changes: 2, ..Guard::default() }
    }

    const MOMENT: Moment<'_> = Moment {
        responder_key: "OWN",
        responder_arn: "arn:aws:iam::1:user/team/responder",
        behind: &[],
        own: &[],
        stopped: false,
        changes: 0,
    };

    #[test]
    fn what_is_ours_protected_or_not_owned_is_never_touched() {
        let ask = |plan: &Plan| guard().plan(plan, &MOMENT);
        assert_eq!(ask(&plan("1", "K", "u")), Ok(()));
        for (account, key, user) in
            [("2", "K", "u"), ("1", "OWN", "u"), ("1", "K", "responder"), ("1", "KEEP", "u"), ("1", "K", "root-like")]
        {
            assert!(ask(&plan(account, key, user)).is_err(), "{account} {key} {user}");
        }
        let mut canary = plan("1", "K", "u");
        canary.target.insert("canary".into(), "x".into());
        assert!(ask(&canary).is_err());
        let mut unknown = plan("1", "K", "u");
        unknown.target.clear();
        assert!(ask(&unknown).is_err());
    }

    #[test]
    fn at_any_provider_what_is_not_listed_or_is_the_responders_own_is_never_touched() {
        let of = |provider: &str, account: Option<&str>| {
            let mut plan = plan("1", "K", "u");
            plan.target = [("provider".to_owned(), provider.to_owned())].into();
            plan.target.extend(account.map(|account| ("account".to_owned(), account.to_owned())));
            plan
        };
        let ask = |plan: &Plan| guard().plan(plan, &MOMENT);
        assert_eq!(ask(&of("openai", Some("org-1"))), Ok(()));
        for (provider, account) in
            [("openai", Some("org-2")), ("openai", None), ("openai", Some("*")), ("slack", Some("org-1"))]
        {
            assert!(ask(&of(provider, account)).is_err(), "{provider} {account:?}");
        }
        let plan = of("openai", Some("org-1"));
        let own = Moment { own: &[plan.fingerprint], ..MOMENT };
        assert!(guard().plan(&plan, &own).is_err_and(|why| why.contains("responder's own")));
        let unknown = of("openai", None);
        let named = Guard { owned: [("openai".to_owned(), vec![unknown.fingerprint.to_string()])].into(), ..guard() };
        assert_eq!(named.plan(&unknown, &MOMENT), Ok(()), "the operator's word for one credential");
        for entry in ["org-1", &plan.fingerprint.to_string(), "key_7"] {
            let guard = Guard { protected: vec![entry.to_owned()], ..guard() };
            let mut plan = plan.clone();
            plan.steps[0].observed = serde_json::json!({ "object": "/v1/projects/p/keys/key_7", "state": "active" });
            assert!(guard.plan(&plan, &MOMENT).is_err_and(|why| why.contains("protected")), "{entry}");
        }
        let mut looks = of("groq", None);
        looks.steps[0].mutates = false;
        assert_eq!(ask(&looks), Ok(()), "looking is not acting");
    }

    #[test]
    fn protected_names_count_wherever_they_stand_in_an_objects_path_and_azures_in_any_case() {
        let mut azure = plan("1", "K", "u");
        azure.target = [("provider", "azure"), ("account", "acme.openai.azure.com")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let account = "/subscriptions/s-1/resourceGroups/Prod/providers/Microsoft.CognitiveServices/accounts/acme";
        azure.steps[0].observed = serde_json::json!({ "object": format!("{account}#Key1") });
        let host = vec!["acme.openai.azure.com".to_owned()];
        let ask = |entry: &str| {
            let owned = [("azure".to_owned(), host.clone())].into();
            Guard { protected: vec![entry.to_owned()], owned, ..guard() }.plan(&azure, &MOMENT)
        };
        for entry in [
            account,
            &account.to_ascii_lowercase(),
            &format!("{account}#key1"),
            "/subscriptions/s-1/resourcegroups/prod",
            "ACME",
            "prod",
            "Acme.OpenAI.azure.com",
        ] {
            assert!(ask(entry).is_err_and(|why| why.contains("protected")), "{entry}");
        }
        for entry in ["/subscriptions/s-1/resourceGroups/pro", "acm", "key2"] {
            assert_eq!(ask(entry), Ok(()), "{entry}");
        }
        let mut query = azure.clone();
        query.target =
            [("provider", "openai"), ("account", "org-1")].map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        query.steps[0].observed = serde_json::json!({ "object": "/key/info?key=k-7&x=y" });
        for (entry, good) in [("k-7", false), ("K-7", true), ("k-8", true)] {
            let guard = Guard { protected: vec![entry.to_owned()], ..guard() };
            assert_eq!(guard.plan(&query, &MOMENT).is_ok(), good, "{entry}");
        }
    }

    #[test]
    fn what_is_begun_is_counted_in_all_and_by_account() {
        let most = Hourly { per_hour: 3, per_account: 2 };
        let of = |account: &str| Plan { mode: "rotate".to_owned(), ..plan(account, "K", "u") };
        let stops = plan("1", "K", "u");
        let two = [Some(stops.clone()), Some(stops.clone())];
        assert!(most.one_more(&stops, &two).is_err_and(|why| why.contains("containments_per_account")));
        let begun = [Some(of("1")), Some(of("1"))];
        assert!(most.one_more(&of("1"), &begun).is_err_and(|why| why.contains("rotations_per_account")));
        assert_eq!(most.one_more(&of("2"), &begun), Ok(()));
        let begun = [Some(of("1")), Some(of("1")), None];
        assert!(most.one_more(&of("3"), &begun).is_err_and(|why| why.contains("rotations_per_hour")));
    }

    #[test]
    fn the_responders_own_role_and_a_protected_one_keep_their_sessions() {
        let mut plan = plan("1", "K", "u");
        let role = |name: &str| BTreeMap::from([("role".to_owned(), name.to_owned())]);
        plan.steps[0].with = role("ir");
        assert_eq!(guard().plan(&plan, &MOMENT), Ok(()));
        let own = Moment { responder_arn: "arn:aws:sts::1:assumed-role/ir/kim", ..MOMENT };
        assert!(guard().plan(&plan, &own).is_err_and(|why| why.contains("own role")));
        let kept = Guard { protected: vec!["arn:aws:iam::1:role/ops/ir".to_owned()], ..guard() };
        assert!(kept.plan(&plan, &MOMENT).is_err_and(|why| why.contains("protected")));
        plan.steps[0].with = role("other");
        assert_eq!(kept.plan(&plan, &own), Ok(()));
        // Whoever takes the role on is the responder too.
        let behind = [
            ("BASE".to_owned(), "arn:aws:iam::1:user/ops/base".to_owned()),
            (String::new(), "arn:aws:sts::1:assumed-role/host/i".to_owned()),
        ];
        let moment = Moment { behind: &behind, ..own };
        for (name, value) in [("key_id", "BASE"), ("user", "base"), ("role", "host")] {
            plan.steps[0].with = BTreeMap::from([(name.to_owned(), value.to_owned())]);
            assert!(guard().plan(&plan, &moment).is_err_and(|why| why.contains("the responder's own")), "{name}");
            assert_eq!(guard().plan(&plan, &MOMENT), Ok(()), "{name}");
        }
    }

    #[test]
    fn the_stop_file_and_the_cap_stop_changes_only() {
        let plan = plan("1", "K", "u");
        let step = plan.steps[0].clone();
        let looks = crate::model::PlannedStep { mutates: false, ..step.clone() };
        for moment in [Moment { stopped: true, ..MOMENT }, Moment { changes: 2, ..MOMENT }] {
            assert!(guard().step(&plan, &step, &moment).is_err());
            assert!(guard().step(&plan, &looks, &moment).is_ok());
        }
    }
}
