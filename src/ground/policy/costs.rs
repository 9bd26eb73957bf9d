//! What it costs to say what changes between two policies, however a stranger has cut them: a plan says it of every
//! secret whose policy changes.

use serde_json::{Value, json};

use super::PolicyDocument;

#[path = "../../../tests/support/cpu_time.rs"]
mod cpu_time;

/// Bytes of a policy, at most (`PutResourcePolicy`).
const LONGEST: usize = 20_480;

/// A policy of as many statements as fit.
fn of_statements(statement: impl Fn(usize) -> Value) -> PolicyDocument {
    let mut statements = Vec::new();
    let mut length = 60;
    for at in 0.. {
        let one = statement(at);
        length += one.to_string().len() + 1;
        if length > LONGEST {
            break;
        }
        statements.push(one);
    }
    PolicyDocument::from_checked(json!({ "Version": "2012-10-17", "Statement": statements }))
}

/// A policy of one statement, in which `text` is written into `lists` until it is full.
fn of_lists(effect: &str, lists: &[(&str, &dyn Fn(usize) -> String)]) -> PolicyDocument {
    let room = (LONGEST - 200) / lists.len();
    let mut statement = json!({ "Effect": effect, "Principal": "*", "Action": "secretsmanager:*", "Resource": "*" });
    for (pointer, text) in lists {
        let mut length = 0;
        let each = (0..).map(text).take_while(|text| {
            length += text.len() + 3;
            length < room
        });
        let each: Vec<String> = each.collect();
        match *pointer {
            "Principal" => statement["Principal"] = json!({ "AWS": each }),
            "NotPrincipal" => {
                statement["Principal"] = Value::Null;
                statement["NotPrincipal"] = json!({ "AWS": each });
            }
            "Condition" => statement["Condition"] = json!({ "ArnNotEquals": { "aws:PrincipalArn": each } }),
            other => statement[other] = json!(each),
        }
    }
    if statement["Principal"].is_null() {
        statement.as_object_mut().into_iter().for_each(|members| drop(members.remove("Principal")));
    }
    PolicyDocument::from_checked(json!({ "Version": "2012-10-17", "Statement": statement }))
}

#[test]
fn long_policies_are_compared_within_a_second() {
    let account = |from: usize| move |at: usize| format!("{:012}", from + at);
    let role = |at: usize| format!("arn:aws:iam::111111111111:role/r{at}");
    let pattern = |at: usize| format!("secretsmanager:G*{at}*");
    let action = |at: usize| format!("a:{at}");
    let alone = |effect: &'static str| {
        move |at: usize| {
            let account = format!("{at:012}");
            json!({ "Effect": effect, "Principal": { "AWS": account }, "Action": "secretsmanager:*" })
        }
    };
    let exception = |effect: &'static str, operator: &'static str| {
        move |at: usize| {
            let role = format!("arn:aws:iam::111111111111:role/r{at}");
            json!({
                "Effect": effect, "NotPrincipal": { "AWS": [role, "111111111111"] }, "Resource": "*",
                "Action": format!("secretsmanager:*{at}"), "Condition": { operator: { "aws:PrincipalArn": role } }
            })
        }
    };
    let first = account(0);
    let others = account(100_000);
    let pairs: Vec<(&str, PolicyDocument, PolicyDocument)> = vec![
        ("accounts", of_lists("Allow", &[("Principal", &first)]), of_lists("Allow", &[("Principal", &others)])),
        ("accounts denied", of_lists("Deny", &[("Principal", &first)]), of_lists("Deny", &[("Principal", &others)])),
        ("statements", of_statements(alone("Allow")), of_statements(alone("Deny"))),
        (
            "roles and patterns",
            of_lists("Allow", &[("Principal", &role), ("Action", &pattern)]),
            of_lists("Deny", &[("Principal", &role), ("Action", &pattern)]),
        ),
        (
            "roles and actions",
            of_lists("Allow", &[("Principal", &role), ("Action", &action)]),
            of_lists("Allow", &[("Principal", &first), ("NotAction", &action)]),
        ),
        ("exceptions", of_statements(exception("Allow", "StringEquals")), of_statements(exception("Deny", "ArnLike"))),
        ("all but", of_lists("Deny", &[("NotPrincipal", &role)]), of_lists("Deny", &[("NotPrincipal", &first)])),
        (
            "conditions",
            of_lists("Deny", &[("Condition", &role)]),
            of_lists("Deny", &[("Condition", &role), ("Action", &pattern)]),
        ),
    ];
    for (name, before, after) in &pairs {
        for (before, after) in [(None, Some(after)), (Some(before), Some(after)), (Some(before), None)] {
            let (shifts, took) = cpu_time::measure(|| PolicyDocument::shifts(before, after, None));
            assert!(took < cpu_time::MOST, "{name}: {} shifts took {took:?}", shifts.len());
        }
    }
}
