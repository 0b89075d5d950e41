//! Which keys of one account are asked about in one run. Whoever writes made-up ids of an account into a repository must not have
//! the account's APIs throttled for everybody, nor keep a responder waiting for an hour.

use crate::model::{Finding, Liveness};

/// Keys asked about: about eight calls of IAM each, and CloudTrail for up to 20 s.
pub const MOST_KEYS: usize = 50;

/// Splits an account's keys into those that are asked about, the worst first, and those that are not: what may be said of the latter
/// stays unknown. Keys that the provider knows come before those that nobody could ask about, and these before those it refuses.
pub fn turns<'f>(keys: impl IntoIterator<Item = (usize, &'f Finding)>) -> (Vec<usize>, Vec<usize>) {
    let mut keys: Vec<(usize, &Finding)> = keys.into_iter().collect();
    keys.sort_by_key(|(_, finding)| match &finding.liveness.liveness {
        Liveness::Live(_) | Liveness::Limited(..) => 0,
        Liveness::Unknown(_) | Liveness::NotChecked(_) => 1,
        Liveness::Dead(_) => 2,
    });
    let left = keys.split_off(keys.len().min(MOST_KEYS));
    let places = |keys: Vec<(usize, &Finding)>| keys.into_iter().map(|(place, _)| place).collect();
    (places(keys), places(left))
}

#[cfg(test)]
mod tests {
    use super::{MOST_KEYS, turns};
    use crate::model::{Identity, Liveness};
    use crate::ownership::artefacts::testing::finding;

    #[test]
    fn made_up_keys_do_not_take_the_turn_of_those_that_live() {
        let dead = {
            let mut dead = finding("dead");
            dead.liveness.liveness = Liveness::Dead("no such key".to_owned());
            dead
        };
        let mut live = finding("live");
        live.liveness.liveness = Liveness::Live(Identity::default());
        let unknown = finding("unknown");
        let mut all = vec![&dead; MOST_KEYS + 7];
        all.extend([&unknown, &live]);
        let (asked, left) = turns(all.iter().copied().enumerate());
        assert_eq!((asked.len(), left.len()), (MOST_KEYS, 9));
        assert_eq!(asked[..3], [MOST_KEYS + 8, MOST_KEYS + 7, 0]);
        assert!(left.iter().all(|&place| place < MOST_KEYS + 7));
    }
}
