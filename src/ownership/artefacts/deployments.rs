//! Files by which one app or one build is deployed or run, each known by its name and with its values at known places: Google Cloud
//! Build (cloud.google.com, "Build configuration file schema"), Netlify (docs.netlify.com, "File-based configuration"), Vercel
//! (vercel.com, "Project configuration"), Kamal (kamal-deploy.org, "Configuration"), DigitalOcean's App Platform
//! (docs.digitalocean.com, "App specification"), Pulumi (pulumi.com/docs, "Project file reference"), Skaffold (skaffold.dev,
//! "skaffold.yaml"), Helmfile (helmfile.readthedocs.io, "Configuration"), Heroku's `heroku.yml`, App Runner's `apprunner.yaml`, Elastic
//! Beanstalk (docs.aws.amazon.com/elasticbeanstalk, ".ebextensions"), Zappa, Prefect, Task (taskfile.dev), pm2, AWS Copilot (aws.github.io/copilot-cli, "Manifest"), development containers
//! (containers.dev, "Dev container metadata reference").
//!
//! The file stands for what it runs; where it names that, the name is in the id. What is run by hand, or is handed to a program that
//! makes something else of it, is declared.

use std::sync::Arc;

use super::links::{Consumer, Kind, Link, Links};
use super::yaml::View;
use super::{Sheet, clean, dotenv, ends_in, file_name, folder, is_showable, join, templates};
use crate::model::{Coverage, Tier};

/// What such files say.
#[derive(Default)]
pub(super) struct Deployments;

/// One kind of file.
struct Form {
    /// What ids of it begin with.
    kind: &'static str,
    fits: fn(&str) -> bool,
    /// What it must have to be one.
    needs: &'static [&'static str],
    /// Where it says what it runs.
    name: &'static [&'static str],
    /// Where all texts are values of what it runs.
    values: &'static [&'static [&'static str]],
    /// Where parts that run by themselves are listed.
    parts: &'static [&'static str],
}

/// Kinds whose values are handed on or used by whoever runs them by hand.
const DECLARED: &[&str] =
    &["apprunner", "beanstalk", "helmfile", "heroku", "pm2", "prefect", "pulumi", "skaffold", "task", "zappa"];

