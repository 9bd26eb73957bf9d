//! Faults on demand: rules that make calls fail or slow, or lose the answer of a call that succeeded.

use std::time::Duration;

use serde::Deserialize;

use super::injector::InjectedOutcome;
use crate::state::Call;
use crate::wire::{ErrorCode, ServiceError};

/// A rule. It looks at every call that it matches: the first `skip` of these pass, then `times` of them fail, then it
/// is removed.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// Only this operation, such as `PutSecretValue`; any if absent.
    #[serde(default)]
    pub operation: Option<String>,
    /// Only calls that name this secret (its exact name, however the call names it); any if absent.
    #[serde(default)]
    pub secret: Option<String>,
    /// How many matching calls pass first.
    #[serde(default)]
    pub skip: u32,
    /// How many matching calls fail then; all if absent.
    #[serde(default)]
    pub times: Option<u32>,
    /// What happens to them.
    pub kind: FaultKind,
}

/// What happens to a call.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum FaultKind {
    /// An error, before anything is done.
    Error {
        /// The HTTP status.
        status: u16,
        /// The error code, such as `ThrottlingException`.
        code: String,
        /// The message.
        message: String,
    },
    /// The change is made, durably, and the client gets an HTTP 500 instead of the answer.
    AnswerLost,
    /// The answer of a caller whom IAM does not allow the operation.
    AccessDenied,
    /// The connection breaks, and the client gets no answer at all.
    Dropped {
        /// Whether the change is made first, durably.
        #[serde(default)]
        carried_out: bool,
    },
    /// The process that the sandbox runs in is killed, as by SIGKILL: with `--sandbox` that is keywright itself,
    /// exactly at this call.
    Killed {
        /// Whether the change is made first, durably.
        #[serde(default)]
        carried_out: bool,
    },
    /// The call is carried out and answered, and that takes longer by so much (real time).
    Slow {
        /// How much longer.
        #[serde(deserialize_with = "super::duration::duration")]
        by: Duration,
    },
}

/// The rules in force; the first that applies to a call decides.
#[derive(Default)]
pub(crate) struct FaultRules {
    rules: Vec<Fault>,
}

impl FaultRules {
    pub(crate) fn add(&mut self, rule: Fault) {
        self.rules.push(rule);
    }

    /// The fault of the next call; every rule that matches counts the call until one applies.
    pub(crate) fn next_fault(&mut self, call: &Call) -> Option<FaultKind> {
        let fault = self.rules.iter_mut().filter(|rule| rule.matches(call)).find_map(Fault::count);
        self.rules.retain(|rule| rule.times != Some(0));
        fault
    }
}

impl Fault {
    fn matches(&self, call: &Call) -> bool {
        self.operation.as_ref().is_none_or(|operation| *operation == call.operation)
            && self.secret.as_ref().is_none_or(|secret| Some(secret) == call.secret.as_ref())
    }

    /// Counts one call: the fault, when it is this call's turn.
    fn count(&mut self) -> Option<FaultKind> {
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        match &mut self.times {
            Some(0) => return None,
            Some(left) => *left -= 1,
            None => {}
        }
        Some(self.kind.clone())
    }
}

impl FaultKind {
    /// The outcome of a call with this fault, and how much longer the call takes.
    pub(crate) fn outcome(self, call: &Call) -> (Duration, InjectedOutcome) {
        let refused = |error, carried_out| (Duration::ZERO, InjectedOutcome::Refuse { error, carried_out });
        match self {
            Self::Error { status, code, message } => {
                refused(ServiceError::new(ErrorCode::Injected { status, code }, message), false)
            }
            Self::AnswerLost => {
                let text = "An internal error occurred. (The sandbox lost this answer on purpose; the call was \
                            carried out.)";
                refused(ServiceError::internal(text), true)
            }
            Self::AccessDenied => {
                let Call { operation, account, secret, .. } = call;
                let user = format!("arn:aws:iam::{account}:user/sandbox");
                let resource = secret.as_deref().unwrap_or("*");
                refused(ServiceError::not_allowed(&user, operation, Some(resource)), false)
            }
            Self::Dropped { carried_out } => (Duration::ZERO, InjectedOutcome::Drop { carried_out }),
            Self::Killed { carried_out } => (Duration::ZERO, InjectedOutcome::Kill { carried_out }),
            Self::Slow { by } => (by, InjectedOutcome::Execute),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Outcome;

    fn call(operation: &str, secret: Option<&str>) -> Call {
        Call {
            operation: operation.to_owned(),
            account: crate::DEFAULT_ACCOUNT.to_owned(),
            region: "eu-west-1".to_owned(),
            secret: secret.map(str::to_owned),
            outcome: Outcome::Pending,
        }
    }

    #[test]
    fn a_rule_skips_calls_then_applies_then_is_removed() {
        let mut rules = FaultRules::default();
        rules.add(Fault {
            operation: Some("PutSecretValue".to_owned()),
            secret: Some("a".to_owned()),
            skip: 1,
            times: Some(2),
            kind: FaultKind::AccessDenied,
        });
        assert!(rules.next_fault(&call("PutSecretValue", Some("b"))).is_none());
        assert!(rules.next_fault(&call("DescribeSecret", Some("a"))).is_none());
        let faulty: Vec<bool> =
            (0..5).map(|_| rules.next_fault(&call("PutSecretValue", Some("a"))).is_some()).collect();
        assert_eq!(faulty, [false, true, true, false, false]);
        assert!(rules.rules.is_empty());
    }

    #[test]
    fn a_rule_without_times_applies_to_every_call() {
        let mut rules = FaultRules::default();
        rules.add(Fault { operation: None, secret: None, skip: 0, times: None, kind: FaultKind::AnswerLost });
        assert!((0..100).all(|_| rules.next_fault(&call("ListSecrets", None)).is_some()));
    }
}
