//! ECS task definitions in JSON, as `aws ecs register-task-definition` takes them and `describe-task-definition` gives
//! them. `secrets[].valueFrom` and `environmentFiles` are references out of the tree.

use super::super::links::{Kind, Links};
use super::super::{Sheet, ends_in, is_showable};
use super::containers::{Spelling, Task};
use super::values::Values;
use crate::model::{Coverage, Tier};

/// What task definitions say.
#[derive(Default)]
pub(in super::super) struct Ecs;

impl Kind for Ecs {
    // ECS takes 64 KiB.
    const LIMIT: usize = 1 << 20;

    fn wants(path: &str) -> bool {
        ends_in(path, &["json"])
    }

    fn concerns(sheet: &Sheet<'_>) -> bool {
        sheet.mentions("\"containerDefinitions\"")
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, coverage: &mut Coverage) {
        sheet.documents(coverage, &mut |root| {
            let view = root.get("taskDefinition").unwrap_or(root);
            let family = view.text_at(&["family"]).filter(|family| is_showable(family)).unwrap_or("?");
            let (id, name) = (format!("ecs:{}/{family}", sheet.path), format!("task {family}"));
            let values = Values { template: None, most: Tier::Bound, script: false };
            Task { sheet, id, name, view, spelling: Spelling::Ecs, values }.read(links);
        });
    }
}
