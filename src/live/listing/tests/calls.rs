//! Which calls a walk makes, and when it is split: speed is promised, so calls are counted.

use super::super::super::reader::ReadProgress;
use super::*;

/// The filters that were asked for, each with its calls, in the order of their first calls.
fn walks(service: &Service) -> Vec<(ListFilter, usize)> {
    let mut walks: Vec<(ListFilter, usize)> = Vec::new();
    for filter in &service.state().asked {
        match walks.iter_mut().find(|(known, _)| known == filter) {
            Some((_, calls)) => *calls += 1,
            None => walks.push((filter.clone(), 1)),
        }
    }
    walks
}

/// How many calls the walk over everything made before its parts began, and how many parts there were in all.
fn plain_and_parts(service: &Service) -> (usize, usize) {
    let walks = walks(service);
    assert_eq!(walks[0].0, ListFilter::prefix("dev/"), "the prefix is asked for first");
    (walks[0].1, walks.len() - 1)
}

/// Names that come in no order of theirs: `size` is no multiple of 7,919.
fn shuffled(group: &str, size: usize) -> Vec<String> {
    (0..size).map(|n| format!("dev/{group}{:05}", n * 7_919 % size)).collect()
}

fn service(names: &[String]) -> Service {
    Service::new(Reading::AsDocumented, 100, names.to_vec())
}

/// Walks `dev/` and says what was found, and whether it was in parts.
fn listed(service: &Service, known: &[String]) -> Result<(BTreeSet<String>, bool), ServiceError> {
    let listing = Listing::new(service, &|_| {}, &|_| {});
    let walked = block_on(super::super::parts::walk(&listing, "dev/", &set(known)))?;
    let names = walked.secrets.into_keys().map(|name| name.as_str().to_owned()).collect();
    Ok((names, walked.in_parts))
}

fn all(names: &[String], in_parts: bool) -> (BTreeSet<String>, bool) {
    (owned(names), in_parts)
}

/// How many secrets a walk tells its progress line of.
fn told(service: &Service, known: &[String]) -> usize {
    let told = Mutex::new(0);
    let progress = |progress| {
        if let ReadProgress::Listed(more) = progress {
            *told.lock().unwrap_or_else(|_| unreachable!()) += more;
        }
    };
    let listing = Listing::new(service, &progress, &|_| {});
    assert!(block_on(super::super::parts::walk(&listing, "dev/", &set(known))).is_ok());
    told.into_inner().unwrap_or_else(|_| unreachable!())
}

#[test]
fn each_secret_is_told_once_to_the_progress_line_and_once_more_where_a_part_of_the_list_was_no_use() {
    let names = shuffled("", 1_000);
    assert_eq!(told(&service(&names), &[]), 1_000, "one page after the other");
    assert_eq!(told(&service(&names), &names), 1_000, "in parts");
    let parts = service(&names);
    parts.state().faults.insert(2, Fault::Error(ServiceErrorKind::Rejected));
    // The first page, a page of a part, and what the first page lacks.
    let listed_by_a_part = told(&parts, &names) - 1_000;
    assert!((1..=100).contains(&listed_by_a_part), "{listed_by_a_part}");
}

#[test]
fn six_pages_that_are_expected_are_split_after_the_first() {
    for (expected, found) in [(599, (6, 0)), (600, (1, 2))] {
        let names = shuffled("", 600);
        let service = service(&names);
        assert_eq!(listed(&service, &names[..expected]), Ok(all(&names, expected == 600)));
        assert_eq!(plain_and_parts(&service), found, "{expected}");
    }
}

#[test]
fn a_list_that_nobody_knows_is_split_after_eight_pages_and_as_much_again_is_expected() {
    let names = shuffled("", 10_000);
    let service = service(&names);
    assert_eq!(listed(&service, &[]), Ok(all(&names, true)));
    // Sixteen pages are five parts; none of them is split before its 32nd page.
    let (plain, parts) = plain_and_parts(&service);
    assert_eq!((plain, parts), (8, 5), "{:?}", walks(&service));
}

#[test]
fn a_list_that_is_longer_than_expected_is_split_after_twice_as_many_pages_and_two() {
    let names = shuffled("", 3_000);
    let service = service(&names);
    assert_eq!(listed(&service, &names[..500]), Ok(all(&names, true)));
    // Five pages were expected, or six with those of the first page that no manifest names.
    assert_eq!(plain_and_parts(&service).0, 12);
}

