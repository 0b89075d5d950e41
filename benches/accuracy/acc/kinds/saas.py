"""Chat, payments, mail, work tools: sections C.4 to C.6 and C.14."""
import zlib

from ..kind import b64, b64url, one, several

SLACK = "https://slack.com/api/auth.test"
STRIPE = "https://api.stripe.com/v1/account"


def discord(rand, _):
    who = str(rand.randrange(3 * 10**17, 12 * 10**17))
    return f"{b64url(who)}.{rand.text('url', 6)}.{rand.text('url', 27)}"


def atlassian(prefix, length):
    """Ends in `=` and eight hex digits that look like a CRC; which CRC is not public."""
    def make(rand, _):
        body = prefix + rand.text("url", length)
        return f"{body}={zlib.crc32(body.encode()):08X}"
    return make


def jira_pat(rand, _):
    """Data Center tokens are base64 of a number, a colon and 20 random bytes."""
    return b64(f"{rand.text('nz', 1)}{rand.text('dig', 11)}:".encode() + rand.randbytes(20))


# Slack
one("slack.bot", "P workload", "xoxb-{nz:1}{dig:11}-{nz:1}{dig:12}-{an:24}", "SLACK_BOT_TOKEN SLACK_TOKEN", SLACK, share=1.5)
one("slack.user", "P workload", "xoxp-{nz:1}{dig:11}-{nz:1}{dig:11}-{nz:1}{dig:12}-{hex:32}", "SLACK_USER_TOKEN SLACK_TOKEN", SLACK)
one("slack.app", "P workload", "xapp-1-A{UAN:10}-{nz:1}{dig:12}-{hex:64}", "SLACK_APP_TOKEN", "https://slack.com/api/apps.connections.open")
one("slack.config_access", "P workload", "xoxe.xoxp-1-Mi0y{an:162}", "SLACK_CONFIG_TOKEN", SLACK, share=0.6)
one("slack.config_refresh", "P workload", "xoxe-1-My0x{an:142-143}", "SLACK_REFRESH_TOKEN", SLACK, share=0.6)
one("slack.workspace", "P workload", "xoxa-2-{nz:1}{dig:11}-{nz:1}{dig:11}-{nz:1}{dig:12}-{hex:32}", "SLACK_TOKEN", SLACK, share=0.5)
one("slack.workspace_refresh", "P workload", "xoxr-{nz:1}{dig:11}-{nz:1}{dig:11}-{nz:1}{dig:12}-{hex:32}", "SLACK_TOKEN", SLACK, share=0.5)
one("slack.legacy", "P workload", ["xoxs-{nz:1}{dig:10}-{nz:1}{dig:10}-{nz:1}{dig:11}-{hex:10}", "xoxo-{dig:6}-{an:10}"], "SLACK_TOKEN SLACK_LEGACY_TOKEN", SLACK, share=0.5)
several("slack.session", "P workload", [("token", "xoxc-{nz:1}{dig:11}-{nz:1}{dig:11}-{nz:1}{dig:12}-{hex:64}", "SLACK_XOXC_TOKEN SLACK_TOKEN"),
                                        ("cookie", "xoxd-{an:40}%2F{an:40}%2B{an:30}%3D", "SLACK_XOXD_TOKEN SLACK_COOKIE")], SLACK, "", share=0.7, encodings=False)
for path, pattern in [("services", "T{UAN:10}/B{UAN:10}/{an:24}"), ("workflows", "T{UAN:10}/A{UAN:10}/{dig:18}/{an:24}"), ("triggers", "T{UAN:10}/{dig:13}/{hex:32}")]:
    one("slack.webhook_" + path, "P workload", f"https://hooks.slack.com/{path}/" + pattern, "SLACK_WEBHOOK_URL SLACK_WEBHOOK", "", "", share=1 if path == "services" else 0.5)

# Stripe
for mode in ("live", "test"):
    one("stripe.secret_" + mode, "P workload", ["sk_%s_51{an:97}" % mode, "sk_%s_{an:24}" % mode], "STRIPE_SECRET_KEY STRIPE_API_KEY", STRIPE, "bearer" if mode == "live" else "basic:")
    one("stripe.restricted_" + mode, "P workload", ["rk_%s_51{an:97}" % mode, "rk_%s_{an:24}" % mode], "STRIPE_RESTRICTED_KEY STRIPE_API_KEY", STRIPE, share=0.7)
one("stripe.webhook", "P workload", "whsec_{an:32}", "STRIPE_WEBHOOK_SECRET STRIPE_ENDPOINT_SECRET", STRIPE, "")

