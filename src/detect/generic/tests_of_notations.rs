//! Notations in which a secret is written farther from its name than beside it.

use super::{assignments, name};
use crate::detect::kind::FileKind;
use crate::model::Confidence;

pub(super) const PASSWORD: &str = "vR7#kq2Lw9zT";
pub(super) const KEY: &str = "Zk4vT9qLw2RxN7cBd1YhQ8sJm3Gf6Pa";

/// What is found by the first `word` of the text: values and why they are none.
fn found(path: &str, text: &str, word: &str) -> Vec<(String, Result<Confidence, &'static str>)> {
    let at = text.find(word).unwrap_or_else(|| panic!("{word} in {text}"));
    let name = name(text.as_bytes(), &(at..at + word.len()));
    let found = name.into_iter().flat_map(|name| assignments(text.as_bytes(), &name, FileKind::of(path)));
    found.map(|one| (text[one.value].to_owned(), one.verdict)).collect()
}

/// Asserts that `word` leads to just what stands at `¦` in each text.
#[track_caller]
pub(super) fn finds(value: &str, cases: &[(&str, &str, &str)]) {
    for (path, text, word) in cases {
        let text = text.replace('¦', value);
        let all = found(path, &text, word);
        assert!(matches!(all.as_slice(), [(one, Ok(_))] if one == value), "{path}: {text}: {all:?}");
    }
}

/// Asserts that `word` leads to no secret in any text.
#[track_caller]
pub(super) fn is_silent(cases: &[(&str, &str, &str)]) {
    for (path, text, word) in cases {
        let text = text.replace('¦', KEY);
        let all = found(path, &text, word);
        assert!(all.iter().all(|(_, verdict)| verdict.is_err()), "{path}: {text}: {all:?}");
    }
}

#[test]
fn what_stands_in_for_a_variable_is_the_value() {
    finds(
        PASSWORD,
        &[
            ("a.yml", "password: ${DB:¦}\n", "password"),
            ("a.properties", "spring.datasource.password=${DB:¦}\n", "password"),
            ("docker-compose.yml", "  POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:-¦}\n", "PASSWORD"),
            ("docker-compose.yml", "  - POSTGRES_PASSWORD=${PG:-¦}\n", "PASSWORD"),
            ("docker-compose.yml", "  DB: ${POSTGRES_PASSWORD:-¦}\n", "PASSWORD"),
            ("docker-compose.yml", "  DB: ${POSTGRES_PASSWORD-¦}\n", "PASSWORD"),
            ("docker-compose.yml", "  DB: postgres://u:${PG_PASSWORD:-¦}@h/d\n", "PASSWORD"),
            ("a.sh", "DB_PASSWORD=\"${DB_PASSWORD:-¦}\"\n", "PASSWORD"),
            ("a.sh", ": \"${DB_PASSWORD:=¦}\"\n", "PASSWORD"),
            ("a.sh", "PASS=${1:-¦}\n", "PASS"),
            ("a.yml", "PASS: ${X-¦}\n", "PASS"),
            ("a.j2", "password: \"{{ db_password | default('¦') }}\"\n", "password"),
            ("values.tpl", "password: {{ .Values.password | default \"¦\" }}\n", "password"),
            ("a.xml", "<password>${DB:¦}</password>\n", "password"),
        ],
    );
    finds(
        KEY,
        &[
            ("a.dart", "String.fromEnvironment(\"API_KEY\", defaultValue: \"¦\")", "API_KEY"),
            ("a.py", "API = config('API_KEY', default='¦')", "API_KEY"),
            ("a.sh", "TOKEN=${1:-¦}\n", "TOKEN"),
            ("a.js", "`${process.env.API_KEY || \"¦\"}`", "API_KEY"),
        ],
    );
    is_silent(&[
        ("a.yml", "password: ${DB_PASSWORD:changeme}\n", "password"),
        ("a.yml", "password: ${DB_PASSWORD:-postgres}\n", "password"),
        ("a.yml", "password: ${DB_PASSWORD}\n", "password"),
        ("a.yml", "password: ${DB_PASSWORD:?must be set}\n", "password"),
        ("a.yml", "password: ${DB_PASSWORD:+¦}\n", "password"),
        ("a.yml", "password: ${env:DB_PASSWORD}\n", "password"),
        ("a.yml", "password: ${ssm:/app/¦}\n", "password"),
        ("a.yml", "password: ${A:-${B}}\n", "password"),
        ("a.yml", "password: ${A:-$B_PASSWORD}\n", "password"),
        ("a.yml", "password: {{ x | default(omit) }}\n", "password"),
        ("a.yml", "password: {{ x | default('changeme') }}\n", "password"),
        ("a.dart", "String.fromEnvironment(\"API_KEY\", defaultValue: \"\")", "API_KEY"),
        ("a.py", "config('API_KEY', default=None, cast='¦')", "API_KEY"),
    ]);
}

