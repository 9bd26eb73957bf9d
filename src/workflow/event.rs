//! What a run tells while it goes on. Nothing here is words: `render` makes them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::apply::{ApplyEvent, ApplyReport};
use crate::aws::Writer;
use crate::desired::Desired;
use crate::domain::{SecretName, TagKey};
use crate::import::LeftOut;
use crate::live::ReadProgress;
use crate::plan::{Finding, Plan};
use crate::reconcile::{TargetPlan, Verified};
use crate::value::Edges;

use super::error::Error;

/// Whoever is told.
pub type Listener<'a> = &'a (dyn Fn(Event<'_>) + Sync);

/// How many secrets a part of a run did something to, each counted in one part alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Secrets.
    pub secrets: usize,
    /// Links of secrets that an earlier part has counted.
    pub links: usize,
}

/// Something that happened.
pub enum Event<'a> {
    /// Live secrets are being read.
    Reading(ReadProgress),
    /// Something is wrong that ends nothing and is no failure.
    Warning(&'a Error),
    /// Something failed that does not end the run.
    Failed(&'a Error),
    /// A value that is about to be put ends or begins with what is easily overlooked.
    ValueEdges {
        /// The secret.
        secret: &'a SecretName,
        /// What stands there.
        edges: &'a Edges,
    },
    /// The plan of a target, or a part of it, is about to be carried out.
    Applying {
        /// How many secrets have something to do.
        secrets: usize,
        /// The target's name.
        target: &'a str,
        /// How many actions that is.
        actions: usize,
        /// How long AWS's quotas alone make them take, in seconds.
        quota_seconds: f64,
    },
    /// Something of it happened.
    Applied {
        /// The target's name.
        target: &'a str,
        /// Whether other targets are written in the same run.
        among_others: bool,
        /// What.
        event: ApplyEvent<'a>,
    },
    /// Nothing more of it is called that writes.
    Written {
        /// The target's name.
        target: &'a str,
    },
    /// The run was stopped: what is in flight is finished first.
    Stopping,
    /// The plan of a target was carried out, or as much of it as could be.
    Carried {
        /// The plan.
        plan: &'a Plan,
        /// What came of it.
        report: &'a ApplyReport,
        /// Its secrets that an earlier part of the run has written too, and counted.
        counted: &'a BTreeSet<SecretName>,
    },
    /// What was done was read again.
    Verified {
        /// What that has shown.
        verified: &'a Verified,
        /// How many were done and read again.
        done: Counted,
        /// What was found when it was planned, and shown with the plan.
        shown: &'a [Finding],
    },
    /// What was done was not read again, since nobody asked for that.
    NotVerified {
        /// How many were done.
        done: Counted,
    },
    /// What an import leaves out.
    LeftOut {
        /// The target, where there are several.
        target: Option<&'a str>,
        /// The secrets.
        left_out: &'a [LeftOut],
    },
    /// A declared secret does not exist, and an orphan looks like it.
    LooksRenamed {
        /// The target, where there are several.
        target: Option<&'a str>,
        /// The declared secret.
        new: &'a SecretName,
        /// The orphan.
        old: &'a SecretName,
    },
    /// Tags that all imported secrets have, and that are no defaults of the project.
    SharedTags(&'a BTreeMap<TagKey, String>),
    /// A file that would be written.
    FileText {
        /// Where.
        path: &'a Path,
        /// What.
        text: &'a str,
    },
    /// What became of a file.
    File {
        /// What.
        outcome: FileOutcome,
        /// Where it is.
        path: &'a Path,
    },
    /// Replicas are being made.
    WaitingForReplicas {
        /// Of how many secrets; none before the first look.
        secrets: Option<usize>,
    },
    /// Nobody waits for replicas any more.
    WaitedForReplicas,
    /// All replicas are made.
    ReplicasInSync {
        /// Of how many secrets.
        secrets: usize,
    },
}

/// What became of a file of a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileOutcome {
    /// It was written.
    Wrote,
    /// It was there, and stays as it is.
    Kept,
    /// A line was added to it.
    AddedTo,
}

/// Where a plan is carried out, and by whom.
pub(super) struct Place<'a> {
    pub(super) writer: &'a Writer,
    /// The caller's ARN, when it is known.
    pub(super) caller: Option<&'a str>,
    /// The desired state.
    pub(super) desired: &'a Desired,
    /// The plan, and what it was made from.
    pub(super) target: &'a TargetPlan,
}
