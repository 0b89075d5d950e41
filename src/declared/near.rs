//! What somebody may have meant.

/// How alike two names must be, of 1.
const ALIKE: f64 = 0.8;
/// So alike are only a name and the same with a letter wrong.
const SLIP: f64 = 0.95;
/// More than this is no help.
const MOST: usize = 5;

/// The names that are most like `text`, or contain it, best first.
pub fn near<'n>(names: impl IntoIterator<Item = &'n str>, text: &str) -> Vec<&'n str> {
    let text = text.to_ascii_lowercase();
    let score = |name: &str| {
        let holds = text.len() >= 2 && name.contains(&text);
        strsim::jaro_winkler(name, &text) + f64::from(u8::from(holds))
    };
    let mut all: Vec<(f64, &str)> = names.into_iter().map(|name| (score(name), name)).collect();
    all.retain(|(score, _)| *score >= ALIKE);
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    all.dedup();
    // A slip of the finger is a slip of the finger.
    let best = all.first().map_or(0.0, |(score, _)| *score);
    all.retain(|(score, _)| best < SLIP || *score >= best - 0.01);
    all.into_iter().take(MOST).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::near;

    #[test]
    fn typos_and_pieces_are_near_and_the_rest_is_not() {
        let names = ["aws-access-key", "aws-session-key", "openai-project-key", "slack-token"];
        assert_eq!(near(names, "aws-acess-key")[0], "aws-access-key");
        assert_eq!(near(names, "OpenAI"), ["openai-project-key"]);
        assert_eq!(near(names, "session"), ["aws-session-key"]);
        assert!(near(names, "zzz").is_empty());
        assert!(near(names, "").is_empty());
    }
}
