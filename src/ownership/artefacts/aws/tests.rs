//! Task definitions and templates as people write them, and what must not be joined in them.

use crate::model::{Owner, Tier};
use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

fn owners(path: &str, text: &str) -> Vec<Owner> {
    tree(&[(path, text)]).resolve(&finding(VALUE))
}

/// A task definition whose container `app` holds that, beside a container that holds nothing.
fn task(fields: &str) -> String {
    format!(
        "{{\"family\": \"api\", \"taskRoleArn\": \"arn:aws:iam::111122223333:role/api\", \"containerDefinitions\": [\n  {{\"name\": \
         \"app\", \"image\": \"x\", {fields}}},\n  {{\"name\": \"side\", \"environment\": []}}\n]}}\n"
    )
}

#[test]
fn a_task_definition_names_its_container() {
    let app = [("ecs:deploy/task.json/api/app", Tier::Bound)];
    for (fields, technique) in [
        (format!("\"environment\": [{{\"name\": \"KEY\", \"value\": \"{VALUE}\"}}]"), "ecs-environment"),
        (format!("\"command\": [\"run\", \"--key={VALUE}\"]"), "ecs-command"),
        (format!("\"logConfiguration\": {{\"options\": {{\"splunk-token\": \"{VALUE}\"}}}}"), "ecs-log-option"),
    ] {
        let all = owners("deploy/task.json", &task(&fields));
        assert_eq!(consumers(&all), app, "{fields}");
        assert_eq!(all[0].evidence[0].technique, technique);
        assert!(all[0].evidence.iter().any(|one| one.technique == "ecs-task-role"));
        let described = format!("{{\"taskDefinition\": {}}}", task(&fields));
        assert_eq!(consumers(&owners("deploy/task.json", &described)), app);
    }
    let nameless = task(&format!("\"command\": [\"{VALUE}\"]")).replace("\"family\": \"api\", ", "");
    assert_eq!(consumers(&owners("t.json", &nameless)), [("ecs:t.json/?/app", Tier::Bound)]);
}

#[test]
fn references_and_other_fields_of_a_task_hold_no_value() {
    for fields in [
        format!("\"secrets\": [{{\"name\": \"KEY\", \"valueFrom\": \"{VALUE}\"}}]"),
        format!("\"image\": \"{VALUE}\""),
        format!("\"environment\": [{{\"name\": \"{VALUE}\", \"value\": \"x\"}}]"),
    ] {
        assert_eq!(owners("task.json", &task(&fields)), [], "{fields}");
    }
    let text = task(&format!("\"command\": [\"{VALUE}\"]"));
    assert_eq!(owners("task.txt", &text), []);
    let same_family = tree(&[("dev/task.json", &text), ("prod/task.json", &text.replace(VALUE, "another-value"))]);
    assert_eq!(consumers(&same_family.resolve(&finding(VALUE))), [("ecs:dev/task.json/api/app", Tier::Bound)]);
}

/// A template whose function `Api` and task `Task` have that value, beside a function that has none.
fn template(parameters: &str, function: &str, container: &str) -> String {
    format!(
        "AWSTemplateFormatVersion: '2010-09-09'\nParameters:\n  Stage: {{Type: String}}\n{parameters}Resources:\n  Api:\n    Type: \
         AWS::Lambda::Function\n    Properties:\n      Role: !GetAtt R.Arn\n      Environment:\n        Variables:\n          A: b\n          \
         KEY: {function}\n  Other:\n    Type: AWS::Lambda::Function\n    Properties: {{Code: {{S3Bucket: !Ref Stage}}}}\n  Task:\n    Type: \
         AWS::ECS::TaskDefinition\n    Properties:\n      ContainerDefinitions:\n        - Name: app\n          Environment:\n            - \
         {{Name: KEY, Value: {container}}}\n"
    )
}

#[test]
fn a_template_names_its_functions_and_containers() {
    let api = ("lambda:t.yaml/Api", Tier::Bound);
    let app = ("ecs:t.yaml/Task/app", Tier::Bound);
    assert_eq!(consumers(&owners("t.yaml", &template("", VALUE, "x"))), [api]);
    assert_eq!(consumers(&owners("t.yaml", &template("", "x", VALUE))), [app]);
    let text = template("", &format!("!Sub 'https://u:{VALUE}@${{Stage}}/'"), "!Ref Stage");
    assert_eq!(consumers(&tree(&[("t.yaml", &text)]).resolve(&finding_in("t.yaml", &text, VALUE))), [api]);
    let joined = template("", &format!("!Join ['', ['key=', {VALUE}]]"), "x");
    assert_eq!(consumers(&owners("t.yaml", &joined)), [api]);
}

