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
    use crate::plan::Verb;

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
}
