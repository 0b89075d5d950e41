//! Modules and states as people write them, and what must not be joined in them.

use std::sync::Arc;

use super::graph::{Graph, Name, NameKind, User};
use crate::model::{Coverage, Owner, Tier};
use crate::ownership::artefacts::Sheet;
use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, shared_key, tree};

const API: &str = "terraform:infra/aws_lambda_function.api";

fn owners(files: &[(&str, &str)]) -> Vec<Owner> {
    tree(files).resolve(&finding(VALUE))
}

/// A function whose environment has that value, beside resources that have none.
fn module(value: &str) -> String {
    format!(
        "# é\nresource \"aws_lambda_function\" \"api\" {{\n  function_name = \"api\"\n  environment {{\n    variables = {{\n      A   = \"b\"\n      KEY = \
         {value}\n    }}\n  }}\n}}\n\nresource \"aws_lambda_function\" \"other\" {{\n  function_name = \"other\"\n}}\n"
    )
}

#[test]
fn a_text_in_a_workload_names_it() {
    for value in [format!("\"{VALUE}\""), format!("sensitive(\"{VALUE}\")"), format!("(\"{VALUE}\")")] {
        let all = owners(&[("infra/main.tf", &module(&value))]);
        assert_eq!(consumers(&all), [(API, Tier::Bound)], "{value}");
        let first = &all[0].evidence[0];
        assert_eq!(
            (first.technique.as_str(), first.at.as_str(), first.value.as_str()),
            ("terraform-resource", "infra/main.tf:7", "environment.variables.KEY (same value)")
        );
    }
    let text = module(&format!("\"https://u:{VALUE}@${{var.host}}/\""));
    let known = tree(&[("infra/main.tf", &text)]);
    assert_eq!(consumers(&known.resolve(&finding_in("infra/main.tf", &text, VALUE))), [(API, Tier::Bound)]);
    assert_eq!(consumers(&known.resolve(&finding_in("infra/main.tf", &text, "other"))), []);
    let root = owners(&[("main.tf", &module(&format!("\"{VALUE}\"")))]);
    assert_eq!(consumers(&root), [("terraform:aws_lambda_function.api", Tier::Bound)]);
}

#[test]
fn container_definitions_are_read_as_an_expression_and_as_a_document() {
    let json = format!("jsonencode([{{name = \"app\", environment = [{{name = \"K\", value = \"{VALUE}\"}}]}}])");
    let heredoc =
        format!("<<EOF\n[{{\"name\": \"app\", \"environment\": [{{\"name\": \"K\", \"value\": \"{VALUE}\"}}]}}]\nEOF\n");
    for value in [json, heredoc] {
        let text = format!(
            "resource \"aws_ecs_task_definition\" \"t\" {{\n  family = \"t\"\n  container_definitions = {value}\n}}\n"
        );
        let found = tree(&[("t.tf", &text)]).resolve(&finding_in("t.tf", &text, VALUE));
        assert_eq!(consumers(&found), [("terraform:aws_ecs_task_definition.t", Tier::Bound)], "{text}");
    }
}

#[test]
fn defaults_and_locals_are_followed_in_their_folder() {
    let variable = format!("variable \"key\" {{\n  type = string\n  default = \"{VALUE}\"\n}}\n");
    let by_variable = owners(&[("infra/variables.tf", &variable), ("infra/main.tf", &module("var.key"))]);
    assert_eq!(consumers(&by_variable), [(API, Tier::Bound)]);
    assert_eq!(by_variable[0].evidence[1].at, "infra/main.tf:7");
    let techniques: Vec<_> =
        by_variable[0].evidence.iter().map(|one| (one.technique.as_str(), one.value.as_str())).collect();
    assert_eq!(
        techniques,
        [
            ("terraform-variable-default", "var.key (same value)"),
            ("terraform-resource", "environment.variables.KEY from var.key"),
        ]
    );
    let locals = "locals {\n  wrapped = \"key=${var.key}\"\n}\n";
    let through = [("infra/v.tf", variable.as_str()), ("infra/l.tf", locals), ("infra/main.tf", &module("local.wrapped"))];
    assert_eq!(consumers(&owners(&through)), [(API, Tier::Bound)]);
    for (at, value) in
        [("other/v.tf", "var.key"), ("infra/v.tf", "var.keys"), ("infra/v.tf", "local.key"), ("infra/v.tf", "\"var.key\"")]
    {
        assert_eq!(owners(&[(at, &variable), ("infra/main.tf", &module(value))]), [], "{at} {value}");
    }
}

