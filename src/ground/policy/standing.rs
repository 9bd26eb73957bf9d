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
    /// Itself, and all that it is one of by its name: its role, its account, everyone.
    within: Vec<Who>,
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
        Self { within: within(&who), who, arn, but: Vec::new() }
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
                let but = named(not);
                let who = Who::EveryoneBut(not.to_string(), but.iter().map(|one| one.who.clone()).collect());
                vec![Self { within: within(&who), who, arn: None, but }]
            }
            (None, Some(principal)) => named(principal),
            (None, None) => Vec::new(),
        }
    }

    /// Itself, and all that it is one of by its name.
    pub(super) fn within(&self) -> &[Who] {
        &self.within
    }

    /// Whether it is all but some.
    pub(super) fn is_all_but_some(&self) -> bool {
        matches!(self.who, Who::EveryoneBut(..))
    }

    /// Whether each who is this principal is the other one too.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        match (&self.who, &other.who) {
            (Who::EveryoneBut(..), Who::EveryoneBut(..)) => {
                other.but.iter().all(|left_out| self.but.iter().any(|more| more.who == left_out.who))
            }
            (Who::Everyone, Who::EveryoneBut(..)) => false,
            (_, Who::EveryoneBut(..)) => {
                other.but.iter().all(|left_out| !left_out.is_within(self) && !self.is_within(left_out))
            }
            (_, other) => self.within.contains(other),
        }
    }

    /// Whether some of who is this principal may be the other one too.
    pub(super) fn is_partly_within(&self, other: &Self) -> bool {
        let is_left_out = || other.but.iter().any(|left_out| self.is_within(left_out));
        self.is_within(other) || other.is_all_but_some() && !is_left_out()
    }

    /// Whether a statement that names all but some is about this principal, as a whole.
    fn is_none_of_those(&self, named: &Self) -> Verdict {
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
            Who::Everyone | Who::EveryoneBut(..) | Who::Account(_) | Who::Service(_) | Who::Other(_) => Verdict::Maybe,
        }
    }
}

/// Itself, and all that somebody is one of by name.
fn within(who: &Who) -> Vec<Who> {
    let mut within = vec![who.clone()];
    if let Who::Identity { kind, name, account } = who {
        let role = name.split_once('/').filter(|_| kind == "assumed-role").map(|(role, _)| role);
        within.extend(role.map(|role| Who::Identity {
            kind: "role".to_owned(),
            name: role.to_owned(),
            account: account.clone(),
        }));
        within.push(Who::Account(account.clone()));
    }
    within.push(Who::Everyone);
    within
}

