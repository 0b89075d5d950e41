//! Authors that are programs: nobody to ask to remove a leak.

/// Names and local parts of mail addresses that are robots without saying `[bot]`.
const KNOWN: [&str; 14] = [
    "actions-user",
    "azure-pipelines",
    "circleci",
    "codecov-commenter",
    "dependabot",
    "dependabot-preview",
    "github-actions",
    "gitlab-bot",
    "greenkeeper",
    "jenkins",
    "renovate",
    "semantic-release-bot",
    "snyk-bot",
    "travis-ci",
];

/// Whether the author is a program, by name or mail address.
pub(super) fn is_bot(name: &str, mail: &str) -> bool {
    let name = name.trim().to_ascii_lowercase();
    let mail = mail.trim().to_ascii_lowercase();
    let local = mail.split_once('@').map_or(mail.as_str(), |(local, _)| local);
    // GitHub's private addresses are `123456+name@users.noreply.github.com`.
    let local = local.split_once('+').filter(|(id, _)| id.bytes().all(|b| b.is_ascii_digit())).map_or(local, |(_, n)| n);
    [name.as_str(), local].iter().any(|one| one.ends_with("[bot]") || KNOWN.contains(one))
        || mail.ends_with("[bot]")
        || mail == "noreply@github.com"
}

#[cfg(test)]
mod tests {
    use super::is_bot;

    #[test]
    fn programs_are_told_from_people() {
        for (name, mail) in [
            ("dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com"),
            ("Renovate", "bot@corp.example"),
            ("CI", "jenkins@corp.example"),
            ("GitHub", "noreply@github.com"),
        ] {
            assert!(is_bot(name, mail), "{name}");
        }
        for (name, mail) in [
            ("Ann Abbot", "abbot@corp.example"),
            ("Jo", "123+jo@users.noreply.github.com"),
            ("Renovate Smith", "rs@corp.example"),
        ] {
            assert!(!is_bot(name, mail), "{name}");
        }
    }
}
