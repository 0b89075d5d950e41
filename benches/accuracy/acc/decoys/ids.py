"""Identifiers that vendors hand out and anybody may see: publishable keys, ids of things, digests under a vendor's name."""

import base64
import json

from ..checksum import aws_id


def vendor_id(rand):
    """Identifiers of things at vendors: no use to a thief."""
    return rand.choice(
        [
            ("stripe_customer", "cus_" + rand.text("an", 14)),
            ("payment_intent", "pi_3" + rand.text("an", 23)),
            ("stripe_price", "price_1" + rand.text("an", 23)),
            ("checkout_session_id", "cs_live_a1" + rand.text("an", 56)),
            ("charge_id", "ch_3" + rand.text("an", 23)),
            ("subscription", "sub_1" + rand.text("an", 23)),
            ("webhook_endpoint_id", "we_1" + rand.text("an", 23)),
            ("stripe_account", "acct_1" + rand.text("an", 15)),
            ("slack_channel", "C0" + rand.text("UAN", 9)),
            ("slack_team", "T0" + rand.text("UAN", 9)),
            ("slack_user", "U0" + rand.text("UAN", 9)),
            ("node_id", rand.choice(["PR_kwDO", "I_kwDO", "R_kgDO", "MDQ6VXNlcj"]) + rand.text("an", 12)),
            ("github_app_client_id", "Iv23li" + rand.text("an", 14)),
            ("twilio_message_sid", "SM" + rand.text("hex", 32)),
            ("twilio_call_sid", "CA" + rand.text("hex", 32)),
            ("messaging_service_sid", "MG" + rand.text("hex", 32)),
            ("openai_org", "org-" + rand.text("an", 24)),
            ("openai_project", "proj_" + rand.text("an", 24)),
            ("assistant_id", "asst_" + rand.text("an", 24)),
            ("thread_id", "thread_" + rand.text("an", 24)),
            ("file_id", "file-" + rand.text("an", 24)),
            ("completion_id", "chatcmpl-" + rand.text("an", 29)),
            ("anthropic_request_id", "req_011" + rand.text("an", 21)),
            ("message_id", "msg_01" + rand.text("an", 22)),
            ("tool_use_id", "toolu_01" + rand.text("an", 22)),
            ("google_client_id", rand.text("dig", 12) + "-" + rand.text("lan", 32) + ".apps.googleusercontent.com"),
            ("firebase_app_id", f"1:{rand.text('dig', 12)}:web:{rand.text('hex', 22)}"),
            ("messaging_sender_id", rand.text("nz", 1) + rand.text("dig", 11)),
            ("sentry_dsn", f"https://{rand.text('hex', 32)}@o{rand.text('dig', 6)}.ingest.sentry.io/450{rand.text('dig', 13)}"),
            ("iam_user_id", "AIDA" + rand.text("b32", 17)),
            ("iam_role_id", "AROA" + rand.text("b32", 17)),
            ("policy_id", "ANPA" + rand.text("b32", 17)),
            ("role_arn", f"arn:aws:iam::{rand.text('dig', 12)}:role/deployer-{rand.text('lan', 6)}"),
            ("certificate_arn", f"arn:aws:acm:eu-west-1:{rand.text('dig', 12)}:certificate/{rand.uuid()}"),
            ("cognito_client_id", rand.text("lan", 26)),
            ("cognito_user_pool_id", "eu-west-1_" + rand.text("an", 9)),
            ("cognito_identity_pool_id", "eu-west-1:" + rand.uuid()),
            ("kms_key_id", rand.uuid()),
            ("kms_key_arn", f"arn:aws:kms:eu-west-1:{rand.text('dig', 12)}:key/{rand.uuid()}"),
            ("ami_id", "ami-0" + rand.text("hex", 16)),
            ("subnet_id", "subnet-0" + rand.text("hex", 16)),
            ("security_group", "sg-0" + rand.text("hex", 16)),
            ("cloudfront_id", "E" + rand.text("UAN", 13)),
            ("hosted_zone_id", "Z0" + rand.text("UAN", 19)),
            ("azure_subscription_id", rand.uuid()),
            ("azure_tenant", rand.uuid()),
            ("object_id", rand.text("hex", 24)),
            ("mongo_id", rand.text("hex", 24)),
            ("discord_channel_id", rand.text("nz", 1) + rand.text("dig", 17)),
            ("notion_database_id", rand.text("hex", 32)),
            ("figma_file_key", rand.text("an", 22)),
            ("google_sheet_id", "1" + rand.text("url", 43)),
            ("youtube_video_id", rand.text("url", 11)),
            ("youtube_channel", "UC" + rand.text("url", 22)),
            ("spotify_track", rand.text("an", 22)),
            ("airtable_base", "app" + rand.text("an", 14)),
            ("algolia_app_id", rand.text("UAN", 10)),
            ("cloudflare_zone_id", rand.text("hex", 32)),
            ("cloudflare_account_id", rand.text("hex", 32)),
            ("datadog_trace_id", rand.text("hex", 32)),
            ("linear_issue_id", rand.uuid()),
            ("vercel_project_id", "prj_" + rand.text("an", 28)),
            ("vercel_org_id", "team_" + rand.text("an", 24)),
            ("netlify_site_id", rand.uuid()),
            ("pinecone_index_host", f"docs-{rand.text('hex', 7)}.svc.aped-4627-b74a.pinecone.io"),
            ("mistral_job_id", rand.uuid()),
            ("cohere_generation_id", rand.uuid()),
            ("deepgram_request_id", rand.uuid()),
            ("wandb_run_id", rand.text("lan", 8)),
            ("replicate_prediction_id", rand.text("b32l", 26)),
            ("huggingface_commit", rand.text("hex", 40)),
        ]
    )


