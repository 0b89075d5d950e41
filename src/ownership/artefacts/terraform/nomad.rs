//! Nomad's jobs, in the same language: value → a task's `env`, `template`, `config` or another of its blocks → that task
//! (developer.hashicorp.com/nomad/docs/job-specification). The default of `var.NAME` is inferred: whoever runs the job may set another.
//! So is what an env file beside the job or above it sets by `NOMAD_VAR_NAME`, and a file of variables in the job's folder.

mod loose;

use std::collections::HashMap;
use std::sync::Arc;

use hcl_edit::Span;
use hcl_edit::structure::{Block, BlockLabel, Body};

use super::super::links::{Consumer, Kind, Link, Links};
use super::super::{Place, Sheet, clean, dotenv, ends_in, file_name, folder, is_showable};
use super::expressions::{Found, walk};
use super::graph::NameKind;
use super::{Lines, parsed};
use crate::model::{Coverage, Tier};

/// Folders above a job in which its variables may be set.
const ABOVE: usize = 5;

/// What jobs say.
#[derive(Default)]
pub(in super::super) struct Nomad;

impl Kind for Nomad {
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        ends_in(path, &["nomad", "job", "hcl"])
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        // Jobs have no ending of their own.
        ends_in(&sheet.path, &["nomad"])
            || sheet.path.ends_with(".nomad.hcl")
            || sheet.bytes.len() <= Self::LIMIT && sheet.mentions("job \"") && sheet.mentions("task \"")
    }

    fn is_env_file(path: &str) -> bool {
        dotenv::is_named_so(file_name(path))
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, coverage: &mut Coverage) {
        let told = &mut Coverage::default();
        let Some((text, body)) = parsed(sheet, told) else {
            // Older jobs are written in the first HCL, which that parser does not know.
            let Ok(text) = sheet.text() else { return coverage.merge(std::mem::take(told)) };
            if !loose::read(sheet, text, links) {
                coverage.merge(std::mem::take(told));
            }
            return;
        };
        let base = sheet.bytes.len() - text.len();
        let mut file = File { sheet, base, lines: Lines::new(text), defaults: HashMap::new(), links };
        for block in body.get_blocks("variable") {
            if let (Some(name), Some(default)) = (label(block), block.body.get_attribute("default")) {
                let known = default.value.as_str().map(str::to_owned).zip(default.value.span());
                file.defaults.extend(known.map(|known| (name.to_owned(), known)));
            }
        }
        for job in body.get_blocks("job") {
            if let Some(name) = label(job) {
                file.below(&job.body, name);
            }
        }
    }
}

fn label(block: &Block) -> Option<&str> {
    block.labels.first().map(BlockLabel::as_str)
}

struct File<'a> {
    sheet: &'a Sheet<'a>,
    base: usize,
    lines: Lines,
    /// Texts that variables have by default, and where.
    defaults: HashMap<String, (String, std::ops::Range<usize>)>,
    links: &'a mut Links,
}