# Twilio and mail
several("twilio.account", "U workload", [("id", "AC{hex:32}", "TWILIO_ACCOUNT_SID"), ("key", "{hex:32}", "TWILIO_AUTH_TOKEN")], "https://api.twilio.com/2010-04-01/Accounts.json", "")
several("twilio.api_key", "P workload", [("id", "SK{hex:32}", "TWILIO_API_KEY TWILIO_API_KEY_SID"), ("key", "{an:32}", "TWILIO_API_SECRET TWILIO_API_KEY_SECRET")], "https://api.twilio.com/2010-04-01/Accounts.json", "")
one("sendgrid.api_key", "P workload", "SG.{url:22}.{url:43}", "SENDGRID_API_KEY", "https://api.sendgrid.com/v3/mail/send", share=1.5)
one("mailgun.key", "P workload", "key-{hex:32}", "MAILGUN_API_KEY", "https://api.mailgun.net/v3/domains", "basic:api", need=True)
one("mailgun.new", "U workload", "{hex:32}-{hex:8}-{hex:8}", "MAILGUN_API_KEY MG_API_KEY", "https://api.mailgun.net/v3/domains", "basic:api")
one("mailchimp.api_key", "P workload", "{hex:32}-us{nz:1}{dig:1}", "MAILCHIMP_API_KEY", "https://us12.api.mailchimp.com/3.0/ping", "basic:any", need=True)
one("resend.api_key", "P workload", "re_{an:8}_{an:24}", "RESEND_API_KEY", "https://api.resend.com/emails")
one("postmark.token", "U workload", "{uuid}", "POSTMARK_API_TOKEN POSTMARK_SERVER_TOKEN", "https://api.postmarkapp.com/email", "header:X-Postmark-Server-Token")
one("brevo.api_key", "P workload", "xkeysib-{hex:64}-{an:16}", "BREVO_API_KEY SENDINBLUE_API_KEY", "https://api.brevo.com/v3/smtp/email", "header:api-key")
one("brevo.smtp", "P workload", "xsmtpsib-{hex:64}-{an:16}", "SMTP_PASSWORD BREVO_SMTP_KEY", "", "", share=0.6)

# work tools
one("linear.api_key", "P workload", "lin_api_{an:40}", "LINEAR_API_KEY", "https://api.linear.app/graphql", "header:Authorization")
one("notion.token", "P workload", "ntn_{dig:11}{an:35}", "NOTION_TOKEN NOTION_API_KEY", "https://api.notion.com/v1/users")
one("notion.old", "P workload", "secret_{an:43}", "NOTION_TOKEN NOTION_API_KEY NOTION_SECRET", "https://api.notion.com/v1/users", need=True)
one("figma.pat", "P workload", "figd_{url:40}", "FIGMA_TOKEN FIGMA_ACCESS_TOKEN", "https://api.figma.com/v1/me", "header:X-Figma-Token")
one("postman.key", "P workload", "PMAK-{hex:24}-{hex:34}", "POSTMAN_API_KEY", "https://api.getpostman.com/me", "header:X-Api-Key")
several("atlassian.user", "P workload", [("site?", "https://acme-{low:4}.atlassian.net", "JIRA_URL"), ("email?", "kim@acme-corp.io", "JIRA_EMAIL"), ("key", atlassian("ATAT" + "T3xFfGF0", 171), "JIRA_API_TOKEN ATLASSIAN_API_TOKEN")],
        "https://acme.atlassian.net/rest/api/3/myself", "basic:kim@acme-corp.io")
one("atlassian.admin", "P workload", atlassian("ATCT" + "T3xFfG", 172), "ATLASSIAN_ADMIN_KEY", "https://api.atlassian.com/admin/v1/orgs", share=0.7)
several("atlassian.legacy", "U workload", [("email?", "ci@acme-{low:4}.io", "JIRA_EMAIL CONFLUENCE_USER"), ("key", "{an:24}", "JIRA_API_TOKEN CONFLUENCE_API_TOKEN ATLASSIAN_TOKEN")],
        "https://acme.atlassian.net/rest/api/3/myself", "basic:kim@acme-corp.io", vendor="jira")
one("atlassian.data_center", "U workload", jira_pat, "JIRA_PAT CONFLUENCE_PAT JIRA_TOKEN", "https://jira.acme-corp.io/rest/api/2/myself", vendor="jira", encodings=False)
several("okta.token", "U workload", [("domain?", "https://dev-{dig:8}.okta.com", "OKTA_ORG_URL OKTA_DOMAIN"), ("key", "00{url:40}", "OKTA_API_TOKEN OKTA_TOKEN")], "https://acme.okta.com/api/v1/users/me", "header:Authorization")
several("auth0.client", "U workload", [("domain?", "acme-{low:4}.eu.auth0.com", "AUTH0_DOMAIN"), ("id?", "{an:32}", "AUTH0_CLIENT_ID"), ("key", "{url:64}", "AUTH0_CLIENT_SECRET")], "https://acme.eu.auth0.com/oauth/token", "")
one("discord.bot", "P workload", discord, "DISCORD_TOKEN DISCORD_BOT_TOKEN BOT_TOKEN", "https://discord.com/api/v10/users/@me", "header:Authorization", encodings=False)
one("discord.webhook", "P workload", "https://discord.com/api/webhooks/1{dig:18}/{url:68}", "DISCORD_WEBHOOK DISCORD_WEBHOOK_URL", "", "")
one("telegram.bot", "P workload", ["{nz:1}{dig:9}:AA{url:33}", "{nz:1}{dig:8}:AA{url:33}"], "TELEGRAM_BOT_TOKEN TELEGRAM_TOKEN TG_BOT_TOKEN", "https://api.telegram.org/", "")
for letters, names in [("shpat", "SHOPIFY_ACCESS_TOKEN SHOPIFY_ADMIN_TOKEN"), ("shpca", "SHOPIFY_ACCESS_TOKEN"), ("shppa", "SHOPIFY_PASSWORD"), ("shpss", "SHOPIFY_API_SECRET SHOPIFY_SHARED_SECRET")]:
    one("shopify." + letters, "P workload", letters + "_{hex:32}", names, "https://acme.myshopify.com/admin/api/2026-01/shop.json", "header:X-Shopify-Access-Token", share=0.7)
one("square.access", "P workload", "EAAA{url:60}", "SQUARE_ACCESS_TOKEN", "https://connect.squareup.com/v2/locations", need=True)
one("square.oauth_secret", "P workload", "sq0csp-{url:43}", "SQUARE_APPLICATION_SECRET SQUARE_OAUTH_SECRET", "https://connect.squareup.com/oauth2/token", "")