#[test]
fn a_parameter_s_default_is_followed_by_its_name() {
    let parameters = format!("  Key: {{Type: String, NoEcho: true, Default: {VALUE}}}\n");
    for reference in ["!Ref Key", "{Ref: Key}"] {
        let all = owners("t.yaml", &template(&parameters, reference, "x"));
        assert_eq!(consumers(&all), [("lambda:t.yaml/Api", Tier::Bound)], "{reference}");
        assert_eq!(all[0].evidence[0].value, "environment KEY from the default of parameter Key (same value)");
    }
    assert_eq!(owners("t.yaml", &template(&parameters, "!Ref Stage", "!Ref Other")), [], "nobody refers to it");
    assert_eq!(owners("t.yaml", &template(&parameters, "Key", "x")), [], "a word, not a reference");
}

#[test]
fn what_a_condition_picks_is_inferred_and_references_are_no_values() {
    let picked = template("", &format!("!If [Prod, {VALUE}, none]"), "x");
    assert_eq!(consumers(&owners("t.yaml", &picked)), [("lambda:t.yaml/Api", Tier::Inferred)]);
    for function in
        [format!("!Ref {VALUE}"), format!("!ImportValue {VALUE}"), format!("!If [P, !Ref {VALUE}, {{Ref: {VALUE}}}]")]
    {
        assert_eq!(owners("t.yaml", &template("", &function, "x")), [], "{function}");
    }
    let maybe = template("", VALUE, "x").replace("  Api:\n", "  Api:\n    Condition: Prod\n");
    assert_eq!(consumers(&owners("t.yaml", &maybe)), [("lambda:t.yaml/Api", Tier::Inferred)]);
    let elsewhere = template("", "x", "x").replace("S3Bucket: !Ref Stage", &format!("S3Bucket: {VALUE}"));
    assert_eq!(owners("t.yaml", &elsewhere), []);
}

#[test]
fn sam_gives_globals_to_every_function_of_its_own() {
    let sam = |own: &str| {
        format!(
            "Transform: AWS::Serverless-2016-10-31\nGlobals: {{Function: {{Environment: {{Variables: {{KEY: {VALUE}}}}}}}}}\nResources:\n  A: \
             {{Type: AWS::Serverless::Function, Properties: {{{own}}}}}\n  B: {{Type: AWS::Lambda::Function, Properties: {{}}}}\n"
        )
    };
    assert_eq!(consumers(&owners("sam/template.yaml", &sam(""))), [("lambda:sam/template.yaml/A", Tier::Bound)]);
    assert_eq!(owners("template.yaml", &sam("Environment: {Variables: {KEY: own}}")), []);
}

#[test]
fn templates_in_json_are_read() {
    let text = format!(
        "{{\"Parameters\": {{\"Key\": {{\"Default\": \"{VALUE}\"}}}}, \"Resources\": {{\"F\": {{\"Type\": \"AWS::Lambda::Function\", \
         \"Properties\": {{\"Environment\": {{\"Variables\": {{\"K\": {{\"Ref\": \"Key\"}}}}}}}}}}}}}}"
    );
    for path in ["cdk.out/S.template.json", "s.template"] {
        assert_eq!(consumers(&owners(path, &text)), [(format!("lambda:{path}/F").as_str(), Tier::Bound)]);
    }
}

#[test]
fn serverless_functions_have_their_own_and_the_provider_s() {
    let text = |all: &str, own: &str, provider: &str| {
        format!(
            "service: s\nprovider:\n  name: {provider}\n  environment: {{KEY: {all}}}\nfunctions:\n  a:\n    environment: {{{own}}}\n  b: {{handler: x}}\n"
        )
    };
    let [a, b] = ["lambda:serverless.yml/a", "lambda:serverless.yml/b"];
    let own = format!("MINE: {VALUE}");
    assert_eq!(consumers(&owners("serverless.yml", &text("x", &own, "aws"))), [(a, Tier::Bound)]);
    assert_eq!(consumers(&owners("serverless.yml", &text(VALUE, "", "aws"))), [(a, Tier::Bound), (b, Tier::Bound)]);
    assert_eq!(consumers(&owners("serverless.yml", &text(VALUE, "KEY: x", "aws"))), [(b, Tier::Bound)]);
    assert_eq!(owners("serverless.yml", &text(VALUE, &own, "google")), []);
    assert_eq!(owners("service.yml", &text(VALUE, &own, "aws")), []);
    let maybe = text(&format!("\"${{env:KEY, '{VALUE}'}}\""), "", "aws");
    let found = tree(&[("serverless.yml", &maybe)]).resolve(&finding_in("serverless.yml", &maybe, VALUE));
    assert_eq!(consumers(&found), [(a, Tier::Inferred), (b, Tier::Inferred)]);
}

