"""Two judgements about what a scanner says: to which class a false finding belongs, and whether a detector fits a vendor."""

import collections
import re

ORDER = {"generic": 0, "unprefixed": 1, "prefixed": 2}
# Words by which a detector may call the vendor, beyond the first part of the kind's id.
ALSO = {
    "anthropic": "claude",
    "aws": "amazon bedrock mws ses",
    "azure": "microsoft entra cosmos cosmosdb storage openai",
    "private_key": "privatekey pem rsa ssh pgp",
    "google": "gcp gemini aiza vertex",
    "gcp": "google",
    "k8s": "kubernetes openshift jwt privatekey",
    "huggingface": "hf hugging",
    "wandb": "weights",
    "xai": "grok",
    "dashscope": "alibaba qwen",
    "moonshot": "kimi",
    "zhipu": "zai bigmodel",
    "digitalocean": "digital",
    "newrelic": "relic",
    "mongodb": "atlas",
    "docker": "dockerhub",
    "npm": "npmjs",
    "crates": "cargo cratesio",
    "atlassian": "jira confluence",
    "github": "copilot",
    "terraform": "hashicorp tfc hcp",
    "vault": "hashicorp",
    "hcp": "hashicorp",
    "spiffe": "jwt svid privatekey",
    "jwt": "jsonwebtoken",
    "jwk": "privatekey",
    "alibaba": "aliyun",
    "onepassword": "1password",
    "sonar": "sonarqube sonarcloud",
    "launchdarkly": "ld",
    "circleci": "circle",
    "llamaindex": "llama",
    "volcengine": "ark",
    "brevo": "sendinblue",
    "scaleway": "scw",
    "hetzner": "hcloud",
    "braintree": "paypal",
    "flutterwave": "flw",
    "rapidapi": "rapid",
    "fireworks": "fireworksai",
    "lambda": "lambdalabs",
    "artifactory": "jfrog",
    "teams": "microsoft",
    "supabase": "jwt",
    "nebius": "jwt",
    "monsterapi": "jwt",
    "qdrant": "jwt",
    "snowflake": "jwt",
    "fly": "flyio",
    "tavily": "tvly",
    "perplexity": "pplx",
    "elevenlabs": "eleven xi",
    "vercel": "zeit",
    "facebook": "meta",
    "ethereum": "eth privatekey",
    "twitter": "x",
    "age": "agesecret",
    "slack": "slackwebhook",
    "vastai": "vast",
    "langfuse": "langfuse",
    "ibm": "ibmcloud",
}


def squeeze(text):
    return re.sub(r"[^a-z0-9]", "", text.lower())


def fits_vendor(finding, plant):
    """Whether the rule's own words name the vendor of the plant. Informative only."""
    said = squeeze(f"{finding.rule} {finding.hint}")
    first = plant.kind.split(".")[0]
    if plant.cls == "generic":
        return "generic" in said or any(
            word in said
            for word in (
                "password",
                "basic",
                "url",
                "connection",
                "uri",
                "jdbc",
                "secret",
                "curl",
                "netrc",
                "bearer",
                "kubernetes",
                "docker",
                "database",
                "sql",
                "credential",
                "token",
                "apikey",
            )
        )
    return squeeze(first) in said or any(word in said for word in ALSO.get(first, "").split())


def is_generic(finding):
    """Detectors of no vendor say so in their name."""
    return "generic" in squeeze(f"{finding.rule} {finding.hint}")


def classes_of_rules(hits, findings):
    """The class of each rule, from its name and from what it truly hit in this tree.

    1. A rule with `generic` in its name or class is generic, and so is one with a twentieth of its true hits on generic plants:
       it reports what it knows no vendor of (any entry of a Secret, any password in a URL).
    2. Else the class of most of its true hits.
    3. A rule with no true hit is prefixed: the harshest bill for a false finding, since prefixed has the highest bar.
    """
    votes = collections.defaultdict(collections.Counter)
    for finding, plants in hits:
        for plant in plants:
            votes[finding.rule][plant.cls] += 1
    out = {}
    for finding in findings:
        count = votes[finding.rule]
        if is_generic(finding) or count["generic"] * 20 >= max(1, sum(count.values())):
            out[finding.rule] = "generic"
        elif count:
            out[finding.rule] = max(count.items(), key=lambda item: (item[1], ORDER[item[0]]))[0]
        else:
            out[finding.rule] = "prefixed"
    return out
