//! What an apply refuses to do without being told.
//!
//! Guards run on finished plans, after they are shown and before the first write of any target. Each is overridden by
//! its own flag, never by one flag for all, and some by none.

use std::fmt;

use super::{Action, Change, FindingKind, Plan, PlanReport, PlannedPolicy, SecretPlan, Verb};
use crate::desired::{Desired, SecretName};
use crate::live::{Live, LiveSecret};
use crate::policy::{LintContext, LintedSecret, shuts_out};

/// The guards that the caller overrides for this run.
#[derive(Clone, Copy, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each stands for one flag of the command line, none excludes another"
)]
pub struct GuardOverrides {
    /// `--allow-protected`: delete secrets that carry the tag `keywright:protect`.
    pub protected: bool,
    /// `--allow-empty`: apply a project without any secret.
    pub empty: bool,
    /// `--max-deletes N`, instead of the project's `guards.maxDeletes`.
    pub max_deletes: Option<u32>,
    /// `--max-changes-percent N`, instead of the project's `guards.maxChangesPercent`.
    pub max_changes_percent: Option<u8>,
    /// `--allow-delete-unowned`: delete a live secret that was never this project's.
    pub delete_unowned: bool,
    /// `--allow-adopt-cloudformation`: adopt a secret that a CloudFormation stack manages.
    pub adopt_cloudformation: bool,
    /// `--allow-public-policy`: put a policy that opens a secret to everyone.
    pub public_policy: bool,
    /// `--allow-replace-values`: adopt a secret and replace the value that somebody else gave it.
    pub replace_values: bool,
    /// `--allow-overwrite-replicas`: make replicas where that destroys a secret in another region.
    pub overwrite_replicas: bool,
    /// `--allow-lock-out`: put a policy that shuts its own caller out.
    pub lock_out: bool,
    /// `--allow-rotate-now`: rotate secrets that are in use, at once.
    pub rotate_now: bool,
}

impl GuardOverrides {
    /// The flags that say this, as they are written on the command line.
    pub fn flags(&self) -> Vec<String> {
        let Self {
            protected,
            empty,
            max_deletes,
            max_changes_percent,
            delete_unowned,
            adopt_cloudformation,
            public_policy,
            replace_values,
            overwrite_replicas,
            lock_out,
            rotate_now,
        } = self;
        let switches = [
            (*protected, "--allow-protected"),
            (*empty, "--allow-empty"),
            (*delete_unowned, "--allow-delete-unowned"),
            (*adopt_cloudformation, "--allow-adopt-cloudformation"),
            (*public_policy, "--allow-public-policy"),
            (*replace_values, "--allow-replace-values"),
            (*overwrite_replicas, "--allow-overwrite-replicas"),
            (*lock_out, "--allow-lock-out"),
            (*rotate_now, "--allow-rotate-now"),
        ];
        let mut flags: Vec<String> =
            switches.into_iter().filter(|(overridden, _)| *overridden).map(|(_, flag)| flag.to_owned()).collect();
        flags.extend(max_deletes.map(|number| format!("--max-deletes {number}")));
        flags.extend(max_changes_percent.map(|percent| format!("--max-changes-percent {percent}")));
        flags
    }
}

/// A guard that does not let an apply pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The target.
    pub target: String,
    /// The secrets that it is about; none when it is about the whole plan.
    pub secrets: Vec<SecretName>,
    /// What is refused.
    pub kind: RefusalKind,
}

/// What is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// Manifests name secrets that other projects own. Never overridden.
    Foreign {
        /// The first of the owners.
        owner: String,
    },
    /// Protected secrets would be deleted.
    Protected,
    /// The manifests want nothing at all, while the target holds secrets of this project.
    EmptyDesired {
        /// How many it holds.
        owned: usize,
    },
    /// More deletes than allowed.
    TooManyDeletes {
        /// Planned.
        planned: usize,
        /// Allowed.
        allowed: u32,
    },
    /// More changes than allowed.
    TooManyChanges {
        /// Planned changes and deletes of owned live secrets that hold a value.
        planned: usize,
        /// Owned live secrets.
        owned: usize,
        /// Allowed, in percent.
        allowed_percent: u8,
    },
    /// Live secrets without an owner would be deleted.
    DeletesUnowned,
    /// Secrets that CloudFormation manages would be adopted.
    AdoptsCloudFormation,
    /// Policies would open secrets to everyone.
    PublicPolicy,
    /// A policy would shut out whoever puts it.
    LocksOut {
        /// How, in a sentence.
        how: String,
    },
    /// Adopted secrets would get another value than the one that somebody else gave them.
    ReplacesValue,
    /// Replicas would destroy secrets in other regions.
    OverwritesReplica,
    /// Replicas would destroy protected secrets in other regions.
    OverwritesProtected,
    /// Secrets that are in use would be rotated at once.
    RotatesNow,
}

