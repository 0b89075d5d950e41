//! Notations in which a secret stands right behind its name, and what is no secret there.

use super::{assignment, name};
use crate::detect::kind::FileKind;
use crate::model::Confidence;

fn found(path: &str, text: &str, word: &str) -> Option<(String, Result<Confidence, &'static str>)> {
    let at = text.find(word).unwrap_or_else(|| panic!("{word} in {text}"));
    let name = name(text.as_bytes(), &(at..at + word.len()))?;
    let found = assignment(text.as_bytes(), &name, FileKind::of(path))?;
    Some((text[found.value].to_owned(), found.verdict))
}

#[test]
fn values_of_secret_names_are_found_in_every_notation() {
    let value = "vR7#kq2Lw9zT";
    for (path, before, after, word) in [
        (".env", "DB_PASSWORD=", "\n", "PASSWORD"),
        ("a.yml", "  password: ", "\n", "password"),
        ("a.yml", "  password: \"", "\"\n", "password"),
        ("a.json", "{\"dbPassword\": \"", "\"}", "Password"),
        ("a.py", "password = '", "'", "password"),
        ("a.py", "connect(user='x', password='", "')", "password"),
        ("a.py", "os.environ.get('DB_PASSWORD', '", "')", "PASSWORD"),
        ("a.ts", "const dbPassword: string = \"", "\";", "Password"),
        ("a.go", "password := \"", "\"", "password"),
        ("a.rs", "const PASSWORD: &str = \"", "\";", "PASSWORD"),
        ("a.java", "ds.setPassword(\"", "\");", "Password"),
        ("a.php", "'password' => '", "',", "password"),
        ("a.rb", "password: '", "'", "password"),
        ("a.cs", "Password = @\"", "\";", "Password"),
        ("a.xml", "<password>", "</password>", "password"),
        ("a.properties", "spring.datasource.password=", "\n", "password"),
        ("a.tf", "  master_password = \"", "\"", "password"),
        ("a.sh", "mysql --password=", " -u x", "password"),
        ("a.sh", "tool --password ", " x", "password"),
        ("Dockerfile", "ENV DB_PASSWORD ", "\n", "PASSWORD"),
        ("a.cs", "var c = \"Server=x;Password=", ";Database=y\"", "Password"),
        ("n.ipynb", "\"password = \\\"", "\\\"\\n\"", "password"),
        (".netrc", "machine h login u password ", "\n", "password"),
        ("a.yml", "- name: DB_PASSWORD\n  value: ", "\n", "PASSWORD"),
        ("a.json", "{\"name\": \"DB_PASSWORD\", \"value\": \"", "\"}", "PASSWORD"),
        ("a.config", "<add key=\"DbPassword\" value=\"", "\" />", "Password"),
        ("a.plist", "<key>password</key>\n\t<string>", "</string>", "password"),
        ("a.tf", "variable \"db_password\" {\n  default = \"", "\"\n}", "password"),
        ("a.js", "const p = process.env.DB_PASSWORD || \"", "\";", "PASSWORD"),
        ("a.kt", "val p = System.getenv(\"DB_PASSWORD\") ?: \"", "\"", "PASSWORD"),
        ("a.py", "P = os.getenv('DB_PASSWORD') or '", "'", "PASSWORD"),
        ("a.java", "@Value(\"${app.db-password:", "}\")", "password"),
        ("a.sh", ": ${DB_PASSWORD:-", "}\n", "PASSWORD"),
        ("a.sql", "CREATE ROLE x WITH LOGIN PASSWORD '", "';", "PASSWORD"),
        ("a.sql", "INSERT INTO s VALUES ('1', 'db_password', '", "');", "password"),
        ("a.gradle", "storePassword '", "'", "Password"),
        ("a.tf", "variable \"db_password\" {\n  type    = string\n  default = \"", "\"\n}", "password"),
    ] {
        let text = format!("{before}{value}{after}");
        assert_eq!(found(path, &text, word), Some((value.to_owned(), Ok(Confidence::Medium))), "{text}");
    }
}

