//! What a look at the newest changes sees, and when it is no use.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use futures::executor::block_on;
use jiff::{SignedDuration, Timestamp};

use super::super::reader::{ListFilter, ListPage, PolicyVerdict, ReadSecrets, Wanted, read};
use super::super::{
    Live, LivePolicy, LiveReplica, LiveSecret, LiveValue, ReplicaStatus, Seen, ServiceError, VersionEntry,
};
use super::{Memory, Met, Remembering};
use crate::desired::Scope;
use crate::domain::{Region, SecretName, VersionId};
use crate::value::SecretValue;

/// A service with a clock, and the calls that it had.
struct Service {
    now: Mutex<Timestamp>,
    secrets: Mutex<BTreeMap<String, (Timestamp, u32)>>,
    calls: Mutex<BTreeMap<&'static str, usize>>,
    sorts: bool,
}

impl Service {
    fn new(size: usize, sorts: bool) -> Self {
        let made = |n: usize| Timestamp::from_second(1_000_000 + i64::try_from(n).unwrap_or_default());
        let secrets = (0..size).map(|n| (format!("dev/{n:05}"), (made(n).unwrap_or_default(), 0)));
        let now = Mutex::new(Timestamp::from_second(2_000_000).unwrap_or_default());
        Self { now, secrets: Mutex::new(secrets.collect()), calls: Mutex::default(), sorts }
    }

    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap_or_else(|_| unreachable!())
    }

    fn wait(&self, seconds: i64) {
        let now = self.now() + SignedDuration::from_secs(seconds);
        *self.now.lock().unwrap_or_else(|_| unreachable!()) = now;
    }

    fn secrets(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, (Timestamp, u32)>> {
        self.secrets.lock().unwrap_or_else(|_| unreachable!())
    }

    fn change(&self, name: &str, seen_as_of: Timestamp) {
        let mut secrets = self.secrets();
        let secret = secrets.entry(name.to_owned()).or_insert((seen_as_of, 0));
        *secret = (seen_as_of, secret.1 + 1);
    }

    fn count(&self, operation: &'static str) {
        *self.calls.lock().unwrap_or_else(|_| unreachable!()).entry(operation).or_default() += 1;
    }

    /// The calls since it was asked last.
    fn calls(&self) -> BTreeMap<&'static str, usize> {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(|_| unreachable!()))
    }
}

fn secret(name: &str, (changed, state): (Timestamp, u32)) -> LiveSecret {
    LiveSecret { last_changed: Some(changed), description: Some(state.to_string()), ..LiveSecret::bare(name) }
}

impl ReadSecrets for Service {
    async fn list(&self, filter: &ListFilter, next_token: Option<String>) -> Result<ListPage, ServiceError> {
        self.count("ListSecrets");
        let secrets = self.secrets();
        let mut all: Vec<LiveSecret> = secrets.iter().map(|(name, state)| secret(name, *state)).collect();
        if self.sorts && filter.newest_first {
            all.sort_by_key(|secret| std::cmp::Reverse(secret.last_changed));
        }
        let at: usize = next_token.and_then(|token| token.parse().ok()).unwrap_or_default();
        let more = at + 100 < all.len();
        let page = all.into_iter().skip(at).take(100).collect();
        Ok(ListPage { secrets: page, next_token: more.then(|| (at + 100).to_string()) })
    }

    async fn describe(&self, name: &SecretName) -> Result<Option<LiveSecret>, ServiceError> {
        self.count("DescribeSecret");
        let found = self.secrets().get(name.as_str()).copied();
        Ok(found.map(|state| LiveSecret { seen: Seen::Described, ..secret(name.as_str(), state) }))
    }

    async fn describe_in_region(&self, _: &Region, _: &SecretName) -> Result<Option<LiveSecret>, ServiceError> {
        unreachable!("no replica is looked for")
    }

    async fn policy(&self, _: &SecretName) -> Result<Option<LivePolicy>, ServiceError> {
        self.count("GetResourcePolicy");
        Ok(Some(LivePolicy::None))
    }

    async fn policy_names(&self, _: &SecretName) -> Result<Option<Vec<String>>, ServiceError> {
        unreachable!("the names of policies are not listed here")
    }

    async fn validate_policy(&self, _: Option<&str>, _: &str) -> PolicyVerdict {
        unreachable!("no policy is validated")
    }

    fn service_time(&self) -> Option<Timestamp> {
        Some(self.now())
    }

    async fn versions(&self, _: &SecretName) -> Result<Option<Vec<VersionEntry>>, ServiceError> {
        unreachable!("no version is looked at")
    }

    async fn value(&self, _: &SecretName, _: &VersionId) -> Result<Option<SecretValue>, ServiceError> {
        unreachable!("no value is read")
    }

    async fn values(
        &self,
        _: &[SecretName],
    ) -> Result<BTreeMap<SecretName, Result<LiveValue, ServiceError>>, ServiceError> {
        unreachable!("no value is read")
    }
}

