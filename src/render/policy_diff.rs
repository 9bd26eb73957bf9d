//! The difference between two policies, on their canonical form, line by line.

use serde_json::Value;

use super::escape;
use super::line_diff::line_diff;
use super::rows::{Piece, Tone, piece};
use crate::plan::PlannedPolicy;

/// Lines of unchanged text around a change.
const CONTEXT: usize = 3;

/// The lines of the difference, escaped, without indentation and signs.
pub(super) fn policy_diff(before: &PlannedPolicy, after: &PlannedPolicy) -> Vec<Piece> {
    let mut lines = Vec::new();
    match before {
        PlannedPolicy::Unreadable => lines.push(piece(
            Tone::Faint,
            "(the live policy cannot be read while the secret is scheduled for deletion, so it is set whatever it is)",
        )),
        PlannedPolicy::Unparsable(_) => lines.push(piece(Tone::Faint, "(the live policy is not a JSON object)")),
        PlannedPolicy::None | PlannedPolicy::Document { .. } => {}
    }
    let (old, new) = (text(before, after), text(after, after));
    lines.extend(line_diff(&old, &new, CONTEXT, |tone, line| piece(tone, escape::line(line))));
    lines
}

/// The text that is compared: empty where there is none, or where it is not known. Actions are spelled as in
/// `spelling`.
fn text(policy: &PlannedPolicy, spelling: &PlannedPolicy) -> String {
    match policy {
        PlannedPolicy::None | PlannedPolicy::Unreadable => String::new(),
        PlannedPolicy::Unparsable(text) => format!("{text}\n"),
        PlannedPolicy::Document { policy, known: _ } => {
            let mut text = String::new();
            let spelling = match spelling {
                PlannedPolicy::Document { policy, known: _ } => Some(policy),
                PlannedPolicy::None | PlannedPolicy::Unreadable | PlannedPolicy::Unparsable(_) => None,
            };
            layout(&policy.spelled_as(spelling.as_slice()), 0, "", &mut text);
            text
        }
    }
}

/// Lists and objects that fit into this many columns stand on one line: a statement is read in six lines, not twenty.
const WIDTH: usize = 96;

/// JSON laid out for reading: whatever fits on a line is on one. `tail` follows the value on its last line.
fn layout(value: &Value, indent: usize, tail: &str, out: &mut String) {
    let one_line = one_line(value);
    let (open, close, members): (char, char, Vec<(String, &Value)>) = match value {
        Value::Object(object) if indent + one_line.len() + tail.len() > WIDTH => (
            '{',
            '}',
            object.iter().map(|(key, member)| (format!("{}: ", Value::from(key.as_str())), member)).collect(),
        ),
        Value::Array(list) if indent + one_line.len() + tail.len() > WIDTH => {
            ('[', ']', list.iter().map(|member| (String::new(), member)).collect())
        }
        _ => {
            out.push_str(&one_line);
            out.push_str(tail);
            out.push('\n');
            return;
        }
    };
    out.push(open);
    out.push('\n');
    for (index, (key, member)) in members.iter().enumerate() {
        let tail = if index + 1 < members.len() { "," } else { "" };
        out.extend(std::iter::repeat_n(' ', indent + 2));
        out.push_str(key);
        layout(member, indent + 2, tail, out);
    }
    out.extend(std::iter::repeat_n(' ', indent));
    out.push(close);
    out.push_str(tail);
    out.push('\n');
}

/// JSON on one line, with a space behind each colon and comma.
fn one_line(value: &Value) -> String {
    match value {
        Value::Object(object) if !object.is_empty() => {
            let members: Vec<String> = object
                .iter()
                .map(|(key, member)| format!("{}: {}", Value::from(key.as_str()), one_line(member)))
                .collect();
            format!("{{ {} }}", members.join(", "))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(one_line).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::PolicyDocument;

    fn document(value: Value) -> PlannedPolicy {
        PlannedPolicy::Document { policy: PolicyDocument::from_checked(value), known: true }
    }

    fn policy(role: &str) -> PlannedPolicy {
        document(serde_json::json!({ "Version": "2012-10-17", "Statement": [{
            "Sid": "Readers", "Effect": "Allow",
            "Principal": { "AWS": format!("arn:aws:iam::111111111111:role/{role}") },
            "Action": "secretsmanager:GetSecretValue", "Resource": "*" }] }))
    }

    #[test]
    fn a_changed_principal_is_one_line_and_the_rest_is_context() {
        let lines = policy_diff(&policy("checkout"), &policy("billing"));
        let changed: Vec<_> = lines.iter().filter(|line| line.tone != Tone::Plain).collect();
        assert_eq!(changed.len(), 2, "{lines:#?}");
        assert!(changed[0].text.contains("checkout") && changed[1].text.contains("billing"), "{lines:#?}");
    }

    #[test]
    fn equal_policies_have_no_lines() {
        assert!(policy_diff(&policy("a"), &policy("a")).is_empty());
    }

    #[test]
    fn what_is_laid_out_is_the_same_json() {
        let PlannedPolicy::Document { policy, .. } = policy("checkout") else { unreachable!() };
        let parsed: Value =
            serde_json::from_str(&text(&self::policy("checkout"), &PlannedPolicy::None)).unwrap_or_default();
        assert_eq!(parsed, *policy.canonical());
    }

    /// A live policy is written back in AWS's spelling, and the manifest's is the one that its reader knows.
    #[test]
    fn actions_keep_the_spelling_of_the_manifest() {
        let with = |actions: &[&str], effect: &str| {
            document(serde_json::json!({ "Statement": { "Effect": effect, "Action": actions, "Resource": "*" } }))
        };
        let written = ["kms:Decrypt", "secretsmanager:getSecretValue", "SecretsManager:Describe*"];
        let live = ["KMS:decrypt", "secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"];
        let lines = policy_diff(&with(&live, "Allow"), &with(&written, "Allow"));
        let changed: Vec<&str> =
            lines.iter().filter(|line| line.tone != Tone::Plain).map(|line| line.text.as_str()).collect();
        assert_eq!(changed.len(), 2, "{lines:#?}");
        for spelling in ["\"kms:Decrypt\"", "\"secretsmanager:getSecretValue\""] {
            assert!(changed.iter().all(|line| line.contains(spelling)), "{changed:#?}");
        }
        assert!(
            changed[1].contains("SecretsManager:Describe*") && changed[0].contains("DescribeSecret"),
            "{changed:#?}"
        );
    }

    #[test]
    fn hostile_text_cannot_leave_its_line() {
        let hostile = document(serde_json::json!({ "Statement": [], "Id": "\u{1b}[2J\u{202e}x" }));
        for line in policy_diff(&PlannedPolicy::None, &hostile) {
            assert!(!line.text.contains(['\u{1b}', '\u{202e}']), "{line:?}");
        }
    }
}
