//! What stands around Secrets and pods: the accounts that pods run as, and kustomize's generators.

use super::tests::{APP, IN_PAYMENTS, KEY_REF, deployment, owners, secret};
use crate::model::Tier;
use crate::ownership::artefacts::testing::{VALUE, consumers, finding, finding_in, tree};

#[test]
fn the_cloud_identity_of_the_account_is_told() {
    let sa = |namespace: &str, role: &str| {
        format!(
            "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: api-sa\n{namespace}  annotations:\n    eks.amazonaws.com/role-arn: \
             arn:aws:iam::111122223333:role/{role}\n"
        )
    };
    let (secret, api) = (secret(IN_PAYMENTS, "llm"), deployment(IN_PAYMENTS, "      serviceAccountName: api-sa\n", KEY_REF));
    let (own, other) = (sa(IN_PAYMENTS, "api"), sa("  namespace: shop\n", "shop"));
    let role = |files: &[(&str, &str)]| {
        let all = owners(&[&[("k/s.yaml", secret.as_str()), ("k/d.yaml", api.as_str())], files].concat());
        assert_eq!(consumers(&all), [(APP, Tier::Bound)]);
        all[0].evidence.iter().find(|one| one.technique == "k8s-irsa").map(|one| one.value.clone())
    };
    let expected = Some("arn:aws:iam::111122223333:role/api".to_owned());
    assert_eq!(role(&[("k/sa.yaml", &own)]), expected);
    assert_eq!(role(&[("accounts/sa.yaml", &own), ("k/x.yaml", &other)]), expected);
    assert_eq!(role(&[("k/sa.yaml", &other)]), None, "another namespace");
    assert_eq!(role(&[("a/sa.yaml", &own), ("b/sa.yaml", &sa(IN_PAYMENTS, "old"))]), None, "two clusters, perhaps");
    assert_eq!(role(&[("k/sa.yaml", &own), ("b/sa.yaml", &sa(IN_PAYMENTS, "old"))]), expected);
}

#[test]
fn the_place_where_a_value_is_replaced_is_told() {
    let external = "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: x, namespace: payments}\nspec:\n  \
                    secretStoreRef: {name: vault}\n  target: {name: llm}\n  data:\n  - secretKey: OPENAI_API_KEY\n    remoteRef: {key: \
                    prod/llm, property: key}\n  - {secretKey: OTHER, remoteRef: {key: other}}\n";
    let sealed = "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: llm, namespace: payments}\nspec:\n  \
                  encryptedData: {OPENAI_API_KEY: AgBy, OTHER: AgBz}\n";
    let (secret, api) = (secret(IN_PAYMENTS, "llm"), deployment(IN_PAYMENTS, "", KEY_REF));
    let told = |text: &str, at| {
        let all = owners(&[("k/s.yaml", &secret), ("k/d.yaml", &api), (at, text)]);
        assert_eq!(consumers(&all), [(APP, Tier::Bound)]);
        let of_origin =
            all[0].evidence.iter().filter(|one| one.technique.contains("sealed") || one.technique.contains("external"));
        of_origin.map(|one| one.value.clone()).collect::<Vec<_>>()
    };
    assert_eq!(told(external, "k/e.yaml"), ["store vault key prod/llm property key"]);
    assert_eq!(told(external, "e/e.yaml"), ["store vault key prod/llm property key"]);
    assert_eq!(told(sealed, "k/e.yaml"), ["has to be sealed again"]);
    for other in [external.replace("name: llm", "name: llm2"), external.replace("payments", "shop")] {
        assert_eq!(told(&other, "k/e.yaml"), Vec::<String>::new(), "{other}");
    }
}

#[test]
fn values_in_clear_in_a_template_end_in_the_secret() {
    let api = deployment(IN_PAYMENTS, "", KEY_REF);
    for text in [
        format!(
            "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {{name: llm, namespace: payments}}\nspec: {{target: \
             {{template: {{data: {{OPENAI_API_KEY: {VALUE}}}}}}}}}\n"
        ),
        format!(
            "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {{name: x, namespace: payments}}\nspec: {{template: \
             {{metadata: {{name: llm}}, data: {{OPENAI_API_KEY: {VALUE}}}}}}}\n"
        ),
    ] {
        assert_eq!(consumers(&owners(&[("k/e.yaml", &text), ("k/d.yaml", &api)])), [(APP, Tier::Bound)], "{text}");
        let other = text.replace("OPENAI_API_KEY", "OTHER");
        assert_eq!(owners(&[("k/e.yaml", &other), ("k/d.yaml", &api)]), [], "{other}");
    }
}