#[test]
fn definitions_and_build_fields_give_values() {
    finds(
        KEY,
        &[
            ("a.h", "#define API_KEY \"¦\"\n", "API_KEY"),
            ("a.m", "#define kAPISecret @\"¦\"\n", "Secret"),
            ("a.ino", "# define API_TOKEN \"¦\" // x\n", "TOKEN"),
            ("a.asm", "%define API_KEY \"¦\"\n", "API_KEY"),
            ("build.gradle", "buildConfigField 'String', 'API_KEY', '\"¦\"'\n", "API_KEY"),
            ("build.gradle.kts", "  buildConfigField(\"String\", \"API_SECRET\", \"\\\"¦\\\"\")\n", "SECRET"),
            ("build.gradle", "resValue 'string', 'maps_secret', '¦'\n", "secret"),
        ],
    );
    finds(PASSWORD, &[("a.h", "#define WIFI_PASSWORD \"¦\"\n", "PASSWORD")]);
    is_silent(&[
        ("a.h", "#define API_KEY_NAME \"¦\"\n", "API_KEY"),
        ("a.h", "#define TOKEN \"unexpected token\"\n", "TOKEN"),
        ("a.h", "#define PASSWORD getpass(\"¦\")\n", "PASSWORD"),
        ("a.h", "// see PASSWORD \"¦\"\n", "PASSWORD"),
        ("build.gradle", "buildConfigField 'String', 'API_KEY', apiKey\n", "API_KEY"),
        ("build.gradle", "listOf('String', 'API_KEY', '¦')\n", "API_KEY"),
        ("build.gradle", "buildConfigField 'String', 'API_KEY', '\"${key}\"'\n", "API_KEY"),
    ]);
}

#[test]
fn the_last_piece_of_a_scoped_name_is_the_name() {
    finds(
        KEY,
        &[
            ("a.ps1", "$env:API_KEY = \"¦\"\n", "API_KEY"),
            ("a.ps1", "$global:ApiSecret = \"¦\"\n", "Secret"),
            ("a.vim", "let g:api_key = \"¦\"\n", "api_key"),
            ("a.json", "{\"Jwt:Key\": \"¦\"}", "Jwt:Key"),
            ("a.env", "Jwt__Key=¦\n", "Jwt__Key"),
        ],
    );
    finds(
        PASSWORD,
        &[
            ("a.ps1", "$script:Password = '¦'\n", "Password"),
            ("Pulumi.dev.yaml", "config:\n  app:dbPassword: ¦\n", "Password"),
            ("a.json", "{\"app:password\":\"¦\"}", "password"),
            ("a.json", "{\"ConnectionStrings:Password\":\"¦\"}", "Password"),
        ],
    );
    is_silent(&[
        ("a.txt", "arn:aws:secretsmanager:eu-west-1:1:secret:¦", "secret"),
        ("a.yml", "image: app:token=¦\n", "token"),
        ("a.xsd", "<a type=\"xs:token\" default=\"¦\"/>", "token"),
        ("a.ps1", "$env:API_KEY = $args[0]\n", "API_KEY"),
    ]);
}

