//! Split walks against plain ones: the same secrets, whatever the service makes of filters, and never fewer.

mod calls;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use futures::executor::block_on;
use jiff::Timestamp;
use proptest::prelude::*;

use super::super::reader::{ListFilter, ListPage, PolicyVerdict, ReadSecrets, Wanted, read};
use super::super::{LivePolicy, LiveSecret, LiveValue, ServiceError, ServiceErrorKind, VersionEntry};
use super::Listing;
use super::cover::{self, Part, Piece};
use crate::desired::Scope;
use crate::domain::{Region, SecretName, VersionId};
use crate::value::SecretValue;

/// What a service makes of filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    AsDocumented,
    WithoutNegation,
    NegationIsText,
    AnyNegation,
    FirstFilter,
    LastFilter,
    FirstValue,
    LastValue,
    EachValue,
    EightValues,
    FewFilters,
    NoFilters,
    Fails,
    Unavailable,
    /// Where a filter is more than a prefix, every other secret that was made late is missing.
    LosesSome,
}

const READINGS: [Reading; 14] = [
    Reading::AsDocumented,
    Reading::WithoutNegation,
    Reading::NegationIsText,
    Reading::AnyNegation,
    Reading::FirstFilter,
    Reading::LastFilter,
    Reading::FirstValue,
    Reading::LastValue,
    Reading::EachValue,
    Reading::EightValues,
    Reading::FewFilters,
    Reading::NoFilters,
    Reading::Fails,
    Reading::Unavailable,
];

/// A service that lists names in the order of their creation.
struct Service {
    reading: Reading,
    page: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By creation.
    names: BTreeMap<usize, String>,
    lists: usize,
    describes: usize,
    /// The filter of each list.
    asked: Vec<ListFilter>,
    /// What goes wrong with the list of this number.
    faults: BTreeMap<usize, Fault>,
    /// What each description is of, where it is not of what was asked for.
    describes_as: Option<String>,
    /// When everything that is described was changed last.
    changed: Timestamp,
    /// What changes before the call of this number.
    changes: BTreeMap<usize, Vec<Change>>,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Error(ServiceErrorKind),
    /// The token that was sent comes back.
    SameToken,
}

#[derive(Clone, Debug)]
enum Change {
    Made(String),
    Gone(String),
}

impl Service {
    fn new(reading: Reading, page: usize, names: impl IntoIterator<Item = String>) -> Self {
        let names: BTreeMap<usize, String> = names.into_iter().enumerate().collect();
        Self { reading, page, state: Mutex::new(State { names, ..State::default() }) }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|_| unreachable!())
    }

    /// How often it was asked to list, and to describe.
    fn calls(&self) -> (usize, usize) {
        let state = self.state();
        (state.lists, state.describes)
    }

    fn accepts(&self, filter: &ListFilter, name: &str) -> bool {
        let begins = |text: &String| name.starts_with(text.as_str());
        let ListFilter { prefixes, without, .. } = filter;
        let any = prefixes.is_empty() || prefixes.iter().any(begins);
        let none = !without.iter().any(begins);
        match self.reading {
            Reading::AsDocumented | Reading::Fails | Reading::Unavailable => any && none,
            Reading::WithoutNegation | Reading::FirstFilter => any,
            Reading::NegationIsText => any && without.iter().all(|text| name.starts_with(&format!("!{text}"))),
            Reading::AnyNegation => any && (without.is_empty() || !without.iter().all(begins)),
            Reading::LastFilter => without.last().map_or(any, |last| !begins(last)),
            Reading::FirstValue => prefixes.first().is_none_or(begins) && none,
            Reading::LastValue => prefixes.last().is_none_or(begins) && none,
            Reading::EachValue => prefixes.iter().all(begins) && none,
            Reading::EightValues => (prefixes.is_empty() || prefixes.iter().take(8).any(begins)) && none,
            Reading::FewFilters => any && !without.iter().take(2).any(begins),
            Reading::NoFilters => true,
            Reading::LosesSome => any && none && (is_plain(filter) || !name.ends_with(['1', '3', '5', '7', '9'])),
        }
    }

    fn change(&self) {
        let mut state = self.state();
        let call = state.lists;
        for change in state.changes.remove(&call).unwrap_or_default() {
            match change {
                Change::Made(name) => {
                    let next = state.names.keys().last().map_or(0, |last| last + 1);
                    state.names.insert(next, name);
                }
                Change::Gone(name) => state.names.retain(|_, there| *there != name),
            }
        }
        state.lists += 1;
    }
}

fn is_plain(filter: &ListFilter) -> bool {
    filter.prefixes.len() <= 1 && filter.without.is_empty()
}

