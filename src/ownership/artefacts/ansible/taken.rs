//! What plays, tasks and roles take in by a file's name: variables (`vars_files`, `include_vars`), tasks (`import_tasks`, `include_tasks`),
//! templates and files (`src`), as they are looked for (docs.ansible.com, "Search paths in Ansible"): beside whoever names them or
//! beside its folder of tasks, there and in the folder that is kept for their kind.

use std::collections::HashMap;

use super::super::{Place, copies, ends_in, file_name, folder, join};
use super::{User, places};

/// Patterns of a whole tree.
const PATTERNS: usize = 2_000;
/// What files end in that are taken in one after the other.
const ITEMS: [&str; 7] = ["yml", "yaml", "json", "j2", "env", "conf", "sh"];
/// Folders that whatever names a file may lie in, and the file beside.
const WITHIN: [&str; 4] = ["tasks", "handlers", "meta", "playbooks"];
/// Folders that are kept for one kind of file each.
const KEPT: [&str; 5] = ["", "vars", "tasks", "templates", "files"];

/// Everything that is taken in.
#[derive(Default)]
pub(super) struct Taken {
    files: HashMap<String, Vec<(Place, User)>>,
    /// Names with something in them that only a run fills in.
    patterns: Vec<(String, Place, User)>,
}

impl Taken {
    /// Remembers who takes in a file by that name.
    pub(super) fn put(&mut self, named: &str, at: &Place, user: &User) {
        let Some(named) = spelt_out(named) else { return };
        let own = folder(&at.path);
        // What a list of tasks names lies beside its folder, too; what a variable names lies where its project does.
        let above = Some(folder(own)).filter(|_| WITHIN.contains(&file_name(own)));
        let project = Some(places::of(&at.path).0).filter(|root| matches!(user, User::Variable(_)) && *root != own);
        for base in [own].into_iter().chain(above).chain(project) {
            for kept in KEPT {
                let Some(path) = join(base, kept).and_then(|base| join(&base, &named)) else { continue };
                if !named.contains('*') {
                    self.files.entry(path).or_default().push((at.clone(), user.clone()));
                } else if self.patterns.len() < PATTERNS {
                    self.patterns.push((path, at.clone(), user.clone()));
                }
            }
        }
    }

    /// Who takes in a file.
    pub(super) fn of<'t>(&'t self, path: &'t str) -> impl Iterator<Item = (&'t Place, &'t User)> {
        let fits = |pattern: &str| copies::glob(pattern, path);
        let wide = self.patterns.iter().filter(move |(pattern, ..)| fits(pattern)).map(|(_, at, user)| (at, user));
        self.files.get(path).into_iter().flatten().map(|(at, user)| (at, user)).chain(wide)
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (path, users) in other.files {
            self.files.entry(path).or_default().extend(users);
        }
        self.patterns.extend(other.patterns);
    }
}

/// The file that a leaf of a play or of a list of tasks names, by the way to it.
pub(super) fn named<'t>(way: &str, text: &'t str) -> Option<&'t str> {
    let mut words = way.rsplit('.').map(|part| part.split('[').next().unwrap_or(part));
    let (last, before) = (words.next()?, words.next().unwrap_or_default());
    let tasks = ["import_tasks", "include_tasks", "include"];
    let first = text.split_whitespace().next()?;
    match last {
        "vars_files" | "include_vars" | "with_first_found" | "src" => Some(text),
        // What `{{ item }}` stands for.
        "loop" | "with_items" if is_item(text) => Some(text),
        // `{{ item.src }}`, and whatever else ends as only templates do.
        _ if is_item(text) && (ends_in(text, &["j2"]) || matches!(before, "loop" | "with_items")) => Some(text),
        "file" | "dir" if before == "include_vars" || tasks.contains(&before) => Some(text),
        "script" | "shell" | "command" | "cmd" if first.contains(['/', '.']) => Some(first),
        _ if tasks.contains(&last) => Some(first),
        // The old form: `template: src=x.j2 dest=/etc/x`.
        "template" | "copy" | "unarchive" => text.split_whitespace().find_map(|word| word.strip_prefix("src=")),
        _ => None,
    }
    .map(|name| name.trim_matches(['"', '\'']))
}

