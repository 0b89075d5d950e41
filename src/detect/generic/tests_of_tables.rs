//! Notations of more languages and programs, and columns of tables, that give a value a name.

use super::tests_of_notations::{KEY, PASSWORD, finds, is_silent};

#[test]
fn languages_write_what_they_assign_in_their_own_way() {
    finds(
        PASSWORD,
        &[
            ("a.rb", "h = { :user => 'a', :password => '¦' }\n", "password"),
            ("a.rb", "connect(:password => \"¦\")\n", "password"),
            ("a.R", "db_password <- \"¦\"\n", "password"),
            ("a.vb", "Dim password As String = \"¦\"\n", "password"),
            ("a.clj", "(def db {:user \"a\" :password \"¦\"})\n", "password"),
            ("a.tcl", "set password \"¦\"\n", "password"),
            ("a.rs", "let password = String::from(\"¦\");\n", "password"),
            ("a.py", "password: str = Field(\"¦\")\n", "password"),
            ("a.py", "password: SecretStr = Field(default=\"¦\", min_length=8)\n", "password"),
            ("a.py", "password = SecretStr(\"¦\")\n", "password"),
            ("a.py", "password = str(\"¦\")\n", "password"),
            ("sys.config", "[{db, [{db_password, \"¦\"}]}].\n", "password"),
        ],
    );
    finds(
        KEY,
        &[
            ("a.js", "const token = \"Bearer ¦\";\n", "token"),
            ("a.py", "API_TOKEN = 'Bearer ¦'\n", "TOKEN"),
            ("a.yml", "token: Bearer ¦\n", "token"),
        ],
    );
    is_silent(&[
        ("a.yml", "image: x:token=¦\n", "token"),
        ("a.R", "token <- Sys.getenv(\"¦\")\n", "token"),
        ("a.go", "token <- ch // \"¦\"\n", "token"),
        ("a.vb", "Dim token As String\nx = \"¦\"\n", "token"),
        ("a.vb", "Function GetToken(token As String) ' \"¦\"\n", "token As"),
        ("a.clj", "(:token x \"¦\")\n", "token"),
        ("a.tcl", "set token $env(¦)\n", "token"),
        ("a.rs", "let token = String::from(&\"¦\"[..]);\n", "token"),
        ("a.rs", "let token = lookup(\"¦\");\n", "token"),
        ("a.py", "token = Field(..., env=\"¦\")\n", "token"),
        ("a.erl", "{token, Token, \"¦\"}\n", "token"),
    ]);
}

#[test]
fn programs_read_values_behind_a_blank() {
    finds(
        PASSWORD,
        &[
            (".htaccess", "SetEnv DB_PASSWORD ¦\n", "PASSWORD"),
            ("httpd.conf", "  SetEnv DB_PASSWORD \"¦\"\n", "PASSWORD"),
            ("site.conf", "  fastcgi_param DB_PASSWORD ¦;\n", "PASSWORD"),
            ("a.sh", "influx -username admin -password ¦ -database m\n", "password"),
            (".msmtprc", "user k@corp.net\npassword ¦\n", "password"),
            (".fetchmailrc", "poll imap.corp.net proto imap user \"k\" password \"¦\" ssl\n", "password"),
        ],
    );
    is_silent(&[
        ("a.sh", "tool -password $PASS -x ¦\n", "password"),
        ("a.sh", "tool -password-file ¦\n", "password"),
        ("a.md", "the -password ¦ option\n", "password"),
        ("site.conf", "fastcgi_param DB_PASSWORD $db_password;\n", "PASSWORD"),
    ]);
}

#[test]
fn marks_of_other_files_stand_about_a_value() {
    finds(
        PASSWORD,
        &[
            ("a.html", "{&quot;user&quot;:&quot;a&quot;,&quot;password&quot;:&quot;¦&quot;}", "password"),
            ("ci.log", "\u{1b}[36mDB_PASSWORD\u{1b}[0m=\u{1b}[33m¦\u{1b}[0m\n", "PASSWORD"),
            ("ci.log", "DB_PASSWORD=\u{1b}[33m¦\u{1b}[0m\n", "PASSWORD"),
            ("unattend.xml", "<Password>\r\n  <Value>¦</Value>\n", "Password"),
        ],
    );
    finds(
        KEY,
        &[("AndroidManifest.xml", "<meta-data android:name=\"net.corp.API_KEY\" android:value=\"¦\" />\n", "API_KEY")],
    );
    is_silent(&[
        ("a.html", "&quot;password&quot;:&quot;&quot;,&quot;x&quot;:&quot;¦&quot;", "password"),
        ("AndroidManifest.xml", "<meta-data android:name=\"net.corp.API_KEY\" android:resource=\"¦\" />\n", "API_KEY"),
    ]);
}

