//! Events of each kind of identity, hostile ones, and how events are matched. The shapes follow recorded events of the
//! service; accounts, names and ids are made up.

use serde_json::{Value, json};

use super::*;
use crate::domain::{Arn, SecretName};

const ARN: &str = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:prod/db-AbCdEf";

fn now() -> jiff::Timestamp {
    "2026-03-04T12:00:00Z".parse().unwrap()
}

/// An event of this name so many minutes ago, with these members beside those that every event has.
fn found(name: &str, minutes: i64, members: Value) -> FoundEvent {
    let time = now() - jiff::SignedDuration::from_mins(minutes);
    let id = format!("{name}-{minutes}");
    let mut document = json!({
        "eventVersion": "1.08",
        "userIdentity": { "type": "IAMUser", "arn": "arn:aws:iam::111111111111:user/alice", "userName": "alice" },
        "eventTime": time.to_string(),
        "eventSource": "secretsmanager.amazonaws.com",
        "eventName": name,
        "sourceIPAddress": "203.0.113.7",
        "userAgent": "aws-cli/2.31.0",
        "requestParameters": { "secretId": ARN },
        "responseElements": null,
        "eventType": "AwsApiCall",
    });
    for (member, value) in members.as_object().unwrap() {
        document[member] = value.clone();
    }
    let (name, document) = (Some(name.to_owned()), Some(document.to_string()));
    FoundEvent { id: Some(id), name, time: Some(time), document, ..FoundEvent::default() }
}

fn question(changed: impl IntoIterator<Item = Changed>) -> Question {
    Question {
        secret: SecretName::new("prod/db"),
        arn: Some(Arn::of_service(ARN)),
        changed: changed.into_iter().collect(),
        since: None,
        last_changed: None,
    }
}

/// The ids of the events that answer a question, of all that there are.
fn ids(question: Question, events: &[FoundEvent]) -> Vec<String> {
    let answer = answer(question, events);
    answer.events.into_iter().map(|attributed| attributed.event.id).collect()
}

/// The answer to a question where CloudTrail has these events.
fn answer(question: Question, events: &[FoundEvent]) -> Answer {
    let mut search = Search::new(vec![question], now(), 100);
    while let Some(ask) = search.next() {
        let named = events.iter().filter(|event| event.name.as_deref() == Some(ask.event_name));
        search.learn(&ask, &named.cloned().collect::<Vec<_>>(), None);
    }
    search.answers(None).pop().unwrap()
}

fn principal(identity: Value) -> Principal {
    TrailEvent::read(&found("PutSecretValue", 1, json!({ "userIdentity": identity }))).unwrap().principal
}

#[test]
fn each_kind_of_identity_is_named() {
    let role = |role: &str, session: &str| {
        json!({
            "type": "AssumedRole",
            "principalId": format!("AROAEXAMPLE:{session}"),
            "arn": format!("arn:aws:sts::111111111111:assumed-role/{role}/{session}"),
            "accountId": "111111111111",
            "sessionContext": { "sessionIssuer": { "type": "Role", "userName": role } },
        })
    };
    let named = |name: &str| name.to_owned();
    for (identity, who) in [
        (json!({"type": "Root", "arn": "arn:aws:iam::111111111111:root", "accountId": "111111111111"}), Who::Root),
        (
            json!({"type": "IAMUser", "arn": "arn:aws:iam::111111111111:user/ops/bob", "userName": "bob"}),
            Who::User(named("bob")),
        ),
        (json!({"type": "IAMUser", "arn": "arn:aws:iam::111111111111:user/ops/bob"}), Who::User(named("bob"))),
        (role("deploy", "ci-42"), Who::Role { role: named("deploy"), session: named("ci-42") }),
        (
            role("AWSReservedSSO_Admin_Access_0123456789abcdef", "carol@example.com"),
            Who::SsoUser { user: named("carol@example.com"), permission_set: named("Admin_Access") },
        ),
        (
            role("AWSReservedSSO_of_somebody_else", "carol"),
            Who::Role { role: named("AWSReservedSSO_of_somebody_else"), session: named("carol") },
        ),
        (
            json!({
                "type": "AssumedRole",
                "principalId": "AROAEXAMPLE:s",
                "sessionContext": { "sessionIssuer": { "userName": "r" } },
            }),
            Who::Role { role: named("r"), session: named("s") },
        ),
        (
            json!({"type": "WebIdentityUser", "userName": "u-1", "identityProvider": "accounts.example.com"}),
            Who::Federated { user: named("u-1"), provider: Some(named("accounts.example.com")) },
        ),
        (
            json!({"type": "FederatedUser", "arn": "arn:aws:sts::111111111111:federated-user/dave"}),
            Who::Federated { user: named("dave"), provider: None },
        ),
        (json!({"type": "AWSAccount", "accountId": "222222222222"}), Who::Account(named("222222222222"))),
        (json!({"type": "AWSService", "invokedBy": "rds.amazonaws.com"}), Who::Service(named("rds.amazonaws.com"))),
        (
            json!({"accountId": "111111111111", "invokedBy": "secretsmanager.amazonaws.com"}),
            Who::Service(named("secretsmanager.amazonaws.com")),
        ),
        (json!({"type": "Unheard", "principalId": "X"}), Who::Other { kind: named("Unheard"), name: named("X") }),
        (json!({}), Who::Other { kind: String::new(), name: String::new() }),
    ] {
        assert_eq!(principal(identity.clone()).who, who, "{identity}");
    }
    let mut by_stack = role("cfn", "s");
    by_stack["invokedBy"] = "cloudformation.amazonaws.com".into();
    assert_eq!(principal(by_stack).through.as_deref(), Some("cloudformation.amazonaws.com"));
}

