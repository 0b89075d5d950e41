//! ServiceAccounts and the cloud identities that their annotations give to every pod that runs as them.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::yaml::View;
use super::super::{Place, Sheet};
use super::Scope;
use crate::model::Evidence;
use crate::ownership::roll::{clean, evidence};

/// Annotations that name a cloud identity, and what following one is called.
const ANNOTATIONS: [(&str, &str); 3] = [
    ("eks.amazonaws.com/role-arn", "k8s-irsa"),
    ("iam.gke.io/gcp-service-account", "k8s-gke-workload-identity"),
    ("azure.workload.identity/client-id", "k8s-azure-workload-identity"),
];

/// Roles told of one account: one for each cluster.
const ROLES: usize = 10;

/// A namespace, if one is written down, and a name in it.
type Key = (Option<Arc<str>>, Arc<str>);

/// The accounts seen, and what is said of accounts elsewhere: place and role.
#[derive(Default)]
pub(super) struct Accounts(HashMap<Key, Vec<Account>>, HashMap<Key, Vec<(Place, String)>>);

struct Account {
    folder: Arc<str>,
    identities: Vec<(&'static str, Place, String)>,
}

impl Accounts {
    /// Takes in one ServiceAccount. Those without a cloud identity count as well: they may be the one that is meant.
    pub(super) fn read(&mut self, sheet: &Sheet<'_>, object: View<'_>, (scope, name): (&Scope, &str)) {
        let annotations = object.at(&["metadata", "annotations"]);
        let named = |(annotation, technique): &(&str, &'static str)| {
            let at = annotations?.get(annotation)?;
            Some((*technique, sheet.place(at), clean(at.text()?)))
        };
        let identities = ANNOTATIONS.iter().filter_map(named).collect();
        let account = Account { folder: Arc::clone(&scope.folder), identities };
        self.0.entry((scope.namespace.clone(), Arc::from(name))).or_default().push(account);
    }

    /// A role that EKS gives to the pods of an account.
    pub(super) fn associate(&mut self, (namespace, account): (&str, &str), at: Place, role: String) {
        self.1.entry((Some(Arc::from(namespace)), Arc::from(account))).or_default().push((at, role));
    }

    /// What is known of the account that a pod in that scope runs as: its own folder's, or the only one that a namespace
    /// which both write down ties to it.
    pub(super) fn evidence(&self, scope: &Scope, name: &str) -> Vec<Evidence> {
        let mut all = self.annotated(scope, name);
        let key = (scope.namespace.clone(), Arc::from(name));
        // Which cluster is meant is not known of a manifest: each association is told.
        let roles = self.1.get(&key).filter(|_| scope.namespace.is_some()).into_iter().flatten().take(ROLES);
        all.extend(roles.map(|(at, role)| evidence("k8s-eks-pod-identity", at.to_string(), role.clone())));
        all
    }

    fn annotated(&self, scope: &Scope, name: &str) -> Vec<Evidence> {
        let known = self.0.get(&(scope.namespace.clone(), Arc::from(name))).map(Vec::as_slice).unwrap_or_default();
        let mut near = known.iter().filter(|account| account.folder == scope.folder);
        let meant = match (near.next(), known) {
            (Some(one), _) if near.next().is_none() => one,
            (None, [one]) if scope.namespace.is_some() => one,
            _ => return Vec::new(),
        };
        let said = |(technique, at, value): &(&str, Place, String)| evidence(technique, at.to_string(), value.clone());
        meant.identities.iter().map(said).collect()
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (name, accounts) in other.0 {
            self.0.entry(name).or_default().extend(accounts);
        }
        for (name, roles) in other.1 {
            self.1.entry(name).or_default().extend(roles);
        }
    }
}
