//! Home Assistant and ESPHome: value → `secrets.yaml` → `!secret NAME` in a file of settings → the house, or the device; also values in
//! those files themselves (home-assistant.io, "Storing secrets"; esphome.io, "Secrets").
//!
//! A file with an `esphome` part is a device's. Others are the house's whose `configuration.yaml` lies in their folder or above. A
//! secret is looked for beside the file and in the folders above it: declared.

use std::sync::Arc;

use super::links::{Consumer, Kind, Link, Links};
use super::yaml::View;
use super::{Sheet, clean, ends_in, file_name, folder};
use crate::model::{Coverage, Tier};

/// Folders above a file that are looked into.
const ABOVE: usize = 4;

/// What such files say.
#[derive(Default)]
pub(super) struct Homes;

impl Kind for Homes {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        ends_in(path, &["yaml", "yml"]) && !Self::is_env_file(path)
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        sheet.mentions("!secret ") || is_device(sheet) || is_house(sheet)
    }

    fn is_env_file(path: &str) -> bool {
        matches!(file_name(path), "secrets.yaml" | "secrets.yml")
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, _: &mut Coverage) {
        let device = is_device(sheet);
        let kind = if device { "esphome" } else { "homeassistant" };
        let path = if device || is_house(sheet) { sheet.path.to_string() } else { house(&sheet.path) };
        let consumer = Arc::new(Consumer::new(format!("{kind}:{path}"), format!("{kind} {path}")));
        // What is not valid is told by other readers, where it is theirs.
        sheet.documents(&mut Coverage::default(), &mut |root| {
            root.leaves("", &mut |way, leaf| {
                let link = Link::new(&consumer, Tier::Declared, "home-setting", clean(way));
                match (leaf.tag(), leaf.text()) {
                    (Some("secret"), Some(name)) => secret((sheet, links), leaf, name, &link),
                    _ if device || is_house(sheet) => links.put(sheet, leaf, link),
                    _ => {}
                }
            });
        });
    }
}

fn secret((sheet, links): (&Sheet<'_>, &mut Links), leaf: View<'_>, name: &str, link: &Link) {
    let mut at = folder(&sheet.path);
    for _ in 0..ABOVE {
        for file in ["secrets.yaml", "secrets.yml"] {
            let file = if at.is_empty() { file.to_owned() } else { format!("{at}/{file}") };
            links.pull_key((file, name.to_owned()), sheet.place(leaf), link.clone());
        }
        if at.is_empty() {
            return;
        }
        at = folder(at);
    }
}

fn is_device(sheet: &Sheet<'_>) -> bool {
    (sheet.bytes.starts_with(b"esphome:") || sheet.mentions("\nesphome:"))
        && ["esp32", "esp8266", "rp2040", "bk72xx", "rtl87xx", "platform:", "packages:"]
            .iter()
            .any(|word| sheet.mentions(word))
}

fn is_house(sheet: &Sheet<'_>) -> bool {
    let known = ["default_config:", "homeassistant:", "!include", "automation:"];
    file_name(&sheet.path) == "configuration.yaml" && known.iter().any(|word| sheet.mentions(word))
}

/// The house that a file of settings most likely belongs to: of its own folder, or of the one that packages and the like lie in.
fn house(path: &str) -> String {
    const PARTS: &[&str] =
        &["packages", "automations", "scripts", "scenes", "sensors", "integrations", "includes", "config"];
    let mut at = folder(path);
    while PARTS.contains(&file_name(at)) && file_name(at) != "config" {
        at = folder(at);
    }
    if at.is_empty() { "configuration.yaml".to_owned() } else { format!("{at}/configuration.yaml") }
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::Declared;
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, tree};

    #[test]
    fn a_secret_is_who_asks_for_it() {
        let secrets = format!("wifi: {VALUE}\nother: x\n");
        let device = |value: &str| format!("esphome:\n  name: lamp\nesp32: {{board: x}}\nwifi: {{password: {value}}}\n");
        let house = |value: &str| format!("default_config:\nhttp: {{key: {value}}}\n");
        for (path, text, expected) in [
            ("esphome/lamp.yaml", device("!secret wifi"), Some("esphome:esphome/lamp.yaml")),
            ("esphome/lamp.yaml", device("!secret other"), None),
            ("esphome/lamp.yaml", device(VALUE), Some("esphome:esphome/lamp.yaml")),
            ("configuration.yaml", house("!secret wifi"), Some("homeassistant:configuration.yaml")),
            ("packages/a.yaml", "rest: {key: !secret wifi}\n".to_owned(), Some("homeassistant:configuration.yaml")),
        ] {
            let beside = if text.contains(VALUE) { "x: y\n" } else { secrets.as_str() };
            let all = tree(&[(path, &text), ("secrets.yaml", beside)]).resolve(&finding(VALUE));
            assert_eq!(consumers(&all), expected.into_iter().map(|id| (id, Declared)).collect::<Vec<_>>(), "{path} {text}");
        }
    }
}
