"""Observability, hosting and platforms: sections C.12 and C.13, and their neighbours."""
import json

from ..checksum import crc_hex_little_endian
from ..kind import b64, jwt, one, several


def grafana_account(rand, _):
    before = "gl" + "sa_" + rand.text("an", 32)
    return before + "_" + crc_hex_little_endian(before)


def sentry_org(rand, _):
    body = json.dumps({"iat": 1780000000.0 + rand.randrange(10**6), "url": "https://sentry.io", "region_url": "https://us.sentry.io", "org": "acme-" + rand.text("low", 4)})
    return "sntrys_" + b64(body) + "_" + rand.text("b64", 43)


def supabase_role(rand, _):
    return jwt(rand, {"iss": "supabase", "ref": rand.text("low", 20), "role": "service_role", "iat": 1780000000, "exp": 2095576000})


several("datadog.api_key", "U workload", [("key", "{hex:32}", "DD_API_KEY DATADOG_API_KEY")], "https://api.datadoghq.com/api/v1/validate", "header:DD-API-KEY")
one("datadog.app_key", "U workload", "{hex:40}", "DD_APP_KEY DATADOG_APP_KEY DATADOG_APPLICATION_KEY", "https://api.datadoghq.com/api/v2/users", "header:DD-APPLICATION-KEY")
one("newrelic.user", "P workload", "NRAK-{UAN:27}", "NEW_RELIC_API_KEY NEWRELIC_API_KEY", "https://api.newrelic.com/v2/users.json", "header:X-Api-Key", vendor="new_relic")
one("newrelic.insert", "P workload", "NRII-{url:32}", "NEW_RELIC_INSERT_KEY", "https://insights-collector.newrelic.com/v1/accounts/1234567/events", "header:X-Insert-Key", vendor="new_relic")
one("newrelic.license", "P workload", ["{hex:32}FFFFNRAL", "eu01xx{hex:26}FFFFNRAL"], "NEW_RELIC_LICENSE_KEY", "https://log-api.newrelic.com/log/v1", "header:Api-Key", vendor="new_relic")
one("newrelic.browser", "P workload", "NRJS-{hex:19}", "NEW_RELIC_BROWSER_KEY", "", "", vendor="new_relic", neutral=True, share=0.5)
one("grafana.service_account", "P workload", grafana_account, "GRAFANA_TOKEN GRAFANA_SA_TOKEN", "https://grafana.acme-corp.io/api/dashboards")
one("grafana.cloud", "P workload", lambda r, _: "glc" + "_" + b64(json.dumps({"o": r.text("dig", 6), "n": "stack-%s-hl-write" % r.text("dig", 6), "k": r.text("an", 24), "m": {"r": "prod-eu-west-2"}}, separators=(",", ":"))),
    "GRAFANA_CLOUD_TOKEN GRAFANA_CLOUD_API_KEY", "https://grafana.com/api/v1/tokens")
one("grafana.legacy", "P workload", lambda r, _: b64(json.dumps({"k": r.text("an", 32), "n": "ci-" + r.text("low", 5), "id": r.randint(1, 9)}, separators=(",", ":"))),
    "GRAFANA_API_KEY", "https://grafana.acme-corp.io/api/dashboards", encodings=False)
one("sentry.user", "P workload", "sntryu_{hex:64}", "SENTRY_AUTH_TOKEN", "https://sentry.io/api/0/auth/validate/")
one("sentry.org", "P workload", sentry_org, "SENTRY_AUTH_TOKEN", "https://sentry.io/api/0/organizations/", encodings=False)
one("sentry.legacy", "U workload", "{hex:64}", "SENTRY_AUTH_TOKEN SENTRY_TOKEN", "https://sentry.io/api/0/projects/")
one("pagerduty.user", "U workload", "u+{url:18}", "PAGERDUTY_TOKEN PAGERDUTY_API_KEY", "https://api.pagerduty.com/users", "token", avoid="")
one("pagerduty.account", "U workload", "{url:20}", "PAGERDUTY_TOKEN PAGERDUTY_API_KEY PD_API_KEY", "https://api.pagerduty.com/users", "token")
for letters, names in [("dop", "DIGITALOCEAN_TOKEN DO_TOKEN DIGITALOCEAN_ACCESS_TOKEN"), ("doo", "DO_OAUTH_TOKEN"), ("dor", "DO_REFRESH_TOKEN")]:
    one("digitalocean." + letters, "P cloud", letters + "_v1_{hex:64}", names, "https://api.digitalocean.com/v2/account", share=1 if letters == "dop" else 0.6)
