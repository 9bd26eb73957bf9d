//! Who may do what: an identity-based policy that the sandbox enforces, when it was given one.
//!
//! Every request is a set of questions, each an action on a resource with the condition keys of the request: CreateSecret
//! with tags asks for TagResource too, ValidateResourcePolicy for PutResourcePolicy. They are asked before the operation
//! looks at anything. Sources: the "Required permissions" of each operation in the API reference, and the service
//! authorization reference for resources and condition keys. Only Secrets Manager is in here: what a policy says of KMS,
//! Lambda, STS or IAM is not looked at. Resource policies are not evaluated, so an identity's policy decides alone.

use serde::Deserialize;
use serde_json::Value;

use super::sts;
use crate::sandbox::wire::{Caller, ErrorCode, ServiceError};

/// The prefix of the actions that are decided here.
const SERVICE: &str = "secretsmanager:";

/// The condition keys that requests carry here. A policy with any other one could not be enforced as it is meant.
const KEYS: &[&str] = &[
    "aws:tagkeys",
    "secretsmanager:addreplicaregions",
    "secretsmanager:blockpublicpolicy",
    "secretsmanager:externalsecretrotationrolearn",
    "secretsmanager:forcedeletewithoutrecovery",
    "secretsmanager:forceoverwritereplicasecret",
    "secretsmanager:kmskeyid",
    "secretsmanager:name",
    "secretsmanager:recoverywindowindays",
    "secretsmanager:rotateimmediately",
    "secretsmanager:rotationlambdaarn",
    "secretsmanager:versionstage",
];

/// Keys that go on with the name of a tag.
const TAG_KEYS: &[&str] = &["aws:requesttag/", "aws:resourcetag/", "secretsmanager:resourcetag/"];

/// Why a policy cannot be enforced.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It is not a policy document.
    #[error("this is not an identity-based policy: {0}")]
    Malformed(String),
    /// It has something that the sandbox does not evaluate, and must not ignore.
    #[error("the sandbox does not evaluate {0}")]
    Unsupported(String),
}

/// A policy that is enforced.
#[derive(Debug)]
pub(crate) struct IdentityPolicy {
    statements: Vec<Statement>,
}

#[derive(Debug)]
struct Statement {
    allows: bool,
    actions: Vec<String>,
    resources: Vec<String>,
    conditions: Vec<Condition>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    #[serde(rename = "Version")]
    _version: Option<String>,
    statement: OneOrMany<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawStatement {
    effect: Effect,
    action: Option<OneOrMany<String>>,
    resource: Option<OneOrMany<String>>,
    #[serde(default)]
    condition: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    Many(Vec<T>),
    One(T),
}

impl<T> OneOrMany<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            Self::Many(items) => items,
            Self::One(item) => vec![item],
        }
    }
}

impl IdentityPolicy {
    /// Reads a policy document.
    pub(crate) fn parse(text: &str) -> Result<Self, PolicyError> {
        let malformed = |error: serde_json::Error| PolicyError::Malformed(error.to_string());
        let document: Document = serde_json::from_str(text).map_err(malformed)?;
        let mut statements = Vec::new();
        for statement in document.statement.into_vec() {
            if let Some(unsupported) = ["NotAction", "NotResource", "Principal", "NotPrincipal"]
                .into_iter()
                .find(|member| statement.get(member).is_some())
            {
                return Err(PolicyError::Unsupported(format!("{unsupported} in an identity-based policy")));
            }
            let raw: RawStatement = serde_json::from_value(statement).map_err(malformed)?;
            let missing = |member| PolicyError::Malformed(format!("a statement has no {member}"));
            let actions = raw.action.ok_or_else(|| missing("Action"))?.into_vec();
            let actions = actions.into_iter().map(|action| action.to_ascii_lowercase());
            let actions: Vec<String> =
                actions.filter(|action| action.starts_with(SERVICE) || action.starts_with('*')).collect();
            if actions.is_empty() {
                continue;
            }
            statements.push(Statement {
                allows: matches!(raw.effect, Effect::Allow),
                actions,
                resources: raw.resource.ok_or_else(|| missing("Resource"))?.into_vec(),
                conditions: Condition::parse_all(&raw.condition)?,
            });
        }
        Ok(Self { statements })
    }

