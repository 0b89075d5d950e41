//! Names of images, spelt out, so that what a manifest runs and what was scanned meet (distribution/reference, as docker reads
//! them): `nginx` is `docker.io/library/nginx:latest`.

use std::collections::BTreeSet;

use crate::model::{Finding, Provenance};

/// A name with host and tag, or with its digest alone. None for what is no name, such as what is left of a template.
pub(super) fn spelt_out(name: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | ':' | '@' | '+');
    if name.is_empty() || name.len() > 512 || !name.chars().all(fits) {
        return None;
    }
    let (named, digest) = name.split_once('@').map_or((name, None), |(named, digest)| (named, Some(digest)));
    let last = named.rfind('/').map_or(0, |slash| slash + 1);
    let (path, tag) = named[last..].find(':').map_or((named, "latest"), |at| (&named[..last + at], &named[last + at + 1..]));
    let host = path.split_once('/').filter(|(host, _)| host.contains(['.', ':']) || *host == "localhost");
    let full = match host {
        Some(("index.docker.io", rest)) => format!("docker.io/{rest}"),
        Some(_) => path.to_owned(),
        None if path.contains('/') => format!("docker.io/{path}"),
        None => format!("docker.io/library/{path}"),
    };
    Some(digest.map_or_else(|| format!("{full}:{tag}"), |digest| format!("{full}@{digest}")))
}

/// The images of a registry that a finding was seen in, where their containers see it too.
pub(super) fn of(finding: &Finding) -> BTreeSet<String> {
    let visible = finding.occurrences.iter().filter_map(|seen| match &seen.provenance {
        Provenance::Layer(place) if !place.hidden => place.image.strip_prefix("docker://").and_then(spelt_out),
        _ => None,
    });
    visible.collect()
}

#[cfg(test)]
mod tests {
    use super::spelt_out;
    use crate::model::{LayerPlace, Provenance, Tier};
    use crate::ownership::artefacts::testing::{consumers, finding, seen, tree};

    #[test]
    fn names_are_spelt_out_as_docker_does() {
        for (name, full) in [
            ("nginx", Some("docker.io/library/nginx:latest")),
            ("bitnami/redis:7", Some("docker.io/bitnami/redis:7")),
            ("index.docker.io/a/b", Some("docker.io/a/b:latest")),
            ("localhost:5000/a/b:1", Some("localhost:5000/a/b:1")),
            ("r.example/a:1@sha256:ab", Some("r.example/a@sha256:ab")),
            ("{{ .Values.image }}", None),
            ("${IMAGE}", None),
            ("", None),
        ] {
            assert_eq!(spelt_out(name).as_deref(), full, "{name}");
        }
    }

    #[test]
    fn what_runs_the_image_is_inferred_to_use_what_is_in_it() {
        let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: n}\nspec: {containers: [{name: c, image: 'r.example/api:1'}, {name: d, image: 'r.example/api:2'}]}\n";
        let compose = "services: {api: {image: 'r.example/api:1'}, db: {image: postgres}}\n";
        let known = tree(&[("pod.yaml", pod), ("compose.yaml", compose)]);
        for (image, hidden, expected) in [
            ("docker://r.example/api:1", false, &["compose:compose.yaml/api", "k8s:n/Pod/p/c"][..]),
            ("docker://r.example/api:1", true, &[]),
            ("docker://r.example/api:3", false, &[]),
            ("oci:api:1", false, &[]),
        ] {
            let mut found = finding("not in any file");
            let mut at = seen("app/.env", 1, 0..9);
            at.provenance =
                Provenance::Layer(Box::new(LayerPlace { image: image.to_owned(), hidden, ..LayerPlace::default() }));
            found.occurrences.push(at);
            let expected: Vec<_> = expected.iter().map(|id| (*id, Tier::Inferred)).collect();
            assert_eq!(consumers(&known.resolve(&found)), expected, "{image} {hidden}");
        }
    }
}
