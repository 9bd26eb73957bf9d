//! UpdateSecret.

use serde::Deserialize;

use super::versions::{self, Placed};
use super::{Context, SecretOutput, cross_account, rotation};
use crate::home::Home;
use crate::state::{CURRENT, Found, PENDING, PREVIOUS, SecretId, Writer, kms, replica};
use crate::wire::{Constraints, Reply, SensitiveBytes, SensitiveText, ServiceError, input, limits};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    secret_id: Option<String>,
    client_request_token: Option<String>,
    description: Option<String>,
    kms_key_id: Option<String>,
    secret_binary: Option<SensitiveBytes>,
    secret_string: Option<SensitiveText>,
    r#type: Option<String>,
}

/// Every update moves LastChangedDate, one that names nothing too. The same value again makes a new version; the same
/// token again makes none.
pub(super) fn update_secret(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let input: Input = input(body)?;
    let mut constraints = Constraints::new();
    let id = constraints.secret_id(input.secret_id);
    constraints.request_token(input.client_request_token.as_deref());
    constraints.text("description", input.description.as_deref(), limits::DESCRIPTION);
    constraints.text("kmsKeyId", input.kms_key_id.as_deref(), limits::KMS_KEY_ID);
    super::check_value_lengths(&mut constraints, input.secret_binary.as_ref(), input.secret_string.as_ref());
    constraints.text("type", input.r#type.as_deref(), limits::SECRET_TYPE);
    constraints.finish()?;
    let id = SecretId::parse(&id)?;
    let token = super::required_token(input.client_request_token)?;
    let value = super::one_value(input.secret_binary, input.secret_string)?;
    input.kms_key_id.as_deref().filter(|key| !key.is_empty()).map_or(Ok(()), kms::check)?;
    context.write(|writer| {
        let mut found = context.find_live(writer, &id)?;
        found.refuse_managed()?;
        let only_key = value.is_none() && input.description.is_none() && input.r#type.is_none();
        if found.record.replica_of.is_some() {
            return change_key_of_replica(writer, found, input.kms_key_id.filter(|_| only_key));
        }
        if found.record.cross_account_primary.is_some() {
            // Its key is its own; a description and a type are refused at its creation too.
            match input.kms_key_id.as_deref().filter(|_| only_key) {
                Some(key) => cross_account::refuse_default_key(Some(key).filter(|key| !key.is_empty()))?,
                None => found.refuse_cross_account_replica()?,
            }
        }
        if let Some(description) = input.description {
            found.record.description = Some(description).filter(|text| !text.is_empty());
        }
        if let Some(key) = input.kms_key_id {
            // The empty text means the default key, which is not shown unless it was named (documented).
            found.record.kms_key_id = Some(key).filter(|key| !key.is_empty());
            encrypt_again(writer, &found)?;
        }
        if let Some(kind) = input.r#type {
            found.record.kind = Some(kind).filter(|kind| !kind.is_empty());
        }
        if let Some(value) = &value
            && versions::place(writer, &mut found, &token, value, &[CURRENT])? == Placed::New
        {
            rotation::note_new_value(&mut found, writer.now());
        }
        found.save_changed(writer)?;
        Reply::json(&SecretOutput::version(&found, value.is_some().then_some(token.as_str())))
    })
}

/// The key is the one thing of a replica that can be changed by itself (documented); its primary shows it too.
fn change_key_of_replica(writer: &Writer<'_>, mut found: Found, key: Option<String>) -> Result<Reply, ServiceError> {
    let (Some(key), Some(primary)) = (key, &found.record.replica_of) else {
        return Err(ServiceError::not_on_a_replica());
    };
    let key = Some(key).filter(|key| !key.is_empty());
    let primary = Home::new(&found.home.account, primary);
    if let Some(mut record) = writer.secret(&primary, &found.record.name)? {
        let replica = record.replicas.iter_mut().find(|replica| replica.region == found.home.region);
        if let Some(replica) = replica {
            replica.kms_key_id.clone_from(&key);
            found.record.kms_key_id = Some(replica::shown_key(replica).to_owned());
        }
        // Rewrites the replicas, this one among them.
        Found { home: primary, record }.save_changed(writer)?;
    }
    found.save_changed(writer)?;
    Reply::json(&SecretOutput::secret(&found))
}

/// A new key encrypts the versions with the service's own labels again (documented); the others keep theirs.
fn encrypt_again(writer: &Writer<'_>, found: &Found) -> Result<(), ServiceError> {
    let record = &found.record;
    for version_id in [CURRENT, PENDING, PREVIOUS].iter().filter_map(|label| record.labels.holder(label)) {
        if let Some(mut version) = writer.version(record.serial, version_id)? {
            version.kms_key_id.clone_from(&record.kms_key_id);
            writer.save_version(record.serial, version_id, &version)?;
        }
    }
    Ok(())
}
