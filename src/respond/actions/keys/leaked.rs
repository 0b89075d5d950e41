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

    /// What all candidates come to alike.
    ///
    /// # Errors
    /// One cannot be read, or several `what` compete.
    pub(in crate::respond::actions) fn alike<T: PartialEq>(
        &self,
        what: &str,
        of: impl Fn(&Credential) -> Result<T, String>,
    ) -> Result<T, String> {
        let mut all = self.variants.iter().map(of);
        let first = all.next().ok_or_else(|| super::GONE.to_owned())??;
        for other in all {
            if other? != first {
                return Err(format!("the same password was found for several {what}, which compete"));
            }
        }
        Ok(first)
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
