//! Who is let in: everyone, another account, a service on anybody's behalf; and principals that are gone.

use super::super::PolicyProblem;
use super::super::access::names_everyone;
use super::super::principal::{account_of, is_account, is_id_of_deleted};
use super::statement::{Effect, Statement};
use super::{Found, Lint};
use crate::domain::{ArnParts, Partition};

/// Lints the principals of a statement. `account` and `partition` are the secret's.
pub(super) fn lint(statement: &Statement<'_>, account: Option<&str>, partition: &Partition, found: &mut Found) {
    deleted(statement, found);
    other_partitions(statement, partition, found);
    if statement.effect() != Some(Effect::Allow) {
        return;
    }
    if statement.has("NotPrincipal") {
        let problem = PolicyProblem::new(
            statement.place_of("NotPrincipal"),
            "`NotPrincipal` with Allow lets in everyone who is not listed, anonymous callers included",
        );
        found.push((Lint::AllowNotPrincipal, problem.with_help("list in `Principal` who may")));
    } else if names_everyone(&statement.canonical) {
        found.push(everyone(statement));
    }
    if statement.has("NotAction") {
        let problem = PolicyProblem::new(
            statement.place_of("NotAction"),
            "`NotAction` with Allow grants every action that is not listed, future ones included",
        );
        found.push((Lint::AllowNotAction, problem.with_help("list in `Action` what is granted")));
    }
    if statement.is_limited() {
        return;
    }
    if let Some(account) = account {
        other_accounts(statement, account, found);
    }
    for (pointer, service) in statement.principals("Principal", "Service") {
        let message = format!("`{service}` is let in on behalf of any AWS account");
        let problem = PolicyProblem::new(pointer, message).quoting(service).with_help(
            "add a Condition with `StringEquals` on `aws:SourceAccount`, or `ArnEquals` on `aws:SourceArn`: otherwise \
             somebody else's use of the service reaches this secret (the confused deputy problem)",
        );
        found.push((Lint::ConfusedDeputy, problem));
    }
}

fn everyone(statement: &Statement<'_>) -> (Lint, PolicyProblem) {
    let place = statement.place_of("Principal");
    if statement.is_limited() {
        let problem = PolicyProblem::new(place, "everyone is let in who meets the condition")
            .with_help("naming the principals needs no condition that somebody may loosen");
        return (Lint::LimitedWildcardPrincipal, problem);
    }
    let without = if statement.condition().is_some() {
        "the secret is open to everyone: the condition narrows it to no principal, account, organisation or network"
    } else {
        "the secret is open to everyone: there is no condition"
    };
    let help =
        "name the principals, or add a Condition with fixed values, for example `StringEquals` on `aws:PrincipalOrgID`";
    (Lint::WildcardPrincipal, PolicyProblem::new(place, without).with_help(help))
}

fn other_accounts(statement: &Statement<'_>, account: &str, found: &mut Found) {
    for (pointer, principal) in statement.principals("Principal", "AWS") {
        let Some(other) = account_of(principal).filter(|other| *other != account) else { continue };
        let who = if is_account(principal) {
            format!("account {other} decides which of its principals are let in")
        } else {
            format!("a principal of account {other} is let in")
        };
        let problem = PolicyProblem::new(pointer, who).quoting(other).with_help(
            "where this is meant, all is well; a Condition on `aws:PrincipalOrgID` or `aws:PrincipalArn` narrows it",
        );
        found.push((Lint::CrossAccount, problem));
    }
}

/// IAM knows principals of its own partition alone.
fn other_partitions(statement: &Statement<'_>, partition: &Partition, found: &mut Found) {
    for (pointer, principal) in statement.principals("Principal", "AWS") {
        let Some(arn) = ArnParts::parse(principal).filter(|arn| *partition != arn.partition) else { continue };
        let message = format!("this principal is in partition {}, and the secret is in {partition}", arn.partition);
        let problem = PolicyProblem::new(pointer, message)
            .with_help(format!("ARNs there begin with arn:{partition}:; nothing reaches across partitions"));
        found.push((Lint::OtherPartition, problem));
    }
}

fn deleted(statement: &Statement<'_>, found: &mut Found) {
    for key in ["Principal", "NotPrincipal"] {
        for (pointer, principal) in statement.principals(key, "AWS") {
            if is_id_of_deleted(principal) {
                let message = format!("`{principal}` is the id of a principal that was deleted");
                let problem = PolicyProblem::new(pointer, message).quoting(principal).with_help(
                    "remove it, or name the principal's ARN: a new one of the same name has another id, and this \
                     one fits nobody",
                );
                found.push((Lint::DeletedPrincipal, problem));
            }
        }
    }
}
