//! From a plan and its findings to classes of drift.

use jiff::{SignedDuration, Timestamp};

use super::class::Class;
use super::difference::{Clue, Difference, Field, ValueDifference};
use crate::attribution::Answer;
use crate::desired::{Desired, DesiredSecret, REPLICATION_POLICY, VALUE_TAG};
use crate::domain::{Arn, SecretName, VersionId};
use crate::live::{CrossAccount, LinkStatus, Live, LivePolicy, LiveSecret, ServiceError};
use crate::origin::Origin;
use crate::plan::{
    Change, Finding, FindingKind, LinkFinding, LinkReason, MadeBy, OtherArn, Plan, PlanReport, ReplicaReason,
    SecretPlan, Selection, ValueReason, Verb,
};
use crate::policy::{Lint, LintContext, LintedSecret, lint};
use crate::sort_few::SortFew as _;

/// How long a rotation may lag behind its window before it is overdue: Secrets Manager tries a failed one again.
const OVERDUE_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// How long AWSPENDING may stand on a version before the rotation is called stuck.
const STUCK_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// Its kind.
    pub class: Class,
    /// The secret.
    pub secret: SecretName,
    /// Where its manifest names it.
    pub origin: Option<Origin>,
    /// What differs.
    pub what: Difference,
    /// What is known of who did it.
    pub hints: Vec<Clue>,
    /// Since when, as far as that is known.
    pub since: Option<Timestamp>,
    /// Who did it, as far as CloudTrail knows; none where it was not asked (`--who`). Nothing is decided by it.
    pub who: Option<Answer>,
}

/// Everything that differs in one target, by secret and class. `now` is the service's time.
pub fn classify(
    desired: &Desired,
    live: &Live,
    plan: &Plan,
    report: &PlanReport,
    selection: &Selection,
    now: Timestamp,
) -> Vec<Drift> {
    let mut drifts: Vec<Drift> = plan.secrets.iter().flat_map(planned).collect();
    drifts.extend(report.findings.iter().filter_map(found));
    // One that does not exist is missing.
    drifts.extend(report.awaiting.iter().filter(|one| one.exists).map(|one| {
        let origin = Some(one.origin.clone());
        Drift { origin, ..new(Class::AwaitingValue, &one.secret, Difference::AwaitsValue) }
    }));
    let old_names = desired.old_names();
    let reached = |name: &SecretName| desired.scope.contains(name.as_str()) && selection.contains(name);
    for (name, secret) in live.secrets.iter().filter(|(name, _)| reached(name)) {
        // What goes when another one has taken its place is told of that one.
        let goes = old_names.contains(name);
        let ours = desired.secrets.contains_key(name) || (!goes && secret.is_owned_by(&desired.owner()));
        // A replica is looked at where its primary is.
        if ours && !secret.is_scheduled_for_deletion() && !secret.is_replica_in(&live.region) {
            drifts.extend(rotation(secret, now));
            drifts.extend(policy(desired, live, secret));
            drifts.extend(replicas(desired, live, secret));
            drifts.extend(links(desired, live, secret));
        }
    }
    for drift in &mut drifts {
        if drift.origin.is_none() {
            drift.origin = desired.secrets.get(&drift.secret).map(|desired_secret| desired_secret.origin.clone());
        }
    }
    drifts.sort_few_by(|a, b| (&a.secret, a.class, &a.what).cmp(&(&b.secret, b.class, &b.what)));
    drifts.dedup();
    drifts
}

fn new(class: Class, secret: &SecretName, what: Difference) -> Drift {
    Drift { class, secret: secret.clone(), origin: None, what, hints: Vec::new(), since: None, who: None }
}