fn failed(kind: ServiceErrorKind) -> ServiceError {
    ServiceError { operation: "ListSecrets", kind, code: None, message: String::new(), request_id: None }
}

impl ReadSecrets for Service {
    async fn list(&self, filter: &ListFilter, next_token: Option<String>) -> Result<ListPage, ServiceError> {
        self.change();
        let fault = {
            let mut state = self.state();
            state.asked.push(filter.clone());
            let at = state.lists - 1;
            state.faults.remove(&at)
        };
        match fault {
            Some(Fault::Error(kind)) => return Err(failed(kind)),
            Some(Fault::SameToken) => return Ok(ListPage { next_token, ..ListPage::default() }),
            None => {}
        }
        match self.reading {
            Reading::Fails if !is_plain(filter) => return Err(failed(ServiceErrorKind::Rejected)),
            Reading::Unavailable if !is_plain(filter) => return Err(failed(ServiceErrorKind::Service)),
            _ => {}
        }
        let after = next_token.and_then(|token| token.parse::<usize>().ok());
        let state = self.state();
        let rest = state.names.range(after.map_or(0, |after| after + 1)..);
        let mut page = rest.filter(|(_, name)| self.accepts(filter, name.as_str()));
        let secrets: Vec<(&usize, &String)> = page.by_ref().take(self.page).collect();
        let more = page.next().is_some();
        Ok(ListPage {
            next_token: secrets.last().filter(|_| more).map(|(at, _)| at.to_string()),
            secrets: secrets.into_iter().map(|(_, name)| LiveSecret::bare(name)).collect(),
        })
    }

    async fn describe(&self, name: &SecretName) -> Result<Option<LiveSecret>, ServiceError> {
        let mut state = self.state();
        state.describes += 1;
        let described = state.describes_as.as_deref().unwrap_or(name.as_str());
        let secret = LiveSecret { last_changed: Some(state.changed), ..LiveSecret::bare(described) };
        Ok(state.names.values().any(|there| there == name.as_str()).then_some(secret))
    }

    async fn describe_in_region(&self, _: &Region, _: &SecretName) -> Result<Option<LiveSecret>, ServiceError> {
        unreachable!("only the list is read")
    }

    async fn policy(&self, _: &SecretName) -> Result<Option<LivePolicy>, ServiceError> {
        unreachable!("only the list is read")
    }

    async fn policy_names(&self, _: &SecretName) -> Result<Option<Vec<String>>, ServiceError> {
        unreachable!("the names of policies are not listed here")
    }

    async fn validate_policy(&self, _: Option<&str>, _: &str) -> PolicyVerdict {
        unreachable!("only the list is read")
    }

    fn service_time(&self) -> Option<Timestamp> {
        Timestamp::from_second(3_600).ok()
    }

    async fn versions(&self, _: &SecretName) -> Result<Option<Vec<VersionEntry>>, ServiceError> {
        unreachable!("only the list is read")
    }

    async fn value(&self, _: &SecretName, _: &VersionId) -> Result<Option<SecretValue>, ServiceError> {
        unreachable!("only the list is read")
    }

    async fn values(
        &self,
        _: &[SecretName],
    ) -> Result<BTreeMap<SecretName, Result<LiveValue, ServiceError>>, ServiceError> {
        unreachable!("only the list is read")
    }
}

/// What a walk of a prefix found, and whether its parts' answer counts.
fn walked(service: &Service, prefix: &str, known: &BTreeSet<&str>) -> (BTreeSet<String>, bool) {
    let listing = Listing::new(service, &|_| {}, &|_| {});
    let walked = block_on(super::parts::walk(&listing, prefix, known)).unwrap_or_else(|error| unreachable!("{error}"));
    let names = walked.secrets.into_keys().map(|name| name.as_str().to_owned());
    (names.filter(|name| name.starts_with(prefix)).collect(), walked.in_parts)
}

/// So many names as the benchmark's: twenty to a team.
fn teams(size: usize) -> Vec<String> {
    (0..size).map(|n| format!("dev/bench/team_{:06}/secret_{n:06}", n / 20 * 20)).collect()
}

fn set(names: &[String]) -> BTreeSet<&str> {
    names.iter().map(String::as_str).collect()
}

fn owned(names: &[String]) -> BTreeSet<String> {
    names.iter().cloned().collect()
}

#[test]
fn one_page_is_one_call() {
    let names = teams(100);
    let service = Service::new(Reading::AsDocumented, 100, names.clone());
    assert_eq!(walked(&service, "dev/bench/", &set(&names)), (owned(&names), false));
    assert_eq!(service.calls(), (1, 0));
}

