//! GetSecretValue.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize, Serializer};
use zeroize::Zeroizing;

use super::Context;
use crate::clock::Moment;
use crate::state::{CURRENT, Found, SecretData, SecretId, Transaction, VersionRecord, View};
use crate::wire::{Constraints, EpochSeconds, Reply, ServiceError, input, limits};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    secret_id: Option<String>,
    version_id: Option<String>,
    version_stage: Option<String>,
}

/// A value as it goes out. It can be serialised, since it is what carries values to a client, and it cannot be printed.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ValueMembers<'a> {
    #[serde(rename = "ARN")]
    arn: &'a str,
    name: &'a str,
    version_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_binary: Option<Encoded>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_string: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    version_stages: Vec<&'a str>,
    created_date: EpochSeconds,
}

pub(super) fn get_secret_value(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let input: Input = input(body)?;
    let mut constraints = Constraints::new();
    let id = constraints.secret_id(input.secret_id);
    constraints.text("versionId", input.version_id.as_deref(), limits::VERSION_ID);
    constraints.text("versionStage", input.version_stage.as_deref(), limits::VERSION_STAGE);
    constraints.finish()?;
    let id = SecretId::parse(&id)?;
    let read = context.read(|reader| {
        let found = context.find_live(reader, &id)?;
        found.refuse_foreign_account(context.caller)?;
        ReadValue::of(reader, found, input.version_id.as_deref(), input.version_stage.as_deref())
    })?;
    note_accesses(context, std::slice::from_ref(&read))?;
    Reply::sensitive(&read.members())
}

/// Base64, wiped when it goes.
struct Encoded(Zeroizing<String>);

impl Serialize for Encoded {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// One version of a secret with its value.
pub(super) struct ReadValue {
    found: Found,
    version_id: String,
    version: VersionRecord,
    value: SecretData,
}

impl ReadValue {
    /// Chooses the version that the arguments name; without any it is the current one.
    pub(super) fn of<T: Transaction>(
        view: &View<'_, T>,
        found: Found,
        version_id: Option<&str>,
        label: Option<&str>,
    ) -> Result<Self, ServiceError> {
        let record = &found.record;
        let (version_id, named_label) = if let Some(version_id) = version_id {
            (version_id.to_owned(), None)
        } else {
            let label = label.unwrap_or(CURRENT);
            let holder = record.labels.holder(label).ok_or_else(|| ServiceError::label_not_found(label))?;
            (holder.to_owned(), Some(label))
        };
        let Some(version) = view.version(record.serial, &version_id)? else {
            return Err(ServiceError::version_not_found(&version_id));
        };
        if label.is_some_and(|label| record.labels.holder(label) != Some(version_id.as_str())) {
            return Err(ServiceError::invalid_request(
                "You provided a VersionStage that is not associated to the provided VersionId.",
            ));
        }
        // A rotation that has only begun, or failed in its first step, leaves a version without a value.
        let value = view.value(&found.home, record.serial, &version_id)?.ok_or_else(|| match named_label {
            Some(label) => ServiceError::label_not_found(label),
            None => ServiceError::version_not_found(&version_id),
        })?;
        Ok(Self { found, version_id, version, value })
    }

    /// What the answer says.
    pub(super) fn members(&self) -> ValueMembers<'_> {
        let (secret_string, secret_binary) = match &self.value {
            SecretData::Text(text) => (Some(text.as_str()), None),
            SecretData::Binary(bytes) => (None, Some(Encoded(Zeroizing::new(STANDARD.encode(bytes.as_slice()))))),
        };
        let record = &self.found.record;
        ValueMembers {
            arn: &record.arn,
            name: &record.name,
            version_id: &self.version_id,
            secret_binary,
            secret_string,
            version_stages: record.labels.of(&self.version_id),
            created_date: EpochSeconds(self.version.created),
        }
    }

    fn accessed_on(&self, day: Moment) -> bool {
        self.found.record.accessed == Some(day) && self.version.accessed == Some(day)
    }
}

/// Notes the day of an access on each secret and version, where it is not noted yet. It does not move LastChangedDate.
///
/// The values were read in another transaction: whatever has gone since then is passed over.
pub(super) fn note_accesses(context: &Context<'_>, values: &[ReadValue]) -> Result<(), ServiceError> {
    let today = context.now.midnight();
    let stale: Vec<&ReadValue> = values.iter().filter(|value| !value.accessed_on(today)).collect();
    if stale.is_empty() {
        return Ok(());
    }
    context.write(|writer| {
        for ReadValue { found: Found { home, record }, version_id, .. } in stale {
            let Some(mut record) = writer.secret(home, &record.name)? else { continue };
            if let Some(mut version) = writer.version(record.serial, version_id)? {
                version.accessed = Some(today);
                writer.save_version(record.serial, version_id, &version)?;
            }
            record.accessed = Some(today);
            writer.save(home, &record)?;
        }
        Ok(())
    })
}