/// A statement, as far as it is about the secret.
#[derive(Debug)]
pub(super) struct Rule {
    allows: bool,
    principals: Vec<Principal>,
    /// Those of them that are not all but some, in their order.
    named: Vec<Who>,
    actions: Vec<String>,
    not_actions: Vec<String>,
    condition: Option<Value>,
    /// The condition as a text, by which two are compared; empty without one.
    condition_text: String,
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
            let principals = Principal::all(statement);
            let condition = statement.get("Condition");
            let by_name = principals.iter().filter(|one| !one.is_all_but_some());
            let mut named: Vec<Who> = by_name.map(|one| one.who.clone()).collect();
            named.sort_unstable();
            (covers != Verdict::No).then(|| Self {
                allows,
                named,
                principals,
                actions: texts("Action"),
                not_actions: texts("NotAction"),
                condition: condition.cloned(),
                condition_text: condition.map(Value::to_string).unwrap_or_default(),
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
    fn named_actions(&self) -> impl Iterator<Item = &str> {
        self.actions.iter().chain(&self.not_actions).map(String::as_str)
    }

    /// The patterns of what it is about; none where it is about all but what it names.
    pub(super) fn patterns(&self) -> impl Iterator<Item = &str> {
        self.actions.iter().map(String::as_str).filter(|action| super::pattern::has_wildcard(action))
    }

    /// Of these actions, whether it is about each.
    fn are_about(&self, actions: &[String]) -> Vec<bool> {
        let names_each = |patterns: &[String]| -> Vec<bool> {
            let patterns: Vec<String> = patterns.iter().map(|one| one.to_ascii_lowercase()).collect();
            let names = |action: &String| patterns.iter().any(|one| fits(one, &action.to_ascii_lowercase()));
            actions.iter().map(names).collect()
        };
        if self.not_actions.is_empty() {
            return names_each(&self.actions);
        }
        names_each(&self.not_actions).into_iter().map(|named| !named).collect()
    }

    /// Whether it is about a principal, as a whole.
    fn means(&self, principal: &Principal) -> Verdict {
        if principal.within.iter().any(|who| self.named.binary_search(who).is_ok()) {
            return Verdict::Yes;
        }
        let all_but_some = self.principals.iter().filter(|named| named.is_all_but_some());
        Verdict::any(all_but_some.map(|named| principal.is_none_of_those(named)))
    }

    /// Whether it names the principal itself.
    fn names(&self, principal: &Principal) -> bool {
        self.named.binary_search(&principal.who).is_ok()
            || self.principals.iter().any(|named| named.who == principal.who)
    }
}

/// Actions of which the statements of two policies say the same.
#[derive(Debug)]
pub(super) struct Class {
    /// Their names.
    pub(super) actions: Vec<String>,
    /// Which statements of the one policy are about them, and which of the other.
    about: [Vec<bool>; 2],
}

impl Class {
    /// All actions that two policies may be about, in classes: few, however many there are.
    pub(super) fn all(policies: [&[Rule]; 2]) -> Vec<Self> {
        let actions: Vec<String> = actions(policies).into_iter().collect();
        let about = policies.map(|rules| rules.iter().map(|rule| rule.are_about(&actions)).collect::<Vec<_>>());
        let mut classes: Vec<Self> = Vec::new();
        for (at, action) in actions.into_iter().enumerate() {
            let of_action = about.each_ref().map(|rules| rules.iter().map(|rule| rule[at]).collect());
            match classes.iter_mut().find(|class| class.about == of_action) {
                Some(class) => class.actions.push(action),
                None => classes.push(Self { actions: vec![action], about: of_action }),
            }
        }
        classes
    }
}

/// What one policy says of one principal, whatever is done: the statements that are about it, or may be.
#[derive(Debug)]
pub(super) struct Said<'r>(Vec<(usize, &'r Rule, Verdict)>);

impl<'r> Said<'r> {
    pub(super) fn of(rules: &'r [Rule], principal: &Principal) -> Self {
        let verdict = |rule: &Rule| match rule.means(principal) {
            Verdict::No => Verdict::No,
            meant => Verdict::all([meant, rule.covers, holds(rule.condition.as_ref(), principal)]),
        };
        let said = rules.iter().enumerate().map(|(at, rule)| (at, rule, verdict(rule)));
        Self(said.filter(|(_, _, verdict)| *verdict != Verdict::No).collect())
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
pub(super) struct Standing<'r> {
    /// A statement is about it, whatever the conditions.
    pub(super) full: bool,
    /// The conditions of statements that name the principal itself.
    pub(super) own: BTreeSet<&'r str>,
    /// The same of statements about more than it, and of those that may or may not be about it.
    pub(super) other: BTreeSet<&'r str>,
}

impl<'r> Standing<'r> {
    /// What the statements of one effect say of a principal and a class of actions; `policy` is 0 or 1, as for the
    /// class.
    pub(super) fn of(said: &Said<'r>, policy: usize, allows: bool, principal: &Principal, class: &Class) -> Self {
        let about = class.about.get(policy).map_or(&[][..], Vec::as_slice);
        let mut standing = Self::default();
        for (at, rule, verdict) in &said.0 {
            if rule.allows != allows || about.get(*at) != Some(&true) {
                continue;
            }
            match verdict {
                Verdict::No => {}
                Verdict::Yes => standing.full = true,
                Verdict::Maybe if rule.names(principal) => drop(standing.own.insert(&rule.condition_text)),
                Verdict::Maybe => drop(standing.other.insert(&rule.condition_text)),
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
fn actions(policies: [&[Rule]; 2]) -> BTreeSet<String> {
    let known = ACTIONS.map(|action| format!("secretsmanager:{action}"));
    let in_lower_case = known.each_ref().map(|action| action.to_ascii_lowercase());
    let named = policies.into_iter().flat_map(|rules| rules.iter().flat_map(Rule::named_actions));
    let unknown = named.filter(|named| {
        let pattern = named.to_ascii_lowercase();
        !in_lower_case.iter().any(|action| fits(&pattern, action))
    });
    unknown.map(str::to_owned).chain(known.iter().cloned()).collect()
}