    /// Refuses the caller what the policy does not allow. A Deny goes before every Allow.
    pub(crate) fn check(&self, caller: &Caller, question: &Question<'_>) -> Result<(), ServiceError> {
        let mut allowed = false;
        for statement in self.statements.iter().filter(|statement| statement.applies_to(question)) {
            if !statement.allows {
                return Err(denied(caller, question, "with an explicit deny in an identity-based policy"));
            }
            allowed = true;
        }
        let Question { action, .. } = question;
        let because = format!("because no identity-based policy allows the {SERVICE}{action} action");
        if allowed { Ok(()) } else { Err(denied(caller, question, &because)) }
    }
}

/// As the service words it: with the ARN of a secret that exists, and what the request calls it otherwise.
fn denied(caller: &Caller, question: &Question<'_>, because: &str) -> ServiceError {
    let Question { action, shown, .. } = question;
    let user = sts::arn_of(caller);
    let on = shown.map(|shown| format!(" on resource: {shown}")).unwrap_or_default();
    let message = format!("User: {user} is not authorized to perform: {SERVICE}{action}{on} {because}");
    ServiceError::new(ErrorCode::AccessDenied, message)
}

/// One action on one resource.
pub(crate) struct Question<'q> {
    /// Without the service's prefix.
    pub(crate) action: &'q str,
    /// The ARN, or `*` for an action that has no resource type.
    pub(crate) resource: &'q str,
    /// What an error calls the resource.
    pub(crate) shown: Option<&'q str>,
    /// The condition keys, in small letters, with their values.
    pub(crate) context: &'q [(String, Vec<String>)],
}

impl Statement {
    fn applies_to(&self, question: &Question<'_>) -> bool {
        let action = format!("{SERVICE}{}", question.action.to_ascii_lowercase());
        self.actions.iter().any(|pattern| fits(pattern, &action))
            && self.resources.iter().any(|pattern| fits(pattern, question.resource))
            && self.conditions.iter().all(|condition| condition.holds(question.context))
    }
}

/// One key under one operator.
#[derive(Debug)]
struct Condition {
    quantifier: Quantifier,
    comparison: Comparison,
    if_exists: bool,
    key: String,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quantifier {
    /// A key with one value.
    Plain,
    ForAllValues,
    ForAnyValue,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    StringEquals,
    /// StringLike, ArnLike and ArnEquals, which all take `*` and `?`.
    Pattern,
    Bool,
    NumericGreaterThanEquals,
}

impl Condition {
    fn parse_all(operators: &serde_json::Map<String, Value>) -> Result<Vec<Self>, PolicyError> {
        let mut conditions = Vec::new();
        for (operator, keys) in operators {
            let unsupported = || PolicyError::Unsupported(format!("the condition operator {operator}"));
            let (quantifier, name) = match operator.split_once(':') {
                None => (Quantifier::Plain, operator.as_str()),
                Some(("ForAllValues", name)) => (Quantifier::ForAllValues, name),
                Some(("ForAnyValue", name)) => (Quantifier::ForAnyValue, name),
                Some(_) => return Err(unsupported()),
            };
            let (name, if_exists) = name.strip_suffix("IfExists").map_or((name, false), |name| (name, true));
            let comparison = match name {
                "StringEquals" => Comparison::StringEquals,
                "StringLike" | "ArnLike" | "ArnEquals" => Comparison::Pattern,
                "Bool" => Comparison::Bool,
                "NumericGreaterThanEquals" => Comparison::NumericGreaterThanEquals,
                _ => return Err(unsupported()),
            };
            let keys = keys.as_object().ok_or_else(|| PolicyError::Malformed(format!("{operator} has no keys")))?;
            for (key, values) in keys {
                let key = key.to_ascii_lowercase();
                if !KEYS.contains(&key.as_str()) && !TAG_KEYS.iter().any(|prefix| key.starts_with(prefix)) {
                    return Err(PolicyError::Unsupported(format!("the condition key {key}")));
                }
                let values = match values {
                    Value::Array(values) => values.iter().map(text).collect(),
                    single => vec![text(single)],
                };
                conditions.push(Self { quantifier, comparison, if_exists, key, values });
            }
        }
        Ok(conditions)
    }

