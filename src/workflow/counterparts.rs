//! Counterparts: secrets of other targets that manifests are linked with. Each is asked for in its own target before
//! anything is planned.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;

use super::session::Run;
use crate::aws::Aws;
use crate::desired::{Desired, DesiredSecret, OtherSecret, State};
use crate::domain::SecretName;
use crate::live::{Counterpart, CounterpartState, Counterparts, Live, LiveSecret, ReadSecrets as _};
use crate::plan::{Selection, made_anew};

impl Run<'_> {
    /// What is known of them.
    pub(super) async fn counterparts(&self, selection: &Selection) -> Counterparts {
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

/// A counterpart, and what is live of it.
struct Asked<'a> {
    target: &'a str,
    name: &'a SecretName,
    counterpart: Counterpart,
    live: Option<LiveSecret>,
}

impl<'a> Asking<'a> {
    /// What is known of the secrets that the chosen manifests refer to.
    pub(super) async fn counterparts(&self, selection: &Selection) -> Counterparts {
        let mut wanted: BTreeMap<&str, BTreeSet<&SecretName>> = BTreeMap::new();
        for (target, name) in self.desired.iter().flat_map(|desired| referred_to(desired, selection)) {
            wanted.entry(target).or_default().insert(name);
        }
        let asked = join_all(wanted.into_iter().map(|(target, names)| self.in_target(target, names, selection))).await;
        let mut counterparts = Counterparts::new();
        let mut live: BTreeMap<&str, Live> = BTreeMap::new();
        for Asked { target, name, counterpart, live: found } in asked.into_iter().flatten() {
            counterparts.insert((target.to_owned(), name.clone()), counterpart);
            live.entry(target).or_default().secrets.extend(found.map(|found| (name.clone(), found)));
        }
        // One that is made anew has another ARN then.
        for (target, live) in live {
            let Some(desired) = self.target(target) else { continue };
            let live = Live { counterparts: counterparts.clone(), ..live };
            for name in made_anew(desired, &live, &selection.of_target(desired)) {
                if let Some(counterpart) = counterparts.get_mut(&(target.to_owned(), name)) {
                    counterpart.state = CounterpartState::ToCome;
                }
            }
        }
        counterparts
    }

    fn target(&self, name: &str) -> Option<&'a Desired> {
        self.desired.iter().find(|desired| desired.target.name == name)
    }

    async fn in_target(
        &self,
        target: &'a str,
        names: BTreeSet<&'a SecretName>,
        selection: &Selection,
    ) -> Vec<Asked<'a>> {
        let all = |state: &CounterpartState, account| {
            let asked = |name: &&'a SecretName| {
                let counterpart = Counterpart { account: Option::clone(account), state: state.clone() };
                Asked { target, name, counterpart, live: None }
            };
            names.iter().map(asked).collect()
        };
        let Some(desired) = self.target(target) else { return all(&CounterpartState::NotInRun, &None) };
        let Ok(connection) = self.aws.connect(&desired.target).await else {
            // Why is told with that target's own plan.
            return all(&CounterpartState::Unreached, &desired.target.account);
        };
        let selection = selection.of_target(desired);
        let wants = |name: &SecretName, state: State| {
            desired.secrets.get(name).is_some_and(|secret| secret.state == state) && selection.contains(name)
        };
        let account = connection.account.as_ref().or(desired.target.account.as_ref());
        let ask = async |name: &'a SecretName| {
            let (state, live) = match connection.reader().describe(name).await {
                Ok(Some(secret)) => {
                    let present = wants(name, State::Present);
                    let state = CounterpartState::There {
                        leaving: wants(name, State::Absent) || (secret.is_scheduled_for_deletion() && !present),
                        primary: secret.cross_account.primary_arn().cloned(),
                        arn: secret.arn.clone(),
                    };
                    (state, Some(secret))
                }
                Ok(None) if wants(name, State::Present) => (CounterpartState::ToCome, None),
                Ok(None) => (CounterpartState::Missing, None),
                Err(error) => (CounterpartState::Unreadable(error), None),
            };
            Asked { target, name, counterpart: Counterpart { account: account.cloned(), state }, live }
        };
        join_all(names.iter().map(|name| ask(name))).await
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
