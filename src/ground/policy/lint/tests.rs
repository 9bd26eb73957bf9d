//! Each lint, with what it finds and what it leaves alone.

use serde_json::{Value, json};

use super::*;

const ROLE: &str = "arn:aws:iam::111111111111:role/deploy/keywright";
const SESSION: &str = "arn:aws:sts::111111111111:assumed-role/keywright/ci";
const USER: &str = "arn:aws:iam::111111111111:user/ops/ada";
const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:prod/db-AbCdEf";

const NAMED: LintedSecret<'_> =
    LintedSecret::Named { account: Some("111111111111"), region: "eu-west-1", name: "prod/db" };

/// A statement that nothing is wrong with, with these members in place of its own; null takes one away.
fn statement(changes: &Value) -> Value {
    let mut statement = json!({
        "Effect": "Allow",
        "Principal": { "AWS": "arn:aws:iam::111111111111:role/payments" },
        "Action": "secretsmanager:GetSecretValue",
        "Resource": "*",
    });
    for (key, value) in changes.as_object().into_iter().flatten() {
        statement[key] = value.clone();
    }
    if let Some(members) = statement.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    statement
}

fn findings(changes: &Value, secret: LintedSecret<'_>, caller: Option<&str>) -> Vec<PolicyFinding> {
    let policy = json!({ "Version": "2012-10-17", "Statement": [statement(changes)] });
    lint(&PolicyDocument::from_checked(policy), &LintContext { secret, caller })
}

fn found(changes: &Value) -> Vec<&'static str> {
    findings(changes, NAMED, None).iter().map(|finding| finding.lint.id()).collect()
}

/// What is found about the caller alone.
fn shut_out(changes: &Value, caller: &str) -> Vec<Lint> {
    let mut denial = json!({ "Effect": "Deny", "Principal": "*", "Action": "secretsmanager:*" });
    for (key, value) in changes.as_object().into_iter().flatten() {
        denial[key] = value.clone();
    }
    findings(&denial, LintedSecret::Arn(SECRET), Some(caller)).iter().map(|finding| finding.lint).collect()
}

#[test]
fn a_good_statement_is_left_alone() {
    assert_eq!(found(&json!({})), [""; 0]);
    assert_eq!(lint(&PolicyDocument::from_checked(json!({})), &LintContext { secret: NAMED, caller: None }), []);
}

#[test]
fn ids_are_unique() {
    let ids: std::collections::BTreeSet<&str> = Lint::ALL.iter().map(|lint| lint.id()).collect();
    assert_eq!(ids.len(), Lint::ALL.len());
}

#[test]
fn everyone_is_told_from_everyone_who_meets_a_condition() {
    assert_eq!(found(&json!({ "Principal": "*" })), ["wildcard-principal"]);
    assert_eq!(found(&json!({ "Principal": { "AWS": ["*"] } })), ["wildcard-principal"]);
    let tls = json!({ "Bool": { "aws:SecureTransport": true } });
    assert_eq!(found(&json!({ "Principal": "*", "Condition": tls })), ["wildcard-principal"]);
    let organisation = json!({ "StringEquals": { "aws:PrincipalOrgID": "o-a1b2c3d4e5" } });
    assert_eq!(found(&json!({ "Principal": "*", "Condition": organisation })), ["wildcard-principal-limited"]);
    assert_eq!(found(&json!({ "Effect": "Deny", "Principal": "*" })), [""; 0]);
}

#[test]
fn what_is_not_listed_is_a_lot() {
    let someone = json!({ "AWS": "111111111111" });
    assert_eq!(found(&json!({ "Principal": null, "NotPrincipal": someone })), ["allow-not-principal"]);
    let but_deleting = json!({ "Action": null, "NotAction": "secretsmanager:DeleteSecret" });
    assert_eq!(found(&but_deleting), ["allow-not-action"]);
    let mut denied = but_deleting;
    denied["Effect"] = json!("Deny");
    assert_eq!(found(&denied), [""; 0]);
}

