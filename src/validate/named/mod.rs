//! Validators that need logic. One file and one line in [`VALIDATORS`] each; detector files name them.

mod amqp;
mod aws_bedrock;
mod aws_sts;
mod azure_storage;
mod connection_string;
mod gcp_service_account;
mod login;
mod mongodb;
mod mysql;
mod postgresql;
mod redis;
#[cfg(test)]
mod scripted;
mod smtp;
mod ssh;

use super::Said;
use crate::model::{Credential, Liveness};
use crate::net::Net;

/// A PostgreSQL server, for whoever administers it.
pub mod sql {
    pub use super::postgresql::{NO_LOGIN, Rows, SqlPlace, SqlSession, SqlTrouble, found, identifier, literal, server};
}

/// A MySQL or MariaDB server, for whoever administers it.
pub mod mysql_admin {
    pub use super::mysql::{
        LOCKED, MySqlPlace, MySqlSession, MySqlTrouble, Rows, SAID_LOCKED, found, literal, native_verifier, nobodys,
    };
}

/// A Redis server, for whoever administers it.
pub mod redis_admin {
    pub use super::redis::{RedisPlace, RedisReply, RedisSession, RedisTrouble, found, password_hash};
}

/// The names that a detector file may use.
pub const VALIDATORS: &[&str] = &[
    "amqp",
    "aws-bedrock",
    "aws-sts",
    "azure-storage",
    "connection-string",
    "gcp-service-account",
    "mongodb",
    "mysql",
    "postgresql",
    "redis",
    "smtp",
    "ssh-key",
];

/// What the answers that a validator gets mean, and when: for people. Empty for one that this version does not have.
pub fn answers(name: &str) -> &'static [(&'static str, &'static str)] {
    match name {
        "amqp" => amqp::ANSWERS,
        "aws-bedrock" => aws_bedrock::ANSWERS,
        "aws-sts" => aws_sts::ANSWERS,
        "azure-storage" => azure_storage::ANSWERS,
        "connection-string" => connection_string::ANSWERS,
        "gcp-service-account" => gcp_service_account::ANSWERS,
        "mongodb" => mongodb::ANSWERS,
        "mysql" => mysql::ANSWERS,
        "postgresql" => postgresql::ANSWERS,
        "redis" => redis::ANSWERS,
        "smtp" => smtp::ANSWERS,
        "ssh-key" => ssh::ANSWERS,
        _ => &[],
    }
}

pub(super) async fn check(net: &Net, name: &str, credential: &Credential) -> Said {
    if name == "ssh-key" {
        return ssh::check(net, credential).await;
    }
    let liveness = liveness(net, name, credential).await;
    // An Unknown may be a server's word or the lack of one; it may be asked again.
    let answered = liveness.is_usable() || matches!(liveness, Liveness::Dead(_));
    Said { liveness, answered }
}

async fn liveness(net: &Net, name: &str, credential: &Credential) -> Liveness {
    match name {
        "amqp" => amqp::check(net, credential).await,
        "aws-bedrock" => aws_bedrock::check(net, credential).await,
        "aws-sts" => aws_sts::check(net, credential).await,
        "azure-storage" => azure_storage::check(net, credential).await,
        "connection-string" => connection_string::check(net, credential).await,
        "gcp-service-account" => gcp_service_account::check(net, credential).await,
        "mongodb" => mongodb::check(net, credential).await,
        "mysql" => mysql::check(net, credential).await,
        "postgresql" => postgresql::check(net, credential).await,
        "redis" => redis::check(net, credential).await,
        "smtp" => smtp::check(net, credential).await,
        other => Liveness::NotChecked(Some(format!("this version has no validator {other:?}"))),
    }
}

/// What a validator would ask, for people.
pub(super) fn would_ask(net: &Net, name: &str, credential: &Credential) -> Result<String, String> {
    match name {
        "aws-bedrock" => Ok(format!("GET {}/foundation-models", aws_bedrock::origin(net, credential)?)),
        "aws-sts" => {
            let all = aws_sts::partitions(net).iter().map(|&partition| format!("POST https://{}/", net.sts_host(partition)));
            Ok(format!("{} (GetCallerIdentity)", all.collect::<Vec<_>>().join(", then ")))
        }
        "azure-storage" => azure_storage::place(net, credential).map(|(_, url)| format!("GET {url}")),
        "gcp-service-account" => Ok(format!("POST {}", gcp_service_account::address(net))),
        "ssh-key" => ssh::would_ask(net, credential),
        protocol => {
            let login = match protocol {
                "connection-string" => connection_string::would_ask(credential),
                "mongodb" => mongodb::prepare(credential).map(|(login, _)| (protocol, login)),
                "smtp" => smtp::prepare(credential).map(|(login, _)| (protocol, login)),
                _ => login::Login::of_url(credential).map(|login| (protocol, login)),
            };
            let (protocol, login) = login.map_err(|said| said.why().unwrap_or("it cannot be asked").to_owned())?;
            // Redis alone knows passwords without users.
            if login.user.is_none() && protocol != "redis" {
                return Err("its user is not written out".to_owned());
            }
            net.check_content_host(&login.host.to_ascii_lowercase(), &[]).map_err(|error| error.to_string())?;
            let port = login.port.map_or_else(String::new, |port| format!(":{port}"));
            Ok(format!("{protocol} login at {}{port}", login.host))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::scripted;
    use crate::detect::{DetectorSet, LivenessCheck};

    #[test]
    fn a_dry_run_says_what_a_real_one_does() {
        let net = scripted::net();
        let said = |parts: &[(&str, &str)]| super::would_ask(&net, "mongodb", &scripted::credential(parts));
        let base = [("password", "pw"), ("user", "shop"), ("host", "127.0.0.1:27018,127.0.0.2:1")];
        assert_eq!(said(&base).as_deref(), Ok("mongodb login at 127.0.0.1:27018"));
        for more in [("scheme", "mongodb+srv"), ("options", "authMechanism=MONGODB-X509")] {
            assert!(said(&[&base[..], &[more]].concat()).is_err(), "{more:?}");
        }
        for protocol in ["amqp", "mongodb", "mysql", "postgresql", "smtp", "redis"] {
            let nobody = scripted::credential(&[("scheme", "smtp"), ("password", "pw"), ("host", "127.0.0.1")]);
            assert_eq!(super::would_ask(&net, protocol, &nobody).is_ok(), protocol == "redis", "{protocol}");
        }
        let file = scripted::url("file", "shop", "pw", 25);
        assert!(super::would_ask(&net, "smtp", &file).is_err());
        let sts = super::would_ask(&net, "aws-sts", &scripted::credential(&[])).expect("asked");
        for host in ["sts.us-east-1.amazonaws.com/", "sts.cn-north-1.amazonaws.com.cn/", "sts.us-gov-west-1.amazonaws.com/"]
        {
            assert!(sts.contains(host), "{sts}");
        }
    }

    #[test]
    fn every_validator_that_a_detector_names_exists_and_is_used() {
        let set = DetectorSet::builtin().expect("built-in detectors");
        let mut used: Vec<&str> = set
            .detectors()
            .filter_map(|detector| match &detector.liveness {
                LivenessCheck::Named(name) => Some(name.as_str()),
                _ => None,
            })
            .collect();
        used.sort_unstable();
        used.dedup();
        assert_eq!(used, super::VALIDATORS);
        assert!(used.iter().all(|name| super::answers(name).iter().any(|(means, _)| *means == "live")), "said to people");
    }
}
