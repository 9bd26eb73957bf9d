//! A policy document, as it was written and in its canonical form.

use serde_json::Value;

use super::meaning::{self, Shift};
use super::{access, canonical, duplicates, outsiders, syntax};
use crate::domain::Partition;

/// The largest resource policy that PutResourcePolicy takes, in bytes of the text that is sent.
pub const MAX_POLICY_BYTES: usize = 20_480;

/// The longest text that is read as a policy, in bytes: the largest one, generously indented.
pub const MAX_POLICY_TEXT: usize = 8 * MAX_POLICY_BYTES;

/// So many problems of one document are told. Nobody mends more at a time, and what each of them costs (its place, the
/// nearest name) has a bound that way.
pub(super) const MAX_PROBLEMS: usize = 100;

/// The resource policy of a secret.
///
/// Two documents are equal when their canonical forms are: when IAM can't tell them apart by the rules that its
/// documentation states. Equality never reasons about what a wildcard covers.
#[derive(Clone, Debug)]
pub struct PolicyDocument {
    written: Value,
    canonical: Value,
}

/// Something in a policy document that IAM would not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyProblem {
    /// Where, as an RFC 6901 pointer into the document; for something that is missing, the object that lacks it.
    pub pointer: String,
    /// What is wrong, in a sentence that may quote the document.
    pub message: String,
    /// The same sentence without anything of the document, for documents whose text must not be shown.
    pub unquoted: String,
    /// What would be right.
    pub help: Option<String>,
}

impl PolicyProblem {
    pub(super) fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { pointer: pointer.into(), unquoted: message.clone(), message, help: None }
    }

    /// Says that the message quotes `text` from the document, in back-ticks or as it is.
    pub(super) fn quoting(self, text: &str) -> Self {
        let in_ticks = format!("`{text}`");
        let unquoted = if self.message.contains(&in_ticks) {
            self.message.replace(&in_ticks, "`…`")
        } else if text.is_empty() {
            self.message.clone()
        } else {
            self.message.replace(text, "…")
        };
        Self { unquoted, ..self }
    }

    pub(super) fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

/// That a document of so many bytes is more than Secrets Manager takes.
pub(super) fn too_large(bytes: usize) -> PolicyProblem {
    PolicyProblem::new(
        "",
        format!("the policy takes {bytes} bytes, and Secrets Manager takes {MAX_POLICY_BYTES} at most"),
    )
    .with_help("join statements that differ only in their principals or actions")
}

impl PolicyDocument {
    /// The problems of a document, in the order in which it is written: the first 100. Of one that is too large, only
    /// that.
    ///
    /// The rules are IAM's grammar for resource policies, and the size of the text that would be sent. What only the
    /// service knows is not checked: whether a principal exists, and whether the caller would lock itself out.
    pub fn check(document: &Value) -> Vec<PolicyProblem> {
        syntax::problems(document)
    }

    /// Reads and checks the text of a policy. Keys that are written twice in one object are listed first.
    pub fn parse(text: &str) -> Result<Self, Vec<PolicyProblem>> {
        if text.len() > MAX_POLICY_TEXT {
            return Err(vec![too_large(text.len())]);
        }
        let document: Value = serde_json::from_str(text).map_err(|error| {
            vec![
                PolicyProblem::new("", format!("this is not JSON: {error}"))
                    .with_help("a policy is a JSON object such as {\"Version\": \"2012-10-17\", \"Statement\": [...]}"),
            ]
        })?;
        let mut problems = duplicates::problems(text);
        problems.extend(Self::check(&document));
        problems.truncate(MAX_PROBLEMS);
        if problems.is_empty() { Ok(Self::from_checked(document)) } else { Err(problems) }
    }

    /// Reads the text of a live policy (GetResourcePolicy), without any check: IAM took it, whatever it looks like.
    /// None if it isn't a JSON object, or longer than any that IAM takes. Of a key that is written twice, the last one
    /// counts.
    pub fn parse_lenient(text: &str, partition: &Partition) -> Option<Self> {
        if text.len() > MAX_POLICY_TEXT {
            return None;
        }
        let document: Value = serde_json::from_str(text).ok()?;
        document.is_object().then(|| Self::for_partition(document, partition))
    }

