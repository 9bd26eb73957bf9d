//! ListSecrets: what an entry shows, filters, orders and pages.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

#[track_caller]
fn names(listed: &Value) -> Vec<String> {
    listed["SecretList"].as_array().unwrap().iter().map(|entry| text(&entry["Name"])).collect()
}

/// The names that a filter lets through, in the order of creation.
#[track_caller]
fn filtered(client: &Client, filters: &[(&str, &[&str])]) -> Vec<String> {
    let filters: Vec<Value> = filters.iter().map(|(key, values)| json!({"Key": key, "Values": values})).collect();
    names(&client.ok("ListSecrets", json!({"Filters": filters})))
}

fn describe_as(client: &Client, name: &str, description: &str) {
    client.ok("CreateSecret", json!({"Name": name, "ClientRequestToken": token(0), "Description": description}));
}

#[test]
fn an_entry_shows_what_describe_shows() {
    let client = Client::new();
    client.ok(
        "CreateSecret",
        json!({
            "Name": "a", "ClientRequestToken": token(1), "SecretString": "x", "Description": "d", "KmsKeyId": "alias/k",
            "Tags": [{"Key": "k", "Value": "v"}]
        }),
    );
    client.value("a");
    let mut expected = client.describe("a");
    let labels = expected.as_object_mut().unwrap().remove("VersionIdsToStages").unwrap();
    expected["SecretVersionsToStages"] = labels;
    assert_eq!(client.ok("ListSecrets", json!({})), json!({"SecretList": [expected]}));
}

#[test]
fn secrets_scheduled_for_deletion_are_listed_when_asked_for() {
    let client = Client::new();
    client.create("a");
    client.create("b");
    client.ok("DeleteSecret", json!({"SecretId": "a"}));
    assert_eq!(names(&client.ok("ListSecrets", json!({}))), ["b"]);
    let all = client.ok("ListSecrets", json!({"IncludePlannedDeletion": true}));
    assert_eq!(names(&all), ["a", "b"]);
    assert_eq!(all["SecretList"][0]["DeletedDate"], seconds(&client, 0));
}

#[test]
fn name_filters_are_case_sensitive_prefixes() {
    let client = Client::new();
    for name in ["/one", "two/a", "Two/b", "two-words"] {
        client.create(name);
    }
    assert_eq!(filtered(&client, &[("name", &["/"])]), ["/one"]);
    assert_eq!(filtered(&client, &[("name", &["!/"])]), ["two/a", "Two/b", "two-words"]);
    assert_eq!(filtered(&client, &[("name", &["two/", "/"])]), ["/one", "two/a"], "values are alternatives");
    assert_eq!(filtered(&client, &[("name", &["two"]), ("name", &["two/"])]), ["two/a"], "filters narrow");
    assert_eq!(filtered(&client, &[("name", &["two words"])]), Vec::<String>::new(), "no words in names");
}

#[test]
fn description_filters_match_words() {
    let client = Client::new();
    for (name, description) in [("1", "a secret"), ("2", "an secret"), ("3", "asecret"), ("4", "thesecret"), ("5", "")]
    {
        describe_as(&client, name, description);
    }
    assert_eq!(filtered(&client, &[("description", &["a"])]), ["1", "2", "3"]);
    assert_eq!(filtered(&client, &[("description", &["a secret"])]), ["1", "2"]);
    assert_eq!(filtered(&client, &[("description", &["!a"])]), ["4", "5"]);
    assert_eq!(filtered(&client, &[("description", &["!c"])]), ["1", "2", "3", "4", "5"]);
}

#[test]
fn tag_filters_match_keys_and_values() {
    let client = Client::new();
    for (name, tags) in [
        ("1", json!([{"Key": "team", "Value": "Payments"}])),
        ("2", json!([{"Key": "Team", "Value": "pay"}])),
        ("3", json!([])),
    ] {
        client.ok("CreateSecret", json!({"Name": name, "ClientRequestToken": token(0), "Tags": tags}));
    }
    assert_eq!(filtered(&client, &[("tag-key", &["te"])]), ["1"]);
    assert_eq!(filtered(&client, &[("tag-value", &["pay"])]), ["2"]);
    assert_eq!(filtered(&client, &[("tag-key", &["!te"])]), ["2", "3"], "a secret without tags has no such key");
    assert_eq!(filtered(&client, &[("all", &["pay"])]), ["1", "2"]);
    assert_eq!(filtered(&client, &[("owning-service", &["rds"])]), Vec::<String>::new());
    assert_eq!(filtered(&client, &[("primary-region", &["!eu"])]), ["1", "2", "3"]);
}

