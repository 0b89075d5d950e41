//! The leaked value, as Recall gives it back: only for the approved fingerprint, and never the responder's own.

use super::super::World;
use crate::model::Credential;
use crate::secret::Secret;

/// A leaked credential in memory.
pub(in crate::respond::actions) struct Leaked {
    /// Several where candidates compete for one part; all share the identifying one.
    variants: Vec<Credential>,
    value: Secret,
}

impl Leaked {
    /// Reads it again. `None` when it is no longer readable.
    ///
    /// # Errors
    /// It is the credential that the responder acts with.
    pub(in crate::respond::actions) fn recall(world: &World<'_>) -> Result<Option<Self>, String> {
        let variants = (world.hands.recall)(&world.plan.fingerprint);
        let Some(value) = variants.first().and_then(Credential::pointed_at).map(|part| part.value.duplicate()) else {
            return Ok(None);
        };
        let own = world.hands.admin.as_ref().is_some_and(|admin| admin.is(&value));
        if own {
            return Err(super::OWN.to_owned());
        }
        Ok(Some(Self { variants, value }))
    }

    /// The secret part that names it.
    pub(in crate::respond::actions) fn value(&self) -> &Secret {
        &self.value
    }

    /// The same as text.
    pub(in crate::respond::actions) fn text(&self) -> Result<&str, String> {
        self.value.expose_str().ok_or_else(|| "the credential is not text".to_owned())
    }

    /// A part on which all candidates agree.
    pub(in crate::respond::actions) fn part(&self, name: &str) -> Result<&str, String> {
        let first = self.variants.first().and_then(|credential| credential.part(name));
        let first = first.ok_or_else(|| format!("its {name} was not found with it"))?;
        let same = |other: &Credential| other.part(name).is_some_and(|part| part.value.expose() == first.value.expose());
        if !self.variants.iter().all(same) {
            return Err(format!("several values compete to be its {name}"));
        }
        first.value.expose_str().ok_or_else(|| format!("its {name} is not text"))
    }
}

/// A redacted form, as providers list their keys: a head, something that hides, a tail.
pub(in crate::respond::actions) struct Shape<'h> {
    head: &'h str,
    tail: &'h str,
}

impl<'h> Shape<'h> {
    /// Reads `sk-ant-api03-R2D...igAA`, `xai-***1234`, `****abcd`, `sk-or-v1-0e6…1c96`. `None` where nothing is hidden.
    pub(in crate::respond::actions) fn parse(text: &'h str) -> Option<Self> {
        let hides = |c: char| matches!(c, '*' | '…' | '•');
        let dots = text.find("..").or_else(|| text.find(hides))?;
        let rest = text[dots..].trim_start_matches(|c| c == '.' || hides(c));
        Some(Self { head: &text[..dots], tail: rest })
    }

    /// Whether a value may be the one that is hidden.
    pub(in crate::respond::actions) fn fits(&self, value: &str) -> bool {
        value.len() > self.head.len() + self.tail.len() && value.starts_with(self.head) && value.ends_with(self.tail)
    }

    /// Characters shown beyond those that every such key has.
    pub(in crate::respond::actions) fn shows(&self, prefix: &str) -> usize {
        self.head.strip_prefix(prefix).map_or(0, str::len) + self.tail.len()
    }
}

#[cfg(test)]
mod tests {
    use super::Shape;

    #[test]
    fn redacted_forms_fit_their_values_alone() {
        let value = "sk-or-v1-0e6ffffffffffffffff1c96";
        for good in ["sk-or-v1-0e6...1c96", "sk-or-v1-0e6…1c96", "****1c96", "sk-***1c96", "sk-or-v1-0e6......1c96"] {
            assert!(Shape::parse(good).expect("a shape").fits(value), "{good}");
        }
        for bad in ["sk-or-v1-0e7...1c96", "sk-or-v1-0e6...1c97", "sk-or-v1-0e6fffffffff...ffffffffff1c96"] {
            assert!(!Shape::parse(bad).expect("a shape").fits(value), "{bad}");
        }
        assert!(Shape::parse(value).is_none());
        assert_eq!(Shape::parse("sk-or-v1-0e6...1c96").map(|shape| shape.shows("sk-or-v1-")), Some(7));
        assert_eq!(Shape::parse("sk-...c96").map(|shape| shape.shows("sk-proj-")), Some(3));
    }
}