#[test]
fn broken_and_hostile_files_are_told() {
    for (path, text) in [
        ("task.json", "{\"containerDefinitions\": ["),
        ("t.yaml", "Resources: {F: {Type: AWS::Lambda::Function\n"),
        ("serverless.yml", "a: [\n"),
    ] {
        let known = tree(&[(path, text)]);
        assert!(known.coverage().troubles[0].why.starts_with("not valid "), "{path} {:?}", known.coverage());
    }
    let (mut all, mut functions) = (String::new(), String::new());
    for n in 0..2000 {
        all += format!("    V{n}: v\n").as_str();
        functions += format!("  f{n}: {{}}\n").as_str();
    }
    let text = format!("provider:\n  name: aws\n  environment:\n{all}functions:\n{functions}");
    assert!(tree(&[("serverless.yml", &text)]).coverage().troubles[0].why.contains("not all of its references"));
}

#[test]
fn references_that_grow_while_they_are_replaced_are_given_up() {
    let other = format!("KEY: {VALUE}\n");
    for (times, named) in [(3, true), (10, false)] {
        // Nothing is left of them at the end; on the way they are `times` to the fourth.
        let refer = |name: &str| format!("${{self:custom.{name}}}").repeat(times);
        let custom = format!("{{a: '{}', b: '{}', c: '{}', d: ''}}", refer("b"), refer("c"), refer("d"));
        let value = format!("\"${{file(./{}secrets.yml):KEY}}\"", refer("a"));
        let text =
            format!("provider: {{name: aws}}\ncustom: {custom}\nfunctions:\n  f:\n    environment:\n      KEY: {value}\n");
        let known = tree(&[("secrets.yml", &other), ("serverless.yml", &text)]);
        let found = known.resolve(&finding(VALUE));
        assert_eq!(!consumers(&found).is_empty(), named, "{times}");
    }
}

#[test]
fn serverless_references_are_followed_by_their_keys() {
    let service = |custom: &str, value: &str| {
        format!(
            "provider: {{name: aws, stage: \"${{opt:stage, 'dev'}}\"}}\ncustom: {custom}\nfunctions:\n  f:\n    environment:\n      KEY: {value}\n  g: {{handler: h}}\n"
        )
    };
    let id = "lambda:a/serverless.yml/f";
    let other = format!("KEY: {VALUE}\nOTHER: x\n");
    for (custom, value, file, tier) in [
        (format!("{{K: {VALUE}}}"), "${self:custom.K}", "-", Some(Tier::Bound)),
        (format!("{{K: '${{self:custom.L}}', L: {VALUE}}}"), "${self:custom.K}", "-", Some(Tier::Bound)),
        (format!("{{K: {VALUE}}}"), "${self:custom.L}", "-", None),
        (format!("{{K: {VALUE}}}"), "${env:K}", "-", None),
        ("{}".to_owned(), "\"${file(./secrets.yml):KEY, ''}\"", "a/secrets.yml", Some(Tier::Inferred)),
        ("{}".to_owned(), "${file(./secrets.yml):OTHER}", "a/secrets.yml", None),
        ("{}".to_owned(), "${file(./secrets.yml):KEY}", "secrets.yml", None),
        ("{}".to_owned(), "${file(./serverless.env.yml):KEY}", "a/serverless.env.yml", Some(Tier::Inferred)),
        (
            "{env: '${file(./${self:provider.stage}.env.yml)}'}".to_owned(),
            "${self:custom.env.KEY}",
            "a/dev.env.yml",
            Some(Tier::Inferred),
        ),
        ("{env: '${file(./${self:provider.stage}.env.yml)}'}".to_owned(), "${self:custom.env.KEY}", "a/prod.env.yml", None),
        ("{K: '${self:custom.K}'}".to_owned(), "${self:custom.K}", "-", None),
    ] {
        let text = service(&custom, value);
        let known = tree(&[(file, &other), ("a/serverless.yml", &text)]);
        let expected: Vec<_> = tier.into_iter().map(|tier| (id, tier)).collect();
        assert_eq!(consumers(&known.resolve(&finding(VALUE))), expected, "{custom} {value} {file}");
    }
}

