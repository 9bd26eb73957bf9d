//! One verdict on every schedule: `validate`, `explain`, what `import` may write, and RotateSecret of the sandbox.

use std::collections::BTreeSet;

use bytes::Bytes;
use keywright::desired::{RotationSetup, Rotator};
use keywright::domain::{Arn, Frequency, RotationDuration};
use keywright::exit_code::ExitCode;
use keywright::manifest::Accepts;
use keywright::sandbox::Sandbox;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::stage::{ACCOUNT, REGION, cases};
use crate::support;

const FUNCTION: &str = "arn:aws:lambda:eu-west-1:111111111111:function:rotate";

fn field(forms: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    select(forms)
}

/// Expressions in the documented forms, in those of other dialects, and in none.
fn expressions() -> impl Strategy<Value = String> {
    let hours = prop_oneof![
        (0..26_u32).prop_map(|hour| hour.to_string()),
        (0..24_u32, 0..25_u32).prop_map(|(from, step)| format!("{from}/{step}")),
        field(&["/4", "/3", "*", "*/6", "0,12", "0,23", "8-20/4", "?"]).prop_map(str::to_owned),
    ];
    let days = prop_oneof![
        3 => field(&["*", "1", "1,15", "1-15", "1/2", "*/9", "31", "30,31", "L", "SUNL", "FRIL"])
            .prop_map(|day| (day, "?")),
        1 => field(&["LW", "15W", "28-3", "1,L", "32", "", "L-1", "1L"]).prop_map(|day| (day, "?")),
        3 => field(&["*", "SUN", "mon", "MON-FRI", "1,4", "1/2", "TUE#3", "2#5", "L"]).prop_map(|day| ("?", day)),
        1 => field(&["FRIL", "6L", "FRI-MON", "MON#1,MON#3", "TUE#6", "8", "MON,L"]).prop_map(|day| ("?", day)),
        1 => field(&["1", "*", "?"]).prop_map(|day| (day, day)),
    ];
    let months = field(&["*", "FEB", "2,4", "JAN,APR,JUL,OCT", "1/3", "1-3", "4,6,9,11", "NOV-FEB", "13", "jan"]);
    let cron = (field(&["0", "0", "0", "0", "0", "5"]), hours, days, months, field(&["*", "*", "*", "*", "2030"]))
        .prop_map(|(minutes, hours, (day, weekday), month, year)| {
            format!("cron({minutes} {hours} {day} {month} {weekday} {year})")
        });
    let rate = (0..1100_u32, field(&["hours", "hour", "days", "day", "minutes", "weeks"]))
        .prop_map(|(number, unit)| format!("rate({number} {unit})"));
    prop_oneof![
        6 => cron,
        2 => rate,
        1 => "(rate|cron)\\([0-9A-Z#?*/, -]{0,16}\\)",
        1 => "[ -#%-~]{0,20}",
    ]
}

fn windows() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        Just(None),
        (0..27_u32).prop_map(|hours| Some(format!("{hours}h"))),
        field(&["2", "h", "2 h", "02h", "3m"]).prop_map(|text| Some(text.to_owned())),
    ]
}

/// The secrets in whose manifests `validate` finds an error, by their place.
fn refused_by_validate(schedules: &[(String, Option<String>)]) -> BTreeSet<usize> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let project = format!(
        "apiVersion: keywright/v1\nkind: Project\nmetadata: {{ name: shop }}\nspec:\n  targets:\n    - {{ name: dev, \
         account: \"{ACCOUNT}\", region: {REGION} }}\n  scope: {{ namePrefixes: [dev/] }}\n"
    );
    support::write_files(folder.path(), [("keywright.yaml", project.as_str())]);
    for (at, (schedule, duration)) in schedules.iter().enumerate() {
        let mut rotation = json!({ "lambdaArn": FUNCTION, "schedule": schedule });
        if let Some(duration) = duration {
            rotation["duration"] = duration.as_str().into();
        }
        let document = json!({ "apiVersion": "keywright/v1", "kind": "Secret",
            "metadata": { "name": format!("dev/{at}") }, "spec": { "rotation": rotation } });
        support::write_files(folder.path(), [(format!("s{at}.yaml").as_str(), document.to_string().as_str())]);
    }
    let path = folder.path().to_string_lossy();
    let run = support::keywright(&support::sandbox(), &["validate", "--format", "json", "--project", &path], None);
    let report: Value = serde_json::from_str(&run.out).expect("diagnostics as JSON");
    let refused = (0..schedules.len()).filter(|at| {
        let file = format!("s{at}.yaml");
        let found = report["diagnostics"].as_array().expect("diagnostics");
        found.iter().any(|item| {
            item["severity"] == "error" && item["location"]["file"].as_str().is_some_and(|path| path.ends_with(&file))
        })
    });
    refused.collect()
}

fn accepted_by_sandbox(sandbox: &Sandbox, name: &str, schedule: &str, duration: Option<&str>) -> bool {
    support::call(
        sandbox,
        ACCOUNT,
        REGION,
        "CreateSecret",
        &json!({ "Name": name, "SecretString": "x",
        "ClientRequestToken": "11111111-1111-4111-8111-111111111111" }),
    );
    let mut rules = json!({ "ScheduleExpression": schedule });
    if let Some(duration) = duration {
        rules["Duration"] = duration.into();
    }
    let body = json!({ "SecretId": name, "ClientRequestToken": "22222222-2222-4222-8222-222222222222",
        "RotationLambdaARN": FUNCTION, "RotationRules": rules });
    let credential = format!("{ACCOUNT}/20260101/{REGION}/secretsmanager/aws4_request");
    let request = http::Request::post("http://secretsmanager.example/")
        .header("x-amz-target", "secretsmanager.RotateSecret")
        .header("content-type", "application/x-amz-json-1.1")
        .header("authorization", format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=00"))
        .body(Bytes::from(body.to_string()))
        .expect("a request");
    sandbox.respond(&request).status() == 200
}

fn accepted_by_import(schedule: &str, duration: Option<&str>) -> bool {
    let setup = RotationSetup {
        rotator: Rotator::Lambda(Arn::of_service(FUNCTION)),
        frequency: Frequency::of_service(schedule),
        duration: duration.map(RotationDuration::of_service),
    };
    Accepts { account: Some(ACCOUNT), region: REGION }.rotation(&setup)
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn every_schedule_gets_one_verdict(
        schedules in proptest::collection::vec((expressions(), windows()), 1..30),
    ) {
        let refused = refused_by_validate(&schedules);
        let sandbox = support::sandbox();
        for (at, (schedule, duration)) in schedules.iter().enumerate() {
            let valid = !refused.contains(&at);
            let duration = duration.as_deref();
            prop_assert_eq!(
                accepted_by_sandbox(&sandbox, &format!("dev/{at}"), schedule, duration), valid,
                "the sandbox against validate: {:?} {:?}", schedule, duration
            );
            prop_assert_eq!(
                accepted_by_import(schedule, duration), valid,
                "import against validate: {:?} {:?}", schedule, duration
            );
            if duration.is_none() && !schedule.starts_with('-') {
                let explained = support::keywright(&sandbox, &["explain", schedule], None).code == ExitCode::Success;
                prop_assert_eq!(explained, valid, "explain against validate: {:?}", schedule);
            }
        }
    }
}
