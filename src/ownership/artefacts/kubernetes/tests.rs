//! Real-shaped manifests, and what must not be joined in them.

use std::sync::Arc;

use data_encoding::BASE64;

use crate::model::{Edge, Owner, Provenance, Tier};
use crate::ownership::artefacts::Artefacts;
use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_at, finding_in, tree};
use crate::secret::FingerprintKey;

/// A Secret with `VALUE` under OPENAI_API_KEY.
pub(super) fn secret(namespace: &str, name: &str) -> String {
    let coded = BASE64.encode(VALUE.as_bytes());
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\n{namespace}type: Opaque\ndata:\n  \
         OPENAI_API_KEY: {coded}\n  OTHER: b3RoZXIgdmFsdWU=\n"
    )
}

/// A Deployment `api` with one container `app` that holds those lines.
pub(super) fn deployment(namespace: &str, pod: &str, container: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: api\n{namespace}spec:\n  template:\n    spec:\n{pod}      \
         containers:\n      - name: app\n        image: registry.example/api:1\n{container}"
    )
}

pub(super) const IN_PAYMENTS: &str = "  namespace: payments\n";
pub(super) const KEY_REF: &str = "        env:\n        - name: OPENAI_API_KEY\n          valueFrom:\n            secretKeyRef:\n              \
                       name: llm\n              key: OPENAI_API_KEY\n";
pub(super) const APP: &str = "k8s:payments/Deployment/api/app";

pub(super) fn owners(files: &[(&str, &str)]) -> Vec<Owner> {
    tree(files).resolve(&finding(VALUE))
}

#[test]
fn a_value_is_followed_through_the_secret_to_the_container_and_its_account() {
    let secret = secret(IN_PAYMENTS, "llm");
    let api = deployment(IN_PAYMENTS, "      serviceAccountName: api-sa\n", KEY_REF);
    let all = owners(&[("k8s/secret.yaml", &secret), ("k8s/api.yaml", &api)]);
    assert_eq!(consumers(&all), [(APP, Tier::Bound)]);
    assert_eq!(all[0].name, "Deployment api, container app");
    let seen: Vec<_> =
        all[0].evidence.iter().map(|one| (one.technique.as_str(), one.at.as_str(), one.value.as_str())).collect();
    assert_eq!(
        seen,
        [
            ("k8s-secret", "k8s/secret.yaml:8", "Secret payments/llm key OPENAI_API_KEY (same value)"),
            ("k8s-secret-key-ref", "k8s/api.yaml:17", "env OPENAI_API_KEY"),
            ("k8s-service-account", "k8s/api.yaml:9", "payments/api-sa"),
        ]
    );
}

#[test]
fn a_key_inside_a_bigger_value_is_joined_by_where_it_stands() {
    let config = "apiVersion: v1\nkind: Secret\nmetadata: {name: llm, namespace: payments}\nstringData:\n  Schlüssel: ü\n  \
                  OPENAI_API_KEY: |\n    # für alle\n    key = correct-horse\n    other = 1\n  next: x\n";
    let api = deployment(IN_PAYMENTS, "", KEY_REF);
    let known = tree(&[("k8s/s.yaml", config), ("k8s/api.yaml", &api)]);
    assert_eq!(consumers(&known.resolve(&finding_in("k8s/s.yaml", config, "correct-horse"))), [(APP, Tier::Bound)]);
    for elsewhere in ["payments", "next: x"] {
        assert_eq!(consumers(&known.resolve(&finding_in("k8s/s.yaml", config, elsewhere))), [], "{elsewhere}");
    }
    let mut other_file = finding_in("k8s/s.yaml", config, "correct-horse");
    other_file.occurrences[0].path = "k8s/other.yaml".to_owned();
    assert_eq!(consumers(&known.resolve(&other_file)), []);
    let mut piped = finding_in("k8s/s.yaml", config, "correct-horse");
    piped.occurrences[0].provenance = Provenance::Stdin;
    assert_eq!(consumers(&known.resolve(&piped)), []);
}

#[test]
fn base64_that_is_found_where_it_stands_is_joined_too() {
    let secret = secret(IN_PAYMENTS, "llm");
    let coded = BASE64.encode(VALUE.as_bytes());
    let known = tree(&[("k8s/s.yaml", &secret), ("k8s/api.yaml", &deployment(IN_PAYMENTS, "", KEY_REF))]);
    assert_eq!(consumers(&known.resolve(&finding_in("k8s/s.yaml", &secret, &coded))), [(APP, Tier::Bound)]);
}

