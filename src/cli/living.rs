//! Asks the running systems that the settings name whose the found credentials are: where their values are kept now, and what uses
//! them. Each is asked by itself; one that cannot be asked is told and leaves the others alone.

use std::sync::Arc;

use anyhow::{Context, anyhow};
use url::Url;

use super::hands::responder;
use super::output::say;
use super::settings::{Settings, block_on_or_interrupt};
use crate::config::{CredentialFrom, Kubernetes};
use crate::model::Coverage;
use crate::net::Net;
use crate::ownership::{
    Board, ClusterCredential, Told, add_owners, ask_anthropic, ask_aws_stores, ask_kubernetes, ask_openai, ask_vault,
    kubeconfig,
};
use crate::report;
use crate::respond;
use crate::scan::Groups;
use crate::secret::{FingerprintKey, Secret};

/// Asks them, or says that it would.
pub(super) fn ask(
    groups: &mut Groups,
    (settings, key): (&Settings, &Arc<FingerprintKey>),
    dry_run: bool,
    coverage: &mut Coverage,
) {
    let systems = &settings.operator.ask;
    if systems.is_empty() || groups.0.is_empty() {
        return;
    }
    if dry_run {
        let all: Vec<&str> = systems.iter().map(String::as_str).collect();
        return say(&format!("staunch: as the reader, for {} findings: {}", groups.0.len(), all.join(", ")));
    }
    let told = block_on_or_interrupt(async {
        let mut board = Board::new(key, groups.0.iter().map(|group| (&group.finding, group.variants.as_slice())));
        let mut failed = Vec::new();
        for system in systems {
            if let Err(error) = one(&mut board, system, settings).await {
                failed.push(format!("{system} was not asked: {error:#}"));
            }
        }
        let mut told = board.finish();
        told.unknown.extend(failed);
        told.date(settings.clock.now());
        Ok(told)
    });
    match told {
        Ok(told) => take(groups, told, coverage),
        Err(error) => {
            coverage.interrupted |= super::ending::was_asked();
            say(&format!("staunch: running systems were not asked whose the keys are: {error:#}"));
        }
    }
}

fn take(groups: &mut Groups, told: Told, coverage: &mut Coverage) {
    told.cover(coverage);
    // Whatever lies in those systems may be called by a found value.
    for why in &told.unknown {
        say(&report::clean(&groups.scrubber().scrub(&format!("staunch: {why}"))));
    }
    for (number, owners) in told.owners {
        add_owners(&mut groups.0[number].finding, owners);
    }
    for (number, facts) in told.facts {
        let facts: Vec<_> = facts.into_iter().map(|(name, value)| (name, groups.scrubber().scrub(&value))).collect();
        groups.0[number].finding.facts.extend(facts);
    }
}

async fn one(board: &mut Board<'_>, system: &str, settings: &Settings) -> anyhow::Result<()> {
    match system {
        "aws" => {
            let net = settings.net()?;
            for account in &settings.operator.accounts {
                let responder = responder(&net, Some(account)).await.with_context(|| format!("account {}", account.id))?;
                ask_aws_stores(board, &net, &responder).await;
            }
        }
        "kubernetes" => {
            let cluster = settings.operator.kubernetes.as_ref().context("there is no [kubernetes] in the settings")?;
            let (net, server, token) = cluster_of(cluster, settings)?;
            ask_kubernetes(board, &net, (&server, &token)).await;
        }
        provider => {
            let (net, credential) = (settings.net()?, credential(provider, settings)?);
            let named = net.endpoint(&respond::endpoint(provider)).map(Url::to_string);
            let usual = |address: &str| named.clone().unwrap_or_else(|| address.to_owned());
            match provider {
                "openai" => ask_openai(board, &net, (&usual("https://api.openai.com"), &credential)).await,
                "anthropic" => ask_anthropic(board, &net, (&usual("https://api.anthropic.com"), &credential)).await,
                _ => {
                    let address = named.as_ref().context("give it an `address` under [[responder.provider]]")?;
                    ask_vault(board, &net, (address, &credential)).await;
                }
            }
        }
    }
    Ok(())
}

/// The credential of the first entry of a provider that has one.
fn credential(provider: &str, settings: &Settings) -> anyhow::Result<Secret> {
    let mut entries = settings.operator.providers.iter().filter(|entry| entry.name == provider);
    let from = entries.find_map(|entry| entry.credential.as_ref()).context("it has no `credential`")?;
    value(from, settings)
}

fn value(from: &CredentialFrom, settings: &Settings) -> anyhow::Result<Secret> {
    settings.secret(from)?.ok_or_else(|| anyhow!("{}", from.unset()))
}

/// The cluster's address, the token for it, and clients that trust its authority.
fn cluster_of(cluster: &Kubernetes, settings: &Settings) -> anyhow::Result<(Net, String, Secret)> {
    if let (Some(server), Some(from)) = (&cluster.server, &cluster.credential) {
        return Ok((settings.net_to("kubernetes", server.clone(), None)?, server.to_string(), value(from, settings)?));
    }
    let path = cluster.kubeconfig.as_deref().context("there is no kubeconfig")?;
    let text = zeroize::Zeroizing::new(std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?);
    let found = kubeconfig(&text, cluster.context.as_deref()).map_err(anyhow::Error::msg)?;
    let server: Url = found.server.parse().with_context(|| format!("{path}: the server is no URL"))?;
    // Paths in it are seen from where it lies (kubernetes.io, "File references").
    let beside = |file: &str| std::path::Path::new(path).parent().map_or_else(|| file.into(), |folder| folder.join(file));
    let authority = match (found.authority, found.authority_file.as_deref().map(beside)) {
        (Some(pem), _) => Some(pem),
        (None, Some(file)) => Some(std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?),
        (None, None) => None,
    };
    let token = match found.credential {
        ClusterCredential::Token(token) => token,
        ClusterCredential::File(file) => {
            value(&CredentialFrom::File(beside(&file).to_string_lossy().into_owned()), settings)?
        }
    };
    Ok((settings.net_to("kubernetes", server.clone(), authority)?, server.to_string(), token))
}
