//! Helm charts: value → path in `values*.yaml` beside `Chart.yaml` → a template that mentions `.Values.PATH` → chart.
//!
//! Nothing is rendered. A template that mentions the very path declares that the chart uses the value; one that mentions
//! what lies above it (`toYaml .Values.env`, `range`, `with`) only suggests it. Which release is unknown, so the chart
//! stands for all of them. Values below the name of a dependency are inferred to be used; where the dependency lies in the chart's own
//! `charts/`, its templates are looked at, and so they are for `global` values. What is written into a template is in `literals`.

mod literals;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::allowance::Allowance;
use super::links::Consumer;
use super::slots::{Join, Slots, prints_within};
use super::yaml::View;
use super::{Clues, Place, Reader, Sheet, clean, ends_in, file_name, folder, is_showable};
use crate::model::{Coverage, Tier};
use crate::ownership::roll::{Roll, evidence};

const MENTION: &str = ".Values.";
/// How far above a file of values its chart may lie, or the folder below which it does.
const ABOVE: usize = 4;
/// What files of values are called by where they are for.
const STAGES: &[&str] = &[
    "dev",
    "development",
    "local",
    "overrides",
    "preprod",
    "preview",
    "prod",
    "production",
    "qa",
    "secrets",
    "stage",
    "staging",
    "test",
    "uat",
];
/// Different paths that the templates of one file are remembered by.
const MENTIONS: usize = 5_000;

/// What charts say.
#[derive(Default)]
pub(super) struct Helm {
    /// By the chart's folder.
    charts: HashMap<String, (Place, String)>,
    /// The names under which a chart's values go to its dependencies, by the chart's folder.
    dependencies: HashMap<String, BTreeMap<String, Place>>,
    values: Slots<String>,
    /// Paths that templates mention, with the first place of each, by the chart's folder.
    mentions: HashMap<String, BTreeMap<String, Place>>,
    allowance: Allowance,
    /// What stands in templates themselves.
    literals: Slots<Tier>,
}

impl Reader for Helm {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        file_name(path) == "Chart.yaml" || is_values(path) || may_be_values(path) || chart_of_template(path).is_some()
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        // Most of what lies in a folder of that name is no chart's: nobody need hear that it is large.
        if chart_of_template(&sheet.path).is_none() && may_be_values(&sheet.path) && !is_values(&sheet.path) {
            // Values may hold whole objects, and are none.
            let first = |word: &str| sheet.bytes.starts_with(word.as_bytes()) || sheet.mentions(&format!("\n{word}"));
            return sheet.bytes.len() <= Self::LIMIT && !(first("apiVersion:") && first("kind:"));
        }
        chart_of_template(&sheet.path).is_none() || sheet.bytes.len() <= Self::LIMIT || sheet.mentions(MENTION)
    }

    fn read(&mut self, sheet: &Sheet<'_>, coverage: &mut Coverage) {
        if let Some(chart) = chart_of_template(&sheet.path) {
            // A template that is no text, or no YAML, is the Kubernetes reader's to complain of.
            if let Ok(text) = sheet.text() {
                self.template(sheet, chart, text);
                literals::read(sheet, text, &mut self.literals);
            }
        } else if file_name(&sheet.path) == "Chart.yaml" {
            sheet.documents(coverage, &mut |root| {
                for dependency in root.get("dependencies").into_iter().flat_map(View::items) {
                    let name = dependency.get("alias").or_else(|| dependency.get("name"));
                    if let Some((at, name)) = name.and_then(|at| Some((at, at.text()?.to_owned()))) {
                        let own = self.dependencies.entry(folder(&sheet.path).to_owned()).or_default();
                        own.insert(name, sheet.place(at));
                    }
                }
                if let Some(at) = root.get("name")
                    && let Some(name) = at.text().filter(|name| is_showable(name))
                {
                    self.charts.insert(folder(&sheet.path).to_owned(), (sheet.place(at), name.to_owned()));
                }
            });
        } else {
            self.allowance.begin();
            let mut quiet = Coverage::default();
            let told = if is_values(&sheet.path) { coverage } else { &mut quiet };
            sheet.documents(told, &mut |root| self.values(sheet, root));
            self.allowance.complain(sheet, told);
        }
    }

    fn resolve(&self, clues: &Clues<'_>, roll: &mut Roll) {
        for (place, path, join) in self.values.hits(clues) {
            let own = folder(&place.path);
            if !is_values(&place.path) || !self.charts.contains_key(own) {
                self.elsewhere((place, path, join), roll);
                continue;
            }
            let Some((chart_at, name)) = self.charts.get(own) else { continue };
            let mention = self.mentions.get(own).and_then(|mentions| mentioned(mentions, path));
            let mention = mention.or_else(|| self.below(own, path)).or_else(|| self.handed_down(own, path));
            let Some((mention, at, tier)) = mention.or_else(|| self.by_library(own)) else { continue };
            let why = vec![
                evidence("helm-value", place.to_string(), format!("{path} ({})", join.words())),
                evidence("helm-template", at.to_string(), format!("{MENTION}{mention}")),
                evidence("helm-chart", chart_at.to_string(), name.clone()),
            ];
            chart(own, name).join(roll, tier, why);
        }
        for (place, tier, _) in self.literals.hits(clues) {
            let Some(own) = chart_of_template(&place.path) else { continue };
            let Some((chart_at, name)) = self.charts.get(own) else { continue };
            let why = vec![
                evidence("helm-template", place.to_string(), "in the template itself".to_owned()),
                evidence("helm-chart", chart_at.to_string(), name.clone()),
            ];
            chart(own, name).join(roll, *tier, why);
        }
    }

    fn merge(&mut self, other: Self) {
        self.charts.extend(other.charts);
        self.dependencies.extend(other.dependencies);
        self.values.merge(other.values);
        self.literals.merge(other.literals);
        for (chart, mentions) in other.mentions {
            let own = self.mentions.entry(chart).or_default();
            for (path, place) in mentions {
                keep_first(own, path, place);
            }
        }
    }
}

