"""Code hosting, registries and build services."""
import base64

from ..checksum import BASE36, crc_base36, crc_base62, in_base, sha_base32
from ..kind import b64url, jwt, one, several

GITHUB = "https://api.github.com/user"
GITLAB = "https://gitlab.com/api/v4/user"


def with_crc(prefix, length=30):
    def make(rand, _):
        body = rand.text("an", length)
        return prefix + body + crc_base62(body)
    return make


def fine_grained(rand, _):
    before = "github" + "_pat_" + rand.text("an", 22) + "_" + rand.text("an", 43)
    return before + sha_base32(before) + rand.text("an", 8)


def routable(prefix):
    def make(rand, _):
        payload = b64url(rand.randbytes(rand.randint(20, 60)))
        before = f"{prefix}{payload}.01.{in_base(len(payload), BASE36, 2)}"
        return before + crc_base36(before)
    return make


def stateless_server_token(rand, _):
    return "ghs" + "_" + rand.text("nz", 1) + rand.text("dig", 6) + "_" + jwt(rand, {"iss": "github", "iat": 1790000000, "exp": 1790003600, "jti": rand.uuid()})


def macaroon(host):
    """A PyPI token: a serialised macaroon with its location, identifier and a caveat."""
    def make(rand, _):
        def field(kind, data):
            return bytes([kind, len(data)]) + data
        caveat = f'[3,"{rand.uuid()}"]' if rand.chance(0.7) else '{"permissions": "user", "version": 1}'
        raw = b"\x02" + field(1, host) + field(2, rand.uuid().encode()) + b"\x00" + field(2, caveat.encode())
        return "pypi-" + b64url(raw + b"\x00\x00\x06\x20" + rand.randbytes(32))
    return make


one("github.pat_classic", "P workload", with_crc("gh" + "p_"), "GITHUB_TOKEN GH_TOKEN GITHUB_PAT", GITHUB, "token", share=2)
one("github.oauth", "P workload", with_crc("gh" + "o_"), "GITHUB_OAUTH_TOKEN GITHUB_TOKEN", GITHUB, "token")
one("github.app_user", "P workload", with_crc("gh" + "u_"), "GITHUB_USER_TOKEN GITHUB_TOKEN", GITHUB, "token")
one("github.app_server", "P workload", with_crc("gh" + "s_"), "GITHUB_TOKEN INSTALLATION_TOKEN", GITHUB, "token")
one("github.app_server_stateless", "P workload", stateless_server_token, "GITHUB_TOKEN INSTALLATION_TOKEN", GITHUB, encodings=False)
one("github.refresh", "P workload", with_crc("gh" + "r_", 70), "GITHUB_REFRESH_TOKEN", GITHUB, "token")
one("github.pat_fine", "P workload", fine_grained, "GITHUB_TOKEN GH_PAT GITHUB_PAT", GITHUB, "bearer")
one("github.legacy40", "U workload", "{hex:40}", "GITHUB_TOKEN GITHUB_API_TOKEN GH_TOKEN", GITHUB, "token")
several("github.oauth_secret", "U workload", [("id?", ["Iv1.{hex:16}", "{hex:20}"], "GITHUB_CLIENT_ID"), ("key", "{hex:40}", "GITHUB_CLIENT_SECRET GITHUB_OAUTH_CLIENT_SECRET")],
        "https://github.com/login/oauth/access_token", "")
one("gitlab.pat", "P workload", "glpat-{url:20}", "GITLAB_TOKEN GL_TOKEN GITLAB_PRIVATE_TOKEN", GITLAB, "header:PRIVATE-TOKEN", share=1.5)
one("gitlab.pat_routable", "P workload", routable("gl" + "pat-"), "GITLAB_TOKEN", GITLAB, "header:PRIVATE-TOKEN")
one("gitlab.runner_routable", "P workload", routable("gl" + "rt-t1_"), "RUNNER_TOKEN CI_SERVER_TOKEN", GITLAB, "")
for name, pattern, names in [
    ("deploy", "gldt-{url:20}", "GITLAB_DEPLOY_TOKEN CI_DEPLOY_PASSWORD"), ("runner", "glrt-{url:20}", "RUNNER_TOKEN"),
    ("runner_registration", "GR1348941{url:20}", "REGISTRATION_TOKEN RUNNER_REGISTRATION_TOKEN"), ("trigger", "glptt-{hex:40}", "TRIGGER_TOKEN"),
    ("job", "glcbt-{hex:2}_{url:20}", "CI_JOB_TOKEN"), ("scim", "glsoat-{url:20}", "SCIM_TOKEN"), ("oauth_app", "gloas-{hex:64}", "GITLAB_APP_SECRET"),
    ("feed", "glft-{url:20}", "GITLAB_FEED_TOKEN"), ("incoming_mail", "glimt-{lan:25}", "GITLAB_INCOMING_MAIL_TOKEN"),
    ("agent", "glagent-{url:50}", "GITLAB_AGENT_TOKEN KAS_AGENT_TOKEN"), ("feature_flags", "glffct-{url:20}", "UNLEASH_INSTANCE_ID GITLAB_FF_TOKEN"),
]:
    one("gitlab." + name, "P workload", pattern, names, GITLAB, "header:PRIVATE-TOKEN", share=0.7)
