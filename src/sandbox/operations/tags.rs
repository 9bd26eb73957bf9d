//! TagResource and UntagResource, and the checks of tags that CreateSecret shares.

use serde::Deserialize;

use super::Context;
use crate::state::{Found, SecretId, Tag};
use crate::wire::{Constraints, Reply, ServiceError, input, limits};
use keywright_ground::domain::{MAX_TAGS, is_system_tag};

/// A tag of a request; the model requires neither member.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TagInput {
    key: Option<String>,
    value: Option<String>,
}

/// Checks what the model says of tags.
pub(super) fn check(constraints: &mut Constraints, tags: &[TagInput]) {
    for (index, tag) in tags.iter().enumerate() {
        let member = |part: &str| format!("tags.{}.member.{part}", index + 1);
        constraints.text(&member("key"), tag.key.as_deref(), limits::TAG_KEY);
        constraints.text(&member("value"), tag.value.as_deref(), limits::TAG_VALUE);
    }
}

/// The tags of a new secret.
pub(super) fn initial(tags: Vec<TagInput>) -> Result<Vec<Tag>, ServiceError> {
    let tags = accepted(tags)?;
    within_limit(&tags)?;
    Ok(tags)
}

/// Refuses system tags and keys given twice. The texts for a key given twice or not at all are not known from the
/// real service.
fn accepted(tags: Vec<TagInput>) -> Result<Vec<Tag>, ServiceError> {
    let mut accepted: Vec<Tag> = Vec::with_capacity(tags.len());
    for tag in tags {
        let key = tag.key.ok_or_else(|| ServiceError::invalid_parameter("You must provide a key for every tag."))?;
        refuse_system_tag(&key)?;
        if accepted.iter().any(|other| other.key == key) {
            let text = format!("You can't specify the same tag key more than once. Tag key: '{key}'.");
            return Err(ServiceError::invalid_parameter(text));
        }
        accepted.push(Tag { key, value: tag.value.unwrap_or_default() });
    }
    Ok(accepted)
}

fn refuse_system_tag(key: &str) -> Result<(), ServiceError> {
    if is_system_tag(key) { Err(ServiceError::system_tag(key)) } else { Ok(()) }
}

/// The limit is documented, and that AWS's own tags do not count; its text is not known.
fn within_limit(tags: &[Tag]) -> Result<(), ServiceError> {
    if tags.iter().filter(|tag| !is_system_tag(&tag.key)).count() > MAX_TAGS {
        let text = format!("You can't attach more than {MAX_TAGS} tags to a secret.");
        return Err(ServiceError::invalid_parameter(text));
    }
    Ok(())
}

/// Of what a service manages, the tags of secrets of RDS are known to be writable (the acceptance test of Terraform's
/// aws_secretsmanager_tag); the documentation lists InvalidRequestException for a secret that another service manages.
fn refuse_unless_taggable(found: &Found) -> Result<(), ServiceError> {
    if found.record.owning_service.as_deref() == Some("rds") { Ok(()) } else { found.refuse_managed() }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagResourceInput {
    secret_id: Option<String>,
    tags: Option<Vec<TagInput>>,
}

/// A key that is there keeps its place and gets the new value; a new one goes to the end.
pub(super) fn tag_resource(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let input: TagResourceInput = input(body)?;
    let mut constraints = Constraints::new();
    let id = constraints.secret_id(input.secret_id);
    let tags = constraints.required("tags", input.tags);
    check(&mut constraints, &tags);
    constraints.finish()?;
    let id = SecretId::parse(&id)?;
    let tags = accepted(tags)?;
    context.write(|writer| {
        let mut found = context.find_primary(writer, &id)?;
        refuse_unless_taggable(&found)?;
        if !tags.is_empty() {
            let present = found.record.tags.get_or_insert_default();
            for tag in tags {
                match present.iter_mut().find(|other| other.key == tag.key) {
                    Some(other) => other.value = tag.value,
                    None => present.push(tag),
                }
            }
            within_limit(present)?;
        }
        found.save_changed(writer)?;
        Ok(Reply::Empty)
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UntagResourceInput {
    secret_id: Option<String>,
    tag_keys: Option<Vec<String>>,
}

/// Keys that are not there are passed over. A secret that loses its last tag keeps an empty list.
pub(super) fn untag_resource(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let input: UntagResourceInput = input(body)?;
    let mut constraints = Constraints::new();
    let id = constraints.secret_id(input.secret_id);
    let keys = constraints.required("tagKeys", input.tag_keys);
    for (index, key) in keys.iter().enumerate() {
        constraints.text(&format!("tagKeys.{}.member", index + 1), Some(key), limits::TAG_KEY);
    }
    constraints.finish()?;
    let id = SecretId::parse(&id)?;
    keys.iter().try_for_each(|key| refuse_system_tag(key))?;
    context.write(|writer| {
        let mut found = context.find_primary(writer, &id)?;
        refuse_unless_taggable(&found)?;
        if let Some(tags) = &mut found.record.tags {
            tags.retain(|tag| !keys.contains(&tag.key));
        }
        found.save_changed(writer)?;
        Ok(Reply::Empty)
    })
}
