//! What the name of a value says about it: a password, a token, or neither. The last word decides: `password_hash` is a
//! hash and `token_url` an address.

/// What a name says its value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Typed by people, of any characters.
    Password,
    /// Made by a program: long and random.
    Token,
}

const PASSWORDS: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "pass",
    "passphrase",
    "passcode",
    "pw",
    "psw",
    "passw",
    "passwort",
    "kennwort",
    "contrasena",
    "senha",
    "requirepass",
    "masterauth",
    "userpass",
    "dbpass",
    "dbpassword",
    "dbpasswd",
    "dbpwd",
    "mypassword",
    "adminpassword",
    "rootpassword",
    "sshpass",
    "keypass",
    "storepass",
    "storepassword",
    "keypassword",
    "psk",
    "bindpw",
    "rootpw",
    "userpassword",
    "pgpassword",
    "rootpass",
    "adminpass",
    "mysqlpassword",
    "postgrespassword",
    "redispassword",
    "smtppassword",
    "mailpassword",
    "mysqlpwd",
    "sqlpwd",
    "pgpwd",
    "userpwd",
    "adminpwd",
    "rootpwd",
    "ftppwd",
    "smtppwd",
    "mailpwd",
    "redispwd",
    "mysqlpass",
    "ftppass",
    "smtppass",
    "mailpass",
    "ldappassword",
    "ftppassword",
    "motdepasse",
    "mdp",
    "wachtwoord",
    "heslo",
    "haslo",
    "parola",
    "salasana",
    "lozinka",
    "clave",
];
/// Words for password that are not of ASCII's letters, as text has them before a colon.
const ABROAD: &[&str] =
    &["密码", "密碼", "口令", "пароль", "Пароль", "パスワード", "비밀번호", "contraseña", "Contraseña", "κωδικός"];
/// What ends names whose words are run together: any of these behind anything but a verb says what it says alone.
const ENDINGS: &[(&str, Meaning)] = &[
    ("password", Meaning::Password),
    ("passwd", Meaning::Password),
    ("apikey", Meaning::Token),
    ("secretkey", Meaning::Token),
    ("clientsecret", Meaning::Token),
    ("accesstoken", Meaning::Token),
    ("authtoken", Meaning::Token),
    ("bottoken", Meaning::Token),
    ("jwttoken", Meaning::Token),
    ("slacktoken", Meaning::Token),
    ("githubtoken", Meaning::Token),
    ("signingsecret", Meaning::Token),
    ("stripesecret", Meaning::Token),
    ("awssecret", Meaning::Token),
    ("mysecret", Meaning::Token),
    ("sharedsecret", Meaning::Token),
];
/// Before such an ending, these make a message, a page or a question of it.
const VERBS: &[&str] = &[
    "forgot",
    "forget",
    "reset",
    "change",
    "update",
    "confirm",
    "verify",
    "check",
    "show",
    "hide",
    "no",
    "non",
    "has",
    "is",
    "use",
    "using",
    "invalid",
    "wrong",
    "bad",
    "empty",
    "missing",
    "incorrect",
    "recover",
    "lost",
    "set",
    "get",
    "enter",
    "require",
    "required",
    "without",
    "with",
    "valid",
    "validate",
    "toggle",
    "repeat",
    "retype",
    "needs",
    "generate",
    "create",
    "hash",
    "encrypt",
    "compare",
    "ask",
    "askfor",
    "prompt",
    "enable",
    "disable",
    "allow",
    "encode",
    "decode",
];
const TOKENS: &[&str] = &[
    "secret",
    "secrets",
    "token",
    "apikey",
    "apitoken",
    "authtoken",
    "accesstoken",
    "secretkey",
    "accesskey",
    "authkey",
    "clientsecret",
    "apisecret",
    "appsecret",
    "appkey",
    "privatekey",
    "credential",
    "credentials",
    "encryptionkey",
    "signingkey",
    "masterkey",
    "sharedkey",
    "sessionsecret",
    "jwtsecret",
    "cookiesecret",
    "secretkeybase",
    "refreshtoken",
    "bearertoken",
    "webhooksecret",
    "authorization",
    "accountkey",
    "sharedaccesskey",
    "consumersecret",
    "hmackey",
    "cryptkey",
    "pat",
    "authsecret",
    "usertoken",
    "pepper",
];
/// Before `key`, these make a secret of it.
const KEYS: &[&str] = &[
    "api",
    "access",
    "secret",
    "private",
    "auth",
    "encryption",
    "encrypt",
    "signing",
    "sign",
    "master",
    "app",
    "service",
    "gateway",
    "partner",
    "payment",
    "payments",
    "llm",
    "bot",
    "sms",
    "email",
    "maps",
    "backend",
    "vendor",
    "upstream",
    "account",
    "client",
    "admin",
    "session",
    "jwt",
    "hmac",
    "cookie",
    "shared",
    "webhook",
    "crypto",
    "cipher",
    "aes",
    "decryption",
    "token",
    "priv",
    "enc",
    "integration",
    "write",
    "read",
    "ingest",
    "licence",
    "license",
    "storage",
    "root",
    "server",
    "deploy",
    "function",
    "host",
    "security",
    "subscription",
    "rest",
    "csrf",
    "hash",
    "salt",
    "fernet",
    "preshared",
    "validation",
    "or",
];
/// After a secret word, these change nothing.
const SUFFIXES: &[&str] = &[
    "value",
    "prod",
    "production",
    "dev",
    "development",
    "staging",
    "stage",
    "live",
    "default",
    "base64",
    "b64",
    "encoded",
    "text",
    "string",
    "str",
    "main",
    "backup",
    "old",
    "new",
    "primary",
    "secondary",
    "env",
    "plain",
    "plaintext",
    "raw",
    "base",
    "current",
    "v1",
    "v2",
    "local",
    "override",
    "qa",
    "uat",
    "internal",
    "external",
    "1",
    "2",
    "3",
];