fn scope() -> Scope {
    Scope::new(["dev/".to_owned()])
}

fn looked<R: ReadSecrets>(reader: &R, declared: usize) -> Live {
    let scope = scope();
    let names: BTreeSet<SecretName> = (0..declared).map(|n| SecretName::new(format!("dev/{n:05}"))).collect();
    let wanted = Wanted {
        scope: &scope,
        policies: names.clone(),
        names,
        replicated: BTreeSet::new(),
        linked: BTreeSet::new(),
        cache: None,
        owned_by: Some("shop"),
        names_only: false,
    };
    block_on(read(reader, &Region::of_service("eu-west-1"), &wanted, &|_| {}))
        .unwrap_or_else(|error| unreachable!("{error}"))
}

fn remembered(service: &Service, declared: usize) -> Memory {
    let begun = service.now();
    let live = looked(service, declared);
    let names: Vec<SecretName> = (0..declared).map(|n| SecretName::new(format!("dev/{n:05}"))).collect();
    Memory::of(&live, &names, begun)
}

fn refreshed(memory: Memory, service: &Service) -> Option<Memory> {
    block_on(memory.refreshed(service, &scope())).unwrap_or_else(|error| unreachable!("{error}"))
}

/// A look at what changed: what it leads to.
fn light(memory: Memory, service: &Service, declared: usize) -> (Memory, Live) {
    let begun = service.now();
    let Some(memory) = refreshed(memory, service) else { unreachable!("the service sorts") };
    let live = looked(&Remembering::new(service, &memory), declared);
    let names: Vec<SecretName> = (0..declared).map(|n| SecretName::new(format!("dev/{n:05}"))).collect();
    (Memory::of(&live, &names, begun), live)
}

#[test]
fn an_hour_of_ten_second_rounds_is_one_call_a_round_and_memory_stays_flat() {
    let service = Service::new(10_000, true);
    let mut memory = remembered(&service, 0);
    service.calls();
    let rounds = 359;
    for round in 0..rounds {
        service.wait(10);
        if round % 60 == 0 {
            service.change(&format!("dev/{round:05}"), service.now());
        }
        let now = service.now();
        memory = refreshed(memory, &service).unwrap_or_else(|| unreachable!("the service sorts"));
        memory.looked = now;
        assert_eq!(memory.secrets.len(), 10_000);
    }
    let calls: usize = service.calls().values().sum();
    assert!(calls * 10 <= rounds * 12, "{calls} calls in {rounds} rounds");
    let changed = memory.secrets.values().filter(|secret| secret.description.as_deref() == Some("1")).count();
    assert_eq!(changed, 6, "each change was seen");
}

#[test]
fn what_changed_is_looked_at_closer_and_nothing_else_is() {
    let service = Service::new(300, true);
    let memory = remembered(&service, 310);
    let full = service.calls();
    assert_eq!((full["GetResourcePolicy"], full["DescribeSecret"]), (300, 10), "ten do not exist");
    service.wait(10);
    let (memory, live) = light(memory, &service, 310);
    assert_eq!(live.secrets.len(), 300);
    assert_eq!(service.calls(), BTreeMap::from([("ListSecrets", 1)]));
    service.wait(10);
    service.change("dev/00007", service.now());
    service.change("dev/00303", service.now());
    let (memory, live) = light(memory, &service, 310);
    assert_eq!(live.secrets[&SecretName::new("dev/00007")].description.as_deref(), Some("1"));
    assert!(live.secrets.contains_key("dev/00303"), "made by hand");
    assert_eq!(service.calls(), BTreeMap::from([("ListSecrets", 1), ("GetResourcePolicy", 2)]));
    let (_, _) = light(memory, &service, 310);
    assert_eq!(service.calls(), BTreeMap::from([("ListSecrets", 1)]), "known by now");
}

#[test]
fn a_change_that_the_list_showed_late_is_found() {
    let service = Service::new(300, true);
    let mut memory = remembered(&service, 0);
    for _ in 0..30 {
        service.wait(10);
        // Another one is shown at once.
        service.change("dev/00001", service.now());
        (memory, _) = light(memory, &service, 0);
    }
    service.change("dev/00002", service.now() - SignedDuration::from_secs(290));
    let (_, live) = light(memory, &service, 0);
    assert_eq!(live.secrets[&SecretName::new("dev/00002")].description.as_deref(), Some("1"));
}

#[test]
fn a_list_that_is_not_sorted_is_read_in_full() {
    let service = Service::new(300, false);
    let memory = remembered(&service, 0);
    assert!(refreshed(memory, &service).is_none());
}

#[test]
fn what_was_newest_and_is_gone_leads_to_a_full_look() {
    let service = Service::new(300, true);
    let memory = remembered(&service, 0);
    service.wait(10);
    service.secrets().remove("dev/00299");
    assert!(refreshed(memory, &service).is_none());
}