#[test]
fn values_below_their_names_are_found() {
    finds(
        KEY,
        &[
            ("a.js", "const secretKey =\n  \"¦\";", "secretKey"),
            ("a.js", "  apiKey:\n    '¦',\n", "apiKey"),
            ("a.py", "API_SECRET = (\n  \"¦\"\n)\n", "SECRET"),
            ("a.py", "API_SECRET = \\\n  \"¦\"\n", "SECRET"),
            ("a.json", "\"api_key\":\r\n  \"¦\"\n", "api_key"),
            ("a.tf", "  api_key = <<-EOT\n    ¦\n  EOT\n", "api_key"),
        ],
    );
    finds(
        PASSWORD,
        &[
            ("a.yml", "password: >-\n  ¦\nnext: x\n", "password"),
            ("a.yml", "  password: |\n    ¦\n", "password"),
            ("a.yml", "password: &pw ¦\n", "password"),
            ("a.yml", "password: !!str ¦\n", "password"),
            ("a.yml", "password: !unsafe \"¦\"\n", "password"),
            ("a.xml", "<password><![CDATA[¦]]></password>", "password"),
            ("a.json", "{\"ParameterKey\":\"DBPassword\",\"ParameterValue\":\"¦\"}", "Password"),
            ("a.bat", "setx DB_PASSWORD ¦\n", "PASSWORD"),
            ("a.csh", "setenv DB_PASSWORD ¦\n", "PASSWORD"),
        ],
    );
    is_silent(&[
        ("a.py", "if token:\n    \"¦\"\n", "token"),
        ("a.py", "def f(token):\n    \"\"\"¦\"\"\"\n", "token"),
        ("a.ini", "password =\n\"¦\" = x\n", "password"),
        ("a.yml", "secrets:\n  \"¦\": x\n", "secret"),
        ("a.sh", "PASSWORD=\n\"¦\"\n", "PASSWORD"),
        ("a.js", "const token =\n  \"¦\" + x;", "token"),
        ("a.js", "const token =\n\n  \"¦\";", "token"),
        ("a.py", "TOKEN = (\n  \"¦\" % x\n)\n", "TOKEN"),
        ("a.yml", "password: |\n  ¦\n  second line\n", "password"),
        ("a.yml", "password: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  ¦\n", "password"),
        ("a.yml", "password: >-\n  changeme\n", "password"),
        ("a.tf", "  token = <<EOT\n  ¦\n  more\n  EOT\n", "token"),
        ("a.yml", "password: !env ¦\n", "password"),
    ]);
}

#[test]
fn each_piece_of_a_list_is_a_value() {
    let other: String = KEY.chars().rev().collect();
    for (path, text, word) in [
        ("a.json", format!("{{\"tokens\": [\"{KEY}\", \"changeme\",\n \"{other}\"]}}"), "token"),
        ("a.py", format!("API_TOKENS = [\n  '{KEY}',\n  '{other}',\n]\n"), "TOKEN"),
        ("a.ts", format!("const apiKeys: string[] = [\"{KEY}\", \"{other}\"];"), "apiKey"),
        ("a.yml", format!("tokens:\n  - {KEY}\n  - \"{other}\"\nnext: 1\n"), "token"),
        ("a.yml", format!("passwords:\n- {KEY}\n- {other}"), "password"),
    ] {
        let all = found(path, &text, word);
        let values: Vec<&str> = all.iter().map(|(value, _)| value.as_str()).collect();
        assert_eq!(values, [KEY, &other], "{text}");
    }
    is_silent(&[
        ("a.json", "{\"tokens\": [\"the\", \"quick_brown_fox\", \"jumped-over-dogs\"]}", "token"),
        ("a.json", "{\"passwords\": [\"dragon2012\", \"letmein99\", \"P4ss1\"]}", "password"),
        ("a.php", "'password' => ['required', 'string', 'min:8'],", "password"),
        ("a.json", "{\"max_tokens\": [4096, 8192]}", "token"),
        ("a.json", "{\"token_ids\": [\"¦\"]}", "token"),
        ("a.yml", "secrets:\n  - db-password-prod\n  - source: ¦\n", "secret"),
        ("a.js", "tokens = [\"¦\" + x, \"y\"]", "token"),
        ("a.js", "tokens == [\"¦\"]", "token"),
    ]);
}

