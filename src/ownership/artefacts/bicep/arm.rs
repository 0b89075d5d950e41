//! ARM's templates and files of parameters, in JSON.

use std::sync::Arc;

use super::super::slots::prints_within;
use super::super::tokens::{Language, Sort, tokens};
use super::super::yaml::View;
use super::super::{Sheet, clean, folder, is_showable};
use super::{Bicep, HOLD, Node, RUN};
use crate::model::{Coverage, Tier};
use crate::ownership::artefacts::links::Consumer;

/// Resources within resources.
const NESTED: usize = 8;

pub(super) fn is_template(sheet: &Sheet<'_>) -> bool {
    sheet.mentions("eploymentTemplate.json") && sheet.mentions("\"resources\"")
}

pub(super) fn is_parameters(sheet: &Sheet<'_>) -> bool {
    sheet.mentions("deploymentParameters.json") && sheet.mentions("\"parameters\"")
}

impl Bicep {
    pub(super) fn arm(&mut self, sheet: &Sheet<'_>, coverage: &mut Coverage) {
        let template = is_template(sheet);
        sheet.documents(coverage, &mut |root| {
            if template {
                self.arm_template(sheet, root);
            } else {
                self.arm_parameters(sheet, root);
            }
        });
    }

    fn arm_parameters(&mut self, sheet: &Sheet<'_>, root: View<'_>) {
        for (name, value) in root.get("parameters").map(View::entries).unwrap_or_default() {
            let (Some(name), Some(value)) = (name.text(), value.get("value")) else { continue };
            value.leaves("", &mut |_, leaf| {
                let Some(text) = leaf.text().filter(|text| !text.is_empty() && self.allowance.take(text.len())) else {
                    return;
                };
                self.given.put(sheet.place(leaf), &prints_within(sheet.key, text), (None, Arc::from(clean(name))));
            });
        }
    }

    fn arm_template(&mut self, sheet: &Sheet<'_>, root: View<'_>) {
        let node = |name: &str| -> Node { (Arc::clone(&sheet.path), Arc::from(clean(name))) };
        for (name, parameter) in root.get("parameters").map(View::entries).unwrap_or_default() {
            let Some(name) = name.text() else { continue };
            let own = node(name);
            let of = (folder(&sheet.path).to_owned(), Arc::clone(&own.1));
            self.parameters.entry(of).or_default().insert(Arc::clone(&sheet.path));
            if let Some(default) = parameter.get("defaultValue") {
                self.arm_values(sheet, default, (&own, Tier::Inferred));
            }
        }
        for (name, value) in root.get("variables").map(View::entries).unwrap_or_default() {
            if let Some(name) = name.text() {
                self.arm_values(sheet, value, (&node(&format!("variables.{name}")), Tier::Inferred));
            }
        }
        self.arm_resources(sheet, root, NESTED);
    }

    fn arm_resources(&mut self, sheet: &Sheet<'_>, above: View<'_>, left: usize) {
        let (Some(left), Some(all)) = (left.checked_sub(1), above.get("resources")) else { return };
        let listed: Vec<View<'_>> = all.items().chain(all.entries().into_iter().map(|(_, value)| value)).collect();
        for resource in listed {
            let kind = resource.text_at(&["type"]).unwrap_or_default().to_ascii_lowercase();
            let said = resource.text_at(&["name"]).filter(|name| !name.starts_with('[') && is_showable(name));
            let own: Node = (Arc::clone(&sheet.path), Arc::from(format!("resource at {}", resource.line())));
            if !HOLD.iter().any(|own| kind.starts_with(own)) {
                let (id, shown) = match said {
                    Some(name) => (format!("arm:{}/{name}", sheet.path), format!("{name} of {}", sheet.path)),
                    None => (format!("arm:{}", sheet.path), format!("template {}", sheet.path)),
                };
                self.users.insert(own.clone(), Arc::new(Consumer::new(id, shown)));
            }
            let picked = resource.get("condition").is_some() || resource.get("copy").is_some();
            let tier = if RUN.iter().any(|own| kind.starts_with(own)) && !picked { Tier::Bound } else { Tier::Declared };
            for (name, value) in resource.entries() {
                match name.text() {
                    // A deployment within: its template is read as this one.
                    Some("resources" | "apiVersion" | "type" | "name" | "location" | "dependsOn") | None => {}
                    Some(_) => self.arm_values(sheet, value, (&own, tier)),
                }
            }
            self.arm_resources(sheet, resource, left);
        }
    }

    /// Every text below a node, and what its expression mentions: `[concat('a', parameters('b'))]`.
    fn arm_values(&mut self, sheet: &Sheet<'_>, at: View<'_>, (to, tier): (&Node, Tier)) {
        let mut mentioned = Vec::new();
        at.leaves("", &mut |_, leaf| {
            let Some(text) = leaf.text().filter(|text| !text.is_empty() && self.allowance.take(text.len())) else { return };
            if text.starts_with('[') && !text.starts_with("[[") {
                let all = tokens(text, Language::Script);
                for named in all.windows(3).filter(|own| own[1].opens("(") && own[2].sort == Sort::Text) {
                    let name = clean(named[2].text);
                    match named[0].text {
                        "parameters" => mentioned.push(name),
                        "variables" => mentioned.push(format!("variables.{name}")),
                        _ => {}
                    }
                }
            }
            self.values.put(sheet.place(leaf), &prints_within(sheet.key, text), (to.clone(), tier));
        });
        for name in mentioned {
            self.flow((Arc::clone(&sheet.path), Arc::from(name)), to.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::{Bound, Inferred};
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding, tree};

    #[test]
    fn a_template_s_values_are_the_resources_that_they_come_to() {
        let template = "{\"$schema\": \"https://x/deploymentTemplate.json#\", \"parameters\": {\"key\": {\"type\": \"string\", \"defaultValue\": \"KEY\"}, \"app\": {}},\n \"variables\": {\"made\": \"[concat('VAR', parameters('key'))]\"},\n \"resources\": [{\"type\": \"Microsoft.Web/sites\", \"name\": \"[parameters('app')]\", \"properties\": {\"k\": \"OWN\", \"v\": \"[variables('made')]\"},\n  \"resources\": [{\"type\": \"config\", \"name\": \"inner\", \"properties\": {\"k\": \"INNER\"}}]},\n {\"type\": \"Microsoft.KeyVault/vaults/secrets\", \"name\": \"v\", \"properties\": {\"value\": \"HELD\"}}]}";
        let own = "arm:a/azuredeploy.json";
        for (word, expected) in [
            ("OWN", Some((own, Bound))),
            ("KEY", Some((own, Inferred))),
            ("HELD", None),
            ("INNER", Some(("arm:a/azuredeploy.json/inner", crate::model::Tier::Declared))),
        ] {
            let text = template.replace(word, VALUE);
            let all = tree(&[("a/azuredeploy.json", &text)]).resolve(&finding(VALUE));
            assert_eq!(consumers(&all), expected.into_iter().collect::<Vec<_>>(), "{word}");
        }
        let given = format!(
            "{{\"$schema\": \"x/deploymentParameters.json#\", \"parameters\": {{\"key\": {{\"value\": \"{VALUE}\"}}}}}}"
        );
        let all =
            tree(&[("a/azuredeploy.json", template), ("a/azuredeploy.parameters.json", &given)]).resolve(&finding(VALUE));
        assert_eq!(consumers(&all), [(own, Inferred)]);
    }
}