#[test]
fn the_all_filter_searches_words_everywhere() {
    let client = Client::new();
    for name in ["my/first/secret", "my/second+secret", "MyThird", "COMPANYthings"] {
        client.create(name);
    }
    describe_as(&client, "described", "of my first kind");
    assert_eq!(filtered(&client, &[("all", &["first"])]), ["my/first/secret", "described"]);
    assert_eq!(filtered(&client, &[("all", &["SECRET"])]), ["my/first/secret"]);
    assert_eq!(filtered(&client, &[("all", &["secondsecret"])]), Vec::<String>::new());
    assert_eq!(filtered(&client, &[("all", &["third"])]), ["MyThird"]);
    assert_eq!(filtered(&client, &[("all", &["compan"])]), ["COMPANYthings"]);
    assert_eq!(filtered(&client, &[("all", &["/"])]), Vec::<String>::new());
}

#[test]
fn requests_that_break_a_rule_are_refused() {
    let client = Client::new();
    for (input, code, message) in [
        (
            json!({"MaxResults": 0}),
            "ValidationException",
            "1 validation error detected: Value '0' at 'maxResults' failed to satisfy constraint: \
             Member must have value greater than or equal to 1",
        ),
        (
            json!({"MaxResults": 101}),
            "ValidationException",
            "1 validation error detected: Value '101' at 'maxResults' failed to satisfy constraint: \
             Member must have value less than or equal to 100",
        ),
        (
            json!({"SortOrder": "up"}),
            "ValidationException",
            "1 validation error detected: Value 'up' at 'sortOrder' failed to satisfy constraint: \
             Member must satisfy enum value set: [asc, desc]",
        ),
        (
            json!({"Filters": [{"Key": "colour", "Values": ["x"]}]}),
            "ValidationException",
            "1 validation error detected: Value 'colour' at 'filters.1.member.key' failed to satisfy constraint: \
             Member must satisfy enum value set: \
             [description, name, tag-key, tag-value, primary-region, owning-service, all]",
        ),
        (
            json!({"Filters": [{"Key": "name", "Values": ["a*"]}]}),
            "ValidationException",
            "1 validation error detected: Value 'a*' at 'filters.1.member.values' failed to satisfy constraint: \
             Member must satisfy regular expression pattern: ^\\!?[a-zA-Z0-9 :_@\\/\\+\\=\\.\\-\\!]*$",
        ),
        (json!({"Filters": [{"Key": "name"}]}), "InvalidParameterException", "Invalid filter values for key: name"),
        (json!({"Filters": [{"Values": ["a"]}]}), "InvalidParameterException", "Invalid filter key"),
        (json!({"NextToken": "nonsense"}), "InvalidNextTokenException", "Invalid NextToken."),
    ] {
        assert_eq!(client.refused("ListSecrets", input), refused(code, message));
    }
    let eleven: Vec<Value> = (0..11).map(|_| json!({"Key": "name", "Values": ["a"]})).collect();
    assert_eq!(client.refused("ListSecrets", json!({"Filters": eleven})).code, "ValidationException");
}

#[test]
fn sort_by_and_sort_order_are_followed() {
    let client = Client::new();
    for name in ["b", "c", "a"] {
        client.create_with_value(name, "x");
        client.advance(1);
    }
    client.ok("TagResource", json!({"SecretId": "c", "Tags": []}));
    client.value("b");
    let listed = |by: &str, order: &str| {
        let all = client.ok("ListSecrets", json!({"SortBy": by, "SortOrder": order}));
        let mut paged = Vec::new();
        let mut input = json!({"SortBy": by, "SortOrder": order, "MaxResults": 1});
        loop {
            let page = client.ok("ListSecrets", input.clone());
            paged.extend(names(&page));
            let Some(next) = page.get("NextToken") else { break };
            input["NextToken"] = next.clone();
        }
        assert_eq!(paged, names(&all), "{by} {order}");
        paged.concat()
    };
    assert_eq!(names(&client.ok("ListSecrets", json!({}))).concat(), "bca");
    for (by, ascending) in
        [("created-date", "bca"), ("name", "abc"), ("last-changed-date", "bac"), ("last-accessed-date", "cab")]
    {
        assert_eq!(listed(by, "asc"), ascending, "{by}");
        assert_eq!(listed(by, "desc"), ascending.chars().rev().collect::<String>(), "{by}");
    }
}

