//! The nouns: what the rooms hand to each other.

mod activity;
mod blob;
mod broken_glass;
mod clock;
mod coverage;
mod credential;
mod danger;
mod detector;
mod drill;
mod finding;
mod liveness;
mod notice;
mod owner;
mod reach;
mod response;
mod spiffe;
mod ssh_host;
mod times;

pub use activity::{Activity, RegionRead, Seen, Stage, StageSeen};
pub use blob::{Blob, Clue, CommitPlace, LayerPlace, Location, Provenance};
pub use clock::{Clock, SystemClock, TestClock};
pub use coverage::{Coverage, Trouble};
pub use credential::{Confidence, Credential, Encoding, Facts, Part, Severity};
pub use danger::{Danger, EXPOSURE, Environment, Exposure, Factor, PUBLIC};
pub use detector::{ActionInfo, AnswerInfo, DetectorInfo, DetectorPart, LivenessInfo, PartPlace, RequestInfo};
pub use drill::{DrillReport, Leg, LegOutcome};
pub use finding::{Columns, Finding, Occurrence, OccurrencePart, PartInfo, Report, Tool};
pub use liveness::{Checked, Identity, Liveness};
pub use notice::{Notice, NoticeKind};
pub use owner::{Attestation, Edge, Evidence, Owner, Tier, Weight, Withdrawal, Workload};
pub use reach::{Power, Reach, Ruling, Way};
pub use response::{
    Approval, ApprovalRule, BrokenGlass, DigestError, Event, EventKind, OnFailure, Plan, PlannedStep, Proved, Run, RunState,
    StepState, StepStatus,
};
pub use spiffe::{SpiffeId, TrustDomain};
pub use ssh_host::{Forge, SshHost};
pub use times::Times;
