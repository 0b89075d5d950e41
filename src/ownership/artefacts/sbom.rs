//! Bills of materials and provenance: an image that a credential was seen in → the document that is about it → the repository it was
//! built from, which must remove the leak. Nothing here is verified, so it is declared, as labels are.
//!
//! `CycloneDX` 1.x JSON (`metadata.component`), SPDX 2.x JSON (the packages that the document describes), in-toto statements with SLSA
//! provenance 0.2 and 1, by themselves or in a DSSE envelope (cyclonedx.org/specification, spdx.github.io/spdx-spec,
//! slsa.dev/spec). A document about a name that is not an image's, or without a source, says nothing here.

use std::collections::HashMap;

use data_encoding::BASE64;

use super::image_refs::spelt_out;
use super::yaml::{Tree, View};
use super::{Clues, Reader, Sheet, clean, ends_in};
use crate::model::{Coverage, Edge, Tier};
use crate::ownership::roll::{Roll, evidence, owner};

/// Documents of one file, and images and sources of one document.
const MOST: usize = 30;

/// What documents say.
#[derive(Default)]
pub(super) struct Sbom {
    /// By the image's name, spelt out.
    sources: HashMap<String, Vec<Source>>,
}

struct Source {
    repository: String,
    technique: &'static str,
    at: String,
}

impl Reader for Sbom {
    const LIMIT: usize = 32 << 20;

    fn wants(path: &str) -> bool {
        ends_in(path, &["json", "jsonl", "cdx", "spdx", "intoto", "att"])
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        let head = &sheet.bytes[..sheet.bytes.len().min(4096)];
        let words: [&[u8]; 4] = [b"CycloneDX", b"spdxVersion", b"in-toto.io/Statement", b"application/vnd.in-toto+json"];
        // Only what begins as such a document: most JSON is something else.
        words.iter().any(|word| memchr::memmem::find(head, word).is_some())
    }

    fn read(&mut self, sheet: &Sheet<'_>, coverage: &mut Coverage) {
        let text = match sheet.text() {
            Ok(text) => text,
            Err(why) => return coverage.trouble(&*sheet.path, why),
        };
        // Attestations are kept a line each.
        let lines = ends_in(&sheet.path, &["jsonl"]);
        let documents = text.lines().filter(|line| !line.trim().is_empty()).take(MOST);
        let documents: Vec<&str> = if lines { documents.collect() } else { vec![text] };
        for document in documents {
            let (tree, broken) = Tree::parse_json(document);
            tree.roots().for_each(|root| self.document(sheet, root));
            sheet.complain(&tree, broken, "JSON", coverage);
        }
    }

    fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll) {
        for image in &clues.images {
            for source in self.sources.get(image).into_iter().flatten() {
                let id = format!("repo:{}", source.repository);
                let mut repository = owner(Edge::Custodian, id, source.repository.clone(), Tier::Declared);
                let value = format!("says where {} was built from, unverified", clean(image));
                repository.evidence.push(evidence(source.technique, source.at.clone(), value));
                roll.add(repository);
            }
        }
    }

    fn merge(&mut self, other: Self) {
        for (image, sources) in other.sources {
            self.sources.entry(image).or_default().extend(sources);
        }
    }
}

impl Sbom {
    fn document(&mut self, sheet: &Sheet<'_>, root: View<'_>) {
        if let Some(payload) = root.text_at(&["payload"]).and_then(|text| BASE64.decode(text.as_bytes()).ok()) {
            if let Ok(text) = std::str::from_utf8(&payload) {
                let (tree, _) = Tree::parse_json(text);
                tree.roots().for_each(|inner| self.statement(sheet, inner));
            }
            return;
        }
        if root.text_at(&["bomFormat"]) == Some("CycloneDX") {
            self.cyclonedx(sheet, root);
        } else if root.text_at(&["spdxVersion"]).is_some() {
            self.spdx(sheet, root);
        } else {
            self.statement(sheet, root);
        }
    }

    fn put(&mut self, sheet: &Sheet<'_>, technique: &'static str, images: &[String], sources: &[String]) {
        for image in images.iter().take(MOST) {
            for repository in sources.iter().take(MOST) {
                let at = sheet.path.to_string();
                self.sources.entry(image.clone()).or_default().push(Source {
                    repository: repository.clone(),
                    technique,
                    at,
                });
            }
        }
    }

