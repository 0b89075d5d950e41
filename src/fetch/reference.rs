//! Names of images in registries, as Docker reads them.
//! <https://github.com/distribution/reference/blob/main/reference.go>

use url::{Host, Url};

use super::FetchError;

/// A registry, a repository in it, and which image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Host, and port where one was written. Docker Hub is `docker.io`.
    pub registry: String,
    /// `library/debian`.
    pub repository: String,
    /// Which.
    pub version: Version,
}

/// Which image of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Version {
    /// What a name stands for today.
    Tag(String),
    /// Exactly that one.
    Digest(String),
}

impl Version {
    /// As it stands in a manifest's path.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Tag(text) | Self::Digest(text) => text,
        }
    }
}

impl Reference {
    /// Parses `[REGISTRY/]NAME[:TAG][@DIGEST]`. Without a registry it is Docker Hub's; a digest beats a tag.
    pub fn parse(text: &str) -> Result<Self, FetchError> {
        let wrong = || FetchError::Reference(text.chars().take(200).collect());
        let (name, digest) = text.split_once('@').map_or((text, None), |(name, digest)| (name, Some(digest)));
        let (registry, path) = match name.split_once('/') {
            Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (host, path),
            _ => ("docker.io", name),
        };
        let (repository, tag) = path.rsplit_once(':').map_or((path, None), |(path, tag)| (path, Some(tag)));
        let registry = if registry == "index.docker.io" { "docker.io" } else { registry };
        let library = registry == "docker.io" && !repository.contains('/');
        let repository = if library { format!("library/{repository}") } else { repository.to_owned() };
        let version = match (digest, tag) {
            (Some(digest), _) if is_digest(digest) => Version::Digest(digest.to_owned()),
            (None, Some(tag)) if is_tag(tag) => Version::Tag(tag.to_owned()),
            (None, None) => Version::Tag("latest".to_owned()),
            _ => return Err(wrong()),
        };
        let reference = Self { registry: registry.to_owned(), repository, version };
        let good = is_repository(&reference.repository) && reference.origin(false).is_some();
        if good { Ok(reference) } else { Err(wrong()) }
    }

    /// Where the registry answers: over https, or plain http on loopback and where the operator says so. None for what is
    /// no host.
    pub fn origin(&self, plain: bool) -> Option<Url> {
        let host = if self.registry == "docker.io" { "registry-1.docker.io" } else { &self.registry };
        let url = Url::parse(&format!("https://{host}/")).ok()?;
        let bare = url.path() == "/" && url.username().is_empty() && url.password().is_none() && url.query().is_none();
        if !bare || url.fragment().is_some() || host.contains(['/', '\\', '@']) {
            return None;
        }
        let loopback = match url.host()? {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        if loopback || plain { Url::parse(&format!("http://{host}/")).ok() } else { Some(url) }
    }
}

fn is_repository(text: &str) -> bool {
    let good = |part: &str| {
        let inner = part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b));
        let ends = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
        inner && ends(part.bytes().next()) && ends(part.bytes().last())
    };
    text.len() <= 255 && text.split('/').all(good)
}

fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (1..=128).contains(&text.len())
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

/// sha256 and sha512 are the registered algorithms.
pub(super) fn is_digest(text: &str) -> bool {
    let hex = |hex: &str| hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    match text.split_once(':') {
        Some(("sha256", digits)) => digits.len() == 64 && hex(digits),
        Some(("sha512", digits)) => digits.len() == 128 && hex(digits),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::Reference;

    #[test]
    fn names_as_docker_reads_them() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        for (text, registry, repository, version) in [
            ("debian", "docker.io", "library/debian", "latest"),
            ("grafana/grafana:11", "docker.io", "grafana/grafana", "11"),
            ("index.docker.io/x", "docker.io", "library/x", "latest"),
            ("ghcr.io/a/b/c:v1.2", "ghcr.io", "a/b/c", "v1.2"),
            ("localhost/x", "localhost", "x", "latest"),
            ("127.0.0.1:5000/x:y", "127.0.0.1:5000", "x", "y"),
            ("[::1]:5000/x", "[::1]:5000", "x", "latest"),
        ] {
            let parsed = Reference::parse(text).expect(text);
            let parts = (parsed.registry.as_str(), parsed.repository.as_str(), parsed.version.as_str());
            assert_eq!(parts, (registry, repository, version), "{text}");
        }
        let both = Reference::parse(&format!("quay.io/a/b:tag@{digest}")).expect("good");
        assert_eq!(both.version.as_str(), digest);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in [
            "",
            "UPPER",
            "a//b",
            "a/../b",
            "x:",
            "x:-a",
            "x@sha256:12",
            "x@md5:00",
            "user@host/x",
            "h.io/a?b",
            "h.io/a#b",
            "h.io:99999/a",
            "http://h.io/a",
            ".io/-x",
            "h .io/x",
            "a:5000",
            "x:a/b",
        ] {
            // `a:5000` is a tag, and good.
            assert!(text == "a:5000" || Reference::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn https_but_for_loopback_and_the_operators_word() {
        let origin = |text: &str, plain| Reference::parse(text).expect("good").origin(plain).expect("a host").to_string();
        assert_eq!(origin("debian", false), "https://registry-1.docker.io/");
        assert_eq!(origin("r.corp:5000/x", false), "https://r.corp:5000/");
        assert_eq!(origin("r.corp:5000/x", true), "http://r.corp:5000/");
        assert_eq!(origin("127.0.0.1:5000/x", false), "http://127.0.0.1:5000/");
        assert_eq!(origin("[::1]:5000/x", false), "http://[::1]:5000/");
        assert_eq!(origin("10.0.0.1:5000/x", false), "https://10.0.0.1:5000/");
    }
}