#[test]
fn other_accounts_and_services_are_seen_unless_narrowed() {
    let other =
        json!({ "AWS": ["222222222222", "arn:aws:iam::111111111111:role/a", "arn:aws:iam::333333333333:role/b"] });
    assert_eq!(found(&json!({ "Principal": other })), ["cross-account", "cross-account"]);
    let narrowed = json!({ "StringEquals": { "aws:PrincipalOrgID": "o-a1b2c3d4e5" } });
    assert_eq!(found(&json!({ "Principal": other, "Condition": narrowed })), [""; 0]);
    let service = json!({ "Service": "appflow.amazonaws.com" });
    assert_eq!(found(&json!({ "Principal": service })), ["confused-deputy"]);
    let source = json!({ "StringEquals": { "aws:SourceAccount": "111111111111" } });
    assert_eq!(found(&json!({ "Principal": service, "Condition": source })), [""; 0]);
    let unknown = LintedSecret::Named { account: None, region: "eu-west-1", name: "prod/db" };
    assert_eq!(findings(&json!({ "Principal": other }), unknown, None), [], "whose account is another is not known");
}

#[test]
fn deleted_principals_are_seen_and_access_keys_are_not() {
    for id in ["AIDACKCEVSQ6C2EXAMPLE", "AROADBQP57FF2AEXAMPLE", "AGPADBQP57FF2AEXAMPLE", "ANPADBQP57FF2AEXAMPLE"] {
        let seen = findings(&json!({ "Principal": { "AWS": ["111111111111", id] } }), NAMED, None);
        assert_eq!(seen.iter().map(|finding| finding.lint).collect::<Vec<_>>(), [Lint::DeletedPrincipal]);
        assert_eq!(seen.first().map(|finding| finding.problem.pointer.as_str()), Some("/Statement/0/Principal/AWS/1"));
        let excepted = json!({ "Effect": "Deny", "Principal": null, "NotPrincipal": { "AWS": id } });
        assert_eq!(found(&excepted), ["deleted-principal"]);
    }
    for id in ["ASIADBQP57FF2AEXAMPLE", "AKIADBQP57FF2AEXAMPLE", "AROA", "aroadbqp57ff2aexample"] {
        assert_eq!(found(&json!({ "Principal": { "AWS": id } })), [""; 0], "{id}");
    }
}

#[test]
fn actions_that_do_not_exist_are_seen_with_what_is_meant() {
    for (action, help) in [
        ("secretsmanager:GetSecretValues", "did you mean `secretsmanager:GetSecretValue`?"),
        ("secretmanager:GetSecretValue", "did you mean `secretsmanager:`?"),
        ("kms:Decrypt", "begins with `secretsmanager:`"),
        ("secretsmanager:Fetch*", "may stand for several"),
        ("secretsmanager:Colour", "named after operations"),
    ] {
        for key in ["Action", "NotAction"] {
            let changes = json!({ "Effect": "Deny", "Action": null, key: [action, "secretsmanager:GetSecretValue"] });
            let seen = findings(&changes, NAMED, None);
            let [finding] = seen.as_slice() else { unreachable!("{action}: {seen:?}") };
            assert_eq!(finding.lint, Lint::UnknownAction);
            assert_eq!(finding.problem.pointer, format!("/Statement/0/{key}/0"));
            assert!(finding.problem.help.as_deref().is_some_and(|text| text.contains(help)), "{finding:?}");
            assert!(!finding.problem.unquoted.contains(action), "{finding:?}");
        }
    }
    let good = [
        "*",
        "secretsmanager:*",
        "SECRETSMANAGER:getsecretvalue",
        "*:*",
        "secretsmanager:Get*",
        "secretsmanager:*Tag*",
    ];
    assert_eq!(found(&json!({ "Action": good })), [""; 0]);
    for operation in super::super::vocabulary::ACTIONS {
        assert_eq!(found(&json!({ "Action": format!("secretsmanager:{operation}") })), [""; 0], "{operation}");
    }
}

