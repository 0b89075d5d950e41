//! State files, version 4: every attribute of every resource in clear, and the resource's full address.
//!
//! Written for files of 100 MB: the resources are told apart without reading into them, and then read one by one, those
//! that are workloads only. A backup tells what was: inferred.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::links::{Consumer, Kind, Link, Links};
use super::super::yaml::{Tree, View};
use super::super::{Sheet, clean};
use super::{Lines, workloads};
use crate::model::{Coverage, Tier};

/// What state files say.
#[derive(Default)]
pub(in super::super) struct TfState;

#[derive(Deserialize)]
struct State<'a> {
    version: u64,
    #[serde(borrow, default)]
    resources: Vec<&'a RawValue>,
}

impl Kind for TfState {
    const LIMIT: usize = 100 << 20;

    fn wants(path: &str) -> bool {
        path.ends_with(".tfstate") || path.ends_with(".tfstate.backup")
    }

    fn read(sheet: &Sheet<'_>, links: &mut Links, coverage: &mut Coverage) {
        let text = match sheet.text() {
            Ok(text) => text,
            Err(why) => return coverage.trouble(&*sheet.path, why),
        };
        let state: State<'_> = match serde_json::from_str(text) {
            Ok(state) => state,
            // serde_json's own words may hold the file's.
            Err(error) => {
                return coverage.trouble(&*sheet.path, format!("not a state file of version 4, by line {}", error.line()));
            }
        };
        if state.version != 4 {
            return coverage.trouble(&*sheet.path, "a state file of another version than 4: its resources are not read");
        }
        let tier = if sheet.path.ends_with(".backup") { Tier::Inferred } else { Tier::Bound };
        let newlines = Lines::new(text);
        for raw in state.resources {
            // The raw value is a piece of the text.
            let start = raw.get().as_ptr().addr() - text.as_ptr().addr();
            let (tree, broken) = Tree::parse_json_at(raw.get(), start as u64, newlines.of(start));
            for resource in tree.roots() {
                read(sheet, resource, tier, links);
            }
            sheet.complain(&tree, broken, "JSON", coverage);
        }
    }
}

fn read(sheet: &Sheet<'_>, resource: View<'_>, tier: Tier, links: &mut Links) {
    let text = |field| resource.text_at(&[field]);
    let (Some("managed"), Some(kind), Some(name)) = (text("mode"), text("type"), text("name")) else { return };
    if !workloads::is_one(kind) {
        return;
    }
    let module = text("module").map(|module| format!("{}.", clean(module))).unwrap_or_default();
    for instance in resource.get("instances").into_iter().flat_map(View::items) {
        let index = text_of_index(instance.get("index_key"));
        let address = format!("{module}{}{index}", clean(&format!("{kind}.{name}")));
        let mut consumer = Consumer::new(format!("terraform:{}/{address}", sheet.path), address);
        for field in ["arn", "id"] {
            if let Some(at) = instance.at(&["attributes", field])
                && let Some(value) = at.text()
            {
                consumer.note("terraform-state-id", &sheet.place(at), value);
                break;
            }
        }
        let consumer = Arc::new(consumer);
        if let Some(attributes) = instance.get("attributes") {
            for (name, value) in attributes.entries() {
                let Some(name) = name.text().filter(|name| !workloads::is_unseen(name)) else { continue };
                value.leaves(&clean(name), &mut |way, leaf| {
                    links.put(sheet, leaf, Link::new(&consumer, tier, "terraform-state", way));
                });
            }
        }
    }
}

/// `[0]` or `["blue"]`, as Terraform writes addresses.
fn text_of_index(index: Option<View<'_>>) -> String {
    let Some(text) = index.and_then(View::text) else { return String::new() };
    let text = clean(text);
    if text.bytes().all(|b| b.is_ascii_digit()) { format!("[{text}]") } else { format!("[\"{text}\"]") }
}