one("gitlab.session", "P workload", "_gitlab_session={hex:32}", "COOKIE GITLAB_COOKIE", GITLAB, "header:Cookie", share=0.7)

one("npm.granular", "P workload", with_crc("np" + "m_"), "NPM_TOKEN NODE_AUTH_TOKEN", "https://registry.npmjs.org/-/whoami", share=1.5)
one("npm.legacy", "U workload", "{uuid}", "NPM_TOKEN NPM_AUTH_TOKEN", "https://registry.npmjs.org/-/whoami")
one("pypi.token", "P workload", macaroon(b"pypi.org"), "PYPI_TOKEN TWINE_PASSWORD POETRY_PYPI_TOKEN_PYPI", "https://upload.pypi.org/legacy/", "basic:__token__")
one("pypi.test", "P workload", macaroon(b"test.pypi.org"), "TEST_PYPI_TOKEN TWINE_PASSWORD", "https://test.pypi.org/legacy/", "basic:__token__")
one("docker.pat", "P workload", "dckr_pat_{url:27}", "DOCKERHUB_TOKEN DOCKER_PASSWORD", "https://hub.docker.com/v2/users/login", "")
one("docker.oat", "P workload", "dckr_oat_{url:32}", "DOCKERHUB_TOKEN DOCKER_ORG_TOKEN", "https://hub.docker.com/v2/auth/token", "")
one("docker.legacy", "U workload", "{uuid}", "DOCKERHUB_TOKEN DOCKER_HUB_PASSWORD", "https://hub.docker.com/v2/users/login", "", vendor="dockerhub")
one("crates.token", "P workload", "cio{an:32}", "CARGO_REGISTRY_TOKEN CRATES_IO_TOKEN", "https://crates.io/api/v1/me", "header:Authorization", need=True, vendor="cargo")
one("rubygems.key", "P workload", "rubygems_{hex:48}", "GEM_HOST_API_KEY RUBYGEMS_API_KEY", "https://rubygems.org/api/v1/gems", "header:Authorization")
one("nuget.key", "P workload", "oy2{b32l:43}", "NUGET_API_KEY NUGET_KEY", "https://www.nuget.org/api/v2/package", "header:X-NuGet-ApiKey")
one("clojars.token", "P workload", "CLOJARS_{hex:60}", "CLOJARS_PASSWORD CLOJARS_TOKEN", "https://clojars.org/repo", "")
one("artifactory.key", "P workload", "AKCp{dig:1}{an:68}", "ARTIFACTORY_API_KEY JFROG_API_KEY", "https://acme.jfrog.io/artifactory/api/system/ping", "header:X-JFrog-Art-Api")
one("artifactory.reference", "P workload", lambda r, _: base64.b64encode(f"reftkn:01:17{r.text('dig', 8)}:{r.text('an', 28)}".encode()).decode().rstrip("="),
    "ARTIFACTORY_TOKEN JFROG_ACCESS_TOKEN", "https://acme.jfrog.io/artifactory/api/repositories", encodings=False)
one("circleci.pat", "P workload", "CCIPAT_{an:22}_{hex:40}", "CIRCLECI_TOKEN CIRCLE_TOKEN", "https://circleci.com/api/v2/me", "header:Circle-Token")
one("circleci.legacy", "U workload", "{hex:40}", "CIRCLECI_TOKEN CIRCLECI_API_TOKEN CIRCLE_TOKEN", "https://circleci.com/api/v2/me", "header:Circle-Token")
one("buildkite.token", "P workload", "bkua_{hex:40}", "BUILDKITE_TOKEN BUILDKITE_API_TOKEN", "https://api.buildkite.com/v2/user")
for letters in ("squ", "sqp", "sqa"):
    one("sonar." + letters, "P workload", letters + "_{hex:40}", "SONAR_TOKEN SONARQUBE_TOKEN", "https://sonarqube.acme-corp.io/api/user_tokens/search", "basic:", share=0.5)
one("snyk.token", "U workload", "{uuid}", "SNYK_TOKEN", "https://api.snyk.io/rest/self", "token")
one("codecov.token", "U workload", "{uuid}", "CODECOV_TOKEN", "https://codecov.io/upload/v4", "token")
one("travis.token", "U workload", "{url:22}", "TRAVIS_TOKEN TRAVIS_API_TOKEN", "https://api.travis-ci.com/user", "token")
one("infracost.key", "P workload", "ico-{an:32}", "INFRACOST_API_KEY", "https://pricing.api.infracost.io/graphql", "header:X-Api-Key")
one("octopus.key", "P workload", "API-{UAN:26}", "OCTOPUS_API_KEY OCTOPUS_CLI_API_KEY", "https://acme.octopus.app/api", "header:X-Octopus-ApiKey", need=True)
one("harness.pat", "P workload", "pat.{url:22}.{hex:24}.{an:20}", "HARNESS_API_KEY HARNESS_PLATFORM_API_KEY", "https://app.harness.io/gateway/ng/api/user/currentUser", "header:x-api-key")
one("prefect.key", "P workload", "pnu_{an:36}", "PREFECT_API_KEY", "https://api.prefect.cloud/api/me/")
