//! Projects as people write them, and what must not be joined in them.

use crate::model::Tier::{self, Declared, Inferred};
use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

const SITE: (&str, &str) = ("ops/site.yml", "- hosts: web\n  roles: [common, {role: api}]\n");
const ID: &str = "ansible:ops/site.yml";

fn named(files: &[(&str, &str)]) -> Vec<(String, Tier)> {
    let owners = tree(files).resolve(&finding(VALUE));
    consumers(&owners).into_iter().map(|(id, tier)| (id.to_owned(), tier)).collect()
}

#[test]
fn a_variable_reaches_the_playbooks_of_the_role_that_names_it() {
    let vars = format!("api_key: {VALUE}\n");
    let nested = format!("api: {{key: {VALUE}, user: x}}\n");
    let indirect = format!("vault_key: {VALUE}\napi_key: \"{{{{ vault_key }}}}\"\n");
    let ini = format!("[web]\nh1\n[web:vars]\napi_key={VALUE}\n");
    let hosts = format!("all:\n  children:\n    web:\n      vars: {{api_key: {VALUE}}}\n");
    let template = ("ops/roles/api/templates/api.env.j2", "KEY={{ api_key }}\n");
    let task = ("ops/roles/api/tasks/main.yml", "- docker_container: {name: api, env: {K: '{{ api_key }}'}}\n");
    let part = ("ops/roles/api/templates/api.env.j2", "KEY={{ api.key | quote }}\n");
    let other = ("ops/roles/api/templates/api.env.j2", "KEY={{ api.user }} {{ 'api_key' }}\n");
    let token = format!("hub_token: {VALUE}\n");
    let idle = ("ops/roles/idle/templates/x.j2", "KEY={{ hub_token }}\n");
    for (path, text, user, id) in [
        ("ops/group_vars/web.yml", &vars, template, Some(ID)),
        ("ops/inventories/prod/group_vars/web.yml", &vars, template, Some(ID)),
        ("ops/roles/api/defaults/main.yml", &vars, task, Some(ID)),
        ("ops/group_vars/all/vault.yml", &indirect, template, Some(ID)),
        ("ops/group_vars/web.yml", &nested, part, Some(ID)),
        ("ops/inventory.ini", &ini, template, Some(ID)),
        ("ops/inventories/prod/hosts.yml", &hosts, template, Some(ID)),
        ("ops/group_vars/web.yml", &nested, other, None),
        ("ops/group_vars/web.yml", &vars, other, None),
        ("else/group_vars/web.yml", &vars, template, None),
        ("ops/group_vars/web.yml", &token, idle, Some("ansible:ops/roles/idle")),
    ] {
        let expected: Vec<_> = id.map(|id| (id.to_owned(), Inferred)).into_iter().collect();
        assert_eq!(named(&[SITE, user, (path, text)]), expected, "{path} {user:?}");
    }
    let galaxy = ("ops/site.yml", "- hosts: web\n  roles: [datadog.datadog]\n");
    let theirs = format!("datadog_api_key: {VALUE}\nother_key: x\n");
    assert_eq!(named(&[galaxy, ("ops/group_vars/all.yml", &theirs)]), [(ID.to_owned(), Inferred)]);
    let others = theirs.replace("datadog_api", "sentry_api");
    assert_eq!(named(&[galaxy, ("ops/group_vars/all.yml", &others)]), []);
}

#[test]
fn what_stands_in_a_task_or_is_copied_is_its_playbook_s() {
    let play = format!("- hosts: web\n  tasks:\n  - shell: curl --token={VALUE}\n  - include_role: {{name: api}}\n");
    assert_eq!(named(&[("ops/site.yml", &play)]), [(ID.to_owned(), Declared)]);
    let task = format!("- shell: curl --token={VALUE}\n");
    assert_eq!(named(&[SITE, ("ops/roles/api/tasks/main.yml", &task)]), [(ID.to_owned(), Declared)]);
    assert_eq!(named(&[("x.yml", &format!("hosts: {VALUE}\n"))]), []);
    let vars = format!("- hosts: web\n  vars: {{api_key: {VALUE}}}\n  roles: [api]\n");
    assert_eq!(named(&[("ops/site.yml", &vars)]), [(ID.to_owned(), Declared)]);
    let file = format!("KEY={VALUE}\n");
    let path = "ops/roles/api/files/api.env";
    let known = tree(&[SITE, (path, &file)]);
    assert_eq!(consumers(&known.resolve(&finding_in(path, &file, VALUE))), [(ID, Inferred)]);
}
