//! What stands in an expression: texts with their places, and names that it refers to.

use std::ops::Range;

use hcl_edit::Span;
use hcl_edit::expr::{Expression, ObjectKey, Traversal, TraversalOperator};
use hcl_edit::template::Element;

use super::super::clean;
use super::graph::NameKind;
use crate::model::Tier;

/// Functions that hand their arguments on, one way or another.
const HAND_ON: &[&str] = &[
    "base64encode",
    "concat",
    "format",
    "join",
    "jsonencode",
    "merge",
    "nonsensitive",
    "sensitive",
    "tolist",
    "tomap",
    "toset",
    "tostring",
    "trimspace",
    "yamlencode",
];
/// Longest way to a value that is spelt out, in bytes.
const WAY: usize = 160;

/// One thing in an expression.
pub(super) enum Found<'e> {
    /// A text that stands there, quotes not counted in a template and counted otherwise.
    Text { text: &'e str, span: Range<usize> },
    /// `var.NAME` or `local.NAME`.
    Name { kind: NameKind, name: &'e str, span: Option<Range<usize>> },
}

/// Offers everything in an expression that may end in its value, with the way to it. What may also not end there is
/// inferred at most. hcl-edit nests 64 deep at most, so this ends.
pub(super) fn walk<'e>(value: &'e Expression, way: &str, tier: Tier, each: &mut dyn FnMut(&str, Tier, Found<'e>)) {
    let way = if way.len() > WAY { "…" } else { way };
    match value {
        Expression::String(text) => {
            if let Some(span) = text.span() {
                each(way, tier, Found::Text { text: text.as_str(), span });
            }
        }
        Expression::StringTemplate(template) => elements(template.iter(), way, tier, each),
        Expression::HeredocTemplate(heredoc) => elements(heredoc.template.iter(), way, tier, each),
        Expression::Parenthesis(inner) => walk(inner.inner(), way, tier, each),
        Expression::Array(array) => {
            for (index, item) in array.iter().enumerate() {
                walk(item, &format!("{way}[{index}]"), tier, each);
            }
        }
        Expression::Object(object) => {
            for (key, item) in object {
                walk(item.expr(), &format!("{way}.{}", key_name(key)), tier, each);
            }
        }
        Expression::Traversal(traversal) => {
            if let Some((kind, name)) = named(traversal) {
                let whole = traversal.operators.len() == 1;
                // `local.all.KEY` is one of several values.
                let tier = if whole { tier } else { tier.min(Tier::Inferred) };
                each(way, tier, Found::Name { kind, name, span: traversal.span() });
            }
        }
        Expression::FuncCall(call) => {
            let hands_on = call.name.namespace.is_empty() && HAND_ON.contains(&call.name.name.as_str());
            let tier = if hands_on { tier } else { tier.min(Tier::Inferred) };
            // In `merge` a later map's entry wins. With `...` the last argument is a list of them.
            let merges = hands_on && call.name.name.as_str() == "merge";
            let last = (!call.args.expand_final()).then(|| call.args.len().saturating_sub(1));
            for (index, argument) in call.args.iter().enumerate() {
                let wins = !merges || last == Some(index);
                walk(argument, way, if wins { tier } else { tier.min(Tier::Inferred) }, each);
            }
        }
        Expression::Conditional(either) => {
            for branch in [&either.true_expr, &either.false_expr] {
                walk(branch, way, tier.min(Tier::Inferred), each);
            }
        }
        _ => {}
    }
}

fn elements<'e>(
    elements: impl Iterator<Item = &'e Element>,
    way: &str,
    tier: Tier,
    each: &mut dyn FnMut(&str, Tier, Found<'e>),
) {
    for element in elements {
        match element {
            Element::Literal(text) => {
                if let Some(span) = text.span() {
                    each(way, tier, Found::Text { text: text.as_str(), span });
                }
            }
            Element::Interpolation(inner) => walk(&inner.expr, way, tier, each),
            Element::Directive(_) => {}
        }
    }
}

fn named(traversal: &Traversal) -> Option<(NameKind, &str)> {
    let kind = match traversal.expr.as_variable()?.as_str() {
        "var" => NameKind::Variable,
        "local" => NameKind::Local,
        _ => return None,
    };
    match traversal.operators.first()?.value() {
        TraversalOperator::GetAttr(name) => Some((kind, name.as_str())),
        _ => None,
    }
}

fn key_name(key: &ObjectKey) -> String {
    match key {
        ObjectKey::Ident(name) => clean(name.as_str()),
        ObjectKey::Expression(expression) => {
            let name = expression.as_str().or_else(|| expression.as_variable().map(hcl_edit::Ident::as_str));
            name.map_or_else(|| "?".to_owned(), clean)
        }
    }
}
