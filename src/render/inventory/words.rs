//! What an auditor would say, in words, and what mends it.

use jiff::{SignedDuration, Timestamp};

use super::super::count;
use crate::desired::{AuditRules, RECOVERY_WINDOW_DAYS};
use crate::domain::TagKey;
use crate::inventory::{AuditFinding, Entry, Found, Inventory, TargetInventory};

/// `2026-11-26`.
pub(super) fn day(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%d").to_string()
}

/// So many days later.
pub(super) fn days_after(moment: Timestamp, days: u8) -> Timestamp {
    moment.checked_add(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MAX)
}

/// How long a secret that is scheduled for deletion can still be restored: `restorable for 2 to 25 more days`.
pub(super) fn restorable(scheduled: Timestamp, now: Timestamp) -> String {
    let left = |days: u8| days_after(scheduled, days).duration_since(now).as_hours().div_euclid(24).max(0);
    let (least, most) = (left(RECOVERY_WINDOW_DAYS.0), left(RECOVERY_WINDOW_DAYS.1));
    format!("going since {}, restorable for {least} to {most} more days", day(scheduled))
}

/// Whole days from then to the beginning of the run.
fn days_since(then: Timestamp, inventory: &Inventory) -> String {
    let days = usize::try_from(inventory.started.duration_since(then).as_hours() / 24).unwrap_or_default();
    count(days, "day").to_string()
}

/// Names that are told; further ones are counted.
const TOLD: usize = 3;

/// What was found, without the secret's name.
pub(super) fn message(finding: &AuditFinding, inventory: &Inventory) -> String {
    let ago = |then: Timestamp| days_since(then, inventory);
    match &finding.what {
        Found::OpenPolicy => "its policy gives broad access".to_owned(),
        Found::ReplicaFailed { place, message } => format!("its replica {place} failed: {message}"),
        Found::RotationStuck { version } => format!("its rotation is stuck: AWSPENDING is on {version}"),
        Found::RotationOverdue { due } => format!("its rotation was due on {}, {} ago", day(*due), ago(*due)),
        Found::DanglingPrincipal { problems } => problems.join("; "),
        Found::OtherAccounts { accounts } => {
            let accounts: Vec<&str> = accounts.iter().map(String::as_str).collect();
            format!("its policy lets in other accounts: {}", accounts.join(", "))
        }
        Found::Unused { last } => format!("last read on {}, {} ago", day(*last), ago(*last)),
        Found::NeverRead { created } => format!("never read since it was made, {} ago", ago(*created)),
        Found::RotationOff => "is not rotated automatically".to_owned(),
        Found::NeverRotated { created } => format!("never rotated since it was made, {} ago", ago(*created)),
        Found::RotationOld { last } => format!("last rotated on {}, {} ago", day(*last), ago(*last)),
        Found::ValueOld { since, exact: true } => format!("its value is {} old", ago(*since)),
        Found::ValueOld { since, exact: false } => {
            format!("was not changed for {}, so that its value is at least as old", ago(*since))
        }
        Found::DuplicateVersion { version, others } => {
            let mut named: Vec<String> = others.iter().take(TOLD).map(ToString::to_string).collect();
            if others.len() > TOLD {
                named.push(format!("{} more", others.len() - TOLD));
            }
            format!("has its version id {version} in common with {}", named.join(", "))
        }
        Found::Orphaned => "no manifest names it any more".to_owned(),
        Found::Unreadable { error } => format!("could not be read whole: {error}"),
        Found::Unmanaged => "nothing manages it".to_owned(),
        Found::NoValue => "has no value".to_owned(),
        Found::RotationRare { days } => {
            let days = count(usize::try_from(*days).unwrap_or_default(), "day");
            format!("may go {days} without a rotation")
        }
        Found::DefaultKey => "is encrypted with the account's aws/secretsmanager key".to_owned(),
        Found::Untagged { missing } if missing.is_empty() => "has no tag of its own".to_owned(),
        Found::Untagged { missing } => {
            let missing: Vec<&str> = missing.iter().map(TagKey::as_str).collect();
            format!("lacks the tag{} {}", if missing.len() == 1 { "" } else { "s" }, missing.join(", "))
        }
        Found::NotRestricted { has_policy: false } => {
            "has no policy: identity policies alone say who may read it".to_owned()
        }
        Found::NotRestricted { has_policy: true } => {
            "its policy denies nothing to those whom it does not name".to_owned()
        }
    }
}