/// A chart as a consumer.
fn chart(own: &str, name: &str) -> Consumer {
    let id = if own.is_empty() { format!("helm:{name}") } else { format!("helm:{}/{name}", clean(own)) };
    Consumer::new(id, format!("chart {name}, any release"))
}

impl Helm {
    /// What templates of charts in the chart's own `charts/` mention: values below the name of one, and `global` ones in any.
    fn below<'h>(&'h self, chart: &str, path: &'h str) -> Option<(&'h str, &'h Place, Tier)> {
        let (first, rest) = path.split_once('.')?;
        let within = if chart.is_empty() { "charts/".to_owned() } else { format!("{chart}/charts/") };
        if first == "global" {
            let mut all: Vec<_> = self.mentions.iter().filter(|(own, _)| own.starts_with(&within)).collect();
            all.sort_by_key(|(own, _)| *own);
            return all.into_iter().find_map(|(_, mentions)| mentioned(mentions, path));
        }
        mentioned(self.mentions.get(&format!("{within}{first}"))?, rest)
    }

    /// A chart whose templates are another's, by custom of such a name, hands that one all of its values.
    fn by_library<'h>(&'h self, chart: &str) -> Option<(&'h str, &'h Place, Tier)> {
        let library = |name: &str| {
            ["common", "app-template", "library", "lib", "generic", "base"]
                .iter()
                .any(|word| name == *word || name.split(['-', '_']).any(|part| part == *word))
        };
        let (name, at) = self.dependencies.get(chart)?.iter().find(|(name, _)| library(name))?;
        Some((name, at, Tier::Inferred))
    }

    /// Values in a file that does not lie beside a chart by its usual name: those of the chart above it, or of one that lies below the
    /// same folder, which has a template that mentions them. Whoever installs the chart names the file.
    fn elsewhere(&self, (place, path, join): (&Place, &str, Join), roll: &mut Roll) {
        let (mut above, mut found) = (folder(&place.path), Vec::new());
        for _ in 0..ABOVE {
            if let Some((own, _)) = self.charts.get_key_value(above) {
                found.push(own);
            } else {
                let within = if above.is_empty() { String::new() } else { format!("{above}/") };
                let near = |own: &&String| own.strip_prefix(&within).is_some_and(|rest| rest.matches('/').count() < 2);
                found.extend(self.charts.keys().filter(near));
            }
            if !found.is_empty() || above.is_empty() {
                break;
            }
            above = folder(above);
        }
        found.sort();
        for own in found {
            let (Some((chart_at, name)), true) = (self.charts.get(own), roll.look()) else { return };
            let mention = self.mentions.get(own).and_then(|mentions| mentioned(mentions, path));
            let mention = mention.or_else(|| self.below(own, path)).or_else(|| self.handed_down(own, path));
            let Some((mention, at, _)) = mention else { continue };
            let why = vec![
                evidence("helm-value", place.to_string(), format!("{path} ({})", join.words())),
                evidence("helm-template", at.to_string(), format!("{MENTION}{mention}")),
                evidence("helm-chart", chart_at.to_string(), name.clone()),
            ];
            chart(own, name).join(roll, Tier::Inferred, why);
        }
    }

    /// What is below the name of a dependency is handed to it, whether or not its chart is in the tree.
    fn handed_down<'h>(&'h self, chart: &str, path: &'h str) -> Option<(&'h str, &'h Place, Tier)> {
        let first = path.split_once('.').map(|(first, _)| first)?;
        let at = self.dependencies.get(chart)?.get(first)?;
        Some((first, at, Tier::Inferred))
    }

    fn values(&mut self, sheet: &Sheet<'_>, root: View<'_>) {
        root.leaves("", &mut |way, leaf| {
            if let Some(text) = leaf.text().filter(|text| !text.is_empty() && self.allowance.take(text.len())) {
                self.values.put(sheet.place(leaf), &prints_within(sheet.key, text), way.to_owned());
            }
        });
    }

    fn template(&mut self, sheet: &Sheet<'_>, chart: &str, text: &str) {
        let own = self.mentions.entry(chart.to_owned()).or_default();
        let (mut line, mut from) = (1, 0);
        for at in memchr::memmem::find_iter(text.as_bytes(), MENTION).take(MENTIONS) {
            line += memchr::memchr_iter(b'\n', &text.as_bytes()[from..at]).count() as u64;
            from = at;
            let rest = &text[at + MENTION.len()..];
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '.')).unwrap_or(rest.len());
            let path = rest[..end].trim_end_matches('.');
            if !path.is_empty() && path.len() <= 200 {
                let bytes = at as u64..(at + MENTION.len() + end) as u64;
                keep_first(own, path.to_owned(), Place { path: Arc::clone(&sheet.path), line, bytes });
            }
        }
        // `index .Values "a-b" "c"`
        for (number, whole) in text.lines().enumerate() {
            let Some((_, rest)) = whole.split_once("index .Values ").or_else(|| whole.split_once("index $.Values ")) else {
                continue;
            };
            let rest = rest.split([')', '}', '|']).next().unwrap_or_default();
            let keys: Vec<&str> = rest.split('"').skip(1).step_by(2).collect();
            let path = keys.join(".");
            if !path.is_empty() && path.len() <= 200 && own.len() < MENTIONS {
                keep_first(own, path, Place { path: Arc::clone(&sheet.path), line: number as u64 + 1, bytes: 0..0 });
            }
        }
    }
}

