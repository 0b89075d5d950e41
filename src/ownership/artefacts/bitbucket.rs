//! Bitbucket Pipelines: value → a step's script, or the variables of a pipe in it → step
//! (support.atlassian.com, "Bitbucket Pipelines configuration reference"). Variables of a pipeline have no values in the file.

use std::sync::Arc;

use super::links::{Consumer, Kind, Link, Links};
use super::yaml::View;
use super::{Sheet, is_showable};
use crate::model::{Coverage, Tier};

const PATH: &str = "bitbucket-pipelines.yml";
/// Parallel steps in stages, and no deeper.
const LEVELS: usize = 4;

/// What pipelines say.
#[derive(Default)]
pub(super) struct Bitbucket;

impl Kind for Bitbucket {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        super::file_name(path) == PATH
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, coverage: &mut Coverage) {
        let inside = sheet.path.strip_prefix(sheet.root).unwrap_or(&sheet.path);
        let tier = if inside == PATH { Tier::Bound } else { Tier::Inferred };
        sheet.documents(coverage, &mut |root| {
            for (when, own) in root.get("pipelines").map(View::entries).unwrap_or_default() {
                let Some(when) = when.text() else { continue };
                let mut desk = Desk { sheet, tier, links, number: 0 };
                desk.steps(own, when, LEVELS);
                // `branches`, `tags`, `custom`: a pipeline for each pattern.
                for (pattern, own) in own.entries() {
                    desk.number = 0;
                    desk.steps(own, &format!("{when}/{}", pattern.text().unwrap_or("?")), LEVELS);
                }
            }
        });
    }
}

struct Desk<'a> {
    sheet: &'a Sheet<'a>,
    tier: Tier,
    links: &'a mut Links,
    /// Steps so far: what has no name is known by its number.
    number: usize,
}

impl Desk<'_> {
    fn steps(&mut self, list: View<'_>, within: &str, levels: usize) {
        for item in list.items().take_while(|_| levels > 0) {
            if let Some(step) = item.get("step") {
                self.step(step, within);
            }
            for field in ["parallel", "stage"] {
                let Some(more) = item.get(field) else { continue };
                self.steps(more.get("steps").unwrap_or(more), within, levels - 1);
            }
        }
    }

    fn step(&mut self, step: View<'_>, within: &str) {
        self.number += 1;
        let name = step.text_at(&["name"]).map_or_else(|| format!("#{}", self.number), str::to_owned);
        let path = format!("{within}/{name}");
        if !is_showable(&path) {
            return;
        }
        let id = format!("bitbucket:{}/{path}", self.sheet.path);
        let consumer = Arc::new(Consumer::new(id, format!("step {name} of {}", self.sheet.path)));
        for field in ["script", "after-script"] {
            for line in step.get(field).into_iter().flat_map(View::items) {
                if let Some(text) = line.text() {
                    let link = Link::new(&consumer, self.tier, "bitbucket-script", field);
                    self.links.put_script(self.sheet, &self.sheet.place(line), text, &link);
                    self.links.runs(self.sheet, &self.sheet.place(line), (text, None), &link);
                } else if let Some(variables) = line.get("variables") {
                    variables.leaves("variables", &mut |way, leaf| {
                        self.links.put(self.sheet, leaf, Link::new(&consumer, self.tier, "bitbucket-pipe", way));
                    });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::{Bound, Inferred};
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, tree};

    #[test]
    fn a_step_s_script_and_pipes_are_its_own() {
        let script = format!("script: [make, 'x --token={VALUE}']");
        for (text, path, id, tier) in [
            (format!("default: [{{step: {{name: A b, {script}}}}}]"), "bitbucket-pipelines.yml", "default/A b", Bound),
            (
                format!("default: [{{step: {{script: [a]}}}}, {{parallel: {{steps: [{{step: {{{script}}}}}]}}}}]"),
                "bitbucket-pipelines.yml",
                "default/#2",
                Bound,
            ),
            (
                format!("branches: {{main: [{{stage: {{steps: [{{step: {{name: x, {script}}}}}]}}}}]}}"),
                "bitbucket-pipelines.yml",
                "branches/main/x",
                Bound,
            ),
            (
                format!("custom: {{d: [{{step: {{name: x, script: [{{pipe: a/b:1, variables: {{K: {VALUE}}}}}]}}}}]}}"),
                "bitbucket-pipelines.yml",
                "custom/d/x",
                Bound,
            ),
            (format!("default: [{{step: {{name: x, {script}}}}}]"), "t/bitbucket-pipelines.yml", "default/x", Inferred),
        ] {
            let known = tree(&[(path, &format!("pipelines: {{{text}}}\n"))]);
            let id = format!("bitbucket:{path}/{id}");
            assert_eq!(consumers(&known.resolve(&finding(VALUE))), [(id.as_str(), tier)], "{text}");
        }
    }
}
