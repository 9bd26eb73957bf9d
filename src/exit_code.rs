//! Exit codes: a public contract, and the one place that says which error and which apply ends with which.

use std::process::ExitCode as ProcessExitCode;

use crate::workflow::{ApplyOutcome, ApplyRun, ErrorKind, FileProblem, NothingDone};

/// What the process ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// Done, or no changes.
    Success,
    /// An error, and nothing was applied.
    Error,
    /// There are changes (`plan --detailed-exitcode`).
    Changes,
    /// A guard refused; nothing was written.
    Guard,
    /// The plan is stale: every secret that was to be written had changed since it was planned.
    Stale,
    /// Something was applied and something was not, in whatever targets; or what followed it failed.
    Partial,
    /// Wrong usage.
    Usage,
    /// Interrupted.
    Interrupted,
}

impl ExitCode {
    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Error => 1,
            Self::Changes => 2,
            Self::Guard => 3,
            Self::Stale => 4,
            Self::Partial => 5,
            Self::Usage => 64,
            Self::Interrupted => 130,
        }
    }

    /// What an error ends with.
    pub const fn of(error: &ErrorKind) -> Self {
        match error {
            ErrorKind::WrongFlag { .. }
            | ErrorKind::WrongUsage(_)
            | ErrorKind::SeveralTargets { .. }
            | ErrorKind::NoSuchTarget(_)
            | ErrorKind::NotSelected { .. }
            | ErrorKind::SelectsOldName { .. }
            | ErrorKind::IgnoresNothing { .. }
            | ErrorKind::File {
                problem:
                    FileProblem::WebhookUnreadable
                    | FileProblem::ProjectAlready
                    | FileProblem::NameTaken
                    | FileProblem::StateOfOther
                    | FileProblem::OfAnotherKind(_),
                ..
            } => Self::Usage,
            ErrorKind::OtherAccount { .. }
            | ErrorKind::NothingDone(NothingDone::ApplyGuard | NothingDone::OutGuard) => Self::Guard,
            ErrorKind::Stale => Self::Stale,
            ErrorKind::NotVerified
            | ErrorKind::ReplicaFailed { .. }
            | ErrorKind::ReplicasNotFollowed
            | ErrorKind::ReplicasLate(_)
            | ErrorKind::AfterWrite { .. }
            | ErrorKind::JournalLost { .. } => Self::Partial,
            ErrorKind::Interrupted { .. } => Self::Interrupted,
            ErrorKind::Manifests(_)
            | ErrorKind::Targets { .. }
            | ErrorKind::Values { .. }
            | ErrorKind::LeftAlone { .. }
            | ErrorKind::WhoUnknown(_)
            | ErrorKind::Secret { .. }
            | ErrorKind::File { .. }
            | ErrorKind::Listen(_)
            | ErrorKind::Local(_)
            | ErrorKind::Rehearsal { .. }
            | ErrorKind::NothingDone(
                NothingDone::ApplyErrors | NothingDone::OutErrors | NothingDone::NobodyToAsk | NothingDone::Declined,
            ) => Self::Error,
        }
    }

    /// How much it outweighs the others when several targets end differently; usage errors come before any target.
    const fn severity(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Changes => 1,
            Self::Guard => 2,
            Self::Stale => 3,
            Self::Error => 4,
            Self::Partial => 5,
            Self::Interrupted => 6,
            Self::Usage => 7,
        }
    }

    /// The more severe of the two: 130, 5, 1, 4, 3, 2, 0. What was applied in part outweighs an error, which says that
    /// nothing was applied.
    #[must_use]
    pub const fn worst(self, other: Self) -> Self {
        if other.severity() > self.severity() { other } else { self }
    }
}

impl ExitCode {
    /// What an apply ends with that left out secrets which could not be read.
    pub fn left_out(applied: Option<&ApplyRun<'_>>) -> Self {
        if applied.is_some_and(ApplyRun::wrote) { Self::Partial } else { Self::Error }
    }
}

impl From<ApplyOutcome> for ExitCode {
    fn from(outcome: ApplyOutcome) -> Self {
        match outcome {
            ApplyOutcome::Complete => Self::Success,
            ApplyOutcome::Partial => Self::Partial,
            ApplyOutcome::Stale => Self::Stale,
            ApplyOutcome::Failed => Self::Error,
            ApplyOutcome::Interrupted => Self::Interrupted,
        }
    }
}

impl From<ExitCode> for ProcessExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_severe_target_decides() {
        let order = [
            ExitCode::Success,
            ExitCode::Changes,
            ExitCode::Guard,
            ExitCode::Stale,
            ExitCode::Error,
            ExitCode::Partial,
            ExitCode::Interrupted,
        ];
        for (index, milder) in order.iter().enumerate() {
            for severe in &order[index..] {
                assert_eq!(milder.worst(*severe), *severe);
                assert_eq!(severe.worst(*milder), *severe);
            }
        }
    }

    #[test]
    fn the_numbers_are_the_documented_ones() {
        let numbers = [
            (ExitCode::Success, 0),
            (ExitCode::Error, 1),
            (ExitCode::Changes, 2),
            (ExitCode::Guard, 3),
            (ExitCode::Stale, 4),
            (ExitCode::Partial, 5),
            (ExitCode::Usage, 64),
            (ExitCode::Interrupted, 130),
        ];
        for (code, number) in numbers {
            assert_eq!(code.code(), number);
        }
    }
}