#[test]
fn nothing_is_joined_across_namespaces_keys_kinds_or_names() {
    let secret = secret(IN_PAYMENTS, "llm");
    for (why, api) in [
        ("other namespace", deployment("  namespace: shop\n", "", KEY_REF)),
        ("one without a namespace", deployment("", "", KEY_REF)),
        ("other key", deployment(IN_PAYMENTS, "", &KEY_REF.replace("key: OPENAI_API_KEY", "key: OTHER"))),
        ("same key of another Secret", deployment(IN_PAYMENTS, "", &KEY_REF.replace("llm", "llm-old"))),
        ("a ConfigMap's key", deployment(IN_PAYMENTS, "", &KEY_REF.replace("secretKeyRef", "configMapKeyRef"))),
        ("envFrom a ConfigMap", deployment(IN_PAYMENTS, "", "        envFrom:\n        - configMapRef: {name: llm}\n")),
        (
            "a volume that nobody mounts",
            deployment(IN_PAYMENTS, "      volumes:\n      - {name: v, secret: {secretName: llm}}\n", ""),
        ),
    ] {
        assert_eq!(consumers(&owners(&[("k8s/s.yaml", &secret), ("k8s/api.yaml", &api)])), [], "{why}");
    }
    // Neither half alone says anything.
    assert_eq!(owners(&[("k8s/s.yaml", &secret)]), []);
    assert_eq!(owners(&[("k8s/api.yaml", &deployment(IN_PAYMENTS, "", KEY_REF))]), []);
}

#[test]
fn without_a_namespace_the_folder_decides() {
    let (secret, api) = (secret("", "llm"), deployment("", "", KEY_REF));
    let [in_a, in_b] = ["k8s:?a/Deployment/api/app", "k8s:?b:c/Deployment/api/app"];
    assert_eq!(consumers(&owners(&[("a/s.yaml", &secret), ("a/d.yaml", &api)])), [(in_a, Tier::Bound)]);
    assert_eq!(consumers(&owners(&[("a/s.yaml", &secret), ("b/d.yaml", &api)])), []);
    let both = owners(&[("a/s.yaml", &secret), ("a/d.yaml", &api), ("b/c/s.yaml", &secret), ("b/c/d.yaml", &api)]);
    assert_eq!(consumers(&both), [(in_a, Tier::Bound), (in_b, Tier::Bound)], "two clusters, perhaps: two workloads");
}

#[test]
fn a_written_namespace_ties_folders_together_unless_several_define_the_secret() {
    let (secret, api) = (secret(IN_PAYMENTS, "llm"), deployment(IN_PAYMENTS, "", KEY_REF));
    let other = secret.replace("OPENAI_API_KEY: ", "OPENAI_API_KEY: AAAA");
    let one = [("secrets/s.yaml", secret.as_str()), ("apps/d.yaml", api.as_str())];
    assert_eq!(consumers(&owners(&one)), [(APP, Tier::Bound)]);
    let two = [one[0], one[1], ("old/s.yaml", other.as_str())];
    assert_eq!(consumers(&owners(&two)), [(APP, Tier::Inferred)]);
    let own = [one[0], one[1], ("apps/s.yaml", other.as_str())];
    assert_eq!(consumers(&owners(&own)), [], "its own folder's Secret has another value");
}

#[test]
fn env_from_takes_every_key_with_its_prefix() {
    let from = "        envFrom:\n        - prefix: LLM_\n          secretRef:\n            name: llm\n";
    let all = owners(&[("k/s.yaml", &secret(IN_PAYMENTS, "llm")), ("k/d.yaml", &deployment(IN_PAYMENTS, "", from))]);
    assert_eq!(consumers(&all), [(APP, Tier::Bound)]);
    assert_eq!(all[0].evidence[1].value, "env LLM_OPENAI_API_KEY");
    assert_eq!(all[0].evidence[2].value, "payments/default");
}

