//! Settings of platforms that run a folder: value → variables of one app, service or worker → that.
//!
//! App Engine's `app.yaml` (cloud.google.com, "app.yaml configuration file"), `fly.toml` (fly.io/docs/reference/configuration), Render's
//! blueprint `render.yaml` (render.com/docs/blueprint-spec), Cloudflare's `wrangler.toml` and `.json`
//! (developers.cloudflare.com/workers/wrangler/configuration). Secrets that are kept at the platform are not in the files.

use std::sync::Arc;

use super::links::{Consumer, Kind, Link, Links};
use super::yaml::View;
use super::{Sheet, clean, ends_in, file_name, folder, is_showable, join};
use crate::model::{Coverage, Tier};

/// Files that one `app.yaml` includes.
const INCLUDES: usize = 20;

/// What platforms' settings say.
#[derive(Default)]
pub(super) struct Platforms;

impl Kind for Platforms {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        read_by(path).is_some()
    }

    fn is_env_file(path: &str) -> bool {
        let name = file_name(path);
        if name.starts_with(".dev.vars") {
            return true;
        }
        ends_in(name, &["yaml", "yml"]) && ["env", "secret", "var", "config"].iter().any(|word| name.contains(word))
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, coverage: &mut Coverage) {
        let Some(read) = read_by(&sheet.path) else { return };
        sheet.documents(coverage, &mut |root| read(sheet, root, links));
    }
}

type Read = fn(&Sheet<'_>, View<'_>, &mut Links);

fn read_by(path: &str) -> Option<Read> {
    match file_name(path) {
        "app.yaml" | "app.yml" => Some(app_engine),
        "fly.toml" => Some(fly),
        // `fly deploy --config`: an app's settings by its stage's name.
        name if ends_in(name, &["toml"])
            && (name.starts_with("fly.") || folder(path).split('/').any(|one| one == "fly")) =>
        {
            Some(fly)
        }
        "render.yaml" => Some(render),
        "wrangler.toml" | "wrangler.json" | "wrangler.jsonc" => Some(wrangler),
        _ => None,
    }
}

/// One thing that runs: its kind and name, and what its variables are called in evidence.
fn consumer(sheet: &Sheet<'_>, kind: &str, name: &str) -> Option<Arc<Consumer>> {
    let id = format!("{kind}:{}/{name}", sheet.path);
    is_showable(name).then(|| Arc::new(Consumer::new(id, format!("{name} of {}", sheet.path))))
}

