//! What planning needs to know about values: the version ids that git's values stand for, the versions that no label
//! shows, and, only when asked for, how live values compare.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt, stream};

use super::{PlanError, ValueProblem};
use crate::collect::CollectMap as _;
use crate::desired::{Desired, DesiredSecret, DesiredValue, Ownership, State};
use crate::domain::{SecretName, VersionId};
use crate::live::{Live, LiveSecret, ReadSecrets};
use crate::plan::{
    Action, Change, Comparison, Finding, FindingKind, LabelVersion, Plan, PlanReport, SameOfGit, SameValue, SecretPlan,
    Selection, Token, ValueFacts, ValueReason, live_name_of,
};
use crate::value::{DifferingParts, Edges, Identity, Source, ValueError, Values};

/// Secrets that one BatchGetSecretValue takes.
const BATCH: usize = 20;

/// Batches that are read at once.
const BATCHES_AT_ONCE: usize = 8;

/// The secrets of this run that declare a value.
fn declared<'a>(
    desired: &'a Desired,
    selection: &'a Selection,
) -> impl Iterator<Item = (&'a DesiredSecret, &'a DesiredValue)> {
    desired
        .secrets
        .values()
        .filter(|desired_secret| desired_secret.state == State::Present && selection.contains(&desired_secret.name))
        .filter_map(|desired_secret| Some((desired_secret, desired_secret.value.as_ref()?)))
}

/// Names every declared value by the version id that it stands for, without a key; all that is wrong comes back at
/// once.
pub(super) fn identify(
    desired: &Desired,
    live: &Live,
    selection: &Selection,
    values: &impl Values,
) -> Result<ValueFacts, PlanError> {
    let mut facts = ValueFacts::default();
    let mut problems = Vec::new();
    for (desired_secret, value) in declared(desired, selection) {
        // What git's value would stand for under the old name, which says whether the old secret holds it.
        if let Some(old) = &desired_secret.renamed_from
            && let Ok(identity) = values.identity(&old.name, &value.source, &|name| live.arn(name))
        {
            facts.identities.insert(old.name.clone(), identity);
        }
        match values.identity(&desired_secret.name, &value.source, &|name| live.arn(name)) {
            Ok(identity) => {
                facts.identities.insert(desired_secret.name.clone(), identity);
            }
            Err(error) => {
                problems.push(ValueProblem {
                    secret: desired_secret.name.clone(),
                    origin: value.origin.clone(),
                    error,
                });
            }
        }
    }
    if problems.is_empty() { Ok(facts) } else { Err(PlanError::Values(problems)) }
}

