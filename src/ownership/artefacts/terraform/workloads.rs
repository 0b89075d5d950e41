//! Which resources are workloads: things that run and are given values.

/// Types by their provider's names. A resource of another type holds or grants, but does not use.
const TYPES: &[&str] = &[
    "aws_apprunner_service",
    "aws_batch_job_definition",
    "aws_codebuild_project",
    "aws_ecs_task_definition",
    "aws_instance",
    "aws_lambda_function",
    "aws_launch_template",
    "azurerm_container_app",
    "azurerm_container_app_job",
    "azurerm_container_group",
    "azurerm_linux_function_app",
    "azurerm_linux_web_app",
    "azurerm_windows_function_app",
    "azurerm_windows_web_app",
    "digitalocean_app",
    "docker_container",
    "google_cloud_run_service",
    "google_cloud_run_v2_job",
    "google_cloud_run_v2_service",
    "google_cloudfunctions2_function",
    "google_cloudfunctions_function",
    "google_compute_instance",
    "helm_release",
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
];

/// Whether a resource of that type is a workload.
pub(super) fn is_one(kind: &str) -> bool {
    TYPES.contains(&kind)
}

/// Blocks and attributes of a resource that the workload never sees.
pub(super) fn is_unseen(name: &str) -> bool {
    matches!(name, "connection" | "description" | "lifecycle" | "provisioner" | "tags" | "tags_all" | "timeouts")
}

#[cfg(test)]
mod tests {
    use super::TYPES;

    #[test]
    fn the_list_is_sorted_and_holds_nothing_twice() {
        assert!(TYPES.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
