//! The file: what was acknowledged is there after it is opened again, and what is no sandbox file is left alone.

use std::fs;

use super::*;
use crate::state::OpenError;

fn open(path: &std::path::Path) -> Result<Client, OpenError> {
    let clock = Clock::manual("2026-03-04T07:45:00.250Z".parse().unwrap());
    Ok(Client::of(Sandbox::open(path, Options { rng_seed: 1, clock: clock.clone() })?, clock))
}

#[test]
fn a_secret_is_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/sandbox.redb");
    let client = open(&path).unwrap();
    let arn = client.create_with_value("a", "one");
    client.ok("TagResource", json!({"SecretId": "a", "Tags": [{"Key": "k", "Value": "v"}]}));
    let before = client.describe("a");
    client.create("gone");
    client.ok("DeleteSecret", json!({"SecretId": "gone", "ForceDeleteWithoutRecovery": true}));
    drop(client);
    let client = open(&path).unwrap();
    assert_eq!(client.describe(&arn), before);
    assert_eq!(client.value("a"), "one");
    assert_eq!(client.refused("DescribeSecret", json!({"SecretId": "gone"})), not_found());
    assert_ne!(client.create("another"), arn);
}

#[test]
fn a_recovery_window_ends_while_the_file_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.redb");
    let client = open(&path).unwrap();
    client.create_with_value("a", "one");
    client.ok("DeleteSecret", json!({"SecretId": "a", "RecoveryWindowInDays": 7}));
    drop(client);
    let client = open(&path).unwrap();
    client.describe("a");
    client.advance(7 * 24);
    assert_eq!(client.refused("DescribeSecret", json!({"SecretId": "a"})), not_found());
    client.create_with_value("a", "two");
    assert_eq!(client.sandbox.dump(DEFAULT_ACCOUNT, REGION)[0].versions, 1);
}

#[test]
fn a_copy_in_another_account_is_made_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.redb");
    let client = open(&path).unwrap();
    let (here, there) = (client.as_account("111111111111"), client.as_account("222222222222"));
    let primary = here.create_with_value("a", "one");
    let create = json!({
        "Name": "b", "ClientRequestToken": token(1), "KmsKeyId": "alias/b", "CrossAccountPrimaryARN": primary
    });
    let replica = there.ok("CreateSecret", create)["ARN"].clone();
    here.ok("AssociateCrossAccountReplica", json!({"SecretId": "a", "CrossAccountReplicaARN": replica}));
    drop((client, here, there));
    let client = open(&path).unwrap();
    assert_eq!(client.as_account("222222222222").value("b"), "one");
    let described = client.as_account("111111111111").describe("a");
    assert_eq!(described["CrossAccountReplicas"][0]["ReplicationStatus"], "InSync");
}

#[test]
fn a_file_can_be_open_once_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.redb");
    let first = open(&path).unwrap();
    let error = open(&path).err().unwrap();
    assert!(matches!(&error, OpenError::Locked { path: named } if *named == path), "{error:?}");
    assert!(error.to_string().contains("another keywright process has it open"), "{error}");
    drop(first);
    open(&path).unwrap();
}

#[test]
fn another_kind_of_file_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let zeros = vec![0; 100_000];
    for content in [&b"x"[..], b"these are my notes, and they must not be lost", &zeros, b"redb"] {
        fs::write(&path, content).unwrap();
        let error = open(&path).err().unwrap();
        let expected = if content == b"redb" {
            matches!(error, OpenError::Damaged { .. })
        } else {
            matches!(error, OpenError::NotASandbox { .. })
        };
        assert!(expected, "{error:?}");
        assert_eq!(fs::read(&path).unwrap(), content);
    }
}

#[test]
fn another_redb_database_is_refused() {
    const NOTES: redb::TableDefinition<'_, u64, &str> = redb::TableDefinition::new("notes");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.redb");
    let database = redb::Database::create(&path).unwrap();
    let write = database.begin_write().unwrap();
    write.open_table(NOTES).unwrap().insert(1, "mine").unwrap();
    write.commit().unwrap();
    drop(database);
    assert!(matches!(open(&path).err().unwrap(), OpenError::NotASandbox { .. }));
}

#[test]
fn another_format_is_refused_by_its_name() {
    const META: redb::TableDefinition<'_, &str, &str> = redb::TableDefinition::new("meta");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.redb");
    drop(open(&path).unwrap());
    let database = redb::Database::create(&path).unwrap();
    let write = database.begin_write().unwrap();
    write.open_table(META).unwrap().insert("format", "7").unwrap();
    write.commit().unwrap();
    drop(database);
    let error = open(&path).err().unwrap();
    assert!(matches!(&error, OpenError::OtherFormat { found, supported: "3", .. } if found == "7"), "{error:?}");
}

