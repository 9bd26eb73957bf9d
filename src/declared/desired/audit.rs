//! What an audit looks for, and what a project says of it (`spec.audit`).
//!
//! The checks are those of auditors' tools that ask the same: Security Hub and AWS Config (their pages of controls and
//! managed rules), Prowler, Powerpipe's mods for AWS, Checkov and cfn_nag (their sources).

use std::fmt;
use std::str::FromStr;

use super::ignore::Ignore;
use crate::domain::TagKey;

/// What an audit may find. The words are a public contract: flags, manifests and documents use them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuditKind {
    /// Its policy gives broad access.
    OpenPolicy,
    /// A replica could not be made or kept up.
    ReplicaFailed,
    /// AWSPENDING stays on a version that is not current.
    RotationStuck,
    /// A part of it could not be read.
    Unreadable,
    /// Its rotation is more than two days late.
    RotationOverdue,
    /// Its policy names a principal that was deleted.
    DanglingPrincipal,
    /// Its policy lets other accounts in.
    OtherAccounts,
    /// Nobody has read it for a while.
    Unused,
    /// Nobody has ever read it.
    NeverRead,
    /// Its rotation is off.
    RotationOff,
    /// It was never rotated.
    NeverRotated,
    /// It was not rotated for a while.
    RotationOld,
    /// Its value is old.
    ValueOld,
    /// Several secrets have one version id.
    DuplicateVersion,
    /// This project owns it, and no manifest names it.
    Orphaned,
    /// Nothing manages it.
    Unmanaged,
    /// It has no value.
    NoValue,
    /// It rotates more seldom than it should.
    RotationRare,
    /// It is encrypted with the account's `aws/secretsmanager`.
    DefaultKey,
    /// Tags that it should have are missing.
    Untagged,
    /// No policy keeps those out whom it does not name.
    NotRestricted,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Somebody should look today.
    High,
    /// It weakens what secrets are for.
    Medium,
    /// It is good practice.
    Low,
    /// Some auditors ask for it.
    Info,
}

impl Severity {
    /// All of them, the worst first.
    pub const ALL: [Self; 4] = [Self::High, Self::Medium, Self::Low, Self::Info];

    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Info => "info",
        }
    }
}

/// A check of an auditor's tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditCheck {
    /// The tool.
    pub tool: &'static str,
    /// Its id there.
    pub id: &'static str,
}

const fn hub(id: &'static str) -> AuditCheck {
    AuditCheck { tool: "Security Hub", id }
}

const fn config(id: &'static str) -> AuditCheck {
    AuditCheck { tool: "AWS Config", id }
}

const fn prowler(id: &'static str) -> AuditCheck {
    AuditCheck { tool: "Prowler", id }
}

const fn powerpipe(id: &'static str) -> AuditCheck {
    AuditCheck { tool: "Powerpipe", id }
}

const fn checkov(id: &'static str) -> AuditCheck {
    AuditCheck { tool: "Checkov", id }
}

const fn cfn_nag(id: &'static str) -> AuditCheck {
    AuditCheck { tool: "cfn_nag", id }
}

const NOT_READ: [AuditCheck; 5] = [
    hub("SecretsManager.3"),
    config("secretsmanager-secret-unused"),
    prowler("secretsmanager_secret_unused"),
    powerpipe("secretsmanager_secret_unused"),
    powerpipe("secretsmanager_secret_unused_90_day"),
];

const NOT_ROTATED: [AuditCheck; 3] = [
    hub("SecretsManager.4"),
    config("secretsmanager-secret-periodic-rotation"),
    prowler("secretsmanager_secret_rotated_periodically"),
];

