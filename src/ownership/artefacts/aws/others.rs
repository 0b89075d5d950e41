//! Resources of a template that run something and are neither functions nor containers of ECS, each with the properties that hold values
//! (docs.aws.amazon.com, "CloudFormation template reference").

use std::sync::Arc;

use super::super::links::{Consumer, Link, Links};
use super::super::yaml::View;
use super::super::{Sheet, clean};
use super::values::Values;
use crate::model::Tier;

/// Where values stand.
enum Shape {
    /// A list of a name and a value each.
    Pairs(&'static [&'static str]),
    /// Names and values.
    Map(&'static [&'static str]),
    /// A list of words.
    Words(&'static [&'static str]),
    /// A script.
    Script(&'static [&'static str]),
    /// One value, or all that stand below.
    All(&'static [&'static str]),
}

use Shape::{All, Map, Pairs, Script, Words};

/// Type, what ids of it begin with, and where its values are.
const OTHERS: &[(&str, &str, &[Shape])] = &[
    (
        "AWS::CodeBuild::Project",
        "codebuild",
        &[Pairs(&["Environment", "EnvironmentVariables"]), Script(&["Source", "BuildSpec"])],
    ),
    (
        "AWS::AppRunner::Service",
        "apprunner",
        &[
            Pairs(&["SourceConfiguration", "ImageRepository", "ImageConfiguration", "RuntimeEnvironmentVariables"]),
            Pairs(&[
                "SourceConfiguration",
                "CodeRepository",
                "CodeConfiguration",
                "CodeConfigurationValues",
                "RuntimeEnvironmentVariables",
            ]),
        ],
    ),
    (
        "AWS::Batch::JobDefinition",
        "batch",
        &[Pairs(&["ContainerProperties", "Environment"]), Words(&["ContainerProperties", "Command"])],
    ),
    ("AWS::ElasticBeanstalk::Environment", "beanstalk", &[Pairs(&["OptionSettings"])]),
    (
        "AWS::Amplify::App",
        "amplify",
        &[
            Pairs(&["EnvironmentVariables"]),
            Script(&["BuildSpec"]),
            All(&["OauthToken"]),
            All(&["AccessToken"]),
            All(&["BasicAuthConfig"]),
        ],
    ),
    ("AWS::Amplify::Branch", "amplify", &[Pairs(&["EnvironmentVariables"])]),
    ("AWS::SageMaker::Model", "sagemaker", &[Map(&["PrimaryContainer", "Environment"])]),
    ("AWS::Glue::Job", "glue", &[Map(&["DefaultArguments"])]),
    ("AWS::BedrockAgentCore::Runtime", "agentcore", &[Map(&["EnvironmentVariables"])]),
    ("AWS::CodeBuild::SourceCredential", "codebuild", &[All(&["Token"])]),
    ("AWS::CodePipeline::CustomActionType", "codepipeline", &[All(&["ConfigurationProperties"])]),
    ("AWS::CodePipeline::Pipeline", "codepipeline", &[All(&["Stages"])]),
    ("AWS::CodePipeline::Webhook", "codepipeline", &[All(&["AuthenticationConfiguration"])]),
    ("AWS::CloudFront::Distribution", "cloudfront", &[All(&["DistributionConfig", "Origins"])]),
    ("AWS::Events::Connection", "eventbridge", &[All(&["AuthParameters"])]),
    ("AWS::Synthetics::Canary", "canary", &[Map(&["RunConfig", "EnvironmentVariables"]), Script(&["Code", "Script"])]),
    ("AWS::StepFunctions::StateMachine", "stepfunctions", &[All(&["DefinitionString"]), All(&["Definition"])]),
    ("AWS::Serverless::StateMachine", "stepfunctions", &[All(&["Definition"])]),
    ("AWS::DMS::Endpoint", "dms", &[All(&["Password"])]),
    ("AWS::Glue::Connection", "glue", &[All(&["ConnectionInput", "ConnectionProperties"])]),
    ("AWS::KinesisFirehose::DeliveryStream", "firehose", &[All(&["HttpEndpointDestinationConfiguration"])]),
    ("AWS::Cognito::UserPoolIdentityProvider", "cognito", &[All(&["ProviderDetails"])]),
    ("AWS::SNS::Subscription", "sns", &[All(&["Endpoint"])]),
    ("AWS::EC2::Instance", "ec2", &[Script(&["UserData"])]),
    ("AWS::EC2::LaunchTemplate", "ec2", &[Script(&["LaunchTemplateData", "UserData"])]),
    ("AWS::AutoScaling::LaunchConfiguration", "ec2", &[Script(&["UserData"])]),
];