#[test]
fn what_is_no_value_is_not_taken_for_one() {
    for (path, text, word) in [
        ("a.py", "password = get_password()", "password"),
        ("a.py", "if password == 'vR7#kq2Lw9zT':", "password"),
        ("a.py", "password = settings.PASSWORD", "password"),
        ("a.py", "compass = 'vR7#kq2Lw9zT'", "pass"),
        ("a.py", "password_field = 'vR7#kq2Lw9zT'", "password"),
        ("a.js", "function login(user, password) {", "password"),
        ("a.c", "if (user->password->iterations < 5000 || 3)", "password"),
        ("a.php", "[\"proxy_pass\", \"vR7#kq2Lw9zT\"]", "pass"),
        ("a.txt", "arn:aws:secretsmanager:eu-west-1:1:secret:Db1-d4e5f6", "secret"),
        ("a.md", "the password: vR7#kq2Lw9zT is what you type", "password"),
    ] {
        assert_eq!(found(path, text, word), None, "{text}");
    }
    for (path, text, word) in [
        (".env", "DB_PASSWORD=${DB_PASSWORD}", "PASSWORD"),
        (".env", "DB_PASSWORD=changeme", "PASSWORD"),
        ("a.yml", "password: {{ .Values.password }}", "password"),
        ("a.json", "{\"password\": \"Please enter your password\"}", "password"),
        ("a.json", "{\"password\": \"confirmPassword\"}", "password"),
        ("a.yml", "secret: my-app-secret-name", "secret"),
        ("a.yml", "token: <your-token>", "token"),
        ("a.c", "copy_to_passwd(\"INFO_25\", to);", "passwd"),
        ("a.idl", "const uint32 CHANGE_PASSWORD = 0x00000040,", "PASSWORD"),
        ("a.json", "{\"output_cost_token\": 1.1428571428571428e-06}", "token"),
        ("a.py", "password = 'anon@ftp.com'", "password"),
        ("a.pl", "$cmd .= \"PASSWD='$envvars->{PASSWD}' \"", "PASSWD"),
        ("a.yml", "password: '*EE0D72C1085C46C5278932678FBE2C6A782821B4'", "password"),
        ("a.php", "'password' => 'required|string|min:8'", "password"),
        ("a.php", "'password' => 'sometimes|required|alpha_dash|max:255'", "password"),
        ("a.html", "https://h/v0/b/p/o/a.png?alt=media&amp;token=81c09a2a-0359-4ba1-8153-8cb3cd02509b\"", "token"),
        ("a.md", "http://h/a.png?e=1500000000&token=Zk4vT9qLw2RxN7cBd1YhQ8sJ:m3Gf6Pa=", "token"),
        ("a.js", "const token = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4iLCJhZG1pbiI6dHJ1ZX0.'", "token"),
        ("a.js", "const token = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4iLCJhZG1pbiI6dHJ1ZX0'", "token"),
        (
            "a.cs",
            "var token = \"2.Kq2Lw9zTvB4mxR7kq2Lw9w==|vB4mxR7kq2Lw9zTvB4mxR7kq2Lw9zTvB4m==|q2Lw9zTvB4mxR7kq2Lw9zTvB4m8=\"",
            "token",
        ),
        ("main.cf", "tls_high_cipherlist = EDH+aRSA:!MD5:!EXP:!PSK:!DSS:!RC4:!SEED:kEDH:CAMELLIA128-SHA\n", "PSK"),
        ("a.env", "X.DEFAULT_AUTH_TOKEN=Yi.SOCKS5_AUTH_END=Yi.SOCKS5_START9=void", "TOKEN"),
        ("a.yml", "password: $2b$12$abcdefghijklmnopqrstuuO1q8C3Jx9Zk2m5bW7vYtRsEaHdGfLnM", "password"),
    ] {
        let verdict = found(path, text, word).map(|(_, verdict)| verdict);
        assert!(matches!(verdict, Some(Err(_))), "{text}: {verdict:?}");
    }
    // `|` in a password makes no rule of it.
    for value in ["vR7#k|q2Lw9zT", "required|vR7#k9zT"] {
        let verdict = found("a.php", &format!("'password' => '{value}'"), "password").map(|(_, verdict)| verdict);
        assert_eq!(verdict, Some(Ok(Confidence::Medium)), "{value}");
    }
    let test = found("tests/test_a.py", "password = 'vR7#kq2Lw9zT'", "password");
    assert_eq!(test.map(|(_, verdict)| verdict), Some(Ok(Confidence::Low)));
}
