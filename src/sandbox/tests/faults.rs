//! The fault profile: faults, quotas, latency and lists that lag; and the clock that can be moved.

use std::time::{Duration, Instant};

use super::*;
use crate::Outcome;
use crate::faults::{Fault, FaultKind, FaultProfile};
use crate::server::dispatch::Dropped;

fn create(number: u32) -> Value {
    json!({"Name": format!("s/{number}"), "ClientRequestToken": token(number)})
}

/// How each of many calls ends, by its error code.
fn outcomes(profile: FaultProfile) -> Vec<Outcome> {
    let client = Client::new();
    client.sandbox.set_fault_profile(profile);
    for number in 0..300 {
        client.sandbox.respond(&client.request("CreateSecret", create(number).to_string()));
    }
    client.sandbox.calls().into_iter().map(|call| call.outcome).collect()
}

#[test]
fn the_same_rng_seed_gives_the_same_faults() {
    let profile = |rng_seed| FaultProfile {
        rng_seed,
        throttled: 0.2,
        failing: 0.1,
        dropped: 0.1,
        answer_lost: 0.1,
        ..FaultProfile::default()
    };
    let one = outcomes(profile(1));
    assert_eq!(one, outcomes(profile(1)));
    assert_ne!(one, outcomes(profile(2)));
    let count = |wanted: &Outcome| one.iter().filter(|outcome| *outcome == wanted).count();
    let error = |code: &str| Outcome::Error(code.to_owned());
    for (outcome, least, most) in [
        (error("ThrottlingException"), 40, 80),
        (error("InternalServiceError"), 10, 45),
        (Outcome::Dropped, 25, 80),
        (Outcome::Ok, 130, 220),
    ] {
        assert!((least..=most).contains(&count(&outcome)), "{outcome:?}: {}", count(&outcome));
    }
    assert!(outcomes(FaultProfile::default()).iter().all(|outcome| *outcome == Outcome::Ok));
}

#[test]
fn a_throttled_call_has_the_error_of_the_service_until_faults_are_cleared() {
    let client = Client::new();
    client.sandbox.set_fault_profile(FaultProfile { throttled: 1.0, ..FaultProfile::default() });
    assert_eq!(client.refused("CreateSecret", create(1)), refused("ThrottlingException", "Rate exceeded"));
    client.sandbox.clear_faults();
    assert_eq!(client.refused("DescribeSecret", json!({"SecretId": "s/1"})), not_found());
}

#[test]
fn quotas_hold_for_each_region() {
    let client = Client::new();
    client.sandbox.set_fault_profile(FaultProfile { quotas: true, ..FaultProfile::default() });
    let before = Instant::now();
    let (mut made, mut refused_ones) = (0, 0);
    for number in 0..200 {
        match client.sandbox.respond(&client.request("CreateSecret", create(number).to_string())).status().as_u16() {
            200 => made += 1,
            _ => refused_ones += 1,
        }
    }
    let passed = before.elapsed().as_secs_f64();
    assert!(made >= 50 && f64::from(made) <= 51.0 + 50.0 * passed, "{made} in {passed} s");
    assert!(refused_ones > 0 || passed > 3.0);
    client.in_region("us-east-1").create("other");
}

#[test]
fn a_dropped_connection_makes_the_change_only_if_it_is_carried_out() {
    let client = Client::new();
    let drop_next = |carried_out| {
        let kind = FaultKind::Dropped { carried_out };
        client.sandbox.inject(Fault { operation: None, secret: None, skip: 0, times: Some(1), kind });
    };
    for (number, carried_out) in [(1, false), (2, true)] {
        drop_next(carried_out);
        let request = client.request("CreateSecret", create(number).to_string());
        assert_eq!(client.sandbox.answer(&request).err(), Some(Dropped));
        let there =
            client.sandbox.dump(DEFAULT_ACCOUNT, REGION).iter().any(|secret| secret.name == format!("s/{number}"));
        assert_eq!(there, carried_out);
    }
    let outcomes: Vec<Outcome> = client.sandbox.calls().into_iter().map(|call| call.outcome).collect();
    assert_eq!(outcomes, [Outcome::Dropped, Outcome::Dropped]);
    drop_next(true);
    assert_eq!(
        client.send("DescribeSecret", &json!({"SecretId": "s/2"})).status(),
        500,
        "without a connection to break"
    );
}

