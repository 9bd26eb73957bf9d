//! Exit codes: a public contract.

use std::process::ExitCode as ProcessExitCode;

/// What the process ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// Done, or no changes.
    Success,
    /// An error; nothing was written, or nothing that was begun is half-written without being reported.
    Error,
    /// There are changes (`plan --detailed-exitcode`).
    Changes,
    /// A guard refused; nothing was written.
    Guard,
    /// The plan is stale: every secret that was to be written had changed since it was planned.
    Stale,
    /// Applied in part.
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

    /// How much it outweighs the others when several targets end differently; usage errors come before any target.
    const fn severity(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Changes => 1,
            Self::Guard => 2,
            Self::Stale => 3,
            Self::Partial => 4,
            Self::Error => 5,
            Self::Interrupted => 6,
            Self::Usage => 7,
        }
    }

    /// The more severe of the two: 130, 1, 5, 4, 3, 2, 0.
    #[must_use]
    pub const fn worst(self, other: Self) -> Self {
        if other.severity() > self.severity() { other } else { self }
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
            ExitCode::Partial,
            ExitCode::Error,
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
