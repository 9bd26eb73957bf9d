//! The steps of a rotation, on the versions of a secret: what Secrets Manager and a rotation function do together.

use std::sync::PoisonError;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rand::RngCore as _;
use serde_json::Value;
use zeroize::Zeroizing;

use super::{Context, recording, versions};
use crate::faults::{RotationOutcome, RotationStep};
use crate::state::{CURRENT, Found, PENDING, SecretData, VersionRecord, Writer};
use crate::wire::{ServiceError, limits};

/// How many random bytes a new password is made of.
const PASSWORD_BYTES: usize = 24;

/// Whether a version other than the current one carries AWSPENDING: a rotation that is not complete (documented).
pub(super) fn is_unfinished(found: &Found) -> bool {
    let labels = &found.record.labels;
    labels.holder(PENDING).is_some_and(|pending| labels.holder(CURRENT) != Some(pending))
}

/// Refuses a secret without a value, which a rotation function could not begin with. The error is GetSecretValue's;
/// what the real service answers is not known.
pub(super) fn refuse_without_value(found: &Found) -> Result<(), ServiceError> {
    match found.record.labels.holder(CURRENT) {
        Some(_) => Ok(()),
        None => Err(ServiceError::label_not_found(CURRENT)),
    }
}

/// Runs a rotation under a token that names no version yet. The caller writes the record. A refusal comes before
/// anything is written.
pub(super) fn run(
    context: &Context<'_>,
    writer: &Writer<'_>,
    found: &mut Found,
    token: &str,
    outcome: RotationOutcome,
) -> Result<(), ServiceError> {
    let record = &mut found.record;
    if record.labels.holder(PENDING).is_none() && record.labels.len() >= limits::STAGING_LABELS {
        return Err(versions::too_many_labels());
    }
    let version = VersionRecord { created: writer.now(), accessed: None, kms_key_id: record.kms_key_id.clone() };
    writer.save_version(record.serial, token, &version)?;
    record.labels.attach(PENDING, token);
    recording::note_rotation(context, writer, &found.home, "Started", &found.record, None)?;
    steps(context, writer, found, token, outcome)
}

/// Runs the steps of an unfinished rotation again, if it is one that the sandbox began, and nothing is stuck.
pub(super) fn try_again(
    context: &Context<'_>,
    writer: &Writer<'_>,
    found: &mut Found,
    outcome: RotationOutcome,
) -> Result<(), ServiceError> {
    let pending = found.record.labels.holder(PENDING).map(str::to_owned);
    let unfinished = found.record.rotation.as_ref().and_then(|rotation| rotation.unfinished.clone());
    match pending {
        Some(pending) if unfinished.as_ref() == Some(&pending) => steps(context, writer, found, &pending, outcome),
        _ => Ok(()),
    }
}

/// Takes a version that carries AWSPENDING as far as the outcome lets it come.
fn steps(
    context: &Context<'_>,
    writer: &Writer<'_>,
    found: &mut Found,
    token: &str,
    outcome: RotationOutcome,
) -> Result<(), ServiceError> {
    let ends_at = match outcome {
        RotationOutcome::Succeed => None,
        RotationOutcome::FailAt(step) | RotationOutcome::StickAt(step) => Some(step),
        RotationOutcome::NotInvocable => Some(RotationStep::Create),
    };
    if ends_at != Some(RotationStep::Create) {
        give_value(context, writer, found, token)?;
    }
    let record = &mut found.record;
    let done = ends_at.is_none();
    if done {
        record.labels.attach(CURRENT, token);
        record.labels.detach(PENDING);
    }
    if let Some(rotation) = &mut record.rotation {
        rotation.unfinished = (!done).then(|| token.to_owned());
        if done {
            rotation.last = Some(writer.now());
        }
    }
    note_end(context, writer, found, outcome)?;
    versions::prune(writer, found)
}

/// Notes how a rotation ended; one that is stuck has not. The text of a failure is not known: that it names the
/// function and the step is.
fn note_end(
    context: &Context<'_>,
    writer: &Writer<'_>,
    found: &Found,
    outcome: RotationOutcome,
) -> Result<(), ServiceError> {
    let (end, error) = match outcome {
        RotationOutcome::StickAt(_) => return Ok(()),
        RotationOutcome::Succeed => ("Succeeded", None),
        RotationOutcome::FailAt(step) => ("Failed", Some(step)),
        RotationOutcome::NotInvocable => ("Failed", Some(RotationStep::Create)),
    };
    let function = found.record.rotation.as_ref().and_then(|rotation| rotation.lambda_arn.as_deref());
    let error = error.map(|step| {
        let step = match step {
            RotationStep::Create => "createSecret",
            RotationStep::Set => "setSecret",
            RotationStep::Test => "testSecret",
            RotationStep::Finish => "finishSecret",
        };
        format!("The rotation function {} failed at the step {step}.", function.unwrap_or("of the service"))
    });
    recording::note_rotation(context, writer, &found.home, end, &found.record, error.as_deref())
}

/// Gives the pending version its value, unless it has one.
fn give_value(context: &Context<'_>, writer: &Writer<'_>, found: &Found, token: &str) -> Result<(), ServiceError> {
    let record = &found.record;
    if writer.value(&found.home, record.serial, token)?.is_some() {
        return Ok(());
    }
    let current = record.labels.holder(CURRENT).ok_or_else(|| ServiceError::label_not_found(CURRENT))?;
    let Some(current) = writer.value(&found.home, record.serial, current)? else { return Ok(()) };
    let value = renewed(context, &current);
    Ok(writer.save_value(&found.home, record.serial, token, &value)?)
}

/// A new value of the old one's shape: a JSON object keeps all but its `password`, anything else is random.
fn renewed(context: &Context<'_>, value: &SecretData) -> SecretData {
    let mut bytes = Zeroizing::new(vec![0; PASSWORD_BYTES]);
    context.random.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
    let text = match value {
        SecretData::Binary(_) => return SecretData::Binary(bytes),
        SecretData::Text(text) => text,
    };
    let password = STANDARD_NO_PAD.encode(bytes.as_slice());
    let renewed = match serde_json::from_str(text) {
        Ok(Value::Object(mut members)) => {
            members.insert("password".to_owned(), Value::String(password));
            Value::Object(members).to_string()
        }
        _ => password,
    };
    SecretData::Text(Zeroizing::new(renewed))
}
