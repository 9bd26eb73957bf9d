//! Names of statements. IAM documents letters and digits for a Sid; services have been seen to take more.

use super::super::PolicyProblem;
use super::statement::Statement;
use super::{Found, Lint};

/// Lints the Sid of a statement.
pub(super) fn lint(statement: &Statement<'_>, found: &mut Found) {
    let Some(sid) = statement.sid().filter(|sid| !sid.bytes().all(|byte| byte.is_ascii_alphanumeric())) else { return };
    let message =
        format!("the Sid `{sid}` has other characters than letters and digits, and the service may refuse it");
    let problem = PolicyProblem::new(statement.place_of("Sid"), message).quoting(sid);
    found.push((Lint::Sid, problem.with_help("IAM documents A-Z, a-z and 0-9 for a Sid, for example `AllowRotation`")));
}
