//! The layout in which GetResourcePolicy answers: the service parses a policy and writes it as Jackson's default
//! pretty printer does.

use serde_json::Value;

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
