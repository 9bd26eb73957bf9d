//! `spec.crossAccountReplica` and `spec.crossAccountPrimary`.

use serde::Deserialize;

use super::super::field::Field;

/// The replica of the secret in another account.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a map")]
#[cfg_attr(test, schemars(extend("required" = ["secret"])))]
pub struct CrossAccountReplicaSpec {
    /// The replica, which is a secret of its own: in another account, in the same region and partition.
    pub secret: Field<OtherSecretSpec>,
    /// In whose account the replica may be (AssociateCrossAccountReplica, `ReplicaRestriction`): `sameOrg` is an
    /// account of the same organization; `noRestriction` is any, and an apply wants `--allow-replica-anywhere` for it.
    #[cfg_attr(test, schemars(extend("default" = "sameOrg")))]
    pub restriction: Field<RestrictionChoice>,
    /// The role in the secret's own account under which Secrets Manager copies values (`ReplicationRoleARN`). Left out,
    /// whoever changes the value needs the rights on both KMS keys.
    #[cfg_attr(test, schemars(example = serde_json::json!("arn:aws:iam::111111111111:role/secret-replication")))]
    pub role: Field<String>,
}

/// A secret in another account: of another target of the project by `target` and `name`, or any by its `arn`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a map")]
pub struct OtherSecretSpec {
    /// The target that holds the secret: one name. Left out, `arn` says which secret it is.
    #[cfg_attr(test, schemars(example = serde_json::json!("data-eu")))]
    pub target: Field<String>,
    /// The secret's name there. Left out, `arn` says which secret it is.
    #[cfg_attr(test, schemars(example = serde_json::json!("shared/partner-key")))]
    pub name: Field<String>,
    /// The secret's full ARN, with the six characters that end it. Excludes `target` and `name`.
    /// Left out, these say which secret it is, and its ARN is looked up, or known once a run has made it.
    #[cfg_attr(test, schemars(example =
        serde_json::json!("arn:aws:secretsmanager:eu-west-1:222222222222:secret:shared/partner-key-AbCdEf")))]
    pub arn: Field<String>,
}

/// In whose account a replica may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, schemars(inline))]
pub enum RestrictionChoice {
    /// An account of the same organization.
    SameOrg,
    /// Any account.
    NoRestriction,
}
