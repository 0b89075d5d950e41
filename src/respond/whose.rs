//! Whose a credential is, as its own provider or its own text says: what `owned` in the settings is compared with.

use percent_encoding::percent_decode_str;

use crate::model::{Finding, PartInfo};

/// Provider → where its account or organisation is told: `identity.FIELD` of the liveness answer, or `part.NAME` of the
/// credential. The fields are the detectors' own; names that anyone may choose (a key's label) are not among them.
const ACCOUNTS: &[(&str, &[&str])] = &[
    ("anthropic", &["identity.organization"]),
    ("azure", &["part.host"]),
    ("buildkite", &["identity.email"]),
    ("databricks", &["part.host"]),
    ("deepgram", &["identity.project_id"]),
    ("digitalocean", &["identity.uuid"]),
    ("discord", &["identity.server"]),
    ("doppler", &["identity.workplace"]),
    ("elevenlabs", &["identity.user"]),
    ("github", &["identity.login"]),
    ("gitlab", &["identity.user_id"]),
    ("google", &["identity.email"]),
    ("heroku", &["identity.id"]),
    ("huggingface", &["identity.name"]),
    ("langfuse", &["identity.project_id"]),
    ("mysql", &["part.host"]),
    ("npm", &["identity.username"]),
    ("okta", &["part.host"]),
    ("openai", &["identity.organization"]),
    ("postgres", &["part.host"]),
    ("redis", &["part.host"]),
    ("slack", &["identity.team_id"]),
    ("vercel", &["identity.username", "identity.id"]),
    ("xai", &["identity.team"]),
];

/// The account of a finding. AWS keys tell theirs offline.
pub fn account(finding: &Finding) -> Option<String> {
    let identity = |name: &str| finding.liveness.liveness.identity()?.get(name).map(str::to_owned);
    if let Some(account) = finding.facts.get("account") {
        return Some(account.clone());
    }
    if finding.provider == "aws" {
        return identity("account");
    }
    let (_, places) = ACCOUNTS.iter().find(|(provider, _)| *provider == finding.provider)?;
    places.iter().find_map(|place| match place.split_once('.')? {
        ("identity", name) => identity(name),
        (_, name) => finding.parts.iter().find(|part| part.name == name)?.value.clone(),
    })
}

/// A public part's value as its provider knows it. In MySQL's, PostgreSQL's and Redis's URLs the user is percent-encoded (libpq,
/// "Connection URIs"; RFC 3986, section 3.2.1).
pub(super) fn plain(finding: &Finding, part: &PartInfo) -> Option<String> {
    let value = part.value.as_deref()?;
    let encoded = matches!(finding.detector.as_str(), "mysql-url" | "postgres-url" | "redis-url") && part.name == "user";
    Some(if encoded { percent_decode_str(value).decode_utf8_lossy().into_owned() } else { value.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::ACCOUNTS;
    use crate::detect::{DetectorSet, LivenessCheck};

    #[test]
    fn every_place_is_one_that_a_detector_of_the_provider_fills() {
        let set = DetectorSet::builtin().expect("detectors");
        for (provider, places) in ACCOUNTS {
            let told = |place: &str| {
                set.detectors().filter(|detector| detector.provider == *provider).any(|detector| {
                    match place.split_once('.') {
                        Some(("part", name)) => detector.parts.iter().any(|part| &*part.name == name && part.public),
                        Some(("identity", name)) => match &detector.liveness {
                            LivenessCheck::Http(check) => check.identity.iter().any(|(field, _)| field == name),
                            _ => false,
                        },
                        _ => false,
                    }
                })
            };
            assert!(places.iter().any(|place| told(place)), "{provider}");
        }
        assert!(ACCOUNTS.is_sorted());
    }
}
