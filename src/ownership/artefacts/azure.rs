//! Azure Pipelines: value → variables of the pipeline, a stage or a job, or a step's `env`, `inputs` or script → job
//! (learn.microsoft.com/azure/devops/pipelines/yaml-schema).
//!
//! Which file is a pipeline is set at the server; `azure-pipelines.yml` at the root is what it offers, and every other only
//! hints. Templates are not followed, and what stands below `${{ if }}` is not read as bound.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::links::{Consumer, Kind, Link, Links};
use super::yaml::View;
use super::{Sheet, clean, ends_in, file_name, is_showable};
use crate::model::{Coverage, Tier};

const NAME: &str = "azure-pipelines";

/// What pipelines say.
#[derive(Default)]
pub(super) struct AzurePipelines;

impl Kind for AzurePipelines {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        ends_in(path, &["yml", "yaml"])
            && (is_usual(path)
                || ["pipeline", ".azure", ".vsts", ".ado/"].iter().any(|word| path.contains(word))
                || file_name(path).contains("azure"))
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        // By another name it is one by what only Azure has.
        let azure = ["vmImage:", "- task:", "deployment:"].iter().any(|word| sheet.mentions(word));
        is_usual(&sheet.path) || azure && sheet.bytes.len() <= Self::LIMIT
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, coverage: &mut Coverage) {
        let inside = sheet.path.strip_prefix(sheet.root).unwrap_or(&sheet.path);
        let named = ["azure-pipelines.yml", "azure-pipelines.yaml"].contains(&inside);
        let tier = if named { Tier::Bound } else { Tier::Inferred };
        let mut quiet = Coverage::default();
        sheet.documents(if is_usual(&sheet.path) { coverage } else { &mut quiet }, &mut |root| {
            let mut desk = Desk { sheet, links };
            desk.jobs(root, "", &[root], tier);
            for stage in root.get("stages").into_iter().flat_map(View::items) {
                let Some(name) = stage.text_at(&["stage"]) else { continue };
                desk.jobs(stage, &format!("/{name}"), &[stage, root], off(stage, tier));
            }
        });
    }
}

fn is_usual(path: &str) -> bool {
    file_name(path).starts_with(NAME) || path.contains(".azure-pipelines/")
}

/// What a condition switches off for good is only hinted at.
fn off(view: View<'_>, tier: Tier) -> Tier {
    let never = view.text_at(&["condition"]).is_some_and(|condition| condition.trim().trim_end_matches("()") == "false");
    if never { tier.min(Tier::Inferred) } else { tier }
}

struct Desk<'a> {
    sheet: &'a Sheet<'a>,
    links: &'a mut Links,
}

impl Desk<'_> {
    /// The jobs of a stage or a pipeline, or the one that its steps are where it lists none.
    fn jobs(&mut self, within: View<'_>, stage: &str, scopes: &[View<'_>], tier: Tier) {
        for job in within.get("jobs").into_iter().flat_map(View::items) {
            let Some(name) = job.text_at(&["job"]).or_else(|| job.text_at(&["deployment"])) else { continue };
            let all: Vec<View<'_>> = std::iter::once(job).chain(scopes.iter().copied()).collect();
            self.job(&format!("{stage}/{name}"), job, &all, off(job, tier));
        }
        if within.get("steps").is_some() {
            self.job(stage, within, scopes, tier);
        }
    }

    fn job(&mut self, path: &str, job: View<'_>, scopes: &[View<'_>], tier: Tier) {
        let id = format!("azure-pipelines:{}{path}", self.sheet.path);
        if !is_showable(&id) {
            return;
        }
        let consumer = Arc::new(Consumer::new(id, format!("job {} of {}", path.trim_start_matches('/'), self.sheet.path)));
        let link = |tier, technique, detail: &str| Link::new(&consumer, tier, technique, detail);
        // The nearest variable of a name counts.
        let mut taken = BTreeSet::new();
        for scope in scopes {
            for (name, value) in variables(*scope) {
                if taken.insert(name) {
                    let detail = format!("variable {}", clean(name));
                    self.links.put(self.sheet, value, link(tier, "azure-pipelines-variable", &detail));
                }
            }
        }
        let strategies = ["runOnce", "rolling", "canary"].map(|kind| job.at(&["strategy", kind, "deploy", "steps"]));
        let steps = job.get("steps").into_iter().chain(strategies.into_iter().flatten()).flat_map(View::items);
        for step in steps {
            let tier = off(step, tier);
            for field in ["env", "inputs", "parameters"] {
                for (name, value) in step.get(field).map(View::entries).unwrap_or_default() {
                    let detail = format!("{field} {}", clean(name.text().unwrap_or("?")));
                    self.links.put(self.sheet, value, link(tier, "azure-pipelines-step", &detail));
                }
            }
            for field in ["script", "bash", "pwsh", "powershell"] {
                if let Some((at, text)) = step.get(field).and_then(|at| Some((at, at.text()?))) {
                    self.links.put_script(
                        self.sheet,
                        &self.sheet.place(at),
                        text,
                        &link(tier, "azure-pipelines-script", field),
                    );
                }
            }
        }
    }
}

