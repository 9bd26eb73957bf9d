//! `spec.rotation` and `spec.replicas`.

use serde::Deserialize;

use super::super::field::{Field, Map, Nullable};

/// Automatic rotation: who rotates (`lambdaArn` or `externalRotation`), and when (`schedule` or `everyDays`).
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a map")]
pub struct RotationSpec {
    /// The function that rotates the secret. Excludes `externalRotation`.
    #[cfg_attr(test, schemars(example = serde_json::json!("arn:aws:lambda:eu-west-1:111111111111:function:rotate-pg")))]
    pub lambda_arn: Field<String>,
    /// Rotation by the partner that the secret's `type` names (managed external secrets). Excludes `lambdaArn`.
    pub external_rotation: Field<ExternalRotationSpec>,
    /// When to rotate: `rate(N hours)`, `rate(N days)`, or `cron(0 HOUR DAY MONTH WEEKDAY *)` in UTC, at most every 4
    /// hours. Of cron, Secrets Manager lists one hour or increments (`8`, `0/8`); days as `1,15`, `1-15`, `*`, `1/2`,
    /// `L` (the last) and `SUNL` (the last Sunday); months as `JAN,APR`, `1-3`, `*`, `1/3`; weekdays as `MON-FRI`,
    /// `1,4`, `*`, `1/2`, `TUE#3` (the third Tuesday) and `L` (Saturday). One of day and weekday is `?`. Excludes
    /// `everyDays`.
    #[cfg_attr(test, schemars(example = serde_json::json!("cron(0 16 1,15 * ? \
        *)"), example = serde_json::json!("rate(30 days)"), length(min = 1, max = 256)))]
    pub schedule: Field<String>,
    /// Rotate every so many days: 1 to 1,000. Excludes `schedule`.
    #[cfg_attr(test, schemars(example = 30, range(min = 1, max = 1000)))]
    pub every_days: Field<i64>,
    /// The length of the rotation window in hours, 1h to 24h. It ends before the next one begins, and with the UTC day.
    /// Left out, it is not compared, and Secrets Manager takes 1h for a schedule in hours, and else the rest of the UTC
    /// day.
    #[cfg_attr(test, schemars(example = serde_json::json!("2h"), regex(pattern = r"^[0-9]+h$")))]
    pub duration: Field<String>,
    /// Whether the secret is rotated as soon as rotation is set up. RotateSecret's own default is true, and that
    /// surprises people; here it is false.
    #[cfg_attr(test, schemars(extend("default" = false)))]
    pub rotate_immediately: Field<bool>,
}

/// What the partner of a managed external secret needs to rotate it.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a map")]
#[cfg_attr(test, schemars(extend("required" = ["roleArn"])))]
pub struct ExternalRotationSpec {
    /// The role that Secrets Manager assumes to rotate (RotateSecret, `ExternalSecretRotationRoleArn`).
    #[cfg_attr(test, schemars(example = serde_json::json!("arn:aws:iam::111111111111:role/rotate-salesforce")))]
    pub role_arn: Field<String>,
    /// What the partner asks for, for example the id of an administrator's secret: key to value, 1 to 256 and 1 to
    /// 2,048 characters (RotateSecret, `ExternalSecretRotationMetadata`). Nothing secret belongs here.
    #[cfg_attr(test, schemars(example = serde_json::json!({
        "adminSecretArn": "arn:aws:secretsmanager:eu-west-1:111111111111:secret:admin-AbCdEf",
    })))]
    pub metadata: Field<Map<String>>,
}

/// A replica of the secret in another region.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a map")]
#[cfg_attr(test, schemars(extend("required" = ["region"])))]
pub struct ReplicaSpec {
    /// The region, other than the target's own.
    #[cfg_attr(test, schemars(example = serde_json::json!("us-west-2"), regex(pattern = r"^([a-z]+-)+[0-9]+$")))]
    pub region: Field<String>,
    /// The KMS key in that region. Left out or `null`, it is that region's own key for Secrets Manager.
    #[cfg_attr(test, schemars(example = serde_json::json!("alias/payments")))]
    pub kms_key_id: Nullable<String>,
    /// Replace a secret of the same name that exists in that region (ForceOverwriteReplicaSecret). That destroys it, so
    /// applying asks for a flag too.
    #[cfg_attr(test, schemars(extend("default" = false)))]
    pub overwrite: Field<bool>,
}
