//! `[[network.ssh_host]]`: a host that SSH keys are offered to, and the keys by which it proves who it is.

use data_encoding::BASE64;

use crate::declared::{Table, Value};
use crate::model::{Forge, SshHost};

/// Kinds of host keys that are understood. RSA is not: every server has one of these beside it.
const KINDS: [&str; 4] = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"];

/// One entry.
pub(super) fn host(table: &Table<'_, '_>) -> Option<SshHost> {
    let host = table.need_text("host");
    let address = table.text("address");
    let port = table.get("port").map_or(Some(22), |value| port(&value));
    let user = table.text("user").unwrap_or_else(|| "git".to_owned());
    let forge = table.get("forge").and_then(|value| {
        let forge = Forge::named(&value.text()?);
        if forge.is_none() {
            value.mistake("`forge` is github, gitlab or bitbucket: how the server greets whoever comes in");
        }
        forge
    });
    let keys = table.need("keys").map(|value| value.items().iter().filter_map(key).collect::<Vec<_>>());
    if keys.as_ref().is_some_and(Vec::is_empty) {
        table.mistake(
            "a host without `keys` cannot prove who it is; `ssh-keyscan HOST` prints them, its administrator confirms them",
        );
    }
    table.finish();
    Some(SshHost { host: host?.to_ascii_lowercase(), address, port: port?, user, forge, keys: keys? })
}

fn port(value: &Value<'_, '_>) -> Option<u16> {
    let port = u16::try_from(value.number()?).ok().filter(|port| *port > 0);
    if port.is_none() {
        value.mistake("`port` is a number from 1 to 65535");
    }
    port
}

/// `KIND BASE64`, and perhaps a comment.
fn key(value: &Value<'_, '_>) -> Option<String> {
    let text = value.text()?;
    let mut words = text.split_ascii_whitespace();
    let (kind, blob) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let begins = |bytes: Vec<u8>| bytes.get(4..).is_some_and(|rest| rest.starts_with(kind.as_bytes()));
    if KINDS.contains(&kind) && BASE64.decode(blob.as_bytes()).is_ok_and(begins) {
        return Some(format!("{kind} {blob}"));
    }
    value.mistake(format!("a host key is \"KIND BASE64\" as known_hosts has it, of one of {}", KINDS.join(", ")));
    None
}

#[cfg(test)]
mod tests {
    use super::super::Operator;
    use crate::model::Forge;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

    #[test]
    fn a_host_is_named_with_its_keys() {
        let text = format!(
            "[[network.ssh_host]]\nhost = \"Git.corp\"\nkeys = [\"{KEY} root@git\"]\n\
             [[network.ssh_host]]\nhost = \"github.com\"\naddress = \"10.0.0.1\"\nport = 443\nuser = \"x\"\nforge = \"github\"\nkeys = [\"{KEY}\"]\n"
        );
        let operator = Operator::read("c.toml", &text, &[]).expect("good");
        let [own, other] = &operator.ssh_hosts[..] else { panic!("two") };
        assert_eq!((&*own.host, own.port, &*own.user, own.forge), ("git.corp", 22, "git", None));
        assert_eq!(own.keys, [KEY]);
        assert_eq!((other.port, other.forge, other.address.as_deref()), (443, Some(Forge::GitHub), Some("10.0.0.1")));
    }

    #[test]
    fn every_mistake_has_its_line() {
        let text = "[[network.ssh_host]]\nhost = \"a\"\nkeys = []\n[[network.ssh_host]]\nhost = \"b\"\nport = 0\n\
                    forge = \"gitea\"\nkeys = [\"ssh-rsa AAAA\", \"ssh-ed25519 AAAA\", \"ssh-ed25519\"]\nkey = \"x\"\n";
        let mistakes = Operator::read("c.toml", text, &[]).expect_err("mistakes");
        let lines: Vec<usize> = mistakes.0.iter().map(|mistake| mistake.line).collect();
        assert_eq!(lines, [1, 4, 6, 7, 8, 9], "{mistakes}");
    }
}
