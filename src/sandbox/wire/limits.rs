//! The limits of Secrets Manager, STS and CloudTrail, each once. An operation that checks one names it from here; those
//! that manifests are held to as well are in `domain`.
//!
//! Sources: the API model (lengths in characters, numbers of members, ranges) and, where a line says so, the service's
//! documentation. A limit of the sandbox's own, such as the size of a request, is not among them.

use std::ops::RangeInclusive;

use keywright_ground::domain::{MAX_STAGING_LABELS, MAX_TAG_KEY, MAX_TAG_VALUE};

type Length = RangeInclusive<usize>;
type Count = RangeInclusive<usize>;
type Number = RangeInclusive<i64>;

// Secrets.
pub(crate) const SECRET_ID: Length = 1..=2048;
pub(crate) const SECRET_NAME: Length = 1..=512;
pub(crate) const DESCRIPTION: Length = 0..=2048;
pub(crate) const KMS_KEY_ID: Length = 0..=2048;
pub(crate) const SECRET_TYPE: Length = 0..=256;
/// Quota, in bytes of the document.
pub(crate) const RESOURCE_POLICY: Length = 1..=20_480;
pub(crate) const POLICY_NAME: Length = 1..=64;
/// Documented, in days.
pub(crate) const RECOVERY_WINDOW: Number = 7..=30;
/// Documented: the recovery window where a request names none, in days.
pub(crate) const DEFAULT_RECOVERY_WINDOW: i64 = 30;

// Tags.
pub(crate) const TAG_KEY: Length = 1..=MAX_TAG_KEY;
pub(crate) const TAG_VALUE: Length = 0..=MAX_TAG_VALUE;

// Versions.
/// Quota, in bytes.
pub(crate) const SECRET_VALUE: Length = 1..=65_536;
pub(crate) const REQUEST_TOKEN: Length = 32..=64;
pub(crate) const VERSION_ID: Length = 32..=64;
pub(crate) const VERSION_STAGE: Length = 1..=256;
pub(crate) const VERSION_STAGES: Count = 1..=20;
/// Quota: how many labels all versions of a secret may carry together.
pub(crate) const STAGING_LABELS: usize = MAX_STAGING_LABELS;
/// Quota: beyond this many versions without a label, the oldest are removed,
pub(crate) const DEPRECATED_VERSIONS: usize = 100;
/// but none that is younger than this many days (documented).
pub(crate) const DEPRECATED_VERSION_DAYS: i64 = 1;

// Replicas.
pub(crate) const REGION: Length = 1..=128;
/// The ARN of a replica in another account, and of its primary.
pub(crate) const SECRET_ARN: Length = 20..=2048;

// Rotation.
pub(crate) const ROTATION_LAMBDA_ARN: Length = 0..=2048;
/// AutomaticallyAfterDays.
pub(crate) const ROTATION_DAYS: Number = 1..=1000;
pub(crate) const ROTATION_DURATION: Length = 2..=3;
pub(crate) const SCHEDULE_EXPRESSION: Length = 1..=256;
pub(crate) const ROTATION_TOKEN: Length = 36..=256;
pub(crate) const EXTERNAL_METADATA_KEY: Length = 1..=256;
pub(crate) const EXTERNAL_METADATA_VALUE: Length = 1..=2048;

// Pages and filters.
pub(crate) const NEXT_TOKEN: Length = 1..=4096;
/// ListSecrets, ListSecretVersionIds and ListResourcePolicies. The largest page is also what they answer where a
/// request names no size.
pub(crate) const LIST_PAGE: Number = 1..=100;
/// BatchGetSecretValue, in the same way.
pub(crate) const BATCH_PAGE: Number = 1..=20;
pub(crate) const BATCH_SECRET_IDS: Count = 1..=20;
pub(crate) const FILTERS: Count = 0..=10;
pub(crate) const FILTER_VALUES: Count = 1..=10;
pub(crate) const FILTER_VALUE: Length = 0..=512;

// CloudTrail's LookupEvents.
/// The largest page is also what it answers where a request names no size.
pub(crate) const EVENT_PAGE: Number = 1..=50;
pub(crate) const EVENT_ATTRIBUTE: Length = 1..=2000;

// Random passwords.
pub(crate) const PASSWORD_LENGTH: Number = 1..=4096;
pub(crate) const DEFAULT_PASSWORD_LENGTH: i64 = 32;
pub(crate) const EXCLUDED_CHARACTERS: Length = 0..=4096;

// STS, and the roles of an external secret's rotation and of a replication between accounts.
pub(crate) const ROLE_ARN: Length = 20..=2048;
pub(crate) const ROLE_SESSION_NAME: Length = 2..=64;
pub(crate) const ROLE_SESSION_SECONDS: Number = 900..=43_200;
pub(crate) const DEFAULT_ROLE_SESSION_SECONDS: i64 = 3600;