#[test]
fn a_file_of_the_format_before_gets_its_indexes() {
    const META: redb::TableDefinition<'_, &str, &str> = redb::TableDefinition::new("meta");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.redb");
    let client = open(&path).unwrap();
    let tags = json!([{"Key": "team", "Value": "shop"}]);
    client.ok("CreateSecret", json!({"Name": "a", "ClientRequestToken": token(1), "Tags": tags}));
    client.create("b");
    drop(client);
    let database = redb::Database::create(&path).unwrap();
    let write = database.begin_write().unwrap();
    for index in ["facets", "changed"] {
        let table = write.list_tables().unwrap().find(|table| redb::TableHandle::name(table) == index).unwrap();
        assert!(write.delete_table(table).unwrap());
    }
    write.open_table(META).unwrap().insert("format", "2").unwrap();
    write.commit().unwrap();
    drop(database);
    for _ in 0..2 {
        let client = open(&path).unwrap();
        let found = client.ok("ListSecrets", json!({"Filters": [{"Key": "tag-value", "Values": ["sh"]}]}));
        assert_eq!(found["SecretList"][0]["Name"], "a");
        assert_eq!(found["SecretList"].as_array().unwrap().len(), 1);
        let changed = client.ok("ListSecrets", json!({"SortBy": "last-changed-date"}));
        assert_eq!(changed["SecretList"].as_array().unwrap().len(), 2);
    }
}

#[test]
fn a_truncated_file_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.redb");
    drop(open(&path).unwrap());
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..4096]).unwrap();
    let error = open(&path).err().unwrap();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
}

#[test]
fn an_altered_file_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.redb");
    let client = open(&path).unwrap();
    client.ok(
        "CreateSecret",
        json!({"Name": "a", "ClientRequestToken": token(1), "Description": "a description that can be found again"}),
    );
    drop(client);
    let mut altered = fs::read(&path).unwrap();
    let name = b"a description that can be found again";
    let place = altered.windows(name.len()).position(|window| window == name).unwrap();
    altered[place] ^= 1;
    fs::write(&path, &altered).unwrap();
    let error = open(&path).err().unwrap();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
}

#[test]
fn a_value_is_not_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.redb");
    let client = open(&path).unwrap();
    client.create_with_value("a", "hunter2-hunter2-hunter2");
    client.ok("ReplicateSecretToRegions", json!({"SecretId": "a", "AddReplicaRegions": [{"Region": "us-west-2"}]}));
    assert_eq!(client.in_region("us-west-2").value("a"), "hunter2-hunter2-hunter2");
    drop(client);
    let file = fs::read(&path).unwrap();
    assert!(!file.windows(7).any(|window| window == b"hunter2"));
    assert_eq!(open(&path).unwrap().value("a"), "hunter2-hunter2-hunter2");
}

#[test]
fn without_its_key_a_file_cannot_be_opened_and_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (path, key) = (folder.path().join("sandbox.redb"), folder.path().join("sandbox.redb.key"));
    let client = open(&path).unwrap();
    client.create_with_value("a", "one");
    drop(client);
    let right = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    assert!(matches!(open(&path).err().unwrap(), OpenError::KeyMissing { .. }));
    assert!(!key.exists(), "no other key is made");
    for wrong in [&[0; 32][..], &right[..31], b"", &[right.as_slice(), b"x"].concat()] {
        fs::write(&key, wrong).unwrap();
        assert!(matches!(open(&path).err().unwrap(), OpenError::WrongKey { .. }));
    }
    fs::write(&key, &right).unwrap();
    let client = open(&path).unwrap();
    assert_eq!(client.value("a"), "one");
    client.sandbox.reset().unwrap();
    client.create_with_value("b", "two");
    drop(client);
    assert_eq!(open(&path).unwrap().value("b"), "two", "a reset keeps the key");
}

#[test]
fn a_key_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let (path, key) = (folder.path().join("sandbox.redb"), folder.path().join("sandbox.redb.key"));
    drop(open(&path).unwrap());
    let right = fs::read(&key).unwrap();
    fs::remove_file(&path).unwrap();
    drop(open(&path).unwrap());
    assert_eq!(fs::read(&key).unwrap(), right);
    fs::remove_file(&path).unwrap();
    fs::write(&key, b"notes that are longer than any key is").unwrap();
    assert!(matches!(open(&path).err().unwrap(), OpenError::WrongKey { .. }));
    fs::write(&key, &right[..7]).unwrap();
    // A key that was cut while it was made was never used.
    drop(open(&path).unwrap());
    drop(open(&path).unwrap());
}

#[test]
fn a_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(open(folder.path()).err().unwrap(), OpenError::Io { .. }));
}

#[cfg(unix)]
#[test]
fn the_file_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.redb");
    drop(open(&path).unwrap());
    for file in [path, folder.path().join("sandbox.redb.key")] {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