/// Which secrets that a plan deletes have the value that git gives a declared one, under the id that a rename gives it;
/// where one is restored, of those that no manifest names too. Each pair costs a hash, so nothing else is asked.
pub(super) fn same_of_git(
    desired: &Desired,
    live: &Live,
    facts: &ValueFacts,
    (plan, report): (&Plan, &PlanReport),
    selection: &Selection,
    values: &impl Values,
) -> SameOfGit {
    let owner = desired.owner();
    let declares = |name: &SecretName| desired.secrets.get(name).is_some_and(|secret| secret.state == State::Present);
    let holds_ours = |secret: &LiveSecret| secret.versions.keys().any(VersionId::is_ours);
    let removed = plan.secrets.iter().filter(|secret| secret.is_removal()).map(|secret| &secret.name);
    let goes: BTreeSet<&SecretName> = removed.chain(&report.deleted_in_other_shards).collect();
    let restores = plan.secrets.iter().any(|secret| secret.actions.contains(&Action::Restore));
    let others: Vec<&LiveSecret> = live
        .secrets
        .values()
        .filter(|secret| restores || goes.contains(&secret.name))
        .filter(|secret| secret.is_owned_by(&owner) && !secret.is_scheduled_for_deletion() && !declares(&secret.name))
        .filter(|secret| secret.current_version().is_some() && holds_ours(secret))
        .collect();
    let mut found = SameOfGit::new();
    if others.is_empty() {
        return found;
    }
    for (secret, value) in declared(desired, selection) {
        let whole = !value.source.is_made_once();
        let Some(new) = live.secrets.get(&secret.name).filter(|new| holds_ours(new)) else { continue };
        let encrypted = value.source.is_encrypted();
        let comes = new.is_scheduled_for_deletion() || new.is_adoptable_by(&owner);
        if (whole && value.ownership == Some(Ownership::Enforce)) || !(comes || encrypted) {
            continue;
        }
        let here = facts.identities.get(&secret.name).map(ids).unwrap_or_default();
        let here: Vec<&VersionId> = here.into_iter().map(|id| live_name_of(id, Some(new))).collect();
        if !here.iter().any(|id| new.versions.contains_key(id.as_str())) {
            continue;
        }
        // Beside one that stays, a newer value of people counts alone, of what goes.
        let newer = |other: &LiveSecret| !other.current_version().is_some_and(VersionId::is_ours);
        for other in others.iter().filter(|other| comes || (newer(other) && goes.contains(&other.name))) {
            let Ok(identity) = values.identity(&other.name, &value.source, &|name| live.arn(name)) else { continue };
            let there = ids(&identity).into_iter().map(|id| live_name_of(id, Some(other)));
            let pair = here.iter().zip(there).find(|(here, there)| {
                new.versions.contains_key(here.as_str()) && other.versions.contains_key(there.as_str())
            });
            if let Some((here, there)) = pair {
                let same = SameValue { here: (*here).clone(), there: there.clone(), whole, encrypted };
                found.insert((secret.name.clone(), other.name.clone()), same);
            }
        }
    }
    found
}

/// The ids that a version with git's value may have; none where no id tells it.
fn ids(identity: &Identity) -> Vec<&VersionId> {
    match identity {
        Identity::Known(id) => vec![id],
        Identity::MadeOnce(made) => std::iter::once(&made.id).chain(&made.earlier).collect(),
        Identity::ByComparison(_) | Identity::KnownAfterApply(_) => Vec::new(),
    }
}

/// Values that are to be put and have something at their edges that is easily overlooked.
pub(super) fn edges(plan: &Plan, facts: &ValueFacts) -> Vec<Finding> {
    let put = |secret: &SecretPlan| {
        let source = secret.actions.iter().find_map(|action| match action {
            Action::PutValue(value) | Action::Create { value: Some(value), .. } => Some(&value.source),
            _ => None,
        });
        let Some(source) = source else { return Vec::new() };
        let mut edges = source.edges();
        // Of a value that was decrypted to be compared, more is known.
        let of_value = facts.edges.get(&secret.name).filter(|of_value| !edges.contains(of_value)).cloned();
        edges.extend(of_value);
        edges
    };
    let found = plan.secrets.iter().flat_map(|secret| put(secret).into_iter().map(move |edges| (secret, edges)));
    found
        .map(|(secret, edges)| Finding {
            secret: secret.name.clone(),
            origin: secret.origin.clone(),
            kind: FindingKind::ValueEdges(edges),
        })
        .collect()
}

/// Secrets whose planned value has an id that no label shows, so that the service must be asked whether it has it; and
/// those whose current version is undone, so that the plan can say when it was made.
pub(super) fn versions_unknown(plan: &Plan, facts: &ValueFacts) -> BTreeSet<SecretName> {
    plan.secrets
        .iter()
        .filter(|secret| !facts.unlabelled.contains_key(&secret.name))
        .filter(|secret| {
            let observed = secret.observed.as_ref();
            let undoes =
                |change: &Change| matches!(change, Change::Value { reason: ValueReason::NotFromGit { .. }, .. });
            let unlabelled = secret.actions.iter().any(|action| match action {
                Action::PutValue(value) => matches!(&value.token,
                        Token::Id(id) if observed.is_some_and(|live| !live.versions.contains_key(id.as_str()))),
                Action::MoveLabel { to: LabelVersion::Id(id), .. } => {
                    observed.is_some_and(|live| !live.versions.contains_key(id.as_str()))
                }
                _ => false,
            });
            observed.is_some_and(|live| !live.versions.is_empty()) && (unlabelled || secret.changes.iter().any(undoes))
        })
        .map(|secret| secret.name.clone())
        .collect()
}

