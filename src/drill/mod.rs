//! The whole chain on a sacrificial credential. `demo` tells it on the embedded provider in `sandbox`; `drill` measures each leg
//! there or in an account of the operator's. Both go through the functions that run against AWS; only the endpoint differs.

mod chain;
mod demo;
mod exercise;
mod leak;
mod plant;
mod statement;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{Clock, Tool};
use crate::net::{AwsKey, Net, NetError, Settings};
use crate::respond::{Playbooks, RespondError};
use crate::sandbox::{Sandbox, SandboxError};

pub use demo::{Chapter, demo};
pub use exercise::{Ground, Where, drill, drillable};
pub use plant::{Seed, clear, left_over};
pub use statement::statement;

/// The story could not be told to its end.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// The embedded provider failed.
    #[error("the embedded provider failed: {0}")]
    Sandbox(#[from] SandboxError),
    /// A client could not be built.
    #[error(transparent)]
    Net(#[from] NetError),
    /// Responding failed.
    #[error(transparent)]
    Respond(#[from] RespondError),
    /// The scratch folder failed.
    #[error("the scratch folder failed: {0}")]
    Io(#[from] std::io::Error),
    /// Something that the story needs did not come to pass.
    #[error("{0}")]
    Story(&'static str),
    /// The playbook cannot be drilled.
    #[error("no sacrificial credential can be made for {playbook}; these can be drilled: {drillable}")]
    NoPlant {
        /// The playbook.
        playbook: String,
        /// Those that can.
        drillable: String,
    },
    /// The plan is about something that the drill did not plant.
    #[error("the drill stops here: its plan is about {0}, which it did not plant; nothing was changed")]
    NotOurs(String),
    /// The provider refused something that the drill needs.
    #[error("{0}")]
    Provider(String),
}

/// What the story is told with.
pub struct Stage<'s> {
    /// An empty folder; the caller removes it.
    pub scratch: &'s Path,
    /// Who makes the reports.
    pub tool: Tool,
    /// The playbooks.
    pub playbooks: &'s Playbooks,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How long after the last change a run looks once more. The sandbox needs no time to spread a change.
    pub look_again: Duration,
}

fn settings(sandbox: &Sandbox) -> Result<Settings, NetError> {
    let mut settings = Settings::default();
    // Whatever a playbook may ask: nothing of a drill leaves the machine.
    for name in ["aws", "bedrock", "cloudtrail", "openai", "openai-admin"] {
        let (name, url) = Net::parse_endpoint(&format!("{name}={}", sandbox.url()))?;
        settings.endpoints.insert(name, url);
    }
    Ok(settings)
}

fn admin(sandbox: &Sandbox) -> Result<AwsKey, SandboxError> {
    let key = sandbox.admin()?;
    Ok(AwsKey { id: key.id, secret: key.secret, token: None })
}
