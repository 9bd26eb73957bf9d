//! Faults on demand: rules that make calls fail or slow, or lose the answer of a call that succeeded.

use crate::sandbox::state::Call;
use crate::sandbox::wire::{ErrorCode, ServiceError};
use std::time::Duration;

use serde::Deserialize;

/// A rule. It looks at every call that it matches: the first `skip` of these pass, then `times` of them fail, then it
/// is spent.
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
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
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
    /// The call is carried out and answered, and that takes longer by so much (real time).
    Slow {
        /// How much longer.
        #[serde(deserialize_with = "super::profile::duration")]
        by: Duration,
    },
}

/// What becomes of a call.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    Executed,
    /// Answered with an error, after it was carried out or instead.
    Refused {
        error: ServiceError,
        carried_out: bool,
    },
    /// Not answered.
    Dropped {
        carried_out: bool,
    },
}

/// The rules in force, the first that applies to a call decides.
#[derive(Default)]
pub(crate) struct Faults {
    rules: Vec<Fault>,
}

impl Faults {
    pub(crate) fn add(&mut self, rule: Fault) {
        self.rules.push(rule);
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// What is to happen to a call; every rule that matches counts it until one applies.
    pub(crate) fn strike(&mut self, call: &Call) -> Option<FaultKind> {
        let struck = self.rules.iter_mut().filter(|rule| rule.matches(call)).find_map(Fault::count);
        self.rules.retain(|rule| rule.times != Some(0));
        struck
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
    /// What becomes of a call that is struck by this fault, and how much longer it takes.
    pub(crate) fn fate(self, call: &Call) -> (Duration, Fate) {
        let refused = |error, carried_out| (Duration::ZERO, Fate::Refused { error, carried_out });
        match self {
            Self::Error { status, code, message } => {
                refused(ServiceError::new(ErrorCode::Injected { status, code }, message), false)
            }
            Self::AnswerLost => {
                let text = "An internal error occurred. (The sandbox lost this answer on purpose; the call was \
                            carried out.)";
                refused(ServiceError::new(ErrorCode::InternalServiceError, text), true)
            }
            Self::AccessDenied => refused(access_denied(call), false),
            Self::Dropped { carried_out } => (Duration::ZERO, Fate::Dropped { carried_out }),
            Self::Slow { by } => (by, Fate::Executed),
        }
    }
}

fn access_denied(call: &Call) -> ServiceError {
    let Call { operation, account, secret, .. } = call;
    let action = format!("secretsmanager:{operation}");
    let resource = secret.as_deref().unwrap_or("*");
    ServiceError::new(
        ErrorCode::AccessDenied,
        format!(
            "User: arn:aws:iam::{account}:user/sandbox is not authorized to perform: {action} on resource: \
             {resource} because no identity-based policy allows the {action} action"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::state::Outcome;

    fn call(operation: &str, secret: Option<&str>) -> Call {
        Call {
            operation: operation.to_owned(),
            account: crate::sandbox::DEFAULT_ACCOUNT.to_owned(),
            region: "eu-west-1".to_owned(),
            secret: secret.map(str::to_owned),
            outcome: Outcome::Pending,
        }
    }

    #[test]
    fn a_rule_skips_then_strikes_then_is_spent() {
        let mut faults = Faults::default();
        faults.add(Fault {
            operation: Some("PutSecretValue".to_owned()),
            secret: Some("a".to_owned()),
            skip: 1,
            times: Some(2),
            kind: FaultKind::AccessDenied,
        });
        assert!(faults.strike(&call("PutSecretValue", Some("b"))).is_none());
        assert!(faults.strike(&call("DescribeSecret", Some("a"))).is_none());
        let struck: Vec<bool> = (0..5).map(|_| faults.strike(&call("PutSecretValue", Some("a"))).is_some()).collect();
        assert_eq!(struck, [false, true, true, false, false]);
        assert!(faults.rules.is_empty());
    }

    #[test]
    fn a_rule_without_a_number_never_ends() {
        let mut faults = Faults::default();
        faults.add(Fault { operation: None, secret: None, skip: 0, times: None, kind: FaultKind::AnswerLost });
        assert!((0..100).all(|_| faults.strike(&call("ListSecrets", None)).is_some()));
    }
}
