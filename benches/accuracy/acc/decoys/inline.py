"""Settings that stand among real ones and are no credentials: (words of the name, value, kind of decoy)."""

from . import ids, values

SECRET_NAMES = [
    "api_key",
    "db_password",
    "auth_token",
    "client_secret",
    "jwt_secret",
    "access_token",
    "smtp_password",
    "secret_key",
    "encryption_key",
    "github_token",
    "openai_api_key",
    "aws_secret_access_key",
    "stripe_secret_key",
    "redis_password",
    "webhook_secret",
    "slack_bot_token",
    "private_key",
]


def setting(rand):
    """One harmless setting that a careless scanner reports."""
    return rand.choice(MAKERS)(rand)


def from_pair(kind, maker):
    def make(rand):
        name, value = maker(rand)
        return name.split("_"), value, kind

    return make


def named(kind, names, value):
    def make(rand):
        return rand.choice(names.split()).split("_"), value(rand), kind

    return make


def reference(rand):
    name = rand.choice(SECRET_NAMES)
    return name.split("_"), values.reference(rand, name.upper() if rand.chance(0.6) else name), "reference"


def placeholder(rand):
    return rand.choice(SECRET_NAMES).split("_"), values.placeholder(rand), "placeholder"


MAKERS = [
    reference,
    reference,
    reference,
    placeholder,
    placeholder,
    placeholder,
    from_pair("publishable", ids.publishable),
    from_pair("vendor-id", ids.vendor_id),
    from_pair("vendor-id", ids.vendor_id),
    from_pair("same-shape", ids.same_shape),
    from_pair("same-shape", ids.same_shape),
    named(
        "uuid",
        "request_id correlation_id instance_id tenant_id app_id session_uuid device_id primary_key partition_key idempotency_key org_id installation_id",
        lambda r: r.uuid(),
    ),
    named("git-sha", "git_commit commit_sha revision build_revision source_version ref upstream_commit vcs_ref", lambda r: r.text("hex", 40)),
    named("digest", "image_digest sha256 checksum artifact_hash layer content_hash schema_hash", lambda r: "sha256:" + r.text("hex", 64)),
    named("digest", "md5 etag file_md5 cache_bust asset_hash fingerprint", lambda r: r.text("hex", 32)),
    named(
        "about-secrets",
        "password_min_length token_ttl secret_rotation_days api_key_length password_max_age session_timeout access_token_lifetime key_size max_login_tokens",
        lambda r: str(r.choice([8, 12, 24, 30, 90, 256, 900, 3600, 86400])),
    ),
    named(
        "about-secrets",
        "api_key_header token_header auth_header secret_header",
        lambda r: r.choice(["X-Api-Key", "Authorization", "X-Auth-Token", "apikey", "X-Vault-Token"]),
    ),
    named(
        "about-secrets",
        "secret_name key_vault_name secret_ref credentials_id password_secret token_secret_name existing_secret",
        lambda r: r.choice(["prod/db/credentials", "acme-kv-prod", "app-secrets", "github-deploy-key", "registry-creds", "postgres-auth"]),
    ),
    named(
        "about-secrets",
        "password_file private_key_path ssl_key key_file token_file secret_path credentials_file google_application_credentials",
        lambda r: r.choice(
            [
                "/run/secrets/db_password",
                "/etc/ssl/private/server.key",
                "~/.ssh/id_ed25519",
                "./certs/tls.key",
                "/var/run/secrets/kubernetes.io/serviceaccount/token",
                "/secrets/sa.json",
            ]
        ),
    ),
    named(
        "about-secrets",
        "token_endpoint auth_url token_url password_reset_url jwks_uri secrets_endpoint",
        lambda r: r.choice(
            [
                "https://auth.acme-corp.io/oauth/token",
                "https://login.acme-corp.io/.well-known/jwks.json",
                "https://app.acme-corp.io/reset-password?step=confirm",
            ]
        ),
    ),
    named(
        "about-secrets",
        "password_policy token_type auth_type secret_type key_algorithm password_encoder token_algorithm credential_provider key_type",
        lambda r: r.choice(
            ["bearer", "RS256", "argon2id", "rotate-every-90-days", "symmetric", "AES-256-GCM", "external-secrets", "managed-identity", "ES256"]
        ),
    ),
    named(
        "about-secrets",
        "password_field token_param secret_column key_name sort_key cache_key primary_key_column api_key_param",
        lambda r: r.choice(["password", "access_token", "user:session:{id}", "created_at", "api_key", "user_id", "hashed_password"]),
    ),
    named("password-hash", "admin_password_hash password_hash password encrypted_password htpasswd user_password", values.password_hash),
    named(
        "public-key",
        "public_key deploy_public_key ssh_public_key wireguard_peer_public_key",
        lambda r: r.choice(
            [
                "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + r.text("b64", 43) + " deploy@build",
                r.text("b64", 43) + "=",
                "age1" + r.text("qpzry9x8gf2tvdw0s3jn54khce6mua7l", 58),
            ]
        ),
    ),
    named("wrong-checksum", "expected_token_shape regex_sample sample_input example_match pattern_example", values.wrong_checksum),
    named("wrong-length", "prefix_sample truncated_preview masked_hint sample_prefix log_preview", values.wrong_length),
    named("documented", "doc_sample example_value readme_example", values.documented),
    named(
        "version",
        "version image_tag release chart_version build_tag",
        lambda r: r.choice(
            [
                f"v{r.randint(0, 9)}.{r.randint(0, 30)}.{r.randint(0, 99)}-{r.text('hex', 7)}",
                f"{r.randint(1, 9)}.{r.randint(0, 20)}.0-beta.{r.randint(1, 30)}+{r.text('hex', 12)}",
                f"2026{r.randint(10, 12)}{r.randint(10, 28)}-{r.text('hex', 8)}",
            ]
        ),
    ),
    named(
        "path",
        "s3_key object_key upload_path log_group asset_path backup_key",
        lambda r: r.choice(
            [
                f"s3://acme-artifacts/builds/{r.text('hex', 40)}/bundle.zip",
                f"uploads/2026/03/{r.uuid()}.pdf",
                f"/aws/lambda/orders-{r.text('lan', 12)}",
                f"gs://acme-models/checkpoints/{r.text('lan', 20)}/model.safetensors",
            ]
        ),
    ),
    named(
        "phone-or-number",
        "support_phone account_number invoice_number tax_id order_number",
        lambda r: r.choice(["+49 30 " + r.text("dig", 8), r.text("dig", 16), "INV-" + r.text("dig", 10), "DE" + r.text("dig", 9)]),
    ),
    named(
        "crypto-id",
        "contract_address token_address transaction_hash genesis_hash ipfs_cid",
        lambda r: r.choice(
            ["0x" + r.text("hex", 40), "0x" + r.text("hex", 64), "Qm" + r.text("an", 44), "bafybei" + r.text("b32l", 52), "bc1q" + r.text("lan", 38)]
        ),
    ),
]
