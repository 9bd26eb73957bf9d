//! Whether a resource policy shuts out the caller who sets it.
//!
//! That is a Deny without a condition that holds for the caller and for PutResourcePolicy. A condition may let the
//! caller through, and nothing here evaluates conditions: a Deny with one passes. So does everything that only fails
//! to allow, since the caller's own permissions allow what the policy does not deny.

use serde_json::Value;

use super::identity::{AssumedRole, Named};
use super::pattern::fits;
use keywright_ground::policy::PolicyDocument;

/// What a caller must still be allowed to do.
const ACTION: &str = "secretsmanager:putresourcepolicy";

/// Whether a policy shuts out a caller of this account.
pub(crate) fn shuts_out(policy: &PolicyDocument, account: &str, caller: Named<'_>) -> bool {
    let names = names_of(account, caller);
    items(policy.canonical().get("Statement")).any(|statement| {
        let member = |name: &str| statement.get(name);
        let denies = member("Effect").is_some_and(|effect| effect == "Deny") && member("Condition").is_none();
        let names_action = |set: &Value| items(Some(set)).filter_map(Value::as_str).any(is_action);
        let of_action = match (member("Action"), member("NotAction")) {
            (Some(set), _) => names_action(set),
            (None, Some(set)) => !names_action(set),
            (None, None) => false,
        };
        let names_caller = |principal: &Value| names_caller(principal, &names);
        let of_caller = match (member("Principal"), member("NotPrincipal")) {
            (Some(principal), _) => names_caller(principal),
            (None, Some(principal)) => !names_caller(principal),
            (None, None) => false,
        };
        denies && of_action && of_caller
    })
}

/// Every name by which a policy can mean the caller. The partition is left out, as one account is in one only.
fn names_of(account: &str, caller: Named<'_>) -> Vec<String> {
    let mut names = vec![account.to_owned(), format!("iam::{account}:root")];
    match caller {
        Named::Role(AssumedRole { path, role, session }) => {
            names.push(format!("iam::{account}:role/{path}{role}"));
            names.push(format!("sts::{account}:assumed-role/{role}/{session}"));
        }
        Named::User(user) => names.push(format!("iam::{account}:user/{user}")),
    }
    names
}

fn names_caller(principal: &Value, names: &[String]) -> bool {
    let listed = match principal {
        Value::Object(kinds) => kinds.get("AWS"),
        everyone => Some(everyone),
    };
    items(listed).filter_map(Value::as_str).any(|listed| {
        let without_partition = listed.strip_prefix("arn:").and_then(|rest| rest.split_once(':')).map(|(_, rest)| rest);
        listed == "*" || names.iter().any(|name| name == without_partition.unwrap_or(listed))
    })
}

/// Whether a pattern of an action, such as `secretsmanager:Put*`, means the one that matters.
fn is_action(pattern: &str) -> bool {
    fits(&pattern.to_ascii_lowercase(), ACTION)
}

/// The members of a canonical set, which is a list or the one member itself.
fn items(set: Option<&Value>) -> impl Iterator<Item = &Value> {
    match set {
        Some(Value::Array(items)) => items.as_slice(),
        Some(single) => std::slice::from_ref(single),
        None => &[],
    }
    .iter()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_deny_without_a_condition_that_names_the_caller_shuts_out() {
        let account = "111122223333";
        let role = AssumedRole { path: String::new(), role: "deploy".to_owned(), session: "ci".to_owned() };
        let shuts = |statement: &Value, caller| {
            let policy = PolicyDocument::from_checked(json!({"Version": "2012-10-17", "Statement": statement}));
            shuts_out(&policy, account, caller)
        };
        let root = format!("arn:aws:iam::{account}:root");
        let deploy = format!("arn:aws:iam::{account}:role/deploy");
        let sandbox = format!("arn:aws:iam::{account}:user/sandbox");
        for (statement, user, assumed) in [
            (json!({"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:*"}), true, true),
            (
                json!({"Effect": "Deny", "Principal": {"AWS": root}, "Action": ["a:B", "secretsmanager:Put*Policy"]}),
                true,
                true,
            ),
            (json!({"Effect": "Deny", "Principal": {"AWS": account}, "Action": "*"}), true, true),
            (json!({"Effect": "Deny", "Principal": {"AWS": "444455556666"}, "Action": "*"}), false, false),
            (json!({"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:GetSecretValue"}), false, false),
            (json!({"Effect": "Deny", "Principal": "*", "NotAction": "secretsmanager:GetSecretValue"}), true, true),
            (
                json!({"Effect": "Deny", "Principal": "*", "Action": "*", "Condition": {"Bool": {"a": "true"}}}),
                false,
                false,
            ),
            (json!({"Effect": "Allow", "Principal": "*", "Action": "*"}), false, false),
            (json!({"Effect": "Deny", "Action": "*", "NotPrincipal": {"AWS": deploy}}), true, false),
            (json!({"Effect": "Deny", "Action": "*", "Principal": {"AWS": sandbox}}), true, false),
        ] {
            let (nobody, role) = (shuts(&statement, Named::NOBODY), shuts(&statement, Named::Role(&role)));
            assert_eq!((nobody, role), (user, assumed), "{statement}");
        }
    }
}
