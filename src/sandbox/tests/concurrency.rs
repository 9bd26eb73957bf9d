//! Many clients and one secret: whatever they do at once, each change is whole, and none is lost.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

const CLIENTS: u32 = 6;
const CHANGES: u32 = 40;

/// What a client does again and again: it moves a label of its own, and AWSCURRENT with it now and then.
fn work(client: &Client, number: u32) {
    let own = format!("CLIENT{number}");
    for change in 0..CHANGES {
        let version = token(1000 * (number + 1) + change);
        let labels = if change % 3 == 0 { vec![own.as_str(), "AWSCURRENT"] } else { vec![own.as_str()] };
        client.ok(
            "PutSecretValue",
            json!({"SecretId": "a", "ClientRequestToken": version, "SecretString": version, "VersionStages": labels}),
        );
        if change % 5 == 1 {
            let current = client.ok("GetSecretValue", json!({"SecretId": "a"}))["VersionId"].clone();
            // Somebody may have been faster: then this is refused, and nothing moves.
            let moved = json!({
                "SecretId": "a", "VersionStage": "AWSCURRENT",
                "RemoveFromVersionId": current, "MoveToVersionId": version
            });
            let status = client.send("UpdateSecretVersionStage", &moved).status().as_u16();
            assert!(status == 200 || status == 400);
        }
        let tags = json!({"SecretId": "a", "Tags": [{"Key": own, "Value": change.to_string()}]});
        client.ok("TagResource", tags);
    }
}

fn check(labels: &Value) {
    let all: Vec<&str> = labels
        .as_object()
        .unwrap()
        .values()
        .flat_map(|labels| labels.as_array().unwrap())
        .filter_map(Value::as_str)
        .collect();
    for label in &all {
        assert_eq!(all.iter().filter(|other| *other == label).count(), 1, "{label} in {labels}");
    }
    assert!(all.contains(&"AWSCURRENT"), "{labels}");
}

#[test]
fn one_secret_has_one_current_version_at_all_times_and_loses_no_label() {
    let client = Client::new();
    client.create_with_value("a", "one");
    client.ok("ReplicateSecretToRegions", json!({"SecretId": "a", "AddReplicaRegions": [{"Region": "us-west-2"}]}));
    client.describe("a");
    let there = client.in_region("us-west-2");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let client = client.clone();
                scope.spawn(move || work(&client, number))
            })
            .collect();
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                check(&client.labels("a"));
                check(&there.labels("a"));
                // A reader always gets a value, and the one that belongs to the version.
                let read = client.ok("GetSecretValue", json!({"SecretId": "a"}));
                assert!(read["SecretString"] == read["VersionId"] || read["SecretString"] == "one");
            }
        });
        let ended: Vec<_> = workers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::Relaxed);
        ended.into_iter().for_each(Result::unwrap);
    });
    let described = client.describe("a");
    check(&described["VersionIdsToStages"]);
    for number in 0..CLIENTS {
        let last = token(1000 * (number + 1) + CHANGES - 1);
        let labels = &described["VersionIdsToStages"][last.as_str()];
        assert!(
            labels.as_array().is_some_and(|labels| labels.contains(&json!(format!("CLIENT{number}")))),
            "{described}"
        );
    }
    assert_eq!(described["Tags"].as_array().map(Vec::len), usize::try_from(CLIENTS).ok());
    assert_eq!(there.labels("a"), described["VersionIdsToStages"], "the copy has followed every change");
}
