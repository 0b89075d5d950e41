"""Programs that handle passwords and tokens without holding any, and code full of hashes and vectors."""

from ..mark import mark
from . import ids
from .whole import decoy

SNIPPETS = {
    "py": [
        'def get_password(prompt="Password: "):\n    return getpass.getpass(prompt)',
        'password_field = "password"',
        'PASSWORD_REGEX = r"^(?=.*[a-z])(?=.*[A-Z])(?=.*\\d)[A-Za-z\\d@$!%*?&]{8,}$"',
        'TOKEN_URL = "https://auth.acme-corp.io/oauth/token"',
        "secret = secrets.token_urlsafe(32)",
        'api_key = request.headers["X-Api-Key"]',
        'if password != password_confirmation:\n    raise ValidationError("passwords do not match")',
        'token = jwt.encode(payload, settings.SECRET_KEY, algorithm="HS256")',
        'parser.add_argument("--password", default=None, help="database password")',
        'KEY_PREFIX = "session:token:"',
        'SECRET_KEY_NAME = "django-secret-key-name"',
        "credentials = Credentials.from_file(path)",
        'PASSWORD_RESET_TEMPLATE = "emails/password_reset_confirmation.html"',
        'assert response.json()["token"] is not None',
        "ACCESS_TOKEN_EXPIRE_MINUTES = 60 * 24 * 8",
        "self.token = token or self._refresh_access_token()",
        'API_KEY_HEADER = APIKeyHeader(name="X-API-Key", auto_error=False)',
        'password = os.environ.get("DB_PASSWORD") or keyring.get_password("acme", "db")',
        'PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]',
        'AUTH_TOKEN_CLASSES = ("rest_framework_simplejwt.tokens.AccessToken",)',
    ],
    "js": [
        "const password = req.body.password;",
        'const token = jwt.sign({ id }, process.env.JWT_SECRET, { expiresIn: "15m" });',
        "const PASSWORD_MIN_LENGTH = 12;",
        'const apiKey = config.get("apiKey");',
        'const tokenKey = "auth_token_storage_key";',
        'router.post("/forgot-password", forgotPasswordController);',
        "export const selectAccessToken = (state) => state.auth.accessToken;",
        'const secretKeyRef = { name: "app-secrets", key: "jwt-secret" };',
        "headers: { Authorization: `Bearer ${accessToken}` },",
        "const { clientId, clientSecret } = await loadCredentials();",
        'if (password.length < 8) errors.password = "Password must be at least 8 characters";',
        'const passwordStrengthMeterLabel = "passwordStrengthIndicatorLabel";',
        'localStorage.removeItem("refresh_token");',
        'const encryptionKey = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt"]);',
        "const API_KEY_PATTERN = /^sk-[A-Za-z0-9]{48}$/;",
        'process.env.API_KEY = "test";',
    ],
    "java": [
        "private String password;",
        "public String getApiToken() { return apiToken; }",
        '@Value("${spring.datasource.password}")\nprivate String dbPassword;',
        'private static final String PASSWORD_PARAM = "j_password";',
        'String token = request.getHeader("Authorization").substring(7);',
        'public static final String SECRET_KEY_ALGORITHM = "PBKDF2WithHmacSHA256";',
        'KeyStore.getInstance("JKS").load(in, password.toCharArray());',
        'private static final String ACCESS_TOKEN_COOKIE_NAME = "ACCESS_TOKEN_COOKIE";',
        "passwordEncoder.matches(rawPassword, user.getPassword());",
        'private final SecretKeySpec secretKey = new SecretKeySpec(keyBytes, "AES");',
    ],
    "go": [
        'password := os.Getenv("DB_PASSWORD")',
        "token, err := jwt.Parse(tokenString, keyFunc)",
        'const secretKeyContext = contextKey("secret-key-context")',
        'type Credentials struct {\n\tUsername string `json:"username"`\n\tPassword string `json:"password"`\n\tAPIKey   string `json:"api_key"`\n}',
        'flag.StringVar(&apiKey, "api-key", "", "API key")',
        'var errInvalidToken = errors.New("invalid token: signature does not match")',
        'req.Header.Set("Authorization", "Bearer "+token)',
        "secret, err := client.CoreV1().Secrets(ns).Get(ctx, name, metav1.GetOptions{})",
    ],
    "cs": [
        "public string Password { get; set; }",
        'var apiKey = Configuration["OpenAI:ApiKey"];',
        'private const string TokenCacheKey = "GraphApiAccessTokenCacheKey";',
        "services.AddAuthentication().AddJwtBearer(o => o.Authority = authority);",
        'string connectionString = config.GetConnectionString("Default");',
        "if (!CryptographicOperations.FixedTimeEquals(secretBytes, expected)) return Forbid();",
    ],
    "rb": [
        "has_secure_password",
        "params.require(:user).permit(:password, :password_confirmation)",
        'config.secret_key_base = ENV.fetch("SECRET_KEY_BASE")',
        "token = SecureRandom.hex(32)",
        "Devise.setup { |c| c.password_length = 8..128 }",
        'API_KEY_HEADER = "HTTP_X_API_KEY".freeze',
    ],
    "php": [
        "$password = $request->input('password');",
        "'password' => ['required', 'string', 'min:8', 'confirmed'],",
        "$token = Str::random(60);",
        "'secret' => env('STRIPE_SECRET'),",
        "if (Hash::check($password, $user->password)) {\n    return true;\n}",
        "protected $hidden = ['password', 'remember_token', 'two_factor_secret'];",
    ],
    "rs": [
        'let password = rpassword::prompt_password("Password: ")?;',
        "pub struct ApiToken(SecretString);",
        'let token = std::env::var("API_TOKEN").context("API_TOKEN is not set")?;',
        'const TOKEN_HEADER: &str = "x-auth-token";',
        "fn verify_password(password: &str, hash: &PasswordHash) -> bool {\n    Argon2::default().verify_password(password.as_bytes(), hash).is_ok()\n}",
    ],
    "sh": [
        'read -rsp "Password: " PASSWORD',
        'TOKEN=$(curl -s "$AUTH_URL" | jq -r .access_token)',
        ': "${API_KEY:?API_KEY must be set}"',
        'export SECRET_KEY="$(openssl rand -hex 32)"',
        'mysql -u root -p"$MYSQL_ROOT_PASSWORD" < dump.sql',
        'kubectl create secret generic db --from-literal=password="$DB_PASSWORD"',
        'echo "$GITHUB_TOKEN" | gh auth login --with-token',
        'curl -H "Authorization: token ${GITHUB_TOKEN}" https://api.github.com/user',
        "aws secretsmanager get-secret-value --secret-id prod/db --query SecretString",
        "PASSWORD_FILE=/run/secrets/db_password",
    ],
    "swift": [
        "@IBOutlet weak var passwordTextField: UITextField!",
        'let token = try keychain.get("accessToken")',
        'static let passwordResetIdentifier = "PasswordResetViewController"',
        'request.setValue("Bearer \\(token)", forHTTPHeaderField: "Authorization")',
    ],
    "sql": [
        "CREATE TABLE users (id uuid, password_hash text NOT NULL, api_key_digest bytea);",
        "ALTER TABLE sessions ADD COLUMN access_token_encrypted bytea;",
        "SELECT id FROM tokens WHERE token_hash = digest($1, 'sha256');",
        "UPDATE users SET password = crypt($1, gen_salt('bf')) WHERE id = $2;",
    ],
}


