//! Secrets of other targets that manifests refer to: each is asked for in its own target before anything is planned.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;

use super::session::Run;
use crate::aws::Aws;
use crate::desired::{Desired, DesiredSecret, OtherSecret, REPLACING_TAG, State};
use crate::domain::SecretName;
use crate::live::{Elsewhere, ElsewhereState, LinkedPrimary, OtherSecrets, ReadSecrets as _};
use crate::plan::Selection;

impl Run<'_> {
    /// What is known of them.
    pub(super) async fn elsewhere(&self, selection: &Selection) -> OtherSecrets {
        Asking { aws: &self.session.aws, desired: &self.session.desired }.elsewhere(selection).await
    }
}

/// Where they are asked for: in targets that are part of the run.
pub(super) struct Asking<'a> {
    /// The way to the targets.
    pub(super) aws: &'a Aws,
    /// The targets.
    pub(super) desired: &'a [Desired],
}

impl Asking<'_> {
    /// What is known of the secrets that the chosen manifests refer to.
    pub(super) async fn elsewhere(&self, selection: &Selection) -> OtherSecrets {
        let mut wanted: BTreeMap<&str, BTreeSet<&SecretName>> = BTreeMap::new();
        for (target, name) in self.desired.iter().flat_map(|desired| referred_to(desired, selection)) {
            wanted.entry(target).or_default().insert(name);
        }
        let found = join_all(wanted.into_iter().map(|(target, names)| self.in_target(target, names, selection))).await;
        let mut found: OtherSecrets = found.into_iter().flatten().collect();
        for ((target, name), primary) in self.desired.iter().flat_map(|desired| replicas(desired, selection)) {
            let (other, known) = match primary {
                OtherSecret::Arn(arn) => (Some(arn), true),
                OtherSecret::Named { target, name } => match found.get(&(target.clone(), name.clone())) {
                    Some(Elsewhere { state: ElsewhereState::There { arn, .. }, .. }) => (Some(arn), true),
                    Some(Elsewhere { state: ElsewhereState::ToCome, .. }) => (None, true),
                    _ => (None, false),
                },
            };
            let other = other.cloned();
            let Some(Elsewhere { state, .. }) = found.get_mut(&(target, name)) else { continue };
            if let ElsewhereState::There { primary: Some(primary), replaceable: true, .. } = state
                && known
                && Some(&*primary) != other.as_ref()
            {
                *state = ElsewhereState::ToCome;
            }
        }
        found
    }

    async fn in_target(
        &self,
        target: &str,
        names: BTreeSet<&SecretName>,
        selection: &Selection,
    ) -> Vec<((String, SecretName), Elsewhere)> {
        let all = |state: &ElsewhereState, account| {
            let elsewhere = |name: &&SecretName| {
                (
                    (target.to_owned(), (*name).clone()),
                    Elsewhere { account: Option::clone(account), state: state.clone() },
                )
            };
            names.iter().map(elsewhere).collect()
        };
        let Some(desired) = self.desired.iter().find(|desired| desired.target.name == target) else {
            return all(&ElsewhereState::NotInRun, &None);
        };
        let Ok(connection) = self.aws.connect(&desired.target).await else {
            // Why is told with that target's own plan.
            return all(&ElsewhereState::Unreached, &desired.target.account);
        };
        let selection = selection.of_target(desired);
        let makes = |name: &SecretName| {
            let declared = desired.secrets.get(name).is_some_and(|secret| secret.state == State::Present);
            declared && selection.contains(name)
        };
        let goes = |name: &SecretName| {
            let absent = desired.secrets.get(name).is_some_and(|secret| secret.state == State::Absent);
            absent && selection.contains(name)
        };
        let account = connection.account.as_ref().or(desired.target.account.as_ref());
        let describe = async |name: &SecretName| {
            let state = match connection.reader().describe(name).await {
                // An apply that was to make it anew came no further.
                Ok(Some(secret))
                    if secret.tags.contains_key(REPLACING_TAG)
                        && secret.cross_account.primary.is_none()
                        && makes(name)
                        && secret.is_owned_by(&desired.owner())
                        && !secret.is_protected() =>
                {
                    ElsewhereState::ToCome
                }
                Ok(Some(secret)) => ElsewhereState::There {
                    leaving: goes(name) || (secret.is_scheduled_for_deletion() && !makes(name)),
                    replaceable: makes(name) && secret.is_owned_by(&desired.owner()) && !secret.is_protected(),
                    primary: secret.cross_account.primary.map(|LinkedPrimary { arn, .. }| arn),
                    arn: secret.arn,
                },
                Ok(None) if makes(name) => ElsewhereState::ToCome,
                Ok(None) => ElsewhereState::Missing,
                Err(error) => ElsewhereState::Unreadable(error),
            };
            ((target.to_owned(), name.clone()), Elsewhere { account: account.cloned(), state })
        };
        join_all(names.iter().map(|name| describe(name))).await
    }
}

/// The secrets of other targets that the chosen manifests of one refer to.
fn referred_to<'d>(desired: &'d Desired, selection: &Selection) -> impl Iterator<Item = (&'d str, &'d SecretName)> {
    let selection = selection.of_target(desired);
    let chosen = desired
        .secrets
        .values()
        .filter(move |secret| secret.state == State::Present && selection.contains(&secret.name));
    chosen.flat_map(DesiredSecret::linked_with).filter_map(|other| match other {
        OtherSecret::Named { target, name } => Some((target.as_str(), name)),
        OtherSecret::Arn(_) => None,
    })
}

/// The replicas that a target declares, each with its primary: one that has another primary now is made anew.
fn replicas<'d>(
    desired: &'d Desired,
    selection: &Selection,
) -> impl Iterator<Item = ((String, SecretName), &'d OtherSecret)> {
    let selection = selection.of_target(desired);
    desired.secrets.values().filter_map(move |secret| {
        let primary = secret.cross_account_primary.as_ref()?.value.as_ref()?;
        let chosen = secret.state == State::Present && selection.contains(&secret.name);
        chosen.then(|| ((desired.target.name.clone(), secret.name.clone()), primary))
    })
}
