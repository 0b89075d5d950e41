"""LLM providers of the catalogue, sections B.1 to B.60."""
from ..checksum import azure_cask
from ..kind import b64, jwt, one, several

OPENAI = "https://api.openai.com/v1/models"
ANTHROPIC = "https://api.anthropic.com/v1/messages"
GEMINI = "https://generativelanguage.googleapis.com/v1beta/models"
MARK = "T3Blbk" + "FJ"   # base64 of "OpenAI"


def openai(prefix, sizes=(74, 58, 20)):
    return ["%s{url:%d}%s{url:%d}" % (prefix, n, MARK, n) if n > 20 else "%s{an:%d}%s{an:%d}" % (prefix, n, MARK, n)
            for n in sizes]


one("openai.legacy", "P llm", openai("sk-", (20,)), "OPENAI_API_KEY OPENAI_KEY", OPENAI)
one("openai.legacy_none", "P llm", openai("sk-None-", (20,)), "OPENAI_API_KEY", OPENAI, share=0.5)
one("openai.project", "P llm", openai("sk-proj-", (74, 74, 58, 20)), "OPENAI_API_KEY OPENAI_KEY OPENAI_TOKEN", OPENAI, share=2)
one("openai.service_account", "P llm", openai("sk-svcacct-"), "OPENAI_API_KEY OPENAI_SERVICE_KEY", OPENAI)
one("openai.admin", "P llm", openai("sk-admin-", (58, 74)), "OPENAI_ADMIN_KEY", "https://api.openai.com/v1/organization/projects")
for name, number in [("api", "03"), ("admin", "01")]:
    one(f"anthropic.{name}{number}", "P llm", "sk-ant-%s%s-{url:93}AA" % (name, number),
        "ANTHROPIC_API_KEY CLAUDE_API_KEY" if name == "api" else "ANTHROPIC_ADMIN_KEY", ANTHROPIC, "header:x-api-key",
        share=1.5 if name == "api" else 1)
for name in ("oat01", "ort01"):
    one(f"anthropic.{name}", "P llm", "sk-ant-%s-{url:93}AA" % name, "CLAUDE_CODE_OAUTH_TOKEN ANTHROPIC_AUTH_TOKEN", ANTHROPIC)
one("google.aiza", "P llm", ["AIzaSy{an:1}{url:32}", "AIzaSyA{url:32}", "AIzaSyB{url:32}", "AIzaSyC{url:32}", "AIzaSyD{url:32}"],
    "GEMINI_API_KEY GOOGLE_API_KEY GOOGLE_GENERATIVE_AI_API_KEY", GEMINI, "query:key", vendor="gemini")
one("google.gemini_auth", "P llm", "AQ.Ab8RN6{url:44}", "GEMINI_API_KEY GOOGLE_API_KEY", GEMINI, "header:x-goog-api-key", vendor="gemini")
one("azure.openai_old", "U llm", "{hex:32}", "AZURE_OPENAI_API_KEY AZURE_OPENAI_KEY", "https://acme-gpt4.openai.azure.com/openai/models",
    "header:api-key", vendor="azure_openai")
for name, data, words in [("openai", "AAAB", "AZURE_OPENAI_API_KEY"), ("ai_services", "AAAA", "AZURE_AI_API_KEY AI_FOUNDRY_KEY"),
                          ("cognitive", "AAAE", "AZURE_COGNITIVE_KEY COGNITIVE_SERVICES_KEY")]:
    one(f"azure.{name}_cask", "P llm", lambda r, _, data=data: azure_cask(r, data, "ACOG"), words,
        "https://acme-ai.cognitiveservices.azure.com/openai/models", "header:api-key", vendor="azure_openai")