#[test]
fn volumes_show_the_keys_they_list_to_the_containers_that_mount_them() {
    let mount = "        volumeMounts:\n        - {name: v, mountPath: /etc/keys/}\n";
    let sub = "        volumeMounts:\n        - {name: v, mountPath: /etc/key, subPath: OTHER}\n";
    let whole = "{name: v, secret: {secretName: llm}}";
    let listed = "{name: v, secret: {secretName: llm, items: [{key: OPENAI_API_KEY, path: o/key}]}}";
    let unlisted = "{name: v, secret: {secretName: llm, items: [{key: OTHER, path: o/key}]}}";
    let projected = "{name: v, projected: {sources: [{serviceAccountToken: {path: t}}, {secret: {name: llm}}]}}";
    for (volume, mount, expected) in [
        (whole, mount, Some("file /etc/keys/OPENAI_API_KEY")),
        (listed, mount, Some("file /etc/keys/o/key")),
        (projected, mount, Some("file /etc/keys/OPENAI_API_KEY")),
        (unlisted, mount, None),
        (whole, sub, None),
    ] {
        let pod = format!("      volumes:\n      - {volume}\n");
        let api = deployment(IN_PAYMENTS, &pod, mount);
        let all = owners(&[("k/s.yaml", &secret(IN_PAYMENTS, "llm")), ("k/d.yaml", &api)]);
        assert_eq!(all.first().map(|one| one.evidence[1].value.as_str()), expected, "{volume} {mount}");
    }
}

#[test]
fn every_kind_of_workload_and_container_counts() {
    let pod = "{initContainers: [{name: migrate, envFrom: [{secretRef: {name: llm}}]}], containers: [{name: main}]}";
    let mut text = secret(IN_PAYMENTS, "llm");
    let template = format!("{{template: {{spec: {pod}}}}}");
    for kind in ["StatefulSet", "DaemonSet", "ReplicaSet", "Job"] {
        text +=
            format!("---\napiVersion: x/v1\nkind: {kind}\nmetadata: {{name: w, namespace: payments}}\nspec: {template}\n")
                .as_str();
    }
    text += format!("---\napiVersion: v1\nkind: Pod\nmetadata: {{generateName: w-, namespace: payments}}\nspec: {pod}\n")
        .as_str();
    text += format!("---\napiVersion: batch/v1\nkind: CronJob\nmetadata: {{name: w, namespace: payments}}\nspec: {{jobTemplate: {{spec: {template}}}}}\n").as_str();
    let all = owners(&[("all.yaml", &text)]);
    let ids: Vec<_> = consumers(&all).into_iter().map(|(id, _)| id).collect();
    let expected = ["CronJob/w", "DaemonSet/w", "Job/w", "Pod/w-*", "ReplicaSet/w", "StatefulSet/w"];
    assert_eq!(ids, expected.map(|one| format!("k8s:payments/{one}/migrate")));
}

#[test]
fn lists_and_json_are_read() {
    let coded = BASE64.encode(format!("{VALUE}\n").as_bytes());
    let items = format!(
        r#"{{"apiVersion":"v1","kind":"Secret","metadata":{{"name":"llm","namespace":"payments"}},"data":{{"OPENAI_API_KEY":"{coded}"}}}},
	{{"apiVersion":"apps/v1","kind":"Deployment","metadata":{{"name":"api","namespace":"payments"}},"spec":{{"template":{{"spec":
	{{"containers":[{{"name":"app","envFrom":[{{"secretRef":{{"name":"llm"}}}}]}}]}}}}}}}}"#
    );
    let list = format!("{{\n\t\"apiVersion\": \"v1\",\r\n\t\"kind\": \"List\",\n\t\"items\": [{items}]\n}}");
    assert_eq!(consumers(&owners(&[("dump.json", &list)])), [(APP, Tier::Bound)]);
    let typed = list.replace("\"kind\":\"Secret\",", "").replace("\"List\"", "\"SecretList\"");
    let api = deployment(IN_PAYMENTS, "", KEY_REF);
    assert_eq!(consumers(&owners(&[("dump.json", &typed), ("api.yaml", &api)])), [(APP, Tier::Bound)]);
}

