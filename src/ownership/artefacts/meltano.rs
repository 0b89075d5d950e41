//! Meltano's projects: value → a plugin's `config` or `env`, the project's own, or the `.env` beside it → the plugin, or the project
//! (docs.meltano.com, "Configuration", "meltano.yml"). Files that the project includes are known by their names (`*.meltano.yml`).
//!
//! A plugin is run by whoever runs the project: declared.

use std::sync::Arc;

use super::links::{Consumer, Kind, Link, Links};
use super::yaml::View;
use super::{Sheet, clean, file_name, folder, is_showable, join};
use crate::model::{Coverage, Tier};

/// What such files say.
#[derive(Default)]
pub(super) struct Meltano;

impl Kind for Meltano {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        let name = file_name(path);
        ["meltano.yml", "meltano.yaml"].iter().any(|own| name == *own || name.ends_with(&format!(".{own}")))
    }

    fn is_env_file(path: &str) -> bool {
        file_name(path) == ".env"
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, coverage: &mut Coverage) {
        let project = consumer(sheet, None);
        sheet.documents(coverage, &mut |root| {
            if let Some(file) = join(folder(&sheet.path), ".env")
                .filter(|_| root.get("project_id").is_some() || root.get("version").is_some())
            {
                let link = Link::new(&project, Tier::Declared, "meltano-project", "its .env");
                links.pull(file, sheet.place(root), link);
            }
            for field in ["env", "environments", "schedules", "jobs", "database_uri"] {
                values((sheet, links), root.get(field), &project);
            }
            for (_, plugins) in root.get("plugins").map(View::entries).unwrap_or_default() {
                for plugin in plugins.items() {
                    let name = plugin.text_at(&["name"]).filter(|name| is_showable(name));
                    let user = name.map_or_else(|| Arc::clone(&project), |name| consumer(sheet, Some(name)));
                    for field in ["config", "env", "commands", "settings"] {
                        values((sheet, links), plugin.get(field), &user);
                    }
                }
            }
        });
    }
}

fn consumer(sheet: &Sheet<'_>, plugin: Option<&str>) -> Arc<Consumer> {
    let path = &sheet.path;
    Arc::new(match plugin {
        Some(plugin) => Consumer::new(format!("meltano:{path}/{plugin}"), format!("{plugin} of {path}")),
        None => Consumer::new(format!("meltano:{path}"), format!("Meltano {path}")),
    })
}

fn values((sheet, links): (&Sheet<'_>, &mut Links), at: Option<View<'_>>, user: &Arc<Consumer>) {
    let Some(at) = at else { return };
    at.leaves("", &mut |way, leaf| {
        links.put(sheet, leaf, Link::new(user, Tier::Declared, "meltano-value", clean(way)));
    });
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::Declared;
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, tree};

    #[test]
    fn a_plugin_s_settings_are_its_own_and_the_rest_the_project_s() {
        let (project, plugin) = ("meltano:data/meltano.yml", "meltano:data/meltano.yml/tap-x");
        let own = "version: 1\nplugins:\n  extractors:\n  - name: tap-x\n    config: {token: VALUE}\n";
        let all = "version: 1\nenv: {TOKEN: VALUE}\nplugins: {extractors: [{name: tap-x}]}\n";
        for (text, env, expected) in [(own, "", plugin), (all, "", project), ("version: 1\n", "TOKEN=VALUE\n", project)] {
            let files = [("data/meltano.yml", text.replace("VALUE", VALUE)), ("data/.env", env.replace("VALUE", VALUE))];
            let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
            assert_eq!(consumers(&tree(&files).resolve(&finding(VALUE))), [(expected, Declared)], "{text}{env}");
        }
        let part = own.replace("VALUE", VALUE);
        let all = tree(&[("data/extract/extractors.meltano.yml", &part)]).resolve(&finding(VALUE));
        assert_eq!(consumers(&all), [("meltano:data/extract/extractors.meltano.yml/tap-x", Declared)]);
    }
}
