//! The ARNs that resources are named by.

use crate::desired::Target;
use crate::domain::{AccountId, Partition, SecretName};

/// Where resources are: an account in a region.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    region: &'a str,
    account: Option<&'a str>,
}

impl<'a> Place<'a> {
    pub(super) fn of(target: &'a Target) -> Self {
        Self { region: target.region.as_str(), account: target.account.as_ref().map(AccountId::as_str) }
    }

    /// The same account in another region.
    pub(super) fn in_region(self, region: &'a str) -> Self {
        Self { region, ..self }
    }

    /// The same region of another account.
    pub(super) fn in_account(self, account: &'a str) -> Self {
        Self { account: Some(account), ..self }
    }

    /// The same region of an account that nobody names.
    pub(super) fn in_any_account(self) -> Self {
        Self { account: None, ..self }
    }

    /// The region.
    pub(super) fn region(self) -> &'a str {
        self.region
    }

    /// The account, where the project names it.
    pub(super) fn account(self) -> Option<&'a str> {
        self.account
    }

    /// Every secret whose name begins so, whether it exists or not.
    pub(super) fn secrets(self, prefix: &str) -> String {
        format!("{}{prefix}*", self.arn("secretsmanager", "secret:"))
    }

    /// One secret that exists: six characters that nobody knows beforehand end its ARN.
    pub(super) fn secret(self, name: &SecretName) -> String {
        format!("{}-??????", self.secret_without_suffix(name))
    }

    /// One secret that may not exist: then it has no such ending.
    pub(super) fn secret_without_suffix(self, name: &SecretName) -> String {
        format!("{}{name}", self.arn("secretsmanager", "secret:"))
    }

    /// A KMS key by its id, or every key with `*`.
    pub(super) fn kms_key(self, id: &str) -> String {
        format!("{}{id}", self.arn("kms", "key/"))
    }

    /// The values of `kms:ViaService` when Secrets Manager uses a key on somebody's behalf. The documentation of the
    /// China regions uses both endings.
    pub(super) fn via_service(self) -> Vec<String> {
        let plain = format!("secretsmanager.{}.amazonaws.com", self.region);
        if Partition::of_region(self.region).is_china() { vec![format!("{plain}.cn"), plain] } else { vec![plain] }
    }

    /// An account that the project does not name is any: the resource is narrowed by everything else.
    fn arn(self, service: &str, resource: &str) -> String {
        let Self { region, account } = self;
        format!("arn:{}:{service}:{region}:{}:{resource}", Partition::of_region(region), account.unwrap_or("*"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_follow_the_region() {
        let arn = |region, account| Place { region, account }.secrets("app/");
        assert_eq!(
            arn("eu-west-1", Some("111111111111")),
            "arn:aws:secretsmanager:eu-west-1:111111111111:secret:app/*"
        );
        assert_eq!(arn("cn-north-1", None), "arn:aws-cn:secretsmanager:cn-north-1:*:secret:app/*");
        assert_eq!(arn("us-gov-west-1", None), "arn:aws-us-gov:secretsmanager:us-gov-west-1:*:secret:app/*");
        let china = Place { region: "cn-north-1", account: None }.via_service();
        assert!(china.contains(&"secretsmanager.cn-north-1.amazonaws.com.cn".to_owned()), "{china:?}");
    }
}