/// What a planned change says about what is live.
fn planned(plan: &SecretPlan) -> Vec<Drift> {
    let SecretPlan { name, origin, verb, observed, .. } = plan;
    let since = observed.as_ref().and_then(|secret| secret.last_changed);
    let one = |class, what| Drift { origin: origin.clone(), since, ..new(class, name, what) };
    match verb {
        Verb::Create => vec![Drift { since: None, ..one(Class::Missing, Difference::Missing) }],
        Verb::Move => {
            let class = if observed.is_some() { Class::Changed } else { Class::Missing };
            let from = plan.moved_from().map(|from| from.secret.name.clone());
            from.map(|from| Drift { since: None, ..one(class, Difference::Moves { from }) }).into_iter().collect()
        }
        Verb::Restore => {
            let since = observed.as_ref().and_then(|secret| secret.deleted_at);
            vec![Drift { since, ..one(Class::ScheduledForDeletion, Difference::ScheduledForDeletion) }]
        }
        Verb::Delete if origin.is_some() => vec![one(Class::Changed, Difference::DeclaredAbsent)],
        Verb::Delete | Verb::Release => {
            let item = plan.leaving.left_list.as_ref().map(|left| left.item.clone());
            vec![one(Class::Orphaned, Difference::Orphaned { pruned: true, item })]
        }
        Verb::Adopt => {
            let mut drifts = vec![one(Class::Unmanaged, Difference::NotAdopted)];
            drifts.extend(differences(plan));
            drifts
        }
        Verb::Change => differences(plan),
    }
}

/// Which fields differ: the value apart from the others, and failed replicas apart from both.
fn differences(plan: &SecretPlan) -> Vec<Drift> {
    let mut drifts = Vec::new();
    let mut fields: Vec<Field> = Vec::new();
    let observed = plan.observed.as_ref();
    let since = observed.and_then(|secret| secret.last_changed);
    let puts = plan.changes.iter().any(|change| matches!(change, Change::Value { .. }));
    for change in &plan.changes {
        match change {
            Change::Value { reason, .. } => {
                let value = ValueDifference::of(reason);
                let class = value.class();
                let since = since.filter(|_| class == Class::ValueChanged);
                let hints = clues(reason, observed);
                drifts.push(Drift { hints, since, ..new(class, &plan.name, Difference::Value(value)) });
            }
            // Beside a value that is put it says nothing of the live one.
            Change::Tag { key, origin: None, .. } if key == VALUE_TAG && puts => {}
            Change::Tag { key, origin: None, .. } if key == VALUE_TAG && plan.verb == Verb::Change => {
                drifts.push(new(Class::ReEncrypted, &plan.name, Difference::EqualReEncrypted));
            }
            Change::Replica { region, reason: ReplicaReason::Failed { message }, .. } => {
                let what = Difference::ReplicaFailed { region: region.clone(), message: message.clone() };
                drifts.push(new(Class::ReplicaFailed, &plan.name, what));
            }
            Change::CrossAccountReplica { after: Some(link), reason: LinkReason::Failed { message }, .. } => {
                let (OtherArn::Known(other), message) = (&link.replica, message.clone()) else { continue };
                let failed = LinkFinding::Failed { other: other.clone(), message };
                drifts.push(new(Class::ReplicaFailed, &plan.name, Difference::Link(failed)));
            }
            // keywright's own tags come with an adoption, and are no difference that somebody made.
            Change::Tag { origin: None, .. } if plan.verb == Verb::Adopt => {}
            other => fields.extend(field(other)),
        }
    }
    fields.dedup();
    if !fields.is_empty() {
        let hints = since.map(Clue::LastChanged).into_iter().collect();
        drifts.push(Drift { hints, since, ..new(Class::Changed, &plan.name, Difference::Fields(fields)) });
    }
    for drift in &mut drifts {
        drift.origin.clone_from(&plan.origin);
    }
    drifts
}