/// A template whose function `Api` has that value, with those other sections and resources.
fn around(sections: &str, resources: &str, value: &str) -> String {
    format!(
        "{sections}Resources:\n{resources}  Api:\n    Type: AWS::Lambda::Function\n    Properties:\n      Environment:\n        \
         Variables:\n          KEY: {value}\n"
    )
}

#[test]
fn values_are_followed_through_functions_mappings_and_secrets() {
    let parameter = format!("Parameters: {{Key: {{Type: String, Default: {VALUE}}}}}\n");
    let path = format!("Parameters: {{Key: {{Type: 'AWS::SSM::Parameter::Value<String>', Default: {VALUE}}}}}\n");
    let mappings = format!("Mappings: {{Keys: {{dev: {{a: x}}, prod: {{a: {VALUE}, b: y}}}}}}\n");
    let secret = format!("  S: {{Type: AWS::SecretsManager::Secret, Properties: {{SecretString: {VALUE}}}}}\n");
    let stored = format!("  S: {{Type: AWS::SSM::Parameter, Properties: {{Type: String, Value: {VALUE}}}}}\n");
    for (sections, resources, value, tier) in [
        (parameter.as_str(), "", "!Sub 'https://u:${Key}@host'", Some(Tier::Bound)),
        (&parameter, "", "!Sub ['x${K}', {K: !Ref Key}]", Some(Tier::Bound)),
        (&parameter, "", "{'Fn::Sub': 'x${Key}'}", Some(Tier::Bound)),
        (&parameter, "", "!Join ['', ['key=', !Ref Key]]", Some(Tier::Bound)),
        (&parameter, "", "{'Fn::Join': ['', ['key=', {Ref: Key}]]}", Some(Tier::Bound)),
        (&parameter, "", "!If [Key, !Ref Key, x]", Some(Tier::Inferred)),
        (&parameter, "", "!If [Key, x, y]", None),
        (&parameter, "", "!Sub 'x${!Key}'", None),
        (&parameter, "", "!Sub ['x${K}', {K: y, Key: z}]", None),
        (&path, "", "!Ref Key", None),
        (&mappings, "", "!FindInMap [Keys, prod, a]", Some(Tier::Bound)),
        (&mappings, "", "{'Fn::FindInMap': [Keys, !Ref Stage, a]}", Some(Tier::Inferred)),
        (&mappings, "", "!FindInMap [Keys, prod, b]", None),
        (&mappings, "", "!FindInMap [Keys, dev, a]", None),
        ("", &secret, "!Ref S", Some(Tier::Inferred)),
        ("", &secret, "!Sub '{{resolve:secretsmanager:${S}:SecretString:a}}'", Some(Tier::Inferred)),
        ("", &stored, "!GetAtt S.Value", Some(Tier::Inferred)),
        ("", &secret, "!Ref Other", None),
    ] {
        let text = around(sections, resources, value);
        let all = owners("t.yaml", &text);
        let expected: Vec<_> = tier.into_iter().map(|tier| ("lambda:t.yaml/Api", tier)).collect();
        assert_eq!(consumers(&all), expected, "{text}");
        assert!(tree(&[("t.yaml", &text)]).coverage().troubles.is_empty(), "{text}");
    }
}

#[test]
fn a_container_s_secret_that_the_template_makes_is_followed() {
    let text = |from: &str| {
        format!(
            "Resources:\n  S: {{Type: AWS::SecretsManager::Secret, Properties: {{SecretString: '{{\"a\": \"{VALUE}\"}}'}}}}\n  Task:\n    Type: \
             AWS::ECS::TaskDefinition\n    Properties:\n      ContainerDefinitions:\n        - Name: app\n          Secrets: [{{Name: KEY, \
             ValueFrom: {from}}}]\n"
        )
    };
    let app = [("ecs:t.yaml/Task/app", Tier::Bound)];
    for (from, named) in [("!Ref S", true), ("!Sub '${S}:a::'", true), ("!Join ['', [!Ref S, ':a::']]", true), ("S", false)]
    {
        let text = text(from);
        let all = tree(&[("t.yaml", &text)]).resolve(&finding_in("t.yaml", &text, VALUE));
        assert_eq!(consumers(&all), &app[..usize::from(named)], "{from}");
    }
}