/// A mapping, or a list of `{name, value}`; groups and templates have no values here.
fn variables(scope: View<'_>) -> Vec<(&str, View<'_>)> {
    let Some(own) = scope.get("variables") else { return Vec::new() };
    let listed = own.items().filter_map(|one| Some((one.text_at(&["name"])?, one.get("value")?)));
    let mapped = own.entries().into_iter().filter_map(|(name, value)| Some((name.text()?, value)));
    mapped.filter(|(name, _)| !name.starts_with("${{")).chain(listed).collect()
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::{Bound, Inferred};
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, tree};

    #[test]
    fn variables_reach_the_jobs_below_them_unless_hidden() {
        for (text, path, expected) in [
            (
                format!(
                    "variables: {{K: {VALUE}}}\njobs:\n- {{job: a, steps: []}}\n- {{job: b, variables: {{K: other}}, steps: []}}\n"
                ),
                "azure-pipelines.yml",
                vec![("/a", Bound)],
            ),
            (
                format!("variables: [{{group: g}}, {{name: K, value: {VALUE}}}]\nsteps: [{{script: make}}]\n"),
                "azure-pipelines.yml",
                vec![("", Bound)],
            ),
            (
                format!(
                    "stages:\n- stage: s\n  variables: {{K: {VALUE}}}\n  jobs: [{{deployment: d}}]\n- stage: t\n  jobs: [{{job: e}}]\n"
                ),
                "azure-pipelines.yml",
                vec![("/s/d", Bound)],
            ),
            (
                format!(
                    "jobs:\n- job: a\n  steps: [{{bash: 'x {VALUE}', condition: false}}]\n- job: b\n  steps: [{{task: T@1, inputs: {{p: {VALUE}}}}}]\n"
                ),
                "azure-pipelines.yml",
                vec![("/b", Bound), ("/a", Inferred)],
            ),
            (format!("steps: [{{script: x, env: {{K: {VALUE}}}}}]\n"), "ci/azure-pipelines.yml", vec![("", Inferred)]),
            (
                format!("pool: {{vmImage: ubuntu-24.04}}\njobs: [{{job: e2e, variables: {{K: {VALUE}}}, steps: []}}]\n"),
                "azure-ci.yml",
                vec![("/e2e", Inferred)],
            ),
            (format!("jobs: [{{job: e2e, variables: {{K: {VALUE}}}, steps: []}}]\n"), "azure-ci.yml", vec![]),
            (format!("variables: {{'${{{{ if true }}}}': {{K: {VALUE}}}}}\nsteps: []\n"), "azure-pipelines.yml", vec![]),
        ] {
            let known = tree(&[(path, &text)]);
            let owners = known.resolve(&finding(VALUE));
            let expected: Vec<_> =
                expected.into_iter().map(|(id, tier)| (format!("azure-pipelines:{path}{id}"), tier)).collect();
            let expected: Vec<_> = expected.iter().map(|(id, tier)| (id.as_str(), *tier)).collect();
            assert_eq!(consumers(&owners), expected, "{text}");
        }
    }
}
