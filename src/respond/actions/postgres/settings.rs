//! A role's setting as SQL, from how PostgreSQL keeps it: `name=value`, and of a list its elements as identifiers.
//! Source: `pg_db_role_setting.setconfig`; pg_dump's `makeAlterConfigCommand` and `variable_is_guc_list_quote`.

use crate::validate::sql::{identifier, literal};

/// Settings whose value is a list of names, each of which is written for itself.
const LISTS: [&str; 6] = [
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

/// `"name" to value`, whatever is in it; nothing where it cannot be told.
pub(super) fn set(kept: &str) -> Option<String> {
    let (name, value) = kept.split_once('=')?;
    let list = LISTS.iter().any(|list| name.eq_ignore_ascii_case(list));
    let value =
        if list { elements(value)?.iter().map(|one| literal(one)).collect::<Vec<_>>().join(", ") } else { literal(value) };
    // Extensions' settings have a dot in their name, which stands between two identifiers.
    let name = name.split('.').map(identifier).collect::<Vec<_>>().join(".");
    // An empty list is the empty text.
    Some(format!("{name} to {}", if value.is_empty() { "E''" } else { &value }))
}

/// The elements of a list: identifiers, quoted where they need it, between commas.
fn elements(text: &str) -> Option<Vec<String>> {
    let (mut all, mut rest) = (Vec::new(), text.trim_start());
    while !rest.is_empty() {
        let (one, after) = if let Some(quoted) = rest.strip_prefix('"') {
            unquoted(quoted)?
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            let (one, after) = rest.split_at(end);
            (one.trim_end().to_owned(), after)
        };
        all.push(one);
        rest = match after.trim_start() {
            "" => "",
            after => Some(after.strip_prefix(',')?.trim_start()).filter(|after| !after.is_empty())?,
        };
    }
    Some(all)
}

/// A quoted identifier after its first quote, and what follows it.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut rest = text;
    loop {
        let at = rest.find('"')?;
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match rest.strip_prefix('"') {
            Some(more) => {
                out.push('"');
                rest = more;
            }
            None => return Some((out, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::set;

    #[test]
    fn a_setting_is_written_so_that_it_comes_out_as_it_was() {
        for (kept, sql) in [
            ("search_path=\"$user\", public", "\"search_path\" to E'$user', E'public'"),
            ("search_path=\"a\"\"b, c\"", "\"search_path\" to E'a\"b, c'"),
            ("search_path=", "\"search_path\" to E''"),
            ("work_mem=64MB", "\"work_mem\" to E'64MB'"),
            ("app.tenant=x'; drop role y; --", "\"app\".\"tenant\" to E'x''; drop role y; --'"),
            ("DateStyle=ISO, DMY", "\"DateStyle\" to E'ISO, DMY'"),
        ] {
            assert_eq!(set(kept).as_deref(), Some(sql), "{kept}");
        }
        for wrong in ["nothing", "search_path=\"open", "search_path=a,", "search_path=\"a\" b"] {
            assert_eq!(set(wrong), None, "{wrong}");
        }
    }
}
