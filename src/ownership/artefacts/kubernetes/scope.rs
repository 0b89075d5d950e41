//! Where objects live, and what they are called.

use std::borrow::Cow;
use std::sync::Arc;

use super::super::yaml::View;
use crate::ownership::roll::clean;

/// Where an object lives, as far as its manifest says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Scope {
    /// `None` when it is left to whoever applies the manifest.
    pub(super) namespace: Option<Arc<str>>,
    pub(super) folder: Arc<str>,
}

impl Scope {
    /// `NAMESPACE/NAME`, or the name alone.
    pub(super) fn qualify(&self, name: &str) -> String {
        self.namespace.as_ref().map_or_else(|| name.to_owned(), |namespace| format!("{namespace}/{name}"))
    }

    /// The namespace in an id. One that is not known is `?` and the folder, `:` for `/`, so that workloads of the same
    /// name in two folders stay two.
    pub(super) fn id_part(&self) -> Cow<'_, str> {
        match &self.namespace {
            Some(namespace) => namespace.as_ref().into(),
            None => format!("?{}", clean(&self.folder).replace('/', ":")).into(),
        }
    }

    /// What tells it from others: the namespace where one is written down, else the folder.
    pub(super) fn home(&self) -> (Option<Arc<str>>, Arc<str>) {
        match &self.namespace {
            Some(namespace) => (Some(Arc::clone(namespace)), Arc::default()),
            None => (None, Arc::clone(&self.folder)),
        }
    }
}

/// The object's name; for one that the cluster names, what the name begins with.
pub(super) fn name_of(object: View<'_>) -> Option<String> {
    let name = object.text_at(&["metadata", "name"]).filter(|name| is_name(name)).map(str::to_owned);
    let begins = || object.text_at(&["metadata", "generateName"]).filter(|name| is_name(name));
    name.or_else(|| begins().map(|name| format!("{name}*")))
}

/// Whether it could be a name in a cluster: what is left of a template is not.
pub(super) fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':');
    !name.is_empty() && name.len() <= 253 && name.chars().all(fits)
}