#[test]
fn a_few_pages_are_walked_plainly() {
    let names = teams(500);
    let service = Service::new(Reading::AsDocumented, 100, names.clone());
    assert_eq!(walked(&service, "dev/bench/", &set(&names)), (owned(&names), false));
    assert_eq!(service.calls().0, 5);
}

#[test]
fn what_nobody_knows_is_split_when_it_turns_out_long() {
    let names: Vec<String> = (0..10_000).map(|n| format!("dev/{:05}", n * 7_919 % 10_000)).collect();
    let service = Service::new(Reading::AsDocumented, 100, names.clone());
    let (found, in_parts) = walked(&service, "dev/", &BTreeSet::new());
    assert!(in_parts && found == owned(&names));
    let (lists, _) = service.calls();
    assert!(lists <= 130, "{lists}");
}

#[test]
fn a_group_that_turns_out_long_is_split_again() {
    let mut names: Vec<String> = (0..1_000).map(|n| format!("dev/{}/{:03}", n % 10, n / 10)).collect();
    let known = names.clone();
    names.extend((0..6_000).map(|n| format!("dev/3/other-{:05}", n * 7_919 % 6_000)));
    let service = Service::new(Reading::AsDocumented, 100, names.clone());
    let (found, in_parts) = walked(&service, "dev/", &set(&known));
    assert!(in_parts && found == owned(&names));
    let (lists, _) = service.calls();
    assert!((70..=110).contains(&lists), "{lists}");
}

#[test]
fn manifests_whose_secrets_are_not_there_cost_no_call() {
    let service = Service::new(Reading::AsDocumented, 100, teams(7));
    let known = teams(10_000);
    assert_eq!(walked(&service, "dev/", &set(&known)), (owned(&teams(7)), false));
    assert_eq!(service.calls().0, 1);
}

#[test]
fn a_service_that_treats_filters_otherwise_gets_the_plain_walk() {
    // Nothing lies where no manifest is, but for one secret that is listed last.
    let mut names = teams(3_000);
    let known = names.clone();
    names.push("dev/bench/old".to_owned());
    names.push("dev/bench/team_00".to_owned());
    names.push("dev/other".to_owned());
    names.push("elsewhere/x".to_owned());
    let within: BTreeSet<String> = names.iter().filter(|name| name.starts_with("dev/")).cloned().collect();
    for reading in READINGS {
        let service = Service::new(reading, 100, names.clone());
        let (found, in_parts) = walked(&service, "dev/", &set(&known));
        assert_eq!(found, within, "{reading:?}");
        // A part may have fewer values than that.
        let may_split = matches!(reading, Reading::AsDocumented | Reading::EightValues);
        assert!(!in_parts || may_split, "{reading:?}");
        assert!(service.calls().0 <= 90, "{reading:?}");
    }
}

#[test]
fn a_split_list_that_lacks_what_a_manifest_names_and_is_there_is_walked_plainly() {
    // What is listed first has an even number, so that only manifests show what is missing.
    let numbers = (0..1_500).map(|n| n * 2).chain((0..1_500).map(|n| n * 2 + 1));
    let names: Vec<String> = numbers.map(|n| format!("dev/{n:05}")).collect();
    let wanted: BTreeSet<SecretName> = names.iter().take(2_000).map(SecretName::new).collect();
    let scope = Scope::new(["dev/".to_owned()]);
    let wanted = Wanted {
        scope: &scope,
        names: wanted,
        policies: BTreeSet::new(),
        replicated: BTreeSet::new(),
        linked: BTreeSet::new(),
        cache: None,
        owned_by: None,
        names_only: false,
    };
    let service = Service::new(Reading::LosesSome, 100, names.clone());
    let live = block_on(read(&service, &Region::of_service("eu-west-1"), &wanted, &|_| {}));
    let live = live.unwrap_or_else(|error| unreachable!("{error}"));
    assert_eq!(live.secrets.len(), names.len(), "those that no manifest names too");
}

#[test]
fn names_with_characters_that_no_filter_takes_are_found() {
    let mut names = teams(3_000);
    let known = names.clone();
    names.push("dev/bench/team_00\u{e9}".to_owned());
    names.push("dev/\u{43a}".to_owned());
    let service = Service::new(Reading::AsDocumented, 100, names.clone());
    let (found, _) = walked(&service, "dev/", &set(&known));
    assert_eq!(found, owned(&names));
}

#[test]
fn what_cannot_be_asked_for_is_not_split() {
    for prefix in ["!dev/", "d\u{e9}v/", ""] {
        let names: Vec<String> = (0..2_000).map(|n| format!("{prefix}{n:04}")).collect();
        let service = Service::new(Reading::NoFilters, 100, names.clone());
        assert_eq!(walked(&service, prefix, &set(&names)), (owned(&names), false));
        assert_eq!(service.calls().0, 20);
    }
}

