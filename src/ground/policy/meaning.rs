//! What a policy lets whom do, in terms that can be compared: a reader of a plan asks who may read a secret, and not
//! how its statements are cut.
//!
//! It says what the policy says by itself: whether a call is allowed in the end also depends on identity policies,
//! boundaries and organisations, so nothing here claims that somebody has access. That somebody may, or may no longer,
//! is said only where no other statement makes it untrue; where that is not worked out, it is said that it depends.

use std::collections::BTreeSet;

use serde_json::Value;

use super::pattern::fits;
use super::standing::{Class, Principal, Rule, Said, Standing};

/// Whom a statement names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// `*`.
    Everyone,
    /// Every principal but these (NotPrincipal): as they are written, paths of roles included, and each by itself.
    EveryoneBut(String, Vec<Who>),
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
    /// No statement that is certainly about it allows it any longer, and another one may; or it is still allowed to one
    /// of those to whom it is not as a whole, and a denial may be about that one, or may have been.
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
    let classes = Class::all([&before, &after]);
    let said: Vec<[Said<'_>; 2]> =
        principals.iter().map(|principal| [&before, &after].map(|rules| Said::of(rules, principal))).collect();

    let mut turns: Turned = Vec::with_capacity(principals.len() * classes.len());
    for (principal, said) in principals.iter().zip(&said) {
        turns.extend(classes.iter().map(|class| turns_of(said, principal, class)));
    }
    let parts = Parts::of(&principals);
    turns_of_parts(&principals, &classes, &said, &parts, &mut turns);
    leave_out_implied(&parts, classes.len(), &mut turns);

    let at = |number: usize| (number / classes.len(), number % classes.len());
    let mut told: Vec<(usize, Turn, bool, usize)> = Vec::new();
    for (number, turns) in turns.iter().enumerate() {
        let (who, what) = at(number);
        told.extend(turns.iter().map(|(turn, conditional)| (who, *turn, *conditional, what)));
    }
    told.sort_unstable();
    let words = [&before, &after].map(|rules| Words::of(rules));
    // Many principals have the same turns.
    let mut known: Vec<(bool, Vec<usize>, BTreeSet<Deed>)> = Vec::new();
    let shift = |alike: &[(usize, Turn, bool, usize)]| {
        let &(who, turn, conditional, _) = alike.first()?;
        let gone = matches!(turn, Turn::NoLongerAllowed | Turn::NoLongerDenied);
        let whats: Vec<usize> = alike.iter().map(|(.., what)| *what).collect();
        let at = known.iter().position(|(of_gone, of, _)| *of_gone == gone && *of == whats).unwrap_or_else(|| {
            let actions = whats.iter().flat_map(|what| &classes[*what].actions).map(String::as_str);
            let deeds = words[usize::from(!gone)].deeds(actions.collect());
            known.push((gone, whats, deeds));
            known.len() - 1
        });
        Some(Shift { who: principals[who].who.clone(), turn, conditional, deeds: known[at].2.clone() })
    };
    told.chunk_by(|one, other| (one.0, one.1, one.2) == (other.0, other.1, other.2)).filter_map(shift).collect()
}

/// The turns of each principal in each class of actions: all classes of the first, then of the second.
type Turned = Vec<Vec<(Turn, bool)>>;