const FORMS: &[Form] = &[
    Form {
        kind: "pulumi",
        fits: |path| file_name(path).starts_with("Pulumi.") && ends_in(path, &["yaml", "yml"]),
        needs: &[],
        name: &[],
        values: &[&["config"], &["resources"]],
        parts: &[],
    },
    Form {
        kind: "skaffold",
        fits: |path| file_name(path).starts_with("skaffold") && ends_in(path, &["yaml", "yml"]),
        needs: &["apiVersion"],
        name: &["metadata", "name"],
        values: &[&["build"], &["deploy"], &["manifests"], &["profiles"]],
        parts: &[],
    },
    Form {
        kind: "helmfile",
        fits: |path| {
            let folders = ["helmfile.d", "helmfile"];
            let named = file_name(path).starts_with("helmfile") || folders.contains(&file_name(folder(path)));
            named && (ends_in(path, &["yaml", "yml"]) || path.ends_with(".yaml.gotmpl"))
        },
        needs: &["releases"],
        name: &[],
        values: &[&["values"], &["set"], &["secrets"], &["environments"], &["hooks"]],
        parts: &["releases"],
    },
    Form {
        kind: "heroku",
        fits: |path| file_name(path) == "heroku.yml",
        needs: &[],
        name: &[],
        values: &[&["setup", "config"], &["build", "config"], &["run"]],
        parts: &[],
    },
    Form {
        kind: "apprunner",
        fits: |path| matches!(file_name(path), "apprunner.yaml" | "apprunner.yml"),
        needs: &["run"],
        name: &[],
        values: &[&["run"], &["build"]],
        parts: &[],
    },
    Form {
        kind: "beanstalk",
        fits: |path| file_name(folder(path)) == ".ebextensions" && ends_in(path, &["config"]),
        needs: &[],
        name: &[],
        values: &[&["option_settings"], &["files"], &["commands"], &["container_commands"]],
        parts: &[],
    },
    Form {
        kind: "beanstalk",
        fits: |path| file_name(path) == "Dockerrun.aws.json",
        needs: &[],
        name: &[],
        values: &[&["environment"], &["Authentication"], &["command"]],
        parts: &["containerDefinitions"],
    },
    Form {
        kind: "zappa",
        fits: |path| file_name(path) == "zappa_settings.json",
        needs: &[],
        name: &[],
        values: &[&[]],
        parts: &[],
    },
    Form {
        kind: "prefect",
        fits: |path| file_name(path) == "prefect.yaml",
        needs: &["deployments"],
        name: &[],
        values: &[&["parameters"], &["work_pool"], &["job_variables"], &["build"], &["push"], &["pull"]],
        parts: &["deployments"],
    },
    Form {
        kind: "task",
        fits: |path| matches!(file_name(path), "Taskfile.yml" | "Taskfile.yaml" | "taskfile.yml"),
        needs: &["tasks"],
        name: &[],
        values: &[&["env"], &["vars"], &["tasks"]],
        parts: &[],
    },
    Form {
        kind: "pm2",
        fits: |path| {
            let name = file_name(path);
            (name.starts_with("ecosystem") || name == "pm2.json" || name.starts_with("process."))
                && ends_in(name, &["json", "yml", "yaml"])
        },
        needs: &["apps"],
        name: &[],
        values: &[&["env"], &["env_production"], &["env_development"], &["env_staging"], &["args"]],
        parts: &["apps"],
    },
    Form {
        kind: "cloudbuild",
        fits: |path| file_name(path).starts_with("cloudbuild") && ends_in(path, &["yaml", "yml", "json"]),
        needs: &["steps"],
        name: &[],
        values: &[&["steps"], &["substitutions"], &["options", "env"]],
        parts: &[],
    },
    Form {
        kind: "netlify",
        fits: |path| file_name(path) == "netlify.toml",
        needs: &[],
        name: &[],
        values: &[&["build"], &["context"]],
        parts: &[],
    },
    Form {
        kind: "vercel",
        fits: |path| file_name(path) == "vercel.json",
        needs: &[],
        name: &[],
        values: &[&["env"], &["build", "env"]],
        parts: &[],
    },
    Form {
        kind: "kamal",
        fits: |path| {
            let name = file_name(path);
            file_name(folder(path)) == "config" && name.starts_with("deploy") && ends_in(name, &["yml", "yaml"])
        },
        needs: &[],
        name: &["service"],
        values: &[&["env"], &["registry"], &["accessories"], &["servers"], &["builder", "args"]],
        parts: &[],
    },
    Form {
        kind: "digitalocean",
        fits: |path| file_name(folder(path)) == ".do" && ends_in(path, &["yml", "yaml"]),
        needs: &[],
        name: &["name"],
        values: &[&["envs"]],
        parts: &["services", "workers", "jobs", "functions", "static_sites"],
    },
    Form {
        // The same where `doctl apps create --spec FILE` is told of it.
        kind: "digitalocean",
        fits: |path| matches!(file_name(path), "spec.yaml" | "spec.yml" | "app-spec.yaml" | "app-spec.yml"),
        needs: &["name", "services"],
        name: &["name"],
        values: &[&["envs"]],
        parts: &["services", "workers", "jobs", "functions", "static_sites"],
    },
    Form {
        kind: "copilot",
        fits: |path| matches!(file_name(path), "manifest.yml" | "manifest.yaml") && folder(path).contains("copilot/"),
        needs: &["type"],
        name: &["name"],
        values: &[&["variables"], &["environments"], &["command"], &["sidecars"]],
        parts: &[],
    },
    Form {
        // docs.cloudfoundry.org, "App manifest attribute reference".
        kind: "cloudfoundry",
        fits: |path| file_name(path).starts_with("manifest") && ends_in(path, &["yml", "yaml"]),
        needs: &["applications"],
        name: &[],
        values: &[&["env"], &["command"], &["sidecars"], &["docker"]],
        parts: &["applications"],
    },
    Form {
        // supabase.com/docs, "Supabase CLI config".
        kind: "supabase",
        fits: |path| file_name(path) == "config.toml" && file_name(folder(path)) == "supabase",
        needs: &[],
        name: &["project_id"],
        values: &[&[]],
        parts: &[],
    },
    Form {
        // docs.github.com, "Dependabot options reference".
        kind: "dependabot",
        fits: |path| matches!(file_name(path), "dependabot.yml" | "dependabot.yaml"),
        needs: &["updates"],
        name: &[],
        values: &[&["registries"]],
        parts: &[],
    },
    Form {
        // docs.renovatebot.com, "Configuration Options".
        kind: "renovate",
        fits: |path| matches!(file_name(path), "renovate.json" | ".renovaterc.json"),
        needs: &[],
        name: &[],
        values: &[&["hostRules"], &["encrypted"], &["npmrc"], &["customEnvVariables"]],
        parts: &[],
    },
    Form {
        // docs.railway.com, "Config as Code".
        kind: "railway",
        fits: |path| matches!(file_name(path), "railway.json" | "railway.toml"),
        needs: &[],
        name: &[],
        values: &[&["build"], &["deploy"], &["environments"]],
        parts: &[],
    },
    Form {
        kind: "devcontainer",
        fits: |path| matches!(file_name(path), "devcontainer.json" | ".devcontainer.json"),
        needs: &[],
        name: &[],
        values: &[&["containerEnv"], &["remoteEnv"], &["runArgs"], &["build", "args"]],
        parts: &[],
    },
];