#[test]
fn literals_in_the_template_name_the_container_at_once() {
    let lines = format!("        args: [\"--key\", \"{VALUE}\"]\n        env:\n        - {{name: A, value: 'x={VALUE}'}}\n");
    let api = deployment("", "", &lines);
    let known = tree(&[("d.yaml", &api)]);
    let id = "k8s:?/Deployment/api/app";
    let by_value = known.resolve(&finding(VALUE));
    assert_eq!(consumers(&by_value), [(id, Tier::Bound)]);
    assert_eq!(by_value[0].evidence[0].technique, "k8s-argument-literal");
    let start = api.rfind(VALUE).expect("twice");
    let by_place = known.resolve(&finding_at("d.yaml", start..start + VALUE.len()));
    assert_eq!(by_place[0].evidence[0].technique, "k8s-env-literal");
}

#[test]
fn anchors_and_merge_keys_are_followed() {
    let text = format!(
        "{}---\napiVersion: apps/v1\nkind: Deployment\nmetadata: &m {{name: api, namespace: payments}}\nx-env: &env\n- name: K\n  \
         valueFrom: {{secretKeyRef: {{name: llm, key: OPENAI_API_KEY}}}}\nx-base: &base {{image: i, env: *env}}\nspec: {{template: \
         {{spec: {{containers: [{{<<: *base, name: app}}, {{<<: *base, name: side}}]}}}}}}\n",
        secret(IN_PAYMENTS, "llm")
    );
    let all = owners(&[("d.yaml", &text)]);
    assert_eq!(consumers(&all), [(APP, Tier::Bound), ("k8s:payments/Deployment/api/side", Tier::Bound)]);
}

#[test]
fn string_data_overrides_data() {
    let text = secret(IN_PAYMENTS, "llm") + "stringData:\n  OPENAI_API_KEY: another value altogether\n";
    let api = deployment(IN_PAYMENTS, "", KEY_REF);
    let known = tree(&[("s.yaml", &text), ("d.yaml", &api)]);
    assert_eq!(consumers(&known.resolve(&finding(VALUE))), []);
    assert_eq!(consumers(&known.resolve(&finding("another value altogether"))), [(APP, Tier::Bound)]);
}

#[test]
fn windows_line_ends_and_tabs_do_not_matter() {
    let secret = secret(IN_PAYMENTS, "llm").replace('\n', "\r\n");
    let api = deployment(IN_PAYMENTS, "", KEY_REF).replace('\n', "\t\r\n");
    assert_eq!(consumers(&owners(&[("s.yaml", &secret), ("d.yaml", &api)])), [(APP, Tier::Bound)]);
    // A tab as indentation is not YAML, and that is said with its line.
    let known = tree(&[("t.yaml", "apiVersion: v1\nkind: Secret\nmetadata:\n\tname: x\n")]);
    assert!(known.coverage().troubles[0].why.starts_with("not valid YAML at line "), "{:?}", known.coverage());
}

#[test]
fn a_token_secret_names_its_service_account() {
    let coded = BASE64.encode(VALUE.as_bytes());
    let text = format!(
        "apiVersion: v1\nkind: Secret\ntype: kubernetes.io/service-account-token\nmetadata:\n  name: ci-token\n  namespace: ci\n  \
         annotations:\n    kubernetes.io/service-account.name: deployer\ndata:\n  token: {coded}\n"
    );
    let all = owners(&[("s.yaml", &text)]);
    assert_eq!(all.len(), 1);
    assert_eq!(
        (all[0].edge, all[0].id.as_str(), all[0].tier),
        (Edge::Principal, "k8s:ci/ServiceAccount/deployer", Tier::Bound)
    );
    assert_eq!(owners(&[("s.yaml", &text.replace("service-account-token", "other"))]), []);
}

#[test]
fn image_pull_secrets_belong_to_the_pod() {
    let pod = "      imagePullSecrets:\n      - name: llm\n";
    let all = owners(&[("s.yaml", &secret(IN_PAYMENTS, "llm")), ("d.yaml", &deployment(IN_PAYMENTS, pod, ""))]);
    assert_eq!(consumers(&all), [("k8s:payments/Deployment/api", Tier::Bound)]);
}