#[test]
fn an_identity_is_known_again_in_another_session_of_its_role() {
    let identity = |arn: &str| principal(json!({ "type": "AssumedRole", "arn": arn }));
    let session = identity("arn:aws:sts::111111111111:assumed-role/deploy/ci-1");
    assert!(session.is("arn:aws:sts::111111111111:assumed-role/deploy/keywright"));
    assert!(!session.is("arn:aws:sts::222222222222:assumed-role/deploy/keywright"));
    assert!(!session.is("arn:aws:sts::111111111111:assumed-role/other/ci-1"));
    let user = principal(json!({ "type": "IAMUser", "arn": "arn:aws:iam::111111111111:user/a" }));
    assert!(user.is("arn:aws:iam::111111111111:user/a") && !user.is("arn:aws:iam::111111111111:user/b"));
    assert!(!principal(json!({})).is(""));
}

#[test]
fn hostile_events_are_read_and_cut() {
    let long = "x".repeat(1_000_000);
    for document in [
        String::new(),
        "null".to_owned(),
        "[[[[".to_owned(),
        "{\"userIdentity\": 5, \"requestParameters\": [1], \"responseElements\": \"x\"}".to_owned(),
        json!({"eventTime": 5, "userIdentity": {"type": [], "arn": {}, "userName": 7}}).to_string(),
        json!({"requestParameters": {"secretId": {"a": 1}, "name": null, "tags": {"a": "b"}}}).to_string(),
        json!({ "userAgent": long, "userIdentity": { "type": "IAMUser", "userName": long } }).to_string(),
        "[".repeat(100_000),
    ] {
        let event = FoundEvent { document: Some(document), ..found("TagResource", 1, json!({})) };
        let read = TrailEvent::read(&event).unwrap();
        assert!(read.user_agent.is_none_or(|text| text.chars().count() <= 256));
        assert!(ids(question([Changed::Tags]), &[event]).is_empty(), "nothing says that it is about the secret");
    }
    let hostile = "\u{1b}[2J\u{202e}<script>\n";
    let event = found(
        "TagResource",
        1,
        json!({ "userAgent": hostile, "userIdentity": { "type": "IAMUser", "userName": hostile.repeat(50) } }),
    );
    let read = TrailEvent::read(&event).unwrap();
    assert_eq!(read.user_agent.as_deref(), Some(hostile), "what is printed is escaped where it is printed");
    assert!(matches!(read.principal.who, Who::User(name) if name.chars().count() == 256));
    assert_eq!(TrailEvent::read(&FoundEvent::default()), None);
    assert_eq!(TrailEvent::read(&FoundEvent { time: None, document: None, ..event }), None);
}