/// A text as one word of a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// The command, or the line of a manifest, that mends it.
pub(super) fn fix(finding: &AuditFinding, target: &TargetInventory, entry: &Entry, rules: &AuditRules) -> String {
    let file = entry.manifest.as_ref().map(|origin| format!("in {}", origin.file));
    let whose = Whose {
        name: quoted(entry.secret.name.as_str()),
        at: quoted(&target.name),
        file: file.unwrap_or_default(),
        primary: entry.replica_of.as_deref().map(|region| format!("its primary in {region}")).unwrap_or_default(),
        owner: entry.owner.name().unwrap_or("somebody else").to_owned(),
    };
    fix_of(finding, entry, rules, &whose)
}

/// The same for several secrets alike, of which the name and the file are left open, and the target where they are in
/// several.
pub(super) fn fix_of_several(
    finding: &AuditFinding,
    target: Option<&TargetInventory>,
    entry: &Entry,
    rules: &AuditRules,
) -> String {
    let whose = Whose {
        name: "NAME".to_owned(),
        at: target.map_or_else(|| "TARGET".to_owned(), |target| quoted(&target.name)),
        file: "in its manifest".to_owned(),
        primary: "its primary".to_owned(),
        owner: "its owner".to_owned(),
    };
    fix_of(finding, entry, rules, &whose)
}

/// What of a secret stands in what mends a finding of it.
struct Whose {
    name: String,
    at: String,
    /// Where its manifest is, if it has one.
    file: String,
    /// Where its primary is, if it is a replica.
    primary: String,
    /// Who manages it.
    owner: String,
}

fn fix_of(finding: &AuditFinding, entry: &Entry, rules: &AuditRules, whose: &Whose) -> String {
    let Whose { name, at, file, primary, owner } = whose;
    let import = format!("keywright import --target {at} --select {name}");
    let import = if entry.in_scope {
        import
    } else {
        // What is out of scope is never looked at, nor imported.
        format!("name a prefix of it under `scope.namePrefixes` in keywright.yaml; then {import}")
    };
    let rotate = format!("keywright rotate {name} --target {at}");
    // What a manifest can say is said once there is one.
    let manifest = |line: &str| match &entry.manifest {
        Some(_) => format!("{file}: {line}"),
        None if entry.owner.is_unmanaged() => format!("{import}; then in its manifest: {line}"),
        None if entry.replica_of.is_some() => format!("at {primary}: {line}"),
        None => format!("where {owner} manages it: {line}"),
    };
    match &finding.what {
        Found::OpenPolicy => manifest("name who may read it under `spec.policy`"),
        Found::ReplicaFailed { .. } => format!("keywright plan --target {at} --select {name} says what repairs it"),
        Found::RotationStuck { .. } => {
            format!("look at the function's log; {rotate} --repair takes the label away")
        }
        Found::RotationOverdue { .. } => format!("look at the function's log; {rotate} tries again"),
        Found::DanglingPrincipal { .. } => manifest("take the principal out of `spec.policy`"),
        Found::OtherAccounts { .. } => manifest("keep in `spec.policy` only the accounts that are meant"),
        Found::Unused { .. } | Found::NeverRead { .. } => {
            manifest("if nobody needs it: `metadata.state: absent` (it can be restored for a while)")
        }
        Found::RotationOff => manifest("say who rotates it, and when, under `spec.rotation`"),
        Found::NeverRotated { .. } | Found::RotationOld { .. } | Found::ValueOld { .. }
            if entry.secret.rotation.enabled =>
        {
            rotate
        }
        Found::NeverRotated { .. } | Found::RotationOld { .. } | Found::ValueOld { .. } => {
            manifest("put a new value, or say who rotates it under `spec.rotation`")
        }
        Found::DuplicateVersion { .. } => "give each of them a value of its own".to_owned(),
        Found::Orphaned => {
            format!(
                "keywright import --all --target {at} --select {name} manages it again; keywright release {name} \
                 --target {at} lets go of it"
            )
        }
        Found::Unreadable { .. } => "the error says which permission, or which key, is missing".to_owned(),
        Found::Unmanaged => import,
        Found::NoValue => manifest("declare `spec.value`, or put one by hand"),
        Found::RotationRare { .. } => {
            let days = count(usize::try_from(rules.rotation_days).unwrap_or_default(), "day");
            manifest(&format!("rotate it at least every {days} under `spec.rotation`"))
        }
        Found::DefaultKey => manifest("name a key of your own under `spec.kmsKeyId`"),
        Found::Untagged { missing } => {
            let keys = match missing.as_slice() {
                [] => "tags".to_owned(),
                missing => missing.iter().map(TagKey::as_str).collect::<Vec<_>>().join(", "),
            };
            manifest(&format!("write {keys} under `spec.tags`"))
        }
        Found::NotRestricted { .. } => {
            manifest("deny access to all but those who need it under `spec.policy` (Deny with aws:PrincipalArn)")
        }
    }
}
