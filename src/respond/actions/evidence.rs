//! `evidence`: what the run did and proved, as an in-toto statement. The run writes it beside its journal.

use std::collections::BTreeMap;

use super::super::evidence::statement;
use super::{Action, Doing, Outcome, World};

pub(super) struct Evidence;

impl Action for Evidence {
    fn name(&self) -> &'static str {
        "evidence"
    }

    fn takes(&self) -> &'static [&'static str] {
        &[]
    }

    fn effect(&self, _with: &BTreeMap<String, String>) -> String {
        "write down what was done and proved, as an in-toto statement".to_owned()
    }

    fn apply<'a>(&'a self, world: &'a World<'_>) -> Doing<'a, Outcome> {
        Box::pin(async move { Outcome::Done(statement(world.plan, world.digest, world.so_far, world.hands.clock.now())) })
    }
}