#[test]
fn a_default_that_something_overrides_is_not_bound() {
    let variable = format!("variable \"key\" {{\n  default = \"{VALUE}\"\n}}\n");
    let main = module("var.key");
    let base = [("infra/v.tf", variable.as_str()), ("infra/main.tf", main.as_str())];
    let with = |path, text| owners(&[base[0], base[1], (path, text)]);
    assert_eq!(with("infra/terraform.tfvars", "key = \"another-value\"\n"), []);
    assert_eq!(consumers(&with("infra/prod.tfvars", "key = \"another-value\"\n")), [(API, Tier::Bound)], "if it is named");
    let call = "module \"api\" {\n  source = \"./infra\"\n  key = \"another-value\"\n}\n";
    assert_eq!(consumers(&with("main.tf", call)), [(API, Tier::Inferred)]);
    let dotted = [("./infra/v.tf", variable.as_str()), ("./infra/main.tf", main.as_str()), ("./main.tf", call)];
    assert_eq!(consumers(&owners(&dotted)), [(API, Tier::Inferred)], "below `./`");
    let unset = "variable \"key\" {}\n";
    let given = format!("key = \"{VALUE}\"\n");
    for (path, tier) in [
        ("infra/terraform.tfvars", Tier::Bound),
        ("infra/x.auto.tfvars", Tier::Bound),
        ("infra/prod.tfvars", Tier::Inferred),
    ] {
        assert_eq!(consumers(&owners(&[("infra/v.tf", unset), base[1], (path, &given)])), [(API, tier)], "{path}");
    }
    let twice = [
        ("infra/v.tf", unset),
        base[1],
        ("infra/terraform.tfvars", given.as_str()),
        ("infra/z.auto.tfvars", "key = \"x\"\n"),
    ];
    assert_eq!(consumers(&owners(&twice)), [(API, Tier::Inferred)]);
}

#[test]
fn what_is_picked_is_inferred_and_what_is_no_workload_is_nothing() {
    for value in [
        format!("var.x ? \"{VALUE}\" : \"\""),
        format!("lookup(var.m, \"k\", \"{VALUE}\")"),
        format!("coalesce(var.x, \"{VALUE}\")"),
    ] {
        assert_eq!(consumers(&owners(&[("infra/main.tf", &module(&value))])), [(API, Tier::Inferred)], "{value}");
    }
    for text in [
        format!("resource \"aws_secretsmanager_secret_version\" \"s\" {{\n  secret_string = \"{VALUE}\"\n}}\n"),
        format!("resource \"aws_instance\" \"i\" {{\n  connection {{\n    password = \"{VALUE}\"\n  }}\n}}\n"),
        format!("resource \"aws_instance\" \"i\" {{\n  tags = {{\n    k = \"{VALUE}\"\n  }}\n}}\n"),
        format!("# {VALUE}\n{}", module("\"x\"")),
    ] {
        assert_eq!(owners(&[("infra/main.tf", &text)]), [], "{text}");
    }
}

