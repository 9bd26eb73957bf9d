//! From a plan and its findings to classes of drift.

use jiff::{SignedDuration, Timestamp};

use super::class::Class;
use crate::desired::{Desired, VALUE_TAG};
use crate::domain::{SecretName, VersionId};
use crate::live::{Live, LivePolicy, LiveSecret};
use crate::origin::Origin;
use crate::plan::{
    Change, Finding, FindingKind, Plan, PlanReport, ReplicaReason, SecretPlan, Selection, ValueReason, Verb,
};
use crate::policy::{Lint, LintContext, LintedSecret, lint};

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
    /// What differs: field names or a few words. Not escaped.
    pub what: String,
    /// What is known of who did it. Not escaped.
    pub hints: Vec<String>,
    /// What can be done about it.
    pub help: Option<&'static str>,
    /// Since when, as far as that is known.
    pub since: Option<Timestamp>,
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
    let reached = |name: &SecretName| desired.scope.contains(name.as_str()) && selection.contains(name);
    for (name, secret) in live.secrets.iter().filter(|(name, _)| reached(name)) {
        let ours = desired.secrets.contains_key(name) || secret.is_owned_by(&desired.owner());
        // A replica is looked at where its primary is.
        if ours && !secret.is_scheduled_for_deletion() && !secret.is_replica_in(&live.region) {
            drifts.extend(rotation(secret, now));
            drifts.extend(policy(desired, live, secret));
        }
    }
    for drift in &mut drifts {
        if drift.origin.is_none() {
            drift.origin = desired.secrets.get(&drift.secret).map(|desired_secret| desired_secret.origin.clone());
        }
    }
    drifts.sort_by(|a, b| (&a.secret, a.class, &a.what).cmp(&(&b.secret, b.class, &b.what)));
    drifts.dedup();
    drifts
}

fn new(class: Class, secret: &SecretName, what: impl Into<String>) -> Drift {
    Drift { class, secret: secret.clone(), origin: None, what: what.into(), hints: Vec::new(), help: None, since: None }
}

/// What a planned change says about what is live.
fn planned(plan: &SecretPlan) -> Vec<Drift> {
    let SecretPlan { name, origin, verb, observed, .. } = plan;
    let since = observed.as_ref().and_then(|secret| secret.last_changed);
    let one =
        |class, what: &str, help| Drift { origin: origin.clone(), since, help: Some(help), ..new(class, name, what) };
    match verb {
        Verb::Create => {
            vec![Drift { since: None, ..one(Class::Missing, "does not exist", "keywright apply creates it") }]
        }
        Verb::Restore => {
            let since = observed.as_ref().and_then(|secret| secret.deleted_at);
            let drift = one(Class::ScheduledForDeletion, "is scheduled for deletion", "keywright apply restores it");
            vec![Drift { since, ..drift }]
        }
        Verb::Delete if origin.is_some() => {
            vec![one(Class::Changed, "exists, and its manifest says state: absent", "keywright apply deletes it")]
        }
        Verb::Delete | Verb::Release => vec![one(
            Class::Orphaned,
            "belongs to this target, and no manifest names it",
            "write a manifest, or let an apply prune it",
        )],
        Verb::Adopt => {
            let mut drifts =
                vec![one(Class::Unmanaged, "is named by a manifest and has no owner yet", "keywright apply adopts it")];
            drifts.extend(differences(plan));
            drifts
        }
        Verb::Change => differences(plan),
    }
}