    /// Takes a document that has been checked already, for a secret in the partition `aws`.
    pub fn from_checked(document: Value) -> Self {
        Self::for_partition(document, &Partition::default())
    }

    fn for_partition(document: Value, partition: &Partition) -> Self {
        Self { canonical: canonical::canonical(&document, partition), written: document }
    }

    /// The same document for a secret in `partition`, in which an account's id is the ARN of its root there.
    #[must_use]
    pub fn in_partition(self, partition: &Partition) -> Self {
        Self::for_partition(self.written, partition)
    }

    /// The document as it was written.
    pub fn as_written(&self) -> &Value {
        &self.written
    }

    /// The form that all documents of the same meaning share.
    pub fn canonical(&self) -> &Value {
        &self.canonical
    }

    /// The canonical form with the actions spelled as they are written: as in the first of `others` that has them, else
    /// as here. Two documents spelled alike differ only where they mean something else.
    pub fn spelled_as(&self, others: &[&Self]) -> Value {
        let documents = others.iter().copied().chain([self]);
        canonical::spelled(self.canonical.clone(), documents.map(|document| &document.written))
    }

    /// What was written as compact JSON, for PutResourcePolicy and ValidateResourcePolicy.
    pub fn to_wire(&self) -> String {
        self.written.to_string()
    }

    /// The canonical form as JSON for people: indented by two spaces, keys in the usual order, no newline at the end.
    /// Equal documents give the same text, so a diff of two texts shows only what differs in meaning.
    pub fn to_pretty(&self) -> String {
        format!("{:#}", self.canonical)
    }

    /// Whether the policy opens the secret to everyone: what BlockPublicPolicy is there to refuse.
    ///
    /// That is an Allow for every principal (`*`, or NotPrincipal) without a condition that narrows it to fixed
    /// principals, accounts, organisations, networks or source ARNs. A Deny elsewhere in the policy doesn't count. The
    /// service reasons more finely; where the two differ, this one calls more policies broad.
    pub fn grants_broad_access(&self) -> bool {
        access::grants_broad_access(&self.canonical)
    }

    /// What becomes different for whom from one policy to another; none is a secret without a policy. `arn` is the
    /// secret's: without it, what names other resources than all counts as a condition.
    pub fn shifts(before: Option<&Self>, after: Option<&Self>, arn: Option<&str>) -> Vec<Shift> {
        meaning::shifts(before.map(|policy| &policy.canonical), after.map(|policy| &policy.canonical), arn)
    }

    /// Whom statements that allow everybody let in by their conditions: accounts, and organizations as
    /// `organization o-…`. `arn` is the secret's.
    pub fn let_in_by_condition(&self, arn: &str) -> Vec<String> {
        outsiders::let_in_by_condition(&self.canonical, arn)
    }

    /// Whether it denies reading to everybody, or to everybody but those that it names. `arn` is the secret's.
    pub fn keeps_others_out(&self, arn: &str) -> bool {
        outsiders::keeps_others_out(&self.canonical, arn)
    }

    /// The Deny statements in their canonical form, without their Sids, which mean nothing to IAM.
    pub fn denies(&self) -> Vec<Value> {
        let statements = match self.canonical.get("Statement") {
            Some(Value::Array(statements)) => statements.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        let deny = |statement: &&Value| statement.get("Effect").and_then(Value::as_str) == Some("Deny");
        let without_sid = |statement: &Value| {
            let mut statement = statement.clone();
            if let Value::Object(members) = &mut statement {
                members.remove("Sid");
            }
            statement
        };
        statements.iter().filter(deny).map(without_sid).collect()
    }
}

impl PartialEq for PolicyDocument {
    fn eq(&self, other: &Self) -> bool {
        self.canonical == other.canonical
    }
}

impl Eq for PolicyDocument {}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "the policies of these tests are known to be good")]
mod tests {
    use serde_json::json;

    use super::*;