#[test]
fn only_the_last_map_of_a_merge_is_bound() {
    for (value, tier) in [
        (format!("merge({{A = \"x\"}}, {{K = \"{VALUE}\"}})"), Tier::Bound),
        (format!("merge({{K = \"{VALUE}\"}})"), Tier::Bound),
        (format!("merge({{K = \"{VALUE}\"}}, {{K = data.x.value}})"), Tier::Inferred),
        (format!("merge({{K = \"{VALUE}\"}}, var.more)"), Tier::Inferred),
        (format!("merge([{{K = \"{VALUE}\"}}, {{K = data.x.value}}]...)"), Tier::Inferred),
        (format!("jsonencode(merge({{K = \"{VALUE}\"}}, {{K = data.x.value}}))"), Tier::Inferred),
    ] {
        assert_eq!(consumers(&owners(&[("infra/main.tf", &module(&value))])), [(API, tier)], "{value}");
    }
    let names = format!("locals {{\n  leaked = \"{VALUE}\"\n  safe = data.x.value\n}}\n");
    for (value, tier) in [
        ("merge({K = local.leaked}, {K = local.safe})", Tier::Inferred),
        ("merge({K = local.safe}, {K = local.leaked})", Tier::Bound),
    ] {
        let files = [("infra/l.tf", names.as_str()), ("infra/main.tf", &module(value))];
        assert_eq!(consumers(&owners(&files)), [(API, tier)], "{value}");
    }
}

#[test]
fn a_resource_that_is_counted_out_is_not_bound() {
    let text = module(&format!("\"{VALUE}\"")).replace("  function_name = \"api\"", "  count = 0");
    assert_eq!(consumers(&owners(&[("infra/main.tf", &text)])), [(API, Tier::Inferred)]);
}

#[test]
fn locals_in_a_circle_end() {
    let text = format!("locals {{\n  a = \"${{local.b}}{VALUE}\"\n  b = local.a\n}}\n{}", module("local.b"));
    let found = tree(&[("infra/main.tf", &text)]).resolve(&finding_in("infra/main.tf", &text, VALUE));
    assert_eq!(consumers(&found), [(API, Tier::Bound)]);
}

#[test]
fn a_long_chain_of_locals_that_fans_out_takes_no_memory_to_speak_of() {
    const MANY: usize = 3000;
    let mut locals = vec![format!("locals {{\n  c0 = \"{VALUE}\"\n")];
    locals.extend((1..MANY).map(|index| format!("  c{index} = local.c{}\n", index - 1)));
    locals.extend((0..MANY).map(|index| format!("  f{index} = local.c{}\n", MANY - 1)));
    locals.push("}\n".to_owned());
    let locals = locals.concat();
    let main = module(&format!("local.f{}", MANY - 1));
    let known = tree(&[("infra/l.tf", &locals), ("infra/main.tf", &main)]);
    let all = known.resolve(&finding(VALUE));
    assert_eq!(consumers(&all), [(API, Tier::Bound)]);
    let (first, last) = (all[0].evidence.first().expect("some"), all[0].evidence.last().expect("some"));
    assert_eq!((first.technique.as_str(), first.value.as_str()), ("terraform-local", "local.c0 (same value)"));
    assert_eq!(last.technique, "terraform-resource", "where it ends is told, however long the way");
    assert_eq!(last.value, format!("environment.variables.KEY from local.f{}", MANY - 1));
}

fn state(module: &str, index: &str, kind: &str) -> String {
    format!(
        "{{\n  \"version\": 4,\n  \"terraform_version\": \"1.9.0\",\n  \"outputs\": {{\"k\": {{\"value\": \"{VALUE}\"}}}},\n  \"resources\": [\n    \
         {{\"mode\": \"data\", \"type\": \"{kind}\", \"name\": \"d\", \"instances\": [{{\"attributes\": {{\"k\": \"{VALUE}\"}}}}]}},\n    {{\n      \
         {module}\"mode\": \"managed\",\n      \"type\": \"{kind}\",\n      \"name\": \"api\",\n      \"instances\": [{{{index}\"attributes\": \
         {{\"arn\": \"arn:aws:lambda:eu-west-1:111122223333:function:api\",\n        \"environment\": [{{\"variables\": {{\"KEY\": \"{VALUE}\"}}}}]}}}}]\n    }}\n  ]\n}}\n"
    )
}

