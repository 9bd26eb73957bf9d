//! The secrets that a run has made so far, over all its targets: ARNs that were not known when it was planned.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::collect::CollectMap as _;
use crate::domain::{Arn, SecretName};
use crate::live::{Counterpart, CounterpartState, Counterparts};
use crate::plan::OtherArn;

/// ARNs by target and name.
#[derive(Debug, Default)]
pub struct MadeSecrets(Mutex<BTreeMap<(String, SecretName), Arn>>);

impl MadeSecrets {
    /// Notes one.
    pub(super) fn insert(&self, target: &str, name: &SecretName, arn: Arn) {
        self.all().insert((target.to_owned(), name.clone()), arn);
    }

    /// The ARN of a secret of another account; none where it is still to be made.
    pub(super) fn arn(&self, other: &OtherArn) -> Option<Arn> {
        match other {
            OtherArn::Known(arn) => Some(arn.clone()),
            OtherArn::Later { target, name, account: _ } => self.all().get(&(target.clone(), name.clone())).cloned(),
        }
    }

    /// Those of one target.
    pub(super) fn of_target(&self, target: &str) -> BTreeMap<SecretName, Arn> {
        let all = self.all();
        let own = all.iter().filter(|((of, _), _)| of == target);
        own.map(|((_, name), arn)| (name.clone(), arn.clone())).collect_map()
    }

    /// What is known of secrets of other targets by now.
    pub fn counterparts(&self, planned: &Counterparts) -> Counterparts {
        let made = self.all();
        let by_now = |(at, counterpart): (&(String, SecretName), &Counterpart)| {
            let primary = match &counterpart.state {
                CounterpartState::ToCome { primary } => primary.clone(),
                _ => None,
            };
            let known = made.get(at).map(|arn| CounterpartState::Made { arn: arn.clone(), primary });
            let state = known.unwrap_or_else(|| counterpart.state.clone());
            (at.clone(), Counterpart { account: counterpart.account.clone(), state })
        };
        planned.iter().map(by_now).collect_map()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<(String, SecretName), Arn>> {
        // A map of ARNs is whole even if another task died while it held the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
