//! The containers of a task definition: ECS's own JSON says `name`, CloudFormation says `Name`.

use std::sync::Arc;

use super::super::links::{Consumer, Link, Links};
use super::super::yaml::View;
use super::super::{Sheet, clean, is_showable};
use super::values::Values;
use crate::model::Tier;

/// How the fields are spelt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    Ecs,
    CloudFormation,
}

/// Fields as ECS spells them.
fn get<'t>(view: View<'t>, field: &str, spelling: Spelling) -> Option<View<'t>> {
    match spelling {
        Spelling::Ecs => view.get(field),
        Spelling::CloudFormation => {
            let mut chars = field.chars();
            let first = chars.next()?.to_ascii_uppercase();
            view.get(&format!("{first}{}", chars.as_str()))
        }
    }
}

/// A task definition.
pub(super) struct Task<'a, 't> {
    pub(super) sheet: &'a Sheet<'a>,
    /// `ecs:PATH/FAMILY`
    pub(super) id: String,
    /// What people call it.
    pub(super) name: String,
    pub(super) view: View<'t>,
    pub(super) spelling: Spelling,
    pub(super) values: Values<'t>,
}

impl<'t> Task<'_, 't> {
    pub(super) fn read(&self, links: &mut Links) {
        for container in self.get(self.view, "containerDefinitions").into_iter().flat_map(View::items) {
            let Some(name) = self.get(container, "name").and_then(View::text).filter(|name| is_showable(name)) else {
                continue;
            };
            let mut consumer = Consumer::new(format!("{}/{name}", self.id), format!("container {name} of {}", self.name));
            for (field, technique) in [("taskRoleArn", "ecs-task-role"), ("taskDefinitionArn", "ecs-task-definition-arn")] {
                if let Some(at) = self.get(self.view, field)
                    && let Some(value) = at.text()
                {
                    consumer.note(technique, &self.sheet.place(at), value);
                }
            }
            self.container(container, &Arc::new(consumer), links);
        }
    }

    fn get(&self, view: View<'t>, field: &str) -> Option<View<'t>> {
        get(view, field, self.spelling)
    }

    fn container(&self, container: View<'t>, consumer: &Arc<Consumer>, links: &mut Links) {
        for variable in self.get(container, "environment").into_iter().flat_map(View::items) {
            let Some(name) = self.get(variable, "name").and_then(View::text) else { continue };
            let Some(value) = self.get(variable, "value") else { continue };
            let link = Link::new(consumer, Tier::Bound, "ecs-environment", format!("environment {}", clean(name)));
            self.values.put((self.sheet, links), value, &link);
        }
        for secret in self.get(container, "secrets").into_iter().flat_map(View::items) {
            let Some(name) = self.get(secret, "name").and_then(View::text) else { continue };
            let Some(from) = self.get(secret, "valueFrom") else { continue };
            let link = Link::new(consumer, Tier::Bound, "ecs-secret", format!("secret {}", clean(name)));
            self.values.put_secret((self.sheet, links), from, &link);
        }
        for field in ["command", "entryPoint"] {
            for argument in self.get(container, field).into_iter().flat_map(View::items) {
                self.values.put((self.sheet, links), argument, &Link::new(consumer, Tier::Bound, "ecs-command", field));
            }
        }
        let logs = self.get(container, "logConfiguration").and_then(|logs| self.get(logs, "options"));
        for (name, value) in logs.map(View::entries).unwrap_or_default() {
            let detail = format!("log option {}", clean(name.text().unwrap_or("?")));
            self.values.put((self.sheet, links), value, &Link::new(consumer, Tier::Bound, "ecs-log-option", detail));
        }
    }
}
