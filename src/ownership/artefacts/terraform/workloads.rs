//! Which resources are workloads: things that run and are given values.

/// Types by their provider's names. A resource of another type holds or grants, but does not use.
const TYPES: &[&str] = &[
    "aws_amplify_app",
    "aws_amplify_branch",
    "aws_apprunner_service",
    "aws_batch_job_definition",
    "aws_codebuild_project",
    "aws_ecs_task_definition",
    "aws_elastic_beanstalk_environment",
    "aws_glue_job",
    "aws_instance",
    "aws_lambda_function",
    "aws_launch_configuration",
    "aws_launch_template",
    "aws_lightsail_container_service_deployment_version",
    "aws_sagemaker_model",
    "aws_spot_instance_request",
    "aws_synthetics_canary",
    "azurerm_app_service",
    "azurerm_container_app",
    "azurerm_container_app_job",
    "azurerm_container_group",
    "azurerm_function_app",
    "azurerm_linux_function_app",
    "azurerm_linux_function_app_slot",
    "azurerm_linux_virtual_machine",
    "azurerm_linux_virtual_machine_scale_set",
    "azurerm_linux_web_app",
    "azurerm_linux_web_app_slot",
    "azurerm_logic_app_standard",
    "azurerm_spring_cloud_java_deployment",
    "azurerm_virtual_machine",
    "azurerm_windows_function_app",
    "azurerm_windows_web_app",
    "cloudflare_pages_project",
    "cloudflare_worker_script",
    "cloudflare_workers_script",
    "digitalocean_app",
    "digitalocean_droplet",
    "docker_container",
    "docker_service",
    "google_app_engine_flexible_app_version",
    "google_app_engine_standard_app_version",
    "google_cloud_run_service",
    "google_cloud_run_v2_job",
    "google_cloud_run_v2_service",
    "google_cloud_run_v2_worker_pool",
    "google_cloudbuild_trigger",
    "google_cloudfunctions2_function",
    "google_cloudfunctions_function",
    "google_compute_instance",
    "google_compute_instance_template",
    "google_compute_region_instance_template",
    "hcloud_server",
    "helm_release",
    "heroku_app",
    "heroku_app_config_association",
    "kubernetes_cron_job",
    "kubernetes_cron_job_v1",
    "kubernetes_daemon_set_v1",
    "kubernetes_daemonset",
    "kubernetes_deployment",
    "kubernetes_deployment_v1",
    "kubernetes_job",
    "kubernetes_job_v1",
    "kubernetes_pod",
    "kubernetes_pod_v1",
    "kubernetes_stateful_set",
    "kubernetes_stateful_set_v1",
    "linode_instance",
    "nomad_job",
    "openstack_compute_instance_v2",
    "scaleway_container",
    "scaleway_function",
    "scaleway_instance_server",
    "vercel_project",
    "vultr_instance",
];

/// Types that are given a credential and check it or call with it, as databases do with their own passwords: whoever replaces it must
/// tell them.
const GIVEN: &[&str] = &[
    "aws_cloudwatch_event_connection",
    "aws_codebuild_source_credential",
    "aws_codepipeline",
    "aws_cognito_identity_provider",
    "aws_db_instance",
    "aws_dms_endpoint",
    "aws_docdb_cluster",
    "aws_elasticache_replication_group",
    "aws_elasticache_user",
    "aws_glue_connection",
    "aws_kinesis_firehose_delivery_stream",
    "aws_mq_broker",
    "aws_opensearch_domain",
    "aws_rds_cluster",
    "aws_redshift_cluster",
    "aws_redshiftserverless_namespace",
    "aws_sfn_state_machine",
    "aws_transfer_user",
    "azurerm_data_factory_linked_service_azure_sql_database",
    "azurerm_kubernetes_cluster",
    "azurerm_mariadb_server",
    "azurerm_mssql_server",
    "azurerm_mysql_flexible_server",
    "azurerm_mysql_server",
    "azurerm_postgresql_flexible_server",
    "azurerm_postgresql_server",
    "azurerm_sql_server",
    "google_sql_database_instance",
    "google_sql_user",
    "mongodbatlas_database_user",
    "mysql_user",
    "postgresql_role",
];
/// Attributes that are a folder of the program that a resource runs.
pub(super) const PACKS: [&str; 3] = ["chart", "source_dir", "source_path"];

/// Whether a resource of that type is given a credential without being a workload.
pub(super) fn is_given(kind: &str) -> bool {
    GIVEN.contains(&kind)
}

/// Whether a resource of that type is a workload.
pub(super) fn is_one(kind: &str) -> bool {
    TYPES.contains(&kind)
}

/// Blocks and attributes of a resource that the workload never sees.
pub(super) fn is_unseen(name: &str) -> bool {
    const UNSEEN: [&str; 11] = [
        "connection",
        "count",
        "depends_on",
        "description",
        "lifecycle",
        "provider",
        "providers",
        "provisioner",
        "tags",
        "tags_all",
        "timeouts",
    ];
    UNSEEN.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::{GIVEN, TYPES};

    #[test]
    fn the_list_is_sorted_and_holds_nothing_twice() {
        assert!(TYPES.windows(2).all(|pair| pair[0] < pair[1]) && GIVEN.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