/// A kustomization with that generator that lists `d.yaml`.
fn kustomization(field: &str, source: &str) -> String {
    format!("namespace: payments\nresources: [d.yaml, ../base]\n{field}:\n- name: llm\n  {source}\n")
}

#[test]
fn generated_secrets_reach_the_manifests_that_are_listed() {
    let api = deployment("", "", KEY_REF);
    let env = format!("OTHER=1\nOPENAI_API_KEY={VALUE}\n");
    let id = "k8s:payments/Deployment/api/app";
    for source in
        [format!("literals: ['OPENAI_API_KEY={VALUE}']"), "envs: [conf/llm.env]".to_owned(), "env: conf/llm.env".to_owned()]
    {
        let text = kustomization("secretGenerator", &source);
        let all = owners(&[("k/kustomization.yaml", &text), ("k/d.yaml", &api), ("k/conf/llm.env", &env)]);
        assert_eq!(consumers(&all), [(id, Tier::Bound)], "{source}");
        assert!(all[0].evidence.iter().any(|one| one.technique == "kustomize-generator"));
    }
    let text = kustomization("secretGenerator", "files: [OPENAI_API_KEY=key.txt]");
    let known = tree(&[("k/Kustomization", &text), ("k/d.yaml", &api)]);
    assert_eq!(consumers(&known.resolve(&finding_in("k/key.txt", "abc", "abc"))), [(id, Tier::Bound)]);
    assert_eq!(known.resolve(&finding_in("key.txt", "abc", "abc")), []);
}

#[test]
fn generators_reach_nothing_else() {
    let api = deployment("", "", KEY_REF);
    let literal = format!("literals: ['OPENAI_API_KEY={VALUE}']");
    let own = kustomization("secretGenerator", &literal);
    for (why, text, at) in [
        ("a manifest that is not listed", own.clone(), "k/e.yaml"),
        ("another folder's", own.clone(), "base/d.yaml"),
        ("a ConfigMap", kustomization("configMapGenerator", &literal), "k/d.yaml"),
        ("another name", own.replace("name: llm", "name: other"), "k/d.yaml"),
        ("another key", own.replace("OPENAI_API_KEY=", "OTHER="), "k/d.yaml"),
    ] {
        assert_eq!(owners(&[("k/kustomization.yaml", &text), (at, &api)]), [], "{why}");
    }
    let broken = tree(&[("k/kustomization.yaml", "secretGenerator: [\n")]);
    assert_eq!(broken.coverage().troubles.len(), 1);
}

#[test]
fn a_key_that_two_files_of_a_folder_define_is_inferred() {
    let secret =
        |value: &str| format!("kind: Secret\napiVersion: v1\nmetadata: {{name: s}}\nstringData: {{KEY: {value}}}\n");
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, envFrom: [{secretRef: {name: s}}]}]}\n";
    for (path, value, tier) in [
        ("a/old.yaml", "another-value", Tier::Inferred),
        ("a/secret.example.yaml", "another-value", Tier::Bound),
        ("a/copy.yaml", VALUE, Tier::Bound),
        ("b/old.yaml", "another-value", Tier::Bound),
    ] {
        let (own, other) = (secret(VALUE), secret(value));
        let known = tree(&[("a/secret.yaml", &own), ("a/pod.yaml", pod), (path, &other)]);
        assert_eq!(consumers(&known.resolve(&finding(VALUE))), [("k8s:?a/Pod/p/c", tier)], "{path}");
    }
}