/// Which fields differ: the value apart from the others, and failed replicas apart from both.
fn differences(plan: &SecretPlan) -> Vec<Drift> {
    let mut drifts = Vec::new();
    let mut fields: Vec<String> = Vec::new();
    let observed = plan.observed.as_ref();
    let since = observed.and_then(|secret| secret.last_changed);
    for change in &plan.changes {
        match change {
            Change::Value { reason: reason @ ValueReason::ReEncryptedOrChanged { .. }, .. } => drifts.push(Drift {
                hints: value_hints(reason, observed),
                help: Some(
                    "keywright apply compares the two and writes down that they are equal, or puts the new one; drift \
                     --read-values compares them, with the key",
                ),
                ..new(Class::ReEncrypted, &plan.name, value_words(reason))
            }),
            Change::Tag { key, origin: None, .. } if key == VALUE_TAG && plan.verb == Verb::Change => {
                drifts.push(Drift {
                    help: Some("keywright apply --read-values writes that down"),
                    ..new(Class::ReEncrypted, &plan.name, "the value is encrypted afresh in git, and is the live one")
                });
            }
            Change::Value { reason, .. } => drifts.push(Drift {
                since,
                hints: value_hints(reason, observed),
                help: Some(
                    "look at who changed it; keywright apply puts git's value back, or put the new one into git",
                ),
                ..new(Class::ValueChanged, &plan.name, value_words(reason))
            }),
            Change::Replica { region, reason: ReplicaReason::Failed { message }, .. } => drifts.push(Drift {
                help: Some("remove what stands in its way there; the next apply tries again"),
                ..new(Class::ReplicaFailed, &plan.name, format!("the replica in {region} failed: {message}"))
            }),
            // keywright's own tags come with an adoption, and are no difference that somebody made.
            Change::Tag { origin: None, .. } if plan.verb == Verb::Adopt => {}
            other => fields.push(field(other)),
        }
    }
    fields.dedup();
    if !fields.is_empty() {
        drifts.push(Drift {
            since,
            hints: since.iter().map(|changed| format!("last changed {}", date(*changed))).collect(),
            help: Some("keywright plan shows the difference; apply puts git's state back"),
            ..new(Class::Changed, &plan.name, fields.join(", "))
        });
    }
    for drift in &mut drifts {
        drift.origin.clone_from(&plan.origin);
    }
    drifts
}

fn field(change: &Change) -> String {
    match change {
        Change::Description { .. } => "description".to_owned(),
        Change::KmsKey { .. } => "kmsKeyId".to_owned(),
        Change::Type { .. } => "type".to_owned(),
        Change::Tag { key, .. } => format!("tag {key}"),
        Change::Policy { .. } => "policy".to_owned(),
        Change::Label { label, .. } | Change::LabelRemoved { label, .. } => format!("label {label}"),
        Change::Rotation { .. } => "rotation".to_owned(),
        Change::Replica { region, .. } => format!("replica in {region}"),
        Change::Value { .. } => "value".to_owned(),
        Change::Restored { .. } | Change::Deleted { .. } => "deletion".to_owned(),
    }
}

fn value_words(reason: &ValueReason) -> &'static str {
    match reason {
        ValueReason::First => "has no value yet",
        ValueReason::NotFromGit { .. } => "the current value did not come from git",
        ValueReason::NowGenerated { .. } => "the value is still the one that git held, and a generated one is declared",
        ValueReason::ReEncryptedOrChanged { .. } => {
            "the value is encrypted afresh in git, or is another one there: equality is not proven"
        }
        ValueReason::Reverted { .. } => "another version is current than the one in git",
        ValueReason::Differs { .. } => "the live value is another one than git's",
        ValueReason::ForLabel => "git's version is not there for its label",
    }
}

/// What a version id tells of where the version came from.
fn value_hints(reason: &ValueReason, observed: Option<&LiveSecret>) -> Vec<String> {
    let current = match reason {
        ValueReason::NotFromGit { undone, moved_back: _ } => &undone.id,
        ValueReason::NowGenerated { current }
        | ValueReason::ReEncryptedOrChanged { current }
        | ValueReason::Reverted { current }
        | ValueReason::Differs { current } => current,
        ValueReason::First | ValueReason::ForLabel => return Vec::new(),
    };
    let terraform = current.starts_with("terraform-");
    let ours = VersionId::new(current.as_str()).is_some_and(|id| id.is_ours());
    let origin = if ours && matches!(reason, ValueReason::Differs { .. }) {
        "made under an id that keywright gives: from another commit, or by somebody who planted it"
    } else if ours {
        "made by keywright from another commit"
    } else if terraform {
        "made by Terraform"
    } else if current.len() == 36 && current.bytes().filter(|byte| *byte == b'-').count() == 4 {
        "made with a random id, as the console, the SDKs and rotation do"
    } else {
        "made with an id of somebody's own"
    };
    let mut hints = vec![format!("the current version {current} was {origin}")];
    if let Some(rotated) = observed.and_then(|secret| secret.rotation.last) {
        hints.push(format!("last rotated {}", date(rotated)));
    }
    if let Some(changed) = observed.and_then(|secret| secret.last_changed) {
        hints.push(format!("last changed {}", date(changed)));
    }
    hints
}