#[test]
fn a_walk_that_cannot_be_split_is_not_tried_again_before_four_times_as_many_pages() {
    // The name that all begin with is the first, so it lies between the parts of every next character. Thirteen groups
    // are too many to be cut out of one piece until one of them is most of the list, after forty pages.
    let group = |n: usize| if n < 799 { char::from(b'a' + u8::try_from(n % 13).unwrap_or_default()) } else { 'a' };
    let rest = (0..14_000).map(|n| format!("dev/{}{n:05}", group(n)));
    let names: Vec<String> = std::iter::once("dev/".to_owned()).chain(rest).collect();
    let service = service(&names);
    assert_eq!(listed(&service, &[]), Ok(all(&names, true)));
    assert_eq!(plain_and_parts(&service).0, 128);
}

#[test]
fn nothing_is_split_while_nine_walks_are_under_way() {
    // So many parts, each expected to have three pages and found to have twenty more.
    let again = |parts: usize| {
        let group = |n: usize| char::from(b'a' + u8::try_from(n % parts).unwrap_or_default());
        let known: Vec<String> = (0..parts * 300).map(|n| format!("dev/{}{:05}", group(n), n / parts)).collect();
        let others = (0..parts * 2_000).map(|n| format!("dev/{}x{:05}", group(n), n / parts));
        let names: Vec<String> = known.iter().cloned().chain(others).collect();
        let service = service(&names);
        assert_eq!(listed(&service, &known), Ok(all(&names, true)));
        let (plain, walked) = plain_and_parts(&service);
        assert_eq!(plain, 1);
        walked - parts
    };
    assert_eq!(again(9), 0);
    assert!(again(8) > 0);
}

#[test]
fn a_failure_that_every_call_would_meet_ends_the_walk_and_one_of_filters_leads_to_the_plain_one() {
    let names = shuffled("", 1_000);
    let with = |call: usize, kind: ServiceErrorKind| {
        let service = service(&names);
        service.state().faults.insert(call, Fault::Error(kind));
        (listed(&service, &names), service.calls().0)
    };
    for kind in [ServiceErrorKind::AccessDenied, ServiceErrorKind::Credentials, ServiceErrorKind::Unreachable] {
        assert_eq!(with(2, kind).0, Err(failed(kind)), "a part");
    }
    for kind in [ServiceErrorKind::Rejected, ServiceErrorKind::Service] {
        assert_eq!(with(0, kind), (Err(failed(kind)), 1), "the first call, which has no more than a prefix");
        assert_eq!(with(2, kind).0, Ok(all(&names, false)), "a part");
    }
}

#[test]
fn a_token_that_comes_twice_is_an_error_of_the_list_and_no_use_in_a_part() {
    let names = shuffled("", 1_000);
    let plain = service(&names);
    plain.state().faults.insert(1, Fault::SameToken);
    assert!(listed(&plain, &[]).is_err(), "the list itself has no end");
    let parts = service(&names);
    // The parts are begun with three calls.
    parts.state().faults.insert(4, Fault::SameToken);
    assert_eq!(listed(&parts, &names), Ok(all(&names, false)));
}

#[test]
fn a_description_of_another_name_is_not_believed() {
    let group = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap_or_default());
    let names: Vec<String> = (0..1_300).map(|n| format!("dev/{}{:05}", group(n), n / 26)).collect();
    let right = service(&names);
    assert_eq!(listed(&right, &names), Ok(all(&names, true)));
    assert_eq!(right.calls().1, 1, "the name that all others begin with is described");
    let there: Vec<String> = names.iter().cloned().chain(["dev/".to_owned()]).collect();
    let right = service(&there);
    assert_eq!(listed(&right, &names), Ok((owned(&there), true)));
    let wrong = service(&there);
    wrong.state().describes_as = Some("dev/other".to_owned());
    assert_eq!(listed(&wrong, &names), Ok(all(&there, false)));
}

#[test]
fn what_was_listed_before_a_split_is_not_lost_when_the_parts_are_no_use() {
    let names = shuffled("", 3_000);
    let service = service(&names);
    // After eight pages it is split; the second call of the parts fails.
    service.state().faults.insert(9, Fault::Error(ServiceErrorKind::Rejected));
    assert_eq!(listed(&service, &[]), Ok((owned(&names), false)));
    let plain = walks(&service)[0].1;
    assert_eq!(plain, 30, "no page is read twice");
}

