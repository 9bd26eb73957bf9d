//! Whatever is sent, there is an answer, and the sandbox goes on.

use proptest::prelude::*;

use super::*;

/// The operations of the service, and one that is none.
fn operation() -> impl Strategy<Value = &'static str> {
    prop::sample::select(members::operations().chain(["Nonsense"]).collect::<Vec<_>>())
}

/// Members that an operation knows, and sometimes one that it does not, with values that are sometimes right and often
/// not.
fn member(operation: &str) -> impl Strategy<Value = (String, Value)> + use<> {
    let known = members::of(operation).into_iter().flat_map(members::Members::names);
    let names: Vec<String> = known.chain(["Nonsense"]).map(str::to_owned).collect();
    let value = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        Just(Value::from("a")),
        Just(Value::from(token(1))),
        Just(Value::from("arn:aws:secretsmanager:eu-west-1:000000000000:secret:a-")),
        Just(json!([{"Key": "name", "Values": ["!"]}])),
        Just(json!(["AWSCURRENT", "AWSPREVIOUS", "é"])),
        Just(json!([{"Region": "us-west-2"}, {"Region": "us-east-1", "KmsKeyId": "alias/x"}])),
        Just(json!(["us-west-2"])),
        Just(Value::from("arn:aws:secretsmanager:eu-west-1:111122223333:secret:a-AbCdEf")),
        Just(Value::from("alias/x")),
        Just(json!({"ScheduleExpression": "rate(4 hours)", "Duration": "2h"})),
        "(rate|cron)\\([0-9A-Z#?*/, -]{0,20}\\)".prop_map(|text| json!({"ScheduleExpression": text})),
    ];
    (prop::sample::select(names), value)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_answered(
        body in prop::collection::vec(any::<u8>(), 0..200),
        operation in operation()
    ) {
        let client = Client::new();
        let response = client.sandbox.respond(&client.request(operation, body));
        prop_assert!([200, 400].contains(&response.status().as_u16()));
    }

    #[test]
    fn any_sequence_of_requests_is_answered(
        requests in prop::collection::vec(
            operation().prop_flat_map(|operation| {
                (Just(operation), prop::collection::vec(member(operation), 0..6))
            }),
            1..30
        )
    ) {
        let client = Client::new();
        client.create_with_value("a", "one");
        for (operation, members) in requests {
            let response = client.send(operation, &Value::Object(members.into_iter().collect()));
            prop_assert!([200, 400].contains(&response.status().as_u16()), "{operation}: {:?}", response.body());
        }
        client.ok("ListSecrets", json!({"IncludePlannedDeletion": true}));
    }

    #[test]
    fn any_headers_are_answered(
        target in "[ -~]{0,60}",
        authorization in "[ -~]{0,80}",
        token in "[ -~]{0,60}",
        path in "/[a-z?&=%]{0,30}",
        body in ".{0,60}"
    ) {
        let client = Client::new();
        let request = Request::post(path)
            .header("x-amz-target", target)
            .header("authorization", authorization)
            .header("x-amz-security-token", token)
            .body(Bytes::from(body))
            .unwrap();
        prop_assert!(client.sandbox.respond(&request).status().is_client_error());
    }

    #[test]
    fn any_query_to_sts_is_answered(
        region in "[ -~]{0,20}",
        body in "(Action=AssumeRole|Action=GetCallerIdentity|)[ -~]{0,80}"
    ) {
        let client = Client::new();
        let scope = format!("AWS4-HMAC-SHA256 Credential=a/b/{region}/sts/aws4_request");
        let request = Request::post("/").header("authorization", scope).body(Bytes::from(body)).unwrap();
        prop_assert!(client.sandbox.respond(&request).status().as_u16() < 500);
    }
}

#[test]
fn json_that_is_deeper_than_any_request_is_refused() {
    let client = Client::new();
    for body in ["[".repeat(100_000), format!("{{\"Tags\":{}", "[".repeat(100_000)), "{\"a\":".repeat(100_000)] {
        let response = client.sandbox.respond(&client.request("CreateSecret", body));
        assert_eq!((response.status().as_u16(), refusal(&response).code.as_str()), (400, "SerializationException"));
    }
}

#[test]
fn threads_share_one_sandbox() {
    let client = Client::new();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let client = client.clone();
            scope.spawn(move || {
                for number in 0..25 {
                    let name = format!("{thread}/{number}");
                    client.create_with_value(&name, &name);
                    assert_eq!(client.value(&name), name);
                }
            });
        }
    });
    assert_eq!(client.sandbox.dump(DEFAULT_ACCOUNT, REGION).len(), 100);
}
