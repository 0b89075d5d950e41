//! Against a scripted AWS; ministack is asked in `tests/it/services/living.rs`.

use serde_json::{Value, json};

use super::ask_aws_stores;
use crate::model::Tier;
use crate::net::testing::{Server, http};
use crate::net::{AwsKey, Net, Settings};
use crate::ownership::artefacts::testing::{VALUE, finding, shared_key};
use crate::ownership::live::board::{Board, Told};
use crate::ownership::live::testing::wait;
use crate::secret::Secret;

/// Asks an AWS that answers by the action's name or the path; anything else is refused.
fn asked(answer: impl Fn(&str, &str) -> Option<Value> + Send + Sync + 'static) -> (Told, Server) {
    let server = Server::talking(move |peer| {
        let mut heard = String::from_utf8_lossy(&peer.hear()).into_owned();
        if heard.starts_with("POST") && heard.ends_with("\r\n\r\n") {
            heard.push_str(&String::from_utf8_lossy(&peer.hear()));
        }
        let target = heard.lines().find_map(|line| line.strip_prefix("x-amz-target: "));
        let name = target.map_or_else(
            || heard.split(' ').nth(1).unwrap_or_default(),
            |target| target.rsplit('.').next().unwrap_or_default(),
        );
        match answer(name, heard.split("\r\n\r\n").nth(1).unwrap_or_default()) {
            Some(body) => peer.say(&http("200 OK", "", &body.to_string())),
            None => peer.say(&http("400 Bad Request", "", r#"{"__type":"x#AccessDeniedException","message":"no"}"#)),
        };
    });
    let url = server.url().parse().expect("a URL");
    let net = Net::new(Settings { endpoints: [("aws".to_owned(), url)].into(), ..Settings::default() }).expect("clients");
    let key = AwsKey { id: "AKIAOWN".to_owned(), secret: Secret::new(b"not one"), token: None };
    let responder = net.responder_with(&key).expect("clients");
    let (key, one) = (shared_key(), finding(VALUE));
    let mut board = Board::new(&key, [(&one, &[][..])]);
    wait(ask_aws_stores(&mut board, &net, &responder));
    (board.finish(), server)
}

const SECRET: &str = "arn:aws:secretsmanager:us-east-1:1:secret:pay/api-AbCdEf";

fn stores(name: &str, body: &str) -> Option<Value> {
    Some(match name {
        "ListSecrets" if !body.contains("NextToken") => json!({ "SecretList": [], "NextToken": "2" }),
        "ListSecrets" => {
            json!({ "SecretList": [{ "ARN": SECRET, "Name": "pay/api", "Tags": [{ "Key": "Owner", "Value": "ann@corp.example" }] }] })
        }
        "GetSecretValue" => json!({ "SecretString": json!({ "key": VALUE }).to_string() }),
        "DescribeParameters" => json!({ "Parameters": [{ "Name": "/pay/key" }, { "Name": "/pay/else" }] }),
        "GetParameters" => {
            json!({ "Parameters": [{ "Name": "/pay/key", "ARN": "arn:aws:ssm:us-east-1:1:parameter/pay/key", "Value": VALUE },
                                                  { "Name": "/pay/else", "Value": "something else" }] })
        }
        _ => return None,
    })
}

fn compute(name: &str, body: &str) -> Option<Value> {
    let function = |name: &str, value: &str| {
        json!({ "FunctionName": name, "FunctionArn": format!("arn:aws:lambda:us-east-1:1:function:{name}"),
                "Role": "arn:aws:iam::1:role/l", "Environment": { "Variables": { "KEY": value } } })
    };
    let container = json!({ "name": "app", "environment": [{ "name": "A", "value": "x" }], "secrets": [
        { "name": "KEY", "valueFrom": format!("{SECRET}:key::") } ] });
    let by_name = json!({ "name": "side", "secrets": [{ "name": "P", "valueFrom": "/pay/key" }, { "name": "Q", "valueFrom": "/pay/else" }] });
    Some(match name {
        "/2015-03-31/functions/?MaxItems=50" => json!({ "Functions": [function("holds", VALUE)], "NextMarker": "a/b" }),
        "/2015-03-31/functions/?MaxItems=50&Marker=a%2Fb" => {
            json!({ "Functions": [function("named", "arn:aws:secretsmanager:us-east-1:1:secret:pay/api"), function("not", "x")] })
        }
        path if path.starts_with("/2017-03-31/tags/arn%3Aaws%3Alambda") => json!({ "Tags": { "team": "payments" } }),
        "ListTaskDefinitionFamilies" => json!({ "families": ["api"] }),
        "DescribeTaskDefinition" if body.contains("\"api\"") => {
            json!({ "taskDefinition": { "taskDefinitionArn": "arn:aws:ecs:us-east-1:1:task-definition/api:7", "family": "api",
                    "containerDefinitions": [container, by_name] }, "tags": [{ "key": "squad", "value": "checkout" }] })
        }
        _ => return None,
    })
}

#[test]
fn a_value_leads_over_its_stores_to_what_refers_to_them() {
    let (told, server) = asked(|name, body| stores(name, body).or_else(|| compute(name, body)));
    assert_eq!(told.unknown, ["AWS: only Region us-east-1 was looked at"]);
    assert_eq!(told.facts[&0]["stored_in"], "SSM parameter /pay/key, Secrets Manager pay/api");
    let owners: Vec<_> = told.owners[&0].iter().map(|one| (one.id.as_str(), one.tier)).collect();
    for expected in [
        ("arn:aws:lambda:us-east-1:1:function:holds", Tier::Proven),
        ("arn:aws:lambda:us-east-1:1:function:named", Tier::Inferred),
        ("arn:aws:ecs:us-east-1:1:task-definition/api/app", Tier::Bound),
        ("arn:aws:ecs:us-east-1:1:task-definition/api/side", Tier::Bound),
        ("mail:ann@corp.example", Tier::Declared),
        ("team:payments", Tier::Declared),
        ("team:checkout", Tier::Declared),
    ] {
        assert!(owners.contains(&expected), "{expected:?}: {owners:?}");
    }
    assert_eq!(owners.len(), 7, "{owners:?}");
    assert!(!format!("{told:?}").contains(VALUE) && !server.has_heard(VALUE));
}

#[test]
fn what_is_refused_is_told_with_what_to_allow() {
    let (told, _) = asked(|_, _| None);
    assert!(told.owners.is_empty());
    let why = told.unknown.join("\n");
    for action in
        ["secretsmanager:ListSecrets", "ssm:DescribeParameters", "lambda:ListFunctions", "ecs:ListTaskDefinitionFamilies"]
    {
        assert!(why.contains(&format!("{action} refused (AccessDeniedException): allow it for the responder")), "{why}");
    }
    let (told, _) = asked(|name, body| stores(name, body).filter(|_| name != "GetSecretValue"));
    assert!(told.unknown.join("\n").contains("secretsmanager:GetSecretValue refused"), "{told:?}");
    assert_eq!(told.facts[&0]["stored_in"], "SSM parameter /pay/key");
}