/// How many calls a split walk of these names makes, all told, and how many pages its longest part has.
fn calls(names: &[String], known: &BTreeSet<&str>) -> (usize, usize) {
    let service = Service::new(Reading::AsDocumented, 100, names.to_vec());
    let (found, in_parts) = walked(&service, "dev/", known);
    assert!(in_parts && found == owned(names));
    let first: Vec<&str> = names.iter().take(100).map(String::as_str).collect();
    let known = known.iter().copied().chain(first.iter().copied()).collect();
    let cover = cover::split(&[Piece::whole("dev/")], &known, first[0], known.len() / 100).unwrap_or_default();
    let longest = |part: &Part| names.iter().filter(|name| part.contains(name)).count().div_ceil(100);
    let longest = cover.parts.iter().map(longest).max().unwrap_or_default();
    let (lists, describes) = service.calls();
    (lists + describes, longest)
}

#[test]
fn ten_thousand_secrets_are_a_hundred_and_twenty_five_calls_in_a_tenth_of_the_rounds() {
    let hashed = |n: usize| {
        use sha2::Digest as _;
        hex::encode(sha2::Sha256::digest(n.to_string()))
    };
    let letters = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap_or_default());
    let shapes: [(&str, Vec<String>); 6] = [
        ("numbered", teams(10_000)),
        ("hexadecimal", (0..10_000).map(|n| format!("dev/{}", hashed(n))).collect()),
        ("by letter", (0..10_000).map(|n| format!("dev/{}{}/{n}", letters(n), letters(n * 7))).collect()),
        ("one long prefix", (0..10_000).map(|n| format!("dev/{}/{n:05}", "a/very-long-path/".repeat(20))).collect()),
        ("one giant group", (0..10_000).map(|n| format!("dev/{}{n:05}", if n < 50 { "b/" } else { "a/" })).collect()),
        ("two levels", (0..10_000).map(|n| format!("dev/app{}/{}", n % 7, hashed(n))).collect()),
    ];
    for (shape, names) in shapes {
        let (calls, longest) = calls(&names, &set(&names));
        assert!(calls <= 125 && longest <= 10, "{shape}: {calls} calls, {longest} rounds");
    }
}

#[test]
fn fifty_thousand_secrets_are_few_more_calls_than_pages() {
    let names = teams(50_000);
    let (calls, longest) = calls(&names, &set(&names));
    assert!(calls <= 530 && longest <= 50, "{calls} calls, {longest} rounds");
}

/// What manifests name, of which so many have a link to another account.
fn wanted<'a>(scope: &'a Scope, names: &[String], linked: usize) -> Wanted<'a> {
    let names: BTreeSet<SecretName> = names.iter().map(SecretName::new).collect();
    Wanted {
        scope,
        linked: names.iter().take(linked).cloned().collect(),
        names,
        policies: BTreeSet::new(),
        replicated: BTreeSet::new(),
        cache: None,
        owned_by: None,
        names_only: false,
    }
}

#[test]
fn a_list_in_parts_is_read_again_only_for_what_it_lacks_and_was_there_for_more_than_ten_minutes() {
    let scope = Scope::new(["dev/".to_owned()]);
    // Parts lack secrets with odd numbers, and only even ones are on the first page.
    let numbers = (0..1_500).map(|n| n * 2).chain((0..1_500).map(|n| n * 2 + 1));
    let names: Vec<String> = numbers.map(|n| format!("dev/{n:05}")).collect();
    let found = |reading: Reading, changed: i64, linked: usize| {
        let service = Service::new(reading, 100, names.clone());
        service.state().changed = Timestamp::from_second(changed).unwrap_or_default();
        let wanted = wanted(&scope, &names[..2_000], linked);
        let live = block_on(read(&service, &Region::of_service("eu-west-1"), &wanted, &|_| {}));
        (live.map(|live| live.secrets.len()).unwrap_or_default(), service.calls().0)
    };
    // The service's clock shows 3,600.
    assert_eq!(found(Reading::LosesSome, 3_600 - 601, 0).0, 3_000);
    assert_eq!(found(Reading::LosesSome, 3_600 - 600, 0).0, 2_000, "the list may lag so long");
    let (all, lists) = found(Reading::AsDocumented, 0, 0);
    assert_eq!(
        found(Reading::AsDocumented, 0, 3),
        (all, lists),
        "what is described beside the list is not missing in it"
    );
}
