//! The grammar of resource policies ("Grammar of the IAM JSON policy language"), checked on a JSON value.
//!
//! Every problem is found, in the order in which the document is written; what an object lacks comes at its end. Names
//! that AWS may extend without notice are not judged here: actions, condition keys, services.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::document::{MAX_PROBLEMS, too_large};
use super::vocabulary::{self, Operator};
use super::{MAX_POLICY_BYTES, PolicyProblem, principal};

/// The problems of a document: the first [`MAX_PROBLEMS`].
pub(super) fn problems(document: &Value) -> Vec<PolicyProblem> {
    let mut check = Check::default();
    check.document(document);
    check.problems
}

/// The RFC 6901 pointer to a member of the object or list at `pointer`.
pub(super) fn child(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

#[derive(Default)]
struct Check {
    problems: Vec<PolicyProblem>,
    /// Each Sid, with the pointer to the statement that has it first.
    sids: BTreeMap<String, String>,
}

impl Check {
    fn report(&mut self, pointer: &str, message: impl Into<String>, help: impl Into<String>) {
        if !self.is_full() {
            self.problems.push(PolicyProblem::new(pointer, message).with_help(help));
        }
    }

    /// As [`Self::report`], for a message that quotes `text` from the document.
    fn report_quoting(&mut self, pointer: &str, text: &str, message: impl Into<String>, help: impl Into<String>) {
        if !self.is_full() {
            self.problems.push(PolicyProblem::new(pointer, message).quoting(text).with_help(help));
        }
    }

    /// Whether no more problems are told.
    fn is_full(&self) -> bool {
        self.problems.len() >= MAX_PROBLEMS
    }

    fn document(&mut self, document: &Value) {
        let Value::Object(members) = document else {
            let message = format!("a policy is an object, and this is {}", kind(document));
            return self.report("", message, "write an object with `Version` and `Statement`");
        };
        let size = document.to_string().len();
        // Looking further would cost in proportion, and whatever is found would be about a document that must change.
        if size > MAX_POLICY_BYTES {
            return self.problems.push(too_large(size));
        }
        for (key, value) in members {
            let pointer = child("", key);
            match key.as_str() {
                "Version" => self.version(&pointer, value),
                "Id" if value.is_string() => {}
                "Id" => self.report(&pointer, format!("`Id` is {}", kind(value)), "write a string"),
                "Statement" => self.statements(&pointer, value),
                _ => self.unknown_key(&pointer, key, "a policy", &vocabulary::DOCUMENT_KEYS),
            }
        }
        if !members.contains_key("Statement") {
            self.report("", "the policy has no `Statement`", "add `Statement`, with at least one statement");
        }
    }

    fn version(&mut self, pointer: &str, value: &Value) {
        let known = [vocabulary::CURRENT_VERSION, vocabulary::DEFAULT_VERSION];
        if !value.as_str().is_some_and(|version| known.contains(&version)) {
            let message = format!("{value} is not a version of the policy language");
            self.report_quoting(
                pointer,
                &value.to_string(),
                message,
                "write \"2012-10-17\", the current one (or \"2008-10-17\")",
            );
        }
    }

    fn statements(&mut self, pointer: &str, value: &Value) {
        match value {
            Value::Object(members) => self.statement(pointer, members),
            Value::Array(items) if items.is_empty() => {
                self.report(pointer, "`Statement` is empty", "write at least one statement");
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let pointer = child(pointer, &index.to_string());
                    match item {
                        Value::Object(members) => self.statement(&pointer, members),
                        _ => self.not_a_statement(&pointer, item),
                    }
                }
            }
            _ => self.not_a_statement(pointer, value),
        }
    }

    fn not_a_statement(&mut self, pointer: &str, value: &Value) {
        let message = format!("a statement is an object, and this is {}", kind(value));
        self.report(pointer, message, "write an object with Effect, Principal, Action and Resource");
    }

    fn statement(&mut self, pointer: &str, members: &Map<String, Value>) {
        for (key, value) in members {
            let pointer = child(pointer, key);
            match key.as_str() {
                "Sid" => self.sid(&pointer, value),
                "Effect" => self.effect(&pointer, value),
                "Principal" | "NotPrincipal" => self.principal(&pointer, key, value),
                "Action" | "NotAction" => self.strings(&pointer, key, value, Self::action),
                "Resource" | "NotResource" => self.strings(&pointer, key, value, Self::resource),
                "Condition" => self.condition(&pointer, value),
                _ => self.unknown_key(&pointer, key, "a statement", &vocabulary::STATEMENT_KEYS),
            }
        }
        if !members.contains_key("Effect") {
            self.report(pointer, "the statement has no `Effect`", "add `Effect`: \"Allow\" or \"Deny\"");
        }
        for (key, not_key) in [("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource")] {
            match (members.contains_key(key), members.contains_key(not_key)) {
                (true, true) => {
                    let message = format!("the statement has both `{key}` and `{not_key}`");
                    self.report(pointer, message, "keep one of the two");
                }
                (false, false) => {
                    let message = format!("the statement has no `{key}`");
                    let help = match key {
                        "Principal" => "a resource policy says whom each statement is about: add `Principal`",
                        "Action" => "add `Action`, for example \"secretsmanager:GetSecretValue\"",
                        _ => "add `Resource`; \"*\" is the secret that the policy is attached to",
                    };
                    self.report(pointer, message, help);
                }
                (true, false) | (false, true) => {}
            }
        }
    }

    fn sid(&mut self, pointer: &str, value: &Value) {
        let Some(sid) = value.as_str() else {
            return self.report(pointer, format!("`Sid` is {}", kind(value)), "write a string");
        };
        // An empty Sid is the same as none.
        if sid.is_empty() {
            return;
        }
        if let Some(first) = self.sids.get(sid) {
            let message = format!("the Sid `{sid}` is taken by the statement at {first}");
            self.report_quoting(pointer, sid, message, "a Sid is unique within its policy");
        } else {
            let statement = pointer.strip_suffix("/Sid").unwrap_or(pointer).to_owned();
            self.sids.insert(sid.to_owned(), statement);
        }
    }

    fn effect(&mut self, pointer: &str, value: &Value) {
        if value != "Allow" && value != "Deny" {
            self.report_quoting(
                pointer,
                &value.to_string(),
                format!("{value} is not an effect"),
                "write \"Allow\" or \"Deny\", spelled so",
            );
        }
    }

    fn principal(&mut self, pointer: &str, key: &str, value: &Value) {
        let help = "write \"*\", or an object such as {\"AWS\": \"arn:aws:iam::123456789012:role/name\"}";
        match value {
            Value::String(everyone) if everyone == "*" => {}
            Value::Object(kinds) if !kinds.is_empty() => {
                for (kind, value) in kinds {
                    let pointer = child(pointer, kind);
                    if vocabulary::PRINCIPAL_KEYS.contains(&kind.as_str()) {
                        self.strings(&pointer, kind, value, |check, pointer, text| {
                            if let Err(wrong) = principal::check(kind, text) {
                                check.report_quoting(pointer, text, wrong.message, wrong.help);
                            }
                        });
                    } else {
                        self.unknown_key(&pointer, kind, "a principal", &vocabulary::PRINCIPAL_KEYS);
                    }
                }
            }
            Value::Object(_) => self.report(pointer, format!("`{key}` names nobody"), help),
            Value::String(text) => {
                self.report_quoting(pointer, text, format!("`{text}` does not say what kind of principal it is"), help);
            }
            _ => self.report(pointer, format!("`{key}` is {}", self::kind(value)), help),
        }
    }

    /// A string, or a list of at least one: checks each.
    fn strings(&mut self, pointer: &str, key: &str, value: &Value, mut each: impl FnMut(&mut Self, &str, &str)) {
        match value {
            Value::String(text) => each(self, pointer, text),
            Value::Array(items) if items.is_empty() => {
                self.report(pointer, format!("`{key}` is empty"), "write at least one, or leave the key out");
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let pointer = child(pointer, &index.to_string());
                    if let Value::String(text) = item {
                        each(self, &pointer, text);
                    } else {
                        let message = format!("`{key}` holds {}", kind(item));
                        self.report(&pointer, message, "every item of the list is a string");
                    }
                }
            }
            _ => self.report(pointer, format!("`{key}` is {}", kind(value)), "write a string or a list of strings"),
        }
    }

    fn action(&mut self, pointer: &str, action: &str) {
        let is_service = |text: &str| {
            text == "*" || !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let is_name = |text: &str| {
            let in_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'?');
            !text.is_empty() && text.bytes().all(in_name)
        };
        let well_formed =
            action == "*" || action.split_once(':').is_some_and(|(service, name)| is_service(service) && is_name(name));
        if !well_formed {
            let help = "write `service:Name`, for example \"secretsmanager:GetSecretValue\", or \"*\"";
            self.report_quoting(pointer, action, format!("`{action}` is not an action"), help);
        }
    }

    fn resource(&mut self, pointer: &str, resource: &str) {
        if !resource.starts_with("arn:") && !resource.starts_with('*') {
            let help = "write an ARN, or \"*\": the secret that the policy is attached to";
            self.report_quoting(pointer, resource, format!("`{resource}` is neither an ARN nor \"*\""), help);
        }
    }

    fn condition(&mut self, pointer: &str, value: &Value) {
        let Value::Object(operators) = value else {
            let message = format!("`Condition` is {}", kind(value));
            return self.report(
                pointer,
                message,
                "write {\"StringEquals\": {\"aws:PrincipalOrgID\": \"o-a1b2c3d4e5\"}}",
            );
        };
        let mut seen = BTreeSet::new();
        for (operator, keys) in operators {
            let pointer = child(pointer, operator);
            match Operator::read(operator) {
                Some(known) if !seen.insert(known.spelling()) => {
                    let message = format!("the operator `{operator}` is here already, in other letters");
                    self.report_quoting(
                        &pointer,
                        operator,
                        message,
                        "join the two: upper and lower case make no difference",
                    );
                }
                Some(_) => {}
                None => self.unknown_operator(&pointer, operator),
            }
            if let Value::Object(keys) = keys {
                self.condition_keys(&pointer, keys);
            } else {
                let message = format!("`{operator}` holds {}", kind(keys));
                self.report_quoting(&pointer, operator, message, "write an object of condition keys and their values");
            }
        }
    }

    fn unknown_operator(&mut self, pointer: &str, operator: &str) {
        let help = if self.is_full() {
            return;
        } else if operator.to_ascii_lowercase().ends_with("nullifexists") {
            "`Null` takes no `IfExists`: it asks itself whether the key exists".to_owned()
        } else {
            match Operator::nearest(operator) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => "operators are, for example, `StringEquals`, `ArnLike`, `IpAddress` and `Bool`".to_owned(),
            }
        };
        self.report_quoting(pointer, operator, format!("IAM knows no condition operator `{operator}`"), help);
    }

    fn condition_keys(&mut self, pointer: &str, keys: &Map<String, Value>) {
        let mut seen = BTreeSet::new();
        for (key, values) in keys {
            let pointer = child(pointer, key);
            if !key.contains(':') {
                let help = "a condition key begins with a service, for example `aws:SourceVpce`";
                self.report_quoting(&pointer, key, format!("`{key}` is not a condition key"), help);
            } else if !seen.insert(vocabulary::condition_key(key)) {
                let message = format!("the condition key `{key}` is here already, in other letters");
                self.report_quoting(&pointer, key, message, "join the two: upper and lower case make no difference");
            }
            match values {
                Value::Array(items) => {
                    for (index, item) in items.iter().enumerate() {
                        self.condition_value(&child(&pointer, &index.to_string()), item);
                    }
                }
                _ => self.condition_value(&pointer, values),
            }
        }
    }

    fn condition_value(&mut self, pointer: &str, value: &Value) {
        if !matches!(value, Value::String(_) | Value::Bool(_) | Value::Number(_)) {
            let message = format!("a condition value can't be {}", kind(value));
            self.report(pointer, message, "write a string, a boolean, a number, or a list of these");
        }
    }

    fn unknown_key(&mut self, pointer: &str, key: &str, place: &str, known: &[&str]) {
        if self.is_full() {
            return;
        }
        let help = match vocabulary::nearest(key, known) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("the keys of {place} are {}", known.join(", ")),
        };
        self.report_quoting(pointer, key, format!("{place} has no key `{key}`"), help);
    }
}

