//! What a file is to Ansible, by its path (docs.ansible.com, "Roles", "Organizing host and group variables").

use super::super::{ends_in, file_name, folder};

/// What a file is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'p> {
    /// Variables: of groups, hosts or a role, or of whoever names the file.
    Vars,
    /// An inventory, which has variables too.
    Inventory,
    /// A role's tasks, handlers or templates.
    Role(&'p str),
    /// What a role copies as it is.
    File(&'p str),
    /// A playbook, if it is one by its content.
    Other,
}

/// Folders below a role that hold what it does.
const DOES: [&str; 4] = ["tasks", "handlers", "templates", "meta"];

/// How deep below `roles` a role may lie.
const WITHIN: usize = 2;

/// Where the project begins that a path belongs to, and what the file is in it.
pub(super) fn of(path: &str) -> (&str, Part<'_>) {
    let mut before = 0;
    let parts: Vec<(usize, &str)> = path
        .split('/')
        .map(|part| {
            let at = before;
            before += part.len() + 1;
            (at, part)
        })
        .collect();
    let folders = &parts[..parts.len() - 1];
    let root = |at: usize| path[..at].trim_end_matches('/');
    let name = file_name(path);
    for (index, (at, part)) in folders.iter().enumerate() {
        let below = folders.get(index + 1..).unwrap_or_default();
        match (*part, below) {
            ("group_vars" | "host_vars", _) | ("vars", []) => return (above(root(*at)), Part::Vars),
            ("roles", [(first, _), rest @ ..]) => {
                // Roles may be kept in folders of their own: `roles/databases/postgres/tasks`.
                let whats = rest.iter().take(WITHIN).find_map(|(end, what)| {
                    let role = &path[*first..*end - 1];
                    match *what {
                        "vars" | "defaults" => Some(Part::Vars),
                        what if DOES.contains(&what) => Some(Part::Role(role)),
                        "files" => Some(Part::File(role)),
                        _ => None,
                    }
                });
                if !rest.is_empty() {
                    return (root(*at), whats.unwrap_or(Part::Other));
                }
            }
            ("inventories" | "inventory", _) => return (root(*at), Part::Inventory),
            ("playbooks", []) => return (root(*at), Part::Other),
            _ => {}
        }
    }
    let named = ["hosts", "inventory"].iter().any(|word| name == *word || name.split('.').next() == Some(word));
    let kind = ends_in(name, &["ini", "yml", "yaml"]) || !name.contains('.');
    (folder(path), if named && kind { Part::Inventory } else { Part::Other })
}

/// A folder without those that only keep inventories or playbooks apart.
fn above(folder: &str) -> &str {
    let cut = ["inventories", "inventory", "playbooks", "environments"].into_iter().find_map(|word| {
        let at = folder.find(word)?;
        let (before, after) = (&folder[..at], &folder[at + word.len()..]);
        let whole = (before.is_empty() || before.ends_with('/')) && (after.is_empty() || after.starts_with('/'));
        whole.then(|| before.trim_end_matches('/'))
    });
    cut.unwrap_or(folder)
}

/// Whether one of two projects lies in the other.
pub(super) fn related(a: &str, b: &str) -> bool {
    let within = |outer: &str, inner: &str| {
        outer.is_empty() || inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    within(a, b) || within(b, a)
}

#[cfg(test)]
mod tests {
    use super::{Part, of, related};

    #[test]
    fn paths_say_what_a_file_is() {
        for (path, root, part) in [
            ("group_vars/all.yml", "", Part::Vars),
            ("ops/group_vars/web/vault.yml", "ops", Part::Vars),
            ("ops/inventories/prod/group_vars/web.yml", "ops", Part::Inventory),
            ("ops/inventories/prod/hosts", "ops", Part::Inventory),
            ("ops/inventory.ini", "ops", Part::Inventory),
            ("ops/roles/api/defaults/main.yml", "ops", Part::Vars),
            ("ops/roles/api/templates/etc/api.conf.j2", "ops", Part::Role("api")),
            ("ops/roles/api/files/key.pem", "ops", Part::File("api")),
            ("ops/roles/db/pg/templates/pg.env.j2", "ops", Part::Role("db/pg")),
            ("ops/roles/db/pg/defaults/main.yml", "ops", Part::Vars),
            ("ops/roles/api/library/x/y.py", "ops", Part::Other),
            ("ops/roles/api/README.md", "ops/roles/api", Part::Other),
            ("ops/playbooks/site.yml", "ops", Part::Other),
            ("ops/playbooks/group_vars/all.yml", "ops", Part::Vars),
            ("ops/vars/main.yml", "ops", Part::Vars),
            ("site.yml", "", Part::Other),
            ("src/hosts.rs", "src", Part::Other),
        ] {
            assert_eq!(of(path), (root, part), "{path}");
        }
        assert!(related("", "a") && related("a/b", "a") && !related("a", "ab") && !related("a/b", "a/c"));
    }
}
