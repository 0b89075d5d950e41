//! `langgraph.json`: value → `env`, a mapping or an env file by its path → each graph that the file deploys
//! (docs.langchain.com, "LangGraph CLI: configuration file").

use std::sync::Arc;

use super::links::{Consumer, Kind, Link, Links};
use super::yaml::View;
use super::{Sheet, clean, dotenv, file_name, folder, is_showable, join};
use crate::model::{Coverage, Tier};

/// Graphs of one file.
const GRAPHS: usize = 100;

/// What such files say.
#[derive(Default)]
pub(super) struct LangGraph;

impl Kind for LangGraph {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        file_name(path) == "langgraph.json"
    }

    fn is_env_file(path: &str) -> bool {
        dotenv::is_named_so(file_name(path))
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, coverage: &mut Coverage) {
        sheet.documents(coverage, &mut |root| {
            let Some(env) = root.get("env") else { return };
            for (name, _) in root.get("graphs").map(View::entries).unwrap_or_default().into_iter().take(GRAPHS) {
                let Some(name) = name.text().filter(|name| is_showable(name)) else { continue };
                let id = format!("langgraph:{}/{name}", sheet.path);
                let consumer = Arc::new(Consumer::new(id, format!("graph {name} of {}", sheet.path)));
                for (variable, value) in env.entries() {
                    let detail = format!("env {}", clean(variable.text().unwrap_or("?")));
                    links.put(sheet, value, Link::new(&consumer, Tier::Bound, "langgraph-env", detail));
                }
                if let Some(file) = env.text().and_then(|file| join(folder(&sheet.path), file)) {
                    let detail = format!("env {}", clean(&file));
                    links.pull(file, sheet.place(env), Link::new(&consumer, Tier::Bound, "langgraph-env-file", detail));
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::Bound;
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, tree};

    #[test]
    fn every_graph_of_the_file_gets_its_variables() {
        let named = "{\"graphs\": {\"a\": \"./a.py:g\", \"b\": \"./b.py:g\"}, \"env\": \"./conf/.env\"}";
        let own = format!("{{\"graphs\": {{\"a\": \"x\"}}, \"env\": {{\"K\": \"{VALUE}\"}}}}");
        let env = format!("K={VALUE}\n");
        for (text, path, ids) in [
            (named, "svc/conf/.env", vec!["langgraph:svc/langgraph.json/a", "langgraph:svc/langgraph.json/b"]),
            (named, "svc/.env", vec![]),
            (own.as_str(), "x.py", vec!["langgraph:svc/langgraph.json/a"]),
            ("{\"graphs\": {\"a\": \"x\"}}", "svc/.env", vec![]),
        ] {
            let known = tree(&[("svc/langgraph.json", text), (path, &env)]);
            let expected: Vec<_> = ids.iter().map(|id| (*id, Bound)).collect();
            assert_eq!(consumers(&known.resolve(&finding(VALUE))), expected, "{text}");
        }
    }
}