impl AuditKind {
    /// All of them, the worst first, in the order in which they are told.
    pub const ALL: [Self; 21] = [
        Self::OpenPolicy,
        Self::ReplicaFailed,
        Self::RotationStuck,
        Self::Unreadable,
        Self::RotationOverdue,
        Self::DanglingPrincipal,
        Self::OtherAccounts,
        Self::Unused,
        Self::NeverRead,
        Self::RotationOff,
        Self::NeverRotated,
        Self::RotationOld,
        Self::ValueOld,
        Self::DuplicateVersion,
        Self::Orphaned,
        Self::Unmanaged,
        Self::NoValue,
        Self::RotationRare,
        Self::DefaultKey,
        Self::Untagged,
        Self::NotRestricted,
    ];

    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::OpenPolicy => "open-policy",
            Self::ReplicaFailed => "replica-failed",
            Self::RotationStuck => "rotation-stuck",
            Self::RotationOverdue => "rotation-overdue",
            Self::DanglingPrincipal => "dangling-principal",
            Self::OtherAccounts => "other-accounts",
            Self::Unused => "unused",
            Self::NeverRead => "never-read",
            Self::RotationOff => "rotation-off",
            Self::NeverRotated => "never-rotated",
            Self::RotationOld => "rotation-old",
            Self::ValueOld => "value-old",
            Self::DuplicateVersion => "duplicate-version",
            Self::Orphaned => "orphaned",
            Self::Unreadable => "unreadable",
            Self::Unmanaged => "unmanaged",
            Self::NoValue => "no-value",
            Self::RotationRare => "rotation-rare",
            Self::DefaultKey => "default-key",
            Self::Untagged => "untagged",
            Self::NotRestricted => "not-restricted",
        }
    }

    /// How much it matters.
    pub fn severity(self) -> Severity {
        match self {
            // Whatever is worst may be in what could not be read: nobody may be told that there is none.
            Self::OpenPolicy | Self::ReplicaFailed | Self::RotationStuck | Self::Unreadable => Severity::High,
            Self::RotationOverdue
            | Self::DanglingPrincipal
            | Self::OtherAccounts
            | Self::Unused
            | Self::NeverRead
            | Self::RotationOff
            | Self::NeverRotated
            | Self::RotationOld
            | Self::ValueOld
            | Self::DuplicateVersion
            | Self::Orphaned => Severity::Medium,
            Self::Unmanaged | Self::NoValue | Self::RotationRare | Self::DefaultKey | Self::Untagged => Severity::Low,
            Self::NotRestricted => Severity::Info,
        }
    }

    /// What it means, in one sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::OpenPolicy => "The policy of a secret gives broad access, by the rules of BlockPublicPolicy.",
            Self::ReplicaFailed => "A replica, in another region or account, could not be made or kept up.",
            Self::RotationStuck => "AWSPENDING is on another version than AWSCURRENT: a rotation did not end.",
            Self::RotationOverdue => "A rotation is more than two days late.",
            Self::DanglingPrincipal => "A policy names a principal that was deleted.",
            Self::OtherAccounts => "A policy lets other accounts in.",
            Self::Unused => "Nobody has read a secret for `spec.audit.unusedDays`.",
            Self::NeverRead => "Nobody has ever read a secret that is older than `spec.audit.unusedDays`.",
            Self::RotationOff => "A secret is not rotated automatically.",
            Self::NeverRotated => "A secret older than `spec.audit.rotationDays` was never rotated.",
            Self::RotationOld => "The last rotation is longer ago than `spec.audit.rotationDays`.",
            Self::ValueOld => "A value is older than `spec.audit.valueAgeDays`.",
            Self::DuplicateVersion => "Several secrets have the same version id: probably one value was copied.",
            Self::Orphaned => "This project owns a secret, and no manifest names it.",
            Self::Unreadable => "A part of a secret could not be read, so that nothing is known of it.",
            Self::Unmanaged => "Nothing manages a secret: no project, no stack, no service.",
            Self::NoValue => "A secret has no value.",
            Self::RotationRare => "A secret is rotated more seldom than every `spec.audit.rotationDays`.",
            Self::DefaultKey => "A secret is encrypted with the account's `aws/secretsmanager` key.",
            Self::Untagged => "A secret lacks tags of `spec.audit.requiredTags`, or has none but AWS's own.",
            Self::NotRestricted => "No policy denies access to those whom it does not name.",
        }
    }

    /// The checks of auditors' tools that ask the same.
    pub fn checks(self) -> &'static [AuditCheck] {
        const OPEN: [AuditCheck; 1] = [prowler("secretsmanager_not_publicly_accessible")];
        const OVERDUE: [AuditCheck; 3] = [
            hub("SecretsManager.2"),
            config("secretsmanager-scheduled-rotation-success-check"),
            powerpipe("secretsmanager_secret_rotated_as_scheduled"),
        ];
        const RESTRICTED: [AuditCheck; 1] = [prowler("secretsmanager_has_restrictive_resource_policy")];
        const OFF: [AuditCheck; 5] = [
            hub("SecretsManager.1"),
            config("secretsmanager-rotation-enabled-check"),
            prowler("secretsmanager_automatic_rotation_enabled"),
            powerpipe("secretsmanager_secret_automatic_rotation_enabled"),
            checkov("CKV2_AWS_57"),
        ];
        const OLD: [AuditCheck; 2] = [
            powerpipe("secretsmanager_secret_last_changed_90_day"),
            powerpipe("secretsmanager_secret_last_changed_365_day"),
        ];
        const RARE: [AuditCheck; 1] = [checkov("CKV_AWS_304")];
        const KEY: [AuditCheck; 4] = [
            config("secretsmanager-using-cmk"),
            powerpipe("secretsmanager_secret_encrypted_with_kms_cmk"),
            checkov("CKV_AWS_149"),
            cfn_nag("W77"),
        ];
        const TAGS: [AuditCheck; 1] = [hub("SecretsManager.5")];
        match self {
            Self::OpenPolicy => &OPEN,
            Self::RotationOverdue => &OVERDUE,
            Self::OtherAccounts | Self::NotRestricted => &RESTRICTED,
            Self::Unused | Self::NeverRead => &NOT_READ,
            Self::RotationOff => &OFF,
            Self::NeverRotated | Self::RotationOld => &NOT_ROTATED,
            Self::ValueOld => &OLD,
            Self::RotationRare => &RARE,
            Self::DefaultKey => &KEY,
            Self::Untagged => &TAGS,
            Self::ReplicaFailed
            | Self::RotationStuck
            | Self::DanglingPrincipal
            | Self::DuplicateVersion
            | Self::Orphaned
            | Self::Unreadable
            | Self::Unmanaged
            | Self::NoValue => &[],
        }
    }
}

