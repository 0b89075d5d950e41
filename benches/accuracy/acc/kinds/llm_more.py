"""Further AI services people use, beyond the catalogue. Only shapes that are widely seen."""
from ..kind import jwt, one

one("fal.key", "U llm", "{uuid}:{hex:32}", "FAL_KEY FAL_API_KEY", "https://fal.run/fal-ai/flux/dev", "header:Authorization")
one("serper.api_key", "U llm", "{hex:40}", "SERPER_API_KEY", "https://google.serper.dev/search", "header:X-API-KEY")
one("serpapi.api_key", "U llm", "{hex:64}", "SERPAPI_API_KEY SERPAPI_KEY", "https://serpapi.com/search.json", "query:api_key")
one("brave.search", "P llm", "BSA{url:28}", "BRAVE_API_KEY BRAVE_SEARCH_API_KEY", "https://api.search.brave.com/res/v1/web/search", "header:X-Subscription-Token", need=True)
one("llamaindex.cloud", "P llm", "llx-{an:48}", "LLAMA_CLOUD_API_KEY", "https://api.cloud.llamaindex.ai/api/parsing/upload", vendor="llama_cloud")
one("e2b.api_key", "P llm", "e2b_{hex:40}", "E2B_API_KEY", "https://api.e2b.dev/sandboxes", "header:X-API-Key")
one("apify.token", "P llm", "apify_api_{an:36}", "APIFY_TOKEN APIFY_API_TOKEN", "https://api.apify.com/v2/acts")
one("mem0.api_key", "P llm", "m0-{an:40}", "MEM0_API_KEY", "https://api.mem0.ai/v1/memories/", "token", need=True)
one("promptlayer.api_key", "P llm", "pl_{hex:32}", "PROMPTLAYER_API_KEY", "https://api.promptlayer.com/rest/track-request", "header:X-API-KEY", need=True)
one("sourcegraph.token", "P llm", ["sgp_{hex:16}_{hex:40}", "sgp_{hex:40}"], "SRC_ACCESS_TOKEN SOURCEGRAPH_TOKEN", "https://sourcegraph.com/.api/graphql", "token")
one("deepinfra.api_key", "U llm", "{an:32}", "DEEPINFRA_API_KEY DEEPINFRA_TOKEN", "https://api.deepinfra.com/v1/openai/models")
one("comet.api_key", "U llm", "{an:25}", "COMET_API_KEY", "https://www.comet.com/api/rest/v2/workspaces", "header:Authorization")
one("roboflow.api_key", "U llm", "{an:20}", "ROBOFLOW_API_KEY", "https://api.roboflow.com/acme", "query:api_key")
one("clarifai.pat", "U llm", "{hex:32}", "CLARIFAI_PAT CLARIFAI_API_KEY", "https://api.clarifai.com/v2/models", "header:Authorization")
one("dify.app_key", "P llm", "app-{an:24}", "DIFY_API_KEY DIFY_APP_KEY", "https://api.dify.ai/v1/chat-messages", need=True)
one("voiceflow.api_key", "P llm", "VF.DM.{hex:24}.{an:16}", "VOICEFLOW_API_KEY", "https://general-runtime.voiceflow.com/state", "header:Authorization")
one("browserbase.api_key", "P llm", "bb_live_{url:27}", "BROWSERBASE_API_KEY", "https://api.browserbase.com/v1/sessions", "header:X-BB-API-Key")
one("siliconflow.api_key", "P llm", "sk-{low:48}", "SILICONFLOW_API_KEY", "https://api.siliconflow.cn/v1/models", need=True)
one("volcengine.ark", "U llm", "{uuid}", "ARK_API_KEY VOLCENGINE_API_KEY", "https://ark.cn-beijing.volces.com/api/v3/chat/completions", vendor="ark")
one("nebius.api_key", "P llm", lambda r, _: jwt(r, {"sub": "google-oauth2|" + r.text("dig", 21), "scope": "openid offline_access",
    "iss": "api_key_issuer", "aud": ["https://nebius-inference.eu.auth0.com/api/v2/"], "exp": 1926412345, "uuid": r.uuid()}),
    "NEBIUS_API_KEY", "https://api.studio.nebius.ai/v1/models")
one("cartesia.api_key", "P llm", "sk_car_{an:22}", "CARTESIA_API_KEY", "https://api.cartesia.ai/voices", "header:X-API-Key")
one("gladia.api_key", "U llm", "{uuid}", "GLADIA_API_KEY", "https://api.gladia.io/v2/transcription", "header:x-gladia-key")
one("upstage.up", "P llm", "up_{an:29}", "UPSTAGE_API_KEY", "https://api.upstage.ai/v1/models", need=True)
one("monsterapi.token", "P llm", lambda r, _: jwt(r, {"username": r.text("hex", 32), "created_at": "2026-02-11T09:24:18.123456"}),
    "MONSTER_API_KEY", "https://api.monsterapi.ai/v1/generate/llama2-7b-chat")
