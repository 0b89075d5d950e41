//! Drafts plans for what was found, several at a time.

use std::collections::BTreeMap;

use tokio::task::JoinSet;

use super::hands::{Matter, Reach, guard, hands, recall as recalling};
use super::respond::Found;
use super::settings::{Settings, block_on_or_interrupt};
use crate::model::{Credential, Finding, Plan};
use crate::respond::{Hands, Playbook, Playbooks, RespondError, draft};

/// Plans that are drafted at a time. Looking is nearly all of it.
const DRAFTS: usize = 4;

/// Drafts plans, several at a time; the answer has the order of what was found.
pub(super) fn drafted(
    matters: Vec<Found>,
    (playbooks, named): (&Playbooks, Option<&str>),
    (reach, settings): (&Reach, &Settings),
) -> anyhow::Result<Vec<(Finding, anyhow::Result<Plan>)>> {
    block_on_or_interrupt(async {
        let mut drafts: BTreeMap<usize, (Finding, anyhow::Result<Plan>)> = BTreeMap::new();
        let mut asking: JoinSet<(usize, Finding, Result<Plan, RespondError>)> = JoinSet::new();
        for (number, (finding, variants)) in matters.into_iter().enumerate() {
            if asking.len() >= DRAFTS
                && let Some(done) = asking.join_next().await
            {
                let (number, finding, plan) = done?;
                drafts.insert(number, (finding, plan.map_err(Into::into)));
            }
            match prepared(&finding, variants, (playbooks, named), (reach, settings)).await {
                Err(error) => drop(drafts.insert(number, (finding, Err(error)))),
                Ok((playbook, hands)) => {
                    let guard = guard(settings);
                    asking.spawn(async move {
                        let plan = draft(&finding, &Playbooks(vec![playbook]), &hands, &guard).await;
                        (number, finding, plan)
                    });
                }
            }
        }
        while let Some(done) = asking.join_next().await {
            let (number, finding, plan) = done?;
            drafts.insert(number, (finding, plan.map_err(Into::into)));
        }
        Ok(drafts.into_values().collect())
    })
}

/// What a finding's plan is drafted with.
async fn prepared(
    finding: &Finding,
    variants: Vec<Credential>,
    (playbooks, named): (&Playbooks, Option<&str>),
    (reach, settings): (&Reach, &Settings),
) -> anyhow::Result<(Playbook, Hands)> {
    let playbook = playbooks.pick(named, &finding.detector)?;
    let recall = recalling(finding.fingerprint, variants);
    let hands = hands(&Matter::of_finding(finding, &playbook), (recall, reach), settings).await?;
    Ok((playbook, hands))
}