#[test]
fn resources_that_are_not_the_secret_are_seen() {
    let arn = |rest: &str| json!({ "Resource": format!("arn:aws:secretsmanager:{rest}") });
    for elsewhere in [
        "eu-west-1:111111111111:secret:prod/other-AbCdEf",
        "eu-west-1:111111111111:secret:prod/db",
        "eu-west-2:111111111111:secret:prod/db-AbCdEf",
        "eu-west-1:222222222222:secret:prod/db-??????",
        "eu-west-1:111111111111:secret:staging/*",
    ] {
        assert_eq!(found(&arn(elsewhere)), ["other-resource"], "{elsewhere}");
        assert_eq!(findings(&arn(elsewhere), LintedSecret::Arn(SECRET), None).len(), 1, "{elsewhere}");
    }
    for here in [
        "eu-west-1:111111111111:secret:prod/db-AbCdEf",
        "eu-west-1:111111111111:secret:prod/db-??????",
        "*:*:secret:*",
        "eu-west-1:111111111111:secret:${aws:PrincipalTag/name}",
    ] {
        assert_eq!(found(&arn(here)), [""; 0], "{here}");
        assert_eq!(findings(&arn(here), LintedSecret::Arn(SECRET), None), [], "{here}");
    }
    let other_suffix = arn("eu-west-1:111111111111:secret:prod/db-XyZxYz");
    assert_eq!(found(&other_suffix), [""; 0], "before the secret exists, its suffix may be any");
    assert_eq!(findings(&other_suffix, LintedSecret::Arn(SECRET), None).len(), 1);
    assert_eq!(found(&json!({ "Resource": ["*", "prod/db"] })), ["other-resource"]);
    assert_eq!(found(&json!({ "Resource": null, "NotResource": "*" })), ["other-resource"]);
    let lacking = findings(&arn("eu-west-1:111111111111:secret:prod/db"), NAMED, None);
    assert!(lacking.iter().all(|finding| finding.problem.message.contains("six characters")), "{lacking:?}");
}

#[test]
fn partitions_follow_regions() {
    let china = LintedSecret::Named { account: None, region: "cn-north-1", name: "db" };
    let of = |partition: &str| {
        json!({
            "Principal": { "AWS": format!("arn:{partition}:iam::111111111111:role/app") },
            "Resource": "arn:aws-cn:secretsmanager:cn-north-1:111111111111:secret:db-*",
        })
    };
    assert_eq!(findings(&of("aws-cn"), china, None), []);
    assert_eq!(findings(&of("aws"), china, None)[0].lint, Lint::OtherPartition);
    assert_eq!(findings(&of("aws"), NAMED, None).len(), 1, "the resource alone");
}

#[test]
fn a_denial_for_everyone_shuts_out_the_account() {
    for caller in [ROLE, SESSION, USER, "arn:aws:iam::111111111111:root"] {
        let all = [
            json!({}),
            json!({ "Action": ["kms:Decrypt", "*"] }),
            json!({ "Principal": { "AWS": "111111111111" } }),
            json!({ "Resource": SECRET }),
            json!({ "Condition": { "StringNotEquals": { "aws:SourceAccount": "111111111111" } } }),
            json!({ "Condition": { "Bool": { "aws:SecureTransport": "true" } } }),
            json!({ "Condition": { "ArnNotLike": { "aws:PrincipalArn": "arn:aws:iam::222222222222:role/*" } } }),
            json!({ "Condition": { "Null": { "aws:SourceArn": "true" } } }),
            json!({ "Principal": null, "NotPrincipal": { "AWS": "222222222222" } }),
            // Without the account beside them, none of them is left out.
            json!({ "Principal": null, "NotPrincipal": { "AWS": [ROLE, USER, SESSION] } }),
            json!({ "Action": null, "NotAction": "secretsmanager:GetSecretValue" }),
        ];
        for denial in all {
            let lints = shut_out(&denial, caller);
            assert!(lints.contains(&Lint::ShutsOutAccount), "{caller}: {denial}: {lints:?}");
        }
    }
    let offline = json!({ "Effect": "Deny", "Principal": "*", "Action": "secretsmanager:*" });
    assert_eq!(found(&offline), ["shuts-out-account"]);
    let policy = PolicyDocument::from_checked(json!({ "Statement": statement(&offline) }));
    let finding = shuts_out(&policy, &LintContext { secret: NAMED, caller: None });
    let message = finding.map(|finding| finding.problem.message).unwrap_or_default();
    assert!(message.contains("DescribeSecret, GetResourcePolicy and PutResourcePolicy"), "{message}");
}