#[test]
fn other_resources_that_run_something_are_named() {
    let resource =
        |kind: &str, properties: &str| format!("Resources:\n  X:\n    Type: {kind}\n    Properties: {{{properties}}}\n");
    for (kind, properties, id) in [
        (
            "AWS::CodeBuild::Project",
            format!("Environment: {{EnvironmentVariables: [{{Name: K, Value: {VALUE}}}]}}"),
            Some("codebuild:t.yaml/X"),
        ),
        (
            "AWS::CodeBuild::Project",
            format!("Environment: {{EnvironmentVariables: [{{Name: K, Type: PARAMETER_STORE, Value: {VALUE}}}]}}"),
            None,
        ),
        (
            "AWS::Batch::JobDefinition",
            format!("ContainerProperties: {{Environment: [{{Name: K, Value: {VALUE}}}]}}"),
            Some("batch:t.yaml/X"),
        ),
        (
            "AWS::ElasticBeanstalk::Environment",
            format!("OptionSettings: [{{OptionName: K, Value: {VALUE}}}]"),
            Some("beanstalk:t.yaml/X"),
        ),
        ("AWS::Glue::Job", format!("DefaultArguments: {{--key: {VALUE}}}"), Some("glue:t.yaml/X")),
        (
            "AWS::EC2::Instance",
            format!("UserData: {{'Fn::Base64': !Sub \"#!/bin/sh\\nlogin -p {VALUE}\\n\"}}"),
            Some("ec2:t.yaml/X"),
        ),
        ("AWS::EC2::Instance", format!("Tags: [{{Key: K, Value: {VALUE}}}]"), None),
        ("AWS::S3::Bucket", format!("BucketName: {VALUE}"), None),
    ] {
        let text = resource(kind, &properties);
        let all = tree(&[("t.yaml", &text)]).resolve(&finding_in("t.yaml", &text, VALUE));
        let expected: Vec<_> = id.into_iter().map(|id| (id, Tier::Bound)).collect();
        assert_eq!(consumers(&all), expected, "{text}");
    }
}

#[test]
fn what_a_stack_hands_to_a_nested_one_is_inferred_of_who_takes_it_there() {
    let child = around("Parameters: {Key: {Type: String}, Other: {Type: String}}\n", "", "!Ref Key");
    let parent = |kind: &str, at: &str, parameter: &str| {
        format!(
            "Resources:\n  Web:\n    Type: {kind}\n    Properties: {{{at}, Parameters: {{{parameter}: 'https://h/{VALUE}'}}}}\n"
        )
    };
    let stack = "AWS::CloudFormation::Stack";
    for (kind, at, parameter, file, id) in [
        (stack, "TemplateURL: ./web/t.yaml", "Key", "a/web/t.yaml", Some("lambda:a/web/t.yaml/Api")),
        (stack, "TemplateURL: 'https://s3.amazonaws.com/b/web/t.yaml'", "Key", "web/t.yaml", Some("lambda:web/t.yaml/Api")),
        (
            stack,
            "TemplateURL: 'https://b.s3.amazonaws.com/p/web/t.yaml'",
            "Key",
            "a/web/t.yaml",
            Some("lambda:a/web/t.yaml/Api"),
        ),
        (
            stack,
            "TemplateURL: !Sub 'https://${B}.s3.amazonaws.com/web/t.yaml'",
            "Key",
            "web/t.yaml",
            Some("lambda:web/t.yaml/Api"),
        ),
        ("AWS::Serverless::Application", "Location: ../t.yaml", "Key", "t.yaml", Some("lambda:t.yaml/Api")),
        (stack, "TemplateURL: ./web/t.yaml", "Other", "a/web/t.yaml", None),
        (stack, "TemplateURL: ./web/t.yaml", "Key", "a/other/t.yaml", Some("cloudformation:a/main.yaml/Web")),
    ] {
        let own = parent(kind, at, parameter);
        let known = tree(&[(file, &child), ("a/main.yaml", &own)]);
        let all = known.resolve(&finding_in("a/main.yaml", &own, VALUE));
        let expected: Vec<_> = id.into_iter().map(|id| (id, Tier::Inferred)).collect();
        assert_eq!(consumers(&all), expected, "{at} {file}");
    }
}

