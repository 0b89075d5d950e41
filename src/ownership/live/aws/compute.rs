//! Lambda functions and ECS task definitions: what stands in their environment, and what it refers to.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::ask::{items, text};
use super::super::board::Number;
use super::super::tags::accountable;
use super::{AWS, Reader};
use crate::model::{Edge, Owner, Tier};
use crate::ownership::roll::{clean, evidence, owner};

/// Functions, and families of task definitions, that are read.
const MOST: usize = 2000;

impl Reader<'_, '_, '_> {
    /// Every function's environment.
    pub(super) async fn functions(&mut self) {
        let (mut next, mut read) = (String::new(), 0);
        loop {
            let path = format!("/2015-03-31/functions/?MaxItems=50{next}");
            let page = match self.read("lambda", &path, "lambda:ListFunctions").await {
                Ok(page) => page,
                Err(why) => return self.board.miss(AWS, why),
            };
            for function in items(&page, "/Functions") {
                read += 1;
                self.function(function).await;
            }
            let Some(marker) = text(&page, "/NextMarker") else { return };
            if read >= MOST {
                return self.board.miss(AWS, format!("{MOST} functions were read and there are more"));
            }
            next = format!("&Marker={}", escaped(marker));
        }
    }

    async fn function(&mut self, function: &Value) {
        let (Some(arn), Some(name)) = (text(function, "/FunctionArn"), text(function, "/FunctionName")) else { return };
        let mut numbers = BTreeSet::new();
        for (variable, value) in function.pointer("/Environment/Variables").and_then(Value::as_object).into_iter().flatten()
        {
            let Some(value) = value.as_str() else { continue };
            let variable = clean(variable);
            let (own, referred) = (self.board.meets(value), self.referred(value));
            // That it is told the name of a secret makes it likely that it reads it.
            for (met, tier, said) in
                [(own, Tier::Proven, "same value"), (referred, Tier::Inferred, "refers to what holds it")]
            {
                for number in met {
                    let said = format!("env {variable} ({said})");
                    let mut consumer = owner(Edge::Consumer, clean(arn), format!("Lambda function {}", clean(name)), tier);
                    consumer.evidence.push(evidence("aws-lambda-environment", "lambda:ListFunctions", said));
                    if let Some(role) = text(function, "/Role") {
                        let said = format!("runs as {}", clean(role));
                        consumer.evidence.push(evidence("aws-lambda-role", "lambda:ListFunctions", said));
                    }
                    self.board.name(number, consumer);
                    numbers.insert(number);
                }
            }
        }
        if !numbers.is_empty() {
            self.tagged(arn, &numbers).await;
        }
    }

    /// Whom a function's tags declare.
    async fn tagged(&mut self, arn: &str, numbers: &BTreeSet<Number>) {
        match self.read("lambda", &format!("/2017-03-31/tags/{}", escaped(arn)), "lambda:ListTags").await {
            Ok(found) => {
                for (key, value) in found.get("Tags").and_then(Value::as_object).into_iter().flatten() {
                    let declared =
                        value.as_str().and_then(|value| accountable((key, value), ("aws-lambda-tag", &clean(arn))));
                    if let Some(owner) = declared {
                        self.name_all(numbers, &owner);
                    }
                }
            }
            Err(why) => self.board.miss(AWS, why),
        }
    }

    fn name_all(&mut self, numbers: &BTreeSet<Number>, owner: &Owner) {
        for &number in numbers {
            self.board.name(number, owner.clone());
        }
    }

    /// The newest definition of every family.
    pub(super) async fn tasks(&mut self) {
        const LIST: &str = "AmazonEC2ContainerServiceV20141113.ListTaskDefinitionFamilies";
        let (mut next, mut families) = (Value::Null, Vec::new());
        loop {
            let mut body = json!({ "status": "ACTIVE", "maxResults": 100 });
            if !next.is_null() {
                body["nextToken"] = next;
            }
            let page = match self.call("ecs", LIST, &body, "ecs:ListTaskDefinitionFamilies").await {
                Ok(page) => page,
                Err(why) => return self.board.miss(AWS, why),
            };
            families.extend(items(&page, "/families").iter().filter_map(Value::as_str).map(str::to_owned));
            next = page.get("nextToken").cloned().unwrap_or_default();
            if next.is_null() {
                break;
            }
            if families.len() >= MOST {
                self.board.miss(AWS, format!("{MOST} families of task definitions were read and there are more"));
                break;
            }
        }
        for family in &families {
            self.task(family).await;
        }
    }

    async fn task(&mut self, family: &str) {
        const DESCRIBE: &str = "AmazonEC2ContainerServiceV20141113.DescribeTaskDefinition";
        let body = json!({ "taskDefinition": family, "include": ["TAGS"] });
        let found = match self.call("ecs", DESCRIBE, &body, "ecs:DescribeTaskDefinition").await {
            Ok(found) => found,
            Err(why) => return self.board.miss(AWS, why),
        };
        let mut numbers = BTreeSet::new();
        for container in items(&found, "/taskDefinition/containerDefinitions") {
            let name = clean(text(container, "/name").unwrap_or("?"));
            for variable in items(container, "/environment") {
                let met = text(variable, "/value").map(|value| self.board.meets(value)).unwrap_or_default();
                self.task_uses(&found, (&name, variable, "same value"), &met);
                numbers.extend(met);
            }
            for secret in items(container, "/secrets") {
                let met = text(secret, "/valueFrom").map(|from| self.referred(from)).unwrap_or_default();
                self.task_uses(&found, (&name, secret, "from what holds it"), &met);
                numbers.extend(met);
            }
        }
        for tag in items(&found, "/tags") {
            let pair = text(tag, "/key").zip(text(tag, "/value"));
            let declared = pair.and_then(|pair| accountable(pair, ("aws-ecs-tag", &clean(family))));
            if let Some(owner) = declared {
                self.name_all(&numbers, &owner);
            }
        }
    }

    /// A definition is bound to what it names. Whether a task of it runs was not asked.
    fn task_uses(&mut self, found: &Value, (container, variable, said): (&str, &Value, &str), met: &BTreeSet<Number>) {
        let Some(arn) = text(found, "/taskDefinition/taskDefinitionArn").map(clean) else { return };
        let family = clean(text(found, "/taskDefinition/family").unwrap_or("?"));
        // The revision changes with every release.
        let id = format!("{}/{container}", arn.rsplit_once(':').map_or(arn.as_str(), |(arn, _)| arn));
        let name = format!("ECS task definition {family}, container {container}");
        let mut consumer = owner(Edge::Consumer, id, name, Tier::Bound);
        let said = format!("env {} ({said})", clean(text(variable, "/name").unwrap_or("?")));
        consumer.evidence.push(evidence("aws-ecs-environment", arn, said));
        if let Some(role) = text(found, "/taskDefinition/taskRoleArn") {
            consumer.evidence.push(evidence(
                "aws-ecs-task-role",
                "ecs:DescribeTaskDefinition",
                format!("runs as {}", clean(role)),
            ));
        }
        self.name_all(met, &consumer);
    }
}

/// Text that cannot become another piece of a path or a query.
fn escaped(text: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(text, KEPT).to_string()
}
