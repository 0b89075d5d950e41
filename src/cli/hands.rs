//! What a response acts with, put together from the settings: the guards, the responder's AWS clients, a provider's
//! administrative credential, and the leaked values.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail};

use super::settings::Settings;
use crate::config::{Account, Provider};
use crate::detect::DetectorSet;
use crate::model::{Credential, Finding, Plan};
use crate::net::{Net, NetError, Responder};
use crate::respond::{
    Admin, AwsHands, ConsumerAt, Guard, Hands, Hourly, Means, Playbook, Recall, StoreAt, Stores, account, means, means_of,
};
use crate::secret::Fingerprint;

/// Changes a run may make.
const MOST_CHANGES: usize = 20;

/// What is acted on, as far as it decides with what.
pub(super) struct Matter {
    means: Means,
    provider: String,
    account: Option<String>,
    detector: String,
    /// Whether stores are looked through and written.
    rotates: bool,
}

impl Matter {
    /// A finding, with the playbook that will run.
    pub(super) fn of_finding(finding: &Finding, playbook: &Playbook) -> Self {
        Self {
            means: means(playbook),
            provider: finding.provider.clone(),
            account: account(finding),
            detector: finding.detector.clone(),
            rotates: playbook.mode == "rotate",
        }
    }

    /// A plan.
    pub(super) fn of_plan(plan: &Plan) -> Self {
        let target = |name: &str| plan.target.get(name).cloned();
        Self {
            means: means_of(plan.steps.iter().map(|step| step.action.as_str())),
            provider: target("provider").unwrap_or_default(),
            account: target("account"),
            detector: plan.detector.clone(),
            rotates: plan.mode == "rotate",
        }
    }
}

/// The operator's bounds.
pub(super) fn guard(settings: &Settings) -> Guard {
    let operator = &settings.operator;
    let mut owned: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for provider in &operator.providers {
        owned.entry(provider.name.clone()).or_default().extend(provider.owned.iter().cloned());
    }
    let accounts = operator.accounts.iter().map(|account| account.id.clone()).collect();
    let hourly = |bound: crate::config::Hourly| Hourly { per_hour: bound.per_hour, per_account: bound.per_account };
    Guard {
        accounts,
        owned,
        protected: operator.protected.clone(),
        most_changes: MOST_CHANGES,
        rotations: Some(hourly(operator.bounds.rotations)),
        containments: Some(hourly(operator.bounds.containments)),
    }
}

/// Gives back these credentials for their fingerprint, and nothing for any other.
pub(super) fn recall(fingerprint: Fingerprint, variants: Vec<Credential>) -> Box<Recall> {
    Box::new(move |wanted| {
        let wanted = (*wanted == fingerprint).then_some(&variants);
        wanted.map_or_else(Vec::new, |variants| variants.iter().map(Credential::duplicate).collect())
    })
}

/// Clients that several matters share, and what is asked once for all of them.
pub(super) struct Reach {
    net: Arc<Net>,
    detectors: DetectorSet,
    aws: Mutex<BTreeMap<Option<String>, AwsHands>>,
}

impl Reach {
    /// Builds them; asks nothing yet.
    pub(super) fn new(settings: &Settings) -> anyhow::Result<Self> {
        Ok(Self { net: Arc::new(settings.net()?), detectors: settings.detectors()?, aws: Mutex::default() })
    }

    /// The detectors.
    pub(super) fn detectors(&self) -> &DetectorSet {
        &self.detectors
    }

    /// The responder's clients for an account.
    async fn aws(&self, account: Option<&str>, settings: &Settings) -> anyhow::Result<AwsHands> {
        let known = |made: &BTreeMap<Option<String>, AwsHands>| made.get(&account.map(str::to_owned)).cloned();
        if let Some(made) = known(&self.aws.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(made);
        }
        let made = aws(&self.net, account, settings).await?;
        self.aws.lock().unwrap_or_else(PoisonError::into_inner).insert(account.map(str::to_owned), made.clone());
        Ok(made)
    }
}

/// What acts on a matter, over clients that others use as well.
pub(super) async fn hands(
    matter: &Matter,
    (recall, reach): (Box<Recall>, &Reach),
    settings: &Settings,
) -> anyhow::Result<Hands> {
    let net = Arc::clone(&reach.net);
    let stores = if matter.rotates { stores(settings)? } else { Stores::default() };
    let needs_aws = matter.means.aws || stores.need_aws();
    let aws = if needs_aws { Some(reach.aws(matter.account.as_deref(), settings).await?) } else { None };
    let detector = reach.detectors.get(&matter.detector).cloned();
    let entry = matter.means.admin.and_then(|_| entry(matter, settings));
    let found = entry.map(|entry| settings.credential(entry)).transpose()?.flatten();
    let unset = entry.filter(|_| found.is_none()).and_then(|entry| {
        entry.credential.as_ref().map(|from| format!("no credential to act with at {}: {}", entry.name, from.unset()))
    });
    let admin = found.map(|(from, value)| Admin::new(from, value));
    let own = own(settings)?;
    Ok(Hands { net, aws, admin, unset, own, detector, recall, stores, clock: Arc::clone(&settings.clock) })
}