#[test]
fn states_name_the_resource_by_its_full_address() {
    for (module, index, address) in [
        ("", "", "aws_lambda_function.api"),
        ("\"module\": \"module.a\", ", "\"index_key\": 0, ", "module.a.aws_lambda_function.api[0]"),
        ("", "\"index_key\": \"blue\", ", "aws_lambda_function.api[\"blue\"]"),
    ] {
        let text = state(module, index, "aws_lambda_function");
        let id = format!("terraform:x/terraform.tfstate/{address}");
        let all = owners(&[("x/terraform.tfstate", &text)]);
        assert_eq!(consumers(&all), [(id.as_str(), Tier::Bound)]);
        let (line, _) = text.lines().enumerate().find(|(_, line)| line.contains("\"KEY\"")).expect("there");
        let expected = format!("x/terraform.tfstate:{}", line + 1);
        assert_eq!(
            (all[0].evidence[0].at.as_str(), all[0].evidence[0].value.as_str()),
            (expected.as_str(), "environment[0].variables.KEY (same value)")
        );
        assert!(all[0].evidence.iter().any(|one| one.technique == "terraform-state-id" && one.value.starts_with("arn:")));
        let known = tree(&[("x/terraform.tfstate", &text)]);
        let last = text.rfind(VALUE).expect("there");
        let by_place = crate::ownership::artefacts::testing::finding_at("x/terraform.tfstate", last..last + VALUE.len());
        assert_eq!(consumers(&known.resolve(&by_place)), [(id.as_str(), Tier::Bound)]);
    }
    assert_eq!(owners(&[("terraform.tfstate", &state("", "", "aws_iam_access_key"))]), []);
    let backup = owners(&[("terraform.tfstate.backup", &state("", "", "aws_lambda_function"))]);
    assert_eq!(backup[0].tier, Tier::Inferred, "what was, not what is");
}

#[test]
fn broken_and_hostile_files_are_told() {
    for (path, text, why) in [
        ("a.tf", "resource \"x\" {\n".to_owned(), "not valid HCL at line "),
        ("a.tf", format!("x = {}", "[".repeat(100_000)), "not valid HCL at line "),
        ("a.tf", format!("x = {}", "!".repeat(100_000)), "not valid HCL at line "),
        ("a.tf", "a {\n".repeat(50_000), "not valid HCL at line "),
        ("a.tfstate", "{\"version\": 4, \"resources\": [".to_owned(), "not a state file of version 4"),
        ("a.tfstate", "{\"version\": 3}".to_owned(), "a state file of another version"),
        (
            "a.tfstate",
            format!("{{\"version\": 4, \"resources\": [{}", "[".repeat(1_000_000)),
            "not a state file of version 4",
        ),
    ] {
        let known = tree(&[(path, &text)]);
        let troubles = &known.coverage().troubles;
        assert!(troubles.first().is_some_and(|one| one.why.starts_with(why)), "{path} {text:.40} {troubles:?}");
    }
}

#[test]
fn nesting_as_deep_as_is_read_does_not_take_for_ever() {
    // A test that takes for ever is killed.
    for (open, close) in
        [("[", "]"), ("{a=", "}"), ("(", ")"), ("f(", ")"), ("\"${", "}\""), ("[for x in ", ": x]"), ("-", "")]
    {
        let text = format!("x = {}1{}\n", open.repeat(30), close.repeat(30));
        tree(&[("a.tf", &text)]);
    }
}

/// A function that is given that, beside whatever else.
fn given(value: &str, more: &str) -> String {
    format!("{}{more}", module(value))
}