#[test]
fn the_file_of_a_handler_and_what_is_packed_with_it_are_its_own() {
    let service = "provider: {name: aws}\npackage: {patterns: ['!**', 'config/**']}\nfunctions:\n  send: {handler: src/send.main}\n  other: {handler: src/other.main}\n";
    let sam =
        "Resources:\n  Send:\n    Type: AWS::Serverless::Function\n    Properties: {CodeUri: fn/, Handler: send.main}\n";
    let (send, other) = ("lambda:a/serverless.yml/send", "lambda:a/serverless.yml/other");
    let text = format!("const key = '{VALUE}'\n");
    for (path, definition, file, ids) in [
        ("a/serverless.yml", service, "a/src/send.js", vec![send]),
        ("a/serverless.yml", service, "a/src/send.spec.js", vec![]),
        ("a/serverless.yml", service, "src/send.js", vec![]),
        ("a/serverless.yml", service, "a/config/prod.yaml", vec![other, send]),
        ("a/serverless.yml", service, "a/docs/prod.yaml", vec![]),
        ("a/template.yaml", sam, "a/fn/send.py", vec!["lambda:a/template.yaml/Send"]),
        ("a/template.yaml", sam, "a/send.py", vec![]),
    ] {
        let owners = tree(&[(path, definition)]).resolve(&finding_in(file, &text, VALUE));
        let expected: Vec<_> = ids.into_iter().map(|id| (id, Tier::Inferred)).collect();
        assert_eq!(consumers(&owners), expected, "{path} {file}");
    }
}

#[test]
fn what_calls_others_or_checks_a_password_is_given_it_too() {
    for (kind, properties, id, tier) in [
        ("AWS::Amplify::App", "{OauthToken: !Ref P}", "amplify:t.yaml/X", Tier::Bound),
        ("AWS::Amplify::App", "{Description: !Ref P}", "", Tier::Bound),
        (
            "AWS::CodePipeline::Pipeline",
            "{Stages: [{Actions: [{Configuration: {OAuthToken: !Ref P}}]}]}",
            "codepipeline:t.yaml/X",
            Tier::Declared,
        ),
        ("AWS::RDS::DBInstance", "{MasterUserPassword: !Ref P}", "rds:t.yaml/X", Tier::Inferred),
        ("AWS::RDS::DBInstance", "{DBName: !Ref P}", "", Tier::Inferred),
        ("AWS::Lambda::Function", "{Code: {ZipFile: !Sub 'x = \"${P}\"'}}", "lambda:t.yaml/X", Tier::Declared),
    ] {
        let text = format!(
            "Parameters: {{P: {{Type: String, Default: {VALUE}}}}}\nResources: {{X: {{Type: '{kind}', Properties: {properties}}}}}\n"
        );
        let expected = [(id, tier)];
        let all = tree(&[("t.yaml", &text)]).resolve(&finding(VALUE));
        assert_eq!(consumers(&all), &expected[..usize::from(!id.is_empty())], "{kind} {properties}");
    }
    let init = format!(
        "Resources:\n  X:\n    Type: AWS::EC2::Instance\n    Metadata: {{'AWS::CloudFormation::Init': {{config: {{files: {{/etc/x: {{content: 'key {VALUE}'}}}}}}}}}}\n    Properties: {{}}\n"
    );
    let all = tree(&[("t.yaml", &init)]).resolve(&finding_in("t.yaml", &init, VALUE));
    assert_eq!(consumers(&all), [("ec2:t.yaml/X", Tier::Declared)]);
}

#[test]
fn what_a_function_asks_its_environment_for_may_stand_in_a_dotenv_file() {
    let env = format!("KEY={VALUE}\n");
    for (plugins, value, named) in [
        ("", "${env:KEY}", true),
        ("", "${env:OTHER}", false),
        ("plugins: [serverless-dotenv-plugin]\n", "x", true),
        ("plugins: [serverless-offline]\n", "x", false),
    ] {
        let text = format!("provider: {{name: aws}}\n{plugins}functions: {{f: {{environment: {{K: '{value}'}}}}}}\n");
        let all = tree(&[("api/serverless.yml", &text), ("api/.env", &env)]).resolve(&finding_in("api/.env", &env, VALUE));
        let expected = [("lambda:api/serverless.yml/f", Tier::Inferred)];
        assert_eq!(consumers(&all), &expected[..usize::from(named)], "{plugins} {value}");
    }
}
