//! Values that are written into a template itself. Nothing is rendered: what stands outside of every `if`, `range` and the like is in
//! each release of the chart, which is declared; what stands in one, or in an action (`default "x"`), may be: inferred. Comments
//! are nothing. A template without any action is a manifest like others, and read as such.

use std::ops::Range;

use super::super::slots::Slots;
use super::super::{Place, Sheet, file_name};
use crate::model::Tier;

/// Takes in one template.
pub(super) fn read(sheet: &Sheet<'_>, text: &str, literals: &mut Slots<Tier>) {
    let tests = sheet.path.contains("/templates/tests/") || file_name(&sheet.path) == "NOTES.txt";
    if tests || !text.contains("{{") {
        return;
    }
    let mut run: Option<(Tier, u64, Range<u64>)> = None;
    let (mut state, mut at) = (State::default(), 0);
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let bytes = at..at + line.len() as u64;
        at = bytes.end;
        let tier = state.line(line);
        match &mut run {
            Some((own, _, range)) if Some(*own) == tier => range.end = bytes.end,
            _ => {
                put(sheet, run.take(), literals);
                run = tier.map(|tier| (tier, number, bytes));
            }
        }
    }
    put(sheet, run, literals);
}

fn put(sheet: &Sheet<'_>, run: Option<(Tier, u64, Range<u64>)>, literals: &mut Slots<Tier>) {
    if let Some((tier, line, bytes)) = run {
        literals.put(Place { path: sheet.path.clone(), line, bytes }, &[], tier);
    }
}

/// Where in a template a line stands.
#[derive(Default)]
struct State {
    /// Blocks that are open.
    depth: usize,
    /// Whether an action is open, and whether it is a comment.
    action: Option<bool>,
}

impl State {
    /// How sure a value in that line is; nothing where it is in a comment.
    fn line(&mut self, line: &str) -> Option<Tier> {
        let (before, opened) = (self.depth, self.action);
        let acts = self.action.is_some() || line.contains("{{");
        let mut rest = line;
        let mut comment = opened == Some(true);
        while !rest.is_empty() {
            if self.action.is_none() {
                let Some(start) = rest.find("{{") else { break };
                rest = rest[start + 2..].trim_start_matches('-').trim_start();
                let is_comment = rest.starts_with("/*");
                comment |= is_comment;
                self.action = Some(is_comment);
                let word = rest.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
                match word {
                    "if" | "range" | "with" | "define" | "block" => self.depth += 1,
                    "end" => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                }
            }
            let close = if self.action == Some(true) { "*/" } else { "}}" };
            let Some(end) = rest.find(close) else { break };
            rest = &rest[end + 2..];
            if self.action == Some(true) {
                let Some(end) = rest.find("}}") else { break };
                rest = &rest[end + 2..];
            }
            self.action = None;
        }
        if comment || line.trim_start().starts_with('#') {
            return None;
        }
        Some(if acts || before > 0 { Tier::Inferred } else { Tier::Declared })
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::{self, Declared, Inferred};
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding_in, tree};

    fn said(path: &str, template: &str) -> Option<Tier> {
        let known = tree(&[("api/Chart.yaml", "name: api\n"), (path, template)]);
        let all = known.resolve(&finding_in(path, template, VALUE));
        let helm: Vec<_> = consumers(&all).into_iter().filter(|(id, _)| id.starts_with("helm:")).collect();
        assert!(helm.iter().all(|(id, _)| *id == "helm:api/api") && helm.len() < 2, "{helm:?}");
        helm.first().map(|(_, tier)| *tier)
    }

    #[test]
    fn what_is_written_into_a_template_is_the_chart_s() {
        let path = "api/templates/api.yaml";
        for (template, tier) in [
            (format!("image: {{{{ .Values.image }}}}\nvalue: {VALUE}\n"), Some(Declared)),
            (format!("{{{{ if .Values.a }}}}\nx: y\n{{{{- end }}}}\nvalue: {VALUE}\n"), Some(Declared)),
            (format!("{{{{- if .Values.a }}}}\nvalue: {VALUE}\n{{{{ end }}}}\n"), Some(Inferred)),
            (
                format!(
                    "{{{{- range $a, $b := .Values.c -}}}}\n{{{{ if $a }}}}\n{{{{ end }}}}\nvalue: {VALUE}\n{{{{ end }}}}\n"
                ),
                Some(Inferred),
            ),
            (format!("value: {{{{ .Values.a | default \"{VALUE}\" }}}}\n"), Some(Inferred)),
            (format!("value: {{{{ default\n  \"{VALUE}\"\n  .Values.a }}}}\n"), Some(Inferred)),
            (format!("a: {{{{ .Values.a }}}}\n# value: {VALUE}\n"), None),
            (format!("a: {{{{ .Values.a }}}}\n{{{{- /* {VALUE} */ -}}}}\n"), None),
            (format!("a: {{{{ .Values.a }}}}\n{{{{/*\nvalue: {VALUE}\n*/}}}}\n"), None),
            (format!("{{{{/*\nx\n*/}}}}\nvalue: {VALUE}\n"), Some(Declared)),
            (format!("kind: X\nvalue: {VALUE}\n"), None),
        ] {
            assert_eq!(said(path, &template), tier, "{template}");
        }
    }

    #[test]
    fn other_files_are_nobody_s() {
        let template = format!("image: {{{{ .Values.image }}}}\nvalue: {VALUE}\n");
        for (path, named) in [
            ("api/templates/_helpers.tpl", true),
            ("api/templates/tests/connect.yaml", false),
            ("api/templates/NOTES.txt", false),
            ("web/templates/api.yaml", false),
            ("templates/api.yaml", false),
        ] {
            assert_eq!(said(path, &template).is_some(), named, "{path}");
        }
    }
}
