//! What running systems say of a credential, asked with the operator's own credentials: its provider, the stores that hold it, and
//! what uses these.

pub(super) mod activity;
mod ask;
pub(super) mod aws;
pub(super) mod board;
pub(super) mod iam;
pub(super) mod identity;
pub(super) mod inventories;
pub(super) mod kubernetes;
pub(super) mod reach;
mod session;
mod tags;
#[cfg(test)]
mod testing;
pub(super) mod turns;
pub(super) mod vault;

use iam::iam_owners;

use super::add_owners;
use crate::model::{Clock, Finding, Reach};
use crate::net::{Net, Responder};

/// Asks AWS, as the responder in the account that owns an access key: whose it is, when it was used last, what its user may do,
/// and with `logs` what it was used for since it got out. Fills in the finding; gives what stays unknown about its owner, in words that
/// say what to do. The key itself is not used.
pub async fn ask_aws(
    finding: &mut Finding,
    key_id: &str,
    (net, responder): (&Net, &Responder),
    (clock, logs): (&dyn Clock, bool),
) -> Vec<String> {
    let answer = if iam::is_session(key_id) {
        session::owners(&responder.iam, finding).await
    } else {
        iam_owners(&responder.iam, key_id).await
    };
    add_owners(finding, answer.owners);
    finding.facts.extend(answer.facts.into_iter().map(|(name, value)| (name.to_owned(), value)));
    let now = clock.now();
    // Made-up ids of an account must not use up what its logs may be asked.
    let exists = answer.arn.is_some() || finding.liveness.liveness.identity().is_some();
    finding.reach = match answer.arn {
        Some(arn) => Some(reach::reach(&responder.iam, &arn, now).await),
        None if iam::is_long_term(key_id) || iam::is_session(key_id) => Some(Reach {
            principal: String::new(),
            as_of: now,
            ways: Vec::new(),
            unseen: Vec::new(),
            unknown: vec![match answer.unknown.first().filter(|_| iam::is_session(key_id)) {
                Some(why) => why.clone(),
                None => "what it may do: IAM did not name its user".to_owned(),
            }],
        }),
        None => None,
    };
    if exists && logs && iam::is_key_id(key_id) {
        let since = finding.exposure().since;
        finding.activity = Some(activity::activity((net, responder), key_id, (since, now)).await);
    }
    answer.unknown
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::ask_aws;
    use super::testing::{result, wait};
    use crate::model::{Identity, Liveness, TestClock};
    use crate::net::testing::{Server, http};
    use crate::net::{AwsKey, Net, Settings};
    use crate::ownership::artefacts::testing::finding;
    use crate::secret::Secret;

    #[test]
    fn the_logs_are_asked_only_about_keys_that_exist() {
        let used = "<UserName>ci</UserName><AccessKeyLastUsed/>";
        for (known, live, logs, asked) in
            [(false, false, true, false), (true, false, true, true), (false, true, true, true), (true, true, false, false)]
        {
            let server = Server::talking(move |peer| {
                let heard = String::from_utf8_lossy(&peer.hear()).into_owned();
                let named = "<User><Arn>arn:aws:iam::1:user/ci</Arn></User>";
                let said = match () {
                    () if heard.contains("LookupEvents") => http("200 OK", "", r#"{"Events":[]}"#),
                    () if heard.contains("Action=GetAccessKeyLastUsed") && known => {
                        http("200 OK", "", &result("GetAccessKeyLastUsed", used))
                    }
                    () if heard.contains("Action=GetUser&") && known => http("200 OK", "", &result("GetUser", named)),
                    () => http("403 no", "", "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"),
                };
                peer.say(&said);
            });
            let url = server.url().parse().expect("a URL");
            let net = Net::new(Settings { endpoints: [("aws".to_owned(), url)].into(), ..Settings::default() });
            let net = net.expect("clients");
            let key = AwsKey { id: "AKIAOWN".to_owned(), secret: Secret::new(b"not one"), token: None };
            let responder = net.responder_with(&key).expect("clients");
            let mut finding = finding("x");
            if live {
                finding.liveness.liveness = Liveness::Live(Identity::default());
            }
            let id = format!("AKIA{}", "EXAMPLE7".repeat(2));
            let clock = TestClock::new(Timestamp::UNIX_EPOCH);
            wait(ask_aws(&mut finding, &id, (&net, &responder), (&clock, logs)));
            assert_eq!((finding.activity.is_some(), server.has_heard("LookupEvents")), (asked, asked), "{known} {live}");
        }
    }
}
