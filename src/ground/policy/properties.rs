//! Properties of equality that must hold for every policy.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::{LintContext, LintedSecret, PolicyDocument, lint};
use crate::domain::Partition;

/// One or several of these, as people write them: a list, or a value alone.
fn some_of(pool: &'static [&'static str]) -> impl Strategy<Value = Value> + Clone {
    prop::collection::vec(select(pool), 1..4).prop_flat_map(|items| {
        let list = json!(items);
        let alone = json!(items[0]);
        prop_oneof![Just(list), Just(alone)]
    })
}

fn principal() -> impl Strategy<Value = Value> {
    let aws = some_of(&[
        "*",
        "111111111111",
        "arn:aws:iam::111111111111:root",
        "222222222222",
        "arn:aws:iam::111111111111:role/payments",
        "AROADBQP57FF2AEXAMPLE",
    ]);
    let service = some_of(&["rds.amazonaws.com", "lambda.amazonaws.com"]);
    prop_oneof![
        Just(json!("*")),
        aws.clone().prop_map(|aws| json!({"AWS": aws})),
        (aws, service).prop_map(|(aws, service)| json!({"Service": service, "AWS": aws})),
    ]
}

fn condition() -> impl Strategy<Value = Value> {
    let text = some_of(&["AWSCURRENT", "vpce-0a", "vpce-0b", "true", "5"]);
    let value = prop_oneof![text, Just(json!(true)), Just(json!([5, "AWSCURRENT"]))];
    let keys = prop::collection::btree_map(
        select(&["aws:SourceVpce", "secretsmanager:VersionStage", "aws:principaltag/Team"][..]),
        value,
        1..3,
    );
    let operators = select(&["StringEquals", "ForAllValues:stringlike", "boolIfExists", "FutureOperator"][..]);
    prop::collection::btree_map(operators, keys, 0..3).prop_map(|condition| json!(condition))
}

fn statement() -> impl Strategy<Value = Value> {
    let action = some_of(&[
        "*",
        "secretsmanager:GetSecretValue",
        "secretsmanager:getsecretvalue",
        "SecretsManager:Describe*",
        "kms:Decrypt",
    ]);
    let resource = some_of(&["*", "arn:aws:secretsmanager:eu-west-1:111111111111:secret:payments-*"]);
    let sid = prop::option::of(select(&["", "Read", "Write", "Network"][..]));
    let not = any::<[bool; 3]>();
    let condition = prop::option::of(condition());
    (sid, select(&["Allow", "Deny"][..]), principal(), action, resource, condition, not).prop_map(
        |(sid, effect, principal, action, resource, condition, [a, b, c])| {
            let mut statement = Map::new();
            statement.insert("Effect".into(), json!(effect));
            statement.insert(if a { "NotPrincipal" } else { "Principal" }.into(), principal);
            statement.insert(if b { "NotAction" } else { "Action" }.into(), action);
            statement.insert(if c { "NotResource" } else { "Resource" }.into(), resource);
            statement.extend(sid.map(|sid| ("Sid".to_owned(), json!(sid))));
            statement.extend(condition.map(|condition| ("Condition".to_owned(), condition)));
            Value::Object(statement)
        },
    )
}

fn policy() -> impl Strategy<Value = Value> {
    let version = prop::option::of(select(&["2012-10-17", "2008-10-17"][..]));
    (version, prop::collection::vec(statement(), 1..4)).prop_map(|(version, statements)| {
        let mut policy = Map::new();
        policy.insert("Statement".into(), json!(statements));
        policy.extend(version.map(|version| ("Version".to_owned(), json!(version))));
        Value::Object(policy)
    })
}

/// Any JSON at all, with the keys of policies in the wrong places.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        Just(json!("*")),
        Just(json!("111111111111")),
        "[a-zA-Z:*/~é]{0,6}".prop_map(Value::from),
    ];
    let key = prop_oneof![
        select(
            &[
                "Version",
                "Statement",
                "Sid",
                "Effect",
                "Principal",
                "AWS",
                "Action",
                "Condition",
                "Bool",
                "bool",
                "a:B",
                "A:b"
            ][..]
        )
        .prop_map(str::to_owned),
        "[a-zA-Z:/~é]{0,4}",
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A stream of choices from a seed (SplitMix64), so that a failing case can be repeated.
struct Choices(u64);

impl Choices {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap_or(0)
    }

    fn yes(&mut self) -> bool {
        self.below(2) == 1
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for index in (1..items.len()).rev() {
            items.swap(index, self.below(index + 1));
        }
    }

    fn case(&mut self, text: &str) -> String {
        text.chars()
            .map(|char| if self.yes() { char.to_ascii_uppercase() } else { char.to_ascii_lowercase() })
            .collect()
    }
}

