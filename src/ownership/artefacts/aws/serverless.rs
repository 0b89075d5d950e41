//! The Serverless Framework: value → `environment` of the provider or of a function → function. Only where the provider
//! is AWS. `${self:…}` and `${file(…):…}` are followed. A value with another `${…}` in it may turn out to be another: inferred.

use std::sync::Arc;

use super::super::links::{Consumer, Kind, Link, Links};
use super::super::yaml::View;
use super::super::{Sheet, clean, dotenv, ends_in, file_name, folder, is_showable, join};
use super::code;
use super::references::{self, Target};
use crate::model::{Coverage, Tier};

/// What `serverless.yml` files say.
#[derive(Default)]
pub(in super::super) struct Serverless;

impl Kind for Serverless {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        file_name(path).starts_with("serverless") && ends_in(path, &["yml", "yaml", "json"])
    }

    /// Files that references lead into are known by nothing but what people call them.
    fn is_env_file(path: &str) -> bool {
        let name = file_name(path).to_ascii_lowercase();
        if dotenv::is_named_so(&name) {
            return true;
        }
        let words = ["env", "secret", "secrets", "config", "custom", "variables", "vars", "params", "settings"];
        ends_in(&name, &["yml", "yaml", "json"]) && name.split(['.', '-', '_']).any(|part| words.contains(&part))
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, coverage: &mut Coverage) {
        sheet.documents(coverage, &mut |root| {
            if root.get("provider").is_none() {
                // Not a service: what one of them may refer to.
                return links.put_leaves(sheet, root);
            }
            if root.text_at(&["provider", "name"]).or_else(|| root.text_at(&["provider"])) != Some("aws") {
                return;
            }
            let Some(functions) = root.get("functions") else { return };
            let all = root.at(&["provider", "environment"]);
            for part in [functions].into_iter().chain(functions.items()) {
                for (name, function) in part.entries() {
                    if let Some(name) = name.text().filter(|name| is_showable(name)) {
                        read((sheet, links), (name, function), (root, all));
                    }
                }
            }
        });
    }
}

fn read<'t>(
    (sheet, links): (&Sheet<'_>, &mut Links),
    (name, function): (&str, View<'t>),
    (root, all): (View<'t>, Option<View<'t>>),
) {
    let consumer = Consumer::new(format!("lambda:{}/{name}", sheet.path), format!("function {name} of {}", sheet.path));
    let consumer = Arc::new(consumer);
    if let Some(at) = function.get("handler") {
        code::handler((sheet, links), at, ("", &consumer));
    }
    for view in [root, function] {
        code::packed((sheet, links), view, &consumer);
    }
    // The plugin gives all that a `.env` has to every function (github.com/neverendingqs/serverless-dotenv-plugin).
    let plugins = root.get("plugins").into_iter().flat_map(View::items);
    for plugin in plugins.filter(|plugin| plugin.text() == Some("serverless-dotenv-plugin")) {
        if let Some(file) = join(folder(&sheet.path), ".env") {
            let link = Link::new(&consumer, Tier::Inferred, "serverless-dotenv", "all of .env");
            links.pull(file, sheet.place(plugin), link);
        }
    }
    let own = function.get("environment");
    // An environment that stands elsewhere as a whole.
    let here = |variables: View<'t>| match variables.text().and_then(|text| references::target(sheet, root, text)) {
        Some(Target::Here(view)) => view,
        _ => variables,
    };
    let (own, all) = (own.map(here), all.map(here));
    for (variables, technique) in [(own, "serverless-environment"), (all, "serverless-provider-environment")] {
        if let Some(at) = variables.filter(|variables| variables.text().is_some()) {
            references::put((sheet, links), root, at, &Link::new(&consumer, Tier::Inferred, technique, "environment"));
        }
    }
    for (variables, technique) in [(own, "serverless-environment"), (all, "serverless-provider-environment")] {
        for (variable, value) in variables.map(View::entries).unwrap_or_default() {
            let (Some(variable), Some(text)) = (variable.text(), value.text()) else { continue };
            if technique == "serverless-provider-environment" && own.is_some_and(|own| own.get(variable).is_some()) {
                continue;
            }
            let tier = if text.contains("${") { Tier::Inferred } else { Tier::Bound };
            let link = Link::new(&consumer, tier, technique, format!("environment {}", clean(variable)));
            references::put((sheet, links), root, value, &link);
            // `useDotenv` fills these from a `.env`.
            for name in text.split("${env:").skip(1).filter_map(|rest| rest.split([',', '}']).next()) {
                links.want(name.trim(), sheet.place(value), Link { tier: Tier::Inferred, ..link.clone() });
            }
            links.put(sheet, value, link);
        }
    }
}