/// What the name of several says of each: `tokens`, `api_keys`, `passwords`, or what says it of one.
pub(super) fn meaning_of_one(name: &[u8]) -> Option<Meaning> {
    meaning(name).or_else(|| meaning(name.strip_suffix(b"s").or(name.strip_suffix(b"S"))?))
}

/// `app2password`: what a word says behind the last digit in it. A hash of a password is called so too.
fn behind_digits(word: &str) -> &str {
    let at = word.rfind(|letter: char| letter.is_ascii_digit()).map_or(0, |at| at + 1);
    let hash = ["md5", "sha1", "sha256", "sha512"].iter().any(|hash| word[..at].ends_with(hash));
    if hash || word.len() - at < 4 { word } else { &word[at..] }
}

/// `openaiapikey`, `emailpassword`: what a name says whose words are run together.
fn run_together(word: &str) -> Option<Meaning> {
    let (before, said) = ENDINGS.iter().find_map(|(ending, said)| Some((word.strip_suffix(ending)?, *said)))?;
    let is_word = before.len() > 1 && before.bytes().all(|byte| byte.is_ascii_lowercase());
    (is_word && !VERBS.contains(&before) && before != "public").then_some(said)
}

/// What `name` says, if it speaks of a secret at all.
pub(super) fn meaning(name: &[u8]) -> Option<Meaning> {
    if !name.is_ascii() {
        return ABROAD.iter().any(|word| name.ends_with(word.as_bytes())).then_some(Meaning::Password);
    }
    let words = words(name);
    let mut end = words.len();
    while end > 1 && SUFFIXES.contains(&words[end - 1].as_str()) {
        end -= 1;
    }
    // `apiKey2`.
    let last = words.get(end.checked_sub(1)?)?.trim_end_matches(|digit: char| digit.is_ascii_digit());
    let before = end.checked_sub(2).map_or("", |n| words[n].as_str());
    // WordPress' mark of a frame in a page, new with every view (developer.wordpress.org, "oEmbed").
    if name == b"data-secret" {
        return None;
    }
    // `GUID_CHANGE_PASSWORD`: what such a right is called.
    if words.iter().any(|word| matches!(word.as_str(), "guid" | "uuid" | "oid")) {
        return None;
    }
    let last = behind_digits(last);
    if PASSWORDS.contains(&last) || (last == "word" && before == "pass") {
        return Some(Meaning::Password);
    }
    if let Some(said) = run_together(last) {
        return Some(said);
    }
    let public_key = |two: &[String]| two[0] == "public" && two[1] == "key";
    if before == "public"
        || words.windows(2).any(public_key)
        || (last == "token"
            && matches!(
                before,
                "next"
                    | "page"
                    | "continuation"
                    | "csrf"
                    | "authenticity"
                    | "cancellation"
                    | "cancel"
                    | "sync"
                    | "pagination"
                    | "start"
                    | "resume"
                    | "change"
                    | "grant"
                    | "client"
                    | "idempotency"
                    | "request"
                    | "invalidation"
                    | "lock"
                    | "fencing"
                    | "end"
                    | "stop"
                    | "per"
            ))
    {
        return None;
    }
    // Drupal's and CakePHP's, with which links and cookies are made.
    let salt = last == "salt" && matches!(before, "hash" | "security");
    if TOKENS.contains(&last) || salt || (matches!(last, "key" | "keys") && KEYS.contains(&before)) {
        return Some(Meaning::Token);
    }
    (last == "auth" && !before.is_empty()).then_some(Meaning::Token)
}