#[test]
fn a_column_says_what_its_cells_are() {
    finds(
        PASSWORD,
        &[
            ("users.csv", "name,email,password\nK M,k@corp.net,¦\n", "password"),
            ("users.tsv", "user\tpassword\nk\t¦\n", "password"),
            (
                "keepass.csv",
                "\"Account\",\"Login Name\",\"Password\",\"Web Site\"\r\n\"CI\",\"adm, in\",\"¦\",\"https://x\"\r\n",
                "Password",
            ),
            (
                "bitwarden.csv",
                "folder,name,login_uri,login_username,login_password,login_totp\nW,CI,https://x,a,¦,\n",
                "password",
            ),
            ("a.csv", "name;password\na;¦\n", "password"),
            ("notes.md", "| System | User | Password |\n|---|:--|---|\n| CI | admin | ¦ |\n", "Password"),
            ("notes.md", "| System | User | Password |\n|---|:--|---|\n| CI | admin | `¦` |\n", "Password"),
            ("notes.html", "<tr><th>User</th><th>Password</th></tr>\n<tr><td>admin</td><td>¦</td></tr>\n", "Password"),
            ("seed.sql", "INSERT INTO users (id, email, password) VALUES (1, 'a@corp.net', '¦');\n", "password"),
            ("seed.sql", "INSERT INTO `users` (`id`,`password`,`x`) VALUES\n(1,'¦','a, b');\n", "password"),
            ("a.py", "cur.execute(\"INSERT INTO users (name, password) VALUES ('a', '¦')\")\n", "password"),
        ],
    );
    finds(KEY, &[("dump.sql", "INSERT INTO `clients` (`id`,`secret`) VALUES (3,'¦');\n", "secret")]);
    is_silent(&[
        ("a.csv", "key,password,label\nx,Passwort,¦\n", "password"),
        ("a.csv", "a sentence, with a password, and more\nx,¦,y\n", "password"),
        ("a.csv", "name,password\n¦\n", "password"),
        ("a.csv", "name,password\na,b,¦\n", "password"),
        ("a.md", "| User | Password |\n|---|---|\n| ¦ | (ask me) |\n", "Password"),
        ("a.md", "| User | Password |\n| x | ¦ |\n", "Password"),
        ("a.md", "| Field | Description |\n|---|---|\n| password | ¦ |\n", "password"),
        ("seed.sql", "INSERT INTO users (id, password) VALUES (1, MD5('¦'));\n", "password"),
        ("seed.sql", "INSERT INTO users (id, password) SELECT 1, '¦';\n", "password"),
        ("seed.sql", "CREATE TABLE users (id int, password text); INSERT INTO x VALUES (1, '¦');\n", "password"),
        (
            "seed.sql",
            "INSERT INTO users (n, password) VALUES ('a', '22d053d7324aa0572dbeeacd4d4614293153ef7d');\n",
            "password",
        ),
        ("a.sql", "INSERT INTO users (id, password) VALUES ($1, $2); -- ¦\n", "password"),
    ]);
}

#[test]
fn what_is_code_is_no_value() {
    is_silent(&[
        ("A.java", "static final KeyAlgorithm<Password, Password> ¦ = get();\n", "Password> "),
        ("a.yml", "  - DB_PASSWORD=\n  - URL=¦\n", "PASSWORD"),
        ("a.php", "$post_password = 'webhook_' . wp_generate_password();\n", "post_password"),
        (
            "a.json",
            "\"objc_name\": \"authByUsernameAndPasswordWithUsername:password:oAuth2Params:jwtParams:completion:\"\n",
            "password:",
        ),
        ("a.go", "const ctxCredentials = \"github.com/corp/gokrb5x/v8/ctxCredentials\"\n", "Credentials"),
        ("A.java", "String PASSWORD = \"^(?=.*[0-9])(?=.*[a-z])(?=.*[A-Z]).{8,}$\";\n", "PASSWORD"),
        ("a.php", "\"db.{$x}.password\" => $this->get('DB_PASSWORD'),\n\"db.{$x}.prefix7\" => 1,\n", "DB_PASSWORD"),
        ("a.min.js", "e.type=password?a.B.xY9:Z.username)", "password"),
        ("Jenkinsfile", "def git_auth = \"41dfa7f4-d5f9-4892-a8ba-6b0d31a7cd84\"\n", "auth"),
        ("Jenkinsfile", "sshagent(credentials: ['41dfa7f4-d5f9-4892-a8ba-6b0d31a7cd84']) {}\n", "credentials"),
        ("Jenkinsfile", "HOST=credentials('pmm-dev-mysql57-remote-host')\n", "credentials"),
        ("a.cs", "$\"Server=x;Password={Configuration[\"¦\"]};\"", "Password"),
        ("a.cfg", "  sessionKey=\"AQIAAA5mAAAApAAAKmFQvWHDEETRz8l2bjZlRxIkwcqTFaCUnCLljn3Q1Okes\"\n", "sessionKey"),
        ("a.ini", "secret_key = SW2YcwTIb9zpOOhoPsMm\n", "secret"),
        ("a.html", "data-cf-beacon='{\"version\":\"1\",\"token\":\"7e878029e60c45878d4c9e57f121994b\"}'", "token"),
        ("a.asset", "  ps4Passcode: frAQBc8Wsa1xVPfvJcrgRYwTiizs2trQ\n", "Passcode"),
        ("a.sh", "R_ACCESS_KEY='508A5DD2B55C84F122F2'\nR_SECRET_KEY='¦'\n", "ACCESS"),
    ]);
    finds(KEY, &[("a.html", "data-x='{\"version\":\"1\",\"token\":\"¦\"}'", "token")]);
    finds("508A5DD2B55C84F122F2", &[("a.sh", "R_ACCESS_KEY='¦'\n", "ACCESS")]);
}