#[test]
fn helm_templates_are_said_to_be_unread_and_quoted_braces_are_not_templates() {
    let helm = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {{ include \"x.fullname\" . }}\n  {{- with .Values.y }}\n  \
                labels: {{ . }}\n  {{- end }}\ndata:\n  k: {{ .Values.k | b64enc }}\n";
    let known = tree(&[("chart/templates/secret.yaml", helm)]);
    assert!(known.coverage().troubles[0].why.starts_with("a template"), "{:?}", known.coverage());
    let short = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {{ .Release.Name }}\n";
    assert_eq!(tree(&[("s.yaml", short)]).coverage().troubles.len(), 1);
    let argo = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\nspec: {containers: [{name: a, args: ['{{inputs.x}}']}]}\n";
    assert_eq!(tree(&[("s.yaml", argo)]).coverage().troubles, []);
}

#[test]
fn what_cannot_be_read_is_said_and_what_is_none_of_ours_is_not() {
    let large = format!("apiVersion: v1\nkind: Secret\n# {}\n", "x".repeat(5 << 20));
    let latin = b"apiVersion: v1\nkind: Secret\nmetadata:\n  name: caf\xe9\n";
    let mut known = tree(&[("large.yaml", &large), ("tsconfig.json", "{\"a\": [}"), ("ci.yml", "a: {{ b }}: [")]);
    known.read("latin.yaml", latin);
    let troubles: Vec<_> = known.coverage().troubles.iter().map(|one| (one.path.as_str(), one.why.as_str())).collect();
    assert_eq!(troubles.len(), 2, "{troubles:?}");
    assert!(troubles[0].0 == "large.yaml" && troubles[0].1.starts_with("larger than 4 MiB"));
    assert!(troubles[1].0 == "latin.yaml" && troubles[1].1.starts_with("not UTF-8"));
}

#[test]
fn an_alias_bomb_ends_and_is_told() {
    let mut text = String::from("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nx-e: &e\n");
    for n in 0..2000 {
        text += format!("- {{name: V{n}, value: v}}\n").as_str();
    }
    text += "spec:\n  containers:\n";
    for n in 0..2000 {
        text += format!("  - {{name: c{n}, env: *e}}\n").as_str();
    }
    let known = tree(&[("bomb.yaml", &text)]);
    assert!(known.coverage().troubles[0].why.contains("aliases"), "{:?}", known.coverage());
}

#[test]
fn workers_that_read_apart_know_the_same_together() {
    let (secret, api) = (secret(IN_PAYMENTS, "llm"), deployment(IN_PAYMENTS, "", KEY_REF));
    let whole = owners(&[("s.yaml", &secret), ("d.yaml", &api)]);
    let mut merged = tree(&[("d.yaml", &api)]);
    merged.merge(tree(&[("other.yaml", &deployment("", "", ""))]));
    merged.merge(tree(&[("s.yaml", &secret)]));
    assert_eq!(merged.resolve(&finding(VALUE)), whole);
    assert_eq!(merged.coverage().files, 3);
}

#[test]
fn fingerprints_of_another_key_never_join() {
    let mut other = Artefacts::new(Arc::new(FingerprintKey::new([1; 32])), "");
    other.read("s.yaml", secret(IN_PAYMENTS, "llm").as_bytes());
    other.read("d.yaml", deployment(IN_PAYMENTS, "", KEY_REF).as_bytes());
    assert_eq!(other.resolve(&finding(VALUE)), []);
}

#[test]
fn a_public_part_that_others_share_does_not_join() {
    let api = deployment("", "", "        env:\n        - {name: URL, value: \"https://x.openai.azure.com\"}\n");
    let mut shared = finding(VALUE);
    let endpoint = finding("https://x.openai.azure.com");
    shared.parts.push(crate::model::PartInfo { public: true, name: "endpoint".to_owned(), ..endpoint.parts[0].clone() });
    assert_eq!(tree(&[("d.yaml", &api)]).resolve(&shared), []);
    assert_eq!(tree(&[("d.yaml", &api)]).resolve(&endpoint).len(), 1, "but it is there to be joined");
}

proptest::proptest! {
    #[test]
    fn no_bytes_at_all_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300), cut in 0..400_usize) {
        let mut known = tree(&[]);
        let mut text = (secret(IN_PAYMENTS, "llm") + "---\n" + &deployment("", "", KEY_REF)).into_bytes();
        let at = cut.min(text.len());
        text.splice(at..(at + bytes.len() / 10).min(text.len()), bytes);
        for path in ["a.yaml", "compose.yaml", ".env", "CODEOWNERS"] {
            known.read(path, &text);
        }
        known.resolve(&finding_at("a.yaml", 0..cut));
    }
}