/// The field that a change is one of; none for the value, which is told apart.
fn field(change: &Change) -> Option<Field> {
    Some(match change {
        Change::Description { .. } => Field::Description,
        Change::KmsKey { .. } => Field::KmsKey,
        Change::Type { .. } => Field::Type,
        Change::Tag { key, .. } => Field::Tag(key.clone()),
        Change::Policy { .. } => Field::Policy,
        Change::Label { label, .. } | Change::LabelRemoved { label, .. } => Field::Label(label.clone()),
        Change::Rotation { .. } => Field::Rotation,
        Change::Replica { region, .. } => Field::Replica(region.clone()),
        Change::CrossAccountPrimary { .. } => Field::CrossAccountPrimary,
        Change::CrossAccountReplica { .. } => Field::CrossAccountReplica,
        Change::Restored { .. } | Change::Deleted { .. } => Field::Deletion,
        // A move is told as a whole.
        Change::Value { .. } | Change::Moved { .. } | Change::Carried { .. } => return None,
    })
}

/// What is known of where the current version came from.
fn clues(reason: &ValueReason, observed: Option<&LiveSecret>) -> Vec<Clue> {
    let (current, made_by) = match reason {
        ValueReason::NotFromGit { undone, moved_back: _, compared: _ } => (&undone.id, Some(undone.made_by)),
        ValueReason::NowGenerated { current }
        | ValueReason::NothingToKeep { current }
        | ValueReason::ReEncryptedOrChanged { current }
        | ValueReason::ChangedInGit { current }
        | ValueReason::Reverted { current }
        | ValueReason::Differs { current } => (current, None),
        ValueReason::First | ValueReason::ForLabel => return Vec::new(),
    };
    let version = current.clone();
    let made_by = made_by.unwrap_or_else(|| MadeBy::Named(version.origin()));
    let mut clues =
        vec![Clue::CurrentVersion { version, made_by, differs: matches!(reason, ValueReason::Differs { .. }) }];
    clues.extend(observed.and_then(|secret| secret.rotation.last).map(Clue::LastRotated));
    clues.extend(observed.and_then(|secret| secret.last_changed).map(Clue::LastChanged));
    clues
}

/// What a finding of the plan says.
fn found(finding: &Finding) -> Option<Drift> {
    let Finding { secret, origin, kind } = finding;
    let (class, what) = of_finding(kind)?;
    let since = match kind {
        FindingKind::Unmanaged { last_changed }
        | FindingKind::CopiedTag { last_changed, .. }
        | FindingKind::Orphaned { last_changed, .. } => *last_changed,
        _ => None,
    };
    Some(Drift { origin: origin.clone(), since, ..new(class, secret, what) })
}

