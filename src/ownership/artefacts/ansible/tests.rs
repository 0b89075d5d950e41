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
        ("ops/group_vars/web", &vars, template, Some(ID)),
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
    // What every play logs in by is nowhere named.
    let login = |name: &str| format!("[web:vars]\n{name}={VALUE}\n");
    assert_eq!(named(&[SITE, ("ops/inventory/prod/hosts.ini", &login("ansible_password"))]), [(ID.to_owned(), Inferred)]);
    assert_eq!(named(&[SITE, ("ops/inventory/prod/hosts.ini", &login("other_password"))]), []);
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

#[test]
fn files_that_are_taken_in_by_name_are_their_takers() {
    let play = "- hosts: web\n  vars_files: [vars.yml, 'env/{{ stage }}.yml']\n  tasks:\n  - import_tasks: tasks/app.yml\n  - template: {src: app.env.j2, dest: /etc/app}\n";
    let tasks = "- include_tasks: more.yml\n- include_vars: {file: other.yml}\n";
    let base = [("ops/site.yml", play), ("ops/tasks/app.yml", tasks), ("ops/x.yml", "- hosts: db\n")];
    let value = format!("key: {VALUE}\n");
    let task = format!("- shell: curl --token={VALUE}\n");
    for (path, text, tier) in [
        ("ops/vars.yml", &value, Some(Inferred)),
        ("ops/env/prod.yml", &value, Some(Inferred)),
        ("ops/other/prod.yml", &value, None),
        ("ops/vars/other.yml", &value, Some(Inferred)),
        ("ops/tasks/more.yml", &task, Some(Declared)),
        ("ops/tasks/unasked.yml", &task, None),
        ("ops/templates/app.env.j2", &value, Some(Inferred)),
        ("ops/templates/other.env.j2", &value, None),
        ("vars.yml", &value, None),
    ] {
        let mut files = base.to_vec();
        files.push((path, text));
        let known = tree(&files);
        let expected: Vec<_> = tier.into_iter().map(|tier| (ID, tier)).collect();
        assert_eq!(consumers(&known.resolve(&finding_in(path, text, VALUE))), expected, "{path}");
    }
    // A variable that only a template outside of roles names.
    let template = ("ops/templates/app.env.j2", "KEY={{ app_key }}\n");
    let vars = format!("app_key: {VALUE}\n");
    assert_eq!(named(&[base[0], template, ("ops/group_vars/all.yml", &vars)]), [(ID.to_owned(), Inferred)]);
    let circle = ("ops/a.yml", "- include_tasks: b.yml\n");
    let back = format!("- include_tasks: a.yml\n- shell: x {VALUE}\n");
    assert_eq!(named(&[circle, ("ops/b.yml", &back)]), []);
}

#[test]
fn roles_that_take_in_roles_end_in_the_playbook() {
    let vars = format!("db_key: {VALUE}\n");
    let uses = ("ops/roles/db/templates/x.j2", "{{ db_key }}");
    for (path, text) in [
        ("ops/roles/api/meta/main.yml", "dependencies:\n- role: db\n"),
        ("ops/roles/api/tasks/main.yml", "- include_role: {name: db}\n"),
    ] {
        let found = named(&[SITE, uses, (path, text), ("ops/group_vars/all.yml", &vars)]);
        assert_eq!(found, [(ID.to_owned(), Inferred)], "{path}");
    }
}

#[test]
fn files_that_a_list_names_are_taken_in() {
    let template = format!("KEY={VALUE}\n");
    let play =
        "- hosts: web\n  tasks:\n  - template: {src: '{{ item.name }}', dest: /etc}\n    loop: [{name: app.env.j2}]\n";
    let by_variable = "- hosts: web\n  tasks:\n  - template: {src: '{{ item.src }}'}\n    with_items: '{{ shared }}'\n";
    let list = ("ops/group_vars/all.yml", "shared: [{src: app.env.j2}]\n");
    let by_hand = ("ops/app-vars.yml", "shared: [{src: app.env.j2}]\n");
    for files in
        [&[("ops/site.yml", play)][..], &[("ops/site.yml", by_variable), list], &[("ops/site.yml", by_variable), by_hand]]
    {
        let own = ("ops/templates/app.env.j2", template.as_str());
        let all = tree(&[files, &[own]].concat()).resolve(&finding_in(own.0, &template, VALUE));
        assert_eq!(consumers(&all), [(ID, Inferred)], "{files:?}");
    }
    // A role's template is the role's, whoever names it.
    let own = ("ops/roles/api/templates/api.env.j2", template.as_str());
    let all = tree(&[SITE, own]).resolve(&finding_in(own.0, &template, VALUE));
    assert_eq!(consumers(&all), [(ID, Inferred)]);
}

#[test]
fn variables_that_are_given_by_hand_meet_who_names_them() {
    let (vars, task) = (format!("api_key: {VALUE}\n"), "- shell: curl --token={{ api_key }}\n");
    for (path, is) in
        [("ops/app-vars.yml", true), ("ops/secrets.yml", true), ("ops/app.yml", false), ("web/secrets.yml", false)]
    {
        let expected: Vec<_> = is.then(|| (ID.to_owned(), Inferred)).into_iter().collect();
        assert_eq!(named(&[SITE, ("ops/roles/api/tasks/main.yml", task), (path, &vars)]), expected, "{path}");
    }
}

#[test]
fn a_role_in_a_folder_of_its_own_is_whose_it_is_listed_by() {
    let template = format!("KEY={VALUE}\n");
    for listed in ["db/pg", "pg"] {
        let site = format!("- hosts: web\n  roles: [{listed}]\n");
        let own = ("ops/roles/db/pg/templates/pg.env.j2", template.as_str());
        let all = tree(&[("ops/site.yml", &site), own]).resolve(&finding_in(own.0, &template, VALUE));
        assert_eq!(consumers(&all), [(ID, Inferred)], "{listed}");
    }
    let other = ("ops/site.yml", "- hosts: web\n  roles: [api]\n");
    let own = ("ops/roles/db/pg/templates/pg.env.j2", template.as_str());
    let all = tree(&[other, own]).resolve(&finding_in(own.0, &template, VALUE));
    assert_eq!(consumers(&all), [("ansible:ops/roles/db/pg", Inferred)]);
}

#[test]
fn a_compose_file_that_a_play_fills_in_is_given_its_variables() {
    let vars = format!("hub_token: {VALUE}\n");
    let compose = "services:\n  api:\n    image: x\n    environment:\n      - \"KEY={{ hub_token }}\"\n  db: {image: y}\n";
    let files = [SITE, ("ops/group_vars/web.yml", vars.as_str()), ("ops/services/web/compose.yaml", compose)];
    assert_eq!(named(&files), [("compose:ops/services/web/compose.yaml/api".to_owned(), Inferred)]);
}