/// The stores that the settings list, with the credentials that open them.
fn stores(settings: &Settings) -> anyhow::Result<Stores> {
    let mut listed = Vec::new();
    for store in &settings.operator.stores {
        // One that is not set is missed when the store is read, and said then.
        let read = match &store.credential {
            Some(from) => settings.secret(from).with_context(|| format!("the credential of the store {}", store.at))?,
            None => None,
        };
        let from = store.credential.as_ref().map(ToString::to_string).unwrap_or_default();
        listed.push(StoreAt {
            kind: store.kind.clone(),
            at: store.at.clone(),
            region: store.region.clone(),
            address: store.address.clone(),
            credential: read.map(|value| Admin::new(from, value)),
            holds: store.holds,
            part: store.part.clone(),
        });
    }
    let mut consumers = Vec::new();
    for consumer in &settings.operator.consumers {
        let read = match &consumer.credential {
            Some(from) => settings.secret(from).with_context(|| format!("the credential of {}", consumer.at))?,
            None => None,
        };
        let from = consumer.credential.as_ref().map(ToString::to_string).unwrap_or_default();
        let place = StoreAt {
            kind: consumer.kind.clone(),
            at: consumer.at.clone(),
            region: None,
            address: consumer.address.clone(),
            credential: read.map(|value| Admin::new(from, value)),
            holds: None,
            part: None,
        };
        consumers.push(ConsumerAt { place, reads: consumer.reads.clone() });
    }
    Ok(Stores { listed, consumers, key: Some(settings.fingerprint_key()?) })
}

/// The names that findings of the responder's own credentials would have: none of them is ever acted on, whoever leaked it.
fn own(settings: &Settings) -> anyhow::Result<Vec<Fingerprint>> {
    let entries = &settings.operator.providers;
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let key = settings.fingerprint_key()?;
    // What cannot be read is missed where it is needed.
    let read = entries.iter().filter_map(|entry| settings.credential(entry).ok().flatten());
    Ok(read.flat_map(|(from, value)| Admin::new(from, value).fingerprints(&key)).collect())
}

/// The responder's clients for an account: of its profile, in its role where the settings name one.
pub(super) async fn responder(net: &Net, account: Option<&Account>) -> Result<Responder, NetError> {
    let profile = account.and_then(|account| account.profile.as_deref());
    match account.and_then(|account| account.role.as_deref()) {
        Some(role) => net.responder_as(profile, role).await,
        None => net.responder(profile).await,
    }
}

/// The responder's clients for an account, and what STS says of them.
pub(super) async fn aws(net: &Net, account: Option<&str>, settings: &Settings) -> anyhow::Result<AwsHands> {
    let listed = settings.operator.accounts.iter().find(|listed| Some(listed.id.as_str()) == account);
    let responder = responder(net, listed).await?;
    let who = responder.sts.get_caller_identity().send().await;
    let who = who.map_err(|error| {
        use aws_sdk_sts::error::ProvideErrorMetadata;
        let why = error.code().unwrap_or("no answer that can be read");
        anyhow::anyhow!(
            "STS does not take the responder's own credentials ({why}); `aws sts get-caller-identity` shows the same"
        )
    })?;
    let (Some(arn), Some(account)) = (who.arn(), who.account()) else { bail!("STS did not say who the responder is") };
    let (arn, account) = (arn.to_owned(), account.to_owned());
    Ok(AwsHands { responder, arn, account })
}

/// The settings' entry that owns the account; the one for everything that it can list; the only one.
fn entry<'s>(matter: &Matter, settings: &'s Settings) -> Option<&'s Provider> {
    let entries: Vec<_> = settings.operator.providers.iter().filter(|entry| entry.name == matter.provider).collect();
    let owns = |account: &str| entries.iter().find(|entry| entry.owned.iter().any(|owned| owned == account));
    let entry = matter.account.as_deref().and_then(owns).or_else(|| owns("*"));
    entry.or(if let [one] = entries.as_slice() { Some(one) } else { None }).copied()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_kind_of_store_can_be_listed_and_opened() {
        assert_eq!(crate::config::STORE_KINDS, crate::respond::store_kinds());
    }
}