#[test]
fn a_denial_may_be_about_the_caller_alone() {
    let by_arn = |arns: &Value| json!({ "Condition": { "ArnNotEquals": { "aws:PrincipalArn": arns } } });
    let admin = json!("arn:aws:iam::111111111111:role/admin");
    for caller in [ROLE, SESSION, USER] {
        assert_eq!(shut_out(&by_arn(&admin), caller), [Lint::ShutsOutCaller], "{caller}");
        assert_eq!(shut_out(&by_arn(&json!([admin, ROLE, USER])), caller), [], "{caller}");
    }
    assert_eq!(
        found(&json!({ "Effect": "Deny", "Principal": "*", "Action": "*",
        "Condition": by_arn(&admin)["Condition"] })),
        [""; 0],
        "who calls is not known offline"
    );
    let role = json!({ "Principal": { "AWS": ROLE } });
    assert_eq!(shut_out(&role, SESSION), [Lint::ShutsOutCaller]);
    assert_eq!(shut_out(&role, ROLE), [Lint::ShutsOutCaller]);
    assert_eq!(shut_out(&role, USER), []);
    assert_eq!(shut_out(&json!({ "Principal": { "AWS": SESSION } }), SESSION), [Lint::ShutsOutCaller]);
    let another_session = json!({ "Principal": { "AWS": "arn:aws:sts::111111111111:assumed-role/keywright/other" } });
    assert_eq!(shut_out(&another_session, SESSION), []);
    let root = json!({ "StringEquals": { "aws:PrincipalType": "User" } });
    assert_eq!(shut_out(&json!({ "Condition": root }), USER), [Lint::ShutsOutCaller]);
    assert_eq!(shut_out(&json!({ "Condition": root }), SESSION), []);
}

#[test]
fn what_leaves_the_caller_alone_is_no_finding() {
    for caller in [ROLE, SESSION] {
        for denial in [
            json!({ "Effect": "Allow", "Principal": { "AWS": "111111111111" } }),
            json!({ "Action": "secretsmanager:GetSecretValue" }),
            json!({ "Action": null, "NotAction": ["secretsmanager:*Policy", "secretsmanager:Describe*"] }),
            json!({ "Principal": { "AWS": "222222222222" } }),
            json!({ "Principal": { "Service": "lambda.amazonaws.com" } }),
            json!({ "Condition": { "StringNotLike": { "aws:PrincipalArn": "arn:aws:iam::111111111111:role/*" } } }),
            json!({ "Condition": { "StringNotEquals": { "aws:PrincipalAccount": "111111111111" } } }),
            json!({ "Condition": { "Bool": { "aws:SecureTransport": "false" } } }),
            json!({ "Condition": { "StringEquals": { "aws:SourceAccount": "111111111111" } } }),
            json!({ "Condition": { "Bool": { "aws:PrincipalIsAWSService": "true" } } }),
        ] {
            assert_eq!(shut_out(&denial, caller), [], "{caller}: {denial}");
        }
    }
}

