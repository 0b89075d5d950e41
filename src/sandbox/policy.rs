//! Inline policies: read strictly, evaluated as IAM does. An explicit deny wins, and nothing is allowed unless allowed.
//!
//! Source: IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements". What the sandbox cannot evaluate
//! (`IpAddress`, `Numeric…`, `ForAnyValue:`) it refuses when the policy is put, so that no policy means less than it says.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;

/// What a request says about itself: condition keys in lower case.
pub(super) type Context = BTreeMap<String, String>;

/// A policy that was understood.
#[derive(Debug)]
pub(super) struct Policy(Vec<Statement>);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Document {
    #[serde(rename = "Version")]
    _version: Option<String>,
    #[serde(rename = "Id")]
    _id: Option<String>,
    statement: Many<Written>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Many<T> {
    Several(Vec<T>),
    One(T),
}

impl<T> Many<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            Self::Several(items) => items,
            Self::One(item) => vec![item],
        }
    }
}

/// A statement as it is written. `Principal` has no place in an identity's policy and is refused with all unknown keys.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Written {
    #[serde(rename = "Sid")]
    _sid: Option<String>,
    effect: Effect,
    action: Option<Many<String>>,
    not_action: Option<Many<String>>,
    resource: Option<Many<String>>,
    not_resource: Option<Many<String>>,
    #[serde(default)]
    condition: BTreeMap<String, BTreeMap<String, Many<Scalar>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Bool(bool),
    Number(serde_json::Number),
}

impl Scalar {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Bool(value) => value.to_string(),
            Self::Number(number) => number.to_string(),
        }
    }
}