#[test]
fn a_token_is_valid_for_its_own_query_only() {
    let client = Client::new();
    for number in 0..3 {
        client.create(&format!("s{number}"));
    }
    let page = client.ok("ListSecrets", json!({"MaxResults": 1}));
    let token = text(&page["NextToken"]);
    let other = json!({"NextToken": token, "Filters": [{"Key": "name", "Values": ["s"]}]});
    assert_eq!(client.refused("ListSecrets", other).code, "InvalidNextTokenException");
    let in_another_region = client.in_region("us-east-1").refused("ListSecrets", json!({"NextToken": token}));
    assert_eq!(in_another_region.code, "InvalidNextTokenException");
    client.ok("DeleteSecret", json!({"SecretId": "s0", "ForceDeleteWithoutRecovery": true}));
    let rest = client.ok("ListSecrets", json!({"NextToken": token, "MaxResults": 5}));
    assert_eq!(names(&rest), ["s1", "s2"], "the place stays, even if the secret there goes");
}

#[test]
fn a_page_has_a_hundred_entries_and_the_last_page_no_token() {
    let client = Client::new();
    for number in 0..100 {
        client.create(&format!("s{number}"));
    }
    let all = client.ok("ListSecrets", json!({}));
    assert_eq!((names(&all).len(), all.get("NextToken")), (100, None));
    client.create("one-more");
    let page = client.ok("ListSecrets", json!({}));
    assert_eq!(names(&page).len(), 100);
    let last = client.ok("ListSecrets", json!({"NextToken": page["NextToken"]}));
    assert_eq!((names(&last), last.get("NextToken")), (vec!["one-more".to_owned()], None));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever the page size, order and filter, the pages together hold each secret once.
    #[test]
    fn pages_cover_everything_exactly_once(
        count in 0..30_usize,
        size in 1..12,
        by in 0..4_usize,
        descending: bool,
        filter: bool,
        deleted in prop::collection::vec(any::<bool>(), 30)
    ) {
        let client = Client::new();
        for (number, deleted) in deleted.into_iter().enumerate().take(count) {
            let name = format!("{}/{number}", if number % 3 == 0 { "x" } else { "y" });
            client.create(&name);
            if deleted {
                client.ok("DeleteSecret", json!({"SecretId": name}));
            }
        }
        let expected: BTreeSet<String> = client.sandbox.dump(DEFAULT_ACCOUNT, REGION).into_iter()
            .filter(|secret| !filter || (secret.name.starts_with("x/") && !secret.scheduled_for_deletion))
            .map(|secret| secret.name).collect();
        let by = ["created-date", "last-accessed-date", "last-changed-date", "name"][by];
        let mut input = json!({"MaxResults": size, "SortBy": by, "SortOrder": if descending { "desc" } else { "asc" }});
        if filter {
            input["Filters"] = json!([{"Key": "name", "Values": ["x/"]}]);
        } else {
            input["IncludePlannedDeletion"] = true.into();
        }
        let mut seen = Vec::new();
        loop {
            let page = client.ok("ListSecrets", input.clone());
            let on_page = names(&page);
            prop_assert!(!on_page.is_empty() || seen.is_empty());
            seen.extend(on_page);
            let Some(next) = page.get("NextToken") else { break };
            input["NextToken"] = next.clone();
        }
        prop_assert_eq!(seen.len(), expected.len());
        prop_assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), expected);
    }
}

/// What happens to one of a few secrets.
#[derive(Clone, Debug)]
enum Event {
    Create { tags: Vec<(usize, usize)> },
    Tag { key: usize, value: usize },
    Untag { key: usize },
    Describe,
    Replicate,
    Retreat,
    Delete,
    Vanish,
    Hour,
}

const KEYS: [&str; 3] = ["team", "te", "cost"];
const VALUES: [&str; 4] = ["shop", "sh", "pay", ""];
const NAMES: [&str; 9] = ["a", "a/b", "a/b/c", "ab", "b/a", "b/b", "b/c", "c", "ca"];

fn event() -> impl Strategy<Value = (usize, Event)> {
    let (key, value) = (0..KEYS.len(), 0..VALUES.len());
    let tags = prop::collection::vec((key.clone(), value.clone()), 0..3);
    let event = prop_oneof![
        4 => tags.prop_map(|tags| Event::Create { tags }),
        2 => (key.clone(), value).prop_map(|(key, value)| Event::Tag { key, value }),
        1 => key.prop_map(|key| Event::Untag { key }),
        1 => Just(Event::Describe),
        1 => Just(Event::Replicate),
        1 => Just(Event::Retreat),
        1 => Just(Event::Delete),
        1 => Just(Event::Vanish),
        1 => Just(Event::Hour),
    ];
    (0..NAMES.len(), event)
}

