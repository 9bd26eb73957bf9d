//! What ValidateResourcePolicy finds wrong with a policy, and which of that a caller accepts.

use std::fmt;

/// A check that a policy did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyProblem {
    /// `CheckName`.
    pub check: Option<String>,
    /// `ErrorMessage`.
    pub message: String,
}

/// Risks that a caller takes by a flag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AcceptedRisks {
    /// A policy that opens the secret to everyone.
    pub broad_access: bool,
    /// A policy that shuts out whoever puts it.
    pub lock_out: bool,
}

impl PolicyProblem {
    /// Several on one line. Not escaped.
    pub fn words(problems: &[Self]) -> String {
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }

    /// Whether the check is the one of broad access. ValidateResourcePolicy makes it whatever BlockPublicPolicy will
    /// be, and documents neither its name nor its text, so both are looked at.
    pub fn is_broad_access(&self) -> bool {
        self.has(&["public"]) || self.has(&["broad", "access"])
    }

    /// Whether the check is the one that keeps a caller from shutting itself out.
    fn is_lock_out(&self) -> bool {
        self.has(&["lock", "out"]) || self.has(&["not allow you to manage"])
    }

    fn has(&self, words: &[&str]) -> bool {
        let check = self.check.as_deref().unwrap_or_default().to_lowercase();
        let message = self.message.to_lowercase();
        [check, message].iter().any(|text| words.iter().all(|word| text.contains(word)))
    }
}

impl AcceptedRisks {
    /// What remains of the problems of a policy that is put with `block_public_policy`: while PutResourcePolicy blocks
    /// public policies it would refuse one anyway.
    pub fn left_of(self, problems: Vec<PolicyProblem>, block_public_policy: bool) -> Vec<PolicyProblem> {
        let accepted = |problem: &PolicyProblem| {
            (self.broad_access && !block_public_policy && problem.is_broad_access())
                || (self.lock_out && problem.is_lock_out())
        };
        problems.into_iter().filter(|problem| !accepted(problem)).collect()
    }
}

impl fmt::Display for PolicyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.check {
            Some(check) => write!(f, "{check}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(check: &str, message: &str) -> PolicyProblem {
        PolicyProblem { check: Some(check.to_owned()), message: message.to_owned() }
    }

    #[test]
    fn a_flag_accepts_its_own_risk_and_no_other() {
        let all = || {
            vec![
                problem("BLOCK_PUBLIC_POLICY", "You can't attach a policy that allows broad access to the secret."),
                problem("LOCK_OUT", "Your changes will not allow you to manage this secret in the future."),
                problem("SYNTAX", "This resource policy contains a syntax error."),
            ]
        };
        let left = |broad_access, lock_out, block| {
            let left = AcceptedRisks { broad_access, lock_out }.left_of(all(), block);
            left.into_iter().filter_map(|problem| problem.check).collect::<Vec<_>>()
        };
        assert_eq!(left(false, false, false), ["BLOCK_PUBLIC_POLICY", "LOCK_OUT", "SYNTAX"]);
        assert_eq!(left(true, false, false), ["LOCK_OUT", "SYNTAX"]);
        assert_eq!(left(true, false, true), ["BLOCK_PUBLIC_POLICY", "LOCK_OUT", "SYNTAX"]);
        assert_eq!(left(false, true, true), ["BLOCK_PUBLIC_POLICY", "SYNTAX"]);
        assert_eq!(left(true, true, false), ["SYNTAX"]);
    }

    #[test]
    fn a_risk_is_known_by_any_of_its_words() {
        let left = |message: &str| {
            let accepted = AcceptedRisks { broad_access: true, lock_out: true };
            accepted.left_of(vec![PolicyProblem { check: None, message: message.to_owned() }], false).len()
        };
        for message in
            ["Public policy", "It grants broad access", "You lock yourself out", "This will not allow you to manage it"]
        {
            assert_eq!(left(message), 0, "{message}");
        }
        for message in ["broad", "access", "out", "lock"] {
            assert_eq!(left(message), 1, "{message}");
        }
    }
}