#[test]
fn loops_and_functions_hand_on_what_may_be_meant() {
    let locals = format!(
        "locals {{\n  env = {{ KEY = \"{VALUE}\" }}\n  doc = jsonencode([for k, v in local.env : {{ name = k, value = v }}])\n}}\n"
    );
    for value in [
        "[for k, v in local.env : v]",
        "{for k, v in local.env : k => v if k != \"x\"}",
        "jsondecode(local.doc)[0].value",
        "local.doc",
        "merge(local.env, {})[\"KEY\"]",
        "\"%{ if true }${local.doc}%{ endif }\"",
        "\"%{ for v in local.env }${v}%{ endfor }\"",
    ] {
        assert_eq!(
            consumers(&owners(&[("infra/l.tf", &locals), ("infra/main.tf", &module(value))])),
            [(API, Tier::Inferred)],
            "{value}"
        );
    }
    for value in [
        "length(local.doc)",
        "sha256(local.doc)",
        "keys(local.env)",
        "[for k, v in var.env : v]",
        "length([for v in local.env : v])",
    ] {
        assert_eq!(owners(&[("infra/l.tf", &locals), ("infra/main.tf", &module(value))]), [], "{value}");
    }
    let through = "module \"api\" {\n  source = \"./infra\"\n  env = [for k, v in local.env : { name = k, value = v }]\n}\n";
    let main = given("local.all", "variable \"env\" {}\nlocals {\n  all = jsonencode(var.env)\n}\n");
    let files = [("main.tf", through), ("l.tf", locals.as_str()), ("infra/main.tf", main.as_str())];
    assert_eq!(consumers(&owners(&files)), [(API, Tier::Inferred)]);
}

#[test]
fn what_holds_a_value_is_followed_to_what_refers_to_it() {
    let parameter = format!("resource \"aws_ssm_parameter\" \"k\" {{\n  name = \"/prod/key\"\n  value = \"{VALUE}\"\n}}\n");
    let version = format!(
        "resource \"aws_secretsmanager_secret\" \"s\" {{\n  name = \"prod\"\n}}\nresource \"aws_secretsmanager_secret_version\" \"v\" {{\n  \
         secret_id = aws_secretsmanager_secret.s.id\n  secret_string = \"{VALUE}\"\n}}\n"
    );
    let read = "data \"aws_secretsmanager_secret_version\" \"d\" {\n  secret_id = aws_secretsmanager_secret.s.id\n}\n";
    let loose = parameter.replace("  value", "  lifecycle {\n    ignore_changes = [value]\n  }\n  value");
    let twice = format!(
        "{version}{}",
        version.split_once("}\n").expect("two").1.replace("\"v\"", "\"w\"").replace(VALUE, "another")
    );
    let by_name = "data \"aws_ssm_parameter\" \"d\" {\n  name = \"/prod/key\"\n}\n";
    for (holder, more, value, tier) in [
        (&parameter, "", "aws_ssm_parameter.k.value", Some(Tier::Bound)),
        (&parameter, "", "aws_ssm_parameter.k.arn", Some(Tier::Declared)),
        (&parameter, "", "[{name = \"K\", valueFrom = aws_ssm_parameter.k.arn}]", Some(Tier::Declared)),
        (
            &parameter,
            "",
            "[{name = \"K\", valueFrom = \"arn:aws:ssm:eu-west-1:1:parameter/prod/key\"}]",
            Some(Tier::Inferred),
        ),
        (&parameter, "", "aws_ssm_parameter.other.value", None),
        (&parameter, "", "\"aws_ssm_parameter.k.value\"", None),
        (&parameter, by_name, "data.aws_ssm_parameter.d.value", Some(Tier::Inferred)),
        (&parameter, by_name, "data.aws_ssm_parameter.e.value", None),
        (&loose, "", "aws_ssm_parameter.k.value", Some(Tier::Inferred)),
        (&version, "", "aws_secretsmanager_secret_version.v.secret_string", Some(Tier::Bound)),
        (&version, read, "data.aws_secretsmanager_secret_version.d.secret_string", Some(Tier::Declared)),
        (&version, read, "jsondecode(data.aws_secretsmanager_secret_version.d.secret_string).k", Some(Tier::Inferred)),
        (&version, "", "[{valueFrom = aws_secretsmanager_secret.s.arn}]", Some(Tier::Declared)),
        (&version, "", "[{valueFrom = \"${aws_secretsmanager_secret.s.arn}:k::\"}]", Some(Tier::Inferred)),
        (&version, "", "aws_secretsmanager_secret.s.arn", Some(Tier::Declared)),
        (&version, "", "aws_secretsmanager_secret.t.arn", None),
        (&twice, "", "[{valueFrom = aws_secretsmanager_secret.s.arn}]", Some(Tier::Inferred)),
    ] {
        let expected: Vec<_> = tier.map(|tier| (API, tier)).into_iter().collect();
        let main = given(value, more);
        assert_eq!(consumers(&owners(&[("infra/h.tf", holder), ("infra/main.tf", &main)])), expected, "{value} {holder}");
        assert_eq!(consumers(&owners(&[("infra/h.tf", &format!("# {VALUE}\n")), ("infra/main.tf", &main)])), [], "{value}");
    }
    let depends = module("\"x\"").replace("  function_name = \"api\"", "  depends_on = [aws_ssm_parameter.k]");
    assert_eq!(owners(&[("infra/h.tf", &parameter), ("infra/main.tf", &depends)]), [], "order is no use");
}

