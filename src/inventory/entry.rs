//! One secret with all that is known of it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::exposure::Exposure;
use super::findings::{self, AuditFinding};
use super::owner::Owner;
use super::{Depth, Stock};
use crate::collect::CollectMap as _;
use crate::desired::{AuditKind, Desired};
use crate::domain::{Region, SecretName, StagingLabel};
use crate::drift::Drift;
use crate::live::{Live, LiveSecret, OfSecret, Seen, ServiceError, VersionEntry};
use crate::origin::Origin;
use crate::plan::tagged_owner;
use crate::sort_few::SortFew as _;

/// How long AWSPENDING may stand on a version before the rotation is called stuck.
const STUCK_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// How long after its date a rotation is overdue: Security Hub's SecretsManager.2 may be up to two days late.
const OVERDUE_AFTER: SignedDuration = SignedDuration::from_hours(48);

/// The versions of secrets, as far as they were read.
pub type Versions = BTreeMap<SecretName, OfSecret<Vec<VersionEntry>>>;

/// One secret.
#[derive(Clone, Debug)]
pub struct Entry {
    /// As it is live.
    pub secret: LiveSecret,
    /// Whether its name is in the scope of the target.
    pub in_scope: bool,
    /// Who manages it.
    pub owner: Owner,
    /// Who it belongs to by its tag: the project's `valueOwnerTag`, else `owner`, else `team`.
    pub team: Option<String>,
    /// Its versions with their dates, the newest first; none where they were not read.
    pub versions: Option<Vec<VersionEntry>>,
    /// Whom its policy lets in.
    pub exposure: Exposure,
    /// The region of its primary, where it is a replica.
    pub replica_of: Option<String>,
    /// Where its manifest names it.
    pub manifest: Option<Origin>,
    /// Why it could not be read whole.
    pub error: Option<String>,
    /// How many AWS bills for it.
    pub billed: u64,
    /// What of it differs from git, where that was looked at.
    pub drifts: Vec<Drift>,
    /// What an auditor would say of it, the worst first.
    pub findings: Vec<AuditFinding>,
}

/// How the rotation of a secret stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationState {
    /// It is not rotated.
    Off,
    /// It is rotated.
    On,
    /// Its date passed more than two days ago.
    Overdue(Timestamp),
    /// AWSPENDING is on another version than AWSCURRENT.
    Stuck,
}

impl RotationState {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::On => "on",
            Self::Overdue(_) => "overdue",
            Self::Stuck => "stuck",
        }
    }
}

impl Entry {
    /// How its rotation stands.
    pub fn rotation(&self, now: Timestamp) -> RotationState {
        let secret = &self.secret;
        // A rotation that is under way has touched the secret just now.
        let under_way = secret.last_changed.is_some_and(|changed| now.duration_since(changed) < STUCK_AFTER);
        if secret.stuck_version().is_some() && !under_way {
            return RotationState::Stuck;
        }
        match secret.rotation_due() {
            Some(due) if now.duration_since(due) > OVERDUE_AFTER => RotationState::Overdue(due),
            _ if secret.rotation.enabled => RotationState::On,
            _ => RotationState::Off,
        }
    }

    /// The day on which it, or one of its replicas as far as these are known, was read last.
    pub fn last_read(&self) -> Option<Timestamp> {
        self.secret.last_accessed.max(self.secret.replicas_accessed)
    }

    /// When the current value was put, as far as that is known.
    pub fn value_since(&self) -> Option<Timestamp> {
        let current = self
            .versions
            .as_ref()?
            .iter()
            .find(|version| version.labels.iter().any(|label| label.as_str() == StagingLabel::CURRENT));
        current?.created
    }

    /// Whether it has replicas of which the list tells, and not where.
    pub fn has_unread_replicas(&self) -> bool {
        let is_primary = self.secret.primary_region.is_some() && self.replica_of.is_none();
        is_primary && self.secret.seen == Seen::Listed
    }
}

/// What a snapshot of a target shows, secret by secret. `excused` says what is excused beside what the project excuses,
/// and `now` is the service's time.
pub fn take_stock(
    desired: &Desired,
    live: Live,
    mut versions: Versions,
    depth: Depth,
    excused: &dyn Fn(AuditKind, &SecretName) -> bool,
    now: Timestamp,
) -> Stock {
    let Live { secrets, unreadable, region, caller, .. } = live;
    let (owner, old_names) = (desired.owner(), desired.old_names());
    let entries = secrets.into_values().map(|secret| {
        let (versions, problem) = match versions.remove(&secret.name) {
            Some(Ok(versions)) => (Some(newest_first(versions)), None),
            Some(Err(error)) => (None, Some(error)),
            None => (None, None),
        };
        let error = unreadable.get(&secret.name).or(problem.as_ref());
        // The same from run to run.
        let error = error.map(|error| ServiceError { request_id: None, ..error.clone() }.to_string());
        let team = tagged_owner(desired, &secret).map(|(_, text)| text.to_owned());
        let replica_of = secret.primary_region.as_ref().filter(|_| secret.is_replica_in(&region));
        Entry {
            in_scope: desired.scope.contains(secret.name.as_str()),
            owner: Owner::of(&secret, &owner, team.as_deref(), replica_of.map(Region::as_str)),
            exposure: Exposure::of(&secret, caller.as_deref()),
            replica_of: replica_of.map(|region| region.as_str().to_owned()),
            manifest: desired.secrets.get(&secret.name).map(|declared| declared.origin.clone()),
            billed: 0,
            drifts: Vec::new(),
            findings: Vec::new(),
            team,
            versions,
            error,
            secret,
        }
    });
    let mut entries: Vec<Entry> = entries.collect();
    let duplicates = findings::duplicates(&entries);
    let mut ignored = 0;
    for entry in &mut entries {
        let declared = entry.manifest.is_some() || old_names.contains(&entry.secret.name);
        let all = findings::of(entry, &desired.audit, &duplicates, declared, depth, now);
        let excused = |finding: &AuditFinding| {
            let (kind, name) = (finding.kind(), &entry.secret.name);
            excused(kind, name) || desired.audit.ignored.iter().any(|ignore| ignore.excuses(kind, name, now))
        };
        let (excused, left): (Vec<_>, Vec<_>) = all.into_iter().partition(excused);
        ignored += excused.len();
        entry.findings = left;
    }
    Stock { entries, ignored }
}

impl Stock {
    /// Notes what differs from git, by secret; secrets that are not there have no entry.
    pub fn note_drifts(&mut self, drifts: impl IntoIterator<Item = Drift>) {
        let at: BTreeMap<SecretName, usize> =
            self.entries.iter().enumerate().map(|(at, entry)| (entry.secret.name.clone(), at)).collect_map();
        for drift in drifts {
            if let Some(entry) = at.get(&drift.secret).and_then(|at| self.entries.get_mut(*at)) {
                entry.drifts.push(drift);
            }
        }
    }
}

fn newest_first(mut versions: Vec<VersionEntry>) -> Vec<VersionEntry> {
    versions.sort_few_by(|a, b| (b.created, &a.id).cmp(&(a.created, &b.id)));
    versions
}