impl fmt::Display for AuditKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A word that no finding has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such finding: they are {}", words())]
pub struct UnknownAuditKind;

fn words() -> String {
    AuditKind::ALL.map(AuditKind::word).join(", ")
}

impl FromStr for AuditKind {
    type Err = UnknownAuditKind;

    fn from_str(text: &str) -> Result<Self, UnknownAuditKind> {
        Self::ALL.into_iter().find(|kind| kind.word() == text).ok_or(UnknownAuditKind)
    }
}

/// What findings are measured with, and what is excused.
#[derive(Clone, Debug)]
pub struct AuditRules {
    /// Days without a read after which a secret is unused.
    pub unused_days: u32,
    /// Days after which a value is old.
    pub value_age_days: u32,
    /// Days within which rotation is to happen.
    pub rotation_days: u32,
    /// Tags that every secret is to have; without any, one that is not AWS's own.
    pub required_tags: Vec<TagKey>,
    /// What is excused, each until a day.
    pub ignored: Vec<Ignore<AuditKind>>,
}

impl Default for AuditRules {
    fn default() -> Self {
        Self { unused_days: 90, value_age_days: 365, rotation_days: 90, required_tags: Vec::new(), ignored: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_listed_once_by_severity_and_known_by_its_word() {
        for kind in AuditKind::ALL {
            assert_eq!(kind.word().parse(), Ok(kind));
            assert_eq!(AuditKind::ALL.iter().filter(|other| **other == kind).count(), 1);
        }
        assert!(AuditKind::ALL.is_sorted_by_key(|kind| kind.severity()));
        assert!(AuditKind::ALL.is_sorted());
        assert!("stale".parse::<AuditKind>().is_err_and(|error| error.to_string().contains("never-read")));
    }
}