#[test]
fn the_container_s_own_variable_hides_the_secret_s_of_that_name() {
    let secret = format!("kind: Secret\napiVersion: v1\nmetadata: {{name: s}}\nstringData: {{KEY: {VALUE}}}\n");
    for (env, bound) in [
        ("envFrom: [{secretRef: {name: s}}]", true),
        ("env: [{name: KEY, value: other}], envFrom: [{secretRef: {name: s}}]", false),
        ("env: [{name: KEY, value: other}], envFrom: [{prefix: P_, secretRef: {name: s}}]", true),
        ("env: [{name: P_KEY, value: other}], envFrom: [{prefix: P_, secretRef: {name: s}}]", false),
        ("envFrom: [{secretRef: {name: s}}, {configMapRef: {name: m}}]", false),
        ("envFrom: [{configMapRef: {name: m}}, {secretRef: {name: s}}]", true),
        ("envFrom: [{prefix: A_, secretRef: {name: s}}, {configMapRef: {name: m}}]", true),
        ("envFrom: [{secretRef: {name: s}}, {configMapRef: {name: not-there}}]", true),
        ("env: [{name: X, valueFrom: {secretKeyRef: {name: s, key: KEY}}}, {name: X, value: other}]", false),
        ("env: [{name: X, value: other}, {name: X, valueFrom: {secretKeyRef: {name: s, key: KEY}}}]", true),
    ] {
        let pod = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m}}\ndata: {{KEY: x}}\n---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: {{containers: [{{name: c, {env}}}]}}\n---\n{secret}"
        );
        let named = !consumers(&tree(&[("a.yaml", &pod)]).resolve(&finding(VALUE))).is_empty();
        assert_eq!(named, bound, "{env}");
    }
}

#[test]
fn secrets_that_volumes_are_attached_with_are_inferred_near_by_as_well() {
    let secret = format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{KEY: {VALUE}}}\n");
    let pod = |volume: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: {{containers: [{{name: c, volumeMounts: [{{name: v, mountPath: /v}}]}}], volumes: [{{name: v, {volume}}}]}}\n"
        )
    };
    let id = [("k8s:?k:a/Pod/p/c", Tier::Inferred)];
    for (volume, at, named) in [
        ("azureFile: {secretName: s, shareName: x}", "k/a/s.yaml", true),
        ("iscsi: {secretRef: {name: s}}", "k/a/s.yaml", true),
        ("csi: {driver: d, nodePublishSecretRef: {name: s}}", "k/a/s.yaml", true),
        ("azureFile: {secretName: s, shareName: x}", "k/a/secret/s.yaml", true),
        ("secret: {secretName: s}", "k/a/secret/s.yaml", true),
        ("azureFile: {secretName: other, shareName: x}", "k/a/s.yaml", false),
        ("azureFile: {secretName: s, shareName: x}", "k/b/s.yaml", false),
        ("azureFile: {secretName: s, shareName: x}", "k/s.yaml", false),
    ] {
        let all = owners(&[("k/a/pod.yaml", &pod(volume)), (at, &secret)]);
        assert_eq!(consumers(&all), &id[..usize::from(named)], "{volume} {at}");
    }
    // Which of two is meant is not known.
    let files = [
        ("k/a/pod.yaml", pod("secret: {secretName: s}")),
        ("k/a/dev/s.yaml", secret.clone()),
        ("k/a/prod/s.yaml", secret.replace(VALUE, "other-value-here")),
    ];
    let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    assert_eq!(owners(&files), []);
}

#[test]
fn manifests_to_fill_in_are_never_bound() {
    let secret = format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{KEY: {VALUE}}}\n");
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, envFrom: [{secretRef: {name: s}}]}]}\n";
    for (secret_at, pod_at, tier) in [
        ("k/secret.yaml", "k/pod.yaml", Tier::Bound),
        ("k/secret-template.yaml", "k/pod.yaml", Tier::Inferred),
        ("k/secret.yaml", "k/pod.sample.yaml", Tier::Inferred),
    ] {
        let all = owners(&[(secret_at, &secret), (pod_at, pod)]);
        assert_eq!(consumers(&all), [("k8s:?k/Pod/p/c", tier)], "{secret_at} {pod_at}");
    }
}

#[test]
fn a_kustomization_brings_the_folders_that_it_lists_together() {
    let secret = format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{KEY: {VALUE}}}\n");
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, envFrom: [{secretRef: {name: s}}]}]}\n";
    for (listed, base, named) in [
        ("[../../base, pod.yaml]", "[secret.yaml]", true),
        ("[../../base, pod.yaml]", "[other.yaml]", false),
        ("[pod.yaml]", "[secret.yaml]", false),
    ] {
        let (own, base) = (format!("resources: {listed}\n"), format!("resources: {base}\n"));
        let all = owners(&[
            ("k/base/kustomization.yaml", &base),
            ("k/base/secret.yaml", &secret),
            ("k/over/dev/kustomization.yaml", &own),
            ("k/over/dev/pod.yaml", pod),
        ]);
        let id = [("k8s:?k:over:dev/Pod/p/c", Tier::Inferred)];
        assert_eq!(consumers(&all), &id[..usize::from(named)], "{listed} {base}");
    }
}

