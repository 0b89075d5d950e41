//! Greetings, and what many hosts' answers come to.

use std::collections::BTreeMap;

use super::super::scripted::{self, Server, credential, net};
use super::{Heard, KNOWN, check, hosts, who, would_ask};
use crate::model::{Forge, Liveness, SshHost};
use crate::net::{Net, NetError, Settings, SshAnswer};

fn host(name: &str, forge: Option<Forge>) -> SshHost {
    SshHost { host: name.to_owned(), address: None, port: 22, user: "git".to_owned(), forge, keys: Vec::new() }
}

fn heard(all: Vec<(&str, Option<Forge>, Result<SshAnswer, NetError>)>) -> (Liveness, bool) {
    let mut heard = Heard::default();
    for (name, forge, said) in all {
        heard.note(&host(name, forge), said);
    }
    let said = heard.said();
    (said.liveness, said.answered)
}

fn accepted(text: &str) -> SshAnswer {
    SshAnswer::Accepted(text.to_owned())
}

#[test]
fn greetings_name_users_and_repositories() {
    let shell = "but GitHub does not provide shell access.";
    for (forge, greeting, expected) in [
        (Forge::GitHub, format!("Hi octocat! You've successfully authenticated, {shell}\n"), Some(("user", "octocat"))),
        (Forge::GitHub, format!("Hi acme/shop.api! You've successfully authenticated, {shell}\r\n"), Some(("repository", "acme/shop.api"))),
        (Forge::GitHub, format!("Hi \u{1b}[31mx! You've successfully authenticated, {shell}"), None),
        (Forge::GitHub, format!("Hi {}! You've successfully authenticated, {shell}", "x".repeat(200)), None),
        (Forge::GitHub, "Hi octocat! Your account is suspended.".to_owned(), None),
        (Forge::GitHub, "Welcome to GitLab, @octocat!".to_owned(), None),
        (Forge::GitLab, "Welcome to GitLab, @ann.lee_2!\n".to_owned(), Some(("user", "ann.lee_2"))),
        (Forge::GitLab, "Welcome to GitLab, Anonymous!\n".to_owned(), Some(("user", "Anonymous (a key of no user's)"))),
        (Forge::GitLab, "Welcome to GitLab, ann!\n".to_owned(), None),
        (Forge::Bitbucket, "logged in as ann.\n\nYou can use git to connect to Bitbucket.".to_owned(), Some(("user", "ann"))),
        (Forge::Bitbucket, "authenticated via ssh key.\n\nYou can use git to connect.".to_owned(), None),
        (
            Forge::Bitbucket,
            "authenticated via a deploy key.\n\nThis deploy key has read access to the following repositories:\n\nacme/api: ci -- ann\nacme/web: ci -- ann\n".to_owned(),
            Some(("repository", "acme/api and acme/web")),
        ),
        (Forge::Bitbucket, "motd: acme/api: x".to_owned(), None),
        (Forge::GitHub, String::new(), None),
    ] {
        let said = who(forge, &greeting);
        let said: Vec<(&str, &str)> = said.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(said, expected.into_iter().collect::<Vec<_>>(), "{greeting:?}");
    }
}

#[test]
fn refused_everywhere_is_not_dead() {
    let (said, answered) = heard(vec![
        ("github.com", Some(Forge::GitHub), Ok(SshAnswer::Refused)),
        ("gitlab.com", Some(Forge::GitLab), Ok(SshAnswer::Refused)),
        ("bitbucket.org", Some(Forge::Bitbucket), Ok(SshAnswer::Refused)),
    ]);
    let Liveness::Unknown(why) = &said else { panic!("{said:?}") };
    assert!(why.starts_with("refused by github.com, gitlab.com and bitbucket.org; "), "{why}");
    assert!(answered, "there is nothing to learn by asking again soon");
    let (said, answered) = heard(vec![
        ("github.com", Some(Forge::GitHub), Ok(SshAnswer::Refused)),
        ("gitlab.com", Some(Forge::GitLab), Err(NetError::Timeout("gitlab.com".into()))),
        ("git.corp", None, Ok(SshAnswer::Unclear("takes any key at all"))),
    ]);
    let Liveness::Unknown(why) = &said else { panic!("{said:?}") };
    assert!(why.starts_with("refused by github.com; ") && why.contains("gitlab.com did not answer in time"), "{why}");
    assert!(why.contains("git.corp takes any key at all") && !answered, "{why}");
}

