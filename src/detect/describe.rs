//! What a detector knows, as values that reports and `staunch explain` can show.

use super::checked::{Encoder, HttpCase, HttpCheck, HttpMethod, IdentitySource, Joined, LivenessCheck, Origin, Outcome};
use super::checked::{PartSpec, Piece, Template};
use super::checks::Check;
use super::compiled::{DetectorSet, Entry};
use super::examples;
use super::spec::{Extract, Lead, PartRule};
use crate::model::{ActionInfo, AnswerInfo, DetectorInfo, DetectorPart, LivenessInfo, PartPlace, RequestInfo};

impl DetectorSet {
    /// Everything that is known of the detector of that id, or that had it before.
    pub fn describe(&self, id: &str) -> Option<DetectorInfo> {
        let entry = self.entry(id)?;
        let mut info = info(entry);
        for (number, part) in info.parts.iter_mut().enumerate() {
            part.shape = examples::shape(entry, number);
        }
        Some(info)
    }

    /// The same of every detector, in order of id, but for the shapes: they need every expression compiled.
    pub fn describe_all(&self) -> Vec<DetectorInfo> {
        self.entries.iter().map(info).collect()
    }
}

fn info(entry: &Entry) -> DetectorInfo {
    let (detector, checked) = (entry.detector(), entry.checked());
    let parts = detector.parts.iter().zip(&checked.rules).enumerate();
    let actions = |names: &[String]| -> Vec<ActionInfo> {
        names.iter().map(|name| ActionInfo { name: name.clone(), available: false }).collect()
    };
    DetectorInfo {
        schema: DetectorInfo::SCHEMA,
        id: detector.id.to_string(),
        summary: detector.summary.clone(),
        provider: detector.provider.clone(),
        class: detector.class.clone(),
        severity: detector.severity,
        confidence: detector.confidence,
        opens: detector.opens.clone(),
        file: checked.file.clone(),
        extends: checked.extends.clone(),
        formerly: detector.formerly.clone(),
        parts: parts.map(|(number, (spec, rule))| part(number, spec, rule)).collect(),
        structure: checked.extract.map(Extract::word),
        liveness: liveness(&detector.liveness),
        revoke: actions(&detector.revoke),
        rotate: actions(&detector.rotate),
        playbook: None,
        console: detector.console.clone(),
        links: detector.links.clone(),
        notes: checked.notes.clone(),
        not: checked.examples.iter().filter_map(|example| example.why.clone()).collect(),
    }
}

fn part(number: usize, spec: &PartSpec, rule: &PartRule) -> DetectorPart {
    let place = match (number, rule.group) {
        (0, _) => PartPlace::Anchor,
        (_, true) => PartPlace::Inside,
        (_, false) => PartPlace::Near,
    };
    let words = match &rule.lead {
        Lead::Words(words) => words.lower.clone(),
        Lead::Companion | Lead::Literals { .. } => Vec::new(),
    };
    let counts = place == PartPlace::Near || !words.is_empty();
    DetectorPart {
        name: spec.name.to_string(),
        public: spec.public,
        required: spec.required,
        place,
        pattern: rule.pattern.clone(),
        length: [*rule.length.start(), *rule.length.end()],
        shape: None,
        literals: rule.literals().to_vec(),
        words,
        names: rule.names.clone(),
        needs_name: rule.needs_name,
        within: counts.then_some(rule.within),
        min_entropy: rule.min_entropy,
        check: rule.check.and_then(|check| Check::WORDS.iter().find(|(_, other)| *other == check)).map(|(word, _)| *word),
        reject: rule.reject.clone(),
        hosts: spec.hosts.clone(),
    }
}

fn liveness(check: &LivenessCheck) -> LivenessInfo {
    match check {
        LivenessCheck::None(why) => LivenessInfo::None { why: why.clone() },
        LivenessCheck::Named(name) => LivenessInfo::Validator { name: name.clone(), answers: Vec::new() },
        LivenessCheck::Http(check) => LivenessInfo::Request(Box::new(request(check))),
    }
}

