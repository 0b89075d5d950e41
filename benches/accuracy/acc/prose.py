"""Words and ordinary settings for filling files up, so that a planted value is not alone."""

NOUNS = [
    "order",
    "invoice",
    "customer",
    "report",
    "session",
    "shipment",
    "ticket",
    "product",
    "metric",
    "webhook",
    "payload",
    "profile",
    "batch",
    "document",
    "vector",
    "prompt",
    "message",
    "job",
    "tenant",
    "device",
    "sensor",
    "campaign",
    "article",
    "review",
]
VERBS = [
    "load",
    "fetch",
    "store",
    "build",
    "parse",
    "render",
    "sync",
    "publish",
    "validate",
    "update",
    "collect",
    "archive",
    "export",
    "resolve",
    "merge",
    "retry",
]
PEOPLE = ["kim", "alex", "noor", "jo", "sam", "lena", "ravi", "mia", "tom", "ines"]
PROJECTS = [
    "orders",
    "checkout",
    "atlas",
    "pigeon",
    "lighthouse",
    "harbor",
    "quokka",
    "meridian",
    "copper",
    "juniper",
    "saffron",
    "billing",
    "search",
    "chat-bot",
    "rag-service",
    "data-pipeline",
    "mobile-api",
    "web-shop",
    "inventory",
    "notify",
]
SENTENCES = [
    "Retries are capped so that a slow upstream does not pile up work.",
    "The cache is warmed on start; the first request may be slow.",
    "See the runbook before you change this.",
    "Times are UTC everywhere.",
    "This is read once at start-up.",
    "Keep in sync with the chart.",
    "Do not rename: dashboards depend on it.",
    "Ported from the old service.",
    "The limit comes from the vendor.",
    "Used by the nightly job only.",
    "Order matters here.",
    "We tried without and it was slower.",
]


def project(rand):
    return rand.choice(PROJECTS) + ("" if rand.chance(0.5) else "-" + rand.choice(["api", "worker", "ui", "infra", "v2"]))


def sentence(rand):
    return rand.choice(SENTENCES)


def setting(rand):
    """(words, value) of an ordinary setting: nothing a scanner should care for."""
    name = rand.choice(NOUNS)
    return rand.choice(
        [
            (["port"], str(rand.choice([3000, 5432, 8000, 8080, 9090]))),
            (["log", "level"], rand.choice(["info", "debug", "warn"])),
            (["node", "env"], "production"),
            (["db", "host"], rand.choice(["localhost", "db.internal", "postgres", "10.0.3.17"])),
            (["db", "port"], "5432"),
            (["db", "name"], name),
            (["db", "user"], rand.choice(["app", "postgres", "svc_" + name])),
            ([name, "timeout", "ms"], str(rand.choice([500, 1000, 30000]))),
            (["feature", name, "enabled"], rand.choice(["true", "false"])),
            (["aws", "region"], rand.choice(["eu-west-1", "us-east-1"])),
            (["s3", "bucket"], f"acme-{name}-prod"),
            (["cache", "ttl"], str(rand.randint(30, 900))),
            (["public", "url"], f"https://{name}.acme-corp.io"),
            (["smtp", "host"], "smtp.acme-corp.io"),
            (["smtp", "port"], "587"),
            ([name, "queue"], f"{name}-events"),
            (["max", name, "size"], str(rand.randint(10, 5000))),
            (["workers"], str(rand.randint(1, 16))),
            (["cors", "origin"], "https://app.acme-corp.io"),
            (["tz"], "UTC"),
            (["model", "name"], rand.choice(["gpt-4o-mini", "claude-sonnet-4-5", "mistral-large-latest", "llama-3.1-70b"])),
            (["temperature"], "0.2"),
            (["max", "tokens"], str(rand.choice([512, 1024, 4096]))),
            (["redis", "host"], "redis-master"),
            (["kafka", "topic"], f"{name}.v1"),
            (["otel", "exporter"], "http://otel-collector:4317"),
            (["sentry", "environment"], "production"),
            (["support", "email"], "support@acme-corp.io"),
        ]
    )
