//! The links of a live secret with secrets of other accounts, as its manifest says them.
//!
//! Only what a plan would leave as it is: a link that failed or that somebody has ended is for people to decide.

use super::Layout;
use super::yaml::Yaml;
use crate::domain::{AccountId, Arn, ArnParts, KmsKey};
use crate::live::{LinkStatus, LinkedPrimary, LinkedReplica, LiveSecret};
use crate::manifest::{Accepts, TargetOutline};

/// What a manifest says of one side of a link: nothing where there is none, or why it is left out.
pub(super) type Side = Result<Option<Yaml>, &'static str>;

/// Why a link is left out that no manifest can say.
const NOT_SAID: &str = "it holds something that manifests may not say";

/// `crossAccountReplica` of a primary.
pub(super) fn replica(secret: &LiveSecret, layout: &Layout<'_>) -> Side {
    let mut replicas = secret.cross_account.replicas.iter();
    let Some((arn, LinkedReplica { role, status })) = replicas.next() else { return Ok(None) };
    if replicas.next().is_some() {
        return Err("there are several, and a manifest names one");
    }
    match status {
        LinkStatus::Pending | LinkStatus::InProgress | LinkStatus::InSync => {}
        LinkStatus::Failed { .. } => return Err("the value could not be copied: see to it, then declare it here"),
        LinkStatus::Detached => {
            return Err("the replica's owner has ended it: `null` takes it off this secret too");
        }
    }
    let other = other_secret(arn, layout).ok_or(NOT_SAID)?;
    let mut fields = vec![("secret".to_owned(), other)];
    if let Some(role) = role {
        if !accepts(layout).replication_role(role.as_str()) {
            return Err(NOT_SAID);
        }
        fields.push(("role".to_owned(), Yaml::literal(role.as_str())));
    }
    Ok(Some(Yaml::Map(fields)))
}

/// `crossAccountPrimary` of a replica.
pub(super) fn primary(secret: &LiveSecret, layout: &Layout<'_>) -> Side {
    let Some(LinkedPrimary { arn, status }) = &secret.cross_account.primary else { return Ok(None) };
    if *status == LinkStatus::Detached {
        return Err("the primary's owner has ended it: `null` makes this a secret of its own");
    }
    let Layout { account, region, .. } = *layout;
    let is_own = |key: &KmsKey| {
        !KmsKey::is_same(Some(key), None, account, region) && accepts(layout).kms_key(key.as_str(), region.as_str())
    };
    if !secret.kms_key_id.as_ref().is_some_and(is_own) {
        return Err("a manifest of a replica names its key, and may not name this one");
    }
    other_secret(arn, layout).map(Some).ok_or(NOT_SAID)
}

fn accepts<'a>(layout: &Layout<'a>) -> Accepts<'a> {
    Accepts { account: layout.account.map(AccountId::as_str), region: layout.region.as_str() }
}

/// A secret of another account: by the project's target that has it in its scope, or else by its ARN.
fn other_secret(arn: &Arn, layout: &Layout<'_>) -> Option<Yaml> {
    if !accepts(layout).other_secret(arn.as_str()) {
        return None;
    }
    let parts = arn.parts()?;
    let name = parts.secret_name()?;
    let has_it = |target: &&TargetOutline| {
        is_place_of(target, layout, &parts) && target.prefixes.iter().any(|prefix| name.starts_with(&prefix.filled))
    };
    let named = layout.outline.targets.iter().find(has_it);
    Some(Yaml::Map(named.map_or_else(
        || vec![("arn".to_owned(), Yaml::literal(arn.as_str()))],
        |target| vec![("target".to_owned(), Yaml::literal(&target.name)), ("name".to_owned(), Yaml::literal(name))],
    )))
}

/// Whether a target is in the account and region of an ARN. One whose account nobody knows is in none.
fn is_place_of(target: &TargetOutline, layout: &Layout<'_>, arn: &ArnParts<'_>) -> bool {
    let account = layout.accounts.get(&target.name);
    target.region == arn.region && account.is_some_and(|account| *account == arn.account)
}