#[test]
fn outputs_reach_whoever_calls_the_module() {
    let child = format!("output \"key\" {{\n  value = local.k\n}}\nlocals {{\n  k = \"{VALUE}\"\n}}\n");
    let call = "module \"db\" {\n  source = \"../db\"\n}\n";
    for (value, tier) in [("module.db.key", Some(Tier::Bound)), ("module.db.other", None), ("module.other.key", None)] {
        let main = given(value, call);
        let expected: Vec<_> = tier.map(|tier| (API, tier)).into_iter().collect();
        assert_eq!(consumers(&owners(&[("db/o.tf", &child), ("infra/main.tf", &main)])), expected, "{value}");
    }
    assert_eq!(owners(&[("other/o.tf", &child), ("infra/main.tf", &given("module.db.key", call))]), []);
}

#[test]
fn a_module_that_is_not_in_the_tree_is_named_and_no_more() {
    let call = format!(
        "module \"api\" {{\n  source = \"terraform-aws-modules/lambda/aws\"\n  environment_variables = {{ K = \"{VALUE}\" }}\n}}\n"
    );
    assert_eq!(consumers(&owners(&[("infra/main.tf", &call)])), [("terraform:infra/module.api", Tier::Inferred)]);
    let stack = format!("terraform {{\n  source = \"tfr:///x/y\"\n}}\ninputs = {{\n  key = \"{VALUE}\"\n}}\n");
    assert_eq!(consumers(&owners(&[("live/terragrunt.hcl", &stack)])), [("terragrunt:live/terragrunt.hcl", Tier::Inferred)]);
    let local = stack.replace("tfr:///x/y", "..//infra");
    let main = given("var.key", "variable \"key\" {}\n");
    assert_eq!(consumers(&owners(&[("live/terragrunt.hcl", &local), ("infra/main.tf", &main)])), [(API, Tier::Inferred)]);
}