#[test]
fn headers_arguments_and_bytes_are_seen_in_their_own_notations() {
    finds(
        KEY,
        &[
            ("notes.txt", "Authorization: Bearer ¦\n", "Authorization"),
            ("ci.log", "2026-01-02 > Authorization: Token ¦\n", "Authorization"),
            ("api.md", "curl -H \"Authorization: Token ¦\" https://x\n", "Authorization"),
            ("a.php", "$h = ['Authorization: Bearer ¦'];", "Authorization"),
            ("a.php", "$h = ['X-Api-Key: ¦'];", "Api-Key"),
            ("a.py", "headers = {'Authorization': f'Bearer ¦'}", "Authorization"),
            ("a.cs", "var token = $\"¦\";", "token"),
            ("a.py", "TOKEN = \"\"\"¦\"\"\"\n", "TOKEN"),
            ("a.go", "var jwtKey = []byte(\"¦\")", "jwtKey"),
            ("mcp.json", "\"args\": [\"-y\", \"x\", \"--api-key\", \"¦\"]", "api-key"),
            ("a.ipynb", "\"%env ACME_TOKEN=¦\\n\"", "TOKEN"),
            ("a.py", "run('export ACME_TOKEN=¦')", "TOKEN"),
            ("hosts", "10.0.0.1 api_token=¦ port=22\n", "token"),
            ("a.cs", "\"Uid=sa;Pwd=¦;\"", "Pwd="),
            ("a.cs", "c.Authorization = new AuthenticationHeaderValue(\"Bearer\", \"¦\");", "Authorization"),
            ("a.rb", "# admin password: ¦\n", "password"),
            ("flow.json", "{\"api_key\": {\"value\": \"¦\", \"type\": \"str\"}}", "api_key"),
            ("autounattend.xml", "<AdministratorPassword><Value>¦</Value>", "Password"),
            ("A.java", "user.password(\"{noop}¦\")", "password"),
            ("a.js", "  // pwd = ¦\n", "pwd "),
        ],
    );
    finds("zqxj kwvp mfgt hbrd", &[("a.py", "EMAIL_HOST_PASSWORD = \"¦\"", "PASSWORD")]);
    is_silent(&[
        ("a.py", "headers = {'Authorization': f'Bearer {token}'}", "Authorization"),
        ("a.cs", "var token = $\"{prefix}¦\";", "token"),
        ("notes.txt", "Authorization: Bearer ¦ is what the server wants\n", "Authorization"),
        ("a.php", "$h = ['X-Api-Key: ' . $key];", "Api-Key"),
        ("a.js", "const t = 'password: ¦';", "password"),
        ("a.py", "\"password\": \"this that with have\"", "password"),
        ("a.json", "[\"api-key\", \"¦\"]", "api-key"),
        ("flow.json", "{\"api_key\": {\"value\": \"\", \"type\": \"¦\"}}", "api_key"),
        ("flow.json", "{\"password\": {\"type\": \"¦\"}}", "password"),
        ("a.cs", "c.Authorization = new AuthenticationHeaderValue(\"Bearer\", token);", "Authorization"),
        ("a.rb", "# password: ¦ is what it says\n", "password"),
        ("a.go", "// password: someVariable\n", "password"),
    ]);
}

#[test]
fn a_path_before_a_name_leaves_it_one() {
    finds(
        KEY,
        &[
            ("secret_token.rb", "Shop::Application.config.secret_key_base = \"¦\"\n", "secret"),
            ("a.php", "self::$secret_key = '¦';\n", "secret_key"),
            ("a.rb", "Aws::Config.secret_key = '¦'\n", "secret_key"),
            ("a.cc", "const char* Config::password = \"¦\";", "password"),
        ],
    );
    is_silent(&[
        ("a.yml", "role: arn:aws:iam::secret=¦\n", "secret"),
        ("a.tf", "arn = \"arn:aws:secretsmanager:eu-west-1:123456789012:secret:¦\"\n", "secret"),
    ]);
}

#[test]
fn a_setting_may_hold_a_parenthesis_and_no_call() {
    let value = "W1&G4tq(S9vJWK7+mZ2p!xLr8cQe";
    finds(
        value,
        &[
            (".env", "SECRET_KEY=¦\n", "SECRET"),
            ("a.yml", "secret_key: ¦\n", "secret"),
            ("a.properties", "app.secret=¦\n", "secret"),
        ],
    );
    is_silent(&[
        (".env", "SECRET_KEY=env(¦)\n", "SECRET"),
        ("a.yml", "secret_key: os.environ.get(¦)\n", "secret"),
        ("a.sh", "SECRET_KEY=$(pass ¦)\n", "SECRET"),
        ("database.yml", "<% password = ENV.key?(\"¦\") ? 1 : 2 %>\n", "password"),
        ("a.py", "secret_key = W1&G4(¦)\n", "secret"),
    ]);
}

#[test]
fn a_password_may_hold_a_sign_that_ascii_has_not() {
    finds("0Y8rMnw$*9VFYE§59-!Fg1L6t", &[("users.yml", "password: '¦'\n", "password")]);
    is_silent(&[
        ("a.yml", "password: 'Größe2 Ändern'\n", "password"),
        ("a.yml", "password: 'Пароль12Aa'\n", "password"),
        ("a.yml", "password: 'contraseña'\n", "password"),
    ]);
}

