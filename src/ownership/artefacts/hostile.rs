//! What every reader must bear: any bytes under any of its names, and files made to grow while they are read.

use super::testing::{VALUE, finding, finding_at, tree};
use crate::ownership::attribute;

/// A name that each reader wants, and a small file of its kind.
const FILES: &[(&str, &str)] = &[
    ("a.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {k: eA==}\n"),
    ("compose.yaml", "services: {api: {environment: {K: v}, env_file: .env}}\n"),
    (".env", "export A=\"b\"\n"),
    ("CODEOWNERS", "* @a\n"),
    (".github/workflows/ci.yml", "env: {A: b}\njobs: {j: {env: {K: v}, steps: [{run: x, with: {a: b}}]}}\n"),
    (".gitlab-ci.yml", "variables: {A: b}\n.t: {script: [x]}\nj: {extends: .t, variables: {K: v}}\n"),
    (".mcp.json", "{\"mcpServers\": {\"s\": {\"env\": {\"K\": \"v\"}, \"args\": [\"x\"]}}} // x\n"),
    ("litellm.yaml", "model_list: [{model_name: m, litellm_params: {api_key: v}}]\n"),
    (
        "task.json",
        "{\"family\": \"f\", \"containerDefinitions\": [{\"name\": \"c\", \"environment\": [{\"name\": \"K\", \"value\": \"v\"}]}]}\n",
    ),
    (
        "t.template",
        "Parameters: {P: {Default: d}}\nResources: {F: {Type: AWS::Lambda::Function, Properties: {Environment: {Variables: {K: !Ref P}}}}}\n",
    ),
    ("serverless.yml", "provider: {name: aws, environment: {A: b}}\nfunctions: {f: {environment: {K: v}}}\n"),
    (
        "m.tf",
        "variable \"v\" {\n  default = \"x\"\n}\nresource \"aws_lambda_function\" \"f\" {\n  k = \"a${var.v}\"\n  j = jsonencode({a = [1]})\n}\n",
    ),
    ("terraform.tfvars", "v = <<EOF\nx\nEOF\n"),
    (
        "x.tfstate",
        "{\"version\": 4, \"resources\": [{\"mode\": \"managed\", \"type\": \"aws_lambda_function\", \"name\": \"f\", \"instances\": [{\"attributes\": {}}]}]}",
    ),
    ("Dockerfile", "FROM a\nENV A=b C=\"d\"\nARG E=f\nRUN <<EOF\nx\nEOF\nCMD [\"x\"]\nCOPY .env /\n"),
    ("api.service", "[Service]\nEnvironment=\"A=b\" C=d\nEnvironmentFile=-/etc/x\nExecStart=/bin/x \\\n y\n"),
    ("package.json", "{\"name\": \"p\"}"),
    ("Cargo.toml", "[package]\nname = \"p\"\n"),
    ("pyproject.toml", "[project]\nname = \"p\"\n"),
    ("go.mod", "module x\n"),
    ("Procfile", "web: x\n"),
    (
        "x.sh",
        "A=b\nkubectl create secret generic s --from-literal=k=$A --from-env-file .env\ndocker service create -e K=v --name n i\n",
    ),
    (
        "install.ps1",
        "$n = 'x'\nnssm set $n AppEnvironmentExtra K=v\n<service><id>x</id><executable>y</executable></service>\n",
    ),
    ("init.d/x", "#!/sbin/openrc-run\nexport K=v\n. /etc/default/x\n"),
    (
        "x.plist",
        "<plist><dict><key>Label</key><string>x</string><key>ProgramArguments</key><array><string>v</string></array></dict></plist>",
    ),
    ("lib/stack.ts", "import 'aws-cdk-lib';\nconst k = 'vvvvvvvv';\nnew F(this, 'x', { e: { K: k } });\n"),
    ("stack.py", "import aws_cdk\nk = 'vvvvvvvv'\nF(self, 'x', e={'K': k})\n"),
    ("ecosystem.config.js", "module.exports = { apps: [{ name: 'x', script: 'y', env: { K: 'v' } }] }\n"),
    ("Pulumi.dev.yaml", "config: {a: b}\n"),
    ("helmfile.yaml", "releases: [{name: x, values: [v.yaml, {a: {{ .b }}}], set: [{name: k, value: v}]}]\n"),
    ("web/values.yaml", "existingSecret: s\n"),
    ("Chart.yaml", "name: c\n"),
    ("values.yaml", "a: {b: [c]}\n"),
    ("templates/s.yaml", "k: {{ .Values.a.b }}\n"),
    ("kustomization.yaml", "secretGenerator: [{name: s, literals: [a=b], envs: [.env], files: [x]}]\n"),
    ("catalog-info.yaml", "kind: Component\nspec: {owner: t}\n"),
    ("cortex.yaml", "info: {x-cortex-owners: [{type: group, name: t}]}\n"),
    ("opslevel.yml", "service: {owner: t}\n"),
    ("service.datadog.yaml", "team: t\n"),
    ("compass.yml", "ownerId: t\n"),
    (
        "Jenkinsfile",
        "pipeline { environment { K = 'v'\n A = credentials('b') } stages { stage('s') { steps { sh \"\"\"x\ny\"\"\" } } } }\n",
    ),
    ("casc.yaml", "credentials: {system: {domainCredentials: [{credentials: [{string: {id: b, secret: v}}]}]}}\n"),
    ("site.yml", "- hosts: all\n  vars: {a: b}\n  roles: [r]\n  tasks: [{shell: v}]\n"),
    ("group_vars/all.yml", "a: b\n"),
    ("inventory.ini", "[g]\nh k=v\n[g:vars]\na=b\n"),
    ("roles/r/templates/x.j2", "K={{ a | quote }} {% if b %}x{% endif %}\n"),
    ("agents.yaml", "a: {role: r, goal: g, llm: v}\n"),
    ("pom.xml", "<project><artifactId>p</artifactId></project>\n"),
    ("manage.py", "setdefault('DJANGO_SETTINGS_MODULE', 'p.settings')\n"),
    ("mix.exs", "[app: :p]\n"),
    ("api.spec", "Source1: x.conf\ninstall -m 644 %{SOURCE1} %{buildroot}/etc/x\n"),
    (
        "bom.json",
        "{\"bomFormat\": \"CycloneDX\", \"metadata\": {\"component\": {\"name\": \"r.example/a\", \"version\": \"1\"}}}\n",
    ),
    ("live/terragrunt.hcl", "terraform {\n  source = \"..\"\n}\ninputs = {\n  v = \"x\"\n}\n"),
    ("dev.tfvars.json", "{\"v\": \"x\"}\n"),
    ("live/common.hcl", "locals {\n  a = read_terragrunt_config(find_in_parent_folders(\"x.hcl\"))\n}\n"),
    ("src/app.py", "open('conf/app.json')\nload_dotenv()\n"),
    ("samconfig.toml", "[default.deploy.parameters]\nparameter_overrides = \"A=b C=d\"\n"),
    ("Pulumi.dev.yaml", "config: {k: v}\n"),
    (
        "issuer.yaml",
        "apiVersion: cert-manager.io/v1\nkind: Issuer\nmetadata: {name: i}\nspec: {a: {tokenSecretRef: {name: s}}}\n",
    ),
    ("tasks/app.yml", "- import_tasks: more.yml\n- template: {src: a.j2, dest: b}\n"),
    (".travis.yml", "env: {global: [K=v], jobs: [A=b]}\nscript: [x]\n"),
    ("cloudbuild.yaml", "steps: [{name: x, args: [v], env: [A=b]}]\n"),
    (".drone.yml", "steps: [{name: s, environment: {K: v}, commands: [x]}]\n"),
    ("netlify.toml", "[build.environment]\nA = 'b'\n"),
    ("x.xcodeproj/project.pbxproj", "{ objects = { A = { isa = PBXNativeTarget; name = \"x\"; }; }; rootObject = A; }\n"),
    ("App.xcconfig", "#include \"Other.xcconfig\"\nA = b\n"),
    (
        "main.bicep",
        "param k string = 'v'\nresource a 'Microsoft.Web/sites@2022' = {\n  x: { y: k }\n}\nmodule m './m.bicep' = {\n  params: { k: k }\n}\n",
    ),
    ("main.bicepparam", "using './main.bicep'\nparam k = 'v'\n"),
    (
        "azuredeploy.json",
        "{\"$schema\": \"deploymentTemplate.json#\", \"parameters\": {\"k\": {\"defaultValue\": \"v\"}}, \"resources\": [{\"type\": \"a\", \"x\": \"[parameters('k')]\"}]}\n",
    ),
    ("meltano.yml", "version: 1\nplugins: {extractors: [{name: x, config: {k: v}}]}\n"),
    ("lamp.yaml", "esphome: {name: x}\nesp32: {board: y}\nwifi: {password: !secret w}\n"),
    ("config/deploy.yml", "service: s\nimage: i\nenv: {clear: {K: v}}\n"),
    ("ansible.cfg", "[defaults]\nvault_password_file = ./x.sh\n"),
    ("src/Program.cs", "DistributedApplication.CreateBuilder(a);\nb.AddProject<P>(\"p\").WithEnvironment(\"K\", \"v\");\n"),
    ("secrets.ejson", "{\"kubernetes_secrets\": {\"s\": {\"data\": {\"k\": \"v\"}}}}\n"),
    (".doco-cd.yaml", "working_dir: .\nexternal_secrets: {K: v}\n"),
    ("pod.yaml.j2", "apiVersion: v1\nkind: Pod\nmetadata: {name: {{ n }}-<%= x %>}\nspec: {containers: [{name: c}]}\n"),
    ("setup.sh", "cp .env.example .env\nkubectl create secret generic s --from-literal=k=v\n"),
    ("x.nomad", "job \"j\" {\n  group \"g\" {\n    task \"t\" {\n      env {\n        A = \"b\"\n      }\n    }\n  }\n}\n"),
];

