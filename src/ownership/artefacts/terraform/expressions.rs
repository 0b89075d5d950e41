//! What stands in an expression: texts with their places, and names and files that it refers to.

use std::borrow::Cow;
use std::ops::Range;

use hcl_edit::Span;
use hcl_edit::expr::{Expression, FuncCall, ObjectKey, Traversal, TraversalOperator};
use hcl_edit::template::{Directive, Element};

use super::super::clean;
use super::graph::NameKind;
use super::holders;
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
/// Functions whose result does not hold what they were given.
const TELL_NOTHING: &[&str] = &[
    "alltrue",
    "anytrue",
    "bcrypt",
    "can",
    "contains",
    "filebase64sha256",
    "filemd5",
    "filesha256",
    "keys",
    "length",
    "md5",
    "sha1",
    "sha256",
    "sha512",
    "startswith",
];
/// Functions whose first argument is a file.
const OF_A_FILE: &[&str] = &["file", "filebase64", "templatefile"];
/// Longest way to a value that is spelt out, in bytes.
const WAY: usize = 160;

/// One thing in an expression.
pub(super) enum Found<'e> {
    /// A text that stands there, quotes not counted in a template and counted otherwise.
    Text { text: &'e str, span: Range<usize> },
    /// `var.NAME`, `local.NAME`, `module.NAME.OUTPUT`, what holds a value (`aws_ssm_parameter.NAME.value`), or what another resource
    /// is given (`google_sql_user.NAME.password`).
    Name { kind: NameKind, name: Cow<'e, str>, span: Option<Range<usize>> },
    /// A file whose content stands there, seen from the module's folder.
    File { path: String, span: Option<Range<usize>> },
}

/// Who is told of each thing, with the way to it.
pub(super) type Each<'a, 'e> = dyn FnMut(&str, Tier, Found<'e>) + 'a;

/// Offers everything in an expression that may end in its value, with the way to it. What may also not end there is
/// inferred at most. hcl-edit nests 64 deep at most, so this ends.
pub(super) fn walk<'e>(value: &'e Expression, way: &str, tier: Tier, each: &mut Each<'_, 'e>) {
    let way = if way.len() > WAY { "…" } else { way };
    let less = tier.min(Tier::Inferred);
    match value {
        Expression::String(text) => {
            if let Some(span) = text.span() {
                each(way, tier, Found::Text { text: text.as_str(), span });
            }
        }
        Expression::StringTemplate(template) => {
            // `"${aws_secretsmanager_secret.x.arn}:KEY::"` fetches one of several values.
            let part = template.iter().count() > 1 && holders::is_fetched(way);
            elements(template.iter(), way, if part { less } else { tier }, each);
        }
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
        Expression::Traversal(traversal) => traversed(traversal, way, tier, each),
        Expression::FuncCall(call) => called(call, way, tier, each),
        Expression::Conditional(either) => {
            for branch in [&either.true_expr, &either.false_expr] {
                walk(branch, way, less, each);
            }
        }
        // The names that it goes over, and what it makes of each. Which of them a filter leaves is not worked out.
        Expression::ForExpr(all) => {
            walk(&all.intro.collection_expr, &format!("{way}[*]"), less, each);
            walk(&all.value_expr, &format!("{way}[*]"), less, each);
        }
        _ => {}
    }
}

fn traversed<'e>(traversal: &'e Traversal, way: &str, tier: Tier, each: &mut Each<'_, 'e>) {
    let less = tier.min(Tier::Inferred);
    match named(traversal) {
        Some((kind, name, most)) => {
            each(way, tier.min(most), Found::Name { kind, name, span: traversal.span() });
        }
        // `jsondecode(local.x).KEY`, `{a = 1}[var.x]`
        None if traversal.expr.as_variable().is_none() => walk(&traversal.expr, way, less, each),
        None => {}
    }
}

fn called<'e>(call: &'e FuncCall, way: &str, tier: Tier, each: &mut Each<'_, 'e>) {
    let name = call.name.name.as_str();
    let own = call.name.namespace.is_empty();
    if own && TELL_NOTHING.contains(&name) {
        return;
    }
    let hands_on = own && HAND_ON.contains(&name);
    let tier = if hands_on { tier } else { tier.min(Tier::Inferred) };
    let file = call.args.iter().next().filter(|_| own && OF_A_FILE.contains(&name));
    if let Some((first, path)) = file.and_then(|first| Some((first, path_of(first)?))) {
        each(way, tier, Found::File { path, span: first.span() });
    }
    // In `merge` a later map's entry wins. With `...` the last argument is a list of them.
    let merges = hands_on && name == "merge";
    let last = (!call.args.expand_final()).then(|| call.args.len().saturating_sub(1));
    for (index, argument) in call.args.iter().enumerate().skip(usize::from(file.is_some())) {
        let wins = !merges || last == Some(index);
        walk(argument, way, if wins { tier } else { tier.min(Tier::Inferred) }, each);
    }
}