#[test]
fn one_host_that_takes_it_makes_it_live() {
    let hi = "Hi acme/shop! You've successfully authenticated, but GitHub does not provide shell access.\n";
    let (said, answered) = heard(vec![
        ("gitlab.com", Some(Forge::GitLab), Err(NetError::Closed("gitlab.com".into()))),
        ("github.com", Some(Forge::GitHub), Ok(accepted(hi))),
        ("bitbucket.org", Some(Forge::Bitbucket), Ok(SshAnswer::Refused)),
        ("bastion.corp", None, Ok(accepted(""))),
    ]);
    let Liveness::Live(identity) = said else { panic!("{said:?}") };
    let expected = [
        ("also at bastion.corp", "git"),
        ("host", "github.com"),
        ("refused_by", "bitbucket.org"),
        ("repository", "acme/shop"),
    ];
    let expected: BTreeMap<String, String> = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    assert_eq!((identity.0, answered), (expected, true));
    let (said, _) = heard(vec![
        ("github.com", Some(Forge::GitHub), Ok(SshAnswer::Refused)),
        ("bastion.corp", None, Ok(SshAnswer::Partly)),
    ]);
    assert!(
        matches!(&said, Liveness::Limited(identity, why) if identity.get("host") == Some("bastion.corp") && why.contains("something else")),
        "{said:?}"
    );
}

#[test]
fn the_settings_add_hosts_and_replace_known_ones() {
    let plain = Net::new(Settings::default()).expect("clients");
    let names = |net: &Net| hosts(net).into_iter().map(|host| host.host).collect::<Vec<_>>();
    assert_eq!(names(&plain), ["github.com", "gitlab.com", "bitbucket.org"]);
    let ssh_hosts =
        vec![host("git.corp", Some(Forge::GitLab)), SshHost { port: 443, ..host("github.com", Some(Forge::GitHub)) }];
    let own = Net::new(Settings { ssh_hosts, ..Settings::default() }).expect("clients");
    assert_eq!(names(&own), ["gitlab.com", "bitbucket.org", "git.corp", "github.com"]);
    assert_ne!(plain.detours(), own.detours(), "an answer from there is no answer for another");
    let part = |kind: &str| format!("-----BEGIN {kind}-----\n");
    let broken = credential(&[("key", &part("PRIVATE KEY"))]);
    assert!(would_ask(&own, &broken).is_err());
}

#[test]
fn every_known_host_has_keys_that_can_be_read() {
    for known in &KNOWN {
        for key in known.keys {
            let (kind, blob) = key.split_once(' ').expect("two words");
            let blob = data_encoding::BASE64.decode(blob.as_bytes()).expect("base64");
            assert!(blob[4..].starts_with(kind.as_bytes()), "{}", known.host);
        }
    }
}

#[tokio::test]
async fn what_cannot_be_offered_is_not_and_says_why() {
    let server = Server::talking(scripted::Peer::stall);
    let net = net();
    let mut sealed = credential(&[("key", "x")]);
    sealed.facts.insert("encrypted".to_owned(), "aes256-ctr, bcrypt with 16 rounds".to_owned());
    let said = check(&net, &sealed).await;
    assert!(
        matches!(&said.liveness, Liveness::Unknown(why) if why.contains("bcrypt") && why.contains("passphrase")),
        "{said:?}"
    );
    let mut cut = credential(&[("key", "x")]);
    cut.facts.insert("cut_short".to_owned(), "1 of 2 bytes are here".to_owned());
    assert!(matches!(check(&net, &cut).await.liveness, Liveness::NotChecked(Some(_))));
    let tls = credential(&[("key", "-----BEGIN PGP PRIVATE KEY BLOCK-----")]);
    assert!(matches!(check(&net, &tls).await.liveness, Liveness::NotChecked(Some(_))));
    assert_eq!(server.visits(), 0);
}