one("mistral.api_key", "U llm", "{an:32}", "MISTRAL_API_KEY MISTRAL_KEY", "https://api.mistral.ai/v1/models")
one("cohere.api_key", "U llm", "{an:40}", "COHERE_API_KEY CO_API_KEY COHERE_KEY", "https://api.cohere.com/v1/chat")
one("groq.api_key", "P llm", ["gsk_{an:20}WGdyb3FY{an:24}", "gsk_{an:52}"], "GROQ_API_KEY", "https://api.groq.com/openai/v1/models")
one("xai.api_key", "P llm", "xai-{an:80}", "XAI_API_KEY GROK_API_KEY", "https://api.x.ai/v1/chat/completions")
one("xai.management", "P llm", "xai-token-{an:80}", "XAI_MANAGEMENT_KEY", "https://management-api.x.ai/auth/teams")
one("deepseek.api_key", "P llm", ["sk-{hex:32}", "sk-{hex:32}", "sk-{lan:32}"], "DEEPSEEK_API_KEY", "https://api.deepseek.com/user/balance", need=True)
one("perplexity.api_key", "P llm", "pplx-{an:48}", "PERPLEXITY_API_KEY PPLX_API_KEY", "https://api.perplexity.ai/chat/completions")
one("together.api_key", "P llm", "tgp_v1_{url:43}", "TOGETHER_API_KEY TOGETHERAI_API_KEY", "https://api.together.xyz/v1/models")
one("together.old", "U llm", "{hex:64}", "TOGETHER_API_KEY TOGETHER_AI_KEY", "https://api.together.xyz/v1/models")
one("fireworks.api_key", "P llm", "fw_{an:24}", "FIREWORKS_API_KEY", "https://api.fireworks.ai/inference/v1/models", need=True)
one("openrouter.api_key", "P llm", "sk-or-v1-{hex:64}", "OPENROUTER_API_KEY", "https://openrouter.ai/api/v1/key")
one("replicate.api_token", "P llm", "r8_{an:37}", "REPLICATE_API_TOKEN", "https://api.replicate.com/v1/account", "token")
one("huggingface.user", "P llm", "hf_{let:34}", "HF_TOKEN HUGGINGFACE_TOKEN HUGGING_FACE_HUB_TOKEN", "https://huggingface.co/api/whoami-v2")
one("huggingface.org", "P llm", "api_org_{let:34}", "HF_API_TOKEN HUGGINGFACE_API_TOKEN", "https://huggingface.co/api/whoami-v2")
one("elevenlabs.v2", "P llm", "sk_{hex:48}", "ELEVENLABS_API_KEY ELEVEN_API_KEY XI_API_KEY", "https://api.elevenlabs.io/v1/user", "header:xi-api-key", need=True)
one("elevenlabs.v1", "U llm", "{hex:32}", "ELEVENLABS_API_KEY XI_API_KEY", "https://api.elevenlabs.io/v1/user", "header:xi-api-key")
one("nvidia.nvapi", "P llm", "nvapi-{url:64}", "NVIDIA_API_KEY NGC_API_KEY", "https://integrate.api.nvidia.com/v1/chat/completions")
one("nvidia.ngc_legacy", "U llm", lambda r, _: b64(f"{r.text('lan', 26)}:{r.uuid()}"), "NGC_API_KEY NGC_CLI_API_KEY",
    "https://authn.nvidia.com/token?service=ngc", "basic:$oauthtoken", vendor="ngc")
several("databricks.pat", "P llm", [("host?", "https://dbc-{hex:8}-{hex:4}.cloud.databricks.com", "DATABRICKS_HOST"),
                                    ("key", ["dapi{hex:32}", "dapi{hex:32}-{dig:1}"], "DATABRICKS_TOKEN")],
        "https://dbc-1f2a3b4c-5d6e.cloud.databricks.com/api/2.0/preview/scim/v2/Me")