/// Some of the calls are refused, which is as good.
fn happen(client: &Client, name: &str, number: u32, event: &Event) {
    let regions = ["us-east-1"];
    let (operation, input) = match event {
        Event::Create { tags } => {
            let tags: std::collections::BTreeMap<_, _> =
                tags.iter().map(|(key, value)| (KEYS[*key], VALUES[*value])).collect();
            let tags: Vec<_> = tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
            ("CreateSecret", json!({"Name": name, "ClientRequestToken": token(number), "Tags": tags}))
        }
        Event::Tag { key, value } => {
            let tags = json!([{"Key": KEYS[*key], "Value": VALUES[*value]}]);
            ("TagResource", json!({"SecretId": name, "Tags": tags}))
        }
        Event::Untag { key } => ("UntagResource", json!({"SecretId": name, "TagKeys": [KEYS[*key]]})),
        Event::Describe => {
            ("UpdateSecret", json!({"SecretId": name, "Description": "d", "ClientRequestToken": token(0)}))
        }
        Event::Replicate => {
            ("ReplicateSecretToRegions", json!({"SecretId": name, "AddReplicaRegions": [{"Region": regions[0]}]}))
        }
        Event::Retreat => ("RemoveRegionsFromReplication", json!({"SecretId": name, "RemoveReplicaRegions": regions})),
        Event::Delete => ("DeleteSecret", json!({"SecretId": name})),
        Event::Vanish => ("DeleteSecret", json!({"SecretId": name, "ForceDeleteWithoutRecovery": true})),
        Event::Hour => return client.advance(1),
    };
    client.send(operation, &input);
}

/// All pages of a list.
fn whole_list(client: &Client, mut input: Value) -> Vec<Value> {
    let mut listed = Vec::new();
    loop {
        let page = client.ok("ListSecrets", input.clone());
        listed.extend(page["SecretList"].as_array().unwrap().iter().cloned());
        let Some(next) = page.get("NextToken") else { return listed };
        input["NextToken"] = next.clone();
    }
}

/// Whether an entry passes a filter, by what the documentation says of it.
fn passes(entry: &Value, key: &str, values: &[&str]) -> bool {
    let tags = |part: &str| -> Vec<String> {
        entry["Tags"].as_array().into_iter().flatten().map(|tag| text(&tag[part])).collect()
    };
    let texts = match key {
        "name" => vec![text(&entry["Name"])],
        "tag-key" => tags("Key"),
        "tag-value" => tags("Value"),
        _ => entry["PrimaryRegion"].as_str().map(str::to_owned).into_iter().collect(),
    };
    let begins = |beginning: &str| texts.iter().any(|text| text.starts_with(beginning));
    values.iter().any(|value| value.strip_prefix('!').map_or_else(|| begins(value), |value| !begins(value)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Secrets are found by indexes that follow every change: what is found is what a look at each would find.
    #[test]
    fn filters_find_what_a_look_at_each_secret_finds(
        events in prop::collection::vec(event(), 1..40),
        filters in prop::collection::vec(
            (
                prop::sample::select(vec!["name", "tag-key", "tag-value", "primary-region"]),
                prop::collection::vec(
                    prop::sample::select(vec!["a", "a/", "!a", "!b/", "b", "te", "!te", "s", "sh", "", "eu", "us"]),
                    1..3,
                ),
            ),
            1..4,
        ),
        by in prop::sample::select(vec!["created-date", "last-accessed-date", "last-changed-date", "name"]),
        descending: bool,
        size in 1..12,
        away: bool,
    ) {
        let client = Client::new();
        for (number, (name, event)) in (1..).zip(&events) {
            happen(&client, NAMES[*name], number, event);
        }
        let client = if away { client.in_region("us-east-1") } else { client };
        let order = if descending { "desc" } else { "asc" };
        let mut input = json!({"SortBy": by, "SortOrder": order, "MaxResults": size, "IncludePlannedDeletion": true});
        let mut expected = whole_list(&client, input.clone());
        expected.retain(|entry| filters.iter().all(|(key, values)| passes(entry, key, values)));
        input["Filters"] = filters.iter().map(|(key, values)| json!({"Key": key, "Values": values})).collect();
        prop_assert_eq!(whole_list(&client, input), expected);
    }
}