#[test]
fn the_only_secret_of_a_telling_name_is_meant_where_a_namespace_is_left_open() {
    let secret = |name: &str, namespace: &str| {
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}{namespace}}}\nstringData: {{KEY: {VALUE}}}\n")
    };
    let pod = |name: &str, namespace: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p{namespace}}}\nspec: {{containers: [{{name: c, envFrom: [{{secretRef: {{name: {name}}}}}]}}]}}\n"
        )
    };
    for (name, own, other, id) in [
        ("payments-token", "", "", Some("k8s:?apps/Pod/p/c")),
        ("payments-token", "", ", namespace: prod", Some("k8s:prod/Pod/p/c")),
        ("payments-token", ", namespace: prod", "", Some("k8s:?apps/Pod/p/c")),
        ("payments-token", ", namespace: prod", ", namespace: dev", None),
        ("token", "", "", None),
    ] {
        let (secret, pod) = (secret(name, own), pod(name, other));
        let files = [("secrets/s.yaml", secret.as_str()), ("apps/p.yaml", pod.as_str())];
        let expected: Vec<_> = id.into_iter().map(|id| (id, Tier::Inferred)).collect();
        assert_eq!(consumers(&owners(&files)), expected, "{name} {own} {other}");
        let again = secret.replace(VALUE, "another-value");
        let all = owners(&[files[0], files[1], ("old/s.yaml", &again)]);
        assert!(own.contains("prod") || consumers(&all).is_empty(), "two of that name");
    }
    // Samples that lie beside each other, each of which asks for what everybody calls so.
    let (secret, pod) = (secret("payments-token", ""), pod("payments-token", ""));
    for (folders, named) in [(3, 3), (6, 0)] {
        let paths: Vec<String> = (0..folders).map(|n| format!("sample-{n}/p.yaml")).collect();
        let mut files = vec![("secrets/s.yaml", secret.as_str())];
        files.extend(paths.iter().map(|path| (path.as_str(), pod.as_str())));
        assert_eq!(consumers(&owners(&files)).len(), named, "{folders} folders");
    }
}

#[test]
fn manifests_that_are_filled_in_are_inferred_and_their_names_are_no_template_s() {
    let text = |name: &str, namespace: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\n  namespace: {namespace}\nspec:\n  containers:\n  - name: c\n    \
             env:\n    - name: K\n      value: {VALUE}\n"
        )
    };
    for (path, name, namespace, id) in [
        ("k/p.yaml.j2", "web", "prod", Some("k8s:prod/Pod/web/c")),
        ("k/p.yml.j2", "web", "'{{ namespace }}'", Some("k8s:?k/Pod/web/c")),
        ("k/p.yml", "web", "{{ namespace }}", Some("k8s:?k/Pod/web/c")),
        ("k/p.yml", "web-{{ env }}", "prod", Some("k8s:prod/Pod/web-*/c")),
        ("k/p.yaml.erb", "web-<%= env %>", "prod", Some("k8s:prod/Pod/web-*/c")),
        ("k/p.yaml", "web-${ENV}", "prod", Some("k8s:prod/Pod/web-*/c")),
        ("k/p.yaml", "web", "${NAMESPACE}", Some("k8s:?k/Pod/web/c")),
        ("k/p.yaml.erb", "<%= name %>", "prod", None),
        ("k/p.yaml", "${NAME}", "prod", None),
    ] {
        let text = text(name, namespace);
        let expected: Vec<_> = id.into_iter().map(|id| (id, Tier::Inferred)).collect();
        assert_eq!(consumers(&owners(&[(path, &text)])), expected, "{path} {name} {namespace}");
    }
    let secret = format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: 'db-${{ENV}}'}}\nstringData: {{KEY: {VALUE}}}\n");
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, envFrom: [{secretRef: {name: 'db-${ENV}'}}]}]}\n";
    for (at, named) in [("k/s.yaml", true), ("other/s.yaml", false)] {
        let all = owners(&[(at, secret.as_str()), ("k/p.yaml", pod)]);
        assert_eq!(consumers(&all), &[("k8s:?k/Pod/p/c", Tier::Inferred)][..usize::from(named)], "{at}");
    }
}
