"""The compiled languages; see files/languages.py."""

from .. import names
from .languages import JAVASCRIPT, PHP, POWERSHELL, PYTHON, RUBY, TYPESCRIPT, Language

GO = Language(
    "go",
    "go",
    ("internal", "cmd", "pkg"),
    names.camel,
    ("const @name@ = @v@", "var @Name@ = @v@", "var @name@ string = @v@"),
    '\t"@lname@": @v@,',
    ("var @map@ = map[string]string{", "}"),
    (
        'func call@N@() (*http.Response, error) {\n\treq, err := http.NewRequest("GET", "@url@", nil)\n\tif err != nil {\n\t\treturn nil, err\n\t}\n\treq.Header.Set("@H@", "@hp@@raw@")\n\treturn http.DefaultClient.Do(req)\n}',
    ),
    ("func new@Vendor@@n@() *@vendor@.Client {\n\treturn @vendor@.NewClient(@v@)\n}", "var client@n@ = @vendor@.New(@vendor@.WithAPIKey(@v@))"),
    ('var @name@ = getenv("@uname@", @v@)',),
    ('" +\n\t"', '" + "'),
    ("mustDecode(base64.StdEncoding.DecodeString(@v@))",),
    ("mustDecode(hex.DecodeString(@v@))",),
    '"',
    "// ",
    ("package main", 'import (\n\t"fmt"\n\t"net/http"\n\t"os"\n)'),
    (
        "func @verb@@Noun@(id string) error {\n\treturn nil\n}",
        'password := os.Getenv("DB_PASSWORD")',
        'type @Noun@ struct {\n\tID       string `json:"id"`\n\tPassword string `json:"password"`\n\tToken    string `json:"token"`\n}',
        'token := r.Header.Get("X-Auth-Token")',
        "// @sentence@",
    ),
)

JAVA = Language(
    "java",
    "java",
    ("src/main/java/io/acme", "src/test/java/io/acme"),
    names.camel,
    ("    private static final String @uname@ = @v@;", "    private String @name@ = @v@;", "    public static final String @uname@ = @v@;"),
    '        @map@.put("@lname@", @v@);',
    ("        Map<String, String> @map@ = new HashMap<>();", ""),
    (
        '    HttpRequest request@n@ = HttpRequest.newBuilder()\n        .uri(URI.create("@url@"))\n        .header("@H@", "@hp@@raw@")\n        .build();',
    ),
    ("    @Vendor@Client client@n@ = new @Vendor@Client(@v@);", "    @Vendor@ client@n@ = @Vendor@.builder().apiKey(@v@).build();"),
    ('    @Value("${app.@kname@:@raw@}")\n    private String @name@;',),
    ('"\n        + "', '" + "'),
    ("new String(Base64.getDecoder().decode(@v@))",),
    ("new String(HexFormat.of().parseHex(@v@))",),
    '"',
    "    // ",
    ("package io.acme;", "import java.util.*;", "public class Service {"),
    (
        "    public List<@Noun@> @verb@@Noun@s() {\n        return repository.findAll();\n    }",
        '    String password = request.getParameter("password");',
        "    public String getPassword() {\n        return password;\n    }",
        '    @Value("${app.jwt.secret}")\n    private String jwtSecret;',
        "    public void setApiKey(String apiKey) {\n        this.apiKey = apiKey;\n    }",
    ),
)

KOTLIN = Language(
    "kotlin",
    "kt",
    ("src/main/kotlin/io/acme", "app/src/main/java/io/acme"),
    names.camel,
    ("const val @uname@ = @v@", "private val @name@ = @v@", "val @name@: String = @v@"),
    '    "@lname@" to @v@,',
    ("val @map@ = mapOf(", ")"),
    ('val request@n@ = Request.Builder()\n    .url("@url@")\n    .header("@H@", "@hp@@raw@")\n    .build()',),
    ("val client@n@ = @Vendor@Client(apiKey = @v@)",),
    ('val @name@ = System.getenv("@uname@") ?: @v@',),
    ('" +\n    "', '" + "'),
    ("String(Base64.decode(@v@, 0))",),
    ("@v@.decodeHex()",),
    '"',
    "// ",
    ("package io.acme", "import okhttp3.Request"),
    (
        "fun @verb@@Noun@(id: String): @Noun@? = store[id]",
        "data class @Noun@(val id: String, val password: String?, val token: String?)",
        "val password = binding.passwordInput.text.toString()",
        "// @sentence@",
    ),
)

