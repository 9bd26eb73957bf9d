//! What a policy lets whom do, in terms that can be compared: a reader of a plan asks who may read a secret, and not
//! how its statements are cut.
//!
//! It says what the policy says by itself: whether a call is allowed in the end also depends on identity policies,
//! boundaries and organisations, so nothing here claims that somebody has access. That somebody may, or may no longer,
//! is said only where no other statement makes it untrue; where that is not worked out, it is said that it depends.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::pattern::fits;
use super::standing::{Principal, Rule, Standing, actions};

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
    /// Another action, or all that a pattern stands for, as it is written.
    Call(String),
    /// Every action that has no words of its own.
    CallOthers,
    /// So many further actions.
    CallMore(usize),
}

/// The actions that have words of their own.
const NAMED: [(&str, Deed); 5] = [
    ("secretsmanager:GetSecretValue", Deed::Read),
    ("secretsmanager:PutSecretValue", Deed::PutValue),
    ("secretsmanager:UpdateSecret", Deed::Update),
    ("secretsmanager:DeleteSecret", Deed::Delete),
    ("secretsmanager:PutResourcePolicy", Deed::ChangePolicy),
];

/// Actions without words of their own that are told one by one; of more, the rest is counted.
const CALLS_TOLD: usize = 6;

/// What one policy says of one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// It is allowed, and no statement allowed it before.
    Allowed,
    /// No statement allows it any longer.
    NoLongerAllowed,
    /// It is allowed under other conditions.
    AllowedOtherwise,
    /// No statement that is certainly about it allows it any longer, and another one may.
    AllowedPerhaps,
    /// It is allowed as before, to one of those to whom it is no longer allowed as a whole.
    StillAllowed,
    /// It is denied, and no statement denied it before.
    Denied,
    /// No statement denies it any longer.
    NoLongerDenied,
    /// It is denied under other conditions.
    DeniedOtherwise,
    /// No statement that is certainly about it denies it any longer, and another one may.
    DeniedPerhaps,
    /// It is denied as before, to one of those to whom it is no longer denied as a whole.
    StillDenied,
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

/// What becomes different from one canonical document to another; none is a secret without a policy. `arn` is the
/// secret's, as far as it is known.
pub(super) fn shifts(before: Option<&Value>, after: Option<&Value>, arn: Option<&str>) -> Vec<Shift> {
    let (before, after) = (Rule::all(before, arn), Rule::all(after, arn));
    let named = |rules: &[Rule]| rules.iter().flat_map(Rule::named).collect::<Vec<_>>();
    let mut principals = named(&before);
    principals.extend(named(&after));
    principals.sort();
    principals.dedup_by(|one, other| one.who == other.who);
    let actions = actions(&[&before, &after]);

    let mut turns: BTreeMap<(&Principal, &str), Vec<(Turn, bool)>> = BTreeMap::new();
    for principal in &principals {
        for action in &actions {
            let pair = Pair { before: &before, after: &after, principal, action };
            turns.insert((principal, action), pair.turns());
        }
    }
    tell_the_rest(&principals, &mut turns, &after);
    leave_out_implied(&principals, &mut turns);

    let mut shifts: BTreeMap<(Who, Turn, bool), BTreeSet<&str>> = BTreeMap::new();
    for ((principal, action), turns) in &turns {
        for (turn, conditional) in turns {
            shifts.entry((principal.who.clone(), *turn, *conditional)).or_default().insert(*action);
        }
    }
    let deeds = |turn: Turn, actions: BTreeSet<&str>| {
        let gone = matches!(turn, Turn::NoLongerAllowed | Turn::NoLongerDenied);
        deeds(actions, if gone { &before } else { &after })
    };
    shifts
        .into_iter()
        .map(|((who, turn, conditional), actions)| Shift { who, turn, conditional, deeds: deeds(turn, actions) })
        .collect()
}

/// One principal and one action, under two policies.
struct Pair<'a> {
    before: &'a [Rule],
    after: &'a [Rule],
    principal: &'a Principal,
    action: &'a str,
}

impl Pair<'_> {
    fn turns(&self) -> Vec<(Turn, bool)> {
        let Self { before, after, principal, action } = self;
        let denied = [before, after].map(|rules| Standing::of(rules, false, principal, action));
        let mut allowed = [before, after].map(|rules| Standing::of(rules, true, principal, action));
        // A Deny goes before every Allow.
        for (allowed, denied) in allowed.iter_mut().zip(&denied) {
            if denied.full {
                *allowed = Standing::default();
            }
        }
        let [_, denied_after] = &denied;
        let may_be_denied = !denied_after.is_nothing();
        let deny = turn(&denied, DENY);
        let allow = turn(&allowed, ALLOW).map(|(turn, conditional)| match turn {
            Turn::Allowed | Turn::AllowedOtherwise => (turn, conditional || may_be_denied),
            _ => (turn, conditional),
        });
        match (allow, deny) {
            (Some((Turn::NoLongerAllowed, _)), Some((Turn::Denied, false))) => deny.into_iter().collect(),
            (Some((Turn::Allowed, _)), Some((Turn::NoLongerDenied, _))) => allow.into_iter().collect(),
            _ => allow.into_iter().chain(deny).collect(),
        }
    }
}