#[test]
fn a_secret_is_known_by_whatever_the_caller_called_it() {
    let sent =
        |id: &str| found("UpdateSecret", 1, json!({ "requestParameters": { "secretId": id, "description": "d" } }));
    for id in [ARN, "prod/db", ARN.strip_suffix("-AbCdEf").unwrap()] {
        assert_eq!(ids(question([Changed::Description]), &[sent(id)]).len(), 1, "{id}");
    }
    for id in [
        "prod/db2",
        "db",
        "arn:aws:secretsmanager:eu-west-1:111111111111:secret:prod/db-XxXxXx",
        "arn:aws:secretsmanager:eu-west-1:222222222222:secret:prod/db-AbCdEf",
        "arn:aws:ssm:eu-west-1:111111111111:secret:prod/db",
    ] {
        assert_eq!(ids(question([Changed::Description]), &[sent(id)]), [""; 0], "{id}");
    }
    let unknown = || Question { arn: None, ..question([Changed::Deleted]) };
    let arn_of = |old: &str| ARN.replace("AbCdEf", old);
    let deleted = |members: Value| found("DeleteSecret", 1, members);
    let answered = json!({
        "requestParameters": { "secretId": "p" },
        "responseElements": { "aRN": arn_of("Old111"), "name": "prod/db" },
    });
    assert_eq!(ids(unknown(), &[deleted(answered)]).len(), 1, "a deletion says the name");
    let service = json!({
        "eventType": "AwsServiceEvent",
        "userIdentity": {"accountId": "111111111111", "invokedBy": "secretsmanager.amazonaws.com"},
        "requestParameters": null,
        "additionalEventData": {"ARN": arn_of("Old111"), "Name": "prod/db"},
    });
    let ended = found("EndSecretVersionDelete", 1, service);
    assert_eq!(ids(unknown(), std::slice::from_ref(&ended)).len(), 1);
    let begun = found("DeleteSecret", 50_000, json!({"requestParameters": {"secretId": "prod/db"}}));
    assert_eq!(ids(unknown(), &[ended, begun]), ["DeleteSecret-50000"], "who began it is who did it");
    let listed = FoundEvent { resources: vec!["prod/db".to_owned()], ..deleted(json!({"requestParameters": null})) };
    assert_eq!(ids(unknown(), &[listed]).len(), 1, "the resources that LookupEvents lists count too");
}

#[test]
fn a_name_that_looks_like_a_suffix_is_not_taken_for_one() {
    let arn = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:app-secret-AbCdEf";
    let event = found(
        "DeleteSecret",
        1,
        json!({"requestParameters": {"secretId": arn}, "responseElements": {"aRN": arn, "name": "app-secret"}}),
    );
    let app = Question { secret: SecretName::new("app"), arn: None, ..question([Changed::Deleted]) };
    assert_eq!(ids(app, std::slice::from_ref(&event)), [""; 0]);
    let app_secret = Question { secret: SecretName::new("app-secret"), arn: None, ..question([Changed::Deleted]) };
    assert_eq!(ids(app_secret, &[event]).len(), 1);
}

#[test]
fn only_events_that_can_have_made_the_change_answer() {
    let with = |name: &str, parameters: Value| {
        let mut parameters = parameters;
        parameters["secretId"] = ARN.into();
        found(name, 1, json!({ "requestParameters": parameters }))
    };
    let tag = || [Changed::Tag("team".to_owned())];
    assert_eq!(ids(question(tag()), &[with("TagResource", json!({"tags": [{"key": "team", "value": "x"}]}))]).len(), 1);
    assert!(ids(question(tag()), &[with("TagResource", json!({"tags": [{"key": "other"}]}))]).is_empty());
    assert_eq!(ids(question(tag()), &[with("UntagResource", json!({"tagKeys": ["team"]}))]).len(), 1);
    assert_eq!(ids(question(tag()), &[with("TagResource", json!({"tags": "unheard"}))]).len(), 1, "it may be");
    let put = with("PutSecretValue", json!({}));
    assert!(ids(question([Changed::Description]), std::slice::from_ref(&put)).is_empty());
    assert!(ids(question([Changed::KmsKey]), &[with("UpdateSecret", json!({"description": "d"}))]).is_empty());
    let failed = found("PutSecretValue", 1, json!({"errorCode": "AccessDenied"}));
    let later = found("PutSecretValue", -5, json!({}));
    let value = || [Changed::Value { version: None }];
    assert!(ids(question(value()), &[failed, later]).is_empty());
    let since = Some(now() - jiff::SignedDuration::from_mins(10));
    let old = found("PutSecretValue", 11, json!({}));
    assert_eq!(ids(Question { since, ..question(value()) }, &[put, old]), ["PutSecretValue-1"]);
}

#[test]
fn whoever_names_the_version_made_it() {
    let put = |minutes, token: &str| {
        found("PutSecretValue", minutes, json!({"requestParameters": {"secretId": ARN, "clientRequestToken": token}}))
    };
    let value = |version: Option<&str>| question([Changed::Value { version: version.map(str::to_owned) }]);
    let events = [put(3, "v1"), put(2, "v2"), put(1, "v3")];
    assert_eq!(ids(value(Some("v2")), &events), ["PutSecretValue-2"]);
    assert_eq!(ids(value(None), &events), ["PutSecretValue-1", "PutSecretValue-2", "PutSecretValue-3"]);
    assert!(ids(value(Some("v9")), &events).is_empty(), "those of other versions did not make this one");
    let rotated = found(
        "RotationSucceeded",
        1,
        json!({
            "requestParameters": null, "eventType": "AwsServiceEvent", "additionalEventData": { "SecretId": ARN },
        }),
    );
    assert_eq!(ids(value(Some("v9")), &[events[0].clone(), rotated]), ["RotationSucceeded-1"]);
    assert_eq!(ids(question([Changed::Version("v1".to_owned())]), &events), ["PutSecretValue-3"]);
    assert!(ids(question([Changed::Version("v9".to_owned())]), &events).is_empty());
    let mut moved = found("UpdateSecretVersionStage", 0, json!({}));
    let parameters = json!({"secretId": ARN, "versionStage": "AWSCURRENT", "moveToVersionId": "v1"});
    moved.document = found("UpdateSecretVersionStage", 0, json!({ "requestParameters": parameters })).document;
    let back: Vec<FoundEvent> = events.iter().cloned().chain([moved]).collect();
    assert_eq!(ids(value(Some("v1")), &back), ["UpdateSecretVersionStage-0", "PutSecretValue-3"]);
}

