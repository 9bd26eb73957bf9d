//! What an auditor would say of a secret.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::entry::{Entry, RotationState};
use super::owner::Owner;
use super::{Depth, Inventory};
use crate::attribution::{Answer, Changed};
use crate::desired::{AuditKind, AuditRules, OWNER_TAG, Severity};
use crate::domain::{KmsKey, SecretName, TagKey, VersionId};
use crate::live::{LinkStatus, LivePolicy, ReplicaStatus};
use crate::sort_few::SortFew as _;

/// Something that an auditor would say of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditFinding {
    /// What was found.
    pub what: Found,
    /// Who brought it about, where CloudTrail was asked.
    pub who: Option<Answer>,
}

/// What was found, with what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Its policy gives broad access.
    OpenPolicy,
    /// A replica could not be made or kept up.
    ReplicaFailed {
        /// Its region, or the ARN of a secret in another account.
        place: String,
        /// AWS's words.
        message: String,
    },
    /// AWSPENDING stays on this version.
    RotationStuck {
        /// The version.
        version: VersionId,
    },
    /// It should have been rotated by then.
    RotationOverdue {
        /// When.
        due: Timestamp,
    },
    /// Its policy names principals that were deleted.
    DanglingPrincipal {
        /// In words.
        problems: Vec<String>,
    },
    /// Its policy lets these accounts in.
    OtherAccounts {
        /// The accounts.
        accounts: BTreeSet<String>,
    },
    /// It was read on that day for the last time.
    Unused {
        /// The day.
        last: Timestamp,
    },
    /// It was made then and never read.
    NeverRead {
        /// When it was made.
        created: Timestamp,
    },
    /// It is not rotated.
    RotationOff,
    /// It was made then and never rotated.
    NeverRotated {
        /// When it was made.
        created: Timestamp,
    },
    /// It was rotated then for the last time.
    RotationOld {
        /// When.
        last: Timestamp,
    },
    /// Its value was put then, or before.
    ValueOld {
        /// When.
        since: Timestamp,
        /// Whether that is the date of its version; else the secret was not changed at all since then.
        exact: bool,
    },
    /// Others have its version id.
    DuplicateVersion {
        /// The version.
        version: VersionId,
        /// The other secrets.
        others: Vec<SecretName>,
    },
    /// This project owns it, and no manifest names it.
    Orphaned,
    /// A part of it could not be read.
    Unreadable {
        /// Why.
        error: String,
    },
    /// Nothing manages it.
    Unmanaged,
    /// It has no value.
    NoValue,
    /// It may go so many days without a rotation.
    RotationRare {
        /// How many.
        days: u32,
    },
    /// It is encrypted with the account's `aws/secretsmanager`.
    DefaultKey,
    /// Tags that it should have are missing; none are named where any would do.
    Untagged {
        /// Their keys.
        missing: Vec<TagKey>,
    },
    /// No policy keeps out those whom it does not name.
    NotRestricted {
        /// Whether it has a policy.
        has_policy: bool,
    },
}

impl AuditFinding {
    /// Its kind.
    pub fn kind(&self) -> AuditKind {
        match self.what {
            Found::OpenPolicy => AuditKind::OpenPolicy,
            Found::ReplicaFailed { .. } => AuditKind::ReplicaFailed,
            Found::RotationStuck { .. } => AuditKind::RotationStuck,
            Found::RotationOverdue { .. } => AuditKind::RotationOverdue,
            Found::DanglingPrincipal { .. } => AuditKind::DanglingPrincipal,
            Found::OtherAccounts { .. } => AuditKind::OtherAccounts,
            Found::Unused { .. } => AuditKind::Unused,
            Found::NeverRead { .. } => AuditKind::NeverRead,
            Found::RotationOff => AuditKind::RotationOff,
            Found::NeverRotated { .. } => AuditKind::NeverRotated,
            Found::RotationOld { .. } => AuditKind::RotationOld,
            Found::ValueOld { .. } => AuditKind::ValueOld,
            Found::DuplicateVersion { .. } => AuditKind::DuplicateVersion,
            Found::Orphaned => AuditKind::Orphaned,
            Found::Unreadable { .. } => AuditKind::Unreadable,
            Found::Unmanaged => AuditKind::Unmanaged,
            Found::NoValue => AuditKind::NoValue,
            Found::RotationRare { .. } => AuditKind::RotationRare,
            Found::DefaultKey => AuditKind::DefaultKey,
            Found::Untagged { .. } => AuditKind::Untagged,
            Found::NotRestricted { .. } => AuditKind::NotRestricted,
        }
    }