one("cerebras.api_key", "P llm", "csk-{lan:48}", "CEREBRAS_API_KEY", "https://api.cerebras.ai/v1/models")
one("sambanova.api_key", "U llm", "{uuid}", "SAMBANOVA_API_KEY", "https://api.sambanova.ai/v1/chat/completions")
one("ai21.api_key", "U llm", "{uuid}", "AI21_API_KEY", "https://api.ai21.com/studio/v1/chat/completions")
one("stability.api_key", "P llm", "sk-{an:48}", "STABILITY_API_KEY STABILITY_KEY DREAMSTUDIO_API_KEY", "https://api.stability.ai/v1/user/account", need=True)
one("moonshot.api_key", "P llm", "sk-{an:48}", "MOONSHOT_API_KEY KIMI_API_KEY", "https://api.moonshot.ai/v1/models", need=True)
one("zhipu.api_key", "U llm", "{hex:32}.{an:16}", "ZHIPUAI_API_KEY ZHIPU_API_KEY ZAI_API_KEY", "https://open.bigmodel.cn/api/paas/v4/chat/completions")
one("dashscope.api_key", "P llm", "sk-{hex:32}", "DASHSCOPE_API_KEY QWEN_API_KEY", "https://dashscope.aliyuncs.com/compatible-mode/v1/models", need=True)
one("minimax.api_key", "P llm", "sk-api-{url:119}", "MINIMAX_API_KEY", "https://api.minimax.io/v1/models")
one("voyage.api_key", "P llm", "pa-{url:43}", "VOYAGE_API_KEY VOYAGEAI_API_KEY", "https://api.voyageai.com/v1/embeddings", need=True)
one("jina.api_key", "P llm", "jina_{hex:32}{an:28}", "JINA_API_KEY", "https://api.jina.ai/v1/embeddings")
for letters, who in [("pt", "personal"), ("sk", "service")]:
    one(f"langsmith.{who}", "P llm", "lsv2_%s_{hex:32}_{hex:10}" % letters, "LANGSMITH_API_KEY LANGCHAIN_API_KEY",
        "https://api.smith.langchain.com/api/v1/api-key/current", "header:X-API-Key")
several("langfuse.pair", "P llm", [("public", "pk-lf-{uuid}", "LANGFUSE_PUBLIC_KEY"), ("key", "sk-lf-{uuid}", "LANGFUSE_SECRET_KEY")],
        "https://cloud.langfuse.com/api/public/projects", "")
one("wandb.legacy", "U llm", "{hex:40}", "WANDB_API_KEY WANDB_KEY", "https://api.wandb.ai/graphql", "basic:api")
one("wandb.v1", "P llm", "wandb_v1_{anu:77}", "WANDB_API_KEY", "https://api.wandb.ai/graphql", "basic:api")
one("pinecone.api_key", "P llm", "pcsk_{an:5-6}_{an:63}", "PINECONE_API_KEY", "https://api.pinecone.io/indexes", "header:Api-Key")
one("pinecone.legacy", "U llm", "{uuid}", "PINECONE_API_KEY PINECONE_KEY", "https://controller.us-east1-gcp.pinecone.io/databases", "header:Api-Key")
one("weaviate.api_key", "U llm", lambda r, _: r.text("an", 36) if r.chance(0.5) else b64(r.randbytes(32)), "WEAVIATE_API_KEY WCD_API_KEY WEAVIATE_KEY", "https://acme-rag.c0.europe-west3.gcp.weaviate.cloud/v1/meta")
one("qdrant.jwt", "P llm", lambda r, _: jwt(r, {"access": "m", "exp": 1830297600 + r.randrange(10**6)}), "QDRANT_API_KEY",
    "https://0c4c1f5d.eu-central-1-0.aws.cloud.qdrant.io:6333/collections", "header:api-key")
one("qdrant.opaque", "U llm", "{url:54}", "QDRANT_API_KEY QDRANT_KEY", "https://0c4c1f5d.eu-central-1-0.aws.cloud.qdrant.io:6333/collections", "header:api-key")
one("litellm.virtual", "P llm", "sk-{url:22}", "LITELLM_API_KEY LITELLM_MASTER_KEY LITELLM_KEY", "https://litellm.acme-corp.io/v1/chat/completions", need=True)
one("portkey.api_key", "U llm", lambda r, _: b64(r.randbytes(20)), "PORTKEY_API_KEY", "https://api.portkey.ai/v1/chat/completions", "header:x-portkey-api-key")
one("helicone.api_key", "P llm", "sk-helicone-{b32l:7}-{b32l:7}-{b32l:7}-{b32l:7}", "HELICONE_API_KEY", "https://oai.helicone.ai/v1", "header:Helicone-Auth")
one("cursor.api_key", "P llm", "key_{hex:64}", "CURSOR_API_KEY", "https://api.cursor.com/v0/me", "basic:", need=True)
one("cursor.crsr", "P llm", "crsr_{hex:64}", "CURSOR_API_KEY", "https://api.cursor.com/v0/me")
one("tavily.api_key", "P llm", ["tvly-{an:32}", "tvly-dev-{an:32}"], "TAVILY_API_KEY", "https://api.tavily.com/search")
one("deepgram.api_key", "U llm", "{hex:40}", "DEEPGRAM_API_KEY DG_API_KEY", "https://api.deepgram.com/v1/projects", "token")
one("assemblyai.api_key", "U llm", "{hex:32}", "ASSEMBLYAI_API_KEY ASSEMBLY_AI_KEY", "https://api.assemblyai.com/v2/transcript", "header:Authorization")
one("baseten.api_key", "U llm", "{an:8}.{an:32}", "BASETEN_API_KEY", "https://api.baseten.co/v1/models", "header:Authorization")
several("modal.token", "P llm", [("id", "ak-{an:22}", "MODAL_TOKEN_ID"), ("secret", "as-{an:22}", "MODAL_TOKEN_SECRET")],
        "https://api.modal.com", "", need=True)