/// What becomes different for one principal in one class of actions. `said` is what the two policies say of it.
fn turns_of(said: &[Said<'_>; 2], principal: &Principal, class: &Class) -> Vec<(Turn, bool)> {
    let of = |allows| [0, 1].map(|policy| Standing::of(&said[policy], policy, allows, principal, class));
    let (denied, mut allowed) = (of(false), of(true));
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

/// Which principals are part of which, by their numbers.
struct Parts {
    /// Of each, the others that it is within.
    wholes: Vec<Vec<usize>>,
    /// Of each, the others that are within it, some of them at least.
    parts: Vec<Vec<usize>>,
}

impl Parts {
    /// Of principals in their order.
    fn of(principals: &[Principal]) -> Self {
        let all_but_some: Vec<usize> = (0..principals.len()).filter(|at| principals[*at].is_all_but_some()).collect();
        let mut wholes = Vec::with_capacity(principals.len());
        let mut parts = vec![Vec::new(); principals.len()];
        for (part, principal) in principals.iter().enumerate() {
            let by_name = principal.within().iter();
            let found = by_name.filter_map(|who| principals.binary_search_by(|one| one.who.cmp(who)).ok());
            let mut within: Vec<usize> = found.filter(|whole| *whole != part).collect();
            for whole in &within {
                parts[*whole].push(part);
            }
            for &whole in all_but_some.iter().filter(|whole| **whole != part) {
                if principal.is_within(&principals[whole]) {
                    within.push(whole);
                }
                if principal.is_partly_within(&principals[whole]) {
                    parts[whole].push(part);
                }
            }
            wholes.push(within);
        }
        Self { wholes, parts }
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
fn turns_of_parts(
    principals: &[Principal],
    classes: &[Class],
    said: &[[Said<'_>; 2]],
    parts: &Parts,
    turns: &mut Turned,
) {
    let mut found = Vec::new();
    for (number, told) in turns.iter().enumerate() {
        let (whole, what) = (number / classes.len(), number % classes.len());
        let has = |wanted: Turn| told.iter().any(|(turn, _)| *turn == wanted);
        let (no_longer_allowed, allowed) =
            (has(Turn::NoLongerAllowed), has(Turn::Allowed) || has(Turn::AllowedOtherwise));
        let no_longer_denied = has(Turn::NoLongerDenied);
        if !no_longer_allowed && !no_longer_denied && !allowed {
            continue;
        }
        let number_of = |part: usize| part * classes.len() + what;
        let is_told = |part: usize, effect: Turns| turns[number_of(part)].iter().any(|(turn, _)| effect.contains(turn));
        for &part in &parts.parts[whole] {
            let of = |policy: usize, allows| {
                Standing::of(&said[part][policy], policy, allows, &principals[part], &classes[what])
            };
            let (denied, is) = (of(1, false), of(1, true));
            if no_longer_allowed && is.is_said() && !denied.full && !is_told(part, ALLOW) {
                // Others may be denied it, or may have been, of whom this one may be.
                let depends = [&of(0, false), &denied].iter().any(|denied| !denied.other.is_empty());
                let still = (Turn::StillAllowed, !is.full || !denied.is_nothing());
                found.push((number_of(part), if depends { (Turn::AllowedPerhaps, true) } else { still }));
            } else if (no_longer_denied || allowed) && denied.is_said() && !is_told(part, DENY) {
                found.push((number_of(part), (Turn::StillDenied, !denied.full)));
            }
        }
    }
    for (number, turn) in found {
        let told = &mut turns[number];
        if !told.contains(&turn) {
            told.push(turn);
        }
    }
}

/// A denial that is told of all of them is not told of each once more.
fn leave_out_implied(parts: &Parts, classes: usize, turns: &mut Turned) {
    let all = turns.clone();
    for (number, told) in turns.iter_mut().enumerate() {
        let (part, what) = (number / classes, number % classes);
        told.retain(|turn| {
            let is_implied = |whole: &usize| all[whole * classes + what].contains(turn);
            !matches!(turn, (Turn::Denied | Turn::NoLongerDenied, false)) || !parts.wholes[part].iter().any(is_implied)
        });
    }
}

/// What there is to make words of actions with.
struct Words<'r> {
    /// The actions of Secrets Manager.
    known: Vec<String>,
    /// The patterns in a policy and the known actions that fit each: those that fit most first.
    patterns: Vec<(&'r str, Vec<String>)>,
}

impl<'r> Words<'r> {
    /// Words of a policy, as it is written.
    fn of(rules: &'r [Rule]) -> Self {
        let known: Vec<String> =
            super::vocabulary::ACTIONS.iter().map(|action| format!("secretsmanager:{action}")).collect();
        let written: BTreeSet<&str> = rules.iter().flat_map(Rule::patterns).collect();
        let with_actions = |pattern: &'r str| {
            let in_lower_case = pattern.to_ascii_lowercase();
            let fitting = known.iter().filter(|action| fits(&in_lower_case, &action.to_ascii_lowercase()));
            (pattern, fitting.cloned().collect())
        };
        let mut patterns: Vec<(&str, Vec<String>)> = written.into_iter().map(with_actions).collect();
        patterns.sort_by_key(|(pattern, stands_for)| (usize::MAX - stands_for.len(), *pattern));
        Self { known, patterns }
    }

    /// The words for some actions.
    fn deeds(&self, mut actions: BTreeSet<&str>) -> BTreeSet<Deed> {
        let mut deeds: BTreeSet<Deed> = BTreeSet::new();
        let all = actions.clone();
        for (action, deed) in NAMED {
            if actions.remove(action) {
                deeds.insert(deed);
            }
        }
        let named = |action: &str| NAMED.iter().any(|(named, _)| *named == action);
        if self.known.iter().all(|action| named(action) || actions.contains(action.as_str())) {
            actions.retain(|action| !self.known.iter().any(|known| known == action));
            deeds.insert(Deed::CallOthers);
        }
        for (pattern, stands_for) in &self.patterns {
            let is_whole = stands_for.iter().all(|action| all.contains(action.as_str()));
            if is_whole && stands_for.iter().any(|action| actions.contains(action.as_str())) {
                actions.retain(|action| !stands_for.iter().any(|known| known == action));
                deeds.insert(Deed::Call((*pattern).to_owned()));
            }
        }
        let told = if actions.len() > CALLS_TOLD { CALLS_TOLD - 1 } else { CALLS_TOLD };
        deeds.extend(actions.iter().take(told).map(|action| Deed::Call((*action).to_owned())));
        deeds.extend(actions.len().checked_sub(told).filter(|more| *more > 0).map(Deed::CallMore));
        deeds
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
    fn whether_some_may_still_is_left_open_where_a_denial_may_be_about_them() {
        let deny_all_but = |role: &str| {
            let but = json!({"AWS": format!("arn:aws:iam::111111111111:role/{role}")});
            json!({"Effect": "Deny", "NotPrincipal": but, "Action": "secretsmanager:GetSecretValue", "Resource": "*"})
        };
        let before = json!([reads("*"), deny_all_but("a")]);
        let after = json!([reads("111111111111"), deny_all_but("b")]);
        let told = told(&before, &after);
        assert!(told.contains(&r#"AllowedPerhaps? Account("111111111111"): {Read}"#.to_owned()), "{told:#?}");
        assert!(!told.iter().any(|told| told.starts_with("StillAllowed")), "{told:#?}");
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
        let from_outside = deny(&json!({"StringNotEquals": {"aws:SourceVpce": "vpce-0a"}}));
        assert_eq!(told(&json!([from_outside]), &json!([from_outside, get])), [format!("Allowed? {x}: {{Read}}")]);
        let others = json!([{"Effect": "Allow", "NotPrincipal": {"AWS": "222222222222"},
            "Action": "secretsmanager:GetSecretValue", "Resource": "*"}]);
        assert_eq!(
            told(&json!([reads("222222222222")]), &others)[1],
            r#"AllowedPerhaps? Account("222222222222"): {Read}"#
        );
    }
}
