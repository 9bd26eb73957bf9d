//! UpdateSecretVersionStage.

use serde::Deserialize;

use super::{Context, SecretOutput, versions};
use crate::state::{CURRENT, Found, SecretId};
use crate::wire::{Constraints, Reply, ServiceError, input, limits};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    secret_id: Option<String>,
    version_stage: Option<String>,
    remove_from_version_id: Option<String>,
    move_to_version_id: Option<String>,
}

/// Moves a label to a version, or takes it off one.
///
/// A label that sits on another version moves only if RemoveFromVersionId names that version (documented for every
/// label; the text is known for AWSCURRENT). A version that loses its last label is deprecated.
pub(super) fn update_secret_version_stage(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let input: Input = input(body)?;
    let mut constraints = Constraints::new();
    let id = constraints.secret_id(input.secret_id);
    let label = constraints.required_text("versionStage", input.version_stage, limits::VERSION_STAGE);
    constraints.text("removeFromVersionId", input.remove_from_version_id.as_deref(), limits::VERSION_ID);
    constraints.text("moveToVersionId", input.move_to_version_id.as_deref(), limits::VERSION_ID);
    constraints.finish()?;
    let id = SecretId::parse(&id)?;
    let (from, to) = (input.remove_from_version_id.as_deref(), input.move_to_version_id.as_deref());
    context.write(|writer| {
        let mut found = context.find_origin(writer, &id)?;
        for version_id in [from, to].into_iter().flatten() {
            // The error for a version that does not exist is documented, its text is GetSecretValue's.
            if writer.version(found.record.serial, version_id)?.is_none() {
                return Err(ServiceError::version_not_found(version_id));
            }
        }
        check_move(&found, &label, from, to)?;
        match to {
            Some(to) => found.record.labels.attach(&label, to),
            None => found.record.labels.detach(&label),
        }
        versions::within_label_limit(&found)?;
        versions::prune(writer, &found)?;
        found.save_changed(writer)?;
        Reply::json(&SecretOutput::secret(&found))
    })
}

fn check_move(found: &Found, label: &str, from: Option<&str>, to: Option<&str>) -> Result<(), ServiceError> {
    let holder = found.record.labels.holder(label);
    match (from, to) {
        (_, None) if label == CURRENT => Err(ServiceError::invalid_parameter(
            "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.",
        )),
        // This text is not known from the real service.
        (None, None) => {
            Err(ServiceError::invalid_parameter("You must provide a value for MoveToVersionId or RemoveFromVersionId."))
        }
        (None, Some(to)) => match holder {
            Some(holder) if holder != to => Err(ServiceError::invalid_parameter(format!(
                "The parameter RemoveFromVersionId can't be empty. Staging label {label} is currently attached to \
                 version {holder}, so you must explicitly reference that version in RemoveFromVersionId."
            ))),
            _ => Ok(()),
        },
        // That a wrong version fails is documented; these texts are not known.
        (Some(from), _) => match holder {
            Some(holder) if holder == from => Ok(()),
            Some(holder) => Err(ServiceError::invalid_parameter(format!(
                "Staging label {label} is currently attached to version {holder}, \
                 so you must explicitly reference that version in RemoveFromVersionId."
            ))),
            None => {
                Err(ServiceError::invalid_parameter(format!("Staging label {label} isn't attached to version {from}.")))
            }
        },
    }
}