impl RefusalKind {
    /// the flag that overrides the guard, with an example of its argument; none when nothing does.
    pub fn overridden_by(&self) -> Option<String> {
        match self {
            Self::Foreign { .. } => None,
            Self::Protected | Self::OverwritesProtected => Some("--allow-protected".to_owned()),
            Self::EmptyDesired { .. } => Some("--allow-empty".to_owned()),
            Self::TooManyDeletes { planned, .. } => Some(format!("--max-deletes {planned}")),
            Self::TooManyChanges { .. } => Some("--max-changes-percent 100".to_owned()),
            Self::DeletesUnowned => Some("--allow-delete-unowned".to_owned()),
            Self::AdoptsCloudFormation => Some("--allow-adopt-cloudformation".to_owned()),
            Self::LocksOut { .. } => Some("--allow-lock-out".to_owned()),
            Self::PublicPolicy => Some("--allow-public-policy".to_owned()),
            Self::ReplacesValue => Some("--allow-replace-values".to_owned()),
            Self::OverwritesReplica => Some("--allow-overwrite-replicas".to_owned()),
            Self::RotatesNow => Some("--allow-rotate-now".to_owned()),
        }
    }
}

impl fmt::Display for RefusalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign { owner } => {
                write!(f, "the secret belongs to {owner}: only that project may change or release it")
            }
            Self::Protected => f.write_str("a protected secret would be deleted"),
            Self::EmptyDesired { owned } => write!(
                f,
                "no manifest names a secret, while the target holds {owned} of this project: is it the right folder?"
            ),
            Self::TooManyDeletes { planned, allowed } => {
                write!(f, "{planned} secrets would be deleted, and guards.maxDeletes allows {allowed}")
            }
            Self::TooManyChanges { planned, owned, allowed_percent } => write!(
                f,
                "{planned} of the project's {owned} live secrets would be changed, \
                 and guards.maxChangesPercent allows {allowed_percent} %"
            ),
            Self::DeletesUnowned => {
                f.write_str("a secret would be deleted that has no owner tag: this project has never managed it")
            }
            Self::AdoptsCloudFormation => f.write_str(
                "a secret would be adopted that a CloudFormation stack manages: the two would fight over it",
            ),
            Self::LocksOut { how } => write!(f, "the policy shuts out whoever would have to take it back: {how}"),
            Self::PublicPolicy => f.write_str("the policy opens the secret to everyone"),
            Self::OverwritesReplica => {
                f.write_str("a replica would destroy a secret of the same name in its region, which cannot be restored")
            }
            Self::OverwritesProtected => f.write_str("a replica would destroy a protected secret in its region"),
            Self::RotatesNow => f.write_str(
                "a secret that is in use would be rotated at once, since its manifest says rotateImmediately",
            ),
            Self::ReplacesValue => f.write_str(
                "a secret would be adopted, and the value that it has may be replaced by the one in git \
                 (ownership: seed leaves it alone)",
            ),
        }
    }
}

/// Below this many owned secrets the share of changes says nothing: one of three is 33 %, and no accident.
const FEWEST_FOR_A_SHARE: usize = 10;