#[test]
fn candidates_are_the_newest_three_and_others_are_counted() {
    let events: Vec<FoundEvent> = (1..=5).map(|minutes| found("PutResourcePolicy", minutes, json!({}))).collect();
    let last_changed = events[0].time;
    let answer = answer(Question { last_changed, ..question([Changed::Policy]) }, &events);
    assert_eq!((answer.events.len(), answer.more, answer.incomplete), (3, 2, false));
    let marks: Vec<bool> = answer.events.iter().map(|attributed| attributed.is_last_change).collect();
    assert_eq!(marks, [true, false, false]);
}

#[test]
fn what_was_done_to_a_secret_of_the_same_name_before_is_left_out() {
    let by_name = |minutes| {
        let parameters = json!({"secretId": "prod/db", "description": "d"});
        found("UpdateSecret", minutes, json!({ "requestParameters": parameters }))
    };
    let made =
        found("CreateSecret", 5, json!({"requestParameters": {"name": "prod/db"}, "responseElements": {"arn": ARN}}));
    let events = [by_name(1), by_name(9), made];
    assert_eq!(ids(question([Changed::Description]), &events), ["UpdateSecret-1"]);
    assert_eq!(ids(question([Changed::Description]), &events[1..]), ["CreateSecret-5"], "when nothing else is known");
}

#[test]
fn a_search_asks_for_the_most_wanted_first_and_ends_with_its_budget() {
    let ask = |search: &Search| search.next().map(|ask| (ask.event_name, ask.token));
    let questions = || vec![question([Changed::Policy]), question([Changed::Tags]), question([Changed::Created])];
    let mut search = Search::new(questions(), now(), 3);
    assert_eq!(ask(&search), Some(("CreateSecret", None)), "two questions need it");
    let page = |name: &str, minutes| [found(name, minutes, json!({"requestParameters": {"secretId": "other"}}))];
    let first = search.next().unwrap();
    search.learn(&first, &page("CreateSecret", 60), Some("t1".to_owned()));
    assert_eq!(ask(&search), Some(("DeleteResourcePolicy", None)), "each has a page before any has two");
    for _ in 0..2 {
        let next = search.next().unwrap();
        search.learn(&next, &[], None);
    }
    assert_eq!(ask(&search), None, "the budget is used up");
    let answers = search.answers(None);
    assert_eq!(answers.iter().map(|answer| answer.incomplete).collect::<Vec<_>>(), [false, true, true]);
}

#[test]
fn a_chain_is_followed_until_nothing_newer_can_be_in_it() {
    let mut search = Search::new(vec![question([Changed::Policy])], now(), 100);
    let delete = search.next().unwrap();
    assert_eq!(delete.event_name, "DeleteResourcePolicy");
    let other = |minutes| found("DeleteResourcePolicy", minutes, json!({"requestParameters": {"secretId": "other"}}));
    search.learn(&delete, &[other(1), other(30)], Some("older".to_owned()));
    let put = search.next().unwrap();
    search.learn(&put, &[found("PutResourcePolicy", 40, json!({}))], Some("older".to_owned()));
    let next = search.next().unwrap();
    assert_eq!((next.event_name, next.token.as_deref()), ("DeleteResourcePolicy", Some("older")), "it may be newer");
    search.learn(&next, &[other(41)], Some("oldest".to_owned()));
    assert_eq!(search.next(), None);
    let answer = search.answers(None).pop().unwrap();
    assert_eq!((answer.events.len(), answer.incomplete), (1, false));
}

#[test]
fn a_page_that_leads_to_itself_ends_its_chain() {
    let mut search = Search::new(vec![question([Changed::Created])], now(), 100);
    let mut pages = 0;
    while let Some(ask) = search.next() {
        pages += 1;
        search.learn(&ask, &[], Some("again".to_owned()));
    }
    assert_eq!(pages, 2);
}
