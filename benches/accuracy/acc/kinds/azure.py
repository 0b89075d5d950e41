"""Azure beyond AI: storage, SAS, Entra, DevOps, Cosmos, messaging, search and the other identifiable keys."""
from urllib.parse import quote

from ..checksum import azure_cask, azure_identifiable
from ..kind import b64, one, random_b64, several


def identifiable(length, signature, seed, url_safe=False):
    return lambda rand, _: azure_identifiable(rand, length, signature, seed, url_safe).rstrip("=" if url_safe else "")


def storage_string(key):
    def make(rand, _):
        account = rand.choice(["acmedata", "stprodlogs", "mediastore", "backupsa"]) + rand.text("lan", 4)
        return f"DefaultEndpointsProtocol=https;AccountName={account};AccountKey={key(rand, None)};EndpointSuffix=core.windows.net"
    return make


def messaging(service, key):
    def make(rand, _):
        name = rand.choice(["orders", "telemetry", "ingest", "billing"]) + "-" + rand.choice(["prod", "stg", "dev"])
        entity = f";EntityPath={rand.choice(['events', 'orders', 'audit'])}" if rand.chance(0.4) else ""
        return (f"Endpoint=sb://{name}.servicebus.windows.net/;SharedAccessKeyName="
                f"{rand.choice(['RootManageSharedAccessKey', 'send', 'listen-policy'])};SharedAccessKey={key(rand, None)}{entity}")
    return make


def sas(rand, _):
    account = rand.choice(["acmedata", "stprodlogs", "mediastore"])
    signature = quote(b64(rand.randbytes(32)), safe="")
    if rand.chance(0.5):
        query = (f"sv=2022-11-02&ss=bfqt&srt=sco&sp=rwdlacup&se=2028-0{rand.randint(1, 9)}-01T00:00:00Z"
                 f"&st=2026-01-0{rand.randint(1, 9)}T08:00:00Z&spr=https&sig={signature}")
        return f"https://{account}.blob.core.windows.net/?{query}"
    return (f"https://{account}.blob.core.windows.net/exports/dump-{rand.randint(10, 99)}.csv?sp=r&st=2026-03-0{rand.randint(1, 9)}T10:11:12Z"
            f"&se=2027-03-0{rand.randint(1, 9)}T18:11:12Z&spr=https&sv=2022-11-02&sr=b&sig={signature}")


def search_key(rand, _):
    """Search keys are made of letters and digits only."""
    while True:
        key = azure_identifiable(rand, 39, "AzSe", "PAdmin00")
        if key.isalnum():
            return key


new_storage = identifiable(64, "+ASt", "Default0")
several("azure.storage_key", "P cloud", [("account?", "{low:6}data{dig:2}", "AZURE_STORAGE_ACCOUNT"), ("key", new_storage, "AZURE_STORAGE_KEY AZURE_STORAGE_ACCOUNT_KEY")],
        "https://acmedata.blob.core.windows.net/", "", vendor="azure_storage")
several("azure.storage_key_old", "U cloud", [("account?", "{low:6}data{dig:2}", "AZURE_STORAGE_ACCOUNT"), ("key", random_b64(64), "AZURE_STORAGE_KEY AZURE_STORAGE_ACCOUNT_KEY")],
        "https://acmedata.blob.core.windows.net/", "", vendor="azure_storage")
one("azure.storage_string", "P cloud", storage_string(new_storage), "AZURE_STORAGE_CONNECTION_STRING AzureWebJobsStorage", "", "", vendor="azure_storage")
one("azure.storage_string_old", "P cloud", storage_string(random_b64(64)), "AZURE_STORAGE_CONNECTION_STRING STORAGE_CONNECTION_STRING", "", "", vendor="azure_storage")
one("azure.sas_url", "P cloud", sas, "SAS_URL AZURE_SAS_URL BACKUP_SAS_URL", "", "", vendor="azure_storage")
for mark, suffix in (("7Q~", ""), ("8Q~", "_8")):
    several(f"azure.entra_secret{suffix}", "P cloud",
            [("tenant?", "{uuid}", "AZURE_TENANT_ID"), ("client?", "{uuid}", "AZURE_CLIENT_ID"),
             ("key", "{an:3}" + mark + "{an:1}{url:30}", "AZURE_CLIENT_SECRET ARM_CLIENT_SECRET")],
            "https://login.microsoftonline.com/common/oauth2/v2.0/token", "", vendor="azure")
one("azure.devops_pat_old", "U workload", "{b32l:52}", "AZURE_DEVOPS_PAT AZURE_DEVOPS_EXT_PAT ADO_PAT", "https://dev.azure.com/acme/_apis/projects", "basic:", vendor="azure_devops")
one("azure.devops_pat", "P workload", lambda r, _: azure_cask(r, "AAAA", "AZDO"), "AZURE_DEVOPS_PAT AZURE_DEVOPS_EXT_PAT SYSTEM_ACCESSTOKEN",
    "https://dev.azure.com/acme/_apis/projects", "basic:", vendor="azure_devops")
one("azure.cosmos_old", "U cloud", random_b64(64), "COSMOS_KEY COSMOSDB_KEY AZURE_COSMOS_KEY", "https://acme.documents.azure.com:443/", "", vendor="cosmos")
one("azure.cosmos", "P cloud", identifiable(64, "ACDb", "MastRW00"), "COSMOS_KEY COSMOSDB_PRIMARY_KEY", "https://acme.documents.azure.com:443/", "", vendor="cosmos")
one("azure.search", "P cloud", search_key, "AZURE_SEARCH_KEY SEARCH_ADMIN_KEY", "https://acme.search.windows.net/indexes", "header:api-key", vendor="azure_search")
one("azure.container_registry", "P cloud", identifiable(39, "+ACR", "ACRDflt0"), "ACR_PASSWORD REGISTRY_PASSWORD", "https://acme.azurecr.io/v2/", "basic:acme", vendor="acr")
one("azure.event_hub", "P cloud", messaging("eh", identifiable(32, "+AEh", "Manage00")), "EVENTHUB_CONNECTION_STRING EVENT_HUB_CONNECTION", "", "", vendor="event_hub")
one("azure.service_bus", "P cloud", messaging("sb", identifiable(32, "+ASb", "Send0000")), "SERVICEBUS_CONNECTION_STRING SERVICE_BUS_CONNECTION", "", "", vendor="service_bus")
one("azure.relay", "P cloud", messaging("relay", identifiable(32, "+ARm", "Listen00")), "RELAY_CONNECTION_STRING", "", "", vendor="relay", share=0.5)
one("azure.service_bus_old", "P cloud", messaging("sb", random_b64(32)), "SERVICEBUS_CONNECTION_STRING AzureServiceBusConnectionString", "", "", vendor="service_bus")
one("azure.redis", "P cloud", identifiable(32, "AzCa", "Access00"), "REDIS_KEY AZURE_REDIS_KEY REDIS_PASSWORD", "https://acme.redis.cache.windows.net", "", vendor="azure_redis")
one("azure.apim", "P cloud", identifiable(64, "APIM", "IotHub00"), "APIM_SUBSCRIPTION_KEY APIM_KEY", "https://acme.azure-api.net/orders", "header:Ocp-Apim-Subscription-Key", vendor="apim")
one("azure.functions", "P cloud", lambda r, _: azure_identifiable(r, 40, "AzFu", "Functi00", True), "FUNCTION_KEY AZURE_FUNCTION_KEY", "https://acme-fn.azurewebsites.net/api/orders", "header:x-functions-key", vendor="azure_function")
