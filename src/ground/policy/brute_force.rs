//! What is said of two policies, held against an evaluation of every request of a small universe: nothing that is said
//! is untrue, and what begins or ends for certain is said.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::pattern::fits;
use super::vocabulary::ACTIONS;
use super::{Deed, PolicyDocument, Shift, Turn, Who};

const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:db-AbCdEf";

/// Whoever may call: an account, the role or user, and the session, `rds.amazonaws.com` without any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Caller {
    account: &'static str,
    /// Its ARN in IAM, which is what `aws:PrincipalArn` has.
    iam: &'static str,
    session: &'static str,
}

const CALLERS: [Caller; 9] = [
    Caller { account: "111111111111", iam: "arn:aws:iam::111111111111:role/team/a", session: "s" },
    Caller { account: "111111111111", iam: "arn:aws:iam::111111111111:role/team/a", session: "t" },
    Caller { account: "111111111111", iam: "arn:aws:iam::111111111111:role/b", session: "s" },
    Caller { account: "111111111111", iam: "arn:aws:iam::111111111111:role/unnamed", session: "s" },
    Caller { account: "111111111111", iam: "arn:aws:iam::111111111111:user/c", session: "" },
    Caller { account: "222222222222", iam: "arn:aws:iam::222222222222:role/d", session: "s" },
    Caller { account: "222222222222", iam: "arn:aws:iam::222222222222:role/unnamed", session: "s" },
    Caller { account: "333333333333", iam: "arn:aws:iam::333333333333:role/unnamed", session: "s" },
    Caller { account: "", iam: "rds.amazonaws.com", session: "" },
];

const NAMED: [&str; 9] = [
    "*",
    "111111111111",
    "arn:aws:iam::222222222222:root",
    "arn:aws:iam::111111111111:role/team/a",
    "arn:aws:iam::111111111111:role/b",
    "arn:aws:iam::111111111111:user/c",
    "arn:aws:iam::222222222222:role/d",
    "arn:aws:sts::111111111111:assumed-role/a/s",
    "rds.amazonaws.com",
];

impl Caller {
    fn is_session(self, principal: &str) -> bool {
        let Self { account, iam, session } = self;
        let role = iam.rsplit('/').next().unwrap_or_default();
        !session.is_empty() && principal == format!("arn:aws:sts::{account}:assumed-role/{role}/{session}")
    }

    fn is_account(self, principal: &str) -> bool {
        !self.account.is_empty()
            && (principal == self.account || principal == format!("arn:aws:iam::{}:root", self.account))
    }

    fn is(self, principal: &str) -> bool {
        principal == "*" || principal == self.iam || self.is_account(principal) || self.is_session(principal)
    }

    fn is_among(self, who: &Who) -> bool {
        match who {
            Who::Everyone => true,
            Who::EveryoneBut(text, _) => !NAMED.iter().any(|named| {
                // The canonical form has the root's ARN for an account.
                let written = format!("\"arn:aws:iam::{named}:root\"");
                (text.contains(&format!("\"{named}\"")) || text.contains(&written)) && self.is(named)
            }),
            Who::Account(account) => self.account == account,
            Who::Identity { kind, name, account } if kind == "assumed-role" => {
                self.is_session(&format!("arn:aws:sts::{account}:assumed-role/{name}"))
            }
            Who::Identity { kind, name, account } => {
                let begins = format!("arn:aws:iam::{account}:{kind}/");
                self.iam.starts_with(&begins) && self.iam.rsplit('/').next() == Some(name)
            }
            Who::Service(service) => self.iam == service,
            Who::Other(_) => false,
        }
    }
}

/// What a request comes with, and how NotPrincipal is read: IAM documents that account, role and session are compared
/// each by itself, and not how that ends for every statement.
#[derive(Clone, Copy, Debug)]
struct World {
    endpoints: [bool; 2],
    left_out_by_one: bool,
}

fn worlds() -> impl Iterator<Item = World> {
    (0_u8..8).map(|bits| World { endpoints: [bits & 1 > 0, bits & 2 > 0], left_out_by_one: bits & 4 > 0 })
}

fn list(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        Some(one) => one.as_str().into_iter().collect(),
        None => Vec::new(),
    }
}

fn principals(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(kinds) => kinds.values().flat_map(|named| list(Some(named))).collect(),
        one => list(Some(one)),
    }
}