/// Every guard that `plan` does not pass.
pub fn guard(
    desired: &Desired,
    live: &Live,
    plan: &Plan,
    report: &PlanReport,
    overrides: GuardOverrides,
) -> Vec<Refusal> {
    let ours = desired.owner();
    let mut refusals = Vec::new();
    let mut refuse = |secrets: Vec<SecretName>, kind: RefusalKind| {
        refusals.push(Refusal { target: plan.target.clone(), secrets, kind });
    };

    for finding in &report.findings {
        if let FindingKind::Foreign { owner } = &finding.kind {
            refuse(vec![finding.secret.clone()], RefusalKind::Foreign { owner: owner.clone() });
        }
    }
    let chosen = |test: &dyn Fn(&SecretPlan) -> bool| -> Vec<SecretName> {
        plan.secrets.iter().filter(|secret| test(secret)).map(|secret| secret.name.clone()).collect()
    };
    let mut refuse_each = |overridden: bool, kind: RefusalKind, test: &dyn Fn(&SecretPlan) -> bool| {
        let secrets = chosen(test);
        if !overridden && !secrets.is_empty() {
            refuse(secrets, kind);
        }
    };
    refuse_each(overrides.protected, RefusalKind::Protected, &|secret| {
        secret.is_removal() && secret.observed.as_ref().is_some_and(LiveSecret::is_protected)
    });
    refuse_each(overrides.delete_unowned, RefusalKind::DeletesUnowned, &|secret| {
        secret.is_removal() && secret.observed.as_ref().is_some_and(|live| !live.is_owned_by(&ours))
    });
    refuse_each(overrides.adopt_cloudformation, RefusalKind::AdoptsCloudFormation, &|secret| {
        adopts_from_cloudformation(secret, &ours)
    });
    refuse_each(overrides.public_policy, RefusalKind::PublicPolicy, &opens_to_everyone);

    refuse_each(overrides.replace_values, RefusalKind::ReplacesValue, &|secret| {
        replaces_an_adopted_value(secret, &ours)
    });
    refuse_each(overrides.overwrite_replicas, RefusalKind::OverwritesReplica, &overwrites);
    refuse_each(overrides.rotate_now, RefusalKind::RotatesNow, &rotates_what_is_in_use);
    refuse_each(overrides.protected, RefusalKind::OverwritesProtected, &|secret| {
        secret.regions_overwritten().any(|region| {
            let place = (region.clone(), secret.name.clone());
            live.other_regions.get(&place).is_some_and(|other| other.as_ref().is_some_and(LiveSecret::is_protected))
        })
    });

    for secret in plan.secrets.iter().filter(|_| !overrides.lock_out) {
        if let Some(how) = locks_out(live, secret) {
            refuse(vec![secret.name.clone()], RefusalKind::LocksOut { how });
        }
    }

    let owned = report.counts.owned_live;
    // A secret that a replica overwrites is destroyed like a deleted one.
    let deletes = plan.secrets.iter().filter(|secret| secret.is_removal() || overwrites(secret)).count();
    let allowed = overrides.max_deletes.unwrap_or(desired.guards.max_deletes);
    if deletes > usize::try_from(allowed).unwrap_or(usize::MAX) {
        let counted = chosen(&|secret| secret.is_removal() || overwrites(secret));
        refuse(counted, RefusalKind::TooManyDeletes { planned: deletes, allowed });
    }
    let changes = plan.secrets.iter().filter(|secret| changes_what_is_in_use(secret)).count();
    let allowed_percent = overrides.max_changes_percent.unwrap_or(desired.guards.max_changes_percent);
    if owned >= FEWEST_FOR_A_SHARE && changes * 100 > owned * usize::from(allowed_percent) {
        refuse(Vec::new(), RefusalKind::TooManyChanges { planned: changes, owned, allowed_percent });
    }
    if desired.secrets.is_empty() && owned > 0 && !plan.is_empty() && !overrides.empty {
        refuse(Vec::new(), RefusalKind::EmptyDesired { owned });
    }
    refusals
}

/// A change of a secret that holds a value. One without a value has no readers yet: completing what a killed apply left
/// half-made must not need a flag.
fn changes_what_is_in_use(secret: &SecretPlan) -> bool {
    matches!(secret.verb, Verb::Change | Verb::Delete | Verb::Release)
        && secret.observed.as_ref().is_some_and(|live| live.current_version().is_some())
}

fn overwrites(secret: &SecretPlan) -> bool {
    secret.regions_overwritten().next().is_some()
}

/// RotateImmediately on a secret that has readers: often a flag left in the manifest from the day when rotation was set
/// up, while today only the schedule was edited.
fn rotates_what_is_in_use(secret: &SecretPlan) -> bool {
    secret.observed.as_ref().is_some_and(|live| live.current_version().is_some())
        && secret.actions.iter().any(|action| matches!(action, Action::Rotate { immediately: true, .. }))
}

fn adopts_from_cloudformation(secret: &SecretPlan, owner: &str) -> bool {
    let from_a_stack = |live: &LiveSecret| {
        !live.is_owned_by(owner) && live.tags.keys().any(|key| key.starts_with("aws:cloudformation:"))
    };
    secret.observed.as_ref().is_some_and(from_a_stack)
}

fn replaces_an_adopted_value(secret: &SecretPlan, owner: &str) -> bool {
    let has_value = |live: &LiveSecret| !live.is_owned_by(owner) && live.current_version().is_some();
    let puts_current = |action: &Action| matches!(action, Action::PutValue(value) if value.labels.is_empty());
    secret.observed.as_ref().is_some_and(has_value) && secret.actions.iter().any(puts_current)
}

/// How a policy that is put shuts the caller out, when it does for certain.
fn locks_out(live: &Live, secret: &SecretPlan) -> Option<String> {
    let puts_policy = secret.actions.iter().any(|action| matches!(action, Action::PutPolicy { .. }));
    let policy = secret.changes.iter().filter(|_| puts_policy).find_map(|change| match change {
        Change::Policy { after, .. } => match &**after {
            PlannedPolicy::Document { policy, .. } => Some(policy),
            _ => None,
        },
        _ => None,
    })?;
    let linted = secret.observed.as_ref().map_or_else(
        || LintedSecret::Named { account: live.account.as_deref(), region: &live.region, name: secret.name.as_str() },
        |observed| LintedSecret::Arn(&observed.arn),
    );
    let context = LintContext { secret: linted, caller: live.caller.as_deref() };
    shuts_out(policy, &context).map(|finding| finding.problem.message)
}

fn opens_to_everyone(secret: &SecretPlan) -> bool {
    let puts_policy = secret.actions.iter().any(|action| matches!(action, Action::PutPolicy { .. }));
    puts_policy
        && secret.changes.iter().any(|change| {
            matches!(change, Change::Policy { after, .. }
                if matches!(&**after, PlannedPolicy::Document { policy, .. } if policy.grants_broad_access()))
        })
}