fn request(check: &HttpCheck) -> RequestInfo {
    let method = match check.method {
        HttpMethod::Get => "GET",
        HttpMethod::Post => "POST",
    };
    let (origin, hosts) = match &check.origin {
        Origin::Fixed(origin) => (origin.clone(), None),
        Origin::Content { part, suffixes } => (format!("https://{{{part}}}"), Some(suffixes.clone())),
    };
    let source = |source: &IdentitySource| match source {
        IdentitySource::Json(pointer) => format!("json:{pointer}"),
        IdentitySource::Header(name) => format!("header:{name}"),
    };
    RequestInfo {
        method: method.to_owned(),
        url: format!("{origin}{}", written(&check.path)),
        hosts,
        endpoint: check.endpoint.clone(),
        headers: check.headers.iter().map(|(name, value)| (name.clone(), written(value))).collect(),
        body: check.body.as_ref().map(written),
        answers: check.cases.iter().map(answer).collect(),
        identity: check.identity.iter().map(|(name, at)| (name.clone(), source(at))).collect(),
    }
}

fn answer(case: &HttpCase) -> AnswerInfo {
    let means = match case.then {
        Outcome::Live => "live",
        Outcome::Limited => "limited",
        Outcome::Dead => "dead",
        Outcome::Unknown => "unknown",
    };
    AnswerInfo {
        status: case.status.clone(),
        body_has: case.body_has.clone(),
        json: case.json.iter().cloned().collect(),
        any_body: case.any_body,
        means,
        why: case.why.clone(),
    }
}

/// A template as its file has it, but for doubled braces: nobody sends what this says.
fn written(template: &Template) -> String {
    let joined = |joined: &Joined| match joined {
        Joined::Part(name) => name.clone(),
        Joined::Text(text) if text.is_empty() => String::new(),
        Joined::Text(text) => format!("'{text}'"),
    };
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Value { joined: all, encoder } => {
            let names: Vec<String> = all.iter().map(joined).collect();
            let encoder = match encoder {
                Encoder::Plain => "",
                Encoder::Percent => "|percent",
                Encoder::Base64 => "|base64",
            };
            format!("{{{}{encoder}}}", names.join(":"))
        }
    };
    template.0.iter().map(piece).collect()
}

#[cfg(test)]
mod tests {
    use crate::detect::DetectorSet;
    use crate::model::{LivenessInfo, PartPlace};

    #[test]
    fn everything_of_a_file_is_told_and_no_shape_is_a_whole_value() {
        let set = DetectorSet::builtin().expect("detectors");
        let info = set.describe("aws-access-key").expect("there");
        assert_eq!(info.file, "detectors/aws-access-key.toml");
        assert_eq!(info.notes, ["Long-term access key of an IAM user or of the root user."]);
        let [id, secret] = info.parts.as_slice() else { panic!("{:?}", info.parts) };
        assert_eq!((id.place, id.check, id.within), (PartPlace::Anchor, Some("aws-key-id"), None));
        assert_eq!((secret.place, secret.within, secret.length), (PartPlace::Near, Some(10), [40, 40]));
        for part in &info.parts {
            let shape = part.shape.as_deref().expect("a shape");
            assert!(shape.contains('…') && shape.chars().count() <= 9, "{shape}");
        }
        assert_eq!(info.not.len(), 2);
        let slack = set.describe("slack-token").expect("there");
        let LivenessInfo::Request(request) = &slack.liveness else { panic!("{:?}", slack.liveness) };
        assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", "https://slack.com/api/auth.test"));
        assert_eq!(request.headers["Authorization"], "Bearer {token}");
        assert_eq!(request.identity["scopes"], "header:x-oauth-scopes");
        assert!(request.answers.iter().all(|answer| answer.means == "live" || !answer.why.is_empty()));
    }

    #[test]
    fn all_are_described_in_order() {
        let set = DetectorSet::builtin().expect("detectors");
        let ids: Vec<String> = set.describe_all().into_iter().map(|info| info.id).collect();
        assert!(ids.is_sorted() && ids.len() == set.len());
    }
}