/// Every variable of a mapping.
fn variables(
    sheet: &Sheet<'_>,
    map: Option<View<'_>>,
    (consumer, technique): (&Arc<Consumer>, &'static str),
    links: &mut Links,
) {
    for (name, value) in map.map(View::entries).unwrap_or_default() {
        value.leaves(&clean(name.text().unwrap_or("?")), &mut |way, leaf| {
            links.put(sheet, leaf, Link::new(consumer, Tier::Bound, technique, way));
        });
    }
}

/// A file of that name is App Engine's where it says a runtime; the service is `default` where it names none.
fn app_engine(sheet: &Sheet<'_>, root: View<'_>, links: &mut Links) {
    if root.text_at(&["runtime"]).is_none() || root.get("apiVersion").is_some() {
        return;
    }
    let name = root.text_at(&["service"]).or_else(|| root.text_at(&["module"])).unwrap_or("default");
    let Some(consumer) = consumer(sheet, "appengine", name) else { return };
    for field in ["env_variables", "build_env_variables"] {
        variables(sheet, root.get(field), (&consumer, "appengine-env"), links);
    }
    // What it includes has the same fields.
    for include in root.get("includes").into_iter().flat_map(View::items).take(INCLUDES) {
        let Some(file) = include.text().and_then(|file| join(folder(&sheet.path), file)) else { continue };
        let link = Link::new(&consumer, Tier::Inferred, "appengine-include", format!("includes {}", clean(&file)));
        links.pull_key((file, "env_variables".to_owned()), sheet.place(include), link);
    }
}

fn fly(sheet: &Sheet<'_>, root: View<'_>, links: &mut Links) {
    let Some(consumer) = root.text_at(&["app"]).and_then(|name| consumer(sheet, "fly", name)) else { return };
    variables(sheet, root.get("env"), (&consumer, "fly-env"), links);
    variables(sheet, root.at(&["build", "args"]), (&consumer, "fly-build-argument"), links);
}

fn render(sheet: &Sheet<'_>, root: View<'_>, links: &mut Links) {
    let projects = root.get("projects").into_iter().flat_map(View::items);
    let environments = projects.flat_map(|project| project.get("environments").into_iter().flat_map(View::items));
    for root in [root].into_iter().chain(environments) {
        render_services(sheet, root, links);
    }
}

/// The services of a blueprint, or of one environment of a project in it.
fn render_services(sheet: &Sheet<'_>, root: View<'_>, links: &mut Links) {
    for service in root.get("services").into_iter().flat_map(View::items) {
        let Some(consumer) = service.text_at(&["name"]).and_then(|name| consumer(sheet, "render", name)) else { continue };
        for variable in service.get("envVars").into_iter().flat_map(View::items) {
            put_listed(sheet, variable, &consumer, links);
            let Some(group) = variable.text_at(&["fromGroup"]) else { continue };
            let groups = root.get("envVarGroups").into_iter().flat_map(View::items);
            for own in groups.filter(|own| own.text_at(&["name"]) == Some(group)) {
                let all = own.get("envVars").into_iter().flat_map(View::items);
                all.for_each(|variable| put_listed(sheet, variable, &consumer, links));
            }
        }
    }
}

/// `{key, value}`.
fn put_listed(sheet: &Sheet<'_>, variable: View<'_>, consumer: &Arc<Consumer>, links: &mut Links) {
    if let (Some(name), Some(value)) = (variable.text_at(&["key"]), variable.get("value")) {
        links.put(sheet, value, Link::new(consumer, Tier::Bound, "render-env", clean(name)));
    }
}

/// `vars` are not inherited: those at the top are the worker's own, those of `env.NAME` are the worker's of that name.
fn wrangler(sheet: &Sheet<'_>, root: View<'_>, links: &mut Links) {
    let Some(name) = root.text_at(&["name"]) else { return };
    if let Some(consumer) = consumer(sheet, "wrangler", name) {
        variables(sheet, root.get("vars"), (&consumer, "wrangler-vars"), links);
        // What it is given where somebody runs it for development (developers.cloudflare.com/workers, "Environment variables and secrets").
        let file = match folder(&sheet.path) {
            "" => ".dev.vars".to_owned(),
            own => format!("{own}/.dev.vars"),
        };
        let link = Link::new(&consumer, Tier::Inferred, "wrangler-dev-vars", ".dev.vars beside it");
        links.pull(file, sheet.place(root), link);
    }
    for (environment, own) in root.get("env").map(View::entries).unwrap_or_default() {
        let Some(environment) = environment.text() else { continue };
        let named = own.text_at(&["name"]).map_or_else(|| format!("{name}-{environment}"), str::to_owned);
        if let Some(consumer) = consumer(sheet, "wrangler", &named) {
            variables(sheet, own.get("vars"), (&consumer, "wrangler-vars"), links);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::{self, Bound};
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

    #[test]
    fn variables_for_development_are_the_worker_s() {
        let vars = format!("KEY={VALUE}\n");
        for (path, named) in [("w/.dev.vars", true), ("v/.dev.vars", false)] {
            let all =
                tree(&[("w/wrangler.toml", "name = \"edge\"\n"), (path, &vars)]).resolve(&finding_in(path, &vars, VALUE));
            let expected = [("wrangler:w/wrangler.toml/edge", Tier::Inferred)];
            assert_eq!(consumers(&all), &expected[..usize::from(named)], "{path}");
        }
    }

    #[test]
    fn each_platform_s_own_shape() {
        for (path, text, ids) in [
            (
                "app.yaml",
                format!("runtime: go122\nservice: api\nenv_variables:\n  K: {VALUE}\n"),
                vec!["appengine:app.yaml/api"],
            ),
            ("a/app.yaml", format!("apiVersion: v1\nkind: X\nenv_variables: {{K: {VALUE}}}\n"), vec![]),
            ("app.yaml", format!("name: x\nenv_variables: {{K: {VALUE}}}\n"), vec![]),
            ("fly.toml", format!("app = 'shop'\n[env]\nK = '{VALUE}'\n"), vec!["fly:fly.toml/shop"]),
            ("deploy/fly/qa.toml", format!("app = 'qa'\n[env]\nK = '{VALUE}'\n"), vec!["fly:deploy/fly/qa.toml/qa"]),
            ("fly.qa.toml", format!("app = 'qa'\n[env]\nK = '{VALUE}'\n"), vec!["fly:fly.qa.toml/qa"]),
            ("fly.toml", format!("app = 'shop'\n# [env]\n# K = '{VALUE}'\n"), vec![]),
            (
                "render.yaml",
                format!(
                    "services:\n- {{name: a, envVars: [{{fromGroup: g}}]}}\n- {{name: b, envVars: [{{key: K, sync: false}}]}}\nenvVarGroups:\n- {{name: g, envVars: [{{key: K, value: {VALUE}}}]}}\n"
                ),
                vec!["render:render.yaml/a"],
            ),
            (
                "w/wrangler.toml",
                format!("name = 'edge'\n[vars]\nK = 'x'\n[env.prod.vars]\nK = '{VALUE}'\n"),
                vec!["wrangler:w/wrangler.toml/edge-prod"],
            ),
            (
                "wrangler.jsonc",
                format!("{{\"name\": \"e\", // x\n\"vars\": {{\"A\": {{\"K\": \"{VALUE}\"}}}}}}"),
                vec!["wrangler:wrangler.jsonc/e"],
            ),
        ] {
            let known = tree(&[(path, &text)]);
            let expected: Vec<_> = ids.iter().map(|id| (*id, Bound)).collect();
            assert_eq!(consumers(&known.resolve(&finding(VALUE))), expected, "{text}");
            assert!(known.coverage().troubles.is_empty(), "{:?}", known.coverage());
        }
    }

    #[test]
    fn broken_files_are_told_without_their_words() {
        let deep = format!("a = {}", "[".repeat(100_000));
        for (path, text) in
            [("fly.toml", "app = hunter2hunter2\n"), ("fly.toml", deep.as_str()), ("render.yaml", "services: [\n")]
        {
            let known = tree(&[(path, text)]);
            let why = &known.coverage().troubles[0].why;
            assert!(why.starts_with("not valid ") && !why.contains("hunter2"), "{why}");
        }
    }
}