/// The turns of one effect: it begins, ends, has other conditions, or depends.
type Turns = [Turn; 4];

const ALLOW: Turns = [Turn::Allowed, Turn::NoLongerAllowed, Turn::AllowedOtherwise, Turn::AllowedPerhaps];
const DENY: Turns = [Turn::Denied, Turn::NoLongerDenied, Turn::DeniedOtherwise, Turn::DeniedPerhaps];

/// What one effect comes to, and whether under conditions.
fn turn([was, is]: &[Standing; 2], [begins, ends, otherwise, perhaps]: Turns) -> Option<(Turn, bool)> {
    if was == is {
        return None;
    }
    match (was.is_said(), is.is_said()) {
        (false, true) if was.is_nothing() => Some((begins, !is.full)),
        (_, true) if was.full == is.full && was.own == is.own => None,
        (_, true) => Some((otherwise, !is.full)),
        (true, false) if is.is_nothing() => Some((ends, false)),
        (true, false) => Some((perhaps, true)),
        // Whatever is said of others is told of them.
        (false, false) => None,
    }
}

/// Of those to whom something is no longer allowed, or denied, as a whole: to whom it still is. Of those to whom it is
/// allowed as a whole now: to whom it is denied as before.
fn tell_the_rest<'a>(
    principals: &'a [Principal],
    turns: &mut BTreeMap<(&'a Principal, &'a str), Vec<(Turn, bool)>>,
    after: &[Rule],
) {
    let mut rest = Vec::new();
    for ((whole, action), told) in &*turns {
        let has = |wanted: Turn| told.iter().any(|(turn, _)| *turn == wanted);
        let (no_longer_allowed, allowed) =
            (has(Turn::NoLongerAllowed), has(Turn::Allowed) || has(Turn::AllowedOtherwise));
        let no_longer_denied = has(Turn::NoLongerDenied);
        if !no_longer_allowed && !no_longer_denied && !allowed {
            continue;
        }
        let is_told = |part: &Principal, effect: Turns| {
            turns.get(&(part, *action)).is_some_and(|told| told.iter().any(|(turn, _)| effect.contains(turn)))
        };
        let parts = principals.iter().filter(|part| part.who != whole.who && part.is_partly_within(whole));
        for part in parts {
            let denied = Standing::of(after, false, part, action);
            let is = Standing::of(after, true, part, action);
            if no_longer_allowed && is.is_said() && !denied.full && !is_told(part, ALLOW) {
                rest.push((part, *action, (Turn::StillAllowed, !is.full || !denied.is_nothing())));
            } else if (no_longer_denied || allowed) && denied.is_said() && !is_told(part, DENY) {
                rest.push((part, *action, (Turn::StillDenied, !denied.full)));
            }
        }
    }
    for (part, action, turn) in rest {
        let told = turns.entry((part, action)).or_default();
        if !told.contains(&turn) {
            told.push(turn);
        }
    }
}

/// A denial that is told of all of them is not told of each once more.
fn leave_out_implied<'a>(
    principals: &'a [Principal],
    turns: &mut BTreeMap<(&'a Principal, &'a str), Vec<(Turn, bool)>>,
) {
    let all = turns.clone();
    for ((part, action), told) in turns {
        told.retain(|turn| {
            let is_implied = |whole: &Principal| {
                whole.who != part.who
                    && part.is_within(whole)
                    && all.get(&(whole, *action)).is_some_and(|told| told.contains(turn))
            };
            !matches!(turn, (Turn::Denied | Turn::NoLongerDenied, false)) || !principals.iter().any(is_implied)
        });
    }
}