    /// What was changed, if somebody brought it about: one of these is enough for this finding.
    pub fn changed(&self) -> BTreeSet<Changed> {
        match &self.what {
            Found::OpenPolicy | Found::OtherAccounts { .. } | Found::NotRestricted { has_policy: true } => {
                [Changed::Policy].into()
            }
            Found::ReplicaFailed { place, message: _ } if place.starts_with("arn:") => [Changed::Link].into(),
            Found::ReplicaFailed { place, message: _ } => [Changed::Replica(place.clone())].into(),
            Found::RotationStuck { .. } | Found::RotationOverdue { .. } => [Changed::Rotation].into(),
            Found::DuplicateVersion { version, others: _ } => [Changed::Version(version.to_string())].into(),
            // It was made by somebody else, or its owner tag was taken off.
            Found::Unmanaged => [Changed::Tag(OWNER_TAG.to_owned())].into(),
            // Nobody did anything, or nobody did it to the secret: a principal is deleted in IAM.
            Found::DanglingPrincipal { .. }
            | Found::Unused { .. }
            | Found::NeverRead { .. }
            | Found::RotationOff
            | Found::NeverRotated { .. }
            | Found::RotationOld { .. }
            | Found::RotationRare { .. }
            | Found::ValueOld { .. }
            | Found::Orphaned
            | Found::Unreadable { .. }
            | Found::NoValue
            | Found::DefaultKey
            | Found::Untagged { .. }
            | Found::NotRestricted { has_policy: false } => BTreeSet::new(),
        }
    }

    /// How much it matters.
    pub fn severity(&self) -> Severity {
        self.kind().severity()
    }
}

/// What makes a run fail (`--fail-on`): a kind of finding, or all of a severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failing {
    /// A kind.
    Kind(AuditKind),
    /// A severity, and what is worse.
    Severity(Severity),
}

impl std::str::FromStr for Failing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(severity) = Severity::ALL.into_iter().find(|severity| severity.word() == text) {
            return Ok(Self::Severity(severity));
        }
        let severities = Severity::ALL.map(Severity::word).join(", ");
        text.parse().map(Self::Kind).map_err(|error| format!("{error}; or a severity: {severities}"))
    }
}

impl Failing {
    /// Whether a finding of this kind is meant.
    pub fn holds_for(self, kind: AuditKind) -> bool {
        match self {
            Self::Kind(named) => named == kind,
            Self::Severity(least) => kind.severity() <= least,
        }
    }
}

impl Inventory {
    /// Whether anything was found that makes the run fail.
    pub fn fails(&self, failing: &[Failing]) -> bool {
        let mut kinds = self.entries().flat_map(|(_, entry)| entry.findings.iter().map(AuditFinding::kind));
        kinds.any(|kind| failing.iter().any(|failing| failing.holds_for(kind)))
    }
}

/// Which secrets have one version id as their current one, where several do. A replica has its primary's.
pub(super) fn duplicates(entries: &[Entry]) -> BTreeMap<VersionId, Vec<SecretName>> {
    let mut holders: BTreeMap<VersionId, Vec<SecretName>> = BTreeMap::new();
    let own = |entry: &&Entry| entry.replica_of.is_none() && entry.secret.cross_account.primary.is_none();
    for entry in entries.iter().filter(own) {
        if let Some(current) = entry.secret.current_version() {
            holders.entry(current.clone()).or_default().push(entry.secret.name.clone());
        }
    }
    holders.retain(|_, names| names.len() > 1);
    holders
}

/// Everything that an auditor would say of a secret, the worst first. `declared` is whether a manifest names it.
pub(super) fn of(
    entry: &Entry,
    rules: &AuditRules,
    duplicates: &BTreeMap<VersionId, Vec<SecretName>>,
    declared: bool,
    depth: Depth,
    now: Timestamp,
) -> Vec<AuditFinding> {
    // What is going needs no care.
    if entry.secret.is_scheduled_for_deletion() {
        return Vec::new();
    }
    let mut found = Vec::new();
    found.extend(entry.error.clone().map(|error| Found::Unreadable { error }));
    found.extend(used(entry, rules, now));
    found.extend(policy(entry, depth));
    found.extend(key(entry));
    // A replica has the value and the rotation of its primary, which is looked at where that is, and shows no tags.
    if entry.replica_of.is_none() {
        found.extend(managed(entry, declared));
        found.extend(tags(entry, rules));
        found.extend(rotated(entry, rules, now));
        found.extend(value(entry, rules, duplicates, now));
        found.extend(replicated(entry));
    }
    let mut findings: Vec<AuditFinding> = found.into_iter().map(|what| AuditFinding { what, who: None }).collect();
    findings.sort_few_by_key(AuditFinding::kind);
    findings
}

fn days(days: u32) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(days))
}

/// Whether it is longer ago than so many days.
fn is_older(then: Timestamp, limit: u32, now: Timestamp) -> bool {
    now.duration_since(then) > days(limit)
}

fn used(entry: &Entry, rules: &AuditRules, now: Timestamp) -> Option<Found> {
    // Where its replicas are not known, nobody knows who reads those.
    if entry.has_unread_replicas() {
        return None;
    }
    match (entry.last_read(), entry.secret.created) {
        (Some(last), _) => is_older(last, rules.unused_days, now).then_some(Found::Unused { last }),
        (None, Some(created)) => is_older(created, rules.unused_days, now).then_some(Found::NeverRead { created }),
        (None, None) => None,
    }
}

