//! What is read through another reader, what is remembered, and which failures are of one secret alone.

use std::collections::{BTreeMap, BTreeSet};

use futures::executor::block_on;
use jiff::Timestamp;

use super::all_policies::{AllPolicies, all_policies};
use super::in_memory::{InMemory, failed};
use super::{
    LinkStatus, LinkedPrimary, Live, LivePolicy, LiveReplica, LiveSecret, Memory, OfSecret, PolicyCache, PolicyVerdict,
    ReadSecrets, ReadThrough, Remembering, ReplicaStatus, Seen, ServiceError, ServiceErrorKind, ServiceHint, Wanted,
    of_secret, read, validate_policies, versions_of,
};
use crate::desired::{OWNER_TAG, Scope};
use crate::domain::{Arn, Region, SecretName, TagKey, VersionId};

fn name(name: &str) -> SecretName {
    SecretName::new(name)
}

/// Every call that is neither a list nor a description, and the one in another region.
fn ask_all(reader: &impl ReadSecrets) -> bool {
    let (db, region) = (name("app/db"), Region::of_service("us-east-1"));
    block_on(async {
        let there = reader.describe_in_region(&region, &db).await == Ok(None);
        let names = reader.policy_names(&db).await == Ok(Some(vec!["default".to_owned(), "other".to_owned()]));
        let versions = reader.versions(&db).await;
        let versions = versions.is_ok_and(|found| found.is_some_and(|versions| versions.len() == 1));
        let value = reader.value(&db, &VersionId::of_service("v1")).await.is_ok_and(|value| value.is_some());
        let values = reader.values(&[db]).await.is_ok_and(|values| values.is_empty());
        there && names && versions && value && values
    })
}

const ASKED: [&str; 5] = [
    "BatchGetSecretValue app/db",
    "DescribeSecret app/db in us-east-1",
    "GetSecretValue app/db",
    "ListResourcePolicies app/db",
    "ListSecretVersionIds app/db",
];

fn with_policies() -> LiveSecret {
    LiveSecret {
        policy: LivePolicy::Unparsable("text".to_owned()),
        other_policies: vec!["other".to_owned()],
        versions: BTreeMap::from([(VersionId::of_service("v1"), BTreeSet::new())]),
        ..LiveSecret::bare("app/db")
    }
}

/// What a look found that saw this secret, or none.
fn remembered(secret: Option<&LiveSecret>) -> Memory {
    let secrets = secret.into_iter().map(|secret| (secret.name.clone(), secret.clone())).collect();
    Memory::of(&Live { secrets, ..Live::default() }, [], Timestamp::UNIX_EPOCH)
}

struct Through(InMemory);

impl ReadThrough for Through {
    type Reader = InMemory;

    fn reader(&self) -> &InMemory {
        &self.0
    }
}

#[test]
fn who_writes_reads_as_fast_and_with_the_same_clock_as_what_it_has() {
    let through = Through(InMemory::default());
    assert_eq!((through.describes_at_once(), through.0.describes_at_once()), (32, 32), "the quota is far above that");
    assert_eq!(through.service_time(), Timestamp::from_second(3_600).ok());
}

#[test]
fn who_writes_reads_through_what_it_has() {
    let through = Through(InMemory::new([with_policies()]));
    assert!(ask_all(&through));
    assert_eq!(through.0.calls(), ASKED);
    let described = block_on(through.describe(&name("app/db")));
    assert_eq!(described.map(|found| found.map(|secret| secret.seen)), Ok(Some(Seen::Described)));
    let policy = block_on(through.policy(&name("app/db")));
    assert_eq!(policy, Ok(Some(LivePolicy::Unparsable("text".to_owned()))));
    let listed = block_on(through.list(&super::ListFilter::prefix("app/"), None));
    assert_eq!(listed.map(|page| page.secrets.len()), Ok(1));
    assert_eq!(block_on(through.validate_policy(None, "{}")), PolicyVerdict::Passed);
    assert_eq!(through.0.calls(), ["DescribeSecret app/db", "GetResourcePolicy app/db", "ListSecrets app/"]);
}

#[test]
fn what_a_memory_does_not_hold_is_asked_of_the_service() {
    let (reader, memory) = (InMemory::new([with_policies()]), remembered(None));
    let remembering = Remembering::new(&reader, &memory);
    assert!(ask_all(&remembering));
    assert_eq!(reader.calls(), ASKED);
    assert_eq!(block_on(remembering.validate_policy(None, "{}")), PolicyVerdict::Passed);
    assert_eq!(remembering.service_time(), reader.service_time());
    assert!(reader.service_time().is_some());
}

