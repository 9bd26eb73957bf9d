//! The ground floor: what AWS and keywright call things, parsed once at the edge and carried as types from there on.
//!
//! A type over text has a strict constructor (`parse`) for what people write, and a permissive one (`of_service`) for
//! what the service says: live text in an unexpected form is kept and shown as it is, and never fails.
//!
//! Every other room may import this one, the sandbox included, and it imports none of them. What may not enter: I/O,
//! the SDK, YAML, and sentences for people beyond what is wrong with a text that somebody wrote.

mod arn;
mod format;
mod kms;
mod name;
pub mod password;
mod place;
pub mod schedule;
mod tag;
mod template;
mod text;
mod version;

pub use arn::{Arn, ArnParts};
pub use format::{OtherFormat, check_format};
pub use kms::KmsKey;
pub use kms::is_alias_name;
pub use name::{SecretName, is_plain_pattern};
pub use place::{AccountId, Partition, Region};
pub use schedule::{Frequency, RotationDuration, Schedule, ScheduleFault, Window, WindowLength};
pub use tag::{MAX_TAG_KEY, MAX_TAG_VALUE, MAX_TAGS, is_system_tag, is_tag_character};
pub use tag::{TagKey, TagKeyFault};
pub use template::{Part, Template};
pub use version::{MAX_STAGING_LABELS, StagingLabel, VersionId, VersionOrigin};