#[test]
fn the_samples_are_wanted_and_read_without_trouble() {
    for file in FILES {
        assert!(super::Artefacts::wants(file.0), "{}", file.0);
    }
    let known = tree(FILES);
    // Templates that are not rendered have no `apiVersion` here, so nobody takes them for manifests.
    assert_eq!(known.coverage().troubles, []);
    assert_eq!(known.coverage().files as usize, FILES.len());
}

#[test]
fn files_that_grow_while_they_are_read_are_bounded() {
    let mut bomb = String::from("a0: &a0 {x: v, y: [v]}\n");
    let mut chain = String::from("a0: &a0 [v]\n");
    for level in 1..60 {
        bomb += format!("a{level}: &a{level} {{<<: *a{0}, l{level}: [*a{0}, *a{0}]}}\n", level - 1).as_str();
    }
    for level in 1..10_000 {
        chain += format!("a{level}: &a{level} {{k: *a{}}}\n", level - 1).as_str();
    }
    let heads = [
        ("litellm.yaml", "litellm_settings: {}\nmodel_list: "),
        (".github/workflows/ci.yml", "jobs: "),
        (".gitlab-ci.yml", "j: {script: [x], extends: a1}\nvariables: "),
        (".continue/config.yaml", "mcpServers: "),
        ("serverless.yml", "provider: {name: aws}\nfunctions: "),
        ("values.yaml", "a: "),
        ("t.yaml", "# AWS::Lambda::Function\nResources: "),
        ("kustomization.yaml", "secretGenerator: "),
        ("catalog-info.yaml", "spec: "),
        ("compose.yaml", "services: "),
    ];
    for (path, head) in heads {
        for (body, last) in [(&bomb, "*a59"), (&chain, "*a9999")] {
            let known = tree(&[(path, &format!("{body}{head}{last}\n"))]);
            known.resolve(&finding(VALUE));
        }
    }
}