#[test]
fn files_that_are_taken_in_are_inferred() {
    let env = format!("K={VALUE}\n");
    for (value, path, named) in [
        ("templatefile(\"${path.module}/user_data.sh\", {})", "infra/user_data.sh", true),
        ("file(\"./user_data.sh\")", "infra/user_data.sh", true),
        ("base64encode(file(\"${path.module}/../user_data.sh\"))", "user_data.sh", true),
        ("local.script", "infra/user_data.sh", true),
        ("filesha256(\"user_data.sh\")", "infra/user_data.sh", false),
        ("file(\"${path.root}/user_data.sh\")", "infra/user_data.sh", true),
        ("file(\"/user_data.sh\")", "user_data.sh", false),
    ] {
        let main = given(value, "locals {\n  script = file(\"user_data.sh\")\n}\n");
        let all = tree(&[("infra/main.tf", &main)]).resolve(&finding_in(path, &env, VALUE));
        assert_eq!(consumers(&all), &[(API, Tier::Inferred)][..usize::from(named)], "{value}");
    }
    let main = given("file(\"${path.root}/user_data.sh\")", "");
    let all = tree(&[("infra/modules/api/main.tf", &main)]).resolve(&finding_in("infra/user_data.sh", &env, VALUE));
    assert_eq!(consumers(&all), [("terraform:infra/modules/api/aws_lambda_function.api", Tier::Inferred)]);
    let json = format!("{{\"key\": \"{VALUE}\"}}");
    for (path, tier) in [("infra/terraform.tfvars.json", Tier::Bound), ("infra/prod.tfvars.json", Tier::Inferred)] {
        let files = [("infra/main.tf", module("var.key")), (path, json.clone())];
        let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        assert_eq!(consumers(&owners(&files)), [(API, tier)], "{path}");
    }
}

#[test]
fn what_one_file_may_add_is_bounded_and_told() {
    // By hand: a file of so many names takes a minute to parse without optimisation.
    let name = |name: &str| -> Name { (Arc::from("infra"), NameKind::Local, Arc::from(name)) };
    let mut graph = Graph::default();
    graph.allowance.begin();
    let sheet = Sheet { path: Arc::from("infra/a.tf"), bytes: b"", key: &shared_key(), root: "" };
    for (added, told) in [(100_000, false), (1, true)] {
        for _ in 0..added {
            graph.use_name(name("a"), User::Name { name: name("b"), tier: Tier::Bound, way: String::new() });
        }
        let mut coverage = Coverage::default();
        graph.allowance.complain(&sheet, &mut coverage);
        assert_eq!(coverage.troubles.iter().any(|one| one.why.contains("more than 100000 values")), told);
    }
}

#[test]
fn what_a_resource_is_given_is_followed_to_what_refers_to_it() {
    let user = format!("resource \"google_sql_user\" \"u\" {{\n  name     = \"x\"\n  password = \"{VALUE}\"\n}}\n");
    let own = ("terraform:infra/google_sql_user.u", Tier::Inferred);
    for (value, expected) in [
        ("google_sql_user.u.password", &[(API, Tier::Bound), own][..]),
        ("google_sql_user.u[0].password", &[(API, Tier::Inferred), own]),
        ("google_sql_user.u.name", &[own]),
        ("google_sql_user.other.password", &[own]),
    ] {
        let main = given(value, "");
        assert_eq!(consumers(&owners(&[("infra/u.tf", &user), ("infra/main.tf", &main)])), expected, "{value}");
    }
}

#[test]
fn what_is_packed_into_an_archive_is_in_the_function() {
    let code = format!("locals {{\n  code = templatefile(\"x.tpl\", {{ key = \"{VALUE}\" }})\n}}\n");
    let written = code + "data \"archive_file\" \"z\" {\n  source {\n    content = local.code\n  }\n}\n";
    for value in ["data.archive_file.z.output_path", "substr(data.archive_file.z.output_path, 1, -1)"] {
        let found = owners(&[("infra/z.tf", &written), ("infra/main.tf", &given(value, ""))]);
        assert_eq!(consumers(&found), [(API, Tier::Inferred)], "{value}");
    }
    let packed = "data \"archive_file\" \"z\" {\n  source_dir = \"${path.module}/src\"\n}\n";
    let main = given("data.archive_file.z.output_path", packed);
    let text = format!("key = {VALUE}\n");
    for (path, named) in
        [("infra/src/a.py", true), ("infra/src/conf.json", true), ("infra/src/README.md", false), ("src/a.py", false)]
    {
        let all = tree(&[("infra/main.tf", &main)]).resolve(&finding_in(path, &text, VALUE));
        assert_eq!(consumers(&all), &[(API, Tier::Inferred)][..usize::from(named)], "{path}");
    }
}