/// The same place whatever the order in which files arrive.
fn keep_first(mentions: &mut BTreeMap<String, Place>, path: String, place: Place) {
    let entry = mentions.entry(path).or_insert_with(|| place.clone());
    if (&place.path, place.line) < (&entry.path, entry.line) {
        *entry = place;
    }
}

/// The mention that covers a path: of the path itself, or of what lies above it, the longest.
fn mentioned<'m>(mentions: &'m BTreeMap<String, Place>, path: &'m str) -> Option<(&'m str, &'m Place, Tier)> {
    if let Some(place) = mentions.get(path) {
        return Some((path, place, Tier::Declared));
    }
    let mut above = path;
    while let Some(cut) = above.rfind(['.', '[']) {
        above = &above[..cut];
        if let Some(place) = mentions.get(above) {
            return Some((above, place, Tier::Inferred));
        }
    }
    None
}

fn is_values(path: &str) -> bool {
    let name = file_name(path);
    name.starts_with("values") && ends_in(name, &["yaml", "yml"])
}

/// Whether a file of another name or place may hold values: `prod-values.yaml`, `environments/prod.yaml`, `values/prod.yaml`.
fn may_be_values(path: &str) -> bool {
    let name = file_name(path);
    let within = path.split('/').rev().skip(1).take(3);
    let kept = within
        .into_iter()
        .any(|part| matches!(part, "values" | "environments" | "envs" | "env" | "overrides" | "helm" | "ci"));
    // helmfile's, which its own templates fill in first.
    let name = name.strip_suffix(".gotmpl").unwrap_or(name);
    let stem = name.split('.').next().unwrap_or(name);
    let told = stem.split(['-', '_']).any(|word| STAGES.contains(&word));
    ends_in(name, &["yaml", "yml"]) && name != "Chart.yaml" && (name.contains("values") || kept || told)
}

