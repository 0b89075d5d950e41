//! What a value in a template comes down to: itself, a parameter's default, a function of several, or a secret or parameter of the same
//! template that it refers to.

use super::super::Sheet;
use super::super::links::{Link, Links};
use super::super::yaml::View;
use crate::model::Tier;

/// The values that a template's own values may refer to.
#[derive(Clone, Copy)]
pub(super) struct Values<'t> {
    /// CloudFormation's `Parameters`.
    pub(super) parameters: Option<View<'t>>,
    /// CloudFormation's `Resources`, some of which hold values for others.
    pub(super) resources: Option<View<'t>>,
    /// The most that an arrow can be worth: less where a condition decides whether the resource exists.
    pub(super) most: Tier,
}

/// Resources that hold a value, and where.
const HOLDERS: [(&str, &str); 2] = [("AWS::SecretsManager::Secret", "SecretString"), ("AWS::SSM::Parameter", "Value")];
/// Names in one text that are looked up.
const NAMES: usize = 20;

impl<'t> Values<'t> {
    /// Nothing to refer to.
    pub(super) const NONE: Self = Values { parameters: None, resources: None, most: Tier::Bound };

    /// What the resource of that name holds. Declared at most: somebody may have put another value there since.
    fn held(&self, (sheet, links): (&Sheet<'_>, &mut Links), name: &str, link: &Link) {
        let Some(resource) = self.resources.and_then(|all| all.get(name)) else { return };
        let kind = resource.text_at(&["Type"]);
        let field = HOLDERS.iter().find(|(own, _)| Some(*own) == kind).map(|(_, field)| field);
        if let Some(value) = field.and_then(|field| resource.at(&["Properties", field])) {
            let detail = format!("{} from {}", link.detail, super::super::clean(name));
            let link = Link { tier: link.tier.min(self.most).min(Tier::Declared), detail, ..link.clone() };
            put_leaves((sheet, links), value, &link, link.tier);
        }
    }

    /// What a reference to a store stands for: `ValueFrom` of a container's secret.
    pub(super) fn fetched(&self, (sheet, links): (&Sheet<'_>, &mut Links), value: View<'t>, link: &Link) {
        let Some((function, argument)) = call(value) else { return };
        let text = argument.text().unwrap_or_default();
        match function {
            "Ref" => self.held((sheet, links), text, link),
            // One of several values, where more than the name stands there.
            _ => {
                for name in names(text).take(NAMES) {
                    self.held((sheet, links), name, &Link { tier: link.tier.min(Tier::Inferred), ..link.clone() });
                }
            }
        }
    }

    /// Remembers what `value` comes down to. What is joined to others still stands in the value; what a condition picks
    /// may not, so that is inferred.
    pub(super) fn put(&self, (sheet, links): (&Sheet<'_>, &mut Links), value: View<'t>, link: &Link) {
        let link = &Link { tier: link.tier.min(self.most), ..link.clone() };
        // `{{resolve:secretsmanager:${Secret}:SecretString:KEY}}`
        if let Some(text) = value.text().filter(|text| text.contains("{{resolve:")) {
            for name in names(text).take(NAMES) {
                self.held((sheet, links), name, &Link { tier: link.tier.min(Tier::Inferred), ..link.clone() });
            }
        }
        match call(value) {
            None | Some(("Sub", _)) if value.text().is_some() => links.put(sheet, value, link.clone()),
            None if !value.is_mapping() => {}
            Some(("Ref", name)) => {
                let default = name.text().and_then(|name| self.parameters?.at(&[name, "Default"]));
                if let Some(default) = default {
                    let name = super::super::clean(name.text().unwrap_or_default());
                    let detail = format!("{} from the default of parameter {name}", link.detail);
                    links.put(sheet, default, Link { detail, ..link.clone() });
                } else {
                    self.held((sheet, links), name.text().unwrap_or_default(), link);
                }
            }
            Some(("Sub" | "Join" | "Base64", argument)) => put_leaves((sheet, links), argument, link, link.tier),
            Some(("GetAtt" | "ImportValue" | "FindInMap" | "GetAZs", _)) => {}
            None | Some(_) => put_leaves((sheet, links), value, link, link.tier.min(Tier::Inferred)),
        }
    }
}

fn put_leaves((sheet, links): (&Sheet<'_>, &mut Links), value: View<'_>, link: &Link, tier: Tier) {
    value.leaves("", &mut |way, leaf| {
        let reference = leaf.tag().is_some_and(|tag| !matches!(tag, "Sub" | "Base64"));
        if !reference && !["Ref", "Fn::GetAtt", "Fn::ImportValue"].iter().any(|name| way.ends_with(name)) {
            links.put(sheet, leaf, Link { tier, ..link.clone() });
        }
    });
}

/// The names in a text for `Sub`: `${NAME}`, `${NAME.Arn}`.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let pieces = text.split("${").skip(1).filter_map(|piece| piece.split_once('}'));
    pieces.map(|(name, _)| name.split('.').next().unwrap_or(name))
}

/// The function that a value calls and its argument: `!Ref X`, `{Ref: X}`, `!Sub x`, `{Fn::Sub: x}`.
fn call(value: View<'_>) -> Option<(&str, View<'_>)> {
    if let Some(tag) = value.tag() {
        return Some((tag, value));
    }
    let [(name, argument)] = value.entries()[..] else { return None };
    let name = name.text()?;
    let name = if name == "Ref" { name } else { name.strip_prefix("Fn::")? };
    Some((name, argument))
}
