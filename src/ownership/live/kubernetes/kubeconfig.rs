//! A kubeconfig file: where the cluster of a context is and as whom it is asked (kubernetes.io, "Kubeconfig (v1)"). Programs that a
//! file names for making tokens are never run, and client certificates are not shown: what to do instead is said.

use data_encoding::BASE64;

use crate::ownership::artefacts::{Tree, View};
use crate::secret::Secret;

/// A cluster and how it is asked.
#[derive(Debug)]
pub struct Cluster {
    /// The API server's address.
    pub server: String,
    /// As whom.
    pub credential: Credential,
    /// The authority that its certificate is of, in PEM, where the file holds it.
    pub authority: Option<Vec<u8>>,
    /// The same, where the file names another.
    pub authority_file: Option<String>,
}

/// Where a bearer token is.
#[derive(Debug)]
pub enum Credential {
    /// Here.
    Token(Secret),
    /// In a file.
    File(String),
}

/// Reads a file for a context, or for the one that it calls current.
///
/// # Errors
/// In words that say what to do.
pub fn kubeconfig(text: &str, context: Option<&str>) -> Result<Cluster, String> {
    let (tree, broken) = Tree::parse(text);
    if let Some(broken) = broken {
        return Err(format!("the kubeconfig is not valid YAML at line {}", broken.line));
    }
    let root = tree.roots().next().ok_or("the kubeconfig is empty")?;
    let wanted = context.or_else(|| root.text_at(&["current-context"]));
    let wanted = wanted.ok_or("the kubeconfig has no current-context; name one with `context`")?;
    let of = |list: &str, name: &str, field: &str| named(root, list, name).and_then(|one| one.get(field));
    let context = of("contexts", wanted, "context").ok_or(format!("the kubeconfig has no context {wanted:?}"))?;
    let cluster = context.text_at(&["cluster"]).and_then(|name| of("clusters", name, "cluster"));
    let cluster = cluster.ok_or(format!("the kubeconfig's context {wanted:?} names no cluster of it"))?;
    let user = context.text_at(&["user"]).and_then(|name| of("users", name, "user"));
    let user = user.ok_or(format!("the kubeconfig's context {wanted:?} names no user of it"))?;
    if cluster.text_at(&["insecure-skip-tls-verify"]) == Some("true") {
        return Err(
            "the kubeconfig has insecure-skip-tls-verify: a cluster that does not prove who it is is not asked".to_owned()
        );
    }
    let authority = cluster.text_at(&["certificate-authority-data"]).map(|data| BASE64.decode(data.as_bytes()));
    Ok(Cluster {
        server: cluster.text_at(&["server"]).ok_or("the kubeconfig's cluster has no server")?.to_owned(),
        credential: credential(user)?,
        authority: authority.transpose().map_err(|_| "the kubeconfig's certificate-authority-data is no base64")?,
        authority_file: cluster.text_at(&["certificate-authority"]).map(str::to_owned),
    })
}

fn named<'t>(root: View<'t>, list: &str, name: &str) -> Option<View<'t>> {
    root.get(list)?.items().find(|one| one.text_at(&["name"]) == Some(name))
}

fn credential(user: View<'_>) -> Result<Credential, String> {
    if let Some(token) = user.text_at(&["token"]) {
        return Ok(Credential::Token(Secret::new(token.as_bytes())));
    }
    if let Some(file) = user.text_at(&["tokenFile"]) {
        return Ok(Credential::File(file.to_owned()));
    }
    let instead = "make a token (`kubectl create token NAME`) for an account that may list secrets and pods, and give it as \
                   `credential` with `server`";
    let what = match () {
        () if user.get("exec").is_some() => "the kubeconfig names a program that makes tokens, which is not run",
        () if user.get("auth-provider").is_some() => "the kubeconfig names an auth-provider, which is not spoken",
        () if user.get("client-certificate").is_some() || user.get("client-certificate-data").is_some() => {
            "the kubeconfig has a client certificate, which is not used"
        }
        () => "the kubeconfig's user has no token",
    };
    Err(format!("{what}; {instead}"))
}

#[cfg(test)]
mod tests {
    use super::{Credential, kubeconfig};

    fn file(user: &str, cluster: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: prod\ncontexts:\n- name: prod\n  context: {{cluster: c, user: u}}\n- name: \
             lost\n  context: {{cluster: x, user: u}}\nclusters:\n- name: c\n  cluster: {{server: 'https://10.0.0.1:6443', \
             {cluster}}}\nusers:\n- name: u\n  user: {{{user}}}\n"
        )
    }

    #[test]
    fn a_context_leads_to_its_cluster_and_its_token() {
        let cluster = kubeconfig(&file("token: abc", "certificate-authority-data: UEVN"), None).expect("a cluster");
        assert_eq!((cluster.server.as_str(), cluster.authority.as_deref()), ("https://10.0.0.1:6443", Some(&b"PEM"[..])));
        assert!(matches!(cluster.credential, Credential::Token(token) if token.expose() == b"abc"));
        let cluster = kubeconfig(&file("tokenFile: /run/t", "certificate-authority: /ca.pem"), Some("prod")).expect("one");
        assert!(matches!(cluster.credential, Credential::File(path) if path == "/run/t"));
        assert_eq!(cluster.authority_file.as_deref(), Some("/ca.pem"));
    }

    #[test]
    fn what_cannot_be_done_is_told_with_what_to_do() {
        for (user, cluster, context, said) in [
            ("token: a", "", Some("dev"), "no context \"dev\""),
            ("token: a", "", Some("lost"), "names no cluster"),
            ("exec: {command: aws}", "", None, "program that makes tokens, which is not run; make a token"),
            ("client-certificate-data: eA==", "", None, "client certificate, which is not used"),
            ("username: a", "", None, "has no token"),
            ("token: a", "insecure-skip-tls-verify: true", None, "insecure-skip-tls-verify"),
            ("token: a", "certificate-authority-data: '*'", None, "no base64"),
        ] {
            let why = kubeconfig(&file(user, cluster), context).expect_err("no cluster");
            assert!(why.contains(said), "{why}");
        }
        assert!(kubeconfig("a: [", None).is_err_and(|why| why.contains("not valid YAML at line")));
        assert!(kubeconfig("", None).is_err());
    }
}
