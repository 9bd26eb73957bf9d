//! Values on their way to the service: rendered when they are needed, and put.
//!
//! Plaintext is in here only as [`SecretValue`], which wipes itself and cannot be printed.

use super::event::ApplyError;
use super::writer::{PutVersion, WriteSecrets};
use crate::domain::{Arn, SecretName, StagingLabel, VersionId};
use crate::live::ServiceErrorKind;
use crate::plan::{CarriedVersion, PlannedValue, Token};
use crate::value::{Arns, Identity, MadeOnce, SecretValue, Values};

/// Renders a planned value, with the version id that it gets.
pub(super) async fn render(
    values: &impl Values,
    name: &SecretName,
    planned: &PlannedValue,
    kept: Option<&SecretValue>,
    arns: &Arns<'_>,
) -> Result<(SecretValue, Option<VersionId>), ApplyError> {
    let id = match &planned.token {
        Token::Id(id) => Some(id.clone()),
        Token::Random => None,
        // The ARNs that the text holds are known by now: what they depend on comes first.
        Token::KnownAfterApply => {
            match values.identity(name, &planned.source, arns).map_err(|error| ApplyError::value(&error))? {
                Identity::Known(id) | Identity::MadeOnce(MadeOnce { id, .. }) => Some(id),
                Identity::KnownAfterApply(_) | Identity::ByComparison(_) => None,
            }
        }
    };
    let value = values.render(&planned.source, kept, arns).await.map_err(|error| ApplyError::value(&error))?;
    Ok((value, id))
}

/// Puts a planned value; returns the version that holds it, which is a live one when that has the same value.
pub(super) async fn put(
    writer: &impl WriteSecrets,
    arn: &Arn,
    planned: &PlannedValue,
    value: &SecretValue,
    id: Option<&VersionId>,
) -> Result<PutVersion, ApplyError> {
    if let Some(live) = &planned.compare_with {
        match writer.put_value(arn, value, Some(live), &[]).await {
            // The same data under the live id: nothing was changed, and no version is minted.
            Ok(put) => return Ok(put),
            // Other data: it is a new value indeed.
            Err(error) if error.kind == ServiceErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.into()),
        }
    }
    match (writer.put_value(arn, value, id, &planned.labels).await, id) {
        (Ok(put), _) => Ok(put),
        (Err(error), Some(id)) if error.kind == ServiceErrorKind::AlreadyExists => {
            Err(ApplyError::PlantedValue { version: id.clone() })
        }
        (Err(error), _) => Err(error.into()),
    }
}

/// Puts what the old secret's version holds, under its new name. A put of what is there already changes nothing, and
/// one of other data is refused, so that this compares the two as well.
pub(super) async fn carry(
    writer: &impl WriteSecrets,
    arn: &Arn,
    carried: &CarriedVersion,
) -> Result<PutVersion, ApplyError> {
    let CarriedVersion { from, version, to, current, labels } = carried;
    let gone = || ApplyError::OldVersionGone { from: from.clone(), version: version.clone() };
    let value = writer.value(from, version).await?.ok_or_else(gone)?;
    let mut labels: Vec<StagingLabel> = labels.iter().cloned().collect();
    if *current && !labels.is_empty() {
        labels.push(StagingLabel::current());
    }
    writer.put_value(arn, &value, Some(to), &labels).await.map_err(|error| match error.kind {
        ServiceErrorKind::AlreadyExists => ApplyError::OtherValueThere { version: to.clone() },
        _ => error.into(),
    })
}
