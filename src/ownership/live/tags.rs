//! Whom a tag, a label or a note beside a secret declares to be answerable.

use crate::model::{Edge, Owner, Tier};
use crate::ownership::roll::{clean, evidence, owner};

/// Tag keys that declare who answers for a thing, compared without case, `-`, `_`, `:` and spaces.
const TAGS: [(&str, Says); 13] = [
    ("owner", Says::Either),
    ("ownedby", Says::Either),
    ("owneremail", Says::Either),
    ("technicalowner", Says::Either),
    ("serviceowner", Says::Either),
    ("businessowner", Says::Either),
    ("contact", Says::Either),
    ("team", Says::Team),
    ("teamname", Says::Team),
    ("squad", Says::Team),
    ("department", Says::Team),
    ("costcenter", Says::Book),
    ("costcentre", Says::Book),
];

/// What kind of answer a tag gives.
#[derive(Clone, Copy)]
enum Says {
    /// A person or a team.
    Either,
    Team,
    /// Who pays: a lead to the owner, not a name.
    Book,
}

/// The owner that a tag declares. `technique` and `source` say where it was read.
pub(super) fn accountable((key, value): (&str, &str), (technique, source): (&str, &str)) -> Option<Owner> {
    let plain: String = key.chars().filter(|c| !matches!(c, '-' | '_' | ':' | ' ')).collect();
    let (_, says) = TAGS.iter().find(|(name, _)| plain.eq_ignore_ascii_case(name))?;
    let value = clean(value.trim());
    if value.is_empty() {
        return None;
    }
    let id = match says {
        Says::Either | Says::Team if is_mail(&value) => format!("mail:{value}"),
        Says::Team => format!("team:{value}"),
        Says::Either | Says::Book => format!("tag:{}={value}", clean(key)),
    };
    let mut accountable = owner(Edge::Accountable, id, value.clone(), Tier::Declared);
    accountable.evidence.push(evidence(technique, source, format!("{}={value}", clean(key))));
    Some(accountable)
}

pub(super) fn is_mail(value: &str) -> bool {
    let parts = value.split_once('@');
    parts.is_some_and(|(local, host)| !local.is_empty() && host.contains('.') && !host.contains(['@', ' ', '/']))
}