/// The same policy in other clothes: everything that the canonical form folds, chosen at random. `key` is the key that
/// `value` stands under, or `keys` and `values` within a condition.
fn restyled(key: &str, value: &Value, choices: &mut Choices) -> Value {
    let is_set =
        matches!(key, "Statement" | "Action" | "NotAction" | "Resource" | "NotResource" | "AWS" | "Service" | "values");
    match value {
        Value::Array(items) if is_set => {
            let mut items: Vec<Value> = items.iter().map(|item| restyled_one(key, item, choices)).collect();
            if choices.yes() {
                let again = items[choices.below(items.len())].clone();
                items.push(again);
            }
            choices.shuffle(&mut items);
            if items.len() == 1 && choices.yes() { items.remove(0) } else { Value::Array(items) }
        }
        single if is_set && choices.yes() => json!([restyled_one(key, single, choices)]),
        _ => restyled_one(key, value, choices),
    }
}

fn restyled_one(key: &str, value: &Value, choices: &mut Choices) -> Value {
    match (key, value) {
        (_, Value::Object(members)) => {
            let mut entries: Vec<(String, Value)> = members
                .iter()
                .map(|(name, value)| match key {
                    "Condition" if name == "FutureOperator" => (name.clone(), restyled("keys", value, choices)),
                    "Condition" => (choices.case(name), restyled("keys", value, choices)),
                    "keys" => (choices.case(name), restyled("values", value, choices)),
                    _ => (name.clone(), restyled(name, value, choices)),
                })
                .collect();
            choices.shuffle(&mut entries);
            Value::Object(entries.into_iter().collect())
        }
        ("values", Value::Bool(_) | Value::Number(_)) if choices.yes() => json!(value.to_string()),
        (_, Value::String(text)) => match (key, text.as_str()) {
            ("Action" | "NotAction", action) => json!(choices.case(action)),
            ("Principal" | "NotPrincipal", "*") if choices.yes() => json!({"AWS": "*"}),
            ("AWS", "111111111111") if choices.yes() => json!("arn:aws:iam::111111111111:root"),
            ("AWS", "arn:aws:iam::111111111111:root") if choices.yes() => json!("111111111111"),
            ("values", "true") if choices.yes() => json!(true),
            ("values", "5") if choices.yes() => json!(5),
            _ => value.clone(),
        },
        _ => value.clone(),
    }
}

