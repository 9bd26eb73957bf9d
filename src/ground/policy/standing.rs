//! What the statements of a policy say of one principal and one action: wildcards, NotAction, NotPrincipal, resources
//! and conditions on who asks are worked out where that is certain, and called uncertain where it is not.

use std::collections::BTreeSet;

use serde_json::Value;

use super::access::items;
use super::lint::{Caller, Verdict};
use super::meaning::Who;
use super::pattern::{fits, may_fit};
use super::principal::is_account_id;
use super::vocabulary::{ACTIONS, Operator};
use crate::domain::ArnParts;

/// A principal that a statement names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Principal {
    pub(super) who: Who,
    /// Its ARN, where it has one of its own.
    arn: Option<String>,
    /// Whom NotPrincipal names.
    but: Vec<Self>,
}

impl Principal {
    fn read(kind: &str, text: &str) -> Self {
        let who = match (kind, ArnParts::parse(text)) {
            ("AWS", _) if text == "*" => Who::Everyone,
            ("AWS", _) if is_account_id(text) => Who::Account(text.to_owned()),
            ("AWS", Some(parts)) if matches!(parts.service, "iam" | "sts") => match parts.resource.split_once('/') {
                None if parts.resource == "root" => Who::Account(parts.account.to_owned()),
                Some((kind, path)) => Who::Identity {
                    kind: kind.to_owned(),
                    // A role's path is no part of its name; a session's is.
                    name: if parts.service == "iam" { path.rsplit('/').next().unwrap_or(path) } else { path }
                        .to_owned(),
                    account: parts.account.to_owned(),
                },
                None => Who::Other(text.to_owned()),
            },
            ("Service", _) => Who::Service(text.to_owned()),
            ("Federated", _) if text == "*" => Who::Other("every federated principal".to_owned()),
            _ => Who::Other(text.to_owned()),
        };
        let arn = matches!(who, Who::Identity { .. }).then(|| text.to_owned());
        Self { who, arn, but: Vec::new() }
    }

    /// The principals of a canonical statement, and whether there are any.
    fn all(statement: &Value) -> Vec<Self> {
        let named = |value: &Value| -> Vec<Self> {
            let kinds = value.as_object().into_iter().flatten();
            let named = kinds.flat_map(|(kind, named)| {
                items(Some(named)).filter_map(Value::as_str).map(|text| Self::read(kind, text)).collect::<Vec<_>>()
            });
            let alone = value.as_str().map(|text| Self::read("AWS", text));
            named.chain(alone).collect()
        };
        match (statement.get("NotPrincipal"), statement.get("Principal")) {
            // All but everyone is nobody.
            (Some(not), _) if named(not).iter().any(|left_out| left_out.who == Who::Everyone) => Vec::new(),
            (Some(not), _) => {
                vec![Self { who: Who::EveryoneBut(not.to_string()), arn: None, but: named(not) }]
            }
            (None, Some(principal)) => named(principal),
            (None, None) => Vec::new(),
        }
    }

    /// Whether each who is this principal is the other one too.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        match (&self.who, &other.who) {
            (one, other) if one == other => true,
            (_, Who::Everyone) => true,
            (Who::Identity { account, .. }, Who::Account(whole)) => account == whole,
            (Who::Identity { kind, name, account }, Who::Identity { kind: whole, name: role, account: of }) => {
                let session = name.split_once('/').map(|(role, _)| role);
                kind == "assumed-role" && whole == "role" && session == Some(role) && account == of
            }
            (Who::EveryoneBut(_), Who::EveryoneBut(_)) => {
                other.but.iter().all(|left_out| self.but.iter().any(|more| more.who == left_out.who))
            }
            (Who::Everyone, _) => false,
            (_, Who::EveryoneBut(_)) => {
                other.but.iter().all(|left_out| !left_out.is_within(self) && !self.is_within(left_out))
            }
            _ => false,
        }
    }

    /// Whether some of who is this principal may be the other one too.
    pub(super) fn is_partly_within(&self, other: &Self) -> bool {
        let is_left_out = || other.but.iter().any(|left_out| self.is_within(left_out));
        self.is_within(other) || matches!(other.who, Who::EveryoneBut(_)) && !is_left_out()
    }

    /// Whether a statement that names `named` is about this principal, as a whole.
    fn is_meant_by(&self, named: &Self) -> Verdict {
        let Who::EveryoneBut(_) = named.who else { return Verdict::of(self.is_within(named)) };
        if self.is_within(named) {
            return Verdict::Yes;
        }
        match &self.who {
            Who::Service(_) | Who::Other(_) if named.but.iter().any(|left_out| left_out.who == self.who) => Verdict::No,
            Who::Identity { kind, .. } => {
                // IAM compares account, role and session each by itself: whoever is left out is listed by all of them,
                // and a role by those of its sessions too, of which more may come.
                let parts = match kind.as_str() {
                    "user" => 2,
                    "assumed-role" => 3,
                    _ => usize::MAX,
                };
                let listed: BTreeSet<&Who> = named
                    .but
                    .iter()
                    .filter(|left_out| self.is_within(left_out))
                    .map(|left_out| &left_out.who)
                    .collect();
                if listed.len() >= parts { Verdict::No } else { Verdict::Maybe }
            }
            Who::Everyone | Who::EveryoneBut(_) | Who::Account(_) | Who::Service(_) | Who::Other(_) => Verdict::Maybe,
        }
    }
}

