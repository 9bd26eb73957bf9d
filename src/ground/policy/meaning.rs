//! What a policy lets whom do, in terms that can be compared: a reader of a plan asks who may read a secret, and not
//! how its statements are cut.
//!
//! It says what each statement says by itself. Whether a call is allowed in the end also depends on identity policies,
//! boundaries and organisations, and a Deny goes before every Allow: so nothing here claims that somebody has access.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::pattern::fits;
use crate::domain::ArnParts;

/// Whom a statement names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// `*`.
    Everyone,
    /// Every principal but these (NotPrincipal).
    EveryoneBut(String),
    /// All of an account.
    Account(String),
    /// A role, a user or a session: its kind, its name and its account.
    Identity {
        /// `role`, `user`, `assumed-role` or `federated-user`.
        kind: String,
        /// Its name, without its path.
        name: String,
        /// Its account.
        account: String,
    },
    /// A service of AWS.
    Service(String),
    /// Anything else, as it is written.
    Other(String),
}

/// What can be done with a secret, in the words of people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    /// GetSecretValue, the value itself.
    Read,
    /// PutSecretValue.
    PutValue,
    /// UpdateSecret.
    Update,
    /// DeleteSecret.
    Delete,
    /// PutResourcePolicy: whoever may do that may do all.
    ChangePolicy,
    /// Another action, as it is written.
    Call(String),
    /// Every action but these (NotAction).
    AllBut(String),
}

/// The actions that have words of their own.
const NAMED: [(&str, Deed); 5] = [
    ("secretsmanager:GetSecretValue", Deed::Read),
    ("secretsmanager:PutSecretValue", Deed::PutValue),
    ("secretsmanager:UpdateSecret", Deed::Update),
    ("secretsmanager:DeleteSecret", Deed::Delete),
    ("secretsmanager:PutResourcePolicy", Deed::ChangePolicy),
];

/// What one policy says of one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// A statement that allows came to be.
    Allowed,
    /// No statement allows it any longer.
    NoLongerAllowed,
    /// It is allowed as before, under other conditions.
    AllowedOtherwise,
    /// A statement that denies came to be.
    Denied,
    /// No statement denies it any longer.
    NoLongerDenied,
    /// It is denied as before, under other conditions.
    DeniedOtherwise,
}

/// What becomes different for somebody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shift {
    /// For whom.
    pub who: Who,
    /// In which way.
    pub turn: Turn,
    /// Whether conditions must be met.
    pub conditional: bool,
    /// What.
    pub deeds: BTreeSet<Deed>,
}

/// Whom, what, and under which conditions: each as the canonical text, `null` for none.
type Said = BTreeMap<(Who, Deed), BTreeSet<String>>;

/// What becomes different from one canonical document to another; none is a secret without a policy.
pub(super) fn shifts(before: Option<&Value>, after: Option<&Value>) -> Vec<Shift> {
    let mut shifts: BTreeMap<(Who, Turn, bool), BTreeSet<Deed>> = BTreeMap::new();
    for effect in ["Allow", "Deny"] {
        let (old, new) = (said(before, effect), said(after, effect));
        let pairs: BTreeSet<&(Who, Deed)> = old.keys().chain(new.keys()).collect();
        for pair in pairs {
            let (was, is) = (old.get(pair), new.get(pair));
            let turn = match (was, is, effect) {
                (None, Some(_), "Allow") => Turn::Allowed,
                (None, Some(_), _) => Turn::Denied,
                (Some(_), None, "Allow") => Turn::NoLongerAllowed,
                (Some(_), None, _) => Turn::NoLongerDenied,
                (Some(was), Some(is), "Allow") if was != is => Turn::AllowedOtherwise,
                (Some(was), Some(is), _) if was != is => Turn::DeniedOtherwise,
                _ => continue,
            };
            let conditional = is.or(was).is_some_and(|conditions| !conditions.contains("null"));
            let (who, deed) = pair.clone();
            shifts.entry((who, turn, conditional)).or_default().insert(deed);
        }
    }
    shifts.into_iter().map(|((who, turn, conditional), deeds)| Shift { who, turn, conditional, deeds }).collect()
}