fn elements<'e>(elements: impl Iterator<Item = &'e Element>, way: &str, tier: Tier, each: &mut Each<'_, 'e>) {
    let less = tier.min(Tier::Inferred);
    for element in elements {
        match element {
            Element::Literal(text) => {
                if let Some(span) = text.span() {
                    each(way, tier, Found::Text { text: text.as_str(), span });
                }
            }
            Element::Interpolation(inner) => walk(&inner.expr, way, tier, each),
            Element::Directive(directive) => match &**directive {
                Directive::If(either) => {
                    let otherwise = either.else_expr.iter().map(|own| &own.template);
                    for template in std::iter::once(&either.if_expr.template).chain(otherwise) {
                        nested(template.iter(), way, less, each);
                    }
                }
                Directive::For(all) => {
                    walk(&all.for_expr.collection_expr, way, less, each);
                    nested(all.for_expr.template.iter(), way, less, each);
                }
            },
        }
    }
}

/// As [`elements`], below a directive.
fn nested<'e>(all: hcl_edit::template::Iter<'e>, way: &str, tier: Tier, each: &mut Each<'_, 'e>) {
    elements(all, way, tier, each);
}

/// A file by its path from the module's folder, where that is written out: `"${path.module}/x"` or `"x"`.
pub(super) fn path_of(value: &Expression) -> Option<String> {
    if let Some(text) = value.as_str() {
        return Some(text.to_owned());
    }
    let Expression::StringTemplate(template) = value else { return None };
    let mut parts = template.iter();
    let Element::Interpolation(first) = parts.next()? else { return None };
    let Expression::Traversal(folder) = &first.expr else { return None };
    let own = folder.expr.as_variable().is_some_and(|name| name.as_str() == "path");
    let attribute = folder.operators.first().map(hcl_edit::Decorated::value);
    // Most folders are run where they lie, so that all three are one.
    let here = |name: &str| ["module", "root", "cwd"].contains(&name);
    let module = matches!(attribute, Some(TraversalOperator::GetAttr(name)) if here(name.as_str()));
    let Some(Element::Literal(rest)) = parts.next().filter(|_| own && module) else { return None };
    parts.next().is_none().then(|| rest.trim_start_matches('/').to_owned())
}

/// What a reference is to, and how sure it can be at most that its whole value is meant.
fn named(traversal: &Traversal) -> Option<(NameKind, Cow<'_, str>, Tier)> {
    let first = traversal.expr.as_variable()?.as_str();
    let attribute = |index: usize| match traversal.operators.get(index)?.value() {
        TraversalOperator::GetAttr(name) => Some(name.as_str()),
        _ => None,
    };
    let count = traversal.operators.len();
    // `local.all.KEY` is one of several values.
    let most = |whole: bool| if whole { Tier::Bound } else { Tier::Inferred };
    match first {
        "var" => Some((NameKind::Variable, attribute(0)?.into(), most(count == 1))),
        "local" => Some((NameKind::Local, attribute(0)?.into(), most(count == 1))),
        "module" => {
            // One of several where it is counted: `module.x[0].y`.
            let output = attribute(1).or_else(|| attribute(2))?;
            Some((NameKind::Call, format!("{}.{output}", attribute(0)?).into(), most(count == 2)))
        }
        "data" => {
            let kind = attribute(0).filter(|kind| holders::of(kind).is_some())?;
            let tier = holders::reference(kind, attribute(2), count == 3);
            Some((NameKind::Data, format!("{kind}.{}", attribute(1)?).into(), tier))
        }
        kind if holders::of(kind).is_some() => {
            let tier = holders::reference(kind, attribute(1), count == 2);
            Some((NameKind::Resource, format!("{kind}.{}", attribute(0)?).into(), tier))
        }
        // Types have an underscore in them, names of loops hardly ever do. One of several where it is counted.
        kind if kind.contains('_') => {
            let own = attribute(1).or_else(|| attribute(2))?;
            Some((NameKind::Attribute, format!("{kind}.{}.{own}", attribute(0)?).into(), most(count == 2)))
        }
        _ => None,
    }
}

/// The key of an object as it is shown.
pub(super) fn key_name(key: &ObjectKey) -> String {
    match key {
        ObjectKey::Ident(name) => clean(name.as_str()),
        ObjectKey::Expression(expression) => {
            let name = expression.as_str().or_else(|| expression.as_variable().map(hcl_edit::Ident::as_str));
            name.map_or_else(|| "?".to_owned(), clean)
        }
    }
}