impl Kind for Deployments {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        form(path).is_some()
    }

    fn is_env_file(path: &str) -> bool {
        file_name(folder(path)) == ".kamal" && file_name(path).starts_with("secrets") || dotenv::is_named_so(file_name(path))
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, coverage: &mut Coverage) {
        let Some(form) = form(&sheet.path) else { return };
        sheet.documents(coverage, &mut |root| {
            let whole = form.kind != "kamal" || is_kamal(&sheet.path, root);
            if whole && form.needs.iter().all(|field| root.get(field).is_some()) {
                // A button's template has the whole below `spec`.
                let inner = root.get("spec").filter(|_| form.kind == "digitalocean");
                read((sheet, links), form, inner.unwrap_or(root));
            }
        });
    }
}

fn form(path: &str) -> Option<&'static Form> {
    FORMS.iter().find(|form| (form.fits)(path))
}

fn read((sheet, links): (&Sheet<'_>, &mut Links), form: &Form, root: View<'_>) {
    let own = root.text_at(form.name).filter(|name| !form.name.is_empty() && is_showable(name));
    let whole = consumer(sheet, form.kind, own);
    if form.kind == "kamal" {
        kamal_secrets((sheet, links), root, &whole);
    }
    let parts: Vec<(View<'_>, Arc<Consumer>)> = form
        .parts
        .iter()
        .filter_map(|field| root.get(field))
        .flat_map(View::items)
        .map(|part| match part.text_at(&["name"]).filter(|name| is_showable(name)) {
            Some(name) => (part, consumer(sheet, form.kind, Some(name))),
            None => (part, Arc::clone(&whole)),
        })
        .collect();
    for way in form.values {
        // What is said for all is each part's.
        let users = if parts.is_empty() { vec![&whole] } else { parts.iter().map(|(_, part)| part).collect() };
        for user in users {
            values((sheet, links), root.at(way), (user, way));
        }
        for (part, user) in &parts {
            values((sheet, links), part.at(way), (user, way));
        }
    }
}

/// Whether a file is Kamal's: it names service and image, or is what a destination sets otherwise (kamal-deploy.org, "Destinations").
fn is_kamal(path: &str, root: View<'_>) -> bool {
    let any = |fields: &[&str]| fields.iter().any(|field| root.get(field).is_some());
    let destination = file_name(path).strip_prefix("deploy.").is_some_and(|rest| rest.contains('.'));
    root.get("service").is_some() && root.get("image").is_some()
        || destination && any(&["servers", "env", "accessories", "proxy"])
}

/// Kamal hands over what `.kamal/secrets` sets, `secrets-common` and the destination's own file included, and what `.env` does for those
/// who load that first (kamal-deploy.org, "Environment variables", "Secrets").
fn kamal_secrets((sheet, links): (&Sheet<'_>, &mut Links), root: View<'_>, service: &Arc<Consumer>) {
    let project = folder(folder(&sheet.path));
    let destination =
        file_name(&sheet.path).split('.').nth(1).filter(|word| !ends_in(&format!(".{word}"), &["yml", "yaml"]));
    let own = destination.map(|word| format!(".kamal/secrets.{word}"));
    let named = [".kamal/secrets", ".kamal/secrets-common"].into_iter().map(str::to_owned).chain(own);
    for (file, tier) in named.map(|file| (file, Tier::Declared)).chain([(".env".to_owned(), Tier::Inferred)]) {
        if let Some(file) = join(project, &file) {
            links.pull(file, sheet.place(root), Link::new(service, tier, "kamal-secrets", "its secrets"));
        }
    }
}

fn consumer(sheet: &Sheet<'_>, kind: &str, name: Option<&str>) -> Arc<Consumer> {
    let (id, words) = match name {
        Some(name) => (format!("{kind}:{}/{name}", sheet.path), format!("{name} of {}", sheet.path)),
        None => (format!("{kind}:{}", sheet.path), format!("{kind} {}", sheet.path)),
    };
    Arc::new(Consumer::new(id, words))
}

fn values((sheet, links): (&Sheet<'_>, &mut Links), at: Option<View<'_>>, (user, way): (&Arc<Consumer>, &[&str])) {
    let Some(at) = at else { return };
    at.leaves(way.last().copied().unwrap_or_default(), &mut |way, leaf| {
        let handed = DECLARED.iter().any(|kind| user.id().split(':').next() == Some(kind));
        let tier = if handed { Tier::Declared } else { Tier::Bound };
        let link = Link::new(user, tier, "deployment-value", clean(way));
        let text = leaf.text().unwrap_or_default();
        // Files of values, and those that helm-secrets decrypts.
        if ["helmfile:", "skaffold:"].iter().any(|kind| user.id().starts_with(kind))
            && is_settings(text)
            && let Some(file) = join(folder(&sheet.path), text)
        {
            links.pull(file, sheet.place(leaf), Link { tier: Tier::Inferred, ..link.clone() });
        }
        // An env file among the arguments is read by what they are given to.
        if dotenv::is_named_so(file_name(text)) && !dotenv::is_sample(file_name(text)) && !text.contains(['=', ' ', '\n']) {
            for base in [folder(&sheet.path), sheet.root.trim_end_matches('/')] {
                if let Some(file) = join(base, text) {
                    links.pull(file, sheet.place(leaf), Link { tier: Tier::Inferred, ..link.clone() });
                }
            }
        }
        links.put_script(sheet, &sheet.place(leaf), leaf.text().unwrap_or_default(), &link);
    });
}

/// Whether a text is the path of a file of settings.
fn is_settings(text: &str) -> bool {
    let name = templates::becomes(file_name(text)).unwrap_or(file_name(text));
    !text.contains([' ', '\n', '=', '{', '*']) && ends_in(name, &["yaml", "yml", "json", "env", "toml"])
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::{Bound, Declared, Inferred};
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding_in, tree};

    #[test]
    fn an_env_file_among_a_step_s_arguments_is_its_own() {
        let build = "steps: [{name: go, entrypoint: ./test.sh, args: [api, .test.ci.env]}]\n";
        let content = format!("KEY={VALUE}\n");
        for (path, named) in [(".test.ci.env", true), ("api/.test.ci.env", false), (".env", false)] {
            let all = tree(&[("cloudbuild.yaml", build), (path, &content)]).resolve(&finding_in(path, &content, VALUE));
            assert_eq!(consumers(&all), &[("cloudbuild:cloudbuild.yaml", Inferred)][..usize::from(named)], "{path}");
        }
    }

    #[test]
    fn files_of_values_are_the_release_s_that_names_them() {
        let content = format!("password: {VALUE}\n");
        let helmfile = "releases:\n- {name: web, chart: ./c, values: [./values/web.yaml.gotmpl], secrets: [secrets/web.yaml]}\n- {name: db, chart: x/y}\n";
        for (path, named) in [("values/web.yaml.gotmpl", true), ("secrets/web.yaml", true), ("values/db.yaml", false)] {
            let all = tree(&[("helmfile.yaml", helmfile), (path, &content)]).resolve(&finding_in(path, &content, VALUE));
            assert_eq!(consumers(&all), &[("helmfile:helmfile.yaml/web", Inferred)][..usize::from(named)], "{path}");
        }
    }

    #[test]
    fn a_file_that_erb_fills_in_is_read_without_that() {
        let deploy = "service: shop\nimage: org/shop\nservers: {web: {cmd: run <%= ENV[\"X\"] == \"a\" ? \"\" : \"--b\" %>}}\nenv:\n  clear:\n    C: <%= ENV[\"C\"] ? \"a: b\" : \"c\" %>\n";
        let deploy = format!("{deploy}    KEY: {VALUE}\n");
        let all = tree(&[("config/deploy.yml", &deploy)]).resolve(&finding_in("config/deploy.yml", &deploy, VALUE));
        assert_eq!(consumers(&all), [("kamal:config/deploy.yml/shop", Bound)]);
    }

    #[test]
    fn kamal_s_secrets_are_its_service_s() {
        let deploy = "service: shop\nimage: org/shop\nenv: {secret: [KEY]}\n";
        let content = format!("KEY={VALUE}\n");
        for (deployment, path, tier) in [
            ("web/config/deploy.yml", "web/.kamal/secrets", Some(Declared)),
            ("web/config/deploy.yml", "web/.kamal/secrets-common", Some(Declared)),
            ("web/config/deploy.prod.yml", "web/.kamal/secrets.prod", Some(Declared)),
            ("web/config/deploy.yml", "web/.kamal/secrets.prod", None),
            ("web/config/deploy.yml", "web/.env", Some(Inferred)),
            ("web/config/deploy.yml", ".kamal/secrets", None),
        ] {
            let all = tree(&[(deployment, deploy), (path, &content)]).resolve(&finding_in(path, &content, VALUE));
            let id = format!("kamal:{deployment}/shop");
            if deployment.contains("prod") {
                // What the destination sets otherwise need not name the service again.
                let part = tree(&[(deployment, "servers: [web]\n"), (path, &content)]);
                let all = part.resolve(&finding_in(path, &content, VALUE));
                assert_eq!(consumers(&all), [(format!("kamal:{deployment}").as_str(), Declared)]);
            }
            assert_eq!(consumers(&all), tier.map(|tier| (id.as_str(), tier)).into_iter().collect::<Vec<_>>(), "{path}");
        }
    }

    #[test]
    fn each_file_s_own_shape() {
        let cloud = format!("steps:\n- name: x\n  env: ['KEY={VALUE}']\n");
        let netlify = format!("[build]\ncommand = 'make'\n[context.production.environment]\nKEY = '{VALUE}'\n");
        let vercel = format!("{{\"build\": {{\"env\": {{\"KEY\": \"{VALUE}\"}}}}}}\n");
        let kamal = format!("service: shop\nimage: org/shop\nenv:\n  clear:\n    KEY: {VALUE}\n  secret: [OTHER]\n");
        let ocean =
            format!("name: shop\nservices:\n- name: web\n  envs: [{{key: K, value: {VALUE}}}]\nworkers: [{{name: job}}]\n");
        let shared = format!("name: shop\nenvs: [{{key: K, value: {VALUE}}}]\nservices: [{{name: web}}, {{name: api}}]\n");
        let copilot = format!("name: api\ntype: Backend Service\nenvironments: {{prod: {{variables: {{KEY: {VALUE}}}}}}}\n");
        let cloud_foundry = format!("applications:\n- name: shop\n  env: {{KEY: {VALUE}}}\n- name: job\n");
        let template = format!("applications:\n- command: run --key {VALUE}\n");
        let container = format!("{{\"containerEnv\": {{\"KEY\": \"{VALUE}\"}}, // x\n}}\n");
        for (path, text, ids) in [
            ("cloudbuild.yaml", &cloud, &["cloudbuild:cloudbuild.yaml"][..]),
            ("ci/cloudbuild-prod.yml", &cloud, &["cloudbuild:ci/cloudbuild-prod.yml"]),
            ("netlify.toml", &netlify, &["netlify:netlify.toml"]),
            ("web/vercel.json", &vercel, &["vercel:web/vercel.json"]),
            ("config/deploy.yml", &kamal, &["kamal:config/deploy.yml/shop"]),
            ("deploy.yml", &kamal, &[]),
            (".do/app.yaml", &ocean, &["digitalocean:.do/app.yaml/web"]),
            ("spec.yaml", &shared, &["digitalocean:spec.yaml/api", "digitalocean:spec.yaml/web"]),
            (".do/app.yaml", &shared, &["digitalocean:.do/app.yaml/api", "digitalocean:.do/app.yaml/web"]),
            ("copilot/api/manifest.yml", &copilot, &["copilot:copilot/api/manifest.yml/api"]),
            ("manifest.prod.yml", &cloud_foundry, &["cloudfoundry:manifest.prod.yml/shop"]),
            ("manifest.yml", &template, &["cloudfoundry:manifest.yml"]),
            ("manifest.yml", &cloud, &[]),
            (".devcontainer/devcontainer.json", &container, &["devcontainer:.devcontainer/devcontainer.json"]),
        ] {
            let known = tree(&[(path, text)]);
            let expected: Vec<_> = ids.iter().map(|id| (*id, Bound)).collect();
            assert_eq!(consumers(&known.resolve(&finding_in(path, text, VALUE))), expected, "{path}");
            assert!(known.coverage().troubles.is_empty(), "{:?}", known.coverage());
        }
    }

    #[test]
    fn what_is_handed_on_is_declared() {
        for (path, text, id) in [
            ("infra/Pulumi.prod.yaml", format!("config:\n  app:token: {VALUE}\n"), "pulumi:infra/Pulumi.prod.yaml"),
            (
                "helmfile.yaml",
                format!("releases:\n- name: web\n  values: [{{key: {VALUE}}}]\n- name: db\n"),
                "helmfile:helmfile.yaml/web",
            ),
            (
                ".ebextensions/env.config",
                format!("option_settings:\n- option_name: KEY\n  value: {VALUE}\n"),
                "beanstalk:.ebextensions/env.config",
            ),
            (
                "skaffold.yaml",
                format!(
                    "apiVersion: skaffold/v4beta6\nkind: Config\ndeploy: {{helm: {{releases: [{{setValues: {{k: {VALUE}}}}}]}}}}\n"
                ),
                "skaffold:skaffold.yaml",
            ),
            ("Taskfile.yml", format!("tasks: {{up: {{env: {{KEY: {VALUE}}}}}}}\n"), "task:Taskfile.yml"),
            (
                "ecosystem.config.json",
                format!("{{\"apps\": [{{\"name\": \"api\", \"env\": {{\"K\": \"{VALUE}\"}}}}]}}"),
                "pm2:ecosystem.config.json/api",
            ),
        ] {
            let all = tree(&[(path, &text)]).resolve(&finding_in(path, &text, VALUE));
            assert!(consumers(&all).contains(&(id, Declared)), "{path} {all:?}");
        }
    }

    #[test]
    fn other_fields_and_files_hold_no_value() {
        for (path, text) in [
            ("cloudbuild.yaml", format!("images: [{VALUE}]\nsteps: []\n")),
            ("cloudbuild.yaml", format!("steps:\n- script: |\n    # {VALUE}\n    make\n")),
            ("netlify.toml", format!("[[redirects]]\nfrom = '{VALUE}'\n")),
            ("vercel.json", format!("{{\"rewrites\": [\"{VALUE}\"]}}\n")),
            ("config/deploy.yml", format!("env: {{clear: {{KEY: {VALUE}}}}}\n")),
            ("app/manifest.yml", format!("type: x\nvariables: {{KEY: {VALUE}}}\n")),
        ] {
            assert_eq!(tree(&[(path, &text)]).resolve(&finding_in(path, &text, VALUE)), [], "{path} {text}");
        }
    }
}
