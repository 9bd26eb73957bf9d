//! How GetResourcePolicy answers: the service parses a policy, turns account ids that are principals into the ARNs of
//! their roots (IAM, "Specifying a principal"), and writes it as Jackson's default pretty printer does.

use serde_json::Value;

use crate::home::is_account;
use keywright_ground::domain::Partition;

/// The document as it is kept, in a region of `partition`.
pub(crate) fn with_root_arns(mut document: Value, partition: &Partition) -> Value {
    let statements = match document.get_mut("Statement") {
        Some(Value::Array(statements)) => statements.as_mut_slice(),
        Some(statement) => std::slice::from_mut(statement),
        None => &mut [],
    };
    for key in ["Principal", "NotPrincipal"] {
        let named = statements.iter_mut().filter_map(|statement| statement.get_mut(key)?.get_mut("AWS"));
        for principals in named {
            let each = match principals {
                Value::Array(items) => items.as_mut_slice(),
                one => std::slice::from_mut(one),
            };
            for principal in each {
                if let Some(id) = principal.as_str().filter(|text| is_account(text)) {
                    *principal = format!("arn:{partition}:iam::{id}:root").into();
                }
            }
        }
    }
    document
}

/// Lays a policy out: two spaces for each level of objects, a space on either side of a colon, lists on the line
/// where they begin.
pub(crate) fn laid_out(document: &Value) -> String {
    let mut text = String::new();
    write(&mut text, document, 0);
    text
}

fn write(text: &mut String, value: &Value, level: usize) {
    match value {
        Value::Object(members) if members.is_empty() => text.push_str("{ }"),
        Value::Object(members) => {
            text.push('{');
            for (index, (key, member)) in members.iter().enumerate() {
                text.push_str(if index == 0 { "\n" } else { ",\n" });
                text.push_str(&"  ".repeat(level + 1));
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push_str(" : ");
                write(text, member, level + 1);
            }
            text.push('\n');
            text.push_str(&"  ".repeat(level));
            text.push('}');
        }
        Value::Array(items) => {
            text.push_str("[ ");
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push_str(", ");
                }
                // A list does not add a level: what is in it is laid out as its owner's.
                write(text, item, level);
            }
            text.push_str(if items.is_empty() { "]" } else { " ]" });
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn account_ids_become_the_root_arns_of_their_partition() {
        let policy = json!({"Statement": {
            "Principal": {"AWS": ["111111111111", "*"], "Service": "111111111111"},
            "NotPrincipal": {"AWS": "222222222222"}
        }});
        assert_eq!(
            with_root_arns(policy, &Partition::of_region("cn-north-1")),
            json!({"Statement": {
                "Principal": {"AWS": ["arn:aws-cn:iam::111111111111:root", "*"], "Service": "111111111111"},
                "NotPrincipal": {"AWS": "arn:aws-cn:iam::222222222222:root"}
            }})
        );
    }

    #[test]
    fn a_policy_is_laid_out_as_the_service_does() {
        let policy = json!({
            "Version": "2012-10-17",
            "Statement": [
                {"Sid": "One", "Action": ["a", "b"], "Condition": {}},
                {"Sid": "Two", "Principal": {"AWS": []}}
            ]
        });
        let expected = r#"{
  "Version" : "2012-10-17",
  "Statement" : [ {
    "Sid" : "One",
    "Action" : [ "a", "b" ],
    "Condition" : { }
  }, {
    "Sid" : "Two",
    "Principal" : {
      "AWS" : [ ]
    }
  } ]
}"#;
        assert_eq!(laid_out(&policy), expected);
    }
}
