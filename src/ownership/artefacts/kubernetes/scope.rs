//! Where objects live, and what they are called.

use std::borrow::Cow;
use std::sync::Arc;

use super::super::templates::MARK;
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

/// Letters that are known of a name that is filled in.
const KNOWN: usize = 2;

/// Whether a name or namespace is filled in by something else.
pub(super) fn is_open(name: &str) -> bool {
    name.contains(MARK) || name.contains("${") || name.contains("{{")
}

/// A name that is filled in, with `*` for what is not known of it.
fn filled(name: &str) -> Option<String> {
    let (mut out, mut rest) = (String::new(), name);
    while let Some(at) = rest.find([MARK, '$']) {
        out.push_str(&rest[..at]);
        out.push('*');
        rest = match rest[at..].strip_prefix("${") {
            Some(inside) => inside.split_once('}')?.1,
            None => rest[at..].trim_start_matches(MARK),
        };
        if rest.starts_with('$') && !rest.starts_with("${") {
            return None;
        }
    }
    out.push_str(rest);
    let known = out.chars().filter(char::is_ascii_alphanumeric).count();
    (is_open(name) && known >= KNOWN && is_name(&out.replace('*', "-"))).then_some(out)
}

/// What a reference names, with `*` for what is not known of it.
pub(super) fn referred(name: &str) -> Option<Cow<'_, str>> {
    if is_name(name) {
        return Some(name.into());
    }
    let unknown = !name.is_empty() && name.chars().all(|c| c == MARK);
    filled(name).or_else(|| unknown.then(|| "*".to_owned())).map(Into::into)
}

/// The object's name; for one that the cluster names, what the name begins with; for one that is filled in, what is known of it.
pub(super) fn name_of(object: View<'_>) -> Option<String> {
    let name = object.text_at(&["metadata", "name"]);
    let name = name.filter(|name| is_name(name)).map(str::to_owned).or_else(|| filled(name?));
    let begins = || object.text_at(&["metadata", "generateName"]).filter(|name| is_name(name));
    name.or_else(|| begins().map(|name| format!("{name}*")))
}

/// Whether it could be a name in a cluster: what is left of a template is not.
pub(super) fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':');
    !name.is_empty() && name.len() <= 253 && name.chars().all(fits)
}
