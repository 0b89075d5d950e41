//! `[liveness]`: the request, and what its answers mean.

use std::sync::Arc;

use super::super::checked::{
    HttpCase, HttpCheck, HttpMethod, IdentitySource, LivenessCheck, Origin, Outcome, PartSpec, Template,
};
use crate::declared::{Table, Value};

pub(super) fn liveness(table: &Table<'_, '_>, parts: &[PartSpec]) -> Option<LivenessCheck> {
    let none = table.text("none");
    let named = table.text("validator");
    let request = table.get("request");
    let given = [none.is_some(), named.is_some(), request.is_some()].iter().filter(|given| **given).count();
    if given != 1 {
        table.mistake("[liveness] needs exactly one of `none` (why not), `validator` (a name) and `request`");
    }
    let check = match (none, named, request) {
        (Some(why), ..) => Some(LivenessCheck::None(why)),
        (_, Some(name), _) => Some(LivenessCheck::Named(name)),
        (_, _, Some(request)) => http(table, &request, parts).map(|check| LivenessCheck::Http(Box::new(check))),
        _ => None,
    };
    table.finish();
    check
}

fn http(table: &Table<'_, '_>, request: &Value<'_, '_>, parts: &[PartSpec]) -> Option<HttpCheck> {
    let text = request.text()?;
    let target = split_request(&text, parts);
    if target.is_none() {
        request.mistake(format!(
            "{text:?} must be `GET https://host/path` or `POST https://host/path`, the host fixed or one part, like {{host}}"
        ));
    }
    let endpoint = table.need_text("endpoint");
    let headers = table.get("headers").and_then(|value| value.table());
    let headers: Vec<_> = headers.map_or_else(Vec::new, |headers| {
        let keys = headers.keys();
        keys.into_iter().filter_map(|key| Some((key.clone(), template(&headers.get(&key)?, parts)?))).collect()
    });
    let body = table.get("body").and_then(|value| template(&value, parts));
    let identity = table.get("identity").and_then(|value| value.table());
    let identity = identity.map_or_else(Vec::new, |fields| {
        let keys = fields.keys();
        keys.into_iter().filter_map(|key| Some((key.clone(), identity_source(&fields.get(&key)?)?))).collect()
    });
    let cases: Vec<_> = table.tables("case").iter().filter_map(case).collect();
    if cases.is_empty() {
        table.mistake("a `request` needs at least one [[liveness.case]]");
    }
    let (method, origin, path) = target?;
    let path = Template::parse(path, parts).map_err(|what| request.mistake(what)).ok()?;
    Some(HttpCheck { method, endpoint: endpoint?, origin, path, headers, body, cases, identity })
}

fn split_request<'t>(text: &'t str, parts: &[PartSpec]) -> Option<(HttpMethod, Origin, &'t str)> {
    let (method, url) = text.split_once(' ')?;
    let method = match method {
        "GET" => HttpMethod::Get,
        "POST" => HttpMethod::Post,
        _ => return None,
    };
    let rest = url.strip_prefix("https://")?;
    let (host, path) = rest.split_at(rest.find('/')?);
    let origin = if let Some(name) = host.strip_prefix('{').and_then(|host| host.strip_suffix('}')) {
        let part = parts.iter().find(|part| &*part.name == name)?;
        Origin::Content { part: Arc::clone(&part.name), suffixes: part.hosts.clone() }
    } else {
        let fixed = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-:".contains(c));
        Origin::Fixed(fixed.then(|| format!("https://{host}"))?)
    };
    Some((method, origin, path))
}

fn template(value: &Value<'_, '_>, parts: &[PartSpec]) -> Option<Template> {
    let text = value.text()?;
    Template::parse(&text, parts).map_err(|what| value.mistake(what)).ok()
}

fn identity_source(value: &Value<'_, '_>) -> Option<IdentitySource> {
    let text = value.text()?;
    let source = match text.split_once(':') {
        Some(("json", pointer)) if pointer.starts_with('/') => Some(IdentitySource::Json(pointer.to_owned())),
        Some(("header", name)) => Some(IdentitySource::Header(name.to_owned())),
        _ => None,
    };
    if source.is_none() {
        value.mistake(format!("{text:?} must be `json:/pointer` or `header:name`"));
    }
    source
}

fn case(table: &Table<'_, '_>) -> Option<HttpCase> {
    let status = table.need("status").map(|value| value.items().iter().filter_map(Value::number).collect::<Vec<_>>());
    let then = table.need("then").and_then(|value| {
        value.one_of(&[
            ("live", Outcome::Live),
            ("limited", Outcome::Limited),
            ("dead", Outcome::Dead),
            ("unknown", Outcome::Unknown),
        ])
    });
    let why = table.text("why").unwrap_or_default();
    if why.is_empty() && then.is_some_and(|then| then != Outcome::Live) {
        table.mistake("a case that does not mean `live` needs a `why`");
    }
    let json = table.get("json").and_then(|value| value.table()).map_or_else(Vec::new, |json| {
        json.keys().into_iter().filter_map(|key| Some((key.clone(), json.text(&key)?))).collect()
    });
    let body_has = table.texts("body_has");
    let any_body = table.get("any_body").and_then(|value| value.bool()).unwrap_or(false);
    table.finish();
    let status = status?.into_iter().filter_map(|status| u16::try_from(status).ok()).collect();
    Some(HttpCase { status, body_has, any_body, json, then: then?, why })
}
