//! What everybody is told when somebody has acted without the approvals that a plan asks for.

use jiff::Timestamp;

use super::{Finding, Notice, NoticeKind, Run};

impl Notice {
    /// About a run in which somebody did; nothing where nobody has.
    pub fn of_broken_glass(run: &Run, finding: Option<&Finding>, at: Timestamp) -> Option<Self> {
        let glass = run.break_glass.as_ref()?;
        let until = glass.until.map(|until| format!(" (that counts until {until})")).unwrap_or_default();
        let line = format!("{} acted without the approvals that the plan asks for: {}{until}", glass.who, glass.reason);
        let next = vec![format!("staunch respond status {}", run.id), format!("staunch respond undo {}", run.id)];
        let notice = Self::of_run(run, finding, at);
        Some(Self { kind: NoticeKind::BrokeGlass, lines: vec![line], next, ..notice })
    }
}
