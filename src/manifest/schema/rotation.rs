//! `spec.rotation` and `spec.replicas`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::field::{Field, Nullable};

/// Automatic rotation by a Lambda function: `lambdaArn`, and either `schedule` or `everyDays`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a map")]
#[schemars(extend("required" = ["lambdaArn"]))]
pub struct RotationSpec {
    /// The function that rotates the secret.
    #[schemars(example = serde_json::json!("arn:aws:lambda:eu-west-1:111111111111:function:rotate-pg"))]
    pub lambda_arn: Field<String>,
    /// When to rotate: `rate(N hours)`, `rate(N days)`, or `cron(0 HOUR DAY MONTH WEEKDAY *)` in UTC. At most every 4 hours. Excludes `everyDays`.
    #[schemars(example = serde_json::json!("cron(0 16 1,15 * ? *)"), example = serde_json::json!("rate(30 days)"), length(min = 1, max = 256))]
    pub schedule: Field<String>,
    /// Rotate every so many days: 1 to 1,000. Excludes `schedule`.
    #[schemars(example = 30, range(min = 1, max = 1000))]
    pub every_days: Field<i64>,
    /// The length of the rotation window in hours, 1h to 24h; it ends before the next one begins.
    #[schemars(example = serde_json::json!("2h"), regex(pattern = r"^[0-9]+h$"))]
    pub duration: Field<String>,
    /// Whether the secret is rotated as soon as rotation is set up. RotateSecret's own default is true, and that surprises people; here it is false.
    #[schemars(extend("default" = false))]
    pub rotate_immediately: Field<bool>,
}

/// A replica of the secret in another region.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, expecting = "a map")]
#[schemars(extend("required" = ["region"]))]
pub struct ReplicaSpec {
    /// The region, other than the target's own.
    #[schemars(example = serde_json::json!("us-west-2"), regex(pattern = r"^([a-z]+-)+[0-9]+$"))]
    pub region: Field<String>,
    /// The KMS key in that region. Left out or `null`, it is that region's own key for Secrets Manager.
    #[schemars(example = serde_json::json!("alias/payments"))]
    pub kms_key_id: Nullable<String>,
    /// Replace a secret of the same name that exists in that region (ForceOverwriteReplicaSecret). That destroys it, so applying asks for a flag too.
    #[schemars(extend("default" = false))]
    pub overwrite: Field<bool>,
}