#[test]
fn a_list_without_end_ends_with_an_error() {
    let names: Vec<String> = (0..10_100).map(|n| format!("dev/{n:05}")).collect();
    let service = Service::new(Reading::AsDocumented, 1, names.clone());
    let listing = Listing::new(&service, &|_| {}, &|_| {});
    let walked = block_on(super::parts::walk(&listing, "dev/", &set(&names)));
    assert!(walked.is_err() && service.calls().0 <= 10_002);
}

/// Names that share beginnings of all lengths.
fn names() -> impl Strategy<Value = BTreeSet<String>> {
    let piece = prop_oneof![
        4 => "[ab0-9]",
        2 => "team_[0-3]",
        1 => "[a-zA-Z0-9/_+=.@!-]",
        1 => Just("long/".repeat(30)),
    ];
    prop::collection::btree_set(
        prop::collection::vec(piece, 0..6).prop_map(|pieces| format!("p/{}", pieces.concat())),
        0..400,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_name_falls_into_one_part(
        names in names(),
        others in prop::collection::vec("p/[ab0-9/]{0,4}[ -~\u{e9}]{0,3}", 0..60),
        pages in 2_usize..200,
    ) {
        let known: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        let Some(sure) = known.first() else { return Ok(()) };
        let Some(cover) = cover::split(&[Piece::whole("p/")], &known, sure, pages) else { return Ok(()) };
        let others = others.iter().map(String::as_str).filter(|name| cover::can_be_sent(name));
        let all = known.iter().copied().chain(others);
        let service = Service::new(Reading::AsDocumented, 1, []);
        for name in all {
            let by_part = cover.parts.iter().filter(|part| part.contains(name)).count();
            let by_filter = cover.parts.iter().filter(|part| service.accepts(&part.filter(), name)).count();
            let exact = cover.exact.iter().filter(|exact| exact.as_str() == name).count();
            prop_assert_eq!((by_part + exact, by_filter + exact), (1, 1), "{}", name);
        }
        for part in &cover.parts {
            let ListFilter { prefixes, without, tag, newest_first: _ } = part.filter();
            prop_assert!((1..=10).contains(&prefixes.len()) && without.len() <= 9 && tag.is_none());
            prop_assert!(prefixes.iter().all(|text| text.len() <= 512) && without.iter().all(|text| text.len() <= 511));
        }
        prop_assert!(cover.parts.len() <= 60, "{}", cover.parts.len());
    }

    #[test]
    fn a_split_walk_finds_what_a_plain_one_does(
        names in names(),
        known in names(),
        shuffle in any::<u64>(),
        page in 1_usize..40,
        reading in prop::sample::select(READINGS.to_vec()),
        prefix in prop::sample::select(vec!["p/", "p/team_", "p/a", "p/long/long/"]),
    ) {
        let mut order: Vec<String> = names.iter().cloned().collect();
        order.sort_by_key(|name| {
            use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
            BuildHasherDefault::<DefaultHasher>::default().hash_one((shuffle, name))
        });
        // What manifests name is there for the most part.
        let known: BTreeSet<&str> = known.iter().take(known.len() / 4).chain(&names).map(String::as_str).collect();
        let service = Service::new(reading, page, order);
        let plain: BTreeSet<String> = names.iter().filter(|name| name.starts_with(prefix)).cloned().collect();
        let (found, _) = walked(&service, prefix, &known);
        prop_assert_eq!(found, plain);
    }

    #[test]
    fn what_stays_is_found_whatever_changes_meanwhile(
        names in names(),
        made in prop::collection::vec((0_usize..60, "p/[ab0-9]{1,3}x"), 0..20),
        gone in prop::collection::vec((0_usize..60, any::<prop::sample::Index>()), 0..20),
        page in 1_usize..40,
    ) {
        let order: Vec<String> = names.iter().cloned().collect();
        let mut changes: BTreeMap<usize, Vec<Change>> = BTreeMap::new();
        let mut all: BTreeSet<String> = names.clone();
        let mut stay: BTreeSet<String> = names.clone();
        for (at, name) in made {
            all.insert(name.clone());
            changes.entry(at).or_default().push(Change::Made(name));
        }
        for (at, index) in gone {
            if order.is_empty() {
                continue;
            }
            let name = index.get(&order).clone();
            stay.remove(&name);
            changes.entry(at).or_default().push(Change::Gone(name));
        }
        let known: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        let service = Service::new(Reading::AsDocumented, page, order);
        service.state().changes = changes;
        let (found, _) = walked(&service, "p/", &known);
        prop_assert!(stay.is_subset(&found) && found.is_subset(&all));
    }
}
