//! Whose an access key is, by canned answers.

use super::{IamAnswer, iam_owners};
use crate::model::{Edge, Tier};
use crate::ownership::live::testing::{Wire, wait};

fn key_id() -> String {
    format!("AKIA{}", "EXAMPLE7".repeat(2))
}

fn ask_for(key_id: &str, answers: &[(&'static str, &str)]) -> (IamAnswer, Vec<String>) {
    let wire = Wire::by_action(answers);
    let answer = wait(iam_owners(&wire.client(), key_id));
    (answer, wire.asked())
}

fn ask(answers: &[(&'static str, &str)]) -> IamAnswer {
    ask_for(&key_id(), answers).0
}

const USED: (&str, &str) = (
    "GetAccessKeyLastUsed",
    "<UserName>billing-bot</UserName><AccessKeyLastUsed><LastUsedDate>2026-02-03T04:05:06Z</LastUsedDate>\
     <ServiceName>s3</ServiceName><Region>eu-west-1</Region></AccessKeyLastUsed>",
);
const USER: &str = "<User><Path>/</Path><UserName>billing-bot</UserName><UserId>AIDAX</UserId><Arn>\
                    arn:aws:iam::111122223333:user/svc/billing-bot</Arn><CreateDate>2025-01-01T00:00:00Z</CreateDate></User>";
const TAGS: (&str, &str) = (
    "ListUserTags",
    "<IsTruncated>false</IsTruncated><Tags><member><Key>Owner</Key><Value>ann@corp.example</Value></member><member><Key>team\
     </Key><Value>payments</Value></member><member><Key>Cost-Center</Key><Value>4711</Value></member><member><Key>env</Key>\
     <Value>prod</Value></member><member><Key>Contact</Key><Value> </Value></member></Tags>",
);

fn ids(answer: &IamAnswer) -> Vec<(Edge, &str, Tier)> {
    answer.owners.iter().map(|owner| (owner.edge, owner.id.as_str(), owner.tier)).collect()
}

#[test]
fn the_user_is_proven_and_its_tags_declare() {
    let answer = ask(&[USED, ("GetUser", USER), TAGS]);
    assert_eq!(answer.unknown, Vec::<String>::new());
    assert_eq!(
        ids(&answer),
        [
            (Edge::Principal, "arn:aws:iam::111122223333:user/svc/billing-bot", Tier::Proven),
            (Edge::Accountable, "mail:ann@corp.example", Tier::Declared),
            (Edge::Accountable, "tag:Cost-Center=4711", Tier::Declared),
            (Edge::Accountable, "team:payments", Tier::Declared),
        ]
    );
    assert_eq!(answer.owners[0].name, "user/svc/billing-bot");
    let why = &answer.owners[0].evidence[0];
    assert_eq!(why.value, "key of user billing-bot, last used 2026-02-03T04:05:06Z for s3 in eu-west-1");
    assert_eq!(answer.owners[1].evidence[0].at, "iam:ListUserTags");
    assert_eq!(answer.arn.as_deref(), Some("arn:aws:iam::111122223333:user/svc/billing-bot"));
    let facts: Vec<_> = answer.facts.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(
        facts,
        [("last_used", "2026-02-03T04:05:06Z"), ("last_used_region", "eu-west-1"), ("last_used_service", "s3")]
    );
}

#[test]
fn tags_that_come_with_the_user_need_no_third_call() {
    let tagged = USER.replace("</User>", "<Tags><member><Key>Team</Key><Value>core</Value></member></Tags></User>");
    let (answer, asked) = ask_for(&key_id(), &[USED, ("GetUser", &tagged)]);
    assert_eq!(ids(&answer).last(), Some(&(Edge::Accountable, "team:core", Tier::Declared)));
    assert_eq!((asked.len(), answer.unknown.len()), (2, 0));
}

#[test]
fn what_is_refused_stays_unknown_and_is_said() {
    let nothing = ask(&[]);
    assert_eq!(nothing.owners, []);
    assert!(nothing.unknown[0].starts_with("whose key it is: iam:GetAccessKeyLastUsed refused (AccessDenied): allow it"));
    let half = ask(&[USED, TAGS]);
    assert_eq!(ids(&half)[0], (Edge::Principal, "iam-user:billing-bot", Tier::Proven));
    assert_eq!((half.owners.len(), half.unknown.len()), (4, 1));
    let no_tags = ask(&[USED, ("GetUser", USER)]);
    assert_eq!((no_tags.owners.len(), no_tags.unknown.len()), (1, 1));
    assert!(no_tags.unknown[0].starts_with("who is accountable by the user's tags: iam:ListUserTags refused"));
    for said in nothing.unknown.iter().chain(&half.unknown).chain(&no_tags.unknown) {
        assert!(!said.contains("secret-looking-text"), "{said}");
    }
}

#[test]
fn a_key_never_used_has_its_user_all_the_same() {
    let never =
        "<UserName>idle</UserName><AccessKeyLastUsed><ServiceName>N/A</ServiceName><Region>N/A</Region></AccessKeyLastUsed>";
    let answer = ask(&[
        ("GetAccessKeyLastUsed", never),
        ("GetUser", USER),
        ("ListUserTags", "<IsTruncated>false</IsTruncated><Tags/>"),
    ]);
    assert_eq!(answer.owners[0].evidence[0].value, "key of user idle, no use on record");
    assert_eq!((answer.owners.len(), answer.unknown.len()), (1, 0));
    assert_eq!(answer.facts.into_iter().collect::<Vec<_>>(), [("last_used", "no use on record".to_owned())]);
}

#[test]
fn a_user_without_a_name_is_unknown_and_not_nobody() {
    let answer = ask(&[("GetAccessKeyLastUsed", "<AccessKeyLastUsed/>")]);
    assert_eq!((answer.owners.len(), answer.unknown.len()), (0, 1));
}

#[test]
fn other_ids_are_not_sent_at_all() {
    let temporary = format!("ASIA{}", "EXAMPLE7".repeat(2));
    for id in ["", temporary.as_str(), "AKIA", "akiaexample7example7", "AKIAEXAMPLE7&Action=DeleteUser"] {
        let (answer, asked) = ask_for(id, &[USED]);
        assert_eq!((answer.owners.len(), answer.unknown.len(), asked.len()), (0, 1, 0), "{id}");
    }
}
