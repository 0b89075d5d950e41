//! `manifest.json` of `docker save` before version 25, and of everyone who writes as it did: layers by name, their digests in
//! the config. <https://github.com/moby/docker-image-spec/blob/main/spec.md#combined-image-json--filesystem-changeset-format>

use super::blobs::{At, Digest};
use super::manifest::Saved;
use super::plan::{Planner, REVISION, SOURCE};
use super::{Role, Source};
use crate::model::LayerPlace;

impl Planner<'_, '_> {
    /// `docker save` before version 25, and everyone who writes as it did.
    pub(super) fn saved(&mut self, bytes: Vec<u8>) {
        let parsed: Result<Vec<Saved>, _> = serde_json::from_slice(&bytes);
        let place = self.place(Digest::sha256(&bytes).as_str());
        self.unit(Source::Bytes(bytes), Role::Other("manifest.json".to_owned()), place);
        let Ok(saved) = parsed else {
            return self.trouble("manifest.json", "it is no manifest that can be read");
        };
        for one in saved {
            self.saved_image(&one);
        }
        if let (0, Some(platform)) = (self.images, &self.wanted.platform) {
            let why = format!("it has no image for {platform}, only for {}", self.others.join(", "));
            self.visit.trouble(self.name, &why);
        }
    }

    fn saved_image(&mut self, saved: &Saved) {
        // `HEX.json`, or `blobs/sha256/HEX`.
        let stem = saved.config.rsplit('/').next().unwrap_or_default().trim_end_matches(".json");
        let digest = Digest::parse(&format!("sha256:{stem}"));
        let expected = digest.clone().map(|digest| (digest, None));
        let Some(bytes) = self.load(&At::Member(saved.config.clone()), expected) else {
            return self.trouble(&saved.config, "the config is not there");
        };
        let config = self.config(&bytes, &saved.config);
        let platform = config.platform();
        if let (Some(wanted), Some(platform)) = (&self.wanted.platform, &platform)
            && !wanted.takes(platform)
        {
            return self.others.push(platform.to_string());
        }
        self.images += 1;
        let place = LayerPlace {
            layer: digest.map_or_else(|| saved.config.clone(), |digest| digest.as_str().to_owned()),
            platform: platform.map(|platform| platform.to_string()),
            date: config.created(),
            source: config.label(SOURCE).map(str::to_owned),
            revision: config.label(REVISION).map(str::to_owned),
            ..self.place("")
        };
        let names = saved.layers.as_deref().unwrap_or_default();
        let mut stack = Vec::new();
        for (number, (name, made)) in names.iter().zip(config.made(names.len())).enumerate() {
            let digest = config.diff_id(number);
            let layer = digest.as_ref().map_or(name.as_str(), Digest::as_str).to_owned();
            let place = LayerPlace { layer, created_by: made.by, date: made.date, ..place.clone() };
            let role = Role::Layer { unpacked: true, foreign: false };
            self.used.insert(name.clone());
            if let Some(unit) = self.layer(At::Member(name.clone()), role, place) {
                self.units[unit].digest = digest;
                stack.push(unit);
            }
        }
        self.stacks.push(stack);
        if !bytes.is_empty() {
            self.unit(Source::Bytes(bytes), Role::Config, place);
        }
    }
}