CSHARP = Language(
    "csharp",
    "cs",
    ("src/Acme.Api", "Acme.Core/Services"),
    names.pascal,
    ("    private const string @name@ = @v@;", "    public static readonly string @name@ = @v@;", "    var @cname@ = @v@;"),
    '        ["@name@"] = @v@,',
    ("    private static readonly Dictionary<string, string> @map@ = new() {", "    };"),
    ('    var request@n@ = new HttpRequestMessage(HttpMethod.Get, "@url@");\n    request@n@.Headers.Add("@H@", "@hp@@raw@");',),
    ("    var client@n@ = new @Vendor@Client(@v@);", "    var client@n@ = new @Vendor@Client(new ApiKeyCredential(@v@));"),
    ('    var @cname@ = Environment.GetEnvironmentVariable("@uname@") ?? @v@;',),
    ('" +\n        "', '" + "'),
    ("Encoding.UTF8.GetString(Convert.FromBase64String(@v@))",),
    ("Encoding.UTF8.GetString(Convert.FromHexString(@v@))",),
    '"',
    "    // ",
    ("using System;", "using System.Net.Http;", "namespace Acme;", "public class Worker {"),
    (
        "    public Task<@Noun@> @Verb@@Noun@Async(Guid id) => _store.FindAsync(id);",
        "    public string Password { get; set; } = string.Empty;",
        '    var secret = configuration["Jwt:Secret"];',
        "    public required string ApiKey { get; init; }",
        "    // @sentence@",
    ),
)

RUST = Language(
    "rust",
    "rs",
    ("src", "crates/core/src"),
    names.lower,
    ("const @uname@: &str = @v@;", "let @name@ = @v@;", "pub static @uname@: &str = @v@;"),
    '    ("@name@", @v@),',
    ("let @map@ = [", "];"),
    ('let response = reqwest::Client::new()\n    .get("@url@")\n    .header("@H@", "@hp@@raw@")\n    .send()\n    .await?;',),
    ("let client = @vendor@::Client::new(@v@);", "let client = @Vendor@Client::builder().api_key(@v@).build()?;"),
    ('let @name@ = std::env::var("@uname@").unwrap_or_else(|_| @v@.to_string());',),
    ("\\\n    ",),
    ("STANDARD.decode(@v@)?",),
    ("hex::decode(@v@)?",),
    '"',
    "// ",
    ("use std::collections::HashMap;", "use anyhow::Result;"),
    (
        "pub fn @verb@_@noun@(id: &str) -> Result<()> {\n    Ok(())\n}",
        "pub struct Login {\n    pub username: String,\n    pub password: SecretString,\n}",
        'let token = headers.get("authorization");',
        'let password = rpassword::prompt_password("Password: ")?;',
        "// @sentence@",
    ),
)

SWIFT = Language(
    "swift",
    "swift",
    ("Sources/App", "ios/App"),
    names.camel,
    ("let @name@ = @v@", "static let @name@: String = @v@"),
    '    "@name@": @v@,',
    ("let @map@ = [", "]"),
    ('var request@n@ = URLRequest(url: URL(string: "@url@")!)\nrequest@n@.setValue("@hp@@raw@", forHTTPHeaderField: "@H@")',),
    ("let client@n@ = @Vendor@(apiKey: @v@)",),
    ('let @name@ = ProcessInfo.processInfo.environment["@uname@"] ?? @v@',),
    ('" +\n    "', '" + "'),
    ("String(data: Data(base64Encoded: @v@)!, encoding: .utf8)!",),
    ("String(hex: @v@)",),
    '"',
    "// ",
    ("import Foundation",),
    (
        "func @verb@@Noun@(_ id: String) -> @Noun@? { store[id] }",
        "@IBOutlet weak var passwordField: UITextField!",
        'let token = keychain.get("access_token")',
        "// @sentence@",
    ),
)

LANGUAGES = [PYTHON, JAVASCRIPT, TYPESCRIPT, GO, JAVA, KOTLIN, RUBY, PHP, CSHARP, RUST, SWIFT, POWERSHELL]
