//! What manifests say of the targets that a run leaves out. It is looked up only where a secret goes that may be one of
//! theirs now.

use std::collections::BTreeSet;
use std::path::Path;

use super::prepare::PreparedTarget;
use crate::collect::CollectSet as _;
use crate::desired::Desired;
use crate::manifest::{LoadOptions, load};
use crate::plan::{Action, Leaving, SecretPlan};

/// The targets of a project that are not part of a run.
#[derive(Default)]
pub(super) struct Beside {
    /// What their manifests say.
    pub(super) desired: Vec<Desired>,
    /// Those of which that could not be told, since there are mistakes in it.
    pub(super) unread: Vec<String>,
}

impl Beside {
    pub(super) fn of(root: &Path, targets: &[PreparedTarget<'_>]) -> Self {
        let planned = targets.iter().filter_map(|target| target.planned.as_ref().ok());
        if !planned.flat_map(|planned| &planned.target.plan.secrets).any(may_be_of_others) {
            return Self::default();
        }
        let of_run: BTreeSet<&str> = targets.iter().map(|target| target.desired.target.name.as_str()).collect();
        let all: BTreeSet<&String> = targets.iter().flat_map(|target| target.desired.targets.keys()).collect_set();
        let others: Vec<String> = all.into_iter().filter(|name| !of_run.contains(name.as_str())).cloned().collect();
        if others.is_empty() {
            return Self::default();
        }
        let desired = load(root, &LoadOptions { targets: others.clone(), ..LoadOptions::default() }).desired;
        let unread = if desired.is_empty() { others } else { Vec::new() };
        Self { desired, unread }
    }
}

/// Whether a secret goes, or a replica, that a manifest may name for another target.
fn may_be_of_others(secret: &SecretPlan) -> bool {
    let takes_replicas = secret.actions.iter().any(|action| matches!(action, Action::RemoveReplicas { .. }));
    let Leaving { other_targets, left_list, .. } = &secret.leaving;
    takes_replicas || (secret.is_removal() && (other_targets.is_some() || left_list.is_some()))
}
