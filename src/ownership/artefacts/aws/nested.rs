//! Nested stacks: what a template hands to the parameters of another one. Where that lies is an address in S3 or a path on the disk
//! of who packages it (docs.aws.amazon.com, "AWS::CloudFormation::Stack", "AWS::Serverless::Application"). A template of the same
//! path in the tree is taken to be that one: inferred.

use std::sync::Arc;

use super::super::links::{Consumer, Link, Links};
use super::super::yaml::View;
use super::super::{Sheet, clean, folder, join};
use crate::model::Tier;

/// Parts of an address that are tried as the beginning of a path.
const PARTS: usize = 12;

/// Takes in a stack within a stack.
pub(super) fn read((sheet, links): (&Sheet<'_>, &mut Links), (template, name): (View<'_>, &str), properties: View<'_>) {
    let at = ["TemplateURL", "Location"].iter().find_map(|field| properties.get(field));
    let Some(files) = at.and_then(address).map(|address| files(&sheet.path, address)) else { return };
    let consumer = Consumer::new(format!("cloudformation:{}/{name}", sheet.path), format!("nested stack {name}"));
    let consumer = Arc::new(consumer);
    for (parameter, value) in properties.get("Parameters").map(View::entries).unwrap_or_default() {
        let Some(parameter) = parameter.text() else { continue };
        let value = default(template, value).unwrap_or(value);
        let detail = format!("parameter {} of stack {name}", clean(parameter));
        let link = Link::new(&consumer, Tier::Inferred, "cloudformation-nested-parameter", detail);
        let mut texts = Vec::new();
        value.leaves("", &mut |_, leaf| {
            if leaf.tag().is_none_or(|tag| tag == "Sub") {
                texts.push(leaf);
            }
        });
        for text in texts {
            links.hand(sheet, text, (&files, parameter), link.clone());
        }
    }
}

/// The default of the parameter that is handed on.
fn default<'t>(template: View<'t>, value: View<'t>) -> Option<View<'t>> {
    let name = if value.tag() == Some("Ref") { value.text() } else { value.text_at(&["Ref"]) }?;
    template.at(&["Parameters", name, "Default"])
}

/// The address as text: written down, or what a `Sub` or a `Join` ends in.
fn address(view: View<'_>) -> Option<&str> {
    let mut last = None;
    view.leaves("", &mut |_, leaf| {
        let text = leaf.text().filter(|_| leaf.tag().is_none_or(|tag| tag == "Sub"));
        last = text.filter(|text| text.contains('.')).or(last);
    });
    last
}

/// The paths in the tree that may be meant, the likeliest first.
fn files(own: &str, address: &str) -> Vec<String> {
    let address = address.split(['?', '#']).next().unwrap_or_default();
    let path = address.split_once("://").map_or(address, |(_, rest)| rest);
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let mut files = Vec::new();
    files.extend(join(folder(own), path));
    for cut in 0..parts.len().min(PARTS) {
        let rest = parts[cut..].join("/");
        files.extend(join(folder(own), &rest));
        files.push(rest);
    }
    files
}
