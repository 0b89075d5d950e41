//! Against a scripted Vault; the real OpenBao is asked in `tests/it/services/openbao.rs`.

use super::ask_vault;
use crate::model::{Edge, Tier};
use crate::net::testing::{Server, http};
use crate::net::{Net, Settings};
use crate::ownership::artefacts::testing::{VALUE, finding, shared_key};
use crate::ownership::live::board::{Board, Told};
use crate::ownership::live::testing::wait;
use crate::secret::Secret;

const MOUNTS: &str = r#"{"data":{"secret":{"secret/":{"type":"kv","options":{"version":"2"}},"old/":{"type":"kv","options":null},
    "sys/":{"type":"system"}},"auth":{"approle/":{"type":"approle"},"token/":{"type":"token"}}}}"#;

/// Asks a Vault that answers by path; anything else is refused.
fn asked(answers: &'static [(&'static str, &'static str)]) -> (Told, Server) {
    let server = Server::talking(move |peer| {
        let heard = String::from_utf8_lossy(&peer.hear()).into_owned();
        let path = heard.split(' ').nth(1).unwrap_or_default();
        let said = answers.iter().find(|(own, _)| *own == path).map(|(_, body)| body.replace("VALUE", VALUE));
        match said {
            Some(body) => peer.say(&http("200 OK", "", &body)),
            None => peer.say(&http("403 Forbidden", "", r#"{"errors":["permission denied"]}"#)),
        };
    });
    let url = server.url().parse().expect("a URL");
    let settings = Settings { endpoints: [("hashicorp-vault-admin".to_owned(), url)].into(), ..Settings::default() };
    let net = Net::new(settings).expect("clients");
    let (key, one) = (shared_key(), finding(VALUE));
    let mut board = Board::new(&key, [(&one, &[][..])]);
    wait(ask_vault(&mut board, &net, (&server.url(), &Secret::new(b"s.reader"))));
    (board.finish(), server)
}

#[test]
fn a_value_leads_to_its_path_its_declared_owner_and_the_roles_that_may_read_it() {
    let (told, server) = asked(&[
        ("/v1/sys/internal/ui/mounts", MOUNTS),
        ("/v1/secret/metadata/?list=true", r#"{"data":{"keys":["pay/","other"]}}"#),
        ("/v1/secret/metadata/pay/?list=true", r#"{"data":{"keys":["api"]}}"#),
        ("/v1/secret/data/other", r#"{"data":{"data":{"k":"something else"},"metadata":{}}}"#),
        (
            "/v1/secret/data/pay/api",
            r#"{"data":{"data":{"KEY":"VALUE","n":3},"metadata":{"custom_metadata":{"owner":"ann@corp.example"}}}}"#,
        ),
        ("/v1/sys/policies/acl?list=true", r#"{"data":{"keys":["default","pay","root"]}}"#),
        ("/v1/sys/policies/acl/default", r#"{"data":{"policy":"path \"cubbyhole/*\" { capabilities = [\"read\"] }"}}"#),
        ("/v1/sys/policies/acl/pay", r#"{"data":{"policy":"path \"secret/data/pay/*\" { capabilities = [\"read\"] }"}}"#),
        ("/v1/sys/policies/acl/root", r#"{"data":{"policy":""}}"#),
        ("/v1/auth/approle/role?list=true", r#"{"data":{"keys":["payer","other"]}}"#),
        ("/v1/auth/approle/role/payer", r#"{"data":{"token_policies":["pay"]}}"#),
        ("/v1/auth/approle/role/other", r#"{"data":{"token_policies":[]}}"#),
    ]);
    assert_eq!(told.facts[&0]["stored_in"], "vault secret/pay/api KEY");
    let owners: Vec<_> = told.owners[&0].iter().map(|one| (one.edge, one.id.as_str(), one.tier)).collect();
    assert_eq!(
        owners,
        [
            (Edge::Accountable, "mail:ann@corp.example", Tier::Declared),
            (Edge::Consumer, "vault:auth/approle/role/payer", Tier::Inferred),
        ]
    );
    assert_eq!(told.unknown, ["Vault: old/: KV of version 1 is not read"]);
    assert!(server.has_heard("x-vault-token: s.reader") && !server.has_heard(VALUE));
    assert!(!format!("{told:?}").contains(VALUE));
}

#[test]
fn what_may_not_be_read_is_told_and_nothing_follows_from_it() {
    let (told, _) = asked(&[]);
    assert_eq!(told.owners.len(), 0);
    assert!(told.unknown[0].contains("/v1/sys/internal/ui/mounts was refused (HTTP 403)"), "{told:?}");
    let (told, _) =
        asked(&[("/v1/sys/internal/ui/mounts", MOUNTS), ("/v1/secret/metadata/?list=true", r#"{"data":{"keys":["pay"]}}"#)]);
    let why = told.unknown.join("\n");
    assert!(why.contains("/v1/secret/data/pay was refused (HTTP 403): allow `read` on secret/data/*"), "{why}");
}