@decoy("code-about-passwords", 5)
def handling(rand):
    extension = rand.choice(sorted(SNIPPETS))
    return (
        f"src/{rand.choice(['auth', 'login', 'session', 'credentials', 'password_reset', 'tokens'])}.{extension}",
        "\n\n".join(rand.some(SNIPPETS[extension], 4, 12)) + "\n",
    )


@decoy("crypto-vectors", 1.5)
def vectors(rand):
    """NIST style answers: published on purpose."""
    form = rand.choice(["rsp", "py", "json", "rs", "c"])
    rows = [(rand.text("hex", rand.choice([32, 48, 64])), rand.text("hex", 32), rand.text("hex", 64)) for _ in range(8)]
    if form == "rsp":
        return "testdata/CBCMMT256.rsp", "# CAVS 11.1\n[ENCRYPT]\n\n" + "".join(
            f"COUNT = {i}\nKEY = {k}\nIV = {v}\nPLAINTEXT = {p}\nCIPHERTEXT = {rand.text('hex', 64)}\n\n" for i, (k, v, p) in enumerate(rows)
        )
    if form == "py":
        return (
            "tests/test_aes_vectors.py",
            "# From NIST SP 800-38A\nVECTORS = [\n"
            + "".join(f'    dict(key=bytes.fromhex("{k}"), iv=bytes.fromhex("{v}"), ciphertext="{p}"),\n' for k, v, p in rows)
            + "]\n",
        )
    if form == "json":
        return (
            "wycheproof/hmac_sha256_test.json",
            '{"algorithm": "HMACSHA256", "testGroups": [{"tests": [\n'
            + ",\n".join(
                f'  {{"tcId": {i}, "key": "{k}", "msg": "{p}", "tag": "{rand.text("hex", 64)}", "result": "valid"}}'
                for i, (k, _, p) in enumerate(rows)
            )
            + "\n]}]}\n",
        )
    if form == "rs":
        return "tests/vectors.rs", "// RFC 8439 style vectors\n" + "".join(
            f'const KEY_{i}: &str = "{k}";\nconst TAG_{i}: [u8; 4] = [0x{rand.text("hex", 2)}, 0x{rand.text("hex", 2)}, 0x{rand.text("hex", 2)}, 0x{rand.text("hex", 2)}];\n'
            for i, (k, _, _) in enumerate(rows)
        )
    return "test/vectors.c", "static const unsigned char key[] = {\n" + "\n".join(
        "    " + ", ".join("0x" + rand.text("hex", 2) for _ in range(12)) + "," for _ in range(6)
    ) + "\n};\n" + "".join(f'static const char *hash_{i} = "{p}";\n' for i, (_, _, p) in enumerate(rows))


