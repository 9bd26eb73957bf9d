//! The least-privilege identity policy that a purpose needs: from the desired state of each target to an IAM policy
//! document.
//!
//! Pure: what the manifests say goes in, statements come out, the same bytes for the same input. A permission is in the
//! policy because an operation of `aws/` is called for it, so a change there is a change here; `tests/iam_policy.rs`
//! proves both directions against a sandbox that enforces the policy. What may not enter: files, credentials, the SDK.
//!
//! Sources: the "Required permissions" of each operation in the API reference of Secrets Manager, and the service
//! authorization reference ("Actions, resources, and condition keys for AWS Secrets Manager", "... AWS KMS"). Where
//! these do not say whether a request carries a condition key, the condition is written with `IfExists`: it then stops
//! what keywright itself would send for another manifest, and can never stop what these manifests need.

mod arn;
mod caller;
mod cross_account;
mod day_two;
mod document;
mod key_policies;
mod keys;
mod needs;
mod read;
mod trail;
mod write;

use std::collections::BTreeSet;

pub use document::{IdentityPolicy, MANAGED_POLICY_LIMIT, Statement};
pub use key_policies::{KeyPolicies, KeyPolicy, KeyStatement, key_policies};

use crate::desired::Desired;
use crate::value::SopsKey;
use cross_account::Others;
use document::Draft;

/// What the policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// `keywright plan`.
    Plan,
    /// `keywright apply`, its plan and its verification included.
    Apply,
    /// `keywright drift`.
    Drift,
    /// `keywright inventory`.
    Inventory,
    /// `keywright versions`.
    Versions,
    /// `keywright rollback`.
    Rollback,
    /// `keywright rotate`, with `--repair` and `--cancel`.
    Rotate,
    /// `keywright restore`.
    Restore,
    /// `keywright release`.
    Release,
    /// `keywright promote`.
    Promote,
}

impl Purpose {
    /// Whether it is a command about one secret.
    pub const fn is_day_two(self) -> bool {
        match self {
            Self::Plan | Self::Apply | Self::Drift | Self::Inventory => false,
            Self::Versions | Self::Rollback | Self::Rotate | Self::Restore | Self::Release | Self::Promote => true,
        }
    }
}

/// What the commands will be told beside the manifests.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each stands for one flag of a command")]
pub struct Scope {
    /// The command.
    pub purpose: Purpose,
    /// `--read-values`: live values are read and compared.
    pub read_values: bool,
    /// `plan --validate-policies`: the service is asked about the policies that an apply would put.
    pub validate_policies: bool,
    /// `--who`: CloudTrail is asked who made changes.
    pub who: bool,
    /// `drift --audit`, `inventory --audit`: what no manifest declares is read too.
    pub audit: bool,
    /// `inventory --all`: secrets outside the scope are looked at too.
    pub all: bool,
    /// `--allow-delete-unowned`: secrets without the owner tag may be deleted.
    pub delete_unowned: bool,
    /// `--allow-replace-replicas`: replicas of another account's secret may be deleted and made anew.
    pub replace_replicas: bool,
}

/// One target with the KMS keys of the SOPS files that its values come from.
#[derive(Clone, Copy, Debug)]
pub struct TargetNeeds<'a> {
    /// The desired state.
    pub desired: &'a Desired,
    /// The recipients of its SOPS files.
    pub sops_keys: &'a BTreeSet<SopsKey>,
}

/// The policy of the identity that works on the targets: the assumed role where a target names one, else the caller.
/// `beside` are targets that these are linked with.
pub fn target_policy(targets: &[TargetNeeds<'_>], beside: &[Desired], scope: Scope) -> IdentityPolicy {
    let mut draft = Draft::default();
    let others = Others::of(targets.iter().map(|needs| needs.desired).chain(beside));
    for TargetNeeds { desired, sops_keys } in targets {
        draft.begin_target(&desired.target.name);
        match scope.purpose {
            Purpose::Inventory => read::add_inventory(desired, scope, &mut draft),
            purpose if purpose.is_day_two() => day_two::add(desired, scope, &mut draft),
            _ => read::add(desired, scope, &mut draft),
        }
        if scope.purpose == Purpose::Apply {
            write::add(desired, scope, &mut draft);
        }
        cross_account::add(desired, &others, scope, &mut draft);
        trail::add(scope, &mut draft);
        keys::add(desired, scope, &mut draft);
        if desired.target.assume_role.is_none() {
            caller::add_sops(sops_keys, scope, &mut draft);
        }
    }
    draft.finish()
}

/// The policy of a caller who assumes the targets' roles: AssumeRole, and the keys of SOPS files, which keywright
/// decrypts with the caller's own credentials and never with a target's role.
pub fn caller_policy(targets: &[TargetNeeds<'_>], scope: Scope) -> IdentityPolicy {
    let mut draft = Draft::default();
    for TargetNeeds { desired, sops_keys } in targets {
        let Some(role) = &desired.target.assume_role else { continue };
        draft.begin_target(&desired.target.name);
        caller::add_role(role, &mut draft);
        caller::add_sops(sops_keys, scope, &mut draft);
    }
    draft.finish()
}