/// So many lines of that form, numbered.
fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect()
}

#[test]
fn what_a_file_means_many_times_over_is_bounded_and_said() {
    let variables = lines(2000, |n| format!("  V{n}: x{n}\n"));
    let inherited = format!(
        "services:\n  s:\n    environment:\n{}{}",
        lines(2000, |n| format!("      V{n}: x\n")),
        lines(80, |n| format!("  s{n}: {{extends: s}}\n"))
    );
    let shared =
        format!("x-e: &e\n{variables}services:\n{}", lines(80, |n| format!("  s{n}: {{image: x, environment: *e}}\n")));
    let files = format!(
        "x-f: &f [{}]\nservices:\n{}",
        lines(50, |n| format!("{n}.env,")),
        lines(3000, |n| format!("  s{n}: {{env_file: *f}}\n"))
    );
    let secrets = format!(
        "x-s: &s [{}]\nsecrets:\n{}services:\n{}",
        lines(1000, |n| format!("k{n},")),
        lines(1000, |n| format!("  k{n}: {{file: f{n}}}\n")),
        lines(200, |n| format!("  s{n}: {{secrets: *s}}\n"))
    );
    let jobs = format!("x: &e\n{variables}jobs:\n{}", lines(80, |n| format!("  j{n}: {{env: *e}}\n")));
    // Long ones count as several.
    let (long, name) = ("x".repeat(640), "s".repeat(250));
    let keys = lines(200, |n| format!("  k{n}: {long}\n"));
    let objects = format!(
        "x: &d\n{keys}apiVersion: v1\nkind: List\nitems:\n{}",
        lines(60, |n| format!("- {{kind: Secret, metadata: {{name: s{n}}}, stringData: *d}}\n"))
    );
    let refs = lines(500, |n| format!("  - {{name: V{n}, valueFrom: {{secretKeyRef: {{name: {name}, key: k{n}}}}}}}\n"));
    let pods = format!(
        "x: &e\n{refs}apiVersion: v1\nkind: List\nitems:\n{}",
        lines(60, |n| format!("- {{kind: Pod, metadata: {{name: p{n}}}, spec: {{containers: [{{name: c, env: *e}}]}}}}\n"))
    );
    let generated = format!(
        "x: &l [{}]\nsecretGenerator:\n{}",
        lines(200, |n| format!("k{n}={long},")),
        lines(60, |n| format!("- {{name: s{n}, literals: *l}}\n"))
    );
    let values = format!("x: &v\n{keys}all:\n{}", lines(60, |n| format!("  a{n}: *v\n")));
    // Of some the aliases are walked only so often, which is said as well.
    for (path, text, walked) in [
        ("compose.yaml", &inherited, true),
        ("compose.yaml", &shared, false),
        ("compose.yaml", &files, false),
        ("compose.yaml", &secrets, false),
        (".github/workflows/ci.yml", &jobs, true),
        ("objects.yaml", &objects, true),
        ("pods.yaml", &pods, true),
        ("kustomization.yaml", &generated, true),
        ("values.yaml", &values, true),
    ] {
        let known = tree(&[(path, text)]);
        let said = |word: &str| known.coverage().troubles.iter().any(|trouble| trouble.why.contains(word));
        let worn_out = !walked && said("repeat too much");
        assert!(said("more than 100000 values") || worn_out, "{path}: {:?}", known.coverage());
    }
}