/// One edit that changes what a policy means. What it adds stands nowhere in the policies that are generated, so that
/// it can never be there already.
fn edited(written: &Value, choices: &mut Choices) -> (Value, &'static str) {
    let mut policy = written.clone();
    let statements = policy["Statement"].as_array().map_or(0, Vec::len);
    let at = choices.below(statements);
    let edit = choices.below(12);
    if edit == 0 {
        let newer = policy["Version"] == "2012-10-17";
        policy["Version"] = json!(if newer { "2008-10-17" } else { "2012-10-17" });
        return (policy, "another version of the language");
    }
    let statement = &mut policy["Statement"][at];
    let named = |statement: &Value, one: &str, other: &str| {
        if statement.get(one).is_some() { one.to_owned() } else { other.to_owned() }
    };
    let what = match edit {
        1 => {
            let allows = statement["Effect"] == "Allow";
            statement["Effect"] = json!(if allows { "Deny" } else { "Allow" });
            "another effect"
        }
        2 => {
            let key = named(statement, "Action", "NotAction");
            add(&mut statement[key], "secretsmanager:UntagResource");
            "one more action"
        }
        3 => {
            let key = named(statement, "Resource", "NotResource");
            add(&mut statement[key], "arn:aws:secretsmanager:eu-west-1:111111111111:secret:Payments-*");
            "one more resource, which differs in the case of a letter"
        }
        4 => {
            let key = named(statement, "Principal", "NotPrincipal");
            if statement[&key] == "*" {
                statement[&key] = json!({"AWS": "*"});
            }
            add(&mut statement[key]["AWS"], "arn:aws:iam::111111111111:role/Payments");
            "one more principal, which differs in the case of a letter"
        }
        5 => {
            let key = named(statement, "Principal", "NotPrincipal");
            statement[key] = json!({"AWS": "333333333333"});
            "another principal"
        }
        6 => {
            let (from, to) =
                if statement.get("Action").is_some() { ("Action", "NotAction") } else { ("NotAction", "Action") };
            let actions = statement.as_object_mut().and_then(|members| members.remove(from));
            statement[to] = actions.unwrap_or_default();
            "all but these actions"
        }
        7 => {
            statement["Condition"]["StringEquals"]["aws:SourceVpce"] = json!("vpce-0A");
            "a condition on another value, which differs in the case of a letter"
        }
        8 => {
            statement["Condition"]["NumericLessThan"] = json!({"aws:MultiFactorAuthAge": "050"});
            "one more condition"
        }
        9 => {
            statement["Condition"] = json!({"StringEqualsIgnoreCase": {"aws:PrincipalTag/team": "x"}});
            "another condition"
        }
        10 => {
            let key = named(statement, "Resource", "NotResource");
            statement[key] = json!("arn:aws-cn:secretsmanager:*:*:secret:*");
            "another resource"
        }
        _ => {
            let key = named(statement, "Action", "NotAction");
            statement[key] = json!("secretsmanager:Untag*");
            "another action"
        }
    };
    (policy, what)
}

/// Adds a member to a set that may be one alone, or not there.
fn add(set: &mut Value, member: &str) {
    match set {
        Value::Array(items) => items.push(json!(member)),
        none @ Value::Null => *none = json!(member),
        one => *one = json!([one.clone(), member]),
    }
}