#[test]
fn only_a_failure_of_one_secret_is_told_of_it() {
    let of = |kind| {
        let answer: Result<OfSecret<()>, ServiceError> = of_secret(Err(failed("DescribeSecret", kind, Some("Code"))));
        answer.is_ok()
    };
    assert!(of(ServiceErrorKind::AccessDenied));
    assert!(!of(ServiceErrorKind::Credentials) && !of(ServiceErrorKind::Unreachable));
    assert_eq!(of_secret(Ok(1)), Ok(Ok(1)));
}

#[test]
fn policies_are_validated_each_with_its_answer() {
    let reader = InMemory::default();
    let documents = [("{}".to_owned(), None), ("[]".to_owned(), Some("arn"))];
    let verdicts = block_on(validate_policies(&reader, documents));
    let passed = |text: &str| (text.to_owned(), PolicyVerdict::Passed);
    assert_eq!(verdicts, BTreeMap::from([passed("[]"), passed("{}")]));
}

#[test]
fn versions_are_read_of_several_secrets_and_of_one_that_is_gone_there_are_none() {
    let reader = InMemory::new([LiveSecret::bare("app/db")]);
    let found = block_on(versions_of(&reader, ["app/db", "app/gone"].map(name)));
    let none = |text: &str| (name(text), Ok(Vec::new()));
    assert_eq!(found, Ok(BTreeMap::from([none("app/db"), none("app/gone")])));
}

/// What is found of `app/db`; `app/gone` does not exist.
fn policies(reader: &InMemory, wants_default: bool) -> Option<AllPolicies> {
    let asked = vec![(name("app/db"), wants_default), (name("app/gone"), wants_default)];
    let mut found = block_on(all_policies(reader, asked, &|_| {})).ok()?;
    assert!(found.remove(&name("app/gone")).is_none_or(|gone| gone.is_err()), "what does not exist is left out");
    found.remove(&name("app/db"))?.ok()
}

#[test]
fn beside_the_default_policy_the_names_of_the_others_are_told() {
    let reader = InMemory::new([with_policies()]);
    let found = policies(&reader, true).expect("it is there");
    assert_eq!(found.default, Some(LivePolicy::Unparsable("text".to_owned())));
    assert_eq!(found.others, ["other"]);
    let found = policies(&reader, false).expect("it is there");
    assert_eq!((found.default, found.others), (None, vec!["other".to_owned()]), "it was read before");
}

#[test]
fn where_policies_cannot_be_listed_the_default_one_is_read() {
    for (kind, code, is_told) in [
        (ServiceErrorKind::Rejected, Some("UnknownOperationException"), true),
        (ServiceErrorKind::Service, Some("InternalFailure"), true),
        (ServiceErrorKind::Service, Some("InternalServiceError"), false),
        (ServiceErrorKind::Rejected, Some("InternalFailure"), false),
        (ServiceErrorKind::Service, None, false),
    ] {
        let mut reader = InMemory::new([with_policies()]);
        reader.failing.insert("ListResourcePolicies", failed("ListResourcePolicies", kind, code));
        let found = policies(&reader, true).map(|found| (found.default, found.others));
        let default = (Some(LivePolicy::Unparsable("text".to_owned())), Vec::new());
        assert_eq!(found, is_told.then_some(default), "{kind:?} {code:?}");
    }
}

#[test]
fn links_are_settled_when_both_sides_are_in_step() {
    let mut secret = LiveSecret::bare("app/db");
    assert!(secret.cross_account.is_settled());
    let arn = || Arn::of_service("arn:aws:secretsmanager:eu-west-1:222222222222:secret:app/db-AbCdEf");
    secret.cross_account.primary = Some(LinkedPrimary { arn: arn(), status: LinkStatus::InSync });
    assert!(secret.cross_account.is_settled());
    secret.cross_account.primary = Some(LinkedPrimary { arn: arn(), status: LinkStatus::Pending });
    assert!(!secret.cross_account.is_settled());
}

#[test]
fn a_replica_in_another_region_is_one_and_its_primary_is_none() {
    let here = Region::of_service("eu-west-1");
    let of = |primary_region: Option<Region>| LiveSecret { primary_region, ..LiveSecret::bare("app/db") };
    assert!(!of(None).is_replica_in(&here));
    assert!(!of(Some(here.clone())).is_replica_in(&here), "a primary with replicas names itself");
    assert!(of(Some(Region::of_service("us-east-1"))).is_replica_in(&here));
}