@decoy("pbxproj")
def pbxproj(rand):
    ids = [rand.text("HEX", 24) for _ in range(30)]
    return (
        "App.xcodeproj/project.pbxproj",
        "// !$*UTF8*$!\n{\n\tobjects = {\n"
        + "".join(
            f"\t\t{i} /* PasswordView.swift in Sources */ = {{isa = PBXBuildFile; fileRef = {rand.choice(ids)} /* TokenStore.swift */; }};\n"
            for i in ids
        )
        + f"\t}};\n\trootObject = {ids[0]};\n}}\n",
    )


@decoy("solution")
def solution(rand):
    return "Acme.sln", "Microsoft Visual Studio Solution File, Format Version 12.00\n" + "".join(
        f'Project("{{FAE04EC0-301F-11D3-BF4B-00C04F79EFBC}}") = "Acme.Token{i}", "src\\Acme.Token{i}.csproj", "{{{rand.uuid().upper()}}}"\nEndProject\n'
        for i in range(6)
    )


@decoy("snapshot")
def snapshot(rand):
    return (
        "__snapshots__/login.test.js.snap",
        '// Jest Snapshot v1\n\nexports[`renders the password field 1`] = `\n<input\n  autocomplete="current-password"\n  class="css-'
        + rand.text("lan", 6)
        + ' password-input"\n  data-key="'
        + rand.uuid()
        + '"\n  name="password"\n  type="password"\n/>\n`;\n',
    )


@decoy("openapi")
def openapi(rand):
    return (
        "openapi.yaml",
        f"openapi: 3.1.0\ninfo:\n  title: Orders\n  version: 1.{rand.randint(0, 9)}.0\ncomponents:\n  securitySchemes:\n    apiKey:\n      type: apiKey\n      name: X-Api-Key\n      in: header\n    oauth:\n      type: oauth2\n      flows:\n        clientCredentials:\n          tokenUrl: https://auth.acme-corp.io/oauth/token\n  schemas:\n    Login:\n      type: object\n      required: [username, password]\n      properties:\n        password:\n          type: string\n          format: password\n          example: \"{mark('d:placeholder', 'string')}\"\n        token:\n          type: string\n          example: \"{mark('d:placeholder', 'eyJhbGciOi...')}\"\n        requestId:\n          type: string\n          format: uuid\n          example: {mark('d:uuid', rand.uuid())}\n",
    )


@decoy("schema")
def schema(rand):
    return (
        "schema.graphql",
        "type Mutation {\n  login(email: String!, password: String!): AuthPayload!\n  resetPassword(token: String!, newPassword: String!): Boolean!\n  createApiKey(name: String!, secret: String): ApiKey!\n}\n\ntype AuthPayload {\n  accessToken: String!\n  refreshToken: String!\n}\n",
    )


@decoy("k8s-rbac")
def iam_policy(rand):
    return (
        "policy.json",
        f'{{\n  "Version": "2012-10-17",\n  "Statement": [\n    {{\n      "Sid": "AllowSecretRead",\n      "Effect": "Allow",\n      "Principal": {{"AWS": ["{mark("d:vendor-id", "AIDA" + rand.text("b32", 17))}", "arn:aws:iam::{rand.text("dig", 12)}:role/app"]}},\n      "Action": ["secretsmanager:GetSecretValue", "kms:Decrypt"],\n      "Resource": "arn:aws:secretsmanager:eu-west-1:{rand.text("dig", 12)}:secret:prod/db-password-{rand.text("an", 6)}",\n      "Condition": {{"StringEquals": {{"aws:userid": "{mark("d:vendor-id", ids.unused_id(rand))}:session"}}}}\n    }}\n  ]\n}}\n',
    )
