//! Secrets Manager and the Parameter Store.

use data_encoding::BASE64;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::super::ask::{items, text};
use super::super::tags::accountable;
use super::{AWS, Reader};
use crate::ownership::roll::clean;

/// Secrets and parameters read, of each kind.
const MOST: usize = 1000;
/// GetParameters takes ten names.
const AT_ONCE: usize = 10;

impl Reader<'_, '_, '_> {
    /// Every secret's current value.
    pub(super) async fn secrets(&mut self) {
        let (mut next, mut read) = (Value::Null, 0);
        loop {
            let mut body = json!({ "MaxResults": 100 });
            if !next.is_null() {
                body["NextToken"] = next;
            }
            let page = self.call("secretsmanager", "secretsmanager.ListSecrets", &body, "secretsmanager:ListSecrets").await;
            let page = match page {
                Ok(page) => page,
                Err(why) => return self.board.miss(AWS, why),
            };
            for secret in items(&page, "/SecretList") {
                if read == MOST {
                    return self.board.miss(AWS, format!("{MOST} secrets were read and there are more"));
                }
                read += 1;
                self.secret(secret).await;
            }
            next = page.get("NextToken").cloned().unwrap_or_default();
            if next.is_null() {
                return;
            }
        }
    }

    async fn secret(&mut self, listed: &Value) {
        let (Some(arn), Some(name)) = (text(listed, "/ARN"), text(listed, "/Name")) else { return };
        let allow = "secretsmanager:GetSecretValue";
        let asked = json!({ "SecretId": arn });
        let value = match self.call("secretsmanager", "secretsmanager.GetSecretValue", &asked, allow).await {
            Ok(value) => value,
            Err(why) => return self.board.miss(AWS, why),
        };
        let met = match (text(&value, "/SecretString"), text(&value, "/SecretBinary")) {
            (Some(value), _) => self.board.meets(value),
            (None, Some(binary)) => match BASE64.decode(binary.as_bytes()).map(Zeroizing::new) {
                Ok(bytes) => self.board.meets_bytes(&bytes),
                Err(_) => return,
            },
            (None, None) => return,
        };
        for &number in &met {
            self.board.fact(number, "stored_in", format!("Secrets Manager {}", clean(name)));
            for tag in items(listed, "/Tags") {
                let pair = text(tag, "/Key").zip(text(tag, "/Value"));
                let declared = pair.and_then(|pair| accountable(pair, ("aws-secret-tag", &clean(arn))));
                if let Some(owner) = declared {
                    self.board.name(number, owner);
                }
            }
        }
        if !met.is_empty() {
            self.meet(arn, &met);
        }
    }

    /// Every parameter's current value.
    pub(super) async fn parameters(&mut self) {
        let (mut next, mut names) = (Value::Null, Vec::new());
        loop {
            let mut body = json!({ "MaxResults": 50 });
            if !next.is_null() {
                body["NextToken"] = next;
            }
            let page = match self.call("ssm", "AmazonSSM.DescribeParameters", &body, "ssm:DescribeParameters").await {
                Ok(page) => page,
                Err(why) => return self.board.miss(AWS, why),
            };
            names.extend(items(&page, "/Parameters").iter().filter_map(|one| text(one, "/Name")).map(str::to_owned));
            next = page.get("NextToken").cloned().unwrap_or_default();
            if next.is_null() {
                break;
            }
            if names.len() >= MOST {
                self.board.miss(AWS, format!("{MOST} parameters were read and there are more"));
                break;
            }
        }
        for names in names.chunks(AT_ONCE) {
            self.values(names).await;
        }
    }

    async fn values(&mut self, names: &[String]) {
        let body = json!({ "Names": names, "WithDecryption": true });
        let found = match self.call("ssm", "AmazonSSM.GetParameters", &body, "ssm:GetParameters").await {
            Ok(found) => found,
            Err(why) => return self.board.miss(AWS, why),
        };
        for parameter in items(&found, "/Parameters") {
            let Some((name, value)) = text(parameter, "/Name").zip(text(parameter, "/Value")) else { continue };
            let met = self.board.meets(value);
            for &number in &met {
                self.board.fact(number, "stored_in", format!("SSM parameter {}", clean(name)));
            }
            if !met.is_empty() {
                self.meet(name, &met);
                if let Some(arn) = text(parameter, "/ARN") {
                    self.meet(arn, &met);
                }
            }
        }
    }
}