#[test]
fn what_cannot_be_judged_is_only_told() {
    for denial in [
        json!({ "Condition": { "StringNotEquals": { "aws:SourceVpce": "vpce-1" } } }),
        json!({ "Condition": { "StringNotEquals": { "aws:PrincipalOrgID": "o-a1b2c3d4e5" } } }),
        json!({ "Condition": {
            "ArnNotEquals": { "aws:PrincipalArn": "arn:aws:iam::111111111111:role/${aws:username}" },
        } }),
        json!({ "Condition": { "FutureOperator": { "aws:PrincipalArn": "x" } } }),
        // A session's ARN does not tell the path of its role.
        json!({ "Condition": { "ArnNotLike": { "aws:PrincipalArn": "arn:aws:iam::111111111111:role/deploy/*" } } }),
        // The documentation wants the account and the session listed too.
        json!({ "Principal": null, "NotPrincipal": { "AWS": "111111111111" } }),
    ] {
        assert_eq!(shut_out(&denial, SESSION), [Lint::MayShutOutCaller], "{denial}");
        let mut offline = json!({ "Effect": "Deny", "Principal": "*", "Action": "secretsmanager:*" });
        for (key, value) in denial.as_object().into_iter().flatten() {
            offline[key] = value.clone();
        }
        assert_eq!(found(&offline), [""; 0], "{denial}");
    }
    let deploy =
        json!({ "Condition": { "ArnNotLike": { "aws:PrincipalArn": "arn:aws:iam::111111111111:role/deploy/*" } } });
    assert_eq!(shut_out(&deploy, ROLE), [], "the ARN of a role does");
    let in_full = json!({ "Principal": null, "NotPrincipal": { "AWS": ["111111111111", ROLE] } });
    assert_eq!(shut_out(&in_full, SESSION), []);
}

#[test]
fn a_statement_is_told_by_its_sid() {
    let seen = findings(&json!({ "Sid": "Open", "Principal": "*" }), NAMED, None);
    let [finding] = seen.as_slice() else { unreachable!("{seen:?}") };
    assert_eq!((finding.sid.as_deref(), finding.lint.severity()), (Some("Open"), LintSeverity::Warning));
    assert_eq!(finding.problem.pointer, "/Statement/0/Principal");
}

#[test]
fn sid_beyond_letters_and_digits_is_a_warning() {
    assert_eq!(found(&json!({ "Sid": "only-from-vpc" })), ["sid"]);
    assert_eq!(found(&json!({ "Sid": "Größe" })), ["sid"]);
    assert_eq!(found(&json!({ "Sid": "OnlyFromVpc1" })), [""; 0]);
    assert_eq!(found(&json!({ "Sid": "" })), [""; 0]);
}

#[test]
fn what_iam_does_not_fill_in_is_a_warning() {
    let with = |value: &str| {
        findings(&json!({ "Condition": { "StringEquals": { "aws:PrincipalTag/team": value } } }), NAMED, None)
    };
    let message = |value: &str| with(value).first().map(|found| found.problem.message.clone()).unwrap_or_default();
    for good in
        ["${aws:PrincipalTag/team}", "${aws:username, 'none'}", "a${*}b${?}c${$}", "saml:${saml:sub}", "$5", "{x}"]
    {
        assert_eq!(with(good), [], "{good}");
    }
    for (bad, says) in [
        ("$${aws:username}", "a `$` stands before `${aws:username}`"),
        ("${target.region}", "no variable that IAM fills in"),
        ("x${env}", "no variable that IAM fills in"),
        ("${ aws:username }", "blanks"),
        ("${aws:username", "never closed"),
        ("${aws:userid}${}", "no variable that IAM fills in"),
    ] {
        assert_eq!(with(bad).len(), 1, "{bad}");
        assert!(message(bad).contains(says), "{bad}: {}", message(bad));
    }
    let pointer = with("x${env}").first().map(|found| found.problem.pointer.clone());
    assert_eq!(pointer.as_deref(), Some("/Statement/0/Condition/StringEquals/aws:PrincipalTag~1team"));
}

