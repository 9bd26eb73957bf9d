//! Headers, envelopes, and STS.

use super::*;

fn header(response: &Response<Bytes>, name: &str) -> String {
    response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

/// The header of a signature with this scope.
fn signed(scope: &str) -> String {
    format!("AWS4-HMAC-SHA256 Credential={scope}/aws4_request, SignedHeaders=host, Signature=00")
}

/// A request of the query protocol.
fn sts(account: &str, parameters: &str, session_token: Option<&str>) -> Request<Bytes> {
    let mut request = Request::post("/")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", signed(&format!("{account}/20260304/eu-west-1/sts")));
    if let Some(token) = session_token {
        request = request.header("x-amz-security-token", token);
    }
    request.body(Bytes::from(parameters.to_owned())).unwrap()
}

fn element(xml: &str, name: &str) -> String {
    let (_, rest) = xml.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {xml}"));
    rest.split_once(&format!("</{name}>")).unwrap().0.to_owned()
}

fn body(response: &Response<Bytes>) -> String {
    String::from_utf8(response.body().to_vec()).unwrap()
}

#[test]
fn every_answer_has_a_media_type_and_a_request_id() {
    let client = Client::new();
    client.create("a");
    for (operation, input) in [
        ("DescribeSecret", json!({"SecretId": "a"})),
        ("DescribeSecret", json!({})),
        ("TagResource", json!({"SecretId": "a", "Tags": []})),
    ] {
        let response = client.send(operation, &input);
        assert_eq!(header(&response, "content-type"), "application/x-amz-json-1.1");
        assert_eq!(header(&response, "x-amzn-requestid").len(), 36);
    }
}

#[test]
fn an_error_has_a_type_and_a_message() {
    let response = Client::new().send("DescribeSecret", &json!({"SecretId": "a"}));
    assert_eq!(response.status(), 400, "also for what is not found");
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    let message = "Secrets Manager can't find the specified secret.";
    assert_eq!(body, json!({"__type": "ResourceNotFoundException", "Message": message}));
}

#[test]
fn a_member_that_an_operation_lacks_is_refused_and_nothing_is_done() {
    let client = Client::new();
    client.create("a");
    let before = client.describe("a");
    let message = |refused: Refused| (refused.code, refused.message.split(" (The").next().unwrap().to_owned());
    let serialization = |text: &str| ("SerializationException".to_owned(), text.to_owned());
    let deleted = client.refused("DeleteSecret", json!({"SecretId": "a", "PolicyName": "default"}));
    assert_eq!(message(deleted), serialization("DeleteSecret has no member PolicyName."));
    let tags = json!({"SecretId": "a", "Tags": [{"Key": "k", "Valeu": "v"}]});
    assert_eq!(message(client.refused("TagResource", tags)), serialization("TagResource has no member Tags.Valeu."));
    assert_eq!(client.describe("a"), before);
}

/// A member that the table has and an operation passes over would be ignored after all.
#[test]
fn every_member_of_the_model_is_read_by_its_operation() {
    let client = Client::new();
    for operation in members::operations() {
        for member in members::of(operation).unwrap().names() {
            // No member is a list of lists.
            let Refused { code, message } = client.refused(operation, json!({ member: [[]] }));
            assert_eq!(code, "SerializationException", "{operation} {member}: {message}");
            assert!(message.contains("another type"), "{operation} {member}: {message}");
        }
    }
}

#[test]
fn an_unknown_operation_is_refused() {
    assert_eq!(Client::new().refused("StealSecret", json!({})).code, "UnknownOperationException");
}

#[test]
fn requests_without_a_usable_signature_are_refused() {
    let client = Client::new();
    let good = client.request("ListSecrets", "{}");
    let with = |authorization: Option<&str>| {
        let mut request = good.clone();
        request.headers_mut().remove("authorization");
        if let Some(authorization) = authorization {
            request.headers_mut().insert("authorization", authorization.parse().unwrap());
        }
        let response = client.sandbox.respond(&request);
        assert_eq!(response.status(), 400);
        refusal(&response).code
    };
    assert_eq!(with(None), "MissingAuthenticationTokenException");
    assert_eq!(with(Some("Bearer x")), "IncompleteSignatureException");
    assert_eq!(with(Some(&signed("a/20260304/eu-west-1/s3"))), "InvalidSignatureException");
    assert_eq!(with(Some(&signed("a/20260304/EU WEST/secretsmanager"))), "InvalidSignatureException");
    assert_eq!(client.sandbox.respond(&good).status(), 200);
}

#[test]
fn a_body_that_is_not_an_input_is_refused_and_not_quoted() {
    let client = Client::new();
    for body in [
        "hunter2",
        "[]",
        "{\"SecretId\": ",
        "{\"SecretId\": 5}",
        "{\"SecretId\": {\"hunter2\": 1}}",
        "\"hunter2\"",
        "\u{feff}{}",
    ] {
        let response = client.sandbox.respond(&client.request("DescribeSecret", body.to_owned()));
        let Refused { code, message } = refusal(&response);
        assert_eq!(code, "SerializationException", "{body}");
        assert!(!message.contains("hunter2"), "{message}");
    }
    let binary = json!({"Name": "a", "ClientRequestToken": token(1), "SecretBinary": "hunter2 is not base64"});
    let Refused { code, message } = client.refused("CreateSecret", binary);
    assert_eq!(code, "SerializationException");
    assert!(!message.contains("hunter2"));
    let empty = client.sandbox.respond(&client.request("ListSecrets", ""));
    assert_eq!(empty.status(), 200, "an empty body is an empty input");
}

#[test]
fn get_caller_identity_has_account_and_arn() {
    let client = Client::new();
    let response = client.sandbox.respond(&sts("111122223333", "Action=GetCallerIdentity&Version=2011-06-15", None));
    assert_eq!((response.status().as_u16(), header(&response, "content-type").as_str()), (200, "text/xml"));
    let xml = body(&response);
    assert_eq!(element(&xml, "Account"), "111122223333");
    assert_eq!(element(&xml, "Arn"), "arn:aws:iam::111122223333:user/sandbox");
    assert_eq!(element(&xml, "RequestId"), header(&response, "x-amzn-requestid"));
}

#[test]
fn assume_role_gives_keys_of_the_role_s_account() {
    let client = Client::new();
    let parameters = "Action=AssumeRole&Version=2011-06-15&RoleSessionName=pull%40main\
                      &RoleArn=arn%3Aaws%3Aiam%3A%3A444455556666%3Arole%2Fci%2Fdeploy";
    let xml = body(&client.sandbox.respond(&sts("test", parameters, None)));
    assert_eq!(element(&xml, "Arn"), "arn:aws:sts::444455556666:assumed-role/deploy/pull@main");
    assert_eq!(element(&xml, "Expiration"), "2026-03-04T08:45:00Z");
    let (key, token) = (element(&xml, "AccessKeyId"), element(&xml, "SessionToken"));
    let xml = body(&client.sandbox.respond(&sts(&key, "Action=GetCallerIdentity", Some(&token))));
    assert_eq!(element(&xml, "Account"), "444455556666");
    assert_eq!(element(&xml, "Arn"), "arn:aws:sts::444455556666:assumed-role/deploy/pull@main");
    assert!(client.as_account(&key).create("a").contains(":444455556666:"));
}

#[test]
fn sts_errors_are_xml() {
    let client = Client::new();
    for (parameters, status, code) in [
        ("Action=GetSessionToken", 400, "InvalidAction"),
        ("", 400, "InvalidAction"),
        ("Action=AssumeRole", 400, "ValidationError"),
        ("Action=AssumeRole&RoleArn=arn:aws:iam::111122223333:user/x&RoleSessionName=xx", 400, "ValidationError"),
        ("Action=AssumeRole&RoleArn=arn:aws:iam::111122223333:role/x&RoleSessionName=%3Cx%3E", 400, "ValidationError"),
        (
            "Action=AssumeRole&RoleArn=arn:aws:iam::111122223333:role/x&RoleSessionName=xx&DurationSeconds=899",
            400,
            "ValidationError",
        ),
        (
            "Action=AssumeRole&RoleArn=arn:aws:iam::111122223333:role/x&RoleSessionName=xx&DurationSeconds=soon",
            400,
            "ValidationError",
        ),
    ] {
        let response = client.sandbox.respond(&sts("test", parameters, None));
        assert_eq!(response.status(), status, "{parameters}");
        let xml = body(&response);
        assert_eq!(element(&xml, "Code"), code, "{parameters}");
        assert!(!element(&xml, "Message").contains('<'), "{xml}");
    }
    let mut unsigned = sts("test", "Action=GetCallerIdentity", None);
    unsigned.headers_mut().remove("authorization");
    let response = client.sandbox.respond(&unsigned);
    assert_eq!(
        (response.status().as_u16(), element(&body(&response), "Code").as_str()),
        (403, "MissingAuthenticationToken")
    );
}