/// A statement, as far as it is about the secret.
#[derive(Debug)]
pub(super) struct Rule {
    allows: bool,
    principals: Vec<Principal>,
    actions: Vec<String>,
    not_actions: Vec<String>,
    condition: Option<Value>,
    /// Whether it is about the secret.
    covers: Verdict,
}

impl Rule {
    /// The statements of a canonical document that may be about the secret with this ARN.
    pub(super) fn all(document: Option<&Value>, arn: Option<&str>) -> Vec<Self> {
        let statements = items(document.and_then(|document| document.get("Statement")));
        let rules = statements.filter_map(|statement| {
            let allows = match statement.get("Effect")?.as_str()? {
                "Allow" => true,
                "Deny" => false,
                _ => return None,
            };
            let texts = |key: &str| items(statement.get(key)).filter_map(Value::as_str).map(str::to_owned).collect();
            let covers = about(statement, arn);
            (covers != Verdict::No).then(|| Self {
                allows,
                principals: Principal::all(statement),
                actions: texts("Action"),
                not_actions: texts("NotAction"),
                condition: statement.get("Condition").cloned(),
                covers,
            })
        });
        rules.collect()
    }

    /// Whom it names, in a condition on who asks too.
    pub(super) fn named(&self) -> Vec<Principal> {
        let operators = self.condition.as_ref().and_then(Value::as_object).into_iter().flatten();
        let keys = operators.filter_map(|(_, keys)| keys.as_object()?.get("aws:PrincipalArn"));
        let arns = keys.flat_map(|values| items(Some(values)).filter_map(Value::as_str));
        let in_condition = arns
            .filter(|arn| !super::pattern::has_wildcard(arn) && !arn.contains("${"))
            .map(|arn| Principal::read("AWS", arn))
            .filter(|principal| matches!(principal.who, Who::Identity { .. }));
        self.principals.iter().cloned().chain(in_condition).collect()
    }

    /// The actions and patterns that it names.
    pub(super) fn named_actions(&self) -> impl Iterator<Item = &str> {
        self.actions.iter().chain(&self.not_actions).map(String::as_str)
    }

    /// The patterns of what it is about; none where it is about all but what it names.
    pub(super) fn patterns(&self) -> impl Iterator<Item = &str> {
        self.actions.iter().map(String::as_str).filter(|action| super::pattern::has_wildcard(action))
    }

    fn is_about(&self, action: &str) -> bool {
        let action = action.to_ascii_lowercase();
        let names = |patterns: &[String]| patterns.iter().any(|one| fits(&one.to_ascii_lowercase(), &action));
        if self.not_actions.is_empty() { names(&self.actions) } else { !names(&self.not_actions) }
    }
}

/// Whether a canonical statement is about the secret, by its resources.
pub(super) fn about(statement: &Value, arn: Option<&str>) -> Verdict {
    let names = |key: &str| {
        Verdict::any(items(statement.get(key)).filter_map(Value::as_str).map(|pattern| match arn {
            _ if pattern == "*" => Verdict::Yes,
            None => Verdict::Maybe,
            Some(arn) if fits(pattern, arn) => Verdict::Yes,
            Some(arn) if pattern.contains("${") || may_fit(pattern, arn) => Verdict::Maybe,
            Some(_) => Verdict::No,
        }))
    };
    match (statement.get("NotResource"), statement.get("Resource")) {
        (Some(_), _) => names("NotResource").negated(),
        (None, Some(_)) => names("Resource"),
        (None, None) => Verdict::Maybe,
    }
}