/// Whether a text is the name of a file that may be taken in.
pub(super) fn is_item(text: &str) -> bool {
    !text.contains([' ', '\n', '=']) && ends_in(text, &ITEMS)
}

/// The files that a text looks up: `lookup('file', 'x')`, `lookup("template", "x.j2")`.
pub(super) fn looked_up(text: &str) -> impl Iterator<Item = &str> {
    text.split("lookup(").skip(1).filter_map(|rest| {
        let inside = rest.split(')').next()?;
        let (kind, rest) = inside.split_once(',')?;
        let kind = kind.trim().trim_matches(['"', '\'']);
        let kind = kind.rsplit('.').next().unwrap_or(kind);
        let name = rest.split(',').next()?.trim();
        let quoted = name.len() > 2 && name.starts_with(['"', '\'']) && name.ends_with(['"', '\'']);
        (quoted && matches!(kind, "file" | "template" | "unvault")).then(|| name.trim_matches(['"', '\'']))
    })
}

/// The name with `*` for what a run fills in, from the first folder on that is written out. Nothing where too little is.
fn spelt_out(name: &str) -> Option<String> {
    let (mut out, mut rest) = (String::new(), name);
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        out.push('*');
        rest = after.split_once("}}")?.1;
    }
    out.push_str(rest);
    // `{{ playbook_dir }}/x.yml`, which may stand several times.
    let mut out = out.as_str();
    while let Some(rest) = out.strip_prefix("*/").or_else(|| out.strip_prefix("./")) {
        out = rest;
    }
    let told = file_name(out).bytes().filter(u8::is_ascii_alphanumeric).count();
    let fits = !out.starts_with('/') && !out.contains("://") && out.len() < 200 && told > 1;
    fits.then(|| out.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{looked_up, named, spelt_out};

    #[test]
    fn names_are_read_where_ansible_reads_them() {
        for (way, text, expected) in [
            ("[0].vars_files[0]", "vars.yml", Some("vars.yml")),
            ("[0].vars_files[0][1]", "vars.yml", Some("vars.yml")),
            ("[0].tasks[1].ansible.builtin.template.src", "x.j2", Some("x.j2")),
            ("[0].template", "src=x.j2 dest=/etc/x", Some("x.j2")),
            ("[0].include_tasks.file", "x.yml", Some("x.yml")),
            ("[0].import_tasks", "x.yml tags=a", Some("x.yml")),
            ("[0].script", "scripts/x.sh --all", Some("scripts/x.sh")),
            ("[0].shell", "echo x", None),
            ("[0].loop[1]", "vars/x.yml", Some("vars/x.yml")),
            ("[0].loop[1]", "nginx", None),
            ("[0].loop[1].name", "app.env.j2", Some("app.env.j2")),
            ("[0].loop[1].dest", "app.env", Some("app.env")),
            ("[0].vars.path", "app.env", None),
            ("files[0].src", "database.yml.j2", Some("database.yml.j2")),
            ("[0].template.dest", "/etc/x", None),
            ("[0].file.path", "/etc/x", None),
        ] {
            assert_eq!(named(way, text), expected, "{way} {text}");
        }
        let text =
            "{{ lookup('file', 'a.pem') }}{{ lookup(\"ansible.builtin.template\", \"b.j2\") }}{{ lookup('env', 'C') }}";
        assert_eq!(looked_up(text).collect::<Vec<_>>(), ["a.pem", "b.j2"]);
    }

    #[test]
    fn what_a_run_fills_in_may_be_anything() {
        for (name, expected) in [
            ("vars/{{ env }}.yml", Some("vars/*.yml")),
            ("{{ playbook_dir }}/vars/x.yml", Some("vars/x.yml")),
            ("./x.yml", Some("x.yml")),
            ("{{ item }}", None),
            ("{{ item", None),
            ("/etc/x", None),
            ("https://a.example/x.tgz", None),
        ] {
            assert_eq!(spelt_out(name).as_deref(), expected, "{name}");
        }
    }
}