fn policy(entry: &Entry, depth: Depth) -> Vec<Found> {
    let exposure = &entry.exposure;
    let mut found = Vec::new();
    if exposure.public {
        found.push(Found::OpenPolicy);
    }
    if !exposure.dangling.is_empty() {
        found.push(Found::DanglingPrincipal { problems: exposure.dangling.clone() });
    }
    if !exposure.other_accounts.is_empty() {
        found.push(Found::OtherAccounts { accounts: exposure.other_accounts.clone() });
    }
    let has_policy = matches!(entry.secret.policy, LivePolicy::Document(_));
    let is_known = has_policy || entry.secret.policy == LivePolicy::None;
    if depth.audited && is_known && !exposure.restricts {
        found.push(Found::NotRestricted { has_policy });
    }
    found
}

fn managed(entry: &Entry, declared: bool) -> Option<Found> {
    match &entry.owner {
        Owner::Tag(_) | Owner::Nobody => Some(Found::Unmanaged),
        Owner::Project(_) if !declared => Some(Found::Orphaned),
        Owner::Project(_) | Owner::OtherProject(_) | Owner::Stack(_) | Owner::Service(_) | Owner::Primary(_) => None,
    }
}

fn key(entry: &Entry) -> Option<Found> {
    let key = entry.secret.kms_key_id.as_ref().map(KmsKey::as_str);
    key.is_none_or(|key| key.is_empty() || key.ends_with(KmsKey::DEFAULT_ALIAS)).then_some(Found::DefaultKey)
}

fn tags(entry: &Entry, rules: &AuditRules) -> Option<Found> {
    let tags = &entry.secret.tags;
    let missing: Vec<TagKey> = rules.required_tags.iter().filter(|key| !tags.contains_key(*key)).cloned().collect();
    let is_own = |key: &TagKey| !key.as_str().to_ascii_lowercase().starts_with("aws:");
    let lacks = !missing.is_empty() || (rules.required_tags.is_empty() && !tags.keys().any(is_own));
    lacks.then_some(Found::Untagged { missing })
}

fn rotated(entry: &Entry, rules: &AuditRules, now: Timestamp) -> Vec<Found> {
    let rotation = &entry.secret.rotation;
    let mut found = Vec::new();
    match (entry.rotation(now), entry.secret.stuck_version()) {
        (RotationState::Stuck, Some(version)) => found.push(Found::RotationStuck { version: version.clone() }),
        (RotationState::Overdue(due), _) => found.push(Found::RotationOverdue { due }),
        _ => {}
    }
    match entry.secret.rotation_setup() {
        None => found.push(Found::RotationOff),
        Some(setup) => {
            let hours = setup.frequency.schedule().map(|schedule| schedule.longest_interval_hours());
            let days = hours.map(|hours| hours.div_ceil(24)).filter(|days| *days > rules.rotation_days);
            found.extend(days.map(|days| Found::RotationRare { days }));
        }
    }
    match (rotation.last, entry.secret.created) {
        (Some(last), _) if is_older(last, rules.rotation_days, now) => found.push(Found::RotationOld { last }),
        (None, Some(created)) if is_older(created, rules.rotation_days, now) => {
            found.push(Found::NeverRotated { created });
        }
        _ => {}
    }
    found
}

fn value(
    entry: &Entry,
    rules: &AuditRules,
    duplicates: &BTreeMap<VersionId, Vec<SecretName>>,
    now: Timestamp,
) -> Vec<Found> {
    let secret = &entry.secret;
    let Some(current) = secret.current_version() else { return vec![Found::NoValue] };
    let mut found = Vec::new();
    // A secret that was not changed at all for so long has a value that is at least as old.
    let dated = entry.value_since().map(|since| (since, true));
    let since = dated.or_else(|| Some((secret.last_changed.or(secret.created)?, false)));
    if let Some((since, exact)) = since.filter(|(since, _)| is_older(*since, rules.value_age_days, now)) {
        found.push(Found::ValueOld { since, exact });
    }
    if let Some(holders) = duplicates.get(current).filter(|holders| holders.contains(&secret.name)) {
        let others = holders.iter().filter(|name| **name != secret.name).cloned().collect();
        found.push(Found::DuplicateVersion { version: current.clone(), others });
    }
    found
}

fn replicated(entry: &Entry) -> Vec<Found> {
    let failed =
        |place: &str, message: &str| Found::ReplicaFailed { place: place.to_owned(), message: message.to_owned() };
    let regions = entry.secret.replicas.iter().filter_map(|(region, replica)| match &replica.status {
        ReplicaStatus::Failed { message } => Some(failed(region.as_str(), message)),
        ReplicaStatus::InSync | ReplicaStatus::InProgress => None,
    });
    let links = &entry.secret.cross_account;
    let primary = links.primary.iter().map(|primary| (&primary.arn, &primary.status));
    let replicas = links.replicas.iter().map(|(arn, replica)| (arn, &replica.status));
    let links = primary.chain(replicas).filter_map(|(arn, status)| match status {
        LinkStatus::Failed { message } => Some(failed(arn.as_str(), message)),
        LinkStatus::Pending | LinkStatus::InProgress | LinkStatus::InSync | LinkStatus::Detached => None,
    });
    regions.chain(links).collect()
}
