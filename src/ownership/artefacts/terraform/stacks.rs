//! Terragrunt: `inputs` of a `terragrunt.hcl` → variables of the module that its `terraform.source` names, or the stack itself where
//! that is not in the tree (terragrunt.gruntwork.io, "Configuration blocks and attributes").

use std::sync::Arc;

use hcl_edit::structure::Body;

use super::super::links::Consumer;
use super::super::{file_name, folder, join};
use super::desk::Desk;
use super::expressions::{key_name, walk};
use super::graph::Graph;
use crate::model::Tier;

/// What the file is called.
pub(super) const NAME: &str = "terragrunt.hcl";

/// Whether a file is Terragrunt's by its name.
pub(super) fn is_one(path: &str) -> bool {
    matches!(file_name(path), NAME | "terragrunt.stack.hcl")
}

impl Desk<'_> {
    /// Reads one stack. Whatever it includes may set the same inputs otherwise: inferred.
    pub(super) fn stack(&self, body: &Body, graph: &mut Graph) {
        for block in body.blocks().filter(|block| block.ident.as_str() == "locals") {
            self.locals(&block.body, graph);
        }
        // What only others include is theirs.
        if !body.blocks().any(|block| matches!(block.ident.as_str(), "terraform" | "include")) {
            return;
        }
        let Some(inputs) = body.get_attribute("inputs") else { return };
        let mut named = body.blocks().filter(|block| block.ident.as_str() == "terraform");
        let source = named.find_map(|block| block.body.get_attribute("source")?.value.as_str());
        // `../modules//api`: the module lies in `api`, the rest is copied with it.
        let local = source.filter(|source| source.starts_with('.')).map(|source| source.replace("//", "/"));
        if let Some((child, all)) =
            local.and_then(|source| join(folder(&self.sheet.path), &source)).zip(inputs.value.as_object())
        {
            let child: Arc<str> = Arc::from(child);
            for (key, value) in all {
                self.argument(&child, &key_name(key), value.expr(), graph);
            }
            return;
        }
        let name = format!("stack {}", self.sheet.path);
        let consumer = Arc::new(Consumer::new(format!("terragrunt:{}", self.sheet.path), name));
        let whole = 0..self.text.len().min(1);
        walk(&inputs.value, "inputs", Tier::Inferred, &mut |way, tier, found| {
            self.used(way, (&consumer, &whole, tier), found, graph);
        });
    }
}
