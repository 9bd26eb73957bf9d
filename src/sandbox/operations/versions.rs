//! Putting a version into a secret: the part that CreateSecret, UpdateSecret and PutSecretValue share.

use crate::clock::Moment;
use crate::state::{Found, SecretData, VersionRecord, Writer};
use crate::wire::{ErrorCode, ServiceError, limits};

/// What became of a put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placed {
    /// A version was made.
    New,
    /// The token names a version with the same value: a repeated request, which changes nothing, not even labels.
    Repeated,
}

/// Puts a value under a request token, which becomes the version's id, and labels it.
///
/// The secret's record is changed in memory; the caller writes it.
pub(super) fn place(
    writer: &Writer<'_>,
    found: &mut Found,
    token: &str,
    value: &SecretData,
    labels: &[&str],
) -> Result<Placed, ServiceError> {
    let record = &mut found.record;
    if let Some(existing) = writer.value(&found.home, record.serial, token)? {
        return if existing == *value {
            Ok(Placed::Repeated)
        } else {
            Err(ServiceError::token_in_use(token, &record.arn))
        };
    }
    let version = VersionRecord { created: writer.now(), accessed: None, kms_key_id: record.kms_key_id.clone() };
    writer.save_version(record.serial, token, &version)?;
    writer.save_value(&found.home, record.serial, token, value)?;
    record.labels.place(token, labels);
    within_label_limit(found)?;
    prune(writer, found)?;
    Ok(Placed::New)
}

pub(super) fn within_label_limit(found: &Found) -> Result<(), ServiceError> {
    if found.record.labels.len() > limits::STAGING_LABELS { Err(too_many_labels()) } else { Ok(()) }
}

/// The limit is documented; its text is not known.
pub(super) fn too_many_labels() -> ServiceError {
    ServiceError::new(
        ErrorCode::LimitExceeded,
        format!("You can't attach more than {} staging labels to the versions of a secret.", limits::STAGING_LABELS),
    )
}

/// Removes the oldest versions without labels, when there are too many.
pub(super) fn prune(writer: &Writer<'_>, found: &Found) -> Result<(), ServiceError> {
    let record = &found.record;
    let labelled = record.labels.versions();
    let versions = writer.versions(record.serial)?;
    let deprecated: Vec<&(String, VersionRecord)> =
        versions.iter().filter(|(id, _)| !labelled.contains(id.as_str())).collect();
    let excess = deprecated.len().saturating_sub(limits::DEPRECATED_VERSIONS);
    let old = |version: &VersionRecord| -> bool {
        let Moment(kept_until) = version.created.plus_days(limits::DEPRECATED_VERSION_DAYS);
        kept_until <= writer.now().0
    };
    for (version_id, _) in deprecated.into_iter().take(excess).filter(|(_, version)| old(version)) {
        writer.remove_version(record.serial, version_id)?;
    }
    Ok(())
}
