//! Tells those whom the operator's settings name what was done. A channel that fails is said on standard error and stops nothing:
//! each has a few seconds, and one that fails twice in a row is left alone for a while.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use jiff::Timestamp;
use url::Url;
use zeroize::Zeroizing;

use super::output::say;
use super::settings::Settings;
use crate::config::{Channel, CredentialFrom, Mail, Way};
use crate::model::Notice;
use crate::net::{Header, Letter, Method, Request};
use crate::report;
use crate::secret::Secret;

const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";
const OPSGENIE: &str = "https://api.opsgenie.com/v2/alerts";
/// What one channel may take for one notice.
const PATIENCE: Duration = Duration::from_secs(20);
/// Failures in a row, and how long it is left alone then.
const FAILURES: u32 = 2;
const REST: Duration = Duration::from_mins(5);

/// Tells, and remembers which channels do not answer.
#[derive(Default)]
pub(super) struct Teller(Mutex<BTreeMap<String, (u32, Timestamp)>>);

impl Teller {
    /// Tells every channel that wants to know. Never fails.
    pub(super) async fn tell(&self, notice: &Notice, settings: &Settings) {
        for channel in settings.operator.notify.iter().filter(|channel| notice.kind.is_urgent() || !channel.urgent_only) {
            if self.rests(channel, settings) {
                continue;
            }
            let told = tokio::time::timeout(PATIENCE, one(notice, channel, settings)).await;
            let told = told.unwrap_or_else(|_| Err(anyhow::anyhow!("it took longer than {} s", PATIENCE.as_secs())));
            self.note(channel, told.is_ok(), settings);
            if let Err(error) = told {
                say(&report::clean(&format!("staunch: {} was not told: {error:#}", channel.name)));
            }
        }
    }

    fn rests(&self, channel: &Channel, settings: &Settings) -> bool {
        let book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        book.get(&channel.name).is_some_and(|(failures, until)| *failures >= FAILURES && settings.clock.now() < *until)
    }

    fn note(&self, channel: &Channel, told: bool, settings: &Settings) {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told {
            book.remove(&channel.name);
        } else {
            let entry = book.entry(channel.name.clone()).or_insert((0, Timestamp::MIN));
            *entry = (entry.0 + 1, settings.clock.now().checked_add(REST).unwrap_or(Timestamp::MAX));
        }
    }
}

async fn one(notice: &Notice, channel: &Channel, settings: &Settings) -> anyhow::Result<()> {
    match &channel.way {
        Way::Webhook(from) => post(address(from, settings)?, &serde_json::to_value(notice)?, None, settings).await,
        Way::Slack(from) => post(address(from, settings)?, &report::slack(notice), None, settings).await,
        Way::PagerDuty(from) => {
            let mut event = report::pagerduty(notice);
            event["routing_key"] = text(&secret(from, settings)?)?.into();
            post(service("pagerduty", PAGERDUTY, settings)?, &event, None, settings).await
        }
        Way::Opsgenie(from) => {
            let login = Zeroizing::new(format!("GenieKey {}", text(&secret(from, settings)?)?).into_bytes());
            post(service("opsgenie", OPSGENIE, settings)?, &report::opsgenie(notice), Some(login), settings).await
        }
        Way::Email(mail) => send(notice, mail, settings).await,
    }
}

fn secret(from: &CredentialFrom, settings: &Settings) -> anyhow::Result<Secret> {
    settings.secret(from)?.with_context(|| format!("{from} holds nothing"))
}

fn text(secret: &Secret) -> anyhow::Result<&str> {
    secret.expose_str().context("what is read there is not text")
}

/// The URL of a webhook. It is a credential: no message repeats it.
fn address(from: &CredentialFrom, settings: &Settings) -> anyhow::Result<Url> {
    let url = Url::parse(text(&secret(from, settings)?)?).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.filter(Url::has_host).with_context(|| format!("{from} holds no http or https URL"))
}

/// A service's own address, or the one that the operator names for it (`--endpoint`).
fn service(name: &str, usual: &str, settings: &Settings) -> anyhow::Result<Url> {
    let usual = Url::parse(usual)?;
    let named = settings.net()?.endpoint(name).cloned();
    Ok(named.map_or(usual.clone(), |mut named| {
        named.set_path(usual.path());
        named
    }))
}

/// Posts JSON; tried again a few times where the other end has trouble (as every request of the responder's).
async fn post(
    url: Url,
    body: &serde_json::Value,
    login: Option<Zeroizing<Vec<u8>>>,
    settings: &Settings,
) -> anyhow::Result<()> {
    let net = settings.net_and(vec![url.clone()])?;
    let header = |name: &str, value: Zeroizing<Vec<u8>>| Header { name: name.to_owned(), value };
    let mut headers = vec![header("content-type", Zeroizing::new(b"application/json".to_vec()))];
    headers.extend(login.map(|login| header("authorization", login)));
    let body = Some(Zeroizing::new(serde_json::to_vec(body)?));
    let answer = net.send(&Request { method: Method::Post, url, headers, body }).await?;
    if !(200..300).contains(&answer.status) {
        bail!("it answered {}", answer.status);
    }
    Ok(())
}

async fn send(notice: &Notice, mail: &Mail, settings: &Settings) -> anyhow::Result<()> {
    let password = mail.password.as_ref().map(|from| secret(from, settings)).transpose()?;
    let login = mail.user.as_deref().zip(password.as_ref().map(Secret::expose));
    let text = report::mail(notice, &mail.from, &mail.to);
    let letter = Letter { server: (&mail.host, mail.port), login, from: &mail.from, to: &mail.to, text: &text };
    match settings.net()?.mail(&letter).await? {
        0 => Ok(()),
        refused => bail!("the mail server refused {refused} of its {} addresses; the others were told", mail.to.len()),
    }
}