CF = "https://api.cloudflare.com/client/v4/user/tokens/verify"
for letters, names in [("cfut", "CLOUDFLARE_API_TOKEN CF_API_TOKEN"), ("cfat", "CLOUDFLARE_API_TOKEN"), ("cfk", "CLOUDFLARE_API_KEY CF_API_KEY")]:
    one("cloudflare." + letters, "P workload", letters + "_{an:40}{hex:8}", names, CF, share=0.7)
several("cloudflare.global_old", "U workload", [("email?", "ops@acme-{low:4}.io", "CLOUDFLARE_EMAIL"), ("key", "{hex:37}", "CLOUDFLARE_API_KEY CLOUDFLARE_GLOBAL_API_KEY")], CF, "header:X-Auth-Key")
one("cloudflare.token_old", "U workload", "{url:40}", "CLOUDFLARE_API_TOKEN CLOUDFLARE_TOKEN", CF)
one("cloudflare.origin_ca", "P workload", "v1.0-{hex:24}-{hex:146}", "CLOUDFLARE_ORIGIN_CA_KEY CF_ORIGIN_CA_KEY", CF, "header:X-Auth-User-Service-Key")
one("heroku.key", "P workload", "HRKU-AA{url:58}", "HEROKU_API_KEY", "https://api.heroku.com/account")
one("heroku.legacy", "U workload", "{uuid}", "HEROKU_API_KEY HEROKU_KEY", "https://api.heroku.com/account")
one("fly.macaroon", "P workload", lambda r, _: "FlyV1 fm2_" + b64(r.randbytes(r.randint(250, 420))), "FLY_API_TOKEN", "https://api.machines.dev/v1/apps", "header:Authorization", avoid="bash_history")
one("fly.token", "P workload", "fo1_{url:43}", "FLY_API_TOKEN FLY_ACCESS_TOKEN", "https://api.machines.dev/v1/apps")
one("vercel.legacy", "U workload", "{an:24}", "VERCEL_TOKEN VERCEL_API_TOKEN", "https://api.vercel.com/v2/user")
for letters, names in [("vcp", "VERCEL_TOKEN"), ("vci", "VERCEL_INTEGRATION_TOKEN"), ("vca", "VERCEL_ACCESS_TOKEN"), ("vcr", "VERCEL_REFRESH_TOKEN")]:
    one("vercel." + letters, "P workload", letters + "_{an:56}", names, "https://api.vercel.com/v2/user", share=0.6)
one("netlify.pat", "P workload", "nfp_{an:36-40}", "NETLIFY_AUTH_TOKEN", "https://api.netlify.com/api/v1/user")
one("netlify.legacy", "U workload", "{url:43}", "NETLIFY_AUTH_TOKEN NETLIFY_TOKEN", "https://api.netlify.com/api/v1/sites")
one("supabase.pat", "P workload", "sbp_{hex:40}", "SUPABASE_ACCESS_TOKEN", "https://api.supabase.com/v1/projects")
one("supabase.secret", "P workload", "sb_secret_{url:31}", "SUPABASE_SECRET_KEY SUPABASE_KEY", "https://qwertyuiopasdfghjklz.supabase.co/rest/v1/users", "header:apikey")
one("supabase.service_role", "P workload", supabase_role, "SUPABASE_SERVICE_ROLE_KEY SUPABASE_SERVICE_KEY", "https://qwertyuiopasdfghjklz.supabase.co/rest/v1/users", "header:apikey")
one("snowflake.pat", "P workload", lambda r, _: jwt(r, {"p": r.text("dig", 14), "iss": "SF:" + r.text("dig", 4), "exp": 1890000000}, {"kid": r.text("dig", 14), "alg": "ES256"}, 64),
    "SNOWFLAKE_PAT SNOWFLAKE_TOKEN", "https://acme-xy12345.snowflakecomputing.com/api/v2/statements")
for mark, names in [("dp.pt.{an:43}", "DOPPLER_TOKEN"), ("dp.st.prd.{an:43}", "DOPPLER_TOKEN DOPPLER_SERVICE_TOKEN"), ("dp.ct.{an:43}", "DOPPLER_CLI_TOKEN"),
                    ("dp.sa.{an:43}", "DOPPLER_TOKEN"), ("dp.scim.{an:43}", "DOPPLER_SCIM_TOKEN"), ("dp.audit.{an:43}", "DOPPLER_AUDIT_TOKEN")]:
    one("doppler." + mark.split(".")[1], "P workload", mark, names, "https://api.doppler.com/v3/me", share=0.5)
