//! The versions of one secret: which ones there are, which hold git's value, and which a rollback goes back to.

use std::collections::BTreeMap;

use super::error::{Error, Hint, SecretProblem};
use super::failures::group_values;
use super::one_secret::OneSecret;
use super::values::{NoPasswords, RunValues, ValueRules, ValueSources};
use crate::domain::VersionId;
use crate::live::{LiveSecret, ReadSecrets, VersionEntry};
use crate::sort_few::SortFew as _;
use crate::value::{ValueError, Values};

/// Every version, deprecated ones too, the newest first.
pub async fn versions_of(found: &OneSecret) -> Result<Vec<VersionEntry>, Error> {
    let read = found.connection.reader().versions(&found.secret.name).await;
    let mut entries = read.map_err(|error| found.call_failed(error))?.unwrap_or_default();
    entries.sort_few_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
    Ok(entries)
}

/// Which versions hold the value that is committed in git, by their ids. A version without a value is left out.
pub async fn compare_versions(
    found: &OneSecret,
    entries: &[VersionEntry],
    rules: &ValueRules,
) -> Result<BTreeMap<VersionId, bool>, Error> {
    let name = &found.secret.name;
    let Some(value) = found.desired.secrets.get(name).and_then(|desired_secret| desired_secret.value.as_ref()) else {
        return Err(found.refuse(SecretProblem::NoDeclaredValue));
    };
    let sources = ValueSources::open(rules, &found.aws, &found.root);
    let decryptor = sources.decryptor();
    let values = RunValues { sources: &sources, decryptor: &decryptor, passwords: NoPasswords };
    let failed = |error| {
        let wrong = group_values(vec![(name.clone(), error)]).pop();
        wrong.unwrap_or_else(|| found.refuse(SecretProblem::NoDeclaredValue))
    };
    // Generated parts are whatever each version has in their place.
    let declared = if value.source.is_made_once() {
        None
    } else {
        Some(values.render(&value.source, None, &|_| None).await.map_err(failed)?)
    };
    let mut compared = BTreeMap::new();
    for entry in entries {
        let live = found.connection.reader().value(name, &entry.id).await.map_err(|error| found.call_failed(error))?;
        // A version that a rotation began has no value until its first step is done.
        if let Some(live) = live {
            let equal = match &declared {
                Some(declared) => live == *declared,
                // All of it was in git once, where a generated part is to be.
                None if entry.id.is_ours() && !entry.id.is_generated() => false,
                None => match values.render(&value.source, Some(&live), &|_| None).await {
                    Ok(declared) => live == declared,
                    Err(ValueError::NothingToKeep | ValueError::Generate { .. }) => false,
                    Err(error) => return Err(failed(error)),
                },
            };
            compared.insert(entry.id.clone(), equal);
        }
    }
    Ok(compared)
}

/// The current version, and the one that is asked for by its id or label; or why there is no going back to it.
pub(super) async fn rollback_versions(found: &OneSecret, to: &str) -> Result<(VersionId, VersionId), Error> {
    let entries = versions_of(found).await?;
    choose(&found.secret, &entries, to).map_err(|problem| found.refuse(problem).hint(Hint::VersionsShows))
}

fn choose(secret: &LiveSecret, entries: &[VersionEntry], to: &str) -> Result<(VersionId, VersionId), SecretProblem> {
    let Some(current) = secret.current_version() else { return Err(SecretProblem::NoValue) };
    if let Some(stuck) = secret.stuck_version() {
        return Err(SecretProblem::Rotating { version: stuck.clone() });
    }
    let chosen = entries.iter().find(|entry| entry.id == *to || entry.labels.contains(to));
    match chosen {
        None => Err(SecretProblem::NoVersion { wanted: to.to_owned() }),
        Some(entry) if entry.id == *current => Err(SecretProblem::CurrentAlready { version: entry.id.clone() }),
        Some(entry) => Ok((current.clone(), entry.id.clone())),
    }
}
