//! Who is shut out: a Deny that keeps whoever set the policy from seeing or changing it afterwards.
//!
//! Only a denial can do that: the caller's own permissions allow what a policy of its own account is silent about.

use super::super::PolicyProblem;
use super::caller::Caller;
use super::condition::{Verdict, holds};
use super::reach::{covers, is_about};
use super::statement::{Effect, Statement};
use super::{Found, Lint};

/// What keywright needs to see a secret and its policy, and to change the policy back.
const NEEDED: [&str; 3] = ["DescribeSecret", "GetResourcePolicy", "PutResourcePolicy"];

/// Lints one statement. `account` and `arn` are the secret's, as far as they are known.
pub(super) fn lint(
    statement: &Statement<'_>,
    account: Option<&str>,
    arn: &str,
    caller: Option<&Caller<'_>>,
    found: &mut Found,
) {
    if statement.effect() != Some(Effect::Deny) {
        return;
    }
    let denied: Vec<&str> = NEEDED.into_iter().filter(|operation| is_about(statement, operation)).collect();
    if denied.is_empty() {
        return;
    }
    let applies = |caller: Option<&Caller<'_>>| {
        Verdict::all([
            names(statement, caller, account),
            covers(statement, arn),
            holds(statement.condition(), caller, account),
        ])
    };
    let what = listed(&denied);
    let (lint, message) = match (applies(None), caller.map(|caller| applies(Some(caller)))) {
        (Verdict::Yes, None | Some(Verdict::Yes)) => (
            Lint::ShutsOutAccount,
            format!("the statement denies {what} to everyone in the account, keywright included"),
        ),
        (_, Some(Verdict::Yes)) => (Lint::ShutsOutCaller, format!("the statement denies {what} to keywright itself")),
        (_, Some(Verdict::Maybe)) => {
            (Lint::MayShutOutCaller, format!("the statement denies {what} to keywright wherever its condition holds"))
        }
        _ => return,
    };
    let help = if statement.has("NotPrincipal") {
        "leave out whoever manages the secret with `ArnNotLike` on `aws:PrincipalArn`: what `NotPrincipal` names is \
         left out where its account is named too, and else denied with all of that account"
    } else {
        "leave out whoever manages the secret with `ArnNotLike` on `aws:PrincipalArn`, or deny only what reads the \
         value (secretsmanager:GetSecretValue)"
    };
    let problem = PolicyProblem::new(statement.pointer.as_str(), message).with_help(help);
    found.push((lint, problem));
}

/// Whether a statement names the caller; without one, everyone in the account.
fn names(statement: &Statement<'_>, caller: Option<&Caller<'_>>, account: Option<&str>) -> Verdict {
    let listed = |key: &str| -> Vec<&str> {
        statement.principals(key, "AWS").into_iter().map(|(_, principal)| principal).collect()
    };
    if statement.has("NotPrincipal") {
        return Caller::is_left_out(caller, account, &listed("NotPrincipal")).negated();
    }
    Verdict::any(listed("Principal").into_iter().map(|principal| Caller::is_meant(caller, account, principal)))
}

fn listed(operations: &[&str]) -> String {
    match operations {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