#[test]
fn places_in_storage_and_accounts_on_a_chain_are_none() {
    let (slot, account) = (["0x", &"1c3f9a".repeat(10), "7e2d"].concat(), ["0x", &"5Fb1".repeat(10)].concat());
    for text in [
        format!("{{\"storageKeys\": [\"{slot}\"]}}"),
        format!("{{\"storageKey\": \"{slot}\"}}"),
        format!("{{\"zapToken\": \"{account}\"}}"),
    ] {
        let word = if text.contains("storage") { "storageKey" } else { "Token" };
        let all = found("a.json", &text, word);
        assert!(all.iter().all(|(_, verdict)| verdict.is_err()), "{text}: {all:?}");
    }
}

#[test]
fn labels_in_texts_are_names() {
    finds(
        KEY,
        &[
            ("notes.md", "API key: ¦\n", "API key"),
            ("notes.txt", "Secret key: ¦\n", "Secret key"),
            ("a.java", "    run(); // AccessKey: ¦ SecretKey: see below\n", "AccessKey"),
        ],
    );
    finds(
        PASSWORD,
        &[
            ("notes.md", "**Password**: ¦\n", "Password"),
            ("notes.md", "- **Password:** ¦\n", "Password"),
            ("notes.txt", "密码：¦\n", "密码"),
            ("notes.txt", "登录密码: ¦\n", "密码"),
            ("notes.txt", "Пароль: ¦\n", "Пароль"),
            ("notes.txt", "mi contraseña: ¦\n", "contraseña"),
            ("a.py", "    login()  # password: ¦\n", "password"),
        ],
    );
    is_silent(&[
        ("notes.md", "**Password** ¦\n", "Password"),
        ("notes.txt", "密码强度：¦\n", "密码"),
        ("a.py", "    login()  # password: see the wiki\n", "password"),
    ]);
}

#[test]
fn letters_that_nobody_reads_as_words_are_a_password_without_quotes() {
    for value in ["xqzvbkwpfjgthmcd", "hzkqvbxwpqjf", "kQzXvTgKbWfJpLqRmZxVbNwT"] {
        finds(
            value,
            &[
                (".env", "EMAIL_PASS=¦\n", "PASS"),
                ("a.yml", "password: ¦\n", "password"),
                ("application.properties", "spring.mail.password=¦\n", "password"),
            ],
        );
    }
    finds("xqzv bkwp fjgt hmcd", &[(".env", "MAIL_PASSWORD=¦\n", "PASSWORD"), ("a.yml", "password: ¦\n", "password")]);
    for word in ["motdepassebonjour", "administratorname", "this that with from"] {
        let all = found(".env", &format!("EMAIL_PASS={word}\n"), "PASS");
        assert!(all.iter().all(|(_, verdict)| verdict.is_err() || *verdict == Ok(Confidence::Low)), "{word}: {all:?}");
    }
}

#[test]
fn a_short_key_is_one_where_nobody_would_name_anything_so() {
    for value in ["K7v2Tq9Lw4Xz", "k7v2tq9lw4xz", "aB3xK9mQ2z"] {
        finds(value, &[(".env", "API_KEY=¦\n", "API_KEY"), ("a.js", "const apiKey = '¦';", "apiKey")]);
    }
    for value in ["release12beta", "version1build2", "web-v2-eu1", "abc123def4"] {
        let all = found(".env", &format!("API_KEY={value}\n"), "API_KEY");
        assert!(all.iter().all(|(_, verdict)| verdict.is_err() || *verdict == Ok(Confidence::Low)), "{value}: {all:?}");
    }
}

#[test]
fn a_text_may_end_anywhere() {
    let texts = [
        "tool --password x",
        "password: \"x\"",
        "<key>password</key>\n<string>x</string>",
        "{\"password\": {\"value\": \"x\"}}",
        "<property name=\"password\" value=\"x\"/>",
        "password = [\n  \"x\",\n]",
        "password: >-\n  x\n",
        "x('password', default='x')",
        "**password**: x",
        "password：x",
        "${password:-x}",
        "buildConfigField 'String', 'password', '\"x\"'",
        "# password: x",
        "Authorization password: Bearer x",
    ];
    for text in texts {
        let at = text.find("password").expect("a name");
        for cut in at + "password".len()..=text.len() {
            let Some(bytes) = text.get(..cut).map(str::as_bytes) else { continue };
            for path in ["a.yml", "a.sh", "a.py", "a.md", "a.gradle"] {
                let blanks = [bytes, b"  "].concat();
                for bytes in [bytes, &blanks] {
                    if let Some(name) = name(bytes, &(at..at + "password".len())) {
                        assignments(bytes, &name, FileKind::of(path)).for_each(drop);
                    }
                }
            }
        }
    }
}
