//! EKS Pod Identity: an association of namespace and ServiceAccount with a role, in Terraform, CloudFormation or as an object of
//! AWS's controllers. No annotation tells of it (docs.aws.amazon.com/eks, "PodIdentityAssociation").

use hcl_edit::Span;
use hcl_edit::expr::Expression;
use hcl_edit::structure::Body;

use super::super::yaml::View;
use super::super::{Place, Sheet, ends_in};
use super::accounts::Accounts;
use crate::model::Coverage;
use crate::ownership::roll::clean;

const TERRAFORM: &str = "aws_eks_pod_identity_association";
const CLOUDFORMATION: &str = "AWS::EKS::PodIdentityAssociation";

/// Whether the file may hold an association, by its name.
pub(super) fn wants(path: &str) -> bool {
    ends_in(path, &["tf"])
}

/// Whether it does, by a look at its bytes.
pub(super) fn concerns(sheet: &Sheet<'_>) -> bool {
    sheet.mentions(TERRAFORM)
}

/// Whether a template of CloudFormation may hold one.
pub(super) fn is_template(sheet: &Sheet<'_>) -> bool {
    sheet.mentions(CLOUDFORMATION)
}

/// Terraform's resources. What is not written out (a variable, a loop) is not known.
pub(super) fn terraform(sheet: &Sheet<'_>, accounts: &mut Accounts) {
    // What cannot be read is the Terraform reader's to complain of.
    let Ok(text) = sheet.text() else { return };
    let Ok(body) = hcl_edit::parser::parse_body(text) else { return };
    for block in body.get_blocks("resource") {
        if block.labels.first().is_some_and(|label| label.as_str() == TERRAFORM) {
            resource(sheet, text, &block.body, accounts);
        }
    }
}

fn resource(sheet: &Sheet<'_>, text: &str, body: &Body, accounts: &mut Accounts) {
    let value = |name: &str| body.get_attribute(name).map(|attribute| &attribute.value);
    let (Some(namespace), Some(account), Some(role)) = (
        value("namespace").and_then(Expression::as_str),
        value("service_account").and_then(Expression::as_str),
        value("role_arn"),
    ) else {
        return;
    };
    let span = role.span().unwrap_or(0..0);
    let written = role.as_str().map(str::to_owned).or_else(|| text.get(span.clone()).map(|text| text.trim().to_owned()));
    let line = memchr::memchr_iter(b'\n', text.get(..span.start).unwrap_or_default().as_bytes()).count() as u64 + 1;
    let place = Place { path: sheet.path.clone(), line, bytes: span.start as u64..span.end as u64 };
    accounts.associate((namespace, account), place, clean(&written.unwrap_or_default()));
}

/// CloudFormation's resources.
pub(super) fn template(sheet: &Sheet<'_>, coverage: &mut Coverage, accounts: &mut Accounts) {
    sheet.documents(coverage, &mut |root| {
        for (_, resource) in root.get("Resources").map(View::entries).unwrap_or_default() {
            if resource.text_at(&["Type"]) == Some(CLOUDFORMATION)
                && let Some(properties) = resource.get("Properties")
            {
                put(sheet, properties, ["Namespace", "ServiceAccount", "RoleArn"], accounts);
            }
        }
    });
}

/// An object of `eks.services.k8s.aws`.
pub(super) fn object(sheet: &Sheet<'_>, object: View<'_>, accounts: &mut Accounts) {
    let own = object.text_at(&["apiVersion"]).is_some_and(|version| version.starts_with("eks.services.k8s.aws/"));
    if let Some(spec) = object.get("spec").filter(|_| own) {
        put(sheet, spec, ["namespace", "serviceAccount", "roleARN"], accounts);
    }
}

fn put(sheet: &Sheet<'_>, view: View<'_>, [namespace, account, role]: [&str; 3], accounts: &mut Accounts) {
    if let (Some(namespace), Some(account), Some(role)) =
        (view.text_at(&[namespace]), view.text_at(&[account]), view.get(role))
    {
        let written = role.text().map_or_else(|| "a role of this template".to_owned(), clean);
        accounts.associate((namespace, account), sheet.place(role), written);
    }
}

#[cfg(test)]
mod tests {
    use crate::ownership::artefacts::testing::{VALUE, finding, tree};

    #[test]
    fn an_association_tells_the_role_of_the_account() {
        let app = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: api, namespace: prod}}\nspec: {{template: {{spec: {{serviceAccountName: api, containers: [{{name: app, env: [{{name: K, value: {VALUE}}}]}}]}}}}}}\n"
        );
        let tf = |namespace: &str| {
            format!(
                "resource \"aws_eks_pod_identity_association\" \"x\" {{\n  cluster_name = \"main\"\n  namespace = {namespace}\n  service_account = \"api\"\n  role_arn = aws_iam_role.api.arn\n}}\n"
            )
        };
        let cfn = "Resources:\n  X:\n    Type: AWS::EKS::PodIdentityAssociation\n    Properties: {ClusterName: main, Namespace: prod, ServiceAccount: api, RoleArn: !GetAtt Role.Arn}\n";
        let ack = "apiVersion: eks.services.k8s.aws/v1alpha1\nkind: PodIdentityAssociation\nmetadata: {name: x}\nspec: {clusterName: main, namespace: prod, serviceAccount: api, roleARN: 'arn:aws:iam::1:role/api'}\n";
        for (path, text, expected) in [
            ("infra/a.tf", tf("\"prod\"").as_str(), Some(("infra/a.tf:5", "aws_iam_role.api.arn"))),
            ("infra/a.tf", &tf("var.namespace"), None),
            ("infra/a.tf", &tf("\"dev\""), None),
            ("stack.yaml", cfn, Some(("stack.yaml:4", "Role.Arn"))),
            ("x.yaml", ack, Some(("x.yaml:4", "arn:aws:iam::1:role/api"))),
        ] {
            let owners = tree(&[("app.yaml", &app), (path, text)]).resolve(&finding(VALUE));
            let why = owners[0].evidence.iter().find(|why| why.technique == "k8s-eks-pod-identity");
            assert_eq!(why.map(|why| (why.at.as_str(), why.value.as_str())), expected, "{text}");
        }
    }
}
