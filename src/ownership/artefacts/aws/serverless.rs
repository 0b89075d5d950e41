//! The Serverless Framework: value → `environment` of the provider or of a function → function. Only where the provider
//! is AWS. A value with a `${…}` in it may turn out to be another: inferred.

use std::sync::Arc;

use super::super::links::{Consumer, Kind, Link, Links};
use super::super::yaml::View;
use super::super::{Sheet, clean, ends_in, file_name, is_showable};
use crate::model::{Coverage, Tier};

/// What `serverless.yml` files say.
#[derive(Default)]
pub(in super::super) struct Serverless;

impl Kind for Serverless {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        file_name(path).starts_with("serverless") && ends_in(path, &["yml", "yaml", "json"])
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, coverage: &mut Coverage) {
        sheet.documents(coverage, &mut |root| {
            if root.text_at(&["provider", "name"]).or_else(|| root.text_at(&["provider"])) != Some("aws") {
                return;
            }
            let Some(functions) = root.get("functions") else { return };
            for part in [functions].into_iter().chain(functions.items()) {
                for (name, function) in part.entries() {
                    if let Some(name) = name.text().filter(|name| is_showable(name)) {
                        read((sheet, links), (name, function), root.at(&["provider", "environment"]));
                    }
                }
            }
        });
    }
}

fn read((sheet, links): (&Sheet<'_>, &mut Links), (name, function): (&str, View<'_>), all: Option<View<'_>>) {
    let consumer = Consumer::new(format!("lambda:{}/{name}", sheet.path), format!("function {name} of {}", sheet.path));
    let consumer = Arc::new(consumer);
    let own = function.get("environment");
    for (variables, technique) in [(own, "serverless-environment"), (all, "serverless-provider-environment")] {
        for (variable, value) in variables.map(View::entries).unwrap_or_default() {
            let (Some(variable), Some(text)) = (variable.text(), value.text()) else { continue };
            if technique == "serverless-provider-environment" && own.is_some_and(|own| own.get(variable).is_some()) {
                continue;
            }
            let tier = if text.contains("${") { Tier::Inferred } else { Tier::Bound };
            links.put(sheet, value, Link::new(&consumer, tier, technique, format!("environment {}", clean(variable))));
        }
    }
}
