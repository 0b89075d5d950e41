//! Whether the provider accepts a credential that is held in memory alone: asked as its detector declares.

use std::sync::Arc;
use std::time::Duration;

use super::super::World;
use super::super::keys::{GONE, segment};
use super::{Mint, Minted};
use crate::model::{Confidence, Credential, Facts, Liveness, Part};
use crate::secret::Secret;
use crate::validate::Validator;

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// IAM and others take seconds to know a new key everywhere: so often in a row it must be accepted.
const IN_A_ROW: u32 = 2;

/// A credential with these parts, and for the rest the old one's.
pub(in crate::respond::actions) fn credential(world: &World<'_>, parts: &[(String, Secret)]) -> Option<Credential> {
    let detector = world.hands.detector.as_ref()?;
    let old = (world.hands.recall)(&world.plan.fingerprint).into_iter().next();
    let value = |name: &str| -> Option<Secret> {
        let new = parts.iter().find(|(part, _)| part == name).map(|(_, value)| value.duplicate());
        let told = || world.plan.target.get(name).map(|text| Secret::new(text.as_bytes()));
        new.or_else(|| old.as_ref()?.part(name).map(|part| part.value.duplicate())).or_else(told)
    };
    let parts = detector.parts.iter().filter_map(|spec| {
        let value = value(&spec.name)?;
        Some(Part { name: Arc::clone(&spec.name), value, public: spec.public, redaction: spec.redaction, span: 0..0 })
    });
    Some(Credential {
        detector: Arc::clone(&detector.id),
        parts: parts.collect(),
        facts: Facts::new(),
        confidence: Confidence::High,
        partial: false,
        encoding: Vec::new(),
    })
}

/// What the provider says of it now.
pub(super) async fn asked(mint: &dyn Mint, world: &World<'_>, parts: &[(String, Secret)]) -> Liveness {
    if let Some(said) = mint.works(world, parts) {
        return said.await;
    }
    let (Some(detector), Some(credential)) = (&world.hands.detector, credential(world, parts)) else {
        return Liveness::Unknown(GONE.to_owned());
    };
    Validator::new(Arc::clone(&world.hands.net)).check(detector, &[credential]).await
}

/// Waits until the new one is accepted. `Ok` says how it was told.
pub(super) async fn accepted(
    mint: &dyn Mint,
    world: &World<'_>,
    (minted, patience): (&Minted, Duration),
) -> Result<String, String> {
    let mut parts: Vec<(String, Secret)> =
        minted.parts.iter().map(|(name, value)| (name.clone(), value.duplicate())).collect();
    // A login has the new one's name.
    let login = mint.login(world.before, &minted.id);
    parts.extend(login.map(|login| ("user".to_owned(), Secret::new(segment(&login.new).as_bytes()))));
    again(mint, world, (&parts, patience)).await
}

/// Waits until one with these parts is accepted. `Ok` says how it was told.
pub(super) async fn again(
    mint: &dyn Mint,
    world: &World<'_>,
    (parts, patience): (&[(String, Secret)], Duration),
) -> Result<String, String> {
    let deadline = tokio::time::Instant::now() + patience;
    let (mut pause, mut times, mut limits) = (FIRST_PAUSE, 0, None);
    loop {
        let said = asked(mint, world, parts).await;
        if let Liveness::Limited(_, why) = &said {
            limits.get_or_insert_with(|| why.clone());
        }
        times = if said.is_usable() { times + 1 } else { 0 };
        if times >= IN_A_ROW {
            return Ok(
                limits.map_or_else(|| "the provider accepts it".to_owned(), |why| format!("the provider accepts it; {why}"))
            );
        }
        if let Liveness::NotChecked(why) = &said {
            // Nobody would answer at a second time either.
            return Ok(format!("not asked ({})", why.as_deref().unwrap_or("nothing can be asked about it")));
        }
        if tokio::time::Instant::now() + pause > deadline {
            let why = said.why().unwrap_or("it is accepted now and then").to_owned();
            return Err(format!("the provider does not accept the new one after {} s ({why})", patience.as_secs()));
        }
        tokio::time::sleep(pause).await;
        pause = if said.is_usable() { FIRST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
    }
}