/// The chart's folder of a file below its `templates`.
fn chart_of_template(path: &str) -> Option<&str> {
    let template = ends_in(path, &["yaml", "yml", "tpl", "txt"]);
    let path = Some(path).filter(|_| template)?;
    if path.starts_with("templates/") {
        return Some("");
    }
    path.rfind("/templates/").map(|end| &path[..end])
}

#[cfg(test)]
mod tests {
    use crate::model::{Owner, Tier};
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

    const CHART: (&str, &str) = ("charts/api/Chart.yaml", "apiVersion: v2\nname: api\nversion: 1.0.0\n");
    const ID: &str = "helm:charts/api/api";

    fn owners(values: &str, template: &str) -> Vec<Owner> {
        let template_path = "charts/api/templates/secret.yaml";
        tree(&[CHART, ("charts/api/values.yaml", values), (template_path, template)]).resolve(&finding(VALUE))
    }

    fn values() -> String {
        format!("# é\nllm:\n  key: {VALUE}\n  other: x\nkey: y\n")
    }

    #[test]
    fn the_very_path_is_declared_and_what_lies_above_it_is_inferred() {
        for (mention, tier) in [
            ("{{ .Values.llm.key | b64enc }}", Tier::Declared),
            ("{{- $.Values.llm.key}}", Tier::Declared),
            ("{{ toYaml .Values.llm }}", Tier::Inferred),
            ("{{- with .Values.llm }}{{ .key }}{{ end }}", Tier::Inferred),
        ] {
            let all = owners(&values(), &format!("kind: Secret\ndata:\n  k: {mention}\n"));
            assert_eq!(consumers(&all), [(ID, tier)], "{mention}");
            let seen: Vec<_> = all[0].evidence.iter().map(|one| (one.technique.as_str(), one.at.as_str())).collect();
            let expected = [
                ("helm-value", "charts/api/values.yaml:3"),
                ("helm-template", "charts/api/templates/secret.yaml:3"),
                ("helm-chart", "charts/api/Chart.yaml:2"),
            ];
            assert_eq!(seen, expected);
        }
        let list = format!("keys:\n  - {VALUE}\n");
        assert_eq!(consumers(&owners(&list, "{{ .Values.keys }}")), [(ID, Tier::Inferred)]);
        let object = format!("raw:\n- apiVersion: v1\n  kind: Secret\n  stringData: {{k: {VALUE}}}\n");
        assert_eq!(consumers(&owners(&object, "{{ range .Values.raw }}{{ end }}")), [(ID, Tier::Inferred)]);
    }

