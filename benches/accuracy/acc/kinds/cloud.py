"""Google Cloud, Kubernetes, HashiCorp and other clouds."""
import json

from ..der import pem, pkcs1, pkcs8, rsa, rsa_algorithm
from ..kind import b64, b64url, jwt, one, rs256, several

GOOGLE = "https://www.googleapis.com/oauth2/v3/tokeninfo"


def service_account(rand, _, compact=False):
    """The JSON file Google hands out, with a real RSA key in it."""
    project = rand.choice(["acme-prod", "data-platform", "ml-serving", "billing-svc"]) + "-" + rand.text("dig", 6)
    email = f"{rand.choice(['deployer', 'vertex-runner', 'etl', 'terraform'])}@{project}.iam.gserviceaccount.com"
    root = "https://www.googleapis.com"
    body = {
        "type": "service_account", "project_id": project, "private_key_id": rand.text("hex", 40),
        "private_key": pem("PRIVATE KEY", pkcs8(rsa_algorithm(), pkcs1(rsa(rand)))), "client_email": email,
        "client_id": "1" + rand.text("dig", 20), "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "https://oauth2.googleapis.com/token", "auth_provider_x509_cert_url": root + "/oauth2/v1/certs",
        "client_x509_cert_url": f"{root}/robot/v1/metadata/x509/{email.replace('@', '%40')}", "universe_domain": "googleapis.com"}
    return json.dumps(body) if compact else json.dumps(body, indent=2)


def kube_jwt(bound):
    def make(rand, _):
        space, account = rand.choice(["payments", "default", "ci", "monitoring"]), rand.choice(["deployer", "api", "argocd-manager"])
        sub = f"system:serviceaccount:{space}:{account}"
        if not bound:
            pre = "kubernetes.io/serviceaccount/"
            return rs256(rand, {"iss": "kubernetes/serviceaccount", pre + "namespace": space, pre + "secret.name": f"{account}-token-{rand.text('b32l', 5)}",
                                pre + "service-account.name": account, pre + "service-account.uid": rand.uuid(), "sub": sub})
        now = 1780000000 + rand.randrange(10**6)
        return rs256(rand, {"aud": ["https://kubernetes.default.svc"], "exp": now + 31536000, "iat": now,
                            "iss": f"https://oidc.eks.eu-west-1.amazonaws.com/id/{rand.text('HEX', 32)}",
                            "kubernetes.io": {"namespace": space, "pod": {"name": f"api-{rand.text('lan', 9)}", "uid": rand.uuid()},
                                              "serviceaccount": {"name": account, "uid": rand.uuid()}}, "nbf": now, "sub": sub})
    return make


def spiffe_jwt(rand, _):
    return jwt(rand, {"aud": ["payments"], "exp": 1799999999, "iat": 1780000000, "sub": f"spiffe://prod.acme.io/ns/{rand.text('low', 6)}/sa/api"},
               {"alg": "ES256", "kid": rand.text("an", 32), "typ": "JWT"}, 64)


# Google
one("gcp.service_account", "P cloud", service_account, "", "", "", multiline=True, only="sa_json", vendor="google", share=2)
one("gcp.service_account_b64", "P cloud", lambda r, _: b64(service_account(r, _)), "GOOGLE_CREDENTIALS_B64 GCP_SA_KEY GOOGLE_SERVICE_ACCOUNT_BASE64", "", "",
    encodings=False, vendor="google", avoid="bash_history log csv")
one("gcp.oauth_access", "P cloud", "ya29.a0A{url:180-210}", "GOOGLE_ACCESS_TOKEN GOOGLE_OAUTH_ACCESS_TOKEN", GOOGLE, vendor="google")
several("gcp.oauth_client", "P cloud", [("id?", "{dig:12}-{lan:32}.apps.googleusercontent.com", "GOOGLE_CLIENT_ID"),
                                        ("key", "GOCSPX-{url:28}", "GOOGLE_CLIENT_SECRET GOOGLE_OAUTH_CLIENT_SECRET")], "", "", vendor="google")
several("gcp.adc_refresh", "P cloud", [("client?", "{dig:12}-{lan:32}.apps.googleusercontent.com", "client_id"), ("secret", "GOCSPX-{url:28}", "client_secret"),
                                       ("refresh", "1//0{let:1}{url:58}-L9Ir{url:40}", "refresh_token")], "", "", only="adc_json", vendor="google")
several("gcp.hmac", "P cloud", [("id", ["GOOG1E{UAN:55}", "GOOG{UAN:20}"], "GCS_ACCESS_KEY GOOGLE_ACCESS_KEY_ID"), ("secret", "{b64:40}", "GCS_SECRET GCS_SECRET_KEY")],
        "https://storage.googleapis.com", "", vendor="gcs")