def same_shape(rand):
    """A vendor's name and a key's shape, on something that is no key: a digest, a run, a deployment."""
    return rand.choice(
        [
            ("mistral_batch_hash", rand.text("hex", 32)),
            ("cohere_dataset_sha1", rand.text("hex", 40)),
            ("deepgram_audio_sha1", rand.text("hex", 40)),
            ("wandb_run_hash", rand.text("hex", 40)),
            ("datadog_monitor_hash", rand.text("hex", 32)),
            ("github_sha", rand.text("hex", 40)),
            ("heroku_app_id", rand.uuid()),
            ("postmark_message_id", rand.uuid()),
            ("snyk_org_id", rand.uuid()),
            ("pinecone_project_id", rand.uuid()),
            ("npm_package_shasum", rand.text("hex", 40)),
            ("twilio_conversation_sid", "CH" + rand.text("hex", 32)),
            ("algolia_object_id", rand.text("hex", 32)),
            ("rollbar_item_uuid", rand.uuid()),
            ("cloudflare_ray_id", rand.text("hex", 16)),
            ("vercel_deployment_id", "dpl_" + rand.text("an", 28)),
            ("circle_sha1", rand.text("hex", 40)),
            ("circle_workflow_id", rand.uuid()),
            ("buildkite_commit", rand.text("hex", 40)),
            ("splunk_search_id", rand.uuid()),
            ("sentry_release", rand.text("hex", 40)),
            ("elevenlabs_voice_id", rand.text("an", 20)),
            ("together_file_checksum", rand.text("hex", 64)),
            ("vast_image_digest", rand.text("hex", 64)),
            ("linode_disk_checksum", rand.text("hex", 64)),
            ("assemblyai_transcript_id", rand.uuid()),
            ("openweather_station_id", rand.text("hex", 24)),
            ("comet_experiment_key", rand.text("hex", 32)),
            ("clarifai_model_version_id", rand.text("hex", 32)),
            ("sambanova_request_id", rand.uuid()),
            ("exa_result_id", rand.uuid()),
            ("plaid_item_id", rand.text("an", 37)),
            ("azure_openai_deployment_id", rand.uuid()),
            ("okta_user_id", "00u" + rand.text("an", 17)),
            ("auth0_user_id", "auth0|" + rand.text("hex", 24)),
            ("launchdarkly_environment_id", rand.text("hex", 24)),
            ("jira_issue_hash", rand.text("hex", 40)),
            ("netlify_deploy_id", rand.text("hex", 24)),
        ]
    )


def publishable(rand):
    """Keys that are made to be seen by everybody."""
    return rand.choice(
        [
            ("stripe_publishable_key", "pk_live" + "_" + "51" + rand.text("an", 97)),
            ("stripe_public_key", "pk_test" + "_" + rand.text("an", 24)),
            (
                "mapbox_public_token",
                "pk."
                + base64.urlsafe_b64encode(json.dumps({"u": "acme", "a": rand.text("lan", 25)}, separators=(",", ":")).encode()).decode().rstrip("=")
                + "."
                + rand.text("url", 22),
            ),
            ("recaptcha_site_key", "6L" + rand.text("url", 5) + "AAAAA" + rand.text("url", 28)),
            ("turnstile_site_key", "0x4AAAAAA" + rand.text("url", 15)),
            ("vapid_public_key", "B" + rand.text("url", 86)),
            ("clerk_publishable_key", "pk_live" + "_" + base64.b64encode(b"clerk.acme-corp.io$").decode()),
            ("supabase_publishable_key", "sb_publishable" + "_" + rand.text("url", 22) + "_" + rand.text("url", 8)),
            ("posthog_key", "phc" + "_" + rand.text("an", 43)),
            ("ga_measurement_id", "G-" + rand.text("UAN", 10)),
            ("gtm_id", "GTM-" + rand.text("UAN", 7)),
            ("facebook_pixel_id", rand.text("nz", 1) + rand.text("dig", 15)),
            ("square_application_id", "sq0idp-" + rand.text("url", 22)),
            ("hotjar_id", rand.text("nz", 1) + rand.text("dig", 6)),
            ("launchdarkly_client_id", rand.text("hex", 24)),
        ]
    )


def unused_id(rand):
    return aws_id(rand, "AR" + "OA")
