//! Which resources are workloads: things that run and are given values.

/// Types by their provider's names. A resource of another type holds or grants, but does not use.
const TYPES: &[&str] = &[
    "alicloud_fc_function",
    "alicloud_fcv3_function",
    "alicloud_instance",
    "aws_amplify_app",
    "aws_amplify_branch",
    "aws_apprunner_service",
    "aws_batch_job_definition",
    "aws_codebuild_project",
    "aws_ecs_express_gateway_service",
    "aws_ecs_task_definition",
    "aws_elastic_beanstalk_environment",
    "aws_emr_cluster",
    "aws_glue_job",
    "aws_instance",
    "aws_lambda_function",
    "aws_launch_configuration",
    "aws_launch_template",
    "aws_lightsail_container_service_deployment_version",
    "aws_mwaa_environment",
    "aws_sagemaker_model",
    "aws_spot_instance_request",
    "aws_synthetics_canary",
    "azurerm_app_service",
    "azurerm_app_service_slot",
    "azurerm_container_app",
    "azurerm_container_app_job",
    "azurerm_container_group",
    "azurerm_function_app",
    "azurerm_function_app_flex_consumption",
    "azurerm_function_app_slot",
    "azurerm_linux_function_app",
    "azurerm_linux_function_app_slot",
    "azurerm_linux_virtual_machine",
    "azurerm_linux_virtual_machine_scale_set",
    "azurerm_linux_web_app",
    "azurerm_linux_web_app_slot",
    "azurerm_logic_app_standard",
    "azurerm_orchestrated_virtual_machine_scale_set",
    "azurerm_spring_cloud_app",
    "azurerm_spring_cloud_java_deployment",
    "azurerm_static_web_app",
    "azurerm_virtual_machine",
    "azurerm_virtual_machine_extension",
    "azurerm_virtual_machine_run_command",
    "azurerm_virtual_machine_scale_set",
    "azurerm_virtual_machine_scale_set_extension",
    "azurerm_windows_function_app",
    "azurerm_windows_function_app_slot",
    "azurerm_windows_virtual_machine",
    "azurerm_windows_virtual_machine_scale_set",
    "azurerm_windows_web_app",
    "azurerm_windows_web_app_slot",
    "cloudflare_pages_project",
    "cloudflare_worker_script",
    "cloudflare_workers_script",
    "databricks_job",
    "digitalocean_app",
    "digitalocean_droplet",
    "docker_container",
    "docker_service",
    "equinix_metal_device",
    "exoscale_compute_instance",
    "fly_machine",
    "google_app_engine_flexible_app_version",
    "google_app_engine_standard_app_version",
    "google_cloud_run_service",
    "google_cloud_run_v2_job",
    "google_cloud_run_v2_service",
    "google_cloud_run_v2_worker_pool",
    "google_cloudbuild_trigger",
    "google_cloudfunctions2_function",
    "google_cloudfunctions_function",
    "google_composer_environment",
    "google_compute_instance",
    "google_compute_instance_template",
    "google_compute_region_instance_template",
    "google_dataflow_job",
    "google_notebooks_instance",
    "google_workbench_instance",
    "google_workstations_workstation_config",
    "hcloud_server",
    "helm_release",
    "heroku_app",
    "heroku_app_config_association",
    "incus_instance",
    "koyeb_service",
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
    "kubernetes_replication_controller",
    "kubernetes_replication_controller_v1",
    "kubernetes_stateful_set",
    "kubernetes_stateful_set_v1",
    "libvirt_domain",
    "linode_instance",
    "lxd_instance",
    "metal_device",
    "multipass_instance",
    "nomad_job",
    "oci_container_instances_container_instance",
    "oci_core_instance",
    "oci_functions_function",
    "openstack_compute_instance_v2",
    "ovh_cloud_project_instance",
    "proxmox_lxc",
    "proxmox_virtual_environment_container",
    "proxmox_virtual_environment_vm",
    "proxmox_vm_qemu",
    "rancher2_app_v2",
    "render_background_worker",
    "render_cron_job",
    "render_web_service",
    "scaleway_container",
    "scaleway_function",
    "scaleway_instance_server",
    "tencentcloud_instance",
    "upcloud_server",
    "vercel_project",
    "vsphere_virtual_machine",
    "vultr_instance",
    "yandex_compute_instance",
    "yandex_function",
    "yandex_serverless_container",
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

/// What attributes are called that are a credential, in part.
const TELLING: &[&str] =
    &["password", "passphrase", "secret", "token", "api_key", "private_key", "access_key", "credential", "psk", "passwd"];
/// How those end that only name one or tell about it.
const ABOUT: &[&str] =
    &["_id", "_ids", "_name", "_names", "_arn", "_arns", "_version", "_length", "_ref", "_path", "_url", "_ttl"];
/// Providers that make values up, and resources that run something by hand.
const MADE_UP: &[&str] = &["random_", "tls_", "time_", "null_", "terraform_data"];

/// Whether an attribute is a credential by its name.
pub(super) fn is_telling(attribute: &str) -> bool {
    TELLING.iter().any(|word| attribute.contains(word)) && !ABOUT.iter().any(|end| attribute.ends_with(end))
}

/// Whether a resource of that type is made of nothing but itself.
pub(super) fn is_made_up(kind: &str) -> bool {
    MADE_UP.iter().any(|begin| kind.starts_with(begin))
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