/// The words of a name in lower case: at separators, between small and capital, before digits never.
pub(super) fn words(name: &[u8]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut fresh = true;
    for (n, &byte) in name.iter().enumerate() {
        if !byte.is_ascii_alphanumeric() {
            fresh = true;
            continue;
        }
        let next_small = name.get(n + 1).is_some_and(u8::is_ascii_lowercase);
        let before = n.checked_sub(1).map_or(b'_', |n| name[n]);
        let hump = byte.is_ascii_uppercase()
            && (before.is_ascii_lowercase() || before.is_ascii_digit() || (before.is_ascii_uppercase() && next_small));
        if fresh || hump {
            words.push(String::new());
        }
        fresh = false;
        if let Some(word) = words.last_mut() {
            word.push(char::from(byte.to_ascii_lowercase()));
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::{Meaning, meaning};

    #[test]
    fn the_last_word_decides() {
        for name in [
            "password",
            "DB_PASSWORD",
            "dbPassword",
            "spring.datasource.password",
            "PGPASSWORD",
            "adminPwd",
            "--password",
            "PASSWORD_PROD",
            "dbPassword2",
            "challenge41password",
            "app2password",
            "mysqlpwd",
            "emailpassword",
            "passWord",
            "pass_word",
            "motdepasse",
            "密码",
        ] {
            assert_eq!(meaning(name.as_bytes()), Some(Meaning::Password), "{name}");
        }
        for name in [
            "api_key",
            "API-KEY",
            "clientSecret",
            "X-Auth-Token",
            "SECRET_KEY_BASE",
            "jwtSecret",
            "APIKey",
            "accessToken",
            "secretKey",
            "encryption_key",
            "s3secretkey",
            "AIRFLOW__CORE__FERNET_KEY",
            "PresharedKey",
            "secretOrKey",
            "hash_salt",
            "cookieValidationKey",
            "config.pepper",
            "API Key",
            "secret key",
            "openaiapikey",
            "discordbottoken",
            "privKey",
        ] {
            assert_eq!(meaning(name.as_bytes()), Some(Meaning::Token), "{name}");
        }
    }

    #[test]
    fn other_last_words_speak_of_no_secret() {
        for name in [
            "password_hash",
            "token_url",
            "secretName",
            "publicKey",
            "public_key",
            "key",
            "keyboard",
            "compass",
            "passenger",
            "tokenizer",
            "next_token",
            "GUID_CHANGE_PASSWORD",
            "publicKeyToken",
            "authenticity_token",
            "nextPageToken",
            "password-field",
            "md5password",
            "x509",
            "sha256secret",
            "abc1pat",
            "salt",
            "password_salt",
            "data-secret",
            "forgotpassword",
            "resetpassword",
            "publicapikey",
            "密码强度",
        ] {
            assert_eq!(meaning(name.as_bytes()), None, "{name}");
        }
    }
}
