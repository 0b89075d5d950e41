//! What a sighting in an image says by itself: every container of the image has the file, or the variable, and the image's
//! labels name the repository that it was built from.

use std::collections::BTreeMap;

use super::roll::{Roll, clean, evidence, owner};
use crate::model::{Edge, Finding, LayerPlace, Provenance, Tier};

/// Adds the images that a finding was seen in, and the repositories that they name.
pub(super) fn call(finding: &Finding, roll: &mut Roll) {
    let mut images: BTreeMap<&str, Seen<'_>> = BTreeMap::new();
    for seen in &finding.occurrences {
        let Provenance::Layer(place) = &seen.provenance else { continue };
        let image = images.entry(&place.image).or_default();
        image.source = image.source.or(place.source.as_deref().map(|source| (source, &**place)));
        // What a later layer deletes leaks all the same, but no container gets it.
        if !place.hidden && image.shown.is_none() {
            image.shown = Some((&seen.path, place));
        }
    }
    for (name, image) in images {
        let at = |path: &str, place: &LayerPlace| format!("{} in {}", clean(path), clean(&place.layer));
        if let Some((path, place)) = image.shown {
            // Inferred: that a container has it does not mean that a program in it reads it.
            let mut consumer = owner(Edge::Consumer, format!("image:{}", clean(name)), clean(name), Tier::Inferred);
            consumer.evidence.push(evidence("image-content", at(path, place), "in every container of this image"));
            roll.add(consumer);
        }
        if let Some((source, place)) = image.source {
            let revision = place.revision.as_deref().map(|revision| format!(" at {}", clean(revision))).unwrap_or_default();
            let mut repo = owner(Edge::Custodian, format!("repo:{}", clean(source)), clean(source), Tier::Declared);
            // Labels are not signed, and an image that sets none has those of its base.
            let value = format!("org.opencontainers.image.source{revision}, unsigned; its base image's where it sets none");
            repo.evidence.push(evidence("oci-label", clean(name), value));
            roll.add(repo);
        }
    }
}

#[derive(Default)]
struct Seen<'f> {
    shown: Option<(&'f str, &'f LayerPlace)>,
    source: Option<(&'f str, &'f LayerPlace)>,
}

#[cfg(test)]
mod tests {
    use super::super::artefacts::testing::{finding, seen};
    use super::super::roll::Roll;
    use crate::model::{Edge, LayerPlace, Provenance, Tier};

    #[test]
    fn an_image_is_a_consumer_of_what_its_containers_see() {
        let layer = |image: &str, hidden| {
            let source = (image == "docker://r/a:1").then(|| "https://git.example/a".to_owned());
            let place =
                LayerPlace { image: image.to_owned(), layer: "sha256:0".into(), hidden, source, ..LayerPlace::default() };
            let mut seen = seen("app/.env", 1, 0..9);
            seen.provenance = Provenance::Layer(Box::new(place));
            seen
        };
        let mut found = finding("x");
        found.occurrences =
            vec![layer("docker://r/a:1", true), layer("docker://r/a:1", false), layer("docker://r/b:1", true)];
        let mut roll = Roll::default();
        super::call(&found, &mut roll);
        let owners: Vec<_> = roll.finish().into_iter().map(|owner| (owner.edge, owner.id, owner.tier)).collect();
        let expected = [
            (Edge::Custodian, "repo:https://git.example/a".to_owned(), Tier::Declared),
            (Edge::Consumer, "image:docker://r/a:1".to_owned(), Tier::Inferred),
        ];
        assert_eq!(owners, expected);
    }
}