# Kubernetes
one("k8s.sa_token_legacy", "P workload", kube_jwt(False), "K8S_TOKEN KUBE_TOKEN SERVICE_ACCOUNT_TOKEN", "https://10.96.0.1/api", vendor="k8s", encodings=False)
one("k8s.sa_token_bound", "P workload", kube_jwt(True), "K8S_TOKEN KUBERNETES_TOKEN", "https://10.96.0.1/api", vendor="k8s", encodings=False)
one("k8s.openshift", "P workload", "sha256~{url:43}", "OPENSHIFT_TOKEN OC_TOKEN", "https://api.ocp.acme-corp.io:6443", vendor="openshift")
several("k8s.kubeconfig_token", "P workload", [("key", kube_jwt(False), "token")], "", "", only="kubeconfig", vendor="kubernetes", share=0.7)
one("spiffe.jwt_svid", "P workload", spiffe_jwt, "JWT_SVID SPIFFE_TOKEN", "https://payments.internal/api", encodings=False)

# HashiCorp
VAULT = "https://vault.acme-corp.io:8200/v1/secret/data/app"
one("vault.service", "P workload", lambda r, _: "hvs." + b64url(b"\x08\x02\x12\x20" + r.randbytes(67)), "VAULT_TOKEN", VAULT, "header:X-Vault-Token")
one("vault.batch", "P workload", lambda r, _: "hvb." + b64url(b"\x08\x02\x12" + r.randbytes(r.randint(105, 180))), "VAULT_TOKEN", VAULT, "header:X-Vault-Token")
one("vault.recovery", "P workload", lambda r, _: "hvr." + b64url(b"\x08\x02\x12\x20" + r.randbytes(67)), "VAULT_RECOVERY_TOKEN VAULT_TOKEN", VAULT, "header:X-Vault-Token", share=0.5)
one("vault.legacy", "P workload", "s.{an:24}", "VAULT_TOKEN", VAULT, "header:X-Vault-Token", need=True)
several("vault.approle", "U workload", [("role?", "{uuid}", "VAULT_ROLE_ID"), ("key", "{uuid}", "VAULT_SECRET_ID")], "https://vault.acme-corp.io:8200/v1/auth/approle/login", "")
several("hcp.client", "U workload", [("id?", "{an:32}", "HCP_CLIENT_ID"), ("key", "{url:64}", "HCP_CLIENT_SECRET")], "https://auth.idp.hashicorp.com/oauth2/token", "")
one("terraform.cloud", "P workload", "{an:14}.atlasv1.{an:67}", "TFE_TOKEN TF_API_TOKEN TERRAFORM_CLOUD_TOKEN", "https://app.terraform.io/api/v2/account/details")
one("pulumi.token", "P workload", "pul-{hex:40}", "PULUMI_ACCESS_TOKEN", "https://api.pulumi.com/api/user", "token")

# other clouds
several("alibaba.access_key", "P cloud", [("id", "LTAI{an:20}", "ALIBABA_CLOUD_ACCESS_KEY_ID ALIYUN_ACCESS_KEY_ID"), ("secret", "{an:30}", "ALIBABA_CLOUD_ACCESS_KEY_SECRET ALIYUN_ACCESS_KEY_SECRET")],
        "https://ecs.aliyuncs.com", "")
several("tencent.secret_key", "P cloud", [("id", "AKID{an:32}", "TENCENTCLOUD_SECRET_ID"), ("secret", "{an:32}", "TENCENTCLOUD_SECRET_KEY")], "https://cvm.tencentcloudapi.com", "")
one("linode.token", "U cloud", "{hex:64}", "LINODE_TOKEN LINODE_CLI_TOKEN", "https://api.linode.com/v4/account")
one("hetzner.token", "U cloud", "{an:64}", "HCLOUD_TOKEN HETZNER_API_TOKEN", "https://api.hetzner.cloud/v1/servers", vendor="hcloud")
one("vultr.api_key", "U cloud", "{UAN:36}", "VULTR_API_KEY", "https://api.vultr.com/v2/account")
several("scaleway.key", "U cloud", [("id?", "SCW{UAN:17}", "SCW_ACCESS_KEY"), ("key", "{uuid}", "SCW_SECRET_KEY SCALEWAY_SECRET_KEY")], "https://api.scaleway.com/instance/v1", "", vendor="scw")
one("ibm.cloud", "U cloud", "{url:44}", "IBM_CLOUD_API_KEY IBMCLOUD_API_KEY", "https://iam.cloud.ibm.com/identity/token", "")
one("yandex.api_key", "P cloud", "AQVN{url:35}", "YANDEX_API_KEY YC_API_KEY", "https://llm.api.cloud.yandex.net/foundationModels/v1/completion", "header:Authorization", need=True)