#[derive(Debug)]
struct Statement {
    effect: Effect,
    action: Patterns,
    resource: Patterns,
    conditions: Vec<Condition>,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`.
#[derive(Debug)]
struct Patterns {
    negated: bool,
    patterns: Vec<String>,
}

#[derive(Debug)]
struct Condition {
    test: Test,
    negated: bool,
    if_exists: bool,
    key: String,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
enum Test {
    Equals,
    EqualsAnyCase,
    Like,
    Before,
    NotAfter,
    After,
    NotBefore,
    SameMoment,
    Null,
}

/// What the policies say to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    Allowed,
    ExplicitDeny,
    ImplicitDeny,
}

impl Decision {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::ExplicitDeny => "explicitDeny",
            Self::ImplicitDeny => "implicitDeny",
        }
    }
}

/// One request as the policies see it.
pub(super) struct Ask<'a> {
    pub(super) action: &'a str,
    pub(super) resource: &'a str,
    pub(super) context: &'a Context,
}

/// A decision, the names of the policies that made it, and the condition keys that the request did not have.
#[derive(Debug)]
pub(super) struct Ruling {
    pub(super) decision: Decision,
    pub(super) policies: Vec<String>,
    pub(super) missing: BTreeSet<String>,
}

impl Policy {
    /// Reads a policy document, or says what is wrong with it.
    pub(super) fn parse(document: &str) -> Result<Self, String> {
        let document: Document = serde_json::from_str(document).map_err(|_| "Syntax errors in policy.".to_owned())?;
        document.statement.into_vec().into_iter().map(Statement::read).collect::<Result<_, _>>().map(Self)
    }
}

/// Evaluates all of a user's policies, by name.
pub(super) fn evaluate<'a>(policies: impl IntoIterator<Item = (&'a str, &'a Policy)>, ask: &Ask<'_>) -> Ruling {
    let (mut allowed_by, mut denied_by, mut missing) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (name, policy) in policies {
        for statement in &policy.0 {
            if statement.applies(ask, &mut missing) {
                let by = if statement.effect == Effect::Deny { &mut denied_by } else { &mut allowed_by };
                by.push(name.to_owned());
            }
        }
    }
    let (decision, policies) = match (denied_by.is_empty(), allowed_by.is_empty()) {
        (false, _) => (Decision::ExplicitDeny, denied_by),
        (true, false) => (Decision::Allowed, allowed_by),
        (true, true) => (Decision::ImplicitDeny, Vec::new()),
    };
    Ruling { decision, policies, missing }
}

impl Statement {
    fn read(written: Written) -> Result<Self, String> {
        let action = patterns(written.action, written.not_action).ok_or("Policy statement must contain actions.")?;
        let resource = patterns(written.resource, written.not_resource).ok_or("Policy statement must contain resources.")?;
        if let Some(odd) = action.patterns.iter().find(|action| *action != "*" && !action.contains(':')) {
            return Err(format!("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.: {odd}"));
        }
        if let Some(odd) = resource.patterns.iter().find(|arn| *arn != "*" && !arn.starts_with("arn:")) {
            return Err(format!("Resource {odd} must be in ARN format or \"*\"."));
        }
        let mut conditions = Vec::new();
        for (operator, keys) in written.condition {
            for (key, values) in keys {
                conditions.push(Condition::read(&operator, &key, values)?);
            }
        }
        Ok(Self { effect: written.effect, action, resource, conditions })
    }

    fn applies(&self, ask: &Ask<'_>, missing: &mut BTreeSet<String>) -> bool {
        let action = self.action.matches(|pattern| like(&pattern.to_lowercase(), &ask.action.to_lowercase()));
        let resource =
            self.resource.matches(|pattern| fill(pattern, ask.context).is_some_and(|pattern| like(&pattern, ask.resource)));
        if !(action && resource) {
            return false;
        }
        // Every condition is looked at, so that every missing key is named.
        let held = self.conditions.iter().filter(|condition| condition.holds(ask.context, missing)).count();
        held == self.conditions.len()
    }
}

/// Exactly one of the two must be written.
fn patterns(plain: Option<Many<String>>, negated: Option<Many<String>>) -> Option<Patterns> {
    let (patterns, negated) = match (plain, negated) {
        (Some(plain), None) => (plain.into_vec(), false),
        (None, Some(negated)) => (negated.into_vec(), true),
        _ => return None,
    };
    (!patterns.is_empty()).then_some(Patterns { negated, patterns })
}

impl Patterns {
    fn matches(&self, one: impl Fn(&str) -> bool) -> bool {
        self.patterns.iter().any(|pattern| one(pattern)) != self.negated
    }
}

impl Condition {
    fn read(operator: &str, key: &str, values: Many<Scalar>) -> Result<Self, String> {
        let (name, if_exists) = operator.strip_suffix("IfExists").map_or((operator, false), |name| (name, true));
        let (test, negated) = match name {
            "StringEquals" => (Test::Equals, false),
            "StringNotEquals" => (Test::Equals, true),
            "StringEqualsIgnoreCase" | "Bool" => (Test::EqualsAnyCase, false),
            "StringNotEqualsIgnoreCase" => (Test::EqualsAnyCase, true),
            "StringLike" | "ArnLike" | "ArnEquals" => (Test::Like, false),
            "StringNotLike" | "ArnNotLike" | "ArnNotEquals" => (Test::Like, true),
            "DateLessThan" => (Test::Before, false),
            "DateLessThanEquals" => (Test::NotAfter, false),
            "DateGreaterThan" => (Test::After, false),
            "DateGreaterThanEquals" => (Test::NotBefore, false),
            "DateEquals" => (Test::SameMoment, false),
            "DateNotEquals" => (Test::SameMoment, true),
            "Null" if !if_exists => (Test::Null, false),
            _ => return Err(format!("The sandbox cannot evaluate the condition operator {operator}.")),
        };
        let values: Vec<String> = values.into_vec().into_iter().map(Scalar::into_text).collect();
        let dated = matches!(test, Test::Before | Test::NotAfter | Test::After | Test::NotBefore | Test::SameMoment);
        if dated && values.iter().any(|value| !value.contains("${") && date(value).is_none()) {
            return Err(format!("Invalid date in the condition {operator} of {key}."));
        }
        Ok(Self { test, negated, if_exists, key: key.to_lowercase(), values })
    }

    /// A key that the request does not have fails every plain test, passes every negated one and every `…IfExists`.
    fn holds(&self, context: &Context, missing: &mut BTreeSet<String>) -> bool {
        let actual = context.get(&self.key);
        if matches!(self.test, Test::Null) {
            return self.values.iter().any(|value| value.eq_ignore_ascii_case("true") == actual.is_none());
        }
        let Some(actual) = actual else {
            missing.insert(self.key.clone());
            return self.negated || self.if_exists;
        };
        let met = self.values.iter().filter_map(|value| fill(value, context)).any(|value| self.test.met(actual, &value));
        met != self.negated
    }
}

impl Test {
    fn met(self, actual: &str, value: &str) -> bool {
        let dates = || date(actual).zip(date(value));
        match self {
            Self::Equals => actual == value,
            Self::EqualsAnyCase => actual.eq_ignore_ascii_case(value),
            Self::Like => like(value, actual),
            Self::Before => dates().is_some_and(|(actual, value)| actual < value),
            Self::NotAfter => dates().is_some_and(|(actual, value)| actual <= value),
            Self::After => dates().is_some_and(|(actual, value)| actual > value),
            Self::NotBefore => dates().is_some_and(|(actual, value)| actual >= value),
            Self::SameMoment => dates().is_some_and(|(actual, value)| actual == value),
            Self::Null => false,
        }
    }
}

/// ISO 8601 with a zone, a bare day, or seconds since 1970.
fn date(text: &str) -> Option<Timestamp> {
    let day = || format!("{text}T00:00:00Z").parse().ok();
    let seconds = || text.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    text.parse().ok().or_else(seconds).or_else(day)
}

/// Puts the request's values in place of `${key}`; `None` when the request has no such key.
fn fill(pattern: &str, context: &Context) -> Option<String> {
    let mut filled = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("${") {
        let (key, after) = after.split_once('}')?;
        filled.push_str(before);
        filled.push_str(context.get(&key.to_lowercase())?);
        rest = after;
    }
    filled.push_str(rest);
    Some(filled)
}

/// Whether `text` matches a pattern of `*` (any run) and `?` (any one character). Linear in each star, never exponential.
fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p + 1, t));
                p += 1;
            }
            Some(&c) if c == '?' || c == text[t] => (p, t) = (p + 1, t + 1),
            _ => match star {
                // Let the last star take one character more and try again from there.
                Some((after, taken)) => {
                    star = Some((after, taken + 1));
                    (p, t) = (after, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::{Ask, Context, Decision, Policy, evaluate, like};

    fn decide(document: &str, action: &str, resource: &str, context: &[(&str, &str)]) -> Decision {
        let policy = Policy::parse(document).expect("policy");
        let context: Context = context.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
        evaluate([("p", &policy)], &Ask { action, resource, context: &context }).decision
    }

    #[test]
    fn wildcards() {
        for (pattern, text) in [("*", ""), ("iam:*Key*", "iam:UpdateAccessKey"), ("a?c", "abc"), ("*a*b", "xaybab")] {
            assert!(like(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("", "a"), ("a?c", "ac"), ("iam:Get*", "iam:ListUsers"), ("*a", "ab")] {
            assert!(!like(pattern, text), "{pattern} {text}");
        }
        assert!(!like(&"*a".repeat(200), &"a".repeat(199)), "no blow-up");
    }

    #[test]
    fn deny_wins_and_nothing_is_allowed_by_itself() {
        let both = r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
            {"Effect":"Deny","Action":["IAM:List*"],"Resource":"arn:aws:iam::1:user/${aws:username}"}]}"#;
        let me = [("aws:username", "me")];
        assert_eq!(decide(both, "iam:ListAccessKeys", "arn:aws:iam::1:user/me", &me), Decision::ExplicitDeny);
        assert_eq!(decide(both, "iam:ListAccessKeys", "arn:aws:iam::1:user/you", &me), Decision::Allowed);
        assert_eq!(decide(both, "iam:GetUser", "arn:aws:iam::1:user/me", &me), Decision::Allowed);
        let narrow = r#"{"Statement":{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}}"#;
        assert_eq!(decide(narrow, "iam:GetUser", "*", &[]), Decision::ImplicitDeny);
        assert_eq!(decide(narrow, "s3:GetObject", "*", &[]), Decision::Allowed);
    }

    #[test]
    fn a_token_issue_time_deny_ends_sessions_and_does_nothing_to_long_term_keys() {
        let revoke = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
            {"Effect":"Deny","Action":"*","Resource":"*",
             "Condition":{"DateLessThan":{"aws:TokenIssueTime":"2026-01-02T00:00:00Z"}}}]}"#;
        let at = |time| decide(revoke, "s3:GetObject", "*", &[("aws:tokenissuetime", time)]);
        assert_eq!(at("2026-01-01T23:59:59Z"), Decision::ExplicitDeny);
        assert_eq!(at("2026-01-02T00:00:00Z"), Decision::Allowed);
        assert_eq!(decide(revoke, "s3:GetObject", "*", &[]), Decision::Allowed);
    }

    #[test]
    fn negated_missing_null_and_if_exists() {
        let with = |condition: &str, context: &[(&str, &str)]| {
            let text =
                format!(r#"{{"Statement":{{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{{{condition}}}}}}}"#);
            decide(&text, "a:b", "*", context) == Decision::Allowed
        };
        assert!(with(r#""StringNotEquals":{"k":"v"}"#, &[]));
        assert!(!with(r#""StringNotEquals":{"k":["v","w"]}"#, &[("k", "w")]));
        assert!(!with(r#""StringEquals":{"k":"v"}"#, &[]));
        assert!(with(r#""StringEqualsIfExists":{"K":"v"}"#, &[]));
        assert!(!with(r#""StringEqualsIfExists":{"K":"v"}"#, &[("k", "w")]));
        assert!(with(r#""Null":{"k":true}"#, &[]));
        assert!(!with(r#""Null":{"k":"true"}"#, &[("k", "w")]));
        assert!(with(r#""Bool":{"k":true},"ArnLike":{"a":"arn:*"}"#, &[("k", "true"), ("a", "arn:x")]));
    }

    #[test]
    fn what_cannot_be_evaluated_is_refused() {
        for (document, says) in [
            ("{", "Syntax"),
            (r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}}"#, "Syntax"),
            (r#"{"Statement":{"Effect":"allow","Action":"*","Resource":"*"}}"#, "Syntax"),
            (r#"{"Statement":{"Effect":"Allow","Resource":"*"}}"#, "actions"),
            (r#"{"Statement":{"Effect":"Allow","Action":"*"}}"#, "resources"),
            (r#"{"Statement":{"Effect":"Allow","Action":"list","Resource":"*"}}"#, "vendor"),
            (r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"x"}}"#, "ARN"),
            (
                r#"{"Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"IpAddress":{"k":"v"}}}}"#,
                "IpAddress",
            ),
            (
                r#"{"Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"DateLessThan":{"k":"soon"}}}}"#,
                "date",
            ),
        ] {
            let error = Policy::parse(document).expect_err(document);
            assert!(error.contains(says), "{document}: {error}");
        }
    }
}