#[test]
fn old_version_of_the_language_has_no_variables() {
    for version in [json!("2008-10-17"), Value::Null] {
        let own = json!({ "Resource": "arn:aws:secretsmanager:*:*:secret:${aws:username}-*" });
        let mut document = json!({ "Statement": statement(&own) });
        if !version.is_null() {
            document["Version"] = version;
        }
        let context = LintContext { secret: NAMED, caller: None };
        let lints: Vec<_> = lint(&PolicyDocument::from_checked(document), &context);
        assert_eq!(lints.iter().map(|found| found.lint).collect::<Vec<_>>(), [Lint::Variable]);
        assert!(lints[0].problem.message.contains("plain text"), "{:?}", lints[0]);
    }
}

#[test]
fn whoever_some_identity_provider_vouches_for_is_everyone() {
    assert_eq!(found(&json!({ "Principal": { "Federated": "*" } })), ["wildcard-principal"]);
    let provider = json!({ "Federated": "arn:aws:iam::111111111111:saml-provider/idp" });
    assert_eq!(found(&json!({ "Principal": provider })), [""; 0]);
    let policy = json!({ "Statement": statement(&json!({ "Principal": { "Federated": ["*"] } })) });
    assert!(PolicyDocument::from_checked(policy).grants_broad_access());
}

#[test]
fn everyone_of_one_account_is_not_everyone() {
    let limited = |operator: &str, key: &str, value: &str| {
        found(&json!({ "Principal": "*", "Condition": { operator: { key: value } } }))
    };
    for (operator, key, value) in [
        ("StringEquals", "aws:PrincipalAccount", "111111111111"),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::111111111111:role/*"),
        ("StringLike", "aws:PrincipalArn", "arn:aws:iam::111111111111:*"),
        ("ArnLike", "aws:SourceArn", "arn:aws:sns:*:111111111111:topic-*"),
        ("StringLike", "aws:SourceArn", "arn:aws:sns:eu-west-1:111111111111:topic-*"),
    ] {
        assert_eq!(limited(operator, key, value), ["wildcard-principal-limited"], "{value}");
    }
    for (operator, key, value) in [
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/x"),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::11111111111?:role/x"),
        ("ArnLike", "aws:PrincipalArn", "*"),
        ("StringNotLike", "aws:PrincipalArn", "arn:aws:iam::111111111111:role/*"),
        ("StringLike", "aws:PrincipalAccount", "1*"),
        // It fits `arn:aws:sns:eu-west-1:222222222222:111111111111:x`, of another account.
        ("StringLike", "aws:SourceArn", "arn:aws:sns:*:111111111111:*"),
        ("StringLike", "aws:SourceArn", "arn:aws:sns:?:111111111111:*"),
        ("ArnLike", "aws:SourceArn", "arn:aws:sns:${aws:RequestedRegion}:111111111111:*"),
    ] {
        assert_eq!(limited(operator, key, value), ["wildcard-principal"], "{value}");
    }
}

#[test]
fn new_actions_are_known_and_unknown_ones_may_be_newer() {
    for action in
        ["AssociateCrossAccountReplica", "AcceptCrossAccountReplication", "ListResourcePolicies", "Associate*"]
    {
        assert_eq!(found(&json!({ "Action": format!("secretsmanager:{action}") })), [""; 0], "{action}");
    }
    let unknown = findings(&json!({ "Action": "secretsmanager:FreezeSecret" }), NAMED, None);
    assert_eq!(unknown.len(), 1);
    assert_eq!(unknown[0].lint.severity(), LintSeverity::Warning);
    assert!(unknown[0].problem.message.contains("it may be newer"), "{}", unknown[0].problem.message);
}
