//! ListSecretVersionIds.

use serde::{Deserialize, Serialize};

use super::{Context, cut, page_size};
use crate::state::{SecretId, VersionRecord, kms};
use crate::wire::{Constraints, EpochSeconds, Place, Query, Reply, ServiceError, input, limits};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    secret_id: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
    include_deprecated: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output<'a> {
    versions: Vec<Entry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    #[serde(rename = "ARN")]
    arn: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry<'a> {
    version_id: &'a str,
    /// A deprecated version has no such member.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    version_stages: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_accessed_date: Option<EpochSeconds>,
    created_date: EpochSeconds,
    kms_key_ids: [&'a str; 1],
}

/// The versions of a secret that hold a value (documented), the oldest first (their order on the real wire is not
/// known): one that a rotation has only begun is not among them. A secret that is scheduled
/// for deletion is answered too: the operation documents no InvalidRequestException.
pub(super) fn list_secret_version_ids(context: &Context<'_>, body: &[u8]) -> Result<Reply, ServiceError> {
    let input: Input = input(body)?;
    let mut constraints = Constraints::new();
    let id = constraints.secret_id(input.secret_id);
    constraints.number("maxResults", input.max_results, limits::LIST_PAGE);
    constraints.next_token(input.next_token.as_deref());
    constraints.finish()?;
    let id = SecretId::parse(&id)?;
    let deprecated = input.include_deprecated.unwrap_or(false);
    let size = page_size(input.max_results, &limits::LIST_PAGE);
    context.read(|reader| {
        let found = context.find(reader, &id)?;
        let record = &found.record;
        let query = Query::new(&("ListSecretVersionIds", &record.arn, deprecated));
        let after = input.next_token.as_deref().map(|token| query.place(token)).transpose()?;
        let mut versions = reader.versions(record.serial)?;
        let labelled = record.labels.versions();
        let held = reader.versions_with_value(record.serial)?;
        versions.retain(|(version_id, version)| {
            let wanted = deprecated || labelled.contains(version_id.as_str());
            let behind = after.as_ref().is_none_or(|after| (version.created, version_id) > (after.date, &after.name));
            wanted && behind && held.contains(version_id)
        });
        let next_token = cut(&mut versions, size).map(|(version_id, version)| {
            query.token(&Place { date: version.created, serial: 0, name: version_id.clone() })
        });
        let versions = versions.iter().map(|(version_id, version)| Entry {
            version_id,
            version_stages: record.labels.of(version_id),
            last_accessed_date: version.accessed.map(EpochSeconds),
            created_date: EpochSeconds(version.created),
            kms_key_ids: [shown_key(version)],
        });
        Reply::json(&Output { versions: versions.collect(), next_token, arn: &record.arn, name: &record.name })
    })
}

/// The key of a version: the service shows the key's ARN, or this word for the default key. An alias cannot be
/// resolved here and is shown as it was given.
fn shown_key(version: &VersionRecord) -> &str {
    version.kms_key_id.as_deref().filter(|key| !kms::is_default(key)).unwrap_or("DefaultEncryptionKey")
}