    #[test]
    fn near_misses_are_nothing() {
        for mention in [
            "{{ .Values.llm.keys }}",
            "{{ .Values.key }}",
            "{{ .Values.llm.key.x }}",
            "{{ .Chart.llm.key }}",
            "{{ .Values }}",
        ] {
            assert_eq!(owners(&values(), &format!("k: {mention}\n")), [], "{mention}");
        }
        let (text, template) = (values(), "k: {{ .Values.llm.key }}\n");
        for (chart, at, named) in [
            ("charts/api/Chart.yaml", "other/values.yaml", true),
            ("charts/b/Chart.yaml", "charts/api/values.yaml", false),
            // Whoever installs the chart names the file.
            ("charts/api/Chart.yaml", "values.yaml", true),
            ("charts/api/Chart.yaml", "charts/api/environments/prod.yaml", true),
            ("charts/api/Chart.yaml", "charts/prod-values.yaml", true),
        ] {
            let files = [(chart, CHART.1), (at, text.as_str()), ("charts/api/templates/s.yaml", template)];
            let all = tree(&files).resolve(&finding(VALUE));
            assert_eq!(consumers(&all), &[(ID, Tier::Inferred)][..usize::from(named)], "{chart} {at}");
        }
        let known = tree(&[CHART, ("charts/api/values.yaml", &text), ("charts/b/templates/s.yaml", template)]);
        assert_eq!(known.resolve(&finding(VALUE)), [], "another chart's template");
    }

    #[test]
    fn other_values_files_and_places_are_read() {
        let (text, template) = (values(), "k: {{ .Values.llm.key }}\n");
        let files = [CHART, ("charts/api/values-prod.yaml", text.as_str()), ("charts/api/templates/x/_h.tpl", template)];
        let mut known = tree(&files[2..]);
        known.merge(tree(&files[..2]));
        let found = finding_in("charts/api/values-prod.yaml", &text, VALUE);
        assert_eq!(consumers(&known.resolve(&found)), [(ID, Tier::Declared)]);
        let root = tree(&[("Chart.yaml", CHART.1), ("values.yaml", &text), ("templates/s.yaml", template)]);
        assert_eq!(consumers(&root.resolve(&finding(VALUE))), [("helm:api", Tier::Declared)]);
    }

    #[test]
    fn values_for_a_chart_that_is_not_in_the_tree_are_inferred() {
        let text = format!("wordpress:\n  password: {VALUE}\n");
        for (dependency, named) in [("name: wordpress", true), ("{name: x, alias: wordpress}", true), ("name: mysql", false)]
        {
            let chart = format!("name: blog\ndependencies:\n- {dependency}\n");
            let known = tree(&[("c/Chart.yaml", &chart), ("c/values.yaml", &text)]);
            let id = [("helm:c/blog", Tier::Inferred)];
            assert_eq!(consumers(&known.resolve(&finding(VALUE))), &id[..usize::from(named)], "{dependency}");
        }
    }

    #[test]
    fn values_for_a_chart_within_the_chart_are_followed_to_its_templates() {
        for (values, mention, tier) in [
            (format!("db:\n  auth: {{key: {VALUE}}}\n"), ".Values.auth.key", Some(Tier::Declared)),
            (format!("db:\n  auth: {{key: {VALUE}}}\n"), "toYaml .Values.auth", Some(Tier::Inferred)),
            (format!("db:\n  auth: {{key: {VALUE}}}\n"), ".Values.other", None),
            (format!("cache:\n  auth: {{key: {VALUE}}}\n"), ".Values.auth.key", None),
            (format!("global:\n  key: {VALUE}\n"), ".Values.global.key", Some(Tier::Declared)),
            (format!("global:\n  key: {VALUE}\n"), ".Values.key", None),
        ] {
            let template = format!("k: {{{{ {mention} }}}}\n");
            let files = [CHART, ("charts/api/values.yaml", &values), ("charts/api/charts/db/templates/s.yaml", &template)];
            let expected: Vec<_> = tier.into_iter().map(|tier| (ID, tier)).collect();
            assert_eq!(consumers(&tree(&files).resolve(&finding(VALUE))), expected, "{values} {mention}");
        }
    }

    #[test]
    fn broken_values_are_told() {
        let known = tree(&[("values.yaml", "a: [\n"), ("charts/x/templates/a.yaml", "{{ .Values. }} .Values.")]);
        assert!(known.coverage().troubles[0].why.starts_with("not valid YAML at line "), "{:?}", known.coverage());
    }
}