/// What some statements say of one principal and one action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// A statement is about it, whatever the conditions.
    pub(super) full: bool,
    /// The conditions of statements that name the principal itself.
    pub(super) own: BTreeSet<String>,
    /// The same of statements about more than it, and of those that may or may not be about it.
    pub(super) other: BTreeSet<String>,
}

impl Standing {
    /// What the rules of one effect say.
    pub(super) fn of(rules: &[Rule], allows: bool, principal: &Principal, action: &str) -> Self {
        let mut standing = Self::default();
        for rule in rules.iter().filter(|rule| rule.allows == allows && rule.is_about(action)) {
            let meant = Verdict::any(rule.principals.iter().map(|named| principal.is_meant_by(named)));
            let holds = holds(rule.condition.as_ref(), principal);
            let verdict = Verdict::all([meant, holds, rule.covers]);
            let condition = || rule.condition.as_ref().map(Value::to_string).unwrap_or_default();
            match verdict {
                Verdict::No => {}
                Verdict::Yes => standing.full = true,
                Verdict::Maybe if rule.principals.iter().any(|named| named.who == principal.who) => {
                    standing.own.insert(condition());
                }
                Verdict::Maybe => drop(standing.other.insert(condition())),
            }
        }
        if standing.full {
            // What else is said of it makes no difference.
            return Self { full: true, ..Self::default() };
        }
        standing
    }

    /// Whether nothing is said.
    pub(super) fn is_nothing(&self) -> bool {
        !self.is_said() && self.other.is_empty()
    }

    /// Whether something is said of the principal for certain, under conditions at least.
    pub(super) fn is_said(&self) -> bool {
        self.full || !self.own.is_empty()
    }
}

/// Whether the conditions of a statement hold for every request of a principal: only those on who asks are worked out.
fn holds(condition: Option<&Value>, principal: &Principal) -> Verdict {
    let Some(condition) = condition else { return Verdict::Yes };
    let Some(operators) = condition.as_object() else { return Verdict::Maybe };
    Verdict::all(operators.iter().map(|(operator, keys)| {
        let plain = |operator: &Operator| operator.set.is_none() && !operator.if_exists;
        let (Some(operator), Some(keys)) = (Operator::read(operator).filter(plain), keys.as_object()) else {
            return Verdict::Maybe;
        };
        Verdict::all(keys.iter().map(|(key, values)| one(operator, key, values, principal)))
    }))
}

fn one(operator: Operator, key: &str, values: &Value, principal: &Principal) -> Verdict {
    let negative = operator.base.contains("Not");
    let is_pattern = match operator.base.replace("Not", "").as_str() {
        "StringEquals" => false,
        "StringLike" | "ArnEquals" | "ArnLike" => true,
        _ => return Verdict::Maybe,
    };
    let caller = principal.arn.as_deref().and_then(Caller::read);
    let account = match &principal.who {
        Who::Account(account) | Who::Identity { account, .. } => Some(account.as_str()),
        _ => None,
    };
    let fits_one = |value: &str| match (key, &caller, account) {
        _ if value.contains("${") => Verdict::Maybe,
        ("aws:PrincipalArn", Some(caller), _) => Caller::arn_matches(Some(caller), None, value, is_pattern),
        ("aws:PrincipalArn", None, Some(_)) => Caller::arn_matches(None, account, value, is_pattern),
        ("aws:PrincipalAccount", _, Some(account)) if is_pattern => Verdict::of(fits(value, account)),
        ("aws:PrincipalAccount", _, Some(account)) => Verdict::of(value == account),
        _ => Verdict::Maybe,
    };
    let matched = Verdict::any(items(Some(values)).map(|value| value.as_str().map_or(Verdict::Maybe, fits_one)));
    if negative { matched.negated() } else { matched }
}

/// The actions of Secrets Manager, and what else the rules name that fits none of them, in their documented spelling.
pub(super) fn actions(rules: &[&[Rule]]) -> BTreeSet<String> {
    let known = ACTIONS.map(|action| format!("secretsmanager:{action}"));
    let named = rules.iter().flat_map(|rules| rules.iter().flat_map(Rule::named_actions));
    let unknown = named.filter(|named| {
        let pattern = named.to_ascii_lowercase();
        !known.iter().any(|action| fits(&pattern, &action.to_ascii_lowercase()))
    });
    unknown.map(str::to_owned).chain(known.iter().cloned()).collect()
}
