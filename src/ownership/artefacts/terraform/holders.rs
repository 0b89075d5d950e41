//! Resources and data sources that hold a value for others: stores of secrets, files, Secrets of a cluster. They use nothing
//! themselves; what refers to them does.

use crate::model::Tier;

/// One type that holds values.
pub(super) struct Holder {
    kind: &'static str,
    /// Its attributes that are the value.
    values: &'static [&'static str],
    /// The attribute that names the resource it is a version of.
    pub(super) of: Option<&'static str>,
    /// The attribute that is its name in a store, and the store: others may ask for it by that name.
    pub(super) named: Option<(&'static str, &'static str)>,
}

const fn holder(kind: &'static str, values: &'static [&'static str]) -> Holder {
    Holder { kind, values, of: None, named: None }
}

const fn named(kind: &'static str, values: &'static [&'static str], named: (&'static str, &'static str)) -> Holder {
    Holder { kind, values, of: None, named: Some(named) }
}

/// A version of a secret: its value here, its name there.
const fn version(kind: &'static str, value: &'static [&'static str], of: &'static str, store: &'static str) -> Holder {
    Holder { kind, values: value, of: Some(of), named: Some((of, store)) }
}

const SM: &str = "secretsmanager";

/// By the names of the providers' documentation (registry.terraform.io).
const HOLDERS: &[Holder] = &[
    holder("archive_file", &["content", "source_content"]),
    holder("aws_s3_bucket_object", &["content", "content_base64", "source"]),
    holder("aws_s3_object", &["content", "content_base64", "source"]),
    named("aws_secretsmanager_secret", &[], ("name", SM)),
    version("aws_secretsmanager_secret_version", &["secret_string", "secret_string_wo", "secret_binary"], "secret_id", SM),
    named("aws_ssm_parameter", &["value", "value_wo", "insecure_value"], ("name", "ssm")),
    named("azurerm_key_vault_secret", &["value", "value_wo"], ("name", "key-vault")),
    holder("cloudinit_config", &["content"]),
    holder("docker_config", &["data"]),
    holder("docker_secret", &["data"]),
    named("google_secret_manager_secret", &[], ("secret_id", "secret-manager")),
    version("google_secret_manager_secret_version", &["secret_data", "secret_data_wo"], "secret", "secret-manager"),
    holder("kubernetes_config_map", &["data"]),
    holder("kubernetes_config_map_v1", &["data"]),
    holder("kubernetes_secret", &["data", "binary_data"]),
    holder("kubernetes_secret_v1", &["data", "binary_data"]),
    holder("local_file", &["content"]),
    holder("local_sensitive_file", &["content"]),
    holder("google_storage_bucket_object", &["content", "source"]),
    holder("template_cloudinit_config", &["content"]),
    holder("template_file", &["template", "vars"]),
    holder("vault_generic_secret", &["data_json"]),
    holder("vault_kv_secret_v2", &["data_json"]),
];
/// What stands for the whole value besides the attributes that set it.
const WHOLE: [&str; 2] = ["rendered", "content_base64"];
/// What names the holder, so that whoever is given it can ask for the value.
const IDS: [&str; 5] = ["arn", "id", "name", "secret_id", "versionless_id"];

/// What is known of a type, where it holds values.
pub(super) fn of(kind: &str) -> Option<&'static Holder> {
    HOLDERS.iter().find(|holder| holder.kind == kind)
}

impl Holder {
    /// Whether an attribute of it is its value.
    pub(super) fn holds(&self, attribute: &str) -> bool {
        self.values.contains(&attribute)
    }
}

/// How sure a reference to an attribute of a holder can be at most. `whole` is whether nothing is picked from it.
pub(super) fn reference(kind: &str, attribute: Option<&str>, whole: bool) -> Tier {
    let (Some(holder), Some(attribute)) = (of(kind), attribute) else { return Tier::Inferred };
    if !whole {
        return Tier::Inferred;
    }
    if holder.holds(attribute) || WHOLE.contains(&attribute) {
        // `data` of a Secret is several.
        return if matches!(attribute, "data" | "binary_data" | "vars") { Tier::Inferred } else { Tier::Bound };
    }
    // Whoever is told where it is asks the store, in which somebody may have put another value since. Another holder that
    // refers to it is a version of it.
    if IDS.contains(&attribute) { Tier::Declared } else { Tier::Inferred }
}

/// The attribute that is a file or a folder to be packed, and whether it is a folder.
pub(super) fn packs(kind: &str, attribute: &str) -> Option<bool> {
    match (kind, attribute) {
        ("archive_file", "source_file") => Some(false),
        ("archive_file", "source_dir") => Some(true),
        _ => None,
    }
}

/// Whether the platform puts the value there that the name at the end of that way stands for.
pub(super) fn is_fetched(way: &str) -> bool {
    way.rsplit('.').next().is_some_and(|last| last == "valueFrom")
}

/// How a store's names begin in references by ARN: what follows is the name.
const ARNS: [(&str, &str); 2] = [(":parameter", "ssm"), (":secret:", SM)];

/// The store and the name in a reference that is written out: `arn:aws:ssm:…:parameter/a/b`, a parameter's path, or, where the store
/// is known, any name.
pub(super) fn written_out(text: &str, store: Option<&str>) -> Option<String> {
    if text.starts_with("arn:") {
        let (word, store) = ARNS.iter().find(|(word, _)| text.contains(word))?;
        let name = &text[text.find(word)? + word.len()..];
        // `NAME-AbCdEf:key:stage:id`
        let name = if *store == SM { bare(name.split(':').next()?) } else { name };
        return Some(format!("{store}:{}", name.trim_start_matches('/')));
    }
    let store = store.or_else(|| text.starts_with('/').then_some("ssm"))?;
    Some(format!("{store}:{}", text.trim_start_matches('/')))
}

/// A secret's name without the hyphen and the six characters that Secrets Manager adds to its ARN.
fn bare(name: &str) -> &str {
    let added = |six: &str| six.len() == 6 && six.bytes().any(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    name.rsplit_once('-').filter(|(_, six)| added(six)).map_or(name, |(bare, _)| bare)
}

#[cfg(test)]
mod tests {
    use super::{HOLDERS, SM, written_out};

    #[test]
    fn the_list_is_sorted_and_holds_nothing_twice() {
        let mut kinds: Vec<&str> = HOLDERS.iter().map(|holder| holder.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!(kinds.len(), HOLDERS.len());
    }

    #[test]
    fn references_are_read_as_stores_write_them() {
        for (text, store, name) in [
            ("arn:aws:ssm:eu-west-1:111122223333:parameter/prod/key", None, Some("ssm:prod/key")),
            ("/prod/key", None, Some("ssm:prod/key")),
            ("prod/key", Some(SM), Some("secretsmanager:prod/key")),
            ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:a/b-AbCd3f:KEY::", None, Some("secretsmanager:a/b")),
            ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:my-secret", None, Some("secretsmanager:my-secret")),
            ("arn:aws:s3:::bucket", None, None),
            ("prod", None, None),
        ] {
            assert_eq!(written_out(text, store).as_deref(), name, "{text}");
        }
    }
}
