"""How people write a name: SNAKE, snake, camel, Pascal, kebab, dotted."""

import re

NEUTRAL = [
    "api_key",
    "token",
    "secret",
    "key",
    "auth_token",
    "access_token",
    "apikey",
    "api_token",
    "secret_key",
    "credential",
    "auth_key",
    "service_key",
    "bearer_token",
    "pat",
    "llm_key",
    "client_key",
    "value",
]
# For a value without a prefix only names that say "secret" are fair.
SECRETIVE = ["api_key", "token", "secret", "key", "auth_token", "access_token", "apikey", "api_token", "secret_key", "auth_key"]
BEFORE = ["prod", "app", "my", "staging", "next_public", "vite", "svc", "backend", "default", "internal", "main", "react_app"]
AFTER = ["prod", "dev", "staging", "2", "v2", "live", "old", "primary", "backup"]


def words(name):
    """Words of UPPER_SNAKE, or of CamelCase when that is how the vendor writes it."""
    if not name.isupper() and "_" not in name and name != name.lower():
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return [w for w in name.lower().split("_") if w]


def upper(w):
    return "_".join(w).upper()


def lower(w):
    return "_".join(w)


def camel(w):
    return w[0] + "".join(x.capitalize() for x in w[1:])


def pascal(w):
    return "".join(x.capitalize() for x in w)


def kebab(w):
    return "-".join(w)


def dotted(w):
    return ".".join(w)


def identifier(w):
    """Words that may stand as a name in code: no leading digit."""
    return w if not w[0][0].isdigit() else ["x", *w]


def dressed(rand, w):
    """Sometimes with what a team puts around a name."""
    if rand.chance(0.14):
        w = rand.choice(BEFORE).split("_") + w
    if rand.chance(0.1):
        w = w + rand.choice(AFTER).split("_")
    return w
