//! Who may do what: an identity-based policy that the sandbox enforces, when it was given one.
//!
//! Every call makes authorization requests (`requests`), each an action on a resource with the condition keys of the
//! call; here one of them is evaluated against the policy. Sources: the "Required permissions" of each operation in the
//! API reference, and the service authorization reference for resources and condition keys. Only Secrets Manager and
//! CloudTrail are in here: what a policy says of KMS, Lambda, STS or IAM is not looked at. Resource policies are not
//! evaluated, so an identity's policy decides alone.

use serde::Deserialize;
use serde_json::Value;

use super::identity::Caller;
use super::pattern::fits;
use super::requests::AuthorizationRequest;
use crate::wire::{ServiceError, service_of};

/// The prefixes of the actions that are decided here.
const SERVICES: [&str; 2] = ["secretsmanager:", "cloudtrail:"];

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
    "secretsmanager:policyname",
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
            let actions: Vec<String> = actions
                .filter(|action| SERVICES.iter().any(|service| action.starts_with(service)) || action.starts_with('*'))
                .collect();
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
    pub(crate) fn check(&self, caller: &Caller, request: &AuthorizationRequest<'_>) -> Result<(), ServiceError> {
        let AuthorizationRequest { action, shown, .. } = request;
        let mut allowed = false;
        for statement in self.statements.iter().filter(|statement| statement.applies_to(request)) {
            if !statement.allows {
                return Err(ServiceError::explicitly_denied(&caller.arn(), action, *shown));
            }
            allowed = true;
        }
        if allowed { Ok(()) } else { Err(ServiceError::not_allowed(&caller.arn(), action, *shown)) }
    }
}

impl Statement {
    fn applies_to(&self, request: &AuthorizationRequest<'_>) -> bool {
        let action = format!("{}:{}", service_of(request.action), request.action.to_ascii_lowercase());
        self.actions.iter().any(|pattern| fits(pattern, &action))
            && self.resources.iter().any(|pattern| fits(pattern, request.resource))
            && self.conditions.iter().all(|condition| condition.holds(request.context))
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::home::Home;

    const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:app/db-a1b2C3";

    fn caller() -> Caller {
        let home = Home::new("111111111111", "eu-west-1");
        Caller { home, role: None, user: "sandbox".to_owned(), access_key_id: String::new() }
    }

    fn check(statements: &Value, action: &str, context: &[(&str, &str)]) -> Result<(), String> {
        let policy = IdentityPolicy::parse(&json!({"Version": "2012-10-17", "Statement": statements}).to_string());
        let context: Vec<_> =
            context.iter().map(|(key, value)| ((*key).to_owned(), vec![(*value).to_owned()])).collect();
        let request = AuthorizationRequest { action, resource: SECRET, shown: Some(SECRET), context: &context };
        policy.unwrap().check(&caller(), &request).map_err(|error| error.message.into_owned())
    }

    fn allow(action: &str, resource: &str) -> Value {
        json!({"Effect": "Allow", "Action": action, "Resource": resource})
    }

    #[test]
    fn an_action_that_no_statement_allows_is_denied_with_the_service_s_text() {
        let statements = allow("secretsmanager:DescribeSecret", "*");
        assert_eq!(check(&statements, "DescribeSecret", &[]), Ok(()));
        assert_eq!(
            check(&statements, "PutSecretValue", &[]),
            Err(format!(
                "User: arn:aws:iam::111111111111:user/sandbox is not authorized to perform: \
                 secretsmanager:PutSecretValue on resource: {SECRET} because no identity-based policy allows the \
                 secretsmanager:PutSecretValue action"
            ))
        );
    }

    #[test]
    fn a_deny_goes_before_every_allow() {
        let statements = json!([
            allow("secretsmanager:*", "*"),
            {"Effect": "Deny", "Action": ["secretsmanager:Delete*"], "Resource": "*"},
        ]);
        assert_eq!(check(&statements, "TagResource", &[]), Ok(()));
        let refusal = check(&statements, "DeleteSecret", &[]).unwrap_err();
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
            let answer = check(&allow("secretsmanager:tagresource", resource), "TagResource", &[]);
            assert_eq!(answer.is_ok(), fits, "{resource}");
        }
    }

    #[test]
    fn conditions_hold_as_in_iam() {
        let holds = |condition: Value, context: &[(&str, &str)]| {
            let statement = json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition});
            check(&statement, "DeleteSecret", context).is_ok()
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
    fn a_policy_with_a_part_that_is_not_evaluated_is_refused() {
        let conditional =
            |condition: Value| json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition});
        for statement in [
            json!({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}),
            conditional(json!({"IpAddress": {"aws:SourceIp": "::1"}})),
            conditional(json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}})),
            json!({"Effect": "Allow", "Action": "secretsmanager:*"}),
            json!({"Effect": "Perhaps", "Action": "*", "Resource": "*"}),
        ] {
            let text = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
            assert!(IdentityPolicy::parse(&text).is_err(), "{text}");
        }
        // The statements of other services are not evaluated.
        let condition = json!({"StringEquals": {"kms:ViaService": "x"}});
        let kms = json!({"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Condition": condition});
        assert!(IdentityPolicy::parse(&json!({"Statement": kms}).to_string()).is_ok());
    }
}
