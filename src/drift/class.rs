//! The kinds of drift.

use std::fmt;
use std::str::FromStr;

/// A kind of drift. The words are a public contract: flags, metrics and documents use them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A field other than the value differs from git.
    Changed,
    /// The current value is not the one in git, and git owns it.
    ValueChanged,
    /// The value was encrypted afresh in git, or changed there: that it is the live one is not proven.
    ReEncrypted,
    /// Its value is left to people, and it has none.
    AwaitingValue,
    /// A manifest names a secret that does not exist.
    Missing,
    /// In scope, without an owner.
    Unmanaged,
    /// Owned by this target, and no manifest names it.
    Orphaned,
    /// Owned by another project, or by an AWS service.
    Foreign,
    /// A manifest wants it, and it is scheduled for deletion.
    ScheduledForDeletion,
    /// Its next rotation should have happened by now.
    RotationOverdue,
    /// AWSPENDING stays on a version that is not current.
    RotationStuck,
    /// A replica could not be made.
    ReplicaFailed,
    /// It has a policy that its manifest says nothing of (`--audit`).
    PolicyUndeclared,
    /// It has replicas that its manifest says nothing of (`--audit`).
    ReplicasUndeclared,
    /// Its policy names a principal that was deleted.
    DanglingPrincipal,
    /// It could not be told whether it drifted.
    Unknown,
    /// The target could not be looked at.
    Unreachable,
}

impl Class {
    /// All of them, in the order in which reports show them: what needs somebody first, first.
    pub const ALL: [Self; 17] = [
        Self::Unreachable,
        Self::ValueChanged,
        Self::Changed,
        Self::Missing,
        Self::ScheduledForDeletion,
        Self::RotationStuck,
        Self::RotationOverdue,
        Self::ReplicaFailed,
        Self::DanglingPrincipal,
        Self::Foreign,
        Self::Orphaned,
        Self::Unmanaged,
        Self::PolicyUndeclared,
        Self::ReplicasUndeclared,
        Self::AwaitingValue,
        Self::ReEncrypted,
        Self::Unknown,
    ];

    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::ValueChanged => "value-changed",
            Self::ReEncrypted => "re-encrypted",
            Self::AwaitingValue => "awaiting-value",
            Self::Missing => "missing",
            Self::Unmanaged => "unmanaged",
            Self::Orphaned => "orphaned",
            Self::Foreign => "foreign",
            Self::ScheduledForDeletion => "scheduled-for-deletion",
            Self::RotationOverdue => "rotation-overdue",
            Self::RotationStuck => "rotation-stuck",
            Self::ReplicaFailed => "replica-failed",
            Self::PolicyUndeclared => "policy-undeclared",
            Self::ReplicasUndeclared => "replicas-undeclared",
            Self::DanglingPrincipal => "dangling-principal",
            Self::Unknown => "unknown",
            Self::Unreachable => "unreachable",
        }
    }

    /// Whether it counts as drift, given the classes that a person named: without any, all do but the one that git
    /// alone brought about, and what waits for people though nothing differs.
    pub fn counts(self, named: &[Self]) -> bool {
        let of_nobody = matches!(self, Self::ReEncrypted | Self::AwaitingValue);
        if named.is_empty() { !of_nobody } else { named.contains(&self) }
    }

    /// Whether something differs from git. What waits for people is told, and does not.
    pub fn is_difference(self) -> bool {
        self != Self::AwaitingValue
    }

    /// Whether only an audit tells of it.
    pub fn is_of_audit(self) -> bool {
        matches!(self, Self::PolicyUndeclared | Self::ReplicasUndeclared)
    }

    /// What it means, in one sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Changed => "A field other than the value differs from git.",
            Self::ValueChanged => "The current value is not the one in git, and git owns it.",
            Self::ReEncrypted => "The value was encrypted afresh in git: that it is the live one is not proven.",
            Self::AwaitingValue => "The value of a secret is left to people, and nobody has put one yet.",
            Self::Missing => "A manifest names a secret that does not exist.",
            Self::Unmanaged => "A secret in scope has no owner.",
            Self::Orphaned => "A secret belongs to this target, and no manifest names it.",
            Self::Foreign => "A secret in scope belongs to another project or to an AWS service.",
            Self::ScheduledForDeletion => "A manifest wants a secret that is scheduled for deletion.",
            Self::RotationOverdue => "The next rotation of a secret should have happened by now.",
            Self::RotationStuck => "AWSPENDING stays on a version that is not current.",
            Self::ReplicaFailed => "A replica could not be made.",
            Self::PolicyUndeclared => "A secret has a resource policy that its manifest says nothing of.",
            Self::ReplicasUndeclared => "A secret has replicas that its manifest says nothing of.",
            Self::DanglingPrincipal => "A policy names a principal that was deleted.",
            Self::Unknown => "It could not be told whether a secret drifted.",
            Self::Unreachable => "A target could not be looked at.",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A word that names no class.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no class of drift with this name; there are {}", Class::ALL.map(Class::word).join(", "))]
pub struct UnknownClass;

impl FromStr for Class {
    type Err = UnknownClass;

    fn from_str(word: &str) -> Result<Self, UnknownClass> {
        Self::ALL.into_iter().find(|class| class.word() == word).ok_or(UnknownClass)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_changed_counts_when_it_is_named() {
        assert!(!Class::ReEncrypted.counts(&[]) && Class::ReEncrypted.counts(&[Class::ReEncrypted]));
        assert!(!Class::AwaitingValue.counts(&[]) && Class::AwaitingValue.counts(&[Class::AwaitingValue]));
        assert!(Class::Changed.counts(&[]) && !Class::Changed.counts(&[Class::ReEncrypted]));
    }

    /// What is alerted on is what `drift` ends with 2 for.
    #[test]
    fn alerts_and_dashboard_leave_out_what_does_not_count() {
        let left_out: Vec<&str> = Class::ALL.into_iter().filter(|class| !class.counts(&[])).map(Class::word).collect();
        let guide = format!("(keywright_drift{{class!~\"{}\"}}) > 0", left_out.join("|"));
        assert!(include_str!("../../docs/guides/drift.md").contains(&guide), "{guide}");
        let panel = format!("class!~\\\"{}\\\"}})\"", left_out.join("|"));
        let dashboard = include_str!("../../examples/monitoring/dashboard.json");
        assert_eq!(dashboard.matches(&panel).count(), 2, "now, and by target: {panel}");
    }

    #[test]
    fn every_class_is_listed_once_and_known_by_its_word() {
        for class in Class::ALL {
            assert_eq!(class.word().parse(), Ok(class));
            assert_eq!(Class::ALL.iter().filter(|other| **other == class).count(), 1);
        }
        assert_eq!("drifted".parse::<Class>(), Err(UnknownClass));
    }
}
