//! What the conditions of a statement are for a caller, as far as that is known without asking: yes, no, or perhaps.

use serde_json::Value;

use super::super::access::items;
use super::super::pattern::fits;
use super::super::vocabulary::Operator;
use super::caller::Caller;

/// Whether something holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Verdict {
    /// It certainly does not.
    No,
    /// Nothing here can tell.
    Maybe,
    /// It certainly does.
    Yes,
}

impl Verdict {
    pub(in super::super) fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }

    /// Whether one of them holds.
    pub(in super::super) fn any(each: impl IntoIterator<Item = Self>) -> Self {
        each.into_iter().max().unwrap_or(Self::No)
    }

    /// Whether all of them hold.
    pub(in super::super) fn all(each: impl IntoIterator<Item = Self>) -> Self {
        each.into_iter().min().unwrap_or(Self::Yes)
    }

    pub(in super::super) fn negated(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Maybe => Self::Maybe,
            Self::Yes => Self::No,
        }
    }
}

/// Keys that are there only when an AWS service calls on its own behalf: never in a request of keywright.
const ABSENT_KEYS: [&str; 7] = [
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "aws:SourceOwner",
];

/// What a request of the caller says under a condition key.
enum Fact<'a> {
    Absent,
    Arn,
    Text(&'a str),
    /// There, with an unknown value.
    Present,
    Unknown,
}

/// Whether all conditions of a canonical statement hold for a request of the caller. `account` is the one that the
/// caller is in; without a caller, what holds for everyone in it.
pub(super) fn holds(condition: Option<&Value>, caller: Option<&Caller<'_>>, account: Option<&str>) -> Verdict {
    let Some(operators) = condition.and_then(Value::as_object) else {
        return Verdict::of(condition.is_none()).max(Verdict::Maybe);
    };
    Verdict::all(operators.iter().map(|(operator, keys)| {
        let (Some(operator), Some(keys)) = (Operator::read(operator), keys.as_object()) else { return Verdict::Maybe };
        Verdict::all(keys.iter().map(|(key, values)| one(operator, key, values, caller, account)))
    }))
}

fn one(operator: Operator, key: &str, values: &Value, caller: Option<&Caller<'_>>, account: Option<&str>) -> Verdict {
    let fact = fact(key, caller, account);
    let negative = operator.base.contains("Not");
    if operator.base == "Null" {
        let is_absent = match fact {
            Fact::Absent => Verdict::Yes,
            Fact::Arn | Fact::Text(_) | Fact::Present => Verdict::No,
            Fact::Unknown => Verdict::Maybe,
        };
        return Verdict::any(items(Some(values)).map(|value| match value.as_str() {
            Some("true") => is_absent,
            Some("false") => is_absent.negated(),
            _ => Verdict::Maybe,
        }));
    }
    if matches!(fact, Fact::Absent) {
        // A key that is not there holds for the negative operators, for IfExists, and for an empty "all".
        return Verdict::of(match operator.set {
            Some("ForAllValues") => true,
            Some(_) => false,
            None => negative || operator.if_exists,
        });
    }
    if operator.set.is_some() {
        return Verdict::Maybe;
    }
    let positive = operator.base.replace("Not", "");
    let matched = Verdict::any(items(Some(values)).map(|value| match value.as_str() {
        Some(value) if !value.contains("${") => matches_value(&positive, &fact, value, caller, account),
        _ => Verdict::Maybe,
    }));
    if negative { matched.negated() } else { matched }
}

fn fact<'a>(key: &str, caller: Option<&Caller<'a>>, account: Option<&'a str>) -> Fact<'a> {
    match key {
        "aws:PrincipalArn" => Fact::Arn,
        "aws:PrincipalAccount" => caller.map(Caller::account).or(account).map_or(Fact::Present, Fact::Text),
        "aws:PrincipalType" => caller.and_then(Caller::principal_type).map_or(Fact::Present, Fact::Text),
        "aws:PrincipalIsAWSService" | "aws:ViaAWSService" => Fact::Text("false"),
        // keywright speaks to AWS over TLS only.
        "aws:SecureTransport" => Fact::Text("true"),
        key if ABSENT_KEYS.contains(&key) => Fact::Absent,
        _ => Fact::Unknown,
    }
}

fn matches_value(
    operator: &str,
    fact: &Fact<'_>,
    value: &str,
    caller: Option<&Caller<'_>>,
    account: Option<&str>,
) -> Verdict {
    match (operator, fact) {
        ("StringEquals" | "StringLike" | "ArnEquals" | "ArnLike", Fact::Arn) => {
            let pattern = operator != "StringEquals";
            Caller::arn_matches(caller, account, value, pattern)
        }
        ("StringEquals", Fact::Text(text)) => Verdict::of(value == *text),
        ("StringEqualsIgnoreCase" | "Bool", Fact::Text(text)) => Verdict::of(value.eq_ignore_ascii_case(text)),
        ("StringLike", Fact::Text(text)) => Verdict::of(fits(value, text)),
        _ => Verdict::Maybe,
    }
}