proptest! {
    /// Every change of what a policy means is seen, whatever else was restyled.
    #[test]
    fn edits_that_change_the_meaning_are_seen(written in policy(), seed in any::<u64>()) {
        let mut choices = Choices(seed);
        let (other, what) = edited(&written, &mut choices);
        let one = PolicyDocument::from_checked(written);
        let two = PolicyDocument::from_checked(restyled("", &other, &mut choices));
        prop_assert_ne!(&one, &two, "{}", what);
        prop_assert_ne!(one.spelled_as(&[&two]), two.spelled_as(&[&two]), "{}", what);
    }

    /// Without a change of the meaning there is no difference to show, in the spelling of either.
    #[test]
    fn restyled_policies_have_nothing_to_show(written in policy(), seed in any::<u64>()) {
        let one = PolicyDocument::from_checked(written.clone());
        let two = PolicyDocument::from_checked(restyled("", &written, &mut Choices(seed)));
        prop_assert_eq!(one.spelled_as(&[&two]), two.spelled_as(&[&two]));
        prop_assert_eq!(&PolicyDocument::from_checked(one.spelled_as(&[])), &one);
    }

    #[test]
    fn policies_in_other_clothes_are_equal(written in policy(), seed in any::<u64>()) {
        let one = PolicyDocument::from_checked(written.clone());
        let two = PolicyDocument::from_checked(restyled("", &written, &mut Choices(seed)));
        prop_assert_eq!(&one, &two);
        prop_assert_eq!(&two, &one);
        prop_assert_eq!(one.to_pretty(), two.to_pretty());
        prop_assert_eq!(one.grants_broad_access(), two.grants_broad_access());
    }

    #[test]
    fn a_canonical_policy_is_the_policy(written in policy()) {
        let document = PolicyDocument::from_checked(written);
        let canonical = PolicyDocument::from_checked(document.canonical().clone());
        prop_assert_eq!(&canonical, &document);
        prop_assert_eq!(canonical.as_written().to_string(), canonical.canonical().to_string());
        let read_back = PolicyDocument::parse_lenient(&document.to_pretty(), &Partition::default());
        prop_assert_eq!(read_back.as_ref(), Some(&document));
        let sent = PolicyDocument::parse_lenient(&document.to_wire(), &Partition::default());
        prop_assert_eq!(sent.as_ref(), Some(&document));
    }

    #[test]
    fn one_more_statement_is_a_difference(written in policy(), more in statement()) {
        let one = PolicyDocument::from_checked(written.clone());
        let mut more = more;
        more["Sid"] = json!("OneMore");
        let mut written = written;
        if let Some(statements) = written["Statement"].as_array_mut() {
            statements.insert(0, more);
        }
        let two = PolicyDocument::from_checked(written);
        prop_assert_ne!(&one, &two);
        prop_assert_ne!(one.to_pretty(), two.to_pretty());
    }

    #[test]
    fn any_json_has_one_canonical_form(written in anything()) {
        let document = PolicyDocument::from_checked(written);
        let again = PolicyDocument::from_checked(document.canonical().clone());
        prop_assert_eq!(document.to_pretty(), again.to_pretty());
        prop_assert_eq!(&document, &again);
        let _ = document.grants_broad_access();
    }

    #[test]
    fn every_problem_points_into_the_document(written in anything()) {
        for problem in PolicyDocument::check(&written) {
            prop_assert!(written.pointer(&problem.pointer).is_some(), "{}: {}", problem.pointer, problem.message);
        }
    }

    #[test]
    fn linting_takes_any_json_and_points_into_it(written in anything(), policy in policy()) {
        for document in [json!({"Statement": written.clone()}), written, policy] {
            let policy = PolicyDocument::from_checked(document.clone());
            for finding in contexts().iter().flat_map(|context| lint(&policy, context)) {
                let problem = finding.problem;
                prop_assert!(document.pointer(&problem.pointer).is_some(), "{}: {}", problem.pointer, problem.message);
            }
        }
    }

    #[test]
    fn lints_of_one_policy_in_other_clothes_are_the_same(written in policy(), seed in any::<u64>()) {
        let kinds = |document: Value| {
            let policy = PolicyDocument::from_checked(document);
            let lints = contexts().into_iter().flat_map(|context| lint(&policy, &context)).map(|found| found.lint);
            lints.collect::<std::collections::BTreeSet<_>>()
        };
        prop_assert_eq!(kinds(written.clone()), kinds(restyled("", &written, &mut Choices(seed))));
    }

    #[test]
    fn lints_unquoted_show_nothing_of_the_document(mut written in policy()) {
        for key in ["Action", "Resource"] {
            written["Statement"][0][key] = json!(["MARKED", "arn:MARKED", "secretsmanager:MARKED", "MARKED:*"]);
        }
        let marked = ["AROAMARKED000000000", "arn:aws:iam::222222222222:role/MARKED"];
        written["Statement"][0]["Principal"] = json!({ "AWS": marked });
        let policy = PolicyDocument::from_checked(written);
        for finding in contexts().iter().flat_map(|context| lint(&policy, context)) {
            let shown = format!("{} {:?} {}", finding.problem.unquoted, finding.problem.help, finding.problem.pointer);
            prop_assert!(!shown.contains("MARKED") && !shown.contains("222222222222"), "{shown}");
        }
    }

    #[test]
    fn what_is_unquoted_shows_nothing_of_the_document(written in policy(), more in anything()) {
        for document in [marked(&written), marked(&more)] {
            for problem in PolicyDocument::check(&document) {
                prop_assert!(!problem.unquoted.contains("MARKED"), "{problem:?}");
                prop_assert!(!problem.help.unwrap_or_default().contains("MARKED"));
            }
        }
    }
}

/// Contexts that know much and little.
fn contexts() -> [LintContext<'static>; 3] {
    let arn = LintedSecret::Arn("arn:aws:secretsmanager:eu-west-1:111111111111:secret:payments-AbCdEf");
    let named = LintedSecret::Named { account: None, region: "eu-west-1", name: "payments" };
    [
        LintContext { secret: arn, caller: Some("arn:aws:sts::111111111111:assumed-role/payments/ci") },
        LintContext { secret: named, caller: None },
        LintContext { secret: LintedSecret::Arn("é"), caller: Some("arn:aws:iam::1:é/") },
    ]
}

/// The same document with a mark in every string and a marked key in every object.
fn marked(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(format!("MARKED {text}")),
        Value::Array(items) => items.iter().map(marked).collect(),
        Value::Object(members) => {
            let mut members: Map<String, Value> =
                members.iter().map(|(key, member)| (key.clone(), marked(member))).collect();
            members.insert("MARKED".to_owned(), Value::Null);
            Value::Object(members)
        }
        other => other.clone(),
    }
}