#[test]
fn who_rotated_once_is_known_by_each_trace_alone() {
    let with = |change: &dyn Fn(&mut super::LiveRotation)| {
        let mut secret = LiveSecret::bare("app/db");
        change(&mut secret.rotation);
        (secret.is_rotated(), secret.rotation.is_off_for_deletion())
    };
    let arn = || Some(Arn::of_service("arn:aws:lambda:eu-west-1:111111111111:function:rotate"));
    assert_eq!(with(&|_| {}), (false, false));
    assert_eq!(with(&|rotation| rotation.enabled = true), (true, false));
    assert_eq!(with(&|rotation| rotation.last = Some(Timestamp::UNIX_EPOCH)), (true, false));
    assert_eq!(with(&|rotation| rotation.lambda_arn = arn()), (true, true));
    assert_eq!(with(&|rotation| rotation.external_role_arn = arn()), (true, true));
    let on = |rotation: &mut super::LiveRotation| (rotation.enabled, rotation.lambda_arn) = (true, arn());
    assert_eq!(with(&on), (true, false), "it is on");
}

#[test]
fn a_replica_that_is_being_made_is_described_again() {
    // What is remembered of a secret is what was described of it, as long as nothing goes on by itself.
    let mut secret = LiveSecret { seen: Seen::Described, ..LiveSecret::bare("app/db") };
    let replica = |status| LiveReplica { kms_key_id: None, status };
    let reader = InMemory::new([secret.clone()]);
    let asked = |secret: &LiveSecret| {
        let memory = remembered(Some(secret));
        let found = block_on(Remembering::new(&reader, &memory).describe(&name("app/db")));
        assert!(found.is_ok_and(|found| found.is_some()));
        reader.calls().len()
    };
    assert_eq!(asked(&secret), 0);
    secret.replicas.insert(Region::of_service("us-east-1"), replica(ReplicaStatus::InSync));
    assert_eq!(asked(&secret), 0);
    secret.replicas.insert(Region::of_service("us-west-2"), replica(ReplicaStatus::InProgress));
    assert_eq!(asked(&secret), 1);
    assert_eq!(asked(&LiveSecret { seen: Seen::Listed, ..LiveSecret::bare("app/db") }), 1);
}

#[test]
fn what_a_look_found_is_there_and_what_it_could_not_read_is_asked_for_again() {
    let reader = InMemory::new(["app/found", "app/denied"].map(LiveSecret::bare));
    let secrets = BTreeMap::from([(name("app/found"), LiveSecret::bare("app/found"))]);
    let denied = failed("DescribeSecret", ServiceErrorKind::AccessDenied, None);
    let unreadable = BTreeMap::from([(name("app/denied"), denied)]);
    let names = ["app/found", "app/denied", "app/gone"].map(name);
    let live = Live { secrets, unreadable, ..Live::default() };
    let memory = Memory::of(&live, &names, Timestamp::UNIX_EPOCH);
    let remembering = Remembering::new(&reader, &memory);
    let there = names.map(|name| block_on(remembering.describe(&name)).is_ok_and(|found| found.is_some()));
    assert_eq!(there, [true, true, false]);
    assert_eq!(reader.calls(), ["DescribeSecret app/denied", "DescribeSecret app/found"]);
}

#[test]
fn the_newest_changes_are_asked_for_by_the_prefixes_of_the_scope() {
    let reader = InMemory::default();
    let scope = Scope::new(["app/".to_owned(), "web/".to_owned()]);
    assert!(block_on(remembered(None).refreshed(&reader, &scope)).is_ok());
    assert_eq!(reader.calls(), ["ListSecrets app/ web/"]);
}

#[test]
fn what_is_remembered_of_a_description_has_no_policy() {
    let secret = LiveSecret { seen: Seen::Described, policy: LivePolicy::None, ..LiveSecret::bare("app/db") };
    let (reader, memory) = (InMemory::default(), remembered(Some(&secret)));
    let found = block_on(Remembering::new(&reader, &memory).describe(&name("app/db")));
    assert_eq!(found, Ok(Some(LiveSecret { policy: LivePolicy::NotRead, ..secret })));
}

#[test]
fn only_a_secret_that_is_made_finds_its_name_taken() {
    let hint = |operation| failed(operation, ServiceErrorKind::AlreadyExists, None).hint();
    assert_eq!(hint("CreateSecret"), Some(ServiceHint::NameTaken));
    assert_eq!(hint("PutSecretValue"), None);
}

/// What a plan needs to know of these names, with a policy or a link of each or not.
fn wanted<'a>(scope: &'a Scope, names: &[&str], policies: bool, linked: bool) -> Wanted<'a> {
    let names: BTreeSet<SecretName> = names.iter().copied().map(name).collect();
    let of = |asked: bool| if asked { names.clone() } else { BTreeSet::new() };
    Wanted {
        scope,
        policies: of(policies),
        replicated: BTreeSet::new(),
        linked: of(linked),
        names,
        cache: None,
        owned_by: None,
        names_only: false,
    }
}

