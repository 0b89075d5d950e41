//! CrewAI: value → an agent's or task's entry in `agents.yaml` or `tasks.yaml` → that agent or task; and a `.env` in the folder of a
//! project that says `[tool.crewai]`, which `crewai run` loads → the crew, inferred (docs.crewai.com, "Agents", "Crews").

use std::collections::HashMap;
use std::sync::Arc;

use super::links::{Consumer, Link, Links};
use super::yaml::View;
use super::{Clues, Reader, Sheet, clean, dotenv, file_name, folder, is_showable};
use crate::model::{Coverage, Tier};
use crate::ownership::roll::{Roll, evidence};

/// What projects say.
#[derive(Default)]
pub(super) struct CrewAi {
    links: Links,
    /// Crews by their folder, each with where it is named.
    crews: HashMap<String, (Arc<Consumer>, String)>,
}

impl Reader for CrewAi {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        let own = ["agents.yaml", "agents.yml", "tasks.yaml", "tasks.yml", "pyproject.toml"];
        own.contains(&file_name(path))
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        let words: &[&str] = match file_name(&sheet.path) {
            "pyproject.toml" => &["tool.crewai"],
            name if name.starts_with("agents") => &["role:", "goal:"],
            _ => &["description:", "expected_output:"],
        };
        words.iter().all(|word| sheet.mentions(word))
    }

    fn read(&mut self, sheet: &Sheet<'_>, coverage: &mut Coverage) {
        self.links.begin();
        if file_name(&sheet.path) == "pyproject.toml" {
            // What is broken in it is told by the reader of manifests.
            sheet.documents(&mut Coverage::default(), &mut |root| self.project(sheet, root));
        } else {
            sheet.documents(coverage, &mut |root| self.entries(sheet, root));
        }
        self.links.complain(sheet, coverage);
    }

    fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll) {
        self.links.resolve(clues, roll);
        for path in clues.paths() {
            let name = file_name(path);
            let own = name.starts_with(".env") && dotenv::is_named_so(name) && !dotenv::is_sample(name);
            if let Some((crew, at)) = self.crews.get(folder(path)).filter(|_| own) {
                let why = evidence("crewai-beside", at.clone(), format!("{} beside pyproject.toml", clean(name)));
                crew.join(roll, Tier::Inferred, vec![why]);
            }
        }
    }

    fn merge(&mut self, other: Self) {
        self.links.merge(other.links);
        self.crews.extend(other.crews);
    }
}

impl CrewAi {
    fn project(&mut self, sheet: &Sheet<'_>, root: View<'_>) {
        let Some(at) = root.at(&["tool", "crewai"]) else { return };
        let name = root.text_at(&["project", "name"]).or_else(|| root.text_at(&["tool", "poetry", "name"]));
        if let Some(name) = name.filter(|name| is_showable(name)) {
            let consumer = Consumer::new(format!("crewai:{}/{name}", sheet.path), format!("crew {name} of {}", sheet.path));
            let place = sheet.place(at).to_string();
            self.crews.insert(folder(&sheet.path).to_owned(), (Arc::new(consumer), place));
        }
    }

    /// An agent has a role and a goal, a task what it is and what is expected.
    fn entries(&mut self, sheet: &Sheet<'_>, root: View<'_>) {
        for (name, entry) in root.entries() {
            let has = |field: &str| entry.get(field).is_some();
            let kind = match () {
                () if has("role") && has("goal") => "agent",
                () if has("description") && has("expected_output") => "task",
                () => continue,
            };
            let Some(name) = name.text().filter(|name| is_showable(name)) else { continue };
            let id = format!("crewai:{}/{name}", sheet.path);
            let consumer = Arc::new(Consumer::new(id, format!("{kind} {name} of {}", sheet.path)));
            entry.leaves("", &mut |way, leaf| {
                self.links.put(sheet, leaf, Link::new(&consumer, Tier::Bound, "crewai-setting", way));
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::{Bound, Inferred};
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

    #[test]
    fn an_agent_s_own_settings_are_its_own() {
        let text = format!(
            "a:\n  role: r\n  goal: g\n  llm: {{model: m, api_key: {VALUE}}}\nb: {{role: r, goal: g}}\nc: {{x: {VALUE}}}\n"
        );
        let known = tree(&[("src/shop/config/agents.yaml", &text)]);
        assert_eq!(consumers(&known.resolve(&finding(VALUE))), [("crewai:src/shop/config/agents.yaml/a", Bound)]);
        // A file of that name may be anybody's.
        let other = format!("agents:\n- {{name: a, token: {VALUE}}}\n");
        assert_eq!(consumers(&tree(&[("agents.yaml", &other)]).resolve(&finding(VALUE))), []);
    }

    #[test]
    fn the_env_file_of_a_crew_is_inferred() {
        let env = format!("K={VALUE}\n");
        let own = "[project]\nname = \"shop\"\n[tool.crewai]\ntype = \"crew\"\n";
        for (text, path, named) in [
            (own, "x/.env", true),
            (own, ".env", false),
            (own, "x/.env.example", false),
            ("[project]\nname = \"shop\"\n", "x/.env", false),
        ] {
            let owners = tree(&[("x/pyproject.toml", text)]).resolve(&finding_in(path, &env, VALUE));
            let crew = ("crewai:x/pyproject.toml/shop", Inferred);
            assert_eq!(consumers(&owners).contains(&crew), named, "{text} {path}");
        }
    }
}