#[test]
fn a_deletion_by_force_behind_the_first_page_waits_for_the_full_look() {
    let service = Service::new(300, true);
    let memory = remembered(&service, 0);
    service.wait(10);
    service.secrets().remove("dev/00000");
    let (_, live) = light(memory, &service, 0);
    assert_eq!(live.secrets.len(), 300, "it is not looked for");
    let small = Service::new(50, true);
    let memory = remembered(&small, 0);
    small.secrets().remove("dev/00000");
    let (_, live) = light(memory, &small, 0);
    assert_eq!(live.secrets.len(), 49, "a list that was read to its end says what is gone");
}

/// A memory of secrets with these dates, in seconds, of a look that began at `looked`.
fn memory(secrets: &[(&str, i64)], looked: i64) -> Memory {
    let time = |seconds| Timestamp::from_second(seconds).unwrap_or_default();
    let secrets = secrets.iter().map(|(name, changed)| (SecretName::new(*name), secret(name, (time(*changed), 0))));
    Memory::of(&Live { secrets: secrets.collect(), ..Live::default() }, [], time(looked))
}

#[test]
fn the_newest_changes_are_read_back_to_ten_minutes_before_the_last_look() {
    // The first page ends at 1,000,200.
    for (looked, lists) in [(1_000_200 + 600, 2), (1_000_201 + 600, 1)] {
        let service = Service::new(300, true);
        *service.now.lock().unwrap_or_else(|_| unreachable!()) = Timestamp::from_second(looked).unwrap_or_default();
        let memory = remembered(&service, 0);
        service.calls();
        assert!(refreshed(memory, &service).is_some());
        assert_eq!(service.calls(), BTreeMap::from([("ListSecrets", lists)]));
    }
}

#[test]
fn what_the_list_does_not_show_stays_as_it_is_known() {
    let known = LiveSecret {
        replicas: BTreeMap::from([(
            Region::of_service("us-east-1"),
            LiveReplica { kms_key_id: None, status: ReplicaStatus::InSync },
        )]),
        policy: LivePolicy::None,
        seen: Seen::Described,
        ..secret("dev/db", (Timestamp::UNIX_EPOCH, 0))
    };
    let listed = secret("dev/db", (Timestamp::UNIX_EPOCH, 0));
    let secrets = BTreeMap::from([(known.name.clone(), known.clone())]);
    let mut memory = Memory::of(&Live { secrets, ..Live::default() }, [], Timestamp::UNIX_EPOCH);
    memory.take(listed.clone());
    assert_eq!(memory.secrets[&known.name], known);
    let changed = LiveSecret { description: Some("other".to_owned()), ..listed };
    memory.take(changed.clone());
    assert_eq!(memory.secrets[&known.name], changed);
}

#[test]
fn what_a_whole_list_lacks_is_gone_unless_it_is_so_young_that_the_list_may_lag() {
    let mut memory = memory(&[("dev/old", 399), ("dev/young", 400), ("other/x", 1)], 1_000);
    assert!(memory.fits(&["dev/".to_owned()], &Met { names: BTreeSet::new(), back_to: None }));
    let left: Vec<&str> = memory.secrets.keys().map(SecretName::as_str).collect();
    assert_eq!(left, ["dev/young", "other/x"]);
}

#[test]
fn a_sorted_list_has_shown_what_is_newer_than_where_it_was_left() {
    let fits = |changed: i64, met: &[&str]| {
        let names = met.iter().map(|name| SecretName::new(*name)).collect();
        let back_to = Timestamp::from_second(300).ok();
        memory(&[("dev/db", changed)], 1_000).fits(&["dev/".to_owned()], &Met { names, back_to })
    };
    assert!(fits(300, &[]), "it may be on the next page");
    assert!(!fits(301, &[]), "it is gone");
    assert!(fits(301, &["dev/db"]));
    assert!(fits(400, &[]), "so young that the list may lag");
}

#[test]
fn what_is_remembered_is_listed_by_prefixes_and_without_what_is_left_out() {
    let memory = memory(&[("dev/a/1", 1), ("dev/b/1", 1), ("other/x", 1)], 1_000);
    let service = Service::new(0, true);
    let remembering = Remembering::new(&service, &memory);
    let listed = |prefixes: &[&str], without: &[&str]| {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let filter = ListFilter { prefixes: texts(prefixes), without: texts(without), ..ListFilter::default() };
        let page = block_on(remembering.list(&filter, None)).unwrap_or_default();
        page.secrets.iter().map(|secret| secret.name.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed(&[], &[]), ["dev/a/1", "dev/b/1", "other/x"]);
    assert_eq!(listed(&["dev/"], &[]), ["dev/a/1", "dev/b/1"]);
    assert_eq!(listed(&["dev/"], &["dev/b"]), ["dev/a/1"]);
    assert_eq!(service.calls(), BTreeMap::new());
}
