//! What an apply tells while it runs, and what it has to show in the end.

use std::collections::{BTreeMap, BTreeSet};

use super::record::CallRecord;
use crate::collect::CollectMap as _;
use crate::domain::{SecretName, VersionId};
use crate::live::{PolicyProblem, ServiceError};
use crate::plan::{Action, ObservedField, Plan, SecretPlan, Verb};
use crate::value::{ValueError, ValueHint};

/// Something that happened.
#[derive(Clone, Debug)]
pub enum ApplyEvent<'a> {
    /// The first action of a secret is about to be called.
    Started {
        /// The secret.
        secret: &'a SecretName,
        /// What happens to it.
        verb: Verb,
    },
    /// One action is over. Which calls it took, the recorder knows.
    ActionDone {
        /// The secret.
        secret: &'a SecretName,
        /// The action.
        action: &'a Action,
    },
    /// Policies are about to be validated, before anything is written.
    ValidatingPolicies {
        /// How many distinct documents.
        documents: usize,
    },
    /// A policy is put without ValidateResourcePolicy, which could not be asked: on this secret, and on each other one
    /// that gets the same document.
    PolicyNotValidated {
        /// The first secret.
        secret: &'a SecretName,
        /// Why not.
        error: &'a ServiceError,
    },
    /// Nothing more will happen to the secret in this run.
    Finished {
        /// The secret.
        secret: &'a SecretName,
        /// What was planned.
        verb: Verb,
        /// What became of it.
        outcome: &'a SecretOutcome,
    },
}

/// What became of one secret's plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretOutcome {
    /// Every action was carried out.
    Done,
    /// An action failed. The ones before it were carried out, the ones after it were not tried.
    Failed {
        /// The operations that were carried out, as they were called.
        done: Vec<&'static str>,
        /// The operation of the action that failed; where its value could not be made, it was not called.
        failed: &'static str,
        /// The operations that were not tried.
        remaining: Vec<&'static str>,
        /// Why.
        error: ApplyError,
    },
    /// It is no longer as it was when it was planned: nothing was written.
    Conflict {
        /// What changed.
        changed: BTreeSet<ObservedField>,
    },
    /// It was not begun.
    Skipped {
        /// Why.
        reason: SkipReason,
    },
}

impl SecretOutcome {
    /// Whether nothing is wrong, and a later apply goes on.
    pub fn is_held_back(&self) -> bool {
        matches!(self, Self::Skipped { reason: SkipReason::ReplicasFirst { .. } })
    }
}

/// What lets a policy through that opens a secret to everyone.
const BLOCKED: &str = " (`blockPublicPolicy: false` in the manifest and --allow-public-policy let it through)";

/// Why an action failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// The call failed, after all that could be tried again.
    #[error("the call failed")]
    Service(#[from] ServiceError),
    /// ValidateResourcePolicy found the policy wrong; it was not put.
    #[error(
        "ValidateResourcePolicy does not accept the policy: {}{}",
        PolicyProblem::words(.problems),
        if *.blocked { BLOCKED } else { "" }
    )]
    PolicyRejected {
        /// What it found.
        problems: Vec<PolicyProblem>,
        /// Whether broad access is among them, while the manifest leaves PutResourcePolicy to refuse that.
        blocked: bool,
    },
    /// The value could not be made.
    #[error("{message}")]
    Value {
        /// What is wrong; it holds no value and no line of a file.
        message: String,
        /// What can be done about it.
        hint: Option<ValueHint>,
    },
    /// The version id of git's value holds another value at the service. Ids are public, so somebody who may write the
    /// secret can have put it there. No label was moved.
    #[error("version {version} holds another value than git's, although its id says otherwise: somebody put it there")]
    PlantedValue {
        /// The version id.
        version: VersionId,
    },
    /// The version whose generated parts were to be kept is not there any more. Nothing was put.
    #[error("version {version}, whose generated parts were to be kept, is no longer there")]
    GeneratedPartsGone {
        /// The version id.
        version: VersionId,
    },
    /// The version of the old secret that was to come along is not there any more. Nothing was put.
    #[error("version {version} of {from}, which was to be copied, is no longer there")]
    OldVersionGone {
        /// The old secret.
        from: SecretName,
        /// Its version.
        version: VersionId,
    },
    /// The new name holds another value than the old one under the same version id. Nothing was put, and the old secret
    /// stays.
    #[error("version {version} holds another value than the old secret's: neither was changed")]
    OtherValueThere {
        /// The version id.
        version: VersionId,
    },
    /// CreateSecret was answered as a repeated request: the name, the version id and the value were there already, in
    /// a secret of another owner. Nothing else was written to it.
    #[error("somebody else has made a secret of this name, with this value, since it was planned; it was left alone")]
    NameTaken,
    /// The action needs the ARN of a secret that does not exist.
    #[error("the ARN of {0} is still not known")]
    ArnUnknown(SecretName),
}