#[test]
fn values_times_references_are_bounded_and_told() {
    let env = lines(400, |n| format!("V{n}={VALUE}\n"));
    let compose = format!("services:\n{}", lines(400, |n| format!("  s{n}: {{image: x, env_file: .env}}\n")));
    let servers = lines(400, |n| format!("\"s{n}\": {{\"envFile\": \"${{workspaceFolder}}/.env\"}},"));
    let editors = format!("{{\"servers\": {{{servers}}}}}");
    for (path, text) in [("compose.yaml", &compose), (".vscode/mcp.json", &editors)] {
        let done = attribute(&mut [finding(VALUE)], &tree(&[(path, text), (".env", &env)]), None);
        assert_eq!((done.consumed, done.cut), (1, 1), "{path}");
        let few = lines(20, |n| format!("V{n}={VALUE}\n"));
        let done = attribute(&mut [finding(VALUE)], &tree(&[(path, text), (".env", &few)]), None);
        assert_eq!((done.consumed, done.cut), (1, 0), "{path}");
    }
}

#[test]
fn endless_names_are_not_kept() {
    let long = "n".repeat(200_000);
    let text = format!(
        "{{\"mcpServers\": {{\"{long}\": {{\"env\": {{\"K\": \"{VALUE}\"}}}}, \"s\": {{\"env\": {{\"{long}\": \"{VALUE}\"}}}}}}}}"
    );
    let owners = tree(&[(".mcp.json", &text)]).resolve(&finding(VALUE));
    assert_eq!(owners.len(), 1, "a name that cannot be shown whole names nobody");
    assert!(owners[0].evidence.iter().all(|one| one.value.len() < 1000));
}

#[test]
fn no_value_is_in_any_name_or_evidence() {
    let filled = |text: &str| text.replace(": v", &format!(": {VALUE}")).replace(": b", &format!(": {VALUE}"));
    let files: Vec<(&str, String)> = FILES.iter().map(|(path, text)| (*path, filled(text))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let owners = tree(&files).resolve(&finding(VALUE));
    assert!(owners.len() >= 5, "{owners:?}");
    assert!(!format!("{owners:?}").contains(VALUE), "{owners:?}");
}

proptest::proptest! {
    #[test]
    fn no_bytes_at_all_make_a_reader_panic(
        bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..40),
        (cut, gone) in (0..300_usize, 0..60_usize),
    ) {
        let mut known = tree(&[]);
        for (path, text) in FILES {
            let mut text = text.as_bytes().to_vec();
            let at = cut.min(text.len());
            text.splice(at..(at + gone).min(text.len()), bytes.iter().copied());
            known.read(path, &text);
            known.resolve(&finding_at(path, 0..cut));
        }
    }
}