several("mongodb.atlas_sa", "P workload", [("id", "mdb_sa_id_{hex:24}", "MONGODB_ATLAS_CLIENT_ID"), ("key", "mdb_sa_sk_{url:40}", "MONGODB_ATLAS_CLIENT_SECRET")], "https://cloud.mongodb.com/api/oauth/token", "")

# further
one("dynatrace.token", "P workload", "dt0c01.{b32:24}.{b32:64}", "DT_API_TOKEN DYNATRACE_API_TOKEN", "https://abc12345.live.dynatrace.com/api/v2/metrics", "header:Authorization")
one("splunk.hec", "U workload", "{uuid}", "SPLUNK_HEC_TOKEN SPLUNK_TOKEN", "https://splunk.acme-corp.io:8088/services/collector", "header:Authorization")
one("rollbar.token", "U workload", "{hex:32}", "ROLLBAR_ACCESS_TOKEN ROLLBAR_TOKEN", "https://api.rollbar.com/api/1/item/", "header:X-Rollbar-Access-Token")
one("honeycomb.ingest", "P workload", "hcaik_01{b32l:24}{lan:32}", "HONEYCOMB_API_KEY", "https://api.honeycomb.io/1/events/app", "header:X-Honeycomb-Team")
one("planetscale.token", "P workload", "pscale_tkn_{url:43}", "PLANETSCALE_SERVICE_TOKEN", "https://api.planetscale.com/v1/organizations")
one("planetscale.password", "P workload", "pscale_pw_{url:43}", "DATABASE_PASSWORD PLANETSCALE_PASSWORD", "", "")
one("neon.api_key", "P workload", "napi_{lan:64}", "NEON_API_KEY", "https://console.neon.tech/api/v2/projects")
several("confluent.key", "U workload", [("id", "{UAN:16}", "CONFLUENT_API_KEY KAFKA_API_KEY"), ("key", "{b64:64}", "CONFLUENT_API_SECRET")], "https://pkc-4r297.europe-west1.gcp.confluent.cloud:9092", "")
one("tailscale.auth", "P workload", "tskey-auth-{an:11}CNTRL-{an:32}", "TS_AUTHKEY TAILSCALE_AUTHKEY", "https://api.tailscale.com/api/v2/tailnet/-/devices", "basic:")
one("tailscale.api", "P workload", "tskey-api-{an:11}CNTRL-{an:32}", "TAILSCALE_API_KEY", "https://api.tailscale.com/api/v2/tailnet/-/devices", "basic:")
one("ngrok.authtoken", "U workload", "2{an:26}_{an:21}", "NGROK_AUTHTOKEN NGROK_TOKEN", "https://api.ngrok.com/tunnels")
one("launchdarkly.sdk", "P workload", "sdk-{uuid}", "LAUNCHDARKLY_SDK_KEY LD_SDK_KEY", "https://sdk.launchdarkly.com/sdk/latest-all", "header:Authorization", need=True)
one("launchdarkly.api", "P workload", "api-{uuid}", "LAUNCHDARKLY_ACCESS_TOKEN LAUNCHDARKLY_API_KEY", "https://app.launchdarkly.com/api/v2/projects", "header:Authorization", need=True)
one("algolia.admin", "U workload", "{hex:32}", "ALGOLIA_ADMIN_KEY ALGOLIA_ADMIN_API_KEY ALGOLIA_API_KEY", "https://acme-dsn.algolia.net/1/indexes", "header:X-Algolia-API-Key")
one("onepassword.service", "P workload", lambda r, _: "ops_" + b64(json.dumps({"signInAddress": "acme.1password.com", "userAuth": {"method": "SRPg-4096", "alg": "PBES2g-HS256", "iterations": 650000, "salt": r.text("url", 22)},
    "email": r.text("lan", 12) + "@1passwordserviceaccounts.com", "srpX": r.text("hex", 64), "muk": {"alg": "A256GCM", "k": r.text("url", 43)}, "secretKey": "A3-" + r.text("UAN", 6) + "-" + r.text("UAN", 6), "throttleSecret": {"seed": r.text("hex", 64)}}), True),
    "OP_SERVICE_ACCOUNT_TOKEN", "", "", encodings=False)
one("scalingo.token", "P workload", "tk-us-{url:48}", "SCALINGO_API_TOKEN", "https://auth.scalingo.com/v1/tokens/exchange")
