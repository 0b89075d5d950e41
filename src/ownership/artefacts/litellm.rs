//! LiteLLM proxy configurations: value → anywhere in the file → the proxy that is started with it.
//!
//! The whole file is the proxy's own, whatever it is called; it is known by `model_list` with `litellm_params`, or by
//! `litellm_settings`. `os.environ/NAME` is a reference and holds no value: an env file in the same folder that sets NAME
//! suggests which. The proxy serves others with keys of its own:
//! who is behind it stands in its database, not here.

use std::sync::Arc;

use super::links::{Consumer, Kind, Link, Links};
use super::yaml::View;
use super::{Sheet, clean, dotenv, ends_in, file_name};
use crate::model::{Coverage, Tier};

/// What proxy configurations say.
#[derive(Default)]
pub(super) struct LiteLlm;

impl Kind for LiteLlm {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        ends_in(path, &["yaml", "yml"])
    }

    fn is_env_file(path: &str) -> bool {
        dotenv::is_named_so(file_name(path))
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        sheet.mentions("litellm_params") || sheet.mentions("litellm_settings")
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, coverage: &mut Coverage) {
        let name = format!("LiteLLM proxy of {}", sheet.path);
        let consumer = Arc::new(Consumer::new(format!("litellm:{}", sheet.path), name));
        sheet.documents(coverage, &mut |root| {
            if !is_config(root) {
                return;
            }
            for (field, value) in root.entries() {
                let Some(field) = field.text() else { continue };
                if field == "model_list" {
                    for model in value.items() {
                        let way = format!("model {}", clean(model.text_at(&["model_name"]).unwrap_or("?")));
                        put(sheet, links, model, (&way, &Link::new(&consumer, Tier::Bound, "litellm-model", "")));
                    }
                } else {
                    let link = Link::new(&consumer, Tier::Bound, technique(field), "");
                    put(sheet, links, value, (&clean(field), &link));
                }
            }
        });
    }
}

fn is_config(root: View<'_>) -> bool {
    let mut models = root.get("model_list").into_iter().flat_map(View::items);
    models.any(|model| model.get("litellm_params").is_some()) || root.get("litellm_settings").is_some_and(View::is_mapping)
}

fn put(sheet: &Sheet<'_>, links: &mut Links, view: View<'_>, (way, link): (&str, &Link)) {
    view.leaves(way, &mut |way, leaf| {
        let link = Link { detail: way.to_owned(), ..link.clone() };
        match leaf.text().map(|text| text.strip_prefix("os.environ/")) {
            Some(Some(name)) => links.want(name, sheet.place(leaf), link),
            Some(None) => links.put(sheet, leaf, link),
            None => {}
        }
    });
}

fn technique(field: &str) -> &'static str {
    match field {
        "general_settings" => "litellm-general-setting",
        "router_settings" => "litellm-router-setting",
        "environment_variables" => "litellm-environment",
        _ => "litellm-setting",
    }
}

#[cfg(test)]
mod tests {
    use crate::model::{Owner, Tier};
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

    const PATH: &str = "proxy/config.yaml";
    const PROXY: (&str, Tier) = ("litellm:proxy/config.yaml", Tier::Bound);

    fn owners(text: &str) -> Vec<Owner> {
        tree(&[(PATH, text)]).resolve(&finding(VALUE))
    }

    fn config(key: &str, rest: &str) -> String {
        format!(
            "model_list:\n  - model_name: gpt-4o\n    litellm_params:\n      model: openai/gpt-4o\n      api_key: {key}\n{rest}"
        )
    }

    #[test]
    fn values_anywhere_in_the_file_are_the_proxy_s() {
        for (text, technique, value) in [
            (config(VALUE, ""), "litellm-model", "model gpt-4o.litellm_params.api_key (same value)"),
            (
                config("x", &format!("general_settings: {{master_key: {VALUE}}}\n")),
                "litellm-general-setting",
                "general_settings.master_key (same value)",
            ),
            (
                config("x", &format!("router_settings: {{redis_password: {VALUE}}}\n")),
                "litellm-router-setting",
                "router_settings.redis_password (same value)",
            ),
            (
                format!("litellm_settings: {{}}\nenvironment_variables: {{K: {VALUE}}}\n"),
                "litellm-environment",
                "environment_variables.K (same value)",
            ),
        ] {
            let all = owners(&text);
            assert_eq!(consumers(&all), [PROXY], "{text}");
            assert_eq!((all[0].evidence[0].technique.as_str(), all[0].evidence[0].value.as_str()), (technique, value));
        }
        let text = config("x", "general_settings: {database_url: 'postgres://u:hunter2@db/x'}\n");
        assert_eq!(consumers(&tree(&[(PATH, &text)]).resolve(&finding_in(PATH, &text, "hunter2"))), [PROXY]);
    }

    #[test]
    fn a_reference_is_met_by_an_env_file_beside_it() {
        let text = config("os.environ/OPENAI_API_KEY", "");
        let env = format!("OPENAI_API_KEY={VALUE}\n");
        for (path, line, expected) in [
            ("proxy/.env", env.as_str(), true),
            ("proxy/gateway.env", &env, true),
            ("proxy/.env.example", &env, false),
            (".env", &env, false),
            ("proxy/.env", &env.replace("OPENAI", "OTHER"), false),
        ] {
            let owners = tree(&[(PATH, &text), (path, line)]).resolve(&finding(VALUE));
            let inferred = [(PROXY.0, Tier::Inferred)];
            assert_eq!(consumers(&owners), if expected { &inferred[..] } else { &[] }, "{path}");
        }
    }

    #[test]
    fn references_and_other_files_hold_no_value() {
        assert_eq!(owners(&config("os.environ/OPENAI_API_KEY", "")), []);
        assert_eq!(tree(&[(PATH, &config("os.environ/A-LONG-NAME", ""))]).resolve(&finding("os.environ/A-LONG-NAME")), []);
        assert_eq!(owners(&format!("# litellm_params\nmodel_list: [{{name: {VALUE}}}]\n")), []);
        assert_eq!(owners(&format!("proxy_config:\n  litellm_settings: {{k: {VALUE}}}\n")), [], "a chart's values");
    }

    #[test]
    fn broken_and_hostile_files_are_told() {
        let known = tree(&[(PATH, "litellm_settings: [\n"), ("other.yaml", "a: [\n")]);
        assert_eq!(known.coverage().troubles.len(), 1, "{:?}", known.coverage());
        let mut bomb = String::from("litellm_settings: {}\na0: &a0 [v, v]\n");
        for level in 1..30 {
            bomb += format!("a{level}: &a{level} [*a{0}, *a{0}]\n", level - 1).as_str();
        }
        assert!(tree(&[(PATH, &bomb)]).coverage().troubles[0].why.contains("aliases"));
        let mut chain = String::from("litellm_settings: {}\na0: &a0 [v]\n");
        for level in 1..20_000 {
            chain += format!("a{level}: &a{level} [*a{}]\n", level - 1).as_str();
        }
        assert!(tree(&[(PATH, &chain)]).coverage().troubles[0].why.contains("aliases"), "as deep as it is long");
    }
}
