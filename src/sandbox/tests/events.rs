//! CloudTrail's events of the sandbox: what each call leaves behind, and how they are looked up.

use super::*;

/// A request of CloudTrail, or of STS's AssumeRole, that says who sends it.
impl Client {
    fn lookup_response(&self, input: &Value) -> Response<Bytes> {
        let credential = format!("{}/20260304/{}/cloudtrail/aws4_request", self.account, self.region);
        let request = Request::post("/")
            .header("host", "127.0.0.1")
            .header("x-amz-target", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents")
            .header("authorization", format!("AWS4-HMAC-SHA256 Credential={credential}, Signature=00"))
            .body(Bytes::from(input.to_string()))
            .unwrap();
        self.sandbox.respond(&request)
    }

    /// What LookupEvents answers.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "calls read better with the input as it is written")]
    fn lookup(&self, input: Value) -> Value {
        let response = self.lookup_response(&input);
        assert_eq!(response.status(), 200, "{input} answered {:?}", response.body());
        serde_json::from_slice(response.body()).unwrap()
    }

    #[track_caller]
    fn lookup_refused(&self, input: &Value) -> String {
        let response = self.lookup_response(input);
        assert_eq!(response.status(), 400, "{input} answered {:?}", response.body());
        refusal(&response).code
    }

    /// The documents of the events of this name, the newest first.
    #[track_caller]
    fn events(&self, name: &str) -> Vec<Value> {
        let attributes = json!([{"AttributeKey": "EventName", "AttributeValue": name}]);
        documents(&self.lookup(json!({"LookupAttributes": attributes})))
    }

    /// A call that says who makes it: a session of a role, and a user agent.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "calls read better with the input as it is written")]
    fn call_as(&self, role: &str, session: &str, operation: &str, input: Value) {
        let account = &self.account;
        let form = format!(
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::{account}:role/{role}&RoleSessionName={session}"
        );
        let credential = format!("{account}/20260304/{REGION}/sts/aws4_request");
        let request = Request::post("/")
            .header("host", "127.0.0.1")
            .header("authorization", format!("AWS4-HMAC-SHA256 Credential={credential}, Signature=00"))
            .body(Bytes::from(form))
            .unwrap();
        let answer = String::from_utf8(self.sandbox.respond(&request).body().to_vec()).unwrap();
        let member =
            |name: &str| answer.split(&format!("<{name}>")).nth(1).unwrap().split("</").next().unwrap().to_owned();
        let mut request = self.request(operation, input.to_string());
        let credential = format!("{}/20260304/{REGION}/secretsmanager/aws4_request", member("AccessKeyId"));
        let headers = request.headers_mut();
        let signed = format!("AWS4-HMAC-SHA256 Credential={credential}, Signature=00");
        headers.insert("authorization", signed.parse().unwrap());
        headers.insert("x-amz-security-token", member("SessionToken").parse().unwrap());
        headers.insert("user-agent", "aws-cli/2.31.0".parse().unwrap());
        assert_eq!(self.sandbox.respond(&request).status(), 200);
    }
}

fn documents(page: &Value) -> Vec<Value> {
    let events = page["Events"].as_array().unwrap().iter();
    events.map(|event| serde_json::from_str(event["CloudTrailEvent"].as_str().unwrap()).unwrap()).collect()
}

fn names(page: &Value) -> Vec<String> {
    page["Events"].as_array().unwrap().iter().map(|event| text(&event["EventName"])).collect()
}

#[test]
fn a_change_is_an_event_with_who_made_it_and_no_value() {
    let client = Client::new();
    client.create("a");
    let put = json!({"SecretId": "a", "ClientRequestToken": token(2), "SecretString": "hunter2"});
    client.call_as("ci/deploy", "alice", "PutSecretValue", put);
    let page = client.lookup(json!({"MaxResults": 1}));
    assert!(!page.to_string().contains("hunter2"), "{page}");
    let event = &page["Events"][0];
    assert_eq!((&event["EventName"], &event["Username"]), (&json!("PutSecretValue"), &json!("alice")));
    assert_eq!((&event["ReadOnly"], &event["EventSource"]), (&json!("false"), &json!("secretsmanager.amazonaws.com")));
    assert_eq!(event["Resources"], json!([{"ResourceType": "AWS::SecretsManager::Secret", "ResourceName": "a"}]));
    assert_eq!(event["EventTime"], json!(1_772_610_300));
    let document = &documents(&page)[0];
    assert_eq!(document["eventID"], event["EventId"]);
    assert_eq!(document["requestParameters"], json!({"secretId": "a", "clientRequestToken": token(2)}));
    let arn = &client.describe("a")["ARN"];
    assert_eq!(document["responseElements"], json!({ "arn": arn }));
    let identity = &document["userIdentity"];
    assert_eq!(identity["type"], "AssumedRole");
    assert_eq!(identity["arn"], "arn:aws:sts::000000000000:assumed-role/deploy/alice");
    let issuer = &identity["sessionContext"]["sessionIssuer"];
    assert_eq!(issuer["arn"], "arn:aws:iam::000000000000:role/ci/deploy", "with its path");
    assert_eq!((&document["userAgent"], &document["eventType"]), (&json!("aws-cli/2.31.0"), &json!("AwsApiCall")));
}

#[test]
fn an_access_key_may_name_an_iam_user() {
    let client = Client::new().as_account("111122223333.bob");
    client.create("a");
    let identity = &client.events("CreateSecret")[0]["userIdentity"];
    assert_eq!(identity["arn"], "arn:aws:iam::111122223333:user/bob");
    assert_eq!((&identity["type"], &identity["userName"]), (&json!("IAMUser"), &json!("bob")));
    client.as_account("111122223333").describe("a");
}

#[test]
fn deletions_and_rotations_have_events_of_the_service() {
    let client = Client::new();
    let arn = client.create_with_value("a", "one");
    let deleted = client.ok("DeleteSecret", json!({"SecretId": "a", "RecoveryWindowInDays": 7}));
    let response = &client.events("DeleteSecret")[0]["responseElements"];
    assert_eq!((&response["aRN"], &response["name"]), (&deleted["ARN"], &json!("a")));
    assert!(response["deletionDate"].is_string());
    client.ok("RestoreSecret", json!({"SecretId": "a"}));
    let function = "arn:aws:lambda:eu-west-1:000000000000:function:rotate";
    client.sandbox.apply_fault_file(r#"{"rotations": [{"of": "any", "outcome": {"failAt": "set"}}]}"#).unwrap();
    let rotate = json!({"SecretId": "a", "RotationLambdaARN": function, "ClientRequestToken": token(5)});
    client.ok("RotateSecret", rotate);
    client.ok("DeleteSecret", json!({"SecretId": "a", "RecoveryWindowInDays": 7}));
    client.advance(7 * 24);
    client.refused("DescribeSecret", json!({"SecretId": "a"}));
    let all = client.lookup(json!({}));
    assert_eq!(
        names(&all),
        [
            "DescribeSecret",
            "EndSecretVersionDelete",
            "DeleteSecret",
            "StartSecretVersionDelete",
            "RotateSecret",
            "RotationFailed",
            "RotationStarted",
            "RestoreSecret",
            "CancelSecretVersionDelete",
            "DeleteSecret",
            "StartSecretVersionDelete",
            "CreateSecret",
        ]
    );
    let end = &client.events("EndSecretVersionDelete")[0];
    assert_eq!(end["additionalEventData"], json!({"ARN": arn, "Name": "a"}));
    assert_eq!((&end["eventType"], &end["requestParameters"]), (&json!("AwsServiceEvent"), &Value::Null));
    let service = json!({"accountId": "000000000000", "invokedBy": "secretsmanager.amazonaws.com"});
    assert_eq!(end["userIdentity"], service);
    let failed = &client.events("RotationFailed")[0];
    assert_eq!(failed["additionalEventData"], json!({ "SecretId": arn }));
    let message = text(&failed["errorMessage"]);
    assert!(message.contains(function) && message.contains("setSecret"), "{message}");
}

#[test]
fn failed_and_denied_calls_are_events_with_their_error() {
    let client = Client::new();
    client.refused("DeleteSecret", json!({"SecretId": "missing"}));
    let failed = &client.events("DeleteSecret")[0];
    assert_eq!(failed["errorCode"], "ResourceNotFoundException");
    assert_eq!(
        (&failed["requestParameters"]["secretId"], &failed["responseElements"]),
        (&json!("missing"), &Value::Null)
    );
    client
        .sandbox
        .enforce_policy(r#"{"Statement": {"Effect": "Allow", "Action": "cloudtrail:*", "Resource": "*"}}"#)
        .unwrap();
    client.refused("CreateSecret", json!({"Name": "a", "ClientRequestToken": token(1)}));
    let denied = &client.events("CreateSecret")[0];
    assert_eq!((&denied["errorCode"], &denied["requestParameters"]), (&json!("AccessDenied"), &Value::Null));
    let nothing = r#"{"Statement": {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*"}}"#;
    client.sandbox.enforce_policy(nothing).unwrap();
    let response = client.lookup_response(&json!({}));
    let Refused { code, message } = refusal(&response);
    assert_eq!(code, "AccessDeniedException");
    assert!(message.contains("not authorized to perform: cloudtrail:LookupEvents because"), "{message}");
}

#[test]
fn events_come_in_pages_the_newest_first() {
    let client = Client::new();
    for number in 0..120 {
        client.create(&format!("s{number}"));
        client.advance(1);
    }
    let mut input = json!({"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "CreateSecret"}]});
    let (mut seen, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let page = client.lookup(input.clone());
        sizes.push(page["Events"].as_array().unwrap().len());
        seen.extend(documents(&page).iter().map(|event| text(&event["requestParameters"]["name"])));
        // What comes in between hides nothing.
        client.describe("s0");
        let Some(next) = page.get("NextToken") else { break };
        input["NextToken"] = next.clone();
    }
    assert_eq!(sizes, [50, 50, 20]);
    assert!(seen.iter().eq((0..120).rev().map(|number| format!("s{number}")).collect::<Vec<_>>().iter()));
    let other = json!({"NextToken": input["NextToken"], "MaxResults": 7});
    assert_eq!(client.lookup_refused(&other), "InvalidNextTokenException", "a token is of one query");
}

#[test]
fn a_range_of_time_has_its_ends() {
    let client = Client::new();
    client.create("a");
    client.advance(1);
    client.create("b");
    client.advance(1);
    client.create("c");
    let named = |input: Value| -> Vec<String> {
        documents(&client.lookup(input)).iter().map(|event| text(&event["requestParameters"]["name"])).collect()
    };
    let (first, second) = (1_772_610_300, 1_772_613_900);
    assert_eq!(named(json!({"EndTime": first})), ["a"]);
    assert_eq!(named(json!({"StartTime": second})), ["c", "b"]);
    assert_eq!(named(json!({"StartTime": second, "EndTime": second})), ["b"]);
    assert_eq!(named(json!({"EndTime": first - 1})), [""; 0]);
    client.advance(89 * 24);
    assert_eq!(named(json!({})), ["c", "b", "a"]);
    client.advance(24);
    assert_eq!(named(json!({})), ["c"], "of more than ninety days ago nothing is left");
}

#[test]
fn every_attribute_finds_its_events() {
    let client = Client::new();
    client.create("a");
    client.call_as("deploy", "alice", "TagResource", json!({"SecretId": "a", "Tags": [{"Key": "k", "Value": "v"}]}));
    client.describe("a");
    let with = |key: &str, value: &str| {
        names(&client.lookup(json!({"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}]})))
    };
    let all = ["DescribeSecret", "TagResource", "CreateSecret"];
    assert_eq!(with("EventSource", "secretsmanager.amazonaws.com"), all);
    assert_eq!(with("EventSource", "s3.amazonaws.com"), [""; 0]);
    assert_eq!(with("ResourceName", "a"), all);
    assert_eq!(with("ResourceType", "AWS::SecretsManager::Secret"), all);
    assert_eq!(with("ReadOnly", "true"), ["DescribeSecret"]);
    assert_eq!(with("Username", "alice"), ["TagResource"]);
    assert_eq!(with("AccessKeyId", "ASIASANDBOX000000000000"), ["TagResource"]);
    let id = text(&client.lookup(json!({"MaxResults": 1}))["Events"][0]["EventId"]);
    assert_eq!(with("EventId", &id), ["DescribeSecret"]);
    assert_eq!(client.in_region("us-east-1").lookup(json!({})), json!({"Events": []}), "each region has its own");
}

#[test]
fn wrong_lookups_are_refused() {
    let client = Client::new();
    let attribute = |key: &str, value: &str| json!({"AttributeKey": key, "AttributeValue": value});
    for (input, code) in [
        (json!({"LookupAttributes": [attribute("Name", "a")]}), "InvalidLookupAttributesException"),
        (json!({"LookupAttributes": [attribute("EventName", "")]}), "InvalidLookupAttributesException"),
        (json!({"LookupAttributes": [attribute("EventName", &"x".repeat(2001))]}), "InvalidLookupAttributesException"),
        (
            json!({"LookupAttributes": [attribute("EventName", "a"), attribute("ReadOnly", "false")]}),
            "InvalidLookupAttributesException",
        ),
        (json!({"StartTime": 2, "EndTime": 1}), "InvalidTimeRangeException"),
        (json!({"StartTime": -1}), "InvalidTimeRangeException"),
        (json!({"EndTime": 1e300}), "InvalidTimeRangeException"),
        (json!({"MaxResults": 0}), "InvalidMaxResultsException"),
        (json!({"MaxResults": 51}), "InvalidMaxResultsException"),
        (json!({"NextToken": "x"}), "InvalidNextTokenException"),
        (json!({"EventCategory": "data"}), "InvalidEventCategoryException"),
        (json!({"Filters": []}), "SerializationException"),
        (json!({"MaxResults": "ten"}), "SerializationException"),
    ] {
        assert_eq!(client.lookup_refused(&input), code, "{input}");
    }
    assert_eq!(client.lookup(json!({"EventCategory": "insight"})), json!({"Events": []}));
}

#[test]
fn events_are_shown_after_a_delay() {
    let client = Client::new();
    client.sandbox.apply_fault_file(r#"{"profile": {"eventDelay": "PT15M"}}"#).unwrap();
    client.create("a");
    assert_eq!(client.lookup(json!({})), json!({"Events": []}));
    client.clock.advance(SignedDuration::from_mins(15));
    assert_eq!(names(&client.lookup(json!({}))), ["CreateSecret"]);
}

#[test]
fn two_lookups_a_second_are_answered_where_quotas_hold() {
    let client = Client::new();
    client.sandbox.apply_fault_file(r#"{"profile": {"quotas": true}}"#).unwrap();
    let mut answers = (0..3).map(|_| client.lookup_response(&json!({})).status().as_u16());
    assert_eq!(answers.next().zip(answers.next()), Some((200, 200)));
    assert_eq!(client.lookup_refused(&json!({})), "ThrottlingException");
}

#[test]
fn events_are_there_after_reopening_and_gone_after_a_reset() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sandbox.redb");
    let clock = Clock::manual("2026-03-04T07:45:00.250Z".parse().unwrap());
    let open = || {
        let options = Options { rng_seed: 1, clock: clock.clone() };
        Client::of(Sandbox::open(&path, options).unwrap(), clock.clone())
    };
    let client = open();
    client.create("a");
    client.describe("a");
    drop(client);
    let client = open();
    let before = client.lookup(json!({}));
    assert_eq!(names(&before), ["DescribeSecret", "CreateSecret"], "what changed nothing is written at the end");
    assert_eq!(client.lookup(json!({})), before, "with the same ids, and a lookup is no event");
    client.describe("a");
    client.sandbox.reset().unwrap();
    assert_eq!(client.lookup(json!({})), json!({"Events": []}));
}

#[test]
fn what_fixtures_make_has_no_events() {
    let client = Client::new();
    client
        .sandbox
        .make_fixtures("- { name: a, region: eu-west-1, value: hunter2, scheduledForDeletion: true }")
        .unwrap();
    assert_eq!(client.lookup(json!({})), json!({"Events": []}));
    client.describe("a");
}