fn of_finding(kind: &FindingKind) -> Option<(Class, Difference)> {
    Some(match kind {
        FindingKind::Unmanaged { .. } => (Class::Unmanaged, Difference::Unmanaged),
        FindingKind::CopiedTag { owner, .. } => (Class::Unmanaged, Difference::OwnerTagCopied { owner: owner.clone() }),
        FindingKind::OtherScope { prefix } => (Class::Orphaned, Difference::OtherScope { prefix: prefix.clone() }),
        FindingKind::OwnedOutsideScope { owner } => {
            (Class::Orphaned, Difference::OutsideScope { owner: owner.clone() })
        }
        FindingKind::Orphaned { left, .. } => {
            let item = left.as_ref().map(|left| left.item.clone());
            (Class::Orphaned, Difference::Orphaned { pruned: false, item })
        }
        FindingKind::Foreign { owner, whose } | FindingKind::ForeignInScope { owner, whose } => {
            (Class::Foreign, Difference::Foreign { owner: owner.clone(), whose: *whose })
        }
        FindingKind::TooManyTags { live, added, .. } => {
            (Class::Changed, Difference::TagsDoNotFit { live: *live, added: *added })
        }
        FindingKind::TooManyLabels { labels, live_only } => {
            (Class::Changed, Difference::LabelsDoNotFit { labels: *labels, live_only: live_only.clone() })
        }
        FindingKind::LabelNowhere { label, exists, .. } => {
            let class = if *exists { Class::Changed } else { Class::Missing };
            (class, Difference::LabelNowhere { label: label.clone(), exists: *exists })
        }
        FindingKind::OwnedByService { service } => (Class::Foreign, Difference::OfService { service: service.clone() }),
        FindingKind::ManagedMissing { service } => {
            (Class::Missing, Difference::ManagedMissing { service: service.clone() })
        }
        FindingKind::ManagedOtherwise { declared, owner } => {
            (Class::Foreign, Difference::ManagedOtherwise { declared: declared.clone(), owner: owner.clone() })
        }
        FindingKind::Replica { primary_region } => {
            (Class::Changed, Difference::Replica { primary: primary_region.clone() })
        }
        FindingKind::GeneratedFieldsChanged => (Class::ValueChanged, Difference::GeneratedFieldsChanged),
        FindingKind::ValueNotApplied { .. } => (Class::ValueChanged, Difference::ValueNotApplied),
        FindingKind::Unreadable { error } => {
            let reason = ServiceError { request_id: None, ..error.clone() }.to_string();
            (Class::Unknown, Difference::Unreadable { reason })
        }
        FindingKind::ValueUnreadable { reason } => {
            (Class::Unknown, Difference::ValueUnreadable { reason: reason.clone() })
        }
        FindingKind::RotationPending { version, held_back } => rotation_pending(version, held_back.as_ref()),
        FindingKind::OverwritesForeign { region, owner } => {
            let (region, owner) = (region.clone(), owner.clone());
            (Class::ReplicaFailed, Difference::ReplicaBlocked { region, owner })
        }
        FindingKind::DependencyNotSelected { dependency }
        | FindingKind::DependencyRefused { dependency }
        | FindingKind::DependencyUnreadable { dependency }
        | FindingKind::DependencyAbsent { dependency } => {
            (Class::Unknown, Difference::NotCompared { dependency: dependency.clone() })
        }
        FindingKind::MoveRefused { from, .. } | FindingKind::MoveWaits { from, .. } => {
            (Class::Changed, Difference::MoveStopped { from: from.clone() })
        }
        FindingKind::RotationWaitsForValue => (Class::Changed, Difference::RotationWaitsForValue),
        FindingKind::ReplicaInProgress { regions } => {
            (Class::Unknown, Difference::ReplicasInProgress { regions: regions.clone() })
        }
        FindingKind::ReplicasKept { regions, missing: _ } => {
            (Class::Changed, Difference::ReplicasKept { regions: regions.clone() })
        }
        FindingKind::CrossAccount(finding) => {
            let class = match finding {
                LinkFinding::Failed { .. } => Class::ReplicaFailed,
                LinkFinding::Waits { .. } | LinkFinding::Pending { .. } | LinkFinding::InProgress { .. } => {
                    Class::Unknown
                }
                _ => Class::Changed,
            };
            (class, Difference::Link(finding.clone()))
        }
        // What is not drift, or is told from the live state itself.
        FindingKind::ValueUnknown
        | FindingKind::MaybeNotGenerated
        | FindingKind::ReplicaPlaceTaken { .. }
        | FindingKind::PolicyRejected { .. }
        | FindingKind::PolicyNotValidated { .. }
        | FindingKind::LooksRenamed { .. }
        | FindingKind::MoveOver { .. }
        | FindingKind::ValueEdges(_)
        | FindingKind::ValueReEncrypted { .. } => return None,
    })
}

/// What is left alone while a rotation has not ended.
fn rotation_pending(version: &VersionId, held_back: Option<&ValueReason>) -> (Class, Difference) {
    let version = version.clone();
    match held_back.map(ValueDifference::of) {
        None => (Class::Changed, Difference::RotationHeldBack { version }),
        Some(value) => (value.class(), Difference::ValueHeldBack { value, version }),
    }
}

/// Rotations that did not happen, or did not end.
fn rotation(secret: &LiveSecret, now: Timestamp) -> Option<Drift> {
    if let Some(stuck) = secret.stuck_version() {
        let since = secret.last_changed.filter(|changed| now.duration_since(*changed) < STUCK_AFTER);
        // A rotation that is under way has touched the secret just now.
        if since.is_some() {
            return None;
        }
        let what =
            Difference::RotationStuck { version: stuck.clone(), primary: secret.cross_account.primary_arn().cloned() };
        return Some(Drift { since: secret.last_changed, ..new(Class::RotationStuck, &secret.name, what) });
    }
    let due = secret.rotation_due()?;
    // The list may lag five minutes behind a rotation.
    (now.duration_since(due) > OVERDUE_AFTER).then(|| Drift {
        since: Some(due),
        hints: secret.rotation.last.map(Clue::LastRotated).into_iter().collect(),
        ..new(Class::RotationOverdue, &secret.name, Difference::RotationOverdue { due })
    })
}