    fn cyclonedx(&mut self, sheet: &Sheet<'_>, root: View<'_>) {
        let Some(component) = root.at(&["metadata", "component"]) else { return };
        let (name, version) = (component.text_at(&["name"]), component.text_at(&["version"]));
        let references = component.get("externalReferences").into_iter().flat_map(View::items);
        let sources = references.filter(|one| one.text_at(&["type"]) == Some("vcs"));
        let sources: Vec<String> = sources.filter_map(|one| repository(one.text_at(&["url"])?)).collect();
        self.put(sheet, "sbom-source", &images(name, version), &sources);
    }

    fn spdx(&mut self, sheet: &Sheet<'_>, root: View<'_>) {
        let described: Vec<&str> =
            root.get("documentDescribes").into_iter().flat_map(View::items).filter_map(View::text).collect();
        let packages = root.get("packages").into_iter().flat_map(View::items);
        let own = packages.filter(|one| one.text_at(&["SPDXID"]).is_some_and(|id| described.contains(&id)));
        for package in own.take(MOST) {
            let source = package.text_at(&["downloadLocation"]).and_then(repository);
            let named = images(package.text_at(&["name"]), package.text_at(&["versionInfo"]));
            self.put(sheet, "sbom-source", &named, source.as_slice());
        }
    }

    fn statement(&mut self, sheet: &Sheet<'_>, root: View<'_>) {
        let build = root.at(&["predicate", "buildDefinition"]);
        let listed = |view: Option<View<'_>>| -> Vec<String> {
            let all = view.into_iter().flat_map(View::items).filter_map(|one| one.text_at(&["uri"]));
            all.filter(|uri| uri.starts_with("git+")).filter_map(repository).collect()
        };
        // What the build was started with comes before what it took in on its way.
        let started = build
            .and_then(|build| build.text_at(&["externalParameters", "workflow", "repository"]))
            .or_else(|| root.text_at(&["predicate", "invocation", "configSource", "uri"]));
        let sources = match started.and_then(repository) {
            Some(source) => vec![source],
            None => [
                listed(build.and_then(|build| build.get("resolvedDependencies"))),
                listed(root.at(&["predicate", "materials"])),
            ]
            .concat(),
        };
        for subject in root.get("subject").into_iter().flat_map(View::items).take(MOST) {
            let digest = subject.text_at(&["digest", "sha256"]).map(|digest| format!("sha256:{digest}"));
            let named = images(subject.text_at(&["name"]), digest.as_deref());
            self.put(sheet, "provenance-source", &named, &sources);
        }
    }
}

/// The names that an image may be met by: its own, with its tag or digest where the version is one.
fn images(name: Option<&str>, version: Option<&str>) -> Vec<String> {
    let Some(name) = name else { return Vec::new() };
    // `ubuntu` and `api` are any program's name; an image's that says where it is has a host.
    let bare = name.strip_prefix("pkg:docker/").unwrap_or(name);
    if !bare.split_once('/').is_some_and(|(host, _)| host.contains(['.', ':'])) {
        return Vec::new();
    }
    let with = version.map(|version| {
        let sign = if version.starts_with("sha256:") { '@' } else { ':' };
        format!("{bare}{sign}{version}")
    });
    let tagged = bare.rsplit('/').next().is_some_and(|last| last.contains([':', '@']));
    let own = Some(bare.to_owned()).filter(|_| tagged);
    own.into_iter().chain(with.filter(|_| !tagged)).filter_map(|name| spelt_out(&name)).collect()
}

/// A repository's address, without what is said of a version in it. None for what is no address, such as `NOASSERTION`.
fn repository(text: &str) -> Option<String> {
    let text = text.strip_prefix("git+").unwrap_or(text);
    let scheme = text.find("://")?;
    let rest = &text[scheme + 3..];
    // Whatever stands before an `@` in the host's place may be a password.
    let (host, path) = rest.split_once('/')?;
    let host = host.rsplit('@').next().unwrap_or(host);
    let path = path.split(['@', '#', '?']).next().unwrap_or(path).trim_end_matches(".git");
    let fits = !host.is_empty() && !path.is_empty();
    fits.then(|| clean(&format!("https://{host}/{path}")))
}

