//! How many secrets are worked on at once: enough to keep the narrowest request quota that the plan needs busy, however
//! long a call takes, and not more.

use std::collections::BTreeMap;

use super::writer::WriteSecrets;
use crate::plan::{Action, Plan, SecretPlan, rests_on_policy};

/// So many are enough for whatever is fast; a run that is killed leaves no more than what is in flight half-written.
const FEWEST: usize = 8;

/// More than this fills no quota of 50 a second below 1 s a call.
pub(super) const MOST: usize = 256;

/// The calls that carrying a plan out takes, as far as they can be told before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlannedCalls {
    /// How often each operation is called.
    pub by_operation: BTreeMap<&'static str, usize>,
    /// How many secrets are written.
    pub secrets: usize,
}

impl PlannedCalls {
    /// Those of a plan. Policies that are validated beforehand are not among them.
    pub(super) fn of(plan: &Plan) -> Self {
        let mut calls = Self { secrets: plan.secrets.len(), ..Self::default() };
        for secret in &plan.secrets {
            calls.add_reads(secret);
            for action in &secret.actions {
                calls.add(action.operation());
                if matches!(action, Action::PutValue(value) if value.compare_with.is_some()) {
                    calls.add(action.operation());
                }
            }
        }
        calls
    }

    /// What is read right before the first write.
    fn add_reads(&mut self, secret: &SecretPlan) {
        if secret.observed.is_some() {
            self.add("DescribeSecret");
        }
        if rests_on_policy(secret) {
            self.add("GetResourcePolicy");
        }
    }

    fn add(&mut self, operation: &'static str) {
        *self.by_operation.entry(operation).or_default() += 1;
    }

    /// How many calls that is.
    pub fn count(&self) -> usize {
        self.by_operation.values().sum()
    }
}

/// How many secrets may be in flight now, at most `most`. It is asked again for each secret that begins, since the
/// latency changes.
pub(super) fn in_flight(writer: &impl WriteSecrets, calls: &PlannedCalls, most: usize) -> usize {
    writer.secrets_to_fill(calls).clamp(FEWEST, MOST).min(most.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::VersionId;
    use crate::live::LiveSecret;
    use crate::plan::{PlannedValue, Token, Verb};
    use crate::value::Source;

    fn plan(actions: &[Action], secrets: usize) -> Plan {
        let secret = |number: usize| SecretPlan::bare(&format!("a/{number}"), Verb::Change, actions.to_vec());
        Plan::bare((0..secrets).map(secret).collect())
    }

    #[test]
    fn calls_of_a_plan_are_those_of_its_actions() {
        let calls = PlannedCalls::of(&plan(&[Action::DeletePolicy, Action::Restore, Action::DeletePolicy], 10));
        assert_eq!(calls.secrets, 10);
        assert_eq!(calls.by_operation, BTreeMap::from([("DeleteResourcePolicy", 20), ("RestoreSecret", 10)]));
        assert_eq!(calls.count(), 30);
    }
    #[test]
    fn what_is_read_before_the_first_write_counts_too() {
        let secret = |actions: &[Action], observed: bool| SecretPlan {
            observed: observed.then(|| LiveSecret::bare("a/1")),
            ..SecretPlan::bare("a/1", Verb::Change, actions.to_vec())
        };
        let calls = |secret| PlannedCalls::of(&Plan::bare(vec![secret])).by_operation;
        assert_eq!(calls(secret(&[Action::Restore], false)), BTreeMap::from([("RestoreSecret", 1)]));
        let described = BTreeMap::from([("DescribeSecret", 1), ("RestoreSecret", 1)]);
        assert_eq!(calls(secret(&[Action::Restore], true)), described);
        let policy = secret(&[Action::DeletePolicy], true);
        assert_eq!(calls(policy.clone()).contains_key("GetResourcePolicy"), rests_on_policy(&policy));
    }

    #[test]
    fn values_that_are_compared_are_put_twice() {
        let value = |compare_with: Option<&str>| {
            Action::PutValue(Box::new(PlannedValue {
                source: Source::Env("NAME".to_owned()),
                token: Token::Random,
                compare_with: compare_with.map(VersionId::of_service),
                labels: Vec::new(),
                digest: None,
                keeps_generated_of: None,
            }))
        };
        let calls = |action| PlannedCalls::of(&plan(&[action], 1)).by_operation["PutSecretValue"];
        assert_eq!((calls(value(None)), calls(value(Some("v1")))), (1, 2));
    }
}