impl ApplyError {
    /// The error of a value that could not be made.
    pub(super) fn value(error: &ValueError) -> Self {
        Self::Value { message: error.to_string(), hint: error.hint() }
    }
}

/// Why a secret was not begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// Removals come last, and other parts of a sharded run have not created all that is declared.
    OtherShards,
    /// A secret that it depends on was not done.
    Dependency(SecretName),
    /// A secret of another target comes first, and was not made.
    OtherTarget {
        /// The target.
        target: String,
        /// The secret there.
        name: SecretName,
    },
    /// The run was stopped.
    Stopped(Stopped),
    /// A removal, and something before it was not done: what replaces the secret may be missing.
    EarlierFailure,
    /// A removal that takes replicas along, and what replaces the secret has none yet that are in sync.
    ReplicasFirst {
        /// Whether it goes since another one takes its place, by `renamedFrom`.
        renamed: bool,
    },
}

/// Why a run begins nothing new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It was interrupted.
    Interrupted,
    /// The record of a call could not be kept.
    RecordLost,
}

/// What an apply has to show.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ApplyReport {
    /// Each planned secret with what became of it.
    pub outcomes: BTreeMap<SecretName, SecretOutcome>,
    /// The requests that asked for a change, in the order in which their answers came.
    pub calls: Vec<CallRecord>,
    /// Why the run was stopped before everything was begun, when it was.
    pub stopped: Option<Stopped>,
}

impl ApplyReport {
    /// What there is to show of a plan of which nothing was begun.
    pub fn skipped(plan: &Plan, reason: impl Fn(&SecretPlan) -> SkipReason) -> Self {
        let skipped = |secret: &SecretPlan| (secret.name.clone(), SecretOutcome::Skipped { reason: reason(secret) });
        Self { outcomes: plan.secrets.iter().map(skipped).collect_map(), ..Self::default() }
    }

    /// How many calls were carried out.
    pub fn calls_done(&self) -> usize {
        self.calls.iter().filter(|call| call.is_done()).count()
    }

    /// What was called for one secret.
    pub fn calls_of<'a>(&'a self, secret: &'a SecretName) -> impl Iterator<Item = &'a CallRecord> {
        self.calls.iter().filter(move |call| call.secret == *secret)
    }

    /// Whether every secret was done, or is held back until replicas are in sync, which takes its time.
    pub fn is_complete(&self) -> bool {
        self.outcomes.values().all(|outcome| *outcome == SecretOutcome::Done || outcome.is_held_back())
    }

    /// How many secrets were done.
    pub fn done(&self) -> usize {
        self.outcomes.values().filter(|outcome| **outcome == SecretOutcome::Done).count()
    }

    /// The secrets that something was, or may have been, written to.
    pub fn touched(&self) -> impl Iterator<Item = &SecretName> {
        self.outcomes.iter().filter_map(|(name, outcome)| match outcome {
            SecretOutcome::Done | SecretOutcome::Failed { .. } => Some(name),
            SecretOutcome::Conflict { .. } | SecretOutcome::Skipped { .. } => None,
        })
    }
}