fn said(document: Option<&Value>, effect: &str) -> Said {
    let mut said = Said::new();
    let statements = match document.and_then(|document| document.get("Statement")) {
        Some(Value::Array(statements)) => statements.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    for statement in statements.iter().filter(|statement| statement["Effect"] == effect) {
        let condition = statement["Condition"].to_string();
        let deeds = deeds(statement);
        for who in principals(statement) {
            for deed in &deeds {
                said.entry((who.clone(), deed.clone())).or_default().insert(condition.clone());
            }
        }
    }
    said
}

/// The texts of a member that is one text or a list of them.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

fn deeds(statement: &Value) -> Vec<Deed> {
    let not = texts(&statement["NotAction"]);
    if !not.is_empty() {
        return vec![Deed::AllBut(not.join(", "))];
    }
    let mut deeds = BTreeSet::new();
    for action in texts(&statement["Action"]) {
        // The canonical form of actions is in small letters.
        let named: Vec<Deed> = NAMED
            .iter()
            .filter(|(name, _)| fits(&action.to_ascii_lowercase(), &name.to_ascii_lowercase()))
            .map(|(_, deed)| deed.clone())
            .collect();
        if named.is_empty() || action.contains(['*', '?']) && named.len() < NAMED.len() {
            deeds.insert(Deed::Call(action.to_owned()));
        }
        deeds.extend(named);
    }
    deeds.into_iter().collect()
}

fn principals(statement: &Value) -> Vec<Who> {
    let but = |value: &Value| Who::EveryoneBut(value.to_string());
    match (&statement["NotPrincipal"], &statement["Principal"]) {
        (Value::Null, Value::Object(kinds)) => kinds
            .iter()
            .flat_map(|(kind, named)| texts(named).into_iter().map(|text| who(kind, text)).collect::<Vec<_>>())
            .collect(),
        (Value::Null, one) => texts(one).into_iter().map(|text| who("AWS", text)).collect(),
        (not, _) => vec![but(not)],
    }
}

fn who(kind: &str, text: &str) -> Who {
    match (kind, ArnParts::parse(text)) {
        ("AWS", _) if text == "*" => Who::Everyone,
        ("AWS", _) if super::principal::is_account_id(text) => Who::Account(text.to_owned()),
        ("AWS", Some(parts)) if matches!(parts.service, "iam" | "sts") => match parts.resource.split_once('/') {
            None if parts.resource == "root" => Who::Account(parts.account.to_owned()),
            Some((kind, path)) => Who::Identity {
                kind: kind.to_owned(),
                // A role's path is no part of its name; a session's is.
                name: if parts.service == "iam" { path.rsplit('/').next().unwrap_or(path) } else { path }.to_owned(),
                account: parts.account.to_owned(),
            },
            None => Who::Other(text.to_owned()),
        },
        ("Service", _) => Who::Service(text.to_owned()),
        _ => Who::Other(text.to_owned()),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "the policies of these tests are known to be good")]
mod tests {
    use serde_json::json;

    use super::super::PolicyDocument;
    use super::*;

    fn policy(statements: &Value) -> PolicyDocument {
        let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        PolicyDocument::parse(&text).unwrap()
    }

    /// `turn who: deeds`, each on a line.
    fn told(before: &Value, after: &Value) -> Vec<String> {
        let of = |statements: &Value| (!statements.is_null()).then(|| policy(statements));
        let (before, after) = (of(before), of(after));
        PolicyDocument::shifts(before.as_ref(), after.as_ref())
            .iter()
            .map(|Shift { who, turn, conditional, deeds }| {
                let who = match who {
                    Who::Identity { kind, name, account } => format!("{kind} {name} {account}"),
                    other => format!("{other:?}"),
                };
                format!("{turn:?}{} {who}: {deeds:?}", if *conditional { "?" } else { "" })
            })
            .collect()
    }

    fn reads(principal: &str) -> Value {
        json!({
            "Effect": "Allow", "Principal": {"AWS": principal}, "Action": "secretsmanager:GetSecretValue",
            "Resource": "*"
        })
    }

    #[test]
    fn who_may_read_is_told_however_the_statements_are_cut() {
        let (a, b) = (reads("arn:aws:iam::111111111111:role/team/a"), reads("222222222222"));
        let both = json!({
            "Effect": "Allow", "Action": ["secretsmanager:getsecretvalue"], "Resource": "*",
            "Principal": {"AWS": ["arn:aws:iam::222222222222:root", "arn:aws:iam::111111111111:role/team/a"]}
        });
        assert_eq!(told(&json!([a, b]), &json!([both])), [""; 0]);
        assert_eq!(
            told(&json!([a]), &json!([b])),
            ["NoLongerAllowed role a 111111111111: {Read}", "Allowed Account(\"222222222222\"): {Read}"]
                .into_iter()
                .rev()
                .collect::<Vec<_>>()
        );
        assert_eq!(told(&Value::Null, &json!([a])), ["Allowed role a 111111111111: {Read}"]);
    }

    #[test]
    fn wildcards_conditions_and_denials_are_told() {
        let all = json!({"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:*", "Resource": "*"});
        assert_eq!(
            told(&Value::Null, &json!([all])),
            ["Allowed Everyone: {Read, PutValue, Update, Delete, ChangePolicy}"]
        );
        let get = json!({"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:Get*", "Resource": "*"});
        let limited = |org: &str| {
            let mut limited = get.clone();
            limited["Condition"] = json!({"StringEquals": {"aws:PrincipalOrgID": org}});
            limited
        };
        assert_eq!(
            told(&Value::Null, &json!([limited("o-1")])),
            ["Allowed? Everyone: {Read, Call(\"secretsmanager:Get*\")}"]
        );
        let otherwise = told(&json!([limited("o-1")]), &json!([limited("o-2")]));
        assert_eq!(otherwise, ["AllowedOtherwise? Everyone: {Read, Call(\"secretsmanager:Get*\")}"]);
        let deny =
            json!({"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:DeleteSecret", "Resource": "*"});
        assert_eq!(told(&json!([deny]), &Value::Null), ["NoLongerDenied Everyone: {Delete}"]);
        assert_eq!(told(&Value::Null, &json!([deny])), ["Denied Everyone: {Delete}"]);
    }
}
