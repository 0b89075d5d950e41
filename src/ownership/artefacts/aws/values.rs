//! What a value in a template comes down to: itself, a parameter's default, an entry of `Mappings`, a secret that the template makes,
//! or a function of several (docs.aws.amazon.com, "Intrinsic function reference").

use super::super::links::{Link, Links};
use super::super::yaml::View;
use super::super::{Sheet, clean};
use crate::model::Tier;

/// Functions within functions.
const LEVELS: usize = 8;
/// The functions of templates.
const FUNCTIONS: [&str; 10] =
    ["Ref", "Sub", "Join", "Base64", "FindInMap", "GetAtt", "ImportValue", "If", "Select", "Split"];

/// The values that a template's own values may refer to.
#[derive(Clone, Copy)]
pub(super) struct Values<'t> {
    /// The template: `Parameters`, `Mappings` and `Resources`.
    pub(super) template: Option<View<'t>>,
    /// The most that an arrow can be worth: less where a condition decides whether the resource exists.
    pub(super) most: Tier,
    /// Whether values are scripts, whose comments count for nothing.
    pub(super) script: bool,
}

impl<'t> Values<'t> {
    /// Remembers what `value` comes down to. What is joined to others still stands in the value; what a condition picks
    /// may not, so that is inferred.
    pub(super) fn put(&self, desk: (&Sheet<'_>, &mut Links), value: View<'t>, link: &Link) {
        let link = Link { tier: link.tier.min(self.most), ..link.clone() };
        self.follow(desk, value, (&link, LEVELS));
    }

    /// As [`Values::put`] for a value, or for each that stands in a list or below a mapping.
    pub(super) fn put_below(&self, (sheet, links): (&Sheet<'_>, &mut Links), value: View<'t>, link: &Link) {
        self.below((sheet, links), value, (link, LEVELS));
    }

    fn below(&self, (sheet, links): (&Sheet<'_>, &mut Links), value: View<'t>, (link, left): (&Link, usize)) {
        let Some(left) = left.checked_sub(1) else { return };
        if value.text().is_some() || call(value).is_some_and(|(name, _)| FUNCTIONS.contains(&name)) {
            return self.put((sheet, links), value, link);
        }
        for item in value.items().chain(value.entries().into_iter().map(|(_, value)| value)) {
            self.below((sheet, &mut *links), item, (link, left));
        }
    }

    /// Remembers the value of the secret that a `ValueFrom` names, where the template makes it.
    pub(super) fn put_secret(&self, (sheet, links): (&Sheet<'_>, &mut Links), from: View<'t>, link: &Link) {
        let link = Link { tier: link.tier.min(self.most), ..link.clone() };
        let mut names = Vec::new();
        named(from, &mut names, LEVELS);
        for name in names {
            self.secret((sheet, &mut *links), name, (&link, LEVELS));
        }
    }

    fn follow(&self, (sheet, links): (&Sheet<'_>, &mut Links), value: View<'t>, (link, left): (&Link, usize)) {
        let Some(left) = left.checked_sub(1) else { return };
        let weak = &Link { tier: link.tier.min(Tier::Inferred), ..link.clone() };
        match call(value) {
            None if value.text().is_some() => self.text((sheet, links), value, link),
            None if !value.is_mapping() => {}
            Some(("Ref", name)) => {
                if let Some(name) = name.text() {
                    self.reference((sheet, links), (value, name), (link, left));
                }
            }
            Some(("Sub", argument)) => self.substitution((sheet, links), argument, (link, left)),
            Some(("Join" | "Base64", argument)) => self.argument((sheet, links), (value, argument), (link, left)),
            Some(("FindInMap", argument)) => self.mapped((sheet, links), argument, link),
            Some(("GetAtt", argument)) => {
                let name = argument.text().or_else(|| argument.items().next()?.text()).unwrap_or_default();
                self.secret((sheet, links), name.split('.').next().unwrap_or_default(), (weak, left));
            }
            Some(("ImportValue" | "GetAZs" | "Condition", _)) => {}
            Some(("If", argument)) => {
                // The first item names the condition.
                for item in argument.items().skip(1) {
                    self.follow((sheet, &mut *links), item, (weak, left));
                }
            }
            None => self.each((sheet, links), value, (weak, left)),
            Some((_, argument)) => self.argument((sheet, links), (value, argument), (weak, left)),
        }
    }

    fn text(&self, (sheet, links): (&Sheet<'_>, &mut Links), value: View<'_>, link: &Link) {
        if self.script {
            return links.put_script(sheet, &sheet.place(value), value.text().unwrap_or_default(), link);
        }
        links.put(sheet, value, link.clone());
    }

    /// All that a function is called with.
    fn argument(
        &self,
        (sheet, links): (&Sheet<'_>, &mut Links),
        (value, argument): (View<'t>, View<'t>),
        (link, left): (&Link, usize),
    ) {
        // In the short form the tag on the argument is the function's own.
        if value.tag().is_none() && call(argument).is_some() {
            self.follow((sheet, links), argument, (link, left));
        } else {
            self.each((sheet, links), argument, (link, left));
        }
    }

    /// A text, or all that is in a list or below a mapping.
    fn each(&self, (sheet, links): (&Sheet<'_>, &mut Links), value: View<'t>, (link, left): (&Link, usize)) {
        let Some(left) = left.checked_sub(1) else { return };
        if value.text().is_some() {
            return self.text((sheet, links), value, link);
        }
        for item in value.items().chain(value.entries().into_iter().map(|(_, value)| value)) {
            if call(item).is_none() && item.text().is_none() {
                self.each((sheet, &mut *links), item, (link, left));
            } else {
                self.follow((sheet, &mut *links), item, (link, left));
            }
        }
    }

    /// A text with `${NAME}` in it, or such a text and the names' own values.
    fn substitution(&self, (sheet, links): (&Sheet<'_>, &mut Links), argument: View<'t>, (link, left): (&Link, usize)) {
        let mut items = argument.items();
        let text = if argument.text().is_some() { Some(argument) } else { items.next() };
        let own = items.next();
        let Some(at) = text else { return };
        self.text((sheet, &mut *links), at, link);
        for name in substituted(at.text().unwrap_or_default()) {
            match own.and_then(|own| own.get(name)) {
                Some(value) => self.follow((sheet, &mut *links), value, (link, left)),
                None => self.reference((sheet, &mut *links), (at, name), (link, left)),
            }
        }
    }

    /// A parameter, whose value is its default or what a stack above hands down; or a resource.
    fn reference(
        &self,
        (sheet, links): (&Sheet<'_>, &mut Links),
        (at, name): (View<'t>, &str),
        (link, left): (&Link, usize),
    ) {
        let Some(parameter) = self.template.and_then(|template| template.at(&["Parameters", name])) else {
            let weak = Link { tier: link.tier.min(Tier::Inferred), ..link.clone() };
            return self.secret((sheet, links), name, (&weak, left));
        };
        links.takes(sheet, name, sheet.place(at), link);
        // Of such a type the default is a name in Parameter Store.
        if parameter.text_at(&["Type"]).is_some_and(|kind| kind.starts_with("AWS::SSM::Parameter::")) {
            return;
        }
        if let Some(default) = parameter.get("Default") {
            let detail = format!("{} from the default of parameter {}", link.detail, clean(name));
            links.put(sheet, default, Link { detail, ..link.clone() });
        }
    }

    /// The value of a secret or a parameter of Parameter Store that the template makes.
    fn secret(&self, (sheet, links): (&Sheet<'_>, &mut Links), name: &str, (link, left): (&Link, usize)) {
        let Some(resource) = self.template.and_then(|template| template.at(&["Resources", name])) else { return };
        let field = match resource.text_at(&["Type"]) {
            Some("AWS::SecretsManager::Secret") => "SecretString",
            Some("AWS::SSM::Parameter") => "Value",
            _ => return,
        };
        let (Some(value), Some(left)) = (resource.at(&["Properties", field]), left.checked_sub(1)) else { return };
        let link = Link { detail: format!("{} from {}", link.detail, clean(name)), ..link.clone() };
        self.follow((sheet, links), value, (&link, left));
    }

    /// What `Mappings` say: one value where both keys are written down, any of them otherwise.
    fn mapped(&self, (sheet, links): (&Sheet<'_>, &mut Links), argument: View<'t>, link: &Link) {
        let keys: Vec<Option<&str>> = argument.items().map(|key| key.text().filter(|_| key.tag().is_none())).collect();
        let Some((Some(map), keys)) = keys.split_first().map(|(map, keys)| (*map, keys)) else { return };
        let Some(map) = self.template.and_then(|template| template.at(&["Mappings", map])) else { return };
        let wanted = |at: usize, own: View<'_>| keys.get(at).copied().flatten().is_none_or(|key| own.text() == Some(key));
        let exact = keys.len() == 2 && keys.iter().all(Option::is_some);
        let tier = if exact { link.tier } else { link.tier.min(Tier::Inferred) };
        for (_, second) in map.entries().into_iter().filter(|(key, _)| wanted(0, *key)) {
            for (_, value) in second.entries().into_iter().filter(|(key, _)| wanted(1, *key)) {
                links.put(sheet, value, Link { tier, ..link.clone() });
            }
        }
    }
}

/// The resources that a reference names: `!Ref X`, `!Sub "${X}:key::"`, and those in a `Join`.
fn named<'t>(value: View<'t>, names: &mut Vec<&'t str>, left: usize) {
    let Some(left) = left.checked_sub(1) else { return };
    match call(value) {
        Some(("Ref", name)) => names.extend(name.text()),
        Some(("Sub", text)) if text.text().is_some() => names.extend(substituted(text.text().unwrap_or_default())),
        _ => {
            for item in value.items().chain(value.entries().into_iter().map(|(_, value)| value)) {
                named(item, names, left);
            }
        }
    }
}

/// The names in a text for `Sub`; `${!Name}` stands for itself.
fn substituted(text: &str) -> impl Iterator<Item = &str> {
    let inside = text.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name.trim());
    inside.filter(|name| !name.starts_with('!')).map(|name| name.split('.').next().unwrap_or(name))
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
