//! Files of parameters for templates: `samconfig.toml` (docs.aws.amazon.com/serverless-application-model, "AWS SAM CLI configuration
//! file"), lists of `ParameterKey` and `ParameterValue` (docs.aws.amazon.com/cli, "create-stack"), and template configuration files
//! (docs.aws.amazon.com/AWSCloudFormation, "CodePipeline artifacts"). Which template they are for is said on a command line: any that lies
//! near and has such a parameter, inferred.

use std::sync::Arc;

use super::super::links::{Consumer, Link, Links};
use super::super::yaml::View;
use super::super::{Place, Sheet, clean, file_name};
use crate::model::Tier;

/// Whether a file may be one by its name.
pub(super) fn is_config(path: &str) -> bool {
    let name = file_name(path);
    name.starts_with("samconfig") && [".toml", ".yaml", ".yml"].iter().any(|ending| name.ends_with(ending))
}

/// Whether a file may be one by a look at it.
pub(super) fn concerns(sheet: &Sheet<'_>) -> bool {
    is_config(&sheet.path)
        || sheet.mentions("\"ParameterKey\"")
        || sheet.mentions("\"Parameters\"") && !sheet.mentions("\"Resources\"")
}

/// Takes in a file of parameters, if it is one.
pub(super) fn read((sheet, links): (&Sheet<'_>, &mut Links), root: View<'_>) {
    if is_config(&sheet.path) {
        for (_, environment) in root.entries() {
            for (_, command) in environment.entries() {
                let Some(all) = command.at(&["parameters", "parameter_overrides"]) else { continue };
                for text in [all].into_iter().chain(all.items()) {
                    overrides((sheet, &mut *links), text);
                }
            }
        }
        return;
    }
    for item in root.items() {
        if let (Some(name), Some(value)) = (item.text_at(&["ParameterKey"]), item.get("ParameterValue")) {
            hand((sheet, &mut *links), (sheet.place(value), value.text().unwrap_or_default()), name);
        }
    }
    if root.get("Resources").is_none() {
        for (name, value) in root.get("Parameters").map(View::entries).unwrap_or_default() {
            if let (Some(name), Some(text)) = (name.text(), value.text()) {
                hand((sheet, &mut *links), (sheet.place(value), text), name);
            }
        }
    }
}

/// `A=b C="d"` in one text, each at its own place.
fn overrides((sheet, links): (&Sheet<'_>, &mut Links), at: View<'_>) {
    let whole = sheet.place(at);
    let Some(raw) = sheet.text().ok().and_then(|text| text.get(whole.bytes.start as usize..whole.bytes.end as usize)) else {
        return;
    };
    for word in raw.split_whitespace() {
        let word = word.trim_matches(['"', '\'', '\\', ',', '[', ']']);
        let Some((name, value)) = word.split_once('=') else { continue };
        let name = name.trim_start_matches("ParameterKey=").trim_matches(['"', '\'', '\\']);
        let value = value.trim_matches(['"', '\'', '\\']);
        let start = whole.bytes.start + (value.as_ptr().addr() - raw.as_ptr().addr()) as u64;
        let place = Place { bytes: start..start + value.len() as u64, ..whole.clone() };
        hand((sheet, &mut *links), (place, value), name);
    }
}

fn hand((sheet, links): (&Sheet<'_>, &mut Links), (place, value): (Place, &str), name: &str) {
    let id = format!("cloudformation:{}", sheet.path);
    let consumer = Arc::new(Consumer::new(id, format!("stack of {}", sheet.path)));
    let link = Link::new(&consumer, Tier::Inferred, "cloudformation-parameter-file", format!("parameter {}", clean(name)));
    links.hand_near(sheet, (place, value), name, link);
}

#[cfg(test)]
mod tests {
    use crate::model::Tier::Inferred;
    use crate::ownership::artefacts::testing::{VALUE, consumers, finding_in, tree};

    #[test]
    fn parameters_from_a_file_reach_who_takes_them() {
        let template = "Parameters: {Key: {Type: String}, Other: {Type: String}}\nResources:\n  F: {Type: AWS::Lambda::Function, Properties: {Environment: {Variables: {K: !Ref Key}}}}\n  G: {Type: AWS::Lambda::Function, Properties: {Environment: {Variables: {K: !Ref Other}}}}\n";
        for (path, text, named) in [
            (
                "api/samconfig.toml",
                format!("[default.deploy.parameters]\nparameter_overrides = \"Other=\\\"x\\\" Key=\\\"{VALUE}\\\"\"\n"),
                true,
            ),
            (
                "api/samconfig.toml",
                format!("[default.deploy.parameters]\nparameter_overrides = [\"Other=x\", \"Key={VALUE}\"]\n"),
                true,
            ),
            ("api/samconfig.toml", format!("[default.deploy.parameters]\ns3_prefix = \"{VALUE}\"\n"), false),
            ("api/params/prod.json", format!("[{{\"ParameterKey\": \"Key\", \"ParameterValue\": \"{VALUE}\"}}]"), true),
            ("api/prod.json", format!("{{\"Parameters\": {{\"Key\": \"{VALUE}\"}}}}"), true),
            ("other/prod.json", format!("{{\"Parameters\": {{\"Key\": \"{VALUE}\"}}}}"), false),
        ] {
            let all = tree(&[("api/template.yaml", template), (path, &text)]).resolve(&finding_in(path, &text, VALUE));
            let expected = [("lambda:api/template.yaml/F", Inferred)];
            assert_eq!(consumers(&all), &expected[..usize::from(named)], "{path} {text}");
        }
    }
}