one("runpod.api_key", "P llm", "rpa_{UAN:40}{lan:6}", "RUNPOD_API_KEY", "https://api.runpod.io/graphql")
one("lambda.cloud", "P llm", "secret_{low:5-9}_{hex:32}.{an:32}", "LAMBDA_API_KEY LAMBDA_CLOUD_API_KEY", "https://cloud.lambda.ai/api/v1/instances", "basic:", need=True, vendor="lambda_cloud")
one("anyscale.api_key", "P llm", "esecret_{lan:26}", "ANYSCALE_API_KEY", "https://api.endpoints.anyscale.com/v1")
one("ollama.cloud", "U llm", "{hex:32}.{url:24}", "OLLAMA_API_KEY", "https://ollama.com/api/chat")
one("github.copilot_session", "P llm",
    lambda r, _: f"tid={r.text('hex', 32)};exp=17{r.text('dig', 8)};sku=copilot_for_business_seat;proxy-ep=proxy.business.githubcopilot.com;st=dotcom;"
                 f"chat=1;8kp=1:{r.text('hex', 64)}", "COPILOT_TOKEN GITHUB_COPILOT_TOKEN", "https://api.githubcopilot.com/chat/completions", vendor="copilot")
one("vercel.ai_gateway", "P llm", "vck_{an:56}", "AI_GATEWAY_API_KEY VERCEL_AI_GATEWAY_KEY", "https://ai-gateway.vercel.sh/v1/models")
one("friendli.token", "P llm", "flp_{an:46}", "FRIENDLI_TOKEN", "https://api.friendli.ai/serverless/v1/chat/completions")
one("exa.api_key", "U llm", "{uuid}", "EXA_API_KEY", "https://api.exa.ai/search", "header:x-api-key")
one("vastai.api_key", "U llm", "{hex:64}", "VAST_API_KEY VASTAI_API_KEY", "https://console.vast.ai/api/v0/users/current/", vendor="vastai")
one("upstage.api_key", "U llm", "{an:40-50}", "UPSTAGE_API_KEY", "https://api.upstage.ai/v1/models")
one("retell.api_key", "P llm", "key_{hex:28}", "RETELL_API_KEY", "https://api.retellai.com/v2/create-web-call", need=True)
one("runway.api_key", "P llm", "key_{hex:128}", "RUNWAYML_API_SECRET RUNWAY_API_KEY", "https://api.dev.runwayml.com/v1/organization", need=True)
one("scale.api_key", "P llm", "live_{hex:32}", "SCALE_API_KEY SCALE_LIVE_KEY", "https://api.scale.com/v1/tasks", "basic:", need=True)
one("coze.pat", "P llm", "pat_{an:64}", "COZE_API_TOKEN COZE_PAT", "https://api.coze.com/v3/chat", need=True)
one("firecrawl.api_key", "P llm", "fc-{hex:32}", "FIRECRAWL_API_KEY", "https://api.firecrawl.dev/v1/scrape")
one("braintrust.api_key", "P llm", "sk-{an:48}", "BRAINTRUST_API_KEY", "https://api.braintrust.dev/v1/project", need=True)
