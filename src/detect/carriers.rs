//! The files that carry credentials in the world, through the whole scanner: what is found, and on which line and column.

use super::{DetectorSet, Found, Lines, Scanner};
use crate::model::{Blob, Credential};

fn builtin() -> &'static DetectorSet {
    static SET: std::sync::OnceLock<DetectorSet> = std::sync::OnceLock::new();
    SET.get_or_init(|| DetectorSet::builtin().expect("detectors"))
}

const ID: &str = concat!("AKIA", "RZPUZDIKAB6VH3GC");
const SECRET: &str = concat!("YSf7T4epY8ReR/owIXHV", "XspkSH/B6EJKs8nmxW1E");
const TOKEN: &str = concat!("glpat", "-Zk4vT9qLw2RxN7cBd1Yh");
const TOKEN_BY_NAME: &str = concat!("Zk4vT9qLw2RxN7c", "Bd1YhQ8sJm3Gf6Pa");
const PASSWORD: &str = concat!("vR7#kq2", "Lw9zT");

fn base64(text: &str) -> String {
    data_encoding::BASE64.encode(text.as_bytes())
}

fn find(path: &str, text: &str) -> Vec<Credential> {
    let mut all = Vec::new();
    Scanner::new(builtin()).scan(&Blob::whole(path, text.as_bytes()), &mut |found| {
        if let Found::Credential(credential) = found {
            all.push(credential);
        }
    });
    all.sort_by_key(|credential| credential.parts[0].span.start);
    all
}

/// Asserts that exactly `detector` is found in the text, and that its first part begins where `¦` stands.
#[track_caller]
fn holds(path: &str, marked: &str, detector: &str) -> Credential {
    let at = marked.find('¦').expect("a mark");
    let text = marked.replace('¦', "");
    let mut all = find(path, &text);
    assert_eq!(all.len(), 1, "{path}: {all:?}");
    let one = all.remove(0);
    assert_eq!(&*one.detector, detector, "{path}");
    let location = Lines::of(&Blob::whole(path, text.as_bytes())).locate(&one.parts[0].span);
    let line = 1 + text[..at].matches('\n').count() as u64;
    let column = 1 + (at - text[..at].rfind('\n').map_or(0, |end| end + 1)) as u64;
    assert_eq!((location.line, location.column), (line, column), "{path}: {text}");
    one
}

#[test]
fn docker_config_and_git_credentials() {
    let auth = base64(&format!("ci:{PASSWORD}"));
    holds(
        "home/a/.docker/config.json",
        &format!("{{\n  \"auths\": {{\n    \"r.internal\": {{\n      \"auth\": \"¦{auth}\"\n    }}\n  }}\n}}\n"),
        "docker-config-auth",
    );
    holds(
        "home/a/.git-credentials",
        &format!("https://git.corp.net\nhttps://bob:¦{TOKEN}@git.corp.net\n"),
        "gitlab-personal-access-token",
    );
}

#[test]
fn kubeconfig() {
    let text = format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: prod\n  cluster:\n    server: https://10.0.0.1:6443\nusers:\n- name: ci\n  user:\n    password: ¦{PASSWORD}\n    username: ci\n"
    );
    holds("home/a/.kube/config", &text, "generic-secret");
}

#[test]
fn notebook_and_shell_history() {
    holds(
        "train.ipynb",
        &format!("{{\"cells\": [\n {{\"source\": [\n   \"import os\\n\",\n   \"token = \\\"¦{TOKEN}\\\"\\n\"\n ]}}\n]}}\n"),
        "gitlab-personal-access-token",
    );
    holds(
        "train.ipynb",
        &format!(
            "{{\"cells\": [\n {{\"source\": [\n   \"import os\\n\",\n   \"password = \\\"¦{PASSWORD}\\\"\\n\"\n ]}}\n]}}\n"
        ),
        "generic-secret",
    );
    holds("home/a/.bash_history", &format!("ls\nexport DB_PASSWORD=¦{PASSWORD}\nls\n"), "generic-secret");
    holds(
        "home/a/.zsh_history",
        &format!(": 1700000000:0;ls\n: 1700000001:0;curl -H 'PRIVATE-TOKEN: ¦{TOKEN}' x\n"),
        "gitlab-personal-access-token",
    );
}

#[test]
fn minified_code_and_tables() {
    let noise = "!function(e,t){e.exports=t()}(this,function(){return{a:1,b:\"x\"}});".repeat(200);
    holds("static/app.min.js", &format!("{noise}var c={{t:\"¦{TOKEN}\"}};{noise}"), "gitlab-personal-access-token");
    holds("export.csv", &format!("name,value\nport,8080\ndb_password,¦{PASSWORD}\n"), "generic-secret");
    holds("export.csv", &format!("name,value\nport,8080\n\"db_password\",\"¦{PASSWORD}\"\n"), "generic-secret");
}

