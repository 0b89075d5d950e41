//! What a value in a template comes down to: itself, a parameter's default, or a function of several.

use super::super::Sheet;
use super::super::links::{Link, Links};
use super::super::yaml::View;
use crate::model::Tier;

/// The values that a template's own values may refer to.
#[derive(Clone, Copy)]
pub(super) struct Values<'t> {
    /// CloudFormation's `Parameters`.
    pub(super) parameters: Option<View<'t>>,
    /// The most that an arrow can be worth: less where a condition decides whether the resource exists.
    pub(super) most: Tier,
}

impl<'t> Values<'t> {
    /// Remembers what `value` comes down to. What is joined to others still stands in the value; what a condition picks
    /// may not, so that is inferred.
    pub(super) fn put(&self, (sheet, links): (&Sheet<'_>, &mut Links), value: View<'t>, link: &Link) {
        let link = &Link { tier: link.tier.min(self.most), ..link.clone() };
        match call(value) {
            None | Some(("Sub", _)) if value.text().is_some() => links.put(sheet, value, link.clone()),
            None if !value.is_mapping() => {}
            Some(("Ref", name)) => {
                let default = name.text().and_then(|name| self.parameters?.at(&[name, "Default"]));
                if let Some(default) = default {
                    let name = super::super::clean(name.text().unwrap_or_default());
                    let detail = format!("{} from the default of parameter {name}", link.detail);
                    links.put(sheet, default, Link { detail, ..link.clone() });
                }
            }
            Some(("Sub" | "Join", argument)) => put_leaves((sheet, links), argument, link, link.tier),
            Some(("GetAtt" | "ImportValue" | "FindInMap" | "GetAZs", _)) => {}
            None | Some(_) => put_leaves((sheet, links), value, link, link.tier.min(Tier::Inferred)),
        }
    }
}

fn put_leaves((sheet, links): (&Sheet<'_>, &mut Links), value: View<'_>, link: &Link, tier: Tier) {
    value.leaves("", &mut |way, leaf| {
        let reference = leaf.tag().is_some_and(|tag| tag != "Sub");
        if !reference && !["Ref", "Fn::GetAtt", "Fn::ImportValue"].iter().any(|name| way.ends_with(name)) {
            links.put(sheet, leaf, Link { tier, ..link.clone() });
        }
    });
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