    /// As a person writes it in a manifest.
    fn by_hand() -> PolicyDocument {
        PolicyDocument::from_checked(json!({
            "Statement": [
                {
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "secretsmanager:GetSecretValue",
                    "Resource": "*",
                    "Condition": {"StringNotEquals": {"aws:sourceVpce": ["vpce-0b", "vpce-0a"]}},
                },
                {
                    "Sid": "Readers",
                    "Effect": "Allow",
                    "Principal": {"AWS": ["222222222222", "arn:aws:iam::111111111111:role/payments-api"]},
                    "Action": ["secretsmanager:getsecretvalue", "secretsmanager:describesecret"],
                    "Resource": ["*"],
                    "Condition": {"Bool": {"aws:SecureTransport": true}},
                },
            ],
            "Version": "2012-10-17",
        }))
    }

    /// The same as GetResourcePolicy returns it: serialised anew, with the account's ARN.
    const FROM_AWS: &str = r#"{
  "Version" : "2012-10-17",
  "Statement" : [ {
    "Sid" : "Readers",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : [ "arn:aws:iam::111111111111:role/payments-api", "arn:aws:iam::222222222222:root" ]
    },
    "Action" : [ "secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue" ],
    "Resource" : "*",
    "Condition" : {
      "Bool" : {
        "aws:SecureTransport" : "true"
      }
    }
  }, {
    "Sid" : "",
    "Effect" : "Deny",
    "Principal" : {
      "AWS" : "*"
    },
    "Action" : "secretsmanager:GetSecretValue",
    "Resource" : "*",
    "Condition" : {
      "stringNotEquals" : {
        "aws:SourceVpce" : [ "vpce-0a", "vpce-0b" ]
      }
    }
  } ]
}"#;

    const PRETTY: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Readers",
      "Effect": "Allow",
      "Principal": {
        "AWS": [
          "arn:aws:iam::111111111111:role/payments-api",
          "arn:aws:iam::222222222222:root"
        ]
      },
      "Action": [
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetSecretValue"
      ],
      "Resource": "*",
      "Condition": {
        "Bool": {
          "aws:SecureTransport": "true"
        }
      }
    },
    {
      "Effect": "Deny",
      "Principal": {
        "AWS": "*"
      },
      "Action": "secretsmanager:GetSecretValue",
      "Resource": "*",
      "Condition": {
        "StringNotEquals": {
          "aws:SourceVpce": [
            "vpce-0a",
            "vpce-0b"
          ]
        }
      }
    }
  ]
}"#;

    #[test]
    fn an_account_is_its_root_in_the_partition_of_the_region() {
        let naming = |principal: &str| json!({ "Statement": { "Principal": { "AWS": principal } } });
        let by_id = PolicyDocument::from_checked(naming("111111111111"));
        for (region, partition) in [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")] {
            let here = Partition::of_region(region);
            for other in ["aws", "aws-cn", "aws-us-gov"] {
                let root = naming(&format!("arn:{other}:iam::111111111111:root"));
                let live = PolicyDocument::parse_lenient(&root.to_string(), &here).unwrap();
                assert_eq!(by_id.clone().in_partition(&here) == live, other == partition, "{region} {other}");
            }
        }
    }

    #[test]
    fn what_aws_returns_equals_what_was_written() {
        let live = PolicyDocument::parse_lenient(FROM_AWS, &Partition::default()).unwrap();
        assert_eq!(by_hand(), live);
        assert_eq!(by_hand().to_pretty(), PRETTY);
        assert_eq!(live.to_pretty(), PRETTY);
        assert_eq!(PolicyDocument::parse(FROM_AWS).unwrap(), live);
    }

    #[test]
    fn what_is_sent_is_what_was_written() {
        let written =
            r#"{"Statement":{"Effect":"Deny","Resource":"*","Principal":"*","Action":"secretsmanager:deletesecret"}}"#;
        assert_eq!(PolicyDocument::parse(written).unwrap().to_wire(), written);
    }

    #[test]
    fn a_change_of_meaning_is_a_difference() {
        let changes = [
            ("/Version", json!("2008-10-17")),
            ("/Id", json!("payments")),
            ("/Statement/0/Effect", json!("Allow")),
            ("/Statement/0/Sid", json!("Network")),
            ("/Statement/0/Principal", json!({"AWS": "222222222222"})),
            ("/Statement/0/Principal", json!({"Service": "*"})),
            ("/Statement/0/Action", json!("secretsmanager:*")),
            ("/Statement/0/Resource", json!("arn:aws:secretsmanager:eu-west-1:111111111111:secret:a-AbCdEf")),
            ("/Statement/0/Condition", json!({"StringNotEquals": {"aws:SourceVpce": "vpce-0a"}})),
            ("/Statement/0/Condition", json!({"StringEquals": {"aws:SourceVpce": ["vpce-0a", "vpce-0b"]}})),
            ("/Statement/0/Condition", json!({"StringNotEquals": {"aws:SourceVpce": ["vpce-0a", "VPCE-0B"]}})),
            ("/Statement/1/Principal/AWS/0", json!("arn:aws-cn:iam::222222222222:root")),
            ("/Statement/1/Principal/AWS/1", json!("arn:aws:iam::111111111111:role/Payments-Api")),
        ];
        for (pointer, value) in changes {
            let mut document = by_hand().as_written().clone();
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            match document.pointer_mut(parent).unwrap() {
                Value::Array(items) => items[key.parse::<usize>().unwrap()] = value,
                parent => parent[key] = value,
            }
            let other = PolicyDocument::from_checked(document);
            assert_ne!(other, by_hand(), "{pointer}");
            assert_ne!(other.to_pretty(), PRETTY, "{pointer}");
        }
    }

    #[test]
    fn an_absent_version_is_the_old_one() {
        let version =
            |version: &str| PolicyDocument::from_checked(json!({"Version": version, "Statement": {"Effect": "Deny"}}));
        let absent = PolicyDocument::from_checked(json!({"Statement": [{"Effect": "Deny", "Condition": {}}]}));
        assert_eq!(absent, version("2008-10-17"));
        assert_ne!(absent, version("2012-10-17"));
    }

    #[test]
    fn condition_keys_that_become_one_are_all_kept() {
        let document =
            |keys: Value| PolicyDocument::from_checked(json!({"Statement": {"Condition": {"StringLike": keys}}}));
        let both = document(json!({"AWS:SourceVpc": "vpc-1", "aws:SourceVpc": "vpc-2"}));
        assert_eq!(both, document(json!({"aws:SourceVpc": "vpc-2", "AWS:SourceVpc": "vpc-1"})));
        assert_ne!(both, document(json!({"aws:SourceVpc": "vpc-2"})));
        assert_eq!(
            both.canonical().pointer("/Statement/0/Condition/StringLike").unwrap().as_object().unwrap().len(),
            2
        );
    }

    #[test]
    fn unknown_keys_are_kept_in_one_order() {
        let one = PolicyDocument::parse_lenient(
            r#"{"Zeta": {"b": 1, "a": [2, 1]}, "Alpha": null, "Statement": 5}"#,
            &Partition::default(),
        )
        .unwrap();
        let two = PolicyDocument::parse_lenient(
            r#"{"Statement": 5, "Alpha": null, "Zeta": {"a": [2, 1], "b": 1}}"#,
            &Partition::default(),
        )
        .unwrap();
        assert_eq!(one, two);
        assert_eq!(one.to_pretty(), two.to_pretty());
        let other = PolicyDocument::parse_lenient(
            r#"{"Statement": 5, "Alpha": null, "Zeta": {"a": [1, 2], "b": 1}}"#,
            &Partition::default(),
        )
        .unwrap();
        assert_ne!(one, other);
    }

    #[test]
    fn texts_that_are_no_policy_are_refused() {
        let error = PolicyDocument::parse("{\"Version\": ").unwrap_err();
        assert!(error[0].message.starts_with("this is not JSON: "), "{}", error[0].message);
        let deep = format!("{{\"Id\": {}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(PolicyDocument::parse(&deep).is_err());
        for text in ["", "[]", "\"x\"", deep.as_str()] {
            assert!(PolicyDocument::parse_lenient(text, &Partition::default()).is_none());
        }
    }

    #[test]
    fn a_key_that_is_written_twice_is_a_problem() {
        let text = FROM_AWS.replacen("\"Resource\" : \"*\",", "\"Resource\" : \"*\", \"Condition\" : {},", 1);
        let problems = PolicyDocument::parse(&text).unwrap_err();
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].pointer, "/Statement/0/Condition");
    }
}
