//! CloudFormation and SAM templates: value → environment of a Lambda function or a container → that function or container; the same
//! for other resources that run something (`others`), and through the parameters of nested stacks (`nested`).
//!
//! A parameter's default counts as its value: whoever deploys may give another. Short functions (`!Ref`, `!Sub`) are the
//! same as long ones. Nothing is deployed or looked up.

use std::sync::Arc;

use super::super::links::{Consumer, Kind, Link, Links};
use super::super::yaml::View;
use super::super::{Sheet, clean, ends_in, is_showable};
use super::containers::{Spelling, Task};
use super::values::Values;
use super::{code, nested, others, parameters};
use crate::model::{Coverage, Tier};

/// The resources that are workloads, and stacks of them.
const TYPES: &[&str] = &[
    "AWS::Lambda::Function",
    "AWS::Serverless::Function",
    "AWS::ECS::TaskDefinition",
    "AWS::CloudFormation::Stack",
    "AWS::Serverless::Application",
];

/// What templates say.
#[derive(Default)]
pub(in super::super) struct CloudFormation;

impl Kind for CloudFormation {
    // CloudFormation takes 1 MB from S3; `cdk.out` may be larger before assets are split.
    const LIMIT: usize = 4 << 20;

    fn wants(path: &str) -> bool {
        ends_in(path, &["yaml", "yml", "json", "template"]) || parameters::is_config(path)
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        parameters::concerns(sheet)
            || sheet.mentions("AWS::") && (TYPES.iter().any(|kind| sheet.mentions(kind)) || others::concern(sheet))
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, coverage: &mut Coverage) {
        if !sheet.mentions("AWS::") {
            // What is another's JSON after all is no concern.
            let mut quiet = Coverage::default();
            return sheet.documents(&mut quiet, &mut |root| parameters::read((sheet, links), root));
        }
        links.has_parameters(sheet);
        sheet.documents(coverage, &mut |root| {
            template(sheet, root, links);
            // The Serverless Framework keeps what it does not generate itself below `resources`.
            if let Some(below) = root.get("resources") {
                template(sheet, below, links);
            }
        });
    }
}

fn template(sheet: &Sheet<'_>, root: View<'_>, links: &mut Links) {
    for (name, resource) in root.get("Resources").map(View::entries).unwrap_or_default() {
        let Some(name) = name.text().filter(|name| is_showable(name)) else { continue };
        let Some(properties) = resource.get("Properties") else { continue };
        let most = if resource.get("Condition").is_some() { Tier::Inferred } else { Tier::Bound };
        let values = Values { template: Some(root), most, script: false };
        match resource.text_at(&["Type"]) {
            Some("AWS::Lambda::Function") => function((sheet, links), (name, properties), None, values),
            Some("AWS::Serverless::Function") => {
                let all = root.at(&["Globals", "Function", "Environment", "Variables"]);
                function((sheet, links), (name, properties), all, values);
            }
            Some("AWS::ECS::TaskDefinition") => {
                let (id, name) = (format!("ecs:{}/{name}", sheet.path), format!("task {name}"));
                Task { sheet, id, name, view: properties, spelling: Spelling::CloudFormation, values }.read(links);
            }
            Some("AWS::CloudFormation::Stack" | "AWS::Serverless::Application") => {
                nested::read((sheet, links), (root, name), properties);
            }
            Some(kind) => {
                others::read((sheet, links), (kind, name), properties, values);
                if let Some(metadata) = resource.get("Metadata") {
                    others::metadata((sheet, links), (kind, name), metadata, values);
                }
            }
            None => {}
        }
    }
}

/// A function with its own variables, and those that SAM gives to all.
fn function<'t>(
    (sheet, links): (&Sheet<'_>, &mut Links),
    (name, properties): (&str, View<'t>),
    all: Option<View<'t>>,
    values: Values<'t>,
) {
    let mut consumer = Consumer::new(format!("lambda:{}/{name}", sheet.path), format!("function {name}"));
    for (field, technique) in [("Role", "lambda-role"), ("FunctionName", "lambda-function-name")] {
        if let Some(at) = properties.get(field)
            && let Some(value) = at.text().filter(|_| at.tag().is_none())
        {
            consumer.note(technique, &sheet.place(at), value);
        }
    }
    let consumer = Arc::new(consumer);
    // `CodeUri` is a folder as it lies here; what is in S3 is not.
    if let (Some(at), Some(below)) = (properties.get("Handler"), properties.text_at(&["CodeUri"])) {
        code::handler((sheet, links), at, (below, &consumer));
    }
    // Code that is written into the template.
    for way in [&["Code", "ZipFile"][..], &["InlineCode"]] {
        if let Some(code) = properties.at(way) {
            let link = Link::new(&consumer, Tier::Declared, "lambda-inline-code", way[way.len() - 1]);
            Values { script: true, ..values }.put((sheet, &mut *links), code, &link);
        }
    }
    let own = properties.at(&["Environment", "Variables"]);
    for (variables, technique) in [(own, "lambda-environment"), (all, "sam-globals-environment")] {
        for (variable, value) in variables.map(View::entries).unwrap_or_default() {
            let Some(variable) = variable.text() else { continue };
            let hidden = technique == "sam-globals-environment" && own.is_some_and(|own| own.get(variable).is_some());
            if !hidden {
                let link = Link::new(&consumer, Tier::Bound, technique, format!("environment {}", clean(variable)));
                values.put((sheet, links), value, &link);
            }
        }
    }
}
