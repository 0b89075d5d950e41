//! AWS workloads as they are written down: ECS task definitions, CloudFormation and SAM templates, the Serverless
//! Framework, build files. Ids hold the file's path: the same family or function name in two files may be two workloads.

mod builds;
mod cloudformation;
mod code;
mod containers;
mod ecs;
mod nested;
mod others;
mod parameters;
mod references;
mod serverless;
mod values;

pub(super) use builds::Builds;
pub(super) use cloudformation::CloudFormation;
pub(super) use ecs::Ecs;
pub(super) use serverless::Serverless;

#[cfg(test)]
mod tests;