fn looked(reader: &InMemory, wanted: &Wanted<'_>) -> Result<Live, ServiceError> {
    block_on(read(reader, &Region::of_service("eu-west-1"), wanted, &|_| {}))
}

#[test]
fn a_secret_that_cannot_be_described_is_unreadable_with_the_reason() {
    let mut reader = InMemory::new([]);
    let denied = failed("DescribeSecret", ServiceErrorKind::AccessDenied, None);
    reader.failing.insert("DescribeSecret", denied.clone());
    let scope = Scope::new(["app/".to_owned()]);
    let live = looked(&reader, &wanted(&scope, &["app/db"], false, false));
    assert_eq!(live.map(|live| live.unreadable), Ok(BTreeMap::from([(name("app/db"), denied)])));
}

#[test]
fn only_a_primary_whose_replicas_are_declared_is_described() {
    let primary =
        |text: &str| LiveSecret { primary_region: Some(Region::of_service("eu-west-1")), ..LiveSecret::bare(text) };
    let reader = InMemory::new([primary("app/a"), primary("app/b"), LiveSecret::bare("app/c")]);
    let scope = Scope::new(["app/".to_owned()]);
    let mut wanted = wanted(&scope, &["app/a", "app/b", "app/c"], false, false);
    wanted.replicated = BTreeSet::from([name("app/a"), name("app/c")]);
    assert!(looked(&reader, &wanted).is_ok());
    // The list says of the third that it has none.
    assert_eq!(reader.calls(), ["DescribeSecret app/a", "ListSecrets app/"]);
}

#[test]
fn a_policy_is_read_once_of_a_secret_that_is_listed_and_described() {
    let reader = InMemory::new([LiveSecret::bare("app/db")]);
    let scope = Scope::new(["app/".to_owned()]);
    let live = looked(&reader, &wanted(&scope, &["app/db"], true, true));
    assert_eq!(live.map(|live| live.secrets[&name("app/db")].policy.clone()), Ok(LivePolicy::None));
    assert_eq!(reader.calls(), ["DescribeSecret app/db", "GetResourcePolicy app/db", "ListSecrets app/"]);
}

#[test]
fn a_policy_of_the_cache_is_read_again_where_a_description_is_newer_than_the_list() {
    let at = |seconds| Timestamp::from_second(seconds).ok();
    let listed = LiveSecret { last_changed: at(60), policy: LivePolicy::None, ..LiveSecret::bare("app/db") };
    let now = LiveSecret {
        last_changed: at(120),
        policy: LivePolicy::Unparsable("text".to_owned()),
        ..LiveSecret::bare("app/db")
    };
    let cache = PolicyCache::default();
    cache.remember(&listed, Timestamp::from_second(3_000).unwrap_or_default());
    let scope = Scope::new(["app/".to_owned()]);
    let policy = |reader: &InMemory| {
        let wanted = Wanted { cache: Some(&cache), ..wanted(&scope, &["app/db"], true, true) };
        let live = looked(reader, &wanted).unwrap_or_default();
        let calls = reader.calls().into_iter().filter(|call| call.starts_with("GetResourcePolicy")).count();
        (live.secrets[&name("app/db")].policy.clone(), calls)
    };
    assert_eq!(policy(&InMemory::new([listed.clone()])), (LivePolicy::None, 0), "as it was");
    let mut reader = InMemory::new([now]);
    reader.lagging.insert(name("app/db"), listed);
    assert_eq!(policy(&reader), (LivePolicy::Unparsable("text".to_owned()), 1));
}

#[test]
fn what_is_owned_outside_of_the_scope_is_looked_at_again_whatever_the_list_says() {
    let owned = |text: &str, owner: &str| {
        let mut secret = LiveSecret::bare(text);
        secret.tags.insert(TagKey::of_service(OWNER_TAG), owner.to_owned());
        secret
    };
    let mut reader = InMemory::new([
        owned("app/in-scope", "shop/dev"),
        owned("old/ours", "shop/dev"),
        owned("old/theirs", "other/dev"),
        LiveSecret::bare("old/nobody's"),
    ]);
    reader.ignores_filters = true;
    let scope = Scope::new(["app/".to_owned()]);
    let live = looked(&reader, &Wanted { owned_by: Some("shop"), ..wanted(&scope, &[], false, false) });
    let outside = live.map(|live| live.owned_outside.into_iter().map(|secret| secret.name).collect::<Vec<_>>());
    assert_eq!(outside, Ok(vec![name("old/ours")]));
}