impl File<'_> {
    /// Tasks stand in groups. hcl-edit nests blocks 64 deep at most.
    fn below(&mut self, body: &Body, job: &str) {
        for block in body.blocks() {
            let Some(name) = label(block).filter(|_| block.ident.as_str() == "task") else {
                self.below(&block.body, job);
                continue;
            };
            let id = format!("nomad:{}/{job}/{name}", self.sheet.path);
            if is_showable(&id) {
                let consumer = Consumer::new(id, format!("task {name} of {}", self.sheet.path));
                self.task(&block.body, "", &Arc::new(consumer));
            }
        }
    }

    /// A variable that whoever runs the job may set in the environment: of the job's folder, or of one above.
    fn asks(&mut self, name: &str, at: usize, (way, consumer): (&str, &Arc<Consumer>)) {
        let at = self.base + at;
        let place = Place { path: Arc::clone(&self.sheet.path), line: self.lines.of(at), bytes: at as u64..at as u64 };
        let link = Link::new(consumer, Tier::Inferred, "nomad-variable", format!("{way}: var.{}", clean(name)));
        let mut above = &*self.sheet.path;
        for _ in 0..ABOVE {
            above = folder(above);
            self.links.want_in(above, &format!("NOMAD_VAR_{name}"), place.clone(), link.clone());
            if above.is_empty() {
                return;
            }
        }
    }

    fn task(&mut self, body: &Body, way: &str, consumer: &Arc<Consumer>) {
        for attribute in body.attributes() {
            let way = format!("{way}{}", clean(attribute.key.as_str()));
            let (mut found, mut asked) = (Vec::new(), Vec::new());
            walk(&attribute.value, &way, Tier::Bound, &mut |way, tier, one| match one {
                Found::Text { text, span } => found.push((text.to_owned(), span, tier, way.to_owned())),
                Found::Name { kind: NameKind::Variable, name, .. } => {
                    asked.push(name.to_string());
                    let default = self.defaults.get(&*name).cloned();
                    found.extend(default.map(|(text, span)| (text, span, Tier::Inferred, way.to_owned())));
                }
                Found::Name { .. } | Found::File { .. } => {}
            });
            for name in asked {
                self.asks(&name, attribute.span().unwrap_or_default().start, (&way, consumer));
            }
            for (text, span, tier, way) in found {
                let bytes = (self.base + span.start) as u64..(self.base + span.end) as u64;
                let place = Place { path: Arc::clone(&self.sheet.path), line: self.lines.of(span.start), bytes };
                self.links.put_text(self.sheet, place, &text, Link::new(consumer, tier, "nomad-task", way));
            }
        }
        // What is written down for people.
        for block in body.blocks().filter(|block| block.ident.as_str() != "meta") {
            self.task(&block.body, &format!("{way}{}.", clean(block.ident.as_str())), consumer);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Tier;
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

    #[test]
    fn a_variable_of_the_environment_is_who_asks_for_it() {
        let job = "job \"shop\" {\n  group \"g\" {\n    task \"api\" {\n      env {\n        K = \"x${var.key}\"\n      }\n    }\n  }\n}\n";
        let id = "nomad:jobs/shop/nomad.job/shop/api";
        for (path, name, named) in [
            (".envrc", "NOMAD_VAR_key", true),
            ("jobs/shop/.env", "NOMAD_VAR_key", true),
            ("jobs/shop/.env", "NOMAD_VAR_other", false),
            ("other/.env", "NOMAD_VAR_key", false),
        ] {
            let env = format!("export {name}={VALUE}\n");
            let owners = tree(&[("jobs/shop/nomad.job", job), (path, &env)]).resolve(&finding(VALUE));
            assert_eq!(consumers(&owners), &[(id, Tier::Inferred)][..usize::from(named)], "{path} {name}");
        }
        assert!(tree(&[("x.hcl", "this is {{ no hcl")]).coverage().troubles.is_empty());
    }

    #[test]
    fn a_task_s_variables_and_templates_are_its_own() {
        let job = |inside: &str| {
            format!(
                "variable \"key\" {{\n  default = \"{VALUE}\"\n}}\njob \"shop\" {{\n  group \"g\" {{\n    task \"api\" {{\n{inside}\n    }}\n    task \"other\" {{}}\n  }}\n}}\n"
            )
        };
        let id = "nomad:jobs/shop.nomad.hcl/shop/api";
        let literal =
            job("env {\n  K = \"VALUE\"\n}").replace("VALUE\"", &format!("{VALUE}\"")).replacen(VALUE, "another", 1);
        for (text, tier) in [
            (literal, Some(Tier::Bound)),
            (job("env {\n  K = var.key\n}"), Some(Tier::Inferred)),
            (job("env {\n  K = var.other\n}"), None),
            (job("meta {\n  k = var.key\n}"), None),
        ] {
            let owners = tree(&[("jobs/shop.nomad.hcl", &text)]).resolve(&finding(VALUE));
            assert_eq!(consumers(&owners), tier.map(|tier| (id, tier)).into_iter().collect::<Vec<_>>(), "{text}");
        }
        let text = job("template {\n  data = <<EOF\nTOKEN=abcdefgh12\nEOF\n}");
        let known = tree(&[("jobs/shop.nomad.hcl", &text)]);
        let owners = known.resolve(&finding_in("jobs/shop.nomad.hcl", &text, "abcdefgh12"));
        assert_eq!(consumers(&owners), [(id, Tier::Bound)]);
    }
}