/// The kind of a JSON value, as a sentence names it.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn statement() -> Value {
        json!({
            "Sid": "ReadFromPayments",
            "Effect": "Allow",
            "Principal": {"AWS": ["111111111111", "arn:aws:iam::222222222222:role/payments"]},
            "Action": ["secretsmanager:GetSecretValue", "secretsmanager:Describe*"],
            "Resource": "*",
            "Condition": {
                "StringEquals": {"secretsmanager:VersionStage": "AWSCURRENT"},
                "Bool": {"aws:SecureTransport": true},
                "NumericLessThanIfExists": {"aws:MultiFactorAuthAge": 3600},
                "ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": ["o-a1b2c3d4e5/*"]},
            },
        })
    }

    /// The problems of the statement above with some keys set to other values, or removed where the value is null.
    fn with(changes: &Value) -> Vec<(String, String, String)> {
        let mut statement = statement();
        for (key, value) in changes.as_object().into_iter().flatten() {
            if value.is_null() {
                statement.as_object_mut().map(|members| members.shift_remove(key));
            } else {
                statement[key] = value.clone();
            }
        }
        found(&json!({"Version": "2012-10-17", "Statement": statement}))
    }

    fn found(document: &Value) -> Vec<(String, String, String)> {
        problems(document)
            .into_iter()
            .map(|PolicyProblem { pointer, message, help, unquoted: _ }| (pointer, message, help.unwrap_or_default()))
            .collect()
    }

    fn assert_one(changes: &Value, pointer: &str, message: &str, help: &str) {
        let found = with(changes);
        assert_eq!(found.len(), 1, "{changes}: {found:?}");
        assert_eq!(found[0].0, pointer, "{changes}");
        assert!(found[0].1.contains(message), "{changes}: {}", found[0].1);
        assert!(found[0].2.contains(help), "{changes}: {}", found[0].2);
    }

    #[test]
    fn good_policies_have_no_problem() {
        assert_eq!(with(&json!({})), []);
        assert_eq!(with(&json!({"Sid": "", "Principal": "*", "Action": "*", "Effect": "Deny"})), []);
        assert_eq!(with(&json!({"Action": null, "NotAction": "secretsmanager:Get*"})), []);
        assert_eq!(with(&json!({"Principal": {"Service": ["rds.amazonaws.com"]}})), []);
        assert_eq!(found(&json!({"Id": "payments", "Statement": [statement()]})), []);
    }

    #[test]
    fn documents_are_objects_with_statements() {
        assert_eq!(found(&json!([]))[0].1, "a policy is an object, and this is a list");
        assert_eq!(found(&json!({}))[0].1, "the policy has no `Statement`");
        assert_eq!(found(&json!({"Statement": []}))[0].1, "`Statement` is empty");
        assert_eq!(found(&json!({"Statement": [statement(), "x"]}))[0].0, "/Statement/1");
        let found =
            found(&json!({"version": "2012-10-17", "Statement": statement(), "Version": "2012-10-18", "Id": 1}));
        let pointers: Vec<&str> = found.iter().map(|(pointer, ..)| pointer.as_str()).collect();
        assert_eq!(pointers, ["/version", "/Version", "/Id"]);
        assert_eq!(found[0].2, "did you mean `Version`?");
    }

    #[test]
    fn the_compact_text_must_fit() {
        let id = |length: usize| json!({"Id": "x".repeat(length), "Statement": statement()});
        let rest = id(0).to_string().len();
        assert_eq!(found(&id(MAX_POLICY_BYTES - rest)), []);
        assert!(found(&id(MAX_POLICY_BYTES - rest + 1))[0].1.contains("20481 bytes"));
    }

    #[test]
    fn each_part_of_a_statement_is_checked() {
        let at = "/Statement";
        assert_one(&json!({"Effect": "allow"}), "/Statement/Effect", "\"allow\"", "Allow");
        assert_one(&json!({"Effect": null}), at, "no `Effect`", "Deny");
        assert_one(&json!({"Principal": null}), at, "no `Principal`", "whom");
        assert_one(&json!({"NotPrincipal": "*"}), at, "both `Principal`", "one of the two");
        assert_one(&json!({"NotAction": "*"}), at, "both `Action`", "one of the two");
        assert_one(&json!({"Resource": null}), at, "no `Resource`", "the secret");
        assert_one(&json!({"Sid": 5}), "/Statement/Sid", "`Sid` is a number", "a string");
        assert_one(&json!({"Actions": "*"}), "/Statement/Actions", "no key `Actions`", "did you mean `Action`?");
        assert_one(&json!({"Colour": "*"}), "/Statement/Colour", "no key `Colour`", "Sid, Effect");
        assert_one(&json!({"Action": []}), "/Statement/Action", "empty", "at least one");
        assert_one(&json!({"Action": ["*", 5]}), "/Statement/Action/1", "a number", "string");
        assert_one(&json!({"Action": "GetSecretValue"}), "/Statement/Action", "not an action", "service:Name");
        assert_one(&json!({"Action": "secretsmanager:"}), "/Statement/Action", "not an action", "service:Name");
        assert_one(&json!({"Resource": "db"}), "/Statement/Resource", "neither an ARN", "attached");
    }

    #[test]
    fn principals_are_checked() {
        let at = "/Statement/Principal";
        assert_one(&json!({"Principal": "111111111111"}), at, "kind of principal", "AWS");
        assert_one(&json!({"Principal": {}}), at, "nobody", "AWS");
        assert_one(&json!({"Principal": ["*"]}), at, "a list", "AWS");
        let user = json!({"Principal": {"User": "ada"}});
        assert_one(&user, "/Statement/Principal/User", "no key `User`", "CanonicalUser");
        let wildcard = json!({"Principal": {"AWS": ["111111111111", "arn:aws:iam::111111111111:role/*"]}});
        assert_one(&wildcard, "/Statement/Principal/AWS/1", "wildcard", "aws:PrincipalArn");
    }

    #[test]
    fn conditions_are_checked() {
        let at = "/Statement/Condition";
        let condition = |condition: Value| json!({"Condition": condition});
        assert_one(&condition(json!("x")), at, "a string", "StringEquals");
        let typo = condition(json!({"StringEqual": {"aws:SourceVpc": "vpc-1"}}));
        assert_one(&typo, "/Statement/Condition/StringEqual", "StringEqual", "did you mean `StringEquals`?");
        let null = condition(json!({"NullIfExists": {"aws:SourceVpc": true}}));
        assert_one(&null, "/Statement/Condition/NullIfExists", "NullIfExists", "itself");
        let flat = condition(json!({"StringEquals": "x"}));
        assert_one(&flat, "/Statement/Condition/StringEquals", "a string", "object");
        let bare = condition(json!({"StringEquals": {"team/a": "x"}}));
        assert_one(&bare, "/Statement/Condition/StringEquals/team~1a", "not a condition key", "service");
        let list = condition(json!({"StringEquals": {"aws:SourceVpc": ["vpc-1", null]}}));
        assert_one(&list, "/Statement/Condition/StringEquals/aws:SourceVpc/1", "null", "string");
        let twice = condition(json!({"StringEquals": {"aws:SourceVpc": "a", "aws:sourcevpc": "b"}}));
        assert_one(&twice, "/Statement/Condition/StringEquals/aws:sourcevpc", "already", "join");
        let operators = condition(json!({"Bool": {"aws:SecureTransport": true}, "bool": {"aws:ViaAWSService": true}}));
        assert_one(&operators, "/Statement/Condition/bool", "already", "join");
    }

    #[test]
    fn a_sid_is_taken_once() {
        let found = found(&json!({"Statement": [statement(), statement()]}));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, "/Statement/1/Sid");
        assert!(found[0].1.ends_with("at /Statement/0"), "{}", found[0].1);
    }
}