/// What came of comparing.
pub(super) struct Compared {
    pub(super) compared: BTreeMap<SecretName, Comparison>,
    /// What stands at the edges of declared values that differ.
    pub(super) edges: BTreeMap<SecretName, Edges>,
}

/// Reads live values in batches and compares them in constant time. The ones with git's own id are read too: the id is
/// public, and whoever may write the secret could have put another value under it.
pub(super) async fn compare<R: ReadSecrets>(
    reader: &R,
    desired: &Desired,
    live: &Live,
    facts: &ValueFacts,
    selection: &Selection,
    values: &impl Values,
) -> Result<Compared, PlanError> {
    let wanted: BTreeMap<SecretName, &DesiredValue> = declared(desired, selection)
        .filter(|(desired_secret, value)| {
            let Some(secret) =
                live.secrets.get(&desired_secret.name).filter(|secret| !secret.is_scheduled_for_deletion())
            else {
                return false;
            };
            worth_reading(secret, &value.source, facts.identities.get(&desired_secret.name))
        })
        .map(|(desired_secret, value)| (desired_secret.name.clone(), value))
        .collect_map();
    let names: Vec<SecretName> = wanted.keys().cloned().collect();
    let batches: Vec<_> = stream::iter(names.chunks(BATCH).map(<[SecretName]>::to_vec))
        .map(async |batch| reader.values(&batch).await)
        .buffer_unordered(BATCHES_AT_ONCE)
        .try_collect()
        .await?;
    let mut compared = BTreeMap::new();
    let mut edges = BTreeMap::new();
    for (name, read) in batches.into_iter().flatten() {
        let Some(value) = wanted.get(&name) else { continue };
        let comparison = match read {
            Err(error) => Comparison::Unreadable(error.to_string()),
            // What is live holds an ARN that goes, or not yet the one that comes.
            Ok(_) if value.source.references().any(|name| live.arn(name).is_none()) => {
                Comparison::Differs { was: None, parts: None }
            }
            Ok(read) => {
                let kept = value.source.is_made_once().then_some(&read.value);
                match values.render(&value.source, kept, &|name| live.arn(name)).await {
                    Ok(declared) if declared == read.value => Comparison::Equal,
                    Ok(declared) => {
                        edges.extend(Edges::of_value(&declared).map(|edges| (name.clone(), edges)));
                        let version = live.secrets.get(&name).and_then(LiveSecret::current_version);
                        let was = version.and_then(|id| value.source.public_text(&name, &read.value, id));
                        let parts = DifferingParts::of(&value.source, &declared, &read.value);
                        Comparison::Differs { was, parts }
                    }
                    // A part that is to be generated is not in the live value.
                    Err(ValueError::Generate { .. }) => {
                        let parts = DifferingParts::made_anew(&value.source, &read.value);
                        Comparison::Differs { was: None, parts }
                    }
                    Err(ValueError::NothingToKeep) => Comparison::NothingToKeep,
                    Err(error) => Comparison::Unreadable(error.to_string()),
                }
            }
        };
        compared.insert(name, comparison);
    }
    for name in names {
        // Neither a value nor an error: an id alone proves nothing, so nothing is said of the value.
        let no_answer = || Comparison::Unreadable("the service answered with neither a value nor an error".to_owned());
        compared.entry(name).or_insert_with(no_answer);
    }
    Ok(Compared { compared, edges })
}

/// Nothing is compared with what is generated as a whole, nor before an ARN is known that the value holds.
fn worth_reading(secret: &LiveSecret, source: &Source, identity: Option<&Identity>) -> bool {
    secret.current_version().is_some()
        && match identity {
            Some(Identity::ByComparison(_) | Identity::Known(_)) => true,
            Some(Identity::MadeOnce(_)) => !matches!(source, Source::Generate(_)),
            Some(Identity::KnownAfterApply(_)) | None => false,
        }
}