/// What a finding of the plan says.
#[expect(clippy::too_many_lines, reason = "a table: one arm for each finding")]
fn found(finding: &Finding) -> Option<Drift> {
    let Finding { secret, origin, kind } = finding;
    let (class, what, since, help) = match kind {
        FindingKind::Unmanaged { last_changed } => (
            Class::Unmanaged,
            "is live and in scope, and no manifest names it".to_owned(),
            *last_changed,
            "keywright import writes a manifest for it",
        ),
        FindingKind::CopiedTag { owner, last_changed } => (
            Class::Unmanaged,
            format!("carries an owner tag of {owner} that was copied from another secret, and no manifest names it"),
            *last_changed,
            "take the tag keywright:project off, or name it in a manifest to adopt it",
        ),
        FindingKind::OtherScope { prefix } => (
            Class::Orphaned,
            format!("belongs to this target under the scope prefix {prefix}, and no manifest names it"),
            None,
            "name it in a manifest (state: absent deletes it), or keep it with `keywright release`",
        ),
        FindingKind::OwnedOutsideScope { owner } => (
            Class::Orphaned,
            format!("belongs to {owner}, and is outside the scope"),
            None,
            "widen the scope to manage it again, or take the tag keywright:project off",
        ),
        FindingKind::Orphaned { last_changed } => (
            Class::Orphaned,
            "belongs to this target, and no manifest names it".to_owned(),
            *last_changed,
            "delete it with state: absent, keep it with `keywright release`, or set prune",
        ),
        FindingKind::Foreign { owner } | FindingKind::ForeignInScope { owner } => {
            (Class::Foreign, format!("belongs to {owner}"), None, "narrow one of the two scopes")
        }
        FindingKind::OwnedByService { service } => {
            (Class::Foreign, format!("is managed by the AWS service {service}"), None, "remove its manifest")
        }
        FindingKind::Replica { primary_region } => (
            Class::Changed,
            format!("is a replica here; its primary is in {primary_region}"),
            None,
            "manage it from a target in its primary's region",
        ),
        FindingKind::GeneratedFieldsChanged => (
            Class::ValueChanged,
            "fields beside a generated one are others in git than in the live value".to_owned(),
            None,
            "keywright apply --read-values puts them, and keeps the generated parts as they are live",
        ),
        FindingKind::ValueNotApplied { .. } => (
            Class::ValueChanged,
            "git's value is not live, and is left alone since the secret was rotated once".to_owned(),
            None,
            "write ownership: enforce or ownership: seed in its manifest",
        ),
        FindingKind::ValueUnreadable { reason } => {
            (Class::Unknown, format!("its value could not be compared: {reason}"), None, "check permission and key")
        }
        FindingKind::RotationPending {
            version,
            held_back: Some(reason @ ValueReason::ReEncryptedOrChanged { .. }),
        } => (
            Class::ReEncrypted,
            format!("{}; it is left alone while AWSPENDING is on {version}", value_words(reason)),
            None,
            "let the rotation finish, or `keywright rotate --repair`; then keywright apply compares the two",
        ),
        FindingKind::RotationPending { version, held_back: Some(reason) } => (
            Class::ValueChanged,
            format!("{}; it is left alone while AWSPENDING is on {version}", value_words(reason)),
            None,
            "look at who changed it; `keywright rotate --repair` clears a rotation that is stuck",
        ),
        FindingKind::OverwritesForeign { region, owner } => (
            Class::ReplicaFailed,
            format!("the replica in {region} cannot be made: a secret there belongs to {owner}"),
            None,
            "move or release the secret there first, or leave the region out",
        ),
        FindingKind::DependencyNotSelected { dependency } | FindingKind::DependencyAbsent { dependency } => {
            (Class::Unknown, format!("was not compared, since it needs {dependency}"), None, "keywright plan says why")
        }
        FindingKind::RotationPending { version, held_back: None } => (
            Class::Changed,
            format!("rotation is declared otherwise than it is; it is left alone while AWSPENDING is on {version}"),
            None,
            "let the rotation finish, or clear it with `keywright rotate --repair`",
        ),
        FindingKind::RotationWaitsForValue => (
            Class::Changed,
            "rotation is declared, and waits for a first value".to_owned(),
            None,
            "declare `value`, or put one by hand",
        ),
        FindingKind::ReplicaInProgress { regions } => {
            (Class::Unknown, format!("replicas in {} are being made", regions.join(", ")), None, "look again later")
        }
        // What is not drift, or is told from the live state itself.
        FindingKind::ValueUnknown
        | FindingKind::PolicyRejected { .. }
        | FindingKind::PolicyNotValidated { .. }
        | FindingKind::LooksRenamed { .. }
        | FindingKind::ValueEdges(_)
        | FindingKind::ValueReEncrypted => return None,
    };
    Some(Drift { origin: origin.clone(), since, help: Some(help), ..new(class, secret, what) })
}