fn applies(statement: &Value, caller: Caller, action: &str, world: World) -> bool {
    let about = |patterns: Vec<&str>, text: &str| {
        patterns.iter().any(|pattern| fits(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase()))
    };
    let action = match (statement.get("NotAction"), statement.get("Action")) {
        (Some(not), _) => !about(list(Some(not)), action),
        (_, actions) => about(list(actions), action),
    };
    let resource = list(statement.get("Resource")).iter().any(|pattern| fits(pattern, SECRET));
    let principal = match (statement.get("NotPrincipal"), statement.get("Principal")) {
        (Some(not), _) => {
            let listed = principals(not);
            let any = listed.iter().any(|named| caller.is(named));
            let session = caller.session.is_empty() || listed.iter().any(|named| caller.is_session(named));
            let each = listed.contains(&"*")
                || caller.account.is_empty() && any
                || session && listed.contains(&caller.iam) && listed.iter().any(|named| caller.is_account(named));
            !(if world.left_out_by_one { any } else { each })
        }
        (None, named) => named.is_some_and(|named| principals(named).iter().any(|named| caller.is(named))),
    };
    let condition = match statement.get("Condition").map(Value::to_string) {
        None => true,
        Some(text) if text.contains("vpce-0a") => world.endpoints[0],
        Some(text) if text.contains("vpce-0b") => world.endpoints[1],
        Some(text) if text.contains("ArnNotEquals") => caller.iam != "arn:aws:iam::111111111111:role/team/a",
        Some(text) if text.contains("ArnLike") => caller.iam.starts_with("arn:aws:iam::111111111111:role/"),
        Some(_) => caller.account == "111111111111",
    };
    action && resource && principal && condition
}

/// Whether a policy by itself lets somebody do something.
fn may(policy: &Value, caller: Caller, action: &str, world: World) -> bool {
    let statements = policy["Statement"].as_array().map_or(&[][..], Vec::as_slice);
    let any = |effect: &str| {
        statements.iter().any(|statement| statement["Effect"] == effect && applies(statement, caller, action, world))
    };
    any("Allow") && !any("Deny")
}

/// Whether the words of a shift are about an action; perhaps, where further ones are only counted.
fn is_about(deeds: &Shift, action: &str) -> Option<bool> {
    let words = |deed: &Deed| match deed {
        Deed::Read => action == "secretsmanager:GetSecretValue",
        Deed::PutValue => action == "secretsmanager:PutSecretValue",
        Deed::Update => action == "secretsmanager:UpdateSecret",
        Deed::Delete => action == "secretsmanager:DeleteSecret",
        Deed::ChangePolicy => action == "secretsmanager:PutResourcePolicy",
        Deed::Call(pattern) => fits(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase()),
        Deed::CallOthers => ![
            "secretsmanager:GetSecretValue",
            "secretsmanager:PutSecretValue",
            "secretsmanager:UpdateSecret",
            "secretsmanager:DeleteSecret",
            "secretsmanager:PutResourcePolicy",
        ]
        .contains(&action),
        Deed::CallMore(_) => false,
    };
    if deeds.deeds.iter().any(words) {
        return Some(true);
    }
    let counted = deeds.deeds.iter().any(|deed| matches!(deed, Deed::CallMore(_)));
    (!counted).then_some(false)
}

fn some_of(pool: &'static [&'static str], most: usize) -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(select(pool), 1..=most)
}

