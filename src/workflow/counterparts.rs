//! Counterparts: secrets of other targets that manifests are linked with. Each is asked for in its own target before
//! anything is planned.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;

use super::session::Run;
use crate::aws::{Aws, Connection};
use crate::desired::{Desired, DesiredSecret, OtherSecret, Prune, State};
use crate::domain::{AccountId, SecretName};
use crate::live::{Counterpart, CounterpartState, Counterparts, Live, LiveSecret, Ownership, ReadSecrets as _};
use crate::plan::{Selection, made_anew};

impl Run<'_> {
    /// What is known of them.
    pub(super) async fn counterparts(&self, selection: &Selection) -> Answers {
        Asking { aws: &self.session.aws, desired: &self.session.desired }.counterparts(selection).await
    }
}

/// Where they are asked for: in targets that are part of the run.
pub(super) struct Asking<'a> {
    /// The way to the targets.
    pub(super) aws: &'a Aws,
    /// The targets.
    pub(super) desired: &'a [Desired],
}

/// What came of it.
pub(super) struct Answers {
    /// What is known of the secrets.
    pub(super) counterparts: Counterparts,
    /// The targets that were asked, by name: nobody has to connect to them again.
    pub(super) connections: BTreeMap<String, Connection>,
}

/// A counterpart, and what is live of it.
struct Asked {
    target: String,
    name: SecretName,
    counterpart: Counterpart,
    live: Option<LiveSecret>,
}

impl<'a> Asking<'a> {
    /// What is known of the secrets that the chosen manifests refer to.
    pub(super) async fn counterparts(&self, selection: &Selection) -> Answers {
        let mut wanted: BTreeMap<String, BTreeSet<SecretName>> = BTreeMap::new();
        let referred_to = self.desired.iter().flat_map(|desired| referred_to(desired, selection));
        for (target, name) in referred_to.filter_map(|other| self.named(other)) {
            wanted.entry(target).or_default().insert(name);
        }
        let asked = join_all(wanted.into_iter().map(|(target, names)| self.in_target(target, names, selection))).await;
        let mut counterparts = Counterparts::new();
        let mut live: BTreeMap<String, Live> = BTreeMap::new();
        let mut connections = BTreeMap::new();
        let asked = asked.into_iter().flat_map(|(connected, asked)| {
            connections.extend(connected);
            asked
        });
        for Asked { target, name, counterpart, live: found } in asked {
            counterparts.insert((target.clone(), name.clone()), counterpart);
            live.entry(target).or_default().secrets.extend(found.map(|found| (name, found)));
        }
        // One that is made anew has another ARN then.
        for (target, live) in live {
            let Some(desired) = self.target(&target) else { continue };
            let live = Live { counterparts: counterparts.clone(), ..live };
            for name in made_anew(desired, &live, &selection.of_target(desired)) {
                let to_come = to_come(desired, &name);
                if let Some(counterpart) = counterparts.get_mut(&(target.clone(), name)) {
                    counterpart.state = to_come;
                }
            }
        }
        Answers { counterparts, connections }
    }

    /// The target and the name of a secret. An ARN is one of the target that has its account and its name in scope.
    fn named(&self, other: &OtherSecret) -> Option<(String, SecretName)> {
        match other {
            OtherSecret::Named { target, name } => Some((target.clone(), name.clone())),
            OtherSecret::Arn(arn) => {
                let parts = arn.parts()?;
                let name = parts.secret_name()?;
                let desired = self.desired.iter().find(|desired| {
                    let of_account = |account: &AccountId| *account == parts.account;
                    desired.target.account.as_ref().is_some_and(of_account)
                        && desired.target.region == parts.region
                        && desired.scope.contains(name)
                })?;
                Some((desired.target.name.clone(), SecretName::new(name)))
            }
        }
    }

    fn target(&self, name: &str) -> Option<&'a Desired> {
        self.desired.iter().find(|desired| desired.target.name == name)
    }

    async fn in_target(
        &self,
        target: String,
        names: BTreeSet<SecretName>,
        selection: &Selection,
    ) -> (Option<(String, Connection)>, Vec<Asked>) {
        let all = |state: &CounterpartState, account| {
            let asked = |name: &SecretName| {
                let counterpart = Counterpart { account: Option::clone(account), state: state.clone() };
                Asked { target: target.clone(), name: name.clone(), counterpart, live: None }
            };
            (None, names.iter().map(asked).collect())
        };
        let Some(desired) = self.target(&target) else { return all(&CounterpartState::NotInRun, &None) };
        let Ok(connection) = self.aws.connect(&desired.target).await else {
            // Why is told with that target's own plan.
            return all(&CounterpartState::Unreached, &desired.target.account);
        };
        let selection = selection.of_target(desired);
        let wants = |name: &SecretName, state: State| {
            desired.secrets.get(name).is_some_and(|secret| secret.state == state) && selection.contains(name)
        };
        let account = connection.account.as_ref().or(desired.target.account.as_ref());
        let ask = async |name: &SecretName| {
            let (state, live) = match connection.reader().describe(name).await {
                Ok(Some(secret)) => {
                    let present = wants(name, State::Present);
                    let state = CounterpartState::There {
                        leaving: wants(name, State::Absent)
                            || (secret.is_scheduled_for_deletion() && !present)
                            || (is_pruned(desired, &secret) && selection.contains(name)),
                        primary: secret.cross_account.primary_arn().cloned(),
                        arn: secret.arn.clone(),
                    };
                    (state, Some(secret))
                }
                Ok(None) if wants(name, State::Present) => (to_come(desired, name), None),
                Ok(None) => (CounterpartState::Missing, None),
                Err(error) => (CounterpartState::Unreadable(error), None),
            };
            let counterpart = Counterpart { account: account.cloned(), state };
            Asked { target: target.clone(), name: name.clone(), counterpart, live }
        };
        let asked = join_all(names.iter().map(|name| ask(name))).await;
        (Some((target, connection)), asked)
    }
}

/// Whether the target's plan deletes it, since no manifest names it.
fn is_pruned(desired: &Desired, secret: &LiveSecret) -> bool {
    let here = desired.scope.prefix_of(secret.name.as_str());
    let ours = || matches!(secret.ownership(&desired.owner()), Ownership::Ours { prefix } if here == Some(prefix));
    let is_named = || desired.secrets.contains_key(&secret.name) || desired.old_names().contains(&secret.name);
    desired.prune == Prune::Delete && !secret.is_protected() && !is_named() && ours()
}

/// A secret that the run makes.
fn to_come(desired: &Desired, name: &SecretName) -> CounterpartState {
    let declared = desired.secrets.get(name).and_then(|secret| secret.cross_account_primary.as_ref());
    CounterpartState::ToCome { primary: declared.and_then(|declared| declared.value.clone()) }
}

/// The secrets of other accounts that the chosen manifests of a target refer to.
fn referred_to<'d>(desired: &'d Desired, selection: &Selection) -> impl Iterator<Item = &'d OtherSecret> {
    let selection = selection.of_target(desired);
    let chosen = desired
        .secrets
        .values()
        .filter(move |secret| secret.state == State::Present && selection.contains(&secret.name));
    chosen.flat_map(DesiredSecret::linked_with)
}