/// Replicas that git says nothing of, as a `replicas` block leaves them that was taken out of a manifest.
fn replicas(desired: &Desired, live: &Live, secret: &LiveSecret) -> Option<Drift> {
    let declared = desired.secrets.get(&secret.name).is_some_and(|desired_secret| desired_secret.replicas.is_some());
    let regions: Vec<_> = secret.replicas.keys().cloned().collect();
    (live.audited && !declared && !regions.is_empty())
        .then(|| new(Class::ReplicasUndeclared, &secret.name, Difference::ReplicasUndeclared { regions }))
}

/// Links with other accounts that git says nothing of.
fn links(desired: &Desired, live: &Live, secret: &LiveSecret) -> Vec<Drift> {
    let CrossAccount { primary, replicas } = &secret.cross_account;
    let declared = desired.secrets.get(&secret.name);
    let says = |said: fn(&DesiredSecret) -> bool| declared.is_some_and(said);
    let primary = primary.iter().filter(|_| !says(|secret| secret.cross_account_primary.is_some()));
    let replicas = replicas.iter().filter(|_| !says(|secret| secret.cross_account_replica.is_some()));
    let primary = primary.map(|primary| (&primary.arn, &primary.status));
    let links = primary.chain(replicas.map(|(arn, replica)| (arn, &replica.status))).filter(|_| live.audited);
    let (ended, going): (Vec<_>, Vec<_>) = links.partition(|(_, status)| **status == LinkStatus::Detached);
    let undeclared = |(links, ended): (Vec<(&Arn, _)>, bool)| {
        let others: Vec<Arn> = links.into_iter().map(|(arn, _)| arn.clone()).collect();
        let what = || Difference::LinksUndeclared { others: others.clone(), ended };
        (!others.is_empty()).then(|| new(Class::ReplicasUndeclared, &secret.name, what()))
    };
    [(going, false), (ended, true)].into_iter().filter_map(undeclared).collect()
}

/// Policies that git says nothing of; only where they were read.
fn policy(desired: &Desired, live: &Live, secret: &LiveSecret) -> Vec<Drift> {
    let desired_secret = desired.secrets.get(&secret.name);
    let exists = matches!(secret.policy, LivePolicy::Document(_) | LivePolicy::Unparsable(_));
    let mut drifts = Vec::new();
    if exists && desired_secret.is_none_or(|desired_secret| desired_secret.policy.is_none()) {
        let drift = new(Class::PolicyUndeclared, &secret.name, Difference::PolicyUndeclared);
        drifts.push(Drift { since: secret.last_changed, ..drift });
    }
    let replicates = secret.cross_account.primary.is_some();
    let others = secret.other_policies.iter().filter(|name| !(replicates && *name == REPLICATION_POLICY));
    let others: Vec<String> = others.cloned().collect();
    if !others.is_empty() {
        drifts.push(new(Class::PolicyUndeclared, &secret.name, Difference::OtherPolicies { names: others }));
    }
    if let LivePolicy::Document(document) = &secret.policy {
        let context = LintContext { secret: LintedSecret::Arn(secret.arn.as_str()), caller: live.caller.as_deref() };
        let dangling = lint(document, &context).into_iter().filter(|finding| finding.lint == Lint::DeletedPrincipal);
        drifts.extend(dangling.map(|finding| Drift {
            since: secret.last_changed,
            ..new(
                Class::DanglingPrincipal,
                &secret.name,
                Difference::DeletedPrincipal { problem: finding.problem.message },
            )
        }));
    }
    drifts
}