fn statement() -> impl Strategy<Value = Value> {
    let actions = some_of(
        &[
            "*",
            "secretsmanager:*",
            "secretsmanager:GetSecretValue",
            "secretsmanager:Get*",
            "secretsmanager:GetSecretV?lue",
            "secretsmanager:DescribeSecret",
            "secretsmanager:DeleteSecret",
            "secretsmanager:*SecretValue",
        ],
        2,
    );
    let resource =
        select(&["*", "*", "*", SECRET, "arn:aws:secretsmanager:*:*:secret:db-??????", "arn:aws:s3:::x"][..]);
    let condition = prop_oneof![
        6 => Just(None),
        1 => Just(Some(json!({"StringEquals": {"aws:SourceVpce": "vpce-0a"}}))),
        1 => Just(Some(json!({"StringEquals": {"aws:SourceVpce": "vpce-0b"}}))),
        1 => Just(Some(json!({"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/team/a"}}))),
        1 => Just(Some(json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/*"}}))),
        1 => Just(Some(json!({"StringEquals": {"aws:PrincipalAccount": "111111111111"}}))),
    ];
    let effect = prop_oneof![3 => Just("Allow"), 1 => Just("Deny")];
    let not = prop_oneof![4 => Just(false), 1 => Just(true)];
    (effect, some_of(&NAMED, 2), actions, resource, condition, (not.clone(), not)).prop_map(
        |(effect, named, actions, resource, condition, (not_principal, not_action))| {
            let (services, aws): (Vec<&str>, Vec<&str>) = named.into_iter().partition(|named| named.starts_with("rds"));
            let mut principal = json!({});
            if !aws.is_empty() {
                principal["AWS"] = json!(aws);
            }
            if !services.is_empty() {
                principal["Service"] = json!(services);
            }
            let mut statement = json!({"Effect": effect, "Resource": resource});
            statement[if not_principal { "NotPrincipal" } else { "Principal" }] = principal;
            statement[if not_action { "NotAction" } else { "Action" }] = json!(actions);
            if let Some(condition) = condition {
                statement["Condition"] = condition;
            }
            statement
        },
    )
}

fn policy() -> impl Strategy<Value = Value> {
    prop::collection::vec(statement(), 0..4)
        .prop_map(|statements| json!({"Version": "2012-10-17", "Statement": statements}))
}

/// What is said of whoever is among some, beside one shift.
fn also_said(shifts: &[Shift], caller: Caller, action: &str, turns: &[Turn]) -> bool {
    shifts.iter().any(|shift| {
        turns.contains(&shift.turn) && caller.is_among(&shift.who) && is_about(shift, action) != Some(false)
    })
}

const DENIALS: [Turn; 4] = [Turn::Denied, Turn::StillDenied, Turn::DeniedOtherwise, Turn::DeniedPerhaps];
const OTHERWISE: [Turn; 6] = [
    Turn::Allowed,
    Turn::Denied,
    Turn::StillDenied,
    Turn::NoLongerDenied,
    Turn::AllowedOtherwise,
    Turn::DeniedOtherwise,
];
const GRANTS: [Turn; 4] = [Turn::Allowed, Turn::StillAllowed, Turn::AllowedOtherwise, Turn::AllowedPerhaps];

/// Whether what a shift says of an action is true.
fn check(shift: &Shift, shifts: &[Shift], action: &str, before: &Value, after: &Value) -> Result<(), TestCaseError> {
    let callers: Vec<Caller> = CALLERS.into_iter().filter(|caller| caller.is_among(&shift.who)).collect();
    let always = |policy: &Value, caller| worlds().all(|world| may(policy, caller, action, world));
    let sometimes = |policy: &Value, caller| worlds().any(|world| may(policy, caller, action, world));
    let one = matches!(&shift.who, Who::Service(_)) || callers.len() == 1;
    for caller in callers {
        let told = format!("{caller:?} {action}");
        match shift.turn {
            Turn::Allowed | Turn::AllowedOtherwise if !shift.conditional => {
                prop_assert!(always(after, caller) || also_said(shifts, caller, action, &DENIALS), "{}", told);
            }
            Turn::NoLongerAllowed => {
                prop_assert!(!sometimes(after, caller) || also_said(shifts, caller, action, &GRANTS), "{}", told);
            }
            Turn::StillAllowed => {
                let still = sometimes(after, caller) && sometimes(before, caller);
                prop_assert!(still || also_said(shifts, caller, action, &OTHERWISE), "{}", told);
            }
            Turn::Denied | Turn::StillDenied if !shift.conditional => {
                prop_assert!(!sometimes(after, caller), "{}", told);
            }
            _ => {}
        }
        if shift.turn == Turn::Allowed && one {
            prop_assert!(!sometimes(before, caller), "could before: {}", told);
        }
    }
    if shift.turn == Turn::Allowed {
        let mut all = CALLERS.into_iter().filter(|caller| caller.is_among(&shift.who));
        prop_assert!(!all.all(|caller| always(before, caller)), "all could before");
    }
    Ok(())
}

proptest! {
    #[test]
    fn what_is_said_of_two_policies_is_true_and_what_changes_is_said(before in policy(), after in policy()) {
        let read = |policy: &Value| PolicyDocument::from_checked(policy.clone());
        let shifts = PolicyDocument::shifts(Some(&read(&before)), Some(&read(&after)), Some(SECRET));
        let actions = ACTIONS.map(|action| format!("secretsmanager:{action}"));
        for shift in &shifts {
            for action in actions.iter().filter(|action| is_about(shift, action) == Some(true)) {
                check(shift, &shifts, action, &before, &after)
                    .map_err(|error| TestCaseError::fail(format!("{error}\n{shift:?}\nof {shifts:#?}")))?;
            }
        }
        let text = format!("{before}{after}");
        for caller in CALLERS.into_iter().filter(|caller| text.contains(caller.iam)) {
            for action in &actions {
                let all = |policy: &Value| worlds().all(|world| may(policy, caller, action, world));
                let none = |policy: &Value| !worlds().any(|world| may(policy, caller, action, world));
                let ends = [
                    Turn::NoLongerAllowed, Turn::Denied, Turn::AllowedPerhaps, Turn::AllowedOtherwise,
                    Turn::DeniedOtherwise,
                ];
                let begins =
                    [Turn::Allowed, Turn::NoLongerDenied, Turn::AllowedOtherwise, Turn::DeniedPerhaps,
                     Turn::DeniedOtherwise];
                let said = |turns: &[Turn]| also_said(&shifts, caller, action, turns);
                prop_assert!(!(all(&before) && none(&after)) || said(&ends), "{caller:?} no {action}: {shifts:#?}");
                prop_assert!(!(none(&before) && all(&after)) || said(&begins), "{caller:?} {action}: {shifts:#?}");
            }
        }
        prop_assert!(PolicyDocument::shifts(Some(&read(&before)), Some(&read(&before)), Some(SECRET)).is_empty());
    }
}
