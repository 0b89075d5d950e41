//! Targets that are images: `docker-archive:FILE`, `oci-archive:FILE[:TAG]`, `oci:DIR[:TAG]`, `docker://REGISTRY/NAME:TAG`,
//! the names that skopeo and podman have for them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use clap::builder::FalseyValueParser;

use super::args::Least;
use super::settings::Settings;
use crate::detect::DetectorSet;
use crate::fetch::{Reference, Registry};
use crate::scan::{ImagePlace, ImageTarget, Platform, Target, Wanted};

/// How to look at images.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Images {
    /// Of an image for several platforms only this one: `linux/arm64` (default: every one).
    #[arg(long, env = "STAUNCH_PLATFORM", value_name = "OS/ARCH")]
    pub(super) platform: Option<String>,
    /// Skip layers, by digest, that were read whole before with the same detectors and in which nothing was found.
    #[arg(long, env = "STAUNCH_SKIP_LAYERS", value_parser = FalseyValueParser::new())]
    pub(super) skip_layers: bool,
    /// Ask the registries that you name over plain http, wherever they are. Those on loopback are asked so anyway.
    #[arg(long, env = "STAUNCH_ALLOW_HTTP", value_parser = FalseyValueParser::new())]
    pub(super) allow_http: bool,
}

/// The transport of a target, where it is an image, and what it names.
fn split(text: &str) -> Option<(&'static str, &str)> {
    let transports = ["docker-archive:", "oci-archive:", "oci:", "docker://"];
    transports.iter().find_map(|transport| Some((*transport, text.strip_prefix(transport)?)))
}

/// Whether a target is an image.
pub(super) fn is_image(target: &Path) -> bool {
    split(&target.to_string_lossy()).is_some()
}

/// The name of an image on disk that means the same from every folder. None for one of a registry, or for what is no image.
pub(super) fn absolute(text: &str) -> Option<String> {
    let (transport, named) = split(text).filter(|(transport, _)| *transport != "docker://")?;
    let full = std::path::absolute(named).ok()?;
    Some(format!("{transport}{}", full.to_string_lossy()))
}

/// The image of that name, of which only these layers and configs are read.
pub(super) fn again(
    text: &str,
    digests: Vec<String>,
    (settings, set): (&Settings, &DetectorSet),
) -> anyhow::Result<Option<Target>> {
    let target = Images::default().target(text, settings, (set, Least::Low))?;
    Ok(target.map(|target| match target {
        Target::Image(image) => Target::Image(ImageTarget { only: digests, ..image }),
        other => other,
    }))
}

impl Images {
    /// The target that `text` names; None when it names no image.
    pub(super) fn target(
        &self,
        text: &str,
        settings: &Settings,
        (set, least): (&DetectorSet, Least),
    ) -> anyhow::Result<Option<Target>> {
        let Some((transport, named)) = split(text) else { return Ok(None) };
        let platform = self.platform.as_deref().map(|platform| {
            Platform::parse(platform).with_context(|| format!("--platform {platform:?} is not OS/ARCH, like linux/arm64"))
        });
        let mut wanted = Wanted { platform: platform.transpose()?, tag: None };
        let place = match transport {
            "docker://" => ImagePlace::Registry(Arc::new(self.registry(named, settings)?)),
            "oci:" => {
                let (path, tag) = path_and_tag(named);
                wanted.tag = tag;
                ImagePlace::Folder(path)
            }
            _ => {
                let (path, tag) = path_and_tag(named);
                wanted.tag = tag;
                ImagePlace::Archive(path)
            }
        };
        let seen = settings.state.as_ref().filter(|_| self.skip_layers);
        let seen = seen.map(|state| state.join("layers").join(format!("{}-{least:?}", set.hash()).to_lowercase()));
        Ok(Some(Target::Image(ImageTarget { name: text.to_owned(), place, wanted, seen, only: Vec::new() })))
    }

    fn registry(&self, named: &str, settings: &Settings) -> anyhow::Result<Registry> {
        let reference = Reference::parse(named)?;
        let origin = reference.origin(self.allow_http).context("that registry has no name")?;
        let plain = if origin.scheme() == "http" { vec![origin.clone()] } else { Vec::new() };
        let net = settings.net_and(plain)?;
        let login = settings.login_files().map_or(Ok(None), |files| files.login(&reference.registry, &reference.repository));
        Ok(Registry::new(net, reference, origin, login))
    }
}

/// `DIR:TAG`. What is there under its whole name is a path.
fn path_and_tag(named: &str) -> (PathBuf, Option<String>) {
    match named.rsplit_once(':') {
        Some((path, tag)) if !Path::new(named).exists() && Path::new(path).exists() => {
            (PathBuf::from(path), Some(tag.to_owned()))
        }
        _ => (PathBuf::from(named), None),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_image, path_and_tag, split};
    use std::path::Path;

    #[test]
    fn transports() {
        assert_eq!(split("oci:dir:tag"), Some(("oci:", "dir:tag")));
        assert_eq!(split("docker://debian"), Some(("docker://", "debian")));
        for none in ["oci", "./oci:x", "docker:x", "https://x", "-", "."] {
            assert!(!is_image(Path::new(none)), "{none}");
        }
    }

    #[test]
    fn an_image_on_disk_is_called_by_its_whole_path() {
        let full = super::absolute("oci:dir:tag").expect("a name");
        assert!(full.starts_with("oci:/") && full.ends_with("/dir:tag"), "{full}");
        assert_eq!(super::absolute("docker-archive:/a.tar").as_deref(), Some("docker-archive:/a.tar"));
        assert_eq!((super::absolute("docker://debian"), super::absolute("dir")), (None, None));
    }

    #[test]
    fn a_path_with_a_colon_is_a_path_where_it_is_there() {
        let dir = tempfile::tempdir().expect("scratch");
        let path = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
        std::fs::write(path("a:b"), "").expect("written");
        std::fs::write(path("c"), "").expect("written");
        assert_eq!(path_and_tag(&path("a:b")), (path("a:b").into(), None));
        assert_eq!(path_and_tag(&path("c:v1")), (path("c").into(), Some("v1".to_owned())));
        assert_eq!(path_and_tag(&path("d:v1")), (path("d:v1").into(), None));
    }
}