#[cfg(test)]
mod tests {
    use super::repository;
    use crate::model::{Edge, LayerPlace, Provenance, Tier};
    use crate::ownership::artefacts::testing::{finding, seen, tree};

    fn sources(path: &str, text: &str, image: &str) -> Vec<String> {
        let mut found = finding("x");
        let mut at = seen("app/.env", 1, 0..9);
        at.provenance = Provenance::Layer(Box::new(LayerPlace { image: image.to_owned(), ..LayerPlace::default() }));
        found.occurrences.push(at);
        let owners = tree(&[(path, text)]).resolve(&found).into_iter();
        let repositories = owners.filter(|owner| owner.edge == Edge::Custodian && owner.tier == Tier::Declared);
        repositories.map(|owner| owner.id).collect()
    }

    #[test]
    fn documents_name_the_source_of_the_image_that_they_are_about() {
        let cyclonedx = "{\"bomFormat\": \"CycloneDX\", \"metadata\": {\"component\": {\"type\": \"container\", \"name\": \"r.example/api\", \"version\": \"1\", \"externalReferences\": [{\"type\": \"website\", \"url\": \"https://x.example/\"}, {\"type\": \"vcs\", \"url\": \"https://git.example/shop/api.git\"}]}}}";
        let spdx = "{\"spdxVersion\": \"SPDX-2.3\", \"documentDescribes\": [\"SPDXRef-a\"], \"packages\": [{\"SPDXID\": \"SPDXRef-b\", \"name\": \"r.example/api\", \"versionInfo\": \"1\", \"downloadLocation\": \"git+https://git.example/other\"}, {\"SPDXID\": \"SPDXRef-a\", \"name\": \"r.example/api\", \"versionInfo\": \"1\", \"downloadLocation\": \"git+https://git.example/shop/api@abc\"}]}";
        let slsa = "{\"_type\": \"https://in-toto.io/Statement/v1\", \"subject\": [{\"name\": \"r.example/api:1\"}], \"predicate\": {\"buildDefinition\": {\"externalParameters\": {\"workflow\": {\"repository\": \"https://git.example/shop/api\"}}, \"resolvedDependencies\": [{\"uri\": \"git+https://git.example/lib\"}]}}}";
        let old = "{\"_type\": \"https://in-toto.io/Statement/v0.1\", \"subject\": [{\"name\": \"r.example/api:1\"}], \"predicate\": {\"materials\": [{\"uri\": \"pkg:docker/x\"}, {\"uri\": \"git+https://git.example/shop/api.git@refs/heads/main\"}]}}";
        let envelope = format!(
            "{{\"payloadType\": \"application/vnd.in-toto+json\", \"payload\": \"{}\"}}",
            data_encoding::BASE64.encode(slsa.as_bytes())
        );
        let own = ["repo:https://git.example/shop/api".to_owned()];
        for (path, text) in [
            ("bom.cdx.json", cyclonedx),
            ("sbom.spdx.json", spdx),
            ("provenance.json", slsa),
            ("provenance.intoto.jsonl", old),
            ("envelope.json", &envelope),
        ] {
            assert_eq!(sources(path, text, "docker://r.example/api:1"), own, "{path}");
            assert_eq!(sources(path, text, "docker://r.example/api:2"), [] as [String; 0], "{path}");
        }
        let digest = format!("sha256:{}", "ab".repeat(32));
        let by_digest = slsa.replace(
            "\"r.example/api:1\"",
            &format!("\"r.example/api\", \"digest\": {{\"sha256\": \"{}\"}}", "ab".repeat(32)),
        );
        assert_eq!(sources("p.json", &by_digest, &format!("docker://r.example/api@{digest}")), own);
        let nameless = cyclonedx.replace("r.example/api", "api");
        assert_eq!(sources("bom.json", &nameless, "docker://api:1"), [] as [String; 0], "any program's name");
    }

    #[test]
    fn addresses_lose_what_is_no_part_of_them() {
        for (text, address) in [
            ("git+ssh://git@git.example/a/b.git#main", Some("https://git.example/a/b")),
            ("https://user:word@git.example/a/b", Some("https://git.example/a/b")),
            ("NOASSERTION", None),
            ("https://", None),
        ] {
            assert_eq!(repository(text).as_deref(), address, "{text}");
        }
    }
}