    fn holds(&self, context: &[(String, Vec<String>)]) -> bool {
        let Some((_, found)) = context.iter().find(|(key, _)| *key == self.key) else {
            // IAM: a key that is not there fails every operator but these.
            return self.if_exists || self.quantifier == Quantifier::ForAllValues;
        };
        match self.quantifier {
            Quantifier::ForAllValues => found.iter().all(|value| self.matches(value)),
            Quantifier::ForAnyValue | Quantifier::Plain => found.iter().any(|value| self.matches(value)),
        }
    }

    fn matches(&self, found: &str) -> bool {
        self.values.iter().any(|wanted| match self.comparison {
            Comparison::StringEquals => wanted == found,
            Comparison::Pattern => fits(wanted, found),
            Comparison::Bool => wanted.eq_ignore_ascii_case(found),
            Comparison::NumericGreaterThanEquals => {
                let numbers = (found.parse::<f64>(), wanted.parse::<f64>());
                matches!(numbers, (Ok(found), Ok(wanted)) if found >= wanted)
            }
        })
    }
}

/// A value of a condition key as IAM compares it.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether a text fits a pattern with `*` and `?`. Never slow: on a mismatch only the last star grows.
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut read) = (0, 0);
    let mut star = None;
    while read < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(wanted) if *wanted == b'?' || *wanted == text[read] => {
                at += 1;
                read += 1;
            }
            _ => match &mut star {
                Some((place, from)) => {
                    *from += 1;
                    (at, read) = (*place + 1, *from);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::auth::Home;

    const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:app/db-a1b2C3";

    fn caller() -> Caller {
        Caller { home: Home::new("111111111111", "eu-west-1"), role: None }
    }

    fn ask(statements: &Value, action: &str, context: &[(&str, &str)]) -> Result<(), String> {
        let policy = IdentityPolicy::parse(&json!({"Version": "2012-10-17", "Statement": statements}).to_string());
        let context: Vec<_> =
            context.iter().map(|(key, value)| ((*key).to_owned(), vec![(*value).to_owned()])).collect();
        let question = Question { action, resource: SECRET, shown: Some(SECRET), context: &context };
        policy.unwrap().check(&caller(), &question).map_err(|error| error.message.into_owned())
    }

    fn allow(action: &str, resource: &str) -> Value {
        json!({"Effect": "Allow", "Action": action, "Resource": resource})
    }

    #[test]
    fn what_is_not_allowed_is_denied_in_the_services_words() {
        let statements = allow("secretsmanager:DescribeSecret", "*");
        assert_eq!(ask(&statements, "DescribeSecret", &[]), Ok(()));
        assert_eq!(
            ask(&statements, "PutSecretValue", &[]),
            Err(format!(
                "User: arn:aws:iam::111111111111:user/sandbox is not authorized to perform: \
                 secretsmanager:PutSecretValue on resource: {SECRET} because no identity-based policy allows the \
                 secretsmanager:PutSecretValue action"
            ))
        );
    }

    #[test]
    fn a_denial_goes_before_every_permission() {
        let statements = json!([
            allow("secretsmanager:*", "*"),
            {"Effect": "Deny", "Action": ["secretsmanager:Delete*"], "Resource": "*"},
        ]);
        assert_eq!(ask(&statements, "TagResource", &[]), Ok(()));
        let refusal = ask(&statements, "DeleteSecret", &[]).unwrap_err();
        assert!(refusal.ends_with("with an explicit deny in an identity-based policy"), "{refusal}");
    }

    #[test]
    fn resources_are_patterns() {
        for (resource, fits) in [
            ("arn:aws:secretsmanager:eu-west-1:111111111111:secret:app/*", true),
            ("arn:aws:secretsmanager:eu-west-1:*:secret:app/db-??????", true),
            ("arn:aws:secretsmanager:*:*:secret:*/db-??????", true),
            ("arn:aws:secretsmanager:eu-west-1:111111111111:secret:app/db", false),
            ("arn:aws:secretsmanager:eu-west-1:111111111111:secret:app/d-??????", false),
            ("arn:aws:secretsmanager:eu-west-2:111111111111:secret:app/*", false),
            ("arn:aws:secretsmanager:eu-west-1:111111111111:secret:App/*", false),
        ] {
            let answer = ask(&allow("secretsmanager:tagresource", resource), "TagResource", &[]);
            assert_eq!(answer.is_ok(), fits, "{resource}");
        }
        let long = "a".repeat(10_000);
        assert!(!super::fits(&format!("{}c", "a*".repeat(1000)), &(long + "b")), "and it ends soon");
    }

    #[test]
    fn conditions_hold_as_in_iam() {
        let holds = |condition: Value, context: &[(&str, &str)]| {
            let statement = json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition});
            ask(&statement, "DeleteSecret", context).is_ok()
        };
        let owner = |operator: &str| json!({operator: {"aws:ResourceTag/keywright:project": "shop/dev"}});
        let tag = "aws:resourcetag/keywright:project";
        assert!(holds(owner("StringEquals"), &[(tag, "shop/dev")]));
        assert!(!holds(owner("StringEquals"), &[(tag, "shop/prod")]));
        assert!(!holds(owner("StringEquals"), &[]), "a missing key fails");
        assert!(holds(owner("StringEqualsIfExists"), &[]));
        assert!(!holds(owner("StringEqualsIfExists"), &[(tag, "shop/prod")]));

        let window = json!({"NumericGreaterThanEquals": {"secretsmanager:RecoveryWindowInDays": "7"}});
        assert!(holds(window.clone(), &[("secretsmanager:recoverywindowindays", "30")]));
        assert!(!holds(window.clone(), &[("secretsmanager:recoverywindowindays", "6")]));
        assert!(!holds(window, &[("secretsmanager:forcedeletewithoutrecovery", "true")]));

        let forced = json!({"Bool": {"secretsmanager:ForceDeleteWithoutRecovery": "true"}});
        assert!(holds(forced, &[("secretsmanager:forcedeletewithoutrecovery", "true")]));

        let regions = json!({"ForAllValues:StringEquals": {"secretsmanager:AddReplicaRegions": ["a-b-1", "a-b-2"]}});
        assert!(holds(regions.clone(), &[("secretsmanager:addreplicaregions", "a-b-2")]));
        assert!(!holds(regions.clone(), &[("secretsmanager:addreplicaregions", "a-b-3")]));
        assert!(holds(regions, &[]), "nothing is among anything");
    }

    #[test]
    fn what_it_does_not_evaluate_is_no_policy_for_it() {
        for statement in [
            json!({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}),
            json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "::1"}}}),
            json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}),
            json!({"Effect": "Allow", "Action": "secretsmanager:*"}),
            json!({"Effect": "Perhaps", "Action": "*", "Resource": "*"}),
        ] {
            let text = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
            assert!(IdentityPolicy::parse(&text).is_err(), "{text}");
        }
        // Another service's statement is none of its business.
        let kms = json!({"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Condition": {"StringEquals": {"kms:ViaService": "x"}}});
        assert!(IdentityPolicy::parse(&json!({"Statement": kms}).to_string()).is_ok());
    }
}
