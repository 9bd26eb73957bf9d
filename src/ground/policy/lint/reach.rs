//! Statements that apply to nothing: actions that Secrets Manager does not have, and resources that are not this
//! secret.

use super::super::PolicyProblem;
use super::super::pattern::{fits, has_wildcard, may_fit};
use super::super::vocabulary::{ACTIONS, nearest};
use super::condition::Verdict;
use super::statement::Statement;
use super::{Found, Lint};

const SERVICE: &str = "secretsmanager";

/// Lints the actions and resources of a statement. `arn` is the secret's, as far as it is known.
pub(super) fn lint(statement: &Statement<'_>, arn: &str, found: &mut Found) {
    for key in ["Action", "NotAction"] {
        for (pointer, action) in statement.strings(key) {
            if let Some(problem) = unknown_action(pointer, action) {
                found.push((Lint::UnknownAction, problem));
            }
        }
    }
    for (pointer, resource) in statement.strings("Resource") {
        if is_other_resource(resource, arn) {
            found.push((Lint::OtherResource, other_resource(pointer, resource, arn)));
        }
    }
    for (pointer, resource) in statement.strings("NotResource") {
        if fits(resource, arn) {
            let message = format!("`{resource}` is this secret, so the statement applies to nothing");
            let problem = PolicyProblem::new(pointer, message)
                .quoting(resource)
                .with_help("write `Resource: \"*\"`, which is the secret that the policy is attached to");
            found.push((Lint::OtherResource, problem));
        }
    }
}

/// Whether a statement is about an operation of Secrets Manager, such as `PutResourcePolicy`.
pub(super) fn is_about(statement: &Statement<'_>, operation: &str) -> bool {
    let action = format!("{SERVICE}:{operation}").to_ascii_lowercase();
    let names =
        |key: &str| statement.strings(key).iter().any(|(_, pattern)| fits(&pattern.to_ascii_lowercase(), &action));
    if statement.has("Action") { names("Action") } else { statement.has("NotAction") && !names("NotAction") }
}

/// Whether a statement is about the secret.
pub(super) fn covers(statement: &Statement<'_>, arn: &str) -> Verdict {
    let names = |key: &str| {
        let each = statement.strings(key);
        Verdict::any(each.iter().map(|(_, pattern)| {
            if fits(pattern, arn) {
                Verdict::Yes
            } else if pattern.contains("${") || may_fit(pattern, arn) {
                Verdict::Maybe
            } else {
                Verdict::No
            }
        }))
    };
    if statement.has("NotResource") { names("NotResource").negated() } else { names("Resource") }
}

fn unknown_action(pointer: String, action: &str) -> Option<PolicyProblem> {
    if action == "*" {
        return None;
    }
    // What is not an action at all is the grammar's to say.
    let (service, name) = action.split_once(':')?;
    if !fits(&service.to_ascii_lowercase(), SERVICE) {
        let close = nearest(service, [SERVICE]);
        let help = close.map_or_else(
            || "what a policy of a secret can allow or deny begins with `secretsmanager:`".to_owned(),
            |service| format!("did you mean `{service}:`?"),
        );
        let message =
            format!("`{action}` is not an action of Secrets Manager, and means nothing in a policy of a secret");
        return Some(PolicyProblem::new(pointer, message).quoting(action).with_help(help));
    }
    let pattern = name.to_ascii_lowercase();
    if ACTIONS.iter().any(|action| fits(&pattern, &action.to_ascii_lowercase())) {
        return None;
    }
    let (message, help) = if has_wildcard(name) {
        let help = "a pattern may stand for several, for example `secretsmanager:Get*`".to_owned();
        (format!("`{action}` fits no action of Secrets Manager"), help)
    } else {
        let help = nearest(name, ACTIONS).map_or_else(
            || "actions are named after operations, for example `secretsmanager:GetSecretValue`".to_owned(),
            |action| format!("did you mean `{SERVICE}:{action}`?"),
        );
        (format!("`{action}` is no action of Secrets Manager that this keywright knows; it may be newer"), help)
    };
    Some(PolicyProblem::new(pointer, message).quoting(action).with_help(help))
}

/// Whether a resource is certainly not the secret. A policy variable may stand for anything.
fn is_other_resource(resource: &str, arn: &str) -> bool {
    !resource.contains("${") && !may_fit(resource, arn)
}

fn other_resource(pointer: String, resource: &str, arn: &str) -> PolicyProblem {
    // `...:secret:NAME`, without the hyphen and six characters that end every ARN.
    let lacks_suffix =
        arn.len().checked_sub(7).and_then(|at| arn.get(..at)).is_some_and(|head| may_fit(resource, head));
    let message = if lacks_suffix {
        format!("`{resource}` lacks the six characters that end a secret's ARN, so the statement applies to nothing")
    } else {
        format!("`{resource}` is not this secret, so the statement doesn't apply to it")
    };
    PolicyProblem::new(pointer, message)
        .quoting(resource)
        .with_help("write \"*\", which is the secret that the policy is attached to")
}