/// Rotations that did not happen, or did not end.
fn rotation(secret: &LiveSecret, now: Timestamp) -> Option<Drift> {
    if let Some(stuck) = secret.stuck_version() {
        let since = secret.last_changed.filter(|changed| now.duration_since(*changed) < STUCK_AFTER);
        // A rotation that is under way has touched the secret just now.
        if since.is_some() {
            return None;
        }
        return Some(Drift {
            since: secret.last_changed,
            help: Some("look at the function's log; `keywright rotate --repair` takes the label away"),
            ..new(Class::RotationStuck, &secret.name, format!("AWSPENDING stays on {stuck}, which is not current"))
        });
    }
    let due = due(secret)?;
    // The list may lag five minutes behind a rotation.
    (now.duration_since(due) > OVERDUE_AFTER).then(|| Drift {
        since: Some(due),
        hints: secret.rotation.last.iter().map(|last| format!("last rotated {}", date(*last))).collect(),
        help: Some("look at the function's log; `keywright rotate` tries again"),
        ..new(Class::RotationOverdue, &secret.name, format!("should have been rotated by {}", date(due)))
    })
}

/// When the secret should have been rotated at the latest: the end of the next window, or of the one behind the last
/// rotation where the schedule has an even interval. The service moves the next window on when a rotation fails.
fn due(secret: &LiveSecret) -> Option<Timestamp> {
    let setup = secret.rotation.setup()?;
    let interval = setup.frequency.interval_hours().map(|hours| SignedDuration::from_hours(i64::from(hours)));
    // A window of a schedule in days is open for a day at most.
    let window = SignedDuration::from_hours(24);
    let behind_the_last = interval.and_then(|interval| secret.rotation.last?.checked_add(interval + window).ok());
    [secret.rotation.next, behind_the_last].into_iter().flatten().min()
}

fn date(date: Timestamp) -> String {
    date.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// Policies that git says nothing of; only where they were read.
fn policy(desired: &Desired, live: &Live, secret: &LiveSecret) -> Vec<Drift> {
    let desired_secret = desired.secrets.get(&secret.name);
    let exists = matches!(secret.policy, LivePolicy::Document(_) | LivePolicy::Unparsable(_));
    let mut drifts = Vec::new();
    if exists && desired_secret.is_none_or(|desired_secret| desired_secret.policy.is_none()) {
        drifts.push(Drift {
            since: secret.last_changed,
            help: Some("declare `policy` in its manifest, or `policy: null` to remove it"),
            ..new(Class::PolicyUndeclared, &secret.name, "has a resource policy that git says nothing of")
        });
    }
    if let LivePolicy::Document(document) = &secret.policy {
        let context = LintContext { secret: LintedSecret::Arn(secret.arn.as_str()), caller: live.caller.as_deref() };
        let dangling = lint(document, &context).into_iter().filter(|finding| finding.lint == Lint::DeletedPrincipal);
        drifts.extend(dangling.map(|finding| Drift {
            since: secret.last_changed,
            help: Some("remove it from the policy, or name the principal that took its place"),
            ..new(Class::DanglingPrincipal, &secret.name, finding.problem.message)
        }));
    }
    drifts
}