/// The words for some actions. `rules` are those that say something of them, as they are written.
fn deeds(mut actions: BTreeSet<&str>, rules: &[Rule]) -> BTreeSet<Deed> {
    let mut deeds: BTreeSet<Deed> = BTreeSet::new();
    let all = actions.clone();
    for (action, deed) in NAMED {
        if actions.remove(action) {
            deeds.insert(deed);
        }
    }
    let known = || super::vocabulary::ACTIONS.map(|action| format!("secretsmanager:{action}"));
    let named = |action: &str| NAMED.iter().any(|(named, _)| *named == action);
    if known().iter().all(|action| named(action) || actions.contains(action.as_str())) {
        actions.retain(|action| !known().iter().any(|known| known == action));
        deeds.insert(Deed::CallOthers);
    }
    let mut patterns: Vec<(&str, Vec<String>)> = rules
        .iter()
        .flat_map(Rule::patterns)
        .map(|pattern| {
            let fitting = |action: &String| fits(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase());
            (pattern, known().into_iter().filter(fitting).collect())
        })
        .collect();
    patterns.sort_by_key(|(pattern, stands_for)| (usize::MAX - stands_for.len(), *pattern));
    for (pattern, stands_for) in patterns {
        let is_whole = stands_for.iter().all(|action| all.contains(action.as_str()));
        if is_whole && stands_for.iter().any(|action| actions.contains(action.as_str())) {
            actions.retain(|action| !stands_for.iter().any(|known| known == action));
            deeds.insert(Deed::Call(pattern.to_owned()));
        }
    }
    let told = if actions.len() > CALLS_TOLD { CALLS_TOLD - 1 } else { CALLS_TOLD };
    deeds.extend(actions.iter().take(told).map(|action| Deed::Call((*action).to_owned())));
    deeds.extend(actions.len().checked_sub(told).filter(|more| *more > 0).map(Deed::CallMore));
    deeds
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
        PolicyDocument::shifts(before.as_ref(), after.as_ref(), None)
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
            ["Allowed Everyone: {Read, PutValue, Update, Delete, ChangePolicy, CallOthers}"]
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

    /// A statement that allows role `x` these actions.
    fn allows(key: &str, actions: &Value) -> Value {
        let role = "arn:aws:iam::111111111111:role/x";
        let mut allow = json!({"Effect": "Allow", "Principal": {"AWS": role}, "Resource": "*"});
        allow[key] = actions.clone();
        allow
    }

    #[test]
    fn what_another_statement_lets_do_is_neither_lost_nor_new() {
        let get = allows("Action", &json!("secretsmanager:GetSecretValue"));
        let x = "role x 111111111111";
        let all_but_delete = allows("NotAction", &json!("secretsmanager:DeleteSecret"));
        let rest = "{PutValue, Update, ChangePolicy, CallOthers}";
        assert_eq!(told(&json!([get]), &json!([all_but_delete])), [format!("Allowed {x}: {rest}")]);
        assert_eq!(told(&json!([all_but_delete]), &json!([get])), [format!("NoLongerAllowed {x}: {rest}")]);
        assert_eq!(told(&json!([get]), &json!([reads("*")])), ["Allowed Everyone: {Read}"]);
        let account = r#"Account("111111111111")"#;
        assert_eq!(told(&json!([get]), &json!([reads("111111111111")])), [format!("Allowed {account}: {{Read}}")]);
        assert_eq!(
            told(&json!([reads("111111111111")]), &json!([get])),
            [format!("NoLongerAllowed {account}: {{Read}}"), format!("StillAllowed {x}: {{Read}}")]
        );
        let wild = |action: &str| allows("Action", &json!(action));
        assert_eq!(told(&json!([get]), &json!([wild("secretsmanager:GetSecretV?lue")])), [""; 0]);
        assert_eq!(
            told(&json!([wild("secretsmanager:Get*")]), &json!([wild("secretsmanager:GetSecret*")])),
            [format!(
                "NoLongerAllowed {x}: {{Call(\"secretsmanager:GetRandomPassword\"), \
                 Call(\"secretsmanager:GetResourcePolicy\")}}"
            )]
        );
    }

    #[test]
    fn a_denial_goes_before_what_is_allowed() {
        let x = "role x 111111111111";
        let get = allows("Action", &json!("secretsmanager:GetSecretValue"));
        let deny = |condition: &Value| {
            let mut deny = reads("*");
            deny["Effect"] = json!("Deny");
            if !condition.is_null() {
                deny["Condition"] = condition.clone();
            }
            deny
        };
        assert_eq!(told(&json!([get]), &json!([get, deny(&Value::Null)])), ["Denied Everyone: {Read}"]);
        assert_eq!(told(&json!([deny(&Value::Null)]), &json!([get, deny(&Value::Null)])), [""; 0]);
        let but_x = deny(&json!({"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/x"}}));
        assert_eq!(told(&json!([but_x]), &json!([but_x, get])), [format!("Allowed {x}: {{Read}}")]);
        let elsewhere = deny(&json!({"StringNotEquals": {"aws:SourceVpce": "vpce-0a"}}));
        assert_eq!(told(&json!([elsewhere]), &json!([elsewhere, get])), [format!("Allowed? {x}: {{Read}}")]);
        let others = json!([{"Effect": "Allow", "NotPrincipal": {"AWS": "222222222222"},
            "Action": "secretsmanager:GetSecretValue", "Resource": "*"}]);
        assert_eq!(
            told(&json!([reads("222222222222")]), &others)[1],
            r#"AllowedPerhaps? Account("222222222222"): {Read}"#
        );
    }
}