#[test]
fn variables_that_are_named_by_hand_reach_the_module_that_is_near() {
    let main = given("var.key", "variable \"key\" {}\n");
    let value = format!("key = \"{VALUE}\"\n");
    for (path, named) in [
        ("infra/environments/prod.tfvars", true),
        ("environments/prod.tfvars", true),
        ("other/far/away/prod.tfvars", true),
        ("infra/environments/prod.txt", false),
    ] {
        let found = owners(&[("infra/main.tf", &main), (path, &value)]);
        assert_eq!(consumers(&found), &[(API, Tier::Inferred)][..usize::from(named)], "{path}");
    }
    let other = value.replace("key =", "other =");
    assert_eq!(owners(&[("infra/main.tf", &main), ("infra/environments/prod.tfvars", &other)]), []);
}

#[test]
fn what_goes_through_a_module_from_elsewhere_or_each_is_inferred() {
    let call = format!("module \"c\" {{\n  source = \"a/b/c\"\n  env    = {{ K = \"{VALUE}\" }}\n}}\n");
    let found = owners(&[("infra/main.tf", &given("module.c.json", &call))]);
    assert_eq!(consumers(&found), [(API, Tier::Inferred), ("terraform:infra/module.c", Tier::Inferred)]);
    let each = format!(
        "module \"f\" {{\n  source   = \"./infra\"\n  for_each = {{ a = {{ key = \"{VALUE}\" }} }}\n  key      = each.value.key\n}}\n"
    );
    let main = given("var.key", "variable \"key\" {}\n");
    assert_eq!(consumers(&owners(&[("main.tf", &each), ("infra/main.tf", &main)])), [(API, Tier::Inferred)]);
}

#[test]
fn a_secret_that_two_modules_hand_on_is_the_resource_s_by_the_attribute_s_name() {
    let root = format!(
        "variable \"guest\" {{\n  default = \"{VALUE}\"\n}}\nmodule \"net\" {{\n  source = \"./net\"\n  guest = var.guest\n}}\n"
    );
    let net = "variable \"guest\" {}\nmodule \"wifi\" {\n  source = \"../wifi\"\n  key = var.guest\n}\n";
    for (attribute, named) in [("passphrase", true), ("api_token", true), ("ssid", false), ("token_ttl", false)] {
        let wifi = format!("variable \"key\" {{}}\nresource \"unifi_wlan\" \"guest\" {{\n  {attribute} = var.key\n}}\n");
        let all = owners(&[("main.tf", &root), ("net/main.tf", net), ("wifi/main.tf", &wifi)]);
        let expected = [("terraform:wifi/unifi_wlan.guest", Tier::Inferred)];
        assert_eq!(consumers(&all), &expected[..usize::from(named)], "{attribute}");
    }
}

#[test]
fn providers_and_modules_that_are_fetched_first_are_given_their_arguments() {
    let provider = format!("provider \"hub\" {{\n  api_token = \"{VALUE}\"\n}}\n");
    assert_eq!(consumers(&owners(&[("infra/main.tf", &provider)])), [("terraform:infra/provider.hub", Tier::Inferred)]);
    let call = format!("module \"app\" {{\n  source = \"./vendor/app\"\n  settings = {{ KEY = \"{VALUE}\" }}\n}}\n");
    let expected = [("terraform:infra/module.app", Tier::Inferred)];
    assert_eq!(consumers(&owners(&[("infra/main.tf", &call)])), expected);
    let there = ("infra/vendor/app/main.tf", "variable \"settings\" {}\n");
    assert_eq!(consumers(&owners(&[("infra/main.tf", &call), there])), [], "a module that does nothing with it");
}