#[test]
fn texts_in_pieces() {
    let (head, tail) = TOKEN.split_at(12);
    for (path, text) in [
        ("a.js", format!("const t = \"¦{head}\" +\n  \"{tail}\";\n")),
        ("a.py", format!("t = \"¦{head}\" \\\n    \"{tail}\"\n")),
        ("a.py", format!("t = (\"¦{head}\"\n     \"{tail}\")\n")),
        ("a.php", format!("$t = '¦{head}' . '{tail}';\n")),
        ("a.sh", format!("T=¦{head}\\\n{tail}\n")),
        ("a.yaml", format!("t: \"¦{head}\\\n  {tail}\"\n")),
        ("a.yaml", format!("a: 1\nt: >-\n  ¦{head}\n  {tail}\nb: 2\n")),
    ] {
        let one = holds(path, &text, "gitlab-personal-access-token");
        let text = text.replace('¦', "");
        let span = &one.parts[0].span;
        assert!(text[..span.end as usize].ends_with(tail), "{path}: {span:?}");
    }
}

#[test]
fn encoded_values_under_names() {
    for (path, text) in [
        ("a.env", format!("GITLAB_TOKEN=\"¦{}\"\n", base64(TOKEN))),
        ("a.env", format!("GITLAB_TOKEN=\"¦{}\"\n", base64(&base64(TOKEN)))),
        ("a.py", format!("t = bytes.fromhex(\"¦{}\")\n", data_encoding::HEXLOWER.encode(TOKEN.as_bytes()))),
    ] {
        holds(path, &text, "gitlab-personal-access-token");
    }
    // A value without a prefix is known by the name outside.
    holds("a.env", &format!("NPM_AUTH_TOKEN=\"¦{}\"\n", base64("6254fa39-2edc-412b-8675-4395e96d4d35")), "npm-legacy-token");
    let hex = data_encoding::HEXLOWER.encode(PASSWORD.as_bytes());
    let found = find("a.env", &format!("X=1\nDB_PASSWORD={hex}\n"));
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn what_a_web_token_carries() {
    let segment = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
    let header = segment(r#"{"alg":"HS256","typ":"JWT"}"#);
    let claims = segment(&format!(r#"{{"iss":"https://id.corp.net","id":"{ID}","key":"{SECRET}"}}"#));
    let all = find("a.env", &format!("SESSION={header}.{claims}.{}\n", segment("abcdefgh-ijklmnop-qrstuvwx-yz012345")));
    let kinds: Vec<&str> = all.iter().map(|one| &*one.detector).collect();
    assert!(kinds.contains(&"json-web-token") && kinds.contains(&"aws-access-key"), "{kinds:?}");
}

#[test]
fn half_a_pair_is_partial() {
    for (text, detector) in [
        (format!("key_id = \"{ID}\"\n"), "aws-access-key"),
        (format!("aws_secret_access_key = {SECRET}\n"), "aws-secret-key"),
        (
            format!(
                "GCS_ACCESS_KEY = \"{}\"\n",
                concat!("GOOG", "1EX06CX0EL1WVRFLU9Q3X8MB2FE9TNJYE95SNJFO0N9XZEC95VMXNR8RX")
            ),
            "gcp-hmac-key",
        ),
        (format!("tencent_secret_id = \"{}\"\n", concat!("AKID", "iPOSb5S0c2aVf3KvPWWUsWo1PLhYAPTR")), "tencent-cloud-key"),
        (
            format!("tencent_secret_key = \"{}\"\n", concat!("U1Etn8jVoEARC4Yr", "6uyDUfz9omJd1ssS")),
            "tencent-cloud-secret-key",
        ),
    ] {
        let all = find("a.ini", &text);
        let [one] = all.as_slice() else { panic!("{text}: {all:?}") };
        assert_eq!(&*one.detector, detector, "{text}");
        assert!(one.partial || one.parts.len() == 1, "{text}");
    }
}

#[test]
fn a_default_within_a_reference_is_found_once() {
    for (path, text) in [
        ("docker-compose.yml", "services:\n  db:\n    environment:\n      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:-¦@}\n"),
        ("docker-compose.yml", "      - DB_PASSWORD=${DB_PASSWORD:-¦@}\n"),
        ("application.yml", "spring:\n  datasource:\n    password: ${DB_PASSWORD:¦@}\n"),
        ("run.sh", "DB_PASSWORD=\"${DB_PASSWORD:-¦@}\"\n"),
        ("docker-compose.yml", "  DB: ${POSTGRES_PASSWORD:-¦@}\n"),
    ] {
        holds(path, &text.replace('@', PASSWORD), "generic-secret");
    }
    // A program's own variable.
    holds("run.sh", &format!("PGPASSWORD=\"${{PGPASSWORD:-¦{PASSWORD}}}\"\n"), "password-variable");
}

#[test]
fn a_quoted_text_in_a_quoted_text_is_found_once() {
    let text = format!("  buildConfigField(\"String\", \"API_SECRET\", \"\\\"¦{TOKEN_BY_NAME}\\\"\")\n");
    holds("app/build.gradle.kts", &text, "generic-secret");
    let text = format!("  buildConfigField 'String', 'API_SECRET', '\"¦{TOKEN_BY_NAME}\"'\n");
    holds("app/build.gradle", &text, "generic-secret");
}