#[test]
fn latency_and_a_slow_fault_add_up() {
    let client = Client::new();
    let timed = || {
        let before = Instant::now();
        client.ok("ListSecrets", json!({}));
        before.elapsed()
    };
    client.sandbox.set_fault_profile(FaultProfile { latency: Duration::from_millis(30), ..FaultProfile::default() });
    assert!(timed() >= Duration::from_millis(30));
    let by = Duration::from_millis(60);
    client.sandbox.inject(Fault {
        operation: Some("ListSecrets".to_owned()),
        secret: None,
        skip: 0,
        times: Some(1),
        kind: FaultKind::Slow { by },
    });
    assert!(timed() >= Duration::from_millis(90));
}

fn listed(client: &Client, input: &Value) -> Vec<String> {
    let mut names = Vec::new();
    let mut input = input.clone();
    loop {
        let page = client.ok("ListSecrets", input.clone());
        names.extend(page["SecretList"].as_array().unwrap().iter().map(|secret| text(&secret["Name"])));
        let Some(next) = page.get("NextToken") else { return names };
        input["NextToken"] = next.clone();
    }
}

#[test]
fn only_list_secrets_lags() {
    let client = Client::new();
    client.create("old");
    client.create("doomed");
    client.sandbox.set_fault_profile(FaultProfile { list_lag: Duration::from_mins(2), ..FaultProfile::default() });
    let minute = || client.clock.advance(SignedDuration::from_mins(1));
    minute();
    for name in ["b", "a"] {
        client.create(name);
    }
    client.ok("DeleteSecret", json!({"SecretId": "doomed", "ForceDeleteWithoutRecovery": true}));
    client.ok("UpdateSecret", json!({"SecretId": "old", "ClientRequestToken": token(1), "Description": "new"}));
    let by_name = json!({"SortBy": "name", "MaxResults": 1});
    assert_eq!(listed(&client, &by_name), ["doomed", "old"]);
    assert_eq!(listed(&client, &json!({})), ["old", "doomed"]);
    assert_eq!(client.ok("ListSecrets", json!({}))["SecretList"][0].get("Description"), None);
    assert_eq!(client.describe("old")["Description"], "new");
    minute();
    client.ok("UpdateSecret", json!({"SecretId": "old", "ClientRequestToken": token(2), "Description": "newest"}));
    minute();
    assert_eq!(listed(&client, &by_name), ["a", "b", "old"]);
    assert_eq!(listed(&client, &json!({"SortOrder": "desc", "MaxResults": 1})), ["a", "b", "old"]);
    assert_eq!(client.ok("ListSecrets", json!({}))["SecretList"][0]["Description"], "new");
    minute();
    assert_eq!(client.ok("ListSecrets", json!({}))["SecretList"][0]["Description"], "newest");
    client.create("c");
    client.sandbox.clear_faults();
    assert_eq!(listed(&client, &by_name), ["a", "b", "c", "old"]);
}

#[test]
fn a_list_lags_five_minutes_at_most() {
    let client = Client::new();
    client.sandbox.set_fault_profile(FaultProfile { list_lag: Duration::from_hours(10), ..FaultProfile::default() });
    client.create("a");
    client.clock.advance(SignedDuration::from_mins(5));
    assert_eq!(listed(&client, &json!({})), ["a"]);
}

#[test]
fn a_store_on_disk_keeps_how_far_its_clock_was_moved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.redb");
    let open =
        || Client::of(Sandbox::open(&path, Options { rng_seed: 1, clock: Clock::System }).unwrap(), Clock::System);
    let client = open();
    let before = client.sandbox.now();
    client.create("a");
    client.ok("DeleteSecret", json!({"SecretId": "a", "RecoveryWindowInDays": 7}));
    client.sandbox.advance(Duration::from_hours(100)).unwrap();
    client.sandbox.advance(Duration::from_hours(60)).unwrap();
    assert!(client.sandbox.now() >= before + SignedDuration::from_hours(160));
    client.describe("a");
    drop(client);
    let client = open();
    assert!(client.sandbox.now() >= before + SignedDuration::from_hours(160));
    client.sandbox.advance(Duration::from_hours(8)).unwrap();
    assert_eq!(client.refused("DescribeSecret", json!({"SecretId": "a"})), not_found());
    client.sandbox.reset().unwrap();
    assert!(client.sandbox.now() < before + SignedDuration::from_hours(1));
    client.sandbox.advance(Duration::MAX).unwrap();
    client.create("at the end of time".replace(' ', "-").as_str());
    client.describe("at-the-end-of-time");
}