/// Kinds that run nothing of the tree's, and call others with what they are given.
const CALLS: &[&str] = &["cloudfront", "codepipeline", "cognito", "dms", "eventbridge", "firehose", "sns", "stepfunctions"];

/// Servers that check a password of their own: whoever replaces it must tell them. Inferred, as they are no clients.
const SERVERS: &[(&str, &str, &[&str])] = &[
    ("AWS::AmazonMQ::Broker", "mq", &["Users"]),
    ("AWS::DocDB::DBCluster", "docdb", &["MasterUserPassword"]),
    ("AWS::ElastiCache::ReplicationGroup", "elasticache", &["AuthToken"]),
    ("AWS::RDS::DBCluster", "rds", &["MasterUserPassword"]),
    ("AWS::RDS::DBInstance", "rds", &["MasterUserPassword"]),
    ("AWS::Redshift::Cluster", "redshift", &["MasterUserPassword"]),
];

/// Whether a file holds a resource of such a type.
pub(super) fn concern(sheet: &Sheet<'_>) -> bool {
    OTHERS.iter().any(|(kind, ..)| sheet.mentions(kind)) || SERVERS.iter().any(|(kind, ..)| sheet.mentions(kind))
}

/// Takes in a resource, if it is of such a type.
pub(super) fn read<'t>(
    (sheet, links): (&Sheet<'_>, &mut Links),
    (kind, name): (&str, &str),
    properties: View<'t>,
    values: Values<'t>,
) {
    let server = SERVERS.iter().find(|(own, ..)| *own == kind);
    if let Some((at, (_, word, way))) = server.and_then(|server| Some((properties.at(server.2)?, server))) {
        let consumer = Arc::new(Consumer::new(format!("{word}:{}/{name}", sheet.path), format!("{word} {name}")));
        let what = way.last().copied().unwrap_or_default();
        values.put_below((sheet, &mut *links), at, &Link::new(&consumer, Tier::Inferred, "cloudformation-property", what));
    }
    let Some((_, word, shapes)) = OTHERS.iter().find(|(own, ..)| *own == kind) else { return };
    let consumer = Arc::new(Consumer::new(format!("{word}:{}/{name}", sheet.path), format!("{word} {name}")));
    let most = if CALLS.contains(word) { Tier::Declared } else { Tier::Bound };
    let link = |detail: String| Link::new(&consumer, most, "cloudformation-property", detail);
    for shape in *shapes {
        let (Pairs(way) | Map(way) | Words(way) | Script(way) | All(way)) = shape;
        let Some(at) = properties.at(way) else { continue };
        let what = way.last().copied().unwrap_or_default();
        match shape {
            Pairs(_) => {
                // Of other types the value names a secret.
                let plain = |pair: &View<'_>| pair.text_at(&["Type"]).is_none_or(|kind| kind == "PLAINTEXT");
                for pair in at.items().filter(plain) {
                    let name = pair.text_at(&["Name"]).or_else(|| pair.text_at(&["OptionName"])).unwrap_or("?");
                    if let Some(value) = pair.get("Value") {
                        values.put((sheet, &mut *links), value, &link(format!("{what} {}", clean(name))));
                    }
                }
            }
            Map(_) => {
                for (name, value) in at.entries() {
                    let detail = format!("{what} {}", clean(name.text().unwrap_or("?")));
                    values.put((sheet, &mut *links), value, &link(detail));
                }
            }
            All(_) => values.put_below((sheet, &mut *links), at, &link(what.to_owned())),
            Words(_) => at.items().for_each(|word| values.put((sheet, &mut *links), word, &link(what.to_owned()))),
            Script(_) => Values { script: true, ..values }.put((sheet, &mut *links), at, &link(what.to_owned())),
        }
    }
}

/// What `cfn-init` puts on a machine (docs.aws.amazon.com, "AWS::CloudFormation::Init").
pub(super) fn metadata<'t>(
    (sheet, links): (&Sheet<'_>, &mut Links),
    (kind, name): (&str, &str),
    metadata: View<'t>,
    values: Values<'t>,
) {
    let machine = OTHERS.iter().any(|(own, word, _)| *own == kind && *word == "ec2");
    if let Some(init) = metadata.get("AWS::CloudFormation::Init").filter(|_| machine) {
        let consumer = Arc::new(Consumer::new(format!("ec2:{}/{name}", sheet.path), format!("ec2 {name}")));
        let link = Link::new(&consumer, Tier::Declared, "cloudformation-init", "AWS::CloudFormation::Init");
        Values { script: true, ..values }.put_below((sheet, links), init, &link);
    }
}
