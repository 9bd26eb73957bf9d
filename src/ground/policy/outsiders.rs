//! Whom a policy lets in by a condition, and whether it keeps out those whom it does not name.

use serde_json::Value;

use super::access::{items, names_everyone};
use super::lint::Verdict;
use super::pattern::fits;
use super::standing::about;

/// The operation that gives the value.
const READ: &str = "secretsmanager:getsecretvalue";

/// The operators and keys of a canonical statement's condition, with their values.
fn conditions(statement: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let operators = statement.get("Condition").and_then(Value::as_object).into_iter().flatten();
    operators.flat_map(|(operator, keys)| {
        let keys = keys.as_object().into_iter().flatten();
        keys.map(|(key, values)| (operator.as_str(), key.as_str(), values))
    })
}

/// Whom statements that allow everybody let in by their conditions: accounts, and organizations as `organization o-…`.
/// `arn` is the secret's.
pub(super) fn let_in_by_condition(canonical: &Value, arn: &str) -> Vec<String> {
    let allows = |statement: &&Value| {
        statement["Effect"] == "Allow" && names_everyone(statement) && about(statement, Some(arn)) != Verdict::No
    };
    let statements = items(canonical.get("Statement")).filter(allows);
    let positive = |operator: &str| operator.starts_with("String") && !operator.contains("Not");
    let told =
        statements.flat_map(conditions).filter(|(operator, ..)| positive(operator)).flat_map(|(_, key, values)| {
            let texts = items(Some(values)).filter_map(Value::as_str);
            let told: Vec<String> = match key {
                _ if key.eq_ignore_ascii_case("aws:PrincipalAccount") => texts.map(str::to_owned).collect(),
                _ if key.eq_ignore_ascii_case("aws:PrincipalOrgID") => {
                    texts.map(|id| format!("organization {id}")).collect()
                }
                _ => Vec::new(),
            };
            told
        });
    told.collect()
}

/// Whether a statement denies reading to everybody, or to everybody but those that it names: by NotPrincipal, or by a
/// condition on who asks. `arn` is the secret's.
pub(super) fn keeps_others_out(canonical: &Value, arn: &str) -> bool {
    let names_read = |actions: &Value| {
        let actions = items(Some(actions)).filter_map(Value::as_str);
        actions.into_iter().any(|action| fits(&action.to_ascii_lowercase(), READ))
    };
    let reads = |statement: &Value| {
        about(statement, Some(arn)) == Verdict::Yes
            && match statement.get("NotAction") {
                Some(but) => !names_read(but),
                None => statement.get("Action").is_some_and(names_read),
            }
    };
    let but_some = |statement: &Value| {
        statement.get("Condition").is_none()
            || statement.get("NotPrincipal").is_some()
            || conditions(statement).any(|(operator, key, _)| {
                let key = key.to_ascii_lowercase();
                operator.contains("Not") && (key.starts_with("aws:principal") || key == "aws:userid")
            })
    };
    items(canonical.get("Statement")).any(|statement| {
        statement["Effect"] == "Deny" && names_everyone(statement) && reads(statement) && but_some(statement)
    })
}
