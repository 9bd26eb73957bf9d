//! Calls whose answer was lost. They are sent again (`aws/retry.rs`), and the service refuses what it has done already
//! where it keeps no request token to tell a repeated request by. Whether what was asked for is there is found by
//! looking.

use super::writer::{Created, NewSecret, Receipt};
use crate::desired::Deletion;
use crate::domain::SecretName;
use crate::live::{LiveSecret, ReadSecrets, ServiceError, ServiceErrorKind};

/// CreateSecret without a value keeps no request token. The secret did not exist when it was planned, so when it
/// carries our owner tag and everything else that was sent, and no version, it is the one that was asked for.
pub(super) async fn lost_create(
    reader: &impl ReadSecrets,
    name: &SecretName,
    new: &NewSecret,
    error: &ServiceError,
) -> Option<Created> {
    // With a value the request token is the version id, and the service itself tells a repeated create.
    if error.kind != ServiceErrorKind::AlreadyExists || new.value.is_some() {
        return None;
    }
    let found = reader.describe(name).await.ok().flatten()?;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let same = found.tags == new.tags
        && text(&found.description) == text(&new.description)
        && found.kms_key_id == new.kms_key_id
        && found.secret_type == new.secret_type
        && found.replicas.keys().eq(new.replicas.keys())
        && found.cross_account.primary_arn() == new.cross_account_primary.as_ref()
        && found.versions.is_empty()
        && !found.is_scheduled_for_deletion();
    let receipt = Receipt { request_id: error.request_id.clone() };
    same.then_some(Created { arn: found.arn, version_id: None, receipt })
}

/// UpdateSecretVersionStage, DisassociateCrossAccountReplica and StopReplicationToReplica: the label, or the link, is
/// no longer where it was.
pub(super) async fn lost_change(
    reader: &impl ReadSecrets,
    name: &SecretName,
    error: &ServiceError,
    came_true: impl Fn(&LiveSecret) -> bool,
) -> Option<Receipt> {
    recovered(reader, name, error, |live| live.is_some_and(&came_true)).await
}

/// DeleteSecret: the secret is on its way out. That says nothing where it was to go at once, since it may have been on
/// its way before.
pub(super) async fn lost_delete(
    reader: &impl ReadSecrets,
    name: &SecretName,
    deletion: Deletion,
    error: &ServiceError,
) -> Option<Receipt> {
    let scheduled = |live: &LiveSecret| deletion != Deletion::Force && live.is_scheduled_for_deletion();
    recovered(reader, name, error, |live| live.is_none_or(scheduled)).await
}

async fn recovered(
    reader: &impl ReadSecrets,
    name: &SecretName,
    error: &ServiceError,
    came_true: impl Fn(Option<&LiveSecret>) -> bool,
) -> Option<Receipt> {
    let refused =
        matches!(error.kind, ServiceErrorKind::Rejected | ServiceErrorKind::InvalidState | ServiceErrorKind::NotFound);
    if !refused {
        return None;
    }
    let live = reader.describe(name).await.ok()?;
    came_true(live.as_ref()).then(|| Receipt { request_id: error.request_id.clone() })
}
